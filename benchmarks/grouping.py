"""What it costs to make people of maps, against the network that painted them, from 2 to 64 people.

    python -m benchmarks.grouping            # a minute on one core

One picture of 512×512 pixels, maps of 128×128 cells (stride 4) and 17 keypoints: a blob of σ 2 for each of N people at
random places, with tags of one number, 2 apart with noise of .25. Noise of .01 on each heatmap adds thousands of faint
local maxima; what is below .3 is ignored, as `models.predict_people` does. All in CPU time on one thread, the median of
several runs in turns with the network, so that a busy machine slows both. Writes `benchmarks/grouping.md`.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from posecourse import decode, grouping, heatmaps, models, seeding
from posecourse.models import CrowdReading, PoseNetwork, TagAnswer
from posecourse.skeletons import COCO17

__all__ = ["SIZE", "main", "network", "people_of", "scene", "seconds"]

TABLE = Path(__file__).with_suffix(".md")
SIZE, STRIDE, K, SIGMA = (512, 512), 4, len(COCO17), 2.0
ORDER = grouping.torso_out(COCO17)
WIDTHS = (16, 32)
COUNTS = (2, 4, 8, 16, 30, 64)
LEAST = 0.3


def network(width: int) -> PoseNetwork:
    """Return an untrained network with tags: what it costs does not depend on what it has learnt."""
    return models.build("tags", SIZE, width=width, generator=seeding.generator(0)).eval()


def scene(people: int, seed: int = 0) -> TagAnswer:
    """Return what a network that knows its work says of a crowd (B = 1)."""
    random = seeding.generator(seed)
    H, W = (side // STRIDE for side in SIZE)
    places = torch.rand(people, K, 2, generator=random) * torch.tensor([W - 1, H - 1])
    blobs = heatmaps.gaussian_heatmaps(places, (H, W), SIGMA)  # (N K H W)
    maps, nearest = blobs.max(0)
    maps = maps + 0.01 * torch.randn(maps.shape, generator=random)
    tags = (2.0 * nearest)[:, None] + 0.25 * torch.randn(K, 1, H, W, generator=random)
    return TagAnswer(torch.empty(1, 0, H, W), maps[None], tags[None])


def people_of(answer: TagAnswer, head: models.TagHead, limit: int) -> CrowdReading:
    """Return the people of one picture: all that comes after the network, as `models.predict_people` does it."""
    found = models.candidates(answer, SIGMA, limit=limit, least=LEAST)
    return models.people_of(found, head, threshold=1.0, max_people=limit, order=ORDER)


def stages(answer: TagAnswer, limit: int) -> dict[str, Callable[[], object]]:
    """Return the steps of `people_of`, each with what the ones before it have found."""
    peaks = decode.nms_peaks(answer.heatmaps, limit, least=LEAST)
    found = models.candidates(answer, SIGMA, limit=limit, least=LEAST)
    one = [part[0] for part in found]
    return {
        "peaks": lambda: decode.nms_peaks(answer.heatmaps, limit, least=LEAST),
        "between cells": lambda: decode.dark_at(answer.heatmaps, peaks, SIGMA),
        "tags": lambda: grouping.tags_at(answer.tags, peaks.points.transpose(-3, -2)),
        "grouping": lambda: grouping.group_by_tag(*one, 1.0, limit, order=ORDER),
    }


def seconds(call: Callable[[], object]) -> float:
    """Return the CPU time of one call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def medians(calls: dict[str, Callable[[], object]], runs: int) -> dict[str, float]:
    """Return the median CPU time of each call, in seconds, run in turns after one turn that does not count."""
    turns = [[seconds(call) for call in calls.values()] for _ in range(runs + 1)][1:]
    return {name: statistics.median(column) for name, column in zip(calls, zip(*turns, strict=True), strict=True)}


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    torch.set_num_threads(1)
    networks = [network(width) for width in WIDTHS]
    images = torch.rand(1, 3, *SIZE, generator=seeding.generator(1))
    lines: list[str] = []
    with torch.inference_mode():
        for people in COUNTS:
            answer = scene(people)
            calls: dict[str, Callable[[], object]] = {
                **{f"width {w}": partial(net, images) for w, net in zip(WIDTHS, networks, strict=True)},
                "all after it": partial(people_of, answer, networks[0].head, people),
                **stages(answer, people),
            }
            spent = {name: 1e3 * cost for name, cost in medians(calls, runs).items()}
            shares = {f"share, {w}": spent["all after it"] / spent[f"width {w}"] for w in WIDTHS}
            if not lines:
                lines = ["| people | " + " | ".join([*spent, *shares]) + " |", "|---" * (1 + len(spent) + 2) + "|"]
            numbers = [*(f"{cost:.1f}" for cost in spent.values()), *(f"{share:.3f}" for share in shares.values())]
            lines.append(f"| {people} | " + " | ".join(numbers) + " |")
            print(lines[-1], flush=True)
    TABLE.write_text(
        "# From maps to people: the cost\n\n`python -m benchmarks.grouping` says how. The numbers are CPU "
        "milliseconds on one thread of the machine that wrote them; the shares travel better.\n\n"
        + "\n".join(lines)
        + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
