"""Two axes in fine bins: reading SimCC's vectors. Each coal is a mistake with its diagnosis."""

import torch
from torch import Tensor

__all__ = ["COALS", "simcc"]


def _largest(x_bins: Tensor, y_bins: Tensor) -> Tensor:
    return torch.stack([x_bins.argmax(-1), y_bins.argmax(-1)], dim=-1).to(x_bins.dtype)


def simcc(x_bins: Tensor, y_bins: Tensor, split: int) -> Tensor:
    """Return the centres of the largest bins, (x, y) in cells."""
    return (_largest(x_bins, y_bins) + 0.5) / split - 0.5


def edge_of_the_bin(x_bins: Tensor, y_bins: Tensor, split: int) -> Tensor:
    """This is j / split: it puts the first bin's *centre* at 0, where the first *cell's* centre is. A bias of (k−1)/2k.

    Bins are to cells as pixels are: cell = (bin + ½) / split − ½.
    """
    return _largest(x_bins, y_bins) / split


def half_a_cell_right(x_bins: Tensor, y_bins: Tensor, split: int) -> Tensor:
    """Every point is half a cell too far right and too low: (j + ½) / split counts from the edge of the map.

    In our frame the edge lies at −½. Take that half away at the end.
    """
    return (_largest(x_bins, y_bins) + 0.5) / split


def left_of_the_bin(x_bins: Tensor, y_bins: Tensor, split: int) -> Tensor:
    """Every point is half a bin too far left and too high: this is j / split − ½, the bin's left edge.

    The keypoint may lie anywhere in the bin, so its middle is the unbiased answer: j + ½.
    """
    return _largest(x_bins, y_bins) / split - 0.5


def still_in_bins(x_bins: Tensor, y_bins: Tensor, split: int) -> Tensor:
    """These are the numbers of the largest bins, and a place in cells was asked for.

    A cell holds `split` bins. Divide, with the half before and the half after.
    """
    return _largest(x_bins, y_bins)


def axes_exchanged(x_bins: Tensor, y_bins: Tensor, split: int) -> Tensor:
    """The numbers are right, but x stands where y belongs and y where x does.

    A point is (x, y), and the first vector is that of x. Look at the line that stacks the two.
    """
    return simcc(y_bins, x_bins, split)


COALS = [edge_of_the_bin, half_a_cell_right, left_of_the_bin, still_in_bins, axes_exchanged]
