"""Frames: what a place is called in pixels, cells and the unit square."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from torch.nn import functional

from posecourse import coords

strides = st.sampled_from([0.5, 2.0, 3.0, 4.0, 7.5, 16.0])
shapes = st_numpy.array_shapes(min_dims=0, max_dims=3, max_side=3)


def places(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """Random points on an image of about 100 pixels."""
    random = torch.rand(*shape, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return (100 * random).to(dtype)


@pytest.mark.parametrize("stride", [1, 2, 3, 4, 8])
def test_a_cell_s_centre_is_the_mean_of_its_pixels(stride: int) -> None:
    """Does cell i cover the pixels i·s … (i + 1)·s − 1, so that average pooling of x is x of the cell's centre?"""
    pixels = coords.cell_grid((3 * stride, 5 * stride), dtype=torch.float64)  # each pixel's own (x, y)
    pooled = functional.avg_pool2d(pixels.permute(2, 0, 1), stride).permute(1, 2, 0)
    centres = coords.cell_grid((3, 5), dtype=torch.float64)
    torch.testing.assert_close(coords.cells_to_pixels(centres, float(stride)), pooled)
    torch.testing.assert_close(coords.pixels_to_cells(pooled, float(stride)), centres)


@pytest.mark.parametrize("stride", [2, 4, 8])
def test_the_edges_of_the_image_are_the_edges_of_the_map(stride: int) -> None:
    """Do −½ and W − ½ go to −½ and W/s − ½, in the unit square to 0 and 1?"""
    H, W = 3 * stride, 5 * stride
    corners = torch.tensor([[-0.5, -0.5], [W - 0.5, H - 0.5]])
    assert coords.pixels_to_cells(corners, float(stride)).tolist() == [[-0.5, -0.5], [4.5, 2.5]]
    assert coords.pixels_to_unit(corners, (H, W)).tolist() == [[0, 0], [1, 1]]


@given(shape=shapes, stride=strides, dtype=st.sampled_from([torch.float32, torch.float64]))
def test_there_and_back(shape: tuple[int, ...], stride: float, dtype: torch.dtype) -> None:
    """Do both pairs undo each other for any shape and stride, keep the dtype and leave the argument alone?"""
    points = places(*shape, dtype=dtype)
    before = points.clone()
    cells = coords.pixels_to_cells(points, stride)
    unit = coords.pixels_to_unit(points, (5, 7))
    assert cells.dtype == unit.dtype == dtype
    torch.testing.assert_close(coords.cells_to_pixels(cells, stride), points)
    torch.testing.assert_close(coords.unit_to_pixels(unit, (5, 7)), points)
    assert points.equal(before)


def test_two_strides_in_a_row_are_one() -> None:
    """Is a map of stride 2 of a map of stride 4 a map of stride 8?"""
    points = places(2, 3)
    twice = coords.pixels_to_cells(coords.pixels_to_cells(points, 4.0), 2.0)
    torch.testing.assert_close(twice, coords.pixels_to_cells(points, 8.0))


def test_the_unit_square_does_not_know_the_resolution() -> None:
    """Has a place the same unit coordinates on the image and on its map, x by the width and y by the height?"""
    points = places(2, 3)
    image = coords.pixels_to_unit(points, (12, 20))
    torch.testing.assert_close(image, coords.pixels_to_unit(coords.pixels_to_cells(points, 4.0), (3, 5)))
    torch.testing.assert_close(image[..., 0], (points[..., 0] + 0.5) / 20)


def test_the_grid_is_column_then_row() -> None:
    """Is grid[row, column] equal to (column, row), in the dtype asked for?"""
    grid = coords.cell_grid((5, 7), dtype=torch.float64)
    assert (grid.shape, grid.dtype) == ((5, 7, 2), torch.float64)
    assert grid[4, 6].tolist() == [6, 4]
    assert grid[1, 5].tolist() == [5, 1]


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: coords.pixels_to_cells(torch.zeros(17, 3), 4), ValueError, "Drop the visibility column"),
        (lambda: coords.cells_to_pixels(torch.zeros(17), 4), ValueError, r"must be \(\.\.\., 2\)"),
        (lambda: coords.pixels_to_cells(torch.zeros(17, 2).long(), 4), TypeError, r"Call \.float"),
        (lambda: coords.pixels_to_cells(torch.zeros(17, 2), 0), ValueError, "stride must be positive"),
        (lambda: coords.cells_to_pixels(torch.zeros(17, 2), float("nan")), ValueError, "stride must be positive"),
        (lambda: coords.pixels_to_unit(torch.zeros(17, 2), (5,)), ValueError, "rows, then columns"),
        (lambda: coords.unit_to_pixels(torch.zeros(17, 2), (5, -7)), ValueError, "rows, then columns"),
        (lambda: coords.cell_grid((5, 7.5)), ValueError, "rows, then columns"),
    ],
)
def test_a_mistake_is_named(call: Callable[[], object], error: type[Exception], message: str) -> None:
    """Does each wrong argument raise an error that says what to do?"""
    with pytest.raises(error, match=message):
        call()
