"""Reading a map by its moments: the centre of mass, over all of the map or around its maximum, and the spread."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from posecourse.decode.peaks import Peaks, finish, highest_cell, in_map, working
from posecourse.shapes import require_count, require_positive

__all__ = ["debiased_soft_argmax", "local_soft_argmax", "soft_argmax", "spatial_covariance"]


def soft_argmax(probabilities: Float[Tensor, "*B K H W"]) -> Peaks:
    """Return the mean place of a distribution over cells.

    J = Σ p[row, column]·(column, row)

    Differentiable: through p = spatial_softmax(h, T) it is dJ/dh_i = p_i·(x_i − J) / T.

    Args:
        probabilities: not negative, Σ = 1, as `heatmaps.spatial_softmax` makes them. Another sum is divided out, so
            a map that is not normalised gives its centroid. A map with a negative value counts as unreadable.

    Returns:
        Points (x, y) in cells, and the largest probability as the score: small where the mass is spread.

    Raises:
        ValueError: `probabilities` is not (..., K, H, W).

    Source: Levine et al. 2016; Sun et al. 2018 (integral regression), equation 2.
    Lesson: 02, exercise `soft_argmax`.
    """
    p, good = _distribution(probabilities)
    return finish(probabilities, _mean(p), good)


def spatial_covariance(probabilities: Float[Tensor, "*B K H W"]) -> Float[Tensor, "*B K 2 2"]:
    """Return the covariance of a distribution over cells: [[xx, xy], [xy, yy]] in square cells.

    Σ p·(X − J)(X − J)ᵀ, with X = (column, row) and J = Σ p·X

    On the cells of a grid; the mass inside a cell is at its centre, so a one-hot map has covariance 0. A map that
    cannot be read counts as uniform, the same as a flat one: (W² − 1)/12 and (H² − 1)/12 on the diagonal.

    Args:
        probabilities: not negative, Σ = 1; another sum is divided out.

    Raises:
        ValueError: `probabilities` is not (..., K, H, W).

    Lesson: 03; 06 shows why it is not the keypoint's uncertainty.
    """
    p, _ = _distribution(probabilities)
    H, W = p.shape[-2:]
    x, y = _mean(p).unsqueeze(-2).unbind(-1)
    x, y = torch.arange(W, dtype=p.dtype, device=p.device) - x, torch.arange(H, dtype=p.dtype, device=p.device) - y
    xx, yy = (p.sum(-2) * x**2).sum(-1), (p.sum(-1) * y**2).sum(-1)
    xy = ((p * y[..., :, None]).sum(-2) * x).sum(-1)
    return torch.stack([torch.stack([xx, xy], dim=-1), torch.stack([xy, yy], dim=-1)], dim=-2)


def local_soft_argmax(heatmaps: Float[Tensor, "*B K H W"], temperature: float | Tensor, radius: int) -> Peaks:
    """Return the soft-argmax of a square window around the largest cell, out of the background's reach.

    J = Σ w·X / Σ w over |column − i| ≤ radius, |row − j| ≤ radius, with w = exp(h / T)

    At the border the window is cut on *both* sides alike, or it would be heavier inside: it shrinks to the one row
    or column of the largest cell itself, so that the answer is never worse than argmax there.

    Args:
        heatmaps: any values.
        temperature: T, in the unit of the heatmaps; positive. It divides.
        radius: cells on each side of the largest one, a positive whole number.

    Returns:
        Points (x, y) in cells, differentiable in the window's values, and scores, the largest values.

    Raises:
        ValueError: `heatmaps` is not (..., K, H, W), or `temperature` or `radius` is not positive.

    Lesson: 02.
    """
    require_count(radius, "radius")
    require_positive(temperature, "temperature")
    maps, good = working(heatmaps)
    H, W = maps.shape[-2:]
    cell = highest_cell(maps)
    reach = torch.minimum(cell, cell.new_tensor([W - 1, H - 1]) - cell)[..., None, :]
    steps = torch.arange(-radius, radius + 1, device=maps.device)
    kept = steps[:, None].abs() <= reach  # (*B K 2·radius+1 2), x and y
    across, down = (cell[..., None, :] + torch.where(kept, steps[:, None], 0)).unbind(-1)
    index = down[..., :, None] * W + across[..., None, :]
    window = maps.flatten(-2).gather(-1, index.flatten(-2))
    inside = (kept[..., :, None, 1] & kept[..., None, :, 0]).flatten(-2)
    weights = _scaled(window, temperature).masked_fill(~inside, -torch.inf).softmax(-1).unflatten(-1, index.shape[-2:])
    steps = steps.to(maps.dtype)
    shift = torch.stack([weights.sum(-2) @ steps, weights.sum(-1) @ steps], dim=-1)
    return finish(heatmaps, cell + shift, good)


def debiased_soft_argmax(heatmaps: Float[Tensor, "*B K H W"], temperature: float | Tensor) -> Peaks:
    """Return the soft-argmax without the pull that a background of exactly 0 has on it.

    x = (C·J − N·c) / (C − N), with C = Σ exp(h / T), N = W·H, J the soft-argmax of h / T, c the map's centre

    Where h is 0 the softmax still puts 1/C on each cell, which draws J to the centre. The same number, as computed:
    the centroid of exp(h / T) − 1, to which an empty cell adds nothing. Noise is not empty: it brings the pull back
    in part, and a spread (lesson 03 measures both).

    Args:
        heatmaps: blobs on a background of 0.
        temperature: T, in the unit of the heatmaps; positive. It divides. A number, or broadcasts to (*B, K).

    Returns:
        Points (x, y) in cells, kept on the map, and scores, the largest values. Where the weights do not sum to
        something positive (a map mostly below 0) the compensation has no answer, and the largest cell is returned.

    Raises:
        ValueError: `heatmaps` is not (..., K, H, W), or `temperature` is not positive.

    Source: Gu et al. 2021 (bias compensation). mmpose writes 1 for N, which changes next to nothing.
    Lesson: 03, exercise `debiased_soft_argmax`.
    """
    require_positive(temperature, "temperature")
    maps, good = working(heatmaps)
    scaled = _scaled(maps.flatten(-2), temperature)
    weights = _exp_minus_one(scaled).unflatten(-1, maps.shape[-2:])
    total = weights.sum((-2, -1))
    answered = total.detach() > 0
    share = weights / torch.where(answered, total, 1)[..., None, None]
    points = torch.where(answered[..., None], _mean(share), highest_cell(maps))
    return finish(heatmaps, in_map(points, maps), good)


def _distribution(probabilities: Tensor) -> tuple[Float[Tensor, "*B K H W"], Bool[Tensor, "*B K"]]:
    """Return maps of sum 1, uniform where the map cannot be read, and which could."""
    maps, good = working(probabilities, instead=1.0, name="probabilities")
    good = good & (maps.detach().flatten(-2).amin(-1) >= 0)
    maps = torch.where(good[..., None, None], maps, 1)
    return maps / maps.sum((-2, -1), keepdim=True), good


def _mean(p: Tensor) -> Float[Tensor, "*B K 2"]:
    """Return Σ p·(column, row) for maps of sum 1, counted from the centre, where rounding does least."""
    H, W = p.shape[-2:]
    across = torch.arange(W, dtype=p.dtype, device=p.device) - (W - 1) / 2
    down = torch.arange(H, dtype=p.dtype, device=p.device) - (H - 1) / 2
    centre = p.new_tensor([(W - 1) / 2, (H - 1) / 2])
    return centre + torch.stack([p.sum(-2) @ across, p.sum(-1) @ down], dim=-1)


def _scaled(flat: Tensor, temperature: float | Tensor) -> Tensor:
    """Return (*B K X) divided by a temperature, a number or (*B K)."""
    T = torch.as_tensor(temperature, dtype=flat.dtype, device=flat.device)
    return flat / T[..., None]


def _exp_minus_one(h: Tensor) -> Tensor:
    """Return exp(h) − 1 over the last axis up to one factor, neither overflowing nor losing a small h."""
    top = h.detach().amax(-1, keepdim=True).clamp(min=0)
    # relu has slope 0 at 0 and clamp slope 1, so the two halves have the right slope, 1, between them.
    above, below = torch.relu(h), h.clamp(max=0)
    return -torch.exp(above - top) * torch.expm1(-above) + torch.exp(-top) * torch.expm1(below)
