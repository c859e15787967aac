"""Triangles to samples: every triangle's covered samples in one flat list, the nearest one kept by a maximum.

There is no loop over triangles. Depth and the triangle's number are packed in one integer, 1/z in the high bits, so
that a single maximum decides what is in front, the same on every device and in every order.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from posecourse.shapes import Size

__all__ = ["NEAR", "Hits", "Layout", "locate", "rasterise"]

NEAR = 0.15
"""Metres: what is nearer to the camera is not drawn."""


@dataclass(frozen=True)
class Layout:
    """Triangles that cover samples, with coordinates relative to the corner of their bounding boxes.

    Args:
        triangle: which of all triangles each of these F is.
        corner: column and row of the box's first sample.
        width: of the box in samples.
        height: of the box in samples.
        plane: barycentric b₁ and b₂ and 1/z as a + b·column + c·row, relative to the corner.
    """

    triangle: Int[Tensor, " F"]
    corner: Int[Tensor, "F 2"]
    width: Int[Tensor, " F"]
    height: Int[Tensor, " F"]
    plane: Float[Tensor, "F 9"]


@dataclass(frozen=True)
class Hits:
    """What is in front at each sample.

    Args:
        triangle: the front triangle's place in `layout`, meaningless where nothing was hit.
        inverse_depth: 1/z in 1/metres, 0 where nothing was hit.
        layout: of the triangles, to find where in its triangle a sample lies.
    """

    triangle: Int[Tensor, "B h w"]
    inverse_depth: Float[Tensor, "B h w"]
    layout: Layout


def rasterise(
    points: Float[Tensor, "V 2"],
    depth: Float[Tensor, " V"],
    triangles: Int[Tensor, "F 3"],
    image: Int[Tensor, " F"],
    drawn: Bool[Tensor, " F"],
    count: int,
    size: Size,
) -> Hits:
    """Find the front triangle at every sample of `count` images; triangles seen from behind are left out.

    Two numbers come back from the device: how many triangles face the camera and how many samples their boxes hold.

    Args:
        points: the vertices' (x, y) in samples.
        depth: the vertices' z in metres.
        triangles: three vertices each.
        image: the image of each triangle.
        drawn: which triangles are drawn at all.
        count: number of images.
        size: (h, w) of the images in samples.
    """
    h, w = size
    layout = _layout(points, depth, triangles, drawn, size)
    area = layout.width * layout.height
    total = int(area.sum())
    numbers = torch.arange(len(area), device=points.device)
    kept = torch.repeat_interleave(numbers, area, output_size=total)
    base = (image[layout.triangle] * h + layout.corner[:, 1]) * w + layout.corner[:, 0]
    start = area.cumsum(0) - area
    local = (torch.arange(total, device=points.device) - start[kept]).float()
    across = layout.width.float()[kept]
    row = ((local + 0.5) / across).floor_()
    column = local.sub_(row * across)
    b1, b2, inverse = _planes(layout.plane[kept], column, row)
    inside = torch.minimum(torch.minimum(b1, b2), 1 - b1 - b2) >= 0
    key = (inverse.clamp_(min=1e-6).view(torch.int32).long() << 32).bitwise_or_(kept).mul_(inside)
    place = row.mul_(w).add_(column).long().add_(base[kept])
    front = torch.zeros(count * h * w, dtype=torch.long, device=points.device)
    front.scatter_reduce_(0, place, key, "amax")
    inverse_depth = (front >> 32).int().view(torch.float32)
    return Hits((front & 0xFFFFFFFF).view(count, h, w), inverse_depth.view(count, h, w), layout)


def locate(
    hits: Hits, triangle: Int[Tensor, " n"], column: Int[Tensor, " n"], row: Int[Tensor, " n"]
) -> tuple[Tensor, ...]:
    """Return three barycentric coordinates (n) of samples in triangles of the layout, in the picture's plane."""
    corner = hits.layout.corner[triangle]
    b1, b2, _ = _planes(hits.layout.plane[triangle], (column - corner[:, 0]).float(), (row - corner[:, 1]).float())
    return 1 - b1 - b2, b1, b2


def _planes(plane: Tensor, column: Tensor, row: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    a1, c1, r1, a2, c2, r2, a3, c3, r3 = plane.unbind(-1)
    return a1 + c1 * column + r1 * row, a2 + c2 * column + r2 * row, a3 + c3 * column + r3 * row


def _layout(points: Tensor, depth: Tensor, triangles: Tensor, drawn: Tensor, size: Size) -> Layout:
    """Return the triangles that face the camera and cover samples, with the linear functions over their boxes."""
    h, w = size
    packed = torch.cat([points, depth[:, None]], dim=-1)
    a, b, c = (packed[corner] for corner in triangles.unbind(-1))
    low, high = torch.minimum(torch.minimum(a, b), c), torch.maximum(torch.maximum(a, b), c)
    twice = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    limit = points.new_tensor([w, h])
    first = torch.minimum(low[:, :2].clamp(min=0).ceil_(), limit)
    extent = torch.minimum(high[:, :2].floor(), limit - 1) - first + 1
    seen = drawn & (twice > 1e-9) & (low[:, 2] > NEAR) & (extent[:, 0] > 0) & (extent[:, 1] > 0)
    kept = seen.nonzero().squeeze(-1)
    first, extent = first[kept], extent[kept].long()
    plane = _plane(a[kept], b[kept], c[kept], twice[kept], first)
    return Layout(kept, first.long(), extent[:, 0], extent[:, 1], plane)


def _plane(a: Tensor, b: Tensor, c: Tensor, twice: Tensor, first: Tensor) -> Tensor:
    """Return b₁, b₂ and 1/z (F 9) as linear functions of column and row counted from `first`."""
    u, v, near = b - a, c - a, first - a[:, :2]
    inverse = 1 / twice
    c1, r1 = v[:, 1] * inverse, -v[:, 0] * inverse
    c2, r2 = -u[:, 1] * inverse, u[:, 0] * inverse
    a1, a2 = c1 * near[:, 0] + r1 * near[:, 1], c2 * near[:, 0] + r2 * near[:, 1]
    i = 1 / a[:, 2]
    d1, d2 = 1 / b[:, 2] - i, 1 / c[:, 2] - i
    return torch.stack([a1, c1, r1, a2, c2, r2, i + a1 * d1 + a2 * d2, c1 * d1 + c2 * d2, r1 * d1 + r2 * d2], dim=-1)
