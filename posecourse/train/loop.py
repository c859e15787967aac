"""The one training loop of the course."""

from pathlib import Path

import torch
from torch import nn

from posecourse import machine
from posecourse.models import evaluating
from posecourse.shapes import Estimator
from posecourse.train.checkpoints import load_checkpoint, save_checkpoint
from posecourse.train.config import TrainConfig
from posecourse.train.data import Images, require_images
from posecourse.train.evaluation import evaluate
from posecourse.train.history import History, Validation
from posecourse.train.interrupts import deferred_interrupt
from posecourse.train.progress import Line
from posecourse.train.run import Augmentation, Loss, Run

__all__ = ["fit"]

_SETTLE = 50  # steps between two looks at the losses


def fit(
    model: nn.Module,
    data: Images,
    loss: Loss | None = None,
    config: TrainConfig | None = None,
    *,
    generator: torch.Generator,
    validation: Images | None = None,
    augment: Augmentation | None = None,
    checkpoint: Path | str | None = None,
    device: torch.device | str | None = None,
    progress: bool | None = None,
) -> History:
    """Train a model in place and return its learning curves.

    The same model, data, config and generator give the same weights, bit for bit on one machine, however often the
    run was killed and started again with one `checkpoint` file. Ctrl-C waits for the end of the step, saves, and
    interrupts; a second one does not wait. Inside `together`, several processes take their shares of each batch, and
    the first one saves, validates and speaks.

    Args:
        model: answers to images (B 3 H W); left in evaluation mode on `device`.
        data: labelled images, indexed in batches. Rendering happens before, or inside of it.
        loss: from the answer and the batch to (B K), averaged over the labelled keypoints, or to a single number;
            by default the one that the network's head knows.
        config: by default the lesson's run.
        generator: decides the order of the images, the augmentation and the dropout.
        validation: images to score the network on after each epoch.
        augment: changes each batch before it is learnt from, for example `Augment()`.
        checkpoint: a file to save the run to and, where it is there already, to take the run up from.
        device: where to train; by default the fastest there is.
        progress: whether to show one line that says how far it is; by default only where somebody watches.

    Raises:
        FloatingPointError: the loss became NaN or infinite; the last checkpoint is from before.
        CheckpointError: the file is damaged, or (CheckpointMismatchError) of another run.

    Lesson: 01, exercise `fit`, which is this without the machinery.
    """
    require_images(data)
    if validation is not None:
        require_images(validation, "validation")
    model.to(torch.device(device) if device is not None else machine.choose_device())
    run = Run(model, config or TrainConfig(), generator, len(data))
    if checkpoint is not None and Path(checkpoint).is_file():
        load_checkpoint(checkpoint, run)
    line = Line(progress if run.ranks.first else False)
    # Of cuDNN's algorithms take those that give the same sums every time.
    with deferred_interrupt() as interrupted, torch.backends.cudnn.flags(enabled=True, deterministic=True):
        try:
            model.train()
            while not run.is_done:
                run.advance(data, loss or _own_loss(model), augment)
                _look(run, model, validation, line)
                stopped = interrupted() and run.ranks.first
                due = run.step % run.config.checkpoint_every == 0 or run.is_done or stopped
                if checkpoint is not None and due and run.ranks.first:
                    save_checkpoint(checkpoint, run)
                if stopped:
                    raise KeyboardInterrupt
        finally:
            model.eval()
            line.close()
    return run.history


def _own_loss(model: nn.Module) -> Loss:
    """Return the loss that the network's head knows."""
    loss: Loss | None = getattr(getattr(model, "head", None), "loss", None)
    if loss is None:
        raise TypeError(f"{type(model).__name__} has no head that knows its loss. Give fit one: loss(answer, sample).")
    return loss


def _look(run: Run, model: nn.Module, validation: Images | None, line: Line) -> None:
    """Take stock after a step: losses into the history now and then, a score at the end of an epoch, a word of it."""
    if run.ends_epoch or run.step % _SETTLE == 0:
        run.settle()
    if run.ends_epoch and validation is not None and run.ranks.first:
        if not isinstance(model, Estimator):
            raise TypeError(f"{type(model).__name__} has no predict(images), which validation needs. Leave it out.")
        with run.history.clock("validation"), evaluating(model):
            scores = evaluate(model, validation)
        run.history.validation.append(Validation(run.step, scores.mean_error_px(), scores.pck()))
    line.update(_words(run), now=run.is_done)


def _words(run: Run) -> str:
    """Say how far a run is."""
    history = run.history
    words = [f"step {run.step} of {run.steps}"]
    if history.loss:
        words.append(f"loss {history.loss[-1]:.4g}")
    if history.validation:
        latest = history.validation[-1]
        words.append(f"PCK@0.1 {latest.pck:.3f}, error {latest.error_px:.2f} px")
    words.append(f"{history.data_seconds + history.training_seconds:.0f} CPU s")
    return " · ".join(words)
