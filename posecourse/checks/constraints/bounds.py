"""Known mistakes in drawing a limb to at most its length, by variances; each docstring is what the student reads.

Lesson: 09.
"""

import torch
from torch import Tensor

__all__ = ["COALS"]

Ends = tuple[Tensor, Tensor]


def surer_end_moves(parent: Tensor, child: Tensor, length: Tensor | float, variances: Tensor) -> Ends:
    """The shares are the wrong way round: the *surer* end moves more.

    A large variance says that we hardly know where the end is, so it is cheap to move. The parent's share is
    v_p / (v_p + v_c), with its own variance above the line.
    """
    return _moved(parent, child, length, _share(variances.flip(-1)))


def deviations_for_variances(parent: Tensor, child: Tensor, length: Tensor | float, variances: Tensor) -> Ends:
    """The shares go by standard deviations, √v, and the nearest pair goes by variances.

    The cost of a move is Δ²/v. Where its derivative is 0, Δ is in proportion to v. Look for `sqrt`.
    """
    return _moved(parent, child, length, _share(variances.sqrt()))


def squares_for_variances(parent: Tensor, child: Tensor, length: Tensor | float, variances: Tensor) -> Ends:
    """The shares go by v², as if `variances` held standard deviations: the unsure end moves too much.

    It holds variances already. The cost of a move is Δ²/v, so Δ is in proportion to v. Look for a square.
    """
    return _moved(parent, child, length, _share(variances.square()))


def variances_ignored(parent: Tensor, child: Tensor, length: Tensor | float, variances: Tensor) -> Ends:
    """Each end takes half of the excess, whatever its variance is, an end that is exact among them.

    The nearest pair moves each end in proportion to its own variance: the parent by v_p / (v_p + v_c) of the excess,
    the child by the rest.
    """
    return _moved(parent, child, length, torch.full_like(variances[..., :1], 0.5))


def bound_ignored(parent: Tensor, child: Tensor, length: Tensor | float, variances: Tensor) -> Ends:
    """Limbs that are too long are right; those that are shorter than `length` were torn apart to have it.

    That is an equality. In a picture a limb that points at the camera looks short and *is* right: an upper bound leaves
    it alone. Let a negative excess be 0.
    """
    w, (unit, excess) = _share(variances), _parts(parent, child, length)
    return parent + w * unit * excess, child - (1 - w) * unit * excess


def lower_bound(parent: Tensor, child: Tensor, length: Tensor | float, variances: Tensor) -> Ends:
    """Limbs that are too short were made longer, and those that are too long have stayed: it is a *lower* bound.

    What is asked for is at most `length`. Keep the excess where it is positive: `clamp(min=0)`.
    """
    w, (unit, excess) = _share(variances), _parts(parent, child, length)
    excess = excess.clamp(max=0)
    return parent + w * unit * excess, child - (1 - w) * unit * excess


def pushed_apart(parent: Tensor, child: Tensor, length: Tensor | float, variances: Tensor) -> Ends:
    """Limbs that are too long have become longer: the sign is the wrong way.

    The excess, distance − length, is positive there. The parent goes along child − parent, the child against it.
    """
    w, (unit, excess) = _share(variances), _parts(parent, child, length)
    excess = excess.clamp(min=0)
    return parent - w * unit * excess, child + (1 - w) * unit * excess


def halved_again(parent: Tensor, child: Tensor, length: Tensor | float, variances: Tensor) -> Ends:
    """The ends go in the right proportion, and half as far as they should: half of the excess is left.

    The shares w and 1 − w make 1 together, so they share out the whole excess. The ½ of exercise 1 was such a share:
    it goes when w comes.
    """
    w, (unit, excess) = _share(variances), _parts(parent, child, length)
    step = unit * excess.clamp(min=0) / 2
    return parent + w * step, child - (1 - w) * step


def absolute_excess(parent: Tensor, child: Tensor, length: Tensor | float, variances: Tensor) -> Ends:
    """Limbs that are too long are right, and those that are shorter than `length` have become shorter still.

    The excess has lost its sign on the way. Of a bound from above a short limb has no excess, not a positive one:
    `clamp(min=0)` in the place of `abs`.
    """
    w, (unit, excess) = _share(variances), _parts(parent, child, length)
    return parent + w * unit * excess.abs(), child - (1 - w) * unit * excess.abs()


def shares_not_of_one(parent: Tensor, child: Tensor, length: Tensor | float, variances: Tensor) -> Ends:
    """Each end has moved by the excess times its own variance: together they do not take the whole excess, or too much.

    Only the ratio of the variances matters. Divide by their sum, so that both shares make 1.
    """
    unit, excess = _parts(parent, child, length)
    step = unit * excess.clamp(min=0)
    return parent + variances[..., :1] * step, child - variances[..., 1:] * step


def one_share_for_both(parent: Tensor, child: Tensor, length: Tensor | float, variances: Tensor) -> Ends:
    """The parent is right, and the child has moved by the *parent's* share, so the length is not what it should be.

    If the parent takes w of the excess, the child takes the rest, 1 − w.
    """
    w, (unit, excess) = _share(variances), _parts(parent, child, length)
    step = w * unit * excess.clamp(min=0)
    return parent + step, child - step


def summed_over_all(parent: Tensor, child: Tensor, length: Tensor | float, variances: Tensor) -> Ends:
    """A single limb is right, and in a batch the shares are too small: they were divided by the variances of all limbs.

    `sum()` without an axis adds up everything. Each limb has its own two ends: `sum(-1)`.
    """
    unit, excess = _parts(parent, child, length)
    step = unit * excess.clamp(min=0) / variances.sum()
    return parent + variances[..., :1] * step, child - variances[..., 1:] * step


def inverse_of_zero(parent: Tensor, child: Tensor, length: Tensor | float, variances: Tensor) -> Ends:
    """All is right, until an end has the variance 0: then the answer is NaN.

    1 / v is infinite there, and infinite / infinite is NaN. The share needs no inverse: v_p / (v_p + v_c) is 0 or 1
    for an end that is exact.
    """
    weights = 1 / variances
    return _moved(parent, child, length, weights[..., 1:] / weights.sum(-1, keepdim=True))


def divided_by_zero(parent: Tensor, child: Tensor, length: Tensor | float, variances: Tensor) -> Ends:
    """All is right, until the two ends are at one place: then the answer is NaN.

    The way is 0, its length is 0, and 0 / 0 is NaN; a step of 0 · NaN is NaN, too. Let the divisor be 1, or tiny, where
    the distance is 0.
    """
    w, way = _share(variances), child - parent
    distance = way.norm(dim=-1, keepdim=True)
    step = way / distance * (distance - _column(length, parent)).clamp(min=0)
    return parent + w * step, child - (1 - w) * step


def _column(length: Tensor | float, like: Tensor) -> Tensor:
    return torch.as_tensor(length, dtype=like.dtype)[..., None]


def _share(variances: Tensor) -> Tensor:
    """Return the parent's share (..., 1)."""
    return variances[..., :1] / variances.sum(-1, keepdim=True)


def _parts(parent: Tensor, child: Tensor, length: Tensor | float) -> Ends:
    """Return the direction from parent to child, 0 where there is none, and the excess (..., 1)."""
    way = child - parent
    distance = way.norm(dim=-1, keepdim=True)
    return way / torch.where(distance > 0, distance, 1), distance - _column(length, parent)


def _moved(parent: Tensor, child: Tensor, length: Tensor | float, share: Tensor) -> Ends:
    unit, excess = _parts(parent, child, length)
    step = unit * excess.clamp(min=0)
    return parent + share * step, child - (1 - share) * step


COALS = (
    surer_end_moves,
    deviations_for_variances,
    squares_for_variances,
    variances_ignored,
    bound_ignored,
    lower_bound,
    pushed_apart,
    halved_again,
    absolute_excess,
    shares_not_of_one,
    one_share_for_both,
    summed_over_all,
    inverse_of_zero,
    divided_by_zero,
)
