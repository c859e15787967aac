"""Does the one file that sets everything up do it once, notice what is half-done, and say what to do when it cannot?"""

import ast
import importlib.util
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = (ROOT / "course.py").read_text(encoding="utf-8")
TORCH = "torch==2.13.0"


class Setup:
    """A copy of the course in a folder of its own; making environments and pip are played, and written down.

    Args:
        module: `course.py`, living in that folder.
        did: what was done, in order: "venv", or pip's arguments.
        trouble: what pip is to say when it fails, by a word of its arguments.
    """

    def __init__(self, module: ModuleType) -> None:
        self.module: Any = module
        self.did: list[str] = []
        self.trouble: dict[str, str] = {}

    def run(self, call: list[str], **_: object) -> SimpleNamespace:
        """Stand in for `subprocess.run`."""
        if "venv" in call:
            self.did.append("venv")
            shutil.rmtree(self.module.VENV)
            self.module.PYTHON.parent.mkdir(parents=True)
            self.module.PYTHON.touch()
            (self.module.VENV / "pyvenv.cfg").write_text("version = 3.12.1\n", encoding="utf-8")
        return SimpleNamespace(returncode=0, stdout="")

    def pip(self, *arguments: str) -> str:
        """Stand in for pip."""
        said = " ".join(arguments).replace(str(self.module.ROOT), ".")
        self.did.append(said)
        return next((self.module.remedy(text) for word, text in self.trouble.items() if word in said), "")

    def __call__(self, **how: bool) -> list[str]:
        """Set up; return what was done this time."""
        self.did.clear()
        self.module.set_up(**how)
        return self.did


EVERYTHING = ["venv", "-r ./requirements.txt", "--no-deps --no-build-isolation -e ."]
UPDATE = EVERYTHING[1:]


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`course.py` as it would be in a folder of its own, where nothing is installed."""
    for name in ("course.py", "pyproject.toml", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.delenv("TORCH_INDEX", raising=False)
    return load(tmp_path / "course.py")


def load(path: Path) -> ModuleType:
    """Import a file by its path."""
    spec = importlib.util.spec_from_file_location("course", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def setup(course: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Setup:
    """A fresh machine."""
    return played(course, monkeypatch)


def played(course: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Setup:
    """Replace what costs minutes by its play."""
    setup = Setup(course)
    monkeypatch.setattr(course, "subprocess", SimpleNamespace(run=setup.run, PIPE=None, STDOUT=None, DEVNULL=None))
    monkeypatch.setattr(course, "pip", setup.pip)
    monkeypatch.setattr(course, "cpu_index", lambda: None)
    return setup


def test_an_old_python_can_read_it() -> None:
    """Can Python 3.8 parse the file, so that it can say that it is too old?"""
    ast.parse(SOURCE, feature_version=(3, 8))


def test_it_needs_only_the_standard_library() -> None:
    """Does it import nothing that a fresh Python lacks?"""
    nodes = list(ast.walk(ast.parse(SOURCE)))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


@pytest.mark.parametrize("version", [(3, 8), (3, 10), (3, 14)])
def test_a_wrong_python_is_told_which_is_right(
    course: ModuleType, monkeypatch: pytest.MonkeyPatch, version: tuple[int, int]
) -> None:
    """Does a Python that cannot run the course stop before anything is done, with the fix?"""
    monkeypatch.setattr(course.sys, "version_info", version)
    monkeypatch.setattr(course.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match=r"3\.11, 3\.12 or 3\.13; this is 3\.\d+\. Install Python 3\.12"):
        course.main(["lab"])
    assert not course.VENV.exists()


def test_a_better_python_that_is_there_is_named(course: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is a student whose `python` is old, but who has a newer one, told the very line to type?"""
    monkeypatch.setattr(course.sys, "version_info", (3, 9))
    monkeypatch.setattr(course.sys, "argv", ["course.py", "lab", "--no-browser"])
    monkeypatch.setattr(course.shutil, "which", lambda name: name if name == "python3.12" else None)
    with pytest.raises(SystemExit, match=r"run `python3\.12 course\.py lab --no-browser`"):
        course.main(["lab", "--no-browser"])


def test_a_32_bit_python_is_turned_away(course: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is a 32-bit Python, for which there is no torch, told so?"""
    monkeypatch.setattr(course.sys, "maxsize", 2**31 - 1)
    with pytest.raises(SystemExit, match="64-bit"):
        course.main(["lab"])


def test_an_unknown_command_installs_nothing(setup: Setup) -> None:
    """Does a typing error get the list of commands, rather than two minutes of set-up?"""
    with pytest.raises(SystemExit, match=r"no command 'labb'.*doctor.*test"):
        setup.module.main(["labb"])
    assert setup.did == []


def test_no_command_explains(course: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """Does the bare call explain every command?"""
    assert course.main([]) == 0
    out = capsys.readouterr().out
    assert all(f"{command}" in out for command in (*course.PACKAGE, *course.TOOLS, "setup", "clean"))


def test_the_second_time_nothing_is_installed(setup: Setup) -> None:
    """Is everything installed once, and nothing when called again?"""
    assert setup() == EVERYTHING
    assert setup() == []


def test_it_does_not_matter_which_python_calls(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Does the environment stay as it is if `python` and `python3` are different versions?"""
    setup()
    monkeypatch.setattr(setup.module.sys, "version_info", (3, 13, 0))
    assert setup() == []


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("requirements.txt", "scipy==", "scipy!=0.1,==", UPDATE),
        ("pyproject.toml", '"scipy>=1.12"', '"scipy>=1.13"', UPDATE),
        ("pyproject.toml", 'posecourse = "posecourse.cli:main"', 'pose = "posecourse.cli:main"', UPDATE),
        ("pyproject.toml", "line-length = 120", "line-length = 100", []),
    ],
)
def test_changed_requirements_are_brought_in(setup: Setup, file: str, old: str, new: str, expected: list[str]) -> None:
    """Does a change of what is needed bring the environment up to date, and a change of a tool's settings nothing?"""
    setup()
    path = setup.module.ROOT / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert setup() == expected
    assert setup() == []


def test_a_set_up_cut_short_is_done_again(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the power goes while pip writes, is the environment thrown away and made anew?"""

    def power_cut() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as during:
        during.setattr(setup.module, "install", power_cut)
        with pytest.raises(KeyboardInterrupt):
            setup()
    assert setup() == EVERYTHING
    assert setup() == []


def test_a_moved_course_is_set_up_again(
    setup: Setup, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Is the environment, which holds absolute paths, made anew after the folder was moved or copied?"""
    setup()
    elsewhere = tmp_path_factory.mktemp("moved") / "course"
    shutil.move(setup.module.ROOT, elsewhere)
    moved = played(load(elsewhere / "course.py"), monkeypatch)
    assert moved() == EVERYTHING
    assert moved() == []


def test_a_vanished_python_is_noticed(setup: Setup) -> None:
    """If the Python under the environment was uninstalled, is the environment made anew?"""
    setup()
    setup.module.PYTHON.unlink()
    assert setup() == EVERYTHING


def test_somebody_elses_environment_is_kept(setup: Setup) -> None:
    """Is a `.venv` that was made by hand (or by uv) filled, never deleted?"""
    setup.module.PYTHON.parent.mkdir(parents=True)
    setup.module.PYTHON.touch()
    assert setup() == UPDATE
    assert setup() == []


def test_offline_the_first_time_says_what_to_do(setup: Setup) -> None:
    """Does a first set-up without a network stop with the fix, and start anew the next time?"""
    setup.trouble = {"-r": "NewConnectionError: [Errno -3] Temporary failure in name resolution"}
    with pytest.raises(SystemExit, match="Connect to the internet this once"):
        setup(may_stay=True)
    setup.trouble = {}
    assert setup() == EVERYTHING


def test_offline_later_the_lab_opens_all_the_same(setup: Setup, capsys: pytest.CaptureFixture[str]) -> None:
    """If a pin has changed and there is no network, does the lab go on with what it has, and the test command not?"""
    setup()
    with (setup.module.ROOT / "requirements.txt").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    setup.trouble = {"-r": "NewConnectionError"}
    setup(may_stay=True)
    assert "Going on with the environment as it was" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="Connect to the internet"):
        setup()
    setup.trouble = {}
    assert setup() == UPDATE


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("OSError: [Errno 28] No space left on device", "Make room"),
        ("SSLError(SSLCertVerificationError('CERTIFICATE_VERIFY_FAILED'))", "PIP_CERT"),
        ("ProxyError('Cannot connect to proxy.')", "HTTPS_PROXY"),
        ("ReadTimeoutError: ReadTimeout\nERROR: No matching distribution found for scipy", "Connect to the internet"),
        ("ERROR: No matching distribution found for torch==2.13.0", "has no torch==2.13.0 for this Python"),
        (
            "HINT: This error might have occurred since this system does not have Windows Long Path support",
            "short path",
        ),
        ("PermissionError: [WinError 5] Access is denied", "Close JupyterLab"),
        ("first\nERROR: something never seen", "something never seen"),
    ],
)
def test_each_trouble_has_its_remedy(course: ModuleType, output: str, says: str) -> None:
    """Is what pip says turned into what to do, or quoted where nobody knows?"""
    assert says in course.remedy(output)


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_a_python_without_venv_names_debians_package(
    setup: Setup, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """Is Debian's Python, whose venv is in a package of its own, told which to install?"""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else find(name))
    with pytest.raises(SystemExit, match=r"sudo apt install python3\.\d+-venv"):
        setup()


def test_a_read_only_folder_says_so(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is a course on a read-only share told to be copied?"""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(setup.module.Path, "mkdir", refuse)
    with pytest.raises(SystemExit, match=r"cannot write to its own folder.*Copy the folder"):
        setup()


def test_a_named_index_is_used_for_torch_alone(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Does TORCH_INDEX decide where torch, and only torch, comes from?"""
    monkeypatch.setenv("TORCH_INDEX", "https://example.org/whl")
    done = setup()
    assert done[1] == f"--no-deps --index-url https://example.org/whl {TORCH}"
    assert done[2:] == UPDATE


def test_a_named_index_that_fails_stops(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is a chosen index that has no such torch an error, since another one was not asked for?"""
    monkeypatch.setenv("TORCH_INDEX", "https://example.org/whl")
    setup.trouble = {"example.org": "No matching distribution found for torch"}
    with pytest.raises(SystemExit, match=r"TORCH_INDEX=https://example\.org/whl did not give"):
        setup()


def test_the_cpu_index_is_only_a_try(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where PyTorch's CPU index answers but has no such wheel, does the default one take over in silence?"""
    monkeypatch.setattr(setup.module, "cpu_index", lambda: "https://example.org/cpu")
    setup.trouble = {"example.org": "No matching distribution found for torch"}
    assert setup()[2:] == UPDATE


@pytest.fixture
def on_plain_linux(course: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`course.py` on Linux with no NVIDIA driver."""
    monkeypatch.setattr(course.sys, "platform", "linux")
    monkeypatch.setattr(course, "has_nvidia_driver", lambda: False)
    return course


def test_an_index_that_never_answers_is_left_behind(
    on_plain_linux: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Does a network that swallows everything cost no more than the limit?"""
    release = threading.Event()

    def swallow(*_: object, **__: object) -> None:
        release.wait()
        raise OSError("too late")

    monkeypatch.setattr(on_plain_linux.urllib.request, "urlopen", swallow)
    assert on_plain_linux.cpu_index(seconds=0.01) is None
    release.set()


@pytest.mark.parametrize("error", [OSError("unreachable"), ValueError("odd answer")])
def test_an_index_out_of_reach_is_passed_over(
    on_plain_linux: ModuleType, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Is an error of the network no error of the set-up?"""

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(on_plain_linux.urllib.request, "urlopen", fail)
    assert on_plain_linux.cpu_index() is None


@pytest.mark.parametrize(
    ("platform", "nvidia", "asked"),
    [("linux", False, True), ("linux", True, False), ("darwin", False, False), ("win32", False, False)],
)
def test_only_linux_without_a_driver_needs_the_cpu_index(
    course: ModuleType, monkeypatch: pytest.MonkeyPatch, platform: str, nvidia: bool, asked: bool
) -> None:
    """Is the index asked only where the default wheel would bring CUDA for nothing?"""
    monkeypatch.setattr(course.sys, "platform", platform)
    monkeypatch.setattr(course, "has_nvidia_driver", lambda: nvidia)
    monkeypatch.setattr(course.urllib.request, "urlopen", answering)
    assert (course.cpu_index() == course.CPU_INDEX) == asked


def answering(*_: object, **__: object) -> Any:
    """Stand in for a page that is there."""
    return threading.Lock()  # anything that `with` accepts


def test_a_second_terminal_waits(setup: Setup) -> None:
    """If two terminals start at once, does one install and the other find it done?"""
    did: list[list[str]] = []
    both = [threading.Thread(target=lambda: did.append(setup.module.set_up())) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert setup.did == EVERYTHING


@pytest.mark.skipif(sys.platform == "win32", reason="on Windows a child process is waited for")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["lab", "--no-browser"], ["-m", "posecourse", "lab", "--no-browser"]),
        (["test", "-k", "coords"], ["-m", "tools.suite", "test", "-k", "coords"]),
        (["notebooks", "00"], ["-m", "tools.notebooks", "build", "00"]),
    ],
)
def test_commands_are_handed_over(
    setup: Setup, monkeypatch: pytest.MonkeyPatch, arguments: list[str], expected: list[str]
) -> None:
    """Does each command reach its module, run by the environment's Python in the course's folder, with its words?"""
    calls: list[list[str]] = []
    execve: Callable[..., None] = lambda path, call, environment: calls.append(call)  # noqa: E731
    monkeypatch.setattr(setup.module.os, "execve", execve)
    monkeypatch.setattr(setup.module.os, "chdir", lambda folder: calls.append([str(folder)]))
    monkeypatch.setattr(setup.module.subprocess, "call", lambda *_, **__: 0, raising=False)
    setup.module.main(arguments)
    assert calls == [[str(setup.module.ROOT)], [str(setup.module.PYTHON), *expected]]


def test_cleaning_keeps_her_work(course: ModuleType) -> None:
    """Does `clean` delete the environment and leave the student's folder alone?"""
    for folder in (course.VENV, course.ROOT / ".mypy_cache", course.ROOT / "work"):
        folder.mkdir()
    assert course.main(["clean"]) == 0
    assert not course.VENV.exists()
    assert (course.ROOT / "work").is_dir()
