"""How a figure reaches its reader: as a PNG that is the same every time, and with words for who cannot see it."""

import base64
import html
import io
import sys

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image

from posecourse.viz.style import styled

__all__ = ["checked_alt", "encoded", "html_image", "png", "settle", "show"]

_FEWEST_WORDS = 6
_COLOURS_OF_A_PLOT = 4096


def show(fig: Figure, *, alt: str) -> None:
    """Show a figure below its cell, and close it.

    The picture is an HTML image with its description inside, which JupyterLab, a saved notebook and a page made by
    nbconvert all keep. Outside of a notebook the description is printed.

    Args:
        fig: the figure.
        alt: at least a sentence for readers who do not see the picture: what is plotted, then the finding with its
            number.

    Raises:
        ValueError: `alt` is no sentence.
    """
    alt = checked_alt(alt)
    if _in_notebook():
        from IPython.display import display

        display({"text/html": html_image(png(fig), alt), "text/plain": alt}, raw=True)
    else:
        print(alt)
    if (pyplot := sys.modules.get("matplotlib.pyplot")) is not None:
        pyplot.close(fig)  # a figure that pyplot made would be shown a second time


def checked_alt(alt: str) -> str:
    """Return a description on one line.

    Raises:
        ValueError: it has fewer than six words or does not end as a sentence does.
    """
    alt = " ".join(alt.split())
    if len(alt.split()) < _FEWEST_WORDS or alt[-1] not in ".!?":
        raise ValueError(
            f"alt must be a sentence of at least {_FEWEST_WORDS} words with its full stop, for readers who do not see "
            f"the picture; got {alt!r}. Say what is plotted, then the finding with its number."
        )
    return alt


def png(fig: Figure) -> bytes:
    """Return the figure as a PNG without date, version or any other thing that differs from run to run."""
    settle(fig)
    with styled():
        fig.canvas.draw()
    return encoded(fig, compact=True)


def settle(fig: Figure) -> None:
    """Let the layout find its place: matplotlib's comes to rest after two or three rounds, not after one."""
    engine = fig.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        with styled():
            for _ in range(3):
                engine.execute(fig)


def encoded(fig: Figure, *, compact: bool) -> bytes:
    """Return the pixels that the figure's canvas holds as a PNG.

    Args:
        fig: a figure that has been drawn.
        compact: make the file small, though slowly: what holds a photograph (more than 4,096 colours) keeps 64 levels
            a channel, which nobody sees and which takes a third off the file.
    """
    pixels = np.asarray(fig.canvas.buffer_rgba())[..., :3]  # type: ignore[attr-defined]  # H W RGB; the ground is opaque
    picture, stream = Image.fromarray(pixels), io.BytesIO()
    if compact and picture.getcolors(_COLOURS_OF_A_PLOT) is None:
        rounded = (pixels.astype(int) + 2) // 4 * 4
        picture = Image.fromarray(rounded.clip(0, 255).astype(np.uint8))
    picture.save(stream, "png", **({"optimize": True} if compact else {"compress_level": 1}))
    return stream.getvalue()


def html_image(image: bytes, alt: str) -> str:
    """Return an HTML image element that holds the PNG and its description, one CSS pixel a pixel at most."""
    width, height = Image.open(io.BytesIO(image)).size
    source = base64.b64encode(image).decode("ascii")
    return (
        f'<img alt="{html.escape(alt, quote=True)}" width="{width}" height="{height}" '
        f'style="max-width: 100%; height: auto;" src="data:image/png;base64,{source}">'
    )


def _in_notebook() -> bool:
    """Tell whether IPython runs, without importing it."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None
