"""Known mistakes in the search for the temperature with the least RMS error.

Each is a function that makes it; its docstring is what the student reads.

Lesson: 03.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from posecourse import decode, heatmaps

__all__ = ["COALS"]

Answer = tuple[float, Tensor]


def _searched(
    maps: Tensor, truth: Tensor, temperatures: Sequence[float], error: Callable[[Tensor], Tensor], flip: bool = False
) -> Answer:
    """Return the temperature with the least `error` of the differences (..., K, 2), and all errors."""
    points = [decode.soft_argmax(heatmaps.spatial_softmax(maps, T)).points for T in temperatures]
    errors = torch.stack([error((point.flip(-1) if flip else point) - truth) for point in points])
    return float(temperatures[int(errors.argmin())]), errors


def _rms(away: Tensor) -> Tensor:
    return away.square().mean().sqrt()


def temperature_multiplies(maps: Tensor, truth: Tensor, temperatures: Sequence[float]) -> Answer:
    """The temperature multiplies: these are the errors at 1 / T.

    All of them are large, as the softmax is nearly flat for each T below 1. Look at the exponential: h / T.
    """
    _, errors = _searched(maps, truth, [1 / T for T in temperatures], _rms)
    return temperatures[int(errors.argmin())], errors


def place_in_the_list(maps: Tensor, truth: Tensor, temperatures: Sequence[float]) -> Answer:
    """The errors are right; the first answer is the best one's *place in the list*, and the temperature was asked for.

    `argmin` returns an index. Look the temperature up: `temperatures[index]`.
    """
    _, errors = _searched(maps, truth, temperatures, _rms)
    return float(errors.argmin()), errors


def largest_error(maps: Tensor, truth: Tensor, temperatures: Sequence[float]) -> Answer:
    """The errors are right; the temperature is the one with the *largest* of them.

    An error is better when smaller. Look for `argmax` or `max`.
    """
    _, errors = _searched(maps, truth, temperatures, _rms)
    return float(temperatures[int(errors.argmax())]), errors


def least_error_itself(maps: Tensor, truth: Tensor, temperatures: Sequence[float]) -> Answer:
    """The errors are right; the first answer is the smallest *error*, and the temperature that has it was asked for.

    Look for `min`: its second half, or `argmin`, says where the smallest one is.
    """
    _, errors = _searched(maps, truth, temperatures, _rms)
    return float(errors.min()), errors


def bias_for_error(maps: Tensor, truth: Tensor, temperatures: Sequence[float]) -> Answer:
    """These are means of signed differences: errors to the left and to the right cancel, and what is left is a bias.

    Square the differences before you take the mean, and take the root of that.
    """
    return _searched(maps, truth, temperatures, lambda away: away.mean().abs())


def mean_of_sizes(maps: Tensor, truth: Tensor, temperatures: Sequence[float]) -> Answer:
    """These are means of |J − x|, which forgive a large error more than the RMS does.

    If you wrote a square and a root, the root stands inside of the mean, where it undoes the square at once:
    √(mean of squares) was asked for.
    """
    return _searched(maps, truth, temperatures, lambda away: away.abs().mean())


def root_before_the_maps(maps: Tensor, truth: Tensor, temperatures: Sequence[float]) -> Answer:
    """These are each keypoint's own RMS error, averaged afterwards: the root stands before the mean over the maps.

    A mean of roots is smaller than the root of the mean. One mean over everything, maps and axes, then one root.
    """
    return _searched(maps, truth, temperatures, lambda away: away.square().mean(-1).sqrt().mean())


def spread_without_bias(maps: Tensor, truth: Tensor, temperatures: Sequence[float]) -> Answer:
    """These are standard deviations: what all maps miss by in common, the bias, has been taken off.

    RMS² = bias² + variance, and a hot softmax errs mostly by its bias. Use the mean of squares, not `std`.
    """
    return _searched(maps, truth, temperatures, torch.std)


def mean_distance(maps: Tensor, truth: Tensor, temperatures: Sequence[float]) -> Answer:
    """These are mean *distances*, √(Δx² + Δy²) averaged; the RMS error an axis was asked for.

    Both are honest, but theory here speaks of one axis and of squares. Look for `norm`: take the mean of all squares,
    of x and of y, then one root.
    """
    return _searched(maps, truth, temperatures, lambda away: away.norm(dim=-1).mean())


def both_axes_added(maps: Tensor, truth: Tensor, temperatures: Sequence[float]) -> Answer:
    """Every error is √2 times too large: the squares of x and of y were added, and the error *an axis* was asked for.

    Take the mean over the last axis too, not the sum. Then whole cells alone give 1/√12 = 0.289, as theory has it.
    """
    return _searched(maps, truth, temperatures, lambda away: away.square().sum(-1).mean().sqrt())


def root_forgotten(maps: Tensor, truth: Tensor, temperatures: Sequence[float]) -> Answer:
    """These are mean squares, in square cells: the root is missing.

    It would choose the same temperature, but an error in square cells stands beside none that you know.
    """
    return _searched(maps, truth, temperatures, lambda away: away.square().mean())


def row_before_column(maps: Tensor, truth: Tensor, temperatures: Sequence[float]) -> Answer:
    """The places that were compared with the truth are (row, column), and the truth is (x, y) = (column, row).

    Let `decode.soft_argmax` make the places, or look for the line that puts the two means together.
    """
    return _searched(maps, truth, temperatures, _rms, flip=True)


COALS = (
    temperature_multiplies,
    place_in_the_list,
    largest_error,
    least_error_itself,
    bias_for_error,
    mean_of_sizes,
    root_before_the_maps,
    spread_without_bias,
    mean_distance,
    both_axes_added,
    root_forgotten,
    row_before_column,
)
