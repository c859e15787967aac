"""One Newton step on the logarithm of nine cells: DARK. Each coal is a mistake with its diagnosis."""

import torch
from torch import Tensor

__all__ = ["COALS", "dark"]

_LEAST = 1e-6


def _logarithm(patches: Tensor) -> Tensor:
    return patches.clamp(min=_LEAST).log()


def _slopes(L: Tensor) -> tuple[Tensor, Tensor]:
    return (L[..., 1, 2] - L[..., 1, 0]) / 2, (L[..., 2, 1] - L[..., 0, 1]) / 2


def _curvatures(L: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    xx = L[..., 1, 2] - 2 * L[..., 1, 1] + L[..., 1, 0]
    yy = L[..., 2, 1] - 2 * L[..., 1, 1] + L[..., 0, 1]
    xy = (L[..., 2, 2] - L[..., 2, 0] - L[..., 0, 2] + L[..., 0, 0]) / 4
    return xx, yy, xy


def _step(slopes: tuple[Tensor, Tensor], curvatures: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Return −H⁻¹·g."""
    (gx, gy), (xx, yy, xy) = slopes, curvatures
    return torch.stack([xy * gy - yy * gx, xy * gx - xx * gy], dim=-1) / (xx * yy - xy**2)[..., None]


def dark(patches: Tensor) -> Tensor:
    """Return the way (x, y) from the middle cell to the summit of the logarithm, in cells."""
    L = _logarithm(patches)
    return _step(_slopes(L), _curvatures(L))


def wrong_sign(patches: Tensor) -> Tensor:
    """The step has the right length and goes exactly the wrong way: this is +H⁻¹g, and Newton's step is −H⁻¹g.

    At a summit the curvature is negative, so the minus makes the step go uphill. Look for the sign in front of the
    solution, or for a slope taken as left less right.
    """
    return -dark(patches)


def curvatures_exchanged(patches: Tensor) -> Tensor:
    """The slopes are right, but the two curvatures have changed places: xx stands where yy belongs.

    On a round blob both are equal and nobody would notice; the blobs here are long and aslant. H is
    [[xx, xy], [xy, yy]], and its inverse has yy in the upper left corner: look at which of the two you put there.
    """
    L = _logarithm(patches)
    xx, yy, xy = _curvatures(L)
    return _step(_slopes(L), (yy, xx, xy))


def no_mixed_term(patches: Tensor) -> Tensor:
    """This is a step in x and a step in y by themselves, −g/curvature each: the mixed derivative xy is missing.

    On a blob that lies aslant the two axes are not independent. The four corners of the patch hold xy:
    (lower right − lower left − upper right + upper left) / 4.
    """
    L = _logarithm(patches)
    xx, yy, xy = _curvatures(L)
    return _step(_slopes(L), (xx, yy, torch.zeros_like(xy)))


def mixed_undivided(patches: Tensor) -> Tensor:
    """The mixed derivative is four times too large: the sum of the corners was not divided by 4.

    Each of the two central differences spans two cells, so their product spans four. On a blob that is not aslant xy is
    zero and nobody would notice.
    """
    L = _logarithm(patches)
    xx, yy, xy = _curvatures(L)
    return _step(_slopes(L), (xx, yy, 4 * xy))


def slope_undivided(patches: Tensor) -> Tensor:
    """Every step is twice as long as it should be: the slope is right less left, and was not divided by 2.

    Left and right neighbour are two cells apart, so the slope *per cell* is half of their difference.
    """
    return 2 * dark(patches)


def without_logarithm(patches: Tensor) -> Tensor:
    """This is Newton's step on the heights themselves; the logarithm is missing.

    A Gaussian is no parabola, but its logarithm is exactly one: that is what makes a single step land on the summit.
    """
    return _step(_slopes(patches), _curvatures(patches))


def logarithm_of_zero(patches: Tensor) -> Tensor:
    """Right wherever all nine cells are positive; where one is zero or below, the answer is NaN or infinite.

    log 0 is −∞, and −∞ less −∞ is NaN. Maps of a trained network hold zeros and worse. Clamp the patch to at least
    1e-6 before you take the logarithm.
    """
    L = patches.log()
    return _step(_slopes(L), _curvatures(L))


def below_zero(patches: Tensor) -> Tensor:
    """Right for heights down to 0; where one is below, the answer is NaN, since it has no logarithm.

    A millionth that is *added*, or a logarithm that is clamped afterwards, mends the zeros only. The maps of a trained
    network dip below zero: clamp the patch to at least 1e-6 before you take the logarithm.
    """
    L = (patches + _LEAST).log()
    return _step(_slopes(L), _curvatures(L))


def another_floor(patches: Tensor) -> Tensor:
    """Right wherever all heights are above 1e-6; an empty cell counts as 1e-10 here, and 1e-6 was asked for.

    Where a cell is empty its logarithm is made up, and the step depends on what you make of it. Public code has 1e-10.
    """
    L = patches.clamp(min=1e-10).log()
    return _step(_slopes(L), _curvatures(L))


def mixed_sign(patches: Tensor) -> Tensor:
    """The mixed derivative has the wrong sign: the blob leans the other way for it than it does in the patch.

    Falling from the upper left to the lower right, or −xy left out of the inverse, both look like this. xy is
    (lower right − lower left − upper right + upper left) / 4, and the inverse of H has −xy in its corners.
    """
    L = _logarithm(patches)
    xx, yy, xy = _curvatures(L)
    return _step(_slopes(L), (xx, yy, -xy))


def not_inverted(patches: Tensor) -> Tensor:
    """This is −H·g: the slope was multiplied by the curvature where it is to be divided by it.

    A flat summit is far away for the same slope, a sharp one is near. Solve H·step = −g instead.
    """
    L = _logarithm(patches)
    (gx, gy), (xx, yy, xy) = _slopes(L), _curvatures(L)
    return -torch.stack([xx * gx + xy * gy, xy * gx + yy * gy], dim=-1)


def row_before_column(patches: Tensor) -> Tensor:
    """The step is right, but written as (row, column), where (x, y) was asked for.

    Look for the line that stacks the two numbers, or for x differences that were taken along the rows' axis.
    """
    return dark(patches).flip(-1)


COALS = [
    wrong_sign,
    curvatures_exchanged,
    no_mixed_term,
    mixed_undivided,
    slope_undivided,
    without_logarithm,
    logarithm_of_zero,
    below_zero,
    another_floor,
    mixed_sign,
    not_inverted,
    row_before_column,
]
