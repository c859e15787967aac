"""One lesson's source, and the two notebooks that it becomes: the student's and the solutions.

The format of a source is described in notebooks/README.md.
"""

import ast
import hashlib
import re
from pathlib import Path
from typing import Literal, TypeAlias

import jupytext
import nbformat
from nbformat import NotebookNode

__all__ = ["Edition", "SourceError", "edition", "exercises", "read", "text"]

Edition: TypeAlias = Literal["student", "solution"]

_KEYS = {"exercise", "dots", "minutes", "points", "check", "only", "measured", "tags"}
_PAIR = ("exercise", "check")
_HEADER = r"---\nposecourse:\n +minutes: (?P<minutes>\d+)\n +budget_cpu_seconds: (?P<budget_cpu_seconds>\d+)\n---"
_LESSON_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


class SourceError(ValueError):
    """A source that does not follow the format; the message names the file, the cell and the fix."""


def read(path: Path) -> NotebookNode:
    """Return the source as a notebook whose cells have their ids and keep the keys of their headers.

    Raises:
        SourceError: the source does not follow the format.
    """
    notebook = jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent")
    notebook.metadata["posecourse"] = _header(path, notebook)
    seen: set[str] = set()
    for number, cell in enumerate(notebook.cells, 1):
        cell.metadata.pop("lines_to_next_cell", None)
        try:
            _require_format(cell)
            cell.id = _identity(cell, seen)
        except SyntaxError as error:
            raise SourceError(
                f"{path.name}, cell {number} is not Python, nor may it have magics or !: {error}"
            ) from error
        except ValueError as error:
            raise SourceError(f"{path.name}, cell {number}: {error}") from error
    _require_pairs(path, notebook)
    return notebook


def _header(path: Path, notebook: NotebookNode) -> dict[str, int]:
    """Take the header, which Jupytext leaves as a raw cell, out of the notebook and return what it says."""
    first = notebook.cells[0] if notebook.cells else None
    match = re.fullmatch(_HEADER, first.source) if first is not None and first.cell_type == "raw" else None
    if match is None:
        raise SourceError(
            f"{path.name} must open with a header: posecourse: minutes, budget_cpu_seconds, whole numbers."
        )
    notebook.cells.pop(0)
    return {name: int(value) for name, value in match.groupdict().items()}


def exercises(source: NotebookNode) -> dict[str, tuple[NotebookNode, NotebookNode]]:
    """Return for every exercise, by its full name, its cell and the cell of its check."""
    checks = {cell.metadata.check: cell for cell in source.cells if "check" in cell.metadata}
    return {
        cell.metadata.exercise: (cell, checks[cell.metadata.exercise])
        for cell in source.cells
        if "exercise" in cell.metadata
    }


def edition(source: NotebookNode, kind: Edition) -> NotebookNode:
    """Return a new notebook without outputs: the student's edition or the solutions, of a source that was read."""
    points = {name: cell.metadata.points for name, (cell, _) in exercises(source).items()}
    cells = [_cell(cell, kind, points) for cell in source.cells if cell.metadata.get("only", kind) == kind]
    metadata = {**_LESSON_METADATA, "posecourse": dict(source.metadata.posecourse)}
    return nbformat.from_dict({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def text(notebook: NotebookNode) -> str:
    """Return the notebook as it stands in its file; raise where it is not a valid notebook."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def _cell(cell: NotebookNode, kind: Edition, points: dict[str, int]) -> dict[str, object]:
    """Return one cell of an edition."""
    own = cell.metadata
    tags = list(own.get("tags", []))
    metadata: dict[str, object] = {}
    source = cell.source
    if "exercise" in own:
        metadata["nbgrader"] = _nbgrader(cell.id, solution=True)
        metadata["posecourse"] = {key: own[key] for key in ("exercise", "dots", "minutes")}
        source = _stub(source, own.exercise) if kind == "student" else source
    if "check" in own:
        metadata["nbgrader"] = _nbgrader(cell.id, points=points[own.check])
        tags += ["raises-exception"] if kind == "student" else []  # Run All goes on; in the solutions it must not
    if own.get("measured"):
        tags.append("nbval-ignore-output")
    if cell.cell_type == "code" and kind == "student":
        source = _without_answers(source)
    if tags:
        metadata["tags"] = tags
    rest: dict[str, object] = {"execution_count": None, "outputs": []} if cell.cell_type == "code" else {}
    return {"cell_type": cell.cell_type, "id": cell.id, "metadata": metadata, "source": source, **rest}


def _nbgrader(grade_id: str, *, solution: bool = False, points: int | None = None) -> dict[str, object]:
    """Return nbgrader's metadata (schema 3): a solution that the student edits, or a locked cell that gives points."""
    graded = {} if points is None else {"points": points}
    return {
        "grade": points is not None, "grade_id": grade_id, "locked": not solution, **graded,
        "schema_version": 3, "solution": solution, "task": False,
    }  # fmt: skip


def _stub(source: str, name: str) -> str:
    """Return the exercise as the student finds it: everything to the end of the docstring, then `raise Todo`."""
    docstring = _function(source, name).body[0]
    lines = source.splitlines()[: docstring.end_lineno]
    return "\n".join([*lines, f'{" " * docstring.col_offset}raise Todo("{name}")'])


def _function(source: str, name: str) -> ast.FunctionDef:
    """Return the one function of an exercise's cell."""
    body = ast.parse(source).body
    function = body[0] if body else None
    if len(body) != 1 or not isinstance(function, ast.FunctionDef) or function.name != name.rpartition(".")[2]:
        raise ValueError(f"an exercise's cell holds one function called {name.rpartition('.')[2]}, nothing else.")
    if ast.get_docstring(function) is None or len(function.body) < 2:
        raise ValueError(f"{function.name} needs a docstring and a solution after it.")
    return function


def _without_answers(source: str) -> str:
    """Return the code with every literal answer of a `predict` replaced by `...`."""
    lines = source.encode().splitlines(keepends=True)  # ast counts columns in bytes
    starts = [sum(map(len, lines[:row])) for row in range(len(lines))]
    code = source.encode()
    for answer in sorted(_answers(source), key=lambda node: (node.lineno, node.col_offset), reverse=True):
        begin = starts[answer.lineno - 1] + answer.col_offset
        end = starts[(answer.end_lineno or 0) - 1] + (answer.end_col_offset or 0)
        code = code[:begin] + b"..." + code[end:]
    return code.decode()


def _answers(source: str) -> list[ast.expr]:
    """Return the second argument of every call of `predict`."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    predictions = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "predict"]
    for call in predictions:
        parts = ast.walk(call.args[1]) if len(call.args) > 1 else [call]
        if not all(isinstance(part, ast.Constant | ast.UnaryOp | ast.unaryop) for part in parts):
            raise ValueError("predict's second argument is the answer: a literal number or string, not a keyword.")
    return [call.args[1] for call in predictions]


def _identity(cell: NotebookNode, seen: set[str]) -> str:
    """Return the cell's id: its exercise's name, or a hash of its content; the same however often it is built."""
    if name := cell.metadata.get("exercise") or cell.metadata.get("check"):
        identity = f"{'check-' if 'check' in cell.metadata else ''}{name.replace('.', '-')}"
        if identity in seen:
            raise ValueError(f"there is another {identity}.")
    else:
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
        identity = digest
        while identity in seen:  # the same cell once more
            identity = hashlib.sha256(f"{identity}\n{digest}".encode()).hexdigest()[:8]
    seen.add(identity)
    return identity


def _require_format(cell: NotebookNode) -> None:
    """Raise unless the cell's header and content follow the format."""
    own = cell.metadata
    if unknown := set(own) - _KEYS:
        raise ValueError(f"a cell's header knows {', '.join(sorted(_KEYS))}; got {', '.join(sorted(unknown))}.")
    if own.get("only", "student") not in ("student", "solution"):
        raise ValueError(f'only must be "student" or "solution"; got {own.only!r}.')
    if cell.cell_type != "code":
        return
    _answers(cell.source)
    for kind in _PAIR:
        if kind in own and not re.fullmatch(r"[a-z]\w*\.[A-Za-z]\w*", own[kind]):
            raise ValueError(f'{kind} must be "topic.function"; got {own[kind]!r}.')
    if "exercise" in own:
        _function(cell.source, own.exercise)
        for key in ("dots", "minutes", "points"):
            if type(own.get(key)) is not int or own[key] < 1:
                raise ValueError(f"an exercise's header has {key}, a whole number; got {own.get(key)!r}.")
    if "check" in own and cell.source != (line := f"checks.{own.check}.check({own.check.rpartition('.')[2]})"):
        raise ValueError(f"this check's cell must be the line {line}")


def _require_pairs(path: Path, notebook: NotebookNode) -> None:
    """Raise unless every exercise is followed by its own check, and by no other exercise before it."""
    order = [f"{kind} {cell.metadata[kind]}" for cell in notebook.cells for kind in _PAIR if kind in cell.metadata]
    names = [entry.removeprefix("exercise ") for entry in order if entry.startswith("exercise ")]
    if order != [f"{kind} {name}" for name in names for kind in _PAIR]:
        raise SourceError(f"{path.name}: every exercise is followed by its check; got {', '.join(order)}.")
