"""One thing that was looked at: what it is, and what to do if it is wrong."""

from dataclasses import dataclass

__all__ = ["Finding"]


@dataclass(frozen=True)
class Finding:
    """What was found under one heading.

    Args:
        name: the heading, one or two words.
        what: what was found there.
        fix: what to do about it; empty where nothing need be done.
    """

    name: str
    what: str
    fix: str = ""

    @property
    def is_fine(self) -> bool:
        """Whether nothing need be done."""
        return not self.fix

    def __str__(self) -> str:
        mark, todo = ("✓", "") if self.is_fine else ("✗", f"\n    What to do: {self.fix}")
        return f"{mark} {self.name:<12} {self.what}{todo}"
