"""Reading tags out of maps of tags."""

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.shapes import require_points, require_tensors

__all__ = ["tags_at"]


def tags_at(
    tag_maps: Float[Tensor, "*B K D H W"], keypoints_cell: Float[Tensor, "*B N K 2"]
) -> Float[Tensor, "*B N K D"]:
    """Return the tag in the cell of each keypoint: that of keypoint k in the maps of keypoint k.

    t[n, k] = tag_maps[k, :, round(y), round(x)]

    Nothing is interpolated: between two people stands no third one, whom a mean of two tags would invent.

    Args:
        tag_maps: D maps a keypoint. Where all keypoints share the maps, expand them.
        keypoints_cell: (x, y) in cells, N people's. Candidates (*B K M 2) have their axes the other way round:
            `tags_at(tag_maps, points.transpose(-3, -2)).transpose(-3, -2)`.

    Returns:
        Tags, differentiable in the maps. A keypoint off the map, [−½, W − ½] and [−½, H − ½], NaN included, has the
        tag NaN: mask it.

    Raises:
        ValueError: `tag_maps` is not (..., K, D, H, W), or `keypoints_cell` is not (..., N, K, 2) with the same K and
            leading axes.

    Source: Newell et al. 2017.
    Lesson: 05.
    """
    require_tensors(tag_maps=tag_maps)
    require_points(keypoints_cell, "keypoints_cell")
    leading, inner = keypoints_cell.shape[:-3], keypoints_cell.shape[-2:-1]
    whole = tag_maps.ndim > 3 and keypoints_cell.ndim > 2 and 0 not in tag_maps.shape[-2:]
    if not whole or tag_maps.shape[:-3] != (*leading, *inner):
        raise ValueError(
            "tag_maps must be (..., K, D, H, W) and keypoints_cell (..., N, K, 2); "
            f"got {tuple(tag_maps.shape)} and {tuple(keypoints_cell.shape)}."
        )
    D, H, W = tag_maps.shape[-3:]
    points = keypoints_cell.detach().transpose(-3, -2)  # (*B K N 2)
    edge = points.new_tensor([W - 0.5, H - 0.5])
    inside = ((points >= -0.5) & (points <= edge)).all(-1)
    x, y = torch.where(inside[..., None], points, 0).round().long().unbind(-1)
    index = y.clamp(0, H - 1) * W + x.clamp(0, W - 1)
    index = index[..., None, :].expand(*index.shape[:-1], D, index.shape[-1])
    tags = tag_maps.flatten(-2).gather(-1, index)  # (*B K D N)
    return torch.where(inside[..., None, :], tags, torch.nan).movedim(-1, -3)
