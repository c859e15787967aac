"""Reading a map by fitting a Gaussian to it: maximum likelihood in white noise."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from posecourse.decode.matched import matched_filter
from posecourse.decode.peaks import Peaks, finish, highest_cell, in_map, working

__all__ = ["gaussian_fit"]

_WIDTHS = (0.7, 1.4, 2.8)  # σ of the filters that look for the blob, in cells: a factor 2 apart
_NARROWEST, _WIDEST = 0.5, 16.0  # σ that a fit may end with, in cells
_STEPS = 8


def gaussian_fit(heatmaps: Float[Tensor, "*B K H W"]) -> Peaks:
    """Return the centre of the Gaussian blob that explains the map best, its σ, height and background unknown.

    min Σ (h − A·exp(−|X − c|² / (2σ²)) − b)² over A, b, c and σ, within 3σ of c

    In white noise this is the maximum likelihood: on blobs of σ 1 to 3 it stands on the Cramér–Rao bound, a standard
    deviation of √(2/π)·n/A an axis, without being told σ. A filter bank finds the blob and its rough width, and
    Gauss–Newton does the rest; each of its steps is one linear regression.

    Where the fit fails (the blob is negative, or it ran away by more than its width and a cell), the filter's answer
    stands; it never leaves the map. Not differentiable: it is for reading results, not for training through.

    Args:
        heatmaps: one blob each that counts, on any constant background.

    Returns:
        Points (x, y) in cells and scores, the largest values of the map as given.

    Raises:
        ValueError: `heatmaps` is not (..., K, H, W).

    Source: the bound and the estimator for a Gaussian spot: Thompson et al. 2002; Mortensen et al. 2010. The
    regression form of Gauss–Newton for a separable model is ours.
    Lesson: 02.
    """
    with torch.no_grad():
        maps, good = working(heatmaps)
        flat = maps.flatten(0, -3)
        start, sigma = _find(flat)
        points, ok = _refine(flat, start, sigma)
        points = torch.where(ok[:, None], points, start).unflatten(0, maps.shape[:-2])
    return finish(heatmaps, in_map(points, maps), good)


def _find(maps: Float[Tensor, "M H W"]) -> tuple[Float[Tensor, "M 2"], Float[Tensor, " M"]]:
    """Return a first place (x, y) and width of each map's blob: the cell and the filter that respond most."""
    best = maps.new_full(maps.shape[:1], -torch.inf)
    place, width = maps.new_zeros(*best.shape, 2), torch.ones_like(best)
    level = maps - maps.mean((-2, -1), keepdim=True)
    for sigma in _WIDTHS:
        response = matched_filter(level, sigma)
        height = response.flatten(-2).amax(-1)
        better = height > best
        best = torch.where(better, height, best)
        place = torch.where(better[:, None], highest_cell(response).to(place), place)
        width = torch.where(better, sigma, width)
    return place, width


def _refine(
    maps: Float[Tensor, "M H W"], start: Float[Tensor, "M 2"], width: Float[Tensor, " M"]
) -> tuple[Float[Tensor, "M 2"], Bool[Tensor, " M"]]:
    """Return the fitted centres and which fits can be believed, by Gauss–Newton from a first place and width."""
    c, log_sigma = start, width.log()
    for _ in range(_STEPS):
        sigma = log_sigma.exp()
        A, shift = _regress(maps, c, sigma)
        c = in_map(c + sigma[:, None] * shift[:, :2].clamp(-0.5, 0.5), maps)
        log_sigma = (log_sigma + shift[:, 2].clamp(-0.5, 0.5)).clamp(math.log(_NARROWEST), math.log(_WIDEST))
    near = ((c - start).abs() <= 1 + width[:, None]).all(-1)
    return torch.where(near[:, None], c, start), near & (A > 0)


def _regress(
    maps: Float[Tensor, "M H W"], c: Float[Tensor, "M 2"], sigma: Float[Tensor, " M"]
) -> tuple[Float[Tensor, " M"], Float[Tensor, "M 3"]]:
    """Return the height A and the change of (x/σ, y/σ, log σ) that explain the map best, to first order.

    A blob moved by σ·a and widened by a factor exp(w) is g + a·u·g + w·u²·g: a regression on these and on a constant.
    Each is a product of a function of the column and one of the row, so all sums over the map are products of sums.
    """
    H, W = maps.shape[-2:]
    X, Y = _basis(c[:, 0], sigma, W), _basis(c[:, 1], sigma, H)  # (M 4 W), (M 4 H): 1, g, u·g, u²·g
    data = Y @ maps @ X.mT  # (M 4 4): [row's, column's]
    xx, yy = X @ X.mT, Y @ Y.mT
    column = torch.tensor([1, 0, 2, 1, 3, 1], device=maps.device)  # g·g, 1·1, u·g and g·u, then u²·g and g·u²,
    row = torch.tensor([1, 0, 1, 2, 1, 3], device=maps.device)  # of which the last two are one: the widening
    gram = xx[:, column[:, None], column] * yy[:, row[:, None], row]
    joined = torch.eye(6, 5, dtype=maps.dtype, device=maps.device)
    joined[5, 4] = 1
    normal, target = joined.T @ gram @ joined, data[:, row, column] @ joined
    normal = normal + 1e-6 * normal.diagonal(dim1=-2, dim2=-1).amax(-1)[:, None, None] * torch.eye(5).to(normal)
    # Should a window have too few cells for an answer, `solve` would raise and take the whole batch with it.
    solution = torch.linalg.solve_ex(normal, target).result
    A, _, *shift = solution.unbind(-1)
    usable = ((A > 0) & solution.isfinite().all(-1))[:, None]
    narrower = A.new_tensor([0, 0, -0.5])  # a filter that is too wide can miss the blob at the border
    return A, torch.where(usable, torch.stack(shift, dim=-1) / torch.where(usable, A[:, None], 1), narrower)


def _basis(centre: Float[Tensor, " M"], sigma: Float[Tensor, " M"], length: int) -> Float[Tensor, "M 4 length"]:
    """Return 1, g, u·g and u²·g over the cells within 3σ of the centre, 0 elsewhere; u = (cell − centre) / σ."""
    cells = torch.arange(length, dtype=centre.dtype, device=centre.device)
    u = (cells - centre[:, None]) / sigma[:, None]
    window = (u.abs() <= torch.clamp(1.5 / sigma[:, None], min=3)).to(centre)
    g = torch.exp(-(u**2) / 2) * window
    return torch.stack([window, g, u * g, u**2 * g], dim=1)
