"""How good an estimator is on labelled images: every error kept, so that it can be asked by keypoint and by image."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from posecourse import metrics
from posecourse.losses import masked_mean
from posecourse.samples import Sample
from posecourse.shapes import Estimator, require_count
from posecourse.train.data import Images, fetch, require_images

__all__ = ["Evaluation", "evaluate"]


@dataclass(frozen=True)
class Evaluation:
    """Predictions beside the truth, on the CPU.

    Args:
        predicted_px: (B K 2) as (x, y) in pixels.
        truth_px: (B K 2).
        labelled: (B K) which keypoints have a place.
        visible: (B K) which of them can be seen.
        lengths_px: (B) the longer side of each person's box, which PCK measures errors by.
    """

    predicted_px: Float[Tensor, "B K 2"]
    truth_px: Float[Tensor, "B K 2"]
    labelled: Bool[Tensor, "B K"]
    visible: Bool[Tensor, "B K"]
    lengths_px: Float[Tensor, " B"]

    @property
    def errors_px(self) -> Float[Tensor, "B K"]:
        """The distances between prediction and truth in pixels, at unlabelled places too."""
        return metrics.keypoint_error(self.predicted_px, self.truth_px)

    def correct(self, threshold: float = 0.1) -> Bool[Tensor, "B K"]:
        """Return which predictions are within `threshold` times the length of their person."""
        return metrics.pck(self.predicted_px, self.truth_px, self.lengths_px, threshold)

    def pck(self, threshold: float = 0.1, mask: Bool[Tensor, "B K"] | None = None) -> float:
        """Return the share of correct keypoints among those that count, by default the visible ones."""
        return float(masked_mean(self.correct(threshold).double(), self.visible if mask is None else mask))

    def mean_error_px(self, mask: Bool[Tensor, "B K"] | None = None) -> float:
        """Return the mean distance over the keypoints that count, by default the visible ones."""
        return float(masked_mean(self.errors_px.double(), self.visible if mask is None else mask))

    def rmse_px(self, mask: Bool[Tensor, "B K"] | None = None) -> float:
        """Return the root of the mean squared distance over the keypoints that count, by default the visible ones."""
        return float(masked_mean(self.errors_px.double() ** 2, self.visible if mask is None else mask)) ** 0.5


def evaluate(model: Estimator, data: Images, batch_size: int = 128) -> Evaluation:
    """Predict on every image and return the predictions beside the truth.

    Args:
        model: anything with `predict(images) -> keypoints_px`. Where it has a `device`, batches are moved there.
        data: single-person images.
        batch_size: images a time; changes nothing but the memory needed.

    Raises:
        ValueError: the data is empty or holds crowds.
    """
    require_images(data)
    require_count(batch_size, "batch_size")
    device = getattr(model, "device", None)
    parts = []
    for indices in torch.arange(len(data)).split(batch_size):
        sample = fetch(data, indices)
        _require_single(sample)
        images = sample.images if device is None else sample.images.to(device)
        predicted = model.predict(images).to(sample.keypoints)
        lengths = sample.boxes[:, 2:].amax(-1).clamp(min=1)  # a person of whom nothing is seen has an empty box
        parts.append((predicted, sample.keypoints, sample.labelled, sample.visible, lengths))
    return Evaluation(*(torch.cat(part).cpu() for part in zip(*parts, strict=True)))


def _require_single(sample: Sample) -> None:
    if sample.present is not None:
        raise ValueError(
            f"evaluate scores one person an image; got a crowd of {sample.present.shape[1]} places. "
            "Cut them out first: transforms.crop_people(sample, size)."
        )
