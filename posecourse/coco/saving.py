"""Samples as a COCO folder: pictures and one annotation file, which `load` reads back."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from posecourse.coco.annotations import check
from posecourse.coco.categories import as_category
from posecourse.coco.errors import CocoError
from posecourse.coco.people import as_annotation
from posecourse.coco.records import list_samples, number_people
from posecourse.samples import Sample

__all__ = ["save"]


def save(
    samples: Sample | Iterable[Sample],
    folder: Path | str,
    *,
    category: str = "person",
    format: Literal["png", "jpeg"] = "png",
) -> Path:
    """Write samples as a COCO data set: FOLDER/<image id>.png and FOLDER/<category>_keypoints.json.

    Keypoints of labelled joints, visibility, boxes, areas and numbers come back exactly from `load`; images to the
    nearest 1/255 as PNG. What COCO has no place for is not written: places without a person, coordinates of
    unlabelled joints, 3-D, cameras, person maps, attributes. Coordinates are those of the given images, whatever
    they were cut from.

    Args:
        samples: single-person or crowds, with one skeleton. Images and people without numbers are counted from 1.
        folder: made if need be; files of the same names are replaced.
        category: what the people are called.
        format: of the pictures; JPEG is smaller and loses detail.

    Returns:
        The path of the annotation file.

    Raises:
        CocoError: `load` would refuse it, for example because a labelled keypoint is outside of its image, or two
            images have one number. Nothing is written then.
        ValueError: images that are not finite, several skeletons, or people whose numbers repeat.
    """
    folder = Path(folder)
    listed = list_samples(samples)
    numbered = list(number_people(listed))
    suffix = ".png" if format == "png" else ".jpg"
    entries = [_entry(n, sample, suffix) for sample, (ids, _) in zip(listed, numbered, strict=True) for n in ids]
    document = {
        "info": {"description": "Written by posecourse."},
        "images": entries,
        "annotations": [as_annotation(person, 1) for _, people in numbered for person in people],
        "categories": [as_category(listed[0].skeleton, category, 1)],
    }
    target = folder / f"{category}_keypoints.json"
    _require_one_file_each(target, entries)
    check(target, document, category)
    folder.mkdir(parents=True, exist_ok=True)
    for entry, image in zip(entries, (image for sample in listed for image in sample.images), strict=True):
        options: dict[str, Any] = {"quality": 95, "subsampling": 0} if format == "jpeg" else {"optimize": True}
        _picture(image).save(folder / entry["file_name"], format=format.upper(), **options)
    target.write_text(json.dumps(document, allow_nan=False) + "\n", encoding="utf-8")
    return target


def _entry(number: int, sample: Sample, suffix: str) -> dict[str, Any]:
    """Return one entry of the list of images."""
    H, W = sample.size
    return {"id": number, "file_name": f"{number:012d}{suffix}", "width": W, "height": H}


def _require_one_file_each(target: Path, entries: list[dict[str, Any]]) -> None:
    number, times = Counter(entry["id"] for entry in entries).most_common(1)[0]
    if times > 1:
        raise CocoError(
            target,
            f"{times} images have the number {number}, so one would replace the other. For crops of one picture, "
            "number them anew: dataclasses.replace(sample, image_ids=None).",
        )


def _picture(image: Float[Tensor, "3 H W"]) -> Image.Image:
    """Return an image in [0, 1] as 8 bits: the nearest of 256 levels."""
    if not bool(torch.isfinite(image).all()):
        raise ValueError("an image holds NaN or infinity and cannot be written as a picture.")
    levels = (image.detach().float().cpu().clamp(0, 1) * 255).round().to(torch.uint8)
    return Image.fromarray(levels.permute(1, 2, 0).contiguous().numpy())
