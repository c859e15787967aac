"""The head between regression and heatmaps: a heatmap inside, a loss on coordinates outside."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from posecourse import decode, heatmaps, losses
from posecourse.models.head import Distance, Head, Reading, widened
from posecourse.samples import Sample
from posecourse.shapes import require_positive

__all__ = ["IntegralAnswer", "IntegralRegression"]


class IntegralAnswer(NamedTuple):
    """What integral regression says.

    Args:
        features: (B C h w) from the backbone.
        logits: (B K h w).
        probabilities: (B K h w), of sum 1 over each map.
        keypoints_cell: (B K 2) the mean place, (x, y) in cells.
        scores: (B K) the largest probability.
    """

    features: Float[Tensor, "B C h w"]
    logits: Float[Tensor, "B K h w"]
    probabilities: Float[Tensor, "B K h w"]
    keypoints_cell: Float[Tensor, "B K 2"]
    scores: Float[Tensor, "B K"]


class IntegralRegression(Head[IntegralAnswer]):
    """A distribution over cells whose mean is the answer; only the mean is trained, the shape is free.

    Args:
        channels: C of the features.
        keypoints: K.
        stride: pixels per cell.
        temperature: T of the softmax.
        distance: the loss, on coordinates in cells.

    Source: Sun et al. 2018 (integral regression), equation 2. Nibali et al. 2018 (DSNT) add a loss on the shape.
    Lesson: 01.
    """

    def __init__(
        self,
        channels: int,
        keypoints: int,
        stride: int = 4,
        temperature: float = 1.0,
        distance: Distance = losses.smooth_l1,
    ) -> None:
        super().__init__(keypoints, stride)
        require_positive(temperature, "temperature")
        self.temperature, self.distance = temperature, distance
        self.logits = nn.Conv2d(channels, keypoints, 1)

    def forward(self, features: Float[Tensor, "B C h w"]) -> IntegralAnswer:
        """Return the distribution and its mean."""
        logits = widened(self.logits(features))
        probabilities = heatmaps.spatial_softmax(logits, self.temperature)
        peaks = decode.soft_argmax(probabilities)
        return IntegralAnswer(features, logits, probabilities, peaks.points, peaks.scores)

    def read(self, answer: IntegralAnswer) -> Reading:
        """Return the mean place in pixels."""
        return Reading(self.in_pixels(answer.keypoints_cell), answer.scores)

    def loss(self, answer: IntegralAnswer, sample: Sample) -> Float[Tensor, "B K"]:
        """Return the distance from the mean place to the true keypoints, in cells."""
        return self.distance(answer.keypoints_cell, self.truth_in_cells(sample))

    def extra_repr(self) -> str:
        """Return the settings that the layers do not show."""
        return f"{super().extra_repr()}, temperature={self.temperature}"
