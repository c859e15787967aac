"""Random numbers that can be had again: every random function of ours takes a `torch.Generator`."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["fork", "generator"]


def generator(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a new generator on `device` that starts from `seed`."""
    return torch.Generator(device=device).manual_seed(seed)


@contextmanager
def fork(source: torch.Generator) -> Iterator[None]:
    """Run code that draws from torch's global generators (dropout, weight initialisation) as `source` decides.

    One number is drawn from `source` and seeds the global generators of every device; on leaving, their states
    are what they were before.
    """
    seed = int(torch.randint(2**62, (), generator=source, device=source.device))
    devices = list(range(torch.cuda.device_count()))
    mps = torch.mps.get_rng_state() if torch.backends.mps.is_available() else None
    try:
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(seed)
            yield
    finally:
        if mps is not None:  # which fork_rng leaves as it is
            torch.mps.set_rng_state(mps)
