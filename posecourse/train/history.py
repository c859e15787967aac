"""What a run leaves behind beside the weights: its learning curves and what it cost."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["History", "Validation"]


@dataclass(frozen=True)
class Validation:
    """How good the network was at the end of an epoch, on images that it is not trained on.

    Args:
        step: after how many steps.
        error_px: mean distance over the visible keypoints, in pixels.
        pck: share of the visible keypoints within a tenth of the longer side of the person's box.
    """

    step: int
    error_px: float
    pck: float


@dataclass
class History:
    """Learning curves, and CPU seconds by what they were spent on (all threads together; wall time is another thing).

    Args:
        loss: of every step's batch.
        learning_rate: of every step.
        validation: one an epoch, where there are images to validate on.
        data_seconds: fetching and augmenting batches.
        training_seconds: forward, backward, and the optimizer's step.
        validation_seconds: predicting and scoring.
    """

    loss: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    validation: list[Validation] = field(default_factory=list)
    data_seconds: float = 0.0
    training_seconds: float = 0.0
    validation_seconds: float = 0.0

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return len(self.learning_rate)

    @contextmanager
    def clock(self, name: str) -> Iterator[None]:
        """Add the CPU seconds of what runs inside to `name`: "data", "training" or "validation"."""
        start = time.process_time()
        try:
            yield
        finally:
            field_name = f"{name}_seconds"
            setattr(self, field_name, getattr(self, field_name) + time.process_time() - start)

    def to_json(self) -> dict[str, Any]:
        """Return the history as numbers, lists and dictionaries."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "History":
        """Return the history that `to_json` wrote."""
        return cls(**{**values, "validation": [Validation(**entry) for entry in values["validation"]]})
