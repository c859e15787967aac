"""What a head is: it turns features into an answer, reads keypoints from it, and knows what it should have been."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeAlias, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from posecourse.coords import cells_to_pixels, pixels_to_cells
from posecourse.samples import Sample
from posecourse.shapes import Size, require_count

__all__ = ["Distance", "Head", "Reading", "widened"]

Answer = TypeVar("Answer")

Distance: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""A loss on coordinates: predicted (B K 2) and true (B K 2), both in cells, to (B K)."""


class Reading(NamedTuple):
    """Where the keypoints are, as read from a head's answer.

    Args:
        keypoints_px: (B K 2) as (x, y) in pixels of the images.
        scores: (B K) the larger, the surer, below 0 where a map is; all 1 where a head has no notion of it.
    """

    keypoints_px: Float[Tensor, "B K 2"]
    scores: Float[Tensor, "B K"]


class Head(nn.Module, ABC, Generic[Answer]):
    """The end of a network. Subclasses answer with a NamedTuple of their own that begins with the features.

    Another head (a variance beside the coordinates, tags beside the heatmaps) is another subclass: the network and
    the training loop know these three methods and nothing else.

    Args:
        keypoints: K.
        stride: pixels per cell of the features.
    """

    def __init__(self, keypoints: int, stride: int) -> None:
        super().__init__()
        require_count(keypoints, "keypoints")
        require_count(stride, "stride")
        self.keypoints, self.stride = keypoints, stride

    @abstractmethod
    def forward(self, features: Tensor) -> Answer:
        """Return the answer to features (B C h w)."""

    @abstractmethod
    def read(self, answer: Answer) -> Reading:
        """Return the keypoints (B K 2) in pixels of the images, and scores (B K)."""

    @abstractmethod
    def loss(self, answer: Answer, sample: Sample) -> Tensor:
        """Return each keypoint's loss (B K), unlabelled ones included: `losses.masked_mean` leaves them out.

        A head whose loss cannot be parted by keypoints returns one number, from which it has left them out itself.
        """

    def image_size(self, features: Tensor) -> Size:
        """Return (H, W) of the images that features (B C h w) were made from."""
        return features.shape[-2] * self.stride, features.shape[-1] * self.stride

    def in_cells(self, points_px: Float[Tensor, "*B 2"]) -> Float[Tensor, "*B 2"]:
        """Return points in cells of the features."""
        return pixels_to_cells(points_px, float(self.stride))

    def in_pixels(self, points_cell: Float[Tensor, "*B 2"]) -> Float[Tensor, "*B 2"]:
        """Return points in pixels of the images."""
        return cells_to_pixels(points_cell, float(self.stride))

    def truth_in_cells(self, sample: Sample) -> Float[Tensor, "B K 2"]:
        """Return a single-person sample's keypoints in cells of the features.

        Raises:
            ValueError: the sample is a crowd, or has another number of keypoints.
        """
        if sample.present is not None:
            raise ValueError(
                f"this head finds one person an image; got a crowd of {sample.present.shape[1]} places. "
                "Cut them out first: transforms.crop_people(sample, size)."
            )
        self.require_keypoints(sample)
        return self.in_cells(sample.keypoints)

    def require_keypoints(self, sample: Sample) -> None:
        """Raise unless the sample has this head's number of keypoints.

        Raises:
            ValueError: it has another one.
        """
        if sample.keypoints.shape[-2] != self.keypoints:
            raise ValueError(
                f"this head finds {self.keypoints} keypoints; the sample has {sample.keypoints.shape[-2]}. "
                f"Build the network with keypoints={sample.keypoints.shape[-2]}."
            )

    def extra_repr(self) -> str:
        """Return the settings that the layers do not show."""
        return f"keypoints={self.keypoints}, stride={self.stride}"


def widened(values: Tensor) -> Tensor:
    """Return the values in at least float32: bfloat16, which mixed precision makes, cannot tell 33.1 from 33."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
