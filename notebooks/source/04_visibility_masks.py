# ---
# posecourse:
#   minutes: 75
#   budget_cpu_seconds: 90
# ---

# %% [markdown]
# # 04 Visibility masks: do not blame the model for what it cannot see
#
# **By the end you will have shown that a missing label is not a place and not an absence, what each of
# these two mistakes teaches a network, and that the mask, which makes neither, leaves you with a
# network that invents whatever it cannot see.**
#
# | | |
# |---|---|
# | Time | 75 minutes |
# | Price | about a minute of one laptop core, training from scratch included |
# | You need | lesson 01, most of all its mean of heatmaps |
# | You will be able to explain | the figure of four networks before the same five people |
#
# What should a keypoint cost that nobody can see?

# %%
import json

import torch
from dataclasses import replace

from posecourse import calibration, checks, heatmaps, metrics, models, paths, people
from posecourse import samples, seeding, train, viz, widgets
from posecourse.lesson import Todo, claim, predict, reveal

viz.use_style()
random = seeding.generator(0)

# %% [markdown]
# ## A number that looks wrong
#
# The people of this lesson are cut off by the border of the picture, two thirds of them, and some stand
# behind a table or a plant. On the left is what can be known of one of them. On the right is an answer
# that we made up: the known keypoints are exact, and the others are drawn by lot.

# %%
FAMILIES = ("stand", "walk", "cheer", "wave", "reach")


def world(count, seed):
    """Draw people of whom two thirds are cut off by the border, and some stand behind something."""
    random = seeding.generator(seed)
    options = {"occluders": 0.35, "truncation": 0.6, "margin": (0.03, 0.12), "facing": 0.9}
    return people.render(people.draw_scenes(count, random, poses=FAMILIES, **options), (64, 64))


held_out = samples.concatenate([world(128, seed) for seed in (100, 101, 102)])
outside = held_out.visibility == 0
legs_alone = outside[:, 13:].all(-1) & (outside.sum(-1) == 4)
person = held_out[int(legs_alone.nonzero()[0])]
by_lot = 63 * torch.rand(person.keypoints.shape, generator=random)
invented = torch.where(person.labelled[..., None], person.keypoints, by_lot)

# %%
fig, (left, right) = viz.row(2)
for ax in (left, right):
    viz.image(ax, person.images[0])
viz.draw_skeleton(left, person.keypoints[0], person.visibility[0], person.skeleton)
viz.draw_skeleton(right, invented[0], None, person.skeleton)
viz.draw_prediction(right, invented[0], ~person.labelled[0])
left.set_title("what is known")
right.set_title("knees and ankles by lot (crosses)")
viz.headline(fig, "To COCO's score these two answers are equally perfect")
viz.show(
    fig,
    alt="A person who is cut off by the picture's border, twice. Left: the skeleton of the thirteen keypoints inside of "
    "the picture. Right: the same, and knees and ankles, marked by crosses, at places drawn by lot. Both have an OKS of 1.",
)

# %% measured=true
score = metrics.oks(
    invented, person.keypoints, person.labelled, person.areas, person.skeleton.sigmas
)
claim("04.perfect", "OKS of the answer on the right", score, between=(1, 1), theory=1)

# %% [markdown]
# **OKS**, the object keypoint similarity, is COCO's score of one person; average precision is built on
# it. It never looks at keypoints without a label. So nobody pays for what a network invents there.
# Unless we count.

# %% [markdown]
# ## Predict
#
# *Half of the keypoints of a batch are hidden. Their losses are set to 0, and `mean()` is taken over
# all keypoints. How many times as large as without hiding is the gradient?*

# %%
predict("04.half", 0.5)

# %% [markdown]
# *Careful annotators: only what lies outside of the picture has no label. Three networks differ in what
# they are taught there: a blob at (0, 0), an empty heatmap, or nothing at all, which is the mask. Each
# gets a threshold at which it finds as many visible keypoints as the others. Which of them then names
# the fewest keypoints that are outside?*

# %%
ARMS = ("corner", "zero", "mask")
predict("04.quiet", "zero", options=ARMS)

# %% [markdown]
# ## COCO's three numbers
#
# For each keypoint a COCO file has three numbers, `x, y, v`:
#
# | v | what it says | x, y | trains | counts in OKS | can be seen |
# |---|---|---|---|---|---|
# | 0 | not labelled | 0, 0 | no | no | nobody knows |
# | 1 | labelled, but hidden | a good guess | **yes** | **yes** | no |
# | 2 | labelled and visible | the place | yes | yes | yes |
#
# Two words are mixed up in papers and in code. *Labelled* is v > 0. *Visible* is v = 2. "We mask
# invisible joints" nearly always means unlabelled ones: an elbow behind a table has a label, and a
# network can learn to guess it.

# %%
fig = viz.people_gallery(held_out[[0, 2, 3, 7]], rows=1, columns=4)
viz.headline(fig, "Filled: v = 2. Hollow: v = 1. Not drawn: v = 0")
viz.show(
    fig,
    alt="Four people with their skeletons. Keypoints that can be seen are filled, those behind the own body or behind "
    "an obstacle are hollow, and those beyond the picture's border are not drawn.",
)

# %% measured=true
print(
    "share of keypoints with v = 0, 1, 2:",
    [f"{(held_out.visibility == v).float().mean():.2f}" for v in range(3)],
)

# %% [markdown]
# ## Exercise 1 · Read COCO's v ●○○ · 5 minutes
#
# What has no label gets NaN here, *not a number*. That is deliberate. (0, 0) is a place, the upper left
# pixel, and a forgotten mask goes unnoticed; NaN shows. (The package keeps such places finite and masks
# them; a loss of yours should survive both.)


# %% exercise="visibility.read_coco" dots=1 minutes=5 points=1
def read_coco(annotation):
    """Take COCO's keypoints apart.

    Args:
        annotation: float tensor (..., K, 3) of x, y and v: 0 not labelled, 1 hidden, 2 visible. Where v is 0 some files
            hold old places; they mean nothing.

    Returns:
        points: float tensor (..., K, 2), NaN where there is no label.
        labelled: boolean tensor (..., K), which keypoints have a place.
        visible: boolean tensor (..., K), which of them can be seen.
    """
    v = annotation[..., 2]
    labelled, visible = v > 0, v == 2
    points = torch.where(labelled[..., None], annotation[..., :2], torch.nan)
    return points, labelled, visible


# %% check="visibility.read_coco"
checks.visibility.read_coco.check(read_coco)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `annotation[..., 2]` is v of every keypoint. A comparison with it is a mask.
# </details>
#
# <details><summary>Hint 2</summary>
#
# `torch.where(mask[..., None], points, torch.nan)`: the mask needs a last axis of length 1 before it
# can decide over x and y together.
# </details>
#
# <details><summary>Help: I get <i>The size of tensor a (5) must match the size of tensor b (2)</i></summary>
#
# The mask is (…, K) and the points are (…, K, 2). Write `mask[..., None]`.
# </details>

# %% [markdown]
# The course ships a small file in COCO's format. Its annotators also wrote down how many keypoints they
# labelled, `num_keypoints`, so we can compare.

# %%
read_coco = checks.visibility.read_coco.best()
file = paths.data_path("sample/person_keypoints.json").read_text(encoding="utf-8")
annotations = json.loads(file)["annotations"]
annotation = torch.tensor([entry["keypoints"] for entry in annotations], dtype=torch.float64)
points, labelled, visible = read_coco(annotation.unflatten(-1, (17, 3)))
counted = sum(entry["num_keypoints"] for entry in annotations)
print(f"{len(points)} people, {int(labelled.sum())} labelled, {int(visible.sum())} visible.")
claim("04.counted", "labelled, less the file's count", labelled.sum() - counted, between=(0, 0))

# %% [markdown]
# ## Theory on one screen: a sum, a divisor, and what is taught
#
# A batch has B people with K keypoints. Keypoint $k$ has the loss $\ell_k$ and the mask $m_k$, 1 where
# it is labelled and 0 elsewhere. A share $q$ has no label. Every code base computes
#
# $$L = \frac1D \sum_k m_k\,\ell_k ,$$
#
# and they differ in $D$:
#
# | $D$ | found in | loss and gradient, against no label missing |
# |---|---|---|
# | $B K$, all keypoints | mmpose's heatmap loss | $1 - q$ |
# | $\sum_k m_k$, those that count | ours | 1 |
# | $B$, the batch | integral human pose | $K (1 - q)$ |
#
# That was the divisor. What if the mask is forgotten, or replaced? From lesson 01 we know what squared
# error asks of a heatmap: the mean of its targets. Where labels are missing by chance, that mean is
#
# | unlabelled means | mean target | height at the keypoint | elsewhere |
# |---|---|---|---|
# | a blob at (0, 0), `corner` | $(1 - q)\,h(x) + q\,h(0)$ | $1 - q$ | a second peak, $q$ high, in the corner |
# | an empty map, `zero` | $(1 - q)\,h(x)$ | $1 - q$ | nothing |
# | no opinion, `mask` | $h(x)$ | 1 | whatever it likes |
#
# all in units of the mask's own peak. An `argmax` jumps to the corner when $q$ exceeds $1 - q$ times
# that peak: at half of the labels, or before.
#
# | symbol | in code | meaning |
# |---|---|---|
# | $m$ | `mask` | what counts: `sample.labelled` |
# | $q$ | `share` | share of the keypoints without a label |
# | $h(x)$ | `heatmaps.gaussian_heatmaps` | a blob at the keypoint |
# | $\ell$ | `values` | a loss a keypoint, (B, K) |

# %% [markdown]
# ## Exercise 2 · The mean of what counts ●●○ · 8 minutes


# %% exercise="visibility.masked_mean" dots=2 minutes=8 points=2
def masked_mean(values, mask):
    """Average the values that count.

    What stands at the other places, NaN included, changes neither the mean nor its gradient. NaN at a place that
    counts is a mistake, and shows.

    Args:
        values: float tensor (B, ..., K), one loss a keypoint; you train through it, so gradients count.
        mask: boolean tensor of the same shape, which of them count.

    Returns:
        float tensor (), Σ of the values that count / how many count; 0, with a gradient of 0, where nothing counts.
    """
    return torch.where(mask, values, 0).sum() / mask.sum().clamp(min=1)


# %% check="visibility.masked_mean"
checks.visibility.masked_mean.check(masked_mean)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# A sum, divided by a count. Do not multiply by the mask: what is 0 times NaN?
# </details>
#
# <details><summary>Hint 2</summary>
#
# `torch.where(mask, values, 0)` puts zeros in where nothing counts. `mask.sum()` counts, and
# `.clamp(min=1)` keeps an empty mask from dividing by zero.
# </details>
#
# <details><summary>Help: I get <code>it gives nan where 0.0 is expected</code></summary>
#
# Nothing counts in that input, and 0 / 0 is NaN. `values[mask].mean()` does so as well: the mean of an
# empty tensor is NaN.
# </details>

# %% [markdown]
# ## Theory against measurement: three divisors
#
# We hide keypoints by lot, a given share exactly, and look at the gradient of the last layer of an
# untrained network, along the gradient that it has with nothing hidden. Each dot is the mean over 48
# draws. Theory has no free number.

# %%
masked_mean = checks.visibility.masked_mean.best()
DIVISORS = {
    "all keypoints": lambda values, mask: torch.where(mask, values, 0).sum() / mask.numel(),
    "those that count": masked_mean,
    "the batch": lambda values, mask: torch.where(mask, values, 0).sum() / len(values),
}
K, SHARES_HIDDEN = 17, torch.tensor([0, 0.25, 0.5, 0.75, 0.875])
untrained = models.build("heatmap", width=8, generator=seeding.generator(0)).eval()
values = untrained.head.loss(untrained(held_out[:32].images), held_out[:32])
last_layer = list(untrained.head.parameters())


def gradient(loss):
    """Return the gradient of the last layer's numbers, in one line."""
    parts = torch.autograd.grad(loss, last_layer, retain_graph=True)
    return torch.cat([part.flatten() for part in parts])


# %%
whole = gradient(values.mean())


def draw_mask(share):
    """Hide exactly this share of the keypoints, drawn by lot."""
    order = torch.rand(values.numel(), generator=random).argsort()
    return (order >= round(float(share) * values.numel())).view_as(values)


def gradients_along(divisor, share, draws=48):
    """Return the gradients of several masks along the whole one, which is 1 long."""
    slopes = [gradient(divisor(values, draw_mask(share))) for _ in range(draws)]
    return torch.stack(slopes) @ whole / (whole @ whole)


measured = {
    name: torch.stack([gradients_along(divisor, share) for share in SHARES_HIDDEN])
    for name, divisor in DIVISORS.items()
}

# %%
q = torch.linspace(0, 0.9, 91)
THEORY = {"all keypoints": 1 - q, "those that count": torch.ones_like(q), "the batch": K * (1 - q)}
fig, ax = viz.single()
for name, look in zip(DIVISORS, (viz.LEFT, viz.RIGHT, viz.MIDDLE), strict=True):
    ax.plot(q, THEORY[name], label=name, **{**look, "marker": ""})
    ax.plot(SHARES_HIDDEN, measured[name].mean(-1), **{**look, "linestyle": "none"})
ax.set(yscale="log", xlabel="share of keypoints without a label, q", ylabel="relative gradient")
ax.set_yticks([0.1, 0.5, 1, 5, 17], labels=["0.1", "0.5", "1", "5", "17"])
ax.minorticks_off()
viz.label_ends(ax)
viz.headline(fig, "Only one divisor keeps the gradient when labels go missing")
viz.show(
    fig,
    alt="The gradient against the share of keypoints without a label, on a logarithmic scale. Divided by all keypoints "
    "it falls from 1 to 0.1, by the batch from 17 to 1.7, by those that count it stays at 1; dots lie on the lines.",
)

# %% measured=true
half = {name: runs[2].mean() for name, runs in measured.items()}
errors = {name: 6 * float(runs[2].std()) / 48**0.5 for name, runs in measured.items()}
print("six standard errors:", {name: round(error, 3) for name, error in errors.items()})
claim(
    "04.by_all",
    "half hidden, divided by all",
    half["all keypoints"],
    between=(0.48, 0.52),
    theory=0.5,
)
claim(
    "04.by_count",
    "divided by those that count",
    half["those that count"],
    between=(0.97, 1.03),
    theory=1,
)
claim("04.by_batch", "divided by the batch", half["the batch"], between=(8.2, 8.8), theory=8.5)
_ = reveal("04.half", half["all keypoints"])

# %% [markdown]
# Half hidden, half the gradient: 0.5<!--04.by_all--> with mmpose's divisor and 8.5<!--04.by_batch-->
# with the batch's, where the masked mean stays at 1. Then why has nobody noticed? Because of the
# optimizer. **AdamW divides every gradient by its usual size**, so a factor that is always the same
# does nothing. Plain gradient descent feels it in full.


# %%
def steps_taken(optimizer, factor, learning_rate, steps=8):
    """Train a few steps with the loss times a factor, and return how all weights have moved."""
    network = models.build("heatmap", width=8, generator=seeding.generator(1)).train()
    start = torch.nn.utils.parameters_to_vector(network.parameters()).detach().clone()
    stepper = optimizer(network.parameters(), lr=learning_rate)
    for first in range(0, 16 * steps, 16):
        sample = held_out[first : first + 16]
        loss = factor * network.head.loss(network(sample.images), sample).mean()
        stepper.zero_grad()
        loss.backward()
        stepper.step()
    return torch.nn.utils.parameters_to_vector(network.parameters()).detach() - start


# %% measured=true
for name, optimizer, rate, theory, between in (
    ("sgd", torch.optim.SGD, 0.01, 0.5, (0.45, 0.55)),
    ("adamw", torch.optim.AdamW, 0.001, 1, (0.95, 1.05)),
):
    full, halved = (steps_taken(optimizer, factor, rate) for factor in (1, 0.5))
    ratio = halved @ full / (full @ full)
    claim(f"04.{name}", f"half the loss, {name}: how far", ratio, between=between, theory=theory)

# %% [markdown]
# So the wrong divisor hides behind AdamW, and comes back as soon as the factor is *not* always the
# same: when a second loss is added, as below; when gradients are clipped; when some batches show whole
# people and others half ones.

# %% [markdown]
# ## 0 times NaN
#
# Now the other trap. One of two keypoints has no label, and NaN stands there. Here are three ways to
# mask it:


# %%
def three_ways():
    """Yield (name, loss, gradient) of one good keypoint and one NaN, masked in three ways."""
    for name in ("times the mask", "where, after the square", "where, before the square"):
        predicted = torch.tensor([0.3, 0.8], requires_grad=True)
        target, mask = torch.tensor([0.5, torch.nan]), torch.tensor([True, False])
        square = (predicted - target) ** 2
        if name == "times the mask":
            loss = (square * mask).sum()
        elif name == "where, after the square":
            loss = torch.where(mask, square, 0).sum()
        else:
            loss = (torch.where(mask, predicted, 0) - torch.where(mask, target, 0)).pow(2).sum()
        loss.backward()
        yield name, loss.item(), predicted.grad.tolist()


for name, loss, slope in three_ways():
    print(f"{name:24} loss {loss:.2f}  gradient [{slope[0]:.2f}, {slope[1]:.2f}]")

# %% [markdown]
# The first loss is NaN, since 0 · NaN is NaN. The second loss looks healthy, and its *gradient* is NaN:
# on the way back the branch that was not chosen is multiplied by zero, and 0 · NaN is NaN once more.
# Only the third is safe. It keeps NaN out before anything is computed with it.

# %% [markdown]
# ## Exercise 3 · The masked heatmap loss ●●● · 12 minutes


# %% exercise="visibility.masked_heatmap_loss" dots=3 minutes=12 points=3
def masked_heatmap_loss(predicted, target, mask):
    """Average the squared difference of heatmaps over the keypoints that count.

    What stands in the maps of the other keypoints, NaN included, changes neither the loss nor its gradient. NaN in a
    map that counts is a mistake, and shows.

    Args:
        predicted: float tensor (B, K, H, W); you train through it, so gradients count.
        target: float tensor (B, K, H, W).
        mask: boolean tensor (B, K), which keypoints count.

    Returns:
        float tensor (), the mean over the keypoints that count of each map's mean over its H·W cells; 0, with a
            gradient of 0, where nothing counts.
    """
    counts = mask[..., None, None]
    difference = torch.where(counts, predicted, 0) - torch.where(counts, target, 0)
    return difference.square().mean((-2, -1)).sum() / mask.sum().clamp(min=1)


# %% check="visibility.masked_heatmap_loss"
checks.visibility.masked_heatmap_loss.check(masked_heatmap_loss)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Put zeros into both maps where nothing counts. Then compare, then reduce.
# </details>
#
# <details><summary>Hint 2</summary>
#
# `mask[..., None, None]` is (B, K, 1, 1) and decides over whole maps. The mean over the last two axes
# gives (B, K). What is left is the masked mean of exercise 2.
# </details>
#
# <details><summary>Help: I get <i>The size of tensor a (4) must match the size of tensor b (3)</i></summary>
#
# Broadcasting counts axes from the right, so a (B, K) mask meets the axes (H, W). Give it two axes of
# length 1 at the end: `mask[..., None, None]`.
# </details>
#
# <details><summary>Help: I get <code>of the gradient, at [0, 0, 0, 0] it gives nan where 0.0 is expected</code></summary>
#
# That is the second of the three ways above: `torch.where` came after the square.
# </details>

# %% [markdown]
# ## Three answers to a missing label
#
# There are two reasons for v = 0, and a COCO file does not say which one it is:
#
# - **outside**: the keypoint is not in the picture, and nobody can label it;
# - **left out**: it is in the picture, perhaps in full view, and the annotator did not label it. The
#   person was small, or one of a crowd, or it was Friday.
#
# So we make two kinds of annotators. *Careful* ones leave out what is outside, and nothing else.
# *Hurried* ones leave out every other keypoint besides, by lot. Both write (0, 0, 0), as COCO does. The
# scores below always come from people who are labelled in full.


# %%
def hurried(sample, share, seed):
    """Leave any keypoint out with this probability; what is left out or outside becomes (0, 0, 0)."""
    left_out = torch.rand(sample.visibility.shape, generator=seeding.generator(seed)) < share
    visibility = torch.where(left_out, 0, sample.visibility)
    keypoints = torch.where((visibility > 0)[..., None], sample.keypoints, 0)
    return replace(sample, visibility=visibility, keypoints=keypoints)


people_seen = samples.concatenate([world(128, seed) for seed in range(8)])
masked_heatmap_loss = checks.visibility.masked_heatmap_loss.best()


# %%


def loss_of(arm, head):
    """Return the loss of one arm: a blob at (0, 0), an empty map, or no opinion where no label is."""

    def loss(answer, sample):
        target, labelled = head.target(answer, sample), sample.labelled
        if arm == "zero":
            target = target * labelled[..., None, None]
        counts = labelled if arm == "mask" else torch.ones_like(labelled)
        return masked_heatmap_loss(answer.heatmaps, target, counts)

    return loss


# %%
def trained(arm, share):
    """Train one arm as the rows of the recorded table with seed 0 were trained."""
    network = models.build("heatmap", width=8, sigma=1.5, generator=seeding.generator(0))
    config = train.TrainConfig(steps=350)
    data, order = hurried(people_seen, share, seed=500), seeding.generator(100)
    train.fit(network, data, loss_of(arm, network.head), config, generator=order, device="cpu")
    return network


networks = {arm: trained(arm, share=0.5) for arm in ARMS}

# %%
answers = {arm: network.detect(held_out.images) for arm, network in networks.items()}
with torch.no_grad():
    painted = {arm: network(held_out.images).heatmaps for arm, network in networks.items()}
LEFT_WRIST = 9

# %%
miss_px = metrics.keypoint_error(answers["mask"].keypoints_px, held_out.keypoints)
clear = torch.where(held_out.visible, answers["mask"].scores - miss_px, -torch.inf)
shown = int(clear[:, LEFT_WRIST].argmax())

fig, axes = viz.row(4)
viz.image(axes[0], held_out.images[shown])
viz.draw_truth(axes[0], held_out.keypoints[shown, [LEFT_WRIST]])
axes[0].set_title("the left wrist")
for ax, arm in zip(axes[1:], ARMS, strict=True):
    viz.heatmap(ax, painted[arm][shown, LEFT_WRIST], label="height", bar=arm == "mask")
    ax.set(xticks=[], yticks=[], title=arm)
viz.headline(fig, "A wrist in full view, and what hurried labels make of it")
viz.show(
    fig,
    alt="A person with a ring on the left wrist, and the wrist's heatmap of three networks trained on hurried labels. "
    "corner: a bright blob in the upper left corner and a faint one at the wrist. zero: one faint blob at the wrist. "
    "mask: one bright blob at the wrist.",
)

# %% [markdown]
# Every other left wrist was labelled, all of them look alike, and each network answers with the mean of
# what it was told. This is one run. The course ships the same for several seeds and shares, with the
# command that makes it: `python -m benchmarks.visibility`.

# %%
table = json.loads(paths.data_path("visibility.json").read_text(encoding="utf-8"))
SHARES = sorted({row["share"] for row in table})
LOOKS = dict(zip((*ARMS, "head"), (viz.RIGHT, viz.MIDDLE, viz.LEFT, viz.FOURTH), strict=True))


def rows_of(arm, share, steps=350):
    """Return an arm's rows at a share of labels left out, one a seed."""
    asked = (arm, share, steps)
    return [row for row in table if (row["arm"], row["share"], row["steps"]) == asked]


def recorded(arm, share, score, steps=350):
    """Return one score, one entry a seed."""
    return torch.tensor([row[score] for row in rows_of(arm, share, steps)])


# %%
def draw_runs(ax, arm, score):
    """Draw the mean over seeds against the share left out, with bars from the least to the largest."""
    runs = [recorded(arm, share, score) for share in SHARES]
    means = torch.stack([run.mean() for run in runs])
    below, above = (
        (means - torch.stack([run.min() for run in runs])).tolist(),
        (torch.stack([run.max() for run in runs]) - means).tolist(),
    )
    ax.errorbar(SHARES, means, (below, above), label=arm, capsize=2, **LOOKS[arm])


print(f"{len(recorded('mask', 0.5, 'pck'))} seeds each")

# %%
fig, (left, right) = viz.row(2)
for arm in ARMS:
    draw_runs(left, arm, "pck")
    draw_runs(right, arm, "height")
mask_height = recorded("mask", 0.0, "height").mean()
left_out = torch.linspace(0, 0.5, 51)
right.plot(left_out, mask_height * (1 - left_out), label="1 − q", **{**viz.UNCOUNTED, "marker": ""})
left.set(xlabel="share left out, q", ylabel="PCK, visible keypoints", ylim=(0, 1))
right.set(xlabel="share left out, q", ylabel="height at the keypoint", ylim=(0, 1))
left.legend(loc="lower left")
right.legend(loc="upper left", ncols=2)
viz.headline(fig, "The mask does not notice that half of the labels are gone")
viz.show(
    fig,
    alt="PCK and the height of heatmaps at visible keypoints against the share of labels that were left out, bars over "
    "seeds. The mask stays level in both. zero loses a little PCK and more than half of its height. corner loses all.",
)


# %% [markdown]
# The live run is one of the table's rows. On another processor rounding makes another run of it, so we
# allow the recorded spread and a tenth on either side.


# %%
def check_row(arm, score, says):
    """Claim that the live run with half of the labels left out lies in the recorded spread, or a tenth beside it."""
    runs = recorded(arm, 0.5, score)
    low, high = max(0, float(runs.min()) - 0.1), min(1, float(runs.max()) + 0.1)
    between = (round(low, 2), round(high, 2))
    claim(
        f"04.{arm}_{score}", f"{arm}: {says}", live[arm][score], between=between, theory=runs.mean()
    )


# %%
def live_scores(arm):
    """Return PCK over visible keypoints, the height there, and the share of them that is put in the corner."""
    found, cells = answers[arm], networks[arm].head.in_cells(held_out.keypoints).round().long()
    cells = cells.clamp(0, 15)
    heights = painted[arm].flatten(-2).gather(-1, (16 * cells[..., 1] + cells[..., 0])[..., None])
    near = metrics.pck(found.keypoints_px, held_out.keypoints, lengths_px, 0.1)
    in_corner = found.keypoints_px.norm(dim=-1) < 8
    each = {"pck": near, "height": heights[..., 0], "in_corner": in_corner}
    return {name: float(value[held_out.visible].float().mean()) for name, value in each.items()}


lengths_px = held_out.boxes[:, 2:].amax(-1).clamp(min=1)
live = {arm: live_scores(arm) for arm in ARMS}

# %% measured=true
for arm in ARMS:
    check_row(arm, "pck", "PCK as in the table")
    check_row(arm, "height", "height as there")
check_row("corner", "in_corner", "in the corner")

# %% measured=true
zero, mask = (recorded(arm, 0.0, "height").mean() for arm in ("zero", "mask"))
claim("04.sure", "zero's height over mask's, none left out", zero / mask, between=(0.88, 0.99))
half_of_it = zero / mask / 2
for name, steps in (("kept", 350), ("longer", 1400)):
    zero, mask = (recorded(arm, 0.5, "height", steps).mean() for arm in ("zero", "mask"))
    claim(
        f"04.{name}", f"half left out, {steps} steps",
        zero / mask, between=(0.37, 0.5), theory=half_of_it,
    )  # fmt: skip

# %% measured=true
# Half are left out and taught the corner. Of the other half some might be outside: there it is as with q = 0.
corner_height = recorded("corner", 0.5, "corner_height").mean()
blob = heatmaps.gaussian_heatmaps(torch.full((1, 2), -0.375), (16, 16), 1.5)[0, 0, 0]
expected = float(blob + recorded("corner", 0.0, "corner_height").mean()) / 2
claim(
    "04.corner", "height in the corner, q = ½", corner_height, between=(0.5, 0.54), theory=expected
)
unmoved = recorded("mask", 0.5, "pck").mean() - recorded("mask", 0.0, "pck").mean()
claim(
    "04.unmoved", "mask: change in PCK", unmoved,
    between=(-0.05, 0.05), theory=0,
)  # fmt: skip
hidden, unasked = (recorded(arm, 0.0, "pck_hidden").mean() for arm in ("mask", "seen"))
claim("04.hidden", "PCK of hidden keypoints, asked for", hidden, between=(0.7, 0.9))
claim("04.unasked", "PCK of hidden keypoints, masked", unasked, between=(0.7, 0.9))
claim("04.bought", "what asking for them bought", hidden - unasked, between=(-0.05, 0.05), theory=0)

# %% [markdown]
# - **corner** is the bug that everybody has had once. With half of the labels gone,
#   94 %<!--04.corner_in_corner--> of the keypoints in full view are put into the corner. The argmax
#   does not move there bit by bit: it jumps.
# - **zero** still finds most keypoints, but at 0.42<!--04.kept--> of the mask's height. It was taught,
#   every other time, that a wrist in full view is not there. With nothing left out it has
#   0.93<!--04.sure--> of the mask's height, since what may be outside is taught the empty map; theory
#   asks for half of that. Targets that come and go by lot are slow to learn from: with four times the
#   steps it is 0.44<!--04.longer-->.
# - **mask** does not notice. It has fewer labels, and no wrong ones.
#
# And hidden keypoints, v = 1, must they train? The mask finds 81 %<!--04.hidden--> of them. A fourth
# arm, in the table only, masks them as well, and finds as many, 81 %<!--04.unasked-->. In this world a hidden hip looks much like a visible one, and their labels bought
# nothing that we could measure. They did no harm either, and OKS asks for them.
#
# So the mask is right, whoever labels? Not so fast. We have looked at visible keypoints only.

# %% [markdown]
# ## Who is quiet where nobody is?
#
# Now the other side: keypoints *outside* of the picture. A network names a place for each of them, with
# the height of its peak. Ask for more height, and it names fewer; it also loses keypoints that are
# there. Each line below is one network, from a low to a high threshold.


# %%
def draw_trade(ax, arm, share):
    """Draw found against false, a thin line a seed."""
    for index, row in enumerate(rows_of(arm, share)):
        look = {**LOOKS[arm], "marker": "", "linewidth": 0.9, "label": arm if not index else None}
        ax.plot(row["false"], row["found"], **look)


# %%
fig, panels = viz.row(2, sharey=True)
for ax, share, name in zip(panels, (0.0, 0.5), ("careful", "hurried"), strict=True):
    for arm in ARMS:
        draw_trade(ax, arm, share)
    ax.set(xlabel="outside, but named: a cut-off person", title=f"{name} annotators")
panels[0].set(ylabel="visible and found", ylim=(0, 1))
panels[0].legend(loc="lower right")
viz.headline(fig, "Careful labels: the empty map is quietest, the mask is loudest")
viz.show(
    fig,
    alt="Share of visible keypoints found against the number of outside keypoints named a cut-off person, as the threshold "
    "moves, one line a seed. With careful labels zero finds as much as the mask with less than half as many false ones. With "
    "hurried labels zero finds less, and corner finds nothing.",
)


# %%
def false_at(arm, share, found):
    """Return how many outside keypoints a network names a cut-off person where it finds this share, one entry a seed."""
    named = []
    for row in rows_of(arm, share):
        last = max(i for i, value in enumerate(row["found"]) if value >= found)
        (more, less), (loud, quiet) = row["found"][last : last + 2], row["false"][last : last + 2]
        named.append(
            loud + (more - found) / (more - less) * (quiet - loud)
        )  # between two thresholds
    return torch.tensor(named)


# %% measured=true
loud, quiet = false_at("mask", 0.0, 0.6), false_at("zero", 0.0, 0.6)
claim("04.loud_mask", "mask: outside and named", loud.mean(), between=(0.8, 3))
claim("04.loud_zero", "zero: the same", quiet.mean(), between=(0.2, 1))
claim("04.times", "mask over zero, least of all seeds", (loud / quiet).min(), between=(2, 9))
_ = reveal("04.quiet", "zero")

# %% [markdown]
# With careful labels an empty map is *not* a lie: where it stands, nothing is. The network learns to be
# quiet. Where both find 6 of 10 visible keypoints, it names 0.3<!--04.loud_zero--> keypoints outside a
# cut-off person, and the mask 1.2<!--04.loud_mask-->. That is how the first hourglass networks were
# trained. The mask has never been told that a keypoint can be absent, so it always finds one.
#
# - **The empty map** is right if "no label" means "not there", and destroys heights, and then places,
#   if it does not.
# - **The mask** is right whatever "no label" means, and knows nothing of absence.
#
# ### Where the inventions go
#
# Not anywhere. Let us take the mask's network and ask, for keypoints outside, how far its answer is
# from the point of the picture that is nearest to the truth, and whether it stands on another keypoint
# of the same person. To see what chance would give, we ask the same of the answers for the *next*
# person.


# %%
def inventions(points_px):
    """Return, for keypoints outside: px from the picture's point nearest to the truth; whether on another keypoint."""
    H, W = held_out.size
    corner = held_out.keypoints.new_tensor([W - 0.5, H - 0.5])
    nearest = torch.minimum(held_out.keypoints.clamp(min=-0.5), corner)
    apart_px = torch.cdist(points_px, held_out.keypoints)
    apart_px = torch.where(held_out.labelled[:, None], apart_px, torch.inf).amin(-1)
    beside_px = metrics.keypoint_error(points_px, nearest)
    return beside_px[outside], (apart_px <= 0.1 * lengths_px[:, None])[outside]


# %% measured=true
mask_px = answers["mask"].keypoints_px
(beside_px, on_another), (chance_px, on_by_chance) = map(inventions, (mask_px, mask_px.roll(1, 0)))
for name, statement, measured_px, between in (
    ("beside", "median distance from the nearest point", beside_px.median(), (3.6, 6.4)),
    ("chance", "the same by chance", chance_px.median(), (26.5, 30.5)),
):
    claim(f"04.{name}", statement, measured_px, between=between, unit="px")
for name, statement, share, between in (
    ("on_another", "on another keypoint", on_another.float().mean(), (0.55, 0.73)),
    ("on_by_chance", "the same by chance", on_by_chance.float().mean(), (0.16, 0.22)),
):
    claim(f"04.{name}", statement, share, between=between)

# %% [markdown]
# Half of the inventions are within 5 px<!--04.beside--> of the point that is nearest to the truth, where
# chance gives 28 px<!--04.chance-->. And 65 %<!--04.on_another--> of them stand on another keypoint of the
# person, by chance 18 %<!--04.on_by_chance-->: the knee plays the ankle. They look plausible. That is what
# makes them dangerous.
#
# These bounds and the next are the spread over eight seeds, and as much again on either side.

# %% [markdown]
# ## Exercise 4 · Ask whether it can be seen ●●○ · 8 minutes
#
# The cure: mask the *place*, and ask for the *visibility* beside it. A visibility head gives one logit
# a keypoint, whose sigmoid is the probability that v is 2.


# %% exercise="visibility.visibility_loss" dots=2 minutes=8 points=2
def visibility_loss(logits, visibility):
    """Return −ln of the probability that a network gave to what is true: visible (v = 2) or not.

    Args:
        logits: float tensor (..., K), whose sigmoid is the probability of visible; of any size, such as 900. You train
            through it, so gradients count.
        visibility: uint8 tensor (..., K), COCO's 0/1/2.

    Returns:
        float tensor (..., K), one loss a keypoint.
    """
    visible = (visibility == 2).to(logits.dtype)
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, visible, reduction="none")


# %% check="visibility.visibility_loss"
checks.visibility.visibility_loss.check(visibility_loss)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# PyTorch has a loss for this whose name ends in `with_logits`. Its target is a number, 1 or 0, of the
# logits' type.
# </details>
#
# <details><summary>Hint 2</summary>
#
# `torch.nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none")`. By hand: −ln
# sigmoid(z) is `softplus(-z)`.
# </details>
#
# <details><summary>Help: I get <i>result type Float can't be cast</i>, or <i>two bool tensors</i></summary>
#
# A comparison is boolean, v is a byte, and the loss wants a float. Write `(visibility ==
# 2).to(logits.dtype)`.
# </details>

# %% [markdown]
# Here v = 0 means "outside" for sure, so all keypoints train the visibility. With hurried labels they
# must not; we come to that.

# %%
visibility_loss = checks.visibility.visibility_loss.best()


def both_losses(answer, sample):
    """Return the masked loss of the places plus a small part of the loss of the visibility, of all keypoints."""
    places = masked_mean(watcher.head.heatmap_loss(answer, sample), sample.labelled)
    return places + watcher.head.weight * visibility_loss(answer.logits, sample.visibility).mean()


watcher = models.build("visibility", width=8, sigma=1.5, generator=seeding.generator(0))
train.fit(
    watcher, hurried(people_seen, 0.0, seed=500), both_losses,
    train.TrainConfig(steps=350), generator=seeding.generator(100), device="cpu",
)  # fmt: skip
watched = watcher.detect(held_out.images)
seen = watched.scores

# %% measured=true
means = [seen[held_out.visibility == v].mean() for v in range(3)]
claim("04.p_visible", "predicted visibility where v = 2", means[2], between=(0.76, 0.83))
claim("04.p_hidden", "where v = 1", means[1], between=(0.51, 0.62))
claim("04.p_outside", "where v = 0", means[0], between=(0.32, 0.52))
usual = people_seen.visible.float().mean(0).expand_as(seen)  # who does not look at the picture
blind = [usual[held_out.visibility == v].mean() for v in (2, 0)]
claim("04.blind", "v = 2 less v = 0, without a look", blind[0] - blind[1], between=(0, 0.2))
claim("04.looked", "v = 2 less v = 0, this network", means[2] - means[0], between=(0.29, 0.46))
places = metrics.pck(watched.keypoints_px, held_out.keypoints, lengths_px, 0.1)
runs = recorded("head", 0.0, "pck")
claim(
    "04.head_pck", "PCK as in the table",
    places[held_out.visible].float().mean(), theory=runs.mean(),
    between=(round(float(runs.min()) - 0.1, 2), round(float(runs.max()) + 0.1, 2)),
)  # fmt: skip

# %% measured=true
watched_loud = false_at("head", 0.0, 0.6)
claim(
    "04.loud_head", "mask and visibility: outside, named", watched_loud.mean(), between=(0.1, 0.7)
)
claim("04.calmer", "mask alone over that, least", (loud / watched_loud).min(), between=(1.5, 9))

# %% [markdown]
# It has learnt which keypoints are outside, 0.43<!--04.p_outside--> against 0.79<!--04.p_visible-->.
# Who knows the keypoint's name and not the picture tells them apart by 0.06<!--04.blind-->, this network
# by 0.35<!--04.looked-->.
# Where it finds 6 of 10, it names 0.3<!--04.loud_head--> outside a cut-off person: as quiet as the
# empty map. It has learnt less well which are hidden: at 64 pixels it is hard to tell a hip in
# front of a crate from a hip behind it.
#
# Can its probabilities be believed? A **reliability** figure sorts predictions by what they claim, and
# looks how often it came true. Its mean gap is the *expected calibration error*, ECE. Then a single
# number, a temperature by which all logits are divided, is fitted on half of the people and tried on
# the others.

# %%
logits = torch.logit(seen.double())
fitted, tried = held_out.visible[:192], held_out.visible[192:]
temperature = calibration.temperature_scale(logits[:192], fitted)
curve = calibration.reliability(seen[192:].double(), tried)


def gap(p, came_true=tried):
    """Return the expected calibration error of probabilities."""
    return calibration.expected_calibration_error(p.double(), came_true)


ece, mended = gap(seen[192:]), gap((logits[192:] / temperature).sigmoid())

# %%
fig, (left, right) = viz.row(2)
left.plot([0, 1], [0, 1], **{**viz.UNCOUNTED, "marker": ""})
left.plot(curve.confidence, curve.frequency, **viz.LEFT)
left.set(xlabel="predicted visibility", ylabel="share that is visible", xlim=(0, 1), ylim=(0, 1))
bins = torch.linspace(0, 1, 21)
for v, look in ((2, viz.LEFT), (1, viz.RIGHT), (0, viz.MIDDLE)):
    share = torch.histogram(seen[held_out.visibility == v], bins, density=True).hist / 20
    right.plot((bins[1:] + bins[:-1]) / 2, share, label=f"v = {v}", **{**look, "marker": ""})
right.set(
    xlabel="predicted visibility", ylabel="share of the keypoints", xlim=(0, 1), ylim=(0, None)
)
right.legend(loc="upper left")
viz.headline(fig, "What it claims comes true, and still it cannot decide everywhere")
viz.show(
    fig,
    alt="Left: how often keypoints are visible against what was predicted, near the diagonal. Right: how often each "
    "prediction is made, for v of 2, 1 and 0: visible keypoints lie mostly above one half, outside ones mostly below, "
    "hidden ones in two groups, one on either side.",
)

# %% measured=true
lots = [torch.rand(tried.shape, generator=random) < seen[192:] for _ in range(20)]
luck = sum(gap(seen[192:], lot) for lot in lots) / len(lots)
claim("04.ece", "expected calibration error", ece, between=(0.009, 0.048), theory=luck)
claim("04.ece_luck", "the same if all came true as claimed", luck, between=(0.011, 0.02))
bolder = gap((2 * logits[192:]).sigmoid())
claim("04.ece_loud", "with logits twice as large", bolder, between=(0.058, 0.135))
claim("04.temperature", "the temperature that fits best", temperature, between=(0.78, 1.06), theory=1)  # fmt: skip
claim("04.mended", "what dividing by it changes", mended - ece, between=(-0.02, 0.024), theory=0)
claim("04.ece_blind", "who does not look at the picture", gap(usual[192:]), between=(0.01, 0.05))

# %% [markdown]
# A probability trained by its likelihood, for few epochs, is calibrated: the mean gap is
# 0.03<!--04.ece-->, where luck alone leaves 0.016<!--04.ece_luck--> and logits twice as large would give
# 0.09<!--04.ece_loud-->. The best temperature, near 1, does not make it smaller. Calibrated does not
# mean sharp: who knows the keypoint's name and not the picture has a gap of 0.03<!--04.ece_blind-->, too.
# It says 60 of 100 where it does not know, and 60 of 100 it is.
#
# And hurried labels? If v = 0 is taught as "not visible", half of all visible keypoints are taught
# wrongly, and the probabilities should be halved. That is in the table:

# %% measured=true
halved = recorded("head", 0.5, "score") / recorded("head", 0.0, "score")
claim(
    "04.halved",
    "visibility, hurried over careful",
    halved.mean(),
    between=(0.42, 0.58),
    theory=0.5,
)

# %% [markdown]
# They are, 0.48<!--04.halved-->. Where v = 0 can mean "left out", mask the visibility too, and learn
# only 1 against 2. What is absent then needs another source: boxes, the border, a data set that says
# so.

# %% [markdown]
# ## A threshold over a crowd
#
# Eight people, put together into one picture. Move the threshold: what do you pay for the last cross?


# %%
def side_by_side(sample, rows, columns):
    """Return the pictures of a sample as one picture of a crowd, row after row."""
    (H, W), count = sample.size, rows * columns
    tiles = sample.images.unflatten(0, (rows, columns)).permute(2, 0, 3, 1, 4)
    place = torch.arange(count)
    corner = torch.stack([place % columns * W, place // columns * H], dim=-1)
    return samples.Sample(
        images=tiles.reshape(1, 3, rows * H, columns * W),
        keypoints=(sample.keypoints + corner[:, None])[None],
        visibility=sample.visibility[None],
        boxes=sample.boxes[None],
        areas=sample.areas[None],
        present=torch.ones(1, count, dtype=torch.bool),
    ), corner[:, None]


eight = torch.arange(16, 24)
crowd, corners = side_by_side(held_out[eight], 2, 4)
in_crowd_px, p_seen = watched.keypoints_px[eight] + corners, seen[eight]

# %% measured=true
widgets.kept(crowd, in_crowd_px, p_seen)

# %% measured=true
fig = viz.kept(crowd, in_crowd_px, p_seen, 0.6)
viz.headline(fig, "A threshold trades crosses for rings")
viz.show(fig, alt=viz.describe_kept(crowd, p_seen, 0.6))

# %% [markdown]
# Both curves on the right fall; what counts is the distance between them. There is no right threshold.
# A robot that grasps a hand wants few crosses; a tracker that fills gaps wants few rings.

# %% [markdown]
# ## Four networks before the same five people
#
# All of it in one figure. Each network draws what passes its own threshold, which we set such that nine
# of ten visible keypoints pass. The first three learnt from hurried labels, the last one from careful
# ones.

# %%
no_feet, no_side = outside[:, 15:].all(-1), outside[:, 5] != outside[:, 6]
chosen = [(mask & (held_out.visible.sum(-1) >= 7)).nonzero()[:, 0] for mask in (no_feet, no_side)]
five = torch.cat([chosen[0][:3], chosen[1][:2]]).tolist()
rows = {f"{arm}\nhurried": answers[arm] for arm in ARMS} | {"mask, visibility\ncareful": watched}

# %%
fig, axes = viz.gallery(4, 5)
for line, (name, found) in zip(axes, rows.items(), strict=True):
    threshold = found.scores[held_out.visible].quantile(0.1)
    kept = torch.where(found.scores >= threshold, 2, 0).to(torch.uint8)
    for ax, index in zip(line, five, strict=True):
        viz.image(ax, held_out.images[index])
        viz.draw_skeleton(ax, found.keypoints_px[index], kept[index], held_out.skeleton, width=1.0)
        false = outside[index] & (kept[index] == 2)
        viz.draw_prediction(ax, found.keypoints_px[index], false, size=4)
    line[0].set_ylabel(name)
viz.headline(fig, "What a network does where it cannot see is what it was taught")
viz.show(
    fig,
    alt="Five people cut off by the border, in four rows, the first three taught by hurried labels, the last by careful ones; crosses mark named keypoints that are outside. corner: nothing but "
    "crosses in the upper left corner. zero: blurred skeletons, few crosses. mask: skeletons with crosses along the "
    "border that cuts the person off. mask and visibility: skeletons that stop where the picture ends, few crosses.",
)

# %% [markdown]
# ## Break it: one NaN
#
# One label of one batch is NaN, and it is masked. The loss is the second of the three ways above: it
# looks healthy. We take one step.


# %%
def after_one_step(loss):
    """Return the loss of a batch with one masked NaN label, and which share of the weights is NaN after a step."""
    network = models.build("heatmap", width=8, sigma=1.5, generator=seeding.generator(2)).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    answer = network(held_out.images[:16])
    target, mask = network.head.target(answer, held_out[:16]), held_out.labelled[:16].clone()
    target[3, 5], mask[3, 5] = torch.nan, False
    value = loss(answer.heatmaps, target, mask)
    value.backward()
    optimizer.step()
    weights = torch.nn.utils.parameters_to_vector(network.parameters())
    return value.item(), weights.isnan().float().mean().item()


# %%
def chosen_too_late(predicted, target, mask):
    """Mask after the square, with the mean that survives an empty mask."""
    return masked_mean((predicted - target).square().mean((-2, -1)), mask)


# %% measured=true
last = sum(parameter.numel() for parameter in untrained.head.parameters())
all_of_them = sum(parameter.numel() for parameter in untrained.parameters())
spoilt = 1 - last * 16 / 17 / all_of_them  # the last layer's numbers for the other keypoints stay
(late, dead), (early, alive) = after_one_step(chosen_too_late), after_one_step(masked_heatmap_loss)
claim(
    "04.healthy",
    "difference of both losses",
    late - early,
    between=(-1e-5, 1e-5),
    theory=0,
)
claim(
    "04.dead",
    "share of weights that are NaN",
    dead,
    between=(0.9, 1),
    theory=spoilt,
)
claim("04.alive", "repaired", alive, between=(0, 0), theory=0)

# %% [markdown]
# One label out of hundreds, and nearly every weight is NaN. The next loss is NaN as well, and whoever
# looks then finds nothing wrong in *that* batch. `train.fit` stops at the first loss that is not
# finite, and the losses of this package keep NaN out on both ways.

# %% [markdown]
# ## Quiz
#
# <details><summary><b>1.</b> A table hides an ankle; the annotator guessed its place, v = 1. What should it cost? <b>A</b> nothing, it is
# invisible, <b>B</b> as much as any other labelled keypoint, <b>C</b> half</summary>
#
# **B.** It has a place, OKS asks for it, and a network can learn to guess as the annotator did.
#
# *A:* then the network is never asked for hidden keypoints, and is scored on them all the same.
# *C:* v is a category, not a weight. If guesses are less exact, OKS already allows for it with its
# sigmas.
# </details>
#
# <details><summary><b>2.</b> Your heatmaps are all half as high as those of two colleagues, who trained
# on the same data. The places are fine. Where do you look first? <b>A</b> learning rate, <b>B</b> what your target is where a label is missing, <b>C</b> the decoder</summary>
#
# **B.** Half of the height is what an empty target at half of the labels gives.
#
# *A:* possible, and then places would be bad as well. Yours are not.
# *C:* a decoder reads maps. It does not make them lower.
# </details>
#
# <details><summary><b>3.</b> A model has the higher AP, and its users complain of feet that float in mid-air. Who is wrong?
# <b>A</b> the users, <b>B</b> AP, <b>C</b> nobody: they count different things</summary>
#
# **C.** OKS leaves out keypoints without a label, and users see them first. Count both.
#
# *A:* the feet are there, on their screen.
# *B:* AP answers the question it was made for: are labelled keypoints found?
# </details>

# %% [markdown]
# ## Take away
#
# - Labelled is v > 0 and trains; visible is v = 2 and can be predicted. They are two masks.
# - Divide by what counts. By all, half hidden is half the gradient, 0.5<!--04.by_all-->; AdamW hides it
#   until a second loss comes.
# - At half of the labels, a missing label taught as (0, 0) draws 94 %<!--04.corner_in_corner--> of the
#   keypoints in full view into the corner; taught as an empty map it leaves 0.42<!--04.kept--> of the height.
# - The mask names 1.2<!--04.loud_mask--> keypoints outside a cut-off person, the empty map and the
#   visibility head 0.3<!--04.loud_head-->, and no OKS will tell you.
# - 0 · NaN is NaN, forward and backward: choose before you compute.
#
# **Still open.** Our visibility head is calibrated and not sharp. How much of that is the 64 pixels,
# and how much the training of seconds, we have not measured. Lesson 08 asks what a network can know of
# its own error at all.
#
# **Our world and COCO.** Here v is computed from what is really in front, v = 1 includes a hip behind
# the person's own hand, and left-out labels are drawn by lot. COCO's annotators leave out what is
# small, crowded or hard, so a missing label there says something about the picture, and the laws above
# hold only on average.

# %% [markdown]
# ## Reading
#
# - T.-Y. Lin et al., *Microsoft COCO*, 2014, and the data set's page on keypoint evaluation: v, OKS,
#   and what is ignored.
# - A. Newell et al., *Stacked Hourglass Networks*, 2016, training details: a map of zeros where a joint
#   has no label.
# - B. Xiao et al., *Simple Baselines for Human Pose Estimation*, 2018, section 3, and its code:
#   `target_weight`.
# - V. Bazarevsky et al., *BlazePose*, 2020: visibility predicted beside each place.
# - C. Guo et al., *On Calibration of Modern Neural Networks*, 2017, equation 3 and section 4.2.
#
# Next: **05 Associative embedding.** Whose elbow is this?

# %% [markdown] only="solution"
# ## For the instructor
#
# | minute | what happens |
# |---|---|
# | 0 | The perfect score for feet drawn by lot; ask who has seen floating feet in a product |
# | 6 | Predictions, in silence |
# | 10 | COCO's three numbers, exercise 1 |
# | 18 | The screen of theory; exercise 2 |
# | 30 | Divisors, and why AdamW hides them |
# | 36 | 0 times NaN on the board, then exercise 3: the hard one |
# | 50 | Three answers to a missing label; start the training before the talk |
# | 60 | Who is quiet where nobody is: let the class defend the mask, then the empty map |
# | 66 | Exercise 4, threshold over the crowd |
# | 72 | Break it; quiz; take-aways |
#
# Expected wrong answers: "masked" for the second prediction (the lesson's title suggests it); `v == 2`
# for labelled; `values * mask`; `torch.where` after the square; `values[mask].mean()`, which fails on
# an empty mask. In 50 minutes: leave out the divisors' figure, the reliability and the inventions.
