"""Drawing again what moves, and only that: how a slider gets its picture in a few hundredths of a second."""

from collections.abc import Hashable, Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.figure import Figure

from posecourse.viz.display import encoded, settle
from posecourse.viz.style import styled

__all__ = ["Repaint"]


class Repaint:
    """A figure whose still part is drawn once a scene and whose moving part is drawn on top every time.

    Args:
        fig: the figure; its layout is fixed from now on.
        moving: what changes within a scene, drawn in this order, above everything else.
    """

    def __init__(self, fig: Figure, moving: Sequence[Artist]) -> None:
        self._figure = fig
        self._moving = tuple(moving)
        self._scenes: dict[Hashable, Any] = {}
        settle(fig)
        fig.set_layout_engine("none")

    def png(self, scene: Hashable = None, above: Sequence[Artist] = ()) -> bytes:
        """Return the figure as it is now.

        Args:
            scene: names the still part: it must be another one whenever the still part has changed.
            above: further artists of this one picture, drawn last.
        """
        canvas: Any = self._figure.canvas
        with styled():
            if scene not in self._scenes:
                self._scenes[scene] = self._still((*self._moving, *above))
            canvas.restore_region(self._scenes[scene])
            for artist in (*self._moving, *above):
                artist.draw(canvas.get_renderer())
        return encoded(self._figure, compact=False)

    def _still(self, moving: Sequence[Artist]) -> Any:
        """Draw all but what moves, this picture's further artists too, and return the pixels."""
        shown = [artist.get_visible() for artist in moving]
        for artist in moving:
            artist.set_visible(False)
        self._figure.canvas.draw()
        for artist, visible in zip(moving, shown, strict=True):
            artist.set_visible(visible)
        return self._figure.canvas.copy_from_bbox(self._figure.bbox)  # type: ignore[attr-defined]
