"""Is there no bias: in where pixels lie, to a hundredth of a pixel, and in whose joints are hidden?

A single picture cannot say: with 2x2 samples a pixel, an edge is up to a quarter of a pixel off. But it is off the
other way as often, so the mean over many pictures is 0 within its standard error. Four of these are the tolerance.
"""

from dataclasses import replace

import torch
from torch.nn import functional

from posecourse import people, seeding
from posecourse.people.backdrop import NUMBERS
from posecourse.people.clearance import cleared
from posecourse.people.dice import Dice
from posecourse.people.poses import draw_poses
from posecourse.skeletons import COCO17


def in_the_dark(scene: people.Scene) -> people.Scene:
    """Return the scene before a black wall: pixels are then linear in what covers them."""
    black = scene.backdrop.map(lambda tensor: torch.zeros_like(tensor))
    black.numbers[:, [NUMBERS.index(name) for name in ("wall_z", "side_x")]] = 1e4
    black.numbers[:, [NUMBERS.index(name) for name in ("board", "grain_scale")]] = 1.0
    return replace(scene, backdrop=black)


def markers(count: int) -> tuple[people.Scene, torch.Tensor]:
    """Return scenes with one white square each, turned anyhow in the picture's plane, and its centre in the world."""
    generator = seeding.generator(0)
    one = people.draw_scenes(1, generator, occluders=0, truncation=0)
    scene = in_the_dark(one[torch.zeros(count, dtype=torch.long)])
    flat, (x, y, roll, zoom) = torch.zeros(count), torch.rand(4, count, generator=generator)
    camera = replace(
        scene.camera,
        position=torch.tensor([0.0, -1.0, -4.0]).expand(count, 3),
        yaw=flat,
        pitch=flat,
        roll=2 * torch.pi * roll,
        focal=5 + 2 * zoom,
        centre=torch.full((count, 2), 0.5),
    )
    centre = torch.stack([0.06 * (x - 0.5), 0.06 * (y - 0.5) - 1, flat], -1)
    thin = 2e-4  # the face that we see lies at the centre's depth
    box = torch.cat([centre + thin * torch.tensor([0, 0, 1]), torch.tensor([0.1, 0.1, thin, 0]).expand(count, 4)], -1)
    props = replace(
        scene.props,
        boxes=box[:, None],
        box_colours=torch.full((count, 1, 3), 0.8),
        rounds=torch.zeros_like(scene.props.rounds),
    )
    grey = torch.full_like(scene.light.sky, 0.6)
    light = replace(scene.light, key=torch.zeros_like(grey), sky=grey, bounce=grey)
    nobody = torch.zeros_like(scene.present)
    return replace(scene, camera=camera, props=props, light=light, present=nobody), centre


def test_a_marker_is_drawn_where_its_centre_is_projected() -> None:
    """Is the centroid of a small square the projection of its centre, over 600 places and turns?

    An upright square is the worst: each of two opposite edges is off by a number from -1/4 to 1/4 px, so the centroid
    has a standard deviation of at most 0.25/√3/√2 = 0.10 px, and the mean of 600 one of 0.004 px.
    """
    scene, centre = markers(600)
    H, W = size = (24, 29)
    weight = people.render(scene, size, crowd=True).images.square().sum(1)
    total = weight.sum((-1, -2))
    x, y = (weight.sum(-2) * torch.arange(W)).sum(-1), (weight.sum(-1) * torch.arange(H)).sum(-1)
    truth = people.camera.project(scene.camera.view(centre[:, None]), scene.camera.matrix(size))[:, 0]
    error = torch.stack([x, y], -1) / total[:, None] - truth
    standard_error = error.std(0) / 600**0.5
    assert (standard_error < 0.25 / 3**0.5 / 2**0.5 / 600**0.5).all()
    assert (error.mean(0).abs() < 4 * standard_error).all()


def test_a_picture_is_the_mean_of_one_of_four_times_the_size() -> None:
    """Do people's pixels lie where a picture of 16 times as many samples has them, over 100 scenes?

    The shift between both is the least-squares one: of all (u, v), the one for which large - small = u dI/dx + v dI/dy
    leaves least. Per scene it is off by some 0.03 px, so the mean's standard error is 0.003 px.
    """
    scene = in_the_dark(people.draw_scenes(100, seeding.generator(1), occluders=0, truncation=0))
    small, large = (people.render(scene, (48 * scale, 36 * scale)).images.square() for scale in (1, 4))
    large = functional.avg_pool2d(large, 4)
    slopes = [large[..., 1:-1, 2:] - large[..., 1:-1, :-2], large[..., 2:, 1:-1] - large[..., :-2, 1:-1]]
    basis = torch.stack([slope.flatten(1) / 2 for slope in slopes], -1)  # (B pixels 2)
    change = (large - small)[..., 1:-1, 1:-1].flatten(1)
    shift = torch.linalg.lstsq(basis, change[..., None]).solution[..., 0]
    standard_error = shift.std(0) / 10
    assert (standard_error < 0.05 / 10).all()
    assert (shift.mean(0).abs() < 4 * standard_error).all()


def hidden(scene: people.Scene, girth: float, poses: torch.Tensor) -> torch.Tensor:
    """Return which keypoints (B 17) are hidden when everybody is that heavy and stands so."""
    bodies = replace(scene.bodies, girth=torch.full_like(scene.bodies.girth, girth))
    return people.render(replace(scene, bodies=bodies, poses=poses), (32, 32)).visibility == 1


def test_heavy_people_who_face_us_hide_no_more_of_their_limbs_than_average_ones() -> None:
    """Are elbows, wrists, knees and ankles of 600 people seen as often at girth 1.25 as at 1, in the same poses?

    Of n joints whose label differs between the two, half change either way if girth does not matter; their difference
    has a standard error of √n (McNemar, 1947). Two of these are the bound. Poses that do not make room fail it by far.
    It holds for people within 30° of the front: in profile a deep trunk does hide more of the far arm.
    """
    count = 600
    scene = people.draw_scenes(count, seeding.generator(4), occluders=0, truncation=0)
    drawn = draw_poses(Dice(seeding.generator(5), (count, 1)), scene.families)
    turn = torch.rand(count, 1, generator=seeding.generator(6)) * 2 - 1
    scene = replace(scene, headings=turn * torch.pi / 6)
    heavy = torch.full((count, 1), 1.25)
    average, clear, raw = (
        hidden(scene, 1.0, drawn),
        hidden(scene, 1.25, cleared(drawn, heavy)),
        hidden(scene, 1.25, drawn),
    )

    def excess(other: torch.Tensor, name: str) -> float:
        """Return how many standard errors more are hidden than on an average body."""
        joints = [COCO17.index(f"{side}_{name}") for side in ("left", "right")]
        more, less = (other & ~average)[:, joints].sum(), (average & ~other)[:, joints].sum()
        return float((more - less) / (more + less).clamp(min=1) ** 0.5)

    for name in ("elbow", "wrist", "knee", "ankle"):
        assert excess(clear, name) < 2, name
    for name in ("elbow", "wrist"):
        assert excess(raw, name) > 4, name
