"""The network: a backbone and a head, put together by whoever builds it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from posecourse.models.head import Head, Reading
from posecourse.models.recipe import Recipe

__all__ = ["ParameterCounts", "PoseNetwork", "evaluating", "parameter_counts"]


class PoseNetwork(nn.Module):
    """Finds one person's keypoints in an image of any size that the stride divides.

    `network(images)` returns the head's answer, a NamedTuple of all that is worth looking at, from the features on.
    `network.predict(images)` returns keypoints in pixels.

    Args:
        backbone: from images (B 3 H W) to features (B C H/s W/s); has `channels` C and `stride` s.
        head: from features to an answer.
        recipe: what `build` was asked for; None for a network that was put together by hand.

    Raises:
        ValueError: backbone and head disagree on the stride.
    """

    def __init__(self, backbone: nn.Module, head: Head[Any], recipe: Recipe | None = None) -> None:
        super().__init__()
        if backbone.stride != head.stride:
            raise ValueError(
                f"backbone and head must have one stride; got {backbone.stride} and {head.stride}. "
                "Build the head with stride=backbone.stride."
            )
        self.backbone, self.head, self.recipe = backbone, head, recipe

    @property
    def stride(self) -> int:
        """Pixels per cell of the features."""
        return self.head.stride

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters()).device

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Any:
        """Return the head's answer: a NamedTuple that begins with the features (B C H/s W/s).

        Raises:
            TypeError: images of integers.
            ValueError: not (B 3 H W), or of a size that the stride does not divide.
        """
        _require_images(images, self.stride)
        return self.head(self.backbone(images))

    def predict(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K 2"]:
        """Return keypoints (x, y) in pixels of the images, without a gradient. See `detect`."""
        return self.detect(images).keypoints_px

    def detect(self, images: Float[Tensor, "B 3 H W"]) -> Reading:
        """Return keypoints in pixels and their scores, without a gradient.

        A network in training mode answers as in evaluation mode: batch norm would take its statistics from these
        images. One that is in evaluation mode is left as it is, also where some of its dropout is switched on.
        """
        with torch.no_grad(), evaluating(self):
            return self.head.read(self(images))


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Run a model that is in training mode in evaluation mode, and give every module its own mode back after."""
    if not model.training:
        yield
        return
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


class ParameterCounts(NamedTuple):
    """How many numbers are trained, and where they are."""

    backbone: int
    head: int

    @property
    def total(self) -> int:
        """In all."""
        return self.backbone + self.head


def parameter_counts(network: PoseNetwork) -> ParameterCounts:
    """Return how many trained numbers a network's two halves have."""
    return ParameterCounts(
        *(sum(p.numel() for p in half.parameters() if p.requires_grad) for half in (network.backbone, network.head))
    )


def _require_images(images: Tensor, stride: int) -> None:
    if images.ndim != 4 or images.shape[1] != 3:
        hint = " Add the batch axis: images[None]." if images.ndim == 3 else ""
        raise ValueError(f"images must be (B, 3, H, W); got {tuple(images.shape)}.{hint}")
    if not images.is_floating_point():
        raise TypeError(f"images must be floating point in [0, 1]; got {images.dtype}. Divide bytes by 255.")
    H, W = images.shape[-2:]
    if H % stride or W % stride or 0 in (H, W):
        right = tuple(max(stride, round(n / stride) * stride) for n in (H, W))
        raise ValueError(
            f"images must have a size (H, W) that the stride {stride} divides; got {(H, W)}. "
            f"Pad or resize them, for example to {right}."
        )
