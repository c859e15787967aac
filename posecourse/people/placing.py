"""Move the picture's frame so that the people stand where one wants them in it."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.people.scene import Scene

__all__ = ["placed"]


def placed(scene: Scene, centre: Float[Tensor, "B 2"], aspect: float = 1.0) -> Scene:
    """Return the scene cropped so that the middle of everybody's keypoints stands at a given place in the picture.

    Only the crop moves: the same people in the same light, under the same perspective. The middle is that of the
    box around the keypoints.

    Args:
        scene: any scene.
        centre: (x, y) in the unit square, one a scene; (0.5, 0.5) is the middle of the picture.
        aspect: W / H of the pictures that will be made.

    Raises:
        ValueError: `centre` is not one point a scene.
    """
    if centre.shape != (len(scene), 2):
        raise ValueError(f"centre must be ({len(scene)}, 2), one point a scene; got {tuple(centre.shape)}.")
    joints = scene.camera.view(scene.joints())
    flat = joints[..., :2] / joints[..., 2:].clamp(min=1e-3)  # B N 17 2, on the plane at distance 1
    there = scene.present[..., None, None]
    low = torch.where(there, flat, torch.inf).flatten(1, 2).amin(1)
    high = torch.where(there, flat, -torch.inf).flatten(1, 2).amax(1)
    middle = (low + high) / 2 * scene.camera.focal[:, None] / low.new_tensor([aspect, 1.0])
    return replace(scene, camera=replace(scene.camera, centre=centre.to(middle) - middle))
