"""Known mistakes in going from limb to limb of a skeleton; each docstring is what the student reads.

Lesson: 09.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from posecourse.constraints import iterate_limbs, project_limb

__all__ = ["COALS"]

Limbs = Sequence[tuple[int, int]]


def all_from_one_place(points: Tensor, limbs: Limbs, lengths: Tensor, sweeps: int) -> Tensor:
    """All limbs of a sweep were measured before any of them moved, and their steps were added up.

    A keypoint of two limbs that are too long then takes both steps at once, and may be thrown past both. Take each
    limb's ends from where the limb before has left them (Gauss-Seidel, not Jacobi).
    """
    for _ in range(sweeps):
        points = points + _steps(points, limbs, lengths)
    return points


def steps_averaged(points: Tensor, limbs: Limbs, lengths: Tensor, sweeps: int) -> Tensor:
    """All limbs of a sweep were measured before any of them moved, and each keypoint took the mean of its steps.

    That comes to rest at a skeleton that fits, too, but more slowly, and at another one. Take each limb's ends from
    where the limb before has left them.
    """
    count = torch.zeros(points.shape[-2])
    for a, b in limbs:
        count[a], count[b] = count[a] + 1, count[b] + 1
    for _ in range(sweeps):
        points = points + _steps(points, limbs, lengths) / count.to(points)[:, None]
    return points


def from_the_given_points(points: Tensor, limbs: Limbs, lengths: Tensor, sweeps: int) -> Tensor:
    """Each limb was projected from where the keypoints were *given*, and overwrote what the limbs before had done.

    Only the last limb of each keypoint counts then, and a second sweep changes nothing. Read the ends from the same
    tensor that the answers are written to.
    """
    return _swept(points, limbs, lengths, 1, read=points)


def one_sweep(points: Tensor, limbs: Limbs, lengths: Tensor, sweeps: int) -> Tensor:
    """This is the skeleton after *one* sweep: its first limbs have been spoiled by the later ones.

    Either `sweeps` is not used, or each limb is projected so many times in a row, which changes nothing after the first
    time. The loop over sweeps goes outside, the loop over limbs inside.
    """
    return _swept(points, limbs, lengths, 1)


def one_sweep_more(points: Tensor, limbs: Limbs, lengths: Tensor, sweeps: int) -> Tensor:
    """This is the skeleton after one sweep too many.

    `range(sweeps)` counts from 0 and has `sweeps` numbers already. Look for a `+ 1`, or for a sweep before the loop.
    """
    return _swept(points, limbs, lengths, sweeps + 1)


def backwards(points: Tensor, limbs: Limbs, lengths: Tensor, sweeps: int) -> Tensor:
    """The limbs were gone through from the last to the first, and the order of `limbs` was asked for.

    Any order leads to a skeleton that fits, but each to another one: the last limb of a sweep has its length exactly.
    """
    return _swept(points, limbs[::-1], lengths.flip(-1), sweeps)


def bound_ignored(points: Tensor, limbs: Limbs, lengths: Tensor, sweeps: int) -> Tensor:
    """Limbs that look shorter than their length were torn apart to have it: the lengths here are upper bounds.

    In a picture a limb that points at the camera looks short and is right. Ask for `bound="upper"`.
    """
    return iterate_limbs(points, limbs, lengths, sweeps)


def child_only(points: Tensor, limbs: Limbs, lengths: Tensor, sweeps: int) -> Tensor:
    """In each limb the child alone has moved, so that errors run down the arm and gather in the hand.

    The parent is as unsure as the child: each takes half of the excess, and so both are written back.
    """

    def child(parent: Tensor, child: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        exact = torch.tensor([0.0, 1.0]).to(parent)
        return parent, project_limb(parent, child, length, variances=exact, bound="upper").child

    return _swept(points, limbs, lengths, sweeps, move=child)


def child_written_alone(points: Tensor, limbs: Limbs, lengths: Tensor, sweeps: int) -> Tensor:
    """In each limb both ends were computed, and the child's alone was written back: half of each excess is left.

    `project_limb` returns parent and child. Both have moved.
    """

    def half(parent: Tensor, child: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        return parent, project_limb(parent, child, length, bound="upper").child

    return _swept(points, limbs, lengths, sweeps, move=half)


def ends_exchanged(points: Tensor, limbs: Limbs, lengths: Tensor, sweeps: int) -> Tensor:
    """Each limb's two ends have changed places: the parent's was written to the child, and the child's to the parent.

    A limb (a, b) has the parent a, and `project_limb` returns the parent first.
    """

    def exchanged(parent: Tensor, child: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        limb = project_limb(parent, child, length, bound="upper")
        return limb.child, limb.parent

    return _swept(points, limbs, lengths, sweeps, move=exchanged)


def length_of_another_limb(points: Tensor, limbs: Limbs, lengths: Tensor, sweeps: int) -> Tensor:
    """All limbs were drawn to the length of the first one.

    `lengths` has one number a limb, in their order: `zip(limbs, lengths)` or `enumerate(limbs)` gives each its own.
    """
    return _swept(points, limbs, lengths[:1].expand(len(limbs)), sweeps)


def overwritten(points: Tensor, limbs: Limbs, lengths: Tensor, sweeps: int) -> Tensor:
    """The skeleton is right, but the caller's own keypoints were changed: the argument is overwritten.

    Writing to `points[..., a, :]` edits the tensor that was passed in. Begin with `points = points.clone()`.
    """
    points.copy_(_swept(points, limbs, lengths, sweeps))
    return points


def _either(parent: Tensor, child: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
    return project_limb(parent, child, length, bound="upper")


def _swept(
    points: Tensor,
    limbs: Limbs,
    lengths: Tensor,
    sweeps: int,
    *,
    read: Tensor | None = None,
    move: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]] = _either,
) -> Tensor:
    """Return the skeleton after sweeps from limb to limb, each read from where all is, or from a tensor of its own."""
    places = points.clone()
    source = places if read is None else read
    for _ in range(sweeps):
        for (a, b), length in zip(limbs, lengths, strict=True):
            places[..., a, :], places[..., b, :] = move(source[..., a, :].clone(), source[..., b, :].clone(), length)
    return places


def _steps(points: Tensor, limbs: Limbs, lengths: Tensor) -> Tensor:
    """Return the sum of the steps that a keypoint's limbs want, all from one place."""
    steps = torch.zeros_like(points)
    for (a, b), length in zip(limbs, lengths, strict=True):
        limb = project_limb(points[..., a, :], points[..., b, :], length, bound="upper")
        steps[..., a, :] += limb.parent - points[..., a, :]
        steps[..., b, :] += limb.child - points[..., b, :]
    return steps


COALS = (
    all_from_one_place,
    steps_averaged,
    from_the_given_points,
    one_sweep,
    one_sweep_more,
    backwards,
    bound_ignored,
    child_only,
    child_written_alone,
    ends_exchanged,
    length_of_another_limb,
    overwritten,
)
