"""Is the glossary in order, and does it speak of lessons that there are?"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LESSONS = re.findall(r"^\| (\d\d) \|", README, re.MULTILINE)
ROWS = [
    [cell.strip() for cell in line.strip("|\n").split(" | ")]
    for line in (ROOT / "notebooks" / "GLOSSARY.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| **")
]


def test_the_readme_links_to_it() -> None:
    """Can a reader find it, and is there something in it?"""
    assert "(notebooks/GLOSSARY.md)" in README
    assert len(ROWS) > 50


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip("*"))
def test_a_term_is_explained_and_placed(row: list[str]) -> None:
    """Has each term one to three sentences, and lessons of the README's table in their order?"""
    term, meaning, _, _, lessons = row
    assert re.fullmatch(r"\*\*.+\*\*", term)
    assert 1 <= len(re.findall(r"[.!?](?:\s|$)", meaning)) <= 3
    named = lessons.split(", ")
    assert set(named) <= set(LESSONS)
    assert named == sorted(set(named))


def test_terms_are_sorted_and_stand_once() -> None:
    """Is the order that of the alphabet, capital letters like small ones?"""
    terms = [row[0].strip("*").casefold() for row in ROWS]
    assert terms == sorted(set(terms))


def test_every_lesson_has_its_words() -> None:
    """Does each lesson of the README's table introduce something?"""
    assert {lesson for row in ROWS for lesson in row[-1].split(", ")} == set(LESSONS)


def test_numbers_are_exact() -> None:
    """Are there no measured numbers, which only a lesson's claim can hold: no decimals and no percentages?"""
    assert not [row[0] for row in ROWS if re.search(r"\d\.\d|\d\s?%", row[1])]
