"""Answers to the exercises on visibility: right ones, and every known mistake as somebody else would have made it."""

import torch
import torch.nn.functional as F

# Reading COCO's three numbers.


def chosen_with_where(annotation):
    """Compare, then choose."""
    x, y, v = annotation.unbind(-1)
    points = torch.stack([x, y], dim=-1)
    return torch.where((v >= 1).unsqueeze(-1), points, float("nan")), v >= 1, v > 1.5


def filled(annotation):
    """Copy, and fill with NaN."""
    points, v = annotation[..., :2].clone(), annotation[..., 2]
    points[v == 0] = float("nan")
    return points, v != 0, v.eq(2)


def reader(has_place, is_labelled, is_visible):
    """Return an answer with these three masks, each a function of (x, y, v)."""

    def read(annotation):
        rows = annotation.unbind(-1)
        points = annotation[..., :2].clone()
        points[~has_place(*rows)] = float("nan")
        return points, is_labelled(*rows), is_visible(*rows)

    return read


def mask_without_axis(annotation):
    """Choose among points with a mask that has no axis for x and y."""
    labelled = annotation[..., 2] > 0
    return torch.where(labelled, annotation[..., :2], torch.nan), labelled, annotation[..., 2] == 2


READ_COCO = {
    "helped": [mask_without_axis],
    "golds": [chosen_with_where, filled],
    "twins": {
        "hidden_is_unlabelled": reader(lambda x, y, v: v > 1, lambda x, y, v: v > 1, lambda x, y, v: v > 1),
        "labelled_is_visible": reader(lambda x, y, v: v >= 1, lambda x, y, v: v >= 1, lambda x, y, v: v.bool()),
        "one_is_true": reader(lambda x, y, v: v > 0, lambda x, y, v: v > 0, lambda x, y, v: (v - 1).abs() < 0.5),
        "corner_kept": reader(lambda x, y, v: v > -1, lambda x, y, v: v > 0, lambda x, y, v: v > 1),
        "moved_to_the_corner": lambda a: (
            torch.nan_to_num(reader(lambda x, y, v: v > 0, lambda x, y, v: v > 0, lambda x, y, v: v > 1)(a)[0]),
            a[..., 2] != 0,
            a[..., 2] > 1.5,
        ),
        "told_by_the_place": reader(
            lambda x, y, v: (x > 0) | (y > 0), lambda x, y, v: x + y > 0, lambda x, y, v: v == 2
        ),
        "hidden_lose_their_place": reader(lambda x, y, v: v == 2, lambda x, y, v: v != 0, lambda x, y, v: v == 2),
    },
}

# The mean of what counts.


def indexed(values, mask):
    """Take what counts out, then average."""
    chosen = values[mask]
    return chosen.mean() if len(chosen) else 0 * values.nan_to_num().sum()


def filled_with_zeros(values, mask):
    """Put zeros in, add, and divide by the count and a little more."""
    return values.masked_fill(~mask, 0).sum() / (mask.sum() + 1e-6)


def added_one_by_one(values, mask):
    """Add up in a loop, from the 0 that an empty sum is."""
    total, count = values[:0].sum(), 0
    for value, counts in zip(values.flatten(), mask.flatten(), strict=True):
        if counts:
            total, count = total + value, count + 1
    return total / max(count, 1)


def left_early(values, mask):
    """Answer 0 at once where there is nothing to average."""
    if not mask.any():
        return torch.tensor(0.0, dtype=values.dtype)
    return values[mask].mean()


def per_row(values, mask):
    """Average rows, then the rows' means."""
    rows = values.masked_fill(~mask, 0)
    means = rows.sum(-1) / torch.maximum(mask.sum(-1), torch.ones((), dtype=torch.long))
    return means.sum() / means.numel()


MASKED_MEAN = {
    "golds": [indexed, filled_with_zeros, added_one_by_one],
    "twins": {
        "divided_by_all": lambda v, m: v.masked_fill(~m, 0).mean(),
        "divided_by_batch": lambda v, m: v.masked_fill(~m, 0).flatten(1).sum(1).mean(),
        "each_row_alike": per_row,
        "multiplied": lambda v, m: torch.einsum("i,i->", v.flatten(), m.flatten().to(v)) / max(int(m.sum()), 1),
        "nothing_gives_nan": lambda v, m: v[m].mean(),
        "nothing_gives_a_constant": left_early,
        "mask_ignored": lambda v, m: v.sum() / v.numel(),
        "mask_inverted": lambda v, m: v.masked_fill(m, 0).sum() / (~m).sum().clamp(min=1),
        "mistake_covered": lambda v, m: torch.nan_to_num(v[m]).sum() / max(int(m.sum()), 1),
        "nan_left_out": lambda v, m: v[m][~v[m].isnan()].mean(),
    },
}

# The loss of masked heatmaps.


def squares_of(predicted, target, mask):
    """Return the squared differences (n H W) of the keypoints that count."""
    return (predicted[mask] - target[mask]) ** 2


def taken_out_first(predicted, target, mask):
    """Index before the difference."""
    squares = squares_of(predicted, target, mask)
    return squares.mean() if len(squares) else squares.sum()


def zeros_first(predicted, target, mask):
    """Put zeros on both sides, then compare."""
    hidden = ~mask[:, :, None, None]
    squares = F.mse_loss(predicted.masked_fill(hidden, 0), target.masked_fill(hidden, 0), reduction="sum")
    return squares / (mask.sum().clamp(min=1) * predicted.shape[-1] * predicted.shape[-2])


def target_follows(predicted, target, mask):
    """Let the target be the prediction where nothing counts, and the prediction zero."""
    counts = mask[..., None, None]
    p = torch.where(counts, predicted, torch.zeros_like(predicted))
    t = torch.where(counts, target, p.detach())
    return (p - t).pow(2).mean((-2, -1)).sum() / torch.clamp(mask.sum(), min=1)


def weighted(predicted, target, mask):
    """Multiply each cell by its keypoint's weight, as libraries do."""
    weight = mask.to(predicted)[..., None, None]
    return ((predicted - target) ** 2 * weight).sum() / weight.sum().clamp(min=1) / predicted[0, 0].numel()


def masked_after(predicted, target, mask):
    """Compare first, choose afterwards."""
    each = F.mse_loss(predicted, target, reduction="none").flatten(2).mean(-1)
    return each.masked_fill(~mask, 0).sum() / max(int(mask.sum()), 1)


def guarded_once(predicted, target, mask):
    """Keep NaN out of the target, and forget that a prediction can be NaN."""
    each = (predicted - target.masked_fill(~mask[:, :, None, None], 0)).pow(2).flatten(2).mean(-1)
    return each.masked_fill(~mask, 0).sum() / max(int(mask.sum()), 1)


def known_cells(predicted, target, mask):
    """Take every NaN for a zero, then compare."""
    clean = [torch.where(maps.isnan(), 0, maps) for maps in (predicted, target)]
    squares = squares_of(*clean, mask)
    return squares.sum() / max(int(mask.sum()), 1) / predicted[0, 0].numel()


def blob_in_the_corner(predicted, target, mask):
    """Move unlabelled keypoints to (0, 0)."""
    H, W = target.shape[-2:]
    row, column = torch.arange(H)[:, None], torch.arange(W)
    blob = torch.exp(-(row**2 + column**2) / 2).to(target)
    moved = target.clone()
    moved[~mask] = blob
    return F.mse_loss(predicted, moved)


def over_images(predicted, target, mask):
    """Average over images and cells, then weigh keypoints."""
    each = ((predicted - target) ** 2).mean(dim=(0, 2, 3))
    return (each.expand(mask.shape) * mask.to(each)).sum() / max(int(mask.sum()), 1)


def anybody(predicted, target, mask):
    """Keep images in which anything counts."""
    kept = mask.sum(1) > 0
    squares = (predicted[kept] - target[kept]) ** 2
    return squares.mean() if bool(kept.any()) else squares.sum()


MASKED_HEATMAP_LOSS = {
    "helped": [lambda predicted, target, mask: (mask * (predicted - target) ** 2).mean()],
    "golds": [taken_out_first, zeros_first, target_follows],
    "twins": {
        "divided_by_all": lambda p, t, m: squares_of(p, t, m).sum() / p.numel(),
        "divided_by_batch": lambda p, t, m: (
            squares_of(p, t, m).flatten(1).mean(1).sum() / p.shape[0] if m.any() else 0 * p.nan_to_num().sum()
        ),
        "cells_added": lambda p, t, m: squares_of(p, t, m).sum() / max(int(m.sum()), 1),
        "multiplied": weighted,
        "chosen_too_late": masked_after,
        "prediction_let_in": guarded_once,
        "mistake_covered": known_cells,
        "mask_ignored": lambda p, t, m: F.mse_loss(p, t),
        "emptied_by_multiplying": lambda p, t, m: (p - torch.einsum("bkhw,bk->bkhw", t, m.to(t))).pow(2).mean(),
        "asked_for_nothing": lambda p, t, m: F.mse_loss(p, t.masked_fill(~m[..., None, None], 0)),
        "asked_for_the_corner": blob_in_the_corner,
        "averaged_over_the_batch": over_images,
        "whole_people": anybody,
        "nothing_gives_nan": lambda p, t, m: squares_of(p, t, m).mean(),
    },
}

# The loss of predicted visibility.


def with_softplus(logits, visibility):
    """Write the logarithm of the sigmoid as softplus."""
    return F.softplus(torch.where(visibility == 2, -logits, logits))


def with_logsigmoid(logits, visibility):
    """Weigh both logarithms."""
    seen = visibility.eq(2).to(logits)
    return -(seen * F.logsigmoid(logits) + (1 - seen) * F.logsigmoid(-logits))


def pytorchs_own(logits, visibility):
    """Use the module."""
    return torch.nn.BCEWithLogitsLoss(reduction="none")(logits, (visibility > 1).to(logits.dtype))


def against(target):
    """Return the stable loss for another target."""
    return lambda z, v: F.softplus(z) - target(v).to(z) * z


def by_the_formula(logits, visibility):
    """Take the formula at its word."""
    p, y = 1 / (1 + torch.exp(-logits)), (visibility == 2).to(logits)
    return -y * torch.log(p) - (1 - y) * torch.log(1 - p)


def cut_off(logits, visibility):
    """Take probabilities to PyTorch's other loss."""
    return torch.nn.BCELoss(reduction="none")(torch.sigmoid(logits), visibility.eq(2).to(logits))


def bytes_as_target(logits, visibility):
    """Give the loss COCO's numbers."""
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, visibility, reduction="none")


def comparison_as_target(logits, visibility):
    """Give the loss a boolean target."""
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, visibility == 2, reduction="none")


VISIBILITY_LOSS = {
    "helped": [bytes_as_target, comparison_as_target],
    "golds": [with_softplus, with_logsigmoid, pytorchs_own],
    "twins": {
        "labelled_for_visible": against(lambda v: v.bool()),
        "half_visible": against(lambda v: v.double() / 2),
        "number_for_truth": against(lambda v: v.int()),
        "unlabelled_left_out": lambda z, v: with_softplus(z, v) * v.bool(),
        "only_where_visible": lambda z, v: -F.logsigmoid(z) * (v == 2),
        "other_way_round": against(lambda v: v != 2),
        "sigmoid_twice": lambda z, v: with_logsigmoid(torch.sigmoid(z), v),
        "saturated": cut_off,
        "logarithm_of_zero": by_the_formula,
        "averaged": lambda z, v: with_logsigmoid(z, v).mean(),
    },
}

ANSWERS = {
    "read_coco": READ_COCO,
    "masked_mean": MASKED_MEAN,
    "masked_heatmap_loss": MASKED_HEATMAP_LOSS,
    "visibility_loss": VISIBILITY_LOSS,
}
