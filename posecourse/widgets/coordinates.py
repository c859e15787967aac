"""Move a point over pixels and cells, and read its name in every frame.

Lesson: 00.
"""

from collections.abc import Sequence

from ipywidgets import FloatSlider, SelectionSlider

from posecourse.viz import FramesPicture, describe_frames
from posecourse.widgets.panel import Drawn, Panel

__all__ = ["frames"]


def frames(size: Sequence[int] = (8, 16), strides: Sequence[int] = (1, 2, 4, 8)) -> Panel:
    """Return `viz.frames` with sliders for the point's x and y, and for the stride of the cells.

    Args:
        size: (H, W) of the picture in pixels.
        strides: which ones can be chosen, in pixels per cell.
    """
    picture = FramesPicture(size)
    H, W = size

    def draw(x: float, y: float, stride: int) -> Drawn:
        return Drawn(picture.png((x, y), stride), describe_frames((x, y), size, stride))

    return Panel(
        draw,
        x=_slider("x (pixels)", W, "The point's x in pixels: −0.5 is the picture's left edge."),
        y=_slider("y (pixels)", H, "The point's y in pixels: −0.5 is the picture's upper edge."),
        stride=SelectionSlider(
            options=list(strides), value=strides[len(strides) // 2], description="stride s",
            tooltip="Pixels per cell, along x and along y.",
        ),
    )  # fmt: skip


def _slider(description: str, pixels: int, tooltip: str) -> FloatSlider:
    """Return a slider from edge to edge in tenths of a pixel; the far edge itself belongs to the next pixel."""
    start = round(0.58 * pixels, 1)
    return FloatSlider(
        value=start, min=-0.5, max=pixels - 0.6, step=0.1, description=description, tooltip=tooltip,
        readout_format=".1f",
    )  # fmt: skip
