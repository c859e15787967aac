"""What a network finds in pictures, where it is in them as they were taken."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse import coco, metrics, transforms
from posecourse.models import PoseNetwork
from posecourse.samples import Sample, concatenate
from posecourse.train import Images
from posecourse.train.data import fetch

__all__ = ["Found", "find"]


@dataclass(frozen=True)
class Found:
    """Answers beside what they were given to.

    Args:
        views: the images that the network saw, with their labels.
        keypoints_px: (B K 2) in pixels of those images.
        scores: (B K), the larger the surer.
    """

    views: Sample
    keypoints_px: Float[Tensor, "B K 2"]
    scores: Float[Tensor, "B K"]

    @property
    def in_pictures_px(self) -> Float[Tensor, "B K 2"]:
        """The answers in pixels of the pictures as they were taken."""
        return transforms.to_source(self.keypoints_px, self.views)

    @property
    def errors_px(self) -> Float[Tensor, "B K"]:
        """The distances to the labels in pixels of the pictures, at unlabelled places too."""
        return metrics.keypoint_error(self.in_pictures_px, transforms.to_source(self.views.keypoints, self.views))

    @property
    def answers(self) -> Sample:
        """The views with the answers in the labels' place, all of them visible: to be drawn."""
        seen = torch.full_like(self.views.visibility, 2)
        return replace(self.views, keypoints=self.keypoints_px, visibility=seen)

    def results(self, category_id: int) -> list[dict[str, Any]]:
        """Return COCO's result dictionaries."""
        return coco.results(self.views, self.keypoints_px, self.scores, category_id=category_id)


def find(network: PoseNetwork, data: Images, batch_size: int = 64) -> Found:
    """Let a network answer to every image of a set."""
    views, points, scores = [], [], []
    for indices in torch.arange(len(data)).split(batch_size):
        sample = fetch(data, indices)
        answer = network.detect(sample.images.to(network.device))
        views.append(sample.to("cpu"))
        points.append(answer.keypoints_px.cpu())
        scores.append(answer.scores.cpu())
    return Found(concatenate(views), torch.cat(points), torch.cat(scores))
