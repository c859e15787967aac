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
from posecourse.models.recipe import HeadName, Recipe
from posecourse.models.regression import GridRegression, PooledRegression
from posecourse.models.tags import TagHead
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
    generator: torch.Generator,
) -> PoseNetwork:
    """Return a new network on the CPU, its parameters drawn as `generator` decides. The arguments are a `Recipe`'s.

    Networks built from one seed have the same backbone, whatever their heads: a comparison starts from one place.

    Raises:
        ValueError: there is no such head, or the stride does not divide `size`.
    """
    recipe = Recipe(head, checked_size(size), keypoints, width, dropout, sigma, tags)
    with seeding.fork(generator):
        backbone = UNet(width, dropout)
        if any(n % backbone.stride for n in recipe.size):
            raise ValueError(f"size must be (H, W) in multiples of the stride {backbone.stride}; got {recipe.size}.")
        return PoseNetwork(backbone, _head(recipe, backbone), recipe)


def _head(recipe: Recipe, backbone: UNet) -> Head[Any]:
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
