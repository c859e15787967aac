"""Rotations of space as 3×3 matrices, written without matrix products so that a batch of one rounds alike.

Axes: x right, y down, z away from the camera. Angles are in radians and turn right-handed about the axis.
"""

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["compose", "rotate", "turn_x", "turn_y", "turn_z", "unrotate"]


def turn_x(angle: Float[Tensor, "*B"]) -> Float[Tensor, "*B 3 3"]:
    """Return the rotation about x: y towards z. A positive angle makes an upright body lean forward."""
    c, s, one, zero = _parts(angle)
    return _matrix(one, zero, zero, zero, c, -s, zero, s, c)


def turn_y(angle: Float[Tensor, "*B"]) -> Float[Tensor, "*B 3 3"]:
    """Return the rotation about y: z towards x. A positive angle turns a facing person to the image's left."""
    c, s, one, zero = _parts(angle)
    return _matrix(c, zero, s, zero, one, zero, -s, zero, c)


def turn_z(angle: Float[Tensor, "*B"]) -> Float[Tensor, "*B 3 3"]:
    """Return the rotation about z: x towards y, clockwise on the screen."""
    c, s, one, zero = _parts(angle)
    return _matrix(c, -s, zero, s, c, zero, zero, zero, one)


def compose(*rotations: Float[Tensor, "*#B 3 3"]) -> Tensor:
    """Return the product of rotations; the last one acts first."""
    product = rotations[0]
    for rotation in rotations[1:]:
        columns = product.unsqueeze(-2) * rotation.transpose(-1, -2).unsqueeze(-3)  # (*B 3 3 3)
        product = columns[..., 0] + columns[..., 1] + columns[..., 2]
    return product


def rotate(rotation: Float[Tensor, "*#B 3 3"], vector: Float[Tensor, "*#B 3"]) -> Tensor:
    """Return `rotation` applied to `vector`."""
    terms = rotation * vector.unsqueeze(-2)
    return terms[..., 0] + terms[..., 1] + terms[..., 2]


def unrotate(rotation: Float[Tensor, "*#B 3 3"], vector: Float[Tensor, "*#B 3"]) -> Tensor:
    """Return the inverse of `rotation` applied to `vector`."""
    return rotate(rotation.transpose(-1, -2), vector)


def _parts(angle: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return angle.cos(), angle.sin(), torch.ones_like(angle), torch.zeros_like(angle)


def _matrix(*entries: Tensor) -> Tensor:
    return torch.stack(entries, dim=-1).unflatten(-1, (3, 3))
