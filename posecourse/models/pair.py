"""Two heads on one backbone: two opinions for the price of little more than one."""

from typing import Any, NamedTuple

from jaxtyping import Float
from torch import Tensor

from posecourse.models.head import Head, Reading
from posecourse.samples import Sample
from posecourse.shapes import require_positive

__all__ = ["PairAnswer", "PairHead"]


class PairAnswer(NamedTuple):
    """What two heads say of the same features.

    Args:
        features: (B C h w) from the backbone.
        first: the first head's answer.
        second: the second one's.
    """

    features: Float[Tensor, "B C h w"]
    first: Any
    second: Any


class PairHead(Head[PairAnswer]):
    """Any two heads, trained together. `read` is the first one's: `head.second.read(answer.second)` is the other.

    They share the backbone, so what it overlooks both overlook: do not take their errors for independent.

    Args:
        first: a head.
        second: another, of the same keypoints and stride.
        weight: of the second one's loss beside the first one's.

    Raises:
        ValueError: the two disagree on the keypoints or the stride.

    Lesson: 06.
    """

    def __init__(self, first: Head[Any], second: Head[Any], weight: float = 1.0) -> None:
        if (first.keypoints, first.stride) != (second.keypoints, second.stride):
            raise ValueError(
                "both heads must have one number of keypoints and one stride; got "
                f"{first.keypoints} and {second.keypoints} keypoints, strides {first.stride} and {second.stride}."
            )
        super().__init__(first.keypoints, first.stride)
        require_positive(weight, "weight")
        self.first, self.second, self.weight = first, second, weight

    def forward(self, features: Float[Tensor, "B C h w"]) -> PairAnswer:
        """Return both answers."""
        return PairAnswer(features, self.first(features), self.second(features))

    def read(self, answer: PairAnswer) -> Reading:
        """Return what the first head says."""
        return self.first.read(answer.first)

    def loss(self, answer: PairAnswer, sample: Sample) -> Float[Tensor, "B K"]:
        """Return the first head's loss plus `weight` times the second one's."""
        return self.first.loss(answer.first, sample) + self.weight * self.second.loss(answer.second, sample)

    def extra_repr(self) -> str:
        """Return the settings that the layers do not show."""
        return f"{super().extra_repr()}, weight={self.weight}"
