"""Is a cached set the set that would be rendered?"""

import subprocess
import sys
from itertools import islice

import pytest
import torch

from posecourse import people, seeding
from posecourse.people import PeopleDataset
from posecourse.samples import Sample


def same(a: Sample, b: Sample) -> bool:
    """Return whether two samples hold the same tensors."""
    pairs = [(getattr(a, n), getattr(b, n)) for n in ("images", "keypoints", "visibility", "boxes", "areas", "camera")]
    pairs += [(a.attributes[name], b.attributes[name]) for name in (*a.attributes, *b.attributes)]
    return all(torch.equal(x, y) for x, y in pairs)


def test_a_hit_equals_a_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is what comes from the cache what was rendered, without rendering?"""
    first = PeopleDataset(5, (40, 30), seed=3)
    assert first.path.is_file()
    monkeypatch.setattr(PeopleDataset, "_render", lambda self: pytest.fail("rendered again"))
    assert same(first.sample(), PeopleDataset(5, (40, 30), seed=3).sample())


def test_the_recipe_names_the_file() -> None:
    """Do other options, sizes, seeds and counts give other files, and crowds keep `present`?"""
    sets = [
        PeopleDataset(2, (24, 24)),
        PeopleDataset(2, (24, 24), seed=1),
        PeopleDataset(3, (24, 24)),
        PeopleDataset(2, (24, 25)),
        PeopleDataset(2, (24, 24), people=2),
    ]
    assert len({each.path for each in sets}) == len(sets)
    assert sets[-1].sample().present is not None
    assert PeopleDataset(2, (24, 24), people=2).sample().keypoints.shape == (2, 2, 17, 2)


@pytest.mark.parametrize("damage", ["cut", "empty", "garbage"])
def test_a_broken_file_is_made_again(damage: str) -> None:
    """Does a half-written or foreign file do no harm?"""
    good = PeopleDataset(3, (32, 32))
    content = good.path.read_bytes()
    good.path.write_bytes({"cut": content[: len(content) // 2], "empty": b"", "garbage": b"x" * 1000}[damage])
    assert same(PeopleDataset(3, (32, 32)).sample(), good.sample())
    assert good.path.read_bytes() == content


def test_a_larger_set_begins_with_the_smaller_one() -> None:
    """Are the first images the same however many follow, also across blocks?"""
    small, large = PeopleDataset(3, (16, 16)), PeopleDataset(131, (16, 16))
    assert same(small.sample(), large[:3])
    assert len(large) == 131


def test_indexing_and_batches_walk_through_the_set() -> None:
    """Do batches hold each image once, in an order that the generator decides?"""
    data = PeopleDataset(7, (16, 16))
    plain = list(data.batches(3))
    assert [len(batch) for batch in plain] == [3, 3, 1]
    orders = []
    for seed in (0, 0, 1):
        shuffled = data.batches(3, seeding.generator(seed))
        orders.append(torch.cat([batch.image_ids for batch in shuffled if batch.image_ids is not None]).tolist())
    assert sorted(orders[0]) == list(range(7))
    assert orders[0] == orders[1] != orders[2]
    assert torch.equal(data[-1].images, data.sample().images[6:])
    with pytest.raises(IndexError, match="set of 7"):
        data[7]


def test_two_processes_do_not_collide() -> None:
    """Can two notebooks make the same set at the same time?"""
    recipe = "PeopleDataset(4, (24, 24), seed=9).sample().images.sum()"
    code = f"from posecourse.people import PeopleDataset; print('ready', flush=True); print(float({recipe}))"
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "ready\n"  # importing takes longest, and makes no set
    mine = []
    while other.poll() is None or not mine:  # make the set again and again until the other one has made it too
        data = PeopleDataset(4, (24, 24), seed=9)
        mine.append(float(data.sample().images.sum()))
        data.path.unlink(missing_ok=True)
    printed = other.communicate()[0]
    assert other.returncode == 0
    assert {float(printed), *mine} == {mine[0]}
    folder = PeopleDataset(4, (24, 24), seed=9).path.parent
    assert not list(folder.glob("*.part"))


def test_a_stream_renders_as_it_goes() -> None:
    """Does a stream give fresh batches, the same ones from the same seed?"""
    a, b = (list(islice(people.stream(2, (20, 30), seeding.generator(4)), 2)) for _ in range(2))
    assert a[0].size == (20, 30)
    assert torch.equal(a[1].images, b[1].images)
    assert not torch.equal(a[0].images, a[1].images)


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize("count", [0, -2, 1.5])
def test_a_set_has_images(count: int) -> None:
    """Is an empty, negative or broken number of images refused, rather than rounded or rendered?"""
    with pytest.raises(ValueError, match=f"count must be a positive whole number; got {count}"):
        PeopleDataset(count, (16, 16))


@pytest.mark.usefixtures("as_a_user")
def test_a_batch_has_images() -> None:
    """Is a batch of nothing refused by name?"""
    with pytest.raises(ValueError, match="batch_size must be a positive whole number; got 0"):
        next(PeopleDataset(2, (16, 16)).batches(0))


def test_an_unknown_option_is_an_error() -> None:
    """Does a misspelt option not pass in silence?"""
    with pytest.raises(TypeError, match="persons"):
        PeopleDataset(1, (16, 16), persons=2)
