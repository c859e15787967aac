"""What it costs to make people of maps, measured anew: a small part of the network's time, and gently growing."""

import pytest
import torch

from benchmarks import grouping

TURNS = 15


@pytest.fixture(scope="module")
def costs() -> dict[str, float]:
    """CPU seconds of the network and of all that comes after it for 2, 30 and 64 people, in turns on one thread."""
    network, images = grouping.network(16), torch.rand(1, 3, *grouping.SIZE)
    crowds = {f"{N} people": (grouping.scene(N), N) for N in (2, 30, 64)}
    turns = []
    with torch.inference_mode():
        for _ in range(TURNS):
            after = {
                name: grouping.seconds(lambda crowd=crowd: grouping.people_of(crowd[0], network.head, crowd[1]))
                for name, crowd in crowds.items()
            }
            turns.append({"network": grouping.seconds(lambda: network(images))} | after)
    # The least of all turns: a neighbour on the machine empties the caches, and what follows is made of small steps.
    return {name: min(turn[name] for turn in turns) for name in turns[0]}


def test_thirty_people_cost_a_small_part_of_the_network(costs: dict[str, float]) -> None:
    """Does everything after the network cost less than a seventh of it? The recorded share is a tenth."""
    assert costs["30 people"] / costs["network"] < 1 / 7


def test_cost_grows_gently(costs: dict[str, float]) -> None:
    """Do 64 people cost less than three times as much as two, though there are 32 times as many?"""
    assert costs["64 people"] / costs["2 people"] < 3


def test_everybody_is_found() -> None:
    """Does the measured path make as many people as there are, so that what is timed is work?"""
    network = grouping.network(16)
    for N in (2, 30):
        found = grouping.people_of(grouping.scene(N), network.head, N)
        assert found.there.sum() == N
        assert found.present.double().mean() > 0.8  # blobs on top of each other are one peak
