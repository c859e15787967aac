"""Open the course's lessons, look at the computer that they run on, or train on pictures of your own."""

import argparse
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from posecourse import __version__
from posecourse.cli import lab, practice

__all__ = ["main"]

_EPILOG = "What `lab` does not know it hands on to JupyterLab: `posecourse lab --no-browser --port 9000`."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a Windows console need not know every letter
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="posecourse", description=__doc__, epilog=_EPILOG)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("doctor", help="say what this computer is, what is wrong with it, and what to do about it")
    commands.add_parser("lab", help="copy the lessons to work/ and open them in JupyterLab", epilog=_EPILOG)
    practice.add_commands(commands)
    if given[:1] == ["lab"] and not {"-h", "--help"} & set(given):  # argparse would keep JupyterLab's options
        return lab.open_lessons([word for word in given[1:] if word != "--"])
    asked = parser.parse_args(given)
    return practice.run(asked) if asked.command in practice.COMMANDS else _doctor()


def _doctor() -> int:
    """Run the doctor, who needs torch; say what to do where even that cannot be imported."""
    try:
        from posecourse.cli import doctor
    except (ImportError, OSError) as error:
        print(
            f"✗ The course's packages cannot be imported: {error}\n"
            "    What to do: run `python course.py clean`, then `python course.py doctor`. On Windows, install "
            "Microsoft's Visual C++ Redistributable (x64) first: torch needs it."
        )
        return 1
    return doctor.examine()
