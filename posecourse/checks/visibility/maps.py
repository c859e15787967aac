"""Wrong losses of heatmaps in which some keypoints do not count; each docstring is what the student reads."""

import torch
from torch import Tensor

from posecourse import heatmaps
from posecourse.losses import masked_mean

__all__ = ["COALS", "masked_heatmap_loss"]


def masked_heatmap_loss(predicted: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Return the squared difference of heatmaps, its mean over all cells of the keypoints that count."""
    counts = mask[..., None, None]  # (B K 1 1)
    return masked_mean(_squares(torch.where(counts, predicted, 0), torch.where(counts, target, 0)), mask)


def _squares(predicted: Tensor, target: Tensor) -> Tensor:
    """Return each map's mean squared difference as it stands, NaN and all: (B K)."""
    return (predicted - target).square().mean((-2, -1))


def divided_by_all(predicted: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """The loss is too small by the share of keypoints that do not count: they are missing in the sum, not in the count.

    A `mean()` after masking does so, in mmpose too: half hidden, half the loss, half the gradient. Divide by how many
    keypoints count.
    """
    return masked_heatmap_loss(predicted, target, mask) * mask.sum() / mask.numel()


def divided_by_batch(predicted: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """The loss is too large: it was divided by the number of images, not of the keypoints that count.

    Its size then follows how many keypoints a batch happens to show. Divide by how many count.
    """
    return masked_heatmap_loss(predicted, target, mask) * mask.sum() / len(mask)


def cells_added(predicted: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """The loss is too large by the number of cells: each map's squares were added up, and a mean was asked for.

    A sum is a fine loss, but it grows with the size of the map. Divide by H·W as well.
    """
    H, W = predicted.shape[-2:]
    return masked_heatmap_loss(predicted, target, mask) * H * W


def multiplied(predicted: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """The value is right until NaN stands at a masked place: then the whole loss is NaN.

    The mask was multiplied with what is NaN already, maps or losses, and 0 · NaN is NaN. Keep NaN out before anything
    is computed with it: `torch.where` on predicted *and* target.
    """
    return (_squares(predicted, target) * mask).sum() / mask.sum().clamp(min=1)


def chosen_too_late(predicted: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """The value is right, and its gradient is NaN where NaN stands at a masked place.

    `torch.where` after the square cuts NaN off from the value. On the way back the square still has a gradient,
    2·(predicted − target) times zero, and NaN times zero is NaN. Put zeros in *before* the difference: `torch.where`
    on predicted and on target.
    """
    return torch.where(mask, _squares(predicted, target), 0).sum() / mask.sum().clamp(min=1)


def prediction_let_in(predicted: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """The value is right, and its gradient is NaN where the *prediction* is NaN at a masked place.

    Zeros were put into the target alone. NaN in a prediction then goes through the square, and its gradient is NaN
    times zero on the way back. Choose twice before the difference: `torch.where` on target and on predicted.
    """
    return masked_mean(_squares(predicted, torch.where(mask[..., None, None], target, 0)), mask)


def mistake_covered(predicted: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """NaN was removed at places that count, too. There it is a mistake, and it has to show.

    `nan_to_num` makes zeros of a broken prediction or label, and a training goes on that should have stopped. Remove
    what the mask hides, and nothing else: `torch.where` with the mask.
    """
    return masked_mean(_squares(predicted.nan_to_num(), target.nan_to_num()), mask)


def mask_ignored(predicted: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """This is the mean over all keypoints: the mask was not used, so masked ones train, and a NaN there is in the loss.

    Look for the line where `mask` should decide which maps are compared, and how many there are.
    """
    return _squares(predicted, target).mean()


def emptied_by_multiplying(predicted: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Masked keypoints still train: their target was multiplied by zero, and the prediction is compared with that.

    An empty target says *absent*; a mask says *not known*. Besides, where the target is NaN it stays so, since 0 · NaN
    is NaN. Leave these keypoints out of sum and count, and choose with `torch.where`.
    """
    return _squares(predicted, target * mask[..., None, None]).mean()


def asked_for_nothing(predicted: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Masked keypoints still train: they were given an empty heatmap as their target.

    A masked target is only half of a mask. The prediction is compared with it all the same, and the network learns
    that nothing is there. That says *absent*; a mask says *not known*. Leave these keypoints out of sum and count.
    """
    blank = torch.where(mask[..., None, None], target, 0)
    return _squares(predicted, blank).mean()


def asked_for_the_corner(predicted: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Masked keypoints still train: they are asked for a blob at cell (0, 0).

    That is where (0, 0, 0) in a COCO file points, if its third number is not read. The network learns to point into
    the corner whenever it cannot see. Leave these keypoints out of sum and count.
    """
    corner = heatmaps.gaussian_heatmaps(predicted.new_zeros(1, 2), target.shape[-2:], 1.0)
    return _squares(predicted, torch.where(mask[..., None, None], target, corner)).mean()


def averaged_over_the_batch(predicted: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """The mask met the wrong axis: losses were averaged over the images before it was used.

    One number a keypoint, of shape (K), times a mask of shape (B, K) broadcasts without a word, and every keypoint of
    every image counts as often as it is seen in others. Take the mean over the last two axes only, so that losses
    are (B, K), like the mask.
    """
    return (_squares(predicted, target).mean(0) * mask).sum() / mask.sum().clamp(min=1)


def whole_people(predicted: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """The mask was reduced to one truth value an image: whoever has any keypoint counts with all of them.

    Look for `any`, `all` or an index that takes the axis of the keypoints away from the mask: it is (B, K), and so
    should the losses be.
    """
    return masked_heatmap_loss(predicted, target, mask.any(-1, keepdim=True).expand_as(mask))


def nothing_gives_nan(predicted: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """The loss is right until nothing counts: then it is 0 / 0, NaN, and one unlabelled batch ends a training.

    Let the divisor be at least 1. Your `masked_mean` of the exercise before does so already.
    """
    return masked_heatmap_loss(predicted, target, mask) * mask.sum().clamp(min=1) / mask.sum()


COALS = [
    divided_by_all,
    divided_by_batch,
    cells_added,
    multiplied,
    chosen_too_late,
    prediction_let_in,
    mistake_covered,
    mask_ignored,
    emptied_by_multiplying,
    asked_for_nothing,
    asked_for_the_corner,
    averaged_over_the_batch,
    whole_people,
    nothing_gives_nan,
]
