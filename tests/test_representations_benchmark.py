"""What lesson 01's table is made by: its plan, its memory and its one head of its own."""

import json

import torch
from torch.testing import assert_close

from benchmarks import representations
from posecourse import paths, seeding


def test_the_shipped_table_holds_every_task_once() -> None:
    """Is the table whole, and would the command find nothing left to do?"""
    rows = json.loads(paths.data_path("representations.json").read_text(encoding="utf-8"))
    assert sorted(map(representations.key, rows)) == sorted(representations.tasks(5))


def test_time_tells_rows_apart() -> None:
    """Are rows of one head, one set and one seed different tasks if one had more steps, and is none of old 300?"""
    row = {"head": "grid", "images": 512, "seed": 1}
    assert representations.key(row) == representations.key(row | {"steps": 300})
    assert representations.key(row) != representations.key(row | {"steps": 600})


def test_unshared_weights_that_are_equal_are_a_convolution() -> None:
    """Does the head with weights of its own in every cell say what a shared one says, once they are the same?"""
    shared, unshared = (representations.network(head, seed=3) for head in ("heatmap", "unshared"))
    layer = shared.head.heatmaps.layer
    with torch.no_grad():
        unshared.head.heatmaps.weight.copy_(layer.weight.expand(-1, -1, 16, 16))
        unshared.head.heatmaps.bias.copy_(layer.bias[:, None, None].expand(-1, 16, 16))
        images = torch.rand(2, 3, 64, 64, generator=seeding.generator(0))
        answers = [network.eval()(images).heatmaps for network in (shared, unshared)]
    assert_close(answers[1], answers[0])


def test_cells_learn_alone() -> None:
    """Does a loss in one cell leave the weights of every other cell as they were?"""
    layer = representations.Unshared(channels=2, keypoints=3, size=(5, 7))
    layer(torch.rand(2, 2, 5, 7, generator=seeding.generator(0)))[:, 1, 4, 2].sum().backward()
    touched = layer.weight.grad.abs().sum(1).nonzero()
    assert touched.tolist() == [[1, 4, 2]]
