"""One annotation of a COCO file: one person, with every number checked."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posecourse.coco.errors import Problem
from posecourse.shapes import Size

__all__ = ["Person", "as_annotation", "read_person"]


@dataclass(frozen=True)
class Person:
    """One annotated person, in COCO's own frame: keypoints as clicked, box edges with pixel i at [i, i + 1)."""

    id: int
    image_id: int
    keypoints: NDArray[np.float64] = field(repr=False)
    """(K 3) as (x, y, v)."""
    box: tuple[float, float, float, float]
    """(x, y, width, height)"""
    area: float
    crowd: bool = False
    """A region full of people whom nobody separated (iscrowd): no person to learn from, ignored in a score."""

    @property
    def labelled(self) -> int:
        """How many keypoints are labelled: COCO's num_keypoints, counted here and not taken from the file."""
        return int((self.keypoints[:, 2] > 0).sum())


def read_person(record: dict[str, Any], size: Size, K: int) -> Person:
    """Read one annotation.

    Args:
        record: the JSON object.
        size: (H, W) that the file gives for its image.
        K: keypoints of the category.

    Raises:
        Problem: a number that is missing, not finite, outside of the picture, or of no meaning.
    """
    crowd = record.get("iscrowd", 0)
    if crowd not in (0, 1):
        raise Problem(record["id"], f"iscrowd must be 0 or 1; got {crowd!r}.")
    box = _box(record, size)
    return Person(
        id=record["id"],
        image_id=record["image_id"],
        keypoints=_keypoints(record, size, K, optional=bool(crowd)),
        box=box,
        area=_area(record, box),
        crowd=bool(crowd),
    )


def _keypoints(record: dict[str, Any], size: Size, K: int, *, optional: bool) -> NDArray[np.float64]:
    """Return keypoints (K 3): x, y, v."""
    number, given = record["id"], record.get("keypoints")
    if given is None:
        if optional:
            return np.zeros((K, 3))
        raise Problem(number, "has no keypoints. Load a person_keypoints file, not an instances file.")
    try:
        flat = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise Problem(number, "keypoints must be a flat list of numbers x1, y1, v1, x2, …") from None
    if flat.shape != (3 * K,):
        got = flat.size if flat.ndim == 1 else f"a nested list {flat.shape}"
        raise Problem(number, f"keypoints must be {K} times x, y, v: {3 * K} numbers in a flat list; got {got}.")
    points = flat.reshape(K, 3)
    _require_sound(number, points, size)
    return points


def _require_sound(number: int, points: NDArray[np.float64], size: Size) -> None:
    """Raise unless every number is finite, v is 0, 1 or 2, and labelled points are in the picture."""
    if not np.isfinite(points).all():
        place = int(np.flatnonzero(~np.isfinite(points).all(1))[0])
        raise Problem(number, f"keypoint {place} is {points[place].tolist()}: not finite. Write 0, 0, 0 where unknown.")
    x, y, v = points.T
    if (wrong := (v != 0) & (v != 1) & (v != 2)).any():
        place = int(np.flatnonzero(wrong)[0])
        raise Problem(
            number,
            f"keypoint {place} has visibility {v[place]:g}; it must be 0 not labelled, 1 hidden or 2 visible. "
            "A score belongs into results, not into annotations.",
        )
    H, W = size
    # Tools that count from an edge may write W for the last one: a pixel of grace.
    if (wrong := ((x < -1) | (y < -1) | (x > W) | (y > H)) & (v > 0)).any():
        place = int(np.flatnonzero(wrong)[0])
        raise Problem(
            number,
            f"keypoint {place} at {points[place, :2].tolist()} is labelled but outside of the image, {W} wide and {H} "
            "high. Write 0, 0, 0 where the picture ends, and check that it is x before y.",
        )


def _box(record: dict[str, Any], size: Size) -> tuple[float, float, float, float]:
    """Return the box (x, y, width, height) in COCO's frame."""
    number, given = record["id"], record.get("bbox")
    if not isinstance(given, list) or len(given) != 4 or not all(_is_finite(value) for value in given):
        raise Problem(number, f"bbox must be four finite numbers x, y, width, height; got {given!r}.")
    x, y, width, height = map(float, given)
    if width <= 0 or height <= 0:
        raise Problem(number, f"bbox is {width:g} wide and {height:g} high; both must be positive. Draw the box again.")
    H, W = size
    if x >= W or y >= H or x + width <= 0 or y + height <= 0:
        raise Problem(number, f"bbox {given} lies outside of the image, {W} wide and {H} high. x, y is its corner.")
    return x, y, width, height


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _area(record: dict[str, Any], box: tuple[float, float, float, float]) -> float:
    """Return the area in square pixels: the file's, else the segmentation's, else the box's.

    The box is the last resort: it is about twice as large as the person in it, and makes OKS kinder.
    """
    area = record.get("area")
    if area is None:
        segmentation = record.get("segmentation")
        area = _segmentation_area(record["id"], segmentation) if segmentation else box[2] * box[3]
    if not _is_finite(area) or area <= 0:
        raise Problem(record["id"], f"area must be a positive number; got {area!r}. Without it the box's is taken.")
    return float(area)


def _segmentation_area(number: int, segmentation: Any) -> float:
    """Return the area of polygons (shoelace formula) or of a run-length mask.

    Source: COCO stores, for polygons, the sum of their areas.
    """
    try:
        if isinstance(segmentation, list):
            return float(sum(_polygon_area(np.asarray(flat, dtype=np.float64)) for flat in segmentation))
        if isinstance(segmentation["counts"], list):  # runs of 0, 1, 0, 1, …
            return float(sum(segmentation["counts"][1::2]))
        from pycocotools import mask

        return float(mask.area(segmentation))
    except (TypeError, ValueError, KeyError) as error:
        raise Problem(
            number, "segmentation must be polygons or a run-length mask. Write the area, or drop it."
        ) from error


def _polygon_area(flat: NDArray[np.float64]) -> float:
    """Return |Σ xᵢ·yᵢ₊₁ − xᵢ₊₁·yᵢ| / 2."""
    x, y = flat.reshape(-1, 2).T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


def as_annotation(person: Person, category_id: int, number: int | None = None) -> dict[str, Any]:
    """Return a person as a COCO annotation with all the fields that an evaluation needs."""
    return {
        "id": person.id if number is None else number,
        "image_id": person.image_id,
        "category_id": category_id,
        "keypoints": person.keypoints.ravel().tolist(),
        "num_keypoints": person.labelled,
        "bbox": list(person.box),
        "area": person.area,
        "iscrowd": int(person.crowd),
    }
