"""Grouping by the truth: what a perfect grouping would make of the candidates that a detector found."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from posecourse.grouping.people import People
from posecourse.shapes import require_mask, require_points, require_positive, require_same_shape

__all__ = ["group_by_truth"]


def group_by_truth(
    points: Float[Tensor, "K M 2"],
    scores: Float[Tensor, "K M"],
    truth: Float[Tensor, "N K 2"],
    mask: Bool[Tensor, "N K"],
    reach: float,
) -> People:
    """Give each candidate to the person whose true keypoint is nearest, if that is within reach.

    Of several that one person is given for one keypoint the nearest stays. What is then still wrong is the detector's:
    a keypoint that it missed, one at the wrong place, or one peak where two people's keypoints meet.

    Args:
        points: M candidates of each keypoint of one image, (x, y).
        scores: how sure the detector is of each; a candidate of score 0 is absent.
        truth: (x, y) in the same frame.
        mask: which true keypoints there are.
        reach: how far from the truth a candidate may be, in the unit of the points.

    Returns:
        People in the order of the truth, also those of whom nothing was found. A keypoint that was not found lies at
        the mean of its person's other ones, with score 0.

    Raises:
        TypeError: `mask` is not boolean.
        ValueError: shapes that do not fit, or a reach that is not positive.

    Lesson: 05.
    """
    require_points(points)
    require_points(truth, "truth")
    require_mask(mask)
    require_same_shape(points[..., 0], scores, "points without (x, y) and scores")
    require_same_shape(truth[..., 0], mask, "truth without (x, y) and mask")
    require_positive(reach, "reach")
    if len(points) != truth.shape[1]:
        raise ValueError(f"points have {len(points)} keypoints (K M 2), and truth has {truth.shape[1]} (N K 2).")
    if 0 in (len(truth), points.shape[1]):
        return People(torch.zeros_like(truth), torch.zeros_like(truth[..., 0]), torch.zeros_like(mask))
    pairs = (scores[:, None] > 0) & mask.mT[..., None]
    distance = torch.cdist(truth.transpose(0, 1), points).masked_fill(~pairs, torch.inf)  # (K N M)
    nearest = distance == distance.amin(1, keepdim=True)
    least, chosen = distance.masked_fill(~nearest | (distance > reach), torch.inf).min(-1)  # (K N)
    present = least.isfinite().mT
    taken = points.gather(1, chosen[..., None].expand(-1, -1, 2)).transpose(0, 1)
    taken = torch.where(present[..., None], taken, 0)
    middle = taken.sum(1, keepdim=True) / present.sum(1).clamp(min=1)[:, None, None]
    heights = torch.where(present, scores.gather(1, chosen).mT, 0)
    return People(torch.where(present[..., None], taken, middle), heights, present)
