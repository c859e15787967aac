"""What limits the shipped network for crowds, detection or grouping: each replaced by the truth, over overlap.

    python -m benchmarks.diagnosis            # five minutes on one core
    python -m benchmarks.diagnosis --sets 1   # a look

The threshold of grouping is chosen first, on crowds that nothing else looks at. Writes `data/grouping.json` for lesson
05: what each threshold was worth, and a row a held-out set, of which the lesson runs one once more.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from posecourse import coco, grouping, metrics, models, train
from posecourse.samples import Sample
from tools import crowds

__all__ = ["CHOICE_SEED", "OVERLAPS", "TABLE", "THRESHOLDS", "arms", "chosen", "main", "row", "thresholds"]

TABLE = Path(__file__).resolve().parent.parent / "data" / "grouping.json"
OVERLAPS = (0.0, 0.2, 0.4, 0.6)
THRESHOLDS = (0.35, 0.5, 0.7, 1.0, 1.4, 2.0)  # in margins of the network, which is 1
IMAGES, FIRST_SEED, CHOICE_SEED = 128, 9100, 8100


def thresholds(network: models.PoseNetwork, sets: int) -> list[dict[str, float]]:
    """Return what each threshold is worth on crowds of its own, a set at each overlap, both halves by the network.

    AP is the mean over all of them, `behind` how much it lacks to the best threshold's, and `error` the standard error
    of that difference, from crowd to crowd.
    """
    head: Any = network.head
    found = []
    for overlap in OVERLAPS:
        for seed in range(CHOICE_SEED, CHOICE_SEED + sets):
            sample = crowds.held_out(IMAGES, seed, overlap=overlap)
            order, peaks = grouping.torso_out(sample.skeleton), models.candidates(_answer(network, sample), head.sigma)
            people = [models.people_of(peaks, head, threshold=threshold, order=order) for threshold in THRESHOLDS]
            found.append([_scores(one, sample).AP for one in people])
    AP = torch.tensor(found, dtype=torch.float64)
    behind = AP[:, AP.mean(0).argmax(), None] - AP
    columns = (THRESHOLDS, AP.mean(0).tolist(), behind.mean(0).tolist(), (behind.std(0) / len(AP) ** 0.5).tolist())
    names = ("threshold", "AP", "behind", "error")
    return [dict(zip(names, (round(number, 5) for number in one), strict=True)) for one in zip(*columns, strict=True)]


def chosen(worth: list[dict[str, float]]) -> float:
    """Return the smallest threshold that is no more than a standard error behind the best.

    Where AP is level, a larger one can only fill more gaps with somebody else's keypoints.

    Source: Breiman et al. 1984, section 3.4.3, the one-standard-error rule.
    """
    return min(one["threshold"] for one in worth if one["behind"] <= one["error"])


def arms(network: models.PoseNetwork, sample: Sample, threshold: float) -> dict[str, models.CrowdReading]:
    """Return the people that come of the network, of true places, of true groups, and of both."""
    head: Any = network.head
    order, answer = grouping.torso_out(sample.skeleton), _answer(network, sample)
    peaks = models.candidates(answer, head.sigma)
    places = models.true_candidates(answer, head, sample)
    return {
        "network": models.people_of(peaks, head, threshold=threshold, order=order),
        "true_detection": models.people_of(places, head, threshold=threshold, order=order),
        "true_grouping": models.people_by_truth(peaks, head, sample),
        "both": models.people_by_truth(places, head, sample),
    }


def row(network: models.PoseNetwork, overlap: float, seed: int, threshold: float) -> dict[str, Any]:
    """Return one row of the table: AP and AR of each arm on crowds of one overlap, with a threshold of grouping."""
    sample = crowds.held_out(IMAGES, seed, overlap=overlap)
    head: Any = network.head
    people = int(head.counted_keypoints(sample).any(-1).sum())  # as many as AP counts
    numbers: dict[str, Any] = {"overlap": overlap, "seed": seed, "threshold": threshold, "people": people}
    for arm, found in arms(network, sample, threshold).items():
        scores = _scores(found, sample)
        numbers |= {f"AP_{arm}": round(scores.AP, 4), f"AR_{arm}": round(scores.AR, 4)}
    return numbers


def _answer(network: models.PoseNetwork, sample: Sample) -> Any:
    with torch.no_grad(), models.evaluating(network):
        return network(sample.images)


def _scores(found: models.CrowdReading, sample: Sample) -> metrics.AveragePrecision:
    results = coco.results(sample, found.keypoints_px, found.scores, present=found.there)
    return metrics.coco_average_precision(coco.truth(sample), results)


def main() -> None:
    """Choose the threshold, measure every set with it, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=5)
    sets = parser.parse_args().sets
    torch.set_num_threads(1)
    network = train.load_network(crowds.FILE)
    worth = thresholds(network, sets)
    print(*worth, sep="\n", flush=True)
    rows = []
    for overlap in OVERLAPS:
        for seed in range(FIRST_SEED, FIRST_SEED + sets):
            rows.append(row(network, overlap, seed, chosen(worth)))
            print(rows[-1], flush=True)
    parts = [",\n".join(json.dumps(one) for one in part) for part in (worth, rows)]
    TABLE.write_text(f'{{"thresholds": [\n{parts[0]}\n],\n"sets": [\n{parts[1]}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
