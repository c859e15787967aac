"""`posecourse lab`: the student's copies in `work/`, and JupyterLab on the landing notebook."""

import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from posecourse.cli.copies import bring_up_to_date

__all__ = ["open_lessons", "server_arguments"]

_LANDING = "00_start_here.ipynb"
_SETTINGS = Path(__file__).resolve().parent / "jupyter"
_PACKAGE = Path(__file__).resolve().parents[1]


def open_lessons(extra: Sequence[str] = ()) -> int:
    """Copy the notebooks, start JupyterLab, say where it is and how to stop it; return when it has stopped.

    Args:
        extra: handed on to JupyterLab, such as `--no-browser` or `--port=9000`.
    """
    source = _student_notebooks()
    if source is None:
        print("The lessons are not in the package: run `lab` in the course's own folder.", file=sys.stderr)
        return 1
    work = Path(os.environ.get("POSECOURSE_WORK") or source.parents[1] / "work").resolve()
    try:
        told = bring_up_to_date(source, work)
    except OSError as error:
        print(
            f"{work} cannot be written to: {error.strerror}. Name a folder of your own in the environment variable "
            "POSECOURSE_WORK, or move the course to one.",
            file=sys.stderr,
        )
        return 1
    print("\n".join(told), end="\n" if told else "")
    return _serve(work, extra)


def _student_notebooks() -> Path | None:
    """Return the folder of student notebooks: of the checkout that the package is in, or of the current folder."""
    places = [root / "notebooks" / "student" for root in (_PACKAGE.parent, Path.cwd())]
    return next((place for place in places if place.is_dir()), None)


def server_arguments(work: Path, extra: Sequence[str] = ()) -> list[str]:
    """Return JupyterLab's arguments for a work folder; `extra` comes last, so it has the last word."""
    landing = f"/lab/tree/{_LANDING}" if (work / _LANDING).exists() else "/lab"
    return [
        f"--ServerApp.root_dir={work}",
        f"--LabApp.default_url={landing}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--Application.log_level=ERROR",  # `--debug` among `extra` still has its way
        "--ServerApp.answer_yes=True",  # Ctrl-C asks nothing: everything is saved by then
        *extra,
    ]


def _serve(work: Path, extra: Sequence[str]) -> int:
    """Run JupyterLab in this process until Ctrl-C; a port that is taken is passed over for the next."""
    os.environ["POSECOURSE_WORK"] = str(work)
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(
        filter(None, [str(_SETTINGS), os.environ.get("JUPYTER_CONFIG_PATH")])
    )
    os.environ.setdefault("JUPYTER_TOKEN", secrets.token_hex(24))  # ours, so that we know it and Jupyter is brief
    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")  # this environment's kernel, not another of the same name
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # a debugger's warning at each kernel's start
    from jupyterlab.labapp import LabApp  # here, since doctor must run where JupyterLab is broken

    server = LabApp.initialize_server(argv=server_arguments(work, extra))
    server.io_loop.add_callback(_announce, server, work)  # comes after the callback that binds the port
    server.start()
    return 0


def _announce(server: Any, work: Path) -> None:
    """Say where the course is, once it answers there, and how to stop it."""
    address = server.connection_url.rstrip("/") + server.default_url
    print(f"The course is at {address}?token={server.identity_provider.token}")
    print(f"Your work is in {work}. To stop, press Ctrl-C here.", flush=True)
