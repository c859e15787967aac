"""What a function does with its arguments, so that two functions can be told apart by it alone."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from posecourse.lesson.errors import Todo

__all__ = ["Outcome", "observe", "shown", "unlike"]


_USUAL = ("torch.strided", "cpu")  # what goes without saying of a tensor


@dataclass(frozen=True)
class Outcome:
    """What one call did.

    Args:
        value: what it returned, detached and copied.
        gradients: of a fixed weighted sum of the value, for each floating tensor among the arguments; no gradient
            counts as zero.
        edited: which arguments it changed.
        error: what it raised, "ZeroDivisionError: …", or "".
        steady: whether a second call with the same arguments returned the same.
    """

    value: Any = None
    gradients: tuple[Tensor, ...] = ()
    edited: tuple[int, ...] = ()
    error: str = ""
    steady: bool = True


def observe(function: Any, arguments: Sequence[Any]) -> Outcome:
    """Call `function` on copies of the arguments, once for its value and once for its gradient.

    Raises:
        Todo: the function, or one that it calls, is not written yet.
    """
    own = [_copied(argument) for argument in arguments]
    try:
        value = _copied(function(*own))
    except (KeyboardInterrupt, Todo):
        raise
    except BaseException as error:  # whatever a student's code raises, SystemExit too, is an outcome
        return Outcome(error=f"{type(error).__name__}: {error}".rstrip(": "))
    edited = tuple(
        i for i, (before, after) in enumerate(zip(arguments, own, strict=True)) if _unlike(before, after, 0.0)
    )
    again, gradients = _differentiated(function, arguments, value)
    return Outcome(value, gradients, edited, steady=not _unlike(value, again, 1e-6))


def unlike(expected: Outcome, got: Outcome, tolerance: float, names: Sequence[str] = ()) -> str:
    """Say in words how `got` first differs from `expected`, or "" where it does not.

    Args:
        expected: what should have happened.
        got: what happened.
        tolerance: the largest difference that is let pass, relative to the largest expected number.
        names: of the arguments, for the words.
    """
    kinds = [outcome.error.partition(":")[0] for outcome in (expected, got)]
    if kinds[0] != kinds[1]:
        return f"it raises {got.error}" if got.error else f"it raises nothing where {kinds[0]} is expected"
    if value := _unlike(expected.value, got.value, tolerance):
        return value
    if expected.edited != got.edited:
        edited = [names[i] if names else f"argument {i}" for i in got.edited]
        return f"its value is right, but it edits its argument {' and '.join(edited) or 'no more'}"
    if expected.steady and not got.steady:
        return "it answers the same question differently when asked again"
    for want, have in zip(expected.gradients, got.gradients, strict=False):
        if different := _unlike(want, have, tolerance):
            if want.any() and not have.any():
                different = "none comes through; `.detach()`, `.item()`, NumPy or rounding cut it"
            return f"its value is right, but not its gradient: {different}"
    return ""


def _differentiated(function: Any, arguments: Sequence[Any], fallback: Any) -> tuple[Any, tuple[Tensor, ...]]:
    """Call again with gradients on; return the value (`fallback` if that fails) and the gradients."""
    own = [_copied(argument) for argument in arguments]
    leaves = [a.requires_grad_() for a in own if isinstance(a, Tensor) and a.is_floating_point()]
    zeros = tuple(torch.zeros_like(leaf) for leaf in leaves)
    try:
        with torch.enable_grad():  # copies of the leaves, or editing in place would raise
            value = function(*(a.clone() if isinstance(a, Tensor) else a for a in own))
            total = _weighted_sum(value)
        if total is None:
            return _copied(value), zeros
        gradients = torch.autograd.grad(total, leaves, allow_unused=True)
    except Exception:  # .numpy(), for one, refuses: the value came through, its gradient does not
        return fallback, zeros
    return _copied(value), tuple(g if g is not None else z for g, z in zip(gradients, zeros, strict=True))


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
    if isinstance(value, nn.Module):  # or the second call would train on what the first one left
        return copy.deepcopy(value)
    if isinstance(value, tuple | list):
        parts = [_copied(part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value


def _unlike(expected: Any, got: Any, tolerance: float) -> str:
    """Say in words how one value first differs from another, or "" where it does not."""
    if isinstance(expected, torch.Generator):
        return ""
    if isinstance(expected, nn.Module):
        return _unlike_networks(expected, got, tolerance)
    if isinstance(expected, tuple | list):
        if not isinstance(got, tuple | list) or len(got) != len(expected):
            return f"it returns {_kind(got)} where {_kind(expected)} is expected"
        parts = (_unlike(e, g, tolerance) for e, g in zip(expected, got, strict=True))
        return next((f"in part {i} of its answer {part}" for i, part in enumerate(parts) if part), "")
    if isinstance(expected, Tensor | np.ndarray) or type(expected) in (int, float):
        return _unlike_numbers(expected, got, tolerance)
    same = type(expected) is type(got) and expected == got
    return "" if same else f"it returns {got!r} where {expected!r} is expected"


def _unlike_networks(expected: nn.Module, got: Any, tolerance: float) -> str:
    """Say in which parameter or buffer two networks first differ, or in whether they are in training mode."""
    if not isinstance(got, nn.Module):
        return f"it returns {_kind(got)} where a network is expected"
    if expected.training != got.training:
        return f"the network is in {'training' if got.training else 'evaluation'} mode, and should not be"
    have = got.state_dict()
    for name, want in expected.state_dict().items():
        if name not in have or _unlike(want, have[name], tolerance):
            return f"the network's {name} is not what it should be"
    return ""


def _unlike_numbers(expected: Any, got: Any, tolerance: float) -> str:
    if type(expected) in (int, float) and isinstance(got, int | float | np.number | Tensor):
        expected, got = (torch.as_tensor(number, dtype=torch.float64) for number in (expected, got))
    if _kind(expected) != _kind(got):
        hint = " (is there a `return`?)" if got is None else ""
        return f"it returns {_kind(got)} where {_kind(expected)} is expected{hint}"
    if isinstance(expected, Tensor) and (expected.is_meta or expected.layout is not torch.strided):
        return ""  # no reference returns these, and they do not compare
    want, have = torch.as_tensor(expected).double(), torch.as_tensor(got).double()
    scale = max(1e-2, float(want.nan_to_num(0, 0, 0).abs().max())) if want.numel() else 0
    close = torch.isclose(have, want, rtol=0, atol=tolerance * scale, equal_nan=True)
    if close.all():
        return ""
    if want.numel() <= 6:
        return f"it gives {shown(have)} where {shown(want)} is expected"
    place = [int(i) for i in (~close).nonzero()[0]]
    return f"at {place} it gives {shown(have[tuple(place)])} where {shown(want[tuple(place)])} is expected"


def _kind(value: Any) -> str:
    """Return what sort of value it is, in words."""
    if isinstance(value, Tensor):
        odd = [str(what).removeprefix("torch.") for what in (value.layout, value.device) if str(what) not in _USUAL]
        return f"a {' '.join([*odd, ''])}{str(value.dtype).removeprefix('torch.')} tensor of shape {tuple(value.shape)}"
    if isinstance(value, np.ndarray):
        return f"a {value.dtype} NumPy array of shape {value.shape}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return "None" if value is None else f"a {type(value).__name__}"


def shown(value: Any) -> str:
    """Return a short text for a value: its numbers where there are few, else what sort it is."""
    if isinstance(value, Tensor | np.ndarray) and np.prod(value.shape) <= 6:
        return str(_rounded(value.tolist()))
    return f"{value:.4g}" if isinstance(value, float) else repr(value) if isinstance(value, int | str) else _kind(value)


def _rounded(numbers: Any) -> Any:
    if isinstance(numbers, list):
        return [_rounded(number) for number in numbers]
    return float(f"{numbers:.4g}") if isinstance(numbers, float) else numbers
