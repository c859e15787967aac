"""Soft light with a direction: one key light, a sky above, a ground that reflects, and shadows of soft spheres."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.people.body import SEGMENTS, Posture
from posecourse.people.bundle import Bundle
from posecourse.people.dice import Dice
from posecourse.people.rotations import rotate

__all__ = ["Light", "draw_light", "dimming", "illumination", "spheres"]

_SPHERES = (
    # segment, downwards, backwards, radius; in units of the body's proportions
    ("pelvis", -0.01, 0.0, 0.085), ("chest", -0.03, 0.0, 0.075), ("chest", -0.12, 0.0, 0.08),
    ("head", -0.04, 0.0, 0.062),
    ("left_upper_arm", 0.10, 0.0, 0.032), ("right_upper_arm", 0.10, 0.0, 0.032),
    ("left_forearm", 0.07, 0.0, 0.026), ("right_forearm", 0.07, 0.0, 0.026),
    ("left_thigh", 0.11, 0.0, 0.055), ("right_thigh", 0.11, 0.0, 0.055),
    ("left_shank", 0.05, 0.0, 0.040), ("right_shank", 0.05, 0.0, 0.040),
    ("left_foot", 0.0, -0.04, 0.042), ("right_foot", 0.0, -0.04, 0.042),
)  # fmt: skip


@dataclass(frozen=True)
class Light(Bundle):
    """The light of a scene, in linear colour.

    Args:
        direction: unit vector towards the key light, in the world; y is negative since it comes from above.
        key: the key light's colour.
        sky: light from above.
        bounce: light from below.
        soft: how far light wraps round a shape: 0 a point, 1 an overcast sky.
    """

    direction: Float[Tensor, "B 3"]
    key: Float[Tensor, "B 3"]
    sky: Float[Tensor, "B 3"]
    bounce: Float[Tensor, "B 3"]
    soft: Float[Tensor, " B"]


def draw_light(dice: Dice) -> Light:
    """Draw a light: from any side but mostly from the camera's, high rather than low."""
    azimuth = dice.normal(0.0, 1.05)
    height = dice.uniform(0.45, 1.15)
    direction = torch.stack([azimuth.sin() * height.cos(), -height.sin(), -azimuth.cos() * height.cos()], dim=-1)
    warm = dice.normal(0.0, 0.06)[..., None] * direction.new_tensor([1.0, 0.1, -1.0])
    share = dice.uniform(0.5, 0.72)[..., None]
    level = dice.uniform(0.9, 1.15)[..., None]
    return Light(
        direction=direction,
        key=level * share * 1.25 * (1 + warm),
        sky=level * (1 - share) * (1.05 - 0.6 * warm),
        bounce=level * (1 - share) * 0.55 * (1 + 0.5 * warm),
        soft=dice.uniform(0.12, 0.4),
    )


def spheres(body: Posture) -> Float[Tensor, "*B 14 4"]:
    """Return the body as fourteen spheres (x, y, z, radius), enough to dim what they stand before."""
    index = [SEGMENTS.index(name) for name, *_ in _SPHERES]
    unit = body.unit[..., None, None]
    local = body.origins.new_tensor([(0.0, y, z) for _, y, z, _ in _SPHERES]) * unit
    centres = body.origins[..., index, :] + rotate(body.frames[..., index, :, :], local)
    radii = body.origins.new_tensor([r for *_, r in _SPHERES])[:, None] * unit
    return torch.cat([centres, radii], dim=-1)


def dimming(
    points: Float[Tensor, "*B V 3"],
    normals: Float[Tensor, "*B V 3"],
    balls: Float[Tensor, "*B S 4"],
    direction: Float[Tensor, "*B 3"],
) -> tuple[Float[Tensor, "*B V"], Float[Tensor, "*B V"]]:
    """Return the shares of sky light and of key light that reach each point past the spheres.

    A sphere of radius r at distance d covers the share (r/d)² max(cos, 0) of the sky; the key light is dimmed where
    the ray to the light passes a sphere nearer than about its radius.
    """
    open_sky = torch.ones_like(points[..., 0])
    lit = torch.ones_like(open_sky)
    x, y, z = points.unbind(-1)
    nx, ny, nz = normals.unbind(-1)
    lx, ly, lz = (direction[..., axis, None] for axis in range(3))
    facing = (nx * lx + ny * ly + nz * lz).clamp(0, 1)
    for index in range(balls.shape[-2]):
        cx, cy, cz, r = (balls[..., index, axis, None] for axis in range(4))
        dx, dy, dz = cx - x, cy - y, cz - z
        distance2 = dx * dx + dy * dy + dz * dz + 1e-6
        cosine = (nx * dx + ny * dy + nz * dz) * distance2.rsqrt()
        r2 = r * r
        open_sky = open_sky * (1 - 0.85 * cosine.clamp(min=0) * (r2 / distance2).clamp(max=1.0))
        along = dx * lx + dy * ly + dz * lz
        past = (distance2 - along * along).clamp(min=0) / r2  # squared, in radii
        before = (along / r).clamp(0, 1)
        lit = lit * (1 - 0.8 * (1.35 - past).clamp(0, 1) * before * facing)
    return open_sky, lit


def illumination(
    normals: Float[Tensor, "B N V 3"],
    open_sky: Float[Tensor, "B N V"],
    lit: Float[Tensor, "B N V"],
    light: Light,
) -> Float[Tensor, "B N V 3"]:
    """Return the light (linear RGB) that a white surface reflects.

    Lambert's cosine, wrapped by w so that the terminator is soft: max(n·l + w, 0)/(1 + w), plus sky and bounce mixed
    by the normal's height.
    """
    x, y, z = normals.unbind(-1)
    lx, ly, lz = (light.direction[:, axis, None, None] for axis in range(3))
    wrap = light.soft[:, None, None]
    cosine = x * lx + y * ly + z * lz
    key = ((cosine + wrap) / (1 + wrap)).clamp(min=0)
    key = key * key * (3 - 2 * key) * 0.35 + key * 0.65
    direct = key * lit
    above, below = (0.5 - 0.5 * y) * open_sky, (0.5 + 0.5 * y) * open_sky
    three = (
        light.key[:, c, None, None] * direct
        + light.sky[:, c, None, None] * above
        + light.bounce[:, c, None, None] * below
        for c in range(3)
    )
    return torch.stack(list(three), dim=-1)
