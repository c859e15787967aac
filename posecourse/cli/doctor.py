"""`posecourse doctor`: everything that can stand in a lesson's way, and what to do about each."""

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from posecourse import machine, paths
from posecourse.machine import Finding

__all__ = ["data_finding", "disk_finding", "examine", "folder_finding", "paste"]

_ROOM_GB = 1.0
_HASH = re.compile(r"\b[0-9a-f]{64}\b")
_FILE = re.compile(r"[\w][\w./-]*\.\w+")


def examine() -> int:
    """Print what was found, what to do, and a block to paste into a question; return 1 if something is wrong."""
    found = []
    for finding in (*machine.findings(), *_folder_findings()):
        print(finding, flush=True)
        found.append(finding)
    wrong = sum(not finding.is_fine for finding in found)
    count = "one thing is" if wrong == 1 else f"{wrong} things are"
    print(f"\n{f'{count} wrong; the lines above say what to do.'.capitalize() if wrong else 'All is well.'}")
    print(f"\nTo ask for help, paste this:\n\n{paste(found)}")
    return 1 if wrong else 0


def paste(found: list[Finding]) -> str:
    """Return the findings as one Markdown block, without the user's name in the paths."""
    text = "\n".join(map(str, found))
    return f"```\n{text.replace(str(Path.home()), '~')}\n```"


def _folder_findings() -> Iterator[Finding]:
    yield folder_finding()
    yield disk_finding()
    yield data_finding()


def folder_finding() -> Finding:
    """Try to write into the folder of rendered sets."""
    try:
        folder = paths.cache_path()
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"posecourse")
    except OSError as error:
        what = f"{error.filename or 'the cache folder'} cannot be written to: {error.strerror}"
        return Finding("cache", what, "Name a folder of your own in the environment variable POSECOURSE_CACHE.")
    return Finding("cache", str(folder))


def disk_finding() -> Finding:
    """Compare the free room with what lessons want for rendered sets."""
    folder = Path.cwd()
    free = shutil.disk_usage(folder).free / 1e9
    what = f"{free:.1f} GB free in {folder}"
    if free < _ROOM_GB:
        return Finding("disk", what, f"Lessons keep rendered sets: make room until {_ROOM_GB:.0f} GB is free.")
    return Finding("disk", what)


def data_finding() -> Finding:
    """Hold the shipped files against the SHA-256 that `data/README.md` gives for each."""
    again = "Get the course again: `git checkout -- data`, or install the package anew."
    try:
        readme = paths.data_path("README.md")
    except FileNotFoundError as error:
        return Finding("data", str(error).split(". ")[0], again)
    wrong, listed = [], _hashes(readme.read_text(encoding="utf-8"))
    for name, expected in listed.items():
        path = readme.parent / name
        if not path.is_file():
            wrong.append(f"{name} is missing")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != expected:
            wrong.append(f"{name} is not the file that was shipped")
    if wrong:
        return Finding("data", "; ".join(wrong), again)
    return Finding("data", f"{len(listed)} files in {readme.parent}, all as they were shipped")


def _hashes(text: str) -> dict[str, str]:
    """Return {file: SHA-256} from every line that names a file and its hash."""
    lines = [line for line in text.splitlines() if _HASH.search(line)]
    named = {line: _FILE.search(_HASH.sub("", line)) for line in lines}
    return {found[0]: hashes[0] for line, found in named.items() if found and (hashes := _HASH.search(line))}
