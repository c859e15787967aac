"""Wrong people: what they remember, who is listed, and of which candidates; each docstring is what a student reads."""

import torch
from torch import Tensor

from posecourse.checks.grouping.groups import Person, group_by_tag, joined, listed

__all__ = ["COALS"]


def first_component_is_the_key(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """People are told apart by the first component of their first tag, so that two with equal ones become one.

    A dictionary with the number `tag[0]` for its key does so, as in the paper's code and HigherHRNet: the second
    person overwrites the first. A person is a place in a list.
    """
    return listed(joined(scores, tags, threshold, start=_under_a_key), scores, max_people)


def first_tag_for_all(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """A person keeps the tag of the first keypoint for good, and each new one is compared with that.

    One tag is noisy, and a mean of several is less so. Compare with the mean of all tags that the person has so far.
    """
    return listed(joined(scores, tags, threshold, mean=lambda own: own[0]), scores, max_people)


def last_tag_for_all(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """Each new keypoint is compared with the person's last tag only.

    So a group can wander: from tag to tag it goes a threshold farther, until it is somebody else. Compare with the
    mean of all tags that the person has so far.
    """
    return listed(joined(scores, tags, threshold, mean=lambda own: own[-1]), scores, max_people)


def mean_of_means(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """A person's tag is the middle between the old one and the newest keypoint's, so that the newest counts half.

    After seventeen keypoints the first has a weight of one in 65536. Keep all tags, or their sum and how many there
    are.
    """
    return listed(joined(scores, tags, threshold, mean=_halved), scores, max_people)


def everybody_kept(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """There are more people than `max_people`: the maximum was not applied to those that were begun.

    The public decoders look at the first so many when they match, and go on beginning new ones. Sort at the end and
    cut.
    """
    return listed(joined(scores, tags, threshold), scores, len(scores) * len(scores[0]))


def first_people_kept(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """The people are the first ones that were begun, and the surest ones were asked for, the surest first.

    A false candidate of the first keypoint then takes a place from somebody who is seen whole. Sort by the sum of
    scores before the cut.
    """
    return listed(joined(scores, tags, threshold), scores, max_people, sort=False)


def sorted_by_the_mean(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """People are sorted by the mean of their candidates' scores, and the sum was asked for.

    By the mean, one clear nose is worth more than somebody who is seen whole, a little less clear. Add the scores up.
    """
    return listed(joined(scores, tags, threshold), scores, max_people, share=True)


def full_means_closed(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """Nobody new is begun once there are `max_people`, so it is decided by the order of keypoints who is kept.

    Begin everybody, and at the end keep those with the largest sums of scores.
    """
    return listed(joined(scores, tags, threshold, most=max_people), scores, max_people)


def faint_ones_too(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """Candidates with a score of 0 were grouped: these places are empty, and their tags mean nothing.

    `nms_peaks` returns M places a keypoint, whatever there is. Take those with `scores > 0`.
    """
    return listed(joined(scores, tags, threshold, faintest=-1), scores, max_people)


def nan_takes_part(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """It stops at a tag that is NaN: SciPy does not assign what cannot be compared, and other solvers never end.

    One broken number of one candidate should not cost the picture. Take candidates whose tags are finite:
    `tags.isfinite().all(-1)`.
    """
    if bool(tags[scores > 0].isnan().any()):
        raise ValueError("matrix contains invalid numeric entries")
    return group_by_tag(scores, tags, threshold, max_people)


def faintest_first(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """The faintest people come first, and the limit keeps them: the sums of scores were sorted upwards.

    `argsort` and `sorted` begin with the smallest. Say `descending=True`, or sort by minus the sum.
    """
    return listed(joined(scores, tags, threshold), -scores, max_people)


def broken_tags_repaired(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """A tag that is NaN or infinite was replaced by a number, `tags.nan_to_num()`, and took part.

    A NaN becomes 0, which may well be the tag of somebody. Nobody knows whose such a candidate is: leave it out, with
    `(scores > 0) & tags.isfinite().all(-1)`.
    """
    return listed(joined(scores, tags.nan_to_num(), threshold), scores, max_people)


def infinite_tags_kept(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """Candidates whose tag is NaN were left out, and those whose tag is infinite were not.

    They are far from everybody, so each begins a person of its own, with a score, who takes a place from somebody
    else. `isfinite` asks for both: `tags.isfinite().all(-1)`.
    """
    return listed(joined(scores, tags.nan_to_num(nan=torch.nan), threshold), scores, max_people)


def _under_a_key(people: list[Person], k: int, m: int, tags: Tensor) -> None:
    """Begin a person, or the one again whose first tag begins with the same number."""
    for place, person in enumerate(people):
        j, first = next(iter(person.items()))
        if tags[j, first, 0] == tags[k, m, 0]:
            people[place] = {**person, k: m}
            return
    people.append({k: m})


def _halved(own: Tensor) -> Tensor:
    mean = own[0]
    for tag in own[1:]:
        mean = (mean + tag) / 2
    return mean


COALS = [
    first_component_is_the_key,
    first_tag_for_all,
    last_tag_for_all,
    mean_of_means,
    everybody_kept,
    first_people_kept,
    sorted_by_the_mean,
    full_means_closed,
    faint_ones_too,
    nan_takes_part,
    faintest_first,
    broken_tags_repaired,
    infinite_tags_kept,
]
