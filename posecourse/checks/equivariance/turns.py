"""Known mistakes in a turn of points about the picture's centre.

Each is a function that makes it; its docstring is what the student reads.

Lesson: 07.
"""

import math

import torch
from torch import Tensor

from posecourse.shapes import Size
from posecourse.transforms import rotate_keypoints

__all__ = ["COALS"]


def _centre(points: Tensor, size: Size) -> Tensor:
    H, W = size
    return points.new_tensor([(W - 1) / 2, (H - 1) / 2])


def _turned(away: Tensor, degrees: float) -> Tensor:
    """Turn differences (x, y) counter-clockwise on the screen."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y = away.unbind(-1)
    return torch.stack([c * x + s * y, -s * x + c * y], dim=-1)


def _about(points: Tensor, degrees: float, centre: Tensor) -> Tensor:
    return centre + _turned(points - centre, degrees)


def clockwise(points: Tensor, degrees: float, size: Size) -> Tensor:
    """The points turn clockwise: this is the formula of a blackboard, where y points up.

    In a picture y points down, which turns the sense of every angle. What is right of the centre shall go *up*, to
    smaller y: the two signs of the sine change places.
    """
    return rotate_keypoints(points, -degrees, size)


def about_the_corner(points: Tensor, degrees: float, size: Size) -> Tensor:
    """The points turn about (0, 0), the upper left pixel, and most of them leave the picture.

    Subtract the centre, turn, add the centre again.
    """
    return _turned(points, degrees)


def about_half_of_the_size(points: Tensor, degrees: float, size: Size) -> Tensor:
    """The points turn about (W / 2, H / 2), which is half a pixel too far right and down.

    Pixel centres are at 0 … W − 1, so their middle is (W − 1) / 2. At a half turn every point is a whole pixel off
    along each axis: little enough to be overlooked, and more than a good network errs.
    """
    return _about(points, degrees, _centre(points, size) + 0.5)


def about_a_whole_pixel(points: Tensor, degrees: float, size: Size) -> Tensor:
    """The points turn about (W // 2, H // 2): right where W and H are odd, half a pixel off where one is even.

    The middle of columns 0 to 33 is 16.5, between two pixels. Divide with `/`: (W − 1) / 2.
    """
    H, W = size
    return _about(points, degrees, points.new_tensor([W // 2, H // 2]))


def about_a_pixel_before_the_middle(points: Tensor, degrees: float, size: Size) -> Tensor:
    """The centre is ((W − 1) // 2, (H − 1) // 2), half a pixel off where a side is even: divide with `/`.

    The middle of columns 0 to 33 is 16.5, between two pixels; `//` makes it 16.
    """
    H, W = size
    return _about(points, degrees, points.new_tensor([(W - 1) // 2, (H - 1) // 2]))


def size_exchanged(points: Tensor, degrees: float, size: Size) -> Tensor:
    """The points turn about ((H − 1) / 2, (W − 1) / 2): height and width are exchanged.

    A size is (H, W) and a point is (x, y): x belongs to W. On a square picture nobody would notice.
    """
    return _about(points, degrees, _centre(points, size).flip(-1))


def degrees_taken_for_radians(points: Tensor, degrees: float, size: Size) -> Tensor:
    """The angle went into sine and cosine as it came, in degrees; they take radians.

    37 radians are almost six turns. `math.radians` or `torch.deg2rad` converts.
    """
    return rotate_keypoints(points, math.degrees(degrees), size)


def centre_not_added(points: Tensor, degrees: float, size: Size) -> Tensor:
    """The answers are differences from the centre: it was subtracted before the turn and not added after.

    A turn about c is p' = c + R(p − c). Look for the second c.
    """
    return _turned(points - _centre(points, size), degrees)


def centre_not_subtracted(points: Tensor, degrees: float, size: Size) -> Tensor:
    """The points turn about (0, 0), and then the centre is added: it was not subtracted before the turn.

    A turn about c is p' = c + R(p − c). The centre itself must stay where it is; here it does not.
    """
    return _centre(points, size) + _turned(points, degrees)


def both_sines_alike(points: Tensor, degrees: float, size: Size) -> Tensor:
    """Both sines have the same sign, so this is no turn: it stretches along one diagonal and squeezes along the other.

    Of x' = cos·x + sin·y and y' = −sin·x + cos·y, one sine has a minus, or distances do not stay what they are.
    """
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y = (points - _centre(points, size)).unbind(-1)
    return _centre(points, size) + torch.stack([c * x + s * y, s * x + c * y], dim=-1)


def both_sines_negative(points: Tensor, degrees: float, size: Size) -> Tensor:
    """Both sines have a minus, so this is no turn: it stretches along one diagonal and squeezes along the other.

    Of x' = cos·x + sin·y and y' = −sin·x + cos·y, only the second has a minus, or distances do not stay what they are.
    """
    return both_sines_alike(points, -degrees, size)


def y_flipped_and_not_back(points: Tensor, degrees: float, size: Size) -> Tensor:
    """The y axis was flipped to point up, and never flipped back: the answers are upside down.

    With y up the blackboard's formula turns counter-clockwise. Afterwards y has to point down again, as the picture's
    does: y' = centre − (new y).
    """
    H, _ = size
    x, y = rotate_keypoints(points, degrees, size).unbind(-1)
    return torch.stack([x, H - 1 - y], dim=-1)


def sine_and_cosine_exchanged(points: Tensor, degrees: float, size: Size) -> Tensor:
    """Sine and cosine have changed places: at 0° the points would not stay where they are.

    At 0° the cosine is 1: it stands before the old x in the new x, and before the old y in the new y.
    """
    return rotate_keypoints(points, 90 - degrees, size)


def new_x_for_the_old(points: Tensor, degrees: float, size: Size) -> Tensor:
    """The new x is right, and the new y was computed from it: x had been overwritten before y was its turn.

    y' = −sin·x + cos·y wants the *old* x. Give the new coordinates names of their own.
    """
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y = (points - _centre(points, size)).unbind(-1)
    x = c * x + s * y
    return _centre(points, size) + torch.stack([x, -s * x + c * y], dim=-1)


def row_before_column(points: Tensor, degrees: float, size: Size) -> Tensor:
    """The right numbers as (y, x), where a point is (x, y).

    Look for the line that puts the two together: x comes first.
    """
    return rotate_keypoints(points, degrees, size).flip(-1)


COALS = (
    clockwise,
    about_the_corner,
    about_half_of_the_size,
    about_a_whole_pixel,
    about_a_pixel_before_the_middle,
    size_exchanged,
    degrees_taken_for_radians,
    centre_not_added,
    centre_not_subtracted,
    both_sines_alike,
    both_sines_negative,
    y_flipped_and_not_back,
    sine_and_cosine_exchanged,
    new_x_for_the_old,
    row_before_column,
)
