"""Warps that move a picture and its keypoints together: flip, rotate, crop, any affine map, and the way back.

Names follow one rule. `flip_keypoints` and `rotate_keypoints` move points; `flip`, `rotate`, `crop` and `affine`
move images with their keypoints; `flip_sample`, `rotate_sample`, `crop_sample` and `affine_sample` move all that a
`Sample` knows, and keep `to_source` in step, so that `to_source` takes a prediction back to the original picture.
"""

from posecourse.transforms.images import affine, crop, flip, rotate, warp
from posecourse.transforms.labelled import (
    affine_sample,
    crop_people,
    crop_sample,
    each_person,
    fit_sample,
    flip_sample,
    rotate_sample,
    to_source,
)
from posecourse.transforms.matrices import box_to_size, compose, flipping, invert, rotation
from posecourse.transforms.points import (
    context_box,
    flip_keypoints,
    inside,
    rotate_keypoints,
    transform_boxes,
    transform_points,
)

__all__ = [
    # points
    "flip_keypoints",
    "rotate_keypoints",
    "transform_points",
    "transform_boxes",
    "inside",
    "context_box",
    # matrices
    "rotation",
    "flipping",
    "box_to_size",
    "compose",
    "invert",
    # images with their keypoints
    "affine",
    "crop",
    "flip",
    "rotate",
    "warp",
    # all that a sample knows
    "affine_sample",
    "crop_people",
    "crop_sample",
    "each_person",
    "fit_sample",
    "flip_sample",
    "rotate_sample",
    "to_source",
]
