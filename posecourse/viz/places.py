"""Where one point is, in pixels, in cells and in the unit square: the numbers behind a picture of frames.

Lesson: 00.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch

from posecourse import coords
from posecourse.shapes import checked_size

__all__ = ["Place", "conversions", "describe_frames", "number", "place"]


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
    cell = coords.pixels_to_cells(point, float(stride)).tolist()
    unit = coords.pixels_to_unit(point, (H, W)).tolist()
    return Place(
        (x, y), (cell[0], cell[1]), (unit[0], unit[1]), (_covering(x), _covering(y)),
        (_covering(cell[0]), _covering(cell[1])), (H, W), stride,
    )  # fmt: skip


def _covering(coordinate: float) -> int:
    """Return which pixel or cell covers a coordinate: number i covers [i − ½, i + ½)."""
    return math.floor(coordinate + 0.5)


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


def conversions(where: Place) -> list[str]:
    """Return x and y in pixels and in cells; not the formula between them, which lesson 00 asks for."""
    return [
        f"{axis}: {number(px, 2)} px is cell {number(cell)}"
        for axis, px, cell in zip("xy", where.px, where.cell, strict=True)
    ]


def _pair(point: tuple[float, float], decimals: int = 3) -> str:
    return f"({number(point[0], decimals)}, {number(point[1], decimals)})"


def number(value: float, decimals: int = 3) -> str:
    """Return a coordinate with a true minus sign; halves go up, as by hand, and zero has no sign."""
    return f"{round(value + 1e-9, decimals) + 0.0:.{decimals}f}".replace("-", "−")
