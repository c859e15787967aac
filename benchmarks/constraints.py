"""Train with and without a loss on the limbs' lengths, and project afterwards: the table of lesson 09.

    python -m benchmarks.constraints            # about five minutes on one core
    python -m benchmarks.constraints --seeds 1  # a look

Writes `data/constraints.json`, one row a run, and goes on where it was interrupted: delete the file to begin again. The
lesson runs two of the rows once more and holds them against the others.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from posecourse import constraints, losses, metrics, models, people, seeding, train
from posecourse.samples import Sample, concatenate
from posecourse.skeletons import COCO17

__all__ = [
    "BODY", "after", "body", "camera_bounds", "crossed", "left_by_kind", "limb_weighted", "main", "run",
    "seen_by_limbs", "world",
]  # fmt: skip

TABLE = Path(__file__).resolve().parent.parent / "data" / "constraints.json"
BODY = [limb for limb in COCO17.limbs if min(limb) >= 5]
"""Twelve limbs over twelve keypoints: arms, legs, and the torso's four sides."""

WEIGHTS = (0.0, 0.1, 0.3, 1.0)
STEPS, SWEEPS = 400, 30


def world(count: int, seed: int) -> Sample:
    """Draw people alone in their pictures; few are cut off."""
    random = seeding.generator(seed)
    return people.render(people.draw_scenes(count, random, occluders=0.2, truncation=0.1), (64, 64))


def body(sample: Sample) -> Tensor:
    """Return which keypoints count here: labelled, and not of the face."""
    return sample.labelled & (torch.arange(17) >= 5)


def camera_bounds(sample: Sample, *, joints: bool) -> Tensor:
    """Return the longest that each limb can be seen (B E), from its true length, the camera and the distance.

    ℓ ≤ f·L·√(1 + ‖q‖²)/Z with q = (X, Y)/Z of one end and Z of the other: Cauchy and Schwarz.

    Args:
        sample: people with their places in space.
        joints: whether the place of each joint is known, or Z of the person's nearest one and ‖q‖ of the outermost.
    """
    assert sample.keypoints_3d is not None
    assert sample.camera is not None
    lengths = constraints.limb_lengths(sample.keypoints_3d, BODY)
    depth = sample.keypoints_3d[..., 2]
    slant = (1 + (sample.keypoints_3d[..., :2] / depth[..., None]).square().sum(-1)).sqrt()
    if not joints:
        depth, slant = depth.amin(-1, keepdim=True).expand_as(depth), slant.amax(-1, keepdim=True).expand_as(slant)
    a, b = ([limb[end] for limb in BODY] for end in (0, 1))
    nearest = torch.minimum(slant[:, b] / depth[:, a], slant[:, a] / depth[:, b])
    return sample.camera[:, :1, 0] * lengths * nearest


def limb_weighted(head: Any, weight: float) -> Callable[[Any, Sample], Tensor]:
    """Return the loss of the places, plus `weight` times that of the lengths, both in cells."""

    def loss(answer: Any, sample: Sample) -> Tensor:
        truth, labelled = head.truth_in_cells(sample), sample.labelled
        places = losses.masked_mean(head.distance(answer.keypoints_cell, truth), labelled)
        limbs = constraints.limb_loss(answer.keypoints_cell, truth, BODY, labelled)
        return places + weight * losses.masked_mean(limbs, constraints.limb_mask(labelled, BODY))

    return loss


def seen_by_limbs(errors: Tensor, truth: Tensor, mask: Tensor) -> float:
    """Return which share of the squared error changes a limb's length to first order; ½ for noise without order.

    ‖P·e‖² / ‖e‖², P the projection onto the rows of the Jacobian of all lengths at the truth.
    """
    whole = mask[:, 5:].all(-1)
    e, points = errors[whole][:, 5:].double().flatten(1), truth[whole].double()
    rows = torch.zeros(len(points), len(BODY), 17, 2, dtype=torch.float64)
    for i, (a, b) in enumerate(BODY):
        unit = torch.nn.functional.normalize(points[:, b] - points[:, a], dim=-1)
        rows[:, i, b], rows[:, i, a] = unit, -unit
    inverse = torch.linalg.pinv(rows[:, :, 5:].flatten(2))  # (B 24 E)
    seen = inverse @ (rows[:, :, 5:].flatten(2) @ e[..., None])
    return float(seen.square().sum() / e.square().sum())


def left_by_kind(errors: Tensor, sample: Sample, factor: float, seed: int) -> dict[str, float]:
    """Return the share of the squared error that an oracle's lengths leave, for three kinds of error of one size.

    `noise` has no order; `dealt` has each keypoint's error from another person, drawn by lot; `network` is as it is.
    Only people whose body is whole take part. All are multiplied by `factor` first.
    """
    random, kept = seeding.generator(seed), body(sample)[:, 5:].all(-1)
    whole, own = sample[kept], errors[kept]
    size = own[:, 5:].square().mean().sqrt()
    deals = [own[torch.randperm(len(own), generator=random), k] for k in range(own.shape[1])]
    kinds = {"noise": size * torch.randn(own.shape, generator=random), "dealt": torch.stack(deals, 1), "network": own}
    lengths = constraints.limb_lengths(whole.keypoints, BODY)
    shares = {}
    for name, kind in kinds.items():
        moved = after(whole.keypoints + factor * kind, whole, lengths, "equal") - whole.keypoints
        shares[name] = float(moved[:, 5:].square().sum() / (factor * kind)[:, 5:].square().sum())
    return shares


def crossed(errors: Tensor, sample: Sample) -> dict[str, float]:
    """Return which share of the keypoints is twice as near to the other side's as to their own, and of the squares."""
    kept = body(sample)[:, 5:].all(-1)
    truth, own = sample.keypoints[kept], errors[kept]
    to_twin = metrics.keypoint_error(truth + own, truth[:, list(sample.skeleton.swap)])
    over = (2 * to_twin < own.norm(dim=-1))[:, 5:]
    squares = own.square().sum(-1)[:, 5:]
    return {"crossed": float(over.float().mean()), "crossed_part": float((squares * over).sum() / squares.sum())}


def after(found: Tensor, sample: Sample, lengths: Tensor, bound: str) -> Tensor:
    """Return keypoints whose limbs have been drawn to their lengths, one after the other, many times."""
    lengths = lengths.clamp(min=0.1)
    return constraints.iterate_limbs(found, BODY, lengths, SWEEPS, bound=bound, mask=body(sample))  # type: ignore[arg-type]


def scored(network: models.PoseNetwork, sample: Sample, share_of_height: Tensor) -> dict[str, float]:
    """Return a network's errors on the body, before and after four ways of imposing lengths."""
    found, mask = network.detect(sample.images).keypoints_px, body(sample)
    seen = constraints.limb_lengths(sample.keypoints, BODY)
    both = constraints.limb_mask(mask, BODY)
    made = constraints.limb_lengths(found, BODY)
    usual = share_of_height * sample.boxes[:, 3:]
    ways = {
        "before": found,
        "oracle": after(found, sample, seen, "equal"),
        "joints": after(found, sample, camera_bounds(sample, joints=True), "upper"),
        "camera": after(found, sample, camera_bounds(sample, joints=False), "upper"),
        "usual": after(found, sample, usual, "equal"),
    }
    row = {
        "limb_rms": float((made - seen)[both].square().mean().sqrt()),
        "shrunk": float(made[both].sum() / seen[both].sum()),
        "seen_by_limbs": seen_by_limbs(found - sample.keypoints, sample.keypoints, mask),
    }
    for size, factor in (("full", 1.0), ("small", 0.03)):
        shares = left_by_kind(found - sample.keypoints, sample, factor, seed=0)
        row |= {f"{kind}_{size}": share for kind, share in shares.items()}
    row |= crossed(found - sample.keypoints, sample)
    for name, points in ways.items():
        errors = metrics.keypoint_error(points, sample.keypoints)[mask]
        row[f"mse_{name}"], row[f"mean_{name}"] = float(errors.square().mean()), float(errors.mean())
    return row


def usual_shares(data: Sample) -> Tensor:
    """Return each limb's mean seen length as a share of the box's height, over the people who are whole: (E)."""
    whole = body(data)[:, 5:].all(-1)
    return (constraints.limb_lengths(data.keypoints, BODY) / data.boxes[:, 3:].clamp(min=1))[whole].mean(0)


def run(data: Sample, held_out: Sample, weight: float, seed: int) -> dict[str, Any]:
    """Train one network and return its row of the table."""
    network = models.build("integral", width=8, generator=seeding.generator(seed))
    config, random = train.TrainConfig(steps=STEPS), seeding.generator(100 + seed)
    loss = limb_weighted(network.head, weight)
    history = train.fit(network, data, loss, config, generator=random, device="cpu")
    row = {"weight": weight, "seed": seed, "seconds": history.training_seconds}
    scores = scored(network, held_out, usual_shares(data))
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in (row | scores).items()}


def main() -> None:
    """Run what the table lacks, and write it after each row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=6)
    seeds = parser.parse_args().seeds
    torch.set_num_threads(1)
    data = concatenate([world(128, seed) for seed in range(8)])
    held_out = concatenate([world(128, seed) for seed in (100, 101, 102)])
    rows: list[dict[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8")) if TABLE.is_file() else []
    known = {(row["weight"], row["seed"]) for row in rows}
    for seed in range(seeds):
        for weight in WEIGHTS:
            if (weight, seed) in known:
                continue
            rows.append(run(data, held_out, weight, seed))
            TABLE.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
