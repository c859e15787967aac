"""Move the threshold of grouping over a crowd, and see who becomes one person, or two.

Lesson: 05.
"""

from ipywidgets import FloatSlider
from jaxtyping import Float
from torch import Tensor

from posecourse.skeletons import Skeleton
from posecourse.viz import GroupedPicture, TaggedCandidates, describe_grouped
from posecourse.widgets.panel import Drawn, Panel

__all__ = ["grouped"]


def grouped(
    picture: Float[Tensor, "3 H W"],
    found: TaggedCandidates,
    skeleton: Skeleton,
    threshold: float = 0.5,
    *,
    most: float = 2.0,
) -> Panel:
    """Return `viz.grouped` with a slider for the threshold.

    Args:
        picture: RGB in [0, 1].
        found: candidates of this picture.
        skeleton: names the keypoints and limbs.
        threshold: at first, in the tags' unit.
        most: the slider's end.
    """
    drawing = GroupedPicture(picture, found, skeleton)

    def draw(threshold: float) -> Drawn:
        return Drawn(drawing.png(threshold), describe_grouped(found, threshold))

    slider = FloatSlider(
        value=threshold, min=0.05, max=most, step=0.05, description="threshold", readout_format=".2f",
        tooltip="How far a tag may be from the mean tag of the group that it joins.",
    )  # fmt: skip
    return Panel(draw, threshold=slider)
