"""From what is in front to colours: which material shows, its pattern, the face that is painted on, and the light."""

from functools import lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

from posecourse.people.anatomy import PARTS, SOLE
from posecourse.people.hair import hairline
from posecourse.people.looks import MATERIALS, Looks
from posecourse.people.mesh import Mesh
from posecourse.people.rasterise import Hits, locate
from posecourse.people.scene import Scene
from posecourse.people.skirt import LINING

__all__ = ["colour_tables", "shade"]

_NEVER = 9.0  # a place that no part reaches
_LEAVES = 5  # the pattern of foliage, beyond the clothes' ones


def shade(scene: Scene, mesh: Mesh, hits: Hits, depth: Float[Tensor, " V"]) -> tuple[Tensor, Tensor]:
    """Return linear colours and coverage (B h w 4), 0 where nothing was hit, and the front row (B h w) or −1."""
    B, h, w = hits.triangle.shape
    place = (hits.inverse_depth > 0).flatten().nonzero().squeeze(-1)
    triangle = hits.triangle.flatten()[place]
    within = place % (h * w)
    row_of_sample = torch.div(within, w, rounding_mode="floor")
    weights = locate(hits, triangle, within - row_of_sample * w, row_of_sample)
    triangle = hits.layout.triangle[triangle]
    corners = mesh.triangles[triangle]
    parts = [weights[i] / depth[corners[:, i]] for i in range(3)]
    whole = parts[0] + parts[1] + parts[2]
    first, second, third = (mesh.traits[corners[:, i]] * (parts[i] / whole)[:, None] for i in range(3))
    traits = first + second + third
    row = mesh.row[triangle]
    albedo = _albedo(scene, traits[:, 3:], row)
    samples = albedo.new_zeros(B * h * w, 4)
    samples[place] = torch.cat([albedo.square() * traits[:, :3], torch.ones_like(albedo[:, :1])], dim=-1)
    rows = torch.full((B * h * w,), -1, dtype=torch.long, device=place.device)
    rows[place] = row
    return samples.view(B, h, w, 4), rows.view(B, h, w)


def colour_tables(scene: Scene) -> tuple[Float[Tensor, "rows 5"], Float[Tensor, "materials 8"]]:
    """Return the tables that colouring looks things up in.

    Returns:
        For each row, the two places where materials change and the three materials' numbers; for each material its
        two colours, its pattern and the pattern's repeat.
    """
    looks, props = scene.looks, scene.props
    materials = torch.cat([looks.colours, looks.second, looks.pattern[..., None].float(), looks.repeat[..., None]], -1)
    bottom, shoes = (looks.colours[..., MATERIALS.index(name), :] for name in ("bottom", "shoes"))
    made = torch.stack([0.4 * bottom, 0.3 * shoes + 0.55], dim=-2)  # linings are in the shade, soles are pale
    made = torch.cat([made, made, torch.zeros_like(made[..., :1]), torch.ones_like(made[..., :1])], -1)
    materials = torch.cat([materials, made], dim=-2)
    things = torch.cat([props.box_colours.flatten(0, 1), props.round_colours.flatten(0, 1)])
    kinds = torch.cat([torch.zeros_like(props.boxes[..., 0]).flatten(), props.round_kind.flatten()])
    pattern = torch.where(kinds == 1, float(_LEAVES), 0.0)[:, None]
    extra = torch.cat([things, things * 0.6, pattern, torch.full_like(pattern, 0.09)], dim=-1)
    zones, numbers = _zones(looks)
    first = materials.shape[-2] * torch.arange(looks.skin_tone.numel(), device=zones.device).view(
        *looks.skin_tone.shape, 1, 1
    )
    people = torch.cat([zones, numbers + first.float()], dim=-1).flatten(0, -2)
    own = materials.flatten(0, -2)
    mine = (len(own) + torch.arange(len(extra), device=zones.device).float())[:, None].expand(-1, 3)
    rows = torch.cat([people, torch.cat([torch.full_like(mine[:, :2], _NEVER), mine], dim=-1)])
    return rows, torch.cat([own, extra])


def _zones(looks: Looks) -> tuple[Tensor, Tensor]:
    """Return for each part (B N P) the places where its material changes (2) and its three materials (3)."""
    never = torch.full_like(looks.sleeve, _NEVER)
    skin, top, bottom, shoes, hair, lining, sole = range(7)
    limits, numbers = [], []
    for name in PARTS:
        first, second, kinds = never, never, (skin, skin, skin)
        if name == "torso":
            first, second, kinds = looks.waistline, looks.neckline, (bottom, top, skin)
        elif name.endswith("arm"):
            first, kinds = looks.sleeve, (top, skin, skin)
        elif name.endswith("leg"):
            first, second, kinds = looks.hem, torch.full_like(never, 1.88), (bottom, skin, shoes)
        elif name.endswith("foot"):
            first, kinds = torch.full_like(never, SOLE), (sole, shoes, shoes)
        elif name == "skirt":
            first, kinds = torch.full_like(never, LINING), (bottom, lining, lining)
        elif name in ("hair", "bun"):
            kinds = (hair, hair, hair)
        limits.append(torch.stack([first, second], dim=-1))
        numbers.append(kinds)
    table = looks.sleeve.new_tensor(numbers).expand(*looks.sleeve.shape, len(PARTS), 3)
    return torch.stack(limits, dim=-2), table


def _albedo(scene: Scene, texture: Float[Tensor, "n 3"], row: Int[Tensor, " n"]) -> Float[Tensor, "n 3"]:
    """Return sRGB colours before light."""
    rows, materials = colour_tables(scene)
    zone = rows[row]
    place = texture[:, 1]
    number = torch.where(place < zone[:, 0], zone[:, 2], torch.where(place < zone[:, 1], zone[:, 3], zone[:, 4]))
    material = materials[number.long()]
    share = _pattern(material[:, 6], material[:, 7], texture)[:, None]
    colour = material[:, :3] + share * (material[:, 3:6] - material[:, :3])
    B, N = scene.present.shape
    people = B * N * len(PARTS)
    part = torch.where(row < people, row % len(PARTS), -1)
    person = torch.div(row, len(PARTS), rounding_mode="floor").clamp(max=B * N - 1)
    return _faces(scene.looks, colour, texture, part, person)


def _pattern(kind: Tensor, repeat: Tensor, texture: Tensor) -> Tensor:
    """Return how much of the second colour shows (0 … 1) at metres around and along."""
    x, y = texture[:, 0] / repeat, texture[:, 2] / repeat
    hoops = _square(y)
    stripes = _square(x)
    dots = ((0.34 - torch.hypot((x + 0.5).remainder(1.0) - 0.5, (y % 1.0) - 0.5)) * 8).clamp(0, 1)
    z = texture[:, 1] / repeat
    leaves = (
        torch.cos(5 * x) * torch.sin(6 * y + 3 * torch.cos(4 * x)) * torch.sin(5 * z + 2 * y + 2 * torch.cos(3 * x))
    )
    leaves = (1.3 * leaves + 0.35).clamp(-0.35, 1)
    share = torch.where(kind == 1, hoops, 0.0)
    share = torch.where(kind == 2, stripes, share)
    share = torch.where(kind == 3, 0.5 * (hoops + stripes), share)
    share = torch.where(kind == 4, dots, share)
    return torch.where(kind == _LEAVES, leaves, share)


def _square(x: Tensor) -> Tensor:
    """Return a soft square wave of period 1, symmetric about 0."""
    return ((torch.cos(x * (2 * torch.pi)) * 2.5) + 0.5).clamp(0, 1)


@lru_cache(maxsize=8)
def _head_parts(device: torch.device) -> Tensor:
    """Return whether each part (and, last, none) carries the face's paint."""
    return torch.tensor([name in ("head", "nose") for name in PARTS] + [False], device=device)


def _faces(looks: Looks, colour: Tensor, texture: Tensor, part: Tensor, person: Tensor) -> Tensor:
    """Paint hair that is cut short, brows, eyes, lips and beard on heads; `texture` is the place in head heights."""
    where = _head_parts(part.device)[part].nonzero().squeeze(-1)
    x, y, z = texture[where].unbind(-1)
    who, base = person[where], colour[where]
    hair = looks.colours.flatten(0, 1)[who, MATERIALS.index("hair")]
    skin = looks.colours.flatten(0, 1)[who, 0]
    worn = looks.hair_style.flatten()[who]
    front = (z < -0.1).float()
    near = x.abs()
    bare = torch.where(worn == 0, 0.0, 1.0) * (part[where] == list(PARTS).index("head"))
    scalp = (hairline(torch.atan2(x, -z), y) / 0.12 + 0.5).clamp(0, 1) * ((0.02 - y) / 0.1).clamp(0, 1) * bare
    beard = looks.beard.flatten()[who] * ((y + 0.075 + 0.25 * (near - 0.12).clamp(min=0)) / 0.03).clamp(0, 1)
    beard = beard * ((0.26 + z * -0.5 - near * 0.2) / 0.1).clamp(0, 1) * (z < 0.06)
    painted = _mix(base, hair * 0.85 + skin * 0.1, 0.8 * beard)
    lips = skin * skin.new_tensor([0.80, 0.52, 0.52]) + skin.new_tensor([0.04, 0.0, 0.01])
    painted = _mix(painted, lips, _oval(near, y - 0.052, 0.0, 0.095, 0.026) * front)
    painted = _mix(painted, skin * 0.55, _oval(near, y - 0.05, 0.0, 0.085, 0.006) * front)
    painted = _mix(painted, skin * 0.82, _oval(near, y + 0.285, 0.142, 0.088, 0.062) * front * 0.6)
    painted = _mix(painted, skin * 0.25 + 0.68, _oval(near, y + 0.275, 0.142, 0.060, 0.028) * front)
    painted = _mix(
        painted, skin * 0 + skin.new_tensor([0.16, 0.10, 0.07]), _oval(near, y + 0.277, 0.142, 0.030, 0.029) * front
    )
    painted = _mix(
        painted, hair * 0.7, _oval(near, y + 0.366 - 0.1 * (near - 0.142).abs(), 0.145, 0.085, 0.016) * front * 0.85
    )
    painted = _mix(painted, hair, scalp)
    result = colour.clone()
    result[where] = painted
    return result


def _oval(x: Tensor, y: Tensor, centre: float, wide: float, tall: float) -> Tensor:
    """Return 1 inside an ellipse and 0 outside, with a soft edge."""
    radius = torch.sqrt(((x - centre) / wide) ** 2 + (y / tall) ** 2 + 1e-9)
    return ((1.15 - radius) / 0.3).clamp(0, 1)


def _mix(a: Tensor, b: Tensor, share: Tensor) -> Tensor:
    return a + (b - a) * share[:, None]
