"""A quarter of a cell towards the higher neighbour, and on to pixels. Each coal is a mistake with its diagnosis."""

import torch
from torch import Tensor

__all__ = ["COALS", "quarter_offset"]


def _differences(patches: Tensor) -> Tensor:
    """Return right less left and lower less upper neighbour, (*B 2)."""
    return torch.stack([patches[..., 1, 2] - patches[..., 1, 0], patches[..., 2, 1] - patches[..., 0, 1]], dim=-1)


def _in_pixels(cells: Tensor, stride: float) -> Tensor:
    return (cells + 0.5) * stride - 0.5


def quarter_offset(cells: Tensor, patches: Tensor, stride: float) -> Tensor:
    """Return the largest cells, moved by a quarter of a cell towards the higher neighbours, in pixels."""
    return _in_pixels(cells + _differences(patches).sign() / 4, stride)


def wrong_way(cells: Tensor, patches: Tensor, stride: float) -> Tensor:
    """Every point is moved away from the higher neighbour: the sign is the wrong one.

    The summit leans towards the higher side, so a higher right neighbour means +¼. Take right less left, and lower
    less upper, since y grows downward.
    """
    return _in_pixels(cells - _differences(patches).sign() / 4, stride)


def axes_exchanged(cells: Tensor, patches: Tensor, stride: float) -> Tensor:
    """The moves are right, but that of x went to y and that of y to x.

    A patch is indexed [row, column]: the neighbours to the left and right are `patches[..., 1, 0]` and
    `patches[..., 1, 2]`, those above and below are `[..., 0, 1]` and `[..., 2, 1]`.
    """
    return _in_pixels(cells + _differences(patches).sign().flip(-1) / 4, stride)


def a_quarter_pixel(cells: Tensor, patches: Tensor, stride: float) -> Tensor:
    """The move is a quarter of a *pixel*: it was added after the cells had become pixels, and the stride was forgotten.

    With stride 1 nobody would notice. Add the quarter while you are still in cells, then convert once.
    """
    return _in_pixels(cells, stride) + _differences(patches).sign() / 4


def stride_twice(cells: Tensor, patches: Tensor, stride: float) -> Tensor:
    """The move is too large by a factor of the stride: it was multiplied by the stride, and then converted as well.

    A quarter of a cell is ¼ in cells. Add it to the cell, and let one conversion take both to pixels.
    """
    return _in_pixels(cells + stride * _differences(patches).sign() / 4, stride)


def halves_forgotten(cells: Tensor, patches: Tensor, stride: float) -> Tensor:
    """Every point lies too far to the left and too high by (s − 1)/2: this is cell·s, with no half pixel in it.

    Cell 0 covers the pixels 0 … s − 1, and its centre is at (s − 1)/2, not at 0. On the way from cells to pixels add
    a half before the product and take a half away after it.
    """
    return (cells + _differences(patches).sign() / 4) * stride


def half_too_far(cells: Tensor, patches: Tensor, stride: float) -> Tensor:
    """Every point lies half a pixel too far right and too low: two conventions are mixed.

    (cell + ½)·s counts from the picture's edge. In our frame that edge is at −½, since a pixel's *centre* is at a whole
    number. Take the last half away.
    """
    return _in_pixels(cells + _differences(patches).sign() / 4, stride) + 0.5


def still_in_cells(cells: Tensor, patches: Tensor, stride: float) -> Tensor:
    """The moved points are right, but they are still in cells, and pixels were asked for.

    The stride was given and is not used. Lesson 00 has the way: px = (cell + ½)·s − ½.
    """
    return cells + _differences(patches).sign() / 4


def by_the_difference(cells: Tensor, patches: Tensor, stride: float) -> Tensor:
    """The moves are not ±¼: the difference of the neighbours itself was used, and only its sign was asked for.

    How large the difference is hangs on the height and the width of the blob, which this decoder does not know. Look
    for a missing `sign()`.
    """
    return _in_pixels(cells + _differences(patches) / 4, stride)


def half_a_cell(cells: Tensor, patches: Tensor, stride: float) -> Tensor:
    """The moves are ±½ of a cell where ±¼ was asked for.

    Half a cell lands on the edge to the neighbour, where the keypoint is only at worst. The summit is somewhere in the
    half of the cell on the higher side, and the middle of that half is a quarter away.
    """
    return _in_pixels(cells + _differences(patches).sign() / 2, stride)


def ties_go_up_left(cells: Tensor, patches: Tensor, stride: float) -> Tensor:
    """Right wherever one neighbour is higher; where both are equal, the point is moved left or up all the same.

    A comparison has two outcomes, and there are three: higher, lower, equal. A map about a rounded place ties, and
    nothing says on which side the summit is. `sign()` gives 0 there; a `where` needs a second `where`.
    """
    return _in_pixels(cells + torch.where(_differences(patches) > 0, 0.25, -0.25).to(cells.dtype), stride)


def ties_go_down_right(cells: Tensor, patches: Tensor, stride: float) -> Tensor:
    """Right wherever one neighbour is higher; where both are equal, the point is moved right or down all the same.

    A comparison has two outcomes, and there are three: higher, lower, equal. A map about a rounded place ties, and
    nothing says on which side the summit is. `sign()` gives 0 there; a `where` needs a second `where`.
    """
    return _in_pixels(cells + torch.where(_differences(patches) >= 0, 0.25, -0.25).to(cells.dtype), stride)


COALS = [
    wrong_way,
    axes_exchanged,
    a_quarter_pixel,
    stride_twice,
    halves_forgotten,
    half_too_far,
    still_in_cells,
    by_the_difference,
    half_a_cell,
    ties_go_up_left,
    ties_go_down_right,
]
