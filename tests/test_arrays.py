"""Does every public function that wants a tensor say so when it gets a NumPy array?"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from posecourse import (
    calibration,
    coords,
    decode,
    equivariance,
    grouping,
    heatmaps,
    losses,
    metrics,
    samples,
    transforms,
    uncertainty,
)
from posecourse.skeletons import COCO17

MODULES = (calibration, coords, decode, equivariance, grouping, heatmaps, losses, metrics, transforms, uncertainty)
SIZE = (5, 7)
POINTS, MAPS, MASK = torch.ones(2, 17, 2), torch.rand(2, 17, 5, 7), torch.ones(2, 17, dtype=torch.bool)
MATRIX, IMAGES = torch.eye(3).repeat(2, 1, 1), torch.rand(2, 3, 5, 7)
FIELDS: dict[str, Any] = {
    "images": IMAGES,
    "keypoints": POINTS,
    "visibility": torch.ones(2, 17, dtype=torch.uint8),
    "boxes": torch.ones(2, 4),
    "areas": torch.ones(2),
}
GOOD: dict[str, Any] = {
    **dict.fromkeys(("points", "keypoints", "predicted", "truth", "variances", "scales", "errors"), POINTS),
    **dict.fromkeys(("heatmaps", "logits", "target", "p", "q"), MAPS),
    **dict.fromkeys(("probabilities",), MAPS / MAPS.sum((-1, -2), keepdim=True)),
    **dict.fromkeys(("second", "first", "matrix"), MATRIX),
    **dict.fromkeys(("box", "boxes"), torch.ones(2, 4)),
    **dict.fromkeys(("sigma", "temperature", "blur_sigma", "stride"), 1.5),
    **dict.fromkeys(("split", "limit", "radius"), 1),
    "temperatures": [0.5, 1.5],
    "values": torch.ones(2, 17),
    "mask": MASK,
    "area": torch.ones(2),
    "sigmas": COCO17.sigmas,
    "reference_length": torch.ones(2),
    "threshold": 0.5,
    "covariances": torch.eye(2).expand(2, 17, 2, 2),
    "levels": [0.5],
    "outcomes": torch.arange(34).view(2, 17) > 15,
    "vectors": heatmaps.SimCC(torch.rand(2, 17, 7), torch.rand(2, 17, 5)),
    "degrees": torch.tensor([10.0, 20.0]),
    "like": IMAGES,
    "images": IMAGES,
    "tags": torch.rand(2, 3, 17, 4),
    "scores": torch.rand(2, 17),
    "max_people": 2,
    "reach": 3.0,
    "peaks": decode.Peaks(torch.ones(2, 17, 3, 2), torch.ones(2, 17, 3)),
    "tag_maps": torch.rand(2, 17, 4, 5, 7),
    "keypoints_cell": torch.ones(2, 3, 17, 2),
    "size": SIZE,
    "skeleton": COCO17,
    "sample": samples.Sample(**FIELDS),
    "model": SimpleNamespace(predict=lambda images: POINTS),
    "features": torch.rand(2, 3, 4, 5, 7),
    **dict.fromkeys(("quarters", "n", "kernel"), 3),
    **dict.fromkeys(("level", "c"), 0.5),
    **dict.fromkeys(("samples", "dimensions"), 2),
    "fractions": [0.0, 0.5],
    "rates": [0.1, 0.5],
    "means": POINTS,
    "generator": torch.Generator(),
}
RANKED, DROPPED = (
    ("sparsification", "ause", "rank_correlation"),
    ("mc_dropout", "mc_dropout_gaussian", "mc_dropout_at_rates"),
)


class Dropping(nn.Dropout):
    """Answers the same whatever it is asked."""

    def predict(self, images: Tensor) -> Tensor:
        """Return points."""
        return POINTS[:1].expand(len(images), -1, -1)


OWN = {  # where a name means something else in this one function
    "heatmap_mse": {"predicted": MAPS},
    "reliability": {"probabilities": torch.rand(2, 17)},
    "expected_calibration_error": {"probabilities": torch.rand(2, 17)},
    "temperature_scale": {"logits": torch.linspace(-1, 2, 34).view(2, 17)},
    **{name: {"mask": torch.ones(2, 3, 17).bool()} for name in ("pull_loss", "push_loss", "gaussian_push_loss")},
    "group_by_truth": {"truth": torch.ones(3, 2, 2), "mask": torch.ones(3, 2).bool()},  # of three people
    "group_by_tag": {"tags": torch.rand(2, 17, 4)},  # of 2 keypoints, 17 candidates each
    **{name: {"degrees": 10.0} for name in ("turn", "turn_keypoints", "equivariance_error", "resampling_error")},
    "full_turn": {"image": torch.rand(3, 7, 7), "model": SimpleNamespace(predict=lambda images: POINTS[:1])},
    "lift_c4": {"weight": torch.rand(5, 3, 2, 2)},
    "conv_c4": {"weight": torch.rand(5, 3, 4, 2, 2)},
    **{name: {"errors": torch.rand(9), "uncertainties": torch.rand(9)} for name in RANKED},
    **{name: {"model": Dropping(), "read": lambda images: (images[..., 0, :2],) * 2} for name in DROPPED},
    "conformal_radius": {"scores": torch.rand(9)},
    "dropout_variance": {"weight": torch.rand(5, 3), "x": torch.rand(2, 3), "p": 0.2},
    "bayesian_variance": {"inputs": torch.rand(9, 3), "x": torch.rand(2, 3), "noise": 0.5},
}
CONVERTED = ("sigma", "temperature", "sigmas", "degrees")  # numbers or tensors: an array is as good as a tensor


def calls() -> Iterator[tuple[Callable[..., Any], dict[str, Any], str]]:
    """Yield each function with arguments that suit it, and the name of one that is a tensor."""
    for module in MODULES:
        for name in module.__all__:
            function = getattr(module, name)
            if not inspect.isfunction(function) or name in (
                "coco_average_precision",
                "cell_grid",
                "each_person",
                "flip_sample",
                "bootstrap_interval",
                "dropout_active",
                "ensemble",
            ):
                continue
            known = {**GOOD, **OWN.get(name, {})}
            wanted = inspect.signature(function).parameters.values()
            optional = ("mask",) if name in calibration.__all__ else ()
            chosen = {p.name: known[p.name] for p in wanted if p.default is p.empty or p.name in optional}
            for argument, value in chosen.items():
                takes_numbers = argument in CONVERTED and name != "rotation"
                if isinstance(value, Tensor) and not takes_numbers:
                    yield function, chosen, argument


CALLS = [pytest.param(*call, id=f"{call[0].__name__}-{call[2]}") for call in calls()]


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(("function", "arguments", "name"), CALLS)
def test_an_array_is_sent_to_from_numpy(function: Callable[..., Any], arguments: Mapping[str, Any], name: str) -> None:
    """Does a tensor pass, and is an array in its place answered by what was expected, what came and the fix?"""
    function(**arguments)
    with pytest.raises(
        TypeError, match=rf"{name}: expected a torch\.Tensor; got numpy\.ndarray\. .*from_numpy\({name}"
    ):
        function(**{**arguments, name: arguments[name].numpy()})


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize("name", FIELDS)
def test_a_sample_of_arrays_is_refused(name: str) -> None:
    """Does a sample name the field that is an array?"""
    with pytest.raises(TypeError, match=rf"Sample\.{name}: expected a torch\.Tensor; .*from_numpy\({name}\)"):
        samples.Sample(**{**FIELDS, name: FIELDS[name].numpy()})
    with pytest.raises(TypeError, match=rf"Sample\.{name}: expected a torch\.Tensor; got NoneType"):
        samples.Sample(**{**FIELDS, name: None})


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize("axis", ["x", "y"])
def test_simcc_names_the_vector(axis: str) -> None:
    """Is an array inside of a pair named too?"""
    vectors = GOOD["vectors"]._replace(**{axis: getattr(GOOD["vectors"], axis).numpy()})
    with pytest.raises(TypeError, match=rf"vectors\.{axis}: expected .*from_numpy\({axis}\)"):
        decode.simcc(vectors, 1)


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize("name", ["sigma", "temperature"])
def test_numbers_may_come_as_arrays(name: str) -> None:
    """Is a NumPy number or array of numbers, where a number or a tensor will do, taken as such?"""
    function = {"sigma": heatmaps.gaussian_heatmaps, "temperature": heatmaps.spatial_softmax}[name]
    first = {"sigma": (POINTS, SIZE), "temperature": (MAPS,)}[name]
    number = torch.full((2, 17), 1.5).numpy()
    expected = function(*first, 1.5)
    torch.testing.assert_close(function(*first, number), expected)
    torch.testing.assert_close(function(*first, number[0, 0]), expected)
