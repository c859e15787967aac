"""Thresholds: does the average turn from a gain into a harm exactly there?"""

import math

import pytest
import torch
from scipy import optimize

from posecourse import fusion

RATIOS = [1.3, 2.0, 4.5]


def covariance(ratio: float, rho: float) -> torch.Tensor:
    """The covariance of two errors of standard deviations 1 and `ratio`."""
    return torch.tensor([[1, rho * ratio], [rho * ratio, ratio**2]], dtype=torch.float64)


def naive(ratio: float, rho: float) -> float:
    """The true variance of their naive average."""
    C = covariance(ratio, rho)
    return fusion.naive_variance(C.diagonal(), C).item()


@pytest.mark.parametrize("rho", [-0.6, 0.0, 0.45, 1.0])
@pytest.mark.parametrize("ratio", [1.0, *RATIOS])
def test_the_variance_of_the_naive_average(ratio: float, rho: float) -> None:
    """Is it σ₁²σ₂²(σ₁² + σ₂² + 2ρσ₁σ₂)/(σ₁² + σ₂²)², and of equal ones the claim times 1 + ρ?"""
    expected = ratio**2 * (1 + ratio**2 + 2 * rho * ratio) / (1 + ratio**2) ** 2
    assert naive(ratio, rho) == pytest.approx(expected)
    if ratio == 1:
        assert naive(ratio, rho) == pytest.approx((1 + rho) / 2)


def test_it_is_for_batches_and_several() -> None:
    """For three views and a batch, is it the variance of the weights written out?"""
    root = torch.randn(4, 5, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    C = root @ root.mT
    claimed = torch.rand(4, 5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) + 0.2
    w = [1 / v / sum(1 / u for u in claimed[2, 3]) for v in claimed[2, 3]]
    expected = sum(w[i] * w[j] * C[2, 3, i, j] for i in range(3) for j in range(3))
    assert fusion.naive_variance(claimed, C)[2, 3].item() == pytest.approx(float(expected))


@pytest.mark.parametrize("ratio", RATIOS)
def test_correlation_does_harm_from_there_on(ratio: float) -> None:
    """Where the naive variance, searched for along ρ, reaches that of the better one: is it there?"""
    root = optimize.brentq(lambda rho: naive(ratio, rho) - 1, 0, 1)
    assert fusion.harmful_correlation(ratio) == pytest.approx(root)
    assert fusion.harmful_correlation(2.0) == 0.3125
    assert fusion.harmful_correlation(1.0) == 1


@pytest.mark.parametrize("ratio", RATIOS)
def test_a_weight_is_negative_from_there_on(ratio: float) -> None:
    """Where the best weight of the worse one, searched for along ρ, is 0: is it there, and past the harm?"""
    root = optimize.brentq(lambda rho: fusion.best_weights(covariance(ratio, rho))[1].item(), 0, 0.99)
    assert fusion.negative_weight_correlation(ratio) == pytest.approx(root)
    assert fusion.harmful_correlation(ratio) < root


@pytest.mark.parametrize("ratio", [2.0, 4.5])
def test_a_wrong_claim_does_harm_below_there(ratio: float) -> None:
    """Where the variance for a claimed q, searched for, reaches that of the better one: is it there?"""

    def excess(claimed: float) -> float:
        claims = torch.tensor([1.0, claimed], dtype=torch.float64)
        return fusion.naive_variance(claims, covariance(ratio, 0.0)).item() - 1

    root = optimize.brentq(excess, 1e-3, ratio**2)
    assert fusion.harmful_claim(ratio) == pytest.approx(root)
    assert excess(1e6) < 0
    assert fusion.harmful_claim(math.sqrt(3)) == pytest.approx(1)  # the plain average


@pytest.mark.parametrize("biased", [0, 1])
@pytest.mark.parametrize(("first", "second"), [(0.7, 0.7), (0.5, 1.8)])
def test_bias_does_harm_from_there_on(first: float, second: float, biased: int) -> None:
    """Where the average's square error, searched for along b, reaches the least of the two: is it there?"""
    v = torch.tensor([first, second], dtype=torch.float64).square()
    weight = (1 / v / (1 / v).sum())[biased].item()

    def excess(bias: float) -> float:
        fused = 1 / (1 / v).sum().item() + (weight * bias) ** 2
        single = v.clone()
        single[biased] += bias**2
        return fused - single.min().item()

    root = optimize.brentq(excess, 0, 50)
    assert fusion.break_even_bias(first, second) == pytest.approx(root)
    assert fusion.break_even_bias(second, first) == pytest.approx(root)
    assert all(excess(root * share) < 0 for share in (0.1, 0.3, 0.5, 0.9))
    assert fusion.break_even_bias(0.7, 0.7) == pytest.approx(math.sqrt(2) * 0.7)


def test_numbers_and_tensors_alike() -> None:
    """Does each closed form take tensors, element by element?"""
    ratios = torch.tensor(RATIOS, dtype=torch.float64)
    for form in (fusion.harmful_correlation, fusion.negative_weight_correlation, fusion.harmful_claim):
        assert form(ratios).tolist() == pytest.approx([form(ratio) for ratio in RATIOS])
    pairs = fusion.break_even_bias(ratios, ratios.flip(0))
    assert pairs.tolist() == pytest.approx([math.hypot(*pair) for pair in zip(RATIOS, RATIOS[::-1], strict=True)])
