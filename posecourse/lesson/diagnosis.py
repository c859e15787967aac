"""What a check says of a mistake that is no exercise's own: an error, the wrong kind of answer, an edited argument."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from posecourse.lesson.difference import Difference, Rank, compare, shown
from posecourse.lesson.outcome import Outcome

__all__ = ["Case", "explained"]

_SINGLE = 1e-4  # how closely numbers agree that were computed in single precision on one side only
_SINGLE_INSIDE = 1e-5  # the same where the answer is float64 again: as closely as float32 answers are compared

_NOT_EDITED = (
    "the values are right, but not what becomes of the arguments. {} The caller goes on with the very object that was "
    "passed in: change that one, not a copy of it."
)
_LEFT_OTHERWISE = (
    "the values are right, but not what is left behind. {} The caller goes on with it: look at what happens to it "
    "beside what the task asks for, before the first value and after the last."
)
_ANY_AXES = (
    "Any number of axes may come first, so count from the right: `H, W = x.shape[-2:]`, `x[..., 0]`, `dim=-1`, and "
    "unpack no others."
)
_OVERWRITTEN = (
    "the values are right, but not what becomes of the arguments. {} `+=`, `*=` and functions whose name ends in `_` "
    "edit the caller's own; `x = x + 1` makes a new one."
)
_UNSTEADY = (
    "the values are right, but only the first time. {} Look for what is left over from the call before, or for chance."
)
_NO_GRADIENT = (
    "the values are right, and training through them would go wrong. {} `.detach()`, `.item()`, NumPy, `no_grad` and "
    "rounding cut a gradient. A constant, such as `torch.tensor(0.0)` or a Python number, never had one, and "
    "`backward()` refuses it: let even a 0 be computed from the arguments."
)
_NAN_GRADIENT = (
    "the values are right, and training through them would go wrong. {} On the way back, what was left out is "
    "multiplied by 0, and 0 · NaN is NaN, as is 0 · ∞: put a harmless number in *before* anything is computed with it, "
    "not after."
)
_OTHER_GRADIENT = (
    "the values are right, and training through them would go wrong. {} The way back is another one, or a part of it "
    "is missing: look for what passes through `.detach()`, `.item()`, `no_grad`, rounding or clamping."
)


@dataclass(frozen=True)
class Case:
    """Everything that a check has seen.

    Args:
        names: of the arguments.
        inputs: the arguments of each call, the smallest first.
        expected: what the reference did with each.
        got: what the student's function did with each.
        wrong: by input, how it differs.
        again: the call that shows the same inputs again.
    """

    names: Sequence[str]
    inputs: Sequence[tuple[Any, ...]]
    expected: Sequence[Outcome]
    got: Sequence[Outcome]
    wrong: Mapping[int, Difference]
    again: str

    @property
    def shows(self) -> int:
        """The smallest input that shows the gravest difference."""
        return min(self.wrong, key=lambda index: (self.wrong[index].rank, index))

    @property
    def gravest(self) -> Difference:
        """The difference that is said."""
        return self.wrong[self.shows]


def explained(case: Case, coal: Callable[..., Any] | None, coal_edits: bool) -> str:
    """Return one paragraph: what is wrong, what that suggests, an example.

    Args:
        case: what was seen.
        coal: the known mistake, if it is one.
        coal_edits: whether the coal itself edits arguments, so that its docstring says so.
    """
    if coal is not None:
        also = "" if coal_edits else _also_edits(case)
        return f"{_docstring(coal)}{also} {_example(case)}"
    if case.gravest.rank is Rank.EDITS:
        return _on_edits(case).format(_example(case))
    if case.gravest.rank is Rank.STEADINESS:
        return _UNSTEADY.format(_example(case))
    if case.gravest.rank is Rank.GRADIENT:
        return _on_gradient(case).format(_example(case))
    if advice := _for_one_only(case):
        return f"{advice} {_example(case)}"
    if case.got[case.shows].error:
        words = case.gravest.words
        given = _given(case).replace("With", "That was with")
        return " ".join(part for part in (f"{words.removesuffix('.')}. {given}.", _stumbled(words)) if part)
    if advice := _converted(case) or _all_whole(case) or _single_inside(case):
        return f"{_example(case)} {advice}"
    if case.gravest.rank is Rank.KIND:
        return _example(case)
    every = len(case.wrong) == len(case.inputs)
    where = "on every input" if every else f"on {len(case.wrong)} of {len(case.inputs)} inputs"
    return (
        f"wrong {where}, in a way that is not recognised. {_example(case)} To see the first of the same inputs, "
        f"`print` it inside your function, and put this into a new cell: {case.again}"
    )


def _docstring(coal: Callable[..., Any]) -> str:
    return " ".join((inspect.getdoc(coal) or "").split())


def _given(case: Case) -> str:
    pairs = zip(case.names, case.inputs[case.shows], strict=False)
    return "With " + ", ".join(f"{name} = {shown(value)}" for name, value in pairs)


def _example(case: Case) -> str:
    words = case.gravest.words
    return f"{_given(case)}, {words}{'' if words.endswith('.') else '.'}"


def _also_edits(case: Case) -> str:
    """Say which arguments are overwritten besides."""
    pairs = zip(case.expected, case.got, strict=True)
    places = sorted({place for want, have in pairs for place in have.edited if place not in want.edited})
    if not places:
        return ""
    names = " and ".join(case.names[place] for place in places)
    return f" Besides, your function overwrites its argument {names}: look for `+=`, `*=` and names that end in `_`."


def _on_edits(case: Case) -> str:
    """Choose the advice on an argument: it should have stayed, it should have changed, or it has changed otherwise."""
    want, have = set(case.expected[case.shows].edited), set(case.got[case.shows].edited)
    if have - want:
        return _OVERWRITTEN
    return _NOT_EDITED if want - have else _LEFT_OTHERWISE


def _on_gradient(case: Case) -> str:
    """Choose the advice on a gradient: there is none, it is not a number, or it is another one."""
    got = case.got[case.shows]
    pairs = list(zip(case.expected[case.shows].gradients, got.gradients, strict=False))
    if not got.trains or any(want.any() and not have.any() for want, have in pairs):
        return _NO_GRADIENT
    broken = any((want.isfinite() & ~have.isfinite()).any() for want, have in pairs)
    return _NAN_GRADIENT if broken else _OTHER_GRADIENT


def _stumbled(words: str) -> str:
    """Say what an error means that has the same cause in nearly every answer."""
    signs = ("values to unpack", "for dimension 0 with size 1", "too many indices")  # `x[1]`, `x[:, 0]`: the last axis
    if any(sign in words for sign in signs):
        return _ANY_AXES
    if "list_iterator" in words:
        return "What can be gone through once, with `for`, has no length and no places: `enumerate` counts on the way."
    return ""


def _for_one_only(case: Case) -> str:
    """Say that leading axes are what a function does not expect: it is right where there are fewest, and only there."""
    places = [i for i, argument in enumerate(case.inputs[0]) if isinstance(argument, Tensor)]
    if not places or case.gravest.rank > Rank.KIND:
        return ""
    axes = [arguments[places[0]].ndim for arguments in case.inputs]
    fewest = [index for index, count in enumerate(axes) if count == min(axes)]
    if set(case.wrong) != set(range(len(axes))) - set(fewest):
        return ""
    name = case.names[places[0]]
    good, bad = (tuple(case.inputs[index][places[0]].shape) for index in (fewest[0], case.shows))
    return (
        f"it works for {name} of shape {good} only, and not for shape {bad}. Any number of axes may come first: "
        f"count from the right: `{name}[..., 0]` in the place of `{name}[0]` or of unpacking, `dim=-1` of `dim=0`. "
        f"An axis that a sum has removed comes back with `keepdim=True` or `[..., None]`."
    )


def _converted(case: Case) -> str:
    """Say how an answer of the wrong kind becomes a tensor, or why it is one of whole numbers."""
    want, have = case.expected[case.shows].value, case.got[case.shows].value
    if have is None:
        return "Is there a `return`?"
    if isinstance(want, tuple | list) and isinstance(have, tuple | list) and len(want) == len(have):
        advice = (_conversion(w, h) for w, h in zip(want, have, strict=True))
        return next((words for words in advice if words), "")
    return _conversion(want, have)


def _conversion(want: Any, have: Any) -> str:
    """Say how one part of an answer becomes what it should be."""
    if isinstance(want, float | int) and isinstance(have, Tensor):
        return "A loss that goes into a list is a number, without the graph that it came from: `.item()` makes it one."
    if not isinstance(want, Tensor):
        return ""
    if isinstance(have, tuple | list):
        return "Make one tensor of it: `torch.stack(…, dim=-1)` does so with tensors, `torch.tensor(…)` with numbers."
    if isinstance(have, np.ndarray):
        return "Make a tensor of it with `torch.from_numpy(…)`, or use PyTorch's operations, which need no conversion."
    if isinstance(have, Tensor) and want.is_floating_point() and have.dtype in (torch.int64, torch.int32):
        return "These are whole numbers, which drop what is behind the point: look for `.long()`, `.int()` or `int`."
    if isinstance(have, Tensor) and have.is_floating_point() and have.dtype != want.dtype:
        right = compare(want.float(), have.float(), _SINGLE) is None
        return (
            f"{'The values are right, in' if right else 'This is'} another precision than the argument's: look for "
            "`.float()`, `.double()`, or a new tensor without `dtype=x.dtype`, which is float32."
        )
    return ""


def _all_whole(case: Case) -> str:
    """Say that a function answers in whole numbers only."""
    pairs = [(want.value, have.value) for want, have in zip(case.expected, case.got, strict=True)]
    if not all(isinstance(value, Tensor) and value.is_floating_point() for pair in pairs for value in pair):
        return ""
    if all(have.equal(have.round()) for _, have in pairs) and not all(want.equal(want.round()) for want, _ in pairs):
        return "Every answer is a whole number: look for `round`, `floor`, `ceil`, `//` or `int`."
    return ""


def _single_inside(case: Case) -> str:
    """Say that float64 inputs, and only they, get an answer that is right to seven digits and not to more."""
    pairs = [(case.expected[index].value, case.got[index].value) for index in case.wrong]
    for want, have in pairs:
        both = isinstance(want, Tensor) and isinstance(have, Tensor) and want.dtype == have.dtype == torch.float64
        if not both or compare(want, have, _SINGLE_INSIDE):
            return ""
    return (
        "The values are right to six or seven digits, and float64 has sixteen. Either something on the way is float32, "
        "such as `torch.tensor(1.4)` without `dtype=x.dtype`, `torch.zeros(…)` or `.float()`; or a small number, such "
        "as 1e-8, was added against a division by zero."
    )
