"""The head that paints: one heatmap a keypoint, trained to be a blob where the keypoint is."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from posecourse import decode, heatmaps, losses
from posecourse.models.damped import Damped
from posecourse.models.head import Head, Reading, widened
from posecourse.samples import Sample
from posecourse.shapes import require_positive

__all__ = ["HeatmapAnswer", "HeatmapHead"]


class HeatmapAnswer(NamedTuple):
    """What a heatmap head says.

    Args:
        features: (B C h w) from the backbone.
        heatmaps: (B K h w), about 1 where the keypoint is and 0 elsewhere.
    """

    features: Float[Tensor, "B C h w"]
    heatmaps: Float[Tensor, "B K h w"]


class HeatmapHead(Head[HeatmapAnswer]):
    """A 1×1 convolution to K maps, trained by squared error to be Gaussian blobs.

    Args:
        channels: C of the features.
        keypoints: K.
        stride: pixels per cell.
        sigma: σ of the target blobs, in cells.
        decoder: reads the maps; by default `decode.dark` with the blobs' own σ.

    Source: Tompson et al. 2014; Xiao et al. 2018 (simple baselines), section 3.
    Lesson: 01.
    """

    def __init__(
        self,
        channels: int,
        keypoints: int,
        stride: int = 4,
        sigma: float = 1.0,
        decoder: Callable[[Tensor], decode.Peaks] | None = None,
    ) -> None:
        super().__init__(keypoints, stride)
        require_positive(sigma, "sigma")
        self.sigma = sigma
        self.decoder = decoder or partial(decode.dark, blur_sigma=sigma)
        self.heatmaps = Damped(nn.Conv2d(channels, keypoints, 1))

    def forward(self, features: Float[Tensor, "B C h w"]) -> HeatmapAnswer:
        """Return the heatmaps."""
        return HeatmapAnswer(features, self.heatmaps(features))

    def read(self, answer: HeatmapAnswer) -> Reading:
        """Return what the decoder finds, in pixels, and the heights of the peaks."""
        peaks = self.decoder(answer.heatmaps)
        return Reading(self.in_pixels(peaks.points), peaks.scores)

    def target(self, answer: HeatmapAnswer, sample: Sample) -> Float[Tensor, "B K h w"]:
        """Return the blobs that the heatmaps should have been."""
        return heatmaps.gaussian_heatmaps(self.truth_in_cells(sample), answer.heatmaps.shape[-2:], self.sigma)

    def loss(self, answer: HeatmapAnswer, sample: Sample) -> Float[Tensor, "B K"]:
        """Return the squared difference to the blobs, its mean over each map."""
        return losses.heatmap_mse(widened(answer.heatmaps), self.target(answer, sample))

    def extra_repr(self) -> str:
        """Return the settings that the layers do not show."""
        return f"{super().extra_repr()}, sigma={self.sigma}"
