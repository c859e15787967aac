"""How good a network is on labelled pictures, in the pictures' own pixels and in COCO's measure."""

import json
import math
from pathlib import Path
from typing import NamedTuple

import torch

from posecourse import coco, metrics
from posecourse.coco import CocoDataset
from posecourse.losses import masked_mean
from posecourse.practice import folder
from posecourse.practice.folder import Trained
from posecourse.practice.found import Found, find
from posecourse.practice.sheets import scored_sheet
from posecourse.practice.views import opened

__all__ = ["Scores", "evaluate", "score"]

_SIGMA = 0.05  # of OKS, where a skeleton has none: between COCO's nose (.026) and its hips (.107)


class Scores(NamedTuple):
    """How good a network is; distances are in pixels of the original pictures.

    Args:
        looked_at: how many people or animals were looked at.
        error_px: mean distance over the visible keypoints.
        median_px: their median.
        pck: share of the visible keypoints within a tenth of the longer side of the box.
        AP: COCO's average precision.
        AR: its average recall.
    """

    looked_at: int
    error_px: float
    median_px: float
    pck: float
    AP: float
    AR: float

    def __str__(self) -> str:
        return (
            f"error {self.error_px:.1f} px in the mean, {self.median_px:.1f} px in the median · "
            f"PCK@0.1 {self.pck:.3f} · AP {self.AP:.2f}, AR {self.AR:.2f} · {self.looked_at} looked at"
        )


def evaluate(
    run: Path | str,
    annotations: Path | str,
    images: Path | str,
    out: Path | str | None = None,
    *,
    category: str | int | None = None,
    device: torch.device | str | None = None,
) -> Scores:
    """Score a trained network on labelled pictures that it was not trained on.

    Args:
        run: the folder that `train` wrote, or its network.safetensors.
        annotations: the JSON file.
        images: the folder of its pictures.
        out: a folder for results.json (COCO), scores.json and predictions.png; None writes nothing.
        category: name or id; None takes the only one with keypoints.
        device: where to predict; by default the fastest there is.

    Raises:
        CocoError: the data set is broken, or of another skeleton than the network's.
        FileNotFoundError, CheckpointError: there is no network, or a damaged one.
    """
    trained = folder.open_network(run, device)
    dataset = coco.load(annotations, images, category=category)
    if dataset.skeleton.names != trained.skeleton.names:
        raise coco.CocoError(
            Path(annotations),
            f"the network finds {', '.join(trained.skeleton.names)}; the file has {', '.join(dataset.skeleton.names)}. "
            "Give labels of the same keypoints in the same order.",
        )
    return score(trained, dataset, None if out is None else Path(out))


def score(trained: Trained, dataset: CocoDataset, out: Path | None) -> Scores:
    """Score a network on a data set, and write what there is to see to a folder."""
    found = find(trained.network, opened(trained.view.of(dataset)))
    results = found.results(dataset.category_id)
    sigmas = dataset.skeleton.sigmas or (_SIGMA,) * len(dataset.skeleton)
    precision = metrics.coco_average_precision(dataset.truth(), results, sigmas=sigmas)
    scores = Scores(len(found.views), *_distances(found), precision.AP, precision.AR)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        _write(out / folder.RESULTS, results)
        _write(out / folder.SCORES, {name: _plain(value) for name, value in scores._asdict().items()})
        (out / folder.SHEET).write_bytes(scored_sheet(found))
    return scores


def _distances(found: Found) -> tuple[float, float, float]:
    """Return mean and median distance in pixels of the pictures, and PCK@0.1, over the visible keypoints."""
    seen = found.views.visible
    errors = found.errors_px
    lengths = found.views.boxes[:, 2:].amax(-1).clamp(min=1)
    correct = metrics.pck(found.keypoints_px, found.views.keypoints, lengths, 0.1)
    if not bool(seen.any()):
        return math.nan, math.nan, math.nan
    return float(errors[seen].mean()), float(errors[seen].median()), float(masked_mean(correct.double(), seen))


def _plain(value: float) -> float | None:
    """Return a number as JSON knows it: it has no NaN."""
    return None if math.isnan(value) else value


def _write(path: Path, values: object) -> None:
    path.write_text(json.dumps(values, indent=1, allow_nan=False) + "\n", encoding="utf-8")
