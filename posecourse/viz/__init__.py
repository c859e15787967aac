"""Pictures: one file per kind, and the only part of the course that knows matplotlib.

A notebook calls `use_style()` once. It takes a figure of one of three sizes (`single`, `row`, `gallery`), or a whole
picture (`people_gallery`, `frames`), gives it a `headline` that states the finding, and shows it in pictures and in
words: `show(fig, alt=…)`. Figures are never registered with pyplot, so none shows itself and none stays open.
"""

from posecourse.viz.bounds import forbid_below
from posecourse.viz.constraints import LimbPicture, describe_limb, limb, limb_by_length
from posecourse.viz.coordinates import FramesPicture, frames, frames_by_stride
from posecourse.viz.decoding import (
    Decoded,
    DecodersPicture,
    decoded,
    decoders,
    decoders_by_stride,
    describe_decoders,
)
from posecourse.viz.display import checked_alt, html_image, png, show
from posecourse.viz.equivariance import TurnedPicture, describe_turned, errors_by_angle, turned
from posecourse.viz.figures import gallery, headline, label_ends, row, single, title
from posecourse.viz.fusion import (
    FusedPicture,
    describe_fused_ellipses,
    fused_by_correlation,
    fused_ellipses,
    fusion_map,
)
from posecourse.viz.grouping import (
    GroupedPicture,
    TaggedCandidates,
    describe_grouped,
    draw_group,
    grouped,
    tag_colours,
)
from posecourse.viz.mended import describe_mended, mended
from posecourse.viz.overlays import draw_ellipse, draw_error, draw_prediction, draw_skeleton, draw_truth, skeleton_key
from posecourse.viz.people import PeoplePicture, people_gallery, person_map, photograph
from posecourse.viz.pictures import heatmap, image, signed_map, uncertainty_map
from posecourse.viz.places import Place, describe_frames, place
from posecourse.viz.repaint import Repaint
from posecourse.viz.representations import TargetsPicture, describe_targets, targets
from posecourse.viz.style import (
    BACKGROUND,
    FOURTH,
    HEAT,
    INK,
    LEFT,
    MIDDLE,
    RIGHT,
    SIGNED,
    TAGS,
    UNCERTAINTY,
    UNCOUNTED,
    styled,
    use_style,
)
from posecourse.viz.temperature import TemperaturePicture, describe_temperature, temperature
from posecourse.viz.uncertainty import ScatterPicture, describe_scattered, scattered, scattered_by_rate
from posecourse.viz.visibility import KeptPicture, describe_kept, kept

__all__ = [
    # the look
    "use_style", "styled", "LEFT", "RIGHT", "MIDDLE", "FOURTH", "UNCOUNTED", "BACKGROUND", "INK",
    "HEAT", "SIGNED", "TAGS", "UNCERTAINTY",
    # a figure, from its size to its reader
    "single", "row", "gallery", "headline", "title", "label_ends", "forbid_below", "show", "png", "html_image",
    "checked_alt", "Repaint",
    # panels
    "image", "heatmap", "signed_map", "uncertainty_map",
    # overlays
    "draw_skeleton", "draw_truth", "draw_prediction", "draw_error", "draw_ellipse", "skeleton_key",
    # whole pictures
    "people_gallery", "photograph", "person_map", "PeoplePicture",
    "frames", "frames_by_stride", "describe_frames", "FramesPicture", "Place", "place",
    "targets", "describe_targets", "TargetsPicture",
    "kept", "describe_kept", "KeptPicture",
    "grouped", "describe_grouped", "GroupedPicture", "TaggedCandidates", "tag_colours", "draw_group",
    "decoders", "decoders_by_stride", "describe_decoders", "DecodersPicture", "decoded", "Decoded",
    "temperature", "describe_temperature", "TemperaturePicture",
    "fused_ellipses", "fused_by_correlation", "describe_fused_ellipses", "FusedPicture", "fusion_map",
    "limb", "limb_by_length", "describe_limb", "LimbPicture", "mended", "describe_mended",
    "scattered", "scattered_by_rate", "describe_scattered", "ScatterPicture",
    "turned", "describe_turned", "TurnedPicture", "errors_by_angle",
]  # fmt: skip
