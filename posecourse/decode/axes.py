"""Reading two one-dimensional distributions instead of a map: SimCC."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from posecourse.decode.peaks import Peaks
from posecourse.heatmaps import SimCC
from posecourse.shapes import require_count, require_maps, require_tensors

__all__ = ["simcc"]


def simcc(vectors: SimCC, split: int) -> Peaks:
    """Return the centres of the largest bins, one of x and one of y.

    x = (j + ½) / split − ½, j the largest bin

    Bins are 1/split of a cell wide, so the error is RMS 1/(split·√12) cell an axis where the bins are right. Equal
    bins: the first counts.

    Args:
        vectors: x (*B K W·split) and y (*B K H·split), as `heatmaps.simcc_targets` makes them; logits will do.
        split: bins per cell, a positive whole number.

    Returns:
        Points (x, y) in cells, at least float32, and scores: the smaller of the two largest values.
        A keypoint of which a vector is flat or not finite lies at the centre of that axis and has score 0.

    Raises:
        ValueError: the vectors are not (..., K, bins), their leading axes differ, or bins are no multiple of `split`.

    Source: Li et al. 2022 (SimCC); their score is the smaller one too.
    Lesson: 02.
    """
    require_count(split, "split")
    for name, vector in zip("xy", vectors, strict=True):
        require_tensors(**{f"vectors.{name}": vector})
        require_maps(vector[..., None], f"vectors.{name}, with an axis of 1 added,")
        if vector.shape[-1] % split:
            raise ValueError(
                f"vectors.{name} must have a multiple of split = {split} bins; got {vector.shape[-1]}. "
                "Give the split that the targets were made with."
            )
    if vectors.x.shape[:-1] != vectors.y.shape[:-1]:
        raise ValueError(
            f"vectors.x and vectors.y must have the same leading axes; got {tuple(vectors.x.shape)} and "
            f"{tuple(vectors.y.shape)}."
        )
    (x, height_x, good_x), (y, height_y, good_y) = (_largest_bin(vector, split) for vector in vectors)
    scores = torch.where(good_x & good_y, torch.minimum(height_x, height_y), 0)
    return Peaks(torch.stack([x, y], dim=-1), scores)


def _largest_bin(vector: Tensor, split: int) -> tuple[Float[Tensor, "*B"], Float[Tensor, "*B"], Bool[Tensor, "*B"]]:
    """Return the largest bin's centre in cells and its height, or the axis's centre and 0; and whether it was read."""
    low, high = vector.detach().aminmax(dim=-1)
    good = low.isfinite() & high.isfinite() & (low < high)
    index = vector.detach().argmax(-1)
    bins = torch.where(good, index.to(torch.promote_types(vector.dtype, torch.float32)), (vector.shape[-1] - 1) / 2)
    height = torch.where(good[..., None], vector, 0).amax(-1)
    return (bins + 0.5) / split - 0.5, height, good
