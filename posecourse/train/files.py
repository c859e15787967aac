"""Files that are whole or not there: named tensors and a JSON text; reading them executes nothing."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import save
from torch import Tensor

__all__ = ["CheckpointError", "read", "write"]

_FORMAT = 1


class CheckpointError(Exception):
    """A checkpoint that cannot be used: the file, what is wrong with it, what to do.

    Args:
        path: the file.
        reason: what is wrong, and what to do.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


def write(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write tensors and JSON facts to one safetensors file; whatever happens, `path` is the old file or the new one.

    The bytes go to a file beside it, and from the memory of the operating system to the disk, before that file takes
    the name. A process that is killed meanwhile leaves `path.partial`, which the next writer overwrites.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps({"format": _FORMAT, **facts})
    content = save(plain, metadata={"posecourse": text, "sha256": _digest(plain, text)})
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with open(partial, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
    _settle(path.parent)


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors, on the CPU, and the facts of a file that `write` wrote.

    Safetensors is numbers and names and JSON is text: nothing in the file is executed.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: the file is cut short, was changed, or is something else.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint at {path}.")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, it is no dictionary
    except safetensors.SafetensorError as error:
        raise CheckpointError(
            path, f"this is no whole safetensors file ({error}). Delete it to start anew, or take a copy."
        ) from error
    text = metadata.get("posecourse")
    if text is None:
        raise CheckpointError(path, "this safetensors file was not written by posecourse. Give one that train wrote.")
    if metadata.get("sha256") != _digest(tensors, text):
        raise CheckpointError(
            path, "its bytes are not those that were written. Delete it to start anew, or take a copy."
        )
    facts = json.loads(text)
    if facts["format"] != _FORMAT:
        raise CheckpointError(
            path, f"it has format {facts['format']}, and this posecourse reads {_FORMAT}. Use the one that wrote it."
        )
    return tensors, facts


def _digest(tensors: Mapping[str, Tensor], text: str) -> str:
    """Return a hash of everything that the file says."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _settle(folder: Path) -> None:
    """Make a new name in a folder outlast a power cut, where the system has a way to do so."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
