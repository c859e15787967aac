"""Samples: do all parts of a batch stay in step?"""

from dataclasses import replace
from typing import Any

import pytest
import torch

from posecourse.samples import Sample, concatenate
from posecourse.skeletons import Skeleton

SKELETON = Skeleton(("nose", "left_paw", "right_paw"))
B, N, K, H, W = 4, 2, 3, 5, 7


def sample(*people: int, seed: int = 0, **changed: Any) -> Sample:
    """A sample with every field taken; `people` is () for a single person an image, or (N,) for a crowd."""
    generator = torch.Generator().manual_seed(seed)

    def rand(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=generator)

    fields: dict[str, Any] = {
        "images": rand(B, 3, H, W),
        "keypoints": rand(B, *people, K, 2),
        "visibility": torch.randint(0, 3, (B, *people, K), generator=generator, dtype=torch.uint8),
        "boxes": rand(B, *people, 4),
        "areas": rand(B, *people),
        "present": torch.ones(B, *people, dtype=torch.bool) if people else None,
        "skeleton": SKELETON,
        "image_ids": torch.arange(B) + 10 * seed,
        "person_ids": torch.randint(0, 99, (B, *people), generator=generator),
        "to_source": rand(B, 3, 3),
        "keypoints_3d": rand(B, *people, K, 3),
        "camera": rand(B, 3, 4),
        "person_map": torch.randint(0, 3, (B, H, W), generator=generator, dtype=torch.uint8),
        "attributes": {"tone": rand(B, *people)},
    }
    return Sample(**{**fields, **changed})


def tensors(one: Sample) -> dict[str, torch.Tensor]:
    """All tensors of a sample by name, attributes included."""
    return {**{n: t for n, t in vars(one).items() if isinstance(t, torch.Tensor)}, **one.attributes}


every_kind = pytest.mark.parametrize("people", [(), (N,)], ids=["single", "crowd"])


@every_kind
@pytest.mark.parametrize(
    ("chosen", "rows"),
    [
        (2, [2]), (-1, [3]), (slice(1, None, 2), [1, 3]), ([3, 0], [3, 0]), ((1,), [1]), ([], []),
        (torch.tensor([2, 2]), [2, 2]), (torch.tensor(2), [2]),
        (torch.tensor([True, False, False, True]), [0, 3]), ([True, False, True, False], [0, 2]),
    ],
)  # fmt: skip
def test_choosing_images_takes_everything_along(people: tuple[int, ...], chosen: Any, rows: list[int]) -> None:
    """Does an index, slice, list or mask choose the same rows of every tensor?"""
    whole = sample(*people)
    part = whole[chosen]
    assert len(part) == len(rows)
    assert len(tensors(part)) == len(tensors(whole)) >= 11
    for name, tensor in tensors(part).items():
        assert tensor.equal(tensors(whole)[name][rows]), name


def test_a_sample_can_be_walked_through() -> None:
    """Does iterating give its images one by one and end?"""
    whole = sample()
    assert [int(one.image_ids) for one in whole] == whole.image_ids.tolist()  # type: ignore[union-attr, arg-type, attr-defined]
    with pytest.raises(IndexError, match="image 4 of a sample of 4"):
        whole[4]


@every_kind
def test_joining_undoes_splitting(people: tuple[int, ...]) -> None:
    """Is concatenate(parts) the whole again, in every field?"""
    whole = sample(*people)
    joined = concatenate([whole[:1], whole[1:3], whole[3:]])
    assert tensors(joined).keys() == tensors(whole).keys()
    for name, tensor in tensors(joined).items():
        assert tensor.equal(tensors(whole)[name]), name
    assert joined.skeleton == SKELETON


def test_labelled_is_not_visible() -> None:
    """Is 1, labelled but hidden, labelled and not visible, and 0 neither?"""
    one = sample(visibility=torch.tensor([[0, 1, 2]] * B, dtype=torch.uint8))
    assert one.labelled[0].tolist() == [False, True, True]
    assert one.visible[0].tolist() == [False, False, True]
    assert one.size == (H, W)


@every_kind
def test_map_and_to_reach_every_tensor(people: tuple[int, ...]) -> None:
    """Does a change go through all tensors, attributes included, and leave the sample itself alone?"""
    whole = sample(*people)
    before = {name: tensor.clone() for name, tensor in tensors(whole).items()}
    turned = whole.map(lambda tensor: tensor.flip(0))
    for name, tensor in tensors(turned).items():
        assert tensor.equal(before[name].flip(0)), name
        assert tensors(whole)[name].equal(before[name]), name
    meta = whole.to("meta")
    assert {tensor.device.type for tensor in tensors(meta).values()} == {"meta"}


WRONG = {
    "images": torch.zeros(B, H, W), "keypoints": torch.zeros(B, 17, 2), "visibility": torch.zeros(B, K, 2).byte(),
    "boxes": torch.zeros(B, 5), "areas": torch.zeros(B + 1), "image_ids": torch.zeros(B + 1).long(),
    "person_ids": torch.zeros(B, N, 2).long(), "to_source": torch.zeros(B, 2, 3), "camera": torch.zeros(B, 3, 3),
    "keypoints_3d": torch.zeros(B, K, 2), "person_map": torch.zeros(B, W, H).byte(),
}  # fmt: skip


@pytest.mark.usefixtures("as_a_user")
@every_kind
@pytest.mark.parametrize("name", WRONG)
def test_a_field_out_of_step_is_named(people: tuple[int, ...], name: str) -> None:
    """Does a field of the wrong shape raise an error with its name and the shape that was expected?"""
    with pytest.raises(ValueError, match=rf"Sample\.{name} must be \("):
        sample(*people, **{name: WRONG[name]})


@pytest.mark.usefixtures("as_a_user")
def test_a_crowd_without_present_is_told_so() -> None:
    """Is the one thing that is easily forgotten named?"""
    with pytest.raises(ValueError, match="A crowd needs `present`"):
        replace(sample(N), present=None)
    with pytest.raises(ValueError, match=r"attributes\['tone'\] must have 4 rows"):
        sample(attributes={"tone": torch.zeros(3)})


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: sample(images=torch.zeros(B, 3, H, W + 1), person_map=None), "one image size"),
        (lambda: sample(skeleton=Skeleton(("a", "b", "c"))), "skeleton"),
        (lambda: sample(N), "number of places"),
        (lambda: sample(camera=None), "camera is known for one sample and not for the other"),
        (lambda: sample(attributes={}), "tone is known for one sample and not for the other"),
    ],
)
def test_what_does_not_fit_is_not_joined(other: Any, message: str) -> None:
    """Do samples of two sizes, skeletons, kinds or contents raise, in either order, with the reason?"""
    for pair in ([sample(), other()], [other(), sample()]):
        with pytest.raises(ValueError, match=message):
            concatenate(pair)


def test_nothing_is_not_joined() -> None:
    """Is an empty list refused?"""
    with pytest.raises(ValueError, match="nothing to join"):
        concatenate([])
