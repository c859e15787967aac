"""Ask a network more often, drop more of it, and see the ellipses of its answers grow.

Lesson: 08.
"""

from collections.abc import Sequence

from ipywidgets import IntSlider, SelectionSlider
from jaxtyping import Float
from torch import Tensor

from posecourse.viz import ScatterPicture, describe_scattered
from posecourse.widgets.panel import Drawn, Panel

__all__ = ["scattered"]


def scattered(
    picture: Float[Tensor, "3 H W"],
    rates: Sequence[float],
    draws: Float[Tensor, "R S K 2"],
    truth: Float[Tensor, "K 2"],
    samples: int = 10,
) -> Panel:
    """Return `viz.scattered` with sliders for the number of answers and for the dropout rate.

    Args:
        picture: what the network was asked about.
        rates: R dropout rates; the first of them is shown at first.
        draws: from `uncertainty.mc_dropout_at_rates`, of one picture: the network is asked beforehand, so that the
            sliders only show.
        truth: the true places.
        samples: how many answers at first.
    """
    drawing = ScatterPicture(picture, rates, draws, truth)

    def draw(samples: int, rate: int) -> Drawn:
        words = describe_scattered(picture, rates, draws, truth, samples=samples, rate=rate)
        return Drawn(drawing.png(samples, rate), words)

    most = draws.shape[1]
    return Panel(
        draw,
        samples=IntSlider(
            value=min(samples, most), min=3, max=most, description="answers",
            tooltip="How often the network was asked, with another part of it dropped each time.",
        ),
        rate=SelectionSlider(
            options=[(f"{rate:.2f}", index) for index, rate in enumerate(rates)], value=0, description="rate p",
            tooltip="The probability that a feature is dropped.",
        ),
    )  # fmt: skip
