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


def moved_inside(keypoints, size, sigma):
    """Take the nearest place in the map."""
    last = torch.tensor(tuple(size)[::-1]).to(keypoints) - 1
    return broadcast(torch.minimum(keypoints.relu(), last), size, sigma)


def skipped_outside(keypoints, size, sigma):
    """Paint only where the point is in the map, into zeros."""
    maps = torch.zeros(*keypoints.shape[:-1], *size, dtype=keypoints.dtype)
    flat = maps.view(-1, *size)
    for i, (x, y) in enumerate(keypoints.reshape(-1, 2).tolist()):
        if 0 <= x < size[1] - 1 and 0 <= y < size[0] - 1:
            flat[i] = broadcast(keypoints.reshape(-1, 1, 2)[i], size, sigma)[0]
    return maps


def as_long(keypoints, size, sigma):
    """Index with whole numbers."""
    k = keypoints.long()
    rows, columns = torch.arange(size[0])[:, None], torch.arange(size[1])
    squares = (columns - k[..., 0, None, None]) ** 2 + (rows - k[..., 1, None, None]) ** 2
    return torch.exp(-squares / (2 * sigma**2))


def loops_too_short(keypoints, size, sigma):
    """Fill zeros, up to the last row and column but one."""
    maps = torch.zeros(*keypoints.shape[:-1], *size, dtype=keypoints.dtype)
    x, y = keypoints.unbind(-1)
    for row in range(size[0] - 1):
        for column in range(size[1] - 1):
            maps[..., row, column] = torch.exp(-((column - x) ** 2 + (row - y) ** 2) / (2 * sigma**2))
    return maps


def brackets_forgotten(keypoints, size, sigma):
    """Let the minus bind the first square."""
    dx = torch.arange(size[1]) - keypoints[..., 0, None, None]
    dy = torch.arange(size[0])[:, None] - keypoints[..., 1, None, None]
    return torch.exp((-(dx**2) + dy**2) / (2 * sigma**2))


def rows_beside_columns(keypoints, size, sigma):
    """Lay rows and columns along one and the same axis."""
    x, y = keypoints[..., 0, None], keypoints[..., 1, None]
    return torch.exp(-((torch.arange(size[1]) - x) ** 2 + (torch.arange(size[0]) - y) ** 2) / (2 * sigma**2))


GAUSSIAN_HEATMAPS = {
    "helped": [rows_beside_columns],
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
        "centre_floored": lambda k, size, sigma: broadcast(k // 1, size, sigma),
        "centre_cut": lambda k, size, sigma: broadcast(k.long().to(k.dtype), size, sigma),
        "centre_of_integers": as_long,
        "clamped_to_border": moved_inside,
        "outside_left_empty": skipped_outside,
        "multiplied_by_variance": lambda k, size, sigma: torch.exp(-squared_distance(k, size) / 2 * sigma**2),
        "minus_forgotten": lambda k, size, sigma: torch.exp(squared_distance(k, size) / (2 * sigma**2)),
        "minus_for_x_alone": brackets_forgotten,
        "exponential_forgotten": lambda k, size, sigma: squared_distance(k, size) * (-0.5 / sigma**2),
        "distance_not_squared": lambda k, size, sigma: torch.exp(-(squared_distance(k, size) ** 0.5) / (2 * sigma**2)),
        "half_cell_further": lambda k, size, sigma: torch.exp(-squared_distance(k, size, -0.5, -0.5) / (2 * sigma**2)),
        "last_cells_empty": loops_too_short,
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


def searched(maps, start, value=lambda cell: cell):
    """Go through every cell, and keep the best so far."""
    points, scores = [], []
    for one in maps.reshape(-1, *maps.shape[-2:]).tolist():
        best, at = start, (0, 0)
        for row, line in enumerate(one):
            for column, cell in enumerate(line):
                if value(cell) > best:
                    best, at = value(cell), (column, row)
        points.append(at)
        scores.append(best)
    points, scores = (torch.tensor(part, dtype=maps.dtype) for part in (points, scores))
    return points.reshape(*maps.shape[:-2], 2), scores.reshape(maps.shape[:-2])


def rows_counted_and_exchanged(maps):
    """Divide by the number of rows, and put the quotient first."""
    values, index = maps.flatten(-2).max(-1)
    return torch.stack([index // maps.size(-2), index % maps.size(-2)], dim=-1).to(values), values


def slash_in_place_of_two(maps):
    """Divide with a single slash."""
    values, index = maps.flatten(-2).max(-1)
    return torch.stack([(index % maps.size(-1)).to(values), index.to(values) / maps.size(-1)], dim=-1), values


def nothing_flattened(maps):
    """Ask the whole tensor."""
    row, column = torch.unravel_index(maps.argmax(), maps.shape)[-2:]
    return torch.tensor([column, row], dtype=maps.dtype), torch.amax(maps)


ARGMAX_2D = {
    "helped": [never_converted],
    "golds": [
        unravelled,
        divided_with_remainder,
        highest_row_and_column,
        comparing,
        lambda maps: searched(maps, -math.inf),
    ],
    "twins": {
        "row_before_column": unravelled_in_order,
        "divided_by_height": rows_counted,
        "one_for_the_batch": flattened_too_far,
        "whole_number_type": never_converted,
        "half_cell_added": to_the_middle,
        "largest_sums": marginals,
        "height_and_exchanged": rows_counted_and_exchanged,
        "divided_to_a_fraction": slash_in_place_of_two,
        "points_alone": lambda maps: unravelled(maps)[0],
        "scores_before_points": lambda maps: unravelled(maps)[::-1],
        "one_answer_only": nothing_flattened,
        "largest_magnitude": lambda maps: searched(maps, -math.inf, abs),
        "started_at_zero": lambda maps: searched(maps, 0),
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


def read_at_the_surest_of_a_person(confidences, offsets):
    """Take the argmax over all maps of an image."""
    H, W = confidences.shape[-2:]
    found = []
    for maps, ways in zip(
        confidences.reshape(-1, *confidences.shape[-3:]), offsets.reshape(-1, *offsets.shape[-4:]), strict=True
    ):
        row, column = divmod(int(maps.argmax()) % (H * W), W)
        found.append(ways[:, :, row, column] + torch.tensor([column, row]))
    return torch.stack(found).reshape(offsets.shape[:-2])


def rows_counted_for_votes(confidences, offsets):
    """Find the place by the number of rows, and the offset rightly."""
    H, W = confidences.shape[-2:]
    return each_map(
        confidences,
        offsets,
        lambda row, column, off: off[:, row, column] + torch.tensor(divmod(row * W + column, H)[::-1]),
    )


def expected_vote(confidences, offsets):
    """Weight every vote with a probability."""
    H, W = confidences.shape[-2:]
    weights = torch.exp(confidences) / torch.exp(confidences).sum((-2, -1), keepdim=True)
    x = (weights * (offsets[..., 0, :, :] + torch.arange(W))).sum((-2, -1))
    y = (weights * (offsets[..., 1, :, :] + torch.arange(H)[:, None])).sum((-2, -1))
    return torch.stack([x, y], dim=-1)


def voted_above_zero(confidences, offsets):
    """Search for what is larger than zero."""
    cells = searched(confidences, 0)[0].long().reshape(-1, 2)
    flat = offsets.reshape(-1, *offsets.shape[-3:])
    votes = [way[:, y, x] + torch.tensor([x, y]) for way, (x, y) in zip(flat, cells.tolist(), strict=True)]
    return torch.stack(votes).reshape(offsets.shape[:-2])


def gathered_as_it_is(confidences, offsets):
    """Gather with an index that lacks the offsets' axis."""
    return offsets.flatten(-2).gather(-1, confidences.flatten(-2).argmax(-1))


SUREST_VOTE = {
    "helped": [gathered_as_it_is],
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
        "place_alone": lambda c, o: each_map(c, o, lambda row, column, off: torch.tensor([column, row]).to(off)),
        "divided_by_height": rows_counted_for_votes,
        "place_exchanged": lambda c, o: each_map(
            c, o, lambda row, column, off: off[:, row, column] + torch.tensor([row, column])
        ),
        "all_exchanged": lambda c, o: in_a_loop(c, o)[..., [1, 0]],
        "one_cell_for_a_person": read_at_the_surest_of_a_person,
        "softly_weighted": expected_vote,
        "largest_magnitude": lambda c, o: in_a_loop(c.square(), o),
        "started_at_zero": voted_above_zero,
    },
}

ANSWERS = {"gaussian_heatmaps": GAUSSIAN_HEATMAPS, "argmax_2d": ARGMAX_2D, "surest_vote": SUREST_VOTE}
