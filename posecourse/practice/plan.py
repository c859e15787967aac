"""What a run on one's own data is asked for."""

from dataclasses import dataclass, field

from posecourse.models import HEADS, HeadName
from posecourse.practice.views import ViewName
from posecourse.shapes import Size
from posecourse.train import Augment, TrainConfig

__all__ = ["Plan"]


@dataclass(frozen=True)
class Plan:
    """A network and its training; the defaults are made for a hundred labelled frames.

    Args:
        head: of `models.HEADS`.
        width: of the backbone: 16 makes about 200 000 parameters.
        view: "frames" or "crops"; None decides by the labels.
        size: (H, W) of what the network sees; None lets the view decide.
        margin: how much larger than a box its crop is.
        config: how long, how fast.
        augment: what is done to each batch.
        seed: of the weights, the order and the augmentation.

    Raises:
        ValueError: there is no such head.
    """

    head: HeadName = "heatmap"
    width: int = 16
    view: ViewName | None = None
    size: Size | None = None
    margin: float = 1.25
    config: TrainConfig = field(default_factory=lambda: TrainConfig(steps=1200, batch_size=16))
    augment: Augment = field(default_factory=lambda: Augment(scale=0.25, shift=0.1, colour=0.3))
    seed: int = 0

    def __post_init__(self) -> None:
        if self.head not in HEADS:
            raise ValueError(f"head must be one of {', '.join(HEADS)}, which find one each; got {self.head!r}.")
