"""Known mistakes with many answers of one network.

Each is a function that makes it; its docstring is what the student reads.

Lesson: 08.
"""

import torch
from torch import Tensor

from posecourse import seeding
from posecourse.checks.uncertainty.instruments import Scattering
from posecourse.uncertainty import dropout_active, mc_dropout

__all__ = ["COALS"]


def everything_in_training(model: Scattering, images: Tensor, samples: int, *, generator: torch.Generator) -> Tensor:
    """Batch norm took its statistics from the pictures at hand: the whole network was in training mode.

    The answers scatter, and they are those of another network: each depends on which pictures it was asked about with.
    `model.train()` switches on too much; `with dropout_active(model):` is what you need. (A `PoseNetwork` would not
    even scatter: its `predict` answers in evaluation mode when it is told that it trains.)
    """
    modes = [(layer, layer.training) for layer in model.modules()]
    model.train()
    try:
        with seeding.fork(generator):
            return torch.stack([model.predict(images) for _ in range(samples)])
    finally:
        for layer, mode in modes:
            layer.training = mode


def dropout_left_off(model: Scattering, images: Tensor, samples: int, *, generator: torch.Generator) -> Tensor:
    """All samples are alike, and each is the answer without dropout: it was off.

    In evaluation mode nothing is dropped. The predictions belong into `with dropout_active(model):`, and `model.eval()`
    or a `model.train()` of your own do not.
    """
    return torch.stack([model.predict(images)] * samples)


def one_mask_for_all(model: Scattering, images: Tensor, samples: int, *, generator: torch.Generator) -> Tensor:
    """All samples are alike, and they are not the answer without dropout: it is on, and drops the same every time.

    The network was asked once and its answer repeated, or chance was seeded anew for each sample. Fork before the loop,
    ask within it.
    """
    with dropout_active(model), seeding.fork(generator):
        return model.predict(images).expand(samples, *(-1,) * 3).clone()


def one_mask_for_all_pictures(model: Scattering, images: Tensor, samples: int, *, generator: torch.Generator) -> Tensor:
    """The samples of one picture differ, but different pictures have the same masks.

    Chance was seeded anew for each picture, so all of them err in step, and a mean over pictures looks surer than it
    is. Fork once, around everything.
    """
    seed = int(torch.randint(2**62, (), generator=generator))
    with dropout_active(model):
        found = []
        for image in images:
            with seeding.fork(seeding.generator(seed)):
                found.append(torch.cat([model.predict(image[None]) for _ in range(samples)]))
        return torch.stack(found, dim=1)


def averaged(model: Scattering, images: Tensor, samples: int, *, generator: torch.Generator) -> Tensor:
    """This is the mean of the samples, and they are gone: nobody can tell any more how far apart they were.

    Return all of them, (S B K 2). Whoever wants the mean takes it.
    """
    return mc_dropout(model, images, samples, generator=generator).mean(0)


def averaged_before_decoding(model: Scattering, images: Tensor, samples: int, *, generator: torch.Generator) -> Tensor:
    """The maps were averaged and then decoded once: one point is left, without any spread, and it is not the mean.

    Where the answers disagree an averaged map has several peaks, and a decoder picks one of them or a place between.
    Decode each, with `model.predict`, and return all points.
    """
    with dropout_active(model), seeding.fork(generator):
        return model.decode(torch.stack([model(images) for _ in range(samples)]).mean(0))


def samples_second(model: Scattering, images: Tensor, samples: int, *, generator: torch.Generator) -> Tensor:
    """The answers are right, and their axes are in another order: pictures come first, samples second.

    A mean over the first axis would mix pictures. Stack along `dim=0`, which is what `torch.stack` does by itself.
    """
    return mc_dropout(model, images, samples, generator=generator).transpose(0, 1)


def samples_not_parted(model: Scattering, images: Tensor, samples: int, *, generator: torch.Generator) -> Tensor:
    """The answers are right, and samples and pictures share one axis: (S·B, K, 2) in the place of (S, B, K, 2).

    `torch.stack` makes a new axis where `torch.cat` makes one longer; `.unflatten(0, (samples, -1))` parts it again.
    """
    return mc_dropout(model, images, samples, generator=generator).flatten(0, 1)


def pictures_mixed_up(model: Scattering, images: Tensor, samples: int, *, generator: torch.Generator) -> Tensor:
    """The shape is right, and answers stand beside pictures that they are not about.

    `repeat_interleave` brings all copies of the first picture, then all of the second; `repeat` brings all pictures,
    then all of them again, and only that is (S, B) when it is parted. Or a `reshape` stands where axes are to be
    exchanged, which is `transpose`.
    """
    return mc_dropout(model, images, samples, generator=generator).transpose(0, 1).reshape(samples, len(images), -1, 2)


def generator_ignored(model: Scattering, images: Tensor, samples: int, *, generator: torch.Generator) -> Tensor:
    """The answers are right, and nobody can have them again: two generators of one seed give different ones.

    Dropout draws from PyTorch's global generator. Inside of `with seeding.fork(generator):` yours decides.
    """
    with dropout_active(model):
        return torch.stack([model.predict(images) for _ in range(samples)])


def the_same_again(model: Scattering, images: Tensor, samples: int, *, generator: torch.Generator) -> Tensor:
    """The answers are right, and a second call with the same generator gives the same ones, as if nothing was drawn.

    A seed is set inside of the function. Then two calls are no better than one: the generator has to move on, which
    `with seeding.fork(generator):` takes care of.
    """
    return mc_dropout(model, images, samples, generator=seeding.generator(generator.initial_seed()))


def dropout_left_on(model: Scattering, images: Tensor, samples: int, *, generator: torch.Generator) -> Tensor:
    """The answers are right, and dropout is still on afterwards: every later prediction is one of chance.

    `with dropout_active(model):` gives every layer its mode back, also after an error.
    """
    value = mc_dropout(model, images, samples, generator=generator)
    model.drop.train()
    return value


COALS = (
    everything_in_training,
    dropout_left_off,
    one_mask_for_all,
    one_mask_for_all_pictures,
    averaged,
    averaged_before_decoding,
    samples_second,
    samples_not_parted,
    pictures_mixed_up,
    generator_ignored,
    the_same_again,
    dropout_left_on,
)
