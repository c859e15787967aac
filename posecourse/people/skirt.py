"""A skirt: cloth about both thighs at once, which hangs from who stands and lies on the lap of who sits."""

import torch
from torch import Tensor

from posecourse.people.anatomy import PARTS
from posecourse.people.body import THIGH, Bodies, Posture
from posecourse.people.lofts import Surface, blended_frames, circle, orthonormal, sweep
from posecourse.people.looks import Looks

__all__ = ["LINING", "draped_skirt"]

LINING = 1.005
"""Place along the skirt beyond which its inside is seen; its hem is at 1."""

_TOP = -0.32  # where it leaves the trunk, in thighs above the hip


def draped_skirt(body: Posture, bodies: Bodies, looks: Looks) -> Surface:
    """Return the skirt's grid; without one its rings have no radius and nothing is drawn.

    Each ring is the outline of two ellipses, one about either leg, with a band stretched round them: no stride
    leaves the cloth. The last two rings close the hem with the skirt's inside.
    """
    rings, _ = PARTS["skirt"]
    closing = looks.skirt.new_tensor([1.0, 1.0])
    share = torch.cat([torch.linspace(0, 1, rings - 2, device=looks.skirt.device), closing])
    place = _TOP + (looks.skirt[..., None] - _TOP) * share  # on the leg: 0 the hip, 1 the knee
    left, right = (_along_leg(body, side, place[..., None]) for side in ("left", "right"))
    frames, upright, spread = _frames(body, place)
    radii = _radii(bodies, place, share, upright / spread.square()) * body.unit[..., None, None]
    apart = ((left - right) / 2).unsqueeze(-2) @ frames
    outlines = _banded(apart[..., 0, ::2], radii, spread, share * upright, share * (1 - upright))
    worn = (looks.skirt > 0).float()[..., None] * share.new_tensor([0.9] + [1.0] * (rings - 2) + [0.002])
    along = torch.cat([share[:-2], share.new_tensor([LINING, LINING + 1])])
    along[-3] = 1.0
    return sweep((left + right) / 2, frames, outlines * worn[..., None, None], radii.mean(-1), along)


def _along_leg(body: Posture, side: str, place: Tensor) -> Tensor:
    """Return points (… R 3) on the leg's bones, and above the hip on a line that is upright in the pelvis."""
    hip, knee, ankle = (body.origin(f"{side}_{name}").unsqueeze(-2) for name in ("thigh", "shank", "foot"))
    above = hip + body.frame("pelvis")[..., None, :, 1] * place * (THIGH * body.unit)[..., None, None]
    below = torch.where(place < 1, hip + (knee - hip) * place, knee + (ankle - knee) * (place - 1))
    return torch.where(place < 0, above, below)


def _frames(body: Posture, place: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the rings' axes (… R 3 3), how upright the thighs are (… 1), and how far a stride widens a ring."""
    half = place.new_tensor([0.5])
    thighs, shins = (
        blended_frames(body.frame(f"left_{name}"), body.frame(f"right_{name}"), half) for name in ("thigh", "shank")
    )
    pelvis = body.frame("pelvis").unsqueeze(-3)
    upper = _turned(pelvis, thighs, (place + 0.1) / 0.45)
    frames = _turned(upper, shins, (place - 0.8) / 0.4)
    upright = (pelvis[..., :, 1] * thighs[..., :, 1]).sum(-1).clamp(0, 1)
    mean = (body.frame("left_thigh")[..., :, 1] + body.frame("right_thigh")[..., :, 1]) / 2
    return frames, upright, 1 / mean.square().sum(-1, keepdim=True).sqrt().clamp(min=0.5)


def _turned(first: Tensor, second: Tensor, weight: Tensor) -> Tensor:
    """Return frames (… R 3 3) between two, with a weight (… R) that differs from person to person."""
    w = weight.clamp(0, 1)[..., None, None]
    return orthonormal(first * (1 - w) + second * w)


def _radii(bodies: Bodies, place: Tensor, share: Tensor, hanging: Tensor) -> Tensor:
    """Return the half width and depth (… R 2) of the cloth about one leg, in units of the body's proportions."""
    slack = 0.006 + 0.030 * share * hanging
    trunk, seat = (-place / 0.32).clamp(0, 1), 1 - (place.abs() / 0.5).clamp(0, 1)
    thigh = 0.056 - 0.010 * place.clamp(0, 1)
    across, deep = thigh - 0.026 * trunk, thigh + 0.004 + 0.014 * seat + 0.002 * trunk
    return torch.stack([across + slack, deep + slack], dim=-1) * bodies.girth[..., None, None]


def _banded(apart: Tensor, radii: Tensor, spread: Tensor, hanging: Tensor, lying: Tensor) -> Tensor:
    """Return the outlines (… R S 2) of a band round two ellipses at ±`apart` (… R 2).

    Args:
        apart: half the way from one leg to the other.
        radii: (… R 2) of the ellipses.
        spread: (… 1) how much longer the ellipses are along `apart`: a leg that slants crosses the ring at a slant.
        hanging: (… R) how far the cloth falls in folds, 0 … 1.
        lying: (… R) how far it sinks between the legs, 0 … 1.
    """
    angle, x, z = circle(PARTS["skirt"][1], 2.0, apart.device)
    far = apart.square().sum(-1, keepdim=True).sqrt() + 1e-6
    to = apart / far
    normal = torch.stack([x, z], dim=-1)
    towards = (normal * to.unsqueeze(-2)).sum(-1)  # … R S
    folds = 1 + 0.05 * hanging.unsqueeze(-1) * torch.cos(4 * angle)
    sag = 1 - 0.22 * lying.unsqueeze(-1) * (1 - 3 * towards.abs()).clamp(0)
    room = 0.6 + 0.4 * spread.unsqueeze(-1)  # a straight edge between two points of a curve cuts its corner
    cloth = normal * radii.unsqueeze(-2) * (folds * sag * room).unsqueeze(-1)
    slant = (cloth * to.unsqueeze(-2)).sum(-1) * (spread - 1).unsqueeze(-1)
    reach = (8 * towards).clamp(-1, 1) * far + slant
    return cloth + reach.unsqueeze(-1) * to.unsqueeze(-2)
