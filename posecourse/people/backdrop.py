"""Somewhere: a room, a street, a field or a studio, in true perspective behind the people."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from posecourse.people.bundle import Bundle
from posecourse.people.dice import Dice

__all__ = ["PLACES", "Backdrop", "draw_backdrop"]

PLACES = ("room", "street", "field", "studio")

_ROOM_WALLS = (
    (0.87, 0.84, 0.77),
    (0.80, 0.84, 0.84),
    (0.76, 0.81, 0.73),
    (0.86, 0.76, 0.69),
    (0.66, 0.72, 0.79),
    (0.9, 0.89, 0.87),
)
_ROOM_FLOORS = (
    (0.60, 0.44, 0.31),
    (0.70, 0.57, 0.43),
    (0.45, 0.33, 0.25),
    (0.66, 0.64, 0.61),
    (0.50, 0.48, 0.47),
    (0.58, 0.52, 0.55),
)
_STREETS = ((0.55, 0.55, 0.56), (0.48, 0.48, 0.50), (0.62, 0.59, 0.55), (0.66, 0.62, 0.57))
_FIELDS = ((0.40, 0.50, 0.22), (0.48, 0.52, 0.27), (0.33, 0.46, 0.24), (0.72, 0.65, 0.46))
_FACADES = (
    (0.72, 0.60, 0.50),
    (0.62, 0.42, 0.34),
    (0.80, 0.76, 0.68),
    (0.55, 0.57, 0.60),
    (0.83, 0.70, 0.53),
    (0.46, 0.47, 0.52),
)
_THINGS = (
    (0.42, 0.29, 0.20),
    (0.75, 0.70, 0.62),
    (0.25, 0.33, 0.42),
    (0.52, 0.24, 0.20),
    (0.32, 0.42, 0.34),
    (0.86, 0.82, 0.74),
)


@dataclass(frozen=True)
class Backdrop(Bundle):
    """What is behind the people. Colours are sRGB, lengths metres.

    Args:
        place: index in `PLACES`.
        side: −1 for the mirror image of the place, else 1.
        ground: two colours of the ground's pattern.
        wall: two colours: the wall and its lower part, or leaves near and far.
        sky: colours at the horizon and above.
        numbers: see `NUMBERS`.
        blocks: (16) houses in a row: height and colour.
        pictures: (4) rectangles on the wall: x, height, half sizes, colour.
        furniture: (2) boxes: centre, half sizes, turn, colour.
        noise: two smooth random maps.
    """

    place: Int[Tensor, " B"]
    side: Float[Tensor, " B"]
    ground: Float[Tensor, "B 2 3"]
    wall: Float[Tensor, "B 2 3"]
    sky: Float[Tensor, "B 2 3"]
    numbers: Float[Tensor, "B P"]
    blocks: Float[Tensor, "B 16 4"]
    pictures: Float[Tensor, "B 4 7"]
    furniture: Float[Tensor, "B 2 10"]
    noise: Float[Tensor, "B 2 32 32"]

    def number(self, name: str) -> Float[Tensor, "B 1 1"]:
        """Return one of `NUMBERS`, ready to meet a picture."""
        return self.numbers[:, NUMBERS.index(name), None, None]


NUMBERS = (
    "wall_z",
    "side_x",
    "board",
    "lines",
    "checks",
    "grain",
    "grain_scale",
    "dado",
    "stripes",
    "windows",
    "leaves",
    "haze",
)
"""Distances of the back and the side wall, width of boards or slabs, strength of their lines and of checks, strength
and size of the ground's grain, height of the wall's lower part, strength of wallpaper stripes, of windows, of leaves,
of haze."""


def draw_backdrop(dice: Dice, places: tuple[float, ...] = (0.42, 0.26, 0.22, 0.10)) -> Backdrop:
    """Draw a backdrop; `places` weighs `PLACES`."""
    place = dice.choice(places)
    room, street, field, studio = (place == index for index in range(4))
    walls, facades = _pick(dice, _ROOM_WALLS), _pick(dice, _FACADES)
    floor = _select(
        place, _pick(dice, _ROOM_FLOORS), _pick(dice, _STREETS), _pick(dice, _FIELDS), _pick(dice, _ROOM_WALLS)
    )
    leaf = _pick(dice, ((0.22, 0.34, 0.18), (0.30, 0.38, 0.20), (0.24, 0.36, 0.28)))
    wall = _select(place, walls, facades, leaf, floor * 1.02)
    lower = _select(place, walls * dice.uniform(0.72, 1.05)[..., None], facades * 0.8, leaf * 0.75, floor)
    blue = dice.uniform()[..., None]
    above = blue * wall.new_tensor([0.36, 0.56, 0.82]) + (1 - blue) * wall.new_tensor([0.72, 0.77, 0.83])
    horizon = 0.35 * above + 0.65 * wall.new_tensor([0.90, 0.90, 0.87])
    far = _select(place, dice.uniform(1.2, 3.2), dice.uniform(5, 12), dice.uniform(12, 30), dice.uniform(1.5, 4))
    return Backdrop(
        place=place,
        side=torch.ones_like(far),
        ground=torch.stack([floor, floor * dice.uniform(0.62, 0.88)[..., None]], dim=-2),
        wall=torch.stack([wall, lower], dim=-2).clamp(0, 1),
        sky=torch.stack([horizon, above], dim=-2),
        numbers=_numbers(dice, place, far),
        blocks=_blocks(dice),
        pictures=_pictures(dice, room, studio),
        furniture=_furniture(dice, far, room, street, field),
        noise=dice.uniform(0, 1, 2, 32, 32),
    )


def _numbers(dice: Dice, place: Tensor, far: Tensor) -> Tensor:
    """Return what `NUMBERS` names."""
    room, street, field = (place == index for index in range(3))
    zero = torch.zeros_like(far)
    yes = dice.chance(0.45) & room
    return torch.stack(
        [
            far,
            torch.where(yes, dice.sign() * dice.uniform(1.3, 2.6), 1e4),
            _select(place, dice.uniform(0.10, 0.5), dice.uniform(0.5, 1.0), zero + 1, zero + 1),
            torch.where(room | street, dice.uniform(0.12, 0.5), zero),
            torch.where(room & dice.chance(0.25), dice.uniform(0.2, 0.7), zero),
            _select(place, dice.uniform(0.05, 0.2), dice.uniform(0.15, 0.35), dice.uniform(0.4, 0.7), zero + 0.06),
            _select(place, zero + 0.9, zero + 0.7, dice.uniform(0.35, 0.6), zero + 3),
            torch.where(room & dice.chance(0.4), dice.uniform(0.7, 1.1), torch.where(room, 0.11, zero)),
            torch.where(room & dice.chance(0.3), dice.uniform(0.03, 0.10), zero),
            torch.where(street, dice.uniform(0.5, 0.9), zero),
            torch.where(field, 1.0, torch.where(street, 0.0, zero)),
            torch.where(field | street, dice.uniform(0.2, 0.7), zero),
        ],
        dim=-1,
    )


def _blocks(dice: Dice) -> Tensor:
    table = torch.tensor(_FACADES, device=dice.device)
    colours = table[dice.choice([1.0] * len(table), 16)] * dice.uniform(0.75, 1.1, 16, 1)
    return torch.cat([dice.uniform(3.0, 9.0, 16, 1), colours], dim=-1)


def _pictures(dice: Dice, room: Tensor, studio: Tensor) -> Tensor:
    """Return rectangles on a room's wall: pictures, a window or a door."""
    colours = torch.stack([_pick(dice, _THINGS + _FACADES) for _ in range(4)], dim=-2)
    x = dice.uniform(-2.6, 2.6, 4)
    height, half = dice.uniform(1.2, 2.1, 4), dice.uniform(0.12, 0.5, 4)
    tall = dice.uniform(0.12, 0.45, 4)
    door = torch.zeros_like(x)
    door[..., 0] = dice.chance(0.55).float()
    height, half, tall = height + door * (1.02 - height), half + door * (0.45 - half), tall + door * (1.02 - tall)
    shown = ((dice.uniform(0, 1, 4) < 0.75) & ~studio[..., None]).float() * torch.where(room, 1.0, 0.0)[..., None]
    return torch.cat([torch.stack([x, height, half * shown, tall], dim=-1), colours], dim=-1)


def _furniture(dice: Dice, far: Tensor, room: Tensor, street: Tensor, field: Tensor) -> Tensor:
    """Return boxes that stand behind: shelves and sofas, kiosks, trunks."""
    colours = torch.stack([_pick(dice, _THINGS) for _ in range(2)], dim=-2)
    depth = far[..., None] * dice.uniform(0.55, 0.95, 2)
    x = dice.uniform(-1.0, 1.0, 2) * (1.3 + 0.25 * depth)
    wide, tall = dice.uniform(0.2, 0.8, 2), dice.uniform(0.25, 0.95, 2)
    deep = dice.uniform(0.15, 0.35, 2)
    outside = (street | field)[..., None]
    wide = torch.where(field[..., None], 0.13 + 0.15 * wide, torch.where(outside, wide * 1.2, wide))
    tall = torch.where(field[..., None], 3.0, tall)
    deep = torch.where(field[..., None], 0.15, deep)
    colours = torch.where(field[..., None, None], colours * 0 + colours.new_tensor([0.30, 0.24, 0.18]), colours)
    shown = (dice.uniform(0, 1, 2) < 0.7) & (room | street | field)[..., None]
    halves = torch.stack([wide, tall, deep], dim=-1) * shown[..., None]
    centre = torch.stack([x, -tall, depth], dim=-1)
    return torch.cat(
        [centre, halves, dice.uniform(-0.5, 0.5, 2, 1) * outside[..., None].logical_not(), colours], dim=-1
    )


def _pick(dice: Dice, table: tuple[tuple[float, ...], ...]) -> Tensor:
    """Draw a colour from a table, varied a little."""
    colours = torch.tensor(table, device=dice.device)[dice.choice([1.0] * len(table))]
    return (colours * (1 + 0.06 * dice.normal()[..., None])).clamp(0, 1)


def _select(place: Tensor, *values: Tensor) -> Tensor:
    """Return for each scene the value of its place."""
    stacked = torch.stack(values)
    index = place.view(1, -1, *(1,) * (stacked.ndim - 2)).expand(1, *stacked.shape[1:])
    return stacked.gather(0, index)[0]
