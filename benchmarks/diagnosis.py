"""What limits the shipped network for crowds, detection or grouping: each replaced by the truth, over overlap.

    python -m benchmarks.diagnosis            # three minutes on one core
    python -m benchmarks.diagnosis --sets 1   # a look

Writes `data/grouping.json`, one row a held-out set, for lesson 05, which runs one of them once more.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from posecourse import coco, grouping, metrics, models, train
from posecourse.samples import Sample
from tools import crowds

__all__ = ["OVERLAPS", "TABLE", "arms", "main", "row"]

TABLE = Path(__file__).resolve().parent.parent / "data" / "grouping.json"
OVERLAPS = (0.0, 0.2, 0.4, 0.6)
IMAGES, FIRST_SEED = 128, 9100


def arms(network: models.PoseNetwork, sample: Sample, threshold: float = 0.5) -> dict[str, models.CrowdReading]:
    """Return the people that come of the network, of true places, of true groups, and of both."""
    head: Any = network.head
    order = grouping.torso_out(sample.skeleton)
    with torch.no_grad(), models.evaluating(network):
        answer = network(sample.images)
    peaks = models.candidates(answer, head.sigma)
    places = models.true_candidates(answer, head, sample)
    return {
        "network": models.people_of(peaks, head, threshold=threshold, order=order),
        "true_detection": models.people_of(places, head, threshold=threshold, order=order),
        "true_grouping": models.people_by_truth(peaks, head, sample),
        "both": models.people_by_truth(places, head, sample),
    }


def row(network: models.PoseNetwork, overlap: float, seed: int, threshold: float = 0.5) -> dict[str, Any]:
    """Return one row of the table: AP and AR of each arm on crowds of one overlap, with a threshold of grouping."""
    sample = crowds.held_out(IMAGES, seed, overlap=overlap)
    truth = coco.truth(sample)
    numbers: dict[str, Any] = {"overlap": overlap, "seed": seed, "people": len(truth["annotations"])}
    for arm, found in arms(network, sample, threshold).items():
        results = coco.results(sample, found.keypoints_px, found.scores, present=found.there)
        scores = metrics.coco_average_precision(truth, results)
        numbers |= {f"AP_{arm}": round(scores.AP, 4), f"AR_{arm}": round(scores.AR, 4)}
    return numbers


def main() -> None:
    """Measure every set and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=3)
    sets = parser.parse_args().sets
    torch.set_num_threads(1)
    network = train.load_network(crowds.FILE)
    rows = []
    for overlap in OVERLAPS:
        for seed in range(FIRST_SEED, FIRST_SEED + sets):
            rows.append(row(network, overlap, seed))
            print(rows[-1], flush=True)
    TABLE.write_text("[\n" + ",\n".join(json.dumps(one) for one in rows) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
