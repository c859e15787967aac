"""Lofts: closed surfaces swept along a line of elliptical rings, and the triangles between the rings."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["Surface", "blended_frames", "circle", "grid_normals", "loft", "loft_triangles", "orthonormal", "sweep"]


@dataclass(frozen=True)
class Surface:
    """A grid of R rings by S + 1 points; the last point of a ring is its first again, so that textures close.

    Args:
        points: (… R S+1 3) in metres, in the world.
        texture: (… R S+1 3) coordinates for colouring: metres around, place along the part, metres along.
    """

    points: Float[Tensor, "*B R S 3"]
    texture: Float[Tensor, "*B R S 3"]


@lru_cache(maxsize=64)
def circle(sides: int, power: float, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Return angle, x and z of a superellipse |x|^p + |z|^p = 1, from the back over the front to the back again.

    Its right half is its left one's mirror image to the last bit.
    """
    angle = torch.linspace(-torch.pi, torch.pi, sides + 1, device=device)
    x, z = angle.sin(), -angle.cos()
    x[0] = x[-1] = 0.0
    length = (x.abs() ** power + z.abs() ** power) ** (1 / power)
    x, z = x / length, z / length
    return (angle - angle.flip(0)) / 2, (x - x.flip(0)) / 2, (z + z.flip(0)) / 2


def loft(
    centres: Float[Tensor, "*B R 3"],
    frames: Float[Tensor, "*B R 3 3"],
    radii: Float[Tensor, "*B R 2"],
    along: Float[Tensor, " R"],
    sides: int,
    power: float = 2.0,
) -> Surface:
    """Sweep a ring along `centres`.

    Args:
        centres: of the rings; the line runs along the frames' y.
        frames: columns x, y, z of each ring's own axes.
        radii: half width along x and half depth along z, in metres.
        along: the rings' places on the part, for choosing cloth or skin.
        sides: points around.
        power: of the superellipse; 2 is an ellipse, more is boxier.
    """
    _, x, z = circle(sides, power, centres.device)
    outlines = torch.stack([radii[..., 0:1] * x, radii[..., 1:2] * z], dim=-1)  # (*B R S+1 2)
    return sweep(centres, frames, outlines, radii.mean(-1), along)


def sweep(
    centres: Float[Tensor, "*B R 3"],
    frames: Float[Tensor, "*B R 3 3"],
    outlines: Float[Tensor, "*B R S 2"],
    radius: Float[Tensor, "*B R"],
    along: Float[Tensor, " R"],
) -> Surface:
    """Sweep an outline that changes along `centres`.

    Args:
        centres: of the rings; the line runs along the frames' y.
        frames: columns x, y, z of each ring's own axes.
        outlines: each ring's points (x, z) in its own axes, in metres, from the back over the front to the back.
        radius: mean radius in metres, which scales the texture's way around.
        along: the rings' places on the part, for choosing cloth or skin.
    """
    angle = circle(outlines.shape[-2] - 1, 2.0, centres.device)[0]
    points = (
        centres.unsqueeze(-2)
        + outlines[..., 0:1] * frames[..., :, 0].unsqueeze(-2)
        + outlines[..., 1:2] * frames[..., :, 2].unsqueeze(-2)
    )
    step = (centres[..., 1:, :] - centres[..., :-1, :]).square().sum(-1).sqrt()
    length = torch.cat([torch.zeros_like(step[..., :1]), step.cumsum(-1)], dim=-1).unsqueeze(-1)
    around = angle * radius.unsqueeze(-1)
    texture = torch.stack([around, along.unsqueeze(-1).expand_as(around), length.expand_as(around)], dim=-1)
    return Surface(points, texture)


def blended_frames(
    first: Float[Tensor, "*B 3 3"], second: Float[Tensor, "*B 3 3"], weight: Float[Tensor, " R"]
) -> Float[Tensor, "*B R 3 3"]:
    """Return frames between `first` (weight 0) and `second` (weight 1), orthonormal."""
    w = weight[:, None, None]
    return orthonormal(first.unsqueeze(-3) * (1 - w) + second.unsqueeze(-3) * w)


def orthonormal(mixed: Float[Tensor, "*B 3 3"]) -> Float[Tensor, "*B 3 3"]:
    """Return right-handed orthonormal frames near `mixed`, which keep its y."""
    y = _unit(mixed[..., :, 1])
    x = mixed[..., :, 0]
    x = _unit(x - y * (x * y).sum(-1, keepdim=True))
    return torch.stack([x, y, torch.linalg.cross(x, y)], dim=-1)


def grid_normals(points: Float[Tensor, "*B R S 3"]) -> Float[Tensor, "*B R S 3"]:
    """Return the outward unit normals of a closed grid from central differences."""
    along = torch.cat(
        [
            points[..., 1:2, :, :] - points[..., :1, :, :],
            points[..., 2:, :, :] - points[..., :-2, :, :],
            points[..., -1:, :, :] - points[..., -2:-1, :, :],
        ],
        dim=-3,
    )
    seam = points[..., 1:2, :] - points[..., -2:-1, :]
    around = torch.cat([seam, points[..., 2:, :] - points[..., :-2, :], seam], dim=-2)
    return _unit(torch.linalg.cross(along, around))


@lru_cache(maxsize=64)
def loft_triangles(rings: int, sides: int, turned: int, device: torch.device) -> Int[Tensor, "F 3"]:
    """Return the triangles of a grid of `rings` by `sides` + 1 points, clockwise seen from outside on the screen.

    Four points of a grid do not lie in a plane, so it matters along which diagonal they are split. A surface and its
    mirror image are each other's mirror images only where their quads are split along mirrored diagonals.

    Args:
        rings: along the loft.
        sides: quads around it.
        turned: how many of these, counted from the back over the right side (negative x), are split along the mirrored
            diagonal: `sides / 2` for what is its own mirror image, none or all for one of a pair.
        device: where they live.
    """
    row = torch.arange(rings - 1, device=device)[:, None] * (sides + 1)
    a = (row + torch.arange(sides, device=device)).flatten()
    b, c, d = a + 1, a + sides + 1, a + sides + 2
    other = (torch.arange(sides, device=device) < turned).repeat(rings - 1)
    third, fourth = torch.where(other, d, c), torch.where(other, a, b)
    return torch.cat([torch.stack([a, b, third], -1), torch.stack([fourth, d, c], -1)])


def _unit(vector: Tensor) -> Tensor:
    return vector * (vector.square().sum(-1, keepdim=True) + 1e-12).rsqrt()
