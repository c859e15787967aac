# ---
# posecourse:
#   minutes: 75
#   budget_cpu_seconds: 90
# ---

# %% [markdown]
# # 08 MC dropout: knowing what it does not know
#
# **By the end you will have measured how much the spread of dropout's samples tells about where a network is wrong, what ranks its errors
# better or worse, and what moves that spread: more data, strange people, longer training, or only the rate.**
#
# | | |
# |---|---|
# | Time | 75 minutes |
# | Price | about a minute of one laptop core, training included |
# | You need | lesson 06: heatmaps, the height of a peak as a variance, calibration |
# | You will be able to explain | the figure of what each kind of doubt notices, and what it sleeps through |
#
# Ask a network twenty times, each time with a part of it missing. Where the answers agree, it knows. Where they scatter, it guesses. So the story goes.

# %%
import copy
import json
import math
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import nn

from posecourse import calibration, checks, models, paths, people, samples, seeding, train
from posecourse import uncertainty, viz, widgets
from posecourse.lesson import Todo, claim, predict, reveal

viz.use_style()
random = seeding.generator(0)

# %% [markdown]
# ## A number that looks wrong
#
# This is lesson 06's network, two heads on one backbone, with one layer more: a fifth of the deepest channels is dropped while it trains. It learns from a thousand people who
# do anything but squat, bend or lunge; we keep those for later.

# %%
STRANGE = ("squat", "bend", "lunge")
USUAL = tuple(family for family in people.FAMILIES if family not in STRANGE)


def world(first, batches, light=1.0, poses=USUAL):
    """Draw people of 64 pixels, a third of them with something in front, in so much light."""
    options = {"occluders": 0.3, "truncation": 0.1, "facing": 0.8, "margin": (0.05, 0.2)}
    drawn = []
    for seed in range(first, first + batches):
        scene = people.draw_scenes(128, seeding.generator(seed), poses=poses, **options)
        lamp = scene.light
        lamp = replace(lamp, key=light * lamp.key, sky=light * lamp.sky, bounce=light * lamp.bounce)
        drawn.append(people.render(replace(scene, light=lamp), (64, 64)))
    return samples.concatenate(drawn)


# %%
data, calibrating, test = world(0, 8), world(500, 2), world(900, 4)
strange = {"poses": world(940, 2, poses=STRANGE), "dark": world(900, 2, light=0.25)}
with seeding.fork(seeding.generator(0)):
    backbone = models.UNet(8, dropout=0.2)
    painter = models.HeatmapHead(backbone.channels, 17, backbone.stride)
    regressor = models.GaussianRegression(backbone.channels, 17, (64, 64), beta=0.5)
    head = models.PairHead(painter, regressor, weight=0.003)
network = models.PoseNetwork(backbone, head)
config = train.TrainConfig(steps=500)
_ = train.fit(network, data, config=config, generator=seeding.generator(100), device="cpu")
_ = network.eval()

# %% [markdown]
# Now we ask it twenty times about 128 people that it has not seen, each time with other channels missing. Of all answers that are gross, more than 10 px off, we show the most unanimous one.

# %%
S, first = 20, test[:128]
given = {"generator": seeding.generator(7), "at_once": 512}
draws = uncertainty.mc_dropout(network, first.images, S, **given)
answers = network.predict(first.images)
away = (answers - first.keypoints).norm(dim=-1)  # (B, K), px
spread = draws.var(0).mean(-1).sqrt()
gross = first.visible & (away > 10) & (away < 30)
person, joint = divmod(int(torch.where(gross, spread, torch.inf).flatten().argmin()), 17)

# %%
fig, (left, right) = viz.row(2)
for ax in (left, right):
    viz.image(ax, test.images[person])
    viz.draw_error(ax, test.keypoints[person, [joint]], answers[person, [joint]])
    viz.draw_truth(ax, test.keypoints[person, [joint]])
    viz.draw_prediction(ax, draws[:, person, joint])
x, y = answers[person, joint].tolist()
right.set(xlim=(x - 3, x + 3), ylim=(y + 3, y - 3))
left.set_title(f"the {test.skeleton.names[joint].replace('_', ' ')}: truth and 20 answers")
right.set_title("the answers, nearer: 6 px across")
viz.headline(fig, "Twenty answers, one opinion, and it is wrong")
viz.show(
    fig,
    alt="Left: a person of 64 pixels with a ring at a keypoint's true place and, joined to it by a line, twenty crosses that look like one, far away. "
    "Right: the surroundings of the crosses enlarged: they lie within a fraction of a pixel.",
)

# %% measured=true
claim("08.wrong", "that keypoint is off by", away[person, joint], between=(10, 30), unit="px")
claim("08.agree", "standard deviation of its 20 answers", spread[person, joint], between=(0, 0.3), unit="px")  # fmt: skip

# %% [markdown]
# Twenty answers have a standard deviation of 0.1 px<!--08.agree-->, and are off by 11 px<!--08.wrong-->. One keypoint proves nothing, and this one was chosen. Is it the rule?

# %% [markdown]
# ## Predict
#
# *A linear layer learns from 50 examples, and then from 5000. What it does not know, in a Bayesian's variance, falls to a hundredth. To which fraction does the variance
# of its dropout samples fall?*

# %%
predict("08.hundredfold", 0.01)

# %% [markdown]
# *What ranks this network's errors best?*

# %%
DOUBTS = ("the spread of 20 samples", "the height of the peak", "how hard that joint usually is")
predict("08.ranks", "the spread of 20 samples", options=DOUBTS)

# %% [markdown]
# *A reviewer corrects the tenth of all keypoints with the largest spread. Which share of the gross errors (more than 10 px) does she meet?*

# %%
predict("08.caught", 0.5)

# %% [markdown]
# ## Theory on one screen
#
# $S$ masks give $S$ answers $m_s$, each perhaps with a variance $v_s$ of its own. The law of total variance parts what a prediction should own to:
#
# $$\operatorname{var}(y) \approx \underbrace{\tfrac1S \sum v_s}_{\text{aleatoric: expected noise}} + \underbrace{\tfrac1{S-1}\sum (m_s - \bar m)^2}_{\text{epistemic: disagreement}}$$
#
# Gal and Ghahramani (2016) read the second part as what a Bayesian does not know. Here is a layer on which both can be written down: $y = \sum w_i x_i$, each input dropped with
# probability $p$, the others divided by $1 - p$.
#
# $$\operatorname{var}_\text{dropout}(y) = \frac{p}{1-p} \sum w_i^2 x_i^2, \qquad \operatorname{var}_\text{Bayes}(y) = \sigma^2\, x^\mathsf T (X^\mathsf T X)^{-1} x \approx \frac{\sigma^2 \lVert x\rVert^2}{n} .$$
#
# The first knows $n$ only through the weights: where these are settled, it stays. And what does training with dropout minimise? The mean of a squared error over masks is
#
# $$\mathbb E\,(y - t)^2 = (w^\mathsf T x - t)^2 + \operatorname{var}_\text{dropout}(y):$$
#
# **the spread is a part of the loss.** So it is for any distribution over weights. What a Bayesian has besides is a prior that pulls the other way, and a width that is free to follow the data; here $p$ is fixed, and
# training can but squeeze the weights, a ridge.
#
# | symbol | in code | meaning | unit |
# |---|---|---|---|
# | $S$ | `S` | masks, or networks | 1 |
# | $m_s$, $v_s$ | `means`, `variances` (S, …, 2) | what each of them says | px, px² |
# | $p$ | `p` | probability of being dropped | 1 |
# | $X$, $n$ | `inputs` (n, I) | what was learnt from | 1 |
# | $\sigma^2$ | `NOISE` | of one measurement | 1 |

# %% [markdown]
# ## Exercise 1 · Dropout on, and nothing else ●●○ · 8 minutes
#
# `model.train()` would switch dropout on, and batch norm with it. At the end of this lesson you see what that does.


# %% exercise="uncertainty.dropout_active" dots=2 minutes=8 points=2
@contextmanager
def dropout_active(model):
    """Switch dropout on inside of a `with`, and everything else to evaluation mode; then give each layer its mode back.

    Use it as `with dropout_active(model): ...`. What stands before `yield` runs on entering, what stands after it on
    leaving; in a `finally` it does so after an error, too.

    Args:
        model: a network with dropout layers (`nn.Dropout`, `nn.Dropout1d`, `nn.Dropout2d`, `nn.Dropout3d`) at any
            depth. `layer.training` of each layer in `model.modules()` is its mode.
    """
    kinds = nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d
    modes = [(layer, layer.training) for layer in model.modules()]
    for layer, _ in modes:
        layer.training = isinstance(layer, kinds)
    try:
        yield
    finally:
        for layer, mode in modes:
            layer.training = mode


# %% check="uncertainty.dropout_active"
checks.uncertainty.dropout_active.check(dropout_active)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Note all modes first: `modes = [(layer, layer.training) for layer in model.modules()]`. Then `model.eval()`, then `.train()` for each layer that is one of
# dropout.
# </details>
#
# <details><summary>Hint 2</summary>
#
# `isinstance(layer, (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d))`. On leaving, write `layer.training = mode` for each: `layer.train(mode)` would change its children too.
# </details>
#
# <details><summary>Help: I get <i>a generator where a context manager is expected</i></summary>
#
# The line `@contextmanager` above the function makes a context of a generator. It belongs to the cell.
# </details>

# %%
dropout_active = checks.uncertainty.dropout_active.best()
with dropout_active(network):
    on = [type(layer).__name__ for layer in network.modules() if layer.training]
print("in training mode:", on)

# %% [markdown]
# ## Exercise 2 · Many answers ●●○ · 8 minutes


# %% exercise="uncertainty.mc_dropout" dots=2 minutes=8 points=2
def mc_dropout(model, images, samples, *, generator):
    """Return what a network answers with so many different parts of it dropped.

    Args:
        model: has dropout layers, and a `predict(images)` that returns keypoints (B, K, 2) in pixels and leaves dropout
            on where `uncertainty.dropout_active` has switched it on.
        images: float tensor (B, 3, H, W).
        samples: S, how often.
        generator: decides the masks. Dropout draws from torch's global generator: inside of
            `with seeding.fork(generator)` that one follows yours, and afterwards it is as it was. One fork for all.

    Returns:
        float tensor (S, B, K, 2): decoded keypoints, not their mean.
    """
    with uncertainty.dropout_active(model), seeding.fork(generator):
        return torch.stack([model.predict(images) for _ in range(samples)])


# %% check="uncertainty.mc_dropout"
checks.uncertainty.mc_dropout.check(mc_dropout)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# A list of `samples` predictions and `torch.stack`. Both contexts go round all of it.
# </details>
#
# <details><summary>Hint 2</summary>
#
# A fork *within* the loop would draw a new seed each time, which is allowed; one that starts from the same seed each time makes all answers alike. Fork once, outside.
# </details>
#
# <details><summary>Help: I get <i>samples are alike: each is the answer without dropout</i></summary>
#
# The predictions have to be made *inside* of `with uncertainty.dropout_active(model):`. Neither `model.eval()` nor `model.train()` is of use here.
# </details>

# %%
mc_dropout = checks.uncertainty.mc_dropout.best()
few = test.images[:9]
mine = mc_dropout(network, few, 3, generator=seeding.generator(1))
assert mine.shape == (3, 9, 17, 2)
assert not torch.equal(mine[0], mine[1])

# %% [markdown]
# ## Theory against measurement
#
# Twenty inputs, noise of variance 4. We learn from 50 to 5000 examples, twenty times each. Least squares *with* dropout has a closed form too: the extra term of the loss is a ridge, $\tfrac{p}{1-p}\operatorname{diag}(X^\mathsf T X)$.

# %%
INPUTS, NOISE, P, REPEATS = 20, 4.0, 0.2, 20
COUNTS = (50, 100, 200, 500, 1000, 2000, 5000)
truth = torch.ones(INPUTS, dtype=torch.float64)
asked = torch.randn(50, INPUTS, generator=random, dtype=torch.float64)


def learnt(n, p, true=truth):
    """Return inputs (n, INPUTS) and the weights (1, INPUTS) with the least squared error over all masks."""
    inputs = torch.randn(n, INPUTS, generator=random, dtype=torch.float64)
    said = inputs @ true + NOISE**0.5 * torch.randn(n, generator=random, dtype=torch.float64)
    gram = inputs.mT @ inputs
    ridge = p / (1 - p) * torch.diag(gram.diagonal())
    return inputs, torch.linalg.solve(gram + ridge, inputs.mT @ said)[None]


def masked(weight, x, p, masks):
    """Return the answers (masks, n) of a linear layer whose inputs are dropped."""
    kept = torch.rand(masks, *x.shape, generator=random, dtype=x.dtype) >= p
    return (kept * x / (1 - p)) @ weight[0]


# %%
laws = {"dropout": [], "Bayes": []}
measured = {"dropout": [], "Bayes": []}
for n in COUNTS:
    seen = [learnt(n, P) for _ in range(REPEATS)]
    free = torch.cat([learnt(n, 0.0)[1] for _ in range(100)])
    laws["dropout"].append(
        sum(uncertainty.dropout_variance(w, asked, P).mean() for _, w in seen) / REPEATS
    )
    laws["Bayes"].append(
        sum(uncertainty.bayesian_variance(X, asked, NOISE).mean() for X, _ in seen) / REPEATS
    )
    measured["dropout"].append(
        sum(masked(w, asked, P, 200).var(0).mean() for _, w in seen) / REPEATS
    )
    measured["Bayes"].append((asked @ free.mT).var(1).mean())  # how far 100 data sets disagree

# %%
rates = torch.linspace(0.05, 0.6, 12, dtype=torch.float64).tolist()
weight = learnt(1000, 0.0)[1]
line = [uncertainty.dropout_variance(weight, asked, p).mean() for p in rates]
dots = [masked(weight, asked, p, 400).var(0).mean() for p in rates]
fig, (left, right) = viz.row(2)
for name, look in (("dropout", viz.RIGHT), ("Bayes", viz.LEFT)):
    left.plot(COUNTS, laws[name], **{**look, "marker": ""})
    left.plot(COUNTS, measured[name], label=name, **{**look, "linestyle": "none"})
left.set(xscale="log", yscale="log", xlabel="examples n", ylabel="variance of the answer")
left.legend(loc="lower left")
right.plot(rates, line, **{**viz.RIGHT, "marker": ""})
right.plot(rates, dots, **{**viz.RIGHT, "linestyle": "none"})
right.set(xlabel="dropout rate p, weights fixed", ylabel="variance of the answer")
viz.headline(fig, "Bayes knows more with data; dropout's spread only knows its rate")
viz.show(
    fig,
    alt="Left: variance against the number of examples from 50 to 5000, both axes logarithmic. The Bayesian one falls to 0.006, nearly along a straight line, "
    "dropout's stays level near 3. Right: dropout's variance against its rate rises from near 0 to 30 as p/(1 - p). Marks lie on the lines.",
)

# %% measured=true
fraction = measured["dropout"][-1] / measured["dropout"][0]
claim("08.hundredfold", "dropout: variance left", fraction, between=(0.85, 1.15), theory=laws["dropout"][-1] / laws["dropout"][0])  # fmt: skip
fraction_bayes = measured["Bayes"][-1] / measured["Bayes"][0]
claim("08.bayes", "Bayes: variance left", fraction_bayes, between=(0.004, 0.008), theory=(50 - INPUTS - 1) / (5000 - INPUTS - 1))  # fmt: skip
worst = max(abs(m / law - 1) for m, law in zip(dots, line, strict=True))
claim("08.law", "p/(1 − p)·Σ w²x²: worst of 12 rates is off by", worst, between=(0, 0.06), theory=0)
inputs, w = learnt(200, P)
target = inputs @ truth
over_masks = (masked(w, inputs, P, 2000) - target).square().mean()
parts = (inputs @ w[0] - target).square().mean() + uncertainty.dropout_variance(w, inputs, P).mean()
claim("08.in_the_loss", "mean loss / (error² + spread)", over_masks / parts, between=(0.98, 1.02), theory=1)  # fmt: skip
nothing = [[learnt(n, P, 0 * truth)[1] for _ in range(REPEATS)] for n in (50, 5000)]
useless = [sum(uncertainty.dropout_variance(w, asked, P).mean() for w in few) for few in nothing]
claim("08.useless", "useless inputs: variance left", useless[1] / useless[0], between=(0.004, 0.016), theory=0.01)  # fmt: skip
_ = reveal("08.hundredfold", fraction)

# %% [markdown]
# With a hundred times the data, dropout's variance is 1.0<!--08.hundredfold--> of what it was. A Bayesian's is 0.006<!--08.bayes-->. (Less than a hundredth: fifty examples for twenty weights are few.)
# What sets dropout's spread is $p$, which *we* chose, and weights that mean something. (Where all inputs are useless the weights themselves fall, and the spread with them: 0.009<!--08.useless--> is left.) That is no Bayesian's doubt, unless somebody tunes $p$ to the data.
#
# A linear layer is no network. So we ask the network.

# %% [markdown]
# ## Exercise 3 · Two parts ●○○ · 6 minutes


# %% exercise="uncertainty.split_uncertainty" dots=1 minutes=6 points=1
def split_uncertainty(means, variances):
    """Part the variance of a prediction into expected noise and disagreement.

    aleatoric = (1/S)·Σ vₛ,  epistemic = 1/(S − 1)·Σ (mₛ − m̄)², axis by axis

    Args:
        means: float tensor (S, ..., 2), S answers to each point, (x, y).
        variances: float tensor (S, ..., 2), what each of them claims.

    Returns:
        aleatoric: float tensor (..., 2).
        epistemic: float tensor (..., 2).
    """
    return variances.mean(0), means.var(0)


# %% check="uncertainty.split_uncertainty"
checks.uncertainty.split_uncertainty.check(split_uncertainty)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Both run over the samples, which are the first axis: `dim=0`.
# </details>
#
# <details><summary>Hint 2</summary>
#
# `torch.var` divides by S − 1 unless told otherwise. With three samples, S would make it a third too small.
# </details>
#
# <details><summary>Help: I get <i>… where a pair … is expected</i></summary>
#
# Return two tensors, the aleatoric part first: `return aleatoric, epistemic`.
# </details>

# %% [markdown]
# ## Two parts of a network's doubt
#
# The heatmap head has a variance of its own, for nothing. Lesson 06: a peak of height $h$ stands for $\sigma^2(1/h - 1)$, with a blob of σ = 4 px, and $e^2/v$ was
# 1.08<!--06.peak--> with nothing fitted. So: the mean of these over the masks is the aleatoric part, the variance of the places the epistemic one.

# %%
split_uncertainty = checks.uncertainty.split_uncertainty.best()


def peak_variances(heights):
    """Return (…, 2) px²: σ²·(1/h − 1) for peaks of height h."""
    return (4**2 * (1 / heights.clamp(0.05, 0.95) - 1))[..., None].expand(*heights.shape, 2)


def read(images):
    """Return the heatmap head's places, and the variances that its peaks stand for."""
    places = painter.read(network(images).first)
    return places.keypoints_px, peak_variances(places.scores)


# %%
def opinions(sample, seed=7):
    """Return, for the labelled keypoints: error without dropout, peak, and both parts of the variance."""
    mask, once = sample.labelled, network.detect(sample.images)
    given = {"read": read, "generator": seeding.generator(seed), "at_once": 512}
    means, variances = uncertainty.mc_dropout_gaussian(network, sample.images, S, **given)
    aleatoric, epistemic = split_uncertainty(means[:, mask], variances[:, mask])
    errors = (once.keypoints_px - sample.keypoints)[mask]
    return errors, once.scores[mask], aleatoric, epistemic, means[:, mask]


def rms(errors):
    """Return the root of the mean square."""
    return errors.square().mean().sqrt()


# %%
errors, peaks, aleatoric, epistemic, means = opinions(test)
away = errors.norm(dim=-1)  # (n), px
mask = test.labelled
owner = torch.arange(len(test))[:, None].expand(-1, 17)[mask]
joint = torch.arange(17).expand(len(test), -1)[mask]
table = json.loads(paths.data_path("dropout.json").read_text(encoding="utf-8"))

# %% [markdown]
# One training is live. The course ships a table of more, `python -m benchmarks.dropout`: eight seeds on a thousand people, four on 250 and on 4000, four with four times the steps, other rates and places of dropout, and ensembles. What
# we claim of ours has to lie within five standard deviations of its eight sisters' mean, pooled over the three sizes. In the lines below *theory* is that mean, and a line that begins with *table* says what the table
# alone says.


# %%
def recorded(*keys, kind="network", size=1000, place="deep", rate=0.2):
    """Return one entry of the table, or a function of a row, a number a row."""
    rows = [row for row in table if (row["kind"], row["people"], row["rate"]) == (kind, size, rate)]
    rows = [row for row in rows if row.get("place", "deep") == place]
    for key in keys:
        rows = [key(row) if callable(key) else row[key] for row in rows]
    return torch.tensor(rows)


# %%
def like_the_table(name, statement, value, *keys, unit=""):
    """Claim that a live number lies within five standard deviations of the recorded ones, of their logarithms."""
    runs = [recorded(*keys, size=size).log() for size in (1000, 250, 4000)]
    freedom = sum(len(run) - 1 for run in runs)
    slack = 5 * (sum((run - run.mean()).square().sum() for run in runs) / freedom).sqrt()
    middle, mean = runs[0].mean(), runs[0].exp().mean()
    between = (round(float((middle - slack).exp()), 3), round(float((middle + slack).exp()), 3))
    claim(name, statement, value, between=between, theory=mean, unit=unit)


def in_the_table(name, statement, runs, between, unit=""):
    """Claim what the table alone says, a mean over rows: about four standard errors; of one or two ensembles a guess."""
    claim(name, f"table, {statement}", runs.mean(), between=between, unit=unit)


# %% measured=true
SAME = ("same",)
like_the_table("08.rms", "error, RMS an axis", rms(errors), *SAME, "rms", unit="px")
like_the_table("08.mean", "of the mean of 20 samples", rms(means.mean(0) - test.keypoints[mask]), *SAME, "mean_rms", unit="px")  # fmt: skip
like_the_table("08.aleatoric", "aleatoric σ", aleatoric.mean().sqrt(), *SAME, "aleatoric", unit="px")  # fmt: skip
like_the_table("08.epistemic", "dropout's spread", epistemic.mean().sqrt(), *SAME, "epistemic", unit="px")  # fmt: skip
half = epistemic.mean(-1).median().sqrt()
like_the_table("08.half", "    half are below", half, *SAME, "epistemic_median", unit="px")  # fmt: skip
share = epistemic.mean() / (aleatoric + epistemic).mean()
like_the_table("08.share", "its share of the variance", share, *SAME, lambda s: s["epistemic"] ** 2 / (s["epistemic"] ** 2 + s["aleatoric"] ** 2))  # fmt: skip

# %% [markdown]
# The error is 3.5 px<!--08.rms-->. The peaks, which nobody trained to say so, claim 3.4 px<!--08.aleatoric-->. Dropout adds 0.54 px<!--08.epistemic-->, and less than 0.12 px<!--08.half--> for half
# of the keypoints: 2 %<!--08.share--> of the variance. And the mean of twenty samples is hardly better than one pass without dropout, 3.5 px<!--08.mean-->.
#
# Small is no sin. A doubt may be small and rise in the right places. Does it?
#
# ## What each part notices
#
# Left: the same network, taught by 250, 1000 and 4000 people in as many steps. Right: by which factor error and doubt rise if something is put *in front of the same keypoint*, if people squat, bend
# and lunge, and if the light falls to a quarter. Beside dropout stands its rival: four networks from four seeds, an **ensemble**, whose disagreement is an epistemic part, too.

# %%
SIZES = (250, 1000, 4000)
SERIES = {
    "error": ("network", "rms", viz.UNCOUNTED),
    "peaks' claim": ("network", "aleatoric", viz.LEFT),
    "ensemble's spread": ("ensemble", "epistemic", viz.MIDDLE),
    "dropout's spread": ("network", "epistemic", viz.RIGHT),
}
CHANGES = {
    "covered": ("bare", "covered"),
    "strange poses": ("same", "poses"),
    "dark": ("same", "dark"),
}


def grown(kind, entry, change):
    """Return by which factor an entry grows from one kind of people to another, a number a row."""
    before, after = CHANGES[change]
    return recorded(after, entry, kind=kind) / recorded(before, entry, kind=kind)


# %%
fig, (left, right) = viz.row(2)
for place, (name, (kind, entry, look)) in enumerate(SERIES.items()):
    values = [recorded("same", entry, kind=kind, size=size).mean() for size in SIZES]
    left.plot(SIZES, values, label=name, **look)
    for x, change in enumerate(CHANGES):
        factors = grown(kind, entry, change)
        there = [x + 0.18 * (place - 1.5)] * len(factors)
        right.plot(there, factors, **{**look, "linestyle": "none", "markersize": 4})

# %%
left.set(xscale="log", yscale="log", xlabel="people learnt from", ylabel="RMS along an axis (px)")
left.set_xticks(SIZES, labels=[f"{size}" for size in SIZES])
left.set_yticks([0.5, 1, 2, 5], labels=["0.5", "1", "2", "5"])
right.axhline(1, **{**viz.UNCOUNTED, "marker": ""})
right.set(yscale="log", ylabel="grows by a factor of", xlim=(-0.5, 2.5))
right.set_xticks(range(3), list(CHANGES))
right.set_yticks([1, 1.5, 2, 3, 4], labels=["1", "1.5", "2", "3", "4"])
for ax in (left, right):
    ax.minorticks_off()
viz.label_ends(left)
viz.headline(fig, "Covered or dark, spreads outgrow errors; in strange poses they lag")
viz.show(
    fig,
    alt="Left, against people learnt from, 250 to 4000: the error stays near 3.6 px, the peaks' claim near 3.5; the ensemble's spread falls from 1.8 to 1.2, dropout's from "
    "0.65 to 0.48 px. Right, factors of growth: covered, error 1.6, claim 1.3, ensemble 2.0, dropout 1.6 to 4.4; strange poses, error 1.3, claim 1.08, ensemble 1.2, dropout 1.0 to 1.8; dark, error 1.2, "
    "claim 1.3, ensemble 1.7, dropout 1.2 to 2.5.",
)

# %%
strangers = {name: opinions(sample) for name, sample in strange.items()}


def growth(entry, change):
    """Return a function of a row of the table: by which factor an entry grows from usual to strange people."""
    return lambda row: row[change][entry] / row["same"][entry]


# %% measured=true
for name, (e, _, noise, scatter, _) in strangers.items():
    like_the_table(f"08.error_{name}", f"{name}: error, times", rms(e) / rms(errors), growth("rms", name))  # fmt: skip
    claimed = (noise.mean() / aleatoric.mean()).sqrt()
    like_the_table(f"08.claim_{name}", "    the peaks' claim, times", claimed, growth("aleatoric", name))  # fmt: skip
    halves = [part.mean(-1).median().sqrt() for part in (scatter, epistemic)]
    like_the_table(f"08.spread_{name}", "    dropout's median, times", halves[0] / halves[1], growth("epistemic_median", name))  # fmt: skip

# %% measured=true
GROWN = {
    "covered_error": ("error", (1.54, 1.64)), "covered_claim": ("peaks' claim", (1.26, 1.36)),
    "covered_dropout": ("dropout's spread", (1.39, 3.93)), "covered_ensemble": ("ensemble's spread", (1.81, 2.25)),
    "poses_dropout": ("dropout's spread", (0.91, 1.59)), "poses_ensemble": ("ensemble's spread", (1.13, 1.3)),
    "dark_dropout": ("dropout's spread", (1.26, 2.84)), "dark_ensemble": ("ensemble's spread", (1.56, 1.75)),
}  # fmt: skip
for mark, (name, between) in GROWN.items():
    kind, entry, _ = SERIES[name]
    change = "strange poses" if "poses" in mark else mark.split("_")[0]
    in_the_table(f"08.{mark}", f"{mark.split('_')[0]}: {name} ×", grown(kind, entry, change), between)  # fmt: skip
behind = grown("network", "epistemic", "strange poses") < grown("network", "rms", "strange poses")
claim("08.behind", "table, poses: seeds of 8 where the spread lags", behind.sum(), between=(6, 6))
TOLD = {
    ("poses", "spread"): (0.55, 0.61), ("poses", "peak"): (0.59, 0.65),
    ("dark", "spread"): (0.63, 0.74), ("dark", "peak"): (0.69, 0.77),
}  # fmt: skip
for (change, doubt), between in TOLD.items():
    told = recorded(f"told_{change}", doubt)
    in_the_table(f"08.told_{change}_{doubt}", f"{change}: told by the {doubt}", told, between)

# %% measured=true
WITH_DATA = {
    "error": ((3.51, 3.92), (3.19, 4.0)), "dropout's spread": ((0.54, 0.76), (0.36, 0.6)),
    "ensemble's spread": ((1.45, 2.2), (0.9, 1.6)),
}  # fmt: skip
for name, pair in WITH_DATA.items():
    kind, entry, _ = SERIES[name]
    for size, between in zip((250, 4000), pair, strict=True):
        runs = recorded("same", entry, kind=kind, size=size)
        in_the_table(f"08.{name.split(chr(39))[0]}_{size}", f"{size} people: {name}", runs, between, "px")  # fmt: skip
OTHER = {"rms": ((4.06, 4.42), (3.23, 3.79)), "aleatoric": ((1.22, 1.88), (3.15, 3.91))}
for entry, pair in OTHER.items():
    for size, between in zip((250, 4000), pair, strict=True):
        runs = recorded("same", f"other_{entry}", size=size)
        in_the_table(f"08.other_{entry}_{size}", f"{size}, other {entry}", runs, between, "px")  # fmt: skip
in_the_table("08.longer_rms", "2000 steps: error", recorded("same", "rms", kind="longer"), (3.05, 3.31), "px")  # fmt: skip
for doubt, between in {"spread": (0.3, 0.36), "peak": (0.4, 0.48)}.items():
    in_the_table(f"08.poses_rank_{doubt}", f"poses: {doubt}, within", recorded("ranks_poses", doubt, "within"), between)  # fmt: skip
learnt_from = recorded("seen", "other_rms", size=250)
in_the_table("08.other_seen", "250, those learnt from: rms", learnt_from, (1.04, 1.51), "px")


# %% [markdown]
# - **Something in front.** The same keypoints, covered: the error is 1.6 times<!--08.covered_error--> as large, the peaks' claim 1.3<!--08.covered_claim-->, the ensemble's spread 2.0<!--08.covered_ensemble-->, dropout's
#   2.7<!--08.covered_dropout--> (by seed, from 1.6<!--cited: the figure--> to 4.4<!--cited: the figure-->). It is small, and it does notice.
# - **The dark.** Error 1.3<!--08.error_dark-->, claim 1.33<!--08.claim_dark-->, dropout 2.1<!--08.dark_dropout-->, the ensemble 1.7<!--08.dark_ensemble-->. Noticed.
# - **Strange poses.** Error 1.3<!--08.error_poses-->, claim 1.06<!--08.claim_poses-->, dropout 1.25<!--08.poses_dropout-->, but 1.07<!--08.spread_poses--> for the median keypoint; it lags behind the error in six of eight seeds<!--08.behind-->. The ensemble 1.2<!--08.poses_ensemble-->. Draw a usual and a strange
#   person: the strange one has the larger spread with a probability of 0.58<!--08.told_poses_spread-->, and the lower peaks with 0.62<!--08.told_poses_peak-->. One half is chance. (For the dark, 0.69<!--08.told_dark_spread--> and 0.73<!--08.told_dark_peak-->.) What looks odd
#   to *us* looks to the network like a picture. (Among the strange ones, though, all doubts rank errors better: 0.33<!--08.poses_rank_spread--> and 0.44<!--08.poses_rank_peak--> within a joint. We come to these ranks below.)
# - **More data**, sixteen times as much, in as many steps: the error goes from 3.7<!--08.error_250--> to 3.6 px<!--08.error_4000-->, which four seeds do not tell from nothing. Steps limit it: with four times as many it is 3.2 px<!--08.longer_rms-->. Dropout's spread falls from 0.65<!--08.dropout_250--> to 0.48 px<!--08.dropout_4000-->, and the
#   ensemble's from 1.8<!--08.ensemble_250--> to 1.2<!--08.ensemble_4000--> (one ensemble at either end). Neither falls to a quarter, as a Bayesian's σ does on a linear layer. The σ that the *other* head has learnt to predict goes the wrong way: 1.5<!--08.other_aleatoric_250--> px where it errs by
#   4.2<!--08.other_rms_250--> px, 3.5<!--08.other_aleatoric_4000--> where it errs by 3.5<!--08.other_rms_4000-->. It knows 250 people by heart, errs by 1.3 px<!--08.other_seen--> on them, and says what it saw there.

# %% [markdown]
# ## What even a perfect σ cannot do
#
# "Uncertainty is correlated with error", one reads, and then a number such as 0.5<!--cited: any such number-->. Is that little? Suppose that σ is *exactly right*: each error is normal with that σ. A large σ can still be lucky. With
# $c$ the standard deviation of σ over its mean, Pearson's correlation of σ with the distance in $D$ dimensions is
#
# $$\rho = \frac{\mu\,c}{\sqrt{D(1 + c^2) - \mu^2}}, \qquad \mu = \mathbb E\lVert z\rVert = \sqrt{\pi/2} \text{ for } D = 2 ,$$
#
# with $z$ of $D$ standard normal numbers. **AUSE** measures order in another way: take the most doubtful predictions away, step by step, and draw the mean error of the rest. It is the area between this curve and the one that
# the errors' own order would give, with the mean error as the unit: 0 is best.

# %%
SPREADS = torch.linspace(0.1, 1.5, 15, dtype=torch.float64)
N = 100_000
correlations, areas = [], []
for c in SPREADS.tolist():
    width = math.sqrt(math.log1p(c**2))
    sigma = torch.exp(width * torch.randn(N, generator=random, dtype=torch.float64))  # lognormal
    distance = sigma * torch.randn(2, N, generator=random, dtype=torch.float64).norm(dim=0)
    correlations.append(torch.corrcoef(torch.stack([sigma, distance]))[0, 1])
    areas.append([uncertainty.ause(distance, u) for u in (sigma, torch.ones(N))])

# %%
fig, (left, right) = viz.row(2)
left.plot(SPREADS, uncertainty.perfect_correlation(SPREADS, 2), **{**viz.LEFT, "marker": ""})
left.plot(SPREADS, correlations, label="a perfect σ", **{**viz.LEFT, "linestyle": "none"})
left.axhline(math.sqrt(math.pi) / 2, **{**viz.UNCOUNTED, "marker": ""})
left.set(ylim=(0, 1), ylabel="correlation with the distance")
for place, (name, look) in enumerate((("a perfect σ", viz.LEFT), ("chance", viz.UNCOUNTED))):
    right.plot(SPREADS, [pair[place] for pair in areas], label=name, **look)
right.set(ylim=(0, None), ylabel="AUSE, of the mean error")
right.legend(loc="upper left")
for ax in (left, right):
    ax.set_xlabel("how unequal σ is: sd / mean, c")
viz.headline(fig, "A σ that is exactly right does not reach 1, nor an AUSE of 0")
viz.show(
    fig,
    alt="Left: the correlation of a perfect sigma with the distance rises with its coefficient of variation from 0.19 at 0.1 to 0.85 at 1.5, below the grey "
    "limit of 0.886; marks on the theory's line. Right: its AUSE falls from 0.35 to 0.05, while that of chance rises from 0.43 to 0.73.",
)

# %% measured=true
at = 4  # c = 0.5
claim("08.ceiling", "perfect σ, c = 0.5: correlation", correlations[at], between=(0.635, 0.665), theory=uncertainty.perfect_correlation(0.5, 2))  # fmt: skip
claim("08.ceiling_ause", "its AUSE", areas[at][0], between=(0.152, 0.162), theory=0.157)
claim("08.chance_ause", "AUSE of chance", areas[at][1], between=(0.514, 0.528), theory=0.521)

# %% [markdown]
# At $c = 0.5$ the ceiling is 0.65<!--08.ceiling-->. No correlation means anything without its ceiling. And no AUSE without what chance and a perfect σ have. Its curve you write now.

# %% [markdown]
# ## Exercise 4 · Take the most doubtful away ●●○ · 8 minutes


# %% exercise="uncertainty.sparsification" dots=2 minutes=8 points=2
def sparsification(errors, uncertainties, fractions):
    """Return the mean error of what is left when the most uncertain predictions are taken away.

    Args:
        errors: float tensor (n), distances.
        uncertainties: float tensor (n), the larger, the less sure; no two alike.
        fractions: F numbers, at least 0 and below 1: which share of the n is taken away, round(f·n) of them.

    Returns:
        float tensor (F).
    """
    n = len(errors)
    ordered = errors[uncertainties.argsort()]  # the surest first
    return torch.stack([ordered[: n - round(f * n)].mean() for f in fractions])


# %% check="uncertainty.sparsification"
checks.uncertainty.sparsification.check(sparsification)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Sort the *errors* by the *uncertainties*: `errors[uncertainties.argsort()]` has the surest first.
# </details>
#
# <details><summary>Hint 2</summary>
#
# Of a fraction f, `n - round(f * n)` are left. The mean is over those, not over all n.
# </details>
#
# <details><summary>Help: I get <i>expected Tensor as element 0 in argument 0, but got float</i></summary>
#
# `torch.stack` takes tensors. Leave the means as tensors: no `.item()`.
# </details>

# %% [markdown]
# ## Does the spread rank?
#
# Four doubts of one network, ranked by Spearman's correlation with the distance: over all keypoints, and **within a joint**, since to know that wrists are harder than noses is no news about a picture. Keypoints of one person err
# together, so the bootstrap draws people. And the ceiling: we let each distance be drawn from what the peaks claim, calibrated, as if that were exactly right.

# %%
sparsification = checks.uncertainty.sparsification.best()
known, known_peaks, known_aleatoric, known_epistemic, known_means = opinions(calibrating)
known_joint = torch.arange(17).expand(len(calibrating), -1)[calibrating.labelled]
known_away = known.norm(dim=-1)
usual = torch.stack([known_away[known_joint == k].mean() for k in range(17)])
factor = calibration.variance_scale(known, peak_variances(known_peaks))
sigma = (factor * peak_variances(peaks)).sqrt()
drawn = (sigma * torch.randn(sigma.shape, generator=random)).norm(dim=-1)
PAIRS = {
    "spread": (away, epistemic.sum(-1)),
    "peak": (away, -peaks),
    "constant": (away, usual[joint]),
    "total": (away, (epistemic + aleatoric).sum(-1)),
    "perfect": (drawn, sigma[:, 0]),
}
rank = uncertainty.rank_correlation

# %% measured=true
for name, pair in PAIRS.items():
    keys = ("perfect",) if name == "perfect" else ("ranks_same", name)
    like_the_table(f"08.rank_{name}", f"{name}: rank", rank(*pair), *keys, "pooled")
    if name != "constant":
        within = rank(*pair, joint)
        like_the_table(f"08.within_{name}", "    within a joint", within, *keys, "within")

# %% measured=true


def lead(distance, spread, peak, joint):
    """Return by how much the peak ranks better than the spread within a joint."""
    return rank(distance, peak, joint) - rank(distance, spread, joint)


again = {"images": owner, "draws": 100, "generator": random}
for name in ("spread", "peak"):
    low, high = uncertainty.bootstrap_interval(rank, *PAIRS[name], joint, **again)
    print(f"{name}, within a joint: 95 % interval from {low:.2f} to {high:.2f}")
low, high = uncertainty.bootstrap_interval(lead, away, epistemic.sum(-1), -peaks, joint, **again)
claim("08.lead", "peak over spread, within: 95 % from", low, between=(0.02, 0.2))
wins = recorded("ranks_same", lambda r: r["peak"]["within"] - r["spread"]["within"])
claim("08.wins", "table, seeds in which the peak leads", (wins > 0).sum(), between=(8, 8))
asked_ranks = [rank(*PAIRS[name]) for name in ("spread", "peak", "constant")]
_ = reveal("08.ranks", DOUBTS[asked_ranks.index(max(asked_ranks))])

# %% measured=true
LONGER = {
    "peak": ("peak", "within", (0.35, 0.38)), "spread": ("spread", "within", (0.29, 0.38)),
    "ause_peak": ("peak", "ause", (0.26, 0.31)), "ause_spread": ("spread", "ause", (0.29, 0.31)),
}  # fmt: skip
for mark, (doubt, score, between) in LONGER.items():
    runs = recorded("ranks_same", doubt, score, kind="longer")
    in_the_table(f"08.longer_{mark}", f"2000 steps: {doubt}, {score}", runs, between)
wins = recorded("ranks_same", lambda r: r["peak"]["within"] - r["spread"]["within"], kind="longer")
claim("08.longer_wins", "table, 2000 steps: the peak leads", (wins > 0).sum(), between=(4, 4))

# %% [markdown]
# The surprise is what costs nothing. **The height of the peak, from one pass without dropout, ranks better than the spread of twenty**: 0.45<!--08.rank_peak--> to 0.35<!--08.rank_spread--> over all keypoints, and within a joint 0.33<!--08.within_peak--> to
# 0.23<!--08.within_spread-->, with a lead of 0.07<!--08.lead--> or more (where the bootstrap's interval begins), and for each of eight seeds<!--08.wins-->. Over all keypoints the spread is on a level with a *constant*, 0.34<!--08.rank_constant-->, which never looks at
# the picture. Both parts together are no better than the peak, 0.45<!--08.rank_total-->: they are nearly the peak.
#
# And how good is 0.33<!--08.within_peak-->? If the peaks' claims were exactly right, and errors normal, there would be 0.42<!--08.within_perfect--> within a joint and 0.53<!--08.rank_perfect--> over all. The peak is about four fifths of the way to a σ that is distributed like its own.
#
# In lesson 06 the peak ranked even the *other* head's errors better than that head's own σ. Here is why one might have expected it: the peak is where a squared error *makes* the network write its doubt (lesson 01: a blob,
# averaged over all places that are possible). Nothing makes it write its doubt into its reaction to missing channels. That is a reading, not a measurement.
#
# **Is it so for every network?** Ours is young. Four of the table's were trained for 2000 steps, four times as long: the peak has 0.37<!--08.longer_peak--> within a joint, the spread 0.33<!--08.longer_spread-->. It still leads with each seed<!--08.longer_wins-->, by a third of what it
# did; in AUSE they are on a level, 0.29<!--08.longer_ause_peak--> and 0.30<!--08.longer_ause_spread-->. So: the peak costs a twentieth and has not lost yet. That is all.

# %%
FRACTIONS = torch.linspace(0, 0.95, 20, dtype=torch.float64).tolist()
curves = {name: sparsification(*PAIRS[name], FRACTIONS) for name in ("peak", "spread", "constant")}
curves["oracle"] = sparsification(away, away, FRACTIONS)
curves["chance"] = away.mean().expand(20)
LOOKS = {
    "peak": viz.LEFT, "spread": viz.RIGHT, "constant": viz.FOURTH,
    "chance": viz.UNCOUNTED, "oracle": viz.UNCOUNTED,
}  # fmt: skip

# %%
fig, ax = viz.single()
for name, look in LOOKS.items():
    ax.plot(FRACTIONS, curves[name], label=name, **{**look, "markevery": 3})
ax.set(
    xlabel="most doubtful share taken away", ylabel="mean distance of the rest (px)", ylim=(0, None)
)
viz.label_ends(ax)
viz.headline(fig, "In a young network one pass and its peak sort better than twenty")
viz.show(
    fig,
    alt="Mean distance of the keypoints that are left against the share taken away, for five orders. By chance it stays at 3.4 px. By a constant for each joint and by "
    "dropout's spread it falls about alike, to 2.5 px at a half; by the peak's height farther, to 2.1; by the errors' own order, the oracle, at once and to 0.3.",
)

# %% measured=true
for name, pair in PAIRS.items():
    keys = ("perfect",) if name == "perfect" else ("ranks_same", name)
    like_the_table(f"08.ause_{name}", f"{name}: AUSE", uncertainty.ause(*pair), *keys, "ause")
for name in ("spread", "peak", "constant", "total"):
    pair = PAIRS[name]
    tenth = pair[1].argsort(descending=True)[: len(pair[1]) // 10]
    caught = (pair[0][tenth] > 10).sum() / (pair[0] > 10).sum()
    like_the_table(f"08.caught_{name}", f"{name}: gross caught", caught, "ranks_same", name, "caught")  # fmt: skip
    left = (
        torch.ones_like(away).index_fill(0, tenth, 0) * away
    ).square().sum() / away.square().sum()
    like_the_table(f"08.corrected_{name}", "    RMS left, times", left.sqrt(), "ranks_same", name, "corrected")  # fmt: skip
    if name == "spread":
        _ = reveal("08.caught", caught)
like_the_table("08.gross", "errors over 10 px", (away > 10).float().mean(), *SAME, "gross")
calm = epistemic.mean(-1).sqrt() < 0.5
claim("08.calm", "of these: spread under half a pixel", calm[away > 10].float().mean(), between=(0.7, 0.95))  # fmt: skip
claim("08.calm_all", "of all the others", calm[away <= 10].float().mean(), between=(0.95, 1))

# %% [markdown]
# In AUSE a perfect σ would have 0.19<!--08.ause_perfect-->; the peak has 0.24<!--08.ause_peak-->, the spread 0.29<!--08.ause_spread-->, a constant 0.30<!--08.ause_constant-->.
#
# What does that buy? One keypoint in eighteen is off by more than 10 px, 0.055<!--08.gross-->. A reviewer who corrects a tenth of all meets 0.38<!--08.caught_spread--> of these if the spread chooses, 0.41<!--08.caught_constant--> if she is sent to
# the joints that are hardest on average, and 0.49<!--08.caught_peak--> if the peaks choose. By chance it would be a tenth. The opening was no exception: 0.8<!--08.calm--> of the gross errors have a spread
# of less than half a pixel. (Of the others, 0.98<!--08.calm_all-->: a spread that *is* large does mean something. It is rare.) Her work leaves 0.83<!--08.corrected_spread-->, 0.79<!--08.corrected_constant--> or 0.76<!--08.corrected_peak--> of the RMS error.

# %% [markdown]
# ## Does an ellipse hold what it claims?
#
# A doubt may rank badly and have the right size, or the other way round. Each claims an ellipse that holds 50, 90 or 95 of 100 errors: the covariance of dropout's places alone, and both parts together. Then each is multiplied by one factor, the mean of $e^\mathsf T \Sigma^{-1} e / 2$ on *other people*.

# %%
LEVELS = (0.5, 0.9, 0.95)


def ellipses(means, aleatoric):
    """Return two claims (n, 2, 2) in px²: dropout's, with a floor of (0.1 px)², and with the peaks' on top."""
    scatter = uncertainty.sample_covariance(means) + 0.01 * torch.eye(2)
    return {"spread": scatter, "both": scatter + torch.diag_embed(aleatoric)}


def off(errors, covariance):
    """Return how many σ each error is: √(eᵀ·Σ⁻¹·e)."""
    whitened = torch.linalg.solve(covariance, errors[..., None])
    return (errors[..., None] * whitened).sum((-2, -1)).sqrt()


claims = ellipses(means, aleatoric)
known_claims = ellipses(known_means, known_aleatoric)
factors = {name: off(known, cov).square().mean() / 2 for name, cov in known_claims.items()}

# %%
fig, (left, right) = viz.row(2, sharey=True)
for (name, covariance), look in zip(claims.items(), (viz.RIGHT, viz.LEFT), strict=True):
    grid = torch.linspace(0.05, 0.95, 19).tolist()
    left.plot(grid, calibration.coverage(errors, covariance, grid), label=name, **{**look, "markevery": 3})  # fmt: skip
    right.plot(grid, calibration.coverage(errors, factors[name] * covariance, grid), **{**look, "markevery": 3})  # fmt: skip
for ax, title in ((left, "as claimed"), (right, "times one factor")):
    ax.plot([0, 1], [0, 1], **{**viz.UNCOUNTED, "marker": ""})
    ax.set(xlabel="claimed share", title=title)
left.set_ylabel("share of errors inside")
left.legend(loc="upper left")
viz.headline(fig, "Dropout's ellipse for nine errors of ten holds one of fifty")
viz.show(
    fig,
    alt="Share of errors inside of an ellipse against the share that it claims, as claimed on the left and multiplied by one factor on the right. As claimed, dropout's spread stays "
    "near 0 throughout. Both parts together lie above the diagonal up to about 0.9 on either side, and cross it there. With the factor dropout's lies far above the diagonal.",
)

# %% measured=true
for name, key in (("spread", "spread"), ("both", "total")):
    like_the_table(f"08.factor_{name}", f"{name}: factor", factors[name], "kept", key, "scale")  # fmt: skip
    for kind, covariance in (("raw", claims[name]), ("scaled", factors[name] * claims[name])):
        shares = calibration.coverage(errors, covariance, LEVELS)
        for index, level in enumerate(LEVELS):
            mark = f"08.{kind}_{name}_{100 * level:.0f}"
            like_the_table(mark, f"    {kind}, {level:g}: holds", shares[index], "kept", key, "same", kind, lambda row, index=index: row[index])  # fmt: skip

# %% [markdown]
# Dropout's ellipse for nine errors of ten holds 2 %<!--08.raw_spread_90-->. Its variance has to be multiplied by 450<!--08.factor_spread-->, its σ by twenty, and then
# that for a half holds 77 %<!--08.scaled_spread_50--> and that for 95 of 100 holds 94 %<!--08.scaled_spread_95-->: one factor mends a size and not a shape. With the aleatoric part they hold 72 %<!--08.raw_both_50-->, 91 %<!--08.raw_both_90--> and 93 %<!--08.raw_both_95-->, with nothing fitted, and a
# factor of 0.97<!--08.factor_both--> is as good as none. That is the peaks' merit. Too wide in the middle and too narrow far out: errors have gross ones among them, and no normal ellipse has.

# %% [markdown]
# ## Rate, place, and number of samples
#
# Perhaps it was our choice of layer. The table has other rates on the deepest features, dropout on the last features before the heads, and dropout after every block; and with the layer of ours, fewer samples.

# %%
OTHERS = {
    "p = 0.05": ("deep", 0.05), "p = 0.2": ("deep", 0.2), "p = 0.5": ("deep", 0.5),
    "last features": ("features", 0.2), "every block": ("every", 0.1),
}  # fmt: skip
fig, (left, right) = viz.row(2)
for y, (place, rate) in enumerate(OTHERS.values()):
    for name, look in (("spread", viz.RIGHT), ("peak", viz.LEFT)):
        values = recorded("ranks_same", name, "within", place=place, rate=rate)
        left.plot(values, [y] * len(values), **{**look, "linestyle": "none"})
for line, label in zip(left.get_lines()[:2], ("spread", "peak"), strict=True):
    line.set_label(label)
left.set_yticks(range(len(OTHERS)), list(OTHERS))
_ = left.set(xlabel="rank within a joint", xlim=(0, 0.45)), left.legend(loc="lower left")

# %%
CALLS = (2, 4, 10, 20)
runs = torch.stack([recorded(f"samples_{s}", "within") for s in CALLS])
right.plot(CALLS, runs, **{**viz.RIGHT, "marker": "", "linewidth": 0.6})
right.plot(CALLS, runs.mean(1), **viz.RIGHT)
right.axhline(recorded("ranks_same", "peak", "within").mean(), **{**viz.LEFT, "marker": ""})
right.set(xscale="log", xlabel="samples, at p = 0.2", ylabel="rank within a joint", ylim=(0, 0.45))
right.set_xticks(CALLS, labels=[str(s) for s in CALLS])
right.minorticks_off()
viz.headline(fig, "No rate, no place and no number of samples reaches the peak")
viz.show(
    fig,
    alt="Left: rank correlation within a joint of dropout's spread and of the peak for five networks: the peak has 0.30 to 0.35 in each; the spread 0.19 to 0.26 for rates of 0.05 to 0.5 "
    "on the deepest features, 0.06 to 0.14 elsewhere. Right: it rises with the samples from 0.13 at 2 to 0.24 at 20, below the peak's line at 0.32.",
)

# %% measured=true
RATES = {
    "p05": ((3.66, 4.01), (0.13, 0.66), (0.14, 0.27)), "p20": ((3.4, 3.7), (0.41, 0.55), (0.21, 0.26)),
    "p50": ((3.19, 4.03), (0.52, 0.57), (0.18, 0.3)), "features": ((3.13, 4.45), (0.35, 3.98), (0, 0.16)),
    "every": ((4.1, 4.3), (0.86, 1.93), (-0.06, 0.26)),
}  # fmt: skip
WHAT = {
    "error": (("same", "rms"), "px"), "spread": (("same", "epistemic"), "px"),
    "rank": (("ranks_same", "spread", "within"), ""),
}  # fmt: skip
for (mark, bounds), (name, (place, rate)) in zip(RATES.items(), OTHERS.items(), strict=True):
    for (what, (keys, unit)), between in zip(WHAT.items(), bounds, strict=True):
        runs = recorded(*keys, place=place, rate=rate)
        in_the_table(f"08.{mark}_{what}", f"{name}: {what}", runs, between, unit)
gains = recorded("samples_20", "within") - recorded("samples_10", "within")
claim(
    "08.more_samples", "table, seeds in which 20 samples beat 10", (gains > 0).sum(), between=(8, 8)
)
without = recorded("same", "rms", rate=0.0)
in_the_table("08.without", "no dropout at all: error", without, (3.44, 4.12), "px")

# %% [markdown]
# From a rate of one twentieth to one half a *fixed* layer's σ grows more than fourfold, $\sqrt{p/(1-p)}$. Our network's spread grows from 0.39<!--08.p05_spread--> to 0.55 px<!--08.p50_spread-->: with more dropped it learns to depend less on what is
# dropped. It has shortcuts past that layer. Dropout on the last features, behind which there is no shortcut, spreads by 2.2 px<!--08.features_spread--> and knows next to nothing within a joint, 0.08<!--08.features_rank-->; after every block, 1.4 px<!--08.every_spread-->
# and 0.10<!--08.every_rank-->, with an error of 4.2<!--08.every_error--> instead of 3.6 px<!--08.p20_error-->. A spread that is large because much is dropped is not a spread that knows. (These are two seeds each.) From ten samples to twenty it gains a hundredth, with each of eight seeds<!--08.more_samples-->. A variance of
# twenty is known to a third of itself, $\sqrt{2/19}$; that is not what is missing.
#
# Dropout is good for something else, for which it was made: without it the error is 3.8 px<!--08.without--> (four seeds).
# %% [markdown]
# ## Turn it yourself
#
# One person, our network, and forty answers at each of three rates, asked beforehand. How many answers does the ellipse need to come to rest? Then turn the rate: nothing about the person changes. Below the sliders are six of their pictures.

# %% measured=true
TURNED = (0.05, 0.2, 0.5)
whole = first.visible.float().mean(-1) > 0.8
hard = int(torch.where(whole, spread.median(-1).values, 0).argsort()[-5])
asked_about = {"generator": seeding.generator(11), "at_once": 512}
turned = uncertainty.mc_dropout_at_rates(network, test.images[[hard]], 40, TURNED, **asked_about)[
    :, :, 0
]
shown = test.images[hard], TURNED, turned, test.keypoints[hard]
widgets.scattered(*shown)

# %% measured=true
fig = viz.scattered_by_rate(*shown, samples=(4, 40))
viz.headline(fig, "The rate sets the spread; the person has not changed")
said = " ".join(viz.describe_scattered(*shown, samples=40, rate=rate) for rate in (0, 2))
viz.show(
    fig,
    alt=f"Six panels of one person: 4 answers above, 40 below, at rates of 0.05, 0.2 and 0.5. {said}",
)

# %% measured=true
both = uncertainty.mc_dropout_at_rates(network, test.images[:64], 20, (0.1, 0.5), **asked_about)
low, high = both.var(1).mean(-1).sqrt().flatten(1).median(1).values
claim("08.turned", "p = 0.5 over 0.1: median spread", high / low, between=(2, 5), theory=3, unit="times")  # fmt: skip

# %% [markdown]
# At a rate of 0.5<!--cited: the slider--> instead of a tenth the spread is 3 times<!--08.turned--> as large, about as on a linear layer, $\sqrt{1}$ over $\sqrt{1/9}$. (Unlike the table's networks, ours had no chance to learn with the new rate.)

# %% [markdown]
# ## Against an ensemble
#
# Four masks cost four passes. So do four networks, each trained from a seed of its own and asked without dropout. At the test the price is equal; their training costs four times as much. So a fourth contender is *one* network that has trained four times as long.

# %%
CONTENDERS = {
    "peak, 1 pass": ("network", ("ranks_same", "peak"), viz.LEFT),
    "dropout, 4 passes": ("network", ("samples_4",), viz.RIGHT),
    "dropout, 20 passes": ("network", ("samples_20",), viz.RIGHT),
    "4 networks, spread": ("ensemble", ("ranks_same", "spread"), viz.MIDDLE),
    "4 networks, peaks": ("ensemble", ("ranks_same", "peak"), viz.LEFT),
    "4 networks, both": ("ensemble", ("ranks_same", "total"), viz.MIDDLE),
    "4 × the steps, 20 passes": ("longer", ("ranks_same", "spread"), viz.RIGHT),
    "4 × the steps, peak": ("longer", ("ranks_same", "peak"), viz.LEFT),
}
# %%
fig, (left, right) = viz.row(2, sharey=True)
for y, (kind, keys, look) in enumerate(CONTENDERS.values()):
    for ax, which in ((left, "within"), (right, "caught")):
        values = recorded(*keys, which, kind=kind)
        ax.plot(values, [y] * len(values), **{**look, "linestyle": "none"})
left.set_yticks(range(len(CONTENDERS)), list(CONTENDERS))
left.set(xlabel="rank within a joint", xlim=(0, 0.45))
right.axvline(0.1, **{**viz.UNCOUNTED, "marker": ""})
right.set(xlabel="gross errors in its first tenth", xlim=(0, 0.7))
viz.headline(fig, "Trained four times as long, one network knows what four do")
viz.show(
    fig,
    alt="Two panels of marks, one row a doubt, eight networks, two ensembles or four longer trainings each. Rank correlation within a joint: one peak 0.32, four masks 0.20, twenty 0.24, four networks' spread "
    "0.30, their peaks 0.35, both 0.36; after four times the steps the spread 0.33, the peak 0.37. Gross errors in the first tenth: 0.51, 0.32, 0.37, 0.41, 0.55, 0.55, 0.40, 0.48; chance would be 0.1.",
)

# %% measured=true
for entry, between in {"rms": (3.2, 3.52), "epistemic": (1.05, 1.59)}.items():
    in_the_table(f"08.ensemble_{entry}", f"ensembles: {entry}", recorded("same", entry, kind="ensemble"), between, "px")  # fmt: skip
RANKS = {
    "peak": (0.3, 0.34), "masks_4": (0.18, 0.21), "masks_20": (0.21, 0.26), "members": (0.25, 0.34),
    "member_peaks": (0.32, 0.38), "members_both": (0.32, 0.39),
}  # fmt: skip
for (mark, between), (name, (kind, keys, _)) in zip(
    RANKS.items(), CONTENDERS.items(), strict=False
):
    runs = recorded(*keys, "within", kind=kind)
    in_the_table(f"08.cost_{mark}", f"{name}: within", runs, between)

# %% measured=true
MORE = {
    "masks_4_ause": (("samples_4", "ause"), "network", (0.32, 0.36)),
    "members_ause": (("ranks_same", "spread", "ause"), "ensemble", (0.32, 0.37)),
    "other_spread": (("ranks_same", "other_spread", "within"), "network", (0.13, 0.21)),
    "other_own": (("ranks_same", "other_own", "within"), "network", (0.17, 0.25)),
    "other_peak": (("ranks_same", "other_peak", "within"), "network", (0.32, 0.36)),
    "members_told_poses": (("told_poses", "spread"), "ensemble", (0.53, 0.58)),
    "members_told_dark": (("told_dark", "spread"), "ensemble", (0.55, 0.62)),
}
for mark, (keys, kind, between) in MORE.items():
    in_the_table(f"08.{mark}", " ".join(keys[-2:]), recorded(*keys, kind=kind), between)

# %% [markdown]
# Four networks agree less than masks do: 1.3 px<!--08.ensemble_epistemic--> instead of half a pixel. And where they disagree, they err: 0.30<!--08.cost_members--> within a joint, for 0.20<!--08.cost_masks_4--> with four masks and 0.24<!--08.cost_masks_20--> with twenty. Their mean is
# also better, 3.4 px<!--08.ensemble_rms-->. So at equal cost of asking the ensemble ranks better within a joint; in AUSE it does not, 0.35<!--08.members_ause--> to 0.34<!--08.masks_4_ause-->, and it tells a strange pose or the dark from the usual with 0.56<!--08.members_told_poses--> and
# 0.59<!--08.members_told_dark-->, less often than dropout. And it has paid with three more trainings. *One* network that had them all errs by 3.2 px<!--08.longer_rms-->, and its twenty samples have 0.33<!--08.longer_spread-->. And still *one* peak of *one* young
# network has 0.32<!--08.cost_peak-->. Four peaks have 0.35<!--08.cost_member_peaks-->, and with the disagreement on top 0.36<!--08.cost_members_both-->: the best that we found. (Two ensembles of a thousand people, so the last digit is a guess. A longer trained one has 0.37<!--08.longer_peak--> with its peak alone.)
#
# **The other head.** The regression that came along shows the same: dropout's spread ranks its errors with 0.17<!--08.other_spread--> within a joint, its own learnt σ with 0.21<!--08.other_own-->, and the peaks of its neighbour with 0.34<!--08.other_peak-->.

# %% [markdown]
# ## Exercise 5 · A radius that needs no σ ●●○ · 7 minutes, stretch
#
# Take $n$ scores of people that training has not seen: distances, or distances over some σ, however wrong. A new score is as likely to be the largest of all $n + 1$ as any other, or the second largest, and so on. So the
# $k$-th smallest of the $n$, with $k = \lceil (n + 1) \cdot \text{level} \rceil$, is not exceeded with a probability of at least the level. No Gaussian, no Bayes: only that the new one is of the same kind, **exchangeable**.


# %% exercise="uncertainty.conformal_radius" dots=2 minutes=7 points=2
def conformal_radius(scores, level):
    """Return the radius that a new score stays within with a probability of at least `level`.

    The k-th smallest of the n scores, k = ⌈(n + 1)·level⌉; infinite for k > n.

    Args:
        scores: float tensor (n), without order.
        level: between 0 and 1.

    Returns:
        float tensor (), of the scores' precision.
    """
    k = math.ceil((len(scores) + 1) * level)
    if k > len(scores):
        return torch.tensor(math.inf, dtype=scores.dtype)
    return scores.sort().values[k - 1]


# %% check="uncertainty.conformal_radius"
checks.uncertainty.conformal_radius.check(conformal_radius)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `math.ceil`, and a sort. Counting begins at 0: the k-th smallest is `ordered[k - 1]`.
# </details>
#
# <details><summary>Hint 2</summary>
#
# With 5 scores and a level of .9, k is 6. There is no sixth, and no finite radius that could be promised.
# </details>
#
# <details><summary>Help: I get <i>list index out of range</i> or <i>index … is out of bounds</i></summary>
#
# k is larger than n: return infinity, `scores.new_tensor(math.inf)`.
# </details>

# %%
conformal_radius = checks.uncertainty.conformal_radius.best()
trials = torch.randn(4000, 40, generator=random).abs() ** 3  # anything but Gaussian
inside = [float(row[-1] <= conformal_radius(row[:-1], 0.9)) for row in trials]
radius = conformal_radius(off(known, known_claims["both"]), 0.9)
crowds = {"like those": (errors, claims["both"])}
crowds |= {name: (e, ellipses(m, noise)["both"]) for name, (e, _, noise, _, m) in strangers.items()}
kept = {name: (off(e, cov) <= radius).float().mean() for name, (e, cov) in crowds.items()}
plain = conformal_radius(known_away, 0.9)  # one radius for everybody, in pixels
held = {name: (e.norm(dim=-1) <= plain).float().mean() for name, (e, _) in crowds.items()}

# %% measured=true
share = sum(inside) / len(inside)
claim("08.conformal_toy", "39 cubes: the next is inside", share, between=(0.88, 0.92), theory=36 / 40)  # fmt: skip
for name, key in (("like those", "same"), ("poses", "poses"), ("dark", "dark")):
    like_the_table(f"08.kept_{key}", f"{name}: inside", kept[name], "kept", "total", key, "conformal")  # fmt: skip
    like_the_table(f"08.held_{key}", "    of one radius", held[name], "kept", "constant", key, "conformal")  # fmt: skip

# %% [markdown]
# For 39 cubes of normals it is 0.900<!--08.conformal_toy-->, for 0.9<!--cited: 36 of 40--> promised. For people like those of the calibration 0.92<!--08.kept_same-->: kept, and a little more, since 256 people are few, and happened to be the harder ones. (Strictly, nothing was promised: the
# keypoints of one person are kept or missed together, so they are not exchangeable one by one. One score a person would be.) For **strange poses it falls to 0.84<!--08.kept_poses-->**: one error in six is outside of a radius for nine in ten, and nothing in the formula
# warns. In the dark it holds, 0.93<!--08.kept_dark-->, because the doubts notice the dark and widen the ellipse: one radius in pixels for everybody falls to 0.87<!--08.held_dark--> there. A conformal radius makes the *size* of a doubt honest, for people of one kind.
# What the doubt does not notice, it cannot know either.

# %% [markdown]
# ## Break it: `model.train()`
#
# The shortest way to switch dropout on is to put the whole network into training mode. Nothing crashes, answers scatter, tests of shape pass. But batch norm now takes mean and variance from the pictures at hand, and *moves those that it has stored*. No
# weight changes; the network was only asked, twenty times, about one person in the dark.

# %%
broken = copy.deepcopy(network).train()
with torch.no_grad(), seeding.fork(seeding.generator(3)):
    for _ in range(20):
        broken(strange["dark"].images[:1])
_ = broken.eval()
asked_right = copy.deepcopy(network)
_ = mc_dropout(asked_right, strange["dark"].images[:1], 20, generator=seeding.generator(3))


def moved(other):
    """Return how far a network's answers about the test people are from those before, RMS."""
    return rms((other.predict(test.images) - network.predict(test.images))[mask])


# %%
def company(images, neighbours):
    """Return where batch norm in training mode sees the first picture's keypoints, beside these neighbours."""
    model = copy.deepcopy(network).train()
    for layer in model.modules():
        if isinstance(layer, nn.Dropout2d):
            layer.eval()
    batch = torch.cat([images[:1], neighbours[1:32]])
    with torch.no_grad():
        return painter.read(model(batch).first).keypoints_px[0]


beside = company(test.images, test.images), company(test.images, strange["dark"].images)

# %% measured=true
claim("08.moved", "asked with train(): later answers move by", moved(broken), between=(0.5, 6), unit="px")  # fmt: skip
worse = rms((broken.predict(test.images) - test.keypoints)[mask]) / rms(errors)
claim("08.harmed", "    their error is times", worse, between=(1.02, 3))
claim("08.company", "one picture, other neighbours: moves by", rms(beside[0] - beside[1]), between=(0.1, 20), unit="px")  # fmt: skip
claim("08.repaired", "asked with your context: move by", moved(asked_right), between=(0, 0), theory=0, unit="px")  # fmt: skip

# %% [markdown]
# Nobody trained, and later answers have moved by 2.4 px<!--08.moved-->; their error is 1.2 times<!--08.harmed--> what it was. And while asking, a picture's answer depends on the pictures beside it: 1.0 px<!--08.company--> with others. With your context no
# answer changes<!--08.repaired-->. A test with one batch, in which all outputs have the right shape and do scatter, sees nothing of this. Compare the network *before and after* asking.

# %% [markdown]
# ## Quiz
#
# <details><summary><b>1.</b> You train with four times the data and the same dropout rate, and the spread of the samples stays what it was. This means <b>A</b> that the new data taught nothing, <b>B</b> that dropout is broken, <b>C</b> nothing yet</summary>
#
# **C.** The rate sets the scale of the spread. On a linear layer whose weights are settled, $n$ does not move it.
#
# *A:* the spread cannot say that. Look at the error on people that it has not seen. *B:* it does what its formula says. It was not made to count examples.
# </details>
#
# <details><summary><b>2.</b> A paper reports a correlation of .45 between its uncertainty and the error. This is <b>A</b> poor, <b>B</b> good, <b>C</b> not to be judged without more</summary>
#
# **C.** Ask for the ceiling of a perfect σ with that spread, for the correlation within joints, and for what a peak's height has.
#
# *A:* where σ varies little, .45 may be all there is. *B:* where a constant for each joint has .4, it is little.
# </details>
#
# <details><summary><b>3.</b> A conformal radius was fitted on people who stand and walk. Of people who squat it will hold <b>A</b> at least the level, <b>B</b> perhaps less, <b>C</b> more, since they are rare</summary>
#
# **B.** They are not exchangeable with those. Ours fell below its promise.
#
# *A:* the promise needs no distribution, but the *same* one. *C:* being rare makes nothing easier.
# </details>

# %% [markdown]
# ## Take away
#
# - On a linear layer dropout's variance is $\tfrac{p}{1-p}\sum w^2x^2$: 1.0<!--08.hundredfold--> of it is left with a hundred times the data, where a Bayesian has 0.006<!--08.bayes-->. Its scale is the rate, which we chose.
# - One pass and the height of its peak rank errors better than twenty passes with dropout, 0.33<!--08.within_peak--> to 0.23<!--08.within_spread--> within a joint; in a network trained four times as long 0.37<!--08.longer_peak--> to 0.33<!--08.longer_spread-->.
# - Dropout's ellipse for nine errors of ten holds 2 %<!--08.raw_spread_90-->. It notices what is covered and what is dark; strange poses, which make errors 1.3 times<!--08.error_poses--> as large, it tells apart with 0.58<!--08.told_poses_spread-->, and one half is chance.
# - At equal cost of asking an ensemble ranks better within a joint, 0.30<!--08.cost_members--> to 0.20<!--08.cost_masks_4-->, and not in AUSE. One network with all of its training errs less, 3.2 px<!--08.longer_rms-->, and ranks as well.
# - A conformal radius keeps its promise for people like those it was made from: 0.84<!--08.kept_poses--> instead of 0.9<!--cited: what was asked for--> for strange poses.
#
# **Still open.** Rates that are learnt from data (concrete dropout), which should shrink where ours cannot. Networks that are larger, converged, and without shortcuts past the dropout: from 500 to 2000 steps the peak's lead fell to a third. Whether anything cheap notices a strange pose.
#
# **Our world and COCO.** Strange there means more than three families of poses that we left out: other cameras, crowds, drawings. Labels are noisy, so that a part of what looks like doubt is the annotators'. Our network has learnt for fifteen seconds; a converged one
# errs less often and more grossly, and what ranks its errors has to be measured anew.

# %% [markdown]
# ## Reading
#
# - Y. Gal and Z. Ghahramani, *Dropout as a Bayesian Approximation*, 2016; Y. Gal, J. Hron and A. Kendall, *Concrete Dropout*, 2017: a rate that is learnt.
# - I. Osband, *Risk versus Uncertainty in Deep Learning: Bayes, Bootstrap and the Dangers of Dropout*, 2016: the spread that does not shrink with data.
# - A. Kendall and Y. Gal, *What Uncertainties Do We Need in Bayesian Deep Learning for Computer Vision?*, 2017, equation 9: the two parts.
# - B. Lakshminarayanan et al., *Simple and Scalable Predictive Uncertainty Estimation using Deep Ensembles*, 2017.
# - E. Ilg et al., *Uncertainty Estimates and Multi-Hypotheses Networks for Optical Flow*, 2018: sparsification and AUSE.
# - J. Lei et al., *Distribution-Free Predictive Inference for Regression*, 2018, section 2.2: conformal radii.
#
# Next: **09 Geometric constraints.** Bones do not stretch.

# %% [markdown] only="solution"
# ## For the instructor
#
# | minute | what happens |
# |---|---|
# | 0 | Twenty answers that agree: who would trust them? |
# | 4 | Predictions, in silence |
# | 8 | The screen of theory; the loss over masks on the board, in two lines: the spread is a penalty |
# | 15 | Exercises 1 and 2 |
# | 31 | Theory against measurement: dropout and Bayes |
# | 35 | Exercise 3; what each part notices: let the class guess each column first |
# | 45 | The ceiling; exercise 4 |
# | 55 | Does the spread rank? Vote before the reveal. What a reviewer meets |
# | 62 | Ellipses; rates; the ensemble: at which cost is it equal? |
# | 68 | The slider; break it |
# | 72 | Quiz; take-aways. The conformal radius is homework |
#
# Expected wrong answers: a hundredth for the first prediction, "the spread of 20 samples" for the second, too much for the third. In the exercises: `model.train()`, modes not given back after an error, the division by S, the rest divided by all n.
# In 50 minutes: give exercise 2, leave out rates and ellipses, and show the ensemble's figure without words.
