"""The last layer of every head, held back so that it learns at the pace of the layers before it."""

from torch import Tensor, nn

__all__ = ["Damped"]


class Damped(nn.Module):
    """A linear layer or convolution whose answer is divided by √(its inputs).

    Adam moves every weight by about the learning rate, however small its gradient. So at each step an answer moves by
    the learning rate times the sum of its inputs: with 32 channels and a rate of 0.01 by a tenth of a blob's height
    and more, everywhere at once. Layers that batch norm follows do not mind, since it takes the scale out. Divided by
    √32, the last one is as calm as they are, and the whole network can be trained at a rate that is good for it.

    Logits of a softmax are no place for it: they have no scale of their own and must be free to grow.

    Args:
        layer: what is damped, with its `weight`.

    Source: Yang et al. 2022 (Tensor Programs V) divide the last layer by its width.
    """

    def __init__(self, layer: nn.Linear | nn.Conv2d) -> None:
        super().__init__()
        self.layer = layer
        self.gain = layer.weight[0].numel() ** -0.5

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the layer's answer / √(its inputs)."""
        return self.gain * self.layer(inputs)

    def extra_repr(self) -> str:
        """Return the factor."""
        return f"gain={self.gain:.3g}"
