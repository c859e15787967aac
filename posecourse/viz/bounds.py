"""A line that nothing can be below, drawn so that it is seen to be one.

Lesson: 02.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from torch import Tensor

from posecourse.viz.arrays import as_array
from posecourse.viz.style import INK, UNCOUNTED

__all__ = ["forbid_below"]


def forbid_below(
    ax: Axes, x: Tensor | np.ndarray | Sequence[float], least: Tensor | np.ndarray | Sequence[float], label: str = ""
) -> Line2D:
    """Draw a lower bound as a thick line, and shade what lies below it.

    Call it when the limits of the axes are final: the shade reaches down to the lower one.

    Args:
        ax: the axes.
        x: where the bound is known.
        least: the bound there.
        label: of the line, for `label_ends`.
    """
    places, bound = (as_array(v) if isinstance(v, Tensor) else np.asarray(v, dtype=float) for v in (x, least))
    limits = ax.get_ylim()
    ax.fill_between(places, bound, limits[0], color=UNCOUNTED["color"], alpha=0.18, linewidth=0, zorder=0.5)
    (line,) = ax.plot(places, bound, color=INK, linewidth=2.2, linestyle="-", label=label or "_bound", zorder=1)
    ax.set_ylim(limits)
    return line
