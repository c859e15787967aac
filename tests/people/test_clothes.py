"""Are clothes and furniture where they belong, and can they be told from skin?"""

from dataclasses import replace

import pytest
import torch

from posecourse import people, seeding
from posecourse.people.palette import CLOTHES, SHOES, TROUSERS, away_from, lab
from posecourse.people.rotations import rotate, turn_y


@pytest.mark.parametrize("family", ["lunge", "run", "walk", "sit", "bend"])
def test_no_stride_leaves_the_skirt(family: str) -> None:
    """Do thighs stay within the skirt?

    The legs' upper two thirds under the skirt change from cloth to bare skin: hardly a pixel may see it.
    """
    scene = people.draw_scenes(24, seeding.generator(5), poses=[family], occluders=0, truncation=0)
    skirt = torch.where(scene.looks.skirt > 0, scene.looks.skirt, 0.6)
    red, blue = torch.tensor([0.9, 0.1, 0.1]), torch.tensor([0.1, 0.1, 0.9])
    colours = scene.looks.colours.clone()
    colours[..., 0, :], colours[..., 2, :] = blue, red
    looks = replace(
        scene.looks, colours=colours, second=colours, skirt=skirt, loose=torch.zeros_like(scene.looks.loose)
    )
    images = [
        people.render(replace(scene, looks=replace(looks, hem=share * skirt)), (96, 96)).images for share in (0.66, 0.0)
    ]
    changed = (images[1][:, 0] - images[0][:, 0]).abs() > 0.2
    cloth = (images[0][:, 0] - images[0][:, 2]) > 0.2
    assert cloth.sum() > 24 * 50
    assert changed.sum() < 0.002 * cloth.sum()


def test_lab_is_the_standards() -> None:
    """Are white, black and the red primary where CIE puts them?"""
    found = lab(torch.tensor([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]))
    torch.testing.assert_close(
        found, torch.tensor([[100.0, 0.0, 0.0], [0.0, 0.0, 0.0], [53.24, 80.09, 67.20]]), atol=0.05, rtol=0
    )


@pytest.mark.parametrize("table", [CLOTHES, TROUSERS, SHOES])
def test_clothes_are_not_taken_for_skin(table: tuple[tuple[float, float, float], ...]) -> None:
    """Is every colour that is worn 24 ΔE from the skin beside it, and the chosen one where that is far enough?"""
    tone, chosen = torch.meshgrid(torch.arange(10), torch.arange(len(table)), indexing="ij")
    worn, wanted, skin = (
        away_from(tone, table, chosen, 24),
        torch.tensor(table)[chosen],
        torch.tensor(people.SKIN_TONES),
    )
    gap = (lab(worn) - lab(skin)[tone]).norm(dim=-1)
    assert gap.min() >= 24
    fit = (lab(wanted) - lab(skin)[tone]).norm(dim=-1) >= 24
    assert torch.equal(worn[fit], wanted[fit])
    assert not fit.all()


def test_without_a_better_colour_the_choice_stands() -> None:
    """Is a table in which nothing is far enough used as it is?"""
    table = ((0.5, 0.4, 0.3), (0.6, 0.4, 0.3))
    chosen = torch.tensor([[0, 1, 1]])
    assert torch.equal(away_from(torch.tensor([[2, 3, 5]]), table, chosen, 1000), torch.tensor(table)[chosen])


def test_a_chairs_back_stands_on_its_seat() -> None:
    """Does the back of every chair that has one begin below the seat's top, within the seat's depth?"""
    scene = people.draw_scenes(40, seeding.generator(3), poses=["sit"])
    seat, back = scene.props.boxes[:, 0], scene.props.boxes[:, 1]
    held = back[:, 3] > 0
    assert 5 < held.sum() < 35
    apart = rotate(turn_y(-seat[:, 6]), back[:, :3] - seat[:, :3])[held]
    seat, back = seat[held], back[held]
    assert (apart[:, 0].abs() < 1e-4).all()
    assert (apart[:, 2] + back[:, 5] <= seat[:, 5] + 0.01).all()
    assert (apart[:, 2] > 0).all()
    assert (back[:, 1] + back[:, 4] > seat[:, 1] - seat[:, 4]).all()  # y is down: the back's foot, the seat's top
