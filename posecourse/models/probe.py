"""A linear head that is solved, not trained: what a frozen backbone's features say about a map.

Lesson: 02 asks one backbone for maps of three strides.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from posecourse.shapes import require_maps, require_positive

__all__ = ["LinearProbe", "linear_probe"]


class LinearProbe(nn.Module):
    """A linear layer from all features inside a cell to that cell of K maps.

    A cell of the maps covers factor × factor cells of the features, and the layer sees each of them by itself, so the
    maps may be coarser than the features without a mean that would hide where in the cell something is.

    Args:
        weight: (K C·factor²), features in the order of `functional.pixel_unshuffle`.
        bias: (K).
        factor: cells of the features along one side of a cell of the maps.
    """

    def __init__(self, weight: Float[Tensor, "K X"], bias: Float[Tensor, " K"], factor: int) -> None:
        super().__init__()
        self.weight, self.bias, self.factor = nn.Parameter(weight), nn.Parameter(bias), factor

    def forward(self, features: Float[Tensor, "B C h w"]) -> Float[Tensor, "B K H W"]:
        """Return maps: H = h / factor, W = w / factor."""
        gathered = functional.pixel_unshuffle(features, self.factor)
        return functional.conv2d(gathered, self.weight[..., None, None], self.bias)


def linear_probe(
    features: Float[Tensor, "B C h w"], targets: Float[Tensor, "B K H W"], ridge: float = 1e-4
) -> LinearProbe:
    """Return the linear head with the least squared error, in closed form.

    W = (XᵀX + λ·I)⁻¹ XᵀY, a row of X and of Y for every cell of every map, X and Y without their means

    What gradient descent on the same head would reach after very many steps, without a learning rate, a seed or a
    wait. The sums run in float64, so that another processor gives the same head up to rounding.

    Args:
        features: of a backbone, without a gradient.
        targets: what the maps should have been; H divides h, W divides w, by the same factor.
        ridge: λ as a share of the mean of XᵀX's diagonal; it keeps weights small where features repeat each other.

    Raises:
        ValueError: the maps are no whole number of times as coarse as the features, or there are fewer cells than
            features.
    """
    require_maps(features, "features")
    require_maps(targets, "targets")
    require_positive(ridge, "ridge")
    (h, w), (H, W) = features.shape[-2:], targets.shape[-2:]
    factor = h // H
    if (factor * H, factor * W) != (h, w) or len(features) != len(targets):
        raise ValueError(
            f"targets must be (B, K, h/f, w/f) for features (B, C, h, w) and one whole f; got {tuple(targets.shape)} "
            f"for {tuple(features.shape)}."
        )
    X = functional.pixel_unshuffle(features.detach(), factor).movedim(1, -1).flatten(0, -2)
    Y = targets.detach().movedim(1, -1).flatten(0, -2).double()
    if len(X) <= X.shape[1]:
        raise ValueError(f"{X.shape[1]} features cannot be weighed on {len(X)} cells. Give more images.")
    mean_x, mean_y = X.mean(0, dtype=torch.float64), Y.mean(0)
    gram, mixed = _sums(X, Y, mean_x, mean_y)
    penalty = ridge * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    weight = torch.linalg.solve(gram + penalty, mixed)
    bias = mean_y - mean_x @ weight
    return LinearProbe(weight.mT.to(features), bias.to(features), factor)


def _sums(X: Tensor, Y: Tensor, mean_x: Tensor, mean_y: Tensor) -> tuple[Tensor, Tensor]:
    """Return XᵀX and XᵀY about the means, in float64, a slice of rows at a time."""
    gram = X.new_zeros(X.shape[1], X.shape[1], dtype=torch.float64)
    mixed = X.new_zeros(X.shape[1], Y.shape[1], dtype=torch.float64)
    for x, y in zip(X.split(65536), Y.split(65536), strict=True):
        rows = x.double() - mean_x
        gram += rows.mT @ rows
        mixed += rows.mT @ (y - mean_y)
    return gram, mixed
