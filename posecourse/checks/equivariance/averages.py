"""Known mistakes in an average over the four quarter turns.

Each is a function that makes it; its docstring is what the student reads.

Lesson: 07.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from posecourse.equivariance import group_average, turn, turn_keypoints
from posecourse.shapes import Estimator, Size
from posecourse.transforms import rotate, rotate_keypoints

__all__ = ["COALS"]

_QUARTERS = (0, 90, 180, 270)

Back = Callable[[Tensor, int, Size], Tensor]
"""Takes answers, by how much the picture was turned, and the turned picture's size, to answers upright."""


def _averaged(model: Estimator, images: Tensor, back: Back, quarters: Iterable[int] = _QUARTERS) -> Tensor:
    found = []
    for degrees in quarters:
        turned = turn(images, degrees)
        found.append(back(model.predict(turned), degrees, (turned.shape[-2], turned.shape[-1])))
    return torch.stack(found).mean(0)


def _right(points: Tensor, degrees: int, size: Size) -> Tensor:
    return turn_keypoints(points, -degrees, size)


def averaged_before_turning_back(model: Estimator, images: Tensor) -> Tensor:
    """The answers were averaged as they came, each in the frame of its own turned picture.

    The mean of a head above, beside and below is nowhere. Turn every answer back into the upright picture *first*,
    then average.
    """
    return _averaged(model, images, lambda points, degrees, size: points)


def turned_on_instead_of_back(model: Estimator, images: Tensor) -> Tensor:
    """The answers were turned further in the picture's direction, not back.

    The picture was turned by +90°; what was found in it comes back by −90°. At 0° and 180° both are the same, so half
    of the answers are right.
    """
    return _averaged(model, images, lambda points, degrees, size: turn_keypoints(points, degrees, size))


def size_of_the_upright_picture(model: Estimator, images: Tensor) -> Tensor:
    """The answers were turned back as if a picture were (H, W) after a quarter turn, too: it is (W, H).

    `turn_keypoints` wants the size of the picture that the points are in *before* its turn: here `turned.shape[-2:]`.
    Turning back about the turned picture's centre, and staying there, comes to the same mean. On a square picture
    nobody would notice.
    """
    H, W = images.shape[-2:]
    return _averaged(model, images, lambda points, degrees, size: turn_keypoints(points, -degrees, (H, W)))


def canvas_kept(model: Estimator, images: Tensor) -> Tensor:
    """The canvas stayed (H, W) while the picture turned: a quarter turn then cuts its ends off, and may interpolate.

    The network sees half of the person. `turn`, or `torch.rot90`, turns the canvas too, and loses nothing.
    """
    size = (images.shape[-2], images.shape[-1])
    answers = model.predict(images)
    found = [
        rotate_keypoints(model.predict(rotate(images, answers, float(degrees))[0]), -float(degrees), size)
        for degrees in _QUARTERS
    ]
    return torch.stack(found).mean(0)


def picture_not_turned(model: Estimator, images: Tensor) -> Tensor:
    """The network was asked four times for the upright picture, and its one answer was turned four ways.

    The mean of a point and its turns is the picture's centre, whatever the network says. Give `predict` the turned
    picture.
    """
    points = model.predict(images)
    size = images.shape[-2:]
    found = [
        turn_keypoints(points, -degrees, size if degrees % 180 == 0 else (size[1], size[0])) for degrees in _QUARTERS
    ]
    return torch.stack(found).mean(0)


def half_turns_only(model: Estimator, images: Tensor) -> Tensor:
    """Only the upright picture and the half turn were asked for: two of the four.

    C4 has 0°, 90°, 180° and 270°. With two of them the average is exact at half turns, and at no quarter.
    """
    return _averaged(model, images, _right, (0, 180))


def upright_left_out(model: Estimator, images: Tensor) -> Tensor:
    """The upright picture is missing: the mean is over 90°, 180° and 270°.

    To do nothing is an element of the group too. Let the loop begin at 0.
    """
    return _averaged(model, images, _right, (90, 180, 270))


def upright_counted_twice(model: Estimator, images: Tensor) -> Tensor:
    """The upright picture was counted twice: a turn by 360° is a turn by 0°.

    Four quarter turns begin at 0° and end at 270°: `(0, 90, 180, 270)`.
    """
    return _averaged(model, images, _right, (0, 90, 180, 270, 360))


def quarters_for_degrees(model: Estimator, images: Tensor) -> Tensor:
    """The pictures were turned by 0, 1, 2 and 3 degrees, hardly at all: `turn` takes degrees.

    0, 1, 2, 3 are numbers of quarters. Multiply by 90, or go through `(0, 90, 180, 270)`.
    """
    return _averaged(model, images, _right, range(4))


def upright_only(model: Estimator, images: Tensor) -> Tensor:
    """These are the network's answers to the upright picture, as they are: nothing was averaged.

    Ask for all four turned pictures, turn each answer back, and take the mean of the four.
    """
    return model.predict(images)


def turned_on_and_on(model: Estimator, images: Tensor) -> Tensor:
    """Each picture was made from the one before, which had been turned already: by 0°, 90°, 270° and 540° in all.

    The answers were turned back by 0°, 90°, 180° and 270°. Turn `images` every time, and give the turned picture a name
    of its own.
    """
    turned, found = images, []
    for degrees in _QUARTERS:
        turned = turn(turned, degrees)
        found.append(_right(model.predict(turned), degrees, (turned.shape[-2], turned.shape[-1])))
    return torch.stack(found).mean(0)


def summed(model: Estimator, images: Tensor) -> Tensor:
    """These are sums of four answers, four times as far right and down as their mean.

    Divide by four, or take `mean(0)` of the stack.
    """
    return 4 * group_average(model).predict(images)


COALS = (
    averaged_before_turning_back,
    turned_on_instead_of_back,
    size_of_the_upright_picture,
    canvas_kept,
    picture_not_turned,
    half_turns_only,
    upright_left_out,
    upright_counted_twice,
    quarters_for_degrees,
    upright_only,
    turned_on_and_on,
    summed,
)
