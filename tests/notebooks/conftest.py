"""Lessons for the notebook tests: the real ones, and one as small as the format allows, built once a session."""

import shutil
from pathlib import Path

import pytest

from tools import notebooks

FIXTURE = Path(__file__).parent / "fixture"


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of notebooks with one small lesson in it, built; to be looked at, not changed."""
    root = tmp_path_factory.mktemp("small")
    shutil.copytree(FIXTURE / "source", root / "source")
    for source in notebooks.sources(root=root):
        notebooks.build(source)
    return root


@pytest.fixture
def copy(small: Path, tmp_path: Path) -> Path:
    """A copy of it to break."""
    return Path(shutil.copytree(small, tmp_path / "notebooks"))
