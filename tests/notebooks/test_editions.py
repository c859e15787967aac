"""Editions: what becomes of each kind of cell, and what is said to an author who slips."""

import importlib.util
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from tools import editions
from tools.editions import SourceError

HEADER = "# ---\n# posecourse:\n#   minutes: 3\n#   budget_cpu_seconds: 15\n# ---\n\n"
EXERCISE = '# %% exercise="frames.halve" dots=1 minutes=5 points=2\n'
FUNCTION = (
    'def halve(x):\n    """Halve it.\n\n    Returns: half.\n    """\n    y = x / 2\n    return y\n    # the end\n'
)
CHECK = '\n# %% check="frames.halve"\nchecks.frames.halve.check(halve)\n'


@pytest.fixture
def read(tmp_path: Path):
    """Return a function that reads a source from a text."""

    def from_text(body: str, header: str = HEADER) -> NotebookNode:
        path = tmp_path / "07_test.py"
        path.write_text(header + body, encoding="utf-8")
        return editions.read(path)

    return from_text


def sources(notebook: NotebookNode) -> list[str]:
    """Return what stands in each cell."""
    return [cell.source for cell in notebook.cells]


def test_a_stub_keeps_all_but_the_solution(read) -> None:
    """Does the student get signature and docstring to the letter, and not a trace of the solution?"""
    source = read(EXERCISE + FUNCTION + CHECK)
    stub, check = sources(editions.edition(source, "student"))
    assert stub == FUNCTION[: FUNCTION.index("    y =")] + '    raise Todo("frames.halve")'
    assert check == "checks.frames.halve.check(halve)"
    assert sources(editions.edition(source, "solution"))[0] == FUNCTION.rstrip()


def test_a_stub_is_still_python(read) -> None:
    """Does a stub with a one-line docstring or a decorated or annotated function compile?"""
    for function in (
        'def halve(x: int) -> int:\n    """½."""\n    return x\n',
        'def halve(\n  x,\n):\n  """½"""\n  return x\n',
    ):
        stub = editions.edition(read(EXERCISE + function + CHECK), "student").cells[0].source
        with pytest.raises(NameError, match="Todo"):
            exec(stub + "\nhalve(1)", {})  # raises Todo, which this namespace lacks


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('predict("07.größe", 3.5, unit="µ")', 'predict("07.größe", ..., unit="µ")'),
        ('predict("a", -1); predict("b", "ü"); x = 3.5', 'predict("a", ...); predict("b", ...); x = 3.5'),
        ('predict(\n    "a",\n    "two"\n    "halves",\n)', 'predict(\n    "a",\n    ...,\n)'),
        ('x = "µµ"\npredict("a", 3)', 'x = "µµ"\npredict("a", ...)'),
        ("predict('a', ...)", "predict('a', ...)"),
        ("print(3.5)", "print(3.5)"),
    ],
)
def test_an_answer_gives_way_to_dots(read, before: str, after: str) -> None:
    """Is the literal answer of every prediction, and nothing else, replaced in the student edition only?"""
    source = read(f"# %%\n{before}\n")
    assert sources(editions.edition(source, "student")) == [after]
    assert sources(editions.edition(source, "solution")) == [before]


def test_only_goes_to_one_edition(read) -> None:
    """Does the instructor's margin stay out of the student edition, and the reverse?"""
    source = read('# %% [markdown] only="solution"\n# margin\n\n# %% only="student"\n1\n\n# %%\n2\n')
    assert sources(editions.edition(source, "student")) == ["1", "2"]
    assert sources(editions.edition(source, "solution")) == ["margin", "2"]


def test_tags_say_what_tools_need(read) -> None:
    """Is a measured cell left out of comparisons, and does Run All pass a student's failing check, but not ours?"""
    source = read("# %% measured=true\n1\n\n" + EXERCISE + FUNCTION + CHECK)
    tags = {
        kind: [c.metadata.get("tags") for c in editions.edition(source, kind).cells] for kind in ("student", "solution")
    }
    assert tags["student"] == [["nbval-ignore-output"], None, ["raises-exception"]]
    assert tags["solution"] == [["nbval-ignore-output"], None, None]


def test_ids_are_stable_and_all_different(read) -> None:
    """Does a cell keep its id when others come and go, and do two equal cells have two ids, in both editions?"""
    body = "# %%\n1\n\n# %%\n1\n\n" + EXERCISE + FUNCTION + CHECK
    source, longer = read(body), read("# %%\n0\n\n" + body)
    ids = [cell.id for cell in source.cells]
    assert ids == [cell.id for cell in longer.cells][1:]
    assert len(set(ids)) == len(ids)
    assert ids[2:] == ["frames-halve", "check-frames-halve"]
    assert ids == [cell.id for cell in editions.edition(source, "student").cells]


def test_an_edition_is_written_the_same_each_time(read) -> None:
    """Is the file a valid notebook that depends on the source alone, without a trace of where or when?"""
    body = "# %%\n1\n\n" + EXERCISE + FUNCTION + CHECK
    first, second = (editions.text(editions.edition(read(body), "student")) for _ in range(2))
    assert first == second
    notebook = nbformat.reads(first, as_version=4)
    assert set(notebook.metadata) == {"kernelspec", "language_info", "posecourse"}
    assert notebook.metadata.kernelspec.name == "python3"


@pytest.mark.skipif(importlib.util.find_spec("nbgrader") is None, reason="nbgrader is not installed")
@pytest.mark.filterwarnings("default")
def test_nbgrader_accepts_the_student_edition(read) -> None:
    """Do nbgrader's own steps take the student edition, lock the check and leave the stub to be edited?"""
    from nbgrader.preprocessors import CheckCellMetadata, ComputeChecksums, LockCells

    notebook = editions.edition(read(EXERCISE + FUNCTION + CHECK), "student")
    for step in (CheckCellMetadata, LockCells, ComputeChecksums):
        notebook, _ = step().preprocess(notebook, {})
    stub, check = notebook.cells
    assert (stub.metadata.get("editable", True), check.metadata.editable) == (True, False)
    assert check.metadata.nbgrader.points == 2
    assert check.metadata.nbgrader.checksum


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            "# %% exercise='frames.halve' dots=1 minutes=5\n" + FUNCTION + CHECK,
            "cell 1: an exercise's header has points",
        ),
        (EXERCISE.replace("dots=1", "dots=0") + FUNCTION + CHECK, "has dots, a whole number; got 0"),
        (EXERCISE + FUNCTION + "x = 1\n" + CHECK, "one function called halve, nothing else"),
        (EXERCISE + FUNCTION.replace("def halve", "def half") + CHECK, "one function called halve"),
        (EXERCISE + "def halve(x):\n    return x / 2\n" + CHECK, "needs a docstring"),
        (EXERCISE + 'def halve(x):\n    """Doc."""\n' + CHECK, "a solution after it"),
        (EXERCISE + FUNCTION, "every exercise is followed by its check"),
        (CHECK, "every exercise is followed by its check"),
        (CHECK + EXERCISE + FUNCTION, "every exercise is followed by its check"),
        (EXERCISE + FUNCTION + CHECK + EXERCISE + FUNCTION + CHECK, "there is another frames-halve"),
        (
            EXERCISE + FUNCTION + CHECK.replace("check(halve)", "check(half)"),
            "must be the line checks.frames.halve.check(halve)",
        ),
        (EXERCISE.replace("frames.halve", "halve") + FUNCTION, 'must be "topic.function"'),
        ("# %%\nanswer = 3\npredict('a', answer)\n", "a literal number or string"),
        ("# %%\npredict('a', answer=3)\n", "a literal number or string"),
        ('# %% only="instructor"\n1\n', 'only must be "student" or "solution"'),
        ("# %% solution=true\n1\n", "a cell's header knows"),
        ("# %%\n%timeit 1\n", "nor may it have magics"),
        ("# %%\n!pip install torch\n", "nor may it have magics"),
    ],
)
def test_a_slip_is_named(read, body: str, words: str) -> None:
    """Is a source that breaks the format refused, with the file and what to do?"""
    with pytest.raises(SourceError) as caught:
        read(body)
    assert "07_test.py" in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize("header", ["", HEADER.replace("3", "soon"), HEADER.replace("minutes", "hours")])
def test_a_missing_header_is_named(read, header: str) -> None:
    """Is a source without minutes and budget refused?"""
    with pytest.raises(SourceError, match="must open with a header"):
        read("# %%\n1\n", header)
