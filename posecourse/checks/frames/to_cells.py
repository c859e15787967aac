"""Known mistakes on the way from pixels to cells: (px + ½) / s − ½.

Each is a function that makes it; its docstring is what the student reads.

Lesson: 00.
"""

import torch
from torch import Tensor

__all__ = ["COALS"]


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

    Whoever called it needs these pixels still, to draw them, say. `points += 0.5` edits the caller's tensor, and
    `points = points + 0.5` makes a new one. Look for `+=`, `/=`, `-=` and functions whose name ends in `_`.
    """
    points += 0.5
    points /= stride
    points -= 0.5
    return points


def half_pixel_subtracted(points: Tensor, stride: float) -> Tensor:
    """Every answer is too small by 1 / s of a cell, which is what (px − ½) / s − ½ gives.

    Both halves are there, and the first has the wrong sign. The image's edge lies half a pixel *before* pixel 0, so a
    pixel's centre is half a pixel further from it than its number says.
    """
    return (points - 0.5) / stride - 0.5


def half_cell_added(points: Tensor, stride: float) -> Tensor:
    """Every answer is one cell too large, which is what (px + ½) / s + ½ gives.

    Both halves are there, and the second has the wrong sign. The way from the cells' edge to their centres undoes what
    the first half did: try pixel −½, the image's left edge, which must come out at −½.
    """
    return (points + 0.5) / stride + 0.5


def brackets_missing(points: Tensor, stride: float) -> Tensor:
    """The stride divides the half alone and not the pixels, which is what px + ½ / s − ½ gives.

    Division goes before addition. Put brackets around what is to be divided: the pixels and their half.
    """
    return points + 0.5 / stride - 0.5


def multiplied_without_halves(points: Tensor, stride: float) -> Tensor:
    """The answers grow with the stride, as those of px · s do.

    Four pixels in a cell make four times fewer cells, so divide. When that is done, look for the half pixel: a pixel's
    centre is at an integer, and the image's edge is not.
    """
    return points * stride


def gaps_counted_without_halves(points: Tensor, stride: float) -> Tensor:
    """The answers are px / (s − 1), as if a cell were s − 1 pixels wide.

    From the first centre to the last in a cell there are s − 1 steps, but the cell reaches half a pixel beyond both.
    Divide by s; then look for the half pixel before the division, and for the half cell after.
    """
    return points / (stride - 1)


def rounded_without_halves(points: Tensor, stride: float) -> Tensor:
    """Every answer is a whole number, that of round(px / s).

    Converting a frame loses nothing, so that it can be undone: leave the rounding out. Then look for the halves, since
    px / s alone is off by (s − 1) / 2s of a cell.
    """
    return torch.round(points / stride)


def rounded_up(points: Tensor, stride: float) -> Tensor:
    """Every answer is a whole number, that of px / s rounded up.

    A place between two cells is asked for, so nothing is rounded. What rounding was to mend is the half pixel: look
    at where the image's edge is, and where pixel 0 has its centre.
    """
    return torch.ceil(points / stride)


def only_x_in_cells(points: Tensor, stride: float) -> Tensor:
    """The x are right, and the y are in pixels still.

    A cell is s pixels wide and s pixels high, so both coordinates are converted alike. The whole tensor can be
    converted at once; look for an index such as `[..., 0]`.
    """
    return torch.stack([(points[..., 0] + 0.5) / stride - 0.5, points[..., 1]], dim=-1)


def middle_rounded(points: Tensor, stride: float) -> Tensor:
    """The answers are those of (px − (s − 1) // 2) / s: right for an odd stride, and wrong for the others.

    The middle of cell 0 is at pixel (s − 1) / 2. With four pixels in a cell that lies between two of them, at 1.5, and
    `//` makes it 1. Divide with `/`.
    """
    return (points - (stride - 1) // 2) / stride


def sixteen_always(points: Tensor, stride: float) -> Tensor:
    """The answers are right for a stride of 16, and have a stride of 16 in them for every other too.

    The notebook's own `STRIDE` is 16, and your function is asked for other grids as well. Use its argument `stride`.
    """
    return (points + 0.5) / 16 - 0.5


def unchanged(points: Tensor, stride: float) -> Tensor:
    """These are the points as they came in, in pixels.

    Look whether what you have computed has a name, and whether that name is what you return:
    `points + 0.5` alone changes nothing.
    """
    return points.clone()


def half_added_after(points: Tensor, stride: float) -> Tensor:
    """The answers are those of px / s + ½.

    There is one half, it is one of cells, and it has the wrong sign. Count from the image's edge, half a pixel before
    pixel 0, then divide, then go back from the edge of cell 0 to its centre.
    """
    return points / stride + 0.5


def middle_of_whole_pixels(points: Tensor, stride: float) -> Tensor:
    """The answers are those of (px − s // 2) / s.

    The middle of cell 0 is at pixel (s − 1) / 2, since the first pixel's centre is at 0. Four pixels have theirs at 0,
    1, 2 and 3, so the middle is at 1.5, not at 2.
    """
    return (points - stride // 2) / stride


def half_subtracted_before(points: Tensor, stride: float) -> Tensor:
    """The answers are those of (px − ½) / s.

    There is one half, it is one of pixels, and it has the wrong sign. The image's edge lies half a pixel *before* pixel
    0, so a pixel's centre is half a pixel further from it. Then look at what is missing after the division.
    """
    return (points - 0.5) / stride


def half_cell_in_pixels(points: Tensor, stride: float) -> Tensor:
    """The answers are those of (px + ½) / s − s / 2.

    Both halves are there, and the second is in the wrong unit: half a cell is s / 2 *pixels*. After the division
    everything is in cells, and half a cell is ½.
    """
    return (points + 0.5) / stride - stride / 2


def sixteen_without_halves(points: Tensor, stride: float) -> Tensor:
    """The answers are those of px / 16, whatever the stride.

    The notebook's own `STRIDE` is 16, and your function is asked for other grids as well: use its argument `stride`.
    Then look for the half pixel before the division, and for the half cell after.
    """
    return points / 16


COALS = (
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
    half_pixel_subtracted,
    half_cell_added,
    brackets_missing,
    multiplied_without_halves,
    gaps_counted_without_halves,
    rounded_without_halves,
    rounded_up,
    only_x_in_cells,
    middle_rounded,
    sixteen_always,
    unchanged,
    half_added_after,
    middle_of_whole_pixels,
    half_subtracted_before,
    half_cell_in_pixels,
    sixteen_without_halves,
)
