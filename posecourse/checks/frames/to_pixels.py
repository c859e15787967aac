"""Known mistakes on the way from cells to pixels: (cell + ½) · s − ½.

Each is a function that makes it; its docstring is what the student reads.

Lesson: 00.
"""

import torch
from torch import Tensor

__all__ = ["COALS"]


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

    Whoever called it needs these cells still, to look them up in a map, say. `points *= stride` edits the caller's
    tensor, and `points = points * stride` makes a new one. Look for `+=`, `*=`, `-=` and functions whose name ends
    in `_`.
    """
    points += 0.5
    points *= stride
    points -= 0.5
    return points


def half_cell_subtracted(points: Tensor, stride: float) -> Tensor:
    """Every answer is one cell, s pixels, too small, which is what (cell − ½) · s − ½ gives.

    Both halves are there, and the first has the wrong sign. The edge lies half a cell *before* the centre of cell 0,
    so a cell's centre is half a cell further from it than its number says.
    """
    return (points - 0.5) * stride - 0.5


def half_pixel_added(points: Tensor, stride: float) -> Tensor:
    """Every answer is one pixel too large, which is what (cell + ½) · s + ½ gives.

    Both halves are there, and the second has the wrong sign. The way from the image's edge to the pixels' centres
    undoes what the first half did: try cell −½, the left edge, which must come out at −½.
    """
    return (points + 0.5) * stride + 0.5


def brackets_missing(points: Tensor, stride: float) -> Tensor:
    """The stride multiplies the half alone and not the cells, which is what cell + ½ · s − ½ gives.

    Products go before sums. Put brackets around what is to be multiplied: the cells and their half.
    """
    return points + 0.5 * stride - 0.5


def divided_without_halves(points: Tensor, stride: float) -> Tensor:
    """The answers shrink as the stride grows, as those of cell / s do.

    There are s pixels in a cell, so multiply. When that is done, look for the half cell: a cell's centre is at an
    integer, and the edge that both grids share is not.
    """
    return points / stride


def gaps_counted(points: Tensor, stride: float) -> Tensor:
    """The answers are those of (cell + ½) · (s − 1) − ½, as if a cell were s − 1 pixels wide.

    From the first centre to the last in a cell there are s − 1 steps, but the cell reaches half a pixel beyond both.
    The same slip makes W − 1 of an image's width W. Multiply by s.
    """
    return (points + 0.5) * (stride - 1) - 0.5


def gaps_counted_without_halves(points: Tensor, stride: float) -> Tensor:
    """The answers are cell · (s − 1), as if a cell were s − 1 pixels wide.

    From the first centre to the last in a cell there are s − 1 steps, but the cell reaches half a pixel beyond both.
    Multiply by s; then look for the half cell before the product, and for the half pixel after.
    """
    return points * (stride - 1)


def rounded_without_halves(points: Tensor, stride: float) -> Tensor:
    """Every answer is a whole number, that of round(cell · s).

    Converting a frame loses nothing, so that it can be undone: leave the rounding out. Then look for the halves, since
    cell · s alone is off by (s − 1) / 2 pixels.
    """
    return torch.round(points * stride)


def only_x_in_pixels(points: Tensor, stride: float) -> Tensor:
    """The x are right, and the y are in cells still.

    A cell is s pixels wide and s pixels high, so both coordinates are converted alike. The whole tensor can be
    converted at once; look for an index such as `[..., 0]`.
    """
    return torch.stack([(points[..., 0] + 0.5) * stride - 0.5, points[..., 1]], dim=-1)


def middle_rounded(points: Tensor, stride: float) -> Tensor:
    """The answers are those of cell · s + (s − 1) // 2: right for an odd stride, and wrong for the others.

    The middle of cell 0 is at pixel (s − 1) / 2. With four pixels in a cell that lies between two of them, at 1.5, and
    `//` makes it 1. Divide with `/`.
    """
    return points * stride + (stride - 1) // 2


def sixteen_always(points: Tensor, stride: float) -> Tensor:
    """The answers are right for a stride of 16, and have a stride of 16 in them for every other too.

    The notebook's own `STRIDE` is 16, and your function is asked for other grids as well. Use its argument `stride`.
    """
    return (points + 0.5) * 16 - 0.5


def unchanged(points: Tensor, stride: float) -> Tensor:
    """These are the points as they came in, in cells.

    Look whether what you have computed has a name, and whether that name is what you return:
    `points + 0.5` alone changes nothing.
    """
    return points.clone()


def half_added_after(points: Tensor, stride: float) -> Tensor:
    """The answers are those of cell · s + ½.

    There is one half, it is one of pixels, and it has the wrong sign. Count from the edge, half a cell before cell 0,
    then multiply, then go back from the image's edge to the centre of pixel 0.
    """
    return points * stride + 0.5


def middle_of_whole_pixels(points: Tensor, stride: float) -> Tensor:
    """The answers are those of cell · s + s // 2.

    The middle of cell 0 is at pixel (s − 1) / 2, since the first pixel's centre is at 0. Four pixels have theirs at 0,
    1, 2 and 3, so the middle is at 1.5, not at 2.
    """
    return points * stride + stride // 2


def half_subtracted_before(points: Tensor, stride: float) -> Tensor:
    """The answers are those of (cell − ½) · s.

    There is one half, it is one of cells, and it has the wrong sign. The edge lies half a cell *before* the centre of
    cell 0, so a cell's centre is half a cell further from it. Then look at what is missing after the product.
    """
    return (points - 0.5) * stride


def half_cell_in_pixels(points: Tensor, stride: float) -> Tensor:
    """The answers are those of (cell + s / 2) · s − ½.

    Both halves are there, and the first is in the wrong unit: half a cell is s / 2 *pixels*. Before the product
    everything is in cells, and half a cell is ½.
    """
    return (points + stride / 2) * stride - 0.5


def only_halves_undone(points: Tensor, stride: float) -> Tensor:
    """The answers shrink as the stride grows, as those of (cell − ½) / s + ½ do.

    The halves are undone where they stood, and the division is not. Undo all three steps, the last one first: it was
    to subtract ½, so begin by adding it.
    """
    return (points - 0.5) / stride + 0.5


def sixteen_without_halves(points: Tensor, stride: float) -> Tensor:
    """The answers are those of cell · 16, whatever the stride.

    The notebook's own `STRIDE` is 16, and your function is asked for other grids as well: use its argument `stride`.
    Then look for the half cell before the product, and for the half pixel after.
    """
    return points * 16


COALS = (
    no_half_cell,
    half_cell_before_only,
    half_pixel_after_only,
    half_cell_wrong_way,
    whole_pixels,
    divided_by_stride,
    pixels_exchanged,
    edits_cells,
    half_cell_subtracted,
    half_pixel_added,
    brackets_missing,
    divided_without_halves,
    gaps_counted,
    gaps_counted_without_halves,
    rounded_without_halves,
    only_x_in_pixels,
    middle_rounded,
    sixteen_always,
    unchanged,
    half_added_after,
    middle_of_whole_pixels,
    half_subtracted_before,
    half_cell_in_pixels,
    only_halves_undone,
    sixteen_without_halves,
)
