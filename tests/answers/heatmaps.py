"""Answers to the exercises on heatmaps: right ones, and every known mistake as somebody else would have made it."""

import math

import torch


def squared_distance(keypoints, size, to_x=0.0, to_y=0.0):
    """Return each cell's squared distance to each keypoint, by broadcasting."""
    row, column = torch.meshgrid(*(torch.arange(n, dtype=keypoints.dtype) for n in size), indexing="ij")
    x, y = keypoints[..., 0, None, None], keypoints[..., 1, None, None]
    return (column + to_x - x) ** 2 + (row + to_y - y) ** 2


# From points to heatmaps.


def broadcast(keypoints, size, sigma):
    """Take the exponential of the squared distance to a mesh of cells."""
    return torch.exp(-squared_distance(keypoints, size) / (2 * sigma**2))


def loops(keypoints, size, sigma):
    """Paint one map after the other, cell by cell."""
    maps = []
    for x, y in keypoints.reshape(-1, 2):
        rows = [
            torch.stack([torch.exp(-((c - x) ** 2 + (r - y) ** 2) / (2 * sigma**2)) for c in range(size[1])])
            for r in range(size[0])
        ]
        maps.append(torch.stack(rows))
    return torch.stack(maps).reshape(*keypoints.shape[:-1], *size)


def outer_product(keypoints, size, sigma):
    """Multiply a column of factors by a row of factors."""
    along_x = torch.exp(-0.5 * ((torch.arange(size[1]).to(keypoints) - keypoints[..., 0:1]) / sigma).square())
    along_y = torch.exp(-0.5 * ((torch.arange(size[0]).to(keypoints) - keypoints[..., 1:2]) / sigma).square())
    return torch.einsum("...i,...j->...ij", along_y, along_x)


def unpacked_as_row_and_column(keypoints, size, sigma):
    """Unpack a point as (row, column)."""
    row, column = keypoints.unbind(-1)
    r = torch.arange(size[0], dtype=keypoints.dtype)[:, None]
    c = torch.arange(size[1], dtype=keypoints.dtype)[None, :]
    return torch.exp(-((r - row[..., None, None]) ** 2 + (c - column[..., None, None]) ** 2) / 2 / sigma**2)


def divided_by_its_sum(keypoints, size, sigma):
    """Use softmax, which divides by the sum."""
    logits = -squared_distance(keypoints, size) / 2 / sigma**2
    return logits.flatten(-2).softmax(-1).reshape(logits.shape)


def transposed(keypoints, size, sigma):
    """Paint the right map of exchanged size."""
    W, H = size
    row, column = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
    distance = (column - keypoints[..., :1, None]) ** 2 + (row - keypoints[..., 1:, None]) ** 2
    return torch.exp(-distance / (2 * sigma**2)).to(keypoints)


GAUSSIAN_HEATMAPS = {
    "golds": [broadcast, loops, outer_product],
    "twins": {
        "keypoint_exchanged": unpacked_as_row_and_column,
        "sigma_for_variance": lambda k, size, sigma: torch.exp(-squared_distance(k, size) / (2 * sigma)),
        "two_missing": lambda k, size, sigma: torch.exp(-squared_distance(k, size) / sigma**2),
        "sigma_in_pixels": lambda k, size, sigma: torch.exp(-squared_distance(k, size) * 16 / (2 * sigma**2)),
        "sum_of_one": divided_by_its_sum,
        "density": lambda k, size, sigma: broadcast(k, size, sigma) / (math.tau * sigma**2),
        "size_exchanged": transposed,
        "centre_rounded": lambda k, size, sigma: broadcast(torch.floor(k + 0.5), size, sigma),
        "half_cell_off": lambda k, size, sigma: torch.exp(-squared_distance(k, size, 0.5, 0.5) / (2 * sigma**2)),
    },
}

# From heatmaps to points.


def unravelled(maps):
    """Let PyTorch take the index apart."""
    index = maps.flatten(-2).argmax(-1)
    row, column = torch.unravel_index(index, maps.shape[-2:])
    return torch.stack([column, row], dim=-1).to(maps.dtype), maps.amax((-2, -1))


def divided_with_remainder(maps):
    """Take the index apart by hand."""
    values, index = maps.reshape(*maps.shape[:-2], -1).max(dim=-1)
    W = maps.shape[-1]
    x, y = index % W, torch.div(index, W, rounding_mode="floor")
    return torch.stack((x, y), -1).to(values), values


def highest_row_and_column(maps):
    """Look for the column with the largest maximum, then for the row."""
    x, y = maps.amax(-2).argmax(-1), maps.amax(-1).argmax(-1)
    return torch.stack([x, y], -1) * torch.ones((), dtype=maps.dtype), maps.amax(-1).amax(-1)


def comparing(maps):
    """Find where the map equals its maximum."""
    top = maps.amax((-2, -1))
    found = (maps == top[..., None, None]).nonzero()[:, -2:]
    return found.flip(-1).reshape(*maps.shape[:-2], 2).to(maps.dtype), top


def unravelled_in_order(maps):
    """Stack what unravel_index gives, as it gives it."""
    index = maps.flatten(-2).argmax(-1)
    return torch.stack(torch.unravel_index(index, maps.shape[-2:]), dim=-1).to(maps.dtype), maps.amax((-2, -1))


def rows_counted(maps):
    """Divide by the number of rows."""
    values, index = maps.flatten(-2).max(-1)
    rows = maps.size(-2)
    y = torch.div(index, rows, rounding_mode="floor")
    return torch.stack([index - y * rows, y], dim=-1).to(values), values


def flattened_too_far(maps):
    """Take the argmax of everything."""
    index = torch.unravel_index(maps.argmax(), maps.shape)
    point = torch.stack([index[-1], index[-2]]).to(maps.dtype)
    return torch.ones(*maps.shape[:-2], 1, dtype=maps.dtype) * point, maps[index].repeat(maps.shape[:-2])


def never_converted(maps):
    """Forget the type."""
    values, index = maps.flatten(-2).max(-1)
    return torch.stack([index % maps.shape[-1], index // maps.shape[-1]], dim=-1), values


def to_the_middle(maps):
    """Believe that cell 0 is centred at one half."""
    points, scores = unravelled(maps)
    return (2 * points + 1) / 2, scores


def marginals(maps):
    """Take the argmax of both marginals."""
    x, y = maps.mean(-2).argmax(-1), maps.mean(-1).argmax(-1)
    return torch.stack([x, y], dim=-1).to(maps), maps.flatten(-2).max(-1).values


ARGMAX_2D = {
    "golds": [unravelled, divided_with_remainder, highest_row_and_column, comparing],
    "twins": {
        "row_before_column": unravelled_in_order,
        "divided_by_height": rows_counted,
        "one_for_the_batch": flattened_too_far,
        "whole_number_type": never_converted,
        "half_cell_added": to_the_middle,
        "largest_sums": marginals,
    },
}

# Offset per cell.


def each_map(confidences, offsets, answer):
    """Apply `answer(row, column, offsets (2 H W))` to one map after the other."""
    H, W = confidences.shape[-2:]
    points = []
    for confidence, offset in zip(confidences.reshape(-1, H, W), offsets.reshape(-1, 2, H, W), strict=True):
        row, column = divmod(int(confidence.argmax()), W)
        points.append(answer(row, column, offset))
    return torch.stack(points).reshape(*confidences.shape[:-2], 2)


def in_a_loop(confidences, offsets):
    """Read one map after the other."""
    return each_map(confidences, offsets, lambda r, c, o: torch.stack([c + o[0, r, c], r + o[1, r, c]]))


def votes_first(confidences, offsets):
    """Turn every cell's offset into a vote, then choose one with a one-hot mask."""
    H, W = confidences.shape[-2:]
    rows, columns = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
    votes = offsets + torch.stack([columns, rows]).to(offsets)
    flat = confidences.flatten(-2)
    chosen = torch.nn.functional.one_hot(flat.argmax(-1), H * W).to(offsets)
    return (votes.flatten(-2) * chosen[..., None, :]).sum(-1)


def read_at_one_cell(confidences, offsets):
    """Take the argmax of the whole tensor."""
    row, column = [int(i) for i in torch.unravel_index(confidences.argmax(), confidences.shape)[-2:]]
    return torch.stack([offsets[..., 0, row, column] + column, offsets[..., 1, row, column] + row], dim=-1)


def mean_vote(confidences, offsets):
    """Average the offsets, and go from the middle of the map."""
    H, W = confidences.shape[-2:]
    return offsets.flatten(-2).mean(-1) + torch.tensor([(W - 1) / 2, (H - 1) / 2]).to(offsets)


SUREST_VOTE = {
    "golds": [in_a_loop, votes_first],
    "twins": {
        "offset_alone": lambda c, o: each_map(c, o, lambda row, column, off: off[:, row, column]),
        "wrong_way": lambda c, o: each_map(
            c, o, lambda row, column, off: torch.stack([column - off[0, row, column], row - off[1, row, column]])
        ),
        "offset_exchanged": lambda c, o: each_map(
            c, o, lambda row, column, off: torch.stack([column + off[1, row, column], row + off[0, row, column]])
        ),
        "everybody_votes": mean_vote,
        "one_cell_for_all": read_at_one_cell,
    },
}

ANSWERS = {"gaussian_heatmaps": GAUSSIAN_HEATMAPS, "argmax_2d": ARGMAX_2D, "surest_vote": SUREST_VOTE}
