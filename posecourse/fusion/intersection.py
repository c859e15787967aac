"""Covariance intersection: one ellipse made of several, honest however the errors hang together."""

from itertools import combinations
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.fusion.independent import require_views
from posecourse.shapes import require_tensors

__all__ = ["Intersection", "covariance_intersection"]

_SWEEPS = 40


class Intersection(NamedTuple):
    """One point made of several, and an ellipse that is not too small for any correlation.

    Args:
        mean: (*B 2) as (x, y), in the unit of the points.
        covariance: (*B 2 2) in the square of that unit.
    """

    mean: Float[Tensor, "*B 2"]
    covariance: Float[Tensor, "*B 2 2"]


def covariance_intersection(means: Float[Tensor, "V *B 2"], covariances: Float[Tensor, "V *B 2 2"]) -> Intersection:
    """Average points whose errors are correlated in a way that nobody knows, and claim no more than is sure.

    P⁻¹ = Σ ωᵢ·Cᵢ⁻¹,  mean = P·Σ ωᵢ·Cᵢ⁻¹·mᵢ,  ω ≥ 0, Σ ωᵢ = 1, that for which the trace of P is smallest

    If each Cᵢ is honest, so is P: P − E[e·eᵀ] has no negative eigenvalue, whatever the correlations. The price: of two
    circles it is the smaller one, so it gains only where ellipses differ in shape. C = diag(4, 1) and diag(1, 4) make
    1.6·I, where independence would have claimed .8·I.

    Args:
        means: V estimates of each point, (x, y).
        covariances: of each of them; positive definite, their symmetric part counts.

    Returns:
        The average and its claim. ω counts as a constant where gradients flow.

    Raises:
        TypeError: integers.
        ValueError: shapes disagree, or a covariance is not positive definite and finite.

    Source: Julier and Uhlmann 1997, equations 6 to 8, for several at once as Uhlmann 2003. They leave the measure of
        size open; trace is the mean square error. It is convex in ω, and for two a quadratic equation;
        of more, pairs take turns, which comes close to the smallest trace (.2 % in the worst of 10 000 draws of three
        thin ellipses). P is honest for any ω.
    Lesson: 06, exercise `covariance_intersection`.
    """
    require_views(means)
    require_tensors(covariances=covariances)
    if covariances.shape != (*means.shape, 2):
        raise ValueError(
            f"covariances must be {(*tuple(means.shape), 2)}, one (2, 2) a point of means; got "
            f"{tuple(covariances.shape)}. Of variances (..., 2) take torch.diag_embed."
        )
    dtype = torch.promote_types(covariances.dtype, torch.float32)
    precisions = _inverse(_checked(covariances.to(dtype)))
    weighted = _weights(precisions.detach())[..., None, None] * precisions
    covariance = _inverse(weighted.sum(0))
    pulled = (weighted @ means.to(dtype)[..., None]).sum(0)
    return Intersection((covariance @ pulled).squeeze(-1).to(means.dtype), covariance.to(covariances.dtype))


def _weights(precisions: Float[Tensor, "V *B 2 2"]) -> Float[Tensor, "V *B"]:
    """Return the ω with the smallest trace: pair by pair the share of each, which for two is all there is to do."""
    V = len(precisions)
    precisions = precisions / _trace(precisions).amax(0)[..., None, None]  # no unit, so that no product overflows
    omega = precisions.new_full(precisions.shape[:-2], 1 / V)
    for _ in range(_SWEEPS if V > 2 else 1):
        for i, j in combinations(range(V), 2):
            mass = omega[i] + omega[j]
            rest = (omega[..., None, None] * precisions).sum(0) - _scaled(omega[i], precisions[i])
            rest = rest - _scaled(omega[j], precisions[j])
            omega[i] = _share(rest + _scaled(mass, precisions[j]), precisions[i] - precisions[j], mass)
            omega[j] = mass - omega[i]
    return omega


def _share(
    start: Float[Tensor, "*B 2 2"], way: Float[Tensor, "*B 2 2"], most: Float[Tensor, "*B"]
) -> Float[Tensor, "*B"]:
    """Return the u between 0 and `most` with the smallest trace of (start + u·way)⁻¹.

    In two dimensions that trace is t/d with t = trace and d = determinant of start + u·way, d a quadratic in u, and the
    slope has the sign of t'·d − t·d' = a + b·u + c·u². The trace is convex, so the slope's sign changes once at most.
    """
    t0, t1 = _trace(start), _trace(way)
    d0, d2 = _determinant(start), _determinant(way)
    d1 = t0 * t1 - (start * way.mT).sum((-2, -1))  # det(S + u·W) = det S + u·(tr S·tr W − tr SW) + u²·det W
    a, b, c = t1 * d0 - t0 * d1, -2 * t0 * d2, -t1 * d2
    width = (b**2 - 4 * a * c).clamp(min=0).sqrt()
    below = torch.where(b > 0, -2 * a, width - b)  # the same root in two ways: none subtracts like from like
    above = torch.where(b > 0, b + width, 2 * c)
    root = torch.where(above == 0, most / 2, below / torch.where(above == 0, 1, above))
    end = a + b * most + c * most**2
    inside = torch.where(end <= 0, most, torch.minimum(root.clamp(min=0), most))
    return torch.where((a == 0) & (end == 0), most / 2, torch.where(a >= 0, 0, inside))


def _checked(covariances: Float[Tensor, "*B 2 2"]) -> Float[Tensor, "*B 2 2"]:
    """Return the symmetric parts, or raise where one is not positive definite and finite."""
    symmetric = (covariances + covariances.mT) / 2
    good = (symmetric[..., 0, 0] > 0) & (_determinant(symmetric) > 0) & symmetric.isfinite().all(-1).all(-1)
    if not bool(good.all()):
        raise ValueError("covariances must be positive definite and finite. Add a floor to their diagonal.")
    return symmetric


def _scaled(factor: Float[Tensor, "*B"], matrix: Float[Tensor, "*B 2 2"]) -> Float[Tensor, "*B 2 2"]:
    return factor[..., None, None] * matrix


def _trace(matrix: Float[Tensor, "*B 2 2"]) -> Float[Tensor, "*B"]:
    return matrix[..., 0, 0] + matrix[..., 1, 1]


def _determinant(matrix: Float[Tensor, "*B 2 2"]) -> Float[Tensor, "*B"]:
    return matrix[..., 0, 0] * matrix[..., 1, 1] - matrix[..., 0, 1] * matrix[..., 1, 0]


def _inverse(matrix: Float[Tensor, "*B 2 2"]) -> Float[Tensor, "*B 2 2"]:
    turned = torch.stack([matrix[..., 1, 1], matrix[..., 0, 0]], dim=-1)
    return (torch.diag_embed(turned) - matrix * (1 - torch.eye(2).to(matrix))) / _determinant(matrix)[..., None, None]
