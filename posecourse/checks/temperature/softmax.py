"""Known mistakes in a softmax over places: exp(h / T) / Σ exp(h / T).

Each is a function that makes it; its docstring is what the student reads.

Lesson: 03.
"""

import torch
from torch import Tensor

from posecourse import heatmaps

__all__ = ["COALS"]


def temperature_multiplies(logits: Tensor, temperature: float) -> Tensor:
    """The temperature multiplies: this is exp(h·T), and exp(h / T) was asked for.

    Both are in use, and one library has it one way in one function and the other way in another. Here T *divides*:
    small is cold and sharp, large is hot and flat. At T = 1 nobody would notice.
    """
    return heatmaps.spatial_softmax(logits, 1 / temperature)


def over_channels(logits: Tensor, temperature: float) -> Tensor:
    """The keypoints share each cell's probability out among themselves: the softmax runs over axis K.

    In classification the classes compete, so that is where softmax stands. Here the *cells* of each map compete.
    Flatten rows and columns into one axis, take the softmax along that, and give the map its shape back.
    """
    return (logits / temperature).softmax(-3)


def counted_from_the_left(logits: Tensor, temperature: float) -> Tensor:
    """This is `softmax(dim=1)`: axis 1 from the left, which is another one for each number of leading axes.

    Of (B, K, H, W) it is the keypoints, of (K, H, W) the rows. Count from the right, and let all cells of a map
    compete: flatten rows and columns into one axis, the last, and take the softmax along that.
    """
    return (logits / temperature).softmax(1)


def one_axis_after_the_other(logits: Tensor, temperature: float) -> Tensor:
    """This is a softmax of a softmax, first along one axis, then along the other.

    The second one sees nothing but numbers from 0 to 1, so the result is nearly flat whatever T is. A map needs one
    softmax over all its cells: flatten rows and columns into one axis first, `logits.flatten(-2)`.
    """
    return (logits / temperature).softmax(-1).softmax(-2)


def along_columns(logits: Tensor, temperature: float) -> Tensor:
    """Each column of each map sums to 1: the softmax runs along the rows' axis only.

    A distribution over places has one sum for the whole map. Flatten rows and columns into one axis first:
    `logits.flatten(-2)`.
    """
    return (logits / temperature).softmax(-2)


def along_rows(logits: Tensor, temperature: float) -> Tensor:
    """Each row of each map sums to 1: the softmax runs along the columns only.

    A distribution over places has one sum for the whole map. Flatten rows and columns into one axis first:
    `logits.flatten(-2)`.
    """
    return (logits / temperature).softmax(-1)


def over_the_batch(logits: Tensor, temperature: float) -> Tensor:
    """All maps together sum to 1, and each of them should.

    The sum ran over the whole tensor, keypoints and images included. Let it run over the last two axes only, and
    keep them: `sum((-2, -1), keepdim=True)`.
    """
    scaled = logits / temperature
    return scaled.flatten().softmax(0).reshape(scaled.shape)


def overflow(logits: Tensor, temperature: float) -> Tensor:
    """NaN where T is small, right elsewhere: exp(h / T) has left the numbers that float32 can hold.

    It ends at e^88.7, and a height of 5 at T = 0.02 asks for e^250; with negative maps every exponential is 0 and so
    is their sum. Subtract each map's own maximum first, which changes no quotient, or call `softmax`, which does so.
    """
    weights = torch.exp(logits / temperature)
    return weights / weights.sum((-2, -1), keepdim=True)


def overflow_later(logits: Tensor, temperature: float) -> Tensor:
    """NaN where T is very small: the exponentials are taken in float64, which ends at e^709.

    That moves the end and does not remove it: a height of 5 at T = 0.004 asks for e^1250. Subtract each map's own
    maximum first, which changes no quotient, and float32 is enough for any T.
    """
    return overflow(logits.double(), temperature).to(logits.dtype)


def minimum_subtracted(logits: Tensor, temperature: float) -> Tensor:
    """NaN where T is small, right elsewhere: each map's *minimum* was subtracted, and so every exponent is positive.

    It is large exponents that overflow; a very negative one gives a harmless 0. Subtract the maximum, and the
    largest exponent is 0.
    """
    return overflow(logits - logits.amin((-2, -1), keepdim=True), temperature)


def one_maximum_for_all(logits: Tensor, temperature: float) -> Tensor:
    """NaN in the lower ones of the maps: the maximum that was subtracted is that of the whole batch.

    A map that lies far below it has nothing but exponentials of 0, and 0 / 0. Each map needs its own maximum:
    `amax((-2, -1), keepdim=True)`.
    """
    weights = torch.exp((logits - logits.max()) / temperature)
    return weights / weights.sum((-2, -1), keepdim=True)


def temperature_forgotten(logits: Tensor, temperature: float) -> Tensor:
    """This is the softmax at T = 1, whatever the temperature is: T does not occur.

    Divide the map by T before the exponential.
    """
    return heatmaps.spatial_softmax(logits, 1.0)


def peak_of_one(logits: Tensor, temperature: float) -> Tensor:
    """Every map has the largest value 1, where a *sum* of 1 was asked for: the division by the sum is missing.

    Right up to a factor, so the argmax is right, and every mean is wrong. After the exponential, divide by its sum
    over rows and columns.
    """
    p = heatmaps.spatial_softmax(logits, temperature)
    return p / p.amax((-2, -1), keepdim=True)


COALS = (
    temperature_multiplies,
    temperature_forgotten,
    over_channels,
    counted_from_the_left,
    along_rows,
    along_columns,
    one_axis_after_the_other,
    over_the_batch,
    overflow,
    overflow_later,
    minimum_subtracted,
    one_maximum_for_all,
    peak_of_one,
)
