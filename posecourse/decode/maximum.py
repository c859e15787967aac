"""Reading the largest cells: argmax, the quarter offset, and all local maxima."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from posecourse.decode.peaks import Peaks, finish, highest_cell, readable, working
from posecourse.shapes import require_count, require_maps

__all__ = ["argmax_2d", "nms_peaks", "quarter_offset"]


def argmax_2d(heatmaps: Float[Tensor, "*B K H W"]) -> Peaks:
    """Return the cell with the largest value.

    x, y = argmax h

    The answer is a whole number of cells: on blobs at any place its error is uniform, RMS 1/√12 cell an axis.

    Args:
        heatmaps: any values.

    Returns:
        Points (x, y) in cells and scores, the largest values. Ties and unreadable maps as for every decoder.

    Raises:
        ValueError: `heatmaps` is not (..., K, H, W).

    Lesson: 01, exercise `argmax_2d`.
    """
    require_maps(heatmaps)
    wide = torch.promote_types(heatmaps.dtype, torch.float32)
    return finish(heatmaps, highest_cell(heatmaps).to(wide), readable(heatmaps))


def quarter_offset(heatmaps: Float[Tensor, "*B K H W"]) -> Peaks:
    """Return the largest cell, moved by a quarter of a cell towards the higher of its two neighbours, in x and in y.

    x = i + ¼·sign(h[i + 1] − h[i − 1])

    On a symmetric, unrounded blob it leaves RMS 1/(4√3) cell an axis, half of what argmax leaves. Equal neighbours,
    as on a target whose centre was rounded, and a cell at the border, which lacks a neighbour, move nothing.

    Args:
        heatmaps: any values.

    Returns:
        Points (x, y) in cells and scores, the largest values.

    Raises:
        ValueError: `heatmaps` is not (..., K, H, W).

    Source: Newell et al. 2016 (Hourglass).
    Lesson: 02, exercise `quarter_offset`.
    """
    maps, good = working(heatmaps)
    H, W = maps.shape[-2:]
    cell = highest_cell(maps)
    x, y = cell.unbind(-1)
    flat = maps.detach().flatten(-2)
    steps = []
    for place, length, jump in ((x, W, 1), (y, H, W)):
        index = (y * W + x)[..., None] + torch.tensor([-jump, jump], device=maps.device)
        before, after = flat.gather(-1, index.clamp(0, H * W - 1)).unbind(-1)
        inside = (place > 0) & (place < length - 1)
        steps.append(torch.where(inside, (after - before).sign() / 4, 0))
    return finish(heatmaps, cell + torch.stack(steps, dim=-1), good)


def nms_peaks(heatmaps: Float[Tensor, "*B K H W"], limit: int) -> Peaks:
    """Return the `limit` highest local maxima of each map, highest first: one a person, it is hoped.

    A cell is a local maximum where it is positive and none of its eight neighbours is higher. Equal cells that touch
    are one plateau and one candidate: its first cell in reading order, and none at all where the plateau touches
    something higher anywhere. Saturated maps and half precision have such plateaus, of any size and shape.

    Args:
        heatmaps: any values; only positive ones can be peaks.
        limit: M, how many places to return, whatever there is.

    Returns:
        Points (*B K M 2), whole cells, and scores (*B K M), equal ones in reading order. A place that is not taken
        has score 0 and lies at the map's centre.

    Raises:
        ValueError: `heatmaps` is not (..., K, H, W), or `limit` is not a positive whole number.

    Source: Newell et al. 2017 (associative embedding); their max-pooling keeps every cell of a plateau.
    Lesson: 05, exercise `nms_peaks`.
    """
    require_count(limit, "limit")
    maps, _ = working(heatmaps)
    H, W = maps.shape[-2:]
    heights = torch.where(_summits(maps.detach()), maps, 0).flatten(-2)
    index = _highest(heights.detach(), min(limit, H * W))
    scores = functional.pad(heights.gather(-1, index), (0, max(0, limit - H * W)))
    index = functional.pad(index, (0, max(0, limit - H * W)))
    cells = torch.stack([index % W, index // W], dim=-1).to(maps.dtype)
    centre = maps.new_tensor([(W - 1) / 2, (H - 1) / 2])
    return Peaks(torch.where(scores[..., None] > 0, cells, centre), scores.to(heatmaps.dtype))


def _summits(maps: Float[Tensor, "*B H W"]) -> Bool[Tensor, "*B H W"]:
    """Return the first cell in reading order of each positive plateau, one cell wide or more, that nothing overtops."""
    summits = (maps > 0) & (maps >= _highest_around(maps))
    # Of two neighbours that nothing overtops neither is higher: what touches here is equal.
    touching = summits & (_highest_around(maps.masked_fill(~summits, -torch.inf)) == maps)
    rim = maps.masked_fill(summits, -torch.inf)
    spoilt = summits & (_highest_around(rim) == maps)
    wide = (touching | spoilt).flatten(-2).any(-1)
    if bool(wide.any()):  # a few maps as a rule
        summits = summits.index_put((wide,), _first_of_plateaus(summits[wide], spoilt[wide]))
    return summits


def _first_of_plateaus(plateaus: Bool[Tensor, "M H W"], spoilt: Bool[Tensor, "M H W"]) -> Bool[Tensor, "M H W"]:
    """Return the first cell in reading order of each connected plateau that has no spoilt cell.

    Each cell takes the highest number around it, and what the cell of that number has taken, until nothing changes:
    all then have the number of the plateau's first cell, or the spoilt ones', which is the highest of all.
    """
    H, W = plateaus.shape[-2:]
    numbers = torch.arange(H * W, 0, -1, device=plateaus.device).view(H, W)
    reached = torch.where(plateaus, numbers, 0).masked_fill(spoilt, H * W + 1)
    while True:
        wider = torch.where(plateaus, torch.maximum(reached, _highest_around(reached)), 0).flatten(-2)
        wider = torch.maximum(wider, wider.gather(-1, (H * W - wider).clamp(0, H * W - 1))).unflatten(-1, (H, W))
        wider = torch.where(plateaus, wider, 0)
        if wider.equal(reached):
            return plateaus & (reached == numbers)
        reached = wider


def _highest_around(maps: Tensor) -> Tensor:
    """Return the highest of each cell's eight neighbours, the cell itself not counted."""
    least = 0 if not maps.is_floating_point() else -torch.inf
    rim = functional.pad(maps, (1, 1, 1, 1), value=least)
    beside = torch.maximum(rim[..., :-2], rim[..., 2:])
    three = torch.maximum(beside, rim[..., 1:-1])
    return torch.maximum(torch.maximum(three[..., :-2, :], three[..., 2:, :]), beside[..., 1:-1, :])


def _highest(heights: Float[Tensor, "*B X"], count: int) -> Int[Tensor, "*B M"]:
    """Return where the `count` largest values are, largest first, equal ones in order of place.

    `topk` leaves open which of several equal values come and in what order: here the first in order of place do.
    """
    least = heights.topk(count).values[..., -1:]
    above, level = heights > least, heights == least
    spare = count - above.sum(-1, keepdim=True)
    chosen = above | (level & (level.cumsum(-1, dtype=torch.int32) <= spare))
    index = chosen.flatten(0, -2).nonzero()[:, 1].unflatten(0, (*heights.shape[:-1], count))
    order = heights.gather(-1, index).argsort(dim=-1, descending=True, stable=True)
    return index.gather(-1, order)
