"""Sets of people: rendered once and kept in the cache, or rendered as they are needed."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from posecourse import seeding
from posecourse.paths import cache_path
from posecourse.people.render import render
from posecourse.people.staging import draw_scenes
from posecourse.samples import Sample, concatenate
from posecourse.shapes import Size, checked_size, require_count

__all__ = ["RENDERER_VERSION", "PeopleDataset", "stream"]

RENDERER_VERSION = 6
"""Raise it with every change that changes a picture or its labels, or old caches will be mistaken for new ones."""

_BLOCK = 128  # scenes drawn from one generator: the first images of a set do not depend on how many follow
_FIELDS = ("keypoints", "visibility", "boxes", "areas", "present", "keypoints_3d", "camera", "person_map")


class PeopleDataset:
    """A set of rendered people with their truth; the same recipe gives the same set, from the cache if it is there.

    Args:
        count: how many images.
        size: (H, W).
        seed: of everything random.
        **options: of `draw_scenes`, such as people, poses, overlap, occluders, truncation.

    Raises:
        ValueError: a number or an option is out of its range.
        TypeError: an option is unknown.
    """

    def __init__(self, count: int, size: Size, seed: int = 0, **options: Any) -> None:
        require_count(count, "count")
        self.count, self.size, self.seed, self.options = int(count), checked_size(size), int(seed), options
        cached = _read(self.path, self.count)
        self._tensors = self._render() if cached is None else cached
        if cached is None:
            _write(self.path, self._tensors)

    @property
    def path(self) -> Path:
        """Where the set is cached: a name made of everything that the pictures depend on."""
        recipe = {"version": RENDERER_VERSION, "count": self.count, "size": self.size, "seed": self.seed}
        text = json.dumps(recipe | {"options": self.options}, sort_keys=True)
        return cache_path() / f"people-{hashlib.sha256(text.encode()).hexdigest()[:20]}.safetensors"

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, chosen: int | slice | list[int] | Tensor) -> Sample:
        """Return the chosen images as a Sample; one index gives a batch of one."""
        if isinstance(chosen, int):
            if not -self.count <= chosen < self.count:
                raise IndexError(f"image {chosen} of a set of {self.count}.")
            chosen = [chosen]
        picked = torch.as_tensor(chosen) if isinstance(chosen, list) else chosen
        return _sample({name: tensor[picked] for name, tensor in self._tensors.items()})

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(self.count))

    def sample(self) -> Sample:
        """Return the whole set as one Sample."""
        return self[:]

    def batches(self, batch_size: int, generator: torch.Generator | None = None) -> Iterator[Sample]:
        """Yield the set once in batches, in an order drawn from `generator`, or in its own order without one."""
        require_count(batch_size, "batch_size")
        order = torch.arange(self.count) if generator is None else torch.randperm(self.count, generator=generator)
        for start in range(0, self.count, batch_size):
            yield self[order[start : start + batch_size]]

    def _render(self) -> dict[str, Tensor]:
        H, W = self.size
        blocks = []
        for block in range(-(-self.count // _BLOCK)):
            scenes = draw_scenes(_BLOCK, _block_generator(self.seed, block), aspect=W / H, **self.options)
            blocks.append(render(scenes[: self.count - block * _BLOCK], self.size))
        return _tensors(concatenate(blocks))


def stream(batch_size: int, size: Size, generator: torch.Generator, **options: Any) -> Iterator[Sample]:
    """Yield batches for ever, rendered as they are asked for, on the generator's device; for a GPU.

    Args:
        batch_size: images in a batch.
        size: (H, W).
        generator: where the numbers come from, and by its device where the work is done.
        **options: of `draw_scenes`.
    """
    H, W = checked_size(size)
    while True:
        yield render(draw_scenes(batch_size, generator, aspect=W / H, **options), (H, W))


def _block_generator(seed: int, block: int) -> torch.Generator:
    """Return the generator of one block of a set."""
    digest = hashlib.sha256(f"{seed}/{block}".encode()).digest()
    return seeding.generator(int.from_bytes(digest[:7], "little"))


def _tensors(sample: Sample) -> dict[str, Tensor]:
    """Return a sample as named tensors, images as bytes and numbered."""
    tensors = {name: value for name in _FIELDS if (value := getattr(sample, name)) is not None}
    tensors["images"] = (sample.images * 255).round().to(torch.uint8)
    tensors["image_ids"] = torch.arange(len(sample))
    tensors["person_ids"] = torch.arange(sample.areas.numel()).view(sample.areas.shape)
    tensors |= {f"attributes.{name}": value for name, value in sample.attributes.items()}
    return {name: tensor.contiguous() for name, tensor in tensors.items()}


def _sample(tensors: dict[str, Tensor]) -> Sample:
    """Return named tensors as a sample."""
    attributes = {name.partition(".")[2]: value for name, value in tensors.items() if name.startswith("attributes.")}
    plain: dict[str, Any] = {name: value for name, value in tensors.items() if not name.startswith("attributes.")}
    plain["images"] = plain["images"].float() / 255
    return Sample(**plain, attributes=attributes)


def _read(path: Path, count: int) -> dict[str, Tensor] | None:
    """Return what is cached, or None where there is nothing or only what cannot be read."""
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError):
        return None
    whole = {*_FIELDS, "images"} - {"present"} <= set(tensors) and all(
        len(value) == count for value in tensors.values()
    )
    return tensors if whole else None


def _write(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write a cache file under another name first, so that nobody ever reads half of one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
    os.close(handle)
    try:
        save_file(tensors, name)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
