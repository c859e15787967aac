"""Pictures, maps, overlays and people: is everything where it is, and nothing that is not?"""

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from PIL import Image

from posecourse import viz
from posecourse.samples import Sample
from posecourse.skeletons import Skeleton

B, H, W = 2, 5, 7
TRIO = Skeleton(names=("left_hand", "nose", "right_hand"), limbs=((1, 0), (1, 2), (0, 2)))
POINTS = torch.tensor([[1.25, 2.0], [3.0, 0.5], [5.5, 3.75]])


def visible(*values: int) -> torch.Tensor:
    """Return COCO visibilities."""
    return torch.tensor(values, dtype=torch.uint8)


def markers(ax: Axes) -> dict[tuple[str, str], np.ndarray]:
    """Return what markers were drawn: (edge colour, fill colour) -> places."""
    return {
        (to_hex(line.get_markeredgecolor()).upper(), to_hex(line.get_markerfacecolor()).upper()): line.get_xydata()
        for line in ax.get_lines()
        if len(line.get_xydata())
    }


def limbs(ax: Axes, color: str) -> list[np.ndarray]:
    """Return the segments of one colour."""
    lines = [c for c in ax.collections if isinstance(c, LineCollection) and to_hex(c.get_color()[0]).upper() == color]
    return [segment for line in lines for segment in line.get_segments()]


def sample(crowd: bool = False) -> Sample:
    """Return two pictures of one person each, or of up to two people."""
    rng = torch.Generator().manual_seed(3)
    people = (B, 2) if crowd else (B,)
    return Sample(
        images=torch.rand(B, 3, H, W, generator=rng),
        keypoints=POINTS.expand(*people, 3, 2) + torch.arange(B).view(B, *([1] * (len(people) + 1))) * 0.125,
        visibility=visible(2, 2, 2).expand(*people, 3),
        boxes=torch.zeros(*people, 4),
        areas=torch.ones(people),
        present=torch.tensor([[True, True], [False, True]]) if crowd else None,
        skeleton=TRIO,
        person_map=(torch.arange(H * W).view(H, W) % 3).to(torch.uint8).expand(B, H, W),
    )


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor, lambda a: torch.as_tensor(a).requires_grad_()])
def test_a_pixel_is_where_its_coordinates_are(kind: Any) -> None:
    """Does pixel (x, y) cover x ± ½ and y ± ½, y downwards, for tensors, arrays and tensors with a gradient?"""
    picture = np.zeros((3, H, W), dtype=np.float32)
    picture[0, 1, 4] = 1
    _, ax = viz.single()
    shown = viz.image(ax, kind(picture))
    assert shown.get_extent() == [-0.5, W - 0.5, H - 0.5, -0.5]
    assert (shown.origin, ax.get_xlim(), ax.get_ylim()) == ("upper", (-0.5, W - 0.5), (H - 0.5, -0.5))
    assert np.argwhere(np.asarray(shown.get_array())[..., 0] > 0).tolist() == [[1, 4]]


def test_a_pixel_is_painted_where_its_coordinates_are() -> None:
    """In the finished picture, is the red dot where the axes say that pixel (4, 1) is?"""
    picture = torch.ones(3, H, W)
    picture[1:, 1, 4] = 0
    fig, ax = viz.single()
    viz.image(ax, picture)
    viz.png(fig)
    pixels = np.asarray(fig.canvas.buffer_rgba()).astype(int)  # type: ignore[attr-defined]
    rows, columns = np.nonzero(pixels[..., 0] - pixels[..., 1] > 200)
    x, y = ax.transData.inverted().transform((columns.mean() + 0.5, pixels.shape[0] - rows.mean() - 0.5))
    assert (x, y) == pytest.approx((4, 1), abs=0.02)


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("shape", "fix"), [((H, W, 3), "permute"), ((B, 3, H, W), r"images\[0\]"), ((H, W), "3, H, W")]
)
def test_pictures_of_another_shape(shape: tuple[int, ...], fix: str) -> None:
    """Is somebody with channels last or a whole batch told what to do?"""
    with pytest.raises(ValueError, match=fix):
        viz.image(viz.single()[1], torch.zeros(shape))


def test_maps_have_fixed_limits_and_colours_by_meaning() -> None:
    """Does a map keep its limits whatever its values, and its meaning's colours?"""
    values = torch.linspace(-3, 9, H * W).view(H, W)
    _, axes = viz.row(3)
    maps = [
        viz.heatmap(axes[0], values),
        viz.signed_map(axes[1], values, limit=2.0),
        viz.uncertainty_map(axes[2], values, limits=(0.0, 4.0)),
    ]
    assert [m.get_clim() for m in maps] == [(0, 1), (-2, 2), (0, 4)]
    assert [m.get_cmap().name for m in maps] == ["magma", "RdBu_r", "cividis"]
    assert all(m.get_interpolation() == "nearest" for m in maps)


@pytest.mark.parametrize(("size", "lines"), [((5, 16), 1), ((5, 17), 0)])
def test_few_cells_get_a_grid(size: tuple[int, int], lines: int) -> None:
    """Are cells separated up to sixteen, with lines half-way between centres?"""
    _, ax = viz.single()
    viz.heatmap(ax, torch.zeros(size), bar=False)
    assert len(ax.collections) == lines
    if lines:
        ends = np.array(ax.collections[0].get_segments())
        assert np.all(ends % 1 == 0.5)
        assert len(ends) == 5 + 1 + 16 + 1


def test_the_bar_can_be_left_out() -> None:
    """Is there one bar, as high as the map, and none where it is not wanted?"""
    fig, (with_bar, without) = viz.row(2)
    viz.heatmap(with_bar, torch.zeros(H, W), label="probability")
    viz.heatmap(without, torch.zeros(H, W), bar=False)
    viz.png(fig)
    (bar,) = with_bar.child_axes
    assert not without.child_axes
    assert bar.get_ylabel() == "probability"
    assert bar.get_window_extent().height == pytest.approx(with_bar.get_window_extent().height, abs=1)


@pytest.mark.parametrize("limits", [(1.0, 0.0), (0.0, 0.0)])
def test_limits_the_wrong_way_round(limits: tuple[float, float]) -> None:
    """Are limits that show nothing refused?"""
    with pytest.raises(ValueError, match="lower, upper"):
        viz.heatmap(viz.single()[1], torch.zeros(H, W), limits=limits)


def test_sides_are_the_persons_own() -> None:
    """Is each keypoint drawn at its place in its side's colour, and each limb in the side that it touches?"""
    _, ax = viz.single()
    viz.draw_skeleton(ax, POINTS, visible(2, 2, 2), TRIO)
    for index, series in enumerate((viz.LEFT, viz.MIDDLE, viz.RIGHT)):
        assert np.array_equal(markers(ax)[series["color"], series["color"]], POINTS[index : index + 1])
    for series, limb in ((viz.LEFT, (1, 0)), (viz.RIGHT, (1, 2)), (viz.MIDDLE, (0, 2))):
        (segment,) = limbs(ax, series["color"])
        assert np.array_equal(segment, POINTS[list(limb)])


def test_hidden_is_white_inside_and_unlabelled_is_absent() -> None:
    """Is a hidden keypoint a ring around white, and is an unlabelled one, with its limbs, not there?"""
    _, ax = viz.single()
    viz.draw_skeleton(ax, POINTS, visible(1, 2, 0), TRIO)
    assert set(markers(ax)) == {(viz.LEFT["color"], viz.BACKGROUND), (viz.MIDDLE["color"], viz.MIDDLE["color"])}
    assert len(limbs(ax, viz.LEFT["color"])) == 1
    assert limbs(ax, viz.RIGHT["color"]) == []
    assert limbs(ax, viz.MIDDLE["color"]) == []


def mark_on_a_page(ground: float, value: int, *, width: float) -> np.ndarray:
    """Return the luminance (3) in the middle of three marks, of the left, the middle and the right side, on a page.

    The figure is 7.2 inches at 110 dpi; a page of 800 pixels leaves it 660.
    """
    fig, axes = viz.gallery(1, 1)
    viz.image(axes[0, 0], torch.full((3, 6, 8), ground))
    viz.draw_skeleton(axes[0, 0], POINTS, visible(value, value, value), TRIO, width=width)
    png = Image.open(io.BytesIO(viz.png(fig))).convert("RGB")
    x, y = axes[0, 0].transData.transform(POINTS.numpy()).T
    page = png.resize((660, round(png.height * 660 / png.width)), Image.Resampling.LANCZOS)
    scale = page.width / png.width
    middles = [page.getpixel((round(a * scale), round((png.height - b) * scale))) for a, b in zip(x, y, strict=True)]
    linear = ((np.array(middles) / 255 + 0.055) / 1.055) ** 2.4  # sRGB, above its straight part
    return linear @ (0.2126, 0.7152, 0.0722)


@pytest.mark.parametrize("ground", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("width", [0.9, 1.6])
def test_hidden_and_seen_are_told_apart_on_a_page(ground: float, width: float) -> None:
    """On a page of 800 pixels, black, grey or white below, are the middles 3:1 apart in light, whoever sees colours?"""
    hidden, seen = (mark_on_a_page(ground, value, width=width) for value in (1, 2))
    assert np.all((hidden + 0.05) / (seen + 0.05) >= 3)  # WCAG 2.1, 1.4.11: what graphics need to be told apart


def test_a_large_hidden_mark_covers_no_seen_one() -> None:
    """Are hidden keypoints larger than seen ones, and drawn below all of them, whoever is drawn first?"""
    _, ax = viz.single()
    for value in (2, 1):
        viz.draw_skeleton(ax, POINTS, visible(value, value, value), TRIO)
    lines = [line for line in ax.get_lines() if len(line.get_xydata())]
    seen, hidden = lines[:3], lines[3:]
    assert all(h.get_markersize() >= 1.5 * s.get_markersize() for h, s in zip(hidden, seen, strict=True))
    assert max(h.get_zorder() for h in hidden) < min(s.get_zorder() for s in seen)


@pytest.mark.parametrize("figure", [lambda: viz.single()[0], lambda: viz.row(4)[0]])
def test_the_key_fits_its_figure(figure: Any) -> None:
    """Is the whole key on the canvas, in the smallest figure too?"""
    fig = figure()
    key = viz.skeleton_key(fig)
    viz.png(fig)
    assert key.get_window_extent().xmax <= fig.bbox.width
    assert [text.get_text() for text in key.get_texts()] == ["their left", "their right", "middle", "seen", "hidden"]


def test_limbs_to_hidden_keypoints_are_thin() -> None:
    """Is a limb with a hidden end half as wide?"""
    widths = []
    for value in (1, 2):
        _, ax = viz.single()
        viz.draw_skeleton(ax, POINTS, visible(value, 2, 0), TRIO)
        widths += [c.get_linewidths()[0] for c in ax.collections if to_hex(c.get_color()[0]).upper() == "#0072B2"]
    assert widths[0] == pytest.approx(widths[1] / 2)


def test_without_visibility_everything_is_seen() -> None:
    """Are predictions, which have no visibility, drawn whole?"""
    _, ax = viz.single()
    viz.draw_skeleton(ax, POINTS, None, TRIO)
    assert all(edge == fill for edge, fill in markers(ax))
    assert sum(map(len, markers(ax).values())) == 3


def test_drawing_does_not_move_the_picture() -> None:
    """Do keypoints outside of the picture leave its limits alone?"""
    _, ax = viz.single()
    viz.image(ax, torch.zeros(3, H, W))
    viz.draw_skeleton(ax, POINTS * 10, visible(2, 2, 2), TRIO)
    viz.draw_error(ax, POINTS * 10, POINTS - 30)
    assert (ax.get_xlim(), ax.get_ylim()) == ((-0.5, W - 0.5), (H - 0.5, -0.5))


@pytest.mark.usefixtures("as_a_user")
def test_a_whole_batch_is_refused() -> None:
    """Is somebody who passes all people told to choose one?"""
    with pytest.raises(ValueError, match=r"sample.keypoints\[0\]"):
        viz.draw_skeleton(viz.single()[1], POINTS.expand(B, 3, 2), visible(2, 2, 2).expand(B, 3), TRIO)


def test_truth_prediction_and_error() -> None:
    """Is truth a ring, a prediction a cross, an error the segment between, only for those that count?"""
    _, ax = viz.single()
    mask = torch.tensor([True, False, True])
    ring, cross = viz.draw_truth(ax, POINTS, mask), viz.draw_prediction(ax, POINTS + 1, mask)
    error = viz.draw_error(ax, POINTS, POINTS + 1, mask)
    assert (ring.get_marker(), ring.get_markerfacecolor(), cross.get_marker()) == ("o", "none", "x")
    assert np.array_equal(ring.get_xydata(), POINTS[[0, 2]])
    assert np.array_equal(cross.get_xydata(), POINTS[[0, 2]] + 1)
    assert np.array_equal(error.get_segments(), np.stack([POINTS[[0, 2]], POINTS[[0, 2]] + 1], axis=1))


def test_an_ellipse_holds_its_share() -> None:
    """Is each point of an ellipse its number of standard deviations from the mean, the long axis along x?"""
    ax = viz.single()[1]
    covariance = torch.tensor([[9.0, 3.0], [3.0, 4.0]])
    viz.draw_ellipse(ax, torch.tensor([2.5, -1.5]), covariance, radii=(1.0, 2.5))
    (lines,) = ax.collections
    assert isinstance(lines, LineCollection)
    for segment, radius in zip(lines.get_segments(), (1.0, 2.5), strict=True):
        away = torch.as_tensor(segment) - torch.tensor([2.5, -1.5])
        squared = (away * torch.linalg.solve(covariance.double(), away.double().mT).mT).sum(-1)
        torch.testing.assert_close(squared, torch.full_like(squared, radius**2))
        assert away[:, 0].max().item() == pytest.approx(3 * radius, rel=1e-3)  # √9 along x


def test_no_argument_is_edited() -> None:
    """Do all overlays and pictures leave the arrays that they get as they were?"""
    people = sample(crowd=True)
    copies = people.map(torch.clone)
    for fig in (viz.people_gallery(people, rows=1, columns=2), viz.photograph(people, 0), viz.person_map(people, 0)):
        viz.png(fig)
    for name in ("images", "keypoints", "visibility", "person_map"):
        assert torch.equal(getattr(people, name), getattr(copies, name))


def drawn_people(ax: Axes) -> int:
    """Return how many people were drawn: each has one left hand."""
    left = [line for line in ax.get_lines() if to_hex(line.get_markeredgecolor()).upper() == viz.LEFT["color"]]
    return sum(len(line.get_xydata()) for line in left)


def test_a_gallery_shows_everybody_who_is_there() -> None:
    """Are the people of each place drawn if they are present, one panel a picture, and the empty panels empty?"""
    fig = viz.people_gallery(sample(crowd=True), rows=2, columns=2, captions=["two", "one"])
    assert [drawn_people(ax) for ax in fig.axes] == [2, 1, 0, 0]
    assert [len(ax.get_images()) for ax in fig.axes] == [1, 1, 0, 0]
    assert [ax.get_title(loc="left") for ax in fig.axes][:2] == ["two", "one"]
    assert fig.legends


def test_pictures_look_the_same_before_and_after_use_style() -> None:
    """Is a whole picture the same for somebody who forgot to call `use_style`?"""

    def pictures() -> list[bytes]:
        gallery = viz.people_gallery(sample(), rows=1, columns=2, captions=["two", "one"])
        return [viz.png(fig) for fig in (gallery, viz.person_map(sample(), 0), viz.frames_by_stride((3.2, 1.7)))]

    forgotten = pictures()
    with viz.styled():
        assert pictures() == forgotten


def test_a_gallery_without_skeletons() -> None:
    """Can people be looked at without lines over them, and without a key to what is not drawn?"""
    fig = viz.people_gallery(sample(), rows=1, columns=2, skeletons=False)
    assert [drawn_people(ax) for ax in fig.axes] == [0, 0]
    assert not fig.legends


def test_only_some_pictures_may_get_skeletons() -> None:
    """Can the same person be shown without and with lines, by naming the pictures that get them?"""
    fig = viz.people_gallery(sample(), rows=1, columns=2, skeletons=[1])
    assert [drawn_people(ax) for ax in fig.axes] == [0, 1]
    assert fig.legends


def test_captions_are_counted() -> None:
    """Is a caption too many noticed?"""
    with pytest.raises(ValueError, match="2 are drawn, got 3"):
        viz.people_gallery(sample(), captions=["a", "b", "c"])


def test_a_photograph_is_the_image_asked_for() -> None:
    """Does the large picture show that image with its people?"""
    people = sample(crowd=True)
    (ax,) = viz.photograph(people, 1).axes
    shown = np.asarray(ax.get_images()[0].get_array())
    assert np.array_equal(shown, people.images[1].permute(1, 2, 0).numpy())
    assert drawn_people(ax) == 1


def test_the_person_map_names_places() -> None:
    """Does each person in front bear the number of their place, on a pixel that is theirs?"""
    people = sample(crowd=True)
    _, ax = viz.person_map(people, 0).axes
    assert people.person_map is not None
    for text in ax.texts:
        x, y = text.get_position()
        assert int(people.person_map[0, int(y), int(x)]) == int(text.get_text()) + 1
    assert [text.get_text() for text in ax.texts] == ["0", "1"]


def test_photographs_have_no_person_map() -> None:
    """Is somebody who asks for one told why there is none?"""
    with pytest.raises(ValueError, match="rendered people do"):
        viz.person_map(replace(sample(), person_map=None), 0)
