"""Calibration: does each estimate find the number that the data were made with?"""

import math

import pytest
import torch
from scipy import optimize

from posecourse import calibration


def generator(seed: int) -> torch.Generator:
    """A generator of its own for each test."""
    return torch.Generator().manual_seed(seed)


def lognormal(*shape: int, seed: int) -> torch.Tensor:
    """Random positive numbers in float64, varying about threefold."""
    return torch.randn(*shape, dtype=torch.float64, generator=generator(seed)).exp()


def test_the_scale_is_found_again() -> None:
    """Where the true variance is 2.5 times the predicted one, is it 2.5 within its standard error √(2/n)?"""
    variances = lognormal(4000, 3, 2, seed=0)
    errors = (2.5 * variances).sqrt() * torch.randn(4000, 3, 2, dtype=torch.float64, generator=generator(1))
    scale = calibration.variance_scale(errors, variances).item()
    assert scale == pytest.approx(2.5, rel=4 * math.sqrt(2 / errors.numel()))


def test_the_scale_is_the_most_likely_one() -> None:
    """Is the likelihood's derivative 0 there, and a masked NaN without influence?"""
    variances, errors = lognormal(40, 3, 2, seed=0), 2 * lognormal(40, 3, 2, seed=1) - 1
    mask = torch.rand(40, 3, generator=generator(2)) < 0.7
    errors[~mask], variances[~mask] = math.nan, -1
    scale = calibration.variance_scale(errors, variances, mask).requires_grad_()
    e, v = errors[mask], variances[mask]
    nll = (torch.log(scale * v) + e**2 / (scale * v)).sum()
    assert abs(torch.autograd.grad(nll, scale)[0].item()) < 1e-9


def _errors(covariance: torch.Tensor, seed: int) -> torch.Tensor:
    """One error of each covariance (n, 2, 2)."""
    white = torch.randn(len(covariance), 2, 1, dtype=torch.float64, generator=generator(seed))
    return (torch.linalg.cholesky(covariance) @ white).squeeze(-1)


def _covariances(n: int, seed: int) -> torch.Tensor:
    """Random positive definite matrices, each another one."""
    root = torch.randn(n, 2, 2, dtype=torch.float64, generator=generator(seed))
    return root @ root.mT + 0.1 * torch.eye(2)


def test_honest_ellipses_cover_what_they_claim() -> None:
    """With slanting ellipses of every size, are the shares the levels, within √(p(1 − p)/n)?"""
    covariances = _covariances(20000, seed=0)
    levels = [0.5, 0.9, 0.95]
    shares = calibration.coverage(_errors(covariances, seed=1), covariances, levels)
    for share, level in zip(shares.tolist(), levels, strict=True):
        assert share == pytest.approx(level, abs=4 * math.sqrt(level * (1 - level) / 20000))


def test_ellipses_half_as_wide_cover_what_the_theory_says() -> None:
    """Where the covariances are a quarter of the truth, is the share 1 − (1 − level)^(1/4)?"""
    covariances = _covariances(20000, seed=0)
    share = calibration.coverage(_errors(covariances, seed=1), covariances / 4, [0.9]).item()
    expected = 1 - 0.1**0.25
    assert share == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / 20000))


@pytest.mark.parametrize(("level", "radius"), [(0.5, 1.1774), (0.9, 2.146), (0.95, 2.4477)])
def test_the_ellipse_s_edge_is_at_its_radius(level: float, radius: float) -> None:
    """Is an error just inside of the known radius in, and just outside out, the mask respected?"""
    errors = torch.tensor([[3 * radius * 0.9999, 0.0], [0.0, 2 * radius * 1.0001], [math.nan, 0.0]])
    covariances = torch.diag_embed(torch.tensor([[9.0, 4.0]])).expand(3, 2, 2)
    mask = torch.tensor([True, True, False])
    assert calibration.coverage(errors, covariances, [level], mask).tolist() == [0.5]


def test_a_reliability_curve_by_hand() -> None:
    """Do predictions fall into the right bins, 1 into the last, and are empty bins NaN?"""
    p = torch.tensor([[0.1, 0.2, 0.5], [0.9, 1.0, 0.3]])
    y = torch.tensor([[False, True, True], [True, True, False]])
    mask = torch.tensor([[True, True, True], [True, True, False]])
    curve = calibration.reliability(p, y, bins=4, mask=mask)
    assert curve.counts.tolist() == [2, 0, 1, 2]
    torch.testing.assert_close(curve.confidence, torch.tensor([0.15, math.nan, 0.5, 0.95]), equal_nan=True)
    torch.testing.assert_close(curve.frequency, torch.tensor([0.5, math.nan, 1.0, 1.0]), equal_nan=True)
    error = calibration.expected_calibration_error(p, y, bins=4, mask=mask)
    assert error.item() == pytest.approx((2 * 0.35 + 1 * 0.5 + 2 * 0.05) / 5)


def test_honest_probabilities_have_the_error_of_chance() -> None:
    """For outcomes drawn as predicted, is the error the mean of |N(0, p(1 − p)/count)| that chance leaves?"""
    p = torch.rand(200, 500, generator=generator(0), dtype=torch.float64)
    y = torch.rand(200, 500, generator=generator(1), dtype=torch.float64) < p
    errors = torch.stack([calibration.expected_calibration_error(a, b) for a, b in zip(p, y, strict=True)])
    # p(1 − p) averaged over each of the ten bins, and Σ count/n·√(2·p(1 − p)/(π·count)) with count = 50.
    middle = (torch.arange(10) + 0.5) / 10
    expected = (2 * (middle * (1 - middle) - 0.1**2 / 12) / (math.pi * 50)).sqrt().mean().item()
    standard_error = errors.std().item() / math.sqrt(200)
    # A count that varies by √50 lowers the mean of √count by count^(−1)/8: 0.25 %.
    assert errors.mean().item() == pytest.approx(expected, abs=4 * standard_error + 0.005 * expected)


@pytest.mark.parametrize("temperature", [0.4, 3.0])
def test_the_temperature_is_found_again(temperature: float) -> None:
    """Where outcomes follow sigmoid(z/T), is T found within four standard errors, from the Fisher information?"""
    z = 3 * temperature * torch.randn(300, 70, generator=generator(0), dtype=torch.float64)
    p = (z / temperature).sigmoid()
    y = torch.rand(300, 70, generator=generator(1), dtype=torch.float64) < p
    information = (z**2 * p * (1 - p)).sum()  # about a = 1/T, so that sd(T) = T²/√information
    standard_error = temperature**2 / information.sqrt().item()
    assert calibration.temperature_scale(z, y).item() == pytest.approx(temperature, abs=4 * standard_error)


def test_the_temperature_is_the_most_likely_one() -> None:
    """Is it the one that SciPy's minimiser finds, what does not count left out?"""
    z = torch.randn(60, 3, generator=generator(0), dtype=torch.float64)
    y = torch.rand(60, 3, generator=generator(1), dtype=torch.float64) < (z / 2).sigmoid()
    mask = torch.rand(60, 3, generator=generator(2)) < 0.7
    z[~mask] = math.nan

    def nll(T: float) -> float:
        return torch.nn.functional.binary_cross_entropy_with_logits(z[mask] / T, y[mask].double()).item()

    expected = optimize.minimize_scalar(nll, bounds=(0.1, 20), method="bounded", options={"xatol": 1e-9}).x
    assert calibration.temperature_scale(z, y, mask).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_any_dtype(dtype: torch.dtype) -> None:
    """Are the answers of the input's dtype, and near those in float64?"""
    z = torch.randn(60, 3, generator=generator(0), dtype=torch.float64)
    y = torch.rand(60, 3, generator=generator(1), dtype=torch.float64) < (z / 2).sigmoid()
    for estimate, argument in [
        (calibration.temperature_scale, z),
        (calibration.variance_scale, z),
        (calibration.expected_calibration_error, z.sigmoid()),
    ]:
        other = y.to(argument) + 0.5 if estimate is calibration.variance_scale else y
        ours = estimate(argument.to(dtype), other.to(dtype) if other.is_floating_point() else other)
        if estimate is not calibration.expected_calibration_error:
            assert ours.dtype == dtype
        assert ours.item() == pytest.approx(estimate(argument, other).item(), rel=0.05)


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: calibration.variance_scale(torch.ones(3, 2), torch.ones(3)), "must have one shape"),
        (lambda: calibration.variance_scale(torch.ones(3, 2), torch.zeros(3, 2)), "positive where they count"),
        (lambda: calibration.variance_scale(torch.ones(3, 2), torch.ones(3, 2), torch.zeros(3).bool()), "nothing cou"),
        (lambda: calibration.variance_scale(torch.ones(3, 2), torch.ones(3, 2), torch.ones(2).bool()), "one a place"),
        (lambda: calibration.coverage(torch.ones(3, 2), torch.ones(3, 2), [0.5]), "diag_embed"),
        (lambda: calibration.coverage(torch.ones(3, 2), torch.ones(3, 2, 2), [0.5]), "positive definite"),
        (lambda: calibration.coverage(torch.ones(3, 2), torch.eye(2).expand(3, 2, 2), [95]), "such as .9 for 90 %"),
        (lambda: calibration.reliability(torch.ones(3), torch.ones(2).bool()), "must have one shape"),
        (lambda: calibration.reliability(torch.ones(3) * 2, torch.ones(3).bool()), "Of logits take the sigmoid"),
        (lambda: calibration.reliability(torch.ones(3), torch.ones(3).bool(), bins=0), "bins must be a positive"),
        (lambda: calibration.temperature_scale(torch.ones(3), torch.ones(3).bool()), "every logit has the right sign"),
        (lambda: calibration.temperature_scale(torch.ones(3), torch.zeros(3).bool()), "say nothing"),
        (lambda: calibration.temperature_scale(torch.tensor([1, math.inf]), torch.ones(2).bool()), "must be finite"),
    ],
)
def test_a_mistake_is_named(call: object, message: str) -> None:
    """Does each wrong argument raise an error that says what was expected?"""
    with pytest.raises(ValueError, match=message):
        call()  # type: ignore[operator]
