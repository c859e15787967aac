"""Grouping: tags that say whose keypoint it is, candidates, people, and the score that counts them.

Lesson: 05.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from posecourse import decode, grouping, heatmaps, metrics
from posecourse.checks.grouping import groups, hinges, maxima, pairings, persons, pulls, pushes, similarity
from posecourse.lesson import Exercise

__all__ = ["group_by_tag", "nms_peaks", "oks", "pull_loss", "push_loss"]


def tags_and_masks(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield tags of crowds, no axis as long as another: people seen in part, empty places, one person, nobody, NaN.

    In one picture somebody is farther from all others than any margin, and of somebody one keypoint has a label.
    """
    for shape, dtype in (
        ((2, 3, 4), torch.float64),
        ((2, 4, 5, 3), torch.float32),
        ((3, 2, 6, 1), torch.float64),
        ((2, 3, 2, 5, 4), torch.float64),
        ((4, 3, 5, 2), torch.float64),
    ):
        tags = torch.randn(shape, generator=generator, dtype=dtype) + 0.6
        mask = torch.rand(shape[:-1], generator=generator) < 0.6
        mask[..., 0, :2], mask[..., 0, 2] = True, False  # nobody is seen whole
        mask[..., 1, 0], mask[..., 1, 1] = True, False
        if len(shape) == 4 and shape[1] > 2:
            mask[0, 2] = False  # an empty place
        if shape == (2, 4, 5, 3):
            tags[1, 1] += 4
            tags[1, 3], mask[1, 3] = 0.6, torch.arange(5) == 1
        if shape[0] == 4:
            mask[1, 1:], mask[2] = False, False  # one person, and nobody
            tags[0, 0, 2], tags[2, 0, 0] = torch.nan, torch.inf  # without a label
        yield tags, mask


def tags_masks_and_margins(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor, float]]:
    """Yield the same with margins, none of them 1: some people are farther apart, most are not."""
    for (tags, mask), margin in zip(tags_and_masks(generator), (2.5, 1.7, 1.4, 2.2, 1.9), strict=True):
        yield tags, mask, margin


def maps_and_limits(generator: torch.Generator) -> Iterator[tuple[Tensor, int]]:
    """Yield maps with several blobs, wider or narrower than high, with more or fewer summits than the limit.

    No two cells are equal. One blob sits in a corner, some have a lower one two cells away, one map has none.
    """
    for shape, (H, W), limit, dtype in (
        ((2,), (7, 11), 3, torch.float64),
        ((3,), (12, 8), 5, torch.float32),
        ((2, 3), (9, 13), 4, torch.float64),
        ((2, 2), (8, 6), 9, torch.float32),
    ):
        maps = 0.15 * torch.rand(*shape, H, W, generator=generator, dtype=dtype) - 0.12
        for height in (1.0, 0.7, 0.5):
            places = torch.rand(*shape, 2, generator=generator, dtype=dtype) * torch.tensor([W - 1.0, H - 1.0])
            maps = torch.maximum(maps, height * heatmaps.gaussian_heatmaps(places.to(dtype), (H, W), 0.9) - 0.1)
        maps[..., 0, H - 1, W - 1] = 1.3 + maps[..., 0, H - 1, W - 1]
        maps[..., 1, 2, 3], maps[..., 1, 4, 3] = 1.4 + maps[..., 1, 2, 3], 1.2 + maps[..., 1, 4, 3]
        maps[..., 1, 3, 4] = 1.1 + maps[..., 1, 3, 4]  # beside two corners, on a ridge that lies aslant
        maps[..., 0, 2, 3] = 0.9 + maps[..., 0, 2, 3]  # where another keypoint's map is higher
        if limit == 9:
            maps[0, 0] = -maps[0, 0].abs() - 0.01
        yield maps, limit


def candidates_and_limits(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor, float, int]]:
    """Yield candidates of crowds: keypoints are missing, some are nobody's, tags are noisy, one is NaN.

    People are closer than they should be, so that every rule matters; two begin with equal first components. Twice
    there is little: no candidate at all, and three of whom the second is exactly as far as the threshold.
    """
    for K, M, D, people, threshold, limit, dtype in (
        (11, 4, 2, 4, 0.9, 5, torch.float64),
        (6, 4, 3, 4, 1.1, 3, torch.float32),
        (17, 4, 2, 5, 0.7, 4, torch.float64),
        (8, 3, 2, 3, 0.6, 2, torch.float64),
    ):
        means = torch.rand(people, D, generator=generator, dtype=dtype) * 2.2
        tags = means[torch.arange(M) % people] + 0.3 * torch.randn(K, M, D, generator=generator, dtype=dtype)
        scores = 0.2 + torch.rand(K, M, generator=generator, dtype=dtype)
        scores = torch.where(torch.rand(K, M, generator=generator) < 0.3, 0, scores)
        scores[0, :2] = scores[0, :2].clamp(min=0.3) + torch.tensor([0.01, 0.02], dtype=dtype)
        tags[0, 1, 0] = tags[0, 0, 0]
        tags[0, 1, 1] = tags[0, 0, 1] + 1.3 * threshold
        if K == 8:
            tags[3, 1, 1], scores[3, 1] = torch.nan, 0.7
            tags[0, 1, 1] = (
                tags[0, 0, 1] + 3
            )  # far away; one candidate is near the first, one is beyond, on the other side
            tags[1, :2] = tags[0, 0] + threshold * torch.tensor([[0.3, 0.5], [0.0, -1.2]], dtype=dtype)
            scores[1], scores[0, 2] = torch.tensor([0.5, 0.6, 0.0], dtype=dtype), 0
        shuffled = torch.rand(K, M, generator=generator).argsort(-1)
        yield (
            scores.gather(1, shuffled),
            tags.gather(1, shuffled[..., None].expand(-1, -1, D)),
            threshold,
            limit,
        )
    yield _fewer_than_asked_for(generator)
    yield _close_to_the_threshold(generator)
    nobody = torch.zeros(3, 2, dtype=torch.float64)
    yield nobody, torch.randn(3, 2, 1, generator=generator, dtype=torch.float64), 0.5, 4
    along = torch.tensor([[0.0], [0.5], [0.2]], dtype=torch.float64)
    yield torch.tensor([[0.9], [0.8], [0.7]], dtype=torch.float64), along[..., None], 0.5, 4


def _fewer_than_asked_for(generator: torch.Generator) -> tuple[Tensor, Tensor, float, int]:
    """Return two people where five may be, and the brightest candidates of all broken.

    Of two candidates for one person the fainter is nearer. Later two people and two candidates are paired otherwise by
    the smallest sum of squares than by that of distances, and once more otherwise than by the closest pair first. One
    person has the larger sum of scores, the other the larger mean.
    """
    scores = torch.tensor([[0.9, 0, 0], [0.3, 0.9, 0], [0.5, 0.5, 0], [0.5, 0.5, 0], [9, 8, 0]], dtype=torch.float64)
    tags = torch.zeros(5, 3, 2, dtype=torch.float64)
    tags[1, :2] = torch.tensor([[0.1, 0], [0.45, 0]])
    tags[2, :2] = torch.tensor([[0.5875, 0.267], [0.45, 0.05]])
    tags[3, :2] = torch.tensor([[0.384, 0.087], [0.991, 0.298]])
    tags[:, 2] = 3
    tags += 0.005 * torch.randn(tags.shape, generator=generator, dtype=torch.float64)
    tags[4, 0, 1], tags[4, 1, 0] = torch.nan, torch.inf
    return scores, tags, 0.8, 5


def _close_to_the_threshold(generator: torch.Generator) -> tuple[Tensor, Tensor, float, int]:
    """Return three groups on a line, far from each other, of people and then candidates, in squares of the threshold.

    In the first two a candidate who fits well, 0.02, leaves one over, 1; the other way round both are joined, for 1.14
    and 1.53. In the third the candidate is too far away, at 1.13, but not if d² is compared with the threshold. Scores
    are so alike that two joined keypoints come before any single one, so that the limit hides nothing.
    """
    scores = 0.5 + 0.1 * torch.rand(2, 5, generator=generator, dtype=torch.float64)
    along = torch.tensor([[0, 0.7, 10, 10.8, 20], [0.1, -0.608, 10.1, 9.3, 20.85]], dtype=torch.float64)
    tags = torch.stack([along, torch.zeros_like(along)], dim=-1)
    return scores, tags + 0.005 * torch.randn(tags.shape, generator=generator, dtype=torch.float64), 0.8, 5


def people_and_answers(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor, Tensor]]:
    """Yield people of unlike sizes: some keypoints have no label, one was not found, one person has no label at all."""
    for N, K, dtype in ((2, 5, torch.float64), (3, 7, torch.float32), (4, 6, torch.float64), (5, 3, torch.float64)):
        area = 300 + 3000 * torch.rand(N, generator=generator, dtype=dtype)
        sigmas = 0.02 + 0.09 * torch.rand(K, generator=generator, dtype=dtype)
        truth = torch.rand(N, K, 2, generator=generator, dtype=dtype) * torch.tensor([90.0, 50.0]).to(dtype)
        spread = 2 * sigmas * area[:, None].sqrt()
        predicted = truth + 1.1 * spread[..., None] * torch.randn(N, K, 2, generator=generator, dtype=dtype)
        mask = torch.rand(N, K, generator=generator) < 0.6
        mask[:, 0], mask[:, 1] = True, False
        predicted[0] = truth[0] + (predicted[0] - truth[0]) / 10  # so near that no wrong width hides it
        if N > 3:
            predicted[1, 0], truth[1, 0] = torch.nan, 0.4 * spread[1, 0]  # a corner is no bad guess, and none was made
        if N > 2:
            mask[-1] = False
        yield predicted, truth, mask, area, sigmas


pull_loss = Exercise(reference=grouping.pull_loss, probe=tags_and_masks, coals=pulls.COALS, gradients=True)

push_loss = Exercise(
    reference=grouping.push_loss, probe=tags_masks_and_margins, coals=pushes.COALS + hinges.COALS, gradients=True
)

nms_peaks = Exercise(reference=decode.nms_peaks, probe=maps_and_limits, coals=maxima.COALS)

group_by_tag = Exercise(
    reference=groups.group_by_tag, probe=candidates_and_limits, coals=pairings.COALS + persons.COALS
)

oks = Exercise(reference=metrics.oks, probe=people_and_answers, coals=similarity.COALS)
