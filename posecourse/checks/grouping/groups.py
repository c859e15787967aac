"""Wrong ways from candidates to people; each docstring is what the student reads."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

__all__ = ["COALS", "group_by_tag"]

Person: TypeAlias = dict[int, int]
"""Which candidate each keypoint is, of those that were found."""


def group_by_tag(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """Return which candidate each keypoint of each person is (N K), −1 for none: what the package's function finds."""
    return _listed(_joined(scores, tags, threshold), scores, max_people)


def first_component_is_the_key(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """People are told apart by the first component of their first tag, so that two with equal ones become one.

    A dictionary with the number `tag[0]` for its key does so, as in the paper's code and HigherHRNet: the second
    person overwrites the first. A person is a place in a list.
    """
    return _listed(_joined(scores, tags, threshold, start=_under_a_key), scores, max_people)


def no_threshold(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """Every candidate joins somebody while there is somebody left, however far away their tag is.

    The assignment always pairs as many as it can. A person whose elbow is hidden then gets a stranger's, and people
    who appear late are never begun. Undo pairs that are not closer than the threshold.
    """
    return _listed(_joined(scores, tags, threshold, near=lambda apart: apart < torch.inf), scores, max_people)


def candidate_used_twice(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """One candidate is the same keypoint of two people: each person took the nearest one, whoever had it before.

    Ask who goes with whom for all of them at once: `linear_sum_assignment` gives each candidate away once.
    """
    return _listed(_joined(scores, tags, threshold, choose=_each_person_the_nearest), scores, max_people)


def person_overwritten(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """Two candidates of one keypoint joined one person, the second overwrote the first, and nobody has that one now.

    Each candidate went to its nearest person, though that person had this keypoint already. A person takes one
    candidate a keypoint: `linear_sum_assignment` sees to it, and who is left over begins a new person.
    """
    return _listed(_joined(scores, tags, threshold, choose=_each_candidate_the_nearest), scores, max_people)


def beyond_the_threshold_counts(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """Pairs that are too far apart to go together have decided who goes with whom.

    Somebody far from everybody costs much, and the assignment parts two who belong together to save a little of it.
    All that is too far is equally far: `apart.clamp(max=threshold)` before it is squared and assigned.
    """
    return _listed(_joined(scores, tags, threshold, capped=False), scores, max_people)


def distance_rounded(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """The distance was rounded to whole numbers before the assignment, and the score decided the rest.

    Below a half all distances are then 0, and the brighter candidate beats the nearer one. It is in the paper's code
    and in HigherHRNet, whose margins are many units wide. Let the distance decide.
    """
    return _listed(_joined(scores, tags, threshold, rounded=True), scores, max_people)


def distances_added(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """The assignment has the smallest sum of distances, and that of their *squares* was asked for.

    On a line, two candidates on one side of two people have the same sum of distances either way, and rounding picks
    one. Squares know who comes first: `linear_sum_assignment(apart.clamp(max=threshold) ** 2)`.
    """
    return _listed(_joined(scores, tags, threshold, power=1), scores, max_people)


def infinity_for_too_far(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """It stops where somebody is too far from everybody: pairs that may not be got an infinite cost.

    SciPy pairs as many as it can and may not leave anybody out, so it says `cost matrix is infeasible`. Give what is
    too far the cost of the threshold, and undo such pairs afterwards: `apart.clamp(max=threshold) ** 2`.
    """
    return _listed(_joined(scores, tags, threshold, choose=_forbidden), scores, max_people)


def fortune_for_too_far(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """Pairs that are too far apart got a huge cost, 1e6 say, so that as many as possible are joined at any price.

    To save the huge cost once, somebody who fits well is given to another person, and both pairs are poor. To begin a
    new person is no catastrophe, it costs the threshold: `apart.clamp(max=threshold) ** 2`.
    """
    return _listed(_joined(scores, tags, threshold, choose=_expensive), scores, max_people)


def cap_not_squared(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """Squared distances were capped at the threshold, and squares belong beside its square.

    Below a threshold of 1 a new person then costs more than it should, above 1 less. Cap, then square:
    `apart.clamp(max=threshold) ** 2`.
    """
    return _listed(
        _joined(scores, tags, threshold, choose=_capped_squares(threshold), capped=False), scores, max_people
    )


def square_against_the_threshold(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """Squared distances were compared with the threshold itself: d² < threshold joins what is up to √threshold away.

    The threshold is a distance. Take the root, `torch.linalg.vector_norm(…, dim=-1)`, cap and square for the
    assignment, and ask the distance for `apart < threshold`.
    """
    near = _joined(scores, tags, threshold, choose=_capped_squares(threshold), near=lambda d: d**2 < threshold)
    return _listed(near, scores, max_people)


def closest_first(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """The closest pair was taken first, then the closest of the rest: greedy, and the smallest sum was asked for.

    Whoever is a little nearer takes a person away from somebody who has no other. All pairs at once:
    `linear_sum_assignment(apart.clamp(max=threshold) ** 2)`.
    """
    return _listed(_joined(scores, tags, threshold, choose=_greedy), scores, max_people)


def first_tag_for_all(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """A person keeps the tag of the first keypoint for good, and each new one is compared with that.

    One tag is noisy, and a mean of several is less so. Compare with the mean of all tags that the person has so far.
    """
    return _listed(_joined(scores, tags, threshold, mean=lambda own: own[0]), scores, max_people)


def last_tag_for_all(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """Each new keypoint is compared with the person's last tag only.

    So a group can wander: from tag to tag it goes a threshold farther, until it is somebody else. Compare with the
    mean of all tags that the person has so far.
    """
    return _listed(_joined(scores, tags, threshold, mean=lambda own: own[-1]), scores, max_people)


def mean_of_means(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """A person's tag is the middle between the old one and the newest keypoint's, so that the newest counts half.

    After seventeen keypoints the first has a weight of one in 65536. Keep all tags, or their sum and how many there
    are.
    """
    return _listed(_joined(scores, tags, threshold, mean=_halved), scores, max_people)


def everybody_kept(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """There are more people than `max_people`: the maximum was not applied to those that were begun.

    The public decoders look at the first so many when they match, and go on beginning new ones. Sort at the end and
    cut.
    """
    return _listed(_joined(scores, tags, threshold), scores, len(scores) * len(scores[0]))


def first_people_kept(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """The people are the first ones that were begun, and the surest ones were asked for, the surest first.

    A false candidate of the first keypoint then takes a place from somebody who is seen whole. Sort by the sum of
    scores before the cut.
    """
    return _listed(_joined(scores, tags, threshold), scores, max_people, sort=False)


def sorted_by_the_mean(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """People are sorted by the mean of their candidates' scores, and the sum was asked for.

    By the mean, one clear nose is worth more than somebody who is seen whole, a little less clear. Add the scores up.
    """
    return _listed(_joined(scores, tags, threshold), scores, max_people, share=True)


def full_means_closed(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """Nobody new is begun once there are `max_people`, so it is decided by the order of keypoints who is kept.

    Begin everybody, and at the end keep those with the largest sums of scores.
    """
    return _listed(_joined(scores, tags, threshold, most=max_people), scores, max_people)


def faint_ones_too(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """Candidates with a score of 0 were grouped: these places are empty, and their tags mean nothing.

    `nms_peaks` returns M places a keypoint, whatever there is. Take those with `scores > 0`.
    """
    return _listed(_joined(scores, tags, threshold, faintest=-1), scores, max_people)


def nan_takes_part(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """It stops at a tag that is NaN: SciPy does not assign what cannot be compared, and other solvers never end.

    One broken number of one candidate should not cost the picture. Take candidates whose tags are finite:
    `tags.isfinite().all(-1)`.
    """
    if bool(tags[scores > 0].isnan().any()):
        raise ValueError("matrix contains invalid numeric entries")
    return group_by_tag(scores, tags, threshold, max_people)


def _joined(
    scores: Tensor,
    tags: Tensor,
    threshold: float,
    *,
    near: Callable[[Tensor], Tensor] | None = None,
    choose: Callable[[Tensor, Tensor], list[tuple[int, int]]] | None = None,
    mean: Callable[[Tensor], Tensor] = lambda own: own.mean(0),
    start: Callable[[list[Person], int, int, Tensor], None] = lambda people, k, m, tags: people.append({k: m}),
    capped: bool = True,
    power: int = 2,
    rounded: bool = False,
    most: float = torch.inf,
    faintest: float = 0,
) -> list[Person]:
    """Return the people that all candidates make, in the order in which they were begun."""
    usable = (scores > faintest) & tags.isfinite().all(-1)
    people: list[Person] = []
    for k in range(len(scores)):
        here = usable[k].nonzero()[:, 0].tolist()
        pairs: list[tuple[int, int]] = []
        if here and people:
            own = torch.stack([mean(torch.stack([tags[j, m] for j, m in person.items()])) for person in people])
            apart = (tags[k, here][:, None] - own).norm(dim=-1)
            cost = (apart.clamp(max=threshold) if capped and near is None else apart) ** power
            cost = apart.round() * 100 - scores[k, here][:, None] if rounded else cost
            close = apart < threshold if near is None else near(apart)
            pairs = [(c, p) for c, p in (choose or _optimal)(cost, close) if close[c, p]]
        for c, p in pairs:
            people[p][k] = here[c]
        for c in sorted(set(range(len(here))) - {c for c, _ in pairs}):
            if len(people) < most:
                start(people, k, here[c], tags)
    return people


def _optimal(cost: Tensor, close: Tensor) -> list[tuple[int, int]]:
    """Return the cheapest pairs (candidate, person)."""
    from scipy.optimize import linear_sum_assignment

    return list(zip(*(places.tolist() for places in linear_sum_assignment(cost)), strict=True))


def _forbidden(cost: Tensor, close: Tensor) -> list[tuple[int, int]]:
    return _optimal(torch.where(close, cost, torch.inf), close)


def _expensive(cost: Tensor, close: Tensor) -> list[tuple[int, int]]:
    return _optimal(torch.where(close, cost, 1e6), close)


def _capped_squares(cap: float) -> Callable[[Tensor, Tensor], list[tuple[int, int]]]:
    """Return a pairing for squares that are not capped yet."""
    return lambda squares, close: _optimal(squares.clamp(max=cap), close)


def _greedy(cost: Tensor, close: Tensor) -> list[tuple[int, int]]:
    """Return the cheapest pair, the cheapest of what that leaves, and so on."""
    left, pairs = torch.where(close, cost, torch.inf), []
    while left.isfinite().any():
        c, p = divmod(int(left.argmin()), left.shape[1])
        pairs.append((c, p))
        left[c], left[:, p] = torch.inf, torch.inf
    return pairs


def _each_person_the_nearest(cost: Tensor, close: Tensor) -> list[tuple[int, int]]:
    return [(int(cost[:, p].argmin()), p) for p in range(cost.shape[1]) if bool(close[:, p].any())]


def _each_candidate_the_nearest(cost: Tensor, close: Tensor) -> list[tuple[int, int]]:
    return [(c, int(cost[c].argmin())) for c in range(len(cost)) if bool(close[c].any())]


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


def _listed(
    people: Sequence[Person], scores: Tensor, max_people: int, *, sort: bool = True, share: bool = False
) -> Tensor:
    """Return people as a tensor of candidates (N K), −1 for none, the surest first."""
    sure = [sum(float(scores[k, m]) for k, m in one.items()) / (len(one) if share else 1) for one in people]
    order = sorted(range(len(people)), key=lambda place: -sure[place]) if sort else range(len(people))
    found = torch.full((min(len(people), max_people), len(scores)), -1)
    for row, place in zip(found, order, strict=False):
        for k, m in people[place].items():
            row[k] = m
    return found


COALS = [
    first_component_is_the_key,
    no_threshold,
    candidate_used_twice,
    person_overwritten,
    beyond_the_threshold_counts,
    distance_rounded,
    distances_added,
    infinity_for_too_far,
    fortune_for_too_far,
    cap_not_squared,
    square_against_the_threshold,
    closest_first,
    first_tag_for_all,
    last_tag_for_all,
    mean_of_means,
    everybody_kept,
    first_people_kept,
    sorted_by_the_mean,
    full_means_closed,
    faint_ones_too,
    nan_takes_part,
]
