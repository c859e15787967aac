"""One line that says how far a run is, for those who watch; builds and logs see nothing."""

import sys
import time

from posecourse.paths import work_path

__all__ = ["Line", "is_watched"]

_SECONDS = 0.2  # between two updates


def is_watched() -> bool:
    """Return whether somebody sees what is printed: a terminal, or a notebook in the student's own folder.

    A notebook elsewhere may be a build, whose outputs must not depend on the time; ask for progress there.
    """
    if type(sys.stdout).__module__.partition(".")[0] == "ipykernel":
        return work_path() is not None
    return sys.stdout.isatty()


class Line:
    """A line on standard output that is written over again and again.

    Args:
        shown: whether to write at all; None finds out.
    """

    def __init__(self, shown: bool | None = None) -> None:
        self.shown = is_watched() if shown is None else shown
        self._next, self._width = 0.0, 0

    def update(self, text: str, *, now: bool = False) -> None:
        """Write `text` over what stood there, unless that is too recent; `now` writes it in any case."""
        if self.shown and (now or time.monotonic() >= self._next):
            sys.stdout.write(f"\r{text:<{self._width}}")
            sys.stdout.flush()
            self._next, self._width = time.monotonic() + _SECONDS, len(text)

    def close(self) -> None:
        """Leave the line as it stands and go to the next one."""
        if self._width:
            sys.stdout.write("\n")
            sys.stdout.flush()
            self._width = 0
