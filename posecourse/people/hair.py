"""Hair: a shell about the skull that leaves the face free, and a bun or tail behind; in head heights."""

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.people.anatomy import HEAD, PARTS
from posecourse.people.lofts import circle

__all__ = ["STYLES", "bun_points", "hairline", "shell_points"]

STYLES = {
    # thickness, length below the ears, bun: height, backwards, half width, half height
    "none": (0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "cropped": (0.022, 0.0, 0.0, 0.0, 0.0, 0.0),
    "short": (0.075, 0.10, 0.0, 0.0, 0.0, 0.0),
    "bob": (0.105, 0.45, 0.0, 0.0, 0.0, 0.0),
    "long": (0.085, 0.98, 0.0, 0.0, 0.0, 0.0),
    "afro": (0.26, 0.12, 0.0, 0.0, 0.0, 0.0),
    "bun": (0.045, 0.02, -0.66, 0.42, 0.17, 0.15),
    "top_knot": (0.040, 0.02, -0.92, 0.06, 0.15, 0.13),
    "tail": (0.045, 0.04, -0.10, 0.56, 0.12, 0.42),
}
"""Ways of wearing hair."""


def hairline(angle: Tensor, height: Tensor) -> Tensor:
    """Return how far (radians) a place of the head is behind the hairline; negative on the face.

    Args:
        angle: around the head, 0 in front, radians.
        height: downwards from the atlas in head heights.
    """
    opening = 0.35 + 1.0 * ((height + 0.62) / 0.16).clamp(0, 1) + 0.62 * ((height + 0.36) / 0.22).clamp(0, 1)
    opening = torch.where(height < -0.62, 0.35 + (height + 0.62) * 6.0, opening)
    return angle.abs() - opening


def shell_points(thickness: Float[Tensor, "*B"], length: Float[Tensor, "*B"]) -> Float[Tensor, "*B R S 3"]:
    """Return the hair's grid about the atlas; over the face it lies inside the head and so is not seen."""
    rings, sides = PARTS["hair"]
    angle, x, z = circle(sides, 2.0, thickness.device)
    low = 0.04 + length
    share = torch.linspace(0, 1, rings, device=thickness.device)
    top = -0.775 - thickness * 0.9
    height = top[..., None] + (low - top)[..., None] * share**1.15  # (*B R)
    skull = torch.tensor(HEAD, device=thickness.device).T.contiguous()
    a, b, back = (_interpolated(height, skull[0], skull[column]) for column in (1, 2, 3))
    hanging = ((height + 0.12) / 0.2).clamp(0, 1)  # below the ears hair hangs behind the neck instead
    a, b, back = (value + hanging * (hung - value) for value, hung in ((a, 0.30), (b, 0.17), (back, 0.20)))
    thick = thickness[..., None] * (1 - 0.5 * hanging)
    rise = ((height - top[..., None]) / (0.16 + 0.5 * thickness[..., None])).clamp(0, 1)
    above = (rise * (2 - rise) + 1e-6).sqrt()  # rounds the crown
    ends = (1 - ((height - low[..., None] + 0.06) / 0.06).clamp(0, 1)) * 0.75 + 0.25
    a, b = (a + thick) * above * ends, (b + thick) * above * ends
    behind = (hairline(angle, height[..., None]) / 0.30).clamp(-1, 0) * (1 - hanging[..., None])
    inside = 1 + behind * (0.10 + thick[..., None] * 2.2)
    return torch.stack(
        [
            a[..., None] * x * inside,
            height[..., None].expand(*height.shape, len(angle)),
            b[..., None] * z * inside + back[..., None],
        ],
        dim=-1,
    )


def bun_points(bun: Float[Tensor, "*B 4"]) -> Float[Tensor, "*B R S 3"]:
    """Return the grid of a bun or tail: an upright ellipsoid at (height, backwards) of (half width, half height)."""
    rings, sides = PARTS["bun"]
    _, x, z = circle(sides, 2.0, bun.device)
    polar = torch.linspace(0.02, torch.pi - 0.02, rings, device=bun.device)[:, None]
    height, back, wide, tall = (bun[..., index, None, None] for index in range(4))
    return torch.stack(
        [
            wide * polar.sin() * x,
            (height - tall * polar.cos()).expand(*bun.shape[:-1], rings, sides + 1),
            wide * polar.sin() * z + back,
        ],
        dim=-1,
    )


def _interpolated(at: Tensor, places: Tensor, values: Tensor) -> Tensor:
    """Return `values` at `at` by linear interpolation over rising `places`, constant outside."""
    right = torch.searchsorted(places, at.contiguous()).clamp(1, len(places) - 1)
    left = right - 1
    share = ((at - places[left]) / (places[right] - places[left])).clamp(0, 1)
    return values[left] + share * (values[right] - values[left])
