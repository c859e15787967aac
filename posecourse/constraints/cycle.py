"""A whole skeleton, limb after limb: cyclic projection, and the correction that makes it exact."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from posecourse.constraints.limbs import drawn_to, parents_share
from posecourse.constraints.pairs import (
    Bound,
    Limbs,
    checked_lengths,
    checked_pairs,
    checked_variances,
    known,
    require_bound,
    require_joints,
)
from posecourse.shapes import require_count

__all__ = ["iterate_limbs"]


def iterate_limbs(
    points: Float[Tensor, "*B K D"],
    limbs: Limbs,
    lengths: Float[Tensor, "*#B E"],
    sweeps: int,
    *,
    variances: Float[Tensor, "*#B K"] | None = None,
    bound: Bound = "equal",
    mask: Bool[Tensor, "*B K"] | None = None,
    corrected: bool = False,
) -> Float[Tensor, "*B K D"]:
    """Project one limb after the other, each from where the one before has left the keypoints, and all that again.

    for each sweep, for each limb (a, b):  x_a, x_b = project_limb(x_a, x_b, L)

    A projection spoils the limbs that share a keypoint with it, by less from sweep to sweep. With "upper" the skeletons
    that satisfy all limbs are a convex set: the plain cycle ends in it, at one that is *near*, and no step takes any
    keypoints farther from a true skeleton in the set, summed over the keypoints and weighted by 1/v. Dykstra's
    correction, which gives each limb its own last step back before it is projected again, ends at the *nearest* one.
    With "equal" the set is not convex: the plain cycle ends in it if it starts near it, and not exactly at the nearest;
    Dykstra's promise does not hold.

    Args:
        points: keypoints, (x, y) or (x, y, z).
        limbs: E pairs of keypoints, in the order in which they are projected, or a skeleton.
        lengths: of the limbs, for each pose or for all, in the unit of the points; not negative.
        sweeps: how often all limbs are gone through.
        variances: v, how unsure each keypoint is, an axis; equal if not given. A keypoint of variance 0 stays.
        bound: "equal" or "upper", as for `project_limb`.
        mask: which keypoints count. One that does not, or that is NaN, drops its limbs and stays as it is.
        corrected: whether Dykstra's correction is made.

    Returns:
        The keypoints, differentiable, in their frame. After finitely many sweeps the lengths hold nearly.

    Raises:
        TypeError: `mask` is not boolean.
        ValueError: shapes do not fit, a limb, a length or a variance cannot be, both ends of a limb have variance 0, or
            `sweeps` is not a positive whole number.

    Source: Bregman 1965 (cyclic projection); Boyle and Dykstra 1986, theorem 2 (the correction). Jakobsen 2001 runs the
    plain cycle on ropes and bodies.
    Lesson: 09, exercise `project_skeleton`.
    """
    require_joints(points)
    require_bound(bound)
    require_count(sweeps, "sweeps")
    pairs = checked_pairs(limbs, points.shape[-2])
    here = known(points, mask)
    wide = points.to(torch.promote_types(points.dtype, torch.float32))
    L = checked_lengths(lengths, (*points.shape[:-2], len(pairs)), wide)
    v = checked_variances(variances, points.shape[:-1], wide)
    places = list(torch.where(here[..., None], wide, 0).unbind(-2))
    turns = [
        (a, b, L[..., i], parents_share(v[..., [a, b]]), (here[..., a] & here[..., b])[..., None])
        for i, (a, b) in enumerate(pairs)
    ]
    steps: dict[int, tuple[Tensor, Tensor]] = {}
    for _ in range(int(sweeps)):
        for i, (a, b, length, share, counts) in enumerate(turns):
            given = steps.get(i, (0, 0))
            start = places[a] + given[0], places[b] + given[1]
            end = drawn_to(*start, length, share, upper=bound == "upper")
            if corrected:
                steps[i] = start[0] - end[0], start[1] - end[1]
            places[a], places[b] = torch.where(counts, end[0], places[a]), torch.where(counts, end[1], places[b])
    return torch.where(here[..., None], torch.stack(places, dim=-2).to(points.dtype), points)
