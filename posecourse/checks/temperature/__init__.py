"""Temperature: a softmax over places, its background's pull, its spread, and the value with the least error.

Lesson: 03.
"""

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from posecourse import decode, heatmaps
from posecourse.checks.temperature import debiasing, search, softmax, spread
from posecourse.lesson import Exercise

__all__ = ["best_temperature", "debiased_soft_argmax", "laplace_covariance", "spatial_softmax"]


def logits_and_temperatures(generator: torch.Generator) -> Iterator[tuple[Tensor, float]]:
    """Yield maps that are not square, and temperatures, some of them so cold that exp(h / T) leaves the numbers.

    The maps of one batch lie at different levels, so that one maximum does not serve them all, and the cells of one map
    so far apart that its minimum does not serve it. One input is too cold for float64, too.
    """
    for shape, T, dtype in (
        ((3, 5, 7), 0.4, torch.float64),
        ((2, 3, 9, 6), 2.7, torch.float64),
        ((4, 6, 11), 0.02, torch.float32),
        ((2, 2, 10, 8), 0.004, torch.float64),
        ((2, 2, 3, 8, 5), 0.6, torch.float32),
    ):
        level = torch.linspace(-5, 3, math.prod(shape[:-2]), dtype=dtype).reshape(*shape[:-2], 1, 1)
        yield level + 2.5 * torch.rand(shape, generator=generator, dtype=dtype), T


def blobs_on_nothing(generator: torch.Generator) -> Iterator[tuple[Tensor, float]]:
    """Yield blobs of several heights on a background of exactly 0, off the centre of maps that are not square."""
    for shape, size, T, dtype in (
        ((1,), (7, 12), 0.5, torch.float64),
        ((3,), (13, 8), 0.3, torch.float32),
        ((2, 3), (9, 14), 0.6, torch.float64),
        ((2, 2, 3), (11, 6), 1.7, torch.float64),
    ):
        H, W = size
        unit = torch.rand(*shape, 2, generator=generator, dtype=dtype)
        corner = torch.tensor([W / 2, H / 2], dtype=dtype)
        height = 0.8 + torch.rand(*shape, 1, 1, generator=generator, dtype=dtype)
        maps = height * heatmaps.gaussian_heatmaps(unit * (corner - 1.5) + 0.4, size, 1.3)
        yield torch.where(maps > 1e-2, maps, 0), T


def summits(generator: torch.Generator) -> Iterator[tuple[Tensor, float]]:
    """Yield the nine cells around the summits of slanting blobs, and temperatures."""
    row, column = torch.meshgrid(torch.arange(-1.0, 2.0), torch.arange(-1.0, 2.0), indexing="ij")
    places = torch.stack([column, row], dim=-1).double()
    for shape, T in (((), 0.4), ((3,), 2.7), ((2, 3), 0.15)):
        root = torch.randn(*shape, 2, 2, generator=generator, dtype=torch.float64)
        precision = 0.2 * root @ root.mT + torch.tensor([[0.3, 0.1], [0.1, 0.5]]).double()
        offset = 0.6 * torch.rand(*shape, 1, 1, 2, generator=generator, dtype=torch.float64) - 0.3
        away = places - offset
        squared = torch.einsum("...hwi,...ij,...hwj->...hw", away, precision, away)
        yield 1.6 * torch.exp(-squared / 2), T


def maps_truth_and_temperatures(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor, Sequence[float]]]:
    """Yield noisy blobs, their places, and temperatures in no order: the best is at no end, nor before the first rise.

    In float32, so that errors are of the same type whether they were collected as tensors or as numbers.
    """
    for shape, size, temperatures in (
        ((40,), (15, 22), [0.3, 0.9, 0.09, 0.02, 0.16]),
        ((12, 3), (23, 16), [0.015, 0.25, 0.09, 0.6, 0.05]),
        ((4, 3, 5), (13, 18), [0.2, 0.5, 0.1, 0.03]),
    ):
        H, W = size
        unit = torch.rand(*shape, 2, generator=generator)
        truth = 2.5 + unit * torch.tensor([W - 9.0, H - 7.0])
        noise = torch.randn(*shape, H, W, generator=generator)
        yield heatmaps.gaussian_heatmaps(truth, size, 1.4) + 0.04 * noise, truth, temperatures


class _Ours:
    """The package's functions, as far as the lesson asks for them."""

    @staticmethod
    def debiased_soft_argmax(heatmaps: Tensor, temperature: float) -> Tensor:
        """Return the places alone."""
        return decode.debiased_soft_argmax(heatmaps, temperature).points

    @staticmethod
    def laplace_covariance(neighbourhoods: Tensor, temperature: float) -> Tensor:
        """Return T·(−H)⁻¹ of the cell in the middle of each 3 × 3 neighbourhood."""
        return decode.laplace_covariance(neighbourhoods[None], temperature)[0]

    @staticmethod
    def best_temperature(heatmaps: Tensor, truth: Tensor, temperatures: Sequence[float]) -> tuple[float, Tensor]:
        """Return the two answers as a plain tuple."""
        best, errors = decode.best_temperature(heatmaps, truth, temperatures)
        return best, errors


spatial_softmax = Exercise(
    reference=heatmaps.spatial_softmax,
    probe=logits_and_temperatures,
    coals=softmax.COALS,
    tolerance=1e-4,
    gradients=True,
)

debiased_soft_argmax = Exercise(
    reference=_Ours.debiased_soft_argmax,
    probe=blobs_on_nothing,
    coals=debiasing.COALS,
    tolerance=1e-4,
)

laplace_covariance = Exercise(
    reference=_Ours.laplace_covariance,
    probe=summits,
    coals=spread.COALS,
)

best_temperature = Exercise(
    reference=_Ours.best_temperature,
    probe=maps_truth_and_temperatures,
    coals=search.COALS,
    tolerance=1e-4,
)
