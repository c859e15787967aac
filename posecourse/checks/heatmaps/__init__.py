"""Heatmaps: painting a keypoint into a grid, and reading it out again.

Lesson: 01.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from posecourse import decode, heatmaps
from posecourse.checks.heatmaps import largest, painting, surest
from posecourse.checks.heatmaps.surest import of_surest
from posecourse.lesson import Exercise

__all__ = ["argmax_2d", "gaussian_heatmaps", "surest_vote"]


def keypoints_sizes_and_sigmas(generator: torch.Generator) -> Iterator[tuple[Tensor, tuple[int, int], float]]:
    """Yield keypoints between cells, the first of them a little outside, for maps that are not square and σ not 1."""
    for shape, size, sigma, dtype, side in (
        ((3, 2), (7, 11), 1.6, torch.float64, (1, 0)),
        ((2, 3, 2), (9, 6), 2.3, torch.float32, (0, 1)),
        ((2, 2), (5, 8), 0.7, torch.float64, (-1, 0)),
        ((2, 2, 3, 2), (6, 13), 1.3, torch.float32, (0, -1)),
    ):
        H, W = size
        unit = torch.rand(shape, generator=generator, dtype=dtype)
        keypoints = unit * unit.new_tensor([W - 1, H - 1]) + 0.013
        for axis, last in enumerate((W - 1, H - 1)):
            if side[axis]:
                keypoints[..., 0, axis] = last + 1.2 if side[axis] > 0 else -0.9
        yield keypoints, size, sigma


def maps_with_one_blob(generator: torch.Generator) -> Iterator[tuple[Tensor]]:
    """Yield noisy maps of blobs, never square, no two cells equal; one is below zero everywhere, some have a hole."""
    for shape, size, dtype, below in (
        ((1,), (5, 8), torch.float64, 0.0),
        ((3,), (9, 6), torch.float32, 2.0),
        ((2, 3), (6, 11), torch.float64, 0.0),
        ((2, 2, 3), (8, 5), torch.float32, 0.0),
    ):
        H, W = size
        places = torch.rand(*shape, 2, generator=generator, dtype=dtype) * torch.tensor([W - 1, H - 1], dtype=dtype)
        noise = torch.rand(*shape, H, W, generator=generator, dtype=dtype)
        maps = heatmaps.gaussian_heatmaps(places, size, 1.3) + 0.3 * noise - below
        if len(shape) > 1:
            maps[..., 1, 2] = -3 - noise[..., 1, 2]
        yield (maps,)


def confidences_and_offsets(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield what an offset head says, on grids that are not square."""
    for (maps,) in maps_with_one_blob(generator):
        yield maps, torch.randn(*maps.shape[:-2], 2, *maps.shape[-2:], generator=generator, dtype=maps.dtype)


class _Ours:
    """References that exist for the lesson only."""

    @staticmethod
    def argmax_2d(heatmaps: Tensor) -> decode.Peaks:
        """Return the largest cell of each map and its value."""
        return largest.largest_cell(heatmaps)

    @staticmethod
    def surest_vote(confidences: Tensor, offsets: Tensor) -> Tensor:
        """Return the place of the surest cell plus that cell's offset."""
        cell, offset = of_surest(confidences, offsets)
        return cell + offset


gaussian_heatmaps = Exercise(
    reference=heatmaps.gaussian_heatmaps,
    probe=keypoints_sizes_and_sigmas,
    coals=painting.COALS,
)

argmax_2d = Exercise(reference=_Ours.argmax_2d, probe=maps_with_one_blob, coals=largest.COALS)

surest_vote = Exercise(reference=_Ours.surest_vote, probe=confidences_and_offsets, coals=surest.COALS)
