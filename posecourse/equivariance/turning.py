"""Turns of pictures and of points that belong together; quarter turns are exact, and turn the canvas too.

A turn by 90° needs no interpolation: every pixel lands on a pixel. For that the canvas has to turn with the picture,
from (H, W) to (W, H); on the old canvas a picture that is not square would lose its ends, and be half a pixel off
where H − W is odd. Any other angle keeps the canvas, interpolates, and loses the corners.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.shapes import checked_size, require_points, require_tensors
from posecourse.transforms import rotate_keypoints, rotation, warp
from posecourse.transforms.images import Padding

__all__ = ["turn", "turn_keypoints", "turned_size"]


def turn(images: Float[Tensor, "B C H W"], degrees: float, *, padding: Padding = "zeros") -> Float[Tensor, "B C h w"]:
    """Turn images about their centre, counter-clockwise on the screen.

    Args:
        images: any channels; heatmaps too.
        degrees: a multiple of 90 is exact and makes (H, W) into (W, H) where it is odd; any other angle keeps the
            size, interpolates between pixels and loses the corners.
        padding: what lies outside of the picture.

    Lesson: 07.
    """
    require_tensors(images=images)
    if degrees % 90 == 0:
        return torch.rot90(images, int(degrees // 90), (-2, -1))
    angles = torch.full((len(images),), degrees, dtype=images.dtype, device=images.device)
    return warp(images, rotation(angles, images.shape[-2:]), padding=padding)


def turn_keypoints(points: Float[Tensor, "*B 2"], degrees: float, size: Sequence[int]) -> Float[Tensor, "*B 2"]:
    """Turn points as `turn` turns the picture that they are in.

    A quarter turn takes (x, y) to (y, W − 1 − x), on a canvas of (W, H). The way back from there is a turn by −90° of
    points in a picture of that size: `turn_keypoints(turned, -degrees, (W, H))`.

    Args:
        points: (x, y) in pixels, any leading axes.
        degrees: one angle for all.
        size: (H, W) of the picture that the points are in *before* the turn.

    Lesson: 07.
    """
    require_points(points)
    H, W = checked_size(size)
    if degrees % 90:
        return rotate_keypoints(points, degrees, (H, W))
    x, y = points.unbind(-1)
    corner = [(x, y), (y, W - 1 - x), (W - 1 - x, H - 1 - y), (H - 1 - y, x)]
    return torch.stack(corner[int(degrees // 90) % 4], dim=-1)


def turned_size(size: Sequence[int], degrees: float) -> tuple[int, int]:
    """Return (H, W) of a picture after `turn`."""
    H, W = checked_size(size)
    return (W, H) if degrees % 180 == 90 else (H, W)
