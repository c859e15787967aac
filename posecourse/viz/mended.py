"""A skeleton as it was found, and as a constraint leaves it.

Lesson: 09.
"""

import torch
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from posecourse.shapes import require_same_shape
from posecourse.skeletons import Skeleton
from posecourse.viz.figures import row, title
from posecourse.viz.overlays import draw_error, draw_prediction, draw_skeleton, draw_truth
from posecourse.viz.pictures import Picture, image
from posecourse.viz.places import number

__all__ = ["describe_mended", "mended"]


def mended(
    picture: Picture,
    truth: Float[Tensor, "K 2"],
    before: Float[Tensor, "K 2"],
    after: Float[Tensor, "K 2"],
    skeleton: Skeleton,
    mask: Bool[Tensor, " K"] | None = None,
) -> Figure:
    """Draw one person's skeleton before and after a constraint, with its errors: ring true, cross found.

    Args:
        picture: RGB in [0, 1].
        truth: (x, y) in the picture's pixels.
        before: as found, likewise.
        after: as the constraint leaves it.
        skeleton: names keypoints and limbs.
        mask: which keypoints are shown; all if not given.

    Returns:
        The figure, for `headline` and `show`; `describe_mended` is its description.

    Raises:
        ValueError: not one person's keypoints, all of one shape, or none of them counts.
    """
    shown = _shown(truth, before, after, mask)
    fig, axes = row(2)
    for ax, points, name in zip(axes, (before, after), ("as found", "drawn to its lengths"), strict=True):
        image(ax, picture)
        draw_skeleton(ax, points, torch.where(shown, 2, 0).to(torch.uint8), skeleton)
        draw_error(ax, truth, points, shown)
        draw_truth(ax, truth, shown, size=5)
        draw_prediction(ax, points, shown, size=4)
        title(ax, f"{name}: RMS {number(_rms(truth, points, shown), 2)} px")
        _close_up(ax, torch.cat([truth[shown], before[shown], after[shown]]), picture)
    return fig


def describe_mended(
    truth: Float[Tensor, "K 2"],
    before: Float[Tensor, "K 2"],
    after: Float[Tensor, "K 2"],
    mask: Bool[Tensor, " K"] | None = None,
) -> str:
    """Return in words what `mended` draws."""
    shown = _shown(truth, before, after, mask)
    first, then = ((points - truth).norm(dim=-1)[shown] for points in (before, after))
    return (
        f"A person's {int(shown.sum())} keypoints before and after: the RMS distance to the truth goes from "
        f"{number(_rms(truth, before, shown), 2)} to {number(_rms(truth, after, shown), 2)} px; "
        f"{int((then < first).sum())} keypoints are nearer than before, {int((then > first).sum())} are farther."
    )


def _close_up(ax: Axes, points: Tensor, picture: Picture) -> None:
    """Show the square about all points, a tenth wider than they are, as far as there is a picture."""
    low, high = points.amin(0), points.amax(0)
    half = 0.55 * float((high - low).max()) + 1
    (x, y), (H, W) = ((low + high) / 2).tolist(), picture.shape[1:]
    ax.set(xlim=(max(-0.5, x - half), min(W - 0.5, x + half)), ylim=(min(H - 0.5, y + half), max(-0.5, y - half)))


def _rms(truth: Tensor, points: Tensor, shown: Tensor) -> float:
    return float((points - truth)[shown].square().sum(-1).mean().sqrt())


def _shown(truth: Tensor, before: Tensor, after: Tensor, mask: Tensor | None) -> Tensor:
    """Return which keypoints are shown: those that count and are finite everywhere."""
    require_same_shape(truth, before, "truth and before")
    require_same_shape(truth, after, "truth and after")
    shown = torch.stack([points.isfinite().all(-1) for points in (truth, before, after)]).all(0)
    shown = shown if mask is None else shown & mask
    if not bool(shown.any()):
        raise ValueError("no keypoint counts and is finite before and after: there is nothing to show.")
    return shown
