"""Does a prediction that claims to be sure keep its word? How to see it, and the one number that mends it.

Variances are scaled, logits are divided by a temperature: both are fitted on data that training has not seen. Neither
changes which of two predictions is the surer one.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from posecourse.shapes import require_count, require_same_shape, require_tensors

__all__ = [
    "Reliability",
    "coverage",
    "expected_calibration_error",
    "reliability",
    "temperature_scale",
    "variance_scale",
]


class Reliability(NamedTuple):
    """What was claimed and what came true, for predictions of like confidence.

    Args:
        confidence: (bins) mean predicted probability; NaN for an empty bin.
        frequency: (bins) how often it came true; NaN for an empty bin.
        counts: (bins) how many predictions there are.
    """

    confidence: Float[Tensor, " bins"]
    frequency: Float[Tensor, " bins"]
    counts: Int[Tensor, " bins"]


def variance_scale(
    errors: Float[Tensor, "*B D"], variances: Float[Tensor, "*B D"], mask: Bool[Tensor, "*B"] | None = None
) -> Float[Tensor, ""]:
    """Return the factor by which predicted variances have to be multiplied to fit the errors best.

    scale = mean(e² / v): where −ln likelihood of e ~ N(0, scale·v) is smallest

    Above 1 the predictions were too sure of themselves. Its own relative standard deviation is √(2/n) for n numbers.

    Args:
        errors: e = predicted − truth.
        variances: v as predicted, for each axis; positive.
        mask: which places count; None for all.

    Returns:
        The factor, for variances; standard deviations take its square root.

    Raises:
        ValueError: shapes differ, nothing counts, or a variance that counts is not positive.

    Source: Levi et al. 2022 (σ scaling), here in closed form.
    Lesson: 06, exercise `variance_scale`.
    """
    require_same_shape(errors, variances, "errors and variances")
    errors, variances = _counting(errors, mask), _counting(variances, mask)
    if not bool((variances > 0).all()):
        raise ValueError(f"variances must be positive where they count; the smallest is {variances.min().item():.4g}.")
    return (errors**2 / variances).mean()


def coverage(
    errors: Float[Tensor, "*B 2"],
    covariances: Float[Tensor, "*B 2 2"],
    levels: Sequence[float],
    mask: Bool[Tensor, "*B"] | None = None,
) -> Float[Tensor, " levels"]:
    """Return how many errors lie inside of the ellipse that should hold a given share of them.

    inside ⟺ eᵀ·Σ⁻¹·e ≤ −2·ln(1 − level), the radii being 1.1774, 2.1460 and 2.4477 σ for .5, .9 and .95

    Honest covariances cover what they claim, with a standard error of √(level·(1 − level)/n) for n errors.

    Args:
        errors: e = predicted − truth, (x, y).
        covariances: Σ as predicted; `torch.diag_embed(variances)` for one variance an axis.
        levels: shares between 0 and 1, both excluded.
        mask: which places count; None for all.

    Returns:
        One share a level.

    Raises:
        ValueError: shapes disagree, nothing counts, a level is not between 0 and 1, or a covariance that counts is
            not positive definite.

    Lesson: 08.
    """
    require_tensors(errors=errors, covariances=covariances)
    if covariances.shape != (*errors.shape, 2) or errors.shape[-1:] != (2,):
        raise ValueError(
            "errors must be (..., 2) and covariances (..., 2, 2), with the same leading axes; got "
            f"{tuple(errors.shape)} and {tuple(covariances.shape)}. Of variances (..., 2) take torch.diag_embed."
        )
    if not all(0 < level < 1 for level in levels):
        raise ValueError(f"levels must lie between 0 and 1, such as .9 for 90 %; got {list(levels)}.")
    e, cov = _counting(errors, mask), _counting(covariances, mask, axes=2)
    xx, xy, yy = cov[:, 0, 0], (cov[:, 0, 1] + cov[:, 1, 0]) / 2, cov[:, 1, 1]
    determinant = xx * yy - xy**2
    if not bool(((xx > 0) & (determinant > 0)).all()):
        raise ValueError("covariances must be positive definite where they count. Add a floor to their diagonal.")
    squared = (yy * e[:, 0] ** 2 - 2 * xy * e[:, 0] * e[:, 1] + xx * e[:, 1] ** 2) / determinant
    limits = squared.new_tensor([-2 * math.log1p(-level) for level in levels])
    return (squared[:, None] <= limits).to(squared.dtype).mean(0)


def reliability(
    probabilities: Float[Tensor, "*B"],
    outcomes: Bool[Tensor, "*B"],
    bins: int = 10,
    mask: Bool[Tensor, "*B"] | None = None,
) -> Reliability:
    """Return, for predictions of like confidence, what they claimed and how often they came true.

    Args:
        probabilities: between 0 and 1, that the outcome is true: that a keypoint is visible.
        outcomes: what came true.
        bins: how many equal parts [0, 1/bins), [1/bins, 2/bins), … of the unit interval; 1 is in the last one.
        mask: which places count; None for all.

    Raises:
        ValueError: shapes differ, nothing counts, `bins` is no positive whole number, or a probability is not
            between 0 and 1.

    Source: Murphy and Winkler 1977; Guo et al. 2017, section 2.
    Lesson: 04.
    """
    require_same_shape(probabilities, outcomes, "probabilities and outcomes")
    require_count(bins, "bins")
    p, y = _counting(probabilities, mask, axes=0), _counting(outcomes, mask, axes=0)
    if not bool(((p >= 0) & (p <= 1)).all()):
        raise ValueError("probabilities must lie between 0 and 1. Of logits take the sigmoid.")
    p = p.to(torch.promote_types(p.dtype, torch.float32))
    place = (p * bins).long().clamp(max=bins - 1)
    counts = torch.bincount(place, minlength=bins)
    confidence = torch.zeros(bins).to(p).index_add(0, place, p) / counts
    frequency = torch.zeros(bins).to(p).index_add(0, place, y.to(p)) / counts
    return Reliability(confidence, frequency, counts)


def expected_calibration_error(
    probabilities: Float[Tensor, "*B"],
    outcomes: Bool[Tensor, "*B"],
    bins: int = 10,
    mask: Bool[Tensor, "*B"] | None = None,
) -> Float[Tensor, ""]:
    """Return the mean gap between what predictions claim and how often they come true.

    ECE = Σ_bins count/n · |confidence − frequency|

    Never exactly 0 on finite data: an honest prediction of p has a gap of about √(2·p·(1 − p) / (π·count)) a bin.

    Args:
        probabilities: between 0 and 1, that the outcome is true.
        outcomes: what came true.
        bins: of equal width; more of them see finer gaps and more noise.
        mask: which places count; None for all.

    Raises:
        ValueError: as `reliability`.

    Source: Naeini et al. 2015; Guo et al. 2017, equation 3, here of the predicted event, not of the winning class.
    Lesson: 04.
    """
    curve = reliability(probabilities, outcomes, bins, mask)
    gaps = (curve.confidence - curve.frequency).abs().nan_to_num(0)  # an empty bin has no gap
    return (gaps * curve.counts).sum() / curve.counts.sum()


def temperature_scale(
    logits: Float[Tensor, "*B"], outcomes: Bool[Tensor, "*B"], mask: Bool[Tensor, "*B"] | None = None
) -> Float[Tensor, ""]:
    """Return the temperature by which logits have to be divided for their sigmoid to fit the outcomes best.

    T = argmin Σ −ln likelihood of the outcomes under sigmoid(logits / T)

    Convex in 1/T, so there is one answer, found by halving an interval. Above 1 the predictions were too sure.

    Args:
        logits: that the outcome is true: that a keypoint is visible.
        outcomes: what came true.
        mask: which places count; None for all.

    Raises:
        ValueError: shapes differ, nothing counts, a logit that counts is not finite, or there is no best T: the
            logits' signs are all right (T → 0 is best) or the logits know nothing (T → ∞ is).

    Source: Guo et al. 2017, section 4.2, for one logit.
    Lesson: 04.
    """
    require_same_shape(logits, outcomes, "logits and outcomes")
    z, y = _counting(logits, mask, axes=0), _counting(outcomes, mask, axes=0)
    z = z.to(torch.promote_types(z.dtype, torch.float32))
    if not bool(z.isfinite().all()):
        raise ValueError("logits must be finite where they count.")
    if not bool((z * (y.to(z) - 0.5) < 0).any()):
        raise ValueError("every logit has the right sign, so no T > 0 is best: T → 0. Take more data, or harder ones.")

    def slope(a: Tensor) -> Tensor:  # of −ln likelihood at a = 1/T, which rises with a
        return (z * ((a * z).sigmoid() - y.to(z))).mean()

    low, high = z.new_zeros(()), 1 / z.abs().amax()
    if bool(slope(low) >= 0):
        raise ValueError("these logits say nothing about the outcomes, or the opposite: T → ∞ is best.")
    while bool(slope(high) < 0):
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if bool(slope(middle) < 0) else (low, middle)
    return (2 / (low + high)).to(logits.dtype)


def _counting(values: Tensor, mask: Tensor | None, axes: int = 1) -> Tensor:
    """Return the values at places that count, as (n, …) with the last `axes` axes kept.

    Raises:
        ValueError: the mask has another shape, or nothing counts.
    """
    places = values.shape[: values.ndim - axes]
    mask = torch.ones(places, dtype=torch.bool, device=values.device) if mask is None else mask
    require_tensors(mask=mask)
    if mask.shape != places:
        raise ValueError(f"mask must be {tuple(places)}, one a place; got {tuple(mask.shape)}.")
    if not bool(mask.any()):
        raise ValueError("nothing counts: the mask is empty, and there is nothing to calibrate on.")
    return values[mask]
