"""The vocabulary of shapes: what the letters in every signature mean, and the one protocol of an estimator.

| letter  | meaning                          | letter | meaning                        |
|---------|----------------------------------|--------|--------------------------------|
| B       | images in a batch                | N      | people in an image             |
| K       | keypoints                        | M      | candidate peaks per keypoint   |
| C, H, W | channels, rows, columns          | D      | tag size                       |
| S       | Monte-Carlo samples              | V      | views or branches being fused  |
| G       | group elements                   | T      | temperature                    |

Points are (x, y). Sizes are (H, W). A pixel's centre is at integer coordinates.
"""

from collections.abc import Sequence
from typing import Protocol, TypeAlias, runtime_checkable

from jaxtyping import Float
from torch import Tensor

__all__ = [
    "Estimator",
    "Size",
    "checked_size",
    "require_count",
    "require_maps",
    "require_points",
    "require_positive",
    "require_same_shape",
]

Size: TypeAlias = tuple[int, int]
"""(H, W): rows, columns."""


@runtime_checkable
class Estimator(Protocol):
    """Anything that finds one person's keypoints: what `evaluate`, `mc_dropout` and their like accept."""

    def predict(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K 2"]:
        """Return keypoints (x, y) in pixels of the given images."""
        ...


def checked_size(size: Sequence[int]) -> Size:
    """Return `size` as (H, W), both positive integers.

    Raises:
        ValueError: `size` is not two positive integers. Give (H, W): rows first, then columns.
    """
    if len(size) == 2 and all(float(n).is_integer() and n > 0 for n in size):
        return int(size[0]), int(size[1])
    raise ValueError(f"size must be two positive integers (H, W): rows, then columns; got {tuple(size)}.")


def require_points(points: Tensor, name: str = "points") -> None:
    """Raise unless `points` is a floating tensor of shape (..., 2).

    Raises:
        TypeError: integers, which would silently round a keypoint. Call `.float()` first.
        ValueError: the last axis is not (x, y).
    """
    if points.ndim == 0 or points.shape[-1] != 2:
        column = " Drop the visibility column: points[..., :2]." if points.shape[-1:] == (3,) else ""
        raise ValueError(f"{name} must be (..., 2) holding (x, y); got {tuple(points.shape)}.{column}")
    if not points.is_floating_point():
        raise TypeError(
            f"{name} must be floating point, or sub-pixel places are lost; got {points.dtype}. Call .float() first."
        )


def require_maps(maps: Tensor, name: str = "heatmaps") -> None:
    """Raise unless `maps` is a floating tensor of shape (..., K, H, W) with at least one cell.

    Raises:
        TypeError: integers, in which a peak has no sub-cell place. Call `.float()` first.
        ValueError: an axis is missing or a map has no cells.
    """
    if maps.ndim < 3 or 0 in maps.shape[-2:]:
        hint = " Add the keypoint axis: maps[None]." if maps.ndim == 2 else ""
        raise ValueError(f"{name} must be (..., K, H, W) with at least one cell; got {tuple(maps.shape)}.{hint}")
    if not maps.is_floating_point():
        raise TypeError(f"{name} must be floating point; got {maps.dtype}. Call .float() first.")


def require_same_shape(a: Tensor, b: Tensor, names: str) -> None:
    """Raise unless `a` and `b` have one shape: broadcasting would compare things that do not belong together.

    Raises:
        ValueError: the shapes differ.
    """
    if a.shape != b.shape:
        raise ValueError(
            f"{names} must have one shape; got {tuple(a.shape)} and {tuple(b.shape)}. "
            "Nothing is broadcast here: expand the smaller one if that is what you mean."
        )


def require_positive(value: float | Tensor, name: str) -> None:
    """Raise unless `value`, or each number in it, is positive.

    Raises:
        ValueError: a number is zero, negative or NaN.
    """
    if isinstance(value, Tensor):
        if not bool((value > 0).all()):
            worst = value.detach().min().item()  # NaN, where there is one
            raise ValueError(f"{name} must be positive everywhere; got {worst:.4g}.")
    elif not value > 0:
        raise ValueError(f"{name} must be positive; got {value}.")


def require_count(value: int, name: str) -> None:
    """Raise unless `value` is a positive whole number.

    Raises:
        ValueError: it is zero, negative or has a fraction.
    """
    if not (value > 0 and float(value).is_integer()):
        raise ValueError(f"{name} must be a positive whole number; got {value}.")
