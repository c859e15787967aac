"""Does lesson 00 work for a student who sits before a browser?"""

import json
from typing import Any

import pytest

pytestmark = pytest.mark.browser

WRONG = """def pixels_to_cells(points, stride):
    return points / stride"""
RIGHT = """def pixels_to_cells(points, stride):
    return (points + 0.5) / stride - 0.5"""
STUB, CHECK = "def pixels_to_cells", "checks.frames.pixels_to_cells.check"


def test_a_students_first_lesson(lab: Any, notebook: Any) -> None:
    """Opened by `lab` and run, does lesson 00 answer right and wrong, move its picture, and stay on this machine?"""
    notebook.open(lab.address)
    assert notebook.pop_ups == []

    notebook.run_all()
    assert "still to do" in notebook.output(CHECK)

    notebook.write(WRONG, into=STUB)
    notebook.run(STUB)
    diagnosis = notebook.run(CHECK)
    assert "A pixel's centre is at an integer, so the image begins at −½" in diagnosis
    assert "Traceback" not in diagnosis

    notebook.write(RIGHT, into=STUB)
    notebook.run(STUB)
    assert "✓" in notebook.run(CHECK)

    before, after = notebook.press("ArrowRight", "widgets.frames()")
    assert before != after

    notebook.write('predict("00.shift", 1.5, unit="px")', into='predict("00.shift"')
    notebook.run('predict("00.shift"')
    lines = (lab.work / "progress.jsonl").read_text(encoding="utf-8").splitlines()
    predictions = [entry for entry in map(json.loads, lines) if entry["kind"] == "prediction"]
    assert [(entry["name"], entry["answer"]) for entry in predictions] == [("00.shift", 1.5)]

    assert notebook.pop_ups == []
    assert notebook.errors == []
    assert notebook.abroad == []


def test_the_watch_is_awake(notebook: Any) -> None:
    """Would an error, and a request that leaves this machine, be noticed at all?"""
    notebook.page.set_content("<img src='http://posecourse.invalid/far.png'><script>console.error('seen')</script>")
    notebook.page.wait_for_load_state("networkidle")
    assert notebook.abroad == ["http://posecourse.invalid/far.png"]
    assert "seen" in notebook.errors
