"""Several networks, asked once each: where those that were trained apart disagree, they do not know."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.shapes import Estimator, require_tensors

__all__ = ["Ensemble", "ensemble"]


class Ensemble:
    """What `ensemble` returns.

    Args:
        models: S estimators.
    """

    def __init__(self, models: Sequence[Estimator]) -> None:
        self.models = tuple(models)

    def predict(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K 2"]:
        """Return the mean of all answers, (x, y) in pixels of the images."""
        return self.sample(images).mean(0)

    def sample(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "S B K 2"]:
        """Return every model's answer, in pixels: for `sample_covariance`, as `mc_dropout`'s are."""
        require_tensors(images=images)
        return torch.stack([model.predict(images) for model in self.models])


def ensemble(models: Sequence[Estimator]) -> Ensemble:
    """Return an estimator that asks several models and answers their mean: (1/S)·Σ fₛ(x).

    It costs S trainings and S predictions; `mc_dropout` costs one training and as many predictions as one likes. The
    spread of few models is a rough number: a variance from S of them is known to √(2/(S − 1)) of itself.

    Args:
        models: at least two, trained from different seeds; anything with `predict(images)`.

    Raises:
        ValueError: fewer than two: one has nobody to disagree with.

    Source: Lakshminarayanan et al. 2017, without their adversarial training.
    Lesson: 08.
    """
    if len(models) < 2:
        raise ValueError(f"an ensemble needs at least two models, or nothing can disagree; got {len(models)}.")
    return Ensemble(models)
