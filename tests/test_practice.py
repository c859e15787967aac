"""One's own data from the command line: labelled pictures in, a network, a score, a table and a picture out."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from posecourse import coco, metrics, practice, seeding, train
from posecourse.cli import main
from posecourse.practice.views import fitting_view, parted
from posecourse.samples import Sample
from posecourse.skeletons import Skeleton

BUG = Skeleton(("head", "left_wing", "right_wing"), limbs=((0, 1), (0, 2)))
SMALL = ("--size", "48x64", "--width", "4", "--batch-size", "8", "--device", "cpu")


def bugs(count: int, seed: int, size: tuple[int, int] = (48, 64), each: int = 1) -> Sample:
    """Return pictures of insects, each with a red head, a green left and a blue right wing, at known places."""
    g = seeding.generator(seed)
    H, W = size
    middle = torch.rand(count, each, 2, generator=g) * torch.tensor([W - 40.0, H - 28.0]) + torch.tensor([20.0, 14.0])
    points = middle[..., None, :] + torch.tensor([[0.0, -7.0], [-12.0, 5.0], [12.0, 5.0]])
    y, x = (torch.arange(n, dtype=torch.float32) for n in size)
    away = (x - points[..., :1]).square()[..., None, :] + (y - points[..., 1:]).square()[..., :, None]
    images = 0.2 + 0.8 * torch.exp(-away / (2 * 2.5**2)).amax(1)
    boxes = torch.cat([points.amin(-2) - 5, points.amax(-2) - points.amin(-2) + 10], dim=-1)
    sample = Sample(
        images=images.clamp(0, 1),
        keypoints=points,
        visibility=torch.full((count, each, 3), 2, dtype=torch.uint8),
        boxes=boxes,
        areas=boxes[..., 2] * boxes[..., 3] / 2,
        present=torch.ones(count, each, dtype=torch.bool),
        skeleton=BUG,
    )
    if each > 1:
        return sample
    alone = {name: getattr(sample, name)[:, 0] for name in ("keypoints", "visibility", "boxes", "areas")}
    return replace(sample, **alone, present=None)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the labels and the folder of forty pictures."""
    folder = tmp_path_factory.mktemp("bugs")
    return coco.save(bugs(40, seed=0), folder, category="bug"), folder


@pytest.fixture(scope="module")
def trained(labelled: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a whole run."""
    run = tmp_path_factory.mktemp("runs") / "run"
    assert main(["train", *map(str, labelled), str(run), "--steps", "120", *SMALL]) == 0
    return run


def weights(run: Path) -> dict[str, torch.Tensor]:
    """Return what a run's network file holds."""
    return train.load_network(run / "network.safetensors").state_dict()


def test_it_finds_what_it_was_trained_on(trained: Path, tmp_path: Path) -> None:
    """Is the score on pictures that it has not seen far above that of the same answers dealt to other pictures?"""
    fresh = bugs(40, seed=9)
    labels = coco.save(fresh, tmp_path / "fresh", category="bug")
    scores = practice.evaluate(trained, labels, tmp_path / "fresh", tmp_path / "out", device="cpu")
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    dealt = [
        {**one, "image_id": other["image_id"]} for one, other in zip(results, results[1:] + results[:1], strict=True)
    ]
    truth = json.loads(labels.read_text())
    chance = metrics.coco_average_precision(truth, dealt, sigmas=(0.05,) * 3).AP
    again = metrics.coco_average_precision(truth, results, sigmas=(0.05,) * 3)
    assert scores.AP == pytest.approx(again.AP)
    assert scores.AP > 0.5 > chance
    assert scores.error_px < 3 < 64 / 4


def test_a_run_that_was_killed_goes_on(labelled: tuple[Path, Path], trained: Path, tmp_path: Path) -> None:
    """Does a run that is killed half-way and started again end with the weights of one that was never stopped?"""
    command = [sys.executable, "-m", "posecourse", "train", *map(str, labelled), str(tmp_path / "run")]
    command += ["--steps", "120", *SMALL, "--checkpoint-every", "10"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    checkpoint = tmp_path / "run" / "run.safetensors"
    while process.poll() is None and not checkpoint.exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert 0 < train.files.read(checkpoint)[1]["step"] < 120
    assert subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL).returncode == 0
    there, here = weights(tmp_path / "run"), weights(trained)
    assert all(torch.equal(there[name], here[name]) for name in here)
