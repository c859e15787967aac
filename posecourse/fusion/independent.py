"""The inverse-variance average: the best weights where errors have nothing to do with each other."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.shapes import require_points, require_same_shape

__all__ = ["Fused", "inverse_variance", "require_views"]


class Fused(NamedTuple):
    """One point made of several, and what it claims.

    Args:
        mean: (*B 2) as (x, y), in the unit of the points.
        variance: (*B 2), of each axis, in the square of that unit; true only if the rule's assumption is.
    """

    mean: Float[Tensor, "*B 2"]
    variance: Float[Tensor, "*B 2"]


def inverse_variance(means: Float[Tensor, "V *B 2"], variances: Float[Tensor, "V *B 2"]) -> Fused:
    """Average points, each weighted by one over its variance, axis by axis.

    mean = Σ (mᵢ / vᵢ) / Σ (1 / vᵢ),  variance = 1 / Σ (1 / vᵢ)

    Independent, unbiased errors of these variances make it the unbiased average with the least variance, never more
    than that of the best view. Each of the three words can fail: see `thresholds`.

    Args:
        means: V estimates of each point, (x, y).
        variances: what each of them claims, for each axis; positive. An infinite one has no vote, and its mean is not
            looked at, not even a NaN.

    Returns:
        The average and its variance. Where nobody has a vote the mean is NaN and the variance infinite; where a mean
        or a variance that votes is NaN so is the answer: a mistake shows.

    Raises:
        TypeError: integers.
        ValueError: shapes differ, there is no view, or a variance is 0 or negative.

    Source: Bar-Shalom, Li and Kirubarajan 2001, section 3.4; Gauss 1821 for the weights.
    Lesson: 06, exercise `inverse_variance`.
    """
    require_views(means)
    require_points(variances, "variances")
    require_same_shape(means, variances, "means and variances")
    if bool((variances <= 0).any()):
        raise ValueError(
            f"variances must be positive; the smallest is {variances.min().item():.4g}. Nothing is known without an "
            "error: add a floor. Of a logarithm take exp first."
        )
    votes = ~variances.isinf()
    least = torch.where(votes, variances, torch.inf).amin(0).detach()  # the unit: 1/v of a tiny v would overflow
    unit = torch.where(least.isinf(), 1, least)
    weights = torch.where(votes, unit / torch.where(votes, variances, 1), 0)
    total = weights.sum(0)
    heard = torch.where(total == 0, 1, total)
    mean = (weights * torch.where(votes, means, 0)).sum(0) / heard
    nobody = total == 0
    return Fused(torch.where(nobody, torch.nan, mean), torch.where(nobody, torch.inf, unit / heard))


def require_views(means: Tensor) -> None:
    """Raise unless `means` is a floating tensor of shape (V, ..., 2) with at least one view.

    Raises:
        TypeError: no tensor, or integers.
        ValueError: the last axis is not (x, y), or there is no first one for the views.
    """
    require_points(means, "means")
    if means.ndim < 2 or not len(means):
        raise ValueError(
            f"means must be (V, ..., 2), the views first; got {tuple(means.shape)}. Put several estimates on one "
            "another: torch.stack([first, second])."
        )
