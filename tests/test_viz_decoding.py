"""The picture of the decoders: does it draw and say what they answer, and is a bound a bound?"""

import math
import re

import numpy as np
import pytest
import torch

from posecourse import coords, decode, heatmaps, viz


@pytest.mark.parametrize("stride", [4, 8, 16])
def test_the_errors_are_the_decoders(stride: int) -> None:
    """Without noise, is argmax off by the way to its cell's centre, and the fit by nothing?"""
    result = viz.decoded((43.3, 29.1), stride)
    cell = [(value + 0.5) // stride for value in (43.3, 29.1)]
    nearest = [(i + 0.5) * stride - 0.5 for i in cell]
    assert result.largest == pytest.approx(nearest)
    assert result.errors_px["argmax"] == pytest.approx([n - t for n, t in zip(nearest, (43.3, 29.1), strict=True)])
    assert np.hypot(*result.errors_px["Gaussian fit"]) < 0.02 * stride
    assert result.heights.shape == (64 // stride, 96 // stride)


def test_noise_is_the_same_every_time() -> None:
    """Is a noisy picture a function of its arguments, and does noise of twice the size move the map twice as far?"""
    calm, loud, again = (viz.decoded((43.3, 29.1), 8, noise) for noise in (0.1, 0.2, 0.1))
    blob = heatmaps.gaussian_heatmaps(coords.pixels_to_cells(torch.tensor([[43.3, 29.1]]).double(), 8.0), (8, 12), 1.5)
    assert calm.heights.equal(again.heights)
    torch.testing.assert_close(loud.heights - blob[0], 2 * (calm.heights - blob[0]))


def test_lines_end_where_the_answers_are() -> None:
    """Does each line of the right panel go from the truth to its decoder's error, named in the legend?"""
    fig = viz.decoders((43.3, 29.1), 8, 0.1)
    expected = viz.decoded((43.3, 29.1), 8, 0.1).errors_px
    lines = {str(line.get_label()): line for line in fig.axes[1].get_lines()}
    for name, (x, y) in expected.items():
        assert np.asarray(lines[name].get_data()).tolist() == [[0, x], [0, y]]
    assert {text.get_text() for text in fig.legends[0].get_texts()} == set(expected)


def test_rings_and_crosses_are_in_cells() -> None:
    """On the map, is the ring at the point in cells, and the cross at the largest cell?"""
    fig = viz.decoders((43.3, 29.1), 8)
    ring, cross = (line for line in fig.axes[0].get_lines() if line.get_marker() in "ox")
    truth = coords.pixels_to_cells(torch.tensor([43.3, 29.1]), 8.0)
    assert np.ravel(ring.get_data()) == pytest.approx(truth.tolist(), abs=1e-5)
    assert np.ravel(cross.get_data()).tolist() == truth.round().tolist()


def test_words_name_every_error() -> None:
    """Are the lengths of all errors said, to a hundredth of a pixel?"""
    said = viz.describe_decoders((43.3, 29.1), 8, 0.1)
    for name, error in viz.decoded((43.3, 29.1), 8, 0.1).errors_px.items():
        (length,) = re.findall(rf"(?:: |, ){name} (\S+) px", said)
        assert float(length) == pytest.approx(math.hypot(*error), abs=0.006)


def test_each_stride_shows_its_own_cell() -> None:
    """Beside each other, does each panel hold a square of one cell, as large as the others', and say its scale?"""
    fig = viz.decoders_by_stride((43.3, 29.1), (4, 16))
    for ax, stride in zip(fig.axes, (4, 16), strict=True):
        square = np.asarray(ax.collections[0].get_segments()[0])
        assert np.ptp(square, axis=0).tolist() == [stride, stride]
        assert np.ptp(ax.get_xlim()) == pytest.approx(1.2 * stride)
        off = math.hypot(*viz.decoded((43.3, 29.1), stride).errors_px["argmax"])
        assert ax.get_title(loc="left") == f"stride {stride}: argmax {off:.1f} px"


def test_what_is_forbidden_lies_below_the_line() -> None:
    """Does the shade reach from the bound down to the axis, without changing what is in sight?"""
    _, ax = viz.single()
    ax.set(xlim=(1, 3), ylim=(0.5, 9))
    line = viz.forbid_below(ax, torch.tensor([1.0, 2.0, 3.0]), [2.0, 4.0, 6.0], "limit")
    (shade,) = ax.collections
    corners = {(float(x), float(y)) for x, y in shade.get_paths()[0].vertices}
    assert {(1.0, 2.0), (3.0, 6.0), (1.0, 0.5), (3.0, 0.5)} <= corners
    assert ax.get_ylim() == (0.5, 9)
    assert line.get_label() == "limit"


def test_decoders_of_the_picture_are_the_package_s() -> None:
    """Is DARK in the picture told the blob's own width?"""
    result = viz.decoded((43.3, 29.1), 8, 0.1)
    point = coords.cells_to_pixels(decode.dark(result.heights[None], 1.5).points, 8.0)[0]
    assert result.errors_px["DARK"] == pytest.approx((point - torch.tensor([43.3, 29.1]).double()).tolist(), abs=1e-5)
