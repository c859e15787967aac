"""Known mistakes with correlated errors: w = C⁻¹·1 / (1ᵀ·C⁻¹·1), of variance 1 / (1ᵀ·C⁻¹·1).

Each is a function that makes it; its docstring is what the student reads.

Lesson: 06.
"""

import torch
from torch import Tensor

from posecourse.fusion import best_weights, correlated, inverse_variance

__all__ = ["COALS"]


def _mean(means: Tensor, weights: Tensor) -> Tensor:
    """Return the sum of the views with weights (*B 2 V)."""
    return (weights.movedim(-1, 0) * means).sum(0)


def _shares(weights: Tensor) -> Tensor:
    return weights / weights.sum(-1, keepdim=True)


def _variances(covariance: Tensor) -> Tensor:
    """Return the diagonal, as (V *B 2)."""
    return covariance.diagonal(dim1=-2, dim2=-1).movedim(-1, 0)


def _true(weights: Tensor, covariance: Tensor) -> Tensor:
    return torch.einsum("...i,...ij,...j->...", weights, covariance, weights)


def off_diagonals_ignored(means: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
    """What stands beside the diagonal has no influence: this is the inverse-variance average, and its promise.

    It takes errors that share a cause for independent ones, and claims a gain that is not there. Invert the whole
    matrix.
    """
    mean, variance = inverse_variance(means, _variances(covariance))
    return mean, variance


def independent_weights(means: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
    """An honest variance, and it could be smaller: the weights are still one over each variance.

    wᵀ·C·w is true for any weights. Those that make it smallest take in how the errors hang together: C⁻¹·1, divided by
    its sum.
    """
    weights = _shares(1 / covariance.diagonal(dim1=-2, dim2=-1))
    return _mean(means, weights), _true(weights, covariance)


def claim_of_independence(means: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
    """The mean is right, and claims too much: its variance is that of independent errors, 1 / Σ (1/v).

    The weights know about the correlation, and the variance has to know, too: 1 / (1ᵀ·C⁻¹·1), one over the sum of all
    numbers in C⁻¹.
    """
    return correlated(means, covariance).mean, 1 / (1 / _variances(covariance)).sum(0)


def inverted_number_by_number(means: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
    """Each number of C was inverted by itself: `1 / C`, or a power of −1, is not the inverse of a matrix.

    It would be right for one view. C⁻¹ is the matrix with C·C⁻¹ = I: `torch.linalg.inv(C)`.
    """
    inverse = 1 / covariance
    return _mean(means, _shares(inverse.sum(-1))), 1 / inverse.sum((-2, -1))


def not_inverted(means: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
    """The variance is right; the weights are the sums of the rows of C itself, so the view that errs most leads.

    The inverse is in one half of your answer and missing in the other. Weights are the row sums of C⁻¹ over their sum.
    """
    return _mean(means, _shares(covariance.sum(-1))), correlated(means, covariance).variance


def diagonal_of_the_inverse(means: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
    """Only the diagonal of C⁻¹ was used, for weights and for the variance.

    That inverts the whole matrix and then forgets it again. All numbers of a row count: C⁻¹·1 is `inverse.sum(-1)`.
    No weight would ever be negative here, and some should be.
    """
    diagonal = torch.linalg.inv(covariance).diagonal(dim1=-2, dim2=-1)
    return _mean(means, _shares(diagonal)), 1 / diagonal.sum(-1)


def negative_clipped(means: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
    """Negative weights were set to 0 and the others scaled up. The variance claimed is that of the weights before.

    A negative weight is no mistake: where a bad view repeats the error of a good one, what it says is subtracted.
    The answer may lie outside of all views. Leave the weights alone.
    """
    weights = best_weights(covariance)
    return _mean(means, _shares(weights.clamp(min=0))), correlated(means, covariance).variance


def negative_clipped_honestly(means: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
    """Negative weights were set to 0, the others scaled up, and the variance is the true one of that.

    So it is honest, and larger than it could be: where a bad view repeats the error of a good one, subtracting some of
    it helps. Leave the weights alone.
    """
    weights = _shares(best_weights(covariance).clamp(min=0))
    return _mean(means, weights), _true(weights, covariance)


def signs_dropped(means: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
    """The variance is right, and the weights have lost their sign: those that should be negative count as positive.

    A negative weight subtracts the error that two views share; turned round, it adds it once more. No `abs` there.
    """
    return _mean(means, _shares(best_weights(covariance).abs())), correlated(means, covariance).variance


def not_normalised(means: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
    """The variance is right, and the mean lies where no view is: the weights C⁻¹·1 do not have the sum 1.

    If all views agree on a point, so must the answer. Divide by their sum, 1ᵀ·C⁻¹·1.
    """
    mean, variance = correlated(means, covariance)
    return mean / variance, variance


def precision_returned(means: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
    """The mean is right, and beside it stands 1ᵀ·C⁻¹·1: the precision, one over what was asked for.

    It grows with each view, where a variance shrinks. Return one over it.
    """
    mean, variance = correlated(means, covariance)
    return mean, 1 / variance


def plain_average(means: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
    """All views have the same vote, and the variance is that of the plain average, 1ᵀ·C·1 / V².

    It is honest, and often worse than the best view alone. The weights with the least variance are C⁻¹·1 over its sum.
    """
    return means.mean(0), covariance.mean((-2, -1))


def deviation_returned(means: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
    """The mean is right, and beside it stands the standard deviation, where the variance was asked for.

    A covariance came in, in square pixels, and a variance goes out. Leave out the root.
    """
    mean, variance = correlated(means, covariance)
    return mean, variance.sqrt()


COALS = (
    off_diagonals_ignored,
    independent_weights,
    claim_of_independence,
    inverted_number_by_number,
    not_inverted,
    diagonal_of_the_inverse,
    negative_clipped,
    negative_clipped_honestly,
    signs_dropped,
    not_normalised,
    precision_returned,
    plain_average,
    deviation_returned,
)
