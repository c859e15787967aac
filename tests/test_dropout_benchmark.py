"""Lesson 08's table: are its rows all there, its worlds what they are called, and its measures what they should be?"""

import json

import pytest
import torch

from benchmarks import dropout as benchmark
from posecourse import people, seeding
from posecourse.paths import data_path


def sayings(points: torch.Tensor, heights: torch.Tensor) -> benchmark.Sayings:
    """Return answers (S n 2) about keypoints at 0, two joints of many people."""
    n = points.shape[1]
    joints, owners = torch.arange(n) % 17, torch.div(torch.arange(n), 17, rounding_mode="floor")
    return benchmark.Sayings(torch.zeros(n, 2), points, heights, points, torch.ones_like(points), joints, owners)


def test_the_shipped_table_holds_what_the_lesson_reads() -> None:
    """Has each number of people its seeds, is there an ensemble for every four, and are rates and places there?"""
    rows = json.loads(data_path("dropout.json").read_text(encoding="utf-8"))
    networks = sorted(
        (row["place"], row["rate"], row["people"], row["seed"]) for row in rows if row["kind"] == "network"
    )
    assert networks == sorted(benchmark.plan(None))
    ensembles = sorted((row["rate"], row["people"]) for row in rows if row["kind"] == "ensemble")
    assert ensembles == [(0.0, 1000), (0.2, 250), (0.2, 1000), (0.2, 1000), (0.2, 4000)]


def test_people_in_front_of_whom_something_stands_are_the_same_people() -> None:
    """Does covering change no keypoint, hide some, and uncover none?"""
    bare, covered = (benchmark.drawn(920, 1, occluders=share) for share in (0.0, 1.0))
    assert torch.equal(bare.keypoints, covered.keypoints)
    assert bool((bare.visible & ~covered.visible).any())
    assert not bool((~bare.visible & covered.visible).any())


def test_strange_poses_and_light_are_what_they_are_called() -> None:
    """Are strange poses of other families than the usual ones, and is a quarter of the light darker?"""
    drawn = [benchmark.drawn(3, 1, poses=poses) for poses in (benchmark.SEEN, benchmark.UNSEEN)]
    families = [set(sample.attributes["pose_family"].unique().tolist()) for sample in drawn]
    named = [{people.FAMILIES[index] for index in some} for some in families]
    assert named == [set(benchmark.SEEN), set(benchmark.UNSEEN)]
    bright, dark = (benchmark.drawn(3, 1, light=light).images.mean() for light in (1.0, 0.25))
    assert dark < 0.7 * bright


def test_parts_of_a_doubt_are_those_that_made_it() -> None:
    """Are the aleatoric part the peaks' and the epistemic part that of the places, and does their ensemble agree?"""
    random = seeding.generator(0)
    points = 0.5 * torch.randn(400, 170, 2, generator=random)
    once = sayings(torch.zeros(1, 170, 2), torch.full((1, 170), 0.5))
    sizes = benchmark.sizes(once, sayings(points, torch.full((400, 170), 0.5)))
    assert sizes["aleatoric"] == pytest.approx(4.0)  # 4²·(1/.5 − 1)
    assert sizes["epistemic"] == pytest.approx(0.5, rel=0.01)
    members = [sayings(point[None], torch.full((1, 170), 0.5)) for point in points[:8]]
    mean, every = benchmark.together(members)
    assert torch.equal(every.points, points[:8])
    assert torch.allclose(mean.points[0], points[:8].mean(0), atol=1e-6)


def test_a_perfect_doubt_keeps_its_word() -> None:
    """Do errors that are as large as peaks claim lie inside of the ellipses, and rank as a perfect σ does?"""
    heights = 0.1 + 0.8 * torch.rand(1, 34_000, generator=seeding.generator(1))
    sigma = benchmark.peak_variances(heights[0]).sqrt()
    once = sayings((sigma * torch.randn(34_000, 2, generator=seeding.generator(2)))[None], heights)
    pair = once._replace(points=once.points.expand(2, -1, -1)), once._replace(points=once.points.expand(2, -1, -1))
    held = benchmark.kept(pair, {"same": pair})["peak"]
    assert held["scale"] == pytest.approx(1, abs=0.04)
    assert held["same"]["raw"] == pytest.approx(benchmark.LEVELS, abs=0.015)  # five standard errors
    away, joints = once.points[0].norm(dim=-1), once.joints
    measured = benchmark.ranks(away, -heights[0], joints)
    ideal = benchmark.ranks(*benchmark.perfect(once, 1.0), joints)
    assert measured["pooled"] == pytest.approx(ideal["pooled"], abs=0.03)


def test_who_is_told_apart() -> None:
    """Is the area a half for doubts of one kind, one where all are larger, and a tie worth a half?"""
    doubt = torch.rand(300, generator=seeding.generator(0))
    assert benchmark.told(doubt, doubt) == pytest.approx(0.5)
    assert benchmark.told(doubt, doubt + 1) == 1
    assert benchmark.told(torch.ones(3), torch.ones(4)) == 0.5
