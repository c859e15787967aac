"""Skeletons: do left and right change places, and is nonsense refused?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posecourse.skeletons import COCO17, Skeleton, mirrored_name

# A side as a whole word, in the ways in which data sets write it.
SIDES = [("left", "right"), ("Left", "Right"), ("LEFT", "RIGHT"), ("l", "r"), ("L", "R")]


@given(
    side=st.sampled_from(SIDES),
    word=st.sampled_from(["knee", "EarBase", "lower_lip", "all", "rear"]),
    form=st.sampled_from(["{side}_{word}", "{word}_{side}", "{word}-{side}", "{side}.{word}", "{word}_{side}_2"]),
)
def test_a_side_is_swapped_wherever_it_stands(side: tuple[str, str], word: str, form: str) -> None:
    """Does the name's twin have the other side, in the same capitals, and come back?"""
    left, right = (form.format(side=one, word=word) for one in side)
    assert mirrored_name(left) == right
    assert mirrored_name(right) == left


@pytest.mark.parametrize("name", ["nose", "leftover", "bright", "tail_bell", "upright_neck", "r2d2", ""])
def test_a_midline_name_stays(name: str) -> None:
    """Is a word that merely contains a side left alone?"""
    assert mirrored_name(name) == name


def test_coco_s_mirror_is_known() -> None:
    """Does COCO's mirror exchange 1-2, 3-4, …, 15-16, and keep the nose?"""
    assert COCO17.swap == (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)
    assert COCO17.sides == ("middle", *["left", "right"] * 8)


def test_coco_s_numbers_are_those_of_pycocotools() -> None:
    """Are the sigmas those that COCO's own evaluation uses?"""
    from pycocotools.cocoeval import Params

    assert list(COCO17.sigmas) == pytest.approx(Params(iouType="keypoints").kpt_oks_sigmas)
    assert (len(COCO17), len(COCO17.limbs)) == (17, 19)


def test_limbs_are_symmetric() -> None:
    """Is each limb of the left side, mirrored, a limb of the right?"""
    limbs = {frozenset(limb) for limb in COCO17.limbs}
    assert {frozenset(COCO17.swap[end] for end in limb) for limb in limbs} == limbs


def test_a_side_without_its_twin_is_the_middle() -> None:
    """In a skeleton that has only the left paw, does it keep its place in a mirror?"""
    lame = Skeleton(("nose", "left_paw", "tail"))
    assert lame.swap == (0, 1, 2)
    assert lame.sides == ("middle",) * 3


def test_a_keypoint_is_found_by_name() -> None:
    """Is index the place of a name, and a typo answered by the names that there are?"""
    assert COCO17.index("right_ear") == 4
    with pytest.raises(ValueError, match="no keypoint is called 'rigth_ear'; there are nose, left_eye"):
        COCO17.index("rigth_ear")


@pytest.mark.parametrize(
    ("names", "limbs", "sigmas", "message"),
    [
        ((), (), (), "must be present"),
        (("a", "a"), (), (), "all different"),
        (("a", "b"), ((1, 2),), (), "COCO files count from 1"),
        (("a", "b"), ((-1, 0),), (), "must join two of 0 … 1"),
        (("a", "b"), (), (0.1,), "sigmas must be 2 positive numbers"),
        (("a", "b"), (), (0.1, 0.0), "sigmas must be 2 positive numbers"),
        (("a", "b"), (), (0.1, float("nan")), "sigmas must be 2 positive numbers"),
    ],
)
def test_a_broken_skeleton_is_refused(
    names: tuple[str, ...], limbs: tuple[tuple[int, int], ...], sigmas: tuple[float, ...], message: str
) -> None:
    """Do repeated names, limbs to nowhere and wrong sigmas raise?"""
    with pytest.raises(ValueError, match=message):
        Skeleton(names, limbs, sigmas)
