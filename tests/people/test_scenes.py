"""Are scenes drawn as asked, and drawn again the same?"""

from dataclasses import replace

import pytest
import torch

from posecourse import people, seeding
from posecourse.people.bundle import Bundle


def tensors(bundle: Bundle) -> list[torch.Tensor]:
    """Return every tensor of a bundle."""
    found: list[torch.Tensor] = []
    bundle.map(lambda tensor: (found.append(tensor), tensor)[1])
    return found


def test_a_generator_decides_everything() -> None:
    """Do equal seeds give equal pictures and others different ones?"""
    a, b, c = (people.render(people.draw_scenes(3, seeding.generator(seed)), (40, 30)) for seed in (1, 1, 2))
    assert torch.equal(a.images, b.images)
    assert torch.equal(a.keypoints, b.keypoints)
    assert not torch.equal(a.images, c.images)


def test_a_batch_of_five_is_five_batches_of_one() -> None:
    """Does a picture not depend on its neighbours in the batch?"""
    scene = people.draw_scenes(5, seeding.generator(3), people=2)
    together = people.render(scene, (48, 64))
    for index in range(5):
        alone = people.render(scene[index], (48, 64))
        torch.testing.assert_close(alone.keypoints, together[index].keypoints, atol=1e-4, rtol=1e-6)
        assert ((alone.images - together[index].images).abs() > 1e-4).float().mean() < 1e-3
        assert (alone.visibility == together[index].visibility).all()


def test_rendering_edits_nothing() -> None:
    """Is the scene after rendering what it was before?"""
    scene = people.draw_scenes(2, seeding.generator(4))
    before = [tensor.clone() for tensor in tensors(scene)]
    people.render(scene, (32, 32))
    people.mirrored(scene)
    assert all(torch.equal(a, b) for a, b in zip(before, tensors(scene), strict=True))


def test_pictures_are_float32_in_the_unit_range() -> None:
    """Is the sample of the right types, finite and in range, for single people and crowds?"""
    for who, shape in ((1, (4, 17, 2)), ((2, 3), (4, 3, 17, 2))):
        sample = people.render(people.draw_scenes(4, seeding.generator(5), people=who), (30, 50))
        assert sample.images.dtype == sample.keypoints.dtype == torch.float32
        assert sample.keypoints.shape == shape
        assert (sample.images >= 0).all()
        assert (sample.images <= 1).all()
        assert sample.keypoints.isfinite().all()


def test_an_edited_scene_is_drawn_as_edited() -> None:
    """Can a later lesson turn the camera or walk a person with `dataclasses.replace`?"""
    scene = people.draw_scenes(2, seeding.generator(6), poses=["walk"], occluders=0)
    before = people.render(scene, (48, 48))
    walked = people.render(replace(scene, poses=people.walk_cycle(torch.full((2, 1), 0.25))), (48, 48))
    assert (walked.keypoints - before.keypoints).abs().amax() > 1
    camera = replace(scene.camera, yaw=scene.camera.yaw + 0.02)
    turned = people.render(replace(scene, camera=camera), (48, 48))
    shift = (turned.keypoints - before.keypoints)[..., 0]
    expected = 0.02 * scene.camera.focal[:, None] * 48  # small angle, near the axis
    assert ((shift / expected) > 0.8).all()
    assert ((shift / expected) < 1.3).all()


@pytest.mark.parametrize("target", [0.0, 0.2, 0.4, 0.6])
def test_neighbours_overlap_by_about_what_was_asked(target: float) -> None:
    """Is the common part of two neighbours' boxes the asked share of the smaller one, on average to 0.06?"""
    scene = people.draw_scenes(50, seeding.generator(7), people=3, overlap=target, truncation=0, occluders=0)
    boxes = people.render(scene, (24, 32)).attributes["whole_boxes"]
    low, high = boxes[..., :2], boxes[..., :2] + boxes[..., 2:]
    common = (torch.minimum(high[:, 1:], high[:, :-1]) - torch.maximum(low[:, 1:], low[:, :-1])).clamp(min=0).prod(-1)
    area = boxes[..., 2:].prod(-1)
    share = common / torch.minimum(area[:, 1:], area[:, :-1])
    assert abs(share.mean() - target) < 0.06
    assert (share - target).abs().quantile(0.9) < 0.17


def test_people_are_inside_unless_truncation_was_asked() -> None:
    """Does truncation cut somebody off in every picture, and its absence in none?"""
    whole = people.render(people.draw_scenes(60, seeding.generator(8), truncation=0), (48, 48))
    cut = people.render(people.draw_scenes(60, seeding.generator(8), truncation=1), (48, 48))
    boxes = whole.attributes["whole_boxes"]
    edge = torch.cat([boxes[:, :2], 47 - (boxes[:, :2] + boxes[:, 2:])], -1)
    assert (whole.visibility > 0).all()
    assert (edge > -1.5).all()  # hair and hems may stick out of the outline that is framed
    assert ((cut.visibility == 0).any(1)).float().mean() > 0.85
    assert ((cut.visibility > 0).sum(1) >= 3).float().mean() > 0.9


def test_the_number_of_people_and_their_poses_are_as_asked() -> None:
    """Are people, poses and obstacles drawn from what is allowed?"""
    scene = people.draw_scenes(40, seeding.generator(9), people=(2, 4), poses=["sit", "wave"], occluders=0)
    number = scene.present.sum(1)
    assert set(number.tolist()) == {2, 3, 4}
    assert {people.FAMILIES[index] for index in scene.families.flatten().tolist()} == {"sit", "wave"}
    assert (scene.props.rounds[..., 3] == 0).all()


def test_a_narrower_picture_is_cut_and_says_so() -> None:
    """Where a scene drawn for a square is rendered at 96x32, is it cut about the camera's centre, truthfully?"""
    scene = people.draw_scenes(30, seeding.generator(10), truncation=0)
    square, narrow = people.render(scene, (96, 96)), people.render(scene, (96, 32))
    moved = square.keypoints[..., 0] - scene.camera.centre[:, :1] * (96 - 32)
    torch.testing.assert_close(narrow.keypoints[..., 0], moved, atol=1e-3, rtol=1e-5)
    torch.testing.assert_close(narrow.keypoints[..., 1], square.keypoints[..., 1])
    outside = (moved < -0.5) | (moved >= 31.5)
    assert outside.any()
    assert (narrow.visibility[outside] == 0).all()
    assert (square.visibility > 0).all()


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize("count", [0, -3, 2.5])
def test_a_number_of_scenes_is_positive_and_whole(count: int) -> None:
    """Is no scene, or a part of one, refused by name?"""
    with pytest.raises(ValueError, match=f"count must be a positive whole number; got {count}"):
        people.draw_scenes(count, seeding.generator(0))


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("people", 0, "people"),
        ("people", (3, 2), "people"),
        ("people", 2.5, r"whole number from 1 to 254.* got 2\.5"),
        ("people", "2", "got '2'"),
        ("people", 255, "got 255"),
        ("overlap", 1.0, "overlap"),
        ("occluders", 2.0, "occluders"),
        ("truncation", -0.1, "truncation"),
        ("facing", 2.0, r"facing is a probability, a number between 0 and 1; got 2\.0"),
        ("facing", float("nan"), "facing .* got nan"),
        ("facing", "all", "facing .* got 'all'"),
        ("overlap", "half", "overlap .* got 'half'"),
        ("margin", (0.3, 0.2), "margin"),
        ("margin", 0.1, r"margin .* got 0\.1\. .* give it twice"),
        ("margin", (0.1,), "margin"),
        ("poses", "walk", r"got the text 'walk'\. Say poses=\['walk'\]"),
        ("poses", ["fly"], "squat"),
        ("poses", [], "squat"),
        ("aspect", 0.0, "aspect"),
        ("aspect", float("inf"), "aspect .* got inf"),
    ],
)
def test_an_impossible_wish_is_named(option: str, value: object, message: str) -> None:
    """Does the error say which option is wrong and what is possible?"""
    with pytest.raises(ValueError, match=message):
        people.draw_scenes(2, seeding.generator(0), **{option: value})


def test_every_public_name_is_there() -> None:
    """Is there everything that `__all__` names?"""
    assert all(hasattr(people, name) for name in people.__all__)


def test_a_scene_moves_to_another_device() -> None:
    """Does every tensor of a scene follow `.to`? The meta device holds shapes only."""
    scene = people.draw_scenes(2, seeding.generator(0)).to("meta")
    assert {tensor.device.type for tensor in tensors(scene)} == {"meta"}
    assert scene.joints().device.type == "meta"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_draws_the_same_picture() -> None:
    """Is the picture the device's only up to rounding at outlines?"""
    scene = people.draw_scenes(4, seeding.generator(0))
    cpu, gpu = people.render(scene, (64, 64)), people.render(scene.to("cuda"), (64, 64)).to("cpu")
    torch.testing.assert_close(cpu.keypoints, gpu.keypoints, atol=1e-3, rtol=1e-5)
    assert ((cpu.images - gpu.images).abs() > 0.02).float().mean() < 0.005
