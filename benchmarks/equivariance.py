"""Networks that should turn with the picture, at one price: lesson 07's table.

    python -m benchmarks.equivariance            # about fifteen minutes on one core
    python -m benchmarks.equivariance --seeds 1  # a look
    python -m benchmarks.equivariance --prices   # what a step of each costs here, the least of several turns

Writes `data/equivariance.json`, one row a training, and the networks of two of them, `data/turned_64.safetensors` and
`data/c4_64.safetensors`; goes on where it was interrupted: delete the table to begin again. All learn from the same
upright people; a seed stands for first weights and batches. Steps are such that each training costs as much as
`plain`'s, in CPU seconds on one thread, augmentation included; `times` is how often that price is paid. The lesson
trains a sixth plain network and holds it against the five.
"""

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from posecourse import equivariance, models, people, seeding, train, transforms
from posecourse.samples import Sample, concatenate
from posecourse.shapes import Estimator
from posecourse.train.run import Augmentation

__all__ = [
    "ANYHOW", "ARMS", "SHIPPED", "SIZE", "TABLE", "Arm", "crossed", "disc", "error", "main", "mirror_error",
    "network", "prices", "quarters", "row", "trained", "world",
]  # fmt: skip

TABLE = Path(__file__).resolve().parent.parent / "data" / "equivariance.json"
SIZE = (64, 64)
ANGLES = (0, 20, 45, 90)
SHIPPED = {"quarters_3": TABLE.with_name("turned_64.safetensors"), "c4_3": TABLE.with_name("c4_64.safetensors")}
"""The arms whose first networks the lesson loads, and their files."""


def quarters(sample: Sample, generator: torch.Generator) -> Sample:
    """Turn each picture by a quarter, a half, three quarters or not at all."""
    return transforms.rotate_sample(sample, 90.0 * torch.randint(4, (len(sample),), generator=generator))


ANYHOW = train.Augment(mirror=0, degrees=180, scale=0, shift=0)


class Arm(NamedTuple):
    """One way to train.

    Args:
        steps: how many batches cost as much as `plain`'s.
        backbone: of `models.build`.
        width: of that.
        augment: what is done to a batch.
        times: how often that price is paid.
    """

    steps: int
    backbone: models.BackboneName = "unet"
    width: int = 8
    augment: Augmentation | None = None
    times: int = 1


ARMS: Mapping[str, Arm] = {
    "plain": Arm(430),
    "quarters": Arm(310, augment=quarters),
    "any": Arm(310, augment=ANYHOW),
    "c4": Arm(150, "c4", 4),
    "quarters_3": Arm(930, augment=quarters, times=3),
    "c4_3": Arm(450, "c4", 4, times=3),
}


def world(first: int, batches: int) -> Sample:
    """Draw people of 64 pixels, upright, with so much room about them that they can be turned."""
    drawn = []
    for seed in range(first, first + batches):
        scenes = people.draw_scenes(
            128, seeding.generator(seed), occluders=0.2, truncation=0.0, facing=0.8, margin=(0.08, 0.2)
        )
        drawn.append(people.render(scenes, SIZE))
    return concatenate(drawn)


def network(arm: Arm, seed: int) -> models.PoseNetwork:
    """Return an untrained network."""
    return models.build("heatmap", SIZE, width=arm.width, backbone=arm.backbone, generator=seeding.generator(seed))


def trained(arm: Arm, seed: int, data: Sample) -> models.PoseNetwork:
    """Return a network that has learnt from these people; the seed stands for its weights and its batches."""
    model, random = network(arm, seed), seeding.generator(100 + seed)
    config = train.TrainConfig(steps=arm.steps)
    train.fit(model, data, config=config, augment=arm.augment, generator=random, device="cpu", progress=False)
    return model


def error(model: Estimator, sample: Sample, degrees: float) -> Tensor:
    """Return how far its answers to turned pictures are off, in pixels: of labelled keypoints that stay inside (n)."""
    truth = equivariance.turn_keypoints(sample.keypoints, degrees, SIZE)
    found = model.predict(equivariance.turn(sample.images, degrees))
    return (found - truth).norm(dim=-1)[sample.labelled & transforms.inside(truth, SIZE)]


def crossed(model: Estimator, sample: Sample) -> float:
    """Return the share of answers nearer to the keypoint of the other side than to their own, of those with a twin."""
    swap = torch.tensor(sample.skeleton.swap)
    found, twin = model.predict(sample.images), sample.keypoints[:, swap]
    both = sample.labelled & sample.labelled[:, swap] & (swap != torch.arange(len(swap)))
    return float(((found - twin).norm(dim=-1) < (found - sample.keypoints).norm(dim=-1))[both].float().mean())


def disc() -> Tensor:
    """Return (H W), 1 in the largest circle of the picture and 0 outside: what is in it no turn takes away."""
    H, W = SIZE
    y, x = torch.arange(H) - (H - 1) / 2, torch.arange(W) - (W - 1) / 2
    return ((x**2 + y[:, None] ** 2).sqrt() < min(SIZE) / 2 - 1).float()


def mirror_error(model: Estimator, sample: Sample, *, swap: bool) -> float:
    """Return ‖f(Mx) − M f(x)‖ in pixels for the mirror M, with or without the exchange of sides."""
    expected = transforms.flip_keypoints(model.predict(sample.images), SIZE, sample.skeleton)
    if not swap:
        expected = expected[:, list(sample.skeleton.swap)]
    return float((model.predict(sample.images.flip(-1)) - expected).norm(dim=-1)[sample.labelled].mean())


def row(model: models.PoseNetwork, sample: Sample) -> dict[str, Any]:
    """Return what a network is worth, upright and turned, alone and averaged over the group."""
    started = time.process_time()
    model.predict(sample.images)
    values: dict[str, Any] = {"milliseconds": 1000 * (time.process_time() - started) / len(sample)}
    images, mask = sample.images, sample.labelled
    for degrees in ANGLES:
        off = error(model, sample, degrees)
        values[f"error_{degrees}"], values[f"median_{degrees}"] = float(off.mean()), float(off.median())
        if degrees:
            moved = equivariance.equivariance_error(model, images, degrees, keypoints=sample.keypoints)
            values[f"moved_{degrees}"] = float(moved[mask].nanmean())
    for name, pictures in (("floor_45", images), ("disc_45", images * disc())):
        moved = equivariance.resampling_error(model, pictures, 45, keypoints=sample.keypoints)
        values[name] = float(moved[mask].nanmean())
    four = equivariance.group_average(model)
    values |= {f"group_{degrees}": float(error(four, sample, degrees).mean()) for degrees in (0, 45)}
    values |= {"mirror": mirror_error(model, sample, swap=True), "unswapped": mirror_error(model, sample, swap=False)}
    return values | {"crossed": crossed(model, sample)}


def prices(turns: int = 8, steps: int = 6) -> dict[str, float]:
    """Return milliseconds of CPU time that a step of each arm costs: the least of several turns, arm after arm."""
    data = world(0, 1)
    networks = {name: network(arm, 0) for name, arm in ARMS.items()}
    least = dict.fromkeys(ARMS, float("inf"))
    for _ in range(turns):
        for name, arm in ARMS.items():
            started, config = time.process_time(), train.TrainConfig(steps=steps)
            train.fit(
                networks[name], data, config=config, augment=arm.augment, generator=seeding.generator(0), device="cpu",
                progress=False,
            )  # fmt: skip
            least[name] = min(least[name], 1000 * (time.process_time() - started) / steps)
    return least


def main() -> None:
    """Train every network and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--prices", action="store_true")
    asked = parser.parse_args()
    if asked.prices:
        for name, price in prices().items():
            print(f"{name}: {price:.1f} ms a step, {price * ARMS[name].steps / 1000 / ARMS[name].times:.1f} s")
        return
    data, test = world(0, 8), world(900, 3)
    rows: list[dict[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8")) if TABLE.is_file() else []
    for seed in range(asked.seeds):
        for name, arm in ARMS.items():
            if any((known["arm"], known["seed"]) == (name, seed) for known in rows):
                continue
            started = time.process_time()
            model = trained(arm, seed, data)
            seconds = time.process_time() - started
            said = {"arm": name, "seed": seed, "steps": arm.steps, "times": arm.times, "seconds": seconds}
            values = said | row(model, test)
            if name in SHIPPED and seed == 0:
                train.save_network(SHIPPED[name], model, command="python -m benchmarks.equivariance", score=values)
            rows.append({key: round(value, 4) if isinstance(value, float) else value for key, value in values.items()})
            TABLE.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
