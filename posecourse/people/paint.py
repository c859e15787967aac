"""Paint a backdrop: for every pixel follow the ray to the ground, a wall, a piece of furniture or the sky."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from posecourse.people.backdrop import Backdrop
from posecourse.people.camera import Camera
from posecourse.people.light import Light, dimming
from posecourse.shapes import Size

__all__ = ["paint", "soften"]

_Colour = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class _Rays:
    """Where each pixel looks: from `position` (B 1 1) along x, y, z (B H W); at distance 1 a pixel is `spread` wide."""

    position: tuple[Tensor, Tensor, Tensor]
    x: Tensor
    y: Tensor
    z: Tensor
    spread: Tensor


def paint(
    backdrop: Backdrop, light: Light, camera: Camera, balls: Float[Tensor, "B S 4"], size: Size
) -> Float[Tensor, "B 3 H W"]:
    """Return the backdrop in linear colour, with the soft shadows that the spheres throw on the ground.

    Args:
        backdrop: what there is.
        light: of the scene.
        camera: of the scene.
        balls: (x, y, z, radius) of everybody's spheres; radius 0 throws no shadow.
        size: (H, W), both even: the light on the ground is worked out for four pixels at a time.
    """
    rays = _rays(camera, size)
    px, py, pz = rays.position
    down = -py / rays.y.clamp(min=1e-4)  # distance to the ground
    back = (backdrop.number("wall_z") - pz) / rays.z.clamp(min=1e-4)
    beside = backdrop.number("side_x") * backdrop.side[:, None, None] - px
    aside = torch.where(beside * rays.x > 1e-4, beside / rays.x, 1e4)
    wall = torch.minimum(back, aside)
    floor = ((rays.y > 1e-4) & (down < wall)).float()
    distance = torch.lerp(wall, down.clamp(max=1e5), floor)
    x = (px + distance * rays.x) * backdrop.side[:, None, None]
    z = pz + distance * rays.z
    y = -(py + distance * rays.y)
    beyond = (aside < back).float()
    across = torch.lerp(x, z + 7.3, beyond)  # along whichever wall it is
    foot = distance * rays.spread
    coarse, fine = _noise(backdrop, torch.lerp(across, x, floor), torch.lerp(y, z, floor))
    ground = _ground(backdrop, x, z, foot, coarse, fine)
    upright = _wall(backdrop, across, y, foot, coarse, fine, 1 - 0.14 * beyond)
    sky = _sky(backdrop, rays, coarse)
    solid = (y < _height(backdrop, across, fine)).float()
    lit = _ground_light(light, px + distance * rays.x, z, balls)
    facing = _level(light, 0.0, 0.0, -1.0)
    haze = backdrop.number("haze") * (distance / 30).clamp(0, 1)
    horizon = backdrop.sky[:, 0, :, None, None] ** 2
    channels = []
    for c in range(3):
        far = torch.lerp(
            torch.lerp(sky[c] * sky[c], upright[c] * upright[c] * facing[c], solid),
            ground[c] * ground[c] * lit[c],
            floor,
        )
        channels.append(torch.lerp(far, horizon[:, c], haze))
    colour = _furnish(backdrop, light, rays, torch.stack(channels, dim=1), distance)
    return soften(colour, 0.25 if size[0] * size[1] > 100**2 else 0.15)


def _rays(camera: Camera, size: Size) -> _Rays:
    H, W = size
    device = camera.focal.device
    f = camera.focal[:, None, None]
    x = ((torch.arange(W, device=device) + 0.5) / H - camera.centre[:, :1] * (W / H))[:, None] / f
    y = ((torch.arange(H, device=device) + 0.5) / H - camera.centre[:, 1:])[:, :, None] / f
    turn = camera.rotation[..., None, None]
    directions = [turn[:, 0, axis] * x + (turn[:, 1, axis] * y + turn[:, 2, axis]) for axis in range(3)]
    px, py, pz = (camera.position[:, axis, None, None] for axis in range(3))
    return _Rays((px, py, pz), directions[0], directions[1], directions[2], (1 / (camera.focal * H))[:, None, None])


def _noise(backdrop: Backdrop, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Return a coarse and a fine smooth random map (B H W) at metres (u, v), 0 … 1, mean ½."""
    scale = backdrop.number("grain_scale")
    grid = torch.stack([u, v], dim=-1) / scale[..., None] / 16
    maps = F.grid_sample(backdrop.noise, grid * 0.35, padding_mode="reflection", align_corners=False)
    detail = F.grid_sample(backdrop.noise, grid * 3.1 + 0.37, padding_mode="reflection", align_corners=False)
    return maps[:, 0], 0.5 * (detail[:, 1] + maps[:, 1])


def _ground(backdrop: Backdrop, x: Tensor, z: Tensor, foot: Tensor, coarse: Tensor, fine: Tensor) -> _Colour:
    board = backdrop.number("board")
    sharp = (board / (6 * foot * (1 + z.abs() * 0.3))).clamp(0, 1)
    u, v = x / board, z / board
    line = torch.maximum(_line(u, 0.04), _line(v * torch.where(backdrop.place == 0, 0.12, 1.0)[:, None, None], 0.03))
    check = torch.cos(u * torch.pi) * torch.cos(v * torch.pi)
    share = backdrop.number("lines") * line * sharp + backdrop.number("checks") * (check * 4 + 0.5).clamp(0, 1) * sharp
    plank = torch.sin(u.floor() * 12.9898) * 0.06 * (backdrop.place == 0).float()[:, None, None]
    grain = backdrop.number("grain") * ((fine - 0.5) * 1.0 + (coarse - 0.5) * 0.7) + plank
    pair = backdrop.ground[..., None, None]  # (B 2 3 1 1)
    return _three(lambda c: (pair[:, 0, c] + (pair[:, 1, c] - pair[:, 0, c]) * share) * (1 + grain))


def _wall(backdrop: Backdrop, x: Tensor, y: Tensor, foot: Tensor, coarse: Tensor, fine: Tensor, dim: Tensor) -> _Colour:
    pair = backdrop.wall[..., None, None]
    low = ((backdrop.number("dado") - y) / foot + 0.5).clamp_(0, 1)
    grain = 0.12 + 0.18 * backdrop.number("leaves"), 1.7 * backdrop.number("leaves")
    shade = dim * (
        1 + backdrop.number("stripes") * torch.cos(x * 20.0) + grain[0] * (coarse - 0.5) + grain[1] * (fine - 0.5)
    )
    cell = torch.remainder(torch.floor(x / 4.1), 16).long()
    street = (backdrop.place == 1).float()[:, None, None]
    glass = _box_wave(x / 1.37, 0.26) * _box_wave(y / 1.9 + 0.45, 0.27) * backdrop.number("windows") * (y > 1.0)
    colours = []
    for c, pane in enumerate((0.30, 0.36, 0.42)):
        house = backdrop.blocks[..., 1 + c].gather(1, cell.flatten(1)).view_as(x)
        base = torch.lerp(torch.lerp(pair[:, 0, c], pair[:, 1, c], low), house, street)
        colours.append(torch.lerp(base, torch.full_like(base, pane), glass).mul_(shade))
    for index in range(backdrop.pictures.shape[1]):
        _hang(backdrop.pictures[:, index, :, None, None], x, y, foot, 0.75 + 0.5 * fine, colours)
    return colours[0], colours[1], colours[2]


def _hang(picture: Tensor, x: Tensor, y: Tensor, foot: Tensor, grain: Tensor, colours: list[Tensor]) -> None:
    """Hang a rectangle with a frame on the wall."""
    inner = torch.minimum(picture[:, 2] - (x - picture[:, 0]).abs_(), picture[:, 3] - (y - picture[:, 1]).abs_())
    shown = (inner / foot).add_(0.5).clamp_(0, 1).mul_((picture[:, 2] > 0).float())
    inside = ((inner - 0.045) / foot).add_(1.5).clamp_(0.5, 1).mul_(grain)
    for c, colour in enumerate(colours):
        colour.lerp_(picture[:, 4 + c] * inside, shown)


def _sky(backdrop: Backdrop, rays: _Rays, coarse: Tensor) -> _Colour:
    up = (-rays.y * 2.2).clamp(0, 1)
    cloud = ((coarse - 0.5) * 1.5).clamp(0, 0.5) * up
    pair = backdrop.sky[..., None, None]
    return _three(lambda c: (pair[:, 0, c] + (pair[:, 1, c] - pair[:, 0, c]) * up) * (1 - cloud) + 0.97 * cloud)


def _height(backdrop: Backdrop, x: Tensor, fine: Tensor) -> Tensor:
    """Return how high the wall stands at x: a ceiling out of sight, houses, or trees."""
    cell = torch.remainder(torch.floor(x / 4.1), 16).long()
    houses = backdrop.blocks[..., 0].gather(1, cell.flatten(1)).view_as(x)
    trees = 2.4 + 0.9 * torch.sin(x * 0.35) + 0.55 * torch.sin(x * 0.83 + 1) + 1.6 * fine
    street, field = ((backdrop.place == place).float()[:, None, None] for place in (1, 2))
    return houses * street + trees * field + 1e4 * (1 - street - field)


def _ground_light(light: Light, x: Tensor, z: Tensor, balls: Tensor) -> Tensor:
    """Return the light on the ground (3 B H W), for four pixels at a time."""
    u, v = (F.avg_pool2d(axis[:, None], 2)[:, 0] for axis in (x, z))
    B, h, w = u.shape
    points = torch.stack([u, torch.zeros_like(u), v], dim=-1).flatten(1, 2)
    normals = torch.zeros_like(points)
    normals[..., 1] = -1
    wide = balls * balls.new_tensor([1.0, 1.0, 1.0, 1.3])  # the further it falls the softer a shadow is
    open_sky, lit = dimming(points, normals, wide, light.direction)
    open_sky = open_sky * open_sky
    both = torch.stack([open_sky.view(B, h, w), lit.view(B, h, w)], dim=1)
    both = F.interpolate(both, scale_factor=2.0, mode="bilinear", align_corners=False)
    key = (-light.direction[:, 1])[:, None, None] * 0.65 + 0.3
    return torch.stack(
        [light.key[:, c, None, None] * key * both[:, 1] + light.sky[:, c, None, None] * both[:, 0] for c in range(3)]
    )


def _level(light: Light, x: Tensor | float, y: Tensor | float, z: Tensor | float) -> Tensor:
    """Return the light (3 B 1 1) on a face with the given normal."""
    direction = light.direction
    cosine = (direction[:, 0] * x + direction[:, 1] * y + direction[:, 2] * z) * 0.6 + 0.4
    up = 0.5 - 0.5 * y
    level = light.key * cosine.clamp(min=0)[:, None] + (light.sky * up + light.bounce * (1 - up))
    return level.T[..., None, None]


def _furnish(backdrop: Backdrop, light: Light, rays: _Rays, colour: Tensor, distance: Tensor) -> Tensor:
    """Put boxes where a ray meets one before it meets the wall (slab method)."""
    px, py, pz = rays.position
    inverse_y = 1 / torch.where(rays.y.abs() < 1e-6, 1e-6, rays.y)
    top = _level(light, 0.0, -1.0, 0.0).mean(0)
    for index in range(backdrop.furniture.shape[1]):
        box = backdrop.furniture[:, index, :, None, None]
        side = backdrop.side[:, None, None]
        turn = box[:, 6] * side
        c, s = turn.cos(), turn.sin()
        ox, oz = px - box[:, 0] * side, pz - box[:, 2]
        dx, dz = c * rays.x - s * rays.z, s * rays.x + c * rays.z
        near_x, far_x = _slab(c * ox - s * oz, 1 / (dx + 1e-7), box[:, 3])
        near_y, far_y = _slab(py - box[:, 1], inverse_y, box[:, 4])
        near_z, far_z = _slab(s * ox + c * oz, 1 / (dz + 1e-7), box[:, 5])
        near = torch.maximum(torch.maximum(near_x, near_y), near_z)
        far = torch.minimum(torch.minimum(far_x, far_y), far_z)
        hit = ((near < far) & (near > 0.3) & (near < distance + 0.3)).float() * (box[:, 3] > 0)
        front = _level(light, -turn[:, 0, 0].sin(), 0.0, -turn[:, 0, 0].cos()).mean(0)
        flank = _level(light, -torch.sign(ox[:, 0, 0]), 0.0, 0.0).mean(0) * 0.8
        level = torch.lerp(flank, front, (near == near_z).float())
        level = torch.lerp(level, top, (near == near_y).float())
        level = level * (0.75 + 0.5 * (-(py + near * rays.y)).clamp_(0, 0.5))
        for channel in range(3):
            colour[:, channel].lerp_(box[:, 7 + channel] ** 2 * level, hit)
    return colour


def _slab(origin: Tensor, inverse: Tensor, half: Tensor) -> tuple[Tensor, Tensor]:
    """Return the distances at which rays enter and leave the space between two parallel planes."""
    a, b = (-half - origin) * inverse, (half - origin) * inverse
    return torch.minimum(a, b), torch.maximum(a, b)


def soften(colour: Float[Tensor, "B C H W"], side: float) -> Float[Tensor, "B C H W"]:
    """Blur with (s, 1 − 2s, s) both ways: what is behind is a little out of focus, and its edges are smooth."""
    padded = F.pad(colour, (1, 1, 1, 1), mode="replicate")
    rows = side * (padded[..., :-2, :] + padded[..., 2:, :]) + (1 - 2 * side) * padded[..., 1:-1, :]
    return side * (rows[..., :-2] + rows[..., 2:]) + (1 - 2 * side) * rows[..., 1:-1]


def _line(x: Tensor, width: float) -> Tensor:
    """Return 1 near whole numbers, 0 between."""
    gap = (x - x.round()).abs()
    return ((1.5 * width - gap) / width).clamp(0, 1)


def _box_wave(x: Tensor, half: float) -> Tensor:
    """Return 1 within `half` of whole numbers, with soft edges."""
    return ((half - (x - x.round()).abs()) * 25 + 0.5).clamp(0, 1)


def _three(channel: Callable[[int], Tensor]) -> _Colour:
    return channel(0), channel(1), channel(2)
