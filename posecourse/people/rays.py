"""Rays from the camera through points of the scene: which surfaces each one meets, whatever the picture's size.

The picture is looked at on the plane at distance 1 from the camera, where a ray is a point and a triangle stays a
triangle. A ray lies in a triangle when it lies on the inner side of its three edges. Two neighbours compute their
common edge from the same numbers with the opposite sign, so no ray slips between them.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from posecourse.people.mesh import Mesh
from posecourse.people.rasterise import NEAR

__all__ = ["Meetings", "front", "meet"]

_STRIP = 8  # triangles with a box in common


@dataclass(frozen=True)
class Meetings:
    """Rays that meet triangles which face the camera, in no particular order.

    Args:
        ray: which of the B·P rays.
        triangle: which of the mesh's triangles.
        inverse_depth: 1/z of the place, in 1/metres.
        weights: of the triangle's corners, in space; they sum to 1.
    """

    ray: Int[Tensor, " m"]
    triangle: Int[Tensor, " m"]
    inverse_depth: Float[Tensor, " m"]
    weights: Float[Tensor, "m 3"]

    def __getitem__(self, chosen: Tensor) -> "Meetings":
        """Return some of them."""
        return Meetings(self.ray[chosen], self.triangle[chosen], self.inverse_depth[chosen], self.weights[chosen])


def meet(mesh: Mesh, targets: Float[Tensor, "B P 3"]) -> Meetings:
    """Find all that the rays to `targets` meet, before and beyond them.

    Args:
        mesh: the surfaces.
        targets: in the camera's frame, metres; the rays of each image meet that image's triangles.
    """
    points = torch.cat([mesh.points[:, :2] / mesh.points[:, 2:], 1 / mesh.points[:, 2:]], dim=-1)
    aim = targets[..., :2] / targets[..., 2:]
    ray, place = _in_boxes(aim, *_boxes(mesh, points))
    image = torch.div(ray, targets.shape[1], rounding_mode="floor")
    found = mesh.by_image[image, place]
    here = points[mesh.triangles[found]]  # (m 3 3)
    a, b, c = (here[..., :2] - aim.flatten(0, 1)[ray][:, None]).unbind(1)
    edges = torch.stack([_cross(b, c), _cross(c, a), _cross(a, b)], dim=-1)
    inside = (edges >= 0).all(-1)
    edges, here = edges[inside], here[inside]
    parts = edges / edges.sum(-1, keepdim=True) * here[..., 2]
    inverse = parts.sum(-1)
    return Meetings(ray[inside], found[inside], inverse, parts / inverse[:, None])


def front(met: Meetings, rays: int) -> Int[Tensor, " rays"]:
    """Return each ray's nearest meeting, by its place in `met`, or −1 where it meets nothing."""
    key = (met.inverse_depth.view(torch.int32).long() << 32).bitwise_or_(
        torch.arange(len(met.ray), device=met.ray.device)
    )
    nearest = torch.full((rays,), -1, dtype=torch.long, device=key.device).scatter_reduce_(0, met.ray, key, "amax")
    return torch.where(nearest < 0, nearest, nearest & 0xFFFFFFFF)


def _boxes(mesh: Mesh, points: Float[Tensor, "V 3"]) -> tuple[Tensor, Tensor]:
    """Return the corners (2 B T) of the triangles' bounding boxes; nothing lies in that of one that is not drawn."""
    flat = points.T.contiguous()
    a, b, c = (flat[:, corner] for corner in mesh.triangles[mesh.by_image].unbind(-1))  # (3 B T)
    low, high = torch.minimum(torch.minimum(a, b), c), torch.maximum(torch.maximum(a, b), c)
    twice = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    shown = (twice > 0) & (low[2] > 0) & (high[2] < 1 / NEAR) & mesh.drawn[mesh.by_image]
    return torch.where(shown, low[:2], torch.inf), torch.where(shown, high[:2], -torch.inf)


def _in_boxes(aim: Tensor, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rays (numbered through all images) and the places of triangles in whose bounding boxes they lie.

    Neighbours in the list are neighbours on a surface: first the boxes about several of them, then each one's own.
    """
    spare = (0, -low.shape[-1] % _STRIP)
    low = F.pad(low, spare, value=torch.inf).unflatten(-1, (-1, _STRIP))  # (2 B T/strip strip)
    high = F.pad(high, spare, value=-torch.inf).unflatten(-1, (-1, _STRIP))
    left, top = low.amin(-1)[:, :, None]
    right, bottom = high.amax(-1)[:, :, None]
    x, y = aim[..., None].unbind(-2)
    image, point, strip = ((left <= x) & (x <= right) & (top <= y) & (y <= bottom)).nonzero().unbind(-1)
    here = aim[image, point].T[..., None]  # (2 m 1)
    found, within = ((low[:, image, strip] <= here) & (here <= high[:, image, strip])).all(0).nonzero().unbind(-1)
    return (image * aim.shape[1] + point)[found], strip[found] * _STRIP + within


def _cross(u: Tensor, v: Tensor) -> Tensor:
    """Return twice the signed area between vectors (… 2); positive clockwise on the screen."""
    return u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
