"""Turn the pages of a rendered sequence: one person through a stride, or round their own axis.

Lesson: 00.
"""

import torch
from ipywidgets import Checkbox, IntSlider

from posecourse.samples import Sample
from posecourse.viz import PeoplePicture
from posecourse.widgets.panel import Drawn, Panel

__all__ = ["flip_book"]


def flip_book(sample: Sample, description: str = "picture") -> Panel:
    """Return a sample's pictures one at a time, under a slider, with or without the skeleton.

    The pictures are rendered beforehand, so that the slider only shows them.

    Args:
        sample: pictures in their order, such as the phases of a stride.
        description: what the slider counts.
    """
    picture = PeoplePicture(sample)

    def draw(index: int, skeleton: bool) -> Drawn:
        return Drawn(picture.png(index, skeleton), _words(sample, index, description))

    return Panel(
        draw,
        index=IntSlider(
            value=0, max=len(sample) - 1, description=description, tooltip="Which of the pictures is shown."
        ),
        skeleton=Checkbox(value=True, description="skeleton", tooltip="Draw keypoints and limbs over the picture."),
    )  # fmt: skip


def _words(sample: Sample, index: int, description: str) -> str:
    """Say which picture it is and which keypoints are hidden in it."""
    hidden = (sample.visibility[index] == 1).reshape(-1, len(sample.skeleton)).any(dim=0)
    names = [sample.skeleton.names[k].replace("_", " ") for k in torch.nonzero(hidden)[:, 0].tolist()]
    return (
        f"This is {description} {index}, the last is {len(sample) - 1}; hidden keypoints: {', '.join(names) or 'none'}."
    )
