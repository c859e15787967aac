"""From candidates to people, with a switch for each way to go wrong: `pairings` and `persons` throw them."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

__all__ = ["Choice", "Pairs", "Person", "capped_squares", "group_by_tag", "joined", "listed", "optimal"]

Person: TypeAlias = dict[int, int]
"""Which candidate each keypoint is, of those that were found."""

Pairs: TypeAlias = list[tuple[int, int]]
"""Who goes with whom: (candidate, person)."""

Choice: TypeAlias = Callable[[Tensor, Tensor], Pairs]
"""A pairing: of what candidates cost people, and who is near enough, both (candidates, people), the pairs."""


def group_by_tag(scores: Tensor, tags: Tensor, threshold: float, max_people: int) -> Tensor:
    """Return which candidate each keypoint of each person is (N K), −1 for none: what the package's function finds."""
    return listed(joined(scores, tags, threshold), scores, max_people)


def joined(
    scores: Tensor,
    tags: Tensor,
    threshold: float,
    *,
    near: Callable[[Tensor], Tensor] | None = None,
    choose: Choice | None = None,
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
        pairs: Pairs = []
        if here and people:
            own = torch.stack([mean(torch.stack([tags[j, m] for j, m in person.items()])) for person in people])
            apart = (tags[k, here][:, None] - own).norm(dim=-1)
            cost = (apart.clamp(max=threshold) if capped and near is None else apart) ** power
            cost = apart.round() * 100 - scores[k, here][:, None] if rounded else cost
            close = apart < threshold if near is None else near(apart)
            pairs = [(c, p) for c, p in (choose or optimal)(cost, close) if close[c, p]]
        for c, p in pairs:
            people[p][k] = here[c]
        for c in sorted(set(range(len(here))) - {c for c, _ in pairs}):
            if len(people) < most:
                start(people, k, here[c], tags)
    return people


def optimal(cost: Tensor, close: Tensor) -> Pairs:
    """Return the cheapest pairs (candidate, person)."""
    from scipy.optimize import linear_sum_assignment

    return list(zip(*(places.tolist() for places in linear_sum_assignment(cost)), strict=True))


def capped_squares(cap: float) -> Choice:
    """Return a pairing for squares that are not capped yet."""
    return lambda squares, close: optimal(squares.clamp(max=cap), close)


def listed(
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
