"""Answers that scatter over a picture: an ellipse a keypoint, and its size against samples and dropout rate.

Lesson: 08.
"""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from posecourse import uncertainty
from posecourse.viz.arrays import as_array
from posecourse.viz.figures import changing_title, gallery, row, title
from posecourse.viz.overlays import draw_ellipse, draw_truth
from posecourse.viz.pictures import image
from posecourse.viz.places import number
from posecourse.viz.repaint import Repaint
from posecourse.viz.style import LEFT, RIGHT, UNCOUNTED, styled

__all__ = ["ScatterPicture", "describe_scattered", "scattered", "scattered_by_rate"]

_RADIUS = 2.1460  # holds 90 % of a Gaussian
_FEWEST = 3


def scattered(
    picture: Float[Tensor, "3 H W"],
    rates: Sequence[float],
    draws: Float[Tensor, "R S K 2"],
    truth: Float[Tensor, "K 2"],
    *,
    samples: int,
    rate: int,
) -> Figure:
    """Draw the first so many answers of a network to one picture, at one dropout rate, and what their spread is.

    On the left the answers as dots, the true places as rings, and for each keypoint the ellipse of 90 % of a Gaussian
    with their covariance. On the right the standard deviation of an axis, the root mean square over keypoints and axes,
    against the number of answers that it comes from, for every rate.

    Args:
        picture: what the network was asked about.
        rates: R dropout rates.
        draws: from `uncertainty.mc_dropout_at_rates`, of one picture: `draws[:, :, 0]`.
        truth: the true places.
        samples: how many answers are drawn, 3 to S.
        rate: which of the rates.

    Returns:
        The figure, for `headline` and `show`; `describe_scattered` with the same arguments is its description.

    Raises:
        ValueError: draws and rates disagree, or there are fewer than three samples.
    """
    drawing = ScatterPicture(picture, rates, draws, truth)
    drawing.move(samples, rate)
    return drawing.figure


def scattered_by_rate(
    picture: Float[Tensor, "3 H W"],
    rates: Sequence[float],
    draws: Float[Tensor, "R S K 2"],
    truth: Float[Tensor, "K 2"],
    *,
    samples: Sequence[int],
) -> Figure:
    """Draw the ellipses of `scattered` for all rates side by side, a row for each number of answers, cut to the person.

    Over each panel: the standard deviation of an axis that these answers have.

    Args:
        picture: what the network was asked about.
        rates: R dropout rates.
        draws: from `uncertainty.mc_dropout_at_rates`, of one picture: `draws[:, :, 0]`.
        truth: the true places.
        samples: how many answers are drawn in each row, 3 to S.

    Returns:
        The figure, for `headline` and `show`; `describe_scattered` of each panel's samples and rate says what it shows.

    Raises:
        ValueError: draws and rates disagree, or a number of samples is out of its bounds.
    """
    _require_draws(rates, draws, samples)
    fig, axes = gallery(len(samples), len(rates))
    middle, reach = (truth.amax(0) + truth.amin(0)) / 2, float((truth.amax(0) - truth.amin(0)).max()) / 2 + 4
    (x, y), sizes = middle.tolist(), _sizes(draws.double())
    for line, count in zip(axes, samples, strict=True):
        line[0].set_ylabel(f"{count} answers")
        for ax, rate, answers, known in zip(line, rates, draws.double(), sizes, strict=True):
            image(ax, picture)
            draw_truth(ax, truth, size=5.0)
            with styled():
                ax.plot(*as_array(answers[:count].flatten(0, 1)).T, ".", color=RIGHT["color"], markersize=2, zorder=3.8)
            _draw_ellipses(ax, answers[:count])
            title(ax, f"p = {number(rate, 2)}: σ {number(float(known[count - _FEWEST]), 2)} px")
            ax.set(xlim=(x - reach, x + reach), ylim=(y + reach, y - reach))
    return fig


def describe_scattered(
    picture: Float[Tensor, "3 H W"],
    rates: Sequence[float],
    draws: Float[Tensor, "R S K 2"],
    truth: Float[Tensor, "K 2"],
    *,
    samples: int,
    rate: int,
) -> str:
    """Return in words what `scattered` draws."""
    chosen = draws[rate, :samples].double()
    covariances = uncertainty.sample_covariance(chosen)
    sizes = covariances.diagonal(dim1=-2, dim2=-1).mean(-1).sqrt()
    error = (chosen.mean(0) - truth).norm(dim=-1).mean()
    return (
        f"{samples} answers to one picture with a dropout rate of {number(rates[rate], 2)}: their standard deviation "
        f"along an axis is {number(float(sizes.square().mean().sqrt()), 2)} pixels, from "
        f"{number(float(sizes.min()), 2)} to {number(float(sizes.max()), 2)} for one of {len(sizes)} keypoints; their "
        f"means are {number(float(error), 2)} pixels from the truth. A variance from so few is known to "
        f"{number(100 * (2 / (samples - 1)) ** 0.5, 0)} % of itself."
    )


class ScatterPicture:
    """The picture that `scattered` returns, made once and then changed, as a slider needs it. Arguments as there."""

    def __init__(
        self,
        picture: Float[Tensor, "3 H W"],
        rates: Sequence[float],
        draws: Float[Tensor, "R S K 2"],
        truth: Float[Tensor, "K 2"],
    ) -> None:
        _require_draws(rates, draws, ())
        self._rates, self._draws = tuple(rates), draws.double()
        self._sizes = _sizes(self._draws)
        self.figure, (self._left, right) = row(2, width_ratios=(1, 1.15))
        image(self._left, picture)
        draw_truth(self._left, truth, size=3.5)
        with styled():
            (self._dots,) = self._left.plot([], [], ".", color=RIGHT["color"], markersize=3, alpha=0.7, zorder=3.8)
        self._line, self._dot = self._curves(right)
        self._titles = [changing_title(ax) for ax in (self._left, right)]
        self._repaint: Repaint | None = None

    def move(self, samples: int, rate: int) -> list[Artist]:
        """Draw for so many samples at one of the rates, and return what was added to the picture."""
        _require_draws(self._rates, self._draws, (samples,))
        chosen, sizes = self._draws[rate, :samples], self._sizes[rate]
        self._dots.set_data(*as_array(chosen.flatten(0, 1)).T)
        self._line.set_data(range(_FEWEST, len(sizes) + _FEWEST), sizes.tolist())
        size = float(sizes[samples - _FEWEST])
        self._dot.set_data([samples], [size])
        self._titles[0].set_text(f"{samples} answers, p = {number(self._rates[rate], 2)}")
        self._titles[1].set_text(f"standard deviation {number(size, 2)} px")
        return _draw_ellipses(self._left, chosen)

    def png(self, samples: int, rate: int) -> bytes:
        """Return the picture there as a PNG, faster than drawing all of it."""
        if self._repaint is None:
            self._repaint = Repaint(self.figure, [self._dots, self._line, self._dot, *self._titles])
        drawn = self.move(samples, rate)
        bytes_ = self._repaint.png(above=drawn)
        for artist in drawn:
            artist.remove()
        return bytes_

    def _curves(self, ax: Axes) -> tuple[Any, Any]:
        """Draw the spread at every rate, and return the line and the dot that move."""
        counts = range(_FEWEST, self._draws.shape[1] + 1)
        with styled():
            for rate, sizes in zip(self._rates, self._sizes, strict=True):
                ax.plot(counts, sizes.tolist(), **{**UNCOUNTED, "marker": "", "linestyle": "-"}, linewidth=1.0)
                ax.annotate(
                    f"p = {number(rate, 2)}", (counts[-1], float(sizes[-1])), (4, 0), textcoords="offset points",
                    va="center", fontsize=8, annotation_clip=False,
                )  # fmt: skip
            (line,) = ax.plot([], [], **{**LEFT, "marker": ""}, linewidth=2.2)
            (dot,) = ax.plot([], [], **{**LEFT, "linestyle": "none", "markersize": 6})
        top = 1.1 * float(self._sizes.max().clamp(min=1e-3))
        ax.set(ylim=(0, top), xlim=(_FEWEST - 1, counts[-1] + 0.5), xlabel="answers T", ylabel="σ of an axis (px)")
        return line, dot


def _sizes(draws: Float[Tensor, "R S K 2"]) -> Float[Tensor, "R T"]:
    """Return the standard deviation from the first 3, 4, … S answers, the root mean square over keypoints and axes."""
    variances = [draws[:, :count].var(1).mean((-2, -1)) for count in range(_FEWEST, draws.shape[1] + 1)]
    return torch.stack(variances, dim=1).sqrt()


def _draw_ellipses(ax: Axes, answers: Float[Tensor, "S K 2"]) -> list[Artist]:
    """Draw for each keypoint the ellipse that holds 90 % of a Gaussian with its answers' covariance."""
    floor = 1e-9 * torch.eye(2, dtype=torch.float64)
    ellipses = zip(answers.mean(0), uncertainty.sample_covariance(answers) + floor, strict=True)
    return [draw_ellipse(ax, centre, covariance, radii=(_RADIUS,)) for centre, covariance in ellipses]


def _require_draws(rates: Sequence[float], draws: Tensor, samples: Sequence[int]) -> None:
    """Raise unless the draws are (R S K 2), of these rates, and enough for so many samples.

    Raises:
        ValueError: they are not.
    """
    if draws.ndim != 4 or len(draws) != len(rates) or draws.shape[1] < _FEWEST:
        raise ValueError(
            f"draws must be (R, S, K, 2) with R = {len(rates)} rates and at least {_FEWEST} samples; got "
            f"{tuple(draws.shape)}. Of several pictures choose one: draws[:, :, 0]."
        )
    for count in samples:
        if not _FEWEST <= count <= draws.shape[1]:
            raise ValueError(f"samples must be {_FEWEST} to {draws.shape[1]}; got {count}.")
