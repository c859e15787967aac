"""People as a reader meets them: a gallery, a whole photograph, and who stands in front of whom."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from torch import Tensor

from posecourse.samples import Sample
from posecourse.viz.arrays import as_array
from posecourse.viz.figures import gallery, row, single, title
from posecourse.viz.overlays import draw_skeleton, skeleton_key
from posecourse.viz.pictures import image
from posecourse.viz.repaint import Repaint
from posecourse.viz.style import BACKGROUND, INK

__all__ = ["PeoplePicture", "people_gallery", "person_map", "photograph"]

_TINTS = ("#66C2A5", "#FC8D62", "#8DA0CB", "#E78AC3", "#A6D854", "#FFD92F", "#E5C494", "#B3B3B3")


def people_gallery(
    sample: Sample,
    *,
    rows: int = 3,
    columns: int = 4,
    skeletons: bool | Sequence[int] = True,
    captions: Sequence[str] = (),
) -> Figure:
    """Draw the first images of a sample in a grid, with or without the skeletons of the people in them.

    Args:
        sample: at least one image; places beyond its last image stay empty.
        rows: of pictures; one row makes a flat figure.
        columns: of pictures.
        skeletons: draw keypoints and limbs, and the key that explains them; or the places of the pictures that get
            them.
        captions: a short line over each picture.

    Returns:
        The figure, for `headline` and `show`.

    Raises:
        ValueError: there are captions, and not one for every picture that is drawn.
    """
    fig, axes = gallery(rows, columns) if rows > 1 else row(columns)
    drawn = min(len(sample), axes.size)
    if captions and len(captions) != drawn:
        raise ValueError(f"captions must be one a picture: {drawn} are drawn, got {len(captions)} captions.")
    chosen = range(drawn * skeletons) if isinstance(skeletons, bool) else skeletons
    for index, ax in enumerate(axes.flat):
        if index >= drawn:
            ax.set_axis_off()
            continue
        _picture(ax, sample, index, skeletons=index in chosen, width=0.9)
        if captions:
            title(ax, captions[index])
    if chosen:
        skeleton_key(fig)
    return fig


def photograph(sample: Sample, index: int, *, skeletons: bool = True) -> Figure:
    """Draw one whole image, large, with everybody in it.

    Args:
        sample: single people or a crowd.
        index: which of its images.
        skeletons: draw keypoints and limbs, and the key that explains them.

    Returns:
        The figure, for `headline` and `show`.
    """
    fig, axes = gallery(1, 1)
    _picture(axes[0, 0], sample, index, skeletons=skeletons, width=1.6)
    if skeletons:
        skeleton_key(fig)
    return fig


class PeoplePicture:
    """One image of a sample with everybody in it, made once and changed for another image, as a slider needs it.

    Args:
        sample: single people or a crowd, at least one image.
    """

    def __init__(self, sample: Sample) -> None:
        self._sample = sample
        self.figure, self._ax = single()
        self._image = image(self._ax, sample.images[0])
        skeleton_key(self.figure)
        self._fast = Repaint(self.figure, [self._image])

    def png(self, index: int, skeletons: bool) -> bytes:
        """Return that image as a PNG, with or without skeletons."""
        self._image.set_data(as_array(self._sample.images[index]).clip(0, 1).transpose(1, 2, 0))
        people = _present(self._sample, index) if skeletons else ()
        skeleton = self._sample.skeleton
        drawn = [artist for person in people for artist in draw_skeleton(self._ax, *person, skeleton, width=1.4)]
        bytes_ = self._fast.png(above=drawn)
        for artist in drawn:
            artist.remove()
        return bytes_


def person_map(sample: Sample, index: int) -> Figure:
    """Draw one image beside the map of who is in front at each pixel; people bear the number of their place.

    Args:
        sample: with `person_map`.
        index: which of its images.

    Returns:
        The figure, for `headline` and `show`.

    Raises:
        ValueError: the sample has no person map. Photographs have none; rendered people do.
    """
    if sample.person_map is None:
        raise ValueError("the sample has no person_map: photographs have none, rendered people do.")
    front = as_array(sample.person_map[index])
    fig, (left, right) = row(2)
    image(left, sample.images[index])
    image(right, _tinted(as_array(sample.images[index]), front))
    for person in np.unique(front[front > 0]):
        x, y = _middle(front == person)
        right.text(
            x, y, str(int(person) - 1), ha="center", va="center", fontsize=8, color=INK,
            bbox={"boxstyle": "circle,pad=0.25", "facecolor": BACKGROUND, "edgecolor": INK, "linewidth": 0.8},
        )  # fmt: skip
    left.set_anchor("E")
    right.set_anchor("W")
    title(left, "the picture")
    title(right, "who is in front, by their place in the sample")
    return fig


def _picture(ax: Axes, sample: Sample, index: int, *, skeletons: bool, width: float) -> None:
    """Draw one image with its people."""
    image(ax, sample.images[index])
    if skeletons:
        for keypoints, visibility in _present(sample, index):
            draw_skeleton(ax, keypoints, visibility, sample.skeleton, width=width)


def _present(sample: Sample, index: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield keypoints (K 2) and visibility (K) of everybody in one image."""
    K = len(sample.skeleton)
    present = torch.ones(1, dtype=torch.bool) if sample.present is None else sample.present[index].cpu()
    keypoints = sample.keypoints[index].reshape(-1, K, 2)
    visibility = sample.visibility[index].reshape(-1, K)
    for person in present.nonzero()[:, 0].tolist():
        yield keypoints[person], visibility[person]


def _tinted(picture: np.ndarray, front: np.ndarray) -> np.ndarray:
    """Return the picture (3 H W) in grey, people in their tints, the border between two of them white."""
    grey = np.broadcast_to(picture.mean(axis=0), picture.shape)
    tints = np.array([to_rgb(tint) for tint in _TINTS], dtype=picture.dtype)[(front.astype(int) - 1) % len(_TINTS)]
    mixed = np.where(front > 0, 0.35 * grey + 0.65 * tints.transpose(2, 0, 1), 0.35 + 0.45 * grey)
    border = np.zeros(front.shape, dtype=bool)
    border[:, 1:] |= front[:, 1:] != front[:, :-1]
    border[1:, :] |= front[1:, :] != front[:-1, :]
    return np.where(border, 1.0, mixed).astype(picture.dtype)


def _middle(region: np.ndarray) -> tuple[float, float]:
    """Return the region's pixel (x, y) that is nearest to its centroid: inside, even where the region is bent."""
    y, x = np.nonzero(region)
    nearest = np.argmin((x - x.mean()) ** 2 + (y - y.mean()) ** 2)
    return float(x[nearest]), float(y[nearest])
