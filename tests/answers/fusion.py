"""Answers to the exercises on fusion: right ones, and every known mistake as somebody else would have made it."""

import numpy as np
import torch
from scipy import optimize

# Independent errors.


def by_the_formula(means, variances):
    """Write the formula down."""
    precision = (1 / variances).sum(0)
    return (means / variances).sum(0) / precision, 1 / precision


def with_shares(means, variances):
    """Make the weights sum to one first, and take the variance of the weighted sum."""
    shares = torch.softmax(-variances.log(), dim=0)
    claim = torch.where(variances.isinf(), 0, shares**2 * torch.where(variances.isinf(), 0, variances)).sum(0)
    return torch.einsum("v...,v...->...", shares, means), claim


def one_after_the_other(means, variances):
    """Fuse the first two, then the third with them, as a Kalman filter does."""
    mean, variance = means[0], variances[0]
    for m, v in zip(means[1:], variances[1:], strict=True):
        gain = torch.where(variance.isinf(), 1, 1 / (1 + v / variance))
        mean, variance = mean + gain * (m - mean), 1 / (1 / variance + 1 / v)
    return mean, variance


def through_numpy(means, variances):
    """Leave PyTorch for a moment."""
    m, v = means.numpy().astype(float), variances.numpy().astype(float)
    claim = 1.0 / np.sum(v**-1.0, axis=0)
    return tuple(torch.from_numpy(np.asarray(x)).to(means) for x in (claim * np.sum(m / v, axis=0), claim))


def weighing(weigh, claim):
    """Return an average with these weights and this variance."""

    def average(means, variances):
        w = weigh(variances)
        return torch.sum(means * (w / torch.sum(w, dim=0)), dim=0), claim(variances)

    return average


def promise(variances):
    """Return 1/Σ(1/v)."""
    return variances.reciprocal().sum(dim=0).reciprocal()


def right_mean(claim):
    """Return an answer that is right but for the variance."""
    return lambda means, variances: (by_the_formula(means, variances)[0], claim(variances))


def along(axis):
    """Return the formula along another axis."""

    def fused(means, variances):
        p = variances.pow(-1)
        return (means * p).sum(axis) / p.sum(axis), p.sum(axis).pow(-1)

    return fused


def one_weight(means, variances):
    """Mix x and y in the weights."""
    w = 2 / (variances[..., :1] + variances[..., 1:])
    return (means * w).sum(0) / w.sum(0), promise(variances)


INVERSE_VARIANCE = {
    "golds": [by_the_formula, with_shares, one_after_the_other, through_numpy],
    "twins": {
        "one_over_sigma": weighing(lambda v: v**-0.5, lambda v: 1 / (v**-0.5).sum(0)),
        "one_over_sigma_in_the_mean": weighing(lambda v: torch.rsqrt(v), promise),
        "weighted_by_sigma": weighing(torch.sqrt, promise),
        "weighted_by_variance": weighing(lambda v: v, promise),
        "variance_squared": weighing(lambda v: v**-2, lambda v: 1 / (v**-2).sum(0)),
        "plain_average": lambda means, v: (means.sum(0) / len(means), v.mean(0) / len(means)),
        "variances_averaged": right_mean(lambda v: sum(v) / len(v)),
        "harmonic_mean": right_mean(lambda v: 1 / (1 / v).mean(0)),
        "variances_added": right_mean(sum),
        "precision_returned": right_mean(lambda v: sum(1 / v)),
        "deviation_returned": right_mean(lambda v: promise(v) ** 0.5),
        "not_normalised": lambda means, v: (sum(m * (1 / u) for m, u in zip(means, v, strict=True)), promise(v)),
        "normalised_over_everything": lambda means, v: (((1 / v) / (1 / v).sum() * means).sum(0), promise(v)),
        "over_the_coordinates": along(-1),
        "over_the_batch": along(1),
        "one_weight_a_point": one_weight,
        "over_the_last_axis_but_one": along(-2),
        "zero_times_infinity": lambda means, v: (
            by_the_formula(means, v)[0],
            sum((promise(v) / u) ** 2 * u for u in v),
        ),
        "variance_first": lambda means, v: by_the_formula(means, v)[::-1],
    },
}

# Correlated errors.


def inverted(means, covariance):
    """Invert, and add up the rows."""
    inverse = torch.linalg.inv(covariance)
    total = inverse.sum((-2, -1))
    weights = inverse.sum(-1) / total[..., None]
    return (weights * means.movedim(0, -1)).sum(-1), 1 / total


def solved(means, covariance):
    """Solve for the weights, and take their variance."""
    w = torch.linalg.solve(covariance, torch.ones_like(covariance[..., 0]))
    w = w / w.sum(-1, keepdim=True)
    return torch.einsum("...v,v...->...", w, means), torch.einsum("...v,...vu,...u->...", w, covariance, w)


def with_a_multiplier(means, covariance):
    """Minimise under the condition that weights sum to one, place by place."""
    V = len(means)
    mean, variance = torch.empty_like(means[0]), torch.empty_like(means[0])
    for place in np.ndindex(*means.shape[1:]):
        system = np.ones((V + 1, V + 1))
        system[:V, :V], system[V, V] = covariance[place].double().numpy(), 0
        w = np.linalg.solve(system, np.eye(V + 1)[V])[:V]
        mean[place] = float(w @ means[(slice(None), *place)].double().numpy())
        variance[place] = float(w @ system[:V, :V] @ w)
    return mean, variance


def broken(weigh, claim=None):
    """Return an average with weights of a matrix and its inverse, and a variance of these and the weights."""

    def average(means, covariance):
        inverse = torch.linalg.inv(covariance)
        w = weigh(covariance, inverse)
        right = 1 / inverse.sum((-2, -1))
        mean = torch.einsum("...v,v...->...", w, means)
        return mean, right if claim is None else claim(covariance, inverse, w)

    return average


def shares(w):
    """Make them sum to one."""
    return w / w.sum(-1)[..., None]


def diagonal(matrix):
    """Return the diagonal."""
    return torch.stack([matrix[..., i, i] for i in range(matrix.shape[-1])], dim=-1)


def honest(C, inverse, w):
    """Return wᵀCw."""
    return (w[..., None, :] @ C @ w[..., None])[..., 0, 0]


def reciprocals(means, covariance):
    """Take 1/C for C⁻¹."""
    p = covariance.reciprocal()
    w = p.sum(-2)
    total = w.sum(-1)
    return (w.movedim(-1, 0) * means).sum(0) / total, total.reciprocal()


CORRELATED = {
    "golds": [inverted, solved, with_a_multiplier],
    "twins": {
        "off_diagonals_ignored": broken(
            lambda C, P: shares(1 / diagonal(C)), lambda C, P, w: 1 / (1 / diagonal(C)).sum(-1)
        ),
        "independent_weights": broken(lambda C, P: shares(1 / diagonal(C)), honest),
        "claim_of_independence": broken(lambda C, P: shares(P.sum(-2)), lambda C, P, w: 1 / (1 / diagonal(C)).sum(-1)),
        "inverted_number_by_number": reciprocals,
        "not_inverted": broken(lambda C, P: shares(C.sum(-2))),
        "diagonal_of_the_inverse": broken(lambda C, P: shares(diagonal(P)), lambda C, P, w: 1 / diagonal(P).sum(-1)),
        "negative_clipped": broken(lambda C, P: shares(torch.relu(shares(P.sum(-2))))),
        "negative_clipped_honestly": broken(lambda C, P: shares(torch.relu(shares(P.sum(-2)))), honest),
        "signs_dropped": broken(lambda C, P: shares(P.sum(-2).abs())),
        "not_normalised": broken(lambda C, P: P.sum(-2)),
        "precision_returned": broken(lambda C, P: shares(P.sum(-2)), lambda C, P, w: P.sum((-2, -1))),
        "plain_average": broken(lambda C, P: torch.full_like(diagonal(C), 1 / C.shape[-1]), honest),
        "deviation_returned": broken(lambda C, P: shares(P.sum(-2)), lambda C, P, w: P.sum((-2, -1)) ** -0.5),
    },
}

# The factor that mends a claim.


def mean_square_of_ratios(errors, variances):
    """Take the mean square of e / σ."""
    return (errors / variances.sqrt()).square().mean()


def counted(errors, variances):
    """Add up in a loop."""
    total = errors.new_zeros(())
    for e, v in zip(errors.flatten(), variances.flatten(), strict=True):
        total = total + e * e / v
    return total / errors.numel()


def most_likely(errors, variances):
    """Follow the likelihood's Newton steps to its maximum."""
    ratios = (errors.double() ** 2 / variances.double()).flatten()
    a = 1e-3 / ratios.mean()  # one over the scale; −ln likelihood is a·mean − ln a
    for _ in range(60):
        a = a * (2 - a * ratios.mean())
    return (1 / a).to(errors)


VARIANCE_SCALE = {
    "golds": [mean_square_of_ratios, counted, most_likely],
    "twins": {
        "root_taken": lambda e, v: ((e * e / v).sum() / e.numel()) ** 0.5,
        "upside_down": lambda e, v: e.numel() / (e * e / v).sum(),
        "ratios_turned": lambda e, v: (v.sqrt() / e).square().mean(),
        "ratio_of_means": lambda e, v: (e * e).sum() / v.sum(),
        "x_alone": lambda e, v: mean_square_of_ratios(e.unbind(-1)[0], v.unbind(-1)[0]),
        "one_for_each_axis": lambda e, v: (e * e / v).flatten(0, -2).mean(0) if e.ndim > 1 else e * e / v,
        "axes_added": lambda e, v: 2 * mean_square_of_ratios(e, v),
        "absolute_over_variance": lambda e, v: (e / v).abs().mean(),
        "absolute_over_sigma": lambda e, v: (e / v**0.5).abs().mean(),
        "variance_squared": lambda e, v: (e / v).square().mean(),
        "sigma_forgotten_to_square": lambda e, v: (e * e * torch.rsqrt(v)).mean(),
        "squared_too_late": lambda e, v: ((e * torch.rsqrt(v)).sum() / e.numel()).square(),
        "bias_removed": lambda e, v: torch.std(e * torch.rsqrt(v)) ** 2,
        "claims_ignored": lambda e, v: e.square().sum() / e.numel(),
        "one_for_each_error": lambda e, v: (e / v**0.5).square().sum(-1) / 2,
        "summed": lambda e, v: e.numel() * mean_square_of_ratios(e, v),
    },
}

# Errors that hang together in a way that nobody knows.


def searched(size=np.trace, search=None):
    """Return the ω that makes P smallest, by SciPy, as a function of both inverses."""

    def omega(A, B):
        def of(w):
            return size(np.linalg.inv(w * A + (1 - w) * B))

        return optimize.minimize_scalar(of, bounds=(0, 1), method="bounded").x if search is None else search(of)

    return omega


def grid_then_finer(of):
    """Look at 101 places, then at 101 around the best."""
    low, high = 0.0, 1.0
    for _ in range(3):
        places = np.linspace(low, high, 101)
        best = places[int(np.argmin([of(w) for w in places]))]
        low, high = max(best - 0.02 * (high - low), 0), min(best + 0.02 * (high - low), 1)
    return best


def by_thirds(of):
    """Cut a third off, again and again."""
    low, high = 0.0, 1.0
    for _ in range(60):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, right) if of(left) < of(right) else (left, high)
    return (low + high) / 2


def intersecting(omega, ends=lambda w: (w, 1 - w), mean=None, covariance=None, invert=np.linalg.inv):
    """Return the rule with whatever is to go wrong in it."""

    def fused(means, covariances):
        A, B = (invert(C) for C in covariances.double().numpy())
        m = means.double().numpy()
        w = omega(A, B)
        a, b = ends(w)
        P = np.linalg.inv(a * A + b * B)
        x = P @ (a * A @ m[0] + b * B @ m[1]) if mean is None else mean(w, A, B, m, P)
        return tuple(torch.tensor(v, dtype=means.dtype) for v in (x, P if covariance is None else covariance(P)))

    return fused


def in_torch(means, covariances):
    """Look at a thousand and one ω at once."""
    first, second = covariances.double()
    w = torch.linspace(0, 1, 1001, dtype=torch.float64)[:, None, None]
    P = torch.linalg.inv(w * first.inverse() + (1 - w) * second.inverse())
    best = int((P[:, 0, 0] + P[:, 1, 1]).argmin())
    mean = P[best] @ (
        w[best] * first.inverse() @ means[0].double() + (1 - w[best]) * second.inverse() @ means[1].double()
    )
    return mean.to(means), P[best].to(means)


def smaller(means, covariances):
    """Choose one of the two."""
    first = covariances[0].trace() <= covariances[1].trace()
    return (means[0], covariances[0]) if first else (means[1], covariances[1])


BEST = searched()


def in_hundredths(A, B):
    """Try 0, .01, .02, … 1, as the text asks for two digits."""
    return min(np.linspace(0, 1, 101), key=lambda w: np.trace(np.linalg.inv(w * A + (1 - w) * B)))


COVARIANCE_INTERSECTION = {
    "golds": [
        intersecting(BEST),
        intersecting(searched(search=grid_then_finer)),
        intersecting(searched(search=by_thirds)),
        in_torch,
        intersecting(in_hundredths),
    ],
    "twins": {
        "taken_for_independent": intersecting(lambda A, B: 1.0, ends=lambda w: (w, w)),
        "half_and_half": intersecting(lambda A, B: 0.5),
        "covariances_averaged": lambda m, C: ((m[0] + m[1]) / 2, (C[0] + C[1]) / 2),
        "better_of_the_two": smaller,
        "least_information": intersecting(lambda A, B: 1.0 if np.trace(A) < np.trace(B) else 0.0),
        "determinant_minimised": intersecting(searched(size=np.linalg.det)),
        "omega_on_the_wrong_view": intersecting(BEST, ends=lambda w: (1 - w, w)),
        "omega_swapped_in_the_mean": intersecting(
            BEST, mean=lambda w, A, B, m, P: P @ ((1 - w) * A @ m[0] + w * B @ m[1])
        ),
        "means_mixed_by_omega": intersecting(BEST, mean=lambda w, A, B, m, P: w * m[0] + (1 - w) * m[1]),
        "omega_forgotten_in_the_mean": intersecting(BEST, mean=lambda w, A, B, m, P: P @ (A @ m[0] + B @ m[1])),
        "mean_not_normalised": intersecting(BEST, mean=lambda w, A, B, m, P: w * A @ m[0] + (1 - w) * B @ m[1]),
        "precision_returned": intersecting(BEST, covariance=np.linalg.inv),
        "off_diagonals_ignored": intersecting(BEST, invert=lambda C: np.diag(1 / np.diag(C))),
    },
}

CORRELATED["helped"] = [lambda means, C: ((torch.linalg.inv(C).sum(-1) * means).sum(-1), means[0])]
VARIANCE_SCALE["helped"] = [lambda errors, variances: (errors**2 / variances).mean(-1)]
COVARIANCE_INTERSECTION["helped"] = [
    lambda means, both: (means[0], torch.linalg.inv(torch.linspace(0, 1, 201) * torch.linalg.inv(both[0])))
]

ANSWERS = {
    "inverse_variance": INVERSE_VARIANCE,
    "correlated": CORRELATED,
    "variance_scale": VARIANCE_SCALE,
    "covariance_intersection": COVARIANCE_INTERSECTION,
}
