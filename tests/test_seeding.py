"""Random numbers: can they be had again, and does a fork leave the outside as it was?"""

import pytest
import torch

from posecourse import seeding


def test_a_seed_can_be_had_again() -> None:
    """Do equal seeds give equal numbers and other seeds other ones?"""
    first, again, other = (torch.rand(5, generator=seeding.generator(seed)) for seed in (3, 3, 4))
    assert first.equal(again)
    assert not first.equal(other)


def test_a_fork_is_ruled_by_its_source() -> None:
    """Does dropout inside of a fork repeat with the source's seed, whatever the global state, and go on with it?"""
    draws = []
    for outside in (1, 2):
        torch.manual_seed(outside)
        source = seeding.generator(7)
        for _ in range(2):
            with seeding.fork(source):
                draws.append(torch.nn.functional.dropout(torch.ones(50)))
    assert draws[0].equal(draws[2])
    assert draws[1].equal(draws[3])
    assert not draws[0].equal(draws[1])


def test_the_outside_goes_on_as_if_nothing_had_been() -> None:
    """Is the global generator's next number the same with a fork in between, after an error too?"""
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with seeding.fork(seeding.generator(0)):
        torch.rand(100)
    with pytest.raises(RuntimeError, match="negative"), seeding.fork(seeding.generator(0)):
        torch.rand(100).new_empty(-1)
    assert torch.rand(3).equal(expected)
