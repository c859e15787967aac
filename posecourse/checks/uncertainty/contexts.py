"""Known mistakes with dropout that is to be on while all the rest is off.

Each is a function that makes it; its docstring is what the student reads.

Lesson: 08.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from posecourse.uncertainty import dropout_active

__all__ = ["COALS"]

Modes: TypeAlias = Callable[[nn.Module], None]


@contextmanager
def _changed(model: nn.Module, inside: Modes) -> Iterator[None]:
    """Change modes inside, and give every layer its own back."""
    modes = [(layer, layer.training) for layer in model.modules()]
    try:
        inside(model)
        yield
    finally:
        for layer, mode in modes:
            layer.training = mode


@contextmanager
def _then(model: nn.Module, after: Modes) -> Iterator[None]:
    """Do what is right inside, and then something else."""
    try:
        with dropout_active(model):
            yield
    finally:
        after(model)


def _is_dropout(layer: nn.Module) -> bool:
    return isinstance(layer, _DropoutNd)


@contextmanager
def everything_in_training(model: nn.Module) -> Iterator[None]:
    """Everything is in training mode inside, batch norm too: that is `model.train()`.

    Batch norm then takes its statistics from the pictures at hand, so that an answer depends on its neighbours, and
    moves those that it has stored. Put the whole network into evaluation mode, then the dropout layers alone into
    training mode.
    """
    with _changed(model, lambda model: _set(model.train())):
        yield


@contextmanager
def dropout_left_off(model: nn.Module) -> Iterator[None]:
    """Nothing is in training mode inside, not even dropout: that is `model.eval()` alone.

    Every answer would be the same. After it, each dropout layer needs a `.train()` of its own.
    """
    with _changed(model, lambda model: _set(model.eval())):
        yield


@contextmanager
def as_it_was(model: nn.Module) -> Iterator[None]:
    """Inside, all is as it was before: a network in evaluation mode drops nothing, one in training mode trains.

    Go through `model.modules()` and say of each layer whether it is in training mode: if it is one of dropout.
    """
    yield


@contextmanager
def others_left_as_they_were(model: nn.Module) -> Iterator[None]:
    """Dropout is on, and all the other layers have the mode that they had before.

    That is right for a network in evaluation mode only. One that comes from training keeps its batch norm in training
    mode, and it may be whole blocks. Call `model.eval()` first.
    """
    with _changed(model, lambda model: _each(model, lambda layer: layer.training or _is_dropout(layer))):
        yield


@contextmanager
def plain_dropout_only(model: nn.Module) -> Iterator[None]:
    """`nn.Dropout` is on, and `nn.Dropout1d`, `nn.Dropout2d` and `nn.Dropout3d` are off.

    They drop whole channels, and are no subclasses of `nn.Dropout`. Our networks have `nn.Dropout2d`. `isinstance`
    takes a tuple of classes.
    """
    with _changed(model, lambda model: _each(model, lambda layer: isinstance(layer, nn.Dropout))):
        yield


@contextmanager
def turned_round(model: nn.Module) -> Iterator[None]:
    """It is just the other way round: all is in training mode, and dropout alone in evaluation mode.

    Dropout drops in training mode. So the network goes into evaluation mode, and its dropout layers go into training
    mode.
    """
    with _changed(model, lambda model: _each(model, lambda layer: not _is_dropout(layer))):
        yield


@contextmanager
def direct_children_only(model: nn.Module) -> Iterator[None]:
    """Dropout layers of the network itself are on, and those within its blocks are off.

    `model.children()` goes one level down. `model.modules()` goes to the bottom.
    """
    own = list(model.children())
    with _changed(model, lambda model: _each(model, lambda layer: layer in own and _is_dropout(layer))):
        yield


@contextmanager
def blocks_switched_on(model: nn.Module) -> Iterator[None]:
    """Dropout is on, and the network itself is said to be in training mode, though its batch norm is not.

    Our networks answer in evaluation mode when they are told that they train, so all dropout would be off again. Only
    dropout layers may be in training mode: `model.eval()` first, then those.
    """
    with _changed(model, lambda model: _each(model, lambda layer: layer is model or _is_dropout(layer))):
        yield


@contextmanager
def in_evaluation_after(model: nn.Module) -> Iterator[None]:
    """Inside all is right, and afterwards the network is in evaluation mode, whatever it was before.

    Called in the middle of a training, this would stop dropout and batch norm for the rest of it. Note
    `layer.training` of every layer before you change any, and give each its own back.
    """
    with _then(model, lambda model: _set(model.eval())):
        yield


@contextmanager
def in_training_after(model: nn.Module) -> Iterator[None]:
    """Inside all is right, and afterwards the network is in training mode, whatever it was before.

    The next prediction would have batch norm learn from it. Note `layer.training` of every layer before you change
    any, and give each its own back.
    """
    with _then(model, lambda model: _set(model.train())):
        yield


@contextmanager
def one_mode_for_all(model: nn.Module) -> Iterator[None]:
    """Inside all is right, and afterwards all layers have one mode, that of the network itself.

    `model.train(was)` sets every layer. A network with a frozen batch norm has layers of both kinds: note the mode of
    each, `[layer.training for layer in model.modules()]`.
    """
    was = model.training
    with _then(model, lambda model: _set(model.train(was))):
        yield


@contextmanager
def never_restored(model: nn.Module) -> Iterator[None]:
    """Inside all is right, and afterwards it still is so: nothing is given its mode back.

    Dropout stays on, and every later prediction is one of chance. What comes after `yield`, in a `finally`, is run when
    the context ends.
    """
    model.eval()
    _each(model, _is_dropout)
    yield


@contextmanager
def dropout_alone_restored(model: nn.Module) -> Iterator[None]:
    """Inside all is right, and afterwards dropout has its mode back, and batch norm and the rest have not.

    You put them into evaluation mode, too: note the mode of every layer in `model.modules()`, not of dropout alone.
    """
    modes = [(layer, layer.training) for layer in model.modules() if _is_dropout(layer)]
    model.eval()
    _each(model, _is_dropout)
    try:
        yield
    finally:
        for layer, mode in modes:
            layer.training = mode


@contextmanager
def not_after_an_error(model: nn.Module) -> Iterator[None]:
    """All is right as long as nothing fails inside; after an error the modes are not given back.

    The error comes out of the `yield`, and what stands after it is never run. Put `yield` into a `try`, and the rest
    into its `finally`.
    """
    modes = [(layer, layer.training) for layer in model.modules()]
    model.eval()
    _each(model, _is_dropout)
    yield
    for layer, mode in modes:
        layer.training = mode


@contextmanager
def error_swallowed(model: nn.Module) -> Iterator[None]:
    """All is right, and an error inside of the context never comes out of it: the notebook goes on as if all was well.

    An `except` around the `yield` catches it, or a `return` within `finally` loses it. Leave `try: yield` and
    `finally:` with nothing but the modes in it.
    """
    try:
        with dropout_active(model):
            yield
    except Exception:
        pass


def _set(model: nn.Module) -> None:
    """Nothing more: `train` and `eval` have set the modes, and return the network."""


def _each(model: nn.Module, training: Callable[[nn.Module], bool]) -> None:
    """Give every layer a mode of its own."""
    for layer, mode in [(layer, training(layer)) for layer in model.modules()]:
        layer.training = mode


COALS = (
    everything_in_training,
    dropout_left_off,
    as_it_was,
    others_left_as_they_were,
    plain_dropout_only,
    turned_round,
    direct_children_only,
    blocks_switched_on,
    in_evaluation_after,
    in_training_after,
    one_mode_for_all,
    never_restored,
    dropout_alone_restored,
    not_after_an_error,
    error_swallowed,
)
