"""Uncertainty: are curves, areas, correlations and radii what their definitions and other libraries say?"""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats
from torch import Tensor

from posecourse import seeding, uncertainty

NUMBERS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=5)


def normal(*shape: int, seed: int) -> Tensor:
    """Random numbers in float64."""
    return torch.randn(*shape, dtype=torch.float64, generator=seeding.generator(seed))


def perfect(n: int, c: float, dimensions: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return errors, Gaussian given a lognormal σ of this coefficient of variation, and σ."""
    sigma = (math.sqrt(math.log1p(c**2)) * normal(n, seed=seed)).exp()
    return sigma * normal(n, dimensions, seed=seed + 1000).norm(dim=-1), sigma


def test_a_curve_by_hand() -> None:
    """Of errors 1, 2, 3, 10, 4 whose uncertainties put 10 second, is each mean what is left?"""
    errors, unsure = torch.tensor([1.0, 2, 3, 10, 4]), torch.tensor([0.1, 0.2, 0.9, 0.8, 0.3])
    got = uncertainty.sparsification(errors, unsure, [0, 0.2, 0.4, 0.6, 0.8, 0.99])
    torch.testing.assert_close(got, torch.tensor([4, 17 / 4, 7 / 3, 1.5, 1, 1]))
    oracle = uncertainty.sparsification(errors, errors, [0.2, 0.4])
    torch.testing.assert_close(oracle, torch.tensor([2.5, 2]))
    area = ((0 + 17 / 4 - 2.5 + 7 / 3 - 2) / 5) / 4  # nothing is gained after the first two
    assert uncertainty.ause(errors, unsure).item() == pytest.approx(area)


@settings(max_examples=40)
@given(NUMBERS)
def test_ties_are_the_mean_over_all_orders(pairs: list[tuple[int, int]]) -> None:
    """Is the curve, with equal uncertainties, the mean of the curves in which one or another goes first?"""
    errors, unsure = torch.tensor(pairs, dtype=torch.float64).T
    n = len(pairs)
    orders = []
    for order in itertools.permutations(range(n)):
        falling = sorted(order, key=lambda i: -unsure[i].item())  # stable: ties stay in this order
        orders.append([errors[falling[k:]].mean().item() for k in range(n)])
    fractions = [k / n for k in range(n)]
    got = uncertainty.sparsification(errors, unsure, fractions)
    assert got.tolist() == pytest.approx(np.mean(orders, axis=0).tolist())


@given(NUMBERS, st.randoms(use_true_random=False))
def test_order_and_unit_decide_nothing(pairs: list[tuple[int, int]], random) -> None:
    """Is everything the same for shuffled predictions and for a rising function of the uncertainty?"""
    mixed = random.sample(pairs, len(pairs))
    (e, u), (f, v) = (torch.tensor(given, dtype=torch.float64).T for given in (pairs, mixed))
    fractions = torch.arange(len(pairs)) / len(pairs)
    first = uncertainty.sparsification(e, u, fractions)
    torch.testing.assert_close(first, uncertainty.sparsification(f, v.exp(), fractions))
    assert first[0].item() == pytest.approx(e.mean().item())
    assert (first >= uncertainty.sparsification(e, e, fractions) - 1e-12).all()
    one, two = uncertainty.rank_correlation(e, u), uncertainty.rank_correlation(f, v.exp())
    assert one == pytest.approx(two, nan_ok=True)
    if e.any():
        area = uncertainty.ause(e, u)
        torch.testing.assert_close(area, uncertainty.ause(7 * f, v))
        assert area >= -1e-12


def test_what_knows_nothing_and_what_knows_all() -> None:
    """Is the area 0 for the errors themselves, 1 − the oracle's for a constant, and largest turned round?"""
    errors = normal(401, seed=0).abs()
    assert uncertainty.ause(errors, errors).item() == pytest.approx(0, abs=1e-12)
    fractions = torch.arange(401) / 401
    oracle = uncertainty.sparsification(errors, errors, fractions).mean() / errors.mean()
    constant = uncertainty.ause(errors, torch.ones(401))
    torch.testing.assert_close(constant, 1 - oracle)
    assert uncertainty.ause(errors, -errors) > constant


def test_the_area_of_a_perfect_sigma() -> None:
    """Are the areas for a lognormal σ of variation .5, errors in two dimensions, those of quadrature: .157, .521?

    An area is a difference of means of curves over u, the share that is kept: ∫ E[e; kept]/(u·E[e]) du. Kept by σ the
    lognormal has Φ(Φ⁻¹(u) − s) of its mean. Kept by e = σ·R, R Rayleigh, it is ∫ E[e; e ≤ r]/P(e ≤ r) dP over all r.
    """
    s = math.sqrt(math.log1p(0.5**2))
    by_sigma = integrate.quad(lambda u: special.ndtr(special.ndtri(u) - s) / u, 0, 1)[0]
    z, weights = np.polynomial.hermite_e.hermegauss(80)
    weights, sigmas = weights / weights.sum(), np.exp(s * z)
    r = np.linspace(1e-3, 30, 60_001)[:, None]
    a = r / (math.sqrt(2) * sigmas)
    below = -np.expm1(-(a**2)) @ weights
    partial = (sigmas * math.sqrt(math.pi / 2) * special.erf(a) - r * np.exp(-(a**2))) @ weights
    mean = math.sqrt(math.pi / 2) * math.exp(s**2 / 2)
    by_error = integrate.trapezoid(partial / below, below) / mean
    exact = by_sigma - by_error, 1 - by_error
    assert [round(area, 3) for area in exact] == [0.157, 0.521]
    n, sets = 20_000, range(20)
    errors, sigma = zip(*(perfect(n, 0.5, 2, seed) for seed in sets), strict=True)
    for unsure, area in zip((sigma, [normal(n, seed=50 + seed) for seed in sets]), exact, strict=True):
        found = torch.stack([uncertainty.ause(e, u) for e, u in zip(errors, unsure, strict=True)])
        assert abs(found.mean().item() - area) < 4 * found.std().item() / math.sqrt(len(sets))


@pytest.mark.parametrize(("dimensions", "ceiling"), [(1, 0.51), (2, 0.65), (3, None)])
@pytest.mark.parametrize("c", [0.25, 0.5])
def test_the_ceiling_of_a_perfect_sigma(dimensions: int, ceiling: float | None, c: float) -> None:
    """Is Pearson's correlation of 200 000 errors with a lognormal or uniform σ the formula's, within 4 standard errors?

    The standard errors are measured on 20 parts, since these errors have heavy tails.
    """
    expected = uncertainty.perfect_correlation(c, dimensions)
    closed = {
        1: math.sqrt(2 / math.pi) * c / math.sqrt(1 + c**2 - 2 / math.pi),
        2: math.sqrt(math.pi / 2) * c / math.sqrt(2 * (1 + c**2) - math.pi / 2),
    }
    if dimensions in closed:
        assert expected == pytest.approx(closed[dimensions])
    if ceiling and c == 0.5:
        assert round(expected, 2) == ceiling
    uniform = 1 + c * math.sqrt(12) * (torch.rand(200_000, generator=seeding.generator(1), dtype=torch.float64) - 0.5)
    for sigma in (perfect(200_000, c, 1, seed=0)[1], uniform):
        errors = sigma * normal(200_000, dimensions, seed=2).norm(dim=-1)
        parts = [torch.corrcoef(both)[0, 1] for both in torch.stack([errors, sigma]).split(10_000, dim=1)]
        error = torch.stack(parts).std().item() / math.sqrt(20)
        assert abs(torch.stack(parts).mean().item() - expected) < 4 * error + 2e-3  # of its bias, 1/10 000 and tails


def test_the_ceiling_takes_tensors() -> None:
    """Does a tensor of variations give a tensor, rising towards m/√D?"""
    c = torch.tensor([0.1, 0.5, 3.0, 1e4])
    got = uncertainty.perfect_correlation(c, 2)
    assert got.tolist() == pytest.approx([uncertainty.perfect_correlation(float(x), 2) for x in c])
    assert (got.diff() > 0).all()
    assert got[-1].item() == pytest.approx(math.sqrt(math.pi) / 2, abs=1e-4)


def test_rank_correlation_is_scipys() -> None:
    """Is it `spearmanr`, ties included, pooled, and within groups the mean of its results?"""
    generator = seeding.generator(0)
    errors = normal(200, seed=0).abs()
    unsure = (errors + normal(200, seed=1)).mul(2).round()
    groups = torch.randint(5, (200,), generator=generator) * 3 - 4
    assert uncertainty.rank_correlation(errors, unsure) == pytest.approx(stats.spearmanr(errors, unsure).statistic)
    within = [stats.spearmanr(errors[groups == g], unsure[groups == g]).statistic for g in groups.unique()]
    assert uncertainty.rank_correlation(errors, unsure, groups) == pytest.approx(np.mean(within))


def test_a_constant_has_no_correlation() -> None:
    """Is a group whose uncertainties are all the same left out, and NaN the answer where none is left?"""
    errors, groups = torch.tensor([1.0, 2, 3, 4, 5]), torch.tensor([0, 0, 0, 1, 1])
    assert math.isnan(uncertainty.rank_correlation(errors, groups.float(), groups))
    assert uncertainty.rank_correlation(errors, groups.float()) > 0.8  # pooled, it is worth something
    assert uncertainty.rank_correlation(errors, torch.tensor([3.0, 2, 1, 7, 7]), groups) == pytest.approx(-1)
    assert math.isnan(uncertainty.rank_correlation(errors[:1], errors[:1]))


def test_an_interval_covers_as_often_as_it_says() -> None:
    """Of 150 experiments on 60 pictures whose four keypoints share an error, does the 80 % interval hold the truth?

    Within 3 standard errors of √(.8·.2/150), and 2 % for the percentile method's own bias on 60. Keypoint by keypoint
    the interval would be too narrow by √(1 + 3·.8) = 1.84; the ratio of 10 widths is known to about 5 %.
    """
    shared = normal(150, 60, 1, seed=0) * math.sqrt(0.8)
    values = (shared + normal(150, 60, 4, seed=1) * math.sqrt(0.2)).flatten(1)
    images, generator = torch.arange(60).repeat_interleave(4), seeding.generator(2)

    def interval(value: Tensor, own: Tensor, draws: int) -> uncertainty.Interval:
        return uncertainty.bootstrap_interval(
            torch.mean, value, images=own, level=0.8, draws=draws, generator=generator
        )

    hits = [low < 0 < high for low, high in (interval(value, images, 100) for value in values)]
    assert abs(np.mean(hits) - 0.8) < 3 * math.sqrt(0.16 / 150) + 0.02
    widths = [
        np.mean([i.high - i.low for i in (interval(v, own, 300) for v in values[:10])])
        for own in (images, torch.arange(240))
    ]
    assert widths[0] / widths[1] == pytest.approx(math.sqrt(1 + 3 * 0.8), rel=0.15)


def test_an_interval_takes_whole_pictures() -> None:
    """Are values of one picture drawn together, several tensors in step, whatever their order, as the seed decides?"""
    images = torch.tensor([7, 3, 7, 9, 3, 7])
    values = images.double() * torch.tensor([1.0, 1, 1, 1, -1, 1])
    seen = []

    def look(a: Tensor, b: Tensor) -> float:
        assert torch.equal(a, b)
        counts = [int((a == v).sum()) for v in (7.0, 3.0, -3.0, 9.0)]
        assert counts[0] % 3 == 0
        assert counts[1] == counts[2]
        assert counts[0] // 3 + counts[1] + counts[3] == 3
        seen.append(tuple(counts))
        return float(a.sum())

    first = uncertainty.bootstrap_interval(
        look, values, values, images=images, draws=60, generator=seeding.generator(0)
    )
    again = uncertainty.bootstrap_interval(
        look, values, values, images=images, draws=60, generator=seeding.generator(0)
    )
    assert first == again
    assert first.low < first.high
    assert len(set(seen)) == 10  # of three pictures drawn three times


def test_dropouts_variance_is_that_of_all_masks() -> None:
    """With four inputs, is it the variance over all 2⁴ masks, each with its probability?"""
    weight, x, p = normal(3, 4, seed=0), normal(2, 4, seed=1), 0.3
    masks = torch.tensor(list(itertools.product([0.0, 1.0], repeat=4)), dtype=torch.float64)
    chance = (p ** (1 - masks) * (1 - p) ** masks).prod(-1)
    answers = torch.einsum("mi,bi,oi->mbo", masks / (1 - p), x, weight)
    mean = torch.einsum("m,mbo->bo", chance, answers)
    variance = torch.einsum("m,mbo->bo", chance, (answers - mean) ** 2)
    torch.testing.assert_close(mean, x @ weight.mT)
    torch.testing.assert_close(uncertainty.dropout_variance(weight, x, p), variance)
    assert (uncertainty.dropout_variance(weight, x, 0.0) == 0).all()


def test_bayes_learns_and_dropout_does_not() -> None:
    """From 50 to 5000 points, does Bayes' variance fall a hundredfold, and dropout's stay where the weights do?

    E[(XᵀX)⁻¹] = I/(n − I − 1) for Gaussian inputs: over 40 sets the mean ratio is 4995/45 = 111 for I = 4.
    """
    x, w, few, many = normal(4, seed=0), normal(4, seed=1), [], []
    for seed in range(40):
        X = normal(5000, 4, seed=10 + seed)
        few.append(uncertainty.bayesian_variance(X[:50], x, 0.25))
        many.append(uncertainty.bayesian_variance(X, x, 0.25))
    for found, n in ((torch.stack(few), 50), (torch.stack(many), 5000)):
        expected = 0.25 * x.square().sum() / (n - 5)
        assert abs(found.mean() - expected) < 4 * found.std() / math.sqrt(40)
    y = X @ w + 0.5 * normal(5000, seed=2)
    spreads = []
    for n in (50, 5000):
        fitted = torch.linalg.lstsq(X[:n], y[:n, None]).solution.mT
        spreads.append(uncertainty.dropout_variance(fitted, x, 0.2).item())
    limit = 0.25 * (w.square() * x.square()).sum().item()
    assert spreads[1] == pytest.approx(limit, rel=0.05)  # w to 4 of its standard errors .5/√5000
    assert 0.5 < spreads[0] / spreads[1] < 2


def test_bayes_by_another_way() -> None:
    """Is the variance that of least squares over data sets, with a ridge as with rows of the prior, in any batch?"""
    X, x = normal(7, 3, seed=0), normal(2, 5, 3, seed=1)
    plain = uncertainty.bayesian_variance(X, x, 0.5)
    pinv = torch.linalg.pinv(X)
    torch.testing.assert_close(plain, 0.5 * (x @ pinv).square().sum(-1))
    rows = torch.cat([X, math.sqrt(2.0) * torch.eye(3).double()])
    torch.testing.assert_close(
        uncertainty.bayesian_variance(X, x, 0.5, ridge=2.0), uncertainty.bayesian_variance(rows, x, 0.5)
    )
    few = uncertainty.bayesian_variance(X[:2], x, 0.5, ridge=2.0)
    assert (few < 0.25 * x.square().sum(-1)).all()  # less than the prior, noise/ridge a weight


@pytest.mark.parametrize(("n", "level"), [(9, 0.9), (12, 0.8), (19, 0.5), (40, 0.9)])
def test_a_radius_keeps_its_promise(n: int, level: float) -> None:
    """Over 4 000 calibration sets, is a new score within the radius as often as k/(n + 1), and never below `level`?"""
    draws = 4_000
    scores, new = normal(draws, n, seed=n).abs().float(), normal(draws, seed=n + 1).abs()
    radii = torch.stack([uncertainty.conformal_radius(own, level) for own in scores])
    assert radii.dtype == torch.float32
    share = math.ceil(round((n + 1) * level, 9)) / (n + 1)
    assert share >= level - 1e-12
    assert abs((new <= radii).double().mean().item() - share) < 4 * math.sqrt(share * (1 - share) / draws)


def test_too_few_scores_promise_nothing() -> None:
    """Is it infinite below 9 scores for .9 and 19 for .95, and the largest score there?"""
    for level, n in ((0.9, 9), (0.95, 19)):
        scores = torch.arange(1.0, n + 1)
        assert uncertainty.conformal_radius(scores, level) == n
        assert uncertainty.conformal_radius(scores[1:], level).isposinf()
    assert uncertainty.conformal_radius(torch.arange(1.0, 100).flip(0), 0.55) == 55  # .55 · 100 is a hair too much


E, U = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.3, 0.1, 0.2])


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: uncertainty.sparsification(E, U[:2], [0.5]), ValueError, "one shape"),
        (lambda: uncertainty.sparsification(E[None], U[None], [0.5]), ValueError, r"errors\[mask\]"),
        (lambda: uncertainty.sparsification(E[:0], U[:0], [0.5]), ValueError, r"got \(0,\)"),
        (lambda: uncertainty.sparsification(-E, U, [0.5]), ValueError, "distances; the smallest is -3"),
        (lambda: uncertainty.sparsification(E, U * math.nan, [0.5]), ValueError, r"uncertainties\[mask\]"),
        (lambda: uncertainty.sparsification(E, U, [0.5, 1.0]), ValueError, "below 1"),
        (lambda: uncertainty.sparsification(E, U, torch.tensor(0.5)), ValueError, "several numbers"),
        (lambda: uncertainty.ause(0 * E, U), ValueError, "0 everywhere"),
        (lambda: uncertainty.ause(E.tolist(), U), TypeError, r"torch\.tensor\(errors\)"),
        (lambda: uncertainty.rank_correlation(E, U, torch.zeros(2)), ValueError, "errors and groups"),
        (
            lambda: uncertainty.bootstrap_interval(torch.mean, E, images=torch.zeros(2), generator=None),
            ValueError,
            "first axis",
        ),
        (
            lambda: uncertainty.bootstrap_interval(torch.mean, E, images=torch.zeros(3), generator=None),
            ValueError,
            "two at least",
        ),
        (
            lambda: uncertainty.bootstrap_interval(torch.mean, E, images=E, level=95, generator=None),
            ValueError,
            r"such as \.95",
        ),
        (lambda: uncertainty.conformal_radius(E, 90), ValueError, r"such as \.9"),
        (lambda: uncertainty.conformal_radius(E[:0], 0.9), ValueError, "one a prediction"),
        (lambda: uncertainty.conformal_radius(E * math.nan, 0.9), ValueError, r"scores\[mask\]"),
        (lambda: uncertainty.perfect_correlation(0.0, 2), ValueError, "c must be positive"),
        (lambda: uncertainty.perfect_correlation(0.5, 0), ValueError, "dimensions"),
        (lambda: uncertainty.dropout_variance(torch.eye(3), E, 1.0), ValueError, "below 1"),
        (lambda: uncertainty.dropout_variance(torch.eye(2), E, 0.5), ValueError, r"weight must be \(O, I\)"),
        (lambda: uncertainty.bayesian_variance(torch.ones(5, 3), E, 1.0), ValueError, "independent rows"),
        (lambda: uncertainty.bayesian_variance(torch.eye(3)[:2], E, 1.0), ValueError, "ridge > 0"),
        (lambda: uncertainty.bayesian_variance(torch.eye(3), E, 1.0, ridge=-1.0), ValueError, "not be negative"),
        (lambda: uncertainty.bayesian_variance(torch.eye(3), E, 0.0), ValueError, "noise must be positive"),
        (lambda: uncertainty.bayesian_variance(torch.eye(2), E, 1.0), ValueError, r"inputs must be \(n, I\)"),
    ],
)
def test_a_mistake_is_named(call, error: type[Exception], message: str) -> None:
    """Does each wrong argument raise an error that says what was expected and how to mend it?"""
    with pytest.raises(error, match=message):
        call()
