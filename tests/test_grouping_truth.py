"""Grouping by the truth: who gets which candidate, and who gets none."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from posecourse import grouping, seeding

# Two people (N 2), three keypoints, five candidates.
TRUTH = torch.tensor([[[2.0, 3.0], [5.0, 4.0], [8.0, 1.0]], [[12.0, 3.0], [15.0, 6.0], [9.0, 1.0]]])
MASK = torch.tensor([[True, True, True], [True, False, True]])
POINTS = torch.tensor(
    [
        [[11.5, 3.0], [2.4, 3.3], [2.2, 3.1], [30.0, 30.0], [0.0, 0.0]],  # two near the first person, one near nobody
        [[15.0, 6.0], [5.0, 7.1], [40.0, 4.0], [0.0, 0.0], [0.0, 0.0]],  # at an unlabelled place, out of reach, far
        [[8.6, 1.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [8.0, 1.0]],  # one peak for both; the good one has score 0
    ]
)
SCORES = torch.tensor([[0.5, 0.9, 0.6, 0.8, 0.0], [0.7, 0.4, 0.3, 0.0, 0.0], [0.8, 0.0, 0.0, 0.0, 0.0]])


def test_the_nearest_person_gets_the_nearest_candidate() -> None:
    """Is each candidate its nearest person's, the nearest kept and not the highest, and the far ones nobody's?"""
    people, scores, present = grouping.group_by_truth(POINTS, SCORES, TRUTH, MASK, reach=3.0)
    assert present.tolist() == [[True, False, False], [True, False, True]]
    assert people[0, 0].tolist() == POINTS[0, 2].tolist()
    assert people[1, 0].tolist() == POINTS[0, 0].tolist()
    assert people[1, 2].tolist() == POINTS[2, 0].tolist()  # a single peak between two people is not used twice
    assert scores[present].tolist() == pytest.approx([0.6, 0.5, 0.8])
    assert people[0, 1].tolist() == POINTS[0, 2].tolist()  # the mean of the one that was found
    assert people[1, 1].tolist() == POINTS[[0, 2], [0, 0]].mean(0).tolist()
    assert scores[~present].eq(0).all()


@given(N=st.integers(1, 4), M=st.integers(4, 7), seed=st.integers(0, 99))
def test_true_candidates_come_home(N: int, M: int, seed: int) -> None:
    """Among candidates in any order that hold the truth, does everybody get exactly their own?"""
    random = seeding.generator(seed)
    truth = torch.rand(N, 3, 2, generator=random, dtype=torch.float64) * 50
    mask = torch.rand(N, 3, generator=random) < 0.7
    others = torch.rand(3, M - N, 2, generator=random, dtype=torch.float64) * 50
    order = torch.rand(3, M, generator=random).argsort(-1)
    points = torch.cat([truth.transpose(0, 1), others], dim=1)
    points = points.gather(1, order[..., None].expand(3, M, 2))
    people, scores, present = grouping.group_by_truth(points, torch.ones_like(points[..., 0]), truth, mask, reach=0.1)
    assert present.equal(mask)
    assert people[mask].equal(truth[mask])
    assert scores.sum() == mask.sum()


def test_nobody_and_nothing() -> None:
    """Are an image without people, and one without candidates, answered in their shapes?"""
    people, scores, present = grouping.group_by_truth(POINTS, SCORES, TRUTH[:0], MASK[:0], reach=3.0)
    assert (people.shape, scores.shape, present.shape) == ((0, 3, 2), (0, 3), (0, 3))
    people, _, present = grouping.group_by_truth(POINTS[:, :0], SCORES[:, :0], TRUTH, MASK, reach=3.0)
    assert people.shape == (2, 3, 2)
    assert not present.any()


def test_truths_that_do_not_fit(as_a_user: None) -> None:
    """Are other keypoints, a visibility for a mask, and no reach refused?"""
    with pytest.raises(ValueError, match=r"3 keypoints \(K M 2\), and truth has 2"):
        grouping.group_by_truth(POINTS, SCORES, TRUTH[:, :2], MASK[:, :2], reach=3.0)
    with pytest.raises(TypeError, match="visibility > 0"):
        grouping.group_by_truth(POINTS, SCORES, TRUTH, MASK.byte(), reach=3.0)
    with pytest.raises(ValueError, match="reach must be positive"):
        grouping.group_by_truth(POINTS, SCORES, TRUTH, MASK, reach=0.0)
