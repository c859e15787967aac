"""Answers to the exercises on constraints: right ones, and every known mistake as somebody else would have made it."""

import numpy as np
import torch
from torch.nn import functional

# One limb.


def by_the_middle(parent, child, length):
    """Keep the middle, and lay half of the length to either side of it."""
    half = functional.normalize(child - parent, dim=-1) * torch.as_tensor(length).to(parent).unsqueeze(-1) / 2
    middle = (parent + child) / 2
    apart = (child != parent).any(-1, keepdim=True)
    return torch.where(apart, middle - half, parent), torch.where(apart, middle + half, child)


def by_a_factor(parent, child, length):
    """Shrink the way between the ends, with a floor under the distance."""
    way = child - parent
    distance = (way**2).sum(-1).sqrt().clamp(min=1e-9)
    step = ((distance - length) / distance / 2)[..., None] * way
    return parent + step, child - step


def in_numpy(parent, child, length):
    """Do it in NumPy."""
    p, c = parent.numpy(), child.numpy()
    way = c - p
    distance = np.linalg.norm(way, axis=-1, keepdims=True)
    unit = way / np.maximum(distance, 1e-12)
    step = unit * (distance - np.asarray(length)[..., None]) / 2
    return [torch.from_numpy((p + step).astype(p.dtype)), torch.from_numpy((c - step).astype(p.dtype))]


def step(parent, child, length):
    """Return half of the excess along the limb, 0 where there is none."""
    way = child - parent
    distance = torch.sqrt((way * way).sum(-1))
    excess = (distance - length) / 2
    return (excess / (distance + (distance == 0)))[..., None] * way


def sign_forgotten(parent, child, length):
    """Subtract for the parent."""
    s = step(parent, child, length)
    return parent - s, child + s


def pinned_to_the_parent(parent, child, length):
    """Put the child at the length from the parent."""
    apart = (child - parent).norm(dim=-1, keepdim=True)
    there = parent + functional.normalize(child - parent, dim=-1) * torch.as_tensor(length).to(parent)[..., None]
    return parent.clone(), torch.where(apart > 0, there, child)


def pinned_to_the_child(parent, child, length):
    """Put the parent at the length from the child."""
    there, place = pinned_to_the_parent(child, parent, length)
    return place, there


def twice_half(parent, child, length):
    """Forget to halve."""
    s = step(parent, child, length) * 2
    return parent + s, child - s


def quartered(parent, child, length):
    """Halve the step that is half already."""
    s = step(parent, child, length) / 2
    return parent + s, child - s


def by_a_distance_between_lengths(parent, child, length):
    """Take how far the length is from the right one, without a sign."""
    way = child - parent
    distance = torch.linalg.vector_norm(way, dim=-1)
    s = functional.normalize(way, dim=-1) * ((distance - length) ** 2).sqrt().unsqueeze(-1) / 2
    return parent + s, child - s


def times_the_way(parent, child, length):
    """Do not divide by the distance."""
    way = child - parent
    excess = (way.pow(2).sum(-1).sqrt() - length).unsqueeze(-1)
    return parent + 0.5 * excess * way, child - 0.5 * excess * way


def without_roots(parent, child, length):
    """Compare squares."""
    way = child - parent
    excess = (way * way).sum(-1) - length**2
    s = functional.normalize(way, dim=-1) * excess[..., None] / 2
    return parent + s, child - s


def if_too_long(parent, child, length):
    """Leave what is short."""
    long = (child - parent).norm(dim=-1) > length
    s = torch.where(long[..., None], step(parent, child, length), 0)
    return parent + s, child - s


def naive(parent, child, length):
    """Divide by the distance, whatever it is."""
    way = child - parent
    distance = torch.linalg.norm(way, dim=-1)
    s = way * ((1 - length / distance) / 2)[..., None]
    # At 0, length / 0 is infinite, and 0 times infinity is NaN.
    return parent + s, child - s


def shrunk(parent, child, length):
    """Scale both ends."""
    distance = (child - parent).norm(dim=-1)
    ratio = torch.where(distance == 0, 1.0, torch.as_tensor(length).to(parent) / distance).to(parent)
    return parent * ratio[..., None], child * ratio[..., None]


def one_after_the_other(parent, child, length):
    """Move the parent, then measure again for the child."""
    first = parent + step(parent, child, length)
    return first, child - step(first, child, length)


def child_first(parent, child, length):
    """Return the child, then the parent."""
    return by_a_factor(parent, child, length)[::-1]


def norm_of_all(parent, child, length):
    """Forget the axis."""
    way = child - parent
    distance = torch.sqrt((way**2).sum())
    s = 0.5 * (distance - torch.as_tensor(length, dtype=way.dtype))[..., None] * way / distance
    return parent + s, child - s


def edited(parent, child, length):
    """Add in place."""
    s = step(parent, child, length)
    return parent.add_(s), child.sub_(s)


# One limb, bounded and weighted.


def clamped(parent, child, length, variances):
    """Clamp the excess, and share it out."""
    way = child - parent
    distance = way.norm(dim=-1)
    excess = (distance - length).clamp(min=0) / distance.clamp(min=1e-9)
    share = variances / variances.sum(-1, keepdim=True)
    p, c = (share * excess[..., None]).unbind(-1)
    return parent + p[..., None] * way, child - c[..., None] * way


def only_where_long(parent, child, length, variances):
    """Choose with `where`."""
    vp, vc = variances.unsqueeze(-2).unbind(-1)
    way = child - parent
    distance = way.norm(dim=-1, keepdim=True)
    L = torch.as_tensor(length).to(parent).unsqueeze(-1)
    unit = functional.normalize(way, dim=-1)
    moved = (distance - L) / (vp + vc) * unit
    return (
        torch.where(distance > L, parent + vp * moved, parent),
        torch.where(distance > L, child - vc * moved, child),
    )


def shared(weight):
    """Return an answer whose parent's share is what `weight` makes of v_p and v_c."""

    def answer(parent, child, length, variances):
        vp, vc = variances[..., :1], variances[..., 1:]
        way = child - parent
        distance = way.norm(dim=-1, keepdim=True)
        excess = functional.relu(distance - torch.as_tensor(length).to(parent).unsqueeze(-1))
        move = functional.normalize(way, dim=-1) * excess
        w = weight(vp, vc)
        return parent + w * move, child - (1 - w) * move

    return answer


def excess_of(relation):
    """Return an answer whose excess is what `relation` makes of it."""

    def answer(parent, child, length, variances):
        way = child - parent
        distance = way.norm(dim=-1)
        excess = relation(distance - length)
        move = functional.normalize(way, dim=-1) * excess[..., None]
        w = (variances[..., 0] / (variances[..., 0] + variances[..., 1])).unsqueeze(-1)
        return parent + w * move, child + (w - 1) * move

    return answer


def variances_as_shares(parent, child, length, variances):
    """Do not divide by the sum."""
    full, _ = shared(lambda vp, vc: torch.ones_like(vp))(parent, child, length, variances)
    return parent + variances[..., 0, None] * (full - parent), child - variances[..., 1, None] * (full - parent)


def same_for_the_child(parent, child, length, variances):
    """Subtract from the child what the parent has moved."""
    new, _ = clamped(parent, child, length, variances)
    return new, child - (new - parent)


def sum_of_all(parent, child, length, variances):
    """Divide by everybody's variances."""
    full, _ = shared(lambda vp, vc: torch.ones_like(vp))(parent, child, length, variances)
    share = variances / torch.sum(variances)
    return parent + share[..., 0, None] * (full - parent), child - share[..., 1, None] * (full - parent)


def without_a_floor(parent, child, length, variances):
    """Divide by the distance, whatever it is."""
    way = child - parent
    distance = torch.linalg.norm(way, dim=-1)
    factor = functional.relu(distance - length) / distance
    w = variances[..., 0] / variances.sum(-1)
    return parent + (w * factor)[..., None] * way, child - ((1 - w) * factor)[..., None] * way


# A skeleton.


def bounded(parent, child, length):
    """Return both ends, at most the length apart."""
    way = child - parent
    distance = way.norm(dim=-1).clamp(min=1e-9)
    s = (functional.relu(distance - length) / distance / 2)[..., None] * way
    return parent + s, child - s


def sweeping(points, limbs, lengths, sweeps):
    """Clone, then go round and round."""
    points = points.clone()
    for _ in range(sweeps):
        for i, (a, b) in enumerate(limbs):
            points[..., a, :], points[..., b, :] = bounded(points[..., a, :], points[..., b, :], lengths[i])
    return points


def from_a_list(points, limbs, lengths, sweeps):
    """Hold the keypoints in a list."""
    places = list(points.unbind(-2))
    for (a, b), length in list(zip(limbs, lengths, strict=True)) * sweeps:
        places[a], places[b] = bounded(places[a], places[b], length)
    return torch.stack(places, -2)


def added_up(points, limbs, lengths, sweeps):
    """Let all limbs of a sweep step at once."""
    for _ in range(sweeps):
        old, points = points, points.clone()
        for i, (a, b) in enumerate(limbs):
            p, c = bounded(old[..., a, :], old[..., b, :], lengths[i])
            points[..., a, :] += p - old[..., a, :]
            points[..., b, :] += c - old[..., b, :]
    return points


def mean_of_answers(points, limbs, lengths, sweeps):
    """Let each keypoint go to the mean of where its limbs want it."""
    for _ in range(sweeps):
        total, count = torch.zeros_like(points), torch.zeros(points.shape[-2], 1).to(points)
        for i, (a, b) in enumerate(limbs):
            p, c = bounded(points[..., a, :], points[..., b, :], lengths[i])
            total[..., a, :] += p
            total[..., b, :] += c
            count[[a, b]] += 1
        points = total / count
    return points


def read_from_the_argument(points, limbs, lengths, sweeps):
    """Write to a copy, read from the argument."""
    out = points.clone()
    for _ in range(sweeps):
        for i, (a, b) in enumerate(limbs):
            out[..., a, :], out[..., b, :] = bounded(points[..., a, :], points[..., b, :], lengths[i])
    return out


def loops_exchanged(points, limbs, lengths, sweeps):
    """Project each limb so many times in a row."""
    points = points.clone()
    for i, (a, b) in enumerate(limbs):
        for _ in range(sweeps):
            points[..., a, :], points[..., b, :] = bounded(points[..., a, :], points[..., b, :], lengths[i])
    return points


def range_from_zero(points, limbs, lengths, sweeps):
    """Count one too many."""
    return sweeping(points, limbs, lengths, len(range(sweeps + 1)))


def last_limb_first(points, limbs, lengths, sweeps):
    """Begin at the end."""
    points = points.clone()
    for _ in range(sweeps):
        for i in reversed(range(len(limbs))):
            a, b = limbs[i]
            points[..., a, :], points[..., b, :] = bounded(points[..., a, :], points[..., b, :], lengths[i])
    return points


def other_limb(project):
    """Return a sweep with another projection."""

    def answer(points, limbs, lengths, sweeps):
        places = list(points.unbind(-2))
        for _ in range(sweeps):
            for i, (a, b) in enumerate(limbs):
                places[a], places[b] = project(places[a], places[b], lengths[i])
        return torch.stack(places, -2)

    return answer


def pulled_along(parent, child, length):
    """Move the child by all of the excess."""
    return parent, child - 2 * (child - bounded(parent, child, length)[1])


def first_length_only(points, limbs, lengths, sweeps):
    """Use one length."""
    return sweeping(points, limbs, lengths[0].repeat(len(limbs)), sweeps)


def without_a_clone(points, limbs, lengths, sweeps):
    """Write where one reads."""
    for _ in range(sweeps):
        for i, (a, b) in enumerate(limbs):
            points[..., a, :], points[..., b, :] = bounded(points[..., a, :], points[..., b, :], lengths[i])
    return points


# A loss of lengths.


def measured(points, limbs):
    """Return lengths, limb by limb."""
    return torch.stack([torch.linalg.vector_norm(points[..., a, :] - points[..., b, :], dim=-1) for a, b in limbs], -1)


def filled_first(predicted, truth, limbs, mask):
    """Fill what does not count, then measure."""
    predicted, truth = (points.masked_fill(~mask[..., None], 0) for points in (predicted, truth))
    both = torch.stack([mask[..., a] & mask[..., b] for a, b in limbs], dim=-1)
    return (measured(predicted, limbs) - measured(truth, limbs)).abs().masked_fill(~both, 0)


def with_indices(predicted, truth, limbs, mask):
    """Let one index pick all ends."""
    ends = torch.tensor(limbs)  # (E 2)
    both = mask[..., ends].all(-1)
    safe = [torch.where(both[..., None, None], points[..., ends, :], 0) for points in (predicted, truth)]
    found, true = ((p[..., 0, :] - p[..., 1, :]).norm(dim=-1) for p in safe)
    return torch.maximum(found - true, true - found)


def difference(predicted, truth, limbs, mask):
    """Return predicted less true lengths, 0 where a limb does not count."""
    both = torch.stack([mask[..., a] & mask[..., b] for a, b in limbs], dim=-1)
    predicted, truth = (points.masked_fill(~mask[..., None], 0) for points in (predicted, truth))
    return torch.where(both, measured(predicted, limbs) - measured(truth, limbs), 0)


def like_bone_loss(predicted, truth, limbs, mask):
    """Average over the batch, then take the absolute value."""
    return torch.abs(torch.mean(difference(predicted, truth, limbs, mask), dim=0))


def total_length(predicted, truth, limbs, mask):
    """Compare the sums of the lengths."""
    both = torch.stack([mask[..., a] & mask[..., b] for a, b in limbs], dim=-1)
    sums = [
        torch.where(both, measured(points.masked_fill(~mask[..., None], 0), limbs), 0).sum(-1)
        for points in (predicted, truth)
    ]
    return (sums[0] - sums[1]).abs()


def mean_of_limbs(predicted, truth, limbs, mask):
    """Average the limbs."""
    return torch.mean(filled_first(predicted, truth, limbs, mask), dim=-1)


def mean_square(predicted, truth, limbs, mask):
    """Square the difference."""
    return filled_first(predicted, truth, limbs, mask) ** 2


def no_roots(predicted, truth, limbs, mask):
    """Leave the roots out."""
    safe = [points.masked_fill(~mask[..., None], 0) for points in (predicted, truth)]
    squares = [torch.stack([((p[..., a, :] - p[..., b, :]) ** 2).sum(-1) for a, b in limbs], -1) for p in safe]
    both = torch.stack([mask[..., a] & mask[..., b] for a, b in limbs], dim=-1)
    return (squares[0] - squares[1]).abs() * both


def arrows(predicted, truth, limbs, mask):
    """Compare arrows."""
    apart = [points.masked_fill(~mask[..., None], 0) for points in (predicted, truth)]
    both = torch.stack([mask[..., a] & mask[..., b] for a, b in limbs], dim=-1)
    return torch.where(both, measured(apart[0] - apart[1], limbs), 0)


def whatever_the_mask(predicted, truth, limbs, mask):
    """Leave the mask unused."""
    return abs(measured(predicted, limbs) - measured(truth, limbs))


def counting(which):
    """Return a loss whose limbs count where `which` of the two masks says so."""

    def answer(predicted, truth, limbs, mask):
        counts = torch.stack([which(mask[..., a], mask[..., b]) for a, b in limbs], dim=-1)
        predicted, truth = (points.masked_fill(~mask[..., None], 0) for points in (predicted, truth))
        return (measured(predicted, limbs) - measured(truth, limbs)).abs() * counts

    return answer


def times_mask(predicted, truth, limbs, mask):
    """Multiply by the mask."""
    both = torch.stack([mask[..., a] & mask[..., b] for a, b in limbs], dim=-1)
    return both * (measured(truth, limbs) - measured(predicted, limbs)).abs()


def filled_last(predicted, truth, limbs, mask):
    """Mask the loss alone."""
    both = torch.stack([mask[..., a] & mask[..., b] for a, b in limbs], dim=-1)
    return (measured(truth, limbs) - measured(predicted, limbs)).abs().masked_fill(~both, 0)


def column_forgotten(parent, child, length, variances=None):
    """Keep the axis of the distance, and give the length none."""
    distance = (child - parent).norm(dim=-1, keepdim=True)
    move = (distance - length) / 2 * (child - parent) / distance
    return parent + move, child - move


def masked_too_late(predicted, truth, limbs, mask):
    """Measure everything by roots, and choose what counts afterwards."""
    a, b = torch.tensor(limbs).T.tolist()
    lengths = [((x[..., b, :] - x[..., a, :]) ** 2).sum(-1).sqrt() for x in (predicted, truth)]
    return torch.where(mask[..., a] & mask[..., b], (lengths[0] - lengths[1]).abs(), 0)


ANSWERS = {
    "project_limb": {
        "helped": [column_forgotten],
        "golds": [by_the_middle, by_a_factor, in_numpy],
        "twins": {
            "pushed_apart": sign_forgotten,
            "child_only": pinned_to_the_parent,
            "parent_only": pinned_to_the_child,
            "not_halved": twice_half,
            "halved_again": quartered,
            "absolute_excess": by_a_distance_between_lengths,
            "way_not_a_direction": times_the_way,
            "squares_compared": without_roots,
            "only_shortened": if_too_long,
            "divided_by_zero": naive,
            "scaled_about_the_corner": shrunk,
            "from_the_moved_parent": one_after_the_other,
            "ends_exchanged": child_first,
            "one_distance_for_all": norm_of_all,
            "overwritten": edited,
        },
    },
    "bounded_limb": {
        "helped": [column_forgotten],
        "golds": [clamped, only_where_long],
        "twins": {
            "surer_end_moves": shared(lambda vp, vc: vc / (vp + vc)),
            "deviations_for_variances": shared(lambda vp, vc: vp**0.5 / (vp**0.5 + vc**0.5)),
            "squares_for_variances": shared(lambda vp, vc: vp**2 / (vp**2 + vc**2)),
            "variances_ignored": shared(lambda vp, vc: 0.5),
            "bound_ignored": excess_of(lambda excess: excess),
            "lower_bound": excess_of(lambda excess: -functional.relu(-excess)),
            "pushed_apart": excess_of(lambda excess: -functional.relu(excess)),
            "halved_again": excess_of(lambda excess: 0.5 * functional.relu(excess)),
            "absolute_excess": excess_of(torch.abs),
            "shares_not_of_one": variances_as_shares,
            "one_share_for_both": same_for_the_child,
            "summed_over_all": sum_of_all,
            "inverse_of_zero": shared(lambda vp, vc: vc**-1 / (vp**-1 + vc**-1)),
            "divided_by_zero": without_a_floor,
        },
    },
    "project_skeleton": {
        "golds": [sweeping, from_a_list],
        "twins": {
            "all_from_one_place": added_up,
            "steps_averaged": mean_of_answers,
            "from_the_given_points": read_from_the_argument,
            "one_sweep": loops_exchanged,
            "one_sweep_more": range_from_zero,
            "backwards": last_limb_first,
            "bound_ignored": other_limb(by_a_factor),
            "child_only": other_limb(pulled_along),
            "child_written_alone": other_limb(lambda *limb: (limb[0], bounded(*limb)[1])),
            "ends_exchanged": other_limb(lambda *limb: bounded(*limb)[::-1]),
            "length_of_another_limb": first_length_only,
            "overwritten": without_a_clone,
        },
    },
    "limb_loss": {
        "helped": [masked_too_late],
        "golds": [filled_first, with_indices],
        "twins": {
            "batch_averaged_first": like_bone_loss,
            "limbs_added_first": total_length,
            "signed": difference,
            "squared": mean_square,
            "squared_lengths": no_roots,
            "ways_compared": arrows,
            "limbs_averaged": mean_of_limbs,
            "mask_ignored": whatever_the_mask,
            "one_end_suffices": counting(torch.logical_or),
            "child_decides": counting(lambda a, b: b),
            "parent_decides": counting(lambda a, b: a),
            "multiplied": times_mask,
            "chosen_too_late": filled_last,
        },
    },
}
