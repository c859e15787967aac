"""Real data: what is in a COCO folder is what a sample says, and a prediction returns to the picture it came from."""

import json
import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from posecourse import coco, coords, paths, seeding, transforms
from posecourse.samples import Sample, concatenate
from posecourse.skeletons import COCO17, Skeleton

K = 3
NAMES = ["tail", "left_ear", "right_ear"]
SKELETON = Skeleton(tuple(NAMES), ((0, 1), (0, 2)), (0.05, 0.03, 0.03))
Document = dict[str, Any]


@pytest.fixture
def coco_folder() -> Path:
    """Return a folder of pictures with one annotation file: real photographs if named, else the shipped sample."""
    named = os.environ.get("POSECOURSE_REAL_COCO")
    return Path(named) if named else paths.data_path("sample")


@pytest.fixture
def dataset(coco_folder: Path) -> coco.CocoDataset:
    """Return that folder, loaded."""
    (annotations,) = coco_folder.glob("*.json")
    return coco.load(annotations, coco_folder)


def document() -> Document:
    """Return a small valid COCO file: two pictures, two dogs in the first, one and a pack in the second, one cat."""
    return {
        "images": [
            {"id": 3, "file_name": "a.png", "width": 40, "height": 30},
            {"id": 0, "file_name": "b.png", "width": 24, "height": 36},
        ],
        "annotations": [
            _annotation(11, 3, [5, 6, 2, 8, 9, 1, 0, 0, 0], bbox=[2.25, 3.5, 20, 10], area=77.5),
            _annotation(12, 3, [0] * 9, bbox=[30, 20, 9, 9], area=40),
            _annotation(13, 0, [23, 35, 2, 1, 2, 2, 3, 4, 2], bbox=[1, 1, 22, 34], area=300),
            _annotation(14, 0, [0] * 9, bbox=[0, 0, 20, 20], area=200, iscrowd=1),
            {**_annotation(15, 0, [0] * 9, bbox=[0, 0, 20, 20], area=200), "category_id": 9},
        ],
        "categories": [
            {"id": 7, "name": "dog", "keypoints": NAMES, "skeleton": [[1, 2], [1, 3]]},
            {"id": 9, "name": "cat", "keypoints": ["nose", "tail", "ear"]},
        ],
    }


def _annotation(number: int, image: int, keypoints: list[float], **rest: Any) -> Document:
    labelled = sum(v > 0 for v in keypoints[2::3])
    return {
        "id": number, "image_id": image, "category_id": 7, "keypoints": keypoints, "num_keypoints": labelled,
        "iscrowd": 0, **rest,
    }  # fmt: skip


def write(folder: Path, content: Document) -> Path:
    """Write the annotation file and a picture of noise for each of its images."""
    for image in content["images"]:
        noise = np.random.default_rng(image["id"]).integers(
            0, 256, (image["height"], image["width"], 3), dtype=np.uint8
        )
        Image.fromarray(noise).save(folder / image["file_name"])
    path = folder / "dog_keypoints.json"
    path.write_text(json.dumps(content))
    return path


def open_dogs(folder: Path, content: Document | None = None, **options: Any) -> coco.CocoDataset:
    """Write a small set and load its dogs."""
    return coco.load(write(folder, content or document()), folder, category="dog", **options)


def rendered(people: int = 2) -> Sample:
    """Return a crowd of two pictures on the 1/255 grid, one keypoint unlabelled, sub-pixel everything else."""
    g = seeding.generator(1)
    visibility = torch.randint(1, 3, (2, people, K), generator=g, dtype=torch.uint8)
    visibility[1, 0, 2] = 0
    return Sample(
        images=torch.randint(0, 256, (2, 3, 30, 40), generator=g) / 255,
        keypoints=torch.rand(2, people, K, 2, generator=g) * torch.tensor([39.0, 29.0]),
        visibility=visibility,
        boxes=torch.rand(2, people, 4, generator=g) * 10 + 3,
        areas=torch.rand(2, people, generator=g) * 99 + 1,
        present=torch.ones(2, people, dtype=torch.bool),
        skeleton=SKELETON,
        image_ids=torch.tensor([5, 4]),
        person_ids=torch.arange(2 * people).reshape(2, people) + 31,
    )


# Reading


def test_the_file_becomes_the_sample(tmp_path: Path) -> None:
    """Are keypoints the clicked pixels, boxes half a pixel less, and people without labels there but crowds not?"""
    dogs = open_dogs(tmp_path)
    first, second = dogs[0], dogs[1]
    assert first.keypoints[0, 0, :2].tolist() == [[5, 6], [8, 9]]
    assert first.visibility.tolist() == [[[2, 1, 0], [0, 0, 0]]]
    assert first.boxes[0, 0].tolist() == [1.75, 3.0, 20.0, 10.0]
    assert first.areas.tolist() == [[77.5, 40.0]]
    assert first.person_ids is not None
    assert first.person_ids.tolist() == [[11, 12]]
    assert (first.size, second.size) == ((30, 40), (36, 24))
    assert second.person_ids is not None
    assert second.person_ids.tolist() == [[13]]
    assert second.image_ids is not None
    assert second.image_ids.tolist() == [0]


def test_what_is_not_labelled_may_be_anywhere(tmp_path: Path) -> None:
    """Is an unlabelled point outside of the picture no defect, nor a labelled one on its outermost edge?"""
    content = document()
    content["annotations"][0]["keypoints"] = [40, 30, 2, 0, 0, 1, -70, 500, 0]
    assert open_dogs(tmp_path, content)[0].visibility[0, 0].tolist() == [2, 1, 0]


def test_the_picture_is_the_picture(tmp_path: Path) -> None:
    """Are the pixels those that Pillow shows, row by row, red first?"""
    dogs = open_dogs(tmp_path)
    wanted = np.asarray(Image.open(tmp_path / "b.png")).astype(np.float32) / 255
    assert np.array_equal(dogs[1].images[0].permute(1, 2, 0).numpy(), wanted)


def test_a_dataset_is_a_sequence(tmp_path: Path) -> None:
    """Do length, negative indices, slices and iteration do what they do on a list, for images and for crops?"""
    dogs = open_dogs(tmp_path)
    assert (len(dogs), len(list(dogs)), len(dogs[1:])) == (2, 2, 1)
    assert torch.equal(dogs[-1].images, dogs[1:][0].images)
    crops = dogs.crops((12, 8))
    assert (len(crops), len(list(crops)), len(crops[:1])) == (2, 2, 1)
    assert torch.equal(crops[-1].images, crops[1:][0].images)
    for sequence in (dogs, crops):
        with pytest.raises(IndexError):
            sequence[2]


def test_crops_leave_out_who_has_too_few_keypoints(tmp_path: Path) -> None:
    """Does `min_keypoints` choose the people, and do the crops join to one batch with their own numbers?"""
    dogs = open_dogs(tmp_path)
    batch = concatenate(list(dogs.crops((12, 8))))
    assert batch.person_ids is not None
    assert batch.person_ids.tolist() == [11, 13]
    assert batch.images.shape == (2, 3, 12, 8)
    assert [int(crop.person_ids) for crop in dogs.crops((12, 8), min_keypoints=3) if crop.person_ids is not None] == [
        13
    ]
    with pytest.raises(coco.CocoError, match="nobody has 4"):
        dogs.crops((12, 8), min_keypoints=4)


def test_a_frame_is_the_whole_picture_of_one(tmp_path: Path) -> None:
    """Is a frame the whole picture in the middle, not stretched, with its one labelled dog where the file has it?"""
    dogs = open_dogs(tmp_path)
    frames = dogs.frames((32, 48))
    assert len(frames) == 2
    for frame, picture in zip(frames, dogs.annotations.pictures, strict=True):
        assert frame.to_source is not None
        clicked = torch.from_numpy(picture.people[0].keypoints[:, :2])[None]
        seen = frame.visibility > 0
        assert torch.allclose(transforms.to_source(frame.keypoints, frame)[seen].double(), clicked[seen], atol=1e-3)
        H, W = picture.size
        edges = torch.tensor([[[-0.5, -0.5], [W - 0.5, H - 0.5]]])
        edges = transforms.transform_points(edges, frame.to_source.inverse())
        assert torch.allclose(edges.mean(1), torch.tensor([23.5, 15.5]), atol=1e-3)
        spare = torch.tensor([48.0, 32.0]) - (edges[0, 1] - edges[0, 0])
        assert spare.amin() == pytest.approx(0, abs=1e-3)
        assert float((edges[0, 1] - edges[0, 0]) @ torch.tensor([1 / W, -1 / H])) == pytest.approx(0, abs=1e-4)


def test_a_frame_stands_for_one(tmp_path: Path) -> None:
    """Are pictures with two labelled dogs refused as frames, with the ways out?"""
    said = document()
    said["annotations"][1]["keypoints"] = [33, 22, 2] + [0] * 6
    with pytest.raises(coco.CocoError, match=r'image 3 shows 2 of them.*crops\(size\).*"tags"'):
        open_dogs(tmp_path, said).frames((32, 48))


def test_the_only_category_needs_no_name(tmp_path: Path) -> None:
    """Is a file's only category with keypoints found without its name, and is the user asked where there are two?"""
    said = document()
    with pytest.raises(coco.CocoError, match="2 categories have keypoints; there are 'dog', 'cat'"):
        coco.load(write(tmp_path, said), tmp_path, category=None)
    del said["categories"][1]["keypoints"]
    assert coco.load(write(tmp_path, said), tmp_path, category=None).category_id == 7
    del said["categories"][0]["keypoints"]
    with pytest.raises(coco.CocoError, match="no category has keypoints"):
        coco.load(write(tmp_path, said), tmp_path, category=None)


def test_boxes_alone_are_a_data_set(tmp_path: Path) -> None:
    """Do boxes without keypoints give crops in which nothing is labelled, wherever the boxes are?"""
    said = document()
    for record in (*said["annotations"], *said["categories"]):
        record.pop("keypoints", None)
    boxes = coco.load_boxes(write(tmp_path, said), tmp_path, SKELETON, "dog")
    crops = boxes.crops((12, 8), min_keypoints=0)
    assert [int(crop.person_ids) for crop in crops if crop.person_ids is not None] == [11, 12, 13]
    assert not any(bool(crop.labelled.any()) for crop in crops)
    labelled = open_dogs(tmp_path).crops((12, 8))
    assert torch.equal(crops[0].images, labelled[0].images)


def test_some_of_the_pictures_are_a_data_set(tmp_path: Path) -> None:
    """Are pictures chosen in the order asked for, without any being read?"""
    dogs = open_dogs(tmp_path)
    (tmp_path / "a.png").unlink()
    chosen = dogs.choose([1, 0])
    assert [picture.id for picture in chosen.annotations.pictures] == [0, 3]
    assert torch.equal(chosen[0].images, dogs[1].images)


def test_the_category_brings_its_skeleton(tmp_path: Path) -> None:
    """Are limbs counted from 0, and is the other category, chosen by number, another skeleton?"""
    path = write(tmp_path, document())
    assert coco.load(path, tmp_path, category="dog").skeleton == replace(SKELETON, sigmas=())
    assert coco.load(path, tmp_path, category=9).skeleton.names == ("nose", "tail", "ear")
    given = Skeleton(("x", "y", "z"))
    assert coco.load(path, tmp_path, category="dog", skeleton=given).skeleton is given


def test_real_and_rendered_people_can_be_joined(tmp_path: Path) -> None:
    """Is a category with COCO's names COCO17 itself, whatever the order of the file's limbs?"""
    content = document()
    content["categories"][0] |= {"keypoints": list(COCO17.names), "skeleton": [[16, 14], [14, 12]]}
    content["annotations"] = [_annotation(1, 3, [4] * 34 + [2] * 17, bbox=[1, 1, 5, 5])]
    content["annotations"][0]["keypoints"] = [4, 5, 2] * 17
    assert open_dogs(tmp_path, content).skeleton is COCO17


def test_a_missing_area_is_measured(tmp_path: Path) -> None:
    """Is the area that of the polygons, else of the run-length mask, else of the box?"""
    content = document()
    for annotation in content["annotations"]:
        annotation.pop("area")
    content["annotations"][0]["segmentation"] = [[1, 1, 7, 1, 1, 5], [10, 10, 12, 10, 12, 13, 10, 13]]
    content["annotations"][1]["segmentation"] = {"counts": [100, 7, 1000, 5, 88], "size": [30, 40]}
    dogs = open_dogs(tmp_path, content)
    assert dogs[0].areas.tolist() == [[6 * 4 / 2 + 2 * 3, 7 + 5]]
    assert dogs[1].areas.tolist() == [[22 * 34]]


def test_polygons_have_the_area_that_coco_gives(coco_folder: Path, dataset: coco.CocoDataset, tmp_path: Path) -> None:
    """Do COCO's own polygons, their areas deleted, give COCO's own areas?"""
    (annotations,) = coco_folder.glob("*.json")
    content = json.loads(annotations.read_text())
    if not any(isinstance(annotation.get("segmentation"), list) for annotation in content["annotations"]):
        pytest.skip("this folder has no polygons: set POSECOURSE_REAL_COCO")
    for annotation in content["annotations"]:
        annotation.pop("area")
    (tmp_path / "no_areas.json").write_text(json.dumps(content))
    measured = coco.load(tmp_path / "no_areas.json", coco_folder).truth()["annotations"]
    given = dataset.truth()["annotations"]
    assert [a["area"] for a in measured] == pytest.approx([a["area"] for a in given], rel=1e-6)


# Pictures


def _png16(path: Path, values: np.ndarray) -> None:
    """Write a 16-bit RGB PNG (H W 3), byte by byte: Pillow cannot."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    H, W, _ = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", W, H, 16, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def _read(folder: Path, name: str, size: tuple[int, int] = (30, 40), **options: Any) -> np.ndarray:
    """Read one picture as the only one of a data set, (H W 3)."""
    content = document()
    content["images"] = [{"id": 3, "file_name": name, "height": size[0], "width": size[1]}]
    content["annotations"] = [_annotation(1, 3, [4, 4, 2, 0, 0, 0, 0, 0, 0], bbox=[0, 0, 5, 5])]
    (folder / "one.json").write_text(json.dumps(content))
    sample = coco.load(folder / "one.json", folder, category="dog", **options)[0]
    return sample.images[0].permute(1, 2, 0).numpy()


RAMP = np.linspace(0, 255, 1200).astype(np.uint8).reshape(30, 40)
COLOURS = np.stack([RAMP, RAMP[::-1], RAMP[:, ::-1]], axis=-1)
DEEP = np.linspace(0, 65535, 1200).astype(np.uint16).reshape(30, 40)


@pytest.mark.parametrize("mode", ["L", "P", "1", "RGB", "RGBA", "LA", "CMYK", "YCbCr", "I;16"])
def test_every_kind_of_picture_has_its_colours(tmp_path: Path, mode: str) -> None:
    """Is a picture of each mode the colours that it shows, to within what its own mode can hold?"""
    grey = np.repeat(RAMP[..., None], 3, axis=-1) / 255
    kinds: dict[str, tuple[Image.Image, str, np.ndarray, float]] = {
        "L": (Image.fromarray(RAMP), "png", grey, 1e-6),
        "P": (Image.fromarray(RAMP).convert("P"), "png", grey, 1e-6),
        "1": (Image.fromarray(RAMP > 99), "png", (grey > 99 / 255).astype(float), 1e-6),
        "RGB": (Image.fromarray(COLOURS), "png", COLOURS / 255, 1e-6),
        "RGBA": (Image.fromarray(COLOURS).convert("RGBA"), "png", COLOURS / 255, 1e-6),
        "LA": (Image.fromarray(RAMP).convert("LA"), "png", grey, 1e-6),
        "CMYK": (Image.fromarray(COLOURS).convert("CMYK"), "tif", COLOURS / 255, 2 / 255),
        "YCbCr": (Image.fromarray(COLOURS).convert("YCbCr"), "tif", COLOURS / 255, 3 / 255),
        "I;16": (Image.fromarray(DEEP), "png", np.repeat(DEEP[..., None], 3, axis=-1) / 65535, 1e-6),
    }
    image, suffix, wanted, tolerance = kinds[mode]
    image.save(tmp_path / f"x.{suffix}")
    np.testing.assert_allclose(_read(tmp_path, f"x.{suffix}"), wanted, atol=tolerance)


def test_sixteen_bit_colour_keeps_its_upper_half(tmp_path: Path) -> None:
    """Is a 16-bit RGB picture right to one level of 8 bits, and neither dark nor wrapped around?"""
    deep = np.stack([DEEP, DEEP[::-1], DEEP[:, ::-1]], axis=-1)
    _png16(tmp_path / "deep.png", deep)
    np.testing.assert_allclose(_read(tmp_path, "deep.png"), deep / 65535, atol=1 / 255)


def test_cmyk_photographs_are_not_negatives(tmp_path: Path) -> None:
    """Does a CMYK JPEG, which Adobe stores inverted, show light where it is light?"""
    Image.fromarray(COLOURS).convert("CMYK").save(tmp_path / "print.jpg", quality=95)
    got = _read(tmp_path, "print.jpg")
    assert np.corrcoef(got.ravel(), COLOURS.ravel())[0, 1] > 0.99
    assert abs(got.mean() - COLOURS.mean() / 255) < 0.02


def test_what_is_transparent_is_black(tmp_path: Path) -> None:
    """Does a transparent pixel lose its hidden colour, a half transparent one half of it, in RGBA and in palettes?"""
    pixels = np.full((30, 40, 4), 200, dtype=np.uint8)
    pixels[:10, :, 3], pixels[10:20, :, 3], pixels[20:, :, 3] = 0, 128, 255
    Image.fromarray(pixels).save(tmp_path / "veil.png")
    rows = _read(tmp_path, "veil.png").mean((1, 2))
    np.testing.assert_allclose(rows[[0, 15, 29]], [0, 200 / 255 * 128 / 255, 200 / 255], atol=1 / 255)
    palette = Image.fromarray(RAMP).convert("P")
    palette.save(tmp_path / "hole.png", transparency=int(RAMP[29, 39]))
    assert _read(tmp_path, "hole.png")[29, 39].tolist() == [0, 0, 0]


def _turned(path: Path, note: int, size: tuple[int, int] = (30, 40)) -> None:
    """Write a black picture with one white pixel, the first that is stored, and a note how to turn it."""
    pixels = np.zeros((*size, 3), dtype=np.uint8)
    pixels[0, 0] = 255
    image = Image.fromarray(pixels)
    exif = image.getexif()
    exif[0x0112] = note
    image.save(path, exif=exif)


def _white(image: np.ndarray) -> tuple[int, int]:
    """Return where the white pixel is: row, column."""
    (row,), (column,) = np.nonzero(image[..., 0] > 0.5)
    return int(row), int(column)


@pytest.mark.parametrize(("note", "corner"), [(5, (0, 0)), (6, (0, 29)), (7, (39, 29)), (8, (39, 0))])
def test_a_sideways_photograph_is_turned_if_it_was_annotated_upright(
    tmp_path: Path, note: int, corner: tuple[int, int]
) -> None:
    """Does the size in the file decide, and is the first stored pixel in the corner that the EXIF standard says?"""
    _turned(tmp_path / "phone.png", note)
    assert _white(_read(tmp_path, "phone.png", (40, 30))) == corner
    assert _white(_read(tmp_path, "phone.png", (30, 40))) == (0, 0)


@pytest.mark.parametrize(("note", "size"), [(3, (30, 40)), (2, (30, 40)), (4, (30, 40)), (6, (30, 30)), (8, (30, 30))])
def test_where_the_size_cannot_tell_the_user_must(tmp_path: Path, note: int, size: tuple[int, int]) -> None:
    """Is an ambiguous EXIF note an error that names both ways out, and do both work?"""
    _turned(tmp_path / "phone.png", note, size)
    with pytest.raises(coco.CocoError, match=rf"phone\.png.*orientation {note}.*upright.*stored"):
        _read(tmp_path, "phone.png", size)
    assert _white(_read(tmp_path, "phone.png", size, orientation="stored")) == (0, 0)
    assert _white(_read(tmp_path, "phone.png", size, orientation="upright")) != (0, 0)


# There and back


def test_a_target_leads_back_to_the_photograph(dataset: coco.CocoDataset) -> None:
    """Do keypoints survive photograph, crop, heatmap, argmax and back, but for the cells' own half width?

    The nearest cell of stride s is wrong by at most s/2 per axis, in RMS by s/√12, in pixels of the crop; one crop
    pixel is `scale` pixels of the photograph.
    """
    from posecourse import decode, heatmaps

    stride, size = 4, (256, 192)
    crops = dataset.crops(size)
    batch = concatenate(list(crops))
    cells = coords.pixels_to_cells(batch.keypoints, float(stride))
    targets = heatmaps.gaussian_heatmaps(cells, (size[0] // stride, size[1] // stride), 2.0)
    found = coords.cells_to_pixels(decode.argmax_2d(targets).points, float(stride))
    back = transforms.to_source(found, batch)
    clicked = torch.stack([torch.from_numpy(person.keypoints[:, :2]) for _, person in crops.people]).float()
    assert batch.to_source is not None
    scale = batch.to_source[:, 0, 0, None, None]
    errors = ((back - clicked) / (scale * stride))[batch.labelled]
    assert errors.abs().max() <= 0.5 + 1e-3
    standard_error = (1 / 180 / errors.numel()) ** 0.5
    assert float((errors**2).mean()) == pytest.approx(1 / 12, abs=4 * standard_error)


def test_every_labelled_keypoint_is_in_its_crop(dataset: coco.CocoDataset) -> None:
    """Does a crop lose a keypoint only where the file's own point lies outside of the context box?"""
    crops = dataset.crops((256, 192))
    for crop, (_, person) in zip(crops, crops.people, strict=True):
        x, y, width, height = person.box
        half_w, half_h = 1.25 / 2 * max(width, height * 0.75), 1.25 / 2 * max(height, width / 0.75)
        off = np.abs(person.keypoints[:, :2] + 0.5 - [x + width / 2, y + height / 2]) / [half_w, half_h]
        wanted = np.where((off < 1).all(-1), person.keypoints[:, 2], 0)
        assert crop.visibility[0].tolist() == wanted.tolist()


def test_pycocotools_reads_the_same(coco_folder: Path, dataset: coco.CocoDataset) -> None:
    """Are keypoints, boxes and areas what the reference reader gives, image by image?"""
    from pycocotools.coco import COCO

    (annotations,) = coco_folder.glob("*.json")
    theirs = COCO(annotations)
    for sample in dataset:
        assert sample.image_ids is not None
        people = theirs.loadAnns(theirs.getAnnIds(imgIds=int(sample.image_ids), iscrowd=0))
        triples = np.array([person["keypoints"] for person in people]).reshape(-1, len(dataset.skeleton), 3)
        np.testing.assert_allclose(sample.keypoints[0], triples[..., :2], atol=1e-4)
        assert np.array_equal(sample.visibility[0], triples[..., 2])
        corners = np.array([person["bbox"] for person in people]).reshape(-1, 4)
        np.testing.assert_allclose(sample.boxes[0], corners - [0.5, 0.5, 0, 0], atol=1e-4)
        np.testing.assert_allclose(sample.areas[0], [person["area"] for person in people], rtol=1e-6)


def _average_precision(truth: Document, results: list[Document], sigmas: tuple[float, ...]) -> float:
    """Score with the reference implementation."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    reference = COCO()
    reference.dataset = truth
    reference.createIndex()
    scored = COCOeval(reference, reference.loadRes(results), "keypoints")
    scored.params.kpt_oks_sigmas = np.array(sigmas)
    scored.evaluate()
    scored.accumulate()
    scored.summarize()
    return float(scored.stats[0])


def test_right_answers_in_crops_score_one(dataset: coco.CocoDataset) -> None:
    """Is the reference AP 1 for keypoints read off the crops, mapped back, and near 0 if they are not mapped?"""
    batch = concatenate(list(dataset.crops((256, 192))))
    found = coco.results(batch, batch.keypoints, torch.ones(len(batch)), category_id=dataset.category_id)
    # Labelled by (0, 0), an unlabelled keypoint moves nothing: pycocotools looks at labelled ones only.
    assert _average_precision(dataset.truth(), found, dataset.skeleton.sigmas) == pytest.approx(1.0)
    unmapped = replace(batch, to_source=None)
    lost = coco.results(unmapped, unmapped.keypoints, torch.ones(len(batch)), category_id=dataset.category_id)
    assert _average_precision(dataset.truth(), lost, dataset.skeleton.sigmas) < 0.1


def test_an_annotation_numbered_zero_can_be_found(tmp_path: Path) -> None:
    """Does the truth keep a person whose id is 0, which pycocotools would take for nobody, from being missed?"""
    content = document()
    content["annotations"][0]["id"] = 0
    dogs = open_dogs(tmp_path, content)
    batch = concatenate(list(dogs.crops((12, 8))))
    found = coco.results(batch, batch.keypoints, torch.ones(len(batch)), category_id=7)
    truth = dogs.truth()
    assert sorted(annotation["id"] for annotation in truth["annotations"]) == [1, 2, 3, 4]
    for annotation in truth["annotations"]:
        annotation["area"] = 2000.0  # large enough for COCO's "all": nothing is left out
    assert _average_precision(truth, found, (0.05,) * K) == pytest.approx(1.0)


# Writing


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    """Do rendered people come back from COCO's format exactly: pictures, places, boxes, areas, numbers, skeleton?"""
    crowd = rendered()
    path = coco.save(crowd, tmp_path / "new" / "folder", category="dog")
    again = concatenate(list(coco.load(path, path.parent, category="dog")))
    assert torch.equal(again.images, crowd.images)
    assert torch.equal(again.visibility, crowd.visibility)
    assert torch.equal(again.keypoints[again.labelled], crowd.keypoints[crowd.labelled])
    for name in ("boxes", "areas", "image_ids", "person_ids"):
        assert torch.equal(getattr(again, name), getattr(crowd, name)), name
    assert again.skeleton == crowd.skeleton


def test_an_unlabelled_keypoint_is_written_as_zeros(tmp_path: Path) -> None:
    """Does the file say 0, 0, 0, as COCO does, for a keypoint that nobody labelled, wherever it may have been?"""
    crowd = rendered()
    nowhere = torch.where(crowd.labelled[..., None], crowd.keypoints, torch.full_like(crowd.keypoints, -1e4))
    path = coco.save(replace(crowd, keypoints=nowhere), tmp_path)
    people = json.loads(path.read_text())["annotations"]
    assert [person["keypoints"][6:] == [0, 0, 0] for person in people] == [False, False, True, False]
    assert [person["num_keypoints"] for person in people] == [3, 3, 2, 3]


def test_saving_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    """Is a saved and loaded set saved again the same, file by file?"""
    first = coco.save(rendered(), tmp_path / "1")
    second = coco.save(coco.load(first, first.parent), tmp_path / "2")
    names = sorted(path.name for path in first.parent.iterdir())
    assert names == ["000000000004.png", "000000000005.png", "person_keypoints.json"]
    for name in names:
        assert (first.parent / name).read_bytes() == (second.parent / name).read_bytes(), name


def test_a_real_picture_survives_as_png(dataset: coco.CocoDataset, tmp_path: Path) -> None:
    """Does a photograph, loaded and saved as PNG, come back pixel for pixel with its people?"""
    path = coco.save(dataset[:1], tmp_path)
    again = coco.load(path, tmp_path)[0]
    assert torch.equal(again.images, dataset[0].images)
    assert torch.equal(again.boxes, dataset[0].boxes)


def test_absent_people_are_not_saved(tmp_path: Path) -> None:
    """Is an empty place of a crowd nobody, and are people without numbers counted from 1, over all samples?"""
    crowd = replace(rendered(3), present=torch.tensor([[True, False, True], [False, True, False]]))
    crowd = replace(crowd, person_ids=None, image_ids=None)
    path = coco.save([crowd[0], crowd[1]], tmp_path)
    first, second = coco.load(path, tmp_path)
    assert first.person_ids is not None
    assert second.person_ids is not None
    assert (first.person_ids.tolist(), second.person_ids.tolist()) == ([[1, 2]], [[3]])
    assert torch.equal(first.areas[0], crowd.areas[0, [0, 2]])
    assert torch.equal(second.areas[0], crowd.areas[1, [1]])


def test_jpeg_is_nearly_the_picture(tmp_path: Path) -> None:
    """Does a smooth picture come back from JPEG to within a few levels?"""
    smooth = torch.linspace(0, 1, 40).expand(2, 3, 30, 40)
    path = coco.save(replace(rendered(), images=smooth), tmp_path, format="jpeg")
    assert {path.suffix for path in tmp_path.iterdir()} == {".jpg", ".json"}
    again = concatenate(list(coco.load(path, tmp_path)))
    torch.testing.assert_close(again.images, smooth, rtol=0, atol=4 / 255)


CHANGES: dict[str, Callable[[Sample], Sample]] = {
    "crop": lambda s: transforms.crop_sample(s, torch.tensor([[-0.5, -0.5, 40.0, 30.0]] * 2), (90, 160)),
    "flip": transforms.flip_sample,
    "both": lambda s: transforms.flip_sample(
        transforms.crop_sample(s, torch.tensor([[-1.0, -2.0, 45.0, 40.0]] * 2), (90, 160))
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_truth_of_a_crop_is_the_truth(change: Callable[[Sample], Sample]) -> None:
    """Is what `truth` says of a cropped or mirrored crowd what it says of the original, sides included?"""
    crowd = rendered()
    wanted, got = coco.truth(crowd), coco.truth(change(crowd))
    assert wanted["categories"] == got["categories"]
    assert wanted["images"] == got["images"]
    for a, b in zip(wanted["annotations"], got["annotations"], strict=True):
        assert b["keypoints"] == pytest.approx(a["keypoints"], abs=1e-3)
        assert b["bbox"] == pytest.approx(a["bbox"], abs=1e-3)
        assert b["area"] == pytest.approx(a["area"], rel=1e-4)
        assert (a["id"], a["image_id"], a["num_keypoints"]) == (b["id"], b["image_id"], b["num_keypoints"])


def test_predictions_of_crowds_become_results() -> None:
    """Does each predicted person who counts become one dictionary of its image, whose score is the mean?"""
    crowd = rendered()
    guesses = torch.rand(2, 4, K, 2, generator=seeding.generator(3)) * 20
    scores = torch.rand(2, 4, K, generator=seeding.generator(4))
    present = torch.tensor([[True, False, False, True], [False, True, False, False]])
    found = coco.results(crowd, guesses, scores, present=present, category_id=7)
    assert [(r["image_id"], r["category_id"]) for r in found] == [(5, 7), (5, 7), (4, 7)]
    assert [r["score"] for r in found] == pytest.approx(scores[present].mean(-1).tolist())
    triples = np.array(found[1]["keypoints"]).reshape(K, 3)
    np.testing.assert_allclose(triples, torch.cat([guesses[0, 3], scores[0, 3, :, None]], -1), rtol=1e-6)
    assert len(coco.results(crowd, guesses, scores.mean(-1))) == 8
