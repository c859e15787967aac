"""Fusion: is each average the one that its assumption makes best, and is what it claims true?"""

import math

import pytest
import torch
from torch.autograd import gradcheck

from posecourse import fusion


def generator(seed: int) -> torch.Generator:
    """A generator of its own for each test."""
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int) -> torch.Tensor:
    """Random numbers in float64."""
    return torch.randn(*shape, dtype=torch.float64, generator=generator(seed))


def positive(*shape: int, seed: int) -> torch.Tensor:
    """Random positive numbers in float64, varying about threefold."""
    return normal(*shape, seed=seed).exp()


def covariances(*shape: int, size: int, seed: int) -> torch.Tensor:
    """Random positive definite matrices in float64."""
    root = normal(*shape, size, size, seed=seed)
    return root @ root.mT + 0.05 * torch.eye(size)


def test_two_by_hand() -> None:
    """With variances 1 and 3 along x, is the weight 3/4 and the variance 3/4, and y on its own?"""
    means, variances = torch.tensor([[4.0, 10.0], [8.0, 20.0]]), torch.tensor([[1.0, 2.0], [3.0, 0.5]])
    mean, variance = fusion.inverse_variance(means, variances)
    torch.testing.assert_close(mean, torch.tensor([5.0, 18.0]))
    torch.testing.assert_close(variance, torch.tensor([0.75, 0.4]))


def test_independent_errors_have_the_variance_that_is_claimed() -> None:
    """Of 200 000 draws from three views, is the variance what 1/Σ(1/v) says, within its standard error √(2/n)?"""
    sigma = torch.tensor([[1.0, 0.4], [2.5, 0.7], [0.8, 3.0]], dtype=torch.float64)
    n = 200_000
    errors = sigma[:, None] * normal(3, n, 2, seed=0)
    mean, variance = fusion.inverse_variance(errors, sigma.square()[:, None].expand_as(errors))
    measured = mean.square().mean(0)
    assert ((measured / variance[0] - 1).abs() < 4 * math.sqrt(2 / n)).all()
    assert (measured < sigma.square().amin(0)).all()


def test_who_knows_nothing_has_no_vote() -> None:
    """Is an infinite variance as if the view was not there, NaN mean or not, and is nobody's answer said to be one?"""
    means, variances = normal(3, 5, 2, seed=0), positive(3, 5, 2, seed=1)
    means[2, 1], variances[2, 1] = math.nan, math.inf
    variances[:, 3] = math.inf
    means.requires_grad_(), variances.requires_grad_()
    mean, variance = fusion.inverse_variance(means, variances)
    for got, want in zip((mean, variance), fusion.inverse_variance(means[:2, 1], variances[:2, 1]), strict=True):
        torch.testing.assert_close(got[1], want)
    assert mean[3].isnan().all()
    assert variance[3].isposinf().all()
    known = torch.tensor([0, 1, 2, 4])
    (mean[known].sum() + variance[known].sum()).backward()
    assert means.grad is not None
    assert variances.grad is not None
    assert means.grad.isfinite().all()
    assert variances.grad.isfinite().all()
    assert (means.grad[2, 1] == 0).all()


def test_a_mistake_shows() -> None:
    """Does a NaN that votes, in a mean or in a variance, make this answer NaN and leave the others alone?"""
    for broken in (0, 1):
        given = [normal(2, 3, 2, seed=0), positive(2, 3, 2, seed=1)]
        given[broken][1, 2, 0] = math.nan
        mean, variance = fusion.inverse_variance(given[0], given[1])
        assert mean.isnan().nonzero().tolist() == [[2, 0]]
        assert variance.isnan().sum() == broken


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("unit", [1e-30, 1e-3, 1e30])
def test_the_unit_does_not_matter(dtype: torch.dtype, unit: float) -> None:
    """With variances near the ends of float32, is the mean the same, and the variance in the same unit?"""
    means, variances = normal(3, 4, 2, seed=0), positive(3, 4, 2, seed=1)
    mean, variance = fusion.inverse_variance(means, variances)
    got = fusion.inverse_variance(means.to(dtype), (variances * unit).to(dtype))
    assert got.mean.dtype == got.variance.dtype == dtype
    torch.testing.assert_close(got.mean.double(), mean, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(got.variance.double(), variance * unit, rtol=1e-5, atol=0)


def test_best_weights_beat_every_others() -> None:
    """Is their sum 1, their variance 1/(1ᵀC⁻¹1), and any other weights of sum 1 worse?"""
    C = covariances(3, 2, size=4, seed=0)
    w = fusion.best_weights(C)

    def variance(weights: torch.Tensor) -> torch.Tensor:
        return torch.einsum("...i,...ij,...j->...", weights, C, weights)

    torch.testing.assert_close(w.sum(-1), torch.ones(3, 2).double())
    torch.testing.assert_close(variance(w), 1 / torch.linalg.inv(C).sum((-2, -1)))
    for seed in range(20):
        step = normal(3, 2, 4, seed=seed)
        assert (variance(w + step - step.mean(-1, keepdim=True)) > variance(w)).all()


@pytest.mark.parametrize("ratio", [1.0, 2.0, 5.0])
def test_a_weight_turns_negative_where_it_should(ratio: float) -> None:
    """Of two, is the worse one's weight positive below ρ = 1/r, 0 at it, negative past it, and its variance known?"""
    for rho in (-0.7, 0.3, min(1 / ratio, 0.97), 0.98):
        C = torch.tensor([[1, rho * ratio], [rho * ratio, ratio**2]], dtype=torch.float64)
        w = fusion.best_weights(C)
        assert w[1].item() == pytest.approx((1 - rho * ratio) / (1 + ratio**2 - 2 * rho * ratio), abs=1e-12)
        fused = fusion.correlated(normal(2, 2, seed=0), C)
        expected = ratio**2 * (1 - rho**2) / (1 + ratio**2 - 2 * rho * ratio)
        assert fused.variance.tolist() == pytest.approx([expected, expected])


def test_correlated_errors_have_the_variance_that_is_claimed() -> None:
    """Of 200 000 draws with a negative weight, is it as claimed, within √(2/n), and the naive one as computed?"""
    C, n = torch.tensor([[1.0, 1.4], [1.4, 4.0]], dtype=torch.float64), 200_000
    errors = (torch.linalg.cholesky(C) @ normal(2, n * 2, seed=0)).view(2, n, 2)
    fused = fusion.correlated(errors, C)
    assert ((fused.mean.square().mean(0) / fused.variance[0] - 1).abs() < 4 * math.sqrt(2 / n)).all()
    naive = fusion.inverse_variance(errors, C.diagonal()[:, None, None].expand_as(errors))
    true = fusion.naive_variance(C.diagonal(), C)
    assert ((naive.mean.square().mean(0) / true - 1).abs() < 4 * math.sqrt(2 / n)).all()
    assert true > 1 > fused.variance[0, 0] > naive.variance[0, 0]  # a harm, a gain, and a gain that was only promised


def test_uncorrelated_is_independent() -> None:
    """With diagonal covariances, is `correlated` the same as `inverse_variance`?"""
    means, variances = normal(3, 5, 4, 2, seed=0), positive(3, 5, 4, 2, seed=1)
    got = fusion.correlated(means, torch.diag_embed(variances.movedim(0, -1)))
    for a, b in zip(got, fusion.inverse_variance(means, variances), strict=True):
        torch.testing.assert_close(a, b)


def test_covariances_reach_as_far_as_they_should() -> None:
    """Is one matrix for all, one an axis, one a point, the same as all of them written out?"""
    means = normal(3, 5, 4, 2, seed=0)
    for leading in ((), (2,), (1, 1), (4, 1), (4, 2), (5, 4, 1), (5, 1, 2)):
        C = covariances(*leading, size=3, seed=1)
        got, want = fusion.correlated(means, C), fusion.correlated(means, C.expand(5, 4, 2, 3, 3))
        for a, b in zip(got, want, strict=True):
            assert a.shape == (5, 4, 2)
            torch.testing.assert_close(a, b)


def test_sigmas_of_unlike_size() -> None:
    """In float32, are the weights right where σ lie a million apart, as for views of unlike units of trust?"""
    sigma = torch.tensor([1e-3, 1.0, 1e3])
    R = torch.tensor([[1.0, 0.5, -0.3], [0.5, 1.0, 0.2], [-0.3, 0.2, 1.0]])
    C = sigma[:, None] * R * sigma
    wide = C.double()
    torch.testing.assert_close(fusion.best_weights(C).double(), fusion.best_weights(wide), rtol=1e-4, atol=1e-9)
    solved = torch.linalg.solve(wide, torch.ones(3, 1, dtype=torch.float64)).squeeze(-1)
    torch.testing.assert_close(fusion.best_weights(wide), solved / solved.sum())


def test_gradients() -> None:
    """Are the derivatives of means, variances, covariances those of finite differences?"""
    means, variances = normal(3, 2, 2, seed=0).requires_grad_(), positive(3, 2, 2, seed=1).requires_grad_()
    C = covariances(2, 2, size=3, seed=2).requires_grad_()
    assert gradcheck(fusion.inverse_variance, (means, variances))
    assert gradcheck(fusion.correlated, (means, C))
    ellipses = covariances(3, 2, size=2, seed=3)
    assert gradcheck(lambda m: fusion.covariance_intersection(m, ellipses), (means,))


def test_the_order_of_views_decides_nothing() -> None:
    """Is the answer the same with the views in another order?"""
    order, means = torch.tensor([2, 0, 1]), normal(3, 4, 2, seed=0)
    variances, C, ellipses = (
        positive(3, 4, 2, seed=1),
        covariances(4, 2, size=3, seed=2),
        covariances(3, 4, size=2, seed=3),
    )
    for a, b in (
        (fusion.inverse_variance(means, variances), fusion.inverse_variance(means[order], variances[order])),
        (fusion.correlated(means, C), fusion.correlated(means[order], C[..., order, :][..., order])),
        (
            fusion.covariance_intersection(means, ellipses),
            fusion.covariance_intersection(means[order], ellipses[order]),
        ),
    ):
        for one, other in zip(a, b, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6)


def test_any_batch_and_no_trace() -> None:
    """Is each place of a batch as if it was alone, without any batch too, and are arguments left as they were?"""
    means, variances = normal(3, 5, 4, 2, seed=0), positive(3, 5, 4, 2, seed=1)
    C, ellipses = covariances(5, 4, 2, size=3, seed=2), covariances(3, 5, 4, size=2, seed=3)
    copies = [given.clone() for given in (means, variances, C, ellipses)]
    batch = (
        *fusion.inverse_variance(means, variances),
        *fusion.correlated(means, C),
        *fusion.covariance_intersection(means, ellipses),
    )
    alone = (
        *fusion.inverse_variance(means[:, 1, 2], variances[:, 1, 2]),
        *fusion.correlated(means[:, 1, 2], C[1, 2]),
        *fusion.covariance_intersection(means[:, 1, 2], ellipses[:, 1, 2]),
    )
    for a, b in zip(batch, alone, strict=True):
        torch.testing.assert_close(a[1, 2], b)
    for given, copy in zip((means, variances, C, ellipses), copies, strict=True):
        assert torch.equal(given, copy)


TWO, ONE, REPEATED = torch.zeros(2, 3, 2), torch.eye(2), torch.tensor([[4.0, 2.0], [2.0, 1.0]])


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fusion.inverse_variance(TWO, torch.ones(2, 3)), ValueError, r"variances must be \(\.\.\., 2\)"),
        (lambda: fusion.inverse_variance(TWO, torch.ones(2, 1, 2)), ValueError, "one shape"),
        (lambda: fusion.inverse_variance(TWO.int(), TWO), TypeError, r"\.float\(\)"),
        (lambda: fusion.inverse_variance(TWO, TWO), ValueError, "positive; the smallest is 0.*add a floor.*take exp"),
        (lambda: fusion.inverse_variance(TWO, TWO - 1.5), ValueError, "the smallest is -1.5"),
        (lambda: fusion.inverse_variance(torch.ones(2), torch.ones(2)), ValueError, "views first.*torch.stack"),
        (lambda: fusion.inverse_variance(torch.ones(0, 2), torch.ones(0, 2)), ValueError, "views first"),
        (lambda: fusion.inverse_variance([1.0], TWO), TypeError, r"torch\.tensor\(means\)"),
        (lambda: fusion.correlated(TWO, torch.eye(3)), ValueError, r"2 estimates of points \(3, 2\).*got \(3, 3\)"),
        (lambda: fusion.correlated(TWO, torch.eye(2).expand(3, 2, 2)), ValueError, "broadcast"),
        (lambda: fusion.correlated(TWO, torch.eye(2).expand(5, 1, 1, 2, 2)), ValueError, "broadcast"),
        (lambda: fusion.best_weights(torch.ones(2, 3)), ValueError, "square"),
        (lambda: fusion.best_weights(torch.tensor(1.0)), ValueError, "square"),
        (lambda: fusion.best_weights(REPEATED), ValueError, "ρ = 1.*leave it out"),
        (lambda: fusion.best_weights(-ONE), ValueError, "positive definite"),
        (lambda: fusion.best_weights(ONE * math.nan), ValueError, "positive definite"),
        (lambda: fusion.covariance_intersection(TWO, TWO), ValueError, r"one \(2, 2\) a point.*torch.diag_embed"),
        (lambda: fusion.covariance_intersection(TWO[:, 0], -ONE.expand(2, 2, 2)), ValueError, "positive definite"),
        (lambda: fusion.covariance_intersection(TWO[:, 0], REPEATED.expand(2, 2, 2)), ValueError, "Add a floor"),
        (lambda: fusion.naive_variance(torch.zeros(2), ONE), ValueError, "variances must be positive"),
        (lambda: fusion.naive_variance(torch.ones(3), ONE), ValueError, "one shape"),
        (lambda: fusion.harmful_correlation(0.5), ValueError, "larger σ over the smaller"),
        (lambda: fusion.harmful_claim(torch.tensor([2.0, 0.5])), ValueError, "ratio must be at least 1"),
        (lambda: fusion.negative_weight_correlation(math.nan), ValueError, "ratio must be positive"),
        (lambda: fusion.break_even_bias(1.0, 0.0), ValueError, "second must be positive"),
    ],
)
def test_a_mistake_is_named(call, error: type[Exception], message: str) -> None:
    """Does each wrong argument raise an error that says what was expected and how to mend it?"""
    with pytest.raises(error, match=message):
        call()
