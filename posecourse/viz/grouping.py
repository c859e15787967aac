"""Tags as colours, and groups under a threshold: which keypoints make a person.

Lesson: 05.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patheffects import Normal, withStroke
from torch import Tensor

from posecourse.grouping import group_by_tag
from posecourse.skeletons import Skeleton
from posecourse.viz.arrays import as_array
from posecourse.viz.figures import headline, row, title
from posecourse.viz.overlays import Mask, Points, draw_prediction
from posecourse.viz.pictures import image
from posecourse.viz.places import number
from posecourse.viz.repaint import Repaint
from posecourse.viz.style import BACKGROUND, INK, TAGS, styled

__all__ = ["GroupedPicture", "TaggedCandidates", "describe_grouped", "draw_group", "grouped", "tag_colours"]

_LOOKS: tuple[Mapping[str, Any], ...] = tuple(
    {"color": color, "marker": marker}
    for color, marker in zip(
        ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D31", "#767676"),
        ("o", "s", "D", "^", "v", "P", "X", "h"),
        strict=True,
    )
)
_MOST = 20


class TaggedCandidates(NamedTuple):
    """What a network found in one picture, before anybody knows whose it is.

    Args:
        points_px: (K M 2) as (x, y) in the picture's pixels.
        scores: (K M); 0 says that there is no candidate.
        tags: (K M D).
        owners: (K M) the place of the person whose keypoint it is by the truth, −1 for nobody's.
    """

    points_px: Float[Tensor, "K M 2"]
    scores: Float[Tensor, "K M"]
    tags: Float[Tensor, "K M D"]
    owners: Int[Tensor, "K M"]


class _Group(NamedTuple):
    """One person as grouped: places of its keypoints (k, m), their points, tags and owners."""

    joints: np.ndarray
    points: np.ndarray
    tags: np.ndarray
    owners: np.ndarray

    @property
    def strangers(self) -> np.ndarray:
        """Which keypoints are not of the person who has most of them here."""
        known = self.owners[self.owners >= 0]
        most = np.bincount(known).argmax() if len(known) else -2
        return (self.owners >= 0) & (self.owners != most)


def grouped(picture: Float[Tensor, "3 H W"], found: TaggedCandidates, skeleton: Skeleton, threshold: float) -> Figure:
    """Draw one picture with the people that a threshold makes of candidates.

    On the left each group has a colour, a marker and a letter; a cross is a keypoint that belongs to somebody else
    than most of its group. On the right the same candidates by their tags: across is the tag, down the keypoint, and
    the band about each group's mean is the threshold. Longer tags are seen along the two directions in which they
    differ most, and the threshold is a circle.

    Args:
        picture: RGB in [0, 1].
        found: candidates of this picture.
        skeleton: names the keypoints and limbs.
        threshold: how far a tag may be from the mean of the group that it joins.

    Returns:
        The figure, for `headline` and `show`; `describe_grouped` with the same arguments is its description.
    """
    drawn = GroupedPicture(picture, found, skeleton)
    drawn.move(threshold)
    return drawn.figure


def describe_grouped(found: TaggedCandidates, threshold: float) -> str:
    """Return in words what `grouped` draws."""
    groups = _groups(found, threshold)
    people = len(found.owners[(found.owners >= 0) & (found.scores > 0)].unique())
    strangers = sum(int(group.strangers.sum()) for group in groups)
    whole = sum(len(group.joints) > 2 for group in groups)
    return (
        f"At a threshold of {number(threshold, 2)}, {int((found.scores > 0).sum())} candidates of {people} people "
        f"make {len(groups)} groups, {whole} of them with more than two keypoints; "
        f"{strangers} {'keypoint is' if strangers == 1 else 'keypoints are'} in the group of somebody else."
    )


def tag_colours(
    ax: Axes, picture: Float[Tensor, "3 H W"], heatmaps: Float[Tensor, "K h w"], tags: Float[Tensor, "K D h w"]
) -> AxesImage:
    """Paint tags over a picture in grey: each cell in the colour of the tag of its highest map, as bright as that is.

    Of three numbers red, green and blue are made, of more their first three; a single one goes along one scale. Lowest
    and highest are those of the cells where a map is at least half as high as a summit: a colour means nothing but who
    is who.

    Args:
        ax: the axes; their coordinates are the picture's pixels.
        picture: RGB in [0, 1].
        heatmaps: how much speaks for each keypoint, about 1 at a summit.
        tags: of the same cells.
    """
    grey = as_array(picture).mean(0)
    H, W = grey.shape
    image(ax, np.broadcast_to(0.3 + 0.5 * grey, (3, H, W)))
    height, best = heatmaps.max(0)
    theirs = tags.gather(0, best[None, None].expand(1, *tags.shape[1:]))[0]  # (D h w)
    counted = theirs[:, height >= 0.5] if bool((height >= 0.5).any()) else theirs.flatten(1)
    low, high = counted.amin(-1)[:, None, None], counted.amax(-1)[:, None, None]
    unit = as_array(((theirs - low) / (high - low).clamp(min=1e-6)).clamp(0, 1))
    if len(unit) == 1:
        painted = colormaps[TAGS](unit[0])
    else:
        painted = np.concatenate([unit, np.full_like(unit, 0.5)])[[0, 1, 2, 2]].transpose(1, 2, 0)
    painted[..., 3] = (1.5 * as_array(height)).clip(0, 0.95)
    with styled():
        return ax.imshow(painted, extent=(-0.5, W - 0.5, H - 0.5, -0.5), interpolation="bilinear", zorder=2)


def draw_group(
    ax: Axes, points: Points, present: Mask, skeleton: Skeleton, index: int, *, width: float = 1.6
) -> list[Artist]:
    """Draw one person as grouped: limbs and keypoints in the colour and with the marker of its number, and its letter.

    A keypoint whose limbs all lack their other end is tied with dots to the nearest one along the skeleton.

    Args:
        ax: the axes, with the picture in them.
        points: (x, y) in the picture's pixels.
        present: (K) which keypoints it has.
        skeleton: names the limbs.
        index: its number, from 0.
        width: of a limb, in points.
    """
    places, there = as_array(points), as_array(present).astype(bool)
    look = _LOOKS[index % len(_LOOKS)]
    limbs = [places[list(limb)] for limb in skeleton.limbs if there[list(limb)].all()]
    drawn: list[Artist] = []
    for color, extra, order in ((INK, 1.8, 3), (BACKGROUND, 0.9, 3), (look["color"], 0, 3.1)):
        lines = LineCollection(limbs, colors=color, linewidths=width + extra, capstyle="round", zorder=order)
        drawn.append(ax.add_collection(lines, autolim=False))
    if ties := [places[list(tie)] for tie in _ties(skeleton, there)]:
        dotted = LineCollection(ties, colors=look["color"], linewidths=1, linestyles=":", zorder=3)
        drawn.append(ax.add_collection(dotted, autolim=False))
    drawn += ax.plot(
        *places[there].T, linestyle="none", **look, markersize=3.2 + width, markeredgecolor=BACKGROUND,
        markeredgewidth=0.5, zorder=3.5,
    )  # fmt: skip
    if there.any():
        top = places[there][places[there][:, 1].argmin()]
        drawn.append(
            ax.text(
                float(top[0]), float(top[1]), chr(ord("A") + index % 26), ha="center", va="bottom", fontsize=9,
                fontweight="bold", color=look["color"], zorder=5,
                path_effects=[withStroke(linewidth=2.4, foreground=BACKGROUND), Normal()],
            )
        )  # fmt: skip
    return drawn


def _ties(skeleton: Skeleton, there: np.ndarray) -> list[tuple[int, int]]:
    """Return each keypoint that no drawn limb holds, with the nearest present one along the skeleton, if any."""
    ties = []
    for lone in np.flatnonzero(there).tolist():
        reached, edge = {lone}, {lone}
        for far in range(len(skeleton)):
            edge = {end for limb in skeleton.limbs if edge & {*limb} for end in limb} - reached
            reached |= edge
            if near := [other for other in sorted(edge) if there[other]]:
                if far > 0:
                    ties.append((lone, near[0]))
                break
    return ties


class GroupedPicture:
    """The picture that `grouped` returns, made once and changed for another threshold, as a slider needs it.

    Args:
        picture: RGB in [0, 1].
        found: candidates of this picture.
        skeleton: names the keypoints and limbs.
    """

    def __init__(self, picture: Float[Tensor, "3 H W"], found: TaggedCandidates, skeleton: Skeleton) -> None:
        _require_candidates(found, skeleton)
        self._found, self._skeleton = found, skeleton
        self.figure, (self._picture, self._plot) = row(2, width_ratios=(1, 1.25))
        image(self._picture, picture)
        title(self._picture, "letter: a group; cross: a stranger in it")
        headline(self.figure, "Who joins whom, at this threshold")
        self._view = _widest(found)
        self._axes_of_tags()
        self._repaint: Repaint | None = None

    def move(self, threshold: float) -> list[Artist]:
        """Draw for this threshold, and return what was added."""
        groups = _groups(self._found, threshold)
        return [artist for index, group in enumerate(groups) for artist in self._group(index, group, threshold)]

    def png(self, threshold: float) -> bytes:
        """Return the picture for this threshold as a PNG, faster than drawing all of it."""
        if self._repaint is None:
            self._repaint = Repaint(self.figure, [])
        drawn = self.move(threshold)
        bytes_ = self._repaint.png(above=drawn)
        for artist in drawn:
            artist.remove()
        return bytes_

    def _axes_of_tags(self) -> None:
        """Set up the plot on the right: tag against keypoint, or one component against the other."""
        tags = as_array(self._found.tags[self._found.scores > 0]) @ self._view
        tags = tags if len(tags) else np.zeros((1, self._view.shape[1]))
        low, high = tags.min(0) - 0.6, tags.max(0) + 0.6
        names = [name.replace("_", " ") for name in self._skeleton.names]
        if tags.shape[1] == 1:
            self._plot.set(xlim=(low[0], high[0]), ylim=(len(names) - 0.4, -0.6), xlabel="tag")
            self._plot.set_yticks(range(len(names)), labels=names, fontsize=7.5)
        else:
            half = max(high - low) / 2
            x, y = (low + high) / 2
            self._plot.set(xlim=(x - half, x + half), ylim=(y - half, y + half))
            self._plot.set(xlabel="tag, widest direction", ylabel="tag, second direction")
            self._plot.set_box_aspect(1)

    def _group(self, index: int, group: _Group, threshold: float) -> list[Artist]:
        """Draw one group on both sides."""
        K, look = len(self._skeleton), _LOOKS[index % len(_LOOKS)]
        points, present = np.zeros((K, 2)), np.zeros(K, dtype=bool)
        points[group.joints], present[group.joints] = group.points, True
        drawn = draw_group(self._picture, points, present, self._skeleton, index)
        strangers = np.zeros(K, dtype=bool)
        strangers[group.joints] = group.strangers
        drawn.append(draw_prediction(self._picture, points, strangers, size=5))
        tags = group.tags @ self._view
        mean = tags.mean(0)
        if tags.shape[1] == 1:
            drawn.append(self._plot.axvspan(mean[0] - threshold, mean[0] + threshold, color=look["color"], alpha=0.12))
            drawn += self._plot.plot(tags[:, 0], group.joints, linestyle="none", **look, markersize=4)
            letter_at = (mean[0], -0.75)
        else:
            angles = np.linspace(0, 2 * np.pi, 73)
            circle = mean[:, None] + threshold * np.stack([np.cos(angles), np.sin(angles)])
            drawn += self._plot.plot(*circle, color=look["color"], linestyle="-", linewidth=0.8)
            drawn += self._plot.plot(*tags.T, linestyle="none", **look, markersize=4)
            letter_at = (mean[0], mean[1] + threshold)
        letter = chr(ord("A") + index % 26)
        bold = {"fontsize": 8, "fontweight": "bold", "color": look["color"], "clip_on": True}
        return [*drawn, self._plot.text(*letter_at, letter, ha="center", va="bottom", **bold)]


def _widest(found: TaggedCandidates) -> np.ndarray:
    """Return the directions (D, 2) in which tags differ most; of tags of one or two numbers these themselves."""
    tags = as_array(found.tags[found.scores > 0])
    D = tags.shape[-1]
    if D < 3 or not len(tags):
        return np.eye(D)[:, :2]
    return np.linalg.svd(tags - tags.mean(0), full_matrices=False)[2][:2].T


def _groups(found: TaggedCandidates, threshold: float) -> Sequence[_Group]:
    """Return the groups that a threshold makes, the one that the package finds first first."""
    points, _, present = group_by_tag(found.points_px, found.scores, found.tags, threshold, _MOST)
    groups = []
    for place in range(len(points)):
        joints = present[place].nonzero()[:, 0]
        if not len(joints):
            continue
        apart = (found.points_px[joints] - points[place, joints, None]).norm(dim=-1)
        apart = torch.where(found.scores[joints] > 0, apart, torch.inf)
        chosen = apart.argmin(-1)
        parts = (joints, points[place, joints], found.tags[joints, chosen], found.owners[joints, chosen])
        groups.append(_Group(*(as_array(part) for part in parts)))
    return groups


def _require_candidates(found: TaggedCandidates, skeleton: Skeleton) -> None:
    """Raise unless there is one score, one owner and one tag for each point, and the skeleton's number of keypoints."""
    shape = tuple(found.scores.shape)
    ok = shape[:1] == (len(skeleton),) and tuple(found.owners.shape) == shape
    if not ok or tuple(found.points_px.shape) != (*shape, 2) or tuple(found.tags.shape[:-1]) != shape:
        raise ValueError(
            "candidates must be points ({K}, M, 2), scores ({K}, M), tags ({K}, M, D) and owners ({K}, M), of one "
            "picture; got {}, {}, {} and {}.".format(*(tuple(part.shape) for part in found), K=len(skeleton))
        )
