"""Move a keypoint over a picture, and see the vector, the offsets and the heatmap that a network is asked for.

Lesson: 01.
"""

from collections.abc import Sequence

from ipywidgets import FloatSlider

from posecourse.viz import TargetsPicture, describe_targets
from posecourse.viz.pictures import Picture
from posecourse.widgets.panel import Drawn, Panel

__all__ = ["targets"]


def targets(picture: Picture, point_px: Sequence[float]) -> Panel:
    """Return `viz.targets` with sliders for the keypoint's x and y, and for the width of the blob.

    Args:
        picture: (3 H W) RGB in [0, 1]; H and W are multiples of 4.
        point_px: (x, y) in pixels, where the keypoint is at first.
    """
    drawing = TargetsPicture(picture)
    H, W = picture.shape[-2:]

    def draw(x: float, y: float, sigma: float) -> Drawn:
        return Drawn(drawing.png((x, y), sigma), describe_targets((x, y), picture, sigma))

    return Panel(
        draw,
        x=_slider("x (pixels)", float(point_px[0]), W, "The keypoint's x in pixels."),
        y=_slider("y (pixels)", float(point_px[1]), H, "The keypoint's y in pixels."),
        sigma=FloatSlider(
            value=1.0, min=0.5, max=4.0, step=0.1, description="σ (cells)", readout_format=".1f",
            tooltip="How wide the blob of the heatmap is.",
        ),
    )  # fmt: skip


def _slider(description: str, start: float, pixels: int, tooltip: str) -> FloatSlider:
    """Return a slider over the picture in half pixels."""
    return FloatSlider(
        value=round(start * 2) / 2, min=0, max=pixels - 1, step=0.5, description=description, tooltip=tooltip,
        readout_format=".1f",
    )  # fmt: skip
