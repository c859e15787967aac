"""Which keypoints a limb joins, and what has to be true of keypoints, limbs and lengths before they can be used."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from posecourse.shapes import is_number, require_mask, require_tensors
from posecourse.skeletons import Skeleton

__all__ = ["Bound", "Limbs", "checked_lengths", "checked_pairs", "checked_variances", "known", "limb_mask",
           "require_bound", "require_joints"]  # fmt: skip

Limbs: TypeAlias = Skeleton | Sequence[Sequence[int]]
"""E pairs of keypoints (parent, child), or a skeleton, whose `limbs` they are."""

Bound: TypeAlias = Literal["equal", "upper"]
"""Whether a limb has its length, or at most its length."""


def limb_mask(mask: Bool[Tensor, "*B K"], limbs: Limbs) -> Bool[Tensor, "*B E"]:
    """Return which limbs have both ends: what `masked_mean` needs beside `limb_loss`.

    Args:
        mask: which keypoints count.
        limbs: pairs of keypoints, or a skeleton.

    Raises:
        TypeError: `mask` is not boolean.
        ValueError: a limb joins a keypoint that does not exist.

    Lesson: 09.
    """
    require_mask(mask)
    pairs = checked_pairs(limbs, mask.shape[-1])
    parents, children = ([pair[end] for pair in pairs] for end in (0, 1))
    return mask[..., parents] & mask[..., children]


def known(points: Float[Tensor, "*B K D"], mask: Bool[Tensor, "*B K"] | None) -> Bool[Tensor, "*B K"]:
    """Return which keypoints are there: finite, and not masked out.

    Raises:
        TypeError: `mask` is not boolean.
        ValueError: it is not (..., K).
    """
    finite = points.detach().isfinite().all(-1)
    if mask is None:
        return finite
    require_mask(mask)
    if mask.shape != finite.shape:
        raise ValueError(
            f"mask must have one value a keypoint, {tuple(finite.shape)}; got {tuple(mask.shape)}. "
            "It says which keypoints count; a limb counts if both its ends do."
        )
    return finite & mask


def checked_pairs(limbs: Limbs, K: int) -> list[tuple[int, int]]:
    """Return the limbs as pairs of indices.

    Raises:
        ValueError: a limb does not join two different of the K keypoints.
    """
    pairs = [tuple(int(end) for end in limb) for limb in (limbs.limbs if isinstance(limbs, Skeleton) else limbs)]
    for pair in pairs:
        if len(pair) != 2 or pair[0] == pair[1] or not all(0 <= end < K for end in pair):
            raise ValueError(
                f"limb {pair} must join two different of the keypoints 0 … {K - 1}. "
                "COCO files count from 1: subtract 1."
            )
    return [(pair[0], pair[1]) for pair in pairs]


def checked_lengths(
    lengths: Tensor | float, shape: Sequence[int], like: Tensor, name: str = "lengths"
) -> Float[Tensor, "*S"]:
    """Return lengths as a tensor of that shape, of the type and on the device of `like`.

    Raises:
        TypeError: neither a number nor a tensor.
        ValueError: one is negative or not finite, or they do not fit.
    """
    if not is_number(lengths):
        require_tensors(**{name: lengths})
    given = torch.as_tensor(lengths, dtype=like.dtype, device=like.device)
    wrong = given.detach()[~((given >= 0) & given.isfinite())]
    if wrong.numel():
        raise ValueError(
            f"{name} must be finite and not negative; got {wrong[0].item():.4g}. Leave limbs of unknown length out."
        )
    return _broadcast(given, shape, name)


def checked_variances(variances: Tensor | None, shape: Sequence[int], like: Tensor) -> Float[Tensor, "*S"]:
    """Return variances as a tensor of that shape, ones if there are none, like `checked_lengths`."""
    if variances is None:
        return torch.ones((), dtype=like.dtype, device=like.device).expand(tuple(shape))
    return checked_lengths(variances, shape, like, "variances")


def _broadcast(given: Tensor, shape: Sequence[int], name: str) -> Tensor:
    try:
        return given.expand(tuple(shape))
    except RuntimeError:
        raise ValueError(
            f"{name} must be {tuple(shape)}, or fit it from the right; got {tuple(given.shape)}."
        ) from None


def require_bound(bound: str) -> None:
    """Raise unless `bound` is "equal" or "upper"."""
    if bound not in ("equal", "upper"):
        raise ValueError(f'bound must be "equal", a length to have, or "upper", one not to exceed; got {bound!r}.')


def require_joints(points: Tensor, name: str = "points", axes: str = "..., K") -> None:
    """Raise unless `points` is a floating tensor of (x, y) or (x, y, z).

    Raises:
        TypeError: no tensor, or integers.
        ValueError: an axis is missing, or the last one has neither two nor three components.
    """
    require_tensors(**{name: points})
    if points.ndim < axes.count(",") + 1 or points.shape[-1] not in (2, 3):
        raise ValueError(
            f"{name} must be ({axes}, D) with D = 2 components (x, y) or 3 (x, y, z); got {tuple(points.shape)}."
        )
    if not points.is_floating_point():
        raise TypeError(f"{name} must be floating point; got {points.dtype}. Call .float() first.")
