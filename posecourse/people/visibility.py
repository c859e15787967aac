"""COCO's visibility from what is really in front: 0 outside of the image, 1 inside but hidden, 2 seen."""

from functools import lru_cache

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from posecourse.people.anatomy import PARTS
from posecourse.people.mesh import Mesh
from posecourse.people.rasterise import Hits
from posecourse.skeletons import COCO17

__all__ = ["see"]

_FLESH = {
    # the parts that are a keypoint's own flesh or cloth, and how far in front of it (frame units) they may lie
    "nose": (("nose", "head"), 0.012), "eye": (("head", "nose"), 0.010), "ear": (("ear", "head"), 0.016),
    "shoulder": (("arm", "torso"), 0.058), "elbow": (("arm",), 0.046), "wrist": (("arm", "thumb"), 0.036),
    "hip": (("leg", "torso", "skirt"), 0.098), "knee": (("leg", "skirt"), 0.115), "ankle": (("leg", "foot"), 0.080),
}  # fmt: skip


def see(
    mesh: Mesh,
    hits: Hits,
    points: Float[Tensor, "B N 17 2"],
    depth: Float[Tensor, "B N 17"],
    unit: Float[Tensor, "B N"],
    scale: int,
) -> UInt8[Tensor, "B N 17"]:
    """Look at the sample nearest to each keypoint.

    Args:
        mesh: the surfaces, for what a triangle belongs to.
        hits: what is in front.
        points: keypoints (x, y) in pixels.
        depth: the keypoints' z in metres.
        unit: metres per unit of each person's proportions.
        scale: samples per pixel.

    Returns:
        2 if nothing lies in front but the joint's own flesh no thicker than flesh is, 1 if something does, 0 outside.
    """
    B, h, w = hits.triangle.shape
    sample = ((points + 0.5) * scale - 0.5).round().clamp(-1e6, 1e6).long()
    x, y = sample[..., 0], sample[..., 1]
    edge = points.new_tensor([w / scale - 0.5, h / scale - 0.5])
    inside = ((points >= -0.5) & (points < edge)).all(-1)
    flat = y.clamp(0, h - 1) * w + x.clamp(0, w - 1)
    triangle = hits.triangle.flatten(1).gather(1, flat.flatten(1)).view_as(flat)
    inverse = hits.inverse_depth.flatten(1).gather(1, flat.flatten(1)).view_as(flat)
    row = mesh.row[hits.layout.triangle][triangle] if len(hits.layout.triangle) else torch.zeros_like(triangle)
    N = points.shape[1]
    own_person = torch.div(row, len(PARTS), rounding_mode="floor") == (
        torch.arange(B * N, device=points.device).view(B, N, 1)
    )
    flesh, thick = _own_flesh(points.device)
    own = own_person & flesh[torch.arange(17, device=points.device), row % len(PARTS)]
    before = depth - 1 / inverse.clamp(min=1e-6)  # metres by which the front surface is nearer than the keypoint
    hidden = (inverse > 0) & torch.where(own, before > thick * unit[..., None], before > 0.001 * unit[..., None])
    return torch.where(inside, torch.where(hidden, 1, 2), 0).to(torch.uint8)


@lru_cache(maxsize=8)
def _own_flesh(device: torch.device) -> tuple[Tensor, Tensor]:
    """Return which parts belong to each keypoint (17 P), and the flesh's thickness (17)."""
    belongs = torch.zeros(len(COCO17), len(PARTS), dtype=torch.bool)
    thickness = torch.zeros(len(COCO17))
    for index, name in enumerate(COCO17.names):
        side, joint = name.split("_") if "_" in name else ("", name)
        parts, thickness[index] = _FLESH[joint]
        for part in parts:
            whole = part in PARTS
            belongs[index, list(PARTS).index(part if whole else f"{side}_{part}")] = True
    return belongs.to(device), thickness.to(device)
