"""How sure a measured number is, where the predictions of one picture err together."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from posecourse.shapes import require_count, require_tensors

__all__ = ["Interval", "bootstrap_interval"]


class Interval(NamedTuple):
    """Where a number lies, with the confidence that was asked for.

    Args:
        low: the lower end.
        high: the upper end.
    """

    low: float
    high: float


def bootstrap_interval(
    statistic: Callable[..., float | Tensor],
    *values: Tensor,
    images: Int[Tensor, " n"],
    level: float = 0.95,
    draws: int = 1000,
    generator: torch.Generator,
) -> Interval:
    """Return a confidence interval for a statistic, from what it gives on resampled pictures.

    As many pictures as there are, drawn with replacement, each with all of its values; again and again. Keypoints of
    one picture share its light, pose and occluder, so resampling keypoint by keypoint would claim to know more.

    Args:
        statistic: takes what `values` become and returns one number, such as `rank_correlation`.
        *values: tensors whose first axis is n: errors, uncertainties, groups.
        images: which picture each of the n belongs to.
        level: between 0 and 1: .95 leaves out 2.5 % at either end.
        draws: how often.
        generator: decides them.

    Returns:
        The interval between two quantiles. Of few pictures it is too narrow: about as 1 − 1/(number of pictures). NaN
        where the statistic is NaN on some draw: a mistake shows.

    Raises:
        ValueError: a first axis is not n, there is one picture, or a number is out of its bounds.

    Source: Efron 1979, the percentile interval; by clusters, Davison and Hinkley 1997, section 3.8.
    Lesson: 08.
    """
    require_tensors(images=images)
    require_count(draws, "draws")
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, such as .95; got {level}.")
    for place, value in enumerate(values):
        require_tensors(**{f"values[{place}]": value})
        if images.ndim != 1 or value.shape[:1] != images.shape:
            raise ValueError(
                f"values and images must have one first axis, and images no other; got {tuple(value.shape)} and "
                f"{tuple(images.shape)}. images says of each value which picture it belongs to."
            )
    labels, counts = images.unique(return_counts=True)
    if len(labels) < 2:
        raise ValueError("images must be two at least: of one picture nothing is known about another.")
    own = images.argsort(stable=True).split(counts.tolist())
    found = []
    for _ in range(draws):
        drawn = torch.randint(len(own), (len(own),), generator=generator, device=generator.device).tolist()
        rows = torch.cat([own[place] for place in drawn])
        found.append(float(statistic(*(value[rows] for value in values))))
    ends = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64)
    low, high = torch.tensor(found, dtype=torch.float64).quantile(ends).tolist()
    return Interval(low, high)
