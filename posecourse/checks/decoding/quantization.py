"""What rounding to a cell costs: the RMS of a uniform error. Each coal is a mistake; its docstring is the diagnosis."""

import math

import torch
from torch import Tensor

__all__ = ["COALS", "quantization_rms"]


def quantization_rms(strides: Tensor) -> Tensor:
    """Return the RMS error an axis of the nearest cell's centre: s/√12."""
    return strides / math.sqrt(12)


def from_the_edge(strides: Tensor) -> Tensor:
    """This is s/√3: the error was measured from a cell's edge, and the decoder answers with the cell's centre.

    From the centre the error runs from −s/2 to s/2, not from 0 to s. Look at the limits of your integral.
    """
    return strides / math.sqrt(3)


def both_axes(strides: Tensor) -> Tensor:
    """This is s/√6, the RMS length of the error in two dimensions, and the RMS of *one axis* was asked for.

    The squares of x and of y add up, so the length's mean square is twice that of an axis. Keep one of them.
    """
    return strides / math.sqrt(6)


def no_root(strides: Tensor) -> Tensor:
    """This is s²/12, the mean of the squared error, in square pixels: the root is missing.

    An RMS has the unit of the error itself. It grows twofold when the stride does, not fourfold. Take the root.
    """
    return strides**2 / 12


def mean_of_magnitudes(strides: Tensor) -> Tensor:
    """This is s/4, the mean of the error's magnitude, and the root of the mean of its square was asked for.

    The two differ wherever errors differ. Square first, then take the mean, then the root.
    """
    return strides / 4


def the_largest(strides: Tensor) -> Tensor:
    """This is s/2, the largest error along an axis, which happens only at a cell's edge. An RMS was asked for.

    Every place in the cell is equally likely: let the error run over all of them, and average its square.
    """
    return strides / 2


def one_limit(strides: Tensor) -> Tensor:
    """This is s/√24, √2 too small: one of the integral's two limits was put in, so half of the cell is missing.

    e³/3 at s/2 less e³/3 at −s/2: minus a negative number, so both halves add up.
    """
    return strides / math.sqrt(24)


def not_divided(strides: Tensor) -> Tensor:
    """This is √(s³/12): the integral was taken, and the division by s is missing.

    A mean over the cell is the integral divided by the cell's width. Without it the answer grows faster than the cell.
    """
    return (strides**3 / 12).sqrt()


def for_stride_one(strides: Tensor) -> Tensor:
    """This is 1/√12, the error in *cells*, whatever the stride. It was asked for in pixels.

    A cell is s pixels wide, so an error in cells becomes one in pixels when it is multiplied by s.
    """
    return torch.full_like(strides, 1 / math.sqrt(12))


COALS = [from_the_edge, both_axes, no_root, mean_of_magnitudes, the_largest, one_limit, not_divided, for_stride_one]
