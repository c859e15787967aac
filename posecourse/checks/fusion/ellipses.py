"""Known mistakes with covariance intersection: P⁻¹ = ω·A⁻¹ + (1 − ω)·B⁻¹ with the smallest trace.

Each is a function that makes it; its docstring is what the student reads.

Lesson: 06.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from posecourse.fusion import covariance_intersection

__all__ = ["COALS"]


def _best(size: Callable[[Tensor], Tensor]) -> Tensor:
    """Return the ω between 0 and 1 at which a function of ω is smallest, by golden sections."""
    low, high, golden = torch.zeros((), dtype=torch.float64), torch.ones((), dtype=torch.float64), 0.6180339887498949
    for _ in range(48):
        left, right = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, right) if bool(size(left) < size(right)) else (left, high)
    return (low + high) / 2


def _joined(omega: Tensor, precisions: Tensor) -> Tensor:
    return omega * precisions[0] + (1 - omega) * precisions[1]


def _trace(matrix: Tensor) -> Tensor:
    return torch.trace(matrix)


def _smallest(covariances: Tensor, size: Callable[[Tensor], Tensor] = _trace) -> tuple[Tensor, Tensor]:
    """Return ω, and both inverses in float64."""
    precisions = torch.linalg.inv(covariances.double())
    return _best(lambda omega: size(torch.linalg.inv(_joined(omega, precisions)))), precisions


def _fused(means: Tensor, precisions: Tensor, weights: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Return mean and covariance for precisions with weights, in the dtype of the means."""
    first, second = (weight * precision for weight, precision in zip(weights, precisions, strict=True))
    P = torch.linalg.inv(first + second)
    m = means.double()
    return (P @ (first @ m[0] + second @ m[1])).to(means.dtype), P.to(means.dtype)


def taken_for_independent(means: Tensor, covariances: Tensor) -> tuple[Tensor, Tensor]:
    """Both views count in full, P⁻¹ = A⁻¹ + B⁻¹: that is the average of *independent* errors.

    It claims far too much if they share a cause. The weights of the two have to have the sum 1: ω and 1 − ω.
    """
    _, precisions = _smallest(covariances)
    one = torch.ones(())
    return _fused(means, precisions, (one, one))


def half_and_half(means: Tensor, covariances: Tensor) -> tuple[Tensor, Tensor]:
    """ω is always ½. That is honest, and seldom the best: nothing was searched for.

    Of a small and a large ellipse the small one deserves more. Try many ω between 0 and 1 and keep the one whose P has
    the smallest trace.
    """
    _, precisions = _smallest(covariances)
    half = torch.tensor(0.5)
    return _fused(means, precisions, (half, half))


def covariances_averaged(means: Tensor, covariances: Tensor) -> tuple[Tensor, Tensor]:
    """Means and covariances were averaged, half and half, as they are.

    Then a view that knows x well does not help one that does not. What is mixed are the inverses,
    P⁻¹ = ω·A⁻¹ + (1 − ω)·B⁻¹, and the means in their proportion.
    """
    return means.mean(0), covariances.mean(0)


def better_of_the_two(means: Tensor, covariances: Tensor) -> tuple[Tensor, Tensor]:
    """This is the view with the smaller trace, and the other one has no say.

    Right for two circles. Where ellipses lie across each other, an ω between 0 and 1 is better than both ends: look
    inside. If you mixed the covariances themselves, that has its best value at an end always: mix their inverses.
    """
    best = int(covariances.diagonal(dim1=-2, dim2=-1).sum(-1).argmin())
    return means[best], covariances[best]


def least_information(means: Tensor, covariances: Tensor) -> tuple[Tensor, Tensor]:
    """The trace that was made smallest is that of ω·A⁻¹ + (1 − ω)·B⁻¹, the inverse of P: the *least* is known then.

    It always ends at ω = 0 or 1. Invert the mixture before you take the trace; and take `argmin`, not `argmax`.
    """
    _, precisions = _smallest(covariances)
    first = precisions[0].trace() < precisions[1].trace()
    return _fused(means, precisions, (first.double(), 1 - first.double()))


def determinant_minimised(means: Tensor, covariances: Tensor) -> tuple[Tensor, Tensor]:
    """What is smallest here is the determinant of P, the square of the ellipse's area; the trace was asked for.

    Both are in use. A thin, long ellipse has a small area, and its error is as large as it is long. The trace is the
    mean square error.
    """
    omega, precisions = _smallest(covariances, torch.linalg.det)
    return _fused(means, precisions, (omega, 1 - omega))


def omega_on_the_wrong_view(means: Tensor, covariances: Tensor) -> tuple[Tensor, Tensor]:
    """ω and 1 − ω have changed places between the search and the answer: the first view got the share of the second.

    For ω = ½ nobody would notice. Compute P in one function, and call that in the search and at the end.
    """
    omega, precisions = _smallest(covariances)
    return _fused(means, precisions, (1 - omega, omega))


def omega_swapped_in_the_mean(means: Tensor, covariances: Tensor) -> tuple[Tensor, Tensor]:
    """The covariance is right; in the mean, ω and 1 − ω have changed places.

    The mean is P·(ω·A⁻¹·m₁ + (1 − ω)·B⁻¹·m₂), with the ω that made P. If both views agree on a point, so must the
    answer: try that.
    """
    omega, precisions = _smallest(covariances)
    m = means.double()
    pulled = (1 - omega) * precisions[0] @ m[0] + omega * precisions[1] @ m[1]
    P = torch.linalg.inv(_joined(omega, precisions))
    return (P @ pulled).to(means.dtype), P.to(means.dtype)


def means_mixed_by_omega(means: Tensor, covariances: Tensor) -> tuple[Tensor, Tensor]:
    """The covariance is right; the mean is ω·m₁ + (1 − ω)·m₂, as if each view was as sure about x as about y.

    The view that knows x should decide about x: weigh with the matrices, P·(ω·A⁻¹·m₁ + (1 − ω)·B⁻¹·m₂).
    """
    omega, precisions = _smallest(covariances)
    _, P = _fused(means, precisions, (omega, 1 - omega))
    return (omega * means[0].double() + (1 - omega) * means[1].double()).to(means.dtype), P


def omega_forgotten_in_the_mean(means: Tensor, covariances: Tensor) -> tuple[Tensor, Tensor]:
    """The covariance is right; the mean is P·(A⁻¹·m₁ + B⁻¹·m₂), without ω and 1 − ω.

    Its weights do not have the sum 1, so it lies far from both views. The same ω·A⁻¹ and (1 − ω)·B⁻¹ belong in both
    places.
    """
    omega, precisions = _smallest(covariances)
    P = torch.linalg.inv(_joined(omega, precisions))
    pulled = precisions[0] @ means[0].double() + precisions[1] @ means[1].double()
    return (P @ pulled).to(means.dtype), P.to(means.dtype)


def mean_not_normalised(means: Tensor, covariances: Tensor) -> tuple[Tensor, Tensor]:
    """The covariance is right; the mean is ω·A⁻¹·m₁ + (1 − ω)·B⁻¹·m₂, and P is missing before it.

    That is the mean times its precision. Multiply by P, from the left.
    """
    omega, precisions = _smallest(covariances)
    _, P = _fused(means, precisions, (omega, 1 - omega))
    m = means.double()
    return (omega * precisions[0] @ m[0] + (1 - omega) * precisions[1] @ m[1]).to(means.dtype), P


def precision_returned(means: Tensor, covariances: Tensor) -> tuple[Tensor, Tensor]:
    """The mean is right, and beside it stands ω·A⁻¹ + (1 − ω)·B⁻¹: the inverse of the covariance that was asked for.

    Covariances came in, and a covariance goes out. Invert it.
    """
    mean, P = covariance_intersection(means, covariances)
    return mean, torch.linalg.inv(P)


def off_diagonals_ignored(means: Tensor, covariances: Tensor) -> tuple[Tensor, Tensor]:
    """The answer's ellipse stands upright: what stands beside the diagonals of the covariances was left out.

    An ellipse that lies aslant knows a direction well that is neither x nor y. Invert the whole matrices.
    """
    upright = torch.diag_embed(covariances.diagonal(dim1=-2, dim2=-1))
    mean, P = covariance_intersection(means, upright)
    return mean, P


COALS = (
    taken_for_independent,
    half_and_half,
    covariances_averaged,
    better_of_the_two,
    least_information,
    determinant_minimised,
    omega_on_the_wrong_view,
    omega_swapped_in_the_mean,
    means_mixed_by_omega,
    omega_forgotten_in_the_mean,
    mean_not_normalised,
    precision_returned,
    off_diagonals_ignored,
)
