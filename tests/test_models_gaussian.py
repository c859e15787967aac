"""The head with a variance, and two heads on one backbone: what they say, and what they learn."""

import math
from typing import Any

import pytest
import torch

from posecourse import losses, models, seeding
from posecourse.samples import Sample
from posecourse.skeletons import Skeleton

SIZE = (28, 20)  # stride 4: a map of 7×5


def labelled(B: int = 2, K: int = 3) -> Sample:
    """Return noise images with keypoints at sub-pixel places, well inside."""
    random = seeding.generator(0)
    H, W = SIZE
    return Sample(
        images=torch.rand(B, 3, H, W, generator=random),
        keypoints=torch.rand(B, K, 2, generator=random) * (torch.tensor([W, H]) - 9.4) + 4.7,
        visibility=torch.full((B, K), 2, dtype=torch.uint8),
        boxes=torch.tensor([-0.5, -0.5, W, H]).repeat(B, 1),
        areas=torch.full((B,), float(H * W)),
        skeleton=Skeleton(tuple(f"point_{k}" for k in range(K))),
    )


def network(beta: float = 0.5, weight: float = 0.5) -> Any:
    """Return a network with two heads for `labelled()`."""
    with seeding.fork(seeding.generator(0)):
        backbone = models.UNet(8)
        heatmap = models.HeatmapHead(backbone.channels, 3, backbone.stride)
        gaussian = models.GaussianRegression(backbone.channels, 3, SIZE, backbone.stride, beta=beta)
        return models.PoseNetwork(backbone, models.PairHead(heatmap, gaussian, weight))


def answer(unit: torch.Tensor, log_variances: torch.Tensor) -> models.GaussianAnswer:
    """Return an answer that was written down by hand."""
    return models.GaussianAnswer(torch.zeros(len(unit), 16, 7, 5), torch.zeros(len(unit), 5), unit, log_variances)


def test_a_variance_is_in_square_pixels_and_its_loss_in_nats() -> None:
    """Does a place that is two cells off in x cost what the normal density of those cells says?"""
    sample = labelled()
    head = models.GaussianRegression(16, 3, SIZE, beta=0.0, floor=0.5)
    off = sample.keypoints + torch.tensor([8.0, 0.0])  # two cells of four pixels
    said = answer((off + 0.5) / torch.tensor([20.0, 28.0]), torch.full((2, 3, 2), math.log(1.5)))
    assert torch.allclose(head.variances_px(said), torch.full((2, 3, 2), 16 * 2.0))
    expected = 2 * 0.5 * math.log(2 * math.pi * 2) + 2**2 / (2 * 2)
    assert torch.allclose(head.loss(said, sample), torch.full((2, 3), expected), atol=1e-4)
    reading = head.read(said)
    assert torch.allclose(reading.keypoints_px, off, atol=1e-4)
    assert torch.allclose(reading.scores, torch.full((2, 3), 1 / (1 + 2**0.5)))


def test_the_floor_bounds_the_likelihood() -> None:
    """Is a keypoint that is known by heart, with ln v going to minus infinity, still of finite loss and gradient?"""
    sample = labelled()
    head = models.GaussianRegression(16, 3, SIZE, beta=0.0)
    logs = torch.full((2, 3, 2), -1e3, requires_grad=True)
    loss = head.loss(answer((sample.keypoints + 0.5) / torch.tensor([20.0, 28.0]), logs), sample)
    loss.sum().backward()
    assert torch.allclose(loss, torch.full((2, 3), math.log(2 * math.pi * 1e-3)), atol=1e-2)
    assert logs.grad is not None
    assert logs.grad.isfinite().all()


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_beta_weighs_the_loss(beta: float) -> None:
    """Is the gradient for the place Δ·v^(β − 1), as Seitzer et al. have it?"""
    sample = labelled()
    head = models.GaussianRegression(16, 3, SIZE, beta=beta, floor=1e-9)
    off = torch.tensor([4.0, -8.0])  # Δ = (1, −2) cells
    unit = ((sample.keypoints + off + 0.5) / torch.tensor([20.0, 28.0])).requires_grad_()
    head.loss(answer(unit, torch.full((2, 3, 2), math.log(9.0))), sample).sum().backward()
    assert unit.grad is not None
    in_cells = unit.grad / torch.tensor([5.0, 7.0])  # a unit is so many cells
    assert torch.allclose(in_cells, torch.tensor([1.0, -2.0]) * 9 ** (beta - 1), atol=1e-3)


def test_both_heads_are_trained_and_neither_is_dead() -> None:
    """Do the two losses add up with their weight, and do gradients reach every parameter?"""
    both, sample = network(weight=0.25).train(), labelled(B=4)
    said = both(sample.images)
    parts = [head.loss(a, sample) for head, a in ((both.head.first, said.first), (both.head.second, said.second))]
    assert torch.allclose(both.head.loss(said, sample), parts[0] + 0.25 * parts[1])
    both.head.loss(said, sample).sum().backward()
    for name, parameter in both.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_one_batch_is_learnt_by_heart_with_its_variance() -> None:
    """Do both heads come within half a pixel on two images, and does the second one say so?"""
    both, sample = network().train(), labelled()
    optimizer = torch.optim.Adam(both.parameters())
    for step in range(300):
        optimizer.param_groups[0]["lr"] = 0.01 * (1 - step / 300)
        optimizer.zero_grad()
        both.head.loss(both(sample.images), sample).mean().backward()
        optimizer.step()
    said = both(sample.images)
    for head, part in ((both.head.first, said.first), (both.head.second, said.second)):
        assert (head.read(part).keypoints_px - sample.keypoints).norm(dim=-1).max() < 0.5
    assert both.head.second.variances_px(said.second).max() < 1
    with torch.no_grad():
        first = both.head.first.read(both.eval()(sample.images).first)
    assert torch.equal(both.predict(sample.images), first.keypoints_px)


def test_heads_that_do_not_fit_together_are_refused() -> None:
    """Do two heads of unlike keypoints, or a β out of its range, give an error that names them?"""
    with pytest.raises(ValueError, match="3 and 4 keypoints"):
        models.PairHead(models.HeatmapHead(16, 3), models.HeatmapHead(16, 4))
    with pytest.raises(ValueError, match="beta must lie between 0"):
        models.GaussianRegression(16, 3, SIZE, beta=1.5)
    with pytest.raises(ValueError, match="floor"):
        models.GaussianRegression(16, 3, SIZE, floor=0.0)


def test_the_loss_is_the_packages_own() -> None:
    """Is what the head minimises `losses.gaussian_nll` of its places and variances in cells?"""
    both, sample = network(beta=0.5), labelled()
    with torch.no_grad():
        said = both(sample.images).second
    head = both.head.second
    points = (head.read(said).keypoints_px + 0.5) / 4 - 0.5
    truth = (sample.keypoints + 0.5) / 4 - 0.5
    expected = losses.gaussian_nll(points, truth, head.variances_px(said) / 16, 0.5)
    assert torch.allclose(head.loss(said, sample), expected, atol=1e-4)
