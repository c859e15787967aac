"""Networks: two backbones, seven heads, put together by injection, with every intermediate to look at.

`build(head=…)` makes the network of a lesson; `PoseNetwork(backbone, head)` takes any backbone and any head of yours.
A head answers with a NamedTuple, reads keypoints from it, and knows the loss of each keypoint, so that one training
loop serves them all.

| head       | answers with                       | trained by                              | lesson |
|------------|------------------------------------|-----------------------------------------|--------|
| `pooled`   | coordinates, after global pooling  | distance in cells                       | 01     |
| `grid`     | coordinates, from all cells        | distance in cells                       | 01     |
| `integral` | the mean of a distribution         | distance in cells                       | 01     |
| `offset`   | each cell's offset and confidence  | squared error and distance in cells     | 01     |
| `heatmap`  | a blob for each keypoint           | squared error                           | 01, 02 |
| `visibility` | blobs, and what can be seen      | squared error and a likelihood          | 04     |
| `tags`     | blobs of a crowd, and tags that say whose | squared error, pull and push    | 05     |

The first six find one person. `predict_people` reads a crowd from the last. Put together by hand: `GaussianRegression`
says how far it may be off, and `PairHead` trains two heads on one backbone (lesson 06). The backbone is `UNet`, in
lesson 07 also `C4UNet`, whose features turn with the picture.
"""

from posecourse.models.backbone import UNet
from posecourse.models.build import build
from posecourse.models.crowds import (
    Candidates,
    CrowdReading,
    candidates,
    people_by_truth,
    people_of,
    predict_people,
    true_candidates,
)
from posecourse.models.damped import Damped
from posecourse.models.gaussian import GaussianAnswer, GaussianRegression
from posecourse.models.head import Distance, Head, Reading
from posecourse.models.heatmap import HeatmapAnswer, HeatmapHead
from posecourse.models.integral import IntegralAnswer, IntegralRegression
from posecourse.models.network import ParameterCounts, PoseNetwork, evaluating, parameter_counts
from posecourse.models.offsets import OffsetAnswer, OffsetHead
from posecourse.models.pair import PairAnswer, PairHead
from posecourse.models.probe import LinearProbe, linear_probe
from posecourse.models.recipe import HEADS, BackboneName, HeadName, Recipe
from posecourse.models.regression import GridRegression, PooledRegression, RegressionAnswer
from posecourse.models.tags import TagAnswer, TagHead
from posecourse.models.turning import C4UNet
from posecourse.models.visibility import VisibilityAnswer, VisibilityHead

__all__ = [
    # a network of a lesson
    "build", "HEADS", "HeadName", "BackboneName", "Recipe", "parameter_counts", "ParameterCounts",
    # its parts
    "PoseNetwork", "UNet", "C4UNet", "evaluating",
    "Head", "Reading", "Distance", "Damped",
    "PooledRegression", "GridRegression", "IntegralRegression", "OffsetHead", "HeatmapHead", "VisibilityHead",
    "TagHead", "GaussianRegression", "PairHead",
    # a head that is solved, not trained
    "LinearProbe", "linear_probe",
    # what the heads answer
    "RegressionAnswer", "IntegralAnswer", "OffsetAnswer", "HeatmapAnswer", "VisibilityAnswer", "TagAnswer",
    "GaussianAnswer", "PairAnswer",
    # from an answer to a crowd
    "predict_people", "CrowdReading", "candidates", "true_candidates", "Candidates", "people_of", "people_by_truth",
]  # fmt: skip
