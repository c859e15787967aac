"""Pictures of fusion: are the ellipses, the words and the threshold those of the closed forms?"""

import math
from typing import Any

import numpy as np
import pytest

from posecourse import viz


def half_widths(ax: Any) -> dict[str, tuple[float, float]]:
    """Return how far each ellipse of a panel reaches along x and along y."""
    lines = {str(line.get_label()): line.get_data() for line in ax.get_lines()}
    lines.pop("truth")
    return {name: (float(np.max(x)), float(np.max(y))) for name, (x, y) in lines.items()}


@pytest.mark.parametrize(("rho", "ratio"), [(0.7, 2.0), (-0.4, 1.5), (0.2, 3.0)])
def test_the_ellipses_are_the_closed_forms(rho: float, ratio: float) -> None:
    """Do the five ellipses reach as far as the textbook says, along x and, with a ratio of 1, along y?"""

    def expected(r: float) -> dict[str, float]:
        v = r**2
        return {
            "head 1": 1,
            "head 2": r,
            "naive, claimed": math.sqrt(v / (1 + v)),
            "naive, true": math.sqrt(v * (1 + v + 2 * rho * r)) / (1 + v),
            "best": math.sqrt(v * (1 - rho**2) / (1 + v - 2 * rho * r)),
        }

    drawn = half_widths(viz.fused_ellipses(rho, ratio).axes[0])
    assert {name: x for name, (x, _) in drawn.items()} == pytest.approx(expected(ratio))
    assert {name: y for name, (_, y) in drawn.items()} == pytest.approx(expected(1.0))


@pytest.mark.parametrize(("rho", "worse"), [(0.3, False), (0.33, True)])
def test_words_and_shade_agree_on_harm(rho: float, worse: bool) -> None:
    """With r = 2 and a threshold of .3125, is harm said only past it, and does the shade begin there?"""
    said = viz.describe_fused_ellipses(rho, 2.0)
    assert f"which is {'' if worse else 'no '}worse than head 1 alone; the threshold is a correlation of 0.31." in said
    (shade,) = viz.fused_ellipses(rho, 2.0).axes[1].patches
    assert shade.get_x() == 0.3125


def test_words_have_the_numbers() -> None:
    """At ρ = .7 and r = 2, are claim, truth, best and the negative weight told, as computed by hand?"""
    said = viz.describe_fused_ellipses(0.7, 2.0)
    true, best = math.sqrt(4 * 7.8 / 25), math.sqrt(4 * 0.51 / 2.2)
    assert f"claims a standard deviation of {math.sqrt(0.8):.2f} and has {true:.2f}" in said
    assert f"weights are {2.6 / 2.2:.2f} and −{0.4 / 2.2:.2f}, with a standard deviation of {best:.2f}" in said
    assert f"claims {math.sqrt(0.5):.2f} and has {math.sqrt(0.85):.2f}" in said


def test_the_picture_moves() -> None:
    """Are the dots on the curves at ρ, and is one picture that was moved the same as a new one?"""
    picture = viz.FusedPicture()
    picture.move(0.1, 1.2)
    moved = picture.move(0.6, 2.5)
    assert viz.png(moved) == viz.png(viz.fused_ellipses(0.6, 2.5))
    (dots,) = (line for line in moved.axes[1].get_lines() if line.get_marker() == "o")
    assert set(dots.get_xdata()) == {0.6}


def test_panels_side_by_side_are_the_pictures_that_the_slider_shows() -> None:
    """Has each panel the ellipses of its ρ and r, all in one scale, and the numbers of its words?"""
    rhos, ratios = (-0.3, 0.45, 0.8), (1.2, 2.5)
    panels = iter(viz.fused_by_correlation(rhos, ratios).axes)
    for ratio in ratios:
        for rho in rhos:
            ax = next(panels)
            expected = half_widths(viz.fused_ellipses(rho, ratio).axes[0])
            assert half_widths(ax) == {name: pytest.approx(size) for name, size in expected.items()}
            assert ax.get_xlim()[1] > 2.5
            true = expected["naive, true"][0]
            assert f"true {true:.2f}" in ax.get_title(loc="left") + ax.get_title()
            assert f"and has {true:.2f}" in viz.describe_fused_ellipses(rho, ratio)


@pytest.mark.parametrize(("rho", "ratio"), [(1.0, 2.0), (-1.0, 2.0), (math.nan, 2.0), (0.5, 0.9)])
def test_what_cannot_be_drawn_is_named(rho: float, ratio: float) -> None:
    """Is a correlation that makes one head of two, or a ratio below 1, an error with its bounds?"""
    with pytest.raises(ValueError, match=r"rho must lie between|ratio must be at least 1"):
        viz.fused_ellipses(rho, ratio)


def test_the_map_is_white_on_the_threshold() -> None:
    """Are its values 1 along the thick line, more above and less below, and is the dashed one 1/r?"""
    ax = viz.fusion_map().axes[0]
    thick, dashed = (np.stack(line.get_data()) for line in ax.get_lines())
    mesh = ax.collections[0]
    values = np.asarray(mesh.get_array()).reshape(151, 241)
    ratios, rhos = np.linspace(1, 4, 241), np.linspace(-0.5, 1, 151)
    for column in (40, 120, 240):
        crossing = np.interp(1.0, values[:, column], rhos)
        assert np.interp(ratios[column], *thick) == pytest.approx(crossing, abs=1e-4)
        assert np.interp(ratios[column], *dashed) == pytest.approx(1 / ratios[column], abs=1e-4)
