"""A COCO data set as a lazy sequence of samples: whole images, or one crop a person."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch

from posecourse import transforms
from posecourse.coco.annotations import Annotations, Picture, read
from posecourse.coco.errors import CocoError
from posecourse.coco.people import Person, as_annotation
from posecourse.coco.pictures import Orientation, read_picture
from posecourse.samples import Sample
from posecourse.shapes import Size, checked_size
from posecourse.skeletons import Skeleton

# The sets are `Sequence` and not `Sequence[Sample]`: a runtime type checker would read a picture to see what is in it.
__all__ = ["CocoCrops", "CocoDataset", "load"]


def load(
    annotations: Path | str,
    images: Path | str,
    *,
    category: str | int | None = "person",
    skeleton: Skeleton | None = None,
    orientation: Orientation = "auto",
    skip: Collection[int] = (),
    check_images: bool = False,
) -> "CocoDataset":
    """Open a COCO-keypoints data set: people, animals or objects.

    Args:
        annotations: the JSON file.
        images: the folder in which its `file_name`s are.
        category: name or id of the category to read; others are left out. None takes the only one with keypoints.
        skeleton: instead of the one that the category describes; its K keypoints in the file's order.
        orientation: whether pictures with an EXIF rotation were annotated "upright" or as "stored"; "auto" finds out
            from the sizes, and refuses where it cannot.
        skip: ids of broken annotations to leave out; `CocoError.annotation_ids` has them.
        check_images: read every picture now, as `verify` does.

    Returns:
        A lazy sequence: `dataset[i]` reads one picture. Every image of the file is in it, in the file's order, also
        those without a person.

    Raises:
        CocoError: the JSON is broken, or the folder is missing; with `check_images`, any picture is.
    """
    folder = Path(images)
    if not folder.is_dir():
        raise CocoError(folder, "there is no such folder. Give the one in which the pictures are.")
    parsed = read(Path(annotations), category, skeleton, skip)
    dataset = CocoDataset(parsed, folder, orientation)
    if check_images:
        dataset.verify()
    return dataset


@dataclass(frozen=True)
class CocoDataset(Sequence):
    """The images of a COCO data set, each as a crowd of batch one: keypoints (1 N K 2), `present` (1 N) all true.

    Of the annotations, those with iscrowd = 1 are regions and not people: they are not in the samples, only in
    `truth`, where an evaluation ignores what is found in them. People without any labelled keypoint are in the samples,
    with visibility 0 throughout. An unlabelled keypoint keeps the coordinates of the file, (0, 0) in COCO's own.

    A slice is a data set too: `dataset[:100]` reads nothing.
    """

    annotations: Annotations
    folder: Path
    orientation: Orientation = "auto"

    def __repr__(self) -> str:
        people = sum(len(picture.people) for picture in self.annotations.pictures)
        name = self.annotations.category["name"]
        return f"CocoDataset({self.annotations.path}: {len(self)} images, {people} of category {name!r})"

    def __len__(self) -> int:
        return len(self.annotations.pictures)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> "CocoDataset": ...
    def __getitem__(self, index: int | slice) -> "Sample | CocoDataset":
        """Read one image with everybody in it, or choose a part of the set.

        Raises:
            CocoError: the picture is missing, broken, or not of the size that the file says.
        """
        pictures = self.annotations.pictures[index]
        if isinstance(pictures, Picture):
            return self.sample(pictures, pictures.people)
        return replace(self, annotations=replace(self.annotations, pictures=pictures))

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))

    @property
    def skeleton(self) -> Skeleton:
        """What the K keypoints are called and how they are joined."""
        return self.annotations.skeleton

    @property
    def category_id(self) -> int:
        """The number of the category in the file, which results must state."""
        return int(self.annotations.category["id"])

    def sample(self, picture: Picture, people: Sequence[Person]) -> Sample:
        """Read one picture with some of its people."""
        image = read_picture(self.folder / picture.file_name, picture.size, self.orientation)
        K = len(self.skeleton)
        points = torch.from_numpy(np.array([person.keypoints for person in people]).reshape(1, len(people), K, 3))
        boxes = torch.tensor([person.box for person in people], dtype=torch.float64).reshape(1, len(people), 4)
        half_pixel = torch.tensor([0.5, 0.5, 0, 0], dtype=torch.float64)
        return Sample(
            images=image,
            keypoints=points[..., :2].float(),
            visibility=points[..., 2].to(torch.uint8),
            boxes=(boxes - half_pixel).float(),
            areas=torch.tensor([[person.area for person in people]]),
            present=torch.ones(1, len(people), dtype=torch.bool),
            skeleton=self.skeleton,
            image_ids=torch.tensor([picture.id]),
            person_ids=torch.tensor([[person.id for person in people]], dtype=torch.int64),
            to_source=torch.eye(3)[None],
        )

    def crops(self, size: Sequence[int], *, margin: float = 1.25, min_keypoints: int = 1) -> "CocoCrops":
        """Return the top-down data set: one crop for each person with enough labelled keypoints.

        Args:
            size: (H, W) of the crops.
            margin: how much larger than the person's box the crop is.
            min_keypoints: leave out people with fewer labelled keypoints.

        Raises:
            CocoError: nobody is left.
        """
        people = tuple(
            (picture, person)
            for picture in self.annotations.pictures
            for person in picture.people
            if person.labelled >= min_keypoints
        )
        if not people:
            raise CocoError(self.annotations.path, f"nobody has {min_keypoints} labelled keypoints or more.")
        return CocoCrops(self, people, checked_size(size), margin)

    def frames(self, size: Sequence[int], *, min_keypoints: int = 1) -> "CocoCrops":
        """Return whole pictures with one labelled person or animal each, as a camera over one animal takes them.

        Args:
            size: (H, W) to bring each picture to, not stretched, with black beside it.
            min_keypoints: leave out those with fewer labelled keypoints.

        Raises:
            CocoError: several are labelled in one picture, or nobody in any.
        """
        alone = self.crops(size, min_keypoints=min_keypoints)
        number, times = Counter(picture.id for picture, _ in alone.people).most_common(1)[0]
        if times > 1:
            raise CocoError(
                self.annotations.path,
                f"image {number} shows {times} of them, and a whole picture stands for one. Take crops(size) instead, "
                'or a network with the head "tags", which finds everybody.',
            )
        return replace(alone, margin=None)

    def choose(self, indices: Iterable[int]) -> "CocoDataset":
        """Return the data set of some of the pictures, in the given order; reads nothing."""
        pictures = tuple(self.annotations.pictures[index] for index in indices)
        return replace(self, annotations=replace(self.annotations, pictures=pictures))

    def truth(self) -> dict[str, Any]:
        """Return the annotations as the COCO dictionary that an evaluation takes, crowd regions included.

        Areas and num_keypoints are always there. If an annotation's id is below 1, all are numbered anew from 1:
        pycocotools takes the id 0 for "no match" and would count a found person as missed.
        """
        everyone = [person for picture in self.annotations.pictures for person in (*picture.people, *picture.crowds)]
        anew = any(person.id < 1 for person in everyone)
        return {
            "images": [
                {"id": picture.id, "file_name": picture.file_name, "width": picture.size[1], "height": picture.size[0]}
                for picture in self.annotations.pictures
            ],
            "annotations": [
                as_annotation(person, self.category_id, place if anew else None)
                for place, person in enumerate(everyone, start=1)
            ],
            "categories": [self.annotations.category],
        }

    def verify(self) -> None:
        """Read every picture once.

        Raises:
            CocoError: the first one that is missing, broken or of another size.
        """
        for picture in self.annotations.pictures:
            read_picture(self.folder / picture.file_name, picture.size, self.orientation)


@dataclass(frozen=True)
class CocoCrops(Sequence):
    """The people of a COCO data set, each as a single-person sample of batch one, all of one size.

    `samples.concatenate(list(crops[:32]))` is a batch. `to_source` of each leads back to its picture. With a margin of
    None each is the whole picture.
    """

    dataset: CocoDataset
    people: tuple[tuple[Picture, Person], ...] = field(repr=False)
    size: Size
    margin: float | None = 1.25

    def __len__(self) -> int:
        return len(self.people)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> "CocoCrops": ...
    def __getitem__(self, index: int | slice) -> "Sample | CocoCrops":
        """Cut out one person, or choose a part of the set."""
        if isinstance(index, slice):
            return replace(self, people=self.people[index])
        picture, person = self.people[index]
        sample = self.dataset.sample(picture, [person])
        if self.margin is None:
            return transforms.fit_sample(transforms.each_person(sample), self.size)
        return transforms.crop_people(sample, self.size, margin=self.margin)

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))
