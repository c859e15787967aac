"""What temperature does to a reading: the spread that it leaves at a summit, and the value with the least error."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.decode.centroid import soft_argmax
from posecourse.decode.peaks import highest_cell, working
from posecourse.heatmaps import spatial_softmax
from posecourse.shapes import require_maps, require_points, require_positive

__all__ = ["TemperatureSearch", "best_temperature", "laplace_covariance"]


class TemperatureSearch(NamedTuple):
    """What became of each temperature that was tried.

    Args:
        best: the temperature with the smallest error; of equal ones the first.
        errors: (temperatures) RMS error an axis, in cells.
    """

    best: float
    errors: Float[Tensor, " temperatures"]


def best_temperature(
    heatmaps: Float[Tensor, "*B K H W"], truth: Float[Tensor, "*B K 2"], temperatures: Sequence[float]
) -> TemperatureSearch:
    """Try temperatures on labelled maps and return the one whose soft-argmax has the smallest RMS error.

    RMS(T) = √mean (J(T) − x)², over maps and over both axes

    Too small a T locks the answer to whole cells and listens to the noise of few of them; too large a T lets the
    background pull it to the centre. On maps that fill nothing but a window around the keypoint there is less to be
    pulled by, and the best T is larger. Choose it on maps like those that it is for, and score it on others.

    Args:
        heatmaps: any values. Choose what counts first: `heatmaps[labelled]` is (M H W).
        truth: (x, y) in cells.
        temperatures: positive numbers, in the unit of the heatmaps.

    Returns:
        The best of them and all their errors.

    Raises:
        ValueError: shapes disagree, there is nothing to try or to try it on, or a temperature is not positive.

    Lesson: 03, exercise `best_temperature`.
    """
    require_maps(heatmaps)
    require_points(truth, "truth")
    if truth.shape[:-1] != heatmaps.shape[:-2]:
        raise ValueError(
            f"heatmaps (..., K, H, W) and truth (..., K, 2) must agree on (..., K); got {tuple(heatmaps.shape)} and "
            f"{tuple(truth.shape)}."
        )
    if not len(temperatures) or not truth.numel():
        raise ValueError(f"nothing to choose from: {len(temperatures)} temperatures, {truth.numel() // 2} maps.")
    points = (soft_argmax(spatial_softmax(heatmaps, T)).points for T in temperatures)
    errors = torch.stack([(point - truth).square().mean().sqrt() for point in points])
    return TemperatureSearch(float(temperatures[int(errors.argmin())]), errors)


def laplace_covariance(heatmaps: Float[Tensor, "*B K H W"], temperature: float | Tensor) -> Float[Tensor, "*B K 2 2"]:
    """Return the covariance that softmax has around a map's summit for small T: [[xx, xy], [xy, yy]] in square cells.

    Σ = T·(−H)⁻¹, with H the second derivatives of the map at its summit, by differences between nine cells

    Laplace's approximation: exp(h / T) near x* is exp(h(x*) / T)·exp(½·(x − x*)ᵀ·(H / T)·(x − x*)). Exact at every T
    for a map that is quadratic. On a Gaussian blob of height A the true spread is larger, by 1 + 2T/A and more where
    the background counts; below half a cell the grid no longer follows it.

    Args:
        heatmaps: any values; at least three rows and three columns.
        temperature: T, in the unit of the heatmaps; positive. It divides. A number, or broadcasts to (*B, K).

    Returns:
        Covariances, at the summit's cell or, at the border, one cell further in. NaN where that is no summit (a
        ridge, a plateau, a map that cannot be read): mask it.

    Raises:
        ValueError: `heatmaps` is not (..., K, H, W) with 3 × 3 cells or more, or `temperature` is not positive.

    Lesson: 03, exercise `laplace_covariance`.
    """
    require_positive(temperature, "temperature")
    maps, good = working(heatmaps)
    H, W = maps.shape[-2:]
    if min(H, W) < 3:
        raise ValueError(f"curvature takes three rows and three columns; got heatmaps of {H} × {W} cells.")
    inside = (highest_cell(maps) - 1).clamp(min=0)
    column, row = torch.minimum(inside, inside.new_tensor([W - 3, H - 3])).unbind(-1)
    place = (row * (W - 2) + column)[..., None, None].expand(*row.shape, 3, 1)
    xx, xy, yy = _curvatures(maps).flatten(-2).gather(-1, place).squeeze(-1).unbind(-1)
    determinant = xx * yy - xy**2
    summit = good & (xx < 0) & (determinant > 0)
    T = torch.as_tensor(temperature, dtype=maps.dtype, device=maps.device)
    factor = torch.where(summit, T / torch.where(summit, determinant, 1), torch.nan)
    inverse = torch.stack([torch.stack([-yy, xy], dim=-1), torch.stack([xy, -xx], dim=-1)], dim=-2)
    return factor[..., None, None] * inverse


def _curvatures(maps: Float[Tensor, "*B H W"]) -> Float[Tensor, "*B 3 h w"]:
    """Return second differences along x, along both, along y, for all cells but the outermost: h = H − 2, w = W − 2."""
    middle = 2 * maps[..., 1:-1, 1:-1]
    xx = maps[..., 1:-1, 2:] - middle + maps[..., 1:-1, :-2]
    yy = maps[..., 2:, 1:-1] - middle + maps[..., :-2, 1:-1]
    xy = (maps[..., 2:, 2:] - maps[..., 2:, :-2] - maps[..., :-2, 2:] + maps[..., :-2, :-2]) / 4
    return torch.stack([xx, xy, yy], dim=-3)
