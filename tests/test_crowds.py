"""The shipped network for crowds: is it as good as its file and its table say, and does the table make sense?"""

import json

import pytest

from benchmarks import diagnosis
from posecourse import paths, train
from tools import crowds

TABLE = json.loads(paths.data_path("grouping.json").read_text(encoding="utf-8"))


def test_the_shipped_network_is_as_good_as_it_says() -> None:
    """On held-out crowds, rendered and scored anew, are AP and AR those in the file?"""
    path = paths.data_path("crowd_128.safetensors")
    notes = train.network_notes(path)
    # Another processor rounds pixels and sums differently: of 750 people, seven more or fewer are 0.01.
    assert crowds.score(train.load_network(path)) == pytest.approx(notes["score"], abs=0.01)
    assert notes["command"] == "python -m tools.crowds"


def test_the_shipped_network_is_small() -> None:
    """Is its file below a megabyte?"""
    assert crowds.FILE.stat().st_size < 1_000_000


def test_a_row_of_the_table_can_be_run_again() -> None:
    """Does one held-out set give the recorded numbers once more?"""
    recorded = TABLE["sets"][-1]
    at = recorded["overlap"], recorded["seed"], recorded["threshold"]
    again = diagnosis.row(train.load_network(crowds.FILE), *at)
    assert again == pytest.approx(recorded, abs=0.015)  # a set is half of the one above


def test_the_threshold_is_the_one_that_the_table_chooses() -> None:
    """Is every set measured at the chosen threshold, which is the package's default, on crowds of its own?"""
    best = max(one["AP"] for one in TABLE["thresholds"])
    for one in TABLE["thresholds"]:
        assert one["behind"] == pytest.approx(best - one["AP"], abs=2e-5)
    head = train.load_network(crowds.FILE).head
    assert {row["threshold"] for row in TABLE["sets"]} == {diagnosis.chosen(TABLE["thresholds"])} == {head.margin}
    choice = range(diagnosis.CHOICE_SEED, diagnosis.CHOICE_SEED + 100)
    assert not {row["seed"] for row in TABLE["sets"]} & {*choice}
    assert crowds.HELD_OUT[1] not in choice


def test_the_table_holds_every_overlap_with_its_bounds() -> None:
    """Is each overlap measured on several sets, with a ceiling of 1 and each truth no worse than the network?"""
    for overlap in diagnosis.OVERLAPS:
        assert len({row["seed"] for row in TABLE["sets"] if row["overlap"] == overlap}) >= 3
    for row in TABLE["sets"]:
        assert row["AP_both"] == row["AR_both"] == 1
        assert row["AP_network"] <= min(row["AP_true_detection"], row["AP_true_grouping"])
