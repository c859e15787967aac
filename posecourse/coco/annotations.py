"""The JSON of a COCO data set, read and checked: what every other file here may rely on."""

import json
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from posecourse.coco.categories import find_category, read_skeleton
from posecourse.coco.errors import CocoError, Problem, raise_first
from posecourse.coco.people import Person, read_person
from posecourse.shapes import Size
from posecourse.skeletons import Skeleton

__all__ = ["Annotations", "Picture", "check", "read", "read_document"]


@dataclass(frozen=True)
class Picture:
    """One image of the file: its number, where it lies, how large it says to be, and who is in it."""

    id: int
    file_name: str
    size: Size
    people: tuple[Person, ...] = field(default=(), repr=False)
    crowds: tuple[Person, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Annotations:
    """A whole COCO file for one category."""

    path: Path
    category: dict[str, Any] = field(repr=False)
    skeleton: Skeleton = field(repr=False)
    pictures: tuple[Picture, ...] = field(repr=False)


def read(
    path: Path, category: str | int | None = "person", skeleton: Skeleton | None = None, skip: Collection[int] = ()
) -> Annotations:
    """Read a COCO-keypoints file and check all that it says about one category.

    Args:
        path: the JSON file.
        category: name or id; None for the only one with keypoints.
        skeleton: instead of the one that the category describes.
        skip: ids of annotations to leave out, unread.

    Raises:
        CocoError: not a whole JSON file, not COCO's form, empty, or an annotation that cannot be taken as it stands.
    """
    try:
        return check(path, read_document(path), category, skeleton, skip)
    except CocoError as error:
        if not error.annotation_ids:
            raise
        which = error.annotation_ids[0] if len(error.annotation_ids) == 1 else "*error.annotation_ids"
        way_out = f"{error.what} To leave out what is broken: load(..., skip=[{which}])."
        raise CocoError(path, way_out, error.annotation_ids) from None


def check(
    path: Path,
    document: dict[str, Any],
    category: str | int | None = "person",
    skeleton: Skeleton | None = None,
    skip: Collection[int] = (),
) -> Annotations:
    """Check a COCO document as `read` does; `path` is what errors name."""
    images, records, categories = (_records(path, document, key) for key in ("images", "annotations", "categories"))
    chosen = find_category(path, categories, category)
    bones = read_skeleton(path, chosen, skeleton)
    _require_distinct(path, "images", images)
    _require_distinct(path, "annotations", records)
    pictures = {picture.id: picture for picture in (_picture(path, record) for record in images)}
    mine = [record for record in records if record.get("category_id") == chosen["id"] and record["id"] not in skip]
    people = _people(path, mine, pictures, len(bones))
    if not people:
        raise CocoError(path, f"the set is empty: no annotation is of category {chosen['name']!r} (id {chosen['id']}).")
    _require_pixels(path, people)
    return Annotations(path, chosen, bones, _with_people(pictures, people))


def read_document(path: Path) -> dict[str, Any]:
    """Return the file's JSON object.

    Raises:
        CocoError: there is no such file, or it is no JSON object.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise CocoError(path, "there is no such file. Give the path of the annotations' JSON file.") from error
    except OSError as error:
        raise CocoError(path, f"cannot be opened: {error.strerror}. Give the path of the JSON file.") from error
    except (ValueError, RecursionError) as error:
        raise CocoError(path, f"not a whole JSON file ({error}). Copy or download it again.") from error
    if not isinstance(document, dict):
        raise CocoError(path, f"a COCO file holds one JSON object; got a {type(document).__name__}.")
    return document


def _records(path: Path, document: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Return one of the file's lists of objects."""
    records = document.get(key)
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise CocoError(path, f'a COCO file has a list of objects called "{key}"; it has {sorted(document)}.')
    if not records:
        raise CocoError(path, f'the set is empty: its list "{key}" holds nothing.')
    return records


def _picture(path: Path, record: dict[str, Any]) -> Picture:
    """Read one entry of "images"."""
    number, name = record["id"], record.get("file_name")
    if not isinstance(name, str) or not name:
        raise CocoError(path, f"image {number}: file_name must name the picture; got {name!r}.")
    H, W = record.get("height"), record.get("width")
    if not all(type(n) is int and n > 0 for n in (H, W)):
        raise CocoError(
            path, f"image {number}: height and width must be the picture's, in pixels; got {H!r} and {W!r}."
        )
    return Picture(number, name, (int(H or 0), int(W or 0)))


def _require_distinct(path: Path, key: str, records: Iterable[dict[str, Any]]) -> None:
    """Raise unless every record has a number of its own."""
    for place, record in enumerate(records):
        if type(record.get("id")) is not int:
            raise CocoError(path, f'"{key}"[{place}]: id must be a whole number; got {record.get("id")!r}.')
    number, times = Counter(record["id"] for record in records).most_common(1)[0]
    if times > 1:
        raise CocoError(
            path, f'id {number} stands {times} times in "{key}". Give each its own: who is meant is unknown.'
        )


def _people(path: Path, records: Iterable[dict[str, Any]], pictures: dict[int, Picture], K: int) -> list[Person]:
    """Read the annotations of one category; all that are broken are reported together."""
    people, problems = [], []
    for record in records:
        try:
            number = record.get("image_id")
            if type(number) is not int or number not in pictures:
                raise Problem(record["id"], f"belongs to image {number!r}, which the file's images lack.")
            people.append(read_person(record, pictures[number].size, K))
        except Problem as problem:
            problems.append(problem)
    raise_first(path, problems)
    return people


def _require_pixels(path: Path, people: list[Person]) -> None:
    """Raise if every labelled keypoint of the set is within one pixel of the corner: they are fractions."""
    largest = [float(person.keypoints[person.keypoints[:, 2] > 0, :2].max()) for person in people if person.labelled]
    if largest and max(largest) <= 1:
        raise CocoError(
            path,
            f"no labelled keypoint of all {len(largest)} people has a coordinate above 1, so they seem to be fractions "
            "of the image. COCO has pixels: multiply x by its width and y by its height.",
        )


def _with_people(pictures: dict[int, Picture], people: list[Person]) -> tuple[Picture, ...]:
    """Return the pictures in the file's order, each with its people and its crowd regions."""
    of: dict[int, list[Person]] = {number: [] for number in pictures}
    for person in people:
        of[person.image_id].append(person)
    return tuple(
        Picture(
            picture.id,
            picture.file_name,
            picture.size,
            people=tuple(person for person in of[picture.id] if not person.crowd),
            crowds=tuple(person for person in of[picture.id] if person.crowd),
        )
        for picture in pictures.values()
    )
