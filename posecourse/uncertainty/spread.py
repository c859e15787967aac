"""How far answers lie apart, and how much of what is not known they own to."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from posecourse.shapes import require_points, require_same_shape

__all__ = ["Split", "sample_covariance", "split_uncertainty"]


class Split(NamedTuple):
    """Two variances whose sum is that of a prediction.

    Args:
        aleatoric: (*B 2) the noise that the network expects: the mean of the variances that it predicts.
        epistemic: (*B 2) how much it disagrees with itself: the variance of the means that it predicts.
    """

    aleatoric: Float[Tensor, "*B 2"]
    epistemic: Float[Tensor, "*B 2"]


def split_uncertainty(means: Float[Tensor, "S *B 2"], variances: Float[Tensor, "S *B 2"]) -> Split:
    """Part the variance of a prediction into what each answer owns to and what the answers differ by.

    var(y) = E[var(y | f)] + var(E[y | f]): aleatoric = (1/S)·Σ vₛ,  epistemic = 1/(S − 1)·Σ (mₛ − m̄)²

    The names promise more than the formula does: the first is what the network has learnt to call noise, the second
    what its masks, or its seeds, make of it.

    Args:
        means: S answers to each point, (x, y), as from `mc_dropout_gaussian`.
        variances: what each of them claims, for each axis; not negative.

    Returns:
        Both, in the square of the unit of the means. The second is that of one answer; divided by S it would be that
        of the mean of the answers, which every further sample makes smaller, and nothing better known.

    Raises:
        TypeError: integers.
        ValueError: shapes differ, there is one sample, or a variance is negative.

    Source: Kendall and Gal 2017, equation 9; with S − 1 for their S, so that few samples are not too sure.
    Lesson: 08, exercise `split_uncertainty`.
    """
    _require_samples(means, "means")
    require_points(variances, "variances")
    require_same_shape(means, variances, "means and variances")
    if bool((variances < 0).any()):
        raise ValueError(
            f"variances must not be negative; the smallest is {variances.min().item():.4g}. Of a logarithm take exp."
        )
    return Split(variances.mean(0), means.var(0))


def sample_covariance(points: Float[Tensor, "S *B 2"]) -> Float[Tensor, "*B 2 2"]:
    """Return the covariance of x and y over samples, one (2, 2) a point: [[xx, xy], [xy, yy]].

    C = 1/(S − 1)·Σ (pₛ − p̄)·(pₛ − p̄)ᵀ, which is right on average for any S ≥ 2

    From two samples it is a line, and `calibration.coverage` refuses it: take three at least, or add a floor.

    Args:
        points: S answers to each point, (x, y).

    Returns:
        In the square of their unit.

    Raises:
        TypeError: integers.
        ValueError: the last axis is not (x, y), or there is one sample.

    Lesson: 08.
    """
    _require_samples(points, "points")
    apart = points - points.mean(0)
    return (apart[..., :, None] * apart[..., None, :]).sum(0) / (len(points) - 1)


def _require_samples(points: Tensor, name: str) -> None:
    """Raise unless there are points (S, ..., 2) with two samples at least."""
    require_points(points, name)
    if points.ndim < 2 or len(points) < 2:
        raise ValueError(
            f"{name} must be (S, ..., 2), the samples first, and at least two of them, or there is no spread; got "
            f"{tuple(points.shape)}."
        )
