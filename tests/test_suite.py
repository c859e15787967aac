"""Does the test command run every part, whatever fails, and say at the end what did?"""

import sys

import pytest

from tools import suite

GOOD, BAD = (sys.executable, "-c", "pass"), (sys.executable, "-c", "raise SystemExit(3)")


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, ...]]:
    """A plan to be filled, which `main(["plan"])` runs."""
    stages: dict[str, tuple[str, ...]] = {}
    monkeypatch.setattr(suite, "PLANS", {"plan": stages, "nbval-other-cpu": stages})
    return stages


def test_all_is_well(plan: dict[str, tuple[str, ...]], capfd: pytest.CaptureFixture[str]) -> None:
    """Is the status 0 and the last line good news when every stage passes?"""
    plan |= {"lint": GOOD, "types": GOOD}
    assert suite.main(["plan"]) == 0
    assert capfd.readouterr().out.splitlines()[-1] == "All is well: lint, types."


def test_a_failure_stops_nothing_and_is_named(
    plan: dict[str, tuple[str, ...]], capfd: pytest.CaptureFixture[str]
) -> None:
    """Do the stages after a failed one run all the same, and are the failed ones listed, with status 1?"""
    plan |= {"lint": BAD, "types": (sys.executable, "-c", "print('I ran')"), "tests": BAD}
    assert suite.main(["plan"]) == 1
    lines = capfd.readouterr().out.splitlines()
    assert "I ran" in lines
    assert lines[-1] == "FAILED: lint, tests."


def test_words_go_to_the_last_stage(plan: dict[str, tuple[str, ...]], capfd: pytest.CaptureFixture[str]) -> None:
    """Does `course.py test -k coords` hand `-k coords` to pytest, and to nothing before it?"""
    echo = (sys.executable, "-c", "import sys; print('got', *sys.argv[1:])")
    plan |= {"lint": echo, "tests": echo}
    suite.main(["plan", "-k", "coords"])
    lines = [line for line in capfd.readouterr().out.splitlines() if line.startswith("got")]
    assert lines == ["got", "got -k coords"]


def test_each_stage_has_one_thread_and_no_students_folder(
    plan: dict[str, tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Does a stage get one thread, and no folder in which to record answers?"""
    monkeypatch.setenv("POSECOURSE_WORK", "/somebody/work")
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    plan["tests"] = (
        sys.executable,
        "-c",
        "import os; print(*map(os.environ.get, ('OMP_NUM_THREADS', 'POSECOURSE_WORK')))",
    )
    suite.main(["plan"])
    assert "1 None" in capfd.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not add up the CPU time of children")
def test_the_cpu_seconds_of_a_stage_are_counted(
    plan: dict[str, tuple[str, ...]], capfd: pytest.CaptureFixture[str]
) -> None:
    """Is the CPU time of a stage's own children in the sum?"""
    burn = "import time\nwhile time.process_time() < 2: pass"
    plan["tests"] = (sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])")
    before = suite._cost(0)
    suite.main(["plan"])
    after = capfd.readouterr().out.splitlines()[-2]
    assert int(after.split()[0]) - int(before.split()[0]) >= 1


def test_the_plans_use_this_python() -> None:
    """Is every tool run by the environment's own Python, rather than by what happens to be on the PATH?"""
    assert {command[0] for stages in suite.PLANS.values() for command in stages.values()} == {sys.executable}
