"""Turn the temperature of a softmax, and see the distribution melt and its mean wander off.

Lesson: 03.
"""

from collections.abc import Sequence

import torch
from ipywidgets import FloatLogSlider, SelectionSlider

from posecourse.seeding import generator
from posecourse.viz import TemperaturePicture, describe_temperature
from posecourse.viz.pictures import Map
from posecourse.widgets.panel import Drawn, Panel

__all__ = ["temperature"]


def temperature(values: Map, truth: Sequence[float], noises: Sequence[float] = (0.0, 0.02, 0.05, 0.1)) -> Panel:
    """Return `viz.temperature` with sliders for the temperature and for the noise on the map.

    Args:
        values: (H W), the heatmap.
        truth: (x, y) in cells.
        noises: standard deviations of white noise that can be chosen, in the unit of the heatmap.
    """
    clean = torch.as_tensor(values)
    white = torch.randn(clean.shape, generator=generator(0))
    maps = {noise: clean + noise * white for noise in noises}
    pictures = {noise: TemperaturePicture(map_, truth) for noise, map_ in maps.items()}

    def draw(temperature: float, noise: float) -> Drawn:
        return Drawn(pictures[noise].png(temperature), describe_temperature(maps[noise], truth, temperature))

    return Panel(
        draw,
        temperature=FloatLogSlider(
            value=0.1, min=-2, max=0.5, step=0.05, description="T", readout_format=".3f",
            tooltip="The temperature, by which the map is divided.",
        ),
        noise=SelectionSlider(
            options=list(noises), value=noises[0], description="noise",
            tooltip="Standard deviation of the noise on every cell; the blob is 1 high.",
        ),
    )  # fmt: skip
