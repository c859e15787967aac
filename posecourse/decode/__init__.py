"""From grids back to points: every way of reading a keypoint out of a heatmap, with the same answer type.

All return `Peaks(points (*B K 2) in cells, scores (*B K))`, know no stride (`coords.cells_to_pixels` does) and take
any leading batch shape and any floating dtype. Four rules hold for all of them:

- **Unreadable maps.** A map that is flat (all values equal) or holds a NaN or an infinity has its point at the map's
  centre, ((W − 1)/2, (H − 1)/2), and score 0. It does not touch its neighbours in the batch, nor the gradient.
- **Scores.** The score is the map's largest value, a negative one too: a network that answers below zero everywhere
  says "not here", and logits have no zero that means anything. So ask for more than 0 to leave out both this and what
  could not be read.
- **Ties.** Of equal maxima the first in reading order counts: topmost row, then leftmost column. `dark` and
  `gaussian_fit` ask this of the filtered map, where rounding can part what was equal; the soft ones take the mean.
- **Precision.** Points are at least float32, whatever the map: bfloat16 cannot tell 33.1 from 33. float64 stays.

Which one? `gaussian_fit` reaches the Cramér–Rao bound on blobs of unknown width; `dark` comes close to it, faster,
where the width is known; `soft_argmax` is the one to train through. Lesson 02 measures them all. Where a map holds
several people, `nms_peaks` finds a place for each, which `refine_peaks` hands to any of the others, and
`dark_at` moves as `dark` would, many at once.
"""

from posecourse.decode.axes import simcc
from posecourse.decode.candidates import nms_peaks, refine_peaks
from posecourse.decode.centroid import debiased_soft_argmax, local_soft_argmax, soft_argmax, spatial_covariance
from posecourse.decode.fit import gaussian_fit
from posecourse.decode.maximum import argmax_2d, quarter_offset
from posecourse.decode.peaks import Peaks
from posecourse.decode.taylor import dark, dark_at
from posecourse.decode.temperature import TemperatureSearch, best_temperature, laplace_covariance

__all__ = [
    "Peaks",
    "argmax_2d",
    "quarter_offset",
    "dark",
    "dark_at",
    "gaussian_fit",
    "soft_argmax",
    "local_soft_argmax",
    "debiased_soft_argmax",
    "spatial_covariance",
    "laplace_covariance",
    "best_temperature",
    "TemperatureSearch",
    "simcc",
    "nms_peaks",
    "refine_peaks",
]
