"""Networks with dropout, from several seeds: is where their samples scatter where they are wrong?

    python -m benchmarks.dropout            # about fifteen minutes on one core
    python -m benchmarks.dropout --seeds 1  # a look
    python -m benchmarks.dropout --longer   # the four networks of 2000 steps alone, the other rows as they stand

Writes `data/dropout.json`, lesson 08's table, one row a network or an ensemble. The network is lesson 06's, two heads
on one backbone, with dropout. It learns from people who do not squat, bend or lunge, and is asked about people like
those, about people with something in front of them and without it, about squatting, bending and lunging ones, and about
people in a quarter of the light. The lesson trains the first row's network once more.

Errors are in pixels along an axis, RMS over both axes and the labelled keypoints; distances are over both.
"""

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from benchmarks.fusion import peak_variances, rms, rounded
from posecourse import calibration, models, people, seeding, train, uncertainty
from posecourse.people.poses import FAMILIES
from posecourse.samples import Sample, concatenate

__all__ = ["LONGER", "STEPS", "Sayings", "asked", "drawn", "main", "network", "row", "together", "worlds"]

TABLE = Path(__file__).resolve().parent.parent / "data" / "dropout.json"
STEPS = 500
LONGER = 2000
"""Steps that cost as much as the four trainings of an ensemble."""
SIZE = (64, 64)
UNSEEN = ("squat", "bend", "lunge")
SEEN = tuple(family for family in FAMILIES if family not in UNSEEN)
LEVELS = (0.5, 0.9, 0.95)
GROSS = 10.0
"""A distance beyond so many pixels is gross: another limb's place."""
SAMPLES = 20
MEMBERS = 4
PLACES = {"deep": 0.2, "features": 0.2, "every": 0.1}
COUNTS = {1000: 8, 250: 4, 4000: 4}


class Sayings(NamedTuple):
    """What is said S times of a sample's n labelled keypoints: by one network with dropout, or by several without.

    Args:
        truth: (n 2) where they are.
        points: (S n 2) the heatmap head's places.
        heights: (S n) of its peaks.
        other: (S n 2) the places that the other head regresses.
        variances: (S n 2) that the other head predicts.
        joints: (n) which keypoint of the body it is.
        owners: (n) whose.
    """

    truth: Tensor
    points: Tensor
    heights: Tensor
    other: Tensor
    variances: Tensor
    joints: Tensor
    owners: Tensor


def drawn(first: int, batches: int, light: float = 1.0, **options: Any) -> Sample:
    """Draw people of 64 pixels, by default those that networks learn from; the light is a factor."""
    options = {"occluders": 0.3, "truncation": 0.1, "facing": 0.8, "margin": (0.05, 0.2), "poses": SEEN} | options
    parts = []
    for seed in range(first, first + batches):
        scene = people.draw_scenes(128, seeding.generator(seed), **options)
        lamp = scene.light
        lamp = replace(lamp, key=light * lamp.key, sky=light * lamp.sky, bounce=light * lamp.bounce)
        parts.append(people.render(replace(scene, light=lamp), SIZE))
    return concatenate(parts)


def worlds() -> dict[str, Sample]:
    """Return the people that networks are asked about; `bare` and `covered` are the same ones."""
    return {
        "calibrating": drawn(500, 2),
        "same": drawn(900, 4),
        "bare": drawn(920, 2, occluders=0.0),
        "covered": drawn(920, 2, occluders=1.0),
        "poses": drawn(940, 2, poses=UNSEEN),
        "dark": drawn(900, 2, light=0.25),
    }


class Dropping(nn.Module):
    """A backbone with dropout elsewhere: on its `features`, or after `every` block.

    Args:
        backbone: a U-Net without dropout.
        place: where.
        rate: p, for a whole channel.
    """

    stride = 4

    def __init__(self, backbone: models.UNet, place: str, rate: float) -> None:
        super().__init__()
        self.channels = backbone.channels
        blocks = ("up_4",) if place == "features" else ("stride_4", "stride_8", "stride_16", "up_8", "up_4")
        for name in blocks:
            setattr(backbone, name, nn.Sequential(getattr(backbone, name), nn.Dropout2d(rate)))
        self.backbone = backbone

    def forward(self, images: Tensor) -> Tensor:
        """Return the features."""
        features: Tensor = self.backbone(images)
        return features


def network(place: str, rate: float, seed: int) -> models.PoseNetwork:
    """Return an untrained network of a heatmap head and a Gaussian regression on a backbone with dropout."""
    with seeding.fork(seeding.generator(seed)):
        backbone: Any = models.UNet(8, rate if place == "deep" else 0.0)
        heatmap = models.HeatmapHead(backbone.channels, 17, backbone.stride)
        gaussian = models.GaussianRegression(backbone.channels, 17, SIZE, backbone.stride, beta=0.5)
    if place != "deep":
        backbone = Dropping(backbone, place, rate)
    return models.PoseNetwork(backbone, models.PairHead(heatmap, gaussian, 0.003))


def trained(place: str, rate: float, seed: int, data: Sample, steps: int = STEPS) -> models.PoseNetwork:
    """Return a network that has learnt from these people; the seed stands for its weights, batches and masks."""
    model, config = network(place, rate, seed), train.TrainConfig(steps=steps)
    train.fit(model, data, config=config, generator=seeding.generator(100 + seed), device="cpu", progress=False)
    return model.eval()


def asked(model: models.PoseNetwork, sample: Sample, samples: int = SAMPLES) -> tuple[Sayings, Sayings]:
    """Return what both heads say of the labelled keypoints, once without dropout, and so many times with it."""
    head: Any = model.head

    def read(images: Tensor) -> tuple[Tensor, ...]:
        answer = model(images)
        first, second = head.first.read(answer.first), head.second.read(answer.second)
        return first.keypoints_px, first.scores, second.keypoints_px, head.second.variances_px(answer.second)

    mask = sample.labelled
    joints = torch.arange(17).expand(mask.shape)[mask]
    owners = torch.arange(len(sample))[:, None].expand(mask.shape)[mask]

    def gathered(answers: list[tuple[Tensor, ...]]) -> Sayings:
        parts = (torch.stack(part)[:, mask] for part in zip(*answers, strict=True))
        return Sayings(sample.keypoints[mask], *parts, joints, owners)

    with torch.no_grad():
        once = gathered([read(sample.images)])
        if not any(isinstance(layer, nn.Dropout2d) and layer.p for layer in model.modules()):
            return once, once
        with uncertainty.dropout_active(model), seeding.fork(seeding.generator(7)):
            return once, gathered([read(sample.images) for _ in range(samples)])


def together(members: Sequence[Sayings]) -> tuple[Sayings, Sayings]:
    """Return what an ensemble of networks without dropout says: their mean, and all of it."""
    parts = [torch.cat(part) for part in zip(*(member[1:5] for member in members), strict=True)]
    first = members[0]
    every = Sayings(first.truth, *parts, first.joints, first.owners)
    return every._replace(**{name: getattr(every, name).mean(0, keepdim=True) for name in every._fields[1:5]}), every


def some(said: Sayings, chosen: Tensor) -> Sayings:
    """Return what is said of the chosen keypoints."""
    parts = {name: getattr(said, name)[:, chosen] for name in said._fields[1:5]}
    return said._replace(**parts, truth=said.truth[chosen], joints=said.joints[chosen], owners=said.owners[chosen])


def sizes(once: Sayings, every: Sayings) -> dict[str, float]:
    """Return how large errors are, and how large each part of the doubt."""
    error, away = once.points[0] - once.truth, (once.points[0] - once.truth).norm(dim=-1)
    split = uncertainty.split_uncertainty(every.points, peak_variances(every.heights))
    other = uncertainty.split_uncertainty(every.other, every.variances)
    return {
        "rms": rms(error), "mean_rms": rms(every.points.mean(0) - once.truth), "median": float(away.median()),
        "gross": float((away > GROSS).float().mean()),
        "epistemic": float(split.epistemic.mean().sqrt()), "aleatoric": float(split.aleatoric.mean().sqrt()),
        "epistemic_median": float(split.epistemic.mean(-1).median().sqrt()),
        "height": float(once.heights.mean()),
        "other_rms": rms(once.other[0] - once.truth),
        "other_epistemic": float(other.epistemic.mean().sqrt()),
        "other_aleatoric": float(other.aleatoric.mean().sqrt()),
    }  # fmt: skip


def doubts(once: Sayings, every: Sayings, calibrating: tuple[Sayings, Sayings]) -> dict[str, tuple[Tensor, Tensor]]:
    """Return pairs of distance (n) and doubt (n), whose order is to be compared; the constant is each joint's error."""
    away, other = ((part[0] - once.truth).norm(dim=-1) for part in (once.points, once.other))
    split = uncertainty.split_uncertainty(every.points, peak_variances(every.heights))
    regressed = uncertainty.split_uncertainty(every.other, every.variances)
    known = (calibrating[0].points[0] - calibrating[0].truth).norm(dim=-1)
    usual = torch.stack([known[calibrating[0].joints == joint].mean() for joint in range(17)])
    return {
        "spread": (away, split.epistemic.sum(-1)), "peak": (away, -once.heights[0]),
        "total": (away, (split.epistemic + split.aleatoric).sum(-1)), "constant": (away, usual[once.joints]),
        "other_spread": (other, regressed.epistemic.sum(-1)), "other_own": (other, regressed.aleatoric.sum(-1)),
        "other_peak": (other, -once.heights[0]),
        "other_total": (other, (regressed.epistemic + regressed.aleatoric).sum(-1)),
    }  # fmt: skip


def ranks(away: Tensor, doubt: Tensor, joints: Tensor) -> dict[str, float]:
    """Return what the order of a doubt is worth, over all keypoints, within a joint, and for those flagged first."""
    tenth = doubt.argsort(descending=True)[: len(doubt) // 10]
    left = away.clone()
    left[tenth] = 0.0
    gross = away > GROSS
    within = uncertainty.rank_correlation(away, doubt, joints)
    return {
        "pooled": uncertainty.rank_correlation(away, doubt),
        "within": 0.0 if math.isnan(within) else within,  # a constant has no order
        "ause": float(uncertainty.ause(away, doubt)),
        "caught": float(gross[tenth].sum() / gross.sum()),
        "corrected": float((left.square().mean() / away.square().mean()).sqrt()),
    }


def ellipses(every: Sayings, floor: float = 0.01) -> dict[str, Tensor]:
    """Return covariances (n 2 2) in square pixels, as claimed; the floor is (0.1 px)²."""
    spread = uncertainty.sample_covariance(every.points) + floor * torch.eye(2)
    noise = torch.diag_embed(peak_variances(every.heights).mean(0))
    return {"spread": spread, "total": spread + noise, "peak": noise}


def scores(once: Sayings, covariance: Tensor) -> Tensor:
    """Return (n) how many σ each answer is off: √(eᵀ·Σ⁻¹·e)."""
    error = (once.points[0] - once.truth)[..., None]
    return (error.mT @ torch.linalg.solve(covariance, error))[:, 0, 0].sqrt()


def kept(calibrating: tuple[Sayings, Sayings], said: dict[str, tuple[Sayings, Sayings]]) -> dict[str, Any]:
    """Return how often ellipses hold what they claim: as they are, times one factor, and with a conformal radius."""
    values: dict[str, Any] = {}
    for name, covariance in ellipses(calibrating[1]).items():
        known = scores(calibrating[0], covariance)
        scale = float(known.square().mean() / 2)
        radius = uncertainty.conformal_radius(known, 0.9)
        values[name] = {"scale": scale, "radius": float(radius)}
        for world, (once, every) in said.items():
            claimed = ellipses(every)[name]
            error = once.points[0] - once.truth
            values[name][world] = {
                "raw": calibration.coverage(error, claimed, LEVELS).tolist(),
                "scaled": calibration.coverage(error, scale * claimed, LEVELS).tolist(),
                "conformal": float((scores(once, claimed) <= radius).float().mean()),
            }
    away = (calibrating[0].points[0] - calibrating[0].truth).norm(dim=-1)
    radius = uncertainty.conformal_radius(away, 0.9)
    values["constant"] = {"radius": float(radius)} | {
        world: {"conformal": float(((once.points[0] - once.truth).norm(dim=-1) <= radius).float().mean())}
        for world, (once, _) in said.items()
    }
    return values


def perfect(once: Sayings, scale: float) -> tuple[Tensor, Tensor]:
    """Return distances of normal errors whose variances are what the peaks claim, times the scale, and these doubts."""
    sigma = (scale * peak_variances(once.heights[0])).sqrt()
    error = sigma * torch.randn(sigma.shape, generator=seeding.generator(5))
    return error.norm(dim=-1), sigma[:, 0]


def mean_by(values: Tensor, owners: Tensor) -> Tensor:
    """Return one mean a person."""
    sums = torch.zeros(int(owners.max()) + 1).index_add(0, owners, values)
    return sums / owners.bincount()


def told(usual: Tensor, strange: Tensor) -> float:
    """Return the probability that a strange person has more doubt than a usual one: the area under the ROC curve."""
    return float((strange[:, None] > usual).float().mean() + (strange[:, None] == usual).float().mean() / 2)


def row(said: dict[str, tuple[Sayings, Sayings]], hidden: Tensor) -> dict[str, Any]:
    """Return what the doubts of one network, or of one ensemble, are worth; `hidden` are those that get covered."""
    if len(said["same"][1].points) < 2:  # a network without dropout, alone
        error = said["same"][0].points[0] - said["same"][0].truth
        return {"same": {"rms": rms(error), "median": float(error.norm(dim=-1).median())}}
    values: dict[str, Any] = {name: sizes(*pair) for name, pair in said.items() if name not in ("bare", "covered")}
    for name in ("bare", "covered"):
        values[name] = sizes(*(some(part, hidden) for part in said[name]))
    once, every = said["same"]
    calibrating = said["calibrating"]
    unsure = {world: doubts(*said[world], calibrating) for world in ("same", "poses", "dark")}
    for world, pairs in unsure.items():
        values[f"ranks_{world}"] = {name: ranks(*pair, said[world][0].joints) for name, pair in pairs.items()}
        if world != "same":
            values[f"told_{world}"] = {
                name: told(mean_by(unsure["same"][name][1], once.owners), mean_by(pair[1], said[world][0].owners))
                for name, pair in pairs.items()
            }
    values["kept"] = kept(calibrating, {name: said[name] for name in ("same", "poses", "dark", "covered")})
    values["perfect"] = ranks(*perfect(once, values["kept"]["peak"]["scale"]), once.joints)
    away = (once.points[0] - once.truth).norm(dim=-1)
    for S in (2, 4, 10, SAMPLES):
        if len(every.points) >= S:
            values[f"samples_{S}"] = ranks(away, every.points[:S].var(0).sum(-1), once.joints)
    return values


def written(rows: list[dict[str, Any]]) -> None:
    """Write the rows that there are."""
    text = ",\n".join(json.dumps(rounded(row)) for row in rows)
    TABLE.write_text(f"[\n{text}\n]\n", encoding="utf-8")


def plan(seeds: int | None) -> list[tuple[str, float, int, int]]:
    """Return (place, rate, people, seed) of each network, the lesson's first."""
    runs = [("deep", PLACES["deep"], n, seed) for n in COUNTS for seed in range(seeds or COUNTS[n])]
    others = [("deep", 0.0), ("deep", 0.05), ("deep", 0.5), ("features", 0.2), ("every", 0.1)]
    return runs + [
        (place, rate, 1000, seed) for place, rate in others for seed in range(seeds or (4 if rate == 0 else 2))
    ]


def longer(tested: dict[str, Sample], hidden: Tensor, pool: Sample) -> list[dict[str, Any]]:
    """Return a row for each of four networks with four times as many steps."""
    rows, data = [], pool[:1024]
    for seed in range(MEMBERS):
        model = trained("deep", PLACES["deep"], seed, data, LONGER)
        said = {name: asked(model, sample) for name, sample in (tested | {"seen": data[:256]}).items()}
        known = {"kind": "longer", "place": "deep", "rate": PLACES["deep"], "people": 1000, "seed": seed}
        rows.append(known | row(said, hidden))
        print(rows[-1]["same"]["rms"], rows[-1]["ranks_same"], flush=True)
    return rows


def main() -> None:
    """Train every network and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=None)
    parser.add_argument("--longer", action="store_true")
    asked_for = parser.parse_args()
    seeds = asked_for.seeds
    tested = worlds()
    pool = drawn(0, 32)
    bare, covered = tested["bare"], tested["covered"]
    hidden = (bare.visible & ~covered.visible)[bare.labelled]
    if asked_for.longer:
        others = [row for row in json.loads(TABLE.read_text(encoding="utf-8")) if row["kind"] != "longer"]
        written([*others, *longer(tested, hidden, pool)])
        return
    rows: list[dict[str, Any]] = []
    members: dict[tuple[float, int], list[dict[str, Sayings]]] = {}
    for place, rate, n, seed in plan(seeds):
        data = pool[: {250: 256, 1000: 1024, 4000: 4096}[n]]
        model = trained(place, rate, seed, data)
        said = {name: asked(model, sample) for name, sample in (tested | {"seen": data[:256]}).items()}
        rows.append({"kind": "network", "place": place, "rate": rate, "people": n, "seed": seed} | row(said, hidden))
        if (place, rate) in (("deep", PLACES["deep"]), ("deep", 0.0)):
            group = members.setdefault((rate, n), [])
            group.append({name: once for name, (once, _) in said.items()})
            if len(group) == MEMBERS:
                both = {name: together([member[name] for member in group]) for name in said}
                rows.append({"kind": "ensemble", "rate": rate, "people": n, "seed": seed} | row(both, hidden))
                group.clear()
        written(rows)
    written([*rows, *longer(tested, hidden, pool)])


if __name__ == "__main__":
    main()
