"""Run solutions again and compare every output with the stored one: `python -m tools.rerun [--other-cpu] [NN …]`."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools import budget, notebooks

__all__ = ["OTHER_CPU", "Rerun", "main", "rerun"]

OTHER_CPU = {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "OMP_NUM_THREADS": "1"}
"""Makes PyTorch compute with the instructions of an old processor, so that its rounding differs."""

_SANITIZE = Path(__file__).with_name("sanitize.cfg")


@dataclass(frozen=True)
class Rerun:
    """How a comparison went: whether all outputs agree, what was said, what it cost with the kernel's part."""

    agrees: bool
    report: str
    cost: budget.Cost


def rerun(solutions: Path, changes: Mapping[str, str] | None = None) -> Rerun:
    """Run nbval, strict, over a copy of one solutions notebook in an empty folder.

    Args:
        solutions: the notebook.
        changes: environment variables to set, such as `OTHER_CPU`.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copy(solutions, folder)
        environment = notebooks.environment(folder) | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | dict(changes or {})
        options = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=300", f"--nbval-sanitize-with={_SANITIZE}"]
        plain = [
            "-p",
            "nbval.plugin",
            "-p",
            "no:cacheprovider",
            "-q",
            "--color=no",
            "-c",
            os.devnull,
            "--rootdir",
            folder,
        ]
        command = [sys.executable, "-m", "pytest", *plain, *options, copy]
        with budget.measured() as cost:
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return Rerun(done.returncode == 0, done.stdout + done.stderr, cost)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 1 where an output differs."""
    parser = argparse.ArgumentParser(prog="python -m tools.rerun", description=__doc__)
    parser.add_argument("lesson", nargs="*", help="the beginning of a source's name, such as 00; all if none is given")
    parser.add_argument("--other-cpu", action="store_true", help="imitate an old processor")
    chosen = parser.parse_args(arguments)
    agrees = True
    for source in notebooks.sources(chosen.lesson):
        path = notebooks.NOTEBOOKS / "solutions" / f"{source.stem}.ipynb"
        result = rerun(path, OTHER_CPU if chosen.other_cpu else None)
        print(f"{source.stem}: {'agrees' if result.agrees else 'differs'}, {result.cost.seconds:.1f} CPU seconds.")
        print("" if result.agrees else result.report, end="")
        agrees &= result.agrees
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
