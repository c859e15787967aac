"""Metrics: is the field's own number returned, and what of the cases in which its own tool stumbles?"""

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from posecourse import metrics
from posecourse.skeletons import COCO17

FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


def points(seed: int, *shape: int, spread: float = 40.0) -> torch.Tensor:
    """Random points in float64."""
    return spread * torch.randn(*shape, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def crowd(images: int = 3, people: int = 4, K: int = 17, seed: int = 0) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A COCO data set with people of many sizes, and results of varied quality, in random order."""
    random = np.random.default_rng(seed)
    annotations, results = [], []
    for image in range(images):
        for person in range(people):
            side = random.uniform(25, 160)
            places = random.uniform(0, side, (K, 2)) + random.uniform(0, 300, 2)
            v = random.choice([0, 1, 2], K, p=[0.3, 0.2, 0.5]) * (person != 3 or image != 1)
            annotations.append({
                "id": 100 + len(annotations), "image_id": image, "category_id": 1, "area": side**2 / 2, "iscrowd": 0,
                "bbox": [*places.min(0), *np.ptp(places, axis=0)], "num_keypoints": int((v > 0).sum()),
                "keypoints": np.column_stack([places, v]).flatten().tolist(),
            })  # fmt: skip
            for quality in random.choice([0.01, 0.05, 0.1, 0.3], random.integers(0, 3)):
                found = places + quality * side * random.normal(size=(K, 2))
                results.append({
                    "image_id": image, "category_id": 1, "score": random.uniform(),
                    "keypoints": np.column_stack([found, np.ones(K)]).flatten().tolist(),
                })  # fmt: skip
    random.shuffle(results)
    dataset = {
        "images": [{"id": image} for image in range(images)],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "person"}],
    }
    return dataset, results


def by_the_book(dataset: dict[str, Any], results: list[dict[str, Any]]) -> COCOeval:
    """Evaluate as COCO's own demonstration does."""
    truth = COCO()
    truth.dataset = copy.deepcopy(dataset)
    truth.createIndex()
    evaluation = COCOeval(truth, truth.loadRes(copy.deepcopy(results)), "keypoints")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation


def perfect(dataset: dict[str, Any]) -> list[dict[str, Any]]:
    """The truth as results."""
    return [{**annotation, "score": 0.9 - 0.01 * n} for n, annotation in enumerate(dataset["annotations"])]


def test_the_error_is_the_distance() -> None:
    """Is it 5 for a way of (3, 4), and NaN where nothing was found?"""
    predicted = torch.tensor([[[1.0, 1.0], [0.0, math.nan], [2.0, 2.0]]])
    truth = torch.tensor([[[4.0, 5.0], [0.0, 0.0], [2.0, 2.0]]])
    errors = metrics.keypoint_error(predicted, truth)
    torch.testing.assert_close(errors, torch.tensor([[5.0, math.nan, 0.0]]), equal_nan=True)


def test_pck_counts_the_border_and_not_what_is_missing() -> None:
    """Is a keypoint correct at exactly the threshold, each person by their own length, and NaN never?"""
    truth = torch.zeros(2, 3, 2)
    predicted = torch.tensor([[3.0, 4.0], [3.0, 4.1], [math.nan, 0.0]]).expand(2, 3, 2)
    correct = metrics.pck(predicted, truth, torch.tensor([10.0, 20.0]), threshold=0.5)
    assert correct.tolist() == [[True, False, False], [True, True, False]]
    assert metrics.pck(predicted, truth, 10.0, 0.5).tolist() == [[True, False, False]] * 2


@pytest.mark.parametrize("threshold", [0.1, 0.2])
def test_pck_of_a_gaussian_error(threshold: float) -> None:
    """For errors of σ an axis, is it the Rayleigh law 1 − exp(−r²/2σ²)?"""
    n = 20000
    errors = points(0, n, 3, spread=2.0)
    share = metrics.pck(errors, torch.zeros_like(errors), 20.0, threshold).double().mean().item()
    expected = 1 - math.exp(-((20 * threshold) ** 2) / (2 * 2.0**2))
    assert share == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / (3 * n)))


def test_oks_is_pycocotools_s() -> None:
    """For every pair of a result and a person with a labelled keypoint, is it computeOks to 1e-9?"""
    dataset, results = crowd(images=5)
    evaluation = by_the_book(dataset, results)
    compared = 0
    for (image, _), table in evaluation.ious.items():
        found = sorted((r for r in results if r["image_id"] == image), key=lambda r: -r["score"])
        for j, person in enumerate(a for a in dataset["annotations"] if a["image_id"] == image):
            if not person["num_keypoints"] or not found:
                continue
            truth = torch.tensor(person["keypoints"], dtype=torch.float64).reshape(17, 3)
            predicted = torch.tensor([r["keypoints"] for r in found], dtype=torch.float64).reshape(-1, 17, 3)
            everyone = truth.expand_as(predicted)
            area = torch.full((len(found),), person["area"], dtype=torch.float64)
            ours = metrics.oks(predicted[..., :2], everyone[..., :2], everyone[..., 2] > 0, area, COCO17.sigmas)
            torch.testing.assert_close(ours, torch.from_numpy(table[:, j]), rtol=0, atol=1e-9)
            compared += len(found)
    assert compared > 40


def test_oks_at_the_radius_of_a_keypoint() -> None:
    """At a distance of 2·sigma·√area·√(2·ln(1/OKS)), is it the OKS that was asked for?"""
    for similarity in (0.5, 0.75, 0.95):
        radius = 2 * 0.07 * math.sqrt(900) * math.sqrt(2 * math.log(1 / similarity))
        truth = torch.zeros(1, 3, 2, dtype=torch.float64)
        area = torch.tensor([900.0], dtype=torch.float64)
        ours = metrics.oks(truth + torch.tensor([radius, 0]), truth, torch.ones(1, 3).bool(), area, [0.07] * 3)
        assert ours.item() == pytest.approx(similarity)


@pytest.mark.parametrize("dtype", FLOATS)
def test_oks_in_the_odd_cases(dtype: torch.dtype) -> None:
    """Nobody labelled is NaN, a NaN prediction is a miss, masked places do not count, an area of 0 is survived."""
    truth = torch.zeros(4, 3, 2, dtype=dtype)
    predicted = truth.clone()
    mask = torch.tensor([[True, True, False], [False] * 3, [True] * 3, [True] * 3])
    predicted[0, 1], predicted[0, 2], predicted[3, 0] = math.nan, math.inf, 5
    ours = metrics.oks(predicted, truth, mask, torch.tensor([900, 900, 0, 0], dtype=dtype), [0.05, 0.07, 0.09])
    expected = torch.tensor([0.5, math.nan, 1.0, 2 / 3], dtype=dtype)
    torch.testing.assert_close(ours, expected, equal_nan=True)


@given(shape=st_numpy.array_shapes(min_dims=1, max_dims=3, max_side=3), dtype=st.sampled_from(FLOATS))
def test_any_leading_shape_and_dtype(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    """Does every metric treat leading axes alike and keep the dtype?"""
    predicted, truth = points(1, *shape, 3, spread=3.0).to(dtype), points(2, *shape, 3, spread=3.0).to(dtype)
    area, mask = torch.full(shape, 900.0, dtype=dtype), torch.ones(*shape, 3, dtype=torch.bool)
    errors = metrics.keypoint_error(predicted, truth)
    assert (errors.shape, errors.dtype) == ((*shape, 3), dtype)
    assert metrics.pck(predicted, truth, area, 0.2).shape == (*shape, 3)
    ours = metrics.oks(predicted, truth, mask, area, [0.05, 0.07, 0.09])
    assert (ours.shape, ours.dtype) == (shape, dtype)
    flat = metrics.oks(
        predicted.reshape(-1, 3, 2), truth.reshape(-1, 3, 2), mask.reshape(-1, 3), area.reshape(-1), [0.05, 0.07, 0.09]
    )
    torch.testing.assert_close(ours.reshape(-1), flat)


@pytest.mark.parametrize("seed", range(3))
def test_average_precision_is_coco_s(seed: int, capfd: pytest.CaptureFixture[str]) -> None:
    """Are the ten numbers those of the official evaluation, is nothing printed, and nothing changed?"""
    dataset, results = crowd(images=6, people=5, seed=seed)
    expected = by_the_book(dataset, results).stats
    before = copy.deepcopy((dataset, results))
    capfd.readouterr()
    ours = metrics.coco_average_precision(dataset, results)
    assert capfd.readouterr().out == ""
    assert (dataset, results) == before
    assert 0.05 < ours.AP < 0.95
    assert ours == pytest.approx(expected, abs=1e-12)


def test_the_truth_is_perfect() -> None:
    """Do all ten numbers read 1, also for another skeleton and where the ids start at 0, which pycocotools misses?"""
    dataset, _ = crowd(people=3, K=5)
    for n, annotation in enumerate(dataset["annotations"]):
        annotation["id"] = n
        annotation["area"] = (50.0, 120.0)[n % 2] ** 2
        annotation["keypoints"][2] = 2
    ours = metrics.coco_average_precision(dataset, perfect(dataset), sigmas=[0.05] * 5)
    assert ours == pytest.approx([1.0] * 10)


def test_fields_that_pycocotools_needs_are_filled_in() -> None:
    """Are num_keypoints, iscrowd and bbox, which it reads and many files lack, not required?"""
    dataset, results = crowd()
    expected = metrics.coco_average_precision(dataset, results)
    for annotation in dataset["annotations"]:
        del annotation["num_keypoints"], annotation["iscrowd"]
        if any(annotation["keypoints"][2::3]):
            del annotation["bbox"]
    assert metrics.coco_average_precision(dataset, results) == pytest.approx(expected, nan_ok=True)


def test_twenty_people_are_enough_for_coco_and_not_for_us() -> None:
    """Does a perfect answer to 25 people score below 1 by COCO's rule, and 1 with room for them?"""
    dataset, _ = crowd(images=1, people=25)
    for annotation in dataset["annotations"]:
        annotation["keypoints"][2] = 2
    assert pytest.approx(20 / 25) == metrics.coco_average_precision(dataset, perfect(dataset)).AR
    assert pytest.approx(1) == metrics.coco_average_precision(dataset, perfect(dataset), max_people=25).AP


def test_nothing_found_and_nothing_to_find() -> None:
    """Is it 0 without results, and NaN where the truth has nobody, in all or in a range of areas?"""
    dataset, results = crowd()
    for annotation in dataset["annotations"]:
        annotation["area"] = 50.0**2
    nothing = metrics.coco_average_precision(dataset, [])
    assert (nothing.AP, nothing.AR, nothing.AP_medium) == (0, 0, 0)
    assert math.isnan(nothing.AP_large)
    empty = {**dataset, "annotations": []}
    assert all(math.isnan(number) for number in metrics.coco_average_precision(empty, results))
    assert all(math.isnan(n) for n in metrics.coco_average_precision({**empty, "images": []}, []))


def _broken(kind: str, change: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A crowd of which the second annotation or result has changed; None removes a field."""
    dataset, results = crowd()
    entry = (dataset["annotations"] if kind == "annotation" else results)[1]
    entry.update(change)
    for name in [name for name, value in entry.items() if value is None]:
        del entry[name]
    return dataset, results


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("result", {"score": None}, "result 1 lacks 'score'"),
        ("result", {"score": math.nan}, "result 1 holds a number that is not finite"),
        ("result", {"keypoints": [math.nan] * 51}, "result 1 holds a number that is not finite"),
        ("result", {"keypoints": [1.0] * 34}, "result 1 must have 17 keypoints .* got 34"),
        ("result", {"image_id": 77}, "result 1 has image_id 77"),
        ("result", {"category_id": 7}, "result 1 has category_id 7"),
        ("annotation", {"area": None}, "annotation 101 lacks 'area'"),
        ("annotation", {"area": math.inf}, "annotation 101 holds a number"),
        ("annotation", {"image_id": 77}, "annotation 101 has image_id 77"),
        ("annotation", {"keypoints": [0.0] * 51, "bbox": None}, "neither a labelled keypoint nor a 'bbox'"),
    ],
)
def test_a_broken_entry_is_named(kind: str, change: dict[str, Any], message: str) -> None:
    """Does the error name the annotation or the result, and what is wrong with it?"""
    with pytest.raises(ValueError, match=message):
        metrics.coco_average_precision(*_broken(kind, change))


def test_a_nan_result_would_count_as_right_in_pycocotools() -> None:
    """Is the trap that we refuse really there? If this fails, pycocotools has mended it and our check may go."""
    dataset, _ = crowd(images=1, people=1)
    result = {"image_id": 0, "category_id": 1, "score": 0.9, "keypoints": [math.nan] * 51}
    assert by_the_book(dataset, [result]).stats[0] == pytest.approx(1)


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: metrics.keypoint_error(torch.zeros(3, 2), torch.zeros(1, 3, 2)), ValueError, "must have one shape"),
        (lambda: metrics.pck(torch.zeros(2, 3, 2), torch.zeros(2, 3, 2), torch.ones(3), 0.5), ValueError, "a person"),
        (lambda: metrics.pck(torch.zeros(2, 3, 2), torch.zeros(2, 3, 2), 0.0, 0.5), ValueError, "must be positive"),
        (lambda: _oks(mask=torch.ones(2, 3)), TypeError, "visibility > 0"),
        (lambda: _oks(area=torch.ones(3)), ValueError, r"area must be \(2,\)"),
        (lambda: _oks(area=-torch.ones(2)), ValueError, "in square pixels; got -1"),
        (lambda: _oks(sigmas=[0.1] * 17), ValueError, r"sigmas must be \(3,\)"),
        (lambda: _oks(sigmas=[0.1, 0.1, 0.0]), ValueError, "sigmas must be positive"),
        (lambda: metrics.coco_average_precision({"images": []}, []), ValueError, "with 'annotations'"),
        (lambda: metrics.coco_average_precision(*crowd(K=5)), ValueError, "Give the sigmas of its skeleton"),
        (lambda: metrics.coco_average_precision(*crowd(), max_people=0), ValueError, "max_people must be a positive"),
    ],
)
def test_a_mistake_is_named(call: object, error: type[Exception], message: str) -> None:
    """Does each wrong argument raise an error that says what was expected?"""
    with pytest.raises(error, match=message):
        call()  # type: ignore[operator]


def _oks(**changed: Any) -> torch.Tensor:
    """OKS of two people of three keypoints, with one argument replaced."""
    arguments = {
        "predicted": torch.zeros(2, 3, 2), "truth": torch.zeros(2, 3, 2), "mask": torch.ones(2, 3).bool(),
        "area": torch.ones(2), "sigmas": [0.1] * 3,
    }  # fmt: skip
    return metrics.oks(**{**arguments, **changed})
