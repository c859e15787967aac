"""Known mistakes in the mirror image of a person's keypoints.

Each is a function that makes it; its docstring is what the student reads.

Lesson: 07.
"""

import torch
from torch import Tensor

from posecourse.shapes import Size
from posecourse.skeletons import Skeleton
from posecourse.transforms import flip_keypoints

__all__ = ["COALS"]


def _swapped(points: Tensor, skeleton: Skeleton) -> Tensor:
    return points[..., list(skeleton.swap), :]


def _mirrored(points: Tensor, size: Size) -> Tensor:
    x, y = points.unbind(-1)
    return torch.stack([size[1] - 1 - x, y], dim=-1)


def sides_not_swapped(points: Tensor, size: Size, skeleton: Skeleton) -> Tensor:
    """The places are mirrored, and the left wrist is still called the left one: in a mirror it is the right one.

    A network that is trained on such labels learns that left and right are the same, and answers between both.
    `skeleton.swap` holds, for every keypoint, which one takes its place.
    """
    return _mirrored(points, size)


def mirrored_about_the_edge(points: Tensor, size: Size, skeleton: Skeleton) -> Tensor:
    """Every point is one pixel too far right: x' = W − x, and the last pixel is at W − 1.

    Pixel 0 has to become pixel W − 1, or the labels are a pixel beside the mirrored picture.
    """
    return flip_keypoints(points, (size[0], size[1] + 1), skeleton)


def not_mirrored(points: Tensor, size: Size, skeleton: Skeleton) -> Tensor:
    """Left and right have changed names, and no point has moved: x' = W − 1 − x is missing.

    The picture is mirrored, so places are, too.
    """
    return _swapped(points, skeleton)


def upside_down(points: Tensor, size: Size, skeleton: Skeleton) -> Tensor:
    """The points were turned upside down: y became H − 1 − y, and a mirror changes x.

    A point is (x, y), so x is `points[..., 0]`.
    """
    x, y = _swapped(points, skeleton).unbind(-1)
    return torch.stack([x, size[0] - 1 - y], dim=-1)


def turned_not_mirrored(points: Tensor, size: Size, skeleton: Skeleton) -> Tensor:
    """Both coordinates were reversed: that is a half turn, and a mirror leaves y alone.

    Subtracting the whole point from the size does it. Change x only.
    """
    x, y = _swapped(points, skeleton).unbind(-1)
    return torch.stack([size[1] - 1 - x, size[0] - 1 - y], dim=-1)


def height_for_width(points: Tensor, size: Size, skeleton: Skeleton) -> Tensor:
    """The points were mirrored about the middle of the *height*: x' = H − 1 − x.

    A size is (H, W): W is `size[1]`. On a square picture nobody would notice.
    """
    return flip_keypoints(points, size[::-1], skeleton)


def about_zero(points: Tensor, size: Size, skeleton: Skeleton) -> Tensor:
    """The new x is −x: mirrored about the left edge, and now outside of the picture.

    The mirror stands in the middle: x' = W − 1 − x.
    """
    return flip_keypoints(points, (size[0], 1), skeleton)


def order_reversed(points: Tensor, size: Size, skeleton: Skeleton) -> Tensor:
    """The keypoints come in the reverse order, the last first: `flip` of the axis of keypoints is no exchange of sides.

    The nose stays where it is in the list, and each left one changes places with its own right one:
    `points[..., skeleton.swap, :]`.
    """
    return _mirrored(points, size).flip(-2)


def neighbours_swapped(points: Tensor, size: Size, skeleton: Skeleton) -> Tensor:
    """Keypoints 1 and 2, 3 and 4 and so on were exchanged, as if every skeleton were COCO's.

    In other data the left one and its right one do not stand side by side. Ask the skeleton: `skeleton.swap`.
    """
    order = list(range(len(skeleton)))
    for i in range(1, len(order) - 1, 2):
        order[i], order[i + 1] = order[i + 1], order[i]
    return _mirrored(points, size)[..., order, :]


def both_from_one_side(points: Tensor, size: Size, skeleton: Skeleton) -> Tensor:
    """Left and right are at the same place: one was overwritten before the other was fetched.

    `a = b; b = a` gives two b. Fetch all at once, `points[..., skeleton.swap, :]`, which makes a copy.
    """
    order = [max(index, twin) for index, twin in enumerate(skeleton.swap)]
    return _mirrored(points, size)[..., order, :]


def x_from_the_twin_alone(points: Tensor, size: Size, skeleton: Skeleton) -> Tensor:
    """The x comes from the twin and the y does not: every pair's wrists have changed columns and kept their rows.

    A keypoint changes places with its twin as a whole. Fetch the twin's points, (x, y), and then mirror their x.
    """
    return torch.stack([flip_keypoints(points, size, skeleton)[..., 0], points[..., 1]], dim=-1)


def row_before_column(points: Tensor, size: Size, skeleton: Skeleton) -> Tensor:
    """The right numbers as (y, x), where a point is (x, y).

    Look for the line that puts the two together: x comes first.
    """
    return flip_keypoints(points, size, skeleton).flip(-1)


COALS = (
    sides_not_swapped,
    mirrored_about_the_edge,
    not_mirrored,
    upside_down,
    turned_not_mirrored,
    height_for_width,
    about_zero,
    order_reversed,
    neighbours_swapped,
    both_from_one_side,
    x_from_the_twin_alone,
    row_before_column,
)
