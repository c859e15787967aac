"""Two ways round a square: turn the picture and ask, or ask and turn the answer; and their distance at every angle.

Lesson: 07.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from torch import Tensor

from posecourse.equivariance import FullTurn
from posecourse.skeletons import Skeleton
from posecourse.viz.arrays import as_array
from posecourse.viz.figures import label_ends, row, single, title
from posecourse.viz.overlays import draw_error, draw_prediction, draw_skeleton
from posecourse.viz.pictures import image
from posecourse.viz.places import number
from posecourse.viz.repaint import Repaint
from posecourse.viz.style import FOURTH, INK, LEFT, MIDDLE, RIGHT, UNCOUNTED, styled

__all__ = ["TurnedPicture", "describe_turned", "errors_by_angle", "turned"]

_LOOKS = (LEFT, RIGHT, MIDDLE, FOURTH)
_FLOOR: Mapping[str, Any] = {**UNCOUNTED, "marker": "", "label": "pixels alone"}


def turned(ways: FullTurn, skeleton: Skeleton, index: int) -> Figure:
    """Draw both ways round the square at one angle, and how far apart they end at all.

    On the left the answer to the turned picture. In the middle the turned answer to the upright picture, and segments
    from its keypoints to the crosses of the other answer, for those that stay in the picture. On the right the mean
    error at every angle, this one marked, and the floor.

    Args:
        ways: from `equivariance.full_turn`.
        skeleton: names the keypoints and limbs.
        index: which of the angles.

    Returns:
        The figure, for `headline` and `show`; `describe_turned` with the same arguments is its description.

    Raises:
        ValueError: the skeleton has another number of keypoints.
    """
    picture = TurnedPicture(ways, skeleton)
    picture.move(index)
    return picture.figure


def describe_turned(ways: FullTurn, skeleton: Skeleton, index: int) -> str:
    """Return in words what `turned` draws."""
    errors = ways.errors[index]
    angle = f"Turned by {number(ways.degrees[index], 0)}°"
    counted = int(errors.isfinite().sum())
    if not counted:
        return f"{angle}, no keypoint stays in the picture, so that there is nothing to compare."
    worst = int(errors.nan_to_num(-1).argmax())
    return (
        f"{angle}, the two answers are {number(float(errors.nanmean()), 2)} pixels apart on the mean over the "
        f"{counted} of {len(errors)} keypoints that stay in the picture, {number(float(errors[worst]), 2)} at the "
        f"{skeleton.names[worst].replace('_', ' ')}; pixels alone move an answer by "
        f"{number(float(ways.floor[index].nanmean()), 2)}."
    )


class TurnedPicture:
    """The picture that `turned` returns, made once and changed for another angle, as a slider needs it.

    Args:
        ways: from `equivariance.full_turn`.
        skeleton: names the keypoints and limbs.
    """

    def __init__(self, ways: FullTurn, skeleton: Skeleton) -> None:
        if ways.errors.shape[-1] != len(skeleton):
            raise ValueError(
                f"the answers have {ways.errors.shape[-1]} keypoints, and the skeleton has {len(skeleton)}. Give the "
                "skeleton of the data that the network was trained on: sample.skeleton."
            )
        self._ways, self._skeleton = ways, skeleton
        self.figure, (self._first, self._second, curve) = row(3, width_ratios=(1, 1, 1.15))
        self._images = [image(ax, ways.pictures[0]) for ax in (self._first, self._second)]
        title(self._first, "f(Rx): turn, then ask")
        title(self._second, "R f(x): ask, then turn")
        self._line, self._dot, self._said = self._curve(curve)
        self._repaint: Repaint | None = None

    def move(self, index: int) -> list[Artist]:
        """Draw for the angle at this place, and return what was added to the picture."""
        ways = self._ways
        for shown in self._images:
            shown.set_data(as_array(ways.pictures[index]).clip(0, 1).transpose(1, 2, 0))
        angle, error = ways.degrees[index], float(ways.errors[index].nanmean())
        self._line.set_xdata([angle, angle])
        self._dot.set_data([angle], [error])
        self._said.set_text(f"{number(angle, 0)}°: {number(error, 1)} px")
        counts = ways.errors[index].isfinite()
        everyone = torch.full((len(self._skeleton),), 2, dtype=torch.uint8)
        expected, found = ways.expected[index], ways.found[index]
        return [
            *draw_skeleton(self._first, found, everyone, self._skeleton, width=1.2),
            *draw_skeleton(self._second, expected, torch.where(counts, everyone, 0), self._skeleton, width=1.2),
            draw_error(self._second, expected, found, counts),
            draw_prediction(self._second, found, counts, size=4.5),
        ]

    def png(self, index: int) -> bytes:
        """Return the picture for this angle as a PNG, faster than drawing all of it."""
        if self._repaint is None:
            self._repaint = Repaint(self.figure, [*self._images, self._line, self._dot, self._said])
        drawn = self.move(index)
        bytes_ = self._repaint.png(above=drawn)
        for artist in drawn:
            artist.remove()
        return bytes_

    def _curve(self, ax: Axes) -> tuple[Any, Any, Text]:
        """Draw the errors at all angles, and return the line, the dot and the words that move."""
        errors, floor = (values.nanmean(-1) for values in (self._ways.errors, self._ways.floor))
        top = 1.15 * float(errors.nan_to_num(0).max().clamp(min=0.1))
        with styled():
            ax.plot(self._ways.degrees, as_array(floor), **_FLOOR)
            ax.plot(self._ways.degrees, as_array(errors), **{**LEFT, "marker": ""}, label="error")
            (line,) = ax.plot([0, 0], [0, top], color=INK, linewidth=0.8, linestyle="-")
            (dot,) = ax.plot([0], [0], **{**LEFT, "linestyle": "none", "markersize": 6})
            said = ax.annotate(
                " ", (0, 1), (0, 5), "axes fraction", "offset points", va="bottom", in_layout=False,
                annotation_clip=False,
            )  # fmt: skip
            ax.set_title(" ")
            ax.legend(loc="upper left", handlelength=1.4, borderaxespad=0.1)
        ax.set(ylim=(0, 1.3 * top), xlabel="angle (degrees)", ylabel="mean error (px)")
        _angles(ax, self._ways.degrees)
        return line, dot, said


def errors_by_angle(
    degrees: Sequence[float],
    errors: Mapping[str, Float[Tensor, "A *N"]],
    floor: Float[Tensor, "A *N"] | None = None,
    *,
    unit: str = "px",
) -> Figure:
    """Draw how far networks are from turning with the picture, at every angle.

    Args:
        degrees: the A angles.
        errors: by the name of a network, at most four. Drawn is the mean over all that is not NaN at an angle, and
            the half of them in the middle as a band.
        floor: what pixels alone do, in grey.
        unit: of the errors.

    Returns:
        The figure, for `headline` and `show`.

    Raises:
        ValueError: more than four networks, or errors that are not one row an angle.
    """
    if not 1 <= len(errors) <= len(_LOOKS):
        raise ValueError(f"errors must be of 1 to {len(_LOOKS)} networks, which is how many can be told apart.")
    fig, ax = single()
    with styled():
        if floor is not None:
            ax.plot(degrees, _mean(floor, degrees), **_FLOOR)
        for (name, values), look in zip(errors.items(), _LOOKS, strict=False):
            ax.plot(degrees, _mean(values, degrees), **{**look, "marker": ""}, label=name)
            if values.ndim > 1:
                low, high = np.nanquantile(as_array(values).reshape(len(values), -1), (0.25, 0.75), axis=1)
                ax.fill_between(degrees, low, high, color=look["color"], alpha=0.15, linewidth=0)
    ax.set(xlabel="angle (degrees)", ylabel=f"equivariance error ({unit})")
    ax.set_ylim(bottom=-0.05 * ax.get_ylim()[1])  # room for the labels of lines that end at 0
    _angles(ax, degrees)
    label_ends(ax)
    return fig


def _mean(values: Tensor, degrees: Sequence[float]) -> np.ndarray:
    """Return the mean at each angle, over all that is not NaN."""
    if len(values) != len(degrees):
        raise ValueError(f"errors must have one row an angle: {len(degrees)} angles, {len(values)} rows.")
    return as_array(values.reshape(len(values), -1).nanmean(1))


def _angles(ax: Axes, degrees: Sequence[float]) -> None:
    """Show the angles from end to end, with ticks at quarter turns."""
    low, high = min(degrees), max(degrees)
    ax.set(xlim=(low, high))
    if high - low >= 180:
        ax.set_xticks([tick for tick in range(-360, 361, 90) if low <= tick <= high])
