"""Known mistakes on the way from points to heatmaps: exp(−((column − x)² + (row − y)²) / (2σ²)).

Each is a function that makes it; its docstring is what the student reads.

Lesson: 01.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from posecourse import heatmaps

__all__ = ["COALS"]


def keypoint_exchanged(keypoints: Tensor, size: Sequence[int], sigma: float) -> Tensor:
    """The blobs are right, but they stand at (y, x): what a keypoint says of columns went to the rows.

    A point is (x, y) = (column, row), and a map is indexed [row, column]. Look for the line where a coordinate meets a
    grid: x belongs to the columns, which run along the last axis.
    """
    return heatmaps.gaussian_heatmaps(keypoints.flip(-1), size, sigma)


def sigma_for_variance(keypoints: Tensor, size: Sequence[int], sigma: float) -> Tensor:
    """The blobs are right for another width, √σ: the exponent was divided by 2σ where 2σ² belongs.

    With σ = 1 nobody would notice; a library drew its blobs like this for three years because its tests had σ = 1.
    Look for a square that is missing.
    """
    return heatmaps.gaussian_heatmaps(keypoints, size, math.sqrt(sigma))


def two_missing(keypoints: Tensor, size: Sequence[int], sigma: float) -> Tensor:
    """The blobs are too narrow by a factor √2, which is what exp(−d² / σ²) gives.

    A Gaussian has 2σ² below the squared distance: one σ away from its peak it is e^(−½) high. Look for the 2.
    """
    return heatmaps.gaussian_heatmaps(keypoints, size, sigma / math.sqrt(2))


def sigma_in_pixels(keypoints: Tensor, size: Sequence[int], sigma: float) -> Tensor:
    """The blobs are four times too narrow, as if σ were in pixels of the image and a cell four pixels wide.

    Keypoints, size and σ are all in cells here, so nothing is left to convert. Look for a stride in your function.
    """
    return heatmaps.gaussian_heatmaps(keypoints, size, sigma / 4)


def sum_of_one(keypoints: Tensor, size: Sequence[int], sigma: float) -> Tensor:
    """Every map adds up to 1, and a blob of height 1 was asked for.

    That is a distribution, which lesson 03 needs. As a target its height would depend on σ, and on how much of the blob
    lies outside. Leave out the division by the sum.
    """
    maps = heatmaps.gaussian_heatmaps(keypoints, size, sigma)
    return maps / maps.sum((-2, -1), keepdim=True)


def density(keypoints: Tensor, size: Sequence[int], sigma: float) -> Tensor:
    """Every value is too small by the same factor 2πσ²: these are densities, and a height of 1 was asked for.

    The factor in front of a Gaussian makes its integral 1. A target needs a height that does not depend on σ: leave the
    factor out.
    """
    return heatmaps.gaussian_heatmaps(keypoints, size, sigma) / (2 * math.pi * sigma**2)


def size_exchanged(keypoints: Tensor, size: Sequence[int], sigma: float) -> Tensor:
    """The maps lie on their side: `size` was read as (width, height), and it is (H, W), rows first.

    On a square map nobody would notice. The answer's last two axes are rows, then columns, as `size` has them.
    """
    return heatmaps.gaussian_heatmaps(keypoints, tuple(size)[::-1], sigma)


def centre_rounded(keypoints: Tensor, size: Sequence[int], sigma: float) -> Tensor:
    """Every blob stands in the middle of a cell, though the keypoints lie between cells: they have been rounded.

    Much public code does this, and throws away up to half a cell before training has begun. Look for
    `round`, and let the Gaussian be centred where the keypoint is.
    """
    return heatmaps.gaussian_heatmaps(keypoints.round(), size, sigma)


def half_cell_off(keypoints: Tensor, size: Sequence[int], sigma: float) -> Tensor:
    """Every blob is half a cell up and to the left of its keypoint, as if cell 0 had its centre at ½.

    Centres are at integers in this course: column i is at x = i. The keypoints are in cells already, so look for a
    half that was added to the grid.
    """
    return heatmaps.gaussian_heatmaps(keypoints - 0.5, size, sigma)


def centre_floored(keypoints: Tensor, size: Sequence[int], sigma: float) -> Tensor:
    """Every blob stands in a cell's middle, at or before its keypoint: the keypoints have been rounded down.

    That throws away up to a whole cell before training has begun. Look for `floor` or `//`, and let the Gaussian be
    centred where the keypoint is, between cells.
    """
    return heatmaps.gaussian_heatmaps(keypoints.floor(), size, sigma)


def centre_cut(keypoints: Tensor, size: Sequence[int], sigma: float) -> Tensor:
    """Every blob stands in a cell's middle: what is behind the point of a keypoint's numbers was cut off.

    That throws away up to a whole cell before training has begun. Look for `long`, `int` or `trunc`, and let the
    Gaussian be centred where the keypoint is, between cells.
    """
    return heatmaps.gaussian_heatmaps(keypoints.trunc(), size, sigma)


def centre_of_integers(keypoints: Tensor, size: Sequence[int], sigma: float) -> Tensor:
    """The keypoints became integers: every blob stands in a cell's middle, and the maps have lost their precision.

    Look for `.long()`, `.int()` or `int`, which cut off what is behind the point. Leave the keypoints as they are, and
    the maps have the keypoints' own type too.
    """
    return heatmaps.gaussian_heatmaps(keypoints.trunc().float(), size, sigma)


def clamped_to_border(keypoints: Tensor, size: Sequence[int], sigma: float) -> Tensor:
    """A keypoint outside of the map was moved to its border, and then painted there.

    A blob whose middle is outside still reaches into the map, and its flank says where the keypoint is. At the border
    it would be a lie. Look for `clamp`, `min` or `max` of the keypoints, and leave it out.
    """
    H, W = size
    inside = [keypoints[..., 0].clamp(0, W - 1), keypoints[..., 1].clamp(0, H - 1)]
    return heatmaps.gaussian_heatmaps(torch.stack(inside, dim=-1), size, sigma)


def outside_left_empty(keypoints: Tensor, size: Sequence[int], sigma: float) -> Tensor:
    """The map of a keypoint outside is empty, where the flank of its blob belongs.

    A blob whose middle is a cell beyond the border still reaches into the map. The formula holds for every keypoint:
    look for a comparison with the size, and leave it out.
    """
    H, W = size
    x, y = keypoints.unbind(-1)
    inside = (x >= 0) & (x <= W - 1) & (y >= 0) & (y <= H - 1)
    return heatmaps.gaussian_heatmaps(keypoints, size, sigma) * inside[..., None, None]


def multiplied_by_variance(keypoints: Tensor, size: Sequence[int], sigma: float) -> Tensor:
    """The exponent is multiplied by σ², which is what `/ 2 * sigma**2` does: a wider σ makes narrower blobs.

    Python goes from left to right: it divides by 2, then multiplies. Put brackets around what is below the line:
    `/ (2 * sigma**2)`.
    """
    return heatmaps.gaussian_heatmaps(keypoints, size, 1 / sigma)


def minus_forgotten(keypoints: Tensor, size: Sequence[int], sigma: float) -> Tensor:
    """The maps grow with the distance from the keypoint: the minus of the exponent is missing.

    exp(0) = 1 is the height at the keypoint, and it has to be the largest. Put a minus before the squared distance.
    """
    return (_squared_distance(keypoints, size) / (2 * sigma**2)).exp()


def minus_for_x_alone(keypoints: Tensor, size: Sequence[int], sigma: float) -> Tensor:
    """The maps fall along x and grow along y: the minus of the exponent holds for the first square alone.

    `-a + b` is not `-(a + b)`. Put brackets around the sum of both squares.
    """
    dx, dy = _ways(keypoints, size)
    return ((dy**2 - dx**2) / (2 * sigma**2)).exp()


def exponential_forgotten(keypoints: Tensor, size: Sequence[int], sigma: float) -> Tensor:
    """These are the exponents, −d² / (2σ²), all of them at most 0; the exponential is missing.

    The exponent is 0 at the keypoint, and exp(0) = 1 is the height that was asked for. Put `torch.exp` around it.
    """
    return -_squared_distance(keypoints, size) / (2 * sigma**2)


def distance_not_squared(keypoints: Tensor, size: Sequence[int], sigma: float) -> Tensor:
    """The blobs have a tip and long tails: the exponent has the distance in it where its square belongs.

    Look for `sqrt`, `norm` or `cdist`: the sum of both squares *is* the squared distance, so no root is needed.
    """
    return (-_squared_distance(keypoints, size).sqrt() / (2 * sigma**2)).exp()


def half_cell_further(keypoints: Tensor, size: Sequence[int], sigma: float) -> Tensor:
    """Every blob is half a cell down and to the right of its keypoint.

    Centres are at integers in this course: column i is at x = i. The keypoints are in cells already, so look for a
    half that was added to the keypoints, or taken from the grid.
    """
    return heatmaps.gaussian_heatmaps(keypoints + 0.5, size, sigma)


def last_cells_empty(keypoints: Tensor, size: Sequence[int], sigma: float) -> Tensor:
    """The last row and the last column are empty: the loops end one cell too early.

    `range(H)` ends with H − 1 already, so there are H rows in it. Look for a `- 1`.
    """
    maps = heatmaps.gaussian_heatmaps(keypoints, size, sigma).clone()
    maps[..., -1, :] = 0
    maps[..., -1] = 0
    return maps


def _ways(keypoints: Tensor, size: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return the way along x and along y from each keypoint to each cell, (*B K 1 W) and (*B K H 1)."""
    rows, columns = (torch.arange(count).to(keypoints) for count in size)
    return columns - keypoints[..., 0, None, None], rows[:, None] - keypoints[..., 1, None, None]


def _squared_distance(keypoints: Tensor, size: Sequence[int]) -> Tensor:
    dx, dy = _ways(keypoints, size)
    return dx**2 + dy**2


COALS = (
    keypoint_exchanged,
    sigma_for_variance,
    two_missing,
    sigma_in_pixels,
    sum_of_one,
    density,
    size_exchanged,
    centre_rounded,
    half_cell_off,
    centre_floored,
    centre_cut,
    centre_of_integers,
    clamped_to_border,
    outside_left_empty,
    multiplied_by_variance,
    minus_forgotten,
    minus_for_x_alone,
    exponential_forgotten,
    distance_not_squared,
    half_cell_further,
    last_cells_empty,
)
