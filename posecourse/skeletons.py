"""What a keypoint is called, which ones a limb joins, and which ones change places in a mirror."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

__all__ = ["COCO17", "Skeleton", "mirrored_name"]

_SIDES = {"left": "right", "right": "left", "l": "r", "r": "l"}
_SIDE = re.compile(r"(?i)(?:(?<=^)|(?<=[_\-. ]))(left|right|l|r)(?=$|[_\-. ])")


def mirrored_name(name: str) -> str:
    """Return the keypoint's name on the other side of the body, or the same name for a midline keypoint.

    A side is a whole word: `left_knee`, `knee-R` and `L_EarBase` have one, `leftover` has none.
    """
    return _SIDE.sub(lambda match: _like(match[0], _SIDES[match[0].lower()]), name)


def _like(pattern: str, word: str) -> str:
    """Return `word` in the capitals of `pattern`."""
    if pattern.isupper():
        return word.upper()
    return word.capitalize() if pattern[0].isupper() else word


@dataclass(frozen=True)
class Skeleton:
    """The keypoints of one kind of thing: a person, an animal, an object.

    Args:
        names: the K keypoints' names, in the order of the data.
        limbs: pairs of indices that a drawing joins, parent first where there is one.
        sigmas: OKS's per-keypoint spread, in units of the square root of the object's area; empty where unknown.

    Raises:
        ValueError: names repeat, a limb names a keypoint that does not exist, or sigmas are not K positive numbers.
    """

    names: tuple[str, ...]
    limbs: tuple[tuple[int, int], ...] = ()
    sigmas: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.names or len(set(self.names)) != len(self.names):
            raise ValueError(f"keypoint names must be present and all different; got {list(self.names)}.")
        for limb in self.limbs:
            if len(limb) != 2 or not all(0 <= end < len(self.names) for end in limb):
                raise ValueError(
                    f"limb {limb} must join two of 0 … {len(self.names) - 1}. COCO files count from 1: subtract 1."
                )
        if self.sigmas and (len(self.sigmas) != len(self.names) or not all(sigma > 0 for sigma in self.sigmas)):
            raise ValueError(
                f"sigmas must be {len(self.names)} positive numbers, one a keypoint; got {list(self.sigmas)}."
            )

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def swap(self) -> tuple[int, ...]:
        """The order of the keypoints after a mirror: `keypoints[..., skeleton.swap, :]` exchanges left and right."""
        return tuple(
            self.names.index(twin) if (twin := mirrored_name(name)) in self.names else index
            for index, name in enumerate(self.names)
        )

    @cached_property
    def sides(self) -> tuple[str, ...]:
        """For every keypoint "left", "right" or "middle": the person's own sides."""
        return tuple(self._side(index) for index in range(len(self)))

    def _side(self, index: int) -> str:
        match = _SIDE.search(self.names[index])
        if self.swap[index] == index or match is None:
            return "middle"
        return "left" if match[0].lower() in ("left", "l") else "right"

    def index(self, name: str) -> int:
        """Return the place of the keypoint called `name`.

        Raises:
            ValueError: there is no such keypoint; the message lists those that there are.
        """
        if name not in self.names:
            raise ValueError(f"no keypoint is called {name!r}; there are {', '.join(self.names)}.")
        return self.names.index(name)


def _limbs(names: Sequence[str], pairs: str) -> tuple[tuple[int, int], ...]:
    """Read "a-b c-d" as pairs of indices into `names`."""
    return tuple((names.index(a), names.index(b)) for a, b in (pair.split("-") for pair in pairs.split()))


_COCO_NAMES = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip",
    "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip

COCO17 = Skeleton(
    names=_COCO_NAMES,
    limbs=_limbs(
        _COCO_NAMES,
        "left_hip-left_knee left_knee-left_ankle right_hip-right_knee right_knee-right_ankle left_hip-right_hip "
        "left_shoulder-left_hip right_shoulder-right_hip left_shoulder-right_shoulder "
        "left_shoulder-left_elbow left_elbow-left_wrist right_shoulder-right_elbow right_elbow-right_wrist "
        "nose-left_eye nose-right_eye left_eye-right_eye left_eye-left_ear right_eye-right_ear "
        "left_ear-left_shoulder right_ear-right_shoulder",
    ),
    sigmas=(.026, .025, .025, .035, .035, .079, .079, .072, .072, .062, .062, .107, .107, .087, .087, .089, .089),
)  # fmt: skip
"""COCO's seventeen keypoints, its nineteen limbs, and the per-keypoint sigmas that its OKS uses."""
