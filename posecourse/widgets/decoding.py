"""Move the true place under a coarse grid, and see every decoder's answer and its error.

Lesson: 02.
"""

from collections.abc import Sequence

from ipywidgets import FloatSlider, SelectionSlider

from posecourse.viz import DecodersPicture, describe_decoders
from posecourse.widgets.panel import Drawn, Panel

__all__ = ["decoders"]


def decoders(point_px: Sequence[float] = (44.2, 29.6), strides: Sequence[int] = (4, 8, 16)) -> Panel:
    """Return `viz.decoders` with sliders for the keypoint's x and y, for the stride and for the noise.

    Args:
        point_px: (x, y) in pixels of a picture of 96 × 64, where the keypoint is at first.
        strides: which ones can be chosen, in pixels per cell; they divide 32.
    """
    pictures = {stride: DecodersPicture(stride) for stride in strides}

    def draw(x: float, y: float, stride: int, noise: float) -> Drawn:
        return Drawn(pictures[stride].png((x, y), noise), describe_decoders((x, y), stride, noise))

    return Panel(
        draw,
        x=_slider("x (pixels)", float(point_px[0]), 96, "The keypoint's x in pixels."),
        y=_slider("y (pixels)", float(point_px[1]), 64, "The keypoint's y in pixels."),
        stride=SelectionSlider(
            options=list(strides), value=strides[len(strides) // 2], description="stride s",
            tooltip="Pixels per cell, along x and along y.",
        ),
        noise=FloatSlider(
            value=0.0, min=0.0, max=0.2, step=0.02, description="noise n", readout_format=".2f",
            tooltip="Standard deviation of what is added to every cell; the blob is 1 high.",
        ),
    )  # fmt: skip


def _slider(description: str, start: float, pixels: int, tooltip: str) -> FloatSlider:
    """Return a slider over the picture in tenths of a pixel."""
    return FloatSlider(
        value=start, min=0, max=pixels - 1, step=0.1, description=description, tooltip=tooltip, readout_format=".1f"
    )
