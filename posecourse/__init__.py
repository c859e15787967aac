"""A course on deep-learning pose estimation: a network finds keypoints, and we measure every claim about it.

Rooms are imported on first use, so `import posecourse` is cheap and `posecourse.decode.soft_argmax(p)` works.
"""

import importlib
from types import ModuleType

__version__ = "0.1.0"

__all__ = [
    "calibration",
    "checks",
    "coco",
    "constraints",
    "coords",
    "decode",
    "equivariance",
    "fusion",
    "grouping",
    "heatmaps",
    "lesson",
    "losses",
    "machine",
    "metrics",
    "models",
    "paths",
    "people",
    "practice",
    "samples",
    "seeding",
    "shapes",
    "skeletons",
    "train",
    "transforms",
    "uncertainty",
    "viz",
    "widgets",
]


def __getattr__(name: str) -> ModuleType:
    """Import a room the first time that it is asked for (PEP 562)."""
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"posecourse has no room called {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    """List the rooms, so that Tab completes them."""
    return [*__all__, "__version__"]
