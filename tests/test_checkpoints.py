"""Checkpoints: resumed bit for bit, never half written, never executed, and right about what they hold."""

import json
import os
import pickle
import signal
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from posecourse import models, seeding, train
from posecourse.samples import Sample
from posecourse.skeletons import Skeleton

CONFIG = train.TrainConfig(epochs=3, batch_size=4, learning_rate=1e-2, checkpoint_every=2)
STEPS = 6  # of that run: 11 images are 2 batches of 4


def data(count: int = 11) -> Sample:
    """Return noise images with keypoints inside."""
    random = seeding.generator(0)
    return Sample(
        images=torch.rand(count, 3, 8, 12, generator=random),
        keypoints=torch.rand(count, 2, 2, generator=random) * torch.tensor([11.0, 7.0]),
        visibility=torch.full((count, 2), 2, dtype=torch.uint8),
        boxes=torch.tensor([0.5, 1.5, 10.0, 5.0]).repeat(count, 1),
        areas=torch.full((count,), 50.0),
        skeleton=Skeleton(("left_eye", "right_eye")),
    )


def network(**options: Any) -> models.PoseNetwork:
    """Return a tiny network with dropout."""
    recipe: dict[str, Any] = {"size": (8, 12), "keypoints": 2, "width": 2, "dropout": 0.3} | options
    return models.build(**recipe, generator=seeding.generator(0))


def new_run(config: train.TrainConfig = CONFIG, images: int = 11, **options: Any) -> train.Run:
    """Return a run at its beginning."""
    return train.Run(network(**options), config, seeding.generator(1), images)


def advance(run: train.Run, steps: int) -> train.Run:
    """Take some steps, with dropout and augmentation."""
    run.model.train()
    for _ in range(steps):
        run.advance(data(), run.model.head.loss, train.Augment())
    run.settle()
    return run


def tensors(run: train.Run) -> dict[str, Tensor]:
    """Return every tensor that a run's future depends on."""
    found = dict(run.model.state_dict()) | {"generator": run.generator.get_state()}
    for index, state in run.optimizer.state_dict()["state"].items():
        found |= {f"{index}.{name}": value for name, value in state.items()}
    return found


def same(a: train.Run, b: train.Run) -> bool:
    """Return whether two runs agree in every bit."""
    one, other = tensors(a), tensors(b)
    curves = a.history.loss == b.history.loss and a.history.learning_rate == b.history.learning_rate
    return (
        a.step == b.step and curves and one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)
    )


@pytest.mark.parametrize("channels_last", [True, False])
def test_a_resumed_run_is_the_uninterrupted_one(tmp_path: Path, channels_last: bool) -> None:
    """Saved and loaded after any step, in the middle of an epoch too, does a run end with the same bits?"""
    config = train.TrainConfig(epochs=3, batch_size=4, learning_rate=1e-2, channels_last=channels_last)
    whole = advance(new_run(config), STEPS)
    for step in range(STEPS + 1):
        file = tmp_path / f"{step}.safetensors"
        train.save_checkpoint(file, advance(new_run(config), step))
        resumed = new_run(config)
        resumed.generator.manual_seed(99)  # what it is before does not matter
        train.load_checkpoint(file, resumed)
        assert resumed.step == step
        assert same(advance(resumed, STEPS - step), whole), step


@pytest.mark.parametrize("head", [*models.HEADS, "tags"])
def test_every_head_resumes(tmp_path: Path, head: models.HeadName) -> None:
    """Is the state of every kind of network in the file?"""
    whole = advance(new_run(head=head), 4)
    train.save_checkpoint(tmp_path / "run", advance(new_run(head=head), 3))
    resumed = new_run(head=head)
    train.load_checkpoint(tmp_path / "run", resumed)
    assert same(advance(resumed, 1), whole)


class CrashError(Exception):
    """What ends a run in the tests."""


def fit(file: Path | None, crash_at: int | None = None, config: train.TrainConfig = CONFIG, **options: Any) -> Any:
    """Train, and crash or press Ctrl-C in the middle of a step."""
    model, calls = network(), []

    def augment(sample: Sample, generator: torch.Generator) -> Sample:
        calls.append(1)
        if len(calls) == crash_at:
            if options.get("ctrl_c"):
                signal.raise_signal(signal.SIGINT)
            else:
                raise CrashError
        return train.Augment()(sample, generator)

    history = train.fit(
        model, data(), config=config, generator=seeding.generator(1), validation=data(5), augment=augment,
        checkpoint=file, device="cpu",
    )  # fmt: skip
    return model.state_dict(), history, len(calls)


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """Return whether two models agree in every bit."""
    return all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize("crash_at", range(1, STEPS + 1))
def test_fit_takes_up_where_it_was(tmp_path: Path, crash_at: int) -> None:
    """After a crash in any step, does the same call lose at most two steps and end with the same bits?"""
    expected, history, _ = fit(None)
    file = tmp_path / "new folder" / "run.safetensors"
    with pytest.raises(CrashError):
        fit(file, crash_at)
    weights, resumed, steps_taken = fit(file)
    assert equal(weights, expected)
    assert resumed.loss == history.loss
    assert resumed.validation == history.validation
    assert steps_taken <= STEPS - (crash_at - 1) + (crash_at - 1) % CONFIG.checkpoint_every
    again, _, steps_taken = fit(file)
    assert steps_taken == 0  # it is finished
    assert equal(again, expected)


def test_ctrl_c_leaves_a_usable_checkpoint(tmp_path: Path) -> None:
    """Does Ctrl-C in the middle of a step finish it, save it, and lose nothing at all?"""
    expected, _, _ = fit(None)
    file = tmp_path / "run.safetensors"
    config = train.TrainConfig(epochs=3, batch_size=4, learning_rate=1e-2, checkpoint_every=1000)
    with pytest.raises(KeyboardInterrupt):
        fit(file, 3, config, ctrl_c=True)
    weights, _, steps_taken = fit(file, None, config)
    assert steps_taken == STEPS - 3
    assert equal(weights, expected)


# Killed in earnest


KILLED = Path(__file__).parent / "killed_runs.py"
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="a process is forked and killed: not on Windows")


@needs_fork
def test_a_killed_run_loses_only_what_it_has_not_saved(tmp_path: Path) -> None:
    """Killed (SIGKILL) many times at random moments, does a run go on from its last checkpoint to the same bits?

    POSECOURSE_KILLS=2000 makes it a long test.
    """
    kills = os.environ.get("POSECOURSE_KILLS", "25")
    done = subprocess.run([sys.executable, KILLED, tmp_path, kills], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["kills"] == int(kills)
    assert report["most_lost"] <= report["checkpoint_every"]
    assert report["different"] == 0
    assert any(report["lost"])  # some were killed in earnest


@pytest.fixture(scope="module")
def killed_while_saving(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What became of runs that were killed while they saved, one for each stage."""
    command = [sys.executable, KILLED, tmp_path_factory.mktemp("killed"), "saving"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@needs_fork
@pytest.mark.parametrize("moment", ["half written", "before the rename", "after the rename"])
def test_killed_while_saving(killed_while_saving: dict[str, dict[str, Any]], moment: str) -> None:
    """Killed at each stage of writing a checkpoint, is there the old one or the new one, and never a broken one?"""
    report = killed_while_saving[moment]
    assert report["kills"] == 1
    assert report["resumed_at"] == (6 if moment == "after the rename" else 3)
    assert report["different"] == 0


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_failed_save_leaves_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    """Where the disk is full, is the last good checkpoint still there?"""
    file, run = tmp_path / "run.safetensors", advance(new_run(), 2)
    train.save_checkpoint(file, run)
    before = file.read_bytes()

    def full(*_: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, broken, full)
    with pytest.raises(OSError, match="no space left"):
        train.save_checkpoint(file, advance(run, 1))
    assert file.read_bytes() == before


# What is in the file


def test_a_checkpoint_is_numbers_and_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is the file nothing but a header, JSON and the bytes of tensors, and does loading it touch no pickle?"""
    file = tmp_path / "run.safetensors"
    train.save_checkpoint(file, advance(new_run(), 3))
    content = file.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    facts = json.loads(header.pop("__metadata__")["posecourse"])
    assert facts["step"] == 3
    assert len(content) == 8 + length + max(entry["data_offsets"][1] for entry in header.values())

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("something was unpickled")

    for owner, name in ((pickle, "load"), (pickle, "loads"), (pickle, "Unpickler"), (torch, "load")):
        monkeypatch.setattr(owner, name, refuse)
    train.load_checkpoint(file, new_run())
    train.load_network(file)


def checkpoint(folder: Path) -> Path:
    """Return the file of a run after three steps."""
    file = folder / "run.safetensors"
    train.save_checkpoint(file, advance(new_run(), 3))
    return file


def refused(
    file: Path, match: str, error: type[Exception] = train.CheckpointError, run: train.Run | None = None
) -> None:
    """Assert that a file is refused, with its name, and that the run is as it was."""
    run = run or new_run()
    untouched = {name: value.clone() for name, value in tensors(run).items()}
    with pytest.raises(error, match=match) as caught:
        train.load_checkpoint(file, run)
    assert str(file) in str(caught.value)
    assert run.step == 0
    assert all(torch.equal(value, untouched[name]) for name, value in tensors(run).items())


def test_a_file_cut_short(tmp_path: Path) -> None:
    """Is a file that ends early refused, wherever it ends?"""
    file = checkpoint(tmp_path)
    content = file.read_bytes()
    for length in (0, 1, 7, 8, 100, len(content) // 2, len(content) - 1):
        file.write_bytes(content[:length])
        refused(file, "no whole safetensors file")


def test_a_changed_byte(tmp_path: Path) -> None:
    """Is a file with one byte changed refused, in the numbers as well as in the text?"""
    file = checkpoint(tmp_path)
    content = file.read_bytes()
    for place in (0, 20, 300, 2000, len(content) * 3 // 4, len(content) - 1):
        file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        refused(file, "no whole safetensors file|not those that were written")


def test_files_of_another_kind(tmp_path: Path) -> None:
    """Does each file that is no checkpoint get an error that says what it is?"""
    file = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(3)}, file)
    refused(file, "was not written by posecourse")
    file.write_text("not a checkpoint")
    refused(file, "no whole safetensors file")
    train.save_network(file, network())
    refused(file, "a network without its training")
    refused(tmp_path / "missing", "no checkpoint at", FileNotFoundError)


def test_a_checkpoint_of_another_run(tmp_path: Path) -> None:
    """Does each difference between the file's run and this one get an error that names it?"""
    file = checkpoint(tmp_path)
    mismatch = train.CheckpointMismatchError
    refused(
        file,
        r"recipe is {'head': 'heatmap'}, and this run's is {'head': 'integral'}",
        mismatch,
        new_run(head="integral"),
    )
    refused(file, r"recipe is {'sigma': 1.0}, and this run's is {'sigma': 1.5}", mismatch, new_run(sigma=1.5))
    longer = train.TrainConfig(epochs=4, batch_size=4, learning_rate=1e-2)
    refused(file, r"config is {'epochs': 3}, and this run's is {'epochs': 4}", mismatch, new_run(longer))
    refused(file, "images is 11, and this run's is 12", mismatch, new_run(images=12))


def test_a_checkpoint_of_another_module(tmp_path: Path) -> None:
    """Are modules without a recipe told apart by the names and shapes of their tensors?"""
    file = tmp_path / "run.safetensors"
    train.save_checkpoint(file, train.Run(nn.Linear(3, 2), CONFIG, seeding.generator(1), 11))
    train.load_checkpoint(file, train.Run(nn.Linear(3, 2), CONFIG, seeding.generator(1), 11))
    other = train.Run(nn.Linear(3, 4), CONFIG, seeding.generator(1), 11)
    refused(
        file, r"2 of its tensors do not fit.*bias: \(2,\) in the file, \(4,\)", train.CheckpointMismatchError, other
    )
    with pytest.raises(train.CheckpointError, match="does not say how its network is built"):
        train.load_network(file)


def test_how_often_it_is_saved_may_change(tmp_path: Path) -> None:
    """Can a run be taken up with checkpoints at other steps?"""
    config = train.TrainConfig(epochs=3, batch_size=4, learning_rate=1e-2, checkpoint_every=5)
    run = new_run(config)
    train.load_checkpoint(checkpoint(tmp_path), run)
    assert run.step == 3


# A network alone


@pytest.mark.parametrize("head", [*models.HEADS, "tags"])
def test_a_network_comes_back(tmp_path: Path, head: models.HeadName) -> None:
    """Is a network built again from its file, ready to predict the same, from a checkpoint too?"""
    trained = advance(new_run(head=head), 3)
    trained.model.eval()
    train.save_network(tmp_path / "network", trained.model, pck=0.5, made_by="a test")
    train.save_checkpoint(tmp_path / "run", trained)
    for name in ("network", "run"):
        again = train.load_network(tmp_path / name)
        assert again.recipe == trained.model.recipe
        assert not again.training
        assert all(torch.equal(value, trained.model.state_dict()[key]) for key, value in again.state_dict().items())
        # Another memory layout: the last bits of the sums differ.
        assert torch.allclose(again.predict(data().images), trained.model.predict(data().images), atol=1e-4)
    assert train.network_notes(tmp_path / "network") == {"pck": 0.5, "made_by": "a test"}
    with pytest.raises(train.CheckpointError, match="no notes"):
        train.network_notes(tmp_path / "run")


def test_a_network_without_a_recipe_is_not_shipped(tmp_path: Path) -> None:
    """Is a network that could not be built again refused before anything is written?"""
    backbone = models.UNet(2)
    by_hand = models.PoseNetwork(backbone, models.HeatmapHead(backbone.channels, 2))
    with pytest.raises(ValueError, match=r"models\.build"):
        train.save_network(tmp_path / "network", by_hand)
    assert not (tmp_path / "network").exists()
