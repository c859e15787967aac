"""Reading several keypoints out of one map: all local maxima, and what lies between their cells."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from posecourse.decode.maximum import quarter_offset
from posecourse.decode.peaks import Peaks, readable, require_candidates
from posecourse.shapes import require_count, require_maps

__all__ = ["nms_peaks", "refine_peaks"]


def nms_peaks(heatmaps: Float[Tensor, "*B K H W"], limit: int) -> Peaks:
    """Return the `limit` highest local maxima of each map, highest first: one a person, it is hoped.

    A cell is a local maximum where it is positive and none of its eight neighbours is higher. Equal cells that touch
    are one plateau and one candidate: its first cell in reading order, and none at all where the plateau touches
    something higher anywhere. Saturated maps and half precision have such plateaus, of any size and shape.

    The points are whole cells; `refine_peaks` looks between them with any other decoder, `dark_at` with DARK, faster.

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
    require_maps(heatmaps)
    maps, good = heatmaps.to(torch.promote_types(heatmaps.dtype, torch.float32)), readable(heatmaps)
    H, W = maps.shape[-2:]
    seen = maps.detach() if bool(good.all()) else torch.where(good[..., None, None], maps.detach(), 0)
    heights = _summits(seen)
    index = _highest(heights, min(limit, H * W))
    taken = heights.flatten(-2).gather(-1, index) > 0
    scores = torch.where(taken, maps.flatten(-2).gather(-1, index), 0)
    cells = torch.stack([index % W, index // W], dim=-1).to(maps.dtype)
    centre = maps.new_tensor([(W - 1) / 2, (H - 1) / 2])
    points = torch.where(taken[..., None], cells, centre)
    spare = limit - index.shape[-1]
    points = torch.cat([points, centre.expand(*points.shape[:-2], spare, 2)], dim=-2)
    return Peaks(points, functional.pad(scores, (0, spare)).to(heatmaps.dtype))


def refine_peaks(
    heatmaps: Float[Tensor, "*B K H W"],
    peaks: Peaks,
    decoder: Callable[[Float[Tensor, "*B K H W"]], Peaks] = quarter_offset,
    radius: int = 1,
) -> Peaks:
    """Return the peaks moved between the cells: each is decoded anew in a small window of the map around it.

    The window lies inside the map, so that a decoder sees a border where there is one. A peak stays where it is if
    the answer is more than a cell away in x or in y, as when someone higher stands in the window.

    Args:
        heatmaps: the maps in which the peaks were found.
        peaks: as `nms_peaks` finds them.
        decoder: any one that takes maps alone: `quarter_offset`, or `lambda maps: dark(maps, blur_sigma=2)`.
        radius: cells on each side of a peak, a positive whole number. `quarter_offset` needs 1, a blur about 3σ:
            the larger, the more often it holds a neighbour.

    Returns:
        Points (*B K M 2), no more than a cell away from the given ones, and the given scores.

    Raises:
        ValueError: the peaks are not (..., K, M) of these maps, or `radius` is not a positive whole number.

    Lesson: 05.
    """
    require_count(radius, "radius")
    require_candidates(heatmaps, peaks)
    maps = heatmaps.to(torch.promote_types(heatmaps.dtype, torch.float32))
    H, W = maps.shape[-2:]
    height, width = min(2 * radius + 1, H), min(2 * radius + 1, W)
    cell = peaks.points.detach().round().long()
    start = torch.minimum((cell - radius).clamp(min=0), cell.new_tensor([W - width, H - height]))
    columns = start[..., :1] + torch.arange(width, device=maps.device)
    rows = start[..., 1:] + torch.arange(height, device=maps.device)
    index = (rows[..., :, None] * W + columns[..., None, :]).flatten(-3)  # (*B K M·height·width)
    windows = maps.flatten(-2).gather(-1, index).unflatten(-1, (peaks.scores.shape[-1], height, width))
    found = decoder(windows)
    moved = start + found.points
    near = ((moved - peaks.points).detach().abs() <= 1).all(-1)
    kept = near & (peaks.scores > 0) & (found.scores > 0)
    return Peaks(torch.where(kept[..., None], moved, peaks.points), peaks.scores)


def _summits(maps: Float[Tensor, "*B H W"]) -> Float[Tensor, "*B H W"]:
    """Return the maps with 0 everywhere but at one cell of each positive plateau that nothing overtops.

    In arithmetic, mostly in place: comparisons and new memory would take most of the time on a CPU.
    """
    above = _highest_around(maps).clamp_(min=0).neg_().add_(maps)
    level = bool(above.numel()) and float(above.abs().amin()) == 0  # a plateau, or nothing but 0
    summits = above.sign_().clamp_(min=0).mul_(maps)
    if level:
        wide = ((maps > 0) & (maps == _highest_around(maps))).flatten(-2).any(-1)
        summits = summits.index_put((wide,), _with_plateaus(maps[wide]))
    return summits


def _with_plateaus(maps: Float[Tensor, "M H W"]) -> Float[Tensor, "M H W"]:
    """Return what `_summits` does, of maps that have plateaus of several cells."""
    tops = (maps > 0) & (maps >= _highest_around(maps))
    # What touches a top and is as high without being one touches something higher.
    slopes = maps.masked_fill(tops, -torch.inf)
    spoilt = tops & (_highest_around(slopes) == maps)
    return maps * _first_of_plateaus(tops, spoilt)


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
    around = torch.maximum(three[..., :-2, :], three[..., 2:, :])
    return torch.maximum(around, beside[..., 1:-1, :], out=around)


def _highest(heights: Float[Tensor, "*B H W"], count: int) -> Int[Tensor, "*B M"]:
    """Return where in reading order the `count` largest values are, largest first, equal ones in reading order.

    `topk` leaves open which of several equal values come and in what order: here the first in reading order do. What
    is 0 may come in any order.
    """
    flat, W = heights.flatten(-2), heights.shape[-1]
    # The n largest values are in the n rows with the largest maxima: a short list for topk.
    rows = heights.amax(-1).topk(min(count + 1, heights.shape[-2])).indices
    listed = (rows[..., None] * W + torch.arange(W, device=rows.device)).flatten(-2)
    values, place = flat.gather(-1, listed).topk(min(count + 1, listed.shape[-1]))
    index = listed.gather(-1, place)
    if bool(((values[..., count:] == values[..., count - 1 : count]) & (values[..., count:] > 0)).any()):
        index = _first_of_equals(flat, count)
    index = index[..., :count].sort(-1).values
    return index.gather(-1, flat.gather(-1, index).argsort(dim=-1, descending=True, stable=True))


def _first_of_equals(heights: Float[Tensor, "*B X"], count: int) -> Int[Tensor, "*B M"]:
    """Return where the `count` largest values are; of several that are the least of them, the first in place."""
    least = heights.topk(count).values[..., -1:]
    above, level = heights > least, heights == least
    spare = count - above.sum(-1, keepdim=True)
    chosen = above | (level & (level.cumsum(-1, dtype=torch.int32) <= spare))
    return chosen.flatten(0, -2).nonzero()[:, 1].unflatten(0, (*heights.shape[:-1], count))
