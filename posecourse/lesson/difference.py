"""How one value differs from another, in words, whatever the two values are."""

import functools
import math
import operator
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["ONE_PASS", "Account", "Difference", "Rank", "compare", "kind_of", "shown"]

ONE_PASS: type = type(iter([]))  # a list's iterator: the only one-pass iterable that can be copied

_USUAL = ("torch.strided", "cpu")  # what goes without saying of a tensor
_RELATIVE = {torch.float16: 1e-2, torch.bfloat16: 2e-2, torch.float32: 1e-5, torch.float64: 1e-7}


class Rank(IntEnum):
    """What a difference is about; what comes first is said first, whichever input shows it."""

    ERROR = 0
    KIND = 1
    VALUE = 2
    EDITS = 3
    STEADINESS = 4
    GRADIENT = 5


class Difference(NamedTuple):
    """One difference, as the end of a sentence that begins with the arguments.

    Args:
        rank: what it is about.
        words: "it gives 3 where 4 is expected".
    """

    rank: Rank
    words: str


@dataclass(frozen=True)
class Account:
    """What was seen of an answer that cannot be compared itself: of draws, or of a context manager.

    Args:
        kind: what sort of value it is, "a context manager".
        words: what it does, as the end of a sentence that begins with the arguments.
    """

    kind: str
    words: str


def compare(expected: Any, got: Any, tolerance: float | None = None) -> Difference | None:
    """Return the first and gravest difference between two values, or None where they are alike.

    Kinds are compared before contents, so that whatever a student returns can be named.

    Args:
        expected: what should have been returned.
        got: what was returned.
        tolerance: the largest relative difference that is let pass; that of the number type if not given: 1e-5 for
            float32 and Python's numbers, 1e-7 for float64, none for integers.
    """
    try:
        return _compared(expected, got, tolerance)
    except Exception:  # what does not even compare is of another kind
        return _other_kind(expected, got)


def kind_of(value: Any) -> str:
    """Return what sort of value it is, in words."""
    if isinstance(value, Account):
        return value.kind
    if isinstance(value, Tensor):
        odd = [str(what).removeprefix("torch.") for what in (value.layout, value.device) if str(what) not in _USUAL]
        return _a(" ".join([*odd, str(value.dtype).removeprefix("torch."), f"tensor of shape {tuple(value.shape)}"]))
    if isinstance(value, np.ndarray):
        return _a(f"{value.dtype} NumPy array of shape {value.shape}")
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return f"a {'pair' if len(value) == 2 else 'tuple'} ({', '.join(value._fields)})"
    if isinstance(value, tuple | list):
        return _a(f"{type(value).__name__} of {len(value)}")
    if isinstance(value, ONE_PASS):
        return f"an iterator over {operator.length_hint(value)} items"
    return "None" if value is None else _a(type(value).__name__)


def shown(value: Any, digits: int = 4) -> str:
    """Return a short text for a value: its numbers where there are few, else what sort it is."""
    if isinstance(value, Tensor | np.ndarray):
        return str(_rounded(value.tolist(), digits)) if math.prod(value.shape) <= 6 else kind_of(value)
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    if isinstance(value, tuple | list) and len(value) <= 6 and all(type(part) in (int, float) for part in value):
        return str(type(value)(_rounded([*value], digits)))
    if isinstance(value, int | str):
        text = repr(value)
        return text if len(text) <= 60 else f"{text[:57]}..."
    return kind_of(value)


def _compared(expected: Any, got: Any, tolerance: float | None) -> Difference | None:
    if isinstance(expected, torch.Generator | ONE_PASS):
        return None
    if isinstance(expected, nn.Module):
        return _compared_networks(expected, got, tolerance)
    if isinstance(expected, tuple | list):
        return _compared_parts(expected, got, tolerance)
    if type(expected) in (int, float) and _is_number(got):
        return _compared_numbers(torch.tensor(float(expected)), torch.tensor(float(got)), tolerance)
    if kind_of(expected) != kind_of(got):
        return _other_kind(expected, got)
    if isinstance(expected, Account) and isinstance(got, Account):
        return None if expected == got else Difference(Rank.VALUE, got.words)
    if isinstance(expected, Tensor | np.ndarray):
        return _compared_numbers(expected, got, tolerance)
    same = type(expected) is type(got) and bool(expected == got)
    return None if same else Difference(Rank.VALUE, f"it returns {shown(got)} where {shown(expected)} is expected")


def _compared_parts(expected: Any, got: Any, tolerance: float | None) -> Difference | None:
    """Compare part by part. A list does for a tuple, but no tuple for a list, and no tensor for a number in it."""
    kinds = (tuple, list) if isinstance(expected, tuple) else (list,)
    if not isinstance(got, kinds) or len(got) != len(expected):
        return _other_kind(expected, got)
    names = [f", {name}," for name in getattr(expected, "_fields", ())] or [""] * len(expected)
    found = []
    for i, (want, have) in enumerate(zip(expected, got, strict=True)):
        number_too_heavy = (
            isinstance(expected, list) and isinstance(want, int | float) and isinstance(have, Tensor | np.ndarray)
        )
        if different := _other_kind(want, have) if number_too_heavy else compare(want, have, tolerance):
            found.append(Difference(different.rank, f"in part {i} of its answer{names[i]} {different.words}"))
    return min(found, key=lambda difference: difference.rank, default=None)


def _compared_networks(expected: nn.Module, got: Any, tolerance: float | None) -> Difference | None:
    """Say in which parameter or buffer two networks first differ, or in whether they are in training mode."""
    if not isinstance(got, nn.Module):
        return Difference(Rank.KIND, f"it returns {kind_of(got)} where a network is expected")
    if expected.training != got.training:
        mode = "training" if got.training else "evaluation"
        return Difference(Rank.VALUE, f"the network is in {mode} mode, and should not be")
    have = got.state_dict()
    for name, want in expected.state_dict().items():
        if name not in have or compare(want, have[name], tolerance):
            return Difference(Rank.VALUE, f"the network's {name} is not what it should be")
    return None


def _compared_numbers(expected: Any, got: Any, tolerance: float | None) -> Difference | None:
    """Compare two tensors or two arrays of one kind, number by number."""
    if isinstance(expected, Tensor) and (expected.is_meta or expected.layout is not torch.strided):
        return None  # no reference returns these, and they do not compare
    want, have = torch.as_tensor(expected), torch.as_tensor(got)
    relative = _RELATIVE.get(want.dtype, 0.0) if tolerance is None else tolerance
    want, have = (part.to(torch.complex128 if part.is_complex() else torch.float64) for part in (want, have))
    size = want.abs().nan_to_num(0, 0, 0)  # a small number that is left of large ones has the rounding of these
    allowed = relative * size + relative / 10 * (max(1e-2, float(size.max())) if size.numel() else 0)
    close = (have == want) | ((have - want).abs() <= allowed) | (have.isnan() & want.isnan())
    if close.all():
        return None
    if want.numel() <= 6:
        return Difference(Rank.VALUE, _side_by_side(want, have))
    misses = torch.where(close, 0.0, (have - want).abs().nan_to_num(torch.inf, torch.inf))
    place = [int(i) for i in torch.unravel_index(misses.argmax(), misses.shape)]
    return Difference(Rank.VALUE, f"at {place} {_side_by_side(want[tuple(place)], have[tuple(place)])}")


def _side_by_side(want: Tensor, have: Tensor) -> str:
    """Show two tensors with as many digits as it takes to see that they differ."""
    pairs: Iterator[tuple[str, str]] = ((shown(have, digits), shown(want, digits)) for digits in (4, 6, 9, 17))
    texts = next((pair for pair in pairs if pair[0] != pair[1]), ("something else", "something"))
    return f"it gives {texts[0]} where {texts[1]} is expected"


def _other_kind(expected: Any, got: Any) -> Difference:
    return Difference(Rank.KIND, f"it returns {kind_of(got)} where {kind_of(expected)} is expected")


def _is_number(value: Any) -> bool:
    if isinstance(value, Tensor | np.ndarray):
        return math.prod(value.shape) == 1
    return isinstance(value, int | float | np.number)


def _a(noun: str) -> str:
    return f"{'an' if noun[:1] in 'aeiouAEIO' and not noun.startswith('uint') else 'a'} {noun}"


def _rounded(numbers: Any, digits: int) -> Any:
    if isinstance(numbers, list):
        return [*map(functools.partial(_rounded, digits=digits), numbers)]
    return float(f"{numbers:.{digits}g}") if isinstance(numbers, float) else numbers
