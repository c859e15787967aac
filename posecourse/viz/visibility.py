"""A crowd under a threshold: which keypoints a network claims to see, and which of them can be seen.

Lesson: 04.
"""

from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from torch import Tensor

from posecourse.samples import Sample
from posecourse.viz.figures import row, title
from posecourse.viz.overlays import draw_prediction, draw_skeleton, draw_truth
from posecourse.viz.pictures import image
from posecourse.viz.places import number
from posecourse.viz.repaint import Repaint
from posecourse.viz.style import INK, LEFT, RIGHT

__all__ = ["KeptPicture", "describe_kept", "kept"]

_STEPS = np.linspace(0, 1, 101)


def kept(
    crowd: Sample, keypoints: Float[Tensor, "N K 2"], probabilities: Float[Tensor, "N K"], threshold: float
) -> Figure:
    """Draw one picture with the keypoints whose predicted visibility reaches a threshold.

    On the left skeletons of what is kept. A cross is a keypoint that was kept and cannot be seen, a ring one that can
    be seen and was not kept. On the right how much is kept as the threshold moves, of what can be seen and of what
    cannot.

    Args:
        crowd: one picture, of a crowd.
        keypoints: as predicted, (x, y) in the picture's pixels, one row a place of the crowd.
        probabilities: predicted, that each keypoint is visible.
        threshold: between 0 and 1; what is at least this probable is kept.

    Returns:
        The figure, for `headline` and `show`; `describe_kept` with the same arguments is its description.

    Raises:
        ValueError: not one picture of a crowd, or not one keypoint and one probability for each of its places.
    """
    picture = KeptPicture(crowd, keypoints, probabilities)
    picture.move(threshold)
    return picture.figure


def describe_kept(crowd: Sample, probabilities: Float[Tensor, "N K"], threshold: float) -> str:
    """Return in words what `kept` draws."""
    seen, hidden = _shares(crowd, probabilities)
    chosen = [int((values >= threshold).sum()) for values in (seen, hidden)]
    return (
        f"At a threshold of {number(threshold, 2)}, {chosen[0]} of {len(seen)} keypoints that can be seen are kept, "
        f"and {chosen[1]} of {len(hidden)} that cannot."
    )


class KeptPicture:
    """The picture that `kept` returns, made once and changed for another threshold, as a slider needs it.

    Args:
        crowd: one picture, of a crowd.
        keypoints: as predicted, (x, y) in the picture's pixels, one row a place of the crowd.
        probabilities: predicted, that each keypoint is visible.
    """

    def __init__(self, crowd: Sample, keypoints: Float[Tensor, "N K 2"], probabilities: Float[Tensor, "N K"]) -> None:
        _require_one_crowd(crowd, keypoints, probabilities)
        self._crowd, self._keypoints, self._probabilities = crowd, keypoints, probabilities
        self.figure, (self._ax, curves) = row(2, width_ratios=(1.9, 1))
        image(self._ax, crowd.images[0])
        title(self._ax, "cross: cannot be seen; ring: left out")
        self._moving = self._curves(curves)
        self._repaint: Repaint | None = None

    def move(self, threshold: float) -> list[Artist]:
        """Draw for this threshold, and return what was added to the picture."""
        for artist in self._moving:
            artist.set_xdata([threshold] * len(artist.get_xdata()))
        seen, hidden = _shares(self._crowd, self._probabilities)
        for dot, values in zip(self._moving[1:], (seen, hidden), strict=True):
            dot.set_ydata([float((values >= threshold).float().mean())])
        return [artist for place in self._places() for artist in self._person(place, threshold)]

    def png(self, threshold: float) -> bytes:
        """Return the picture for this threshold as a PNG, faster than drawing all of it."""
        if self._repaint is None:
            self._repaint = Repaint(self.figure, self._moving)
        drawn = self.move(threshold)
        bytes_ = self._repaint.png(above=drawn)
        for artist in drawn:
            artist.remove()
        return bytes_

    def _curves(self, ax: Any) -> list[Any]:
        """Draw both curves, and return the line and the dots that move along them."""
        values = _shares(self._crowd, self._probabilities)
        ax.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="threshold", ylabel="share that is kept")
        (line,) = ax.plot([0, 0], [0, 1.02], color=INK, linewidth=0.8)
        dots = []
        for look, name, mine in zip((LEFT, RIGHT), ("can be seen", "cannot be seen"), values, strict=True):
            shares = (mine[:, None].numpy() >= _STEPS).mean(0) if len(mine) else np.zeros_like(_STEPS)
            ax.plot(_STEPS, shares, **{**look, "marker": ""}, label=name)
            dots += ax.plot([0], [1], **{**look, "linestyle": "none"})
        ax.legend(loc="lower left")
        return [line, *dots]

    def _places(self) -> list[int]:
        assert self._crowd.present is not None
        return [int(place) for place in self._crowd.present[0].nonzero()[:, 0]]

    def _person(self, place: int, threshold: float) -> list[Artist]:
        """Draw one person's kept keypoints, and mark those that are wrongly kept or wrongly left out."""
        chosen = self._probabilities[place] >= threshold
        visible = self._crowd.visible[0, place]
        points, truth = self._keypoints[place], self._crowd.keypoints[0, place]
        shown = torch.where(chosen, 2, 0).to(torch.uint8)
        return [
            *draw_skeleton(self._ax, points, shown, self._crowd.skeleton, width=1.3),
            draw_prediction(self._ax, points, chosen & ~visible, size=5),
            draw_truth(self._ax, truth, ~chosen & visible, size=5),
        ]


def _shares(crowd: Sample, probabilities: Tensor) -> tuple[Tensor, Tensor]:
    """Return the probabilities of what can be seen, and of what cannot, of everybody who is there."""
    assert crowd.present is not None
    here: Bool[Tensor, "N K"] = crowd.present[0][:, None].expand_as(probabilities)
    visible = crowd.visible[0]
    return probabilities[here & visible], probabilities[here & ~visible]


def _require_one_crowd(crowd: Sample, keypoints: Tensor, probabilities: Tensor) -> None:
    """Raise unless there is one picture of a crowd, with a keypoint and a probability for each place."""
    if crowd.present is None or len(crowd) != 1:
        raise ValueError("crowd must be one picture of a crowd, with `present`: render(scenes, size, crowd=True)[0].")
    expected = tuple(crowd.keypoints.shape[1:])
    if tuple(keypoints.shape) != expected or tuple(probabilities.shape) != expected[:-1]:
        raise ValueError(
            f"keypoints must be {expected} and probabilities {expected[:-1]}, as the crowd has places; got "
            f"{tuple(keypoints.shape)} and {tuple(probabilities.shape)}."
        )
