"""What a training run is asked for; the defaults are the lesson's run."""

from dataclasses import dataclass
from typing import Literal

from posecourse.shapes import require_count, require_positive

__all__ = ["TrainConfig"]


@dataclass(frozen=True)
class TrainConfig:
    """How long, how fast, in what numbers.

    Args:
        epochs: how often every image is seen.
        steps: how many batches instead, where `epochs` is not what is to be equal between two runs.
        batch_size: images in a batch. Where the data is no multiple of it, some images sit out each epoch.
        learning_rate: of AdamW, at its highest.
        weight_decay: of AdamW, which shrinks every weight by the learning rate times this at each step. PyTorch's
            0.01 takes a twentieth off in a run of a thousand steps at 0.01, and ours two fifths.
        square_memory: AdamW's β₂, the share of the mean squared gradient that it keeps at each step. 0.99 looks back
            over about 100 steps; PyTorch's 0.999 looks back over 1000, which is the lesson's whole run.
        warmup: share of the steps in which the learning rate climbs from 0; it falls to 0 along a cosine after.
        precision: "auto" is bfloat16 on a GPU that has it and float32 elsewhere; parameters are float32 always.
        channels_last: keep channels innermost in memory: a third faster on a CPU, the same numbers up to rounding.
        checkpoint_every: steps between two checkpoints, where there is a file for them.

    Raises:
        ValueError: a number is out of its range.
    """

    epochs: int = 15
    steps: int | None = None
    batch_size: int = 32
    learning_rate: float = 1e-2
    weight_decay: float = 0.1
    square_memory: float = 0.99
    warmup: float = 0.1
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    channels_last: bool = True
    checkpoint_every: int = 200

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "checkpoint_every"):
            require_count(getattr(self, name), name)
        if self.steps is not None:
            require_count(self.steps, "steps")
        require_positive(self.learning_rate, "learning_rate")
        if self.weight_decay < 0:
            raise ValueError(f"weight_decay must not be negative; got {self.weight_decay}.")
        if not 0 <= self.square_memory < 1:
            raise ValueError(f"square_memory must be a share, at least 0 and below 1; got {self.square_memory}.")
        if not 0 <= self.warmup < 1:
            raise ValueError(f"warmup must be a share of the steps, at least 0 and below 1; got {self.warmup}.")
