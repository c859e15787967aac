"""Errors of two heads and of their averages as ellipses, and where in ratio and correlation an average does harm.

Lesson: 06.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from torch import Tensor

from posecourse import fusion
from posecourse.viz.figures import changing_title, gallery, row, single, title
from posecourse.viz.places import number
from posecourse.viz.repaint import Repaint
from posecourse.viz.style import BACKGROUND, FOURTH, INK, LEFT, MIDDLE, RIGHT, SIGNED, UNCOUNTED, styled

__all__ = ["FusedPicture", "describe_fused_ellipses", "fused_by_correlation", "fused_ellipses", "fusion_map"]

_LOOKS = {
    "head 1": {**LEFT, "marker": ""},
    "head 2": {**RIGHT, "marker": ""},
    "naive, claimed": {"color": FOURTH["color"], "linestyle": (0, (2, 1.4)), "linewidth": 1.2},
    "naive, true": {"color": FOURTH["color"], "linestyle": "-", "linewidth": 2.6},
    "best": {**MIDDLE, "marker": ""},
}
_RHOS = torch.linspace(-0.99, 0.99, 199, dtype=torch.float64)
_LARGEST = 4.0


class _Errors(NamedTuple):
    """Standard deviations (*B) of two averages along one axis, and the best weights (*B 2)."""

    claimed: Tensor
    true: Tensor
    best: Tensor
    weights: Tensor


def fused_ellipses(rho: float, ratio: float) -> Figure:
    """Draw what becomes of two heads' errors when they are averaged as if they were independent, and at best.

    Along x the heads have the standard deviations 1 and `ratio`, along y both have 1; `rho` is the correlation of
    their errors along each axis. On the left ellipses of one standard deviation around the truth, which hold 39 % of
    all errors. On the right the standard deviation along x for every correlation, grey where the naive average is
    worse than head 1 alone.

    Args:
        rho: ρ, between −1 and 1, both excluded.
        ratio: r = σ₂/σ₁ along x, at least 1; the picture has room up to 3.

    Returns:
        The figure, for `headline` and `show`; `describe_fused_ellipses` with the same arguments is its description.

    Raises:
        ValueError: ρ or r is out of its bounds.
    """
    return FusedPicture().move(rho, ratio)


def fused_by_correlation(rhos: Sequence[float], ratios: Sequence[float]) -> Figure:
    """Draw the ellipses of `fused_ellipses` for several correlations side by side, a row for each ratio.

    Args:
        rhos: correlations ρ, between −1 and 1, both excluded.
        ratios: r = σ₂/σ₁ along x, at least 1.

    Returns:
        The figure, for `headline` and `show`; `describe_fused_ellipses` of each panel's ρ and r says what it shows.

    Raises:
        ValueError: a ρ or an r is out of its bounds.
    """
    fig, axes = gallery(len(ratios), len(rhos), sharex=True, sharey=True)
    reach = 1.08 * max(ratios)
    for line, ratio in zip(axes, ratios, strict=True):
        line[0].set_ylabel(f"r = {number(ratio, 1)}\nalong y")
        for ax, rho in zip(line, rhos, strict=True):
            x, y = _at(rho, ratio), _at(rho, 1.0)
            sizes = [(1.0, 1.0), (ratio, 1.0)] + [(float(a), float(b)) for a, b in zip(x[:3], y[:3], strict=True)]
            with styled():
                for (name, look), size in zip(_LOOKS.items(), sizes, strict=True):
                    ax.plot(*_ellipse(*size), **look, label=name)
                ax.plot(0, 0, "o", markersize=5, markerfacecolor=BACKGROUND, markeredgecolor=INK, label="truth")
            claimed, true, best = (number(along_x, 2) for along_x, _ in sizes[2:])
            title(ax, f"ρ = {number(rho, 2)}: claimed {claimed},\ntrue {true}, best {best} along x")
            ax.set(aspect="equal", xticks=range(-3, 4), yticks=[-1, 0, 1], xlim=(-reach, reach), ylim=(-1.15, 1.15))
    for ax in axes[-1]:
        ax.set_xlabel("along x (σ of head 1)")
    with styled():
        fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower left", ncols=6, columnspacing=1.2)
    return fig


def describe_fused_ellipses(rho: float, ratio: float) -> str:
    """Return in words what `fused_ellipses` draws."""
    x, y = _at(rho, ratio), _at(rho, 1.0)
    first, second = x.weights.tolist()
    limit = fusion.harmful_correlation(ratio)
    harm = "which is worse than head 1 alone" if rho > limit else "which is no worse than head 1 alone"
    return (
        f"Two heads err along x by 1 and {number(ratio, 2)}, with a correlation of {number(rho, 2)}. Their "
        f"inverse-variance average claims a standard deviation of {number(float(x.claimed), 2)} and has "
        f"{number(float(x.true), 2)}, {harm}; the threshold is a correlation of {number(limit, 2)}. The best weights "
        f"are {number(first, 2)} and {number(second, 2)}, with a standard deviation of {number(float(x.best), 2)}. "
        f"Along y, where both err by 1, the average claims {number(float(y.claimed), 2)} and has "
        f"{number(float(y.true), 2)}."
    )


class FusedPicture:
    """The picture that `fused_ellipses` returns, made once and then moved, as a slider needs it."""

    def __init__(self) -> None:
        self.figure, (left, right) = row(2, width_ratios=(1.15, 1))
        with styled():
            self._ellipses = {name: left.plot([], [], **look, label=name)[0] for name, look in _LOOKS.items()}
            left.plot(0, 0, "o", markersize=7, markerfacecolor=BACKGROUND, markeredgecolor=INK, label="truth")
            left.legend(loc="lower center", ncols=2, columnspacing=1.4, handlelength=2.8, borderaxespad=0.0)
        left.set(xlim=(-3.2, 3.2), ylim=(-3.1, 1.5), xlabel="error along x (σ of head 1)", ylabel="along y")
        left.set(aspect="equal", yticks=[-1, 0, 1], xticks=range(-3, 4))
        self._curves, self._dots = self._prepare(right)
        self._titles = [changing_title(ax) for ax in (left, right)]
        self._repaint: Repaint | None = None

    def _prepare(self, ax: Axes) -> tuple[dict[str, Line2D], Line2D]:
        """Set up the standard deviation along x against the correlation."""
        ax.set(xlim=(-1, 1), ylim=(0, 1.4), xlabel="correlation ρ of the heads' errors", ylabel="σ along x")
        ax.set_xticks([-1, -0.5, 0, 0.5, 1])
        with styled():
            self._harm = Rectangle((1, 0), 0, 1.4, color=UNCOUNTED["color"], alpha=0.18, linewidth=0)
            ax.add_patch(self._harm)
            self._limit = ax.axvline(1.0, color=INK, linewidth=1.0)
            self._threshold = ax.text(1.0, 1.3, "", ha="right", fontsize=8)
            ax.axhline(1.0, **_LOOKS["head 1"])
            curves = {name: ax.plot([], [], **look)[0] for name, look in _LOOKS.items() if not name.startswith("head")}
            (dots,) = ax.plot([], [], "o", color=INK, markersize=4.5)
        return curves, dots

    def move(self, rho: float, ratio: float) -> Figure:
        """Show that correlation and ratio, and return the figure, which is the same every time."""
        x, y, curves = _at(rho, ratio), _at(rho, 1.0), _errors(_RHOS, ratio)
        self._ellipse("head 1", 1.0, 1.0)
        self._ellipse("head 2", ratio, 1.0)
        for name, along_x, along_y, curve in zip(list(_LOOKS)[2:], x, y, curves, strict=False):
            self._ellipse(name, float(along_x), float(along_y))
            self._curves[name].set_data(_RHOS.tolist(), curve.tolist())
        self._dots.set_data([rho] * 3, [float(value) for value in x[:3]])
        limit = fusion.harmful_correlation(ratio)
        self._limit.set_xdata([limit, limit])
        self._threshold.set(x=limit - 0.03, text=f"worse from ρ = {number(limit, 2)}")
        self._harm.set_bounds(limit, 0, 1 - limit, 1.4)
        self._titles[0].set_text(f"ρ = {number(rho, 2)}, r = {number(ratio, 2)}: ellipses of 1 σ")
        claimed, true, best = (number(float(value), 2) for value in x[:3])
        self._titles[1].set_text(f"claimed {claimed}, true {true}, best {best}")
        return self.figure

    def png(self, rho: float, ratio: float) -> bytes:
        """Return the picture there as a PNG, several times as fast as drawing all of it."""
        self.move(rho, ratio)
        if self._repaint is None:
            moving: list[Artist] = [self._harm, self._limit, self._threshold, *self._curves.values(), self._dots]
            self._repaint = Repaint(self.figure, [*moving, *self._ellipses.values(), *self._titles])
        return self._repaint.png()

    def _ellipse(self, name: str, along_x: float, along_y: float) -> None:
        self._ellipses[name].set_data(*_ellipse(along_x, along_y))


def fusion_map() -> Figure:
    """Draw where the inverse-variance average of two is better or worse than the better of them, over r and ρ.

    Blue is a gain, red is harm. The line between is ρ = (1 + r²)/(2·r³); above the dashed one, ρ = 1/r, the best weight
    of the worse one is negative.

    Returns:
        The figure, for `headline` and `show`.
    """
    fig, ax = single()
    ratios = torch.linspace(1, _LARGEST, 241, dtype=torch.float64)
    rhos = torch.linspace(-0.5, 1, 151, dtype=torch.float64)
    values = _naive(rhos[:, None], ratios)
    with styled():
        shown = ax.pcolormesh(
            ratios.numpy(), rhos.numpy(), values.numpy(), cmap=SIGNED, vmin=0.5, vmax=1.5, shading="gouraud",
            rasterized=True,
        )  # fmt: skip
        fig.colorbar(shown, ax=ax, label="σ of the average / σ of the better")
        ax.plot(ratios, fusion.harmful_correlation(ratios), color=INK, linewidth=1.8)
        ax.plot(ratios, fusion.negative_weight_correlation(ratios), color=INK, linewidth=1.2, linestyle=(0, (4, 2)))
        ax.text(0.97, 0.88, "worse than the better one", transform=ax.transAxes, ha="right")
        ax.text(0.97, 0.63, "best weight negative above", transform=ax.transAxes, ha="right", fontsize=8)
        ax.text(0.97, 0.22, "a gain", transform=ax.transAxes, ha="right")
    ax.set(xlim=(1, _LARGEST), ylim=(-0.5, 1), xlabel="ratio r = σ₂ / σ₁", ylabel="correlation ρ")
    ax.set_yticks([-0.5, 0, 0.5, 1])
    return fig


def _ellipse(along_x: float, along_y: float) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y of an upright ellipse about 0."""
    angles = np.linspace(0, 2 * np.pi, 121)
    return along_x * np.cos(angles), along_y * np.sin(angles)


def _at(rho: float, ratio: float) -> _Errors:
    """Return the errors at one correlation."""
    if not -1 < rho < 1:
        raise ValueError(f"rho must lie between −1 and 1, both excluded; got {rho}. At ±1 one head repeats the other.")
    return _errors(torch.tensor(rho, dtype=torch.float64), ratio)


def _errors(rho: Tensor, ratio: float) -> _Errors:
    """Return what averages of two errors of σ 1 and `ratio` claim, have, and could have."""
    covariance = _covariance(rho, torch.tensor(ratio, dtype=torch.float64))
    variances = torch.tensor([1, ratio**2], dtype=torch.float64).expand(*rho.shape, 2)
    views = variances.movedim(-1, 0)[..., None].expand(2, *rho.shape, 2)
    claimed = fusion.inverse_variance(torch.zeros_like(views), views).variance[..., 0]
    best = fusion.correlated(torch.zeros_like(views), covariance[..., None, :, :]).variance[..., 0]
    true = fusion.naive_variance(variances, covariance)
    return _Errors(claimed.sqrt(), true.sqrt(), best.sqrt(), fusion.best_weights(covariance))


def _naive(rho: Tensor, ratio: Tensor) -> Tensor:
    """Return the true standard deviation of the naive average, for σ of 1 and `ratio`."""
    covariance = _covariance(rho, ratio)
    return fusion.naive_variance(covariance.diagonal(dim1=-2, dim2=-1), covariance).clamp(min=0).sqrt()


def _covariance(rho: Tensor, ratio: Tensor) -> Tensor:
    """Return [[1, ρr], [ρr, r²]]."""
    rho, ratio = torch.broadcast_tensors(rho, ratio)
    entries = torch.stack([torch.ones_like(ratio), rho * ratio, rho * ratio, ratio**2], dim=-1)
    return entries.unflatten(-1, (2, 2))
