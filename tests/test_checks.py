"""Checks: every exercise against right answers, known mistakes made by somebody else, and nonsense."""

import html
import inspect
import pkgutil
import re
import runpy
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from posecourse import checks
from posecourse.lesson import Exercise, Todo, Wrong
from tools import notebooks

ANSWERS = Path(__file__).parent / "answers"
EXERCISES: dict[str, Exercise] = {
    f"{topic}.{name}": value
    for topic in checks.__all__
    for name, value in vars(getattr(checks, topic)).items()
    if isinstance(value, Exercise)
}
SEEDS = range(3)
MARKS = re.compile(r'exercise="(?P<exercise>[\w.]+)"|<summary>Help: (?P<heading>.*?)</summary>', re.DOTALL)
QUOTED = re.compile(r"<(i|code)>(.*?)</\1>", re.DOTALL)


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
    for gold in answers(name)["golds"]:
        EXERCISES[name].check(gold, seed=seed)
        assert EXERCISES[name].best() is gold


@pytest.mark.parametrize("seed", SEEDS[:2])
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
        reordered = replace(EXERCISES[name], coals=[c for c in coals if c is not coal])
        with pytest.raises(Wrong) as caught:
            reordered.check(coal, seed=seed)
        assert caught.value.coal == "", f"{coal.__name__} is taken for {caught.value.coal}"


@pytest.mark.parametrize(
    ("nonsense", "words"),
    [
        (boom, 'raise LookupError("the answer is elsewhere")`: LookupError'),
        (lambda *_: None, "it returns None where"),
        (lambda *_: "42", "it returns a str where"),
        (lambda *_: {"points": torch.zeros(2)}, "it returns a dict where"),
        (lambda *_: deque([torch.zeros(3)]), "it returns a deque where"),
        (lambda *_: np.array([None, 1]), "it returns an object NumPy array of shape (2,) where"),
        (lambda *_: np.array(["4.0"]), "it returns a <U3 NumPy array of shape (1,) where"),
        (lambda *_: torch.quantize_per_tensor(torch.zeros(2), 0.1, 0, torch.quint8), "it returns a quint8 tensor"),
        (lambda *_: 10**400, "it returns an int where"),
        (lambda *_: torch.zeros(1, 1, 1), "it returns a float32 tensor of shape (1, 1, 1) where"),
        (7, "this is an int, not a function"),
    ],
)
@pytest.mark.parametrize("name", EXERCISES)
def test_nonsense_is_described(name: str, nonsense: Any, words: str) -> None:
    """Does a check say what it saw of whatever it is given, and take it for no known mistake?"""
    error = refused(name, nonsense, seed=list(EXERCISES).index(name))  # nonsense does not read its input
    assert error.coal == ""
    assert words in str(error)


@pytest.mark.parametrize("name", EXERCISES)
def test_ours_is_not_an_answer(name: str) -> None:
    """Does a check refuse our own function, which `best` may have given the student's name?"""
    exercise = Exercise(EXERCISES[name].reference, EXERCISES[name].probe, EXERCISES[name].coals)
    with pytest.raises(Wrong, match="this is our function, not yours"):
        exercise.check(exercise.best())
    assert exercise.best() is exercise.reference


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


def clamped(points: torch.Tensor) -> torch.Tensor:
    """Believe that no place lies before 0."""
    return points.clamp(min=0)


@pytest.mark.parametrize("before", [clamped, torch.abs, lambda points: points.clamp(max=200)])
@pytest.mark.parametrize("name", ["frames.pixels_to_cells", "frames.cells_to_pixels"])
def test_places_outside_are_places_too(name: str, before: Any) -> None:
    """Is a conversion refused that is right inside of the picture only?"""
    for seed in SEEDS:
        assert not refused(name, lambda points, stride: EXERCISES[name].reference(before(points), stride), seed).coal
        assert not refused(name, lambda points, stride: before(EXERCISES[name].reference(points, stride)), seed).coal


@pytest.mark.parametrize("name", ["frames.pixels_to_cells", "frames.cells_to_pixels"])
def test_small_errors_are_errors(name: str) -> None:
    """Is a conversion refused that is off by a hundredth, or that takes no stride below 2?"""
    reference = EXERCISES[name].reference
    for seed in SEEDS:
        assert "gives" in str(refused(name, lambda points, stride: reference(points, stride) + 0.01, seed))
        assert "gives" in str(refused(name, lambda points, stride: reference(points, max(stride, 2)), seed))


@pytest.mark.parametrize("name", ["frames.pixels_to_cells", "frames.cells_to_pixels"])
def test_a_function_for_one_point_is_told_so(name: str) -> None:
    """Is a function that unpacks its points told that it works for one point, whatever it does with several?"""

    def unpacking(points: torch.Tensor, stride: float) -> torch.Tensor:
        x, y = points
        return EXERCISES[name].reference(torch.tensor([x, y]), stride)

    for seed in SEEDS:
        said = str(refused(name, unpacking, seed))
        assert "works for points of shape (2,) only, and not for shape (3, 2)" in said
        assert "`points[..., 0]`" in said
        assert "stops at line" in said


@pytest.mark.parametrize("name", ["frames.pixels_to_cells", "frames.cells_to_pixels"])
def test_an_index_into_the_first_axis_is_explained(name: str) -> None:
    """Does a function that takes `points[1]` for y and returns a pair learn where x and y are?"""
    for seed in SEEDS:
        said = str(refused(name, lambda points, stride: (points[0] / stride, points[1] / stride), seed))
        assert "count from the right" in said
        assert "`x[..., 0]`" in said


@pytest.mark.parametrize(
    "wrong",
    [
        lambda ours, scores, tags, *rest: ours(scores, tags.nan_to_num(0, posinf=torch.inf), *rest),
        lambda ours, scores, tags, *rest: ours(scores, torch.where(tags.isinf(), 50, tags), *rest),
        lambda ours, scores, tags, *rest: ours(scores.sign() * (scores + 1), tags, *rest),
        lambda ours, *given: torch.nn.functional.pad(found := ours(*given), (0, 0, 0, given[3] - len(found)), value=-1),
        lambda ours, *given: torch.stack([*ours(*given)]),
        lambda ours, *given: found if len(found := ours(*given)) else torch.tensor([]),
    ],
)
def test_broken_candidates_and_empty_rows_are_nobody(wrong: Any) -> None:
    """Is a grouping refused that gives a broken tag to somebody, counts people, fills up, or fails on nobody?"""
    ours = EXERCISES["grouping.group_by_tag"].reference
    for seed in range(6):
        refused("grouping.group_by_tag", lambda *given: wrong(ours, *given), seed)


def test_single_precision_on_the_way_is_named() -> None:
    """Is a push that is right to six digits told to look for float32, and one that is right to four not?"""
    ours = EXERCISES["grouping.push_loss"].reference
    for seed in SEEDS:
        single = refused("grouping.push_loss", lambda *given: ours(*given) * (1 + 1e-6), seed)
        assert "right to six or seven digits, and float64 has sixteen" in str(single)
        larger = refused("grouping.push_loss", lambda *given: ours(*given) * (1 + 1e-4), seed)
        assert "not recognised" in str(larger)


def test_a_known_mistake_is_known_though_it_edits_too() -> None:
    """Is a wrong value that was computed in place recognised, and are both mistakes said?"""

    def in_place(points: torch.Tensor, stride: float) -> torch.Tensor:
        points += 0.5
        return points.div_(stride)

    error = refused("frames.pixels_to_cells", in_place, 0)
    assert error.coal == "half_pixel_before_only"
    assert "Besides, your function overwrites its argument points" in str(error)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda p, s: ((p + 0.5) / s - 0.5).tolist(), "`torch.stack(…, dim=-1)` does so"),
        (lambda p, s: tuple((p + 0.5) / s - 0.5), "returns a tuple of 2 where a float32 tensor of shape (2,)"),
        (lambda p, s: (p.numpy() + 0.5) / s - 0.5, "`torch.from_numpy(…)`"),
        (lambda p, s: ((p + 0.5) / s - 0.5).round().long(), "whole numbers"),
        (lambda p, s: (p / s).int(), "whole numbers"),
        (lambda p, s: torch.trunc((p + 0.5) / s), "Every answer is a whole number"),
        (lambda p, s: None, "Is there a `return`?"),
        (lambda p, s: (p.float() + 0.5) / s - 0.5, "The values are right, in another precision"),
    ],
)
def test_answers_of_another_kind_are_explained(answer: Any, words: str) -> None:
    """Is it said how an answer of the wrong kind becomes the right one, without a word of seeds?"""
    said = str(refused("frames.pixels_to_cells", answer, 0))
    assert words in said
    assert "seed" not in said


def headings() -> Iterator[tuple[str, str]]:
    """Yield the exercise and the message of each help that quotes one."""
    for path in notebooks.sources():
        exercise = ""
        for mark in MARKS.finditer(path.read_text(encoding="utf-8").replace("\n# ", " ")):
            exercise = mark["exercise"] or exercise
            for _, quoted in QUOTED.findall(mark["heading"] or ""):
                yield exercise, html.unescape(quoted)


def stub(*_: Any) -> None:
    """Stand where nothing is written yet."""
    raise Todo("frames.pixels_to_cells")


def messages(exercise: str) -> Iterator[str]:
    """Yield what is printed for wrong answers: those that a help is about, then every known mistake."""
    known = answers(exercise)
    for function in [stub, lambda *_: None, *known.get("helped", ()), *known["twins"].values()]:
        for seed in range(2):
            try:
                EXERCISES[exercise].check(function, seed=seed)
            except (Wrong, Todo) as error:
                yield f"{type(error).__name__}: {error}"


@pytest.mark.parametrize(("exercise", "heading"), list(headings()))
def test_what_a_help_quotes_is_printed(exercise: str, heading: str) -> None:
    """Does some wrong answer to the exercise print what its help quotes? An ellipsis stands for anything."""
    wanted = re.compile(".*?".join(map(re.escape, heading.split("…"))))
    assert any(wanted.search(message) for message in messages(exercise)), f"nothing prints {heading!r}"
