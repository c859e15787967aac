"""Checks: every exercise against right answers, known mistakes made by somebody else, and nonsense."""

import inspect
import pkgutil
import runpy
from pathlib import Path
from typing import Any

import pytest
import torch

from posecourse import checks
from posecourse.lesson import Exercise, Todo, Wrong

ANSWERS = Path(__file__).parent / "answers"
EXERCISES: dict[str, Exercise] = {
    f"{topic}.{name}": value
    for topic in checks.__all__
    for name, value in vars(getattr(checks, topic)).items()
    if isinstance(value, Exercise)
}
SEEDS = range(3)


def answers(name: str) -> dict[str, Any]:
    """Return the golds and the twins of one exercise."""
    topic, _, function = name.partition(".")
    return runpy.run_path(str(ANSWERS / f"{topic}.py"))["ANSWERS"][function]


def refused(name: str, function: Any, seed: int) -> Wrong:
    """Return how the check refuses a function."""
    with pytest.raises(Wrong) as caught:
        EXERCISES[name].check(function, seed=seed)
    return caught.value


def boom(*_: Any) -> None:
    """Raise what no exercise asks for."""
    raise LookupError("the answer is elsewhere")


@pytest.mark.parametrize("name", EXERCISES)
def test_every_exercise_has_answers(name: str) -> None:
    """Does each exercise have two right answers, two mistakes with a diagnosis, and a twin for each?"""
    exercise, known = EXERCISES[name], answers(name)
    assert exercise.name == name
    assert len(known["golds"]) >= 2
    assert len(exercise.coals) >= 2
    assert sorted(known["twins"]) == sorted(coal.__name__ for coal in exercise.coals)
    for coal in exercise.coals:
        assert len((inspect.getdoc(coal) or "").split()) >= 20, f"{coal.__name__} needs a diagnosis"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", EXERCISES)
def test_right_answers_pass(name: str, seed: int) -> None:
    """Is every right answer accepted, however it is written?"""
    for gold in (*answers(name)["golds"], EXERCISES[name].reference):
        EXERCISES[name].check(gold, seed=seed)
        assert EXERCISES[name].best() is gold


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", EXERCISES)
def test_each_mistake_gets_its_own_diagnosis(name: str, seed: int) -> None:
    """Is each known mistake refused with its own diagnosis and no other, whoever wrote it?"""
    for coal in EXERCISES[name].coals:
        diagnosis = " ".join((inspect.getdoc(coal) or "").split())
        for wrong in (coal, answers(name)["twins"][coal.__name__]):
            error = refused(name, wrong, seed)
            assert error.coal == coal.__name__
            assert diagnosis in str(error)


@pytest.mark.parametrize("name", EXERCISES)
def test_mistakes_are_told_apart_by_one_input(name: str) -> None:
    """Does no coal do what another does, so that the order in which they stand decides nothing?"""
    coals = EXERCISES[name].coals
    for seed, coal in enumerate(coals):
        reordered = Exercise(EXERCISES[name].reference, EXERCISES[name].probe, [c for c in coals if c is not coal])
        with pytest.raises(Wrong, match="not recognised"):
            reordered.check(coal, seed=seed)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("nonsense", [boom, lambda *_: None, lambda *_: "42", lambda *_: torch.zeros(1, 1, 1), 7])
@pytest.mark.parametrize("name", EXERCISES)
def test_nonsense_is_not_recognised(name: str, nonsense: Any, seed: int) -> None:
    """Does a check say so when it does not know the mistake, with the seed that shows it again?"""
    error = refused(name, nonsense, seed)
    assert error.coal == ""
    assert "not recognised" in str(error)
    assert f"seed={seed}" in str(error)


@pytest.mark.parametrize("name", EXERCISES)
def test_a_stub_stays_a_todo(name: str) -> None:
    """Does the check of an exercise that nobody has begun say that, rather than call it wrong?"""

    def stub(*_: Any) -> None:
        raise Todo(name)

    with pytest.raises(Todo, match=f"{name} is still to do"):
        EXERCISES[name].check(stub)


def test_topics_are_what_is_on_disk() -> None:
    """Does `checks` list every topic that it has, and have every topic that it lists?"""
    assert sorted(checks.__all__) == sorted(module.name for module in pkgutil.iter_modules(checks.__path__))
    with pytest.raises(AttributeError, match="frames"):
        checks.nonesuch  # noqa: B018
