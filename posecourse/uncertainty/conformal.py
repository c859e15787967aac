"""A radius that keeps its promise whatever the errors are distributed like."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.shapes import require_tensors

__all__ = ["conformal_radius"]


def conformal_radius(scores: Float[Tensor, " n"], level: float) -> Float[Tensor, ""]:
    """Return the radius that a new score stays within with a probability of at least `level`.

    radius = the k-th smallest of n scores, k = ⌈(n + 1)·level⌉; infinite for k > n

    The new score is as likely to have any rank among all n + 1: that is where the +1 comes from, and nothing else is
    asked of it. Without ties the probability is k/(n + 1) exactly, over calibration sets and new scores. For one
    calibration set it is a Beta(k, n + 1 − k), of standard deviation √(level·(1 − level)/n), about.

    Args:
        scores: of data that training has not seen, exchangeable with the new one: errors give one radius for all,
            errors divided by σ give σ's factor. Keypoints of one picture are not exchangeable with those of another
            one: take one score a picture, or read the promise as one for the average.
        level: between 0 and 1, both excluded.

    Returns:
        In the unit of the scores. Infinite where n < level/(1 − level): 9 scores do for .9, 19 for .95.

    Raises:
        TypeError: no tensor.
        ValueError: not (n), nothing there, NaN, or a level out of its bounds.

    Source: Vovk et al. 2005; Lei et al. 2018, section 2.2.
    Lesson: 08, exercise `conformal_radius`.
    """
    require_tensors(scores=scores)
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, such as .9 for 90 %; got {level}.")
    if scores.ndim != 1 or not len(scores):
        raise ValueError(f"scores must be (n), one a prediction; got {tuple(scores.shape)}. Pick them: scores[mask].")
    if bool(scores.isnan().any()):
        raise ValueError("scores hold NaN, which has no rank. Leave out what does not count: scores[mask].")
    k = math.ceil((len(scores) + 1) * level - 1e-9)  # .55 · 100 is 55.00000000000001
    return scores.kthvalue(k).values if k <= len(scores) else torch.full_like(scores[0], math.inf)
