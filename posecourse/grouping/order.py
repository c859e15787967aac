"""In which order keypoints look for their person."""

import numpy as np

from posecourse.skeletons import Skeleton

__all__ = ["torso_out"]


def torso_out(skeleton: Skeleton) -> tuple[int, ...]:
    """Return the keypoints from the middle of the body outwards: an order for `group_by_tag`.

    By how many limbs it takes to all other keypoints together, fewest first; equal ones in the order of the data. On
    COCO's skeleton shoulders and hips come first, wrists and ankles last. A torso is seldom hidden or mistaken, so
    that the tag of each person begins well.

    Args:
        skeleton: any; keypoints that no limb joins come last.

    Source: pose-ae-train writes an order for COCO by hand: head, shoulders, hips, then the limbs.
    Lesson: 05.
    """
    from scipy.sparse.csgraph import shortest_path

    K = len(skeleton)
    joined = np.zeros((K, K))
    for one, other in skeleton.limbs:
        joined[one, other] = 1
    ways = shortest_path(joined, directed=False, unweighted=True)
    total = np.where(np.isinf(ways), K, ways).sum(-1)
    return tuple(total.argsort(kind="stable").tolist())
