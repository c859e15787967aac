"""One limb: how long it is, and the nearest pair of ends that has the right length."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.constraints.pairs import (
    Bound,
    Limbs,
    checked_lengths,
    checked_pairs,
    checked_variances,
    require_bound,
    require_joints,
)
from posecourse.shapes import require_same_shape

__all__ = ["Limb", "drawn_to", "limb_lengths", "parents_share", "project_limb"]


class Limb(NamedTuple):
    """The two ends of a limb, in the unit of the points that were given."""

    parent: Float[Tensor, "*B D"]
    child: Float[Tensor, "*B D"]


def limb_lengths(points: Float[Tensor, "*B K D"], limbs: Limbs) -> Float[Tensor, "*B E"]:
    """Return the distance between the two ends of each limb.

    ℓ = ‖child − parent‖; in a picture that is its seen length, at most its true one.

    Args:
        points: keypoints, (x, y) or (x, y, z).
        limbs: E pairs of keypoints, or a skeleton.

    Returns:
        Lengths in the unit of the points. The gradient where both ends meet, which has no direction, is 0.

    Raises:
        ValueError: `points` is not (..., K, 2) or (..., K, 3), or a limb joins a keypoint that does not exist.

    Lesson: 09.
    """
    require_joints(points)
    pairs = checked_pairs(limbs, points.shape[-2])
    parents, children = ([pair[end] for pair in pairs] for end in (0, 1))
    return torch.linalg.vector_norm(points[..., children, :] - points[..., parents, :], dim=-1)


def project_limb(
    parent: Float[Tensor, "*B D"],
    child: Float[Tensor, "*B D"],
    length: Float[Tensor, "*#B"] | float,
    *,
    variances: Float[Tensor, "*#B 2"] | None = None,
    bound: Bound = "equal",
) -> Limb:
    """Return the nearest pair of ends whose distance is `length`, or at most that.

    e = ‖child − parent‖ − L,  u = (child − parent) / ‖child − parent‖,  w = v_p / (v_p + v_c)
    parent + w·e·u,  child − (1 − w)·e·u

    Nearest is what makes Δ_p²/v_p + Δ_c²/v_c least: each end moves in proportion to its own variance, and both by half
    of the excess e where these are equal. "upper" does nothing where e is negative.

    Where the ends meet there is no direction u: no pair of that length is nearer than any other. Both ends then stay
    where they are, with a gradient of 1, though their distance, 0, is not L.

    Args:
        parent: (x, y) or (x, y, z).
        child: likewise.
        length: L, in the unit of the points, for each limb or for all; not negative.
        variances: v_p and v_c, how unsure the two ends are, an axis, in any unit; equal if not given. An end with
            variance 0 is exact and stays.
        bound: "equal", the distance becomes L, or "upper", it becomes at most L.

    Returns:
        The two ends, differentiable in all arguments. NaN stays NaN.

    Raises:
        ValueError: shapes do not fit, a length or a variance is negative or not finite, both variances of a limb are 0,
            or `bound` is another.

    Source: the nearest point of a constraint, one step of position-based dynamics (Müller et al. 2007, equations 10 and
    11), whose inverse masses are our variances.
    Lesson: 09, exercises `project_limb` and `bounded_limb`.
    """
    require_joints(parent, "parent", "...")
    require_joints(child, "child", "...")
    require_same_shape(parent, child, "parent and child")
    require_bound(bound)
    wide = torch.promote_types(parent.dtype, torch.float32)
    ends = parent.to(wide), child.to(wide)
    L = checked_lengths(length, parent.shape[:-1], ends[0], "length")
    share = parents_share(checked_variances(variances, (*parent.shape[:-1], 2), ends[0]))
    moved = drawn_to(*ends, L, share, upper=bound == "upper")
    return Limb(*(end.to(parent.dtype) for end in moved))


def parents_share(variances: Float[Tensor, "*B 2"]) -> Float[Tensor, "*B"]:
    """Return which part of the excess the parent takes, w = v_p / (v_p + v_c).

    Raises:
        ValueError: both are 0.
    """
    total = variances.sum(-1)
    if bool((total == 0).any()):
        raise ValueError("both ends of a limb have variance 0: neither may move. Give one of them a variance.")
    return variances[..., 0] / total


def drawn_to(
    parent: Float[Tensor, "*B D"],
    child: Float[Tensor, "*B D"],
    length: Float[Tensor, "*B"],
    share: Float[Tensor, "*B"],
    *,
    upper: bool,
) -> tuple[Float[Tensor, "*B D"], Float[Tensor, "*B D"]]:
    """Return the ends at their new places, unchecked: the formula of `project_limb`."""
    way = child - parent
    distance = torch.linalg.vector_norm(way, dim=-1, keepdim=True)
    apart = ~(distance <= torch.finfo(way.dtype).tiny)  # true for NaN, which stays
    excess = distance - length[..., None]
    if upper:
        excess = excess.clamp(min=0)
    step = torch.where(apart, way / torch.where(apart, distance, 1) * excess, 0)
    w = share[..., None]
    return parent + w * step, child - (1 - w) * step
