"""Wrong ways to read COCO's (x, y, v); each docstring is what the student reads."""

import torch
from torch import Tensor

__all__ = ["COALS", "read_coco"]

Read = tuple[Tensor, Tensor, Tensor]


def read_coco(annotation: Tensor) -> Read:
    """Return points (..., K, 2), NaN where unlabelled, and what is labelled (v > 0) and visible (v = 2)."""
    v = annotation[..., 2]
    return torch.where((v > 0)[..., None], annotation[..., :2], torch.nan), v > 0, v == 2


def hidden_is_unlabelled(annotation: Tensor) -> Read:
    """Hidden keypoints (v = 1) were counted as unlabelled.

    Somebody said where a hidden elbow is, and OKS will ask for it. Papers that mask "invisible" keypoints mean
    unlabelled ones. Two comparisons are needed: v > 0 is labelled, v == 2 is visible.
    """
    seen = annotation[..., 2] == 2
    return torch.where(seen[..., None], annotation[..., :2], torch.nan), seen, seen


def labelled_is_visible(annotation: Tensor) -> Read:
    """Hidden keypoints (v = 1) were counted as visible.

    They have a place, and cannot be seen. A network that learns visibility from this learns who was annotated. Ask
    v == 2 for visible, and keep v > 0 for labelled.
    """
    points, labelled, _ = read_coco(annotation)
    return points, labelled, labelled.clone()


def one_is_true(annotation: Tensor) -> Read:
    """Only v = 1 was counted as visible, as if v were a truth value; in COCO 1 says *hidden* and 2 says visible.

    Some other formats do write 1 for visible. COCO's three values are 0 not labelled, 1 labelled but hidden, 2
    labelled and visible.
    """
    points, labelled, _ = read_coco(annotation)
    return points, labelled, annotation[..., 2] == 1


def corner_kept(annotation: Tensor) -> Read:
    """Masks are right, but unlabelled keypoints were left where the file has them, such as at (0, 0).

    That is a place like any other, the upper left pixel, and whoever forgets the mask trains a network to point
    there. NaN is no place: put it where v is 0, and a forgotten mask shows at once.
    """
    _, labelled, visible = read_coco(annotation)
    return annotation[..., :2].clone(), labelled, visible


def moved_to_the_corner(annotation: Tensor) -> Read:
    """Masks are right, but unlabelled keypoints were moved to (0, 0), where NaN is asked for.

    (0, 0) is a place, the upper left pixel: whoever forgets the mask trains a network to point there. Multiplying by
    the mask makes zeros; `torch.where(mask[..., None], points, torch.nan)` makes NaN.
    """
    _, labelled, visible = read_coco(annotation)
    return torch.where(labelled[..., None], annotation[..., :2], 0), labelled, visible


def told_by_the_place(annotation: Tensor) -> Read:
    """A keypoint was taken for labelled because its place is not (0, 0); v alone says so.

    Files exist with old coordinates beside v = 0, and a person whose ear is at the picture's corner has one at
    (0, 0). Look for a comparison of x or y.
    """
    labelled = (annotation[..., :2] != 0).any(-1)
    points = torch.where(labelled[..., None], annotation[..., :2], torch.nan)
    return points, labelled, annotation[..., 2] == 2


def hidden_lose_their_place(annotation: Tensor) -> Read:
    """Hidden keypoints lost their place: NaN belongs to unlabelled ones (v = 0) only.

    The masks are right, and the points were cut with the mask of what is visible. A hidden keypoint has a place to
    be trained on. Look for the mask in `torch.where`.
    """
    _, labelled, visible = read_coco(annotation)
    return torch.where(visible[..., None], annotation[..., :2], torch.nan), labelled, visible


COALS = [
    hidden_is_unlabelled,
    labelled_is_visible,
    one_is_true,
    corner_kept,
    moved_to_the_corner,
    told_by_the_place,
    hidden_lose_their_place,
]
