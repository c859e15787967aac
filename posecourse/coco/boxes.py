"""COCO files that say where to look and not what is there: a detector's boxes, before there are keypoints."""

from pathlib import Path

from posecourse.coco.annotations import check, read_document
from posecourse.coco.datasets import CocoDataset
from posecourse.coco.errors import CocoError
from posecourse.skeletons import Skeleton

__all__ = ["load_boxes"]


def load_boxes(annotations: Path | str, images: Path | str, skeleton: Skeleton, category: str | int) -> CocoDataset:
    """Open the boxes of a COCO file as a data set in which nothing is labelled.

    Args:
        annotations: the JSON file: images, categories, and annotations with image_id, category_id and bbox.
        images: the folder of its pictures.
        skeleton: the K keypoints that are to be found.
        category: name or id of what is in the boxes.

    Raises:
        CocoError: the JSON is broken, there is no such category, or the folder is missing.
    """
    path, folder = Path(annotations), Path(images)
    if not folder.is_dir():
        raise CocoError(folder, "there is no such folder. Give the one in which the pictures are.")
    said = read_document(path)
    for record in said.get("annotations") or ():
        if isinstance(record, dict):
            record["keypoints"] = [0] * 3 * len(skeleton)
    for record in said.get("categories") or ():
        if isinstance(record, dict):
            record["keypoints"] = list(skeleton.names)
    return CocoDataset(check(path, said, category, skeleton), folder)
