"""The step from a cell to the summit near it: exact on blobs, and never out of the cell."""

import math

import pytest
import torch

from posecourse import decode, heatmaps, seeding

SIZE = (21, 27)


def crowds(count: int = 40, seed: int = 0) -> torch.Tensor:
    """Return (B 2 3 2): two people's three keypoints between cells, seven cells apart at least, five from the rim."""
    random = torch.rand(count, 2, 3, 2, generator=seeding.generator(seed), dtype=torch.float64)
    low = torch.tensor([[5.0, 5.0], [16.0, 5.0]], dtype=torch.float64)[:, None]
    high = torch.tensor([[9.0, 15.0], [21.0, 15.0]], dtype=torch.float64)[:, None]
    return low + random * (high - low)


def test_it_finds_every_summit_of_a_crowd() -> None:
    """Do the peaks of two people's blobs, refined, lie on both of them to a thousandth of a cell?"""
    truth = crowds()
    maps = heatmaps.crowd_heatmaps(truth, torch.ones(truth.shape[:-1], dtype=torch.bool), SIZE, 1.0)
    peaks = decode.nms_peaks(maps, 2)
    found = decode.taylor_step(maps, peaks.points, blur_sigma=1.0)
    wanted = truth.transpose(1, 2)  # (B K N 2)
    distance = torch.cdist(found, wanted)
    assert distance.amin(-1).max() < 0.01  # the other blob's flank and the blur's cut-off are what is left
    assert distance.amin(-2).max() < 0.01
    assert torch.cdist(peaks.points, wanted).amin(-1).max() > 0.5  # whole cells are not as good


def test_one_blob_is_read_as_dark_reads_it() -> None:
    """Away from the border, is the step from the largest cell that of `dark`?"""
    truth = crowds()[:, 0]
    maps = heatmaps.gaussian_heatmaps(truth, SIZE, 1.4)
    cells = decode.argmax_2d(maps).points
    step = decode.taylor_step(maps, cells[..., None, :], blur_sigma=1.4)[..., 0, :]
    torch.testing.assert_close(step, decode.dark(maps, 1.4).points)


def test_it_stays_in_its_cell() -> None:
    """On noise and at the border too, is the answer within half a cell, and is a free or unreadable place untouched?"""
    noise = torch.randn(5, 3, 9, 11, generator=seeding.generator(1), dtype=torch.float64)
    noise[0, 1, 2, 2] = math.nan
    noise[0, 2] = 0.7
    cells = decode.nms_peaks(noise, 60).points  # more than there are: the last ones lie at the centre
    found = decode.taylor_step(noise, cells, blur_sigma=0.8)
    assert (found - cells).abs().max() <= 0.5
    assert found[0, 1:].equal(cells[0, 1:])
    assert not found[1:].equal(cells[1:])
    between = torch.tensor([[[3.5, 2.0], [-1.0, 4.0], [4.0, 3.0]]], dtype=torch.float64)
    assert decode.taylor_step(noise[1, :1], between, 0.8)[:, :2].equal(between[:, :2])


def test_cells_that_do_not_fit(as_a_user: None) -> None:
    """Is a missing axis of candidates told?"""
    with pytest.raises(ValueError, match=r"\(\.\.\., K, M, 2\)"):
        decode.taylor_step(torch.rand(2, 3, 5, 7), torch.zeros(2, 3, 2), 1.0)
    with pytest.raises(ValueError, match="blur_sigma must be positive"):
        decode.taylor_step(torch.rand(2, 3, 5, 7), torch.zeros(2, 3, 4, 2), 0.0)
