"""The learning rate over a run: up in a line, down along a cosine."""

import math

__all__ = ["one_cycle"]


def one_cycle(step: int, steps: int, warmup: float) -> float:
    """Return the learning rate at a step, as a share of the highest.

    A function of the step and nothing else, so that a resumed run needs no memory of it.

    Args:
        step: 0 … steps − 1.
        steps: of the whole run.
        warmup: share of the steps in which it climbs.

    Source: the shape of Smith and Topin 2018 (one cycle), its descent along a cosine (Loshchilov and Hutter 2017).
    """
    place = (step + 0.5) / steps
    if place < warmup:
        return place / warmup
    return (1 + math.cos(math.pi * (place - warmup) / (1 - warmup))) / 2
