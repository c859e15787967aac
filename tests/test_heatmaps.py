"""Targets: is the blob where the keypoint is, is the distribution one, and does the temperature divide?"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from scipy import special

from posecourse import heatmaps

SIZE = (5, 7)
FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
leading = st_numpy.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3)


def places(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """Random keypoints inside of a 5 × 7 map, between its cells."""
    random = torch.rand(*shape, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (random * torch.tensor([6.0, 4.0], dtype=torch.float64)).to(dtype)


def test_the_blob_has_the_gaussian_s_value_at_every_cell() -> None:
    """Is each cell exp(−d²/2σ²) of its own distance, rows being y, columns x, and σ in cells?"""
    keypoints = places(2, 3)
    maps = heatmaps.gaussian_heatmaps(keypoints, SIZE, sigma=1.7)
    assert maps.shape == (2, 3, 5, 7)
    for b, k, row, column in [(0, 0, 0, 0), (0, 2, 4, 1), (1, 1, 2, 6), (1, 2, 3, 3)]:
        x, y = keypoints[b, k].tolist()
        expected = math.exp(-((column - x) ** 2 + (row - y) ** 2) / (2 * 1.7**2))
        assert maps[b, k, row, column].item() == pytest.approx(expected, rel=1e-12)


def test_the_height_is_one_at_the_keypoint_itself() -> None:
    """Is the peak 1 where the keypoint falls on a cell, and below 1 where it falls between cells?"""
    on, between = torch.tensor([[3.0, 2.0]]), torch.tensor([[3.5, 2.5]])
    assert heatmaps.gaussian_heatmaps(on, SIZE, 1.3)[0, 2, 3] == 1
    assert heatmaps.gaussian_heatmaps(between, SIZE, 1.3).max().item() == pytest.approx(math.exp(-0.25 / 1.3**2))


def test_each_keypoint_may_have_a_sigma_of_its_own() -> None:
    """Does a tensor of sigmas (K) paint what K calls with a number each paint?"""
    keypoints, sigmas = places(2, 3), torch.tensor([0.8, 1.5, 2.5])
    for make in (heatmaps.gaussian_heatmaps, heatmaps.gaussian_distributions):
        together = make(keypoints, SIZE, sigmas)
        apart = [make(keypoints[:, k : k + 1], SIZE, sigmas[k].item()) for k in range(3)]
        torch.testing.assert_close(together, torch.cat(apart, dim=1))


def test_the_distribution_is_the_heatmap_divided_by_its_sum() -> None:
    """Is p ∝ exp(−d²/2σ²) with Σ p = 1, also when a part of the blob lies outside?"""
    keypoints = torch.cat([places(2, 2), torch.tensor([[[-1.3, 2.2]], [[6.9, 5.1]]], dtype=torch.float64)], dim=1)
    blobs = heatmaps.gaussian_heatmaps(keypoints, SIZE, 1.3)
    p = heatmaps.gaussian_distributions(keypoints, SIZE, 1.3)
    torch.testing.assert_close(p, blobs / blobs.sum((-2, -1), keepdim=True), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("far", [60.0, 6e4, math.inf])
def test_a_keypoint_far_outside_sits_in_the_nearest_cell(far: float, dtype: torch.dtype) -> None:
    """Does a centre a long way off, or infinitely far, give a one-hot corner and no NaN?"""
    keypoints = torch.tensor([[-far, -far], [far, far], [far, -far]], dtype=dtype)
    p = heatmaps.gaussian_distributions(keypoints, SIZE, 0.7)
    assert p.flatten(-2).argmax(-1).tolist() == [0, 34, 6]
    torch.testing.assert_close(p.flatten(-2).amax(-1), torch.ones(3, dtype=dtype))


def test_a_nan_keypoint_spoils_its_own_map_only() -> None:
    """Does a missing keypoint show as NaN where it is, and nowhere else?"""
    keypoints = places(2, 3)
    keypoints[1, 2, 0] = math.nan
    for make in (heatmaps.gaussian_heatmaps, heatmaps.gaussian_distributions):
        spoilt = make(keypoints, SIZE, 1.3).isnan().flatten(-2)
        assert spoilt[1, 2].all()
        assert spoilt.any(-1).sum() == 1


@pytest.mark.parametrize("make", [heatmaps.gaussian_heatmaps, heatmaps.gaussian_distributions])
def test_targets_can_be_trained_through(make: object) -> None:
    """Are the gradients with respect to the keypoint and to σ those of finite differences?"""
    keypoints = places(2, 3).requires_grad_()
    sigma = torch.tensor(1.3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda k, s: make(k, SIZE, s), (keypoints, sigma))  # type: ignore[operator]


def test_softmax_is_scipy_s() -> None:
    """Is p = softmax(h / T) over both axes together, T dividing?"""
    logits = torch.randn(2, 3, 5, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    expected = special.softmax(logits.numpy() / 0.35, axis=(-2, -1))
    torch.testing.assert_close(heatmaps.spatial_softmax(logits, 0.35), torch.from_numpy(expected), rtol=1e-12, atol=0)


@pytest.mark.parametrize("dtype", FLOATS)
def test_no_temperature_overflows(dtype: torch.dtype) -> None:
    """Does T → 0 share the mass among the maxima and T → ∞ among all cells, at logits that exp cannot take?"""
    logits = torch.full((2, 3, 5, 7), -500.0, dtype=dtype)
    logits[..., 1, 2] = logits[..., 4, 0] = 1000
    cold, hot = heatmaps.spatial_softmax(logits, 1e-4), heatmaps.spatial_softmax(logits, 6e4)
    assert cold.dtype == dtype
    assert cold[..., 1, 2].eq(0.5).all()
    assert cold.count_nonzero() == 2 * 2 * 3
    torch.testing.assert_close(hot, torch.full_like(hot, 1 / 35), rtol=0.03, atol=0)


def test_each_map_may_have_a_temperature_of_its_own() -> None:
    """Does a tensor of temperatures, (K) or (B, K), apply to its own maps, and is it learnt?"""
    logits = torch.randn(2, 3, 5, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    temperature = torch.tensor([[0.3], [2.0]], dtype=torch.float64).expand(2, 3).clone().requires_grad_()
    p = heatmaps.spatial_softmax(logits, temperature)
    torch.testing.assert_close(p[1], heatmaps.spatial_softmax(logits[1], 2.0))
    torch.testing.assert_close(
        p[0], heatmaps.spatial_softmax(logits[0], torch.tensor(0.3).expand(3)), rtol=1e-6, atol=0
    )
    assert torch.autograd.gradcheck(heatmaps.spatial_softmax, (logits.requires_grad_(), temperature))


def test_minus_infinity_excludes_a_cell() -> None:
    """Can logits switch a cell off without a NaN in the value or in the gradient?"""
    logits = torch.zeros(2, 3, 5, 7, requires_grad=True)
    off = torch.zeros(5, 7, dtype=torch.bool)
    off[2, 4] = True
    p = heatmaps.spatial_softmax(logits.masked_fill(off, -math.inf), 0.5)
    assert p[..., 2, 4].eq(0).all()
    torch.testing.assert_close(p[..., 0, 0], torch.full((2, 3), 1 / 34))
    (slope,) = torch.autograd.grad(p[..., 0, 0].sum(), logits)
    assert slope.isfinite().all()


def test_an_offset_added_to_its_cell_is_the_keypoint() -> None:
    """Does every single cell's offset, channel 0 being x, lead to the keypoint?"""
    keypoints = places(2, 3)
    offsets = heatmaps.offset_maps(keypoints, SIZE)
    assert offsets.shape == (2, 3, 2, 5, 7)
    for row, column in [(0, 0), (4, 6), (2, 5)]:
        cell = torch.tensor([column, row], dtype=torch.float64)
        torch.testing.assert_close(offsets[..., row, column] + cell, keypoints)


@pytest.mark.parametrize("split", [1, 2, 3])
def test_simcc_s_bins_tile_the_cells(split: int) -> None:
    """Is the mean of the two distributions the keypoint, half a bin included, with σ in cells?"""
    keypoints = torch.tensor([[20.3, 14.8], [17.6, 15.1]], dtype=torch.float64)
    x, y = heatmaps.simcc_targets(keypoints, (30, 40), sigma=1.5, split=split)
    assert (x.shape, y.shape) == ((2, 40 * split), (2, 30 * split))
    for axis, p in enumerate((x, y)):
        centres = (torch.arange(p.shape[-1], dtype=torch.float64) + 0.5) / split - 0.5
        mean = p @ centres
        torch.testing.assert_close(mean, keypoints[:, axis])  # on so fine a lattice a Gaussian's moments are exact
        torch.testing.assert_close((p * (centres - mean[:, None]) ** 2).sum(-1), torch.full((2,), 2.25).double())


@given(shape=leading, dtype=st.sampled_from(FLOATS))
def test_any_leading_shape_and_dtype(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    """Does every encoder treat leading axes alike, keep the dtype and leave its argument as it was?"""
    keypoints = places(*shape, dtype=dtype)
    before = keypoints.clone()
    for make in (heatmaps.gaussian_heatmaps, heatmaps.gaussian_distributions):
        maps = make(keypoints, SIZE, 1.3)
        assert (maps.shape, maps.dtype) == ((*shape, 5, 7), dtype)
        torch.testing.assert_close(maps.reshape(-1, 5, 7), make(keypoints.reshape(-1, 2), SIZE, 1.3))
        softened = heatmaps.spatial_softmax(maps, 0.7)
        assert (softened.shape, softened.dtype) == (maps.shape, dtype)
    assert heatmaps.offset_maps(keypoints, SIZE).dtype == dtype
    assert heatmaps.simcc_targets(keypoints, SIZE, 1.3, 2).x.dtype == dtype
    assert keypoints.equal(before)


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: heatmaps.gaussian_heatmaps(torch.zeros(3, 3), SIZE, 1.3), ValueError, "Drop the visibility column"),
        (lambda: heatmaps.gaussian_heatmaps(torch.zeros(3, 2).long(), SIZE, 1.3), TypeError, r"Call \.float"),
        (lambda: heatmaps.gaussian_heatmaps(torch.zeros(3, 2), (5, 0), 1.3), ValueError, "rows, then columns"),
        (lambda: heatmaps.gaussian_heatmaps(torch.zeros(3, 2), SIZE, 0), ValueError, "sigma .* must be positive"),
        (lambda: heatmaps.gaussian_heatmaps(torch.zeros(3, 2), SIZE, torch.ones(2)), ValueError, "broadcast to"),
        (lambda: heatmaps.gaussian_distributions(torch.zeros(3, 2), SIZE, -1.0), ValueError, "must be positive"),
        (lambda: heatmaps.spatial_softmax(torch.zeros(5, 7), 0.5), ValueError, r"maps\[None\]"),
        (lambda: heatmaps.spatial_softmax(torch.zeros(3, 5, 7).long(), 0.5), TypeError, r"Call \.float"),
        (lambda: heatmaps.spatial_softmax(torch.zeros(3, 5, 7), 0.0), ValueError, "temperature .* must be positive"),
        (lambda: heatmaps.spatial_softmax(torch.zeros(3, 5, 7), math.nan), ValueError, "must be positive"),
        (lambda: heatmaps.spatial_softmax(torch.zeros(3, 5, 7).half(), 1e-9), ValueError, "in torch.float16"),
        (lambda: heatmaps.spatial_softmax(torch.zeros(3, 5, 7), torch.ones(5)), ValueError, "broadcast to"),
        (lambda: heatmaps.simcc_targets(torch.zeros(3, 2), SIZE, 1.3, 0), ValueError, "split must be a positive"),
        (lambda: heatmaps.simcc_targets(torch.zeros(3, 2), SIZE, 1.3, 1.5), ValueError, "whole number"),
    ],
)
def test_a_mistake_is_named(call: object, error: type[Exception], message: str) -> None:
    """Does each wrong argument raise an error that says what was expected?"""
    with pytest.raises(error, match=message):
        call()  # type: ignore[operator]


def test_a_crowd_has_one_map_a_keypoint_and_the_larger_blob_counts() -> None:
    """Is each cell the largest of what each person alone would paint there, so that no peak rises above 1?"""
    keypoints, mask = places(2, 4, 3), torch.ones(2, 4, 3, dtype=torch.bool)
    mask[0, 1, 2] = mask[1, :3, 0] = mask[1, :, 1] = False
    maps = heatmaps.crowd_heatmaps(keypoints, mask, SIZE, 1.3)
    assert maps.shape == (2, 3, 5, 7)
    for b, k, row, column in [(0, 2, 4, 1), (1, 0, 2, 6), (1, 2, 3, 3), (0, 0, 0, 0)]:
        alone = [
            math.exp(-((column - x) ** 2 + (row - y) ** 2) / (2 * 1.3**2))
            for x, y in keypoints[b, mask[b, :, k], k].tolist()
        ]
        assert maps[b, k, row, column].item() == pytest.approx(max(alone), rel=1e-12)
    assert maps[1, 1].eq(0).all()  # nobody has it


def test_a_keypoint_that_does_not_count_leaves_no_trace_in_a_crowd() -> None:
    """Are value and gradient those without a masked keypoint, NaN or not, and is an empty crowd an empty map?"""
    keypoints, mask = places(2, 4, 3), torch.ones(2, 4, 3, dtype=torch.bool)
    mask[:, 1] = False
    keypoints[:, 1] = math.nan
    keypoints.requires_grad_()
    maps = heatmaps.crowd_heatmaps(keypoints, mask, SIZE, 1.3)
    assert maps.equal(heatmaps.crowd_heatmaps(keypoints[:, [0, 2, 3]], mask[:, [0, 2, 3]], SIZE, 1.3))
    (slope,) = torch.autograd.grad(maps.sum(), keypoints)
    assert slope[:, 1].eq(0).all()
    assert slope.isfinite().all()
    nobody = heatmaps.crowd_heatmaps(keypoints[:, :0], mask[:, :0], SIZE, 1.3)
    assert nobody.equal(torch.zeros(2, 3, 5, 7, dtype=torch.float64))


def test_one_person_is_a_crowd_of_one() -> None:
    """Does a crowd of one have the maps of that person?"""
    keypoints = places(2, 3)
    maps = heatmaps.crowd_heatmaps(keypoints[:, None], torch.ones(2, 1, 3, dtype=torch.bool), SIZE, 0.8)
    assert maps.equal(heatmaps.gaussian_heatmaps(keypoints, SIZE, 0.8))


def test_a_crowd_that_does_not_fit(as_a_user: None) -> None:
    """Are a visibility in the mask's place and a mask of another shape refused?"""
    keypoints = places(2, 4, 3)
    with pytest.raises(TypeError, match="visibility > 0"):
        heatmaps.crowd_heatmaps(keypoints, torch.full((2, 4, 3), 2, dtype=torch.uint8), SIZE, 1.3)
    with pytest.raises(ValueError, match=r"one shape; got \(2, 4, 3\) and \(2, 4\)"):
        heatmaps.crowd_heatmaps(keypoints, torch.ones(2, 4, dtype=torch.bool), SIZE, 1.3)
