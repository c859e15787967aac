"""Broken data: each defect gives one error that names the file, the annotation and the fix, never a wrong sample."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from posecourse import coco
from posecourse.samples import Sample
from posecourse.skeletons import Skeleton

K = 3
NAMES = ["tail", "left_ear", "right_ear"]
Document = dict[str, Any]


def document() -> Document:
    """Return a small valid COCO file: two pictures, 40 wide and 30 high, and three dogs."""
    return {
        "images": [
            {"id": number, "file_name": f"{number}.png", "width": 40, "height": 30} for number in (1, 2)
        ],
        "annotations": [
            {
                "id": number, "image_id": image, "category_id": 7, "bbox": [2.0, 3.0, 20.0, 10.0], "area": 77.5,
                "keypoints": [5, 6, 2, 8, 9, 1, 0, 0, 0], "num_keypoints": 2, "iscrowd": 0,
            }
            for number, image in ((11, 1), (12, 1), (13, 2))
        ],
        "categories": [
            {"id": 7, "name": "dog", "keypoints": NAMES, "skeleton": [[1, 2], [1, 3]]},
            {"id": 9, "name": "cat"},
        ],
    }  # fmt: skip


def write(folder: Path, content: object) -> Path:
    """Write the annotation file and both pictures."""
    for name in ("1.png", "2.png"):
        Image.fromarray(np.full((30, 40, 3), 99, dtype=np.uint8)).save(folder / name)
    path = folder / "dogs.json"
    path.write_text(json.dumps(content))
    return path


def dog(content: Document, **changes: Any) -> None:
    """Change the annotation 12."""
    content["annotations"][1] |= changes


ANNOTATION_DEFECTS: dict[str, tuple[Callable[[Document], object], str]] = {
    "too few numbers": (lambda d: dog(d, keypoints=[1, 2, 2, 3, 4, 2]), "9 numbers in a flat list; got 6"),
    "nested": (lambda d: dog(d, keypoints=[[5, 6, 2]] * 3), r"flat list; got a nested list \(3, 3\)"),
    "ragged": (lambda d: dog(d, keypoints=[[5, 6], [2]]), "flat list of numbers"),
    "words": (lambda d: dog(d, keypoints=["five"] * 9), "flat list of numbers"),
    "none at all": (lambda d: d["annotations"][1].pop("keypoints"), "person_keypoints file, not an instances file"),
    "NaN": (lambda d: dog(d, keypoints=[5, math.nan, 2, 8, 9, 1, 0, 0, 0]), r"keypoint 0 .*not finite"),
    "infinite": (lambda d: dog(d, keypoints=[5, 6, 2, math.inf, 9, 1, 0, 0, 0]), r"keypoint 1 .*not finite"),
    "null": (lambda d: dog(d, keypoints=[5, 6, 2, 8, 9, 1, None, 0, 0]), r"keypoint 2 .*not finite"),
    "right of the picture": (
        lambda d: dog(d, keypoints=[5, 6, 2, 42, 9, 1, 0, 0, 0]),
        "keypoint 1 .*outside.* 40 wide",
    ),
    "above the picture": (lambda d: dog(d, keypoints=[5, -3, 2, 8, 9, 1, 0, 0, 0]), "keypoint 0 .*outside"),
    "(row, column)": (lambda d: dog(d, keypoints=[5, 6, 2, 8, 35, 1, 0, 0, 0]), "keypoint 1 .*30 high"),
    "a score for a visibility": (lambda d: dog(d, keypoints=[5, 6, 0.7, 8, 9, 1, 0, 0, 0]), "visibility 0.7; .*score"),
    "visibility 3": (lambda d: dog(d, keypoints=[5, 6, 3, 8, 9, 1, 0, 0, 0]), "visibility 3; it must be 0"),
    "no box": (lambda d: d["annotations"][1].pop("bbox"), "bbox must be four finite numbers"),
    "three numbers of a box": (lambda d: dog(d, bbox=[1, 2, 3]), "bbox must be four finite numbers"),
    "NaN in the box": (lambda d: dog(d, bbox=[1, 2, math.nan, 4]), "bbox must be four finite numbers"),
    "no width": (lambda d: dog(d, bbox=[1, 2, 0, 4]), "bbox is 0 wide and 4 high; both must be positive"),
    "corners for sizes": (lambda d: dog(d, bbox=[10, 20, -3, 4]), "bbox is -3 wide"),
    "a box elsewhere": (lambda d: dog(d, bbox=[50, 2, 9, 9]), "outside of the image, 40 wide"),
    "negative area": (lambda d: dog(d, area=-1), "area must be a positive number; got -1"),
    "NaN area": (lambda d: dog(d, area=math.nan), "area must be a positive number"),
    "a broken mask": (lambda d: dog(d, area=None, segmentation={"size": [30, 40]}), "segmentation must be polygons"),
    "an odd polygon": (lambda d: dog(d, area=None, segmentation=[[1, 2, 3]]), "segmentation must be polygons"),
    "iscrowd 2": (lambda d: dog(d, iscrowd=2), "iscrowd must be 0 or 1"),
    "an unknown image": (lambda d: dog(d, image_id=99), "belongs to image 99, which the file's images lack"),
    "an image's name for its number": (lambda d: dog(d, image_id="1.png"), "belongs to image '1.png'"),
}


@pytest.mark.parametrize(("spoil", "message"), ANNOTATION_DEFECTS.values(), ids=ANNOTATION_DEFECTS.keys())
def test_a_broken_annotation_is_named(tmp_path: Path, spoil: Callable[[Document], object], message: str) -> None:
    """Does loading stop with the file, the annotation and the fix, and is leaving it out, as offered, a way on?"""
    content = document()
    spoil(content)
    path = write(tmp_path, content)
    with pytest.raises(coco.CocoError, match=message) as caught:
        coco.load(path, tmp_path, category="dog")
    assert str(caught.value).startswith(f"{path}: annotation 12: ")
    assert "load(..., skip=[12])" in str(caught.value)
    assert caught.value.annotation_ids == (12,)
    rest = coco.load(path, tmp_path, category="dog", skip=caught.value.annotation_ids)
    assert [annotation["id"] for annotation in rest.truth()["annotations"]] == [11, 13]


def test_all_broken_annotations_are_told_at_once(tmp_path: Path) -> None:
    """Does one error list every broken annotation, so that nobody repairs a file one run at a time?"""
    content = document()
    for annotation in content["annotations"][:2]:
        annotation["keypoints"] = [1, 2]
    with pytest.raises(coco.CocoError, match=r"annotation 11: .* 1 more are broken: 12") as caught:
        coco.load(write(tmp_path, content), tmp_path, category="dog")
    assert caught.value.annotation_ids == (11, 12)


FILE_DEFECTS: dict[str, tuple[Callable[[Document], object], str]] = {
    "fractions": (
        lambda d: [a.update(keypoints=[0.4, 1.0, 2, 0.5, 0.9, 1, 0, 0, 0]) for a in d["annotations"]], "be fractions"
    ),
    "no images": (lambda d: d["images"].clear(), 'the set is empty: its list "images"'),
    "no annotations": (lambda d: d["annotations"].clear(), 'the set is empty: its list "annotations"'),
    "no dog": (lambda d: [a.update(category_id=9) for a in d["annotations"]], "the set is empty: no annotation"),
    "no list of images": (lambda d: d.pop("images"), 'list of objects called "images"'),
    "annotations not a list": (lambda d: d.update(annotations={"a": 1}), 'list of objects called "annotations"'),
    "unknown category": (lambda d: d["categories"].pop(0), r"no category is called 'dog'; there are 'cat' \(id 9\)"),
    "two of the name": (lambda d: d["categories"][1].update(name="dog"), "2 categories are called 'dog'"),
    "no keypoints": (lambda d: d["categories"][0].pop("keypoints"), "category 'dog' has no keypoints"),
    "names repeat": (lambda d: d["categories"][0].update(keypoints=["a", "a", "b"]), "skeleton of category 'dog'"),
    "limbs from 0": (lambda d: d["categories"][0].update(skeleton=[[0, 1]]), "skeleton of category 'dog'"),
    "limb to nowhere": (lambda d: d["categories"][0].update(skeleton=[[1, 4]]), "skeleton of category 'dog'"),
    "limb of three": (lambda d: d["categories"][0].update(skeleton=[[1, 2, 3]]), "skeleton of category 'dog'"),
    "too few sigmas": (lambda d: d["categories"][0].update(sigmas=[0.1]), "skeleton of category 'dog'"),
    "two images of a number": (lambda d: d["images"][1].update(id=1), 'id 1 stands 2 times in "images"'),
    "two annotations of a number": (
        lambda d: d["annotations"][0].update(id=13), 'id 13 stands 2 times in "annotations"'
    ),
    "no number": (lambda d: d["annotations"][1].pop("id"), r'"annotations"\[1\]: id must be a whole number; got None'),
    "image without number": (lambda d: d["images"][1].update(id="b"), r'"images"\[1\]: id must be a whole number'),
    "no file name": (lambda d: d["images"][1].pop("file_name"), "image 2: file_name must name"),
    "no size": (lambda d: d["images"][1].pop("width"), "image 2: height and width must be"),
    "size 0": (lambda d: d["images"][1].update(height=0), "image 2: height and width must be"),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "message"), FILE_DEFECTS.values(), ids=FILE_DEFECTS.keys())
def test_a_broken_file_is_named(tmp_path: Path, spoil: Callable[[Document], object], message: str) -> None:
    """Does loading stop with the file and what is wrong in it?"""
    content = document()
    spoil(content)
    path = write(tmp_path, content)
    with pytest.raises(coco.CocoError, match=message) as caught:
        coco.load(path, tmp_path, category="dog")
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (lambda whole: whole[: len(whole) // 2], "not a whole JSON file"),
        (lambda whole: b"", "not a whole JSON file"),
        (lambda whole: b"<html>404</html>", "not a whole JSON file"),
        (lambda whole: b"\xff\xd8\xff\xe0", "not a whole JSON file"),
        (lambda whole: b"[" * 100_000, "not a whole JSON file"),
        (lambda whole: b"[1, 2]", "holds one JSON object; got a list"),
    ],
)
def test_what_is_no_coco_file_is_named(tmp_path: Path, text: Callable[[bytes], bytes], message: str) -> None:
    """Is a truncated, empty, foreign or endless file an error of ours that names it?"""
    path = write(tmp_path, document())
    path.write_bytes(text(path.read_bytes()))
    with pytest.raises(coco.CocoError, match=message) as caught:
        coco.load(path, tmp_path, category="dog")
    assert str(path) in str(caught.value)


def test_windows_notepad_is_welcome(tmp_path: Path) -> None:
    """Is a file that begins with a byte-order mark read as if it did not?"""
    path = write(tmp_path, document())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(coco.load(path, tmp_path, category="dog")) == 2


def test_missing_places_are_named(tmp_path: Path) -> None:
    """Is a missing annotation file, a folder for one, or a missing folder of pictures told when loading?"""
    path = write(tmp_path, document())
    with pytest.raises(coco.CocoError, match=r"nowhere\.json: there is no such file"):
        coco.load(tmp_path / "nowhere.json", tmp_path)
    with pytest.raises(coco.CocoError, match="cannot be opened"):
        coco.load(tmp_path, tmp_path)
    with pytest.raises(coco.CocoError, match="nowhere: there is no such folder"):
        coco.load(path, tmp_path / "nowhere", category="dog")


@pytest.mark.parametrize(
    ("skeleton", "message"),
    [
        (Skeleton(("tail", "ear")), "given skeleton has 2 keypoints and the file 3"),
        (Skeleton(("left_ear", "tail", "right_ear")), "another order"),
    ],
)
def test_a_skeleton_that_does_not_fit_is_refused(tmp_path: Path, skeleton: Skeleton, message: str) -> None:
    """Is a given skeleton of another length, or with the file's names shuffled, an error and not a mixed-up dog?"""
    with pytest.raises(coco.CocoError, match=message):
        coco.load(write(tmp_path, document()), tmp_path, category="dog", skeleton=skeleton)


def _truncate(path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path, format="JPEG", quality=95)
    path.write_bytes(path.read_bytes()[:700])


PICTURE_DEFECTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: path.unlink(), "the annotations name this picture, and there is none"),
    "truncated JPEG": (_truncate, "not a whole picture"),
    "half a PNG": (lambda path: path.write_bytes(path.read_bytes()[:60]), "not a whole picture"),
    "empty": (lambda path: path.write_bytes(b""), "not a whole picture"),
    "a web page": (lambda path: path.write_bytes(b"<html>404</html>"), "not a whole picture"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "not a whole picture"),
    "resized": (lambda path: Image.new("RGB", (20, 15)).save(path), "40 wide and 30 high, the picture is 20 by 15"),
    "turned": (lambda path: Image.new("RGB", (30, 40)).save(path), "the picture is 30 by 40"),
    "32 bits": (lambda path: Image.new("I", (40, 30)).save(path, format="TIFF"), "mode I has no agreed white"),
    "floats": (lambda path: Image.new("F", (40, 30)).save(path, format="TIFF"), "mode F has no agreed white"),
}


@pytest.mark.parametrize(("spoil", "message"), PICTURE_DEFECTS.values(), ids=PICTURE_DEFECTS.keys())
def test_a_broken_picture_is_named(tmp_path: Path, spoil: Callable[[Path], object], message: str) -> None:
    """Is a broken picture told when it is read, by `verify`, and by `check_images`; are the others still readable?"""
    path = write(tmp_path, document())
    spoil(tmp_path / "2.png")
    dogs = coco.load(path, tmp_path, category="dog")
    assert dogs[0].size == (30, 40)
    reads: list[Callable[[], object]] = [
        lambda: dogs[1],
        lambda: dogs.crops((9, 7))[2],
        dogs.verify,
        lambda: coco.load(path, tmp_path, category="dog", check_images=True),
    ]
    for read in reads:
        with pytest.raises(coco.CocoError, match=message) as caught:
            read()
        assert str(caught.value).startswith(str(tmp_path / "2.png"))


def crowd() -> Sample:
    """Return one valid crowd of two."""
    return Sample(
        images=torch.full((1, 3, 30, 40), 0.5),
        keypoints=torch.full((1, 2, K, 2), 7.25),
        visibility=torch.full((1, 2, K), 2, dtype=torch.uint8),
        boxes=torch.tensor([[[1.0, 2, 9, 9], [3, 4, 9, 9]]]),
        areas=torch.tensor([[50.0, 60.0]]),
        present=torch.ones(1, 2, dtype=torch.bool),
        skeleton=Skeleton(tuple(NAMES)),
        image_ids=torch.tensor([1]),
        person_ids=torch.tensor([[1, 2]]),
    )


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda s: replace(s, keypoints=s.keypoints + 40), "annotation 1: keypoint 0 .*outside"),
        (lambda s: replace(s, keypoints=s.keypoints * math.nan), "annotation 1: keypoint 0 .*not finite"),
        (lambda s: replace(s, boxes=s.boxes * torch.tensor([1.0, 1, 0, 1])), "annotation 1: bbox is 0 wide"),
        (lambda s: replace(s, areas=s.areas * 0), "annotation 1: area must be"),
        (lambda s: replace(s, images=s.images * math.nan), "image holds NaN"),
        (lambda s: replace(s, person_ids=s.person_ids - 1), "person_ids must be 1 or more"),
        (lambda s: replace(s, person_ids=s.person_ids * 0 + 5), "differ throughout the set"),
        (lambda s: [s, replace(s, person_ids=s.person_ids + 5)], "2 images have the number 1"),
        (lambda s: [s, replace(s, image_ids=s.image_ids + 1)], "differ throughout the set"),
        (lambda s: [s, replace(s, image_ids=None)], "image_ids are known for some samples"),
        (lambda s: [s, replace(s, skeleton=Skeleton(("a", "b", "c")))], "one skeleton"),
        (lambda s: [], "there is no sample"),
        (lambda s: replace(s, present=~s.present), "the set is empty"),
    ],
)
def test_what_could_not_be_loaded_is_not_saved(tmp_path: Path, spoil: Callable[[Sample], Any], message: str) -> None:
    """Does `save` refuse what `load` would refuse, before it writes a single file?"""
    with pytest.raises(ValueError, match=message):
        coco.save(spoil(crowd()), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: coco.results(s, s.keypoints * math.nan, torch.ones(1, 2)), "NaN or infinite"),
        (lambda s: coco.results(s, s.keypoints, torch.full((1, 2), math.nan)), "NaN or infinite"),
        (lambda s: coco.results(s, s.keypoints, torch.ones(1, 5)), r"scores must be \(1, 2\) or \(1, 2, 3\)"),
        (lambda s: coco.results(replace(s, image_ids=None), s.keypoints, torch.ones(1, 2)), "no image_ids"),
        (lambda s: coco.results(s, torch.zeros(1, 2, 4, 2), torch.ones(1, 2)), r"keypoints must be \(1, …, 3, 2\)"),
        (lambda s: coco.truth([]), "there is no sample"),
    ],
)
def test_broken_predictions_are_named(call: Callable[[Sample], object], message: str) -> None:
    """Is a prediction that pycocotools would score as nonsense an error before it gets there?"""
    with pytest.raises(ValueError, match=message):
        call(crowd())
