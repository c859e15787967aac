"""The three sizes of a figure, its headline, and lines that are labelled where they end."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from posecourse.viz.style import styled

__all__ = ["GALLERY", "ROW", "SINGLE", "changing_title", "gallery", "headline", "label_ends", "row", "single", "title"]

SINGLE = (4.8, 3.0)
"""One plot: width and height in inches, as for the two other sizes."""

ROW = (7.2, 2.9)
"""Two to four panels beside each other."""

GALLERY = (7.2, 5.4)
"""A grid of pictures, or one large picture."""

_LONGEST_HEADLINE = 70


def single() -> tuple[Figure, Axes]:
    """Return a figure of 4.8 × 3.0 inches and its axes."""
    fig, axes = _figure(SINGLE, 1, 1)
    return fig, axes[0, 0]


def row(panels: int, **more: Any) -> tuple[Figure, np.ndarray]:
    """Return a figure of 7.2 × 2.9 inches and its axes, an array (panels).

    Args:
        panels: how many plots stand beside each other.
        **more: what `Figure.subplots` takes, such as `sharey=True` or `width_ratios=(2, 1)`.
    """
    fig, axes = _figure(ROW, 1, panels, **more)
    return fig, axes[0]


def gallery(rows: int, columns: int, **more: Any) -> tuple[Figure, np.ndarray]:
    """Return a figure of 7.2 × 5.4 inches and its axes, an array (rows, columns).

    Args:
        rows: of panels.
        columns: of panels.
        **more: what `Figure.subplots` takes, such as `sharex=True`.
    """
    return _figure(GALLERY, rows, columns, **more)


def _figure(inches: tuple[float, float], rows: int, columns: int, **more: Any) -> tuple[Figure, np.ndarray]:
    """Make a figure that pyplot knows nothing of: nothing shows it by itself, and nothing must be closed."""
    if rows < 1 or columns < 1:
        raise ValueError(f"a figure needs at least one row and one column of panels; got {rows} × {columns}.")
    with styled():
        fig = Figure(figsize=inches, layout="constrained")
        FigureCanvasAgg(fig)
        axes = fig.subplots(rows, columns, squeeze=False, **more)
    return fig, axes


def headline(fig: Figure, text: str) -> None:
    """Write the finding over a figure, from its left edge, on two lines where one does not hold it.

    Args:
        fig: the figure.
        text: what the figure shows, as a sentence of at most 70 characters ("Argmax error grows as stride / 4").

    Raises:
        ValueError: the text is empty or longer than 70 characters.
    """
    text = " ".join(text.split())
    if not 0 < len(text) <= _LONGEST_HEADLINE:
        raise ValueError(
            f"a headline is a finding in at most {_LONGEST_HEADLINE} characters; got {len(text)}: {text!r}. "
            "State the finding alone; the rest belongs in the text below the figure."
        )
    with styled():
        written = fig.suptitle(text, x=0.012, ha="left", linespacing=1.25)
        for lines in (2, 3):
            if _width(written) > fig.bbox.width * 0.97:
                written.set_text("\n".join(textwrap.wrap(text, width=len(text) // lines + 6)))


def title(ax: Axes, text: str) -> None:
    """Write a short label over one panel, from its left edge."""
    with styled():
        ax.set_title(text, linespacing=1.3)


def changing_title(ax: Axes) -> Text:
    """Return a line over the panel that can be written anew; an empty title keeps its place free."""
    with styled():
        ax.set_title(" ")
        return ax.annotate(
            " ", (0, 1), (0, 5), "axes fraction", "offset points", va="bottom", in_layout=False, annotation_clip=False
        )


def _width(text: Text) -> float:
    """Return how wide a text is on the canvas, in dots."""
    return text.get_window_extent(text.get_figure().canvas.get_renderer()).width  # type: ignore[union-attr]


def label_ends(ax: Axes, lines: Sequence[Line2D] | None = None) -> list[Text]:
    """Write each line's label beside its last point, in a dark shade of its colour, none on top of another.

    Args:
        ax: the axes; call this when limits and scales are final.
        lines: which lines; all that were plotted with a `label` if not given.

    Returns:
        The labels, in the order of the lines.

    Raises:
        ValueError: no line has a label. Plot with `label=…`.
    """
    lines = [line for line in ax.get_lines() if not str(line.get_label()).startswith("_")] if lines is None else lines
    if not lines:
        raise ValueError("no line of these axes has a label. Plot with label='…', then call label_ends(ax).")
    ax.get_figure().draw_without_rendering()  # type: ignore[union-attr]  # the places below need the final layout
    ends = np.array([_last_point(line) for line in lines], dtype=float)
    heights = ax.transData.transform(ends)[:, 1] * 72 / ax.get_figure().dpi  # type: ignore[union-attr]
    shifts = _spread(heights, gap=11.0) - heights
    return [
        ax.annotate(
            str(line.get_label()), tuple(end), xytext=(6, shift), textcoords="offset points", va="center",
            color=_dark(line.get_color()), annotation_clip=False, fontsize=8.5,
        )
        for line, end, shift in zip(lines, ends, shifts, strict=True)
    ]  # fmt: skip


def _last_point(line: Line2D) -> tuple[float, float]:
    """Return the last point (x, y) of a line that is not NaN."""
    x, y = (np.asarray(values, dtype=float) for values in line.get_data())
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if not len(known):
        raise ValueError(f"the line {line.get_label()!r} has no finite point to be labelled at.")
    return x[known[-1]], y[known[-1]]


def _spread(heights: np.ndarray, gap: float) -> np.ndarray:
    """Return the heights moved apart as little as need be, so that neighbours are `gap` points from each other.

    Labels that touch form a block whose mean height is kept (the pool-adjacent-violators algorithm).
    """
    order = np.argsort(heights, kind="stable")
    blocks: list[list[float]] = []  # [sum of (height − gap · rank), members]
    for rank, height in enumerate(heights[order]):
        blocks.append([height - gap * rank, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, members = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += members
    levels = np.repeat([total / members for total, members in blocks], [int(members) for _, members in blocks])
    spread = np.empty_like(heights)
    spread[order] = levels + gap * np.arange(len(heights))
    return spread


def _dark(color: Any) -> str:
    """Return the colour mixed with black until small text in it can be read on white (7:1 or near it)."""
    red, green, blue = to_rgb(color)
    return to_hex((0.7 * red, 0.7 * green, 0.7 * blue))
