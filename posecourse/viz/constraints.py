"""A limb drawn to a length that is assumed, and what that is worth.

Lesson: 09.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from torch import Tensor

from posecourse import constraints
from posecourse.shapes import require_positive, require_same_shape
from posecourse.viz.arrays import as_array
from posecourse.viz.figures import changing_title, gallery, row, title
from posecourse.viz.places import number
from posecourse.viz.repaint import Repaint
from posecourse.viz.style import INK, LEFT, MIDDLE, RIGHT, UNCOUNTED, styled

__all__ = ["LimbPicture", "describe_limb", "limb", "limb_by_length"]

Ends: TypeAlias = Float[Tensor, "2 2"]
"""The parent's and the child's place, (x, y)."""

_SHORTEST, _LONGEST = 0.5, 1.5
_NAMES = ["truth", "as seen", "both ends moved", "child alone"]
_CIRCLE = np.stack([np.cos(np.linspace(0, 2 * np.pi, 121)), np.sin(np.linspace(0, 2 * np.pi, 121))])


class _Drawn(NamedTuple):
    """Ends (2 2) as seen, drawn to the length by both and by the child alone, and each pair's squared error."""

    seen: Tensor
    both: Tensor
    child: Tensor
    errors: tuple[float, float, float]


def limb(truth: Ends, noise: Ends, sigma: float, assumed: float) -> Figure:
    """Draw one limb: where it is, where it is seen, and where a length that is assumed puts it.

    On the left one pair of ends. Both ends moved by half each lie on a circle about the middle of the seen ones, whose
    diameter is the assumed length; the child moved alone lies on a circle about the seen parent, whose radius it is. On
    the right the share of the squared error that is left on average, for each length that one may assume. Below 1, on
    the green line, both ends gain: up to √2·σ from the true length.

    Args:
        truth: (x, y) of parent and child, in pixels.
        noise: this pair's, a standard normal draw; σ multiplies it.
        sigma: σ, of the noise on each end, an axis, in pixels; positive.
        assumed: the length, right or wrong, in pixels; positive.

    Returns:
        The figure, for `headline` and `show`; `describe_limb` with the same arguments is its description.

    Raises:
        ValueError: the ends are not (2, 2), or a number is not positive.
    """
    return LimbPicture(truth, noise).move(sigma, assumed)


def limb_by_length(truth: Ends, noise: Ends, sigmas: Sequence[float], lengths: Sequence[float]) -> Figure:
    """Draw the pair of `limb` for several assumed lengths side by side, a row for each noise.

    Over each panel: the length that is assumed, and the share of the squared error that is left on average.

    Args:
        truth: (x, y) of parent and child, in pixels.
        noise: this pair's, a standard normal draw; each σ multiplies it.
        sigmas: σ of the noise on each end, an axis, in pixels; positive.
        lengths: assumed, right or wrong, in pixels; positive.

    Returns:
        The figure, for `headline` and `show`; `describe_limb` of each panel's σ and length says what it shows.

    Raises:
        ValueError: the ends are not (2, 2), or a number is not positive.
    """
    fig, axes = gallery(len(sigmas), len(lengths))
    true = _length(truth)
    for line, sigma in zip(axes, sigmas, strict=True):
        line[0].set_ylabel(f"noise {number(sigma, 1)} px")
        for ax, assumed in zip(line, lengths, strict=True):
            pair = _Pair(ax, truth.double())
            pair.move(_drawn(truth, noise, sigma, assumed), assumed)
            left, alone = (number(share(true, assumed, sigma), 2) for share in (_left, _alone))
            title(ax, f"{number(assumed, 1)} px assumed of {number(true, 1)}\nerror left: both {left}, child {alone}")
    with styled():
        fig.legend(pair.named, _NAMES, loc="outside lower left", ncols=4, handlelength=2.6)
    return fig


def describe_limb(truth: Ends, noise: Ends, sigma: float, assumed: float) -> str:
    """Return in words what `limb` draws."""
    true = _length(truth)
    seen, both, child = (number(error, 1) for error in _drawn(truth, noise, sigma, assumed).errors)
    left, alone = _left(true, assumed, sigma), _alone(true, assumed, sigma)
    return (
        f"A limb of {number(true, 1)} px, seen with noise of {number(sigma, 1)} px an axis and drawn to "
        f"{number(assumed, 1)} px. This pair's squared error is {seen} px² as seen, {both} px² when both ends move, "
        f"and {child} px² when the child moves alone. On average {number(left)} of the error is left when both move, "
        f"{number(alone)} when the child does; both gain to about {number(2**0.5 * sigma, 1)} px from the true length."
    )


class _Pair:
    """A panel of one limb: the truth, the seen ends, both projections and the circles on which these lie."""

    def __init__(self, ax: Axes, truth: Tensor) -> None:
        middle, reach = as_array(truth).mean(0), 0.85 * _length(truth)
        with styled():
            self._circles = [
                ax.plot([], [], color=look["color"], linewidth=0.7, linestyle=(0, (1, 2)))[0] for look in (LEFT, RIGHT)
            ]
            (self._limb,) = ax.plot(
                *as_array(truth).T, color=INK, linewidth=0.8, marker="o", markersize=7, markerfacecolor="none"
            )
            (self._seen,) = ax.plot([], [], **{**UNCOUNTED, "linestyle": (0, (3, 2)), "linewidth": 1.1})
            self._both, self._child = (
                ax.plot([], [], **{**look, "marker": "x", "markersize": 7, "markeredgewidth": 1.8})[0]
                for look in (LEFT, RIGHT)
            )
        ax.set(xlim=middle[0] + np.array([-1.35, 1.35]) * reach, ylim=middle[1] + np.array([0.95, -0.95]) * reach)
        ax.set(aspect="equal", xticks=[], yticks=[])
        ax.spines[:].set_visible(False)

    @property
    def named(self) -> list[Line2D]:
        """The lines that `_NAMES` names."""
        return [self._limb, self._seen, self._both, self._child]

    @property
    def lines(self) -> list[Line2D]:
        """All lines, from the back to the front."""
        return [*self._circles, self._limb, self._seen, self._child, self._both]

    def move(self, drawn: _Drawn, assumed: float) -> None:
        """Show these ends."""
        pairs = (self._seen, drawn.seen), (self._both, drawn.both), (self._child, drawn.child)
        for line, ends in pairs:
            line.set_data(*as_array(ends).T)
        centres = drawn.seen.mean(0), drawn.seen[0]
        for circle, centre, radius in zip(self._circles, centres, (assumed / 2, assumed), strict=True):
            circle.set_data(*(as_array(centre)[:, None] + radius * _CIRCLE))


class LimbPicture:
    """The picture that `limb` returns, made once and then moved, as a slider needs it.

    Args:
        truth: (x, y) of parent and child, in pixels.
        noise: this pair's, a standard normal draw.
    """

    def __init__(self, truth: Ends, noise: Ends) -> None:
        _require_ends(truth, noise)
        self._truth, self._noise = truth.double(), noise.double()
        self._true = _length(truth)
        self.figure, (pair, shares) = row(2, width_ratios=(1.25, 1))
        self._pair = _Pair(pair, self._truth)
        self._shares(shares)
        self._titles = [changing_title(ax) for ax in (pair, shares)]
        with styled():
            self.figure.legend(
                [*self._pair.named, self._helps], [*_NAMES, "both gain"],
                loc="outside lower left", ncols=5, handlelength=2.6, columnspacing=1.4,
            )  # fmt: skip
        self._repaint: Repaint | None = None

    def _shares(self, ax: Axes) -> None:
        """Prepare the share that is left, for every length that one may assume."""
        self._lengths = np.linspace(_SHORTEST, _LONGEST, 81) * self._true
        with styled():
            ax.axhline(1, color=UNCOUNTED["color"], linewidth=0.8)
            ax.axvline(self._true, color=INK, linewidth=0.8)
            (self._helps,) = ax.plot([], [], color=MIDDLE["color"], linewidth=3.2, solid_capstyle="butt")
            self._curves = [ax.plot([], [], **{**look, "marker": ""})[0] for look in (LEFT, RIGHT)]
            self._dots = [ax.plot([], [], **{**look, "linestyle": "none"}, markersize=6)[0] for look in (LEFT, RIGHT)]
        ax.set(xlim=self._lengths[[0, -1]], ylim=(0, 3), xlabel="assumed length (px); line: the true one")
        ax.set_ylabel("share of the error left")

    def move(self, sigma: float, assumed: float) -> Figure:
        """Show that noise and that length, and return the figure, which is the same every time."""
        drawn = _drawn(self._truth, self._noise, sigma, assumed)
        self._pair.move(drawn, assumed)
        self._helps.set_data(self._true + np.array([-1, 1]) * 2**0.5 * sigma, [1, 1])
        for curve, dot, left in zip(self._curves, self._dots, (_left, _alone), strict=True):
            curve.set_data(self._lengths, [left(self._true, length, sigma) for length in self._lengths])
            dot.set_data([assumed], [left(self._true, assumed, sigma)])
        seen, both, child = (number(error, 1) for error in drawn.errors)
        self._titles[0].set_text(f"this pair: {seen} px²; both {both}, child {child} px²")
        shares = (number(left(self._true, assumed, sigma), 2) for left in (_left, _alone))
        self._titles[1].set_text("on average: both {}, child {}".format(*shares))
        return self.figure

    def png(self, sigma: float, assumed: float) -> bytes:
        """Return the picture for that noise and that length as a PNG, several times as fast as drawing all of it."""
        self.move(sigma, assumed)
        if self._repaint is None:
            moving: list[Artist] = [*self._pair.lines, self._helps, *self._curves, *self._dots, *self._titles]
            self._repaint = Repaint(self.figure, moving)
        return self._repaint.png()


def _drawn(truth: Tensor, noise: Tensor, sigma: float, assumed: float) -> _Drawn:
    """Return one pair of ends, drawn to the assumed length in two ways."""
    _require_ends(truth, noise)
    require_positive(sigma, "sigma")
    require_positive(assumed, "assumed")
    truth = truth.double()
    seen = truth + sigma * noise.double()
    exact = torch.tensor([0.0, 1.0]).double()
    both = torch.stack(constraints.project_limb(seen[0], seen[1], assumed))
    child = torch.stack(constraints.project_limb(seen[0], seen[1], assumed, variances=exact))
    errors = [float((ends - truth).square().sum()) for ends in (seen, both, child)]
    return _Drawn(seen, both, child, (errors[0], errors[1], errors[2]))


def _left(true: float, assumed: float, sigma: float) -> float:
    return constraints.exact_left_of_mse(true, assumed, sigma)


def _alone(true: float, assumed: float, sigma: float) -> float:
    """Return what is left when the child moves alone, to leading order."""
    return constraints.left_of_mse(2, share=0.0, variances=(sigma**2, sigma**2), wrong_by=assumed - true)


def _length(ends: Tensor) -> float:
    return float((ends[1] - ends[0]).double().norm())


def _require_ends(truth: Tensor, noise: Tensor) -> None:
    require_same_shape(truth, noise, "truth and noise")
    if tuple(truth.shape) != (2, 2):
        raise ValueError(f"truth must be (2, 2), the parent's and the child's (x, y); got {tuple(truth.shape)}.")
