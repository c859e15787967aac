"""A rehearsal: a lesson runs as it stands, while what takes long is done in little. A kernel runs this file first.

Two editions of a lesson differ in what its exercises' names stand for. The solutions are run in earnest, so a rehearsal
asks the rest: whether every cell finds its names, and whether every call is one that is understood. For that a network
may know next to nothing, and a crowd may be the same few people over and over. Exercises, `assert` and every other
line of a cell are in earnest, errors too.
"""

import contextlib
import functools
import itertools
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import matplotlib.pyplot as plt
import torch

from posecourse import checks, lesson, people, train, viz

STEPS = 20  # after fewer, networks say so little that a lesson may rightly refuse to go on
PICTURES = 16

as_it_is = {
    "claim": lesson.claim,
    "fit": train.fit,
    "own fit": checks.training.fit.reference,
    "render": people.render,
    "show": viz.show,
}


def fit(model: Any, data: Any, loss: Any = None, config: Any = None, **options: Any) -> Any:
    """Train for a few steps."""
    config = replace(config or train.TrainConfig(), steps=STEPS)
    return as_it_is["fit"](model, data, loss, config, **options)


@functools.wraps(as_it_is["own fit"])
def own_fit(network: Any, batches: Iterable[Any], loss: Any, learning_rate: float) -> Any:
    """Train with the first few batches."""
    return as_it_is["own fit"](network, itertools.islice(batches, STEPS), loss, learning_rate)


def render(scene: Any, size: Any, **options: Any) -> Any:
    """Draw the first few scenes, and show them over and over where there are more."""
    drawn = as_it_is["render"](scene[:PICTURES], size, **options)
    return drawn if len(scene) <= PICTURES else drawn[torch.arange(len(scene)) % PICTURES]


def claim(*arguments: Any, **options: Any) -> None:
    """Say what is claimed, and go on where it does not hold."""
    with contextlib.suppress(AssertionError):
        as_it_is["claim"](*arguments, **options)


def show(fig: Any, *, alt: str) -> None:
    """Close the figure without painting it."""
    viz.checked_alt(alt)
    plt.close(fig)


lesson.claim, train.fit, checks.training.fit.reference = claim, fit, own_fit
people.render, viz.show = render, show
