"""Whole pictures to COCO's results: is everybody where they are in the original picture, rendered or real?"""

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from posecourse import coco, metrics, models, paths, people, seeding, train
from posecourse.samples import Sample

OPTIONS: dict[str, Any] = {"people": (2, 3), "occluders": 0.0, "truncation": 0.0}


@pytest.fixture(scope="module")
def crowds() -> Sample:
    """Return three small rendered crowds."""
    sample = people.render(people.draw_scenes(3, seeding.generator(0), **OPTIONS), (48, 64))
    return replace(sample, present=sample.areas > 0, image_ids=torch.tensor([4, 9, 2]))


@pytest.fixture
def photographs() -> coco.CocoDataset:
    """Return real photographs where a folder is named, else the shipped sample."""
    if os.environ.get("POSECOURSE_REAL_COCO"):
        named = coco.photographs()
        assert named is not None
        return named
    return coco.load(paths.data_path("sample") / "person_keypoints.json", paths.data_path("sample"))


def network(seed: int = 0) -> models.PoseNetwork:
    """Return an untrained network."""
    return models.build("tags", width=4, generator=seeding.generator(seed)).eval()


def brightest(network: models.PoseNetwork, images: Tensor, **grouping: Any) -> models.CrowdReading:
    """Return one person an image, all of whose keypoints are the centre of what is bright."""
    light = images.mean(1)
    H, W = light.shape[-2:]
    y, x = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
    centre = (light[..., None] * torch.stack([x, y], dim=-1)).sum((1, 2)) / light.sum((1, 2))[:, None]
    keypoints = centre[:, None, None].expand(-1, 1, 17, 2)
    everywhere = torch.ones(len(images), 1, 17)
    return models.CrowdReading(keypoints, everywhere, everywhere > 0)


@pytest.mark.parametrize("size", [None, (64, 64), (24, 80), (100, 140)])
def test_results_are_in_the_original_picture(size: tuple[int, int] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is a bright spot found where it was, whatever size the picture was brought to?"""
    monkeypatch.setattr("posecourse.train.crowds.predict_people", brightest)
    pictures = torch.zeros(2, 3, 60, 90)
    for image, (x, y) in zip(pictures, [(20, 44), (71, 12)], strict=True):
        image[:, y - 4 : y + 5, x - 4 : x + 5] = 1
    sample = Sample(
        images=pictures,
        keypoints=torch.zeros(2, 1, 17, 2),
        visibility=torch.zeros(2, 1, 17, dtype=torch.uint8),
        boxes=torch.zeros(2, 1, 4),
        areas=torch.zeros(2, 1),
        present=torch.ones(2, 1, dtype=torch.bool),
        image_ids=torch.tensor([5, 3]),
    )
    results = train.crowd_results(network(), sample, size=size, category_id=8)
    assert [(r["image_id"], r["category_id"], r["score"]) for r in results] == [(5, 8, 1), (3, 8, 1)]
    found = torch.tensor([r["keypoints"][:2] for r in results])
    # A forgotten half pixel would be (1 − scale) / 2: 0.18 px at least, for these sizes.
    assert (found - torch.tensor([[20.0, 44.0], [71.0, 12.0]])).abs().max() < 0.15


def test_batches_change_nothing(crowds: Sample) -> None:
    """Are the results those of the network's people, one a person, whatever the batch?"""
    found = models.predict_people(network(), crowds.images, least=0.01, order=range(17))
    expected = coco.results(crowds, found.keypoints_px, found.scores, present=found.there)
    assert len(expected) == found.there.sum() > 3
    once = train.crowd_results(network(), crowds, least=0.01, order=range(17), batch_size=3)
    assert [r["image_id"] for r in once] == [r["image_id"] for r in expected]
    assert [r["keypoints"] for r in once] == [pytest.approx(r["keypoints"], abs=1e-3) for r in expected]


def whole_truth(dataset: coco.CocoDataset) -> Iterator[dict[str, Any]]:
    """Yield what a perfect network would answer on whole pictures."""
    for sample in dataset:
        seen = sample.labelled.any(-1)
        yield from coco.results(sample, sample.keypoints, seen.float(), present=seen, category_id=dataset.category_id)


def test_the_truth_scores_one_on_real_pictures(photographs: coco.CocoDataset) -> None:
    """Through the path that scores a network on a COCO file, is the truth worth AP 1 and AR 1?"""
    scores = metrics.coco_average_precision(photographs.truth(), list(whole_truth(photographs)))
    assert min(scores.AP, scores.AR) == pytest.approx(1)


def test_a_network_can_be_scored_on_real_pictures(photographs: coco.CocoDataset) -> None:
    """Does a network, here an untrained one, get a score on whole pictures of any size, one that it deserves?"""
    results = train.crowd_results(
        network(), photographs, size=(64, 64), category_id=photographs.category_id, least=0.01
    )
    assert {r["image_id"] for r in results} <= {picture.id for picture in photographs.annotations.pictures}
    assert len(results) > 0
    assert 0 <= metrics.coco_average_precision(photographs.truth(), results).AP < 0.1


def test_pictures_that_cannot_be_scored(crowds: Sample, as_a_user: None) -> None:
    """Are pictures without numbers, and none at all, told?"""
    with pytest.raises(ValueError, match="no image_ids"):
        train.crowd_results(network(), replace(crowds, image_ids=None), least=0.01)
    with pytest.raises(ValueError, match="at least one image"):
        train.crowd_results(network(), crowds[:0])
