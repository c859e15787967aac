"""The recipe of a network: what the builder was asked for, small enough to stand in a file."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from posecourse.shapes import Size

__all__ = ["HEADS", "BackboneName", "HeadName", "Recipe"]

HeadName: TypeAlias = Literal["pooled", "grid", "integral", "offset", "heatmap", "visibility", "tags"]

BackboneName: TypeAlias = Literal["unet", "c4"]

HEADS: tuple[HeadName, ...] = ("pooled", "grid", "integral", "offset", "heatmap", "visibility")
"""The heads that find one person, from one vector of coordinates to a whole landscape; "tags" finds a crowd."""


@dataclass(frozen=True)
class Recipe:
    """What `build` was asked for; a checkpoint carries it, so that the network can be built again from the file.

    Args:
        head: which head.
        size: (H, W) of the images in pixels. Only "grid" cannot do with another one later.
        keypoints: K.
        width: channels of the backbone's first layer; 16 makes about 200 000 parameters.
        dropout: probability that one of the deepest channels is dropped.
        sigma: σ of the blobs that "heatmap", "visibility", "offset" and "tags" are trained with, in cells.
        tags: D, how many numbers a tag of "tags" has.
        backbone: "unet", or "c4" for one whose features turn with the picture.
    """

    head: HeadName = "heatmap"
    size: Size = (64, 64)
    keypoints: int = 17
    width: int = 16
    dropout: float = 0.0
    sigma: float = 1.0
    tags: int = 1
    backbone: BackboneName = "unet"
