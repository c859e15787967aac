"""The mirror image of a scene: what was on the left is on the right, people's own sides included."""

from dataclasses import replace

import torch
from torch import Tensor

from posecourse.people.joints import ANGLES
from posecourse.people.scene import Scene
from posecourse.skeletons import mirrored_name

__all__ = ["mirrored"]

_ODD = ("pelvis_roll", "trunk_side", "trunk_twist", "neck_side", "neck_twist")


def mirrored(scene: Scene) -> Scene:
    """Return the scene reflected in the plane x = 0, camera and light included.

    Its picture is the flipped picture, and its keypoints are the flipped keypoints with left and right exchanged; so
    is their visibility, every label of it.
    """
    camera, light, backdrop, props = scene.camera, scene.light, scene.backdrop, scene.props
    return replace(
        scene,
        poses=_mirrored_poses(scene.poses),
        positions=_flipped(scene.positions),
        headings=-scene.headings,
        light=replace(light, direction=_flipped(light.direction)),
        camera=replace(
            camera,
            position=_flipped(camera.position),
            yaw=-camera.yaw,
            roll=-camera.roll,
            centre=camera.centre * camera.centre.new_tensor([-1.0, 1.0]) + camera.centre.new_tensor([1.0, 0.0]),
        ),
        backdrop=replace(backdrop, side=-backdrop.side),
        props=replace(
            props,
            boxes=props.boxes * props.boxes.new_tensor([-1.0, 1, 1, 1, 1, 1, -1.0]),
            rounds=props.rounds * props.rounds.new_tensor([-1.0, 1, 1, 1, 1]),
        ),
    )


def _flipped(vector: Tensor) -> Tensor:
    """Return (x, y, z) as (−x, y, z)."""
    return vector * vector.new_tensor([-1.0, 1.0, 1.0])


def _mirrored_poses(poses: Tensor) -> Tensor:
    """Exchange the sides' angles, and turn sideways angles of the trunk and neck round."""
    swap = [ANGLES.index(mirrored_name(name)) for name in ANGLES]
    sign = torch.tensor([-1.0 if name in _ODD else 1.0 for name in ANGLES], device=poses.device, dtype=poses.dtype)
    return poses[..., swap] * sign
