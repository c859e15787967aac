"""Constraints: one limb drawn to its length, one to at most its length, a skeleton, and a loss of lengths.

Lesson: 09.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from posecourse import constraints
from posecourse.checks.constraints import bounds, lengths, limbs, skeletons
from posecourse.lesson import Exercise

__all__ = ["bounded_limb", "limb_loss", "project_limb", "project_skeleton"]

Limbs = Sequence[tuple[int, int]]

TREES: Sequence[Limbs] = (
    ((0, 1), (1, 2), (2, 3)),
    ((2, 0), (0, 1), (1, 3), (3, 4), (1, 4)),
    ((0, 1), (0, 2), (2, 3), (0, 4), (4, 5)),
)
"""A chain of four keypoints, a loop with a tail, a star: in no two does a limb have the place of its ends."""


def ends_and_lengths(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor | float]]:
    """Yield limbs that are too long and too short, in a picture and in space; in one batch the ends of one meet."""
    for shape, D, dtype in (
        ((), 2, torch.float64),
        ((5,), 2, torch.float64),
        ((4,), 3, torch.float32),
        ((2, 3), 2, torch.float64),
    ):
        parent = 6 * torch.rand(*shape, D, generator=generator, dtype=dtype) + 3
        way = torch.randn(*shape, D, generator=generator, dtype=dtype)
        distance = way.norm(dim=-1, keepdim=True)
        size = 4 + 5 * torch.rand(*shape, 1, generator=generator, dtype=dtype)
        child = parent + way / distance * size
        factor = 0.5 + 0.3 * torch.rand(shape, generator=generator, dtype=dtype)
        if shape == ():
            yield parent, child, float(factor * size[0])
            continue
        factor[1], factor[0] = 1.6, 0.7
        if shape == (4,):
            child[2] = parent[2]
        yield parent, child, factor * size[..., 0]


def ends_lengths_and_variances(
    generator: torch.Generator,
) -> Iterator[tuple[Tensor, Tensor, Tensor | float, Tensor]]:
    """Yield the same limbs with variances, which differ by more than their roots; the fourth of one batch is exact."""
    for parent, child, length in ends_and_lengths(generator):
        variances = 0.3 + 4 * torch.rand(*parent.shape[:-1], 2, generator=generator, dtype=parent.dtype)
        variances[..., 0] += 2
        if parent.shape[:-1] == (5,):
            variances[3, 1], variances[4, 0] = 0, 0
        yield parent, child, length, variances


def skeletons_and_sweeps(generator: torch.Generator) -> Iterator[tuple[Tensor, Limbs, Tensor, int]]:
    """Yield skeletons of which some limbs are too long and some too short, in a picture and in space."""
    for (shape, D, sweeps, dtype), tree in zip(
        (((), 2, 2, torch.float64), ((3,), 3, 3, torch.float32), ((2, 2), 2, 3, torch.float64)), TREES, strict=True
    ):
        K = 1 + max(map(max, tree))
        points = 5 * torch.randn(*shape, K, D, generator=generator, dtype=dtype)
        seen = constraints.limb_lengths(points, tree).reshape(-1, len(tree)).amin(0)
        factor = 0.2 + 0.3 * torch.rand(len(tree), generator=generator, dtype=dtype)
        factor[-1] = 1.8
        yield points, tree, factor * seen, sweeps


def predictions_and_truth(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor, Limbs, Tensor]]:
    """Yield poses with limbs too long and too short; keypoints do not count, and are NaN or lie at one place."""
    for (shape, D, dtype), tree in zip(
        (((), 2, torch.float64), ((3,), 2, torch.float64), ((2, 3), 3, torch.float32)), TREES, strict=True
    ):
        K = 1 + max(map(max, tree))
        truth = 5 * torch.randn(*shape, K, D, generator=generator, dtype=dtype)
        predicted = truth + 2 * torch.randn(*shape, K, D, generator=generator, dtype=dtype)
        mask = torch.rand(*shape, K, generator=generator) < 0.7
        mask[..., tree[0][0]], mask[..., tree[0][1]], mask[..., tree[-1][1]] = True, True, False
        mask[..., tree[-1][0]] = True
        if shape != ():
            last = mask[(-1,) * len(shape)]
            last[tree[-1][0]], last[3] = (
                False,
                True,
            )  # a limb with no end at all, and in the loop one with its child alone
        truth[..., tree[-1][1], :] = torch.nan
        if shape == (2, 3):
            predicted = torch.where(mask[..., None], predicted, torch.nan)
        yield predicted, truth, tree, mask


class _Ours:
    """The package's functions, as far as the lesson asks for them."""

    @staticmethod
    def project_limb(parent: Tensor, child: Tensor, length: Tensor | float) -> tuple[Tensor, Tensor]:
        """Return the two ends as a plain pair."""
        limb = constraints.project_limb(parent, child, length)
        return limb.parent, limb.child

    @staticmethod
    def bounded_limb(parent: Tensor, child: Tensor, length: Tensor | float, variances: Tensor) -> tuple[Tensor, Tensor]:
        """Return the two ends, at most `length` apart, as a plain pair."""
        limb = constraints.project_limb(parent, child, length, variances=variances, bound="upper")
        return limb.parent, limb.child

    @staticmethod
    def project_skeleton(points: Tensor, limbs: Limbs, lengths: Tensor, sweeps: int) -> Tensor:
        """Return the skeleton after so many sweeps over its limbs, whose lengths are upper bounds."""
        return constraints.iterate_limbs(points, limbs, lengths, sweeps, bound="upper")

    @staticmethod
    def limb_loss(predicted: Tensor, truth: Tensor, limbs: Limbs, mask: Tensor) -> Tensor:
        """Return each limb's loss, given the true keypoints."""
        return constraints.limb_loss(predicted, truth, limbs, mask)


project_limb = Exercise(
    reference=_Ours.project_limb,
    probe=ends_and_lengths,
    coals=limbs.COALS,
    tolerance=1e-4,
)

bounded_limb = Exercise(
    reference=_Ours.bounded_limb,
    probe=ends_lengths_and_variances,
    coals=bounds.COALS,
    tolerance=1e-4,
)

project_skeleton = Exercise(
    reference=_Ours.project_skeleton,
    probe=skeletons_and_sweeps,
    coals=skeletons.COALS,
    tolerance=1e-4,
)

limb_loss = Exercise(
    reference=_Ours.limb_loss,
    probe=predictions_and_truth,
    coals=lengths.COALS,
    gradients=True,
)
