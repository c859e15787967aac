"""The head with tags and the people that are read from it: what counts in the loss, and who is whose."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from posecourse import coco, grouping, metrics, models, seeding
from posecourse.samples import Sample
from posecourse.skeletons import Skeleton

SIZE = (80, 112)  # stride 4: a map of 20×28
HEAD = models.TagHead(16, 3, tags=2)


def crowd() -> Sample:
    """Return two images of up to three people whose keypoints lie between cells, the second with two people only."""
    middles = torch.tensor([[[20.3, 30.2], [52.7, 41.1], [88.4, 33.9]], [[33.1, 37.7], [77.9, 44.2], [0.0, 0.0]]])
    limbs = torch.tensor([[-9.2, -13.1], [8.7, -2.6], [-3.3, 17.8]])
    upside_down = torch.tensor([[1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])[:, None]
    return Sample(
        images=torch.rand(2, 3, *SIZE, generator=seeding.generator(0)),
        keypoints=middles[:, :, None] + limbs * upside_down,
        visibility=torch.tensor([2, 1, 2], dtype=torch.uint8).repeat(2, 3, 1),
        boxes=torch.cat([middles - torch.tensor([14.0, 18.0]), torch.tensor([28.0, 40.0]).expand(2, 3, 2)], dim=-1),
        areas=torch.full((2, 3), 1120.0),
        present=torch.tensor([[True, True, True], [True, True, False]]),
        skeleton=Skeleton(("a", "b", "c"), sigmas=(0.05, 0.05, 0.05)),
        image_ids=torch.tensor([7, 4]),
    )


def present(sample: Sample) -> Tensor:
    """Return who is there."""
    assert sample.present is not None
    return sample.present


def perfect(sample: Sample) -> models.TagAnswer:
    """Return the answer that paints everybody's keypoints and gives person n the tag (3n, −n) in the cells around."""
    h, w = SIZE[0] // 4, SIZE[1] // 4
    y, x = torch.meshgrid(torch.arange(h) * 4 + 1.5, torch.arange(w) * 4 + 1.5, indexing="ij")
    way = sample.keypoints[..., None, None] - torch.stack([x, y])  # (B N K 2 h w) in pixels
    blobs = torch.exp(-(way**2).sum(3) / (2 * 4**2))
    blobs = torch.where(present(sample)[..., None, None, None], blobs, 0)
    whose = blobs.argmax(1)  # (B K h w)
    return models.TagAnswer(torch.zeros(2, 16, h, w), blobs.amax(1), torch.stack([3.0 * whose, -1.0 * whose], dim=2))


def test_a_perfect_answer_costs_nothing() -> None:
    """Is the loss 0 where the maps are painted and tags are apart, and does it rise by each of its three parts?"""
    sample = crowd()
    answer = perfect(sample)
    assert HEAD.loss(answer, sample) < 1e-9
    assert HEAD.heatmap_loss(answer._replace(heatmaps=answer.heatmaps + 0.1), sample).item() == pytest.approx(0.01)
    # All tags alike: every pair of means lacks the whole margin of 1.
    assert HEAD.tag_loss(answer._replace(tags=0 * answer.tags), sample).item() == pytest.approx(1.0)
    torn = answer.tags.clone()
    torn[:, 0] += torch.tensor([0.3, 0.4])[:, None, None]
    # One keypoint of three is off by ½: its person's mean moves by ⅙, so ‖t − t̄‖² is (⅓)², (⅙)², (⅙)².
    assert HEAD.tag_loss(answer._replace(tags=torn), sample).item() == pytest.approx((4 + 1 + 1) / 36 / 3)


def test_the_parts_are_added_by_their_weight() -> None:
    """Is the loss one number: the heatmaps' plus `weight` times the mean over images of pull and push?"""
    sample, network = crowd(), built()
    answer, head = network(sample.images), tagging(network)
    tags, mask = head.true_tags(answer, sample)
    assert tags[0, 1, 2].equal(answer.tags[0, 2, :, 5, 12])  # its pixel (49.4, 23.3) lies in column 12, row 5
    assert mask.equal(present(sample)[..., None].expand(2, 3, 3))
    each = grouping.pull_loss(tags, mask) + grouping.push_loss(tags, mask, margin=head.margin)
    torch.testing.assert_close(head.tag_loss(answer, sample), each.mean())
    torch.testing.assert_close(head.loss(answer, sample), head.heatmap_loss(answer, sample) + head.weight * each.mean())


def tagging(network: models.PoseNetwork) -> models.TagHead:
    """Return a network's head."""
    assert isinstance(network.head, models.TagHead)
    return network.head


def built(seed: int = 0, **options: Any) -> models.PoseNetwork:
    """Return a small network with tags."""
    return models.build("tags", SIZE, 3, 4, tags=2, generator=seeding.generator(seed), **options)


def test_where_an_unlabelled_keypoint_may_be_nothing_is_asked() -> None:
    """Is a person's box left out of the map of a keypoint that they lack, and nothing else of any map?"""
    sample = crowd()
    sample.visibility[0, 1, 2] = 0
    answer = perfect(sample)
    x, y, width, height = (sample.boxes[0, 1] / 4).tolist()
    columns, rows = slice(round(x + 0.5), round(x + width - 0.5)), slice(round(y + 0.5), round(y + height - 0.5))

    def loss_with_noise(k: int, inside: bool) -> float:
        noise = torch.zeros_like(answer.heatmaps)
        noise[0, k, rows, columns] = 1
        if not inside:
            noise[0, k] = 1 - noise[0, k]
        target = HEAD.target(answer, sample)
        return HEAD.heatmap_loss(answer._replace(heatmaps=target + noise), sample).item()

    assert loss_with_noise(2, inside=True) == 0
    assert loss_with_noise(2, inside=False) > 0
    assert loss_with_noise(1, inside=True) > 0


def test_who_is_not_there_leaves_no_trace() -> None:
    """Do value and gradient not depend on what stands at an empty place or an unlabelled keypoint, NaN included?"""
    sample = crowd()
    sample.visibility[0, 1, 2] = 0
    network = built()

    def gradient(of: Sample) -> tuple[Tensor, Tensor]:
        network.zero_grad()
        loss = network.head.loss(network(of.images), of)
        loss.backward()
        return loss.detach(), torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])

    value, slope = gradient(sample)
    spoilt = sample.keypoints.clone()
    spoilt[0, 1, 2] = spoilt[1, 2] = torch.nan
    again, same = gradient(replace(sample, keypoints=spoilt))
    assert torch.equal(value, again)
    assert torch.allclose(slope, same, atol=1e-7)
    assert slope.isfinite().all()


def test_one_person_is_a_crowd_of_one() -> None:
    """Does a single-person sample have the loss of a crowd of one?"""
    sample, network = crowd(), built()
    single = network.head.loss(network(sample.images), alone(sample))
    crowded = replace(sample, **{name: getattr(sample, name)[:, :1] for name in FIELDS})
    assert torch.equal(single, network.head.loss(network(sample.images), crowded))


FIELDS = ("keypoints", "visibility", "boxes", "areas", "present")


def alone(sample: Sample) -> Sample:
    """Return the first person of each image."""
    return replace(sample, **{name: getattr(sample, name)[:, 0] for name in FIELDS[:-1]}, present=None)


def test_a_perfect_answer_becomes_the_people() -> None:
    """Are all people of a perfect answer found, whole, in pixels, and nobody else?"""
    sample = crowd()
    found = models.people_of(models.candidates(perfect(sample), HEAD.sigma), HEAD, max_people=4)
    assert found.keypoints_px.shape == (2, 3, 3, 2)
    assert found.there.sum(-1).tolist() == [3, 2]
    assert found.present.equal(found.there[..., None].expand(2, 3, 3))
    assert found.scores[found.present].min() > 0.7  # between cells a blob of σ = 1 is exp(−¼) at least
    for b in range(2):
        pairs = torch.cdist(
            found.keypoints_px[b][found.there[b]].flatten(1), sample.keypoints[b][present(sample)[b]].flatten(1)
        )
        assert pairs.amin(0).max() < 0.5
        assert pairs.amin(1).max() < 0.5


def test_what_is_not_found_stands_in_the_middle_of_the_rest() -> None:
    """Has a missing keypoint the score 0 and a place that no result file stumbles over?"""
    sample = crowd()
    answer = perfect(sample)
    answer.heatmaps[0, 1] = 0
    found = models.people_of(models.candidates(answer, HEAD.sigma), HEAD)
    there = found.there[0]
    assert there.sum() == 3
    assert not found.present[0, :, 1].any()
    assert found.scores[0, :, 1].eq(0).all()
    torch.testing.assert_close(found.keypoints_px[0, there, 1], found.keypoints_px[0, there][:, [0, 2]].mean(1))
    assert found.keypoints_px.isfinite().all()


def test_a_low_peak_is_no_candidate() -> None:
    """Does `least` leave out lower peaks and keep higher ones?"""
    answer = perfect(crowd())
    answer.heatmaps[0] *= 0.3
    assert models.candidates(answer, 1.0, least=0.31).scores[0].eq(0).all()
    assert (models.candidates(answer, 1.0, least=0.1).scores[0] > 0).sum() == 9


def average_precision(sample: Sample, found: models.CrowdReading) -> float:
    """Return COCO's AP of some people."""
    results = coco.results(sample, found.keypoints_px, found.scores, present=found.there)
    return metrics.coco_average_precision(coco.truth(sample), results, sigmas=sample.skeleton.sigmas).AP


def test_truth_in_both_places_is_the_ceiling() -> None:
    """With detection and grouping replaced by the truth, is AP exactly 1, whatever the network answers?"""
    sample, network = crowd(), built()
    answer, head = network(sample.images), tagging(network)
    true = models.true_candidates(answer, head, sample)
    assert true.tags.shape == (2, 3, 3, 2)
    found = models.people_by_truth(true, head, sample)
    assert found.present.equal(present(sample)[..., None].expand(2, 3, 3))
    torch.testing.assert_close(found.keypoints_px[found.present], sample.keypoints[found.present])
    assert average_precision(sample, found) == pytest.approx(1)
    peaks = models.candidates(answer, head.sigma)
    assert average_precision(sample, models.people_of(peaks, head)) < 0.5  # an untrained network is none


def test_each_truth_mends_its_own_half() -> None:
    """Do true candidates mend maps that are empty, and true groups tags that lie, but not the other way round?"""
    sample = crowd()
    good = perfect(sample)
    blind = good._replace(heatmaps=0 * good.heatmaps)
    lies = good.tags.clone()
    lies[:, 2] = good.tags[:, 2].amax((-2, -1), keepdim=True) - lies[:, 2]  # everybody's third is called another's

    def both(answer: models.TagAnswer) -> tuple[float, float]:
        detected = models.people_of(models.true_candidates(answer, HEAD, sample), HEAD)
        grouped = models.people_by_truth(models.candidates(answer, HEAD.sigma), HEAD, sample)
        return average_precision(sample, detected), average_precision(sample, grouped)

    assert both(good) == pytest.approx((1, 1))
    assert both(blind) == pytest.approx((1, 0))
    spoilt, mended = both(good._replace(tags=lies))
    assert spoilt < 0.7
    assert mended == pytest.approx(1)


def test_people_are_predicted_image_by_image() -> None:
    """Does an image have the same people alone and in a batch, without a gradient, in training mode too?"""
    images, network = crowd().images.double(), built().double().train()
    network(images)
    together = models.predict_people(network, images, least=0.001)
    assert together.there.any()
    assert network.training
    assert not together.keypoints_px.requires_grad
    for b in range(2):
        apart = models.predict_people(network, images[b : b + 1], least=0.001)
        there = together.there[b]
        torch.testing.assert_close(apart.keypoints_px[0], together.keypoints_px[b, there], atol=1e-3, rtol=0)
        assert apart.present[0].equal(together.present[b, there])


def test_people_need_tags(as_a_user: None) -> None:
    """Is a network without tags told which one has them?"""
    network = models.build("heatmap", SIZE, 3, 4, generator=seeding.generator(0))
    with pytest.raises(TypeError, match="a head with tags; this is a HeatmapHead"):
        models.predict_people(network, crowd().images)
    with pytest.raises(ValueError, match="keypoints=3"):
        models.TagHead(16, 5).loss(perfect(crowd()), crowd())
    with pytest.raises(ValueError, match="tags must be a positive whole"):
        models.TagHead(16, 5, tags=0)
