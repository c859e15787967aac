"""One place, three frames: a few pixels with the coarser cells over them, and a ruler in each.

Lesson: 00.
"""

from collections.abc import Sequence

from matplotlib.figure import Figure

from posecourse.shapes import checked_size
from posecourse.viz.figures import row, title
from posecourse.viz.places import conversions, place
from posecourse.viz.repaint import Repaint
from posecourse.viz.rulers import Rulers, Table

__all__ = ["FramesPicture", "frames", "frames_by_stride"]


def frames(point_px: Sequence[float], size: Sequence[int] = (8, 16), stride: int = 4) -> Figure:
    """Draw one point on a few pixels, with the cells over them and its coordinates in all frames beside.

    Rulers below and on the left count pixels, those above and on the right count cells: cell = (px + ½) / s − ½ can
    be read off.

    Args:
        point_px: (x, y) in pixels, inside the picture.
        size: (H, W) of the picture in pixels; at most about 16 × 24 stay legible.
        stride: s, pixels per cell.

    Returns:
        The figure, for `headline` and `show`; `describe_frames` with the same arguments is its description.
    """
    return FramesPicture(size).move(point_px, stride)


def frames_by_stride(
    point_px: Sequence[float], size: Sequence[int] = (8, 16), strides: Sequence[int] = (2, 4, 8)
) -> Figure:
    """Draw the same point under several strides, beside each other. Arguments as for `frames`."""
    fig, axes = row(len(strides))
    for ax, stride in zip(axes, strides, strict=True):
        where = place(point_px, size, stride)
        Rulers(ax, where.size, every=4).move(where)
        title(ax, f"stride {stride}\n" + "\n".join(conversions(where)))
    return fig


class FramesPicture:
    """The picture that `frames` returns, made once and then moved, as a slider needs it.

    Args:
        size: (H, W) of the picture in pixels.
    """

    def __init__(self, size: Sequence[int] = (8, 16)) -> None:
        self.figure, (left, right) = row(2, width_ratios=(1.55, 1))
        self._size = checked_size(size)
        self._rulers, self._table = Rulers(left, self._size), Table(right)
        self._repaint: Repaint | None = None

    def move(self, point_px: Sequence[float], stride: int) -> Figure:
        """Draw the point there, under cells of that stride, and return the figure, which is the same every time."""
        where = place(point_px, self._size, stride)
        self._rulers.move(where)
        self._table.move(where)
        return self.figure

    def png(self, point_px: Sequence[float], stride: int) -> bytes:
        """Return the picture of the point there as a PNG, several times as fast as drawing all of it."""
        self.move(point_px, stride)
        if self._repaint is None:
            self._repaint = Repaint(self.figure, [*self._rulers.moving, *self._table.moving])
        return self._repaint.png(scene=stride)
