"""How every picture of the course looks: fonts, the palette by meaning, one colour map per meaning."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import Any

import matplotlib
from matplotlib.rcsetup import cycler

__all__ = [
    "BACKGROUND",
    "FOURTH",
    "HEAT",
    "INK",
    "LEFT",
    "MIDDLE",
    "RIGHT",
    "SIGNED",
    "TAGS",
    "UNCERTAINTY",
    "UNCOUNTED",
    "styled",
    "use_style",
]

BACKGROUND = "#FFFFFF"
"""The ground of every figure: white and opaque, so that dark mode cannot swallow an axis."""

INK = "#222222"
"""Text, ticks and strokes."""


def _series(color: str, linestyle: Any, marker: str, **more: object) -> Mapping[str, Any]:
    return MappingProxyType({"color": color, "linestyle": linestyle, "marker": marker, **more})


LEFT = _series("#0072B2", "-", "o")
"""The person's left, and the first series of a plot: `ax.plot(x, y, **viz.LEFT)`. Blue, solid, circles."""

RIGHT = _series("#D55E00", (0, (4, 1.6)), "s")
"""The person's right, and the second series. Orange, dashed, squares."""

MIDDLE = _series("#009E73", (0, (6, 1.5, 1.2, 1.5)), "D")
"""The body's midline, and the third series. Green, dash-dotted, diamonds."""

FOURTH = _series("#CC79A7", (0, (1.2, 1.4)), "^")
"""The fourth series. Pink, dotted, triangles."""

UNCOUNTED = _series("#767676", "-", "o", markerfacecolor=BACKGROUND)
"""What is shown and not counted. Grey, hollow circles."""

HEAT = "magma"
"""Heatmaps and probabilities."""

SIGNED = "RdBu_r"
"""Values with a sign: limits are symmetric, white is zero."""

UNCERTAINTY = "cividis"
"""Standard deviations, variances, entropies."""

TAGS = "plasma"
"""Tags, which mean nothing but who is who: unlike people differ in lightness, not in hue alone."""

_STYLE: Any = {
    "figure.dpi": 110, "savefig.dpi": 110, "figure.facecolor": BACKGROUND, "savefig.facecolor": BACKGROUND,
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans", "font.size": 9, "text.color": INK, "mathtext.fontset": "dejavusans",
    "figure.titlesize": 11, "figure.titleweight": "bold",
    "axes.titlesize": 9, "axes.titlelocation": "left", "axes.titlepad": 5, "axes.labelsize": 9,
    "axes.facecolor": BACKGROUND, "axes.edgecolor": INK, "axes.labelcolor": INK, "axes.linewidth": 0.8,
    "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=[s["color"] for s in (LEFT, RIGHT, MIDDLE, FOURTH)])
    + cycler(linestyle=[s["linestyle"] for s in (LEFT, RIGHT, MIDDLE, FOURTH)]),
    "xtick.color": INK, "ytick.color": INK, "xtick.labelsize": 8, "ytick.labelsize": 8,
    "grid.color": "#DDDDDD", "grid.linewidth": 0.6,
    "lines.linewidth": 1.6, "lines.markersize": 4.5, "legend.frameon": False, "legend.fontsize": 8,
    "image.interpolation": "nearest", "image.cmap": HEAT,
}  # fmt: skip


def use_style() -> None:
    """Make every picture drawn from here on look like the course's: called once, in a notebook's first cell.

    Fonts, sizes and colours are matplotlib's own settings and so last until the kernel ends; `styled` is the same for
    one block.
    """
    matplotlib.rcParams.update(_STYLE)


def styled() -> AbstractContextManager[None]:
    """Return a context inside of which pictures look like the course's; afterwards the settings are what they were."""
    return matplotlib.rc_context(_STYLE)
