"""Is the mirror image of a scene the flipped picture?"""

import torch

from posecourse import people, seeding
from posecourse.skeletons import COCO17


def test_the_mirrored_scene_gives_the_flipped_picture_and_swapped_keypoints() -> None:
    """Does nothing in the renderer prefer a side: geometry, light, clothes, backdrop?"""
    scene = people.draw_scenes(10, seeding.generator(8))
    plain, mirror = people.render(scene, (64, 48)), people.render(people.mirrored(scene), (64, 48))
    swapped = plain.keypoints[:, list(COCO17.swap)] * torch.tensor([-1.0, 1.0]) + torch.tensor([47.0, 0.0])
    torch.testing.assert_close(mirror.keypoints, swapped, atol=2e-3, rtol=1e-4)
    difference = (mirror.images.flip(-1) - plain.images).abs().amax(1)
    assert (difference > 0.02).float().mean() < 0.02  # samples on an outline may fall to the other side
    assert difference.mean() < 2e-3
    agree = mirror.visibility == plain.visibility[:, list(COCO17.swap)]
    assert agree.float().mean() > 0.98


def test_mirroring_twice_gives_the_scene_back() -> None:
    """Is a reflection its own inverse?"""
    scene = people.draw_scenes(3, seeding.generator(9))
    again = people.mirrored(people.mirrored(scene))
    torch.testing.assert_close(again.poses, scene.poses)
    torch.testing.assert_close(again.camera.centre, scene.camera.centre)
    torch.testing.assert_close(again.props.boxes, scene.props.boxes)
