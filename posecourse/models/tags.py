"""The head that paints a crowd and tags it: a heatmap a keypoint for everybody, and in every cell whose it would be."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from posecourse import heatmaps, losses
from posecourse.grouping import pull_loss, push_loss, tags_at
from posecourse.models.damped import Damped
from posecourse.models.head import Head, Reading, widened
from posecourse.models.heatmap import HeatmapAnswer, HeatmapHead
from posecourse.samples import Sample
from posecourse.shapes import require_count, require_positive

__all__ = ["TagAnswer", "TagHead"]


class TagAnswer(NamedTuple):
    """What a head with tags says.

    Args:
        features: (B C h w) from the backbone.
        heatmaps: (B K h w), about 1 where somebody's keypoint is and 0 elsewhere.
        tags: (B K D h w), alike where the keypoints are one person's; without a meaning where no keypoint is.
    """

    features: Float[Tensor, "B C h w"]
    heatmaps: Float[Tensor, "B K h w"]
    tags: Float[Tensor, "B K D h w"]


class TagHead(Head[TagAnswer]):
    """Associative embedding: heatmaps for everybody at once, and beside them numbers that say whose a keypoint is.

    Nobody tells the network which tag to give. It is only asked to give one person's keypoints tags near each other
    (pull) and different people's tags far apart (push). `models.predict_people` reads people from it.

    Args:
        channels: C of the features.
        keypoints: K.
        stride: pixels per cell.
        sigma: σ of the target blobs, in cells.
        tags: D, how many numbers a tag has.
        weight: of pull and push beside the heatmaps' squared error.
        margin: from which distance on two people's tags are far enough apart.

    Source: Newell et al. 2017 (associative embedding), where D = 1.
    Lesson: 05.
    """

    def __init__(
        self,
        channels: int,
        keypoints: int,
        stride: int = 4,
        sigma: float = 1.0,
        tags: int = 1,
        weight: float = 2e-3,
        margin: float = 1.0,
    ) -> None:
        super().__init__(keypoints, stride)
        require_count(tags, "tags")
        for name, value in (("weight", weight), ("margin", margin)):
            require_positive(value, name)
        self.weight, self.margin = weight, margin
        self.painter = HeatmapHead(channels, keypoints, stride, sigma)
        self.tags = Damped(nn.Conv2d(channels, keypoints * tags, 1))

    @property
    def sigma(self) -> float:
        """σ of the target blobs, in cells."""
        return self.painter.sigma

    def forward(self, features: Float[Tensor, "B C h w"]) -> TagAnswer:
        """Return heatmaps and tags."""
        tags = self.tags(features).unflatten(1, (self.keypoints, -1))
        return TagAnswer(features, self.painter(features).heatmaps, tags)

    def read(self, answer: TagAnswer) -> Reading:
        """Return the surest place of each keypoint, whoever's it is: of a crowd no person, but parts of several."""
        return self.painter.read(HeatmapAnswer(answer.features, answer.heatmaps))

    def target(self, answer: TagAnswer, sample: Sample) -> Float[Tensor, "B K h w"]:
        """Return the maps that the heatmaps should have been."""
        size = answer.heatmaps.shape[-2:]
        return heatmaps.crowd_heatmaps(self.people_in_cells(sample), self.counted_keypoints(sample), size, self.sigma)

    def heatmap_loss(self, answer: TagAnswer, sample: Sample) -> Float[Tensor, ""]:
        """Return the mean squared difference to the target over the cells that count.

        Where a person's keypoint is not labelled, it may be anywhere in that person's box: those cells of its map do
        not count. Elsewhere an empty place is as true as a blob.
        """
        squared = (widened(answer.heatmaps) - self.target(answer, sample)) ** 2
        return losses.masked_mean(squared, self._counted_cells(sample, answer.heatmaps))

    def true_tags(self, answer: TagAnswer, sample: Sample) -> tuple[Float[Tensor, "B N K D"], Bool[Tensor, "B N K"]]:
        """Return the tags at everybody's true keypoints, and which of them count: what pull and push are asked of."""
        return tags_at(widened(answer.tags), self.people_in_cells(sample)), self.counted_keypoints(sample)

    def tag_loss(self, answer: TagAnswer, sample: Sample) -> Float[Tensor, ""]:
        """Return pull plus push, the mean over the images."""
        tags, mask = self.true_tags(answer, sample)
        return (pull_loss(tags, mask) + push_loss(tags, mask, margin=self.margin)).mean()

    def loss(self, answer: TagAnswer, sample: Sample) -> Float[Tensor, ""]:
        """Return the loss of the heatmaps plus `weight` times that of the tags: one number, since tags have no one."""
        return self.heatmap_loss(answer, sample) + self.weight * self.tag_loss(answer, sample)

    def people_in_cells(self, sample: Sample) -> Float[Tensor, "B N K 2"]:
        """Return everybody's keypoints in cells of the features; a single-person sample is a crowd of one."""
        self.require_keypoints(sample)
        return self.in_cells(_as_crowd(sample.keypoints, sample))

    def counted_keypoints(self, sample: Sample) -> Bool[Tensor, "B N K"]:
        """Return which keypoints of present people have a place."""
        labelled = _as_crowd(sample.labelled, sample)
        return labelled if sample.present is None else labelled & sample.present[..., None]

    def _counted_cells(self, sample: Sample, maps: Float[Tensor, "B K h w"]) -> Bool[Tensor, "B K h w"]:
        """Return which cells of which map count: all but the boxes of people who lack that keypoint."""
        boxes, unknown = _as_crowd(sample.boxes, sample), ~self.counted_keypoints(sample)
        if sample.present is not None:
            unknown = unknown & sample.present[..., None]
        low, high = self.in_cells(boxes[..., :2]), self.in_cells(boxes[..., :2] + boxes[..., 2:])
        columns, rows = (_between(low[..., axis], high[..., axis], maps.shape[-1 - axis]) for axis in (0, 1))
        inside = (rows[..., :, None] & columns[..., None, :]).to(boxes.dtype)
        return torch.einsum("bnk,bnhw->bkhw", unknown.to(boxes.dtype), inside) == 0

    def extra_repr(self) -> str:
        """Return the settings that the layers do not show."""
        return f"{super().extra_repr()}, weight={self.weight}, margin={self.margin}"


def _as_crowd(tensor: Tensor, sample: Sample) -> Tensor:
    return tensor if sample.present is not None else tensor[:, None]


def _between(low: Tensor, high: Tensor, length: int) -> Bool[Tensor, "B N X"]:
    """Return which of the cells 0 … length − 1 lie between two places."""
    cells = torch.arange(length, dtype=low.dtype, device=low.device)
    return (low[..., None] <= cells) & (cells <= high[..., None])
