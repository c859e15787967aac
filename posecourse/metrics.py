"""How good a prediction is: distance, PCK, OKS, and COCO's average precision, which is computed by COCO's own code.

Nothing here is differentiated or trained: `losses` is for that.
"""

import contextlib
import copy
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from posecourse.shapes import (
    require_count,
    require_mask,
    require_points,
    require_positive,
    require_same_shape,
    require_tensors,
)
from posecourse.skeletons import COCO17

__all__ = ["AveragePrecision", "coco_average_precision", "keypoint_error", "oks", "pck"]


class AveragePrecision(NamedTuple):
    """COCO's ten numbers for keypoints, each between 0 and 1, or NaN where the truth holds nothing to find.

    pycocotools writes −1 for the latter; a mean over such numbers would be wrong without a sign of it.

    Args:
        AP: average precision, the mean over the OKS thresholds .50, .55, … .95.
        AP50: at OKS .50.
        AP75: at OKS .75.
        AP_medium: AP of people with an area of 32² to 96² square pixels.
        AP_large: AP of people with an area above 96² square pixels.
        AR: average recall, the mean over the same thresholds of the largest recall.
        AR50: at OKS .50.
        AR75: at OKS .75.
        AR_medium: AR of people with an area of 32² to 96² square pixels.
        AR_large: AR of people with an area above 96² square pixels.
    """

    AP: float
    AP50: float
    AP75: float
    AP_medium: float
    AP_large: float
    AR: float
    AR50: float
    AR75: float
    AR_medium: float
    AR_large: float


def keypoint_error(predicted: Float[Tensor, "*B K 2"], truth: Float[Tensor, "*B K 2"]) -> Float[Tensor, "*B K"]:
    """Return the distance between prediction and truth: √(Δx² + Δy²), in the unit of the points.

    Args:
        predicted: (x, y); NaN where nothing was found gives NaN.
        truth: (x, y) in the same frame.

    Raises:
        ValueError: the two are not points of one shape.

    Lesson: 01.
    """
    _require_pair(predicted, truth)
    return torch.linalg.vector_norm(predicted - truth, dim=-1)


def pck(
    predicted: Float[Tensor, "*B K 2"],
    truth: Float[Tensor, "*B K 2"],
    reference_length: float | Float[Tensor, "*B"],
    threshold: float,
) -> Bool[Tensor, "*B K"]:
    """Return which keypoints are correct: those not farther from the truth than a fraction of the person's size.

    correct ⟺ √(Δx² + Δy²) ≤ threshold · reference_length

    The percentage of correct keypoints is the mean of those that count: `masked_mean(correct.float(), labelled)`.

    Args:
        predicted: (x, y); NaN is never correct.
        truth: (x, y) in the same frame.
        reference_length: one length a person, positive, in the unit of the points: the longer side of the box
            (PCK), the head (PCKh), the torso. Or one for all.
        threshold: the fraction, positive: .2, or .5 for PCKh.

    Raises:
        ValueError: the two are not points of one shape, the lengths are not one a person, or something is not
            positive.

    Source: Yang and Ramanan 2013; Andriluka et al. 2014 (PCKh).
    Lesson: 01.
    """
    _require_pair(predicted, truth)
    require_positive(threshold, "threshold")
    require_positive(reference_length, "reference_length")
    lengths = torch.as_tensor(reference_length, dtype=predicted.dtype, device=predicted.device)
    if lengths.ndim and lengths.shape != predicted.shape[:-2]:
        raise ValueError(
            f"reference_length must be one number, or one a person {tuple(predicted.shape[:-2])}; "
            f"got {tuple(lengths.shape)}."
        )
    return keypoint_error(predicted, truth) <= threshold * lengths[..., None]


def oks(
    predicted: Float[Tensor, "*B K 2"],
    truth: Float[Tensor, "*B K 2"],
    mask: Bool[Tensor, "*B K"],
    area: Float[Tensor, "*B"],
    sigmas: Sequence[float] | Float[Tensor, " K"],
) -> Float[Tensor, "*B"]:
    """Return the object keypoint similarity of each person with their truth, between 0 and 1.

    OKS = Σ_mask exp(−d² / (2·area·(2·sigma)²)) / Σ mask, with d the distance of prediction and truth

    It is 1 at the truth, and a keypoint is worth e^(−½) at a distance of 2·sigma·√area.

    Args:
        predicted: (x, y) in pixels; NaN is a miss, worth 0.
        truth: (x, y) in pixels.
        mask: which keypoints are labelled, hidden ones included; the others do not count.
        area: of the person's mask, in square pixels, not negative.
        sigmas: one a keypoint, `skeleton.sigmas`.

    Returns:
        Similarities; NaN for a person without any labelled keypoint, whom COCO does not count either.

    Raises:
        TypeError: `mask` is not boolean.
        ValueError: shapes disagree, an area is negative, or sigmas are not K positive numbers.

    Source: COCO's keypoint evaluation, as computed by pycocotools' `COCOeval.computeOks`.
    Lesson: 05, exercise `oks`.
    """
    _require_pair(predicted, truth)
    require_mask(mask)
    require_tensors(area=area)
    wide = torch.promote_types(predicted.dtype, torch.float32)
    sigmas = torch.as_tensor(sigmas, dtype=wide, device=predicted.device)
    for name, tensor, shape in (
        ("mask", mask, predicted.shape[:-1]),
        ("area", area, predicted.shape[:-2]),
        ("sigmas", sigmas, predicted.shape[-2:-1]),
    ):
        if tensor.shape != shape:
            raise ValueError(f"{name} must be {tuple(shape)} for these points; got {tuple(tensor.shape)}.")
    require_positive(sigmas, "sigmas")
    if bool((area < 0).any()):
        raise ValueError(f"area must be that of the person's mask, in square pixels; got {area.min().item():.4g}.")
    squared = ((predicted - truth).to(wide) ** 2).sum(-1)
    spread = 2 * (2 * sigmas) ** 2 * (area.to(wide)[..., None] + np.spacing(1))
    alike = torch.where(mask, torch.exp(-squared / spread).nan_to_num(0), 0)
    return (alike.sum(-1) / mask.sum(-1)).to(predicted.dtype)


def coco_average_precision(
    truth: Mapping[str, Any],
    results: Sequence[Mapping[str, Any]],
    *,
    sigmas: Sequence[float] | None = None,
    max_people: int = 20,
) -> AveragePrecision:
    """Return COCO's average precision and recall for keypoints, computed by pycocotools.

    Four traps of pycocotools are out of the way: an annotation with the id 0 would never count as found, a result
    with a NaN coordinate would count as right, no results at all would be an error, and it prints.

    Two of its rules matter in crowds. Of each image only the 20 surest results count, see `max_people`. And a person
    without any labelled keypoint is not there to be found, but excuses a result in the box, enlarged by its own size
    on every side: it counts neither for nor against. `coco.truth` keeps such people for that.

    Args:
        truth: a COCO keypoints data set: "images" (id), "annotations" (image_id, category_id, keypoints as
            x, y, v for each, area, bbox) and "categories" (id). It is not changed.
        results: one dictionary a person found, as `coco.results` makes them: image_id, category_id, keypoints as x, y,
            anything, and score. An image without any found nobody, and lowers the recall.
        sigmas: OKS's, one a keypoint. None takes COCO's seventeen, for a skeleton of seventeen.
        max_people: how many results an image may have; only those with the highest scores count. COCO's 20, so that
            a perfect detector scores below 1 where there are more people.

    Returns:
        Ten numbers. Without results they are 0; where no person can be found (in a range of areas), NaN.

    Raises:
        ValueError: an entry lacks a field, refers to an unknown image or category, holds a number that is not
            finite, or has another number of keypoints than there are sigmas; the message names the entry.

    Source: Lin et al. 2014 and cocodataset.org; pycocotools' `COCOeval`.
    Lesson: 05.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    require_count(max_people, "max_people")
    sigmas = COCO17.sigmas if sigmas is None else sigmas
    dataset = _checked_truth(truth, len(sigmas))
    found = _checked_results(results, dataset, len(sigmas))
    with contextlib.redirect_stdout(io.StringIO()):
        expected, answered = COCO(), COCO()
        expected.dataset, answered.dataset = dataset, {**dataset, "annotations": found}
        expected.createIndex()
        answered.createIndex()
        evaluation = COCOeval(expected, answered, "keypoints")
        evaluation.params.kpt_oks_sigmas = np.asarray(sigmas, dtype=float)
        evaluation.params.maxDets = [max_people]
        evaluation.evaluate()
        evaluation.accumulate()
    return _summary(evaluation.eval["precision"], evaluation.eval["recall"])


def _summary(precision: np.ndarray, recall: np.ndarray) -> AveragePrecision:
    """Average pycocotools' tables, precision (thresholds, recalls, categories, areas, 1) and recall without recalls."""

    def mean(table: np.ndarray) -> float:
        there = table[table > -1]
        return float(there.mean()) if there.size else math.nan

    # Thresholds .50, .55, … .95: numbers 0 and 5 are .50 and .75. Areas: all, medium, large.
    return AveragePrecision(
        *(
            mean(table[thresholds, ..., areas, 0])
            for table in (precision, recall)
            for thresholds, areas in ((slice(None), 0), (0, 0), (5, 0), (slice(None), 1), (slice(None), 2))
        )
    )


def _checked_truth(truth: Mapping[str, Any], K: int) -> dict[str, Any]:
    """Return a copy of a data set with all that pycocotools reads, annotations numbered from 1."""
    for name in ("images", "annotations", "categories"):
        if name not in truth:
            raise ValueError(f"truth must be a COCO data set with {name!r}; it has {', '.join(map(repr, truth))}.")
    dataset: dict[str, Any] = copy.deepcopy(
        {name: list(truth[name]) for name in ("images", "annotations", "categories")}
    )
    ids = _ids(dataset)
    for number, annotation in enumerate(dataset["annotations"]):
        where = f"annotation {annotation.get('id', f'number {number}')}"
        _require_entry(annotation, where, ("image_id", "category_id", "keypoints", "area"), ids, K)
        labelled = sum(v > 0 for v in annotation["keypoints"][2::3])
        if labelled == 0 and "bbox" not in annotation:
            raise ValueError(f"{where} has neither a labelled keypoint nor a 'bbox', which COCO's rule then needs.")
        annotation.update(id=number + 1, num_keypoints=labelled, iscrowd=annotation.get("iscrowd", 0))
        annotation.setdefault("bbox", [0, 0, 0, 0])
    return dataset


def _checked_results(results: Sequence[Mapping[str, Any]], dataset: dict[str, Any], K: int) -> list[dict[str, Any]]:
    """Return copies of the results with the area that pycocotools takes: that of the box around all keypoints."""
    ids, found = _ids(dataset), []
    for number, result in enumerate(results):
        _require_entry(result, f"result {number}", ("image_id", "category_id", "keypoints", "score"), ids, K)
        x, y = result["keypoints"][0::3], result["keypoints"][1::3]
        found.append({**result, "id": number + 1, "area": (max(x) - min(x)) * (max(y) - min(y))})
    return found


def _ids(dataset: dict[str, Any]) -> dict[str, set[int]]:
    """Return which images and categories an entry may refer to."""
    return {
        "image_id": {image["id"] for image in dataset["images"]},
        "category_id": {category["id"] for category in dataset["categories"]},
    }


def _require_entry(
    entry: Mapping[str, Any], where: str, names: Sequence[str], ids: dict[str, set[int]], K: int
) -> None:
    """Raise unless an annotation or a result has the named fields, and they make sense in this data set."""
    missing = [name for name in names if name not in entry]
    if missing:
        raise ValueError(f"{where} lacks {', '.join(map(repr, missing))}.")
    for name, known in ids.items():
        if entry[name] not in known:
            raise ValueError(f"{where} has {name} {entry[name]!r}, which the truth does not know.")
    if len(entry["keypoints"]) != 3 * K:
        raise ValueError(
            f"{where} must have {K} keypoints as x, y, v: {3 * K} numbers; got {len(entry['keypoints'])}. "
            "Give the sigmas of its skeleton."
        )
    numbers = (*entry["keypoints"], entry.get("score", 0), entry.get("area", 0))
    if not all(math.isfinite(number) for number in numbers):
        raise ValueError(f"{where} holds a number that is not finite. Leave out what was not found.")


def _require_pair(predicted: Tensor, truth: Tensor) -> None:
    require_points(predicted, "predicted")
    require_points(truth, "truth")
    require_same_shape(predicted, truth, "predicted and truth")
