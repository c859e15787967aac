"""A training run at one moment: everything that the next step depends on."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from posecourse import seeding
from posecourse.losses import masked_mean
from posecourse.samples import Sample
from posecourse.train.config import TrainConfig
from posecourse.train.data import Images, fetch, shuffled
from posecourse.train.history import History
from posecourse.train.ranks import Ranks, current_ranks
from posecourse.train.schedule import one_cycle

__all__ = ["Augmentation", "Loss", "Run"]

Loss: TypeAlias = Callable[[Any, Sample], Tensor]
"""What is minimised: (the network's answer, the batch) to one number a keypoint (B K), or to a single number."""

Augmentation: TypeAlias = Callable[[Sample, torch.Generator], Sample]
"""What is done to a batch before it is learnt from."""


@dataclass
class Run:
    """A model in training. `advance` takes one step; between two steps a run can be saved and taken up again.

    Args:
        model: what is trained, on its device.
        config: how.
        generator: decides the order of the images, the augmentation and the dropout.
        images: how many images there are to train on.
        step: how many steps were taken.
        history: of those.
        order: the images of the epoch under way, as they will be seen.
        ranks: which process this is, where several train together; the others hold a run that is the same.
    """

    model: nn.Module
    config: TrainConfig
    generator: torch.Generator
    images: int
    step: int = 0
    history: History = field(default_factory=History)
    order: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.long))
    optimizer: torch.optim.Optimizer = field(init=False)
    ranks: Ranks = field(default_factory=current_ranks)

    def __post_init__(self) -> None:
        if self.config.channels_last:
            self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            trained,
            lr=self.config.learning_rate,
            betas=(0.9, self.config.square_memory),
            weight_decay=self.config.weight_decay,
        )
        self._losses: list[Tensor] = []
        self._joined = self.ranks.joined(self.model)

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches in an epoch, or one smaller one where the images do not fill it."""
        return max(1, self.images // self.config.batch_size)

    @property
    def steps(self) -> int:
        """How many steps the whole run has."""
        return self.config.steps or self.config.epochs * self.steps_per_epoch

    @property
    def is_done(self) -> bool:
        """Whether all steps were taken."""
        return self.step >= self.steps

    @property
    def ends_epoch(self) -> bool:
        """Whether the last step finished an epoch, or the run."""
        return self.step % self.steps_per_epoch == 0 or self.is_done

    def advance(self, data: Images, loss: Loss, augment: Augmentation | None = None) -> None:
        """Take one step: a batch, its loss, the gradient, new weights."""
        with self.history.clock("data"):
            batch = self._next_batch(data, augment)
        with self.history.clock("training"):
            rate = self.config.learning_rate * one_cycle(self.step, self.steps, self.config.warmup)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            value = self._mean_loss(batch, loss)
            self.optimizer.zero_grad()
            value.backward()
            self.optimizer.step()
        self._losses.append(self.ranks.mean(value))
        self.history.learning_rate.append(rate)
        self.step += 1

    def settle(self) -> None:
        """Bring the losses of the last steps from the device into the history: now and then, since it waits for it.

        Raises:
            FloatingPointError: a loss is not finite.
        """
        values = torch.stack(self._losses).tolist() if self._losses else []
        self._losses.clear()
        self.history.loss += values
        for before, value in enumerate(reversed(values)):
            if not abs(value) < float("inf"):
                raise FloatingPointError(
                    f"the loss of step {self.step - before} is {value}. "
                    "Lower the learning rate, or look for NaN in the data."
                )

    def _next_batch(self, data: Images, augment: Augmentation | None) -> Sample:
        place = self.step % self.steps_per_epoch
        if place == 0:
            self.order = shuffled(self.images, self.generator)
        chosen = self.order[place * self.config.batch_size : (place + 1) * self.config.batch_size]
        batch = fetch(data, self.ranks.share(chosen))
        if augment is not None:
            batch = augment(batch, self.ranks.own(self.generator))
        return batch.to(_device(self.model))

    def _mean_loss(self, batch: Sample, loss: Loss) -> Tensor:
        layout = torch.channels_last if self.config.channels_last else torch.contiguous_format
        images = batch.images.to(memory_format=layout)
        # Dropout draws from torch's global generators: they follow ours for the length of this step.
        with seeding.fork(self.ranks.own(self.generator)), _autocast(self.config, images.device):
            answer = self._joined(images)
        value = loss(answer, batch)
        if not value.ndim:
            return value
        return self.ranks.weighed(masked_mean(value, batch.labelled), batch.labelled.sum())


def _device(model: nn.Module) -> torch.device:
    return next(model.parameters()).device


def _autocast(config: TrainConfig, device: torch.device) -> AbstractContextManager[object]:
    """Return the context in which convolutions run in bfloat16, or one that does nothing."""
    wanted = config.precision == "bfloat16"
    if config.precision == "auto":
        wanted = device.type == "cuda" and torch.cuda.is_bf16_supported()
    return torch.autocast(device.type, dtype=torch.bfloat16) if wanted else nullcontext()
