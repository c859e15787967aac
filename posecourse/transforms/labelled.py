"""Whole samples under a map: images, keypoints, visibility, boxes, areas, camera, and the way back to the source.

What a map does to the labels, decided once:

- A keypoint that leaves the picture gets visibility 0. Its pixels are gone, a heatmap cannot hold it, and COCO calls
  a keypoint outside of the picture not labelled. Its coordinates are kept, so nothing is lost: they can be taken back
  to the source, and `inside` tells which ones they are.
- Boxes and areas are those of the whole person: moved and scaled, never clipped. OKS measures an error by the size
  of the person, which does not change when a crop cuts off the feet.
- Attributes say what was drawn and stay as they are; in a mirror a direction in them still means the original.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.samples import Sample
from posecourse.shapes import require_points
from posecourse.transforms.images import Padding, warp
from posecourse.transforms.matrices import box_to_size, compose, determinant, flipping, homogeneous, invert, rotation
from posecourse.transforms.points import context_box, flip_keypoints, inside, transform_boxes, transform_points

__all__ = [
    "affine_sample",
    "crop_people",
    "crop_sample",
    "each_person",
    "fit_sample",
    "flip_sample",
    "rotate_sample",
    "to_source",
]


def affine_sample(
    sample: Sample,
    matrix: Float[Tensor, "B _ 3"],
    size: Sequence[int] | None = None,
    *,
    padding: Padding = "zeros",
) -> Sample:
    """Move a sample by one matrix an image, forward in pixels; everything that it knows follows.

    Args:
        sample: single-person or crowd.
        matrix: (B 2 3) or (B 3 3), not a mirror: `flip_sample` also exchanges left and right.
        size: (H, W) of the new images; by default that of the old.
        padding: what lies outside of the old picture.

    Raises:
        ValueError: a matrix that mirrors, or has no way back.
    """
    matrix = homogeneous(matrix)
    scale = determinant(matrix)
    if bool((scale < 0).any()):
        raise ValueError("matrix mirrors the picture, and left would stay left. Use flip_sample, then the rest.")
    images = warp(sample.images, matrix, size, padding=padding)
    keypoints = transform_points(sample.keypoints, matrix)
    there = inside(keypoints, images.shape[-2:])
    return replace(
        sample,
        images=images,
        keypoints=keypoints,
        visibility=torch.where(there, sample.visibility, torch.zeros_like(sample.visibility)),
        boxes=transform_boxes(sample.boxes, matrix),
        areas=sample.areas * scale.reshape(-1, *(1,) * (sample.areas.ndim - 1)),
        to_source=_further(sample, invert(matrix)),
        camera=None if sample.camera is None else _after_camera(matrix, sample.camera),
        person_map=None if sample.person_map is None else _moved_map(sample.person_map, matrix, images.shape[-2:]),
    )


def rotate_sample(sample: Sample, degrees: float | Float[Tensor, " B"], *, padding: Padding = "zeros") -> Sample:
    """Turn a sample about the centre of its images, counter-clockwise on the screen.

    Boxes become the upright boxes around the turned ones, which are larger than the turned person's own.

    Args:
        sample: single-person or crowd.
        degrees: one angle for all, or one an image.
        padding: what lies outside of the picture.
    """
    angles = torch.as_tensor(degrees, dtype=sample.keypoints.dtype, device=sample.keypoints.device)
    return affine_sample(sample, rotation(angles.expand(len(sample)), sample.size), padding=padding)


def crop_sample(
    sample: Sample, box: Float[Tensor, "B 4"], size: Sequence[int], *, padding: Padding = "zeros"
) -> Sample:
    """Cut one box out of each image and bring it to `size`. See `crop` for the box and `context_box` for its aspect."""
    return affine_sample(sample, box_to_size(box, size), size, padding=padding)


def crop_people(sample: Sample, size: Sequence[int], *, margin: float = 1.25, padding: Padding = "zeros") -> Sample:
    """Cut every person out of a sample: one crop each, not stretched, with the surroundings that `margin` says.

    Args:
        sample: a crowd (B N …), of which the people who are present are cut out, or a single-person sample.
        size: (H, W) of the crops.
        margin: how much larger than the person's box the crop is; 1 is tight.
        padding: what lies outside of the picture.

    Returns:
        A single-person sample, image by image and in each in the order of its people.
    """
    people = each_person(sample)
    return crop_sample(people, context_box(people.boxes, size, margin), size, padding=padding)


def fit_sample(sample: Sample, size: Sequence[int], *, padding: Padding = "zeros") -> Sample:
    """Bring whole pictures to `size`, not stretched: in the middle, with `padding` on two sides where shapes differ."""
    H, W = sample.size
    whole = sample.boxes.new_tensor([-0.5, -0.5, W, H]).expand(len(sample), 4)
    return crop_sample(sample, context_box(whole, size, 1.0), size, padding=padding)


def each_person(sample: Sample) -> Sample:
    """Return a crowd as a single-person sample: every present person with a copy of the whole image.

    Attributes keep their shape behind the first axis. Where a crowd has any, `place` is added: which of the N places
    of an attribute (B N …) is this person's.
    """
    if sample.present is None:
        return sample
    image, place = sample.present.nonzero(as_tuple=True)

    def of_person(tensor: Tensor | None) -> Tensor | None:
        return None if tensor is None else tensor[image, place]

    chosen = sample.map(lambda tensor: tensor[image])
    mine = None
    if chosen.person_map is not None:
        mine = (chosen.person_map == place[:, None, None] + 1).to(torch.uint8)
    return replace(
        chosen,
        present=None,
        keypoints=sample.keypoints[image, place],
        visibility=sample.visibility[image, place],
        boxes=sample.boxes[image, place],
        areas=sample.areas[image, place],
        person_ids=of_person(sample.person_ids),
        keypoints_3d=of_person(sample.keypoints_3d),
        person_map=mine,
        attributes={**chosen.attributes, "place": place} if sample.attributes else {},
    )


def flip_sample(sample: Sample) -> Sample:
    """Mirror a sample left to right: left and right keypoints change places, in 3-D too.

    The mirrored world is seen by the mirrored camera, F · P · diag(−1, 1, 1, 1): its x still points right.
    """
    mirror = flipping(sample.size, sample.keypoints)
    swap = list(sample.skeleton.swap)
    x, y, width, height = sample.boxes.unbind(-1)
    other_hand = sample.keypoints.new_tensor([-1.0, 1.0, 1.0])
    camera = sample.camera
    if camera is not None:
        camera = _after_camera(mirror.expand(len(sample), 3, 3), camera) * camera.new_tensor([-1.0, 1.0, 1.0, 1.0])
    return replace(
        sample,
        images=sample.images.flip(-1),
        keypoints=flip_keypoints(sample.keypoints, sample.size, sample.skeleton),
        visibility=sample.visibility[..., swap],
        boxes=torch.stack([(sample.size[1] - 1) - x - width, y, width, height], dim=-1),
        to_source=_further(sample, mirror.expand(len(sample), 3, 3)),
        keypoints_3d=None if sample.keypoints_3d is None else sample.keypoints_3d[..., swap, :] * other_hand,
        camera=camera,
        person_map=None if sample.person_map is None else sample.person_map.flip(-1),
    )


def to_source(keypoints: Float[Tensor, "B *N K 2"], sample: Sample) -> Float[Tensor, "B *N K 2"]:
    """Take keypoints in pixels of a sample's images, such as predictions, to the picture that they were cut from.

    Where the sample is a mirror image, left and right change places again: what a network calls the left wrist in
    the mirror is the right one in the source.

    Args:
        keypoints: (x, y) of the skeleton's K keypoints; need not be the sample's people nor as many.
        sample: whose `to_source` is used; a sample without one is its own source.

    Raises:
        ValueError: not B images or K keypoints.
    """
    require_points(keypoints, "keypoints")
    if keypoints.ndim < 3 or len(keypoints) != len(sample) or keypoints.shape[-2] != len(sample.skeleton):
        expected = f"({len(sample)}, …, {len(sample.skeleton)}, 2)"
        raise ValueError(f"keypoints must be {expected}, as the sample has images and K; got {tuple(keypoints.shape)}.")
    if sample.to_source is None:
        return keypoints
    moved = transform_points(keypoints, sample.to_source)
    mirrored = determinant(sample.to_source) < 0
    return torch.where(mirrored.reshape(-1, *(1,) * (moved.ndim - 1)), moved[..., list(sample.skeleton.swap), :], moved)


def _further(sample: Sample, back: Tensor) -> Tensor:
    """Return `to_source` of a sample after a map whose way back is `back`."""
    return back if sample.to_source is None else compose(sample.to_source, back)


def _after_camera(matrix: Float[Tensor, "B 3 3"], camera: Float[Tensor, "B 3 4"]) -> Float[Tensor, "B 3 4"]:
    """Return the camera that projects to the new pixels: M · P."""
    return (matrix[..., None].to(camera.dtype) * camera[:, None]).sum(2)


def _moved_map(person_map: Tensor, matrix: Tensor, size: Sequence[int]) -> Tensor:
    """Return which person is in front at each new pixel: labels are never blended."""
    return warp(person_map[:, None].float(), matrix, size, nearest=True)[:, 0].to(person_map.dtype)
