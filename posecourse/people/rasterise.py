"""Triangles to samples: every triangle's covered samples in one flat list, the nearest one kept by a maximum.

There is no loop over triangles. Depth and the triangle's number are packed in one integer, 1/z in the high bits, so
that a single maximum decides what is in front, the same on every device and in every order.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from posecourse.shapes import Size

__all__ = ["Hits", "Layout", "locate", "rasterise"]

_NEAR = 0.15  # metres: what is nearer to the camera is not drawn


@dataclass(frozen=True)
class Layout:
    """Triangles ready for sampling, coordinates relative to the corner of their bounding box.

    Args:
        corner: column and row of the box's first sample.
        width: of the box in samples.
        plane: barycentric b₁ and b₂ and 1/z as a + b·column + c·row, relative to the corner.
    """

    corner: Int[Tensor, "F 2"]
    width: Int[Tensor, " F"]
    height: Int[Tensor, " F"]
    plane: Float[Tensor, "F 9"]


@dataclass(frozen=True)
class Hits:
    """What is in front at each sample.

    Args:
        triangle: the front triangle's number, meaningless where nothing was hit.
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
    total = int(area.sum())  # the one number that has to come back from the device
    numbers = torch.arange(len(triangles), device=points.device)
    triangle = torch.repeat_interleave(numbers, area, output_size=total)
    start = area.cumsum(0) - area
    base = (image * h + layout.corner[:, 1]) * w + layout.corner[:, 0]
    local = (torch.arange(total, device=points.device) - start[triangle]).float()
    across = layout.width.float()[triangle]
    row = ((local + 0.5) / across).floor()
    column = local - row * across
    b1, b2, inverse = _planes(layout.plane[triangle], column, row)
    inside = torch.minimum(torch.minimum(b1, b2), 1 - b1 - b2) >= 0
    key = (inverse.clamp(min=1e-6).view(torch.int32).long() << 32) | triangle
    key = torch.where(inside, key, 0)
    place = base[triangle] + (row * w + column).long()
    front = torch.zeros(count * h * w, dtype=torch.long, device=points.device)
    front.scatter_reduce_(0, place, key, "amax")
    inverse_depth = (front >> 32).int().view(torch.float32)
    return Hits((front & 0xFFFFFFFF).view(count, h, w), inverse_depth.view(count, h, w), layout)


def locate(
    hits: Hits, triangle: Int[Tensor, " n"], column: Int[Tensor, " n"], row: Int[Tensor, " n"]
) -> tuple[Tensor, ...]:
    """Return the three barycentric coordinates (n) of samples in their front triangles, in the picture's plane."""
    corner = hits.layout.corner[triangle]
    b1, b2, _ = _planes(hits.layout.plane[triangle], (column - corner[:, 0]).float(), (row - corner[:, 1]).float())
    return 1 - b1 - b2, b1, b2


def _planes(plane: Tensor, column: Tensor, row: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    a1, c1, r1, a2, c2, r2, a3, c3, r3 = plane.unbind(-1)
    return a1 + c1 * column + r1 * row, a2 + c2 * column + r2 * row, a3 + c3 * column + r3 * row


def _layout(points: Tensor, depth: Tensor, triangles: Tensor, drawn: Tensor, size: Size) -> Layout:
    """Return the bounding boxes and the linear functions over them."""
    h, w = size
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    z = depth[triangles]
    low = torch.minimum(torch.minimum(a, b), c)
    high = torch.maximum(torch.maximum(a, b), c)
    limit = points.new_tensor([w, h])
    first = torch.minimum(low.clamp(min=0).ceil(), limit)
    last = torch.minimum(high.floor(), limit - 1)
    u, v = b - a, c - a
    twice = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    seen = drawn & (twice > 1e-9) & (z.amin(-1) > _NEAR)
    extent = (last - first + 1).clamp(min=0) * seen[:, None]
    inverse = 1 / twice.clamp(min=1e-9)
    near = first - a
    c1, r1 = v[:, 1] * inverse, -v[:, 0] * inverse
    c2, r2 = -u[:, 1] * inverse, u[:, 0] * inverse
    a1, a2 = c1 * near[:, 0] + r1 * near[:, 1], c2 * near[:, 0] + r2 * near[:, 1]
    i = 1 / z.clamp(min=1e-3)
    d1, d2 = i[:, 1] - i[:, 0], i[:, 2] - i[:, 0]
    plane = torch.stack(
        [a1, c1, r1, a2, c2, r2, i[:, 0] + a1 * d1 + a2 * d2, c1 * d1 + c2 * d2, r1 * d1 + r2 * d2], dim=-1
    )
    return Layout(first.long(), extent[:, 0].long(), extent[:, 1].long(), plane)
