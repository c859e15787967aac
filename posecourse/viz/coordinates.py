"""One place, three frames: a few pixels with the coarser cells over them, and a ruler in each.

Lesson: 00.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from posecourse import coords
from posecourse.shapes import checked_size
from posecourse.viz.figures import row
from posecourse.viz.repaint import Repaint
from posecourse.viz.style import BACKGROUND, INK, LEFT, RIGHT, styled

__all__ = ["FramesPicture", "Place", "describe_frames", "frames", "frames_by_stride", "place"]

_PIXEL, _CELL = LEFT["color"], RIGHT["color"]


class Place(NamedTuple):
    """Where one point is, in every frame; each pair is (x, y)."""

    px: tuple[float, float]
    cell: tuple[float, float]
    unit: tuple[float, float]
    in_pixel: tuple[int, int]
    """The pixel that covers the point."""
    in_cell: tuple[int, int]
    """The cell that covers the point."""
    size: tuple[int, int]
    """(H, W) in pixels."""
    stride: int


def place(point_px: Sequence[float], size: Sequence[int], stride: int) -> Place:
    """Return where a point is in pixels, in cells and in the unit square.

    Args:
        point_px: (x, y) in pixels, inside the picture: from −½ to less than W − ½, likewise y.
        size: (H, W) of the picture in pixels.
        stride: pixels per cell.

    Raises:
        ValueError: the point lies outside of the picture.
    """
    H, W = checked_size(size)
    x, y = (float(value) for value in point_px)
    if not (-0.5 <= x < W - 0.5 and -0.5 <= y < H - 0.5):
        raise ValueError(
            f"the point must lie in the picture: x from −0.5 to below {W - 0.5}, y from −0.5 to below {H - 0.5}; "
            f"got ({x}, {y}). Points are (x, y), sizes (H, W)."
        )
    point = torch.tensor([x, y], dtype=torch.float64)
    cell = coords.pixels_to_cells(point, stride).tolist()
    unit = coords.pixels_to_unit(point, (H, W)).tolist()
    return Place(
        (x, y), (cell[0], cell[1]), (unit[0], unit[1]), (_covering(x), _covering(y)),
        (_covering(cell[0]), _covering(cell[1])), (H, W), stride,
    )  # fmt: skip


def _covering(coordinate: float) -> int:
    """Return which pixel or cell covers a coordinate: number i covers [i − ½, i + ½)."""
    return math.floor(coordinate + 0.5)


def frames(point_px: Sequence[float], size: Sequence[int] = (8, 16), stride: int = 4) -> Figure:
    """Draw one point on a few pixels, with the cells over them and its coordinates in all frames beside.

    Rulers below and on the left count pixels, those above and on the right count cells: cell = (px + ½) / s − ½ can
    be read off.

    Args:
        point_px: (x, y) in pixels, inside the picture.
        size: (H, W) of the picture in pixels; at most about 16 × 24 stay legible.
        stride: s, pixels per cell.

    Returns:
        The figure, for `headline` and `show`; `describe_frames` with the same arguments is its description.
    """
    return FramesPicture(size).move(point_px, stride)


def frames_by_stride(
    point_px: Sequence[float], size: Sequence[int] = (8, 16), strides: Sequence[int] = (2, 4, 8)
) -> Figure:
    """Draw the same point under several strides, beside each other. Arguments as for `frames`."""
    fig, axes = row(len(strides))
    for ax, stride in zip(axes, strides, strict=True):
        where = place(point_px, size, stride)
        _Rulers(ax, where.size, every=4).move(where)
        ax.set_title(f"stride {stride}\n" + "\n".join(_conversions(where)), pad=8, linespacing=1.3)
    return fig


def describe_frames(point_px: Sequence[float], size: Sequence[int] = (8, 16), stride: int = 4) -> str:
    """Return in words what `frames` draws."""
    where = place(point_px, size, stride)
    H, W = where.size
    return (
        f"A picture of {W} by {H} pixels under cells of {stride} by {stride}. "
        f"The point lies at {_pair(where.px, 2)} in pixels, in pixel {where.in_pixel}; "
        f"at {_pair(where.cell)} in cells, in cell {where.in_cell}; "
        f"and at {_pair(where.unit)} in the unit square."
    )


class FramesPicture:
    """The picture that `frames` returns, made once and then moved, as a slider needs it.

    Args:
        size: (H, W) of the picture in pixels.
    """

    def __init__(self, size: Sequence[int] = (8, 16)) -> None:
        self.figure, (left, right) = row(2, width_ratios=(1.55, 1))
        self._size = checked_size(size)
        self._rulers = _Rulers(left, self._size)
        right.set_axis_off()
        self._repaint: Repaint | None = None
        with styled():
            self._words = [
                right.annotate(
                    "", (0, 1), (0, -points), "axes fraction", "offset points",
                    va="top", color=color, weight=weight, linespacing=1.35, in_layout=False,
                )
                for points, color, weight in _BLOCKS
            ]  # fmt: skip

    def move(self, point_px: Sequence[float], stride: int) -> Figure:
        """Draw the point there, under cells of that stride, and return the figure, which is the same every time."""
        where = place(point_px, self._size, stride)
        self._rulers.move(where)
        for text, words in zip(self._words, _words(where), strict=True):
            text.set_text(words)
        return self.figure

    def png(self, point_px: Sequence[float], stride: int) -> bytes:
        """Return the picture of the point there as a PNG, several times as fast as drawing all of it."""
        self.move(point_px, stride)
        if self._repaint is None:
            self._repaint = Repaint(self.figure, [*self._rulers.moving, *self._words])
        return self._repaint.png(scene=stride)


_BLOCKS = (
    (0, _PIXEL, "bold"), (14, INK, "normal"),
    (40, _CELL, "bold"), (54, INK, "normal"),
    (106, INK, "bold"), (120, INK, "normal"),
)  # fmt: skip
"""Headings and what stands below them beside the picture: points below the top, colour, weight."""


def _words(where: Place) -> list[str]:
    """Return what stands beside the picture, in the order of `_BLOCKS`."""
    (H, W), (x, y) = where.size, (_number(value, 2) for value in where.px)
    unit_x, unit_y = map(_number, where.unit)
    return [
        f"pixels: ({x}, {y})",
        f"covered by pixel {where.in_pixel}",
        f"cells of stride {where.stride}: {_pair(where.cell)}",
        "\n".join([*_conversions(where), f"covered by cell {where.in_cell}"]),
        f"unit square: {_pair(where.unit)}",
        f"x: ({x} + ½) / {W} = {unit_x}\ny: ({y} + ½) / {H} = {unit_y}",
    ]


def _conversions(where: Place) -> list[str]:
    """Return cell = (px + ½) / s − ½ in numbers, for x and for y."""
    return [
        f"{axis}: ({_number(px, 2)} + ½) / {where.stride} − ½ = {_number(cell)}"
        for axis, px, cell in zip("xy", where.px, where.cell, strict=True)
    ]


class _Rulers:
    """One panel: pixels with cells over them, a ruler for either, and a point that can be moved."""

    def __init__(self, ax: Axes, size: tuple[int, int], every: int = 1) -> None:
        self._size = size
        with styled():
            _pixel_ruler(ax, size, every)
            self._above, self._beside = ax.secondary_xaxis("top"), ax.secondary_yaxis("right")
            self._above.set_xlabel("x in cells", color=_CELL)
            self._beside.set_ylabel("y in cells", color=_CELL)
            for ruler in (self._above, self._beside):
                ruler.tick_params(colors=_CELL, labelsize=7.5, length=3)
            self._cell = Rectangle((0, 0), 1, 1, facecolor=_CELL, alpha=0.22)
            self._pixel = Rectangle((0, 0), 1, 1, facecolor=_PIXEL, alpha=0.45)
            self._cell_lines = LineCollection([], colors=_CELL, linewidths=1.5, linestyles="--", zorder=1.6)
            ax.add_patch(self._cell)
            ax.add_patch(self._pixel)
            ax.add_collection(self._cell_lines, autolim=False)
            (self._centres,) = ax.plot([], [], "s", ms=4.5, mfc=BACKGROUND, mec=_CELL, mew=1.2)
            (self._to_pixels,) = ax.plot([], [], color=_PIXEL, lw=1, ls="-")
            (self._to_cells,) = ax.plot([], [], color=_CELL, lw=1, ls="--")
            (self._point,) = ax.plot([], [], "o", ms=8, mfc=BACKGROUND, mec=INK, mew=1.6, clip_on=False)
            (self._dot,) = ax.plot([], [], "o", ms=2.4, color=INK, clip_on=False)

    @property
    def moving(self) -> list[Artist]:
        """What changes with the point; the rest changes with the stride."""
        return [self._cell, self._pixel, self._to_pixels, self._to_cells, self._point, self._dot]

    def move(self, where: Place) -> None:
        """Put the point there, and the cells of that stride under it."""
        (H, W), s, (x, y) = self._size, where.stride, where.px
        cells = (math.ceil(H / s), math.ceil(W / s))
        centres = coords.cells_to_pixels(coords.cell_grid(cells), s)
        self._cell_lines.set_segments(_edges(self._size, s))
        self._centres.set_data(centres[..., 0].flatten().numpy(), centres[..., 1].flatten().numpy())
        self._above.set_xticks(centres[0, :, 0].tolist(), labels=[str(i) for i in range(cells[1])])
        self._beside.set_yticks(centres[:, 0, 1].tolist(), labels=[str(i) for i in range(cells[0])])
        self._pixel.set_xy((where.in_pixel[0] - 0.5, where.in_pixel[1] - 0.5))
        self._cell.set(xy=(where.in_cell[0] * s - 0.5, where.in_cell[1] * s - 0.5), width=s, height=s)
        self._to_pixels.set_data([-0.5, x, x], [y, y, H - 0.5])
        self._to_cells.set_data([x, x, W - 0.5], [-0.5, y, y])
        self._point.set_data([x], [y])
        self._dot.set_data([x], [y])


def _pixel_ruler(ax: Axes, size: tuple[int, int], every: int) -> None:
    """Draw the pixels, their centres, and the ruler that counts them below and on the left."""
    H, W = size
    ax.set(xlim=(-0.5, W - 0.5), ylim=(H - 0.5, -0.5), aspect="equal")
    ax.set(xticks=range(0, W, every), yticks=range(0, H, every))
    ax.spines[:].set_visible(True)
    ax.set_xlabel("x in pixels", color=_PIXEL)
    ax.set_ylabel("y in pixels", color=_PIXEL)
    ax.tick_params(colors=_PIXEL, labelsize=7.5, length=3)
    ax.add_collection(LineCollection(_edges(size, 1), colors="#C9D8E2", linewidths=0.6, zorder=1.6), autolim=False)
    centres = coords.cell_grid(size).reshape(-1, 2).numpy()
    ax.plot(centres[:, 0], centres[:, 1], ".", ms=2, color=_PIXEL, alpha=0.6)


def _edges(size: tuple[int, int], stride: int) -> list[list[tuple[float, float]]]:
    """Return the lines between cells of a stride: they lie at i · s − ½."""
    H, W = size
    columns = [[(x - 0.5, -0.5), (x - 0.5, H - 0.5)] for x in range(0, W + 1, stride)]
    return columns + [[(-0.5, y - 0.5), (W - 0.5, y - 0.5)] for y in range(0, H + 1, stride)]


def _pair(point: tuple[float, float], decimals: int = 3) -> str:
    return f"({_number(point[0], decimals)}, {_number(point[1], decimals)})"


def _number(value: float, decimals: int = 3) -> str:
    """Return a coordinate with a true minus sign; halves go up, as by hand, and zero has no sign."""
    return f"{round(value + 1e-9, decimals) + 0.0:.{decimals}f}".replace("-", "−")
