"""Student notebooks: untouched they run to the end; each exercise, solved alone, passes."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from tools import editions, notebooks

pytestmark = pytest.mark.lessons
SMALL = Path(__file__).parent / "fixture" / "source" / "90_fixture.py"
SOURCES = pytest.mark.parametrize("source", [*notebooks.sources(), SMALL], ids=lambda path: path.stem)


def errors(notebook: NotebookNode) -> list[str]:
    """Run a notebook to its end and return the names and messages of its errors."""
    notebooks.execute(notebook)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
    return [f"{output.ename}: {output.evalue}" for output in outputs if output.output_type == "error"]


def alone(source: NotebookNode) -> str:
    """Return a program that fills each exercise of a source and nothing else, each in a namespace of its own."""
    opening = next(cell.source for cell in source.cells if cell.cell_type == "code")
    parts = [(opening, cell.source, check.source) for cell, check in editions.exercises(source).values()]
    return f"for parts in {parts!r}:\n    space = {{}}\n    for part in parts:\n        exec(part, space)\n"


def passed(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program as a student's Python would."""
    environment = notebooks.environment(str(folder))
    return subprocess.run([sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True)


@SOURCES
def test_an_untouched_notebook_runs_to_its_end(source: Path) -> None:
    """Is every error of a student notebook that nobody has touched a `Todo`, one for each exercise at least?"""
    read = editions.read(source)
    found = errors(editions.edition(read, "student"))
    assert [line for line in found if not line.startswith("Todo: ")] == []
    for name in editions.exercises(read):
        assert any(f"{name} is still to do" in line for line in found)


@SOURCES
def test_each_exercise_passes_alone(source: Path, tmp_path: Path) -> None:
    """Does each solution pass its check with the imports and without any other cell?"""
    read = editions.read(source)
    result = passed(alone(read), tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("✓ ") == len(editions.exercises(read))


def test_an_error_after_a_stub_is_seen() -> None:
    """Does a stub show as its message without a traceback, and would an error of another kind be found?"""
    notebook = editions.edition(editions.read(SMALL), "student")
    first = [cell for cell in notebook.cells if cell.cell_type == "code"][:3]
    notebook.cells = [*first, nbformat.v4.new_code_cell("del Todo\npixels_to_cells(1.0, 2.0)")]
    todo, other = errors(notebook)
    assert " ".join(first[2].outputs[0].traceback) == todo.removeprefix("Todo: ")
    assert other == "NameError: name 'Todo' is not defined"


def test_an_exercise_that_needs_another_cell_is_seen(tmp_path: Path) -> None:
    """Would a solution that leans on something defined elsewhere be found?"""
    read = editions.read(SMALL)
    cell, _ = editions.exercises(read)["frames.cells_to_pixels"]
    cell.source = cell.source.replace("0.5", "half")
    result = passed(alone(read), tmp_path)
    assert result.returncode != 0
    assert "name 'half' is not defined" in result.stderr
