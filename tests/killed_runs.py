"""Train in processes that are killed: `killed_runs.py FOLDER KILLS` or `killed_runs.py FOLDER saving`.

One process imports everything and never trains; it forks the ones that train, kills each with SIGKILL at a random
moment, forks the next one to go on, and compares the bits when the run is through. Prints a report as JSON.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from posecourse import models, seeding, train
from posecourse.samples import Sample
from posecourse.skeletons import Skeleton

MOMENTS = ("half written", "before the rename", "after the rename")
CONFIG = train.TrainConfig(steps=40, batch_size=4, learning_rate=1e-2, checkpoint_every=3)


def data() -> Sample:
    """Return noise images with keypoints inside."""
    source = seeding.generator(0)
    return Sample(
        images=torch.rand(26, 3, 8, 12, generator=source),
        keypoints=torch.rand(26, 2, 2, generator=source) * torch.tensor([11.0, 7.0]),
        visibility=torch.full((26, 2), 2, dtype=torch.uint8),
        boxes=torch.tensor([0.5, 1.5, 10.0, 5.0]).repeat(26, 1),
        areas=torch.full((26,), 50.0),
        skeleton=Skeleton(("left_eye", "right_eye")),
    )


def train_to_the_end(checkpoint: Path, diary: Path) -> None:
    """Take the run up from its checkpoint; the diary gets a byte for each step that is finished, at once."""
    network = models.build(
        size=(8, 12), keypoints=2, width=2, dropout=0.3, generator=seeding.generator(0)
    )  # fmt: skip
    steps = os.open(diary, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(sample: Sample, generator: torch.Generator) -> Sample:
        os.write(steps, b".")  # a step begins
        return train.Augment()(sample, generator)

    train.fit(
        network,
        data(),
        config=CONFIG,
        generator=seeding.generator(1),
        augment=note,
        checkpoint=checkpoint,
        device="cpu",
    )


def forked(work: Callable[..., None], *arguments: object) -> int:
    """Return the number of a new process that does `work(*arguments)` and ends."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work(*arguments)
        code = 0
    finally:
        os._exit(code)


def ended_well(child: int) -> bool:
    """Wait for a process and return whether it ended by itself.

    Raises:
        RuntimeError: it failed.
    """
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return False
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError("a training process failed; see above.")
    return True


def state(checkpoint: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return what a file holds."""
    return train.files.read(checkpoint)


def different(checkpoint: Path, expected: Path) -> int:
    """Return how many tensors, losses and learning rates of two finished runs differ in any bit."""
    (one, facts), (other, truth) = state(checkpoint), state(expected)
    assert one.keys() == other.keys()
    curves = [facts["history"][name] != truth["history"][name] for name in ("loss", "learning_rate")]
    return sum(not torch.equal(one[name], other[name]) for name in one) + sum(curves)


def kill_at_random(folder: Path, kills: int) -> dict[str, Any]:
    """Train again and again, killing, until there were enough kills."""
    expected, dice = folder / "expected", random.Random(0)
    start = time.monotonic()
    ended_well(forked(train_to_the_end, expected, folder / "diary"))
    duration = time.monotonic() - start
    lost: list[int] = []
    wrong = 0
    while len(lost) < kills:
        checkpoint = folder / f"run after {len(lost)} kills"
        finished = False
        while not finished:
            seconds = dice.uniform(0, 0.6 * duration) if len(lost) < kills else None
            finished, steps = go_on(checkpoint, folder / "diary", seconds)
            lost += [] if finished else [steps]
        wrong += different(checkpoint, expected)
    every = CONFIG.checkpoint_every
    return {"kills": len(lost), "most_lost": max(lost), "checkpoint_every": every, "different": wrong, "lost": lost}


def go_on(checkpoint: Path, diary: Path, seconds: float | None) -> tuple[bool, int]:
    """Take a run up, kill it after some seconds, if any; return whether it came to its end, and the steps lost."""
    diary.unlink(missing_ok=True)
    begun = steps_in(checkpoint)
    child = forked(train_to_the_end, checkpoint, diary)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    finished = ended_well(child)
    begun += diary.stat().st_size if diary.exists() else 0
    return finished, begun - steps_in(checkpoint)


def steps_in(checkpoint: Path) -> int:
    """Return how far the run of a file is, which must be readable whenever it is there."""
    return int(state(checkpoint)[1]["step"]) if checkpoint.exists() else 0


def kill_while_saving(folder: Path) -> dict[str, Any]:
    """Kill a run at each stage of its second checkpoint, and take it up again; a report for each stage."""
    expected = folder / "expected"
    ended_well(forked(train_to_the_end, expected, folder / "diary"))
    return {moment: killed_at(moment, folder, expected) for moment in MOMENTS}


def killed_at(moment: str, folder: Path, expected: Path) -> dict[str, Any]:
    """Kill a run at one stage of its second checkpoint, take it up again, and compare it with one that was let be."""
    checkpoint = folder / moment
    child = forked(die_while_saving, moment, checkpoint, folder / "diary")
    kills = int(not ended_well(child))
    resumed_at = state(checkpoint)[1]["step"]
    ended_well(forked(train_to_the_end, checkpoint, folder / "diary"))
    return {"kills": kills, "resumed_at": resumed_at, "different": different(checkpoint, expected)}


def die_while_saving(moment: str, checkpoint: Path, diary: Path) -> None:
    """Train, and kill this very process while it writes its second checkpoint."""
    replace, sync, renamed = os.replace, os.fsync, []

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def dying_sync(file: int) -> None:
        if renamed and moment == "half written":
            os.ftruncate(file, os.fstat(file).st_size // 2)
            die()
        sync(file)

    def dying_replace(source: Path, target: Path) -> None:
        if renamed and moment == "before the rename":
            die()
        replace(source, target)
        renamed.append(target)
        if len(renamed) == 2 and moment == "after the rename":
            die()

    # The folder is synchronised too: only a file can be cut in half.
    os.replace, os.fsync = (
        dying_replace,
        lambda file: dying_sync(file) if os.path.isfile(f"/dev/fd/{file}") else sync(file),
    )
    train_to_the_end(checkpoint, diary)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.optim.AdamW([torch.zeros(1)])  # the first optimizer of a process imports for seconds: before the forks
    where, what = Path(sys.argv[1]), sys.argv[2]
    print(json.dumps(kill_at_random(where, int(what)) if what.isdigit() else kill_while_saving(where)))
