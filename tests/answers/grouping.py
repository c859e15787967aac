"""Answers to the exercises on grouping: right ones, and every known mistake as somebody else would have made it."""

import functools
import itertools
import math

import numpy as np
import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment

from posecourse import grouping

# The highest summits.


def top(maps, kept, limit):
    """List the highest kept cells of every map in Python, one by one."""
    H, W = maps.shape[-2:]
    points = maps.new_tensor([(W - 1) / 2, (H - 1) / 2]).repeat(*maps.shape[:-2], limit, 1)
    scores = maps.new_zeros(*maps.shape[:-2], limit)
    for index in torch.cartesian_prod(*(torch.arange(n) for n in maps.shape[:-2])).view(-1, maps.ndim - 2).tolist():
        at = tuple(index)
        cells = [(maps[at][y, x], x, y) for y, x in kept[at].nonzero().tolist()]
        for place, (value, x, y) in enumerate(sorted(cells, key=lambda cell: -float(cell[0]))[:limit]):
            points[(*at, place)] = maps.new_tensor([x, y])
            scores[(*at, place)] = value
    return points, scores


def neighbourhood(maps, radius=1, reach=None):
    """Return the values around each cell along a new last axis, minus infinity outside."""
    H, W = maps.shape[-2:]
    rim = F.pad(maps, (radius,) * 4, value=-math.inf)
    steps = [(dy, dx) for dy in range(-radius, radius + 1) for dx in range(-radius, radius + 1)]
    steps = [(dy, dx) for dy, dx in steps if reach is None or abs(dy) + abs(dx) <= reach]
    return torch.stack(
        [rim[..., radius + dy : radius + dy + H, radius + dx : radius + dx + W] for dy, dx in steps], dim=-1
    )


def summit(maps, **options):
    """Return which cells are positive and not exceeded around them."""
    return (maps >= neighbourhood(maps, **options).amax(-1)) & (maps > 0)


def pooled_with_torch(heatmaps, limit):
    """Pool, compare, take the top, put the centre where nothing is left."""
    H, W = heatmaps.shape[-2:]
    same = heatmaps == F.max_pool2d(heatmaps, 3, 1, 1)
    scores, index = (heatmaps.clamp(min=0) * same).flatten(-2).topk(limit)
    cells = torch.stack((index % W, torch.div(index, W, rounding_mode="floor")), -1).to(heatmaps.dtype)
    cells[scores == 0] = torch.tensor([(W - 1) / 2, (H - 1) / 2], dtype=heatmaps.dtype)
    return cells, scores


def sorted_in_full(heatmaps, limit):
    """Sort all cells of each map, the summits first."""
    H, W = heatmaps.shape[-2:]
    heights = heatmaps.masked_fill(~summit(heatmaps), 0).flatten(-2)
    scores, index = heights.sort(-1, descending=True)
    y, x = torch.unravel_index(index[..., :limit], (H, W))
    points = torch.stack([x, y], -1).to(heatmaps)
    centre = points.new_tensor([W - 1, H - 1]) / 2
    return torch.where(scores[..., :limit, None] == 0, centre, points), scores[..., :limit]


def swapped(heatmaps, limit):
    """Read rows first."""
    points, scores = top(heatmaps, summit(heatmaps), limit)
    return points[..., [1, 0]], scores


def by_rows(heatmaps, limit):
    """Take the index apart with the wrong number."""
    H, W = heatmaps.shape[-2:]
    points, scores = top(heatmaps, summit(heatmaps), limit)
    index = points[..., 1] * W + points[..., 0]
    wrong = torch.stack([index % H, torch.div(index, H, rounding_mode="floor")], -1)
    return torch.where(scores[..., None] > 0, wrong, points), scores


def by_both(heatmaps, limit):
    """Take the index apart with W for x and with H for y."""
    H, W = heatmaps.shape[-2:]
    points, scores = top(heatmaps, summit(heatmaps), limit)
    index = points[..., 1] * W + points[..., 0]
    y = torch.where(scores > 0, torch.div(index, H, rounding_mode="floor"), points[..., 1])
    return torch.stack([points[..., 0], y], -1), scores


def half_a_cell_on(heatmaps, limit):
    """Put the places that are left over at half of width and height."""
    H, W = heatmaps.shape[-2:]
    points, scores = top(heatmaps, summit(heatmaps), limit)
    points[scores == 0] = points.new_tensor([W / 2, H / 2])
    return points, scores


def all_maxima(heatmaps, limit):
    """Take every summit, also one below zero."""
    around = neighbourhood(heatmaps).amax(-1)
    lowered = heatmaps.double().masked_fill(heatmaps < around, -math.inf) + 10  # so that every summit is positive
    points, scores = top(lowered, lowered.isfinite(), limit)
    return points.to(heatmaps), torch.where(scores == 0, 0, scores - 10).to(heatmaps)


def without_the_border(heatmaps, limit):
    """Look at cells with eight neighbours."""
    kept = summit(heatmaps)
    kept[..., 0, :] = kept[..., -1, :] = kept[..., :, 0] = kept[..., :, -1] = False
    return top(heatmaps, kept, limit)


def rivals(heatmaps, limit):
    """Pool over the keypoints too."""
    around = neighbourhood(heatmaps).amax(-1)
    return top(heatmaps, (heatmaps >= around.max(-3, keepdim=True).values) & (heatmaps > 0), limit)


def first_come(heatmaps, limit):
    """Take the summits as they come."""
    kept = summit(heatmaps)
    early = kept.flatten(-2).cumsum(-1).view_as(heatmaps) <= limit
    points, scores = top(torch.where(kept & early, heatmaps, 0), kept & early, limit)
    W = heatmaps.shape[-1]
    place = torch.where(scores > 0, points[..., 1] * W + points[..., 0], math.inf)
    order = place.argsort(dim=-1, stable=True)
    return points.gather(-2, order[..., None].expand_as(points)), scores.gather(-1, order)


def one_threshold(heatmaps, limit):
    """Keep the highest of all maps."""
    kept = summit(heatmaps)
    values = heatmaps[kept].sort(descending=True).values
    lowest = values[min(limit, len(values)) - 1]
    return top(heatmaps, kept & (heatmaps >= lowest), limit)


def turned(heatmaps, limit, which):
    """Swap x and y of found summits, or of the places that are left over."""
    points, scores = top(heatmaps, summit(heatmaps), limit)
    chosen = (scores > 0) == which
    points[chosen] = points[chosen].roll(1, -1)
    return points, scores


def elsewhere(heatmaps, limit, place):
    """Give the places that are left over a point of another kind."""
    points, scores = top(heatmaps, summit(heatmaps), limit)
    points[scores == 0] = points.new_tensor(place)
    return points, scores


def whatever_topk_says(heatmaps, limit):
    """Take every index apart, whatever its score."""
    H, W = heatmaps.shape[-2:]
    scores, index = (heatmaps * summit(heatmaps)).flatten(-2).topk(limit)
    y, x = torch.unravel_index(index, (H, W))
    return torch.stack([x, y], -1).to(heatmaps), scores


def divided(heatmaps, limit):
    """Divide by W, and leave the fraction."""
    points, scores = top(heatmaps, summit(heatmaps), limit)
    fraction = torch.where(scores > 0, points[..., 0] / heatmaps.shape[-1], 0)
    return points + torch.stack([torch.zeros_like(fraction), fraction], -1), scores


def on_corners(heatmaps, limit):
    """Take a cell's coordinates for those of its first corner."""
    points, scores = top(heatmaps, summit(heatmaps), limit)
    points[scores > 0] += 0.5
    return points, scores


def filled_with_minus_infinity(heatmaps, limit):
    """Fill with minus infinity, and forget it."""
    points, scores = top(heatmaps, summit(heatmaps), limit)
    return points, scores.masked_fill(scores == 0, -math.inf)


NMS_PEAKS = {
    "helped": [lambda h, limit: h == F.max_pool2d(h, 3)],
    "golds": [pooled_with_torch, sorted_in_full, lambda h, limit: top(h, summit(h), limit)],
    "twins": {
        "no_suppression": lambda h, limit: top(h, h > 0, limit),
        "negatives_kept": all_maxima,
        "border_lost": without_the_border,
        "four_neighbours": lambda h, limit: top(h, summit(h, reach=1), limit),
        "window_of_five": lambda h, limit: top(h, summit(h, radius=2), limit),
        "row_before_column": swapped,
        "divided_by_height": by_rows,
        "row_by_height": by_both,
        "centre_by_half": half_a_cell_on,
        "keypoints_compete": rivals,
        "in_reading_order": first_come,
        "limit_shared": one_threshold,
        "summits_swapped": lambda h, limit: turned(h, limit, True),
        "centre_swapped": lambda h, limit: turned(h, limit, False),
        "centre_forgotten": whatever_topk_says,
        "origin_for_the_centre": lambda h, limit: elsewhere(h, limit, [0, 0]),
        "row_with_a_fraction": divided,
        "half_a_cell_added": on_corners,
        "minus_infinity_left": filled_with_minus_infinity,
    },
}

# The pull and the push.


def each_image(one):
    """Return a loss of a batch that asks `one` for each image, whatever the leading axes."""

    def loss(tags, mask, *margin):
        flat, seen = tags.reshape(-1, *tags.shape[-3:]), mask.reshape(-1, *mask.shape[-2:])
        values = [one(t, m, *margin) for t, m in zip(flat, seen, strict=True)]
        return torch.stack([torch.as_tensor(v, dtype=tags.dtype) for v in values]).view(mask.shape[:-2])

    return loss


def own_mean(rows, person, seen):
    """Average the labelled tags."""
    return rows.mean(0)


def pulling(person_cost=lambda apart, seen: apart.mean(), to=own_mean, share=None):
    """Return a pull written with loops: what a person costs, what tags are pulled to, what the sum is divided by."""

    def one(tags, mask):
        costs = []
        for t, m in zip(tags, mask, strict=True):
            if m.any():
                costs.append(person_cost(((t[m] - to(t[m], t, m)) ** 2).sum(-1), m))
        total = sum(costs, torch.zeros((), dtype=tags.dtype))
        return total / (max(len(costs), 1) if share is None else share(mask))

    return each_image(one)


def l1_pull(tags, mask):
    """Use the absolute value."""
    costs = [(t[m] - t[m].mean(0)).abs().sum(-1).mean() for t, m in zip(tags, mask, strict=True) if m.any()]
    return torch.stack(costs).mean() if costs else torch.zeros(())


def distance_pull(tags, mask):
    """Use the norm."""
    costs = [(t[m] - t[m].mean(0)).norm(dim=-1).mean() for t, m in zip(tags, mask, strict=True) if m.any()]
    return torch.stack(costs).mean() if costs else torch.zeros(())


def as_a_variance(tags, mask):
    """Take the mean of squares less the square of the mean."""
    t = tags.masked_fill(~mask[..., None], 0)
    n = mask.sum(-1).clamp(min=1)
    spread = (t**2).sum((-2, -1)) / n - ((t.sum(-2) / n[..., None]) ** 2).sum(-1)
    present = mask.any(-1)
    return (spread * present).sum(-1) / present.sum(-1).clamp(min=1)


def with_detached_means(tags, mask):
    """Let no gradient through the mean, where it adds up to nothing anyway."""
    weight = mask.to(tags) / mask.sum(-1, keepdim=True).clamp(min=1)
    t = torch.where(mask.unsqueeze(-1), tags, torch.zeros_like(tags))
    mean = torch.einsum("...pk,...pkd->...pd", weight, t).detach()
    person = (weight * (t - mean.unsqueeze(-2)).pow(2).sum(-1)).sum(-1)
    return person.sum(-1) / torch.clamp(mask.any(-1).sum(-1), min=1)


def all_at_once(tags, mask):
    """Average over every labelled keypoint of the image."""
    t = tags.masked_fill(~mask[..., None], 0)
    mean = t.sum(-2, keepdim=True) / mask.sum(-1).clamp(min=1)[..., None, None]
    return (((t - mean) ** 2).sum(-1) * mask).flatten(-2).sum(-1) / mask.flatten(-2).sum(-1).clamp(min=1)


def common_mean(tags, mask):
    """Pull all people of an image to one place."""
    costs = [((t[m] - tags[mask].mean(0)) ** 2).sum(-1).mean() for t, m in zip(tags, mask, strict=True) if m.any()]
    return torch.stack(costs).mean() if costs else torch.zeros(())


def zeros_pull(tags, mask):
    """Put zeros in, and let them pay."""
    costs = []
    for t, m in zip(tags, mask, strict=True):
        if m.any():
            filled = t.masked_fill(~m[:, None], 0)
            costs.append(((filled - t[m].mean(0)) ** 2).sum() / m.sum())
    return torch.stack(costs).mean() if costs else torch.zeros(())


def unguarded_pull(tags, mask):
    """Divide by what there is, even if that is nothing."""
    t = tags.masked_fill(~mask[..., None], 0)
    mean = t.sum(-2, keepdim=True) / mask.sum(-1)[..., None, None]
    person = ((t - mean) ** 2).sum(-1).masked_fill(~mask, 0).sum(-1) / mask.sum(-1)
    return person.sum(-1) / mask.any(-1).sum(-1)


def weighted_pull(tags, mask):
    """Multiply by the mask."""
    w = mask.to(tags)[..., None]
    n = mask.sum(-1).clamp(min=1)
    mean = (tags * w).sum(-2, keepdim=True) / n[..., None, None]
    person = ((tags - mean) ** 2 * w).sum((-2, -1)) / n
    return person.sum(-1) / mask.any(-1).sum(-1).clamp(min=1)


def late_pull(tags, mask):
    """Mask the squares."""
    n = mask.sum(-1).clamp(min=1)
    mean = tags.masked_fill(~mask[..., None], 0).sum(-2, keepdim=True) / n[..., None, None]
    person = ((tags - mean) ** 2).sum(-1).masked_fill(~mask, 0).sum(-1) / n
    return person.sum(-1) / mask.any(-1).sum(-1).clamp(min=1)


def late_where_pull(tags, mask):
    """Multiply first, and mask with care from there on."""
    w = mask.unsqueeze(-1).to(tags)
    n = mask.sum(-1, keepdim=True).clamp(min=1)
    t = tags * w
    squares = (t - (t.sum(-2) / n).unsqueeze(-2)).pow(2).sum(-1)
    person = squares.masked_fill(~mask, 0).sum(-1) / n.squeeze(-1)
    return person.sum(-1) / mask.any(-1).sum(-1).clamp(min=1)


def one_number(tags, mask):
    """Average over everybody in the batch, and give each image that."""
    flat, seen = tags.reshape(-1, *tags.shape[-2:]), mask.reshape(-1, mask.shape[-1])
    costs = [((t[m] - t[m].mean(0)) ** 2).sum(-1).mean() for t, m in zip(flat, seen, strict=True) if m.any()]
    return torch.stack(costs).mean().repeat(mask.shape[:-2])


PULL_LOSS = {
    "helped": [lambda tags, mask: ((tags - tags.mean(-2)) ** 2).mean()],
    "golds": [pulling(), as_a_variance, with_detached_means],
    "twins": {
        "towards_zero": pulling(to=lambda rows, person, seen: 0),
        "mask_ignored": lambda t, m: ((t - t.mean(-2, keepdim=True)) ** 2).sum(-1).mean((-2, -1)),
        "mean_of_all": pulling(to=lambda rows, person, seen: person.mean(0)),
        "mean_divided_by_all": pulling(to=lambda rows, person, seen: rows.sum(0) / len(person)),
        "absolute": each_image(l1_pull),
        "not_squared": each_image(distance_pull),
        "everybody_to_one_mean": each_image(common_mean),
        "joints_added": pulling(lambda apart, seen: apart.sum()),
        "divided_by_all": pulling(lambda apart, seen: apart.sum() / len(seen)),
        "unlabelled_pay": each_image(zeros_pull),
        "people_added": pulling(share=lambda mask: 1),
        "empty_places_counted": pulling(share=len),
        "joints_weigh_alike": all_at_once,
        "components_averaged": lambda t, m: as_a_variance(t, m) / t.size(-1),
        "nobody_gives_nan": unguarded_pull,
        "nobody_at_all_gives_nan": pulling(share=lambda mask: mask.any(-1).sum()),
        "multiplied": weighted_pull,
        "chosen_too_late": late_pull,
        "multiplied_at_first": late_where_pull,
        "one_less": pulling(lambda apart, seen: apart.sum() / max(len(apart) - 1, 1)),
        "mask_upside_down": lambda t, m: with_detached_means(t, m.logical_not()),
        "halved": pulling(share=lambda mask: 2 * max(int(mask.any(-1).sum()), 1)),
        "batch_averaged": one_number,
        "one_label_left_out": pulling(share=lambda mask: max(int((mask.sum(-1) >= 2).sum()), 1)),
    },
}


def pushing(
    cost=lambda d, margin: torch.clamp(margin - d, min=0) ** 2, mean=None, distance=None, divisor=None, places=None
):
    """Return a push written with loops over pairs."""
    mean = mean or (lambda t, m: t[m].mean(0))
    distance = distance or (lambda a, b: (a - b).norm())

    def one(tags, mask, margin):
        people = [mean(t, m) for t, m in zip(tags, mask, strict=True) if m.any()]
        pairs = [(i, j) for i in range(len(people)) for j in range(i)]
        total = sum((cost(distance(people[i], people[j]), margin) for i, j in pairs), torch.zeros((), dtype=tags.dtype))
        if places is not None:
            return total / places(len(mask))
        return total / (max(len(pairs), 1) if divisor is None else divisor(len(people)))

    return each_image(one)


def with_cdist(tags, mask, margin):
    """Let PyTorch make the distances."""
    n = mask.sum(-1)
    means = tags.masked_fill(~mask[..., None], 0).sum(-2) / n.clamp(min=1)[..., None]
    hinge = torch.relu(margin - torch.cdist(means, means, compute_mode="donot_use_mm_for_euclid_dist")) ** 2
    w = (n > 0).to(tags)
    pairs = torch.triu(w[..., :, None] * w[..., None, :], diagonal=1)
    return (hinge * pairs).sum((-2, -1)) / pairs.sum((-2, -1)).clamp(min=1)


def upper_half(tags, mask, margin):
    """Index the pairs n < m."""
    n = mask.sum(-1)
    means = torch.where(mask[..., None], tags, 0).sum(-2) / torch.where(n == 0, 1, n)[..., None]
    i, j = torch.triu_indices(mask.shape[-2], mask.shape[-2], offset=1)
    apart = torch.linalg.norm(means[..., i, :] - means[..., j, :], dim=-1)
    counts = (n[..., i] > 0) & (n[..., j] > 0)
    cost = (margin - apart).clamp(min=0).square() * counts
    return cost.sum(-1) / counts.sum(-1).clamp(min=1)


def one_crowd(tags, mask, margin):
    """Take all people of the batch for one crowd, and give each image its share."""
    lead = mask.shape[:-2]
    flat, seen = tags.reshape(-1, *tags.shape[-3:]), mask.reshape(-1, *mask.shape[-2:])
    people = [(b, flat[b, n][m].mean(0)) for b in range(len(flat)) for n, m in enumerate(seen[b]) if m.any()]
    costs = [[] for _ in flat]
    for place, (b, mean) in enumerate(people):
        for other, (_, away) in enumerate(people):
            if other != place:
                costs[b].append(torch.relu(margin - (mean - away).norm()) ** 2)
    zero = torch.zeros((), dtype=tags.dtype)
    return torch.stack([torch.stack(c).mean() if c else zero for c in costs]).view(lead)


def every_place(tags, mask, margin):
    """Let empty places, at 0, take part."""
    N = mask.shape[-2]
    means = tags.masked_fill(~mask[..., None], 0).sum(-2) / mask.sum(-1).clamp(min=1)[..., None]
    apart = torch.cdist(means, means, compute_mode="donot_use_mm_for_euclid_dist")
    hinge = torch.relu(margin - apart) ** 2
    return (hinge.sum((-2, -1)) - hinge.diagonal(dim1=-2, dim2=-1).sum(-1)) / (N * (N - 1))


def all_keypoints(tags, mask, margin):
    """Compare keypoints of different people."""
    costs = [
        torch.relu(margin - (a - b).norm()) ** 2
        for i in range(len(tags)) for j in range(i)
        for a in tags[i][mask[i]] for b in tags[j][mask[j]]
    ]  # fmt: skip
    return torch.stack(costs).mean() if costs else torch.zeros(())


def with_diagonal(tags, mask, margin):
    """Average over all N² entries of those who are there."""
    people = [t[m].mean(0) for t, m in zip(tags, mask, strict=True) if m.any()]
    if not people:
        return torch.zeros(())
    means = torch.stack(people)
    return (margin - torch.cdist(means, means)).clamp(min=0).square().mean()


def diagonal_in_the_sum(tags, mask, margin):
    """Let everybody pay for themselves, and count pairs of two."""
    people = [t[m].mean(0) for t, m in zip(tags, mask, strict=True) if m.any()]
    if not people:
        return torch.zeros(())
    means = torch.stack(people)
    n = len(people)
    return (margin - torch.cdist(means, means)).clamp(min=0).square().sum() / max(n * n - n, 1)


def whole_table(tags, mask, margin):
    """Average over all places, with nobody at 0."""
    means = torch.stack(
        [t[m].mean(0) if m.any() else 0 * t[0].nan_to_num(0, 0, 0) for t, m in zip(tags, mask, strict=True)]
    )
    apart = torch.cdist(means, means, compute_mode="donot_use_mm_for_euclid_dist")
    return (margin - apart).clamp(min=0).square().mean()


def unguarded_push(tags, mask, margin):
    """Divide by the number of pairs, even if there is none."""
    n = mask.sum(-1)
    means = tags.masked_fill(~mask[..., None], 0).sum(-2) / n.clamp(min=1)[..., None]
    apart = torch.linalg.norm(means.unsqueeze(-2) - means.unsqueeze(-3), dim=-1)
    pairs = torch.triu((n > 0)[..., :, None] & (n > 0)[..., None, :], diagonal=1)
    return (torch.relu(margin - apart) ** 2 * pairs).sum((-2, -1)) / pairs.sum((-2, -1))


def weighted_push(tags, mask, margin):
    """Multiply tags by the mask."""
    w = mask.to(tags)
    means = (tags * w[..., None]).sum(-2) / w.sum(-1).clamp(min=1)[..., None]
    apart = torch.linalg.norm(means.unsqueeze(-2) - means.unsqueeze(-3), dim=-1)
    n = mask.any(-1).to(tags)
    pairs = torch.triu(n[..., :, None] * n[..., None, :], diagonal=1)
    return (torch.relu(margin - apart) ** 2 * pairs).sum((-2, -1)) / pairs.sum((-2, -1)).clamp(min=1)


def with_sqrt(tags, mask, margin):
    """Take the root by hand."""
    n = mask.sum(-1)
    means = tags.masked_fill(~mask[..., None], 0).sum(-2) / n.clamp(min=1)[..., None]
    apart = ((means.unsqueeze(-2) - means.unsqueeze(-3)) ** 2).sum(-1).sqrt()
    pairs = torch.triu((n > 0)[..., :, None] & (n > 0)[..., None, :], diagonal=1)
    return (torch.relu(margin - apart) ** 2 * pairs).sum((-2, -1)) / pairs.sum((-2, -1)).clamp(min=1)


def late_where_push(tags, mask, margin):
    """Multiply tags by the mask, and choose among pairs with care."""
    means = torch.einsum("...pkd,...pk->...pd", tags, mask.to(tags)) / mask.sum(-1, keepdim=True).clamp(min=1)
    i, j = torch.triu_indices(mask.shape[-2], mask.shape[-2], offset=1)
    apart = torch.linalg.norm(means[..., i, :] - means[..., j, :], dim=-1)
    counts = mask.any(-1)[..., i] & mask.any(-1)[..., j]
    return torch.relu(margin - apart).square().masked_fill(~counts, 0).sum(-1) / counts.sum(-1).clamp(min=1)


def one_of_two(tags, mask, margin):
    """Let a pair count of which somebody is there, with nobody at 0."""
    means = [t[m].mean(0) if m.any() else torch.zeros_like(t[0]) for t, m in zip(tags, mask, strict=True)]
    pairs = [(i, j) for i in range(len(means)) for j in range(i) if mask[i].any() or mask[j].any()]
    costs = [torch.relu(margin - (means[i] - means[j]).norm()) ** 2 for i, j in pairs]
    return torch.stack(costs).mean() if costs else torch.zeros(())


def only_those_who_cost(tags, mask, margin):
    """Average over the pairs that cost something."""
    people = [t[m].mean(0) for t, m in zip(tags, mask, strict=True) if m.any()]
    costs = [torch.relu(margin - (a - b).norm()) ** 2 for a, b in itertools.combinations(people, 2)]
    costs = [cost for cost in costs if cost > 0]
    return torch.stack(costs).mean() if costs else torch.zeros(())


def without_hands(tags, mask, margin):
    """Take people with two labels or more."""
    people = [t[m].mean(0) for t, m in zip(tags, mask, strict=True) if m.sum() >= 2]
    costs = [torch.relu(margin - (a - b).norm()) ** 2 for a, b in itertools.combinations(people, 2)]
    return torch.stack(costs).mean() if costs else torch.zeros(())


PUSH_LOSS = {
    "golds": [pushing(), with_cdist, upper_half],
    "twins": {
        "self_pairs": each_image(with_diagonal),
        "self_pairs_in_the_count": pushing(lambda d, g: 2 * torch.relu(g - d) ** 2, divisor=lambda n: max(n * n, 1)),
        "self_pairs_in_the_sum": each_image(diagonal_in_the_sum),
        "places_counted": pushing(lambda d, g: 2 * torch.relu(g - d) ** 2, divisor=None, places=lambda n: n * (n - 1)),
        "mean_of_the_table": pushing(lambda d, g: 2 * torch.relu(g - d) ** 2, places=lambda n: n * n),
        "everything_averaged": each_image(whole_table),
        "squares_subtracted": pushing(lambda d, g: torch.relu(g * g - d * d)),
        "pairs_once": pushing(divisor=lambda n: max(n * (n - 1), 1)),
        "pairs_added": pushing(lambda d, g: 2 * torch.relu(g - d) ** 2, divisor=lambda n: 1),
        "across_images": one_crowd,
        "mean_of_all": pushing(mean=lambda t, m: t.sum(0) / len(t)),
        "mean_divided_by_all": pushing(mean=lambda t, m: t[m].sum(0) / len(m)),
        "empty_places_pushed": every_place,
        "rewarded_beyond": pushing(lambda d, g: (d - g) ** 2),
        "not_squared": pushing(lambda d, g: torch.relu(g - d)),
        "squared_distance": pushing(lambda d, g: torch.relu(g - d**2) ** 2),
        "l1_distance": pushing(distance=lambda a, b: (a - b).abs().sum()),
        "each_component": pushing(
            distance=lambda a, b: (a - b).abs(), cost=lambda d, g: (torch.clamp(g - d, min=0) ** 2).sum()
        ),
        "keypoints_pushed": each_image(all_keypoints),
        "gaussian": pushing(lambda d, g: torch.exp(-(d**2))),
        "alone_gives_nan": unguarded_push,
        "multiplied": weighted_push,
        "root_of_zero": with_sqrt,
        "multiplied_at_first": late_where_push,
        "either_of_two": each_image(one_of_two),
        "one_label_left_out": each_image(without_hands),
        "content_pairs_left_out": each_image(only_those_who_cost),
        "margin_of_one": pushing(lambda d, g: torch.relu(1 - d) ** 2),
        "subtracted_the_other_way": pushing(lambda d, g: torch.relu(d - g) ** 2),
        "squared_at_the_end": lambda t, m, g: pushing(lambda d, g: torch.relu(g - d))(t, m, g) ** 2,
    },
}

# From candidates to people.


def brute_force(apart, threshold):
    """Try every way of pairing rows with columns, and take the one whose squares save most below the threshold's."""
    rows, columns = apart.shape
    near = [(r, c) for r in range(rows) for c in range(columns) if apart[r, c] < threshold]
    best, pairs = 0.0, []
    for taken in itertools.chain.from_iterable(itertools.combinations(near, n) for n in range(1, rows + 1)):
        alone = all(len({pair[axis] for pair in taken}) == len(taken) for axis in (0, 1))
        saved = sum(threshold**2 - float(apart[pair]) ** 2 for pair in taken)
        if alone and saved > best:
            best, pairs = saved, list(taken)
    return pairs


def hungarian(apart, threshold):
    """Let SciPy pair them, and undo what is too far."""
    rows, columns = linear_sum_assignment(np.minimum(apart.numpy() ** 2, threshold**2))
    return [(r, c) for r, c in zip(rows, columns, strict=True) if apart[r, c] < threshold]


def grouper(
    pair=hungarian,
    tag=lambda own: torch.stack(own).mean(dim=0),
    counts=lambda score, tag: score > 0 and bool(torch.isfinite(tag).all()),
    finish=lambda people, most: sorted(people, key=lambda p: p["score"], reverse=True)[:most],
    begin=lambda people, person: people.append(person),
    room=None,
):
    """Return a grouping that keeps people as dictionaries."""

    def group(scores, tags, threshold, max_people):
        K, M = scores.shape
        people = []
        for k in range(K):
            here = [m for m in range(M) if counts(scores[k, m], tags[k, m])]
            pairs = []
            if here and people:
                means = torch.stack([tag(p["tags"]) for p in people])
                apart = torch.stack([(tags[k, m] - means).pow(2).sum(-1).sqrt() for m in here])
                pairs = pair(apart, threshold) if pair is not rounding else pair(apart, threshold, scores[k, here])
            for n, r in {n: r for r, n in pairs}.items():
                people[n]["found"][k] = here[r]
                people[n]["tags"].append(tags[k, here[r]])
            taken = {int(r) for r, _ in pairs}
            for r, m in enumerate(here):
                if r not in taken and (room is None or len(people) < room(max_people)):
                    begin(people, {"found": {k: m}, "tags": [tags[k, m]]})
        for person in people:
            person["score"] = sum(float(scores[k, m]) for k, m in person["found"].items())
        rows = [[p["found"].get(k, -1) for k in range(K)] for p in finish(people, max_people)]
        return torch.tensor(rows).view(-1, K).long()

    return group


def rounding(apart, threshold, score):
    """Round, and let the score decide what is left."""
    rows, columns = linear_sum_assignment(100 * torch.round(apart) - score[:, None])
    return [(r, c) for r, c in zip(rows, columns, strict=True) if apart[r, c] < threshold]


def everybody_somewhere(apart, threshold):
    """Accept whatever the assignment says."""
    return list(zip(*linear_sum_assignment(apart.square().numpy()), strict=True))


def by_distances(apart, threshold):
    """Add up distances."""
    rows, columns = linear_sum_assignment(np.minimum(apart.numpy(), threshold))
    return [(r, c) for r, c in zip(rows, columns, strict=True) if apart[r, c] < threshold]


def infinite(apart, threshold):
    """Forbid what is too far."""
    cost = apart.numpy() ** 2
    cost[cost >= threshold**2] = np.inf
    return list(zip(*linear_sum_assignment(cost), strict=True))


def nearest_pairs(apart, threshold):
    """Go through all pairs by distance, and take each whose two are still free."""
    rows, columns, pairs = set(), set(), []
    for d, r, c in sorted((float(apart[r, c]), r, c) for r in range(len(apart)) for c in range(apart.shape[1])):
        if d < threshold and r not in rows and c not in columns:
            rows.add(r)
            columns.add(c)
            pairs.append((r, c))
    return pairs


def uncapped(apart, threshold):
    """Filter only after the assignment."""
    return [(r, c) for r, c in everybody_somewhere(apart, threshold) if apart[r, c] < threshold]


def dear(apart, threshold):
    """Forbid what is too far by its price."""
    cost = apart.numpy() ** 2
    cost[apart.numpy() >= threshold] = 99999
    return [(r, c) for r, c in zip(*linear_sum_assignment(cost), strict=True) if cost[r, c] < 99999]


def capped_late(apart, threshold):
    """Square before the cap."""
    rows, columns = linear_sum_assignment(np.minimum(apart.numpy() ** 2, threshold))
    return [(r, c) for r, c in zip(rows, columns, strict=True) if apart[r, c] < threshold]


def without_the_root(apart, threshold):
    """Never take a root, and forget that the threshold has none."""
    squares = apart.square()
    cost = torch.where(squares < threshold, squares, threshold)
    return [(r, c) for r, c in zip(*linear_sum_assignment(cost), strict=True) if squares[r, c] < threshold]


def up_to_the_threshold(apart, threshold):
    """Join also what is as far as the threshold."""
    rows, columns = linear_sum_assignment(np.minimum(apart.numpy() ** 2, threshold**2))
    return [(r, c) for r, c in zip(rows, columns, strict=True) if not apart[r, c] > threshold]


def capped_only(apart, threshold):
    """Cap, and accept whatever the assignment says."""
    return list(zip(*linear_sum_assignment(apart.clamp(max=threshold).square()), strict=True))


def as_they_are(apart, threshold):
    """Give SciPy the distances."""
    return [(r, c) for r, c in zip(*linear_sum_assignment(apart.numpy()), strict=True) if apart[r, c] < threshold]


def fourth_powers(apart, threshold):
    """Square what is a square."""
    cost = np.minimum(apart.numpy() ** 2, threshold)
    return [(r, c) for r, c in zip(*linear_sum_assignment(cost**2), strict=True) if cost[r, c] < threshold]


def first_served(apart, threshold):
    """Let each candidate choose among the people who are left."""
    free, pairs = set(range(apart.shape[1])), []
    for r, row in enumerate(apart.tolist()):
        low, c = min(((row[c], c) for c in free), default=(math.inf, -1))
        if low < threshold:
            pairs.append((r, c))
            free.remove(c)
    return pairs


def first_come_or_alone(apart, threshold):
    """Let each candidate go to the nearest, unless somebody has gone there."""
    taken, pairs = [], []
    for r in range(len(apart)):
        c = int(apart[r].argmin())
        if c not in taken and apart[r, c] < threshold:
            taken.append(c)
            pairs.append((r, c))
    return pairs


def by_column(apart, threshold):
    """Let each person take the nearest."""
    low, which = apart.min(0)
    return [(int(which[n]), n) for n in range(len(low)) if low[n] < threshold]


def by_row(apart, threshold):
    """Let each candidate go to the nearest."""
    low, who = apart.min(1)
    return [(r, int(who[r])) for r in range(len(low)) if low[r] < threshold]


def half_and_half(own):
    """Let the newest count half."""
    return functools.reduce(lambda mean, t: 0.5 * mean + 0.5 * t, own)


def keyed(scores, tags, threshold, max_people):
    """Keep people in a dictionary whose keys are first components."""

    def begin(people, person):
        key = float(person["tags"][0][0])
        for other in people:
            if other["key"] == key:
                other["found"].update(person["found"])
                ((k, m),) = person["found"].items()
                other["at"][k] = tags[k, m]
                other["tags"] = _Values(other["at"])
                return
        at = {k: tags[k, m] for k, m in person["found"].items()}
        people.append({**person, "key": key, "at": at, "tags": person["tags"]})

    return grouper(begin=begin)(scores, tags, threshold, max_people)


class _Values(list):
    """Tags of a person whom another one has overwritten: those that are left, and what comes."""

    def __init__(self, at):
        super().__init__(at.values())


def with_the_package(scores, tags, threshold, max_people):
    """Ask the package, with candidates' places for points."""
    K, M = scores.shape
    points = torch.cartesian_prod(torch.arange(K), torch.arange(M)).view(K, M, 2).to(tags)
    people = grouping.group_by_tag(points, scores, tags, threshold, max_people)
    return torch.where(people.present, people.points[..., 1].round().long(), -1)


GROUP_BY_TAG = {
    "golds": [grouper(), grouper(pair=brute_force), with_the_package],
    "twins": {
        "first_component_is_the_key": keyed,
        "no_threshold": grouper(pair=everybody_somewhere),
        "candidate_used_twice": grouper(pair=by_column),
        "person_overwritten": grouper(pair=by_row),
        "beyond_the_threshold_counts": grouper(pair=uncapped),
        "distance_rounded": grouper(pair=rounding),
        "distances_added": grouper(pair=by_distances),
        "infinity_for_too_far": grouper(pair=infinite),
        "fortune_for_too_far": grouper(pair=dear),
        "cap_not_squared": grouper(pair=capped_late),
        "square_against_the_threshold": grouper(pair=without_the_root),
        "closest_first": grouper(pair=nearest_pairs),
        "sorted_by_the_mean": grouper(
            finish=lambda people, most: sorted(people, key=lambda p: -p["score"] / len(p["found"]))[:most]
        ),
        "first_tag_for_all": grouper(tag=lambda own: own[0]),
        "last_tag_for_all": grouper(tag=lambda own: own[-1]),
        "mean_of_means": grouper(tag=half_and_half),
        "everybody_kept": grouper(finish=lambda people, most: sorted(people, key=lambda p: -p["score"])),
        "first_people_kept": grouper(finish=lambda people, most: people[:most]),
        "full_means_closed": grouper(room=lambda most: most),
        "faint_ones_too": grouper(counts=lambda score, tag: bool(tag.isfinite().all())),
        "nan_takes_part": grouper(counts=lambda score, tag: score > 0),
        "one_after_the_other": grouper(pair=first_served),
        "nearest_or_nobody": grouper(pair=first_come_or_alone),
        "capped_and_never_undone": grouper(pair=capped_only),
        "threshold_belongs": grouper(pair=up_to_the_threshold),
        "plain_distances": grouper(pair=as_they_are),
        "squared_twice": grouper(pair=fourth_powers),
        "faintest_first": grouper(finish=lambda people, most: sorted(people, key=lambda p: p["score"])[:most]),
        "broken_tags_repaired": lambda scores, tags, *rest: grouper()(scores, torch.nan_to_num(tags), *rest),
        "infinite_tags_kept": grouper(counts=lambda score, tag: score > 0 and not tag.isnan().any()),
    },
}

# OKS.


def with_gaussians(predicted, truth, mask, area, sigmas):
    """Write the formula with a width in pixels a keypoint."""
    width = 2 * sigmas * area.unsqueeze(-1) ** 0.5
    distance = torch.linalg.vector_norm(predicted - truth, dim=-1)
    alike = torch.exp(-0.5 * (distance / width) ** 2)
    alike = alike.where(mask & ~alike.isnan(), torch.zeros(()).to(alike))
    return alike.sum(-1) / mask.sum(-1)


def person_by_person(predicted, truth, mask, area, sigmas):
    """Loop over people and index."""
    out = area.new_empty(area.shape)
    for n in range(len(area)):
        dx, dy = (predicted[n] - truth[n])[mask[n]].unbind(-1)
        e = (dx**2 + dy**2) / (2 * sigmas[mask[n]]) ** 2 / area[n] / 2
        out[n] = torch.nan_to_num(torch.exp(-e), nan=0.0).mean()
    return out


def formula(exponent, *, counts=None):
    """Return an OKS whose exponent is (d, x, y, area, sigmas) -> positive numbers."""

    def score(predicted, truth, mask, area, sigmas):
        dx, dy = (predicted - truth).unbind(-1)
        values = torch.exp(-exponent(dx, dy, area[:, None], sigmas[None]))
        values = torch.where(values.isnan(), 0, values)
        mask = mask if counts is None else counts(mask)
        return (values * mask).sum(1) / mask.sum(1)

    return score


def of_the_mean(predicted, truth, mask, area, sigmas):
    """Average the exponents."""
    d2 = ((predicted - truth) ** 2).sum(-1)
    e = torch.where(d2.isnan(), math.inf, d2) / (2 * area[:, None] * 4 * sigmas**2)
    return torch.exp(-(e.masked_fill(~mask, 0).sum(-1) / mask.sum(-1)))


def of_the_mean_of_what_is_there(predicted, truth, mask, area, sigmas):
    """Average the exponents, a miss at 0."""
    x, y = (predicted - truth).unbind(-1)
    e = (x * x + y * y) / (8 * area.unsqueeze(-1) * sigmas * sigmas)
    return (-e.masked_fill(~mask | e.isnan(), 0).sum(-1) / mask.sum(-1)).exp()


OKS = {
    "helped": [lambda p, t, m, area, s: torch.exp(-((p - t) ** 2).sum(-1) / (8 * area * s**2))],
    "golds": [with_gaussians, person_by_person, formula(lambda x, y, a, s: (x * x + y * y) / (8 * a * s * s))],
    "twins": {
        "area_missing": formula(lambda x, y, a, s: (x**2 + y**2) / (8 * s**2)),
        "one_sigma": formula(lambda x, y, a, s: (x**2 + y**2) / (2 * a * s**2)),
        "half_missing": formula(lambda x, y, a, s: (x**2 + y**2) / (4 * a * s**2)),
        "sigma_not_squared": formula(lambda x, y, a, s: (x**2 + y**2) / (4 * a * s)),
        "brackets_missing": formula(lambda x, y, a, s: (x**2 + y**2) / 2 * a * (2 * s) ** 2),
        "sigma_above_the_line": formula(lambda x, y, a, s: (x**2 + y**2) / (2 * a) * (2 * s) ** 2),
        "minus_missing": formula(lambda x, y, a, s: -(x**2 + y**2) / (8 * a * s**2)),
        "distance_not_squared": formula(lambda x, y, a, s: (x**2 + y**2).sqrt() / (2 * a * (2 * s) ** 2)),
        "root_of_the_area": formula(lambda x, y, a, s: (x**2 + y**2) / (8 * a**0.5 * s**2)),
        "coordinates_averaged": formula(lambda x, y, a, s: torch.stack([x, y]).square().mean(0) / (8 * a * s**2)),
        "all_counted": formula(lambda x, y, a, s: (x**2 + y**2) / (8 * a * s**2), counts=torch.ones_like),
        "divided_by_all": lambda p, t, m, a, s: torch.where(
            m, torch.exp(-((p - t) ** 2).sum(-1) / (8 * a[:, None] * s**2)).nan_to_num(0), 0
        ).mean(-1),
        "everybody_averaged": lambda p, t, m, a, s: (
            (torch.exp(-((p - t) ** 2).sum(-1) / (8 * a[:, None] * s**2)).nan_to_num(0) * m).sum() / m.sum()
        ),
        "similarity_of_the_mean": of_the_mean,
        "nan_spreads": lambda p, t, m, a, s: torch.stack(
            [torch.exp(-((p[n] - t[n])[m[n]] ** 2).sum(-1) / (8 * a[n] * s[m[n]] ** 2)).mean() for n in range(len(a))]
        ),
        "miss_left_out": lambda p, t, m, a, s: torch.where(
            m, torch.exp(-((p - t) ** 2).sum(-1) / (8 * a[:, None] * s**2)), math.nan
        ).nanmean(-1),
        "miss_in_the_corner": lambda p, t, m, a, s: with_gaussians(torch.where(p.isnan(), 0, p), t, m, a, s),
        "miss_is_perfect": formula(lambda x, y, a, s: ((x * x + y * y) / (8 * a * s * s)).nan_to_num(0)),
        "mask_in_the_count_only": lambda p, t, m, a, s: (
            torch.exp(-((p - t) ** 2).sum(-1) / (8 * a[:, None] * s**2)).nan_to_num(0).sum(-1) / m.sum(-1)
        ),
        "area_squared": formula(lambda x, y, a, s: (x**2 + y**2) / (8 * (a * s) ** 2)),
        "mean_without_misses": of_the_mean_of_what_is_there,
        "nobody_is_zero": lambda p, t, m, a, s: torch.where(m.any(-1), with_gaussians(p, t, m, a, s), 0),
    },
}

ANSWERS = {
    "pull_loss": PULL_LOSS,
    "push_loss": PUSH_LOSS,
    "nms_peaks": NMS_PEAKS,
    "group_by_tag": GROUP_BY_TAG,
    "oks": OKS,
}
