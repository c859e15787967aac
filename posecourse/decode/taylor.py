"""Reading a map by the shape of its summit: a blur, then one Newton step on the logarithm (DARK)."""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from posecourse.decode.matched import matched_filter
from posecourse.decode.peaks import Peaks, finish, highest_cell, in_map, require_candidates, working
from posecourse.shapes import require_positive

__all__ = ["dark", "dark_at"]


def dark(heatmaps: Float[Tensor, "*B K H W"], blur_sigma: float) -> Peaks:
    """Return the summit of the blurred map's logarithm, by one Newton step from the blurred map's largest cell.

    x = i − H⁻¹·g, with g and H the gradient and the Hessian of log(h ∗ Gaussian(σ_b)) at cell i

    Exact on a Gaussian, of which the logarithm is quadratic. With blur_sigma the blob's own σ the blur is the
    matched filter and the answer stands on the Cramér–Rao bound; the standard deviation is
    ((σ² + σ_b²) / (2σσ_b))² times the bound, so a blur wrong by a factor 1.25 costs 5 %, by 2 it costs 56 %.

    Three guards keep it from being worse than argmax. Within 2σ_b of the border the blur narrows to half of the way
    to the border, since a blur that is cut off is pushed aside; in the outermost row or column, where a neighbour is
    missing, nothing moves across. A step is taken only where the Hessian is negative definite. It is at most one
    cell long in x and in y.

    Args:
        heatmaps: blobs on a background of about 0.
        blur_sigma: σ_b in cells, positive: the σ of the blobs.

    Returns:
        Points (x, y) in cells and scores, the largest values of the map as given. A map of which the blur is
        nowhere positive has its largest cell.

    Raises:
        ValueError: `heatmaps` is not (..., K, H, W), or `blur_sigma` is not positive.

    Source: Zhang et al. 2020 (DARK); there the largest cell is looked for before the blur, the
    blur is padded with zeros, and neither the Hessian nor the step is looked at.
    Lesson: 02, exercise `dark`.
    """
    require_positive(blur_sigma, "blur_sigma")
    maps, good = working(heatmaps)
    largest = highest_cell(maps)
    response = matched_filter(maps, blur_sigma)
    cell = highest_cell(response)
    points = _summit(maps, response, cell, largest)
    narrow = torch.minimum(_room(cell, maps), _room(largest, maps)).amin(-1) < 2 * blur_sigma
    at_border = _dark_at_border(maps[narrow], largest[narrow], blur_sigma)
    points = points.index_put((narrow,), at_border)
    return finish(heatmaps, in_map(points, maps), good)


def dark_at(heatmaps: Float[Tensor, "*B K H W"], peaks: Peaks, blur_sigma: float) -> Peaks:
    """Return peaks that were found already, each moved by `dark`'s Newton step from its own cell.

    The blur is computed where the step needs it, in nine cells a peak, out of what lies within ⌈σ_b⌉ + 1 cells: farther
    off a neighbour may begin. For the many peaks of a crowd that is twice as fast as `refine_peaks` with `dark` in
    such a window, and more exact. The short blur costs less than .005 cell without noise and a tenth more under noise.

    Args:
        heatmaps: the maps in which the peaks were found.
        peaks: as `nms_peaks` finds them. A peak of score 0 stays where it is.
        blur_sigma: σ_b in cells, positive: the σ of the blobs.

    Returns:
        Points (*B K M 2), at most one cell away in x and in y from the peaks' cells, and the given scores.

    Raises:
        ValueError: the peaks are not (..., K, M) of these maps, or `blur_sigma` is not positive.

    Lesson: 05.
    """
    require_positive(blur_sigma, "blur_sigma")
    require_candidates(heatmaps, peaks)
    maps = heatmaps.to(torch.promote_types(heatmaps.dtype, torch.float32))
    H, W = maps.shape[-2:]
    cell = peaks.points.detach().round().long()
    reach = math.ceil(blur_sigma) + 1
    places = torch.arange(-reach, reach + 1, device=maps.device)
    columns, rows = cell[..., :1] + places, cell[..., 1:] + places  # (*B K M S)
    g = torch.exp(-(((places - places.new_tensor([[-1], [0], [1]])) / blur_sigma) ** 2) / 2).to(maps)  # (3 S)
    across, down = (((line >= 0) & (line < length)).to(maps) for line, length in ((columns, W), (rows, H)))
    index = rows.clamp(0, H - 1)[..., :, None] * W + columns.clamp(0, W - 1)[..., None, :]
    windows = maps.flatten(-2).gather(-1, index.flatten(-3)).view(index.shape)
    there = peaks.scores > 0
    inside = down[..., :, None] * across[..., None, :] * there[..., None, None]
    windows = torch.where(inside > 0, windows, 0)
    nine = ((windows @ g.mT).mT @ g.mT).mT  # (*B K M 3 3)
    nine = nine / ((down @ g.mT**2)[..., :, None] * (across @ g.mT**2)[..., None, :]).sqrt()
    moved = there & (nine[..., 1, 1] > 0)
    step = _newton_step(nine, _room(cell, maps) > 0)
    return Peaks(torch.where(moved[..., None], cell + step, peaks.points), peaks.scores)


def _dark_at_border(
    maps: Float[Tensor, "M H W"], largest: Int[Tensor, "M 2"], blur_sigma: float
) -> Float[Tensor, "M 2"]:
    """Return the summits of maps whose largest cell is so near to the border that the blur has to be narrower."""
    H, W = maps.shape[-2:]
    sigma = (_room(largest, maps).to(maps) / 2).clamp(0.25, max(blur_sigma, 0.25))
    response = matched_filter(maps, sigma)
    x, y = (largest[:, None] - torch.arange(max(H, W), device=maps.device)[:, None]).abs().unbind(-1)
    nearby = (y[:, :H, None] <= 2) & (x[:, None, :W] <= 2)
    cell = highest_cell(response.masked_fill(~nearby, -torch.inf))
    return _summit(maps, response, cell, largest)


def _summit(
    maps: Float[Tensor, "*B H W"],
    response: Float[Tensor, "*B H W"],
    cell: Int[Tensor, "*B 2"],
    largest: Int[Tensor, "*B 2"],
) -> Float[Tensor, "*B 2"]:
    """Return the summit of the response next to a cell; the map's largest cell where the response is not positive."""
    nine = _neighbourhood(response, cell)
    moved = cell + _newton_step(nine, _room(cell, maps) > 0)
    return torch.where(nine[..., 1, 1, None] > 0, moved, largest.to(moved))


def _newton_step(nine: Float[Tensor, "*B 3 3"], free: Bool[Tensor, "*B 2"]) -> Float[Tensor, "*B 2"]:
    """Return −H⁻¹·g of the logarithm in the middle of 3x3 cells, at most one cell in x and in y.

    There is no step where H is not negative definite, and none along an axis that is not `free`: at the border.
    """
    top = nine[..., 1, 1].detach()
    # A logarithm needs a positive number; a millionth of the summit is as good as nothing.
    L = torch.maximum(nine, top.abs()[..., None, None] * 1e-6 + torch.finfo(nine.dtype).tiny).log()
    gx = torch.where(free[..., 0], (L[..., 1, 2] - L[..., 1, 0]) / 2, 0)
    gy = torch.where(free[..., 1], (L[..., 2, 1] - L[..., 0, 1]) / 2, 0)
    xx = torch.where(free[..., 0], L[..., 1, 2] - 2 * L[..., 1, 1] + L[..., 1, 0], -1)
    yy = torch.where(free[..., 1], L[..., 2, 1] - 2 * L[..., 1, 1] + L[..., 0, 1], -1)
    xy = torch.where(free.all(-1), (L[..., 2, 2] - L[..., 2, 0] - L[..., 0, 2] + L[..., 0, 0]) / 4, 0)
    determinant = xx * yy - xy**2
    summit: Bool[Tensor, "*B"] = (xx < 0) & (determinant > 0)
    step = torch.stack([xy * gy - yy * gx, xy * gx - xx * gy], dim=-1)
    step = step / torch.where(summit, determinant, 1)[..., None]
    return torch.where(summit[..., None], step.clamp(-1, 1), 0)


def _room(cell: Int[Tensor, "*B 2"], maps: Tensor) -> Int[Tensor, "*B 2"]:
    """Return how many cells there are beyond (column, row) before the border, across and down."""
    H, W = maps.shape[-2:]
    return torch.minimum(cell, cell.new_tensor([W - 1, H - 1]) - cell)


def _neighbourhood(maps: Float[Tensor, "*B H W"], cell: Int[Tensor, "*B 2"]) -> Float[Tensor, "*B 3 3"]:
    """Return the 3x3 values around (column, row), the border's own values repeated beyond it."""
    H, W = maps.shape[-2:]
    three = torch.arange(-1, 2, device=maps.device)
    columns = (cell[..., :1] + three).clamp(0, W - 1)
    rows = (cell[..., 1:] + three).clamp(0, H - 1)
    index = rows[..., :, None] * W + columns[..., None, :]
    return maps.flatten(-2).gather(-1, index.flatten(-2)).unflatten(-1, (3, 3))
