"""Is what the README shows what happens?"""

import json
import re
from pathlib import Path

import pytest

import posecourse
from posecourse import train
from posecourse.checks.frames import to_cells
from tools import crowds

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MISTAKES, PACKAGE, OWN_DATA, CROWDS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_example_prints_what_its_comment_says(capsys: pytest.CaptureFixture[str]) -> None:
    """Does the package's example run, and print the number beside it?"""
    exec(PACKAGE, {})
    assert capsys.readouterr().out.strip() == re.findall(r"# (\d\.\d+ px)", PACKAGE)[0]


def test_ones_own_data_are_trained_on_and_scored(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Does the way from a COCO file to a score run on the shipped sample, and is it right for a perfect answer?

    Twenty steps learn nothing worth a number, so the same code is run again with the truth in the answer's place.
    """
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    exec(OWN_DATA, names)
    assert re.fullmatch(r"35 people, AP [01]\.\d\d", capsys.readouterr().out.strip())
    before, after = OWN_DATA.split("found = network.detect(people.images)\n")
    assert "fit" in before
    perfect = names["found"]._replace(keypoints_px=names["people"].keypoints)  # type: ignore[attr-defined]
    exec(after, {**names, "found": perfect})
    assert float(capsys.readouterr().out.split()[-1]) > 0.99


def test_a_whole_crowd_is_scored(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Does the shipped network find people in the shipped sample, and is its stated score the one in its file?"""
    monkeypatch.chdir(ROOT)
    imports, opened = OWN_DATA.split("people = samples")[0].split("\n\n")
    exec(f"{imports}\n{opened}\n{CROWDS}", {})
    AP, AR = re.findall(r"A[PR] (\d\.\d\d)", capsys.readouterr().out)
    assert float(AP) > 0.2
    assert float(AR) > 0.2
    notes = train.network_notes("data/crowd_128.safetensors")
    stated = re.search(r"On (\d+) rendered crowds .* AP (\d\.\d\d) and AR (\d\.\d\d)", README)
    assert stated is not None
    assert stated.groups() == (str(crowds.HELD_OUT[0]), f"{notes['score']['AP']:.2f}", f"{notes['score']['AR']:.2f}")


def test_the_commonest_mistakes_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Do the records of a class lead to its commonest mistake, with other records in between?"""
    verdict = {
        "kind": "verdict",
        "exercise": "frames.pixels_to_cells",
        "passed": False,
        "coal": to_cells.no_half_pixel.__name__,
    }
    for name in ("ada", "emmy"):
        (tmp_path / "handed_in" / name).mkdir(parents=True)
        lines = [{"kind": "prediction", "name": "00.shift"}, verdict, {**verdict, "passed": True, "coal": ""}]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (tmp_path / "handed_in" / name / "progress.jsonl").write_text(text)
    monkeypatch.chdir(tmp_path)
    exec(MISTAKES, {})
    assert capsys.readouterr().out.strip() == re.findall(r"# (\[.*\])", MISTAKES)[0]


def test_minutes_and_prices_are_those_of_the_build() -> None:
    """Does the table of lessons say what the build measured, for each lesson that there is?"""
    timings = (ROOT / "notebooks" / "TIMINGS.md").read_text(encoding="utf-8")
    measured = {row[0]: row[1:] for row in re.findall(r"^\| (\d\d)\w+ \| (\d+) \| (\d+) \|", timings, re.MULTILINE)}
    assert measured
    said = {row[0]: row[1:] for row in re.findall(r"^\| (\d\d) \| \[.*?\| (\d+) \| (\d+) s \|", README, re.MULTILINE)}
    assert said == measured


def test_what_one_will_see_is_what_a_lesson_prints() -> None:
    """Are the lines that the README shows lines of lesson 00's stored output?"""
    (shown,) = re.findall(r"```\n(✓ .*?)```", README, re.DOTALL)
    (solutions,) = (ROOT / "notebooks" / "solutions").glob("00_*.ipynb")
    cells = json.loads(solutions.read_text(encoding="utf-8"))["cells"]
    printed = "".join("".join(out.get("text", "")) for cell in cells for out in cell.get("outputs", []))
    printed = re.sub("measured .*", "measured", printed)  # what differs between machines
    assert {re.sub("measured .*", "measured", line) for line in shown.splitlines()} <= set(printed.splitlines())


def test_the_citation_is_of_this_version() -> None:
    """Does CITATION.cff name the package's version, and a date only once that version is out?"""
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\nversion: {posecourse.__version__}\n" in citation
    assert ("date-released" in citation) == (f"## {posecourse.__version__} (unreleased)" not in changes)


def test_links_lead_somewhere() -> None:
    """Is every file that the README links to there?"""
    targets = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert targets
    assert not [target for target in targets if not (ROOT / target).exists()]
