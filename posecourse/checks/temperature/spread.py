"""Known mistakes in the spread around a summit: Σ = T·(−H)⁻¹.

Each is a function that makes it; its docstring is what the student reads.

Lesson: 03.
"""

import torch
from torch import Tensor

__all__ = ["COALS"]


def _hessian(h: Tensor, mixed: float = 0.25) -> Tensor:
    """Return [[xx, xy], [xy, yy]], the second differences at the cell in the middle, `mixed` times the corners' sum."""
    xx = h[..., 1, 2] - 2 * h[..., 1, 1] + h[..., 1, 0]
    yy = h[..., 2, 1] - 2 * h[..., 1, 1] + h[..., 0, 1]
    xy = mixed * (h[..., 2, 2] - h[..., 2, 0] - h[..., 0, 2] + h[..., 0, 0])
    return torch.stack([torch.stack([xx, xy], dim=-1), torch.stack([xy, yy], dim=-1)], dim=-2)


def minus_forgotten(neighbourhoods: Tensor, temperature: float) -> Tensor:
    """Every number has the wrong sign, the variances are negative: this is T·H⁻¹ without the minus.

    At a summit the map bends down, so its second derivatives are negative. The inverse of −H is the covariance.
    """
    return temperature * torch.linalg.inv(_hessian(neighbourhoods))


def temperature_forgotten(neighbourhoods: Tensor, temperature: float) -> Tensor:
    """This is (−H)⁻¹, the spread at T = 1, whatever the temperature is.

    The softmax is over h / T, whose curvature is H / T. A colder softmax is narrower: multiply the inverse by T.
    """
    return torch.linalg.inv(-_hessian(neighbourhoods))


def temperature_divides(neighbourhoods: Tensor, temperature: float) -> Tensor:
    """The spread *shrinks* as the softmax grows hotter: this is (−H)⁻¹ / T.

    T divides the map, and so its curvature; the spread is the inverse of the curvature, so T multiplies it.
    """
    return torch.linalg.inv(-_hessian(neighbourhoods)) / temperature


def not_inverted(neighbourhoods: Tensor, temperature: float) -> Tensor:
    """This is −T·H, the curvature itself: a sharp summit would be given a wide spread.

    Curvature is one over variance. Take the inverse of the matrix: `torch.linalg.inv`.
    """
    return -temperature * _hessian(neighbourhoods)


def divided_not_inverted(neighbourhoods: Tensor, temperature: float) -> Tensor:
    """This is −H / T, the curvature of h / T: T is where it belongs, and the inverse is missing.

    Curvature is one over variance: a sharp summit has a narrow spread. Take `torch.linalg.inv` of what you have.
    """
    return -_hessian(neighbourhoods) / temperature


def logarithm_taken(neighbourhoods: Tensor, temperature: float) -> Tensor:
    """This is the curvature of log h, as DARK takes it, and that of h was asked for.

    DARK takes the map itself for a Gaussian. Here p is, and log p = h / T up to a constant. So: no logarithm.
    """
    return temperature * torch.linalg.inv(-_hessian(neighbourhoods.log()))


def inverted_number_by_number(neighbourhoods: Tensor, temperature: float) -> Tensor:
    """Each number of the matrix was inverted by itself: `T / -H`, or a power of −1, is not the inverse of a matrix.

    It would be right along the diagonal if nothing stood beside it. Blobs that lie aslant show it. Use
    `torch.linalg.inv`, or write the inverse of a 2 × 2 matrix out, with its determinant.
    """
    return temperature / -_hessian(neighbourhoods)


def axes_exchanged(neighbourhoods: Tensor, temperature: float) -> Tensor:
    """The variances of x and of y are exchanged: the matrix has that of the rows first.

    [..., row, column]: to change x, change the last index. xx is made from the middle *row*, h[1, 0], h[1, 1] and
    h[1, 2]. A blob as wide as high would hide this.
    """
    return temperature * torch.linalg.inv(-_hessian(neighbourhoods)).flip((-2, -1))


def corners_not_quartered(neighbourhoods: Tensor, temperature: float) -> Tensor:
    """The mixed derivative is four times too large: the sum over the corners was not divided by 4.

    The corners are two cells apart, along x and along y: two differences, each over two cells, make 2·2.
    """
    return temperature * torch.linalg.inv(-_hessian(neighbourhoods, mixed=1.0))


def corners_halved(neighbourhoods: Tensor, temperature: float) -> Tensor:
    """The mixed derivative is twice too large: the sum over the corners was divided by 2, not by 4.

    The corners are two cells apart, along x and along y: two differences, each over two cells, make 2·2.
    """
    return temperature * torch.linalg.inv(-_hessian(neighbourhoods, mixed=0.5))


def mixed_forgotten(neighbourhoods: Tensor, temperature: float) -> Tensor:
    """Zeros beside the diagonal: the mixed derivative is missing, so that every blob is taken to stand upright.

    xy = (h[2, 2] − h[2, 0] − h[0, 2] + h[0, 0]) / 4. A blob that lies aslant is narrower across than its diagonal
    says.
    """
    return temperature * torch.linalg.inv(-_hessian(neighbourhoods, mixed=0.0))


def mixed_with_wrong_sign(neighbourhoods: Tensor, temperature: float) -> Tensor:
    """The blobs slant the other way: the mixed derivative has the wrong sign.

    Plus are the two corners on the diagonal from h[0, 0] to h[2, 2], where x and y grow together. Rows count
    downwards, which turns no sign, as y does so too.
    """
    return temperature * torch.linalg.inv(-_hessian(neighbourhoods, mixed=-0.25))


COALS = (
    minus_forgotten,
    temperature_forgotten,
    temperature_divides,
    not_inverted,
    divided_not_inverted,
    logarithm_taken,
    inverted_number_by_number,
    axes_exchanged,
    corners_not_quartered,
    corners_halved,
    mixed_forgotten,
    mixed_with_wrong_sign,
)
