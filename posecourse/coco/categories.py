"""The category of a COCO file: what kind of thing is annotated, and with which skeleton."""

import math
from pathlib import Path
from typing import Any

from posecourse.coco.errors import CocoError
from posecourse.skeletons import COCO17, Skeleton

__all__ = ["as_category", "find_category", "read_skeleton"]


def find_category(path: Path, categories: list[dict[str, Any]], wanted: str | int | None) -> dict[str, Any]:
    """Return the one category called `wanted`, or with that id; for None the only one with keypoints.

    Raises:
        CocoError: there is none, or there are two.
    """
    if wanted is None:
        return _only(path, categories)
    found = [category for category in categories if wanted in (category.get("name"), category.get("id"))]
    if len(found) != 1:
        there = ", ".join(f"{category.get('name')!r} (id {category.get('id')})" for category in categories) or "none"
        number = "no category is" if not found else f"{len(found)} categories are"
        raise CocoError(path, f"{number} called {wanted!r}; there are {there}. Choose one: load(..., category=…).")
    if type(found[0].get("id")) is not int:
        raise CocoError(path, f"category {wanted!r} must have a whole number as id; got {found[0].get('id')!r}.")
    return found[0]


def _only(path: Path, categories: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the one category with keypoints."""
    found = [category for category in categories if category.get("keypoints")]
    if len(found) != 1:
        there = ", ".join(repr(category.get("name")) for category in found or categories) or "none"
        number = "no category has" if not found else f"{len(found)} categories have"
        raise CocoError(path, f"{number} keypoints; there are {there}. Say which one is meant: its name, or its id.")
    return find_category(path, found, found[0].get("id", found[0].get("name")))


def read_skeleton(path: Path, category: dict[str, Any], given: Skeleton | None = None) -> Skeleton:
    """Return the skeleton that a category describes, or the given one if it fits.

    COCO counts keypoints from 1. A category with COCO's seventeen names is `COCO17` itself, with its sigmas, so that
    real and rendered people can be joined; others have the sigmas that the category states, or none.

    Raises:
        CocoError: no keypoints, names that repeat, a limb that joins nothing, or a given skeleton that does not fit.
    """
    name, names = category.get("name"), category.get("keypoints")
    if not isinstance(names, list) or not names:
        raise CocoError(
            path,
            f"category {name!r} has no keypoints. Load a person_keypoints file, not an instances file, "
            'or add "keypoints": [names …] to the category.',
        )
    if given is not None:
        return _fitting(path, given, [str(n) for n in names])
    if tuple(names) == COCO17.names:
        return COCO17
    try:
        limbs = tuple((int(a) - 1, int(b) - 1) for a, b in category.get("skeleton") or ())
        return Skeleton(tuple(map(str, names)), limbs, tuple(map(float, category.get("sigmas") or ())))
    except (TypeError, ValueError) as error:
        raise CocoError(path, f"the skeleton of category {name!r} cannot be read: {error}") from error


def _fitting(path: Path, given: Skeleton, names: list[str]) -> Skeleton:
    if len(given) != len(names):
        raise CocoError(path, f"the given skeleton has {len(given)} keypoints and the file {len(names)}: {names}.")
    if set(given.names) == set(names) and list(given.names) != names:
        raise CocoError(path, f"the given skeleton has the file's keypoints in another order; the file has {names}.")
    return given


def as_category(skeleton: Skeleton, name: str, number: int) -> dict[str, Any]:
    """Return a skeleton as a COCO category; sigmas, which COCO does not store, are added where they are known."""
    category: dict[str, Any] = {
        "id": number,
        "name": name,
        "supercategory": name,
        "keypoints": list(skeleton.names),
        "skeleton": [[a + 1, b + 1] for a, b in skeleton.limbs],
    }
    if skeleton.sigmas and all(math.isfinite(sigma) for sigma in skeleton.sigmas):
        category["sigmas"] = list(skeleton.sigmas)
    return category
