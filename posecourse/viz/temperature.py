"""One map under a softmax of some temperature: the distribution, a section through it, where its mean goes.

Lesson: 03.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from posecourse import decode, heatmaps
from posecourse.viz.figures import changing_title, row
from posecourse.viz.overlays import draw_prediction, draw_truth
from posecourse.viz.pictures import Map, heatmap
from posecourse.viz.places import number
from posecourse.viz.repaint import Repaint
from posecourse.viz.style import INK, LEFT, MIDDLE, RIGHT, styled

__all__ = ["TemperaturePicture", "describe_temperature", "temperature"]

_COLDEST, _HOTTEST = 0.005, 5.0
_LEAST, _LEAST_ERROR = 1e-7, 1e-3


class _Softened(NamedTuple):
    """A map's softmax (H W), its mean place (2), e to its entropy in cells, its distance from the truth in cells."""

    p: Tensor
    mean: Tensor
    support: float
    error: float


def temperature(values: Map, truth: Sequence[float], T: float) -> Figure:
    """Draw what softmax at one temperature makes of a heatmap.

    On the left the distribution, over its largest value; in the middle the row of cells through its largest one, on a
    logarithmic scale, and the Gaussian of covariance T·(−H)⁻¹; on the right the distance from the mean place to the
    truth for every temperature, this one marked.

    Args:
        values: (H W), the heatmap.
        truth: (x, y) in cells.
        T: the temperature; it divides.

    Returns:
        The figure, for `headline` and `show`; `describe_temperature` with the same arguments is its description.
    """
    return TemperaturePicture(values, truth).move(T)


def describe_temperature(values: Map, truth: Sequence[float], T: float) -> str:
    """Return in words what `temperature` draws."""
    soft = _softened(torch.as_tensor(values), truth, T)
    x, y = soft.mean.tolist()
    return (
        f"Softmax at T = {number(T, 3)}: the largest cell holds {number(100 * float(soft.p.max()), 1)} % of the mass, "
        f"which is spread as over {_count(soft.support)} of {soft.p.numel()} cells. Its mean is at "
        f"({number(x)}, {number(y)}) in cells, {number(soft.error)} cells from the truth."
    )


class TemperaturePicture:
    """The picture that `temperature` returns, made once and then moved, as a slider needs it.

    Args:
        values: (H W), the heatmap.
        truth: (x, y) in cells.
    """

    def __init__(self, values: Map, truth: Sequence[float]) -> None:
        self._values, self._truth = torch.as_tensor(values), truth
        self.figure, axes = row(3, width_ratios=(1, 1.15, 1.15))
        H, W = self._values.shape
        self._map = heatmap(axes[0], torch.zeros(H, W), label="p / largest p", bar=False)
        axes[0].set(xticks=[], yticks=[])
        self._lines = list(axes[0].collections)  # between the cells, and so above the map
        place = torch.tensor([list(truth)])
        self._ring, self._mean = draw_truth(axes[0], place, size=7), draw_prediction(axes[0], place, size=5)
        self._section(axes[1], W)
        self._errors(axes[2])
        self._titles = [changing_title(ax) for ax in axes]
        self._repaint: Repaint | None = None

    def _section(self, ax: Axes, W: int) -> None:
        """Prepare the row through the largest cell."""
        with styled():
            (self._p,) = ax.plot([], [], **{**LEFT, "markersize": 2.0}, label="softmax")
            (self._gauss,) = ax.plot([], [], **{**RIGHT, "marker": ""}, label="Gaussian")
            (self._centroid,) = ax.plot([], [], **{**MIDDLE, "marker": ""}, label="mean")
            ax.axvline(self._truth[0], color=INK, linewidth=0.8, label="truth")
            ax.legend(loc="upper right", handlelength=2.2, borderaxespad=0.0)
        ax.set(yscale="log", ylim=(_LEAST, 2), xlim=(-0.5, W - 0.5), xlabel="x (cells)")
        ax.set_yticks([10.0**power for power in (-6, -4, -2, 0)])
        ax.minorticks_off()

    def _errors(self, ax: Axes) -> None:
        """Draw the distance between mean and truth at every temperature."""
        temperatures = torch.logspace(math.log10(_COLDEST), math.log10(_HOTTEST), 121).tolist()
        errors = [_softened(self._values, self._truth, T).error for T in temperatures]
        with styled():
            ax.plot(temperatures, errors, color=LEFT["color"])
            (self._dot,) = ax.plot([], [], **{**RIGHT, "linestyle": "none", "marker": "o", "markersize": 7})
        ax.set(xscale="log", yscale="log", xlabel="temperature T", ylim=(_LEAST_ERROR, 2 * max(errors)))

    def move(self, T: float) -> Figure:
        """Show that temperature, and return the figure, which is the same every time."""
        soft = _softened(self._values, self._truth, T)
        through = int(soft.p.argmax()) // soft.p.shape[1]
        self._map.set_data((soft.p / soft.p.max()).numpy())
        self._mean.set_data(*soft.mean[:, None].tolist())
        self._centroid.set_data([soft.mean[0].item()] * 2, [_LEAST, 2])
        self._p.set_data(range(soft.p.shape[1]), soft.p[through].clamp(min=_LEAST / 10).tolist())
        self._gauss.set_data(*_gaussian(self._values, T))
        self._dot.set_data([T], [max(soft.error, _LEAST_ERROR)])
        self._titles[0].set_text(f"spread as over {_count(soft.support)} cells")
        self._titles[1].set_text(f"p in row {through}")
        self._titles[2].set_text(f"error: {number(soft.error)} cells")
        return self.figure

    def png(self, T: float) -> bytes:
        """Return the picture at that temperature as a PNG, several times as fast as drawing all of it."""
        self.move(T)
        if self._repaint is None:
            moving: list[Artist] = [self._map, *self._lines, self._ring, self._mean, self._gauss, self._centroid]
            self._repaint = Repaint(self.figure, [*moving, self._p, self._dot, *self._titles])
        return self._repaint.png()


def _softened(values: Tensor, truth: Sequence[float], T: float) -> _Softened:
    """Return what softmax makes of a map."""
    p = heatmaps.spatial_softmax(values[None].double(), T)
    mean = decode.soft_argmax(p).points[0]
    support = float(torch.special.entr(p).sum().exp())
    return _Softened(p[0], mean, support, float((mean - mean.new_tensor(list(truth))).norm()))


def _count(cells: float) -> str:
    return number(cells, 1 if cells < 100 else 0)


def _gaussian(values: Tensor, T: float) -> tuple[list[float], list[float]]:
    """Return the row through the largest cell of the Gaussian with covariance T·(−H)⁻¹; nothing where there is none."""
    maps = values[None].double()
    (xx, xy), (_, yy) = decode.laplace_covariance(maps, T)[0].tolist()
    if math.isnan(xx):
        return [], []
    summit = decode.argmax_2d(maps).points[0, 0].item()
    x = torch.linspace(-0.5, values.shape[1] - 0.5, 301)
    determinant = xx * yy - xy**2
    density = torch.exp(-((x - summit) ** 2) * yy / (2 * determinant)) / (2 * math.pi * math.sqrt(determinant))
    seen = density > _LEAST
    return x[seen].tolist(), density[seen].tolist()
