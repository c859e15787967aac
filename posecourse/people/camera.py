"""A pinhole camera at a person's distance: where the world's metres land in the picture."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.people.bundle import Bundle
from posecourse.people.rotations import compose, rotate, turn_x, turn_y, turn_z
from posecourse.shapes import Size

__all__ = ["Camera", "project"]


@dataclass(frozen=True)
class Camera(Bundle):
    """A camera; independent of the picture's size.

    Args:
        position: in metres in the world (x right, y down, z away; the ground is y = 0).
        yaw: radians; positive turns the view to the left.
        pitch: radians; positive looks down.
        roll: radians; positive turns the picture clockwise.
        focal: focal length in heights of the picture.
        centre: where the optical axis meets the picture, (x, y) in the unit square; a crop moves it off the middle.
    """

    position: Float[Tensor, "B 3"]
    yaw: Float[Tensor, " B"]
    pitch: Float[Tensor, " B"]
    roll: Float[Tensor, " B"]
    focal: Float[Tensor, " B"]
    centre: Float[Tensor, "B 2"]

    @property
    def rotation(self) -> Float[Tensor, "B 3 3"]:
        """Turns the world's axes into the camera's."""
        return compose(turn_z(self.roll), turn_x(self.pitch), turn_y(self.yaw))

    def view(self, points: Float[Tensor, "B *N 3"]) -> Float[Tensor, "B *N 3"]:
        """Return points of the world in the camera's frame."""
        extra = (1,) * (points.ndim - 2)
        position = self.position.view(-1, *extra, 3)
        return rotate(self.rotation.view(-1, *extra, 3, 3), points - position)

    def matrix(self, size: Size) -> Float[Tensor, "B 3 4"]:
        """Return the projection of homogeneous metres in the camera's frame to homogeneous pixels."""
        H, W = size
        zero, one = torch.zeros_like(self.focal), torch.ones_like(self.focal)
        x, y = self.centre[:, 0] * W - 0.5, self.centre[:, 1] * H - 0.5
        f = self.focal * H
        return torch.stack([f, zero, x, zero, zero, f, y, zero, zero, zero, one, zero], dim=-1).view(-1, 3, 4)

    def extended(self, size: Size, larger: Size) -> "Camera":
        """Return the camera whose picture of `larger` begins, top left, with this one's picture of `size`."""
        (H, W), (h, w) = larger, size
        share = self.centre.new_tensor([w / W, h / H])
        return replace(self, focal=self.focal * (h / H), centre=self.centre * share)


def project(points: Float[Tensor, "B *N 3"], matrix: Float[Tensor, "B 3 4"]) -> Float[Tensor, "B *N 2"]:
    """Return the pixels (x, y) of points in the camera's frame: x = f·X/Z + cₓ, y = f·Y/Z + c_y."""
    extra = (1,) * (points.ndim - 2)
    focal = torch.stack([matrix[:, 0, 0], matrix[:, 1, 1]], dim=-1).view(-1, *extra, 2)
    centre = matrix[:, :2, 2].reshape(-1, *extra, 2)
    return points[..., :2] / points[..., 2:].clamp(min=1e-3) * focal + centre
