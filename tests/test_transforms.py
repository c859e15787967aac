"""Warps: images, points and everything else that a sample knows move together, and come back."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from posecourse import seeding, transforms
from posecourse.samples import Sample
from posecourse.skeletons import COCO17, Skeleton

B, N, K, H, W = 2, 4, 3, 5, 7
SKELETON = Skeleton(("tail", "left_ear", "right_ear"))
SQUARE, TALL, WIDE = (9, 9), (256, 192), (37, 61)

degrees = st.floats(-720, 720, width=32)
sides = st.integers(1, 700)


def blob(points: Tensor, size: tuple[int, int], sigma: float) -> Tensor:
    """Return one Gaussian (B 1 H W) a point (B 2), written here so that no code of ours checks itself."""
    y, x = torch.meshgrid(*(torch.arange(n, dtype=points.dtype) for n in size), indexing="ij")
    squares = (x - points[:, 0, None, None]) ** 2 + (y - points[:, 1, None, None]) ** 2
    return torch.exp(-squares / (2 * sigma**2))[:, None]


def centroid(images: Tensor) -> Tensor:
    """Return the centre of mass (B 2) as (x, y) of images (B 1 H W)."""
    masses = [ndimage.center_of_mass(image[0].numpy()) for image in images]
    return torch.tensor([(x, y) for y, x in masses], dtype=images.dtype)


def turn_scale_shift(angle: float, scale: float, shift: tuple[float, float]) -> Tensor:
    """Return a similarity as (2 3), from a textbook and not from the package."""
    c, s = math.cos(math.radians(angle)) * scale, math.sin(math.radians(angle)) * scale
    return torch.tensor([[c, s, shift[0]], [-s, c, shift[1]]], dtype=torch.float64)


def photographed(size: tuple[int, int] = WIDE, people: int = N) -> Sample:
    """Return a crowd (B N) seen by a camera, one place empty, every optional field filled."""
    g = seeding.generator(5)
    h, w = size
    metres = torch.randn(B, people, K, 3, generator=g) * torch.tensor([0.8, 0.5, 0.3]) + torch.tensor([0.0, 0.0, 6.0])
    camera = torch.tensor([[40.0, 0, w / 2, 0], [0, 40.0, h / 2, 0], [0, 0, 1, 0]]).repeat(B, 1, 1)
    projected = torch.einsum("bij,bnkj->bnki", camera, functional.pad(metres, (0, 1), value=1.0))
    points = projected[..., :2] / projected[..., 2:]
    low, high = points.amin(-2) - 2, points.amax(-2) + 2
    return Sample(
        images=torch.rand(B, 3, h, w, generator=g),
        keypoints=points,
        visibility=torch.randint(0, 3, (B, people, K), generator=g, dtype=torch.uint8),
        boxes=torch.cat([low, high - low], dim=-1),
        areas=torch.rand(B, people, generator=g) * 90 + 10,
        present=torch.tensor([[True, False, True, True], [True, True, True, False]])[:, :people],
        skeleton=SKELETON,
        image_ids=torch.tensor([11, 12]),
        person_ids=torch.arange(B * people).reshape(B, people) + 100,
        keypoints_3d=metres,
        camera=camera,
        person_map=torch.randint(0, people + 1, (B, h, w), generator=g, dtype=torch.uint8),
        attributes={"tone": torch.rand(B, people, generator=g)},
    )


def projected(sample: Sample) -> Tensor:
    """Project the metres of a crowd or of single people through the sample's camera, to pixels."""
    assert sample.keypoints_3d is not None
    assert sample.camera is not None
    homogeneous = functional.pad(sample.keypoints_3d, (0, 1), value=1.0)
    camera = sample.camera.reshape(len(sample), *(1,) * (homogeneous.ndim - 2), 3, 4)
    seen = (camera @ homogeneous[..., None])[..., 0]
    return seen[..., :2] / seen[..., 2:]


# Points


def test_counter_clockwise_is_what_the_eye_sees() -> None:
    """Does a point right of the centre go up, to smaller y, when it is turned by +90°?"""
    right = torch.tensor([[(W - 1) / 2 + 2, (H - 1) / 2]])
    torch.testing.assert_close(
        transforms.rotate_keypoints(right, 90.0, (H, W)), torch.tensor([[(W - 1) / 2, (H - 1) / 2 - 2]]), rtol=0, atol=0
    )


def test_the_turned_picture_shows_the_turned_point() -> None:
    """Does NumPy's rot90, which knows no angle, move a single lit pixel to where we say?"""
    picture = np.zeros(SQUARE)
    picture[2, 7] = 1
    (row,), (column,) = np.nonzero(np.rot90(picture))
    moved = transforms.rotate_keypoints(torch.tensor([[7.0, 2.0]]), 90.0, SQUARE)
    assert moved.tolist() == [[column, row]]


@given(a=degrees, b=degrees)
def test_turns_add_up(a: float, b: float) -> None:
    """Is a turn by a and then by b the turn by a + b, and does it keep the distance from the centre?"""
    points = torch.randn(B, K, 2, generator=seeding.generator(1), dtype=torch.float64) * 20
    twice = transforms.rotate_keypoints(transforms.rotate_keypoints(points, a, (H, W)), b, (H, W))
    torch.testing.assert_close(twice, transforms.rotate_keypoints(points, a + b, (H, W)), rtol=0, atol=1e-9)
    centre = torch.tensor([(W - 1) / 2, (H - 1) / 2], dtype=torch.float64)
    torch.testing.assert_close((twice - centre).norm(dim=-1), (points - centre).norm(dim=-1))


def test_angles_belong_to_images() -> None:
    """Does each image of a crowd turn by its own angle, all its people alike?"""
    points = torch.randn(B, N, K, 2, generator=seeding.generator(2))
    moved = transforms.rotate_keypoints(points, torch.tensor([30.0, -70.0]), (H, W))
    torch.testing.assert_close(moved[0], transforms.rotate_keypoints(points[0], 30.0, (H, W)))
    torch.testing.assert_close(moved[1], transforms.rotate_keypoints(points[1], -70.0, (H, W)))


def test_a_mirror_exchanges_the_sides() -> None:
    """Do x and the names change, but not y nor the tail's name, so that two mirrors undo each other?"""
    points = torch.tensor([[1.25, 2.0], [0.0, 3.0], [6.0, 4.5]])
    mirrored = transforms.flip_keypoints(points, (H, W), SKELETON)
    assert mirrored.tolist() == [[4.75, 2.0], [0.0, 4.5], [6.0, 3.0]]
    assert torch.equal(transforms.flip_keypoints(mirrored, (H, W), SKELETON), points)


@given(lead=st.lists(st.integers(1, 3), max_size=3), kind=st.sampled_from(["3x3", "2x3"]))
def test_a_matrix_moves_any_batch(lead: list[int], kind: str) -> None:
    """Is M·(x, y, 1) what comes out, whatever the leading axes and however many of them the matrix has?"""
    g = seeding.generator(3)
    points = torch.randn(*lead, K, 2, generator=g, dtype=torch.float64)
    for known in range(len(lead) + 1):
        top = torch.randn(*lead[:known], 2, 3, generator=g, dtype=torch.float64)
        last = torch.tensor([[0.0, 0.0, 1.0]], dtype=torch.float64).expand(*lead[:known], 1, 3)
        given_matrix = top if kind == "2x3" else torch.cat([top, last], -2)
        spread = top.reshape(*lead[:known], *(1,) * (len(lead) + 1 - known), 2, 3)
        wanted = (spread @ functional.pad(points, (0, 1), value=1.0)[..., None])[..., 0]
        torch.testing.assert_close(transforms.transform_points(points, given_matrix), wanted)


@given(values=st.lists(st.floats(-5, 5), min_size=6, max_size=6))
def test_the_way_back_is_the_way_back(values: list[float]) -> None:
    """Does `invert` undo a map, and does `compose` with it give the map that does nothing?"""
    matrix = torch.tensor(values, dtype=torch.float64).reshape(2, 3)
    if abs(matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0]) < 1e-2:
        return
    nothing = transforms.compose(transforms.invert(matrix), matrix)
    torch.testing.assert_close(nothing, torch.eye(3, dtype=torch.float64), rtol=0, atol=1e-9)


def test_first_and_second_are_told_apart() -> None:
    """Does `compose(second, first)` do the first one first?"""
    turn, shift = turn_scale_shift(90, 1, (0, 0)), turn_scale_shift(0, 1, (10, 0))
    both = transforms.compose(shift, turn)
    moved = transforms.transform_points(torch.tensor([[1.0, 0.0]], dtype=torch.float64), both)
    torch.testing.assert_close(moved, torch.tensor([[10.0, -1.0]], dtype=torch.float64))


def test_inside_ends_at_the_outer_pixels_edges() -> None:
    """Are the outer halves of the outer pixels inside, and is what is beyond them, or NaN, outside?"""
    points = torch.tensor([[-0.5, -0.5], [6.49, 4.49], [6.5, 2], [2, 4.5], [-0.51, 2], [2, -0.51], [math.nan, 2]])
    assert transforms.inside(points, (H, W)).tolist() == [True, True, False, False, False, False, False]


@given(
    x=st.floats(-50, 50), y=st.floats(-50, 50), width=st.floats(1, 90), height=st.floats(1, 90), margin=st.floats(1, 3)
)
def test_context_is_the_smallest_box_of_the_aspect(
    x: float, y: float, width: float, height: float, margin: float
) -> None:
    """Has the context box the crop's aspect, the same centre, and exactly the margin in its tighter direction?"""
    box = torch.tensor([x, y, width, height], dtype=torch.float64)
    left, top, wide, high = transforms.context_box(box, TALL, margin).tolist()
    assert wide / high == pytest.approx(TALL[1] / TALL[0])
    assert (left + wide / 2, top + high / 2) == pytest.approx((x + width / 2, y + height / 2), abs=1e-9)
    assert min(wide / width, high / height) == pytest.approx(margin)


# Images


@pytest.mark.parametrize(
    ("padding", "mode"), [("zeros", "grid-constant"), ("border", "nearest"), ("reflection", "reflect")]
)
def test_pixels_agree_with_scipy(padding: str, mode: str) -> None:
    """Is every pixel what SciPy's affine_transform makes of it, which also has centres at integers?"""
    g = seeding.generator(4)
    images = torch.rand(B, 3, 23, 31, generator=g, dtype=torch.float64)
    matrix = torch.stack([turn_scale_shift(33, 1.3, (-7.3, 9.1)), turn_scale_shift(-101, 1.05, (25.2, 28.4))])
    ours = transforms.warp(images, matrix, (29, 19), padding=padding)
    for image, forward, got in zip(images, matrix, ours, strict=True):
        swap = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 1]])
        backward = swap @ np.linalg.inv(np.vstack([forward.numpy(), [0, 0, 1]])) @ swap
        for channel, wanted in zip(image, got, strict=True):
            theirs = ndimage.affine_transform(channel.numpy(), backward, output_shape=(29, 19), order=1, mode=mode)
            np.testing.assert_allclose(wanted.numpy(), theirs, atol=1e-12)


@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_quarter_turns_are_exact(quarter: int) -> None:
    """Is a turn of a square image by 90° a mere reordering of its pixels, that of torch.rot90?"""
    images = torch.rand(B, 3, *SQUARE, generator=seeding.generator(6))
    turned, _ = transforms.rotate(images, torch.zeros(B, K, 2), 90.0 * quarter)
    torch.testing.assert_close(turned, torch.rot90(images, quarter, (-2, -1)), rtol=0, atol=2e-6)


@pytest.mark.parametrize("scale", [0.27, 0.5, 0.8, 1.0, 2.3])
@pytest.mark.parametrize("angle", [0.0, 17.0, -140.0])
def test_a_keypoint_stays_on_its_blob(scale: float, angle: float) -> None:
    """Is the centroid of a blob, after the warp, at the warped keypoint, at any sub-pixel place and scale?

    A blob of σ ≥ 3 old and new pixels is resampled to 0.0002 px; a forgotten half pixel would show as 0.1 px and more.
    """
    g = seeding.generator(7)
    size, sigma = (160, 200), 3 * max(1, 1 / scale)
    points = torch.tensor([100.0, 80.0], dtype=torch.float64) + 4 * torch.rand(6, 2, generator=g, dtype=torch.float64)
    new = (round(160 * scale) + 41, round(200 * scale) + 37)
    matrix = turn_scale_shift(angle, scale, (0, 0))
    centre = torch.tensor([new[1] / 2, new[0] / 2], dtype=torch.float64)
    matrix[:, 2] = centre - matrix[:, :2] @ torch.tensor([101.3, 81.1], dtype=torch.float64)
    images, moved = transforms.affine(blob(points, size, sigma), points[:, None], matrix.expand(6, 2, 3), new)
    torch.testing.assert_close(centroid(images), moved[:, 0], rtol=0, atol=3e-3)


@pytest.mark.parametrize("shrink", [(4, 4), (3, 5), (2, 1)])
def test_whole_shrinks_average_areas(shrink: tuple[int, int]) -> None:
    """Is a picture that shrinks by whole numbers the mean over its blocks, pixel for pixel?"""
    images = torch.rand(B, 3, 12 * shrink[0], 11 * shrink[1], generator=seeding.generator(8))
    box = torch.tensor([[-0.5, -0.5, images.shape[-1], images.shape[-2]]]).expand(B, 4)
    small, _ = transforms.crop(images, torch.zeros(B, K, 2), box, (12, 11))
    torch.testing.assert_close(small, functional.avg_pool2d(images, shrink), rtol=0, atol=1e-5)


@pytest.mark.parametrize("shrink", [2.5, 3.3, 4.0, 6.7])
def test_fine_stripes_do_not_come_back_as_coarse_ones(shrink: float) -> None:
    """Do stripes too fine for the new grid fade to grey, where single looks would keep them at full contrast?"""
    columns = torch.arange(400, dtype=torch.float64)
    stripes = 0.5 + 0.5 * torch.cos(2 * math.pi * columns / 2.21).expand(1, 1, 60, 400)
    matrix = torch.tensor([[[1 / shrink, 0, 3.1], [0, 1 / shrink, 2.2]]], dtype=torch.float64)
    small = transforms.warp(stripes, matrix, (12, 56))[..., 4:8, 5:-5]
    single_looks = torch.arange(5, 51, dtype=torch.float64).sub(3.1).mul(shrink).round().long()
    assert stripes[0, 0, 0, single_looks].std() > 0.3
    # A box of f pixels leaves at most 1/(π·f·ν) = 0.28 of the contrast at f = 2.5, and less beyond.
    assert small.std() < 0.1


@pytest.mark.parametrize("shrink", [1.17, 1.38, 1.62, 3.38])
def test_a_shrink_blurs_by_the_variance_it_says(shrink: float) -> None:
    """Is the added variance (f² − 1)/12 for the area, and beside it the 1/6 of blending at every phase?"""
    size, sigma = (150, 150), 7.0
    points = torch.tensor([[75.0, 75.0]], dtype=torch.float64) + torch.rand(1, 2, generator=seeding.generator(9))
    matrix = torch.tensor([[[1 / shrink, 0, 0.0], [0, 1 / shrink, 0]]], dtype=torch.float64)
    small = transforms.warp(blob(points, size, sigma), matrix, (140, 140))[0, 0]
    x = torch.arange(140, dtype=torch.float64)
    weights = small.sum(0) / small.sum()
    variance = float((weights * x**2).sum() - (weights * x).sum() ** 2) * shrink**2
    added = variance - sigma**2 - (shrink**2 - 1) / 12
    assert added == pytest.approx(1 / 6, abs=0.015)


def test_a_picture_does_not_depend_on_its_batch() -> None:
    """Is each crop the same alone and beside one that shrinks more?"""
    g = seeding.generator(10)
    images, points = torch.rand(3, 3, 60, 80, generator=g), torch.rand(3, K, 2, generator=g) * 50
    boxes = torch.tensor([[3.0, 4, 9, 7], [1, 2, 70, 50], [-9, -3, 20, 99]])
    together = transforms.crop(images, points, boxes, (11, 13))
    for index in range(3):
        one = slice(index, index + 1)
        alone = transforms.crop(images[one], points[one], boxes[one], (11, 13))
        assert torch.equal(alone[0], together[0][one])
        assert torch.equal(alone[1], together[1][one])


def test_the_whole_picture_is_its_own_crop() -> None:
    """Does the box of the outer edges give the picture itself, unblurred and unmoved?"""
    images, points = torch.rand(B, 3, H, W, generator=seeding.generator(11)), torch.rand(B, K, 2) * 5
    box = torch.tensor([[-0.5, -0.5, W, H]]).expand(B, 4)
    same, still = transforms.crop(images, points, box, (H, W))
    torch.testing.assert_close(same, images, rtol=0, atol=1e-6)
    torch.testing.assert_close(still, points, rtol=0, atol=1e-6)


@given(
    x=st.floats(-99, 600), y=st.floats(-99, 400), width=st.floats(2, 900), height=st.floats(2, 900), h=sides, w=sides
)
def test_crops_come_back_to_a_thousandth_of_a_pixel(
    x: float, y: float, width: float, height: float, h: int, w: int
) -> None:
    """Do float32 keypoints return from a crop of any box and any size to within 0.001 px of the picture?"""
    g = seeding.generator(12)
    points = torch.rand(B, N, K, 2, generator=g) * torch.tensor([640.0, 480.0])
    matrix = transforms.box_to_size(torch.tensor([[x, y, width, height]]).expand(B, 4), (h, w))
    back = transforms.transform_points(transforms.transform_points(points, matrix), transforms.invert(matrix))
    # One ulp of a crop coordinate is worth a picture pixel times 6e-8 of how far away, in boxes, the point is.
    far = 1 + max(abs(x) + 640, abs(y) + 480) / 900
    torch.testing.assert_close(back, points, rtol=0, atol=1e-3 * far)


def test_gradients_pass_through_a_warp() -> None:
    """Can a network before the warp, or the map itself, be trained through it?"""
    g = seeding.generator(13)
    images = torch.rand(B, 1, H, W, generator=g, dtype=torch.float64, requires_grad=True)
    # A shrink by 1.7 and an enlargement: many looks and one.
    matrix = torch.stack([turn_scale_shift(20, 0.6, (1.1, 1.3)), turn_scale_shift(-15, 1.4, (0.3, 1.7))])
    matrix.requires_grad_()
    assert torch.autograd.gradcheck(lambda i, m: transforms.warp(i, m, (4, 6)), (images, matrix))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_dtype_follows_and_arguments_stay(dtype: torch.dtype) -> None:
    """Has the result the dtype of its input, and is the input untouched?"""
    images, points = torch.rand(B, 3, H, W).to(dtype), torch.rand(B, K, 2).to(dtype)
    before = images.clone(), points.clone()
    moved = transforms.rotate(images, points, 30.0)
    assert (moved[0].dtype, moved[1].dtype) == (dtype, dtype)
    assert torch.equal(images, before[0])
    assert torch.equal(points, before[1])


def test_half_precision_finds_the_same_pixels() -> None:
    """Are the places computed in float32 for half-precision images, whose own numbers end at ½ px from x = 512?"""
    images = torch.rand(1, 1, 4, 700, generator=seeding.generator(14)).half()
    matrix = torch.tensor([[[1, 0, 0.3], [0, 1, 0]]])
    wanted = transforms.warp(images.float(), matrix).half()
    torch.testing.assert_close(transforms.warp(images, matrix), wanted, rtol=0, atol=0)


# Samples

CHANGES: dict[str, Callable[[Sample], Sample]] = {
    "flip": transforms.flip_sample,
    "rotate": lambda s: transforms.rotate_sample(s, torch.tensor([25.0, -130.0])),
    "crop": lambda s: transforms.crop_sample(s, torch.tensor([[3.0, -2, 40, 30], [10.5, 5, 30, 20]]), TALL),
    "all": lambda s: transforms.flip_sample(
        transforms.rotate_sample(
            transforms.crop_sample(s, torch.tensor([[3.0, -2, 40, 30], [9, 5, 30, 20]]), TALL), 40.0
        )
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("crowd", [True, False])
def test_a_sample_finds_back_to_its_source(change: Callable[[Sample], Sample], crowd: bool) -> None:
    """Do predictions in a changed sample return to the original pixels, names of the sides included?"""
    sample = photographed()
    if not crowd:
        sample = transforms.each_person(sample)[[0, 4]]
    changed = change(sample)
    back = transforms.to_source(changed.keypoints, changed)
    torch.testing.assert_close(back, sample.keypoints, rtol=0, atol=1e-3)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("crowd", [True, False])
def test_the_camera_follows(change: Callable[[Sample], Sample], crowd: bool) -> None:
    """Does the changed camera project the changed metres on the changed keypoints?"""
    sample = photographed()
    if not crowd:
        sample = transforms.each_person(sample)[[0, 4]]
    torch.testing.assert_close(projected(sample), sample.keypoints, rtol=0, atol=1e-3)
    changed = change(sample)
    torch.testing.assert_close(projected(changed), changed.keypoints, rtol=0, atol=1e-3)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_nothing_that_a_sample_knows_is_edited_in_place(change: Callable[[Sample], Sample]) -> None:
    """Is the original sample, each of its tensors, as it was?"""
    sample, twin = photographed(), photographed()
    change(sample)
    for name in ("images", "keypoints", "visibility", "boxes", "areas", "keypoints_3d", "camera", "person_map"):
        assert torch.equal(getattr(sample, name), getattr(twin, name)), name


@pytest.mark.parametrize("change", ["flip", "crop", "turn"])
def test_a_box_stays_around_its_pixels(change: str) -> None:
    """Does a rectangle drawn as wide as its box still fill it, edge on edge, after the change?"""
    image = torch.zeros(1, 3, 10, 10)
    image[:, :, 2:5, 1:7] = 1
    sample = Sample(
        images=image,
        keypoints=torch.tensor([[[1.0, 2.0], [6.0, 2.0], [6.0, 4.0]]]),
        visibility=torch.full((1, K), 2, dtype=torch.uint8),
        boxes=torch.tensor([[0.5, 1.5, 6, 3]]),
        areas=torch.tensor([18.0]),
        skeleton=SKELETON,
    )
    if change == "flip":
        changed = transforms.flip_sample(sample)
    elif change == "turn":
        changed = transforms.rotate_sample(sample, 90.0)
    else:
        changed = transforms.crop_sample(sample, torch.tensor([[-0.5, 0.5, 10.0, 5.0]]), (15, 20))
    lit = changed.images[0, 0] > 0.5
    rows, columns = lit.any(1).nonzero()[:, 0], lit.any(0).nonzero()[:, 0]
    left, top, width, height = changed.boxes[0].tolist()
    assert (left, left + width) == pytest.approx((int(columns[0]) - 0.5, int(columns[-1]) + 0.5), abs=1e-5)
    assert (top, top + height) == pytest.approx((int(rows[0]) - 0.5, int(rows[-1]) + 0.5), abs=1e-5)
    assert float(changed.areas[0]) == pytest.approx(len(rows) * len(columns), rel=1e-6)


def test_what_a_crop_cuts_off_is_not_labelled() -> None:
    """Does a keypoint outside of the crop get visibility 0 and keep its place, while those inside keep theirs?"""
    sample = photographed()
    sample = replace(sample, visibility=torch.full_like(sample.visibility, 1))
    cut = transforms.crop_sample(sample, torch.tensor([[20.0, 10, 20, 15]] * B), (15, 20))
    x, y = sample.keypoints.unbind(-1)
    within = (x >= 20) & (x < 40) & (y >= 10) & (y < 25)
    assert within.any()
    assert not within.all()
    assert torch.equal(cut.visibility == 1, within)
    assert torch.equal(cut.visibility == 0, ~within)
    torch.testing.assert_close(cut.keypoints, sample.keypoints - torch.tensor([20.5, 10.5]), rtol=0, atol=1e-4)


def test_a_mirror_exchanges_the_sides_visibility() -> None:
    """Is the left ear as visible in the mirror as the right one was?"""
    sample = photographed()
    assert torch.equal(transforms.flip_sample(sample).visibility, sample.visibility[..., [0, 2, 1]])


@pytest.mark.parametrize("quarter", [1, 2])
def test_labels_of_pixels_are_never_blended(quarter: int) -> None:
    """Does the map of persons turn with the picture, and hold only numbers that it held before?"""
    sample = photographed(SQUARE)
    assert sample.person_map is not None
    turned = transforms.rotate_sample(sample, 90.0 * quarter).person_map
    assert turned is not None
    assert torch.equal(turned, torch.rot90(sample.person_map, quarter, (-2, -1)))
    flipped = transforms.flip_sample(sample).person_map
    assert flipped is not None
    assert torch.equal(flipped, sample.person_map.flip(-1))


def test_every_present_person_is_cut_out() -> None:
    """Does each crop hold its own person, with its own numbers, and know which place it had?"""
    sample = photographed()
    people = transforms.each_person(sample)
    assert people.image_ids is not None
    assert people.person_ids is not None
    assert people.image_ids.tolist() == [11, 11, 11, 12, 12, 12]
    assert people.person_ids.tolist() == [100, 102, 103, 104, 105, 106]
    assert people.attributes["place"].tolist() == [0, 2, 3, 0, 1, 2]
    assert torch.equal(people.keypoints[1], sample.keypoints[0, 2])
    assert torch.equal(people.images[4], sample.images[1])
    assert people.person_map is not None
    assert sample.person_map is not None
    assert torch.equal(people.person_map[1] == 1, sample.person_map[0] == 3)


def test_crops_of_people_are_centred_and_not_stretched() -> None:
    """Is each person's box in the middle of the crop, as large as the margin leaves it, with its own aspect?"""
    sample = photographed()
    crops = transforms.crop_people(sample, TALL, margin=1.25)
    assert crops.size == TALL
    x, y, width, height = crops.boxes.unbind(-1)
    torch.testing.assert_close(x + width / 2, torch.full((6,), (192 - 1) / 2), rtol=0, atol=1e-2)
    torch.testing.assert_close(y + height / 2, torch.full((6,), (256 - 1) / 2), rtol=0, atol=1e-2)
    torch.testing.assert_close(torch.maximum(width / 192, height / 256), torch.full((6,), 0.8), rtol=1e-4, atol=0)
    before = transforms.each_person(sample).boxes
    torch.testing.assert_close(width / height, before[:, 2] / before[:, 3], rtol=1e-3, atol=0)


def test_nobody_present_is_no_crop() -> None:
    """Does a crowd without people give an empty batch and no error?"""
    sample = photographed()
    assert sample.present is not None
    nobody = replace(sample, present=torch.zeros_like(sample.present))
    assert len(transforms.crop_people(nobody, TALL)) == 0


# Errors


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: transforms.invert(torch.tensor([[1.0, 2, 0], [2, 4, 0]])), "no way back"),
        (lambda: transforms.invert(torch.tensor([[math.nan, 2, 0], [2, 4, 0]])), "no way back"),
        (lambda: transforms.transform_points(torch.zeros(B, K, 2), torch.eye(4)), r"must be \(\.\.\., 2, 3\)"),
        (lambda: transforms.transform_points(torch.zeros(B, K, 2), torch.ones(3, 3)), "not a perspective"),
        (lambda: transforms.transform_points(torch.zeros(B, K, 2), torch.eye(3).expand(5, 3, 3)), "first axes"),
        (lambda: transforms.warp(torch.zeros(B, 3, H, W), torch.eye(3)), "one .* for each of 2 images"),
        (lambda: transforms.flip_keypoints(torch.zeros(B, K, 2), (H, W), COCO17), r"\(\.\.\., 17, 2\)"),
        (lambda: transforms.box_to_size(torch.tensor([1.0, 1, 0, 5]), (H, W)), "positive width"),
        (lambda: transforms.box_to_size(torch.tensor([1.0, math.nan, 3, 5]), (H, W)), "finite"),
        (lambda: transforms.context_box(torch.ones(4), (H, W), 0), "margin must be positive"),
        (
            lambda: transforms.affine_sample(photographed(), torch.tensor([[[-1.0, 0, 9], [0, 1, 0]]] * B)),
            "flip_sample",
        ),
        (lambda: transforms.to_source(torch.zeros(B, K + 1, 2), photographed()), r"must be \(2, …, 3, 2\)"),
    ],
)
def test_errors_name_the_fix(call: Callable[[], object], message: str) -> None:
    """Is what was expected, and what to do about it, in the message?"""
    with pytest.raises(ValueError, match=message):
        call()
