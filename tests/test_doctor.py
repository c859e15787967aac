"""Does `posecourse doctor` find what is wrong with the folders and the data, and say what to do?"""

import hashlib
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from posecourse import cli, machine, paths
from posecourse.cli import doctor
from posecourse.machine import Finding


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave the machine's own findings out, and keep the cache in a folder of the test's."""
    monkeypatch.setattr(machine, "findings", lambda: [Finding("Python", "3.11.7")])
    monkeypatch.setenv("POSECOURSE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A data folder of two files, whose README gives their hashes in a table and in a list."""
    contents = {"crowd.json": b"{}\n", "pictures/one.png": b"\x89PNG"}
    for name, content in contents.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    digests = [hashlib.sha256(content).hexdigest() for content in contents.values()]
    (tmp_path / "README.md").write_text(
        f"# Data\n| `crowd.json` | people | `{digests[0]}` |\n- SHA-256 of pictures/one.png: {digests[1]}\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(paths, "data_path", lambda name="": tmp_path / name)
    return tmp_path


@pytest.mark.usefixtures("quick", "shipped")
def test_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    """Does a healthy machine get status 0 and no cross?"""
    assert cli.main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "✗" not in out
    assert "All is well." in out


@pytest.mark.usefixtures("quick")
def test_one_fault_is_status_1_and_is_in_the_block(shipped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Does one fault make the status 1, with its fix both on the screen and in the block to paste?"""
    (shipped / "crowd.json").write_bytes(b"{")
    assert cli.main(["doctor"]) == 1
    screen, block = capsys.readouterr().out.split("```", 1)
    for text in (screen, block):
        assert "crowd.json is not the file that was shipped" in text
        assert "What to do: Get the course again" in text
    assert "One thing is wrong" in screen


def test_the_block_keeps_the_users_name_out() -> None:
    """Is the home folder, which holds the user's name, shortened in what is pasted in public?"""
    block = doctor.paste([Finding("cache", str(Path.home() / "cache"))])
    assert str(Path.home()) not in block
    assert "~" in block


def test_every_shipped_file_is_held_against_its_hash(shipped: Path) -> None:
    """Are all files that the README lists found, in whatever layout it lists them?"""
    assert doctor.data_finding().what.startswith("2 files")
    (shipped / "pictures" / "one.png").unlink()
    assert "pictures/one.png is missing" in doctor.data_finding().what


def test_missing_data_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Does a package without its data folder say so, and how to mend it?"""

    def missing(name: str = "") -> Path:
        raise FileNotFoundError("posecourse's data folder is missing. Install the package again.")

    monkeypatch.setattr(paths, "data_path", missing)
    finding = doctor.data_finding()
    assert "missing" in finding.what
    assert "again" in finding.fix


def test_the_repository_lists_every_file_that_it_ships() -> None:
    """Does data/README.md give the right hash of every file in data/?"""
    folder = paths.data_path()
    listed = doctor._hashes((folder / "README.md").read_text(encoding="utf-8"))
    shipped = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {"README.md"}
    assert set(listed) == shipped
    assert doctor.data_finding().is_fine


def test_a_read_only_cache_names_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Is a cache folder that cannot be written to a finding that names POSECOURSE_CACHE?"""
    (tmp_path / "file").touch()
    monkeypatch.setenv("POSECOURSE_CACHE", str(tmp_path / "file" / "cache"))
    finding = doctor.folder_finding()
    assert not finding.is_fine
    assert "POSECOURSE_CACHE" in finding.fix


@pytest.mark.parametrize(("free_gb", "is_fine"), [(0.2, False), (5.0, True)])
def test_a_full_disk_is_found(monkeypatch: pytest.MonkeyPatch, free_gb: float, is_fine: bool) -> None:
    """Is a disk with too little room found before a lesson fills it?"""
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=free_gb * 1e9))
    finding = doctor.disk_finding()
    assert finding.is_fine == is_fine
    assert is_fine or "make room" in finding.fix


def test_a_broken_torch_does_not_break_the_doctor(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Does the doctor say what to do even where torch cannot be imported at all?"""
    monkeypatch.delattr(cli, "doctor", raising=False)
    monkeypatch.setitem(sys.modules, "posecourse.cli.doctor", None)
    assert cli.main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "What to do: run `python course.py clean`" in out
    assert "Redistributable" in out
