"""Known mistakes with the two parts of a variance: the mean of the variances, the variance of the means.

Each is a function that makes it; its docstring is what the student reads.

Lesson: 08.
"""

import torch
from torch import Tensor

from posecourse.uncertainty import split_uncertainty

__all__ = ["COALS"]


def _second(means: Tensor, variances: Tensor, epistemic: Tensor) -> tuple[Tensor, Tensor]:
    """Return the right first part, and this for the second."""
    return split_uncertainty(means, variances).aleatoric, epistemic


def _first(means: Tensor, variances: Tensor, aleatoric: Tensor) -> tuple[Tensor, Tensor]:
    """Return this for the first part, and the right second one."""
    return aleatoric, split_uncertainty(means, variances).epistemic


def divided_by_n(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """The epistemic part is too small, by a third for three samples: it was divided by S in the place of S − 1.

    The mean was taken from the same samples, and lies closer to them than the true one. `var` divides by S − 1 unless
    it is told otherwise; NumPy's divides by S.
    """
    return _second(means, variances, means.var(0, correction=0))


def variance_of_the_mean(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """The epistemic part was divided by S once more: that is how well the *mean* of the answers is known.

    More samples make it as small as one likes, though the network knows no better. What was asked for is how far one
    answer lies from another: Σ (m − m̄)² / (S − 1).
    """
    return _second(means, variances, means.var(0) / len(means))


def swapped(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """Both numbers are right, and they have changed places.

    The noise that the network expects (the mean of its variances) is aleatoric and comes first. How much its answers
    differ (the variance of its means) is epistemic.
    """
    return split_uncertainty(means, variances)[::-1]


def deviations_averaged(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """The epistemic part is right; for the other one standard deviations were averaged, and squared afterwards.

    Variances add up, standard deviations do not: the square of a mean is smaller than the mean of the squares. Average
    the variances.
    """
    return _first(means, variances, variances.sqrt().mean(0).square())


def deviations_returned(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """These are standard deviations, where variances were asked for: they can be added, and roots cannot.

    Take no root, neither of the mean nor with `std`.
    """
    aleatoric, epistemic = split_uncertainty(means, variances)
    return aleatoric.sqrt(), epistemic.sqrt()


def deviation_in_the_second(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """The aleatoric part is right; beside it stands a standard deviation in pixels, not a variance in square pixels.

    The two could not be added. `var` in the place of `std`.
    """
    return _second(means, variances, means.std(0))


def total_in_the_second(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """The aleatoric part is right; beside it stands the sum of both, the variance of the whole prediction.

    Leave the two apart: whoever needs the sum adds them.
    """
    aleatoric, epistemic = split_uncertainty(means, variances)
    return aleatoric, aleatoric + epistemic


def not_centred(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """The epistemic part is huge: it is the mean square of the places, from which their own mean was not subtracted.

    A point at the right edge is not less sure than one at the left. Σ (m − m̄)².
    """
    return _second(means, variances, means.square().sum(0) / (len(means) - 1))


def variances_added(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """The epistemic part is right; for the other one the variances were added up, so it grows with every sample.

    The network expects the noise once, and was asked about it S times. Take the mean.
    """
    return _first(means, variances, variances.sum(0))


def fused(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """The epistemic part is right; the other one is 1 / Σ (1/v), as if the samples were independent measurements.

    They are answers to one picture with one noise in it, and asking again does not lower it. Take the mean of the
    variances.
    """
    return _first(means, variances, 1 / (1 / variances).sum(0))


def variances_of_a_mean(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """The epistemic part is right; the other one is Σ v / S², the variance of a mean of independent measurements.

    Asking again lowers no noise that is in the picture. Divide by S once.
    """
    return _first(means, variances, variances.mean(0) / len(variances))


def spread_of_the_variances(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """The aleatoric part is right; beside it stands the variance of the *variances*, where that of the means belongs.

    Its unit would be pixels to the fourth. How the answers differ is in `means`.
    """
    return _second(means, variances, variances.var(0))


def over_the_batch(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """Taken along the wrong axis: `dim=1` holds the points, and different points are compared with each other.

    The samples are what comes first, and they are what has to go: `dim=0`.
    """
    return variances.mean(1), means.var(1)


def over_the_coordinates(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """Taken along the last axis: x is compared with y, and the samples are all still there.

    The samples are what comes first, and they are what has to go: `dim=0`.
    """
    return variances.mean(-1), means.var(-1)


def over_everything(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """These are two numbers for everything together, and their axes are gone: places of all points were compared.

    Without `dim` a mean and a variance go over all axes. Each point, x and y, has two numbers of its own: `dim=0`.
    """
    return variances.mean(), means.var()


def median_of_the_variances(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """The epistemic part is right; for the other one the median of the variances stands in the place of their mean.

    The law of total variance has means in it: one sample in which the network expects much has its share.
    """
    return _first(means, variances, torch.quantile(variances, 0.5, dim=0))


COALS = (
    divided_by_n,
    variance_of_the_mean,
    swapped,
    deviations_averaged,
    deviations_returned,
    deviation_in_the_second,
    total_in_the_second,
    not_centred,
    variances_added,
    fused,
    variances_of_a_mean,
    spread_of_the_variances,
    over_the_batch,
    over_the_coordinates,
    over_everything,
    median_of_the_variances,
)
