# ---
# posecourse:
#   minutes: 45
#   budget_cpu_seconds: 30
# ---

# %% [markdown]
# # 00 Start here: where is a pixel?
#
# **By the end you will have shown that two forgotten halves move every keypoint of a picture, all in
# one direction, by an amount that you can predict exactly.**
#
# | | |
# |---|---|
# | Time | 45 minutes |
# | Price | about ten seconds of one laptop core; no GPU, no network |
# | You need | Python functions, NumPy or PyTorch indexing, a mean, a Gaussian: the self-test tells |
# | You will be able to explain | the figure with seventeen crosses that all miss in one direction |
#
# Run a cell with **Shift + Enter**, one after the other, down to *Predict*. From there on you may
# also use *Run → Run All Cells*: an exercise that is not done yet says so, and the rest goes on.

# %%
from dataclasses import replace

import torch
import torch.nn.functional as F

from posecourse import checks, coco, decode, heatmaps, machine, metrics
from posecourse import people, samples, seeding, viz, widgets
from posecourse.lesson import Todo, claim, predict, reveal

viz.use_style()
random = seeding.generator(0)

# %% [markdown]
# ## A number that looks wrong
#
# Here is a person. The course drew this picture, so it knows where each of the seventeen keypoints
# is, to a fraction of a pixel.
#
# A pose network does not answer on the picture's own grid. It answers on a coarser one: here, every
# cell stands for 16 x 16 pixels, and 16 is called the *stride*. We play a perfect network. We put a
# soft blob on each true keypoint, average the blob over each cell, find its centre on the coarse
# grid, and multiply by 16 to come back.

# %%
STRIDE = 16
FREE = {"occluders": 0, "truncation": 0, "margin": (0.14, 0.16)}
scene = people.draw_scenes(1, seeding.generator(1), poses=("wave",), **FREE)
person = people.render(scene, (256, 256))


def find_on_coarse_grid(keypoints_px, stride):
    """Find each keypoint in cells (x, y) as a perfect network would."""
    blobs = heatmaps.gaussian_heatmaps(keypoints_px, (256, 256), sigma=stride / 2)
    cells = F.avg_pool2d(blobs, stride)
    return decode.soft_argmax(cells / cells.sum((-2, -1), keepdim=True)).points


found_cell = find_on_coarse_grid(person.keypoints, STRIDE)
came_back_px = found_cell * STRIDE


# %%
def draw_miss(ax, recovered_px, size=8):
    """Draw the person, the true keypoints as rings, the recovered ones as crosses."""
    viz.image(ax, person.images[0])
    viz.draw_error(ax, person.keypoints[0], recovered_px[0])
    viz.draw_truth(ax, person.keypoints[0], size=size)
    viz.draw_prediction(ax, recovered_px[0], size=0.75 * size)


fig, axes = viz.gallery(1, 1)
draw_miss(axes[0, 0], came_back_px)
axes[0, 0].set_title("ring: the truth; cross: the answer")
viz.headline(fig, "A perfect network misses all seventeen, all in one direction")
viz.show(
    fig,
    alt="A rendered person who waves; rings on the true keypoints, crosses "
    "on the recovered ones. Each of the seventeen crosses lies more "
    "than ten pixels up and left of its ring; the seventeen lines "
    "between them are parallel.",
)

# %% measured=true
off_px = (came_back_px - person.keypoints)[0]
miss_px = metrics.keypoint_error(came_back_px, person.keypoints)[0]
degrees = torch.atan2(off_px[:, 1], off_px[:, 0]).rad2deg()
apart = degrees.max() - degrees.min()
claim("00.least", "the smallest of the misses", miss_px.min(), between=(10, 11), unit="px")
claim("00.most", "the largest of the misses", miss_px.max(), between=(10, 11), unit="px")
claim("00.parallel", "widest angle between two", apart, between=(0, 1), unit="degrees")

# %% [markdown]
# A line with a tick is a **claim**: a statement, the bounds within which it holds, and what was
# measured. Out of bounds, the notebook stops. A result that this course states has one.
#
# Nothing was learnt here, nothing was noisy, nothing was rounded. Still every cross is more than ten
# pixels away from its ring, up and to the left, and the seventeen misses are parallel to within a
# degree. Random errors do not do that.
#
# Something is wrong with the last step, "multiply by 16". Before we look, make a prediction.

# %% [markdown]
# ## Predict
#
# Write a number in place of the `...` and run the cell. Your first answer is recorded in a file
# beside your copy of this notebook, and nowhere else. It is scored later. A wrong one costs
# nothing: the guess that surprised you is what you will remember.
#
# *With cells of 4 pixels instead of 16, by how many pixels would the crosses be off along x? Give a
# positive number.*

# %%
predict("00.shift", 1.5, unit="px")

# %% [markdown]
# ## Is your machine ready?
#
# Let the question rest for ten minutes. The next cell says what the course found on your computer.
# A line that starts with a cross is followed by what to do about it. The command
# `python course.py doctor` prints a longer report that you can paste into a question.

# %% measured=true
print(machine.report())

# %% [markdown]
# The next panel shows whether widgets work. Click the slider, then press the arrow keys: somebody turns
# round. Blue is the person's own left, orange the right. A mark that is white inside is a keypoint
# that cannot be seen; the line below the picture names them.

# %%
walker = people.draw_scenes(1, seeding.generator(3), poses=("walk",), **FREE)
headings = torch.linspace(0, 2 * torch.pi, 25)[:24, None]
turning = people.render(replace(walker[[0] * 24], headings=headings), (160, 160))
widgets.flip_book(turning, "turn")

# %% [markdown]
# ## Five minutes: do you have what you need?
#
# Answer each question in your head, then open it.
#
# <details><summary><b>1.</b> <code>torch.zeros(2, 17, 2) + torch.zeros(17, 1)</code> has which shape?</summary>
#
# `(2, 17, 2)`. Shapes are aligned at the right: `(17, 1)` is stretched over the last axis and
# repeated over the first. If you said "an error", read about *broadcasting* in the NumPy guide:
# every lesson uses it.
# </details>
#
# <details><summary><b>2.</b> A map has 5 rows and 8 columns. Its flattened argmax is 37. Which (x, y) is that?</summary>
#
# (5, 4). Row `37 // 8` = 4, column `37 % 8` = 5, and a point is (x, y) = (column, row). If you said (4,
# 5), you are in good company: it is the commonest bug in this field, and lesson 01 looks for it.
# </details>
#
# <details><summary><b>3.</b> What is the softmax of (0, ln 3)?</summary>
#
# One quarter and three quarters: the exponentials are 1 and 3, and they are divided by their sum.
# If you were unsure, read it up before lesson 03.
# </details>
#
# <details><summary><b>4.</b> A Gaussian has σ = 3. What is its variance, and how high is it one σ from its peak of 1?</summary>
#
# The variance is σ² = 9, and the height is exp(−½), about three fifths of the peak. Mixing up σ and
# σ² is another classic bug.
# </details>
#
# <details><summary><b>5.</b> After <code>loss.backward()</code>, what is in <code>w.grad</code>, and who sets it back to zero?</summary>
#
# The derivative of the loss with respect to each entry of `w`, *added* to what was there before.
# You do, with `optimizer.zero_grad()`. If this is new, spend half an hour with PyTorch's own
# introduction to autograd first.
# </details>

# %% [markdown]
# ## Theory on one screen: two grids, one left edge
#
# A pixel covers a little square, and we say that the square's **centre** is at integer coordinates.
# So the first pixel's centre is at $x = 0$, its left edge at $-\frac12$. A picture of $W$ columns
# reaches from $x = -\frac12$ to $x = W - \frac12$.
#
# A coarser grid follows the same rule with its own unit. The first cell's centre is at cell
# coordinate 0, its left edge at $-\frac12$. **Both grids begin at the same edge.** A cell of stride
# $s$ covers the pixels $0 \ldots s - 1$, so its centre, cell 0, is at pixel $(s - 1)/2$.
#
# | symbol | in code | meaning | unit |
# |---|---|---|---|
# | px | `points`, `keypoints_px` | a place (x, y) on the picture, shape `(..., 2)` | pixels |
# | cell | `keypoints_cell` | the same place on the coarse grid, not rounded | cells |
# | $s$ | `stride` | how many pixels a cell is wide | pixels per cell |
#
# Three more rules hold in every lesson. A point is **(x, y)**: column first. A size is **(H, W)**:
# rows first. *Left* and *right* are the person's own.

# %% [markdown]
# ## Exercise 1 · From pixels to cells ●○○ · 5 minutes
#
# The screen above says where the edges are; the formula is yours to find. Fill the body of the
# function, run the cell, run the check below it. If the check does not like your answer, it says
# what it saw and what that suggests. Stuck? Open a hint. Still stuck? Go on: where the lesson needs
# the function again it takes yours if its check has passed, and the package's otherwise.


# %% exercise="frames.pixels_to_cells" dots=1 minutes=5 points=1
def pixels_to_cells(points, stride):
    """Convert (x, y) in pixels to (x, y) in cells. Centres of pixels and of cells are at integers.

    Args:
        points: float tensor (..., 2), in pixels.
        stride: pixels per cell, a positive number.

    Returns:
        tensor like `points`, in cells, not rounded. `points` itself stays as it was.
    """
    return (points + 0.5) / stride - 0.5


# %% check="frames.pixels_to_cells"
checks.frames.pixels_to_cells.check(pixels_to_cells)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Where is the left *edge* of pixel 0? And the left edge of cell 0? They are the same place. Measure
# from there.
# </details>
#
# <details><summary>Hint 2</summary>
#
# Three steps: from the centre to the edge, from pixels to cells, from the edge to the centre. Each
# is one operation, and a tensor of points needs no loop.
# </details>
#
# <details><summary>Help: I get <i>Todo: frames.pixels_to_cells is still to do</i></summary>
#
# The body of the function is still the stub. Replace the line that starts with `raise`, run the
# cell, then run the check.
# </details>
#
# <details><summary>Help: I get <i>it returns None where a float32 tensor of shape (2,) is expected. Is there a `return`?</i></summary>
#
# The function ran to its end without a `return`.
# </details>

# %% [markdown]
# ## What you have found
#
# <details><summary>The formula, when your check has passed</summary>
#
# $$\text{cell} = \frac{\text{px} + \frac12}{s} - \frac12$$
#
# Go to the edge (add the half), change the unit (divide by $s$), come back to the centre (subtract
# the half). The first half is half a *pixel*, the second half a *cell*: that is why they do not
# cancel.
# </details>
#
# The same point under three grids:

# %%
fig = viz.frames_by_stride((9.3, 4.6), (8, 16), strides=(2, 4, 8))
viz.headline(fig, "One point, three grids: it stays, and its number changes")
viz.show(
    fig,
    alt="The same point on a picture of 16 by 8 pixels under cells of 2, 4 "
    "and 8 pixels. It does not move; its coordinates in cells shrink "
    "from (4.40, 2.05) over (1.95, 0.78) to (0.73, 0.14).",
)

# %% [markdown]
# The point does not move. Only its name changes. Try it yourself, with the mouse or with the arrow
# keys. A third name is there too: in the *unit square* the picture reaches from 0 to 1, whatever its
# size.

# %%
widgets.frames()

# %% [markdown]
# ## Theory against measurement
#
# Our perfect network came back with $\text{cell} \cdot s$. It forgot both halves, so it should land
# $(s - 1)/2$ pixels too far left, and as much too far up. For $s = 16$ that is $7.5$ px along each
# axis, a distance of $7.5\sqrt2$ px.
#
# Now the claims have a theory. They hold for every keypoint, not only on average: seventeen points
# have 34 coordinates, and we look at the one that moved least and the one that moved most.

# %% measured=true
SHIFT, ROOM = (7.463, 7.537), (10.554, 10.659)
claim("00.low", "least shift", -off_px.max(), between=SHIFT, theory=7.5, unit="px")
claim("00.high", "most shift", -off_px.min(), between=SHIFT, theory=7.5, unit="px")
diagonal = 7.5 * 2**0.5
claim("00.error", "mean miss", miss_px.mean(), between=ROOM, theory=diagonal, unit="px")

# %% [markdown]
# So the misses of the first figure, 10.6 px<!--00.error--> on average, are no accident and no noise.
# (The bounds are theory's too: what a grid itself may add is computed after the repair.) And your
# prediction?

# %%
off_at_4_px = find_on_coarse_grid(person.keypoints, 4) * 4 - person.keypoints
shift_at_4 = off_at_4_px[..., 0].mean().abs()
BOUNDS = (1.489, 1.511)
if reveal("00.shift", shift_at_4, unit="px"):
    claim("00.shift", "shift at stride 4", shift_at_4, between=BOUNDS, theory=1.5, unit="px")

# %% [markdown]
# <details><summary>When you have predicted: why not 2, and why not a quarter of the big error?</summary>
#
# Half a cell would be 2 px. A quarter of the 10.6 px<!--00.error--> that you had seen would be
# 2.65 px<!--cited: 10.6 / 4-->; that is along the diagonal, and along x it is 1.9 px<!--cited: 7.5 / 4-->.
# The truth is smaller than all three: it is half a cell *less half a pixel*, and the half pixel does
# not shrink with the cells.
# </details>

# %% [markdown]
# ## Exercise 2 · And back ●○○ · 4 minutes


# %% exercise="frames.cells_to_pixels" dots=1 minutes=4 points=1
def cells_to_pixels(points, stride):
    """Convert (x, y) in cells to (x, y) in pixels: undo `pixels_to_cells`.

    Args:
        points: float tensor (..., 2), in cells.
        stride: pixels per cell, a positive number.

    Returns:
        tensor like `points`, in pixels. `points` itself stays as it was.
    """
    return (points + 0.5) * stride - 0.5


# %% check="frames.cells_to_pixels"
checks.frames.cells_to_pixels.check(cells_to_pixels)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Where is the left edge of cell 0, in cells and in pixels? Measure from there, as on the way there.
# </details>
#
# <details><summary>Hint 2</summary>
#
# To undo three steps, undo each of them, last one first.
# </details>
#
# <details><summary>Help: my answers are right for stride 1 only</summary>
#
# With $s = 1$ both halves cancel and every version is right. That is why the check never uses 1.
# </details>

# %% [markdown]
# ## The repair
#
# Back to the first figure. This time we come back the right way. `best()` gives your function if
# its check has passed, ours otherwise, and says which.

# %%
pixels_to_cells = checks.frames.pixels_to_cells.best()
cells_to_pixels = checks.frames.cells_to_pixels.best()
repaired_px = cells_to_pixels(found_cell, STRIDE)

# %%
fig, (before, after) = viz.row(2)
for ax, recovered in ((before, came_back_px), (after, repaired_px)):
    draw_miss(ax, recovered, size=6)
before.set_title("cell · s")
after.set_title("(cell + ½) · s − ½")
viz.headline(fig, "Two halves, remembered: every cross is in its ring")
viz.show(
    fig,
    alt="The same person twice, true keypoints as rings, recovered ones as "
    "crosses. On the left, multiplied by the stride, all crosses lie more "
    "than ten pixels up and left of their rings; on the right, with "
    "both halves, each cross is in the middle of its ring.",
)

# %% [markdown]
# Not quite in the middle: some hundredths of a pixel are left. Noise would have no pattern. We draw
# what is left against the keypoint's place inside its cell.

# %%
truth_cell = pixels_to_cells(person.keypoints, STRIDE)
inside = truth_cell - truth_cell.round()  # a cell's centre is 0, its edges ∓½
left_px = repaired_px - person.keypoints
PI = torch.tensor(torch.pi)
amplitude_px = torch.exp(-(PI**2) / 2) / torch.sin(PI / STRIDE)
across = torch.linspace(-0.5, 0.5, 101)

fig, ax = viz.single()
ax.plot(across, -amplitude_px * torch.sin(2 * PI * across), **{**viz.LEFT, "marker": ""})
ax.plot(inside.flatten(), left_px.flatten(), **{**viz.RIGHT, "linestyle": "none"})
ax.set(xlabel="place in its cell (cells from the centre)", ylabel="what is left (px)")
viz.headline(fig, "What is left is a sine, and theory (the line) draws it")
viz.show(
    fig,
    alt="What is left of the error, along x and along y, against the place "
    "inside the cell. The 34 squares lie on the line of theory, a sine "
    "of one period a cell that is zero at the cell's centre and edges "
    "and reaches 0.037 px between them.",
)

# %% measured=true
sine_px = -amplitude_px * torch.sin(2 * PI * inside)
beside_px = (left_px - sine_px).abs().max()
most_px = left_px.abs().max()
rounding = (pixels_to_cells(repaired_px, STRIDE) - found_cell).abs().max()
SINE, ROUNDED = (0.03, 0.037), (0, 1e-5)
claim("00.repaired", "most that is left", most_px, between=SINE, theory=amplitude_px, unit="px")
claim("00.sine", "farthest beside the sine", beside_px, between=(0, 0.0002), theory=0, unit="px")
claim("00.round_trip", "there and back", rounding, between=ROUNDED, theory=0, unit="cells")

# %% [markdown]
# A pattern, and yet no bug: this is what cells do to a blob that is about as wide as they are. It
# costs at most 0.037 px<!--00.repaired--> along an axis. So the bounds above are $7.5$ px give or
# take this much, and for distances $\sqrt2$ times as much.
#
# <details><summary>For the curious: where the sine and the other bounds come from</summary>
#
# Let $\mu$ be the true place in cells and $F$ the Fourier transform of the blob after averaging, with
# $F(0) = 1$. Poisson's sum formula gives the error of a centroid over cells, but for higher
# harmonics a million times smaller: $F'(1)\,\sin(2\pi\mu)/\pi$ cells. A Gaussian of half a cell,
# averaged over $s$ pixels, has
#
# $$F(k) = e^{-\pi^2 k^2/2}\,\frac{\sin \pi k}{s\,\sin(\pi k/s)}, \qquad
# F'(1) = -\frac{\pi\,e^{-\pi^2/2}}{s\,\sin(\pi/s)},$$
#
# and a cell is $s$ pixels. With $s = 4$ the same formula gives 0.010 px<!--cited: exp(−π²/2)/sin(π/4)-->,
# the room that your prediction's claim leaves. Lesson 03 meets the sine again.
#
# *Beside the sine:* a blob loses what lies beyond the picture's border. Ours are 36 px and more away
# from it, which moves a centroid by less than 0.0002 px<!--00.sine-->. *There and back:* each step in
# float32 rounds by at most $2^{-21}$ cells, and the bound leaves room for twenty steps.
# </details>

# %% [markdown]
# ## Meet the people
#
# Every person in this course is drawn by the course, in three dimensions, with a camera, a light,
# clothes and a place to be. That is why we can measure each claim: we know the truth, and we know
# it in quantities that no photograph comes with.

# %%
crew = people.render(people.draw_scenes(12, random), (128, 128))
fig = viz.people_gallery(crew, rows=3, columns=4, skeletons=False)
viz.headline(fig, "Twelve people that nobody has photographed")
viz.show(
    fig,
    alt="Twelve rendered people of different builds and skin tones, in "
    "different poses, clothes, lights and places; some are partly "
    "behind an object or cut off by the picture's edge.",
)

# %% [markdown]
# And the first six with what we know.

# %%
fig = viz.people_gallery(crew, rows=2, columns=3)
viz.headline(fig, "Blue is their left, orange their right, white inside is hidden")
viz.show(
    fig,
    alt="Six of the people, each with a skeleton of up to seventeen "
    "keypoints: the person's own left in blue with circles, the right "
    "in orange with squares. Keypoints that can be seen are small and "
    "full, hidden ones are larger and white inside.",
)

# %% [markdown]
# Blue, solid, round: the person's own **left**. Orange, dashed, square: the **right**. The left
# hand of somebody who faces you is on the right of the picture. From behind it is the other way
# round, and a network has to notice.

# %% [markdown]
# ### What cannot be seen
#
# COCO, the data set that this field grew up with, gives each keypoint a number $v$:
#
# | $v$ | meaning | in a `Sample` |
# |---|---|---|
# | 0 | not labelled; outside of the picture, say | `labelled` is false |
# | 1 | labelled, but hidden behind something | `labelled` is true, `visible` is false |
# | 2 | labelled and visible | both are true |
#
# In COCO an annotator decides. Here it is decided by what the renderer found in front.

# %%
CLOSE = {"people": 4, "overlap": 0.3, "truncation": 0, "aspect": 4 / 3}
together = people.draw_scenes(1, seeding.generator(26), **CLOSE)
crowd = people.render(together, (192, 256))
fig = viz.photograph(crowd, 0)
viz.headline(fig, "White inside: somebody, something or they themselves are in front")
viz.show(
    fig,
    alt="Four rendered people who stand partly in front of each other, with "
    "their skeletons. Keypoints that are behind a person, an object or "
    "the person's own body are large and white inside, the others "
    "small and full.",
)

# %% [markdown]
# It takes no crowd to hide a keypoint. Here are 64 people, each alone, with nothing in front:

# %% measured=true
scenes = people.draw_scenes(64, random, occluders=0, truncation=0)
alone = people.render(scenes, (64, 64))
hidden = (alone.visibility == 1).float().mean()
claim("00.hidden", "alone, and yet hidden", hidden, between=(0.13, 0.27))

# %% [markdown]
# About every fifth keypoint is hidden, by the person's own body, hair or clothes: ears most of all.
# (The bounds are four standard deviations of such a share, taken from 24 seeds.) Lesson 04 asks what
# a network should learn of it.

# %% [markdown]
# ### Your own pictures
#
# The same `Sample` comes from photographs. If the environment variable `POSECOURSE_REAL_COCO` names
# a folder with pictures and a COCO-keypoints file, the next cell shows four people from it.

# %%
photographs = coco.photographs()
if photographs is None:
    print("POSECOURSE_REAL_COCO names no folder: no photographs. The course needs none.")
else:
    four = photographs.crops((192, 144), min_keypoints=8)[:4]
    fig = viz.people_gallery(samples.concatenate(list(four)), rows=1, columns=4)
    viz.headline(fig, "Real people carry the same labels")
    viz.show(
        fig,
        alt="Four people cut out of photographs, with the keypoints that "
        "COCO's annotators clicked, in the same marks: full where they "
        "saw one, white inside where they guessed.",
    )

# %% [markdown]
# ## Take away
#
# - A pixel's centre is at an integer; the picture begins half a pixel before it.
# - $\text{cell} = (\text{px} + \frac12)/s - \frac12$. Forget both halves on the way back, and every
#   keypoint is off by $(s - 1)/2$ per axis. At $s = 16$ that made 10.6 px<!--00.error--> in all.
# - With both halves at most 0.037 px<!--00.repaired--> is left along an axis, and it is the grid's.
# - An error that has the same direction everywhere is a bug, not noise.
# - Points are (x, y), sizes are (H, W), left and right are the person's own.
#
# **What is still open.** We placed the blob at the true centre. A target that is rounded to whole
# cells, and a decoder that answers in whole cells, lose more. Lesson 02 measures it.
#
# **Our world and COCO.** Our keypoints are exact. COCO's were clicked by people on whole pixels, with
# a spread that COCO itself has measured. Our hidden keypoints are known; COCO's are estimated.

# %% [markdown]
# ## Reading
#
# - T.-Y. Lin et al., *Microsoft COCO: Common Objects in Context*, 2014: where the seventeen
#   keypoints come from. The keypoint page of the COCO site defines $v$ and OKS.
# - J. Huang et al., *The Devil is in the Details: Delving into Unbiased Data Processing for Human
#   Pose Estimation*, 2020, section 3: the same half pixel in the flip test of well-known code, and
#   what it costs.
# - F. Zhang et al., *Distribution-Aware Coordinate Representation for Human Pose Estimation*, 2020,
#   table 1: what the way back from the grid is worth.
#
# Next: **01 Coordinates or constellations?** What should a network answer, a point or a map?

# %% [markdown] only="solution"
# ## For the instructor
#
# | minute | what happens |
# |---|---|
# | 0 | The first figure on the wall. Ask what is wrong before anybody runs a cell |
# | 5 | Predictions, in silence |
# | 8 | Health check and self-test; help whoever has a cross |
# | 18 | The screen of theory, on the board, with one pixel drawn as a square |
# | 25 | Exercises 1 and 2 |
# | 35 | The people; let everybody find a person seen from behind |
# | 42 | Take-aways |
#
# Expected wrong answers: `points / stride` (most), `(points + 0.5) / stride` (some), rounding to
# whole cells (those who know heatmaps). In 30 minutes: leave out the self-test, the sine and exercise 2.
