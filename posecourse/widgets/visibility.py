"""Move the threshold of predicted visibility over a crowd, and see which keypoints stay.

Lesson: 04.
"""

from ipywidgets import FloatSlider
from jaxtyping import Float
from torch import Tensor

from posecourse.samples import Sample
from posecourse.viz import KeptPicture, describe_kept
from posecourse.widgets.panel import Drawn, Panel

__all__ = ["kept"]


def kept(
    crowd: Sample, keypoints: Float[Tensor, "N K 2"], probabilities: Float[Tensor, "N K"], threshold: float = 0.5
) -> Panel:
    """Return `viz.kept` with a slider for the threshold.

    Args:
        crowd: one picture, of a crowd.
        keypoints: as predicted, (x, y) in the picture's pixels, one row a place of the crowd.
        probabilities: predicted, that each keypoint is visible.
        threshold: at first.
    """
    drawing = KeptPicture(crowd, keypoints, probabilities)

    def draw(threshold: float) -> Drawn:
        return Drawn(drawing.png(threshold), describe_kept(crowd, probabilities, threshold))

    slider = FloatSlider(
        value=threshold, min=0.0, max=1.0, step=0.05, description="threshold", readout_format=".2f",
        tooltip="Keypoints whose predicted visibility is at least this are kept.",
    )  # fmt: skip
    return Panel(draw, threshold=slider)
