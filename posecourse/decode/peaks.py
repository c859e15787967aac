"""What a decoder answers, and the rules that all decoders share: unreadable maps, scores, ties."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from posecourse.shapes import require_maps

__all__ = ["Peaks", "finish", "highest_cell", "in_map", "readable", "require_candidates", "working"]


class Peaks(NamedTuple):
    """Where the keypoints are, and how high the map stands there.

    Args:
        points: (*B K 2) as (x, y) in cells, or (*B K M 2) for M candidates a keypoint.
        scores: (*B K) or (*B K M); above 0 where the map says that something is there, exactly 0 where it cannot be
            read or a place is not taken, below 0 where its largest value is.
    """

    points: Float[Tensor, "*B 2"]
    scores: Float[Tensor, "*B"]


def readable(maps: Float[Tensor, "*B H W"]) -> Bool[Tensor, "*B"]:
    """Return which maps can be read: all their values are finite and not all are equal."""
    flat = maps.detach().flatten(-2)
    low, high = flat.amin(-1), flat.amax(-1)  # many times as fast as aminmax
    return low.isfinite() & high.isfinite() & (low < high)


def working(
    maps: Float[Tensor, "*B H W"], instead: float = 0.0, name: str = "heatmaps"
) -> tuple[Float[Tensor, "*B H W"], Bool[Tensor, "*B"]]:
    """Return the maps in at least float32, the unreadable ones filled with `instead`, and which were readable.

    The fill keeps NaN out of the arithmetic that follows, so that no gradient is NaN either.
    """
    require_maps(maps, name)
    good = readable(maps)
    wide = maps.to(torch.promote_types(maps.dtype, torch.float32))
    return torch.where(good[..., None, None], wide, instead), good


def highest_cell(maps: Float[Tensor, "*B H W"]) -> Int[Tensor, "*B 2"]:
    """Return (column, row) of each map's largest value, the first in reading order where there are several."""
    index = maps.detach().flatten(-2).argmax(-1)
    W = maps.shape[-1]
    return torch.stack([index % W, index // W], dim=-1)


def in_map(points: Float[Tensor, "*B 2"], maps: Tensor) -> Float[Tensor, "*B 2"]:
    """Return the points moved to the nearest place that a cell of the map covers: [−½, W − ½] and [−½, H − ½]."""
    H, W = maps.shape[-2:]
    edge = points.new_tensor([W - 0.5, H - 0.5])
    return torch.minimum(points.clamp(min=-0.5), edge)


def finish(maps: Float[Tensor, "*B H W"], points: Float[Tensor, "*B 2"], good: Bool[Tensor, "*B"]) -> Peaks:
    """Return the Peaks: the points where `good`, the map's centre elsewhere; the score is the largest value, or 0.

    Args:
        maps: as the caller was given them.
        points: (x, y) in cells, finite.
        good: which maps could be read.
    """
    H, W = maps.shape[-2:]
    centre = points.new_tensor([(W - 1) / 2, (H - 1) / 2])
    heights = torch.where(good[..., None], maps.flatten(-2), 0).amax(-1)
    return Peaks(torch.where(good[..., None], points, centre), heights)


def require_candidates(heatmaps: Tensor, peaks: Peaks) -> None:
    """Raise unless the peaks are several candidates (*B K M) a map of these maps (*B K H W)."""
    require_maps(heatmaps)
    if peaks.points.shape[:-2] != heatmaps.shape[:-2] or peaks.points.shape[:-1] != peaks.scores.shape:
        raise ValueError(
            f"peaks must be (..., K, M) candidates of these maps {tuple(heatmaps.shape)}; "
            f"got points {tuple(peaks.points.shape)} and scores {tuple(peaks.scores.shape)}."
        )
