"""Where a map is highest: the cells that none of their neighbours overtops, each plateau once."""

from math import prod

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

__all__ = ["highest_summits"]

# Below, maps (N H W) have a rim of −∞, so that every cell has neighbours, and a place is a cell's number in all of them
# together. −1 stands for no place: the last cell of the rim, as low as can be.
Rimmed = NDArray[np.floating]
Mask = NDArray[np.bool_]
Places = NDArray[np.int64]


def highest_summits(maps: Float[Tensor, "N H W"], limit: int, least: float) -> Places:
    """Return where the `limit` highest summits of each map are, highest first.

    A summit is a positive cell, at least as high as `least`, that none of its eight neighbours overtops; of a plateau
    of such cells it is the first, and there is none where the plateau touches something higher anywhere.

    First the earlier of two equal neighbours wins. That leaves every summit and a few cells too many: another one of a
    crooked plateau, one of a plateau that touches something higher farther on. These have an equal neighbour, so that
    only maps are read again, with more care, in which one of the highest has. In NumPy, which compares cells and lists
    them in a fraction of the time.

    Args:
        maps: finite values.
        limit: M.
        least: the lowest height that counts; 0 for all that are positive.

    Returns:
        Cells (N M), column + row · W, equally high ones in reading order; −1 where there is no further summit.
    """
    rim = functional.pad(maps, (1, 1, 1, 1), value=-torch.inf).cpu().numpy()
    area, width = prod(rim.shape[1:]), rim.shape[2]
    tops = _tops(rim, least)
    found = _highest(rim, tops, limit)
    there = found[found >= 0]
    tied = (rim.take(there) == rim.take(there + _steps(rim)[:, None])).any(0)
    if tied.any():
        again = np.unique(there[tied] // area)
        tops[again] = _firsts_of_plateaus(rim[again], tops[again], least)
        found = _highest(rim, tops, limit)
    row, column = np.divmod(found % area, width)
    return np.where(found < 0, -1, (row - 1) * maps.shape[2] + column - 1)


def _steps(rim: Rimmed) -> Places:
    """Return how far on the four neighbours are that come after a cell in reading order."""
    width = rim.shape[2]
    return np.array([1, width - 1, width, width + 1])


def _tops(rim: Rimmed, least: float, *, both: bool = False) -> Mask:
    """Return which cells no neighbour overtops; of two that are equal `both`, or the earlier one."""
    tops = rim >= least if least > 0 else rim > 0
    heights, top = rim.reshape(-1), tops.reshape(-1)
    for step in _steps(rim):
        wins = heights[:-step] >= heights[step:]
        top[:-step] &= wins
        top[step:] &= heights[step:] >= heights[:-step] if both else ~wins
    return tops


def _highest(rim: Rimmed, tops: Mask, limit: int) -> Places:
    """Return the places (N M) of the highest tops of each map, highest first, equal ones in reading order."""
    listed = _by_map(np.flatnonzero(tops), rim, limit)
    heights = rim.take(listed)
    if listed.shape[1] > limit:  # of noise: to sort all would take longer than the rest
        last = np.partition(heights, -limit, axis=1)[:, -limit, None]
        listed = _by_map(listed[(heights >= last) & (listed >= 0)], rim, limit)
        heights = rim.take(listed)
    order = np.argsort(-heights, axis=1, kind="stable")[:, :limit]
    return np.take_along_axis(listed, order, axis=1)


def _by_map(places: Places, rim: Rimmed, columns: int) -> Places:
    """Return ascending places in one row for each map, with −1 after the last, in so many columns or more."""
    counts = np.diff(np.searchsorted(places, np.arange(len(rim) + 1) * prod(rim.shape[1:])))
    listed = np.full((len(rim), max(columns, counts.max(initial=0))), -1)
    listed[np.arange(listed.shape[1]) < counts[:, None]] = places
    return listed


def _firsts_of_plateaus(rim: Rimmed, tops: Mask, least: float) -> Mask:
    """Return which of the tops that beat their earlier neighbours are a summit's first cell."""
    from scipy import ndimage

    level = _tops(rim, least, both=True)  # two of these that touch are equally high: a plateau
    plateaus, count = ndimage.label(level, structure=[np.zeros((3, 3)), np.ones((3, 3)), np.zeros((3, 3))])
    heights, top, plateau = rim.reshape(-1), level.reshape(-1), plateaus.reshape(-1)
    overtopped = np.zeros(count + 1, dtype=bool)
    for step in _steps(rim):
        slope = (heights[:-step] == heights[step:]) & (top[:-step] != top[step:])  # something higher lies beyond
        overtopped[plateau[:-step][slope]] = overtopped[plateau[step:][slope]] = True
    places = np.flatnonzero(tops)
    number, first = np.unique(plateau[places], return_index=True)
    firsts = np.zeros_like(tops)
    firsts.reshape(-1)[places[first[~overtopped[number]]]] = True
    return firsts
