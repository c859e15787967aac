"""The joints of a body: the angles that make a pose, their limits, and poses by name.

A pose is a vector of A angles in radians, named by `ANGLES`. Zero is upright with hanging arms. Flexion is positive
where a limb swings forward (knees and elbows: where they close), abduction away from the midline, twist inwards.
"""

import math
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["ANGLES", "LIMITS", "Degrees", "limited", "packed", "straight", "unpacked"]

_TRUNK = {
    "pelvis_pitch": (-20, 65), "pelvis_roll": (-15, 15), "trunk_lean": (-25, 60), "trunk_side": (-30, 30),
    "trunk_twist": (-40, 40), "neck_flex": (-45, 50), "neck_side": (-35, 35), "neck_twist": (-70, 70),
}  # fmt: skip
_SIDE = {
    "shoulder_flex": (-60, 175), "shoulder_abduction": (-25, 170), "shoulder_twist": (-95, 95), "elbow_flex": (0, 145),
    "wrist_flex": (-60, 60), "hip_flex": (-30, 125), "hip_abduction": (-25, 50), "hip_twist": (-45, 45),
    "knee_flex": (0, 145), "ankle_flex": (-50, 30),
}  # fmt: skip
_DEGREES = _TRUNK | {f"{side}_{name}": limit for name, limit in _SIDE.items() for side in ("left", "right")}

ANGLES = tuple(_DEGREES)
"""The names of a pose's angles; the left one of a pair comes right before the right one."""

LIMITS = {name: (math.radians(low), math.radians(high)) for name, (low, high) in _DEGREES.items()}
"""The smallest and largest value of each angle in radians."""

Degrees: TypeAlias = dict[str, Tensor]
"""A pose by the names of its angles, in degrees: as one writes it."""


def straight(like: Float[Tensor, "*B"]) -> Degrees:
    """Return the pose of somebody upright with hanging arms."""
    return {name: torch.zeros_like(like) for name in ANGLES}


def packed(pose: Degrees) -> Float[Tensor, "*B A"]:
    """Return degrees by name as radians in the order of `ANGLES`, held within the limits."""
    return limited(torch.stack([torch.deg2rad(pose[name]) for name in ANGLES], dim=-1))


def limited(angles: Float[Tensor, "*B A"]) -> Float[Tensor, "*B A"]:
    """Return radians in the order of `ANGLES`, each moved to the nearest that its joint allows."""
    low, high = (angles.new_tensor([LIMITS[name][end] for name in ANGLES]) for end in (0, 1))
    return torch.minimum(torch.maximum(angles, low), high)


def unpacked(angles: Float[Tensor, "*B A"]) -> Degrees:
    """Return radians in the order of `ANGLES` as degrees by name."""
    return {name: torch.rad2deg(angles[..., index]) for index, name in enumerate(ANGLES)}
