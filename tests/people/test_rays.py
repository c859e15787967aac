"""Does a ray meet exactly the surfaces that it passes through?"""

import torch
from torch import Tensor

from posecourse import people, seeding
from posecourse.people.mesh import Mesh, assemble
from posecourse.people.rasterise import NEAR
from posecourse.people.rays import front, meet


def surfaces(count: int, seed: int) -> tuple[people.Scene, Mesh]:
    """Return scenes of two people with something in front, and their surfaces."""
    scene = people.draw_scenes(count, seeding.generator(seed), people=2, occluders=1.0)
    return scene, assemble(scene, scene.posture())


def struck(mesh: Mesh, image: int, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return for rays from the camera to `target` (P 3) the nearest facing triangle, its z, and how far inside (P).

    Möller and Trumbore (1997), "Fast, minimum storage ray-triangle intersection": for every ray and every triangle of
    the image solve o + t·d = (1 − u − v)·a + u·b + v·c by Cramer's rule, in double precision, with no boxes, no
    projection and no shared edges.
    """
    chosen = (mesh.image == image).nonzero().squeeze(-1)
    a, b, c = mesh.points.double()[mesh.triangles[chosen]].unbind(1)
    d = target.double()[:, None]
    p = torch.linalg.cross(d, (c - a)[None].expand(len(d), -1, 3))
    det = ((b - a) * p).sum(-1)
    u = (-a * p).sum(-1) / det
    q = torch.linalg.cross(-a, b - a)
    v = (d * q).sum(-1) / det
    t = ((c - a) * q).sum(-1) / det
    margin = torch.stack([u, v, 1 - u - v]).amin(0)
    outward = (torch.linalg.cross(b - a, c - a) * a).sum(-1)  # a facing triangle is clockwise on the screen
    facing = (outward > 0) & (torch.stack([a, b, c])[..., 2] > NEAR).all(0) & mesh.drawn[chosen]
    z = torch.where((margin >= 0) & facing & (t > 0), t * d[..., 2], torch.inf)
    nearest = z.argmin(-1, keepdim=True)
    return chosen[nearest[:, 0]], z.gather(1, nearest)[:, 0], margin.gather(1, nearest)[:, 0]


def test_the_front_triangle_is_that_of_a_brute_force_intersection_in_space() -> None:
    """Do boxes, projection and edge functions lose nothing that Möller and Trumbore find, and find nothing more?

    Rays pass within centimetres of the keypoints: through a nose they would go exactly at a vertex of the outline.
    Depths agree to single precision: 1e-4 m. Where a ray passes within a ten-thousandth of an edge either neighbour
    may be named.
    """
    scene, mesh = surfaces(12, 3)
    targets = scene.camera.view(scene.joints()).flatten(1, 2)
    targets = targets + 0.02 * torch.randn(targets.shape, generator=seeding.generator(7))
    B, P = targets.shape[:2]
    met = meet(mesh, targets)
    nearest = front(met, B * P).view(B, P)
    compared = 0
    for image in range(B):
        triangle, z, margin = struck(mesh, image, targets[image])
        hit = z.isfinite()
        assert torch.equal(hit, nearest[image] >= 0)
        mine = nearest[image][hit]
        torch.testing.assert_close(1 / met.inverse_depth[mine].double(), z[hit], atol=1e-4, rtol=0)
        clear = margin[hit] > 1e-4
        assert torch.equal(met.triangle[mine][clear], triangle[hit][clear])
        compared += int(clear.sum())
    assert compared > 300


def test_the_weights_are_those_of_the_place_in_space() -> None:
    """Do the corners, weighted, give the point on the ray at that depth, in spite of perspective?"""
    scene, mesh = surfaces(4, 4)
    targets = scene.camera.view(scene.joints()).flatten(1, 2)
    met = meet(mesh, targets)
    place = (mesh.points[mesh.triangles[met.triangle]] * met.weights[..., None]).sum(1)
    ray = targets.flatten(0, 1)[met.ray]
    torch.testing.assert_close(place, ray / ray[:, 2:] / met.inverse_depth[:, None], atol=2e-5, rtol=0)


def test_no_ray_slips_between_two_triangles() -> None:
    """Is an edge between two facing triangles of a body closed?"""
    _, mesh = surfaces(2, 5)
    points, random = mesh.points, seeding.generator(6)
    triangles = mesh.triangles[(mesh.image == 0) & mesh.drawn]
    a, b, c = (points[corner] for corner in triangles.unbind(-1))
    facing = triangles[((torch.linalg.cross(b - a, c - a) * a).sum(-1) > 0)]
    edges = torch.cat([facing[:, [i, (i + 1) % 3]] for i in range(3)]).sort(-1).values
    edges, counts = edges.unique(dim=0, return_counts=True)
    edges = edges[counts == 2]
    share = torch.rand(len(edges), 1, generator=random)
    on = points[edges[:, 0]] * share + points[edges[:, 1]] * (1 - share)
    targets = torch.cat([on, points[edges[:, 0]]])[None].expand(2, -1, 3)
    met = meet(mesh, targets)
    nearest = front(met, 2 * targets.shape[1])[: targets.shape[1]]
    assert (nearest >= 0).all()
    assert len(nearest) > 2000
    assert (1 / met.inverse_depth[nearest] < targets[0, :, 2] + 1e-4).all()
