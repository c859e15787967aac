"""The panel and its demos: does moving a control change the picture and the words, and is a failure seen?"""

import io
import math
from typing import Any

import ipywidgets
import numpy as np
import pytest
import torch
from PIL import Image

from posecourse import equivariance, viz, widgets
from posecourse.samples import Sample
from posecourse.skeletons import Skeleton

PNG = viz.png(viz.single()[0])


def echo(x: int) -> widgets.Drawn:
    """Draw nothing much, fail at 3, and forget to speak at 4."""
    if x == 3:
        raise RuntimeError("three is <too> much")
    return widgets.Drawn(PNG + bytes([x]), "" if x == 4 else f"The number that the slider holds is {x}.")


def panel() -> widgets.Panel:
    """Return a panel with one slider."""
    return widgets.Panel(echo, x=ipywidgets.IntSlider(value=1, max=9, description="x"))


def test_a_panel_draws_at_once_and_whenever_a_control_moves() -> None:
    """Is the picture there before anything moved, and another one afterwards, with its words?"""
    shown = panel()
    assert shown.image.endswith(b"\x01")
    shown.controls["x"].value = 2
    assert shown.image.endswith(b"\x02")
    assert shown.words == "The number that the slider holds is 2."
    caption = shown.children[-2].value
    assert shown.words in caption
    assert 'role="status"' in caption


def test_an_error_is_shown_and_goes_away() -> None:
    """Is a failure told in the panel, escaped, while the last good picture and its words stay, until the next one?"""
    shown = panel()
    shown.controls["x"].value = 3
    assert "RuntimeError: three is &lt;too&gt; much" in shown.problem
    assert 'role="alert"' in shown.problem
    assert shown.image.endswith(b"\x01")
    assert "holds is 1" in shown.children[-2].value
    shown.controls["x"].value = 5
    assert shown.problem == ""
    assert shown.image.endswith(b"\x05")


def test_a_picture_without_words_is_an_error() -> None:
    """Is a drawing function that says nothing found out?"""
    shown = panel()
    shown.controls["x"].value = 4
    assert "alt must be a sentence" in shown.problem


def test_a_saved_notebook_gets_the_picture_of_the_moment() -> None:
    """Does the panel show itself live in Jupyter, and as a picture with its words elsewhere, the same every time?"""
    shown = panel()
    shown.controls["x"].value = 2
    bundle: dict[str, Any] = shown._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "application/vnd.jupyter.widget-view+json"}
    assert bundle["text/plain"] == shown.words
    assert bundle["text/html"] == viz.html_image(shown.image, shown.words)


def test_the_browser_can_draw_every_part() -> None:
    """Has the picture no tooltip (which keeps ipywidgets 8.1 from drawing it), and has every control one?"""
    shown = widgets.frames()
    (picture,) = (child for child in shown.children if isinstance(child, ipywidgets.Image))
    assert picture.tooltip is None
    for control in shown.controls.values():
        assert control.description
        assert control.tooltip


def test_no_part_hangs_a_notebook() -> None:
    """Is the panel free of Output widgets, on which notebook execution hangs now and then?"""
    assert not any(isinstance(child, ipywidgets.Output) for child in widgets.frames().children)


def test_the_frames_demo_follows_its_sliders() -> None:
    """Do the sliders' values reach the words and the picture: a new place, then a new stride?"""
    demo = widgets.frames((8, 16))
    pictures = [demo.image]
    for name, value in (("x", 2.3), ("y", 6.1), ("stride", 2)):
        demo.controls[name].value = value
        pictures.append(demo.image)
        assert demo.problem == ""
    assert demo.words == viz.describe_frames((2.3, 6.1), (8, 16), 2)
    assert "(0.900, 2.800) in cells" in demo.words  # (2.3 + .5) / 2 − .5 and (6.1 + .5) / 2 − .5
    assert len(set(pictures)) == 4
    shown, drawn = (
        np.asarray(Image.open(io.BytesIO(png)), dtype=float)
        for png in (pictures[-1], viz.png(viz.frames((2.3, 6.1), (8, 16), 2)))
    )
    assert np.abs(shown - drawn).mean() < 0.5


def test_the_targets_demo_follows_its_sliders() -> None:
    """Do the sliders' values reach the words and the picture, and is the fast picture the whole one?"""
    picture = torch.linspace(0, 1, 3 * 24 * 32).view(3, 24, 32)
    demo = widgets.targets(picture, (20.2, 9.0))
    pictures = [demo.image]
    for name, value in (("x", 13.5), ("y", 6.5), ("sigma", 2.0)):
        demo.controls[name].value = value
        pictures.append(demo.image)
        assert demo.problem == ""
    assert len(set(pictures)) == 4
    assert demo.words == viz.describe_targets((13.5, 6.5), picture, 2.0)
    assert "(0.44, 0.29) in the unit square" in demo.words  # (13.5 + .5) / 32 and (6.5 + .5) / 24
    assert "10 of 48 cells are asked for their way to (3.00, 1.25)" in demo.words  # 3 + 3 + 3 + 1 in rows 0 … 3
    assert "largest cell is 0.992" in demo.words  # exp(−.25² / 8)
    shown, drawn, elsewhere = (
        np.asarray(Image.open(io.BytesIO(png)), dtype=float)
        for png in (pictures[-1], viz.png(viz.targets((13.5, 6.5), picture, 2.0)), pictures[0])
    )
    assert 2 * np.abs(shown - drawn).mean() < np.abs(shown - elsewhere).mean()


def test_the_decoders_demo_follows_its_sliders() -> None:
    """Do the sliders' values reach the words and the picture, and is the fast picture the whole one?"""
    demo = widgets.decoders()
    pictures = [demo.image]
    for name, value in (("x", 43.3), ("y", 29.1), ("stride", 16), ("noise", 0.1)):
        demo.controls[name].value = value
        pictures.append(demo.image)
        assert demo.problem == ""
    assert len(set(pictures)) == 5
    assert demo.words == viz.describe_decoders((43.3, 29.1), 16, 0.1)
    shown, drawn, elsewhere = (
        np.asarray(Image.open(io.BytesIO(png)), dtype=float)
        for png in (pictures[-1], viz.png(viz.decoders((43.3, 29.1), 16, 0.1)), pictures[0])
    )
    assert 4 * np.abs(shown - drawn).mean() < np.abs(shown - elsewhere).mean()
    for name in ("x", "y"):
        for end in ("min", "max"):
            demo.controls[name].value = getattr(demo.controls[name], end)
            assert demo.problem == ""


def test_the_temperature_demo_follows_its_sliders() -> None:
    """Do the sliders' values reach the words and the picture, and is the fast picture the whole one?"""
    values = torch.zeros(9, 14)
    values[2, 3] = 1.0
    demo = widgets.temperature(values, (3.0, 2.0), noises=(0.0, 0.1))
    pictures = [demo.image]
    for name, value in (("temperature", 0.5), ("noise", 0.1), ("noise", 0.0)):
        demo.controls[name].value = value
        pictures.append(demo.image)
        assert demo.problem == ""
    assert pictures[1] == pictures[3]
    assert len(set(pictures)) == 3
    # One cell weighs e², the 125 others 1: a share of e² / (e² + 125), and the mean of all columns but one is 6.5 + …
    share = math.exp(2) / (math.exp(2) + 125)
    x = (14 * 9 * 6.5 - 3 + 3 * math.exp(2)) / (math.exp(2) + 125)
    y = (14 * 9 * 4.0 - 2 + 2 * math.exp(2)) / (math.exp(2) + 125)
    assert f"the largest cell holds {100 * share:.1f} % of the mass" in demo.words
    assert f"Its mean is at ({x:.3f}, {y:.3f}) in cells, {math.hypot(x - 3, y - 2):.3f} cells" in demo.words
    entropy = -share * math.log(share) - 125 * (share / math.exp(2)) * math.log(share / math.exp(2))
    assert f"as over {math.exp(entropy):.0f} of 126 cells" in demo.words
    assert demo.words == viz.describe_temperature(values, (3.0, 2.0), 0.5)
    shown, drawn, elsewhere = (
        np.asarray(Image.open(io.BytesIO(png)), dtype=float)
        for png in (pictures[-1], viz.png(viz.temperature(values, (3.0, 2.0), 0.5)), pictures[0])
    )
    assert 2 * np.abs(shown - drawn).mean() < np.abs(shown - elsewhere).mean()


@pytest.mark.parametrize("end", ["min", "max"])
def test_the_temperature_demo_works_at_its_ends(end: str) -> None:
    """Is there a picture where all mass is in one cell, where none is, and where the summit is a ridge?"""
    for values in (torch.eye(7), torch.rand(5, 8, generator=torch.Generator().manual_seed(0))):
        demo = widgets.temperature(values, (3.3, 2.4))
        slider = demo.controls["temperature"]
        slider.value = slider.base ** getattr(slider, end)
        assert demo.problem == ""


def test_the_limb_demo_follows_its_sliders() -> None:
    """Do the sliders, at their ends too, reach words and picture, and is the fast picture the whole one?"""
    truth, noise = torch.tensor([[10.0, 30.0], [34.0, 12.0]]), torch.tensor([[-1.1, 0.7], [0.9, 0.8]])
    demo = widgets.limb(truth, noise)
    pictures = [demo.image]
    assert "A limb of 30.0 px, seen with noise of 3.0 px an axis and drawn to 30.0 px" in demo.words
    for name, value in (("length", 15.0), ("noise_px", 6.0), ("length", 45.0), ("noise_px", 0.6)):
        demo.controls[name].value = value
        pictures.append(demo.image)
        assert demo.problem == ""
    assert len(set(pictures)) == 5
    assert demo.words == viz.describe_limb(truth, noise, 0.6, 45.0)
    shown, drawn, elsewhere = (
        np.asarray(Image.open(io.BytesIO(png)), dtype=float)
        for png in (pictures[-1], viz.png(viz.limb(truth, noise, 0.6, 45.0)), pictures[0])
    )
    assert 2 * np.abs(shown - drawn).mean() < np.abs(shown - elsewhere).mean()


@pytest.mark.parametrize("end", ["min", "max"])
@pytest.mark.parametrize("stride", [1, 8])
def test_the_sliders_ends_are_inside(end: str, stride: int) -> None:
    """Does the demo draw at both ends of its sliders, for every stride?"""
    demo = widgets.frames()
    demo.controls["stride"].value = stride
    for name in ("x", "y"):
        demo.controls[name].value = getattr(demo.controls[name], end)
    assert demo.problem == ""
    assert f"{demo.controls['x'].value:.2f}".replace("-", "−") in demo.words


def pages() -> Sample:
    """Return three pictures in red, green and blue, of somebody whose nose is hidden in the second."""
    trio = Skeleton(names=("left_hand", "nose", "right_hand"), limbs=((1, 0), (1, 2)))
    visibility = torch.full((3, 3), 2, dtype=torch.uint8)
    visibility[1, 1] = 1
    return Sample(
        images=torch.eye(3).view(3, 3, 1, 1).expand(3, 3, 5, 7).clone(),
        keypoints=torch.tensor([[1.25, 2.0], [3.0, 0.5], [5.5, 3.75]]).expand(3, 3, 2),
        visibility=visibility,
        boxes=torch.zeros(3, 4),
        areas=torch.ones(3),
        skeleton=trio,
    )


def commonest(png: bytes) -> tuple[int, ...]:
    """Return the colour in the middle of a picture's lower left quarter, which no limb crosses."""
    picture = Image.open(io.BytesIO(png))
    color = picture.getpixel((picture.width // 2 - 60, picture.height // 2 + 60))
    return tuple(color) if isinstance(color, tuple) else ()


def test_a_flip_book_turns_its_pages() -> None:
    """Does the slider reach every picture, there and back, and are hidden keypoints named?"""
    book = widgets.flip_book(pages(), "phase")
    colors = []
    for index in (0, 1, 2, 0):
        book.controls["index"].value = index
        colors.append(commonest(book.image))
        assert book.problem == ""
        assert ("hidden keypoints: nose" in book.words) == (index == 1)
    assert colors == [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 0, 0)]


def test_a_threshold_keeps_and_leaves_out() -> None:
    """Does the slider reach the words and the picture, at both ends too, and leave no skeleton of before?"""
    places = torch.tensor([[[1.25, 2.0], [3.0, 0.5], [5.5, 3.75]], [[8.0, 2.0], [9.5, 0.5], [12.0, 4.0]]])
    visibility = torch.tensor([[[2, 2, 1], [0, 2, 2]]], dtype=torch.uint8)
    crowd = Sample(
        images=torch.full((1, 3, 6, 14), 0.4), keypoints=places[None], visibility=visibility,
        boxes=torch.zeros(1, 2, 4), areas=torch.ones(1, 2), present=torch.ones(1, 2, dtype=torch.bool),
        skeleton=pages().skeleton,
    )  # fmt: skip
    probabilities = torch.tensor([[0.9, 0.35, 0.6], [0.2, 0.8, 0.7]])
    demo = widgets.kept(crowd, places, probabilities)
    first, slider = demo.image, demo.controls["threshold"]
    assert "3 of 4 keypoints that can be seen are kept, and 1 of 2" in demo.words
    pictures = [first]
    for value in (slider.min, 0.75, slider.max):
        slider.value = value
        pictures.append(demo.image)
        assert demo.words == viz.describe_kept(crowd, probabilities, value)
        assert demo.problem == ""
    slider.value = 0.5
    assert demo.image == first
    assert len(set(pictures)) == 4
    for threshold, png in ((0.5, first), (slider.max, pictures[-1])):
        assert_alike(png, viz.png(viz.kept(crowd, places, probabilities, threshold)))


def test_a_threshold_regroups() -> None:
    """Does the slider reach words and picture, and leave no group of before?"""
    page = pages()
    points = torch.tensor([[[2.0, 3.0], [9.0, 3.0]], [[3.0, 1.0], [10.0, 1.0]], [[4.0, 3.0], [11.0, 3.0]]])
    tags = torch.tensor([[0.0, 1.0], [0.3, 1.2], [0.1, 1.1]])[..., None]
    found = viz.TaggedCandidates(points, torch.ones(3, 2), tags, torch.arange(2).expand(3, 2))
    picture = torch.full((3, 6, 14), 0.4)
    demo = widgets.grouped(picture, found, page.skeleton)
    first, slider = demo.image, demo.controls["threshold"]
    assert "make 2 groups" in demo.words
    for value in (slider.min, 0.25, slider.max):
        slider.value = value
        assert demo.words == viz.describe_grouped(found, value)
        assert demo.problem == ""
        assert_alike(demo.image, viz.png(viz.grouped(picture, found, page.skeleton, value)))
    slider.value = 0.5
    assert demo.image == first


def test_the_fusion_demo_follows_its_sliders() -> None:
    """Do the sliders' values reach the words and the picture, at all their ends too, and is nothing left of before?"""
    demo = widgets.fusion()
    first, sliders = demo.image, demo.controls
    pictures = [first]
    for name, value in (("rho", -0.95), ("ratio", 3.0), ("rho", 0.95), ("ratio", 1.0), ("ratio", 1.6)):
        sliders[name].value = value
        pictures.append(demo.image)
        assert demo.problem == ""
        rho, ratio = sliders["rho"].value, sliders["ratio"].value
        assert demo.words == viz.describe_fused_ellipses(rho, ratio)
        assert_alike(demo.image, viz.png(viz.fused_ellipses(rho, ratio)))
    assert len(set(pictures)) == 6
    sliders["rho"].value, sliders["ratio"].value = 0.5, 2.0
    assert demo.image == first


def test_a_picture_turns() -> None:
    """Does the slider reach every angle, in words and picture, and leave no skeleton of before?"""

    class Brightest:
        """Answers the same places, whatever it sees."""

        def predict(self, images: torch.Tensor) -> torch.Tensor:
            return torch.tensor([[4.0, 9.0], [9.0, 5.0], [12.0, 12.0]]).expand(len(images), 3, 2)

    picture = torch.linspace(0, 1, 3 * 20 * 20).view(3, 20, 20)
    ways = equivariance.full_turn(Brightest(), picture, range(-180, 181, 60))
    demo = widgets.turned(ways, pages().skeleton)
    first, slider = demo.image, demo.controls["angle"]
    assert "Turned by 60°" in demo.words
    for index in (0, 3, 6):
        slider.value = index
        assert demo.problem == ""
        assert demo.words == viz.describe_turned(ways, pages().skeleton, index)
        assert_alike(demo.image, viz.png(viz.turned(ways, pages().skeleton, index)))
    slider.value = 4
    assert demo.image == first
    assert "Turned by −120°" in widgets.turned(ways, pages().skeleton, -111.0).words


def test_the_scatter_demo_follows_its_sliders() -> None:
    """Do samples and rate reach the words and the picture, and is the fast picture the whole one?"""
    draws = torch.randn(2, 12, 3, 2, generator=torch.Generator().manual_seed(0)).double()
    draws = torch.tensor([1.0, 3.0])[:, None, None, None] * draws + torch.tensor([[9.0, 9], [24, 12], [15, 18]])
    given = (torch.rand(3, 24, 32, generator=torch.Generator().manual_seed(1)), [0.1, 0.4], draws, draws[0].mean(0))
    demo = widgets.scattered(*given)
    first = demo.image
    for samples, rate in ((3, 0), (12, 1), (7, 1)):
        demo.controls["samples"].value, demo.controls["rate"].value = samples, rate
        assert demo.problem == ""
        assert demo.words == viz.describe_scattered(*given, samples=samples, rate=rate)
        assert_alike(demo.image, viz.png(viz.scattered(*given, samples=samples, rate=rate)))
    assert demo.image != first


def assert_alike(shown: bytes, drawn: bytes) -> None:
    """Assert that two PNGs show the same, but for rounding at edges: nothing is left of a picture before."""
    a, b = (np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=float) for png in (shown, drawn))
    assert (np.abs(a - b) > 40).any(-1).sum() < 200  # a skeleton has a thousand


def test_skeletons_come_and_go() -> None:
    """Is the picture without a skeleton, with it, and without it again the same as at first?"""
    book = widgets.flip_book(pages())
    book.controls["skeleton"].value = False
    without = book.image
    book.controls["skeleton"].value = True
    assert book.image != without
    book.controls["skeleton"].value = False
    assert book.image == without


def test_what_a_notebook_finds() -> None:
    """Is everything that `widgets` offers there, and does `viz` keep its promises too?"""
    for room in (widgets, viz):
        assert len(set(room.__all__)) == len(room.__all__)
        assert all(hasattr(room, name) for name in room.__all__)
