"""Known mistakes in the training loop.

Each is a function that makes it; its docstring is what the student reads.

Lesson: 01.
"""

import copy
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

__all__ = ["COALS", "Batches", "Loss", "trained"]

Batches: TypeAlias = Iterable[tuple[Tensor, Any]]
Loss: TypeAlias = Callable[..., Tensor]


def trained(
    network: nn.Module,
    batches: Batches,
    loss: Loss,
    optimizer: torch.optim.Optimizer,
    *,
    training: bool = True,
    zeroing: bool = True,
    stepping: bool = True,
) -> list[float]:
    """Run the loop, or the loop with something left out.

    Args:
        network: is trained in place.
        batches: pairs (images, target).
        loss: of the network's answer and a target.
        optimizer: of the network's parameters.
        training: whether in training mode.
        zeroing: whether gradients are zeroed.
        stepping: whether a step is taken.
    """
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


def never_zeroed(network: nn.Module, batches: Batches, loss: Loss, learning_rate: float) -> list[float]:
    """The first two losses are right and the later ones are not: the gradients of earlier batches are still there.

    `backward()` adds to what `.grad` holds, so every step follows all the gradients there ever were. Look for
    `optimizer.zero_grad()`, once a batch.
    """
    return trained(network, batches, loss, _adamw(network, learning_rate), zeroing=False)


def never_moves(network: nn.Module, batches: Batches, loss: Loss, learning_rate: float) -> list[float]:
    """Every loss is that of the untrained network: its weights never move.

    `backward()` or `step()` is missing, or they are not in this order, or `zero_grad()` stands between them and
    empties the gradients before they are used. The order is: loss, zero, backward, step.
    """
    return trained(network, batches, loss, _adamw(network, learning_rate), stepping=False)


def left_in_evaluation(network: nn.Module, batches: Batches, loss: Loss, learning_rate: float) -> list[float]:
    """The network was trained in evaluation mode: already the first loss is not what it should be.

    In that mode batch norm uses its stored statistics in the place of the batch's, and never updates them; dropout
    does nothing. Call `network.train()` before the loop.
    """
    return trained(network, batches, loss, _adamw(network, learning_rate), training=False)


def optimizer_each_time(network: nn.Module, batches: Batches, loss: Loss, learning_rate: float) -> list[float]:
    """The first two losses are right and the later ones are not: each batch has a new optimizer.

    AdamW remembers a running mean of the gradients and of their squares. One that is made inside the loop forgets
    both, and then every weight moves by the learning rate, whatever its gradient. Make it once, before the loop.
    """
    each = (trained(network, [batch], loss, _adamw(network, learning_rate)) for batch in batches)
    return [value for values in each for value in values]


def plain_gradient_descent(network: nn.Module, batches: Batches, loss: Loss, learning_rate: float) -> list[float]:
    """The loop is right, but it steps along the plain gradient (SGD), and the optimizer asked for is AdamW.

    AdamW scales the step of every weight by how large its gradients usually are. A heatmap's gradients are tiny, since
    a mean over all cells divides them; with SGD at this learning rate the network would hardly move.
    """
    return trained(network, batches, loss, torch.optim.SGD(network.parameters(), learning_rate))


def no_decay(network: nn.Module, batches: Batches, loss: Loss, learning_rate: float) -> list[float]:
    """The loop is right up to a small drift: that of Adam, which lacks the weight decay of AdamW.

    `torch.optim.AdamW` also pulls every weight a little towards zero, by a hundredth of the learning rate a step.
    Look at the optimizer's name, and whether you gave it a `weight_decay` of 0: its settings stay as they are.
    """
    return trained(network, batches, loss, torch.optim.Adam(network.parameters(), learning_rate))


def one_batch(network: nn.Module, batches: Batches, loss: Loss, learning_rate: float) -> list[float]:
    """There is one loss where one for every batch was asked for: the function returns within the loop.

    A `return` ends the function at once. Look at how far it is indented: it belongs under the `for`, not inside.
    """
    return trained(network, islice(batches, 1), loss, _adamw(network, learning_rate))


def last_step_missing(network: nn.Module, batches: Batches, loss: Loss, learning_rate: float) -> list[float]:
    """Every loss is right, and the network has not learnt from the last batch: one step is missing.

    A step belongs to its own batch, before the loop goes on. Look whether `backward()` and `step()` stand at the
    beginning of the next turn: after the last batch there is none.
    """
    batches = list(batches)
    values = trained(network, batches[:-1], loss, _adamw(network, learning_rate))
    return values + trained(network, batches[-1:], loss, _adamw(network, learning_rate), stepping=False)


def evaluation_at_the_end(network: nn.Module, batches: Batches, loss: Loss, learning_rate: float) -> list[float]:
    """The training is right, and then the network was put into evaluation mode, which nobody asked for.

    Whoever calls `fit` may want to go on training. The mode in which to predict is the caller's choice: leave out the
    `network.eval()` after the loop.
    """
    values = trained(network, batches, loss, _adamw(network, learning_rate))
    network.eval()
    return values


def asked_twice(network: nn.Module, batches: Batches, loss: Loss, learning_rate: float) -> list[float]:
    """Every loss is right, but batch norm has seen every batch twice, and remembers other statistics.

    In training mode each call of the network is noted there. Call `network(images)` once a batch, and keep the answer
    in a variable.
    """

    def seen_before() -> Iterator[tuple[Tensor, Any]]:
        for images, target in batches:
            network.train()(images)
            yield images, target

    return trained(network, seen_before(), loss, _adamw(network, learning_rate))


def copy_trained(network: nn.Module, batches: Batches, loss: Loss, learning_rate: float) -> list[float]:
    """Every loss is right, but the network that was passed in has learnt nothing: a copy of it was trained.

    The caller goes on with its own network, so train that one, in place. Look for `deepcopy`, or for a network that
    is built anew.
    """
    other = copy.deepcopy(network)
    return trained(other, batches, loss, _adamw(other, learning_rate))


def rate_forgotten(network: nn.Module, batches: Batches, loss: Loss, learning_rate: float) -> list[float]:
    """The loop is right, but it runs at AdamW's own learning rate, 0.001, not at the one that was asked for.

    The optimizer does not know your variable: give it `lr=learning_rate`.
    """
    return trained(network, batches, loss, _adamw(network, 1e-3))


def loss_after_the_step(network: nn.Module, batches: Batches, loss: Loss, learning_rate: float) -> list[float]:
    """The training is right, but each loss was computed anew after its step, and the loss before it was asked for.

    It costs a second call of the network, which batch norm notes too. Keep the value that you called `backward()` on,
    with `.item()`.
    """
    optimizer, history = _adamw(network, learning_rate), []
    for images, target in batches:
        trained(network, [(images, target)], loss, optimizer)
        history.append(loss(network(images), target).item())
    return history


def emptied_before(network: nn.Module, batches: Batches, loss: Loss, learning_rate: float) -> list[float]:
    """There is no loss at all: the batches were gone through before the loop began.

    They may come from a generator, which can be gone through once. Look for `len`, `list` or another `for` before the
    loop; `enumerate` counts on the way.
    """
    return trained(network, list(batches)[:0], loss, _adamw(network, learning_rate))


def own_loss(network: nn.Module, batches: Batches, loss: Loss, learning_rate: float) -> list[float]:
    """The loss is the mean squared error, whatever loss was passed in.

    `loss` is an argument: the same loop trains heatmaps, coordinates and whatever comes. Call `loss(network(images),
    target)` in the place of `mse_loss` or of a formula of your own.
    """
    return trained(network, batches, nn.functional.mse_loss, _adamw(network, learning_rate))


def loss_exchanged(network: nn.Module, batches: Batches, loss: Loss, learning_rate: float) -> list[float]:
    """The loss was called with the target first and the answer second.

    For mean squared error the order makes no difference, for most losses it does: `loss(network(images), target)`.
    """
    return trained(network, batches, lambda answer, target: loss(target, answer), _adamw(network, learning_rate))


def _adamw(network: nn.Module, learning_rate: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(network.parameters(), learning_rate)


COALS = (
    never_zeroed,
    never_moves,
    left_in_evaluation,
    optimizer_each_time,
    plain_gradient_descent,
    no_decay,
    one_batch,
    last_step_missing,
    evaluation_at_the_end,
    asked_twice,
    copy_trained,
    rate_forgotten,
    loss_after_the_step,
    emptied_before,
    own_loss,
    loss_exchanged,
)
