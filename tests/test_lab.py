"""Does the student get her own copies, the news of each lesson, and never lose a line of hers?"""

import json
import os
from pathlib import Path

import pytest

from posecourse import cli
from posecourse.cli import copies, lab
from posecourse.cli.copies import MARKER, bring_up_to_date
from posecourse.paths import work_path

NAME, BESIDE = "00_start_here.ipynb", "00_start_here.new.ipynb"


def notebook(*texts: str, ran: bool = False, tag: str = "") -> bytes:
    """Return a notebook of code cells; `ran` gives them outputs, `tag` is metadata that no reader sees."""
    cells = [
        {
            "cell_type": "code",
            "id": f"cell-{i}",
            "metadata": {"tags": [tag]} if tag else {},
            "source": text.splitlines(keepends=True),
            "execution_count": i if ran else None,
            "outputs": [{"output_type": "stream", "name": "stdout", "text": "2\n"}] if ran else [],
        }
        for i, text in enumerate(texts)
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1).encode()


FIRST, SECOND, THIRD = notebook("x = 1\ny = 2"), notebook("x = 1\ny = 3"), notebook("x = 1\ny = 4")
HERS = notebook("x = 1\ny = 'mine'")


class Desk:
    """A source folder and a work folder, and what `lab` does with them."""

    def __init__(self, root: Path) -> None:
        self.source, self.work = root / "student", root / "work"
        self.source.mkdir()
        self.publish(FIRST)

    def publish(self, content: bytes) -> None:
        """Put out an edition of the one lesson."""
        (self.source / NAME).write_bytes(content)

    def open(self) -> str:
        """Do what `lab` does before it starts JupyterLab; return what it tells."""
        return "\n".join(bring_up_to_date(self.source, self.work))

    def write(self, content: bytes, name: str = NAME) -> None:
        """Save a file in the work folder, as JupyterLab would."""
        (self.work / name).write_bytes(content)

    def read(self, name: str = NAME) -> bytes:
        """Return a file of the work folder."""
        return (self.work / name).read_bytes()

    @property
    def names(self) -> set[str]:
        """All files of the work folder but the marker."""
        return {path.name for path in self.work.iterdir()} - {MARKER}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk on which `lab` has been called once."""
    desk = Desk(tmp_path)
    assert desk.open() == ""
    return desk


def test_the_first_time_everything_is_copied(desk: Desk) -> None:
    """Is each notebook copied byte for byte, and the folder marked as the student's?"""
    assert desk.read() == FIRST
    assert desk.names == {NAME}
    assert (desk.work / MARKER).is_file()


def test_the_marked_folder_is_where_progress_goes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Does a kernel that starts in the work folder know that it is one?"""
    monkeypatch.delenv("POSECOURSE_WORK", raising=False)
    monkeypatch.chdir(desk.work)
    assert work_path() == desk.work
    monkeypatch.chdir(desk.source)
    assert work_path() is None


@pytest.mark.parametrize("hers", [FIRST, HERS, notebook("x = 1\ny = 2", ran=True), b"", b"{torn"])
def test_without_news_nothing_is_touched(desk: Desk, hers: bytes) -> None:
    """Is whatever she saved still there, byte for byte, when the source has not changed?"""
    desk.write(hers)
    assert desk.open() == ""
    assert desk.read() == hers
    assert desk.names == {NAME}


@pytest.mark.parametrize(
    "hers",
    [FIRST, FIRST.replace(b"\n", b"\r\n"), notebook("x = 1\ny = 2", ran=True), notebook("x = 1\r\ny = 2", tag="seen")],
    ids=["as copied", "Windows line endings", "run", "saved on Windows"],
)
def test_an_untouched_copy_is_renewed(desk: Desk, hers: bytes) -> None:
    """Does news replace a copy in which she has written nothing, though it may have been run or saved?"""
    desk.write(hers)
    desk.publish(SECOND)
    assert "renewed" in desk.open()
    assert desk.read() == SECOND
    assert desk.names == {NAME}


@pytest.mark.parametrize("hers", [HERS, b"{torn", b"", notebook("x = 1\ny = 2", "z = 3"), notebook("x = 1")])
def test_an_edited_copy_is_never_overwritten(desk: Desk, hers: bytes) -> None:
    """Does news come beside a copy with cells of her own (changed, added, deleted, even broken), once?"""
    desk.write(hers)
    desk.publish(SECOND)
    assert BESIDE in desk.open()
    assert desk.read() == hers
    assert desk.read(BESIDE) == SECOND
    assert desk.open() == ""


def test_an_untouched_new_edition_is_renewed(desk: Desk) -> None:
    """Does the third edition replace the second one beside her copy, in which she wrote nothing?"""
    desk.write(HERS)
    desk.publish(SECOND)
    desk.open()
    desk.publish(THIRD)
    assert BESIDE in desk.open()
    assert (desk.read(), desk.read(BESIDE)) == (HERS, THIRD)


def test_an_edited_new_edition_is_never_overwritten(desk: Desk) -> None:
    """If she has gone on working in the `.new`, do both stay, and does a sentence say how to get the news?"""
    mine_too = notebook("x = 1\ny = 'mine too'")
    desk.write(HERS)
    desk.publish(SECOND)
    desk.open()
    desk.write(mine_too, BESIDE)
    desk.publish(THIRD)
    assert "Rename or delete" in desk.open()
    assert (desk.read(), desk.read(BESIDE)) == (HERS, mine_too)
    (desk.work / BESIDE).unlink()
    desk.open()
    assert desk.read(BESIDE) == THIRD


def test_a_deleted_new_edition_stays_deleted(desk: Desk) -> None:
    """If she has read the new edition and thrown it away, is she left in peace until the next one?"""
    desk.write(HERS)
    desk.publish(SECOND)
    desk.open()
    (desk.work / BESIDE).unlink()
    assert desk.open() == ""
    assert desk.names == {NAME}


def test_renaming_the_new_edition_takes_it_over(desk: Desk) -> None:
    """If she puts the new edition in place of hers, is it hers, untouched, and renewed by the next news?"""
    desk.write(HERS)
    desk.publish(SECOND)
    desk.open()
    os.replace(desk.work / BESIDE, desk.work / NAME)
    assert desk.open() == ""
    desk.publish(THIRD)
    desk.open()
    assert desk.read() == THIRD
    assert desk.names == {NAME}


def test_a_deleted_copy_comes_back_fresh(desk: Desk) -> None:
    """Is deleting a copy the way to start a lesson again?"""
    desk.write(HERS)
    desk.open()
    (desk.work / NAME).unlink()
    desk.publish(SECOND)
    assert desk.open() == ""
    assert desk.read() == SECOND


def test_a_new_lesson_arrives(desk: Desk) -> None:
    """Is a notebook that was not there before copied, beside those that were?"""
    (desk.source / "01_regression.ipynb").write_bytes(SECOND)
    desk.open()
    assert desk.names == {NAME, "01_regression.ipynb"}


def test_a_withdrawn_lesson_stays_with_her(desk: Desk) -> None:
    """Does a lesson that the course drops stay in her folder?"""
    (desk.source / NAME).unlink()
    assert desk.open() == ""
    assert desk.names == {NAME}


def test_invisible_news_comes_only_where_nothing_is_lost(desk: Desk) -> None:
    """Is a change of metadata alone taken over silently, unless her copy holds outputs?"""
    retagged = notebook("x = 1\ny = 2", tag="checked")
    desk.publish(retagged)
    assert desk.open() == ""
    assert desk.read() == retagged
    ran = notebook("x = 1\ny = 2", tag="checked", ran=True)
    desk.write(ran)
    desk.publish(notebook("x = 1\ny = 2", tag="checked again"))
    assert desk.open() == ""
    assert desk.read() == ran


@pytest.mark.parametrize(
    "marker", [None, b"", b"{torn", b"[]", b'{"copied": {"x": 1}}', b'{"copied": {"x": {"y": 1}}}']
)
def test_a_lost_memory_loses_no_work(desk: Desk, marker: bytes | None) -> None:
    """If the marker is gone or broken, does every copy count as hers?"""
    (desk.work / MARKER).unlink()
    if marker is not None:
        desk.write(marker, MARKER)
    desk.publish(SECOND)
    assert BESIDE in desk.open()
    assert (desk.read(), desk.read(BESIDE)) == (FIRST, SECOND)


@pytest.mark.parametrize("moment", [NAME, MARKER])
def test_an_interrupted_copy_is_made_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """If the power goes while a notebook or the marker is written, is nothing half-written, and all well next time?"""
    desk, replace = Desk(tmp_path), os.replace

    def power_cut(part: Path, path: Path) -> None:
        if path.name == moment:
            raise KeyboardInterrupt
        replace(part, path)

    monkeypatch.setattr(copies.os, "replace", power_cut)
    with pytest.raises(KeyboardInterrupt):
        desk.open()
    assert desk.names <= {NAME}
    monkeypatch.undo()
    assert desk.open() == ""
    desk.publish(SECOND)
    assert "renewed" in desk.open()
    assert desk.read() == SECOND


def test_a_read_only_source_gives_a_writable_copy(tmp_path: Path) -> None:
    """Can she save her copy though the course was installed read-only?"""
    desk = Desk(tmp_path)
    (desk.source / NAME).chmod(0o444)
    desk.open()
    assert (desk.work / NAME).stat().st_mode & 0o200


def test_a_copy_that_cannot_be_renewed_stays(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the system refuses to replace one notebook (open in another program), does `lab` go on and say so?"""
    replace = os.replace

    def refuse(part: Path, path: Path) -> None:
        if path.name == NAME:
            raise PermissionError(13, "Permission denied", str(path))
        replace(part, path)

    monkeypatch.setattr(copies.os, "replace", refuse)
    desk.publish(SECOND)
    assert "could not be renewed" in desk.open()
    assert desk.read() == FIRST
    assert desk.names == {NAME}


def test_a_folder_that_cannot_be_written_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Does `lab` say what to do where it cannot make the work folder?"""
    (tmp_path / "file").touch()
    monkeypatch.setenv("POSECOURSE_WORK", str(tmp_path / "file" / "work"))
    assert lab.open_lessons() == 1
    assert "POSECOURSE_WORK" in capsys.readouterr().err


def test_without_a_checkout_it_says_where_to_go(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Does `lab` from an installed wheel, which has no lessons, say where they are?"""
    monkeypatch.setattr(lab, "_PACKAGE", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert lab.open_lessons() == 1
    assert "course's own folder" in capsys.readouterr().err


def test_the_landing_notebook_opens_and_the_student_has_the_last_word(desk: Desk) -> None:
    """Does JupyterLab open lesson 00 in the work folder, unless an argument says otherwise?"""
    arguments = lab.server_arguments(desk.work, ["--LabApp.default_url=/lab/tree/01.ipynb"])
    assert f"--ServerApp.root_dir={desk.work}" in arguments
    assert f"--LabApp.default_url=/lab/tree/{NAME}" in arguments
    assert arguments[-1] == "--LabApp.default_url=/lab/tree/01.ipynb"


def test_the_settings_that_silence_pop_ups_are_shipped() -> None:
    """Are the files that keep JupyterLab's news away where JupyterLab looks for them, and valid?"""
    folder = lab._SETTINGS / "labconfig"
    page = json.loads((folder / "page_config.json").read_text(encoding="utf-8"))
    assert page["disabledExtensions"]["@jupyterlab/apputils-extension:announcements"] is True
    overrides = json.loads((folder / "default_setting_overrides.json").read_text(encoding="utf-8"))
    assert overrides["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"


def test_asking_for_help_starts_nothing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Does `posecourse lab --help` explain itself without copying lessons or starting JupyterLab?"""
    monkeypatch.setattr(lab, "open_lessons", lambda extra: pytest.fail("help must not open anything"))
    with pytest.raises(SystemExit) as stopped:
        cli.main(["lab", "--help"])
    assert stopped.value.code == 0
    assert "JupyterLab" in capsys.readouterr().out
