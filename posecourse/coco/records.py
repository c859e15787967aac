"""Samples as numbered people: the step between tensors and COCO's lists."""

from collections.abc import Iterable, Iterator

import torch

from posecourse.coco.people import Person
from posecourse.samples import Sample

__all__ = ["list_samples", "number_people"]


def list_samples(samples: Sample | Iterable[Sample]) -> list[Sample]:
    """Return one or several samples as a list that can be numbered.

    Raises:
        ValueError: none, several skeletons, or some with `image_ids` or `person_ids` and some without.
    """
    listed = [samples] if isinstance(samples, Sample) else list(samples)
    if not listed:
        raise ValueError("there is no sample.")
    if any(sample.skeleton != listed[0].skeleton for sample in listed):
        raise ValueError("a COCO category has one skeleton: the samples have several. Write one file for each.")
    for name in ("image_ids", "person_ids"):
        known = [getattr(sample, name) is not None for sample in listed]
        if any(known) and not all(known):
            raise ValueError(f"{name} are known for some samples and not for others: drop or add them.")
    return listed


def number_people(samples: Iterable[Sample]) -> Iterator[tuple[list[int], list[Person]]]:
    """Yield, sample by sample, the numbers of its images and its people, present ones only, in COCO's frame.

    Raises:
        ValueError: numbers of people that repeat or are below 1.
    """
    images, used = 0, set[int]()
    for sample in samples:
        ids = range(images + 1, images + 1 + len(sample)) if sample.image_ids is None else sample.image_ids.tolist()
        people = _people(sample, list(ids), len(used) + 1)
        numbers = {person.id for person in people}
        # pycocotools takes the id 0 for "no match".
        if len(numbers) < len(people) or numbers & used or min(numbers, default=1) < 1:
            raise ValueError(
                "person_ids must be 1 or more and differ throughout the set. To number them anew: "
                "dataclasses.replace(sample, person_ids=None)."
            )
        images += len(sample)
        used |= numbers
        yield list(ids), people


def _people(sample: Sample, image_ids: list[int], first: int) -> list[Person]:
    """Return the present people of a sample; an unlabelled keypoint becomes COCO's 0, 0, 0."""
    sample = sample.to("cpu")
    present = torch.ones(len(sample), dtype=torch.bool) if sample.present is None else sample.present
    visibility = sample.visibility[present][..., None].double()
    triples = torch.cat([sample.keypoints[present].double(), visibility], dim=-1)
    keypoints = torch.where(visibility > 0, triples, torch.zeros_like(triples)).detach().numpy()
    boxes = sample.boxes[present].double() + torch.tensor([0.5, 0.5, 0.0, 0.0], dtype=torch.float64)
    images = [image_ids[place] for place in present.nonzero()[:, 0].tolist()]
    numbers = range(first, first + len(images)) if sample.person_ids is None else sample.person_ids[present].tolist()
    return [
        Person(number, image, points, (box[0], box[1], box[2], box[3]), area)
        for number, image, points, box, area in zip(
            numbers, images, keypoints, boxes.tolist(), sample.areas[present].double().tolist(), strict=True
        )
    ]
