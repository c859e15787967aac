"""Places on disk: is the data found, the cache made, and the student's folder only where there is one?"""

from pathlib import Path

import pytest

from posecourse import paths


def test_shipped_data_is_found() -> None:
    """Is the folder's own README found, and a missing file answered by what there is?"""
    assert paths.data_path("README.md").is_file()
    assert paths.data_path().is_dir()
    with pytest.raises(FileNotFoundError, match=r"no data called 'nothing\.bin'; there are .*README\.md"):
        paths.data_path("nothing.bin")


def test_a_folder_that_is_not_ours_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where neither a checkout's nor a wheel's data lie, is the fix named?"""
    (tmp_path / "posecourse").mkdir()
    (tmp_path / "data").mkdir()  # somebody else's, without our README
    monkeypatch.setattr(paths, "_PACKAGE", tmp_path / "posecourse")
    with pytest.raises(FileNotFoundError, match="Install the package again"):
        paths.data_path("README.md")


def test_a_wheel_s_data_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is the data folder inside of the package preferred to one beside it?"""
    for folder in (tmp_path / "posecourse" / "data", tmp_path / "data"):
        folder.mkdir(parents=True)
        (folder / "README.md").touch()
    monkeypatch.setattr(paths, "_PACKAGE", tmp_path / "posecourse")
    assert paths.data_path("README.md") == tmp_path / "posecourse" / "data" / "README.md"


def test_the_cache_is_made_where_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is POSECOURSE_CACHE obeyed and the folder made, once and again?"""
    monkeypatch.setenv("POSECOURSE_CACHE", str(tmp_path / "a" / "b"))
    assert paths.cache_path() == tmp_path / "a" / "b"
    assert paths.cache_path().is_dir()


def test_there_is_a_work_folder_only_for_a_student(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is it None outside, the current folder where `lab` marked it, and the named one before all?"""
    monkeypatch.delenv("POSECOURSE_WORK", raising=False)
    monkeypatch.chdir(tmp_path)
    assert paths.work_path() is None
    (tmp_path / ".posecourse").touch()
    assert paths.work_path() == tmp_path
    monkeypatch.setenv("POSECOURSE_WORK", str(tmp_path / "elsewhere"))
    assert paths.work_path() == tmp_path / "elsewhere"
