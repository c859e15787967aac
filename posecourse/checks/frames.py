"""Frames: from pixels to cells and back, with the half pixels that go missing on the way.

Each coal is a mistake; its docstring is what the student reads.

Lesson: 00.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from posecourse import coords
from posecourse.lesson import Exercise

__all__ = ["cells_to_pixels", "pixels_to_cells"]


def points_and_strides(generator: torch.Generator) -> Iterator[tuple[Tensor, float]]:
    """Yield points in an image twice as wide as high, alone and in batches, and strides that are never 1."""
    for shape, stride, dtype in (
        ((2,), 4.0, torch.float64),
        ((3, 2), 8.0, torch.float32),
        ((2, 5, 2), 2.5, torch.float64),
        ((2, 3, 7, 2), 16.0, torch.float32),
        ((1, 3, 2), 3.0, torch.float64),
    ):
        unit = torch.rand(shape, generator=generator, dtype=dtype)
        yield unit * unit.new_tensor([128, 64]) + unit.new_tensor([3, 5]), stride


# Pixels to cells: (px + ½) / s − ½.


def no_half_pixel(points: Tensor, stride: float) -> Tensor:
    """Every answer is too large by the same (s − 1) / 2s of a cell, which is what px / s gives.

    A pixel's centre is at an integer, so the image begins at −½, not at 0. Count from that edge before you divide,
    and go back from the edge of the cells to their centres after.
    """
    return points / stride


def half_pixel_before_only(points: Tensor, stride: float) -> Tensor:
    """Every answer is half a cell too large, which is what (px + ½) / s gives.

    You count from the image's edge, and that is right, but what comes out is counted from the edge of cell 0.
    The centre of cell 0 is half a cell further: look at what is missing after the division.
    """
    return (points + 0.5) / stride


def half_cell_after_only(points: Tensor, stride: float) -> Tensor:
    """Every answer is too small by 1 / 2s of a cell, which is what px / s − ½ gives.

    You go from the cells' edge to their centres, and that is right, but the pixels were never counted from the image's
    edge, which lies half a pixel before pixel 0: look at what is missing before the division.
    """
    return points / stride - 0.5


def half_pixel_wrong_way(points: Tensor, stride: float) -> Tensor:
    """Every answer is (s − 1) / s of a cell too large, which is what (px − ½) / s + ½ gives.

    Both halves are there, with their signs exchanged. Try pixel −½, the image's left edge: it must come out at −½ too.
    """
    return (points - 0.5) / stride + 0.5


def whole_cells(points: Tensor, stride: float) -> Tensor:
    """Every answer is a whole number: the nearest cell, where a place between two cells is asked for.

    Converting a frame loses nothing, so that it can be undone; rounding is a step of its own, and lesson 02 measures
    its price. Look for `round`, `floor` or `int` in your function.
    """
    return torch.round((points + 0.5) / stride - 0.5)


def integer_division(points: Tensor, stride: float) -> Tensor:
    """Every answer is a whole number, that of px // s.

    Integer division says in which cell a pixel is, not where in it. Divide with `/`, and mind the half pixel.
    """
    return torch.floor(points / stride)


def multiplied_by_stride(points: Tensor, stride: float) -> Tensor:
    """The answers grow with the stride, as those of (px + ½) · s − ½ do.

    That is the way back, from cells to pixels. Four pixels in a cell make four times fewer cells: divide.
    """
    return (points + 0.5) * stride - 0.5


def cells_exchanged(points: Tensor, stride: float) -> Tensor:
    """The numbers are right, but x stands in the place of y.

    A point is (x, y), column then row; only sizes and indices are (rows, columns). Look for a `flip`, or for
    two columns that are put together in the wrong order.
    """
    return ((points + 0.5) / stride - 0.5).flip(-1)


def gaps_counted(points: Tensor, stride: float) -> Tensor:
    """Every answer is too large by the factor s / (s − 1), as if a cell were s − 1 pixels wide.

    From the first centre to the last in a cell there are s − 1 steps, but the cell reaches half a pixel beyond both.
    The same slip makes W − 1 of an image's width W. Divide by s.
    """
    return (points + 0.5) / (stride - 1) - 0.5


def edits_pixels(points: Tensor, stride: float) -> Tensor:
    """The answer is right, but your function has overwritten the points that it was given.

    Whoever called it now has cells where pixels were. `points += 0.5` edits the caller's tensor, and
    `points = points + 0.5` makes a new one. Look for `+=`, `/=`, `-=` and functions whose name ends in `_`.
    """
    points += 0.5
    points /= stride
    points -= 0.5
    return points


# Cells to pixels: (cell + ½) · s − ½.


def no_half_cell(points: Tensor, stride: float) -> Tensor:
    """Every answer is too small by the same (s − 1) / 2 pixels, which is what cell · s gives.

    Cell 0 covers the pixels 0 … s − 1, so its centre is not at pixel 0 but in their middle. Count from the edge of
    the cells before you multiply, and go back to the pixels' centres after.
    """
    return points * stride


def half_cell_before_only(points: Tensor, stride: float) -> Tensor:
    """Every answer is half a pixel too large, which is what (cell + ½) · s gives.

    You count from the cells' edge, and that is right, but what comes out is counted from the image's edge, and pixel
    0 has its centre half a pixel further: look at what is missing after the product.
    """
    return (points + 0.5) * stride


def half_pixel_after_only(points: Tensor, stride: float) -> Tensor:
    """Every answer is half a cell, s / 2 pixels, too small, which is what cell · s − ½ gives.

    You go from the image's edge to the pixels' centres, and that is right, but the cells were never counted from
    their edge, half a cell before cell 0: look at what is missing before the product.
    """
    return points * stride - 0.5


def half_cell_wrong_way(points: Tensor, stride: float) -> Tensor:
    """Every answer is s − 1 pixels too small, which is what (cell − ½) · s + ½ gives.

    Both halves are there, with their signs exchanged. Try cell −½, the left edge: it must come out at −½ too.
    """
    return (points - 0.5) * stride + 0.5


def whole_pixels(points: Tensor, stride: float) -> Tensor:
    """Every answer is a whole number: the nearest pixel, where a place between two pixels is asked for.

    Converting a frame loses nothing, so that it can be undone. Look for `round`, `floor` or `int` in your function.
    """
    return torch.round((points + 0.5) * stride - 0.5)


def divided_by_stride(points: Tensor, stride: float) -> Tensor:
    """The answers shrink as the stride grows, as those of (cell + ½) / s − ½ do.

    That is the way there, from pixels to cells. There are s pixels in a cell: multiply.
    """
    return (points + 0.5) / stride - 0.5


def pixels_exchanged(points: Tensor, stride: float) -> Tensor:
    """The numbers are right, but x stands in the place of y.

    A point is (x, y), column then row; only sizes and indices are (rows, columns). Look for a `flip`, or for
    two columns that are put together in the wrong order.
    """
    return ((points + 0.5) * stride - 0.5).flip(-1)


def edits_cells(points: Tensor, stride: float) -> Tensor:
    """The answer is right, but your function has overwritten the points that it was given.

    Whoever called it now has pixels where cells were. `points *= stride` edits the caller's tensor, and
    `points = points * stride` makes a new one. Look for `+=`, `*=`, `-=` and functions whose name ends in `_`.
    """
    points += 0.5
    points *= stride
    points -= 0.5
    return points


pixels_to_cells = Exercise(
    reference=coords.pixels_to_cells,
    probe=points_and_strides,
    coals=[
        no_half_pixel,
        half_pixel_before_only,
        half_cell_after_only,
        half_pixel_wrong_way,
        whole_cells,
        integer_division,
        multiplied_by_stride,
        cells_exchanged,
        gaps_counted,
        edits_pixels,
    ],
)

cells_to_pixels = Exercise(
    reference=coords.cells_to_pixels,
    probe=points_and_strides,
    coals=[
        no_half_cell,
        half_cell_before_only,
        half_pixel_after_only,
        half_cell_wrong_way,
        whole_pixels,
        divided_by_stride,
        pixels_exchanged,
        edits_cells,
    ],
)
