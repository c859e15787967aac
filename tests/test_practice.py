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
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from posecourse import coco, metrics, paths, practice, seeding, train
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
    assert pytest.approx(again.AP) == scores.AP
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


def test_another_run_in_the_same_folder_destroys_nothing(labelled: tuple[Path, Path], trained: Path) -> None:
    """Is a run with other settings refused, and is the network that stands in the folder still the same?"""
    before = (trained / "network.safetensors").read_bytes()
    assert main(["train", *map(str, labelled), str(trained), "--steps", "60", *SMALL]) == 2
    assert (trained / "network.safetensors").read_bytes() == before


def test_an_interrupted_run_leaves_a_network(
    labelled: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After Ctrl-C, is there a network that predicts, and does the message say how to go on?"""
    step = train.Run.advance

    def interrupted(self: train.Run, *arguments: Any) -> None:
        step(self, *arguments)
        if self.step == 3:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(train.Run, "advance", interrupted)
    command = ["train", *map(str, labelled), str(tmp_path / "run"), "--steps", "8", *SMALL]
    assert main(command) == 130
    assert "goes on from here" in capsys.readouterr().err
    assert train.files.read(tmp_path / "run" / "run.safetensors")[1]["step"] == 3
    assert main(["predict", str(tmp_path / "run"), str(labelled[1]), str(tmp_path / "out"), "--device", "cpu"]) == 0


def test_a_table_of_what_was_found(trained: Path, tmp_path: Path) -> None:
    """Are keypoints of unlabelled pictures, of several sizes, in the pixels of each picture?"""
    fresh, folder = bugs(3, seed=4), tmp_path / "fresh"
    coco.save(fresh, folder, category="bug")
    with Image.open(folder / "000000000002.png") as small:
        large = small.resize((128, 96), Image.Resampling.BILINEAR)
    large.save(folder / "000000000002.png")
    assert practice.predict(trained, folder, tmp_path / "out", device="cpu") == 3
    with open(tmp_path / "out" / "keypoints.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["keypoint"] for row in rows] == list(BUG.names) * 3
    found = np.array([[float(row["x"]), float(row["y"])] for row in rows]).reshape(3, 3, 2)
    truth = fresh.keypoints.numpy().copy()
    truth[1] = 2 * truth[1] + 0.5  # pixel centres of a picture twice as large
    assert np.abs(found - truth).max() < 6
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert np.allclose(np.array([one["keypoints"] for one in results]).reshape(3, 3, 3)[..., :2], found, atol=0.01)
    with Image.open(tmp_path / "out" / "predictions.png") as sheet:
        assert sheet.size[0] > 500


def test_crops_are_looked_into_by_their_boxes(tmp_path: Path) -> None:
    """With several in a picture, are crops chosen by themselves, and found again where only boxes are given?"""
    pair = bugs(12, seed=1, size=(48, 128), each=2)
    labels = coco.save(pair, tmp_path / "pairs", category="bug")
    run, out = tmp_path / "run", tmp_path / "out"
    assert main(["train", str(labels), str(tmp_path / "pairs"), str(run), "--steps", "4", *SMALL]) == 0
    with pytest.raises(coco.CocoError, match="--boxes"):
        practice.predict(run, tmp_path / "pairs", out, device="cpu")
    said = json.loads(labels.read_text())
    for annotation in said["annotations"]:
        del annotation["keypoints"]
    del said["categories"][0]["keypoints"]
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps(said))
    assert practice.predict(run, tmp_path / "pairs", out, boxes=boxes, device="cpu") == 24
    with open(out / "keypoints.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["which"] for row in rows[:6]] == ["1", "1", "1", "2", "2", "2"]


def test_no_picture_is_learnt_from_and_scored_on(labelled: tuple[Path, Path]) -> None:
    """Are the parts apart and together the whole, the same for one seed and others for another?"""
    dataset = coco.load(*labelled, category="bug")
    learnt, held_out = parted(dataset, 0.25, seeding.generator(3))
    assert held_out is not None
    numbers = [{picture.id for picture in part.annotations.pictures} for part in (learnt, held_out)]
    assert not numbers[0] & numbers[1]
    assert len(numbers[0] | numbers[1]) == 40
    assert len(numbers[1]) == 10
    again, other = (parted(dataset, 0.25, seeding.generator(seed))[1] for seed in (3, 4))
    assert again == held_out != other


@pytest.mark.parametrize("size", [(480, 640), (1080, 1920), (300, 300)])
def test_frames_keep_their_shape(tmp_path: Path, size: tuple[int, int]) -> None:
    """Has the view of whole frames the pictures' shape, to a sixteenth, and is it of about 2 · 128² pixels?"""
    H, W = size
    document = {
        "images": [{"id": 1, "file_name": "a.png", "height": H, "width": W}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [9, 9, 90, 90], "keypoints": [50, 60, 2] * 3}
        ],
        "categories": [{"id": 1, "name": "bug", "keypoints": list(BUG.names)}],
    }
    (tmp_path / "labels.json").write_text(json.dumps(document))
    view = fitting_view(coco.load(tmp_path / "labels.json", tmp_path, category=None), None, None, 1.25)
    assert view.name == "frames"
    assert view.size[0] % 16 == view.size[1] % 16 == 0
    assert view.size[1] / view.size[0] == pytest.approx(W / H, rel=0.1)
    assert view.size[0] * view.size[1] == pytest.approx(2 * 128**2, rel=0.15)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--held-out", "0.001"], "leaves nothing on one side"),
        (["--category", "fly"], "no category is called 'fly'"),
        (["--head", "tags"], "head must be one of"),
        (["--learning-rate", "-1"], "learning_rate must be positive"),
        (["--size", "49x64"], "multiples of the stride"),
        (["--mirror", "2"], "mirror must be a probability"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_user_can_mend_is_said_in_a_line(
    labelled: tuple[Path, Path], tmp_path: Path, change: Sequence[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Is wrong input answered by one line that names it, and is nothing written?"""
    command = ["train", *map(str, labelled), str(tmp_path / "run"), *SMALL, *change]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_folder_that_is_no_run(labelled: tuple[Path, Path], tmp_path: Path) -> None:
    """Are a folder without a network and a network of the course's own refused, with what to do?"""
    with pytest.raises(FileNotFoundError, match="posecourse train"):
        practice.evaluate(tmp_path, *labelled)
    shipped = paths.data_path("crowd_128.safetensors")
    with pytest.raises(train.CheckpointError, match="how pictures are brought before it"):
        practice.evaluate(shipped, *labelled)


def test_labels_of_other_keypoints_are_refused(trained: Path, tmp_path: Path) -> None:
    """Is a data set of another skeleton refused, with both skeletons named?"""
    other = replace(bugs(2, seed=0), skeleton=Skeleton(("head", "right_wing", "left_wing")))
    labels = coco.save(other, tmp_path / "other", category="bug")
    with pytest.raises(coco.CocoError, match="head, left_wing, right_wing; the file has head, right_wing, left_wing"):
        practice.evaluate(trained, labels, tmp_path / "other", device="cpu")
