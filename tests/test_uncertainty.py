"""Uncertainty: does only dropout move, is each answer one of its own, and is every spread what it is called?"""

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from posecourse import models, seeding, uncertainty
from posecourse.models import GaussianRegression, PoseNetwork, UNet


class Tiny(nn.Module):
    """Two keypoints out of four inputs: dropout, then a linear layer, all in float64."""

    def __init__(self, p: float = 0.3) -> None:
        super().__init__()
        self.dropout, self.norm, self.linear = nn.Dropout(p), nn.BatchNorm1d(12), nn.Linear(12, 4)
        self.double().eval()

    def forward(self, images: Tensor) -> Tensor:
        """Return (B 2 2)."""
        return self.linear(self.dropout(self.norm(images.flatten(1)))).unflatten(-1, (2, 2))

    predict = forward


def tiny(p: float = 0.3) -> Tiny:
    """Return a network with weights of its own."""
    with seeding.fork(seeding.generator(1)):
        return Tiny(p)


def pictures(B: int = 3) -> Tensor:
    """Return pictures (B 3 2 2)."""
    return torch.rand(B, 3, 2, 2, generator=seeding.generator(2), dtype=torch.float64) + 0.5


def normal(*shape: int, seed: int) -> Tensor:
    """Random numbers in float64."""
    return torch.randn(*shape, dtype=torch.float64, generator=seeding.generator(seed))


def modes(model: nn.Module) -> dict[str, bool]:
    """Return which layers are in training mode."""
    return {name: layer.training for name, layer in model.named_modules()}


@pytest.mark.parametrize("kind", [nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout])
@pytest.mark.parametrize("training", [False, True])
def test_only_dropout_is_switched_on(kind: type[nn.Module], training: bool) -> None:
    """Are dropout layers on and all others off, whatever they were, and as before afterwards, a mixture included?"""
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Sequential(kind(0.2), nn.Dropout(0.0))).train(training)
    model[1].train(not training)
    before = modes(model)
    with uncertainty.dropout_active(model):
        assert [name for name, on in modes(model).items() if on] == ["2.0"]
    assert modes(model) == before


def test_an_error_leaves_nothing_switched_on() -> None:
    """Are the modes as before when what is inside of the context fails?"""
    model = tiny().train()
    model.norm.eval()
    before = modes(model)
    with pytest.raises(LookupError), uncertainty.dropout_active(model):
        raise LookupError
    assert modes(model) == before


def test_batch_norm_is_not_touched() -> None:
    """Are its stored statistics the same after forty answers, and are they what it uses?"""
    model = tiny().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    draws = uncertainty.mc_dropout(model, pictures(), 40, generator=seeding.generator(0))
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
    alone = uncertainty.mc_dropout(model, pictures()[:1], 40, generator=seeding.generator(0))
    assert draws.shape == (40, 3, 2, 2)
    assert alone.shape == (40, 1, 2, 2)
    assert modes(model) == dict.fromkeys(modes(model), True)


def test_draws_have_the_mean_and_the_variance_of_theory() -> None:
    """On a linear network, is the mean of 20 000 draws that without dropout, the variance p/(1 − p)·Σ w²x²?

    A mean has the standard error σ/√S; a variance, of a sum of a dozen terms, less than 2·√(2/S) of itself.
    """
    model, images, S, p = tiny(), pictures(), 20_000, 0.3
    draws = uncertainty.mc_dropout(model, images, S, generator=seeding.generator(0), at_once=1000).flatten(-2)
    x = model.norm(images.flatten(1)).detach()
    expected = uncertainty.dropout_variance(model.linear.weight.detach(), x, p)
    away = (draws.mean(0) - model(images).flatten(1).detach()).abs()
    assert (away < 4.5 * (expected / S).sqrt()).all()
    assert ((draws.var(0) / expected - 1).abs() < 4.5 * 2 * math.sqrt(2 / S)).all()


def test_every_answer_has_a_mask_of_its_own() -> None:
    """Do samples, and pictures within a sample, err independently, within 4.5/√S, in one pass and across passes?"""
    model, S = tiny(), 4000
    same = pictures(1).expand(2, 3, 2, 2)
    draws = uncertainty.mc_dropout(model, same, S, generator=seeding.generator(0), at_once=7)[..., 0, 0]
    assert abs(torch.corrcoef(draws.T)[0, 1]) < 4.5 / math.sqrt(S)
    following = torch.stack([draws[:-1].flatten(), draws[1:].flatten()])
    assert abs(torch.corrcoef(following)[0, 1]) < 4.5 / math.sqrt(2 * S)
    assert len(draws.unique()) > 1000  # of 2¹² masks


def test_the_generator_decides_and_nobody_else() -> None:
    """Are draws repeated by a seed, new by the next call, and is the global generator left alone, gradients off?"""
    model, source = tiny(), seeding.generator(0)
    torch.manual_seed(5)
    first, second = (uncertainty.mc_dropout(model, pictures(), 4, generator=source) for _ in range(2))
    state = torch.rand(3)
    torch.manual_seed(6)
    again = uncertainty.mc_dropout(model, pictures(), 4, generator=seeding.generator(0))
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    assert torch.equal(state, torch.rand(3, generator=seeding.generator(5)))
    assert not first.requires_grad


@given(B=st.integers(1, 5), samples=st.integers(1, 9), at_once=st.integers(1, 20))
def test_passes_are_never_larger_than_asked(B: int, samples: int, at_once: int) -> None:
    """Is each picture asked about S times, in passes of `at_once` pictures at most and as few of them as will do?"""
    seen: list[int] = []

    class Echo(nn.Module):
        """Answers what the picture is, dropping nothing of it."""

        def __init__(self) -> None:
            super().__init__()
            self.dropout = nn.Dropout(0.5)

        def predict(self, images: Tensor) -> Tensor:
            """Return the first row."""
            seen.append(len(images))
            return images[:, :, 0, :2]

    images = torch.arange(B * 12.0).view(B, 3, 2, 2)
    draws = uncertainty.mc_dropout(Echo(), images, samples, generator=seeding.generator(0), at_once=at_once)
    assert torch.equal(draws, images[:, :, 0].expand(samples, B, 3, 2))
    assert max(seen) <= at_once
    assert len(seen) == math.ceil(samples * B / at_once)


def test_a_pose_network_scatters_and_says_its_variances() -> None:
    """Do our networks take it, are means the same with variances beside them, and is the spread of dropout alone?"""
    with seeding.fork(seeding.generator(0)):
        backbone = UNet(4, 0.4)
        head = GaussianRegression(backbone.channels, 3, (16, 32))
        network = PoseNetwork(backbone, head).eval()
    images = torch.rand(2, 3, 16, 32, generator=seeding.generator(1))

    def read(images: Tensor) -> tuple[Tensor, Tensor]:
        answer = network(images)
        return head.read(answer).keypoints_px, head.variances_px(answer)

    draws = uncertainty.mc_dropout(network, images, 5, generator=seeding.generator(0))
    means, variances = uncertainty.mc_dropout_gaussian(network, images, 5, read=read, generator=seeding.generator(0))
    assert torch.equal(draws, means)
    assert means.shape == variances.shape == (5, 2, 3, 2)
    assert (means.var(0) > 0).all()
    assert (variances.var(0) > 0).all()
    both = uncertainty.split_uncertainty(means, variances)
    assert (both.aleatoric > 0).all()
    without = network.predict(images)
    assert torch.equal(without, network.predict(images))


def test_the_law_of_total_variance() -> None:
    """Is the sum of both parts the variance of what the mixture says, known in closed form and by 400 000 draws?

    Three equally likely answers: var(y) = mean v + ⅓·Σ (m − m̄)², so with n − 1 the second part is 3/2 of that.
    """
    means, variances = normal(3, 2, seed=0) * 3, normal(3, 2, seed=1).exp()
    split = uncertainty.split_uncertainty(means, variances)
    n = 400_000
    which = torch.randint(3, (n,), generator=seeding.generator(2))
    y = means[which] + variances[which].sqrt() * normal(n, 2, seed=3)
    total = split.aleatoric + split.epistemic * 2 / 3
    assert ((y.var(0) / total - 1).abs() < 4.5 * math.sqrt(2 / n)).all()  # a mixture of three has lighter tails


def test_epistemic_is_a_variance_without_bias() -> None:
    """Over 50 000 triples of variance 4, is the mean of the second part 4, and its spread √(2/(T − 1)) of that?"""
    n, T = 50_000, 3
    split = uncertainty.split_uncertainty(2 * normal(T, n, 2, seed=0), torch.ones(T, n, 2).double())
    spread = math.sqrt(2 / (T - 1))
    assert abs(split.epistemic.mean().item() / 4 - 1) < 4.5 * spread / math.sqrt(2 * n)
    assert torch.equal(split.aleatoric, torch.ones(n, 2).double())


@pytest.mark.parametrize("T", [3, 10, 40])
def test_how_well_samples_know_a_variance(T: int) -> None:
    """Is the relative standard deviation of a variance from T Gaussian samples √(2/(T − 1)), over 40 000 of them?

    Its own relative standard error is √((kurtosis − 1)/(4n)), with 3 + 12/(T − 1) the kurtosis of χ²: below 1 %.
    """
    n = 40_000
    variances = uncertainty.sample_covariance(normal(T, n, 2, seed=T))[:, 0, 0]
    expected = math.sqrt(2 / (T - 1))
    tolerance = 4.5 * math.sqrt((2 + 12 / (T - 1)) / (4 * n))
    assert abs(variances.std().item() / expected - 1) < tolerance


def test_sample_covariance_is_torchs() -> None:
    """Is it `torch.cov` of each point, for any batch, symmetric, with the variances of `split_uncertainty`?"""
    points = normal(5, 4, 3, 2, seed=0) + 20
    got = uncertainty.sample_covariance(points)
    for b in range(4):
        for k in range(3):
            torch.testing.assert_close(got[b, k], torch.cov(points[:, b, k].T))
    torch.testing.assert_close(got[1, 2], uncertainty.sample_covariance(points[:, 1, 2]))
    split = uncertainty.split_uncertainty(points, torch.ones_like(points))
    torch.testing.assert_close(got.diagonal(dim1=-2, dim2=-1), split.epistemic)


def test_an_ensemble_answers_its_mean() -> None:
    """Is `predict` the mean of what `sample` holds, in the order of the models?"""
    answers = normal(3, 2, 4, 2, seed=0)
    several = [SimpleNamespace(predict=lambda images, a=a: a) for a in answers]
    both = uncertainty.ensemble(several)
    assert torch.equal(both.sample(pictures(2)), answers)
    assert torch.equal(both.predict(pictures(2)), answers.mean(0))


def test_each_rate_has_the_variance_of_theory() -> None:
    """On the linear network, does the variance grow as p/(1 − p), and has every layer its own rate back, always?"""
    model, images, S, rates = tiny(), pictures(), 20_000, (0.1, 0.6)
    draws = uncertainty.mc_dropout_at_rates(model, images, S, rates, generator=seeding.generator(0), at_once=1000)
    x = model.norm(images.flatten(1)).detach()
    for rate, own in zip(rates, draws.flatten(-2), strict=True):
        expected = uncertainty.dropout_variance(model.linear.weight.detach(), x, rate)
        assert ((own.var(0) / expected - 1).abs() < 4.5 * 2 * math.sqrt(2 / S)).all()
    assert model.dropout.p == 0.3
    with pytest.raises(RuntimeError):
        uncertainty.mc_dropout_at_rates(model, images[..., :1], 3, rates, generator=seeding.generator(0))
    assert model.dropout.p == 0.3


ONE, SAMPLES = nn.Linear(2, 2), torch.ones(3, 2, 2)


def asked(**more: Any) -> Tensor:
    """Call `mc_dropout` with something else in it."""
    known: dict[str, Any] = {"model": tiny(), "images": pictures(), "samples": 3, "generator": seeding.generator(0)}
    return uncertainty.mc_dropout(**{**known, **more})


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: asked(model=ONE), ValueError, r"no dropout layer with p > 0.*models\.build"),
        (lambda: asked(model=tiny(0.0)), ValueError, r"set the p of the layers"),
        (lambda: asked(model=SimpleNamespace(predict=None)), TypeError, "nn.Module.*got SimpleNamespace"),
        (lambda: asked(images=pictures().numpy()), TypeError, r"torch\.from_numpy\(images\)"),
        (lambda: asked(samples=0), ValueError, "samples must be a positive whole number"),
        (lambda: asked(at_once=0), ValueError, "at_once must be a positive whole number"),
        (
            lambda: uncertainty.mc_dropout_at_rates(tiny(), pictures(), 3, [0.5, 1.0], generator=seeding.generator(0)),
            ValueError,
            "rates must be probabilities above 0",
        ),
        (lambda: uncertainty.ensemble([ONE]), ValueError, "at least two models.*got 1"),
        (lambda: uncertainty.split_uncertainty(SAMPLES[:1], SAMPLES[:1]), ValueError, "at least two of them"),
        (lambda: uncertainty.split_uncertainty(SAMPLES, SAMPLES[0]), ValueError, "one shape"),
        (lambda: uncertainty.split_uncertainty(SAMPLES, -SAMPLES), ValueError, "smallest is -1. Of a logarithm"),
        (lambda: uncertainty.split_uncertainty(SAMPLES.int(), SAMPLES), TypeError, r"\.float\(\)"),
        (lambda: uncertainty.sample_covariance(torch.ones(2)), ValueError, "samples first"),
        (lambda: uncertainty.sample_covariance(torch.ones(4, 3)), ValueError, "visibility"),
    ],
)
def test_a_mistake_is_named(call, error: type[Exception], message: str) -> None:
    """Does each wrong argument raise an error that says what was expected and how to mend it?"""
    with pytest.raises(error, match=message):
        call()


def test_the_builder_is_the_fix() -> None:
    """Does what the error message says work: a network built with dropout, and one that was not refused?"""
    network = models.build("integral", (16, 16), 2, 4, dropout=0.2, generator=seeding.generator(0))
    images = torch.rand(2, 3, 16, 16, generator=seeding.generator(1))
    draws = uncertainty.mc_dropout(network, images, 3, generator=seeding.generator(0))
    assert not torch.equal(draws[0], draws[1])
