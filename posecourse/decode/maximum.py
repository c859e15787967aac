"""Reading the largest cell: argmax and the quarter offset."""

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.decode.peaks import Peaks, finish, highest_cell, readable, working
from posecourse.shapes import require_maps

__all__ = ["argmax_2d", "quarter_offset"]


def argmax_2d(heatmaps: Float[Tensor, "*B K H W"]) -> Peaks:
    """Return the cell with the largest value.

    x, y = argmax h

    The answer is a whole number of cells: on blobs at any place its error is uniform, RMS 1/√12 cell an axis.

    Args:
        heatmaps: any values.

    Returns:
        Points (x, y) in cells and scores, the largest values, also where these are negative. Ties and unreadable maps
        as for every decoder.

    Raises:
        ValueError: `heatmaps` is not (..., K, H, W).

    Lesson: 01, exercise `argmax_2d`.
    """
    require_maps(heatmaps)
    wide = torch.promote_types(heatmaps.dtype, torch.float32)
    return finish(heatmaps, highest_cell(heatmaps).to(wide), readable(heatmaps))


def quarter_offset(heatmaps: Float[Tensor, "*B K H W"]) -> Peaks:
    """Return the largest cell, moved by a quarter of a cell towards the higher of its two neighbours, in x and in y.

    x = i + ¼·sign(h[i + 1] − h[i − 1])

    On a symmetric, unrounded blob it leaves RMS 1/(4√3) cell an axis, half of what argmax leaves. Equal neighbours,
    as on a target whose centre was rounded, and a cell at the border, which lacks a neighbour, move nothing.

    Args:
        heatmaps: any values.

    Returns:
        Points (x, y) in cells and scores, the largest values.

    Raises:
        ValueError: `heatmaps` is not (..., K, H, W).

    Source: Newell et al. 2016 (Hourglass).
    Lesson: 02, exercise `quarter_offset`.
    """
    maps, good = working(heatmaps)
    H, W = maps.shape[-2:]
    cell = highest_cell(maps)
    x, y = cell.unbind(-1)
    flat = maps.detach().flatten(-2)
    steps = []
    for place, length, jump in ((x, W, 1), (y, H, W)):
        index = (y * W + x)[..., None] + torch.tensor([-jump, jump], device=maps.device)
        before, after = flat.gather(-1, index.clamp(0, H * W - 1)).unbind(-1)
        inside = (place > 0) & (place < length - 1)
        steps.append(torch.where(inside, (after - before).sign() / 4, 0))
    return finish(heatmaps, cell + torch.stack(steps, dim=-1), good)
