"""One network, asked many times: dropout stays on, everything else is as in evaluation, and the answers scatter."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from posecourse import seeding
from posecourse.shapes import Estimator, require_count, require_tensors

__all__ = ["Draws", "dropout_active", "mc_dropout", "mc_dropout_at_rates", "mc_dropout_gaussian"]


class Draws(NamedTuple):
    """What a network with variances answers when it is asked S times.

    Args:
        means: (S B K 2) as (x, y) in pixels.
        variances: (S B K 2) of x and of y as predicted each time, in square pixels.
    """

    means: Float[Tensor, "S B K 2"]
    variances: Float[Tensor, "S B K 2"]


@contextmanager
def dropout_active(model: nn.Module) -> Iterator[None]:
    """Switch dropout on, and only dropout: batch norm and all the rest are in evaluation mode.

    At the end, also after an error, every layer has the mode that it had. `model.train()` instead would let batch
    norm take its statistics from the images at hand, and move those that it has stored.

    Args:
        model: any network whose dropout is layers: `nn.Dropout`, `Dropout2d`, `AlphaDropout` and their like. What
            calls `nn.functional.dropout` by itself, as attention and recurrent layers do, stays off.

    Raises:
        TypeError: no `nn.Module`.
        ValueError: no layer drops anything. Build and train a network with dropout.

    Source: Gal and Ghahramani 2016, who leave open what becomes of batch norm.
    Lesson: 08, exercise `dropout_active`.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a network, an nn.Module, to have dropout layers; got {type(model).__name__}.")
    layers = list(model.modules())
    if not any(_drops(layer) for layer in layers):
        raise ValueError(
            "this network has no dropout layer with p > 0, so its answers would not scatter. Build one and train it "
            "with dropout, models.build(…, dropout=0.2), or set the p of the layers that it has."
        )
    modes = [layer.training for layer in layers]
    try:
        for layer in layers:
            layer.training = _drops(layer)
        yield
    finally:
        for layer, mode in zip(layers, modes, strict=True):
            layer.training = mode


def mc_dropout(
    model: Estimator,
    images: Float[Tensor, "B 3 H W"],
    samples: int,
    *,
    generator: torch.Generator,
    at_once: int = 64,
) -> Float[Tensor, "S B K 2"]:
    """Return what a network answers with `samples` different parts of it dropped, without a gradient.

    The mean over the first axis is a prediction, `sample_covariance` its spread. From T answers a variance is known
    to √(2/(T − 1)) of itself: 23 % for T = 40.

    Args:
        model: an `nn.Module` with dropout layers, and with a `predict(images)` that returns keypoints and leaves
            dropout on where somebody has switched it on, as `models.PoseNetwork` does.
        images: B of them; every answer to each of them has a mask of its own.
        samples: S, how often each of them is asked about.
        generator: decides the masks, for one `at_once`.
        at_once: the most pictures in one forward pass, which bounds the memory; samples share passes.

    Returns:
        Keypoints (x, y) in pixels: decoded points, S for each. An average of maps is another thing: it has one peak
        more where the answers disagree, and its decoded point has no spread.

    Raises:
        TypeError: the model is no `nn.Module`, or the images are no tensor.
        ValueError: no layer drops anything, or a count is not a positive whole number.

    Source: Gal and Ghahramani 2016, equation 6, for the mean.
    Lesson: 08, exercise `mc_dropout`.
    """

    def read(images: Tensor) -> tuple[Tensor]:
        return (model.predict(images),)

    return _asked(model, images, samples, read, generator, at_once)[0]


def mc_dropout_gaussian(
    model: nn.Module,
    images: Float[Tensor, "B 3 H W"],
    samples: int,
    *,
    read: Callable[[Tensor], tuple[Tensor, Tensor]],
    generator: torch.Generator,
    at_once: int = 64,
) -> Draws:
    """Return what a network with variances answers with `samples` different parts dropped: places and variances.

    Like `mc_dropout`, which has the same means for one seed and `at_once` if `model.predict` reads the same head.
    `split_uncertainty(*draws)` makes two variances of them.

    Args:
        model: an `nn.Module` with dropout layers.
        images: B of them.
        samples: S, how often each of them is asked about.
        read: from images to keypoints and their variances (B K 2), in pixels and square pixels, by way of `model`. For
            a network with a `GaussianRegression`: answer = model(images), then head.read(answer).keypoints_px and
            head.variances_px(answer).
        generator: decides the masks.
        at_once: the most pictures in one forward pass.

    Raises:
        TypeError: the model is no `nn.Module`, or the images are no tensor.
        ValueError: no layer drops anything, or a count is not a positive whole number.

    Lesson: 08.
    """
    return Draws(*_asked(model, images, samples, read, generator, at_once))


def mc_dropout_at_rates(
    model: Estimator,
    images: Float[Tensor, "B 3 H W"],
    samples: int,
    rates: Sequence[float],
    *,
    generator: torch.Generator,
    at_once: int = 64,
) -> Float[Tensor, "R S B K 2"]:
    """Return `mc_dropout` for several rates p, each put into all dropout layers; they get their own back, always.

    A network was trained for one rate. At others its activations have another spread than its later layers know, so
    the answers are worse, not only farther apart.

    Args:
        model: as in `mc_dropout`.
        images: B of them.
        samples: S at each rate.
        rates: R probabilities, above 0 and below 1.
        generator: decides the masks.
        at_once: the most pictures in one forward pass.

    Raises:
        TypeError: the model is no `nn.Module`, or the images are no tensor.
        ValueError: no layer drops anything, a rate is out of its bounds, or a count is no positive whole number.

    Lesson: 08.
    """
    if not rates or not all(0 < rate < 1 for rate in rates):
        raise ValueError(f"rates must be probabilities above 0 and below 1, one at least; got {list(rates)}.")
    with dropout_active(model):  # type: ignore[arg-type]
        layers = [layer for layer in model.modules() if _drops(layer)]  # type: ignore[attr-defined]
    own, found = [layer.p for layer in layers], []
    try:
        for rate in rates:
            for layer in layers:
                layer.p = rate
            found.append(mc_dropout(model, images, samples, generator=generator, at_once=at_once))
    finally:
        for layer, p in zip(layers, own, strict=True):
            layer.p = p
    return torch.stack(found)


def _asked(
    model: object,
    images: Tensor,
    samples: int,
    read: Callable[[Tensor], tuple[Tensor, ...]],
    generator: torch.Generator,
    at_once: int,
) -> list[Tensor]:
    """Return what was read, each of shape (S B …).

    Of S·B rows, row s·B + b is picture b, so that passes can be cut anywhere.
    """
    require_tensors(images=images)
    require_count(samples, "samples")
    require_count(at_once, "at_once")
    B = len(images)
    rows = torch.arange(samples * B, device=images.device) % B
    with torch.no_grad(), dropout_active(model), seeding.fork(generator):  # type: ignore[arg-type]
        passes = [read(images[chosen]) for chosen in rows.split(at_once)]
    return [torch.cat(parts).unflatten(0, (samples, B)) for parts in zip(*passes, strict=True)]


def _drops(layer: nn.Module) -> bool:
    """Return whether a layer is one of dropout, and drops anything."""
    return isinstance(layer, _DropoutNd) and layer.p > 0
