"""Pictures and maps in one panel: every pixel and every cell where its centre is, colours by meaning."""

from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.image import AxesImage
from torch import Tensor

from posecourse.viz.arrays import as_array
from posecourse.viz.style import HEAT, SIGNED, UNCERTAINTY, styled

__all__ = ["Map", "Picture", "heatmap", "image", "signed_map", "uncertainty_map"]

Picture: TypeAlias = Float[Tensor, "3 H W"] | Float[np.ndarray, "3 H W"]
"""RGB in [0, 1]."""

Map: TypeAlias = Float[Tensor, "H W"] | Float[np.ndarray, "H W"]
"""One number a cell."""

_MOST_CELLS_WITH_GRID = 16


def image(ax: Axes, picture: Picture) -> AxesImage:
    """Show a picture in an empty frame; pixel (x, y) has its centre at (x, y), so keypoints are drawn where they are.

    Pixels are squares where the picture is enlarged threefold or by a whole number, and averaged where it shrinks.

    Args:
        ax: the axes.
        picture: (3 H W) RGB in [0, 1]; values outside are clipped.

    Raises:
        ValueError: the picture is not (3 H W).
    """
    pixels = as_array(picture)
    if pixels.ndim != 3 or pixels.shape[0] != 3:
        hint = " Channels come first: picture.permute(2, 0, 1)." if pixels.shape[-1:] == (3,) else ""
        hint = " Choose one of the batch: images[0]." if pixels.ndim == 4 else hint
        raise ValueError(f"picture must be (3, H, W), RGB in [0, 1]; got {pixels.shape}.{hint}")
    H, W = pixels.shape[1:]
    ax.set(xticks=[], yticks=[], xlim=(-0.5, W - 0.5), ylim=(H - 0.5, -0.5))
    ax.spines[:].set_visible(False)
    return ax.imshow(
        np.clip(np.nan_to_num(pixels), 0, 1).transpose(1, 2, 0), interpolation="auto", extent=_extent(H, W)
    )


def heatmap(
    ax: Axes, values: Map, *, limits: tuple[float, float] = (0.0, 1.0), label: str = "", bar: bool = True
) -> AxesImage:
    """Show a heatmap or a probability map, cell by cell: black is the lower limit.

    Args:
        ax: the axes; their coordinates are cells.
        values: (H W).
        limits: the values at both ends of the bar. Panels that are compared get the same, and one bar.
        label: what the values are, with their unit; it stands at the bar.
        bar: draw the bar.
    """
    return _cells(ax, values, HEAT, limits, label, bar)


def signed_map(ax: Axes, values: Map, *, limit: float, label: str = "", bar: bool = True) -> AxesImage:
    """Show values with a sign between −limit (blue) and +limit (red); white is zero. Arguments as for `heatmap`."""
    return _cells(ax, values, SIGNED, (-limit, limit), label, bar)


def uncertainty_map(
    ax: Axes, values: Map, *, limits: tuple[float, float], label: str = "", bar: bool = True
) -> AxesImage:
    """Show standard deviations, variances or entropies: yellow is uncertain. Arguments as for `heatmap`."""
    return _cells(ax, values, UNCERTAINTY, limits, label, bar)


def _cells(ax: Axes, values: Map, cmap: str, limits: tuple[float, float], label: str, bar: bool) -> AxesImage:
    """Show one number a cell as squares, with lines between the cells where there are few."""
    cells = as_array(values)
    if cells.ndim != 2:
        raise ValueError(f"a map must be (H, W); got {cells.shape}. Choose one keypoint of one image: heatmaps[0, 5].")
    if not limits[0] < limits[1]:
        raise ValueError(f"limits must be (lower, upper); got {limits}.")
    H, W = cells.shape
    with styled():
        shown = ax.imshow(
            cells, cmap=cmap, vmin=limits[0], vmax=limits[1], interpolation="nearest", extent=_extent(H, W)
        )
        if max(H, W) <= _MOST_CELLS_WITH_GRID:
            _grid(ax, H, W)
        if bar:
            beside = ax.inset_axes((1.03, 0.0, 0.05, 1.0))  # as high as the map, whatever its shape
            ax.get_figure().colorbar(shown, cax=beside, label=label)  # type: ignore[union-attr]
    return shown


def _grid(ax: Axes, H: int, W: int, **look: Any) -> LineCollection:
    """Draw the lines between cells, which lie half-way between whole numbers."""
    columns = [[(x - 0.5, -0.5), (x - 0.5, H - 0.5)] for x in range(W + 1)]
    rows = [[(-0.5, y - 0.5), (W - 0.5, y - 0.5)] for y in range(H + 1)]
    lines = LineCollection(columns + rows, colors="#888888", linewidths=0.4, zorder=1.5, **look)
    ax.add_collection(lines, autolim=False)
    return lines


def _extent(H: int, W: int) -> tuple[float, float, float, float]:
    """Return where the outer edges are: left, right, bottom, top."""
    return -0.5, W - 0.5, H - 0.5, -0.5
