"""A prediction: commit to an answer, see the truth, learn from the distance between them."""

import math
import re
from collections.abc import Sequence
from typing import Any

from posecourse.lesson import progress

__all__ = ["predict", "reveal"]


def predict(name: str, answer: Any, *more: Any, unit: str = "", options: Sequence[str] | None = None) -> None:
    """Record the student's answer before the truth is shown. The first answer is kept, restarts included.

    An answer that comes after `reveal` was run without one is recorded as late: what follows may have been read.

    Args:
        name: "00.mean": the lesson, then what is asked.
        answer: a number, Python's, NumPy's or a tensor's, or one of `options`; `...` while there is none yet.
            Anything else is kindly refused.
        more: what follows a decimal comma, which Python reads as the next argument; refused with a hint.
        unit: of the number.
        options: the answers to choose from.
    """
    answer, kept = (answer, *more) if more else _plain(answer), _first(name)
    if kept is not None:
        later = (
            ""
            if answer is ... or (isinstance(answer, float | int | str) and answer == kept["answer"])
            else " The first answer counts, so it stays."
        )
        print(f"Prediction {name}: {_text(kept['answer'], unit)}.{later}")
    elif answer is ...:
        what = f"one of {', '.join(map(repr, options))}" if options else f"a number{f' in {unit}' if unit else ''}"
        print(f"Prediction {name}: put {what} in the place of the dots. A wrong guess teaches more than none.")
    elif _acceptable(answer, options):
        late = {"late": True} if _was_asked(name) else {}
        progress.record("prediction", name=name, answer=answer, unit=unit, **late)
        how = "Noted as late: its truth was asked for before." if late else "Noted."
        print(f"Prediction {name}: {_text(answer, unit)}. {how}")
    else:
        what = f"one of {', '.join(map(repr, options))}" if options else "a number"
        hint = "" if options else _hint(answer)
        print(f"Prediction {name}: {answer!r} is not {what}.{hint} Nothing is noted yet: try again.")


def reveal(name: str, truth: Any, *, unit: str = "") -> bool:
    """Show the truth beside the prediction and score it: a ratio for a number, right or wrong for an option.

    Without a prediction the truth is kept back: `if reveal(…): claim(…)` keeps the claim back with it. That it was
    asked for is recorded, so a prediction made later is scored, and called late.

    Args:
        name: the prediction's.
        truth: a number, a tensor that holds one, or the right option.
        unit: of the number.

    Returns:
        Whether there was a prediction.
    """
    truth = truth if isinstance(truth, str) else float(truth)
    first = _first(name)
    if first is None:
        if not _was_asked(name):
            progress.record("asked", name=name)
        print(f"{name}: predict first. Commit to an answer in the cell above, run it, and come back: it pays.")
        return False
    answer, late = first["answer"], first.get("late") is True
    score = _ratio(answer, truth) if isinstance(truth, float) and isinstance(answer, float | int) else None
    right = answer == truth if score is None else score <= 1.1
    progress.record("score", name=name, answer=answer, truth=truth, right=right, **({"late": True} if late else {}))
    said = f"{_text(answer, unit)}{' (late)' if late else ''}"
    print(f"{name}: you said {said}, it is {_text(truth, unit)}. {_verdict(answer, truth, right, score)}")
    return True


def _verdict(answer: Any, truth: Any, right: bool, score: float | None) -> str:
    if right:
        return "Well seen."
    if score is None:
        return "A surprise worth keeping."
    if not math.isfinite(score):
        return f"Off by {abs(answer - truth):.3g}."
    size = "The right order of magnitude" if score <= 3 else "A surprise worth keeping"
    return f"{size}: {score:.3g} times too {'large' if abs(answer) > abs(truth) else 'small'}."


def _ratio(answer: float, truth: float) -> float:
    """Return how many times too large or too small, at least 1; infinite where signs differ or one is zero."""
    if answer == truth:
        return 1.0
    ratio = answer / truth if truth else 0.0
    return max(ratio, 1 / ratio) if ratio > 0 else math.inf


def _plain(answer: Any) -> Any:
    """Return Python's own number or text for NumPy's and for a tensor without axes."""
    return answer.item() if getattr(answer, "ndim", None) == 0 else answer


def _acceptable(answer: Any, options: Sequence[str] | None) -> bool:
    if options is not None:
        return isinstance(answer, str) and answer in list(options)
    return isinstance(answer, float | int) and not isinstance(answer, bool) and math.isfinite(answer)


def _hint(answer: Any) -> str:
    """Return what was probably meant: Python reads a decimal comma as two numbers."""
    if isinstance(answer, tuple) and len(answer) == 2 and all(type(part) is int for part in answer):
        return f" For {answer[0]} and a fraction write a point: {answer[0]}.{answer[1]}."
    if isinstance(answer, str) and re.fullmatch(r"[+-]?\d+([.,]\d+)?", answer.strip()):
        return f" Write it without quotes: {answer.strip().replace(',', '.')}."
    return ""


def _first(name: str) -> dict[str, Any] | None:
    """Return the record of the first answer."""
    mine = (entry for entry in progress.records("prediction") if entry.get("name") == name)
    return next((entry for entry in mine if isinstance(entry.get("answer"), float | int | str)), None)


def _was_asked(name: str) -> bool:
    """Return whether the truth was asked for while there was no prediction."""
    return any(entry.get("name") == name for entry in progress.records("asked"))


def _text(answer: Any, unit: str) -> str:
    return answer if isinstance(answer, str) else f"{answer:.4g} {unit}".rstrip()
