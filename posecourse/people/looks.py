"""What a person wears and looks like: skin in ten tones, hair, clothes in colours and patterns."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from posecourse.people.bundle import Bundle
from posecourse.people.dice import Dice
from posecourse.people.hair import STYLES
from posecourse.people.palette import CLOTHES, HAIR, SHOES, SKIN_TONES, TROUSERS, away_from

__all__ = ["MATERIALS", "PATTERNS", "Looks", "draw_looks"]

MATERIALS = ("skin", "top", "bottom", "shoes", "hair")
PATTERNS = ("plain", "hoops", "stripes", "checks", "dots")


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
    looks = Looks(
        skin_tone=tone,
        colours=colours,
        second=second,
        pattern=pattern,
        repeat=dice.uniform(0.07, 0.14)[..., None].expand(*tone.shape, 5).clone(),
        hair_style=style,
        hair_shape=shape * dice.uniform(0.88, 1.12)[..., None],
        beard=torch.where((style < 4) & dice.chance(0.45) & ~skirted, 0.35 + 0.65 * fuzzy, 0.0),
        sleeve=torch.where(long_sleeves, dice.uniform(1.75, 1.97), dice.uniform(0.42, 0.8)),
        hem=torch.where(long_trousers, dice.uniform(1.86, 2.05), dice.uniform(0.55, 1.0)),
        skirt=torch.where(skirted, torch.where(active, 0.55, dice.uniform(0.7, 1.35)), 0.0),
        waistline=torch.where(skirted, dice.uniform(0.18, 0.26), dice.uniform(0.10, 0.24)),
        neckline=dice.uniform(0.97, 1.05),
        flare=torch.where(long_trousers, dice.uniform(0.0, 0.7), dice.uniform(0.6, 1.4)),
        loose=torch.stack([dice.uniform(0.002, 0.0075), dice.uniform(0.002, 0.007)], dim=-1),
    )
    under = torch.where(active, 0.98, 0.9) * looks.skirt  # a skirt's own cloth is about the thighs beneath it
    lining = torch.where(skirted, under, looks.hem)
    return replace(looks, hem=lining, flare=torch.where(skirted, 0.0, looks.flare))


def _colours(dice: Dice, tone: Tensor, dress: Tensor) -> tuple[Tensor, Tensor]:
    """Return each material's two colours (B N 5 3): clothes from one palette, hair that goes with the skin."""
    skins = torch.tensor(SKIN_TONES, device=dice.device)
    top, other = (away_from(tone, CLOTHES, dice.choice(odds), 30) for odds in ([1.0] * 24, [3, 3] + [1.0] * 22))
    bottom = away_from(tone, TROUSERS, dice.choice([1.0] * len(TROUSERS)), 24)
    bottom = torch.where(dress[..., None], top, bottom)
    any_hair = dice.choice([4, 5, 5, 4, 3, 2.5, 2, 1.5, 1.5, 1.5])
    dark_hair = torch.tensor(HAIR, device=dice.device)[dice.choice([6, 5, 2, 0.5, 0, 0, 0, 0, 0.7, 0.5])]
    hair = torch.where((tone > 4)[..., None], dark_hair, away_from(tone, HAIR, any_hair, 14))
    skin = (skins[tone] * (1 + 0.03 * dice.normal()[..., None])).clamp(0, 1)
    shoes = away_from(tone, SHOES, dice.choice([1.0] * len(SHOES)), 30)
    colours = torch.stack([skin, top, bottom, shoes, hair], dim=-2)
    worn = colours.new_tensor([0, 1, 1, 1, 1])[:, None]
    colours = (colours * (1 + 0.05 * dice.normal(0, 1, 5, 1) * worn)).clamp(0, 1)
    grey = bottom * 0.55 + 0.3
    laces = away_from(tone, SHOES, dice.choice([1.0] * len(SHOES)), 30)
    second = torch.stack([skin, other, torch.where(dress[..., None], other, grey), laces, hair], dim=-2)
    return colours, second
