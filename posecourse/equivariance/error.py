"""How far a network is from turning with the picture, in pixels, and how far the pixels alone would bring it."""

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.equivariance.turning import turn, turn_keypoints, turned_size
from posecourse.shapes import Estimator, require_same_shape, require_tensors
from posecourse.transforms import inside
from posecourse.transforms.images import Padding

__all__ = ["equivariance_error", "resampling_error"]


def equivariance_error(
    model: Estimator,
    images: Float[Tensor, "B 3 H W"],
    degrees: float,
    *,
    keypoints: Float[Tensor, "B K 2"] | None = None,
    padding: Padding = "zeros",
) -> Float[Tensor, "B K"]:
    """Return how far apart the two ways round the square end: ‖f(Rx) − R f(x)‖ in pixels.

    It says nothing of how good the answers are: a network that always answers the centre has an error of 0. Report
    its accuracy upright and turned beside it.

    Args:
        model: anything with `predict(images)`.
        images: the upright ones.
        degrees: the angle of R, counter-clockwise. A multiple of 90 interpolates nothing and turns the canvas, from
            (H, W) to (W, H); any other angle keeps the canvas and loses the corners.
        keypoints: the true places, which decide what counts. Without them the answers R f(x) decide, which a network
            that answers outside of the picture can use to hide.
        padding: what lies outside of the picture and comes into it by the turn.

    Returns:
        Pixels; NaN where a keypoint leaves the picture with the turn. `errors.isfinite()` is the mask for
        `losses.masked_mean`, `errors.nanmean()` the mean.

    Raises:
        ValueError: `keypoints` and the model's answers have different shapes.

    Source: Lenc and Vedaldi 2015 measure features so; we measure the answers, whose unit is the pixel.
    Lesson: 07, exercise `equivariance_error`.
    """
    require_tensors(images=images)
    size = images.shape[-2:]
    upright = model.predict(images)
    expected = turn_keypoints(upright, degrees, size)
    turned = model.predict(turn(images, degrees, padding=padding))
    return _counted((turned - expected).norm(dim=-1), upright, keypoints, degrees, size)


def resampling_error(
    model: Estimator,
    images: Float[Tensor, "B 3 H W"],
    degrees: float,
    *,
    keypoints: Float[Tensor, "B K 2"] | None = None,
    padding: Padding = "zeros",
) -> Float[Tensor, "B K"]:
    """Return how far an answer moves when the picture is turned and turned back: ‖f(R⁻¹Rx) − f(x)‖ in pixels.

    The person stands upright both times, so this is not the network's fault: it is what two interpolations, one more
    than in `equivariance_error`, and the lost corners do to an answer. At multiples of 90° it is 0.

    Arguments and NaN as for `equivariance_error`.

    Lesson: 07.
    """
    require_tensors(images=images)
    size = images.shape[-2:]
    upright = model.predict(images)
    there_and_back = turn(turn(images, degrees, padding=padding), -degrees, padding=padding)
    return _counted((model.predict(there_and_back) - upright).norm(dim=-1), upright, keypoints, degrees, size)


def _counted(
    errors: Tensor, upright: Tensor, keypoints: Tensor | None, degrees: float, size: torch.Size
) -> Float[Tensor, "B K"]:
    """Return the errors, NaN for keypoints that the turn takes out of the picture."""
    if keypoints is not None:
        require_same_shape(keypoints, upright, "keypoints and the model's answers")
    places = turn_keypoints(upright if keypoints is None else keypoints, degrees, size)
    return errors.where(inside(places, turned_size(size, degrees)), torch.nan)
