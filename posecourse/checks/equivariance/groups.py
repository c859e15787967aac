"""Known mistakes in the convolution of the group: out[g] = Σ_h features[h] ⋆ rot90(weight[h − g], g).

Each is a function that makes it; its docstring is what the student reads.

Lesson: 07.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from posecourse.equivariance import conv_c4

__all__ = ["COALS"]


def _convolved(features: Tensor, weight: Tensor, kernel: Callable[[Tensor, int], Tensor]) -> Tensor:
    """Convolve with a kernel (O C G k k) for every orientation g."""
    flat = features.flatten(1, 2)
    return torch.stack([functional.conv2d(flat, kernel(weight, g).flatten(1, 2)) for g in range(4)], dim=2)


def _turned(weight: Tensor, quarters: int) -> Tensor:
    return torch.rot90(weight, quarters, (-2, -1))


def orientations_not_rolled(features: Tensor, weight: Tensor) -> Tensor:
    """The kernel was turned, and its orientation axis stayed where it was: orientation 0 is right, the others are not.

    When a pattern turns, each of its parts turns: an edge that was upright lies, and is found one orientation further
    on. So the kernel is turned *as features turn*: `rot90` of rows and columns, `roll` of orientations.
    """
    return _convolved(features, weight, lambda w, g: _turned(w, g))


def kernel_not_turned(features: Tensor, weight: Tensor) -> Tensor:
    """The orientations were rolled, and the kernel's rows and columns were not turned: orientation 0 alone is right.

    The parts of a turned pattern have turned, and they are elsewhere: `rot90` of rows and columns, too.
    """
    return _convolved(features, weight, lambda w, g: w.roll(g, 2))


def neither(features: Tensor, weight: Tensor) -> Tensor:
    """All four orientations are the same: one kernel was used for all of them, as it is.

    For orientation g turn it as features turn: `rot90` by g of rows and columns, `roll` by g of orientations.
    """
    return _convolved(features, weight, lambda w, g: w)


def rolled_the_other_way(features: Tensor, weight: Tensor) -> Tensor:
    """Orientations 0 and 2 are right, 1 and 3 are not: the kernel's orientations were rolled by −g.

    weight[h − g] at place h is the axis moved *on* by g: `roll(g, dims=2)`, and `roll(-g)` would be weight[h + g].
    (Features rolled by g come to the same.)
    """
    return _convolved(features, weight, lambda w, g: _turned(w, g).roll(-g, 2))


def turned_the_other_way(features: Tensor, weight: Tensor) -> Tensor:
    """Orientations 0 and 2 are right, 1 and 3 are not: the kernel's rows and columns were turned clockwise.

    `torch.rot90(weight, g, (-2, -1))` is counter-clockwise on the screen; −g, or (-1, -2), is not.
    """
    return _convolved(features, weight, lambda w, g: _turned(w, -g).roll(g, 2))


def clockwise(features: Tensor, weight: Tensor) -> Tensor:
    """Orientations 1 and 3 have changed places: everything runs clockwise.

    Turned and rolled by −g this is a layer of the same group, in another order. The features that come in are counted
    counter-clockwise, so those that go out must be, or the next layer is wrong.
    """
    return _convolved(features, weight, lambda w, g: _turned(w, -g).roll(-g, 2))


def kernel_reversed(features: Tensor, weight: Tensor) -> Tensor:
    """Rows and columns of every kernel run backwards: orientation 0 already looks with the kernel turned round.

    Textbooks turn the kernel round before they slide it over the picture; PyTorch's `conv2d` does not, and here it is
    not wanted. Orientation 0 takes the kernel as it is.
    """
    return conv_c4(features, weight.flip((-2, -1)))


def patterns_rolled(features: Tensor, weight: Tensor) -> Tensor:
    """The patterns were rolled, not the orientations: `roll` went along the first axis, O.

    weight is (O, C, G, k, k): the orientations are axis 2, or −3. Rolled patterns come out under each other's names.
    """
    return _convolved(features, weight, lambda w, g: _turned(w, g).roll(g, 0))


def channels_rolled(features: Tensor, weight: Tensor) -> Tensor:
    """The *channels* were rolled, not the orientations: `roll` went along the axis before the right one.

    weight is (O, C, G, k, k): the orientations are axis 2, or −3.
    """
    return _convolved(features, weight, lambda w, g: _turned(w, g).roll(g, 1))


def roll_without_axis(features: Tensor, weight: Tensor) -> Tensor:
    """Without `dims`, `roll` moves all numbers in one long row: columns run into rows, and rows into other kernels.

    Orientations are axis 2 of (O, C, G, k, k): `roll(g, dims=2)`.
    """
    return _convolved(features, weight, lambda w, g: _turned(w, g).roll(g))


def index_reversed(features: Tensor, weight: Tensor) -> Tensor:
    """The index is g − h where it is h − g: the kernel's orientations run backwards, in orientation 0 already.

    At place h stands weight[h − g]. For g = 0 that is weight[h], the kernel as it is.
    """
    return _convolved(features, weight, lambda w, g: _turned(w[:, :, [(g - h) % 4 for h in range(4)]], g))


def averaged_over_orientations(features: Tensor, weight: Tensor) -> Tensor:
    """Every number is a quarter of what it should be: the orientations were averaged, not added.

    A convolution adds over all that comes in, Σ_h. Flattened into the channels they are added by themselves.
    """
    return conv_c4(features, weight) / 4


def own_orientation_only(features: Tensor, weight: Tensor) -> Tensor:
    """Each orientation has looked at its own features only: the sum over h is missing.

    out[g] = Σ_h features[h] ⋆ …: a corner is made of edges in two orientations, and all four come in.
    """
    found = [functional.conv2d(features[:, :, g], _turned(weight[:, :, 0], g)) for g in range(4)]
    return torch.stack(found, dim=2)


def orientation_before_pattern(features: Tensor, weight: Tensor) -> Tensor:
    """Patterns and orientations of the answer are mixed up.

    The maps were computed for one orientation after the other, and read as if they came pattern after pattern.
    The order in which kernels are laid together is the order in which maps come out. `torch.stack(kernels, dim=1)`
    has the orientations behind the patterns; `torch.cat` and `stack(…, dim=0)` have them before.
    """
    right = conv_c4(features, weight)
    return right.transpose(1, 2).flatten(1, 2).unflatten(1, (-1, 4))


COALS = (
    orientations_not_rolled,
    kernel_not_turned,
    neither,
    rolled_the_other_way,
    turned_the_other_way,
    clockwise,
    kernel_reversed,
    patterns_rolled,
    channels_rolled,
    roll_without_axis,
    index_reversed,
    averaged_over_orientations,
    own_orientation_only,
    orientation_before_pattern,
)
