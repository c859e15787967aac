"""From the answer of a head with tags to people: candidates, then groups, then everybody's keypoints in pixels."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from posecourse import decode
from posecourse.grouping import People, group_by_tag, group_by_truth, tags_at
from posecourse.models.network import PoseNetwork, evaluating
from posecourse.models.tags import TagAnswer, TagHead
from posecourse.samples import Sample

__all__ = [
    "Candidates",
    "CrowdReading",
    "candidates",
    "people_by_truth",
    "people_of",
    "predict_people",
    "true_candidates",
]


class Candidates(NamedTuple):
    """Places where somebody's keypoint may be: what grouping has to share out.

    Args:
        points: (B K M 2) as (x, y) in cells.
        scores: (B K M), how high the map stands there; 0 says that there is nothing.
        tags: (B K M D) what the network says there about whose it is.
    """

    points: Float[Tensor, "B K M 2"]
    scores: Float[Tensor, "B K M"]
    tags: Float[Tensor, "B K M D"]


class CrowdReading(NamedTuple):
    """Who is where, as read from the answers to several images, in each the surest first.

    Args:
        keypoints_px: (B N K 2) as (x, y) in pixels of the images; a keypoint that was not found lies at the mean of
            its person's other ones.
        scores: (B N K), 0 where a keypoint was not found. A person's score is the mean over all K.
        present: (B N K) which keypoints were found.
    """

    keypoints_px: Float[Tensor, "B N K 2"]
    scores: Float[Tensor, "B N K"]
    present: Bool[Tensor, "B N K"]

    @property
    def there(self) -> Bool[Tensor, "B N"]:
        """Which places hold a person."""
        return self.present.any(-1)


def predict_people(
    network: PoseNetwork,
    images: Float[Tensor, "B 3 H W"],
    *,
    threshold: float | None = None,
    max_people: int = 10,
    least: float = 0.3,
    order: Sequence[int] | None = None,
) -> CrowdReading:
    """Return everybody in the images, without a gradient.

    Args:
        network: one with a head for tags.
        images: RGB in [0, 1].
        threshold: how far a tag may be from the mean tag of the person that it joins; the head's margin by default,
            which `benchmarks/diagnosis.py` chose. Theory promises as much for half of it only, yet a person takes one
            candidate a keypoint, so that too small a threshold costs more than too large a one.
        max_people: how many people an image may have at most.
        least: the lowest peak that is a candidate. Lower ones are noise as a rule, and each may begin a person.
        order: in which order keypoints join: `grouping.torso_out(skeleton)` begins with what is seldom hidden.

    Raises:
        TypeError: the network's head has no tags.
    """
    head = network.head
    if not isinstance(head, TagHead):
        raise TypeError(f"people are read from a head with tags; this is a {type(head).__name__}. Build 'tags'.")
    with torch.no_grad(), evaluating(network):
        answer = network(images)
    found = candidates(answer, head.sigma, limit=max_people, least=least)
    return people_of(found, head, threshold=threshold, max_people=max_people, order=order)


def candidates(answer: TagAnswer, sigma: float, *, limit: int = 10, least: float = 0.3) -> Candidates:
    """Return the peaks of the heatmaps, refined within their cells, and the tags that stand there.

    Args:
        answer: of a head with tags.
        sigma: σ of the blobs, in cells.
        limit: M, how many candidates a keypoint may have.
        least: the lowest peak that counts.
    """
    maps = answer.heatmaps.detach()
    peaks = decode.nms_peaks(maps, limit, least=least)
    refined = decode.dark_at(maps, peaks, blur_sigma=sigma)
    return Candidates(*refined, _tags(answer, peaks.points))


def true_candidates(answer: TagAnswer, head: TagHead, sample: Sample) -> Candidates:
    """Return the true keypoints as candidates with score 1, and the tags that the network gives them: M = N.

    A detector that makes no mistake: what is then still wrong is the grouping's, which does not look at their order.
    """
    points = head.people_in_cells(sample).transpose(1, 2)
    there = head.counted_keypoints(sample).transpose(1, 2)
    return Candidates(points, there.to(points.dtype), _tags(answer, points))


def _tags(answer: TagAnswer, points: Float[Tensor, "B K M 2"]) -> Float[Tensor, "B K M D"]:
    """Return the tags at candidates, whose axes are not those of people."""
    return tags_at(answer.tags.detach(), points.transpose(1, 2)).transpose(1, 2)


def people_of(
    found: Candidates,
    head: TagHead,
    *,
    threshold: float | None = None,
    max_people: int = 10,
    order: Sequence[int] | None = None,
) -> CrowdReading:
    """Return candidates grouped by their tags, image by image, in pixels. Arguments as for `predict_people`."""
    threshold = head.margin if threshold is None else threshold
    each = zip(*found, strict=True)
    return _together([group_by_tag(*one, threshold, max_people, order=order) for one in each], head)


def people_by_truth(found: Candidates, head: TagHead, sample: Sample, *, reach: float = 3.0) -> CrowdReading:
    """Return candidates grouped by the truth instead of their tags: people in the order of the sample, in pixels.

    A grouping that makes no mistake: what is then still wrong is the detector's.

    Args:
        found: peaks of the heatmaps, or with `true_candidates` the truth itself.
        head: of the network.
        sample: the truth.
        reach: how far from the truth a candidate may be, in cells.
    """
    truth, mask = head.people_in_cells(sample), head.counted_keypoints(sample)
    each = zip(found.points, found.scores, truth, mask, strict=True)
    return _together([group_by_truth(*one, reach) for one in each], head)


def _together(images: Sequence[People], head: TagHead) -> CrowdReading:
    """Return the people of several images in pixels, with as many places an image as the fullest one has people."""
    points, scores, present = (pad_sequence(list(part), batch_first=True) for part in zip(*images, strict=True))
    return CrowdReading(head.in_pixels(points), scores, present)
