"""What a body does: joint angles, their limits, and families of poses with plausible, correlated variation.

A pose is a vector of A angles in radians, named by `ANGLES`. Zero is upright with hanging arms. Flexion is positive
where a limb swings forward (knees and elbows: where they close), abduction away from the midline, twist inwards.
"""

import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from posecourse.people.dice import Dice

__all__ = ["ANGLES", "FAMILIES", "LIMITS", "draw_poses", "walk_cycle"]

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

_Degrees = dict[str, Tensor]


def walk_cycle(phase: Float[Tensor, "*B"], vigour: float = 1.0) -> Float[Tensor, "*B A"]:
    """Return the pose of a walker at `phase` of the gait cycle: 0 is the left heel's strike, 1 the next one.

    The curves are harmonics and bumps fitted by eye to normal gait (Winter, 1991): the arms swing against the legs,
    the knee bends most in mid-swing, the foot rolls from heel to toe.

    Args:
        phase: cycles, any real number.
        vigour: 1 for a usual stride, less for a stroll.
    """
    pose = _nothing(phase)
    pose |= {
        "trunk_lean": 3 + 0 * phase,
        "trunk_twist": -6 * vigour * _wave(phase),
        "pelvis_roll": 3 * _wave(phase, 0.25),
    }
    for side, start in (("left", 0.0), ("right", 0.5)):
        p = phase + start
        pose[f"{side}_hip_flex"] = 7 + 23 * vigour * _wave(p)
        pose[f"{side}_knee_flex"] = 5 + 13 * _bump(p, 0.13, 0.07) + (25 + 33 * vigour) * _bump(p, 0.72, 0.10)
        pose[f"{side}_ankle_flex"] = 9 * _bump(p, 0.42, 0.12) - 20 * vigour * _bump(p, 0.63, 0.07)
        pose[f"{side}_shoulder_flex"] = 4 - 24 * vigour * _wave(p)
        pose[f"{side}_shoulder_abduction"] = 7 + 0 * phase
        pose[f"{side}_elbow_flex"] = 22 - 12 * vigour * _wave(p)
    return _packed(pose)


def draw_poses(dice: Dice, families: Int[Tensor, "*B"]) -> Float[Tensor, "*B A"]:
    """Draw a pose for each person, of the family whose place in `FAMILIES` is given; within the joints' limits."""
    pose = torch.zeros(*families.shape, len(ANGLES), device=dice.device)
    for index, family in enumerate(_FAMILIES.values()):
        drawn = _packed(_with_head(dice, family(dice)))
        pose = torch.where((families == index).unsqueeze(-1), drawn, pose)
    return pose


def _stand(dice: Dice) -> _Degrees:
    pose, shift = _nothing(dice.uniform()), dice.normal(0.0, 3.0)  # weight on one leg
    pose |= {
        "pelvis_roll": shift,
        "trunk_side": -shift * 0.9,
        "trunk_lean": dice.normal(2, 3),
        "trunk_twist": dice.normal(0, 6),
    }
    for side, sign in (("left", 1), ("right", -1)):
        idle = (sign * shift).clamp(0)
        pose[f"{side}_hip_abduction"] = dice.uniform(2, 10) + sign * shift
        pose[f"{side}_hip_twist"] = dice.uniform(-18, 2)
        pose[f"{side}_hip_flex"] = 1.5 * idle + dice.uniform(-4, 6)
        pose[f"{side}_knee_flex"] = 3 * idle + dice.uniform(0, 8)
        pose |= _hanging(dice, side)
    return pose


def _akimbo(dice: Dice) -> _Degrees:
    pose = _stand(dice)
    both = dice.chance(0.7)
    for side in ("left", "right"):
        on = both | dice.chance(0.3)
        pose[f"{side}_shoulder_abduction"] = torch.where(on, dice.uniform(38, 50), pose[f"{side}_shoulder_abduction"])
        pose[f"{side}_shoulder_flex"] = torch.where(on, dice.uniform(-22, -8), pose[f"{side}_shoulder_flex"])
        pose[f"{side}_shoulder_twist"] = torch.where(on, dice.uniform(62, 80), pose[f"{side}_shoulder_twist"])
        pose[f"{side}_elbow_flex"] = torch.where(on, dice.uniform(92, 108), pose[f"{side}_elbow_flex"])
    return pose


def _walk(dice: Dice) -> _Degrees:
    pose = _unpacked(walk_cycle(dice.uniform()))
    eager = dice.uniform(0.75, 1.15)
    for side in ("left", "right"):
        for name in ("hip_flex", "shoulder_flex"):
            pose[f"{side}_{name}"] = pose[f"{side}_{name}"] * eager
        pose[f"{side}_elbow_flex"] = pose[f"{side}_elbow_flex"] + dice.uniform(-8, 22)
        pose[f"{side}_shoulder_abduction"] = dice.uniform(3, 12)
        pose[f"{side}_hip_twist"] = dice.uniform(-12, 2)
    return pose


def _run(dice: Dice) -> _Degrees:
    p, pace = dice.uniform(), dice.uniform(0.75, 1.15)
    pose = _nothing(p)
    pose |= {
        "pelvis_pitch": dice.uniform(3, 10),
        "trunk_lean": dice.uniform(3, 10),
        "trunk_twist": -12 * pace * _wave(p),
    }
    for side, start in (("left", 0.0), ("right", 0.5)):
        q = p + start
        pose[f"{side}_hip_flex"] = 20 + pose["pelvis_pitch"] + 38 * pace * _wave(q)
        pose[f"{side}_knee_flex"] = 18 + 22 * _bump(q, 0.12, 0.08) + 92 * pace * _bump(q, 0.68, 0.13)
        pose[f"{side}_ankle_flex"] = 12 * _bump(q, 0.2, 0.1) - 28 * _bump(q, 0.45, 0.12)
        pose[f"{side}_shoulder_flex"] = 2 - 42 * pace * _wave(q)
        pose[f"{side}_shoulder_abduction"] = dice.uniform(8, 20)
        pose[f"{side}_shoulder_twist"] = dice.uniform(5, 25)
        pose[f"{side}_elbow_flex"] = dice.uniform(75, 105) - 14 * _wave(q)
    return pose


def _sit(dice: Dice) -> _Degrees:
    pose = _nothing(dice.uniform())
    slouch, spread = dice.uniform(-14, 6), dice.uniform(2, 16)
    pose |= {"pelvis_pitch": slouch, "trunk_lean": dice.uniform(0, 22) - slouch * 0.5, "trunk_twist": dice.normal(0, 7)}
    resting, relaxed = dice.chance(0.65), dice.uniform(-12, 22)
    for side in ("left", "right"):
        pose[f"{side}_hip_flex"] = 88 + slouch + dice.uniform(-4, 4)
        pose[f"{side}_hip_abduction"] = spread + dice.uniform(0, 4)
        pose[f"{side}_hip_twist"] = dice.uniform(-8, 8)
        pose[f"{side}_knee_flex"] = 84 + relaxed * 0.7 + dice.uniform(-6, 6)
        pose[f"{side}_ankle_flex"] = relaxed * 0.6
        pose |= _hanging(dice, side)
        lean = pose["trunk_lean"]
        pose[f"{side}_shoulder_flex"] = torch.where(
            resting, 32 + lean * 0.5 + dice.uniform(-6, 6), pose[f"{side}_shoulder_flex"] + 8
        )
        pose[f"{side}_shoulder_twist"] = torch.where(resting, dice.uniform(15, 35), pose[f"{side}_shoulder_twist"])
        pose[f"{side}_elbow_flex"] = torch.where(resting, dice.uniform(48, 66), pose[f"{side}_elbow_flex"] + 15)
    return pose


def _reach(dice: Dice) -> _Degrees:
    pose, high = _stand(dice), dice.uniform(55, 150)
    which = dice.choice([0.4, 0.4, 0.2])
    for index, side in enumerate(("left", "right")):
        on = (which == index) | (which == 2)
        pose[f"{side}_shoulder_flex"] = torch.where(on, high + dice.uniform(-8, 8), pose[f"{side}_shoulder_flex"])
        pose[f"{side}_shoulder_abduction"] = torch.where(on, dice.uniform(-5, 35), pose[f"{side}_shoulder_abduction"])
        pose[f"{side}_elbow_flex"] = torch.where(on, dice.uniform(2, 40), pose[f"{side}_elbow_flex"])
    pose["trunk_lean"] = dice.uniform(-4, 16) * (1.4 - high / 130)
    pose["neck_flex"] = 25 - high * 0.35
    return pose


def _wave_hand(dice: Dice) -> _Degrees:
    pose, left = _stand(dice), dice.chance(0.5)
    for side, on in (("left", left), ("right", ~left)):
        pose[f"{side}_shoulder_abduction"] = torch.where(on, dice.uniform(70, 125), pose[f"{side}_shoulder_abduction"])
        pose[f"{side}_shoulder_flex"] = torch.where(on, dice.uniform(0, 18), pose[f"{side}_shoulder_flex"])
        pose[f"{side}_shoulder_twist"] = torch.where(on, dice.uniform(-92, -70), pose[f"{side}_shoulder_twist"])
        pose[f"{side}_elbow_flex"] = torch.where(on, dice.uniform(45, 105), pose[f"{side}_elbow_flex"])
        pose[f"{side}_wrist_flex"] = torch.where(on, dice.uniform(-20, 20), pose[f"{side}_wrist_flex"])
    pose["trunk_side"] = pose["trunk_side"] + torch.where(left, -4.0, 4.0)
    return pose


def _cheer(dice: Dice) -> _Degrees:
    pose, high = _stand(dice), dice.uniform(115, 160)
    for side in ("left", "right"):
        pose[f"{side}_shoulder_abduction"] = high + dice.uniform(-8, 8)
        pose[f"{side}_shoulder_flex"] = dice.uniform(-5, 15)
        pose[f"{side}_shoulder_twist"] = dice.uniform(-90, -40)
        pose[f"{side}_elbow_flex"] = dice.uniform(5, 55)
        pose[f"{side}_hip_abduction"] = dice.uniform(6, 16)
    pose["neck_flex"] = dice.uniform(-22, 0)
    return pose


def _jump(dice: Dice) -> _Degrees:
    pose, tuck, star = _cheer(dice), dice.uniform(0, 1), dice.uniform(4, 38)
    for side in ("left", "right"):
        pose[f"{side}_shoulder_abduction"] = pose[f"{side}_shoulder_abduction"] - 55 * dice.uniform()
        pose[f"{side}_hip_flex"] = 5 + 65 * tuck * dice.uniform(0.6, 1)
        pose[f"{side}_knee_flex"] = 12 + 95 * tuck * dice.uniform(0.7, 1.1)
        pose[f"{side}_hip_abduction"] = star * (1 - 0.6 * tuck)
        pose[f"{side}_ankle_flex"] = dice.uniform(-38, -12)
    return pose


def _squat(dice: Dice) -> _Degrees:
    pose, deep = _nothing(dice.uniform()), dice.uniform(0.45, 1)
    pose |= {"pelvis_pitch": 32 * deep, "trunk_lean": 10 * deep, "neck_flex": -22 * deep}
    reach = dice.uniform(40, 95)
    for side in ("left", "right"):
        pose[f"{side}_hip_flex"] = 112 * deep + dice.uniform(-3, 3)
        pose[f"{side}_knee_flex"] = 118 * deep + dice.uniform(-3, 3)
        pose[f"{side}_ankle_flex"] = 28 * deep
        pose[f"{side}_hip_abduction"] = dice.uniform(8, 20)
        pose[f"{side}_hip_twist"] = dice.uniform(-22, -6)
        pose[f"{side}_shoulder_flex"] = reach + dice.uniform(-6, 6)
        pose[f"{side}_shoulder_abduction"] = dice.uniform(-12, 14)
        pose[f"{side}_elbow_flex"] = dice.uniform(5, 70)
    return pose


def _bend(dice: Dice) -> _Degrees:
    pose, deep = _stand(dice), dice.uniform(0.35, 1)
    pose |= {"pelvis_pitch": 48 * deep, "trunk_lean": 38 * deep, "neck_flex": -20 * deep}
    knees = dice.uniform(0, 35) * deep
    for side in ("left", "right"):
        pose[f"{side}_hip_flex"] = 42 * deep + knees * 0.6 + dice.uniform(-3, 3)
        pose[f"{side}_knee_flex"] = knees + dice.uniform(0, 6)
        pose[f"{side}_ankle_flex"] = knees * 0.4
        pose[f"{side}_shoulder_flex"] = 78 * deep + dice.uniform(-12, 22)
        pose[f"{side}_shoulder_abduction"] = dice.uniform(-8, 10)
        pose[f"{side}_elbow_flex"] = dice.uniform(5, 35)
    return pose


def _lunge(dice: Dice) -> _Degrees:
    pose, deep, left = _stand(dice), dice.uniform(0.4, 1), dice.chance(0.5)
    pose |= {"pelvis_pitch": 6 * deep, "pelvis_roll": 0 * deep, "trunk_lean": dice.uniform(-2, 12)}
    for side, front in (("left", left), ("right", ~left)):
        pose[f"{side}_hip_flex"] = torch.where(front, 72 * deep + 6, -14 - 10 * deep)
        pose[f"{side}_knee_flex"] = torch.where(front, 70 * deep, 18 + 34 * deep)
        pose[f"{side}_ankle_flex"] = torch.where(front, 4 * deep, 10 * deep)
        pose[f"{side}_hip_abduction"] = dice.uniform(0, 7)
        pose[f"{side}_shoulder_flex"] = torch.where(front, -30.0, 45.0) + dice.uniform(-15, 15)
        pose[f"{side}_elbow_flex"] = dice.uniform(20, 95)
        pose[f"{side}_hip_twist"] = dice.uniform(-6, 3)
    return pose


_FAMILIES: dict[str, Callable[[Dice], _Degrees]] = {
    "stand": _stand, "akimbo": _akimbo, "walk": _walk, "run": _run, "sit": _sit, "reach": _reach,
    "wave": _wave_hand, "cheer": _cheer, "jump": _jump, "squat": _squat, "bend": _bend, "lunge": _lunge,
}  # fmt: skip

FAMILIES = tuple(_FAMILIES)
"""The families of poses that can be drawn."""


def _with_head(dice: Dice, pose: _Degrees) -> _Degrees:
    """Let the head turn and tilt a little, as people look about."""
    pose["neck_twist"] = pose["neck_twist"] + dice.normal(0, 16)
    pose["neck_side"] = pose["neck_side"] + dice.normal(0, 4)
    pose["neck_flex"] = pose["neck_flex"] + dice.normal(3, 7)
    return pose


def _hanging(dice: Dice, side: str) -> _Degrees:
    """Return an arm that hangs beside the body."""
    return {
        f"{side}_shoulder_flex": dice.uniform(-8, 10),
        f"{side}_shoulder_abduction": dice.uniform(5, 17),
        f"{side}_shoulder_twist": dice.uniform(0, 30),
        f"{side}_elbow_flex": dice.uniform(6, 32),
    }


def _nothing(like: Tensor) -> _Degrees:
    return {name: torch.zeros_like(like) for name in ANGLES}


def _packed(pose: _Degrees) -> Tensor:
    """Return degrees by name as radians in the order of `ANGLES`, held within the limits."""
    angles = torch.stack([torch.deg2rad(pose[name]) for name in ANGLES], dim=-1)
    low, high = (angles.new_tensor([LIMITS[name][end] for name in ANGLES]) for end in (0, 1))
    return torch.minimum(torch.maximum(angles, low), high)


def _unpacked(angles: Tensor) -> _Degrees:
    return {name: torch.rad2deg(angles[..., index]) for index, name in enumerate(ANGLES)}


def _wave(phase: Tensor, start: float = 0.0) -> Tensor:
    return torch.cos(2 * math.pi * (phase + start))


def _bump(phase: Tensor, centre: float, width: float) -> Tensor:
    """Return a bump of height 1 and Gaussian width `width` at `centre` of a cycle."""
    distance = (phase - centre + 0.5).remainder(1.0) - 0.5
    return torch.exp(-0.5 * (distance / width) ** 2)


def family_indices(names: Sequence[str] | None) -> list[int]:
    """Return the places of the named families in `FAMILIES`; of all for None.

    Raises:
        ValueError: a name is unknown, or none is given.
    """
    names = FAMILIES if names is None else tuple(names)
    if not names or any(name not in FAMILIES for name in names):
        raise ValueError(f"poses must name families among {', '.join(FAMILIES)}; got {list(names)}.")
    return [FAMILIES.index(name) for name in names]
