"""More pictures from the same ones: mirrored, turned, nearer or further, moved aside, in other colours."""

from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor

from posecourse.samples import Sample
from posecourse.transforms import affine_sample, flip_sample, rotation

__all__ = ["Augment"]


@dataclass(frozen=True)
class Augment:
    """Change every image of a batch by a map of its own; keypoints, visibility and boxes follow.

    Args:
        mirror: probability of exchanging left and right.
        degrees: largest angle to either side.
        scale: largest relative change of size: 0.2 is between 1/1.2 and 1.2.
        shift: largest move along x and along y, as a share of the image.
        colour: largest relative change of brightness, contrast and saturation: 0.3 is between 1/1.3 and 1.3. It comes
            last, and draws no number where it is 0.

    Raises:
        ValueError: a number is negative, or `mirror` is no probability.
    """

    mirror: float = 0.5
    degrees: float = 20.0
    scale: float = 0.15
    shift: float = 0.05
    colour: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.mirror <= 1:
            raise ValueError(f"mirror must be a probability; got {self.mirror}.")
        for name in ("degrees", "scale", "shift", "colour"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative; got {getattr(self, name)}.")

    def __call__(self, sample: Sample, generator: torch.Generator) -> Sample:
        """Return the changed batch; the numbers come from `generator`, on its device."""
        draws = torch.rand(len(sample), 5, generator=generator, device=generator.device).to(sample.images)
        mirrored, turn, size, right, down = draws.unbind(-1)
        sample = _mirrored(sample, mirrored < self.mirror)
        if self.degrees or self.scale or self.shift:
            sample = self._moved(sample, turn, size, right, down)
        return _recoloured(sample, self.colour, generator) if self.colour else sample

    def _moved(self, sample: Sample, turn: Tensor, size: Tensor, right: Tensor, down: Tensor) -> Sample:
        """Turn, scale and shift; the draws (B) are uniform in [0, 1)."""
        H, W = sample.size
        matrix = rotation((2 * turn - 1) * self.degrees, sample.size)[:, :2]
        factor = ((1 + self.scale) ** (2 * size - 1))[:, None]
        aside = (torch.stack([right, down], dim=-1) * 2 - 1) * self.shift * matrix.new_tensor([W, H])
        # p ↦ c + f·(R(p) − c) + aside
        centre = matrix.new_tensor([(W - 1) / 2, (H - 1) / 2])
        offset = centre + factor * (matrix[..., 2] - centre) + aside
        return affine_sample(sample, torch.cat([factor[..., None] * matrix[..., :2], offset[..., None]], dim=-1))


def _recoloured(sample: Sample, most: float, generator: torch.Generator) -> Sample:
    """Change each value by a factor, its distance from the image's mean by another, that from its grey by a third."""
    draws = torch.rand(len(sample), 3, generator=generator, device=generator.device).to(sample.images)
    brightness, contrast, saturation = ((1 + most) ** (2 * draws - 1)).T[..., None, None, None]
    images = sample.images * brightness
    mean = images.mean((-3, -2, -1), keepdim=True)
    images = mean + contrast * (images - mean)
    grey = images.mean(-3, keepdim=True)
    return replace(sample, images=(grey + saturation * (images - grey)).clamp(0, 1))


def _mirrored(sample: Sample, chosen: Bool[Tensor, " B"]) -> Sample:
    """Return the sample with the chosen images mirrored and the others as they are."""
    if sample.to_source is None:
        sample = replace(sample, to_source=torch.eye(3).to(sample.keypoints).expand(len(sample), 3, 3))
    mirror = flip_sample(sample)
    mixed: dict[str, Any] = {}
    for entry in fields(Sample):
        there, here = getattr(mirror, entry.name), getattr(sample, entry.name)
        if isinstance(there, Tensor):
            mixed[entry.name] = torch.where(chosen.view(-1, *(1,) * (there.ndim - 1)), there, here)
    return replace(sample, **mixed)
