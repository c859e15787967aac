"""One keypoint as a network may be asked for it: a vector, an offset a cell, a heatmap.

Lesson: 01.
"""

import math
from collections.abc import Sequence

import torch
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import Normal, withStroke
from torch import Tensor

from posecourse import coords, heatmaps
from posecourse.viz.figures import changing_title, row
from posecourse.viz.overlays import draw_prediction, draw_truth
from posecourse.viz.pictures import Picture, heatmap, image
from posecourse.viz.places import number
from posecourse.viz.repaint import Repaint
from posecourse.viz.style import BACKGROUND, INK

__all__ = ["TargetsPicture", "describe_targets", "targets"]

_STRIDE = 4
_RADIUS = 2.0
_HEAD = 1.1  # length of an arrow's head, in pixels


def targets(point_px: Sequence[float], picture: Picture, sigma: float = 1.0) -> Figure:
    """Draw what three kinds of network are asked for, for one keypoint of one picture.

    On the left a vector from the middle of the picture; in the middle an offset for each cell within two cells of the
    keypoint; on the right a heatmap. Cells are 4 × 4 pixels.

    Args:
        point_px: (x, y) in pixels.
        picture: (3 H W) RGB in [0, 1]; H and W are multiples of 4.
        sigma: σ of the blob in cells.

    Returns:
        The figure, for `headline` and `show`; `describe_targets` with the same arguments is its description.
    """
    return TargetsPicture(picture).move(point_px, sigma)


def describe_targets(point_px: Sequence[float], picture: Picture, sigma: float = 1.0) -> str:
    """Return in words what `targets` draws."""
    H, W = picture.shape[-2:]
    point = _point(point_px)
    unit, cell = coords.pixels_to_unit(point, (H, W)), coords.pixels_to_cells(point, float(_STRIDE))
    maps, asked = heatmaps.gaussian_heatmaps(cell[None], (H // _STRIDE, W // _STRIDE), sigma), len(_asked(cell, H, W))
    return (
        f"The keypoint at {_pair(point, 1)} in pixels, asked for in three ways. As a vector: {_pair(unit)} in the "
        f"unit square, two numbers. As an offset a cell: {asked} of {H * W // _STRIDE**2} cells are asked for their "
        f"way to {_pair(cell)}. As a heatmap with σ = {number(sigma, 1)} cells: its largest cell is "
        f"{number(float(maps.max()))}."
    )


class TargetsPicture:
    """The picture that `targets` returns, made once and then moved, as a slider needs it.

    Args:
        picture: (3 H W) RGB in [0, 1].
    """

    def __init__(self, picture: Picture) -> None:
        self.figure, axes = row(3)
        self._size = H, W = picture.shape[-2], picture.shape[-1]
        for ax in axes[:2]:
            image(ax, picture)
        middle = torch.tensor([[(W - 1) / 2, (H - 1) / 2]])
        self._rings = [draw_truth(ax, middle) for ax in axes[:2]]
        draw_prediction(axes[0], middle, size=4)
        self._vector, self._offsets = _arrows(axes[0], 1.8), _arrows(axes[1], 0.8)
        (self._starts,) = axes[1].plot([], [], ".", color=BACKGROUND, ms=4, mec=INK, mew=0.6, zorder=4)
        self._map = heatmap(axes[2], torch.zeros(H // _STRIDE, W // _STRIDE), label="height")
        axes[2].set(xticks=[], yticks=[])
        self._lines = list(axes[2].collections)  # between the cells, and so above the map
        self._titles = [changing_title(ax) for ax in axes]
        self._repaint: Repaint | None = None

    def move(self, point_px: Sequence[float], sigma: float) -> Figure:
        """Put the keypoint there, and return the figure, which is the same every time."""
        (H, W), point = self._size, _point(point_px)
        cell, unit = coords.pixels_to_cells(point, float(_STRIDE)), coords.pixels_to_unit(point, self._size)
        asked = _asked(cell, H, W)
        x, y = point.tolist()
        for ring in self._rings:
            ring.set_data([x], [y])
        self._vector.set_segments([_arrow(((W - 1) / 2, (H - 1) / 2), (x, y))])
        starts = coords.cells_to_pixels(asked, float(_STRIDE)).tolist()
        self._offsets.set_segments([_arrow(start, (x, y)) for start in starts])
        self._starts.set_data([start[0] for start in starts], [start[1] for start in starts])
        maps = heatmaps.gaussian_heatmaps(cell[None], (H // _STRIDE, W // _STRIDE), sigma)
        self._map.set_data(maps[0].numpy())
        self._titles[0].set_text(f"a vector: {_pair(unit)}")
        self._titles[1].set_text(f"an offset for {len(asked)} cells")
        self._titles[2].set_text(f"a heatmap: {H * W // _STRIDE**2} numbers")
        return self.figure

    def png(self, point_px: Sequence[float], sigma: float) -> bytes:
        """Return the picture of the keypoint there as a PNG, several times as fast as drawing all of it."""
        self.move(point_px, sigma)
        if self._repaint is None:
            moving: list[Artist] = [
                self._vector,
                self._offsets,
                self._starts,
                *self._rings,
                self._map,
                *self._lines,
                *self._titles,
            ]
            self._repaint = Repaint(self.figure, moving)
        return self._repaint.png()


def _arrows(ax: Axes, width: float) -> LineCollection:
    """Return a collection of ways, to be filled: white with a black stroke."""
    lines = LineCollection(
        [], colors=BACKGROUND, linewidths=width, zorder=3.9,
        path_effects=[withStroke(linewidth=width + 1.4, foreground=INK), Normal()],
    )  # fmt: skip
    ax.add_collection(lines, autolim=False)
    return lines


def _arrow(start: Sequence[float], end: Sequence[float]) -> list[tuple[float, float]]:
    """Return a way with its head, drawn in one line; the head stands before the end, where a ring would hide it."""
    (x, y), (to_x, to_y) = start, end
    length = math.hypot(to_x - x, to_y - y)
    if length < 2 * _HEAD:
        return [(x, y), (to_x, to_y)]
    ux, uy = (to_x - x) / length, (to_y - y) / length
    share = 0.6 if length < 8 * _HEAD else 1 - 2 * _HEAD / length
    tip = (x + share * (to_x - x), y + share * (to_y - y))
    barbs = [(tip[0] - _HEAD * (ux - side * uy), tip[1] - _HEAD * (uy + side * ux)) for side in (0.7, -0.7)]
    return [(x, y), tip, barbs[0], tip, barbs[1], tip, (to_x, to_y)]


def _asked(cell: Tensor, H: int, W: int) -> Tensor:
    """Return the cells (M 2) that are asked for their offset: those within two cells of the keypoint."""
    grid = coords.cell_grid((H // _STRIDE, W // _STRIDE), dtype=cell.dtype).flatten(0, 1)
    return grid[(grid - cell).norm(dim=-1) <= _RADIUS]


def _point(point_px: Sequence[float]) -> Tensor:
    """Return (x, y) as a tensor."""
    return torch.tensor([float(value) for value in point_px], dtype=torch.float64)


def _pair(point: Tensor, decimals: int = 2) -> str:
    return f"({number(float(point[0]), decimals)}, {number(float(point[1]), decimals)})"
