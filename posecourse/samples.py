"""What a labelled image is: one batch of pictures with everything that is known about the people in them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from posecourse.shapes import Size, require_tensors
from posecourse.skeletons import COCO17, Skeleton

__all__ = ["Sample", "concatenate"]

_OPTIONAL = ("present", "image_ids", "person_ids", "to_source", "keypoints_3d", "camera", "person_map")


@dataclass(frozen=True)
class Sample:
    """A batch of labelled images, all of one size.

    A single-person sample has one person an image: keypoints (B K 2). A crowd has N places for people:
    keypoints (B N K 2) and `present` (B N) saying which of them are taken. Below, `[N]` stands in a crowd only.

    Args:
        images: (B 3 H W) RGB in [0, 1].
        keypoints: (B [N] K 2) as (x, y) in pixels of `images`; unlabelled ones are meaningless, but finite.
        visibility: (B [N] K) COCO's 0 not labelled, 1 labelled but hidden, 2 labelled and visible.
        boxes: (B [N] 4) as (x, y, width, height) in pixels; x and y are edges, so pixel 3 alone is (2.5, …, 1, …).
        areas: (B [N]) what OKS calls area: the visible mask's, in square pixels.
        present: (B N) in a crowd: whether this place holds a person. None for a single-person sample.
        skeleton: names the K keypoints.
        image_ids: (B) the number of the image in its data set.
        person_ids: (B [N]) the number of the person or annotation in its data set.
        to_source: (B 3 3) takes homogeneous (x, y, 1) in `images` to pixels of the picture that it was cut from.
        keypoints_3d: (B [N] K 3) in metres in the camera's frame: x right, y down, z away from the camera.
        camera: (B 3 4) projects homogeneous metres in the camera's frame to homogeneous pixels.
        person_map: (B H W) which person is in front at each pixel: 1 + their place in N, or 0 for none.
        attributes: what was drawn for each image or person, by name, each with leading axis B.

    Raises:
        TypeError: a field is no tensor; the message names it.
        ValueError: shapes disagree; the message names the field.
    """

    images: Float[Tensor, "B 3 H W"]
    keypoints: Float[Tensor, "B *N K 2"]
    visibility: UInt8[Tensor, "B *N K"]
    boxes: Float[Tensor, "B *N 4"]
    areas: Float[Tensor, "B *N"]
    present: Bool[Tensor, "B N"] | None = None
    skeleton: Skeleton = COCO17
    image_ids: Int[Tensor, " B"] | None = None
    person_ids: Int[Tensor, "B *N"] | None = None
    to_source: Float[Tensor, "B 3 3"] | None = None
    keypoints_3d: Float[Tensor, "B *N K 3"] | None = None
    camera: Float[Tensor, "B 3 4"] | None = None
    person_map: UInt8[Tensor, "B H W"] | None = None
    attributes: Mapping[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_tensors(**{"Sample.images": self.images})
        if self.images.ndim != 4 or self.images.shape[1] != 3:
            raise ValueError(f"Sample.images must be (B, 3, H, W); got {tuple(self.images.shape)}.")
        B, K = len(self.images), len(self.skeleton)
        people = (B,) if self.present is None else (B, *self.present.shape[1:])
        expected = {
            "keypoints": (*people, K, 2), "visibility": (*people, K), "boxes": (*people, 4), "areas": people,
            "present": people, "person_ids": people, "image_ids": (B,), "to_source": (B, 3, 3),
            "keypoints_3d": (*people, K, 3), "camera": (B, 3, 4), "person_map": (B, *self.images.shape[-2:]),
        }  # fmt: skip
        for name, shape in expected.items():
            value = getattr(self, name)
            if value is None and name in _OPTIONAL:
                continue
            require_tensors(**{f"Sample.{name}": value})
            if tuple(value.shape) != shape:
                hint = " A crowd needs `present` (B N)." if self.present is None and value.ndim > len(shape) else ""
                raise ValueError(f"Sample.{name} must be {shape}; got {tuple(value.shape)}.{hint}")
        for name, value in self.attributes.items():
            require_tensors(**{f"Sample.attributes.{name}": value})
            if value.shape[:1] != (B,):
                raise ValueError(f"Sample.attributes[{name!r}] must have {B} rows; got {tuple(value.shape)}.")

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, chosen: int | slice | Sequence[int] | Sequence[bool] | Tensor) -> "Sample":
        """Return the chosen images as a Sample; one index gives a batch of one, a mask (B) those that it marks."""
        if isinstance(chosen, slice):
            return self.map(lambda tensor: tensor[chosen])
        index = torch.as_tensor(chosen)
        if index.numel() == 0:
            index = index.long()
        if index.ndim == 0:
            if not -len(self) <= int(index) < len(self):
                raise IndexError(f"image {int(index)} of a sample of {len(self)}.")
            index = index[None]
        return self.map(lambda tensor: tensor[index.to(tensor.device)])

    @property
    def size(self) -> Size:
        """(H, W) of the images."""
        return self.images.shape[-2], self.images.shape[-1]

    @property
    def labelled(self) -> Bool[Tensor, "B *N K"]:
        """Which keypoints have a place, hidden or not: what masks a loss and OKS (COCO's v > 0)."""
        return self.visibility > 0

    @property
    def visible(self) -> Bool[Tensor, "B *N K"]:
        """Which keypoints can be seen: what a visibility head predicts (COCO's v = 2)."""
        return self.visibility == 2

    def map(self, change: Callable[[Tensor], Tensor]) -> "Sample":
        """Return a sample in which every tensor has gone through `change`; the leading axes stay in step."""
        changed: dict[str, Any] = {
            entry.name: change(value)
            for entry in fields(self)
            if isinstance(value := getattr(self, entry.name), Tensor)
        }
        attributes = {name: change(value) for name, value in self.attributes.items()}
        return replace(self, **changed, attributes=attributes)

    def to(self, device: torch.device | str) -> "Sample":
        """Return the sample with every tensor on `device`."""
        return self.map(lambda tensor: tensor.to(device, non_blocking=True))


def concatenate(samples: Sequence[Sample]) -> Sample:
    """Join samples of one image size, one skeleton and one kind into one batch; a field must be in all or in none.

    Raises:
        ValueError: nothing to join, or the samples differ in size, skeleton or fields. Use `transforms.crop` to
            bring pictures of several sizes to one.
    """
    if not samples:
        raise ValueError("nothing to join: the list of samples is empty.")
    first = samples[0]
    for sample in samples[1:]:
        _require_alike(first, sample)
    joined: dict[str, Any] = {
        entry.name: torch.cat([getattr(sample, entry.name) for sample in samples])
        for entry in fields(Sample)
        if isinstance(getattr(first, entry.name), Tensor)
    }
    attributes = {name: torch.cat([sample.attributes[name] for sample in samples]) for name in first.attributes}
    return replace(first, **joined, attributes=attributes)


def _require_alike(a: Sample, b: Sample) -> None:
    """Raise unless the two samples can be joined."""
    if a.size != b.size or a.skeleton != b.skeleton or a.keypoints.shape[1:] != b.keypoints.shape[1:]:
        raise ValueError(
            "samples of one image size, skeleton and number of places can be joined; got "
            f"sizes {a.size} and {b.size}, keypoints {tuple(a.keypoints.shape[1:])} and {tuple(b.keypoints.shape[1:])}."
        )
    for name in (*(entry.name for entry in fields(Sample)), *{*a.attributes, *b.attributes}):
        in_a, in_b = (name in s.attributes or isinstance(getattr(s, name, None), Tensor) for s in (a, b))
        if in_a != in_b:
            raise ValueError(f"{name} is known for one sample and not for the other: drop it from both.")
