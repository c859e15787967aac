"""What lesson 06's table is made by: its rows, and the variances that it reads from heatmaps."""

import json

import pytest
import torch

from benchmarks import fusion as benchmark
from posecourse import heatmaps, paths, seeding


def test_the_shipped_table_holds_every_training_once() -> None:
    """Are there five seeds of each β, and does every row but a β's first know its neighbour?"""
    rows = json.loads(paths.data_path("fusion.json").read_text(encoding="utf-8"))
    assert sorted((row["beta"], row["seed"]) for row in rows) == [(b, s) for b in (0.0, 0.5, 1.0) for s in range(5)]
    assert all(("apart_rho" in row) == (row["seed"] > 0) for row in rows)


@pytest.mark.parametrize("tau", [0.7, 1.1])
def test_a_blurred_blob_says_how_far_it_was_blurred(tau: float) -> None:
    """Are both variances of a blob that was averaged over a normal posterior that posterior's, in square pixels?"""
    random = seeding.generator(0)
    places = torch.tensor([15.2, 16.4]) + tau * torch.randn(20_000, 1, 2, generator=random)
    blurred = heatmaps.gaussian_heatmaps(places, (32, 32), 1.0).mean(0)  # (1 32 32)
    truth = torch.full((1, 2), benchmark.STRIDE**2 * tau**2)
    # The posterior's peak lies between cells: sampled, it is lower by up to exp(−.5·(.5² + .5²)/(1 + τ²)).
    assert torch.allclose(benchmark.width_variances(blurred, radius=6), truth, rtol=0.05)
    top = 1 / (1 + tau**2)
    assert torch.allclose(benchmark.peak_variances(torch.tensor([top])), truth, rtol=1e-4)
    assert blurred.max() <= top * 1.02


def test_correlation_counts_a_common_bias() -> None:
    """Are two errors that share a bias correlated, since it is their mean square that is averaged?"""
    first, second = torch.randn(2, 50_000, generator=seeding.generator(0), dtype=torch.float64) + 2.0
    assert benchmark.correlation(first, second) == pytest.approx(4 / 5, abs=0.01)


def test_a_promise_is_kept_by_independent_errors() -> None:
    """Do measured and promised RMS agree where errors are what both rules think, and is no weight negative?"""
    variances = torch.rand(2, 50_000, 2, generator=seeding.generator(0), dtype=torch.float64) + 0.2
    white = torch.randn(2, 50_000, 2, generator=seeding.generator(1), dtype=torch.float64)
    nothing = torch.zeros(50_000, 2)
    said = benchmark.Opinions(white * variances.sqrt(), variances, nothing, nothing[:, 0], nothing[:, 0])
    result = benchmark.fused(said, variances, 0.0)
    assert result["naive"] == pytest.approx(result["naive_promise"], rel=0.02)
    assert result["blue"] == pytest.approx(result["naive"], rel=1e-6)
    assert result["negative"] == 0
