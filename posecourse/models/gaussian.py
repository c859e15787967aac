"""The head that says how far it may be off: coordinates from the whole grid, and beside each a variance."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from posecourse import losses
from posecourse.models.damped import Damped
from posecourse.models.head import Head, Reading, widened
from posecourse.models.regression import GridRegression, RegressionAnswer
from posecourse.samples import Sample
from posecourse.shapes import Size, require_positive

__all__ = ["GaussianAnswer", "GaussianRegression"]


class GaussianAnswer(NamedTuple):
    """What a head with variances says.

    Args:
        features: (B C h w) from the backbone.
        vector: (B X) what the last, linear layers saw.
        keypoints_unit: (B K 2) as (x, y) in the unit square; may lie outside.
        log_variances: (B K 2), of x and of y; the exponential is in square cells.
    """

    features: Float[Tensor, "B C h w"]
    vector: Float[Tensor, "B X"]
    keypoints_unit: Float[Tensor, "B K 2"]
    log_variances: Float[Tensor, "B K 2"]


class GaussianRegression(Head[GaussianAnswer]):
    """`GridRegression` with one more linear layer: ln v of x and of y, trained by `losses.gaussian_nll`.

    v = floor + exp(log_variances): without the floor one keypoint learnt by heart has a likelihood without bounds.

    Args:
        channels: C of the features.
        keypoints: K.
        size: (H, W) of the images in pixels.
        stride: pixels per cell.
        hidden: channels that are kept of each cell.
        beta: β of the loss, 0 for the plain likelihood.
        floor: the least variance, in square cells; positive.

    Source: Nix and Weigend 1994; Kendall and Gal 2017, equation 5, for ln v.
    Lesson: 06.
    """

    def __init__(
        self,
        channels: int,
        keypoints: int,
        size: Size,
        stride: int = 4,
        hidden: int = 4,
        beta: float = 0.5,
        floor: float = 1e-3,
    ) -> None:
        super().__init__(keypoints, stride)
        require_positive(floor, "floor")
        if not 0 <= beta <= 1:
            raise ValueError(f"beta must lie between 0 (the likelihood) and 1 (as the squared error); got {beta}.")
        self.beta, self.floor = beta, floor
        self.places = GridRegression(channels, keypoints, size, stride, hidden)
        cells = (size[0] // stride) * (size[1] // stride)
        self.log_variances = Damped(nn.Linear(hidden * cells, 2 * keypoints))

    def forward(self, features: Float[Tensor, "B C h w"]) -> GaussianAnswer:
        """Return coordinates and the logarithms of their variances, from one vector an image."""
        place = self.places(features)
        logs = self.log_variances(place.vector).unflatten(-1, (self.keypoints, 2))
        return GaussianAnswer(features, place.vector, place.keypoints_unit, logs)

    def read(self, answer: GaussianAnswer) -> Reading:
        """Return the coordinates in pixels, and 1 / (1 + σ) with σ in cells, the RMS of both axes: 1 would be exact."""
        sigma = self._variances_cell(answer).mean(-1).sqrt()
        return Reading(self.places.read(self._place(answer)).keypoints_px, 1 / (1 + sigma))

    def variances_px(self, answer: GaussianAnswer) -> Float[Tensor, "B K 2"]:
        """Return v of x and of y, in square pixels of the images."""
        return self.stride**2 * self._variances_cell(answer)

    def loss(self, answer: GaussianAnswer, sample: Sample) -> Float[Tensor, "B K"]:
        """Return how surprising the truth is, in nats for places in cells."""
        points = self.in_cells(self.places.read(self._place(answer)).keypoints_px)
        return losses.gaussian_nll(points, self.truth_in_cells(sample), self._variances_cell(answer), self.beta)

    def _variances_cell(self, answer: GaussianAnswer) -> Float[Tensor, "B K 2"]:
        return self.floor + torch.exp(widened(answer.log_variances))

    @staticmethod
    def _place(answer: GaussianAnswer) -> RegressionAnswer:
        return RegressionAnswer(answer.features, answer.vector, answer.keypoints_unit)

    def extra_repr(self) -> str:
        """Return the settings that the layers do not show."""
        return f"{super().extra_repr()}, beta={self.beta}, floor={self.floor}"
