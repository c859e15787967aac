"""The one place where a point changes its frame: pixels, cells of a coarser grid, the unit square.

A pixel's centre is at integer coordinates, so an image of width W reaches from x = −½ to x = W − ½. Cell i of
stride s covers the pixels [i·s, (i + 1)·s); its centre lies at pixel i·s + (s − 1)/2.

Lesson: 00 introduces the frames, 02 shows what a forgotten half pixel costs.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.shapes import checked_size, require_points, require_positive

__all__ = ["cell_grid", "cells_to_pixels", "pixels_to_cells", "pixels_to_unit", "unit_to_pixels"]


def pixels_to_cells(points: Float[Tensor, "*B 2"], stride: float) -> Float[Tensor, "*B 2"]:
    """Convert (x, y) in pixels to (x, y) in cells: cell = (px + ½) / s − ½.

    Args:
        points: (x, y) in pixels.
        stride: s, pixels per cell; positive, need not be whole.

    Returns:
        (x, y) in cells, not rounded: rounding is quantization, and lesson 02 measures it.

    Raises:
        ValueError: `points` is not (..., 2), or `stride` is not positive and finite.

    Lesson: 00, exercise `pixels_to_cells`.
    """
    require_points(points)
    require_positive(stride, "stride")
    return (points + 0.5) / stride - 0.5


def cells_to_pixels(points: Float[Tensor, "*B 2"], stride: float) -> Float[Tensor, "*B 2"]:
    """Convert (x, y) in cells to (x, y) in pixels: px = (cell + ½) · s − ½. Undoes `pixels_to_cells`.

    Args:
        points: (x, y) in cells.
        stride: s, pixels per cell; positive, need not be whole.

    Raises:
        ValueError: `points` is not (..., 2), or `stride` is not positive and finite.
    """
    require_points(points)
    require_positive(stride, "stride")
    return (points + 0.5) * stride - 0.5


def pixels_to_unit(points: Float[Tensor, "*B 2"], size: Sequence[int]) -> Float[Tensor, "*B 2"]:
    """Convert (x, y) in pixels to the unit square: the image's left edge is 0, its right edge 1, likewise y.

    The edges lie at −½ and W − ½, so unit = (px + ½) / (W, H); the same place has the same unit coordinates at
    every resolution.

    Args:
        points: (x, y) in pixels.
        size: (H, W) of the image in pixels.

    Raises:
        ValueError: `points` is not (..., 2), or `size` is not (H, W).
    """
    require_points(points)
    return (points + 0.5) / _width_height(points, size)


def unit_to_pixels(points: Float[Tensor, "*B 2"], size: Sequence[int]) -> Float[Tensor, "*B 2"]:
    """Convert (x, y) in the unit square to pixels: px = unit · (W, H) − ½. Undoes `pixels_to_unit`.

    Args:
        points: (x, y) between 0 and 1 inside the image.
        size: (H, W) of the image in pixels.

    Raises:
        ValueError: `points` is not (..., 2), or `size` is not (H, W).
    """
    require_points(points)
    return points * _width_height(points, size) - 0.5


def cell_grid(
    size: Sequence[int], *, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> Float[Tensor, "H W 2"]:
    """Return the centre (x, y) of every cell of a map: `cell_grid(size)[row, column] == (column, row)`.

    Args:
        size: (H, W) of the map in cells.
        dtype: of the result.
        device: of the result.

    Raises:
        ValueError: `size` is not (H, W).
    """
    H, W = checked_size(size)
    y, x = torch.meshgrid(
        torch.arange(H, dtype=dtype, device=device),
        torch.arange(W, dtype=dtype, device=device),
        indexing="ij",
    )
    return torch.stack([x, y], dim=-1)


def _width_height(points: Tensor, size: Sequence[int]) -> Tensor:
    """Return (W, H), the order of a point, as a tensor like `points`."""
    H, W = checked_size(size)
    return points.new_tensor([W, H])
