"""Wrong pushes, which keep the tags of two people apart; each docstring is what the student reads."""

import torch
from torch import Tensor

from posecourse.grouping import gaussian_push_loss, push_loss

__all__ = ["COALS"]


def self_pairs(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """Everybody is also pushed away from themselves: a person's distance to the own mean is 0, and costs margin².

    It has no gradient, but the loss never ends at 0 and depends on how many people there are. Leave the diagonal out
    of the sum and of the count: `~torch.eye(N, dtype=torch.bool)`.
    """
    return _mean(_hinge(tags, mask, margin), _pairs(mask, oneself=True))


def self_pairs_in_the_count(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The sum is over pairs of two, and the divisor counts each person with themselves as well: N² for N·(N − 1).

    With two people the push is half as strong as it should be, with ten nearly right. Count the pairs that you add.
    """
    pairs = _pairs(mask)
    return _sum(_hinge(tags, mask, margin), pairs) / _pairs(mask, oneself=True).sum((-2, -1)).clamp(min=1)


def self_pairs_in_the_sum(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """Everybody is added with themselves, margin² each, and the divisor counts pairs of two only.

    mmpose's push is of this kind: with two people it cannot fall below margin², with ten below a ninth of it. Leave
    the diagonal out of the sum as well: `torch.where(pairs, …, 0)` with `~torch.eye(N, dtype=torch.bool)` in the pairs.
    """
    return _sum(_hinge(tags, mask, margin), _pairs(mask, oneself=True)) / _pairs(mask).sum((-2, -1)).clamp(min=1)


def places_counted(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The sum is right and was divided by N·(N − 1), where some of the N places are empty.

    A picture with two people among five places would push a tenth as hard. Count the pairs that you add:
    `pairs.sum((-2, -1))`.
    """
    N = mask.shape[-2]
    return _sum(_hinge(tags, mask, margin), _pairs(mask)) / (N * (N - 1))


def mean_of_the_table(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The sum is right and was divided by N²: `.mean((-2, -1))` counts the zeros, on the diagonal and of empty places.

    Then the push is weaker the fewer people there are. Sum over the pairs, and divide by how many pairs count.
    """
    return _sum(_hinge(tags, mask, margin), _pairs(mask)) / mask.shape[-2] ** 2


def everything_averaged(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """All N² entries of the table were averaged: people with themselves, and empty places as if they were people.

    The first cost margin² each, and the second are people at 0. Both belong out of the sum and out of the count:
    choose with `torch.where(pairs, …, 0)`, and divide by `pairs.sum((-2, -1))`.
    """
    return _hinge(tags, mask, margin).mean((-2, -1))


def pairs_once(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The push is half as strong as it should be: each pair was added once, and counted as two.

    n < m is a fine sum; then N·(N − 1)/2 is its divisor. HigherHRNet's half is of this kind.
    """
    return push_loss(tags, mask, margin) / 2


def pairs_added(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """What the pairs cost was added up, and their mean was asked for.

    Ten people make ninety pairs, so in a crowd the push would outweigh the pull. Divide by how many pairs count.
    """
    return _sum(_hinge(tags, mask, margin), _pairs(mask))


def across_images(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """People of different images are pushed apart: the batch was taken for one crowd.

    A tag has to differ from those that it can be mixed up with, and these are in the same picture. Asking for more
    uses up the space: keep the leading axes apart, and compare along the axis of the people only.
    """
    if tags.ndim == 3:
        return push_loss(tags, mask, margin)
    means, present = _means(tags, mask), mask.any(-1)
    everybody = means.flatten(0, -2)
    apart = torch.linalg.vector_norm(means[..., None, :] - everybody, dim=-1)  # (*B N, all)
    same = torch.eye(len(everybody), dtype=torch.bool).view(apart.shape)
    pairs = present[..., None] & present.flatten() & ~same
    return _mean((margin - apart).clamp(min=0) ** 2, pairs)


def mean_of_all(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """A person's mean is one over all keypoints, also those without a label: they are pushed about as well.

    What the network says where nobody has labelled anything is no part of the person. Sum where the mask is true and
    divide by how many that are.
    """
    return _mean(_hinged(tags.mean(-2), margin), _pairs(mask))


def mean_divided_by_all(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The means are too small: labelled tags were added up and divided by K, all keypoints.

    Half-hidden people then seem nearer to 0, and so to each other, than they are. Divide by how many are labelled.
    """
    return _mean(_hinged(torch.where(mask[..., None], tags, 0).mean(-2), margin), _pairs(mask))


def empty_places_pushed(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """Empty places push: where nobody has a label the mean is 0, and people are driven away from it.

    A pair counts if both people have a label: `present[..., :, None] & present[..., None, :]`.
    """
    oneself = torch.eye(mask.shape[-2], dtype=torch.bool)
    return _mean(_hinge(tags, mask, margin), (~oneself).expand(*mask.shape[:-1], -1))


def rewarded_beyond(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """Pairs that are farther apart than the margin cost as well: the difference was squared, whatever its sign.

    Then the loss pulls distant people together until they are exactly a margin apart, which N people in one dimension
    cannot all be. Clamp before the square: `(margin − d).clamp(min=0) ** 2`.
    """
    return _mean((margin - _distances(tags, mask)) ** 2, _pairs(mask))


def not_squared(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The hinge is right and its square is missing.

    max(0, margin − d) pushes equally hard up to the margin and not at all beyond. HigherHRNet has it so; here the
    push fades out, (margin − d)².
    """
    return _mean((margin - _distances(tags, mask)).clamp(min=0), _pairs(mask))


def squared_distance(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The margin was compared with the squared distance: max(0, margin − d²) has no root and asks for d² = margin.

    The unit of the margin is that of a tag, and so is a distance's. Take the norm, subtract, clamp, then square.
    """
    return _mean((margin - _distances(tags, mask) ** 2).clamp(min=0) ** 2, _pairs(mask))


def squares_subtracted(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The squares were subtracted, max(0, margin² − d²), and the difference was to be squared, max(0, margin − d)².

    This one pushes hardest where it should let go, at the margin, and not at all on two equal means. Subtract, clamp,
    then square.
    """
    return _mean((margin**2 - _distances(tags, mask) ** 2).clamp(min=0), _pairs(mask))


def l1_distance(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The distance of two mean tags is the sum of the components' differences, and the Euclidean one was asked for.

    Grouping measures straight through the tags' space, √Σ Δ², and the push should speak of the same distance.
    """
    means = _means(tags, mask)
    apart = (means[..., :, None, :] - means[..., None, :, :]).abs().sum(-1)
    return _mean((margin - apart).clamp(min=0) ** 2, _pairs(mask))


def each_component(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """Each component of the tags is pushed by itself: two people far apart in one are pushed for the others too.

    mmpose's push does so. It makes a long tag no more useful than a short one. First the distance over all
    components, then the hinge.
    """
    means = _means(tags, mask)
    apart = (means[..., :, None, :] - means[..., None, :, :]).abs()
    return _mean((margin - apart).clamp(min=0).square().sum(-1), _pairs(mask))


def keypoints_pushed(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """Single keypoints are pushed apart, each against all of another person's, and not the people's means.

    That also widens a person from inside, against the pull, and costs K² comparisons for one. Take the means first.
    """
    N, K = mask.shape[-2:]
    filled = torch.where(mask[..., None], tags, 0).flatten(-3, -2)
    apart = torch.linalg.vector_norm(filled[..., :, None, :] - filled[..., None, :, :], dim=-1)
    person = torch.arange(N).repeat_interleave(K)
    labelled = mask.flatten(-2)
    pairs = labelled[..., :, None] & labelled[..., None, :] & (person[:, None] != person)
    return _mean((margin - apart).clamp(min=0) ** 2, pairs)


def gaussian(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """This is the paper's push, exp(−d²) or one like it, and the one with a margin was asked for.

    The Gaussian never lets go; the hinge is content at the margin. (margin − d)² where d is below the margin, else 0.
    """
    return gaussian_push_loss(tags, mask)


def alone_gives_nan(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The loss is right until a picture has fewer than two people: then there is no pair, and 0 / 0 is NaN.

    Most photographs show one person. Let the divisor be at least 1: `.clamp(min=1)`.
    """
    return _sum(_hinge(tags, mask, margin), _pairs(mask)) / _pairs(mask).sum((-2, -1))


def multiplied(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The loss is right until a tag is NaN where there is no label: then all of it is NaN.

    0 · NaN is NaN, so multiplying by the mask does not hide it. Choose, before anything is computed:
    `torch.where(mask[..., None], tags, 0)`.
    """
    return push_loss(tags, mask, margin) + 0 * tags.sum((-3, -2, -1))


def root_of_zero(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The value is right and the gradient is NaN: a root was taken of 0, whose slope is infinite.

    The distance of a person to themselves is 0, and masking it *afterwards* leaves 0 times infinity on the way back.
    `torch.linalg.vector_norm` and `torch.cdist` know the case and answer 0; `sqrt` does not.
    """
    means = _means(tags, mask)
    squared = (means[..., :, None, :] - means[..., None, :, :]).square().sum(-1)
    return _mean((margin - squared.sqrt()).clamp(min=0) ** 2, _pairs(mask))


def _means(tags: Tensor, mask: Tensor) -> Tensor:
    """Return each person's mean tag, 0 for nobody: (*B N D)."""
    return torch.where(mask[..., None], tags, 0).sum(-2) / mask.sum(-1).clamp(min=1)[..., None]


def _distances(tags: Tensor, mask: Tensor) -> Tensor:
    means = _means(tags, mask)
    return torch.linalg.vector_norm(means[..., :, None, :] - means[..., None, :, :], dim=-1)


def _hinged(means: Tensor, margin: float) -> Tensor:
    apart = torch.linalg.vector_norm(means[..., :, None, :] - means[..., None, :, :], dim=-1)
    return (margin - apart).clamp(min=0) ** 2


def _hinge(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    return _hinged(_means(tags, mask), margin)


def _pairs(mask: Tensor, *, oneself: bool = False) -> Tensor:
    """Return which pairs count: two people who have a label, or also each with themselves."""
    present = mask.any(-1)
    both = present[..., :, None] & present[..., None, :]
    return both if oneself else both & ~torch.eye(mask.shape[-2], dtype=torch.bool)


def _sum(values: Tensor, pairs: Tensor) -> Tensor:
    return torch.where(pairs, values, 0).sum((-2, -1))


def _mean(values: Tensor, pairs: Tensor) -> Tensor:
    return _sum(values, pairs) / pairs.sum((-2, -1)).clamp(min=1)


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
    rewarded_beyond,
    not_squared,
    squared_distance,
    squares_subtracted,
    l1_distance,
    each_component,
    keypoints_pushed,
    gaussian,
    alone_gives_nan,
    multiplied,
    root_of_zero,
]
