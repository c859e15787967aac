"""What a length is worth: do the closed forms say what a simulation measures?"""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from posecourse import constraints

N = 400_000
LENGTH, SIGMA = 30.0, 2.0


def measured(
    D: int,
    project: Callable[..., Any],
    variances: tuple[float, float] = (SIGMA**2, SIGMA**2),
    truth: torch.Tensor | None = None,
) -> tuple[float, float]:
    """Return the squared error that a projection leaves over the one before, with its standard error.

    Args:
        D: dimensions.
        project: takes parent and child.
        variances: of the noise on them.
        truth: (N D) from parent to child; limbs of `LENGTH` along the first axis if not given.
    """
    generator = torch.Generator().manual_seed(D)
    truth = torch.tensor([LENGTH, *[0.0] * (D - 1)]).double().expand(N, D) if truth is None else truth
    ends = torch.stack([torch.zeros_like(truth), truth])
    noise = torch.randn(2, N, D, generator=generator, dtype=torch.float64)
    seen = ends + noise * torch.tensor(variances).sqrt()[:, None, None]
    left = ((torch.stack(tuple(project(*seen))) - ends) ** 2).sum((0, 2)) / (D * sum(variances))
    return left.mean().item(), left.std().item() / math.sqrt(N)


def equal(length: float, **more: Any) -> Callable[..., Any]:
    """Return a projection onto an equality."""
    return lambda parent, child: constraints.project_limb(parent, child, length, **more)


def test_the_numbers_of_the_lesson() -> None:
    """Are they .75 in a picture, 5/6 in space, 1 for the child alone, ½ with an exact parent, √2·σ to break even?"""
    assert constraints.left_of_mse(2) == 0.75
    assert constraints.left_of_mse(3) == pytest.approx(5 / 6)
    assert constraints.left_of_mse(2, share=0.0) == 1
    assert constraints.left_of_mse(2, share=0.0, variances=(0.0, 4.0)) == 0.5
    assert constraints.left_of_mse(2, variances=(4.0, 4.0), wrong_by=3.0) == pytest.approx(0.75 + 9 / (8 * 4))
    assert constraints.break_even(variances=(4.0, 4.0)) == pytest.approx(math.sqrt(2) * 2)
    assert constraints.break_even(share=0.0, variances=(4.0, 4.0)) == 0


@pytest.mark.parametrize("D", [2, 3])
@pytest.mark.parametrize("wrong", [0.0, 1.5, -2.0, math.sqrt(2) * SIGMA])
def test_symmetric_projection(D: int, wrong: float) -> None:
    """Does a simulation leave what the exact form says, and the leading order but for σ²/L²?"""
    left, error = measured(D, equal(LENGTH + wrong))
    exact = constraints.exact_left_of_mse(LENGTH, LENGTH + wrong, SIGMA, D)
    assert abs(left - exact) < 5 * error
    leading = constraints.left_of_mse(D, variances=(SIGMA**2, SIGMA**2), wrong_by=wrong)
    assert abs(exact - leading) < (1 + abs(wrong) / SIGMA) * SIGMA / LENGTH


@pytest.mark.parametrize("D", [2, 3])
@pytest.mark.parametrize("true_length", [0.3, 2.0, 7.0])
def test_short_limbs(D: int, true_length: float) -> None:
    """Is the exact form exact for limbs that are shorter than the noise, too?"""
    truth = torch.zeros(N, D).double()
    truth[:, 0] = true_length
    left, error = measured(D, equal(5.0), truth=truth)
    assert abs(left - constraints.exact_left_of_mse(true_length, 5.0, SIGMA, D)) < 5 * error


def test_the_cosine_of_a_short_limb_is_smooth() -> None:
    """In space, do the series for the shortest limbs and the formula meet?"""
    below, above = (constraints.exact_left_of_mse(x * math.sqrt(2), 1.0, 1.0, 3) for x in (0.99999e-3, 1.00001e-3))
    assert below == pytest.approx(above, abs=1e-7)


@pytest.mark.parametrize("D", [2, 3])
@pytest.mark.parametrize(
    ("variances", "share"), [((4.0, 4.0), 0.0), ((0.0, 4.0), 0.0), ((9.0, 1.0), 0.5), ((9.0, 1.0), 0.9)]
)
def test_other_shares(D: int, variances: tuple[float, float], share: float) -> None:
    """With unlike ends and shares, is what is left the leading order, up to a few times v/L²?"""
    weights = torch.tensor([share, 1 - share]).double()
    left, error = measured(D, equal(LENGTH, variances=weights), variances)
    slack = 4 * sum(variances) / LENGTH**2
    assert abs(left - constraints.left_of_mse(D, share=share, variances=variances)) < 5 * error + slack
    assert slack < 0.05


def test_the_best_share_is_the_variance() -> None:
    """Of all shares, is v_p/(v_p + v_c) the one that leaves least?"""
    shares = [n / 1000 for n in range(1001)]
    for p, c in ((9.0, 1.0), (1.0, 3.0), (2.0, 2.0), (0.0, 5.0)):
        best = min(shares, key=lambda w: constraints.left_of_mse(2, share=w, variances=(p, c)))
        assert best == pytest.approx(p / (p + c), abs=1e-9)


@pytest.mark.parametrize("D", [2, 3])
def test_an_equality_helps_up_to_the_break_even(D: int) -> None:
    """On a long limb, does a length that is a tenth less wrong than √2·σ help, and one a tenth more wrong harm?"""
    limit, long = constraints.break_even(variances=(SIGMA**2, SIGMA**2)), 100 * LENGTH
    truth = torch.tensor([long, *[0.0] * (D - 1)]).double().expand(N, D)
    for factor, helps in ((0.9, True), (-0.9, True), (1.1, False), (-1.1, False)):
        left, error = measured(D, equal(long - factor * limit), truth=truth)
        assert (left + 5 * error < 1) if helps else (left - 5 * error > 1)


def anywhere(length: float) -> torch.Tensor:
    """Return limbs of one length in space that point anywhere, as the picture sees them (N 2)."""
    way = torch.randn(N, 3, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    return (length * way / way.norm(dim=-1, keepdim=True))[:, :2]


def test_foreshortened_limbs() -> None:
    """Does an equality on limbs of 30 with σ = 2 that point anywhere leave 3.6 times the error, a bound less?"""
    left, error = measured(2, equal(LENGTH), truth=anywhere(LENGTH))
    theory = constraints.left_when_foreshortened(LENGTH, SIGMA)
    assert abs(left - theory) < 5 * error
    assert theory == pytest.approx(3.6, abs=0.05)
    bounded, error = measured(2, equal(LENGTH, bound="upper"), truth=anywhere(LENGTH))
    assert 0.75 < bounded + 5 * error < 1


def test_long_limbs_reach_the_leading_order() -> None:
    """For a limb of 1000 σ, is the exact form the leading one, and the foreshortened one ¾ + L²(5/3 − π/2)/8σ²?"""
    assert constraints.exact_left_of_mse(1000.0, 1001.0, 1.0, 2) == pytest.approx(0.75 + 1 / 8, abs=1e-3)
    leading = 0.75 + 1000**2 * (5 / 3 - math.pi / 2) / 8
    assert constraints.left_when_foreshortened(1000.0, 1.0) == pytest.approx(leading, rel=1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: constraints.left_of_mse(0), "2 in a picture or 3 in space; got 0"),
        (lambda: constraints.left_of_mse(2, variances=(0.0, 0.0)), "nor both 0"),
        (lambda: constraints.break_even(variances=(-1.0, 1.0)), "must not be negative"),
        (lambda: constraints.exact_left_of_mse(0.0, 1.0, 1.0), "true_length must be positive; got 0.0"),
        (lambda: constraints.exact_left_of_mse(1.0, 1.0, 1.0, 4), "got 4"),
        (lambda: constraints.left_when_foreshortened(1.0, 0.0), "sigma must be positive"),
    ],
)
def test_impossible_arguments_are_refused(call: Callable[[], float], message: str) -> None:
    """Does each wrong argument raise an error that says what was expected?"""
    with pytest.raises(ValueError, match=message):
        call()
