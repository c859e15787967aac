"""The head between coordinates and heatmaps: every cell says how far away the keypoint is, and how sure it is."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from posecourse import coords, decode, heatmaps, losses
from posecourse.models.damped import Damped
from posecourse.models.head import Head, Reading, widened
from posecourse.samples import Sample
from posecourse.shapes import require_positive

__all__ = ["OffsetAnswer", "OffsetHead"]


class OffsetAnswer(NamedTuple):
    """What an offset head says.

    Args:
        features: (B C h w) from the backbone.
        confidences: (B K h w), about 1 near the keypoint and 0 elsewhere.
        offsets: (B K 2 h w) from each cell to the keypoint, (x, y) in cells.
    """

    features: Float[Tensor, "B C h w"]
    confidences: Float[Tensor, "B K h w"]
    offsets: Float[Tensor, "B K 2 h w"]

    def votes(self) -> Float[Tensor, "B K 2 h w"]:
        """Return where each cell puts the keypoint: its own place and its offset, (x, y) in cells."""
        offsets = widened(self.offsets)
        cells = coords.cell_grid(offsets.shape[-2:], dtype=offsets.dtype, device=offsets.device)
        return offsets + cells.movedim(-1, 0)


class OffsetHead(Head[OffsetAnswer]):
    """Regression without a fixed reference: the anchor is whichever cell is surest that the keypoint is near.

    Confidences are trained to be blobs, as heatmaps are; offsets of the cells within `radius` of the keypoint are
    trained by a loss on coordinates, and elsewhere are free. The answer is the surest cell's vote.

    Args:
        channels: C of the features.
        keypoints: K.
        stride: pixels per cell.
        sigma: σ of the confidences' blobs, in cells.
        radius: how far from the keypoint cells are asked for their offsets, in cells; at least √½, or a keypoint
            could lie between cells of which none is asked.
        weight: of the loss of the offsets, in cells, beside that of the confidences.

    Source: Papandreou et al. 2017 (G-RMI), section 3.2; there all cells within a disk vote, here the surest one.
    Lesson: 01.
    """

    def __init__(
        self,
        channels: int,
        keypoints: int,
        stride: int = 4,
        sigma: float = 1.0,
        radius: float = 2.0,
        weight: float = 0.3,
    ) -> None:
        super().__init__(keypoints, stride)
        for name, value in (("sigma", sigma), ("radius", radius), ("weight", weight)):
            require_positive(value, name)
        self.sigma, self.radius, self.weight = sigma, radius, weight
        self.confidences = Damped(nn.Conv2d(channels, keypoints, 1))
        self.offsets = Damped(nn.Conv2d(channels, 2 * keypoints, 1))

    def forward(self, features: Float[Tensor, "B C h w"]) -> OffsetAnswer:
        """Return confidences and offsets of every cell."""
        offsets = self.offsets(features).unflatten(1, (self.keypoints, 2))
        return OffsetAnswer(features, self.confidences(features), offsets)

    def read(self, answer: OffsetAnswer) -> Reading:
        """Return the vote of the surest cell, in pixels, and how sure it is."""
        confidences, votes = widened(answer.confidences), answer.votes()
        peaks = decode.argmax_2d(confidences)
        surest = confidences.flatten(-2).argmax(-1)[..., None, None].expand(*peaks.points.shape, 1)
        points = votes.flatten(-2).gather(-1, surest).squeeze(-1)
        readable = (peaks.scores != 0)[..., None]
        return Reading(self.in_pixels(torch.where(readable, points, peaks.points)), peaks.scores)

    def loss(self, answer: OffsetAnswer, sample: Sample) -> Float[Tensor, "B K"]:
        """Return the squared difference of the confidences plus the distance of the votes from near the keypoint."""
        truth = self.truth_in_cells(sample)
        size = answer.confidences.shape[-2:]
        blobs = heatmaps.gaussian_heatmaps(truth, size, self.sigma)
        confidence = losses.heatmap_mse(widened(answer.confidences), blobs)
        return confidence + self.weight * self._mean_miss(answer, heatmaps.offset_maps(truth, size))

    def _mean_miss(self, answer: OffsetAnswer, way: Float[Tensor, "B K 2 h w"]) -> Float[Tensor, "B K"]:
        """Return how far the votes from near the keypoint are off, on average; 0 where no cell is near."""
        x, y = way.unbind(-3)
        asked = x**2 + y**2 <= self.radius**2  # a dozen cells: to look at all of them costs as much as the network
        miss = losses.smooth_l1(widened(answer.offsets).movedim(-3, -1)[asked], way.movedim(-3, -1)[asked])
        image, keypoint = asked.nonzero(as_tuple=True)[:2]
        total = torch.zeros_like(way[:, :, 0, 0, 0]).index_put((image, keypoint), miss, accumulate=True)
        return total / asked.sum((-2, -1)).clamp(min=1)

    def extra_repr(self) -> str:
        """Return the settings that the layers do not show."""
        return f"{super().extra_repr()}, sigma={self.sigma}, radius={self.radius}, weight={self.weight}"
