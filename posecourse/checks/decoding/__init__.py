"""Decoding: from a map to a place between its cells, and what that place can be worth.

Lesson: 02.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from posecourse import heatmaps
from posecourse.checks.decoding import bins, bound, grid, mean, newton, quantization, quarter
from posecourse.lesson import Exercise

__all__ = [
    "cramer_rao",
    "dark",
    "quantization_rms",
    "quarter_offset",
    "simcc",
    "soft_argmax",
    "to_grid_and_back",
]


def strides(generator: torch.Generator) -> Iterator[tuple[Tensor]]:
    """Yield strides in pixels, none of them 1."""
    for shape, dtype in (((3,), torch.float64), ((4,), torch.float32), ((2, 3), torch.float64)):
        yield (2 + 14 * torch.rand(shape, generator=generator, dtype=dtype),)


def cells_patches_and_stride(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor, float]]:
    """Yield largest cells of a map wider than high, what surrounds them, and a stride; some neighbours tie."""
    for shape, stride, dtype in (
        ((2,), 4.0, torch.float64),
        ((3, 2), 8.0, torch.float32),
        ((2, 5, 2), 2.5, torch.float64),
    ):
        cells = (torch.rand(shape, generator=generator, dtype=dtype) * torch.tensor([19, 11], dtype=dtype)).round() + 1
        patches = 0.9 * torch.rand(*shape[:-1], 3, 3, generator=generator, dtype=dtype)
        patches[..., 1, 1] = 1
        if len(shape) > 1:  # one patch has equal neighbours at its sides, another one above and below
            patches[..., 0, 1, 0] = patches[..., 0, 1, 2]
            patches[..., 1, 0, 1] = patches[..., 1, 2, 1]
        yield cells, patches, stride


def oblique_summits(generator: torch.Generator) -> Iterator[tuple[Tensor]]:
    """Yield nine cells about summits of long blobs that lie aslant, a little wavy; one cell is empty, one below 0."""
    for shape, dtype in (((2,), torch.float64), ((4,), torch.float32), ((2, 3), torch.float64)):
        turn = 0.3 + 0.9 * torch.rand(shape, generator=generator, dtype=dtype)
        axis = torch.stack([turn.cos(), turn.sin()], dim=-1)
        off = torch.rand(*shape, 2, generator=generator, dtype=dtype) - 0.5
        three = torch.arange(-1, 2, dtype=dtype)
        way = torch.stack([three.expand(3, 3), three[:, None].expand(3, 3)], dim=-1) - off[..., None, None, :]
        along = (way * axis[..., None, None, :]).sum(-1)
        across = (way.square().sum(-1) - along**2) / 2.2**2
        wave = 1 + 0.04 * torch.rand(*shape, 3, 3, generator=generator, dtype=dtype)
        patches = 0.8 * torch.exp(-(across + along**2 / 1.1**2) / 2) * wave
        patches[..., -1, 1, 2] = 0
        if shape[-1] > 2:
            patches[..., 1, 2, 1] = -0.05
        yield (patches,)


def maps_and_temperatures(generator: torch.Generator) -> Iterator[tuple[Tensor, float]]:
    """Yield noisy blobs, never square, with temperatures that are not 1."""
    for shape, size, temperature, dtype in (
        ((2,), (5, 8), 0.4, torch.float64),
        ((2, 3), (6, 11), 0.25, torch.float32),
        ((3, 1), (9, 7), 1.8, torch.float64),
    ):
        H, W = size
        places = torch.rand(*shape, 2, generator=generator, dtype=dtype) * torch.tensor([W - 1, H - 1], dtype=dtype)
        noise = torch.randn(*shape, H, W, generator=generator, dtype=dtype)
        yield heatmaps.gaussian_heatmaps(places, size, 1.3) + 0.3 * noise + 0.2, temperature


def points_and_strides(generator: torch.Generator) -> Iterator[tuple[Tensor, float]]:
    """Yield points in a picture wider than high, its edges at −½ included, and strides other than 1."""
    for shape, stride, dtype in (
        ((3, 2), 4.0, torch.float64),
        ((2, 4, 2), 8.0, torch.float32),
        ((5, 2), 3.0, torch.float64),
    ):
        unit = torch.rand(shape, generator=generator, dtype=dtype)
        unit[..., 0, :] = unit[..., 0, :] * 0.005
        yield unit * torch.tensor([128, 64], dtype=dtype) - 0.5, stride


def blobs_places_and_noises(generator: torch.Generator) -> Iterator[tuple[bound.Blob, Tensor, float]]:
    """Yield blobs that are long and lie aslant, on maps that are not square, where they are and the noise."""
    for size, height, noise in (((11, 15), 1.7, 0.05), ((14, 12), 0.6, 0.2), ((13, 16), 2.4, 0.3)):
        turn, shift = torch.rand(2, generator=generator, dtype=torch.float64).tolist()
        place = torch.tensor([size[1] / 2 - shift, size[0] / 2 - turn], dtype=torch.float64)
        yield oblique_blob(size, height, 0.4 + 0.7 * turn), place, noise


def oblique_blob(size: tuple[int, int], height: float, turn: float) -> bound.Blob:
    """Return the function from a place to the map of a long blob there, turned by an angle in radians."""
    rows, columns = torch.meshgrid(*(torch.arange(float(n), dtype=torch.float64) for n in size), indexing="ij")

    def blob(place: Tensor) -> Tensor:
        x, y = columns - place[0], rows - place[1]
        along, across = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
        return height * torch.exp(-(along**2 / 2.4**2 + across**2 / 1.3**2) / 2)

    return blob


def vectors_and_splits(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor, int]]:
    """Yield bins of x and of y, more of x than of y, of which no two are equal, and how many make a cell."""
    for shape, (H, W), split, dtype in (
        ((2,), (5, 8), 3, torch.float64),
        ((2, 3), (7, 11), 2, torch.float32),
        ((3, 1), (6, 9), 4, torch.float64),
    ):
        across, down = (torch.rand(*shape, n * split, generator=generator, dtype=dtype) for n in (W, H))
        yield across, down, split


quantization_rms = Exercise(
    reference=quantization.quantization_rms,
    probe=strides,
    coals=quantization.COALS,
)

quarter_offset = Exercise(
    reference=quarter.quarter_offset,
    probe=cells_patches_and_stride,
    coals=quarter.COALS,
)

dark = Exercise(
    reference=newton.dark,
    probe=oblique_summits,
    coals=newton.COALS,
    tolerance=1e-3,  # so that a mistake about negative heights is known, whether 1e-6 is added or clamped too late
)

soft_argmax = Exercise(
    reference=mean.soft_argmax,
    probe=maps_and_temperatures,
    coals=mean.COALS,
    gradients=True,
)

to_grid_and_back = Exercise(
    reference=grid.to_grid_and_back,
    probe=points_and_strides,
    coals=grid.COALS,
)

cramer_rao = Exercise(
    reference=bound.cramer_rao,
    probe=blobs_places_and_noises,
    coals=bound.COALS,
)

simcc = Exercise(
    reference=bins.simcc,
    probe=vectors_and_splits,
    coals=bins.COALS,
)
