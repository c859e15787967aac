"""How many threads to train with: one second of a small network's training step decides."""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import torch
import torch.nn.functional as F

from posecourse.machine.findings import Finding

__all__ = ["Threads", "choose_threads", "thread_finding"]

_WORTH_IT = 1.15  # more threads must be this much faster: two that save a few percent cost the neighbour a core
_IMAGES = 8


@dataclass(frozen=True)
class Threads:
    """How many threads suit this computer, and why.

    Args:
        count: what to give to `torch.set_num_threads`.
        reason: why, in words.
        images_per_second: what was measured, by number of threads; empty where the choice was not ours.
    """

    count: int
    reason: str
    images_per_second: Mapping[int, float] = field(default_factory=dict)


def choose_threads(seconds: float = 1.0) -> Threads:
    """Time a training step with one thread and with all of torch's, in turns, and return the better number.

    On a shared computer many threads can be ten times slower than one: they wait for each other while another program
    has the core. OMP_NUM_THREADS, where it is set, has decided already and nothing is measured. The caller's own
    number of threads is left as it is.

    Args:
        seconds: how long to measure, of wall time.
    """
    available = torch.get_num_threads()
    if named := os.environ.get("OMP_NUM_THREADS"):
        return Threads(available, f"as OMP_NUM_THREADS={named} says")
    available = max(available, (os.cpu_count() or 1) // 2)  # the caller may have lowered it
    if available == 1:
        return Threads(1, "there is one core")
    speeds = _measure(_training_step(), (1, available), seconds)
    several_win = speeds[available] > _WORTH_IT * speeds[1]
    return Threads(available if several_win else 1, "the faster" if several_win else "as fast, and quieter", speeds)


def thread_finding() -> Finding:
    """Say how many threads suit this computer and what was measured."""
    chosen = choose_threads()
    measured = ", ".join(f"{speed:.0f} images/s with {n}" for n, speed in chosen.images_per_second.items())
    return Finding("threads", f"{chosen.count}: {measured or chosen.reason}")


def _measure(step: Callable[[], None], counts: tuple[int, ...], seconds: float) -> dict[int, float]:
    """Return images a second by number of threads; the median step, so that one hiccup decides nothing."""
    taken: dict[int, list[float]] = {n: [] for n in counts}
    with _threads_restored():
        for n in counts:  # the first step of each pays for its threads
            torch.set_num_threads(n)
            step()
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or not all(taken.values()):
            for n in counts:
                torch.set_num_threads(n)
                start = time.perf_counter()
                step()
                taken[n].append(time.perf_counter() - start)
    return {n: _IMAGES / statistics.median(times) for n, times in taken.items()}


def _training_step() -> Callable[[], None]:
    """Return one forward and backward pass of three convolutions, the size of a lesson's network."""
    random = torch.Generator().manual_seed(0)
    channels = (3, 16, 32, 32)
    images = torch.rand(_IMAGES, 3, 64, 64, generator=random)
    weights = [
        (0.1 * torch.randn(after, before, 3, 3, generator=random)).requires_grad_()
        for before, after in pairwise(channels)
    ]

    def step() -> None:
        maps = images
        for weight in weights:
            maps = F.relu(F.conv2d(maps, weight, padding=1))
        torch.autograd.grad(maps.square().mean(), weights)

    return step


@contextmanager
def _threads_restored() -> Iterator[None]:
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)
