"""What a person wears and looks like: skin in ten tones, hair, clothes in colours and patterns."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from posecourse.people.bundle import Bundle
from posecourse.people.dice import Dice
from posecourse.people.hair import STYLES

__all__ = ["MATERIALS", "PATTERNS", "SKIN_TONES", "Looks", "draw_looks"]

MATERIALS = ("skin", "top", "bottom", "shoes", "hair")
PATTERNS = ("plain", "hoops", "stripes", "checks", "dots")


def _rgb(codes: str) -> tuple[tuple[float, float, float], ...]:
    """Read colours written as in a web page."""
    values = [bytes.fromhex(code) for code in codes.split()]
    return tuple((r / 255, g / 255, b / 255) for r, g, b in values)


SKIN_TONES = _rgb("f0d9c6 e8c9b0 deb897 d0a27c bc8b63 a4744f 895d40 6f4932 563626 40291d")
"""Ten tones of skin from light to dark, as sRGB, evenly spaced in lightness; after the Monk scale (2022)."""

_HAIR = _rgb("1b1512 2a1d16 3d281b 5a3b24 7d5531 a87c48 cfae75 8c3f1f 9a9692 d8d4cc")
_CLOTHES = _rgb(
    "f2f0ea e6dcc8 c9c4bb 8d9196 4a4f57 23262d 1d2b45 2f4b7c 4f7cac 8fb3d1 2e6f6a 4f8f6b 9bb07a 6b6f3a d9b44a "
    "e08e45 c8553d 9e2f3a 73243f d98c9b b79bc9 6a4c86 8b5e3c c49a6c"
)
_TROUSERS = _rgb("1d2b45 2b3c58 3d5478 5c7391 23262d 33363d 4b4843 6b655b 8c8068 b7a888 d8cfba 3c3a2a 55333a 2e4a46")
_SHOES = _rgb("17181b 2b2522 4b3426 6d4b33 ebe9e4 c9c6bf 1f2d47 7c2e2c 8a8d91")


@dataclass(frozen=True)
class Looks(Bundle):
    """A person's looks.

    Args:
        skin_tone: 0 (lightest) … 9 (darkest), the place in `SKIN_TONES`.
        colours: sRGB of each of `MATERIALS`.
        second: sRGB of the other colour of each material's pattern.
        pattern: place in `PATTERNS` for each material.
        repeat: of the pattern in metres.
        hair_style: place in `hair.STYLES`.
        hair_shape: thickness, length, and the bun's height, backward shift, half width and half height, in heads.
        beard: 0 … 1.
        sleeve: where sleeves end: 0 shoulder, 1 elbow, 2 wrist.
        hem: where trousers end: 0 hip, 1 knee, 2 ankle.
        skirt: where a skirt ends on the leg; 0 for none.
        waistline: where the top ends on the trunk: 0 hips, 1 the neck's base.
        neckline: where the top begins on the trunk.
        flare: how much wider trousers get towards their hem.
        loose: thickness of the top and of the trousers in units of the body's proportions.
    """

    skin_tone: Int[Tensor, "B N"]
    colours: Float[Tensor, "B N 5 3"]
    second: Float[Tensor, "B N 5 3"]
    pattern: Int[Tensor, "B N 5"]
    repeat: Float[Tensor, "B N 5"]
    hair_style: Int[Tensor, "B N"]
    hair_shape: Float[Tensor, "B N 6"]
    beard: Float[Tensor, "B N"]
    sleeve: Float[Tensor, "B N"]
    hem: Float[Tensor, "B N"]
    skirt: Float[Tensor, "B N"]
    waistline: Float[Tensor, "B N"]
    neckline: Float[Tensor, "B N"]
    flare: Float[Tensor, "B N"]
    loose: Float[Tensor, "B N 2"]


def draw_looks(dice: Dice, active: Bool[Tensor, "B N"]) -> Looks:
    """Draw looks; every skin tone is equally likely, and skirts are short on the `active`."""
    tone, style = dice.choice([1.0] * 10), dice.choice([2, 9, 14, 8, 12, 7, 6, 4, 8])
    skirted, dress = dice.chance(0.2), dice.chance(0.4)
    colours, second = _colours(dice, tone, skirted & dress)
    shape = torch.tensor(list(STYLES.values()), device=dice.device)[style]
    long_sleeves, long_trousers = dice.chance(0.5), dice.chance(0.72)
    fuzzy = dice.uniform()
    pattern = torch.stack(
        [
            torch.zeros_like(tone),
            dice.choice([9, 4, 2, 2, 2]),
            dice.choice([16, 0, 1, 1, 1]),
            torch.zeros_like(tone),
            torch.zeros_like(tone),
        ],
        dim=-1,
    )
    pattern[..., 2] = torch.where(skirted & dress, pattern[..., 1], pattern[..., 2])
    return Looks(
        skin_tone=tone,
        colours=colours,
        second=second,
        pattern=pattern,
        repeat=dice.uniform(0.07, 0.14)[..., None].expand(*tone.shape, 5).clone(),
        hair_style=style,
        hair_shape=shape * dice.uniform(0.88, 1.12)[..., None],
        beard=torch.where((style < 4) & dice.chance(0.45) & ~skirted, 0.35 + 0.65 * fuzzy, 0.0),
        sleeve=torch.where(long_sleeves, dice.uniform(1.75, 1.97), dice.uniform(0.42, 0.8)),
        hem=torch.where(skirted, 0.2, torch.where(long_trousers, dice.uniform(1.86, 2.05), dice.uniform(0.55, 1.0))),
        skirt=torch.where(skirted, torch.where(active, 0.55, dice.uniform(0.7, 1.35)), 0.0),
        waistline=torch.where(skirted, dice.uniform(0.18, 0.26), dice.uniform(0.10, 0.24)),
        neckline=dice.uniform(0.97, 1.05),
        flare=torch.where(long_trousers, dice.uniform(0.0, 0.7), dice.uniform(0.6, 1.4)),
        loose=torch.stack([dice.uniform(0.002, 0.0075), dice.uniform(0.002, 0.007)], dim=-1),
    )


def _colours(dice: Dice, tone: Tensor, dress: Tensor) -> tuple[Tensor, Tensor]:
    """Return each material's two colours (B N 5 3): clothes from one palette, hair that goes with the skin."""
    clothes, trousers, shoes, hairs, skins = (
        torch.tensor(table, device=dice.device) for table in (_CLOTHES, _TROUSERS, _SHOES, _HAIR, SKIN_TONES)
    )
    top, other = clothes[dice.choice([1.0] * len(clothes))], clothes[dice.choice([3, 3] + [1.0] * (len(clothes) - 2))]
    bottom = trousers[dice.choice([1.0] * len(trousers))]
    bottom = torch.where(dress[..., None], top, bottom)
    any_hair = dice.choice([4, 5, 5, 4, 3, 2.5, 2, 1.5, 1.5, 1.5])
    hair = torch.where(tone > 4, dice.choice([6, 5, 2, 0.5, 0, 0, 0, 0, 0.7, 0.5]), any_hair)
    skin = (skins[tone] * (1 + 0.03 * dice.normal()[..., None])).clamp(0, 1)
    colours = torch.stack([skin, top, bottom, shoes[dice.choice([1.0] * len(shoes))], hairs[hair]], dim=-2)
    colours = (colours * (1 + 0.05 * dice.normal(0, 1, 5, 1) * (colours.new_tensor([0, 1, 1, 1, 1])[:, None]))).clamp(
        0, 1
    )
    grey = bottom * 0.55 + 0.3
    second = torch.stack(
        [skin, other, torch.where(dress[..., None], other, grey), shoes[dice.choice([1.0] * len(shoes))], hairs[hair]],
        dim=-2,
    )
    return colours, second
