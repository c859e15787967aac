"""From a folder of pictures that nobody labelled to keypoints in a table, in COCO's form, and in a picture."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from posecourse import coco, transforms
from posecourse.coco import CocoError
from posecourse.coco.pictures import read_picture
from posecourse.practice import folder
from posecourse.practice.folder import Trained
from posecourse.practice.found import Found, find
from posecourse.practice.sheets import sheet
from posecourse.samples import Sample

__all__ = ["predict"]

_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


def predict(
    run: Path | str,
    images: Path | str,
    out: Path | str,
    *,
    boxes: Path | str | None = None,
    device: torch.device | str | None = None,
) -> int:
    """Find keypoints in pictures, and write them down.

    OUT gets keypoints.csv (a line a keypoint: picture, which in it, name, x, y in pixels of the picture with pixel
    centres at whole numbers, score), results.json (COCO's results) and predictions.png.

    Args:
        run: the folder that `train` wrote, or its network.safetensors.
        images: a folder of pictures, or one picture. A picture's number is its place among their sorted names, from 1.
        out: the folder to write to, made if need be.
        boxes: a COCO file whose annotations have the boxes to look into, and whose images have the numbers. A network
            that was trained on crops needs it.
        device: where to predict; by default the fastest there is.

    Returns:
        How many people or animals were looked at.

    Raises:
        FileNotFoundError, CheckpointError: there is no network, or a damaged one.
        CocoError: no picture, a broken one, boxes where they make no sense, or none where the network needs them.
    """
    trained, target = folder.open_network(run, device), Path(out)
    views, names = _views(trained, Path(images), boxes)
    found = find(trained.network, views)
    target.mkdir(parents=True, exist_ok=True)
    _write_table(target / folder.TABLE, names, found, trained.skeleton.names)
    text = json.dumps(found.results(1), indent=1, allow_nan=False)
    (target / folder.RESULTS).write_text(text + "\n", encoding="utf-8")
    (target / folder.SHEET).write_bytes(sheet(found))
    return len(found.views)


def _views(trained: Trained, images: Path, boxes: Path | str | None) -> tuple[Sequence, Mapping[int, str]]:
    """Return what the network is to look at, and the pictures' names by their numbers."""
    view = trained.view
    if view.name == "frames":
        if boxes is not None:
            raise CocoError(Path(boxes), "this network looks at whole pictures. Leave the boxes out.")
        frames = _Frames(_pictures(images), trained)
        return frames, {number: path.name for number, path in enumerate(frames.paths, start=1)}
    if boxes is None:
        raise CocoError(images, "this network looks at crops: give a COCO file with the boxes, --boxes FILE.")
    dataset = coco.load_boxes(boxes, images, trained.skeleton, trained.category)
    names = {picture.id: picture.file_name for picture in dataset.annotations.pictures}
    return dataset.crops(view.size, margin=view.margin, min_keypoints=0), names


def _pictures(images: Path) -> tuple[Path, ...]:
    """Return the picture, or those in the folder in the order of their names."""
    if images.is_file():
        return (images,)
    found = tuple(sorted(path for path in images.glob("*") if path.suffix.lower() in _PICTURES))
    if not found:
        raise CocoError(images, f"there is no picture. Give one, or a folder with some ({', '.join(_PICTURES)}).")
    return found


@dataclass(frozen=True)
class _Frames(Sequence):
    """Whole pictures that nobody labelled, as the network sees them; each is read when it is asked for."""

    paths: tuple[Path, ...]
    trained: Trained

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        image = read_picture(self.paths[index], None)
        H, W = image.shape[-2:]
        K = len(self.trained.skeleton)
        sample = Sample(
            images=image,
            keypoints=torch.zeros(1, K, 2),
            visibility=torch.zeros(1, K, dtype=torch.uint8),
            boxes=torch.tensor([[-0.5, -0.5, W, H]]),
            areas=torch.tensor([float(H * W)]),
            skeleton=self.trained.skeleton,
            image_ids=torch.tensor([index + 1]),
            to_source=torch.eye(3)[None],
        )
        return transforms.fit_sample(sample, self.trained.view.size)


def _write_table(path: Path, names: Mapping[int, str], found: Found, keypoints: Sequence[str]) -> None:
    """Write a line a keypoint."""
    assert found.views.image_ids is not None  # both kinds of views have them
    seen: dict[int, int] = {}
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["picture", "which", "keypoint", "x", "y", "score"])
        rows = zip(found.views.image_ids.tolist(), found.in_pictures_px.tolist(), found.scores.tolist(), strict=True)
        for number, points, scores in rows:
            seen[number] = seen.get(number, 0) + 1
            for name, (x, y), score in zip(keypoints, points, scores, strict=True):
                table.writerow([names[number], seen[number], name, f"{x:.2f}", f"{y:.2f}", f"{score:.3f}"])
