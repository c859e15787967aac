"""Open the course with one file and nothing installed but Python.

    python course.py lab          set up once, then open the lessons in JupyterLab
    python course.py doctor       what this computer is, what is wrong with it, and what to do about it
    python course.py test         set up once, then run every test
    python course.py check        the quick part of `test`: format, lint, types, floors, spelling
    python course.py notebooks    build the student notebooks and the solutions from their source
    python course.py nbval-twice | nbval-other-cpu    hold the solutions against themselves once more
    python course.py setup        set up, and nothing else
    python course.py clean        delete the environment and the caches, never your own work

What follows the command is handed on: `python course.py lab --no-browser`, `python course.py test -k coords`.
TORCH_INDEX names another place to take torch from. This file needs only Python's standard library: it makes the
environment in `.venv`, and hands over to what it has installed there.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["main"]

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
MARK = VENV / "course.json"
LOG = VENV / "setup.log"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

OLDEST, NEWEST = (3, 11), (3, 13)
CPU_INDEX = "https://download.pytorch.org/whl/cpu"

PACKAGE = ("lab", "doctor")
TOOLS = {
    "test": ("tools.suite", "test"),
    "check": ("tools.suite", "check"),
    "nbval-twice": ("tools.suite", "nbval-twice"),
    "nbval-other-cpu": ("tools.suite", "nbval-other-cpu"),
    "notebooks": ("tools.notebooks", "build"),
}
CACHES = ("dist", "build", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".import_linter_cache", ".hypothesis")

# What pip says when something is wrong, and what to do about it. The first that matches is told.
REMEDIES = (
    (r"No space left|Errno 28", "The disk is full: the course needs about 2 GB. Make room, then run the same line "
     "again."),
    (r"CERTIFICATE_VERIFY_FAILED|SSLError", "Your network replaces certificates, as schools and companies do. Ask for "
     "its certificate file, name it in the environment variable PIP_CERT, then run the same line again."),
    (r"NewConnectionError|NameResolutionError|Temporary failure in name|ConnectTimeout|ReadTimeout|ProxyError|"
     r"Max retries|ConnectionReset|Connection broken", "No package index could be reached. Connect to the internet "
     "this once (behind a proxy, set HTTPS_PROXY), then run the same line again."),
    (r"(?i)long path", "Windows limits paths to 260 letters. Switch long paths on, or move the course to a short path "
     "such as C:\\pose, then run the same line again."),
    (r"(?i)WinError 5|WinError 32|being used by another process", "Another program holds files in .venv. Close "
     "JupyterLab and editors that use it, then run the same line again."),
    (r"No matching distribution found for (\S+)", "The package index has no \\1 for this Python and computer. Use "
     "64-bit Python 3.12; if you set PIP_INDEX_URL or TORCH_INDEX, check what they name."),
)  # fmt: skip


def main(arguments: list[str]) -> int:
    """Run one command and return its exit status."""
    command = arguments[0] if arguments else "help"
    if command in ("help", "-h", "--help"):
        print(__doc__)
        return 0
    require_python()
    if command == "clean":
        return clean()
    if command != "setup" and command not in PACKAGE and command not in TOOLS:
        known = ", ".join(("setup", "clean", *PACKAGE, *TOOLS))
        raise SystemExit(f"course.py has no command {command!r}; it has {known}.")
    set_up(may_stay=command in PACKAGE)
    if command == "setup":
        print(f"Ready. Python of the course: {PYTHON}")
        return 0
    return hand_over([str(PYTHON), "-m", *TOOLS.get(command, ("posecourse", command)), *arguments[1:]])


def require_python() -> None:
    """Stop with the fix unless this Python can run the course."""
    version, fix = sys.version_info[:2], "Install Python 3.12 (64-bit) from python.org or your system's packages"
    others = [name for name in ("python3.13", "python3.12", "python3.11") if shutil.which(name)]
    if others:
        fix = f"You have {others[0]}: run `{others[0]} course.py {' '.join(sys.argv[1:])}`"
    if not OLDEST <= version <= NEWEST:
        raise SystemExit(f"The course needs Python 3.11, 3.12 or 3.13; this is {version[0]}.{version[1]}. {fix}.")
    if sys.maxsize < 2**32:
        raise SystemExit(f"The course needs a 64-bit Python, since torch does; this one is 32-bit. {fix}.")


def set_up(may_stay: bool = False) -> None:
    """Make `.venv` what the requirement files ask for, unless it is so already.

    A first set-up that was cut short is thrown away and done again: a half-written package can look whole. With
    `may_stay`, an environment that worked goes on being used if it cannot be brought up to date, say offline.
    """
    if is_ready():
        return
    with one_at_a_time():
        if is_ready():  # another terminal has done it meanwhile
            return
        had = read_mark()
        is_update = PYTHON.exists() and had.get("root") == str(ROOT)
        if not is_update:
            print("Setting up the course in .venv: once, about two minutes and 2 GB.", flush=True)
            make_environment(clear=bool(had))
        else:
            print("The requirements have changed: bringing .venv up to date.", flush=True)
        try:
            install()
        except SystemExit as trouble:
            if not (may_stay and is_update):
                raise
            print(f"{trouble}\nGoing on with the environment as it was.", file=sys.stderr)
            return
        write_mark(stamp())


def is_ready() -> bool:
    """Return whether `.venv` is made from what the requirement files ask for now, and its Python is still there."""
    return PYTHON.exists() and read_mark() == stamp()


def stamp() -> dict[str, str]:
    """Return what an environment is made from: where, and which requirements."""
    import tomllib  # Python 3.11 has it, and an older one has been turned away by now

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = [(ROOT / "requirements.txt").read_text(encoding="utf-8"), project["project"], project["build-system"]]
    return {
        "root": str(ROOT),  # an environment cannot be moved
        "requirements": hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest(),
        "python": base_version(),
    }


def base_version() -> str:
    """Return the version of the Python that `.venv` is made from, or of this one while there is none."""
    settings = VENV / "pyvenv.cfg"
    if settings.is_file() and PYTHON.exists():
        found = re.search(r"^version(?:_info)?\s*=\s*(\S+)", settings.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return found[1]
    return ".".join(map(str, sys.version_info[:3]))


def read_mark() -> dict[str, Any]:
    """Return what the environment says that it was made from: empty if it is not ours or there is none."""
    try:
        mark = json.loads(MARK.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return mark if isinstance(mark, dict) else {}


def write_mark(mark: dict[str, str]) -> None:
    """Record what the environment is made from, all or nothing."""
    part = MARK.with_suffix(".part")
    part.write_text(json.dumps(mark), encoding="utf-8")
    os.replace(part, MARK)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let a second terminal wait while the first one sets up; the system drops the lock with its process."""
    name = "posecourse-" + hashlib.sha256(str(ROOT).encode()).hexdigest()[:16] + ".lock"
    try:
        lock = open(Path(tempfile.gettempdir()) / name, "a+")  # noqa: SIM115
    except OSError:  # another user's lock on a shared computer: go without
        yield
        return
    with lock:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(lock.fileno(), msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined, unused-ignore]
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_environment(clear: bool) -> None:
    """Make an empty `.venv`, or keep one that somebody made by other means; say what is missing if that fails."""
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        package = "python{}.{}-venv".format(*sys.version_info[:2])
        raise SystemExit(
            "This Python cannot make environments: its venv module is missing. On Debian and Ubuntu run "
            f"`sudo apt install {package}`, then the same line again."
        )
    try:
        VENV.mkdir(exist_ok=True)
        if PYTHON.exists() and not clear:
            return
        write_mark({"state": "being made"})
    except OSError as trouble:
        raise SystemExit(
            f"The course cannot write to its own folder, {ROOT}: {trouble.strerror}. Copy the folder to a place of "
            "your own, such as your home folder, and run it there."
        ) from None
    python = getattr(sys, "_base_executable", None) or sys.executable  # not the one that may be thrown away
    made = subprocess.run(
        [python, "-m", "venv", "--clear", str(VENV)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if made.returncode:
        raise SystemExit(f"No environment could be made in {VENV}.\n{remedy(made.stdout)}")
    write_mark({"state": "being made"})


def install() -> None:
    """Install the pinned requirements and the package itself, editable."""
    if subprocess.run(
        [str(PYTHON), "-m", "pip", "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ).returncode:
        subprocess.run([str(PYTHON), "-m", "ensurepip", "--upgrade"], stdout=subprocess.DEVNULL, check=True)
    requirements = ROOT / "requirements.txt"
    torch = re.search(r"^torch==\S+", requirements.read_text(encoding="utf-8"), re.MULTILINE)
    index = os.environ.get("TORCH_INDEX") or cpu_index()
    if index and torch:
        problem = pip("--no-deps", "--index-url", index, torch[0])
        if problem and "TORCH_INDEX" in os.environ:
            raise SystemExit(f"TORCH_INDEX={index} did not give {torch[0]}.\n{problem}")
    for wanted in (["-r", str(requirements)], ["--no-deps", "--no-build-isolation", "-e", str(ROOT)]):
        problem = pip(*wanted)
        if problem:
            raise SystemExit(f"The set-up did not finish.\n{problem}\nThe whole story is in {LOG}")


def cpu_index(seconds: float = 2.0) -> str | None:
    """Return PyTorch's index of wheels without CUDA where they fit: Linux with no NVIDIA driver, index in reach.

    On Linux the default wheel of torch brings several GB of CUDA. Looking up a name has no time limit of its own,
    so a thread does it and is left behind when it takes longer than `seconds`.
    """
    if not sys.platform.startswith("linux") or has_nvidia_driver():
        return None
    answers = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(f"{CPU_INDEX}/torch/", timeout=seconds):
                answers.append(CPU_INDEX)
        except (OSError, ValueError):
            pass

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return answers[0] if answers else None


def has_nvidia_driver() -> bool:
    """Return whether there is an NVIDIA driver that torch could use."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def pip(*arguments: str) -> str:
    """Install with the environment's pip, showing one line of progress; return what went wrong, or nothing."""
    call = [str(PYTHON), "-m", "pip", "install", "--no-input", "--progress-bar=off", "--disable-pip-version-check"]
    running = subprocess.Popen(
        [*call, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    lines = []
    assert running.stdout is not None
    for line in running.stdout:
        lines.append(line)
        show_progress(line)
    if sys.stdout.isatty():
        print("\r" + " " * 78 + "\r", end="", flush=True)
    with open(LOG, "a", encoding="utf-8") as log:
        log.writelines(lines)
    return remedy("".join(lines)) if running.wait() else ""


def show_progress(line: str) -> None:
    """Show what pip is doing on one line of a terminal, and nothing where the output goes to a file."""
    doing = re.match(r"\s*(Collecting|Downloading|Installing)\b.*", line)
    if doing and sys.stdout.isatty():
        print("\r  " + doing[0].strip()[:74].ljust(74), end="", flush=True)


def remedy(output: str) -> str:
    """Return what to do about pip's failure, or its last words if it is an unknown one."""
    for pattern, fix in REMEDIES:
        found = re.search(pattern, output)
        if found:
            return found.expand(fix) if "\\1" in fix else fix
    return "".join(output.splitlines(keepends=True)[-15:]).rstrip()


def hand_over(call: list[str]) -> int:
    """Go on as `call`, in the course's folder; Ctrl-C is its affair, not ours."""
    os.chdir(ROOT)
    environment = {**os.environ, "PYTHONUTF8": "1"}
    sys.stdout.flush()
    if os.name != "nt":
        os.execve(call[0], call, environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Windows has no exec that waits
    return subprocess.call(call, env=environment)


def clean() -> int:
    """Delete the environment and what the tools have cached. `work/` is the student's, and stays."""
    for name in (".venv", *CACHES):
        shutil.rmtree(ROOT / name, ignore_errors=True)
    for folder in ("posecourse", "tools", "tests"):
        for cache in (ROOT / folder).rglob("__pycache__"):
            shutil.rmtree(cache, ignore_errors=True)
    print("Deleted .venv and the caches. Your own work in work/ is untouched.")
    return 0


if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a Windows console need not know every letter
    sys.exit(main(sys.argv[1:]))
