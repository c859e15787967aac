"""The constraint inside of a training: how far each predicted limb is from its length."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from posecourse.constraints.limbs import limb_lengths
from posecourse.constraints.pairs import Limbs, checked_lengths, checked_pairs, limb_mask, require_joints
from posecourse.shapes import require_mask, require_same_shape

__all__ = ["limb_loss"]


def limb_loss(
    predicted: Float[Tensor, "*B K D"],
    lengths: Float[Tensor, "*#B E"] | Float[Tensor, "*B K D"],
    limbs: Limbs,
    mask: Bool[Tensor, "*B K"] | None = None,
) -> Float[Tensor, "*B E"]:
    """Return by how much each limb of each pose is too long or too short: |‖child − parent‖ − L|.

    Not squared: its unit is the points', and one wild keypoint does not outweigh a batch. Each limb of each pose costs
    by itself. mmpose's BoneLoss takes the mean of ℓ − L over the batch *before* the absolute value, so a limb
    that is too long in one picture is paid for by one that is too short in another; Jensen's inequality makes it the
    smaller of the two, and 0 for errors that cancel.

    Lengths know nothing of places: a body in the wrong place, turned or mirrored costs nothing. It is a term beside a
    loss of the keypoints, never instead of one.

    Args:
        predicted: keypoints, (x, y) or (x, y, z).
        lengths: L for each limb, for each pose or for all, not negative; or the true keypoints, of the shape of
            `predicted`, whose limbs are then measured. In a picture only the latter are seen lengths.
        limbs: pairs of keypoints, or a skeleton.
        mask: which keypoints count; a limb counts if both its ends do. All count if not given.

    Returns:
        One number a limb, in the unit of the points; 0 with no gradient where a limb does not count, whatever stands
        there. Their mean is `masked_mean(loss, limb_mask(mask, limbs))`: `loss.mean()` would count those zeros. A limb
        that counts and is NaN or infinite costs NaN, with no gradient. Where the ends meet the gradient is 0.

    Raises:
        TypeError: `mask` is not boolean.
        ValueError: shapes do not fit, a limb joins a keypoint that does not exist, or a length cannot be.

    Source: Sun et al. 2017 (compositional pose regression) has bones as vectors; mmpose `BoneLoss`.
    Lesson: 09, exercise `limb_loss`.
    """
    require_joints(predicted, "predicted")
    pairs = checked_pairs(limbs, predicted.shape[-2])
    if mask is None:
        mask = torch.ones(predicted.shape[:-1], dtype=torch.bool, device=predicted.device)
    require_mask(mask)
    require_same_shape(predicted[..., 0], mask, "predicted without its components and mask")
    length, usable = _measured(predicted, mask, pairs)
    if isinstance(lengths, Tensor) and lengths.ndim == predicted.ndim:
        require_same_shape(predicted, lengths, "predicted and true keypoints")
        wanted, seen = _measured(lengths, mask, pairs)
        usable = usable & seen
    else:
        wanted = checked_lengths(lengths, length.shape, predicted)
    loss = torch.where(usable, (length - wanted).abs(), 0)
    return torch.where(limb_mask(mask, pairs) & ~usable, torch.nan, loss)


def _measured(
    points: Float[Tensor, "*B K D"], mask: Bool[Tensor, "*B K"], pairs: list[tuple[int, int]]
) -> tuple[Float[Tensor, "*B E"], Bool[Tensor, "*B E"]]:
    """Return the limbs' lengths, and which of them can be used; what cannot is out before anything is computed."""
    usable = mask & points.detach().isfinite().all(-1)
    return limb_lengths(torch.where(usable[..., None], points, 0), pairs), limb_mask(usable, pairs)
