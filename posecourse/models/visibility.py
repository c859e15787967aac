"""The head that paints and says what it sees: a heatmap a keypoint, and a logit that the keypoint is visible."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from posecourse.models.head import Head, Reading, widened
from posecourse.models.heatmap import HeatmapAnswer, HeatmapHead
from posecourse.samples import Sample
from posecourse.shapes import require_positive

__all__ = ["VisibilityAnswer", "VisibilityHead"]


class VisibilityAnswer(NamedTuple):
    """What a head with visibility says.

    Args:
        features: (B C h w) from the backbone.
        heatmaps: (B K h w), about 1 where the keypoint is and 0 elsewhere.
        logits: (B K), whose sigmoid is the probability that the keypoint is visible.
    """

    features: Float[Tensor, "B C h w"]
    heatmaps: Float[Tensor, "B K h w"]
    logits: Float[Tensor, "B K"]


class VisibilityHead(Head[VisibilityAnswer]):
    """A heatmap head with one more linear layer: from the features, their mean and maximum over the grid, to K logits.

    `loss` is that of labelled keypoints, as every head's. A keypoint outside of the picture (v = 0) then never trains
    its logit; where v = 0 is known to mean "not there", add `visibility_loss` over all keypoints, as lesson 04 does.

    Args:
        channels: C of the features.
        keypoints: K.
        stride: pixels per cell.
        sigma: σ of the target blobs, in cells.
        weight: of the loss of the visibility, in nats, beside that of the heatmaps.

    Source: Bazarevsky et al. 2020 (BlazePose) predict visibility beside the place.
    Lesson: 04.
    """

    def __init__(
        self, channels: int, keypoints: int, stride: int = 4, sigma: float = 1.0, weight: float = 0.02
    ) -> None:
        super().__init__(keypoints, stride)
        require_positive(weight, "weight")
        self.weight = weight
        self.painter = HeatmapHead(channels, keypoints, stride, sigma)
        self.logits = nn.Linear(2 * channels, keypoints)

    def forward(self, features: Float[Tensor, "B C h w"]) -> VisibilityAnswer:
        """Return heatmaps and logits."""
        pooled = torch.cat([features.mean((-2, -1)), features.amax((-2, -1))], dim=-1)
        return VisibilityAnswer(features, self.painter(features).heatmaps, self.logits(pooled))

    def read(self, answer: VisibilityAnswer) -> Reading:
        """Return the places that the heatmaps say, in pixels, and the probabilities that they are visible."""
        places = self.painter.read(HeatmapAnswer(answer.features, answer.heatmaps))
        return Reading(places.keypoints_px, widened(answer.logits).sigmoid())

    def heatmap_loss(self, answer: VisibilityAnswer, sample: Sample) -> Float[Tensor, "B K"]:
        """Return the squared difference to the blobs, its mean over each map."""
        return self.painter.loss(HeatmapAnswer(answer.features, answer.heatmaps), sample)

    def visibility_loss(self, answer: VisibilityAnswer, sample: Sample) -> Float[Tensor, "B K"]:
        """Return −ln of the probability that was given to what is true, v = 2 or not, in nats."""
        logits = widened(answer.logits)
        return functional.binary_cross_entropy_with_logits(logits, sample.visible.to(logits.dtype), reduction="none")

    def loss(self, answer: VisibilityAnswer, sample: Sample) -> Float[Tensor, "B K"]:
        """Return the loss of the heatmaps plus `weight` times that of the visibility."""
        return self.heatmap_loss(answer, sample) + self.weight * self.visibility_loss(answer, sample)

    def extra_repr(self) -> str:
        """Return the settings that the layers do not show."""
        return f"{super().extra_repr()}, weight={self.weight}"
