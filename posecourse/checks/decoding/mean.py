"""The mean place of a map's softmax. Each coal is a mistake with its diagnosis."""

import torch
from torch import Tensor

from posecourse import decode, heatmaps

__all__ = ["COALS", "soft_argmax"]


def soft_argmax(heatmaps: Tensor, temperature: float) -> Tensor:
    """Return the mean place (x, y) of exp(h / T), normalised over the whole map."""
    return _mean_of(heatmaps, temperature)


def _mean_of(maps: Tensor, temperature: float) -> Tensor:
    return decode.soft_argmax(heatmaps.spatial_softmax(maps, temperature)).points


def _weighted(weights: Tensor) -> Tensor:
    """Return Σ w·(column, row), whatever the weights add up to."""
    H, W = weights.shape[-2:]
    columns, rows = torch.arange(W, dtype=weights.dtype), torch.arange(H, dtype=weights.dtype)
    return torch.stack([(weights.sum(-2) * columns).sum(-1), (weights.sum(-1) * rows).sum(-1)], dim=-1)


def each_row_alone(heatmaps: Tensor, temperature: float) -> Tensor:
    """The softmax was taken along the last axis only, so every *row* adds up to 1 and the map to its number of rows.

    The distribution is over all cells of a map. Flatten the last two axes, take the softmax, and unflatten.
    """
    return _weighted((heatmaps / temperature).softmax(-1))


def each_column_alone(heatmaps: Tensor, temperature: float) -> Tensor:
    """The softmax was taken along the rows' axis only, so every *column* adds up to 1 and the map to their number.

    The distribution is over all cells of a map. Flatten the last two axes, take the softmax, and unflatten.
    """
    return _weighted((heatmaps / temperature).softmax(-2))


def not_normalised(heatmaps: Tensor, temperature: float) -> Tensor:
    """The weights are exp(h / T), but they do not add up to 1: the division by their sum is missing.

    A mean of places is Σ w·x divided by Σ w. Without it the answer grows with the size of the map and leaves it.
    """
    return _weighted((heatmaps / temperature).exp())


def temperature_multiplies(heatmaps: Tensor, temperature: float) -> Tensor:
    """This is right for another temperature, 1/T: the maps were multiplied by T where they are to be divided.

    A small temperature makes the weights sharp. With T = 1 nobody would notice. Look for `*` in place of `/`.
    """
    return _mean_of(heatmaps, 1 / temperature)


def temperature_ignored(heatmaps: Tensor, temperature: float) -> Tensor:
    """This is the answer for T = 1, whatever the temperature: it was given and is not used.

    Divide the maps by the temperature before the softmax.
    """
    return _mean_of(heatmaps, 1.0)


def whole_batch(heatmaps: Tensor, temperature: float) -> Tensor:
    """One softmax was taken over all maps together, so each map has only a share of the weight.

    Every map is a distribution of its own. Flatten the last two axes only, `flatten(-2)`, and take the softmax along
    the last one.
    """
    return _weighted((heatmaps / temperature).flatten().softmax(0).view_as(heatmaps))


def each_axis_by_itself(heatmaps: Tensor, temperature: float) -> Tensor:
    """Each row gave an x of its own and each column a y, and you took the means: empty rows have as much say as full.

    A row without a blob has weights that add up to 1 too. One softmax over all cells lets such rows weigh nothing.
    """
    H, W = heatmaps.shape[-2:]
    columns, rows = torch.arange(W, dtype=heatmaps.dtype), torch.arange(H, dtype=heatmaps.dtype)
    x = ((heatmaps / temperature).softmax(-1) @ columns).mean(-1)
    y = ((heatmaps / temperature).softmax(-2).mT @ rows).mean(-1)
    return torch.stack([x, y], dim=-1)


def half_a_cell_right(heatmaps: Tensor, temperature: float) -> Tensor:
    """Every point is half a cell too far right and too low: the places were counted from the map's edge.

    In our frame a cell's centre is at its whole number, 0 for the first, as `torch.arange(W)` counts. Drop the half.
    """
    return _mean_of(heatmaps, temperature) + 0.5


def without_exponential(heatmaps: Tensor, temperature: float) -> Tensor:
    """This is the centre of mass of the map itself, with its heights as weights; the exponential is missing.

    Heights of a network can be negative, and a background of noise pulls at the mean as hard as the blob. The weights
    asked for are exp(h / T), divided by their sum.
    """
    return _weighted(heatmaps / heatmaps.sum((-2, -1), keepdim=True))


def row_before_column(heatmaps: Tensor, temperature: float) -> Tensor:
    """The mean is right, but written as (row, column), and a point is (x, y) = (column, row).

    x is the mean *column*: weights times column numbers. Look for the line that stacks the two.
    """
    return _mean_of(heatmaps, temperature).flip(-1)


def counted_from_one(heatmaps: Tensor, temperature: float) -> Tensor:
    """Every point is one cell too far right and too low: rows and columns were counted from 1.

    The first cell's centre is at 0, as `torch.arange(W)` counts. Look for `arange(1, W + 1)` or an added 1.
    """
    return _mean_of(heatmaps, temperature) + 1


COALS = [
    each_row_alone,
    each_column_alone,
    not_normalised,
    temperature_multiplies,
    temperature_ignored,
    without_exponential,
    row_before_column,
    counted_from_one,
    whole_batch,
    each_axis_by_itself,
    half_a_cell_right,
]
