"""Does an uncertainty put the bad predictions last? Only its order counts here, never its size.

Errors and uncertainties are (n), of the keypoints that count: pick those with `errors[mask]`.

Lesson: 08.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from posecourse.shapes import require_same_shape, require_tensors

__all__ = ["ause", "rank_correlation", "sparsification"]


def sparsification(
    errors: Float[Tensor, " n"], uncertainties: Float[Tensor, " n"], fractions: Sequence[float] | Float[Tensor, " F"]
) -> Float[Tensor, " F"]:
    """Return the mean error of what is left when the most uncertain predictions have been taken away.

    It falls where an uncertainty is worth something and stays level where it is not. With `errors` for
    `uncertainties` it is the oracle's, below which no curve lies.

    Args:
        errors: not negative, such as distances in pixels.
        uncertainties: the larger, the less sure; of any unit. Of scores take the negative.
        fractions: f, which share is removed: round(f·n) of n. At least 0 and below 1; one at least is left.

    Returns:
        A mean for each fraction, in the unit of the errors. Of equal uncertainties none goes first: the mean is that
        over all orders, so a constant uncertainty has a level curve.

    Raises:
        TypeError: no tensors.
        ValueError: not (n), nothing there, NaN, or a fraction out of its bounds.

    Source: Mac Aodha et al. 2013; Ilg et al. 2018.
    Lesson: 08, exercise `sparsification`.
    """
    _require_pairs(errors, uncertainties)
    f = torch.as_tensor(fractions, dtype=torch.float64, device=errors.device)
    if f.ndim != 1 or not bool(((f >= 0) & (f < 1)).all()):
        raise ValueError(f"fractions must be several numbers, each at least 0 and below 1; got {f.tolist()}.")
    n = len(errors)
    removed = (f * n).round().long().clamp(max=n - 1)
    return _curve(errors, uncertainties)[removed].to(errors.dtype)


def ause(errors: Float[Tensor, " n"], uncertainties: Float[Tensor, " n"]) -> Float[Tensor, ""]:
    """Return the area between the sparsification curve and the oracle's, in units of the mean error.

    AUSE = 1/n · Σ (S(k) − S*(k)) / S(0) over k = 0 … n − 1 removed, S the curve and S* that of the errors themselves

    It is 0 only for the order of the errors themselves, which no honest σ knows: a perfect σ of coefficient of
    variation .5, lognormal, has .157 for errors in two dimensions, and chance .521. Report both beside yours.

    Arguments, and what is raised, as in `sparsification`; an error at least must not be 0.

    Source: Ilg et al. 2018: curves divided by their value at 0, then the area of the difference.
    Lesson: 08.
    """
    _require_pairs(errors, uncertainties)
    if not bool((errors > 0).any()):
        raise ValueError("errors are 0 everywhere: there is no bad prediction to put last.")
    curve, oracle = _curve(errors, uncertainties), _curve(errors, errors)
    return ((curve - oracle).mean() / oracle[0]).to(errors.dtype)


def rank_correlation(
    errors: Float[Tensor, " n"], uncertainties: Float[Tensor, " n"], groups: Int[Tensor, " n"] | None = None
) -> float:
    """Return Spearman's correlation of errors and uncertainties, over everything or within groups.

    Pooled, it also rewards knowing that wrists are harder than noses, which a constant for each joint knows, too.
    Within joints such a constant is worth nothing, and what is left is about the picture.

    Args:
        errors: not negative.
        uncertainties: the larger, the less sure.
        groups: which group each belongs to, such as the number of its joint. Correlations are computed within each and
            averaged, every group counting the same.

    Returns:
        Between −1 and 1. A group in which one of the two never changes has no correlation and is left out; NaN where
        none is left.

    Raises:
        TypeError: no tensors.
        ValueError: not (n), nothing there, or NaN.

    Source: Spearman 1904; ranks by SciPy, equal values sharing their mean rank.
    Lesson: 08.
    """
    _require_pairs(errors, uncertainties)
    e, u = (given.detach().double().cpu().numpy() for given in (errors, uncertainties))
    if groups is None:
        return _spearman(e, u)
    require_tensors(groups=groups)
    require_same_shape(errors, groups, "errors and groups")
    labels = groups.cpu().numpy()
    order = np.argsort(labels, kind="stable")
    cuts = np.flatnonzero(np.diff(labels[order])) + 1
    within = np.array([_spearman(e[own], u[own]) for own in np.split(order, cuts)])
    defined = within[~np.isnan(within)]
    return float(defined.mean()) if len(defined) else float("nan")


def _spearman(errors: np.ndarray, uncertainties: np.ndarray) -> float:
    """Return Pearson's correlation of the ranks, NaN where one of them is constant."""
    from scipy.stats import rankdata

    middle = (len(errors) + 1) / 2
    a, b = rankdata(errors) - middle, rankdata(uncertainties) - middle
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size else float("nan")


def _curve(errors: Tensor, uncertainties: Tensor) -> Float[Tensor, " n"]:
    """Return the mean error of what is left when 0, 1, … n − 1 are removed, the most uncertain first."""
    order = uncertainties.argsort()
    sorted_errors = errors.double()[order]
    _, group, counts = uncertainties[order].unique_consecutive(return_inverse=True, return_counts=True)
    means = torch.zeros(len(counts), dtype=torch.float64, device=errors.device).index_add(0, group, sorted_errors)
    shared = (means / counts)[group]  # equal uncertainties: the mean over their orders
    left = torch.arange(1, len(errors) + 1, device=errors.device)
    return (shared.cumsum(0) / left).flip(0)


def _require_pairs(errors: Tensor, uncertainties: Tensor) -> None:
    """Raise unless there are errors and uncertainties (n), and no NaN among them."""
    require_same_shape(errors, uncertainties, "errors and uncertainties")
    if errors.ndim != 1 or not len(errors):
        raise ValueError(
            f"errors must be (n), a number for each prediction that counts; got {tuple(errors.shape)}. Pick those with "
            "errors[mask]."
        )
    for name, given in (("errors", errors), ("uncertainties", uncertainties)):
        if bool(given.isnan().any()):
            raise ValueError(f"{name} hold NaN, which has no rank. Leave out what does not count: {name}[mask].")
    if bool((errors < 0).any()):
        raise ValueError(f"errors must not be negative: give distances; the smallest is {errors.min().item():.4g}.")
