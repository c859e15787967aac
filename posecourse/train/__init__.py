"""Training: the one loop, its learning curves, its checkpoints.

    network = models.build("heatmap", generator=seeding.generator(0))
    history = train.fit(network, data, generator=seeding.generator(1))
    print(train.evaluate(network, held_out).pck(0.1))

`Run` is what `fit` moves on step by step: take it in hand to do something else between the steps.
"""

from posecourse.machine import choose_device
from posecourse.train.augmentation import Augment
from posecourse.train.backbones import backbone_notes, load_backbone, save_backbone
from posecourse.train.checkpoints import (
    CheckpointMismatchError,
    load_checkpoint,
    load_network,
    network_notes,
    save_checkpoint,
    save_network,
)
from posecourse.train.config import TrainConfig
from posecourse.train.crowds import crowd_results
from posecourse.train.data import Images
from posecourse.train.evaluation import Evaluation, evaluate
from posecourse.train.files import CheckpointError
from posecourse.train.history import History, Validation
from posecourse.train.loop import fit
from posecourse.train.ranks import Ranks, current_ranks, together
from posecourse.train.run import Augmentation, Loss, Run
from posecourse.train.schedule import one_cycle

__all__ = [
    # the loop
    "fit", "TrainConfig", "History", "Validation", "Run", "Images", "Loss", "choose_device", "one_cycle",
    # several processes, one training
    "together", "current_ranks", "Ranks",
    # more pictures from the same ones
    "Augment", "Augmentation",
    # how good it is
    "evaluate", "Evaluation", "crowd_results",
    # files
    "save_checkpoint", "load_checkpoint", "save_network", "load_network", "network_notes",
    "CheckpointError", "CheckpointMismatchError",
    "save_backbone", "load_backbone", "backbone_notes",
]  # fmt: skip
