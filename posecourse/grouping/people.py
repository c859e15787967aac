"""From candidates to people: keypoints whose tags are alike belong to one person."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from torch import Tensor

from posecourse.grouping.assignment import assign
from posecourse.shapes import require_count, require_points, require_positive, require_tensors

__all__ = ["People", "group_by_tag"]


class People(NamedTuple):
    """The people of one image, the surest first.

    Args:
        points: (N K 2) as (x, y), in the frame of the candidates. A keypoint that was not found lies at the mean of
            its person's other ones.
        scores: (N K), the candidates'; 0 where nothing was found.
        present: (N K) which keypoints were found, at least one a person.
    """

    points: Float[Tensor, "N K 2"]
    scores: Float[Tensor, "N K"]
    present: Bool[Tensor, "N K"]


def group_by_tag(
    points: Float[Tensor, "K M 2"],
    scores: Float[Tensor, "K M"],
    tags: Float[Tensor, "K M D"],
    threshold: float,
    max_people: int,
    *,
    order: Sequence[int] | None = None,
    assignment: Literal["optimal", "greedy"] = "optimal",
) -> People:
    """Return the people of one image: keypoint by keypoint, each candidate joins the person whose tag it bears.

    A person's tag is the mean of the tags that they have so far. Of each keypoint a person takes one candidate at
    most, at a distance below the threshold, and a candidate goes to one person at most; "optimal" lets the sum of
    (threshold² − distance²) over all that join be largest, "greedy" lets the closest pair go first. Who joins nobody
    starts a new person. Scores decide between equal distances only, and who is kept.

    Squares, since two candidates on one side of two people tie by plain distances where a tag is one number, and since
    the smallest sum of squares is the likeliest pairing of tags that lie normally about their people's.

    The answer depends on the candidates alone, not on their places in the tensors.

    Args:
        points: (x, y) of up to M candidates a keypoint, as `nms_peaks` finds them.
        scores: their heights. A candidate of score 0 or less is absent, and so is one with a number that is not
            finite. To ignore what is faint, `scores.where(scores > least, 0)` first.
        tags: theirs, as `tags_at` reads them.
        threshold: in tag units, positive. Half the margin of `push_loss` makes no mistake while tags keep within a
            quarter of their people's; a network whose tags stray needs more.
        max_people: how many to return at most: those with the largest sum of scores.
        order: in which order keypoints join, each once; the data's by default. What is seldom hidden or mistaken
            should come first: `torso_out(skeleton)`.
        assignment: "optimal" or "greedy"; they differ where people's tags are closer than twice the threshold.

    Returns:
        People by the sum of their scores, largest first; none (0 K 2) where there is no candidate. Not differentiable
        but for the numbers that are passed on.

    Raises:
        ValueError: shapes do not fit, `threshold` or `max_people` is not positive, or `order` is not one of the K
            keypoints.

    Source: Newell et al. 2017, section 3.3. The public decoders round the distance to rank by score what is left,
    name a person by the first component of their first tag, so that equal ones overwrite each other, cannot assign
    NaN, and let people beyond the maximum through.
    Lesson: 05, exercise `group_by_tag`.
    """
    K = _checked_candidates(points, scores, tags)
    require_positive(threshold, "threshold")
    require_count(max_people, "max_people")
    order = range(K) if order is None else [int(k) for k in order]
    if sorted(order) != list(range(K)):
        raise ValueError(f"order must hold each of the keypoints 0 … {K - 1} once; got {list(order)}.")
    places, heights, marks = (tensor.detach().cpu().double().numpy() for tensor in (points, scores, tags))
    found = _join(places, heights, marks, order, threshold, assignment)  # (P K)
    sums = np.where(found >= 0, heights[np.arange(K), found], 0).sum(-1)
    best = (-sums).argsort(kind="stable")[:max_people]
    return _people(points, scores, torch.from_numpy(found[best]).to(scores.device))


def _join(
    points: NDArray[np.float64],
    scores: NDArray[np.float64],
    tags: NDArray[np.float64],
    order: Sequence[int],
    threshold: float,
    assignment: Literal["optimal", "greedy"],
) -> NDArray[np.int64]:
    """Return for each person (P K) which candidate each of their keypoints is, or −1."""
    K, _, D = tags.shape
    numbers = np.concatenate([scores[..., None], points, tags], axis=-1)
    usable = (scores > 0) & np.isfinite(numbers).all(-1)
    counts = usable.sum(-1)
    # The usable ones first, by score, place and tag: from here on nothing depends on how the candidates were stored.
    ranked = np.lexsort((*tags.T[::-1].swapaxes(1, 2), *points.T[::-1].swapaxes(1, 2), -scores, ~usable))
    marks = np.concatenate([tags, np.ones((*scores.shape, 1))], axis=-1)[np.arange(K)[:, None], ranked]
    people: NDArray[np.int64] = np.full((counts.sum(), K), -1)
    sums, P = np.zeros((len(people), D + 1)), 0  # of tags, and how many they are
    for k in order:
        candidates, theirs = ranked[k, : counts[k]], marks[k, : counts[k]]
        ways = (sums[:P, :D] / sums[:P, D:])[:, None] - theirs[:, :D]
        who, which = assign(np.sqrt(np.einsum("pmd,pmd->pm", ways, ways)), threshold, assignment)
        people[who, k] = candidates[which]
        sums[who] += theirs[which]
        if len(which) == len(candidates):
            continue
        alone = np.ones(len(candidates), dtype=bool)
        alone[which] = False
        new = slice(P, P + len(candidates) - len(which))
        people[new, k], sums[new] = candidates[alone], theirs[alone]
        P = new.stop
    return people[:P]


def _people(points: Tensor, scores: Tensor, found: Tensor) -> People:
    """Return the chosen candidates (N K), −1 for none, as People."""
    present = found >= 0
    index = found.clamp(min=0).T  # (K N)
    places = points.gather(1, index[..., None].expand(-1, -1, 2)).transpose(0, 1)
    places = torch.where(present[..., None], places, 0)
    middle = places.sum(1, keepdim=True) / present.sum(1).clamp(min=1)[:, None, None]
    heights = torch.where(present, scores.gather(1, index).T, 0)
    return People(torch.where(present[..., None], places, middle), heights, present)


def _checked_candidates(points: Tensor, scores: Tensor, tags: Tensor) -> int:
    """Return K, or raise unless the three tensors hold the same candidates of one image."""
    require_points(points)
    require_tensors(scores=scores, tags=tags)
    if points.ndim != 3 or scores.shape != points.shape[:2] or tags.ndim != 3 or tags.shape[:2] != points.shape[:2]:
        raise ValueError(
            "points must be (K, M, 2), scores (K, M) and tags (K, M, D), of one image; "
            f"got {tuple(points.shape)}, {tuple(scores.shape)} and {tuple(tags.shape)}. Call it image by image."
        )
    return points.shape[0]
