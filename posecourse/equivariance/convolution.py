"""Convolutions over the group of quarter turns: features have an axis that says which way a kernel was turned.

A C4 feature is (B C G H W): C patterns, each looked for in G = 4 orientations, counter-clockwise. When the picture
turns by a quarter, the maps turn, and each pattern is found one orientation further on:

    (r · f)[c, g] = rot90(f[c, g − 1])

That is `turn_features`, and equivariance of a layer L is L(r · f) = r · L(f). The lifting convolution turns one kernel
four times; the convolution of the group turns a kernel that has an orientation axis itself, *as features turn*.

Source: Cohen and Welling 2016 (group equivariant convolutional networks), section 6.
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from posecourse.equivariance.sampling import grid_offset
from posecourse.shapes import require_tensors

__all__ = ["G", "conv_c4", "lift_c4", "pool_group", "turn_features"]

G = 4
"""How many quarter turns there are."""


def turn_features(features: Float[Tensor, "*B G H W"], quarters: int) -> Float[Tensor, "*B G h w"]:
    """Turn C4 features by quarters, counter-clockwise: the maps turn, the orientations move on by one.

    Args:
        features: orientations before rows and columns, any leading axes; a kernel (O C G k k) is one too.
        quarters: how many quarter turns; negative ones turn clockwise.

    Raises:
        ValueError: there is no axis of four orientations.

    Lesson: 07.
    """
    _require_orientations(features, "features")
    return torch.rot90(features, quarters, (-2, -1)).roll(quarters, dims=-3)


def lift_c4(
    images: Float[Tensor, "B C H W"],
    weight: Float[Tensor, "O C k k"],
    bias: Float[Tensor, " O"] | None = None,
    *,
    stride: int = 1,
    padding: int = 0,
) -> Float[Tensor, "B O G h w"]:
    """Look for each kernel in four orientations: out[g] = images ⋆ rot90(weight, g).

    Args:
        images: any channels, without orientations.
        weight: O square kernels.
        bias: one number a pattern, the same for its four orientations.
        stride: pixels from window to window, along both axes.
        padding: zeros around the picture.

    Returns:
        Features whose orientations are the third axis. As for every convolution here, h = (H + 2p − k) / s + 1.

    Raises:
        ValueError: the kernel is not square, or the windows do not lie in the middle of the picture, so that nothing
            could be equivariant; see `grid_offset`.

    Lesson: 07.
    """
    require_tensors(images=images, weight=weight)
    _require_fit(images, weight, stride, padding)
    kernels = torch.stack([torch.rot90(weight, g, (-2, -1)) for g in range(G)], dim=1)  # O G C k k
    return _convolved(images, kernels, bias, stride, padding)


def conv_c4(
    features: Float[Tensor, "B C G H W"],
    weight: Float[Tensor, "O C G k k"],
    bias: Float[Tensor, " O"] | None = None,
    *,
    stride: int = 1,
    padding: int = 0,
) -> Float[Tensor, "B O G h w"]:
    """Convolve over the group: out[g] = Σ_h features[h] ⋆ rot90(weight[h − g], g).

    The kernel of orientation g is the kernel turned as features turn. It sees where the orientations h lie *relative*
    to its own, so it can tell a corner from a cross.

    Args:
        features: orientations are the third axis.
        weight: O square kernels over C patterns in four orientations.
        bias: one number a pattern, the same for its four orientations.
        stride: pixels from window to window, along both axes.
        padding: zeros around the maps.

    Raises:
        ValueError: there are no four orientations, the kernel is not square, or the windows do not lie in the middle
            of the picture.

    Source: Cohen and Welling 2016, equation 11.
    Lesson: 07, exercise `conv_c4`.
    """
    _require_orientations(features, "features")
    _require_orientations(weight, "weight")
    _require_fit(features, weight, stride, padding)
    kernels = torch.stack([turn_features(weight, g) for g in range(G)], dim=1)  # O G C G k k
    return _convolved(features.flatten(1, 2), kernels.flatten(2, 3), bias, stride, padding)


def pool_group(features: Float[Tensor, "*B G H W"], reduce: Literal["mean", "max"] = "mean") -> Float[Tensor, "*B H W"]:
    """Forget the orientation: what is left turns with the picture, as a heatmap should.

    Args:
        features: orientations before rows and columns.
        reduce: the mean over the four, or the largest of them.

    Raises:
        ValueError: there is no axis of four orientations.
    """
    _require_orientations(features, "features")
    return features.mean(-3) if reduce == "mean" else features.amax(-3)


def _convolved(
    maps: Tensor, kernels: Float[Tensor, "O G C k k"], bias: Tensor | None, stride: int, padding: int
) -> Float[Tensor, "B O G h w"]:
    """Convolve with O · G kernels at once."""
    biases = None if bias is None else bias.repeat_interleave(G)
    found = functional.conv2d(maps, kernels.flatten(0, 1), biases, stride, padding)
    return found.unflatten(1, (-1, G))


def _require_orientations(values: Tensor, name: str) -> None:
    require_tensors(**{name: values})
    if values.ndim < 3 or values.shape[-3] != G:
        raise ValueError(
            f"{name} must be (..., {G}, rows, columns), with {G} orientations; got {tuple(values.shape)}. "
            "lift_c4 makes such features from a picture."
        )


def _require_fit(maps: Tensor, weight: Tensor, stride: int, padding: int) -> None:
    """Raise unless the kernel is square and its windows lie in the middle of the maps."""
    *_, k, also_k = weight.shape
    if k != also_k:
        raise ValueError(f"weight must hold square kernels, which can be turned; got {k} × {also_k}.")
    for n, axis in zip(maps.shape[-2:], ("rows", "columns"), strict=True):
        if off := grid_offset(n, k, stride, padding):
            left = int(2 * off)
            raise ValueError(
                f"with a kernel of {k}, stride {stride} and padding {padding}, {left} of {n} {axis} would be left over "
                "on one side, and nothing be equivariant: (n + 2p − k) must be a multiple of the stride. Try a kernel "
                f"of {k + left}, or {n - left} {axis}."
            )
