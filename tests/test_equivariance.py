"""Equivariance from outside: turns, the error of a network under them, its floor, and the average over the group."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from posecourse import equivariance, models, seeding, transforms
from posecourse.skeletons import Skeleton

SIZES = [(5, 7), (7, 5), (8, 8), (9, 9), (12, 7)]
QUARTERS = [-270, -90, 0, 90, 180, 270, 450]
SKELETON = Skeleton(("left_hand", "nose", "right_hand"))


class Answers:
    """An estimator whose answer to every picture is the same K points, or its centre."""

    def __init__(self, points: Tensor | None = None) -> None:
        self.points = points

    def predict(self, images: Tensor) -> Tensor:
        """Return the points for each image."""
        H, W = images.shape[-2:]
        centre = images.new_tensor([[(W - 1) / 2, (H - 1) / 2]] * 3)
        return (centre if self.points is None else self.points).expand(len(images), -1, 2)


class Moments:
    """An estimator that answers each channel's centroid, or the variances about it."""

    def __init__(self, variances: bool = False) -> None:
        self.variances = variances

    def predict(self, images: Tensor) -> Tensor:
        """Return (x, y), or the variances along x and y, of the mass in each channel."""
        H, W = images.shape[-2:]
        x, y = torch.arange(W).to(images), torch.arange(H).to(images)
        mass = images / images.sum((-2, -1), keepdim=True)
        columns, rows = mass.sum(-2), mass.sum(-1)
        mean = torch.stack([columns @ x, rows @ y], dim=-1)
        squares = torch.stack([columns @ x**2, rows @ y**2], dim=-1)
        return squares - mean**2 if self.variances else mean


def blobs(sigma: float, size: tuple[int, int] = (41, 44), seed: int = 0) -> Tensor:
    """Return 4 pictures in float64 with a Gaussian blob a channel, far enough from the edge for any turn."""
    H, W = size
    unit = torch.rand(4, 3, 2, generator=seeding.generator(seed), dtype=torch.float64)
    points = torch.tensor([W, H]) / 2 + 8 * (unit - 0.5)
    y, x = torch.meshgrid(torch.arange(H).double(), torch.arange(W).double(), indexing="ij")
    squares = (x - points[..., 0, None, None]) ** 2 + (y - points[..., 1, None, None]) ** 2
    return torch.exp(-squares / (2 * sigma**2))


def unlearnt(width: int = 4, backbone: models.BackboneName = "unet") -> models.PoseNetwork:
    """Return an untrained network in float64, which is as far from equivariant as kernels at random are."""
    network = models.build("heatmap", (16, 32), 3, width, backbone=backbone, generator=seeding.generator(1))
    return network.double().eval()


def noise(size: tuple[int, int], B: int = 2) -> Tensor:
    """Return noise pictures in float64."""
    return torch.rand(B, 3, *size, generator=seeding.generator(2), dtype=torch.float64)


@pytest.mark.parametrize("degrees", QUARTERS)
@pytest.mark.parametrize("size", SIZES)
def test_a_point_goes_where_its_pixel_goes(size: tuple[int, int], degrees: int) -> None:
    """Is the one bright pixel of a picture, after a quarter turn, where its point has gone, on a canvas that fits?"""
    for y in range(size[0]):
        for x in range(size[1]):
            picture = torch.zeros(1, 1, *size)
            picture[..., y, x] = 1
            turned = equivariance.turn(picture, degrees)
            row, column = torch.nonzero(turned[0, 0])[0].tolist()
            moved = equivariance.turn_keypoints(torch.tensor([float(x), float(y)]), degrees, size)
            assert moved.tolist() == [column, row]
    assert turned.shape[-2:] == (size if degrees % 180 == 0 else size[::-1])


@given(degrees=st.floats(-400, 400, width=32), side=st.integers(3, 90))
def test_on_a_square_points_are_rotated(degrees: float, side: int) -> None:
    """Is a turn of points in a square picture `transforms.rotate_keypoints`, quarter turns included?"""
    points = torch.tensor([[0.3, 2.1], [side - 1.0, 0.0]], dtype=torch.float64)
    moved = equivariance.turn_keypoints(points, degrees, (side, side))
    expected = transforms.rotate_keypoints(points, degrees, (side, side))
    torch.testing.assert_close(moved, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("degrees", [*QUARTERS, 37.0, -110.0])
def test_points_come_back(degrees: float) -> None:
    """Do points come back from the turned canvas, also where it is not square?"""
    points = torch.rand(2, 3, 2, generator=seeding.generator(0), dtype=torch.float64) * 6
    H, W = (7, 5) if degrees % 180 == 90 else (5, 7)
    moved = equivariance.turn_keypoints(points, degrees, (5, 7))
    torch.testing.assert_close(equivariance.turn_keypoints(moved, -degrees, (H, W)), points, rtol=0, atol=1e-12)


def test_counter_clockwise_is_counter_clockwise() -> None:
    """Does a quarter turn take what is right of the centre to above it?"""
    moved = equivariance.turn_keypoints(torch.tensor([6.0, 3.0]), 90, (7, 7))
    assert moved.tolist() == [3.0, 0.0]


@pytest.mark.parametrize("degrees", [90, 33.0, -140.0])
@pytest.mark.parametrize("size", SIZES)
def test_who_always_answers_the_centre_makes_no_error(size: tuple[int, int], degrees: float) -> None:
    """Is a useless answer perfectly equivariant, as the docstring warns?"""
    errors = equivariance.equivariance_error(Answers(), noise(size), degrees)
    assert errors.shape == (2, 3)
    torch.testing.assert_close(errors, torch.zeros(2, 3, dtype=torch.float64), rtol=0, atol=1e-12)


@given(degrees=st.floats(-180, 180, width=32))
def test_a_fixed_answer_is_off_by_the_chord(degrees: float) -> None:
    """Is the error of an answer that never moves the chord 2·sin(θ/2)·r between it and its turned self?"""
    size, points = (40, 40), torch.tensor([[19.5, 24.0], [13.0, 19.5], [23.5, 22.5]], dtype=torch.float64)
    errors = equivariance.equivariance_error(Answers(points), noise(size), degrees)
    chord = 2 * abs(math.sin(math.radians(degrees) / 2)) * torch.tensor([4.5, 6.5, 5.0]).double()
    torch.testing.assert_close(errors, chord.expand(2, 3), rtol=0, atol=1e-9)


def test_what_leaves_the_picture_does_not_count() -> None:
    """Is the error NaN where the turned answer, or the turned truth if there is one, is outside, and only there?"""
    corner, inner = [0.0, 0.0], [20.0, 15.0]
    answers = Answers(torch.tensor([corner, inner, inner], dtype=torch.float64))
    images = noise((30, 40))
    assert equivariance.equivariance_error(answers, images, 40.0).isnan()[0].tolist() == [True, False, False]
    assert equivariance.resampling_error(answers, images, 40.0).isnan()[0].tolist() == [True, False, False]
    truth = torch.tensor([inner, corner, inner], dtype=torch.float64).expand(2, 3, 2)
    for function in (equivariance.equivariance_error, equivariance.resampling_error):
        errors = function(answers, images, 40.0, keypoints=truth)
        assert errors.isnan()[0].tolist() == [False, True, False]
    # A quarter turn turns the canvas, so nothing leaves it.
    assert equivariance.equivariance_error(answers, images, 90).isfinite().all()


def test_an_equivariant_estimator_is_exact_at_quarter_turns() -> None:
    """Has a centroid no error at multiples of 90°, and less and less between them as blobs grow smooth?"""
    model = Moments()
    for degrees in QUARTERS:
        assert equivariance.equivariance_error(model, blobs(1.0), degrees).max() < 1e-12
        assert equivariance.resampling_error(model, blobs(1.0), degrees).max() < 1e-12
    for function in (equivariance.equivariance_error, equivariance.resampling_error):
        errors = [function(model, blobs(sigma), 33.0).square().mean().sqrt().item() for sigma in (0.7, 1.0, 1.5, 2.0)]
        assert 0 < errors[3] < errors[2] < errors[1] < errors[0] < 0.1


ANGLES = (7.0, 17.0, 33.0, -50.0, 61.0)


def test_an_interpolation_adds_a_sixth() -> None:
    """Does a turn widen a blob by 1/6 px² per axis, and a turn and its way back by 1/3, on the mean over phases?"""
    width, centre = Moments(variances=True), torch.tensor([22.0, 20.0]).expand(4, 3, 2)
    one, both = [], []
    for seed, degrees in itertools.product(range(4), ANGLES):
        images = blobs(2.5, seed=seed)
        one.append(width.predict(equivariance.turn(images, degrees)) - width.predict(images))
        both.append(equivariance.resampling_error(width, images, degrees, keypoints=centre))
    for values, expected in (
        (torch.stack(one).mean(-1), equivariance.interpolation_variance()),  # the axes of a blob share its phase
        (torch.stack(both), math.sqrt(2) * equivariance.interpolation_variance(2)),
    ):
        standard_error = values.std().item() / math.sqrt(values.numel())
        assert values.mean().item() == pytest.approx(expected, abs=4 * standard_error)
        assert standard_error < 0.01 * expected


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0, 3.0])
def test_how_unlike_itself_a_blob_becomes(sigma: float) -> None:
    """Is the closed form that of two Gaussians on a fine grid, and near what two turns do to a blob of pixels?"""
    x = torch.linspace(-30, 30, 3001, dtype=torch.float64)
    before, after = (torch.exp(-(x**2) / (2 * v)) / math.sqrt(v) for v in (sigma**2, sigma**2 + 1 / 3))
    a, b = torch.outer(before, before), torch.outer(after, after)
    theory = equivariance.relative_blur(sigma)
    assert theory == pytest.approx(((b - a).norm() / a.norm()).item(), rel=1e-6)
    measured = []
    for seed, degrees in itertools.product(range(4), ANGLES):
        images = blobs(sigma, seed=seed)
        twice = equivariance.turn(equivariance.turn(images, degrees), -degrees)
        measured.append((twice - images).flatten(2).norm(dim=-1) / images.flatten(2).norm(dim=-1))
    # The blur differs from pixel to pixel, and a mean of norms is more than the norm of a mean.
    assert 1 < torch.stack(measured).mean().item() / theory < 1.1


@pytest.mark.parametrize("size", [(16, 32), (48, 32), (32, 32)])
def test_the_average_of_the_group_turns_with_the_picture(size: tuple[int, int]) -> None:
    """Is any network exact after averaging, on pictures that are not square too, though it is pixels off by itself?"""
    network, images = unlearnt(), noise(size)
    average = equivariance.group_average(network)
    for degrees in (90, 180, -90):
        assert equivariance.equivariance_error(network, images, degrees).max() > 1
        assert equivariance.equivariance_error(average, images, degrees).max() < 1e-10


def test_with_a_skeleton_mirrors_are_averaged_too() -> None:
    """Does the average over turns and mirrors commute with a mirror that exchanges sides, and with a turn?"""
    network, images = unlearnt(), noise((16, 32))
    average = equivariance.group_average(network, SKELETON)
    mirrored = transforms.flip_keypoints(average.predict(images), (16, 32), SKELETON)
    torch.testing.assert_close(average.predict(images.flip(-1)), mirrored, rtol=0, atol=1e-10)
    assert equivariance.equivariance_error(average, images, 90).max() < 1e-10
    turns = equivariance.group_average(network).predict(images.flip(-1))
    assert (turns - transforms.flip_keypoints(turns, (16, 32), SKELETON)).abs().max() > 1


def test_the_answers_behind_an_average() -> None:
    """Is the first the network's own, is each turned back, and is the mean of a fixed answer the centre?"""
    network, images = unlearnt(), noise((16, 32))
    answers = equivariance.group_average(network).answers(images)
    assert answers.shape == (4, 2, 3, 2)
    assert torch.equal(answers[0], network.predict(images))
    exact = unlearnt(backbone="c4")
    found = equivariance.group_average(exact, SKELETON).answers(images)
    assert found.shape == (8, 2, 3, 2)
    torch.testing.assert_close(found[:4], found[:1].expand(4, -1, -1, -1), rtol=0, atol=1e-9)
    fixed = equivariance.group_average(Answers(torch.tensor([[3.0, 1.0]] * 3, dtype=torch.float64)))
    expected = torch.tensor([15.5, 7.5], dtype=torch.float64)  # on a canvas of (32, 16) the point is (3, 1) as well
    torch.testing.assert_close(fixed.predict(images).mean((0, 1)), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("degrees", [90, 33.0])
def test_the_type_is_kept(dtype: torch.dtype, degrees: float) -> None:
    """Do errors, pictures and points have the type that came, and does nothing change what was given?"""
    images, points = noise((16, 32)).to(dtype), torch.rand(2, 3, 2).to(dtype)
    before = images.clone()
    model = Moments()
    for function in (equivariance.equivariance_error, equivariance.resampling_error):
        assert function(model, images, degrees).dtype == dtype
    assert equivariance.turn(images, degrees).dtype == dtype
    assert equivariance.turn_keypoints(points, degrees, (16, 32)).dtype == dtype
    assert equivariance.group_average(model, SKELETON).predict(images).dtype == dtype
    assert torch.equal(images, before)


def test_what_does_not_fit_is_refused(as_a_user: None) -> None:
    """Does each wrong argument get an error that says what is right?"""
    with pytest.raises(ValueError, match=r"keypoints and the model's answers must have one shape; got \(2, 5, 2\)"):
        equivariance.equivariance_error(Moments(), noise((9, 9)), 10.0, keypoints=torch.zeros(2, 5, 2))
    with pytest.raises(ValueError, match=r"\(H, W\): rows, then columns"):
        equivariance.turn_keypoints(torch.zeros(2), 90, (4, 0))
    with pytest.raises(ValueError, match=r"Drop the visibility column"):
        equivariance.turn_keypoints(torch.zeros(2, 3), 90, (4, 5))
    with pytest.raises(ValueError, match=r"resamplings must be a positive whole number"):
        equivariance.interpolation_variance(0)
    with pytest.raises(ValueError, match=r"sigma must be positive"):
        equivariance.relative_blur(0.0)
