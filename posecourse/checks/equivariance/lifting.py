"""Known mistakes in the lifting convolution: out[g] = images ⋆ rot90(weight, g).

Each is a function that makes it; its docstring is what the student reads.

Lesson: 07.
"""

import torch
from torch import Tensor
from torch.nn import functional

from posecourse.equivariance import lift_c4

__all__ = ["COALS"]


def _lifted(images: Tensor, kernels: list[Tensor]) -> Tensor:
    return torch.stack([functional.conv2d(images, kernel) for kernel in kernels], dim=2)


def kernel_not_turned(images: Tensor, weight: Tensor) -> Tensor:
    """All four orientations are the same: the kernel was never turned.

    Orientation g looks with the kernel turned by g quarters: `torch.rot90(weight, g, (-2, -1))`.
    """
    return _lifted(images, [weight] * 4)


def clockwise(images: Tensor, weight: Tensor) -> Tensor:
    """Orientations 1 and 3 have changed places: the kernel turns clockwise.

    Positive is counter-clockwise. `torch.rot90` turns from its first axis to its second: (-2, -1), rows before
    columns, is counter-clockwise on the screen, and (-1, -2) is not.
    """
    return _lifted(images, [torch.rot90(weight, -g, (-2, -1)) for g in range(4)])


def kernel_mirrored(images: Tensor, weight: Tensor) -> Tensor:
    """The kernels are mirror images of each other, left to right and top to bottom, where they should be turns.

    A quarter turn also exchanges rows and columns: `torch.rot90`, not `flip`.
    """
    return _lifted(images, [weight, weight.flip(-1), weight.flip((-2, -1)), weight.flip(-2)])


def kernel_reversed(images: Tensor, weight: Tensor) -> Tensor:
    """Every orientation is half a turn on: orientation 0 already looks with the kernel turned round.

    Textbooks turn the kernel round before they slide it over the picture; PyTorch's `conv2d` does not, and here it is
    not wanted. Orientation 0 takes the kernel as it is.
    """
    return lift_c4(images, weight.flip((-2, -1)))


def turned_on_and_on(images: Tensor, weight: Tensor) -> Tensor:
    """Each kernel was made from the one before, which had been turned already: by 0, 1, 3 and 6 quarters in all.

    Turn `weight` by g every time, and give the turned kernel a name of its own; or turn the last one by *one* quarter.
    """
    return _lifted(images, [torch.rot90(weight, quarters, (-2, -1)) for quarters in (0, 1, 3, 6)])


def one_step_late(images: Tensor, weight: Tensor) -> Tensor:
    """Every orientation is one step on: the first kernel was turned already.

    The group begins with doing nothing: g = 0, 1, 2, 3.
    """
    return lift_c4(images, torch.rot90(weight, 1, (-2, -1)))


def orientation_before_pattern(images: Tensor, weight: Tensor) -> Tensor:
    """Patterns and orientations of the answer are mixed up.

    The maps were computed for one orientation after the other, and read as if they came pattern after pattern.
    The order in which kernels are laid together is the order in which maps come out. `torch.stack(kernels, dim=1)`
    has the orientations behind the patterns; `torch.cat` and `stack(…, dim=0)` have them before.
    """
    kernels = torch.cat([torch.rot90(weight, g, (-2, -1)) for g in range(4)])
    return functional.conv2d(images, kernels).unflatten(1, (-1, 4))


COALS = (
    kernel_not_turned,
    clockwise,
    kernel_mirrored,
    kernel_reversed,
    turned_on_and_on,
    one_step_late,
    orientation_before_pattern,
)
