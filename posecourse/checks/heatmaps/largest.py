"""Known mistakes on the way from heatmaps to points: the largest cell.

Each is a function that makes it; its docstring is what the student reads.

Lesson: 01.
"""

import torch
from torch import Tensor

from posecourse.decode import Peaks

__all__ = ["COALS", "largest_cell"]


def _largest(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return the largest values and where they are, counted along the flattened map."""
    scores, index = maps.flatten(-2).max(-1)
    return scores, index


def largest_cell(maps: Tensor) -> Peaks:
    """Return the right answer; unlike `decode.argmax_2d` it knows no unreadable map."""
    scores, index = _largest(maps)
    W = maps.shape[-1]
    return Peaks(torch.stack([index % W, index // W], dim=-1).to(maps.dtype), scores)


def row_before_column(maps: Tensor) -> tuple[Tensor, Tensor]:
    """The right cells, written as (row, column) where a point is (x, y) = (column, row).

    The commonest bug in this field: with it a standing person lies down. Look for the line that puts the two numbers
    together, or for `unravel_index`, which gives the row first.
    """
    points, scores = largest_cell(maps)
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
    `.to(maps.dtype)` that is missing at the end.
    """
    points, scores = largest_cell(maps)
    return points.long(), scores


def half_cell_added(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Every point is half a cell too far right and too far down.

    A cell's centre is at an integer in this course, so the cell in column 3 is at x = 3. The half belongs to the way
    from cells to pixels, and `coords.cells_to_pixels` has it already.
    """
    points, scores = largest_cell(maps)
    return points + 0.5, scores


def largest_sums(maps: Tensor) -> tuple[Tensor, Tensor]:
    """These are the column with the largest sum and the row with the largest sum, which need not meet at the peak.

    Sums hear every cell of the background. Look for the largest *cell*: flatten each map and take one argmax, or take
    maxima along rows and columns in the place of sums.
    """
    points = torch.stack([maps.sum(-2).argmax(-1), maps.sum(-1).argmax(-1)], dim=-1)
    return points.to(maps.dtype), maps.amax((-2, -1))


def height_and_exchanged(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Two mistakes at once: the index was taken apart with the number of rows, and (row, column) stands for (x, y).

    A row of the map has W cells, so the row is index // W and the column index % W. A point is (x, y) = (column, row).
    """
    scores, index = _largest(maps)
    H = maps.shape[-2]
    return torch.stack([index // H, index % H], dim=-1).to(maps.dtype), scores


def divided_to_a_fraction(maps: Tensor) -> tuple[Tensor, Tensor]:
    """The columns are right, and the rows are not whole: index / W has a fraction, which is the column's.

    How many *whole* rows have passed is integer division: `index // W`.
    """
    scores, index = _largest(maps)
    W = maps.shape[-1]
    return torch.stack([index % W, index / W], dim=-1).to(maps.dtype), scores


def points_alone(maps: Tensor) -> Tensor:
    """These are the points, and they are right; the scores are missing.

    Two things were asked for, the points and the values found there: `return points, scores`.
    """
    return largest_cell(maps).points


def scores_before_points(maps: Tensor) -> tuple[Tensor, Tensor]:
    """The scores and the points are right, and stand in the wrong order.

    Whoever unpacks the answer would take one for the other. The docstring names the points first:
    `return points, scores`.
    """
    points, scores = largest_cell(maps)
    return scores, points


def one_answer_only(maps: Tensor) -> tuple[Tensor, Tensor]:
    """There is one point for all the maps together, and one for each was asked for.

    `argmax()` and `max()` without an axis look through the whole tensor. Flatten the last two axes only, with
    `flatten(-2)`, and look along what they become, with `max(-1)`.
    """
    index, W = maps.argmax() % (maps.shape[-2] * maps.shape[-1]), maps.shape[-1]
    return torch.stack([index % W, index // W]).to(maps.dtype), maps.max()


def largest_magnitude(maps: Tensor) -> tuple[Tensor, Tensor]:
    """These are the cells of the largest *magnitude*: a deep hole counts as a peak.

    A network may answer below zero, and that says "certainly not here". Look for `abs` or a square.
    """
    return largest_cell(maps.abs())


def started_at_zero(maps: Tensor) -> tuple[Tensor, Tensor]:
    """A map that is below zero everywhere has no largest cell here: the search began with 0 as the best so far.

    Nothing in such a map beats 0, so the answer stays where it began. Begin with the first cell or with minus
    infinity, or let `max` search.
    """
    points, scores = largest_cell(maps)
    found = scores > 0
    return points * found[..., None], scores * found


COALS = (
    row_before_column,
    divided_by_height,
    one_for_the_batch,
    whole_number_type,
    half_cell_added,
    largest_sums,
    height_and_exchanged,
    divided_to_a_fraction,
    points_alone,
    scores_before_points,
    one_answer_only,
    largest_magnitude,
    started_at_zero,
)
