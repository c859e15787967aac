"""From people in pictures to average precision: is a crowd scored as COCO scores it, to the odd cases?"""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from posecourse import coco, coords, decode, grouping, heatmaps, metrics, people, seeding
from posecourse.samples import Sample
from posecourse.skeletons import COCO17

K = len(COCO17)


def crowd(N: int, images: int = 2, seed: int = 0) -> Sample:
    """People of random keypoints around places of a grid, 40 pixels apart; three keypoints of ten have no label."""
    random = torch.Generator().manual_seed(seed)
    side = math.ceil(math.sqrt(N))
    places = 40.0 * torch.stack([torch.arange(N) % side, torch.arange(N) // side], dim=-1) + 20
    keypoints = places[:, None] + 28 * (torch.rand(images, N, K, 2, generator=random) - 0.5)
    visibility = torch.where(torch.rand(images, N, K, generator=random) < 0.3, 0, 2).to(torch.uint8)
    visibility[..., 5] = 2
    boxes = torch.cat([places - 14, torch.full((N, 2), 28.0)], dim=-1).expand(images, N, 4)
    return Sample(
        images=torch.zeros(images, 3, 40 * side, 40 * side),
        keypoints=keypoints,
        visibility=visibility,
        boxes=boxes.clone(),
        areas=torch.full((images, N), 500.0),
        present=torch.ones(images, N, dtype=torch.bool),
        image_ids=torch.arange(images) + 3,
    )


def candidates_of(sample: Sample) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Perfect candidates of the one image of a sample: its labelled keypoints, tagged by person, mixed."""
    N = sample.keypoints.shape[1]
    order = torch.randperm(N, generator=torch.Generator().manual_seed(7))
    scores = sample.labelled[0] * torch.linspace(0.9, 0.5, N)[:, None]
    tags = 3.0 * torch.arange(N)[:, None].expand(N, K)
    mixed = (tensor[order].transpose(0, 1) for tensor in (sample.keypoints[0], scores, tags))
    points, scores, tags = mixed
    return points, scores, tags[..., None]


def results_of(sample: Sample, max_people: int = 99) -> list[dict[str, Any]]:
    """Group perfect candidates image by image and return COCO's dictionaries."""
    found = []
    for one in (sample[i] for i in range(len(sample))):
        answer = grouping.group_by_tag(*candidates_of(one), 1.0, max_people)
        found += coco.results(one, answer.points[None], answer.scores[None])
    return found


@pytest.mark.parametrize("N", [1, 5, 20])
def test_a_perfect_answer_scores_one(N: int) -> None:
    """Is everything 1 where candidates are the truth, unlabelled joints filled with the others' mean?"""
    sample = crowd(N)
    scored = metrics.coco_average_precision(coco.truth(sample), results_of(sample))
    assert pytest.approx((1, 1)) == (scored.AP, scored.AR)


def test_more_than_twenty_people() -> None:
    """Of 30 perfect people, do COCO's rule and grouping's own limit each let 20 count, and 30 with room for them?"""
    sample = crowd(30)
    truth, found = coco.truth(sample), results_of(sample)
    assert len(found) == 60
    assert pytest.approx(20 / 30) == metrics.coco_average_precision(truth, found).AR
    assert pytest.approx(1) == metrics.coco_average_precision(truth, found, max_people=30).AP
    limited = results_of(sample, max_people=20)
    assert pytest.approx(20 / 30) == metrics.coco_average_precision(truth, limited, max_people=30).AR


def test_the_rendered_path_from_maps_to_average_precision() -> None:
    """On rendered people, one a picture, is AP 1 after painting, finding, refining and grouping at stride 4?"""
    scenes = people.draw_scenes(3, seeding.generator(2), occluders=0, truncation=0)
    sample = people.render(scenes, (128, 128), crowd=True)
    sample = replace(sample, image_ids=torch.arange(3) + 1)
    cells = coords.pixels_to_cells(sample.keypoints, 4)
    found = []
    for i in range(3):
        blobs = heatmaps.gaussian_heatmaps(cells[i], (32, 32), 1.5) * sample.labelled[i][..., None, None]
        maps = blobs.amax(0)
        peaks = decode.nms_peaks(maps, 5)
        refined = decode.refine_peaks(maps, peaks, lambda m: decode.dark(m, blur_sigma=1.5), radius=4)
        tags = torch.zeros(K, 5, 1)
        answer = grouping.group_by_tag(*refined, tags, 1.0, 5)
        points = coords.cells_to_pixels(answer.points, 4)
        found += coco.results(sample[i], points[None], answer.scores[None])
    scored = metrics.coco_average_precision(coco.truth(sample), found)
    assert pytest.approx((1, 1)) == (scored.AP, scored.AR)


def test_nobody_is_an_answer() -> None:
    """Is an image in which nobody was found no entry, and counted in the recall?"""
    sample = crowd(4)
    nobody = grouping.group_by_tag(torch.zeros(K, 2, 2), torch.zeros(K, 2), torch.zeros(K, 2, 1), 1.0, 9)
    assert coco.results(sample[0], nobody.points[None], nobody.scores[None]) == []
    truth = coco.truth(sample)
    half = results_of(sample[1])
    assert pytest.approx(1 / 2) == metrics.coco_average_precision(truth, half).AR
    nothing = metrics.coco_average_precision(truth, [])
    assert (nothing.AP, nothing.AR) == (0, 0)


def test_people_without_a_label_are_ignored_where_they_are() -> None:
    """Does finding an unlabelled person in their box, or up to its size beside it, cost nothing, and farther off?"""
    sample = crowd(4, images=1)
    visibility = sample.visibility.clone()
    visibility[0, 3] = 0
    unlabelled = replace(sample, visibility=visibility)
    truth = coco.truth(unlabelled)
    assert truth["annotations"][3]["num_keypoints"] == 0
    perfect = results_of(sample)
    assert len(perfect) == 4
    # Surest of all, so that a false alarm lowers the precision of everybody.
    ghost = max(perfect, key=lambda result: result["score"]) | {"score": 1.0}
    box = unlabelled.boxes[0, 3]
    for shift, expected in ((0.0, 1.0), (0.99, 1.0), (30.0, 3 / 4)):
        places = (box[:2] + box[2:] * (0.5 + torch.tensor([0.5 + shift, 0.0]))).expand(K, 2)
        ghost["keypoints"] = torch.cat([places, torch.ones(K, 1)], dim=-1).flatten().tolist()
        scored = metrics.coco_average_precision(truth, [*perfect, ghost])
        assert pytest.approx(expected) == scored.AP
        assert pytest.approx(1) == scored.AR


def test_only_unlabelled_people_leave_nothing_to_find() -> None:
    """Where no one is labelled, is the score NaN, rather than 0 or 1?"""
    sample = crowd(3)
    truth = coco.truth(replace(sample, visibility=torch.zeros_like(sample.visibility)))
    assert math.isnan(metrics.coco_average_precision(truth, results_of(sample)).AP)
