"""Covariance intersection: is it the smallest of its kind, and honest whatever the correlation is?"""

import numpy as np
import pytest
import torch
from scipy import optimize

from posecourse import fusion


def normal(*shape: int, seed: int) -> torch.Tensor:
    """Random numbers in float64."""
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def ellipses(*shape: int, seed: int) -> torch.Tensor:
    """Random covariances of x and y in float64, some of them thin."""
    root = normal(*shape, 2, 2, seed=seed)
    return root @ root.mT + 0.02 * torch.eye(2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_two_crossed_ellipses(dtype: torch.dtype, unit: float) -> None:
    """Do diag(4, 1) and diag(1, 4) make 1.6·I, with x from the second view and y from the first, in any unit?"""
    crossed = unit * torch.tensor([[[4.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 4.0]]], dtype=dtype)
    mean, covariance = fusion.covariance_intersection(torch.tensor([[0.0, 0.0], [5.0, 5.0]], dtype=dtype), crossed)
    torch.testing.assert_close(covariance / unit, 1.6 * torch.eye(2, dtype=dtype))
    torch.testing.assert_close(mean, torch.tensor([4.0, 1.0], dtype=dtype))


def test_circles_gain_nothing() -> None:
    """Of two circles, and of two along one axis, is the answer the smaller one, and of two equal ones their middle?"""
    means = torch.tensor([[1.0, 2.0], [7.0, 5.0]])
    for order in (torch.tensor([0, 1]), torch.tensor([1, 0])):
        circles = torch.stack([2.0 * torch.eye(2), 3.0 * torch.eye(2)])
        mean, covariance = fusion.covariance_intersection(means[order], circles[order])
        torch.testing.assert_close(mean, means[0])
        torch.testing.assert_close(covariance, circles[0])
    mean, covariance = fusion.covariance_intersection(means, circles[:1].expand(2, 2, 2))
    torch.testing.assert_close(mean, means.mean(0))
    torch.testing.assert_close(covariance, circles[0])


def trace(weights: np.ndarray, precisions: np.ndarray) -> float:
    """The trace that weights give."""
    return float(np.trace(np.linalg.inv(np.einsum("v,vij->ij", weights, precisions))))


def test_two_have_the_smallest_trace() -> None:
    """Of 50 random pairs, is the trace what SciPy's search along ω finds, and the mean the one of that ω?"""
    means, C = normal(2, 50, 2, seed=0), ellipses(2, 50, seed=1)
    mean, covariance = fusion.covariance_intersection(means, C)
    precisions = torch.linalg.inv(C).numpy()
    inner = 0
    for k in range(50):
        pair = precisions[:, k]
        found = optimize.minimize_scalar(
            lambda w, pair=pair: trace(np.array([w, 1 - w]), pair), bounds=(0, 1), method="bounded",
            options={"xatol": 1e-10},
        )  # fmt: skip
        assert covariance[k].trace().item() == pytest.approx(found.fun, rel=1e-7)
        P = np.linalg.inv(found.x * pair[0] + (1 - found.x) * pair[1])
        expected = P @ (found.x * pair[0] @ means[0, k].numpy() + (1 - found.x) * pair[1] @ means[1, k].numpy())
        np.testing.assert_allclose(mean[k].numpy(), expected, rtol=1e-4, atol=1e-4)
        inner += 1e-3 < found.x < 1 - 1e-3
    assert 10 < inner < 50  # the search was within, and at its ends


@pytest.mark.parametrize("V", [3, 5])
def test_several_have_the_smallest_trace(V: int) -> None:
    """Of several views, is no ω better: is the slope towards each view at most that of the answer, (convexity)?"""
    C = ellipses(V, 40, seed=2)
    _, P = fusion.covariance_intersection(normal(V, 40, 2, seed=0), C)
    towards = (P @ torch.linalg.inv(C) @ P).diagonal(dim1=-2, dim2=-1).sum(-1)  # V 40
    best = P.diagonal(dim1=-2, dim2=-1).sum(-1)
    assert (towards / best < 1 + 1e-6).all()
    assert towards.amax(0) / best == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("V", [2, 3])
def test_it_is_honest_for_any_correlation(V: int) -> None:
    """Of 3000 correlations between the views' errors, is the true covariance of the mean never beyond the claim?

    The mean is linear in the views, with matrices that come out of the function itself, fed with unit vectors.
    """
    C = ellipses(V, seed=3)
    columns = []
    for view in range(V):
        for axis in range(2):
            unit = torch.zeros(V, 2, dtype=torch.float64)
            unit[view, axis] = 1
            columns.append(fusion.covariance_intersection(unit, C).mean)
    linear = torch.stack(columns, dim=-1)  # 2 2V
    P = fusion.covariance_intersection(torch.zeros(V, 2, dtype=torch.float64), C).covariance
    roots = torch.block_diag(*torch.linalg.cholesky(C))
    tightest = torch.inf
    for seed in range(3000):
        white = normal(2 * V, 1 + seed % (2 * V), seed=seed)  # from one common cause of all errors to as many as errors
        joint = white @ white.mT
        for view in range(V):  # make each view's own block the identity, so that its error is as it claims
            block = slice(2 * view, 2 * view + 2)
            values, vectors = torch.linalg.eigh(joint[block, block] + 1e-9 * torch.eye(2))
            white[block] = vectors @ torch.diag(values.rsqrt()) @ vectors.mT @ white[block]
        joint = roots @ white @ white.mT @ roots.mT
        spare = P - linear @ joint @ linear.mT
        tightest = min(tightest, torch.linalg.eigvalsh(spare)[0].item() / P.trace().item())
    assert tightest > -1e-9
    assert tightest < 0.1  # some correlation needs nearly all of it, so the test could have failed
