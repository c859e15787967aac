"""Lessons: every notebook is what its source builds, gives the same outputs again, and costs what it says."""

from functools import cache
from pathlib import Path

import nbformat
import pytest

from tools import editions, notebooks
from tools.rerun import Rerun, rerun

pytestmark = pytest.mark.lessons
LESSONS = pytest.mark.parametrize("lesson", [path.stem for path in notebooks.sources()])


@cache
def again(lesson: str) -> Rerun:
    """Run a lesson's solutions once more, once for all tests of this module."""
    return rerun(notebooks.NOTEBOOKS / "solutions" / f"{lesson}.ipynb")


def source(lesson: str, root: Path = notebooks.NOTEBOOKS) -> Path:
    """Return the path of a lesson's source."""
    return root / "source" / f"{lesson}.py"


@LESSONS
def test_notebooks_are_what_their_source_builds(lesson: str) -> None:
    """Do both notebooks equal a regeneration, was every solution run without error or stderr, are the rules kept?"""
    assert notebooks.disagreements(source(lesson)) == []


@LESSONS
def test_outputs_come_again(lesson: str) -> None:
    """Does a new run give every stored output again, to the letter?"""
    result = again(lesson)
    assert result.agrees, result.report


@LESSONS
def test_the_budget_holds(lesson: str) -> None:
    """Does the lesson cost at most the CPU seconds that it promises, on the machine where budgets are set?"""
    header = editions.read(source(lesson)).metadata.posecourse
    assert again(lesson).cost.scaled <= header.budget_cpu_seconds


@LESSONS
def test_stored_solutions_are_light(lesson: str) -> None:
    """Does the file with all its pictures stay below two megabytes, so that a clone stays small?"""
    assert (notebooks.NOTEBOOKS / "solutions" / f"{lesson}.ipynb").stat().st_size < 2_000_000


def test_no_notebook_is_left_over() -> None:
    """Is there a source for every notebook, and a published timing for every lesson?"""
    stems = {path.stem for path in notebooks.sources()}
    for folder in ("student", "solutions"):
        assert {path.stem for path in (notebooks.NOTEBOOKS / folder).glob("*.ipynb")} == stems
    table = (notebooks.NOTEBOOKS / "TIMINGS.md").read_text(encoding="utf-8")
    assert {line.split()[1] for line in table.splitlines() if line[:4].strip("| ").isdigit()} == stems


# The same questions, asked of a small lesson that is whole, and of copies that are broken in one place.


def test_a_whole_lesson_passes(small: Path) -> None:
    """Is nothing found in a lesson that keeps all the rules, and does the command agree?"""
    assert notebooks.disagreements(source("90_fixture", small)) == []
    assert notebooks.main(["check", "--root", str(small)]) == 0


def test_two_builds_are_byte_identical(small: Path, copy: Path) -> None:
    """Does building again, in another place, give the same bytes, solutions and their outputs included?"""
    notebooks.build(source("90_fixture", copy))
    for kind in ("student", "solutions"):
        path = Path(kind) / "90_fixture.ipynb"
        assert (copy / path).read_bytes() == (small / path).read_bytes()


def test_an_edited_student_notebook_is_found(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Is one changed byte in a student notebook found?"""
    path = copy / "student" / "90_fixture.ipynb"
    path.write_bytes(path.read_bytes().replace(b"stride: s, pixels", b"stride: s; pixels"))
    assert notebooks.disagreements(source("90_fixture", copy)) == [
        "student/90_fixture.ipynb is not what its source builds."
    ]
    assert notebooks.main(["check", "--root", str(copy)]) == 1
    assert "not what its source builds" in capsys.readouterr().out


@pytest.mark.parametrize("slip", ["source", "id", "metadata", "not run", "error", "stderr", "missing"])
def test_broken_solutions_are_found(copy: Path, slip: str) -> None:
    """Are solutions found that are out of step with their source, were not run, or hold an error or stderr?"""
    path = copy / "solutions" / "90_fixture.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cell = notebook.cells[4]
    if slip == "source":
        cell.source += "\n# changed"
    elif slip == "id":
        cell.id = "changed"
    elif slip == "metadata":
        cell.metadata.tags = ["raises-exception"]
    elif slip == "not run":
        cell.execution_count = None
    elif slip == "error":
        cell.outputs.append(nbformat.v4.new_output("error", ename="Wrong", evalue="✗", traceback=[]))
    elif slip == "stderr":
        cell.outputs.append(nbformat.v4.new_output("stream", name="stderr", text="a warning"))
    nbformat.write(notebook, path)
    if slip == "missing":
        path.unlink()
    (found,) = notebooks.disagreements(source("90_fixture", copy))
    assert "solutions/90_fixture.ipynb" in found


def test_a_broken_rule_is_found(copy: Path) -> None:
    """Does a number in prose that leaves its claim's bounds fail the lesson?"""
    path = source("90_fixture", copy)
    path.write_text(path.read_text(encoding="utf-8").replace("is 1.15 px<", "is 1.25 px<"), encoding="utf-8")
    assert any("1.25 is not between 1.14 and 1.17" in found for found in notebooks.disagreements(path))


def test_a_solution_that_fails_is_not_built(copy: Path) -> None:
    """Does the build refuse a solution that its check refuses, and leave the notebooks as they were?"""
    path, built = source("90_fixture", copy), copy / "solutions" / "90_fixture.ipynb"
    before = built.read_bytes()
    text = path.read_text(encoding="utf-8").replace("return shifted / stride - 0.5", "return shifted / stride")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RuntimeError, match="raised Wrong: ✗ pixels_to_cells: Every answer is half a cell too large"):
        notebooks.build(path)
    assert built.read_bytes() == before


def test_a_changed_output_is_found(copy: Path) -> None:
    """Does a new run find an output that differs, though measured values and pictures may?"""
    path = copy / "solutions" / "90_fixture.ipynb"
    stored = path.read_text(encoding="utf-8")
    changes = {"measured 1.15": "measured 9.99", 'base64,AAAA\\"': 'base64,BBBB\\"', "is yours.": "is ours."}
    for before, after in changes.items():
        assert before in stored
        stored = stored.replace(before, after)
    path.write_text(stored, encoding="utf-8")
    result = rerun(path)
    assert not result.agrees
    assert "1 failed, " in result.report
    assert "is ours." in result.report


def test_a_rerun_counts_the_kernels_seconds(copy: Path) -> None:
    """Does a lesson's cost hold what its kernel computes, where a budget has to bite?"""
    path = source("90_fixture", copy)
    busy = "import time\nwhile time.process_time() < 3: pass\n"
    notebook = editions.edition(editions.read(path), "solution")
    notebook.cells = [nbformat.v4.new_code_cell(busy, execution_count=1)]
    nbformat.write(notebook, copy / "busy.ipynb")
    result = rerun(copy / "busy.ipynb")
    assert result.agrees
    assert result.cost.seconds > 3


def test_timings_are_published_and_stay_while_true(copy: Path) -> None:
    """Does the table hold a line for each lesson, and does a line stay while it is true within a quarter?"""
    from tools.budget import Cost

    table = copy / "TIMINGS.md"
    header = nbformat.from_dict({"minutes": 45, "budget_cpu_seconds": 30})
    for scaled, written in ((20.0, 20), (23.0, 20), (30.0, 30)):
        assert notebooks._publish(table, "01_next", header, Cost(1.0, scaled)) == written
        text = table.read_text(encoding="utf-8")
        assert f"| 01_next | 45 | {written} | 30 |" in text
        assert text.index("01_next") < text.index("90_fixture")
        assert text.count("| 01_next |") == 1


def test_a_build_keeps_the_readme_in_step(tmp_path: Path) -> None:
    """Does a lesson's new price reach its row of the README's table, and no other row?"""
    readme = tmp_path / "README.md"
    rows = "| 01 | [One](solutions/01_one.ipynb) | {} | - |\n| 02 | [Two](solutions/02_two.ipynb) | 75 | 9 s | - |\n"
    readme.write_text(rows.format("45 | 20 s"), encoding="utf-8")
    notebooks._price(readme, "01_one", 60, 31)
    assert readme.read_text(encoding="utf-8") == rows.format("60 | 31 s")
