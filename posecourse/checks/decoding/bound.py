"""The Cramér–Rao bound by autograd. Each coal is a mistake with its diagnosis."""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

__all__ = ["COALS", "Blob", "cramer_rao"]

Blob: TypeAlias = Callable[[Tensor], Tensor]
"""From a place (2,) to the map (H, W) that would be seen without noise; differentiable."""


def _slopes(blob: Blob, place: Tensor) -> Tensor:
    """Return ∂h/∂(x, y) of every cell, (H·W 2)."""
    slopes: Tensor = torch.func.jacrev(blob)(place)
    return slopes.flatten(0, -2)


def _information(blob: Blob, place: Tensor, noise: float) -> Tensor:
    slopes = _slopes(blob, place)
    return slopes.mT @ slopes / noise**2


def cramer_rao(blob: Blob, place: Tensor, noise: float) -> Tensor:
    """Return the least standard deviation of x and of y that an unbiased decoder can have."""
    return torch.linalg.inv(_information(blob, place, noise)).diagonal().sqrt()


def other_axis_known(blob: Blob, place: Tensor, noise: float) -> Tensor:
    """These are the roots of 1/J_xx and 1/J_yy: the bound for x if somebody told you y. You know neither.

    On a round blob both are the same; the blobs here lie aslant. Invert the whole 2×2 matrix first, then take its
    diagonal.
    """
    return _information(blob, place, noise).diagonal().rsqrt()


def variance(blob: Blob, place: Tensor, noise: float) -> Tensor:
    """This is the bound on the *variance*, in square cells; a standard deviation was asked for.

    It should double when the noise doubles, and this one grows fourfold. Take the root at the end.
    """
    return cramer_rao(blob, place, noise) ** 2


def noise_unsquared(blob: Blob, place: Tensor, noise: float) -> Tensor:
    """The bound grows like the root of the noise: the information was divided by n, where n² belongs.

    n is a standard deviation, and Gaussian noise enters the likelihood through its variance. Square it.
    """
    return torch.linalg.inv(_information(blob, place, noise) * noise).diagonal().sqrt()


def noise_ignored(blob: Blob, place: Tensor, noise: float) -> Tensor:
    """This is the bound for n = 1, whatever the noise: it was given and is not used.

    The information is divided by n², so the bound is proportional to n.
    """
    return cramer_rao(blob, place, 1.0)


def noise_multiplies(blob: Blob, place: Tensor, noise: float) -> Tensor:
    """The bound falls when the noise grows: the information was multiplied by n², or the bound divided by n.

    Noise takes information away: divide the slopes' products by n².
    """
    return cramer_rao(blob, place, 1.0) / noise


def mean_over_cells(blob: Blob, place: Tensor, noise: float) -> Tensor:
    """The information was averaged over the cells where it is to be added up, so the bound is too large by √(H·W).

    Every cell is a measurement of its own, and independent measurements add their information. Look for a `mean`.
    """
    return cramer_rao(blob, place, noise) * len(_slopes(blob, place)) ** 0.5


def not_inverted(blob: Blob, place: Tensor, noise: float) -> Tensor:
    """This is the root of the information itself: it falls where the bound should grow, with more noise.

    Much information means a small error. Invert the matrix before you take the diagonal and the root.
    """
    return _information(blob, place, noise).diagonal().sqrt()


COALS = [
    other_axis_known,
    variance,
    noise_unsquared,
    noise_ignored,
    noise_multiplies,
    mean_over_cells,
    not_inverted,
]
