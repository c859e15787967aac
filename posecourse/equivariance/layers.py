"""The convolutions of the group as layers, with weights that are trained."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from posecourse.equivariance.convolution import G, conv_c4, lift_c4
from posecourse.shapes import require_count

__all__ = ["ConvC4", "LiftC4"]


class _Layer(nn.Module):
    """O kernels over C patterns in so many orientations, drawn as PyTorch draws those of a convolution."""

    orientations = 1

    def __init__(
        self, channels: int, patterns: int, kernel: int = 3, *, stride: int = 1, padding: int = 0, bias: bool = True
    ) -> None:
        super().__init__()
        counts = {"channels": channels, "patterns": patterns, "kernel": kernel, "stride": stride}
        for name, value in counts.items():
            require_count(value, name)
        self.stride, self.padding = stride, padding
        seen = channels * self.orientations
        # Four axes, the orientations beside the patterns: a network in channels-last memory takes no five.
        self.weight = nn.Parameter(torch.empty(patterns, seen, kernel, kernel))
        self.bias = nn.Parameter(torch.empty(patterns)) if bias else None
        bound = 1 / math.sqrt(seen * kernel**2)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def extra_repr(self) -> str:
        """Return the settings."""
        patterns, seen, kernel, _ = self.weight.shape
        return f"{seen} → {patterns} × {G}, kernel={kernel}, stride={self.stride}, padding={self.padding}"


class LiftC4(_Layer):
    """The first layer of a C4 network: `lift_c4` with trained kernels.

    Args:
        channels: C of the pictures.
        patterns: O; the features have O × 4 maps.
        kernel: k.
        stride: s.
        padding: p; (n + 2p − k) must be a multiple of s for every size n that comes.
        bias: add a number to each pattern; a batch norm that follows needs none.

    Lesson: 07.
    """

    def forward(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B O G h w"]:
        """Return features in four orientations."""
        return lift_c4(images, self.weight, self.bias, stride=self.stride, padding=self.padding)


class ConvC4(_Layer):
    """A layer of a C4 network: `conv_c4` with trained kernels.

    Args:
        channels: C, how many patterns the features hold, each in four orientations.
        patterns: O, how many they hold afterwards.
        kernel: k.
        stride: s.
        padding: p; (n + 2p − k) must be a multiple of s for every size n that comes.
        bias: add a number to each pattern; a batch norm that follows needs none.

    Lesson: 07.
    """

    orientations = G

    def forward(self, features: Float[Tensor, "B C G H W"]) -> Float[Tensor, "B O G h w"]:
        """Return features in four orientations."""
        weight = self.weight.unflatten(1, (-1, G))
        return conv_c4(features, weight, self.bias, stride=self.stride, padding=self.padding)
