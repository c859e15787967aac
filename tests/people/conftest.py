"""Scenes that several tests look at: plain, so that one thing can be changed at a time."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from posecourse import people, seeding
from posecourse.people.body import SEGMENTS


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep rendered sets in a folder that goes away."""
    monkeypatch.setenv("POSECOURSE_CACHE", str(tmp_path))


@pytest.fixture
def standing() -> Callable[..., people.Scene]:
    """Return a maker of people who stand straight with hanging arms, seen level from far away, nothing in front."""

    def make(count: int, seed: int = 0, heading: float = 0.0, distance: float = 40.0) -> people.Scene:
        scene = people.draw_scenes(count, seeding.generator(seed), poses=["stand"], occluders=0, truncation=0)
        flat = torch.zeros_like(scene.camera.yaw)
        random = torch.rand(count, 2, generator=seeding.generator(seed + 1))
        camera = replace(
            scene.camera,
            position=torch.stack([flat, flat - 0.9, flat - distance], -1),
            yaw=flat,
            pitch=flat,
            roll=flat,
            focal=flat + 0.42 * distance,
            centre=0.48 + 0.04 * random,
        )
        poses = torch.zeros_like(scene.poses)
        for side in ("left", "right"):  # arms and legs a little apart, so that they do not hide one another
            poses[..., people.ANGLES.index(f"{side}_shoulder_abduction")] = 0.4
            poses[..., people.ANGLES.index(f"{side}_hip_abduction")] = 0.12
        return replace(
            scene,
            camera=camera,
            poses=poses,
            positions=torch.zeros_like(scene.positions),
            headings=torch.full_like(scene.headings, heading),
        )

    return make


@pytest.fixture
def segment() -> Callable[[str], int]:
    """Return the place of a segment of the body."""
    return SEGMENTS.index
