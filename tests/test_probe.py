"""The solved head: is it the least squares solution, cell by cell, and are misfits named?"""

import pytest
import torch
from torch.nn import functional

from posecourse import models


def features(*shape: int, seed: int = 0) -> torch.Tensor:
    """Features of no meaning."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_a_linear_map_is_found_again(factor: int) -> None:
    """Are maps that are linear in the features inside each of their cells reproduced on features never seen?"""
    weight, bias = features(3, 5 * factor**2, seed=1), features(3, seed=2)
    seen, unseen = features(16, 5, 8, 12), features(2, 5, 8, 12, seed=3)

    def truth(x: torch.Tensor) -> torch.Tensor:
        gathered = functional.pixel_unshuffle(x, factor)
        return torch.einsum("kc,bchw->bkhw", weight, gathered) + bias[:, None, None]

    head = models.linear_probe(seen, truth(seen), ridge=1e-9)
    torch.testing.assert_close(head(unseen), truth(unseen), atol=1e-4, rtol=1e-4)


def test_nothing_linear_is_better() -> None:
    """Is the squared error's slope zero, in every weight and bias, up to the ridge's share?"""
    seen, targets = features(8, 5, 6, 8), features(8, 3, 3, 4, seed=4)
    head = models.linear_probe(seen, targets, ridge=1e-9).double()
    loss = (head(seen.double()) - targets).square().sum()
    for slope in torch.autograd.grad(loss, list(head.parameters())):
        assert slope.abs().max() < 1e-3  # of a sum of 288 squares, weights rounded to float32


def test_a_ridge_makes_weights_small() -> None:
    """Does a ridge of the features' own size halve the weight of one feature: XᵀX / (XᵀX + λ) with λ = XᵀX?"""
    seen = features(8, 1, 6, 8)
    plain, damped = (models.linear_probe(seen, 2 * seen, ridge) for ridge in (1e-9, 1.0))
    torch.testing.assert_close(plain.weight, torch.tensor([[2.0]]))
    torch.testing.assert_close(damped.weight, torch.tensor([[1.0]]))


@pytest.mark.usefixtures("as_a_user")
def test_a_mistake_is_named() -> None:
    """Are maps of another grid, of other images, or too few of them refused with what fits?"""
    with pytest.raises(ValueError, match="one whole f"):
        models.linear_probe(features(4, 5, 8, 12), features(4, 3, 3, 4))
    with pytest.raises(ValueError, match="one whole f"):
        models.linear_probe(features(4, 5, 8, 12), features(3, 3, 8, 12))
    with pytest.raises(ValueError, match="Give more images"):
        models.linear_probe(features(1, 40, 4, 4), features(1, 3, 2, 2))
