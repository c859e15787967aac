"""Known mistakes on the two ways round the square: turn the picture and ask, or ask and turn the answer.

Each is a function that makes it; its docstring is what the student reads.

Lesson: 07.
"""

import torch
from torch import Tensor

from posecourse.equivariance import turn, turn_keypoints
from posecourse.shapes import Estimator
from posecourse.transforms import inside

__all__ = ["COALS"]


def _ways(model: Estimator, images: Tensor, degrees: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return f(Rx), R f(x), and whether R f(x) lies in the picture."""
    turned = turn_keypoints(model.predict(images), degrees, images.shape[-2:])
    return model.predict(turn(images, degrees)), turned, inside(turned, images.shape[-2:])


def _distance(a: Tensor, b: Tensor, counts: Tensor) -> Tensor:
    return (a - b).norm(dim=-1).where(counts, torch.nan)


def points_turned_clockwise(model: Estimator, images: Tensor, degrees: float) -> Tensor:
    """The picture turns one way and the points the other: R⁻¹ f(x) stands where R f(x) belongs.

    Either turn f(x) as the picture was turned, or turn f(Rx) back; turning the upright answer back does both halves of
    the work in the wrong direction. Look for a minus.
    """
    back = turn_keypoints(model.predict(images), -degrees, images.shape[-2:])
    return _distance(model.predict(turn(images, degrees)), back, inside(back, images.shape[-2:]))


def picture_turned_clockwise(model: Estimator, images: Tensor, degrees: float) -> Tensor:
    """The points turn as they should, and the picture turns the other way.

    Positive degrees are counter-clockwise for both. Look for a minus in front of the picture's angle.
    """
    _, turned, counts = _ways(model, images, degrees)
    return _distance(model.predict(turn(images, -degrees)), turned, counts)


def points_not_turned(model: Estimator, images: Tensor, degrees: float) -> Tensor:
    """The answers to the turned picture were compared with those to the upright one, as if nothing had turned.

    A network that turns with the picture would get a large error, and one that does not notice would get none. That is
    *in*variance. Turn f(x) before you compare. (Turning both by the same angle comes to this, too: f(Rx) is turned
    already.)
    """
    there, _, counts = _ways(model, images, degrees)
    return _distance(there, model.predict(images), counts)


def picture_not_turned(model: Estimator, images: Tensor, degrees: float) -> Tensor:
    """The network has seen the upright picture only: this is how far f(x) is from its own turned self.

    The first way round the square begins with a turned *picture*: look at what the second `predict` is given.
    """
    _, turned, counts = _ways(model, images, degrees)
    return _distance(model.predict(images), turned, counts)


def turned_once_more(model: Estimator, images: Tensor, degrees: float) -> Tensor:
    """The answers to the turned picture were turned once more, and compared with the upright ones.

    f(Rx) is in the frame of the turned picture already. To compare upright, turn it *back*, by −degrees.
    """
    there, _, counts = _ways(model, images, degrees)
    again = turn_keypoints(there, degrees, images.shape[-2:])
    return _distance(again, model.predict(images), counts)


def everything_counts(model: Estimator, images: Tensor, degrees: float) -> Tensor:
    """Keypoints that the turn takes out of the picture are counted too: where NaN is expected, there is a number.

    Nobody can find an elbow that is not in the picture. `transforms.inside` says of the *turned* points which ones
    are.
    """
    there, turned, counts = _ways(model, images, degrees)
    return _distance(there, turned, torch.ones_like(counts))


def upright_decides(model: Estimator, images: Tensor, degrees: float) -> Tensor:
    """Who counts was decided by f(x), the answer in the upright picture; the turned one, R f(x), should decide.

    A point near a corner is inside before the turn and outside after it. Ask `inside` of the turned points.
    """
    there, turned, _ = _ways(model, images, degrees)
    return _distance(there, turned, inside(model.predict(images), images.shape[-2:]))


def both_decide(model: Estimator, images: Tensor, degrees: float) -> Tensor:
    """Who counts was decided by f(x) *and* R f(x): NaN also stands where the turn brings a point into the picture.

    Only the place after the turn matters. Ask `inside` of the turned points alone.
    """
    there, turned, counts = _ways(model, images, degrees)
    return _distance(there, turned, counts & inside(model.predict(images), images.shape[-2:]))


def mask_reversed(model: Estimator, images: Tensor, degrees: float) -> Tensor:
    """NaN stands where a number belongs, and the reverse: what counts and what does not have changed places.

    `where` keeps what is True, `masked_fill` overwrites it.
    """
    there, turned, counts = _ways(model, images, degrees)
    return _distance(there, turned, ~counts)


def outside_is_no_error(model: Estimator, images: Tensor, degrees: float) -> Tensor:
    """A keypoint that leaves the picture has an error of 0, where it should have none: NaN.

    A zero enters every mean and makes it better. `torch.where(inside, error, torch.nan)` leaves it out of `nanmean`.
    """
    there, turned, counts = _ways(model, images, degrees)
    return (there - turned).norm(dim=-1) * counts


def the_other_way_decides(model: Estimator, images: Tensor, degrees: float) -> Tensor:
    """Who counts was decided by f(Rx), the answer to the turned picture, and R f(x) should decide.

    The picture without the elbow is not a good judge of where the elbow would be. Ask `inside` of the turned answers
    to the *upright* picture.
    """
    there, turned, _ = _ways(model, images, degrees)
    return _distance(there, turned, inside(there, images.shape[-2:]))


def size_exchanged(model: Estimator, images: Tensor, degrees: float) -> Tensor:
    """The points were turned in a picture of (W, H): height and width are exchanged.

    A size is (H, W), `images.shape[-2:]`, in this order. On a square picture nobody would notice.
    """
    W, H = images.shape[-2:]
    turned = turn_keypoints(model.predict(images), degrees, (H, W))
    return _distance(model.predict(turn(images, degrees)), turned, inside(turned, (H, W)))


def squared(model: Estimator, images: Tensor, degrees: float) -> Tensor:
    """These are squared distances, in square pixels; the error is in pixels.

    Take the root, or `torch.linalg.vector_norm` over the last axis.
    """
    there, turned, counts = _ways(model, images, degrees)
    return _distance(there, turned, counts).square()


def axes_added(model: Estimator, images: Tensor, degrees: float) -> Tensor:
    """The distances along x and along y were added: |Δx| + |Δy|, which changes when both points turn.

    A measure of turns must not depend on the angle of the axes. The distance is √(Δx² + Δy²).
    """
    there, turned, counts = _ways(model, images, degrees)
    return (there - turned).abs().sum(-1).where(counts, torch.nan)


def axes_averaged(model: Estimator, images: Tensor, degrees: float) -> Tensor:
    """Every error is too small by √2: the squares along x and y were averaged, not added.

    That is an RMS per axis. The distance is √(Δx² + Δy²): a `sum` over the last axis, not a `mean`.
    """
    there, turned, counts = _ways(model, images, degrees)
    return _distance(there, turned, counts) / 2**0.5


COALS = (
    points_turned_clockwise,
    picture_turned_clockwise,
    points_not_turned,
    picture_not_turned,
    turned_once_more,
    everything_counts,
    upright_decides,
    both_decide,
    mask_reversed,
    outside_is_no_error,
    the_other_way_decides,
    size_exchanged,
    squared,
    axes_added,
    axes_averaged,
)
