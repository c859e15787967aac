"""Temperature: is the spread at a summit what theory says, and is the best temperature the one with the least error?"""

import math

import pytest
import torch

from posecourse import decode, heatmaps


def quadratic(covariance: torch.Tensor, size: tuple[int, int], centre: tuple[float, float]) -> torch.Tensor:
    """Return maps −½·(x − c)ᵀ·Σ⁻¹·(x − c), (K H W), for covariances (K 2 2): softmax at T has covariance T·Σ."""
    H, W = size
    row, column = torch.meshgrid(torch.arange(H).double(), torch.arange(W).double(), indexing="ij")
    away = torch.stack([column - centre[0], row - centre[1]], dim=-1)
    return -torch.einsum("hwi,kij,hwj->khw", away, torch.linalg.inv(covariance), away) / 2


SLANTING = torch.tensor([[[9.0, 3.0], [3.0, 4.0]], [[4.0, -2.0], [-2.0, 6.0]], [[2.5, 0.0], [0.0, 8.0]]]).double()


def test_a_quadratic_map_has_its_own_covariance() -> None:
    """Where second differences are exact, is the answer T·Σ, and the covariance of softmax the same?"""
    maps = quadratic(SLANTING, (41, 47), (20.3, 17.6))
    torch.testing.assert_close(decode.laplace_covariance(maps, 1.7), 1.7 * SLANTING)
    p = heatmaps.spatial_softmax(maps, 1.7)
    # std is at least 2 cells, so the grid's own bias is e^(−2π²·4); the map holds five of them, hence 1e-4.
    torch.testing.assert_close(decode.spatial_covariance(p), decode.laplace_covariance(maps, 1.7), rtol=1e-4, atol=1e-4)


def test_a_temperature_for_each_map() -> None:
    """Does a tensor of temperatures give each map its own, and does it divide the map, so that it multiplies Σ?"""
    maps, T = quadratic(SLANTING, (11, 13), (6.3, 4.6)), torch.tensor([0.3, 2.0, 5.0]).double()
    torch.testing.assert_close(decode.laplace_covariance(maps, T), T[:, None, None] * SLANTING)
    torch.testing.assert_close(decode.laplace_covariance(maps / 0.4, T / 0.4), decode.laplace_covariance(maps, T))


def test_leading_axes_and_dtypes() -> None:
    """Are leading axes alike, is float32 enough, and is the argument left alone?"""
    maps = heatmaps.gaussian_heatmaps(torch.tensor([[[5.3, 3.4]], [[7.1, 4.8]]]), (9, 13), 2.5)
    before, expected = maps.clone(), decode.laplace_covariance(maps.double(), 0.3)
    assert expected.shape == (2, 1, 2, 2)
    torch.testing.assert_close(decode.laplace_covariance(maps, 0.3).double(), expected, rtol=1e-4, atol=1e-4)
    assert decode.laplace_covariance(maps.bfloat16(), 0.3).dtype == torch.float32
    assert maps.equal(before)


def test_a_gaussian_blob_spreads_by_its_variance_times_T() -> None:
    """For a blob of σ = 6 and height A, is it T·σ²/A, up to the second difference's own 1/(4σ²)?"""
    maps = 1.8 * heatmaps.gaussian_heatmaps(torch.tensor([[20.2, 17.7]]).double(), (41, 43), 6.0)
    expected = 0.2 * 36 / 1.8 * torch.eye(2).double()
    torch.testing.assert_close(decode.laplace_covariance(maps, 0.2)[0], expected, rtol=1.5 / (4 * 36), atol=0.02)


@pytest.mark.parametrize("name", ["flat", "nan", "ridge", "saddle"])
def test_what_is_no_summit_has_no_covariance(name: str) -> None:
    """Is NaN returned where there is no curvature to invert, and only there?"""
    maps = quadratic(SLANTING, (7, 9), (4.2, 3.1))
    bad = torch.zeros(7, 9)
    if name == "nan":
        bad[2, 3] = math.nan
    elif name == "ridge":
        bad = -((torch.arange(9.0) - 4) ** 2).expand(7, 9)
    elif name == "saddle":  # a summit along each axis, not along the diagonal
        bad[2:5, 3:6] = torch.tensor([[0.99, 0.8, 0.1], [0.8, 1.0, 0.8], [0.1, 0.8, 0.99]])
    maps[1] = bad
    covariance = decode.laplace_covariance(maps, 0.7)
    assert covariance[1].isnan().all()
    torch.testing.assert_close(covariance[[0, 2]], 0.7 * SLANTING[[0, 2]])


def test_at_the_border_the_curvature_is_taken_further_in() -> None:
    """Is a summit in a corner cell, whose neighbours are missing, answered from one cell further in?"""
    maps = quadratic(SLANTING, (7, 9), (0.2, 0.1))
    torch.testing.assert_close(decode.laplace_covariance(maps, 0.7), 0.7 * SLANTING)


def test_the_best_temperature_by_hand() -> None:
    """Are the errors the RMS an axis of soft-argmax at each T, over all maps, and is the best the smallest one?"""
    random = torch.Generator().manual_seed(0)
    truth = 6 + 4 * torch.rand(5, 3, 2, generator=random, dtype=torch.float64)
    maps = heatmaps.gaussian_heatmaps(truth, (17, 19), 1.5)
    maps = maps + 0.05 * torch.randn(maps.shape, generator=random, dtype=maps.dtype)
    temperatures = [0.4, 0.02, 0.12, 0.05]
    best, errors = decode.best_temperature(maps, truth, temperatures)
    for T, error in zip(temperatures, errors.tolist(), strict=True):
        squares = [
            (J - x) ** 2
            for h, place in zip(maps.flatten(0, 1), truth.flatten(0, 1), strict=True)
            for J, x in zip(centroid(h, T), place.tolist(), strict=True)
        ]
        assert error == pytest.approx(math.sqrt(sum(squares) / len(squares)))
    assert best == temperatures[int(errors.argmin())]
    assert decode.best_temperature(maps[0], truth[0], temperatures).errors.shape == (4,)


def centroid(h: torch.Tensor, T: float) -> tuple[float, float]:
    """Return the mean (x, y) of one map's softmax, cell by cell."""
    weights = {(r, c): math.exp(float(h[r, c]) / T) for r in range(h.shape[0]) for c in range(h.shape[1])}
    total = sum(weights.values())
    return sum(c * w for (_, c), w in weights.items()) / total, sum(r * w for (r, _), w in weights.items()) / total


def test_the_first_of_equal_ones() -> None:
    """Where two temperatures do equally well, is it the first?"""
    maps = torch.zeros(1, 5, 7)
    maps[0, 2, 3] = 1.0  # the centre, so that every T is right
    assert decode.best_temperature(maps, torch.tensor([[3.0, 2.0]]), [0.3, 0.1, 2.0]).best == 0.3


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: decode.laplace_covariance(torch.zeros(1, 2, 7), 0.3), "three rows and three columns"),
        (lambda: decode.laplace_covariance(torch.zeros(1, 5, 7), 0.0), "temperature must be positive"),
        (lambda: decode.laplace_covariance(torch.zeros(5, 7), 0.3), r"maps\[None\]"),
        (lambda: decode.best_temperature(torch.zeros(3, 5, 7), torch.zeros(2, 2), [0.3]), "must agree on"),
        (lambda: decode.best_temperature(torch.zeros(3, 5, 7), torch.zeros(3, 2), []), "0 temperatures, 3 maps"),
        (lambda: decode.best_temperature(torch.zeros(0, 5, 7), torch.zeros(0, 2), [0.3]), "1 temperatures, 0 maps"),
        (lambda: decode.best_temperature(torch.zeros(3, 5, 7), torch.zeros(3, 2), [0.3, -1]), "must be positive"),
    ],
)
def test_a_mistake_is_named(call: object, message: str) -> None:
    """Does each wrong argument raise an error that says what was expected?"""
    with pytest.raises(ValueError, match=message):
        call()  # type: ignore[operator]
