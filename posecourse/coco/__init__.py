"""Real data: any COCO-keypoints JSON with its pictures in, COCO files and result dictionaries out.

Frames. COCO's keypoints are the pixels that annotators clicked, so they are pixel centres: ours, unchanged. COCO's
boxes are edges in a frame where pixel i covers [i, i + 1); ours covers [i − ½, i + ½), so ½ is subtracted from x and
y when a file is read, and added when one is written.

Broken input is never repaired in silence: it gives a `CocoError` that names the file, the annotation and the fix, for
the JSON when it is loaded, for a picture when it is read (or at once, with `check_images=True`).
"""

from posecourse.coco.boxes import load_boxes
from posecourse.coco.datasets import CocoCrops, CocoDataset, load
from posecourse.coco.errors import CocoError
from posecourse.coco.photographs import photographs
from posecourse.coco.results import results, truth
from posecourse.coco.saving import save

__all__ = ["CocoCrops", "CocoDataset", "CocoError", "load", "load_boxes", "photographs", "results", "save", "truth"]
