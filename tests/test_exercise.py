"""Exercises: what a check sees, says and remembers, whatever it is given."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from posecourse.lesson import Exercise, Todo, Wrong
from posecourse.lesson.difference import Account


class Pair(NamedTuple):
    """What a decoder returns: a part with a gradient, and one without."""

    doubled: Tensor
    largest: Tensor


def doubled(values: Tensor, factor: float) -> Pair:
    """Multiply, and find the largest."""
    return Pair(values * factor, values.argmax(-1))


def squared(values: Tensor, factor: float) -> Pair:
    """Every answer is squared.

    Look for a power where a product is asked for.
    """
    return Pair(values**2, values.argmax(-1))


def no_gradient(values: Tensor, factor: float) -> Pair:
    """The value is right, and training would stand still.

    Look for `detach`.
    """
    return Pair(values.detach() * factor, values.argmax(-1))


def probe(generator: torch.Generator) -> Iterator[tuple[Tensor, float]]:
    """Yield rows of numbers."""
    for shape in ((5,), (2, 3), (1, 7)):
        yield torch.randn(shape, generator=generator, dtype=torch.float64), 3.0


@pytest.fixture
def exercise() -> Exercise:
    """An exercise that nobody has tried."""
    return Exercise(reference=doubled, probe=probe, coals=[squared, no_gradient], gradients=True)


def message(exercise: Exercise, function: Any) -> str:
    """Return how a function is refused."""
    with pytest.raises(Wrong) as caught:
        exercise.check(function, seed=1)
    return str(caught.value)


def endless(values: Tensor, factor: float) -> Any:
    """Call itself."""
    return endless(values, factor)


def leave(*_: Any) -> None:
    """Ask Python to end."""
    raise SystemExit


def only_without_a_batch(values: Tensor, factor: float) -> Pair:
    """Work on one row."""
    if values.ndim > 1:
        raise IndexError("too many rows")
    return doubled(values, factor)


def edits(values: Tensor, factor: float) -> Pair:
    """Write into the argument after use."""
    answer = doubled(values, factor)
    values.zero_()
    return answer


def at_random(values: Tensor, factor: float) -> Pair:
    """Be right the first time and no other."""
    at_random.calls += 1  # type: ignore[attr-defined]
    return doubled(values, factor * (1 if at_random.calls % 2 else 1 + torch.rand(()).item()))  # type: ignore[attr-defined]


at_random.calls = 0  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda v, f: None, "returns None where a pair (doubled, largest) is expected"),
        (lambda v, f: v * f, "returns a float64 tensor of shape (5,) where a pair (doubled, largest)"),
        (lambda v, f: [(v * f).tolist(), v.argmax(-1)], "in part 0 of its answer, doubled, it returns a list of 5"),
        (lambda v, f: (v.numpy() * f, v.argmax(-1)), "returns a float64 NumPy array of shape (5,)"),
        (lambda v, f: (v.float() * f, v.argmax(-1)), "returns a float32 tensor of shape (5,) where a float64"),
        (lambda v, f: (v.float() * f, v.argmax(-1)), "The values are right, in another precision"),
        (lambda v, f: (v[None] * f, v.argmax(-1)), "returns a float64 tensor of shape (1, 5)"),
        (lambda v, f: ((v * f).to_sparse(), v.argmax(-1)), "returns a sparse_coo float64 tensor of shape (5,)"),
        (lambda v, f: ((v * f).to("meta"), v.argmax(-1)), "returns a meta float64 tensor of shape (5,)"),
        (lambda v, f: (v * f, v.argmax(-1) + 1), "in part 1 of its answer, largest, it gives"),
        (lambda v, f: (v * f * float("nan"), v.argmax(-1)), "gives [nan, nan, nan, nan, nan] where"),
        (
            lambda v, f: (v * f + (v - v.detach()), v.argmax(-1)),
            "the values are right, and training through them would go wrong",
        ),
        (lambda v: v, "your function cannot be called with values and factor: TypeError"),
        (None, "this is None, not a function"),
        (leave, "`raise SystemExit`: SystemExit"),
        (endless, "`return endless(values, factor)`: RecursionError"),
        (edits, "not what becomes of the arguments"),
        (at_random, "the values are right, but only the first time"),
        (only_without_a_batch, "it works for values of shape (5,) only, and not for shape (2, 3)"),
    ],
)
def test_odd_answers_are_described(exercise: Exercise, function: Any, words: str) -> None:
    """Whatever a function does, is it said in words what was seen?"""
    assert words in message(exercise, function)


def test_an_unknown_mistake_is_called_unknown_and_can_be_seen_again(exercise: Exercise) -> None:
    """Does a wrong value that no coal gives come with the call that shows the same inputs again?"""
    said = message(exercise, lambda v, f: Pair(v * f + 1, v.argmax(-1)))
    assert "not recognised" in said
    assert "seed=1" in said


def test_our_own_function_is_no_answer(exercise: Exercise) -> None:
    """Is the reference refused, which `best` may have given the student's name?"""
    assert "our function, not yours" in message(exercise, exercise.best())


@pytest.mark.parametrize("coal", [squared, no_gradient])
def test_a_known_mistake_is_diagnosed_with_an_example(exercise: Exercise, coal: Callable[..., Pair]) -> None:
    """Is a diagnosis the coal's docstring, with the smallest input that shows it?"""
    said = message(exercise, coal)
    assert " ".join((coal.__doc__ or "").split()) in said
    assert "With values = [" in said
    assert "factor = 3" in said
    assert "\n" not in said


def test_a_lost_gradient_is_seen() -> None:
    """Is a function whose value is right, but through which nothing can be trained, told what cut its gradient?"""
    exercise = Exercise(reference=doubled, probe=probe, coals=[], gradients=True)
    for cut in (lambda v, f: no_gradient(v, f), lambda v, f: Pair(torch.from_numpy(v.numpy() * f), v.argmax(-1))):
        assert "the values are right, and training through them would go wrong" in message(exercise, cut)


def halved(values: Tensor) -> Tensor:
    """Halve what is above zero, and add it up."""
    return torch.where(values > 0, values, 0).sum() / 2


def rows_above_zero_and_below(generator: torch.Generator) -> Iterator[tuple[Tensor]]:
    """Yield numbers above zero, then below, where the sum is 0 and so is its gradient."""
    for sign in (1, -1):
        yield (sign * (torch.rand(5, generator=generator) + 0.1),)


@pytest.mark.parametrize(
    "zero", [lambda v: torch.zeros(()), lambda v: v.new_tensor(0.0), lambda v: v[:0].sum().detach()]
)
def test_a_constant_is_not_a_zero_that_trains(zero: Callable[[Tensor], Tensor]) -> None:
    """Is a constant 0, which `backward` would refuse, told from a 0 with a gradient of 0?"""
    exercise = Exercise(reference=halved, probe=rows_above_zero_and_below, coals=[], gradients=True)
    said = message(exercise, lambda values: halved(values) if values.sum() > 0 else zero(values))
    assert "no gradient comes through" in said
    assert "`torch.tensor(0.0)`" in said


@pytest.mark.parametrize("zero", [lambda v: v[:0].sum(), lambda v: 0 * v.sum(), lambda v: v.clamp(min=0).sum()])
def test_a_zero_with_a_gradient_passes(zero: Callable[[Tensor], Tensor]) -> None:
    """Is a 0 let pass that is computed from the arguments, however that is done?"""
    exercise = Exercise(reference=halved, probe=rows_above_zero_and_below, coals=[], gradients=True)
    exercise.check(lambda values: halved(values) if values.sum() > 0 else zero(values))


def test_no_graph_is_asked_for_where_the_reference_has_none() -> None:
    """May an answer be a constant where the reference's is one as well?"""

    def counted(values: Tensor) -> Tensor:
        return (values > 0).sum().to(values.dtype)

    exercise = Exercise(reference=counted, probe=rows_above_zero_and_below, coals=[], gradients=True)
    exercise.check(lambda values: torch.tensor(float(len(values[values > 0]))))


def test_a_nan_on_the_way_back_is_explained() -> None:
    """Is a gradient that is NaN told apart from one that is cut, and is `detach` not blamed for it?"""

    def late(values: Tensor) -> Tensor:
        roots = torch.where(values > 0, values.sqrt(), 0)
        return (roots * roots).sum() / 2

    exercise = Exercise(reference=halved, probe=rows_above_zero_and_below, coals=[], gradients=True)
    said = message(exercise, late)
    assert "0 · NaN is NaN" in said
    assert "detach" not in said


def test_a_list_in_place_of_a_tuple_passes(exercise: Exercise, capsys: pytest.CaptureFixture[str]) -> None:
    """Is a right answer accepted whatever holds its parts, in one short line?"""
    exercise.check(lambda values, factor: [factor * values, values.argmax(-1)])
    assert capsys.readouterr().out == "✓ doubled: right on all 3 inputs.\n"


def test_numbers_pass_as_tensors() -> None:
    """May a function that computes a number return it as float, NumPy scalar or tensor?"""
    root = Exercise(lambda stride: stride / 12**0.5, lambda _: [(4.0,), (8.0,)], [])
    for function in (lambda s: s / np.sqrt(12), lambda s: torch.tensor(s) / 12**0.5, lambda s: (s**2 / 12) ** 0.5):
        root.check(function)
    with pytest.raises(Wrong, match=r"gives 0\.3333 where 1\.155 is expected"):
        root.check(lambda s: s / 12)


def test_a_generator_starts_alike_each_time() -> None:
    """Does a random function that takes a generator give the same answer in each of the check's calls?"""

    def noisy(values: Tensor, generator: torch.Generator) -> Tensor:
        return values + torch.randn(values.shape, generator=generator)

    exercise = Exercise(noisy, lambda generator: [(torch.ones(3), generator), (torch.ones(2, 2), generator)], [])
    exercise.check(lambda v, g: torch.randn(v.shape, generator=g).add(v))
    with pytest.raises(Wrong):
        exercise.check(lambda v, g: v + torch.randn(v.shape))


def trained(network: torch.nn.Module, values: Tensor) -> float:
    """Take one step, and say the loss."""
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    loss = network.train()(values).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def test_a_network_is_the_same_in_each_call() -> None:
    """Is a function that trains a network judged on a copy, and is it seen when it fails to train it?"""
    network = torch.nn.Linear(3, 2).double().eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    exercise = Exercise(trained, lambda generator: [(network, torch.ones(4, 3).double())], [])
    exercise.check(lambda net, values: trained(net, values))
    with pytest.raises(Wrong, match=r"it leaves its argument net(work)? as it was, and should not.* not a copy of it"):
        exercise.check(lambda net, values: net(values).square().mean().item())
    torch.testing.assert_close(dict(network.state_dict()), before)
    assert not network.training


def test_a_network_is_compared_as_it_was_left() -> None:
    """Is it seen when the answer is right, and the network that was trained is spoilt, or in another mode, after it?"""

    def spoilt(net: torch.nn.Module, values: Tensor) -> float:
        answer = trained(net, values)
        torch.nn.init.zeros_(net.weight)  # type: ignore[arg-type]
        return answer

    def asleep(net: torch.nn.Module, values: Tensor) -> float:
        answer = trained(net, values)
        net.eval()
        return answer

    network = torch.nn.Linear(3, 2).double().eval()
    exercise = Exercise(trained, lambda _: [(network, torch.ones(4, 3).double())], [])
    assert "the network's weight is not what it should be" in message(exercise, spoilt)
    said = message(exercise, asleep)
    assert "after your function, the network is in evaluation mode" in said
    assert "`+=`" not in said


def test_what_can_be_gone_through_once_is_fresh_in_each_call() -> None:
    """Does each call get an iterator of its own, with parts of its own, and is it explained what it cannot do?"""
    parts = [torch.ones(2), torch.ones(3)]

    def summed(values: Iterator[Tensor]) -> list[float]:
        return [float(part.sum()) for part in values]

    def edited(values: Iterator[Tensor]) -> list[float]:
        return [float(part.add_(1).sub_(1).sum()) for part in values]

    exercise = Exercise(summed, lambda _: [(iter(parts),)], [])
    exercise.check(lambda values: summed(values))
    exercise.check(edited)
    assert "has no length and no places" in message(exercise, lambda values: [float(len(values))])
    assert "With values = an iterator over 2 items" in message(exercise, lambda values: [*summed(values), 0.0])


def test_a_list_of_numbers_holds_numbers() -> None:
    """Is a list of tensors refused, which hold on to their graphs, and a tuple, where a list of numbers is due?"""
    exercise = Exercise(lambda values: [float(v) for v in values], lambda _: [(torch.ones(2),)], [])
    exercise.check(lambda values: [np.float64(v) for v in values])
    assert "`.item()` makes it one" in message(exercise, lambda values: [*values])
    assert "a tuple of 2 where a list of 2" in message(exercise, lambda values: (1.0, 1.0))


def test_the_largest_difference_is_shown() -> None:
    """Is the clearest of many differences said, and are short tuples of numbers written out?"""
    exercise = Exercise(lambda values, size: values, lambda _: [(torch.zeros(9), (5, 8))], [])

    def wrong(values: Tensor, size: tuple[int, int]) -> Tensor:
        return values + torch.tensor([0, 0.1, 0, 0, 0, 0, 7.0, 0, 0.2])

    said = message(exercise, wrong)
    assert "at [6] it gives 7.0 where 0.0" in said
    assert "size = (5, 8)" in said
    assert "at [3] it gives nan" in message(
        exercise, lambda values, size: values.index_fill(0, torch.tensor(3), torch.nan)
    )


def test_unpacking_axes_is_explained() -> None:
    """Is a function that unpacks more axes than there are told to count from the right?"""

    def unpacking(values: Tensor) -> Tensor:
        rows, columns, _more, _most = values.shape
        return values * rows * columns

    exercise = Exercise(lambda values: values, lambda _: [(torch.zeros(2, 3),), (torch.zeros(2, 3, 4),)], [])
    assert "count from the right: `H, W = x.shape[-2:]`" in message(exercise, unpacking)


def test_networks_are_compared_by_their_numbers() -> None:
    """Is a function that returns a network told which parameter differs, or that it is in the wrong mode?"""
    network = torch.nn.Linear(3, 2)
    exercise = Exercise(lambda net: net.eval(), lambda _: [(network,)], [])
    exercise.check(lambda net: net.train(False))
    assert "the network is in training mode" in message(exercise, lambda net: net.train())
    assert "a network is expected" in message(exercise, lambda net: net.weight)

    def without_bias(net: torch.nn.Linear) -> torch.nn.Linear:
        torch.nn.init.constant_(net.bias, 7)
        return net.eval()

    assert "the network's bias is not what it should be" in message(exercise, without_bias)


def test_an_error_can_be_the_right_answer() -> None:
    """Where the reference refuses an input, must the student's function refuse it with the same kind of error?"""

    def refuse(value: float) -> float:
        if value < 0:
            raise ValueError("negative")
        return value

    def refuse_too(value: float) -> float:
        if value < 0:
            raise ValueError("another wording")
        return value

    exercise = Exercise(refuse, lambda _: [(2.0,), (-1.0,)], [])
    exercise.check(refuse_too)
    with pytest.raises(Wrong, match="it does not raise ValueError, and should"):
        exercise.check(lambda value: value)


def test_best_is_the_last_that_passed(exercise: Exercise, capsys: pytest.CaptureFixture[str]) -> None:
    """Does a lesson go on with ours until the student's passes, and keep hers when a later try fails?"""
    assert exercise.best() is doubled
    assert "ours" in capsys.readouterr().out

    def hers(values: Tensor, factor: float) -> Pair:
        return doubled(values, factor)

    exercise.check(hers)
    message(exercise, squared)
    assert exercise.best() is hers
    assert capsys.readouterr().out.endswith("From here on doubled is yours.\n")


def test_inputs_are_fresh_and_can_be_had_again() -> None:
    """Are a check's inputs other ones each time, so that no answer can be learned by heart, unless a seed is given?"""
    seen: list[float] = []

    def watch(values: Tensor) -> Tensor:
        seen.append(float(values.detach().sum()))
        return values

    exercise = Exercise(watch, lambda generator: [(torch.randn(3, generator=generator),)], [])
    for seed in (None, None, 7, 7):
        exercise.check(lambda values: values, seed=seed)
    once = seen[::2]
    assert once[0] != once[1]
    assert once[2] == once[3]


def test_verdicts_are_recorded(exercise: Exercise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Does the student's folder, where there is one, hold every verdict with the mistake that was recognised?"""
    monkeypatch.setenv("POSECOURSE_WORK", str(tmp_path))
    message(exercise, squared)
    message(exercise, leave)
    exercise.check(lambda values, factor: Pair(values * factor, values.argmax(-1)), seed=2)
    lines = [json.loads(line) for line in (tmp_path / "progress.jsonl").read_text().splitlines()]
    assert [(line["kind"], line["passed"], line["coal"], line["seed"]) for line in lines] == [
        ("verdict", False, "squared", 1),
        ("verdict", False, "", 1),
        ("verdict", True, "", 2),
    ]


def test_interrupting_a_check_interrupts_it(exercise: Exercise) -> None:
    """Can a student stop a function that never ends?"""

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exercise.check(interrupted)


@pytest.mark.parametrize("error", [Todo("a.b"), Wrong("✗ this paragraph " + "is long " * 50 + "at [0, 1].")])
def test_both_errors_show_as_one_paragraph(error: Any) -> None:
    """Does a notebook show the message alone, without a traceback, in lines that need not be broken within words?"""
    lines = error._render_traceback_()
    assert " ".join(lines) == str(error)
    assert max(map(len, lines)) <= 100


def flipped(sides: int, generator: torch.Generator) -> Tensor:
    """Throw dice."""
    return torch.randint(sides, (20,), generator=generator)


def always_one(sides: int, generator: torch.Generator) -> Tensor:
    """Every throw is the same.

    Look for a number that nothing draws.
    """
    return torch.ones(20, dtype=torch.int64)


def thrown(function: Any, sides: int, generator: torch.Generator) -> Any:
    """Throw, and tell of what kind the throws are and whether they differ."""
    throws = function(sides, generator)
    if not isinstance(throws, Tensor):
        return throws
    return Account("many throws", "all of them are alike" if (throws == throws[0]).all() else "they differ")


def dice(generator: torch.Generator) -> Iterator[tuple[int, torch.Generator]]:
    """Yield one kind of dice."""
    yield 6, generator


def test_what_chance_has_a_hand_in_is_judged_by_an_account() -> None:
    """Does a right answer with other draws pass, and is a known, an unknown and an odd one told in words?"""
    exercise = Exercise(flipped, dice, [always_one], use=thrown)
    exercise.check(lambda sides, generator: torch.randint(sides, (30,)))
    with pytest.raises(Wrong, match=r"Every throw is the same.*sides = 6.*all of them are alike") as caught:
        exercise.check(lambda sides, generator: torch.zeros(7))
    assert caught.value.coal == "always_one"
    with pytest.raises(Wrong, match="it returns None where many throws is expected"):
        exercise.check(lambda sides, generator: None)
    unknown = Exercise(flipped, dice, [], use=thrown)
    with pytest.raises(Wrong, match=r"not recognised.*all of them are alike"):
        unknown.check(always_one)
    with pytest.raises(Wrong, match=r"stops at line .*ValueError: seven"):
        exercise.check(seven)


def seven(sides: int, generator: torch.Generator) -> Tensor:
    """Stop."""
    raise ValueError("seven")
