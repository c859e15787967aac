"""Known mistakes in a loss of limb lengths; each docstring is what the student reads.

Lesson: 09.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from posecourse.constraints import limb_mask

__all__ = ["COALS"]

Limbs = Sequence[tuple[int, int]]


def batch_averaged_first(predicted: Tensor, truth: Tensor, limbs: Limbs, mask: Tensor) -> Tensor:
    """The differences were averaged over the first axis *before* the absolute value, so errors of opposite sign cancel.

    A limb too long by 2 in one picture and too short by 2 in the next costs nothing: mmpose's BoneLoss does that.
    Take the absolute value of each limb of each pose, and average nothing here.
    """
    return _differences(predicted, truth, limbs, mask).mean(0).abs()


def limbs_added_first(predicted: Tensor, truth: Tensor, limbs: Limbs, mask: Tensor) -> Tensor:
    """The limbs of a pose were added up before the absolute value: one too long pays for one too short.

    Only the total length of the body is then held. Each limb has its own loss, an answer of one number a limb.
    """
    return _differences(predicted, truth, limbs, mask).sum(-1).abs()


def signed(predicted: Tensor, truth: Tensor, limbs: Limbs, mask: Tensor) -> Tensor:
    """Limbs that are too short have a *negative* loss: the absolute value is missing.

    Minimised, it would shrink every limb to nothing, and its mean cancels what is too long and too short.
    """
    return _differences(predicted, truth, limbs, mask)


def squared(predicted: Tensor, truth: Tensor, limbs: Limbs, mask: Tensor) -> Tensor:
    """The difference of the lengths was squared, and its absolute value was asked for.

    A square is in square units, and one wild keypoint then outweighs a batch. `.abs()` in the place of the square.
    """
    return _differences(predicted, truth, limbs, mask).square()


def squared_lengths(predicted: Tensor, truth: Tensor, limbs: Limbs, mask: Tensor) -> Tensor:
    """These are differences of *squared* lengths: the root of Σ (child − parent)² was not taken.

    The error of a long limb then weighs more than the same error of a short one. `vector_norm` takes the root, and its
    gradient is 0, not NaN, where both ends meet.
    """
    filled = [_ways(points, limbs, mask).square().sum(-1) for points in (predicted, truth)]
    return torch.where(limb_mask(mask, limbs), (filled[0] - filled[1]).abs(), 0)


def ways_compared(predicted: Tensor, truth: Tensor, limbs: Limbs, mask: Tensor) -> Tensor:
    """The limbs were compared as arrows, with their directions: this is the length of the difference.

    What is asked for is the difference of the lengths. A limb that has the right length and points elsewhere costs
    nothing here: take the norm of each, then subtract.
    """
    apart = (_ways(predicted, limbs, mask) - _ways(truth, limbs, mask)).norm(dim=-1)
    return torch.where(limb_mask(mask, limbs), apart, 0)


def limbs_averaged(predicted: Tensor, truth: Tensor, limbs: Limbs, mask: Tensor) -> Tensor:
    """The limbs of each pose were averaged, zeros of those that do not count included; one number a limb was asked.

    A pose of which half is hidden would cost half. `masked_mean` averages afterwards, over what counts.
    """
    return _differences(predicted, truth, limbs, mask).abs().mean(-1)


def mask_ignored(predicted: Tensor, truth: Tensor, limbs: Limbs, mask: Tensor) -> Tensor:
    """Limbs count of which an end does not: where the truth is not known, the loss is NaN or made up.

    A limb counts if both its ends do, `mask[..., a] & mask[..., b]`; the others cost 0.
    """
    return (_lengths(predicted, limbs) - _lengths(truth, limbs)).abs()


def one_end_suffices(predicted: Tensor, truth: Tensor, limbs: Limbs, mask: Tensor) -> Tensor:
    """A limb counts as soon as *one* of its ends does, and its length is then measured to a place that nobody knows.

    Half a limb has no length: both ends have to count, `&` in the place of `|`.
    """
    filled = [_ways(points, limbs, mask).norm(dim=-1) for points in (predicted, truth)]
    parents, children = ([limb[end] for limb in limbs] for end in (0, 1))
    return torch.where(mask[..., parents] | mask[..., children], (filled[0] - filled[1]).abs(), 0)


def child_decides(predicted: Tensor, truth: Tensor, limbs: Limbs, mask: Tensor) -> Tensor:
    """Whether a limb counts was read from its child alone; the parent may be unknown all the same.

    Both ends have to count: `mask[..., parents] & mask[..., children]`.
    """
    filled = [_ways(points, limbs, mask).norm(dim=-1) for points in (predicted, truth)]
    return torch.where(mask[..., [limb[1] for limb in limbs]], (filled[0] - filled[1]).abs(), 0)


def parent_decides(predicted: Tensor, truth: Tensor, limbs: Limbs, mask: Tensor) -> Tensor:
    """Whether a limb counts was read from its parent alone; the child may be unknown all the same.

    Of two ends one mask was looked at. Both have to count: `mask[..., parents] & mask[..., children]`.
    """
    filled = [_ways(points, limbs, mask).norm(dim=-1) for points in (predicted, truth)]
    return torch.where(mask[..., [limb[0] for limb in limbs]], (filled[0] - filled[1]).abs(), 0)


def multiplied(predicted: Tensor, truth: Tensor, limbs: Limbs, mask: Tensor) -> Tensor:
    """The loss is NaN where a keypoint that does not count is NaN: it was multiplied by the mask.

    0 · NaN is NaN. Choose before anything is computed, as in lesson 04: `torch.where(mask[..., None], points, 0)`.
    """
    loss = (_lengths(predicted, limbs) - _lengths(truth, limbs)).abs()
    return loss * limb_mask(mask, limbs)


def chosen_too_late(predicted: Tensor, truth: Tensor, limbs: Limbs, mask: Tensor) -> Tensor:
    """The value is right, and its gradient is NaN where a keypoint that does not count is NaN.

    The mask came after the norm. On the way back the norm multiplies its zero by NaN. As in lesson 04: choose first,
    `torch.where(mask[..., None], points, 0)`, then measure.
    """
    loss = (_lengths(predicted, limbs) - _lengths(truth, limbs)).abs()
    return torch.where(limb_mask(mask, limbs), loss, 0)


def _lengths(points: Tensor, limbs: Limbs) -> Tensor:
    parents, children = ([limb[end] for limb in limbs] for end in (0, 1))
    return torch.linalg.vector_norm(points[..., children, :] - points[..., parents, :], dim=-1)


def _ways(points: Tensor, limbs: Limbs, mask: Tensor) -> Tensor:
    """Return the ways from parent to child, 0 put in for keypoints that do not count: (..., E, D)."""
    filled = torch.where(mask[..., None], points, 0)
    parents, children = ([limb[end] for limb in limbs] for end in (0, 1))
    return filled[..., children, :] - filled[..., parents, :]


def _differences(predicted: Tensor, truth: Tensor, limbs: Limbs, mask: Tensor) -> Tensor:
    """Return predicted less true length, 0 where a limb does not count: (..., E)."""
    found, true = (torch.linalg.vector_norm(_ways(points, limbs, mask), dim=-1) for points in (predicted, truth))
    return torch.where(limb_mask(mask, limbs), found - true, 0)


COALS = (
    batch_averaged_first,
    limbs_added_first,
    signed,
    squared,
    squared_lengths,
    ways_compared,
    limbs_averaged,
    mask_ignored,
    one_end_suffices,
    child_decides,
    parent_decides,
    multiplied,
    chosen_too_late,
)
