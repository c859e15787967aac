"""Lesson 07's table and network: is the network as good as its row, and are the measures what they are called?"""

import json
from collections import Counter
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from benchmarks import equivariance as benchmark
from posecourse import equivariance, paths, seeding, train, transforms
from posecourse.samples import Sample

ROWS = json.loads(paths.data_path("equivariance.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def crew() -> Sample:
    """Some people."""
    return benchmark.world(3, 1)[torch.arange(24)]


class Knows:
    """An estimator that looks the answer up: that of the upright picture, or of its mirror image."""

    def __init__(self, sample: Sample, points: Tensor | None = None) -> None:
        self.sample, self.points = sample, sample.keypoints if points is None else points

    def predict(self, images: Tensor) -> Tensor:
        """Return the keypoints of the pictures, or of the mirrored ones."""
        if torch.equal(images, self.sample.images):
            return self.points
        assert torch.equal(images, self.sample.images.flip(-1))
        return transforms.flip_keypoints(self.points, benchmark.SIZE, self.sample.skeleton)


def test_the_shipped_table_holds_every_training_once() -> None:
    """Are there five seeds of each way, with the steps that the command takes?"""
    assert Counter(row["arm"] for row in ROWS) == dict.fromkeys(benchmark.ARMS, 5)
    for row in ROWS:
        arm = benchmark.ARMS[row["arm"]]
        assert (row["steps"], row["times"], row["seed"] in range(5)) == (arm.steps, arm.times, True)


def test_a_price_is_a_price() -> None:
    """Did every way cost what the plain one costs, as often as it says, within a sixth?"""
    seconds = {name: sum(row["seconds"] for row in ROWS if row["arm"] == name) for name in benchmark.ARMS}
    for name, arm in benchmark.ARMS.items():
        assert seconds[name] / arm.times == pytest.approx(seconds["plain"], rel=1 / 6)


@pytest.mark.parametrize("name", benchmark.SHIPPED)
def test_the_shipped_networks_are_as_good_as_they_say(name: str) -> None:
    """On the people of the table, rendered anew, is each as far off as its row and its own notes say?"""
    network, test = train.load_network(benchmark.SHIPPED[name]), benchmark.world(900, 3)
    (recorded,) = (row for row in ROWS if (row["arm"], row["seed"]) == (name, 0))
    notes = train.network_notes(benchmark.SHIPPED[name])
    assert notes["command"] == "python -m benchmarks.equivariance"
    for degrees in (0, 90):
        # Another processor rounds pixels and sums differently, which moves a few argmaxes.
        off = float(benchmark.error(network, test, degrees).mean())
        assert off == pytest.approx(recorded[f"error_{degrees}"], abs=0.05)
        assert off == pytest.approx(notes["score"][f"error_{degrees}"], abs=0.05)


def test_quarters_are_quarters(crew: Sample) -> None:
    """Is each picture of a batch turned by one of four quarters, with its keypoints, and do all four occur?"""
    turned = benchmark.quarters(crew, seeding.generator(1))
    found = []
    for index in range(len(crew)):
        for quarter in range(4):
            picture = equivariance.turn(crew.images[index, None], 90 * quarter)[0]
            points = equivariance.turn_keypoints(crew.keypoints[index], 90 * quarter, benchmark.SIZE)
            if torch.allclose(picture, turned.images[index], atol=1e-3):
                torch.testing.assert_close(turned.keypoints[index], points, rtol=0, atol=1e-3)
                found.append(quarter)
    assert len(found) == len(crew)
    assert set(found) == {0, 1, 2, 3}


def test_a_disc_loses_nothing() -> None:
    """Is the round frame its own quarter turn, and empty where a turn by any angle would lose something?"""
    disc = benchmark.disc()
    assert torch.equal(disc, disc.rot90())
    y, x = torch.nonzero(disc, as_tuple=True)
    radius = ((x - 31.5) ** 2 + (y - 31.5) ** 2).sqrt()
    assert radius.max() < 31.5 - 0.5
    assert disc.mean() > 0.7  # of π/4


def test_the_mirror_asks_for_both(crew: Sample) -> None:
    """Has who knows every place no error in the mirror, and without the exchange the distance between twins?"""
    knows, swap = Knows(crew), list(crew.skeleton.swap)
    assert benchmark.mirror_error(knows, crew, swap=True) == pytest.approx(0, abs=1e-5)
    apart = (crew.keypoints - crew.keypoints[:, swap]).norm(dim=-1)[crew.labelled].mean()
    assert benchmark.mirror_error(knows, crew, swap=False) == pytest.approx(float(apart), rel=1e-4)


def test_crossed_is_the_share_on_the_other_side(crew: Sample) -> None:
    """Is it 0 for the truth, 1 for the twins' places, a half for half of the people, and blind to the nose?"""
    swap = list(crew.skeleton.swap)
    everyone = replace(crew, visibility=torch.full_like(crew.visibility, 2))
    twins = everyone.keypoints[:, swap]
    assert benchmark.crossed(Knows(everyone), everyone) == 0
    assert benchmark.crossed(Knows(everyone, twins), everyone) == 1
    half = torch.where(torch.arange(24)[:, None, None] < 12, everyone.keypoints, twins)
    assert benchmark.crossed(Knows(everyone, half), everyone) == pytest.approx(0.5)
    noses = everyone.keypoints.clone()
    noses[:, 0] += 30
    assert benchmark.crossed(Knows(everyone, noses), everyone) == 0


def test_what_leaves_the_picture_is_not_scored(crew: Sample) -> None:
    """Does an error count the labelled keypoints that stay inside at an angle, and no others?"""

    class Nowhere:
        def predict(self, images: Tensor) -> Tensor:
            return torch.zeros(len(images), 17, 2)

    corners = replace(crew, keypoints=crew.keypoints.clone(), visibility=torch.full_like(crew.visibility, 2))
    corners.keypoints[:, 3] = torch.tensor([1.0, 1.0])  # leaves at 45°
    inner = transforms.inside(transforms.rotate_keypoints(corners.keypoints, 45.0, benchmark.SIZE), benchmark.SIZE)
    assert not inner[:, 3].any()
    assert len(benchmark.error(Nowhere(), corners, 45)) == int(inner.sum())
    assert len(benchmark.error(Nowhere(), corners, 0)) == 24 * 17
