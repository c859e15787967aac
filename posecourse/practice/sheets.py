"""Pictures of a run: how its loss fell, and what the network answers."""

import math

import numpy as np
import torch

from posecourse import viz
from posecourse.practice.found import Found
from posecourse.train import History

__all__ = ["curves", "scored_sheet", "sheet"]

_PLACES = 12  # pictures on a sheet


def scored_sheet(found: Found) -> bytes:
    """Return a PNG of twelve answers from the best to the worst, evenly over the ranks, each with its mean error."""
    seen = found.views.visible
    errors = torch.where(seen, found.errors_px, 0.0).sum(-1) / seen.sum(-1)  # NaN where nothing is seen: last
    ranked = errors.argsort()
    chosen = ranked[_spread(len(ranked))]
    captions = ["nothing visible" if math.isnan(e) else f"error {e:.1f} px" for e in errors[chosen].tolist()]
    return _drawn(found, chosen, captions, "Answers from the best to the worst")


def sheet(found: Found) -> bytes:
    """Return a PNG of twelve answers, evenly over the set, each with its mean score."""
    chosen = torch.arange(len(found.views))[_spread(len(found.views))]
    captions = [f"score {value:.2f}" for value in found.scores.mean(-1)[chosen].tolist()]
    return _drawn(found, chosen, captions, "Answers, evenly over the pictures")


def curves(history: History) -> bytes:
    """Return a PNG of the loss, and of the error on held-out pictures where it was measured."""
    fig, axes = viz.row(2 if history.validation else 1)
    axes[0].plot(np.arange(1, len(history.loss) + 1), history.loss, color=viz.UNCOUNTED["color"], linewidth=0.5)
    axes[0].plot(*_smoothed(history.loss), **{**viz.LEFT, "marker": ""})
    axes[0].set(xlabel="step", yscale="log")
    viz.title(axes[0], "loss of each batch, and its running mean")
    if history.validation:
        steps = [entry.step for entry in history.validation]
        axes[1].plot(steps, [entry.error_px for entry in history.validation], **{**viz.RIGHT, "marker": ""})
        axes[1].set(xlabel="step", ylabel="px of what the network sees", ylim=(0, None))
        viz.title(axes[1], "error on held-out pictures")
    return viz.png(fig)


def _smoothed(loss: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Return steps and the mean loss of the twentieth of the run about each."""
    wide = max(1, len(loss) // 20)
    return np.arange(wide, len(loss) + 1) - (wide - 1) / 2, np.convolve(loss, np.ones(wide) / wide, "valid")


def _spread(count: int) -> list[int]:
    """Return up to twelve of `count` places, the first and the last among them."""
    return np.linspace(0, count - 1, min(_PLACES, count)).round().astype(int).tolist()


def _drawn(found: Found, chosen: torch.Tensor, captions: list[str], finding: str) -> bytes:
    fig = viz.people_gallery(found.answers[chosen], rows=3, columns=4, captions=captions)
    viz.headline(fig, finding)
    return viz.png(fig)
