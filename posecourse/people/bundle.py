"""A bundle: a frozen group of tensors that share their leading axes and change together."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

__all__ = ["Bundle"]

_Own = TypeVar("_Own", bound="Bundle")


class Bundle:
    """Base of the renderer's frozen dataclasses; a field is a tensor with leading axis B or a bundle of such."""

    def map(self: _Own, change: Callable[[Tensor], Tensor]) -> _Own:
        """Return a bundle in which every tensor has gone through `change`."""
        changed: dict[str, Any] = {}
        for entry in fields(self):  # type: ignore[arg-type]
            value = getattr(self, entry.name)
            changed[entry.name] = value.map(change) if isinstance(value, Bundle) else change(value)
        return replace(self, **changed)  # type: ignore[type-var]

    def to(self: _Own, device: torch.device | str) -> _Own:
        """Return the bundle with every tensor on `device`."""
        return self.map(lambda tensor: tensor.to(device, non_blocking=True))

    def __len__(self) -> int:
        value = getattr(self, fields(self)[0].name)  # type: ignore[arg-type]
        return len(value)

    def __getitem__(self: _Own, chosen: int | slice | Sequence[int] | Tensor) -> _Own:
        """Return the chosen images' part; one index gives a batch of one."""
        if isinstance(chosen, int):
            if not -len(self) <= chosen < len(self):
                raise IndexError(f"image {chosen} of {len(self)}.")
            chosen = [chosen]
        if not isinstance(chosen, slice | Tensor):
            chosen = torch.as_tensor(chosen, dtype=torch.long)
        return self.map(lambda tensor: tensor[chosen.to(tensor.device) if isinstance(chosen, Tensor) else chosen])
