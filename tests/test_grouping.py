"""Grouping's losses: do tags attract and repel as the formula says, and does what does not count leave no trace?"""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from torch.nn import functional

from posecourse import grouping

FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
BAD = [math.nan, math.inf, -math.inf]
LOSSES: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "pull": grouping.pull_loss,
    "push": lambda tags, mask: grouping.push_loss(tags, mask, margin=2.5),
    "gaussian": lambda tags, mask: grouping.gaussian_push_loss(tags, mask, sigma=1.3),
}
every_loss = pytest.mark.parametrize("name", LOSSES)


def random_tags(*shape: int, seed: int = 0) -> torch.Tensor:
    """Random tags in float64."""
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def random_mask(*shape: int, seed: int = 0, share: float = 0.6) -> torch.Tensor:
    """Random labels."""
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) < share


def mean_tags(tags: torch.Tensor, mask: torch.Tensor) -> list[torch.Tensor]:
    """The mean tags of one image's labelled people."""
    return [t[m].mean(0) for t, m in zip(tags, mask, strict=True) if m.any()]


def pairs(tags: torch.Tensor, mask: torch.Tensor) -> list[float]:
    """The distances between the mean tags of two labelled people, each pair twice."""
    means = mean_tags(tags, mask)
    return [(a - b).norm().item() for i, a in enumerate(means) for j, b in enumerate(means) if i != j]


def test_the_pull_by_hand() -> None:
    """Is it the mean over people of the mean square distance to the mean, a person with one joint costing nothing?"""
    tags = torch.tensor([[[0.0, 0.0], [6.0, 8.0], [9.0, 9.0]], [[3.0, 1.0], [9.0, 9.0], [9.0, 9.0]]])
    mask = torch.tensor([[True, True, False], [True, False, False]])
    assert grouping.pull_loss(tags, mask).item() == pytest.approx((25 + 0) / 2)


def test_the_push_by_hand() -> None:
    """Is it the square of what lacks to the margin, Euclidean, nothing from the margin on, and the mean over pairs?"""
    tags = torch.tensor([[[0.0, 0.0]], [[3.0, 4.0]], [[30.0, 40.0]]])
    mask = torch.ones(3, 1, dtype=torch.bool)
    assert grouping.push_loss(tags, mask, margin=7.0).item() == pytest.approx((7 - 5) ** 2 / 3)
    assert grouping.push_loss(tags, mask, margin=5.0).item() == 0
    expected = (math.exp(-25 / (2 * 4.0**2)) + math.exp(-(45**2) / 32) + math.exp(-(50**2) / 32)) / 3
    assert grouping.gaussian_push_loss(tags, mask, sigma=4.0).item() == pytest.approx(expected)


@pytest.mark.parametrize("D", [1, 2, 5])
def test_each_image_is_its_own_loop(D: int) -> None:
    """In a batch with masks, is each number that of a plain loop over the people and pairs of that image alone?"""
    tags, mask = random_tags(4, 5, 3, D), random_mask(4, 5, 3, share=0.4)
    mask[3, 1:] = False
    pull, push, gaussian = (LOSSES[name](tags, mask) for name in LOSSES)
    for b in range(4):
        people = [t[m] for t, m in zip(tags[b], mask[b], strict=True) if m.any()]
        expected = sum(((t - t.mean(0)) ** 2).sum(-1).mean().item() for t in people) / max(1, len(people))
        assert pull[b].item() == pytest.approx(expected)
        d = pairs(tags[b], mask[b])
        assert push[b].item() == pytest.approx(sum(max(0, 2.5 - x) ** 2 for x in d) / max(1, len(d)))
        assert gaussian[b].item() == pytest.approx(sum(math.exp(-(x**2) / (2 * 1.3**2)) for x in d) / max(1, len(d)))


def paper(tags: torch.Tensor, mask: torch.Tensor, sigma: float) -> tuple[float, float]:
    """Newell et al. 2017: all ordered pairs, oneself included, over N²; the pull over N·K whoever is seen."""
    means = torch.stack(mean_tags(tags, mask))
    N, K = mask.any(-1).sum().item(), mask.shape[-1]
    push = torch.exp(-(torch.cdist(means, means) ** 2) / (2 * sigma**2)).sum() / N**2
    pull = sum((tags[n][mask[n]] - tags[n][mask[n]].mean(0)).pow(2).sum() for n in range(len(tags)) if mask[n].any())
    return push.item(), float(pull) / (N * K)


def original(tags: torch.Tensor, mask: torch.Tensor) -> tuple[float, float]:
    """pose-ae-train: each pair once, over N(N − 1)/2, then halved; the pull is a mean over components too."""
    means = mean_tags(tags, mask)
    N = len(means)
    push = sum(math.exp(-(means[j] - means[k]).pow(2).sum()) for j in range(N) for k in range(j + 1, N))
    pull = sum((t[m] - t[m].mean(0)).pow(2).mean().item() for t, m in zip(tags, mask, strict=True) if m.any())
    return 0.5 * push / (N * (N - 1) / 2), pull / N


def higher_hrnet(tags: torch.Tensor, mask: torch.Tensor) -> tuple[float, float]:
    """HigherHRNet, tags of one number: the whole matrix less N, over N(N − 1), halved; and its linear margin of 1."""
    means = torch.stack(mean_tags(tags, mask))[:, 0]
    N = len(means)
    d = means[:, None] - means
    exponential = 0.5 * (torch.exp(-(d**2)).sum() - N) / (N * (N - 1))
    return exponential.item(), (0.5 * ((1 - d.abs()).clamp(min=0).sum() - N) / (N * (N - 1))).item()


def mmpose(tags: torch.Tensor, mask: torch.Tensor) -> tuple[float, float]:
    """As mmpose 1.3 has it: the whole matrix component by component, oneself left in, over N(N − 1), times ½."""
    means = torch.stack(mean_tags(tags, mask))
    N = len(means)
    push = 0.5 * torch.exp(-((means[:, None] - means) ** 2)).sum() / (N * (N - 1) + 1e-6)
    each = [functional.mse_loss(t[m], t[m].mean(0).expand_as(t[m])) for t, m in zip(tags, mask, strict=True) if m.any()]
    return push.item(), (sum(each) / (N + 1e-6)).item()  # type: ignore[union-attr]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("D", [1, 2, 3])
def test_what_three_public_implementations_make_of_the_same_tags(D: int, seed: int) -> None:
    """Do the conversions that the module states hold: self pairs, the half, the tag size, who divides?"""
    tags, mask = random_tags(5, 4, D, seed=seed), random_mask(5, 4, seed=seed)
    mask[:2, 0], mask[4] = True, False
    N = int(mask.any(-1).sum())
    G, pull = grouping.gaussian_push_loss(tags, mask).item(), grouping.pull_loss(tags, mask).item()

    wide = grouping.gaussian_push_loss(tags, mask, sigma=1.7).item()
    assert paper(tags, mask, 1.7)[0] == pytest.approx((1 + (N - 1) * wide) / N)
    assert paper(tags, torch.ones_like(mask), 1.7)[1] == pytest.approx(
        grouping.pull_loss(tags, torch.ones_like(mask)).item()
    )
    assert original(tags, mask) == pytest.approx((G / 2, pull / D))

    by_component = sum(grouping.gaussian_push_loss(tags[..., d : d + 1], mask).item() for d in range(D))
    expected = (by_component + D / (N - 1)) / 2
    assert mmpose(tags, mask) == pytest.approx((expected, pull / D), rel=1e-5)
    if D == 1:
        assert higher_hrnet(tags, mask)[0] == pytest.approx(G / 2)


def test_the_floor_of_mmpose_s_push() -> None:
    """With tags miles apart, is ours 0, theirs ½·D/(N − 1), and the paper's 1/N?"""
    for N, D in [(2, 1), (5, 1), (5, 3)]:
        tags = 1000.0 * torch.arange(N).double()[:, None, None].expand(N, 4, D)
        mask = torch.ones(N, 4, dtype=torch.bool)
        assert grouping.gaussian_push_loss(tags, mask).item() == 0
        assert mmpose(tags, mask)[0] == pytest.approx(D / (N - 1) / 2, rel=1e-5)
        assert paper(tags, mask, 0.5**0.5)[0] == pytest.approx(1 / N)


def test_mmpose_pushes_people_who_are_far_apart() -> None:
    """Do two people at a distance of 1000 along x cost as much again as their self pairs, for being equal in y?"""
    tags, mask = torch.tensor([[[0.0, 0.0]], [[1000.0, 0.0]]]).double(), torch.ones(2, 1, dtype=torch.bool)
    assert mmpose(tags, mask)[0] == pytest.approx(0.5 * (2 + 1), rel=1e-5)
    assert grouping.gaussian_push_loss(tags, mask).item() == 0


def test_higher_hrnet_s_margin_is_linear_and_halved() -> None:
    """Is its loss half of what lacks to 1, where ours is the square?"""
    tags, mask = torch.tensor([[[0.0]], [[0.7]]]).double(), torch.ones(2, 1, dtype=torch.bool)
    assert higher_hrnet(tags, mask)[1] == pytest.approx(0.3 / 2)
    assert grouping.push_loss(tags, mask, margin=1.0).item() == pytest.approx(0.3**2)


@every_loss
@pytest.mark.parametrize("D", [1, 2])
def test_gradients_are_those_of_finite_differences(name: str, D: int) -> None:
    """Does gradcheck agree, with masked joints and a masked person?"""
    mask = random_mask(2, 3, 4)
    mask[0, 1] = False
    tags = random_tags(2, 3, 4, D).requires_grad_()
    assert LOSSES[name](tags, mask).gt(0).all()
    assert torch.autograd.gradcheck(lambda t: LOSSES[name](t, mask), tags)


@every_loss
@pytest.mark.parametrize("value", [*BAD, 1e30])
def test_a_masked_tag_leaves_no_trace(name: str, value: float) -> None:
    """Whatever stands where nothing is labelled, are value and gradient those of a clean batch, and 0 there?"""
    mask = random_mask(2, 3, 4)
    mask[0, 1] = False
    clean = random_tags(2, 3, 4, 2)
    dirty = torch.where(mask[..., None], clean, value)
    expected = LOSSES[name](clean, mask)
    values = LOSSES[name](dirty.requires_grad_(), mask)
    assert values.equal(expected)
    (slope,) = torch.autograd.grad(values.sum(), dirty)
    (without,) = torch.autograd.grad(LOSSES[name](clean.requires_grad_(), mask).sum(), clean)
    assert slope.equal(without)
    assert slope[~mask].eq(0).all()
    assert slope[mask].abs().sum() > 0


@every_loss
@pytest.mark.parametrize("value", BAD)
def test_a_labelled_tag_that_is_not_finite_shows_in_its_image_alone(name: str, value: float) -> None:
    """Is that image's loss NaN, with no gradient, and its neighbour's untouched?"""
    mask = torch.ones(2, 3, 4, dtype=torch.bool)
    tags = random_tags(2, 3, 4, 2)
    expected = LOSSES[name](tags, mask)
    tags[0, 1, 2, 1] = value
    values = LOSSES[name](tags.requires_grad_(), mask)
    assert values[0].isnan()
    assert values[1] == expected[1]
    (slope,) = torch.autograd.grad(values.sum(), tags)
    assert slope[0].eq(0).all()
    assert slope[1].abs().sum() > 0


@every_loss
@pytest.mark.parametrize("people", [0, 1, 3])
@pytest.mark.parametrize("labelled", [False, True])
def test_too_few_people_to_push(name: str, people: int, labelled: bool) -> None:
    """With nobody, one person, or nobody labelled: is it 0 (but for a single person's pull) and can it go backward?"""
    tags = random_tags(2, people, 4, 3).requires_grad_()
    mask = torch.zeros(2, people, 4, dtype=torch.bool)
    mask[:, :1] = labelled
    values = LOSSES[name](tags, mask)
    assert values.eq(0).all() == (name != "pull" or not labelled or people == 0)
    (slope,) = torch.autograd.grad(values.sum(), tags)
    assert slope.isfinite().all()


@every_loss
def test_equal_tags_have_no_way_to_go(name: str) -> None:
    """At the collapse, is the push at its largest, the pull 0, and no gradient NaN?"""
    tags = torch.full((3, 4, 2), 0.3, dtype=torch.float64, requires_grad=True)
    value = LOSSES[name](tags, torch.ones(3, 4, dtype=torch.bool))
    assert value.item() == pytest.approx({"pull": 0, "push": 2.5**2, "gaussian": 1}[name])
    (slope,) = torch.autograd.grad(value, tags)
    assert slope.abs().max() < 1e-12


@every_loss
@given(seed=st.integers(0, 99), people=st.integers(1, 5), D=st.integers(1, 3))
def test_names_and_origin_of_tags_mean_nothing(name: str, seed: int, people: int, D: int) -> None:
    """Is a loss the same for people and joints in another order, and for tags moved and turned together?"""
    tags, mask = random_tags(people, 3, D, seed=seed), random_mask(people, 3, seed=seed)
    expected = LOSSES[name](tags, mask)
    order = torch.randperm(people, generator=torch.Generator().manual_seed(seed))
    joints = torch.randperm(3, generator=torch.Generator().manual_seed(seed))
    turn, _ = torch.linalg.qr(random_tags(D, D, seed=seed + 1))
    torch.testing.assert_close(LOSSES[name](tags[order][:, joints], mask[order][:, joints]), expected)
    torch.testing.assert_close(LOSSES[name](tags @ turn + 7, mask), expected)


@every_loss
@given(
    shape=st_numpy.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3),
    people=st.integers(0, 3),
    dtype=st.sampled_from(FLOATS),
)
def test_any_leading_shape_and_dtype(name: str, shape: tuple[int, ...], people: int, dtype: torch.dtype) -> None:
    """Is there one number an image, of the input's dtype, the same however the batch is shaped?"""
    tags, mask = random_tags(*shape, people, 4, 3).to(dtype), random_mask(*shape, people, 4)
    values = LOSSES[name](tags, mask)
    assert (values.shape, values.dtype) == (shape, dtype)
    count = math.prod(shape)
    flat = LOSSES[name](tags.reshape(count, people, 4, 3), mask.reshape(count, people, 4))
    torch.testing.assert_close(values.reshape(count), flat)


def test_tags_are_read_in_the_keypoint_s_own_cell() -> None:
    """Is it the value in the nearest cell of that keypoint's maps, in the order (x, y), for every image?"""
    maps = torch.arange(2 * 3 * 2 * 5 * 7).reshape(2, 3, 2, 5, 7).float()
    points = torch.tensor([[4.4, 1.6], [6.49, -0.49], [0.0, 4.0]]).expand(2, 4, 3, 2).clone()
    points[1, 2] += torch.tensor([[-1.0, 1.0], [-1.0, 1.0], [1.0, -1.0]])
    tags = grouping.tags_at(maps, points)
    assert tags.shape == (2, 4, 3, 2)
    assert tags[0, 3].equal(torch.stack([maps[0, 0, :, 2, 4], maps[0, 1, :, 0, 6], maps[0, 2, :, 4, 0]]))
    assert tags[1, 2].equal(torch.stack([maps[1, 0, :, 3, 3], maps[1, 1, :, 1, 5], maps[1, 2, :, 3, 1]]))


def test_candidates_are_read_with_their_axes_exchanged() -> None:
    """Does the recipe of the docstring give (K M D), candidate m of keypoint k from the maps of k?"""
    maps = random_tags(3, 2, 5, 7)
    points = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).double().expand(3, 2, 2)
    tags = grouping.tags_at(maps, points.transpose(-3, -2)).transpose(-3, -2)
    assert tags.equal(torch.stack([maps[:, :, 2, 1], maps[:, :, 4, 3]], dim=1))


def test_off_the_map_there_is_no_tag() -> None:
    """Is it NaN beyond the outer edge of the cells and at NaN, without a NaN in the gradient of the maps?"""
    maps = random_tags(3, 2, 5, 7).requires_grad_()
    points = torch.tensor([[[-0.5, -0.5], [6.5, 4.5], [6.6, 1.0]], [[1.0, -0.6], [math.nan, 1.0], [3.0, math.inf]]])
    tags = grouping.tags_at(maps, points)
    assert tags.isnan().all(-1).tolist() == [[False, False, True], [True, True, True]]
    assert tags[0, 1].equal(maps[1, :, 4, 6])
    (slope,) = torch.autograd.grad(grouping.pull_loss(tags, ~tags.isnan().any(-1)), maps)
    assert slope.isfinite().all()


@given(shape=st_numpy.array_shapes(min_dims=0, max_dims=2, max_side=3), dtype=st.sampled_from(FLOATS))
def test_tags_of_any_leading_shape_and_dtype(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    """Are leading axes alike, nobody included, and the maps' dtype kept?"""
    maps = random_tags(*shape, 3, 2, 5, 7).to(dtype)
    points = 4 * torch.rand(*shape, 4, 3, 2, generator=torch.Generator().manual_seed(1))
    tags = grouping.tags_at(maps, points)
    assert (tags.shape, tags.dtype) == ((*shape, 4, 3, 2), dtype)
    flat = grouping.tags_at(maps.reshape(-1, 3, 2, 5, 7), points.reshape(-1, 4, 3, 2))
    assert tags.reshape(flat.shape).equal(flat)
    assert grouping.tags_at(maps, points[..., :0, :, :]).shape == (*shape, 0, 3, 2)


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: grouping.pull_loss(torch.zeros(3, 4), torch.ones(3, 4).bool()), ValueError, r"tags\[..., None\]"),
        (lambda: grouping.pull_loss(torch.zeros(3, 4, 2), torch.ones(4).bool()), ValueError, r"got \(3, 4, 2\) and"),
        (lambda: grouping.pull_loss(torch.zeros(3, 4, 2), torch.ones(3, 4)), TypeError, "visibility > 0"),
        (lambda: grouping.push_loss(torch.zeros(3, 4, 2), torch.ones(3, 4).bool(), 0), ValueError, "margin must be"),
        (
            lambda: grouping.gaussian_push_loss(torch.zeros(3, 4, 2), torch.ones(3, 4).bool(), -1.0),
            ValueError,
            "sigma must be",
        ),
        (lambda: grouping.tags_at(torch.zeros(3, 5, 7), torch.zeros(2, 3, 2)), ValueError, r"\(..., K, D, H, W\)"),
        (lambda: grouping.tags_at(torch.zeros(3, 1, 5, 7), torch.zeros(3, 2)), ValueError, r"and \(3, 2\)"),
        (lambda: grouping.tags_at(torch.zeros(3, 1, 5, 7), torch.zeros(2, 4, 2)), ValueError, r"and \(2, 4, 2\)"),
        (lambda: grouping.tags_at(torch.zeros(2, 3, 1, 5, 7), torch.zeros(4, 3, 2)), ValueError, r"and \(4, 3, 2\)"),
    ],
)
def test_a_mistake_is_named(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    """Does each wrong argument raise an error that says what was expected?"""
    with pytest.raises(error, match=message):
        call()
