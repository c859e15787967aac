"""Wrong means over keypoints that count; each docstring is what the student reads."""

import torch
from torch import Tensor

from posecourse.losses import masked_mean

__all__ = ["COALS"]


def divided_by_all(values: Tensor, mask: Tensor) -> Tensor:
    """The sum over what counts was divided by all places, masked ones too.

    With half of the keypoints hidden the loss is half as large, and so is every gradient: a half-hidden person counts
    half. mmpose's heatmap loss does so. Divide by how many count.
    """
    return torch.where(mask, values, 0).sum() / mask.numel()


def divided_by_batch(values: Tensor, mask: Tensor) -> Tensor:
    """The sum over what counts was divided by the length of the first axis, the batch.

    Then the loss grows with the number of keypoints that count, and a learning rate that fits people seen whole is
    too large or too small for others. Public code of integral regression does so. Divide by how many count.
    """
    return torch.where(mask, values, 0).sum() / len(values)


def each_row_alike(values: Tensor, mask: Tensor) -> Tensor:
    """This is a mean of means: first over the keypoints of each row, then over the rows.

    The one keypoint of a nearly hidden person then weighs as much as seventeen of another. That can be wanted; here
    every keypoint that counts is to weigh the same. Add everything up first, and divide once.
    """
    rows = torch.where(mask, values, 0).sum(-1) / mask.sum(-1).clamp(min=1)
    return rows.mean()


def multiplied(values: Tensor, mask: Tensor) -> Tensor:
    """The mean is right until NaN or infinity stands at a masked place: then all of it is NaN.

    0 · NaN is NaN, so multiplying by a mask does not remove what it hides. Choose in the place of multiplying:
    `torch.where(mask, values, 0)`, or `values[mask]`.
    """
    return (values * mask).sum() / mask.sum().clamp(min=1)


def nothing_gives_nan(values: Tensor, mask: Tensor) -> Tensor:
    """The mean is right until nothing counts: then it is 0 / 0, NaN, and one unlabelled batch ends a training.

    The mean of nothing has to be some number. Zero, with a gradient of zero, means "no reason to move": let the
    divisor be at least 1.
    """
    return torch.where(mask, values, 0).sum() / mask.sum()


def nothing_gives_a_constant(values: Tensor, mask: Tensor) -> Tensor:
    """The mean is right, and where nothing counts its 0 is a new number that no gradient goes back from.

    `loss.backward()` raises there, and one unlabelled batch ends a training. Let this 0 be a sum as well, of values
    of which none is taken: `values[mask].sum()`, or `torch.where(mask, values, 0).sum()`, without an `if`.
    """
    return masked_mean(values, mask) if mask.any() else values.new_zeros(())


def mask_ignored(values: Tensor, mask: Tensor) -> Tensor:
    """This is the mean of everything: the mask was not used.

    Look for the line where `mask` should decide what is added up, and how many there are.
    """
    return values.mean()


def mask_inverted(values: Tensor, mask: Tensor) -> Tensor:
    """These are the keypoints that do *not* count: the mask was read the wrong way round.

    True means "counts". Other libraries have masks of what is to be left out; look for a `~` or a `1 − mask`.
    """
    return masked_mean(values, ~mask)


def mistake_covered(values: Tensor, mask: Tensor) -> Tensor:
    """NaN was removed at places that count, too. There it is a mistake, and it has to show.

    `nan_to_num` and `nansum` make zeros of broken predictions and broken labels, and a training goes on that should
    have stopped. Remove what the mask hides, and nothing else.
    """
    return torch.where(mask, values.nan_to_num(), 0).sum() / mask.sum().clamp(min=1)


def nan_left_out(values: Tensor, mask: Tensor) -> Tensor:
    """NaN was made the mark of what does not count, and `nanmean` then left out every NaN, those of mistakes too.

    A NaN at a place that counts is a broken prediction or label, and has to show. And where nothing counts `nanmean`
    is 0 / 0, NaN. Put zeros in where the mask says so, add up, and divide by how many count.
    """
    return torch.where(mask, values, torch.nan).nanmean()


COALS = [
    divided_by_all,
    divided_by_batch,
    each_row_alike,
    multiplied,
    nothing_gives_nan,
    nothing_gives_a_constant,
    mask_ignored,
    mask_inverted,
    mistake_covered,
    nan_left_out,
]
