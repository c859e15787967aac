"""Sizes, headlines, labels at line ends, and how a figure reaches its reader."""

import io
import re
import subprocess
import sys
from html.parser import HTMLParser

import IPython.display
import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from posecourse import viz

ALT = "Error against stride: a straight line that reaches 6.1 px at stride 16."


def size(png: bytes) -> tuple[int, int]:
    """Return (width, height) of a PNG."""
    return Image.open(io.BytesIO(png)).size


@pytest.mark.parametrize(
    ("fig", "inches"),
    [(viz.single()[0], (4.8, 3.0)), (viz.row(3)[0], (7.2, 2.9)), (viz.gallery(3, 5)[0], (7.2, 5.4))],
    ids=["single", "row", "gallery"],
)
def test_three_sizes(fig: Figure, inches: tuple[float, float]) -> None:
    """Are the pictures of the sizes that the look fixes, at 110 dots an inch?"""
    assert size(viz.png(fig)) == tuple(int(round(110 * side, 6)) for side in inches)


def test_panels_are_where_they_are_expected() -> None:
    """Is a row an array of panels, and a gallery one of rows and columns?"""
    assert viz.row(3)[1].shape == (3,)
    assert viz.gallery(3, 5)[1].shape == (3, 5)
    left, right = viz.row(2, sharey=True)[1]
    assert left.get_shared_y_axes().joined(left, right)


@pytest.mark.parametrize("shape", [(0, 5), (3, 0)])
def test_a_gallery_of_nothing(shape: tuple[int, int]) -> None:
    """Does an empty grid say what it needs?"""
    with pytest.raises(ValueError, match="at least one row"):
        viz.gallery(*shape)


@pytest.mark.parametrize("make", [viz.single, lambda: viz.row(2), lambda: viz.gallery(2, 3)])
@pytest.mark.parametrize(
    "text",
    ["Short.", "Argmax error grows as stride / 4 and a little more where the edges bite"[:70], "mmm " * 17 + "mm"],
)
def test_a_headline_fits_its_figure(make: object, text: str) -> None:
    """Does even the longest headline stay inside the smallest figure, from its left edge on?"""
    fig = make()[0]  # type: ignore[operator]
    viz.headline(fig, text)
    viz.png(fig)
    assert fig.get_suptitle().replace("\n", " ") == text
    box = fig._suptitle.get_window_extent()
    assert 0 <= box.x0 < 0.03 * fig.bbox.width
    assert box.x1 <= fig.bbox.width


@pytest.mark.parametrize(("text", "count"), [("x" * 71, "71"), ("  ", "0")])
def test_a_headline_has_a_limit(text: str, count: str) -> None:
    """Does a text that is too long, or none at all, come back with its number of characters?"""
    with pytest.raises(ValueError, match=f"at most 70 characters; got {count}"):
        viz.headline(viz.single()[0], text)


def test_seventy_characters_are_allowed() -> None:
    """Is the limit itself inside?"""
    viz.headline(viz.row(2)[0], "word " * 13 + "words")


def test_labels_stand_at_the_ends_and_apart() -> None:
    """Do labels of lines that end at one place stand right of it, in their order, without touching?"""
    fig, ax = viz.single()
    for name, end in {"b": 1.001, "a": 1.0, "c": 1.002, "far": 9.0}.items():
        ax.plot([0, 1, 2], [0, end, np.nan], label=name)
    labels = dict(zip(["b", "a", "c", "far"], viz.label_ends(ax), strict=True))
    viz.png(fig)
    boxes = {name: label.get_window_extent() for name, label in labels.items()}
    end_x = ax.transData.transform((1, 1))[0]
    assert boxes["a"].y1 <= boxes["b"].y0
    assert boxes["b"].y1 <= boxes["c"].y0
    assert all(end_x < box.x0 and box.x1 <= fig.bbox.width for box in boxes.values())
    assert abs(boxes["far"].y0 + boxes["far"].y1 - 2 * ax.transData.transform((1, 9))[1]) < 4
    middle = (boxes["b"].y0 + boxes["b"].y1) / 2
    assert middle == pytest.approx(ax.transData.transform((1, 1.001))[1], abs=3)


def test_lines_without_labels() -> None:
    """Is somebody who forgot the labels told to give them, and a line of NaNs named?"""
    _, ax = viz.single()
    ax.plot([1, 2])
    with pytest.raises(ValueError, match="label="):
        viz.label_ends(ax)
    ax.plot([np.nan, np.nan], label="lost")
    with pytest.raises(ValueError, match="'lost' has no finite point"):
        viz.label_ends(ax)


@pytest.mark.parametrize("alt", ["", "a figure", "Error against stride, a straight line to 6.1 px", "Nice."])
def test_a_figure_needs_a_sentence(alt: str) -> None:
    """Is a figure refused whose alt text is none, a title, or lacks its full stop?"""
    with pytest.raises(ValueError, match="alt must be a sentence"):
        viz.show(viz.single()[0], alt=alt)


def test_alt_has_no_default() -> None:
    """Is it impossible to show a figure without alt text?"""
    with pytest.raises(TypeError, match="alt"):
        viz.show(viz.single()[0])  # type: ignore[call-arg]


def test_alt_text_is_escaped() -> None:
    """Do quotes, angle brackets and ampersands come out as they went in, and no tag gets through?"""
    alt = 'Truth "<b>" & prediction <img src=x> agree to 0.1 px everywhere.'
    html = viz.html_image(viz.png(viz.single()[0]), alt)
    tags: list[tuple[str, dict[str, str | None]]] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: tags.append((tag, dict(attrs)))  # type: ignore[method-assign]
    parser.feed(html)
    assert [tag for tag, _ in tags] == ["img"]
    assert tags[0][1]["alt"] == alt
    assert tags[0][1]["width"] == "528"
    assert "max-width: 100%" in str(tags[0][1]["style"])


def test_outside_of_a_notebook_words_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Does a script say what the figure shows, and return nothing?"""
    assert viz.show(viz.single()[0], alt=ALT) is None
    assert capsys.readouterr().out == ALT + "\n"


def test_in_a_notebook_the_picture_comes_with_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Does IPython get an HTML image and the words, once, and is nothing printed?"""
    shown: list[dict[str, str]] = []
    monkeypatch.setattr(IPython, "get_ipython", object)
    monkeypatch.setattr(IPython.display, "display", lambda data, raw: shown.append(data) if raw else None)
    viz.show(viz.single()[0], alt=ALT)
    (data,) = shown
    assert data["text/plain"] == ALT
    assert re.match(r'<img alt="Error.*src="data:image/png;base64,', data["text/html"])


def test_a_pyplot_figure_is_closed() -> None:
    """Does showing a figure that pyplot made leave none open?"""
    mpl.use("agg")
    from matplotlib import pyplot as plt

    fig, _ = plt.subplots()
    viz.show(fig, alt=ALT)
    assert plt.get_fignums() == []


def test_pictures_leave_pyplot_alone() -> None:
    """Do our figures work without pyplot ever being loaded, so that none can stay open?"""
    code = (
        "import sys; from posecourse import viz; fig = viz.frames((3.0, 2.0)); viz.headline(fig, 'x');"
        f"viz.png(fig); viz.show(fig, alt={ALT!r}); sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


def drawing() -> Figure:
    """Return a figure with lines and a headline."""
    fig, ax = viz.single()
    ax.plot([0, 1, 4], **viz.RIGHT, label="error")
    viz.label_ends(ax)
    viz.headline(fig, "The error grows")
    return fig


def test_bytes_are_the_same_every_time() -> None:
    """Is the same figure the same file, with neither date nor version in it?"""
    png = viz.png(drawing())
    assert png == viz.png(drawing())
    assert Image.open(io.BytesIO(png)).info == {}


def test_the_ground_is_white_and_opaque() -> None:
    """Is there no transparency for dark mode to shine through?"""
    picture = Image.open(io.BytesIO(viz.png(drawing())))
    assert picture.mode == "RGB"
    assert picture.getpixel((1, 150)) == (255, 255, 255)


def test_a_photograph_takes_little_room() -> None:
    """Is a figure full of different colours stored a quarter smaller, with no channel off by more than 2 of 255?"""
    fig, ax = viz.single()
    yy, xx = np.mgrid[0:1:300j, 0:1:480j]
    picture = np.stack([xx, yy, 0.5 + 0.5 * np.sin(9 * xx * yy)]) + np.random.default_rng(5).normal(
        0, 0.02, (3, 300, 480)
    )
    viz.image(ax, picture)
    stored = viz.png(fig)
    exact = np.asarray(fig.canvas.buffer_rgba())[..., :3]  # type: ignore[attr-defined]
    whole = io.BytesIO()
    Image.fromarray(exact).save(whole, "png", optimize=True)
    assert len(stored) < 0.75 * len(whole.getvalue())
    assert np.abs(np.asarray(Image.open(io.BytesIO(stored))).astype(int) - exact).max() <= 2  # of 255


def test_only_what_moves_is_drawn_again() -> None:
    """Is a repainted figure, pixel for pixel, the figure drawn whole, with what moved on top?"""
    fig, ax = viz.single()
    ax.set(xlim=(0, 10), ylim=(0, 10))
    square = ax.add_patch(Rectangle((1, 1), 2, 2, zorder=9))
    fast = viz.Repaint(fig, [square])
    first = fast.png()
    square.set_xy((5, 6))
    second = fast.png()
    fig.canvas.draw()
    assert first != second
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(second))), np.asarray(fig.canvas.buffer_rgba())[..., :3])  # type: ignore[attr-defined]


def test_a_new_scene_is_drawn_afresh() -> None:
    """Does a still part that has changed show, if and only if its scene has another name?"""
    fig, ax = viz.single()
    square = ax.add_patch(Rectangle((0.1, 0.1), 0.2, 0.2))
    fast = viz.Repaint(fig, [square])
    old = fast.png("old")
    ax.axhline(0.7)
    assert fast.png("old") == old
    assert fast.png("new") != old
