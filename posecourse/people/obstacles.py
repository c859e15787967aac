"""Draw props: a seat under everybody who sits, and boxes, tables, poles or plants in front of people."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from posecourse.people.body import Posture
from posecourse.people.camera import Camera
from posecourse.people.dice import Dice
from posecourse.people.props import Props
from posecourse.people.rotations import rotate, turn_y

__all__ = ["draw_props"]

_WOODS = (
    (0.45, 0.32, 0.22),
    (0.65, 0.50, 0.35),
    (0.28, 0.22, 0.19),
    (0.80, 0.76, 0.70),
    (0.25, 0.33, 0.42),
    (0.50, 0.22, 0.20),
)
_GREENS = ((0.24, 0.40, 0.20), (0.36, 0.48, 0.22), (0.20, 0.36, 0.28))


def draw_props(
    whole: Dice,
    each: Dice,
    body: Posture,
    headings: Float[Tensor, "B N"],
    seated: Bool[Tensor, "B N"],
    present: Bool[Tensor, "B N"],
    camera: Camera,
    probability: float,
) -> Props:
    """Draw seats for the seated, and with `probability` something in front of somebody."""
    seats, seat_colours = _seats(each, body, headings, seated)
    boxes, box_colours, rounds, kinds, round_colours = _in_front(whole, body, present, camera, probability)
    return Props(
        boxes=torch.cat([seats, boxes], dim=1),
        box_colours=torch.cat([seat_colours, box_colours], dim=1),
        rounds=rounds,
        round_kind=kinds,
        round_colours=round_colours,
    )


def _seats(dice: Dice, body: Posture, headings: Tensor, seated: Tensor) -> tuple[Tensor, Tensor]:
    """Return for each person a seat and perhaps its back (B 2N 7), of size 0 for those who do not sit."""
    pelvis, unit = body.origin("pelvis"), body.unit
    turn = turn_y(headings)
    top = -(pelvis[..., 1] + 0.068 * unit).clamp(max=-0.1)
    zero = torch.zeros_like(top)
    wide, deep = dice.uniform(0.19, 0.27), dice.uniform(0.18, 0.23)
    solid, backed = dice.chance(0.5), dice.chance(0.5)
    fore = -0.08 * unit - deep
    lean = 0.105 * unit + 0.05  # where the back is, which stands on the seat's hind edge
    hind = torch.where(backed, lean + 0.025, deep - 0.08 * unit)
    deep = (hind - fore) / 2
    centre = pelvis + rotate(turn, torch.stack([zero, zero, fore + deep], -1))
    half_tall = torch.where(solid, top / 2, 0.03)
    on = seated.float()
    seat = torch.stack(
        [centre[..., 0], -(top - half_tall), centre[..., 2], wide * on, half_tall * on, deep * on, headings], -1
    )
    behind = pelvis + rotate(turn, torch.stack([zero, zero, lean], -1))
    held = on * backed
    back = torch.stack(
        [behind[..., 0], -(top + 0.2), behind[..., 2], wide * held, 0.26 * held, 0.026 * held, headings], -1
    )
    leg = torch.stack(
        [centre[..., 0], -(top / 2 - 0.02), centre[..., 2], 0.04 * on * ~solid, top / 2 - 0.02, 0.04 * on, headings], -1
    )
    wood = torch.tensor(_WOODS, device=dice.device)[dice.choice([1.0] * len(_WOODS))]
    return torch.cat([seat, back, leg], dim=1), torch.cat([wood, wood * 0.9, wood * 0.7], dim=1)


def _in_front(dice: Dice, body: Posture, present: Tensor, camera: Camera, probability: float) -> tuple[Tensor, ...]:
    """Return five boxes and four round things, of which one kind of obstacle is there or none."""
    weights = present.float() * torch.rand(present.shape, generator=dice.generator, device=dice.device)
    chosen = weights.argmax(-1)
    target = body.origin("pelvis").gather(1, chosen[:, None, None].expand(-1, 1, 3))[:, 0]
    nearest = torch.where(present[..., None], body.origins[..., :, 2], 1e9).amin((-1, -2))
    share = dice.uniform(0.15, 0.4)  # of the way from the nearest person to the camera
    z = nearest - 0.25 + share * (camera.position[:, 2] - nearest) * 0.6
    along = (z - camera.position[:, 2]) / (target[:, 2] - camera.position[:, 2])
    x = camera.position[:, 0] + along * (target[:, 0] + dice.sign() * dice.uniform(0.03, 0.32) - camera.position[:, 0])
    on = dice.chance(probability)
    kind = dice.choice([3, 2, 3, 3])  # crate, table, pole, plant
    crate, table, pole, plant = ((on & (kind == index)).float() for index in range(4))
    turn = dice.uniform(-0.5, 0.5)
    boxes = _boxes(dice, x, z, turn, crate, table)
    wood = torch.tensor(_WOODS, device=dice.device)[dice.choice([1.0] * len(_WOODS))]
    leaf = torch.tensor(_GREENS, device=dice.device)[dice.choice([1.0] * len(_GREENS))]
    rounds, kinds = _rounds(dice, x, z, pole, plant)
    colours = torch.stack([wood, leaf, leaf * 1.1, leaf * 0.9], dim=1)
    return (
        boxes,
        wood[:, None].expand(-1, 5, 3) * wood.new_tensor([1, 0.8, 0.8, 0.8, 0.8])[:, None],
        rounds,
        kinds,
        colours,
    )


def _boxes(dice: Dice, x: Tensor, z: Tensor, turn: Tensor, crate: Tensor, table: Tensor) -> Tensor:
    """Return five boxes: a crate or a table's top, and a table's legs."""
    zero = torch.zeros_like(x)
    tall = torch.where(table > 0, 0.74, dice.uniform(0.4, 1.0))
    wide = torch.where(table > 0, dice.uniform(0.45, 0.7), dice.uniform(0.15, 0.4))
    deep = torch.where(table > 0, dice.uniform(0.28, 0.4), dice.uniform(0.12, 0.3))
    half = torch.where(table > 0, 0.02, tall / 2)
    shown = crate + table
    found = [torch.stack([x, -(tall - half), z, wide * shown, half * shown, deep * shown, turn], -1)]
    for i in (-1, 1):
        for j in (-1, 1):
            place = rotate(turn_y(turn), torch.stack([i * (wide - 0.05), zero, j * (deep - 0.05)], -1))
            found.append(
                torch.stack(
                    [x + place[:, 0], zero - 0.36, z + place[:, 2], 0.022 * table, 0.36 * table, 0.022 * table, turn],
                    -1,
                )
            )
    return torch.stack(found, dim=1)


def _rounds(dice: Dice, x: Tensor, z: Tensor, pole: Tensor, plant: Tensor) -> tuple[Tensor, Tensor]:
    """Return a pole or pot and three balls of leaves (B 4 5), and their kinds."""
    zero = torch.zeros_like(x)
    thick = torch.where(pole > 0, dice.uniform(0.025, 0.07), dice.uniform(0.12, 0.18))
    tall = torch.where(pole > 0, dice.uniform(2.3, 3.2), dice.uniform(0.22, 0.38))
    found = [torch.stack([x, zero, z, thick * (pole + plant), tall * (pole + plant)], -1)]
    up = tall * 0.75
    for _ in range(3):
        ball = dice.uniform(0.13, 0.24)
        side, fore = dice.uniform(-0.16, 0.16), dice.uniform(-0.1, 0.1)
        found.append(torch.stack([x + side, -up, z + fore, ball * plant, ball * dice.uniform(1.6, 2.4) * plant], -1))
        up = up + ball * dice.uniform(0.5, 1.2)
    kinds = torch.stack([torch.where(pole > 0, 0.0, 2.0), zero + 1, zero + 1, zero + 1], dim=-1)
    return torch.stack(found, dim=1), kinds
