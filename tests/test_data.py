"""What `data/` ships: what its README says, and what its recipe makes."""

import pytest
import torch

from posecourse import coco, paths
from tools import data


def test_readme_lists_every_file_with_its_hash() -> None:
    """Does the README's table say what is in the folder, no more and no less?"""
    assert data.table() in (data.DATA / "README.md").read_text(encoding="utf-8")


def test_sample_is_what_its_recipe_renders() -> None:
    """Does the recipe still make the shipped sample, up to what another processor rounds differently?"""
    made, shipped = data.sample(), coco.load(paths.data_path("sample/person_keypoints.json"), data.DATA / "sample")
    assert len(shipped) == len(made)
    for index, picture in enumerate(shipped):
        here = made.present[index] if made.present is not None else pytest.fail("a crowd has `present`")
        seen = made.labelled[index][here]
        torch.testing.assert_close(picture.keypoints[0][seen], made.keypoints[index][here][seen], atol=0.01, rtol=0)
        off = (picture.images[0] - made.images[index]).abs()
        assert (off > 2 / 255).float().mean() < 0.001
