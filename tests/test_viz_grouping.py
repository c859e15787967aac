"""Pictures of grouping: does each show the groups, the strangers and the tags that are there?"""

from typing import Any

import numpy as np
import pytest
import torch

from posecourse import viz
from posecourse.skeletons import Skeleton

TRIO = Skeleton(names=("left_hand", "nose", "right_hand"), limbs=((1, 0), (1, 2)))
PICTURE = torch.full((3, 16, 24), 0.5)
POINTS = torch.tensor([[[2.0, 8.0], [16.0, 9.0]], [[5.0, 3.0], [19.0, 4.0]], [[8.0, 8.0], [22.0, 9.0]]])


def found(tags: list[list[float]], scores: float = 0.9) -> viz.TaggedCandidates:
    """Return the candidates of two people, with tags of one number."""
    owners = torch.arange(2).expand(3, 2)
    return viz.TaggedCandidates(POINTS, torch.full((3, 2), scores), torch.tensor(tags)[..., None], owners)


APART = found([[0.0, 1.0], [0.1, 1.1], [0.0, 0.9]])
MIXED = found([[0.0, 1.0], [0.1, 1.1], [1.0, 0.05]])  # the right hands have changed places


@pytest.mark.parametrize(
    ("threshold", "groups", "whole"),
    [(0.5, "2 groups, 2 of them", 0), (0.02, "5 groups, 0 of them", 0), (5.0, "2 groups, 2 of them", 0)],
)
def test_words_count_groups(threshold: float, groups: str, whole: int) -> None:
    """Are candidates, people, groups and those with more than two keypoints counted?"""
    said = viz.describe_grouped(APART, threshold)
    assert f"At a threshold of {threshold:.2f}, 6 candidates of 2 people make {groups} with more than two" in said
    assert f"{whole} keypoints are in the group of somebody else" in said


def test_strangers_are_counted_and_crossed() -> None:
    """Is a keypoint that is in somebody else's group counted, and a cross at its place?"""
    assert "2 keypoints are in the group of somebody else" in viz.describe_grouped(MIXED, 0.5)
    one = found([[0.0, 1.0], [0.1, 1.1], [1.0, 9.0]])
    assert "1 keypoint is in the group of somebody else" in viz.describe_grouped(one, 0.5)
    lines = viz.grouped(PICTURE, MIXED, TRIO, 0.5).axes[0].get_lines()
    crosses = np.concatenate(
        [line.get_xydata() for line in lines if line.get_marker() == "x" and line.get_zorder() == 4]
    )
    assert sorted(crosses.tolist()) == [[8.0, 8.0], [22.0, 9.0]]


def test_a_place_without_score_is_no_candidate() -> None:
    """Are places of score 0 left out of picture and words?"""
    scores = torch.tensor([[0.9, 0.9], [0.9, 0.9], [0.9, 0.0]])
    said = viz.describe_grouped(APART._replace(scores=scores), 0.5)
    assert "5 candidates of 2 people make 2 groups, 1 of them" in said
    assert "0 candidates of 0 people make 0 groups" in viz.describe_grouped(found([[0.0, 1.0]] * 3, 0.0), 0.5)
    viz.png(viz.grouped(PICTURE, found([[0.0, 1.0]] * 3, 0.0), TRIO, 0.5))


def marks(ax: Any, color: str) -> list[list[float]]:
    """Return the places of the markers of one colour."""
    lines = [line for line in ax.get_lines() if line.get_color() == color and line.get_linestyle() == "None"]
    return sorted(np.concatenate([line.get_xydata() for line in lines]).round(4).tolist())


def test_tags_stand_beside_their_keypoints() -> None:
    """Is each candidate at its tag and its keypoint, in its group's colour, and the band two thresholds wide?"""
    ax = viz.grouped(PICTURE, APART, TRIO, 0.3).axes[1]
    first = ax.get_lines()[0].get_color()
    assert len(marks(ax, first)) == 3
    assert sorted(y for _, y in marks(ax, first)) == [0, 1, 2]
    widths = [patch.get_width() for patch in ax.patches]
    assert widths == pytest.approx([0.6, 0.6])


@pytest.mark.parametrize("D", [2, 3, 5])
def test_long_tags_are_seen_where_they_differ_most(D: int) -> None:
    """Are two people whose tags differ along any direction apart on the right by that distance?"""
    step = torch.linspace(1, 2, D)
    tags = torch.arange(2)[None, :, None] * step + 0.01 * torch.randn(
        3, 2, D, generator=torch.Generator().manual_seed(0)
    )
    fig = viz.grouped(PICTURE, APART._replace(tags=tags.expand(3, 2, D)), TRIO, 0.5)
    groups = [line.get_xydata().mean(0) for line in fig.axes[1].get_lines() if line.get_linestyle() == "None"]
    assert np.linalg.norm(groups[0] - groups[1]) == pytest.approx(float(step.norm()), abs=0.1)


def test_what_does_not_fit_is_refused() -> None:
    """Are candidates of another number of keypoints refused, with the shapes that are expected?"""
    with pytest.raises(ValueError, match=r"points \(3, M, 2\), scores \(3, M\), tags \(3, M, D\) and owners \(3, M\)"):
        viz.grouped(PICTURE, viz.TaggedCandidates(*(part[:2] for part in APART)), TRIO, 0.5)


@pytest.mark.parametrize("D", [1, 2, 3, 4])
def test_colours_tell_people_apart(D: int) -> None:
    """Do two people with unlike tags get unlike colours, and cells without a keypoint none?"""
    heatmaps, tags = torch.zeros(2, 4, 6), torch.zeros(2, D, 4, 6)
    heatmaps[0, 1, 1], heatmaps[1, 2, 4] = 1.0, 0.9
    tags[1, :, 2, 4] = 1.0
    _, ax = viz.single()
    painted = np.asarray(viz.tag_colours(ax, PICTURE, heatmaps, tags).get_array())
    assert painted[0, 0, 3] == 0
    assert painted[1, 1, 3] > 0.9
    assert np.abs(painted[1, 1, :3] - painted[2, 4, :3]).max() > 0.5


def test_a_group_is_drawn_without_what_it_lacks() -> None:
    """Does a person without a hand have one limb, two keypoints and a letter?"""
    _, ax = viz.single()
    drawn = viz.draw_group(ax, POINTS[:, 0], torch.tensor([True, True, False]), TRIO, 1)
    assert [len(line.get_segments()) for line in ax.collections] == [1, 1, 1]
    assert ax.get_lines()[0].get_xydata().tolist() == [[2.0, 8.0], [5.0, 3.0]]
    assert ax.texts[0].get_text() == "B"
    assert len(drawn) == 5
    assert len(viz.draw_group(ax, POINTS[:, 0], torch.zeros(3, dtype=torch.bool), TRIO, 0)) == 4


@pytest.mark.parametrize(
    ("there", "ties"),
    [
        ((1, 0, 1, 0), [[[0, 0], [2, 4]], [[2, 4], [0, 0]]]),
        ((1, 1, 0, 1), [[[3, 9], [1, 1]]]),
        ((1, 1, 1, 0), []),
        ((0, 1, 0, 0), []),
    ],
)
def test_a_loose_keypoint_is_tied_to_its_person(there: tuple[int, ...], ties: list[list[list[int]]]) -> None:
    """Is a keypoint without a neighbour tied with dots to the nearest one along the chain that is there?"""
    chain = Skeleton(names=("hip", "knee", "ankle", "toe"), limbs=((0, 1), (1, 2), (2, 3)))
    points = torch.tensor([[0.0, 0.0], [1.0, 1.0], [2.0, 4.0], [3.0, 9.0]])
    _, ax = viz.single()
    viz.draw_group(ax, points, torch.tensor(there, dtype=torch.bool), chain, 0)
    drawn = [segment.tolist() for lines in ax.collections[3:] for segment in lines.get_segments()]
    assert drawn == ties
