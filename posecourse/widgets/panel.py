"""Controls above a picture: whenever one of them moves, a pure function draws the picture again."""

import html
from collections.abc import Callable
from typing import Any, NamedTuple

import ipywidgets

from posecourse.viz import checked_alt, html_image

__all__ = ["Drawn", "Panel"]


class Drawn(NamedTuple):
    """What a drawing function returns."""

    image: bytes
    """A PNG."""
    words: str
    """The same in a sentence, with its numbers."""


class Panel(ipywidgets.VBox):
    """Controls, the picture that they decide, and what it shows in words.

    The words stand below the picture and are announced by screen readers. A saved notebook, GitHub and nbconvert get
    the picture of the moment with its words. An error in the drawing function is shown in the panel, and the last
    good picture stays.

    Args:
        draw: takes the controls' values by name and returns `Drawn`. It should answer within a tenth of a second.
        **controls: sliders and the like, by the name of the argument; reached again as `panel.controls[name]`.
    """

    def __init__(self, draw: Callable[..., Drawn], **controls: ipywidgets.ValueWidget) -> None:
        self._draw = draw
        self.controls = controls
        self.words = ""
        # No tooltip here: an Image has no description, and the browser's half of ipywidgets 8.1 then draws nothing.
        self._picture = ipywidgets.Image(
            format="png", layout={"max_width": "100%", "height": "auto", "align_self": "flex-start"}
        )
        self._caption = ipywidgets.HTML()
        self._problem = ipywidgets.HTML()
        for control in controls.values():
            control.tooltip = control.tooltip or control.description
            control.layout.width = control.layout.width or "min(32em, 100%)"
            control.observe(self._repaint, names="value")
        super().__init__([*controls.values(), self._picture, self._caption, self._problem])
        self._repaint()

    @property
    def image(self) -> bytes:
        """The picture of the moment, a PNG."""
        return bytes(self._picture.value)

    @property
    def problem(self) -> str:
        """What went wrong when the picture was last drawn, as HTML; empty if nothing did."""
        return str(self._problem.value)

    def _repaint(self, _: object = None) -> None:
        """Draw for the controls' values of the moment."""
        try:
            drawn = self._draw(**{name: control.value for name, control in self.controls.items()})
            self.words = checked_alt(drawn.words)
        except Exception as error:  # a callback's traceback would end in a log that nobody reads
            told = html.escape(f"{type(error).__name__}: {error}")
            self._problem.value = f'<p role="alert"><strong>The picture was not drawn again.</strong> {told}</p>'
            return
        self._picture.value = drawn.image
        self._caption.value = f'<p role="status">{html.escape(self.words)}</p>'
        self._problem.value = ""

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """Return the live panel for Jupyter, and the picture with its words for whoever cannot run it."""
        bundle: dict[str, Any] = dict(super()._repr_mimebundle_(**kwargs) or {})
        if self.image:
            bundle |= {"text/plain": self.words, "text/html": html_image(self.image, self.words)}
        return bundle
