"""Predictions: the first answer counts, is kept over restarts, and is scored once the truth is known."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from posecourse.lesson import predict, progress, reveal


@pytest.fixture(autouse=True)
def new_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test starts as a new kernel does: nothing remembered, no folder."""
    monkeypatch.setattr(progress, "_session", [])
    monkeypatch.delenv("POSECOURSE_WORK", raising=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The student's folder."""
    monkeypatch.setenv("POSECOURSE_WORK", str(tmp_path))
    return tmp_path


def restart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget all that the kernel knows."""
    monkeypatch.setattr(progress, "_session", [])


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line that was printed."""
    (line,) = capsys.readouterr().out.splitlines()
    return line


def test_the_first_answer_counts(capsys: pytest.CaptureFixture[str]) -> None:
    """Does a second answer leave the first as it was, and is that said?"""
    predict("00.mean", 3.5, unit="px")
    assert said(capsys) == "Prediction 00.mean: 3.5 px. Noted."
    predict("00.mean", 2.9, unit="px")
    assert said(capsys) == "Prediction 00.mean: 3.5 px. The first answer counts, so it stays."
    reveal("00.mean", 2.9, unit="px")
    assert "you said 3.5 px, it is 2.9 px" in said(capsys)


def test_the_first_answer_survives_a_restart(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is the first answer still the first after the kernel was restarted, on disk as well?"""
    predict("00.mean", 3.5)
    restart(monkeypatch)
    predict("00.mean", 2.9)
    assert capsys.readouterr().out.endswith("3.5. The first answer counts, so it stays.\n")
    answers = [json.loads(line)["answer"] for line in (folder / "progress.jsonl").read_text().splitlines()]
    assert answers == [3.5]


def test_dots_ask_for_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """Does an open prediction ask in one line, note nothing, and let the lesson go on?"""
    predict("00.mean", ..., unit="px")
    assert "a number in px" in said(capsys)
    reveal("00.mean", 2.9, unit="px")
    assert "predict first" in said(capsys)
    predict("00.mean", 3.0)
    assert "Noted" in said(capsys)
    predict("00.mean", ...)
    assert said(capsys) == "Prediction 00.mean: 3."


def test_an_answer_after_the_truth_was_asked_for_is_late(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is it noted and scored, but called late, over a restart too, and are records only ever added?"""
    reveal("00.mean", 2.9)
    reveal("00.mean", 2.9)
    restart(monkeypatch)
    capsys.readouterr()
    predict("00.mean", 3.0)
    assert said(capsys) == "Prediction 00.mean: 3. Noted as late: its truth was asked for before."
    predict("00.mean", 2.9)
    assert said(capsys) == "Prediction 00.mean: 3. The first answer counts, so it stays."
    assert reveal("00.mean", 2.9)
    assert said(capsys) == "00.mean: you said 3 (late), it is 2.9. Well seen."
    stored = [json.loads(line) for line in (folder / "progress.jsonl").read_text().splitlines()]
    assert [(entry["kind"], entry.get("late")) for entry in stored] == [
        ("asked", None),
        ("prediction", True),
        ("score", True),
    ]


def test_an_answer_in_time_is_not_late(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Does a prediction keep its place in time, whatever others were asked for, and when it is revealed twice?"""
    reveal("00.other", 1.0)
    predict("00.mean", 3.0)
    reveal("00.mean", 2.9)
    reveal("00.mean", 2.9)
    assert "late" not in capsys.readouterr().out
    assert "late" not in (folder / "progress.jsonl").read_text()


@pytest.mark.parametrize(
    "answer",
    [np.float32(2.5), np.float64(2.5), np.array(2.5), torch.tensor(2.5), torch.tensor(2.5, requires_grad=True)],
)
def test_numbers_of_other_kinds_are_numbers(answer: Any, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Is a NumPy scalar or a tensor without axes noted as the number that it is, and recognised when it comes again?"""
    predict("00.mean", answer)
    assert said(capsys) == "Prediction 00.mean: 2.5. Noted."
    predict("00.mean", answer)
    assert said(capsys) == "Prediction 00.mean: 2.5."
    predict("00.mean", np.array([1.0, 2.0]))
    assert "stays" in said(capsys)
    (entry,) = [json.loads(line) for line in (folder / "progress.jsonl").read_text().splitlines()]
    assert entry["answer"] == 2.5


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ((1, 5), "For 1 and a fraction write a point: 1.5."),
        ((-1, 25), "write a point: -1.25."),
        ("1,5", "Write it without quotes: 1.5."),
        ("3", "Write it without quotes: 3."),
    ],
)
def test_a_decimal_comma_gets_a_hint(answer: Any, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Does 1,5, which Python reads as two numbers, lead to 1.5, and is nothing noted?"""
    predict("00.mean", answer)
    assert hint in said(capsys)
    assert progress.records("prediction") == []


def test_a_decimal_comma_in_the_cell_gets_the_hint(capsys: pytest.CaptureFixture[str]) -> None:
    """Is `predict("00.mean", 1,5, unit="px")`, typed as the cell invites one to, answered and no error?"""
    predict("00.mean", 1, 5, unit="px")
    assert said(capsys).endswith("For 1 and a fraction write a point: 1.5. Nothing is noted yet: try again.")
    predict("00.mean", 1.5, unit="px")
    assert said(capsys) == "Prediction 00.mean: 1.5 px. Noted."
    predict("00.mean", 1, 5, unit="px")
    assert said(capsys) == "Prediction 00.mean: 1.5 px. The first answer counts, so it stays."


@pytest.mark.parametrize(
    ("answer", "options"),
    [
        ("three", None),
        ((1, 2, 3), None),
        (np.array([1.0]), None),
        (np.bool_(True), None),
        (torch.ones(2), ["a", "b"]),
        (float("nan"), None),
        (float("inf"), None),
        (True, None),
        (None, None),
        ("c", ["a", "b"]),
        (1, "ab"),
    ],
)
def test_what_is_no_answer_is_not_noted(answer: Any, options: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Does an answer that cannot be scored leave the prediction open, without an error?"""
    predict("00.mean", answer, options=options)
    assert "Nothing is noted yet" in said(capsys)
    assert progress.records("prediction") == []


@pytest.mark.parametrize(
    ("answer", "truth", "verdict"),
    [
        (3.0, 2.9, "Well seen."),
        (0.0, 0.0, "Well seen."),
        (5.8, 2.9, "The right order of magnitude: 2 times too large."),
        (1.45, 2.9, "The right order of magnitude: 2 times too small."),
        (-5.8, -2.9, "The right order of magnitude: 2 times too large."),
        (29.0, 2.9, "A surprise worth keeping: 10 times too large."),
        (-3.0, 3.0, "Off by 6."),
        (3.0, 0.0, "Off by 3."),
        (0.0, 3.0, "Off by 3."),
    ],
)
def test_a_number_is_scored_by_its_ratio(
    answer: float, truth: float, verdict: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Is a number scored by how many times it is too large or too small, whatever its sign?"""
    predict("00.mean", answer)
    capsys.readouterr()
    reveal("00.mean", torch.tensor(truth, dtype=torch.float64))
    assert said(capsys).endswith(verdict)


@pytest.mark.parametrize(("answer", "verdict"), [("left", "Well seen."), ("right", "A surprise worth keeping")])
def test_an_option_is_right_or_wrong(answer: str, verdict: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Is a choice scored as right or wrong, and is the right one named?"""
    predict("00.side", answer, options=["left", "right", "both"])
    capsys.readouterr()
    reveal("00.side", "left")
    line = said(capsys)
    assert f"you said {answer}, it is left." in line
    assert verdict in line


def test_a_damaged_record_is_read_around_and_kept(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Are lines that a crash or an editor spoilt passed over and left in place, a torn last line included?"""
    spoilt = b'[1, 2]\nnull\n{"kind": "prediction", "name": "00.mean"}\n\xff\xfe\n\n{"kind": "prediction", "na'
    (folder / "progress.jsonl").write_bytes(spoilt)
    predict("00.mean", 3.5)
    restart(monkeypatch)
    predict("00.mean", 1.0)
    assert "3.5. The first answer counts" in capsys.readouterr().out
    stored = (folder / "progress.jsonl").read_bytes()
    assert stored.startswith(spoilt + b"\n")
    assert json.loads(stored.splitlines()[-1])["answer"] == 3.5


@pytest.mark.parametrize("obstacle", ["a file", "a folder in its place", "nothing"])
def test_a_disk_that_refuses_costs_a_sentence(
    obstacle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing can be written, does the lesson say so and go on with what the kernel remembers?"""
    folder = tmp_path / "work"
    if obstacle == "a file":
        folder.write_text("")
    elif obstacle == "a folder in its place":
        (folder / "progress.jsonl").mkdir(parents=True)
    monkeypatch.setenv("POSECOURSE_WORK", str(folder))
    predict("00.mean", 3.5)
    reveal("00.mean", 3.5)
    out = capsys.readouterr().out
    assert "Not recorded in" in out
    assert "Well seen." in out


def test_outside_of_a_work_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do builds and tests, which have no work folder, leave no file behind?"""
    monkeypatch.chdir(tmp_path)
    predict("00.mean", 3.5)
    reveal("00.mean", 3.5)
    assert list(tmp_path.iterdir()) == []
