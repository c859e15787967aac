"""Known mistakes on the way out of the background's pull: x = (C·J − N·c) / (C − N).

Each is a function that makes it; its docstring is what the student reads.

Lesson: 03.
"""

import torch
from torch import Tensor

from posecourse import decode, heatmaps

__all__ = ["COALS"]


def _parts(maps: Tensor, temperature: float) -> tuple[Tensor, Tensor, int, Tensor]:
    """Return J (*B K 2), C (*B K 1), N and c (2)."""
    J = decode.soft_argmax(heatmaps.spatial_softmax(maps, temperature)).points
    C = torch.exp(maps / temperature).sum((-2, -1))[..., None]
    H, W = maps.shape[-2:]
    return J, C, H * W, J.new_tensor([(W - 1) / 2, (H - 1) / 2])


def left_as_it_is(maps: Tensor, temperature: float) -> Tensor:
    """This is the plain soft-argmax: every answer is still drawn to the centre of its map.

    The mean place J is right, and it is only the beginning. Take the background's share out of it:
    (C·J − N·c) / (C − N).
    """
    return _parts(maps, temperature)[0]


def half_of_the_size(maps: Tensor, temperature: float) -> Tensor:
    """The background was taken to have its middle at (W / 2, H / 2): half a cell too far right and down.

    Columns run from 0 to W − 1, so their mean is (W − 1) / 2. The error of half a cell comes out larger here, as
    N / (C − N) multiplies it.
    """
    J, C, N, c = _parts(maps, temperature)
    return (C * J - N * (c + 0.5)) / (C - N)


def half_a_cell_dropped(maps: Tensor, temperature: float) -> Tensor:
    """The middle of the background was rounded down: (W − 1) // 2.

    Right where W is odd; an even number of columns has its middle between two cells. The middle of columns 0 to 11
    is 5.5: divide with `/`.
    """
    J, C, N, c = _parts(maps, temperature)
    return (C * J - N * c.floor()) / (C - N)


def size_exchanged(maps: Tensor, temperature: float) -> Tensor:
    """The middle of the background was taken as ((H − 1) / 2, (W − 1) / 2): height and width are exchanged.

    A place is (x, y), and x belongs to the columns, of which there are W. On a square map nobody would notice.
    """
    J, C, N, c = _parts(maps, temperature)
    return (C * J - N * c.flip(-1)) / (C - N)


def one_cell_of_background(maps: Tensor, temperature: float) -> Tensor:
    """Hardly anything has changed: a single cell's worth of background was taken out, 1 where N = H·W belongs.

    A well known library does the same. Its answer moves from 31.3275 to 31.3273 where the truth is 10, and its tests
    never noticed. Every one of the N cells has exp(0) = 1 in the sum.
    """
    J, C, _, c = _parts(maps, temperature)
    return (C * J - c) / (C - 1)


def not_divided(maps: Tensor, temperature: float) -> Tensor:
    """The background's share was taken out of the sum of places, but not out of the sum of weights.

    What is left weighs C − N, not C, and a mean divides by its own weight. Look at the denominator.
    """
    J, C, N, c = _parts(maps, temperature)
    return (C * J - N * c) / C


def put_in_twice(maps: Tensor, temperature: float) -> Tensor:
    """The background was added once more where it is to be taken out: every answer is nearer to the centre than J was.

    (C·J + N·c) / (C + N) is what a map twice as heavy with background would have. Look for two signs.
    """
    J, C, N, c = _parts(maps, temperature)
    return (C * J + N * c) / (C + N)


def cells_not_scaled(maps: Tensor, temperature: float) -> Tensor:
    """The sum C was made from exp((h − max) / T), and N from exp(0): two different scales in one formula.

    The maximum that keeps an exponential from overflowing cancels in a quotient of two sums, and here it does not:
    each empty cell then weighs exp(−max / T). Or take the centroid of `torch.expm1(h / T)`, which is the same.
    """
    J, C, N, c = _parts(maps, temperature)
    C = C * torch.exp(-maps.amax((-2, -1)) / temperature)[..., None]
    return (C * J - N * c) / (C - N)


def one_sum_for_the_batch(maps: Tensor, temperature: float) -> Tensor:
    """Right for one map alone: C is the sum over all maps of the batch, and every map has a C of its own.

    A library for this very purpose is right for batches of one only. Sum over the last two axes.
    """
    J, C, N, c = _parts(maps, temperature)
    return (C.sum() * J - N * c) / (C.sum() - N)


def temperature_multiplies(maps: Tensor, temperature: float) -> Tensor:
    """The temperature multiplies: this is what exp(h·T) gives, and exp(h / T) was asked for.

    The background is taken out as it should be, so only the weights *within* the blob are other ones. Look at each
    exponential, that inside of the softmax too.
    """
    return decode.debiased_soft_argmax(maps, 1 / temperature).points


def temperature_forgotten(maps: Tensor, temperature: float) -> Tensor:
    """This is the answer for T = 1, whatever the temperature is: T does not occur.

    The background is taken out as it should be, so only the weights *within* the blob are other ones: exp(h / T).
    """
    return decode.debiased_soft_argmax(maps, 1.0).points


def mean_and_centre_disagree(maps: Tensor, temperature: float) -> Tensor:
    """J is (row, column) and c is (x, y): the one's row was corrected with the other's column.

    A place is (x, y) = (column, row). Look for the line that puts the two means of J together.
    """
    J, C, N, c = _parts(maps, temperature)
    return (C * J.flip(-1) - N * c) / (C - N)


def row_before_column(maps: Tensor, temperature: float) -> Tensor:
    """The right numbers as (row, column), where a place is (x, y) = (column, row).

    Look for the line that puts the two means together: first the one over columns.
    """
    return decode.debiased_soft_argmax(maps, temperature).points.flip(-1)


COALS = (
    left_as_it_is,
    half_of_the_size,
    half_a_cell_dropped,
    size_exchanged,
    one_cell_of_background,
    not_divided,
    put_in_twice,
    cells_not_scaled,
    one_sum_for_the_batch,
    temperature_multiplies,
    temperature_forgotten,
    mean_and_centre_disagree,
    row_before_column,
)
