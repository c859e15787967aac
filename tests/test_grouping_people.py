"""Grouping: does each candidate find its person, and are the known traps of public decoders avoided?"""

import itertools
import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from posecourse import grouping
from posecourse.grouping.assignment import assign
from posecourse.skeletons import COCO17, Skeleton

Candidates = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
WAYS: tuple[Literal["optimal", "greedy"], ...] = ("optimal", "greedy")
either_way = pytest.mark.parametrize("assignment", WAYS)


def candidates(*keypoints: list[tuple[float, ...]]) -> Candidates:
    """Candidates from lists of (score, tag, …), one list a keypoint; candidate m of keypoint k lies at (m, k)."""
    M = max(map(len, keypoints))
    D = max(len(entry) for entries in keypoints for entry in entries) - 1
    rows = [[*entries, *[(0.0,) * (D + 1)] * (M - len(entries))] for entries in keypoints]
    filled = torch.tensor(rows, dtype=torch.float64)
    y, x = torch.meshgrid(torch.arange(len(keypoints)), torch.arange(M), indexing="ij")
    return torch.stack([x, y], dim=-1).double(), filled[..., 0], filled[..., 1:]


def chosen(people: grouping.People) -> list[list[int | None]]:
    """Which candidate each keypoint of each person is, for `candidates`, whose x says so."""
    return [
        [int(x) if there else None for x, there in zip(points[:, 0], present, strict=True)]
        for points, present in zip(people.points, people.present, strict=True)
    ]


@either_way
def test_two_people_by_hand(assignment: Literal["optimal", "greedy"]) -> None:
    """Do tags decide who is who, is a missing keypoint absent, at the mean of the others, and the surest first?"""
    given_ = candidates([(0.5, 0.0), (0.9, 5.0)], [(0.8, 5.3), (0.7, 0.1)], [(0.9, 4.8)])
    people = grouping.group_by_tag(*given_, threshold=1.0, max_people=9, assignment=assignment)
    assert chosen(people) == [[1, 0, 0], [0, 1, None]]
    assert people.scores.tolist() == [[0.9, 0.8, 0.9], [0.5, 0.7, 0]]
    assert people.present.tolist() == [[True, True, True], [True, True, False]]
    assert people.points[1, 2].tolist() == [0.5, 0.5]


def test_the_mean_tag_runs() -> None:
    """Is a person's tag the mean so far: do tags that drift from 0 to 1.5 in steps of ½ stay together at 1.2?"""
    given_ = candidates([(1.0, 0.0)], [(1.0, 0.5)], [(1.0, 1.0)], [(1.0, 1.5)])
    assert len(grouping.group_by_tag(*given_, 1.01, 9).points) == 1  # 1.5 is 1 from the mean of 0, ½ and 1
    assert chosen(grouping.group_by_tag(*given_, 0.99, 9)) == [[0, 0, 0, None], [None, None, None, 0]]


def test_the_threshold_itself_is_too_far() -> None:
    """Is a candidate at exactly the threshold another person?"""
    given_ = candidates([(1.0, 0.0)], [(1.0, 2.0)])
    assert len(grouping.group_by_tag(*given_, 2.0, 9).points) == 2
    assert len(grouping.group_by_tag(*given_, 2.1, 9).points) == 1


def test_greedy_takes_the_closest_pair_and_optimal_the_best_sum() -> None:
    """With people at 0 and 1 and candidates at .6 and 1.9, does greedy strand one, and optimal nobody?"""
    given_ = candidates([(0.9, 0.0), (0.8, 1.0)], [(0.7, 0.6), (0.6, 1.9)])
    assert chosen(grouping.group_by_tag(*given_, 1.5, 9, assignment="greedy")) == [[1, 0], [0, None], [None, 1]]
    assert chosen(grouping.group_by_tag(*given_, 1.5, 9)) == [[0, 0], [1, 1]]


@pytest.mark.parametrize("scores", [(0.7, 0.6), (0.6, 0.7)])
def test_on_a_line_two_on_one_side_do_not_tie(scores: tuple[float, float]) -> None:
    """With people at 0 and 1 and candidates at 2 and 3, is each the one in order, whoever is brighter?"""
    given_ = candidates([(0.9, 0.0), (0.8, 1.0)], [(scores[0], 2.0), (scores[1], 3.0)])
    assert sorted(chosen(grouping.group_by_tag(*given_, 5.0, 9))) == [[0, 0], [1, 1]]


def test_the_order_is_the_caller_s() -> None:
    """Do keypoints join in the order given, so that the drifting tags split where it starts in the middle?"""
    given_ = candidates([(1.0, 0.0)], [(1.0, 0.9)], [(1.0, 1.8)])
    assert len(grouping.group_by_tag(*given_, 1.0, 9).points) == 2
    assert len(grouping.group_by_tag(*given_, 1.0, 9, order=[1, 0, 2]).points) == 2
    assert len(grouping.group_by_tag(*given_, 1.4, 9, order=[0, 1, 2]).points) == 1
    assert len(grouping.group_by_tag(*given_, 1.4, 9, order=[0, 2, 1]).points) == 2


# The traps of public decoders


def test_a_nearer_tag_beats_a_higher_score() -> None:
    """Where the rounded distance is equal and the public rule takes the higher score, do we take the nearer tag?"""
    given_ = candidates([(1.0, 0.0)], [(0.3, 0.05), (0.9, 0.45)])
    assert chosen(grouping.group_by_tag(*given_, 1.0, 9))[0] == [0, 0]
    _, scores, tags = given_
    public = (tags[1] - tags[0, 0]).norm(dim=-1).round() * 100 - scores[1]
    assert public.argmin() == 1


@either_way
def test_people_with_one_first_component_stay_apart(assignment: Literal["optimal", "greedy"]) -> None:
    """Are two people whose tags are equal but in their second component two?"""
    given_ = candidates([(0.9, 1.0, 0.0), (0.8, 1.0, 9.0)], [(0.9, 1.0, 9.0), (0.8, 1.0, 0.0)])
    assert chosen(grouping.group_by_tag(*given_, 1.0, 9, assignment=assignment)) == [[0, 1], [1, 0]]


@either_way
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("what", ["points", "scores", "tags"])
def test_a_number_that_is_not_finite_makes_a_candidate_absent(
    what: str, bad: float, assignment: Literal["optimal", "greedy"]
) -> None:
    """Is the answer the one without that candidate, and finite?"""
    points, scores, tags = candidates([(0.9, 0.0), (0.8, 5.0)], [(0.9, 5.0), (0.8, 0.0)])
    {"points": points, "scores": scores, "tags": tags}[what][1, 0] = bad
    people = grouping.group_by_tag(points, scores, tags, 1.0, 9, assignment=assignment)
    assert chosen(people) == [[0, 1], [1, None]]
    assert people.points.isfinite().all()
    assert people.scores.isfinite().all()


@either_way
def test_the_maximum_number_of_people_is_honoured(assignment: Literal["optimal", "greedy"]) -> None:
    """With ten people and room for three, are the three with the largest sums kept, whoever came first?"""
    tags = 5.0 * torch.arange(10).double()
    heights = torch.tensor([0.5, 0.1, 0.9, 0.3, 0.8, 0.4, 0.2, 0.6, 0.7, 0.15], dtype=torch.float64)
    given_ = torch.zeros(4, 10, 2).double(), heights.expand(4, 10), tags.expand(4, 10)[..., None]
    people = grouping.group_by_tag(*given_, 1.0, 3, assignment=assignment)
    assert people.scores[:, 0].tolist() == [0.9, 0.8, 0.7]
    assert people.present.all()


@either_way
def test_constant_tags_pair_by_score(assignment: Literal["optimal", "greedy"]) -> None:
    """Where all tags are equal, do the surest candidates make the first people, as many as a keypoint has at most?"""
    given_ = candidates([(0.4, 7.0), (0.9, 7.0)], [(0.2, 7.0), (0.8, 7.0), (0.5, 7.0)])
    people = grouping.group_by_tag(*given_, 1.0, 9, assignment=assignment)
    assert len(people.points) == 3
    assert sorted(which for _, which in chosen(people)) == [0, 1, 2]
    assert chosen(people)[-1] == [None, 0]


@either_way
@pytest.mark.parametrize("M", [0, 4])
def test_without_candidates_there_is_nobody(M: int, assignment: Literal["optimal", "greedy"]) -> None:
    """Are there no people, in the right shapes and dtypes, where no place is taken, or there is none?"""
    nothing = torch.zeros(3, M, 2), torch.zeros(3, M), torch.full((3, M, 2), math.nan)
    people = grouping.group_by_tag(*nothing, 1.0, 9, assignment=assignment)
    assert [tuple(part.shape) for part in people] == [(0, 3, 2), (0, 3), (0, 3)]
    assert (people.points.dtype, people.present.dtype) == (torch.float32, torch.bool)


# Properties


def few_levels(seed: int, K: int = 4, M: int = 5, D: int = 2) -> Candidates:
    """Candidates full of ties: scores, tags and places of few levels, some absent."""
    random = np.random.default_rng(seed)
    scores = torch.from_numpy(random.integers(0, 4, (K, M)) / 4)
    return (
        torch.from_numpy(random.integers(0, 3, (K, M, 2)) * 1.0),
        scores,
        torch.from_numpy(random.integers(0, 1 + seed % 4, (K, M, D)) * 1.0),
    )


@either_way
@given(seed=st.integers(0, 9999))
def test_the_order_of_candidates_means_nothing(seed: int, assignment: Literal["optimal", "greedy"]) -> None:
    """Whatever ties there are, is the answer to the bit the same for candidates in any other order?"""
    points, scores, tags = few_levels(seed)
    expected = grouping.group_by_tag(points, scores, tags, 1.2, 3, assignment=assignment)
    random = torch.Generator().manual_seed(seed)
    mixed = torch.stack([torch.randperm(5, generator=random) for _ in range(4)])
    rows = torch.arange(4)[:, None]
    people = grouping.group_by_tag(
        points[rows, mixed], scores[rows, mixed], tags[rows, mixed], 1.2, 3, assignment=assignment
    )
    assert all(ours.equal(theirs) for ours, theirs in zip(people, expected, strict=True))


@either_way
@given(seed=st.integers(0, 9999))
def test_every_candidate_goes_to_one_person(seed: int, assignment: Literal["optimal", "greedy"]) -> None:
    """With room for all, is each present candidate used exactly once, and everybody made of at least one?"""
    points, scores, tags = few_levels(seed)
    points[..., 0], points[..., 1] = torch.arange(5), torch.arange(4)[:, None]
    people = grouping.group_by_tag(points, scores, tags, 1.2, 99, assignment=assignment)
    for k in range(4):
        used = sorted(row[k] for row in chosen(people) if row[k] is not None)  # type: ignore[type-var]
        assert used == (scores[k] > 0).nonzero()[:, 0].tolist()
    assert people.present.any(-1).all()
    sums = people.scores.sum(-1)
    assert sums.equal(sums.sort(descending=True).values)


@given(seed=st.integers(0, 9999), people=st.integers(0, 4), candidates_=st.integers(0, 4))
def test_optimal_is_the_best_of_all_ways(seed: int, people: int, candidates_: int) -> None:
    """Against every way of joining some people and some candidates, is Σ (threshold² − distance²) the largest?"""
    distances = np.random.default_rng(seed).uniform(0, 2, (people, candidates_))
    who, which = assign(distances, 1.0, "optimal")
    assert len({*who.tolist()}) == len(who)
    assert len({*which.tolist()}) == len(which)
    assert (distances[who, which] < 1).all()
    best = 0.0
    for count in range(min(people, candidates_) + 1):
        for some in itertools.combinations(range(people), count):
            for order in itertools.permutations(range(candidates_), count):
                best = max(best, float((1 - distances[list(some), list(order)] ** 2).sum()))
    assert (1 - distances[who, which] ** 2).sum() == pytest.approx(best, abs=1e-6)


@given(seed=st.integers(0, 9999), people=st.integers(0, 5), candidates_=st.integers(0, 5))
def test_greedy_leaves_no_closer_pair(seed: int, people: int, candidates_: int) -> None:
    """Is there no pair below the threshold of which both would rather have each other?"""
    distances = np.random.default_rng(seed).uniform(0, 2, (people, candidates_))
    pairs = dict(zip(*assign(distances, 1.0, "greedy"), strict=True))
    back = {which: who for who, which in pairs.items()}
    for who, which in itertools.product(range(people), range(candidates_)):
        mine = distances[who, pairs[who]] if who in pairs else 1.0
        theirs = distances[back[which], which] if which in back else 1.0
        assert distances[who, which] >= min(mine, theirs)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_numbers_are_passed_on(dtype: torch.dtype) -> None:
    """Are points and scores the candidates' own, in their dtype, with their gradient, and the arguments untouched?"""
    points, scores, tags = (tensor.to(dtype) for tensor in candidates([(0.9, 0.0), (0.3, 5.0)], [(0.7, 0.1)]))
    before = points.clone(), scores.clone(), tags.clone()
    people = grouping.group_by_tag(points.requires_grad_(), scores.requires_grad_(), tags, 1.0, 9)
    assert (people.points.dtype, people.scores.dtype) == (dtype, dtype)
    assert people.scores[0].equal(scores[:, 0])
    slopes = torch.autograd.grad(people.scores.sum() + people.points[people.present].sum(), (points, scores))
    assert slopes[0].tolist() == [[[1, 1], [1, 1]], [[1, 1], [0, 0]]]
    assert slopes[1].tolist() == [[1, 1], [1, 0]]
    assert all(tensor.equal(old) for tensor, old in zip((points, scores, tags), before, strict=True))


# How well it does


def crowd(people: int, D: int, seed: int) -> tuple[Candidates, torch.Tensor]:
    """Candidates of a crowd and whose each one is (K M), −1 for a joint that is missing.

    Threshold 1. The people's own tags are different places, drawn at random, of a square grid of spacing 2: no two are
    closer than twice the threshold, and many are no farther. Each joint adds Gaussian noise whose root mean square
    length is ¼, a quarter of the threshold. Three joints of ten are missing.
    """
    random = np.random.default_rng(seed)
    side, K = math.ceil(people ** (1 / D)), len(COCO17)
    grid = 2.0 * np.stack(np.meshgrid(*[np.arange(side)] * D), axis=-1).reshape(-1, D)
    own = random.permutation(grid)[:people]
    whose = np.stack([random.permutation(people) for _ in range(K)])
    tags = own[whose] + 0.25 / math.sqrt(D) * random.normal(size=(K, people, D))
    missing = random.random((K, people)) < 0.3
    scores = np.where(missing, 0, random.uniform(0.2, 1, (K, people)))
    points = np.stack(np.meshgrid(np.arange(people), np.arange(K)), axis=-1).astype(float)
    found = torch.from_numpy(points), torch.from_numpy(scores), torch.from_numpy(tags)
    return found, torch.from_numpy(np.where(missing, -1, whose))


def right_and_all(people: int, D: int, seed: int, assignment: Literal["optimal", "greedy"]) -> tuple[int, int]:
    """How many joints are right, less those that fill a gap wrongly, and how many there are.

    Each true person is compared with one found person, so that as many joints as possible are right.
    """
    found, whose = crowd(people, D, seed)
    answer = grouping.group_by_tag(*found, threshold=1.0, max_people=30, assignment=assignment)
    index = answer.points[..., 0].round().long().clamp(0, people - 1)  # which candidate, where there is one
    owner = torch.where(answer.present, whose[torch.arange(len(COCO17)), index], -1)  # (N K)
    there = torch.stack([(whose == n).any(-1) for n in range(people)])  # (people K)
    same = (owner[:, None] == torch.arange(people)[None, :, None]).sum(-1)
    filled = ((owner[:, None] >= 0) & ~there[None]).sum(-1)
    rows, columns = linear_sum_assignment(-(same - filled).numpy())
    return int((same - filled)[rows, columns].sum()), int(there.sum())


@either_way
@pytest.mark.parametrize("D", [1, 2])
@pytest.mark.parametrize("people", [2, 5, 10, 20])
def test_separated_tags_are_grouped(people: int, D: int, assignment: Literal["optimal", "greedy"]) -> None:
    """With tags twice the threshold apart, noise a quarter of it and joints missing, are 99 % of the joints right?"""
    counts = [right_and_all(people, D, seed, assignment) for seed in range(10)]
    right, every = (sum(column) for column in zip(*counts, strict=True))
    assert every > 10 * people * len(COCO17) * 0.6
    assert right / every >= 0.99


# The order


def test_coco_s_order_goes_from_the_trunk_to_the_ends() -> None:
    """Are the first four shoulders and hips, and the last four wrists and ankles, each keypoint once?"""
    names = [COCO17.names[k] for k in grouping.torso_out(COCO17)]
    assert sorted(names) == sorted(COCO17.names)
    assert {name.split("_")[1] for name in names[:4]} == {"shoulder", "hip"}
    assert {name.split("_")[1] for name in names[-4:]} == {"wrist", "ankle"}


def test_any_skeleton_has_an_order() -> None:
    """Does a chain start in its middle, is what hangs on nothing last, and no limb at all the data's order?"""
    names = tuple("abcdef")
    assert grouping.torso_out(Skeleton(names, limbs=((0, 1), (1, 2), (2, 3), (3, 4)))) == (2, 1, 3, 0, 4, 5)
    assert grouping.torso_out(Skeleton(names)) == (0, 1, 2, 3, 4, 5)


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"points": torch.zeros(2, 3, 4, 2)}, "image by image"),
        ({"scores": torch.zeros(3, 5)}, r"\(3, 4, 2\), \(3, 5\) and"),
        ({"tags": torch.zeros(3, 4)}, r"tags \(K, M, D\)"),
        ({"threshold": 0.0}, "threshold must be positive"),
        ({"max_people": 0}, "max_people must be a positive whole"),
        ({"order": [0, 1, 1]}, r"each of the keypoints 0 … 2 once; got \[0, 1, 1\]"),
        ({"assignment": "hungarian"}, 'must be "optimal" or "greedy"; got \'hungarian\''),
    ],
)
def test_a_mistake_is_named(changed: dict[str, Any], message: str) -> None:
    """Does each wrong argument raise an error that says what was expected?"""
    right: dict[str, Any] = {
        "points": torch.zeros(3, 4, 2), "scores": torch.ones(3, 4), "tags": torch.zeros(3, 4, 1),
        "threshold": 1.0, "max_people": 9,
    }  # fmt: skip
    call: Callable[..., grouping.People] = grouping.group_by_tag
    assert len(call(**right).points) == 4
    with pytest.raises(ValueError, match=message):
        call(**{**right, **changed})
