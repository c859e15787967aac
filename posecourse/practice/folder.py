"""What stands in a run's folder, and what its network says of itself."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from posecourse import train
from posecourse.models import PoseNetwork
from posecourse.practice.views import View
from posecourse.skeletons import Skeleton

__all__ = ["CHECKPOINT", "CURVES", "NETWORK", "RESULTS", "SCORES", "SHEET", "TABLE", "Trained", "open_network", "save"]

CHECKPOINT = "run.safetensors"
NETWORK = "network.safetensors"
CURVES = "curves.png"
RESULTS = "results.json"
SCORES = "scores.json"
SHEET = "predictions.png"
TABLE = "keypoints.csv"


@dataclass(frozen=True)
class Trained:
    """A network with what it needs to know to be used.

    Args:
        network: ready to predict.
        view: how pictures are brought before it.
        skeleton: what its keypoints are called.
        category: what it was trained to find.
    """

    network: PoseNetwork
    view: View
    skeleton: Skeleton
    category: str


def save(run: Path, trained: Trained) -> None:
    """Write a network with what `open_network` needs to know."""
    train.save_network(
        run / NETWORK,
        trained.network,
        category=trained.category,
        skeleton=asdict(trained.skeleton),
        view=asdict(trained.view),
    )


def open_network(run: Path | str, device: torch.device | str | None = None) -> Trained:
    """Open the network of a run's folder, or of the file itself, on the device that is named or the fastest there is.

    Raises:
        FileNotFoundError: there is none.
        CheckpointError: it is damaged, or was not written by a run on one's own data.
    """
    path = Path(run)
    path = path / NETWORK if path.is_dir() else path
    if not path.is_file():
        raise FileNotFoundError(f"there is no network at {path}. Train one: posecourse train LABELS PICTURES {run}")
    said = train.network_notes(path)
    if not {"category", "skeleton", "view"} <= said.keys():
        raise train.CheckpointError(
            path, "it does not say how pictures are brought before it. Give one that posecourse train wrote."
        )
    network = train.load_network(path).to(device or train.choose_device())
    return Trained(network, _view(said["view"]), _skeleton(said["skeleton"]), said["category"])


def _view(said: Mapping[str, Any]) -> View:
    return View(said["name"], tuple(said["size"]), said["margin"])


def _skeleton(said: Mapping[str, Any]) -> Skeleton:
    limbs = tuple((first, second) for first, second in said["limbs"])
    return Skeleton(tuple(said["names"]), limbs, tuple(said["sigmas"]))
