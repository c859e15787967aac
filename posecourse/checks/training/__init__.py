"""Training: what a loss asks for where the truth is not one place, and the loop that gives it.

Lesson: 01.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from posecourse import losses, seeding
from posecourse.checks.training import laplace, loop, mean
from posecourse.lesson import Exercise

__all__ = ["conditional_mean", "fit", "laplace_nll"]


class _Ours:
    """References that exist for the lesson only."""

    @staticmethod
    def conditional_mean(places: Tensor, weights: Tensor) -> Tensor:
        """Return the point with the smallest expected squared distance: Σ wᵢ·pᵢ / Σ wᵢ."""
        return (weights[..., None] * places).sum(-2) / weights.sum(-1, keepdim=True)

    @staticmethod
    def fit(network: nn.Module, batches: loop.Batches, loss: loop.Loss, learning_rate: float) -> list[float]:
        """Train a network in place, and return the loss of every batch."""
        return loop.trained(network, batches, loss, torch.optim.AdamW(network.parameters(), lr=learning_rate))


def places_and_weights(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield places (*B M 2) and how often each was seen, never of sum 1: one far below, others above."""
    for shape, dtype, total in (
        ((3,), torch.float64, 7.0),
        ((2, 4), torch.float32, 11.0),
        ((3, 5), torch.float64, 0.1),
        ((5,), torch.float32, 16.0),
    ):
        places = torch.rand(*shape, 2, generator=generator, dtype=dtype) * 20 + 3
        weights = torch.rand(shape, generator=generator, dtype=dtype) * 5 + 0.5
        share = torch.linspace(0.8, 1.2, weights[..., 0].numel(), dtype=dtype).reshape(weights.shape[:-1])
        yield places, weights / weights.sum(-1, keepdim=True) * (total * share)[..., None]


def networks_and_batches(
    generator: torch.Generator,
) -> Iterator[tuple[nn.Module, loop.Batches, loop.Loss, float]]:
    """Yield small networks, left in evaluation mode, and for each some batches that can be gone through once."""
    for count, (B, H, W), K, rate in ((4, (6, 3, 5), 2, 0.1), (6, (5, 4, 3), 3, 0.15), (7, (8, 2, 5), 2, 0.08)):
        with seeding.fork(generator):
            layers = (nn.Flatten(), nn.Linear(H * W, 7), nn.BatchNorm1d(7), nn.Tanh(), nn.Linear(7, 2 * K))
            network = nn.Sequential(*layers, nn.Unflatten(-1, (K, 2))).double().eval()
        batches = [
            (
                torch.randn(B, H, W, generator=generator, dtype=torch.float64),
                torch.randn(B, K, 2, generator=generator, dtype=torch.float64),
            )
            for _ in range(count)
        ]
        yield network, iter(batches), _lopsided, rate


def _lopsided(answer: Tensor, target: Tensor) -> Tensor:
    """Return a loss that is neither symmetric nor a square: below the target costs thrice as much as above, far out."""
    miss = target - answer
    return 9 * (nn.functional.softplus(2 * miss) - miss / 2).mean()


def predictions_and_scales(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield predicted and true points, and scales below 1 and above; some predictions are exact."""
    for shape, dtype in (((3,), torch.float64), ((2, 5), torch.float32), ((2, 3, 4), torch.float64)):
        predicted, truth = (torch.randn(*shape, 2, generator=generator, dtype=dtype) * 4 for _ in range(2))
        if len(shape) > 2:
            predicted[..., 0, 0] = truth[..., 0, 0]
        yield predicted, truth, torch.rand(*shape, 2, generator=generator, dtype=dtype) * 2.95 + 0.05


conditional_mean = Exercise(reference=_Ours.conditional_mean, probe=places_and_weights, coals=mean.COALS)

fit = Exercise(reference=_Ours.fit, probe=networks_and_batches, coals=loop.COALS)

laplace_nll = Exercise(
    reference=losses.laplace_nll,
    probe=predictions_and_scales,
    coals=laplace.COALS,
    gradients=True,
)
