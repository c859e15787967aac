"""Known mistakes with the mean error of what is left when the most uncertain are taken away.

Each is a function that makes it; its docstring is what the student reads.

Lesson: 08.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from posecourse.uncertainty import sparsification

__all__ = ["COALS"]


def _left(errors: Tensor, uncertainties: Tensor, fractions: Sequence[float], more: int = 0) -> list[Tensor]:
    """Return the errors that are left at each fraction, the surest first, `more` of them than should be."""
    ordered = errors[uncertainties.argsort()]
    return [ordered[: max(0, len(errors) - round(f * len(errors)) + more)] for f in fractions]


def _each(parts: Sequence[Tensor], value: Callable[[Tensor], Tensor]) -> Tensor:
    return torch.stack([value(part) for part in parts])


def surest_removed(errors: Tensor, uncertainties: Tensor, fractions: Sequence[float]) -> Tensor:
    """The wrong ones go first: those that the network is surest of were taken away.

    A good uncertainty would then look harmful. `argsort` puts the smallest first; what is left are the *first* ones
    of it, or sort with `descending=True` and leave out the first ones.
    """
    return sparsification(errors, -uncertainties, fractions)


def oracle(errors: Tensor, uncertainties: Tensor, fractions: Sequence[float]) -> Tensor:
    """This is the oracle's curve: the largest *errors* were taken away, and the uncertainties have no influence.

    Look for what is sorted. Either by `errors` in the place of `uncertainties`, or both were sorted by themselves and
    no longer belong together: one `argsort` of the uncertainties orders the errors.
    """
    return sparsification(errors, errors, fractions)


def oracle_turned_round(errors: Tensor, uncertainties: Tensor, fractions: Sequence[float]) -> Tensor:
    """The smallest errors were taken away, and the uncertainties have no influence: nothing can be worse than this.

    Two things at once: the errors were sorted in the place of the uncertainties, and the wrong end was cut off.
    """
    return sparsification(errors, -errors, fractions)


def not_sorted(errors: Tensor, uncertainties: Tensor, fractions: Sequence[float]) -> Tensor:
    """The uncertainties have no influence: the last ones were taken away, as they happened to come.

    `errors[uncertainties.argsort()]` puts the surest first.
    """
    return _each(_left(errors, torch.arange(len(errors)), fractions), torch.mean)


def ranks_for_places(errors: Tensor, uncertainties: Tensor, fractions: Sequence[float]) -> Tensor:
    """The order is another one: `argsort` was taken twice, which gives every prediction its rank.

    A rank says where a prediction goes. To put the errors in order you need who comes there: `argsort` once.
    """
    return _each(_left(errors, uncertainties.argsort().argsort().argsort(), fractions), torch.mean)


def one_too_few(errors: Tensor, uncertainties: Tensor, fractions: Sequence[float]) -> Tensor:
    """One too few was taken away: the most uncertain of those that should be gone is still there.

    Of n with a fraction f go f·n, and n − f·n stay. Look for a `+ 1` or `− 1` at the slice; the end of a slice is not
    in it.
    """
    return _each(_left(errors, uncertainties, fractions, more=1), torch.mean)


def one_too_many(errors: Tensor, uncertainties: Tensor, fractions: Sequence[float]) -> Tensor:
    """One too many was taken away: a prediction is gone that should be there, at f = 0 already.

    Of n with a fraction f go f·n, and n − f·n stay: all for f = 0. Look for a `+ 1` or `− 1` at the slice.
    """
    return _each(_left(errors, uncertainties, fractions, more=-1), torch.mean)


def nothing_left_at_zero(errors: Tensor, uncertainties: Tensor, fractions: Sequence[float]) -> Tensor:
    """All is right but for f = 0, where it is not a number: nothing was left.

    `ordered[:-k]` leaves out the last k, but for k = 0 it is `ordered[:0]`, which is empty. Write `ordered[: n - k]`.
    """
    right = sparsification(errors, uncertainties, fractions)
    return torch.where(torch.tensor(fractions) == 0, torch.nan, right)


def median(errors: Tensor, uncertainties: Tensor, fractions: Sequence[float]) -> Tensor:
    """The right ones are left, and their median was taken in the place of their mean.

    A median hides the few large errors, and they are what an uncertainty is to find.
    """
    return _each(_left(errors, uncertainties, fractions), lambda part: torch.quantile(part, 0.5))


def torchs_median(errors: Tensor, uncertainties: Tensor, fractions: Sequence[float]) -> Tensor:
    """The right ones are left, and `median` was taken in the place of their mean: of two in the middle the lower one.

    A median hides the few large errors, and they are what an uncertainty is to find.
    """
    return _each(_left(errors, uncertainties, fractions), torch.median)


def summed(errors: Tensor, uncertainties: Tensor, fractions: Sequence[float]) -> Tensor:
    """The right ones are left, and their errors were added up: the curve falls whatever is removed.

    The fewer are left, the smaller is a sum. Take the mean.
    """
    return _each(_left(errors, uncertainties, fractions), torch.sum)


def divided_by_all(errors: Tensor, uncertainties: Tensor, fractions: Sequence[float]) -> Tensor:
    """The errors of those that are left were divided by how many there were at first: the curve falls to 0.

    Divide by how many are left, as `mean` of what is left does by itself.
    """
    return _each(_left(errors, uncertainties, fractions), torch.sum) / len(errors)


def root_mean_square(errors: Tensor, uncertainties: Tensor, fractions: Sequence[float]) -> Tensor:
    """The right ones are left, and the root of their mean square was taken: larger than the mean that was asked for.

    Errors are distances already. Take their mean.
    """
    return _each(_left(errors, uncertainties, fractions), lambda part: part.square().mean().sqrt())


def uncertainties_averaged(errors: Tensor, uncertainties: Tensor, fractions: Sequence[float]) -> Tensor:
    """The mean of the *uncertainties* that are left was taken: it falls by its very making.

    Whether those that are left are any better is in `errors`: put them into the order of the uncertainties.
    """
    return _each(_left(uncertainties, uncertainties, fractions), torch.mean)


def fraction_kept(errors: Tensor, uncertainties: Tensor, fractions: Sequence[float]) -> Tensor:
    """The fraction was kept and the rest taken away: with f = 0 nothing is there any more.

    f says how many *go*: n − f·n stay.
    """
    n, ordered = len(errors), errors[uncertainties.argsort()]
    return torch.stack([ordered[: round(f * n)].mean() for f in fractions])


def those_removed(errors: Tensor, uncertainties: Tensor, fractions: Sequence[float]) -> Tensor:
    """This is the mean error of those that were taken away, where that of those that are left was asked for.

    Take the other part of the slice.
    """
    n, ordered = len(errors), errors[uncertainties.argsort()]
    return torch.stack([ordered[n - round(f * n) :].mean() for f in fractions])


def normalised(errors: Tensor, uncertainties: Tensor, fractions: Sequence[float]) -> Tensor:
    """The curve was divided by its first value, the mean error of all.

    That belongs to the area between two curves, AUSE. The curve itself is in pixels.
    """
    return sparsification(errors, uncertainties, fractions) / errors.mean()


def share_of_the_range(errors: Tensor, uncertainties: Tensor, fractions: Sequence[float]) -> Tensor:
    """A share of the *range* of the uncertainties was cut off, and not a share of the predictions.

    Few are far out, so too few go at first. The fraction counts predictions: sort, and leave out f·n of them.
    """
    largest = uncertainties.max()
    return torch.stack([errors[uncertainties <= (1 - f) * largest].mean() for f in fractions])


COALS = (
    surest_removed,
    oracle,
    oracle_turned_round,
    not_sorted,
    ranks_for_places,
    one_too_few,
    one_too_many,
    nothing_left_at_zero,
    median,
    torchs_median,
    summed,
    divided_by_all,
    root_mean_square,
    uncertainties_averaged,
    fraction_kept,
    those_removed,
    normalised,
    share_of_the_range,
)
