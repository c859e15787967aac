"""Train the temperature of a softmax together with its network, from two starts and several seeds: lesson 03's table.

    python -m benchmarks.learned_temperature            # about four minutes on one core
    python -m benchmarks.learned_temperature --seeds 1  # a look

Writes `data/learned_temperature.json`, one row a run, and goes on where it was interrupted: delete the file to begin
again. The lesson runs one of the rows once more and holds it against the others.
"""

import argparse
import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from posecourse import calibration, coords, decode, heatmaps, losses, models, people, seeding, train
from posecourse.samples import Sample, concatenate

__all__ = ["SharpNetwork", "main", "run", "world"]

TABLE = Path(__file__).resolve().parent.parent / "data" / "learned_temperature.json"
FAMILIES = ("stand", "walk", "cheer", "jump", "wave", "reach")
STARTS = (1.0, 0.05)
FACTORS = (0.25, 0.35, 0.5, 0.7, 0.85, 1.0, 1.2, 1.4, 2.0, 2.8, 4.0)
CONFIG = train.TrainConfig(steps=300, learning_rate=5e-3)
STRIDE = 4.0


class Answer(NamedTuple):
    """The maps before the softmax, the distribution, its mean."""

    maps: Tensor
    probabilities: Tensor
    points_cell: Tensor


class SharpNetwork(nn.Module):
    """Integral regression whose temperature is trained; with `fixed` maps of mean 0 and standard deviation 1.

    Adam moves no parameter by more than the learning rate a step. So T = exp(10·u), with u what is trained: ten times
    as far in the logarithm as any weight goes.
    """

    def __init__(self, start: float, fixed: bool, generator: torch.Generator) -> None:
        super().__init__()
        with seeding.fork(generator):
            self.backbone = models.UNet(8)
            self.layer = nn.Conv2d(self.backbone.channels, 17, 1)
        self.u, self.fixed = nn.Parameter(torch.tensor(math.log(start) / 10)), fixed

    @property
    def temperature(self) -> Tensor:
        """T."""
        return (10 * self.u).exp()

    def forward(self, images: Tensor) -> Answer:
        """Answer to images (B 3 H W)."""
        maps = self.layer(self.backbone(images))
        if self.fixed:
            maps = maps - maps.mean((-2, -1), keepdim=True)
            maps = maps / (maps.std((-2, -1), keepdim=True) + 1e-6)
        p = heatmaps.spatial_softmax(maps, self.temperature)
        return Answer(maps, p, decode.soft_argmax(p).points)

    def predict(self, images: Tensor) -> Tensor:
        """Return keypoints in pixels."""
        with torch.no_grad(), models.evaluating(self):
            return coords.cells_to_pixels(self(images).points_cell, STRIDE)


def world(count: int, seed: int) -> Sample:
    """Draw people without anything in front of them, 64 pixels wide."""
    scenes = people.draw_scenes(
        count, seeding.generator(seed), poses=FAMILIES, occluders=0, truncation=0, margin=(0.1, 0.2)
    )
    return people.render(scenes, (64, 64))


def distance(answer: Answer, sample: Sample) -> Tensor:
    """Return how far the mean is from the truth, in cells: the only thing that is trained."""
    return losses.smooth_l1(answer.points_cell, coords.pixels_to_cells(sample.keypoints, STRIDE))


def run(start: float, fixed: bool, data: Sample, held_out: Sample, seed: int) -> dict[str, Any]:
    """Train one network and return its row of the table."""
    network, path = SharpNetwork(start, fixed, seeding.generator(seed)), [start]

    def loss(answer: Answer, sample: Sample) -> Tensor:
        path.append(float(network.temperature.detach()))
        return distance(answer, sample)

    train.fit(network, data, loss, CONFIG, generator=seeding.generator(100 + seed), device="cpu", progress=False)
    with torch.no_grad():
        answer, labelled = network(held_out.images), held_out.labelled
    truth = coords.pixels_to_cells(held_out.keypoints, STRIDE)
    T = float(network.temperature.detach())
    tried = decode.best_temperature(answer.maps[labelled], truth[labelled], [T * factor for factor in FACTORS])
    variances = decode.spatial_covariance(answer.probabilities).diagonal(dim1=-2, dim2=-1)
    row = {
        "start": start, "fixed": fixed, "seed": seed, "temperature": T,
        "sharpness": float(answer.maps[labelled].std((-2, -1)).mean()) / T,
        "best": tried.best / T, "errors_px": [round(STRIDE * e, 3) for e in tried.errors.tolist()],
        "spread_px": STRIDE * float(variances[labelled].mean().sqrt()),
        "variance_scale": float(calibration.variance_scale(answer.points_cell - truth, variances, labelled)),
        "pck": train.evaluate(network, held_out).pck(0.1),
        "path": [round(value, 4) for value in [*path[1::20], T]],
    }  # fmt: skip
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in row.items()}


def main() -> None:
    """Run what the table lacks, and write it after each row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    seeds = parser.parse_args().seeds
    data = concatenate([world(128, seed) for seed in range(4)])
    held_out = concatenate([world(128, seed) for seed in (100, 101)])
    rows: list[dict[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8")) if TABLE.is_file() else []
    known = {(row["start"], row["fixed"], row["seed"]) for row in rows}
    for seed, fixed, start in (
        (seed, fixed, start) for seed in range(seeds) for fixed in (True, False) for start in STARTS
    ):
        if (start, fixed, seed) in known:
            continue
        rows.append(run(start, fixed, data, held_out, seed))
        TABLE.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
