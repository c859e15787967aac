"""Colours of skin, hair and clothes, and a way to keep what is worn apart from the skin."""

from functools import lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["CLOTHES", "HAIR", "SHOES", "SKIN_TONES", "TROUSERS", "away_from", "lab"]


def _rgb(codes: str) -> tuple[tuple[float, float, float], ...]:
    """Read colours written as in a web page."""
    values = [bytes.fromhex(code) for code in codes.split()]
    return tuple((r / 255, g / 255, b / 255) for r, g, b in values)


SKIN_TONES = _rgb("f0d9c6 e8c9b0 deb897 d0a27c bc8b63 a4744f 895d40 6f4932 563626 40291d")
"""Ten tones of skin from light to dark, as sRGB, evenly spaced in lightness; after the Monk scale (2022)."""

HAIR = _rgb("1b1512 2a1d16 3d281b 5a3b24 7d5531 a87c48 cfae75 8c3f1f 9a9692 d8d4cc")
CLOTHES = _rgb(
    "f2f0ea e6dcc8 c9c4bb 8d9196 4a4f57 23262d 1d2b45 2f4b7c 4f7cac 8fb3d1 2e6f6a 4f8f6b 9bb07a 6b6f3a d9b44a "
    "e08e45 c8553d 9e2f3a 73243f d98c9b b79bc9 6a4c86 8b5e3c c49a6c"
)
TROUSERS = _rgb("1d2b45 2b3c58 3d5478 5c7391 23262d 33363d 4b4843 6b655b 8c8068 b7a888 d8cfba 3c3a2a 55333a 2e4a46")
SHOES = _rgb("17181b 2b2522 35463f a8413c ebe9e4 c9c6bf 1f2d47 7c2e2c 8a8d91")


def away_from(
    tone: Int[Tensor, "*B"], table: tuple[tuple[float, float, float], ...], chosen: Int[Tensor, "*B"], least: float
) -> Float[Tensor, "*B 3"]:
    """Return the chosen colours of a table, or where one could be taken for skin another that could not.

    Args:
        tone: place in `SKIN_TONES` of the skin beside it.
        table: sRGB colours.
        chosen: place in the table.
        least: difference ΔE*ab from the skin that will do; about 2 can just be seen. Without such a colour in the
            table the choice stands.
    """
    return torch.tensor(table, device=tone.device)[_substitutes(table, least, tone.device)[tone, chosen]]


@lru_cache(maxsize=32)
def _substitutes(
    table: tuple[tuple[float, float, float], ...], least: float, device: torch.device
) -> Int[Tensor, "tones colours"]:
    """Return the place of the colour to wear for each skin tone and choice."""
    apart = torch.cdist(lab(torch.tensor(SKIN_TONES)), lab(torch.tensor(table))) >= least
    fit = apart.int().argsort(dim=-1, descending=True, stable=True)  # those that will do come first
    places = torch.arange(len(table)).expand(apart.shape)
    taken = fit.gather(-1, places % apart.sum(-1, keepdim=True).clamp(min=1))
    return torch.where(apart | ~apart.any(-1, keepdim=True), places, taken).to(device)


def lab(colours: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 3"]:
    """Return CIE L*a*b* (D65) of sRGB colours in [0, 1].

    Source: CIE 15:2004 with the primaries of IEC 61966-2-1.
    """
    linear = torch.where(colours > 0.04045, ((colours + 0.055) / 1.055) ** 2.4, colours / 12.92)
    primaries = linear.new_tensor([(0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505)])
    xyz = linear @ primaries.T / linear.new_tensor([0.9505, 1.0, 1.089])
    root = torch.where(xyz > (6 / 29) ** 3, xyz.clamp(min=1e-9) ** (1 / 3), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = root.unbind(-1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=-1)
