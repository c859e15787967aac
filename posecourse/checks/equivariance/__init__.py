"""Equivariance: points that turn and mirror with a picture, a network that should, and convolutions that do.

Lesson: 07.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from posecourse import equivariance, transforms
from posecourse.checks.equivariance import averages, groups, lifting, mirrors, squares, turns
from posecourse.lesson import Exercise
from posecourse.shapes import Estimator, Size
from posecourse.skeletons import Skeleton

__all__ = ["conv_c4", "equivariance_error", "flip_keypoints", "group_average", "lift_c4", "rotate_keypoints"]


@dataclass(frozen=True)
class Skewed:
    """An estimator that is quick and wrong: each channel's centroid, stretched and moved aside."""

    stretch: tuple[float, float]
    aside: tuple[float, float]

    def predict(self, images: Tensor) -> Tensor:
        """Return one point a channel, (B C 2) in pixels."""
        H, W = images.shape[-2:]
        mass = images + 1e-3  # an empty channel answers its middle
        mass = mass / mass.sum((-2, -1), keepdim=True)
        x = mass.sum(-2) @ torch.arange(W).to(images)
        y = mass.sum(-1) @ torch.arange(H).to(images)
        return torch.stack([x * self.stretch[0] + self.aside[0], y * self.stretch[1] + self.aside[1]], dim=-1)


def points_degrees_and_sizes(generator: torch.Generator) -> Iterator[tuple[Tensor, float, Size]]:
    """Yield points in and beside pictures that are never square, odd and even, and angles of all quadrants."""
    for shape, degrees, size, dtype in (
        ((), 37.0, (48, 75), torch.float64),
        ((3,), -118.0, (61, 34), torch.float32),
        ((2, 3), 90.0, (20, 33), torch.float64),
        ((2, 2, 5), 205.0, (57, 90), torch.float64),
    ):
        yield _places((*shape, 2), size, generator, dtype), degrees, size


def points_sizes_and_skeletons(generator: torch.Generator) -> Iterator[tuple[Tensor, Size, Skeleton]]:
    """Yield points, sizes that are never square, and skeletons whose pairs do not stand side by side."""
    animal = ("nose", "right_ear", "left_ear", "left_paw", "tail", "right_paw")
    person = ("left_hip", "left_ankle", "right_ankle", "chin", "right_hip")
    for shape, size, names, dtype in (
        ((), (48, 75), person, torch.float64),
        ((3,), (62, 33), animal, torch.float32),
        ((2, 3), (20, 34), ("right_eye", "left_wing", "left_eye", "right_wing"), torch.float64),
        ((2, 2, 3), (57, 90), animal, torch.float64),
    ):
        yield _places((*shape, len(names), 2), size, generator, dtype), size, Skeleton(names)


def _places(shape: tuple[int, ...], size: Size, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    """Return points (x, y) in the picture and up to a fifth of its size beside it."""
    unit = torch.rand(shape, generator=generator, dtype=dtype) * 1.4 - 0.2
    return unit * torch.tensor([size[1], size[0]], dtype=dtype)


def models_images_and_degrees(generator: torch.Generator) -> Iterator[tuple[Estimator, Tensor, float]]:
    """Yield estimators that are pixels off, pictures, and angles of more and of less than a right one.

    The first channel's point leaves the picture with the turn. The second one's comes in with it: its answer f(x) is
    outside and R f(x) is not. In the turned picture the third one's is near an edge, beyond which some answers to that
    picture fall, and the turned answers do not.
    """
    for B, (H, W), degrees, stretch, aside in (
        (2, (30, 43), 52.0, (0.9, 1.1), (4.5, -4.5)),
        (3, (41, 28), -127.0, (1.1, 0.9), (4.5, -1.5)),
        (1, (26, 37), 128.0, (1.05, 1.1), (1.5, 4.5)),
        (2, (25, 38), -61.0, (0.9, 0.8), (2.5, -3.5)),
    ):
        sign = math.copysign(1, math.tan(math.radians(degrees)))  # which corners are the first to leave
        centre = torch.tensor([(W - 1) / 2, (H - 1) / 2], dtype=torch.float64)
        corner = centre + torch.tensor([0.44 * W, -sign * 0.36 * H] if W > H else [sign * 0.36 * W, 0.44 * H])
        edge = centre + torch.tensor([0, H / 2 - 3.5] if W > H else [W / 2 - 3.5, 0])
        kept = transforms.rotate_keypoints(edge, -degrees, (H, W))
        axis = 1 if W > H else 0  # the shorter one, along which the answer is moved out
        middle = centre.clone()
        middle[axis] += math.copysign(min(H, W) / 2 - 3, aside[axis])
        jitter = 2 * torch.rand(B, 3, 2, generator=generator, dtype=torch.float64) - 1
        yield Skewed(stretch, aside), _blobs(torch.stack([corner, middle, kept]) + jitter, (H, W)), degrees


def models_and_images(generator: torch.Generator) -> Iterator[tuple[Estimator, Tensor]]:
    """Yield estimators that are pixels off and pictures that are never square, each channel with a blob of its own."""
    for B, (H, W), stretch, aside in (
        (2, (19, 30), (0.9, 1.2), (2.5, -1.5)),
        (3, (28, 17), (1.2, 0.7), (-1.0, 3.0)),
        (1, (22, 33), (0.8, 1.1), (1.5, 2.0)),
    ):
        unit = torch.rand(B, 3, 2, generator=generator, dtype=torch.float64) * 0.6 + 0.1
        yield Skewed(stretch, aside), _blobs(unit * torch.tensor([W, H]), (H, W))


def _blobs(places: Tensor, size: Size) -> Tensor:
    """Return pictures (B 3 H W) with a round blob in every channel."""
    y, x = (torch.arange(n, dtype=places.dtype) for n in size)
    away = (x - places[..., :1]).square()[..., None, :] + (y - places[..., 1:]).square()[..., :, None]
    return torch.exp(-away / (2 * 1.8**2))


def images_and_kernels(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield pictures that are not square and kernels without symmetry, no axis as long as another."""
    for B, C, size, patterns, k in ((2, 3, (5, 7), 6, 3), (3, 2, (7, 6), 5, 2), (1, 5, (8, 9), 2, 3)):
        image = torch.randn(B, C, *size, generator=generator, dtype=torch.float64)
        yield image, torch.randn(patterns, C, k, k, generator=generator, dtype=torch.float64)


def features_and_kernels(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield features in four orientations, and kernels over them without symmetry."""
    for B, C, size, patterns, k in ((2, 3, (5, 7), 6, 3), (3, 2, (7, 6), 5, 2), (1, 5, (6, 9), 2, 3)):
        features = torch.randn(B, C, 4, *size, generator=generator, dtype=torch.float64)
        yield features, torch.randn(patterns, C, 4, k, k, generator=generator, dtype=torch.float64)


class _Ours:
    """The package's functions, as far as the lesson asks for them."""

    @staticmethod
    def rotate_keypoints(points: Tensor, degrees: float, size: Size) -> Tensor:
        """Turn points by one angle."""
        return transforms.rotate_keypoints(points, degrees, size)

    @staticmethod
    def equivariance_error(model: Estimator, images: Tensor, degrees: float) -> Tensor:
        """Return (B K), NaN where the turned answer leaves the picture."""
        return equivariance.equivariance_error(model, images, degrees)

    @staticmethod
    def group_average(model: Estimator, images: Tensor) -> Tensor:
        """Return the mean of four answers."""
        return equivariance.group_average(model).predict(images)

    @staticmethod
    def lift_c4(images: Tensor, weight: Tensor) -> Tensor:
        """Look for each kernel in four orientations, without padding."""
        return equivariance.lift_c4(images, weight)

    @staticmethod
    def conv_c4(features: Tensor, weight: Tensor) -> Tensor:
        """Convolve over the group, without padding."""
        return equivariance.conv_c4(features, weight)


rotate_keypoints = Exercise(
    reference=_Ours.rotate_keypoints, probe=points_degrees_and_sizes, coals=turns.COALS, tolerance=1e-4
)

flip_keypoints = Exercise(
    reference=transforms.flip_keypoints, probe=points_sizes_and_skeletons, coals=mirrors.COALS, tolerance=1e-5
)

equivariance_error = Exercise(
    reference=_Ours.equivariance_error, probe=models_images_and_degrees, coals=squares.COALS, tolerance=1e-4
)

group_average = Exercise(reference=_Ours.group_average, probe=models_and_images, coals=averages.COALS, tolerance=1e-4)

lift_c4 = Exercise(reference=_Ours.lift_c4, probe=images_and_kernels, coals=lifting.COALS, gradients=True)

conv_c4 = Exercise(reference=_Ours.conv_c4, probe=features_and_kernels, coals=groups.COALS, gradients=True)
