"""Turn the noise and the length that is assumed, and see where a limb is drawn and what that is worth.

Lesson: 09.
"""

from ipywidgets import FloatSlider
from jaxtyping import Float
from torch import Tensor

from posecourse.viz import LimbPicture, describe_limb
from posecourse.widgets.panel import Drawn, Panel

__all__ = ["limb"]


def limb(truth: Float[Tensor, "2 2"], noise: Float[Tensor, "2 2"], sigma: float = 3.0) -> Panel:
    """Return `viz.limb` with sliders for the noise and for the length that is assumed, at first the true one.

    Args:
        truth: (x, y) of parent and child, in pixels.
        noise: this pair's, a standard normal draw.
        sigma: of the noise on each end, an axis, in pixels, at first.
    """
    drawing = LimbPicture(truth, noise)
    true = round(float((truth[1] - truth[0]).norm()), 1)

    def draw(noise_px: float, length: float) -> Drawn:
        return Drawn(drawing.png(noise_px, length), describe_limb(truth, noise, noise_px, length))

    return Panel(
        draw,
        noise_px=FloatSlider(
            value=sigma, min=0.02 * true, max=0.2 * true, step=0.01 * true, description="noise", readout_format=".1f",
            tooltip="Standard deviation of the noise on each end, an axis, in pixels.",
        ),
        length=FloatSlider(
            value=true, min=0.5 * true, max=1.5 * true, step=0.02 * true, description="length", readout_format=".1f",
            tooltip="The length that the limb is drawn to, in pixels, right or wrong.",
        ),
    )  # fmt: skip
