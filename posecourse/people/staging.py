"""Draw scenes: who is there, doing what, where they stand, how the picture is framed, what is in the way."""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from posecourse.people.backdrop import NUMBERS, Backdrop, draw_backdrop
from posecourse.people.body import Bodies, Posture, draw_bodies, keypoints_3d, posture
from posecourse.people.camera import Camera
from posecourse.people.clearance import cleared
from posecourse.people.dice import Dice
from posecourse.people.light import draw_light
from posecourse.people.looks import draw_looks
from posecourse.people.obstacles import draw_props
from posecourse.people.poses import FAMILIES, draw_poses, family_indices
from posecourse.people.rotations import rotate
from posecourse.people.scene import Scene
from posecourse.shapes import is_number, require_count, require_positive

__all__ = ["draw_scenes"]

_WEIGHTS = {"stand": 2.0, "walk": 1.6, "run": 1.2, "sit": 1.2}


def draw_scenes(
    count: int,
    generator: torch.Generator,
    *,
    people: int | tuple[int, int] = 1,
    poses: Sequence[str] | None = None,
    overlap: float | None = None,
    occluders: float = 0.25,
    truncation: float = 0.15,
    margin: tuple[float, float] = (0.02, 0.12),
    aspect: float = 1.0,
    facing: float = 0.6,
) -> Scene:
    """Draw scenes; the same generator state gives the same scenes.

    Args:
        count: B, how many.
        generator: where the numbers come from; the scenes live on its device.
        people: how many in a scene, or the fewest and the most.
        poses: families to draw from, of `poses.FAMILIES`; None for all.
        overlap: in a crowd, the share of the smaller one's box that two neighbours have in common; None draws it
            anew for each scene between 0 and 0.5.
        occluders: probability that something stands in front.
        truncation: probability that the picture's border cuts somebody off.
        margin: smallest and largest free border about the people, as a share of the picture.
        aspect: W / H of the pictures that will be made: people fill a picture of this shape.
        facing: share of the people that more or less face the camera; the others look anywhere.

    Raises:
        ValueError: a number is out of its range, or a family is unknown; the message says which and what is possible.
    """
    _check(count, overlap, margin, aspect, occluders=occluders, truncation=truncation, facing=facing)
    (low, high), allowed = _fewest_and_most(people), family_indices(poses)
    each, whole = Dice(generator, (count, high)), Dice(generator, (count,))
    present = _present(whole, low, high)
    bodies, families = draw_bodies(each), _families(each, allowed)
    angles, headings = cleared(draw_poses(each, families), bodies.girth), _headings(each, facing)
    positions = _positions(each, families)
    camera = _stand_camera(whole, high)
    wanted = whole.uniform(0.0, 0.5) if overlap is None else whole.uniform(overlap, overlap)
    positions = _line_up(bodies, angles, positions, headings, present, camera, wanted)
    body = posture(bodies, angles, positions, headings)
    camera = _frame(whole, camera, _outline(body, bodies), present, margin, truncation, aspect)
    backdrop = _step_back(draw_backdrop(whole), positions)
    seated = (families == FAMILIES.index("sit")) & present
    return Scene(
        present=present,
        bodies=bodies,
        poses=angles,
        families=families,
        positions=positions,
        headings=headings,
        looks=draw_looks(each, _strides(families)),
        light=draw_light(whole),
        camera=camera,
        backdrop=backdrop,
        props=draw_props(whole, each, body, headings, seated, present, camera, occluders),
    )


def _present(dice: Dice, low: int, high: int) -> Bool[Tensor, "B N"]:
    """Return which of `high` places hold a person: the first ones, at least `low`."""
    number = low + (dice.uniform() * (high - low + 1)).floor().clamp(max=high - low)
    return torch.arange(high, device=dice.device) < number[:, None]


def _families(dice: Dice, allowed: Sequence[int]) -> Int[Tensor, "B N"]:
    """Draw for each person one of the allowed families of poses; common ones are drawn more often."""
    weights = [_WEIGHTS.get(FAMILIES[index], 1.0) for index in allowed]
    return torch.tensor(allowed, device=dice.device)[dice.choice(weights)]


def _headings(dice: Dice, facing: float) -> Float[Tensor, "B N"]:
    """Return radians: a share of `facing` looks about our way, the others anywhere."""
    return torch.where(dice.chance(facing), dice.normal(0.0, 0.6), dice.uniform(-math.pi, math.pi))


def _positions(dice: Dice, families: Tensor) -> Tensor:
    """Return (x, y, z): all in the middle, jumpers and some runners off the ground, crowds at several depths."""
    lift = torch.where(families == FAMILIES.index("jump"), -dice.uniform(0.12, 0.42), 0.0)
    lift = torch.where(families == FAMILIES.index("run"), -dice.uniform(-0.03, 0.09).clamp(min=0), lift)
    deep = 1.0 if families.shape[1] > 1 else 0.0
    return torch.stack([torch.zeros_like(lift), lift, dice.uniform(-deep, deep)], dim=-1)


def _strides(families: Tensor) -> Tensor:
    """Return who spreads the legs wide."""
    wide = [FAMILIES.index(name) for name in ("run", "jump", "squat", "lunge", "bend", "cheer")]
    return torch.isin(families, families.new_tensor(wide))


def _fewest_and_most(people: int | tuple[int, int]) -> tuple[int, int]:
    """Return how many people a scene has at least and at most.

    Raises:
        ValueError: no such numbers.
    """
    try:
        low, high = people if isinstance(people, Sequence) else (people, people)
        if 1 <= low <= high <= 254 and low == int(low) and high == int(high):
            return int(low), int(high)
    except (TypeError, ValueError):
        pass
    raise ValueError(f"people must be a whole number from 1 to 254, or (fewest, most); got {people!r}.")


def _check(
    count: int, overlap: float | None, margin: tuple[float, float], aspect: float, **probabilities: float
) -> None:
    """Raise where an option of `draw_scenes` is out of its range.

    Raises:
        ValueError: which one, and what is possible.
    """
    require_count(count, "count")
    if overlap is not None and not (is_number(overlap) and 0 <= overlap < 1):
        raise ValueError(f"overlap is a share of a box, at least 0 and below 1, or None; got {overlap!r}.")
    pair = isinstance(margin, Sequence) and len(margin) == 2 and all(is_number(number) for number in margin)
    if not pair or not 0 <= margin[0] <= margin[1] < 0.5:
        raise ValueError(
            f"margin is (smallest, largest), shares of the picture, at least 0 and below 0.5; got {margin!r}. "
            "For one margin give it twice."
        )
    require_positive(aspect, "aspect")
    for name, value in probabilities.items():
        if not (is_number(value) and 0 <= value <= 1):
            raise ValueError(f"{name} is a probability, a number between 0 and 1; got {value!r}.")


def _stand_camera(dice: Dice, people: int) -> Camera:
    """Return a camera at a person's distance that looks about level; its focal length and crop come later."""
    distance = dice.uniform(2.4, 5.5) + (2.0 if people > 1 else 0.0)
    height = dice.uniform(0.85, 1.75)
    zero = torch.zeros_like(distance)
    return Camera(
        position=torch.stack([zero, -height, -distance], dim=-1),
        yaw=dice.normal(0.0, 0.05),
        pitch=torch.atan((height - 0.95) / distance) + dice.normal(0.0, 0.04),
        roll=dice.normal(0.0, 0.035),
        focal=zero + 1,
        centre=torch.zeros(len(distance), 2, device=dice.device),
    )


def _outline(body: Posture, bodies: Bodies) -> Float[Tensor, "B N 30 3"]:
    """Return points about the body: joints, crown, fingertips, toes and heels, and the sides of the trunk."""
    unit, head = body.unit[..., None], bodies.head[..., None]
    points = [keypoints_3d(body, bodies.head)]

    def beside(segment: str, place: tuple[float, float, float], scale: Tensor) -> None:
        local = scale * scale.new_tensor(place)
        points.append((body.origin(segment) + rotate(body.frame(segment), local)).unsqueeze(-2))

    for place in ((0.0, -0.78, 0.0), (0.34, -0.4, 0.0), (-0.34, -0.4, 0.0), (0.0, -0.4, 0.44)):
        beside("head", place, head)
    for side in ("left", "right"):
        beside(f"{side}_hand", (0.0, 0.105, 0.0), unit)
        beside(f"{side}_foot", (0.0, 0.04, 0.036), unit)
        beside(f"{side}_foot", (0.0, 0.04, -0.115), unit)
    for place in ((0.1, 0.0, 0.0), (-0.1, 0.0, 0.0), (0.0, 0.0, 0.08)):
        beside("pelvis", place, unit)
    return torch.cat(points, dim=-2)


def _box(points: Tensor, pad: Tensor) -> tuple[Tensor, Tensor]:
    """Return the box of (… P 3) points of the camera's frame on the plane at distance 1, widened by `pad` metres."""
    z = points[..., 2:].clamp(min=0.2)
    flat, wide = points[..., :2] / z, pad[..., None, None] / z
    return (flat - wide).amin(-2), (flat + wide).amax(-2)


def _line_up(
    bodies: Bodies,
    angles: Tensor,
    positions: Tensor,
    headings: Tensor,
    present: Bool[Tensor, "B N"],
    camera: Camera,
    overlap: Float[Tensor, " B"],
) -> Tensor:
    """Move people sideways until neighbours' boxes share the wanted part of the smaller one."""
    N = present.shape[1]
    if N == 1:
        return positions
    for _ in range(3):  # perspective makes the first step a little wrong
        body = posture(bodies, angles, positions, headings)
        low, high = _box(camera.view(_outline(body, bodies)), 0.016 * body.unit)
        area = (high - low).prod(-1)
        shift, edge = [torch.zeros_like(overlap)], high[:, 0, 0]
        for i in range(1, N):
            common = (
                torch.minimum(high[:, i, 1], high[:, i - 1, 1]) - torch.maximum(low[:, i, 1], low[:, i - 1, 1])
            ).clamp(min=0.05)
            smaller = torch.minimum(area[:, i], area[:, i - 1])
            narrow = torch.minimum(high[:, i, 0] - low[:, i, 0], high[:, i - 1, 0] - low[:, i - 1, 0])
            shared = torch.minimum(overlap * smaller / common, 0.98 * narrow)
            shift.append(edge - shared - low[:, i, 0])
            edge = torch.where(present[:, i], high[:, i, 0] + shift[-1], edge)
        metres = torch.stack(shift, dim=1) * camera.view(body.origin("pelvis"))[..., 2]
        positions = positions + torch.stack([metres, torch.zeros_like(metres), torch.zeros_like(metres)], dim=-1)
        middle = (positions[..., 0] * present).sum(1) / present.sum(1)
        positions = positions - torch.stack([middle, 0 * middle, 0 * middle], dim=-1)[:, None]
    return positions


def _frame(
    dice: Dice,
    camera: Camera,
    points: Tensor,
    present: Tensor,
    margin: tuple[float, float],
    truncation: float,
    aspect: float,
) -> Camera:
    """Zoom and crop so that the people fill the picture, or are cut off where that was drawn."""
    low, high = _box(camera.view(points), torch.full_like(points[..., 0, 0], 0.05))
    low = torch.where(present[..., None], low, 1e9).amin(1)
    high = torch.where(present[..., None], high, -1e9).amax(1)
    extent, middle = high - low, (high + low) / 2
    frame = extent.new_tensor([aspect, 1.0])
    free = dice.uniform(*margin)[:, None]
    zoom = ((1 - 2 * free) * frame / extent).amin(-1)
    cut = dice.chance(truncation)
    zoom = zoom * torch.where(cut, dice.uniform(1.05, 1.5), 1.0)
    size = extent * zoom[:, None] / frame  # as shares of the picture
    slack = (0.5 - margin[0] - size / 2).clamp(min=0)
    target = 0.5 + slack * dice.uniform(-1.0, 1.0, 2)
    side = dice.choice([3, 3, 0.6, 3])  # left, right, top, bottom
    beyond = dice.uniform(0.15, 0.42)[:, None] * size
    least, most = size / 2 - beyond, 1 - size / 2 + beyond
    beside = torch.where(side == 0, least[:, 0], torch.where(side == 1, most[:, 0], target[:, 0]))
    upright = torch.where(side == 2, least[:, 1], torch.where(side == 3, most[:, 1], target[:, 1]))
    moved = torch.stack([beside, upright], dim=-1)
    target = torch.where(cut[:, None], moved, target)
    return replace(camera, focal=zoom, centre=target - middle * zoom[:, None] / frame)


def _step_back(backdrop: Backdrop, positions: Tensor) -> Backdrop:
    """Move walls and furniture behind the last person."""
    last = positions[..., 2].amax(-1)
    numbers, furniture = backdrop.numbers.clone(), backdrop.furniture.clone()
    numbers[:, NUMBERS.index("wall_z")] += last
    furniture[..., 2] += last[:, None] + 0.25
    beside = NUMBERS.index("side_x")
    reach = positions[..., 0].abs().amax(-1)
    numbers[:, beside] += numbers[:, beside].sign() * reach
    return replace(backdrop, numbers=numbers, furniture=furniture)
