"""One picture all the way round: what a network answers at many angles, beside what it should."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.equivariance.turning import turn, turn_keypoints
from posecourse.shapes import Estimator, require_tensors
from posecourse.transforms import inside
from posecourse.transforms.images import Padding

__all__ = ["FullTurn", "full_turn"]


class FullTurn(NamedTuple):
    """Both ways round the square for one picture x at A angles, as `full_turn` returns them.

    Args:
        degrees: the A angles.
        pictures: (A 3 H W), Rx.
        found: (A K 2), f(Rx) in pixels: turn, then ask.
        expected: (A K 2), R f(x) in pixels: ask, then turn.
        errors: (A K) in pixels, NaN where the keypoint leaves the picture: `equivariance_error`.
        floor: (A K) in pixels, what pixels alone do: `resampling_error`.
    """

    degrees: tuple[float, ...]
    pictures: Float[Tensor, "A 3 H W"]
    found: Float[Tensor, "A K 2"]
    expected: Float[Tensor, "A K 2"]
    errors: Float[Tensor, "A K"]
    floor: Float[Tensor, "A K"]


def full_turn(
    model: Estimator,
    image: Float[Tensor, "3 H W"],
    degrees: Sequence[float] = tuple(range(-180, 181, 5)),
    *,
    keypoints: Float[Tensor, "K 2"] | None = None,
    padding: Padding = "zeros",
) -> FullTurn:
    """Turn one picture to many angles, and follow both ways round the square at each.

    Args:
        model: anything with `predict(images)`; it is asked 2A + 1 times, in three batches.
        image: a square one, whose canvas quarter turns leave as it is.
        degrees: counter-clockwise.
        keypoints: the true places, which decide what counts; without them the answers decide.
        padding: what lies outside of the picture and comes into it by the turn.

    Raises:
        ValueError: the image is not square, or no single one.

    Lesson: 07.
    """
    require_tensors(image=image)
    if image.ndim != 3 or image.shape[-1] != image.shape[-2]:
        raise ValueError(
            f"image must be one square picture (3, H, H); got {tuple(image.shape)}. Choose one of a batch, images[0]; "
            "cut it square with transforms.crop."
        )
    size = image.shape[-2:]
    pictures = torch.cat([turn(image[None], angle, padding=padding) for angle in degrees])
    again = torch.cat([turn(one[None], -angle, padding=padding) for one, angle in zip(pictures, degrees, strict=True)])
    found, upright = model.predict(pictures), model.predict(image[None])[0]
    floor = (model.predict(again) - upright).norm(dim=-1)
    expected = torch.stack([turn_keypoints(upright, angle, size) for angle in degrees])
    truth = upright if keypoints is None else keypoints
    counts = torch.stack([inside(turn_keypoints(truth, angle, size), size) for angle in degrees])
    errors = (found - expected).norm(dim=-1)
    return FullTurn(
        tuple(map(float, degrees)), pictures, found, expected,
        errors.where(counts, torch.nan), floor.where(counts, torch.nan),
    )  # fmt: skip
