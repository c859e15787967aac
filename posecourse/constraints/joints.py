"""Angles at joints, and the nearest pose whose angles a body can have.

**What a picture says of angles.** In space three keypoints have one angle. In a picture they have another: it is seen
larger or smaller, depending on the view. Whatever a knee's flexion, there is a view, along the plane of the leg, from
which it is seen straight or folded; so an angle in a picture alone refutes no pose. With known lengths it may: how much
a limb is foreshortened gives the size of its slope towards the camera, though not its sign (Taylor 2000), two places
in depth for each limb. Hence `joint_angles` measures in both, and `limit_angles` moves in space alone.

**What three keypoints do not say.** A hinge bends one way, about an axis. Three keypoints give the size of the bend,
0 … 180 degrees, not on which side it is: a knee that bends forward looks like one that bends backward.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.constraints.pairs import require_joints
from posecourse.skeletons import COCO17

__all__ = ["FLEXION", "HINGES", "joint_angles", "limit_angles"]

FLEXION = (0.0, 145.0)
"""From where to where elbows and knees bend, in degrees; 0 is straight. The course's people keep to it."""

HINGES = tuple(
    tuple(COCO17.index(f"{side}_{part}") for part in parts)
    for parts in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
    for side in ("left", "right")
)
"""COCO's elbows and knees, (before, joint, after): left before right."""


def joint_angles(points: Float[Tensor, "*B K D"], triples: Sequence[Sequence[int]]) -> Float[Tensor, "*B J"]:
    """Return by how much each joint bends: 0 where a limb goes straight on, 180 where it folds back on itself.

    a = joint − before,  b = after − joint,  angle = atan2(‖a × b‖, a·b)

    Args:
        points: (x, y, z), or (x, y), whose angles are those seen in the picture.
        triples: J of them, (before, joint, after): hip, knee, ankle.

    Returns:
        Degrees, 0 … 180. The gradient at 0 and 180, which has no direction, is 0; a limb of length 0 has the angle 0.

    Raises:
        ValueError: `points` is not (..., K, 2) or (..., K, 3), or a triple is not three different keypoints.

    Lesson: 09.
    """
    require_joints(points)
    before, joint, after = _checked_triples(triples, points.shape[-2])
    a, b = (points[..., end, :] - points[..., start, :] for start, end in ((before, joint), (joint, after)))
    if points.shape[-1] == 2:
        across = (a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]).abs()
    else:
        across = torch.linalg.vector_norm(torch.linalg.cross(a, b), dim=-1)
    return torch.rad2deg(torch.atan2(across, (a * b).sum(-1)))


def limit_angles(
    points: Float[Tensor, "*B K 3"],
    triples: Sequence[Sequence[int]] = HINGES,
    low: float = FLEXION[0],
    high: float = FLEXION[1],
) -> Float[Tensor, "*B K 3"]:
    """Move the last keypoint of each triple on the smallest arc about its joint into the angles that the joint allows.

    after = joint + ‖b‖·(cos θ·â + sin θ·n̂), with θ the angle held in [low, high] and n̂ where b points beside â

    The limb keeps its length and its plane. Joints come in the order of the triples; what hangs on the moved keypoint
    does not follow it, so list triples from the torso out, and only the last one of a chain leaves all lengths as they
    were: shoulder, elbow, wrist. A limb exactly along the one before has no plane, and stays as it is; so does a joint
    with a keypoint that is NaN.

    Args:
        points: (x, y, z) in space, isotropic: a picture's (x, y) has other angles.
        triples: (before, joint, after); COCO's elbows and knees if not given.
        low: the smallest angle, in degrees, as `joint_angles` measures it; 0 is straight.
        high: the largest one, at most 180.

    Returns:
        Keypoints, differentiable.

    Raises:
        ValueError: `points` is not (..., K, 3), a triple is not three different keypoints, or the limits are not
            0 ≤ low ≤ high ≤ 180.

    Lesson: 09.
    """
    require_joints(points)
    if points.shape[-1] != 3:
        raise ValueError("points must be (..., K, 3), in space: in a picture no angle between limbs is impossible.")
    if not 0 <= low <= high <= 180:
        raise ValueError(f"limits must be 0 ≤ low ≤ high ≤ 180 in degrees; got {low} and {high}.")
    places = list(points.unbind(-2))
    for before, joint, after in zip(*_checked_triples(triples, points.shape[-2]), strict=True):
        places[after] = _bent(places[before], places[joint], places[after], low, high)
    return torch.stack(places, dim=-2)


def _bent(before: Tensor, joint: Tensor, after: Tensor, low: float, high: float) -> Tensor:
    """Return where the last of three keypoints has to be."""
    angle = joint_angles(torch.stack([before, joint, after], dim=-2), [(0, 1, 2)])[..., 0]
    b = after - joint
    along = _unit(joint - before)
    beside = b - (b * along).sum(-1, keepdim=True) * along
    plane = torch.linalg.vector_norm(beside, dim=-1) > 8 * torch.finfo(b.dtype).eps * torch.linalg.vector_norm(
        b, dim=-1
    )
    moves = plane & ((angle < low) | (angle > high))
    held = torch.deg2rad(angle.clamp(low, high))[..., None]
    arc = held.cos() * along + held.sin() * _unit(beside)
    return torch.where(moves[..., None], joint + torch.linalg.vector_norm(b, dim=-1, keepdim=True) * arc, after)


def _unit(vectors: Tensor) -> Tensor:
    """Return vectors of length 1; 0 stays 0, with a gradient of 0."""
    size = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    return torch.where(size > 0, vectors / torch.where(size > 0, size, 1), 0)


def _checked_triples(triples: Sequence[Sequence[int]], K: int) -> tuple[list[int], list[int], list[int]]:
    """Return the first, the middle and the last keypoints."""
    for triple in triples:
        if len(triple) != 3 or len({int(k) for k in triple}) != 3 or not all(0 <= k < K for k in triple):
            raise ValueError(f"a triple must be three different of the keypoints 0 … {K - 1}; got {tuple(triple)}.")
    first, middle, last = ([int(triple[place]) for triple in triples] for place in range(3))
    return first, middle, last
