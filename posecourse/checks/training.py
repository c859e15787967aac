"""Training: what a loss asks for where the truth is not one place, and the loop that gives it.

Each coal is a mistake; its docstring is what the student reads.

Lesson: 01.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import torch
from torch import Tensor, nn

from posecourse import losses, seeding
from posecourse.lesson import Exercise

__all__ = ["conditional_mean", "fit", "laplace_nll"]

Batches: TypeAlias = Sequence[tuple[Tensor, Tensor]]


class _Ours:
    """References that exist for the lesson only."""

    @staticmethod
    def conditional_mean(places: Tensor, weights: Tensor) -> Tensor:
        """Return the point with the smallest expected squared distance: Σ wᵢ·pᵢ / Σ wᵢ."""
        return (weights[..., None] * places).sum(-2) / weights.sum(-1, keepdim=True)

    @staticmethod
    def fit(network: nn.Module, batches: Batches, loss: Callable[..., Tensor], learning_rate: float) -> list[float]:
        """Train a network in place, and return the loss of every batch."""
        return _trained(network, batches, loss, torch.optim.AdamW(network.parameters(), lr=learning_rate))


# Two places at once: the mean.


def places_and_weights(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield places (*B M 2) and how often each was seen, never of sum 1."""
    for shape, dtype in (
        ((3,), torch.float64),
        ((2, 4), torch.float32),
        ((3, 5), torch.float64),
        ((5,), torch.float32),
    ):
        places = torch.rand(*shape, 2, generator=generator, dtype=dtype) * 20 + 3
        yield places, torch.rand(shape, generator=generator, dtype=dtype) * 5 + 0.5


def weights_ignored(places: Tensor, weights: Tensor) -> Tensor:
    """Every place counted as much as any other: this is the plain mean, and some places are likelier than others.

    An expectation gives each place its own weight. Multiply before you sum, and divide by the sum of the weights.
    """
    return places.mean(-2)


def not_divided(places: Tensor, weights: Tensor) -> Tensor:
    """The weighted sum is right, but it was not divided by the sum of the weights.

    Weights say how often a place was seen; they need not add up to 1. Without the division the answer grows with the
    number of observations and leaves the picture.
    """
    return (weights[..., None] * places).sum(-2)


def divided_by_count(places: Tensor, weights: Tensor) -> Tensor:
    """The weighted sum was divided by the number of places, where the sum of the weights belongs.

    That is what `.mean()` does after a product. The two agree only where the weights have a mean of 1.
    """
    return (weights[..., None] * places).mean(-2)


def likeliest(places: Tensor, weights: Tensor) -> Tensor:
    """This is the likeliest of the places. A heatmap's argmax would say so; squared error does not.

    The squared distance is smallest in the mean, which need not be any of the places. Look for `argmax` or `max`.
    """
    index = weights.argmax(-1)[..., None, None].expand(*places.shape[:-2], 1, 2)
    return places.gather(-2, index).squeeze(-2)


def median(places: Tensor, weights: Tensor) -> Tensor:
    """This is the weighted median of x and of y: what *absolute* error asks for, not squared error.

    Half of the weight lies on either side of it, however far away. The mean also asks how far.
    """
    order = places.argsort(dim=-2)
    climbing = weights[..., None].expand_as(places).gather(-2, order).cumsum(-2)
    half = (climbing < climbing[..., -1:, :] / 2).sum(-2, keepdim=True)
    return places.gather(-2, order).gather(-2, half).squeeze(-2)


# The training loop.


def networks_and_batches(
    generator: torch.Generator,
) -> Iterator[tuple[nn.Module, Batches, Callable[..., Tensor], float]]:
    """Yield small networks, left in evaluation mode, and some batches for each."""
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
        yield network, batches, nn.functional.mse_loss, rate


def _trained(
    network: nn.Module,
    batches: Batches,
    loss: Callable[..., Tensor],
    optimizer: torch.optim.Optimizer,
    *,
    training: bool = True,
    zeroing: bool = True,
    stepping: bool = True,
) -> list[float]:
    """Run the loop, or the loop with something left out."""
    network.train(training)
    history = []
    for images, target in batches:
        value = loss(network(images), target)
        if zeroing:
            optimizer.zero_grad()
        value.backward()
        if stepping:
            optimizer.step()
        history.append(value.item())
    return history


def never_zeroed(
    network: nn.Module, batches: Batches, loss: Callable[..., Tensor], learning_rate: float
) -> list[float]:
    """The first two losses are right and the later ones are not: the gradients of earlier batches are still there.

    `backward()` adds to what `.grad` holds, so every step follows all the gradients there ever were. Look for
    `optimizer.zero_grad()`, once a batch.
    """
    return _trained(network, batches, loss, torch.optim.AdamW(network.parameters(), learning_rate), zeroing=False)


def never_moves(network: nn.Module, batches: Batches, loss: Callable[..., Tensor], learning_rate: float) -> list[float]:
    """Every loss is that of the untrained network: its weights never move.

    Either `optimizer.step()` is missing, or `zero_grad()` stands between `backward()` and `step()` and empties the
    gradients before they are used. The order is: loss, zero, backward, step.
    """
    return _trained(network, batches, loss, torch.optim.AdamW(network.parameters(), learning_rate), stepping=False)


def left_in_evaluation(
    network: nn.Module, batches: Batches, loss: Callable[..., Tensor], learning_rate: float
) -> list[float]:
    """The network was trained in evaluation mode: already the first loss is not what it should be.

    In that mode batch norm uses its stored statistics in the place of the batch's, and never updates them; dropout
    does nothing. Call `network.train()` before the loop.
    """
    return _trained(network, batches, loss, torch.optim.AdamW(network.parameters(), learning_rate), training=False)


def optimizer_each_time(
    network: nn.Module, batches: Batches, loss: Callable[..., Tensor], learning_rate: float
) -> list[float]:
    """The first two losses are right and the later ones are not: each batch has a new optimizer.

    AdamW remembers a running mean of the gradients and of their squares. One that is made inside the loop forgets
    both, and then every weight moves by the learning rate, whatever its gradient. Make it once, before the loop.
    """
    optimizers = (torch.optim.AdamW(network.parameters(), learning_rate) for _ in batches)
    return [
        value
        for batch, optimizer in zip(batches, optimizers, strict=True)
        for value in _trained(network, [batch], loss, optimizer)
    ]


def plain_gradient_descent(
    network: nn.Module, batches: Batches, loss: Callable[..., Tensor], learning_rate: float
) -> list[float]:
    """The loop is right, but it steps along the plain gradient (SGD), and the optimizer asked for is AdamW.

    AdamW scales the step of every weight by how large its gradients usually are. A heatmap's gradients are tiny, since
    a mean over all cells divides them; with SGD at this learning rate the network would hardly move.
    """
    return _trained(network, batches, loss, torch.optim.SGD(network.parameters(), learning_rate))


def no_decay(network: nn.Module, batches: Batches, loss: Callable[..., Tensor], learning_rate: float) -> list[float]:
    """The loop is right up to a small drift: that of Adam, which lacks the weight decay of AdamW.

    `torch.optim.AdamW` also pulls every weight a little towards zero, by a hundredth of the learning rate a step.
    Look at the optimizer's name.
    """
    return _trained(network, batches, loss, torch.optim.Adam(network.parameters(), learning_rate))


def one_batch(network: nn.Module, batches: Batches, loss: Callable[..., Tensor], learning_rate: float) -> list[float]:
    """There is one loss where one for every batch was asked for: the function returns within the loop.

    A `return` ends the function at once. Look at how far it is indented: it belongs under the `for`, not inside.
    """
    return _trained(network, batches[:1], loss, torch.optim.AdamW(network.parameters(), learning_rate))


# Regression that knows its own spread: the Laplace likelihood.


def predictions_and_scales(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield predicted and true points, and scales that are never 1."""
    for shape, dtype in (((3,), torch.float64), ((2, 5), torch.float32), ((2, 3, 4), torch.float64)):
        predicted, truth = (torch.randn(*shape, 2, generator=generator, dtype=dtype) * 4 for _ in range(2))
        yield predicted, truth, torch.rand(*shape, 2, generator=generator, dtype=dtype) * 2 + 1.5


def log_missing(predicted: Tensor, truth: Tensor, scales: Tensor) -> Tensor:
    """These are the scaled distances alone; the logarithm of the scale is missing.

    Without it a network makes its loss zero by calling every keypoint infinitely uncertain. The logarithm is the
    price of a large scale.
    """
    return ((predicted - truth).abs() / scales).sum(-1)


def log_rewarded(predicted: Tensor, truth: Tensor, scales: Tensor) -> Tensor:
    """The logarithm has the wrong sign: a large scale is rewarded, and should cost something.

    Minus the logarithm of 1/(2b)·exp(−|Δ|/b) is *plus* ln(2b) + |Δ|/b. Look for the sign of the first term.
    """
    return ((predicted - truth).abs() / scales - (2 * scales).log()).sum(-1)


def two_left_out(predicted: Tensor, truth: Tensor, scales: Tensor) -> Tensor:
    """Every answer is too small by the same 2·ln 2: the 2 of the density 1/(2b) is missing under the logarithm.

    Training would not notice a constant. Whoever compares likelihoods would.
    """
    return ((predicted - truth).abs() / scales + scales.log()).sum(-1)


def gaussian_for_laplace(predicted: Tensor, truth: Tensor, scales: Tensor) -> Tensor:
    """This is the Gaussian's likelihood, with squared distances; the Laplace density has absolute ones.

    A Gaussian thinks a miss of five scales nearly impossible, and one bad label pulls at everything. Look for a
    square.
    """
    return losses.gaussian_nll(predicted, truth, scales**2)


def mean_of_axes(predicted: Tensor, truth: Tensor, scales: Tensor) -> Tensor:
    """Every answer is half of what it should be: x and y were averaged, and likelihoods multiply, so logs add.

    Look for a `mean` over the last axis where a `sum` belongs.
    """
    return losses.laplace_nll(predicted, truth, scales) / 2


conditional_mean = Exercise(
    reference=_Ours.conditional_mean,
    probe=places_and_weights,
    coals=[weights_ignored, not_divided, divided_by_count, likeliest, median],
)

fit = Exercise(
    reference=_Ours.fit,
    probe=networks_and_batches,
    coals=[
        never_zeroed,
        never_moves,
        left_in_evaluation,
        optimizer_each_time,
        plain_gradient_descent,
        no_decay,
        one_batch,
    ],
)

laplace_nll = Exercise(
    reference=losses.laplace_nll,
    probe=predictions_and_scales,
    coals=[log_missing, log_rewarded, two_left_out, gaussian_for_laplace, mean_of_axes],
    gradients=True,
)
