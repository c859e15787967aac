"""Answers to the exercises on temperature: right ones, and every known mistake as somebody else would have made it."""

import math

import numpy as np
import torch

# A softmax over places.


def flattened(logits, temperature):
    """Let PyTorch's softmax run along the flattened map."""
    return torch.softmax(logits.flatten(-2) / temperature, dim=-1).reshape(logits.shape)


def own_maximum(logits, temperature):
    """Subtract each map's maximum, then write the quotient out."""
    weights = torch.exp((logits - logits.amax((-2, -1), keepdim=True)) / temperature)
    return weights / weights.sum((-2, -1), keepdim=True)


def through_logarithms(logits, temperature):
    """Subtract the logarithm of the sum."""
    h = logits / temperature
    return torch.exp(h - torch.logsumexp(h, dim=(-2, -1), keepdim=True))


def colder_by_products(logits, temperature):
    """Multiply in the place of dividing."""
    h = logits * temperature
    return torch.exp(h - torch.logsumexp(h, dim=(-2, -1), keepdim=True))


def every_exponential(logits, temperature):
    """Write the formula as it stands."""
    powers = (logits / temperature).exp()
    return powers / powers.sum(-1, keepdim=True).sum(-2, keepdim=True)


def maximum_of_everything(logits, temperature):
    """Subtract the largest number that there is."""
    h = logits / temperature
    powers = torch.exp(h - h.amax())
    return powers / powers.flatten(-2).sum(-1)[..., None, None]


def without_a_sum(logits, temperature):
    """Stop at the exponential of what the maximum leaves."""
    return torch.exp((logits - logits.amax((-2, -1), keepdim=True)) / temperature)


def keypoints_compete(logits, temperature):
    """Normalise over the axis of the keypoints."""
    weights = torch.exp((logits - logits.amax(-3, keepdim=True)) / temperature)
    return weights / weights.sum(-3, keepdim=True)


def columns_compete(logits, temperature):
    """Normalise along one axis."""
    h = logits / temperature
    return torch.exp(h - h.logsumexp(-1, keepdim=True))


def all_compete(logits, temperature):
    """Normalise over everything."""
    h = logits / temperature
    return torch.exp(h - h.logsumexp(tuple(range(h.ndim)), keepdim=True))


def in_double(logits, temperature):
    """Hope for float64."""
    powers = np.e ** (logits.to(torch.float64) / temperature)
    return (powers / powers.flatten(-2).sum(-1)[..., None, None]).to(logits)


def least_is_one(logits, temperature):
    """Subtract each map's minimum."""
    h = logits / temperature
    powers = torch.exp(h - h.flatten(-2).min(-1).values[..., None, None])
    return powers / powers.flatten(-2).sum(-1)[..., None, None]


def without_temperature(logits, temperature):
    """Leave T unused."""
    return own_maximum(logits, 1)


def axis_one(logits, temperature):
    """Normalise along axis 1."""
    h = logits / temperature
    return torch.exp(h - h.logsumexp(1, keepdim=True))


def rows_compete(logits, temperature):
    """Normalise along the other axis."""
    return columns_compete(logits.mT, temperature).mT


def columns_then_rows(logits, temperature):
    """Normalise what is normalised."""
    return rows_compete(columns_compete(logits, temperature), 1)


SPATIAL_SOFTMAX = {
    "golds": [flattened, own_maximum, through_logarithms],
    "twins": {
        "temperature_multiplies": colder_by_products,
        "over_channels": keypoints_compete,
        "along_rows": columns_compete,
        "over_the_batch": all_compete,
        "overflow": every_exponential,
        "overflow_later": in_double,
        "minimum_subtracted": least_is_one,
        "temperature_forgotten": without_temperature,
        "counted_from_the_left": axis_one,
        "along_columns": rows_compete,
        "one_axis_after_the_other": columns_then_rows,
        "one_maximum_for_all": maximum_of_everything,
        "peak_of_one": without_a_sum,
    },
}

# Out of the background's pull.


def centroid(weights):
    """Return the centroid (..., 2) of weights of any sum."""
    H, W = weights.shape[-2:]
    x = (weights.sum(-2) * torch.arange(W)).sum(-1)
    y = (weights.sum(-1) * torch.arange(H)).sum(-1)
    return torch.stack([x, y], dim=-1) / weights.sum((-2, -1))[..., None]


def as_the_formula_says(maps, temperature, middle=None, N=None, C=None, below=None, sign=-1):
    """Write the formula out, with whatever is to go wrong in it."""
    H, W = maps.shape[-2:]
    weights = torch.exp(maps / temperature)
    c = torch.tensor([(W - 1) / 2, (H - 1) / 2] if middle is None else middle(H, W)).to(maps)
    N = H * W if N is None else N
    C = (weights.sum((-2, -1)) if C is None else C(maps, temperature))[..., None]
    return (C * centroid(weights) + sign * N * c) / (C + sign * N if below is None else below(C, N))


def what_the_blob_adds(maps, temperature):
    """Take the centroid of exp(h / T) − 1."""
    return centroid(torch.expm1(maps / temperature))


def with_a_share(maps, temperature):
    """Undo J = λ·c + (1 − λ)·x."""
    H, W = maps.shape[-2:]
    weights = torch.exp(maps / temperature)
    share = (H * W / weights.sum((-2, -1)))[..., None]
    c = maps.new_tensor([W - 1, H - 1]) / 2
    return (centroid(weights) - share * c) / (1 - share)


def axis_lacking(maps, temperature):
    """Multiply points with one number a map."""
    weights = torch.exp(maps / temperature)
    return weights.sum((-2, -1)) * centroid(weights)


DEBIASED_SOFT_ARGMAX = {
    "helped": [axis_lacking],
    "golds": [as_the_formula_says, what_the_blob_adds, with_a_share],
    "twins": {
        "left_as_it_is": lambda maps, T: centroid(torch.exp(maps / T)),
        "half_of_the_size": lambda maps, T: as_the_formula_says(maps, T, middle=lambda H, W: [W / 2, H / 2]),
        "half_a_cell_dropped": lambda maps, T: as_the_formula_says(
            maps, T, middle=lambda H, W: [float((W - 1) // 2), float((H - 1) // 2)]
        ),
        "size_exchanged": lambda maps, T: as_the_formula_says(maps, T, middle=lambda H, W: [(H - 1) / 2, (W - 1) / 2]),
        "one_cell_of_background": lambda maps, T: as_the_formula_says(maps, T, N=1),
        "not_divided": lambda maps, T: as_the_formula_says(maps, T, below=lambda C, N: C),
        "put_in_twice": lambda maps, T: as_the_formula_says(maps, T, sign=1),
        "cells_not_scaled": lambda maps, T: as_the_formula_says(
            maps, T, C=lambda h, T: torch.exp((h - h.amax((-2, -1), keepdim=True)) / T).sum((-2, -1))
        ),
        "one_sum_for_the_batch": lambda maps, T: as_the_formula_says(
            maps, T, C=lambda h, T: torch.exp(h / T).sum().expand(h.shape[:-2])
        ),
        "temperature_multiplies": lambda maps, T: centroid(torch.expm1(maps * T)),
        "temperature_forgotten": lambda maps, T: what_the_blob_adds(maps, 1),
        "mean_and_centre_disagree": lambda maps, T: as_the_formula_says(
            maps.mT, T, middle=lambda W, H: [(W - 1) / 2, (H - 1) / 2]
        ),
        "row_before_column": lambda maps, T: torch.stack(what_the_blob_adds(maps, T).unbind(-1)[::-1], dim=-1),
    },
}

# The spread at a summit.

STENCILS = {
    "xx": [[0, 0, 0], [1, -2, 1], [0, 0, 0]],
    "yy": [[0, 1, 0], [0, -2, 0], [0, 1, 0]],
    "xy": [[0.25, 0, -0.25], [0, 0, 0], [-0.25, 0, 0.25]],
}


def derivative(h, name):
    """Return a second difference by its stencil."""
    return (h * torch.tensor(STENCILS[name], dtype=h.dtype)).sum((-2, -1))


def matrix(xx, xy, yy):
    """Put a symmetric matrix together."""
    return torch.stack([xx, xy, xy, yy], dim=-1).unflatten(-1, (2, 2))


def inverted(h, temperature, xx=1.0, xy=1.0, yy=1.0, sign=1.0):
    """Write the inverse out, with a factor on each derivative."""
    a, b, c = -sign * xx * derivative(h, "xx"), -sign * xy * derivative(h, "xy"), -sign * yy * derivative(h, "yy")
    return temperature * matrix(c, -b, a) / (a * c - b * b)[..., None, None]


def solved(h, temperature):
    """Solve for the identity."""
    H = matrix(*(derivative(h, name) for name in ("xx", "xy", "yy")))
    return torch.linalg.solve(-H / temperature, torch.eye(2, dtype=h.dtype).expand_as(H))


def in_a_loop(h, temperature):
    """Use NumPy, one summit after the other."""
    answers = []
    for nine in h.reshape(-1, 3, 3).numpy():
        left, middle, right = nine[1]
        above, below = nine[0, 1], nine[2, 1]
        xy = (nine[0, 0] + nine[2, 2] - nine[0, 2] - nine[2, 0]) / 4
        H = np.array([[left - 2 * middle + right, xy], [xy, above - 2 * middle + below]])
        answers.append(np.linalg.inv(-H / temperature))
    return torch.from_numpy(np.stack(answers)).reshape(*h.shape[:-2], 2, 2)


def curvature(h, temperature):
    """Forget to invert."""
    return matrix(*(-temperature * derivative(h, name) for name in ("xx", "xy", "yy")))


def transposed(h, temperature):
    """Read the rows as x."""
    return inverted(h.mT, temperature)


LAPLACE_COVARIANCE = {
    "golds": [inverted, solved, in_a_loop],
    "twins": {
        "minus_forgotten": lambda h, T: inverted(h, T, sign=-1.0),
        "temperature_forgotten": lambda h, T: inverted(h, 1.0),
        "temperature_divides": lambda h, T: inverted(h, 1 / T),
        "not_inverted": curvature,
        "divided_not_inverted": lambda h, T: curvature(h, 1 / T),
        "logarithm_taken": lambda h, T: inverted(torch.log(h), T),
        "corners_halved": lambda h, T: inverted(h, T, xy=2.0),
        "inverted_number_by_number": lambda h, T: T**2 * curvature(h, T).pow(-1),
        "axes_exchanged": transposed,
        "corners_not_quartered": lambda h, T: inverted(h, T, xy=4.0),
        "mixed_forgotten": lambda h, T: inverted(h, T, xy=0.0),
        "mixed_with_wrong_sign": lambda h, T: inverted(h.flip(-1), T),
    },
}

# The best temperature.


def differences(maps, truth, T):
    """Return (x, y) of the mean place less the truth."""
    p = torch.softmax(maps.flatten(-2) / T, dim=-1).reshape(maps.shape)
    return centroid(p) - truth


def one_after_the_other(maps, truth, temperatures):
    """Keep the best so far."""
    best, least, errors = None, math.inf, []
    for T in temperatures:
        errors.append(torch.sqrt(torch.mean(differences(maps, truth, T) ** 2)))
        if errors[-1] < least:
            best, least = T, errors[-1]
    return best, torch.stack(errors)


def tried(maps, truth, temperatures, error, inverse=False):
    """Return every temperature's error."""
    return torch.stack([error(differences(maps, truth, 1 / T if inverse else T)) for T in temperatures])


def root_mean_square(away):
    """Return √(mean of squares)."""
    return away.pow(2).mean() ** 0.5


def all_at_once(maps, truth, temperatures):
    """Stack the maps of all temperatures."""
    T = torch.tensor(temperatures, dtype=maps.dtype)
    p = flattened(maps / T.reshape(-1, *[1] * maps.ndim), 1.0)
    errors = (centroid(p) - truth).square().flatten(1).mean(1).sqrt()
    return T[errors.argmin()].item(), errors


def smallest(error, inverse=False):
    """Return a search for the temperature with the smallest of some error."""

    def search(maps, truth, temperatures):
        errors = tried(maps, truth, temperatures, error, inverse)
        return min(zip(errors.tolist(), temperatures, strict=True))[1], errors

    return search


def pick(choose):
    """Return a search that gets the errors right and the answer wrong."""

    def search(maps, truth, temperatures):
        errors = tried(maps, truth, temperatures, root_mean_square)
        return choose(errors.tolist(), temperatures), errors

    return search


def exchanged(maps, truth, temperatures):
    """Compare (row, column) with (x, y)."""
    places = [differences(maps, torch.zeros_like(truth), T) for T in temperatures]
    errors = [root_mean_square(place[..., [1, 0]] - truth) for place in places]
    return temperatures[int(np.argmin(errors))], torch.stack(errors)


BEST_TEMPERATURE = {
    "golds": [one_after_the_other, all_at_once, smallest(root_mean_square)],
    "twins": {
        "temperature_multiplies": smallest(root_mean_square, inverse=True),
        "place_in_the_list": pick(lambda errors, T: errors.index(min(errors))),
        "largest_error": pick(lambda errors, T: T[errors.index(max(errors))]),
        "least_error_itself": pick(lambda errors, T: min(errors)),
        "bias_for_error": smallest(lambda away: torch.abs(torch.mean(away))),
        "mean_of_sizes": smallest(lambda away: away.square().sqrt().mean()),
        "root_before_the_maps": smallest(lambda away: (torch.linalg.vector_norm(away, dim=-1) / math.sqrt(2)).mean()),
        "spread_without_bias": smallest(lambda away: ((away - away.mean()).square().sum() / (away.numel() - 1)).sqrt()),
        "mean_distance": smallest(lambda away: torch.hypot(*away.unbind(-1)).mean()),
        "both_axes_added": smallest(lambda away: root_mean_square(away) * math.sqrt(2)),
        "root_forgotten": smallest(lambda away: away.pow(2).mean()),
        "row_before_column": exchanged,
    },
}

ANSWERS = {
    "spatial_softmax": SPATIAL_SOFTMAX,
    "debiased_soft_argmax": DEBIASED_SOFT_ARGMAX,
    "laplace_covariance": LAPLACE_COVARIANCE,
    "best_temperature": BEST_TEMPERATURE,
}
