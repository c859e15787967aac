"""Images under an affine map, with their keypoints: where each new pixel looks, and what it averages over.

A new pixel at p' looks at p = M⁻¹ p' in the old picture and blends its four neighbours (bilinear). `grid_sample`
wants p in units where −1 and +1 are, for `align_corners=False`, the picture's outer *edges* −½ and W − ½: that is
our unit square stretched, g = 2 · pixels_to_unit(p) − 1. With `align_corners=True` they would be the outer pixels'
centres, a frame in which the scale of a resized picture is (W' − 1)/(W − 1) and half-pixel errors begin.

Where the picture shrinks, a bilinear look skips pixels, and fine patterns come back as coarse ones that were never
there. So each new pixel takes n looks per axis, n = ⌈f⌉ for a shrink by f, and averages them. The looks stand
d = √((f² − 1)/(n² − 1)) old pixels apart, which gives them the variance (f² − 1)/12: with the 1/12 of an old pixel,
the f²/12 of a new one. For whole f that is the exact average over f × f pixels; at f = 1 it fades into one look.
"""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from posecourse.coords import pixels_to_unit
from posecourse.shapes import Size, checked_size, require_points, require_tensors
from posecourse.skeletons import Skeleton
from posecourse.transforms.matrices import box_to_size, homogeneous, invert, rotation
from posecourse.transforms.points import flip_keypoints, transform_points

__all__ = ["Padding", "affine", "crop", "flip", "rotate", "warp"]

Padding = Literal["zeros", "border", "reflection"]
"""What lies outside of a picture: black, its outermost pixels, or its mirror image about the edge."""

_MOST_LOOKS = 64  # per axis and new pixel: enough for a 16-megapixel photograph as a 64-pixel crop


def affine(
    images: Float[Tensor, "B C H W"],
    keypoints: Float[Tensor, "B *N K 2"],
    matrix: Float[Tensor, "B _ 3"],
    size: Sequence[int] | None = None,
    *,
    padding: Padding = "zeros",
) -> tuple[Float[Tensor, "B C h w"], Float[Tensor, "B *N K 2"]]:
    """Move images and keypoints by one matrix an image: (x', y', 1) = M · (x, y, 1).

    Args:
        images: any channels.
        keypoints: (x, y) in pixels of `images`; of one person an image or of a crowd.
        matrix: (B 2 3) or (B 3 3), *forward* in pixels: from the old picture to the new.
        size: (H, W) of the new images; by default that of the old.
        padding: what lies outside of the old picture.

    Returns:
        The new images, anti-aliased where they shrink, and the keypoints in their pixels.

    Raises:
        ValueError: a matrix of another shape or without a way back.
    """
    require_points(keypoints, "keypoints")
    return warp(images, matrix, size, padding=padding), transform_points(keypoints, matrix)


def crop(
    images: Float[Tensor, "B C H W"],
    keypoints: Float[Tensor, "B *N K 2"],
    box: Float[Tensor, "B 4"],
    size: Sequence[int],
    *,
    padding: Padding = "zeros",
) -> tuple[Float[Tensor, "B C h w"], Float[Tensor, "B *N K 2"]]:
    """Cut one box out of each image and bring it to `size`, keypoints along: batches from pictures of any size.

    Args:
        images: any channels.
        keypoints: (x, y) in pixels of `images`; points outside of the box get places outside of the crop.
        box: (x, y, width, height) in pixels, x and y edges; it may reach beyond the picture. `context_box` gives it
            the aspect of `size`, or the crop is stretched.
        size: (H, W) of the crops.
        padding: what lies outside of the picture.

    Raises:
        ValueError: a box without width or height.
    """
    return affine(images, keypoints, box_to_size(box, size), size, padding=padding)


def rotate(
    images: Float[Tensor, "B C H W"],
    keypoints: Float[Tensor, "B *N K 2"],
    degrees: float | Float[Tensor, " B"],
    *,
    padding: Padding = "zeros",
) -> tuple[Float[Tensor, "B C H W"], Float[Tensor, "B *N K 2"]]:
    """Turn images and keypoints about the centre, counter-clockwise on the screen; corners are lost.

    Args:
        images: any channels.
        keypoints: (x, y) in pixels of `images`.
        degrees: one angle for all, or one an image.
        padding: what lies outside of the picture.

    Lesson: 07.
    """
    require_tensors(images=images, keypoints=keypoints)
    angles = torch.as_tensor(degrees, dtype=keypoints.dtype, device=keypoints.device).expand(len(images))
    return affine(images, keypoints, rotation(angles, images.shape[-2:]), padding=padding)


def flip(
    images: Float[Tensor, "B C H W"], keypoints: Float[Tensor, "B *N K 2"], skeleton: Skeleton
) -> tuple[Float[Tensor, "B C H W"], Float[Tensor, "B *N K 2"]]:
    """Mirror images and keypoints left to right, exactly; left and right keypoints change places."""
    require_tensors(images=images)
    require_points(keypoints, "keypoints")
    return images.flip(-1), flip_keypoints(keypoints, images.shape[-2:], skeleton)


def warp(
    images: Float[Tensor, "B C H W"],
    matrix: Float[Tensor, "B _ 3"],
    size: Sequence[int] | None = None,
    *,
    padding: Padding = "zeros",
    nearest: bool = False,
) -> Float[Tensor, "B C h w"]:
    """Move images alone, as `affine` does.

    Args:
        images: any channels; heatmaps too, with a matrix in cells.
        matrix: (B 2 3) or (B 3 3), forward in pixels.
        size: (H, W) of the new images; by default that of the old.
        padding: what lies outside of the old picture.
        nearest: take the nearest pixel and do not blend: for maps of labels.
    """
    require_tensors(images=images, matrix=matrix)
    new = checked_size(images.shape[-2:] if size is None else size)
    if matrix.ndim != 3 or len(matrix) != len(images):
        raise ValueError(f"matrix must be one (2, 3) or (3, 3) for each of {len(images)} images; got {matrix.shape}.")
    # A half-precision grid would miss its pixel by up to 0.25 px at x = 640.
    precise = torch.promote_types(images.dtype, torch.float32)
    backward = invert(homogeneous(matrix).to(precise))
    looks = [(1, 1)] * len(images) if nearest else _looks(backward)
    warped = images.new_empty(*images.shape[:2], *new)
    for many in set(looks):
        chosen = [index for index, n in enumerate(looks) if n == many]
        grid = _grid(backward[chosen], images.shape[-2:], new, many)
        sampled = functional.grid_sample(
            images[chosen].to(precise), grid, "nearest" if nearest else "bilinear", padding, align_corners=False
        )
        # A mean over one look is that look, and torch takes longer for it than for the looking.
        warped[chosen] = (sampled if many == (1, 1) else functional.avg_pool2d(sampled, many)).to(images.dtype)
    return warped


def _looks(backward: Float[Tensor, "B 3 3"]) -> list[tuple[int, int]]:
    """Return for each image how many looks (rows, columns) a new pixel takes: the shrink, rounded up."""
    # Rounding may make a shrink of 1 a little more: that is no reason to blur.
    return [
        (min(max(math.ceil(fy - 1e-3), 1), _MOST_LOOKS), min(max(math.ceil(fx - 1e-3), 1), _MOST_LOOKS))
        for fx, fy in _shrink(backward).tolist()
    ]


def _shrink(backward: Float[Tensor, "B 3 3"]) -> Float[Tensor, "B 2"]:
    """Return how many old pixels one step along x' and one along y' cover."""
    return backward[:, :2, :2].norm(dim=1)


def _grid(
    backward: Float[Tensor, "B 3 3"], old: Sequence[int], new: Size, looks: tuple[int, int]
) -> Float[Tensor, "B h w 2"]:
    """Return where every look of every new pixel falls, in `grid_sample`'s units; h = H·n, w = W·n."""
    shrink = _shrink(backward)
    x = _ticks(new[1], looks[1], shrink[:, 0])
    y = _ticks(new[0], looks[0], shrink[:, 1])
    points = torch.stack(torch.broadcast_tensors(x[:, None, :], y[:, :, None]), dim=-1)
    return 2 * pixels_to_unit(transform_points(points, backward), old) - 1


def _ticks(length: int, looks: int, shrink: Float[Tensor, " B"]) -> Float[Tensor, "B n"]:
    """Return the places of the looks along one axis of the new picture, in its pixels."""
    centres = torch.arange(length, dtype=shrink.dtype, device=shrink.device).repeat_interleave(looks)
    if looks == 1:
        return centres.expand(len(shrink), -1)
    steps = torch.arange(looks, dtype=shrink.dtype, device=shrink.device) - (looks - 1) / 2
    apart = ((shrink**2 - 1) / (looks**2 - 1)).sqrt() / shrink
    return centres + apart[:, None] * steps.repeat(length)
