"""What training minimises, one number a keypoint, and the one way of averaging them.

A keypoint whose prediction or truth is NaN or infinite has the loss NaN and no gradient at all. So a mistake shows,
and `masked_mean` removes it wholly where it stands at a place that does not count: multiplying by a mask of zeros
would not, since 0·NaN is NaN, in the value and once more in the gradient.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from posecourse.shapes import require_maps, require_mask, require_points, require_positive, require_same_shape

__all__ = ["euclidean", "smooth_l1", "heatmap_mse", "js_divergence", "gaussian_nll", "laplace_nll", "masked_mean"]


def euclidean(predicted: Float[Tensor, "*B K 2"], truth: Float[Tensor, "*B K 2"]) -> Float[Tensor, "*B K"]:
    """Return the distance between prediction and truth: √(Δx² + Δy²).

    Its gradient is the unit vector away from the truth; at the truth itself, where there is none, it is 0.

    Args:
        predicted: (x, y).
        truth: (x, y) in the same frame.

    Returns:
        Distances in the unit of the points.

    Raises:
        ValueError: the two are not points of one shape.

    Lesson: 01.
    """
    _require_point_pair(predicted, truth)
    (predicted, truth), finite = _finite_places(1, predicted, truth)
    return _or_nan(torch.linalg.vector_norm(predicted - truth, dim=-1), finite)


def smooth_l1(
    predicted: Float[Tensor, "*B K 2"], truth: Float[Tensor, "*B K 2"], beta: float = 1.0
) -> Float[Tensor, "*B K"]:
    """Return the Huber loss of x and of y, summed: quadratic for small errors, linear for large ones.

    Σ_xy Δ²/(2β) where |Δ| < β, else |Δ| − β/2

    Args:
        predicted: (x, y).
        truth: (x, y) in the same frame.
        beta: β, where the two halves meet, in the unit of the points; positive.

    Raises:
        ValueError: the two are not points of one shape, or `beta` is not positive.

    Source: Girshick 2015 (Fast R-CNN), equation 3, where β = 1.
    Lesson: 01.
    """
    _require_point_pair(predicted, truth)
    require_positive(beta, "beta")
    (predicted, truth), finite = _finite_places(1, predicted, truth)
    error = (predicted - truth).abs()
    loss = torch.where(error < beta, error**2 / (2 * beta), error - beta / 2)
    return _or_nan(loss.sum(-1), finite)


def heatmap_mse(predicted: Float[Tensor, "*B K H W"], target: Float[Tensor, "*B K H W"]) -> Float[Tensor, "*B K"]:
    """Return the mean squared difference of two heatmaps over their cells: Σ (h − t)² / (H·W).

    A blob fills few cells: a map of zeros scores about πσ²A² / (H·W), small on a large map. Compare at one size.

    Args:
        predicted: h.
        target: t, as `heatmaps.gaussian_heatmaps` makes it.

    Raises:
        ValueError: the two are not maps of one shape.

    Source: Tompson et al. 2014.
    Lesson: 01.
    """
    _require_map_pair(predicted, target, "predicted and target")
    (predicted, target), finite = _finite_places(2, predicted, target)
    return _or_nan(((predicted - target) ** 2).mean((-2, -1)), finite)


def js_divergence(p: Float[Tensor, "*B K H W"], q: Float[Tensor, "*B K H W"]) -> Float[Tensor, "*B K"]:
    """Return the Jensen-Shannon divergence of two distributions over cells, between 0 and ln 2.

    JS = ½·Σ p·ln(p/m) + ½·Σ q·ln(q/m), with m = (p + q)/2 and 0·ln 0 = 0

    Symmetric, 0 only where p = q, and finite where one of them is 0. Where p is 0 and q is not, the slope is minus
    infinity; ours is cut off at ½·ln of the smallest normal number, so that softmax's gradient, p times it, is 0.

    Args:
        p: not negative, Σ = 1 over each map, as `heatmaps.spatial_softmax` makes them.
        q: likewise, as `heatmaps.gaussian_distributions` makes them.

    Returns:
        Divergences in nats.

    Raises:
        ValueError: the two are not maps of one shape.

    Source: Lin 1991, equation 4.1 with equal weights; Nibali et al. 2018 (DSNT) use it as a regulariser.
    Lesson: 01.
    """
    _require_map_pair(p, q, "p and q")
    (p, q), finite = _finite_places(2, p, q)
    least = torch.finfo(p.dtype).tiny
    log_p, log_q, log_m = (place.clamp(min=least).log() for place in (p, q, (p + q) / 2))
    return _or_nan((p * (log_p - log_m) + q * (log_q - log_m)).sum((-2, -1)) / 2, finite)


def gaussian_nll(
    predicted: Float[Tensor, "*B K 2"],
    truth: Float[Tensor, "*B K 2"],
    variances: Float[Tensor, "*B K 2"],
    beta: float = 0.0,
) -> Float[Tensor, "*B K"]:
    """Return how surprising the truth is to a network that predicts a place and a variance for x and for y.

    Σ_xy v^β·(½·ln(2πv) + Δ²/(2v)), with no gradient through v^β

    Smallest where v is the mean of Δ². At β = 0 it is minus the log-likelihood, with a trap: its gradient for the
    place is Δ/v, so a keypoint that is called uncertain early hardly learns any more. β = 1 has the gradient of the
    squared error, Δ; ½ is the authors' advice.

    Args:
        predicted: (x, y).
        truth: (x, y) in the same frame.
        variances: v of x and of y, in the unit of the points squared; positive.
        beta: β between 0 and 1.

    Returns:
        Negative log-likelihoods in nats (at β = 0); negative for small v.

    Raises:
        ValueError: the three are not of one shape, or a variance is 0 or less. Predict ln v, or add a floor to v.

    Source: Nix and Weigend 1994; Seitzer et al. 2022 (β-NLL).
    Lesson: 06.
    """
    _require_point_pair(predicted, truth)
    require_same_shape(predicted, variances, "predicted and variances")
    if bool((variances <= 0).any()):
        raise ValueError(
            f"variances must be positive; the smallest is {variances.min().item():.4g}. "
            "Let the network predict ln v and take its exponential, or add a floor to v."
        )
    places, finite = _finite_places(1, predicted, truth, variances)
    predicted, truth, v = places
    v = torch.where(finite[..., None], v, 1)
    loss = (torch.log(2 * math.pi * v) + (predicted - truth) ** 2 / v) / 2
    return _or_nan((v.detach() ** beta * loss).sum(-1), finite)


def laplace_nll(
    predicted: Float[Tensor, "*B K 2"], truth: Float[Tensor, "*B K 2"], scales: Float[Tensor, "*B K 2"]
) -> Float[Tensor, "*B K"]:
    """Return how surprising the truth is to a network that predicts a place and a Laplace scale for x and for y.

    Σ_xy ln(2b) + |Δ|/b

    Smallest where b is the mean of |Δ|. The place that it asks for is the median, so a rare wrong label hardly moves
    it. Residual log-likelihood (RLE) starts from this density and lets a normalising flow learn what is missing.

    Args:
        predicted: (x, y).
        truth: (x, y) in the same frame.
        scales: b of x and of y, in the unit of the points; positive.

    Returns:
        Negative log-likelihoods in nats; negative for small b.

    Raises:
        ValueError: the three are not of one shape, or a scale is 0 or less. Predict ln b, or add a floor to b.

    Source: Li et al. 2021 (RLE), section 3, without the flow.
    Lesson: 01, exercise `laplace_nll`.
    """
    _require_point_pair(predicted, truth)
    require_same_shape(predicted, scales, "predicted and scales")
    if bool((scales <= 0).any()):
        raise ValueError(
            f"scales must be positive; the smallest is {scales.min().item():.4g}. "
            "Let the network predict ln b and take its exponential, or add a floor to b."
        )
    places, finite = _finite_places(1, predicted, truth, scales)
    predicted, truth, b = places
    b = torch.where(finite[..., None], b, 1)
    return _or_nan((torch.log(2 * b) + (predicted - truth).abs() / b).sum(-1), finite)


def masked_mean(values: Float[Tensor, "*B"], mask: Bool[Tensor, "*B"]) -> Float[Tensor, ""]:
    """Return the mean of the values that count: Σ_mask values / Σ mask.

    What stands at the other places changes neither the value nor a gradient, NaN and infinity included. The divisor
    is how many count in all: not the batch, nor all places, by which a half-hidden person would be half as important.

    Args:
        values: one number a keypoint, as the losses here return them.
        mask: which of them count, of the same shape: `sample.labelled`.

    Returns:
        The mean. Where nothing counts it is 0, with a gradient of 0: a batch without labels is no reason to move.

    Raises:
        TypeError: `mask` is not boolean. COCO's visibility 0/1/2 is not a mask: `visibility > 0` is.
        ValueError: the shapes differ.

    Lesson: 04, exercise `masked_mean`.
    """
    require_mask(mask)
    require_same_shape(values, mask, "values and mask")
    # A sum in half precision ends at 65504, a hundred batches too early.
    wide = torch.promote_types(values.dtype, torch.float32)
    total = torch.where(mask, values, 0).sum(dtype=wide)
    return (total / mask.sum().clamp(min=1)).to(values.dtype)


def _finite_places(axes: int, *tensors: Tensor) -> tuple[tuple[Tensor, ...], Bool[Tensor, "*B"]]:
    """Return the tensors with 0 at each keypoint where one of them is not finite, and where all of them are.

    The zeros keep NaN out of the backward pass: the gradient of what is not used is 0·f′, and f′(NaN) is NaN.
    """
    finite = torch.stack([tensor.detach().isfinite().flatten(-axes).all(-1) for tensor in tensors]).all(0)
    place = finite[(..., *[None] * axes)]
    return tuple(torch.where(place, tensor, 0) for tensor in tensors), finite


def _or_nan(loss: Tensor, finite: Bool[Tensor, "*B"]) -> Tensor:
    return torch.where(finite, loss, torch.nan)


def _require_point_pair(predicted: Tensor, truth: Tensor) -> None:
    require_points(predicted, "predicted")
    require_points(truth, "truth")
    require_same_shape(predicted, truth, "predicted and truth")


def _require_map_pair(a: Tensor, b: Tensor, names: str) -> None:
    first, _, second = names.partition(" and ")
    require_maps(a, first)
    require_maps(b, second)
    require_same_shape(a, b, names)
