"""Pictures of equivariance: do they show both ways round the square, and the errors that belong to them?"""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from posecourse import equivariance, seeding, viz
from posecourse.skeletons import Skeleton

TRIO = Skeleton(names=("left_hand", "nose", "right_hand"), limbs=((1, 0), (1, 2)))
ANGLES = (-90.0, -45.0, 0.0, 45.0, 90.0)
POINTS = torch.tensor([[4.0, 9.5], [9.5, 5.5], [0.0, 0.0]])  # 5.5 left of the centre, 4 above it, and in a corner


class Fixed:
    """An estimator that always answers `POINTS`."""

    def predict(self, images: Tensor) -> Tensor:
        """Return the same points for each image."""
        return POINTS.to(images).expand(len(images), 3, 2)


def ways() -> equivariance.FullTurn:
    """Return a full turn of a picture of 20 × 20 pixels."""
    return equivariance.full_turn(Fixed(), torch.rand(3, 20, 20, generator=seeding.generator(0)), ANGLES)


def chord(radius: float, degrees: float) -> float:
    """Return how far a point moves that turns."""
    return 2 * radius * abs(math.sin(math.radians(degrees) / 2))


def test_a_full_turn_is_every_angle_by_itself() -> None:
    """Are errors, floor and pictures those of the functions for one angle, and do true places decide what counts?"""
    picture = torch.rand(3, 20, 20, generator=seeding.generator(0))
    truth = torch.tensor([[9.5, 9.5], [0.0, 0.0], [9.5, 9.5]])
    for keypoints in (None, truth):
        found = equivariance.full_turn(Fixed(), picture, ANGLES, keypoints=keypoints, padding="border")
        for index, degrees in enumerate(ANGLES):
            given = {"keypoints": None if keypoints is None else keypoints[None], "padding": "border"}
            error = equivariance.equivariance_error(Fixed(), picture[None], degrees, **given)
            floor = equivariance.resampling_error(Fixed(), picture[None], degrees, **given)
            assert found.errors[index].nan_to_num(-1).tolist() == error[0].nan_to_num(-1).tolist()
            assert found.floor[index].nan_to_num(-1).tolist() == floor[0].nan_to_num(-1).tolist()
            turned = equivariance.turn(picture[None], degrees, padding="border")[0]
            assert torch.equal(found.pictures[index], turned)
            assert torch.equal(found.found[index], POINTS)
            expected = equivariance.turn_keypoints(POINTS, degrees, (20, 20))
            assert torch.equal(found.expected[index], expected)


@pytest.mark.parametrize("shape", [(3, 20, 21), (1, 3, 20, 20)])
def test_a_full_turn_wants_one_square(shape: tuple[int, ...], as_a_user: None) -> None:
    """Is a picture that is not square, or a batch, refused with the fix?"""
    with pytest.raises(ValueError, match=r"one square picture \(3, H, H\).*images\[0\]"):
        equivariance.full_turn(Fixed(), torch.zeros(shape), ANGLES)


def test_the_words_are_the_chords() -> None:
    """Are the mean and the worst of the errors said, of the keypoints that stay, and is the floor 0 that is 0?"""
    said = viz.describe_turned(ways(), TRIO, 3)
    mean, worst = (chord(5.5, 45) + chord(4, 45)) / 2, chord(5.5, 45)
    assert f"Turned by 45°, the two answers are {mean:.2f} pixels apart" in said
    assert f"the 2 of 3 keypoints that stay in the picture, {worst:.2f} at the left hand" in said
    assert "move an answer by 0.00" in said
    assert "Turned by −90°" in viz.describe_turned(ways(), TRIO, 0)
    nobody = ways()._replace(errors=torch.full((5, 3), torch.nan))
    assert "no keypoint stays in the picture" in viz.describe_turned(nobody, TRIO, 3)


def test_the_two_ways_are_drawn() -> None:
    """Is f(Rx) in the first panel, R f(x) in the second with segments to f(Rx), and the error marked in the third?"""
    drawn = ways()
    first, second, curve = viz.turned(drawn, TRIO, 3).axes
    places = np.concatenate([line.get_xydata() for line in first.get_lines()])
    assert sorted(places.tolist()) == sorted(POINTS.tolist())
    crosses = [line.get_xydata() for line in second.get_lines() if line.get_marker() == "x"]
    assert crosses[0].tolist() == POINTS[:2].tolist()  # the third has left
    segments = second.collections[-1].get_segments()
    np.testing.assert_allclose(segments[1], np.stack([drawn.expected[3, 1], drawn.found[3, 1]]))
    assert len(segments) == 2
    dot = next(line for line in curve.get_lines() if line.get_marker() == "o" and len(line.get_xdata()) == 1)
    assert dot.get_xydata()[0].tolist() == pytest.approx([45, (chord(5.5, 45) + chord(4, 45)) / 2])


def test_a_skeleton_of_others_is_refused() -> None:
    """Is a skeleton with another number of keypoints refused?"""
    with pytest.raises(ValueError, match=r"have 3 keypoints, and the skeleton has 2"):
        viz.turned(ways(), Skeleton(("nose", "tail")), 0)


def test_errors_at_every_angle() -> None:
    """Is each line the mean of what is not NaN, in its band, with its name at its end, and the floor beside it?"""
    errors = torch.stack([torch.tensor([chord(r, degrees) for r in (2.0, 4.0, 9.0)]) for degrees in ANGLES])
    errors[3, 2] = torch.nan
    fig = viz.errors_by_angle(ANGLES, {"fixed": errors, "other": errors[:, 0]}, floor=errors / 10)
    ax = fig.axes[0]
    lines = {line.get_label(): line.get_ydata() for line in ax.get_lines()}
    np.testing.assert_allclose(lines["fixed"], errors.nanmean(1), rtol=1e-6)
    assert lines["fixed"][3] == pytest.approx((chord(2, 45) + chord(4, 45)) / 2)
    np.testing.assert_allclose(lines["pixels alone"], errors.nanmean(1) / 10, rtol=1e-6)
    assert {text.get_text() for text in ax.texts} == {"fixed", "other", "pixels alone"}
    assert len(ax.collections) == 1  # one number an angle has no band
    assert ax.get_xticks().tolist() == [-90, 0, 90]
    viz.png(fig)


def test_lines_that_do_not_fit_are_refused() -> None:
    """Are five networks, none, and rows for other angles refused?"""
    with pytest.raises(ValueError, match="1 to 4 networks"):
        viz.errors_by_angle(ANGLES, {str(i): torch.zeros(5) for i in range(5)})
    with pytest.raises(ValueError, match="1 to 4 networks"):
        viz.errors_by_angle(ANGLES, {})
    with pytest.raises(ValueError, match="5 angles, 4 rows"):
        viz.errors_by_angle(ANGLES, {"some": torch.zeros(4)})
