"""Run the parts of `python course.py test` and `check` one after the other, and say at the end which of them failed."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["PLANS", "main", "run"]

ROOT = Path(__file__).resolve().parent.parent
_RUN = (sys.executable, "-m")
_RERUN = (*_RUN, "tools.rerun")

Stages = Mapping[str, Sequence[str]]
CHECK: Stages = {
    "format": (*_RUN, "ruff", "format", "--check", "."),
    "lint": (*_RUN, "ruff", "check", "."),
    "types": (*_RUN, "mypy"),
    "floors": (sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"),
    "spelling": (*_RUN, "codespell_lib"),
}
PLANS: Mapping[str, Stages] = {
    "check": CHECK,
    # Two processes of one thread each: threads of one process wait for each other on a shared machine.
    "test": {**CHECK, "tests": (*_RUN, "pytest", "-n", "2", "--dist=loadscope")},
    "nbval-twice": {"first": _RERUN, "second": _RERUN},
    "nbval-other-cpu": {"other CPU": (*_RERUN, "--other-cpu")},
}


def main(arguments: Sequence[str]) -> int:
    """Run one plan; words after its name go to its last stage. Return 1 if a stage failed."""
    plan, *extra = arguments
    stages = dict(PLANS[plan])
    last = list(stages)[-1]
    stages[last] = (*stages[last], *extra)
    environment = _environment()
    start = time.monotonic()
    failed = [name for name, command in stages.items() if not run(name, command, environment)]
    print(f"\n{_cost(time.monotonic() - start)}")
    print(f"FAILED: {', '.join(failed)}." if failed else f"All is well: {', '.join(stages)}.", flush=True)
    return 1 if failed else 0


def run(name: str, command: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Run one stage in the course's folder, under a heading; return whether it went well."""
    print(f"\n=== {name} ===", flush=True)
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0


def _environment() -> dict[str, str]:
    """Return the environment of every stage: one thread a process, and nothing recorded in a student's folder."""
    kept = {name: value for name, value in os.environ.items() if name != "POSECOURSE_WORK"}
    return {**kept, "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}


def _cost(wall_seconds: float) -> str:
    """Say what it took. Windows does not add up the CPU time of children."""
    used = os.times()
    cpu = used.children_user + used.children_system
    return f"{cpu:.0f} CPU seconds, " * (os.name != "nt") + f"{wall_seconds:.0f} seconds on the clock."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
