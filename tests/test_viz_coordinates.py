"""The picture of the frames: does it show, write and say what is true of a point?"""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.text import Text
from PIL import Image

from posecourse import viz

SIZE = (9, 14)


def test_a_point_by_hand() -> None:
    """Do a point's names agree with the arithmetic done by hand: (9.3 + .5) / 4 − .5 = 1.95 and so on?"""
    where = viz.place((9.3, 4.6), (8, 16), 4)
    assert where.cell == pytest.approx((1.95, 0.775))
    assert where.unit == pytest.approx((9.8 / 16, 5.1 / 8))
    assert (where.in_pixel, where.in_cell) == ((9, 5), (2, 1))


@given(st.integers(-50, 1349), st.integers(-50, 849), st.integers(1, 6))
def test_the_cell_that_covers_the_point_holds_its_pixel(x: int, y: int, stride: int) -> None:
    """Is the point's cell the one whose pixels i·s … i·s + s − 1 hold the point's pixel, for any point and stride?"""
    where = viz.place((x / 100, y / 100), SIZE, stride)
    assert where.in_cell == tuple(pixel // stride for pixel in where.in_pixel)
    assert all(abs(pixel - at) <= 0.5 for pixel, at in zip(where.in_pixel, where.px, strict=True))


@pytest.mark.parametrize("point", [(13.5, 2.0), (-0.6, 2.0), (3.0, 8.5), (3.0, float("nan"))])
def test_points_outside_are_refused(point: tuple[float, float]) -> None:
    """Is a point beyond the picture's edge refused with the edges named, W along x and H along y?"""
    with pytest.raises(ValueError, match=r"x from −0.5 to below 13.5, y from −0.5 to below 8.5"):
        viz.place(point, SIZE, 4)


def test_rulers_say_the_same() -> None:
    """Is the point, read off the ruler of cells, at its coordinates in cells?"""
    fig = viz.frames((9.3, 4.6), SIZE, 3)
    ax = fig.axes[0]
    above, beside = ax.child_axes
    where = viz.place((9.3, 4.6), SIZE, 3)
    ticks = above.get_xticks(), beside.get_yticks()
    for axis, (at, labels) in enumerate(zip(ticks, (above.get_xticklabels(), beside.get_yticklabels()), strict=True)):
        numbers = [float(label.get_text()) for label in labels]
        assert np.interp(where.px[axis], at, numbers) == pytest.approx(where.cell[axis], abs=1e-6)
    limits = (*ax.get_xlim(), *ax.get_ylim())
    assert limits == (-0.5, 13.5, 8.5, -0.5)


def test_words_in_the_picture_and_below_it_agree() -> None:
    """Are the numbers drawn the numbers described, rounded as by hand (0.6375 is 0.638), with true minus signs?"""
    drawn = [text.get_text() for text in viz.frames((-0.3, 4.6), (8, 16), 4).axes[1].texts]
    said = viz.describe_frames((-0.3, 4.6), (8, 16), 4)
    for number in ("−0.30", "4.60", "−0.450", "0.775", "0.013", "0.638"):
        assert number in drawn
        assert number in said
    assert "in pixel (0, 5)" in drawn
    assert "in cell (0, 1)" in drawn
    assert viz.checked_alt(said) == said


def test_zero_has_no_sign() -> None:
    """Is the corner of the unit square 0.000, not −0.000?"""
    assert "(0.000, 0.000)" in viz.describe_frames((-0.5, -0.5))


def test_moving_gives_the_picture_that_drawing_anew_gives() -> None:
    """After a walk over places and strides, does the moved picture show the same words and marks as a new one?"""
    moved = viz.FramesPicture(SIZE)
    for point, stride in (((1.0, 1.0), 2), ((12.2, 7.7), 5), ((3.3, 2.2), 3)):
        moved.move(point, stride)
    assert viz.png(moved.figure) == viz.png(viz.frames((3.3, 2.2), SIZE, 3))


def test_fast_pictures_are_the_whole_picture() -> None:
    """Does a redraw of only what moves differ from a whole drawing by no more than shades where things overlap?"""
    fast = viz.FramesPicture(SIZE)
    fast.png((1.0, 1.0), 3)
    quick = np.asarray(Image.open(io.BytesIO(fast.png((3.3, 2.2), 3))), dtype=float)
    whole = np.asarray(Image.open(io.BytesIO(viz.png(viz.frames((3.3, 2.2), SIZE, 3)))), dtype=float)
    assert np.abs(quick - whole).mean() < 0.5  # of 255
    elsewhere = np.asarray(Image.open(io.BytesIO(viz.png(viz.frames((9.0, 6.0), SIZE, 3)))), dtype=float)
    assert np.abs(quick - elsewhere).mean() > 3 * np.abs(quick - whole).mean()


def test_strides_side_by_side() -> None:
    """Does every panel state its own stride and where the point is, and none the formula, which is an exercise?"""
    fig = viz.frames_by_stride((9.3, 4.6), (8, 16), (2, 4, 8))
    titles = [ax.get_title(loc="left").splitlines() for ax in fig.axes]
    assert [title[:2] for title in titles] == [
        ["stride 2", "x: 9.30 px is cell 4.400"],
        ["stride 4", "x: 9.30 px is cell 1.950"],
        ["stride 8", "x: 9.30 px is cell 0.725"],
    ]
    written = [text.get_text() for figure in (fig, viz.frames((9.3, 4.6))) for text in figure.findobj(Text)]
    assert not [text for text in written if "½" in text]


@pytest.mark.parametrize("stride", [1, 2, 4, 8])
@pytest.mark.parametrize("point", [(-0.5, -0.5), (15.4, 7.4)])
def test_nothing_is_cut_off(point: tuple[float, float], stride: int) -> None:
    """Do all words and rulers stay inside the figure and off each other, wherever the point is?"""
    fig = viz.frames(point, (8, 16), stride)
    viz.headline(fig, "One point, three names: pixels, cells, unit square")
    viz.png(fig)
    left, right = fig.axes
    boxes = [left.get_tightbbox(), *(text.get_window_extent() for text in right.texts)]
    width, height = fig.bbox.width, fig.bbox.height
    assert all(box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= height for box in boxes)
    assert all(boxes[0].x1 < box.x0 for box in boxes[1:])
    for index, one in enumerate(boxes[1:], 2):
        assert not any(one.shrunk(0.95, 0.95).overlaps(two.shrunk(0.95, 0.95)) for two in boxes[index:])
