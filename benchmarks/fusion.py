"""Two heads on one backbone, trained from several seeds: how their errors hang together, and what fusing them brings.

    python -m benchmarks.fusion            # about seven minutes on one core
    python -m benchmarks.fusion --seeds 1  # a look

Writes `data/fusion.json`, lesson 06's table, one row a run; with β = ½ each is also paired with a network that has seen
other people. The lesson trains one of the rows once more and holds it against the spread of the others. Errors are
along an axis, in pixels, RMS over both axes and all labelled keypoints.
"""

import argparse
import json
from pathlib import Path
from typing import Any, NamedTuple

import torch
from scipy.stats import spearmanr
from torch import Tensor

from posecourse import calibration, coords, decode, fusion, models, people, seeding, train, transforms
from posecourse.samples import Sample, concatenate

__all__ = [
    "CONFIG",
    "Opinions",
    "correlation",
    "main",
    "network",
    "opinions",
    "peak_variances",
    "row",
    "width_variances",
]

TABLE = Path(__file__).resolve().parent.parent / "data" / "fusion.json"
CONFIG = train.TrainConfig(steps=500)
BETAS = (0.5, 0.0, 1.0)
SIZE = (64, 64)
STRIDE = 4
RADII = (4, 2, 16)
CORE = 10.0
"""Beyond so many pixels an error is gross: a tenth of it is another limb's place."""


class Opinions(NamedTuple):
    """What both heads say of a sample: errors and variances (2 n 2), the heatmap head first; its peaks (n).

    `widths` (3 n 2) are the heatmaps' variances by their second moment, in windows of `RADII`.
    """

    errors: Tensor
    variances: Tensor
    widths: Tensor
    peaks: Tensor
    joints: Tensor


def world(first: int, batches: int) -> Sample:
    """Draw people of 64 pixels, a third of them with something in front."""
    drawn = []
    for seed in range(first, first + batches):
        scenes = people.draw_scenes(
            128, seeding.generator(seed), occluders=0.3, truncation=0.1, facing=0.8, margin=(0.05, 0.2)
        )
        drawn.append(people.render(scenes, SIZE))
    return concatenate(drawn)


def network(beta: float, seed: int, weight: float = 0.003) -> models.PoseNetwork:
    """Return an untrained network of a heatmap head and a Gaussian regression on one backbone."""
    with seeding.fork(seeding.generator(seed)):
        backbone = models.UNet(8)
        heatmap = models.HeatmapHead(backbone.channels, 17, backbone.stride)
        gaussian = models.GaussianRegression(backbone.channels, 17, SIZE, backbone.stride, beta=beta)
        return models.PoseNetwork(backbone, models.PairHead(heatmap, gaussian, weight))


def trained(beta: float, seed: int, data: Sample) -> models.PoseNetwork:
    """Return a network that has learnt from these people; the seed stands for its weights and its batches."""
    model = network(beta, seed)
    train.fit(model, data, config=CONFIG, generator=seeding.generator(100 + seed), device="cpu", progress=False)
    return model


def peak_variances(heights: Tensor) -> Tensor:
    """Return (… 2) square pixels: τ² = σ²·(1/h − 1), which a blob of height h has been averaged over; σ is one cell."""
    tau2 = 1 / heights.clamp(0.05, 0.95) - 1
    return STRIDE**2 * tau2[..., None].expand(*heights.shape, 2)


def width_variances(maps: Tensor, radius: int = 4, floor: float = 0.1) -> Tensor:
    """Return (… 2) square pixels: the second moment around the largest cell less the blob's, of x and of y."""
    H, W = maps.shape[-2:]
    top = maps.flatten(-2).argmax(-1)
    across = (torch.arange(W) - (top % W)[..., None]).abs() <= radius
    down = (torch.arange(H) - (top // W)[..., None]).abs() <= radius
    window = torch.where(down[..., :, None] & across[..., None, :], maps.clamp(min=0), 0)
    moments = decode.spatial_covariance(window).diagonal(dim1=-2, dim2=-1)
    return STRIDE**2 * (moments - 1).clamp(min=floor)


def opinions(model: models.PoseNetwork, sample: Sample) -> Opinions:
    """Return what both heads say of the labelled keypoints."""
    head: Any = model.head
    with torch.no_grad():
        answer = model(sample.images)
    first, second, mask = head.first.read(answer.first), head.second.read(answer.second), sample.labelled
    points = torch.stack([first.keypoints_px, second.keypoints_px])
    variances = torch.stack([peak_variances(first.scores), head.second.variances_px(answer.second)])
    joints = torch.arange(17).expand(mask.shape)[mask]
    widths = torch.stack([width_variances(answer.first.heatmaps, radius)[mask] for radius in RADII])
    return Opinions((points - sample.keypoints)[:, mask], variances[:, mask], widths, first.scores[mask], joints)


def rms(errors: Tensor) -> float:
    """Return the root of the mean square, along an axis."""
    return float(errors.square().mean().sqrt())


def correlation(first: Tensor, second: Tensor) -> float:
    """Return Pearson's ρ of two errors without subtracting means: what counts for a mean square error."""
    return float((first * second).mean() / (first.square().mean() * second.square().mean()).sqrt())


def ranks(error: Tensor, doubt: Tensor, joints: Tensor) -> tuple[float, float]:
    """Return Spearman's rank correlation over all keypoints, and the mean of those within each joint."""
    within = [spearmanr(error[joints == k], doubt[joints == k]).statistic for k in range(17)]
    return float(spearmanr(error, doubt).statistic), sum(map(float, within)) / 17


def fused(test: Opinions, variances: Tensor, rho: float) -> dict[str, float]:
    """Return measured and promised RMS of the rules, for errors (2 n 2) with these variances and a correlation."""
    naive = fusion.inverse_variance(test.errors, variances)
    sigma = variances.sqrt().movedim(0, -1)
    C = sigma[..., :, None] * sigma[..., None, :] * torch.tensor([[1.0, rho], [rho, 1.0]])
    blue, weights = fusion.correlated(test.errors, C), fusion.best_weights(C)
    clipped = weights.clamp(min=0) / weights.clamp(min=0).sum(-1, keepdim=True)
    return {
        "naive": rms(naive.mean), "naive_promise": float(naive.variance.mean().sqrt()),
        "blue": rms(blue.mean), "blue_promise": float(blue.variance.mean().sqrt()),
        "negative": float((weights < 0).any(-1).float().mean()),
        "clipped": rms((clipped * test.errors.movedim(0, -1)).sum(-1)),
        "naive_median": float(naive.mean.norm(dim=-1).median()),
    }  # fmt: skip


def flipped(model: models.PoseNetwork, sample: Sample) -> Tensor:
    """Return the heatmap head's keypoints as seen in the mirror, brought back."""
    mirrored = model.predict(sample.images.flip(-1))
    return transforms.flip_keypoints(mirrored, SIZE, sample.skeleton)


def rescaled(model: models.PoseNetwork, sample: Sample, side: int = 80) -> Tensor:
    """Return the heatmap head's keypoints on pictures of another size, brought back."""
    larger = torch.nn.functional.interpolate(sample.images, size=(side, side), mode="bilinear", align_corners=False)
    head: Any = model.head
    painter = models.PoseNetwork(model.backbone, head.first)  # the other head takes one size only
    return coords.unit_to_pixels(coords.pixels_to_unit(painter.predict(larger), (side, side)), SIZE)


def averaged(model: models.PoseNetwork, sample: Sample) -> dict[str, float]:
    """Return RMS, correlation with the plain answer and RMS of the average, for the flip and for the other size."""
    mask, values = sample.labelled, dict[str, float]()
    plain = (model.predict(sample.images) - sample.keypoints)[mask]
    for name, points in (("flip", flipped(model, sample)), ("size", rescaled(model, sample))):
        other = (points - sample.keypoints)[mask]
        values |= {
            f"{name}_rms": rms(other), f"{name}_rho": correlation(plain, other),
            f"{name}_mean": rms((plain + other) / 2),
        }  # fmt: skip
    return values


def row(calibrating: Opinions, test: Opinions) -> dict[str, Any]:
    """Return what one network's two heads are worth, alone and fused."""
    (first, second), (e1, e2) = test.errors, test.errors.norm(dim=-1)
    scales = torch.stack([calibration.variance_scale(e, v) for e, v in zip(*calibrating[:2], strict=True)])
    standard = calibrating.errors / calibrating.variances.sqrt()
    rho = correlation(standard[0], standard[1])
    core = (e1 < CORE) & (e2 < CORE)
    constant = calibrating.errors.square().mean((1, 2), keepdim=True).expand_as(test.variances)
    squares, moments = first.square().mean(-1), test.widths[0].mean(-1) + STRIDE**2
    surest = moments <= moments.quantile(0.25)
    values: dict[str, Any] = {
        "gross": float(1 - squares[core].sum() / squares.sum()),
        "raw_claim": float((moments[surest].mean() / squares[surest].mean()).sqrt()),
        "one_alone": float(((e1 < CORE) != (e2 < CORE))[~core].float().mean()),
        "rms": [rms(first), rms(second)], "median": [float(e.median()) for e in (e1, e2)],
        "core_rms": [rms(first[core]), rms(second[core])], "core": float(core.float().mean()),
        "rho": [correlation(first[:, axis], second[:, axis]) for axis in (0, 1)],
        "core_rho": correlation(first[core], second[core]), "standard_rho": rho,
        "scales": scales.tolist(),
        "width_scales": [float(calibration.variance_scale(first, widths)) for widths in test.widths],
        "mean": rms((first + second) / 2),
        "core_mean": rms((first + second)[core] / 2),
        "median_mean": float((first + second).norm(dim=-1).div(2).median()),
        "raw": fused(test, test.variances, 0.0),
        "calibrated": fused(test, scales[:, None, None] * test.variances, rho),
        "constant": fused(test, constant, correlation(*calibrating.errors)),
    }  # fmt: skip
    for name, error, doubt in (
        ("peak", e1, -test.peaks), ("width", e1, test.widths[0].sum(-1)), ("sigma", e2, test.variances[1].sum(-1)),
        ("peak_of_second", e2, -test.peaks), ("width_of_second", e2, test.widths[0].sum(-1)),
        ("sigma_of_first", e1, test.variances[1].sum(-1)),
    ):  # fmt: skip
        values[f"rank_{name}"] = ranks(error, doubt, test.joints)
    return values


def rounded(values: Any) -> Any:
    """Return the same with four digits after the point."""
    match values:
        case dict():
            return {name: rounded(value) for name, value in values.items()}
        case list() | tuple():
            return [rounded(value) for value in values]
        case float():
            return round(values, 4)
    return values


def main() -> None:
    """Train every network and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    seeds = parser.parse_args().seeds
    data, calibrating, test = world(0, 8), world(500, 2), world(900, 4)
    rows: list[dict[str, Any]] = []
    for beta in BETAS:
        before: Tensor | None = None
        for seed in range(seeds):
            model = trained(beta, seed, data)
            said = opinions(model, test)
            values = row(opinions(model, calibrating), said) | averaged(model, test)
            values["seen"] = float(calibration.variance_scale(*(part[1] for part in opinions(model, data)[:2])))
            if before is not None:  # the heatmap head of the network before, and this one's regression
                values["apart_rho"] = correlation(before, said.errors[1])
                values["apart_mean"] = rms((before + said.errors[1]) / 2)
            before = said.errors[0]
            if beta == BETAS[0]:  # a stranger: other weights, and it has seen other people
                stranger = opinions(trained(beta, seed + 50, world(2000 + 8 * seed, 8)), test)
                values["stranger_rho"] = correlation(said.errors[0], stranger.errors[1])
            rows.append({"beta": beta, "seed": seed} | rounded(values))
            TABLE.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
