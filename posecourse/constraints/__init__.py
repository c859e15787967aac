"""Bones do not stretch: what is known of a body's lengths and joints, imposed on keypoints that are not sure.

A limb joins two keypoints. `project_limb` moves both ends to the nearest pair of the right length, `iterate_limbs`
goes from limb to limb of a skeleton again and again, `project_skeleton` finds the nearest skeleton of all. `limb_loss`
is the same knowledge inside of a training. What it is worth stands in closed form: `left_of_mse` and its like.

Points have D = 2 components in a picture, 3 in space. In a picture a limb is seen shorter than it is: its length there
is an upper bound ("upper"), not an equality.
"""

from posecourse.constraints.cycle import iterate_limbs
from posecourse.constraints.joints import FLEXION, HINGES, joint_angles, limit_angles
from posecourse.constraints.limbs import Limb, limb_lengths, project_limb
from posecourse.constraints.losses import limb_loss
from posecourse.constraints.pairs import limb_mask
from posecourse.constraints.solve import project_skeleton
from posecourse.constraints.theory import (
    break_even,
    exact_left_of_mse,
    left_of_mse,
    left_when_foreshortened,
)

__all__ = [
    "FLEXION",
    "HINGES",
    "Limb",
    "break_even",
    "exact_left_of_mse",
    "iterate_limbs",
    "joint_angles",
    "left_of_mse",
    "left_when_foreshortened",
    "limb_lengths",
    "limb_loss",
    "limb_mask",
    "limit_angles",
    "project_limb",
    "project_skeleton",
]
