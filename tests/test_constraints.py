"""One limb: is it drawn to the nearest pair of the right length, and does a loss see each limb of each pose?"""

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from posecourse import constraints
from posecourse.losses import masked_mean
from posecourse.skeletons import COCO17

CHAIN = ((0, 1), (1, 2))


def points(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """Random points, a few units apart."""
    return 5 * torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)).to(dtype)


def distance(limb: constraints.Limb) -> torch.Tensor:
    """How far apart the ends are."""
    return (limb.child - limb.parent).norm(dim=-1)


def test_a_limb_by_hand() -> None:
    """Does each end of a limb of 10 that should be 6 take half of the excess, and with variances 3 and 1 a quarter?"""
    parent, child = torch.tensor([1.0, 2.0]), torch.tensor([7.0, 10.0])
    half = constraints.project_limb(parent, child, 6.0)
    torch.testing.assert_close(half.parent, torch.tensor([2.2, 3.6]))
    torch.testing.assert_close(half.child, torch.tensor([5.8, 8.4]))
    sure = constraints.project_limb(parent, child, 6.0, variances=torch.tensor([3.0, 1.0]))
    torch.testing.assert_close(sure.parent, torch.tensor([2.8, 4.4]))
    torch.testing.assert_close(sure.child, torch.tensor([6.4, 9.2]))


@pytest.mark.parametrize("bound", ["equal", "upper"])
@pytest.mark.parametrize("D", [2, 3])
def test_scipy_finds_no_nearer_pair(D: int, bound: Any) -> None:
    """Is the weighted distance the least that SciPy's constrained minimisation finds, from the same start?"""
    parent, child, variances = points(6, D), points(6, D, seed=1), torch.rand(6, 2).double() + 0.2
    limb = constraints.project_limb(parent, child, 5.5, variances=variances, bound=bound)
    for i in range(6):
        p, c, v = parent[i].numpy(), child[i].numpy(), variances[i].numpy()

        def cost(x: Any, p: Any = p, c: Any = c, v: Any = v) -> Any:
            return ((x[:D] - p) ** 2).sum() / v[0] + ((x[D:] - c) ** 2).sum() / v[1]

        limit = {"type": "eq" if bound == "equal" else "ineq", "fun": lambda x: 5.5**2 - ((x[D:] - x[:D]) ** 2).sum()}
        found = minimize(cost, [*p, *c], method="SLSQP", constraints=limit, options={"ftol": 1e-14, "maxiter": 500})
        ours = torch.cat([limb.parent[i], limb.child[i]])
        assert cost(ours.numpy()) == pytest.approx(found.fun, rel=1e-6, abs=1e-9)
        torch.testing.assert_close(ours, torch.from_numpy(found.x), rtol=1e-4, atol=1e-4)


@given(
    D=st.sampled_from([2, 3]),
    shape=st.sampled_from([(), (4,), (2, 3)]),
    bound=st.sampled_from(["equal", "upper"]),
    seed=st.integers(0, 10_000),
    length=st.floats(0, 20),
    weighted=st.booleans(),
)
def test_twice_is_once_and_nobody_is_edited(
    D: int, shape: tuple[int, ...], bound: Any, seed: int, length: float, weighted: bool
) -> None:
    """Does the length hold, does a second projection move nothing, is the weighted mean of the ends kept?"""
    parent, child = points(*shape, D, seed=seed), points(*shape, D, seed=seed + 1)
    variances = torch.rand(*shape, 2).double() + 0.1 if weighted else torch.ones(*shape, 2).double()
    before = parent.clone(), child.clone(), variances.clone()
    limb = constraints.project_limb(parent, child, length, variances=variances, bound=bound)
    assert all(a.equal(b) for a, b in zip(before, (parent, child, variances), strict=True))
    size = (child - parent).norm(dim=-1)
    expected = torch.full_like(size, length) if bound == "equal" else size.clamp(max=length)
    torch.testing.assert_close(distance(limb), expected)
    torch.testing.assert_close(
        limb.parent / variances[..., :1] + limb.child / variances[..., 1:],
        parent / variances[..., :1] + child / variances[..., 1:],
    )
    if length > 0:
        again = constraints.project_limb(*limb, length, variances=variances, bound=bound)
        torch.testing.assert_close(again, limb)


@given(seed=st.integers(0, 10_000), D=st.sampled_from([2, 3]), slack=st.floats(0, 1), noise=st.floats(0.01, 10))
def test_an_upper_bound_never_harms(seed: int, D: int, slack: float, noise: float) -> None:
    """With a bound that the truth keeps to, is the pair's total error never larger, in the metric of the variances?"""
    truth = points(2, 50, D, seed=seed)
    variances = 0.1 + torch.rand(50, 2, generator=torch.Generator().manual_seed(seed)).double()
    seen = truth + noise * points(2, 50, D, seed=seed + 1)
    longest = (truth[1] - truth[0]).norm(dim=-1) * (1 + slack)
    for v in (torch.ones(50, 2).double(), variances):
        limb = constraints.project_limb(*seen, longest, variances=v, bound="upper")
        weights = 1 / v.mT
        before = (weights * ((seen - truth) ** 2).sum(-1)).sum(0)
        after = (weights * ((torch.stack(limb) - truth) ** 2).sum(-1)).sum(0)
        assert bool((after <= before * (1 + 1e-12) + 1e-12).all())


def turned(D: int) -> torch.Tensor:
    """A rotation."""
    return torch.linalg.qr(points(D, D, seed=5))[0]


@pytest.mark.parametrize("D", [2, 3])
def test_it_turns_and_moves_with_the_picture(D: int) -> None:
    """Is the projection of turned, mirrored and shifted ends the turned, mirrored and shifted projection?"""
    parent, child, variances, shift = points(7, D), points(7, D, seed=1), torch.rand(7, 2).double(), points(D, seed=3)
    limb = constraints.project_limb(parent, child, 4.0, variances=variances)
    moved = constraints.project_limb(parent @ turned(D) + shift, child @ turned(D) + shift, 4.0, variances=variances)
    torch.testing.assert_close(moved.parent, limb.parent @ turned(D) + shift)
    torch.testing.assert_close(moved.child, limb.child @ turned(D) + shift)


def test_an_exact_end_stays() -> None:
    """Does an end of variance 0 stay to the last bit, the other one taking all of the excess?"""
    parent, child = points(5, 2), points(5, 2, seed=1)
    limb = constraints.project_limb(parent, child, 4.0, variances=torch.tensor([0.0, 2.0]).double())
    assert limb.parent.equal(parent)
    torch.testing.assert_close(distance(limb), torch.full((5,), 4.0).double())


@pytest.mark.parametrize("bound", ["equal", "upper"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_ends_that_meet_stay_where_they_are(bound: Any, dtype: torch.dtype) -> None:
    """Where there is no direction, does nothing move, is the gradient 1, and are the others projected all the same?"""
    parent = torch.tensor([[3.0, 1.0], [0.0, 0.0]], dtype=dtype, requires_grad=True)
    child = torch.tensor([[3.0, 1.0], [9.0, 0.0]], dtype=dtype, requires_grad=True)
    limb = constraints.project_limb(parent, child, 7.0, bound=bound)
    assert limb.parent[0].equal(parent[0])
    assert limb.child[0].equal(child[0])
    assert limb.child[1].tolist() == [8, 0]
    (limb.parent[0] * 2).sum().backward()
    assert parent.grad is not None
    assert child.grad is not None
    assert parent.grad.tolist() == [[2, 2], [0, 0]]
    assert child.grad.tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("bound", ["equal", "upper"])
@pytest.mark.parametrize("D", [2, 3])
def test_gradients_of_a_limb(D: int, bound: Any) -> None:
    """Are the gradients for ends, lengths and variances those of finite differences?"""

    def ends(*given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(constraints.project_limb(*given[:3], variances=given[3], bound=bound))

    given_ = points(3, D), points(3, D, seed=1), torch.tensor([4.0, 2.0, 9.0]).double(), torch.rand(3, 2).double() + 0.3
    assert torch.autograd.gradcheck(ends, [tensor.requires_grad_() for tensor in given_])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_types_and_leading_axes_of_a_limb(dtype: torch.dtype) -> None:
    """Is the type kept, may lengths and variances be for all, and does a batch agree with its parts?"""
    parent, child = points(2, 3, 2, dtype=dtype), points(2, 3, 2, seed=1, dtype=dtype)
    lengths, variances = torch.tensor([3.0, 4.0, 5.0]), torch.tensor([2.0, 1.0])
    limb = constraints.project_limb(parent, child, lengths, variances=variances)
    assert limb.parent.dtype == limb.child.dtype == dtype
    for b in range(2):
        for k in range(3):
            one = constraints.project_limb(
                parent[b, k], child[b, k], float(lengths[k]), variances=variances.expand(2, 3, 2)[b, k]
            )
            torch.testing.assert_close(one.parent, limb.parent[b, k])
            torch.testing.assert_close(one.child, limb.child[b, k])


def test_nan_stays_where_it_is() -> None:
    """Is a limb with a NaN end NaN, and its neighbours in the batch untouched by it?"""
    parent, child = points(3, 2), points(3, 2, seed=1)
    expected = constraints.project_limb(parent, child, 4.0)
    parent = parent.clone()
    parent[1, 0] = math.nan
    limb = constraints.project_limb(parent, child, 4.0)
    assert limb.child[1].isnan().all()
    torch.testing.assert_close(limb.child[[0, 2]], expected.child[[0, 2]])


def test_lengths_of_a_skeleton() -> None:
    """Is each length the distance of the two ends, in the limbs' order, and the gradient 0 where they meet?"""
    keypoints = points(2, 17, 3)
    lengths = constraints.limb_lengths(keypoints, COCO17)
    for index, (a, b) in enumerate(COCO17.limbs):
        torch.testing.assert_close(lengths[:, index], ((keypoints[:, a] - keypoints[:, b]) ** 2).sum(-1).sqrt())
    same = torch.zeros(3, 2, requires_grad=True)
    constraints.limb_lengths(same, CHAIN).sum().backward()
    assert same.grad is not None
    assert same.grad.tolist() == [[0, 0]] * 3


def bone_loss(predicted: torch.Tensor, lengths: torch.Tensor, limbs: Any) -> torch.Tensor:
    """Return mmpose's BoneLoss: the mean over the batch comes first (mmpose 1.x, models/losses/regression_loss.py)."""
    out = constraints.limb_lengths(predicted, limbs)
    return (out - lengths).mean(0).abs().mean()


def test_opposite_errors_do_not_cancel() -> None:
    """If a limb is too long by 2 in one picture, too short by 2 in another, do we see 2, where mmpose sees 0?"""
    predicted = torch.tensor([[[0.0, 0.0], [6.0, 8.0]], [[1.0, 1.0], [1.0, 7.0]]])  # limbs of 10 and of 6
    lengths = torch.full((2, 1), 8.0)
    assert bone_loss(predicted, lengths, [(0, 1)]).item() == 0
    assert constraints.limb_loss(predicted, lengths, [(0, 1)]).tolist() == [[2], [2]]


@given(seed=st.integers(0, 1000))
def test_it_is_never_less_than_with_the_mean_first(seed: int) -> None:
    """Is the mean of our losses at least mmpose's, as Jensen has it?"""
    predicted, lengths = points(5, 3, 2, seed=seed), points(5, 2, seed=seed + 1).abs()
    ours = constraints.limb_loss(predicted, lengths, CHAIN).mean()
    assert ours >= bone_loss(predicted, lengths, CHAIN) - 1e-12


def test_truth_may_be_given_as_keypoints() -> None:
    """Are true keypoints measured as `limb_lengths` does, and are lengths for all poses those for each?"""
    predicted, truth = points(4, 3, 2), points(4, 3, 2, seed=1)
    lengths = constraints.limb_lengths(truth, CHAIN)
    loss = constraints.limb_loss(predicted, lengths, CHAIN)
    torch.testing.assert_close(constraints.limb_loss(predicted, truth, CHAIN), loss)
    torch.testing.assert_close(
        constraints.limb_loss(predicted, lengths[0], CHAIN),
        constraints.limb_loss(predicted, lengths[:1].expand(4, 2), CHAIN),
    )
    torch.testing.assert_close(loss[2], (constraints.limb_lengths(predicted[2], CHAIN) - lengths[2]).abs())


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_does_not_count_leaves_no_trace(bad: float) -> None:
    """Is a limb without one end 0, with a gradient of 0, and one that counts and is NaN a NaN without a gradient?"""
    mask = torch.tensor([[True, True, False], [True, True, True]])
    clean = points(2, 3, 2)
    predicted = clean.clone()
    predicted[0, 2], predicted[1, 2] = bad, bad
    predicted.requires_grad_()
    truth = points(2, 3, 2, seed=1)
    truth[0, 2] = bad
    loss = constraints.limb_loss(predicted, truth, CHAIN, mask)
    assert loss[0, 1] == 0
    assert loss[1, 1].isnan()
    torch.testing.assert_close(loss[:, 0], constraints.limb_loss(clean, truth, CHAIN, mask)[:, 0])
    loss[:, 1].sum().backward()
    assert predicted.grad is not None
    assert predicted.grad.eq(0).all()
    counts = constraints.limb_mask(mask, CHAIN)
    assert counts.tolist() == [[True, False], [True, True]]
    mean = masked_mean(loss[:1], counts[:1])
    torch.testing.assert_close(mean, loss[0, 0])


def test_gradients_of_the_loss() -> None:
    """Is the gradient that of finite differences, for keypoints and for lengths?"""
    predicted, lengths = points(2, 3, 2).requires_grad_(), points(2, 2, seed=1).abs().requires_grad_()
    assert torch.autograd.gradcheck(lambda p, L: constraints.limb_loss(p, L, CHAIN), (predicted, lengths))


TWO = torch.zeros(4, 2)


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: constraints.project_limb(TWO, TWO[:3], 1.0), ValueError, "parent and child must have one shape"),
        (lambda: constraints.project_limb(TWO.int(), TWO, 1.0), TypeError, r"parent must be .* Call \.float"),
        (lambda: constraints.project_limb(torch.zeros(4, 5), TWO, 1.0), ValueError, r"D = 2 comp.* got \(4, 5\)"),
        (lambda: constraints.project_limb(TWO, TWO, -1.0), ValueError, "length must be finite .* got -1"),
        (lambda: constraints.project_limb(TWO, TWO, math.nan), ValueError, "got nan"),
        (lambda: constraints.project_limb(TWO, TWO, torch.ones(3)), ValueError, r"length must be \(4,\), or fit"),
        (lambda: constraints.project_limb(TWO, TWO, [1.0]), TypeError, r"Use torch\.tensor\(length\)"),
        (lambda: constraints.project_limb(TWO, TWO, 1.0, bound="lower"), ValueError, '"upper", one not to exceed'),
        (lambda: constraints.project_limb(TWO, TWO, 1.0, variances=torch.zeros(2)), ValueError, "neither may move"),
        (lambda: constraints.project_limb(TWO, TWO, 1.0, variances=-torch.ones(2)), ValueError, "variances must be"),
        (lambda: constraints.project_limb(TWO, TWO, 1.0, variances=torch.ones(4)), ValueError, "variances must be"),
        (lambda: constraints.limb_lengths(TWO, [(1, 4)]), ValueError, r"limb \(1, 4\) .* COCO files count from 1"),
        (lambda: constraints.limb_lengths(TWO, [(1, 1)]), ValueError, "two different"),
        (lambda: constraints.limb_lengths(torch.zeros(2), [(0, 1)]), ValueError, r"\(\.\.\., K, D\)"),
        (lambda: constraints.limb_loss(TWO, torch.ones(3), CHAIN), ValueError, r"lengths must be \(2,\)"),
        (lambda: constraints.limb_loss(TWO, TWO[:3], CHAIN), ValueError, "predicted and true keypoints must have one"),
        (lambda: constraints.limb_loss(TWO, torch.ones(2), CHAIN, torch.ones(4)), TypeError, "visibility > 0"),
        (lambda: constraints.limb_loss(TWO, torch.ones(2), CHAIN, torch.ones(3).bool()), ValueError, "one shape"),
    ],
)  # fmt: skip
def test_mistakes_are_named(call: Any, error: type[Exception], message: str) -> None:
    """Does each wrong argument raise an error that says what was expected?"""
    with pytest.raises(error, match=message):
        call()
