"""What is drawn on top of a picture: skeletons, true places, predicted places, and the error between them."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Bool, Float, UInt8
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.patheffects import Normal, withStroke
from torch import Tensor

from posecourse.skeletons import Skeleton
from posecourse.viz.arrays import as_array
from posecourse.viz.style import BACKGROUND, INK, LEFT, MIDDLE, RIGHT, styled

__all__ = ["draw_ellipse", "draw_error", "draw_prediction", "draw_skeleton", "draw_truth", "skeleton_key"]

Points: TypeAlias = Float[Tensor, "K 2"] | Float[np.ndarray, "K 2"]
"""(x, y) in the coordinates of the axes."""

Point: TypeAlias = Float[Tensor, "2"] | Float[np.ndarray, "2"]
"""(x, y) in the coordinates of the axes."""

Covariance: TypeAlias = Float[Tensor, "2 2"] | Float[np.ndarray, "2 2"]
"""[[xx, xy], [xy, yy]] in the squares of these coordinates."""

Visibility: TypeAlias = UInt8[Tensor, " K"] | UInt8[np.ndarray, " K"]
"""COCO's 0 not labelled, 1 hidden, 2 seen."""

Mask: TypeAlias = Bool[Tensor, " K"] | Bool[np.ndarray, " K"]

_SIDES: Mapping[str, Mapping[str, Any]] = {"left": LEFT, "right": RIGHT, "middle": MIDDLE}

_SHAPES: Mapping[str, float] = {"o": 1.0, "s": 0.93, "D": 0.8}
"""How wide a marker is drawn, so that all look equally large."""

_HALO = 0.8
"""Points of white around limbs and keypoints: the colours keep their contrast to it, whatever the ground."""


def draw_skeleton(
    ax: Axes, keypoints: Points, visibility: Visibility | None, skeleton: Skeleton, *, width: float = 1.6
) -> list[Artist]:
    """Draw one person's limbs and keypoints over a picture.

    Sides are the person's own: left blue, solid, circles; right orange, dashed, squares; middle green, diamonds. A
    keypoint that is seen is filled; a hidden one (v = 1) is a larger mark around white, and its limbs are thin; an
    unlabelled one (v = 0) is not drawn. A halo of white keeps all of it apart from any ground.

    Args:
        ax: the axes, with the picture in them.
        keypoints: (K 2) as (x, y) in the picture's pixels.
        visibility: (K), or None where every keypoint counts as seen.
        skeleton: names the keypoints and limbs.
        width: of a limb, in points.

    Returns:
        What was drawn.

    Raises:
        ValueError: keypoints and visibility are not one person's with K keypoints.
    """
    places = as_array(keypoints)
    seen = np.full(len(skeleton), 2) if visibility is None else as_array(visibility)
    _require_one_person(places, seen, skeleton)
    return [*_limbs(ax, places, seen, skeleton, width), *_joints(ax, places, seen, skeleton, width)]


def _require_one_person(places: np.ndarray, seen: np.ndarray, skeleton: Skeleton) -> None:
    """Raise unless the arrays are (K 2) and (K)."""
    K = len(skeleton)
    if places.shape != (K, 2) or seen.shape != (K,):
        raise ValueError(
            f"draw_skeleton draws one person: keypoints ({K}, 2) and visibility ({K},); got {places.shape} and "
            f"{seen.shape}. Choose one of the batch: sample.keypoints[0], sample.visibility[0]."
        )


def _limbs(ax: Axes, places: np.ndarray, seen: np.ndarray, skeleton: Skeleton, width: float) -> list[Artist]:
    """Draw limbs whose two ends are labelled: halos first, so that none covers another limb's colour."""
    limbs = [limb for limb in skeleton.limbs if all(seen[end] > 0 for end in limb)]
    hidden = [any(seen[end] < 2 for end in limb) for limb in limbs]
    widths = np.where(hidden, width * 0.5, width)
    segments = [places[list(limb)] for limb in limbs]
    drawn: list[Artist] = []
    for color, halo in ((BACKGROUND, 2 * _HALO), (INK, 0.0)):  # the ink shows in the gaps of a dashed limb
        below = LineCollection(segments, colors=color, linewidths=widths + halo, capstyle="round", zorder=3)
        drawn.append(ax.add_collection(below, autolim=False))
    for side, look in _SIDES.items():
        mine = [index for index, limb in enumerate(limbs) if _limb_side(skeleton, limb) == side]
        lines = LineCollection(
            [segments[index] for index in mine], colors=look["color"], linestyles=[look["linestyle"]],
            linewidths=widths[mine], zorder=3.1,
        )  # fmt: skip
        drawn.append(ax.add_collection(lines, autolim=False))
    return drawn


def _limb_side(skeleton: Skeleton, limb: tuple[int, int]) -> str:
    """Return the one side that a limb touches ("left" for nose to left eye), or "middle"."""
    touched = {skeleton.sides[end] for end in limb} - {"middle"}
    return touched.pop() if len(touched) == 1 else "middle"


def _joints(ax: Axes, places: np.ndarray, seen: np.ndarray, skeleton: Skeleton, width: float) -> list[Artist]:
    """Draw labelled keypoints: hidden ones first, so that their large marks cover none that is seen."""
    sides = np.array(skeleton.sides)
    drawn: list[Artist] = []
    for hidden in (True, False):
        for side, look in _SIDES.items():
            mine = places[(sides == side) & (seen == (1 if hidden else 2))]
            (joints,) = ax.plot(mine[:, 0], mine[:, 1], **_joint(look, width, hidden=hidden))
            drawn.append(joints)
    return drawn


def _joint(look: Mapping[str, Any], width: float, *, hidden: bool) -> dict[str, Any]:
    """Return how a keypoint looks: a full mark if seen, a larger ring around white if hidden; both with a halo."""
    seen = (1.9 + 1.7 * width) * _SHAPES[look["marker"]]  # points; the thin limbs of small pictures get marks that show
    ring = 0.3 * seen if hidden else 0.0
    return {
        "linestyle": "none", "marker": look["marker"], "markersize": 1.6 * seen if hidden else seen,
        "markerfacecolor": BACKGROUND if hidden else look["color"], "markeredgecolor": look["color"],
        "markeredgewidth": ring, "zorder": 3.2 if hidden else 3.3,
        "path_effects": [withStroke(linewidth=ring + 2 * _HALO, foreground=BACKGROUND), Normal()],
    }  # fmt: skip


def draw_truth(ax: Axes, points: Points, mask: Mask | None = None, *, size: float = 8.0) -> Line2D:
    """Draw true places as hollow rings, white with a black stroke.

    Args:
        ax: the axes.
        points: (K 2) as (x, y) in the coordinates of the axes.
        mask: (K), which of them are drawn; all if not given.
        size: of a ring, in points.
    """
    return _marks(ax, points, mask, marker="o", size=size)


def draw_prediction(ax: Axes, points: Points, mask: Mask | None = None, *, size: float = 6.0) -> Line2D:
    """Draw predicted places as crosses, white with a black stroke. Arguments as for `draw_truth`."""
    return _marks(ax, points, mask, marker="x", size=size)


def _marks(ax: Axes, points: Points, mask: Mask | None, *, marker: str, size: float) -> Line2D:
    """Draw markers that have no area, so that what is below stays in sight."""
    places = _chosen(points, mask)
    (marks,) = ax.plot(
        places[:, 0], places[:, 1], linestyle="none", marker=marker, markersize=size, markerfacecolor="none",
        markeredgecolor=BACKGROUND, markeredgewidth=1.4, zorder=4,
        path_effects=[withStroke(linewidth=3.0, foreground=INK), Normal()],
    )  # fmt: skip
    return marks


def draw_error(ax: Axes, truth: Points, prediction: Points, mask: Mask | None = None) -> LineCollection:
    """Draw each error as a thin segment from the true to the predicted place. Arguments as for `draw_truth`."""
    segments = np.stack([_chosen(truth, mask), _chosen(prediction, mask)], axis=1)  # K 2 2: two ends, (x, y)
    lines = LineCollection(
        list(segments), colors=BACKGROUND, linewidths=1.0, zorder=3.9,
        path_effects=[withStroke(linewidth=2.4, foreground=INK), Normal()],
    )  # fmt: skip
    ax.add_collection(lines, autolim=False)
    return lines


def draw_ellipse(
    ax: Axes, centre: Point, covariance: Covariance, *, radii: Sequence[float] = (1.0, 2.0)
) -> LineCollection:
    """Draw where a Gaussian lies: ellipses of so many standard deviations, dashed, white with a black stroke.

    Args:
        ax: the axes.
        centre: (2), its mean as (x, y) in the coordinates of the axes.
        covariance: (2 2) as [[xx, xy], [xy, yy]], positive definite.
        radii: in standard deviations; 1.1774 and 2.1460 hold 50 % and 90 % of the mass.
    """
    angles = np.linspace(0, 2 * np.pi, 121)
    circle = np.linalg.cholesky(as_array(covariance)) @ np.stack([np.cos(angles), np.sin(angles)])  # 2 121
    ellipses = [as_array(centre) + radius * circle.T for radius in radii]
    lines = LineCollection(
        ellipses, colors=BACKGROUND, linewidths=1.1, linestyles=[(0, (4, 2))], zorder=3.9,
        path_effects=[withStroke(linewidth=2.2, foreground=INK), Normal()],
    )  # fmt: skip
    ax.add_collection(lines, autolim=False)
    return lines


def _chosen(points: Points, mask: Mask | None) -> np.ndarray:
    """Return the points that count."""
    places = as_array(points)
    return places if mask is None else places[as_array(mask)]


def skeleton_key(fig: Figure) -> Legend:
    """Explain sides and visibility once, below all panels, with the marks that `draw_skeleton` draws.

    Args:
        fig: the figure.
    """
    sides = [Line2D([], [], **{**_joint(look, 1.6, hidden=False), **look}, lw=1.6) for look in _SIDES.values()]
    seen, hidden = (
        tuple(Line2D([], [], **_joint(look, 1.6, hidden=hidden)) for look in (LEFT, RIGHT)) for hidden in (False, True)
    )
    marks: list[Any] = [*sides, seen, hidden]
    labels = ["their left", "their right", "middle", "seen", "hidden"]
    with styled():
        return fig.legend(
            marks, labels, loc="outside lower left", ncols=len(labels), handlelength=2.4, columnspacing=1.1,
            handler_map={tuple: HandlerTuple(ndivide=None, pad=0.6)},
        )  # fmt: skip
