"""Scene to Sample: the pictures, and everything that is true of them."""

from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from posecourse.people.anatomy import PARTS
from posecourse.people.body import keypoints_3d
from posecourse.people.camera import project
from posecourse.people.light import spheres
from posecourse.people.mesh import Mesh, assemble
from posecourse.people.paint import paint, soften
from posecourse.people.rasterise import rasterise
from posecourse.people.scene import Scene
from posecourse.people.shade import shade
from posecourse.people.visibility import see
from posecourse.samples import Sample, concatenate
from posecourse.shapes import Size, checked_size

__all__ = ["render"]

_OF_THE_SCENE = ("light_direction", "place")
_SAMPLES = 2  # of a pixel along each axis
_CHUNK = 2**17  # pixels rendered at a time: small enough for a processor's cache, large enough to spread the overhead


def render(scene: Scene, size: Size, *, crowd: bool | None = None) -> Sample:
    """Draw a scene.

    Args:
        scene: what is drawn; the picture is made on its device.
        size: (H, W) of the pictures. The scene does not change with it: keypoints at twice the size are (p + ½)·2 − ½.
            People fill the shape that the scene was drawn for, `draw_scenes(aspect=W / H)`. A narrower picture is
            cut, and what is cut off has visibility 0; a wider one shows more; nobody is stretched.
        crowd: whether the sample has a place axis; None for one only where the scene has several places.

    Returns:
        Images, keypoints, visibility, boxes, areas, the camera, who is where, and what was drawn, by name.
    """
    H, W = checked_size(size)
    step = max(1, _CHUNK // (H * W))
    parts = [_render(scene[start : start + step], (H, W)) for start in range(0, len(scene), step)]
    sample = parts[0] if len(parts) == 1 else concatenate(parts)
    alone = scene.present.shape[1] == 1 if crowd is None else not crowd
    return _single(sample) if alone else sample


def _render(scene: Scene, size: Size) -> Sample:
    """Draw a few scenes at once, as a crowd."""
    (H, W), scale = size, _SAMPLES
    body = scene.posture()
    matrix = scene.camera.matrix(size)
    mesh = assemble(scene, body)
    flat, depth = _screen(scene, mesh, matrix), mesh.points[:, 2]
    hits = rasterise(
        (flat + 0.5) * scale - 0.5, depth, mesh.triangles, mesh.image, mesh.drawn, len(scene), (H * scale, W * scale)
    )
    colours, rows = shade(scene, mesh, hits, depth)
    balls = spheres(body) * scene.present[..., None, None]
    behind = _behind(scene, balls.flatten(1, 2), size)
    pooled = _pooled(colours, scale)
    images = pooled[:, :3] + behind * (1 - pooled[:, 3:])
    points = scene.camera.view(keypoints_3d(body, scene.bodies.head))
    keypoints = project(points, matrix)
    person_map = _person_map(rows, scene.present.shape[1], scale)
    boxes, areas = _extents(person_map, scene.present.shape[1])
    outline = flat[: mesh.people_points[..., 0].numel()].view(*mesh.people_points.shape[:-1], 2)
    here = scene.present
    inside = ((keypoints >= -0.5) & (keypoints < keypoints.new_tensor([W - 0.5, H - 0.5]))).all(-1)
    return Sample(
        images=images.clamp(0, 1).sqrt(),
        keypoints=keypoints * here[..., None, None],
        visibility=see(mesh, points, scene.bodies.head, inside) * here[..., None],
        boxes=boxes,
        areas=areas,
        present=here,
        keypoints_3d=points,
        camera=matrix,
        person_map=person_map,
        attributes=_attributes(scene, outline),
    )


def _behind(scene: Scene, balls: Float[Tensor, "B S 4"], size: Size) -> Float[Tensor, "B 3 H W"]:
    """Return the backdrop; large pictures have it out of focus, painted at half the size.

    What halves the picture, here and for the light on the ground, wants an even one: the picture is extended to the
    right and downwards until every half of it is whole, and cut to its size at the end.
    """
    large = size[0] * size[1] > 160**2
    step = 4 if large else 2
    H, W = (-(-n // step) * step for n in size)
    camera = scene.camera.extended(size, (H, W))
    if not large:
        return paint(scene.backdrop, scene.light, camera, balls, (H, W))[..., : size[0], : size[1]]
    small = soften(paint(scene.backdrop, scene.light, camera, balls, (H // 2, W // 2)), 0.25)
    grown = F.interpolate(small, scale_factor=2.0, mode="bilinear", align_corners=False)
    return soften(grown, 0.25)[..., : size[0], : size[1]]


def _screen(scene: Scene, mesh: Mesh, matrix: Float[Tensor, "B 3 4"]) -> Float[Tensor, "V 2"]:
    """Return the vertices' pixels: those of the people, the boxes, the round things."""
    B = len(scene)
    counts = [mesh.people_points[..., 0].numel(), scene.props.boxes[..., 0].numel() * 24]
    groups = mesh.points.tensor_split([counts[0], sum(counts)])
    return torch.cat([project(group.view(B, -1, 3), matrix).flatten(0, 1) for group in groups])


def _pooled(values: Float[Tensor, "B h w C"], scale: int) -> Float[Tensor, "B C H W"]:
    """Return the mean over each pixel's samples."""
    rows = torch.stack([values[:, i::scale] for i in range(scale)]).sum(0)
    return (torch.stack([rows[:, :, i::scale] for i in range(scale)]).sum(0) / scale**2).movedim(-1, 1)


def _person_map(rows: Int[Tensor, "B h w"], people: int, scale: int) -> UInt8[Tensor, "B H W"]:
    """Return who covers at least half of each pixel's samples together, and most of them: 1 + place, or 0."""
    first = torch.arange(len(rows), device=rows.device)[:, None, None] * people
    person = torch.div(rows, len(PARTS), rounding_mode="floor") - first  # −1 − first or a prop: out of range
    person = torch.where((rows >= 0) & (person < people) & (person >= 0), person, people)
    shares = [_pooled((person == place).float()[..., None], scale)[:, 0] for place in range(people)]
    best, place = torch.stack(shares).max(0)
    total = torch.stack(shares).sum(0)
    return torch.where((total >= 0.5) & (best > 0), place + 1, 0).to(torch.uint8)


def _extents(person_map: UInt8[Tensor, "B H W"], people: int) -> tuple[Float[Tensor, "B N 4"], Float[Tensor, "B N"]]:
    """Return each person's box (x, y, width, height; edges) and area from the visible mask; zeros for an empty one."""
    H, W = person_map.shape[-2:]
    places = torch.arange(1, people + 1, device=person_map.device, dtype=torch.uint8)
    mask = person_map[:, None] == places[:, None, None]  # (B N H W)
    areas = mask.flatten(2).sum(-1).float()
    x, y = torch.arange(W, device=mask.device).float(), torch.arange(H, device=mask.device).float()
    columns, rows = mask.any(-2), mask.any(-1)
    left, top = torch.where(columns, x, W).amin(-1), torch.where(rows, y, H).amin(-1)
    right, bottom = torch.where(columns, x, -1).amax(-1), torch.where(rows, y, -1).amax(-1)
    boxes = torch.stack([left - 0.5, top - 0.5, right - left + 1, bottom - top + 1], dim=-1)
    return torch.where(areas[..., None] > 0, boxes, 0.0), areas


def _attributes(scene: Scene, outline: Float[Tensor, "B N P 2"]) -> dict[str, Tensor]:
    """Return what was drawn, by name; `whole_boxes` hold the whole person, hidden and outside parts included."""
    low, high = outline.amin(-2), outline.amax(-2)
    looks, bodies = scene.looks, scene.bodies
    return {
        "skin_tone": looks.skin_tone,
        "pose_family": scene.families,
        "yaw": scene.headings,
        "hair_style": looks.hair_style,
        "top_colour": looks.colours[..., 1, :],
        "bottom_colour": looks.colours[..., 2, :],
        "stature": bodies.stature,
        "girth": bodies.girth,
        "whole_boxes": torch.cat([low, high - low], dim=-1),
        "light_direction": scene.light.direction,
        "place": scene.backdrop.place,
    }


def _single(sample: Sample) -> Sample:
    """Return a crowd with one place as a single-person sample."""
    attributes = {name: value if name in _OF_THE_SCENE else value[:, 0] for name, value in sample.attributes.items()}
    names = ("keypoints", "visibility", "boxes", "areas", "keypoints_3d")
    first: dict[str, Any] = {name: getattr(sample, name)[:, 0] for name in names}
    return replace(sample, present=None, attributes=attributes, **first)
