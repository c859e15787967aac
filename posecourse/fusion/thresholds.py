"""The three ways in which the inverse-variance average fails, each with the exact point from which on it does harm.

Two unbiased estimates of standard deviations σ₁ ≤ σ₂, ratio r = σ₂/σ₁: their average is worse than the better one
alone as soon as their correlation, a bias or a wrong claim passes what is returned here. All follow from the mean
square wᵀ·M·w of an average with the weights w, M the mean products of the errors: their covariance, plus b·bᵀ where
there is a bias. Numbers in, numbers out, or tensors.

Lesson: 06.
"""

from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.shapes import require_positive, require_same_shape

__all__ = [
    "break_even_bias",
    "harmful_claim",
    "harmful_correlation",
    "naive_variance",
    "negative_weight_correlation",
]

Numbers = TypeVar("Numbers", float, Tensor)


def naive_variance(variances: Float[Tensor, "*B V"], covariance: Float[Tensor, "*B V V"]) -> Float[Tensor, "*B"]:
    """Return the true variance of the inverse-variance average, whatever its assumptions were.

    wᵀ·C·w  with  wᵢ = (1/vᵢ) / Σ (1/vⱼ); of two with honest v:
    σ₁²·σ₂²·(σ₁² + σ₂² + 2·ρ·σ₁·σ₂) / (σ₁² + σ₂²)², where 1 / Σ (1/v) was claimed. For equal ones true/claimed = 1 + ρ.

    Args:
        variances: v as claimed, which make the weights; positive.
        covariance: C, true, of the errors; its diagonal need not be v.

    Raises:
        ValueError: shapes disagree, or a variance is not positive and finite.
    """
    require_positive(variances, "variances")
    require_same_shape(variances, covariance.diagonal(dim1=-2, dim2=-1), "variances and the diagonal of covariance")
    weights = 1 / variances
    weights = weights / weights.sum(-1, keepdim=True)
    return torch.einsum("...i,...ij,...j->...", weights, covariance, weights)


def harmful_correlation(ratio: Numbers) -> Numbers:
    """Return the correlation from which on the inverse-variance average is worse than the better of two.

    (1 + r²) / (2·r³): 1 for equal ones, so never; .3125 for r = 2

    Args:
        ratio: r = σ₂/σ₁, the larger over the smaller; at least 1.

    Raises:
        ValueError: a ratio is below 1. Divide the larger by the smaller.
    """
    _require_ratio(ratio)
    return (1 + ratio**2) / (2 * ratio**3)


def negative_weight_correlation(ratio: Numbers) -> Numbers:
    """Return the correlation from which on the best weight of the worse of two is negative: 1 / r.

    There the worse one is of no use; past it, it is of use again, as a sign of the better one's error. Args and errors
    as `harmful_correlation`, which is never larger.
    """
    _require_ratio(ratio)
    return 1 / ratio


def harmful_claim(ratio: Numbers) -> Numbers:
    """Return the claimed v₂/v₁ below which the average of two is worse than the better: (r² − 1) / 2.

    Their errors are independent and r² is true. The plain average claims 1: it is worse from r = √3 on. To claim too
    much for the worse one never is: the average then goes to the better one. Args and errors as `harmful_correlation`.
    """
    _require_ratio(ratio)
    return (ratio**2 - 1) / 2


def break_even_bias(first: Numbers, second: Numbers) -> Numbers:
    """Return the bias of one of two at which their average has the mean square error of the other alone.

    b = √(σ₁² + σ₂²), whichever of them has it: √2·σ for equal ones

    With v of the one without and u of the one with bias, the average has v·u/(v + u) + (v/(v + u))²·b², which is v at
    b² = v + u. Below, it is better than both: the one with bias has u + b², and is the worse one from b² = v − u on.

    Args:
        first: σ of one of them; positive.
        second: σ of the other, both independent and honest about their variance.

    Raises:
        ValueError: a standard deviation is not positive and finite.
    """
    require_positive(first, "first")
    require_positive(second, "second")
    return (first**2 + second**2) ** 0.5


def _require_ratio(ratio: float | Tensor) -> None:
    """Raise unless each ratio is at least 1."""
    require_positive(ratio, "ratio")
    if not bool(torch.as_tensor(ratio >= 1).all()):
        raise ValueError(
            f"ratio must be at least 1, the larger σ over the smaller; got {ratio}. Divide it the other way."
        )
