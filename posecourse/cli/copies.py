"""The student's own copies of the notebooks: made once, brought up to date while untouched, never overwritten.

| her copy in `work/`                          | what happens                                            |
|----------------------------------------------|---------------------------------------------------------|
| is not there (new lesson, or she deleted it) | it is copied                                            |
| is as it was copied, and the source changed  | it is replaced                                          |
| has her own cells, and the source changed    | the new edition is put beside it as `NN_topic.new.ipynb` |
| has her own cells, and so has the `.new`     | both stay; a sentence says so                           |

*As it was copied* means the cells' text: running a notebook, or saving it with other line endings, changes no text.
`work/.posecourse` remembers what was copied. Without it, or where it cannot be read, every copy counts as hers.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

__all__ = ["MARKER", "bring_up_to_date"]

MARKER = ".posecourse"


@dataclass(frozen=True)
class _Copied:
    """What is remembered of one notebook.

    Args:
        text: of the edition that her copy was made from (see `_text`).
        offered: the text of the edition that was last put beside her copy; empty if none was.
        file: SHA-256 of the file that her copy was made from.
    """

    text: str
    offered: str = ""
    file: str = ""


def bring_up_to_date(source: Path, work: Path) -> list[str]:
    """Copy the notebooks of `source` to `work`, and return what is worth telling about it, one sentence each.

    Raises:
        OSError: `work` cannot be made or written to.
    """
    work.mkdir(parents=True, exist_ok=True)
    remembered = _read(work / MARKER)
    told = []
    for edition in sorted(source.glob("*.ipynb")):
        try:
            remembered[edition.name], sentence = _bring(edition, work, remembered.get(edition.name))
        except PermissionError as error:
            if not (work / edition.name).exists():
                raise
            sentence = f"{edition.name}: could not be renewed ({error.strerror}); your copy is as it was."
        _write(work / MARKER, _dump(remembered))
        told += [sentence] if sentence else []
    _write(work / MARKER, _dump(remembered))  # also where there is no notebook: the marker makes the folder hers
    return told


def _bring(edition: Path, work: Path, copied: _Copied | None) -> tuple[_Copied, str]:
    """Bring one notebook up to date; return what to remember of it and what to tell."""
    copy, beside = work / edition.name, work / f"{edition.stem}.new.ipynb"
    content = edition.read_bytes()
    new = _Copied(text=_text(content), file=_digest(content))
    if not copy.exists():
        _write(copy, content)
        return new, ""
    before = copy.read_bytes()
    hers = _text(before)
    if hers == new.text:
        if copied and copied.file == _digest(before) != new.file:
            _write(copy, content)  # no cell's text has changed, and there are no outputs to lose
        return new, ""  # also if an interrupted run made this copy, or she has taken the new edition over by hand
    if copied and hers == copied.text:
        _write(copy, content)
        return new, f"{copy.name}: renewed, since you had not changed it."
    return _offer(content, new, beside, copied or _Copied(text=""), copy.name)


def _offer(content: bytes, new: _Copied, beside: Path, copied: _Copied, name: str) -> tuple[_Copied, str]:
    """Put a new edition beside a copy that is hers, unless she has it already."""
    if new.text in (copied.text, copied.offered):
        return copied, ""
    if beside.exists() and _text(beside.read_bytes()) not in (copied.offered, new.text):
        return (
            copied,
            f"{name}: a newer edition is out. Rename or delete {beside.name}, which has your changes, to get it.",
        )
    _write(beside, content)
    return replace(copied, offered=new.text), f"{name}: a newer edition lies beside yours, as {beside.name}."


def _text(content: bytes) -> str:
    """Return a hash of the cells' kinds and texts, or of the whole content if it is no notebook."""
    try:
        cells = [(cell["cell_type"], "".join(cell["source"])) for cell in json.loads(content)["cells"]]
    except (ValueError, KeyError, TypeError):
        return _digest(content)
    return _digest(json.dumps(cells).replace("\\r\\n", "\\n").encode())


def _digest(content: bytes) -> str:
    """Return the SHA-256 of the content, with Unix line endings."""
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def _read(marker: Path) -> dict[str, _Copied]:
    """Return what is remembered, by the notebook's name; nothing if the marker is missing or cannot be understood."""
    try:
        return {
            name: _Copied(**entry) for name, entry in json.loads(marker.read_text(encoding="utf-8"))["copied"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _dump(remembered: dict[str, _Copied]) -> bytes:
    entries = {name: asdict(entry) for name, entry in sorted(remembered.items())}
    return (json.dumps({"copied": entries}, indent=1) + "\n").encode()


def _write(path: Path, content: bytes) -> None:
    """Write a file all or nothing: whoever is interrupted leaves the old one, or none."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
