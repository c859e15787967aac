"""Answers to the exercises on frames: right ones, and every known mistake as somebody else would have made it."""

import numpy as np
import torch

STRIDE = 16  # as the notebook calls its own

# Pixels to cells.


def from_the_middle_of_the_cell(points, stride):
    """Measure from the middle of cell 0, at pixel (s − 1) / 2."""
    return (points - (stride - 1) / 2) / stride


def one_axis_at_a_time(points, stride):
    """Convert x, then y."""
    x, y = points.unbind(-1)
    return torch.stack([x / stride + 0.5 / stride - 0.5, y / stride + 0.5 / stride - 0.5], dim=-1)


def as_an_affine_map(points, stride):
    """Multiply by a matrix and add an offset."""
    matrix = torch.eye(2, dtype=points.dtype) / stride
    return points @ matrix + torch.full((2,), (1 - stride) / (2 * stride), dtype=points.dtype)


def a_for_loop(points, stride):
    """Fill the answer column by column, in a copy."""
    answer = points.clone()
    for axis in range(2):
        answer[..., axis] = (2 * answer[..., axis] + 1 - stride) / (2 * stride)
    return answer


def exchanged_in_place_of_flip(points, stride):
    """Put y before x."""
    return torch.cat([points[..., 1:], points[..., :1]], dim=-1).add(0.5).div(stride).sub(0.5)


def x_of_a_copy(points, stride):
    """Assign to the first column only."""
    answer = points.clone()
    answer[..., 0] = (answer[..., 0] + 0.5) / stride - 0.5
    return answer


def edited_by_axis(points, stride):
    """Assign into the argument."""
    points[..., 0] = (points[..., 0] + 0.5) / stride - 0.5
    points[..., 1] = (points[..., 1] + 0.5) / stride - 0.5
    return points


def through_numpy(points, stride):
    """Compute in NumPy."""
    return torch.from_numpy((points.numpy() + 0.5) / stride - 0.5)


def number_by_number(points, stride):
    """Take every number out and put a new tensor together."""
    return torch.tensor([(v.item() + 0.5) / stride - 0.5 for v in points.flatten()], dtype=points.dtype).reshape(
        points.shape
    )


@torch.no_grad()
def without_gradients(points, stride):
    """Ask for no gradients."""
    return points.add(0.5).div(stride).sub(0.5)


PIXELS_TO_CELLS = {
    "golds": [
        from_the_middle_of_the_cell,
        one_axis_at_a_time,
        as_an_affine_map,
        a_for_loop,
        through_numpy,
        number_by_number,
        without_gradients,
    ],
    "twins": {
        "no_half_pixel": lambda points, stride: points * (1 / stride),
        "half_pixel_before_only": lambda points, stride: points / stride + 1 / (2 * stride),
        "half_cell_after_only": lambda points, stride: (2 * points - stride) / (2 * stride),
        "half_pixel_wrong_way": lambda points, stride: (points + (stride - 1) / 2) / stride,
        "whole_cells": lambda points, stride: torch.floor((points + 0.5) / stride),
        "integer_division": lambda points, stride: torch.stack([(c / stride).floor() for c in points.unbind(-1)], -1),
        "multiplied_by_stride": lambda points, stride: points * stride + (stride - 1) / 2,
        "cells_exchanged": exchanged_in_place_of_flip,
        "gaps_counted": lambda points, stride: (2 * points + 1) / (2 * stride - 2) - 1 / 2,
        "edits_pixels": edited_by_axis,
        "half_pixel_subtracted": lambda points, stride: (points - (stride + 1) / 2) / stride,
        "half_cell_added": lambda points, stride: (2 * points + 1 + stride) / (2 * stride),
        "brackets_missing": lambda points, stride: points + (1 - stride) / (2 * stride),
        "multiplied_without_halves": lambda points, stride: torch.stack([c * stride for c in points.unbind(-1)], -1),
        "gaps_counted_without_halves": lambda points, stride: points.div(stride - 1),
        "rounded_without_halves": lambda points, stride: (points / stride).round(),
        "rounded_up": lambda points, stride: -torch.floor(-points / stride),
        "only_x_in_cells": x_of_a_copy,
        "middle_rounded": lambda points, stride: points / stride - ((stride - 1) // 2) / stride,
        "sixteen_always": lambda points, stride: (points - 7.5) / STRIDE,
        "unchanged": lambda points, stride: points,
        "half_added_after": lambda points, stride: (2 * points + stride) / (2 * stride),
        "middle_of_whole_pixels": lambda points, stride: points / stride - stride // 2 / stride,
        "half_subtracted_before": lambda points, stride: (2 * points - 1) / (2 * stride),
        "half_cell_in_pixels": lambda points, stride: (2 * points + 1 - stride**2) / (2 * stride),
        "sixteen_without_halves": lambda points, stride: points * 0.0625,
    },
}

# Cells to pixels.


def to_the_middle_of_the_cell(points, stride):
    """Count whole cells, then go to the middle of the cell."""
    return points * stride + (stride - 1) / 2


def solved_for_pixels(points, stride):
    """Solve cell = (px + ½) / s − ½ for px, with fractions cleared."""
    return (stride * (2 * points + 1) - 1) / 2


def interpolated(points, stride):
    """Interpolate between the middles of cells 0 and 1."""
    first, second = (points.new_full((2,), (stride - 1) / 2 + cell * stride) for cell in (0, 1))
    return torch.lerp(first.expand_as(points), second.expand_as(points), points)


def in_numpy(points, stride):
    """Compute in double precision in NumPy, and come back to the points' own type."""
    return torch.tensor((np.asarray(points, dtype=float) + 0.5) * stride - 0.5).to(points)


def pixels_put_together_backwards(points, stride):
    """Unpack x and y, and stack them as (row, column)."""
    x, y = ((column + 0.5) * stride - 0.5 for column in points.unbind(-1))
    return torch.stack((y, x), dim=-1)


def x_put_beside_y(points, stride):
    """Convert x and join it with y as it was."""
    x, y = points.split(1, dim=-1)
    return torch.cat([x * stride + (stride - 1) / 2, y], dim=-1)


def copied_back(points, stride):
    """Compute aside, then write the answer over the argument."""
    return points.copy_(points * stride + (stride - 1) / 2)


CELLS_TO_PIXELS = {
    "golds": [to_the_middle_of_the_cell, solved_for_pixels, interpolated, in_numpy],
    "twins": {
        "no_half_cell": lambda points, stride: points / (1 / stride),
        "half_cell_before_only": lambda points, stride: points * stride + stride / 2,
        "half_pixel_after_only": lambda points, stride: (2 * stride * points - 1) / 2,
        "half_cell_wrong_way": lambda points, stride: points * stride - (stride - 1) / 2,
        "whole_pixels": lambda points, stride: torch.floor((points + 0.5) * stride),
        "divided_by_stride": lambda points, stride: (points - (stride - 1) / 2) / stride,
        "pixels_exchanged": pixels_put_together_backwards,
        "edits_cells": copied_back,
        "half_cell_subtracted": lambda points, stride: points * stride - (stride + 1) / 2,
        "half_pixel_added": lambda points, stride: points * stride + (stride + 1) / 2,
        "brackets_missing": lambda points, stride: points + (stride - 1) / 2,
        "divided_without_halves": lambda points, stride: torch.stack([c / stride for c in points.unbind(-1)], -1),
        "gaps_counted": lambda points, stride: points * (stride - 1) + stride / 2 - 1,
        "gaps_counted_without_halves": lambda points, stride: points * stride - points,
        "rounded_without_halves": lambda points, stride: points.mul(stride).round(),
        "only_x_in_pixels": x_put_beside_y,
        "middle_rounded": lambda points, stride: stride * points + (stride - 1) // 2,
        "sixteen_always": lambda points, stride: points * STRIDE + (STRIDE - 1) / 2,
        "unchanged": lambda points, stride: points,
        "half_added_after": lambda points, stride: (2 * points * stride + 1) / 2,
        "middle_of_whole_pixels": lambda points, stride: (
            torch.stack([c * stride for c in points.unbind(-1)], -1) + stride // 2
        ),
        "half_subtracted_before": lambda points, stride: stride * points - stride / 2,
        "half_cell_in_pixels": lambda points, stride: points * stride + (stride**2 - 1) / 2,
        "only_halves_undone": lambda points, stride: (points + (stride - 1) / 2) / stride,
        "sixteen_without_halves": lambda points, stride: points * STRIDE,
    },
}

ANSWERS = {"pixels_to_cells": PIXELS_TO_CELLS, "cells_to_pixels": CELLS_TO_PIXELS}
