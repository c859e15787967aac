"""The builder: where the sizes of a network live."""

from typing import Any, get_args

import torch

from posecourse import seeding
from posecourse.models.backbone import UNet
from posecourse.models.head import Head
from posecourse.models.heatmap import HeatmapHead
from posecourse.models.integral import IntegralRegression
from posecourse.models.network import PoseNetwork
from posecourse.models.offsets import OffsetHead
from posecourse.models.recipe import BackboneName, HeadName, Recipe
from posecourse.models.regression import GridRegression, PooledRegression
from posecourse.models.tags import TagHead
from posecourse.models.turning import C4UNet
from posecourse.models.visibility import VisibilityHead
from posecourse.shapes import Size, checked_size

__all__ = ["build"]


def build(
    head: HeadName = "heatmap",
    size: Size = (64, 64),
    keypoints: int = 17,
    width: int = 16,
    *,
    dropout: float = 0.0,
    sigma: float = 1.0,
    tags: int = 1,
    backbone: BackboneName = "unet",
    generator: torch.Generator,
) -> PoseNetwork:
    """Return a new network on the CPU, its parameters drawn as `generator` decides. The arguments are a `Recipe`'s.

    Networks built from one seed have the same backbone, whatever their heads: a comparison starts from one place.

    Raises:
        ValueError: there is no such head or backbone, or the stride does not divide `size`.
    """
    recipe = Recipe(head, checked_size(size), keypoints, width, dropout, sigma, tags, backbone)
    with seeding.fork(generator):
        features = _backbone(recipe)
        if any(n % features.stride for n in recipe.size):
            raise ValueError(f"size must be (H, W) in multiples of the stride {features.stride}; got {recipe.size}.")
        return PoseNetwork(features, _head(recipe, features), recipe)


def _backbone(recipe: Recipe) -> UNet | C4UNet:
    match recipe.backbone:
        case "unet":
            return UNet(recipe.width, recipe.dropout)
        case "c4":
            return C4UNet(recipe.width, recipe.dropout)
    raise ValueError(f"backbone must be one of {', '.join(get_args(BackboneName))}; got {recipe.backbone!r}.")


def _head(recipe: Recipe, backbone: UNet | C4UNet) -> Head[Any]:
    channels, keypoints, stride = backbone.channels, recipe.keypoints, backbone.stride
    match recipe.head:
        case "pooled":
            return PooledRegression(channels, keypoints, stride)
        case "grid":
            return GridRegression(channels, keypoints, recipe.size, stride)
        case "integral":
            return IntegralRegression(channels, keypoints, stride)
        case "offset":
            return OffsetHead(channels, keypoints, stride, recipe.sigma)
        case "heatmap":
            return HeatmapHead(channels, keypoints, stride, recipe.sigma)
        case "visibility":
            return VisibilityHead(channels, keypoints, stride, recipe.sigma)
        case "tags":
            return TagHead(channels, keypoints, stride, recipe.sigma, recipe.tags)
    raise ValueError(f"head must be one of {', '.join(get_args(HeadName))}; got {recipe.head!r}.")
