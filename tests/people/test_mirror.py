"""Is the mirror image of a scene the flipped picture?"""

from dataclasses import replace

import pytest
import torch

from posecourse import people, seeding
from posecourse.people.hair import STYLES
from posecourse.people.lofts import circle
from posecourse.skeletons import COCO17

SWAP = list(COCO17.swap)


def test_the_mirrored_scene_gives_the_flipped_picture_and_swapped_keypoints() -> None:
    """Does nothing in the renderer prefer a side: geometry, light, clothes, backdrop?

    Only the crop's rounding differs, 1 - c for c, by some 1e-5 px. Of an outline of 500 px with 4 samples a pixel that
    moves one sample in 25 pictures to the other side, so 2 of the 60 pictures here have a pixel that is not the same.
    """
    scene = people.draw_scenes(60, seeding.generator(8), people=(1, 2))
    plain, mirror = people.render(scene, (64, 48)), people.render(people.mirrored(scene), (64, 48))
    swapped = plain.keypoints[..., SWAP, :] * torch.tensor([-1.0, 1.0]) + torch.tensor([47.0, 0.0])
    swapped = swapped * scene.present[..., None, None]
    torch.testing.assert_close(mirror.keypoints, swapped, atol=1e-4, rtol=0)
    difference = (mirror.images.flip(-1) - plain.images).abs().amax(1)
    assert (difference > 0.01).sum() <= 6
    assert difference.median() < 1e-6
    assert difference.mean() < 1e-5


def test_every_label_is_exchanged_and_none_else() -> None:
    """Does hair cover the left ear of the mirror image exactly where it covered the right one, in every style?

    Hair and ears are a millimetre or two apart, so both sides' triangles must be each other's mirror images.
    """
    scene = people.draw_scenes(300, seeding.generator(10), people=(1, 2))
    table = torch.tensor(list(STYLES.values()))
    style = torch.arange(scene.present.numel()).view_as(scene.families) % (len(table) - 1) + 1  # nobody bald
    size = scene.looks.hair_shape.new_empty(style.shape).uniform_(0.88, 1.12, generator=seeding.generator(11))
    scene = replace(scene, looks=replace(scene.looks, hair_style=style, hair_shape=table[style] * size[..., None]))
    plain, mirror = (people.render(each, (32, 32)).visibility for each in (scene, people.mirrored(scene)))
    assert torch.equal(mirror, plain[..., SWAP])
    ears = plain[scene.present][:, [COCO17.index("left_ear"), COCO17.index("right_ear")]]
    assert 0.1 < (ears == 2).float().mean() < 0.9


@pytest.mark.parametrize("sides", [5, 9, 10, 16, 18])
def test_a_ring_is_its_own_mirror_image_to_the_last_bit(sides: int) -> None:
    """Is a ring read backwards the ring with its x turned round, odd or even?"""
    angle, x, z = circle(sides, 2.4, torch.device("cpu"))
    assert torch.equal(x.flip(0), -x)
    assert torch.equal(z.flip(0), z)
    assert torch.equal(angle.flip(0), -angle)


def test_mirroring_twice_gives_the_scene_back() -> None:
    """Is a reflection its own inverse?"""
    scene = people.draw_scenes(3, seeding.generator(9))
    again = people.mirrored(people.mirrored(scene))
    torch.testing.assert_close(again.poses, scene.poses)
    torch.testing.assert_close(again.camera.centre, scene.camera.centre)
    torch.testing.assert_close(again.props.boxes, scene.props.boxes)
