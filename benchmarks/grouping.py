"""What it costs to make people of maps, against the network that painted them, from 2 to 64 people.

    python -m benchmarks.grouping            # a minute on one core

One picture of 512×512 pixels, maps of 128×128 cells (stride 4) and 17 keypoints: a blob of σ 2 for each of N people at
random places, with tags of one number, 2 apart with noise of .25. Noise of .01 on each heatmap adds thousands of faint
local maxima; what is below .1 is ignored, as public decoders do. All in CPU time on one thread, the median of several
runs in turns with the network, so that a busy machine slows both. Writes `benchmarks/grouping.md`.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

from posecourse import decode, grouping, heatmaps, models, seeding
from posecourse.skeletons import COCO17

__all__ = ["main", "people_of", "scene"]

TABLE = Path(__file__).with_suffix(".md")
SIZE, STRIDE, K = (512, 512), 4, len(COCO17)
ORDER = grouping.torso_out(COCO17)
WIDTHS = (16, 32)
COUNTS = (2, 4, 8, 16, 30, 64)


def scene(people: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return heatmaps (K H W) and tag maps (K 1 H W) of a crowd."""
    random = seeding.generator(seed)
    H, W = (side // STRIDE for side in SIZE)
    places = torch.rand(people, K, 2, generator=random) * torch.tensor([W - 1, H - 1])
    blobs = heatmaps.gaussian_heatmaps(places, (H, W), 2.0)  # (N K H W)
    maps, nearest = blobs.max(0)
    maps = maps + 0.01 * torch.randn(maps.shape, generator=random)
    return maps, (2.0 * nearest)[:, None] + 0.25 * torch.randn(K, 1, H, W, generator=random)


def people_of(maps: torch.Tensor, tag_maps: torch.Tensor, limit: int) -> grouping.People:
    """Return the people of one picture: all that comes after the network."""
    peaks = decode.nms_peaks(maps, limit)
    peaks = peaks._replace(scores=peaks.scores.where(peaks.scores > 0.1, 0))
    tags = grouping.tags_at(tag_maps, peaks.points.transpose(-3, -2)).transpose(-3, -2)
    points, scores = decode.refine_peaks(maps, peaks)
    return grouping.group_by_tag(points, scores, tags, 1.0, limit, order=ORDER)


def seconds(call: Callable[[], object]) -> float:
    """Return the CPU time of one call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    torch.set_num_threads(1)
    narrow, wide = (models.build("heatmap", SIZE, width=w, generator=seeding.generator(0)).eval() for w in WIDTHS)
    images = torch.rand(1, 3, *SIZE, generator=seeding.generator(1))
    lines = [
        "| people | network of width 16, ms | of width 32 | all after it | of which grouping | share, 16 | share, 32 |",
        "|---|---|---|---|---|---|---|",
    ]
    with torch.inference_mode():
        for people in COUNTS:
            maps, tag_maps = scene(people)
            peaks = decode.nms_peaks(maps, people)
            tags = grouping.tags_at(tag_maps, peaks.points.transpose(-3, -2)).transpose(-3, -2)
            calls: list[Callable[[], object]] = [
                lambda: narrow(images),
                lambda: wide(images),
                lambda maps=maps, tag_maps=tag_maps, people=people: people_of(maps, tag_maps, people),
                lambda peaks=peaks, tags=tags, people=people: grouping.group_by_tag(*peaks, tags, 1.0, people),
            ]
            for call in calls:
                call()
            small, large, after, group = (
                1e3 * statistics.median(column)
                for column in zip(*([seconds(call) for call in calls] for _ in range(runs)), strict=True)
            )
            shares = f"{after / small:.3f} | {after / large:.3f}"
            lines.append(f"| {people} | {small:.0f} | {large:.0f} | {after:.1f} | {group:.1f} | {shares} |")
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
