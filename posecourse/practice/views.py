"""What the network is shown of a picture: the whole of it, or a crop for each one in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch

from posecourse.coco import CocoCrops, CocoDataset, CocoError
from posecourse.samples import Sample, concatenate
from posecourse.shapes import Size, checked_size
from posecourse.train import Images

__all__ = ["View", "ViewName", "fitting_view", "opened", "parted"]

ViewName: TypeAlias = Literal["frames", "crops"]

_IN_MEMORY = 2**31  # bytes of pictures that are read once and kept


@dataclass(frozen=True)
class View:
    """How a picture is brought before the network; a network's file says it, so that prediction does the same.

    Args:
        name: "frames" for whole pictures with one person or animal each, "crops" for one crop each by its box.
        size: (H, W) of what the network sees.
        margin: how much larger than the box a crop is; frames have none.
    """

    name: ViewName
    size: Size
    margin: float = 1.25

    def __post_init__(self) -> None:
        if self.name not in ("frames", "crops"):
            raise ValueError(f'a view is "frames" or "crops"; got {self.name!r}.')
        object.__setattr__(self, "size", checked_size(self.size))

    def of(self, dataset: CocoDataset) -> CocoCrops:
        """Return the pictures of a data set as the network sees them.

        Raises:
            CocoError: nobody is labelled, or, for frames, several in one picture.
        """
        if self.name == "frames":
            return dataset.frames(self.size)
        return dataset.crops(self.size, margin=self.margin)


def fitting_view(dataset: CocoDataset, name: ViewName | None, size: Size | None, margin: float) -> View:
    """Return a view of a data set; what is None is decided by the labels.

    Whole frames where each picture shows one at most, crops where any shows several. Crops are 128 × 128; a frame
    keeps the pictures' shape and has twice as many pixels, since most of them show no animal.
    """
    pictures = dataset.annotations.pictures
    crowded = any(sum(person.labelled > 0 for person in picture.people) > 1 for picture in pictures)
    name = name or ("crops" if crowded else "frames")
    if size is None and name == "frames":
        H, W = (sum(picture.size[axis] for picture in pictures) for axis in (0, 1))
        high = (2 * 128 * 128 * H / W) ** 0.5
        size = (_multiple(high), _multiple(high * W / H))
    return View(name, size or (128, 128), margin)


def _multiple(length: float, of: int = 16) -> int:
    return max(of, round(length / of) * of)


def parted(dataset: CocoDataset, share: float, generator: torch.Generator) -> tuple[CocoDataset, CocoDataset | None]:
    """Return the pictures to learn from and those to be held out, or None for a share of 0; no picture is in both.

    Pictures are drawn one by one. Frames of one film resemble their neighbours, so a score on such a part flatters:
    hold out whole films in a file of their own.

    Raises:
        CocoError: a part would be empty.
    """
    if not 0 <= share < 1:
        raise ValueError(f"the share that is held out must be at least 0 and below 1; got {share}.")
    if share == 0:
        return dataset, None
    labelled = [
        index
        for index, picture in enumerate(dataset.annotations.pictures)
        if any(person.labelled for person in picture.people)
    ]
    order = torch.randperm(len(labelled), generator=generator).tolist()
    count = round(len(labelled) * share)
    if not 0 < count < len(labelled):
        raise CocoError(
            dataset.annotations.path,
            f"{share:g} of {len(labelled)} labelled pictures leaves nothing on one side. Hold out another share, or 0.",
        )
    held_out = sorted(order[:count])
    chosen = set(held_out)
    rest = [index for place, index in enumerate(labelled) if place not in chosen]
    return dataset.choose(rest), dataset.choose([labelled[place] for place in held_out])


def opened(view: CocoCrops) -> Images:
    """Return a view whose pictures are read now and kept, where memory allows; else one that reads them as needed."""
    H, W = view.size
    samples: Sequence[Sample] = view
    return concatenate(list(samples)) if len(view) * H * W * 12 <= _IN_MEMORY else view
