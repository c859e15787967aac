"""Train in several processes: `torchrun … two_processes.py FOLDER`; each writes its report to FOLDER/RANK.json."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from posecourse import models, seeding, train
from posecourse.samples import Sample
from posecourse.skeletons import Skeleton

CONFIG = train.TrainConfig(steps=12, batch_size=6, checkpoint_every=5)


class Plain(nn.Module):
    """A network without batch norm, whose statistics would be those of a share and not of the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3 * 8 * 12, 4).double()

    def forward(self, images: Tensor) -> Tensor:
        """Return keypoints (B 2 2)."""
        return self.layer(images.flatten(1)).unflatten(1, (2, 2))


def data() -> Sample:
    """Return noise images, of whose keypoints a third is labelled: processes have unequal numbers of them."""
    source = seeding.generator(0)
    return Sample(
        images=torch.rand(20, 3, 8, 12, generator=source, dtype=torch.float64),
        keypoints=torch.rand(20, 2, 2, generator=source, dtype=torch.float64) * 8,
        visibility=2 * (torch.rand(20, 2, generator=source) < 1 / 3).to(torch.uint8),
        boxes=torch.tensor([0.5, 1.5, 10.0, 5.0]).repeat(20, 1),
        areas=torch.full((20,), 50.0),
        skeleton=Skeleton(("left_eye", "right_eye")),
    )


def plainly_trained() -> Plain:
    """Train the plain network without any augmentation."""
    with seeding.fork(seeding.generator(3)):
        model = Plain()
    loss = lambda answer, sample: (answer - sample.keypoints).abs().sum(-1)  # noqa: E731
    train.fit(model, data(), loss, CONFIG, generator=seeding.generator(1), device="cpu")
    return model


def trained(checkpoint: Path, dies_after: int | None = None) -> dict[str, Tensor]:
    """Train a network with dropout and augmentation, whose process fails after some steps."""
    sample = data()
    sample = replace(sample, images=sample.images.float(), keypoints=sample.keypoints.float())
    network = models.build(size=(8, 12), keypoints=2, width=2, dropout=0.3, generator=seeding.generator(0))
    steps = []

    def counted(batch: Sample, generator: torch.Generator) -> Sample:
        if len(steps) == dies_after:
            raise RuntimeError("the power fails")
        steps.append(batch.images.sum())
        return train.Augment()(batch, generator)

    train.fit(
        network,
        sample,
        config=CONFIG,
        generator=seeding.generator(1),
        augment=counted,
        checkpoint=checkpoint,
        device="cpu",
    )
    return network.state_dict()


def main(folder: Path) -> None:
    """Train once without a stop, once with one, and write what came of it."""
    with train.together("cpu"):
        rank = train.current_ranks().rank
        weights = plainly_trained().layer.weight.detach()
        whole = trained(folder / "whole")
        try:
            trained(folder / "broken", dies_after=8)
        except RuntimeError:
            broken = True
        torch.distributed.barrier()
        resumed = trained(folder / "broken")
        report = {
            "broken": broken,
            "weights": weights.flatten().tolist(),
            "sums": {name: value.double().sum().item() for name, value in whole.items()},
            "different": [name for name in whole if not torch.equal(whole[name], resumed[name])],
        }
        (folder / f"{rank}.json").write_text(json.dumps(report))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
