"""Wrong pushes whose pairs are right, and cost something else; each docstring is what the student reads."""

import torch
from torch import Tensor

from posecourse.checks.grouping.pairs import averaged, counted_pairs, distances, hinged, person_means
from posecourse.grouping import gaussian_push_loss, push_loss

__all__ = ["COALS"]


def rewarded_beyond(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """Pairs that are farther apart than the margin cost as well: the difference was squared, whatever its sign.

    Then the loss pulls distant people together until they are exactly a margin apart, which N people in one dimension
    cannot all be. Clamp before the square: `(margin − d).clamp(min=0) ** 2`.
    """
    return averaged((margin - distances(tags, mask)) ** 2, counted_pairs(mask))


def not_squared(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The hinge is right and its square is missing.

    max(0, margin − d) pushes equally hard up to the margin and not at all beyond. HigherHRNet has it so; here the
    push fades out, (margin − d)².
    """
    return averaged((margin - distances(tags, mask)).clamp(min=0), counted_pairs(mask))


def squared_distance(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The margin was compared with the squared distance: max(0, margin − d²) has no root and asks for d² = margin.

    The unit of the margin is that of a tag, and so is a distance's. Take the norm, subtract, clamp, then square.
    """
    return averaged((margin - distances(tags, mask) ** 2).clamp(min=0) ** 2, counted_pairs(mask))


def squares_subtracted(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The squares were subtracted, max(0, margin² − d²), and the difference was to be squared, max(0, margin − d)².

    This one pushes hardest where it should let go, at the margin, and not at all on two equal means. Subtract, clamp,
    then square.
    """
    return averaged((margin**2 - distances(tags, mask) ** 2).clamp(min=0), counted_pairs(mask))


def l1_distance(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The distance of two mean tags is the sum of the components' differences, and the Euclidean one was asked for.

    Grouping measures straight through the tags' space, √Σ Δ², and the push should speak of the same distance.
    """
    means = person_means(tags, mask)
    apart = (means[..., :, None, :] - means[..., None, :, :]).abs().sum(-1)
    return averaged((margin - apart).clamp(min=0) ** 2, counted_pairs(mask))


def each_component(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """Each component of the tags is pushed by itself: two people far apart in one are pushed for the others too.

    mmpose's push does so. It makes a long tag no more useful than a short one. First the distance over all
    components, then the hinge.
    """
    means = person_means(tags, mask)
    apart = (means[..., :, None, :] - means[..., None, :, :]).abs()
    return averaged((margin - apart).clamp(min=0).square().sum(-1), counted_pairs(mask))


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
    return averaged((margin - apart).clamp(min=0) ** 2, pairs)


def gaussian(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """This is the paper's push, exp(−d²) or one like it, and the one with a margin was asked for.

    The Gaussian never lets go; the hinge is content at the margin. (margin − d)² where d is below the margin, else 0.
    """
    return gaussian_push_loss(tags, mask)


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
    means = person_means(tags, mask)
    squared = (means[..., :, None, :] - means[..., None, :, :]).square().sum(-1)
    return averaged((margin - squared.sqrt()).clamp(min=0) ** 2, counted_pairs(mask))


def margin_of_one(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The margin was not used: all is right for a margin of 1, and the distances were subtracted from 1 here.

    The margin is the unit of the tags, and the argument says which. `(margin − d).clamp(min=0) ** 2`.
    """
    return push_loss(tags, mask, 1.0)


def subtracted_the_other_way(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The margin was subtracted from the distance: people who are far apart pay, and those who are close do not.

    That pulls everybody together until they are within the margin. What costs is what is missing to the margin:
    `(margin − d).clamp(min=0) ** 2`.
    """
    return averaged((distances(tags, mask) - margin).clamp(min=0) ** 2, counted_pairs(mask))


def squared_at_the_end(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The mean over the pairs was squared, and the mean of the squares was asked for.

    Then a pair that is close pushes the harder the closer all others are. Square each pair, then average.
    """
    return averaged((margin - distances(tags, mask)).clamp(min=0), counted_pairs(mask)) ** 2


def multiplied_at_first(tags: Tensor, mask: Tensor, margin: float) -> Tensor:
    """The loss is right until a tag without a label is NaN or infinite: then the loss of that image is NaN.

    0 · NaN is NaN, and 0 · ∞ too, so `tags * mask` does not hide it, however carefully what follows is masked. Choose:
    `torch.where(mask[..., None], tags, 0)`.
    """
    means = (tags * mask[..., None]).sum(-2) / mask.sum(-1).clamp(min=1)[..., None]
    return averaged(hinged(means, margin), counted_pairs(mask))


COALS = [
    rewarded_beyond,
    not_squared,
    squared_distance,
    squares_subtracted,
    l1_distance,
    each_component,
    keypoints_pushed,
    gaussian,
    multiplied,
    root_of_zero,
    margin_of_one,
    subtracted_the_other_way,
    squared_at_the_end,
    multiplied_at_first,
]
