"""Equivariance from inside: the grid of a strided layer, convolutions of the group, and the network made of them."""

import itertools
import sys
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from posecourse import equivariance, models, seeding

# (kernel, stride, padding), and sizes that leave nothing over
GRIDS = [
    ((3, 1, 1), (5, 7)), ((3, 1, 0), (8, 6)), ((4, 2, 1), (8, 12)), ((3, 2, 1), (9, 7)), ((2, 2, 0), (6, 10)),
    ((5, 3, 1), (6, 12)), ((1, 1, 0), (4, 7)), ((4, 1, 2), (5, 8)), ((3, 3, 0), (9, 6)),
]  # fmt: skip
every_grid = pytest.mark.parametrize(("grid", "size"), GRIDS)


def noise(*shape: int, seed: int = 0) -> Tensor:
    """Return noise in float64."""
    return torch.randn(*shape, generator=seeding.generator(seed), dtype=torch.float64)


def symmetric(k: int) -> Tensor:
    """Return a kernel (1 1 k k) that is each of its own turns and mirrors."""
    kernel = noise(1, 1, k, k, seed=k)
    turns = [torch.rot90(kernel, g, (-2, -1)) for g in range(4)]
    return torch.stack([*turns, *(turn.flip(-1) for turn in turns)]).mean(0)


def settings() -> list[tuple[int, int, int, int]]:
    """Return every (n, k, s, p) up to some size in which a window fits."""
    found = itertools.product(range(4, 12), range(1, 6), range(1, 5), range(3))
    return [(n, k, s, p) for n, k, s, p in found if n + 2 * p >= k]


def test_strided_layers_are_exact_where_nothing_is_left_over() -> None:
    """For every size, kernel, stride and padding: equivariant exactly if (n + 2p − k) is a multiple of the stride?"""
    for n, k, s, p in settings():
        picture = noise(1, 1, n, n)
        turned = functional.conv2d(torch.rot90(picture, 1, (-2, -1)), symmetric(k), stride=s, padding=p)
        features = torch.rot90(functional.conv2d(picture, symmetric(k), stride=s, padding=p), 1, (-2, -1))
        exact = (turned - features).abs().max().item() < 1e-12
        assert exact == (equivariance.grid_offset(n, k, s, p) == 0), (n, k, s, p)


def test_the_offset_is_that_of_the_windows() -> None:
    """Is it the distance from the centre of all windows to the centre of the picture, counted by hand?"""
    for n, k, s, p in settings():
        starts = range(-p, n + p - k + 1, s)
        middle = (starts[0] + starts[-1] + k - 1) / 2
        assert equivariance.grid_offset(n, k, s, p) == (n - 1) / 2 - middle


def test_features_lie_as_far_off_as_pixels_are_left_over() -> None:
    """On a ramp, whose features say where they lie: is the turned picture's grid r px away, and √2·r at 180°?"""
    for n, k, s, _ in (setting for setting in settings() if setting[3] == 0):
        left = 2 * equivariance.grid_offset(n, k, s)
        y, x = torch.meshgrid(torch.arange(n).double(), torch.arange(n).double(), indexing="ij")
        places = torch.stack([x, y])[:, None]  # of a pixel, as two pictures (2 1 n n)
        kernel = torch.full((1, 1, k, k), 1 / k**2).double()
        for quarters, far in ((1, left), (2, 2**0.5 * left)):
            turned = functional.conv2d(torch.rot90(places, quarters, (-2, -1)), kernel, stride=s)
            features = torch.rot90(functional.conv2d(places, kernel, stride=s), quarters, (-2, -1))
            torch.testing.assert_close((turned - features).norm(dim=0), torch.full_like(turned[0], far))


def test_a_kernel_without_symmetry_is_not_equivariant() -> None:
    """Is the parity rule about the grid alone: at stride 1 nothing is left over, and a plain kernel is off?"""
    assert equivariance.grid_offset(9, 3, 1, 1) == 0
    picture, kernel = noise(1, 1, 9, 9), noise(1, 1, 3, 3, seed=1)
    turned = functional.conv2d(torch.rot90(picture, 1, (-2, -1)), kernel, padding=1)
    assert (turned - torch.rot90(functional.conv2d(picture, kernel, padding=1), 1, (-2, -1))).abs().max() > 1


def test_features_turn_and_move_on() -> None:
    """Is a quarter turn a turn of the maps and one step of the orientations, and are four of them nothing?"""
    features = torch.zeros(1, 4, 2, 3)
    features[0, 3, 0, 2] = 1  # upper right, last orientation
    turned = equivariance.turn_features(features, 1)
    assert torch.nonzero(turned).tolist() == [[0, 0, 0, 0]]  # upper left, first orientation
    assert torch.equal(equivariance.turn_features(features, 4), features)
    assert torch.equal(equivariance.turn_features(turned, -1), features)
    kernel = noise(2, 3, 4, 3, 3)
    twice = equivariance.turn_features(equivariance.turn_features(kernel, 1), 1)
    assert torch.equal(twice, equivariance.turn_features(kernel, 2))


def test_the_orientations_are_counter_clockwise() -> None:
    """Does a kernel that looks to the right look up, left and down in the orientations that follow?"""
    picture = torch.zeros(1, 1, 7, 7)
    picture[..., 3, 3] = 1
    right = torch.zeros(1, 1, 3, 3)
    right[..., 1, 2] = 1
    features = equivariance.lift_c4(picture, right, padding=1)
    # Who sees the bright pixel to the right stands left of it.
    assert torch.nonzero(features[0, 0]).tolist() == [[0, 3, 2], [1, 4, 3], [2, 3, 4], [3, 2, 3]]


@every_grid
def test_the_lifting_convolution_is_exact(grid: tuple[int, int, int], size: tuple[int, int]) -> None:
    """Do the features of the turned picture equal the turned features, for any kernel, where nothing is left over?"""
    kernel, stride, padding = grid
    picture, weight, bias = noise(2, 3, *size), noise(5, 3, kernel, kernel, seed=1), noise(5, seed=2)
    options = {"stride": stride, "padding": padding}
    features = equivariance.lift_c4(picture, weight, bias, **options)
    assert features.shape[:3] == (2, 5, 4)
    for q in (1, 2, 3):
        turned = equivariance.lift_c4(torch.rot90(picture, q, (-2, -1)), weight, bias, **options)
        torch.testing.assert_close(turned, equivariance.turn_features(features, q), rtol=1e-12, atol=1e-12)


@every_grid
def test_the_convolution_of_the_group_is_exact(grid: tuple[int, int, int], size: tuple[int, int]) -> None:
    """Do turned features give turned features, for any kernel, where nothing is left over?"""
    kernel, stride, padding = grid
    features, weight, bias = noise(2, 3, 4, *size), noise(5, 3, 4, kernel, kernel, seed=1), noise(5, seed=2)
    options = {"stride": stride, "padding": padding}
    after = equivariance.conv_c4(features, weight, bias, **options)
    for q in (1, 2, 3):
        turned = equivariance.conv_c4(equivariance.turn_features(features, q), weight, bias, **options)
        torch.testing.assert_close(turned, equivariance.turn_features(after, q), rtol=1e-12, atol=1e-12)
        pooled = equivariance.pool_group(turned, "max")
        expected = torch.rot90(equivariance.pool_group(after, "max"), q, (-2, -1))
        torch.testing.assert_close(pooled, expected, rtol=1e-12, atol=1e-12)


@every_grid
def test_the_convolution_of_the_group_is_its_formula(grid: tuple[int, int, int], size: tuple[int, int]) -> None:
    """Is out[g] = Σ_h features[h] ⋆ rot90(weight[h − g], g), written as two loops?"""
    kernel, stride, padding = grid
    features, weight = noise(2, 3, 4, *size), noise(5, 3, 4, kernel, kernel, seed=1)
    after = equivariance.conv_c4(features, weight, stride=stride, padding=padding)
    for g in range(4):
        parts = [
            functional.conv2d(
                features[:, :, h], torch.rot90(weight[:, :, (h - g) % 4], g, (2, 3)), stride=stride, padding=padding
            )
            for h in range(4)
        ]
        torch.testing.assert_close(after[:, :, g], torch.stack(parts).sum(0), rtol=1e-12, atol=1e-12)


def test_pooling_forgets_the_orientation() -> None:
    """Is it the mean or the largest over the four, whatever axes come first?"""
    features = noise(2, 3, 4, 5, 7)
    assert torch.equal(equivariance.pool_group(features), features.mean(2))
    assert torch.equal(equivariance.pool_group(features[0, 0], "max"), features[0, 0].amax(0))


def test_gradients() -> None:
    """Are the derivatives with respect to features, kernels and biases those of finite differences?"""
    for function, shapes in (
        (equivariance.lift_c4, [(1, 2, 4, 3), (2, 2, 2, 2), (2,)]),
        (equivariance.conv_c4, [(1, 2, 4, 4, 3), (2, 2, 4, 2, 2), (2,)]),
    ):
        inputs = tuple(noise(*shape, seed=i).requires_grad_() for i, shape in enumerate(shapes))
        assert torch.autograd.gradcheck(lambda *given, f=function: equivariance.pool_group(f(*given), "max"), inputs)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_type_is_kept(dtype: torch.dtype) -> None:
    """Do features have the type of the pictures?"""
    lift, conv = (layer.to(dtype) for layer in (equivariance.LiftC4(3, 2), equivariance.ConvC4(2, 5)))
    assert equivariance.pool_group(conv(lift(noise(2, 3, 8, 9).to(dtype)))).dtype == dtype


def test_the_device_is_kept() -> None:
    """Does nothing make tensors on the CPU by itself? The device without storage, "meta", would refuse them."""
    lift, conv = (layer.to("meta") for layer in (equivariance.LiftC4(3, 2), equivariance.ConvC4(2, 5, padding=1)))
    features = conv(lift(torch.empty(2, 3, 8, 9, device="meta")))
    assert equivariance.pool_group(equivariance.turn_features(features, 1)).device.type == "meta"
    images, points = torch.empty(2, 3, 8, 9, device="meta"), torch.empty(2, 3, 2, device="meta")
    assert equivariance.turn(images, 90).device.type == "meta"
    assert equivariance.turn_keypoints(points, 90, (8, 9)).device.type == "meta"
    network = models.build("heatmap", (16, 32), 3, 2, backbone="c4", generator=seeding.generator(0)).to("meta")
    assert network(torch.empty(1, 3, 16, 32, device="meta")).heatmaps.device.type == "meta"


def test_layers_are_their_functions() -> None:
    """Do the layers hold the kernels as the functions want them, draw them as PyTorch does, and train?"""
    with seeding.fork(seeding.generator(0)):
        lift, conv = equivariance.LiftC4(3, 40, 4, stride=2, padding=1), equivariance.ConvC4(40, 30, 3, bias=False)
    picture = noise(2, 3, 12, 8).float()
    features = lift(picture)
    assert torch.equal(features, equivariance.lift_c4(picture, lift.weight, lift.bias, stride=2, padding=1))
    after = conv(features)
    assert torch.equal(after, equivariance.conv_c4(features, conv.weight.unflatten(1, (40, 4))))
    after.square().sum().backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in [*lift.parameters(), *conv.parameters()])
    plain = torch.nn.Conv2d(160, 30, 3)  # uniform, so the largest of 43,200 is its bound but for a thousandth
    assert conv.weight.abs().max().item() == pytest.approx(plain.weight.abs().max().item(), rel=2e-3)
    assert conv.bias is None
    assert "160 → 30 × 4, kernel=3, stride=1, padding=0" in repr(conv)


def test_what_does_not_fit_is_refused(as_a_user: None) -> None:
    """Does each wrong argument get an error that says what is right?"""
    picture, features = noise(1, 3, 8, 9), noise(1, 2, 4, 8, 9)
    with pytest.raises(ValueError, match=r"1 of 8 rows would be left over.*Try a kernel of 4, or 7 rows"):
        equivariance.lift_c4(picture, noise(1, 3, 3, 3), stride=2, padding=1)
    with pytest.raises(ValueError, match=r"1 of 9 columns would be left over"):
        equivariance.conv_c4(features, noise(1, 2, 4, 2, 2), stride=2)
    with pytest.raises(ValueError, match=r"square kernels, which can be turned; got 3 × 2"):
        equivariance.lift_c4(picture, noise(1, 3, 3, 2))
    with pytest.raises(ValueError, match=r"features must be \(\.\.\., 4, rows, columns\).*got \(1, 3, 8, 9\)"):
        equivariance.conv_c4(picture, noise(1, 2, 4, 3, 3))
    with pytest.raises(ValueError, match=r"weight must be"):
        equivariance.conv_c4(features, noise(1, 2, 3, 3))
    with pytest.raises(ValueError, match=r"features must be"):
        equivariance.pool_group(picture)
    with pytest.raises(ValueError, match=r"a kernel of 5 does not fit into 2 pixels with padding 1"):
        equivariance.grid_offset(2, 5, 1, 1)
    with pytest.raises(ValueError, match=r"stride must be a positive whole number"):
        equivariance.grid_offset(8, 3, 0)
    with pytest.raises(ValueError, match=r"channels must be a positive whole number"):
        equivariance.ConvC4(0, 3)


def escnn() -> Any:
    """Return escnn, or skip: its package for three dimensions, py3nj, has no wheels and wants a Fortran compiler."""
    pytest.importorskip("escnn", reason="escnn is not installed: pip install escnn, with a Fortran compiler at hand")
    return sys.modules["escnn"]


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "n"), [(3, 1, 1, 9), (4, 2, 1, 8), (5, 1, 0, 12), (3, 2, 0, 9)]
)
def test_escnn_agrees(kernel: int, stride: int, padding: int, n: int) -> None:
    """With escnn's kernels, are features, orientations and their turns escnn's, as far as its float32 basis goes?"""
    library = escnn()
    from importlib import import_module

    nn = import_module("escnn.nn")
    act = import_module("escnn.gspaces").rot2dOnR2(N=4)
    types = [nn.FieldType(act, [kind] * many) for kind, many in ((act.trivial_repr, 3), (act.regular_repr, 5))]
    lift = nn.R2Conv(*types, kernel, stride=stride, padding=padding).double()
    theirs = lift(nn.GeometricTensor(noise(2, 3, n, n), types[0]))
    weight, bias = (value.unflatten(0, (5, 4))[:, 0] for value in lift.expand_parameters())
    ours = equivariance.lift_c4(noise(2, 3, n, n), weight, bias, stride=stride, padding=padding)
    close = {"rtol": 0, "atol": 5e-6}  # its basis is sampled in float32: relative 6e-8, times some ten summands
    torch.testing.assert_close(ours.flatten(1, 2), theirs.tensor, **close)
    element = list(act.fibergroup.elements)[1]
    turned = equivariance.turn_features(ours, 1).flatten(1, 2)
    torch.testing.assert_close(turned, theirs.transform(element).tensor, **close)
    conv = nn.R2Conv(types[1], types[1], 3, padding=1).double()
    weight, bias = (value.unflatten(0, (5, 4))[:, 0] for value in conv.expand_parameters())
    ours = equivariance.conv_c4(ours, weight.unflatten(1, (5, 4)), bias, padding=1)
    torch.testing.assert_close(ours.flatten(1, 2), conv(theirs).tensor, **close)
    assert library.__version__


def c4(head: models.HeadName, **options: Any) -> models.PoseNetwork:
    """Return an untrained network with the C4 backbone, in float64."""
    return models.build(head, **{"size": (32, 48), "keypoints": 3, "width": 2, "backbone": "c4"} | options,
                        generator=seeding.generator(3)).double()  # fmt: skip


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("size", [(32, 48), (16, 16), (48, 80)])
def test_the_features_of_the_network_turn(size: tuple[int, int], training: bool) -> None:
    """For any weights, after a step of training too, are the features of the turned picture the turned features?"""
    backbone = c4("heatmap").backbone
    picture = torch.rand(2, 3, *size, generator=seeding.generator(4), dtype=torch.float64)
    backbone(picture).square().sum().backward()
    with torch.no_grad():
        for parameter in backbone.parameters():
            parameter -= parameter.grad / parameter.grad.norm()
    backbone.train(training)
    features = backbone(picture)
    assert features.shape == (2, backbone.channels, size[0] // 4, size[1] // 4)
    for q in (1, 2, 3):
        turned = backbone(torch.rot90(picture, q, (-2, -1)))
        torch.testing.assert_close(turned, torch.rot90(features, q, (-2, -1)), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("head", ["heatmap", "visibility", "integral"])
def test_the_keypoints_of_the_network_turn(head: models.HeadName) -> None:
    """With a head that answers with maps, is the error at quarter turns none?"""
    picture = torch.rand(2, 3, 32, 48, generator=seeding.generator(4), dtype=torch.float64)
    for degrees in (90, 180, 270):
        assert equivariance.equivariance_error(c4(head).eval(), picture, degrees).max() < 1e-8


@pytest.mark.parametrize("head", ["pooled", "offset"])
def test_coordinates_do_not_turn(head: models.HeadName) -> None:
    """Is a head that answers with coordinates off all the same, since its features know no direction?"""
    picture = torch.rand(2, 3, 32, 48, generator=seeding.generator(4), dtype=torch.float64)
    assert equivariance.equivariance_error(c4(head).eval(), picture, 90).max() > 0.1


def test_the_network_is_built_and_dropped_by_patterns() -> None:
    """Has it the parameters that its docstring says, does dropout take whole patterns, and is its size checked?"""
    plain, half = (
        models.parameter_counts(models.build(width=width, backbone=name, generator=seeding.generator(0))).backbone
        for name, width in (("unet", 16), ("c4", 8))
    )
    assert half == pytest.approx(plain, rel=0.03)
    network = c4("heatmap", dropout=0.5).train()
    dropped: list[Tensor] = []
    network.backbone.dropout.register_forward_hook(lambda *given: dropped.append(given[2]))
    network(torch.rand(2, 3, 32, 48, dtype=torch.float64))
    dead = (dropped[0] == 0).all(-1).all(-1)  # B C G
    assert torch.equal(dead.any(-1), dead.all(-1))
    assert 0 < dead.double().mean() < 1


def test_a_network_that_does_not_fit_is_refused(as_a_user: None) -> None:
    """Does each wrong setting get an error that says what is right?"""
    with pytest.raises(ValueError, match=r"multiples of 16.*got \(32, 36\)\. .*for example to \(32, 32\)"):
        c4("heatmap").predict(torch.rand(1, 3, 32, 36, dtype=torch.float64))
    with pytest.raises(ValueError, match="backbone must be one of unet, c4; got 'c8'"):
        c4("heatmap", backbone="c8")
    with pytest.raises(ValueError, match="dropout must be a probability"):
        c4("heatmap", dropout=1.0)
