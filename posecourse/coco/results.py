"""Samples and predictions as the dictionaries that COCO's evaluation takes."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from posecourse.coco.categories import as_category
from posecourse.coco.people import as_annotation
from posecourse.coco.records import list_samples, number_people
from posecourse.samples import Sample
from posecourse.transforms import to_source, transform_boxes
from posecourse.transforms.matrices import determinant

__all__ = ["results", "truth"]


def results(
    sample: Sample,
    keypoints: Float[Tensor, "B *N K 2"],
    scores: Float[Tensor, "B ..."],
    *,
    present: Bool[Tensor, "B N"] | None = None,
    category_id: int = 1,
) -> list[dict[str, Any]]:
    """Return predictions as COCO's result dictionaries, in pixels of the original pictures.

    Where each image has a number of people of its own, as `grouping.group_by_tag` finds them, go image by image:
    `results(sample[i], people.points[None], people.scores[None])`, with the points in pixels. A keypoint that was not
    found has score 0 there, so that a person's score, the mean over all keypoints, falls with each one missing.

    Args:
        sample: the images that the predictions were made in; its `to_source` and `image_ids` are used.
        keypoints: predicted (x, y) in pixels of the sample's images: one person an image (B K 2) or any number
            (B N K 2), which need not be the sample's.
        scores: one a person, or one a keypoint, of which the mean is the person's.
        present: (B N) which of the predicted people count; all by default.
        category_id: of the data set, `dataset.category_id`.

    Returns:
        One dictionary a person: image_id, category_id, keypoints as x1, y1, score1, x2, …, score.

    Raises:
        ValueError: no image ids, shapes that do not fit, or a prediction that is not finite.
    """
    if sample.image_ids is None:
        raise ValueError("results need to know the pictures: the sample has no image_ids.")
    points = to_source(keypoints, sample)
    people = points.shape[:-2]
    if scores.shape not in (people, (*people, points.shape[-2])):
        raise ValueError(f"scores must be {tuple(people)} or {(*people, points.shape[-2])}; got {tuple(scores.shape)}.")
    each = scores if scores.ndim == points.ndim - 1 else scores[..., None].expand(points.shape[:-1])
    rows = torch.cat([points, each[..., None]], dim=-1)
    counted = torch.ones(people, dtype=torch.bool) if present is None else present.cpu()
    image_ids = sample.image_ids.reshape(-1, *(1,) * (len(people) - 1)).expand(people).cpu()
    triples = rows.detach().double().cpu()[counted]
    if not bool(torch.isfinite(triples).all()):
        raise ValueError("a predicted keypoint or score is NaN or infinite: repair it, or leave its person out.")
    return [
        {
            "image_id": int(number),
            "category_id": category_id,
            "keypoints": triple.flatten().tolist(),
            "score": float(triple[:, 2].mean()),
        }
        for number, triple in zip(image_ids[counted], triples, strict=True)
    ]


def truth(samples: Sample | Iterable[Sample], *, category: str = "person") -> dict[str, Any]:
    """Return the people of some samples as a COCO dictionary, in pixels of the pictures that they were cut from.

    `results` of the same samples can be scored against it. What a crop has cut off is not in it: to compare with
    numbers that others publish, use `CocoDataset.truth`.

    Args:
        samples: single-person or crowds, with one skeleton; either all with `image_ids` or none, and likewise
            `person_ids`. Without, they are counted from 1.
        category: what to call them; its id is 1.

    Raises:
        ValueError: no sample, several skeletons, or people whose numbers repeat or are below 1.
    """
    chosen = list_samples(samples)
    numbered = [person for _, people in number_people(map(_in_source, chosen)) for person in people]
    return {
        "images": [{"id": number} for number in dict.fromkeys(i for ids, _ in number_people(chosen) for i in ids)],
        "annotations": [as_annotation(person, 1) for person in numbered],
        "categories": [as_category(chosen[0].skeleton, category, 1)],
    }


def _in_source(sample: Sample) -> Sample:
    """Return a sample whose labels, not its images, are in pixels of the source."""
    if sample.to_source is None:
        return sample
    scale = determinant(sample.to_source)
    rest = (1,) * (sample.areas.ndim - 1)
    mirrored = (scale < 0).reshape(-1, *rest, 1)
    return replace(
        sample,
        keypoints=to_source(sample.keypoints, sample),
        visibility=torch.where(mirrored, sample.visibility[..., list(sample.skeleton.swap)], sample.visibility),
        boxes=transform_boxes(sample.boxes, sample.to_source),
        areas=sample.areas * scale.abs().reshape(-1, *rest),
    )
