"""Heads that answer with coordinates: after global pooling, or from the whole grid of features."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from posecourse import losses
from posecourse.coords import unit_to_pixels
from posecourse.models.damped import Damped
from posecourse.models.head import Distance, Head, Reading, widened
from posecourse.samples import Sample
from posecourse.shapes import Size, checked_size, require_count

__all__ = ["GridRegression", "PooledRegression", "RegressionAnswer"]


class RegressionAnswer(NamedTuple):
    """What a regression head says.

    Args:
        features: (B C h w) from the backbone.
        vector: (B X) what the last, linear layer saw.
        keypoints_unit: (B K 2) as (x, y) in the unit square; may lie outside.
    """

    features: Float[Tensor, "B C h w"]
    vector: Float[Tensor, "B X"]
    keypoints_unit: Float[Tensor, "B K 2"]


class _Regression(Head[RegressionAnswer]):
    """What the two regression heads share: a vector, a linear layer to the unit square, a loss on coordinates."""

    def __init__(self, keypoints: int, stride: int, vector: int, distance: Distance) -> None:
        super().__init__(keypoints, stride)
        self.distance = distance
        self.coordinates = Damped(nn.Linear(vector, 2 * keypoints))

    def answer(self, features: Tensor, vector: Tensor) -> RegressionAnswer:
        """Return coordinates; a vector of zeros says the middle of the image."""
        offsets = self.coordinates(vector).unflatten(-1, (self.keypoints, 2))
        return RegressionAnswer(features, vector, offsets + 0.5)

    def read(self, answer: RegressionAnswer) -> Reading:
        """Return the coordinates in pixels; the scores are 1, since a regression has no notion of doubt."""
        keypoints_px = self._pixels(answer)
        return Reading(keypoints_px, torch.ones_like(keypoints_px[..., 0]))

    def loss(self, answer: RegressionAnswer, sample: Sample) -> Float[Tensor, "B K"]:
        """Return the distance to the true keypoints, measured in cells."""
        return self.distance(self.in_cells(self._pixels(answer)), self.truth_in_cells(sample))

    def _pixels(self, answer: RegressionAnswer) -> Float[Tensor, "B K 2"]:
        return unit_to_pixels(widened(answer.keypoints_unit), self.image_size(answer.features))


class PooledRegression(_Regression):
    """Regression after global average pooling: 1×1 convolution, mean over the grid, one linear layer.

    Pooling forgets where a feature was; what the head knows of places, the backbone has to write into channels. It
    takes any size.

    Args:
        channels: C of the features.
        keypoints: K.
        stride: pixels per cell.
        hidden: channels that are pooled.
        distance: the loss, on coordinates in cells.

    Source: Toshev and Szegedy 2014 (DeepPose) regressed coordinates; pooling as in Sun et al. 2018, section 4.
    """

    def __init__(
        self,
        channels: int,
        keypoints: int,
        stride: int = 4,
        hidden: int = 128,
        distance: Distance = losses.smooth_l1,
    ) -> None:
        super().__init__(keypoints, stride, hidden, distance)
        self.widen = nn.Sequential(nn.Conv2d(channels, hidden, 1), nn.ReLU())

    def forward(self, features: Float[Tensor, "B C h w"]) -> RegressionAnswer:
        """Return one vector an image, and the coordinates that it says."""
        return self.answer(features, self.widen(features).mean((-2, -1)))


class GridRegression(_Regression):
    """Regression that keeps the grid: a few channels of every cell, flattened, into one linear layer.

    The linear layer has a weight for every cell, so it knows where each feature was, and takes one size only.

    Args:
        channels: C of the features.
        keypoints: K.
        size: (H, W) of the images in pixels.
        stride: pixels per cell.
        hidden: channels that are kept of each cell.
        distance: the loss, on coordinates in cells.
    """

    def __init__(
        self,
        channels: int,
        keypoints: int,
        size: Size,
        stride: int = 4,
        hidden: int = 4,
        distance: Distance = losses.smooth_l1,
    ) -> None:
        require_count(hidden, "hidden")
        self.size = H, W = checked_size(size)
        super().__init__(keypoints, stride, hidden * (H // stride) * (W // stride), distance)
        self.squeeze = nn.Sequential(nn.Conv2d(channels, hidden, 1), nn.ReLU())

    def forward(self, features: Float[Tensor, "B C h w"]) -> RegressionAnswer:
        """Return the cells in one vector, and the coordinates that it says.

        Raises:
            ValueError: the images are not of the size that the head was built for.
        """
        if self.image_size(features) != self.size:
            raise ValueError(
                f"a head that keeps the grid takes the size it was built for, {self.size}; got images of "
                f"{self.image_size(features)}. Build it with that size, or choose a head that pools."
            )
        return self.answer(features, self.squeeze(features).flatten(1))

    def extra_repr(self) -> str:
        """Return the settings that the layers do not show."""
        return f"{super().extra_repr()}, size={self.size}"
