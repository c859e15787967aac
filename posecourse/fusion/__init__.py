"""When are two heads better than one? Several estimates of one point are made one, and it is known what that promises.

Every rule here is the best one under an assumption, and returns beside the point the variance that it has *if* the
assumption holds: `inverse_variance` that errors are independent, unbiased, and as large as claimed; `correlated` that
their covariance is known; `covariance_intersection` nothing about how they hang together. `thresholds` are the closed
forms for what happens where the first assumption fails, and from where on a single estimate would have been better.
"""

from posecourse.fusion.correlation import best_weights, correlated
from posecourse.fusion.independent import Fused, inverse_variance
from posecourse.fusion.intersection import Intersection, covariance_intersection
from posecourse.fusion.thresholds import (
    break_even_bias,
    harmful_claim,
    harmful_correlation,
    naive_variance,
    negative_weight_correlation,
)

__all__ = [
    "Fused",
    "Intersection",
    "best_weights",
    "break_even_bias",
    "correlated",
    "covariance_intersection",
    "harmful_claim",
    "harmful_correlation",
    "inverse_variance",
    "naive_variance",
    "negative_weight_correlation",
]
