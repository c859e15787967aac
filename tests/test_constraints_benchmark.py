"""Lesson 09's table: are its bounds bounds, and its measures of an error what they are called?"""

import json
import math

import pytest
import torch

from benchmarks import constraints as benchmark
from posecourse import constraints, seeding
from posecourse.paths import data_path
from posecourse.samples import Sample


@pytest.fixture(scope="module")
def crew() -> Sample:
    """A few people, small."""
    return benchmark.world(24, seed=3)


@pytest.mark.parametrize("joints", [True, False])
def test_no_limb_looks_longer_than_the_camera_allows(crew: Sample, joints: bool) -> None:
    """Is each limb of the picture at most its bound, with every joint's distance or the nearest one's alone?"""
    seen = constraints.limb_lengths(crew.keypoints, benchmark.BODY)
    assert bool((seen <= benchmark.camera_bounds(crew, joints=joints) + 1e-3).all())


def test_less_knowledge_gives_no_smaller_bound(crew: Sample) -> None:
    """Is the bound from the nearest point alone never below the one from every joint?"""
    loose, sharp = (benchmark.camera_bounds(crew, joints=joints) for joints in (False, True))
    assert bool((loose >= sharp * (1 - 1e-6)).all())


def test_noise_shows_in_lengths_as_often_as_they_are_among_the_unknowns(crew: Sample) -> None:
    """Of noise, do twelve lengths see twelve parts of twenty-four, within four standard errors?"""
    whole = crew[benchmark.body(crew)[:, 5:].all(-1)]
    draws = 200
    noise = torch.randn(draws * len(whole), 17, 2, generator=seeding.generator(0))
    truth = whole.keypoints.repeat(draws, 1, 1)
    mask = torch.ones(len(truth), 17, dtype=torch.bool)
    deviation = 0.5 / math.sqrt(12 * len(truth) + 1)  # the share of half of 24·n squares is Beta(6n, 6n)
    assert abs(benchmark.seen_by_limbs(noise, truth, mask) - 0.5) < 4 * deviation


def test_a_shift_shows_in_no_length(crew: Sample) -> None:
    """Do lengths see nothing of a body that is whole, in another place?"""
    mask = torch.ones(len(crew), 17, dtype=torch.bool)
    assert benchmark.seen_by_limbs(torch.ones_like(crew.keypoints), crew.keypoints, mask) < 1e-9


def test_a_mirrored_answer_is_crossed(crew: Sample) -> None:
    """Is an answer with the sides exchanged at its twins, wherever these are apart, and the truth at none?"""
    mirrored = crew.keypoints[:, list(crew.skeleton.swap)] - crew.keypoints
    assert benchmark.crossed(mirrored, crew) == pytest.approx({"crossed": 1.0, "crossed_part": 1.0})
    assert benchmark.crossed(1e-3 * torch.ones_like(mirrored), crew)["crossed"] == 0


def test_the_table_has_every_weight_with_every_seed() -> None:
    """Are the shipped rows those that the lesson compares, seed by seed?"""
    rows = json.loads(data_path("constraints.json").read_text(encoding="utf-8"))
    pairs = sorted((row["weight"], row["seed"]) for row in rows)
    seeds = sorted({seed for _, seed in pairs})
    assert pairs == sorted((weight, seed) for weight in benchmark.WEIGHTS for seed in seeds)
    assert len(seeds) >= 5
