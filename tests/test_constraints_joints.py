"""Angles at joints: are they measured right, and does a limit move as little as it can, and no length?"""

import math
from typing import Any

import pytest
import torch
from scipy.optimize import minimize_scalar

from posecourse import constraints
from posecourse.people.joints import LIMITS
from posecourse.skeletons import COCO17

TRIPLE = [(0, 1, 2)]


def points(*shape: int, seed: int = 0) -> torch.Tensor:
    """Random points, a few units apart."""
    return 5 * torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def bent(*degrees: float) -> torch.Tensor:
    """A limb of 3 along x, then one of 2 that bends by so much: (J 3 3)."""
    angle = torch.deg2rad(torch.tensor(degrees).double())
    after = 3 * torch.tensor([1.0, 0, 0]) + 2 * torch.stack([angle.cos(), angle.sin(), 0 * angle], dim=-1)
    return torch.stack([torch.zeros_like(after), torch.tensor([3.0, 0, 0]).expand_as(after), after], dim=-2)


@pytest.mark.parametrize("D", [2, 3])
def test_angles_by_hand(D: int) -> None:
    """Is straight on 0, folded back 180, and all between exact, near the ends too, where an arc cosine is not?"""
    degrees = [0.0, 1e-6, 30.0, 90.0, 145.0, 179.999999, 180.0]
    angles = constraints.joint_angles(bent(*degrees)[..., :D], TRIPLE)[:, 0]
    torch.testing.assert_close(angles, torch.tensor(degrees).double(), rtol=0, atol=1e-10)


def test_a_view_decides_what_a_picture_says() -> None:
    """Seen along the plane of the limbs, is a knee of 70 degrees straight or folded, and at right angles to it 70?"""
    knee = bent(70.0)
    assert constraints.joint_angles(knee[..., [0, 1]], TRIPLE).item() == pytest.approx(70)
    assert constraints.joint_angles(knee[..., [0, 2]], TRIPLE).item() == 0
    half = math.radians(80.0)
    turn = torch.tensor([[math.cos(half), 0], [math.sin(half), 0], [0, 1.0]]).double()
    assert (
        constraints.joint_angles(knee @ turn, TRIPLE).item() == 0
        or constraints.joint_angles(knee @ turn, TRIPLE).item() == 180
    )


def test_limits_are_the_course_people_s() -> None:
    """Are the limits of elbows and knees those that the rendered bodies keep to, and the hinges COCO's?"""
    for joint in ("elbow", "knee"):
        for side in ("left", "right"):
            assert [math.degrees(limit) for limit in LIMITS[f"{side}_{joint}_flex"]] == pytest.approx(
                constraints.FLEXION
            )
    names = [[COCO17.names[k] for k in hinge] for hinge in constraints.HINGES]
    assert names[0] == ["left_shoulder", "left_elbow", "left_wrist"]
    assert names[3] == ["right_hip", "right_knee", "right_ankle"]


@pytest.mark.parametrize(("low", "high"), [(0.0, 145.0), (30.0, 60.0), (20.0, 20.0), (0.0, 180.0)])
def test_limited_angles_are_within_and_lengths_kept(low: float, high: float) -> None:
    """Are angles within the limits unmoved, the others at the nearer limit, in the same plane, and all lengths kept?"""
    body = points(40, 3, 3)
    before, after = body.clone(), constraints.limit_angles(body, TRIPLE, low, high)
    assert body.equal(before)
    angles = constraints.joint_angles(body, TRIPLE)[:, 0]
    torch.testing.assert_close(
        constraints.joint_angles(after, TRIPLE)[:, 0], angles.clamp(low, high), rtol=0, atol=1e-6
    )
    torch.testing.assert_close(
        constraints.limb_lengths(after, [(0, 1), (1, 2)]), constraints.limb_lengths(body, [(0, 1), (1, 2)])
    )
    inside = (angles >= low) & (angles <= high)
    assert after[inside].equal(body[inside])
    normals = torch.linalg.cross(body[:, 1] - body[:, 0], body[:, 2] - body[:, 1])
    torch.testing.assert_close((normals * (after[:, 2] - after[:, 1])).sum(-1), torch.zeros(40).double())
    torch.testing.assert_close(constraints.limit_angles(after, TRIPLE, low, high), after)


def test_no_shorter_arc_is_found() -> None:
    """Of all directions with an allowed angle, does a search over the cone find none closer to where the limb was?"""
    body = bent(170.0)
    after = constraints.limit_angles(body, TRIPLE, 0.0, 120.0)[0]

    def away(turn: float) -> float:
        angle = math.radians(120.0)
        beside = torch.tensor([0.0, math.cos(turn), math.sin(turn)]).double()
        place = body[0, 1] + 2 * (math.cos(angle) * torch.tensor([1.0, 0, 0]).double() + math.sin(angle) * beside)
        return (place - body[0, 2]).norm().item()

    best = min(minimize_scalar(away, bounds=(start, start + 1), method="bounded").fun for start in range(-4, 4))
    assert (after[2] - body[0, 2]).norm().item() == pytest.approx(best, abs=1e-6)


def test_coco_hinges_and_batches() -> None:
    """Are a person's four hinges held at once, a wrist far off brought back, and a batch its poses by themselves?"""
    people = points(2, 3, 17, 3)
    held = constraints.limit_angles(people)
    assert constraints.joint_angles(held, constraints.HINGES).le(145 + 1e-6).all()
    torch.testing.assert_close(held[1, 2], constraints.limit_angles(people[1, 2]))
    moved = (held != people).any(-1).flatten(0, 1).any(0).nonzero()[:, 0].tolist()
    assert set(moved) <= {9, 10, 15, 16}
    assert moved


def test_what_has_no_plane_stays() -> None:
    """Do a limb folded back, one of length 0 and one with NaN stay, with finite gradients where there are any?"""
    body = torch.cat([bent(180.0, 0.0), torch.ones(1, 3, 3).double()])
    body.requires_grad_()
    held = constraints.limit_angles(body, TRIPLE, 20.0, 145.0)
    assert held.equal(body)
    (held.sum() + constraints.joint_angles(body, TRIPLE).sum()).backward()
    assert body.grad is not None
    assert body.grad.isfinite().all()
    broken = bent(170.0, 170.0)
    broken[0, 0, 0] = math.nan
    held = constraints.limit_angles(broken, TRIPLE)
    torch.testing.assert_close(held[0, 2], broken[0, 2])
    assert constraints.joint_angles(held[1], TRIPLE).item() == pytest.approx(145)


def test_gradients() -> None:
    """Are the gradients of angles and of limited places those of finite differences, in both types?"""
    body = points(5, 3, 3).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: constraints.joint_angles(x, TRIPLE), body)
    assert torch.autograd.gradcheck(lambda x: constraints.limit_angles(x, TRIPLE, 50.0, 90.0), body)
    assert constraints.limit_angles(body.float(), TRIPLE).dtype == torch.float32


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: constraints.limit_angles(torch.zeros(3, 2), TRIPLE),
            "in a picture no angle between limbs is impossib",
        ),
        (lambda: constraints.limit_angles(torch.zeros(3, 3), TRIPLE, 90.0, 20.0), "got 90.0 and 20.0"),
        (lambda: constraints.limit_angles(torch.zeros(3, 3), TRIPLE, 0.0, 200.0), "low ≤ high ≤ 180"),
        (lambda: constraints.joint_angles(torch.zeros(3, 3), [(0, 1, 3)]), r"keypoints 0 … 2; got \(0, 1, 3\)"),
        (lambda: constraints.joint_angles(torch.zeros(3, 3), [(0, 1)]), "three different"),
        (lambda: constraints.joint_angles(torch.zeros(3, 3), [(0, 1, 0)]), "three different"),
    ],
)
def test_mistakes_are_named(call: Any, message: str) -> None:
    """Does each wrong argument raise an error that says what was expected?"""
    with pytest.raises(ValueError, match=message):
        call()
