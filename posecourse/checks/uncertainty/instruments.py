"""Networks that keep a record, and what is made of it: how answers are judged that chance has a hand in.

Lesson: 08.
"""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from posecourse.lesson.difference import Account, kind_of

__all__ = ["Scattering", "asked", "entered"]


class Answer(NamedTuple):
    """One answer of a `Scattering` to one picture.

    Args:
        logits: (K h w) before they are decoded.
        points: (K 2).
        mask: which inputs were kept, a byte each.
        own_statistics: whether batch norm took its statistics from the pictures at hand.
    """

    logits: Tensor
    points: Tensor
    mask: bytes
    own_statistics: bool


class Scattering(nn.Module):
    """An estimator with batch norm and dropout that remembers whom it answered what, and with which mask.

    `network(images)` is maps of logits (B K 4 5), `network.decode(logits)` points, `network.predict(images)` both.

    Args:
        images: (B 3 H W), those that it is going to be asked about.
        keypoints: K.
        p: probability that an input is dropped.
    """

    def __init__(self, images: Tensor, keypoints: int, p: float) -> None:
        super().__init__()
        inputs = images[0].numel()
        self.norm, self.drop = nn.BatchNorm2d(3), nn.Dropout(p)
        linear = nn.Linear(inputs, keypoints * 20).requires_grad_(False)
        linear.weight.mul_(4)  # so that dropout moves the points by pixels
        self.head = nn.Sequential(linear, nn.Unflatten(-1, (keypoints, 4, 5)))
        self.double().requires_grad_(False)
        self.norm.running_mean, self.norm.running_var = torch.full((3,), 0.4).double(), torch.full((3,), 0.2).double()
        self.images = images
        self.answers: list[list[Answer]] = [[] for _ in images]

    def forward(self, images: Tensor) -> Tensor:
        """Return logits, and remember them."""
        kept = self.drop(self.norm(images).flatten(1))
        logits = self.head(kept)
        points, which = self.decode(logits), (images[:, None] == self.images).flatten(2).all(-1)
        for row, b in which.nonzero().tolist():
            mask = (kept[row] != 0).numpy().tobytes()
            self.answers[b].append(Answer(logits[row], points[row], mask, self.norm.training))
        return logits

    def decode(self, logits: Tensor) -> Tensor:
        """Return the soft-argmax of maps, 8 pixels a cell."""
        p = logits.flatten(-2).softmax(-1).unflatten(-1, logits.shape[-2:])
        x, y = p.sum(-2) @ torch.arange(5).to(p), p.sum(-1) @ torch.arange(4).to(p)
        return 8 * torch.stack([x, y], dim=-1)

    def predict(self, images: Tensor) -> Tensor:
        """Return (B K 2)."""
        return self.decode(self(images))


class _StoppedError(Exception):
    """What goes wrong within the context, on purpose."""


def entered(function: Callable[..., Any], model: nn.Module) -> Any:
    """Enter a context manager, leave it, leave it by an error, and tell the first thing that is not as it should be.

    Where nothing was in training mode before, what is inside can be right by luck, so it alone counts; where everything
    was, what is after; only where layers have unlike modes an error is tried. So one mistake does not hide another.
    """
    before, right = _in_training(model), _dropout(model)
    manager = function(model)
    if not hasattr(manager, "__enter__"):
        return manager
    with manager:
        inside = _in_training(model)
    if inside != right:
        return _context(f"inside of it these are in training mode: {inside}. Only these should be: {right}")
    if before == "none":
        return _context(_RIGHT)
    if (after := _in_training(model)) != before:
        return _context(f"after it these are in training mode: {after}. Before it: {before}")
    if len({layer.training for layer in model.modules()}) == 1:
        return _context(_RIGHT)
    came = False
    try:
        with function(model):
            raise _StoppedError
    except _StoppedError:
        came = True
    if (after := _in_training(model)) != before:
        return _context(f"after an error inside of it these are in training mode: {after}. Before it: {before}")
    return _context(_RIGHT if came else "an error inside of it never comes out")


def asked(
    function: Callable[..., Any], model: Scattering, images: Tensor, samples: int, generator: torch.Generator
) -> Any:
    """Ask for samples, look them up in what the network remembers, and tell the first thing that is wrong with them."""
    again = torch.Generator().set_state(generator.get_state())
    before, plain = _in_training(model), model.eval().predict(images)
    for answers in model.answers:
        answers.clear()
    value = _called(function, model, images, samples, generator)
    ordered = _ordered(value, samples, plain) if isinstance(value, Tensor) and value.dtype == plain.dtype else None
    if ordered is None:
        return value
    if (words := _wrong(ordered, plain, model)) != _RIGHT or value.shape != ordered.shape:
        return Account(kind_of(value), words)
    if (after := _in_training(model)) != before:
        return Account(kind_of(value), f"after it these are in training mode: {after}. Before it: {before}")
    second = _called(function, model, images, samples, generator)
    if not torch.allclose(_called(function, model, images, samples, again), value):
        return Account(kind_of(value), "two generators of one seed give different answers")
    return Account(kind_of(value), "a second call gives the answers of the first" if second.equal(value) else _RIGHT)


_RIGHT = "as it should be"


def _called(function: Callable[..., Any], *given: Any) -> Any:
    """Call with the generator last, by name where the function knows the name."""
    if "generator" in inspect.signature(function).parameters:
        return function(*given[:-1], generator=given[-1])
    return function(*given)


def _ordered(value: Tensor, samples: int, plain: Tensor) -> Tensor | None:
    """Return answers with their samples first, whatever the order they came in; None where there are no such."""
    B, *point = plain.shape
    match list(value.shape):
        case [S, pictures, *rest] if (S, pictures, rest) == (samples, B, point):
            return value
        case [pictures, S, *rest] if (S, pictures, rest) == (samples, B, point):
            return value.transpose(0, 1)
        case [rows, *rest] if (rows, rest) == (samples * B, point):
            return value.unflatten(0, (samples, B))
        case [pictures, *rest] if (pictures, rest) == (B, point):
            return value[None]
    return None


def _wrong(value: Tensor, plain: Tensor, model: Scattering) -> str:
    """Return what is wrong with answers (S B K 2), where `plain` (B K 2) are those without dropout."""
    S = len(value)
    if not all(model.answers):
        return "it holds what was never answered"
    if S == 1:
        return _one(value[0], model)
    alike = torch.allclose(value, value[:1])
    if alike and torch.allclose(value[0], plain):
        return f"its {S} samples are alike: each is the answer without dropout"
    found = [_find(own, answers) for own, answers in zip(value.unbind(1), model.answers, strict=True)]
    if not all(map(all, found)):
        everyone = [answer for answers in model.answers for answer in answers]
        own = all(_find(value.flatten(0, 1), everyone))
        return "answers stand beside pictures that they are not about" if own else "it holds what was never answered"
    if any(answer.own_statistics for answers in found for answer in answers if answer):
        return "batch norm took its statistics from the pictures at hand"
    if alike:
        return f"its {S} samples are alike, and not the answer without dropout"
    masks = [[answer.mask for answer in answers if answer] for answers in found]
    if any(len(set(own)) < S for own in masks):
        return f"of {S} samples some have the same mask"
    if len({mask for own in masks for mask in own}) < S * len(masks):
        return "different pictures have the same masks"
    return _RIGHT


def _one(value: Tensor, model: Scattering) -> str:
    """Return what one answer (B K 2) to each picture is, where several were asked for."""
    pairs = list(zip(value, model.answers, strict=True))
    if all(torch.allclose(point, torch.stack([a.points for a in answers]).mean(0)) for point, answers in pairs):
        return "it gives their mean"
    if all(
        torch.allclose(point, model.decode(torch.stack([a.logits for a in answers]).mean(0)))
        for point, answers in pairs
    ):
        return "it gives what their mean logits decode to"
    return "it gives one answer"


def _find(points: Tensor, answers: list[Answer]) -> list[Answer | None]:
    """Return which answer each of some points (S K 2) is."""
    known = torch.stack([answer.points for answer in answers])
    same = (points[:, None] - known).abs().flatten(2).amax(-1) < 1e-9
    return [answers[int(row.int().argmax())] if bool(row.any()) else None for row in same]


def _context(words: str) -> Account:
    return Account("a context manager", words)


def _in_training(model: nn.Module) -> str:
    return _names(model, lambda layer: layer.training)


def _dropout(model: nn.Module) -> str:
    return _names(model, lambda layer: isinstance(layer, nn.modules.dropout._DropoutNd))


def _names(model: nn.Module, chosen: Callable[[nn.Module], bool]) -> str:
    """Return the names of some layers."""
    return ", ".join(name or "the network itself" for name, layer in model.named_modules() if chosen(layer)) or "none"
