"""The palette: can it be told apart by everybody, on any ground? The colour mathematics here is independent of ours."""

import itertools
import math

import matplotlib
import numpy as np
import pytest

from posecourse import viz

PALETTE = {
    "left": viz.LEFT,
    "right": viz.RIGHT,
    "middle": viz.MIDDLE,
    "fourth": viz.FOURTH,
    "not counted": viz.UNCOUNTED,
}

# Machado, Oliveira, Fernandes (2009), table 1, severity 1.0, on linear RGB
BLINDNESS = {
    "none": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}  # fmt: skip


def linear(color: str) -> np.ndarray:
    """Return linear RGB of a hexadecimal sRGB colour (IEC 61966-2-1)."""
    rgb = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(a: str, b: str) -> float:
    """Return WCAG's contrast ratio."""
    dark, light = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (a, b))
    return (light + 0.05) / (dark + 0.05)


def lab(rgb: np.ndarray) -> tuple[float, float, float]:
    """Return CIELAB (D65) of linear RGB."""
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.119192, 0.9503041]]
    )
    x, y, z = (
        t ** (1 / 3) if t > (6 / 29) ** 3 else t / (3 * (6 / 29) ** 2) + 4 / 29
        for t in to_xyz @ np.clip(rgb, 0, 1) / [0.95047, 1.0, 1.08883]
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def ciede2000(one: tuple[float, float, float], two: tuple[float, float, float]) -> float:
    """Return the CIEDE2000 difference of two CIELAB colours (Sharma, Wu, Dalal 2005)."""
    (L1, a1, b1), (L2, a2, b2) = one, two
    C = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    G = 0.5 * (1 - math.sqrt(C**7 / (C**7 + 25**7)))
    C1, C2 = math.hypot((1 + G) * a1, b1), math.hypot((1 + G) * a2, b2)
    h1, h2 = (math.degrees(math.atan2(b, (1 + G) * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = 0.0 if C1 * C2 == 0 else (h2 - h1 + 180) % 360 - 180
    dL, dC, dH = L2 - L1, C2 - C1, 2 * math.sqrt(C1 * C2) * math.sin(math.radians(turn / 2))
    L, C = (L1 + L2) / 2, (C1 + C2) / 2
    h = h1 + h2 if C1 * C2 == 0 else (h1 + turn / 2) % 360
    T = (
        1 - 0.17 * math.cos(math.radians(h - 30)) + 0.24 * math.cos(math.radians(2 * h))
        + 0.32 * math.cos(math.radians(3 * h + 6)) - 0.20 * math.cos(math.radians(4 * h - 63))
    )  # fmt: skip
    SL = 1 + 0.015 * (L - 50) ** 2 / math.sqrt(20 + (L - 50) ** 2)
    SC, SH = 1 + 0.045 * C, 1 + 0.015 * C * T
    RT = -math.sin(math.radians(60 * math.exp(-(((h - 275) / 25) ** 2)))) * 2 * math.sqrt(C**7 / (C**7 + 25**7))
    return math.sqrt((dL / SL) ** 2 + (dC / SC) ** 2 + (dH / SH) ** 2 + RT * (dC / SC) * (dH / SH))


@pytest.mark.parametrize(
    ("one", "two", "difference"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
        ((50.0, 2.5, 0.0), (61.0, -5.0, 29.0), 22.8977),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_ruler_itself(one: tuple[float, float, float], two: tuple[float, float, float], difference: float) -> None:
    """Does our CIEDE2000 give the differences published by Sharma, Wu and Dalal (2005, table 1)?"""
    assert ciede2000(one, two) == pytest.approx(difference, abs=5e-5)


@pytest.mark.parametrize("name", PALETTE)
@pytest.mark.parametrize("ground", ["#FFFFFF", "#111111"])
def test_every_colour_stands_out_from_white_and_from_dark(name: str, ground: str) -> None:
    """Does a line keep WCAG's contrast of 3:1 for graphics on white and on JupyterLab's dark ground?"""
    assert contrast(PALETTE[name]["color"], ground) >= 3


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_left_and_right_are_told_apart_by_everybody(blindness: str) -> None:
    """Are left and right 50 CIEDE2000 units apart, to the nearest unit, for readers of every colour vision?"""
    left, right = (lab(BLINDNESS[blindness] @ linear(series["color"])) for series in (viz.LEFT, viz.RIGHT))
    assert round(ciede2000(left, right)) >= 50


def test_no_meaning_hangs_on_hue_alone() -> None:
    """Do any two series differ in their marker's look and, if both are counted, in their line style too?"""
    for one, two in itertools.combinations(PALETTE.values(), 2):
        looks = [(series["marker"], series.get("markerfacecolor")) for series in (one, two)]
        assert looks[0] != looks[1]
        assert viz.UNCOUNTED in (one, two) or one["linestyle"] != two["linestyle"]


def test_text_can_be_read() -> None:
    """Does ordinary text have WCAG's 7:1?"""
    assert contrast(viz.INK, viz.BACKGROUND) >= 7


def test_the_palette_cannot_be_edited() -> None:
    """Is a colour safe from a slip in a notebook?"""
    with pytest.raises(TypeError):
        viz.LEFT["color"] = "red"  # type: ignore[index]


def test_styled_leaves_nothing_behind() -> None:
    """Are matplotlib's settings after `styled` and after drawing what they were before?"""
    before = dict(matplotlib.rcParams)
    with viz.styled():
        assert dict(matplotlib.rcParams) != before
    viz.png(viz.frames((3.2, 1.7)))
    assert dict(matplotlib.rcParams) == before


def test_use_style_lasts() -> None:
    """Does one call change what pictures drawn later look like?"""
    with matplotlib.rc_context():
        viz.use_style()
        assert matplotlib.rcParams["figure.facecolor"] == viz.BACKGROUND
        assert matplotlib.rcParams["figure.dpi"] == 110
