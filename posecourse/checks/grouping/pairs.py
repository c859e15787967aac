"""Pairs of people: how far their mean tags are apart, what that costs, and which of them count."""

import torch
from torch import Tensor

__all__ = ["averaged", "counted_pairs", "distances", "hinge", "hinged", "person_means", "summed"]


def person_means(tags: Tensor, mask: Tensor) -> Tensor:
    """Return each person's mean tag, 0 for nobody: (*B N D)."""
    return torch.where(mask[..., None], tags, 0).sum(-2) / mask.sum(-1).clamp(min=1)[..., None]


def distances(tags: Tensor, mask: Tensor) -> Tensor:
    """Return how far each two mean tags are apart: (*B N N)."""
    means = person_means(tags, mask)
    return torch.linalg.vector_norm(means[..., :, None, :] - means[..., None, :, :], dim=-1)


def hinged(means: Tensor, margin: float) -> Tensor:
    """Return what two means cost each other, max(0, margin − d)²: (*B N N)."""
    apart = torch.linalg.vector_norm(means[..., :, None, :] - means[..., None, :, :], dim=-1)
    return (margin - apart).clamp(min=0) ** 2


def hinge(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """Return the same of the tags that the means are made of."""
    return hinged(person_means(tags, mask), margin)


def counted_pairs(mask: Tensor, *, oneself: bool = False) -> Tensor:
    """Return which pairs count: two people who have a label, or also each with themselves."""
    present = mask.any(-1)
    both = present[..., :, None] & present[..., None, :]
    return both if oneself else both & ~torch.eye(mask.shape[-2], dtype=torch.bool)


def summed(values: Tensor, pairs: Tensor) -> Tensor:
    """Return the sum over the pairs that count: (*B)."""
    return torch.where(pairs, values, 0).sum((-2, -1))


def averaged(values: Tensor, pairs: Tensor) -> Tensor:
    """Return the mean over the pairs that count, 0 where there are none: (*B)."""
    return summed(values, pairs) / pairs.sum((-2, -1)).clamp(min=1)
