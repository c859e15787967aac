"""The two errors that a student meets on purpose; a notebook shows each as one paragraph, without a traceback."""

import textwrap

__all__ = ["Todo", "Wrong"]

_COLUMNS = 96


class _Plain(Exception):  # noqa: N818 - what a student reads is "Todo", not "TodoError"
    """An error that IPython shows as its message alone, wrapped, since a notebook breaks long lines within words."""

    def _render_traceback_(self) -> list[str]:
        return textwrap.wrap(str(self), _COLUMNS, break_long_words=False, break_on_hyphens=False)


class Todo(_Plain, NotImplementedError):  # noqa: N818
    """An exercise's function was called and is not written yet.

    Args:
        name: of the exercise, "frames.pixels_to_cells".
    """

    def __str__(self) -> str:
        return f"Todo: {self.args[0]} is still to do. Replace the line that starts with `raise` by your solution."


class Wrong(_Plain, AssertionError):  # noqa: N818
    """A check failed; the message is the diagnosis.

    Args:
        message: one paragraph.
        coal: the name of the mistake that was recognised, "" if none was.
    """

    def __init__(self, message: str, coal: str = "") -> None:
        super().__init__(message)
        self.coal = coal
