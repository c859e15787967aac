"""The networks: shapes, frames, gradients, modes, and heads that can learn what they are asked."""

from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from posecourse import losses, models, seeding
from posecourse.samples import Sample
from posecourse.skeletons import Skeleton

SIZE = (28, 20)  # stride 4: a map of 7×5, odd both ways
STRIDE = 4
heads = pytest.mark.parametrize("head", models.HEADS)
every_head = pytest.mark.parametrize("head", [*models.HEADS, "tags"])


def labelled(size: tuple[int, int] = SIZE, B: int = 2, K: int = 3, margin: float = 4.7) -> Sample:
    """Return noise images with keypoints at sub-pixel places, `margin` pixels inside where there is room."""
    random = seeding.generator(0)
    H, W = size
    inner = (torch.tensor([W, H]) - 2 * margin).clamp(min=0)
    return Sample(
        images=torch.rand(B, 3, H, W, generator=random),
        keypoints=torch.rand(B, K, 2, generator=random) * inner + margin,
        visibility=torch.full((B, K), 2, dtype=torch.uint8),
        boxes=torch.tensor([-0.5, -0.5, W, H]).repeat(B, 1),
        areas=torch.full((B,), float(H * W)),
        skeleton=Skeleton(tuple(f"point_{k}" for k in range(K))),
    )


def small(head: models.HeadName, seed: int = 0, **options: Any) -> models.PoseNetwork:
    """Return a network for `labelled()`."""
    return models.build(head, **{"size": SIZE, "keypoints": 3, "width": 8} | options, generator=seeding.generator(seed))


# What a perfect answer is, written down in pixels: cell i of stride 4 has its centre at pixel 4i + 1.5.


def pixels_of_cells(size: tuple[int, int]) -> Tensor:
    """Return (h w 2): the pixel (x, y) in the middle of every cell."""
    x, y = (torch.arange(n // STRIDE) * STRIDE + (STRIDE - 1) / 2 for n in (size[1], size[0]))
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)


def perfect(head: models.HeadName, keypoints_px: Tensor, size: tuple[int, int]) -> Any:
    """Return the answer that says exactly `keypoints_px`, computed without the package's own frames."""
    H, W = size
    features = torch.zeros(len(keypoints_px), 16, H // STRIDE, W // STRIDE)
    way = keypoints_px[:, :, None, None] - pixels_of_cells(size)  # (B K h w 2) in pixels
    blobs = torch.exp(-(way**2).sum(-1) / (2 * STRIDE**2))  # σ is one cell
    match head:
        case "pooled" | "grid":
            unit = (keypoints_px + 0.5) / torch.tensor([W, H])
            return models.RegressionAnswer(features, torch.zeros(len(features), 5), unit)
        case "heatmap":
            return models.HeatmapAnswer(features, blobs)
        case "tags":
            return models.TagAnswer(features, blobs, torch.zeros(*blobs.shape[:2], 1, H // STRIDE, W // STRIDE))
        case "visibility":
            return models.VisibilityAnswer(features, blobs, torch.full(keypoints_px.shape[:2], 30.0))  # all are seen
        case "offset":
            return models.OffsetAnswer(features, blobs, way.movedim(-1, 2) / STRIDE)
    return None


@heads
@pytest.mark.parametrize("size", [(28, 20), (64, 48), (4, 8), (16, 36)])
def test_any_size_that_the_stride_divides(head: models.HeadName, size: tuple[int, int]) -> None:
    """Are there K keypoints for each image, features at stride 4, and one finite loss a keypoint?"""
    network = small(head, size=size, keypoints=5)
    sample = labelled(size, K=5)
    answer = network(sample.images)
    assert answer.features.shape == (2, 16, size[0] // 4, size[1] // 4)
    assert network.predict(sample.images).shape == (2, 5, 2)
    assert network.head.loss(answer, sample).shape == (2, 5)
    assert network.head.loss(answer, sample).isfinite().all()


@pytest.mark.parametrize("head", [name for name in models.HEADS if name != "grid"])
def test_a_network_takes_another_size_than_it_was_built_for(head: models.HeadName) -> None:
    """Can a network be used on images of another size, if its head has no weight for each cell?"""
    assert small(head).predict(torch.rand(2, 3, 40, 16)).shape == (2, 3, 2)


@every_head
def test_gradients_reach_every_parameter(head: models.HeadName) -> None:
    """Does each weight have a part in the loss, so that none is dead?"""
    network, sample = small(head, dropout=0.2).train(), labelled(B=4)
    network.head.loss(network(sample.images), sample).sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("head", [*(name for name in models.HEADS if name != "integral"), "tags"])
def test_a_perfect_answer_is_the_truth(head: models.HeadName) -> None:
    """Does an answer that was written down in pixels come back as those pixels, with a loss of nothing?"""
    sample = labelled((64, 48), B=8, margin=13.3)  # three σ inside: at the border a blob is cut off, and read as such
    network = small(head, size=(64, 48))
    answer = perfect(head, sample.keypoints, (64, 48))
    found = network.head.read(answer)
    assert (found.keypoints_px - sample.keypoints).abs().max() < 1e-3
    assert network.head.loss(answer, sample).max() < 1e-6


def test_integral_regression_answers_with_the_mean() -> None:
    """Is half of the mass at one cell and half at another the place half-way between them, in pixels?"""
    network = small("integral")
    nn.init.zeros_(network.head.logits.weight)
    answer = network.head(torch.zeros(2, 16, 7, 5))
    assert torch.allclose(network.head.read(answer).keypoints_px, torch.tensor([9.5, 13.5]))
    logits = torch.full((2, 3, 7, 5), -1e4)
    logits[..., 1, 0] = logits[..., 4, 2] = 0.0  # the cells around pixels (1.5, 5.5) and (9.5, 17.5)
    network.head.logits = Constant(logits)
    answer = network.head(torch.zeros(2, 16, 7, 5))
    assert torch.allclose(network.head.read(answer).keypoints_px, torch.tensor([5.5, 11.5]))


class Constant(nn.Module):
    """A layer that answers the same whatever it is given."""

    def __init__(self, value: Tensor) -> None:
        super().__init__()
        self.value = value

    def forward(self, _: Tensor) -> Tensor:
        """Return the value."""
        return self.value


@heads
def test_one_batch_can_be_learnt_by_heart(head: models.HeadName) -> None:
    """Does training on two images bring every keypoint within a quarter pixel, so that no frame is half a pixel off?"""
    network, sample = small(head).train(), labelled()
    optimizer = torch.optim.Adam(network.parameters())
    for step in range(150):
        optimizer.param_groups[0]["lr"] = 0.01 * (1 - step / 150)
        optimizer.zero_grad()
        network.head.loss(network(sample.images), sample).mean().backward()
        optimizer.step()
    found = network.head.read(network(sample.images)).keypoints_px
    assert (found - sample.keypoints).norm(dim=-1).max() < 0.25


@pytest.mark.parametrize("layer", [nn.Linear(9, 4), nn.Conv2d(9, 4, 1), nn.Conv2d(1, 4, 3, padding=1)])
def test_a_damped_layer_answers_less(layer: nn.Linear | nn.Conv2d) -> None:
    """Is the answer of a layer of nine inputs a third of what it was, its bias included?"""
    inputs = torch.rand(
        (2, 9) if isinstance(layer, nn.Linear) else (2, layer.in_channels, 7, 5), generator=seeding.generator(0)
    )
    assert torch.allclose(3 * models.Damped(layer)(inputs), layer(inputs), atol=1e-6)


@pytest.mark.parametrize(("damped", "step"), [(True, 0.065 / 8), (False, 0.065)])
def test_what_a_step_of_adam_does_to_an_answer(damped: bool, step: float) -> None:
    """Adam moves every weight by its rate: does an answer to 64 inputs of 1 move by 65 rates, damped by an eighth?"""
    layer = nn.Linear(64, 4)
    network = models.Damped(layer) if damped else layer
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    before = network(torch.ones(64))
    (before - 7).square().sum().backward()
    optimizer.step()
    assert torch.allclose(network(torch.ones(64)) - before, torch.full((4,), step), rtol=1e-3)


def test_only_near_cells_are_asked_for_offsets() -> None:
    """Is the loss of offsets the mean over the cells within the radius, whatever the others say, and 0 without any?"""
    sample = labelled((64, 48), B=1, K=2, margin=13.3)
    sample.keypoints[0, 1] = torch.tensor([-900.0, 20.0])  # no cell is near it
    head = models.OffsetHead(channels=4, keypoints=2, radius=2.0, weight=0.5)
    answer = perfect("offset", sample.keypoints, (64, 48))
    way = (sample.keypoints[:, :, None, None] - pixels_of_cells((64, 48))) / STRIDE  # (1 2 16 12 2) in cells
    near = way.square().sum(-1) <= 4
    wrong = answer.offsets + torch.where(near, 3.0, 1e3)[:, :, None]  # smooth L1 of 3 along x and y: 2.5 each
    loss = head.loss(answer._replace(offsets=wrong), sample)
    assert near.sum((-2, -1))[0, 0] > 8
    assert torch.allclose(loss, torch.tensor([[0.5 * 5, 0]]), atol=1e-5)


def test_a_vote_counts_however_unsure_its_cell_is() -> None:
    """Where every confidence is below 0, is the surest cell's vote taken, and its confidence the score?"""
    truth_px = labelled((64, 48), B=1, K=2, margin=13.3).keypoints
    answer = perfect("offset", truth_px, (64, 48))
    reading = models.OffsetHead(channels=4, keypoints=2).read(answer._replace(confidences=answer.confidences - 2))
    torch.testing.assert_close(reading.keypoints_px, truth_px, atol=1e-3, rtol=0)
    assert (reading.scores < 0).all()


@heads
def test_a_keypoint_has_its_own_loss(head: models.HeadName) -> None:
    """Does moving the truth of one keypoint of one image change that one loss and no other?"""
    network, sample = small(head), labelled()
    answer = network(sample.images)
    before = network.head.loss(answer, sample)
    sample.keypoints[1, 2, 0] += 3.0  # along both axes, a fall in x could pay for a rise in y
    changed = network.head.loss(answer, sample) != before
    assert changed.nonzero().tolist() == [[1, 2]]


@every_head
def test_one_seed_makes_one_network(head: models.HeadName) -> None:
    """Are the parameters the generator's and nothing else's, and are torch's own generators left alone?"""
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = small(head, seed=3).state_dict()
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    assert all(torch.equal(value, first[name]) for name, value in small(head, seed=3).state_dict().items())
    assert not all(torch.equal(value, first[name]) for name, value in small(head, seed=4).state_dict().items())


def test_all_heads_start_from_one_backbone() -> None:
    """Does a comparison of heads from one seed start from the same backbone?"""
    first, *others = (small(head).backbone.state_dict() for head in (*models.HEADS, "tags"))
    for other in others:
        assert all(torch.equal(first[name], other[name]) for name in first)


def test_the_backbone_has_no_preferred_side() -> None:
    """With kernels that are their own mirror images, does a mirrored image have mirrored features?

    A stride-2 kernel of 3 samples half a pixel beside the middle and fails here.
    """
    backbone = small("heatmap").backbone.eval()
    with torch.no_grad():
        for module in backbone.modules():
            if isinstance(module, nn.Conv2d):
                weight = module.weight + module.weight.flip(-1)
                module.weight.copy_(weight + weight.flip(-2))
    images = labelled((32, 48)).images
    for axis in (-1, -2):
        assert torch.allclose(backbone(images.flip(axis)), backbone(images).flip(axis), atol=1e-4)


def test_features_move_with_the_image() -> None:
    """Does a shift by the deepest stride, 16 pixels, move the features by 4 cells, away from the borders?"""
    backbone = small("heatmap").backbone.eval()
    wide = torch.rand(1, 3, 192, 208, generator=seeding.generator(0))
    here, there = backbone(wide[..., :192]), backbone(wide[..., 16:])
    assert torch.allclose(here[..., 20:-20, 24:-20], there[..., 20:-20, 20:-24], atol=1e-5)
    assert not torch.allclose(here[..., 20:-20, 23:-21], there[..., 20:-20, 20:-24], atol=1e-2)


@every_head
def test_float64_stays_float64(head: models.HeadName) -> None:
    """Does a network follow the type of its parameters?"""
    assert small(head).double().predict(labelled().images.double()).dtype == torch.float64


@every_head
def test_half_precision_answers_in_full(head: models.HeadName) -> None:
    """Are keypoints and losses float32 under mixed precision, where bfloat16 could not tell 33.1 from 33?"""
    network, sample = small(head).train(), labelled()
    with torch.autocast("cpu", torch.bfloat16):
        answer = network(sample.images)
    assert network.head.read(answer).keypoints_px.dtype == torch.float32
    assert network.head.loss(answer, sample).dtype == torch.float32


@every_head
def test_predicting_changes_nothing(head: models.HeadName) -> None:
    """Does a network in training mode predict as in evaluation mode, and is it afterwards what it was?"""
    images = labelled().images
    network = small(head, dropout=0.5).train()
    network(images)  # batch norm's statistics are no longer those of the start
    network.backbone.stem.eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    found = network.predict(images)
    assert network.training
    assert not network.backbone.stem.training
    assert not found.requires_grad
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.equal(found, network.eval().predict(images))


def test_dropout_can_be_switched_on_alone() -> None:
    """Does `predict` leave dropout on where somebody switched it on, for many samples of one prediction?"""
    images, network = labelled().images, small("integral", dropout=0.5).eval()
    assert torch.equal(network.predict(images), network.predict(images))
    network.backbone.dropout.train()
    with seeding.fork(seeding.generator(0)):
        assert not torch.equal(network.predict(images), network.predict(images))


def test_without_dropout_there_is_no_dropout_layer() -> None:
    """Is a network without dropout told apart from one with, by looking for its layers?"""

    def layers(p: float) -> int:
        return sum(isinstance(module, nn.Dropout2d) for module in small("heatmap", dropout=p).modules())

    assert (layers(0.0), layers(0.1)) == (0, 1)


def test_the_heads_have_comparable_sizes() -> None:
    """At the lesson's size, has each network about 200 000 parameters, and is the difference the head's?"""
    networks = [models.build(head, generator=seeding.generator(0)) for head in models.HEADS]
    counts = [models.parameter_counts(network) for network in networks]
    for network, count in zip(networks, counts, strict=True):
        assert count.total == count.backbone + count.head == sum(p.numel() for p in network.parameters())
    assert len({count.backbone for count in counts}) == 1
    assert max(count.total for count in counts) < 1.2 * min(count.total for count in counts)
    assert 180_000 < counts[0].backbone < 230_000


class Spread(NamedTuple):
    """Coordinates with a variance."""

    features: Tensor
    keypoints_px: Tensor
    variances: Tensor


class SpreadHead(models.Head[Spread]):
    """A head that the package does not have: it also says how sure it is."""

    def __init__(self, channels: int, keypoints: int, stride: int) -> None:
        super().__init__(keypoints, stride)
        self.layer = nn.Linear(channels, 4 * keypoints)

    def forward(self, features: Tensor) -> Spread:
        """Return means and variances."""
        places, spreads = self.layer(features.mean((-2, -1))).unflatten(-1, (-1, 4)).split(2, dim=-1)
        return Spread(features, 10 * (places + 1), spreads.exp())

    def read(self, answer: Spread) -> models.Reading:
        """Return the means."""
        return models.Reading(answer.keypoints_px, 1 / answer.variances.sum(-1))

    def loss(self, answer: Spread, sample: Sample) -> Tensor:
        """Return the likelihood."""
        return losses.gaussian_nll(answer.keypoints_px, sample.keypoints, answer.variances)


def test_a_head_of_ones_own() -> None:
    """Does a head that the package has never seen work in the network and predict?"""
    backbone = models.UNet(8)
    network = models.PoseNetwork(backbone, SpreadHead(backbone.channels, 3, backbone.stride))
    sample = labelled()
    network.head.loss(network(sample.images), sample).sum().backward()
    assert network.predict(sample.images).shape == (2, 3, 2)
    assert network.recipe is None


def test_images_that_do_not_fit(as_a_user: None) -> None:
    """Does each kind of wrong image get an error that says what to do?"""
    network = small("heatmap")
    with pytest.raises(ValueError, match=r"stride 4 divides; got \(30, 20\).*for example to \(32, 20\)"):
        network(torch.rand(2, 3, 30, 20))
    with pytest.raises(ValueError, match=r"images\[None\]"):
        network(torch.rand(3, 28, 20))
    with pytest.raises(ValueError, match=r"\(B, 3, H, W\); got \(2, 1, 28, 20\)"):
        network(torch.rand(2, 1, 28, 20))
    with pytest.raises(TypeError, match="Divide bytes by 255"):
        network(torch.zeros(2, 3, 28, 20, dtype=torch.uint8))
    with pytest.raises(ValueError, match=r"built for, \(28, 20\); got images of \(32, 20\)"):
        small("grid")(torch.rand(2, 3, 32, 20))


@heads
def test_people_that_do_not_fit(head: models.HeadName, as_a_user: None) -> None:
    """Does a crowd, or another number of keypoints, get an error instead of a wrong loss?"""
    network, sample = small(head), labelled()
    answer = network(sample.images)
    with pytest.raises(ValueError, match="keypoints=5"):
        network.head.loss(answer, labelled(K=5))
    crowd = Sample(
        images=sample.images,
        keypoints=sample.keypoints[:, None],
        visibility=sample.visibility[:, None],
        boxes=sample.boxes[:, None],
        areas=sample.areas[:, None],
        present=torch.ones(2, 1, dtype=torch.bool),
        skeleton=sample.skeleton,
    )
    with pytest.raises(ValueError, match="crop_people"):
        network.head.loss(answer, crowd)


def test_settings_that_do_not_fit(as_a_user: None) -> None:
    """Does each wrong setting get an error that says what is right?"""
    with pytest.raises(ValueError, match="pooled, grid, integral, offset, heatmap, visibility, tags; got 'headmap'"):
        small("headmap")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="multiples of the stride 4"):
        small("heatmap", size=(30, 20))
    with pytest.raises(ValueError, match="dropout must be a probability"):
        small("heatmap", dropout=1.0)
    with pytest.raises(ValueError, match="sigma must be positive"):
        small("heatmap", sigma=0.0)
    with pytest.raises(ValueError, match="width must be a positive whole number"):
        small("heatmap", width=0)
    with pytest.raises(ValueError, match="one stride; got 4 and 8"):
        models.PoseNetwork(models.UNet(8), models.HeatmapHead(16, 3, stride=8))


def test_visibility_asks_for_what_is_seen_alone() -> None:
    """Is the logit's loss −ln of the probability of the truth, v = 2 or not, wherever the keypoint is?"""
    network, sample = small("visibility"), labelled()
    sample.visibility[0] = torch.tensor([2, 1, 0])
    answer = network(sample.images)._replace(logits=torch.tensor([[0.7, -0.4, 1.9]] * 2))
    chance = torch.sigmoid(torch.tensor([[0.7, 0.4, -1.9], [0.7, -0.4, 1.9]]))
    assert torch.allclose(network.head.visibility_loss(answer, sample), -chance.log())
    assert torch.allclose(network.head.read(answer).scores, torch.sigmoid(answer.logits))


def test_visibility_leaves_places_alone() -> None:
    """Are the heatmaps trained as those of a heatmap head, NaN at one keypoint no matter to the others?"""
    network, sample = small("visibility"), labelled()
    answer = network(sample.images)
    plain = models.HeatmapHead(16, 3)
    asked = plain.loss(models.HeatmapAnswer(answer.features, answer.heatmaps), sample)
    assert torch.equal(network.head.heatmap_loss(answer, sample), asked)
    both = network.head.heatmap_loss(answer, sample) + 0.02 * network.head.visibility_loss(answer, sample)
    assert torch.allclose(network.head.loss(answer, sample), both)
