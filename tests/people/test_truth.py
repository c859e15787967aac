"""Is what the renderer says of a picture true of its pixels?"""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from posecourse import people, seeding
from posecourse.people.body import SEGMENTS
from posecourse.skeletons import COCO17

Maker = Callable[..., people.Scene]


def centroid(weight: torch.Tensor) -> torch.Tensor:
    """Return the weighted mean (x, y) of (B H W)."""
    H, W = weight.shape[-2:]
    x, y = torch.arange(W).float(), torch.arange(H).float()
    total = weight.sum((-1, -2))
    return torch.stack([(weight.sum(-2) * x).sum(-1) / total, (weight.sum(-1) * y).sum(-1) / total], -1)


@pytest.mark.parametrize(
    ("garment", "place", "joint"), [("sleeve", 1.0, "elbow"), ("sleeve", 1.9, "wrist"), ("hem", 1.0, "knee")]
)
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_marked_band_of_a_limb_is_centred_on_its_joint(
    standing: Maker, garment: str, place: float, joint: str, side: str
) -> None:
    """Does the keypoint lie where the limb's pixels are?

    A band of 0.1 segments to both sides of the joint is dyed by moving the garment's end across it: what changes
    between the two pictures is the band. The wrist's band is about 1.9 forearms, so its truth is a tenth further up.
    With a band of some 7x5 pixels sampled 4 times a pixel, the centroid's error is well below 0.1 px along the limb.
    """
    scene = standing(6)
    bodies = replace(scene.bodies, **{name: torch.ones_like(scene.bodies.girth) for name in ("girth", "hips", "legs")})
    red, blue = torch.tensor([0.9, 0.1, 0.1]), torch.tensor([0.1, 0.1, 0.9])
    colours = scene.looks.colours.clone()
    colours[..., 0, :], colours[..., 1, :], colours[..., 2, :] = blue, red, red
    looks = replace(scene.looks, colours=colours, loose=torch.zeros_like(scene.looks.loose))
    looks = replace(looks, pattern=torch.zeros_like(looks.pattern), skirt=torch.zeros_like(looks.skirt))
    flat = {name: torch.full_like(scene.light.sky, 0.8) for name in ("sky", "bounce")}
    light = replace(scene.light, key=torch.zeros_like(scene.light.key), **flat)
    images = []
    for end in (place - 0.1, place + 0.1):
        dyed = replace(looks, **{garment: torch.full_like(looks.sleeve, end)})
        sample = people.render(replace(scene, bodies=bodies, looks=dyed, light=light), (256, 192))
        images.append(sample.images.square())  # linear in coverage
    change = (images[1] - images[0]).abs().sum(1)
    change = (change / (0.4 * change.amax((-1, -2), keepdim=True))).clamp(max=1)  # shade inside the band does not weigh
    chain = {
        "elbow": ("shoulder", "elbow", "wrist"),
        "wrist": ("elbow", "elbow", "wrist"),
        "knee": ("hip", "knee", "ankle"),
    }
    above, middle, below = (sample.keypoints[:, COCO17.index(f"{side}_{name}")] for name in chain[joint])
    ends = (middle + 0.1 * (above - middle), middle + 0.1 * (below - middle))
    if joint == "wrist":  # the hand begins there, so the band lies wholly above it
        ends = (below, below + 0.2 * (above - below))
    truth = (ends[0] + ends[1]) / 2
    near = (torch.arange(192) - truth[:, :1]).abs() < 12  # this side's limb only
    found = centroid(change * near[:, None, :])
    assert (found - truth).abs().mean(0).max() < 0.12
    assert (found - truth).abs().max() < 0.4


def test_a_small_box_at_a_joint_is_drawn_where_the_joint_is_projected() -> None:
    """Are pixels, camera and keypoints in one frame, to a twentieth of a pixel, with every camera drawn?

    A cube of half side 6 cm about each wrist's place, drawn alone: its centroid is the centre's projection up to the
    sampling error of about 0.29/2 px over some ten boundary samples along each edge.
    """
    scene = people.draw_scenes(40, seeding.generator(3), occluders=0, truncation=0)
    joints = scene.joints()[:, 0, 9]  # the left wrist
    half = torch.full((40, 3), 0.06)
    turn = -scene.camera.yaw[:, None]
    boxes = torch.cat([joints, half, turn], -1)[:, None]
    props = replace(
        scene.props,
        boxes=boxes,
        box_colours=torch.ones(40, 1, 3),
        rounds=torch.zeros_like(scene.props.rounds),
    )
    empty = replace(scene, present=torch.zeros_like(scene.present))
    with_box = people.render(replace(empty, props=props), (160, 120), crowd=True)
    no_box = replace(props, boxes=boxes * boxes.new_tensor([1, 1, 1, 0, 0, 0, 1]))
    without = people.render(replace(empty, props=no_box), (160, 120), crowd=True)
    found = centroid(((with_box.images - without.images).abs().sum(1) > 1e-4).float())
    camera = scene.camera.matrix((160, 120))
    truth = people.camera.project(scene.camera.view(joints[:, None]), camera)[:, 0]
    inside = (truth > 12).all(-1) & (truth < torch.tensor([107.0, 147.0])).all(-1)
    error = (found - truth)[inside]
    assert inside.sum() > 20
    assert error.mean(0).abs().max() < 0.15
    assert error.abs().max() < 0.6


def test_the_camera_projects_the_joints_to_the_keypoints() -> None:
    """Are keypoints, keypoints_3d and camera three views of one truth?"""
    sample = people.render(people.draw_scenes(6, seeding.generator(0), people=2), (60, 90))
    assert sample.keypoints_3d is not None
    assert sample.camera is not None
    ones = torch.ones_like(sample.keypoints_3d[..., :1])
    flat = torch.einsum("bij,bnkj->bnki", sample.camera, torch.cat([sample.keypoints_3d, ones], -1))
    torch.testing.assert_close(flat[..., :2] / flat[..., 2:], sample.keypoints, atol=1e-3, rtol=1e-5)


@pytest.mark.parametrize("size", [(48, 36), (35, 70)])
def test_twice_the_size_moves_keypoints_as_pixel_centres_move(size: tuple[int, int]) -> None:
    """Is a scene independent of the picture's size?"""
    scene = people.draw_scenes(4, seeding.generator(1))
    small, large = (people.render(scene, (scale * size[0], scale * size[1])) for scale in (1, 2))
    torch.testing.assert_close(large.keypoints, (small.keypoints + 0.5) * 2 - 0.5, atol=1e-3, rtol=1e-5)


def test_a_wide_picture_does_not_widen_people() -> None:
    """Is a metre as many pixels across as down, whatever H and W are?"""
    scene = people.draw_scenes(4, seeding.generator(1))
    square, wide = people.render(scene, (64, 64)), people.render(scene, (64, 128))
    for a, b in ((0, 15), (5, 6), (9, 12)):
        lengths = [(s.keypoints[:, a] - s.keypoints[:, b]).norm(dim=-1) for s in (square, wide)]
        torch.testing.assert_close(lengths[0], lengths[1], atol=1e-3, rtol=1e-5)


def test_left_and_right_are_the_persons_own(standing: Maker) -> None:
    """Is the left shoulder on the image's right when the person faces us, and on its left from behind?"""
    left, right = COCO17.index("left_shoulder"), COCO17.index("right_shoulder")
    front = people.render(standing(3), (64, 64)).keypoints
    back = people.render(standing(3, heading=torch.pi), (64, 64)).keypoints
    assert (front[:, left, 0] > front[:, right, 0] + 5).all()
    assert (back[:, left, 0] < back[:, right, 0] - 5).all()


def test_areas_and_boxes_are_those_of_the_person_map() -> None:
    """Do mask, area and box agree, for single people and crowds?"""
    sample = people.render(people.draw_scenes(5, seeding.generator(2), people=(1, 3)), (60, 90))
    assert sample.person_map is not None
    assert sample.present is not None
    for image in range(5):
        for place in range(3):
            mask = sample.person_map[image] == place + 1
            assert mask.sum() == sample.areas[image, place]
            if not mask.any():
                assert (sample.boxes[image, place] == 0).all()
                continue
            y, x = mask.nonzero().unbind(-1)
            box = [x.min() - 0.5, y.min() - 0.5, x.max() - x.min() + 1, y.max() - y.min() + 1]
            assert sample.boxes[image, place].tolist() == [float(value) for value in box]
    assert not (sample.areas > 0)[~sample.present].any()


def test_limbs_keep_their_length_in_every_pose() -> None:
    """Do bones not stretch, whatever the pose?"""
    scene = people.draw_scenes(60, seeding.generator(4))
    body = replace(scene, bodies=scene.bodies.map(lambda value: value[:1].expand_as(value))).joints()[:, 0]
    for parent, child in ((5, 7), (7, 9), (11, 13), (13, 15), (6, 8), (12, 14), (0, 1)):
        length = (body[:, parent] - body[:, child]).norm(dim=-1)
        torch.testing.assert_close(length, length.mean().expand(60), atol=1e-5, rtol=1e-5)


def test_poses_stay_within_the_joints_limits() -> None:
    """Are all angles of all families and of the walk cycle possible ones?"""
    poses = people.draw_scenes(300, seeding.generator(5)).poses.reshape(-1, len(people.ANGLES))
    walked = people.walk_cycle(torch.linspace(-1, 2, 50))
    low, high = (torch.tensor([people.LIMITS[name][end] for name in people.ANGLES]) for end in (0, 1))
    for angles in (poses, walked):
        assert (angles >= low - 1e-6).all()
        assert (angles <= high + 1e-6).all()


def test_the_walk_cycle_is_periodic_and_swings_arms_against_legs() -> None:
    """Is time a parameter: phase 1 is phase 0, and half a cycle later left and right have changed places?"""
    phase = torch.linspace(0, 1, 9)
    pose = people.walk_cycle(phase)
    torch.testing.assert_close(pose, people.walk_cycle(phase + 1), atol=1e-5, rtol=0)
    left, right, arm = (people.ANGLES.index(n) for n in ("left_hip_flex", "right_hip_flex", "left_shoulder_flex"))
    torch.testing.assert_close(pose[:, left], people.walk_cycle(phase + 0.5)[:, right], atol=1e-5, rtol=0)
    assert torch.corrcoef(pose[:8, [left, arm]].T)[0, 1] < -0.95


def test_the_lowest_sole_of_everybody_on_the_ground_touches_it(segment: Callable[[str], int]) -> None:
    """Do feet neither float nor sink, except in a jump and a run?"""
    scene = people.draw_scenes(80, seeding.generator(6), poses=["stand", "walk", "sit", "squat", "lunge"])
    body = scene.posture()
    feet = [SEGMENTS.index(f"{side}_foot") for side in ("left", "right")]
    ankles = body.origins[:, 0, feet, 1].amax(-1)  # y is down: the lower foot
    assert (ankles < 0.01).all()
    assert (ankles > -0.30).all()  # on tiptoe at most
    assert (ankles.median() < 0) & (ankles.median() > -0.12)
