"""Wrong pushes that count other pairs, or other labels; each docstring is what the student reads."""

import torch
from torch import Tensor

from posecourse.checks.grouping.pairs import averaged, counted_pairs, distances, hinge, hinged, person_means, summed
from posecourse.grouping import push_loss

__all__ = ["COALS"]


def self_pairs(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """Everybody is also pushed away from themselves: a person's distance to the own mean is 0, and costs margin².

    It has no gradient, but the loss never ends at 0 and depends on how many people there are. Leave the diagonal out
    of the sum and of the count: `~torch.eye(N, dtype=torch.bool)`.
    """
    return averaged(hinge(tags, mask, margin), counted_pairs(mask, oneself=True))


def self_pairs_in_the_count(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The sum is over pairs of two, and the divisor counts each person with themselves as well: N² for N·(N − 1).

    With two people the push is half as strong as it should be, with ten nearly right. Count the pairs that you add.
    """
    pairs = counted_pairs(mask)
    return summed(hinge(tags, mask, margin), pairs) / counted_pairs(mask, oneself=True).sum((-2, -1)).clamp(min=1)


def self_pairs_in_the_sum(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """Everybody is added with themselves, margin² each, and the divisor counts pairs of two only.

    mmpose's push is of this kind: with two people it cannot fall below margin², with ten below a ninth of it. Leave
    the diagonal out of the sum as well: `torch.where(pairs, …, 0)` with `~torch.eye(N, dtype=torch.bool)` in the pairs.
    """
    return summed(hinge(tags, mask, margin), counted_pairs(mask, oneself=True)) / counted_pairs(mask).sum(
        (-2, -1)
    ).clamp(min=1)


def places_counted(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The sum is right and was divided by N·(N − 1), where some of the N places are empty.

    A picture with two people among five places would push a tenth as hard. Count the pairs that you add:
    `pairs.sum((-2, -1))`.
    """
    N = mask.shape[-2]
    return summed(hinge(tags, mask, margin), counted_pairs(mask)) / (N * (N - 1))


def mean_of_the_table(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The sum is right and was divided by N²: `.mean((-2, -1))` counts the zeros, on the diagonal and of empty places.

    Then the push is weaker the fewer people there are. Sum over the pairs, and divide by how many pairs count.
    """
    return summed(hinge(tags, mask, margin), counted_pairs(mask)) / mask.shape[-2] ** 2


def everything_averaged(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """All N² entries of the table were averaged: people with themselves, and empty places as if they were people.

    The first cost margin² each, and the second are people at 0. Both belong out of the sum and out of the count:
    choose with `torch.where(pairs, …, 0)`, and divide by `pairs.sum((-2, -1))`.
    """
    return hinge(tags, mask, margin).mean((-2, -1))


def pairs_once(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The push is half as strong as it should be: each pair was added once, and counted as two.

    n < m is a fine sum; then N·(N − 1)/2 is its divisor. HigherHRNet's half is of this kind.
    """
    return push_loss(tags, mask, margin) / 2


def pairs_added(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """What the pairs cost was added up, and their mean was asked for.

    Ten people make ninety pairs, so in a crowd the push would outweigh the pull. Divide by how many pairs count.
    """
    return summed(hinge(tags, mask, margin), counted_pairs(mask))


def across_images(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """People of different images are pushed apart: the batch was taken for one crowd.

    A tag has to differ from those that it can be mixed up with, and these are in the same picture. Asking for more
    uses up the space: keep the leading axes apart, and compare along the axis of the people only.
    """
    if tags.ndim == 3:
        return push_loss(tags, mask, margin)
    means, present = person_means(tags, mask), mask.any(-1)
    everybody = means.flatten(0, -2)
    apart = torch.linalg.vector_norm(means[..., None, :] - everybody, dim=-1)  # (*B N, all)
    same = torch.eye(len(everybody), dtype=torch.bool).view(apart.shape)
    pairs = present[..., None] & present.flatten() & ~same
    return averaged((margin - apart).clamp(min=0) ** 2, pairs)


def mean_of_all(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """A person's mean is one over all keypoints, also those without a label: they are pushed about as well.

    What the network says where nobody has labelled anything is no part of the person. Sum where the mask is true and
    divide by how many that are.
    """
    return averaged(hinged(tags.mean(-2), margin), counted_pairs(mask))


def mean_divided_by_all(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The means are too small: labelled tags were added up and divided by K, all keypoints.

    Half-hidden people then seem nearer to 0, and so to each other, than they are. Divide by how many are labelled.
    """
    return averaged(hinged(torch.where(mask[..., None], tags, 0).mean(-2), margin), counted_pairs(mask))


def empty_places_pushed(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """Empty places push: where nobody has a label the mean is 0, and people are driven away from it.

    A pair counts if both people have a label: `present[..., :, None] & present[..., None, :]`.
    """
    oneself = torch.eye(mask.shape[-2], dtype=torch.bool)
    return averaged(hinge(tags, mask, margin), (~oneself).expand(*mask.shape[:-1], -1))


def alone_gives_nan(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The loss is right until a picture has fewer than two people: then there is no pair, and 0 / 0 is NaN.

    Most photographs show one person. Let the divisor be at least 1: `.clamp(min=1)`.
    """
    return summed(hinge(tags, mask, margin), counted_pairs(mask)) / counted_pairs(mask).sum((-2, -1))


def either_of_two(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """A pair counts here if one of its two people has a label: `|` stands where `&` belongs.

    Then people are driven away from empty places, whose mean is 0. A pair needs both:
    `there[..., :, None] & there[..., None, :]`.
    """
    there = mask.any(-1)
    pairs = (there[..., :, None] | there[..., None, :]) & ~torch.eye(mask.shape[-2], dtype=torch.bool)
    return averaged(hinge(tags, mask, margin), pairs)


def one_label_left_out(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """People of whom only one keypoint has a label do not take part, and they have a mean as well: that one tag.

    `> 1` stands where `> 0` belongs. Whoever shows nothing but a hand should still be told from the others.
    """
    return averaged(hinge(tags, mask, margin), counted_pairs(mask & (mask.sum(-1, keepdim=True) > 1)))


def content_pairs_left_out(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The sum is right and was divided by the pairs that are too close, not by all pairs of the image.

    Then the last pair that is left pushes as hard as a whole crowd, and the loss does not fall while pairs part. A
    pair that is far enough apart costs 0 and counts.
    """
    pairs = counted_pairs(mask) & (distances(tags, mask) < margin)
    return averaged(hinge(tags, mask, margin), pairs)


COALS = [
    self_pairs,
    self_pairs_in_the_count,
    self_pairs_in_the_sum,
    places_counted,
    mean_of_the_table,
    everything_averaged,
    pairs_once,
    pairs_added,
    across_images,
    mean_of_all,
    mean_divided_by_all,
    empty_places_pushed,
    alone_gives_nan,
    either_of_two,
    one_label_left_out,
    content_pairs_left_out,
]
