"""Wrong object keypoint similarities; each docstring is what the student reads."""

import torch
from torch import Tensor

from posecourse.metrics import oks

__all__ = ["COALS"]


def area_missing(predicted: Tensor, truth: Tensor, mask: Tensor, area: Tensor, sigmas: Tensor) -> Tensor:
    """The person's area is not in the formula, so ten pixels cost a giant as much as a dwarf.

    d² is divided by 2·area·(2·sigma)²: the same miss is worth more on a person who fills the picture.
    """
    return oks(predicted, truth, mask, torch.ones_like(area), sigmas)


def one_sigma(predicted: Tensor, truth: Tensor, mask: Tensor, area: Tensor, sigmas: Tensor) -> Tensor:
    """Everything is judged as if the keypoints were half as wide: sigma stands where 2·sigma belongs.

    COCO's k is twice the standard deviation of how people label a keypoint. The files hold sigma; double it before
    squaring, `(2 * sigmas) ** 2`.
    """
    return oks(predicted, truth, mask, area, sigmas / 2)


def half_missing(predicted: Tensor, truth: Tensor, mask: Tensor, area: Tensor, sigmas: Tensor) -> Tensor:
    """The exponent is twice what it should be: one 2 is missing, or was not squared.

    exp(−d² / (2·area·(2·sigma)²)) has two twos. One is the Gaussian's, one is COCO's, and COCO's is squared with the
    sigma: `(2 * sigmas) ** 2`, not `2 * sigmas ** 2`.
    """
    return oks(predicted, truth, mask, area / 2, sigmas)


def sigma_not_squared(predicted: Tensor, truth: Tensor, mask: Tensor, area: Tensor, sigmas: Tensor) -> Tensor:
    """The sigma is not squared: d² is divided by 2·area·2·sigma.

    A Gaussian has its width squared. The width in pixels is 2·sigma·√area, and all of it is squared:
    `area * (2 * sigmas) ** 2`.
    """
    return oks(predicted, truth, mask, area, (sigmas / 2).sqrt())


def brackets_missing(predicted: Tensor, truth: Tensor, mask: Tensor, area: Tensor, sigmas: Tensor) -> Tensor:
    """d² was divided by 2 and then multiplied by all the rest: brackets are missing around the divisor.

    `a / b * c` is (a / b) · c. Write `squared / (2 * area * (2 * sigmas) ** 2)`.
    """
    width = area[..., None] * (2 * sigmas) ** 2
    return _mean(torch.exp(-(predicted - truth).square().sum(-1) * width / 2).nan_to_num(0), mask)


def sigma_above_the_line(predicted: Tensor, truth: Tensor, mask: Tensor, area: Tensor, sigmas: Tensor) -> Tensor:
    """d² / (2·area) was multiplied by (2·sigma)², so that the widest keypoint is judged the hardest.

    `a / b * c` is (a / b) · c. Brackets belong around the whole divisor: `squared / (2 * area * (2 * sigmas) ** 2)`.
    """
    width = (2 * sigmas) ** 2 / area[..., None]
    return _mean(torch.exp(-(predicted - truth).square().sum(-1) * width / 2).nan_to_num(0), mask)


def minus_missing(predicted: Tensor, truth: Tensor, mask: Tensor, area: Tensor, sigmas: Tensor) -> Tensor:
    """The minus is missing: the similarity grows with the distance, without bound.

    A similarity is 1 where the two places are one, and falls: exp(−d² / …).
    """
    exponent = (predicted - truth).square().sum(-1) / (8 * sigmas**2 * area[..., None])
    alike = torch.exp(exponent)
    return _mean(torch.where(alike.isnan(), 0, alike), mask)


def distance_not_squared(predicted: Tensor, truth: Tensor, mask: Tensor, area: Tensor, sigmas: Tensor) -> Tensor:
    """The distance is not squared in the exponent.

    With d in pixels and an area in square pixels, d / area still has a unit, and no exponent may: a picture twice as
    large would give another score. Square the distance.
    """
    distance = (predicted - truth).norm(dim=-1)
    return _mean(torch.exp(-distance / (8 * sigmas**2 * area[..., None])).nan_to_num(0), mask)


def root_of_the_area(predicted: Tensor, truth: Tensor, mask: Tensor, area: Tensor, sigmas: Tensor) -> Tensor:
    """d² was divided by the root of the area where the area itself belongs.

    The person's scale s is √area, and the formula has s²: exp(−d² / (2·s²·(2·sigma)²)).
    """
    return oks(predicted, truth, mask, area.sqrt(), sigmas)


def coordinates_averaged(predicted: Tensor, truth: Tensor, mask: Tensor, area: Tensor, sigmas: Tensor) -> Tensor:
    """The exponent is half of what it should be: x and y were averaged, not added, or one 2 was squared too much.

    d² = Δx² + Δy², and below it stands 2·area·(2·sigma)²: the Gaussian's own 2 is not squared.
    """
    return oks(predicted, truth, mask, 2 * area, sigmas)


def all_counted(predicted: Tensor, truth: Tensor, mask: Tensor, area: Tensor, sigmas: Tensor) -> Tensor:
    """The mask was not used: keypoints without a label count as well, and their truth is no place.

    Half of a person behind a wall then costs half of the score. Add and count only where the mask is true.
    """
    return oks(predicted, truth, torch.ones_like(mask), area, sigmas)


def divided_by_all(predicted: Tensor, truth: Tensor, mask: Tensor, area: Tensor, sigmas: Tensor) -> Tensor:
    """The sum is over labelled keypoints and the divisor over all K: a perfect answer has less than 1.

    Divide by how many are labelled, `mask.sum(-1)`.
    """
    return oks(predicted, truth, mask, area, sigmas).nan_to_num() * mask.sum(-1) / mask.shape[-1]


def everybody_averaged(predicted: Tensor, truth: Tensor, mask: Tensor, area: Tensor, sigmas: Tensor) -> Tensor:
    """This is one number for all people together, and OKS is one a person: AP asks for whom it is above a threshold.

    Sum along the last axis only, `dim=-1`.
    """
    return _alike(predicted, truth, area, sigmas)[mask].mean()


def similarity_of_the_mean(predicted: Tensor, truth: Tensor, mask: Tensor, area: Tensor, sigmas: Tensor) -> Tensor:
    """The exponential was taken of the mean, not the mean of the exponentials.

    One keypoint far away then pulls the whole person to 0, while in OKS it costs its own share and no more. First
    one similarity a keypoint, then their mean.
    """
    exponents = (predicted - truth).square().sum(-1) / (8 * sigmas**2 * area[..., None])
    return torch.exp(-_mean(exponents.nan_to_num(torch.inf), mask))


def nan_spreads(predicted: Tensor, truth: Tensor, mask: Tensor, area: Tensor, sigmas: Tensor) -> Tensor:
    """One keypoint that was not found, NaN, makes the whole person NaN. It is a miss, worth 0.

    NaN stays NaN through every sum, also through one over the mask. Replace it where the similarities are made:
    `.nan_to_num(0)`.
    """
    return _mean(_raw(predicted, truth, area, sigmas), mask)


def miss_left_out(predicted: Tensor, truth: Tensor, mask: Tensor, area: Tensor, sigmas: Tensor) -> Tensor:
    """A keypoint that was not found, NaN, is left out of the count as well as of the sum.

    So whoever keeps silent where it is hard gets a better score. What is labelled was asked for: a miss is worth 0
    and counts. Only the mask decides the divisor, `mask.sum(-1)`.
    """
    return oks(predicted, truth, mask & ~predicted.isnan().any(-1), area, sigmas)


def miss_in_the_corner(predicted: Tensor, truth: Tensor, mask: Tensor, area: Tensor, sigmas: Tensor) -> Tensor:
    """A prediction that is NaN was taken for the place (0, 0), and somebody stands near that corner.

    A miss is no guess. Replace the NaN in the similarity, `torch.exp(…).nan_to_num(0)`, not in the points.
    """
    return oks(predicted.nan_to_num(0), truth, mask, area, sigmas)


def miss_is_perfect(predicted: Tensor, truth: Tensor, mask: Tensor, area: Tensor, sigmas: Tensor) -> Tensor:
    """A keypoint that was not found, NaN, is worth 1: its distance became 0, and e⁰ is a perfect answer.

    Replace the NaN after the exponential, not before: `torch.exp(…).nan_to_num(0)`.
    """
    return oks(torch.where(predicted.isnan(), truth, predicted), truth, mask, area, sigmas)


def nobody_is_zero(predicted: Tensor, truth: Tensor, mask: Tensor, area: Tensor, sigmas: Tensor) -> Tensor:
    """A person without any label has the score 0 here, as if all had been wrong; nothing was asked, so it is NaN.

    COCO leaves such people out of the count. A 0 would pull every mean down; 0 / 0 says what is true.
    """
    return oks(predicted, truth, mask, area, sigmas).nan_to_num(0)


def mask_in_the_count_only(predicted: Tensor, truth: Tensor, mask: Tensor, area: Tensor, sigmas: Tensor) -> Tensor:
    """The divisor counts labelled keypoints, and the sum is over all of them: similarities can exceed 1.

    What is predicted where nothing is labelled is neither right nor wrong. Choose before the sum as well:
    `torch.where(mask, alike, 0).sum(-1)`.
    """
    return _alike(predicted, truth, area, sigmas).sum(-1) / mask.sum(-1)


def area_squared(predicted: Tensor, truth: Tensor, mask: Tensor, area: Tensor, sigmas: Tensor) -> Tensor:
    """The area is squared, and it is a square already: the person's scale is s = √area, and s² = area.

    d² is in square pixels, as the area is, so that their quotient has no unit: `2 * area[:, None] * (2 * sigmas) ** 2`.
    """
    return oks(predicted, truth, mask, area**2, sigmas)


def mean_without_misses(predicted: Tensor, truth: Tensor, mask: Tensor, area: Tensor, sigmas: Tensor) -> Tensor:
    """The exponential was taken of the mean, and a keypoint that was not found added 0 to it, as if it were exact.

    First one similarity a keypoint, then their mean. And replace NaN in the similarity, where 0 is a miss, not in the
    exponent, where 0 is perfect: `torch.exp(…).nan_to_num(0)`.
    """
    exponents = (predicted - truth).square().sum(-1) / (8 * sigmas**2 * area[..., None])
    return torch.exp(-_mean(exponents.nan_to_num(0), mask))


def _raw(predicted: Tensor, truth: Tensor, area: Tensor, sigmas: Tensor) -> Tensor:
    """Return each keypoint's similarity, NaN where the prediction is."""
    return torch.exp(-(predicted - truth).square().sum(-1) / (8 * sigmas**2 * area[..., None]))


def _alike(predicted: Tensor, truth: Tensor, area: Tensor, sigmas: Tensor) -> Tensor:
    return _raw(predicted, truth, area, sigmas).nan_to_num(0)


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over what is labelled, NaN where nothing is."""
    return torch.where(mask, values, 0).sum(-1) / mask.sum(-1)


COALS = [
    area_missing,
    one_sigma,
    half_missing,
    sigma_not_squared,
    brackets_missing,
    sigma_above_the_line,
    minus_missing,
    distance_not_squared,
    root_of_the_area,
    coordinates_averaged,
    all_counted,
    divided_by_all,
    everybody_averaged,
    similarity_of_the_mean,
    nan_spreads,
    miss_left_out,
    miss_in_the_corner,
    miss_is_perfect,
    nobody_is_zero,
    mask_in_the_count_only,
    area_squared,
    mean_without_misses,
]
