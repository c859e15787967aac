"""What the student predicted and which checks passed: one JSON object a line, only ever added to."""

import json
import os
from datetime import UTC, datetime
from typing import Any

from posecourse.paths import work_path

__all__ = ["record", "records"]

_session: list[dict[str, Any]] = []  # what this kernel has recorded: all there is where there is no work folder


def record(kind: str, **entry: Any) -> None:
    """Remember `entry`, also in the work folder's `progress.jsonl` if there is one.

    A line is written whole and flushed to disk; a line that a crash cut short is closed first. A disk that cannot be
    written to costs the student a sentence, never the lesson.
    """
    line = {"kind": kind, **entry}
    _session.append(line)
    folder = work_path()
    if folder is None:
        return
    text = json.dumps({**line, "time": datetime.now(UTC).isoformat(timespec="seconds")}, ensure_ascii=False)
    try:
        with (folder / "progress.jsonl").open("ab+") as file:
            torn = file.seek(0, os.SEEK_END) > 0 and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n"
            file.write(b"\n" * torn + text.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        print(f"(Not recorded in {folder}: {error.strerror or error}. The lesson goes on.)")


def records(kind: str) -> list[dict[str, Any]]:
    """Return what is remembered of one kind, the oldest first: the work folder's lines, then this session's.

    Lines that are not JSON objects are passed over and left where they are.
    """
    folder = work_path()
    try:
        lines = (folder / "progress.jsonl").read_bytes().splitlines() if folder else []
    except OSError:
        lines = []
    return [entry for entry in [*map(_parsed, lines), *_session] if entry.get("kind") == kind]


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
