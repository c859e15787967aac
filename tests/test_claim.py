"""Claims: theory beside measurement, and an assertion that can fail."""

import math

import pytest
import torch

from posecourse.lesson import claim


def test_a_claim_prints_theory_beside_measurement(capsys: pytest.CaptureFixture[str]) -> None:
    """Does the line end with the measured value, so that only it is left out when machines are compared?"""
    claim("02.rms", "RMS is s/√12", torch.tensor(1.1561), between=(1.14, 1.17), theory=4 / math.sqrt(12), unit="px")
    claim("02.share", "of a cell", 0.289, between=(0.28, 0.30))
    assert capsys.readouterr().out.splitlines() == [
        "✓ 02.rms RMS is s/√12: theory 1.155, between 1.14 and 1.17 px, measured 1.156",
        "✓ 02.share of a cell: between 0.28 and 0.3, measured 0.289",
    ]


@pytest.mark.parametrize("measured", [1.1399, 1.1701, float("nan"), float("inf"), -1.15])
def test_a_claim_outside_its_bounds_fails_with_its_number(measured: float) -> None:
    """Does a measurement that contradicts the claim stop the lesson, NaN too, and is the number said?"""
    with pytest.raises(AssertionError, match=f"02.rms does not hold.*measured {measured:.4g}"):
        claim("02.rms", "RMS is s/√12", measured, between=(1.14, 1.17))


@pytest.mark.parametrize("measured", [1.14, 1.17])
def test_the_bounds_belong_to_the_claim(measured: float) -> None:
    """Does a measurement on the bound hold?"""
    claim("02.rms", "RMS", measured, between=(1.14, 1.17))


@pytest.mark.parametrize("between", [(2.0, 1.0), (float("nan"), 1.0)])
def test_bounds_in_the_wrong_order_are_named(between: tuple[float, float]) -> None:
    """Is a claim that nothing could satisfy, or whose bound is not a number, refused as such?"""
    with pytest.raises(ValueError, match="low <= high"):
        claim("02.rms", "RMS", 1.5, between=between)
