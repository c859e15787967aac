"""A body: its proportions, and where its joints come to lie when its joints are bent (forward kinematics).

The body's own frame is the camera's when the person faces the camera upright: x to the person's left, y down, z to
the back. Lengths are fractions of stature as in Drillis and Contini (1966), with a head that shrinks less than the
rest in short people, as children's do.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.people.bundle import Bundle
from posecourse.people.dice import Dice
from posecourse.people.joints import ANGLES
from posecourse.people.rotations import compose, rotate, turn_x, turn_y, turn_z

__all__ = ["SEGMENTS", "Bodies", "Posture", "draw_bodies", "keypoints_3d", "posture"]

SEGMENTS = (
    "pelvis", "chest", "head", "left_upper_arm", "right_upper_arm", "left_forearm", "right_forearm", "left_hand",
    "right_hand", "left_thigh", "right_thigh", "left_shank", "right_shank", "left_foot", "right_foot",
)  # fmt: skip
"""The rigid segments of a body; left and right follow one another."""

HIP, NECK, SHOULDER_DROP, SHOULDER = 0.053, 0.062, 0.033, 0.104
UPPER_ARM, FOREARM, THIGH, SHANK, ANKLE, HEEL, TOE = 0.180, 0.148, 0.245, 0.246, 0.040, 0.034, 0.112
BELOW_HEAD = 0.90  # sole to atlas, in units of the frame
FACE = (
    (0.0, -0.105, -0.525),  # nose, in head heights from the atlas
    (0.142, -0.275, -0.365), (-0.142, -0.275, -0.365),  # eyes, in the surface: none may stand out of it in profile
    (0.345, -0.225, 0.02), (-0.345, -0.225, 0.02),  # ears
)  # fmt: skip


@dataclass(frozen=True)
class Bodies(Bundle):
    """What a body is like.

    Args:
        stature: standing height in metres.
        head: from chin to crown in metres.
        girth: thickness of limbs and trunk, 1 for the average.
        shoulders: breadth of the shoulders, 1 for the average.
        hips: breadth of the hips, 1 for the average.
        legs: share of the legs in the height, 1 for the average.
        chest: depth of the chest, 1 for the average.
    """

    stature: Float[Tensor, "B N"]
    head: Float[Tensor, "B N"]
    girth: Float[Tensor, "B N"]
    shoulders: Float[Tensor, "B N"]
    hips: Float[Tensor, "B N"]
    legs: Float[Tensor, "B N"]
    chest: Float[Tensor, "B N"]

    @property
    def frame(self) -> Float[Tensor, "B N"]:
        """The unit in metres of which a bone's length is a fixed fraction."""
        return (self.stature - 0.77 * self.head) / BELOW_HEAD


@dataclass(frozen=True)
class Posture(Bundle):
    """Where a body's segments are.

    Args:
        origins: (… 15 3) each segment's joint nearer to the trunk, in metres, in the world.
        frames: (… 15 3 3) whose columns are the segment's own x, y, z in the world.
        neck: (… 3) the base of the neck.
        unit: (…) metres per unit of the body's proportions.
    """

    origins: Float[Tensor, "*B 15 3"]
    frames: Float[Tensor, "*B 15 3 3"]
    neck: Float[Tensor, "*B 3"]
    unit: Float[Tensor, "*B"]

    def origin(self, segment: str) -> Tensor:
        """Return where `segment` begins."""
        return self.origins[..., SEGMENTS.index(segment), :]

    def frame(self, segment: str) -> Tensor:
        """Return how `segment` is turned."""
        return self.frames[..., SEGMENTS.index(segment), :, :]


def draw_bodies(dice: Dice, children: float = 0.15) -> Bodies:
    """Draw bodies: adults, and a share of `children` from about six years on."""
    child = dice.chance(children)
    stature = torch.where(child, dice.uniform(1.12, 1.5), dice.normal(1.70, 0.085))
    head = 0.222 * (stature / 1.7) ** 0.35 * dice.normal(1.0, 0.025)
    build = dice.normal(0.0, 1.0)  # slim to sturdy; hips and shoulders follow
    broad = dice.normal(0.0, 1.0)
    return Bodies(
        stature=stature,
        head=head,
        girth=torch.where(child, 0.93, 1.0) * (1.02 + 0.09 * build + 0.03 * build.clamp(0) ** 2),
        shoulders=torch.where(child, 0.93, 1.0) * (1.0 + 0.05 * broad + 0.02 * build),
        hips=1.0 - 0.035 * broad + 0.02 * build,
        legs=dice.normal(1.0, 0.02),
        chest=1.0 + 0.05 * dice.normal() + 0.04 * build,
    )


def posture(
    bodies: Bodies,
    angles: Float[Tensor, "B N A"],
    position: Float[Tensor, "B N 3"],
    heading: Float[Tensor, "B N"],
) -> Posture:
    """Bend the joints and stand the body on the ground.

    Args:
        bodies: proportions.
        angles: joint angles in radians in the order of `joints.ANGLES`.
        position: (x, y, z) in metres below which the pelvis is; y is the height of the lowest point (0 the ground,
            negative is up).
        heading: radians; 0 faces the camera's side of the world, π/2 the left of a picture taken from there.
    """
    unit = bodies.frame
    bent = {name: angles[..., index] for index, name in enumerate(ANGLES)}
    trunk = _trunk(bodies, bent, heading)
    legs = _legs(bodies, bent, trunk["pelvis"][1])
    arms = _arms(bodies, bent, trunk["chest"])
    parts = [trunk["pelvis"], trunk["chest"], trunk["head"]]
    for origin, frame in (*arms, *legs):
        parts += [(origin[..., side, :], frame[..., side, :, :]) for side in (0, 1)]
    origins = torch.stack([origin for origin, _ in parts], dim=-2)
    frames = torch.stack([frame for _, frame in parts], dim=-3)
    shift = position - torch.stack([torch.zeros_like(unit), _lowest(origins, frames, unit), torch.zeros_like(unit)], -1)
    return Posture(origins + shift.unsqueeze(-2), frames, trunk["neck"][0] + shift, unit)


def keypoints_3d(body: Posture, head: Float[Tensor, "*B"]) -> Float[Tensor, "*B 17 3"]:
    """Return COCO's seventeen keypoints in the world: face points on the head's surface, the rest joint centres."""
    face = body.origins.new_tensor(FACE) * head[..., None, None]
    face = body.origin("head").unsqueeze(-2) + rotate(body.frame("head").unsqueeze(-3), face)
    return torch.cat([face, body.origins[..., 3:, :]], dim=-2)


def _trunk(bodies: Bodies, bent: dict[str, Tensor], heading: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Return origin and orientation of pelvis, chest, head and neck, with the middle of the hips at 0."""
    unit = bodies.frame
    trunk = _trunk_length(bodies)
    pelvis = compose(turn_y(heading), turn_z(bent["pelvis_roll"]), turn_x(bent["pelvis_pitch"]))
    chest = compose(pelvis, turn_x(bent["trunk_lean"]), turn_z(bent["trunk_side"]), turn_y(bent["trunk_twist"]))
    neck = compose(turn_x(bent["neck_flex"]), turn_z(bent["neck_side"]), turn_y(bent["neck_twist"]))
    half = compose(chest, turn_x(bent["neck_flex"] / 2), turn_z(bent["neck_side"] / 2))
    waist = rotate(pelvis, _point(0.0, -0.33, 0.0, trunk))
    base = waist + rotate(chest, _point(0.0, -0.67, 0.02, trunk))
    atlas = base + rotate(half, _point(0.0, -NECK, -0.014, unit))
    return {
        "pelvis": (torch.zeros_like(waist), pelvis),
        "chest": (waist, chest),
        "head": (atlas, compose(chest, neck)),
        "neck": (base, chest),
    }


def _trunk_length(bodies: Bodies) -> Tensor:
    """Return metres from the middle of the hips to the base of the neck: what longer legs leave over."""
    return (BELOW_HEAD - NECK - (THIGH + SHANK + ANKLE) * bodies.legs) * bodies.frame


def _arms(bodies: Bodies, bent: dict[str, Tensor], chest: tuple[Tensor, Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Return origins (… 2 3) and frames (… 2 3 3) of upper arms, forearms and hands, left then right."""
    unit, (waist, frame) = bodies.frame.unsqueeze(-1), chest
    flex, abduction, twist = (_pair(bent, f"shoulder_{way}") for way in ("flex", "abduction", "twist"))
    side = flex.new_tensor([1.0, -1.0])
    raised = (torch.maximum(flex, abduction) - 0.6).clamp(0) * 0.018  # the shoulder blade follows a raised arm
    trunk = 0.67 * _trunk_length(bodies).unsqueeze(-1).expand_as(flex)
    across = SHOULDER * bodies.shoulders.unsqueeze(-1) * unit * side * (1 - raised)
    shoulder = torch.stack([across, (SHOULDER_DROP - raised) * unit - trunk, 0.02 * trunk], -1)
    frame = frame.unsqueeze(-3)
    shoulder = waist.unsqueeze(-2) + rotate(frame, shoulder)
    upper = compose(frame, turn_x(-flex), turn_z(-abduction * side), turn_y(twist * side))
    elbow = shoulder + rotate(upper, _point(0.0, UPPER_ARM, 0.0, unit))
    fore = compose(upper, turn_x(-_pair(bent, "elbow_flex")))
    wrist = elbow + rotate(fore, _point(0.0, FOREARM, 0.0, unit))
    hand = compose(fore, turn_z(_pair(bent, "wrist_flex") * side))
    return [(shoulder, upper), (elbow, fore), (wrist, hand)]


def _legs(bodies: Bodies, bent: dict[str, Tensor], pelvis: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Return origins (… 2 3) and frames (… 2 3 3) of thighs, shanks and feet, left then right."""
    unit, frame = bodies.frame.unsqueeze(-1), pelvis.unsqueeze(-3)
    flex, abduction, twist = (_pair(bent, f"hip_{way}") for way in ("flex", "abduction", "twist"))
    side = flex.new_tensor([1.0, -1.0])
    long = unit * bodies.legs.unsqueeze(-1)
    nothing = torch.zeros_like(flex)
    hip = rotate(frame, torch.stack([HIP * bodies.hips.unsqueeze(-1) * unit * side, nothing, nothing], -1))
    thigh = compose(frame, turn_x(-flex), turn_z(-abduction * side), turn_y(-twist * side))
    knee = hip + rotate(thigh, _point(0.0, THIGH, 0.0, long))
    shank = compose(thigh, turn_x(_pair(bent, "knee_flex")))
    ankle = knee + rotate(shank, _point(0.0, SHANK, 0.0, long))
    foot = compose(shank, turn_x(-_pair(bent, "ankle_flex")))
    return [(hip, thigh), (knee, shank), (ankle, foot)]


def _lowest(origins: Tensor, frames: Tensor, unit: Tensor) -> Tensor:
    """Return the largest y of what can touch the ground: heels, toes, knees, hands and seat."""
    touching = (
        (13, (0.0, ANKLE, HEEL)), (13, (0.0, ANKLE, -TOE)), (14, (0.0, ANKLE, HEEL)), (14, (0.0, ANKLE, -TOE)),
        (11, (0.0, 0.0, -0.03)), (12, (0.0, 0.0, -0.03)), (7, (0.0, 0.1, 0.0)), (8, (0.0, 0.1, 0.0)),
        (0, (0.0, 0.075, 0.04)),
    )  # fmt: skip
    segments = [segment for segment, _ in touching]
    points = origins.new_tensor([point for _, point in touching]) * unit[..., None, None]
    return (origins[..., segments, :] + rotate(frames[..., segments, :, :], points))[..., 1].amax(-1)


def _pair(bent: dict[str, Tensor], name: str) -> Tensor:
    """Return an angle of the left and of the right side as (… 2)."""
    return torch.stack([bent[f"left_{name}"], bent[f"right_{name}"]], dim=-1)


def _point(x: float, y: float, z: float, scale: Tensor) -> Tensor:
    """Return (x, y, z) times `scale`."""
    return torch.stack([x * scale, y * scale, z * scale], dim=-1)
