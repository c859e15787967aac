"""A backbone in a file: what a lesson builds its own head on."""

from pathlib import Path
from typing import Any

from posecourse.models import UNet
from posecourse.train import files
from posecourse.train.files import CheckpointError

__all__ = ["backbone_notes", "load_backbone", "save_backbone"]


def save_backbone(path: Path | str, backbone: UNet, width: int, **notes: Any) -> None:
    """Write a backbone's weights and how to build it.

    Args:
        path: the file, `.safetensors` by custom.
        backbone: as trained, without its head.
        width: what it was built with.
        **notes: what else the file should say, such as a score or the command that made it; anything that JSON holds.
    """
    files.write(Path(path), backbone.state_dict(), {"kind": "backbone", "width": width, "notes": notes})


def load_backbone(path: Path | str) -> UNet:
    """Return the backbone of a file on the CPU, frozen: in evaluation mode, without a gradient.

    Nothing in the file is executed.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: it is damaged, or holds something else.
    """
    tensors, facts = _read(Path(path))
    backbone = UNet(facts["width"])
    backbone.load_state_dict(tensors)
    return backbone.eval().requires_grad_(requires_grad=False)


def backbone_notes(path: Path | str) -> dict[str, Any]:
    """Return what the file says of itself: how it was made, and how good it was then.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: it is damaged, or holds something else.
    """
    notes: dict[str, Any] = _read(Path(path))[1]["notes"]
    return notes


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    tensors, facts = files.read(path)
    if facts["kind"] != "backbone":
        raise CheckpointError(path, f"it holds a {facts['kind']}. Load it with load_network.")
    return tensors, facts
