"""From labelled pictures to a network in a folder."""

from collections.abc import Callable
from pathlib import Path

import torch

from posecourse import coco, models, seeding
from posecourse.coco import CocoDataset
from posecourse.practice import folder
from posecourse.practice.plan import Plan
from posecourse.practice.scoring import Scores, score
from posecourse.practice.sheets import curves
from posecourse.practice.views import View, fitting_view, opened, parted
from posecourse.train import History, Images, current_ranks, fit

__all__ = ["train"]


def train(
    annotations: Path | str,
    images: Path | str,
    run: Path | str,
    plan: Plan | None = None,
    *,
    category: str | int | None = None,
    held_out: float = 0.1,
    device: torch.device | str | None = None,
    progress: bool | None = None,
    say: Callable[[str], None] = print,
) -> Scores | None:
    """Train a network on a COCO-keypoints data set of any skeleton, and score it on pictures that it did not see.

    RUN gets network.safetensors, which is all that prediction needs; run.safetensors, from which the same call goes
    on where it was stopped, bit for bit; curves.png; and, of the held-out pictures, results.json (COCO), scores.json
    and predictions.png. Ctrl-C waits for the end of a step and leaves the network as it is then.

    Args:
        annotations: the JSON file.
        images: the folder of its pictures.
        run: the folder, made if need be.
        plan: the network and its training.
        category: name or id; None takes the only one with keypoints.
        held_out: share of the pictures to score on and not to learn from, drawn one by one; 0 scores nothing. Frames
            of one film resemble their neighbours, so this flatters: `evaluate` on another film does not.
        device: where to train; by default the fastest there is.
        progress: whether to show one line that says how far it is; by default only where somebody watches.
        say: takes each line of what there is to tell.

    Returns:
        The scores on the held-out pictures, None without any, and in all processes but the first.

    Raises:
        CocoError: the data set is broken, or a part of it is empty.
        CheckpointMismatchError: RUN holds another run.
        FloatingPointError: the loss became NaN or infinite.
        KeyboardInterrupt: after Ctrl-C, when everything is saved.
    """
    plan, place = plan or Plan(), Path(run)
    dataset = coco.load(annotations, images, category=category)
    view = fitting_view(dataset, plan.view, plan.size, plan.margin)
    learnt, kept = parted(dataset, held_out, seeding.generator(plan.seed))
    data, validation = opened(view.of(learnt)), None if kept is None else opened(view.of(kept))
    first = current_ranks().first
    if first:
        say(_what(dataset, view, len(data), 0 if validation is None else len(validation)))
    built = seeding.generator(plan.seed)
    network = models.build(plan.head, view.size, len(dataset.skeleton), plan.width, generator=built)
    trained = folder.Trained(network, view, dataset.skeleton, dataset.annotations.category["name"])
    try:
        history = _fit(trained, data, validation, plan, place, device, progress)
    except KeyboardInterrupt:
        if first:
            folder.save(place, trained)
        raise
    if not first:
        return None
    folder.save(place, trained)
    (place / folder.CURVES).write_bytes(curves(history))
    return None if kept is None else score(trained, kept, place)


def _fit(
    trained: folder.Trained,
    data: Images,
    validation: Images | None,
    plan: Plan,
    place: Path,
    device: torch.device | str | None,
    progress: bool | None,
) -> History:
    """Train, from the checkpoint if there is one."""
    return fit(
        trained.network,
        data,
        config=plan.config,
        generator=seeding.generator(plan.seed + 1),
        validation=validation,
        augment=plan.augment,
        checkpoint=place / folder.CHECKPOINT,
        device=device,
        progress=progress,
    )


def _what(dataset: CocoDataset, view: View, learnt: int, kept: int) -> str:
    """Say what there is to learn from."""
    H, W = view.size
    looks = f"whole pictures as {W} × {H}" if view.name == "frames" else f"crops of {W} × {H}"
    return (
        f"{dataset.annotations.category['name']}: {len(dataset.skeleton)} keypoints, "
        f"{learnt} to learn from, {kept} held out · {looks}"
    )
