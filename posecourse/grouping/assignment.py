"""Who goes with whom, by distance: one candidate a person, one person a candidate, nobody beyond the threshold."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["assign"]


def assign(
    distances: NDArray[np.float64], threshold: float, assignment: Literal["optimal", "greedy"]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs (person, candidate) that go together, all closer than the threshold.

    Args:
        distances: (P M), finite; candidates by falling score, which decides where distances are equal.
        threshold: from which on nobody goes together.
        assignment: "optimal", the largest sum of (threshold² − distance²), or "greedy", the closest pair first.

    Raises:
        ValueError: another assignment.
    """
    if assignment not in ("optimal", "greedy"):
        raise ValueError(f'assignment must be "optimal" or "greedy"; got {assignment!r}.')
    who, which = (distances < threshold).nonzero()
    if len({*who.tolist()}) == len(who) == len({*which.tolist()}):  # nobody contests another's: the usual case
        return who, which
    who, which = (_optimal if assignment == "optimal" else _greedy)(distances, threshold)
    near = distances[who, which] < threshold
    return who[near], which[near]


def _optimal(distances: NDArray[np.float64], threshold: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return SciPy's assignment, to which all that is too far is equally far: no reason to part who belongs together.

    Squares, because distances along a line tie: two candidates on one side of two people add up to the same either
    way. A billionth of the threshold² a rank lets the higher score go first where distances are equal.
    """
    from scipy.optimize import linear_sum_assignment

    capped = np.minimum((distances / threshold) ** 2, 1) + 1e-9 * np.arange(distances.shape[1])
    who, which = linear_sum_assignment(capped)
    return who, which


def _greedy(distances: NDArray[np.float64], threshold: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the closest pair of all, the closest pair of the rest, and so on."""
    near = np.argwhere(distances < threshold)
    near = near[distances[tuple(near.T)].argsort(kind="stable")]
    pairs: dict[int, int] = {}
    taken = set()
    for person, candidate in near.tolist():
        if person not in pairs and candidate not in taken:
            pairs[person] = candidate
            taken.add(candidate)
    return np.array([*pairs], dtype=int), np.array([*pairs.values()], dtype=int)
