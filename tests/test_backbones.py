"""The shipped backbone: does its file say what it is, and is it as good as it says?"""

from pathlib import Path

import pytest
import torch

from posecourse import models, paths, seeding, train
from tools import weights


def test_a_backbone_comes_back_frozen(tmp_path: Path) -> None:
    """Are weights and running statistics the same bit for bit, without a gradient and in evaluation mode?"""
    with seeding.fork(seeding.generator(0)):
        backbone = models.UNet(4)
    backbone(torch.rand(2, 3, 32, 32, generator=seeding.generator(1)))  # statistics that are not those of a new one
    train.save_backbone(tmp_path / "b.safetensors", backbone, 4, origin="here")
    again = train.load_backbone(tmp_path / "b.safetensors")
    assert all(again.state_dict()[name].equal(value) for name, value in backbone.state_dict().items())
    assert not again.training
    assert not any(parameter.requires_grad for parameter in again.parameters())
    assert train.backbone_notes(tmp_path / "b.safetensors") == {"origin": "here"}


def test_a_whole_network_is_no_backbone(tmp_path: Path) -> None:
    """Is a file of another kind refused with the function that reads it?"""
    network = models.build("heatmap", width=4, generator=seeding.generator(0))
    train.save_network(tmp_path / "n.safetensors", network)
    with pytest.raises(train.CheckpointError, match="load_network"):
        train.load_backbone(tmp_path / "n.safetensors")


def test_the_shipped_backbone_is_as_good_as_it_says() -> None:
    """Rendered and scored anew, are the median errors of all strides those in the file, to a twentieth of a pixel?"""
    path = paths.data_path("backbone_128.safetensors")
    recorded = train.backbone_notes(path)["score"]
    measured = weights.score(train.load_backbone(path))
    # Another processor rounds pixels and sums differently; a median over 1,600 keypoints hardly moves for it.
    assert measured == pytest.approx(recorded, abs=0.05)


def test_the_shipped_backbone_was_made_by_the_recipe() -> None:
    """Does the file name the command that makes it?"""
    assert train.backbone_notes(weights.FILE)["command"] == "python -m tools.weights"


def test_a_recipe_names_what_is_unusual() -> None:
    """Does the command that stands in a file hold the options that were not the usual ones, and no others?"""
    assert weights.recipe(weights.CONFIG.epochs, 1.0) == "python -m tools.weights --sigma 1"
    assert weights.recipe(23, weights.SIGMA) == "python -m tools.weights --epochs 23"
