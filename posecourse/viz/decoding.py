"""One keypoint under a coarse grid, what each decoder reads from its map, and how far off each of them is.

Lesson: 02.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from torch import Tensor

from posecourse import coords, decode, heatmaps, seeding
from posecourse.viz.figures import row, title
from posecourse.viz.overlays import draw_prediction, draw_truth
from posecourse.viz.pictures import heatmap
from posecourse.viz.places import number
from posecourse.viz.repaint import Repaint
from posecourse.viz.style import BACKGROUND, FOURTH, INK, LEFT, MIDDLE, RIGHT, UNCOUNTED, styled

__all__ = ["Decoded", "DecodersPicture", "decoded", "decoders", "decoders_by_stride", "describe_decoders"]

_SIZE = (64, 96)
_SIGMA = 1.5
_READERS: Mapping[str, tuple[Callable[[Tensor], decode.Peaks], Mapping[str, Any]]] = {
    "argmax": (decode.argmax_2d, LEFT),
    "quarter offset": (decode.quarter_offset, RIGHT),
    "DARK": (partial(decode.dark, blur_sigma=_SIGMA), MIDDLE),
    "Gaussian fit": (decode.gaussian_fit, {**UNCOUNTED, "color": INK, "marker": "x", "linestyle": "-"}),
    "local soft-argmax": (partial(decode.local_soft_argmax, temperature=0.2, radius=2), FOURTH),
    "soft-argmax": (lambda maps: decode.soft_argmax(heatmaps.spatial_softmax(maps, 0.1)), UNCOUNTED),
}


class Decoded(NamedTuple):
    """What is drawn.

    Args:
        heights: (H W), the map in cells.
        errors_px: by decoder, (x, y) of its answer less the truth, in pixels.
        largest: (x, y) of the largest cell's centre in pixels.
    """

    heights: Tensor
    errors_px: Mapping[str, tuple[float, float]]
    largest: tuple[float, float]


def decoded(point_px: Sequence[float], stride: int, noise: float = 0.0) -> Decoded:
    """Paint a blob of σ = 1.5 cells at a point of 96 × 64 pixels, add noise, and let every decoder read it.

    Args:
        point_px: (x, y) in pixels.
        stride: s, pixels per cell; divides 64 and 96.
        noise: standard deviation of what is added to each cell, always the same numbers; the blob is 1 high.
    """
    H, W = (length // stride for length in _SIZE)
    point = torch.tensor([[float(value) for value in point_px]], dtype=torch.float64)
    maps = heatmaps.gaussian_heatmaps(coords.pixels_to_cells(point, float(stride)), (H, W), _SIGMA)
    maps = maps + noise * torch.randn(1, H, W, generator=seeding.generator(stride), dtype=maps.dtype)
    found = {name: coords.cells_to_pixels(read(maps).points, float(stride))[0] for name, (read, _) in _READERS.items()}
    errors = {name: _pair(place - point[0]) for name, place in found.items()}
    return Decoded(maps[0], errors, _pair(found["argmax"]))


def decoders(point_px: Sequence[float], stride: int = 8, noise: float = 0.0) -> Figure:
    """Draw a keypoint's map with its true place and its largest cell, and beside it every decoder's error.

    The square on the right is where the errors of an argmax lie, ± half a cell; the inner one is a quarter offset's.

    Args:
        point_px: (x, y) in pixels, in a picture of 96 × 64.
        stride: s, pixels per cell: 2, 4, 8 or 16.
        noise: of each cell, where the blob is 1 high.

    Returns:
        The figure, for `headline` and `show`; `describe_decoders` with the same arguments is its description.
    """
    return DecodersPicture(stride).move(point_px, noise)


def decoders_by_stride(point_px: Sequence[float], strides: Sequence[int] = (4, 8, 16), noise: float = 0.0) -> Figure:
    """Draw every decoder's error at the same point under several strides, beside each other.

    Each panel shows one cell, so its scale is its own; its title says how many pixels the argmax is off.
    """
    fig, axes = row(len(strides))
    for ax, stride in zip(axes, strides, strict=True):
        result = decoded(point_px, stride, noise)
        arrows = _Errors(ax, stride, reach=0.6 * stride)
        arrows.move(result)
        ticks = (-stride / 2, 0, stride / 2)
        ax.set(xticks=ticks, yticks=ticks)
        title(ax, f"stride {stride}: argmax {number(math.hypot(*result.errors_px['argmax']), 1)} px")
    axes[0].set_ylabel("error in y (px)")
    with styled():
        fig.legend(handles=arrows.lines, loc="outside lower left", ncols=3)
    return fig


def describe_decoders(point_px: Sequence[float], stride: int = 8, noise: float = 0.0) -> str:
    """Return in words what `decoders` draws."""
    result = decoded(point_px, stride, noise)
    lengths = ", ".join(f"{name} {number(math.hypot(*error), 2)} px" for name, error in result.errors_px.items())
    x, y = (number(float(value), 1) for value in point_px)
    return (
        f"The keypoint at ({x}, {y}) in pixels, painted into cells of {stride} pixels with noise "
        f"{number(noise, 2)}, and read by every decoder. Errors: {lengths}. Half a diagonal of a cell is "
        f"{number(stride / math.sqrt(2), 2)} px."
    )


class DecodersPicture:
    """The picture that `decoders` returns for one stride, made once and then moved, as a slider needs it.

    Args:
        stride: s, pixels per cell.
    """

    def __init__(self, stride: int) -> None:
        self.figure, (left, right) = row(2, width_ratios=(1.35, 1))
        self._stride = stride
        H, W = (length // stride for length in _SIZE)
        self._map = heatmap(left, torch.zeros(H, W), bar=False)
        self._lines = list(left.collections)  # between the cells, and so above the map
        left.set(xticks=[], yticks=[])
        title(left, "the map: ring truth, cross largest cell")
        start = torch.zeros(1, 2)
        self._ring, self._cross = draw_truth(left, start), draw_prediction(left, start)
        self._errors = _Errors(right, stride, reach=0.75 * stride)
        right.set_ylabel("error in y (px)")
        with styled():
            self.figure.legend(handles=self._errors.lines, loc="outside lower left", ncols=6, columnspacing=1.0)
        self._repaint: Repaint | None = None

    def move(self, point_px: Sequence[float], noise: float = 0.0) -> Figure:
        """Put the keypoint there, and return the figure, which is the same every time."""
        result = decoded(point_px, self._stride, noise)
        self._map.set_data(result.heights.numpy())
        for mark, place in ((self._ring, point_px), (self._cross, result.largest)):
            x, y = ((float(value) + 0.5) / self._stride - 0.5 for value in place)
            mark.set_data([x], [y])
        self._errors.move(result)
        return self.figure

    def png(self, point_px: Sequence[float], noise: float = 0.0) -> bytes:
        """Return the picture of the keypoint there as a PNG, several times as fast as drawing all of it."""
        self.move(point_px, noise)
        if self._repaint is None:
            moving: list[Artist] = [self._map, *self._lines, self._ring, self._cross, *self._errors.lines]
            self._repaint = Repaint(self.figure, moving)
        return self._repaint.png()


class _Errors:
    """A panel of error vectors about the truth, one for each decoder."""

    def __init__(self, ax: Axes, stride: int, reach: float) -> None:
        with styled():
            for half in (stride / 2, stride / 4):
                corners = [(-half, -half), (half, -half), (half, half), (-half, half), (-half, -half)]
                ax.add_collection(LineCollection([corners], colors=UNCOUNTED["color"], linewidths=0.8, zorder=1))
            self.lines = [self._line(ax, name, look) for name, (_, look) in _READERS.items()]
            draw_truth(ax, torch.zeros(1, 2))
            ax.set(xlim=(-reach, reach), ylim=(reach, -reach), aspect="equal", xlabel="error in x (px)")

    @staticmethod
    def _line(ax: Axes, name: str, look: Mapping[str, Any]) -> Line2D:
        size = 9.0 - len(ax.get_lines())  # the later ones are smaller, so that equal answers are all seen
        (line,) = ax.plot([0, 0], [0, 0], label=name, markevery=[1], markersize=size, zorder=3, **look)
        if name == "argmax":
            line.set_markeredgecolor(BACKGROUND)
        return line

    def move(self, result: Decoded) -> None:
        """Draw these errors."""
        for line, (x, y) in zip(self.lines, result.errors_px.values(), strict=True):
            line.set_data([0, x], [0, y])


def _pair(point: Tensor) -> tuple[float, float]:
    x, y = point.tolist()
    return x, y
