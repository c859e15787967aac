"""To a coarse grid and back without a bias: the half pixel that goes missing. Each coal is a convention's mistake."""

from torch import Tensor

__all__ = ["COALS", "to_grid_and_back"]


def to_grid_and_back(points: Tensor, stride: float) -> Tensor:
    """Return the centre, in pixels, of the cell that each point lies in."""
    return (((points + 0.5) / stride).floor() + 0.5) * stride - 0.5


def no_half_at_all(points: Tensor, stride: float) -> Tensor:
    """Still the suspect: floor(px / s)·s. It answers with the corner of the cell, and has a bias of −s/2.

    Nothing in it knows that a cell has a centre, nor that a pixel has one. Convert to cells as lesson 00 does, round to
    the nearest cell, and convert back.
    """
    return (points / stride).floor() * stride


def half_before_only(points: Tensor, stride: float) -> Tensor:
    """The way in is right and the way out is not: cell·s. Two conventions are mixed, and the bias is −(s − 1)/2.

    The way out must undo the way in: (cell + ½)·s − ½.
    """
    return ((points + 0.5) / stride).floor() * stride


def half_after_only(points: Tensor, stride: float) -> Tensor:
    """The way out is right and the way in is not: floor(px / s) is off by half a pixel, and so is the mean.

    The cell's left edge is at −½ in pixels: cell = (px + ½)/s − ½, rounded to the nearest whole number.
    """
    return ((points / stride).floor() + 0.5) * stride - 0.5


def another_grid(points: Tensor, stride: float) -> Tensor:
    """This rounds to multiples of the stride, px = s·cell. It has no bias, but it is another grid than ours.

    Its first cell reaches half a stride over the picture's edge, and a mirrored picture does not fit onto itself. That
    is what breaks the flip test at the end of this lesson. Our cells cover [s·i, s·i + s) pixels.
    """
    return (points / stride).round() * stride


def half_pixel_right(points: Tensor, stride: float) -> Tensor:
    """Every point is half a pixel too far right and too low: (cell + ½)·s counts from the edge of the picture.

    In our frame a pixel's centre is at a whole number, so the edge is at −½. Take that half away at the end.
    """
    return (((points + 0.5) / stride).floor() + 0.5) * stride


def never_rounded(points: Tensor, stride: float) -> Tensor:
    """The points come back as they were: they were converted to cells and back, and never rounded to a cell.

    A grid can only name its cells. Round between the two conversions.
    """
    return points.clone()


def floored_cells(points: Tensor, stride: float) -> Tensor:
    """Both conversions are right, and between them stands `floor`: every other point lands one cell too far left or up.

    A place in cells has its whole numbers at the *centres*, so the nearest cell is `round`. A floor belongs to
    (px + ½)/s, which counts from the edge.
    """
    return (((points + 0.5) / stride - 0.5).floor() + 0.5) * stride - 0.5


def half_taken_away(points: Tensor, stride: float) -> Tensor:
    """The way out is right, and on the way in the half pixel has the wrong sign: floor((px − ½) / s).

    A pixel's centre is half a pixel *right* of its left edge, and the grid counts from the edge: px + ½.
    """
    return (((points - 0.5) / stride).floor() + 0.5) * stride - 0.5


def still_in_cells(points: Tensor, stride: float) -> Tensor:
    """These are the right cells, and pixels were asked for: the way back is missing.

    A cell becomes a place in pixels by (cell + ½)·s − ½.
    """
    return ((points + 0.5) / stride).floor()


COALS = [
    no_half_at_all,
    half_before_only,
    half_after_only,
    another_grid,
    half_pixel_right,
    never_rounded,
    floored_cells,
    half_taken_away,
    still_in_cells,
]
