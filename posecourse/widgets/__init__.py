"""Interactive demos: a pure function that draws, and a few sliders that call it.

Every demo works with the keyboard, answers within a tenth of a second, says in words what it shows, and has a static
picture in `viz` that shows the same on paper.
"""

from posecourse.widgets.constraints import limb
from posecourse.widgets.coordinates import frames
from posecourse.widgets.decoding import decoders
from posecourse.widgets.equivariance import turned
from posecourse.widgets.fusion import fusion
from posecourse.widgets.grouping import grouped
from posecourse.widgets.panel import Drawn, Panel
from posecourse.widgets.people import flip_book
from posecourse.widgets.representations import targets
from posecourse.widgets.temperature import temperature
from posecourse.widgets.uncertainty import scattered
from posecourse.widgets.visibility import kept

__all__ = [
    "Drawn",
    "Panel",
    "decoders",
    "flip_book",
    "frames",
    "fusion",
    "grouped",
    "kept",
    "limb",
    "scattered",
    "targets",
    "temperature",
    "turned",
]
