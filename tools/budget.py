"""What a notebook costs: CPU seconds, comparable between machines.

A machine's own speed is measured by a fixed piece of work in the same run, so a budget holds on a slow or a busy
machine as it does on the one where it was set.
"""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

__all__ = ["REFERENCE_SECONDS", "Cost", "calibration_seconds", "measured"]

REFERENCE_SECONDS = 0.30
"""CPU seconds that the calibration took, on one thread, on the machine where the budgets were set."""


@dataclass
class Cost:
    """CPU seconds of child processes: as they were counted, and as they would be on the reference machine."""

    seconds: float = 0.0
    scaled: float = 0.0


def calibration_seconds() -> float:
    """Return the CPU seconds of a fixed piece of work, half convolutions and half Python, on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    started = time.process_time()
    images, weights = torch.ones(8, 16, 64, 64), torch.full((16, 16, 3, 3), 0.01)
    for _ in range(40):
        images = torch.nn.functional.conv2d(images, weights, padding=1).tanh()
    total = 0
    for number in range(2_000_000):
        total += number & 3
    torch.set_num_threads(threads)
    return time.process_time() - started


@contextmanager
def measured() -> Iterator[Cost]:
    """Measure the CPU seconds of the child processes that end inside; the cost is filled in on leaving."""
    cost = Cost()
    before, started = calibration_seconds(), _children()
    yield cost
    cost.seconds = _children() - started
    cost.scaled = cost.seconds * 2 * REFERENCE_SECONDS / (before + calibration_seconds())


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
