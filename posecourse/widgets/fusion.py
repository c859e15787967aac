"""Turn the correlation of two heads' errors, and see their average become worse than the better of them.

Lesson: 06.
"""

from ipywidgets import FloatSlider

from posecourse.viz import FusedPicture, describe_fused_ellipses
from posecourse.widgets.panel import Drawn, Panel

__all__ = ["fusion"]


def fusion(rho: float = 0.5, ratio: float = 2.0) -> Panel:
    """Return `viz.fused_ellipses` with sliders for the correlation and for the ratio of the standard deviations.

    Args:
        rho: at first, between −0.95 and 0.95.
        ratio: at first, between 1 and 3.
    """
    picture = FusedPicture()

    def draw(rho: float, ratio: float) -> Drawn:
        return Drawn(picture.png(rho, ratio), describe_fused_ellipses(rho, ratio))

    return Panel(
        draw,
        rho=FloatSlider(
            value=rho, min=-0.95, max=0.95, step=0.05, description="rho", readout_format=".2f",
            tooltip="The correlation of the two heads' errors, the same along x and along y.",
        ),
        ratio=FloatSlider(
            value=ratio, min=1, max=3, step=0.1, description="ratio", readout_format=".1f",
            tooltip="How many times as much head 2 errs along x as head 1 does.",
        ),
    )  # fmt: skip
