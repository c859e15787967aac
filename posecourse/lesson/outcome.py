"""What a function does with its arguments, so that two functions can be told apart by it alone."""

import contextlib
import copy
import functools
import inspect
import io
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from posecourse.lesson.difference import ONE_PASS, Difference, Rank, compare
from posecourse.lesson.errors import Todo

__all__ = ["Outcome", "observe", "unlike"]

_SLOPE = 1e-4  # how closely gradients agree, which add up the rounding of many numbers


@dataclass(frozen=True)
class Outcome:
    """What one call did.

    Args:
        value: what it returned, detached and copied.
        gradients: of a fixed weighted sum of the value, for each floating tensor among the arguments; no gradient
            counts as zero. Empty where nobody asked.
        trains: whether the value hangs on a graph at all. A constant does not: its gradient would be zero, and
            `backward` refuses it. False where nobody asked.
        edited: which arguments it changed.
        networks: the networks among the arguments, as it left them.
        error: what it raised, "ZeroDivisionError: …", or "".
        where: the line that raised it, "line 4: `x / 0`"; "" where the call itself failed.
        steady: whether a second call with the same arguments returned the same.
    """

    value: Any = None
    gradients: tuple[Tensor, ...] = ()
    trains: bool = False
    edited: tuple[int, ...] = ()
    networks: tuple[nn.Module, ...] = ()
    error: str = ""
    where: str = ""
    steady: bool = True


def observe(
    function: Any,
    arguments: Sequence[Any],
    *,
    gradients: bool = False,
    muted: bool = True,
    use: Callable[..., Any] | None = None,
) -> Outcome:
    """Call `function` on copies of the arguments, then once more, for its gradients or for its steadiness alone.

    Args:
        function: whatever can be called.
        arguments: stay as they are.
        gradients: whether to ask for them.
        muted: whether the first call prints nothing; the second never does, nor does it warn.
        use: what is called with the function and the arguments in the place of the function, and once: whether the
            function is steady and what it edits is for it to say.

    Raises:
        Todo: the function, or one that it calls, is not written yet.
    """
    own = [_copied(argument) for argument in arguments]
    called = function if use is None else functools.partial(use, function)
    try:
        with _muted() if muted else contextlib.nullcontext():
            value = _copied(called(*own))
    except (KeyboardInterrupt, Todo):
        raise
    except BaseException as error:  # whatever a student's code raises, SystemExit too, is an outcome
        return Outcome(error=f"{type(error).__name__}: {error}".rstrip(": "), where=_where(error, function, use))
    if use is not None:
        return Outcome(value)
    pairs = enumerate(zip(arguments, own, strict=True))
    edited = tuple(i for i, (before, after) in pairs if compare(before, after, 0.0))
    networks = tuple(after for after in own if isinstance(after, nn.Module))
    with _muted(), warnings.catch_warnings(action="ignore"):
        again, slopes, trains = (_differentiated if gradients else _repeated)(function, arguments, value)
    return Outcome(value, slopes, trains, edited, networks, steady=compare(value, again) is None)


def unlike(
    expected: Outcome, got: Outcome, tolerance: float | None = None, names: Sequence[str] = ()
) -> Difference | None:
    """Return the gravest difference between two outcomes, or None where there is none.

    Args:
        expected: what should have happened.
        got: what happened.
        tolerance: the largest relative difference that is let pass; that of the number type if not given.
        names: of the arguments, for the words.
    """
    kinds = [outcome.error.partition(":")[0] for outcome in (expected, got)]
    if kinds[0] != kinds[1]:
        return Difference(
            Rank.ERROR, _stopped(got, names) if got.error else f"it does not raise {kinds[0]}, and should"
        )
    if different := compare(expected.value, got.value, tolerance):
        return different
    if expected.edited != got.edited:
        return Difference(Rank.EDITS, _edited(expected.edited, got.edited, names))
    for want_net, have_net in zip(expected.networks, got.networks, strict=False):
        if different := compare(want_net, have_net, tolerance):
            return Difference(Rank.EDITS, f"after your function, {different.words}")
    if expected.steady and not got.steady:
        return Difference(Rank.STEADINESS, "it answers the same question differently when asked again")
    if expected.trains and not got.trains:
        return Difference(Rank.GRADIENT, "no gradient comes through")
    for want, have in zip(expected.gradients, got.gradients, strict=False):
        if different := compare(want, have, _SLOPE):
            return Difference(Rank.GRADIENT, _cut_off(want, have) or f"of the gradient, {different.words}")
    return None


def _stopped(got: Outcome, names: Sequence[str]) -> str:
    if got.where:
        return f"your function stops at {got.where}: {got.error}"
    return f"your function cannot be called with {' and '.join(names) or 'these arguments'}: {got.error}"


def _edited(expected: Sequence[int], got: Sequence[int], names: Sequence[str]) -> str:
    def named(places: Iterator[int]) -> str:
        return " and ".join(names[i] if names else f"argument {i}" for i in places)

    if more := named(i for i in got if i not in expected):
        return f"it overwrites its argument {more}"
    return f"it leaves its argument {named(i for i in expected if i not in got)} as it was, and should not"


def _cut_off(want: Tensor, have: Tensor) -> str:
    return "no gradient comes through" if want.any() and not have.any() else ""


def _where(error: BaseException, function: Any, use: Any) -> str:
    """Return the last line of the function's own file, or notebook cell, that an error came through."""
    code, ours = (getattr(inspect.unwrap(called), "__code__", None) for called in (function, use))
    below = list(traceback.extract_tb(error.__traceback__))[1:]  # the first is the call in `observe`
    if ours and not (code and code.co_filename == ours.co_filename):
        below = [frame for frame in below if frame.filename != ours.co_filename]
    frames = [frame for frame in below if code and frame.filename == code.co_filename] or below
    if not frames:
        return ""
    return f"line {frames[-1].lineno}" + (f": `{frames[-1].line}`" if frames[-1].line else "")


@contextlib.contextmanager
def _muted() -> Iterator[None]:
    """Print nothing: one call's prints help to find a mistake, ten calls' bury the diagnosis."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield


class _Again(NamedTuple):
    """The value of a second call, its gradients, and whether it hangs on a graph."""

    value: Any
    gradients: tuple[Tensor, ...] = ()
    trains: bool = False


def _repeated(function: Any, arguments: Sequence[Any], _: Any) -> _Again:
    """Call again; what is raised only the second time is returned, and unlike any value."""
    try:
        return _Again(_copied(function(*map(_copied, arguments))))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return _Again(error)


def _differentiated(function: Any, arguments: Sequence[Any], fallback: Any) -> _Again:
    """Call again with gradients on; the value is `fallback` if that fails."""
    own = [_copied(argument) for argument in arguments]
    leaves = [a.requires_grad_() for a in own if isinstance(a, Tensor) and a.is_floating_point()]
    zeros = tuple(torch.zeros_like(leaf) for leaf in leaves)
    try:
        with torch.enable_grad():  # copies of the leaves, or editing in place would raise
            value = function(*(a.clone() if isinstance(a, Tensor) else a for a in own))
            total = _weighted_sum(value)
        if total is None:
            return _Again(_copied(value), zeros)
        gradients = torch.autograd.grad(total, leaves, allow_unused=True)
    except Exception:  # .numpy(), for one, refuses: the value came through, its gradient does not
        return _Again(fallback, zeros)
    slopes = tuple(g if g is not None else z for g, z in zip(gradients, zeros, strict=True))
    return _Again(_copied(value), slopes, trains=True)


def _weighted_sum(value: Any) -> Tensor | None:
    """Return the sum of all tensors that carry a gradient, with unequal weights that are always the same."""
    if isinstance(value, Tensor):
        if not value.requires_grad:
            return None
        weights = torch.randn(value.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        return (value * weights.to(value)).sum()
    parts = [_weighted_sum(part) for part in value] if isinstance(value, tuple | list) else []
    found = [part for part in parts if part is not None]
    return torch.stack([part.double() for part in found]).sum() if found else None


def _copied(value: Any) -> Any:
    """Return `value` with every tensor, array and generator in it copied, and no gradients attached."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, torch.Generator):
        return torch.Generator(value.device).set_state(value.get_state())
    if isinstance(value, nn.Module | ONE_PASS):  # or the second call would train on what the first one left
        return copy.deepcopy(value)
    if isinstance(value, tuple | list):
        parts = [_copied(part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value
