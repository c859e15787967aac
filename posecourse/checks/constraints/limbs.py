"""Known mistakes in drawing a limb to its length; each docstring is what the student reads.

Lesson: 09.
"""

import torch
from torch import Tensor

__all__ = ["COALS"]

Ends = tuple[Tensor, Tensor]


def pushed_apart(parent: Tensor, child: Tensor, length: Tensor | float) -> Ends:
    """Limbs that are too long become longer, and those that are too short become shorter: the sign is the wrong way.

    The excess, distance − length, is positive for a limb that is too long. Then the parent goes *along* child − parent
    and the child against it.
    """
    unit, excess = _parts(parent, child, length)
    return parent - unit * excess / 2, child + unit * excess / 2


def child_only(parent: Tensor, child: Tensor, length: Tensor | float) -> Ends:
    """The length is right, but the child alone has moved, and there is a pair that is nearer.

    The parent is as unsure as the child, so each takes half of the excess. Moved alone, the child is pinned to the
    parent's error and gains nothing.
    """
    unit, excess = _parts(parent, child, length)
    return parent, child - unit * excess


def parent_only(parent: Tensor, child: Tensor, length: Tensor | float) -> Ends:
    """The length is right, but the parent alone has moved, and there is a pair that is nearer.

    Both ends are equally unsure, so each takes half of the excess: look for where the child should have moved, too.
    """
    unit, excess = _parts(parent, child, length)
    return parent + unit * excess, child


def not_halved(parent: Tensor, child: Tensor, length: Tensor | float) -> Ends:
    """Both ends have moved by the *whole* excess, so a limb that was too long by 2 is now too short by 2.

    They move towards each other, and what they move adds up. Halve the excess first.
    """
    unit, excess = _parts(parent, child, length)
    return parent + unit * excess, child - unit * excess


def halved_again(parent: Tensor, child: Tensor, length: Tensor | float) -> Ends:
    """Both ends have moved by a *quarter* of the excess: it was halved twice, and half of it is left.

    A limb that was too long by 2 is still too long by 1. Each end takes one half, and the two together all of it: look
    for a second division by 2.
    """
    unit, excess = _parts(parent, child, length)
    return parent + unit * excess / 4, child - unit * excess / 4


def absolute_excess(parent: Tensor, child: Tensor, length: Tensor | float) -> Ends:
    """Limbs that are too long are right, and those that are too short have become *shorter* still.

    The excess has lost its sign on the way: look for `abs`, or for a square and its root. A negative excess is what
    pushes the ends of a short limb apart.
    """
    unit, excess = _parts(parent, child, length)
    return parent + unit * excess.abs() / 2, child - unit * excess.abs() / 2


def way_not_a_direction(parent: Tensor, child: Tensor, length: Tensor | float) -> Ends:
    """The excess was multiplied by the whole way from parent to child, and its *direction* was needed.

    A way of 7 units makes the step 7 times too long. Divide the way by its own length first.
    """
    _, excess = _parts(parent, child, length)
    step = (child - parent) * excess / 2
    return parent + step, child - step


def squares_compared(parent: Tensor, child: Tensor, length: Tensor | float) -> Ends:
    """The excess is that of the *squared* lengths, d² − L², so the step is too long by the factor d + L.

    Look for a square whose root was not taken, on both sides of the minus sign: the excess is d − L.
    """
    unit, _ = _parts(parent, child, length)
    squared = (child - parent).square().sum(-1, keepdim=True) - _column(length, parent) ** 2
    return parent + unit * squared / 2, child - unit * squared / 2


def only_shortened(parent: Tensor, child: Tensor, length: Tensor | float) -> Ends:
    """Limbs that are too long are right; those that are too short have stayed as they were.

    That is an upper bound, and it has its place, but here the length is to be *equal*: a negative excess pushes the
    ends apart. Look for `clamp`, `relu` or an `if`.
    """
    unit, excess = _parts(parent, child, length)
    return parent + unit * excess.clamp(min=0) / 2, child - unit * excess.clamp(min=0) / 2


def divided_by_zero(parent: Tensor, child: Tensor, length: Tensor | float) -> Ends:
    """All is right, until the two ends are at one place: then the answer is NaN.

    The way is 0, its length is 0, and 0 / 0 is NaN. No direction is better than another there, so both ends stay: let
    the divisor be 1, or tiny, where the distance is 0.
    """
    way = child - parent
    distance = way.norm(dim=-1, keepdim=True)
    step = way / distance * (distance - _column(length, parent)) / 2
    return parent + step, child - step


def scaled_about_the_corner(parent: Tensor, child: Tensor, length: Tensor | float) -> Ends:
    """The length is right, and the limb is somewhere else: both ends were multiplied by length / distance.

    That shrinks the picture towards (0, 0), the limb's place with it. Scale the way between the ends, and keep their
    middle where it is.
    """
    way = child - parent
    distance = way.norm(dim=-1, keepdim=True)
    factor = torch.where(distance > 0, _column(length, parent) / torch.where(distance > 0, distance, 1), 1)
    return parent * factor, child * factor


def from_the_moved_parent(parent: Tensor, child: Tensor, length: Tensor | float) -> Ends:
    """The parent is right, and the child moved by a quarter of the excess only: the length is not reached.

    The child's step was computed from the parent's *new* place, where half of the excess is gone already. Compute the
    step once, before either end moves.
    """
    unit, excess = _parts(parent, child, length)
    return parent + unit * excess / 2, child - unit * excess / 4


def ends_exchanged(parent: Tensor, child: Tensor, length: Tensor | float) -> Ends:
    """Both places are right, and stand in the wrong order: the child was returned first.

    The answer is (parent, child), in the order of the arguments. Look at the line with `return`.
    """
    unit, excess = _parts(parent, child, length)
    return child - unit * excess / 2, parent + unit * excess / 2


def one_distance_for_all(parent: Tensor, child: Tensor, length: Tensor | float) -> Ends:
    """A single limb is right, and in a batch all limbs share one distance: the norm was taken over everything.

    Without `dim` a norm adds up the squares of all limbs. Ask for the last axis alone, and keep it so that it divides
    the way: `dim=-1, keepdim=True`.
    """
    way = child - parent
    distance = way.norm()
    step = way / distance * (distance - _column(length, parent)) / 2
    return parent + step, child - step


def overwritten(parent: Tensor, child: Tensor, length: Tensor | float) -> Ends:
    """The places are right, but the caller's own tensors were changed: both arguments are overwritten.

    Whoever compares before and after finds the two equal. `+=` and `-=` on a tensor edit it in place: write
    `parent = parent + step`, which makes a new one.
    """
    unit, excess = _parts(parent, child, length)
    step = unit * excess / 2
    parent += step
    child -= step
    return parent, child


def _column(length: Tensor | float, like: Tensor) -> Tensor:
    return torch.as_tensor(length, dtype=like.dtype)[..., None]


def _parts(parent: Tensor, child: Tensor, length: Tensor | float) -> Ends:
    """Return the direction from parent to child, 0 where there is none, and the excess (..., 1)."""
    way = child - parent
    distance = way.norm(dim=-1, keepdim=True)
    return way / torch.where(distance > 0, distance, 1), distance - _column(length, parent)


COALS = (
    pushed_apart,
    child_only,
    parent_only,
    not_halved,
    halved_again,
    absolute_excess,
    way_not_a_direction,
    squares_compared,
    only_shortened,
    divided_by_zero,
    scaled_about_the_corner,
    from_the_moved_parent,
    ends_exchanged,
    one_distance_for_all,
    overwritten,
)
