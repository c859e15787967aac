"""Is visibility what is really in front?"""

import math
from collections.abc import Callable
from dataclasses import replace

import torch

from posecourse import people, seeding
from posecourse.skeletons import COCO17

Maker = Callable[..., people.Scene]
NOSE, LEFT_EAR, RIGHT_EAR = (COCO17.index(name) for name in ("nose", "left_ear", "right_ear"))
BODY = [COCO17.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("shoulder", "hip")]


def bald(scene: people.Scene) -> people.Scene:
    """Return the scene with nobody's hair in front of an ear."""
    return replace(scene, looks=replace(scene.looks, hair_shape=torch.zeros_like(scene.looks.hair_shape)))


def full_turn(standing: Maker, step: int = 4, **angles: float) -> tuple[people.Scene, torch.Tensor]:
    """Return one person who turns on the spot with hands in the air, hair cut, and the headings in degrees."""
    degrees = torch.arange(-180, 180, step).float()
    scene = bald(standing(1))[torch.zeros(len(degrees), dtype=torch.long)]
    poses = scene.poses.clone()
    for side in ("left", "right"):
        poses[..., people.ANGLES.index(f"{side}_shoulder_abduction")] = 2.7
        for name, value in angles.items():
            poses[..., people.ANGLES.index(f"{side}_{name}")] = value
    return replace(scene, poses=poses, headings=torch.deg2rad(degrees)[:, None]), degrees


def seen(scene: people.Scene) -> dict[str, torch.Tensor]:
    """Return for each keypoint in which of the pictures it is seen."""
    visibility = people.render(scene, (32, 32)).visibility
    assert (visibility > 0).all()
    return dict(zip(COCO17.names, (visibility == 2).unbind(-1), strict=True))


def dressed(scene: people.Scene, girth: float, loose: float, skirt: float) -> people.Scene:
    """Return the scene with everybody that heavy and so dressed."""
    looks = replace(scene.looks, loose=torch.full_like(scene.looks.loose, loose))
    looks = replace(looks, skirt=torch.full_like(looks.skirt, skirt), flare=torch.zeros_like(looks.flare))
    bodies = replace(scene.bodies, girth=torch.full_like(scene.bodies.girth, girth))
    return replace(scene, looks=looks, bodies=bodies)


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


def test_labels_do_not_depend_on_the_size_of_the_picture() -> None:
    """Is what hides a keypoint found on its ray, not on the nearest sample of a raster?"""
    scene = people.draw_scenes(24, seeding.generator(3), people=2, occluders=0.6)
    small, *larger = (people.render(scene, (size, size)).visibility for size in (64, 128, 256))
    assert all(torch.equal(small, other) for other in larger)
    assert (small == 1).any()
    assert torch.equal(people.render(scene, (64, 64), crowd=True).visibility, small)


def test_shoulders_and_hips_do_not_depend_on_girth_and_clothes(standing: Maker) -> None:
    """Are the labels of a slim and of a heavy body, bare and in a skirt, the same all round?"""
    scene, _ = full_turn(standing)
    slim = people.render(dressed(scene, 0.8, 0.0, 0.0), (32, 32)).visibility[:, BODY]
    for girth, loose, skirt in ((1.0, 0.0, 0.0), (1.3, 0.0, 0.0), (1.3, 0.008, 0.0), (0.8, 0.0, 1.2)):
        other = people.render(dressed(scene, girth, loose, skirt), (32, 32)).visibility[:, BODY]
        assert torch.equal(slim, other)
    assert 0.1 < (slim == 1).float().mean() < 0.3


def test_a_heavier_body_hides_no_more_of_its_own_shoulders_and_hips() -> None:
    """Over all poses, do the hidden shares agree: of shoulders label by label, of hips within the binomial error?

    An arm or the other leg in front of a hip is as thick as it is: about one hip in a hundred differs for that.
    """
    scene = people.draw_scenes(400, seeding.generator(4), occluders=0, truncation=0)
    slim, heavy = (people.render(dressed(scene, girth, 0.004, 0.0), (32, 32)).visibility for girth in (0.8, 1.25))
    shoulders, hips = BODY[0::2], BODY[1::2]
    assert (slim[:, shoulders] != heavy[:, shoulders]).float().mean() < 0.005
    shares = [(labels[:, hips] == 1).float().mean() for labels in (slim, heavy)]
    error = (shares[0] * (1 - shares[0]) / (len(scene) * 2)) ** 0.5
    assert (shares[0] - shares[1]).abs() < 2 * error


def test_the_far_shoulder_and_hip_are_hidden_in_profile_only(standing: Maker) -> None:
    """Is the trunk's far side hidden within 30° of the profile and seen elsewhere, and the near side never hidden?

    So all four are seen in a three-quarter view, from before and from behind.
    """
    scene, degrees = full_turn(standing)
    visible = seen(scene)
    for side, away in (("left", -90), ("right", 90)):  # a positive heading turns the right side away
        for joint in ("shoulder", "hip"):
            from_profile = (degrees - away).abs()
            assert not visible[f"{side}_{joint}"][from_profile < 28].any()
            assert visible[f"{side}_{joint}"][from_profile > 32].all()


def test_a_far_knee_is_hidden_by_the_near_leg_and_not_by_a_skirt(standing: Maker) -> None:
    """Does one see through cloth but not through the other leg?"""
    scene, degrees = full_turn(standing)
    for skirt in (0.0, 1.2):
        visible = seen(dressed(scene, 1.0, 0.003, skirt))["right_knee"]
        assert not visible[(degrees - 90).abs() < 8].any()
        assert visible[(degrees - 90).abs() > 20].all()


def test_an_arm_that_points_at_us_hides_its_own_joints(standing: Maker) -> None:
    """Is a shoulder behind its own elbow hidden, and an elbow behind its own hand, but neither from the side?

    The line of sight is level. Foreshortened to less than a third (19.5°) the joint is hidden, beyond that it is seen.
    """
    scene, degrees = full_turn(standing, 3, shoulder_abduction=0.0, shoulder_flex=math.pi / 2)
    near, raised = degrees.abs() < 17, seen(scene)
    folded = seen(full_turn(standing, 3, shoulder_abduction=0.2, elbow_flex=math.pi / 2)[0])
    for side, sign in (("left", 1), ("right", -1)):  # a positive heading turns the left side to us
        beside = (degrees * sign > 22) & (degrees * sign < 120)
        for joint in ("shoulder", "elbow"):
            assert not raised[f"{side}_{joint}"][near].any()
            assert raised[f"{side}_{joint}"][beside].all()
        assert folded[f"{side}_shoulder"][near].all()
        assert not folded[f"{side}_elbow"][near].any()
        assert folded[f"{side}_elbow"][degrees.abs() > 150].all()
        assert not folded[f"{side}_wrist"][degrees.abs() > 176].any()  # behind elbow and trunk


def test_a_thigh_that_points_at_us_hides_its_hip(standing: Maker) -> None:
    """Is the hip of somebody who lifts both knees at us hidden, and seen from the side and from behind?"""
    scene, degrees = full_turn(standing, hip_flex=math.pi / 2, knee_flex=math.pi / 2)
    hip = seen(scene)["left_hip"]
    assert not hip[degrees.abs() < 10].any()
    assert hip[(degrees - 90).abs() < 50].all()
    assert hip[degrees.abs() > 160].all()


def test_a_face_goes_out_of_sight_at_the_same_turn_on_every_head(standing: Maker) -> None:
    """Do the far eye and ear go before the nose, and does a child's large head behave as an adult's?"""
    scene, degrees = full_turn(standing, shoulder_abduction=0.4)
    small = replace(scene.bodies, stature=scene.bodies.stature * 0 + 1.2, head=scene.bodies.head * 0 + 0.2)
    camera = replace(scene.camera, position=scene.camera.position * torch.tensor([1, 0.6, 1.0]))
    for each in (scene, replace(scene, bodies=small, camera=camera)):
        visible = seen(each)
        eye, ear, nose = (visible[name] for name in ("right_eye", "right_ear", "nose"))
        assert eye[(degrees > -115) & (degrees < 55)].all()
        assert not eye[(degrees > 65) | (degrees < -130)].any()
        assert nose[degrees.abs() < 125].all()
        assert not nose[degrees.abs() > 140].any()
        assert not ear[(degrees > 20) & (degrees < 150)].any()
        assert ear[(degrees < 10) & (degrees > -150)].all()
