"""Things with true depth: seats under the sitting, and what stands in front of people: boxes, tables, poles, plants."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.people.bundle import Bundle
from posecourse.people.lofts import circle, grid_normals, loft_triangles
from posecourse.people.rotations import rotate, turn_y

__all__ = ["Props", "box_points", "box_triangles", "round_points", "round_triangles"]

RINGS, SIDES = 7, 10
_PROFILES = (
    (0.98, 1.0, 1.0, 1.0, 1.0, 1.0, 0.98),  # pole
    (0.10, 0.72, 0.94, 1.0, 0.92, 0.70, 0.10),  # ball
    (0.62, 0.70, 0.78, 0.86, 0.93, 1.0, 0.96),  # pot
)


@dataclass(frozen=True)
class Props(Bundle):
    """Boxes and round things; one of size 0 is absent.

    Args:
        boxes: centre (3), half sizes (3), and turn about y in radians.
        box_colours: sRGB.
        rounds: foot (3), radius, height.
        round_kind: 0 pole, 1 ball of leaves, 2 pot.
        round_colours: sRGB.
    """

    boxes: Float[Tensor, "B Q 7"]
    box_colours: Float[Tensor, "B Q 3"]
    rounds: Float[Tensor, "B R 5"]
    round_kind: Float[Tensor, "B R"]
    round_colours: Float[Tensor, "B R 3"]


def box_points(boxes: Float[Tensor, "B Q 7"]) -> tuple[Float[Tensor, "B Q 24 3"], Float[Tensor, "B Q 24 3"]]:
    """Return each box's corners, three times each, and their normals: one for each face that meets there."""
    corners, normals = _box(boxes.device)
    turn = turn_y(boxes[..., 6]).unsqueeze(-3)
    points = boxes[..., None, :3] + rotate(turn, corners * boxes[..., None, 3:6])
    return points, rotate(turn, normals).expand(points.shape)


@lru_cache(maxsize=8)
def _box(device: torch.device) -> tuple[Tensor, Tensor]:
    corners, normals = [], []
    for axis in range(3):
        for end in (-1.0, 1.0):
            normal = torch.zeros(3)
            normal[axis] = end
            u, v = torch.zeros(3), torch.zeros(3)
            u[(axis + 1) % 3], v[(axis + 2) % 3] = 1.0, end
            corners += [normal - u - v, normal + u - v, normal + u + v, normal - u + v]
            normals += [normal] * 4
    return torch.stack(corners).to(device), torch.stack(normals).to(device)


@lru_cache(maxsize=8)
def box_triangles(device: torch.device) -> Tensor:
    """Return the twelve triangles (12 3) of a box's 24 points."""
    quad = torch.tensor([(0, 2, 1), (0, 3, 2)], device=device)
    return (quad[None] + 4 * torch.arange(6, device=device)[:, None, None]).flatten(0, 1)


def round_points(props: Props) -> tuple[Float[Tensor, "B R P 3"], Float[Tensor, "B R P 3"]]:
    """Return each round thing's grid of points and its normals."""
    foot, radius, height = props.rounds[..., :3], props.rounds[..., 3], props.rounds[..., 4]
    angle, x, z = circle(SIDES, 2.0, foot.device)
    profile = torch.tensor(_PROFILES, device=foot.device)[props.round_kind.long()]  # (B R rings)
    up = torch.linspace(1, 0, RINGS, device=foot.device)
    ball = (props.round_kind == 1)[..., None]
    up = torch.where(ball, 0.5 + 0.5 * torch.cos((1 - up) * torch.pi), up)
    wide = (profile * radius[..., None]).unsqueeze(-1)
    lumps = torch.cos(3 * angle) * torch.cos(torch.arange(RINGS, device=foot.device)[:, None] * 2.1)
    wide = wide * (1 + 0.13 * lumps * ball[..., None])
    drop = -(up * height[..., None]).unsqueeze(-1).expand(*wide.shape[:-1], SIDES + 1)
    points = foot[..., None, None, :] + torch.stack([wide * x, drop, wide * z], dim=-1)
    return points.flatten(-3, -2), grid_normals(points).flatten(-3, -2)


def round_triangles(device: torch.device) -> Tensor:
    """Return the triangles of a round thing's grid."""
    return loft_triangles(RINGS, SIDES, SIDES // 2, device)
