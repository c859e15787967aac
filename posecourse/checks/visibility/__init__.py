"""Visibility: what a mask hides, what a mean divides by, and what a head that predicts visibility is asked.

Lesson: 04.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from posecourse import heatmaps, losses
from posecourse.checks.visibility import maps, means, reading, seen
from posecourse.lesson import Exercise

__all__ = ["masked_heatmap_loss", "masked_mean", "read_coco", "visibility_loss"]


def annotations(generator: torch.Generator) -> Iterator[tuple[Tensor]]:
    """Yield keypoints (…, K, 3) as COCO has them: all three values of v, old places beside v = 0, a place at (0, 0)."""
    for shape, dtype in (((5,), torch.float64), ((2, 7), torch.float32), ((3, 2, 6), torch.float64)):
        points = torch.rand(*shape, 2, generator=generator, dtype=dtype) * torch.tensor([90.0, 50.0]) + 3
        v = torch.randint(0, 3, shape, generator=generator)
        v[..., :3], v[..., 3:5] = torch.arange(3), torch.tensor([1, 0])
        points[..., 0, :] = 0  # unlabelled, as COCO writes it; number 4 is unlabelled and has an old place
        points[..., 3, :] = 0  # labelled, at the middle of the upper left pixel
        yield (torch.cat([points, v[..., None].to(dtype)], dim=-1).to(dtype),)


def values_and_masks(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield one number a keypoint and what counts: rows with few and with many, none, only one, NaN here and there."""
    shapes = ((2, 5), (3, 7), (4, 2, 6), (3, 4), (5, 3), (2, 7), (4, 3), (3, 6))
    for index, shape in enumerate(shapes):
        dtype = (torch.float64, torch.float32)[index % 2]
        values = torch.rand(shape, generator=generator, dtype=dtype) * 3 + 0.2
        mask = torch.rand(shape, generator=generator) < 0.5
        mask[0], mask[-1], mask[-1, ..., 0] = True, False, True
        mask[0, ..., 0] = False  # never as many as any axis is long
        if index == 3:
            mask[:] = False
        if index in (4, 5):
            values[0, 0], values[-1, -1] = (torch.nan, torch.inf)[index - 4], torch.nan
        if index == 6:
            values[0, 1] = torch.nan  # it counts, so it has to show
        if index == 7:
            mask[:] = False
            mask[1, 2] = True
        yield values, mask


def maps_and_masks(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield heatmaps, their targets and what counts: no size twice, an empty mask, NaN that counts or does not."""
    sizes = ((2, 3, 5, 7), (4, 5, 3, 6), (3, 2, 6, 4), (2, 4, 5, 3), (3, 5, 4, 7), (5, 3, 7, 4), (4, 6, 3, 5))
    for index, (B, K, H, W) in enumerate(sizes):
        dtype = (torch.float64, torch.float32)[index % 2]
        unit = torch.rand(B, K, 2, generator=generator, dtype=dtype)
        target = heatmaps.gaussian_heatmaps(unit * unit.new_tensor([W - 1, H - 1]), (H, W), 1.4)
        predicted = target + 0.3 * torch.randn(target.shape, generator=generator, dtype=dtype)
        mask = torch.rand(B, K, generator=generator) < 0.6
        mask[0], mask[:, 0], mask[0, 0] = True, True, False
        mask[-1, 1:] = False
        if index == 2:
            mask[:] = False
        if index in (3, 5):
            target[0, 0] = torch.nan
        if index in (4, 5):
            predicted[-1, -1, 0, 0] = torch.nan
        if index == 6:
            target[1, 0, 0, 0] = torch.nan  # it counts, so it has to show
        yield predicted, target, mask


def logits_and_visibility(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield logits, very large ones of both signs too, and COCO's 0/1/2."""
    for index, (shape, scale) in enumerate((((4,), 2.0), ((5,), 3.0), ((3, 7), 2.5), ((2, 3, 6), 3.0))):
        dtype = (torch.float32, torch.float64)[index // 2 % 2]
        logits = torch.randn(shape, generator=generator, dtype=dtype) * scale
        visibility = torch.randint(0, 3, shape, generator=generator).to(torch.uint8)
        visibility[..., :3] = torch.tensor([2, 1, 0], dtype=torch.uint8)
        if index:
            logits[..., 0], logits[..., 1], logits[..., 2] = -900.0, 900.0, 130.0
            visibility[..., 3], logits[..., 3] = 2, 900.0
        yield logits, visibility


read_coco = Exercise(reference=reading.read_coco, probe=annotations, coals=reading.COALS)

masked_mean = Exercise(
    reference=losses.masked_mean,
    probe=values_and_masks,
    coals=means.COALS,
    tolerance=1e-5,  # who adds 1e-6 to the divisor in the place of clamping it is right
    gradients=True,
)

masked_heatmap_loss = Exercise(
    reference=maps.masked_heatmap_loss,
    probe=maps_and_masks,
    coals=maps.COALS,
    tolerance=1e-5,
    gradients=True,
)

visibility_loss = Exercise(
    reference=seen.visibility_loss,
    probe=logits_and_visibility,
    coals=seen.COALS,
    gradients=True,
)
