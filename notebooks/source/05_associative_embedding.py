# ---
# posecourse:
#   minutes: 75
#   budget_cpu_seconds: 90
# ---

# %% [markdown]
# # 05 Associative embedding: whose elbow is this?
#
# **By the end you will have shown that a network can sort the keypoints of a crowd into people by giving
# each of them one number that nobody has defined; that two losses make these numbers, and what
# becomes of them if one of the two is missing; and how much of what still goes wrong is seeing, and
# how much is sorting.**
#
# | | |
# |---|---|
# | Time | 75 minutes |
# | Price | about a minute of one laptop core |
# | You need | lessons 01 and 04: heatmaps, masks |
# | You will be able to explain | the figure of one crowd, first as dots, then as colours, then as people |
#
# Finding an elbow is one question. Whose it is, is another.

# %%
import json

import torch
from scipy.optimize import linear_sum_assignment

from posecourse import checks, coco, decode, grouping, metrics, models, paths, people
from posecourse import seeding, train, viz, widgets
from posecourse.lesson import Todo, claim, predict, reveal

viz.use_style()
random = seeding.generator(0)

# %% [markdown]
# ## A number that looks wrong
#
# Here are crowds in which we know every keypoint exactly. There is nothing left to detect. We only have to say whose
# each one is, and take the person who is nearest: the one with the nearest middle of the body.

# %%
N, K, TORSO = 4, 17, [5, 6, 11, 12]


def street(count, seed, overlap):
    """Draw crowds in which the boxes of neighbours have this share in common."""
    options = {"people": (3, N), "occluders": 0.1, "truncation": 0.1, "facing": 0.8}
    scenes = people.draw_scenes(count, seeding.generator(seed), overlap=overlap, **options)
    return people.render(scenes, (128, 128))


def nearest_body(sample):
    """Return for every keypoint (B N K) the place of the person whose torso has the nearest middle."""
    middles = sample.keypoints[..., TORSO, :].mean(-2)
    apart = torch.cdist(sample.keypoints.flatten(1, 2), middles)
    return torch.where(sample.present[:, None], apart, torch.inf).argmin(-1).unflatten(1, (N, K))


crowds = street(96, seed=3, overlap=0.5)
counted = crowds.labelled & crowds.present[..., None]
sorted_wrongly = (nearest_body(crowds) != torch.arange(N)[:, None]) & counted

# %%
busy = int(sorted_wrongly.sum((-2, -1)).argmax())
owner = nearest_body(crowds)[busy]
fig, (left, right) = viz.row(2)
for ax in (left, right):
    viz.image(ax, crowds.images[busy])
for person in crowds.present[busy].nonzero()[:, 0].tolist():
    points, mine = crowds.keypoints[busy], counted[busy]
    viz.draw_group(left, points[person], mine[person], crowds.skeleton, person)
    taken = (owner == person) & mine  # of several left elbows it takes the first
    theirs = points.gather(0, taken.int().argmax(0)[None, :, None].expand(1, K, 2))[0]
    viz.draw_group(right, theirs, taken.any(0), crowds.skeleton, person)
viz.draw_prediction(right, points.flatten(0, 1), sorted_wrongly[busy].flatten(), size=4)
left.set_title("by the truth")
right.set_title("by the nearest body (crosses: wrong)")
viz.headline(fig, "Every keypoint is exact, and many are on the wrong person")
viz.show(
    fig,
    alt="One crowd of people who overlap, twice. Left: their skeletons, each in its colour with a letter. Right: the same "
    "keypoints sorted by the nearest body: limbs run from one person to another, and crosses mark many keypoints.",
)

# %% measured=true
share = sorted_wrongly.sum() / counted.sum()
claim("05.nearest", "keypoints given to the wrong body", share, between=(0.18, 0.36))

# %% [markdown]
# A quarter of all keypoints<!--05.nearest--> goes to somebody else. Places alone do not tell, and a smarter rule about places meets
# the next hug. So let the network say it: beside each place, a **tag**.

# %% [markdown]
# ## Predict
#
# *The tags of two people are free numbers, drawn by lot, seventeen each. We descend the loss that pulls one person's tags together, and no
# other loss. Where do they end?*

# %%
ENDS = (
    "each person at the mean it began with",
    "all at one number",
    "all at zero",
    "they never come to rest",
)
predict("05.pull", "all at one number", options=ENDS)

# %% [markdown]
# *Every tag is perfect: within a person all are equal, and two people are a million apart. How large is the push
# loss of mmpose, the most used code base, for two people with tags of one number?*

# %%
predict("05.floor", 0.0)

# %% [markdown]
# *A network finds keypoints and sorts them. In its worst crowds, which is the dearer half: if the truth replaced one of
# them, which would raise the score more?*

# %%
HALVES = ("finding", "sorting")
predict("05.dearer", "sorting", options=HALVES)

# %% [markdown]
# ## Theory on one screen
#
# Person $n$ has keypoints $k$ with tags $t_{nk}$ of $D$ numbers each. Split each tag into the person's mean and the rest, $t_{nk} = \bar t_n + \delta_{nk}$:
#
# $$\text{pull} = \operatorname*{mean}_n\ \operatorname*{mean}_k\ \lVert\delta_{nk}\rVert^2
# \qquad
# \text{push} = \operatorname*{mean}_{n \ne m}\ \max(0,\ M - \lVert\bar t_n - \bar t_m\rVert)^2 .$$
#
# No truth stands in these formulas. They ask for a *difference*, and leave the number to the network.
#
# **On free tags the two do not see each other.** The $\delta$ of a person add up to 0, so the pull moves no mean; the push
# depends on means only, so it moves all tags of a person alike. Gradient descent with rate $\eta$ has an exact law for each:
#
# | | what it changes | by which factor each step | what it leaves |
# |---|---|---|---|
# | pull | every $\delta_{nk}$ | $1 - 2\eta/(NK)$ | the means |
# | push, two people | the lack $M - \lVert\bar t_1 - \bar t_2\rVert$ | $1 - 4\eta/K$ | every $\delta$ |
#
# **When is sorting safe?** If every tag is within $r$ of its person's mean, and two means are at least $M$ apart, then a group
# that is pure so far is at most $2r$ from its own next keypoint, and at least $M - 2r$ from a stranger's. Any threshold
# between makes no mistake; $M/2$ is one as long as $r < M/4$.
#
# | symbol | in code | meaning |
# |---|---|---|
# | $t$, $D$ | `tags` (…, N, K, D) | what the network says about whose it is |
# | $\bar t_n$ | `mean` | a person's mean tag |
# | $M$ | `margin` | from which distance on the push is content |
# | $\theta$ | `threshold` | how far a tag may be from the group that it joins |
# | $N$, $K$ | `N`, `K` | people, keypoints |

# %% [markdown]
# ## Exercise 1 · The pull ●●○ · 8 minutes
#
# A batch of pictures comes in one tensor. Some places are empty, and some keypoints have no label.


# %% exercise="grouping.pull_loss" dots=2 minutes=8 points=2
def pull_loss(tags, mask):
    """Return how far the tags of a person are from their mean, over the people of each image.

    mean over people of mean over their labelled keypoints of ‖t − t̄‖²

    What stands at places without a label, NaN included, changes neither the loss nor its gradient.

    Args:
        tags: float tensor (..., N, K, D), any number of axes first; you train through it, so gradients count.
        mask: boolean tensor (..., N, K), which keypoints are labelled. A person without any does not count.

    Returns:
        float tensor (...), one number an image; 0 where nobody is labelled.
    """
    tags = torch.where(mask[..., None], tags, 0)
    labelled = mask.sum(-1).clamp(min=1)
    mean = tags.sum(-2) / labelled[..., None]
    squared = ((tags - mean[..., None, :]) ** 2).sum(-1)
    person = torch.where(mask, squared, 0).sum(-1) / labelled
    return person.sum(-1) / mask.any(-1).sum(-1).clamp(min=1)


# %% check="grouping.pull_loss"
checks.grouping.pull_loss.check(pull_loss)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# As in lesson 04: choose first, `torch.where(mask[..., None], tags, 0)`. Then a person's mean is a sum over
# `dim=-2`, divided by how many are labelled.
# </details>
#
# <details><summary>Hint 2</summary>
#
# Two means are nested: over the labelled keypoints of a person, then over the people who have any. Both counts come from the
# mask, and both can be 0: `.clamp(min=1)`.
# </details>
#
# <details><summary>Help: I get <i>The size of tensor a (4) must match the size of tensor b (3)</i></summary>
#
# The mean of a person is (…, N, D) and the tags are (…, N, K, D). Give the mean an axis for the keypoints:
# `mean[..., None, :]`.
# </details>

# %% [markdown]
# ## Exercise 2 · The push ●●○ · 10 minutes


# %% exercise="grouping.push_loss" dots=2 minutes=10 points=2
def push_loss(tags, mask, margin):
    """Return how much closer than a margin the mean tags of two people are, over the pairs of each image.

    mean over pairs n ≠ m of max(0, margin − ‖t̄_n − t̄_m‖)²

    What stands at places without a label, NaN included, changes neither the loss nor its gradient.

    Args:
        tags: float tensor (..., N, K, D), any number of axes first; you train through it, so gradients count.
        mask: boolean tensor (..., N, K), which keypoints are labelled. A person without any does not count.
        margin: M, a positive number.

    Returns:
        float tensor (...), one number an image; 0 where fewer than two people are labelled.
    """
    labelled = mask.sum(-1)
    mean = torch.where(mask[..., None], tags, 0).sum(-2) / labelled.clamp(min=1)[..., None]
    apart = torch.linalg.vector_norm(mean[..., :, None, :] - mean[..., None, :, :], dim=-1)
    there = labelled > 0
    pairs = there[..., :, None] & there[..., None, :] & ~torch.eye(mask.shape[-2], dtype=torch.bool)
    cost = torch.where(pairs, (margin - apart).clamp(min=0) ** 2, 0)
    return cost.sum((-2, -1)) / pairs.sum((-2, -1)).clamp(min=1)


# %% check="grouping.push_loss"
checks.grouping.push_loss.check(push_loss)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# First the means, (…, N, D). All differences at once: `mean[..., :, None, :] - mean[..., None, :, :]` is (…, N, N, D).
# </details>
#
# <details><summary>Hint 2</summary>
#
# Which of the N × N entries count? Both people have a label, and they are two: `& ~torch.eye(N, dtype=torch.bool)`. Take the distance
# with `torch.linalg.vector_norm(…, dim=-1)`.
# </details>
#
# <details><summary>Help: I get <code>of the gradient, at … it gives nan</code></summary>
#
# There is a root of 0 on the diagonal. Its slope is infinite, and infinity times the mask's 0 is NaN. PyTorch's norm knows
# this case, and `sqrt` does not.
# </details>

# %%
pull_loss, push_loss = checks.grouping.pull_loss.best(), checks.grouping.push_loss.best()
tags, mask = torch.randn(5, N, K, 2, generator=random), torch.rand(5, N, K, generator=random) < 0.7
assert torch.allclose(pull_loss(tags, mask), grouping.pull_loss(tags, mask))
assert torch.allclose(push_loss(tags, mask, 1.0), grouping.push_loss(tags, mask, margin=1.0))

# %% [markdown]
# ## Theory against measurement
#
# Two people, seventeen free tags each, drawn by lot. Three runs of gradient descent begin at the same place: one with the pull alone, one with the push
# alone, one with both. Lines are the two laws; nothing is fitted.


# %%
def descend(start, loss, rate, steps):
    """Follow the gradient, and return where it has been: (steps + 1, …)."""
    path, now = [], start.clone()
    for _ in range(steps + 1):
        path.append(now)
        now = now.detach().requires_grad_()
        now = (now - rate * torch.autograd.grad(loss(now), now)[0]).detach()
    return torch.stack(path)


STEPS, everyone = 60, torch.ones(2, K, dtype=torch.bool)
LOSSES = {
    "pull": lambda t: pull_loss(t, everyone),
    "push": lambda t: push_loss(t, everyone, 1.0),
    "both": lambda t: pull_loss(t, everyone) + push_loss(t, everyone, 1.0),
}
start = 0.3 * torch.randn(2, K, 1, generator=random, dtype=torch.float64)
paths_of = {name: descend(start, loss, 1.0, STEPS) for name, loss in LOSSES.items()}

# %%
LOOKS = dict(zip(LOSSES, (viz.LEFT, viz.RIGHT, viz.MIDDLE), strict=True))
step = torch.arange(STEPS + 1)


def spread_and_lack(path):
    """Return how far tags are from their means, RMS, and what the two means lack to the margin, for each step."""
    mean = path.mean(-2, keepdim=True)
    lack = 1 - (mean[:, 0] - mean[:, 1]).norm(dim=-1)[:, 0]
    return (path - mean).square().mean((-3, -2, -1)).sqrt(), lack


fig, panels = viz.row(2)
laws = (1 - 2 / (2 * K), 1 - 4 / K)
for ax, which, law in zip(panels, (0, 1), laws, strict=True):
    for name, path in paths_of.items():
        values = spread_and_lack(path)[which]
        dots = {**LOOKS[name], "linestyle": "none", "markevery": (3 * len(name) % 5, 6)}
        ax.plot(step, values, label=name, **dots)
    ax.plot(step, values[0] * law**step, **{**viz.UNCOUNTED, "marker": ""})
    ax.axhline(values[0], **{**viz.UNCOUNTED, "marker": ""})
    ax.set(yscale="log", xlabel="step")
panels[0].set_ylabel("distance from the mean, RMS")
panels[1].set_ylabel("lack, M − distance of the means")
panels[0].legend(loc="lower left")
viz.headline(fig, "Pull and push each do one thing, as if the other were not there")
viz.show(
    fig,
    alt="Two quantities over 60 steps on a logarithmic scale. Left: the distance of tags from their mean falls along a straight "
    "line with the pull and with both, and stays level with the push. Right: what the means lack to the margin falls along a "
    "steeper line with the push and with both, and stays level with the pull. All marks are on the lines.",
)

# %% measured=true
for name, theory in (("pull", laws[0]), ("push", laws[1])):
    for run in (name, "both"):
        values = spread_and_lack(paths_of[run])[name == "push"]
        factor = float(values[20] / values[0]) ** (1 / 20)
        claim(
            f"05.{name}_in_{run}", f"{name}'s factor, descending {run}", factor, theory=theory,
            between=(round(theory - 1e-4, 5), round(theory + 1e-4, 5)),
        )  # fmt: skip
moved = (paths_of["pull"][-1].mean(-2) - start.mean(-2)).abs().max()
claim("05.stays", "pull alone: how far a mean has moved", moved, between=(0, 1e-9), theory=0)
_ = reveal("05.pull", ENDS[0])

# %% [markdown]
# So on free tags there is *no* collapse: the pull leaves each person at the mean that it began with. If you have read that the push is there to
# prevent a collapse, you have read of networks, and a network's tags are not free.

# %% [markdown]
# ## Where the collapse comes from
#
# The last layer of a network computes tags: for each keypoint $k$ it has weights $w_k$, and $t_{nk} = w_k \cdot f_{nk}$ with the features $f$ of
# that place. One set of weights serves all people in all pictures. In a toy, a feature has a part that the person's keypoints share, a part that is the keypoint's,
# and noise.
#
# Now the pull alone is a linear problem. With $S$ the scatter of the features within people, each step multiplies the weights by $1 - 2\eta S$. Noise
# makes $S$ positive definite, so **every weight goes to 0, and with it every tag**. That is the collapse.

# %%
B, C, RATE, STEPS = 24, 8, 0.5, 600


def draw(*shape):
    """Draw standard normal numbers in float64."""
    return torch.randn(*shape, generator=random, dtype=torch.float64)


features = draw(B, 3, 1, C) + draw(K, C) + 0.3 * draw(B, 3, K, C)
weights, seen = 0.1 * draw(K, C), torch.ones(B, 3, K, dtype=torch.bool)


def tags_of(w):
    """Return the tags (B N K 1) that weights (K C) make of the features."""
    return (features * w).sum(-1, keepdim=True)


LOSSES = {
    "pull": lambda w: pull_loss(tags_of(w), seen).mean(),
    "push": lambda w: push_loss(tags_of(w), seen, 1.0).mean(),
    "both": lambda w: (pull_loss(tags_of(w), seen) + push_loss(tags_of(w), seen, 1.0)).mean(),
}
runs = {name: descend(weights, loss, RATE, STEPS) for name, loss in LOSSES.items()}

# %%
fig, panels = viz.row(3, sharey=True)
for ax, (name, path) in zip(panels, runs.items(), strict=True):
    lines = torch.stack([tags_of(w)[0, ..., 0] for w in path])  # of one picture: (steps, N, K)
    for person, look in enumerate((viz.LEFT, viz.RIGHT, viz.MIDDLE)):
        ax.plot(
            torch.arange(1, len(lines) + 1),
            lines[:, person],
            **{**look, "marker": "", "linewidth": 0.7},
        )
    ax.set(xscale="log", xlabel="step", title=name if name == "both" else f"{name} alone")
panels[0].set(ylabel="tag", ylim=(-2.6, 2.6))
viz.headline(fig, "Pull alone: one tag for all. Push alone: every keypoint its own")
viz.show(
    fig,
    alt="The tags of three people of one picture, seventeen lines each, over the steps of a descent. With the pull alone all lines "
    "run to 0. With the push alone they spread out and cross. With both they make three bundles.",
)


# %% measured=true
def within_and_between(w):
    """Return the RMS distance of tags from their mean, and the mean distance between two people's means."""
    mean = tags_of(w).mean(-2)
    pairs = torch.cdist(mean, mean)[:, [0, 0, 1], [1, 2, 2]]
    return (tags_of(w) - mean[..., None, :]).square().mean().sqrt(), pairs.mean()


design = (features[..., None, :] * torch.eye(K, dtype=torch.float64)[..., None]).flatten(-2)
inner = design - design.mean(-2, keepdim=True)
scatter = torch.einsum("bnkc,bnkd->cd", inner, inner) / (B * 3 * K)
step = torch.linalg.matrix_power(torch.eye(K * C, dtype=torch.float64) - 2 * RATE * scatter, STEPS)
off = (step @ weights.flatten() - runs["pull"][-1].flatten()).abs().max()
claim("05.law", "pull alone: weights less (1 − 2ηS)^600 w", off, between=(0, 1e-9), theory=0)
gone = within_and_between(runs["pull"][-1])[1] / within_and_between(weights)[1]
claim("05.collapse", "pull alone: distance left of two people", gone, between=(0, 0.01), theory=0)
for name, low, high in (("push", 0.4, 3), ("both", 2, 12)):
    inside, between_people = within_and_between(runs[name][-1])
    claim(
        f"05.apart_{name}",
        f"{name}: between people over within",
        between_people / inside,
        between=(low, high),
    )
slope = torch.autograd.grad(LOSSES["both"](still := torch.zeros(K, C, requires_grad=True)), still)[
    0
].norm()
claim("05.stuck", "both, at w = 0: the slope", slope, between=(0, 0), theory=0)

# %% [markdown]
# - **Pull alone** ends at weights of 0, exactly as the law says, and its loss is *perfect*.
# - **Push alone** is content too: two people are far apart, by 1<!--05.apart_push--> time the spread within a person. No threshold sorts that.
# - **Both** compete now, since one set of weights has to serve them: 4<!--05.apart_both--> times the spread.
#
# And a trap: at weights of 0 the push has no slope either. Two equal means do not know which way to part. A head that starts at 0 stays there.

# %% [markdown]
# ## Three numbers for the same tags
#
# Everybody cites one paper, and every code base computes something else. We write the push of three of them beside ours in its Gaussian form, for
# the mean tags of $N$ people. With $d$ their distance, $G = \operatorname{mean}_{n \ne m} e^{-d^2}$:
#
# | | in words | in terms of $G$ |
# |---|---|---|
# | the paper | all $N^2$ pairs, a person with themself too, over $N^2$ | $(1 + (N - 1)\,G)/N$ |
# | its code, HigherHRNet | pairs of two, and a half | $G/2$ |
# | mmpose | all pairs *and components*, over $N(N-1)$, times its weight ½ | $D = 1$: $\tfrac12(G + \tfrac1{N-1})$ |
#
# A person with themself is $e^0 = 1$: a constant without a gradient. It moves no tag, and it decides what your loss curve ends at.


# %%
def paper(mean):
    """Newell et al. 2017, equation 2, second term, with 2σ² = 1."""
    return torch.exp(-(torch.cdist(mean, mean) ** 2)).mean()


def original_code(mean):
    """Half of the mean over pairs of two people, as pose-ae-train and HigherHRNet (for D = 1) have it."""
    n, m = torch.triu_indices(len(mean), len(mean), offset=1)
    return torch.exp(-((mean[n] - mean[m]) ** 2).sum(-1)).mean() / 2


def mmpose(mean, weight=0.5):
    """All pairs and all components, divided by the number of pairs of two, times the default weight."""
    difference = mean[:, None] - mean
    return weight * torch.exp(-(difference**2)).sum() / (len(mean) * (len(mean) - 1))


PUSHES = {"paper": paper, "original code": original_code, "mmpose": mmpose}
for D in (1, 2):
    mean = 0.8 * draw(3, D)
    G = grouping.gaussian_push_loss(mean[:, None], torch.ones(3, 1, dtype=torch.bool))
    numbers = ", ".join(f"{name} {push(mean):.3f}" for name, push in PUSHES.items())
    print(f"three people, D = {D}: G {G:.3f}, {numbers}")

# %% measured=true
mean, alone = 0.8 * draw(3, 1), torch.ones(3, 1, dtype=torch.bool)
G = grouping.gaussian_push_loss(mean[:, None], alone)
for name, theory in (
    ("paper", (1 + 2 * G) / 3),
    ("original code", G / 2),
    ("mmpose", (G + 1 / 2) / 2),
):
    off = PUSHES[name](mean) / theory
    claim(
        f"05.as_{name.split()[0]}", f"{name} over its line in the table", off,
        between=(1 - 1e-6, 1 + 1e-6), theory=1,
    )  # fmt: skip
perfect = mmpose(torch.tensor([[0.0], [1e6]]))
claim("05.floor", "mmpose, two people with perfect tags", perfect, between=(0.5, 0.5), theory=0.5)
_ = reveal("05.floor", perfect)
level = mmpose(torch.tensor([[0.0, 0.0], [1e6, 0.0]]))
claim("05.component", "mmpose, D = 2, alike in one component", level, between=(1.5, 1.5), theory=1.5)

# %% [markdown]
# mmpose's push ends at 0.5<!--05.floor--> for two perfect people and at a ninth of that for ten. And since each of its components is pushed by itself, two people who are a million apart
# in one component still cost 1.5<!--05.component-->, because the other is alike. None of this is wrong to train with. All of it is wrong to *compare*.
