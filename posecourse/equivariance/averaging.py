"""A network that is asked four times: the picture is turned by quarters, the answers are turned back and averaged."""

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.equivariance.turning import turn, turn_keypoints
from posecourse.shapes import Estimator, require_tensors
from posecourse.skeletons import Skeleton
from posecourse.transforms import flip_keypoints

__all__ = ["GroupAverage", "group_average"]


class GroupAverage:
    """What `group_average` returns.

    Args:
        model: anything with `predict(images)`.
        skeleton: exchanges left and right where mirror images are asked for too; None for turns alone.
    """

    def __init__(self, model: Estimator, skeleton: Skeleton | None = None) -> None:
        self.model, self.skeleton = model, skeleton

    def predict(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K 2"]:
        """Return the mean of all answers, (x, y) in pixels of the images."""
        return self.answers(images).mean(dim=0)

    def answers(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "G B K 2"]:
        """Return every answer, turned back: upright first, then a quarter turn further each, then their mirrors.

        Where the network has learnt upright people only, three of four are bad, and so is their mean: look at them.
        """
        require_tensors(images=images)
        found = self._turned(images)
        if self.skeleton is not None:
            size = images.shape[-2:]
            found += [flip_keypoints(points, size, self.skeleton) for points in self._turned(images.flip(-1))]
        return torch.stack(found)

    def _turned(self, images: Tensor) -> list[Tensor]:
        """Return the answers to the four turns of a picture, turned back."""
        found = []
        for degrees in (0, 90, 180, 270):
            turned = turn(images, degrees)
            found.append(turn_keypoints(self.model.predict(turned), -degrees, turned.shape[-2:]))
        return found


def group_average(model: Estimator, skeleton: Skeleton | None = None) -> GroupAverage:
    """Return an estimator whose answer is the mean over the group: 1/G Σ g⁻¹ f(g x).

    It is exactly equivariant, whatever `model` is: a further turn of x only changes the order of the summands. The
    price is G predictions. Quarter turns interpolate nothing; a picture of (H, W) is also shown as (W, H), so `model`
    must take that.

    Args:
        model: anything with `predict(images)` that answers the same picture in the same way.
        skeleton: names the keypoints; if given, the mirror images are averaged too (G = 8, the group D4), and left
            and right change places on the way back.

    Source: Yarotsky 2018 (symmetrisation); as a trick at test time, Krizhevsky et al. 2012, section 4.1.
    Lesson: 07, exercise `group_average`.
    """
    return GroupAverage(model, skeleton)
