"""Checkpoints: a run in a file, and the way back to the same weights bit for bit."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from posecourse import models, seeding
from posecourse.train import files
from posecourse.train.files import CheckpointError
from posecourse.train.history import History
from posecourse.train.run import Run

__all__ = [
    "CheckpointMismatchError",
    "load_checkpoint",
    "load_network",
    "network_notes",
    "save_checkpoint",
    "save_network",
]


class CheckpointMismatchError(CheckpointError):
    """A whole checkpoint, but of another network, another configuration or other data."""


def save_checkpoint(path: Path | str, run: Run) -> None:
    """Write everything that the rest of a run depends on; what stood at `path` gives way to a whole file or to none.

    Weights and batch norm's statistics, the optimizer's moments, the generator, the order of the epoch's images, the
    step and the history. The learning rate is a function of the step. Each step seeds the device's own generators
    from the run's, so theirs have no state to save.
    """
    run.settle()
    tensors = _model_tensors(run.model)
    states = run.optimizer.state_dict()
    for index, state in states["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in state.items()}
    tensors |= {"generator": run.generator.get_state(), "order": run.order}
    files.write(
        Path(path),
        tensors,
        {"kind": "checkpoint", **_identity(run), "step": run.step, "history": run.history.to_json()},
    )


def load_checkpoint(path: Path | str, run: Run) -> None:
    """Bring a run to where it was when `save_checkpoint` wrote the file.

    The run is left as it was if this fails. The file cannot know the data, the loss and the augmentation: give the
    same ones again, or what follows is another run.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: it is damaged or no checkpoint.
        CheckpointMismatchError: it is of another network, configuration or number of images.
    """
    path = Path(path)
    tensors, facts = files.read(path)
    if facts["kind"] != "checkpoint":
        raise CheckpointError(path, "it holds a network without its training. Load it with load_network.")
    _require_same(path, facts, _identity(run))
    weights = _under("model.", tensors)
    _require_fit(path, weights, run.model)
    run.model.load_state_dict(weights)
    run.optimizer.load_state_dict(_optimizer_state(tensors, run))
    run.generator.set_state(tensors["generator"])
    run.order, run.step = tensors["order"].clone(), facts["step"]
    run.history = History.from_json(facts["history"])


def save_network(path: Path | str, network: models.PoseNetwork, **notes: Any) -> None:
    """Write a network's weights and its recipe, to ship them or to predict with them.

    Args:
        path: the file, `.safetensors` by custom.
        network: made by `models.build`, so that it can be made again.
        **notes: what else the file should say, such as a score or the command that made it; anything that JSON holds.

    Raises:
        ValueError: the network has no recipe.
    """
    if network.recipe is None:
        raise ValueError(
            "only a network that models.build made can be built again from its file; this one has no recipe."
        )
    recipe = asdict(network.recipe)
    files.write(Path(path), _model_tensors(network), {"kind": "network", "recipe": recipe, "notes": notes})


def load_network(path: Path | str) -> models.PoseNetwork:
    """Build the network of a file, which may be a whole checkpoint, with its weights, ready to predict on the CPU.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: it is damaged, or its network was not made by `models.build`.
    """
    path = Path(path)
    tensors, facts = files.read(path)
    if facts["recipe"] is None:
        raise CheckpointError(
            path, "it does not say how its network is built. Build it yourself and use load_checkpoint."
        )
    recipe = {**facts["recipe"], "size": tuple(facts["recipe"]["size"])}
    network = models.build(**recipe, generator=seeding.generator(0))
    weights = _under("model.", tensors)
    _require_fit(path, weights, network)
    network.load_state_dict(weights)
    return network.eval()


def network_notes(path: Path | str) -> dict[str, Any]:
    """Return what a network's file says of itself: how it was made, and how good it was then.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: it is damaged, or holds no network that was saved with notes.
    """
    facts = files.read(Path(path))[1]
    if facts["kind"] != "network":
        raise CheckpointError(Path(path), f"it holds a {facts['kind']}, which has no notes of a network.")
    notes: dict[str, Any] = facts["notes"]
    return notes


def _model_tensors(model: nn.Module) -> dict[str, Tensor]:
    return {f"model.{name}": value for name, value in model.state_dict().items()}


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _identity(run: Run) -> dict[str, Any]:
    """Return what must be the same for a run to go on; as JSON gives it back."""
    recipe = getattr(run.model, "recipe", None)
    # How often a run is saved changes nothing in it.
    config = asdict(replace(run.config, checkpoint_every=1))
    return {
        "recipe": None if recipe is None else {**asdict(recipe), "size": list(recipe.size)},
        "config": config,
        "images": run.images,
    }


def _require_same(path: Path, found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Raise unless a file is of the run that it is loaded into; the message says what differs."""
    for what, value in expected.items():
        if found[what] == value:
            continue
        if isinstance(value, dict) and isinstance(found[what], dict):
            keys = [key for key in value if found[what].get(key) != value[key]]
            value, other = {key: value[key] for key in keys}, {key: found[what].get(key) for key in keys}
        else:
            other = found[what]
        raise CheckpointMismatchError(
            path, f"its {what} is {other}, and this run's is {value}. Give the same, or another file to start anew."
        )


def _require_fit(path: Path, weights: Mapping[str, Tensor], model: nn.Module) -> None:
    """Raise unless a file's weights have the names and shapes of the model's."""
    here = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    there = {name: tuple(value.shape) for name, value in weights.items()}
    if different := sorted(name for name in {*here, *there} if here.get(name) != there.get(name)):
        name = different[0]
        raise CheckpointMismatchError(
            path,
            f"{len(different)} of its tensors do not fit this network, first {name}: {there.get(name, 'not there')} in "
            f"the file, {here.get(name, 'not there')} in the network. Build the network as it was.",
        )


def _optimizer_state(tensors: Mapping[str, Tensor], run: Run) -> dict[str, Any]:
    """Return AdamW's state: each moment in the memory layout of its parameter, or sums could round differently."""
    state: dict[int, dict[str, Tensor]] = {}
    parameters = [p for group in run.optimizer.param_groups for p in group["params"]]
    for name, value in _under("optimizer.", tensors).items():
        index, _, what = name.partition(".")
        like = parameters[int(index)]
        fitting = value.clone() if value.ndim == 0 else torch.empty_like(like).copy_(value)
        state.setdefault(int(index), {})[what] = fitting
    return {"state": state, "param_groups": run.optimizer.state_dict()["param_groups"]}
