"""Several processes, one training: each takes its share of every batch, and all take the same step.

    torchrun --nproc-per-node 4 -m posecourse train …

Source: Li et al. 2020 (PyTorch's DistributedDataParallel), which averages the gradients of all processes.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from posecourse import seeding

__all__ = ["Ranks", "current_ranks", "together"]


class Ranks:
    """Which process this is, of how many; alone, every method returns what it is given.

    Args:
        rank: of this process, from 0; the first one writes and speaks.
        world: how many there are.
    """

    def __init__(self, rank: int = 0, world: int = 1) -> None:
        self.rank, self.world = rank, world

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes and speaks."""
        return self.rank == 0

    def joined(self, model: nn.Module) -> nn.Module:
        """Return a model whose gradients are the mean over all processes; it begins with the first one's weights."""
        return model if self.world == 1 else DistributedDataParallel(model)

    def share(self, indices: Tensor) -> Tensor:
        """Return which images of a batch (B) are this process's.

        Raises:
            ValueError: there are fewer images than processes.
        """
        if len(indices) < self.world:
            raise ValueError(f"{self.world} processes cannot share a batch of {len(indices)}: give a larger one.")
        return indices[self.rank :: self.world]

    def own(self, generator: torch.Generator) -> torch.Generator:
        """Return a generator for what differs between processes, such as the augmentation; all draw one number."""
        if self.world == 1:
            return generator
        seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
        return seeding.generator(seed + self.rank, generator.device)

    def weighed(self, loss: Tensor, count: Tensor) -> Tensor:
        """Return a mean over `count` keypoints, so weighed that its mean over processes is that over all keypoints."""
        if self.world == 1:
            return loss
        everywhere = count.to(loss.dtype)
        distributed.all_reduce(everywhere)
        return loss * (count * self.world / everywhere.clamp(min=1))

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean of a number over all processes, without a gradient."""
        value = value.detach()
        if self.world > 1:
            value = value.clone()
            distributed.all_reduce(value)
            value /= self.world
        return value


def current_ranks() -> Ranks:
    """Return which process this is, as `together` has set up."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return Ranks()
    return Ranks(distributed.get_rank(), distributed.get_world_size())


@contextmanager
def together(device: torch.device | str | None = None) -> Iterator[torch.device | str | None]:
    """Join the processes that `torchrun` has started, and yield the device of this one; alone, yield what is given.

    Args:
        device: "cpu" to train there although there are GPUs; by default every process has its own GPU where there is
            one for each.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield device
        return
    place = int(os.environ["LOCAL_RANK"])
    on_gpu = device is None and torch.cuda.device_count() > place
    mine = torch.device("cuda", place) if on_gpu else torch.device(device or "cpu")
    if on_gpu:
        torch.cuda.set_device(mine)
    distributed.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield mine
        distributed.barrier()  # the first one may still be writing
    finally:
        distributed.destroy_process_group()
