"""What can be trained on: anything with a length that gives batches of labelled images by index."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from posecourse.samples import Sample, concatenate

__all__ = ["Images", "fetch"]


@runtime_checkable
class Images(Protocol):
    """A set of labelled images: a `Sample`, a `people.PeopleDataset`, a COCO data set, a list of samples."""

    def __len__(self) -> int:
        """Return how many images there are."""
        ...

    def __getitem__(self, chosen: Any, /) -> Any:
        """Return the chosen images as one Sample; a `Sequence` is asked for one image at a time."""
        ...


def fetch(data: Images, indices: Tensor) -> Sample:
    """Return the images at `indices` (B,) as one batch.

    Raises:
        TypeError: the data gives something else than a Sample.
    """
    if isinstance(data, Sequence):
        return concatenate([_sample(data[int(index)]) for index in indices])
    return _sample(data[indices])


def _sample(found: Any) -> Sample:
    if not isinstance(found, Sample):
        raise TypeError(
            f"the data must give a posecourse.samples.Sample when it is indexed; got {type(found).__name__}."
        )
    return found


def require_images(data: Images, what: str = "data") -> None:
    """Raise unless there is something to train on.

    Raises:
        TypeError: it has no length or cannot be indexed.
        ValueError: it is empty.
    """
    if not isinstance(data, Images):
        raise TypeError(f"{what} must have a length and give Samples by index; got {type(data).__name__}.")
    if len(data) == 0:
        raise ValueError(f"{what} must hold at least one image; it is empty.")


def shuffled(count: int, generator: torch.Generator) -> Tensor:
    """Return 0 … count − 1 in an order that `generator` decides, on the CPU."""
    return torch.randperm(count, generator=generator, device=generator.device).cpu()
