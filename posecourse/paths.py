"""Where things lie: the shipped data, the cache of rendered sets, the student's own folder."""

import os
from pathlib import Path

import platformdirs

__all__ = ["cache_path", "data_path", "work_path"]

_PACKAGE = Path(__file__).resolve().parent


def data_path(name: str = "") -> Path:
    """Return the path of a file that the course ships in `data/`, from a checkout or from an installed wheel.

    Raises:
        FileNotFoundError: there is no such file; the message lists what there is.
    """
    folders = [folder for folder in (_PACKAGE / "data", _PACKAGE.parent / "data") if (folder / "README.md").is_file()]
    if not folders:
        raise FileNotFoundError(
            "posecourse's data folder is missing. Install the package again, or run from a whole checkout."
        )
    path = folders[0] / name
    if not path.exists():
        there = ", ".join(sorted(entry.name for entry in folders[0].iterdir()))
        raise FileNotFoundError(f"the course ships no data called {name!r}; there are {there}.")
    return path


def cache_path() -> Path:
    """Return the user's cache folder for rendered sets, made if need be.

    The environment variable POSECOURSE_CACHE names another one. Whatever is in it can be deleted at any time.
    """
    path = Path(os.environ.get("POSECOURSE_CACHE") or platformdirs.user_cache_dir("posecourse", appauthor=False))
    path.mkdir(parents=True, exist_ok=True)
    return path


def work_path() -> Path | None:
    """Return the student's own folder, where predictions and verdicts are recorded, or None outside of one.

    It is the folder that POSECOURSE_WORK names, or the current folder if `lab` marked it as the student's. Builds
    and tests have neither, so they record nothing.
    """
    if named := os.environ.get("POSECOURSE_WORK"):
        return Path(named)
    return Path.cwd() if (Path.cwd() / ".posecourse").is_file() else None
