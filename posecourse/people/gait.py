"""Gait: how the joints move through a stride."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.people.joints import packed, straight

__all__ = ["bump", "walk_cycle", "wave"]


def walk_cycle(phase: Float[Tensor, "*B"], vigour: float = 1.0) -> Float[Tensor, "*B A"]:
    """Return the pose of a walker at `phase` of the gait cycle: 0 is the left heel's strike, 1 the next one.

    The curves are harmonics and bumps fitted by eye to normal gait (Winter, 1991): the arms swing against the legs,
    the knee bends most in mid-swing, the foot rolls from heel to toe. The walker is of average girth;
    `clearance.cleared` makes room for others.

    Args:
        phase: cycles, any real number.
        vigour: 1 for a usual stride, less for a stroll.
    """
    pose = straight(phase)
    pose |= {
        "trunk_lean": 3 + 0 * phase,
        "trunk_twist": -6 * vigour * wave(phase),
        "pelvis_roll": 3 * wave(phase, 0.25),
    }
    for side, start in (("left", 0.0), ("right", 0.5)):
        p = phase + start
        pose[f"{side}_hip_flex"] = 7 + 23 * vigour * wave(p)
        pose[f"{side}_knee_flex"] = 5 + 13 * bump(p, 0.13, 0.07) + (25 + 33 * vigour) * bump(p, 0.72, 0.10)
        pose[f"{side}_ankle_flex"] = 9 * bump(p, 0.42, 0.12) - 20 * vigour * bump(p, 0.63, 0.07)
        pose[f"{side}_shoulder_flex"] = 4 - 24 * vigour * wave(p)
        pose[f"{side}_shoulder_abduction"] = 7 + 0 * phase
        pose[f"{side}_elbow_flex"] = 22 - 12 * vigour * wave(p)
    return packed(pose)


def wave(phase: Float[Tensor, "*B"], start: float = 0.0) -> Float[Tensor, "*B"]:
    """Return cos 2π(phase + start)."""
    return torch.cos(2 * math.pi * (phase + start))


def bump(phase: Float[Tensor, "*B"], centre: float, width: float) -> Float[Tensor, "*B"]:
    """Return a bump of height 1 and Gaussian width `width` at `centre` of a cycle."""
    distance = (phase - centre + 0.5).remainder(1.0) - 0.5
    return torch.exp(-0.5 * (distance / width) ** 2)
