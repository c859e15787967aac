"""Do the pictures and labels change only together with RENDERER_VERSION? Old caches depend on it.

`python tests/people/test_version.py` records them anew, which it refuses under an old version.
"""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from posecourse import people, seeding

RECORD = Path(__file__).with_suffix(".json")
SIZES = ((64, 64), (163, 209))  # painted at once, and at half the size
WHAT_TO_DO = f"raise RENDERER_VERSION, then record them: python tests/people/{Path(__file__).name}"
ROUNDING = {"means": 0.002, "keypoints": 0.02, "visibility": 0}
"""What may differ on another processor, in shares of white, pixels and levels. A pixel differs by 2e-5 there and a mean
by less; a sample of an outline that falls to the other side moves the mean of a block of 64 pixels by 0.002 at most."""


def drawn() -> dict[str, list[list[float]]]:
    """Return for each picture its means over 8x8 blocks of each channel, its keypoints and their visibility."""
    found: dict[str, list[list[float]]] = {name: [] for name in ROUNDING}
    for number, size in enumerate(SIZES):
        scene = people.draw_scenes(3, seeding.generator(number), people=2, occluders=0.5, aspect=size[1] / size[0])
        for sample in (people.render(scene, size)[image] for image in range(3)):
            means = functional.adaptive_avg_pool2d(sample.images.double(), 8)
            found["means"].append([round(mean, 3) for mean in means.flatten().tolist()])
            found["keypoints"].append([round(place, 2) for place in sample.keypoints.double().flatten().tolist()])
            found["visibility"].append(sample.visibility.flatten().tolist())
    return found


def changed(now: dict[str, Any], before: dict[str, Any]) -> list[str]:
    """Return which kinds of numbers are not what they were."""
    return [
        name
        for name, rounding in ROUNDING.items()
        if not torch.allclose(torch.tensor(now[name]).double(), torch.tensor(before[name]).double(), 0, rounding + 1e-6)
    ]


def test_pictures_change_with_their_version_only() -> None:
    """Are six pictures and their labels those recorded for this version, up to another processor's rounding?"""
    before = json.loads(RECORD.read_text())
    different = changed(drawn(), before)
    if before["version"] != people.RENDERER_VERSION:
        pytest.fail(f"version {people.RENDERER_VERSION} is not recorded: python tests/people/{Path(__file__).name}")
    if different:
        pytest.fail(f"the pictures changed ({', '.join(different)}): {WHAT_TO_DO}")


@pytest.mark.parametrize(("name", "by"), [("means", 0.003), ("keypoints", 0.03), ("visibility", 1)])
def test_a_change_is_seen(name: str, by: float) -> None:
    """Is one number that differs by more than rounding enough?"""
    before = json.loads(RECORD.read_text())
    now = json.loads(RECORD.read_text())
    now[name][5][7] += by
    assert changed(now, before) == [name]


def main() -> int:
    """Write the record, unless the pictures changed and the version did not."""
    now = drawn()
    if RECORD.exists():
        before = json.loads(RECORD.read_text())
        if before["version"] == people.RENDERER_VERSION and (different := changed(now, before)):
            print(f"{', '.join(different)} changed under version {before['version']}: {WHAT_TO_DO}")
            return 1
    lines = [f'"version": {people.RENDERER_VERSION}']
    lines += [f'"{name}": [\n' + ",\n".join(map(json.dumps, rows)) + "\n]" for name, rows in now.items()]
    RECORD.write_text("{\n" + ",\n".join(lines) + "\n}\n", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
