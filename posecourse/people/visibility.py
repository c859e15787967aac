"""COCO's visibility from what is really in front: 0 outside of the image, 1 inside but hidden, 2 seen.

Face points lie on the skin, the other joints inside of the body, where some of their own flesh is always in front. What
counts as seen there is a convention, and it must not depend on how much flesh or cloth there is, or heavy people would
have more hidden joints than slim ones. So what lies in front is judged by what it is, not by its thickness, and how the
body foreshortens by its bones. A joint is hidden by

- whatever is in front that is not its own flesh: a thing, another person, another part of the own body. Own flesh is
  the trunk at shoulders and hips, the foot at the ankle, the half of the hand at the wrist, and of the own limb what is
  within one bone of the joint. A skirt does not hide hips and knees: those are labelled through clothes;
- its own limb that points at the camera: a bone that leads from the joint towards us and is foreshortened to less than
  a third of its length (within 19.5° of the line of sight);
- its own trunk that points at the camera, along or across: the line to the other shoulder, the other hip, or from
  shoulder to hip leads towards us and is foreshortened to less than a half (within 30°). So the far shoulder and hip of
  somebody in profile are hidden, and in a three-quarter view they are seen.

Three numbers are conventions. A third: with the mean girth of `anatomy` the line of sight to a joint enters the limb
beyond the bone's middle from 15° (shank) to 21° (thigh) on. A half: so it does in the trunk, from 26° along it and from
30° across the shoulders; hips are so near to the midplane that it would from some 53° on, but in a three-quarter view
they are labelled, and so are made to follow the shoulders. Skin: the surface is of flat facets, and an eye lies up to
0.03 head heights below it; up to 0.08 of the own head may lie in front of a face point. With that an eye goes out of
sight about when its tangent plane does: the far one once the head is turned by 60°, the near one 33° past the profile.
"""

from functools import lru_cache

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from posecourse.people.anatomy import PARTS
from posecourse.people.mesh import Mesh
from posecourse.people.rays import Meetings, front, meet
from posecourse.skeletons import COCO17

__all__ = ["see"]

_WHOLE = (-torch.inf, torch.inf)
_FLESH = {
    # own parts, and from where to where on them: 0 shoulder or hip, 1 elbow or knee, 2 wrist or ankle, 3 fingertips
    "nose": {"nose": _WHOLE, "head": _WHOLE}, "eye": {"head": _WHOLE, "nose": _WHOLE},
    "ear": {"ear": _WHOLE, "head": _WHOLE},
    "shoulder": {"torso": _WHOLE, "arm": (-1.0, 1.0)}, "elbow": {"arm": (0.0, 2.0)},
    "wrist": {"arm": (1.0, 2.5), "thumb": _WHOLE},
    "hip": {"torso": _WHOLE, "leg": (-1.0, 1.0)}, "knee": {"leg": (0.0, 2.0)},
    "ankle": {"leg": (1.0, 3.0), "foot": _WHOLE},
}  # fmt: skip
_CLOTH = {"hip": "skirt", "knee": "skirt"}
_SKIN = 0.08  # head heights of the own head that may lie in front of a face point
_LIMBS = (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
_THIRD, _HALF = (1 - 1 / 9) ** 0.5, (1 - 1 / 4) ** 0.5  # cosines of the angles whose sines these are


def see(
    mesh: Mesh, points: Float[Tensor, "B N 17 3"], head: Float[Tensor, "B N"], inside: Bool[Tensor, "B N 17"]
) -> UInt8[Tensor, "B N 17"]:
    """Look along the ray from the camera to each keypoint.

    Args:
        mesh: the surfaces, in the camera's frame.
        points: keypoints in the camera's frame, metres.
        head: each person's head height in metres.
        inside: which keypoints lie in the picture.
    """
    flat = points.flatten(1, 2)
    met = _opaque(mesh, meet(mesh, flat))
    nearest = front(met, flat.shape[0] * flat.shape[1])
    ray = (nearest >= 0).nonzero().squeeze(-1)
    met = met[nearest[ray]]
    own, skin = _own(mesh, met)
    before = points[..., 2].flatten()[ray] - 1 / met.inverse_depth
    tall = head[..., None].expand(points.shape[:-1]).flatten()[ray]
    hidden = torch.zeros(nearest.shape, dtype=torch.bool, device=nearest.device)
    hidden[ray] = (before > 0) & ~(own & (before <= skin * tall))
    hidden = hidden.view(inside.shape) | _end_on(points)
    return torch.where(inside, torch.where(hidden, 1, 2), 0).to(torch.uint8)


def _end_on(points: Float[Tensor, "B N 17 3"]) -> Bool[Tensor, "B N 17"]:
    """Return the joints from which a bone leads to the camera."""
    start, end, limit = _bones(points.device)
    joint = points[..., start, :]
    bone = points[..., end, :] - joint
    along = -(bone * joint).sum(-1)
    on = along > limit * (bone.square().sum(-1) * joint.square().sum(-1)).sqrt()
    return torch.zeros_like(points[..., 0]).index_add_(-1, start, on.to(points.dtype)) > 0


def _opaque(mesh: Mesh, met: Meetings) -> Meetings:
    """Leave out the cloth that one sees joints through."""
    _, _, cloth = _tables(met.ray.device)
    mine, joint, part = _whose(mesh, met)
    return met[~(mine & cloth[joint, part])]


def _own(mesh: Mesh, met: Meetings) -> tuple[Tensor, Tensor]:
    """Return where a ray meets the flesh about its own joint, and how much of it (head heights) may lie in front."""
    flesh, skin, _ = _tables(met.ray.device)
    mine, joint, part = _whose(mesh, met)
    low, high = flesh[joint, part].unbind(-1)
    place = (mesh.traits[mesh.triangles[met.triangle], 4] * met.weights).sum(-1)
    return mine & (low <= place) & (place <= high), skin[joint]


def _whose(mesh: Mesh, met: Meetings) -> tuple[Tensor, Tensor, Tensor]:
    """Return whether what a ray meets belongs to the ray's person, the ray's joint, and the part (of people)."""
    row, K = mesh.row[met.triangle], len(COCO17)
    person = torch.div(met.ray, K, rounding_mode="floor")
    mine = torch.div(row, len(PARTS), rounding_mode="floor") == person
    return mine, met.ray - person * K, row % len(PARTS)


@lru_cache(maxsize=8)
def _tables(device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Return what is known of each joint.

    Returns:
        From where to where each part is its own (17 P 2), the skin before it (17), the cloth to see through (17 P).
    """
    flesh = torch.tensor([torch.inf, -torch.inf]).repeat(len(COCO17), len(PARTS), 1)
    skin = torch.full((len(COCO17),), torch.inf)
    cloth = torch.zeros(len(COCO17), len(PARTS), dtype=torch.bool)
    parts = list(PARTS)
    for index, name in enumerate(COCO17.names):
        side, joint = name.split("_") if "_" in name else ("", name)
        for part, places in _FLESH[joint].items():
            flesh[index, parts.index(part if part in PARTS else f"{side}_{part}")] = torch.tensor(places)
        skin[index] = _SKIN if joint in ("nose", "eye", "ear") else torch.inf
        if joint in _CLOTH:
            cloth[index, parts.index(_CLOTH[joint])] = True
    return flesh.to(device), skin.to(device), cloth.to(device)


@lru_cache(maxsize=8)
def _bones(device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Return where bones start and end, both ways, and the cosine from which one hides its start."""
    found = []
    for side in ("left", "right"):
        other = "right" if side == "left" else "left"
        bones = [(f"{side}_{a}", f"{side}_{b}", _THIRD) for a, b in _LIMBS]
        bones += [(f"{side}_shoulder", f"{side}_hip", _HALF)]
        found += bones + [(b, a, limit) for a, b, limit in bones]
        found += [(f"{side}_{joint}", f"{other}_{joint}", _HALF) for joint in ("shoulder", "hip")]
    start, end = (torch.tensor([COCO17.index(bone[i]) for bone in found], device=device) for i in (0, 1))
    return start, end, torch.tensor([limit for _, _, limit in found], device=device)
