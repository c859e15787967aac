"""The picture of a threshold over a crowd: does it keep, mark, count and say what is true?"""

from typing import Any

import numpy as np
import pytest
import torch

from posecourse import viz
from posecourse.samples import Sample
from posecourse.skeletons import Skeleton

TRIO = Skeleton(names=("left_hand", "nose", "right_hand"), limbs=((1, 0), (1, 2)))
PROBABILITIES = torch.tensor([[0.9, 0.35, 0.6], [0.2, 0.8, 0.7], [0.99, 0.99, 0.99]])
POINTS = torch.tensor([[[1.0, 4.0], [4.0, 1.0], [7.0, 4.0]]] * 3) + torch.tensor([0.0, 9.0, 0.0])[:, None, None]


def crowd() -> Sample:
    """Return a picture of two people; the third place is empty. Four keypoints can be seen, two cannot."""
    visibility = torch.tensor([[[2, 2, 1], [0, 2, 2], [2, 2, 2]]], dtype=torch.uint8)
    return Sample(
        images=torch.full((1, 3, 16, 24), 0.5),
        keypoints=POINTS[None] + 0.5,
        visibility=visibility,
        boxes=torch.zeros(1, 3, 4),
        areas=torch.ones(1, 3),
        present=torch.tensor([[True, True, False]]),
        skeleton=TRIO,
    )


@pytest.mark.parametrize(
    ("threshold", "seen", "hidden"), [(0.0, 4, 2), (0.2, 4, 2), (0.5, 3, 1), (0.65, 3, 0), (0.8, 2, 0), (1.0, 0, 0)]
)
def test_words_count_what_is_kept(threshold: float, seen: int, hidden: int) -> None:
    """Are kept keypoints counted by what can be seen, equality included and empty places left out?"""
    said = viz.describe_kept(crowd(), PROBABILITIES, threshold)
    assert f"{seen} of 4 keypoints that can be seen are kept, and {hidden} of 2 that cannot" in said
    assert f"threshold of {threshold:.2f}" in said


def marks(fig: Any, marker: str) -> list[list[float]]:
    """Return the places (x, y) of one kind of mark in the picture, in order."""
    lines = [line for line in fig.axes[0].get_lines() if line.get_marker() == marker and line.get_zorder() == 4]
    return sorted(np.concatenate([line.get_xydata() for line in lines]).tolist())


def test_crosses_and_rings_are_the_two_mistakes() -> None:
    """Is a cross where something is kept that cannot be seen, and a ring at the truth where something is missed?"""
    fig = viz.kept(crowd(), POINTS, PROBABILITIES, 0.5)
    assert marks(fig, "x") == [[7.0, 4.0]]  # the right hand of the first, kept at 0.6 and hidden
    assert marks(fig, "o") == [[4.5, 1.5]]  # the nose of the first, left out at 0.35
    assert marks(viz.kept(crowd(), POINTS, PROBABILITIES, 0.0), "x") == [[7.0, 4.0], [10.0, 13.0]]


def test_curves_are_the_shares() -> None:
    """Do the curves fall from all to none, and do the dots stand on them at the threshold?"""
    ax = viz.kept(crowd(), POINTS, PROBABILITIES, 0.5).axes[1]
    curves = [line for line in ax.get_lines() if str(line.get_label()).startswith(("can", "cannot"))]
    for line, (at_half, at_most) in zip(curves, ((0.75, 0.25), (0.5, 0.0)), strict=True):
        x, y = line.get_data()
        assert (y[0], np.interp(0.5, x, y), np.interp(0.85, x, y)) == (1.0, at_half, at_most)
    dots = [line.get_xydata().tolist() for line in ax.get_lines() if len(line.get_xdata()) == 1]
    assert dots == [[[0.5, 0.75]], [[0.5, 0.5]]]


def test_what_is_no_crowd_is_refused() -> None:
    """Is a single person, or a keypoint too few, refused with the shape that is expected?"""
    with pytest.raises(ValueError, match=r"keypoints must be \(3, 3, 2\) and probabilities \(3, 3\)"):
        viz.kept(crowd(), POINTS[:2], PROBABILITIES[:2], 0.5)
    alone = Sample(
        torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 2), torch.zeros(1, 3, dtype=torch.uint8), torch.zeros(1, 4),
        torch.zeros(1), skeleton=TRIO,
    )  # fmt: skip
    with pytest.raises(ValueError, match="one picture of a crowd"):
        viz.kept(alone, POINTS, PROBABILITIES, 0.5)
