"""Whose elbow is this? Associative embedding: a network gives each keypoint a tag, and equal tags make a person.

A tag is a point of a space that means nothing by itself: no truth says what it should be. The pull draws the tags of
one person together, the push keeps those of two people apart, and that is all that the network is taught. Afterwards
`decode.nms_peaks` finds candidates, `tags_at` reads their tags, and `group_by_tag` makes people of them.
"""

from posecourse.grouping.losses import gaussian_push_loss, pull_loss, push_loss
from posecourse.grouping.order import torso_out
from posecourse.grouping.people import People, group_by_tag
from posecourse.grouping.tags import tags_at
from posecourse.grouping.truth import group_by_truth

__all__ = [
    "People",
    "gaussian_push_loss",
    "group_by_tag",
    "group_by_truth",
    "pull_loss",
    "push_loss",
    "tags_at",
    "torso_out",
]
