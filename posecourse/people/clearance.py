"""Room for flesh: poses are drawn for the average girth; heavier bodies hold their limbs further from themselves.

Without it the trunk of somebody heavy would swallow elbows and wrists, and hidden labels would go with girth. What is
left is what a deep trunk really hides: the far arm of somebody in profile.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from posecourse.people.body import FOREARM, THIGH, UPPER_ARM
from posecourse.people.joints import ANGLES, limited

__all__ = ["cleared"]

_ELBOW, _WRIST = 0.079 + 0.024, 0.059 + 0.005
"""How much further out than on an average body the surfaces of trunk and arm, on either side of the gap between them,
lie at an elbow and at a wrist that hang, for each unit of girth; in units of the body's proportions."""
_THIGH = 0.040
"""The same of a thigh's surface, two thirds down."""


def cleared(angles: Float[Tensor, "*B A"], girth: Float[Tensor, "*B"]) -> Float[Tensor, "*B A"]:
    """Return the poses of people of average girth as people of `girth` take them, within the joints' limits.

    An arm is abducted by the angle that leaves neither elbow nor wrist nearer to the trunk than on an average body,
    times how far it hangs: an arm that is stretched out is clear anyway. Heavy people spread their thighs; slim ones
    keep them where they are.

    Args:
        angles: poses in radians, in the order of `joints.ANGLES`.
        girth: thickness of limbs and trunk, 1 for the average.
    """
    more, result = girth - 1, angles.clone()
    arm = torch.maximum(more * (_ELBOW / UPPER_ARM), more * (_WRIST / (UPPER_ARM + FOREARM)))
    thigh = more.clamp(min=0) * (_THIGH / (THIGH * 2 / 3))
    for side in ("left", "right"):
        flex, abduction = (ANGLES.index(f"{side}_shoulder_{way}") for way in ("flex", "abduction"))
        hanging = (angles[..., flex].cos() * angles[..., abduction].cos()).clamp(min=0)
        result[..., abduction] += arm * hanging
        result[..., ANGLES.index(f"{side}_hip_abduction")] += thigh
    return limited(result)
