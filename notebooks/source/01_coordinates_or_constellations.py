# ---
# posecourse:
#   minutes: 75
#   budget_cpu_seconds: 90
# ---

# %% [markdown]
# # 01 Regression or heatmap: coordinates or constellations?
#
# **By the end you will have shown what two networks do when a keypoint can be at two places. The one
# that is trained on coordinates answers with a place between them, where nothing is. The one that
# paints heatmaps keeps both, and you will know the price.**
#
# | | |
# |---|---|
# | Time | 75 minutes, 20 more with both stretches |
# | Price | about a minute of one laptop core, training from scratch included |
# | You need | lesson 00, a mean and a variance, a first PyTorch training loop |
# | You will be able to explain | the figure with two hands and one cross between them |
#
# Same backbone, same pictures, same number of steps: what does the *form of the answer* change?

# %%
import itertools
import json
import math
from dataclasses import replace

import torch

from posecourse import checks, coords, losses, metrics, models, paths, people
from posecourse import samples, seeding, train, viz, widgets
from posecourse.lesson import Todo, claim, predict, reveal

viz.use_style()
random = seeding.generator(0)

# %% [markdown]
# ## A number that looks wrong
#
# Below is a shadow. Does the person face you, or turn their back? Somebody else, with their back to us
# and their arms exchanged, casts the same shadow, and there left and right have changed places.
#
# We take people with their arms out, turn half of them round, and keep nothing but their shadows.


# %%
def shadows(count, seed):
    """Return shadows of people who face us or turn their backs, half of them each."""
    random = seeding.generator(seed)
    scenes = people.draw_scenes(
        count, random, poses=("cheer", "jump"), occluders=0, truncation=0, margin=(0.05, 0.15)
    )
    turned = math.pi * (torch.rand(count, 1, generator=random) < 0.5)
    scenes = replace(scenes, headings=turned + 0.15 * torch.randn(count, 1, generator=random))
    sample = people.render(people.placed(scenes, torch.full((count, 2), 0.5)), (64, 64))
    shadow = 0.9 - 0.6 * (sample.person_map > 0).float()[:, None]
    return replace(sample, images=shadow.repeat(1, 3, 1, 1))


# %%
def both_truths(sample):
    """Return keypoints (2 B K 2) in pixels: for somebody who faces us, and who does not."""
    return torch.stack([sample.keypoints, sample.keypoints[:, list(sample.skeleton.swap)]])


held_out = shadows(128, seed=2)
truths_px = both_truths(held_out)
best_px = truths_px.mean(0)
LEFT_RIGHT_WRIST = [9, 10]
apart_px = (truths_px[0] - truths_px[1]).norm(dim=-1)[:, LEFT_RIGHT_WRIST]
widest = apart_px.sum(-1).argsort(descending=True)
one, two, three = widest[:3].tolist()

# %%
fig, axes = viz.row(3)
for ax in axes:
    viz.image(ax, held_out.images[one])
for ax, keypoints in zip(axes[:2], truths_px[:, one], strict=True):
    viz.draw_skeleton(ax, keypoints, None, held_out.skeleton)
hands_px = truths_px[0, one, LEFT_RIGHT_WRIST]
axes[2].plot(*hands_px.T, **viz.UNCOUNTED)
axes[2].plot(*best_px[one].T, **{**viz.UNCOUNTED, "linestyle": "none", "markersize": 3})
viz.draw_truth(axes[2], hands_px)
viz.draw_prediction(axes[2], best_px[one, LEFT_RIGHT_WRIST])
for ax, title in zip(axes, ("one truth", "the other truth", "the best single answer"), strict=True):
    ax.set_title(title)
viz.headline(fig, "One shadow, two truths, and an answer that is neither")
viz.show(
    fig,
    alt="The shadow of a person with both arms out, three times. First with a skeleton whose left side is blue, then "
    "with left and right exchanged. Last, rings on both hands and a line from hand to hand; the best answer for either "
    "wrist is one cross in its middle, on the body.",
)

# %% measured=true
best_error_px = metrics.keypoint_error(best_px.expand_as(truths_px), truths_px)[
    :, :, LEFT_RIGHT_WRIST
]
d = apart_px.square().mean().sqrt() / 2
tenth_px = 0.1 * held_out.boxes[:, 2:].amax(-1)[:, None]
print(
    f"RMS error {best_error_px.square().mean().sqrt():.1f} px, half of the way between the hands {d:.1f} px"
)
print(
    f"within a tenth of the person: {(best_error_px <= tenth_px).float().mean():.0%} of the wrists"
)

# %% [markdown]
# No single answer has a smaller expected squared error than the cross on the right. And hardly one
# wrist is anywhere near its cross. Both numbers are true. Which of them would you report?

# %% [markdown]
# ## Predict
#
# *A keypoint is at one of two places, each as likely as the other. Network A answers with the middle.
# Network B picks one of the two. Which RMS error has B, compared with A?*

# %%
RATIO = ("smaller", "the same", "1.4 times as large", "twice as large")
predict("01.ratio", "1.4 times as large", options=RATIO)

# %% [markdown]
# *We train two networks on people who stand in the left half of the picture. One answers with
# coordinates, one with heatmaps. Then people stand 6 px further right than any of them did. Which of
# the two still finds their keypoints?*

# %%
SHIFTED = ("both", "neither", "the heatmap finds some", "the coordinates find some")
predict("01.shifted", "the heatmap finds some", options=SHIFTED)

# %% [markdown]
# ## Theory on one screen: what a loss asks for
#
# Let the picture be given, and let $p_i$ be the probability that the keypoint is at $x_i$. A network
# that is large enough, trained long enough, answers with whatever makes the *expected* loss smallest.
#
# | trained with | answer | for $-d$ and $+d$, equally likely |
# |---|---|---|
# | squared error $\lVert a - x\rVert^2$ | the mean $\sum_i p_i x_i$ | 0, where nothing is |
# | absolute error $\lvert a - x\rvert$ | the median | anything from $-d$ to $+d$ |
# | squared error in each cell of a heatmap | the mean *heatmap* $\sum_i p_i\,h(x_i)$ | two blobs, half as high |
#
# The mean of coordinates is one place. The mean of heatmaps is still a landscape. That is the whole
# difference, and we can put numbers to it:
#
# $$\text{RMSE}_{\text{mean}} = d \qquad \text{RMSE}_{\text{pick}} = \sqrt{\tfrac12\,0^2 + \tfrac12
# (2d)^2} = \sqrt2\,d .$$
#
# | symbol | in code | meaning | unit |
# |---|---|---|---|
# | $x_i$, $p_i$ | `places`, `weights` | where the keypoint can be, and how likely | px, 1 |
# | $d$ | `d` | half of the way between two places | px |
# | $\sigma$ | `sigma` | width of a target blob | cells |
# | $\tau$ | `tau` | spread of the truth, given the picture | cells |
#
# PCK, the *percentage of correct keypoints*, counts an answer as correct if it is within a given
# distance of the truth: here, a tenth of the longer side of the person's box.

# %% [markdown]
# ## Theory against measurement
#
# First the toy, in one dimension, where everything is exact. A keypoint is 6 px to the left or 6 px
# to the right. We try every answer between.

# %%
half_apart = 6.0
answers = torch.linspace(-10, 10, 401, dtype=torch.float64)
misses = (answers[:, None] - torch.tensor([-half_apart, half_apart])).abs()
rmse, mean_error = misses.square().mean(-1).sqrt(), misses.mean(-1)
found = (misses <= 2).double().mean(-1)

fig, (left, right) = viz.row(2)
left.plot(answers, rmse, label="RMS error", markevery=100, **viz.LEFT)
left.plot(answers, mean_error, label="mean error", markevery=100, **viz.RIGHT)
left.set(xlabel="answer (px)", ylabel="error (px)", ylim=(0, 13))
viz.label_ends(left)
right.plot(answers, found, markevery=100, **viz.MIDDLE)
right.set(xlabel="answer (px)", ylabel="share within 2 px", ylim=(-0.05, 1.05))
viz.headline(fig, "The answer with the least RMS error finds nothing")
viz.show(
    fig,
    alt="Left: RMS error and mean error of every answer from -10 to 10 px. The RMS error is smallest, 6 px, at 0; the "
    "mean error is flat from -6 to 6. Right: the share of correct answers is 0 around 0 and one half around -6 and 6.",
)

# %% measured=true
best = answers[rmse.argmin()]
at_place = (answers - half_apart).abs().argmin()
claim("01.mean", "squared error asks for the mean", best, between=(-0.1, 0.1), theory=0, unit="px")
claim(
    "01.rmse_mean",
    "there the RMS error is d",
    rmse.min() / half_apart,
    between=(0.99, 1.01),
    theory=1,
    unit="d",
)
if reveal("01.ratio", RATIO[2]):
    claim(
        "01.rmse_pick", "at one of the places it is √2·d", rmse[at_place] / half_apart,
        between=(1.41, 1.42), theory=2**0.5, unit="d",
    )  # fmt: skip

# %% measured=true
claim(
    "01.flat",
    "mean error does not care",
    mean_error[rmse.argmin()] - mean_error[at_place],
    between=(-0.01, 0.01),
    theory=0,
    unit="px",
)
claim(
    "01.found", "and half of the picks are right", found[at_place], between=(0.5, 0.5), theory=0.5
)

# %% [markdown]
# Whoever picks a place has an RMS error of 1.41 d<!--01.rmse_pick-->, larger than that of the one who
# never finds anything. **Heatmaps win PCK here and lose RMS error.** Whoever shows you only one of the
# two numbers has chosen for you.
#
# ### What a heatmap is, when squared error trains it
#
# The same law holds in every cell: the network answers with the mean of the targets. If the truth
# scatters with variance $\tau^2$ around a place, because annotators disagree or because the picture
# does not say more, the mean of the blobs is a wider and lower blob:
#
# $$\text{peak} = \frac{\sigma^2}{\sigma^2 + \tau^2} \qquad \text{second moment} = \sigma^2 + \tau^2 .$$
#
# We average 4000 blobs for each of several $\tau$ and look. The bounds below are six standard errors
# of such a mean.

# %%
sigma = 2.0
taus = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
cells = torch.arange(49.0)


def mean_blob(tau, count=4000):
    """Return the mean of blobs around places that scatter with standard deviation tau, (49 49)."""
    places = 24 + tau * torch.randn(count, 2, generator=random)
    row, column = (
        torch.exp(-((cells - axis[:, None]) ** 2) / (2 * sigma**2)) for axis in places.mT
    )
    return row.mT @ column / count


blobs = torch.stack([mean_blob(tau) for tau in taus])
peaks = blobs.amax((-2, -1))
profile = blobs.sum(-2) / blobs.sum((-2, -1))[:, None]
centres = (profile * cells).sum(-1, keepdim=True)
moments = (profile * (cells - centres) ** 2).sum(-1)

# %%
tau = torch.linspace(0, 3, 61)
fig, (left, right) = viz.row(2)
left.plot(tau, sigma**2 / (sigma**2 + tau**2), **{**viz.LEFT, "marker": ""})
left.plot(taus, peaks, **{**viz.RIGHT, "linestyle": "none"})
left.set(xlabel="τ, spread of the truth (cells)", ylabel="height of the peak", ylim=(0, 1.05))
right.plot(tau, sigma**2 + tau**2, label="theory", **{**viz.LEFT, "marker": ""})
right.plot(taus, moments, label="mean of 4000 blobs", **{**viz.RIGHT, "linestyle": "none"})
right.set(xlabel="τ, spread of the truth (cells)", ylabel="second moment (cells²)", ylim=(0, 14))
right.legend(loc="upper left")
viz.headline(fig, "Doubt makes a heatmap lower and wider, by a known amount")
viz.show(
    fig,
    alt="Left: the height of the mean blob falls from 1 to about 0.31 as the spread of the truth grows from 0 to 3 "
    "cells. Right: its second moment grows from 4 to 13. Measured squares lie on the curves of theory.",
)

# %% measured=true
claim("01.peak", "peak σ²/(σ² + τ²) at τ = 2", peaks[4], between=(0.47, 0.53), theory=0.5)
claim(
    "01.moment",
    "second moment σ² + τ² at τ = 2",
    moments[4],
    between=(7.46, 8.54),
    theory=8,
    unit="cells²",
)

# %% [markdown]
# At $\tau = \sigma$ the peak is 0.5<!--01.peak--> high, though every target was 1. So the height of a
# peak says how sure the network can be, and its width is *not* the network's doubt alone: the blob's
# own $\sigma^2$ is in it. Lessons 02, 03 and 06 start from these two equations.
#
# There is a catch. Two blobs are two peaks only if they are far enough apart: as soon as $d$ is below
# $\sqrt{\sigma^2 + \tau^2}$ they melt into one, in the middle, and the argmax stands there as well.


# %% measured=true
def is_one_peak(d, width=2.5):
    """Say whether two Gaussians of this width, at -d and d, are highest in the middle."""
    x = torch.linspace(-6, 6, 2401, dtype=torch.float64)
    landscape = torch.exp(-((x - d) ** 2) / (2 * width**2)) + torch.exp(
        -((x + d) ** 2) / (2 * width**2)
    )
    return bool(landscape.argmax() == 1200)


melted = max(d / 100 for d in range(200, 300) if is_one_peak(d / 100))
claim(
    "01.melt",
    "two blobs melt at d = √(σ² + τ²)",
    melted,
    between=(2.45, 2.55),
    theory=2.5,
    unit="cells",
)

# %% [markdown]
# A heatmap resolves an ambiguity only if its blobs are small against it.

# %% [markdown]
# ## One keypoint, asked for in three ways
#
# Move the keypoint. Regression is asked for a vector from a fixed reference, the middle of the
# picture. A heatmap network is asked for a whole landscape. A third kind stands between: every cell
# near the keypoint is asked for *its* way there.

# %%
FAMILIES = ("stand", "walk", "cheer", "jump", "wave", "reach")


def world(count, seed, low, high):
    """Draw people whose middle is between `low` and `high` pixels right of the picture's."""
    random = seeding.generator(seed)
    scenes = people.draw_scenes(
        count, random, poses=FAMILIES, occluders=0, truncation=0, margin=(0.22, 0.27)
    )
    x = 0.5 + (low + (high - low) * torch.rand(count, generator=random)) / 64
    centres = torch.stack([x, torch.full_like(x, 0.5)], dim=-1)
    return people.render(people.placed(scenes, centres), (64, 64))


left_half = samples.concatenate([world(128, seed, -14, 0) for seed in range(4)])
somebody, wrist_px = left_half.images[5], left_half.keypoints[5, 9]

# %%
widgets.targets(somebody, wrist_px.tolist())

# %%
fig = viz.targets(wrist_px.tolist(), somebody)
viz.headline(fig, "A vector, a few offsets, a landscape: three targets")
viz.show(fig, alt=viz.describe_targets(wrist_px.tolist(), somebody))

# %% [markdown]
# The vector is an answer relative to one **anchor**. Detectors used to regress boxes from many anchors
# of fixed sizes; *anchor-free* ones let each cell speak for itself. The offset head does that: its
# anchor is whichever cell is surest. A heatmap goes all the way, and has no anchor at all.

# %% [markdown]
# ## Exercise 1 · From points to heatmaps ●●○ · 10 minutes


# %% exercise="heatmaps.gaussian_heatmaps" dots=2 minutes=10 points=2
def gaussian_heatmaps(keypoints, size, sigma):
    """Paint a Gaussian blob of height 1 around each keypoint: h = exp(−((column − x)² + (row − y)²) / (2σ²)).

    Args:
        keypoints: float tensor (..., K, 2), (x, y) in cells; between cells as a rule.
        size: (H, W) of the maps in cells.
        sigma: σ in cells.

    Returns:
        float tensor (..., K, H, W), of the keypoints' dtype.
    """
    H, W = size
    rows = torch.arange(H, dtype=keypoints.dtype)[:, None]
    columns = torch.arange(W, dtype=keypoints.dtype)
    x, y = keypoints[..., 0, None, None], keypoints[..., 1, None, None]
    return torch.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))


# %% check="heatmaps.gaussian_heatmaps"
checks.heatmaps.gaussian_heatmaps.check(gaussian_heatmaps)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Make a column of row numbers, of shape (H, 1), and a row of column numbers, of shape (W). Their
# difference to y and to x, squared and added, is a map.
# </details>
#
# <details><summary>Hint 2</summary>
#
# Give x and y two axes of length 1 at the end, and broadcasting does the rest:
# `keypoints[..., 0, None, None]` has the shape (..., K, 1, 1).
# </details>
#
# <details><summary>Help: I get <i>The size of tensor a (8) must match the size of tensor b (5)</i></summary>
#
# Rows and columns lie along one and the same axis. The row numbers need an axis after them:
# `torch.arange(H)[:, None]`.
# </details>

# %% [markdown]
# ## Exercise 2 · And back: the largest cell ●●○ · 8 minutes


# %% exercise="heatmaps.argmax_2d" dots=2 minutes=8 points=2
def argmax_2d(heatmaps):
    """Find the cell with the largest value in each map.

    Args:
        heatmaps: float tensor (..., K, H, W).

    Returns:
        points: float tensor (..., K, 2), (x, y) in cells, of the heatmaps' dtype.
        scores: float tensor (..., K), the largest values.
    """
    scores, index = heatmaps.flatten(-2).max(-1)
    W = heatmaps.shape[-1]
    points = torch.stack([index % W, index // W], dim=-1).to(heatmaps.dtype)
    return points, scores


# %% check="heatmaps.argmax_2d"
checks.heatmaps.argmax_2d.check(argmax_2d)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `heatmaps.flatten(-2)` lays each map out in one line, row after row. `max(-1)` then gives the value
# and its place in that line.
# </details>
#
# <details><summary>Hint 2</summary>
#
# How many cells have passed when row 3 begins? The index, divided by that many a row, is the row; the
# remainder is the column. And x is the column.
# </details>
#
# <details><summary>Help: I get <i>int64 tensor … where a float64 tensor … is expected</i></summary>
#
# An index is a whole number, and a point is not: finish with `.to(heatmaps.dtype)`.
# </details>

# %% [markdown]
# ## Exercise 3 · What squared error asks for ●○○ · 6 minutes


# %% exercise="training.conditional_mean" dots=1 minutes=6 points=1
def conditional_mean(places, weights):
    """Return the point with the smallest expected squared distance to a keypoint that can be at several places.

    Args:
        places: float tensor (..., M, 2), where it can be.
        weights: float tensor (..., M), how often each place was seen; positive, of any sum.

    Returns:
        float tensor (..., 2).
    """
    return (weights[..., None] * places).sum(-2) / weights.sum(-1, keepdim=True)


# %% check="training.conditional_mean"
checks.training.conditional_mean.check(conditional_mean)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Set the derivative of $\sum_i w_i \lVert a - x_i\rVert^2$ by $a$ to zero.
# </details>
#
# <details><summary>Hint 2</summary>
#
# The weights need a last axis of length 1 before they can multiply points.
# </details>
#
# <details><summary>Help: I get <i>it gives … where … is expected</i>, and all my numbers are too large</summary>
#
# Counts do not add up to 1. Divide by their sum.
# </details>

# %% [markdown]
# ## Exercise 4 · The training loop ●●○ · 10 minutes
#
# Every network of this course is trained by this loop. `train.fit` is the same with a schedule for
# the learning rate, checkpoints, and a line that says how far it is.


# %% exercise="training.fit" dots=2 minutes=10 points=2
def fit(network, batches, loss, learning_rate):
    """Train a network in place, one step of AdamW a batch, in training mode.

    Args:
        network: a torch module.
        batches: pairs (images, target), in the order in which they are learnt from; go through them once.
        loss: loss(network(images), target) is the number to make small.
        learning_rate: of torch.optim.AdamW, whose other settings stay as they are.

    Returns:
        list of float, the loss of every batch before its step.
    """
    optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate)
    network.train()
    history = []
    for images, target in batches:
        value = loss(network(images), target)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        history.append(value.item())
    return history


# %% check="training.fit"
checks.training.fit.check(fit)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Before the loop: the optimizer, training mode, an empty list. In the loop: answer, loss, zero,
# backward, step, note.
# </details>
#
# <details><summary>Hint 2</summary>
#
# `optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate)`, then in the loop
# `optimizer.zero_grad()`, `value.backward()`, `optimizer.step()`, in this order.
# </details>
#
# <details><summary>Help: I get <i>element 0 of tensors does not require grad</i></summary>
#
# The loss was cut from the network, by `.item()`, `.detach()` or `torch.no_grad()`. Call `backward()`
# on the tensor itself, and `.item()` only for the list.
# </details>

# %% [markdown]
# ## Two networks look at shadows
#
# Both networks have the same small backbone, and learn by the loop of exercise 4, as many steps of the
# same sizes. One ends in coordinates and is trained with squared error; it keeps the grid of features,
# so it knows where each feature was. The other paints heatmaps with blobs of one cell, four pixels.
#
# Whenever a shadow is shown, a coin decides which of its two truths comes with it. So no network can
# learn by heart which way each of the shadows faced.

# %%
fit = checks.training.fit.best()
argmax_2d = checks.heatmaps.argmax_2d.best()
conditional_mean = checks.training.conditional_mean.best()
shadow_set = shadows(512, seed=1)


def batches(sample, steps, random):
    """Yield images and one of their two truths, 32 at a time."""
    for _ in range(steps):
        chosen = sample[torch.randint(len(sample), (32,), generator=random)]
        coin = torch.rand(32, 1, 1, generator=random) < 0.5
        facing, turned = both_truths(chosen)
        yield chosen.images, replace(chosen, keypoints=torch.where(coin, turned, facing))


# %%
def train_on_shadows(network):
    """Train 300 steps with the loss that the network's head knows, over labelled keypoints."""

    def mean_loss(answer, sample):
        return losses.masked_mean(network.head.loss(answer, sample), sample.labelled)

    random = seeding.generator(3)
    for steps, rate in (
        (240, 5e-3),
        (60, 1e-3),
    ):  # small steps at the end: a large last one can spoil all
        fit(network, batches(shadow_set, steps, random), mean_loss, rate)
    network.eval()


# %%
def squared_error(predicted, truth):
    """Return the squared distance, (B K)."""
    return (predicted - truth).square().sum(-1)


regression = models.build("grid", width=8, generator=seeding.generator(4))
regression.head.distance = squared_error
train_on_shadows(regression)
painter = models.build("heatmap", width=8, generator=seeding.generator(4))
train_on_shadows(painter)

# %%
with torch.no_grad():
    maps = painter(held_out.images).heatmaps
mean_px = regression.predict(held_out.images)
two_places = truths_px.movedim(0, -2)
asked_px = conditional_mean(two_places, torch.ones(two_places.shape[:-1]))
points_cell, heights = argmax_2d(maps)
picked_px = coords.cells_to_pixels(points_cell, 4.0)

# %%
parted = (picked_px[:, 9] - picked_px[:, 10]).norm(dim=-1) > apart_px[:, 0] / 2
odd_one = widest[parted[widest].int().argsort(descending=True, stable=True)[0]]
WRISTS = ((9, "x", viz.LEFT), (10, "+", viz.RIGHT))

# %%
fig, axes = viz.gallery(2, 3)
for column, index in enumerate((one, two, int(odd_one))):
    for ax, points in zip(axes[:, column], (mean_px, picked_px), strict=True):
        viz.image(ax, held_out.images[index])
        viz.draw_truth(ax, truths_px[0, index, LEFT_RIGHT_WRIST], size=14)
        for wrist, marker, look in WRISTS:
            cross = {"marker": marker, "markersize": 12, "markeredgewidth": 2.5, "zorder": 5}
            ax.plot(*points[index, wrist, :, None], **{**look, **cross})
axes[0, 0].set_title("coordinates, squared error")
axes[1, 0].set_title("heatmaps, largest cell")
viz.headline(fig, "Coordinates: between the hands. Heatmaps: on a hand, mostly the same")
viz.show(
    fig,
    alt="Three shadows with raised or spread arms, in two rows; rings on both wrists, a blue × where a network puts the "
    "left wrist, an orange + for the right. Coordinates: both lie half-way between the hands. Heatmaps: both lie on one "
    "hand, and in the last shadow on one hand each.",
)

# %% [markdown]
# Each shadow has two truths, and nothing in it decides between them. So we score against both. The
# bounds hold three standard deviations over eight trainings, and one wrist in thirty where these
# hardly differed.


# %%
def wrist_scores(points_px):
    """Return the RMS error over d, PCK, and the share of wrists put on either hand."""
    errors = metrics.keypoint_error(points_px.expand_as(truths_px), truths_px)[
        :, :, LEFT_RIGHT_WRIST
    ]
    right = errors <= tenth_px
    return errors.square().mean().sqrt() / d, right.float().mean(), right.any(0).float().mean()


# %% measured=true
best_rms, _, _ = wrist_scores(asked_px)
mean_rms, mean_pck, mean_on_a_hand = wrist_scores(mean_px)
picked_rms, picked_pck, on_a_hand = wrist_scores(picked_px)
claim("01.shadow_best", "the mean itself: RMS over d", best_rms, between=(0.999, 1.001), theory=1)
claim("01.shadow_mean", "coordinates: RMS error over d", mean_rms, between=(1, 1.01), theory=1)
claim("01.shadow_pick", "heatmap: RMS error over d", picked_rms, between=(1.4, 1.44), theory=2**0.5)

# %% measured=true
_, best_pck, best_on_a_hand = wrist_scores(asked_px)
claim("01.shadow_mean_pck", "coordinates: PCK", mean_pck, between=(0, 0.03), theory=best_pck)
claim("01.shadow_pick_pck", "heatmap: PCK", picked_pck, between=(0.48, 0.52), theory=0.5)
claim(
    "01.mean_on_a_hand",
    "coordinates: on either hand",
    mean_on_a_hand,
    between=(0, 0.06),
    theory=best_on_a_hand,
)
claim("01.on_a_hand", "heatmap: on either hand", on_a_hand, between=(0.97, 1), theory=1)
same_hand = 1 - parted.float().mean()
claim("01.same_hand", "heatmap: both wrists on one and the same hand", same_hand, between=(0.84, 1))

# %% [markdown]
# The heatmap puts nearly every wrist on a hand, and on the right one half of the time. The regression
# puts nearly none there, and neither does the exact mean. **The network that hardly ever touches a hand
# has the smaller RMS error.** It is not badly trained. It answers the question that it was asked.
#
# If the two wrists were drawn independently, both would be on the same hand half of the time. They
# are far more often. Left and right wrist are asked for one and the same landscape, so the network
# paints it twice, and in both maps the same small difference between the blobs decides.
#
# What did the heatmap paint? Both hands, each half as high as the blob that it was shown there.

# %%
fig, axes = viz.row(3)
for ax, index in zip(axes, (0, 9, 10), strict=True):
    viz.heatmap(ax, maps[one, index], limits=(0, 1), label="height", bar=index == 10)
    ax.set(xticks=[], yticks=[], title=held_out.skeleton.names[index].replace("_", " "))
viz.headline(fig, "The nose is one peak; a wrist is two")
viz.show(
    fig,
    alt="Three heatmaps of one shadow. The nose is one bright blob; the left wrist and the right wrist are each two "
    "dimmer blobs, one on either hand, and the two maps look alike.",
)

# %% measured=true
hands_cell = coords.pixels_to_cells(truths_px[:, :, LEFT_RIGHT_WRIST], 4.0)
nearest = hands_cell.round().clamp(0, 15)
miss = hands_cell - nearest
shown = torch.exp(-miss.square().sum(-1) / 2)  # a blob of σ = 1, read at that cell
x, y = nearest.long().unbind(-1)
painted = maps[torch.arange(len(maps))[:, None], torch.tensor(LEFT_RIGHT_WRIST), y, x]
in_shown = painted.mean() / shown.mean()
claim(
    "01.peak_wrist",
    "height on a hand over its blob's",
    in_shown,
    between=(0.44, 0.53),
    theory=0.5,
)

# %% [markdown]
# ## Equal budgets: five heads on one backbone
#
# Now people in full light, standing somewhere in the left half of the picture. Five networks share
# the backbone, the pictures, the order of the pictures, the optimizer and the 300 steps. Only the end
# of the network differs:
#
# | head | answers with | trained by |
# |---|---|---|
# | `pooled` | coordinates, after a mean over the grid | distance (smooth L1) |
# | `grid` | coordinates, from all cells | distance |
# | `integral` | the mean of a distribution over cells | distance |
# | `offset` | each cell's offset, and how sure it is | distance, and squared error in each cell |
# | `heatmap` | a blob for each keypoint | squared error in each cell |
#
# `integral` is the bridge: it paints a map like a heatmap network, and is trained like a regression. The
# heatmap is read between its cells, by DARK; lesson 02 shows how.
#
# All five from several seeds and with two amounts of data take longer than a class has. The course
# ships the table, with the command that makes it: `python -m benchmarks.representations`.

# %%
table = json.loads(paths.data_path("representations.json").read_text(encoding="utf-8"))
table.sort(key=lambda row: row["seed"])
for row in table:
    row["pck_6"], row["pck_12"] = row["pck_shifted"]  # people so many pixels further right
SERIES = (viz.LEFT, viz.RIGHT, viz.MIDDLE, viz.FOURTH, viz.UNCOUNTED)
HEADS = dict(zip(("heatmap", "grid", "integral", "offset", "pooled"), SERIES, strict=True))


def recorded(head, score, images=512, steps=300):
    """Return one score of a head after so many steps on so many pictures, one entry a seed."""
    chosen = (head, images, steps)
    return torch.tensor(
        [row[score] for row in table if (row["head"], row["images"], row["steps"]) == chosen]
    )


# %%
def spread(runs):
    """Say the mean over seeds and its standard error."""
    return f"{runs.mean():.3f} ± {runs.std() / len(runs) ** 0.5:.3f}"


print(f"means over {len(recorded('grid', 'pck'))} seeds ± their standard errors")
print("           trained   CPU s of   PCK within a tenth               RMS error (px)")
print("head       numbers   training   128 pictures    512 pictures     512 pictures")
for head in HEADS:
    size, seconds = (
        round(recorded(head, score).float().mean().item()) for score in ("parameters", "seconds")
    )
    scores = [recorded(head, "pck", 128), recorded(head, "pck"), recorded(head, "rmse_px")]
    print(f"{head:10} {size:7} {seconds:8}      ", "   ".join(map(spread, scores)))


# %%
def draw_runs(ax, runs, label, look, shift=0):
    """Draw means over seeds beside each other, with bars from the worst seed to the best."""
    x = torch.arange(len(runs)) + 0.04 * shift
    means = torch.stack([run.mean() for run in runs])
    below = means - torch.stack([run.min() for run in runs])
    above = torch.stack([run.max() for run in runs]) - means
    ax.plot(x, means, **look)
    ax.errorbar(x, means, (below, above), fmt="none", ecolor=look["color"], capsize=2)
    # Labels stand in one column, whatever the shift.
    beside = {**look, "linestyle": "", "marker": ""}
    ax.plot(len(runs) - 0.9, means[-1], label=label, **beside)


# %%
fig, panels = viz.row(2)
SCORES = {"pck": "PCK within a tenth", "rmse_px": "RMS error (px)"}
for ax, (score, label) in zip(panels, SCORES.items(), strict=True):
    for place, (head, look) in enumerate(HEADS.items()):
        draw_runs(ax, [recorded(head, score, 128), recorded(head, score)], head, look, place - 2)
    ax.set(xlabel="training pictures", ylabel=label)
    ax.set_xticks((0, 1), labels=(128, 512))
    viz.label_ends(ax)
viz.headline(fig, "Heatmaps lead in PCK; in RMS error the grid catches up")
viz.show(
    fig,
    alt="PCK and RMS error of five heads with 128 and 512 training pictures, means over seeds with bars from the worst "
    "to the best. In PCK heatmap and offset lie together above the other three, further with 128 pictures than with 512. "
    "In RMS error heatmap is best with 128; with 512 grid lies within its bar, and offset is worst.",
)

# %% [markdown]
# A bar reaches from the worst seed to the best, here and below.
#
# Is that more than luck? Networks of one seed start from one backbone and see the same pictures in the
# same order. So we compare them *seed by seed*, and claim only what still holds three standard errors
# to the unfavourable side of the mean. With five seeds, chance goes that far one time in fifty.


# %%
def least(differences):
    """Return the smallest mean that the seeds allow: three standard errors below theirs."""
    return differences.mean() - 3 * differences.std() / len(differences) ** 0.5


def most(differences):
    """Return the largest mean that the seeds allow."""
    return -least(-differences)


few = recorded("heatmap", "pck", 128) - recorded("grid", "pck", 128)
many = recorded("heatmap", "pck") - recorded("grid", "pck")
thrifty = recorded("heatmap", "pck", 128) - recorded("grid", "pck", 512)
many_px = recorded("heatmap", "rmse_px") - recorded("grid", "rmse_px")
nearer = recorded("grid", "error_px") - recorded("heatmap", "error_px")
closer = recorded("offset", "pck_05") - recorded("heatmap", "pck_05")
astray_px = recorded("offset", "rmse_px") - recorded("heatmap", "rmse_px")

# %% measured=true
claim("01.few", "128 pictures: heatmap leads grid in PCK by", least(few), between=(0.1, 1))
claim("01.many", "512 pictures: by", least(many), between=(0.03, 1))
claim("01.shrinks", "the lead shrinks by", least(few - many), between=(0.05, 1))
claim("01.thrifty", "heatmap, 128, less grid, 512", least(thrifty), between=(-0.03, 1))
apart = torch.maximum(most(many_px), most(-many_px))
claim(
    "01.level_px", "512 pictures: apart in RMS error by up to", apart, between=(0, 0.4), unit="px"
)
claim("01.nearer", "in mean error heatmap leads by", least(nearer), between=(0, 1), unit="px")
claim("01.votes", "within a twentieth offset leads by", least(closer), between=(0.02, 1))
claim("01.astray", "in RMS error it trails by", least(astray_px), between=(0.2, 9), unit="px")
seconds = torch.stack([recorded(head, "seconds").mean() for head in HEADS])
claim("01.seconds", "slowest over fastest", seconds.max() / seconds.min(), between=(1, 2))

# %% [markdown]
# What holds, in this small world, after 300 steps?
#
# - **Coordinates are hungry for pictures.** With 128 the heatmap leads `grid` in PCK by more than
#   0.1<!--01.few-->. It does at least about as well with them as `grid` with four times as many.
# - **With more pictures the lead shrinks**, but at least 0.03<!--01.many--> of PCK is left, and the heatmap leads in mean
#   error too. In RMS error, where a few far misses weigh most, five seeds cannot tell the two apart.
# - **Offsets are exact, or far off.** `offset` is level with the heatmap within a tenth, and ahead of it
#   within a twentieth, though both read between cells. Its misses are further off, as its RMS error says.
# - **A map alone is not enough.** `integral` has one too, but only its mean is trained. It leads `grid`
#   by a little with 128 pictures, and by nothing that five seeds can show with 512.
#
# A comparison of heads also compares how well each was trained. In an earlier edition of this table
# the heatmap was *behind* `grid` with 512 pictures: its last layer jumped at every step of Adam, until
# `models.Damped` held it back.

# %% [markdown]
# ## Where nobody has stood
#
# All these networks were trained on people whose middle is in the left half of the picture. Now the
# same kind of people stand 6 px and 12 px right of the middle.

# %%
fig, ax = viz.single()
for place, (head, look) in enumerate(HEADS.items()):
    runs = [recorded(head, "pck"), recorded(head, "pck_6"), recorded(head, "pck_12")]
    draw_runs(ax, runs, head, look, place - 2)
ax.set(xlabel="right of where training placed people (px)", ylabel="PCK within a tenth")
ax.set_xticks((0, 1, 2), labels=(0, 6, 12))
ax.set(ylim=(-0.12, 1))
viz.label_ends(ax)
viz.headline(fig, "Maps travel, some seeds better than others; coordinates stay home")
viz.show(
    fig,
    alt="PCK of five heads, trained on 512 pictures, for people in the trained half, 6 px and 12 px beyond it; bars from "
    "the worst seed to the best. Heads trained on coordinates fall to 0.1 and less, then to 0; heatmap and offset keep "
    "most of their 0.8, unevenly: from about 0.5 to 0.75.",
)


# %% measured=true
heatmap_there, grid_there = recorded("heatmap", "pck_6"), recorded("grid", "pck_6")
claim("01.stay", "6 px further right: grid's PCK, up to", most(grid_there), between=(0, 0.2))
claim("01.travels", "heatmap leads by", least(heatmap_there - grid_there), between=(0.2, 1))
ratio = heatmap_there.min() / grid_there.max()
claim("01.apart", "the worst heatmap over the best grid", ratio, between=(1.5, 99))
_ = reveal("01.shifted", SHIFTED[2])

# %% [markdown]
# Even the worst heatmap finds far more than the best `grid`. But how far a heatmap travels differs from
# seed to seed, which is why its bars are so long. Zeros beyond the border tell deep layers where they are, so
# a network can learn where people *tend to be*. We think that some seeds learn more of it than others.

# %% [markdown]
# ### Two rows, live
#
# We train two of the rows again: same seed, same pictures. On another processor rounding makes another
# run of it. So we ask whether the *difference* of the two could be one more seed's. How far differences
# scatter, three places of the table say together: 128 pictures, 512, and 512 with 600 steps.

# %%
unseen = samples.concatenate([world(128, seed, -14, 0) for seed in (100, 101)])
further_right = world(128, 100, 6, 6)


def trained(head):
    """Train one head as the table's rows with 512 pictures and seed 0 were trained."""
    network = models.build(head, width=8, generator=seeding.generator(0))
    config = train.TrainConfig(steps=300)
    train.fit(network, left_half, config=config, generator=seeding.generator(100), device="cpu")
    return network


heatmap_net, grid_net = trained("heatmap"), trained("grid")
sizes = [models.parameter_counts(network).total for network in (heatmap_net, grid_net)]


# %%
def one_more(score):
    """Return where another run's lead of heatmap over grid lies, 512 pictures: three standard deviations."""
    places = ((128, 300), (512, 300), (512, 600))
    leads = torch.stack(
        [recorded("heatmap", score, *at) - recorded("grid", score, *at) for at in places]
    )
    seeds = leads.shape[1]
    # The spread of one run, and of the mean over seeds that it is held against.
    reach = 3 * (leads.var(-1).mean() * (1 + 1 / seeds)) ** 0.5
    middle = leads[1].mean()
    return round(float(middle - reach), 3), round(float(middle + reach), 3)


# %% measured=true
SETS = {"pck": unseen, "pck_6": further_right}
for score, sample in SETS.items():
    scores = [train.evaluate(network, sample).pck(0.1) for network in (heatmap_net, grid_net)]
    lead = scores[0] - scores[1]
    claim(f"01.live_{score}", f"live lead in {score}", lead, between=one_more(score))
new = sum(sizes) - sum(recorded(head, "parameters")[0] for head in ("heatmap", "grid"))
claim("01.live_size", "trained numbers less recorded", new, between=(0, 0), theory=0)

# %% [markdown]
# Would that notice a wrong network? We put every other pair of heads in the place of these two. By PCK
# alone some would pass, for `integral` scores as `grid` does. Their trained numbers give them away.


# %%
def looks_right(one, other):
    """Return for each seed whether this pair would pass for heatmap and grid."""
    passes = recorded(one, "parameters") + recorded(other, "parameters") == sum(sizes)
    for score in SETS:
        low, high = one_more(score)
        difference = recorded(one, score) - recorded(other, score)
        passes &= (low <= difference) & (difference <= high)
    return passes


pairs = [pair for pair in itertools.permutations(HEADS, 2) if pair != ("heatmap", "grid")]
refused = 1 - torch.stack([looks_right(*pair) for pair in pairs]).float().mean()
claim("01.power", "runs of other pairs that are refused", refused, between=(0.97, 1))

# %% [markdown]
# ## The weights, or the loss?
#
# Why are heatmaps thrifty, and why do they travel? They differ from `grid` in *two* things. A heatmap
# head reads every cell with the same weights, and `grid` has some of its own for each. And a heatmap is
# told *in every cell* what is right, while coordinates are told two numbers.
#
# Four combinations decide it. `integral` shares its weights and is told coordinates. For the fourth we
# give each cell of the heatmap head weights of its own; the table calls it `unshared`.
#
# *With 128 pictures, what gives heatmaps their lead over `grid`?*

# %%
LEAD = ("shared weights", "the loss in every cell", "either of the two", "only both together")
predict("01.lead", "the loss in every cell", options=LEAD)

# %%
fig, panels = viz.row(3)
WEIGHTS = (("shared", viz.LEFT, ("integral", "heatmap")), ("own", viz.RIGHT, ("grid", "unshared")))
for label, look, pair in WEIGHTS:
    draw_runs(panels[0], [recorded(head, "pck", 128) for head in pair], label, look)
    draw_runs(panels[1], [recorded(head, "pck", 512) for head in pair], label, look)
    draw_runs(panels[2], [recorded(head, "pck_6") for head in pair], label, look)

# %%
PANELS = ("128 pictures", "512 pictures", "512, 6 px further right")
for ax, title in zip(panels, PANELS, strict=True):
    ax.set(xlabel="loss", xlim=(-0.3, 1.3), ylim=(0.5, 0.85), title=title)
    ax.set_xticks((0, 1), labels=("coordinates", "every cell"))
panels[0].set(ylabel="PCK within a tenth")
panels[2].set(ylim=(0, 0.85))
for ax in panels:
    viz.label_ends(ax)
viz.headline(fig, "The loss saves pictures; to travel, cells must share weights as well")
viz.show(
    fig,
    alt="PCK of four heads: weights shared by all cells or each cell's own, loss on coordinates or in every cell. With 128 "
    "pictures both lines rise alike. With 512 the line of shared weights rises more. For people 6 px further right both "
    "start at 0.1 or less; with own weights PCK rises to 0.2, with shared ones to 0.6.",
)

# %% measured=true
by_loss = recorded("unshared", "pck", 128) - recorded("grid", "pck", 128)
by_sharing = recorded("integral", "pck", 128) - recorded("grid", "pck", 128)
_ = reveal("01.lead", LEAD[1])
claim("01.by_loss", "128 pictures: the loss alone brings", least(by_loss), between=(0.08, 1))
claim("01.by_sharing", "sharing alone, up to", most(by_sharing), between=(-1, 0.07))
sharing_too = recorded("heatmap", "pck") - recorded("unshared", "pck")
claim("01.sharing_too", "512: sharing on top of the loss", least(sharing_too), between=(0.02, 1))
by_heart = recorded("unshared", "pck_learnt") - recorded("unshared", "pck")
claim("01.unhurried", "unshared: learnt less new", most(by_heart), between=(-1, 0.04))

# %% measured=true
sharing_there = recorded("heatmap", "pck_6") - recorded("unshared", "pck_6")
claim("01.both_there", "6 px: sharing on top of the loss", least(sharing_there), between=(0.1, 1))
alone_there = recorded("integral", "pck_6") - recorded("grid", "pck_6")
claim("01.alone_there", "6 px: sharing alone, up to", most(alone_there), between=(-1, 0.12))

# %% [markdown]
# **The loss saves pictures.** With 128 of them, a heatmap whose cells have weights of their own is
# nearly as thrifty as one that shares them. Sharing alone, in `integral`, helps little.
#
# With 512 pictures the weights tell: `unshared` stays behind. It does hardly better on the pictures that
# it learnt from, so pictures are not what it lacks. We think that it lacks steps: in 300 each cell's own
# weights meet too few people.
#
# **Travelling takes both.** Weights that nobody trained on the right know little of hands there. Shared
# ones could know, but `integral` was never asked for a zero in an empty cell. We think that its mean
# listens to all of them, wherever the person stands.
#
# A caveat: `grid` squeezes its features before its last layer, so it differs from `unshared` in more
# than the loss.

# %% [markdown]
# ## Twice the time
#
# 300 steps are few, and equal steps need not be equally far on the way. So `heatmap` and `grid` were
# trained with 512 pictures for 600 steps as well, the learning rate's schedule stretched with them. We score each
# network on new pictures, and on those that it learnt from.

# %%
fig, (left, right) = viz.row(2)
for head in ("heatmap", "grid"):
    look, hollow = HEADS[head], {**HEADS[head], "markerfacecolor": viz.BACKGROUND, "linewidth": 0.8}
    for score, label, how in (("pck", "new", look), ("pck_learnt", "learnt", hollow)):
        runs = [recorded(head, score, steps=steps) for steps in (300, 600)]
        draw_runs(left, runs, f"{head}, {label}", how)
    for steps, how in ((600, look), (300, hollow)):
        runs = [
            recorded(head, "pck", steps=steps),
            recorded(head, "pck_6", steps=steps),
            recorded(head, "pck_12", steps=steps),
        ]
        draw_runs(right, runs, f"{head}, {steps}", how, 1 if steps == 600 else -1)

# %%
left.set(xlabel="steps", ylabel="PCK within a tenth")
left.set_xticks((0, 1), labels=(300, 600))
right.set(xlabel="further right (px)", ylabel="PCK, new pictures", ylim=(-0.12, 1))
right.set_xticks((0, 1, 2), labels=(0, 6, 12))
for ax in (left, right):
    viz.label_ends(ax)
viz.headline(fig, "Twice the time widens the lead: the grid only learns by heart")
viz.show(
    fig,
    alt="Left: PCK after 300 and 600 steps, trained on 512 pictures. On the pictures they learnt from, heatmap and grid "
    "both rise to nearly 1; on new ones heatmap hardly rises and grid falls. Right: PCK 6 px and 12 px further right. "
    "After 600 steps every seed of heatmap holds at 6 px and they scatter widely at 12 px; grid is near 0.",
)

# %% measured=true
long = {
    score: recorded("heatmap", score, steps=600) - recorded("grid", score, steps=600)
    for score in ("pck", "rmse_px")
}
grown = least(long["pck"] - many)
claim("01.longer", "twice the time: the lead in PCK grows by", grown, between=(0, 1))
claim(
    "01.longer_px",
    "RMS error, grid less heatmap",
    least(-long["rmse_px"]),
    between=(0.2, 9),
    unit="px",
)
gain = recorded("grid", "pck", steps=600) - recorded("grid", "pck")
claim("01.longer_grid", "grid gains, up to", most(gain), between=(-1, 0))

# %% measured=true
finer = recorded("heatmap", "pck_05", steps=600) - recorded("heatmap", "pck_05")
claim("01.longer_05", "heatmap gains within a twentieth", least(finer), between=(0.02, 1))
by_heart = recorded("grid", "pck_learnt", steps=600) - recorded("grid", "pck", steps=600)
claim("01.by_heart", "grid: learnt pictures less new ones", least(by_heart), between=(0.2, 1))
gap_longer = recorded("heatmap", "pck_6", steps=600) - recorded("grid", "pck_6", steps=600)
claim("01.longer_there", "6 px further right: the lead", least(gap_longer), between=(0.45, 1))
far = recorded("heatmap", "pck_12", steps=600)
claim("01.far_there", "12 px: heatmap's PCK", least(far), between=(0.5, 1))

# %% [markdown]
# Twice the time does not help `grid`. It knows its own 512 pictures nearly perfectly, and new ones less
# well than before. The heatmap learns its pictures by heart as well, and still becomes more exact on
# new ones: now it leads in RMS error, too. At 6 px it has become dependable, with a lead of at least
# 0.45<!--01.longer_there-->; at 12 px it still finds more than 0.5<!--01.far_there--> of the keypoints,
# where `grid` finds next to none.
#
# No network had augmented pictures, the usual cure for learning by heart. With how many pictures would
# `grid` catch up? The table does not say.

# %% [markdown]
# ## Stretch 5 · An offset a cell ●●● · 12 minutes
#
# The head between both worlds: a confidence and an offset for every cell. The answer is the vote of
# the surest cell. Its anchor moves with the person, and it is not bound to whole cells.


# %% exercise="heatmaps.surest_vote" dots=3 minutes=12 points=2
def surest_vote(confidences, offsets):
    """Return the place that the surest cell votes for: its own place plus its offset.

    Args:
        confidences: float tensor (..., K, H, W).
        offsets: float tensor (..., K, 2, H, W), from each cell to the keypoint, (x, y) in cells.

    Returns:
        float tensor (..., K, 2), (x, y) in cells.
    """
    index = confidences.flatten(-2).argmax(-1)
    W = confidences.shape[-1]
    cell = torch.stack([index % W, index // W], dim=-1)
    chosen = index[..., None, None].expand(*offsets.shape[:-2], 1)
    return cell + offsets.flatten(-2).gather(-1, chosen).squeeze(-1)


# %% check="heatmaps.surest_vote"
checks.heatmaps.surest_vote.check(surest_vote)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# You have found the surest cell before, in exercise 2. Keep its index: the offsets, flattened in the
# same way, want it too.
# </details>
#
# <details><summary>Hint 2</summary>
#
# `gather(-1, index)` wants an index with as many axes as what it takes from: give it one axis for
# (x, y), expanded to 2, and one of length 1 for the place.
# </details>
#
# <details><summary>Help: I get <i>Index tensor must have the same number of dimensions as input tensor</i></summary>
#
# The index is (..., K) and the flattened offsets are (..., K, 2, H·W). Write
# `index[..., None, None].expand(*offsets.shape[:-2], 1)`.
# </details>

# %% [markdown]
# ## Stretch 6 · A regression that knows its spread ●●○ · 8 minutes
#
# Is regression lost? No. **Residual log-likelihood** (RLE; Li et al. 2021) lets the network predict a
# scale $b$ beside each coordinate and maximises a likelihood, so that what cannot be known costs less.
# It starts from the Laplace density $\frac{1}{2b} e^{-|\Delta|/b}$, and a normalising flow, thrown
# away after training, learns how the real errors differ from it. We leave out the flow:
#
# $$-\ln p = \sum_{xy} \ln(2b) + \frac{|\Delta|}{b} .$$


# %% exercise="training.laplace_nll" dots=2 minutes=8 points=1
def laplace_nll(predicted, truth, scales):
    """Return minus the log-likelihood of the truth under a Laplace density around the prediction.

    Args:
        predicted: float tensor (..., K, 2).
        truth: float tensor (..., K, 2), in the same unit.
        scales: float tensor (..., K, 2), b of x and of y, positive.

    Returns:
        float tensor (..., K): ln(2b) + |Δ|/b, x and y added.
    """
    return (torch.log(2 * scales) + (predicted - truth).abs() / scales).sum(-1)


# %% check="training.laplace_nll"
checks.training.laplace_nll.check(laplace_nll)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Take the logarithm of the density, change its sign, and add the two axes: independent probabilities
# multiply.
# </details>
#
# <details><summary>Hint 2</summary>
#
# Two terms: one grows with the scale, one falls with it. Without the first, the network would call
# everything uncertain.
# </details>
#
# <details><summary>Help: I get <i>Every answer is too small by the same 2·ln 2</i></summary>
#
# A constant is missing on each axis: the 2 in $2b$.
# </details>

# %% [markdown]
# ## Break it: a bug that a square hides
#
# The index of the largest cell has to be taken apart into a row and a column. Divide by the number of
# rows, not of columns, and nothing happens, as long as the map is a square.


# %%
def divided_by_height(maps):
    """Find the largest cell, with the classic bug: H where W belongs."""
    index, H = maps.flatten(-2).argmax(-1), maps.shape[-2]
    return torch.stack([index % H, index // H], dim=-1).to(maps.dtype)


gaussian_heatmaps = checks.heatmaps.gaussian_heatmaps.best()


# %%
def round_trip(decoder, width):
    """Paint one person's keypoints into 16 rows of cells, `width` in each, and read them back, in pixels.

    Each keypoint is moved to the middle of its cell first, so that nothing but a bug can be seen.
    """
    shown = people.render(
        people.draw_scenes(1, seeding.generator(6), aspect=width / 16), (64, 4 * width)
    )
    cells = coords.pixels_to_cells(shown.keypoints, 4.0).round()
    shown = replace(shown, keypoints=coords.cells_to_pixels(cells, 4.0))
    painted = gaussian_heatmaps(cells, (16, width), 1.0)
    return shown, coords.cells_to_pixels(decoder(painted), 4.0)


# %%
trips = [
    round_trip(divided_by_height, 16),
    round_trip(divided_by_height, 20),
    round_trip(lambda maps: argmax_2d(maps)[0], 20),
]
TITLES = ("bug, square", "bug, wider than high", "repaired")

# %%
fig, axes = viz.row(3)
for ax, (shown, back), title in zip(axes, trips, TITLES, strict=True):
    viz.image(ax, shown.images[0])
    viz.draw_error(ax, shown.keypoints[0], back[0])
    viz.draw_truth(ax, shown.keypoints[0], size=6)
    viz.draw_prediction(ax, back[0], size=5)
    ax.set_title(title)
viz.headline(fig, "On a square the bug is invisible")
viz.show(
    fig,
    alt="A person with true keypoints as rings and decoded ones as crosses. On the square picture the crosses are in "
    "the rings though the decoder is wrong; on the wide picture they are scattered; repaired, they are in the rings.",
)

# %% measured=true
errors_px = [
    metrics.keypoint_error(back, shown.keypoints)[shown.labelled].max() for shown, back in trips
]
claim("01.bug_square", "bug, square map", errors_px[0], between=(0, 0.01), theory=0, unit="px")
x, y = coords.pixels_to_cells(trips[1][0].keypoints, 4.0).round().unbind(-1)
n = 20 * y + x  # what 20 columns make of (x, y); the bug takes it apart by 16 rows
far_px = 4 * torch.hypot(n % 16 - x, n // 16 - y)[trips[1][0].labelled].max()
bounds = (float(far_px) - 0.01, float(far_px) + 0.01)
claim("01.bug_wide", "bug, wide map", errors_px[1], between=bounds, theory=far_px, unit="px")
claim(
    "01.bug_gone",
    "repaired, wide map",
    errors_px[2],
    between=(0, 0.01),
    theory=0,
    unit="px",
)

# %% [markdown]
# On a square the bug makes no error at all, so no test on squares can find it. Test with pictures that
# are not square, keypoints off the diagonal, and batches larger than one.

# %% [markdown]
# ## What the field has measured
#
# One backbone, ResNet-50, on COCO's validation pictures with one and the same detector, from mmpose's
# model zoo:
#
# | answer | AP |
# |---|---|
# | coordinates | 54.1<!--cited: mmpose model zoo, COCO val2017--> |
# | integral, 256 x 256 | 63.3<!--cited: mmpose model zoo, COCO val2017--> |
# | DSNT: integral with a loss on the map, 256 x 256 | 67.4<!--cited: mmpose model zoo, COCO val2017--> |
# | coordinates with RLE | 70.6<!--cited: mmpose model zoo, COCO val2017--> |
# | heatmap, quarter offset | 71.8<!--cited: mmpose model zoo, COCO val2017--> |
# | heatmap, DARK | 72.4<!--cited: mmpose model zoo, COCO val2017--> |
#
# With long training heatmaps lead, and integral does not reach them. And here, too, most of the distance
# between coordinates and heatmaps is the *loss*: RLE closes it, nearly, without a single heatmap.

# %% [markdown]
# ## Quiz
#
# <details><summary><b>1.</b> A regression trained with squared error puts both wrists of a shadow on
# its chest. What would help? <b>A</b> more pictures, <b>B</b> a larger network, <b>C</b> another
# question, such as a map or a distribution</summary>
#
# **C.** The mean is the right answer to squared error, so ask for something that can hold two places.
#
# *A:* more shadows show the same two truths, and the mean comes out more exactly.
# *B:* a larger network comes closer to the same mean; or it learns by heart which way each training
# shadow faced, which says nothing of the next one.
# </details>
#
# <details><summary><b>2.</b> A heatmap network's peak is half as high as its targets. What follows?
# <b>A</b> it needs longer training, <b>B</b> the truth scatters about as widely as the blob, or there
# are two places, <b>C</b> the keypoint is hidden</summary>
#
# **B.** Either τ = σ, or two equally likely places: both halve the peak of the mean.
#
# *A:* perhaps, but no training lifts the mean of the targets.
# *C:* a hidden keypoint is one reason for scatter. The height cannot tell it from others.
# </details>
#
# <details><summary><b>3.</b> Model A has the smaller RMS error, model B the larger PCK. Which is
# better? <b>A</b> A, <b>B</b> B, <b>C</b> it depends on what a miss costs</summary>
#
# **C.** In the shadow, both are exactly right about what they were asked for.
#
# *A:* if you average many frames, perhaps. If you grasp the hand, it is always in the air.
# *B:* B is confidently on the wrong hand half of the time, twice as far off as A.
# </details>

# %% [markdown]
# ## Take away
#
# - Squared error on coordinates gives the mean. With two places it stands between them: PCK near zero,
#   RMS error $d$.
# - A heatmap is the mean of blobs: it keeps both places, finds half, and pays 1.41 d<!--01.rmse_pick-->.
# - Its peak is $\sigma^2/(\sigma^2 + \tau^2)$ and its second moment $\sigma^2 + \tau^2$.
# - With few pictures heatmaps lead coordinates by more than 0.1<!--01.few--> in PCK, because of a loss in
#   every cell. To find people where nobody stood, the cells must share their weights as well.
# - A square hides what a rectangle shows.
#
# **Still open.** How sharp can a place be read from coarse cells? That is lesson 02. Does the height of
# a peak tell the error? Lesson 06 tests it.
#
# **Our world and COCO.** Our networks are small and trained for seconds; COCO's are hundreds of times
# larger. Our shadows are ambiguous by construction; in photographs, doubt is rarer and mixed.

# %% [markdown]
# ## Reading
#
# - A. Toshev and C. Szegedy, *DeepPose*, 2014: coordinates by regression, equation 3.
# - J. Tompson et al., *Joint Training of a Convolutional Network and a Graphical Model*, 2014: the
#   heatmap target.
# - X. Sun et al., *Integral Human Pose Regression*, 2018, equation 2 and table 1: the bridge.
# - G. Papandreou et al., *Towards Accurate Multi-person Pose Estimation in the Wild*, 2017, section
#   3.2: heatmaps with offsets.
# - J. Li et al., *Human Pose Regression with Residual Log-likelihood Estimation*, 2021, equation 5.
# - M. A. Islam et al., *How Much Position Information Do Convolutional Neural Networks Encode?*, 2020:
#   what zeros beyond the border give away.
#
# Next: **02 Quantization error.** Where do two pixels go?

# %% [markdown] only="solution"
# ## For the instructor
#
# | minute | what happens |
# |---|---|
# | 0 | The shadow on the wall: which hand is the left one? Take a vote, it will be near even |
# | 5 | Predictions, in silence |
# | 10 | The screen of theory, on the board, in one dimension |
# | 20 | Exercises 1 and 2 |
# | 38 | Exercises 3 and 4; who is done starts the shadows |
# | 54 | Shadows: ask who is right, the mean or the picker |
# | 60 | The table, and where nobody has stood |
# | 65 | The weights, or the loss? Take a vote before the figure |
# | 69 | Break it; quiz; take-aways |
#
# Expected wrong answers: "smaller" in the first prediction (most: "picking must be better"); (row, column)
# for (x, y) in exercise 2; `keypoints[..., 0]` on the rows in exercise 1; `zero_grad` forgotten; "shared
# weights" in the third prediction. In 50 minutes: leave out the melting blobs, exercise 3, twice the
# time and both stretch exercises.
