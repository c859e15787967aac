"""Answers to the exercises on training: right ones, and every known mistake as somebody else would have made it."""

import copy
import math

import torch

# Two places at once.


def normalised_first(places, weights):
    """Make probabilities of the weights, then take the expectation."""
    return torch.einsum("...m,...mi->...i", weights / weights.sum(-1, keepdim=True), places)


def axis_by_axis(places, weights):
    """Use torch's own weighted sums, for x and for y."""
    total = weights.sum(-1)
    return torch.stack([(places[..., axis] * weights).sum(-1) / total for axis in range(2)], dim=-1)


def least_squares(places, weights):
    """Solve the normal equations of a constant."""
    right = (places.mT @ weights[..., None]).squeeze(-1)
    return torch.linalg.solve(weights.sum(-1)[..., None, None] * torch.eye(2).to(places), right[..., None]).squeeze(-1)


def half_of_the_weight(places, weights):
    """Walk along each axis until half of the weight is behind."""
    flat, heavy = places.reshape(-1, places.shape[-2], 2), weights.reshape(-1, weights.shape[-1])
    answers = []
    for points, weight in zip(flat, heavy, strict=True):
        for axis in range(2):
            passed = 0.0
            for i in points[:, axis].argsort().tolist():
                passed += weight[i].item()
                if passed >= weight.sum().item() / 2:
                    answers.append(points[i, axis])
                    break
    return torch.stack(answers).reshape(*places.shape[:-2], 2)


def seen_most_often(places, weights):
    """Index with the largest weight."""
    flat, best = places.reshape(-1, places.shape[-2], 2), weights.reshape(-1, weights.shape[-1]).max(-1).indices
    return torch.stack([p[i] for p, i in zip(flat, best, strict=True)]).reshape(*places.shape[:-2], 2)


CONDITIONAL_MEAN = {
    "golds": [normalised_first, axis_by_axis, least_squares],
    "twins": {
        "weights_ignored": lambda p, w: p.sum(-2) / p.shape[-2],
        "not_divided": lambda p, w: torch.einsum("...mi,...m->...i", p, w),
        "divided_by_count": lambda p, w: (w.unsqueeze(-1) * p).sum(dim=-2) / len(p.unbind(-2)),
        "likeliest": seen_most_often,
        "median": half_of_the_weight,
        "divided_by_all": lambda p, w: torch.einsum("...mi,...m->...i", p, w / w.sum()),
        "sum_at_least_one": lambda p, w: torch.einsum("...mi,...m->...i", p, w) / w.sum(-1)[..., None].clamp_min(1),
    },
}

# The training loop.


def as_the_lesson_does(network, batches, loss, learning_rate):
    """Zero, backward, step."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate)
    network.train()
    seen = []
    for images, target in batches:
        optimizer.zero_grad()
        value = loss(network(images), target)
        value.backward()
        optimizer.step()
        seen.append(value.item())
    return seen


def zeroed_after(network, batches, loss, learning_rate):
    """Zero after the step, keep tensors, and name parameters one by one."""
    optimizer = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], learning_rate)
    network.train(True)
    values = []
    for batch in batches:
        values.append(loss(network(batch[0]), batch[1]))
        values[-1].backward()
        optimizer.step()
        network.zero_grad()
    return [float(value.detach()) for value in values]


def gradients_by_hand(network, batches, loss, learning_rate):
    """Ask autograd for the gradients and put them where the optimizer looks."""
    parameters = list(network.train().parameters())
    optimizer = torch.optim.AdamW(params=parameters, lr=learning_rate)
    values = []
    for images, target in batches:
        value = loss(network(images), target)
        for parameter, gradient in zip(parameters, torch.autograd.grad(value, parameters), strict=True):
            parameter.grad = gradient
        optimizer.step()
        values.append(float(value.detach()))
    return values


def without_zero_grad(network, batches, loss, learning_rate):
    """Never zero."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate)
    network.train()
    seen = []
    for images, target in batches:
        value = loss(network(images), target)
        value.backward()
        optimizer.step()
        seen.append(value.item())
    return seen


def zeroed_too_late(network, batches, loss, learning_rate):
    """Zero between backward and step."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate)
    network.train()
    seen = []
    for images, target in batches:
        value = loss(network(images), target)
        value.backward()
        optimizer.zero_grad()
        optimizer.step()
        seen.append(value.item())
    return seen


def with_optimizer(make, mode=True):
    """Return the loop with an optimizer of its own."""

    def train(network, batches, loss, learning_rate):
        network.train(mode)
        optimizer = make(network.parameters(), lr=learning_rate)
        seen = []
        for images, target in batches:
            value = loss(network(images), target)
            optimizer.zero_grad(set_to_none=False)
            value.backward()
            optimizer.step()
            seen.append(value.item())
        return seen

    return train


def made_in_the_loop(network, batches, loss, learning_rate):
    """Make the optimizer where the batch is."""
    network.train()
    seen = []
    for images, target in batches:
        optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate)
        value = loss(network(images), target)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        seen.append(value.item())
    return seen


def returned_too_early(network, batches, loss, learning_rate):
    """Return from inside the loop."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate)
    network.train()
    seen = []
    for images, target in batches:
        value = loss(network(images), target)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        seen.append(value.item())
        return seen
    return seen


def variant(
    before="",
    first="",
    loss="loss(network(images), target)",
    note="value.item()",
    rate="lr=learning_rate",
    after="pass",
):
    """Return the lesson's loop with lines of its own."""
    lines = f"""
def train(network, batches, loss, learning_rate):
    {before or "pass"}
    optimizer = torch.optim.AdamW(network.parameters(), {rate})
    network.train()
    seen = []
    for images, target in batches:
        {first or "pass"}
        value = {loss}
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        seen.append({note})
    {after}
    return seen
"""
    names = {"torch": torch, "copy": copy}
    exec(lines, names)
    return names["train"]


def stepping_in_the_next_turn(network, batches, loss, learning_rate):
    """Learn from the loss of the turn before."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate)
    network.train()
    seen, value = [], None
    for images, target in batches:
        if value is not None:
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
        value = loss(network(images), target)
        seen.append(value.item())
    return seen


FIT = {
    "helped": [variant(loss="loss(network(images).detach(), target)")],
    "golds": [as_the_lesson_does, zeroed_after, gradients_by_hand],
    "twins": {
        "never_zeroed": without_zero_grad,
        "never_moves": zeroed_too_late,
        "left_in_evaluation": with_optimizer(torch.optim.AdamW, mode=False),
        "optimizer_each_time": made_in_the_loop,
        "plain_gradient_descent": with_optimizer(torch.optim.SGD),
        "no_decay": with_optimizer(torch.optim.Adam),
        "one_batch": returned_too_early,
        "last_step_missing": stepping_in_the_next_turn,
        "evaluation_at_the_end": variant(after="network.eval()"),
        "asked_twice": variant(first="network(images)"),
        "copy_trained": variant(before="network = copy.deepcopy(network)"),
        "rate_forgotten": variant(rate=""),
        "loss_after_the_step": variant(note="loss(network(images), target).item()"),
        "emptied_before": variant(before="count = len(list(batches))"),
        "own_loss": variant(loss="((network(images) - target) ** 2).mean()"),
        "loss_exchanged": variant(loss="loss(target, network(images))"),
    },
}

# The Laplace likelihood.


def from_torch(predicted, truth, scales):
    """Ask torch's distribution."""
    return -torch.distributions.Laplace(predicted, scales).log_prob(truth).sum(-1)


def term_by_term(predicted, truth, scales):
    """Add the terms of x and of y."""
    way = (truth - predicted).abs()
    terms = [math.log(2) + scales[..., i].log() + way[..., i] / scales[..., i] for i in (0, 1)]
    return terms[0] + terms[1]


LAPLACE_NLL = {
    "golds": [from_torch, term_by_term],
    "twins": {
        "log_missing": lambda p, t, b: torch.nn.functional.l1_loss(p / b, t / b, reduction="none").sum(-1),
        "log_rewarded": lambda p, t, b: ((t - p).abs() / b).sum(-1) - math.log(4) - b.log().sum(-1),
        "two_left_out": lambda p, t, b: from_torch(p, t, b) - math.log(4),
        "gaussian_for_laplace": lambda p, t, b: -torch.distributions.Normal(p, b).log_prob(t).sum(-1),
        "sign_forgotten": lambda p, t, b: torch.distributions.Laplace(p, b).log_prob(t).sum(-1),
        "distance_signed": lambda p, t, b: (torch.log(2 * b) - (t - p) / b).sum(-1),
        "truth_less_predicted": lambda p, t, b: (torch.log(2 * b) - (p - t) / b).sum(-1),
        "axes_kept": lambda p, t, b: -torch.distributions.Laplace(p, b).log_prob(t),
        "squared_over_scale": lambda p, t, b: (math.log(2) + b.log() + (t - p).square() / b).sum(-1),
        "log_never_negative": lambda p, t, b: (torch.relu(torch.log(2 * b)) + (t - p).abs() / b).sum(-1),
        "log_without_sign": lambda p, t, b: ((math.log(2) + b.log()).abs() + (t - p).abs() / b).sum(-1),
        "scales_at_least_one": lambda p, t, b: from_torch(p, t, torch.maximum(b, torch.ones_like(b))),
        "mean_of_axes": lambda p, t, b: -torch.distributions.Laplace(p, b).log_prob(t).mean(-1),
    },
}

ANSWERS = {"conditional_mean": CONDITIONAL_MEAN, "fit": FIT, "laplace_nll": LAPLACE_NLL}
