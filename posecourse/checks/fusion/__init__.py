"""Fusion: independent errors, correlated ones, claims that are mended first, and errors that nobody knows enough of.

Lesson: 06.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from posecourse import calibration, fusion
from posecourse.checks.fusion import claims, ellipses, independent, joint
from posecourse.lesson import Exercise

__all__ = ["correlated", "covariance_intersection", "inverse_variance", "variance_scale"]


def views_and_variances(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield two to five views of points, some without a batch, far from 0; one view knows nothing, some hardly err.

    Variances vary tenfold, and x and y of one point have unlike ones.
    """
    for shape, dtype in (
        ((2, 2), torch.float64),
        ((3, 4, 2), torch.float32),
        ((5, 3, 2), torch.float64),
        ((2, 3, 5, 2), torch.float64),
        ((4, 3, 2), torch.float64),
    ):
        means = 20 + 6 * torch.randn(shape, generator=generator, dtype=dtype)
        variances = torch.exp(0.8 + 1.1 * torch.randn(shape, generator=generator, dtype=dtype))
        if shape[0] == 4:
            variances[1, 2, 0] = math.inf
        if shape[0] == 5:
            variances *= 1e-6
        yield means, variances


def views_and_covariances(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield two to four views of points with correlated errors, some so much that a weight is negative."""
    for V, places, dtype in (
        (2, (), torch.float64),
        (3, (4,), torch.float32),
        (2, (5,), torch.float64),
        (4, (3,), torch.float64),
        (3, (4, 5), torch.float64),
    ):
        means = 20 + 6 * torch.randn(V, *places, 2, generator=generator, dtype=dtype)
        sigma = 1.3 * 2.2 ** torch.rand(*places, 2, V, generator=generator, dtype=dtype)
        sigma[..., 0, 0] *= 2.5  # the first view is the worst along x: its weight there is negative
        rho = 0.55 + 0.2 * torch.rand(*places, 2, 1, 1, generator=generator, dtype=dtype)
        correlation = rho + (1 - rho) * torch.eye(V, dtype=dtype)
        yield means, sigma[..., :, None] * correlation * sigma[..., None, :]


def errors_and_claims(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield errors with a bias, larger or smaller than claimed, other ones along x than along y."""
    for shape, times, dtype in (
        ((2,), 3.0, torch.float64),
        ((7, 2), 2.6, torch.float64),
        ((5, 3, 2), 0.4, torch.float32),
        ((4, 6, 3, 2), 3.4, torch.float64),
    ):
        variances = torch.exp(0.5 + 0.8 * torch.randn(shape, generator=generator, dtype=dtype))
        white = 0.5 + torch.randn(shape, generator=generator, dtype=dtype) * torch.tensor([0.8, 1.3]).to(dtype)
        yield (times * variances).sqrt() * white, variances


def two_ellipses(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield two views of one point: ellipses that lie across each other, of unlike size and shape.

    One pair is a small circle in a large one, which the search should leave alone.
    """
    for larger, thinner, dtype in (
        (1.5, 2.6, torch.float64),
        (0.6, 1.9, torch.float64),
        (1.7, 3.1, torch.float32),
        (0.5, 2.3, torch.float64),
        (4.0, 1.0, torch.float64),
    ):
        means = 20 + 4 * torch.randn(2, 2, generator=generator, dtype=torch.float64)
        angle = math.pi * torch.rand((), generator=generator, dtype=torch.float64)
        across = angle + math.pi / 2 + 0.5 * torch.rand((), generator=generator, dtype=torch.float64) - 0.25
        first = _ellipse(angle, 1.4, 1.4 * thinner if thinner > 1 else 1.4)
        second = _ellipse(across, 1.4 * larger, 1.4 * larger * (1 + 0.7 * thinner if thinner > 1 else 1))
        yield means.to(dtype), torch.stack([first, second]).to(dtype)


def _ellipse(angle: Tensor, narrow: float, wide: float) -> Tensor:
    """Return the covariance of an ellipse whose long axis lies at an angle."""
    turn = torch.stack([torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])])
    return turn @ torch.diag(turn.new_tensor([wide**2, narrow**2])) @ turn.mT


class _Ours:
    """The package's functions, as far as the lesson asks for them."""

    @staticmethod
    def variance_scale(errors: Tensor, variances: Tensor) -> Tensor:
        """Return the factor where all errors count."""
        return calibration.variance_scale(errors, variances)


inverse_variance = Exercise(
    reference=fusion.inverse_variance,
    probe=views_and_variances,
    coals=independent.COALS,
)

correlated = Exercise(
    reference=fusion.correlated,
    probe=views_and_covariances,
    coals=joint.COALS,
    tolerance=1e-4,
)

variance_scale = Exercise(
    reference=_Ours.variance_scale,
    probe=errors_and_claims,
    coals=claims.COALS,
)

covariance_intersection = Exercise(
    reference=fusion.covariance_intersection,
    probe=two_ellipses,
    coals=ellipses.COALS,
    tolerance=2e-2,  # a search in steps of a hundredth is right
)
