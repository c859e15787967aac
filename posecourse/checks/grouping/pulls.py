"""Wrong pulls, which draw the tags of a person together; each docstring is what the student reads."""

import torch
from torch import Tensor

from posecourse.grouping import pull_loss

__all__ = ["COALS"]


def towards_zero(tags: Tensor, mask: Tensor) -> Tensor:
    """The tags are pulled towards 0, not towards the person's own mean.

    Then everybody is to have the tag 0: the collapse as a wish. Nobody knows what a person's tag should be; only that
    it is one. Subtract the mean of the person's labelled tags first.
    """
    return _over_people(_over_joints(_filled(tags, mask).square().sum(-1), mask), mask)


def mask_ignored(tags: Tensor, mask: Tensor) -> Tensor:
    """Keypoints without a label count: what the network says at places that nobody knows is pulled as well.

    Their tags were read somewhere, from another person's arm perhaps. Sum and count only where the mask is true, and
    leave out people who have no label at all.
    """
    return pull_loss(tags, torch.ones_like(mask))


def mean_of_all(tags: Tensor, mask: Tensor) -> Tensor:
    """The mean that tags are pulled to is one over all keypoints, also those without a label.

    The distances were masked, the mean before them was not. Masked tags have to be out of both: put zeros in with
    `torch.where`, and divide the sum by how many are labelled.
    """
    return _spread_about(tags.mean(-2), tags, mask)


def mean_divided_by_all(tags: Tensor, mask: Tensor) -> Tensor:
    """The mean is too small: the labelled tags were added up and divided by K, all keypoints.

    It is as if an unlabelled keypoint had the tag 0, so a half-hidden person is pulled half-way to 0. Divide by how
    many are labelled, `mask.sum(-1)`.
    """
    return _spread_about(_filled(tags, mask).mean(-2), tags, mask)


def absolute(tags: Tensor, mask: Tensor) -> Tensor:
    """Absolute differences were added up, and squared ones were asked for.

    An L1 pull has a median for its goal and a step for its gradient, as large for a tag that is nearly right as for
    one that is far off. `.abs()` should be `** 2`.
    """
    filled = _filled(tags, mask)
    return _over_people(_over_joints((filled - _means(tags, mask)[..., None, :]).abs().sum(-1), mask), mask)


def not_squared(tags: Tensor, mask: Tensor) -> Tensor:
    """This is the mean distance, and the mean *squared* distance was asked for.

    A norm takes a root. Its gradient has the length 1 however close a tag is, and is NaN or 0 at the mean itself.
    Add up the squares of the components and leave it at that.
    """
    filled = _filled(tags, mask)
    squared = (filled - _means(tags, mask)[..., None, :]).square().sum(-1)
    distance = torch.where(squared > 0, squared, 1).sqrt() * (squared > 0)
    return _over_people(_over_joints(distance, mask), mask)


def everybody_to_one_mean(tags: Tensor, mask: Tensor) -> Tensor:
    """All people of an image are pulled to one common mean: that is what the push has to prevent.

    The mean was taken over people and keypoints together. Each person has a mean: sum along the axis of the
    keypoints only, `dim=-2`.
    """
    filled = _filled(tags, mask)
    common = filled.sum((-3, -2)) / mask.sum((-2, -1)).clamp(min=1)[..., None]
    return _spread_about(common[..., None, :].expand_as(filled[..., 0, :]), tags, mask)


def joints_added(tags: Tensor, mask: Tensor) -> Tensor:
    """A person's squared distances were added up, and their mean was asked for.

    The paper has a sum there. Then a person seen whole pulls seventeen times as hard as one of whom a hand is seen.
    Divide by how many keypoints of the person are labelled.
    """
    return _over_people(_apart(tags, mask).sum(-1), mask)


def divided_by_all(tags: Tensor, mask: Tensor) -> Tensor:
    """A person's labelled distances were added up and divided by K, all keypoints.

    Whoever is half hidden then pulls half as hard: `.mean(-1)` counts the zeros too. Divide by how many are labelled,
    `mask.sum(-1)`.
    """
    return _over_people(_apart(tags, mask).mean(-1), mask)


def unlabelled_pay(tags: Tensor, mask: Tensor) -> Tensor:
    """Keypoints without a label cost something: zeros were put in for their tags, and 0 is not the person's mean.

    Each of them adds ‖mean‖². Choose once more before the sum over keypoints: `torch.where(mask, squared, 0)`.
    """
    squared = (_filled(tags, mask) - _means(tags, mask)[..., None, :]).square().sum(-1)
    return _over_people(squared.sum(-1) / mask.sum(-1).clamp(min=1), mask)


def people_added(tags: Tensor, mask: Tensor) -> Tensor:
    """What the people of an image cost was added up, and their mean was asked for.

    The push is a mean, so in a crowd the pull would outweigh it. Divide by how many people have a label.
    """
    return _over_joints(_apart(tags, mask), mask).sum(-1)


def empty_places_counted(tags: Tensor, mask: Tensor) -> Tensor:
    """The sum over people was divided by N, and some of the N places are empty: nobody there has a label.

    A picture with one person among five places would train a fifth as hard. Count who has a label:
    `mask.any(-1).sum(-1)`.
    """
    return _over_joints(_apart(tags, mask), mask).mean(-1)


def joints_weigh_alike(tags: Tensor, mask: Tensor) -> Tensor:
    """All labelled keypoints of the image were averaged at once, where each person was to weigh the same.

    Whoever is seen whole then counts more than who is half hidden. First the mean over a person's keypoints, then the
    mean over the people.
    """
    return _apart(tags, mask).sum((-2, -1)) / mask.sum((-2, -1)).clamp(min=1)


def components_averaged(tags: Tensor, mask: Tensor) -> Tensor:
    """The loss is too small by the factor D: the components of a tag were averaged, and a distance adds them up.

    `.mean()` over the last axis, or over several at once, divides by D as well. The original code of the paper does
    so, and so its pull grows weaker beside the push as tags grow longer.
    """
    return pull_loss(tags, mask) / tags.shape[-1]


def nobody_gives_nan(tags: Tensor, mask: Tensor) -> Tensor:
    """The loss is right until an image or a place has nobody in it: then it is 0 / 0, NaN.

    One empty place among the N is enough. Let each divisor be at least 1: `.clamp(min=1)`.
    """
    person = _apart(tags, mask).sum(-1) / mask.sum(-1)
    return person.sum(-1) / mask.any(-1).sum(-1)


def nobody_at_all_gives_nan(tags: Tensor, mask: Tensor) -> Tensor:
    """The loss is right until nobody in an image has a label: then the mean over people is 0 / 0, NaN.

    Persons are guarded and people are not. One such picture in a batch makes all weights NaN:
    `mask.any(-1).sum(-1).clamp(min=1)`.
    """
    return _over_joints(_apart(tags, mask), mask).sum(-1) / mask.any(-1).sum(-1)


def multiplied(tags: Tensor, mask: Tensor) -> Tensor:
    """The loss is right until a tag is NaN where there is no label: then all of it is NaN.

    0 · NaN is NaN, so multiplying by the mask does not hide it. Choose, before anything is computed:
    `torch.where(mask[..., None], tags, 0)`.
    """
    return pull_loss(tags, mask) + 0 * tags.sum((-3, -2, -1))


def chosen_too_late(tags: Tensor, mask: Tensor) -> Tensor:
    """The value is right, and its gradient is NaN where a tag without a label is NaN.

    The mask came after the square. On the way back the square multiplies its zero by NaN. As in lesson 04: choose
    first, `torch.where(mask[..., None], tags, 0)`, then subtract and square.
    """
    means = _means(tags, mask)[..., None, :]
    apart = torch.where(mask, (tags - means).square().sum(-1), 0)
    return _over_people(_over_joints(apart, mask), mask)


def multiplied_at_first(tags: Tensor, mask: Tensor) -> Tensor:
    """The loss is right until a tag without a label is NaN or infinite: then the loss of that image is NaN.

    0 · NaN is NaN, and 0 · ∞ too, so `tags * mask` does not hide it, however carefully what follows is masked. Choose:
    `torch.where(mask[..., None], tags, 0)`.
    """
    multiplied = tags * mask[..., None]
    mean = multiplied.sum(-2) / mask.sum(-1).clamp(min=1)[..., None]
    return _over_people(_over_joints((multiplied - mean[..., None, :]).square().sum(-1), mask), mask)


def one_less(tags: Tensor, mask: Tensor) -> Tensor:
    """A person's sum was divided by one less than their labelled keypoints, n − 1, as an unbiased variance is.

    Nobody estimates the spread of a population here. The mean over the labelled keypoints was asked for, and a `var`
    wants `correction=0`: divide by `mask.sum(-1)`.
    """
    return _over_people(_apart(tags, mask).sum(-1) / (mask.sum(-1) - 1).clamp(min=1), mask)


def mask_upside_down(tags: Tensor, mask: Tensor) -> Tensor:
    """The keypoints without a label are pulled together, and those with one are left alone: the mask is upside down.

    The mask is true where there is a label. `torch.where(mask, a, b)` takes a there, and `masked_fill` fills where its
    mask is true, so that one wants `~mask`.
    """
    return pull_loss(tags, ~mask)


def halved(tags: Tensor, mask: Tensor) -> Tensor:
    """The pull is half as large as it should be: there is a factor of ½ that nobody asked for.

    It goes well with the derivative of a square, and it changes what a weight between pull and push means. The mean
    of the squared distances is all.
    """
    return pull_loss(tags, mask) / 2


def batch_averaged(tags: Tensor, mask: Tensor) -> Tensor:
    """All images have the same loss: the mean was taken over the people of the whole batch.

    One number an image was asked for, so that each can be weighed by itself. Add up along the axis of the people only,
    `dim=-1`, both what they cost and how many they are.
    """
    person = _over_joints(_apart(tags, mask), mask)
    return (person.sum() / mask.any(-1).sum().clamp(min=1)).expand(mask.shape[:-2])


def one_label_left_out(tags: Tensor, mask: Tensor) -> Tensor:
    """People of whom only one keypoint has a label were left out of the count, and they count.

    Such a person costs 0, since one tag is its own mean, and is one of the people that the mean is over. `> 1` stands
    where `> 0` belongs.
    """
    person = _over_joints(_apart(tags, mask), mask)
    return person.sum(-1) / (mask.sum(-1) > 1).sum(-1).clamp(min=1)


def _filled(tags: Tensor, mask: Tensor) -> Tensor:
    return torch.where(mask[..., None], tags, 0)


def _means(tags: Tensor, mask: Tensor) -> Tensor:
    """Return each person's mean tag: (*B N D)."""
    return _filled(tags, mask).sum(-2) / mask.sum(-1).clamp(min=1)[..., None]


def _apart(tags: Tensor, mask: Tensor) -> Tensor:
    """Return the squared distances from the means, 0 where there is no label: (*B N K)."""
    squared = (_filled(tags, mask) - _means(tags, mask)[..., None, :]).square().sum(-1)
    return torch.where(mask, squared, 0)


def _spread_about(means: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
    squared = (_filled(tags, mask) - means[..., None, :]).square().sum(-1)
    return _over_people(_over_joints(squared, mask), mask)


def _over_joints(values: Tensor, mask: Tensor) -> Tensor:
    """Return each person's mean over what is labelled: (*B N)."""
    return torch.where(mask, values, 0).sum(-1) / mask.sum(-1).clamp(min=1)


def _over_people(values: Tensor, mask: Tensor) -> Tensor:
    """Return each image's mean over who has a label: (*B)."""
    return values.sum(-1) / mask.any(-1).sum(-1).clamp(min=1)


COALS = [
    towards_zero,
    mask_ignored,
    mean_of_all,
    mean_divided_by_all,
    absolute,
    not_squared,
    everybody_to_one_mean,
    joints_added,
    divided_by_all,
    unlabelled_pay,
    people_added,
    empty_places_counted,
    joints_weigh_alike,
    components_averaged,
    nobody_gives_nan,
    nobody_at_all_gives_nan,
    multiplied,
    chosen_too_late,
    multiplied_at_first,
    one_less,
    mask_upside_down,
    halved,
    batch_averaged,
    one_label_left_out,
]
