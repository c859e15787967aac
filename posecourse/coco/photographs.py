"""The reader's own pictures, named by one environment variable."""

import os
from pathlib import Path

from posecourse.coco.datasets import CocoDataset, load
from posecourse.coco.errors import CocoError

__all__ = ["photographs"]


def photographs() -> CocoDataset | None:
    """Open the COCO folder that POSECOURSE_REAL_COCO names, or return None where it names none.

    The folder holds the pictures and one JSON file of keypoint annotations.

    Raises:
        CocoError: the folder is missing, does not hold exactly one JSON file, or the file is broken.

    Lesson: 00.
    """
    named = os.environ.get("POSECOURSE_REAL_COCO")
    if not named:
        return None
    found = sorted(Path(named).glob("*.json"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise CocoError(Path(named), f"POSECOURSE_REAL_COCO must name a folder with one JSON file; it has {names}.")
    return load(found[0], named)
