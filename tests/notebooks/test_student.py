"""Student notebooks: untouched they run to the end; each exercise, solved alone, passes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from tools import editions, notebooks

pytestmark = pytest.mark.lessons
HERE = Path(__file__).parent
SMALL = HERE / "fixture" / "source" / "90_fixture.py"
ALL = [*notebooks.sources(), SMALL]
SOURCES = pytest.mark.parametrize("source", ALL, ids=lambda path: path.stem)
ALONE = """
import contextlib, io, json, sys, traceback

for exercises in json.load(sys.stdin):
    said, trouble = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(said):
            for cells in exercises:
                space = {}
                for cell in cells:
                    exec(cell, space)
    except BaseException:
        trouble = traceback.format_exc()
    print(json.dumps([trouble, said.getvalue().count("✓ ")]))
"""


def errors(notebook: NotebookNode, *, rehearsed: bool) -> list[str]:
    """Run a notebook to its end and return the names and messages of its errors.

    Args:
        notebook: what is run; its outputs are written into it.
        rehearsed: whether what takes long is done in little; `rehearsal.py` says how.
    """
    if rehearsed:
        notebook.cells.insert(0, new_code_cell(rehearsal()))
    notebooks.execute(notebook)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
    return [f"{output.ename}: {output.evalue}" for output in outputs if output.output_type == "error"]


def rehearsal() -> str:
    """Return the line that a rehearsed notebook begins with; it lends the cells below it no name."""
    text = (HERE / "rehearsal.py").read_text(encoding="utf-8")
    return f"exec(compile({text!r}, 'rehearsal.py', 'exec'), {{'__name__': 'rehearsal'}})"


def alone(read: Iterable[NotebookNode], folder: Path) -> list[tuple[str, int]]:
    """Fill each exercise and nothing else, each in a namespace of its own, in one Python for all sources.

    Returns:
        for each source the traceback of the first exercise that fails, "" if none does, and how many checks passed.
    """
    programs = []
    for source in read:
        opening = next(cell.source for cell in source.cells if cell.cell_type == "code")
        pairs = editions.exercises(source).values()
        programs.append([(opening, cell.source, check.source) for cell, check in pairs])
    environment = notebooks.environment(str(folder)) | {"PYTHONUTF8": "1"}
    call = [sys.executable, "-c", ALONE]
    done = subprocess.run(
        call, cwd=folder, env=environment, input=json.dumps(programs), capture_output=True, encoding="utf-8", check=True
    )
    return [(trouble, passed) for trouble, passed in map(json.loads, done.stdout.splitlines())]


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Mapping[Path, tuple[str, int]]:
    """What `alone` says of every source."""
    return dict(zip(ALL, alone(map(editions.read, ALL), tmp_path_factory.mktemp("alone")), strict=True))


@SOURCES
def test_an_untouched_notebook_runs_to_its_end(source: Path) -> None:
    """Is every error of a student notebook that nobody has touched a `Todo`, one for each exercise at least?

    POSECOURSE_IN_EARNEST=1 trains and draws as students do, in the place of a rehearsal.
    """
    read = editions.read(source)
    found = errors(editions.edition(read, "student"), rehearsed="POSECOURSE_IN_EARNEST" not in os.environ)
    assert [line for line in found if not line.startswith("Todo: ")] == []
    for name in editions.exercises(read):
        assert any(f"{name} is still to do" in line for line in found)


@SOURCES
def test_each_exercise_passes_alone(solved: Mapping[Path, tuple[str, int]], source: Path) -> None:
    """Does each solution pass its check with the imports and without any other cell?"""
    assert solved[source] == ("", len(editions.exercises(editions.read(source))))


def test_an_error_after_a_stub_is_seen() -> None:
    """Does a stub show as its message without a traceback, and would an error of another kind be found?"""
    notebook = editions.edition(editions.read(SMALL), "student")
    first = [cell for cell in notebook.cells if cell.cell_type == "code"][:3]
    notebook.cells = [*first, nbformat.v4.new_code_cell("del Todo\npixels_to_cells(1.0, 2.0)")]
    todo, other = errors(notebook, rehearsed=False)
    assert " ".join(first[2].outputs[0].traceback) == todo.removeprefix("Todo: ")
    assert other == "NameError: name 'Todo' is not defined"


def planted(before: Iterable[str], after: Iterable[str]) -> list[str]:
    """Rehearse the small lesson with cells before and after its stubs give way to `best`; return its errors."""
    notebook = editions.edition(editions.read(SMALL), "student")
    place = next(number for number, cell in enumerate(notebook.cells) if ".best()" in cell.source)
    notebook.cells[place:place] = map(new_code_cell, before)
    notebook.cells += map(new_code_cell, after)
    pixels, cells, *others = errors(notebook, rehearsed=True)
    assert "frames.pixels_to_cells is still to do" in pixels
    assert "frames.cells_to_pixels is still to do" in cells
    return others


def test_a_rehearsal_sees_what_only_students_meet() -> None:
    """Would it be found that a cell needs a name, a call or a number that only the solutions have?"""
    found = planted(
        before=["early = pixels_to_cells(1.0, 2.0)"],
        after=[
            "early",
            "pixels_to_cells(1.0, pixels_per_cell=2.0)",
            "if reveal('90.size', 1.0):\n    told = 1.0\ntold",
            "assert pixels_to_cells(torch.zeros(2), 1.0).any()",
            "checks.frames.pixels_to_cells.check(pixels_to_cells)",
        ],
    )
    assert [line.split("`")[0] for line in found] == [
        "Todo: Todo: frames.pixels_to_cells is still to do. Replace the line that starts with ",
        "NameError: name 'early' is not defined",
        "TypeError: pixels_to_cells() got an unexpected keyword argument 'pixels_per_cell'",
        "NameError: name 'told' is not defined",
        "AssertionError: ",
        "Wrong: ✗ pixels_to_cells: this is our function, not yours. Run the cell with your function first, then this "
        "one.",
    ]


TRAINED = """
from posecourse import models, train
network = models.build("heatmap", width=4, generator=generator)
def untold(answer, sample):
    return network.head.loss(answer, sample) * weight
"""


def test_a_rehearsal_is_short_and_lends_nothing() -> None:
    """Are trainings cut short but begun, pictures as many as asked for, claims said only, and no names lent?"""
    found = planted(
        before=[],
        after=[
            "fit, PICTURES",
            TRAINED,
            "train.fit(network, people.render(people.draw_scenes(4, generator), (32, 32)), generator=generator)",
            "from posecourse import people\ncrowd = people.render(people.draw_scenes(20, generator), (32, 32))",
            "claim('90.false', 'it does not hold', 2, between=(0, 1))\nassert len(crowd) == 20",
            "train.fit(network, crowd, untold, generator=generator)",
            "history = train.fit(network, crowd, generator=generator)\nassert len(history.loss) == 20",
            "claim('90.odd', 'no number', 'two', between=(0, 1))",
        ],
    )
    assert found == [
        "NameError: name 'fit' is not defined",
        "NameError: name 'people' is not defined",
        "NameError: name 'weight' is not defined",
        "ValueError: could not convert string to float: 'two'",
    ]


def test_an_exercise_that_needs_another_cell_is_seen(tmp_path: Path) -> None:
    """Would a solution that leans on something defined elsewhere be found, and what comes after it still be asked?"""
    read, whole = editions.read(SMALL), editions.read(SMALL)
    cell, _ = editions.exercises(read)["frames.cells_to_pixels"]
    cell.source = cell.source.replace("0.5", "half")
    (trouble, passed), after = alone([read, whole], tmp_path)
    assert "name 'half' is not defined" in trouble
    assert passed == 1
    assert after == ("", 2)
