"""Known mistakes with the factor that mends claimed variances: the mean of e² / v.

Each is a function that makes it; its docstring is what the student reads.

Lesson: 06.
"""

from torch import Tensor

__all__ = ["COALS"]


def root_taken(errors: Tensor, variances: Tensor) -> Tensor:
    """This is the root of the factor: the one that standard deviations have to be multiplied by.

    Variances were given, and it is they that will be multiplied. If errors are twice as large as claimed the factor is
    4, not 2. Leave out the root.
    """
    return (errors**2 / variances).mean().sqrt()


def upside_down(errors: Tensor, variances: Tensor) -> Tensor:
    """One over the factor: multiplied by this, claims that are too small would shrink further.

    If errors are larger than claimed, e² / v is above 1, and so is the factor. Return the mean itself.
    """
    return 1 / (errors**2 / variances).mean()


def ratios_turned(errors: Tensor, variances: Tensor) -> Tensor:
    """The mean of v / e²: each ratio is upside down, and a single error near 0 decides everything.

    How many times larger is the square error than what was claimed? The error stands above, the claim below: e² / v.
    """
    return (variances / errors**2).mean()


def ratio_of_means(errors: Tensor, variances: Tensor) -> Tensor:
    """Mean square error over mean variance: one ratio of two means, where the mean of all ratios was asked for.

    Here those who claim a large variance decide everything. The likelihood gives each prediction the same say: divide
    each e² by its own v first, then take the mean.
    """
    return (errors**2).mean() / variances.mean()


def x_alone(errors: Tensor, variances: Tensor) -> Tensor:
    """Only the errors along x were looked at: the last axis was indexed, and y left out.

    Both have the same factor, so both tell about it. Take the mean over everything: `.mean()` without an axis.
    """
    return (errors[..., 0] ** 2 / variances[..., 0]).mean()


def one_for_each_axis(errors: Tensor, variances: Tensor) -> Tensor:
    """Two numbers where one was asked for: a factor for x and another one for y.

    It could be wanted, and needs twice the data to be as sure. Here one factor serves both: take the mean over the
    last axis, too.
    """
    ratios = errors**2 / variances
    return ratios.reshape(-1, 2).mean(0)


def axes_added(errors: Tensor, variances: Tensor) -> Tensor:
    """Twice too large: e² / v of x and y were added up for each point, and the mean taken of these sums.

    That is the squared distance in standard deviations, whose mean is 2 in a plane if claims are honest. The factor is
    1 then: divide by the number of axes, or take the mean over everything at once.
    """
    return (errors**2 / variances).sum(-1).mean()


def absolute_over_variance(errors: Tensor, variances: Tensor) -> Tensor:
    """The mean of |e| / v: the error is not squared, and the variance is.

    The units disagree, pixels above and square pixels below, so the factor would change with the size of the picture.
    Square the error.
    """
    return (errors.abs() / variances).mean()


def absolute_over_sigma(errors: Tensor, variances: Tensor) -> Tensor:
    """The mean of |e| / σ, which is √(2/π) = .80 and not 1 for claims that are honest.

    The mean absolute value of a Gaussian is less than its standard deviation. What is 1 is the mean *square*:
    square each ratio, then take the mean.
    """
    return (errors.abs() / variances.sqrt()).mean()


def variance_squared(errors: Tensor, variances: Tensor) -> Tensor:
    """The mean of e² / v²: what was given is the variance already, and it was squared once more.

    The formula has (e / σ)², and σ² is v. Divide the square error by v.
    """
    return (errors**2 / variances**2).mean()


def sigma_forgotten_to_square(errors: Tensor, variances: Tensor) -> Tensor:
    """The mean of e² / σ: a root was taken of the variance, and the error was squared.

    Either square both or neither before the ratio: (e / σ)², which is e² / v.
    """
    return (errors**2 / variances.sqrt()).mean()


def squared_too_late(errors: Tensor, variances: Tensor) -> Tensor:
    """The mean of e / σ was squared: errors to the left and to the right cancelled first.

    Only a bias is left of that. Square each ratio, then take the mean.
    """
    return (errors / variances.sqrt()).mean() ** 2


def bias_removed(errors: Tensor, variances: Tensor) -> Tensor:
    """This is the variance of e / σ *about its own mean*, as `torch.var` has it: a bias was taken out.

    A claim is about the whole error, and a network does not know its bias, or it would have subtracted it. Take the
    mean square, about 0.
    """
    return (errors / variances.sqrt()).var()


def claims_ignored(errors: Tensor, variances: Tensor) -> Tensor:
    """This is the mean square error, and nothing of what was claimed is in it.

    It is right if every claim is 1. Divide each square error by its own variance before you take the mean.
    """
    return (errors**2).mean()


def one_for_each_error(errors: Tensor, variances: Tensor) -> Tensor:
    """A factor for each point, where one was asked for: the mean was taken over x and y only.

    A single error tells next to nothing about how honest a claim is. Take the mean over everything: `.mean()`.
    """
    return (errors**2 / variances).mean(-1)


def summed(errors: Tensor, variances: Tensor) -> Tensor:
    """This is the sum of all e² / v, which grows with every error that is looked at.

    If claims are honest it is about the number of errors, and the factor is 1. Divide by how many there are: `.mean()`.
    """
    return (errors**2 / variances).sum()


COALS = (
    root_taken,
    upside_down,
    ratios_turned,
    ratio_of_means,
    x_alone,
    one_for_each_axis,
    axes_added,
    absolute_over_variance,
    absolute_over_sigma,
    variance_squared,
    sigma_forgotten_to_square,
    squared_too_late,
    bias_removed,
    claims_ignored,
    one_for_each_error,
    summed,
)
