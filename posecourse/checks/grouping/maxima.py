"""Wrong ways of finding several candidates in a heatmap; each docstring is what the student reads."""

import torch
from torch import Tensor
from torch.nn import functional

from posecourse.decode import Peaks, nms_peaks

__all__ = ["COALS"]


def no_suppression(heatmaps: Tensor, limit: int) -> Peaks:
    """These are the highest cells, and most of them lie beside each other: several cells of one summit.

    One wrist then becomes five candidates, and the wrist of a second person, a little less clear, does not come into
    the list. Keep a cell only where no neighbour is higher.
    """
    return _listed(heatmaps, heatmaps > 0, limit)


def negatives_kept(heatmaps: Tensor, limit: int) -> Peaks:
    """Some of these summits are not above 0: small ripples of the background were taken for candidates.

    Every noisy map has local maxima nearly everywhere. Ask for `heatmaps > 0` as well; the score of a place that is
    not taken is 0.
    """
    peaks = torch.where(_summits(heatmaps), heatmaps, -torch.inf).flatten(-2).topk(limit)
    found = peaks.values.isfinite()
    points = _or_centre(_cells(peaks.indices, heatmaps), found.to(torch.uint8), heatmaps)
    return Peaks(points, torch.where(found, peaks.values, 0))


def border_lost(heatmaps: Tensor, limit: int) -> Peaks:
    """Summits at the border of a map are missing: only cells with eight neighbours were looked at.

    An ankle at the edge of the picture is an ankle. Pad with minus infinity, as `max_pool2d(…, padding=1)` does, and
    a cell at the border has fewer rivals.
    """
    inside = functional.pad(torch.ones_like(heatmaps[..., 2:, 2:], dtype=torch.bool), (1, 1, 1, 1))
    return _listed(heatmaps, _summits(heatmaps) & inside, limit)


def four_neighbours(heatmaps: Tensor, limit: int) -> Peaks:
    """There are too many candidates: a cell was compared with the four cells beside it, not with those at its corners.

    On a ridge that lies aslant every other cell is then a summit. A cell has eight neighbours.
    """
    return _listed(heatmaps, _beside(heatmaps), limit)


def window_of_five(heatmaps: Tensor, limit: int) -> Peaks:
    """Candidates are missing that have a higher one two cells away: the window is five cells wide.

    HigherHRNet's is, on maps of 128 cells. Here two people's wrists may be two cells apart, and both count:
    a cell's neighbours are the eight around it, `max_pool2d(…, kernel_size=3, stride=1, padding=1)`.
    """
    return _listed(heatmaps, heatmaps == functional.max_pool2d(heatmaps, 5, stride=1, padding=2), limit)


def row_before_column(heatmaps: Tensor, limit: int) -> Peaks:
    """The two coordinates are swapped: this is (row, column), and points are (x, y).

    x counts columns: with the map laid out in one line it is the remainder, `index % W`.
    """
    points, scores = nms_peaks(heatmaps, limit)
    return Peaks(points.flip(-1), scores)


def divided_by_height(heatmaps: Tensor, limit: int) -> Peaks:
    """The index was taken apart with the number of rows; it counts cells along rows, and a row has W of them.

    On a square map nobody notices. `x = index % W`, `y = index // W`, with `H, W = heatmaps.shape[-2:]`.
    """
    H = heatmaps.shape[-2]
    peaks = _heights(heatmaps, _summits(heatmaps)).topk(limit)
    points = torch.stack([peaks.indices % H, peaks.indices // H], dim=-1).to(heatmaps)
    return Peaks(_or_centre(points, peaks.values, heatmaps), peaks.values)


def row_by_height(heatmaps: Tensor, limit: int) -> Peaks:
    """X is right, and y was divided by the number of rows: `index // H` where `index // W` belongs.

    The index counts cells along rows of W cells, so W takes it apart both ways: `index % W`, `index // W`.
    """
    H, W = heatmaps.shape[-2:]
    peaks = _heights(heatmaps, _summits(heatmaps)).topk(limit)
    points = torch.stack([peaks.indices % W, peaks.indices // H], dim=-1).to(heatmaps)
    return Peaks(_or_centre(points, peaks.values, heatmaps), peaks.values)


def centre_by_half(heatmaps: Tensor, limit: int) -> Peaks:
    """Places that are not taken lie at (W/2, H/2), half a cell from the map's centre.

    A cell's centre is at a whole number, and the first is 0, so the middle of W cells is at (W − 1)/2.
    """
    points, scores = nms_peaks(heatmaps, limit)
    H, W = heatmaps.shape[-2:]
    return Peaks(torch.where(scores[..., None] > 0, points, heatmaps.new_tensor([W / 2, H / 2])), scores)


def keypoints_compete(heatmaps: Tensor, limit: int) -> Peaks:
    """Candidates are missing where another keypoint's map is higher at the same place: keypoints suppress each other.

    A hand in front of a hip leaves the hip no chance. Compare a cell with its neighbours in its own map; the axis of
    the keypoints is none to pool over.
    """
    strongest = functional.max_pool2d(heatmaps, 3, stride=1, padding=1).amax(-3, keepdim=True)
    return _listed(heatmaps, heatmaps == strongest, limit)


def in_reading_order(heatmaps: Tensor, limit: int) -> Peaks:
    """The candidates come in the order of their places, so that the limit cuts off whatever is further down.

    The limit is for the highest ones, and the highest comes first: `topk` does both.
    """
    heights = _heights(heatmaps, _summits(heatmaps))
    order = (heights == 0).to(torch.uint8).argsort(dim=-1, stable=True)[..., :limit]
    scores = heights.gather(-1, order)
    return Peaks(_or_centre(_cells(order, heatmaps), scores, heatmaps), scores)


def limit_shared(heatmaps: Tensor, limit: int) -> Peaks:
    """Keypoints have fewer candidates than they could: one threshold was taken for all maps together.

    Each keypoint has a limit of its own, or a clear nose leaves no room for the ankles. Let `topk` work along the
    cells of each map, the last axis after `flatten(-2)`.
    """
    heights = _heights(heatmaps, _summits(heatmaps))
    least = heights.flatten().topk(limit).values[-1]
    peaks = torch.where(heights >= least, heights, 0).topk(limit)
    return Peaks(_or_centre(_cells(peaks.indices, heatmaps), peaks.values, heatmaps), peaks.values)


def _summits(maps: Tensor) -> Tensor:
    """Return which cells no neighbour exceeds."""
    return maps == functional.max_pool2d(maps, 3, stride=1, padding=1)


def _beside(maps: Tensor) -> Tensor:
    """Return which cells are not exceeded by the cells to the left and right, above and below."""
    rim = functional.pad(maps, (1, 1, 1, 1), value=-torch.inf)
    across = torch.maximum(rim[..., 1:-1, :-2], rim[..., 1:-1, 2:])
    return maps >= torch.maximum(across, torch.maximum(rim[..., :-2, 1:-1], rim[..., 2:, 1:-1]))


def _heights(maps: Tensor, chosen: Tensor) -> Tensor:
    """Return each map in one line, 0 where a cell is not chosen or not positive."""
    return torch.where(chosen & (maps > 0), maps, 0).flatten(-2)


def _cells(index: Tensor, maps: Tensor) -> Tensor:
    W = maps.shape[-1]
    return torch.stack([index % W, index // W], dim=-1).to(maps)


def _or_centre(points: Tensor, scores: Tensor, maps: Tensor) -> Tensor:
    H, W = maps.shape[-2:]
    return torch.where(scores[..., None] > 0, points, maps.new_tensor([(W - 1) / 2, (H - 1) / 2]))


def _listed(maps: Tensor, chosen: Tensor, limit: int) -> Peaks:
    """Return the highest of the chosen cells."""
    peaks = _heights(maps, chosen).topk(limit)
    return Peaks(_or_centre(_cells(peaks.indices, maps), peaks.values, maps), peaks.values)


COALS = [
    no_suppression,
    negatives_kept,
    border_lost,
    four_neighbours,
    window_of_five,
    row_before_column,
    divided_by_height,
    row_by_height,
    centre_by_half,
    keypoints_compete,
    in_reading_order,
    limit_shared,
]
