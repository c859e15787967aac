"""Known mistakes with a radius that keeps its promise: the ⌈(n + 1)·level⌉-th smallest score.

Each is a function that makes it; its docstring is what the student reads.

Lesson: 08.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["COALS"]


def _ranked(scores: Tensor, k: int) -> Tensor:
    """Return the k-th smallest, counted from 1; infinite where there is none."""
    return scores.sort().values[max(k, 1) - 1] if k <= len(scores) else torch.full_like(scores[0], math.inf)


def _open(scores: Tensor, level: float, radius: Callable[[int], Tensor]) -> Tensor:
    """Return a radius of k, infinite where there are too few scores."""
    k = math.ceil((len(scores) + 1) * level)
    return radius(k) if k <= len(scores) else torch.full_like(scores[0], math.inf)


def without_the_one(scores: Tensor, level: float) -> Tensor:
    """This is the ⌈n·level⌉-th smallest score: it covers those that you have, and the new one less often.

    The new score is one of n + 1, and as likely to be the largest as any. Of (n + 1)·level take the ceiling.
    """
    return _ranked(scores, math.ceil(len(scores) * level))


def plain_quantile(scores: Tensor, level: float) -> Tensor:
    """This is the quantile of the scores, which lies between two of them: `torch.quantile` and its like interpolate.

    It describes those that you have. The promise is for a new one, and it holds for a score that is really there: the
    ⌈(n + 1)·level⌉-th smallest.
    """
    return torch.quantile(scores, level)


def interpolated(scores: Tensor, level: float) -> Tensor:
    """The level is the right one, ⌈(n + 1)·level⌉/n, and the quantile was interpolated between two scores.

    `quantile` counts from 0 to n − 1, so even this level falls between two of them. Sort, and take the k-th.
    """
    return _open(scores, level, lambda k: torch.quantile(scores, k / len(scores)))


def one_rank_too_far(scores: Tensor, level: float) -> Tensor:
    """This is the score after the right one: the promise is kept, by a radius that is too large.

    `ordered[k]` counts from 0 and is the (k + 1)-th smallest. NumPy's quantile at k/n with `method="higher"` is that
    one, too; `method="inverted_cdf"` is the k-th.
    """
    return _open(scores, level, lambda k: _ranked(scores, min(k + 1, len(scores))))


def rounded_down(scores: Tensor, level: float) -> Tensor:
    """The rank was rounded down: this is the score before the right one, and it covers too little.

    The promise is "at least": of (n + 1)·level take the ceiling. `int` cuts off what is behind the point.
    """
    return _ranked(scores, math.floor((len(scores) + 1) * level))


def rounded(scores: Tensor, level: float) -> Tensor:
    """The rank was rounded to the nearest: half of the time this is the score before the right one.

    The promise is "at least": of (n + 1)·level take the ceiling.
    """
    return _ranked(scores, round((len(scores) + 1) * level))


def miss_for_level(scores: Tensor, level: float) -> Tensor:
    """The radius leaves out what it should hold: it was made for a level of 1 − level.

    Books write α for the share that is missed, .1, and `level` is the share that is held, .9.
    """
    return _ranked(scores, math.ceil((len(scores) + 1) * (1 - level)))


def largest_first(scores: Tensor, level: float) -> Tensor:
    """The scores were counted from the largest on: this is the k-th *largest* one.

    Sort so that the smallest comes first.
    """
    return _open(scores, level, lambda k: -_ranked(-scores, k))


def not_sorted(scores: Tensor, level: float) -> Tensor:
    """The rank is right, and the scores are in the order in which they came: this is just some score.

    Sort them first. `kthvalue` does both.
    """
    return _open(scores, level, lambda k: scores[k - 1])


def largest_where_too_few(scores: Tensor, level: float) -> Tensor:
    """All is right as long as there are enough scores; where there are not, the largest of them is no promise.

    Two scores cannot vouch for .75: a new one is larger than both every third time. For k > n the radius is infinite.
    """
    return _ranked(scores, min(math.ceil((len(scores) + 1) * level), len(scores)))


def gaussian(scores: Tensor, level: float) -> Tensor:
    """This is mean + z·standard deviation, as for scores with a Gaussian distribution.

    Distances have none: they are not negative, and some are far out. The rank of the scores needs no distribution.
    """
    z = torch.special.ndtri(torch.tensor(level, dtype=torch.float64)).item()
    return scores.mean() + z * scores.std()


def rayleigh(scores: Tensor, level: float) -> Tensor:
    """This is √(−2·ln(1 − level)), whatever the scores are: the radius for Gaussian errors of known σ.

    That is the promise which has to be checked. What the scores themselves say is their k-th smallest.
    """
    return torch.full_like(scores[0], math.sqrt(-2 * math.log1p(-level)))


def rank_returned(scores: Tensor, level: float) -> Tensor:
    """This is the rank k, and the score that has it was asked for.

    Sort the scores, and take the k-th.
    """
    return torch.full_like(scores[0], math.ceil((len(scores) + 1) * level))


COALS = (
    without_the_one,
    plain_quantile,
    interpolated,
    one_rank_too_far,
    rounded_down,
    rounded,
    miss_for_level,
    largest_first,
    not_sorted,
    largest_where_too_few,
    gaussian,
    rayleigh,
    rank_returned,
)
