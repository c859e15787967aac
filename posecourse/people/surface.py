"""The surface of a person: every part's grid of points, from the posture, the proportions and the clothes."""

from functools import lru_cache

import torch
from torch import Tensor

from posecourse.people.anatomy import ARM, FOOT, HEAD, LEG, NOSE, PARTS, THUMB, TORSO
from posecourse.people.body import ANKLE, Bodies, Posture
from posecourse.people.hair import bun_points, shell_points
from posecourse.people.lofts import Surface, blended_frames, circle, loft
from posecourse.people.looks import Looks
from posecourse.people.rotations import rotate
from posecourse.people.skirt import draped_skirt

__all__ = ["body_surfaces"]

_HAND = 0.105


def body_surfaces(body: Posture, bodies: Bodies, looks: Looks) -> dict[str, Surface]:
    """Return the grid of every part in `anatomy.PARTS`, in the world, in metres."""
    parts = {"torso": _torso(body, bodies, looks)}
    parts |= _head(body, bodies, looks)
    for side in ("left", "right"):
        parts[f"{side}_arm"] = _arm(body, bodies, looks, side)
        parts[f"{side}_thumb"] = _thumb(body, bodies, side)
        parts[f"{side}_leg"] = _leg(body, bodies, looks, side)
        parts[f"{side}_foot"] = _foot(body, looks, side)
    parts["skirt"] = draped_skirt(body, bodies, looks)
    return {name: parts[name] for name in PARTS}


@lru_cache(maxsize=64)
def _table(rows: tuple[tuple[float, ...], ...], device: torch.device) -> tuple[Tensor, ...]:
    """Return a table's columns as tensors."""
    return tuple(torch.tensor(rows, device=device).unbind(-1))


def _torso(body: Posture, bodies: Bodies, looks: Looks) -> Surface:
    place, a, b, back = _table(TORSO, body.origins.device)
    pelvis, chest = body.frame("pelvis"), body.frame("chest")
    hips, waist, neck, atlas = body.origin("pelvis"), body.origin("chest"), body.neck, body.origin("head")
    low, high, up = (value[:, None] for value in (place / 0.33, (place - 0.33) / 0.67, (place - 1) / 0.31))
    line = torch.where(low < 1, _between(hips, waist, low), _between(waist, neck, high))
    line = torch.where(up > 0, _between(neck, atlas, up), line)
    frames = blended_frames(pelvis, chest, ((place - 0.12) / 0.45).clamp(0, 1))
    broad = ((place - 0.45) / 0.4).clamp(0, 1) * (1 - ((place - 0.97) / 0.06).clamp(0, 1))
    hip = 1 - ((place - 0.05) / 0.35).clamp(0, 1)
    width = 1 + broad * (bodies.shoulders[..., None] - 1) + hip * (bodies.hips[..., None] - 1)
    girth = 1 + (bodies.girth[..., None] - 1) * (1 - 0.5 * (place > 0.9).float())
    depth = girth * (1 + (bodies.chest[..., None] - 1) * 2 * torch.exp(-(((place - 0.7) / 0.15) ** 2)))
    belly = torch.exp(-(((place - 0.3) / 0.25) ** 2)) * (bodies.girth[..., None] - 1)
    cloth = looks.loose[..., 0, None] * (1 - ((place - 0.9) / 0.1).clamp(0, 1))
    radii = torch.stack([a * width * (0.4 + 0.6 * girth) + cloth + 0.35 * belly * a, b * depth + cloth + belly * b], -1)
    under = 0.3 * (looks.skirt[..., None] > 0) * (-place / 0.14).clamp(0, 1)  # keeps below a skirt
    radii = radii * (1 - under)[..., None]
    unit = body.unit[..., None, None]
    centres = line + frames[..., :, 2] * (back - 0.5 * belly * b).unsqueeze(-1) * unit
    return loft(centres, frames, radii * unit, place, PARTS["torso"][1], power=2.4)


def _limb(
    body: Posture, segments: tuple[str, str, str], last: float, rows: Tensor, radii: Tensor, sides: int
) -> Surface:
    """Return a tube through three segments; `rows` holds the rings' places and backward shifts as (2 R)."""
    place, back = rows
    first, second, third = (body.frame(name) for name in segments)
    origins = [body.origin(name) for name in segments]
    end = origins[2] + third[..., :, 1] * (last * body.unit)[..., None]
    p = place[:, None]
    line = torch.where(p < 1, _between(origins[0], origins[1], p), _between(origins[1], origins[2], p - 1))
    line = torch.where(p > 2, _between(origins[2], end, p - 2), line)
    upper = blended_frames(first, second, ((place - 0.78) / 0.44).clamp(0, 1))
    lower = blended_frames(second, third, ((place - 1.85) / 0.3).clamp(0, 1))
    frames = torch.where((place < 1.5)[:, None, None], upper, lower)
    unit = body.unit[..., None, None]
    return loft(line + frames[..., :, 2] * back[:, None] * unit, frames, radii * unit, place, sides)


def _arm(body: Posture, bodies: Bodies, looks: Looks, side: str) -> Surface:
    place, a, b, back = _table(ARM, body.origins.device)
    thick = 1 + (bodies.girth[..., None] - 1) * (1 - 0.6 * ((place - 1.6) / 0.4).clamp(0, 1))
    sleeve = looks.sleeve[..., None]
    cloth = looks.loose[..., 0, None] * ((sleeve + 0.1 - place) / 0.1).clamp(0, 1) * ((place + 0.1) / 0.5).clamp(0, 1)
    radii = torch.stack([a * thick + cloth, b * thick + cloth], -1)
    segments = (f"{side}_upper_arm", f"{side}_forearm", f"{side}_hand")
    return _limb(body, segments, _HAND, torch.stack([place, back]), radii, PARTS["left_arm"][1])


def _leg(body: Posture, bodies: Bodies, looks: Looks, side: str) -> Surface:
    place, a, b, back = _table(LEG, body.origins.device)
    thick = 1 + (bodies.girth[..., None] - 1) * (1 - 0.5 * ((place - 1.5) / 0.5).clamp(0, 1))
    hem = looks.hem[..., None]
    thick = thick * (1 - 0.2 * (looks.skirt[..., None] > 0) * ((hem - place) / 0.2).clamp(0, 1))  # keeps below a skirt
    flare = 1 + looks.flare[..., None] * ((place - 0.3) / 1.5).clamp(0, 1)
    cloth = looks.loose[..., 1, None] * flare * ((hem + 0.1 - place) / 0.1).clamp(0, 1) * (place > -0.1)
    radii = torch.stack([a * thick + cloth, b * thick + cloth], -1)
    segments = (f"{side}_thigh", f"{side}_shank", f"{side}_foot")
    return _limb(body, segments, 0.04, torch.stack([place, back]), radii, PARTS["left_leg"][1])


def _foot(body: Posture, looks: Looks, side: str) -> Surface:
    forward, a, b, centre = _table(FOOT, body.origins.device)
    origin, frame = body.origin(f"{side}_foot").unsqueeze(-2), body.frame(f"{side}_foot").unsqueeze(-3)
    unit = body.unit[..., None, None]
    line = torch.stack([torch.zeros_like(forward), ANKLE - centre, -forward], dim=-1) * unit
    axes = torch.stack([frame[..., :, 0], -frame[..., :, 2], frame[..., :, 1]], dim=-1)
    axes = axes.expand(*axes.shape[:-3], len(forward), 3, 3)
    radii = torch.stack([a, b], -1).expand(*body.unit.shape, len(forward), 2) * unit
    foot = loft(origin + rotate(frame, line), axes, radii, forward, PARTS["left_foot"][1], power=2.6)
    _, _, down = circle(PARTS["left_foot"][1], 2.6, forward.device)
    height = (centre[:, None] - b[:, None] * down).expand(foot.texture.shape[:-1])  # tells the sole from the shoe
    return Surface(foot.points, torch.stack([foot.texture[..., 0], height, foot.texture[..., 2]], dim=-1))


def _thumb(body: Posture, bodies: Bodies, side: str) -> Surface:
    along, radius, forward = _table(THUMB, body.origins.device)
    origin, frame = body.origin(f"{side}_hand").unsqueeze(-2), body.frame(f"{side}_hand").unsqueeze(-3)
    unit = body.unit[..., None, None]
    line = torch.stack([torch.zeros_like(along), along * _HAND, -forward], dim=-1) * unit
    frames = frame.expand(*frame.shape[:-3], len(along), 3, 3)
    radii = torch.stack([radius, radius], -1).expand(*body.unit.shape, len(along), 2) * unit
    return loft(origin + rotate(frame, line), frames, radii, along + 2, PARTS["left_thumb"][1])


def _head(body: Posture, bodies: Bodies, looks: Looks) -> dict[str, Surface]:
    """Return head, nose, ears and hair; their texture is the place in the head's own frame."""
    device, batch = body.origins.device, body.unit.shape
    local = {"head": _stack(HEAD, PARTS["head"][1], 0.0, device), "nose": _stack(NOSE, PARTS["nose"][1], 0.0, device)}
    ear = ((-0.33, 0.004, 0.01, 0.03), (-0.315, 0.022, 0.045, 0.035), (-0.27, 0.03, 0.066, 0.035),
           (-0.21, 0.03, 0.058, 0.025), (-0.15, 0.022, 0.04, 0.01), (-0.13, 0.004, 0.01, 0.005))  # fmt: skip
    for side, x in (("left", 0.325), ("right", -0.325)):
        local[f"{side}_ear"] = _stack(ear, PARTS["left_ear"][1], x, device)
    local = {name: grid.expand(*batch, *grid.shape) for name, grid in local.items()}
    shell = shell_points(looks.hair_shape[..., 0], looks.hair_shape[..., 1])
    local["hair"] = shell * (looks.hair_shape[..., 0] > 0.03)[..., None, None, None]
    local["bun"] = bun_points(looks.hair_shape[..., 2:])
    origin, frame = body.origin("head")[..., None, None, :], body.frame("head")[..., None, None, :, :]
    tall = bodies.head[..., None, None, None]
    return {name: Surface(origin + rotate(frame, grid * tall), grid) for name, grid in local.items()}


def _stack(rows: tuple[tuple[float, ...], ...], sides: int, x: float, device: torch.device) -> Tensor:
    """Return horizontal rings (R S+1 3) in the head's frame."""
    height, a, b, back = (column[:, None] for column in _table(rows, device))
    _, around, fore = circle(sides, 2.0, device)
    return torch.stack([a * around + x, height.expand(-1, sides + 1), b * fore + back], dim=-1)


def _between(start: Tensor, end: Tensor, share: Tensor) -> Tensor:
    """Return points on the line from `start` (… 3) to `end` (… 3) at `share` (R 1)."""
    return start.unsqueeze(-2) + (end - start).unsqueeze(-2) * share
