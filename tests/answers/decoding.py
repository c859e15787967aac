"""Answers to the exercises on decoding: right ones, and every known mistake as somebody else would have made it."""

import math

import torch

# What rounding costs.


def by_integral(strides):
    """Integrate e² over a cell, divided by its width."""
    half = strides / 2
    return ((half**3 - (-half) ** 3) / 3 / strides).sqrt()


def power_of_twelve(strides):
    """Write the root as a power."""
    return strides * 12**-0.5


QUANTIZATION_RMS = {
    "golds": [by_integral, power_of_twelve],
    "twins": {
        "from_the_edge": lambda s: (s.pow(3) / 3 / s).sqrt(),
        "both_axes": lambda s: (2 * s.square() / 12).sqrt(),
        "no_root": lambda s: by_integral(s).square(),
        "mean_of_magnitudes": lambda s: 2 * (s / 2) ** 2 / 2 / s,
        "the_largest": lambda s: s.mul(0.5),
        "one_limit": lambda s: by_integral(s) / 2**0.5,
        "not_divided": lambda s: by_integral(s) * s.sqrt(),
        "for_stride_one": lambda s: torch.ones_like(s).div(12).sqrt(),
    },
}

# A quarter of a cell.


def where_higher(patches):
    """Return ±¼ for x and for y, or 0, by comparing."""
    left, right, up, down = patches[..., 1, 0], patches[..., 1, 2], patches[..., 0, 1], patches[..., 2, 1]
    quarter = torch.tensor(0.25, dtype=patches.dtype)
    x = torch.where(right > left, quarter, torch.where(right < left, -quarter, quarter * 0))
    y = torch.where(down > up, quarter, torch.where(down < up, -quarter, quarter * 0))
    return torch.stack((x, y), -1)


def in_one_line(cells, patches, stride):
    """Use the comparison and the conversion."""
    return stride * (cells + where_higher(patches)) + (stride - 1) / 2


def one_point_after_another(cells, patches, stride):
    """Loop over points."""
    points = []
    for (x, y), patch in zip(cells.reshape(-1, 2).tolist(), patches.reshape(-1, 3, 3).tolist(), strict=True):
        dx = 0.25 * ((patch[1][2] > patch[1][0]) - (patch[1][2] < patch[1][0]))
        dy = 0.25 * ((patch[2][1] > patch[0][1]) - (patch[2][1] < patch[0][1]))
        points.append([(x + dx + 0.5) * stride - 0.5, (y + dy + 0.5) * stride - 0.5])
    return torch.tensor(points, dtype=cells.dtype).reshape(cells.shape)


def two_outcomes(cells, patches, stride, is_higher):
    """Compare once, and move by as much in any case."""
    x = is_higher(patches[..., 1, 2], patches[..., 1, 0]).to(cells) * 0.5 - 0.25
    y = is_higher(patches[..., 2, 1], patches[..., 0, 1]).to(cells) * 0.5 - 0.25
    return stride * (cells + torch.stack([x, y], dim=-1)) + (stride - 1) / 2


QUARTER_OFFSET = {
    "helped": [lambda cells, patches, stride: cells + patches[:, 1, 2] - patches[:, 1, 0]],
    "golds": [in_one_line, one_point_after_another],
    "twins": {
        "wrong_way": lambda c, p, s: s * (c + where_higher(-p)) + (s - 1) / 2,
        "axes_exchanged": lambda c, p, s: in_one_line(c, p.mT, s),
        "a_quarter_pixel": lambda c, p, s: s * c + (s - 1) / 2 + where_higher(p),
        "stride_twice": lambda c, p, s: s * c + s * s * where_higher(p) + (s - 1) / 2,
        "halves_forgotten": lambda c, p, s: c * s + where_higher(p) * s,
        "half_too_far": lambda c, p, s: s * (c + where_higher(p)) + s / 2,
        "still_in_cells": lambda c, p, s: where_higher(p) + c,
        "by_the_difference": lambda c, p, s: (
            in_one_line(c, torch.zeros_like(p), s)
            + s / 4 * torch.stack([p[..., 1, 2] - p[..., 1, 0], p[..., 2, 1] - p[..., 0, 1]], -1)
        ),
        "half_a_cell": lambda c, p, s: s * (c + 2 * where_higher(p)) + (s - 1) / 2,
        "ties_go_up_left": lambda c, p, s: two_outcomes(c, p, s, torch.gt),
        "ties_go_down_right": lambda c, p, s: two_outcomes(c, p, s, torch.ge),
    },
}

# DARK.


def derivatives(L, mixed=0.25, slope=0.5):
    """Return g (… 2) and H (… 2 2) by central differences."""
    g = slope * torch.stack([L[..., 1, 2] - L[..., 1, 0], L[..., 2, 1] - L[..., 0, 1]], dim=-1)
    xx = L[..., 1, 0] + L[..., 1, 2] - 2 * L[..., 1, 1]
    yy = L[..., 0, 1] + L[..., 2, 1] - 2 * L[..., 1, 1]
    xy = mixed * (L[..., 0, 0] + L[..., 2, 2] - L[..., 0, 2] - L[..., 2, 0])
    return g, torch.stack([torch.stack([xx, xy], -1), torch.stack([xy, yy], -1)], -2)


def solved(g, H):
    """Solve H·step = −g."""
    return torch.linalg.solve(H, -g[..., None]).squeeze(-1)


def clamped_and_solved(patches):
    """Clamp, take derivatives, solve."""
    return solved(*derivatives(patches.clamp(min=1e-6).log()))


def replaced_and_inverted(patches):
    """Put a millionth where there is less, and invert."""
    g, H = derivatives(torch.where(patches < 1e-6, torch.full_like(patches, 1e-6), patches).log())
    return -(torch.linalg.inv(H) @ g[..., None])[..., 0]


def by_convolution(patches):
    """Write the differences as kernels."""
    L = patches.maximum(torch.tensor(1e-6, dtype=patches.dtype)).log()
    kernels = torch.zeros(5, 3, 3, dtype=L.dtype)
    kernels[0, 1] = torch.tensor([-0.5, 0, 0.5])
    kernels[1, :, 1] = torch.tensor([-0.5, 0, 0.5])
    kernels[2, 1] = kernels[3, :, 1] = torch.tensor([1.0, -2, 1])
    kernels[4, 0, 0] = kernels[4, 2, 2] = 0.25
    kernels[4, 0, 2] = kernels[4, 2, 0] = -0.25
    gx, gy, xx, yy, xy = torch.einsum("...ij,kij->k...", L, kernels)
    determinant = xx * yy - xy * xy
    return torch.stack([(xy * gy - yy * gx) / determinant, (xy * gx - xx * gy) / determinant], dim=-1)


def inverse_by_hand(patches, a, d):
    """Invert the Hessian with whatever is put into its corners."""
    g, H = derivatives(patches.clamp(min=1e-6).log())
    inverse = torch.stack([H[..., a, a], -H[..., 0, 1], -H[..., 0, 1], H[..., d, d]], dim=-1)
    return -(inverse.unflatten(-1, (2, 2)) @ g[..., None]).squeeze(-1) / torch.linalg.det(H)[..., None]


def separable(patches):
    """Go along x and along y by themselves."""
    L = patches.clamp(min=1e-6).log()
    steps = [
        (a - b) / 2 / (2 * L[..., 1, 1] - a - b)
        for a, b in ((L[..., 1, 2], L[..., 1, 0]), (L[..., 2, 1], L[..., 0, 1]))
    ]
    return torch.stack(steps, dim=-1)


def multiplied(g, H):
    """Multiply by the Hessian."""
    return -torch.einsum("...ij,...j->...i", H, g)


DARK = {
    "golds": [clamped_and_solved, replaced_and_inverted, by_convolution],
    "twins": {
        "wrong_sign": lambda p: clamped_and_solved(p.flip((-2, -1))),
        "curvatures_exchanged": lambda p: inverse_by_hand(p, 0, 1),
        "no_mixed_term": separable,
        "mixed_undivided": lambda p: solved(*derivatives(p.clamp(min=1e-6).log(), mixed=1.0)),
        "slope_undivided": lambda p: solved(*derivatives(p.clamp(min=1e-6).log(), slope=1.0)),
        "without_logarithm": lambda p: solved(*derivatives(p)),
        "logarithm_of_zero": lambda p: solved(*derivatives(p.log())),
        "below_zero": lambda p: solved(*derivatives(p.log().clamp(min=math.log(1e-6)))),
        "another_floor": lambda p: solved(*derivatives(p.clamp(min=1e-10).log())),
        "mixed_sign": lambda p: solved(*derivatives(p.clamp(min=1e-6).log(), mixed=-0.25)),
        "not_inverted": lambda p: multiplied(*derivatives(p.clamp(min=1e-6).log())),
        "row_before_column": lambda p: clamped_and_solved(p.mT),
    },
}

# The mean of a softmax.


def grid(maps):
    """Return column and row numbers in the shape of a map."""
    rows, columns = torch.meshgrid(
        torch.arange(maps.shape[-2], dtype=maps.dtype), torch.arange(maps.shape[-1], dtype=maps.dtype), indexing="ij"
    )
    return torch.stack([columns, rows], dim=-1)


def flattened(maps, temperature):
    """Take the softmax of the flattened map, and multiply by a list of places."""
    return (maps.flatten(-2) / temperature).softmax(-1) @ grid(maps).flatten(0, 1)


def by_marginals(maps, temperature):
    """Divide exponentials by their sum, then sum over rows and over columns."""
    w = torch.exp((maps - maps.amax((-2, -1), keepdim=True)) / temperature)
    w = w / w.sum((-2, -1), keepdim=True)
    x = w.sum(-2) @ torch.arange(w.shape[-1]).to(w)
    y = w.sum(-1) @ torch.arange(w.shape[-2]).to(w)
    return torch.stack([x, y], -1)


def weighted(weights):
    """Sum places with weights as they are."""
    return torch.einsum("...hw,hwi->...i", weights, grid(weights))


def from_one(maps, temperature):
    """Count from 1."""
    return (maps.flatten(-2) / temperature).softmax(-1) @ (grid(maps).flatten(0, 1) + 1)


SOFT_ARGMAX = {
    "helped": [lambda heatmaps, temperature: flattened(heatmaps, temperature).detach()],
    "golds": [flattened, by_marginals],
    "twins": {
        "each_row_alone": lambda h, T: weighted(torch.exp(h / T) / torch.exp(h / T).sum(-1, keepdim=True)),
        "each_column_alone": lambda h, T: weighted(torch.exp(h / T) / torch.exp(h / T).sum(-2, keepdim=True)),
        "not_normalised": lambda h, T: weighted((h / T).exp()),
        "temperature_multiplies": lambda h, T: (h * T).flatten(-2).softmax(-1) @ grid(h).flatten(0, 1),
        "temperature_ignored": lambda h, T: h.flatten(-2).softmax(-1) @ grid(h).flatten(0, 1),
        "without_exponential": lambda h, T: weighted(h) / h.sum((-2, -1))[..., None],
        "row_before_column": lambda h, T: (h.flatten(-2) / T).softmax(-1) @ grid(h).flatten(0, 1)[:, [1, 0]],
        "counted_from_one": from_one,
        "whole_batch": lambda h, T: weighted(torch.exp(h / T) / torch.exp(h / T).sum()),
        "each_axis_by_itself": lambda h, T: torch.stack(
            [
                ((h / T).softmax(-1) * grid(h)[..., 0]).sum((-1, -2)) / h.shape[-2],
                ((h / T).softmax(-2) * grid(h)[..., 1]).sum((-1, -2)) / h.shape[-1],
            ],
            dim=-1,
        ),
        "half_a_cell_right": lambda h, T: (from_one(h, T) + flattened(h, T)) / 2,
    },
}

# To the grid and back.


def rounded(points, stride):
    """Convert as lesson 00 does, round, convert back."""
    cells = torch.round((points + 0.5) / stride - 0.5)
    return (cells + 0.5) * stride - 0.5


def by_remainder(points, stride):
    """Take away where in its cell a point lies, and go to the middle."""
    return points - torch.remainder(points + 0.5, stride) + stride / 2


TO_GRID_AND_BACK = {
    "golds": [rounded, by_remainder],
    "twins": {
        "no_half_at_all": lambda p, s: torch.div(p, s, rounding_mode="floor") * s,
        "half_before_only": lambda p, s: ((p + 0.5) / s - 0.5).round() * s,
        "half_after_only": lambda p, s: p - torch.remainder(p, s) + (s - 1) / 2,
        "another_grid": lambda p, s: torch.floor(p / s + 0.5) * s,
        "half_pixel_right": lambda p, s: rounded(p, s) + 0.5,
        "never_rounded": lambda p, s: ((p + 0.5) / s - 0.5 + 0.5) * s - 0.5,
        "floored_cells": lambda p, s: rounded(p - s / 2, s),
        "half_taken_away": lambda p, s: by_remainder(p - 1, s),
        "still_in_cells": lambda p, s: torch.round((p + 0.5) / s - 0.5),
    },
}

# The bound.


def slopes_of(blob, place):
    """Return the slopes of x and of y, (2 H·W), one cell after the other by reverse mode."""
    place = place.clone().requires_grad_()
    map_ = blob(place)
    rows = [torch.autograd.grad(value, place, retain_graph=True)[0] for value in map_.flatten()]
    return torch.stack(rows, dim=-1)


def by_hand(blob, place, noise):
    """Invert two by two by hand."""
    x, y = slopes_of(blob, place)
    a, b, d = (x * x).sum(), (x * y).sum(), (y * y).sum()
    return noise * torch.stack([d, a]).div(a * d - b * b).sqrt()


def by_jacobian(blob, place, noise):
    """Use torch's Jacobian and a solve."""
    slopes = torch.autograd.functional.jacobian(blob, place) / noise
    information = torch.einsum("hwi,hwj->ij", slopes, slopes)
    return torch.linalg.solve(information, torch.eye(2).to(information)).diagonal() ** 0.5


CRAMER_RAO = {
    "golds": [by_hand, by_jacobian],
    "twins": {
        "other_axis_known": lambda blob, place, n: n / torch.linalg.vector_norm(slopes_of(blob, place), dim=-1),
        "variance": lambda blob, place, n: by_hand(blob, place, n).square(),
        "noise_unsquared": lambda blob, place, n: by_hand(blob, place, math.sqrt(n)),
        "noise_ignored": lambda blob, place, n: by_hand(blob, place, 1),
        "noise_multiplies": lambda blob, place, n: by_hand(blob, place, 1 / n),
        "mean_over_cells": lambda blob, place, n: by_hand(blob, place, n * math.sqrt(blob(place).numel())),
        "not_inverted": lambda blob, place, n: slopes_of(blob, place).square().sum(-1).sqrt() / n,
    },
}

# SimCC.


def axis_by_axis(x_bins, y_bins, split):
    """Find the largest bin of each axis."""
    places = [(bins.max(-1).indices.to(bins.dtype) + 0.5).div(split).sub(0.5) for bins in (x_bins, y_bins)]
    return torch.stack(places, dim=-1)


def along_centres(x_bins, y_bins, split):
    """Make a list of all bins' centres, and look the largest up."""
    answers = []
    for bins in (x_bins, y_bins):
        count = bins.shape[-1]
        centres = torch.linspace(0.5 / split - 0.5, (count - 0.5) / split - 0.5, count, dtype=bins.dtype)
        answers.append(centres[bins.argmax(-1)])
    return torch.stack(answers, -1)


def largest(x_bins, y_bins):
    """Return the numbers of the largest bins."""
    return torch.stack([x_bins.max(-1).indices, y_bins.max(-1).indices], -1).to(x_bins)


SIMCC = {
    "helped": [lambda x, y, split: torch.stack([x.argmax(-1), y.argmax(-1)], dim=-1) // split],
    "golds": [axis_by_axis, along_centres],
    "twins": {
        "edge_of_the_bin": lambda x, y, k: largest(x, y) * (1 / k),
        "half_a_cell_right": lambda x, y, k: axis_by_axis(x, y, k) + 0.5,
        "left_of_the_bin": lambda x, y, k: axis_by_axis(x, y, k) - 0.5 / k,
        "still_in_bins": lambda x, y, k: largest(x, y),
        "axes_exchanged": lambda x, y, k: axis_by_axis(x, y, k).flip(-1),
    },
}

ANSWERS = {
    "quantization_rms": QUANTIZATION_RMS,
    "quarter_offset": QUARTER_OFFSET,
    "dark": DARK,
    "soft_argmax": SOFT_ARGMAX,
    "to_grid_and_back": TO_GRID_AND_BACK,
    "cramer_rao": CRAMER_RAO,
    "simcc": SIMCC,
}
