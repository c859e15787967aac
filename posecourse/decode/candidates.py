"""Reading several keypoints out of one map: all local maxima, and what lies between their cells."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.decode.maximum import quarter_offset
from posecourse.decode.peaks import Peaks, readable, require_candidates
from posecourse.decode.summits import highest_summits
from posecourse.shapes import require_count, require_maps

__all__ = ["nms_peaks", "refine_peaks"]


def nms_peaks(heatmaps: Float[Tensor, "*B K H W"], limit: int, *, least: float = 0.0) -> Peaks:
    """Return the `limit` highest local maxima of each map, highest first: one a person, it is hoped.

    A cell is a local maximum where it is positive and none of its eight neighbours is higher. Equal cells that touch
    are one plateau and one candidate: its first cell in reading order, and none at all where the plateau touches
    something higher anywhere. Saturated maps and half precision have such plateaus, of any size and shape.

    The points are whole cells; `refine_peaks` looks between them with any other decoder, `dark_at` with DARK, faster.

    Args:
        heatmaps: any values; only positive ones can be peaks.
        limit: M, how many places to return, whatever there is.
        least: the lowest height that counts. Noise has thousands of faint maxima, which take most of the time.

    Returns:
        Points (*B K M 2), whole cells, and scores (*B K M), equal ones in reading order. A place that is not taken
        has score 0 and lies at the map's centre.

    Raises:
        ValueError: `heatmaps` is not (..., K, H, W), `limit` is not a positive whole number, or
            `least` is negative or not finite.

    Source: Newell et al. 2017 (associative embedding); their max-pooling keeps every cell of a plateau.
    Lesson: 05, exercise `nms_peaks`.
    """
    require_count(limit, "limit")
    require_maps(heatmaps)
    if not 0 <= least < math.inf:
        raise ValueError(f"least must be 0 or a finite height above it; got {least}.")
    maps, good = heatmaps.to(torch.promote_types(heatmaps.dtype, torch.float32)), readable(heatmaps)
    H, W = maps.shape[-2:]
    seen = maps.detach() if bool(good.all()) else torch.where(good[..., None, None], maps.detach(), 0)
    found = highest_summits(seen.reshape(-1, H, W), int(limit), least)
    index = torch.from_numpy(found).to(maps.device).view(*maps.shape[:-2], int(limit))
    taken, index = index >= 0, index.clamp(min=0)
    scores = torch.where(taken, maps.flatten(-2).gather(-1, index), 0)
    cells = torch.stack([index % W, index // W], dim=-1).to(maps.dtype)
    centre = maps.new_tensor([(W - 1) / 2, (H - 1) / 2])
    return Peaks(torch.where(taken[..., None], cells, centre), scores.to(heatmaps.dtype))


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
