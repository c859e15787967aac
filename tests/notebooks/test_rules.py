"""The house rules for lessons: does each find what it is there to find, and nothing else?"""

from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import rules

KNOWN = {
    "02.rms": (1.14, 1.17, "px"),
    "02.share": (0.28, 0.30, ""),
    "02.hit": (69.0, 71.0, "%"),
    "02.bias": (-7.6, -7.4, ""),
}


def lesson(*cells: str) -> NotebookNode:
    """Return a notebook: cells that begin with `#!` are Markdown, the others code."""
    return new_notebook(cells=[new_markdown_cell(c[2:]) if c.startswith("#!") else new_code_cell(c) for c in cells])


def shown(**data: Any) -> NotebookNode:
    """Return executed solutions with one displayed output; `__` in a name stands for /."""
    output = new_output("display_data", data={name.replace("__", "/"): value for name, value in data.items()})
    return new_notebook(cells=[new_code_cell("1", outputs=[output])])


@pytest.mark.parametrize(
    "text",
    [
        "It is 1.15 px<!--02.rms-->.",
        "It is **1.15** px <!-- 02.rms -->, or **29 %**<!--02.share-->.",
        "It is 29%<!--02.share--> here and 70.4 %<!--02.hit--> there.",
        "A shift of −7.5 px<!--02.bias--> or -7.5<!--02.bias-->.",
        "Xiao reports 70.4 %<!--cited: Xiao 2018, table 1.2-->.<!-- 0.5 -->",
        "A line may break: 1.15\npx<!--02.rms-->.",
        "Lesson 02, 17 keypoints, 2018, 64 x 64, v0, COCO-17.",
        "$0.798 n/A$ and $$\n1.5\n$$ and `0.5` and ``0.5`` and <code>2.5</code>.",
        "```python\nx = 0.5\n```\nafter",
        "[0.5](https://example.org/1.5) https://example.org/2.5 <img width='0.5'>",
        "## Reading\nTable 3.1 has 70 %.",
        "## Reading\n### Deeper\nTable 3.1.",
    ],
)
def test_founded_prose_passes(text: str) -> None:
    """Are numbers with a claim or a source, and what is no result at all, let through?"""
    assert rules.prose(lesson(f"#!{text}"), KNOWN) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It is 1.15 px.", "1.15 needs a claim or a source"),
        ("It is 38 %.", "38 % needs a claim"),
        ("It is 38%.", "38% needs a claim"),
        ("| a | 0.5 |", "0.5 needs a claim"),
        ("Between 1.1 and 1.15 px<!--02.rms-->.", "1.1 needs a claim"),
        ("It is 1.2 px<!--02.rms-->.", "1.2 is not between 1.14 and 1.17"),
        ("It is 31 %<!--02.share-->.", "31 % is not between"),
        ("It is 0.704 %<!--02.hit-->.", "0.704 % is not between"),
        ("It is 7.5 px<!--02.bias-->.", "7.5 is not between"),
        ("It is 1.15 px<!--02.rmse-->.", "names the claim 02.rmse, which was not printed"),
        ("It is 1.15 px<!--cited: -->.", "cited without a source"),
        ("It is 1.15 px, and so on and so forth, for long<!--02.rms-->.", "1.15 needs"),
        ("## Reading\nTable 3.1\n## After\n0.5", "0.5 needs"),
        ("<details>0.5</details>", "0.5 needs"),
        ("It ends with 0.5.", "0.5 needs"),
    ],
)
def test_unfounded_prose_is_found(text: str, words: str) -> None:
    """Is a result that nothing guards found, wherever it stands, once?"""
    (found,) = rules.prose(lesson("1", f"#!{text}"), KNOWN)
    assert found.startswith("cell 2: ")
    assert words in found


def test_claims_are_read_from_what_was_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Are bounds and unit read back as the claim had them, whatever its statement holds?"""
    from posecourse.lesson import claim

    claim("02.rms", "RMS, s/√12: between, say", 1.155, between=(1.14, 1.17), theory=1.1547, unit="px")
    claim("02.share", "no unit", 0.3, between=(-0.5, 1e-7 + 0.3))
    claim("02.hit", "percent", 70.0, between=(69.0, 71.0), unit="%")
    output = new_output("stream", name="stdout", text="before\n" + capsys.readouterr().out)
    read = rules.claims(new_notebook(cells=[new_code_cell("1", outputs=[output])]))
    assert read == {"02.rms": (1.14, 1.17, "px"), "02.share": (-0.5, 0.3, ""), "02.hit": (69.0, 71.0, "%")}


ELSEWHERE = """✓ 01.flat mean error does not care: between 1 and 2 px, measured 1.5
✓ 02.rms a claim that lesson 02 alone may make: between 7 and 8 px, measured 7.5
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It was 1.5 px<!--01.flat-->.", ""),
        ("It was 2.5 px<!--01.flat-->.", "is not between 1.0 and 2.0"),
        ("It was 1.5 px<!--01.rms-->.", "was not printed; there are 01.flat"),
        ("It is 7.5 px<!--02.rms-->.", "was not printed; there are none"),
    ],
)
def test_prose_may_name_another_lessons_claim(text: str, words: str) -> None:
    """Is a number of another lesson held against what that lesson printed, and an own one against one's own?"""
    output = new_output("stream", name="stdout", text=ELSEWHERE)
    other = new_notebook(cells=[new_code_cell("1", outputs=[output])])
    found = [line for line in rules.findings(lesson(f"#!{text}"), lesson("1"), 2, [other]) if "quiz" not in line]
    about_numbers = [line for line in found if "no code" not in line]
    assert [words in line for line in about_numbers] == ([True] if words else [])


@pytest.mark.parametrize(("letters", "found"), [(50, 0), (51, 1)])
def test_a_claim_that_is_too_long_is_found(letters: int, found: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Do 96 characters before the measured number pass, and one more not?"""
    from posecourse.lesson import claim

    claim("02.rms", letters * "x", 1.155, between=(1.14, 1.17), unit="px")  # 46 characters are not the statement's
    output = new_output("stream", name="stdout", text=capsys.readouterr().out)
    assert len(rules.widths(new_notebook(cells=[new_code_cell("1", outputs=[output])]))) == found


@pytest.mark.parametrize("alt", ["A blob on a grid, error 1.2 px.", "Rings & crosses miss by ten pixels."])
def test_a_described_picture_passes(alt: str) -> None:
    """Is a picture with an alt text let through, with a static copy beside it or not?"""
    image = f'<img src="data:image/png;base64,AAAA" alt="{alt}">'
    assert rules.figures(shown(text__html=image)) == []
    assert rules.figures(shown(text__html=image, image__png="AAAA", text__plain=alt)) == []
    assert rules.figures(shown(text__html="<table><tr><td>1</td></tr></table>")) == []


@pytest.mark.parametrize(
    "data",
    [
        {"image__png": "AAAA", "text__plain": "<Figure size 640x480>"},
        {"text__html": '<img src="x">'},
        {"text__html": '<img alt="figure" src="x">'},
        {"text__html": '<img alt="One picture that is described well." src="x"><img src="y">'},
        {"text__html": "<svg></svg>"},
    ],
)
def test_a_bare_picture_is_found(data: dict[str, str]) -> None:
    """Is a picture without words for who cannot see it found?"""
    (found,) = rules.figures(shown(**data))
    assert "without an alt text" in found


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("\n".join(["x = 1"] * 21), "21 lines"),
        ("fig = plt.figure(figsize=(3, 2))", "figsize"),
        ("ax.imshow(x, cmap='jet')", "cmap"),
        ("ax.plot(x, color=c)", "color"),
        ("viz.mark(ax, '#0072B2')", "#0072B2"),
        ("plt.rcParams['font.size'] = 3", "rcParams"),
        ("import matplotlib.pyplot as plt", "matplotlib"),
        ("from matplotlib import pyplot", "matplotlib"),
        ("get_ipython().system('ls')", "get_ipython"),
    ],
)
def test_looks_and_machinery_are_found(cell: str, words: str) -> None:
    """Is a cell that is too long, or that decides about looks, found?"""
    found = rules.code(lesson("x = 1", cell))
    assert found
    assert all(line.startswith("cell 2") for line in found)
    assert words in " ".join(found)


def test_plain_code_passes() -> None:
    """Is a cell of twenty lines that leaves looks to `viz` let through, and an exercise with a long docstring?"""
    exercise = new_code_cell(
        'def f(x):\n    """Doc.\n' + "    more\n" * 20 + '    """\n    return x', metadata={"exercise": "a.f"}
    )
    notebook = lesson("\n".join(["x = 1"] * 20), "viz.show(fig, alt='A figure.')")
    notebook.cells.append(exercise)
    assert rules.code(notebook) == []
    exercise.source += "\n    # long" * 20
    assert rules.code(notebook) == ["cell 3 has 22 lines; at most 20 are read."]


def test_the_first_code_cell_only_opens() -> None:
    """Is it found when the first code cell does more than import, choose the style and seed a generator?"""
    opening = "import torch\nfrom posecourse import seeding, viz\nviz.use_style()\nrandom = seeding.generator(0)"
    assert rules.opening(lesson("#!text", opening, "x = torch.ones(3)")) == []
    assert rules.opening(lesson("#!text", opening)) == ["the first code cell imports torch, which no cell uses."]
    assert rules.opening(lesson("import torch\nx = torch.ones(3)")) == [
        "the first code cell is imports, style and generator; it has x = torch.ones(3)"
    ]
    assert rules.opening(lesson("#!text")) == ["there is no code."]


@pytest.mark.parametrize(("questions", "found"), [(3, 0), (2, 1), (0, 1)])
def test_a_quiz_has_three_questions(questions: int, found: int) -> None:
    """Is a lesson with too few questions found, and are `<details>` outside of the quiz not counted?"""
    hints = "#!<details>a hint</details>" * 4
    quiz = "#!## Quiz\n" + "<details><summary>?</summary>!</details>\n" * questions
    assert len(rules.quiz(lesson(hints, quiz, "#!## Reading\n" + hints[2:]))) == found
    assert len(rules.quiz(lesson(hints))) == 1
    both = nbformat.from_dict(lesson("import torch", hints))
    assert any("quiz" in line for line in rules.findings(both, both, 1))
    assert not any("quiz" in line for line in rules.findings(both, both, 0))
