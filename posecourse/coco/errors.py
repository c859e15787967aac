"""What is raised when a data set is broken: one error that names the file, the annotation and the fix."""

from collections.abc import Sequence
from pathlib import Path

__all__ = ["CocoError", "Problem", "raise_first"]


class CocoError(ValueError):
    """A COCO file or picture that cannot be read without guessing.

    Args:
        path: the file.
        what: what was expected, what came, and the fix.
        annotation_ids: every annotation that is broken; `load(..., skip=error.annotation_ids)` leaves them out.
    """

    def __init__(self, path: Path, what: str, annotation_ids: Sequence[int] = ()) -> None:
        super().__init__(f"{path}: {what}")
        self.path = path
        self.what = what
        self.annotation_ids = tuple(annotation_ids)


class Problem(Exception):  # noqa: N818 (it never leaves this package)
    """One broken annotation, on its way to becoming part of a `CocoError`."""

    def __init__(self, annotation_id: int, what: str) -> None:
        super().__init__(what)
        self.annotation_id = annotation_id


def raise_first(path: Path, problems: Sequence[Problem]) -> None:
    """Raise a `CocoError` with the first problem and the ids of all, or return if there is none."""
    if not problems:
        return
    ids = [problem.annotation_id for problem in problems]
    what = f"annotation {ids[0]}: {problems[0]}"
    if len(ids) > 1:
        what += f" {len(ids) - 1} more are broken: {', '.join(map(str, ids[1:9]))}{', …' if len(ids) > 9 else '.'}"
    raise CocoError(path, what, ids)
