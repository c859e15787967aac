"""A network with tags on whole pictures, rendered or real, as the results that COCO's evaluation takes."""

from collections.abc import Sequence
from typing import Any

import torch

from posecourse import coco
from posecourse.grouping import torso_out
from posecourse.models import PoseNetwork, predict_people
from posecourse.shapes import require_count
from posecourse.train.data import Images, fetch, require_images
from posecourse.transforms import fit_sample

__all__ = ["crowd_results"]


def crowd_results(
    network: PoseNetwork,
    data: Images,
    *,
    size: Sequence[int] | None = None,
    category_id: int = 1,
    batch_size: int = 64,
    **grouping: Any,
) -> list[dict[str, Any]]:
    """Find everybody in every picture and return COCO's result dictionaries, in pixels of the original pictures.

    `metrics.coco_average_precision(photographs.truth(), crowd_results(network, photographs, size=(128, 128)))`

    Args:
        network: with a head for tags.
        data: whole pictures: a crowd Sample with image_ids, a rendered set, a COCO data set.
        size: (H, W) to bring each picture to, not stretched, with black beside it; None takes them as they are. A
            network finds people of the sizes that it was trained on.
        category_id: of the data set, `dataset.category_id`.
        batch_size: pictures a time; changes nothing but the memory needed.
        **grouping: of `models.predict_people`.

    Raises:
        ValueError: there is no picture, or the pictures have no ids.
    """
    require_images(data)
    require_count(batch_size, "batch_size")
    found = []
    for indices in torch.arange(len(data)).split(1 if isinstance(data, Sequence) else batch_size):
        sample = fetch(data, indices)
        if size is not None:
            sample = fit_sample(sample, size)
        images, order = sample.images.to(network.device), torso_out(sample.skeleton)
        people = predict_people(network, images, **{"order": order, **grouping})
        points, scores, there = (part.cpu() for part in (people.keypoints_px, people.scores, people.there))
        found += coco.results(sample, points, scores, present=there, category_id=category_id)
    return found
