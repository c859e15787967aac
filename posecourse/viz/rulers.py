"""One panel of pixels with cells over them and a ruler in each frame, and the table of a point's coordinates."""

import math

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation

from posecourse import coords
from posecourse.viz.places import Place, number
from posecourse.viz.style import BACKGROUND, INK, LEFT, RIGHT, styled

__all__ = ["CELLS", "PIXELS", "Rulers", "Table"]

PIXELS, CELLS = LEFT["color"], RIGHT["color"]


class Rulers:
    """One panel: pixels with cells over them, a ruler for either, and a point that can be moved."""

    def __init__(self, ax: Axes, size: tuple[int, int], every: int = 1) -> None:
        self._size = size
        with styled():
            _pixel_ruler(ax, size, every)
            self._above, self._beside = ax.secondary_xaxis("top"), ax.secondary_yaxis("right")
            self._above.set_xlabel("x in cells", color=CELLS)
            self._beside.set_ylabel("y in cells", color=CELLS)
            for ruler in (self._above, self._beside):
                ruler.tick_params(colors=CELLS, labelsize=7.5, length=3)
            self._cell = Rectangle((0, 0), 1, 1, facecolor=CELLS, alpha=0.22)
            self._pixel = Rectangle((0, 0), 1, 1, facecolor=PIXELS, alpha=0.45)
            self._cell_lines = LineCollection([], colors=CELLS, linewidths=1.5, linestyles="--", zorder=1.6)
            ax.add_patch(self._cell)
            ax.add_patch(self._pixel)
            ax.add_collection(self._cell_lines, autolim=False)
            (self._centres,) = ax.plot([], [], "s", ms=4.5, mfc=BACKGROUND, mec=CELLS, mew=1.2)
            (self._to_pixels,) = ax.plot([], [], color=PIXELS, lw=1, ls="-")
            (self._to_cells,) = ax.plot([], [], color=CELLS, lw=1, ls="--")
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
        centres = coords.cells_to_pixels(coords.cell_grid(cells), float(s))
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
    ax.set_xlabel("x in pixels", color=PIXELS)
    ax.set_ylabel("y in pixels", color=PIXELS)
    ax.tick_params(colors=PIXELS, labelsize=7.5, length=3)
    ax.add_collection(LineCollection(_edges(size, 1), colors="#C9D8E2", linewidths=0.6, zorder=1.6), autolim=False)
    centres = coords.cell_grid(size).reshape(-1, 2).numpy()
    ax.plot(centres[:, 0], centres[:, 1], ".", ms=2, color=PIXELS, alpha=0.6)


def _edges(size: tuple[int, int], stride: int) -> list[list[tuple[float, float]]]:
    """Return the lines between cells of a stride: they lie at i · s − ½."""
    H, W = size
    columns = [[(x - 0.5, -0.5), (x - 0.5, H - 0.5)] for x in range(0, W + 1, stride)]
    return columns + [[(-0.5, y - 0.5), (W - 0.5, y - 0.5)] for y in range(0, H + 1, stride)]


class Table:
    """The coordinates of a point in every frame; not the equations between them, which lesson 00 asks for."""

    def __init__(self, ax: Axes) -> None:
        ax.set_axis_off()
        self._ax = ax
        with styled():
            self._write(0.0, 0.62, "x", align="right")
            self._write(0.0, 0.9, "y", align="right")
            for points, name, color in ((18.0, "pixels", PIXELS), (60.0, "cells", CELLS), (118.0, "unit square", INK)):
                self._write(points, 0.0, name, color, weight="bold")
            self._numbers = [
                (
                    self._write(points, 0.62, "", color, align="right"),
                    self._write(points, 0.9, "", color, align="right"),
                )
                for points, color in ((18.0, PIXELS), (60.0, CELLS), (118.0, INK))
            ]
            self._in_pixel, self._in_cell = self._write(33.0, 0.0, ""), self._write(75.0, 0.0, "")

    def _write(
        self, points: float, x: float, words: str, color: str = INK, *, align: str = "left", weight: str = "normal"
    ) -> Annotation:
        """Write at a fraction of the width, some points below the top."""
        return self._ax.annotate(
            words, (x, 1), (0, -points), "axes fraction", "offset points",
            va="top", ha=align, color=color, weight=weight, in_layout=False,
        )  # fmt: skip

    @property
    def moving(self) -> list[Artist]:
        """What changes with the point; the rest changes with the stride."""
        return [*(text for pair in self._numbers for text in pair), self._in_pixel, self._in_cell]

    def move(self, where: Place) -> None:
        """Fill in the point's coordinates."""
        for pair, point, decimals in zip(self._numbers, (where.px, where.cell, where.unit), (2, 3, 3), strict=True):
            for text, value in zip(pair, point, strict=True):
                text.set_text(number(value, decimals))
        self._in_pixel.set_text(f"in pixel {where.in_pixel}")
        self._in_cell.set_text(f"in cell {where.in_cell}")
