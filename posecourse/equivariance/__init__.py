"""Does the pose turn with the person? How far a network is from f(Rx) = R f(x), and two cures: averages and kernels.

A map is equivariant when it does not matter whether the picture is turned before it or the answer after it.
`equivariance_error` measures by how many pixels the two ways differ, `resampling_error` how much of that the pixels
alone can do, `group_average` makes any network exact for quarter turns at four times the price, and `lift_c4`,
`conv_c4` and `pool_group` are the convolutions that are exact by themselves.

C4 is the group of the four quarter turns, counter-clockwise on the screen; G = 4 throughout.
"""

from posecourse.equivariance.around import FullTurn, full_turn
from posecourse.equivariance.averaging import GroupAverage, group_average
from posecourse.equivariance.convolution import conv_c4, lift_c4, pool_group, turn_features
from posecourse.equivariance.error import equivariance_error, resampling_error
from posecourse.equivariance.layers import ConvC4, LiftC4
from posecourse.equivariance.sampling import grid_offset, interpolation_variance, relative_blur
from posecourse.equivariance.turning import turn, turn_keypoints

__all__ = [
    # pictures and points
    "turn",
    "turn_keypoints",
    # how far from equivariant, and how far pixels alone bring one
    "equivariance_error",
    "resampling_error",
    "full_turn",
    "FullTurn",
    "grid_offset",
    "interpolation_variance",
    "relative_blur",
    # a network made equivariant from outside
    "group_average",
    "GroupAverage",
    # layers that are equivariant by themselves
    "lift_c4",
    "conv_c4",
    "pool_group",
    "turn_features",
    "LiftC4",
    "ConvC4",
]
