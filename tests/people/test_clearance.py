"""Do limbs keep clear of a body whatever its girth?"""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from posecourse import people
from posecourse.people.anatomy import ARM
from posecourse.people.clearance import cleared
from posecourse.people.joints import LIMITS
from posecourse.people.surface import body_surfaces

Maker = Callable[..., people.Scene]


def gaps(scene: people.Scene, girth: float, clear: bool) -> tuple[float, float]:
    """Return the centimetres between trunk and left arm at the heights of the elbow and the wrist, on the surfaces."""
    bodies = replace(scene.bodies, girth=torch.full_like(scene.bodies.girth, girth))
    poses = cleared(scene.poses, bodies.girth) if clear else scene.poses
    body = replace(scene, bodies=bodies, poses=poses).posture()
    bare = replace(scene.looks, loose=torch.zeros_like(scene.looks.loose), skirt=torch.zeros_like(scene.looks.skirt))
    surfaces = body_surfaces(body, bodies, bare)
    arm, torso = surfaces["left_arm"].points[0, 0], surfaces["torso"].points[0, 0]
    found = []
    for place in (1.0, 2.0):
        ring = arm[[row[0] for row in ARM].index(place)]
        inmost = ring[ring[:, 0].argmin()]
        level = (torso[..., 1] - inmost[1]).abs().amin(-1).argmin()  # the trunk's ring at that height
        found.append(100 * float(inmost[0] - torso[level, :, 0].amax()))
    return found[0], found[1]


def test_an_arm_hangs_as_clear_of_a_heavy_trunk_as_of_an_average_one(standing: Maker) -> None:
    """Is the gap at the elbow the same to a tenth of what flesh adds, and the wrist's no smaller?

    The tenth is for the angle: a sine is a little less than its argument. Unless cleared, all of it would be missing.
    """
    scene = standing(1)
    elbow, wrist = gaps(scene, 1.0, clear=True)
    for girth in (1.1, 1.25, 1.4):
        other = gaps(scene, girth, clear=True)
        added = elbow - gaps(scene, girth, clear=False)[0]
        assert added > 10 * (girth - 1)
        assert other[0] - elbow == pytest.approx(0, abs=0.1 * added)
        assert other[1] > wrist


def test_a_slim_arm_hangs_no_nearer_than_an_average_one(standing: Maker) -> None:
    """Does an arm that comes closer keep both gaps?"""
    scene = standing(1)
    average, slim, still = gaps(scene, 1.0, clear=True), gaps(scene, 0.8, clear=True), gaps(scene, 0.8, clear=False)
    for place in (0, 1):
        assert average[place] < slim[place] < still[place]


def test_poses_stay_within_the_joints_limits_and_average_ones_as_they_are(standing: Maker) -> None:
    """Does no girth bend a joint too far, and does nothing move that has no need to?"""
    low, high = (torch.tensor([LIMITS[name][end] for name in people.ANGLES]) for end in (0, 1))
    poses = torch.stack([low, (low + high) / 2, high])
    torch.testing.assert_close(cleared(poses, torch.ones(3)), poses)
    for girth in (0.5, 1.5, 3.0):
        moved = cleared(poses, torch.full((3,), girth))
        assert ((low <= moved) & (moved <= high)).all()
        unmoved = [index for index, name in enumerate(people.ANGLES) if "abduction" not in name]
        assert torch.equal(moved[:, unmoved], poses[:, unmoved])
