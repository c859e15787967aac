"""Wrong losses of a head that predicts visibility; each docstring is what the student reads."""

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["COALS", "visibility_loss"]


def visibility_loss(logits: Tensor, visibility: Tensor) -> Tensor:
    """Return −ln of the probability that sigmoid(logits) gave to what is true, v = 2 or not, (..., K)."""
    return functional.binary_cross_entropy_with_logits(logits, (visibility == 2).to(logits.dtype), reduction="none")


def labelled_for_visible(logits: Tensor, visibility: Tensor) -> Tensor:
    """Hidden keypoints (v = 1) were taught as visible: the target is v > 0, and v == 2 was asked for.

    Such a head learns which keypoints annotators gave a place to. It would call an elbow behind a table visible.
    """
    return functional.binary_cross_entropy_with_logits(logits, (visibility > 0).to(logits.dtype), reduction="none")


def half_visible(logits: Tensor, visibility: Tensor) -> Tensor:
    """Hidden keypoints (v = 1) were taught as half visible: v / 2 was used as a probability.

    v is a category, not an amount. A hidden keypoint is not visible: the target is 1 where v is 2, and else 0.
    """
    return functional.binary_cross_entropy_with_logits(logits, visibility.to(logits.dtype) / 2, reduction="none")


def number_for_truth(logits: Tensor, visibility: Tensor) -> Tensor:
    """The number v, 0, 1 or 2, was used as the target, which is a probability: 1 where v is 2, and else 0.

    A target of 2 is more than certain, and the loss falls without end. A target of 1 for v = 1 calls hidden keypoints
    visible. Compare first: `visibility == 2`.
    """
    return functional.binary_cross_entropy_with_logits(logits, visibility.to(logits.dtype), reduction="none")


def unlabelled_left_out(logits: Tensor, visibility: Tensor) -> Tensor:
    """Keypoints without a label (v = 0) cost nothing here, and they are asked for: they are not visible.

    Whether they are to train is for a mask to say, as with every loss of this course; here it is one number for each
    keypoint, whatever its v. Look for a mask or a `torch.where` that knows v = 0.
    """
    return torch.where(visibility > 0, visibility_loss(logits, visibility), 0)


def only_where_visible(logits: Tensor, visibility: Tensor) -> Tensor:
    """Half of the formula is missing: only visible keypoints cost something, so a network may call everything visible.

    Where v is not 2 the loss is −ln(1 − p), which is softplus(z). `binary_cross_entropy_with_logits` has both halves.
    """
    return torch.where(visibility == 2, visibility_loss(logits, visibility), 0)


def other_way_round(logits: Tensor, visibility: Tensor) -> Tensor:
    """A large logit is rewarded where the keypoint is *not* visible: target or sign is the wrong way round.

    The probability of "visible" is sigmoid(logit), so where v is 2 the loss falls as the logit grows.
    """
    return visibility_loss(-logits, visibility)


def sigmoid_twice(logits: Tensor, visibility: Tensor) -> Tensor:
    """The sigmoid was taken twice: once by you, once inside of the loss "with logits".

    Probabilities between 0 and 1 went in as if they were logits, and nothing can then be called less likely than ½.
    Give `binary_cross_entropy_with_logits` the logits themselves.
    """
    return visibility_loss(logits.sigmoid(), visibility)


def saturated(logits: Tensor, visibility: Tensor) -> Tensor:
    """The loss is right for small logits and wrong for large ones: the sigmoid was rounded to 0 or 1 on the way.

    In float32 sigmoid(17) is 1, and the logarithm of 1 − 1 is minus infinity, which `binary_cross_entropy` cuts off at
    −100, its gradient included. `binary_cross_entropy_with_logits` never makes the probability.
    """
    target = (visibility == 2).to(logits.dtype)
    return functional.binary_cross_entropy(logits.sigmoid(), target, reduction="none")


def logarithm_of_zero(logits: Tensor, visibility: Tensor) -> Tensor:
    """The formula is right on paper and breaks for large logits: infinity or NaN comes out.

    sigmoid(120) is 1, the logarithm of 1 − 1 is minus infinity, and 0 times that is NaN. Rewrite −ln sigmoid(z) as
    softplus(−z), or let `binary_cross_entropy_with_logits` do it.
    """
    p, target = logits.sigmoid(), (visibility == 2).to(logits.dtype)
    return -(target * p.log() + (1 - target) * (1 - p).log())


def averaged(logits: Tensor, visibility: Tensor) -> Tensor:
    """This is one number, the mean, where one a keypoint was asked for.

    The mask has not had its say yet: a mean cannot be masked afterwards. Say `reduction="none"`.
    """
    return visibility_loss(logits, visibility).mean()


COALS = [
    labelled_for_visible,
    half_visible,
    number_for_truth,
    unlabelled_left_out,
    only_where_visible,
    other_way_round,
    sigmoid_twice,
    saturated,
    logarithm_of_zero,
    averaged,
]
