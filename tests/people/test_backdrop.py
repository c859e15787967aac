"""Is the backdrop where the camera says, whatever the picture's size?"""

from dataclasses import replace

import pytest
import torch

from posecourse import people, seeding
from posecourse.people.backdrop import NUMBERS, PLACES
from posecourse.people.camera import project
from posecourse.people.render import _behind

SIZES = [(48, 64), (49, 67), (170, 216), (171, 217), (173, 218)]
"""Even and odd; those of more than 160x160 pixels are painted at half the size."""


def from_above(count: int) -> people.Scene:
    """Return scenes seen from straight above, on plain ground, under a light that comes straight down."""
    scene = people.draw_scenes(count, seeding.generator(0))
    flat = torch.zeros(count)
    down = torch.tensor([0.0, -1.0, 0.0]).expand(count, 3)
    camera = replace(
        scene.camera,
        position=torch.tensor([0.0, -4.0, 0.0]).expand(count, 3),
        yaw=flat,
        pitch=flat + torch.pi / 2,
        roll=flat,
        focal=flat + 4.0,  # a metre of ground is the picture's height
        centre=torch.full((count, 2), 0.5),
    )
    plain = scene.backdrop.numbers * 0
    plain[:, [NUMBERS.index(name) for name in ("wall_z", "side_x")]] = 1e4
    plain[:, [NUMBERS.index(name) for name in ("board", "grain_scale")]] = 1.0
    backdrop = replace(
        scene.backdrop,
        place=torch.full_like(scene.backdrop.place, PLACES.index("studio")),
        numbers=plain,
        furniture=scene.backdrop.furniture * 0,
    )
    light = replace(scene.light, direction=down, sky=scene.light.sky * 0)  # what dims the sky has no border
    return replace(scene, camera=camera, backdrop=backdrop, light=light)


@pytest.mark.parametrize("size", SIZES)
def test_a_shadow_on_the_ground_falls_where_the_camera_says(size: tuple[int, int]) -> None:
    """Is a round shadow's centre the projection of the ball's foot, near the right and the lower border too?

    Seen from above the ground is parallel to the picture, so the shadow is a disc about the foot and stays one: blur
    and bilinear growth keep the centroid. What is left is the aliasing of a smooth disc on a grid of two or four
    pixels a step, below a tenth of a pixel and different at every place: the mean of 64 is 0 within its standard
    error. A picture stretched by half a step, or light half a pixel off, is 0.08 to 0.5 px.
    """
    H, W = size
    scene = from_above(64)
    radius = 0.09
    across = W / H / 2 - 0.22  # the whole shadow inside
    places = torch.rand(64, 2, generator=seeding.generator(1)) * 0.12 + torch.tensor([across - 0.12, 0.28 - 0.12])
    x, ahead = places.unbind(-1)  # from above, what is ahead is up in the picture
    ball = torch.stack([x, torch.full_like(x, -0.3), -ahead, torch.full_like(x, radius)], -1)[:, None]
    lit, shaded = (_behind(scene, ball * ball.new_tensor([1, 1, 1, on]), size) for on in (0, 1))
    dark = (lit - shaded).sum(1).clamp(min=0)
    total = dark.sum((-1, -2))
    found = torch.stack(
        [(dark.sum(-2) * torch.arange(W)).sum(-1) / total, (dark.sum(-1) * torch.arange(H)).sum(-1) / total], -1
    )
    foot = ball[:, :, :3] * ball.new_tensor([1, 0, 1])
    truth = project(scene.camera.view(foot), scene.camera.matrix(size))[:, 0]
    error = found - truth
    standard_error = error.std(0) / 8
    assert (standard_error < 0.1 / 8).all()
    assert (error.mean(0).abs() < 4 * standard_error).all()


@pytest.mark.parametrize("size", [(49, 67), (171, 217)])
def test_an_odd_picture_is_cut_out_of_an_even_one(size: tuple[int, int]) -> None:
    """Does the backdrop of an odd picture hold the very pixels that it would hold with a row and a column more?"""
    scene = people.draw_scenes(4, seeding.generator(2))
    even = (size[0] + 1, size[1] + 1)
    balls = torch.tensor([0.1, -0.5, 0.2, 0.2]).expand(4, 1, 4)
    wide = replace(scene, camera=scene.camera.extended(size, even))
    odd, whole = _behind(scene, balls, size), _behind(wide, balls, even)
    assert odd.shape[-2:] == size
    torch.testing.assert_close(odd, whole[..., : size[0], : size[1]], atol=2e-3, rtol=0)


def test_an_extended_camera_keeps_every_pixel() -> None:
    """Does a larger picture of the same camera project every point to the same pixel?"""
    scene = people.draw_scenes(4, seeding.generator(3))
    points = torch.randn(4, 5, 3, generator=seeding.generator(4)) + torch.tensor([0.0, 0.0, 5.0])
    larger = scene.camera.extended((35, 51), (40, 52)).matrix((40, 52))
    torch.testing.assert_close(project(points, scene.camera.matrix((35, 51))), project(points, larger))
