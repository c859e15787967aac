"""Train every head with equal budgets, on several amounts of data, from several seeds: the table of lesson 01.

    python -m benchmarks.representations            # about ten minutes on one core
    python -m benchmarks.representations --seeds 1  # a look

Writes `data/representations.json`, one row a run, and goes on where it was interrupted: delete the file to begin again.
The lesson runs two of the rows once more and holds them against the others.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from posecourse import models, people, seeding, train
from posecourse.samples import Sample, concatenate

__all__ = ["main", "run", "world"]

TABLE = Path(__file__).resolve().parent.parent / "data" / "representations.json"
FAMILIES = ("stand", "walk", "cheer", "jump", "wave", "reach")
HEADS: tuple[models.HeadName, ...] = ("pooled", "grid", "integral", "offset", "heatmap")
SIZES = (128, 512)
SHIFTS = (6, 12)
CONFIG = train.TrainConfig(steps=300)


def world(count: int, seed: int, low: float, high: float) -> Sample:
    """Draw people whose middle is between `low` and `high` pixels right of the picture's, 64 pixels wide."""
    random = seeding.generator(seed)
    scenes = people.draw_scenes(count, random, poses=FAMILIES, occluders=0, truncation=0, margin=(0.22, 0.27))
    x = 0.5 + (low + (high - low) * torch.rand(count, generator=random)) / 64
    return people.render(people.placed(scenes, torch.stack([x, torch.full_like(x, 0.5)], dim=-1)), (64, 64))


def run(head: models.HeadName, data: Sample, held_out: Sample, shifted: list[Sample], seed: int) -> dict[str, Any]:
    """Train one network and return its row of the table."""
    network = models.build(head, width=8, generator=seeding.generator(seed))
    history = train.fit(network, data, config=CONFIG, generator=seeding.generator(100 + seed), device="cpu")
    scores = train.evaluate(network, held_out)
    row = {
        "head": head, "images": len(data), "seed": seed, "parameters": models.parameter_counts(network).total,
        "seconds": history.training_seconds, "pck": scores.pck(0.1), "pck_05": scores.pck(0.05),
        "error_px": scores.mean_error_px(), "rmse_px": scores.rmse_px(),
        "pck_shifted": [round(train.evaluate(network, sample).pck(0.1), 4) for sample in shifted],
    }  # fmt: skip
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in row.items()}


def main() -> None:
    """Run what the table lacks, and write it after each row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    seeds = parser.parse_args().seeds
    everything = concatenate([world(128, block, -14, 0) for block in range(max(SIZES) // 128)])
    held_out = concatenate([world(128, seed, -14, 0) for seed in (100, 101)])
    shifted = [world(128, 100, shift, shift) for shift in SHIFTS]
    rows: list[dict[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8")) if TABLE.is_file() else []
    known = {(row["head"], row["images"], row["seed"]) for row in rows}
    for size, seed, head in ((size, seed, head) for size in SIZES for seed in range(seeds) for head in HEADS):
        if (head, size, seed) in known:
            continue
        rows.append(run(head, everything[:size], held_out, shifted, seed))
        TABLE.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
