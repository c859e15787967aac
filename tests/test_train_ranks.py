"""Several processes, one training: the same step as alone, the same weights everywhere, also after a stop."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from posecourse import seeding, train
from tests import two_processes

SCRIPT = Path(__file__).parent / "two_processes.py"
PROCESSES = 2


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Return what each of two processes reports."""
    folder = tmp_path_factory.mktemp("ranks")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={PROCESSES}"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(SCRIPT.parents[1])}
    subprocess.run([*launch, str(SCRIPT), str(folder)], env=environment, check=True, capture_output=True)
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(PROCESSES)]


def test_two_take_the_step_of_one(reports: list[dict[str, Any]]) -> None:
    """Without batch norm, are the weights those of one process, although labels are spread unevenly?"""
    alone = two_processes.plainly_trained().layer.weight.detach().flatten()
    for report in reports:
        assert torch.allclose(torch.tensor(report["weights"], dtype=torch.float64), alone, rtol=0, atol=1e-9)


def test_all_have_the_same_network(reports: list[dict[str, Any]]) -> None:
    """With dropout and augmentation of their own, do all processes end with the same parameters?"""
    first, second = (report["sums"] for report in reports)
    learnt = [name for name in first if "running" not in name]
    assert [name for name in learnt if first[name] != second[name]] == []


def test_a_stop_changes_nothing(reports: list[dict[str, Any]]) -> None:
    """Does a training that failed in the middle and was started again end with the same bits in every process?"""
    for report in reports:
        assert report["broken"]
        assert [name for name in report["different"] if "running" not in name] == []
    assert reports[0]["different"] == []  # the first one's statistics are those that are saved


def test_alone_nothing_changes() -> None:
    """Is one process by itself left everything as it is: indices, generator, loss, model?"""
    alone, generator = train.current_ranks(), seeding.generator(0)
    indices, model = torch.arange(5), torch.nn.Linear(1, 1)
    assert alone.first
    assert torch.equal(alone.share(indices), indices)
    assert alone.own(generator) is generator
    assert alone.joined(model) is model
    assert float(alone.weighed(torch.tensor(3.0), torch.tensor(7))) == 3


def test_a_batch_for_fewer_than_there_are(as_a_user: None) -> None:
    """Is a batch that some processes would have nothing of refused, with the way out?"""
    with pytest.raises(ValueError, match="4 processes cannot share a batch of 3"):
        train.Ranks(1, 4).share(torch.arange(3))
