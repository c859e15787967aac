"""An exercise recognises mistakes: a misconception is a wrong function whose docstring is its diagnosis."""

import inspect
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from posecourse import seeding
from posecourse.lesson import progress
from posecourse.lesson.errors import Wrong
from posecourse.lesson.outcome import observe, shown, unlike

__all__ = ["Exercise"]


@dataclass
class Exercise:
    """One function that the student writes, with the mistakes that we know.

    A function is accepted if it does what the reference does on every input: same values, same gradients, same
    arguments edited, same kind of error. It is diagnosed if it does what a coal does on every input.

    Args:
        reference: the right function; the exercise bears its name.
        probe: yields the inputs, tuples of arguments, from a generator; defined in the topic's module.
        coals: wrong functions. Each docstring is the diagnosis: what was observed, what it suggests, where to look.
        tolerance: the largest difference that is let pass, relative to the largest expected number of an input.
    """

    reference: Callable[..., Any]
    probe: Callable[[torch.Generator], Iterable[tuple[Any, ...]]]
    coals: Sequence[Callable[..., Any]]
    tolerance: float = 1e-4
    _passed: Callable[..., Any] | None = field(default=None, init=False, repr=False)

    @property
    def name(self) -> str:
        """The exercise's full name, "frames.pixels_to_cells": its topic's module, its function."""
        return f"{self.probe.__module__.rpartition('.')[2]}.{self.reference.__name__}"

    def check(self, function: Any, *, seed: int | None = None) -> None:
        """Say that `function` is right, or raise with the diagnosis.

        Args:
            function: the student's; whatever is given is judged, even what cannot be called.
            seed: of the inputs; fresh ones each time if not given.

        Raises:
            Wrong: it differs from the reference; the message says how.
            Todo: it is not written yet.
        """
        seed = secrets.randbelow(10_000) if seed is None else seed
        inputs = sorted(self.probe(seeding.generator(seed)), key=_amount)  # the first difference is the smallest
        got = [observe(function, arguments) for arguments in inputs]
        names = list(inspect.signature(self.reference).parameters)
        differences = [
            unlike(observe(self.reference, arguments), outcome, self.tolerance, names)
            for arguments, outcome in zip(inputs, got, strict=True)
        ]
        wrong = [index for index, difference in enumerate(differences) if difference]
        if not wrong:
            self._passed = function
            print(f"✓ {self.reference.__name__}: right on all {len(inputs)} inputs.")
            progress.record("verdict", exercise=self.name, passed=True, coal="", seed=seed)
            return
        coal = next((coal for coal in self.coals if self._alike(coal, inputs, got)), None)
        example = _example(names, inputs[wrong[0]], differences[wrong[0]])
        message = f"✗ {self.reference.__name__}: {_diagnosis(coal, len(wrong), len(inputs))} {example}"
        if coal is None:
            message += f" To see the same inputs again, give the check `seed={seed}`."
        name = getattr(coal, "__name__", "")
        progress.record("verdict", exercise=self.name, passed=False, coal=name, seed=seed)
        raise Wrong(message, name)

    def best(self) -> Callable[..., Any]:
        """Return the last function that passed its check, else the reference, and say which."""
        yours = self._passed is not None
        print(f"From here on {self.reference.__name__} is {'yours' if yours else 'ours: yours has not passed yet'}.")
        return self._passed or self.reference

    def _alike(self, coal: Callable[..., Any], inputs: Sequence[tuple[Any, ...]], got: Sequence[Any]) -> bool:
        """Whether the coal does on every input what was observed."""
        pairs = zip(inputs, got, strict=True)
        return not any(unlike(observe(coal, arguments), outcome, self.tolerance) for arguments, outcome in pairs)


def _diagnosis(coal: Callable[..., Any] | None, wrong: int, inputs: int) -> str:
    if coal is not None:
        return " ".join((inspect.getdoc(coal) or "").split())
    where = "on every input" if wrong == inputs else f"on {wrong} of {inputs} inputs"
    return f"wrong {where}, in a way that is not recognised."


def _example(names: Sequence[str], arguments: Sequence[Any], difference: str) -> str:
    given = ", ".join(f"{name} = {shown(value)}" for name, value in zip(names, arguments, strict=False))
    return f"With {given}, {difference}."


def _amount(arguments: Sequence[Any]) -> int:
    """Return how many numbers there are to read in the arguments."""
    return sum(argument.numel() for argument in arguments if isinstance(argument, Tensor))
