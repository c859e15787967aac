"""Wrong ways to pair candidates with people; each docstring is what the student reads."""

import torch
from torch import Tensor

from posecourse.checks.grouping.groups import Choice, Pairs, capped_squares, joined, listed, optimal

__all__ = ["COALS"]


def no_threshold(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """Every candidate joins somebody while there is somebody left, however far away their tag is.

    The assignment always pairs as many as it can. A person whose elbow is hidden then gets a stranger's, and people
    who appear late are never begun. Undo pairs that are not closer than the threshold.
    """
    return listed(joined(scores, tags, threshold, near=lambda apart: apart < torch.inf), scores, max_people)


def candidate_used_twice(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """One candidate is the same keypoint of two people: each person took the nearest one, whoever had it before.

    Ask who goes with whom for all of them at once: `linear_sum_assignment` gives each candidate away once.
    """
    return listed(joined(scores, tags, threshold, choose=_each_person_the_nearest), scores, max_people)


def person_overwritten(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """Two candidates of one keypoint joined one person, the second overwrote the first, and nobody has that one now.

    Each candidate went to its nearest person, though that person had this keypoint already. A person takes one
    candidate a keypoint: `linear_sum_assignment` sees to it, and who is left over begins a new person.
    """
    return listed(joined(scores, tags, threshold, choose=_each_candidate_the_nearest), scores, max_people)


def beyond_the_threshold_counts(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """Pairs that are too far apart to go together have decided who goes with whom.

    Somebody far from everybody costs much, and the assignment parts two who belong together to save a little of it.
    All that is too far is equally far: `apart.clamp(max=threshold)` before it is squared and assigned.
    """
    return listed(joined(scores, tags, threshold, capped=False), scores, max_people)


def distance_rounded(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """The distance was rounded to whole numbers before the assignment, and the score decided the rest.

    Below a half all distances are then 0, and the brighter candidate beats the nearer one. It is in the paper's code
    and in HigherHRNet, whose margins are many units wide. Let the distance decide.
    """
    return listed(joined(scores, tags, threshold, rounded=True), scores, max_people)


def distances_added(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """The assignment has the smallest sum of distances, and that of their *squares* was asked for.

    On a line, two candidates on one side of two people have the same sum of distances either way, and rounding picks
    one. Squares know who comes first: `linear_sum_assignment(apart.clamp(max=threshold) ** 2)`.
    """
    return listed(joined(scores, tags, threshold, power=1), scores, max_people)


def infinity_for_too_far(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """It stops where somebody is too far from everybody: pairs that may not be got an infinite cost.

    SciPy pairs as many as it can and may not leave anybody out, so it says `cost matrix is infeasible`. Give what is
    too far the cost of the threshold, and undo such pairs afterwards: `apart.clamp(max=threshold) ** 2`.
    """
    return listed(joined(scores, tags, threshold, choose=_forbidden), scores, max_people)


def fortune_for_too_far(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """Pairs that are too far apart got a huge cost, 1e6 say, so that as many as possible are joined at any price.

    To save the huge cost once, somebody who fits well is given to another person, and both pairs are poor. To begin a
    new person is no catastrophe, it costs the threshold: `apart.clamp(max=threshold) ** 2`.
    """
    return listed(joined(scores, tags, threshold, choose=_expensive), scores, max_people)


def cap_not_squared(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """Squared distances were capped at the threshold, and squares belong beside its square.

    Below a threshold of 1 a new person then costs more than it should, above 1 less. Cap, then square:
    `apart.clamp(max=threshold) ** 2`.
    """
    return listed(joined(scores, tags, threshold, choose=capped_squares(threshold), capped=False), scores, max_people)


def square_against_the_threshold(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """Squared distances were compared with the threshold itself: d² < threshold joins what is up to √threshold away.

    The threshold is a distance. Take the root, `torch.linalg.vector_norm(…, dim=-1)`, cap and square for the
    assignment, and ask the distance for `apart < threshold`.
    """
    near = joined(scores, tags, threshold, choose=capped_squares(threshold), near=lambda d: d**2 < threshold)
    return listed(near, scores, max_people)


def closest_first(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """The closest pair was taken first, then the closest of the rest: greedy, and the smallest sum was asked for.

    Whoever is a little nearer takes a person away from somebody who has no other. All pairs at once:
    `linear_sum_assignment(apart.clamp(max=threshold) ** 2)`.
    """
    return listed(joined(scores, tags, threshold, choose=_greedy), scores, max_people)


def one_after_the_other(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """Candidates were asked one after the other, and whoever came first took the nearest person who was free.

    The second may have been nearer to that person, and takes the next one, or begins a new one. Ask all at once:
    `linear_sum_assignment(apart.clamp(max=threshold) ** 2)`.
    """
    return listed(joined(scores, tags, threshold, choose=_in_turn), scores, max_people)


def nearest_or_nobody(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """Candidates were asked one after the other, and whoever found the nearest person taken began a new one.

    Another person may have been within the threshold, and whoever came first need not be the nearer one. Ask all at
    once: `linear_sum_assignment(apart.clamp(max=threshold) ** 2)`.
    """
    return listed(joined(scores, tags, threshold, choose=_in_turn_or_alone), scores, max_people)


def capped_and_never_undone(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """The assignment is right, and pairs that are too far apart were joined all the same.

    The cap makes them all cost the same, it does not take them out: `linear_sum_assignment` pairs as many as it can.
    Keep a pair only if `apart[r, c] < threshold`; else the candidate begins a new person.
    """
    paired = joined(scores, tags, threshold, choose=capped_squares(threshold**2), near=lambda d: d < torch.inf)
    return listed(paired, scores, max_people)


def threshold_belongs(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """A candidate who is exactly as far as the threshold was joined, and from there on nobody should be.

    `<=` stands where `<` was asked for. On measured tags it never shows; an edge that two programs draw differently
    is a bug that nobody finds. Keep a pair if `apart[r, c] < threshold`.
    """
    near = joined(scores, tags, threshold, choose=capped_squares(threshold**2), near=lambda d: d <= threshold)
    return listed(near, scores, max_people)


def plain_distances(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """The assignment was asked for the smallest sum of the distances as they are, neither capped nor squared.

    Somebody far from everybody then decides who goes with whom, and two candidates on one side of two people tie.
    Cap, square, assign: `linear_sum_assignment(apart.clamp(max=threshold) ** 2)`.
    """
    return listed(joined(scores, tags, threshold, power=1, capped=False), scores, max_people)


def squared_twice(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """Distances were squared twice: `apart` holds squares already, was compared with the threshold and squared again.

    Then what is up to √threshold away is joined, and fourth powers are added up. Take the root,
    `torch.linalg.vector_norm(…, dim=-1)`: the threshold is a distance, and one square is the assignment's.
    """
    choose = _squares_of_capped(threshold)
    near = joined(scores, tags, threshold, choose=choose, near=lambda d: d**2 < threshold)
    return listed(near, scores, max_people)


def _forbidden(cost: Tensor, close: Tensor) -> Pairs:
    return optimal(torch.where(close, cost, torch.inf), close)


def _expensive(cost: Tensor, close: Tensor) -> Pairs:
    return optimal(torch.where(close, cost, 1e6), close)


def _squares_of_capped(cap: float) -> Choice:
    """Return a pairing for squares that are taken for distances."""
    return lambda squares, close: optimal(squares.clamp(max=cap) ** 2, close)


def _in_turn(cost: Tensor, close: Tensor) -> Pairs:
    """Return for each candidate in turn the nearest person who is near and still free."""
    left, pairs = torch.where(close, cost, torch.inf), []
    for c in range(len(cost)):
        if left[c].isfinite().any():
            p = int(left[c].argmin())
            pairs.append((c, p))
            left[:, p] = torch.inf
    return pairs


def _in_turn_or_alone(cost: Tensor, close: Tensor) -> Pairs:
    """Return for each candidate in turn the nearest person, if near and still free."""
    pairs: dict[int, int] = {}
    for c, p in enumerate(cost.argmin(1).tolist()):
        if close[c, p]:
            pairs.setdefault(p, c)
    return [(c, p) for p, c in pairs.items()]


def _greedy(cost: Tensor, close: Tensor) -> Pairs:
    """Return the cheapest pair, the cheapest of what that leaves, and so on."""
    left, pairs = torch.where(close, cost, torch.inf), []
    while left.isfinite().any():
        c, p = divmod(int(left.argmin()), left.shape[1])
        pairs.append((c, p))
        left[c], left[:, p] = torch.inf, torch.inf
    return pairs


def _each_person_the_nearest(cost: Tensor, close: Tensor) -> Pairs:
    return [(int(cost[:, p].argmin()), p) for p in range(cost.shape[1]) if bool(close[:, p].any())]


def _each_candidate_the_nearest(cost: Tensor, close: Tensor) -> Pairs:
    return [(c, int(cost[c].argmin())) for c in range(len(cost)) if bool(close[c].any())]


COALS = [
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
    one_after_the_other,
    nearest_or_nobody,
    capped_and_never_undone,
    threshold_belongs,
    plain_distances,
    squared_twice,
]
