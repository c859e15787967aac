"""Everything with a surface as one list of vertices and triangles: people first, then boxes, then round things."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from posecourse.people.anatomy import PARTS
from posecourse.people.body import Posture
from posecourse.people.light import Light, dimming, illumination, spheres
from posecourse.people.lofts import Surface, grid_normals, loft_triangles
from posecourse.people.props import box_points, box_triangles, round_points, round_triangles
from posecourse.people.scene import Scene
from posecourse.people.surface import body_surfaces

__all__ = ["Mesh", "assemble"]


@dataclass(frozen=True)
class Mesh:
    """A scene's surfaces. A row is a line of the colouring tables: one for each part of each person and each prop.

    Args:
        points: vertices in the camera's frame, metres.
        people_points: (B N P 3), the people's vertices alone.
        traits: of each vertex: the light that it reflects (linear RGB, 3), texture (3).
        triangles: three vertices each.
        image: of each triangle.
        row: of each triangle, in the colouring tables.
        drawn: whether a triangle belongs to somebody present.
        by_image: the triangles of each image.
    """

    points: Float[Tensor, "V 3"]
    people_points: Float[Tensor, "B N P 3"]
    traits: Float[Tensor, "V 6"]
    triangles: Int[Tensor, "F 3"]
    image: Int[Tensor, " F"]
    row: Int[Tensor, " F"]
    drawn: Bool[Tensor, " F"]
    by_image: Int[Tensor, "B T"]


def assemble(scene: Scene, body: Posture) -> Mesh:
    """Build the surfaces of a scene whose people stand as `body` says."""
    people, traits = _people(scene, body)
    boxes, box_normals = box_points(scene.props.boxes)
    rounds, round_normals = round_points(scene.props)
    seen = [scene.camera.view(part) for part in (people, boxes, rounds)]
    points = torch.cat([part.reshape(-1, 3) for part in seen])
    props = [_prop_traits(scene.light, boxes, box_normals), _prop_traits(scene.light, rounds, round_normals)]
    B, N = scene.present.shape
    Q, R = boxes.shape[1], rounds.shape[1]
    triangles, image, row, by_image = _topology(B, N, Q, R, points.device)
    drawn = torch.cat(
        [scene.present.flatten(), (scene.props.boxes[..., 3] > 0).flatten(), (scene.props.rounds[..., 3] > 0).flatten()]
    )
    owner = _owners(B, N, Q, R, points.device)
    return Mesh(points, seen[0], torch.cat([traits, *props]), triangles, image, row, drawn[owner], by_image)


def _people(scene: Scene, body: Posture) -> tuple[Tensor, Tensor]:
    """Return the people's vertices (B N V 3) and their traits (B·N·V 6)."""
    surfaces: dict[str, Surface] = body_surfaces(body, scene.bodies, scene.looks)
    points = torch.cat([part.points.flatten(-3, -2) for part in surfaces.values()], dim=-2)
    normals = torch.cat([grid_normals(part.points).flatten(-3, -2) for part in surfaces.values()], dim=-2)
    B, N = scene.present.shape
    texture = torch.cat([part.texture.expand(part.points.shape).flatten(-3, -2) for part in surfaces.values()], dim=-2)
    direction = scene.light.direction[:, None].expand(B, N, 3)
    open_sky, lit = dimming(points, normals, spheres(body), direction)
    traits = torch.cat([illumination(normals, open_sky, lit, scene.light), texture], dim=-1)
    return points, traits.flatten(0, -2)


def _prop_traits(light: Light, points: Tensor, normals: Tensor) -> Tensor:
    """Return traits of a prop; its texture is its place in the world, and it darkens towards the ground."""
    low = 0.55 + (-points[..., 1]).clamp(0, 0.35) * (0.45 / 0.35)
    return torch.cat([illumination(normals, low, 0.3 + 0.7 * low, light), points], dim=-1).flatten(0, -2)


@lru_cache(maxsize=8)
def person_triangles(device: torch.device) -> tuple[Tensor, Tensor, int]:
    """Return a person's triangles (F 3), each one's part, and the number of vertices.

    The right half of a body is split into triangles as the left one's mirror image.
    """
    triangles, parts, vertices = [], [], 0
    for index, (name, (rings, sides)) in enumerate(PARTS.items()):
        turned = {"left": 0, "right": sides}.get(name.split("_")[0], sides // 2)
        part = loft_triangles(rings, sides, turned, device)
        triangles.append(part + vertices)
        parts.append(torch.full((len(part),), index, device=device))
        vertices += rings * (sides + 1)
    return torch.cat(triangles), torch.cat(parts), vertices


def _repeated(triangles: Tensor, rows: Tensor, vertices: int, images: int, each: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return triangles, images and rows of `each` things in each of `images` images; `rows` are one thing's."""
    things = torch.arange(images * each, device=triangles.device)
    repeated = (triangles[None] + vertices * things[:, None, None]).flatten(0, 1)
    image = (things // each).repeat_interleave(len(triangles))
    row = (rows[None] + (int(rows.max()) + 1) * things[:, None]).flatten()
    return repeated, image, row


@lru_cache(maxsize=32)
def _topology(B: int, N: int, Q: int, R: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return triangles, their images, their rows, and the triangles by image (B T).

    There are B images with N people, Q boxes and R round things each.
    """
    person, parts, vertices = person_triangles(device)
    box, ring = box_triangles(device), round_triangles(device)
    kinds = (
        (person, parts, vertices, N, len(PARTS)),
        (box, torch.zeros(len(box), dtype=torch.long, device=device), 24, Q, 1),
        (ring, torch.zeros(len(ring), dtype=torch.long, device=device), int(ring.max()) + 1, R, 1),
    )
    found, first_vertex, first_row = [], 0, 0
    for triangles, rows, count, each, rows_each in kinds:
        if each == 0:
            continue
        t, image, row = _repeated(triangles, rows, count, B, each)
        found.append((t + first_vertex, image, row + first_row))
        first_vertex, first_row = first_vertex + count * B * each, first_row + rows_each * B * each
    columns = zip(*found, strict=True)
    triangles, image, row = (torch.cat(column) for column in columns)
    return triangles, image, row, image.argsort(stable=True).view(B, -1)


@lru_cache(maxsize=32)
def _owners(B: int, N: int, Q: int, R: int, device: torch.device) -> Tensor:
    """Return which person or prop each triangle belongs to: B·N people, then B·Q boxes, then B·R round things."""
    counts = (len(person_triangles(device)[0]), len(box_triangles(device)), len(round_triangles(device)))
    each = torch.tensor([counts[0]] * (B * N) + [counts[1]] * (B * Q) + [counts[2]] * (B * R), device=device)
    return torch.arange(len(each), device=device).repeat_interleave(each)
