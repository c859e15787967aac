"""The matched filter: how well a blob at each cell explains the map. It finds blobs that noise has buried."""

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["matched_filter"]


def matched_filter(maps: Float[Tensor, "*B H W"], sigma: float | Float[Tensor, "*B 2"]) -> Float[Tensor, "*B H W"]:
    """Return how well a Gaussian blob at each cell explains the map: the blur, with the border accounted for.

    r(u) = Σ h·g_u / √(Σ g_u²), with g_u a Gaussian of width σ at u and both sums over the cells of the map

    Away from the border the denominator is constant and r is the blur, up to a factor. Near it, part of g_u is cut
    off, and dividing by the root of what is left keeps r largest at the truth where σ is the blob's own
    (Cauchy–Schwarz). A blur that is padded with zeros is pushed inward there.

    Args:
        maps: h.
        sigma: σ of the filter in cells; or one for x and one for y, for each map.
    """
    H, W = maps.shape[-2:]
    across, down = sigma.unbind(-1) if isinstance(sigma, Tensor) else (maps.new_tensor(sigma),) * 2
    return _unit_gaussians(H, down, maps) @ (maps @ _unit_gaussians(W, across, maps).mT)


def _unit_gaussians(length: int, sigma: Tensor, like: Tensor) -> Float[Tensor, "*B length length"]:
    """Return a Gaussian over 0 … length − 1 around each of the same places, one a row, each row of norm 1."""
    places = torch.arange(length, dtype=like.dtype, device=like.device)
    g = torch.exp(-(((places - places[:, None]) / sigma[..., None, None]) ** 2) / 2)
    return g / torch.linalg.vector_norm(g, dim=-1, keepdim=True)
