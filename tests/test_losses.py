"""Losses: are values and gradients right, and does a masked place leave no trace?"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from scipy import stats
from scipy.spatial import distance
from torch.nn import functional

from posecourse import heatmaps, losses

FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
BAD = [math.nan, math.inf, -math.inf]


def points(seed: int, *shape: int) -> torch.Tensor:
    """Random points in float64."""
    return 4 * torch.randn(*(shape or (2, 3)), 2, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def distributions(seed: int) -> torch.Tensor:
    """Random distributions (2, 3, 5, 7) in float64."""
    logits = torch.randn(2, 3, 5, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return heatmaps.spatial_softmax(logits, 0.7)


def variances(seed: int) -> torch.Tensor:
    """Random positive numbers (2, 3, 2) in float64."""
    return points(seed).abs() + 0.3


CASES = {
    "euclidean": (losses.euclidean, points(0), points(1)),
    "smooth_l1": (lambda p, t: losses.smooth_l1(p, t, beta=2.5), points(0), points(1)),
    "heatmap_mse": (losses.heatmap_mse, distributions(0), distributions(1)),
    "js_divergence": (losses.js_divergence, distributions(0), distributions(1)),
    "gaussian_nll": (lambda p, t: losses.gaussian_nll(p, t, variances(2)), points(0), points(1)),
    "laplace_nll": (lambda p, t: losses.laplace_nll(p, t, variances(2)), points(0), points(1)),
}
every_loss = pytest.mark.parametrize("name", CASES)


def test_euclidean_is_the_distance() -> None:
    """Is it 5 for a way of (3, 4), and torch's pairwise distance in general?"""
    assert losses.euclidean(torch.tensor([[1.0, 1.0]]), torch.tensor([[4.0, 5.0]])).tolist() == [5]
    torch.testing.assert_close(losses.euclidean(points(0), points(1)), (points(0) - points(1)).pow(2).sum(-1).sqrt())


@every_loss
def test_no_gradient_is_nan_where_the_prediction_is_the_truth(name: str) -> None:
    """At zero distance, is the gradient of every loss 0 rather than 0/0?"""
    loss, predicted, _ = CASES[name]
    predicted = predicted.clone().requires_grad_()
    (slope,) = torch.autograd.grad(loss(predicted, predicted.detach().clone()).sum(), predicted)
    assert slope.abs().max() < 1e-12


def test_smooth_l1_is_torch_s_summed_over_both_axes() -> None:
    """Is it the Huber loss with the given corner, x and y added?"""
    expected = functional.smooth_l1_loss(points(0), points(1), beta=2.5, reduction="none").sum(-1)
    torch.testing.assert_close(losses.smooth_l1(points(0), points(1), beta=2.5), expected)


def test_heatmap_mse_of_a_blob_against_nothing() -> None:
    """Is it the sum of squares over the cells, πσ² for a blob of height 1, divided by H·W?"""
    blob = heatmaps.gaussian_heatmaps(torch.tensor([[20.3, 15.7]]).double(), (31, 41), 1.5)
    expected = math.pi * 1.5**2 / (31 * 41)
    assert losses.heatmap_mse(torch.zeros_like(blob), blob).item() == pytest.approx(expected, rel=1e-6)


def test_js_is_scipy_s() -> None:
    """Is it the square of SciPy's Jensen-Shannon distance, in nats and symmetric?"""
    p, q = distributions(0), distributions(1)
    expected = distance.jensenshannon(p.flatten(-2).numpy(), q.flatten(-2).numpy(), axis=-1) ** 2
    torch.testing.assert_close(losses.js_divergence(p, q), torch.from_numpy(expected))
    torch.testing.assert_close(losses.js_divergence(q, p), losses.js_divergence(p, q))


@pytest.mark.parametrize("dtype", FLOATS)
def test_js_of_distributions_that_share_nothing(dtype: torch.dtype) -> None:
    """With 0 in both, is it ln 2 and the gradient finite, through a softmax too?"""
    p, q = torch.zeros(1, 5, 7, dtype=dtype, requires_grad=True), torch.zeros(1, 5, 7, dtype=dtype)
    p.data[0, 1, 2], q[0, 3, 4] = 1, 1
    loss = losses.js_divergence(p, q)
    torch.testing.assert_close(loss, torch.tensor([math.log(2)], dtype=dtype))
    assert torch.autograd.grad(loss.sum(), p)[0].isfinite().all()
    logits = torch.zeros(1, 5, 7, dtype=dtype)
    logits[0, 1, 2] = 3000
    logits.requires_grad_()
    loss = losses.js_divergence(heatmaps.spatial_softmax(logits, 1.5), q)
    assert torch.autograd.grad(loss.sum(), logits)[0].isfinite().all()


def test_gaussian_nll_is_minus_scipy_s_log_density() -> None:
    """Is it the normal distribution's, x and y added, the constant included?"""
    predicted, truth, v = points(0), points(1), variances(2)
    expected = -stats.norm.logpdf(truth.numpy(), predicted.numpy(), v.sqrt().numpy()).sum(-1)
    torch.testing.assert_close(losses.gaussian_nll(predicted, truth, v), torch.from_numpy(expected))


def test_laplace_nll_is_minus_scipy_s_log_density() -> None:
    """Is it the Laplace distribution's, x and y added, the constant included?"""
    predicted, truth, b = points(0), points(1), variances(2)
    expected = -stats.laplace.logpdf(truth.numpy(), predicted.numpy(), b.numpy()).sum(-1)
    torch.testing.assert_close(losses.laplace_nll(predicted, truth, b), torch.from_numpy(expected))


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_beta_scales_the_gradient_and_nothing_else(beta: float) -> None:
    """Is the gradient v^β times that of the likelihood, so that β = 1 pulls with Δ as a squared error does?"""
    predicted, v = points(0).requires_grad_(), variances(2).requires_grad_()
    plain = torch.autograd.grad(losses.gaussian_nll(predicted, points(1), v).sum(), (predicted, v))
    scaled = torch.autograd.grad(losses.gaussian_nll(predicted, points(1), v, beta).sum(), (predicted, v))
    for before, after in zip(plain, scaled, strict=True):
        torch.testing.assert_close(after, before * v.detach() ** beta)
    if beta == 1:
        torch.testing.assert_close(scaled[0], predicted.detach() - points(1))


@every_loss
def test_gradients_are_those_of_finite_differences(name: str) -> None:
    """Does gradcheck agree, for prediction and truth?"""
    loss, predicted, truth = CASES[name]
    assert torch.autograd.gradcheck(loss, (predicted.clone().requires_grad_(), truth.clone().requires_grad_()))


@every_loss
@pytest.mark.parametrize("value", BAD)
def test_a_bad_place_shows_and_the_mask_removes_it(name: str, value: float) -> None:
    """Is the loss NaN where the truth is not finite, and are masked mean and gradient those of a clean batch?"""
    loss, predicted, truth = CASES[name]
    mask = torch.tensor([[True, False, True], [True, True, False]])
    results = []
    for spoil in (False, True):
        p, t = predicted.clone(), truth.clone()
        if spoil:
            t[0, 1] = value
            p[1, 2] = value
        p.requires_grad_()
        values = loss(p, t)
        if spoil:
            assert values.isnan().tolist() == [[False, True, False], [False, False, True]]
        mean = losses.masked_mean(values, mask)
        results.append((mean, torch.autograd.grad(mean, p)[0]))
    torch.testing.assert_close(results[1][0], results[0][0])
    torch.testing.assert_close(results[1][1], results[0][1])
    assert results[1][1][mask].abs().sum() > 0


@pytest.mark.parametrize("value", [*BAD, 1e30])
def test_masked_mean_does_not_see_what_does_not_count(value: float) -> None:
    """Is it numpy's mean of the places that count, whatever stands elsewhere, in value and gradient?"""
    mask = torch.tensor([[True, False, True], [True, True, False]])
    values = points(3)[..., 0].clone()
    expected = values.numpy()[mask.numpy()].mean()
    values[~mask] = value
    values.requires_grad_()
    mean = losses.masked_mean(values, mask)
    assert mean.item() == pytest.approx(expected, rel=1e-12)
    (slope,) = torch.autograd.grad(mean, values)
    torch.testing.assert_close(slope, mask.double() / 4)


def test_an_empty_mask_moves_nothing() -> None:
    """Is the mean 0 with a gradient of 0 where nothing counts, NaN everywhere?"""
    values = torch.full((2, 3), math.nan, requires_grad=True)
    mean = losses.masked_mean(values, torch.zeros(2, 3, dtype=torch.bool))
    assert mean.item() == 0
    assert torch.autograd.grad(mean, values)[0].eq(0).all()


def test_a_mean_in_half_precision_does_not_overflow() -> None:
    """Is the mean of a thousand losses of 100 still 100, though their sum is beyond float16?"""
    values = torch.full((1000, 17), 100.0, dtype=torch.float16)
    assert losses.masked_mean(values, torch.ones(1000, 17, dtype=torch.bool)).item() == 100


@every_loss
@given(shape=st_numpy.array_shapes(min_dims=1, max_dims=3, max_side=3), dtype=st.sampled_from(FLOATS))
def test_any_leading_shape_and_dtype(name: str, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    """Is the result one number a keypoint, of the input's dtype, the same however the batch is shaped?"""
    loss, predicted, truth = CASES[name]
    if name == "gaussian_nll":
        loss = lambda p, t: losses.gaussian_nll(p, t, torch.full_like(p, 1.7))  # noqa: E731
    if name == "laplace_nll":
        loss = lambda p, t: losses.laplace_nll(p, t, torch.full_like(p, 1.7))  # noqa: E731
    inner = predicted.shape[2:]
    p = predicted[0, 0].expand(*shape, *inner).to(dtype)
    t = truth[0, 0].expand(*shape, *inner).to(dtype)
    values = loss(p, t)
    assert (values.shape, values.dtype) == (shape, dtype)
    torch.testing.assert_close(values, loss(p.reshape(-1, *inner), t.reshape(-1, *inner)).reshape(shape))


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: losses.euclidean(torch.zeros(2, 3, 2), torch.zeros(3, 2)), ValueError, "must have one shape"),
        (lambda: losses.euclidean(torch.zeros(2, 3, 3), torch.zeros(2, 3, 3)), ValueError, "visibility column"),
        (lambda: losses.smooth_l1(torch.zeros(3, 2), torch.zeros(3, 2), beta=0), ValueError, "beta must be positive"),
        (lambda: losses.heatmap_mse(torch.zeros(3, 5, 7), torch.zeros(3, 7, 5)), ValueError, "must have one shape"),
        (lambda: losses.js_divergence(torch.zeros(5, 7), torch.zeros(5, 7)), ValueError, r"maps\[None\]"),
        (
            lambda: losses.gaussian_nll(torch.zeros(3, 2), torch.zeros(3, 2), torch.zeros(3, 2)),
            ValueError,
            "predict ln v",
        ),
        (
            lambda: losses.gaussian_nll(torch.zeros(3, 2), torch.zeros(3, 2), torch.ones(3, 1)),
            ValueError,
            "predicted and variances must have one shape",
        ),
        (
            lambda: losses.laplace_nll(torch.zeros(3, 2), torch.zeros(3, 2), torch.zeros(3, 2)),
            ValueError,
            "predict ln b",
        ),
        (lambda: losses.masked_mean(torch.zeros(2, 3), torch.ones(2, 3).byte()), TypeError, "visibility > 0"),
        (lambda: losses.masked_mean(torch.zeros(2, 3), torch.ones(3).bool()), ValueError, "Nothing is broadcast"),
    ],
)
def test_a_mistake_is_named(call: object, error: type[Exception], message: str) -> None:
    """Does each wrong argument raise an error that says what was expected?"""
    with pytest.raises(error, match=message):
        call()  # type: ignore[operator]
