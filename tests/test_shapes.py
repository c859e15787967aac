"""The vocabulary: are sizes, points, maps and numbers checked, with an error that names the fix?"""

import math
from collections.abc import Callable

import pytest
import torch

from posecourse import shapes


def test_a_size_is_two_positive_integers() -> None:
    """Is (H, W) returned as plain integers from a tuple, a list and torch.Size?"""
    for given in ((5, 7), [5, 7], torch.zeros(5, 7).shape):
        assert shapes.checked_size(given) == (5, 7)


def test_what_is_right_passes() -> None:
    """Do correct arguments raise nothing?"""
    shapes.require_points(torch.zeros(2, 3, 2))
    shapes.require_maps(torch.zeros(0, 3, 5, 7))
    shapes.require_same_shape(torch.zeros(2, 3), torch.ones(2, 3), "a and b")
    shapes.require_positive(0.1, "x")
    shapes.require_positive(torch.tensor([0.1, 2.0]), "x")
    shapes.require_count(3, "n")


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: shapes.checked_size((5, 7, 3)), ValueError, r"got \(5, 7, 3\)"),
        (lambda: shapes.checked_size((0, 7)), ValueError, "positive integers"),
        (lambda: shapes.checked_size((math.nan, 7)), ValueError, "positive integers"),
        (lambda: shapes.require_points(torch.tensor(1.0)), ValueError, r"must be \(\.\.\., 2\)"),
        (lambda: shapes.require_points(torch.zeros(17, 3), "truth"), ValueError, r"truth must .* points\[\.\.\., :2\]"),
        (lambda: shapes.require_points(torch.zeros(17, 2).int()), TypeError, r"Call \.float"),
        (lambda: shapes.require_maps(torch.zeros(5, 7)), ValueError, r"maps\[None\]"),
        (lambda: shapes.require_maps(torch.zeros(3, 0, 7)), ValueError, "at least one cell"),
        (lambda: shapes.require_maps(torch.zeros(3, 5, 7).bool()), TypeError, r"Call \.float"),
        (lambda: shapes.require_same_shape(torch.zeros(2, 1), torch.zeros(2, 3), "a and b"), ValueError, "a and b mus"),
        (lambda: shapes.require_positive(0, "x"), ValueError, "x must be positive and finite; got 0"),
        (lambda: shapes.require_positive(math.nan, "x"), ValueError, "x must be positive"),
        (lambda: shapes.require_positive(math.inf, "x"), ValueError, "finite; got inf"),
        (lambda: shapes.require_positive(torch.tensor([1.0, math.inf]), "x"), ValueError, "everywhere; got inf"),
        (lambda: shapes.require_positive("1", "x"), TypeError, "x: expected a torch.Tensor; got str"),
        (lambda: shapes.require_positive([1.0], "x"), TypeError, r"got list\. Use torch\.tensor\(x\)"),
        (lambda: shapes.require_tensors(a=torch.ones(1), b=None), TypeError, "b: expected .* got NoneType"),
        (lambda: shapes.require_mask(torch.ones(2)), TypeError, "mask must be boolean; .* visibility > 0"),
        (lambda: shapes.checked_size(64), ValueError, "got 64. Give both"),
        (lambda: shapes.require_positive(torch.tensor([1.0, -2.0]), "x"), ValueError, "everywhere; got -2"),
        (lambda: shapes.require_positive(torch.tensor([1.0, math.nan]), "x"), ValueError, "everywhere; got nan"),
        (lambda: shapes.require_count(0, "n"), ValueError, "n must be a positive whole number; got 0"),
        (lambda: shapes.require_count(1.5, "n"), ValueError, "got 1.5"),
        (lambda: shapes.require_count(math.inf, "n"), ValueError, "got inf"),
    ],
)
def test_a_mistake_is_named(call: Callable[[], object], error: type[Exception], message: str) -> None:
    """Does each wrong argument raise an error that says what was expected?"""
    with pytest.raises(error, match=message):
        call()


def test_an_estimator_is_whatever_predicts() -> None:
    """Is the protocol met by an object with predict, and by no other?"""

    class Anything:
        def predict(self, images: torch.Tensor) -> torch.Tensor:
            return images.new_zeros(len(images), 17, 2)

    assert isinstance(Anything(), shapes.Estimator)
    assert not isinstance(torch.nn.Identity(), shapes.Estimator)
