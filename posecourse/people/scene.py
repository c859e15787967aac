"""A scene: everything that is drawn, as tensors that can be edited before rendering."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from posecourse.people.backdrop import Backdrop
from posecourse.people.body import Bodies, Posture, keypoints_3d, posture
from posecourse.people.bundle import Bundle
from posecourse.people.camera import Camera
from posecourse.people.light import Light
from posecourse.people.looks import Looks
from posecourse.people.props import Props

__all__ = ["Scene"]


@dataclass(frozen=True)
class Scene(Bundle):
    """A batch of B scenes with N places for people. Edit with `dataclasses.replace`: turn the camera, walk a person.

    The world's axes are x right, y down, z away; the ground is y = 0 and the unit is the metre.

    Args:
        present: which places hold a person.
        bodies: proportions.
        poses: joint angles in radians, in the order of `joints.ANGLES`; `walk_cycle` makes some.
        families: place in `poses.FAMILIES` that each pose was drawn from.
        positions: (x, y, z) below the pelvis; y is the height of the body's lowest point, negative in the air.
        headings: radians; 0 faces the camera's side, π/2 the picture's left.
        looks: skin, hair, clothes.
        light: key light, sky and bounce.
        camera: where the picture is taken from.
        backdrop: ground, walls, sky and furniture behind the people.
        props: seats and what stands in front.
    """

    present: Bool[Tensor, "B N"]
    bodies: Bodies
    poses: Float[Tensor, "B N A"]
    families: Int[Tensor, "B N"]
    positions: Float[Tensor, "B N 3"]
    headings: Float[Tensor, "B N"]
    looks: Looks
    light: Light
    camera: Camera
    backdrop: Backdrop
    props: Props

    def posture(self) -> Posture:
        """Return where every segment of every person is, in the world."""
        return posture(self.bodies, self.poses, self.positions, self.headings)

    def joints(self) -> Float[Tensor, "B N 17 3"]:
        """Return COCO's keypoints in the world, in metres."""
        return keypoints_3d(self.posture(), self.bodies.head)

    @property
    def device(self) -> torch.device:
        """Where the scene's tensors are."""
        return self.present.device
