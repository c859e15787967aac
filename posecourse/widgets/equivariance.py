"""Turn a picture, and see both ways round the square: turn and ask, ask and turn.

Lesson: 07.
"""

from ipywidgets import SelectionSlider

from posecourse.equivariance import FullTurn
from posecourse.skeletons import Skeleton
from posecourse.viz import TurnedPicture, describe_turned
from posecourse.widgets.panel import Drawn, Panel

__all__ = ["turned"]


def turned(ways: FullTurn, skeleton: Skeleton, degrees: float | None = None) -> Panel:
    """Return `viz.turned` with a slider for the angle.

    Args:
        ways: from `equivariance.full_turn`: the network is asked beforehand, so that the slider only shows.
        skeleton: names the keypoints and limbs.
        degrees: at first; the nearest angle that there is, a third of the way round if not given.
    """
    drawing = TurnedPicture(ways, skeleton)
    wanted = ways.degrees[0] + (ways.degrees[-1] - ways.degrees[0]) * 2 / 3 if degrees is None else degrees
    first = min(range(len(ways.degrees)), key=lambda index: abs(ways.degrees[index] - wanted))

    def draw(angle: int) -> Drawn:
        return Drawn(drawing.png(angle), describe_turned(ways, skeleton, angle))

    slider = SelectionSlider(
        options=[(f"{degrees:.0f}°".replace("-", "−"), index) for index, degrees in enumerate(ways.degrees)],
        value=first, description="angle", tooltip="By how much the picture is turned, counter-clockwise.",
    )  # fmt: skip
    return Panel(draw, angle=slider)
