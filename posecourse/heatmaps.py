"""From points to grids: what a network is asked to paint, and how its answer becomes a distribution.

Keypoints are (x, y) in cells: `coords.pixels_to_cells` comes first. A centre is never rounded to a cell, so the
target says exactly where the keypoint is; what a decoder can read back from it is the subject of lesson 02.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from posecourse.shapes import (
    checked_size,
    require_count,
    require_maps,
    require_mask,
    require_points,
    require_positive,
    require_same_shape,
)

__all__ = [
    "SimCC",
    "crowd_heatmaps",
    "gaussian_distributions",
    "gaussian_heatmaps",
    "offset_maps",
    "simcc_targets",
    "spatial_softmax",
]


class SimCC(NamedTuple):
    """A keypoint as two one-dimensional distributions, one an axis.

    Args:
        x: (*B K W·split) over bins from left to right.
        y: (*B K H·split) over bins from top to bottom.
    """

    x: Float[Tensor, "*B K X"]
    y: Float[Tensor, "*B K Y"]


def gaussian_heatmaps(
    keypoints: Float[Tensor, "*B K 2"], size: Sequence[int], sigma: float | Tensor
) -> Float[Tensor, "*B K H W"]:
    """Paint a Gaussian blob of height 1 at the real-valued place of every keypoint.

    h[row, column] = exp(−((column − x)² + (row − y)²) / (2σ²))

    The value is 1 at (x, y) itself, which lies between cells as a rule: the largest cell is then a little below 1.
    A keypoint outside of the map leaves the flank of its blob, or zeros.

    Args:
        keypoints: (x, y) in cells.
        size: (H, W) of the map in cells.
        sigma: σ in cells, positive; a number, or a tensor that broadcasts to (*B, K).

    Returns:
        Heatmaps between 0 and 1. A keypoint that is NaN has a map of NaN: mask it.

    Raises:
        ValueError: `keypoints` is not (..., 2), `size` is not (H, W), or `sigma` is not positive and finite.

    Source: Tompson et al. 2014. Many public encoders round the centre to a cell first; we do not.
    Lesson: 01, exercise `gaussian_heatmaps`.
    """
    require_points(keypoints, "keypoints")
    H, W = checked_size(size)
    sigma = _per_map(sigma, keypoints[..., 0], "sigma")
    x, y = keypoints[..., :1], keypoints[..., 1:]
    # exp(a + b) = exp(a)·exp(b): one row and one column make the whole map.
    row = torch.exp(-(((_axis(W, x) - x) / sigma) ** 2) / 2)
    column = torch.exp(-(((_axis(H, y) - y) / sigma) ** 2) / 2)
    return column[..., :, None] * row[..., None, :]


def crowd_heatmaps(
    keypoints: Float[Tensor, "*B N K 2"], mask: Bool[Tensor, "*B N K"], size: Sequence[int], sigma: float
) -> Float[Tensor, "*B K H W"]:
    """Paint one map a keypoint for everybody in the picture: each person's blob, and the larger where two meet.

    h = max over n of exp(−((column − xₙ)² + (row − yₙ)²) / (2σ²))

    A sum would be higher between two people who stand close than at either of them; the maximum keeps both peaks at
    1 for as long as the grid can tell them apart.

    Args:
        keypoints: (x, y) in cells.
        mask: which of them have a place; the others, NaN included, paint nothing.
        size: (H, W) of the map in cells.
        sigma: σ in cells, positive.

    Returns:
        Heatmaps between 0 and 1; zeros where nobody has the keypoint.

    Raises:
        TypeError: `mask` is not boolean. COCO's visibility 0/1/2 is not a mask: `visibility > 0` is.
        ValueError: `keypoints` is not (..., N, K, 2), the mask has another shape, or `sigma` is not positive.

    Source: Cao et al. 2017 (OpenPose), section 2.2.
    Lesson: 05.
    """
    require_points(keypoints, "keypoints")
    require_mask(mask)
    require_same_shape(keypoints[..., 0], mask, "keypoints without (x, y) and mask")
    blobs = gaussian_heatmaps(torch.where(mask[..., None], keypoints, 0), size, sigma)
    painted = torch.where(mask[..., None, None], blobs, 0)
    if painted.shape[-4] == 0:
        return painted.sum(-4)
    return painted.amax(-4)


def gaussian_distributions(
    keypoints: Float[Tensor, "*B K 2"], size: Sequence[int], sigma: float | Tensor
) -> Float[Tensor, "*B K H W"]:
    """Paint a Gaussian of sum 1 at the real-valued place of every keypoint.

    p[row, column] ∝ exp(−((column − x)² + (row − y)²) / (2σ²)),  Σ p = 1

    At the border, what would lie outside is shared out inside: a truncated Gaussian, whose mean is pulled inward.
    A keypoint far outside has all of its mass in the cell nearest to it, infinitely far included.

    Args:
        keypoints: (x, y) in cells.
        size: (H, W) of the map in cells.
        sigma: σ in cells, positive; a number, or a tensor that broadcasts to (*B, K).

    Returns:
        Probabilities, Σ = 1 over each map. A keypoint that is NaN has a map of NaN: mask it.

    Raises:
        ValueError: `keypoints` is not (..., 2), `size` is not (H, W), or `sigma` is not positive and finite.

    Lesson: 01.
    """
    require_points(keypoints, "keypoints")
    H, W = checked_size(size)
    sigma = _per_map(sigma, keypoints[..., 0], "sigma")
    row = _gaussian_bins(keypoints[..., :1], _axis(W, keypoints), sigma)
    column = _gaussian_bins(keypoints[..., 1:], _axis(H, keypoints), sigma)
    return column[..., :, None] * row[..., None, :]


def spatial_softmax(logits: Float[Tensor, "*B K H W"], temperature: float | Tensor) -> Float[Tensor, "*B K H W"]:
    """Turn every map into a distribution over its cells: p = exp(h / T) / Σ exp(h / T).

    Small T is sharp (T → 0 puts all mass on the maximum, ties share it), large T is flat.

    Args:
        logits: any finite numbers; −∞ excludes a cell as long as another one remains.
        temperature: T, in the unit of the logits; positive. A number, or a tensor that broadcasts to (*B, K).

    Returns:
        Probabilities, Σ = 1 over each map. A map with a NaN, or with nothing but −∞, becomes NaN.

    Raises:
        ValueError: `logits` is not (..., K, H, W), or `temperature` is not positive in the logits' dtype.

    Source: Levine et al. 2016 (spatial softmax). Public code does not agree whether the
    temperature divides or multiplies: ours divides.
    Lesson: 03, exercise `spatial_softmax`.
    """
    require_maps(logits, "logits")
    flat = logits.flatten(-2)
    T = _per_map(temperature, flat[..., 0], "temperature")
    # The maximum goes first: (h − max) / T is at most 0, so no temperature and no dtype overflows.
    above = flat - flat.detach().amax(-1, keepdim=True)
    return (above / T).softmax(-1).unflatten(-1, logits.shape[-2:])


def offset_maps(keypoints: Float[Tensor, "*B K 2"], size: Sequence[int]) -> Float[Tensor, "*B K 2 H W"]:
    """Return the way from each cell to the keypoint: o[:, row, column] = (x, y) − (column, row).

    What an offset-per-cell head regresses: any one cell's answer, added to that cell, is the keypoint. Cells far
    from the keypoint are asked for a long way; `offsets.norm(dim=-3) <= radius` is the mask of those nearby.

    Args:
        keypoints: (x, y) in cells.
        size: (H, W) of the map in cells.

    Returns:
        Offsets in cells, x in channel 0 and y in channel 1, channels before rows as a convolution returns them.

    Raises:
        ValueError: `keypoints` is not (..., 2), or `size` is not (H, W).

    Source: Papandreou et al. 2017, there within a disk around the keypoint.
    Lesson: 01.
    """
    require_points(keypoints, "keypoints")
    H, W = checked_size(size)
    x = (keypoints[..., :1] - _axis(W, keypoints))[..., None, :].expand(*keypoints.shape[:-1], H, W)
    y = (keypoints[..., 1:] - _axis(H, keypoints))[..., :, None].expand(*keypoints.shape[:-1], H, W)
    return torch.stack([x, y], dim=-3)


def simcc_targets(keypoints: Float[Tensor, "*B K 2"], size: Sequence[int], sigma: float | Tensor, split: int) -> SimCC:
    """Describe every keypoint by two distributions, over x and over y, in bins finer than a cell.

    Bin j is 1/split of a cell wide, with its centre at (j + ½) / split − ½ in cells: `split` bins fill a cell.

    Args:
        keypoints: (x, y) in cells; with a stride of 1 a cell is a pixel.
        size: (H, W) of the map in cells.
        sigma: σ in cells (not in bins), positive; a number, or a tensor that broadcasts to (*B, K).
        split: bins per cell, a positive whole number.

    Returns:
        x (*B K W·split) and y (*B K H·split), each of sum 1, truncated at the border.

    Raises:
        ValueError: `keypoints` is not (..., 2), `size` is not (H, W), or `sigma` or `split` is not positive and finite.

    Source: Li et al. 2022 (SimCC), who round the keypoint to a bin; ours lies where it is, half a bin included.
    Lesson: 02.
    """
    require_points(keypoints, "keypoints")
    require_count(split, "split")
    H, W = checked_size(size)
    sigma = _per_map(sigma, keypoints[..., 0], "sigma")
    return SimCC(
        x=_gaussian_bins(keypoints[..., :1], (_axis(W * split, keypoints) + 0.5) / split - 0.5, sigma),
        y=_gaussian_bins(keypoints[..., 1:], (_axis(H * split, keypoints) + 0.5) / split - 0.5, sigma),
    )


def _gaussian_bins(centre: Tensor, bins: Tensor, sigma: Tensor) -> Tensor:
    """Return a Gaussian of sum 1 over `bins` (X,) around `centre` (*B K 1), finite however far the centre is."""
    # (x − c)² − (n − c)² = (x − n)·(x + n − 2c), with n the bin nearest to the centre: no large number is squared.
    inside = centre.detach().clamp(bins[0], bins[-1])
    nearest = bins[(bins - inside).abs().argmin(-1, keepdim=True)]
    logits = (nearest - bins) / sigma * (((bins + nearest) / 2 - centre) / sigma)
    return torch.where((bins == nearest) & ~centre.isnan(), 0, logits).softmax(-1)


def _per_map(value: float | Tensor, like: Tensor, name: str) -> Tensor:
    """Return a positive `value` as a tensor (*B K 1) or (1), of the dtype and device of `like` (*B K)."""
    result = torch.as_tensor(value, dtype=like.dtype)
    require_positive(result, f"{name} in {like.dtype}")
    try:
        fits = torch.broadcast_shapes(result.shape, like.shape) == like.shape
    except RuntimeError:
        fits = False
    if not fits:
        raise ValueError(
            f"{name} must be a number or broadcast to (*B, K) = {tuple(like.shape)}; got {tuple(result.shape)}."
        )
    return result.to(like.device)[..., None]


def _axis(length: int, like: Tensor) -> Tensor:
    """Return 0, 1, …, length − 1 of the dtype and device of `like`."""
    return torch.arange(length, dtype=like.dtype, device=like.device)
