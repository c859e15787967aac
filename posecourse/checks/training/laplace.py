"""Known mistakes about minus the log-likelihood of a Laplace density: Σ ln(2b) + |Δ|/b.

Each is a function that makes it; its docstring is what the student reads.

Lesson: 01.
"""

from torch import Tensor

from posecourse import losses

__all__ = ["COALS"]


def log_missing(predicted: Tensor, truth: Tensor, scales: Tensor) -> Tensor:
    """These are the scaled distances alone; the logarithm of the scale is missing.

    Without it a network makes its loss zero by calling every keypoint infinitely uncertain. The logarithm is the
    price of a large scale.
    """
    return ((predicted - truth).abs() / scales).sum(-1)


def log_rewarded(predicted: Tensor, truth: Tensor, scales: Tensor) -> Tensor:
    """The logarithm has the wrong sign: a large scale is rewarded, and should cost something.

    Minus the logarithm of 1/(2b)·exp(−|Δ|/b) is *plus* ln(2b) + |Δ|/b. Look for the sign of the first term.
    """
    return ((predicted - truth).abs() / scales - (2 * scales).log()).sum(-1)


def two_left_out(predicted: Tensor, truth: Tensor, scales: Tensor) -> Tensor:
    """Every answer is too small by the same 2·ln 2: the 2 of the density 1/(2b) is missing under the logarithm.

    Training would not notice a constant. Whoever compares likelihoods would.
    """
    return ((predicted - truth).abs() / scales + scales.log()).sum(-1)


def gaussian_for_laplace(predicted: Tensor, truth: Tensor, scales: Tensor) -> Tensor:
    """This is the Gaussian's likelihood, with squared distances; the Laplace density has absolute ones.

    A Gaussian thinks a miss of five scales nearly impossible, and one bad label pulls at everything. Look for a
    square.
    """
    return losses.gaussian_nll(predicted, truth, scales**2)


def mean_of_axes(predicted: Tensor, truth: Tensor, scales: Tensor) -> Tensor:
    """Every answer is half of what it should be: x and y were averaged, and likelihoods multiply, so logs add.

    Look for a `mean` over the last axis where a `sum` belongs.
    """
    return losses.laplace_nll(predicted, truth, scales) / 2


def sign_forgotten(predicted: Tensor, truth: Tensor, scales: Tensor) -> Tensor:
    """Every number is right but for its sign: this is the log-likelihood, and *minus* it was asked for.

    A loss is made small, and a likelihood should become large. Put a minus before it.
    """
    return -losses.laplace_nll(predicted, truth, scales)


def distance_signed(predicted: Tensor, truth: Tensor, scales: Tensor) -> Tensor:
    """The distance has a sign: predictions on one side of the truth are rewarded the further away they are.

    The density falls on both sides, with |Δ|. Put `.abs()` around the difference.
    """
    return ((predicted - truth) / scales + (2 * scales).log()).sum(-1)


def truth_less_predicted(predicted: Tensor, truth: Tensor, scales: Tensor) -> Tensor:
    """The distance, truth less prediction, has a sign: overshooting is rewarded the further away it is.

    The density falls on both sides, with |Δ|. Put `.abs()` around the difference.
    """
    return ((truth - predicted) / scales + (2 * scales).log()).sum(-1)


def axes_kept(predicted: Tensor, truth: Tensor, scales: Tensor) -> Tensor:
    """There is a number for x and one for y, and one for each keypoint was asked for.

    Independent probabilities multiply, so their logarithms add: finish with `.sum(-1)`.
    """
    return (predicted - truth).abs() / scales + (2 * scales).log()


def squared_over_scale(predicted: Tensor, truth: Tensor, scales: Tensor) -> Tensor:
    """The distance is squared, and then divided by b: that is neither Laplace's density nor the Gaussian's.

    Laplace's exponent is |Δ|/b. Look for a square, and put `.abs()` in its place.
    """
    return ((predicted - truth) ** 2 / scales + (2 * scales).log()).sum(-1)


def log_never_negative(predicted: Tensor, truth: Tensor, scales: Tensor) -> Tensor:
    """The logarithm was kept from going below 0, where scales are smaller than ½.

    A density may be larger than 1, and then minus its logarithm is negative: that is no mistake, it is the reward for
    being sure and right. Look for `clamp`, `relu` or `max` around the logarithm.
    """
    return ((predicted - truth).abs() / scales + (2 * scales).log().clamp(min=0)).sum(-1)


def log_without_sign(predicted: Tensor, truth: Tensor, scales: Tensor) -> Tensor:
    """The logarithm lost its sign, which is negative where scales are smaller than ½.

    A density may be larger than 1, and then minus its logarithm is negative: that is no mistake, it is the reward for
    being sure and right. Only the distance has an absolute value.
    """
    return ((predicted - truth).abs() / scales + (2 * scales).log().abs()).sum(-1)


def scales_at_least_one(predicted: Tensor, truth: Tensor, scales: Tensor) -> Tensor:
    """Scales below 1 count as 1, so nobody may be surer than that.

    Scales are positive already, and how small they are depends on the unit: half a cell is two pixels. Look for
    `clamp` or `max`.
    """
    return losses.laplace_nll(predicted, truth, scales.clamp(min=1))


COALS = (
    log_missing,
    log_rewarded,
    two_left_out,
    gaussian_for_laplace,
    mean_of_axes,
    sign_forgotten,
    distance_signed,
    truth_less_predicted,
    axes_kept,
    squared_over_scale,
    log_never_negative,
    log_without_sign,
    scales_at_least_one,
)
