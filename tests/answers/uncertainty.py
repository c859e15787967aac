"""Answers to the exercises on uncertainty: right ones, and every known mistake as somebody else would have made it."""

import contextlib
import heapq
import math
from fractions import Fraction
from functools import partial

import numpy as np
import torch
from scipy import stats
from torch import nn

KINDS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)

# Dropout alone.


@contextlib.contextmanager
def dictionary_of_modes(model):
    """Remember by name."""
    modes = {name: layer.training for name, layer in model.named_modules()}
    model.eval()
    for layer in model.modules():
        if isinstance(layer, KINDS):
            layer.train()
    try:
        yield model
    finally:
        for name, layer in model.named_modules():
            layer.training = modes[name]


class ByClass:
    """Enter and leave by hand, and know dropout by its name."""

    def __init__(self, model):
        self.model = model

    def __enter__(self):
        """Note, then set."""
        self.modes = [layer.training for layer in self.model.modules()]
        for layer in self.model.modules():
            layer.training = type(layer).__name__.startswith("Dropout")

    def __exit__(self, *error):
        """Give back; None lets an error through."""
        for layer, mode in zip(self.model.modules(), self.modes, strict=True):
            layer.training = mode


@contextlib.contextmanager
def with_a_stack(model):
    """Let a stack of callbacks restore."""
    with contextlib.ExitStack() as stack:
        for layer in list(model.modules()):
            stack.callback(setattr, layer, "training", layer.training)
            layer.training = isinstance(layer, nn.modules.dropout._DropoutNd)
        yield


def context(inside, after=None, on_error=True):
    """Return a context manager that does one thing inside and another one after."""

    @contextlib.contextmanager
    def manager(model):
        modes = {layer: layer.training for layer in model.modules()}
        inside(model)

        def leave():
            if after is None:
                for layer, mode in modes.items():
                    layer.training = mode
            else:
                after(model, modes)

        if not on_error:
            yield
            leave()
            return
        try:
            yield
        finally:
            leave()

    return manager


def right(model, kinds=KINDS):
    """Switch on what should be."""
    model.eval()
    for layer in filter(lambda layer: isinstance(layer, kinds), model.modules()):
        layer.train()


def without_eval(model):
    """Forget the rest."""
    for layer in model.modules():
        if isinstance(layer, KINDS):
            layer.train()


def all_but(model):
    """Take one for the other."""
    model.train()
    for layer in model.modules():
        if isinstance(layer, KINDS):
            layer.eval()


def one_level(model):
    """Go one level down."""
    model.eval()
    for layer in model.children():
        if isinstance(layer, KINDS):
            layer.train()


def and_itself(model):
    """Say that the network trains, for good measure."""
    right(model)
    model.training = True


def only_dropout_back(model, modes):
    """Restore what was thought of."""
    for layer, mode in modes.items():
        if isinstance(layer, KINDS):
            layer.train(mode)


class Swallowing(ByClass):
    """Say that the error was dealt with."""

    def __exit__(self, *error):
        """Return True."""
        super().__exit__(*error)
        return True


DROPOUT_ACTIVE = {
    "golds": [dictionary_of_modes, ByClass, with_a_stack, context(right)],
    "twins": {
        "everything_in_training": context(lambda model: model.train()),
        "dropout_left_off": context(lambda model: model.eval(), lambda model, _: model.eval()),
        "as_it_was": contextlib.nullcontext,
        "others_left_as_they_were": context(without_eval, lambda *_: None),
        "plain_dropout_only": context(partial(right, kinds=nn.Dropout), on_error=False),
        "turned_round": context(all_but),
        "direct_children_only": context(one_level),
        "blocks_switched_on": context(and_itself),
        "in_evaluation_after": context(right, lambda model, _: model.eval(), on_error=False),
        "in_training_after": context(right, lambda model, _: model.train()),
        "one_mode_for_all": context(right, lambda model, modes: model.train(modes[model]), on_error=False),
        "never_restored": context(right, lambda *_: None),
        "dropout_alone_restored": context(right, only_dropout_back),
        "not_after_an_error": context(right, on_error=False),
        "error_swallowed": Swallowing,
    },
}

# Many answers.


def drawn(seed):
    """Return a context in which PyTorch's global generator starts from a seed."""

    @contextlib.contextmanager
    def forked():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield

    return forked()


def number(generator):
    """Draw a seed."""
    return int(torch.randint(2**40, (1,), generator=generator))


def in_a_loop(model, images, samples, *, generator):
    """One pass a sample."""
    with drawn(number(generator)), dictionary_of_modes(model):
        return torch.stack([model.predict(images) for _ in range(samples)])


def in_one_pass(model, images, samples, *, generator):
    """All pictures, and all of them again."""
    with dictionary_of_modes(model), drawn(number(generator)), torch.no_grad():
        return model.predict(images.repeat(samples, 1, 1, 1)).reshape(samples, len(images), -1, 2)


def picture_by_picture(model, images, samples, *, generator):
    """All copies of a picture at once."""
    with dictionary_of_modes(model), drawn(number(generator)):
        return torch.stack([model.predict(image.expand(samples, -1, -1, -1)) for image in images], 1)


def interleaved(model, images, samples, *, generator):
    """Copies side by side, and the axes exchanged afterwards."""
    with dictionary_of_modes(model), drawn(number(generator)):
        found = model.predict(images.repeat_interleave(samples, 0))
    return found.view(len(images), samples, *found.shape[1:]).transpose(0, 1)


def forked_each_time(model, images, samples, *, generator):
    """Every answer with a number of its own, one picture at a time."""
    out = None
    with dictionary_of_modes(model):
        for s in range(samples):
            for b in range(len(images)):
                with drawn(number(generator)):
                    point = model.predict(images[b : b + 1])
                out = point.new_empty(samples, len(images), *point.shape[1:]) if out is None else out
                out[s, b] = point[0]
    return out


def training_mode(model, images, samples, *, generator):
    """Call train, ask, call eval."""
    model.train()
    with drawn(number(generator)):
        found = torch.stack([model.predict(images) for _ in range(samples)])
    model.eval()
    return found


def evaluated(model, images, samples, *, generator):
    """Switch off what was on."""
    with dictionary_of_modes(model), drawn(number(generator)):
        model.eval()
        return model.predict(images.repeat(samples, 1, 1, 1)).reshape(samples, len(images), -1, 2)


def seeded_each_time(model, images, samples, *, generator):
    """Seed within the loop."""
    seed, found = number(generator), []
    with dictionary_of_modes(model):
        for _ in range(samples):
            with drawn(seed):
                found.append(model.predict(images))
    return torch.stack(found)


def seeded_for_each_picture(model, images, samples, *, generator):
    """Seed for each picture."""
    seed = number(generator)
    out = [None] * len(images)
    with dictionary_of_modes(model):
        for b, image in enumerate(images):
            with drawn(seed):
                out[b] = model.predict(image.repeat(samples, 1, 1, 1))
    return torch.stack(out, dim=1)


def running_mean(model, images, samples, *, generator):
    """Add up as one goes."""
    total = 0
    with dictionary_of_modes(model), drawn(number(generator)):
        for _ in range(samples):
            total = total + model.predict(images) / samples
    return total


def mean_of_maps(model, images, samples, *, generator):
    """Add up maps, then decode."""
    with dictionary_of_modes(model), drawn(number(generator)):
        maps = model(images.repeat(samples, 1, 1, 1))
    return model.decode(maps.unflatten(0, (samples, -1)).sum(0) / samples)


def changed(change):
    """Return the loop with something done to its answer."""
    return lambda model, images, samples, *, generator: change(
        in_a_loop(model, images, samples, generator=generator), samples, len(images)
    )


def interleaved_without_exchange(model, images, samples, *, generator):
    """Part what is not in that order."""
    with dictionary_of_modes(model), drawn(number(generator)):
        return model.predict(images.repeat_interleave(samples, 0)).unflatten(0, (samples, len(images)))


def as_chance_will(model, images, samples, *, generator):
    """Leave the generator alone."""
    with dictionary_of_modes(model):
        return model.predict(images.repeat(samples, 1, 1, 1)).reshape(samples, len(images), -1, 2)


def with_a_seed_of_its_own(model, images, samples, *, generator):
    """Always the same seed."""
    with dictionary_of_modes(model), drawn(42):
        return torch.stack([model.predict(images) for _ in range(samples)])


def switched_on_for_good(model, images, samples, *, generator):
    """Do it oneself, and half of it."""
    right(model)
    with drawn(number(generator)):
        return torch.stack([model.predict(images) for _ in range(samples)])


MC_DROPOUT = {
    "golds": [in_a_loop, in_one_pass, picture_by_picture, interleaved, forked_each_time],
    "twins": {
        "everything_in_training": training_mode,
        "dropout_left_off": evaluated,
        "one_mask_for_all": seeded_each_time,
        "one_mask_for_all_pictures": seeded_for_each_picture,
        "averaged": running_mean,
        "averaged_before_decoding": mean_of_maps,
        "samples_second": changed(lambda a, S, B: torch.stack(a.unbind(0), dim=1)),
        "samples_not_parted": changed(lambda a, S, B: torch.cat(list(a))),
        "pictures_mixed_up": interleaved_without_exchange,
        "generator_ignored": as_chance_will,
        "the_same_again": with_a_seed_of_its_own,
        "dropout_left_on": switched_on_for_good,
    },
}

# Two parts of a variance.


def squared_distances(means):
    """Return Σ (m − m̄)²."""
    return sum((m - sum(means) / len(means)) ** 2 for m in means)


def by_the_formula(means, variances):
    """Write it down."""
    return sum(variances) / len(variances), squared_distances(means) / (len(means) - 1)


def by_pairs(means, variances):
    """Half the mean squared difference of two answers is their variance."""
    S = len(means)
    pairs = (means[:, None] - means[None]) ** 2
    return torch.einsum("s...->...", variances) / S, pairs.sum((0, 1)) / (2 * S * (S - 1))


def through_numpy(means, variances):
    """Leave PyTorch for a moment."""
    m, v = means.double().numpy(), variances.double().numpy()
    return tuple(torch.from_numpy(x).to(means) for x in (np.average(v, axis=0), np.var(m, axis=0, ddof=1)))


def first(value):
    """Return an answer that is right but for the first part."""
    return lambda means, variances: (value(variances), by_the_formula(means, variances)[1])


def second(value):
    """Return an answer that is right but for the second part."""
    return lambda means, variances: (by_the_formula(means, variances)[0], value(means, variances))


SPLIT_UNCERTAINTY = {
    "golds": [by_the_formula, by_pairs, through_numpy],
    "twins": {
        "divided_by_n": second(lambda m, v: m.square().mean(0) - m.mean(0).square()),
        "variance_of_the_mean": second(lambda m, v: squared_distances(m) / (len(m) * (len(m) - 1))),
        "swapped": lambda m, v: (torch.var(m, dim=0), torch.mean(v, dim=0)),
        "deviations_averaged": first(lambda v: (sum(x**0.5 for x in v) / len(v)) ** 2),
        "deviations_returned": lambda m, v: tuple(x**0.5 for x in by_the_formula(m, v)),
        "deviation_in_the_second": second(lambda m, v: (squared_distances(m) / (len(m) - 1)) ** 0.5),
        "total_in_the_second": second(lambda m, v: torch.var(m, 0) + torch.mean(v, 0)),
        "not_centred": second(lambda m, v: (m * m).sum(0) / (len(m) - 1)),
        "variances_added": first(lambda v: torch.einsum("s...->...", v)),
        "fused": first(lambda v: v.reciprocal().sum(0).reciprocal()),
        "variances_of_a_mean": first(lambda v: v.sum(0) / len(v) ** 2),
        "spread_of_the_variances": second(lambda m, v: squared_distances(v) / (len(v) - 1)),
        "over_the_batch": lambda m, v: (v.mean(dim=1), m.std(dim=1) ** 2),
        "over_the_coordinates": lambda m, v: ((v[..., 0] + v[..., 1]) / 2, (m[..., 0] - m[..., 1]) ** 2 / 2),
        "over_everything": lambda m, v: (v.sum() / v.numel(), m.std() ** 2),
        "median_of_the_variances": first(
            lambda v: (v.sort(0).values[(len(v) - 1) // 2] + v.sort(0).values[len(v) // 2]) / 2
        ),
    },
}

# What is left.


def by_slices(errors, unsure, fractions):
    """Sort falling, and leave out the first."""
    order = torch.argsort(unsure, descending=True)
    return torch.stack([errors[order][int(f * len(errors)) :].mean() for f in fractions])


def by_a_threshold(errors, unsure, fractions):
    """Count how many are surer."""
    rank = (unsure[:, None] > unsure[None]).sum(1)
    n = len(errors)
    return torch.stack([errors[rank < n - f * n].mean() for f in fractions])


def by_cumulative_sums(errors, unsure, fractions):
    """Add up from the surest on."""
    sums = torch.cumsum(errors[unsure.sort().indices], 0)
    keep = len(errors) - (torch.tensor(fractions) * len(errors)).long()
    return sums[keep - 1] / keep


def by_pairs_in_python(errors, unsure, fractions):
    """Work with lists."""
    pairs = sorted(zip(unsure.tolist(), errors.tolist(), strict=True))
    kept = [pairs[: len(pairs) - math.floor(f * len(pairs))] for f in fractions]
    return torch.tensor([sum(e for _, e in part) / len(part) for part in kept], dtype=errors.dtype)


def curve(order=lambda e, u: u, keep=lambda n, f: round(n - f * n), of=lambda e, u: e, value=torch.mean):
    """Return the curve with whatever is to go wrong in it."""

    def made(errors, unsure, fractions):
        sure_first = of(errors, unsure)[torch.sort(order(errors, unsure)).indices]
        return torch.stack([value(sure_first[: keep(len(errors), f)]) for f in fractions])

    return made


def middle(part):
    """Return the median of NumPy."""
    return torch.tensor(np.median(part.numpy())).to(part)


def both_sorted(errors, unsure, fractions):
    """Sort two things that belong together apart."""
    e, _ = errors.sort(descending=True)
    return torch.stack([e[int(f * len(e)) :].mean() for f in fractions])


def up_to_minus_k(errors, unsure, fractions):
    """Leave out the last k."""
    e = errors[unsure.argsort()]
    return torch.stack([e[: -int(f * len(e))].mean() for f in fractions])


def cut_off(errors, unsure, fractions):
    """Cut off a share of the largest."""
    return torch.stack([errors[~(unsure > unsure.max() * (1 - f))].mean() for f in fractions])


def removed(errors, unsure, fractions):
    """Take the others."""
    e = errors[unsure.argsort(descending=True)]
    return torch.stack([e[: int(f * len(e))].mean() for f in fractions])


SPARSIFICATION = {
    "golds": [by_slices, by_a_threshold, by_cumulative_sums, by_pairs_in_python],
    "twins": {
        "surest_removed": curve(order=lambda e, u: 1 / u),
        "oracle": both_sorted,
        "oracle_turned_round": curve(order=lambda e, u: -e),
        "not_sorted": lambda e, u, fractions: torch.stack([e[: int(len(e) * (1 - f))].mean() for f in fractions]),
        "ranks_for_places": lambda e, u, fractions: torch.stack(
            [e[torch.from_numpy(stats.rankdata(u) - 1).long()][: round((1 - f) * len(e))].mean() for f in fractions]
        ),
        "one_too_few": curve(keep=lambda n, f: n - round(f * n) + 1),
        "one_too_many": curve(keep=lambda n, f: n - int(f * n) - 1),
        "nothing_left_at_zero": up_to_minus_k,
        "median": curve(value=middle),
        "torchs_median": curve(value=lambda part: part.sort().values[(len(part) - 1) // 2]),
        "summed": curve(value=lambda part: sum(part, start=torch.zeros(()).to(part))),
        "divided_by_all": lambda e, u, fractions: by_slices(e, u, fractions) * (1 - torch.tensor(fractions).to(e)),
        "root_mean_square": lambda e, u, fractions: by_slices(e * e, u, fractions) ** 0.5,
        "uncertainties_averaged": curve(of=lambda e, u: u),
        "fraction_kept": curve(keep=lambda n, f: int(f * n)),
        "those_removed": removed,
        "normalised": lambda e, u, fractions: by_slices(e / e.mean(), u, fractions),
        "share_of_the_range": cut_off,
    },
}

# A radius.


def k_of(scores, level):
    """Return ⌈(n + 1)·level⌉, exactly."""
    return math.ceil(Fraction(str(level)) * (len(scores) + 1))


def kth(scores, level):
    """Let PyTorch find it."""
    k = k_of(scores, level)
    return scores.kthvalue(k)[0] if k <= len(scores) else torch.tensor(torch.inf, dtype=scores.dtype)


def with_an_infinite_one(scores, level):
    """Let the new score be infinite, and sort."""
    extended = torch.cat([scores, scores.new_tensor([math.inf])])
    return extended.sort().values[k_of(scores, level) - 1]


def counted(scores, level):
    """Look for the smallest that covers enough of n + 1."""
    for s in sorted(scores.tolist()):
        if (scores <= s).sum() >= level * (len(scores) + 1) - 1e-9:
            return torch.tensor(s, dtype=scores.dtype)
    return scores.new_tensor(math.inf)


def numpys(scores, level):
    """Let NumPy invert the distribution."""
    k, n = k_of(scores, level), len(scores)
    value = np.quantile(scores.numpy(), k / n - 1e-9, method="inverted_cdf") if k <= n else math.inf
    return torch.as_tensor(value, dtype=scores.dtype)


def heap(scores, k):
    """Return the k-th smallest, or infinity."""
    smallest = heapq.nsmallest(k, scores.tolist())
    return torch.tensor(smallest[k - 1] if k <= len(smallest) else math.inf, dtype=scores.dtype)


def where_enough(value):
    """Return a radius that is infinite where it should be."""

    def radius(scores, level):
        k = k_of(scores, level)
        return scores.new_tensor(math.inf) if k > len(scores) else torch.as_tensor(value(scores, k)).to(scores)

    return radius


CONFORMAL_RADIUS = {
    "golds": [kth, with_an_infinite_one, counted, numpys],
    "twins": {
        "without_the_one": lambda s, level: heap(s, math.ceil(level * len(s))),
        "plain_quantile": lambda s, level: torch.tensor(np.quantile(s.numpy(), level), dtype=s.dtype),
        "interpolated": where_enough(lambda s, k: np.quantile(s.double().numpy(), k / len(s))),
        "one_rank_too_far": where_enough(lambda s, k: np.quantile(s.double().numpy(), k / len(s), method="higher")),
        "rounded_down": lambda s, level: heap(s, int(level * (len(s) + 1))),
        "rounded": lambda s, level: heap(s, int(level * (len(s) + 1) + 0.5)),
        "miss_for_level": lambda s, level: heap(s, k_of(s, str(1 - Fraction(str(level))))),
        "largest_first": where_enough(lambda s, k: s.sort(descending=True)[0][k - 1]),
        "not_sorted": where_enough(lambda s, k: s.tolist()[k - 1]),
        "largest_where_too_few": lambda s, level: s.sort()[0][::1][: k_of(s, level)][-1],
        "gaussian": lambda s, level: (s.double().mean() + stats.norm.ppf(level) * s.double().std()).to(s),
        "rayleigh": lambda s, level: s.new_tensor(stats.chi2.ppf(level, 2) ** 0.5),
        "rank_returned": lambda s, level: s.new_tensor(float(k_of(s, level))),
    },
}


def decorator_forgotten(model):
    """Write the context, and not that it is one."""
    yield from [model.eval()]


def as_numbers(errors, uncertainties, fractions):
    """Make numbers of the means, and stack these."""
    order, n = uncertainties.argsort(), len(errors)
    return torch.stack([errors[order[: n - round(f * n)]].mean().item() for f in fractions])


DROPOUT_ACTIVE["helped"] = [decorator_forgotten]
SPARSIFICATION["helped"] = [as_numbers]
CONFORMAL_RADIUS["helped"] = [
    lambda scores, level: scores.sort().values[math.ceil((len(scores) + 1) * level) - 1],
    lambda scores, level: sorted(scores.tolist())[math.ceil((len(scores) + 1) * level) - 1],
]

ANSWERS = {
    "dropout_active": DROPOUT_ACTIVE,
    "mc_dropout": MC_DROPOUT,
    "split_uncertainty": SPLIT_UNCERTAINTY,
    "sparsification": SPARSIFICATION,
    "conformal_radius": CONFORMAL_RADIUS,
}
