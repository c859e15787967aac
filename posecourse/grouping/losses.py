"""What teaches a network to tag: the pull within a person, the push between people, one number an image.

What does not count, a keypoint that is not labelled or a person without a label, leaves no trace in value or gradient,
NaN included. A labelled tag that is NaN or infinite makes its image's loss NaN, without a gradient: a mistake shows.

All tags of a batch may come in one tensor: only people of one image meet. Three public implementations give three
numbers for the same tags, none of them ours. With G = `gaussian_push_loss` at sigma = √½, D the tag size and N people
who are labelled:

| | push | pull |
|---|---|---|
| ours | G: pairs of two people, each counts the same | ‖t − t̄‖², mean over joints, then over people |
| the paper | (1 + (N − 1)·G) / N at its own σ: each person is paired with themself too | K joints divide, seen or not |
| pose-ae-train, HigherHRNet | G/2; HigherHRNet's for D = 1 alone | ours / D |
| mmpose, with its weight of ½ | ½·Σ exp(−Δ²)/(N(N − 1)) over pairs *and components*, themselves included | ours / D |

The self pairs are constants, without a gradient, but they decide what a loss curve ends at: 1/N in the paper,
½·D/(N − 1) in mmpose, more for two people than for ten. mmpose's components part company too: each has to differ, so
two people a mile apart along one component are pushed for being equal in the other.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from posecourse.shapes import require_mask, require_positive, require_tensors

__all__ = ["gaussian_push_loss", "pull_loss", "push_loss"]


def pull_loss(tags: Float[Tensor, "*B N K D"], mask: Bool[Tensor, "*B N K"]) -> Float[Tensor, "*B"]:
    """Return how far the tags of a person are from their mean t̄, over the people of each image.

    mean over people of mean over their keypoints of ‖t − t̄‖²

    Alone it is smallest where all tags of the image are one: the collapse, which the push forbids.

    Args:
        tags: t, at the true keypoints, as `tags_at` reads them.
        mask: which of them are labelled; a person without any does not count.

    Returns:
        One number an image, in square tag units; 0 where nobody is labelled.

    Raises:
        TypeError: `mask` is not boolean.
        ValueError: `tags` is not (..., N, K, D) or `mask` not (..., N, K).

    Source: Newell et al. 2017, the first term of L_g; there a person's sum is divided by K, seen or not.
    Lesson: 05, exercise `pull_loss`.
    """
    labelled, finite = _labelled(tags, mask)
    squared = ((labelled - _means(labelled, mask)[..., None, :]) ** 2).sum(-1)  # (*B N K)
    person = torch.where(mask, squared, 0).sum(-1) / mask.sum(-1).clamp(min=1)
    loss = person.sum(-1) / mask.any(-1).sum(-1).clamp(min=1)
    return _finished(loss, finite, tags)


def push_loss(
    tags: Float[Tensor, "*B N K D"], mask: Bool[Tensor, "*B N K"], margin: float = 1.0
) -> Float[Tensor, "*B"]:
    """Return how much closer than a margin the mean tags t̄ of two people are, over the pairs of each image.

    mean over pairs n ≠ m of max(0, margin − ‖t̄_n − t̄_m‖)²

    It is content, exactly 0, once all people are a margin apart: unlike the Gaussian form it does not go on pushing,
    and it names the distance that a threshold of grouping, at most half of it, can rely on. Where two means are equal
    there is no way to go and the gradient is 0, here and in the Gaussian form.

    Args:
        tags: t, at the true keypoints, as `tags_at` reads them.
        mask: which of them are labelled; a person without any does not count.
        margin: the distance to keep, in tag units; positive.

    Returns:
        One number an image, between 0 and margin²; 0, attached to the graph, where fewer than two people are labelled.

    Raises:
        TypeError: `mask` is not boolean.
        ValueError: `tags` is not (..., N, K, D), `mask` not (..., N, K), or `margin` not positive.

    Source: De Brabandere et al. 2017, L_dist, their 2·δ_d our margin. HigherHRNet and CornerNet do not square.
    Lesson: 05, exercise `push_loss`.
    """
    require_positive(margin, "margin")
    labelled, finite = _labelled(tags, mask)
    distances = torch.linalg.vector_norm(_ways(labelled, mask), dim=-1)
    return _finished(_mean_of_pairs((margin - distances).clamp(min=0) ** 2, mask), finite, tags)


def gaussian_push_loss(
    tags: Float[Tensor, "*B N K D"], mask: Bool[Tensor, "*B N K"], sigma: float = 0.5**0.5
) -> Float[Tensor, "*B"]:
    """Return how alike the mean tags t̄ of two people are, over the pairs of each image.

    mean over pairs n ≠ m of exp(−‖t̄_n − t̄_m‖² / (2σ²))

    It pushes hardest at a distance of σ, hardly at all on people who are very close or far apart, and is never quite 0.

    Args:
        tags: t, at the true keypoints, as `tags_at` reads them.
        mask: which of them are labelled; a person without any does not count.
        sigma: σ, in tag units; positive. √½ makes exp(−d²), as all public code has it; the paper gives no number.

    Returns:
        One number an image, between 0 and 1; 0, attached to the graph, where fewer than two people are labelled.

    Raises:
        TypeError: `mask` is not boolean.
        ValueError: `tags` is not (..., N, K, D), `mask` not (..., N, K), or `sigma` not positive.

    Source: Newell et al. 2017, the second term of L_g, without the pairs of a person with themself.
    Lesson: 05.
    """
    require_positive(sigma, "sigma")
    labelled, finite = _labelled(tags, mask)
    alike = torch.exp(-((_ways(labelled, mask) / sigma) ** 2).sum(-1) / 2)
    return _finished(_mean_of_pairs(alike, mask), finite, tags)


def _labelled(tags: Tensor, mask: Tensor) -> tuple[Float[Tensor, "*B N K D"], Bool[Tensor, "*B"]]:
    """Return the tags in at least float32, 0 where they do not count, and which images' labelled tags are finite."""
    require_tensors(tags=tags)
    require_mask(mask)
    if tags.ndim < 3 or tags.shape[:-1] != mask.shape or tags.shape[-1] == 0:
        raise ValueError(
            f"tags must be (..., N, K, D) and mask (..., N, K); got {tuple(tags.shape)} and {tuple(mask.shape)}. "
            "A tag of one number has an axis too: tags[..., None]."
        )
    usable = tags.detach().isfinite().all(-1)
    finite = (usable | ~mask).all(-1).all(-1)
    wide = tags.to(torch.promote_types(tags.dtype, torch.float32))
    return torch.where((usable & mask)[..., None], wide, 0), finite


def _means(labelled: Float[Tensor, "*B N K D"], mask: Bool[Tensor, "*B N K"]) -> Float[Tensor, "*B N D"]:
    """Return each person's mean tag, 0 for a person without a label."""
    return labelled.sum(-2) / mask.sum(-1).clamp(min=1)[..., None]


def _ways(labelled: Float[Tensor, "*B N K D"], mask: Bool[Tensor, "*B N K"]) -> Float[Tensor, "*B N N D"]:
    """Return t̄_n − t̄_m for all people n and m of each image."""
    means = _means(labelled, mask)
    return means[..., :, None, :] - means[..., None, :, :]


def _mean_of_pairs(values: Float[Tensor, "*B N N"], mask: Bool[Tensor, "*B N K"]) -> Float[Tensor, "*B"]:
    """Return the mean over the pairs of two labelled people, 0 where there is none."""
    present = mask.any(-1)
    oneself = torch.eye(mask.shape[-2], dtype=torch.bool, device=mask.device)
    pairs = present[..., :, None] & present[..., None, :] & ~oneself
    return torch.where(pairs, values, 0).sum((-2, -1)) / pairs.sum((-2, -1)).clamp(min=1)


def _finished(loss: Tensor, finite: Bool[Tensor, "*B"], tags: Tensor) -> Float[Tensor, "*B"]:
    return torch.where(finite, loss, torch.nan).to(tags.dtype)
