"""Points and boxes under a map of the picture: where each one goes, and which are still in the picture."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from posecourse.shapes import checked_size, require_points, require_positive, require_tensors
from posecourse.skeletons import Skeleton
from posecourse.transforms.matrices import homogeneous, rotation

__all__ = ["context_box", "flip_keypoints", "inside", "rotate_keypoints", "transform_boxes", "transform_points"]


def flip_keypoints(points: Float[Tensor, "*B K 2"], size: Sequence[int], skeleton: Skeleton) -> Float[Tensor, "*B K 2"]:
    """Mirror keypoints left to right: x' = W − 1 − x, and the left wrist becomes the right one.

    In the mirror the person raises the other hand. Without the exchange of sides a network learns that left and
    right are the same, and lands between both.

    Args:
        points: K keypoints (x, y) in pixels.
        size: (H, W) of the picture in pixels.
        skeleton: names the K keypoints, so knows which ones change places.

    Raises:
        ValueError: the points are not (..., K, 2) with the skeleton's K.

    Lesson: 07, exercise `flip_keypoints`.
    """
    require_points(points)
    if points.ndim < 2 or points.shape[-2] != len(skeleton):
        raise ValueError(
            f"points must be (..., {len(skeleton)}, 2), as the skeleton has it; got {tuple(points.shape)}."
        )
    _, W = checked_size(size)
    x, y = points[..., list(skeleton.swap), :].unbind(-1)
    return torch.stack([(W - 1) - x, y], dim=-1)


def rotate_keypoints(
    points: Float[Tensor, "*B 2"], degrees: float | Float[Tensor, "..."], size: Sequence[int]
) -> Float[Tensor, "*B 2"]:
    """Turn points about the picture's centre ((W − 1)/2, (H − 1)/2), counter-clockwise on the screen.

    What is right of the centre goes up, that is to smaller y, because y points down.

    Args:
        points: (x, y) in pixels, any leading axes.
        degrees: one angle for all, or one for each of the first axes of `points`: (B) turns (B K 2) image by image.
        size: (H, W) of the picture in pixels.

    Lesson: 07, exercise `rotate_keypoints`.
    """
    require_points(points)
    angle = torch.as_tensor(degrees, dtype=points.dtype, device=points.device)
    return transform_points(points, rotation(angle, size))


def transform_points(points: Float[Tensor, "*B 2"], matrix: Float[Tensor, "..."]) -> Float[Tensor, "*B 2"]:
    """Move points by an affine matrix: (x', y', 1) = M · (x, y, 1).

    Args:
        points: (x, y), any leading axes.
        matrix: (... 2 3) or (... 3 3); its leading axes are the first axes of `points`, so (B 3 3) moves (B K 2)
            and (B N K 2) image by image, and (3 3) moves all alike.

    Raises:
        ValueError: the leading axes do not match.
    """
    require_points(points)
    matrix = homogeneous(matrix)
    lead = matrix.ndim - 2
    if lead >= points.ndim or points.shape[:lead] != matrix.shape[:-2]:
        raise ValueError(
            f"matrix {tuple(matrix.shape)} must begin with the first axes of points {tuple(points.shape)}: "
            "(B, 3, 3) for (B, K, 2) or (B, N, K, 2), or (3, 3) for any."
        )
    matrix = matrix.reshape(*matrix.shape[:-2], *(1,) * (points.ndim - 1 - lead), 3, 3)
    # By hand: a GPU may run small matrix products in TF32, which is worth 0.3 px at x = 640, and a sum over an axis of
    # two is ten times slower on a CPU.
    moved = matrix[..., :2, 0] * points[..., :1] + matrix[..., :2, 1] * points[..., 1:] + matrix[..., :2, 2]
    return moved.to(points.dtype)


def transform_boxes(boxes: Float[Tensor, "*B 4"], matrix: Float[Tensor, "..."]) -> Float[Tensor, "*B 4"]:
    """Return the upright boxes around the moved boxes. Exact for shifts, scales and flips; a turned box grows.

    Args:
        boxes: (x, y, width, height) in pixels, x and y edges. They are not clipped to the picture.
        matrix: as in `transform_points`.
    """
    require_tensors(boxes=boxes)
    x, y, width, height = boxes.unbind(-1)
    corners = torch.stack([x, y, x + width, y, x, y + height, x + width, y + height], dim=-1).unflatten(-1, (4, 2))
    moved = transform_points(corners, matrix)
    low, high = moved.amin(-2), moved.amax(-2)
    return torch.cat([low, high - low], dim=-1)


def inside(points: Float[Tensor, "*B 2"], size: Sequence[int]) -> Bool[Tensor, "*B"]:
    """Say which points lie on one of the picture's pixels: −½ ≤ x < W − ½ and −½ ≤ y < H − ½.

    Args:
        points: (x, y) in pixels.
        size: (H, W) of the picture in pixels.
    """
    require_points(points)
    H, W = checked_size(size)
    return ((points >= -0.5) & (points < points.new_tensor([W, H]) - 0.5)).all(-1)


def context_box(boxes: Float[Tensor, "*B 4"], size: Sequence[int], margin: float = 1.25) -> Float[Tensor, "*B 4"]:
    """Return the smallest box of the aspect of `size` with the same centre that holds each box, `margin` times larger.

    A crop of it is not stretched, and shows some of the surroundings.

    Args:
        boxes: (x, y, width, height) in pixels, x and y edges.
        size: (H, W) that the crop will have; only its aspect counts.
        margin: 1 is tight; 1.25 is the custom on COCO.

    Returns:
        (x, y, width, height) in pixels; it may reach beyond the picture.

    Raises:
        ValueError: `margin` is not positive and finite; 1 is tight.
    """
    require_tensors(boxes=boxes)
    require_positive(margin, "margin")
    H, W = checked_size(size)
    x, y, width, height = boxes.unbind(-1)
    wide = margin * torch.maximum(width, height * (W / H))
    high = wide * (H / W)
    return torch.stack([x + width / 2 - wide / 2, y + height / 2 - high / 2, wide, high], dim=-1)
