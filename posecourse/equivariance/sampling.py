"""What pixels do to a turn: where the windows of a strided layer lie, and what an interpolation blurs."""

import math

from posecourse.shapes import require_count, require_positive

__all__ = ["grid_offset", "interpolation_variance", "relative_blur"]


def grid_offset(n: int, kernel: int, stride: int, padding: int = 0) -> float:
    """Return how many pixels the centre of a layer's windows lies before the picture's centre, along one axis.

        ((n + 2p − k) mod s) / 2

    The first window begins p pixels before the picture, and the last one ends where there is no room for another:
    what is left over is all on one side. Turn the picture, and it is on another side. So whatever the kernel, a layer
    with stride s can be exactly equivariant under quarter turns only if nothing is left over; then it is, if its
    kernel is its own turn (as for a mean) or all four turns of it are there (as in `lift_c4`). With r pixels left
    over the features of the turned picture lie r pixels from the turned features, √2 · r at 180°.

    It is about the grid alone: at stride 1 nothing is ever left over, and a kernel without symmetry is not equivariant
    all the same.

    Args:
        n: pixels along the axis.
        kernel: k, pixels along a window.
        stride: s, pixels from window to window.
        padding: p, zeros at both ends.

    Raises:
        ValueError: a number is not a positive whole one, or no window fits.

    Lesson: 07.
    """
    for value, name in ((n, "n"), (kernel, "kernel"), (stride, "stride")):
        require_count(value, name)
    room = n + 2 * padding - kernel
    if room < 0:
        raise ValueError(f"a kernel of {kernel} does not fit into {n} pixels with padding {padding}. Pad more.")
    return room % stride / 2


def interpolation_variance(resamplings: int = 1) -> float:
    """Return by how much bilinear interpolation widens a blob: 1/6 px² of variance per axis, each time.

    A new pixel that falls f of the way between two old ones blends them as 1 − f and f, which has the variance
    f · (1 − f). Its mean over f from 0 to 1 is 1/6. A turn meets all f alike; a shift meets one.

    Args:
        resamplings: how often the picture was interpolated.

    Lesson: 07.
    """
    require_count(resamplings, "resamplings")
    return resamplings / 6


def relative_blur(sigma: float, resamplings: int = 2) -> float:
    """Return how unlike itself a Gaussian blob is after interpolations: ‖after − before‖ / ‖before‖.

        √(1 + σ²/S − 4σ²/(σ² + S)),    S = σ² + n/6

    in the continuum, and if an interpolation were a Gaussian blur of the variance 1/6. In truth it is another blur at
    each pixel, on the mean this one: blobs of σ from 1 to 3 change by a twentieth more.

    Args:
        sigma: σ of the blob in pixels.
        resamplings: n; 2 turns a picture and turns it back.

    Lesson: 07.
    """
    require_positive(sigma, "sigma")
    before = sigma**2
    after = before + interpolation_variance(resamplings)
    return math.sqrt(1 + before / after - 4 * before / (before + after))
