"""Train the network for crowds that the course ships: `python -m tools.crowds`, five CPU minutes on one core.

It learns heatmaps and tags together, on rendered crowds of two to four people, from nothing. Goes on where it was
interrupted; `--score` only scores what is shipped; `--seed 2` trains another one, on other crowds from other weights,
and writes it elsewhere: to see how much of a score is luck.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from posecourse import coco, metrics, models, paths, people, seeding, train
from posecourse.samples import Sample
from tools.data import DATA

__all__ = ["FILE", "HELD_OUT", "held_out", "main", "score", "world"]

FILE = DATA / "crowd_128.safetensors"
WORLD: dict[str, Any] = {"people": (2, 4), "facing": 0.8, "occluders": 0.1, "truncation": 0.1}
SIZE = (128, 128)
IMAGES, CONFIG = 4096, train.TrainConfig(epochs=12)
HELD_OUT = (256, 9001)  # images and seed


def world(count: int, seed: int, **options: Any) -> people.PeopleDataset:
    """Return the crowds that it is trained on: most of the people face us, few are cut off or behind something."""
    return people.PeopleDataset(count, SIZE, seed=seed, **{**WORLD, **options})


def held_out(count: int, seed: int, **options: Any) -> Sample:
    """Return crowds to score on: of whom nothing shows, nobody can find, so they are not there."""
    sample = world(count, seed, **options).sample()
    return replace(sample, present=sample.areas > 0, person_ids=None)  # numbered from 1, as COCO's evaluation needs


def mirrored(sample: Sample, generator: torch.Generator) -> Sample:
    """Mirror half of the images; of what a sample knows only the labels come along, which saves time."""
    plain = replace(sample, person_map=None, camera=None, keypoints_3d=None, attributes={})
    return train.Augment(mirror=0.5, degrees=0, scale=0, shift=0)(plain, generator)


def score(network: models.PoseNetwork) -> dict[str, float]:
    """Return COCO's average precision and recall on the held-out crowds."""
    sample = held_out(*HELD_OUT)
    found = metrics.coco_average_precision(coco.truth(sample), train.crowd_results(network, sample))
    return {"AP": round(found.AP, 4), "AP50": round(found.AP50, 4), "AR": round(found.AR, 4)}


def written(file: Path, seed: int) -> Path:
    """Train a network, score it, write it, and return where it is; a seed stands for weights, crowds and batches."""
    network = models.build("tags", SIZE, generator=seeding.generator(seed))
    history = train.fit(
        network, world(IMAGES, seed), config=CONFIG, generator=seeding.generator(seed + 1), augment=mirrored,
        checkpoint=paths.cache_path() / f"{file.stem}.partial.safetensors", device="cpu", progress=True,
    )  # fmt: skip
    seconds = round(history.data_seconds + history.training_seconds)
    command = "python -m tools.crowds" + f" --seed {seed}" * (seed != 0)
    train.save_network(file, network, command=command, world=WORLD, score=score(network), cpu_seconds=seconds)
    return file


def main() -> int:
    """Train, score, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--score", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.score:
        print(score(train.load_network(FILE)))
    elif arguments.seed == 0:
        print(train.network_notes(written(FILE, 0)))
    else:
        file = written(paths.cache_path() / f"{FILE.stem}.seed_{arguments.seed}.safetensors", arguments.seed)
        print(file, train.network_notes(file))
    return 0


if __name__ == "__main__":
    sys.exit(main())
