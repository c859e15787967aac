# ---
# posecourse:
#   minutes: 75
#   budget_cpu_seconds: 90
# ---

# %% [markdown]
# # 06 Fusion: when are two heads better than one?
#
# **By the end you will have shown that the inverse-variance average keeps its promise under three
# conditions, from which point on each of them turns it into harm, and what becomes of the promise
# for two heads of one network.**
#
# | | |
# |---|---|
# | Time | 75 minutes |
# | Price | less than a minute of one laptop core, training included |
# | You need | lessons 01 and 03: heatmaps, and what a softmax's spread is not; variances and covariances |
# | You will be able to explain | the figure in which correlation first takes all gain away, and then gives it back |
#
# Two opinions are better than one, everybody says. Statistics says: if. This lesson is about the if.

# %%
import json
import math

import torch
from scipy.stats import spearmanr

from posecourse import calibration, checks, coords, decode, fusion, losses, models, paths, people
from posecourse import samples, seeding, train, transforms, viz, widgets
from posecourse.lesson import Todo, claim, predict, reveal

viz.use_style()
random = seeding.generator(0)

# %% [markdown]
# ## A number that looks wrong
#
# Two heads say where a wrist is. The first is off by 1 px, RMS, the second by 2 px; neither has a bias. One would say: the
# truth is somewhere between, nearer to the first. That is the inverse-variance average, and textbooks call it at least as
# good as the better of the two. We let both be wrong together, with a correlation of four fifths, and try it a million times.

# %%
COUNT = 1_000_000


def pair_of_errors(ratio, rho, count=COUNT):
    """Draw errors (2, count) of standard deviations 1 and `ratio`, with correlation ρ."""
    first, fresh = torch.randn(2, count, generator=random).double()
    return torch.stack([first, ratio * (rho * first + math.sqrt(1 - rho**2) * fresh)])


def rms(errors):
    """Return the root of the mean square."""
    return errors.square().mean().sqrt()


# %%
first, second = pair_of_errors(ratio=2, rho=0.8)
rules = {
    "the worse head": second,
    "the average": 0.8 * first + 0.2 * second,
    "the better head": first,
    "a third outside": (4 * first - second) / 3,
}

# %%
fig, (left, right) = viz.row(2)
looks = (viz.RIGHT, viz.UNCOUNTED, viz.LEFT, viz.MIDDLE)
places = {"second: 12": 12, "average: 10.4": 10.4, "first: 10": 10, "best: 9.33": 28 / 3}
for (name, place), look in zip(places.items(), looks, strict=True):
    left.plot([place], [0], label=name, **{**look, "linestyle": "none", "markersize": 9})
left.set(yticks=[], xlabel="x (px)", xlim=(8.5, 12.5), ylim=(-1, 2), title="one wrist")
left.legend(loc="upper right")
for row, (errors, look) in enumerate(zip(rules.values(), looks, strict=True)):
    right.plot([0, rms(errors)], [row, row], **{**look, "linestyle": "-", "markevery": [1]})
right.set(xlabel="error, RMS (px)", xlim=(0, None), title="a million wrists")
right.set_yticks(range(4), list(rules))
viz.headline(fig, "The average is worse than one head alone, the best is not between")
viz.show(
    fig,
    alt="Left: on a line, the first head says 10, the second 12, their average is 10.4 and the best estimate 9.33, left of both. "
    "Right: RMS errors: the worse head 2.0, the inverse-variance average 1.15, the better head 1.0, the best estimate 0.89.",
)

# %% measured=true
laws = (4.0, 1.312, 1.0, 0.8)
for mark, (name, errors), law in zip(
    ("worse", "average", "better", "outside"), rules.items(), laws, strict=True
):
    slack = 5 * math.sqrt(law / (2 * COUNT))
    low, high = math.sqrt(law) - slack, math.sqrt(law) + slack
    claim(
        f"06.{mark}", f"{name}: RMS", rms(errors), between=(round(low, 4), round(high, 4)),
        theory=math.sqrt(law), unit="px",
    )  # fmt: skip

# %% [markdown]
# The average is off by 1.145 px<!--06.average-->, more than the better head by itself. The best estimate is off by
# 0.895 px<!--06.outside-->. It takes a *third more* than all of the first head, and takes a third of the second away. For a wrist that the
# heads see at 10 and at 12 it says 9.33<!--cited: (4 · 10 − 12) / 3-->: outside of both.

# %% [markdown]
# ## Predict
#
# *One head errs twice as much as the other. From which correlation of their errors on is the inverse-variance average worse than the better head alone?*

# %%
predict("06.harmful", 0.8)

# %% [markdown]
# *One network, one backbone, two heads: one paints heatmaps, the other regresses coordinates. How strongly are their
# errors along an axis correlated?*

# %%
predict("06.rho", 0.3)

# %% [markdown]
# *The regression head also says how unsure it is: it was trained to. What ranks its errors best?*

# %%
DOUBTS = ("its own σ", "the height of the other head's peak", "the width of the other head's blob")
predict("06.ranks", "its own σ", options=DOUBTS)

# %% [markdown]
# ## Theory on one screen
#
# $V$ estimates $m_i$ of one point, along one axis, with errors of covariance $C$. A weighted average $\sum w_i m_i$ with $\sum w_i = 1$ has the
# variance $w^\mathsf T C\,w$. It is smallest for
#
# $$w = \frac{C^{-1}\mathbf 1}{\mathbf 1^\mathsf T C^{-1}\mathbf 1}, \qquad \text{variance } \frac1{\mathbf 1^\mathsf T C^{-1}\mathbf 1}
# \qquad\text{(BLUE)} .$$
#
# If the errors have nothing to do with each other, $C$ is diagonal, and this is the **inverse-variance average**:
# $w_i \propto 1/v_i$, with the variance $1/\sum 1/v_i$. That is less than each $v_i$: a promise. It rests on three words.
#
# | the errors are | if not | the average of two is worse than the better one |
# |---|---|---|
# | **independent** | correlation $\rho$ | from $\rho = (1 + r^2)/(2r^3)$ on |
# | **unbiased** | a bias $b$ in one of them | from $b = \sqrt{\sigma_1^2 + \sigma_2^2}$ on: $\sqrt2\,\sigma$ for equal ones |
# | **as claimed** | claimed ratio $q$ of variances for the true $r^2$ | from $q = (r^2 - 1)/2$ downwards |
#
# All three follow from $w^\mathsf T M\,w$, with $M$ the mean products of the errors: $C$, plus $b\,b^\mathsf T$ where there is a bias. The first: with weights $r^2$ and $1$ over $1 + r^2$ the variance is
# $\sigma_1^2\,(r^4 + r^2 + 2\rho r^3)/(1 + r^2)^2$. Set it equal to $\sigma_1^2$, and solve for $\rho$.
#
# | symbol | in code | meaning | unit |
# |---|---|---|---|
# | $m_i$ | `means` (V, …, 2) | what each head says | px |
# | $v_i = \sigma_i^2$ | `variances` (V, …, 2) | its variance, as claimed | px² |
# | $C$ | `covariance` (…, V, V) | of the errors of the heads | px² |
# | $w$ | `weights` | of sum 1, perhaps negative | 1 |
# | $r$, $\rho$ | `ratio`, `rho` | $\sigma_2/\sigma_1 \ge 1$; the correlation of the errors | 1 |
# | $q$ | `claimed` | claimed $v_2/v_1$ | 1 |

# %% [markdown]
# ## Exercise 1 · The inverse-variance average ●○○ · 6 minutes


# %% exercise="fusion.inverse_variance" dots=1 minutes=6 points=1
def inverse_variance(means, variances):
    """Return the average with weights in proportion to 1/v, and the variance that it has if errors are independent.

    mean = Σ (mᵢ / vᵢ) / Σ (1 / vᵢ),  variance = 1 / Σ (1 / vᵢ), axis by axis

    Args:
        means: float tensor (V, ..., 2), V estimates of each point, (x, y).
        variances: float tensor (V, ..., 2), what each of them claims; positive, infinite where it knows nothing.

    Returns:
        mean: float tensor (..., 2).
        variance: float tensor (..., 2).
    """
    precision = (1 / variances).sum(0)
    return (means / variances).sum(0) / precision, 1 / precision


# %% check="fusion.inverse_variance"
checks.fusion.inverse_variance.check(inverse_variance)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# The views are the first axis. Both sums run over it, `.sum(0)`, and over nothing else.
# </details>
#
# <details><summary>Hint 2</summary>
#
# Call $\sum 1/v_i$ the precision. The mean is `(means / variances).sum(0)` divided by it, the variance is one over it.
# </details>
#
# <details><summary>Help: I get <i>… where a pair (mean, variance) is expected</i></summary>
#
# Return two tensors, the mean first: `return mean, variance`.
# </details>

# %%
inverse_variance = checks.fusion.inverse_variance.best()
said, unsure = torch.randn(3, 5, 2, generator=random), torch.rand(3, 5, 2, generator=random) + 0.1
assert torch.allclose(inverse_variance(said, unsure)[0], fusion.inverse_variance(said, unsure).mean)

# %% [markdown]
# ## Where the promise holds
#
# First the law on its own ground: up to eight independent, unbiased, honest sensors, each with σ one and a half times that of the one before.

# %%
TRIES = 200_000
sigmas = 1.5 ** torch.arange(8, dtype=torch.float64)
noise = sigmas[:, None] * torch.randn(8, TRIES, generator=random, dtype=torch.float64)
measured, promised = [], []
for V in range(1, 9):
    claimed = (sigmas[:V, None, None] ** 2).expand(V, TRIES // 2, 2)
    mean, variance = inverse_variance(noise[:V].unflatten(-1, (-1, 2)), claimed)
    measured.append(rms(mean))
    promised.append(variance[0, 0].sqrt())

# %% measured=true
for V in (2, 8):
    law = float(promised[V - 1])
    slack = 5 * law / math.sqrt(2 * TRIES)
    claim(
        f"06.honest_{V}", f"{V} honest sensors: RMS over σ₁", measured[V - 1], theory=law,
        between=(round(law - slack, 4), round(law + slack, 4)),
    )  # fmt: skip

# %% [markdown]
# Two have 0.83<!--06.honest_2--> of the first one's error, all eight 0.744<!--06.honest_8-->: a worse sensor adds less, and never nothing.
#
# ## Three ways to lose it
#
# Now each word fails in turn, with the other two in force. Two sensors; the second has $\sigma_2 = 2\sigma_1$, or the same σ where it is the bias
# that grows. We plot what the average's error is over that of the better one. Above 1, fusing did harm.


# %%
def weighted(errors, claimed):
    """Return errors of the average whose weights believe in v₂/v₁ = claimed."""
    return (claimed * errors[0] + errors[1]) / (1 + claimed)


# %%
white = torch.randn(2, COUNT, generator=random, dtype=torch.float64)


def with_rho(rho):
    """Correlated, σ₂ = 2: the average's errors."""
    return weighted(
        torch.stack([white[0], 2 * (rho * white[0] + (1 - rho**2) ** 0.5 * white[1])]), 4
    )


def with_bias(bias):
    """Equal, the second with a bias."""
    return weighted(torch.stack([white[0], white[1] + bias]), 1)


def with_claim(claimed):
    """Independent, σ₂ = 2, and the ratio of variances is not 4 but as claimed."""
    return weighted(torch.stack([white[0], 2 * white[1]]), claimed)


# %%
WAYS = {
    "correlation": (with_rho, torch.linspace(-0.9, 0.9, 13), lambda x: (20 + 16 * x) / 25),
    "bias": (with_bias, torch.linspace(0, 3, 13), lambda x: 0.5 + x**2 / 4),
    "claim": (with_claim, torch.linspace(0.25, 6, 13), lambda x: (x**2 + 4) / (1 + x) ** 2),
}
LIMITS = {
    "correlation": fusion.harmful_correlation(2.0),
    "bias": fusion.break_even_bias(1.0, 1.0),
    "claim": fusion.harmful_claim(2.0),
}
LABELS = ("correlation ρ, at r = 2", "bias b / σ, equal σ", "claimed v₂/v₁, truly 4")

# %%
fig, panels = viz.row(3, sharey=True)
for ax, (name, (errors, grid, law)), label in zip(panels, WAYS.items(), LABELS, strict=True):
    fine = torch.linspace(float(grid[0]), float(grid[-1]), 200)
    ax.plot(fine, law(fine).sqrt(), label="theory", **{**viz.LEFT, "marker": ""})
    points = [rms(errors(x)) / rms(white[0]) for x in grid.tolist()]
    ax.plot(grid, points, label="measured", **{**viz.RIGHT, "linestyle": "none"})
    ax.axhline(1, **{**viz.UNCOUNTED, "marker": ""})
    ax.axvline(LIMITS[name], **{**viz.UNCOUNTED, "marker": "", "linestyle": ":"})
    ax.set(xlabel=label, title=f"{name}: {LIMITS[name]:.4g}")
panels[0].set_ylabel("average / better one, RMS")
panels[0].legend(loc="lower right")
viz.headline(fig, "Each assumption has one point from which on fusing does harm")
viz.show(
    fig,
    alt="Error of the inverse-variance average over that of the better sensor in three panels. It rises with correlation and crosses 1 at 0.3125; "
    "rises with bias and crosses 1 at 1.414 sigma; falls with the claimed ratio and crosses 1 at 1.5. Marks lie on theory.",
)


# %%
def crossing(errors, low, high):
    """Return where the average's mean square is that of the first sensor, by halving; the same draws throughout."""
    above = rms(errors(high)) > rms(white[0])
    while high - low > 1e-6:
        middle = (low + high) / 2
        harm = rms(errors(middle)) > rms(white[0])
        low, high = (low, middle) if harm == above else (middle, high)
    return low


# %% measured=true
for (name, (errors, _, law)), (low, high) in zip(
    WAYS.items(), ((0, 0.9), (0.5, 3), (0.5, 4)), strict=True
):
    at = LIMITS[name]
    slope = abs(law(at + 1e-4) - law(at - 1e-4)) / 2e-4
    slack = 5 * (errors(at).square() - white[0].square()).std() / COUNT**0.5 / slope
    claim(
        f"06.{name}", f"{name}: harm from", crossing(errors, low, high), theory=at,
        between=(round(at - float(slack), 4), round(at + float(slack), 4)),
    )  # fmt: skip
_ = reveal("06.harmful", LIMITS["correlation"])

# %% [markdown]
# With σ twice as large, a correlation of 0.31<!--06.correlation--> is enough. A bias may grow to 1.41 σ<!--06.bias-->, which is a lot. And of a ratio of variances
# of 4, the average has to be told at least 1.5<!--06.claim-->: if the worse sensor claims to be *as good*, the plain average, fusing does harm. To claim *too much* doubt for the
# worse sensor never does harm; it only gains less.

# %% [markdown]
# ## Exercise 2 · The best weights ●●○ · 10 minutes
#
# If you know $C$, correlation is no misfortune. It is information.


# %% exercise="fusion.correlated" dots=2 minutes=10 points=2
def correlated(means, covariance):
    """Return the average with the least variance for errors of this covariance, and that variance.

    w = C⁻¹·1 / (1ᵀ·C⁻¹·1),  mean = Σ wᵢ·mᵢ,  variance = 1 / (1ᵀ·C⁻¹·1). Weights may be negative.

    Args:
        means: float tensor (V, ..., 2), V estimates of each point, (x, y).
        covariance: float tensor (..., 2, V, V), of the V errors along x and along y of each point; positive definite.

    Returns:
        mean: float tensor (..., 2).
        variance: float tensor (..., 2).
    """
    sums = torch.linalg.inv(covariance).sum(-1)  # C⁻¹·1, (..., 2, V)
    total = sums.sum(-1)
    return (sums * means.movedim(0, -1)).sum(-1) / total, 1 / total


# %% check="fusion.correlated"
checks.fusion.correlated.check(correlated)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# $C^{-1}\mathbf 1$ is the sum of each row of $C^{-1}$: `torch.linalg.inv(covariance).sum(-1)`. The sum of that is
# $\mathbf 1^\mathsf T C^{-1}\mathbf 1$.
# </details>
#
# <details><summary>Hint 2</summary>
#
# The weights are (…, 2, V), the means (V, …, 2). `means.movedim(0, -1)` brings the views to the end.
# </details>
#
# <details><summary>Help: I get <i>The size of tensor a (…) must match the size of tensor b (…)</i></summary>
#
# Views stand first in the means and last in the weights. Move one of the two before you multiply.
# </details>

# %%
correlated = checks.fusion.correlated.best()
C = torch.tensor([[1.0, 1.6], [1.6, 4.0]], dtype=torch.float64)
said = torch.tensor([[10.0, 10.0], [12.0, 12.0]], dtype=torch.float64)
assert torch.allclose(correlated(said, C.expand(2, 2, 2))[0], fusion.correlated(said, C).mean)

# %% [markdown]
# ## Correlation takes, and gives back
#
# The weight of the worse head against $\rho$, and what is left of the error, for three ratios. At $\rho = 1/r$ the worse head gets no vote
# at all: there it says nothing that the better one does not. *Beyond*, its vote is negative. If the second head errs like the first, only
# more so, then where it stands away from the first shows which way both are wrong.


# %%
def pair_covariance(ratio, rho):
    """Return C (…, 2, 2) of two errors of standard deviations 1 and ratio, for a tensor of correlations."""
    one = torch.ones_like(rho)
    rows = [one, rho * ratio, rho * ratio, one * ratio**2]
    return torch.stack(rows, -1).unflatten(-1, (2, 2))


RATIOS = {1.0: viz.MIDDLE, 1.5: viz.LEFT, 3.0: viz.RIGHT}
rho = torch.linspace(-0.6, 0.98, 159, dtype=torch.float64)

# %%
fig, (left, right) = viz.row(2)
for ratio, look in RATIOS.items():
    C = pair_covariance(ratio, rho)
    weights = fusion.best_weights(C)
    error = torch.einsum("ni,nij,nj->n", weights, C, weights).sqrt()
    left.plot(rho, weights[:, 1], label=f"r = {ratio:g}", **{**look, "marker": ""})
    right.plot(rho, error, **{**look, "marker": ""})
    naive = fusion.naive_variance(torch.tensor([1.0, ratio**2]).to(C).expand(len(rho), 2), C)
    right.plot(rho, naive.sqrt(), **{**viz.UNCOUNTED, "marker": "", "linewidth": 0.9})
left.axhline(0, **{**viz.UNCOUNTED, "marker": ""})
left.set(ylim=(-1, 1), xlabel="correlation ρ", ylabel="best weight of the worse head")
right.set(ylim=(0, 1.3), xlabel="correlation ρ", ylabel="RMS / better head's")
left.legend(loc="lower left")
right.set_title("best weights; grey: inverse variance")
viz.headline(fig, "At ρ = 1/r the worse head is useless; beyond, it is useful again")
viz.show(
    fig,
    alt="Two panels against correlation from -0.6 to 0.98 for ratios 1, 1.5 and 3. Left: the best weight of the worse head falls and crosses zero at 1/r. "
    "Right: the best RMS rises to 1 at 1/r and falls steeply after; grey curves of the inverse-variance average rise on past 1.",
)

# %% measured=true
useless = fusion.best_weights(pair_covariance(2.0, torch.tensor(0.5, dtype=torch.float64)))[1]
claim("06.useless", "r = 2, ρ = 1/2: its weight", useless, between=(-1e-9, 1e-9), theory=0)
C = pair_covariance(2.0, torch.tensor(0.8, dtype=torch.float64))
claim("06.negative", "r = 2, ρ = 0.8: its weight", fusion.best_weights(C)[1], between=(-0.3334, -0.3333), theory=-1 / 3)  # fmt: skip
wrong = pair_covariance(2.0, torch.tensor(0.5, dtype=torch.float64))
weights = fusion.best_weights(C)
blind = (weights @ wrong @ weights).sqrt()
claim("06.trust", "those weights where ρ is 1/2: RMS", blind, between=(1.15, 1.16), theory=math.sqrt(4 / 3))  # fmt: skip

# %% [markdown]
# A warning goes with it. Weights of $-\tfrac13$ where $\rho$ is really one half are off by 1.155<!--06.trust--> times the better head. Negative weights
# trust $\rho$ to the hilt. Measure it where you use it.

# %% [markdown]
# ## When nobody knows the correlation
#
# In the plane errors have a shape. **Covariance intersection** (Julier and Uhlmann 1997) averages *inverse covariances* with weights that sum to 1:
#
# $$P^{-1} = \omega A^{-1} + (1 - \omega) B^{-1}, \qquad \hat x = P\,\bigl(\omega A^{-1} a + (1 - \omega) B^{-1} b\bigr),$$
#
# with that $\omega$ between 0 and 1 for which the trace of $P$ is smallest. If $A$ and $B$ are honest, so is $P$, *whatever the correlation*.
#
# ## Exercise 3 · Covariance intersection ●●● · 12 minutes


# %% exercise="fusion.covariance_intersection" dots=3 minutes=12 points=3
def covariance_intersection(means, covariances):
    """Return one point and one covariance made of two, honest for any correlation: P⁻¹ = ω·A⁻¹ + (1 − ω)·B⁻¹.

    ω is that between 0 and 1 for which the trace of P is smallest, to two digits.

    Args:
        means: float tensor (2, 2), two estimates of one point, (x, y).
        covariances: float tensor (2, 2, 2), A and B; positive definite.

    Returns:
        mean: float tensor (2,), P·(ω·A⁻¹·a + (1 − ω)·B⁻¹·b).
        covariance: float tensor (2, 2), P.
    """
    A_inverse, B_inverse = torch.linalg.inv(covariances)
    omega = torch.linspace(0, 1, 2001, dtype=means.dtype)[:, None, None]
    first, second = omega * A_inverse, (1 - omega) * B_inverse
    P = torch.linalg.inv(first + second)
    best = P.diagonal(dim1=-2, dim2=-1).sum(-1).argmin()
    return P[best] @ (first[best] @ means[0] + second[best] @ means[1]), P[best]


# %% check="fusion.covariance_intersection"
checks.fusion.covariance_intersection.check(covariance_intersection)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Two thousand values of ω at once are no work: `torch.linspace(0, 1, 2001)[:, None, None]`. `torch.linalg.inv` inverts all the
# matrices of a stack.
# </details>
#
# <details><summary>Hint 2</summary>
#
# The trace of each is `P.diagonal(dim1=-2, dim2=-1).sum(-1)`, and its `argmin()` says which ω. The mean wants the same ω, and the *inverses* of A and B.
# </details>
#
# <details><summary>Help: I get <i>The size of tensor a (…) must match the size of tensor b (2)</i></summary>
#
# Many values of ω beside matrices of 2 × 2 need two axes of their own: `omega[:, None, None]`.
# </details>

# %%
covariance_intersection = checks.fusion.covariance_intersection.best()
WIDE = torch.diag(torch.tensor([4.0, 1.0], dtype=torch.float64))
TALL = torch.diag(torch.tensor([1.0, 4.0], dtype=torch.float64))
centre, P = covariance_intersection(
    torch.zeros(2, 2, dtype=torch.float64), torch.stack([WIDE, TALL])
)
ours = fusion.covariance_intersection(torch.zeros(2, 2).double(), torch.stack([WIDE, TALL]))
assert torch.allclose(P, ours.covariance, rtol=1e-2)


# %%
def true_covariance(cross):
    """Return the covariance of ½·P·(A⁻¹a + B⁻¹b), the answer at ω = ½, for errors whose covariance across is given."""
    ga, gb = P @ torch.linalg.inv(WIDE) / 2, P @ torch.linalg.inv(TALL) / 2
    return ga @ WIDE @ ga.T + gb @ TALL @ gb.T + ga @ cross @ gb.T + gb @ cross.T @ ga.T


draws = torch.randn(400, 2, 2, generator=random, dtype=torch.float64)
turns = (
    draws / torch.linalg.matrix_norm(draws, ord=2)[:, None, None]
)  # the strongest correlations that there can be
truths = torch.stack([true_covariance(WIDE.sqrt() @ turn @ TALL.sqrt()) for turn in turns])

# %%
angle = torch.linspace(0, 2 * math.pi, 200, dtype=torch.float64)
circle = torch.stack([angle.cos(), angle.sin()])


def outline(covariance):
    """Return the ellipse of one standard deviation (2, 200)."""
    return torch.linalg.cholesky(covariance + 1e-9 * torch.eye(2)) @ circle


# %%
independent = torch.linalg.inv(torch.linalg.inv(WIDE) + torch.linalg.inv(TALL))
fig, ax = viz.single()
for covariance in truths[:60]:
    ax.plot(*outline(covariance), **{**viz.UNCOUNTED, "marker": "", "linewidth": 0.5})
for name, covariance, look in (
    ("A and B", WIDE, viz.LEFT), ("_", TALL, viz.LEFT), ("intersection, 1.6 I", P, viz.MIDDLE),
    ("if independent, 0.8 I", independent, viz.RIGHT),
):  # fmt: skip
    ax.plot(*outline(covariance), label=name, **{**look, "marker": ""})
ax.set(aspect="equal", xlabel="x (px)", ylabel="y (px)", xlim=(-2.2, 4.6))
ax.legend(loc="upper right")
viz.headline(fig, "Intersection encloses what any correlation can make of two")
viz.show(
    fig,
    alt="Ellipses of one standard deviation: A is wide, B is tall. The circle of the intersection goes through the four points where they cross. "
    "Sixty thin grey ellipses, true errors under different correlations, all lie inside of it. The circle for independent errors is smaller, and many cross it.",
)

# %% measured=true
claim("06.intersection", "intersection: variance", P.diagonal().max(), between=(1.59, 1.61), theory=1.6, unit="px²")  # fmt: skip
# At ω = ½ the true covariance is 0.8·I and twice the symmetric part of a product: 0.8 + 2·|a|·|b| at most, with
# |a|² + |b|² = 0.8, hence 1.6. Of 400 other sets of 400 draws the worst were 1.587 to 1.600: that gap may be twice as wide.
worst, least = torch.linalg.eigvalsh(truths).max(), 1.6 - 2 * 0.013
claim("06.enclosed", "worst of 400 true ones", worst, between=(least, 1.61), theory=1.6, unit="px²")  # fmt: skip
claim(
    "06.overconfident", "over what independence promises", worst / 0.8,
    between=(round(least / 0.8, 3), round(1.61 / 0.8, 3)), theory=2,
)  # fmt: skip
rounds = torch.stack([torch.eye(2), 4 * torch.eye(2)]).double()
circles = covariance_intersection(torch.zeros(2, 2).double(), rounds)[1]
claim("06.circles", "two circles of 1 and 4 px²: makes", circles[0, 0], between=(1, 1.001), theory=1, unit="px²")  # fmt: skip

# %% [markdown]
# From 4 and 1 to 1.6 px²<!--06.intersection--> in every direction, and no correlation makes it worse. That is a smaller gain than independence promises, and one that is kept:
# the worst of 400 correlations has 1.60 px²<!--06.enclosed-->, which is 2.0 times<!--06.overconfident--> what independence would have claimed. Of two *circles* it makes the
# smaller one, 1.0 px²<!--06.circles-->: without a difference in shape there is nothing to gain that is sure. That goes for one dimension too.

# %% [markdown]
# ## Turn it yourself
#
# Two heads, along x and along y. Find the ρ at which the naive average (pink) is as wide as the better head. Then go on, until the best weights (green) win by much.
# Below the slider are nine of its pictures; the last one is the opening example.

# %%
widgets.fusion()

# %%
rhos, ratios = (0.0, 0.5, 0.8), (1.0, 1.5, 2.0)
fig = viz.fused_by_correlation(rhos, ratios)
viz.headline(fig, "Correlation takes the gain, and gives it back to the best weights")
said = " ".join(viz.describe_fused_ellipses(rho, 2.0) for rho in rhos)
viz.show(
    fig,
    alt="Nine panels of error ellipses: a row for each ratio of 1, 1.5 and 2, a column for each correlation of 0, 0.5 and 0.8. "
    f"Of equal heads, in the first row, the average is the best there is. In the last row: {said}",
)

# %% [markdown]
# ## A head that says how sure it is
#
# So far σ was given. A network has to say it. **Gaussian NLL**: let it answer with a place and with $\ln v$, and minimise
#
# $$\ell = \tfrac12 \ln 2\pi v + \frac{\Delta^2}{2v}, \qquad \frac{\partial \ell}{\partial v} = 0 \text{ at } v = \Delta^2, \qquad
# \left|\frac{\partial \ell}{\partial \mu}\right| = \frac{|\Delta|}{v} .$$
#
# There is a **trap**. What is far off is soon called uncertain, $v \to \Delta^2$, and then its slope is $1/|\Delta|$: the *farther* off, the *slower* it learns. β-NLL
# (Seitzer et al. 2022) multiplies the loss by $v^\beta$, held constant. If $v$ keeps up with $\Delta^2$, a step of rate $\eta$ takes $\eta\,|\Delta|^{2\beta - 1}$ off:
#
# | | slope | $\Delta$ after $n$ steps | steps from 8 to 1 |
# |---|---|---|---|
# | $\beta = 0$, likelihood | $1/\Delta$ | $\sqrt{\Delta_0^2 - 2\eta n}$ | $(8^2 - 1)/2\eta$ |
# | $\beta = \tfrac12$ | $1$ | $\Delta_0 - \eta n$ | $7/\eta$ |
# | $\beta = 1$, as squared error | $\Delta$ | $\Delta_0 (1 - \eta)^n$ | $\ln 8 / {-\ln(1 - \eta)}$ |

# %%
ETA, BETAS = 0.05, (0.0, 0.5, 1.0)


def approach(beta, start=8.0, steps=700):
    """Descend β-NLL with v always at its best, and return how far off the place still is after each step."""
    off = torch.tensor([[start, 0.0]], dtype=torch.float64)
    path = []
    for _ in range(steps):
        path.append(off[0, 0].item())
        if path[-1] < 0.5:
            break
        off = off.requires_grad_()
        v = torch.stack([off[..., 0] ** 2, torch.ones(1)], -1).detach()
        loss = losses.gaussian_nll(off, torch.zeros_like(off), v, beta).sum()
        off = (off - ETA * torch.autograd.grad(loss, off)[0]).detach()
    return torch.tensor(path)


ways = {beta: approach(beta) for beta in BETAS}

# %%
fig, ax = viz.single()
for (beta, path), look in zip(ways.items(), (viz.RIGHT, viz.MIDDLE, viz.LEFT), strict=True):
    n = torch.arange(len(path), dtype=torch.float64)
    law = {0.0: (64 - 2 * ETA * n).clamp(min=0).sqrt(), 0.5: 8 - ETA * n, 1.0: 8 * (1 - ETA) ** n}
    ax.plot(n, law[beta], label=f"β = {beta:g}", **{**look, "marker": ""})
    ax.plot(n, path, **{**look, "linestyle": "none", "markevery": max(1, len(path) // 12)})
ax.set(xlabel="step", ylabel="distance from the truth Δ", ylim=(0, 8.5))
ax.legend(loc="upper right")
viz.headline(fig, "Under the likelihood, what is far off arrives last by far")
viz.show(
    fig,
    alt="Distance from the truth over steps, from 8. With beta 1 it falls below 1 within 41 steps, with a half along a straight line in 140, "
    "and with beta 0 it stays near 8 for long and comes down after 630. Marks lie on the three laws.",
)

# %% measured=true
lag = math.log(64) / 4  # finite steps: each leaves η²/Δ² behind, a quarter of ln 64 steps in all
for beta, law in (
    (0.0, 63 / (2 * ETA) + lag),
    (0.5, 7 / ETA),
    (1.0, math.log(8) / -math.log(1 - ETA)),
):
    steps = int((ways[beta] > 1 + 1e-9).sum())
    mark = f"{beta:g}".replace(".", "")
    claim(
        f"06.steps_{mark}", f"β = {beta:g}: steps from 8 to 1", steps,
        between=(math.floor(law) - 1, math.ceil(law) + 1), theory=law,
    )  # fmt: skip

# %% [markdown]
# That is a law for free places, with $v$ at its best in every step. Adam, which divides each slope by its usual size, and a network, in which all keypoints share weights, may blunt the trap. So
# we ask the network.

# %% [markdown]
# ## One backbone, two heads
#
# A U-Net; on it a heatmap head, and a head that regresses places with $\ln v$. Both are trained together, from nothing, on a thousand rendered people; every third has something
# in front. Calibration and test have people of their own.


# %%
def world(first, batches):
    """Draw people of 64 pixels, a third of them with something in front."""
    options = {"occluders": 0.3, "truncation": 0.1, "facing": 0.8, "margin": (0.05, 0.2)}
    seeds = range(first, first + batches)
    scenes = [people.draw_scenes(128, seeding.generator(seed), **options) for seed in seeds]
    return samples.concatenate([people.render(scene, (64, 64)) for scene in scenes])


data, calibrating, test = world(0, 8), world(500, 2), world(900, 4)
with seeding.fork(seeding.generator(0)):
    backbone = models.UNet(8)
    painter = models.HeatmapHead(backbone.channels, 17, backbone.stride)
    regressor = models.GaussianRegression(backbone.channels, 17, (64, 64), beta=0.5)
    head = models.PairHead(painter, regressor, weight=0.003)
network = models.PoseNetwork(backbone, head)
config = train.TrainConfig(steps=500)
_ = train.fit(network, data, config=config, generator=seeding.generator(100), device="cpu")

# %% [markdown]
# Such a training takes fifteen seconds. Five seeds for each of three β are in a table that the course ships, made by
# `python -m benchmarks.fusion`. Ours is its first row; what we claim of it has to lie within five standard
# deviations of its sisters, pooled over β: on another processor rounding alone makes another training of it.


# %%
def opinions(sample):
    """Return errors (2, n, 2) of both heads, the regression's variances, and the heatmaps of the labelled keypoints."""
    with torch.no_grad():
        answer = network(sample.images)
    points = [painter.read(answer.first).keypoints_px, regressor.read(answer.second).keypoints_px]
    errors = (torch.stack(points) - sample.keypoints)[:, sample.labelled]
    variances = regressor.variances_px(answer.second)[sample.labelled]
    return errors, variances, answer.first.heatmaps[sample.labelled]


def correlation(a, b):
    """Return ρ of two errors, their means included: what a mean square error is made of."""
    return (a * b).mean() / (a.square().mean() * b.square().mean()).sqrt()


errors, sigma2, maps = opinions(test)
away = errors.norm(dim=-1)  # (2, n), px
table = json.loads(paths.data_path("fusion.json").read_text(encoding="utf-8"))


# %%
def recorded(*keys, beta=0.5):
    """Return one entry of the table, or a function of a row, a number a seed."""
    rows = [row for row in table if row["beta"] == beta]
    for key in keys:
        known = [row for row in rows if callable(key) or isinstance(row, list) or key in row]
        rows = [key(row) if callable(key) else row[key] for row in known]
    return torch.tensor(rows)


def in_all(read):
    """Return a function of each of the table's fifteen rows."""
    return torch.tensor([read(row) for row in table])


def beside(*keys):
    """Return bounds for one more training: five standard deviations about the mean of β = ½, pooled over the three β."""
    mean, variances = recorded(*keys).mean(), [recorded(*keys, beta=beta).var() for beta in BETAS]
    slack = 5 * (sum(variances) / len(BETAS)) ** 0.5
    return round(float(mean - slack), 3), round(float(mean + slack), 3)


# %% measured=true
for index, name in enumerate(("heatmaps", "regression")):
    keys = "rms", index
    claim(
        f"06.rms_{name}", f"{name}: RMS an axis", rms(errors[index]), between=beside(*keys),
        theory=recorded(*keys).mean(), unit="px",
    )  # fmt: skip
    keys = "median", index
    claim(
        f"06.median_{name}", f"{name}: median", away[index].median(),
        between=beside(*keys), theory=recorded(*keys).mean(), unit="px",
    )  # fmt: skip

# %% [markdown]
# (*Theory* in these lines is the mean over the table's seeds.) The two heads err alike in the mean square, 3.8<!--06.rms_heatmaps--> and 3.9 px<!--06.rms_regression--> an axis, and
# unlike in the middle: half of the heatmap's answers are within 2.5 px<!--06.median_heatmaps-->, of the regression's within 3.1 px<!--06.median_regression-->. Remember that.
#
# And the trap?

# %%
fig, panels = viz.row(2)
for ax, key, label in (
    (panels[0], ("rms", 1), "regression head: RMS (px)"),
    (panels[1], ("scales", 1), "mean of e²/v on new people"),
):
    for beta, look in zip(BETAS, (viz.RIGHT, viz.MIDDLE, viz.LEFT), strict=True):
        values = recorded(*key, beta=beta)
        ax.plot([beta] * len(values), values, **{**look, "linestyle": "none"})
    ax.set(xlabel="β", ylabel=label, xticks=BETAS)
panels[1].axhline(1, **{**viz.UNCOUNTED, "marker": ""})
viz.headline(fig, "In the network the trap hardly shows")
viz.show(
    fig,
    alt="Five trainings each for beta 0, a half and 1. Left: the regression head's RMS error; the groups overlap or lie close. "
    "Right: mean squared error over claimed variance; it falls with beta; all lie between 1.3 and 1.9.",
)

# %% measured=true
# Means of five seeds: bounds are four standard errors on either side, as the table has them. A standard error of five is
# itself known within 0.6 and 2.9 times: 95 % of χ² with four degrees of freedom.
trap = recorded("rms", 1, beta=0.0) - recorded("rms", 1, beta=1.0)
claim("06.trap_sign", "seeds of 5 in which β = 0 is worse", (trap > 0).sum(), between=(5, 5))
claim("06.trap", "β = 0 less β = 1: RMS, mean of 5 seeds", trap.mean(), between=(-0.05, 0.24), unit="px")  # fmt: skip
claim("06.trap_error", "its standard error", trap.std() / 5**0.5, between=(0.022, 0.106), unit="px")  # fmt: skip
sure = recorded("scales", 1, beta=0.0) / recorded("scales", 1, beta=1.0)
claim("06.trap_claims", "seeds of 5 in which its e²/v is larger", (sure > 1).sum(), between=(5, 5))
claim("06.trap_claim", "β = 0 over β = 1: e²/v, mean of 5", sure.mean(), between=(0.9, 1.45))
claim("06.trap_claim_error", "its standard error", sure.std() / 5**0.5, between=(0.041, 0.199))

# %% [markdown]
# With β = 0 the RMS is larger than with β = 1 for all five seeds<!--06.trap_sign-->, by 0.09 px<!--06.trap--> in the mean (± 0.04<!--06.trap_error-->), a fortieth of it; and so is $e^2/v$, for
# all five<!--06.trap_claims-->, by a factor of 1.2<!--06.trap_claim--> (± 0.07<!--06.trap_claim_error-->). Five seeds do not settle more. Seitzer et al. show tasks in which the trap ruins the fit. Here the regression's
# loss has a weight of 0.003<!--cited: `PairHead`, above--> beside the heatmaps', so β can hardly reach the backbone; shared weights and Adam may help, too. We did not take these apart.
#
# ## Does the shape of a heatmap tell its confidence?
#
# Theory first. A network that is trained by squared error answers with the *mean* of the blobs that it holds possible. If it thinks the keypoint
# is normally distributed with variance $\tau^2$ along each axis, that mean is the blob of width σ, blurred:
#
# $$\text{second moment } \sigma^2 + \tau^2, \qquad \text{peak } h = \frac{\sigma^2}{\sigma^2 + \tau^2}
# \qquad\Longrightarrow\qquad \tau^2 = \sigma^2\left(\frac1h - 1\right) .$$
#
# So the raw second moment is **not** an uncertainty: a perfectly sure map still has $\sigma^2$. Subtract it. And the peak says the same a second time, with no moment at all. Both
# are variances in square cells, without anything fitted.


# %%
def width_variances(maps, radius=4, floor=0.1):
    """Return (n, 2) px²: the second moment in a window around the largest cell, less the blob's; σ is one cell of 4 px."""
    H, W = maps.shape[-2:]
    top = maps.flatten(-2).argmax(-1)[:, None]
    across = (torch.arange(W) - top % W).abs() <= radius
    down = (torch.arange(H) - top // W).abs() <= radius
    window = torch.where(down[:, :, None] & across[:, None], maps.clamp(min=0), 0)
    moments = decode.spatial_covariance(window[:, None])[:, 0].diagonal(dim1=-2, dim2=-1)
    return 4**2 * (moments - 1).clamp(min=floor)


def peak_variances(maps):
    """Return (n, 2) px²: σ²·(1/h − 1) for a peak of height h."""
    h = maps.flatten(-2).amax(-1)
    return (4**2 * (1 / h.clamp(0.05, 0.95) - 1))[:, None].expand(-1, 2)


# %%
doubts = {
    "peak": (errors[0], peak_variances(maps), viz.LEFT),
    "width": (errors[0], width_variances(maps), viz.MIDDLE),
    "own σ of the regression": (errors[1], sigma2, viz.RIGHT),
}
# %%
fig, ax = viz.single()
for name, (error, variances, look) in doubts.items():
    claimed = variances.mean(-1).sqrt()
    groups = claimed.argsort().tensor_split(12)
    ax.plot(
        [variances[g].mean().sqrt() for g in groups], [rms(error[g]) for g in groups], label=name,
        **{**look, "linewidth": 0.8},
    )  # fmt: skip
ax.plot([1.2, 9], [1.2, 9], label="honest", **{**viz.UNCOUNTED, "marker": ""})
ax.set(xscale="log", yscale="log", xlabel="claimed σ (px)", ylabel="error, RMS (px)")
for axis in (ax.xaxis, ax.yaxis):
    axis.set_ticks([1, 2, 4, 8], labels=["1", "2", "4", "8"])
ax.minorticks_off()
ax.legend(loc="upper left")
viz.headline(fig, "A peak's height is an error in pixels, and nobody trained it to be")
viz.show(
    fig,
    alt="RMS error against claimed sigma on logarithmic axes, twelve groups of keypoints for each of three claims. The peak's and the width's claims lie "
    "near the diagonal, a little below it in the middle, above it at the doubtful end; the regression head errs more than it claims, least so where it is least sure.",
)

# %% measured=true
said, said_sigma2, said_maps = opinions(calibrating)
for index, (mark, name, variances) in enumerate(
    (("peak", "peak", peak_variances(said_maps)), ("own", "own σ", said_sigma2))
):
    scale = calibration.variance_scale(said[index], variances)
    claim(f"06.{mark}", f"{name}: mean of e²/v", scale, between=beside("scales", index), theory=1)
least = in_all(lambda row: row["scales"][1]).min()
claim("06.own_least", "own σ: least e²/v of 15 trainings", least, between=(1, 2))
learnt, learnt_sigma2, _ = opinions(data)
seen = calibration.variance_scale(learnt[1], learnt_sigma2)
claim("06.seen", "own σ on the training set", seen, between=beside("seen"), theory=1)

# %% measured=true
for index, radius in enumerate((4, 2, 16)):
    scale = calibration.variance_scale(errors[0], width_variances(maps, radius))
    claim(f"06.width_{radius}", f"moment in ±{radius}: e²/v", scale, between=beside("width_scales", index), theory=1)  # fmt: skip
moments = width_variances(maps).mean(-1) + 4**2
surest = moments <= moments.quantile(0.25)
ratio = moments[surest].mean().sqrt() / rms(errors[0][surest])
claim("06.raw", "raw, surest quarter: σ/RMS", ratio, between=beside("raw_claim"), theory=1)  # fmt: skip

order = peak_variances(maps)[:, 0].argsort().tensor_split(12)
honest = [rms(errors[0][g]) / peak_variances(maps)[g].mean().sqrt() for g in order]
middle = max(honest[3:8])
claim("06.middle", "peak, in the middle: largest error over claim", middle, between=(0.6, 1))
claim("06.doubtful", "peak, most doubtful twelfth: the same", honest[-1], between=(1, 2))

# %% [markdown]
# On average the peak's claim comes true to within a tenth, 1.08<!--06.peak-->, with nothing fitted: the theory's own variance. The head that was *trained* to say σ claims too little: its squared errors are
# 1.5 times<!--06.own--> what it says. On the pictures that it was trained on they are 0.77<!--06.seen--> times: it says what it saw there. And the raw
# second moment claims, where it is surest, 2.5 times<!--06.raw--> the error that there is. Less the blob it is as honest as the peak, 1.1<!--06.width_4-->, *in a
# window of four cells to each side*. With two cells the blob's flanks are cut off, and $e^2/v$ is 4.9<!--06.width_2-->; with the whole map every speck counts as spread, and it is 0.27<!--06.width_16-->. (The window, and a floor
# of a tenth of a square cell, were chosen after looking at these people, so the width is flattered. The peak has a knob as well: heights are held a twentieth away from 0 and from 1.)
#
# On average, that is. In the middle of the figure errors are smaller<!--06.middle--> than the peak claims, and at the doubtful end larger<!--06.doubtful-->: there they are gross, and no
# normal posterior.
#
# That is the size. Does it *rank*, too? Spearman's rank correlation of doubt and error, with a bootstrap over people: keypoints of one person are not independent.

# %%
owner = torch.arange(len(test))[:, None].expand(-1, 17)[test.labelled]
joint = torch.arange(17).expand(len(test), -1)[test.labelled]
peak, width, own = (variances.sum(-1) for _, variances, _ in doubts.values())
PAIRS = {"peak": (0, peak), "width": (0, width), "own": (1, own), "peak_of_second": (1, peak)}
PAIRS["width_of_second"] = (1, width)
IN_TABLE = {"own": "sigma"}


def rank(name, chosen):
    """Return Spearman's correlation of a doubt with the error of a head, over the chosen keypoints."""
    index, doubt = PAIRS[name]
    return spearmanr(away[index][chosen], doubt[chosen]).statistic


members = [torch.nonzero(owner == person)[:, 0] for person in range(len(test))]
drawn = torch.randint(len(test), (100, len(test)), generator=random).tolist()
resamples = [torch.cat([members[person] for person in row]) for row in drawn]
spread = {name: torch.tensor([rank(name, again) for again in resamples]) for name in PAIRS}
everyone = torch.arange(len(owner))

# %% measured=true
for name in PAIRS:
    keys = f"rank_{IN_TABLE.get(name, name)}", 0
    low, high = spread[name].quantile(torch.tensor([0.025, 0.975]).to(spread[name])).tolist()
    told = f"rank (95 %: {low:.2f} to {high:.2f})"
    claim(f"06.rank_{name}", told, rank(name, everyone), between=beside(*keys))
# A least value lies between 0, or the text is wrong, and what it is the least of: our own gap, the seeds' mean.
gaps = spread["peak_of_second"] - spread["own"]
ours = rank("peak_of_second", everyone) - rank("own", everyone)
claim("06.gap", "peak over own σ: least of 100 bootstraps", gaps.min(), between=(0, round(ours, 3)))
gaps = recorded("rank_peak_of_second", 0) - recorded("rank_sigma", 0)
claim("06.gap_seeds", "peak over own σ: least of 5 seeds", gaps.min(), between=(0, round(float(gaps.mean()), 3)))  # fmt: skip
for name in ("peak", "own", "peak_of_second"):
    within = [rank(name, (joint == k).nonzero()[:, 0]) for k in range(17)]
    mean = sum(within) / 17
    claim(f"06.within_{name}", "the same within a joint", mean, between=beside(f"rank_{IN_TABLE.get(name, name)}", 1))  # fmt: skip
asked = ("own", "peak_of_second", "width_of_second")
measured_ranks = [rank(name, everyone) for name in asked]
_ = reveal("06.ranks", DOUBTS[measured_ranks.index(max(measured_ranks))])

# %% [markdown]
# So yes, the shape tells: 0.48<!--06.rank_peak--> for the peak, 0.42<!--06.rank_width--> for the width. The regression's own σ ranks its errors with 0.47<!--06.rank_own-->. And here is the
# surprise: **the peak of the other head ranks the regression's errors better than its own σ**, 0.55<!--06.rank_peak_of_second-->, in each of 100 resamples and for every seed. The width of its blob does so with 0.50<!--06.rank_width_of_second-->.
#
# Part of each number is only that wrists are harder than hips. Within one joint, the mean over joints is 0.37<!--06.within_peak--> for the peak, for the own σ 0.21<!--06.within_own-->,
# and 0.39<!--06.within_peak_of_second--> for the peak on the regression's errors. A perfect σ would not reach 1 either; how far it would get is lesson 08's.

# %% [markdown]
# ## Exercise 4 · Make the claim fit ●○○ · 5 minutes
#
# A claim that is wrong by one factor is mended by one factor: that with which the errors are likeliest.


# %% exercise="fusion.variance_scale" dots=1 minutes=5 points=1
def variance_scale(errors, variances):
    """Return the factor by which claimed variances have to be multiplied to fit the errors: the mean of e²/v.

    Args:
        errors: float tensor (..., 2), predicted − true, along x and y.
        variances: float tensor (..., 2), as claimed; positive.

    Returns:
        float tensor (), one number over everything.
    """
    return (errors**2 / variances).mean()


# %% check="fusion.variance_scale"
checks.fusion.variance_scale.check(variance_scale)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# If the claims were honest, each $e^2/v$ would be 1 on average.
# </details>
#
# <details><summary>Hint 2</summary>
#
# The mean of the ratios, not the ratio of the means. And $v$ is a variance already: do not square it.
# </details>
#
# <details><summary>Help: I get <i>… tensor of shape () is expected</i></summary>
#
# `.mean()` without an axis runs over all of them.
# </details>

# %%
variance_scale = checks.fusion.variance_scale.best()
assert torch.allclose(
    variance_scale(errors[1], sigma2), calibration.variance_scale(errors[1], sigma2)
)

# %% [markdown]
# ## Calibrate first, then fuse
#
# First on ground where we know everything: the second of two independent sensors has σ = 2 and claims 1, so that it is *worse than useless*. One factor,
# fitted on a hundred other points, mends it.

# %%
fresh = torch.randn(2, 100, generator=random, dtype=torch.float64) * torch.tensor([[1.0], [2.0]])
factor = [variance_scale(error, torch.ones(100)) for error in fresh]
before, after = with_claim(1.0), with_claim(float(factor[1] / factor[0]))

# %% measured=true
slack = 5 * math.sqrt(1.25 / (2 * COUNT))
low, high = math.sqrt(1.25) - slack, math.sqrt(1.25) + slack
claim("06.before", "claims 1 and 1: RMS", rms(before), between=(round(low, 4), round(high, 4)), theory=math.sqrt(1.25))  # fmt: skip
# Each factor, of n = 100 squares, is off by √(2/n), the logarithm of their ratio by √(4/n). Three of these:
rough = 4 * math.exp(-3 * math.sqrt(4 / 100))
high = math.sqrt(rough**2 + 4) / (1 + rough) + slack
low = math.sqrt(0.8) - slack
claim("06.after", "calibrated on 100 points: RMS", rms(after), between=(round(low, 3), round(high, 3)), theory=math.sqrt(0.8))  # fmt: skip

# %% [markdown]
# From 1.12<!--06.before--> times the better sensor to 0.9<!--06.after-->, where exact factors would give 0.894<!--cited: √0.8-->: a rough factor is good enough, since near the best weights the error is flat. Now the network. Both heads
# are calibrated on people of their own, then fused, and then asked: what did you promise?

# %%
claims = torch.stack([peak_variances(said_maps), said_sigma2])
scales = torch.stack([variance_scale(e, v) for e, v in zip(said, claims, strict=True)])
variances = scales[:, None, None] * torch.stack([peak_variances(maps), sigma2])
standard = said / (scales[:, None, None] * claims).sqrt()
rho = float(correlation(*standard))


def known_covariance(variances, rho):
    """Return C (n, 2, 2, 2) of two heads with these variances (2, n, 2) and this correlation."""
    sigma = variances.sqrt().movedim(0, -1)
    return sigma[..., :, None] * sigma[..., None, :] * torch.tensor([[1, rho], [rho, 1]])


constant = said.square().mean((1, 2), keepdim=True).expand_as(variances)
fused = {
    "average, a σ a point": inverse_variance(errors, variances),
    "average, one σ a head": inverse_variance(errors, constant),
    "best, a σ a point": correlated(errors, known_covariance(variances, rho)),
    "best, one σ a head": correlated(errors, known_covariance(constant, float(correlation(*said)))),
}

# %%
NAIVE, BLUE = ("naive", "naive_promise"), ("blue", "blue_promise")
RULES = {
    "heatmaps alone": (("rms", 0), None),
    "regression alone": (("rms", 1), None),
    "plain average": (("mean",), None),
    "average, a σ a point": [("calibrated", key) for key in NAIVE],
    "average, one σ a head": [("constant", key) for key in NAIVE],
    "best, a σ a point": [("calibrated", key) for key in BLUE],
    "best, one σ a head": [("constant", key) for key in BLUE],
}

# %%
fig, ax = viz.single()
for row, (got, promised) in enumerate(RULES.values()):
    measured = recorded(*got)
    ax.plot(measured, [row] * len(measured), **{**viz.LEFT, "linestyle": "none"})
    if promised:
        values = recorded(*promised)
        ax.plot(values, [row] * len(values), **{**viz.RIGHT, "linestyle": "none"})
for line, label in zip(ax.get_lines()[3:5], ("measured", "promised"), strict=True):
    line.set_label(label)
ax.set_yticks(range(len(RULES)), list(RULES))
ax.set(xlabel="RMS along an axis (px)")
ax.legend(loc="lower left")
viz.headline(fig, "Promised 2.6 px, measured 3.7: two heads of one mind")
viz.show(
    fig,
    alt="Measured and promised RMS error of seven rules, five trainings each. The heads alone have 3.7 to 4.1 px. The plain average has 3.6 to 3.8 px. The weighted averages promise about 2.5 and 2.8 and have about 3.7. "
    "The best weights with one sigma a head promise 3.8 and have 3.7; with a sigma a point they promise 3.1 and have about 4.",
)

# %% measured=true
KEYS = ("naive", "constant_naive", "blue", "constant_blue")
for name, key, (got, promised) in zip(fused, KEYS, list(RULES.values())[3:], strict=True):
    mean, variance = fused[name]
    values = recorded(*got)
    claim(f"06.{key}", f"{name}", rms(mean), between=beside(*got), theory=values.mean(), unit="px")  # fmt: skip
    values = recorded(*promised)
    claim(f"06.{key}_promise", "promised", variance.mean().sqrt(), between=beside(*promised), theory=values.mean(), unit="px")  # fmt: skip

# %% measured=true
# Means of fifteen: four standard errors of five seeds on either side, a seed's three β taken together.
mean, variance = inverse_variance(errors, torch.stack([peak_variances(maps), sigma2]))
values = recorded("raw", "naive")
claim("06.raw_naive", "not calibrated: RMS", rms(mean), between=beside("raw", "naive"), theory=values.mean(), unit="px")  # fmt: skip
raw = variance.mean().sqrt()
claim("06.raw_promise", "not calibrated: promised", raw, between=beside("raw", "naive_promise"), unit="px")  # fmt: skip
more = in_all(lambda row: row["calibrated"]["naive"] - row["raw"]["naive"])
claim("06.cost", "table: calibrated less raw, RMS, mean of 15", more.mean(), between=(-0.006, 0.025), unit="px")  # fmt: skip
claim("06.costs", "table: trainings of 15 in which it is more", (more > 0).sum(), between=(11, 11))
less = in_all(lambda row: row["raw"]["naive_median"] - row["calibrated"]["naive_median"])
claim("06.median_gains", "table: in which the median is less", (less > 0).sum(), between=(15, 15))
claim("06.median_gain", "table: by how much, mean of 15", less.mean(), between=(0.037, 0.065), unit="px")  # fmt: skip

# %% measured=true
claim("06.plain", "plain average", rms(errors.mean(0)), between=beside("mean"), unit="px")
better, naive = in_all(lambda row: min(row["rms"])), in_all(lambda row: row["calibrated"]["naive"])
plain_rms = in_all(lambda row: row["mean"])
claim("06.plain_helps", "table: plain beats both, of 15", (plain_rms < better).sum(), between=(15, 15))  # fmt: skip
claim("06.helps", "table: a σ a point beats both, of 15", (naive < better).sum(), between=(11, 11))
medians = [in_all(read) for read in (lambda row: row["median"][0], lambda row: row["median_mean"])]
weighted_median = in_all(lambda row: row["calibrated"]["naive_median"])
between_both = (medians[0] < weighted_median) & (weighted_median < medians[1])
claim("06.median_between", "table: its median between, of 15", between_both.sum(), between=(15, 15))

# %% measured=true
weights = fusion.best_weights(known_covariance(variances, rho))
claim("06.negative_share", "axes with a negative weight", (weights < 0).any(-1).float().mean(), between=beside("calibrated", "negative"))  # fmt: skip
clipped = weights.clamp(min=0) / weights.clamp(min=0).sum(-1, keepdim=True)
clipped = (clipped * errors.movedim(0, -1)).sum(-1)
claim("06.clipped", "the same, negative weights cut", rms(clipped), between=beside("calibrated", "clipped"), unit="px")  # fmt: skip
for axis, name in enumerate("xy"):
    values = recorded("rho", axis)
    claim(f"06.rho_{name}", f"ρ along {name}", correlation(*errors[..., axis]), between=beside("rho", axis), theory=values.mean())  # fmt: skip
_ = reveal("06.rho", correlation(*errors))

# %% [markdown]
# Five things to see.
#
# - **The heads are of one mind.** Their errors are correlated by 0.88<!--06.rho_x--> along x and 0.81<!--06.rho_y--> along y.
# - **The promise is broken.** Before calibration the average promises 2.3 px<!--06.raw_promise-->, after it 2.6<!--06.naive_promise-->, and it has 3.7<!--06.naive-->. Calibration mends each head's claim, not
#   what they have in common: most of the gap is $\sqrt{1 + \rho}$. The rest is that one factor cannot make claims right where errors are gross.
# - **Calibration betters the promise, and not the place.** Its two factors come from other people, 1.08<!--06.peak--> and 1.5<!--06.own-->, and move weight from the regression to the heatmaps. The average has
#   3.7 px<!--06.raw_naive--> before it and 3.7<!--06.naive--> after: in the table's mean it is 0.009 px<!--06.cost--> larger for it, in eleven trainings of fifteen<!--06.costs-->, which five seeds hardly tell from nothing. In the median it is better in all fifteen<!--06.median_gains-->, by
#   0.05 px<!--06.median_gain-->: the heatmaps are better in the middle, and no better where errors are gross. In RMS there was nothing to mend: both heads
#   err as much, and the plain average, which no factor changes, has the same 3.7 px<!--06.plain-->.
# - **Averaging helps all the same**, a little, **and weights bring nothing**: the plain average has 3.7 px<!--06.plain-->, for 3.8<!--06.rms_heatmaps--> of the better head. It beats both
#   heads in all fifteen trainings of the table, and the average with a σ for each point in eleven<!--06.helps-->. In the *median* it is the other way round: the weighted one is better than the plain one, and
#   the heatmap head alone is better than both, fifteen times<!--06.median_between-->.
# - **The best weights are no better, and with a σ for each point they are worse**: they promise 3.2 px<!--06.blue_promise--> and have 3.9<!--06.blue-->. 0.57<!--06.negative_share--> of all
#   coordinates get a negative weight on the word of two noisy σ; cut these off, and 3.8 px<!--06.clipped--> are left. With one σ a head they keep their word: promised 3.9<!--06.constant_blue_promise-->,
#   measured 3.7<!--06.constant_blue-->; but there $r$ is near 1, and they are nearly the plain average.
#
# A formula that is optimal for a known $C$ is not optimal for $\sigma$ that are guessed point by point.

# %% [markdown]
# ### Whose fault is the correlation?
#
# The shared backbone's, one would think. So the table pairs the heatmaps of one network with the regression of *another*: one that was trained from another seed on the same
# pictures, and a stranger, which has seen other people.

# %% measured=true
apart, stranger = recorded("apart_rho"), recorded("stranger_rho")
both = ("rho", lambda axes: sum(axes) / 2)
claim("06.shared", "one backbone: ρ", recorded(*both).mean(), between=(0.835, 0.861))
claim("06.apart", "two networks, the same people: ρ", apart.mean(), between=(0.787, 0.827))
claim("06.stranger", "two networks, other people: ρ", stranger.mean(), between=(0.763, 0.815))

# %% [markdown]
# (Means of the table's seeds, with four standard errors on either side.) 0.85<!--06.shared--> with one backbone, 0.81<!--06.apart--> with two networks that share not a single weight, and
# 0.79<!--06.stranger--> with one that has never seen the same people. So little of it is the shared weights', or the shared training set's: it is in the *picture* that both look at, and
# in what such a network can make of it. A hidden wrist is hidden for everybody. Two heads are no two witnesses. They are two reports by people who have read the same page.

# %% [markdown]
# ## What RMS does not say
#
# A tenth of the keypoints is off by more than 10 px in at least one head. They make most of a mean square. What does fusing do for the rest, and for them?

# %%
core = (away < 10).all(0)
plain = errors.mean(0)
parts = {"all": torch.ones_like(core), "within 10 px": core}

# %% measured=true
share = core.float().mean()
claim("06.core", "share with both within 10 px", share, between=beside("core"))
squares = errors[0].square().sum(-1)
claim("06.gross", "the others' share of the heatmaps' e²", 1 - squares[core].sum() / squares.sum(), between=beside("gross"))  # fmt: skip
for key, value, keys in (
    ("core_first", rms(errors[0][core]), ("core_rms", 0)),
    ("core_second", rms(errors[1][core]), ("core_rms", 1)),
    ("core_mean", rms(plain[core]), ("core_mean",)),
    ("core_rho", correlation(*errors[:, core]), ("core_rho",)),
):
    values = recorded(*keys)
    claim(
        f"06.{key}", f"within 10 px: {key[5:]}", value, between=beside(*keys), theory=values.mean()
    )
values = recorded("core_mean") - recorded("core_rms", 0)
claim("06.core_harm", "within 10 px: seeds in which the average harms", (values > 0).sum(), between=(5, 5))  # fmt: skip

# %% measured=true
ratio = ("core_rms", lambda pair: pair[1] / pair[0])
r, ours = recorded(*ratio), recorded("core_rho")
claim("06.core_r", "within 10 px: r", rms(errors[1][core]) / rms(errors[0][core]), between=beside(*ratio), theory=r.mean())  # fmt: skip
limits = (3 - r**2) / (2 * r)  # of equal weights: (1 + r² + 2ρr)/4 = 1
claim("06.core_beyond", "seeds with ρ beyond (3 − r²)/(2r)", (ours > limits).sum(), between=(5, 5))
alone = ((away < 10).sum(0) == 1)[~core].float().mean()
claim("06.one_alone", "of the gross: only one head is off", alone, between=beside("one_alone"))
values = recorded("median_mean") - recorded("median", 0)
claim("06.median_harm", "median: seeds in which the average harms", (values > 0).sum(), between=(5, 5))  # fmt: skip

# %% [markdown]
# Over the nine tenths where both heads are within 10 px, the plain average is **worse** than the heatmap head alone, 2.47<!--06.core_mean--> to 2.40 px<!--06.core_first-->, in each of five
# trainings. (These keypoints are chosen by their errors; the median over all, which is not, says the same.) No miracle: there $r$ is 1.16<!--06.core_r--> and $\rho$ is 0.82<!--06.core_rho-->, which is beyond
# $(3 - r^2)/(2r)$, where equal weights begin to harm. That is algebra about second moments and asks for no Gaussian. What is not Gaussian decides *which* second moments count. All of the
# gain in RMS is from the gross errors. In 0.46<!--06.one_alone--> of these one head alone is off, and the middle is half as far off: lesson 01's middle, which is nobody's wrist.

# %% [markdown]
# ## Flip test and scales: the same network twice
#
# The cheapest second opinion is the network's own, on the mirrored picture (with left and right exchanged), or on a larger one. For equal errors an average has $\sqrt{(1 + \rho)/2}$ of one.


# %%
def flipped(images):
    """Return the heatmap head's keypoints as it finds them in the mirror, brought back."""
    return transforms.flip_keypoints(network.predict(images.flip(-1)), (64, 64), test.skeleton)


def enlarged(images, side=80):
    """Return them as found in the picture at another size, brought back."""
    larger = torch.nn.functional.interpolate(images, size=(side, side), mode="bilinear")
    found = models.PoseNetwork(backbone, painter).predict(larger)
    return coords.unit_to_pixels(coords.pixels_to_unit(found, (side, side)), (64, 64))


others = {"flip": flipped(test.images), "size": enlarged(test.images)}
others = {name: (points - test.keypoints)[test.labelled] for name, points in others.items()}


# %% measured=true
def gain_of(name):
    """Return what reads from a row of the table the average's RMS over the plain one's."""
    return lambda row: row[f"{name}_mean"] / row["rms"][0]


for name, other in others.items():
    rho = correlation(errors[0], other)
    claim(f"06.{name}_rho", f"{name}: ρ with the plain answer", rho, between=beside(f"{name}_rho"))
    mean = rms((errors[0] + other) / 2) / rms(errors[0])
    r = rms(other) / rms(errors[0])
    law = ((1 + r**2 + 2 * rho * r) / 4).sqrt()
    claim(
        f"06.{name}",
        f"{name}: average over plain, RMS",
        mean,
        between=beside(gain_of(name)),
        theory=law,
    )
    equal = ((1 + rho) / 2).sqrt()
    claim(f"06.{name}_equal", f"{name}: √((1 + ρ)/2)", equal, between=beside(f"{name}_rho", lambda rho: ((1 + rho) / 2) ** 0.5))  # fmt: skip

# %% measured=true
claim("06.flip_mean", "flip: average over plain, mean of 5", recorded(gain_of("flip")).mean(), between=(0.962, 0.995))  # fmt: skip
claim("06.flip_gains", "seeds in which the flip gains", (recorded(gain_of("flip")) < 1).sum(), between=(5, 5))  # fmt: skip
claim("06.size_harms", "seeds in which the other size harms", (recorded(gain_of("size")) > 1).sum(), between=(5, 5))  # fmt: skip

# %% [markdown]
# The flip helps by two hundredths in the mean of the table's five trainings, 0.98<!--06.flip_mean-->, and in ours by one, 0.992<!--06.flip-->, since ours happens to be a little worse in the mirror:
# $\sqrt{(1 + \rho)/2}$, 0.963<!--06.flip_equal-->, is for equals. The other scale has a *lower* correlation, 0.80<!--06.size_rho-->, and its average is 1.016<!--06.size--> times the plain error: it
# **harms**, in all five trainings of the table. The network has not been trained at that scale, and there $r$ counts for more than $\rho$. (*Theory* in the lines above has both; it is an identity.) Choose
# partners that are as good as you are, and other than you are.

# %% [markdown]
# ## Break it: ten witnesses, one story
#
# A team exports predictions ten times: by mistake it is the same checkpoint. The ten are fused by inverse variance. Nothing crashes, and all of the answers are as good as before. Only the claim is not. We take an honest sensor,
# a Gaussian of σ = 2 px, and look at the ellipse that should hold half of its errors.

# %%
same = 2 * torch.randn(20_000, 2, generator=random, dtype=torch.float64)
ten, four = same.expand(10, -1, -1), torch.full((10, 20_000, 2), 4.0, dtype=torch.float64)
mean, variance = inverse_variance(ten, four)
repaired = fusion.covariance_intersection(ten[:, :1], torch.diag_embed(four[:, :1]))
held = {
    "one": calibration.coverage(same, torch.diag_embed(four[0]), [0.5]),
    "ten": calibration.coverage(mean, torch.diag_embed(variance), [0.5]),
    "mended": calibration.coverage(mean, repaired.covariance.expand(20_000, 2, 2), [0.5]),
}

# %% measured=true
claim(
    "06.same_error", "ten copies: RMS over one's", rms(mean) / rms(same), between=(1, 1), theory=1
)
claim("06.same_claim", "ten copies: σ over one's", variance[0, 0].sqrt() / 2, between=(0.316, 0.317), theory=0.1**0.5)  # fmt: skip
for name, law in (("one", 0.5), ("ten", 1 - 0.5**0.1), ("mended", 0.5)):
    slack = 5 * math.sqrt(law * (1 - law) / 20_000)
    claim(
        f"06.held_{name}", f"{name}: ellipse holds", held[name][0], theory=law,
        between=(round(law - slack, 4), round(law + slack, 4)),
    )  # fmt: skip

# %% [markdown]
# The claimed σ shrinks to 0.316<!--06.same_claim--> of what is true, and the ellipse for half of the errors holds 6.7 %<!--06.held_ten-->. Covariance intersection, which assumes
# nothing about how the ten hang together, claims what one of them may: 50 %<!--06.held_mended-->. Two heads that err as alike as ours are on the way there. Test a fusion by its *coverage*, not by its error alone.

# %% [markdown]
# ## Quiz
#
# <details><summary><b>1.</b> Two heads, σ of 3 and 6 px, correlation ½. You take their inverse-variance average. It is <b>A</b> better than the first head, <b>B</b> as good, <b>C</b> worse</summary>
#
# **C.** At $r = 2$ harm begins at 5/16. With the *best* weights it would be B: at $\rho = 1/r$ the second head's weight is 0.
#
# *A:* it would be, were they independent. *B:* that is BLUE's answer, and BLUE has to be told ρ.
# </details>
#
# <details><summary><b>2.</b> A heatmap's second moment is $1.2$ square cells, its target blob has σ = 1 cell. Its variance is about <b>A</b> $1.2$, <b>B</b> $0.2$, <b>C</b> not to be known from this</summary>
#
# **B**, in square cells, if the window is clean: the blob itself is 1. The peak should then be near $1/1.2$: compare.
#
# *A:* then a perfect map would be unsure. *C:* calibration makes it better, but it is a beginning.
# </details>
#
# <details><summary><b>3.</b> Two networks, trained from other seeds on other people, look at one picture. The correlation of their errors is <b>A</b> near 0, <b>B</b> near .4, <b>C</b> near .8</summary>
#
# **C.** What misleads one misleads the other: it is in the picture.
#
# *A:* they share no weight and no training picture, but they share what is hidden. *B:* a little less than with a shared backbone, yes; half of it, no.
# </details>

# %% [markdown]
# ## Take away
#
# - Independent, unbiased, as claimed: then the inverse-variance average is at least as good as the best. With σ twice as large, harm begins at ρ = 0.31<!--06.correlation-->; a bias may reach 1.41 σ<!--06.bias-->; a
#   true ratio of 4 must be claimed as at least 1.5<!--06.claim-->.
# - At $\rho = 1/r$ the worse head is useless. Beyond, its weight is negative, and the best answer lies outside of both.
# - The peak of a heatmap is an honest variance *on average*, $\sigma^2(1/h - 1)$: e²/v is 1.08<!--06.peak--> with nothing fitted. It claims too much in the middle and too little for gross errors, and it ranks the other head's errors better than that head's own σ.
# - Two heads of a network are correlated by 0.85<!--06.shared-->, and two networks, which have seen other people, by 0.79<!--06.stranger-->. Fusing promised 2.6 px<!--06.naive_promise--> and gave 3.7<!--06.naive-->.
# - Where both heads are within 10 px it did harm, 2.47<!--06.core_mean--> to 2.40 px<!--06.core_first-->. The gain was in the gross errors.
#
# **Still open.** Whether a longer training makes the two heads less alike; whether another *kind* of data does. How much of the peak's honesty survives where a posterior has two humps. The best
# weights for noisy σ: shrinking $C$ towards a constant is the natural next step, and we have not tried it.
#
# **Our world and COCO.** Our labels are exact; on COCO a part of the error is the annotators', who are common to all heads: ρ rises. Flip tests are standard there, and their gain is reported for PCK-like scores, not RMS. Our network
# sees 64 pixels and learns for fifteen seconds; its errors are larger than a blob, where a converged one's would be smaller, and perhaps rarer.

# %% [markdown]
# ## Reading
#
# - C. F. Gauss, *Theoria combinationis observationum erroribus minimis obnoxiae*, 1821: weights in inverse proportion to variances.
# - Y. Bar-Shalom and L. Campo, *The Effect of the Common Process Noise on the Two-Sensor Fused-Track Covariance*, 1986: two correlated estimates.
# - S. Julier and J. Uhlmann, *A Non-divergent Estimation Algorithm in the Presence of Unknown Correlations*, 1997: covariance intersection.
# - A. Kendall and Y. Gal, *What Uncertainties Do We Need in Bayesian Deep Learning for Computer Vision?*, 2017: $\ln v$ as an output.
# - M. Seitzer et al., *On the Pitfalls of Heteroscedastic Uncertainty Estimation with Probabilistic Neural Networks*, 2022: β-NLL.
# - D. Levi et al., *Evaluating and Calibrating Uncertainty Prediction in Regression Tasks*, 2022: one factor for all variances.
#
# Next: **07 Equivariance.** Does the pose turn with the person?

# %% [markdown] only="solution"
# ## For the instructor
#
# | minute | what happens |
# |---|---|
# | 0 | Two heads say 10 and 12; where is the wrist? Collect guesses: nobody says less than 10 |
# | 5 | Predictions, in silence |
# | 9 | The screen of theory; derive the first threshold on the board |
# | 16 | Exercise 1; where the promise holds |
# | 24 | Three ways to lose it: the wall figure |
# | 30 | Exercise 2; correlation takes and gives back; everybody turns the slider |
# | 43 | Exercise 3 |
# | 54 | The trap, on the board in three lines; train while you speak |
# | 60 | Does the shape tell? Vote before the reveal |
# | 65 | Exercise 4; promised and kept; what RMS does not say |
# | 71 | Break it; quiz; take-aways |
#
# Expected wrong answers: a high harmful correlation and a low measured one (it is the other way round: say so), "its own σ" for the best doubt. In the exercises: weights of 1/σ, the harmonic *mean* of variances,
# `1 / C` for the inverse, ω = ½. In 50 minutes: leave out exercise 3 and the section on β-NLL, and show the last three figures.
