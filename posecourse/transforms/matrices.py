"""Affine maps of the picture plane as matrices: they take (x, y, 1) in pixels forward, from the old to the new.

The centre of a picture of size (H, W) is ((W − 1)/2, (H − 1)/2), because pixel centres are at integers. W/2 is the
classic mistake: it moves every point by (½, ½) turned, minus (½, ½).
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.shapes import checked_size, require_tensors

__all__ = ["box_to_size", "compose", "determinant", "flipping", "homogeneous", "invert", "rotation"]


def rotation(degrees: Float[Tensor, "*B"], size: Sequence[int]) -> Float[Tensor, "*B 3 3"]:
    """Return the turn about the picture's centre c, counter-clockwise on the screen.

    y points down, so a counter-clockwise turn by θ reads

        x' = cx + cos θ · (x − cx) + sin θ · (y − cy)
        y' = cy − sin θ · (x − cx) + cos θ · (y − cy)

    Multiples of 90° are exact: no 6e-17 where a zero belongs.

    Args:
        degrees: θ in degrees; positive turns counter-clockwise.
        size: (H, W) of the picture in pixels.

    Lesson: 07.
    """
    require_tensors(degrees=degrees)
    H, W = checked_size(size)
    quarter = degrees % 90 == 0
    radians = torch.deg2rad(degrees)
    cos, sin = (torch.where(quarter, f.round(), f) for f in (radians.cos(), radians.sin()))
    cx, cy = (W - 1) / 2, (H - 1) / 2
    return _matrix([[cos, sin, cx - cos * cx - sin * cy], [-sin, cos, cy + sin * cx - cos * cy]], degrees)


def flipping(size: Sequence[int], like: Tensor) -> Float[Tensor, "3 3"]:
    """Return the mirror x' = W − 1 − x, with the dtype and device of `like`.

    Args:
        size: (H, W) of the picture in pixels.
        like: any tensor of the wanted dtype and device.
    """
    require_tensors(like=like)
    _, W = checked_size(size)
    return like.new_tensor([[-1.0, 0.0, W - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])


def box_to_size(box: Float[Tensor, "*B 4"], size: Sequence[int]) -> Float[Tensor, "*B 3 3"]:
    """Return the map that stretches a box to a whole picture: edges go to edges, not centres to centres.

        x' = (x − left) · W / width − ½,    y' = (y − top) · H / height − ½

    Args:
        box: (x, y, width, height) in pixels, x and y edges: the whole of a picture is (−½, −½, W, H).
        size: (H, W) of the result. Where the aspects differ, the picture is stretched; `context_box` avoids that.

    Raises:
        ValueError: a box without width or height, or not finite.
    """
    require_tensors(box=box)
    H, W = checked_size(size)
    x, y, width, height = box.unbind(-1)
    if not bool((torch.isfinite(box).all(-1) & (width > 0) & (height > 0)).all()):
        raise ValueError(
            f"box must be finite (x, y, width, height) with positive width and height; got {box.tolist()}."
        )
    sx, sy = W / width, H / height
    zero = torch.zeros_like(sx)
    return _matrix([[sx, zero, -x * sx - 0.5], [zero, sy, -y * sy - 0.5]], box)


def homogeneous(matrix: Tensor, name: str = "matrix") -> Float[Tensor, "... 3 3"]:
    """Return an affine (... 2 3) or (... 3 3) matrix as (... 3 3).

    Raises:
        ValueError: another shape, or a third row other than (0, 0, 1): a perspective is not affine.
    """
    require_tensors(**{name: matrix})
    if matrix.ndim < 2 or matrix.shape[-2:] not in ((2, 3), (3, 3)):
        raise ValueError(f"{name} must be (..., 2, 3) or (..., 3, 3), forward in pixels; got {tuple(matrix.shape)}.")
    last = matrix.new_tensor([0.0, 0.0, 1.0]).expand(*matrix.shape[:-2], 1, 3)
    if matrix.shape[-2] == 3 and not torch.equal(matrix[..., 2:, :], last):
        raise ValueError(f"{name} must be affine: its third row must be (0, 0, 1), not a perspective.")
    return torch.cat([matrix[..., :2, :], last], dim=-2)


def determinant(matrix: Tensor) -> Float[Tensor, "..."]:
    """Return by how much a map multiplies areas; negative for a mirror."""
    return matrix[..., 0, 0] * matrix[..., 1, 1] - matrix[..., 0, 1] * matrix[..., 1, 0]


def compose(second: Tensor, first: Tensor) -> Float[Tensor, "... 3 3"]:
    """Return the map that does `first`, then `second`: their matrix product, second · first."""
    # Summed by hand: a GPU may run small matrix products in TF32, which is worth 0.3 px at x = 640.
    second, first = homogeneous(second, "second"), homogeneous(first, "first")
    return (second[..., :, :, None] * first[..., None, :, :]).sum(-2)


def invert(matrix: Tensor) -> Float[Tensor, "... 3 3"]:
    """Return the way back: `invert(m)` after `m` leaves every point where it was.

    Args:
        matrix: (... 2 3) or (... 3 3), affine.

    Raises:
        ValueError: the matrix squeezes the plane to a line or a point, or holds a NaN.
    """
    matrix = homogeneous(matrix)
    (a, b, tx), (c, d, ty) = (row.unbind(-1) for row in matrix[..., :2, :].unbind(-2))
    det = determinant(matrix)
    if not bool((torch.isfinite(matrix).flatten(-2).all(-1) & (det != 0)).all()):
        raise ValueError("matrix has no way back: its determinant is 0 or it is not finite. Check scale and shear.")
    return _matrix([[d / det, -b / det, (b * ty - d * tx) / det], [-c / det, a / det, (c * tx - a * ty) / det]], matrix)


def _matrix(rows: list[list[Tensor | float]], like: Tensor) -> Tensor:
    """Stack two rows of numbers or tensors as (... 3 3) with the dtype and device of `like`."""
    if not like.is_floating_point():
        raise TypeError(f"a map's numbers must be floating point; got {like.dtype}. Call .float() first.")
    entries = [torch.as_tensor(entry, dtype=like.dtype, device=like.device) for row in rows for entry in row]
    top = torch.stack(torch.broadcast_tensors(*entries), dim=-1)
    return homogeneous(top.unflatten(-1, (2, 3)))
