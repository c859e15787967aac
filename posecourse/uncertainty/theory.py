"""What a spread can promise, in closed form: the ceiling of a perfect σ, and dropout beside Bayes on a linear layer.

Lesson: 08.
"""

import math
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.shapes import require_count, require_positive, require_tensors

__all__ = ["bayesian_variance", "dropout_variance", "perfect_correlation"]

Numbers = TypeVar("Numbers", float, Tensor)


def perfect_correlation(c: Numbers, dimensions: int) -> Numbers:
    """Return the correlation (Pearson's) of σ with the size of the error where σ is exactly right.

    ρ = m·c / √(D·(1 + c²) − m²),  m = E‖z‖ = √2·Γ((D + 1)/2) / Γ(D/2):  √(2/π) for D = 1, √(π/2) for D = 2

    Errors are Gaussian given σ, the same along each of D axes, so a large σ can be lucky and a small one cannot: for c
    = .5 nobody passes .51 in one dimension and .65 in two. Even if σ varies without bounds it is m/√D: .80, .89.

    Args:
        c: coefficient of variation of σ over the predictions, its standard deviation over its mean; positive.
        dimensions: D; 2 for distances in a picture.

    Raises:
        ValueError: c is not positive and finite, or D no positive whole number.

    Source: the moments of the product of σ and an independent ‖z‖.
    """
    require_positive(c, "c")
    require_count(dimensions, "dimensions")
    m = math.sqrt(2) * math.exp(math.lgamma((dimensions + 1) / 2) - math.lgamma(dimensions / 2))
    return m * c / (dimensions * (1 + c**2) - m**2) ** 0.5


def dropout_variance(weight: Float[Tensor, "O I"], x: Float[Tensor, "*B I"], p: float) -> Float[Tensor, "*B O"]:
    """Return the variance that dropout before a linear layer gives its answer: p/(1 − p)·Σ w²·x².

    Each input is 0 with the probability p, else x/(1 − p): mean x, variance x²·p/(1 − p), independent. There is no n in
    it: more data changes it only as far as it changes w.

    Args:
        weight: w, as `nn.Linear.weight`.
        x: the inputs before dropout.
        p: probability that an input is dropped; at least 0 and below 1.

    Raises:
        ValueError: p is out of its bounds, or the sizes disagree.

    Source: Srivastava et al. 2014, section 9.1; Osband 2016 for what it says about Bayes.
    """
    require_tensors(weight=weight, x=x)
    if not 0 <= p < 1:
        raise ValueError(f"p must be a probability, at least 0 and below 1; got {p}.")
    if weight.ndim != 2 or x.shape[-1:] != weight.shape[1:]:
        raise ValueError(f"weight must be (O, I) and x (..., I); got {tuple(weight.shape)} and {tuple(x.shape)}.")
    return p / (1 - p) * x.square() @ weight.square().mT


def bayesian_variance(
    inputs: Float[Tensor, "n I"], x: Float[Tensor, "*B I"], noise: float, ridge: float = 0.0
) -> Float[Tensor, "*B"]:
    """Return how unsure linear regression is of its answer at x, having seen n inputs: noise·xᵀ·(XᵀX + ridge·I)⁻¹·x.

    XᵀX grows as n, so this falls as 1/n. It is the posterior variance of wᵀx without the noise of a new measurement,
    for the prior w ~ N(0, noise/ridge·I); with ridge = 0 also the variance of least squares over data sets.

    Args:
        inputs: X, the rows that were trained on. For an intercept give a column of ones.
        x: where it is asked.
        noise: variance of one measurement; positive.
        ridge: noise over the prior's variance of each weight; not negative.

    Raises:
        ValueError: sizes disagree, the noise is not positive, the ridge is negative, or there is no answer: fewer
            independent rows than columns and no ridge.

    Source: Bishop 2006, equations 3.53, 3.54 and 3.59, less their 1/β.
    """
    require_tensors(inputs=inputs, x=x)
    require_positive(noise, "noise")
    if ridge < 0:
        raise ValueError(f"ridge must not be negative; got {ridge}.")
    if inputs.ndim != 2 or x.shape[-1:] != inputs.shape[1:]:
        raise ValueError(f"inputs must be (n, I) and x (..., I); got {tuple(inputs.shape)} and {tuple(x.shape)}.")
    gram = inputs.mT @ inputs + ridge * torch.eye(inputs.shape[1]).to(inputs)
    root, failed = torch.linalg.cholesky_ex(gram)
    if bool(failed) or bool(root.diagonal().min() ** 2 < 8 * torch.finfo(gram.dtype).eps * gram.diagonal().max()):
        raise ValueError("inputs leave some weights open: give more independent rows than columns, or a ridge > 0.")
    reach = torch.linalg.solve_triangular(root, x.reshape(-1, x.shape[-1]).mT, upper=False)
    return noise * reach.square().sum(0).reshape(x.shape[:-1])
