"""Pictures of constraints: is each pair where the package puts it, and do numbers, words and curves agree?"""

import math
from typing import Any

import numpy as np
import pytest
import torch

from posecourse import constraints, viz
from posecourse.skeletons import Skeleton

TRIO = Skeleton(names=("left_hand", "nose", "right_hand"), limbs=((1, 0), (1, 2)))
TRUTH = torch.tensor([[10.0, 30.0], [34.0, 12.0]])  # 30 long
NOISE = torch.tensor([[-1.1, 0.7], [0.9, 0.8]])


def marked(ax: Any, marker: str, color: str) -> list[list[float]]:
    """Return the places of one kind of mark."""
    (line,) = (line for line in ax.get_lines() if line.get_marker() == marker and line.get_color() == color)
    return np.asarray(line.get_xydata()).tolist()


@pytest.mark.parametrize(("sigma", "assumed"), [(3.0, 30.0), (1.0, 20.0), (5.0, 41.0)])
def test_ends_are_where_the_package_puts_them(sigma: float, assumed: float) -> None:
    """Are the truth, the seen pair and both projections at their places, and circles through their ends?"""
    ax = viz.limb(TRUTH, NOISE, sigma, assumed).axes[0]
    seen = (TRUTH + sigma * NOISE).double()
    both = constraints.project_limb(seen[0], seen[1], assumed)
    np.testing.assert_allclose(marked(ax, "o", viz.INK), TRUTH)
    np.testing.assert_allclose(marked(ax, "o", viz.UNCOUNTED["color"]), seen)
    np.testing.assert_allclose(marked(ax, "x", viz.LEFT["color"]), torch.stack(both))
    parent, child = (torch.tensor(end) for end in marked(ax, "x", viz.RIGHT["color"]))
    np.testing.assert_allclose(parent, seen[0])
    assert math.dist(parent.tolist(), child.tolist()) == pytest.approx(assumed)
    circles = [line.get_xydata() for line in ax.get_lines() if len(line.get_xdata()) > 100]
    for circle, centre, radius in zip(circles, (seen.mean(0), seen[0]), (assumed / 2, assumed), strict=True):
        np.testing.assert_allclose(np.linalg.norm(circle - centre.numpy(), axis=-1), radius)


def test_curves_are_the_theory() -> None:
    """Does each curve hold what is left for the length below it, each dot this length's, and the bar the break-even?"""
    ax = viz.limb(TRUTH, NOISE, 2.0, 33.0).axes[1]
    curves = [line for line in ax.get_lines() if len(line.get_xdata()) > 50]
    for x, y in curves[0].get_xydata()[::20]:
        assert y == pytest.approx(constraints.exact_left_of_mse(30.0, x, 2.0))
    for x, y in curves[1].get_xydata()[::20]:
        assert y == pytest.approx(1 + (x - 30) ** 2 / (4 * 2.0**2))
    dots = [line.get_xydata().tolist() for line in ax.get_lines() if line.get_linestyle() == "None"]
    assert dots[1] == [[33.0, pytest.approx(1 + 9 / 16)]]
    (bar,) = (line.get_xdata() for line in ax.get_lines() if line.get_color() == viz.MIDDLE["color"])
    assert list(bar) == pytest.approx([30 - 2 * math.sqrt(2), 30 + 2 * math.sqrt(2)])


def test_words_are_this_pair_s() -> None:
    """Do the words give this pair's errors and the mean shares, and does the picture say the same?"""
    said = viz.describe_limb(TRUTH, NOISE, 3.0, 30.0)
    before = float((3 * NOISE).square().sum())
    assert f"This pair's squared error is {before:.1f} px² as seen" in said
    assert "On average 0.754 of the error is left when both move, 1.000 when the child does" in said
    titles = [text.get_text() for text in viz.limb(TRUTH, NOISE, 3.0, 30.0).axes[0].texts]
    assert any(text.startswith(f"this pair: {before:.1f} px²") for text in titles)


def test_panels_side_by_side_are_the_pictures_that_the_slider_shows() -> None:
    """Has each panel the ends of its noise and length, at one place in one scale, and the mean shares above?"""
    sigmas, lengths = (1.5, 4.0), (21.0, 30.0, 39.0)
    panels = iter(viz.limb_by_length(TRUTH, NOISE, sigmas, lengths).axes)
    for sigma in sigmas:
        for assumed in lengths:
            ax, alone = next(panels), viz.limb(TRUTH, NOISE, sigma, assumed).axes[0]
            for line, expected in zip(ax.get_lines(), alone.get_lines(), strict=True):
                np.testing.assert_allclose(line.get_xydata(), expected.get_xydata())
            assert (ax.get_xlim(), ax.get_ylim()) == (alone.get_xlim(), alone.get_ylim())
            left = constraints.exact_left_of_mse(30.0, assumed, sigma)
            assert f"error left: both {left:.2f}" in ax.get_title(loc="left") + ax.get_title()


def person() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return a picture, truth, what was found and what a constraint made of it."""
    truth = torch.tensor([[4.0, 9.0], [10.0, 3.0], [16.0, 9.0]])
    return torch.full((3, 16, 24), 0.5), truth, truth + torch.tensor([3.0, 4.0]), truth + torch.tensor([0.0, 1.0])


def test_before_and_after() -> None:
    """Are rings at the truth and crosses at what was found, on each side, the RMS distance above, the rest left out?"""
    picture, truth, before, after = person()
    mask = torch.tensor([True, True, False])
    fig = viz.mended(picture, truth, before, after, TRIO, mask)
    for ax, points, rms in zip(fig.axes, (before, after), ("5.00", "1.00"), strict=True):
        crosses = [line for line in ax.get_lines() if line.get_marker() == "x"]
        rings = [line for line in ax.get_lines() if line.get_marker() == "o" and line.get_zorder() == 4]
        np.testing.assert_allclose(crosses[0].get_xydata(), points[:2])
        np.testing.assert_allclose(rings[0].get_xydata(), truth[:2])
        assert ax.get_title(loc="left").endswith(f"RMS {rms} px")
        assert ax.get_xlim()[0] <= 4
        assert ax.get_xlim()[1] >= 13
    said = viz.describe_mended(truth, before, after, mask)
    assert "A person's 2 keypoints" in said
    assert "from 5.00 to 1.00 px; 2 keypoints are nearer than before, 0 are farther" in said


def test_what_is_nan_is_left_out() -> None:
    """Is a keypoint that is NaN before or after left out of picture and words, and a person of such refused?"""
    picture, truth, before, after = person()
    before[0, 0], after[1, 1] = math.nan, math.nan
    assert "A person's 1 keypoints" in viz.describe_mended(truth, before, after)
    viz.png(viz.mended(picture, truth, before, after, TRIO))
    with pytest.raises(ValueError, match="nothing to show"):
        viz.describe_mended(truth, before * math.nan, after)


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: viz.limb(TRUTH[:1], NOISE[:1], 1.0, 1.0), r"truth must be \(2, 2\)"),
        (lambda: viz.limb(TRUTH, NOISE[0], 1.0, 1.0), "truth and noise must have one shape"),
        (lambda: viz.limb(TRUTH, NOISE, 0.0, 1.0), "sigma must be positive"),
        (lambda: viz.limb(TRUTH, NOISE, 1.0, -3.0), "assumed must be positive"),
        (lambda: viz.describe_mended(TRUTH, TRUTH[:1], TRUTH), "truth and before must have one shape"),
    ],
)
def test_mistakes_are_named(call: Any, message: str) -> None:
    """Does each wrong argument raise an error that says what was expected?"""
    with pytest.raises(ValueError, match=message):
        call()
