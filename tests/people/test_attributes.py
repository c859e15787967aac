"""Are the attributes those of the picture?"""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import torch

from posecourse import people

Maker = Callable[..., people.Scene]


def plain(scene: people.Scene) -> people.Scene:
    """Return the scene without patterns, beards, skirts and hair."""
    looks = scene.looks
    return replace(
        scene,
        looks=replace(
            looks,
            pattern=torch.zeros_like(looks.pattern),
            beard=torch.zeros_like(looks.beard),
            skirt=torch.zeros_like(looks.skirt),
            hair_shape=torch.zeros_like(looks.hair_shape),
        ),
    )


def at(image: torch.Tensor, point: torch.Tensor) -> torch.Tensor:
    """Return the colour (3) of a pixel."""
    x, y = point.round().long().tolist()
    return image[:, y, x]


def test_darker_tones_give_darker_skin(standing: Maker) -> None:
    """Does the luminance of a face fall from tone 0 to tone 9, everything else equal?"""
    one = plain(standing(1))
    scene = one.map(lambda value: value.expand(10, *value.shape[1:]).clone())
    colours = scene.looks.colours.clone()
    colours[:, 0, 0] = torch.tensor(people.SKIN_TONES)
    sample = people.render(replace(scene, looks=replace(scene.looks, colours=colours)), (128, 128))
    cheek = sample.keypoints[:, 0] * 0.4 + sample.keypoints[:, 3] * 0.6
    luminance = [
        float(at(image, point) @ torch.tensor([0.3, 0.6, 0.1]))
        for image, point in zip(sample.images, cheek, strict=True)
    ]
    assert all(a > b + 0.01 for a, b in pairwise(luminance))


def test_the_top_has_the_colour_that_is_reported(standing: Maker) -> None:
    """Are the pixels of the chest in the proportions of the top's colour (light is about white)?"""
    scene = plain(standing(20))
    sample = people.render(scene, (96, 96))
    hits = 0
    for image, keypoints, colour in zip(sample.images, sample.keypoints, sample.attributes["top_colour"], strict=True):
        chest = (keypoints[5] + keypoints[6]) * 0.35 + (keypoints[11] + keypoints[12]) * 0.15
        seen, drawn = at(image, chest), colour
        hits += torch.cosine_similarity(seen, drawn, dim=0) > 0.98
    assert hits >= 18


def test_the_side_towards_the_light_is_brighter(standing: Maker) -> None:
    """Is a lit cheek brighter than the other one?"""
    scene = plain(standing(8))
    side = torch.tensor([1.0, -1.0]).repeat(4)
    direction = torch.stack([0.85 * side, torch.full((8,), -0.3), torch.full((8,), -0.43)], -1)
    sample = people.render(replace(scene, light=replace(scene.light, direction=direction)), (128, 128))
    for image, keypoints, sign in zip(sample.images, sample.keypoints, side, strict=True):
        left, right = (at(image, keypoints[0] * 0.3 + keypoints[ear] * 0.7).mean() for ear in (3, 4))
        assert (left - right) * sign > 0.03  # the person's left is the image's right


def test_attributes_have_the_lengths_of_a_sample(standing: Maker) -> None:
    """Can a sample be indexed with its attributes in step, and are tones 0 to 9 and yaws as drawn?"""
    scene = standing(4)
    sample = people.render(scene, (32, 32))
    assert torch.equal(sample.attributes["yaw"], scene.headings[:, 0])
    assert torch.equal(sample[2].attributes["skin_tone"], scene.looks.skin_tone[2:3, 0])
    assert all(len(value) == 4 for value in sample.attributes.values())
