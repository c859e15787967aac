"""Train every head with equal budgets, on several amounts of data, from several seeds: the table of lesson 01.

    python -m benchmarks.representations            # about eleven minutes on one core
    python -m benchmarks.representations --seeds 1  # a look

Writes `data/representations.json`, one row a run, and goes on where it was interrupted: delete the file to begin again.
The lesson runs two of the rows once more and holds them against the others.

Beside the heads of `models` there is "unshared": the heatmap head with weights of its own in every cell. It decides
whether heatmaps owe what they do to weights that all cells share, or to a loss in every cell.
"""

import argparse
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from posecourse import models, people, seeding, train
from posecourse.samples import Sample, concatenate

__all__ = ["main", "run", "world"]

TABLE = Path(__file__).resolve().parent.parent / "data" / "representations.json"
FAMILIES = ("stand", "walk", "cheer", "jump", "wave", "reach")
HEADS = ("pooled", "grid", "integral", "offset", "heatmap", "unshared")
SIZES = (128, 512)
SHIFTS = (6, 12)
STEPS = 300
LONGER = tuple(itertools.product(("grid", "heatmap"), (max(SIZES),), (2 * STEPS,)))


class Task(NamedTuple):
    """What one row of the table is about; no two rows have the same."""

    head: str
    images: int
    steps: int
    seed: int


class Unshared(nn.Module):
    """A 1×1 convolution with weights of its own in every cell, damped as the heatmap head's is.

    Args:
        channels: C of the features.
        keypoints: K.
        size: (h, w) in cells.
    """

    def __init__(self, channels: int, keypoints: int, size: tuple[int, int]) -> None:
        super().__init__()
        bound = channels**-0.5  # torch's own start of a 1×1 convolution
        self.weight = nn.Parameter(torch.empty(keypoints, channels, *size).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(keypoints, *size).uniform_(-bound, bound))
        self.gain = bound

    def forward(self, features: Float[Tensor, "B C h w"]) -> Float[Tensor, "B K h w"]:
        """Return the maps."""
        return self.gain * (torch.einsum("bchw,kchw->bkhw", features, self.weight) + self.bias)


def world(count: int, seed: int, low: float, high: float) -> Sample:
    """Draw people whose middle is between `low` and `high` pixels right of the picture's, 64 pixels wide."""
    random = seeding.generator(seed)
    scenes = people.draw_scenes(count, random, poses=FAMILIES, occluders=0, truncation=0, margin=(0.22, 0.27))
    x = 0.5 + (low + (high - low) * torch.rand(count, generator=random)) / 64
    return people.render(people.placed(scenes, torch.stack([x, torch.full_like(x, 0.5)], dim=-1)), (64, 64))


def network(head: str, seed: int) -> models.PoseNetwork:
    """Return a new network; all that have one seed begin with the same backbone."""
    name: Any = "heatmap" if head == "unshared" else head
    built = models.build(name, width=8, generator=seeding.generator(seed))
    if head == "unshared":
        with seeding.fork(seeding.generator(1000 + seed)):
            built.head.heatmaps = Unshared(built.backbone.channels, 17, (16, 16))
    return built


def run(task: Task, data: Sample, held_out: Sample, shifted: list[Sample]) -> dict[str, Any]:
    """Train one network and return its row of the table."""
    trained, learnt = network(task.head, task.seed), data[: task.images]
    config, random = train.TrainConfig(steps=task.steps), seeding.generator(100 + task.seed)
    history = train.fit(trained, learnt, config=config, generator=random, device="cpu")
    scores = train.evaluate(trained, held_out)
    row = task._asdict() | {
        "parameters": models.parameter_counts(trained).total, "seconds": history.training_seconds,
        "pck": scores.pck(0.1), "pck_05": scores.pck(0.05), "pck_learnt": train.evaluate(trained, learnt).pck(0.1),
        "error_px": scores.mean_error_px(), "rmse_px": scores.rmse_px(),
        "pck_shifted": [round(train.evaluate(trained, sample).pck(0.1), 4) for sample in shifted],
    }  # fmt: skip
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in row.items()}


def tasks(seeds: int) -> Iterator[Task]:
    """Yield what is to be run: every head on every amount of data, and twice as long where the lesson asks for it."""
    plan = [(head, images, STEPS) for images in SIZES for head in HEADS]
    for seed, (head, images, steps) in itertools.product(range(seeds), (*plan, *LONGER)):
        yield Task(head, images, steps, seed)


def key(row: dict[str, Any]) -> Task:
    """Return what a row is about; one without `steps` is from before there were two numbers of them."""
    return Task(row["head"], row["images"], row.get("steps", STEPS), row["seed"])


def main() -> None:
    """Run what the table lacks, and write it after each row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    seeds = parser.parse_args().seeds
    everything = concatenate([world(128, block, -14, 0) for block in range(max(SIZES) // 128)])
    held_out = concatenate([world(128, seed, -14, 0) for seed in (100, 101)])
    shifted = [world(128, 100, shift, shift) for shift in SHIFTS]
    rows: list[dict[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8")) if TABLE.is_file() else []
    known = {key(row) for row in rows}
    for task in tasks(seeds):
        if task not in known:
            rows.append(run(task, everything, held_out, shifted))
            TABLE.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
