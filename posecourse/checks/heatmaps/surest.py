"""Known mistakes about the vote of the surest cell: its place plus its offset.

Each is a function that makes it; its docstring is what the student reads.

Lesson: 01.
"""

import torch
from torch import Tensor

from posecourse import decode

__all__ = ["COALS", "of_surest"]


def of_surest(confidences: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
    """Return the surest cells (column, row) and their offsets, (*B K 2) both."""
    index = confidences.flatten(-2).argmax(-1)[..., None, None].expand(*offsets.shape[:-2], 1)
    return decode.argmax_2d(confidences).points, offsets.flatten(-2).gather(-1, index).squeeze(-1)


def offset_alone(confidences: Tensor, offsets: Tensor) -> Tensor:
    """These are the offsets of the surest cells; the places of the cells are missing.

    An offset is a way, and a way needs a place to start from: here the cell that gave it. Add the cell's own
    (column, row).
    """
    return of_surest(confidences, offsets)[1]


def wrong_way(confidences: Tensor, offsets: Tensor) -> Tensor:
    """The offset was taken away from the cell's place where it is to be added.

    An offset says how to get *from* the cell *to* the keypoint: place + offset. Look for the minus sign.
    """
    cell, offset = of_surest(confidences, offsets)
    return cell - offset


def offset_exchanged(confidences: Tensor, offsets: Tensor) -> Tensor:
    """The right cell and the right offset, but the offset's y was added to x, and its x to y.

    Channel 0 of the offsets is x and channel 1 is y, as in a point. Look for a flip, or for a place given as
    (row, column).
    """
    cell, offset = of_surest(confidences, offsets)
    return cell + offset.flip(-1)


def everybody_votes(confidences: Tensor, offsets: Tensor) -> Tensor:
    """This is the mean of all cells' votes, and the vote of the surest cell was asked for.

    The mean would listen to cells that have no idea, and with two likely places it would stand between them: the
    trouble that this lesson is about. Take one cell's vote.
    """
    H, W = confidences.shape[-2:]
    rows, columns = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
    return (offsets + torch.stack([columns, rows])).mean((-2, -1))


def one_cell_for_all(confidences: Tensor, offsets: Tensor) -> Tensor:
    """Every keypoint was read at one and the same cell: the surest one of the whole batch.

    Each map of each image has a surest cell of its own. Flatten the last two axes only before you take the argmax.
    """
    W = confidences.shape[-1]
    index = int(confidences.argmax()) % (confidences.shape[-2] * W)
    return offsets[..., index // W, index % W] + offsets.new_tensor([index % W, index // W])


def place_alone(confidences: Tensor, offsets: Tensor) -> Tensor:
    """These are the places of the surest cells; their offsets are missing.

    The cell is only where the way begins, so every answer is a whole number. Add the offset that this cell gives.
    """
    return of_surest(confidences, offsets)[0]


def divided_by_height(confidences: Tensor, offsets: Tensor) -> Tensor:
    """The right offsets, from the wrong cells: the index was taken apart with the number of rows, H.

    A row of the map has W cells, so W of them are passed before the next row begins: index % W and index // W. On a
    square map nobody would notice.
    """
    index, H = confidences.flatten(-2).argmax(-1), confidences.shape[-2]
    return torch.stack([index % H, index // H], dim=-1) + of_surest(confidences, offsets)[1]


def place_exchanged(confidences: Tensor, offsets: Tensor) -> Tensor:
    """The right offset was added to the right cell, but the cell stands there as (row, column).

    A point is (x, y) = (column, row), and channel 0 of the offsets is x. Look for the line that puts row and column
    together.
    """
    cell, offset = of_surest(confidences, offsets)
    return cell.flip(-1) + offset


def all_exchanged(confidences: Tensor, offsets: Tensor) -> Tensor:
    """The numbers are right, but y stands before x.

    A point is (x, y) = (column, row). Look for a `flip`, or for the line that puts the two numbers together.
    """
    cell, offset = of_surest(confidences, offsets)
    return (cell + offset).flip(-1)


def one_cell_for_a_person(confidences: Tensor, offsets: Tensor) -> Tensor:
    """All keypoints of an image were read at one and the same cell: the surest one of all its maps.

    Each keypoint has a map, and a surest cell, of its own. Flatten the last two axes only, with `flatten(-2)`, before
    you take the argmax.
    """
    H, W = confidences.shape[-2:]
    index = confidences.flatten(-3).argmax(-1) % (H * W)
    index = index[..., None].expand(confidences.shape[:-2])
    chosen = index[..., None, None].expand(*offsets.shape[:-2], 1)
    return torch.stack([index % W, index // W], dim=-1) + offsets.flatten(-2).gather(-1, chosen).squeeze(-1)


def softly_weighted(confidences: Tensor, offsets: Tensor) -> Tensor:
    """This is a mean of all votes, weighted by the softmax of the confidences; one cell's vote was asked for.

    However small the weights of the others, they pull, and with two likely places the mean stands between them.
    Take the argmax of the confidences, and read that cell's offset.
    """
    H, W = confidences.shape[-2:]
    rows, columns = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
    weights = confidences.flatten(-2).softmax(-1)
    return ((offsets + torch.stack([columns, rows])).flatten(-2) * weights[..., None, :]).sum(-1)


def largest_magnitude(confidences: Tensor, offsets: Tensor) -> Tensor:
    """The votes are those of the cells whose confidence has the largest *magnitude*: a deep hole counts as sure.

    A network may answer below zero, and that says "certainly not here". Look for `abs` or a square.
    """
    cell, offset = of_surest(confidences.abs(), offsets)
    return cell + offset


def started_at_zero(confidences: Tensor, offsets: Tensor) -> Tensor:
    """Where all confidences are below zero, cell (0, 0) has voted: the search began with 0 as the best so far.

    Nothing in such a map beats 0, so the answer stays where it began. Begin with the first cell or with minus
    infinity, or let `argmax` search.
    """
    cell, offset = of_surest(confidences, offsets)
    found = confidences.amax((-2, -1))[..., None] > 0
    return torch.where(found, cell + offset, offsets[..., 0, 0])


COALS = (
    offset_alone,
    wrong_way,
    offset_exchanged,
    everybody_votes,
    one_cell_for_all,
    place_alone,
    divided_by_height,
    place_exchanged,
    all_exchanged,
    one_cell_for_a_person,
    softly_weighted,
    largest_magnitude,
    started_at_zero,
)
