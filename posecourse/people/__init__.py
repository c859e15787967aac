"""Synthetic people whose truth we know: the instrument of the course.

`draw_scenes` draws who is there, `render` makes the pictures and everything that is true of them, `PeopleDataset`
keeps a rendered set. A `Scene` can be edited before it is rendered:

    scene = draw_scenes(4, seeding.generator(0), poses=["walk"])
    later = replace(scene, poses=walk_cycle(phase))  # the same people, a moment later
    sample = render(later, (64, 64))

The body is a surface of swept rings over a skeleton with joint limits; triangles are sampled at four places a pixel,
the nearest wins. The world is metric: x right, y down, z away from the camera, the ground at y = 0.
"""

from posecourse.people.backdrop import PLACES, Backdrop
from posecourse.people.body import Bodies
from posecourse.people.camera import Camera
from posecourse.people.dataset import RENDERER_VERSION, PeopleDataset, stream
from posecourse.people.gait import walk_cycle
from posecourse.people.joints import ANGLES, LIMITS
from posecourse.people.light import Light
from posecourse.people.looks import PATTERNS, Looks
from posecourse.people.mirror import mirrored
from posecourse.people.palette import SKIN_TONES
from posecourse.people.placing import placed
from posecourse.people.poses import FAMILIES
from posecourse.people.props import Props
from posecourse.people.render import render
from posecourse.people.scene import Scene
from posecourse.people.staging import draw_scenes

__all__ = [
    "draw_scenes",
    "render",
    "PeopleDataset",
    "stream",
    "walk_cycle",
    "mirrored",
    "placed",
    "Scene",
    "Bodies",
    "Looks",
    "Light",
    "Camera",
    "Backdrop",
    "Props",
    "ANGLES",
    "FAMILIES",
    "LIMITS",
    "PATTERNS",
    "PLACES",
    "SKIN_TONES",
    "RENDERER_VERSION",
]
