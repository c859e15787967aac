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


def summits_swapped(heatmaps: Tensor, limit: int) -> Peaks:
    """The centre is right, and the coordinates of the summits are swapped: (row, column), and points are (x, y).

    x counts columns: with the map laid out in one line it is the remainder, `index % W`, and comes first.
    """
    points, scores = nms_peaks(heatmaps, limit)
    return Peaks(torch.where(scores[..., None] > 0, points.flip(-1), points), scores)


def centre_swapped(heatmaps: Tensor, limit: int) -> Peaks:
    """The summits are right, and the centre of the map is (y, x): it was made of (H, W) as it stands in the shape.

    Points are (x, y), so the width comes first: ((W − 1)/2, (H − 1)/2).
    """
    points, scores = nms_peaks(heatmaps, limit)
    return Peaks(torch.where(scores[..., None] > 0, points, points.flip(-1)), scores)


def centre_forgotten(heatmaps: Tensor, limit: int) -> Peaks:
    """Where there is no candidate the point is whatever cell `topk` happened to name.

    Its score is 0, so nobody should read it; and whoever does gets a place that looks like one. Ask for `scores > 0`,
    else the centre.
    """
    peaks = _heights(heatmaps, _summits(heatmaps)).topk(limit)
    return Peaks(_cells(peaks.indices, heatmaps), peaks.values)


def origin_for_the_centre(heatmaps: Tensor, limit: int) -> Peaks:
    """Where there is no candidate the point is (0, 0), and the map's centre was asked for.

    Zeros look like a cell in the corner. The package answers with the centre wherever it has nothing to say:
    ((W − 1)/2, (H − 1)/2).
    """
    points, scores = nms_peaks(heatmaps, limit)
    return Peaks(torch.where(scores[..., None] > 0, points, 0), scores)


def row_with_a_fraction(heatmaps: Tensor, limit: int) -> Peaks:
    """The second coordinate has a fraction: the index was divided by W with `/`, and the row is the whole part of that.

    What is left over is the column, and x has it already. `index // W`.
    """
    W = heatmaps.shape[-1]
    peaks = _heights(heatmaps, _summits(heatmaps)).topk(limit)
    points = torch.stack([peaks.indices % W, peaks.indices / W], dim=-1).to(heatmaps)
    return Peaks(_or_centre(points, peaks.values, heatmaps), peaks.values)


def half_a_cell_added(heatmaps: Tensor, limit: int) -> Peaks:
    """Half a cell was added to each summit, and points in cells have whole numbers at the cells' centres.

    The half belongs to the way from cells to pixels, where a cell covers several of them. Here nothing is converted.
    """
    points, scores = nms_peaks(heatmaps, limit)
    return Peaks(torch.where(scores[..., None] > 0, points + 0.5, points), scores)


def minus_infinity_left(heatmaps: Tensor, limit: int) -> Peaks:
    """Where there is no candidate the score is minus infinity, and 0 was asked for.

    It is what cells that are no summits were filled with, and every sum of scores that it comes into is lost. Fill
    with 0, or set what is left at the end.
    """
    points, scores = nms_peaks(heatmaps, limit)
    return Peaks(points, torch.where(scores > 0, scores, -torch.inf))


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
    summits_swapped,
    centre_swapped,
    centre_forgotten,
    origin_for_the_centre,
    row_with_a_fraction,
    half_a_cell_added,
    minus_infinity_left,
]
