"""The vocabulary of shapes: what the letters in every signature mean, and the one protocol of an estimator.

| letter  | meaning                          | letter | meaning                        |
|---------|----------------------------------|--------|--------------------------------|
| B       | images in a batch                | N      | people in an image             |
| K       | keypoints                        | M      | candidate peaks per keypoint   |
| C, H, W | channels, rows, columns          | D      | tag size                       |
| S       | Monte-Carlo samples              | V      | views or branches being fused  |
| G       | group elements                   | T      | temperature                    |
| E       | limbs, the edges of a skeleton   | J      | joints that bend               |

Points are (x, y). Sizes are (H, W). A pixel's centre is at integer coordinates.
"""

import math
from collections.abc import Sequence
from numbers import Real
from typing import Protocol, TypeAlias, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = [
    "Estimator",
    "Size",
    "checked_size",
    "is_number",
    "require_count",
    "require_maps",
    "require_mask",
    "require_points",
    "require_positive",
    "require_same_shape",
    "require_tensors",
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
    if is_number(size):
        raise ValueError(f"size must be two positive integers (H, W): rows, then columns; got {size}. Give both.")
    if len(size) == 2 and all(float(n).is_integer() and n > 0 for n in size):
        return int(size[0]), int(size[1])
    raise ValueError(f"size must be two positive integers (H, W): rows, then columns; got {tuple(size)}.")


def is_number(value: object) -> bool:
    """Return whether `value` is one real number, Python's or NumPy's: no text, no tensor, no array."""
    return isinstance(value, Real)


def require_tensors(**values: object) -> None:
    """Raise unless each of the named values is a tensor: an array has no device and no gradient.

    Raises:
        TypeError: a NumPy array, a list or anything else; the message names the value and the way to a tensor.
    """
    for name, value in values.items():
        if not isinstance(value, Tensor):
            kind = type(value)
            came = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
            convert = "from_numpy" if came == "numpy.ndarray" else "tensor"
            raise TypeError(
                f"{name}: expected a torch.Tensor; got {came}. Use torch.{convert}({name.rpartition('.')[2]})."
            )


def require_points(points: Tensor, name: str = "points") -> None:
    """Raise unless `points` is a floating tensor of shape (..., 2).

    Raises:
        TypeError: no tensor, or integers, which would silently round a keypoint. Call `.float()` first.
        ValueError: the last axis is not (x, y).
    """
    require_tensors(**{name: points})
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
        TypeError: no tensor, or integers, in which a peak has no sub-cell place. Call `.float()` first.
        ValueError: an axis is missing or a map has no cells.
    """
    require_tensors(**{name: maps})
    if maps.ndim < 3 or 0 in maps.shape[-2:]:
        hint = " Add the keypoint axis: maps[None]." if maps.ndim == 2 else ""
        raise ValueError(f"{name} must be (..., K, H, W) with at least one cell; got {tuple(maps.shape)}.{hint}")
    if not maps.is_floating_point():
        raise TypeError(f"{name} must be floating point; got {maps.dtype}. Call .float() first.")


def require_same_shape(a: Tensor, b: Tensor, names: str) -> None:
    """Raise unless `a` and `b` have one shape: broadcasting would compare things that do not belong together.

    Raises:
        TypeError: one of them is no tensor.
        ValueError: the shapes differ.
    """
    first, _, second = names.partition(" and ")
    require_tensors(**{first: a, second: b})
    if a.shape != b.shape:
        raise ValueError(
            f"{names} must have one shape; got {tuple(a.shape)} and {tuple(b.shape)}. "
            "Nothing is broadcast here: expand the smaller one if that is what you mean."
        )


def require_mask(mask: Tensor, name: str = "mask") -> None:
    """Raise unless `mask` is a boolean tensor.

    Raises:
        TypeError: no tensor, or numbers. COCO's visibility 0/1/2 is not a mask: `visibility > 0` is.
    """
    require_tensors(**{name: mask})
    if mask.dtype != torch.bool:
        raise TypeError(f"{name} must be boolean; got {mask.dtype}. Of COCO's visibility 0/1/2 take visibility > 0.")


def require_positive(value: float | Tensor, name: str) -> None:
    """Raise unless `value`, or each number in it, is positive and finite.

    Raises:
        TypeError: neither a number nor a tensor.
        ValueError: a number is zero, negative, infinite or NaN.
    """
    if isinstance(value, Tensor):
        wrong = value.detach()[~((value > 0) & value.isfinite())]
        if wrong.numel():
            raise ValueError(f"{name} must be positive and finite everywhere; got {wrong[0].item():.4g}.")
        return
    if not is_number(value):
        require_tensors(**{name: value})
    if not 0 < value < math.inf:
        raise ValueError(f"{name} must be positive and finite; got {value}.")


def require_count(value: int, name: str) -> None:
    """Raise unless `value` is a positive whole number.

    Raises:
        ValueError: it is zero, negative or has a fraction.
    """
    if not (value > 0 and float(value).is_integer()):
        raise ValueError(f"{name} must be a positive whole number; got {value}.")
