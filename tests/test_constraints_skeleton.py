"""A whole skeleton: is it the nearest one that keeps to its lengths, and where does going from limb to limb lead?"""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from posecourse import constraints
from posecourse.constraints.solve import _TOLERANCE
from posecourse.skeletons import COCO17, Skeleton

CHAIN = ((0, 1), (1, 2), (2, 3))
UPRIGHT = torch.tensor([
    [0, -80], [3, -83], [-3, -83], [7, -81], [-7, -81], [18, -60], [-18, -60], [24, -33], [-24, -33], [25, -8],
    [-25, -8], [10, -5], [-10, -5], [12, 35], [-12, 35], [12, 75], [-12, 75],
]).double()  # fmt: skip
LENGTHS = constraints.limb_lengths(UPRIGHT, COCO17)


def noisy(*shape: int, seed: int = 0, sigma: float = 4.0) -> torch.Tensor:
    """Somebody upright, seen with noise."""
    generator = torch.Generator().manual_seed(seed)
    return UPRIGHT + sigma * torch.randn(*shape, 17, 2, generator=generator, dtype=torch.float64)


def spreads(*shape: int, seed: int = 0) -> torch.Tensor:
    """Variances between .2 and 20, one a keypoint."""
    return 0.2 * 100 ** torch.rand(*shape, 17, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def cost(points: torch.Tensor, given: torch.Tensor, variances: torch.Tensor) -> torch.Tensor:
    """Return Σ ‖x − p‖² / v, one a pose."""
    return (((points - given) ** 2).sum(-1) / variances).sum(-1)


def dual(points: np.ndarray, variances: np.ndarray, limbs: Any, lengths: np.ndarray) -> np.ndarray:
    """Return the nearest skeleton under upper bounds by another way: the largest of the dual, over one λ ≥ 0 a limb.

    With ½Σ‖x − p‖²/v + ½Σ λ(‖d‖² − L²) the best x solves a linear system: (1/v + Laplacian(λ))·x = p/v.
    """
    K, ends = len(points), np.array(limbs)
    incidence = np.zeros((len(ends), K))
    incidence[range(len(ends)), ends[:, 0]], incidence[range(len(ends)), ends[:, 1]] = -1, 1

    def best(multipliers: np.ndarray) -> np.ndarray:
        laplacian = incidence.T @ (multipliers[:, None] * incidence)
        return np.linalg.solve(np.diag(1 / variances) + laplacian, points / variances[:, None])

    def negative(multipliers: np.ndarray) -> tuple[float, np.ndarray]:
        x = best(multipliers)
        slack = ((incidence @ x) ** 2).sum(-1) - lengths**2
        value = (((x - points) ** 2).sum(-1) / variances).sum() / 2 + multipliers @ slack / 2
        return -value, -slack / 2

    options = {"ftol": 1e-15, "gtol": 1e-9, "maxiter": 10_000, "maxfun": 100_000}
    bounds = [(0, None)] * len(ends)
    found = minimize(negative, np.zeros(len(ends)), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return best(found.x)


@pytest.mark.parametrize("weighted", [False, True])
def test_upper_bounds_agree_with_the_dual(weighted: bool) -> None:
    """Is the skeleton the one that another solver finds for the dual problem, whose answer is unique?"""
    points = noisy(4)
    variances = spreads(4) if weighted else torch.ones(4, 17).double()
    ours = constraints.project_skeleton(points, COCO17, LENGTHS, variances=variances, bound="upper")
    for i in range(4):
        other = dual(points[i].numpy(), variances[i].numpy(), COCO17.limbs, LENGTHS.numpy())
        torch.testing.assert_close(ours[i], torch.from_numpy(other), rtol=0, atol=2e-3)  # L-BFGS-B's own tolerance
    assert constraints.limb_lengths(ours, COCO17).le(LENGTHS + _TOLERANCE * LENGTHS.max()).all()


@pytest.mark.parametrize("weighted", [False, True])
def test_dykstra_ends_at_the_nearest_and_the_plain_cycle_near(weighted: bool) -> None:
    """Does the corrected cycle reach SciPy's answer, and the plain one a skeleton within bounds, farther off?"""
    points, variances = noisy(3), spreads(3) if weighted else torch.ones(3, 17).double()
    nearest = constraints.project_skeleton(points, COCO17, LENGTHS, variances=variances, bound="upper")
    cycles = [
        constraints.iterate_limbs(points, COCO17, LENGTHS, 300, variances=variances, bound="upper", corrected=corrected)
        for corrected in (True, False)
    ]
    torch.testing.assert_close(cycles[0], nearest, rtol=0, atol=1e-3)
    for cycle in cycles:
        assert constraints.limb_lengths(cycle, COCO17).le(LENGTHS + 1e-3).all()
    assert bool((cost(cycles[1], points, variances) > cost(nearest, points, variances)).all())


@pytest.mark.parametrize("D", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_equalities_cannot_be_had_cheaper_nearby(D: int, weighted: bool) -> None:
    """Do the lengths hold, and is no feasible skeleton in the neighbourhood, or where the cycle leads, nearer?"""
    points, variances = noisy(3), spreads(3) if weighted else torch.ones(3, 17).double()
    lengths = LENGTHS
    if D == 3:
        upright = torch.cat([UPRIGHT, 6 * torch.sin(torch.arange(17.0)).double()[:, None]], dim=-1)
        points = torch.cat([points, upright[:, 2:] + noisy(3, seed=1)[..., :1] - UPRIGHT[:, :1]], dim=-1)
        lengths = constraints.limb_lengths(upright, COCO17)
    ours = constraints.project_skeleton(points, COCO17, lengths, variances=variances)
    torch.testing.assert_close(
        constraints.limb_lengths(ours, COCO17), lengths.expand(3, -1), rtol=0, atol=_TOLERANCE * lengths.max().item()
    )
    least = cost(ours, points, variances)
    generator = torch.Generator().manual_seed(0)
    step = 0.5 * torch.randn(20, *ours.shape, generator=generator, dtype=torch.float64)
    starts = torch.cat([points[None], ours + step * variances[..., None].sqrt()])
    others = constraints.iterate_limbs(starts, COCO17, lengths, 200, variances=variances)
    held = (constraints.limb_lengths(others, COCO17) - lengths).abs().amax(-1) < 0.02
    assert held.sum(0).ge(5).all()
    assert bool((cost(others, points, variances) > least)[held].all())


@pytest.mark.parametrize("bound", ["equal", "upper"])
def test_one_limb_is_project_limb(bound: Any) -> None:
    """With one limb, are the cycle and SciPy both what the closed form says, the other keypoints staying put?"""
    points, variances = noisy(3), spreads(3)
    limb = constraints.project_limb(points[:, 7], points[:, 9], 20.0, variances=variances[:, [7, 9]], bound=bound)
    expected = points.clone()
    expected[:, 7], expected[:, 9] = limb
    lengths = torch.tensor([20.0]).double()
    for answer in (
        constraints.iterate_limbs(points, [(7, 9)], lengths, 1, variances=variances, bound=bound),
        constraints.project_skeleton(points, [(7, 9)], lengths, variances=variances, bound=bound),
    ):
        torch.testing.assert_close(answer, expected, rtol=0, atol=1e-4)


def test_the_cycle_is_a_loop_over_limbs() -> None:
    """Is a sweep limb after limb, in their order, each from where the one before has left the keypoints?"""
    points, lengths = noisy(2, 3), LENGTHS * 0.9
    expected = points.clone()
    for _ in range(3):
        for index, (a, b) in enumerate(COCO17.limbs):
            limb = constraints.project_limb(expected[..., a, :], expected[..., b, :], lengths[index], bound="upper")
            expected[..., a, :], expected[..., b, :] = limb
    torch.testing.assert_close(constraints.iterate_limbs(points, COCO17, lengths, 3, bound="upper"), expected)


@pytest.mark.parametrize("bound", ["equal", "upper"])
def test_a_second_projection_moves_nothing(bound: Any) -> None:
    """Is what keeps to the lengths left where it is, and nothing edited?"""
    points, variances = noisy(3), spreads(3)
    before = points.clone(), variances.clone(), LENGTHS.clone()
    once = constraints.project_skeleton(points, COCO17, LENGTHS, variances=variances, bound=bound)
    assert all(a.equal(b) for a, b in zip(before, (points, variances, LENGTHS), strict=True))
    twice = constraints.project_skeleton(once, COCO17, LENGTHS, variances=variances, bound=bound)
    torch.testing.assert_close(twice, once, rtol=0, atol=_TOLERANCE * LENGTHS.max().item())
    short = constraints.project_skeleton(0.9 * UPRIGHT, COCO17, LENGTHS, bound="upper")
    assert short.equal(0.9 * UPRIGHT)


def test_it_turns_with_the_picture() -> None:
    """Is the nearest skeleton of a turned and shifted pose the turned and shifted one, exactly and in the cycle?"""
    turn = torch.linalg.qr(torch.tensor([[1.0, 2.0], [-3.0, 1.0]]).double())[0]
    shift = torch.tensor([30.0, -7.0]).double()
    points = noisy(2)
    for project in (
        lambda x: constraints.project_skeleton(x, COCO17, LENGTHS),
        lambda x: constraints.iterate_limbs(x, COCO17, LENGTHS, 5, corrected=True),
    ):
        torch.testing.assert_close(project(points @ turn + shift), project(points) @ turn + shift, rtol=0, atol=1e-3)


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), sigma=st.floats(0.1, 20), slack=st.floats(1, 1.5), weighted=st.booleans())
def test_upper_bounds_never_harm(seed: int, sigma: float, slack: float, weighted: bool) -> None:
    """With bounds that the truth keeps to, is the total error never larger: SciPy's, Dykstra's end and each sweep's?"""
    points = noisy(1, seed=seed, sigma=sigma)
    variances = spreads(1, seed=seed) if weighted else torch.ones(1, 17).double()
    bounds: dict[str, Any] = {"variances": variances, "bound": "upper"}
    before = cost(points, UPRIGHT, variances)
    for after in (
        constraints.project_skeleton(points, COCO17, slack * LENGTHS, **bounds),
        constraints.iterate_limbs(points, COCO17, slack * LENGTHS, 1, **bounds),
        constraints.iterate_limbs(points, COCO17, slack * LENGTHS, 4, **bounds),
    ):
        assert cost(after, UPRIGHT, variances) <= before * (1 + 1e-6)


@pytest.mark.parametrize("solved", [True, False])
def test_what_is_missing_drops_its_limbs(solved: bool) -> None:
    """Do a masked and a NaN keypoint stay as they are, and are the others those of a skeleton without them?"""
    points = noisy(2)
    points[1, 9] = math.nan
    mask = torch.ones(2, 17, dtype=torch.bool)
    mask[0, 13] = False
    points[0, 13] = 1e6

    def project(x: torch.Tensor, limbs: Any, lengths: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        if solved:
            return constraints.project_skeleton(x, limbs, lengths, mask=mask)
        return constraints.iterate_limbs(x, limbs, lengths, 7, mask=mask)

    answer = project(points, COCO17, LENGTHS, mask)
    torch.testing.assert_close(answer[0, 13], points[0, 13])
    assert answer[1, 9].isnan().all()
    for i, missing in enumerate((13, 9)):
        kept = [index for index, limb in enumerate(COCO17.limbs) if missing not in limb]
        limbs = [COCO17.limbs[index] for index in kept]
        expected = project(points[i].nan_to_num(0), limbs, LENGTHS[kept])
        others = [k for k in range(17) if k != missing]
        torch.testing.assert_close(answer[i, others], expected[others], rtol=0, atol=1e-4)


@pytest.mark.parametrize("solved", [True, False])
def test_exact_keypoints_stay(solved: bool) -> None:
    """Do keypoints of variance 0 stay to the last bit, while the lengths hold?"""
    points, variances = noisy(2), spreads(2)
    variances[:, [5, 16]] = 0
    if solved:
        answer = constraints.project_skeleton(points, COCO17, 1.1 * LENGTHS, variances=variances, bound="upper")
        assert constraints.limb_lengths(answer, COCO17).le(1.1 * LENGTHS + 1e-2).all()
    else:
        answer = constraints.iterate_limbs(points, COCO17, 1.1 * LENGTHS, 9, variances=variances, bound="upper")
    assert answer[:, [5, 16]].equal(points[:, [5, 16]])
    assert not answer[:, 9].equal(points[:, 9])


@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("bound", ["equal", "upper"])
def test_gradients_of_the_cycle(bound: Any, corrected: bool) -> None:
    """Are its gradients those of finite differences, and finite where a keypoint is missing and where two meet?"""
    points = 5 * torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    lengths, variances = torch.tensor([4.0, 2.0, 3.0]).double(), torch.tensor([1.0, 2.0, 0.5, 3.0]).double()

    def cycle(*given: torch.Tensor) -> torch.Tensor:
        return constraints.iterate_limbs(
            given[0], CHAIN, given[1], 3, variances=given[2], bound=bound, corrected=corrected
        )

    assert torch.autograd.gradcheck(cycle, [t.clone().requires_grad_() for t in (points, lengths, variances)])
    broken = points.clone()
    broken[0, 3], broken[1, 1] = math.nan, broken[1, 0]
    broken.requires_grad_()
    answer = cycle(broken, lengths, variances)
    answer[:, :3].sum().backward()
    assert broken.grad is not None
    assert broken.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_types_and_leading_axes(dtype: torch.dtype) -> None:
    """Is the type kept, and is a batch, whatever its axes, what its poses are by themselves, an empty one too?"""
    points = noisy(2, 3).to(dtype)
    for project in (
        lambda x: constraints.project_skeleton(x, COCO17, LENGTHS, bound="upper"),
        lambda x: constraints.iterate_limbs(x, COCO17, LENGTHS, 4, bound="upper"),
    ):
        batch = project(points)
        assert batch.dtype == dtype
        torch.testing.assert_close(project(points[1, 2]), batch[1, 2])
        assert project(points[:0]).shape == (0, 3, 17, 2)
    assert constraints.project_skeleton(points, [], torch.zeros(0), bound="upper").equal(points)
    nobody = torch.full_like(points, math.nan)
    assert constraints.project_skeleton(nobody, COCO17, LENGTHS).isnan().all()


def test_lengths_that_contradict_each_other_are_reported() -> None:
    """Does a triangle whose sides cannot close raise, naming pose and way out, and not so under upper bounds?"""
    triangle, sides = ((0, 1), (1, 2), (2, 0)), torch.tensor([10.0, 2.0, 3.0]).double()
    points = noisy(2)[:, :3]
    with pytest.raises(RuntimeError, match=r'pose 0: no nearest skeleton .* bound="upper"'):
        constraints.project_skeleton(points, triangle, sides)
    answer = constraints.project_skeleton(points, triangle, sides, bound="upper")
    assert constraints.limb_lengths(answer, triangle).le(sides + 1e-3).all()


def test_any_skeleton_will_do() -> None:
    """Are limbs taken from a skeleton of another kind, as from pairs?"""
    rope = Skeleton(names=("a", "b", "c", "d"), limbs=CHAIN)
    points, lengths = noisy(2)[:, :4], torch.tensor([2.0, 3.0, 4.0]).double()
    torch.testing.assert_close(
        constraints.project_skeleton(points, rope, lengths), constraints.project_skeleton(points, CHAIN, lengths)
    )


FOUR, THREE = torch.zeros(4, 2), torch.ones(3)


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    "project", [constraints.project_skeleton, lambda *a, **k: constraints.iterate_limbs(*a, 2, **k)]
)
@pytest.mark.parametrize(
    ("arguments", "more", "error", "message"),
    [
        ((FOUR, CHAIN, torch.ones(4)), {}, ValueError, r"lengths must be \(3,\), or fit it from the right; got \(4,\)"),
        ((FOUR, CHAIN, -THREE), {}, ValueError, "not negative; got -1"),
        ((FOUR, ((0, 4),), THREE[:1]), {}, ValueError, "subtract 1"),
        ((FOUR, CHAIN, THREE), {"mask": torch.ones(3).bool()}, ValueError, "one value a keypoint"),
        ((FOUR, CHAIN, THREE), {"mask": torch.ones(4)}, TypeError, "visibility > 0"),
        ((FOUR, CHAIN, THREE), {"bound": "least"}, ValueError, "got 'least'"),
        ((FOUR, CHAIN, THREE), {"variances": torch.tensor([1.0, 0, 0, 1])}, ValueError, "neither may move"),
        ((FOUR, CHAIN, THREE), {"variances": THREE}, ValueError, r"variances must be \(4,\)"),
        ((FOUR[:, :1], CHAIN, THREE), {}, ValueError, "D = 2 components"),
    ],
)
def test_mistakes_are_named(project: Any, arguments: Any, more: Any, error: type[Exception], message: str) -> None:
    """Does each wrong argument raise an error that says what was expected?"""
    with pytest.raises(error, match=message):
        project(*arguments, **more)


@pytest.mark.usefixtures("as_a_user")
def test_mistakes_of_one_alone_are_named() -> None:
    """Is a length of 0, which has no direction, refused by SciPy's problem, and a count of sweeps that is none?"""
    with pytest.raises(ValueError, match="lengths must be positive"):
        constraints.project_skeleton(FOUR, CHAIN, 0 * THREE)
    with pytest.raises(ValueError, match="sweeps must be a positive whole number"):
        constraints.iterate_limbs(FOUR, CHAIN, THREE, 0)
