"""What a limb's length is worth, in closed form: the share of the squared error that a projection leaves.

Both ends are seen with independent Gaussian noise, of variance v_p and v_c an axis in D dimensions, so that before
anything is done the pair's squared error is D·(v_p + v_c). To leading order in noise over length only the component
along the limb is touched: of its two unknowns, where the limb is and how long it is, the length is now known.
"""

import math

__all__ = ["break_even", "exact_left_of_mse", "left_of_mse", "left_when_foreshortened"]


def left_of_mse(
    dimensions: int = 2,
    *,
    share: float = 0.5,
    variances: tuple[float, float] = (1.0, 1.0),
    wrong_by: float = 0.0,
) -> float:
    """Return which share of a pair's squared error is left after projection onto a length, to leading order.

    1 − 1/(2D) + d²/(4Dσ²) for equal variances σ², moved by half each; in general, with w the parent's share,

    [(D − 1)·(v_p + v_c) + 2·((1 − w)²·v_p + w²·v_c) + (w² + (1 − w)²)·d²] / (D·(v_p + v_c))

    so .75 in a picture, .833 in space; 1 for w = 0, the child alone, when the parent is as noisy, and ½ in a picture
    when the parent is exact. The best share is w = v_p/(v_p + v_c). What is left out is
    of order v/L² and, with a wrong length, d/L: `exact_left_of_mse` has it.

    Args:
        dimensions: D, 2 in a picture, 3 in space.
        share: w, which part of the excess the parent takes; 0 moves the child alone.
        variances: v_p and v_c, of the parent and of the child, an axis, in square units; one of them may be 0.
        wrong_by: d, how much the assumed length is wrong, in units.

    Raises:
        ValueError: no dimension, variances that are negative or both 0.

    Source: the error of a Gaussian estimate under one linear constraint; see any text on restricted least squares.
    Lesson: 09.
    """
    p, c = _checked_variances(variances)
    if dimensions < 1:
        raise ValueError(f"dimensions must be 2 in a picture or 3 in space; got {dimensions}.")
    along = 2 * ((1 - share) ** 2 * p + share**2 * c) + (share**2 + (1 - share) ** 2) * wrong_by**2
    return ((dimensions - 1) * (p + c) + along) / (dimensions * (p + c))


def break_even(*, share: float = 0.5, variances: tuple[float, float] = (1.0, 1.0)) -> float:
    """Return how wrong a length may be, |d|, until projecting onto it does more harm than good, to leading order.

    √2·σ for equal variances σ² and w = ½, in any number of dimensions; in general where `left_of_mse` is 1:

    d² = [v_p + v_c − 2·((1 − w)²·v_p + w²·v_c)] / (w² + (1 − w)²), or 0 where that is negative

    Args:
        share: w, which part of the excess the parent takes.
        variances: v_p and v_c an axis, in square units.

    Raises:
        ValueError: variances that are negative or both 0.

    Lesson: 09.
    """
    p, c = _checked_variances(variances)
    gained = p + c - 2 * ((1 - share) ** 2 * p + share**2 * c)
    return math.sqrt(max(0.0, gained) / (share**2 + (1 - share) ** 2))


def exact_left_of_mse(true_length: float, assumed_length: float, sigma: float, dimensions: int = 2) -> float:
    """Return which share of a pair's squared error symmetric projection leaves, however short the limb is.

    ½ + [ℓ² + L² − 2·ℓ·L·c] / (4Dσ²), where the mean of the ends keeps its half of the error and c is the mean cosine
    between the true and the seen direction, of a difference with noise s = √2·σ an axis; with a = ℓ/s it is

    √(π/8)·a·e^(−a²/4)·[I₀(a²/4) + I₁(a²/4)] for D = 2,  (1 − 1/a²)·erf(a/√2) + √(2/π)·e^(−a²/2)/a for D = 3

    For long limbs c ≈ 1 − (D − 1)/(2a²), and this is `left_of_mse` up to the order σ²/L².

    Args:
        true_length: ℓ, the distance between the true ends, in these dimensions; positive.
        assumed_length: L, the distance that is imposed.
        sigma: σ, of the noise on each end, an axis; positive.
        dimensions: D, 2 or 3.

    Raises:
        ValueError: a length or `sigma` is not positive, or `dimensions` is neither 2 nor 3.

    Source: the mean resultant length of the projected normal distribution (Mardia and Jupp 2000, section 3.5.6).
    Lesson: 09.
    """
    for value, name in ((true_length, "true_length"), (assumed_length, "assumed_length"), (sigma, "sigma")):
        if not value > 0:
            raise ValueError(f"{name} must be positive; got {value}.")
    cosine = _mean_cosine(true_length / (math.sqrt(2) * sigma), dimensions)
    apart = true_length**2 + assumed_length**2 - 2 * true_length * assumed_length * cosine
    return 0.5 + apart / (4 * dimensions * sigma**2)


def left_when_foreshortened(length: float, sigma: float) -> float:
    """Return `exact_left_of_mse` in a picture, over limbs of one length in space that point anywhere.

    The seen length ℓ = L·√(1 − z²) has z uniform in [0, 1]; an equality imposes L on all of them. To leading order
    ¾ + L²·(5/3 − π/2)/(8σ²), severalfold the error that it was to reduce. An upper bound, L, never does harm.

    Args:
        length: L, in space, in the unit of the picture; positive.
        sigma: σ, of the noise on each end, an axis; positive.

    Raises:
        ValueError: one of them is not positive.

    Lesson: 09.
    """
    from scipy.integrate import quad

    # z = cos t: the seen length is then L·sin t, smooth at both ends.
    value, _ = quad(lambda t: math.sin(t) * exact_left_of_mse(length * math.sin(t), length, sigma), 0, math.pi / 2)
    return float(value)


def _mean_cosine(a: float, dimensions: int) -> float:
    """Return the mean of cos ∠(m, m + n) for a vector m of length a and standard normal n."""
    from scipy.special import erf, i0e, i1e

    if dimensions == 2:
        return float(math.sqrt(math.pi / 8) * a * (i0e(a**2 / 4) + i1e(a**2 / 4)))
    if dimensions != 3:
        raise ValueError(f"dimensions must be 2 in a picture or 3 in space; got {dimensions}.")
    if a < 1e-3:  # the two terms cancel; the series is 2/3·√(2/π)·a
        return a * math.sqrt(8 / (9 * math.pi))
    return float((1 - 1 / a**2) * erf(a / math.sqrt(2)) + math.sqrt(2 / math.pi) * math.exp(-(a**2) / 2) / a)


def _checked_variances(variances: tuple[float, float]) -> tuple[float, float]:
    p, c = variances
    if not (p >= 0 and c >= 0 and p + c > 0):
        raise ValueError(f"variances must not be negative, nor both 0; got {p} and {c}.")
    return p, c
