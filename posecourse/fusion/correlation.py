"""The best average of errors that hang together: weights from their covariance, negative ones included."""

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.fusion.independent import Fused, require_views
from posecourse.shapes import require_tensors

__all__ = ["best_weights", "correlated"]


def best_weights(covariance: Float[Tensor, "*B V V"]) -> Float[Tensor, "*B V"]:
    """Return the weights, of sum 1, with which an average of V unbiased estimates has the least variance.

    w = C⁻¹·1 / (1ᵀ·C⁻¹·1),  with the variance wᵀ·C·w = 1 / (1ᵀ·C⁻¹·1)

    A weight is negative where an estimate tells more about the error of a better one than about the point: of two,
    that of the worse one for ρ > 1/r. Such an average lies outside of what it averages, and trusts ρ to the hilt.

    Args:
        covariance: C of the estimates' errors; its symmetric part counts. It must be positive definite.

    Raises:
        ValueError: not (..., V, V), or not positive definite.

    Source: the best linear unbiased estimate; Aitken 1936; Bar-Shalom and Campo 1986 for two tracks.
    Lesson: 06.
    """
    return _solved(covariance)[0]


def correlated(means: Float[Tensor, "V *B 2"], covariance: Float[Tensor, "... V V"]) -> Fused:
    """Average points whose errors are correlated, with the best weights, axis by axis.

    mean = Σ wᵢ·mᵢ,  variance = 1 / (1ᵀ·C⁻¹·1),  w = C⁻¹·1 / (1ᵀ·C⁻¹·1)

    A diagonal C makes it `inverse_variance`.

    Args:
        means: V estimates of each point, (x, y).
        covariance: C of the V errors along an axis. Its leading axes broadcast to (*B, 2): (V, V) is one for all, (2,
            V, V) one for x and one for y, (*B, 1, V, V) one a point, (*B, 2, V, V) everything.

    Raises:
        TypeError: integers.
        ValueError: shapes disagree, or a covariance is not positive definite.

    Source: as `best_weights`.
    Lesson: 06, exercise `correlated`.
    """
    require_views(means)
    weights, variance = _solved(covariance)
    V, *places = means.shape
    if weights.shape[-1] != V or not _fits(weights.shape[:-1], places):
        raise ValueError(
            f"means {tuple(means.shape)} are {V} estimates of points {tuple(places)}, so covariance must be (..., {V}, "
            f"{V}) with leading axes that broadcast to {tuple(places)}; got {tuple(covariance.shape)}."
        )
    mean = (weights * means.movedim(0, -1)).sum(-1)  # V last, as in the weights
    return Fused(mean, variance.expand_as(mean))


def _solved(covariance: Float[Tensor, "*B V V"]) -> tuple[Float[Tensor, "*B V"], Float[Tensor, "*B"]]:
    """Return the best weights and their variance.

    C is brought to ones on its diagonal first: σ of very unlike size are no reason for a wrong answer.
    """
    require_tensors(covariance=covariance)
    if covariance.ndim < 2 or covariance.shape[-1] != covariance.shape[-2] or 0 in covariance.shape[-2:]:
        raise ValueError(f"covariance must be (..., V, V), square; got {tuple(covariance.shape)}. torch.cov makes one.")
    C = covariance.to(torch.promote_types(covariance.dtype, torch.float32))
    sigma = C.diagonal(dim1=-2, dim2=-1).clamp(min=0).sqrt()
    outer = sigma[..., :, None] * sigma[..., None, :]
    correlation = (C + C.mT) / 2 / torch.where(outer > 0, outer, 1)
    root, _ = torch.linalg.cholesky_ex(correlation)
    news = root.detach().diagonal(dim1=-2, dim2=-1).square()  # of each view, given those before it
    least = 16 * C.shape[-1] * torch.finfo(C.dtype).eps
    if not bool((news.isfinite() & (news > least) & (outer.diagonal(dim1=-2, dim2=-1) > 0)).all()):
        raise ValueError(
            "covariance must be positive definite: every estimate needs an error of its own. Where one repeats "
            "another (ρ = 1) leave it out; or add a floor to the diagonal."
        )
    ones = 1 / sigma
    solution = torch.cholesky_solve(ones[..., None], root).squeeze(-1) / sigma  # C⁻¹·1
    total = solution.sum(-1)
    return (solution / total[..., None]).to(covariance.dtype), (1 / total).to(covariance.dtype)


def _fits(leading: torch.Size, places: list[int]) -> bool:
    """Return whether the leading axes of a covariance broadcast to these places without adding to them."""
    try:
        return list(torch.broadcast_shapes(leading, tuple(places))) == places
    except RuntimeError:
        return False
