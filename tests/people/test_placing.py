"""Placing: do the people stand where the crop was asked to put them, and does nothing else change?"""

import pytest
import torch

from posecourse import people, seeding


@pytest.mark.parametrize("size", [(40, 40), (40, 60)])
def test_the_middle_is_where_it_was_asked_for(size: tuple[int, int]) -> None:
    """Is the middle of the keypoints' box at the given share of the picture, square or not?"""
    H, W = size
    scene = people.draw_scenes(5, seeding.generator(3), truncation=0, margin=(0.2, 0.3))
    centre = torch.tensor([[0.5, 0.5], [0.3, 0.6], [0.7, 0.4], [0.9, 0.5], [0.1, 0.2]])
    keypoints = people.render(people.placed(scene, centre, W / H), size).keypoints
    middle = (keypoints.amin(1) + keypoints.amax(1)) / 2
    torch.testing.assert_close((middle + 0.5) / torch.tensor([W, H]), centre, atol=1e-4, rtol=0)


def test_placing_moves_and_does_nothing_else() -> None:
    """Are the keypoints of two placings the same up to a shift?"""
    scene = people.draw_scenes(3, seeding.generator(4), people=2, truncation=0)
    here, there = (
        people.render(people.placed(scene, torch.full((3, 2), share)), (32, 32)).keypoints for share in (0.5, 0.75)
    )
    torch.testing.assert_close(there - here, torch.full_like(here, 8.0), atol=1e-3, rtol=0)


@pytest.mark.usefixtures("as_a_user")
def test_a_centre_for_each_scene() -> None:
    """Is one centre for many scenes refused, with both shapes?"""
    scene = people.draw_scenes(3, seeding.generator(5))
    with pytest.raises(ValueError, match=r"centre must be \(3, 2\), one point a scene; got \(2,\)"):
        people.placed(scene, torch.tensor([0.5, 0.5]))
