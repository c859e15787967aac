"""An exercise recognises mistakes: a misconception is a wrong function whose docstring is its diagnosis."""

import functools
import inspect
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from posecourse import seeding
from posecourse.lesson import progress
from posecourse.lesson.diagnosis import Case, explained
from posecourse.lesson.difference import Difference, Rank, kind_of
from posecourse.lesson.errors import Wrong
from posecourse.lesson.outcome import Outcome, observe, unlike

__all__ = ["Exercise"]


@dataclass
class Exercise:
    """One function that the student writes, with the mistakes that we know.

    A function is accepted if it does what the reference does on every input: same values, same arguments edited, same
    kind of error, and the same gradients where they were asked for. It is diagnosed if it does what a coal does on
    every input; a wrong value is a coal's even if an argument is edited besides.

    Args:
        reference: the right function; the exercise bears its name.
        probe: yields the inputs, tuples of arguments, from a generator; defined in the topic's module.
        coals: wrong functions. Each docstring is the diagnosis: what was observed, what it suggests, where to look.
        tolerance: the largest relative difference that is let pass; that of the number type if not given.
        gradients: whether the function is one to train through, so that its gradients count; its docstring says so.
        use: what is done with a function whose answers cannot be compared as they are, such as draws: it takes the
            function and the arguments, and returns an `Account`, or the answer itself where that is of no use.
    """

    reference: Callable[..., Any]
    probe: Callable[[torch.Generator], Iterable[tuple[Any, ...]]]
    coals: Sequence[Callable[..., Any]]
    tolerance: float | None = None
    gradients: bool = False
    use: Callable[..., Any] | None = None
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
            Wrong: it differs from the reference, or is the reference; the message says how.
            Todo: it is not written yet.
        """
        self._refuse_what_is_no_answer(function)
        seed = secrets.randbelow(10_000) if seed is None else seed
        inputs = sorted(self.probe(seeding.generator(seed)), key=_amount)
        case = self._tried(function, inputs, seed)
        coal = self._coal(case) if case.wrong else None
        name = getattr(coal, "__name__", "")
        progress.record("verdict", exercise=self.name, passed=not case.wrong, coal=name, seed=seed)
        if case.wrong:
            coal_edits = coal is not None and any(self._seen(coal, arguments).edited for arguments in inputs)
            raise Wrong(f"✗ {self.reference.__name__}: {explained(case, coal, coal_edits)}", name)
        self._passed = function
        print(f"✓ {self.reference.__name__}: right on all {len(inputs)} inputs.")

    def best(self) -> Callable[..., Any]:
        """Return the last function that passed its check, else the reference, and say which."""
        yours = self._passed is not None
        print(f"From here on {self.reference.__name__} is {'yours' if yours else 'ours: yours has not passed yet'}.")
        return self._passed or self.reference

    def _refuse_what_is_no_answer(self, function: Any) -> None:
        """Refuse our own function, which `best` may have given the student's name, and what is no function."""
        name = self.reference.__name__
        if not callable(function):
            raise Wrong(
                f"✗ {name}: this is {kind_of(function)}, not a function. Give the function itself, not what a call of "
                f"it returns: {self._call(name)}"
            )
        if _innermost(function) is _innermost(self.reference):
            raise Wrong(
                f"✗ {name}: this is our function, not yours. Run the cell with your function first, then this one."
            )

    def _tried(self, function: Callable[..., Any], inputs: Sequence[tuple[Any, ...]], seed: int) -> Case:
        """Run a function and the reference on all inputs; only the first call is heard."""
        names = list(inspect.signature(self.reference).parameters)
        got = [self._seen(function, arguments, muted=index > 0) for index, arguments in enumerate(inputs)]
        expected = [self._seen(self.reference, arguments) for arguments in inputs]
        pairs = enumerate(zip(expected, got, strict=True))
        found = {index: unlike(want, have, self.tolerance, names) for index, (want, have) in pairs}
        wrong = {index: difference for index, difference in found.items() if difference}
        own = getattr(function, "__name__", "")
        again = self._call(own if own.isidentifier() else self.reference.__name__, f", seed={seed}")
        return Case(names, inputs, expected, got, wrong, again)

    def _seen(self, function: Callable[..., Any], arguments: tuple[Any, ...], *, muted: bool = True) -> Outcome:
        return observe(function, arguments, gradients=self.gradients, muted=muted, use=self.use)

    def _coal(self, case: Case) -> Callable[..., Any] | None:
        """Return the coal that does on every input what was seen, or at least, where values are wrong, gives them."""
        later = []
        for coal in self.coals:
            differences = self._differences(coal, case)
            first = next(differences, None)
            if first is None:
                return coal
            beside = case.gravest.rank <= Rank.VALUE < first.rank
            if beside and all(difference.rank > Rank.VALUE for difference in differences):
                later.append(coal)
        return later[0] if later else None

    def _differences(self, coal: Callable[..., Any], case: Case) -> Iterator[Difference]:
        """Yield how a coal differs from what was seen, one input after the other: most coals differ on the first."""
        for arguments, have in zip(case.inputs, case.got, strict=True):
            if difference := unlike(self._seen(coal, arguments), have, self.tolerance):
                yield difference

    def _call(self, function: str, more: str = "") -> str:
        return f"checks.{self.name}.check({function}{more})"


def _innermost(function: Any) -> Any:
    """Return what a function wraps, through `functools.wraps` and `functools.partial`."""
    function = inspect.unwrap(function)
    return _innermost(function.func) if isinstance(function, functools.partial) else function


def _amount(arguments: Sequence[Any]) -> int:
    """Return how many numbers there are to read in the arguments."""
    return sum(argument.numel() for argument in arguments if isinstance(argument, Tensor))
