"""A whole skeleton at once: the nearest one whose limbs all have their lengths, found by SciPy."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from torch import Tensor

from posecourse.constraints.cycle import iterate_limbs
from posecourse.constraints.limbs import parents_share
from posecourse.constraints.pairs import (
    Bound,
    Limbs,
    checked_lengths,
    checked_pairs,
    checked_variances,
    known,
    require_bound,
    require_joints,
)
from posecourse.shapes import require_positive

__all__ = ["project_skeleton"]

_TOLERANCE = 1e-5  # of the longest limb: how much a length may be missed
_STATIONARY = 1e-4  # of the same: how far from the nearest the answer may be, in units of the largest spread
_SWEEPS = 2  # of the cycle that SLSQP starts from
_ROUNDS = 3  # from where it stopped it starts anew, with a fresh idea of the curvature

Array = NDArray[np.float64]


def project_skeleton(
    points: Float[Tensor, "*B K D"],
    limbs: Limbs,
    lengths: Float[Tensor, "*#B E"],
    *,
    variances: Float[Tensor, "*#B K"] | None = None,
    bound: Bound = "equal",
    mask: Bool[Tensor, "*B K"] | None = None,
) -> Float[Tensor, "*B K D"]:
    """Return the nearest skeleton whose limbs all have their lengths, or at most them.

    argmin over x of Σ_k ‖x_k − p_k‖² / v_k  such that  ‖x_a − x_b‖ = L (or ≤ L) for each limb (a, b)

    With "upper" the problem is convex: there is one nearest skeleton, and it is no farther from any true one that keeps
    to the bounds than the points were, in this metric. With "equal" it is not convex: the answer is the nearest one
    around, from where the cycle of `iterate_limbs` has led, and lengths around a closed loop (shoulders and hips) may
    contradict each other.

    Args:
        points: keypoints, (x, y) or (x, y, z).
        limbs: E pairs of keypoints, or a skeleton.
        lengths: of the limbs, for each pose or for all, in the unit of the points; positive.
        variances: v, how unsure each keypoint is, an axis; equal if not given. A keypoint of variance 0 stays.
        bound: "equal" or "upper".
        mask: which keypoints count. One that does not, or that is NaN, drops its limbs and stays as it is.

    Returns:
        The keypoints, in their frame and type; not differentiable (`iterate_limbs` is). Lengths hold to a hundred-
        thousandth of the longest one. A pose that keeps to its upper bounds is returned as it is.

    Raises:
        RuntimeError: a pose for which no answer within the tolerance was found; the message says which and why.
        TypeError: `mask` is not boolean.
        ValueError: shapes do not fit, a limb or a variance cannot be, a length is not positive, or both ends of a limb
            have variance 0.

    Source: Kraft 1988 (SLSQP), through SciPy, with exact gradients, in double precision.
    Lesson: 09.
    """
    require_joints(points)
    require_bound(bound)
    pairs = checked_pairs(limbs, points.shape[-2])
    wide = points.detach().double().cpu()
    L = checked_lengths(lengths, (*points.shape[:-2], len(pairs)), wide).detach()
    require_positive(L, "lengths")
    v = checked_variances(variances, points.shape[:-1], wide).detach()
    here = known(points, mask).cpu()
    for a, b in pairs:
        parents_share(v[..., [a, b]])
    start = iterate_limbs(wide, pairs, L, _SWEEPS, variances=v, bound=bound, mask=here)
    arrays: list[Any] = [
        tensor.reshape(start[..., 0, 0].numel(), *tensor.shape[start.ndim - 2 :]).numpy()
        for tensor in (wide, start, L, v, here)
    ]
    ends = np.array(pairs, dtype=int).reshape(-1, 2)
    found = [_nearest(_Pose(i, *pose), ends, bound == "upper") for i, pose in enumerate(zip(*arrays, strict=True))]
    nearest = torch.from_numpy(np.stack(found)).view(points.shape) if found else wide
    return torch.where(here[..., None], nearest, wide).to(points)


@dataclass(frozen=True)
class _Problem:
    """One pose in units of its longest limb, as moves z of its free keypoints, each in units of its standard deviation.

    So the squared distance is z·z, whose curvature is what SLSQP begins with: it has no variances to find out.

    Args:
        places: p (K D), of the keypoints that take part.
        spreads: √v (K), their largest 1; 0 where a keypoint may not move.
        pairs: (E 2), the limbs.
        lengths: (E).
        upper: whether lengths are upper bounds.
    """

    places: Array
    spreads: Array
    pairs: NDArray[np.int64]
    lengths: Array
    upper: bool

    def whole(self, z: Array) -> Array:
        """Return all keypoints (K D)."""
        moves = np.zeros_like(self.places)
        moves[self.spreads > 0] = z.reshape(-1, self.places.shape[1])
        return self.places + self.spreads[:, None] * moves

    def moves(self, places: Array) -> Array:
        """Return z for places (K D)."""
        free = self.spreads > 0
        return ((places - self.places)[free] / self.spreads[free, None]).ravel()

    def distance(self, z: Array) -> tuple[float, Array]:
        """Return half of the squared distance, and its gradient."""
        return float(z @ z / 2), z

    def gaps(self, z: Array) -> Array:
        """Return (‖d‖² − L²)/(2L) for each limb, near 0 the excess itself; for SciPy's inequality its negative."""
        d = self._ways(z)
        gaps = ((d * d).sum(-1) - self.lengths**2) / (2 * self.lengths)
        return -gaps if self.upper else gaps

    def slopes(self, z: Array) -> Array:
        """Return the Jacobian of `gaps`: (E, components)."""
        slope = self._ways(z) / self.lengths[:, None]
        jacobian = np.zeros((len(self.pairs), *self.places.shape))
        rows = np.arange(len(self.pairs))
        jacobian[rows, self.pairs[:, 1]] = slope
        jacobian[rows, self.pairs[:, 0]] = -slope
        jacobian *= self.spreads[:, None]
        jacobian = jacobian[:, self.spreads > 0].reshape(len(rows), -1)
        return -jacobian if self.upper else jacobian

    def _ways(self, z: Array) -> Array:
        places = self.whole(z)
        return places[self.pairs[:, 1]] - places[self.pairs[:, 0]]

    def violation(self, z: Array) -> float:
        """Return by how much the worst length is missed."""
        gaps = self.gaps(z)
        return float((np.maximum(-gaps, 0) if self.upper else np.abs(gaps)).max())

    def pull(self, z: Array) -> float:
        """Return what is left of the gradient when the limbs that hold have taken their part: 0 at the nearest.

        Upper bounds only hold back: no part is negative, and then 0 proves that no other skeleton is nearer.
        """
        from scipy.optimize import nnls

        normals = self.slopes(z)[np.abs(self.gaps(z)) <= _TOLERANCE].T
        if not normals.size:
            return float(np.linalg.norm(z))
        if self.upper:
            return float(nnls(normals, z)[1])
        return float(np.linalg.norm(z - normals @ np.linalg.lstsq(normals, z, rcond=None)[0]))


class _Pose(NamedTuple):
    """Its number, its keypoints and where to start (K D), lengths (E), variances (K), who is there (K)."""

    number: int
    places: Array
    start: Array
    lengths: Array
    variances: Array
    here: NDArray[np.bool_]


def _nearest(pose: _Pose, pairs: NDArray[np.int64], upper: bool) -> Array:
    """Return one pose's nearest skeleton (K D)."""
    counts = pose.here[pairs].all(-1)
    part = np.isin(np.arange(len(pose.places)), pairs[counts])
    if not part.any():
        return pose.places
    scale, order = pose.lengths[counts].max(), np.cumsum(part) - 1
    spreads = np.sqrt(pose.variances[part] / pose.variances[part].max())
    problem = _Problem(pose.places[part] / scale, spreads, order[pairs[counts]], pose.lengths[counts] / scale, upper)
    solved = pose.places.copy()
    best = _solved(problem, problem.moves(pose.start[part] / scale), pose.number)
    solved[part] += (problem.whole(best) - problem.places) * scale
    return solved


def _solved(problem: _Problem, start: Array, index: int) -> Array:
    """Return the moves to where `problem.distance` is least, or raise with the reason."""
    from scipy.optimize import minimize

    none = np.zeros_like(start)
    if problem.upper and problem.violation(none) == 0:
        return none
    limits = {"type": "ineq" if problem.upper else "eq", "fun": problem.gaps, "jac": problem.slopes}
    options, z = {"ftol": 1e-12, "maxiter": 100}, start
    for _ in range(_ROUNDS):
        result = minimize(problem.distance, z, jac=True, method="SLSQP", constraints=limits, options=options)
        z = result.x
        if problem.violation(z) <= _TOLERANCE and problem.pull(z) <= _STATIONARY:
            return z
    raise RuntimeError(
        f"pose {index}: no nearest skeleton was found; SLSQP says: {result.message}. The worst limb misses its length "
        f"by {100 * problem.violation(z):.3g} % of the longest one. Lengths around a closed loop may contradict each "
        'other: try bound="upper", or leave limbs out until they make a tree.'
    )
