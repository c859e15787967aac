"""Frames: from pixels to cells and back, with the half pixels that go missing on the way.

Lesson: 00.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from posecourse import coords
from posecourse.checks.frames import to_cells, to_pixels
from posecourse.lesson import Exercise

__all__ = ["cells_to_pixels", "pixels_to_cells"]


def points_and_strides(generator: torch.Generator) -> Iterator[tuple[Tensor, float]]:
    """Yield points in an image twice as wide as high and around it, alone and in batches, and strides other than 1.

    Some points are what `clamp` and `abs` would spoil, the edge at −½ and places outside; one stride is below 1.
    """
    for shape, stride in (((2,), 4.0), ((3, 2), 0.8), ((4, 5, 2), 2.5), ((5, 3, 7, 2), 16.0), ((1, 3, 2), 3.0)):
        dtype = torch.float64 if stride == 2.5 else torch.float32
        points = torch.rand(shape, generator=generator, dtype=dtype)
        points = points * torch.tensor([128, 64]).to(points) + torch.tensor([3, 5]).to(points)
        if len(shape) > 1:
            points[..., 0, :] = torch.tensor([-0.5, 0.0])
            points[..., 1, :] -= torch.tensor([140.0, 70.0])
            points[..., 2, :] += torch.tensor([130.0, 66.0])
        yield points, stride


pixels_to_cells = Exercise(
    reference=coords.pixels_to_cells,
    probe=points_and_strides,
    coals=to_cells.COALS,
)

cells_to_pixels = Exercise(
    reference=coords.cells_to_pixels,
    probe=points_and_strides,
    coals=to_pixels.COALS,
)
