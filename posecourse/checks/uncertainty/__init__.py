"""Uncertainty: dropout that is on alone, answers that scatter, two parts of a variance, a curve, and a radius.

Lesson: 08.
"""

from collections import OrderedDict
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from posecourse import seeding, uncertainty
from posecourse.checks.uncertainty import contexts, curves, draws, parts, radii
from posecourse.checks.uncertainty.instruments import Scattering, asked, entered
from posecourse.lesson import Exercise

__all__ = ["conformal_radius", "dropout_active", "mc_dropout", "sparsification", "split_uncertainty"]


def networks_of_unlike_modes(generator: torch.Generator) -> Iterator[tuple[nn.Module]]:
    """Yield networks with dropout at the top and within blocks: one in training, two with a mixture, one evaluated."""
    for training, unlike in ((True, ()), (True, ("norm", "block.norm")), (False, ("drop", "block.norm")), (False, ())):
        p = 0.1 + 0.5 * float(torch.rand((), generator=generator))
        deep = nn.Sequential(OrderedDict(norm=nn.BatchNorm2d(3), drop=nn.Dropout3d(p), drop1=nn.Dropout1d(p)))
        block = nn.Sequential(OrderedDict(drop=nn.Dropout(p), norm=nn.BatchNorm2d(3), deep=deep))
        model = nn.Sequential(OrderedDict(norm=nn.BatchNorm2d(3), drop=nn.Dropout2d(p), block=block)).train(training)
        for name in unlike:
            model.get_submodule(name).train(not training)
        yield (model,)


def networks_pictures_and_generators(
    generator: torch.Generator,
) -> Iterator[tuple[Scattering, Tensor, int, torch.Generator]]:
    """Yield estimators in evaluation mode, pictures, and how often to ask: never as often as there are pictures."""
    for B, (H, W), K, samples, p in ((3, (4, 6), 2, 5, 0.4), (4, (5, 3), 3, 3, 0.5)):
        images = torch.rand(B, 3, H, W, generator=generator, dtype=torch.float64)
        with seeding.fork(generator):
            model = Scattering(images, K, p).eval()
        yield model, images, samples, seeding.generator(int(torch.randint(2**31, (), generator=generator)))


def means_and_variances(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield three to seven answers to points far from 0, some without a batch, and variances that differ manifold."""
    for shape, dtype in (
        ((3, 4, 2), torch.float64),
        ((4, 5, 2), torch.float32),
        ((5, 2, 3, 2), torch.float64),
        ((7, 3, 5, 2), torch.float64),
    ):
        places = (3 if dtype == torch.float32 else 20) * (
            1 + 2 * torch.rand(shape[1:], generator=generator, dtype=dtype)
        )
        means = places + 2.5 * torch.randn(shape, generator=generator, dtype=dtype)
        yield means, torch.exp(1.2 + torch.randn(shape, generator=generator, dtype=dtype))


def errors_uncertainties_and_fractions(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor, list[float]]]:
    """Yield errors, uncertainties that know something of them, no two alike, and fractions that are whole numbers of n.

    Every n is a multiple of 8 and every fraction one of an eighth, so that nothing depends on how f·n is rounded.
    """
    for n, eighths, dtype in (
        (8, (0, 1, 3, 6), torch.float64),
        (24, (1, 2, 5), torch.float32),
        (40, (0, 2, 4, 7), torch.float64),
    ):
        sigma = torch.exp(0.9 * torch.randn(n, generator=generator, dtype=dtype))
        errors = 3 * sigma * torch.randn(n, 2, generator=generator, dtype=dtype).norm(dim=-1) + 0.5
        steps = torch.linspace(0, 0.01, n, dtype=dtype)[torch.randperm(n, generator=generator)]
        unsure = sigma * torch.exp(0.3 * torch.randn(n, generator=generator, dtype=dtype)) + 0.7 + steps
        yield errors, unsure, [k / 8 for k in eighths]


def scores_and_levels(generator: torch.Generator) -> Iterator[tuple[Tensor, float]]:
    """Yield scores without order and without a Gaussian, as many as a level needs, more, and too few.

    (n + 1)·level is a whole number without rounding, or far from one.
    """
    for n, level, dtype in (
        (3, 0.75, torch.float64),
        (2, 0.75, torch.float64),
        (12, 0.625, torch.float32),
        (15, 0.85, torch.float64),
        (26, 0.9, torch.float64),
        (43, 0.7, torch.float64),
    ):
        scores = 3 + 5 * torch.exp(0.8 * torch.randn(n, generator=generator, dtype=dtype))
        yield scores + 0.01 * torch.arange(n, dtype=dtype), level


class _Ours:
    """The package's functions, as far as the lesson asks for them."""

    @staticmethod
    def mc_dropout(model: Scattering, images: Tensor, samples: int, *, generator: torch.Generator) -> Tensor:
        """Return (S B K 2)."""
        return uncertainty.mc_dropout(model, images, samples, generator=generator)

    @staticmethod
    def sparsification(errors: Tensor, uncertainties: Tensor, fractions: list[float]) -> Tensor:
        """Return a mean for each fraction."""
        return uncertainty.sparsification(errors, uncertainties, fractions)


dropout_active = Exercise(
    reference=uncertainty.dropout_active,
    probe=networks_of_unlike_modes,
    coals=contexts.COALS,
    use=entered,
)

mc_dropout = Exercise(
    reference=_Ours.mc_dropout,
    probe=networks_pictures_and_generators,
    coals=draws.COALS,
    use=asked,
)

split_uncertainty = Exercise(
    reference=uncertainty.split_uncertainty,
    probe=means_and_variances,
    coals=parts.COALS,
    tolerance=1e-4,
)

sparsification = Exercise(
    reference=_Ours.sparsification,
    probe=errors_uncertainties_and_fractions,
    coals=curves.COALS,
    tolerance=1e-5,
)

conformal_radius = Exercise(
    reference=uncertainty.conformal_radius,
    probe=scores_and_levels,
    coals=radii.COALS,
)
