"""Known mistakes about the point with the smallest expected squared distance: Σ wᵢ·pᵢ / Σ wᵢ.

Each is a function that makes it; its docstring is what the student reads.

Lesson: 01.
"""

from torch import Tensor

__all__ = ["COALS"]


def weights_ignored(places: Tensor, weights: Tensor) -> Tensor:
    """Every place counted as much as any other: this is the plain mean, and some places are likelier than others.

    An expectation gives each place its own weight. Multiply before you sum, and divide by the sum of the weights.
    """
    return places.mean(-2)


def not_divided(places: Tensor, weights: Tensor) -> Tensor:
    """The weighted sum is right, but it was not divided by the sum of the weights.

    Weights say how often a place was seen; they need not add up to 1. Without the division the answer grows with the
    number of observations and leaves the picture.
    """
    return (weights[..., None] * places).sum(-2)


def divided_by_count(places: Tensor, weights: Tensor) -> Tensor:
    """The weighted sum was divided by the number of places, where the sum of the weights belongs.

    That is what `.mean()` does after a product. The two agree only where the weights have a mean of 1.
    """
    return (weights[..., None] * places).mean(-2)


def likeliest(places: Tensor, weights: Tensor) -> Tensor:
    """This is the likeliest of the places. A heatmap's argmax would say so; squared error does not.

    The squared distance is smallest in the mean, which need not be any of the places. Look for `argmax` or `max`.
    """
    index = weights.argmax(-1)[..., None, None].expand(*places.shape[:-2], 1, 2)
    return places.gather(-2, index).squeeze(-2)


def median(places: Tensor, weights: Tensor) -> Tensor:
    """This is the weighted median of x and of y: what *absolute* error asks for, not squared error.

    Half of the weight lies on either side of it, however far away. The mean also asks how far.
    """
    order = places.argsort(dim=-2)
    climbing = weights[..., None].expand_as(places).gather(-2, order).cumsum(-2)
    half = (climbing < climbing[..., -1:, :] / 2).sum(-2, keepdim=True)
    return places.gather(-2, order).gather(-2, half).squeeze(-2)


def divided_by_all(places: Tensor, weights: Tensor) -> Tensor:
    """Alone the answer is right, and in a batch it is too small: every entry was divided by the weights of all.

    `weights.sum()` adds over the batch too. Each entry has its own sum: `weights.sum(-1, keepdim=True)`.
    """
    return (weights[..., None] * places).sum(-2) / weights.sum()


def sum_at_least_one(places: Tensor, weights: Tensor) -> Tensor:
    """The answer is right where the weights add up to 1 or more, and too small where their sum is less.

    A sum is what it is, however small; only zero could not be divided by, and weights are positive. Look for `clamp`
    or `max` in the divisor.
    """
    return (weights[..., None] * places).sum(-2) / weights.sum(-1, keepdim=True).clamp(min=1)


COALS = (
    weights_ignored,
    not_divided,
    divided_by_count,
    likeliest,
    median,
    divided_by_all,
    sum_at_least_one,
)
