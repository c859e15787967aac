"""Known mistakes with the inverse-variance average: Σ (m/v) / Σ (1/v), of variance 1 / Σ (1/v).

Each is a function that makes it; its docstring is what the student reads.

Lesson: 06.
"""

from torch import Tensor

from posecourse.fusion import inverse_variance

__all__ = ["COALS"]


def _average(means: Tensor, weights: Tensor) -> Tensor:
    return (weights * means).sum(0) / weights.sum(0)


def _claim(variances: Tensor) -> Tensor:
    return 1 / (1 / variances).sum(0)


def one_over_sigma(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """Weights and variance are those of one over the *standard deviation*: a square root too many.

    A view that errs twice as much then has half the vote, and a quarter is best. Weigh by 1 / v, v as given.
    """
    weights = 1 / variances.sqrt()
    return _average(means, weights), 1 / weights.sum(0)


def one_over_sigma_in_the_mean(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """The variance is right, and the mean is not the one that has it: its weights are one over the standard deviation.

    Such an average has a larger variance than it claims. The weights are those whose sum stands below the 1: 1 / v.
    """
    return _average(means, 1 / variances.sqrt()), _claim(variances)


def weighted_by_sigma(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """The view that errs most has the largest vote: the mean is weighted by the standard deviation.

    The variance is right, so you know what a trustworthy view is. Turn the weights round, without the root: 1 / v.
    """
    return _average(means, variances.sqrt()), _claim(variances)


def weighted_by_variance(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """The view that errs most has the largest vote: the mean is weighted by the variance, not by one over it.

    Try it with one view of variance 1 and one of 100: the answer lies beside the second. Divide where you multiply.
    """
    return _average(means, variances), _claim(variances)


def variance_squared(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """Variances were squared once more: the weights are 1 / v², and the variance is 1 / Σ (1/v²).

    The formula has 1 / σ², and what you are given is σ² already. The unit says so, too: a variance is in square pixels.
    """
    weights = 1 / variances**2
    return _average(means, weights), 1 / weights.sum(0)


def plain_average(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """All views have the same vote: this is the plain average, with the variance Σ v / V² that it really has.

    It is honest, and can be worse than the best view alone: one bad view among them spoils it. Weigh by 1 / v.
    """
    return means.mean(0), variances.sum(0) / len(variances) ** 2


def variances_averaged(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """The mean is right; for its variance you averaged those of the views, as if nothing was gained by fusing.

    Errors that are independent cancel in part. What adds up are the precisions: the variance is 1 / Σ (1/v), which is
    smaller than the smallest v.
    """
    return inverse_variance(means, variances).mean, variances.mean(0)


def harmonic_mean(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """The mean is right and its variance V times too large: V / Σ (1/v) is the harmonic *mean* of the variances.

    Of two views with the variance 2 it gives 2, as if the second one brought nothing. No count belongs there: a mean
    of precisions was taken where their sum is due.
    """
    return inverse_variance(means, variances).mean, len(variances) * _claim(variances)


def variances_added(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """The mean is right; for its variance those of the views were added up, so that every further view makes it worse.

    Variances add up in a *sum* of errors. Here each error comes with its weight, squared: Σ w²·v, which is 1 / Σ (1/v).
    """
    return inverse_variance(means, variances).mean, variances.sum(0)


def precision_returned(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """The mean is right, and beside it stands Σ (1/v): the precision, one over what was asked for.

    It grows with each view, where a variance shrinks. Return one over it.
    """
    return inverse_variance(means, variances).mean, (1 / variances).sum(0)


def deviation_returned(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """The mean is right, and beside it stands the standard deviation, where the variance was asked for.

    Variances came in, and a variance goes out, so that it can be fused again. Leave out the root.
    """
    mean, variance = inverse_variance(means, variances)
    return mean, variance.sqrt()


def not_normalised(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """The variance is right, and the mean lies where no view is: this is Σ (m/v), and nobody divided by Σ (1/v).

    The weights of an average have the sum 1. If all views agree on a point, so must the answer: try that.
    """
    return (means / variances).sum(0), _claim(variances)


def normalised_over_everything(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """The mean is far too small: the weights of all points, x and y, together have the sum 1.

    `weights.sum()` without an axis adds up everything. Each point and each axis has an average of its own: `sum(0)`.
    """
    weights = 1 / variances
    return (weights * means).sum(0) / weights.sum(), _claim(variances)


def over_the_coordinates(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """Fused along the wrong axis: x and y of each view were averaged with each other, and the views are still apart.

    The shape shows it: the last axis is gone, and the first, V, is still there. Sum over the views, `dim=0`.
    """
    precision = (1 / variances).sum(-1)
    return (means / variances).sum(-1) / precision, 1 / precision


def over_the_batch(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """Fused along the wrong axis: `dim=1` holds the points, so different points of one view were averaged.

    The views are what comes first, and they are what has to go: `dim=0`. A batch of one point would hide this.
    """
    precision = (1 / variances).sum(1)
    return (means / variances).sum(1) / precision, 1 / precision


def one_weight_a_point(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """The variance is right, but x and y share one weight, made of the mean of their variances.

    A view may be sure about x and not about y. Each axis has weights of its own: keep the last axis of `variances`.
    """
    return _average(means, (1 / variances.mean(-1, keepdim=True)).expand_as(means)), _claim(variances)


def over_the_last_axis_but_one(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """Fused along the axis before x and y: with views alone that is the right one, and with a batch it holds points.

    The views are what comes *first*, however many axes follow: `dim=0`, counted from the left.
    """
    precision = (1 / variances).sum(-2)
    return (means / variances).sum(-2) / precision, 1 / precision


def zero_times_infinity(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """All is right, until a view knows nothing: then the variance is NaN. It was computed as Σ w²·v.

    Where v is infinite the weight is 0, and 0 · ∞ is NaN. The same number without the trap is 1 / Σ (1/v).
    """
    mean, _ = inverse_variance(means, variances)
    weights = 1 / variances
    weights = weights / weights.sum(0)
    return mean, (weights**2 * variances).sum(0)


def variance_first(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """Both numbers are right, and they have changed places: the mean comes first, the variance second.

    The docstring lists them in the order in which they are returned: `return mean, variance`.
    """
    mean, variance = inverse_variance(means, variances)
    return variance, mean


COALS = (
    one_over_sigma,
    one_over_sigma_in_the_mean,
    weighted_by_sigma,
    weighted_by_variance,
    variance_squared,
    plain_average,
    variances_averaged,
    harmonic_mean,
    variances_added,
    precision_returned,
    deviation_returned,
    not_normalised,
    normalised_over_everything,
    over_the_coordinates,
    over_the_batch,
    one_weight_a_point,
    over_the_last_axis_but_one,
    zero_times_infinity,
    variance_first,
)
