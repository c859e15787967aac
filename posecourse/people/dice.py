"""Draws from a generator, in the shapes that the renderer needs."""

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["Dice"]


class Dice:
    """Random tensors of one leading shape from one generator, on the generator's device.

    Args:
        generator: where the numbers come from.
        shape: of every draw, for example (B, N).
    """

    def __init__(self, generator: torch.Generator, shape: Sequence[int]) -> None:
        self.generator, self.shape, self.device = generator, tuple(shape), generator.device

    def uniform(self, low: float = 0.0, high: float = 1.0, *more: int) -> Tensor:
        """Return numbers between `low` and `high`, of the dice's shape followed by `more`."""
        unit = torch.rand(*self.shape, *more, generator=self.generator, device=self.device)
        return low + (high - low) * unit

    def normal(self, mean: float = 0.0, spread: float = 1.0, *more: int) -> Tensor:
        """Return Gaussian numbers cut at 2.5 spreads."""
        unit = torch.randn(*self.shape, *more, generator=self.generator, device=self.device)
        return mean + spread * unit.clamp(-2.5, 2.5)

    def chance(self, probability: float) -> Tensor:
        """Return booleans that are true with `probability`."""
        return self.uniform() < probability

    def sign(self) -> Tensor:
        """Return −1 or 1, equally likely."""
        return self.chance(0.5).float() * 2 - 1

    def choice(self, weights: Sequence[float], *more: int) -> Tensor:
        """Return indices 0 … len(weights) − 1 with probabilities in proportion to `weights`."""
        table = torch.tensor(weights, dtype=torch.float32, device=self.device)
        edges = (table.cumsum(0) / table.sum())[:-1].contiguous()
        return torch.searchsorted(edges, self.uniform(0.0, 1.0, *more), right=True)
