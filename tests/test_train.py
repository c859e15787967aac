"""The training loop: the same weights every time, learning curves, scores, and silence where nobody watches."""

import io
import math
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from posecourse import models, seeding, train
from posecourse.samples import Sample
from posecourse.skeletons import Skeleton

SKELETON = Skeleton(("left_eye", "right_eye", "nose"))
CONFIG = train.TrainConfig(epochs=3, batch_size=4, learning_rate=1e-2, checkpoint_every=2)


def noise(count: int = 11, size: tuple[int, int] = (8, 12), seed: int = 0) -> Sample:
    """Return noise images with keypoints inside."""
    random = seeding.generator(seed)
    H, W = size
    return Sample(
        images=torch.rand(count, 3, H, W, generator=random),
        keypoints=torch.rand(count, 3, 2, generator=random) * torch.tensor([W - 1.0, H - 1.0]),
        visibility=torch.randint(0, 3, (count, 3), generator=random, dtype=torch.uint8),
        boxes=torch.tensor([0.5, 1.5, 10.0, 5.0]).repeat(count, 1),
        areas=torch.full((count,), 50.0),
        skeleton=SKELETON,
    )


def tiny(head: models.HeadName = "heatmap", seed: int = 0, **options: Any) -> models.PoseNetwork:
    """Return a network for `noise()` that trains in no time."""
    recipe: dict[str, Any] = {"size": (8, 12), "keypoints": 3, "width": 2, "dropout": 0.3} | options
    return models.build(head, **recipe, generator=seeding.generator(seed))


def trained(config: train.TrainConfig = CONFIG, *, seed: int = 1, **options: Any) -> tuple[nn.Module, train.History]:
    """Train a tiny network with dropout and augmentation."""
    network = tiny()
    options = {"augment": train.Augment(), "device": "cpu"} | options
    return network, train.fit(network, noise(), config=config, generator=seeding.generator(seed), **options)


def same_weights(a: nn.Module, b: nn.Module) -> bool:
    """Return whether two models agree in every bit of every tensor, statistics included."""
    return all(torch.equal(value, b.state_dict()[name]) for name, value in a.state_dict().items())


class Offset:
    """An estimator that is no network: it knows the truth and misses it by a fixed step."""

    def __init__(self, data: Sample, step: tuple[float, float]) -> None:
        self.data, self.step = data, torch.tensor(step)

    def predict(self, images: Tensor) -> Tensor:
        """Find the images in the data and answer."""
        index = [int((self.data.images == image).flatten(1).all(1).nonzero()) for image in images]
        return self.data.keypoints[index] + self.step


def test_one_seed_makes_one_training() -> None:
    """Are weights and losses the generator's and nothing else's, with dropout, shuffling and augmentation on?"""
    torch.manual_seed(1)
    state = torch.get_rng_state()
    network, history = trained()
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    again, history_again = trained()
    assert same_weights(network, again)
    assert history.loss == history_again.loss
    assert not same_weights(network, trained(seed=2)[0])


@pytest.mark.parametrize("head", [*models.HEADS, "tags"])
def test_training_lowers_the_loss(head: models.HeadName) -> None:
    """Does the one loop train every head with the loss that the head knows?"""
    network = tiny(head, dropout=0.0)
    config = train.TrainConfig(steps=60, batch_size=11, learning_rate=2e-2)
    history = train.fit(network, noise(), config=config, generator=seeding.generator(1), device="cpu")
    assert sum(history.loss[-5:]) < 0.6 * sum(history.loss[:5])


def test_a_loss_of_ones_own() -> None:
    """Is a loss per keypoint averaged over the labelled ones, and a single number taken as it is?"""
    data = noise(4)
    config = train.TrainConfig(steps=1, batch_size=4, learning_rate=1e-9)

    def first_loss(loss: train.Loss) -> float:
        return train.fit(tiny(), data, loss, config, generator=seeding.generator(1), device="cpu").loss[0]

    def by_label(answer: models.HeatmapAnswer, sample: Sample) -> Tensor:
        worth = torch.where(sample.labelled, 3.0, torch.nan)
        return worth + 0 * answer.heatmaps.mean((-2, -1))

    assert first_loss(by_label) == 3.0
    assert first_loss(lambda answer, sample: 5 + 0 * answer.heatmaps.sum()) == 5.0


def test_a_model_of_ones_own() -> None:
    """Does the loop train any module that is given its loss, and say so where it is not?"""
    layer = nn.Conv2d(3, 1, 1)
    data = noise()
    arguments: dict[str, Any] = {"config": CONFIG, "generator": seeding.generator(1), "device": "cpu"}
    before = layer.weight.detach().clone()
    train.fit(layer, data, lambda answer, sample: answer.square().mean(), **arguments)
    assert not torch.equal(layer.weight, before)
    with pytest.raises(TypeError, match=r"Conv2d has no head.*loss\(answer, sample\)"):
        train.fit(layer, data, **arguments)
    with pytest.raises(TypeError, match=r"Conv2d has no predict"):
        train.fit(layer, data, lambda answer, sample: answer.square().mean(), validation=data, **arguments)


def test_what_a_history_holds() -> None:
    """Is there a loss and a learning rate for each step, and a score for each epoch?"""
    network, history = trained(validation=noise(5, seed=9))
    assert len(history.loss) == len(history.learning_rate) == history.steps == 6  # 11 images are 2 batches of 4
    assert [entry.step for entry in history.validation] == [2, 4, 6]
    scores = train.evaluate(network, noise(5, seed=9))
    assert history.validation[-1].pck == scores.pck(0.1)
    assert history.validation[-1].error_px == scores.mean_error_px()


def test_validation_changes_nothing() -> None:
    """Are the weights the same whether somebody looks at the scores on the way or not?"""
    assert same_weights(trained()[0], trained(validation=noise(5, seed=9))[0])


def test_every_image_once_an_epoch() -> None:
    """Does an epoch see each image at most once, whole batches only, in another order each time?"""
    seen: list[list[float]] = []

    def note(sample: Sample, generator: torch.Generator) -> Sample:
        seen.append(sample.images[:, 0, 0, 0].tolist())
        return sample

    trained(augment=note)
    assert [len(batch) for batch in seen] == [4] * 6
    epochs = [seen[start] + seen[start + 1] for start in (0, 2, 4)]
    assert all(len(set(epoch)) == 8 for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_fewer_images_than_a_batch() -> None:
    """Is one small batch trained on, where there are not enough images for a whole one?"""
    history = train.fit(tiny(), noise(3), config=CONFIG, generator=seeding.generator(0), device="cpu")
    assert history.steps == CONFIG.epochs


def test_a_budget_in_steps() -> None:
    """Does a budget in steps end within an epoch, with a last score there?"""
    config = train.TrainConfig(steps=3, batch_size=4)
    _, history = trained(config, validation=noise(5, seed=9))
    assert history.steps == 3
    assert [entry.step for entry in history.validation] == [2, 3]


def test_data_of_every_kind() -> None:
    """Does a list of single images train like the sample that holds them all?"""
    data = noise()
    arguments: dict[str, Any] = {"config": CONFIG, "device": "cpu"}
    one, other = tiny(), tiny()
    train.fit(one, data, generator=seeding.generator(1), **arguments)
    train.fit(other, [data[i] for i in range(len(data))], generator=seeding.generator(1), **arguments)
    assert same_weights(one, other)


def test_data_that_is_none() -> None:
    """Does each kind of unusable data get an error that says what is expected?"""
    arguments: dict[str, Any] = {"config": CONFIG, "generator": seeding.generator(1), "device": "cpu"}
    with pytest.raises(ValueError, match="data must hold at least one image"):
        train.fit(tiny(), [], **arguments)
    with pytest.raises(ValueError, match="validation must hold at least one image"):
        train.fit(tiny(), noise(), validation=[], **arguments)
    with pytest.raises(TypeError, match=r"give a posecourse\.samples\.Sample when it is indexed; got Tensor"):
        train.fit(tiny(), torch.rand(4, 3, 8, 12), **arguments)


def test_training_edits_no_data() -> None:
    """Is the data after training what it was before?"""
    data = noise()
    before = data.images.clone(), data.keypoints.clone()
    train.fit(tiny(), data, config=CONFIG, generator=seeding.generator(1), augment=train.Augment(), device="cpu")
    assert torch.equal(data.images, before[0])
    assert torch.equal(data.keypoints, before[1])


def test_afterwards_the_network_is_ready_to_predict() -> None:
    """Is a trained network in evaluation mode, also when training was broken off?"""
    assert not trained()[0].training
    network = tiny()

    def broken(answer: Any, sample: Sample) -> Tensor:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        train.fit(network, noise(), broken, CONFIG, generator=seeding.generator(1), device="cpu")
    assert not network.training


def test_a_loss_that_is_not_a_number_ends_the_run(tmp_path: Path) -> None:
    """Is a NaN named with its step, and kept out of the checkpoint?"""
    calls = iter([False, False, False, True, True, True])

    def loss(answer: models.HeatmapAnswer, sample: Sample) -> Tensor:
        return answer.heatmaps.mean() * (torch.nan if next(calls) else 1.0)

    file = tmp_path / "run.safetensors"
    with pytest.raises(FloatingPointError, match="the loss of step 4 is nan"):
        train.fit(tiny(), noise(), loss, CONFIG, generator=seeding.generator(1), device="cpu", checkpoint=file)
    network = train.load_network(file)
    assert all(value.isfinite().all() for value in network.state_dict().values())


def test_cpu_seconds_are_booked_where_they_are_spent() -> None:
    """Is the time of a slow augmentation counted as the data's, and that of a slow loss as training?"""

    def burn(seconds: float) -> None:
        end = time.process_time() + seconds
        while time.process_time() < end:
            pass

    def slow(sample: Sample, generator: torch.Generator) -> Sample:
        burn(0.03)
        return sample

    def loss(answer: models.HeatmapAnswer, sample: Sample) -> Tensor:
        burn(0.05)
        return answer.heatmaps.square().mean()

    arguments: dict[str, Any] = {"config": train.TrainConfig(steps=5, batch_size=4), "device": "cpu"}
    history = train.fit(tiny(), noise(), loss, generator=seeding.generator(1), augment=slow, **arguments)
    assert history.data_seconds >= 5 * 0.03
    assert history.training_seconds >= 5 * 0.05
    assert history.validation_seconds == 0


def test_the_learning_rate_rises_and_falls() -> None:
    """Is the rate a line up and a cosine down, half of the highest on average, and 0 at the end?"""
    rates = [train.one_cycle(step, 1000, 0.2) for step in range(1000)]
    assert abs(sum(rates) / 1000 - 0.5) < 1e-6  # both halves are their own mirror image
    assert rates.index(max(rates)) in (199, 200)
    assert abs(rates[99] - 0.4975) < 1e-12
    assert abs(rates[600] - 0.5) < 2e-3
    assert 0 < rates[-1] < 1e-5


def test_weights_decay_as_asked() -> None:
    """Does a weight that the loss does not ask for shrink by its learning rate times the decay, step after step?"""
    layer = nn.Conv2d(3, 1, 1)
    before = layer.weight.detach().clone()
    config = train.TrainConfig(steps=5, batch_size=4, learning_rate=0.1, weight_decay=0.5, warmup=0.0)
    train.fit(layer, noise(), lambda answer, _: 0 * answer.sum(), config, generator=seeding.generator(1), device="cpu")
    # One cycle without warm-up: rates of (1 + cos πt)/2 at t = 0.1, 0.3, 0.5, 0.7, 0.9 of the highest.
    share = math.prod(1 - 0.5 * 0.1 * (1 + math.cos(math.pi * t)) / 2 for t in (0.1, 0.3, 0.5, 0.7, 0.9))
    assert torch.allclose(layer.weight, share * before, rtol=1e-5)


def test_squared_gradients_are_forgotten_as_asked() -> None:
    """After two steps of one gradient g, is AdamW's mean of squares (1 − β₂²) g²?"""
    layer = nn.Conv2d(3, 2, 1)
    run = train.Run(layer, train.TrainConfig(steps=2, batch_size=4, square_memory=0.7), seeding.generator(1), 11)
    for _ in range(2):
        run.advance(noise(), lambda answer, _: 3 * answer[:, 0, 0, 0].sum())  # g of the bias: 3 · 4 images, and 0
    squares = run.optimizer.state[layer.bias]["exp_avg_sq"]
    assert torch.allclose(squares, (1 - 0.7**2) * torch.tensor([12.0, 0.0]) ** 2)


def test_mixed_precision_keeps_float32_weights() -> None:
    """Does bfloat16 train float32 parameters, to about the same loss?"""
    config = train.TrainConfig(epochs=3, batch_size=4, learning_rate=1e-3, precision="bfloat16")
    network, history = trained(config)
    assert {value.dtype for value in network.parameters()} == {torch.float32}
    plain = trained(train.TrainConfig(epochs=3, batch_size=4, learning_rate=1e-3))[1]
    assert history.loss != plain.loss
    assert history.loss == pytest.approx(plain.loss, rel=0.1)


# Scores


def test_scores_of_a_known_miss() -> None:
    """Is a miss of (3, 4) pixels an error of 5, and correct exactly from 5 / 10 of the box's longer side on?"""
    data = noise()
    scores = train.evaluate(Offset(data, (3.0, 4.0)), data)
    assert torch.allclose(scores.errors_px, torch.tensor(5.0), atol=1e-5)
    assert scores.mean_error_px() == pytest.approx(5.0, abs=1e-5)
    assert scores.rmse_px() == pytest.approx(5.0, abs=1e-5)
    assert (scores.pck(0.499), scores.pck(0.501)) == (0.0, 1.0)


def test_scores_count_what_can_be_seen() -> None:
    """Do hidden and unlabelled keypoints stay out of the scores, unless they are asked for?"""
    data = noise()
    wrong = torch.where(data.visible[..., None], data.keypoints, data.keypoints + 100)

    class Seer:
        def predict(self, images: Tensor) -> Tensor:
            return wrong

    scores = train.evaluate(Seer(), data)
    assert scores.pck(0.01) == 1.0
    assert scores.mean_error_px() == 0.0
    share = float(data.visible.sum() / data.labelled.sum())
    assert scores.pck(0.01, scores.labelled) == pytest.approx(share)
    assert torch.equal(scores.labelled, data.labelled)


def test_scores_do_not_depend_on_the_batches() -> None:
    """Are predictions the same whether images come one by one or all at once?"""
    network = tiny().eval()
    few, many = (train.evaluate(network, noise(), batch_size=n) for n in (3, 100))
    assert torch.allclose(few.predicted_px, many.predicted_px, atol=1e-4)


def test_scores_of_a_crowd(as_a_user: None) -> None:
    """Is a crowd refused, with the way to single people?"""
    data = noise(2)
    crowd = Sample(
        images=data.images,
        keypoints=data.keypoints[:, None],
        visibility=data.visibility[:, None],
        boxes=data.boxes[:, None],
        areas=data.areas[:, None],
        present=torch.ones(2, 1, dtype=torch.bool),
        skeleton=SKELETON,
    )
    with pytest.raises(ValueError, match="crop_people"):
        train.evaluate(tiny(), crowd)


# Augmentation


def blobs(count: int = 6) -> Sample:
    """Return images with a blob of one colour around each of three keypoints."""
    y, x = torch.meshgrid(torch.arange(48.0), torch.arange(64.0), indexing="ij")
    keypoints = torch.tensor([[25.3, 20.2], [40.6, 17.4], [31.8, 30.9]]).repeat(count, 1, 1)
    keypoints = keypoints + torch.rand(count, 3, 2, generator=seeding.generator(0))
    away = (x - keypoints[..., 0, None, None]) ** 2 + (y - keypoints[..., 1, None, None]) ** 2
    sample = noise(count, (48, 64))
    return Sample(
        images=torch.exp(-away / 8),
        keypoints=keypoints,
        visibility=torch.full((count, 3), 2, dtype=torch.uint8),
        boxes=sample.boxes,
        areas=sample.areas,
        skeleton=SKELETON,
    )


def centroids(images: Tensor) -> Tensor:
    """Return the centre (x, y) of each channel's light."""
    H, W = images.shape[-2:]
    share = images / images.sum((-2, -1), keepdim=True)
    return torch.stack([share.sum(-2) @ torch.arange(W).float(), share.sum(-1) @ torch.arange(H).float()], dim=-1)


@pytest.mark.parametrize("mirror", [0.0, 1.0])
def test_keypoints_follow_the_picture(mirror: float) -> None:
    """After every augmentation, is each keypoint where its blob is, left and right exchanged in a mirror?"""
    before = blobs()
    after = train.Augment(mirror, degrees=25, scale=0.2, shift=0.05)(before, seeding.generator(3))
    found = centroids(after.images)
    if mirror:
        found = found[:, [1, 0, 2]]  # what was painted for the left eye is the right eye's now
    assert (found - after.keypoints).abs().max() < 0.1
    assert (after.keypoints - before.keypoints).abs().amin((1, 2)).max() > 0.1
    moves = after.keypoints - before.keypoints
    assert (moves[0] - moves[1]).abs().max() > 1  # each image has its own map


def test_nothing_moves_further_than_allowed() -> None:
    """Is the turn about the images' centre, and each change within its bounds?"""
    before = blobs(50)
    centre = torch.tensor([31.5, 23.5])

    def polar(augment: train.Augment) -> tuple[Tensor, Tensor, Tensor]:
        after = augment(before, seeding.generator(3)).keypoints
        ways = [torch.view_as_complex((points - centre).contiguous()) for points in (before.keypoints, after)]
        moved = (after - before.keypoints).abs().flatten(0, 1) / torch.tensor([64, 48])
        return (ways[1] / ways[0]).angle().rad2deg(), ways[1].abs() / ways[0].abs(), moved

    turn, scale, _ = polar(train.Augment(0, degrees=25, scale=0, shift=0))
    assert 20 < turn.abs().max() <= 25.001
    assert torch.allclose(scale, torch.ones(1), atol=1e-4)
    turn, scale, _ = polar(train.Augment(0, degrees=0, scale=0.2, shift=0))
    assert turn.abs().max() < 1e-3
    assert 1 / 1.2001 < scale.min() < 1 / 1.1
    assert 1.1 < scale.max() < 1.2001
    _, _, moved = polar(train.Augment(0, degrees=0, scale=0, shift=0.05))
    assert 0.04 < moved.max() < 0.05001


def test_half_of_the_images_are_mirrored() -> None:
    """Is a mirror image as likely as not, and the rest untouched, with the way back to the source right for both?"""
    before = blobs(400)
    after = train.Augment(0.5, 0, 0, 0)(before, seeding.generator(0))
    mirrored = (after.images != before.images).flatten(1).any(1)
    assert 150 < mirrored.sum() < 250  # five standard deviations of 10
    assert torch.equal(after.keypoints[~mirrored], before.keypoints[~mirrored])
    back = after.keypoints @ after.to_source[:, :2, :2].mT + after.to_source[:, None, :2, 2]
    back = torch.where(mirrored[:, None, None], back[:, [1, 0, 2]], back)
    assert torch.allclose(back, before.keypoints, atol=1e-4)


def test_no_augmentation_is_none() -> None:
    """Does an augmentation of nothing change nothing?"""
    sample = blobs()
    same = train.Augment(0, 0, 0, 0)(sample, seeding.generator(0))
    assert torch.equal(same.images, sample.images)
    assert torch.equal(same.keypoints, sample.keypoints)


def test_colours_change_and_nothing_else() -> None:
    """Has each image factors of its own within the bounds, for brightness, contrast and saturation, and only those?"""
    grey = replace(blobs(60), images=torch.full((60, 3, 48, 64), 0.3))  # no contrast, no colour
    one = train.Augment(0, 0, 0, 0, colour=0.25)(grey, seeding.generator(5))
    assert torch.equal(one.keypoints, grey.keypoints)
    brightness = one.images[:, 0, 0, 0] / 0.3
    assert torch.allclose(one.images, one.images[:, :1, :1, :1], atol=1e-6)
    assert 1 / 1.2501 < brightness.min() < 0.85
    assert 1.15 < brightness.max() < 1.2501
    stripes = torch.tensor([0.2, 0.4]).repeat(32) + torch.tensor([0.1, 0.0, -0.1])[:, None, None].expand(3, 48, 1)
    two = train.Augment(0, 0, 0, 0, colour=0.25)(
        replace(grey, images=stripes.expand(60, 3, 48, 64)), seeding.generator(5)
    )
    contrast = (two.images[:, :, 0, 1] - two.images[:, :, 0, 0]).mean(1) / 0.2 / brightness
    saturation = (two.images[:, 0, 0, 0] - two.images[:, 2, 0, 0]) / 0.2 / brightness / contrast
    for factor in (contrast, saturation):
        assert 1 / 1.2501 < factor.min() < 0.85
        assert 1.15 < factor.max() < 1.2501
    assert torch.corrcoef(torch.stack([brightness, contrast, saturation]).log()).fill_diagonal_(0).abs().max() < 0.5


# Who sees what


class Terminal(io.StringIO):
    """A stream that says that somebody watches it."""

    def isatty(self) -> bool:
        """Say so."""
        return True


Notebook = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Be in a folder that is not the student's."""
    monkeypatch.delenv("POSECOURSE_WORK", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_silence_where_nobody_watches(outside: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    """Is nothing written to a pipe, and nothing to a notebook that is being built?"""
    trained()
    monkeypatch.setattr(sys, "stdout", Notebook())
    trained()
    assert sys.stdout.getvalue() == ""
    assert tuple(capfd.readouterr()) == ("", "")


def test_one_line_where_somebody_watches(outside: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    """In a terminal, and in a notebook in the student's folder, is there one line that ends with the last step?"""
    monkeypatch.setattr(sys, "stdout", Terminal())
    trained(validation=noise(5, seed=9))
    in_terminal = sys.stdout.getvalue()
    (outside / ".posecourse").touch()
    monkeypatch.setattr(sys, "stdout", Notebook())
    trained()
    for text in (in_terminal, sys.stdout.getvalue()):
        assert text.startswith("\r")
        assert text.count("\n") == 1
        assert "step 6 of 6" in text.rpartition("\r")[2]
    assert "PCK@0.1" in in_terminal
    monkeypatch.setattr(sys, "stdout", Terminal())
    trained(progress=False)
    assert sys.stdout.getvalue() == ""
    assert tuple(capfd.readouterr()) == ("", "")


def test_a_second_interrupt_does_not_wait() -> None:
    """Does Ctrl-C twice end a step that hangs, and is the handler what it was before?"""
    before = signal.getsignal(signal.SIGINT)
    reached = []

    def loss(answer: models.HeatmapAnswer, sample: Sample) -> Tensor:
        signal.raise_signal(signal.SIGINT)
        reached.append("after the first")
        signal.raise_signal(signal.SIGINT)
        reached.append("after the second")
        return answer.heatmaps.mean()

    with pytest.raises(KeyboardInterrupt):
        train.fit(tiny(), noise(), loss, CONFIG, generator=seeding.generator(1), device="cpu")
    assert reached == ["after the first"]
    assert signal.getsignal(signal.SIGINT) is before


def test_settings_out_of_range(as_a_user: None) -> None:
    """Does each wrong number get an error that names it?"""
    for name, value in {
        "epochs": 0, "steps": 0, "batch_size": 0, "checkpoint_every": 0, "learning_rate": 0.0,
        "weight_decay": -1.0, "square_memory": 1.0, "warmup": 1.0,
    }.items():  # fmt: skip
        with pytest.raises(ValueError, match=name):
            train.TrainConfig(**{name: value})  # type: ignore[arg-type]
    for name, value in {"mirror": 1.5, "degrees": -1, "scale": -0.1, "shift": -0.1}.items():
        with pytest.raises(ValueError, match=name):
            train.Augment(**{name: value})
