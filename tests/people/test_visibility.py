"""Is visibility what is really in front?"""

from collections.abc import Callable
from dataclasses import replace

import torch

from posecourse import people, seeding
from posecourse.skeletons import COCO17

Maker = Callable[..., people.Scene]
NOSE, LEFT_EAR, RIGHT_EAR = (COCO17.index(name) for name in ("nose", "left_ear", "right_ear"))


def bald(scene: people.Scene) -> people.Scene:
    """Return the scene with nobody's hair in front of an ear."""
    return replace(scene, looks=replace(scene.looks, hair_shape=torch.zeros_like(scene.looks.hair_shape)))


def test_everything_is_seen_of_somebody_who_faces_us(standing: Maker) -> None:
    """Does the body's own flesh not hide its joints?"""
    sample = people.render(bald(standing(8)), (96, 96))
    assert (sample.visibility == 2).all()


def test_a_face_that_looks_away_is_hidden_and_ears_are_seen_from_their_side(standing: Maker) -> None:
    """Do nose, eyes and ears appear and disappear as a person turns?"""
    away = people.render(bald(standing(6, heading=torch.pi)), (96, 96))
    assert (away.visibility[:, :3] == 1).all()  # nose and eyes
    assert (away.visibility[:, 5:] == 2).all()  # the trunk and limbs as before
    turned = people.render(bald(standing(6, heading=torch.pi / 2)), (96, 96))  # towards the image's left
    assert (turned.visibility[:, LEFT_EAR] == 2).all()
    assert (turned.visibility[:, RIGHT_EAR] == 1).all()
    assert (turned.visibility[:, NOSE] == 2).all()


def test_a_box_in_front_hides_exactly_what_it_covers(standing: Maker) -> None:
    """Is a joint behind a box hidden, and one beside it not?"""
    scene = bald(standing(5))
    box = torch.tensor([0.0, -0.5, -3.0, 0.8, 0.5, 0.1, 0.0]).expand(5, 1, 7)
    props = replace(scene.props, boxes=box, box_colours=torch.ones(5, 1, 3))
    sample = people.render(replace(scene, props=props), (96, 96))
    height = -scene.joints()[:, 0, :, 1]  # above the ground
    low, high = height < 0.80, height > 1.15  # the box reaches to 1 m; seen from 0.9 m, 3 m before the person
    assert (sample.visibility[low] == 1).all()
    assert (sample.visibility[high] == 2).all()
    behind = replace(props, boxes=box * torch.tensor([1, 1, -1.0, 1, 1, 1, 1]))
    assert (people.render(replace(scene, props=behind), (96, 96)).visibility == 2).all()


def test_who_stands_nearer_hides_who_stands_behind(standing: Maker) -> None:
    """Is occlusion between people decided by depth, not by their order?"""
    scene = people.draw_scenes(6, seeding.generator(1), people=2, poses=["stand"], occluders=0, truncation=0)
    adults = scene.bodies.map(lambda value: torch.ones_like(value))
    adults = replace(adults, stature=adults.stature * 1.7, head=adults.head * 0.22)
    flat = torch.zeros(6)
    camera = replace(scene.camera, position=torch.tensor([0, -0.9, -9.0]).expand(6, 3), yaw=flat, pitch=flat, roll=flat)
    camera = replace(camera, focal=flat + 3.6, centre=torch.full((6, 2), 0.5))
    for nearer in (0, 1):
        positions = torch.zeros(6, 2, 3)
        positions[:, nearer, 2] = -1.0
        same = replace(scene, bodies=adults, camera=camera, positions=positions, headings=torch.zeros(6, 2))
        same = replace(same, poses=standing(6).poses.expand_as(scene.poses))
        sample = people.render(bald(same), (96, 96))
        seen = (sample.visibility[:, :, [5, 6, 11, 12]] == 2).float().mean((0, 2))  # shoulders and hips
        assert seen[nearer] == 1
        assert seen[1 - nearer] == 0
        assert (sample.areas[:, nearer] > 5 * sample.areas[:, 1 - nearer]).all()


def test_outside_is_zero_and_inside_is_not() -> None:
    """Is visibility 0 exactly where a keypoint lies outside of the picture?"""
    sample = people.render(people.draw_scenes(40, seeding.generator(2), truncation=1.0), (50, 70))
    x, y = sample.keypoints.unbind(-1)
    inside = (x >= -0.5) & (x < 69.5) & (y >= -0.5) & (y < 49.5)
    assert torch.equal(sample.visibility > 0, inside)


def test_a_visible_joint_lies_on_its_own_person() -> None:
    """Is the pixel at a visible joint the person's, nearly always?

    Its nearest sample is; its pixel may belong by majority to something else at an outline.
    """
    sample = people.render(people.draw_scenes(30, seeding.generator(7), people=2), (96, 96))
    assert sample.person_map is not None
    mine = []
    for image, place, joint in (sample.visibility == 2).nonzero().tolist():
        x, y = sample.keypoints[image, place, joint].round().long().tolist()
        mine.append(float(sample.person_map[image, min(y, 95), min(x, 95)] == place + 1))
    assert sum(mine) / len(mine) > 0.95
