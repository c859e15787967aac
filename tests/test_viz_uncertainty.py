"""Pictures of uncertainty: are the ellipses, the curve and the words those of the answers that are shown?"""

import math
import re
from typing import Any

import numpy as np
import pytest
import torch

from posecourse import viz

RATES = (0.1, 0.3, 0.5)


def given() -> dict[str, Any]:
    """Return a picture, and answers that scatter more at larger rates and along x."""
    noise = torch.randn(3, 30, 4, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    places = torch.tensor([[10.0, 12.0], [40.0, 9.0], [22.0, 30.0], [50.0, 38.0]], dtype=torch.float64)
    spread = torch.tensor([2.0, 1.0]) * torch.tensor([0.5, 1.0, 1.5])[:, None, None, None]
    picture = torch.rand(3, 48, 64, generator=torch.Generator().manual_seed(1))
    return {"picture": picture, "rates": RATES, "draws": places + spread * noise, "truth": places + 1}


@pytest.mark.parametrize(("samples", "rate"), [(3, 0), (30, 2)])
def test_the_ellipses_are_those_of_the_answers(samples: int, rate: int) -> None:
    """Do they reach 2.146 standard deviations along x and y about the mean, of these answers and no others?"""
    left = viz.scattered(**given(), samples=samples, rate=rate).axes[0]
    chosen = given()["draws"][rate, :samples].numpy()
    assert len(left.collections) == 4
    for k, lines in enumerate(left.collections):
        (ellipse,) = lines.get_segments()
        np.testing.assert_allclose((ellipse.max(0) + ellipse.min(0)) / 2, chosen[:, k].mean(0), atol=2e-2)
        half = (ellipse.max(0) - ellipse.min(0)) / 2
        np.testing.assert_allclose(half, math.sqrt(-2 * math.log(0.1)) * chosen[:, k].std(0, ddof=1), rtol=2e-3)


def test_the_curve_and_the_words_say_the_same() -> None:
    """Is the dot at the root mean square of all standard deviations, as in the words, with how well it is known?"""
    fig, said = viz.scattered(**given(), samples=9, rate=1), viz.describe_scattered(**given(), samples=9, rate=1)
    chosen = given()["draws"][1, :9].numpy()
    size = math.sqrt(chosen.var(0, ddof=1).mean())
    (dot,) = (line for line in fig.axes[1].get_lines() if line.get_marker() == "o")
    assert np.stack(dot.get_data())[:, 0].tolist() == pytest.approx([9, size])
    assert (
        f"9 answers to one picture with a dropout rate of 0.30: their standard deviation along an axis is {size:.2f} "
        in said
    )
    away = np.linalg.norm(chosen.mean(0) - given()["truth"].numpy(), axis=-1).mean()
    assert f"{away:.2f} pixels from the truth" in said
    assert "known to 50 % of itself" in said  # √(2/8)


def test_the_picture_moves() -> None:
    """Is one picture that was moved the same as a new one?"""
    drawing = viz.ScatterPicture(**given())
    for artist in drawing.move(5, 0):
        artist.remove()
    drawing.move(20, 2)
    assert viz.png(drawing.figure) == viz.png(viz.scattered(**given(), samples=20, rate=2))


def test_panels_side_by_side_are_the_pictures_that_the_sliders_show() -> None:
    """Has each panel the ellipses of its rate and its answers, all in one scale, and the number of its words?"""
    panels = iter(viz.scattered_by_rate(**given(), samples=(5, 30)).axes)
    for samples in (5, 30):
        for rate in range(3):
            ax = next(panels)
            expected = viz.scattered(**given(), samples=samples, rate=rate).axes[0]
            for ours, theirs in zip(ax.collections, expected.collections, strict=True):
                np.testing.assert_allclose(ours.get_segments()[0], theirs.get_segments()[0])
            assert np.ptp(ax.get_xlim()) == pytest.approx(
                48
            )  # 40 px from the first keypoint to the last, and 4 on either side
            said = viz.describe_scattered(**given(), samples=samples, rate=rate)
            (size,) = re.findall(r"along an axis is (\S+) pixels", said)
            assert f"p = {RATES[rate]:.2f}: σ {size} px" in ax.get_title(loc="left") + ax.get_title()


@pytest.mark.usefixtures("as_a_user")
def test_what_cannot_be_drawn_is_named() -> None:
    """Are too few samples, other rates and several pictures errors with their fix?"""
    for change in ({"rates": (0.1,)}, {"draws": torch.zeros(3, 2, 4, 2)}, {"draws": torch.zeros(3, 9, 2, 4, 2)}):
        with pytest.raises(ValueError, match=r"draws\[:, :, 0\]"):
            viz.ScatterPicture(**{**given(), **change})
    with pytest.raises(ValueError, match="samples must be 3 to 30; got 2"):
        viz.scattered(**given(), samples=2, rate=0)
    with pytest.raises(ValueError, match="samples must be 3 to 30; got 31"):
        viz.scattered_by_rate(**given(), samples=(3, 31))
