"""What a body does: families of poses with plausible, correlated variation, within the limits of the joints."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from posecourse.people.dice import Dice
from posecourse.people.gait import bump, walk_cycle, wave
from posecourse.people.joints import ANGLES, Degrees, packed, straight, unpacked

__all__ = ["FAMILIES", "draw_poses", "family_indices"]


def draw_poses(dice: Dice, families: Int[Tensor, "*B"]) -> Float[Tensor, "*B A"]:
    """Draw a pose for each person, of the family whose place in `FAMILIES` is given; within the joints' limits.

    Poses are those of people of average girth; `clearance.cleared` makes room for others.
    """
    pose = torch.zeros(*families.shape, len(ANGLES), device=dice.device)
    for index, family in enumerate(_FAMILIES.values()):
        drawn = packed(_with_head(dice, family(dice)))
        pose = torch.where((families == index).unsqueeze(-1), drawn, pose)
    return pose


def _stand(dice: Dice) -> Degrees:
    pose, shift = straight(dice.uniform()), dice.normal(0.0, 3.0)  # weight on one leg
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


def _akimbo(dice: Dice) -> Degrees:
    pose = _stand(dice)
    both = dice.chance(0.7)
    for side in ("left", "right"):
        on = both | dice.chance(0.3)
        pose[f"{side}_shoulder_abduction"] = torch.where(on, dice.uniform(38, 50), pose[f"{side}_shoulder_abduction"])
        pose[f"{side}_shoulder_flex"] = torch.where(on, dice.uniform(-22, -8), pose[f"{side}_shoulder_flex"])
        pose[f"{side}_shoulder_twist"] = torch.where(on, dice.uniform(62, 80), pose[f"{side}_shoulder_twist"])
        pose[f"{side}_elbow_flex"] = torch.where(on, dice.uniform(92, 108), pose[f"{side}_elbow_flex"])
    return pose


def _walk(dice: Dice) -> Degrees:
    pose = unpacked(walk_cycle(dice.uniform()))
    eager = dice.uniform(0.75, 1.15)
    for side in ("left", "right"):
        for name in ("hip_flex", "shoulder_flex"):
            pose[f"{side}_{name}"] = pose[f"{side}_{name}"] * eager
        pose[f"{side}_elbow_flex"] = pose[f"{side}_elbow_flex"] + dice.uniform(-8, 22)
        pose[f"{side}_shoulder_abduction"] = dice.uniform(3, 12)
        pose[f"{side}_hip_twist"] = dice.uniform(-12, 2)
    return pose


def _run(dice: Dice) -> Degrees:
    p, pace = dice.uniform(), dice.uniform(0.75, 1.15)
    pose = straight(p)
    pose |= {
        "pelvis_pitch": dice.uniform(3, 10),
        "trunk_lean": dice.uniform(3, 10),
        "trunk_twist": -12 * pace * wave(p),
    }
    for side, start in (("left", 0.0), ("right", 0.5)):
        q = p + start
        pose[f"{side}_hip_flex"] = 20 + pose["pelvis_pitch"] + 38 * pace * wave(q)
        pose[f"{side}_knee_flex"] = 18 + 22 * bump(q, 0.12, 0.08) + 92 * pace * bump(q, 0.68, 0.13)
        pose[f"{side}_ankle_flex"] = 12 * bump(q, 0.2, 0.1) - 28 * bump(q, 0.45, 0.12)
        pose[f"{side}_shoulder_flex"] = 2 - 42 * pace * wave(q)
        pose[f"{side}_shoulder_abduction"] = dice.uniform(8, 20)
        pose[f"{side}_shoulder_twist"] = dice.uniform(5, 25)
        pose[f"{side}_elbow_flex"] = dice.uniform(75, 105) - 14 * wave(q)
    return pose


def _sit(dice: Dice) -> Degrees:
    pose = straight(dice.uniform())
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


def _reach(dice: Dice) -> Degrees:
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


def _wave_hand(dice: Dice) -> Degrees:
    pose, left = _stand(dice), dice.chance(0.5)
    for side, on in (("left", left), ("right", ~left)):
        pose[f"{side}_shoulder_abduction"] = torch.where(on, dice.uniform(70, 125), pose[f"{side}_shoulder_abduction"])
        pose[f"{side}_shoulder_flex"] = torch.where(on, dice.uniform(0, 18), pose[f"{side}_shoulder_flex"])
        pose[f"{side}_shoulder_twist"] = torch.where(on, dice.uniform(-92, -70), pose[f"{side}_shoulder_twist"])
        pose[f"{side}_elbow_flex"] = torch.where(on, dice.uniform(45, 105), pose[f"{side}_elbow_flex"])
        pose[f"{side}_wrist_flex"] = torch.where(on, dice.uniform(-20, 20), pose[f"{side}_wrist_flex"])
    pose["trunk_side"] = pose["trunk_side"] + torch.where(left, -4.0, 4.0)
    return pose


def _cheer(dice: Dice) -> Degrees:
    pose, high = _stand(dice), dice.uniform(115, 160)
    for side in ("left", "right"):
        pose[f"{side}_shoulder_abduction"] = high + dice.uniform(-8, 8)
        pose[f"{side}_shoulder_flex"] = dice.uniform(-5, 15)
        pose[f"{side}_shoulder_twist"] = dice.uniform(-90, -40)
        pose[f"{side}_elbow_flex"] = dice.uniform(5, 55)
        pose[f"{side}_hip_abduction"] = dice.uniform(6, 16)
    pose["neck_flex"] = dice.uniform(-22, 0)
    return pose


def _jump(dice: Dice) -> Degrees:
    pose, tuck, star = _cheer(dice), dice.uniform(0, 1), dice.uniform(4, 38)
    for side in ("left", "right"):
        pose[f"{side}_shoulder_abduction"] = pose[f"{side}_shoulder_abduction"] - 55 * dice.uniform()
        pose[f"{side}_hip_flex"] = 5 + 65 * tuck * dice.uniform(0.6, 1)
        pose[f"{side}_knee_flex"] = 12 + 95 * tuck * dice.uniform(0.7, 1.1)
        pose[f"{side}_hip_abduction"] = star * (1 - 0.6 * tuck)
        pose[f"{side}_ankle_flex"] = dice.uniform(-38, -12)
    return pose


def _squat(dice: Dice) -> Degrees:
    pose, deep = straight(dice.uniform()), dice.uniform(0.45, 1)
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


def _bend(dice: Dice) -> Degrees:
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


def _lunge(dice: Dice) -> Degrees:
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


_FAMILIES: dict[str, Callable[[Dice], Degrees]] = {
    "stand": _stand, "akimbo": _akimbo, "walk": _walk, "run": _run, "sit": _sit, "reach": _reach,
    "wave": _wave_hand, "cheer": _cheer, "jump": _jump, "squat": _squat, "bend": _bend, "lunge": _lunge,
}  # fmt: skip

FAMILIES = tuple(_FAMILIES)
"""The families of poses that can be drawn."""


def _with_head(dice: Dice, pose: Degrees) -> Degrees:
    """Let the head turn and tilt a little, as people look about."""
    pose["neck_twist"] = pose["neck_twist"] + dice.normal(0, 16)
    pose["neck_side"] = pose["neck_side"] + dice.normal(0, 4)
    pose["neck_flex"] = pose["neck_flex"] + dice.normal(3, 7)
    return pose


def _hanging(dice: Dice, side: str) -> Degrees:
    """Return an arm that hangs beside the body."""
    return {
        f"{side}_shoulder_flex": dice.uniform(-8, 10),
        f"{side}_shoulder_abduction": dice.uniform(5, 17),
        f"{side}_shoulder_twist": dice.uniform(0, 30),
        f"{side}_elbow_flex": dice.uniform(6, 32),
    }


def family_indices(names: Sequence[str] | None) -> list[int]:
    """Return the places of the named families in `FAMILIES`; of all for None.

    Raises:
        ValueError: a name is unknown, none is given, or a text stands for a list.
    """
    if isinstance(names, str):
        raise ValueError(f"poses must be a list of families; got the text {names!r}. Say poses=[{names!r}].")
    names = FAMILIES if names is None else tuple(names)
    if not names or any(name not in FAMILIES for name in names):
        raise ValueError(f"poses must name families among {', '.join(FAMILIES)}; got {list(names)}.")
    return [FAMILIES.index(name) for name in names]
