"""`posecourse train`, `evaluate` and `predict`: one's own data from the command line."""

import argparse
import re
import sys
from typing import Any

__all__ = ["COMMANDS", "add_commands", "run"]

COMMANDS = ("train", "evaluate", "predict")

_LABELS = "a COCO-keypoints JSON file"
_CATEGORY = "what to find; by default the file's only category with keypoints"
_CHANGES = {
    "mirror": (0.5, "probability of a mirror image, in which sides change places"),
    "degrees": (20.0, "largest turn; give 180 where the camera looks down"),
    "scale": (0.25, "largest relative change of size"),
    "shift": (0.1, "largest move, as a share of the picture"),
    "colour": (0.3, "largest relative change of brightness, contrast and saturation"),
}


def add_commands(commands: Any) -> None:
    """Add the three commands to a parser's; nothing of torch is imported for it."""
    _add_train(commands.add_parser("train", help="train a network on labelled pictures, and score it on some of them"))
    evaluate = commands.add_parser("evaluate", help="score a network on labelled pictures that it did not see")
    evaluate.add_argument("run", help="the folder that train wrote")
    evaluate.add_argument("labels", help=_LABELS)
    evaluate.add_argument("pictures", help="the folder of its pictures")
    evaluate.add_argument("--out", help="a folder for results.json, scores.json and predictions.png")
    evaluate.add_argument("--category", help=_CATEGORY)
    predict = commands.add_parser("predict", help="find keypoints in pictures: a table, COCO's form, a sheet to see")
    predict.add_argument("run", help="the folder that train wrote")
    predict.add_argument("pictures", help="a folder of pictures, or one picture")
    predict.add_argument("out", help="the folder to write to")
    predict.add_argument("--boxes", help="a COCO file with boxes, for a network that looks at crops")
    for parser in (evaluate, predict):
        _add_device(parser)


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("labels", help=_LABELS)
    parser.add_argument("pictures", help="the folder of its pictures")
    parser.add_argument("run", help="the folder to write to; the same command goes on where it was stopped")
    parser.add_argument("--category", help=_CATEGORY)
    parser.add_argument("--view", choices=("frames", "crops"), help="whole pictures with one each, or a crop for each")
    parser.add_argument("--size", type=_size, metavar="HxW", help="of what the network sees, in pixels")
    parser.add_argument("--margin", type=float, default=1.25, help="how much larger than its box a crop is")
    parser.add_argument("--held-out", type=float, default=0.1, metavar="SHARE", help="of the pictures, to score on")
    parser.add_argument("--head", default="heatmap", help="pooled, grid, integral, offset, heatmap or visibility")
    parser.add_argument("--width", type=int, default=16, help="of the backbone; 16 is about 200 000 parameters")
    parser.add_argument("--steps", type=int, default=1200, help="batches to learn from")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=1e-2)
    parser.add_argument("--checkpoint-every", type=int, default=100, metavar="STEPS", help="how often all is saved")
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto")
    for name, (default, what) in _CHANGES.items():
        parser.add_argument(f"--{name}", type=float, default=default, help=f"{what} (default {default:g})")
    parser.add_argument("--seed", type=int, default=0, help="of the weights, the order and the augmentation")
    _add_device(parser)


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", help="cpu, cuda, mps; by default the fastest there is")


def _size(text: str) -> tuple[int, int]:
    """Return (H, W) of "192x256"."""
    match = re.fullmatch(r"(\d+)[x×](\d+)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"must be height x width, such as 192x256; got {text!r}")
    return int(match[1]), int(match[2])


def run(asked: argparse.Namespace) -> int:
    """Do what is asked and return the exit status; what a user can mend is said in a line, without a traceback."""
    from posecourse.train import CheckpointError

    do = {"train": _train, "evaluate": _evaluate, "predict": _predict}[asked.command]
    try:
        do(asked)
    except KeyboardInterrupt:
        print("\nStopped. All is saved: the same command goes on from here.", file=sys.stderr)
        return 130
    except (ValueError, FloatingPointError, OSError, CheckpointError) as error:
        print(f"✗ {error}", file=sys.stderr)
        return 2
    return 0


def _train(asked: argparse.Namespace) -> None:
    from posecourse import practice, train

    plan = practice.Plan(
        head=asked.head,
        width=asked.width,
        view=asked.view,
        size=asked.size,
        margin=asked.margin,
        config=train.TrainConfig(
            steps=asked.steps,
            batch_size=asked.batch_size,
            learning_rate=asked.learning_rate,
            precision=asked.precision,
            checkpoint_every=asked.checkpoint_every,
        ),
        augment=train.Augment(**{name: getattr(asked, name) for name in _CHANGES}),
        seed=asked.seed,
    )
    with train.together(asked.device) as device:
        scores = practice.train(
            asked.labels,
            asked.pictures,
            asked.run,
            plan,
            category=_category(asked.category),
            held_out=asked.held_out,
            device=device,
        )
        if not train.current_ranks().first:
            return
    print(f"{scores}\n" if scores else "", end="")
    print(f"Written to {asked.run}: network.safetensors, curves.png{', predictions.png' if scores else ''}.")


def _evaluate(asked: argparse.Namespace) -> None:
    from posecourse import practice

    category = _category(asked.category)
    print(practice.evaluate(asked.run, asked.labels, asked.pictures, asked.out, category=category, device=asked.device))


def _predict(asked: argparse.Namespace) -> None:
    from posecourse import practice

    count = practice.predict(asked.run, asked.pictures, asked.out, boxes=asked.boxes, device=asked.device)
    print(f"{count} looked at. Written to {asked.out}: keypoints.csv, results.json, predictions.png.")


def _category(said: str | None) -> str | int | None:
    """Return a category's id where a number is given."""
    return int(said) if said is not None and said.isdigit() else said
