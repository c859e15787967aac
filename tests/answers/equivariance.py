"""Answers to the exercises on equivariance: right ones, and every known mistake as somebody else would have made it."""

import cmath
import math

import torch
from torch.nn import functional

from posecourse import transforms

# Points that turn with a picture.


def matrix(points, degrees, size):
    """Multiply with a matrix."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    R = points.new_tensor([[c, s], [-s, c]])
    centre = points.new_tensor([size[1] - 1, size[0] - 1]) / 2
    return (points - centre) @ R.T + centre


def coordinates(points, degrees, size):
    """Write both lines out."""
    angle = torch.deg2rad(torch.tensor(float(degrees), dtype=points.dtype))
    cx, cy = (size[1] - 1) / 2, (size[0] - 1) / 2
    x, y = points[..., 0] - cx, points[..., 1] - cy
    return torch.stack([cx + angle.cos() * x + angle.sin() * y, cy - angle.sin() * x + angle.cos() * y], -1)


def plane(points, degrees, size):
    """Multiply complex numbers, with y up."""
    height, width = size
    z = torch.complex(points[..., 0] - (width - 1) / 2, (height - 1) / 2 - points[..., 1])
    z = z * cmath.rect(1, math.radians(degrees))
    return torch.stack([z.real + (width - 1) / 2, (height - 1) / 2 - z.imag], dim=-1)


def wrong_matrix(entries, centre=lambda H, W: ((W - 1) / 2, (H - 1) / 2), radians=math.radians):
    """Return a turn with another matrix, about another centre."""

    def turn(points, degrees, size):
        a = radians(degrees)
        R = points.new_tensor(entries(math.cos(a), math.sin(a)))
        c = points.new_tensor(centre(*size))
        return torch.einsum("ij,...j->...i", R, points - c) + c

    return turn


def right_matrix(c, s):
    """Return what turns counter-clockwise where y points down."""
    return [[c, s], [-s, c]]


def forgot_to_add(points, degrees, size):
    """Leave the answer about the centre."""
    return matrix(points, degrees, size) - points.new_tensor([(size[1] - 1) / 2, (size[0] - 1) / 2])


def forgot_to_subtract(points, degrees, size):
    """Turn the points themselves."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y = points[..., 0], points[..., 1]
    return torch.stack([(size[1] - 1) / 2 + c * x + s * y, (size[0] - 1) / 2 - s * x + c * y], -1)


def one_after_the_other(points, degrees, size):
    """Overwrite x."""
    new = points.clone()
    new[..., 0] -= (size[1] - 1) / 2
    new[..., 1] -= (size[0] - 1) / 2
    a = math.radians(degrees)
    new[..., 0] = math.cos(a) * new[..., 0] + math.sin(a) * new[..., 1]
    new[..., 1] = -math.sin(a) * new[..., 0] + math.cos(a) * new[..., 1]
    new[..., 0] += (size[1] - 1) / 2
    new[..., 1] += (size[0] - 1) / 2
    return new


ROTATE_KEYPOINTS = {
    "golds": [matrix, coordinates, plane],
    "twins": {
        "clockwise": wrong_matrix(lambda c, s: [[c, -s], [s, c]]),
        "about_the_corner": wrong_matrix(right_matrix, lambda H, W: (0.0, 0.0)),
        "about_half_of_the_size": wrong_matrix(right_matrix, lambda H, W: (W / 2, H / 2)),
        "about_a_whole_pixel": wrong_matrix(right_matrix, lambda H, W: (float(W // 2), float(H // 2))),
        "size_exchanged": wrong_matrix(right_matrix, lambda H, W: ((H - 1) / 2, (W - 1) / 2)),
        "degrees_taken_for_radians": wrong_matrix(right_matrix, radians=float),
        "centre_not_added": forgot_to_add,
        "centre_not_subtracted": forgot_to_subtract,
        "both_sines_alike": wrong_matrix(lambda c, s: [[c, s], [s, c]]),
        "sine_and_cosine_exchanged": wrong_matrix(lambda c, s: [[s, c], [-c, s]]),
        "new_x_for_the_old": one_after_the_other,
        "row_before_column": lambda *given: matrix(*given)[..., [1, 0]],
    },
}

# Points in a mirror.


def through_names(points, size, skeleton):
    """Look every name's twin up."""
    order = []
    for name in skeleton.names:
        twin = name.replace("left", "?").replace("right", "left").replace("?", "right")
        order.append(skeleton.names.index(twin) if twin in skeleton.names else skeleton.names.index(name))
    new = points[..., order, :].clone()
    new[..., 0] = size[1] - 1 - new[..., 0]
    return new


def scaled(points, size, skeleton):
    """Mirror first, and exchange afterwards."""
    mirrored = points * points.new_tensor([-1, 1]) + points.new_tensor([size[1] - 1, 0])
    return mirrored.index_select(-2, torch.tensor(skeleton.swap))


def mirror(place, exchange=lambda points, skeleton: points[..., list(skeleton.swap), :]):
    """Return a mirror with another formula, or another exchange."""

    def flip(points, size, skeleton):
        x, y = place(points[..., 0], points[..., 1], *size)
        return exchange(torch.stack((x, y), -1), skeleton)

    return flip


def two_by_two(points, skeleton):
    """Exchange as COCO's skeleton wants it."""
    new = points.clone()
    for left in range(1, points.shape[-2] - 1, 2):
        new[..., left, :], new[..., left + 1, :] = points[..., left + 1, :], points[..., left, :]
    return new


def one_is_lost(points, skeleton):
    """Exchange in place without a third."""
    new = points.clone()
    for i, j in enumerate(skeleton.swap):
        if i < j:
            new[..., i, :] = new[..., j, :]
            new[..., j, :] = new[..., i, :]
    return new


def right(x, y, H, W):
    """Return the mirrored place."""
    return W - 1 - x, y


FLIP_KEYPOINTS = {
    "golds": [through_names, scaled, mirror(right)],
    "twins": {
        "sides_not_swapped": mirror(right, lambda points, skeleton: points),
        "mirrored_about_the_edge": mirror(lambda x, y, H, W: (W - x, y)),
        "not_mirrored": mirror(lambda x, y, H, W: (x, y)),
        "upside_down": mirror(lambda x, y, H, W: (x, H - 1 - y)),
        "turned_not_mirrored": mirror(lambda x, y, H, W: (W - 1 - x, H - 1 - y)),
        "height_for_width": mirror(lambda x, y, H, W: (H - 1 - x, y)),
        "about_zero": mirror(lambda x, y, H, W: (-x, y)),
        "order_reversed": mirror(right, lambda points, skeleton: points[..., range(points.shape[-2] - 1, -1, -1), :]),
        "neighbours_swapped": mirror(right, two_by_two),
        "both_from_one_side": mirror(right, one_is_lost),
        "row_before_column": mirror(lambda x, y, H, W: (y, W - 1 - x)),
    },
}

# Two ways round a square.


def sampled(images, degrees):
    """Turn pictures with PyTorch's own grid."""
    H, W = images.shape[-2:]
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    theta = images.new_tensor([[c, -s * H / W, 0], [s * W / H, c, 0]]).expand(len(images), 2, 3)
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, "bilinear", "zeros", align_corners=False)


def contains(points, size):
    """Compare with the edges."""
    x, y = points.unbind(-1)
    return (x >= -0.5) & (x < size[1] - 0.5) & (y >= -0.5) & (y < size[0] - 0.5)


def in_the_turned_frame(model, images, degrees):
    """Follow the definition, with PyTorch's grid."""
    size = images.shape[-2:]
    there = matrix(model.predict(images), degrees, size)
    away = model.predict(sampled(images, degrees)) - there
    error = away.pow(2).sum(-1).sqrt()
    error[~contains(there, size)] = float("nan")
    return error


def in_the_upright_frame(model, images, degrees):
    """Turn the other answer back: distances do not change."""
    size = images.shape[-2:]
    upright = model.predict(images)
    turned, expected = transforms.rotate(images, upright, degrees)
    back = transforms.rotate_keypoints(model.predict(turned), -degrees, size)
    error = torch.linalg.vector_norm(back - upright, dim=-1)
    return torch.where(transforms.inside(expected, size), error, torch.nan)


def image_by_image(model, images, degrees):
    """Ask for one picture at a time."""
    return torch.cat([in_the_turned_frame(model, image[None], degrees) for image in images])


def square(measure=lambda away: away.norm(dim=-1), picture=1, points=1, outside=torch.nan):
    """Return an error of another measure, or with other angles."""

    def error(model, images, degrees):
        size = images.shape[-2:]
        there = matrix(model.predict(images), points * degrees, size)
        found = measure(model.predict(sampled(images, picture * degrees)) - there)
        return found if outside is None else torch.where(contains(there, size), found, outside)

    return error


def upright_against_turned(model, images, degrees):
    """Forget to turn the points."""
    size = images.shape[-2:]
    points = model.predict(images)
    error = torch.dist(points[0, 0], points[0, 0]) + (model.predict(sampled(images, degrees)) - points).norm(dim=-1)
    return error.masked_fill(~contains(matrix(points, degrees, size), size), torch.nan)


def on_and_on(model, images, degrees):
    """Turn what has turned."""
    size = images.shape[-2:]
    points = model.predict(images)
    error = (coordinates(model.predict(sampled(images, degrees)), degrees, size) - points).norm(dim=-1)
    return error.masked_fill(~contains(matrix(points, degrees, size), size), torch.nan)


def other_judge(model, images, degrees):
    """Ask what was found in the turned picture."""
    size = images.shape[-2:]
    found = model.predict(sampled(images, degrees))
    error = (found - matrix(model.predict(images), degrees, size)).norm(dim=-1)
    return error.masked_fill(~contains(found, size), torch.nan)


def width_first(model, images, degrees):
    """Take the last axis for the height."""
    size = (images.shape[3], images.shape[2])
    expected = plane(model.predict(images), degrees, size)
    error = (model.predict(sampled(images, degrees)) - expected).norm(dim=-1)
    return error.masked_fill(~contains(expected, size), torch.nan)


EQUIVARIANCE_ERROR = {
    "golds": [in_the_turned_frame, in_the_upright_frame, image_by_image, square()],
    "twins": {
        "points_turned_clockwise": square(points=-1),
        "picture_turned_clockwise": square(picture=-1),
        "points_not_turned": upright_against_turned,
        "picture_not_turned": square(picture=0),
        "turned_once_more": on_and_on,
        "everything_counts": square(outside=None),
        "outside_is_no_error": square(outside=0.0),
        "the_other_way_decides": other_judge,
        "size_exchanged": width_first,
        "squared": square(lambda away: (away * away).sum(-1)),
        "axes_added": square(lambda away: away[..., 0].abs() + away[..., 1].abs()),
        "axes_averaged": square(lambda away: away.pow(2).mean(-1).sqrt()),
    },
}

# An average over four turns.


def by_hand(model, images):
    """Write the four ways back out."""
    H, W = images.shape[-2:]
    total = model.predict(images)
    x, y = model.predict(torch.rot90(images, 1, (2, 3))).unbind(-1)
    total = total + torch.stack([W - 1 - y, x], dim=-1)
    x, y = model.predict(torch.rot90(images, 2, (2, 3))).unbind(-1)
    total = total + torch.stack([W - 1 - x, H - 1 - y], dim=-1)
    x, y = model.predict(torch.rot90(images, 3, (2, 3))).unbind(-1)
    return (total + torch.stack([y, H - 1 - x], dim=-1)) / 4


def about_centres(turns, sign=1, back=-1, pick=lambda old, new: (new, old)):
    """Return an average: subtract one centre, turn, add the other."""

    def average(model, images):
        found = []
        for g in turns:
            turned = torch.rot90(images, sign * g, (-2, -1))
            old, new = (torch.tensor([p.shape[-1] - 1, p.shape[-2] - 1]).to(images) / 2 for p in (images, turned))
            leave, arrive = pick(old, new)
            z = model.predict(turned) - leave
            for _ in range(sign * back * g % 4):
                z = torch.stack([z[..., 1], -z[..., 0]], dim=-1)
            found.append(z + arrive)
        return sum(found) / len(found)

    return average


def then_back(model, images):
    """Take the mean first."""
    return sum(model.predict(torch.rot90(images, g, (2, 3))) for g in range(4)) / 4


def further(model, images):
    """Turn on, in the frames that turning on has."""
    found = []
    for g in range(4):
        points = model.predict(torch.rot90(images, g, (2, 3)))
        W = images.shape[-1 - g % 2]
        for _ in range(g):
            points = torch.stack([points[..., 1], W - 1 - points[..., 0]], -1)
            W = images.shape[-2] + images.shape[-1] - W
        found.append(points)
    return torch.stack(found).mean(0)


def always_upright(model, images):
    """Use the upright picture's size for the way back."""
    H, W = images.shape[-2:]
    x, y = model.predict(torch.rot90(images, 1, (2, 3))).unbind(-1)
    first = torch.stack([H - 1 - y, x], -1)
    x, y = model.predict(torch.rot90(images, 2, (2, 3))).unbind(-1)
    second = torch.stack([W - 1 - x, H - 1 - y], -1)
    x, y = model.predict(torch.rot90(images, 3, (2, 3))).unbind(-1)
    third = torch.stack([y, W - 1 - x], -1)
    return (model.predict(images) + first + second + third) / 4


def same_canvas(model, images):
    """Let the corners go."""
    H, W = images.shape[-2:]
    found = [matrix(model.predict(sampled(images, 90 * g)), -90 * g, (H, W)) for g in range(4)]
    return torch.stack(found).mean(0)


def middle(model, images):
    """Ask about the upright picture again and again: what comes out is its middle."""
    H, W = images.shape[-2:]
    return torch.full_like(model.predict(images), (H - 1) / 2).index_fill(-1, torch.tensor([0]), (W - 1) / 2)


about_the_upright_one = about_centres(range(4), pick=lambda old, new: (old, old))
"""Two answers are off by (H − W) / 2 in this way, one to each side: the mean is right."""


GROUP_AVERAGE = {
    "golds": [
        by_hand,
        about_centres(range(4)),
        about_centres((0, 1, 2, 3), sign=-1),
        about_centres((3, 6, 1, 0)),
        about_the_upright_one,
    ],
    "twins": {
        "averaged_before_turning_back": then_back,
        "turned_on_instead_of_back": further,
        "size_of_the_upright_picture": always_upright,
        "canvas_kept": same_canvas,
        "picture_not_turned": middle,
        "half_turns_only": about_centres((0, 2)),
        "upright_left_out": about_centres((1, 2, 3)),
        "upright_counted_twice": about_centres(range(5)),
        "summed": lambda model, images: 4 * by_hand(model, images),
    },
}

# The lifting convolution.


def turned(kernel, g):
    """Turn counter-clockwise by transposing and flipping."""
    for _ in range(g % 4):
        kernel = kernel.transpose(-1, -2).flip(-2)
    return kernel


def kernels_at_once(images, weight):
    """Lay the kernels together."""
    four = torch.stack([turned(weight, g) for g in range(4)], 1)
    maps = functional.conv2d(images, four.reshape(-1, *weight.shape[1:]))
    return maps.reshape(len(images), len(weight), 4, *maps.shape[-2:])


def turned_pictures(images, weight):
    """Turn the picture, convolve, and turn the map back."""
    maps = [functional.conv2d(torch.rot90(images, -g, (2, 3)), weight) for g in range(4)]
    return torch.stack([torch.rot90(m, g, (2, 3)) for g, m in enumerate(maps)], dim=2)


def windows(images, weight, kernel=turned):
    """Cut windows out and take products."""
    k = weight.shape[-1]
    cut = images.unfold(-2, k, 1).unfold(-2, k, 1)  # B C h w k k
    return torch.stack([torch.einsum("bchwij,ocij->bohw", cut, kernel(weight, g)) for g in range(4)], 2)


def lifted(kernel):
    """Return a lifting convolution with other kernels."""
    return lambda images, weight: windows(images, weight, kernel)


def concatenated(images, weight):
    """Lay the kernels one behind the other."""
    maps = functional.conv2d(images, torch.cat([turned(weight, g) for g in range(4)], 0))
    return maps.reshape(len(images), len(weight), 4, *maps.shape[-2:])


LIFT_C4 = {
    "golds": [kernels_at_once, turned_pictures, windows],
    "twins": {
        "kernel_not_turned": lifted(lambda kernel, g: kernel),
        "clockwise": lifted(lambda kernel, g: torch.rot90(kernel, g, (-1, -2))),
        "kernel_mirrored": lifted(lambda kernel, g: kernel.flip([[], [-1], [-1, -2], [-2]][g])),
        "kernel_reversed": lifted(lambda kernel, g: turned(kernel, g + 2)),
        "one_step_late": lifted(lambda kernel, g: turned(kernel, g + 1)),
        "orientation_before_pattern": concatenated,
    },
}

# The convolution of the group.


def loops(features, weight):
    """Loop over both orientations."""
    found = []
    for g in range(4):
        parts = [functional.conv2d(features[:, :, h], turned(weight[:, :, h - g], g)) for h in range(4)]
        found.append(parts[0] + parts[1] + parts[2] + parts[3])
    return torch.stack(found, 2)


def turned_features(features, weight):
    """Turn the features back, convolve for orientation 0, and turn the map on."""
    found = []
    for g in range(4):
        back = torch.rot90(features, -g, (-2, -1))[:, :, [g % 4, (g + 1) % 4, (g + 2) % 4, (g + 3) % 4]]
        found.append(torch.rot90(functional.conv2d(back.flatten(1, 2), weight.flatten(1, 2)), g, (-2, -1)))
    return torch.stack(found, dim=2)


def summed(features, weight, kernel=lambda w, h, g: turned(w[:, :, (h - g) % 4], g), orientations=range(4)):
    """Cut windows out and take products."""
    k = weight.shape[-1]
    cut = features.unfold(-2, k, 1).unfold(-2, k, 1)  # B C 4 h w k k
    found = []
    for g in range(4):
        many = torch.stack([kernel(weight, h, g) for h in orientations], 2)
        found.append(torch.einsum("bcnhwij,ocnij->bohw", cut, many))
    return torch.stack(found, 2)


def grouped(kernel):
    """Return a convolution of the group with other kernels."""
    return lambda features, weight: summed(features, weight, kernel)


def itself_alone(features, weight):
    """Let each orientation see itself."""
    k = weight.shape[-1]
    cut = features.unfold(-2, k, 1).unfold(-2, k, 1)
    return torch.stack(
        [torch.einsum("bchwij,ocij->bohw", cut[:, :, g], turned(weight[:, :, 0], g)) for g in range(4)], 2
    )


def other_patterns(features, weight):
    """Roll along the channels."""
    return summed(features, weight, lambda w, h, g: turned(torch.roll(w, g, 1)[:, :, h], g))


def mixed(features, weight):
    """Lay the kernels one behind the other."""
    four = torch.cat([turned(torch.roll(weight, g, 2), g).flatten(1, 2) for g in range(4)])
    maps = functional.conv2d(features.flatten(1, 2), four)
    return maps.reshape(len(features), len(weight), 4, *maps.shape[-2:])


CONV_C4 = {
    "golds": [loops, turned_features, summed],
    "twins": {
        "orientations_not_rolled": grouped(lambda w, h, g: turned(w[:, :, h], g)),
        "kernel_not_turned": grouped(lambda w, h, g: w[:, :, h - g]),
        "neither": grouped(lambda w, h, g: w[:, :, h]),
        "rolled_the_other_way": grouped(lambda w, h, g: turned(w[:, :, (h + g) % 4], g)),
        "turned_the_other_way": grouped(lambda w, h, g: turned(w[:, :, h - g], -g)),
        "clockwise": grouped(lambda w, h, g: turned(w[:, :, (h + g) % 4], 4 - g)),
        "kernel_reversed": grouped(lambda w, h, g: turned(w[:, :, h - g], g + 2)),
        "patterns_rolled": other_patterns,
        "averaged_over_orientations": grouped(lambda w, h, g: turned(w[:, :, h - g], g) * 0.25),
        "own_orientation_only": itself_alone,
        "orientation_before_pattern": mixed,
    },
}


def chosen_by_if(model, images, degrees):
    """Ask one question about many keypoints."""
    points = transforms.rotate_keypoints(model.predict(images), degrees, images.shape[-2:])
    return points if transforms.inside(points, images.shape[-2:]) else torch.nan


ROTATE_KEYPOINTS["helped"] = [lambda points, degrees, size: torch.cos(math.radians(degrees)) * points]
EQUIVARIANCE_ERROR["helped"] = [chosen_by_if]
FLIP_KEYPOINTS["helped"] = [lambda points, size, skeleton: points[:, list(skeleton.swap)]]

ANSWERS = {
    "rotate_keypoints": ROTATE_KEYPOINTS,
    "flip_keypoints": FLIP_KEYPOINTS,
    "equivariance_error": EQUIVARIANCE_ERROR,
    "group_average": GROUP_AVERAGE,
    "lift_c4": LIFT_C4,
    "conv_c4": CONV_C4,
}
