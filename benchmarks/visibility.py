"""Train with three answers to a missing label, for careful and for hurried annotators: the table of lesson 04.

    python -m benchmarks.visibility            # about twelve minutes on one core
    python -m benchmarks.visibility --seeds 1  # a look

Writes `data/visibility.json`, one row a run, and goes on where it was interrupted: delete the file to begin again. The
lesson runs some of the rows once more and holds them against the others.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from posecourse import losses, metrics, models, people, seeding, train
from posecourse.samples import Sample, concatenate

__all__ = ["hurried", "main", "planned", "run", "world"]

TABLE = Path(__file__).resolve().parent.parent / "data" / "visibility.json"
FAMILIES = ("stand", "walk", "cheer", "wave", "reach")
ARMS = ("corner", "zero", "mask", "head")
SHARES = (0.0, 0.25, 0.5)
THRESHOLDS = tuple(step / 20 for step in range(1, 20))
STEPS, LONG = 350, 1400
LONG_ARMS, LONG_SEEDS = ("zero", "mask"), 2


def world(count: int, seed: int) -> Sample:
    """Draw people of whom two thirds are cut off by the picture's border, and some stand behind something."""
    random = seeding.generator(seed)
    options: dict[str, Any] = {"occluders": 0.35, "truncation": 0.6, "margin": (0.03, 0.12), "facing": 0.9}
    return people.render(people.draw_scenes(count, random, poses=FAMILIES, **options), (64, 64))


def hurried(sample: Sample, share: float, seed: int) -> Sample:
    """Return what annotators in a hurry write down: any keypoint may be left out, and what is left out is (0, 0, 0)."""
    left_out = torch.rand(sample.visibility.shape, generator=seeding.generator(seed)) < share
    visibility = torch.where(left_out, 0, sample.visibility)
    keypoints = torch.where((visibility > 0)[..., None], sample.keypoints, 0)
    return replace(sample, visibility=visibility, keypoints=keypoints)


def network_of(arm: str, seed: int) -> models.PoseNetwork:
    """Return a new network: all arms of one seed have the same backbone."""
    head: models.HeadName = "visibility" if arm == "head" else "heatmap"
    return models.build(head, width=8, sigma=1.5, generator=seeding.generator(seed))


def loss_of(arm: str, head: Any) -> Callable[[Any, Sample], Tensor]:
    """Return the loss of one arm."""

    def loss(answer: Any, sample: Sample) -> Tensor:
        if arm == "head":
            each = head.heatmap_loss(answer, sample)
            seen = head.visibility_loss(answer, sample).mean()
            return losses.masked_mean(each, sample.labelled) + head.weight * seen
        target = head.target(answer, sample)
        if arm == "zero":
            target = target * sample.labelled[..., None, None]
        each = losses.heatmap_mse(answer.heatmaps, target)
        counts = {"mask": sample.labelled, "seen": sample.visible}.get(arm, torch.ones_like(sample.labelled))
        return losses.masked_mean(each, counts)

    return loss


def scored(network: models.PoseNetwork, sample: Sample) -> dict[str, Any]:
    """Return what a network does with keypoints that can be seen, are hidden, or lie outside of the picture."""
    with torch.no_grad():
        answer = network(sample.images)
    found = network.head.read(answer)
    near = metrics.pck(found.keypoints_px, sample.keypoints, sample.boxes[:, 2:].amax(-1).clamp(min=1), 0.1)
    outside = sample.visibility == 0
    cut = outside.any(-1)
    cells = network.head.in_cells(sample.keypoints).round().long()
    row, column = cells[..., 1].clamp(0, 15), cells[..., 0].clamp(0, 15)
    heights = answer.heatmaps.flatten(-2).gather(-1, (16 * row + column)[..., None])[..., 0]
    to_corner = found.keypoints_px.norm(dim=-1) < 8
    kept = [found.scores >= threshold for threshold in THRESHOLDS]
    return {
        "pck": float(near[sample.visible].float().mean()),
        "pck_hidden": float(near[sample.visibility == 1].float().mean()),
        "height": float(heights[sample.visible].mean()),
        "corner_height": float(answer.heatmaps[..., 0, 0][sample.labelled].mean()),
        "in_corner": float(to_corner[sample.visible].float().mean()),
        "outside_in_corner": float(to_corner[outside].float().mean()),
        "score": float(found.scores[sample.visible].mean()),
        "found": [float((near & k)[sample.visible].float().mean()) for k in kept],
        "false": [float((outside & k).sum() / cut.sum()) for k in kept],
    }


def run(data: Sample, held_out: Sample, arm: str, share: float, steps: int, seed: int) -> dict[str, Any]:
    """Train one network and return its row of the table."""
    network, labelled = network_of(arm, seed), hurried(data, share, 500 + seed)
    loss, config = loss_of(arm, network.head), train.TrainConfig(steps=steps)
    history = train.fit(network, labelled, loss, config, generator=seeding.generator(100 + seed), device="cpu")
    row = {"arm": arm, "share": share, "steps": steps, "seed": seed, "seconds": history.training_seconds}
    return {name: _rounded(value) for name, value in {**row, **scored(network, held_out)}.items()}


def planned(seeds: int) -> Iterator[tuple[str, float, int, int]]:
    """Yield (arm, share, steps, seed) of every row: all arms at all shares, and some trained four times as long."""
    for seed in range(seeds):
        yield from ((arm, share, STEPS, seed) for share in SHARES for arm in ARMS)
        yield "seen", 0.0, STEPS, seed  # hidden keypoints are masked as well
        yield from ((arm, max(SHARES), LONG, seed) for arm in LONG_ARMS if seed < LONG_SEEDS)


def _rounded(value: Any) -> Any:
    if isinstance(value, list):
        return [round(entry, 4) for entry in value]
    return round(value, 4) if isinstance(value, float) else value


def main() -> None:
    """Run what the table lacks, and write it after each row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    seeds = parser.parse_args().seeds
    torch.set_num_threads(1)
    data = concatenate([world(128, seed) for seed in range(8)])
    held_out = concatenate([world(128, seed) for seed in (100, 101, 102)])
    rows: list[dict[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8")) if TABLE.is_file() else []
    known = {(row["arm"], row["share"], row["steps"], row["seed"]) for row in rows}
    for asked in planned(seeds):
        if asked in known:
            continue
        rows.append(run(data, held_out, *asked))
        TABLE.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
