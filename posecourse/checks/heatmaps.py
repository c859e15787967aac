"""Heatmaps: painting a keypoint into a grid, and reading it out again.

Each coal is a mistake; its docstring is what the student reads.

Lesson: 01.
"""

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from posecourse import decode, heatmaps
from posecourse.lesson import Exercise

__all__ = ["argmax_2d", "gaussian_heatmaps", "surest_vote"]


def keypoints_sizes_and_sigmas(generator: torch.Generator) -> Iterator[tuple[Tensor, tuple[int, int], float]]:
    """Yield keypoints between cells, near the border too, for maps that are not square and σ that is not 1."""
    for shape, size, sigma, dtype in (
        ((3, 2), (7, 11), 1.6, torch.float64),
        ((2, 3, 2), (9, 6), 2.3, torch.float32),
        ((1, 2), (5, 8), 0.7, torch.float64),
        ((2, 2, 3, 2), (6, 13), 1.3, torch.float32),
    ):
        H, W = size
        unit = torch.rand(shape, generator=generator, dtype=dtype)
        yield unit * unit.new_tensor([W - 1, H - 1]) + 0.013, size, sigma


# From points to heatmaps: exp(−((column − x)² + (row − y)²) / (2σ²)).


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

    That is a distribution, which lesson 03 needs. As a target its height would hang on σ, and on how much of the blob
    lies outside. Leave out the division by the sum.
    """
    maps = heatmaps.gaussian_heatmaps(keypoints, size, sigma)
    return maps / maps.sum((-2, -1), keepdim=True)


def density(keypoints: Tensor, size: Sequence[int], sigma: float) -> Tensor:
    """Every value is too small by the same factor 2πσ²: these are densities, and a height of 1 was asked for.

    The factor in front of a Gaussian makes its integral 1. A target needs a height that does not hang on σ: leave the
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

    Much public code does this, and throws away up to half a cell before training has begun. Look for `round`, `long`
    or `int`, and let the Gaussian be centred where the keypoint is.
    """
    return heatmaps.gaussian_heatmaps(keypoints.round(), size, sigma)


def half_cell_off(keypoints: Tensor, size: Sequence[int], sigma: float) -> Tensor:
    """Every blob is half a cell up and to the left of its keypoint, as if cell 0 had its centre at ½.

    Centres are at integers in this course: column i is at x = i. The keypoints are in cells already, so look for a
    half that was added to the grid.
    """
    return heatmaps.gaussian_heatmaps(keypoints - 0.5, size, sigma)


# From heatmaps to points: the largest cell.


def maps_with_one_blob(generator: torch.Generator) -> Iterator[tuple[Tensor]]:
    """Yield noisy maps of blobs, never square, of which no two cells are equal."""
    for shape, size, dtype in (
        ((1,), (5, 8), torch.float64),
        ((3,), (9, 6), torch.float32),
        ((2, 3), (6, 11), torch.float64),
        ((2, 2, 3), (8, 5), torch.float32),
    ):
        H, W = size
        places = torch.rand(*shape, 2, generator=generator, dtype=dtype) * torch.tensor([W - 1, H - 1], dtype=dtype)
        noise = torch.rand(*shape, H, W, generator=generator, dtype=dtype)
        yield (heatmaps.gaussian_heatmaps(places, size, 1.3) + 0.3 * noise,)


def _largest(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return the largest values and where they are, counted along the flattened map."""
    scores, index = maps.flatten(-2).max(-1)
    return scores, index


def row_before_column(maps: Tensor) -> tuple[Tensor, Tensor]:
    """The right cells, written as (row, column) where a point is (x, y) = (column, row).

    The commonest bug in this field: with it a standing person lies down. Look for the line that puts the two numbers
    together, or for `unravel_index`, which gives the row first.
    """
    points, scores = decode.argmax_2d(maps)
    return points.flip(-1), scores


def divided_by_height(maps: Tensor) -> tuple[Tensor, Tensor]:
    """The index was taken apart with the number of rows: index % H and index // H.

    A row of the map has W cells, so W of them are passed before the next row begins. On a square map nobody would
    notice, which is why this one lives long. Divide by the number of columns.
    """
    scores, index = _largest(maps)
    H = maps.shape[-2]
    return torch.stack([index % H, index // H], dim=-1).to(maps.dtype), scores


def one_for_the_batch(maps: Tensor) -> tuple[Tensor, Tensor]:
    """All maps of a batch have one and the same answer: that of the map that holds the largest value of them all.

    `argmax()` without an axis looks through the whole tensor. Flatten the last two axes only, and look along what
    they become.
    """
    index = maps.argmax() % (maps.shape[-2] * maps.shape[-1])
    W = maps.shape[-1]
    point = torch.stack([index % W, index // W]).to(maps.dtype)
    return point.expand(*maps.shape[:-2], 2).clone(), maps.max().expand(maps.shape[:-2]).clone()


def whole_number_type(maps: Tensor) -> tuple[Tensor, Tensor]:
    """The right cells, but as integers: a point is a floating-point tensor, of the maps' own type.

    What comes next divides, subtracts and takes means, and integers would round on the way or refuse. Look for a
    `.to(…)` or `.float()` that is missing at the end.
    """
    points, scores = decode.argmax_2d(maps)
    return points.long(), scores


def half_cell_added(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Every point is half a cell too far right and too far down.

    A cell's centre is at an integer in this course, so the cell in column 3 is at x = 3. The half belongs to the way
    from cells to pixels, and `coords.cells_to_pixels` has it already.
    """
    points, scores = decode.argmax_2d(maps)
    return points + 0.5, scores


def largest_sums(maps: Tensor) -> tuple[Tensor, Tensor]:
    """These are the column with the largest sum and the row with the largest sum, which need not meet at the peak.

    Sums hear every cell of the background. Look for the largest *cell*: flatten each map and take one argmax, or take
    maxima along rows and columns in the place of sums.
    """
    points = torch.stack([maps.sum(-2).argmax(-1), maps.sum(-1).argmax(-1)], dim=-1)
    return points.to(maps.dtype), maps.amax((-2, -1))


# Offset per cell: the surest cell's vote.


def confidences_and_offsets(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield what an offset head says, on grids that are not square."""
    for (maps,) in maps_with_one_blob(generator):
        yield maps, torch.randn(*maps.shape[:-2], 2, *maps.shape[-2:], generator=generator, dtype=maps.dtype)


def _of_surest(confidences: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
    """Return the surest cells (column, row) and their offsets, (*B K 2) both."""
    index = confidences.flatten(-2).argmax(-1)[..., None, None].expand(*offsets.shape[:-2], 1)
    return decode.argmax_2d(confidences).points, offsets.flatten(-2).gather(-1, index).squeeze(-1)


class _Ours:
    """References that exist for the lesson only."""

    @staticmethod
    def surest_vote(confidences: Tensor, offsets: Tensor) -> Tensor:
        """Return the place of the surest cell plus that cell's offset."""
        cell, offset = _of_surest(confidences, offsets)
        return cell + offset


def offset_alone(confidences: Tensor, offsets: Tensor) -> Tensor:
    """These are the offsets of the surest cells; the places of the cells are missing.

    An offset is a way, and a way needs a place to start from: here the cell that gave it. Add the cell's own
    (column, row).
    """
    return _of_surest(confidences, offsets)[1]


def wrong_way(confidences: Tensor, offsets: Tensor) -> Tensor:
    """The offset was taken away from the cell's place where it is to be added.

    An offset says how to get *from* the cell *to* the keypoint: place + offset. Look for the minus sign.
    """
    cell, offset = _of_surest(confidences, offsets)
    return cell - offset


def offset_exchanged(confidences: Tensor, offsets: Tensor) -> Tensor:
    """The right cell and the right offset, but the offset's y was added to x, and its x to y.

    Channel 0 of the offsets is x and channel 1 is y, as in a point. Look for a flip, or for a place given as
    (row, column).
    """
    cell, offset = _of_surest(confidences, offsets)
    return cell + offset.flip(-1)


def everybody_votes(confidences: Tensor, offsets: Tensor) -> Tensor:
    """This is the mean of all cells' votes, and the vote of the surest cell was asked for.

    The mean would listen to cells that have no idea, and with two likely places it would stand between them: the
    trouble that this lesson is about. Take one cell's vote.
    """
    H, W = confidences.shape[-2:]
    rows, columns = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
    return (offsets + torch.stack([columns, rows])).mean((-2, -1))


def one_cell_for_all(confidences: Tensor, offsets: Tensor) -> Tensor:
    """Every keypoint was read at one and the same cell: the surest one of the whole batch.

    Each map of each image has a surest cell of its own. Flatten the last two axes only before you take the argmax.
    """
    W = confidences.shape[-1]
    index = int(confidences.argmax()) % (confidences.shape[-2] * W)
    return offsets[..., index // W, index % W] + offsets.new_tensor([index % W, index // W])


gaussian_heatmaps = Exercise(
    reference=heatmaps.gaussian_heatmaps,
    probe=keypoints_sizes_and_sigmas,
    coals=[
        keypoint_exchanged,
        sigma_for_variance,
        two_missing,
        sigma_in_pixels,
        sum_of_one,
        density,
        size_exchanged,
        centre_rounded,
        half_cell_off,
    ],
)

argmax_2d = Exercise(
    reference=decode.argmax_2d,
    probe=maps_with_one_blob,
    coals=[
        row_before_column,
        divided_by_height,
        one_for_the_batch,
        whole_number_type,
        half_cell_added,
        largest_sums,
    ],
)

surest_vote = Exercise(
    reference=_Ours.surest_vote,
    probe=confidences_and_offsets,
    coals=[offset_alone, wrong_way, offset_exchanged, everybody_votes, one_cell_for_all],
)
