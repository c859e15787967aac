"""A claim: theory beside measurement, and an assertion that holds both."""

from typing import Any

__all__ = ["claim"]


def claim(
    name: str, statement: str, measured: Any, *, between: tuple[float, float], theory: Any = None, unit: str = ""
) -> None:
    """Print theory beside measurement and assert that the measurement lies where the statement says.

    One line, the unit once, so that it fits a notebook's width.

    Args:
        name: "00.rms": the lesson, then what it is. Prose that states the number carries it in a comment.
        statement: what is claimed, in a few words.
        measured: a number, or a tensor that holds one.
        between: the least and the largest value with which the statement holds, both included.
        theory: what theory says, where it says a number.
        unit: of all these numbers.

    Raises:
        AssertionError: the measurement lies outside; so does NaN.
        ValueError: `between` is not (low, high).
    """
    low, high = between
    if not low <= high:
        raise ValueError(f"between must be (low, high) with low <= high; got {between}.")
    value = float(measured)
    expected = "" if theory is None else f"theory {float(theory):.4g}, "
    bounds = f"between {low:.6g} and {high:.6g} {unit}".rstrip()
    text = f"{statement}: {expected}{bounds}, measured {value:.4g}"
    if not low <= value <= high:
        raise AssertionError(f"✗ {name} does not hold. {text}")
    print(f"✓ {name} {text}")
