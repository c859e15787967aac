"""The exercises, a module for each topic: `checks.frames.pixels_to_cells.check(pixels_to_cells)`.

Topics are imported on first use, since each brings the rooms that its references live in.
"""

import importlib
from types import ModuleType

__all__ = [
    "constraints",
    "decoding",
    "equivariance",
    "frames",
    "fusion",
    "grouping",
    "heatmaps",
    "temperature",
    "training",
    "uncertainty",
    "visibility",
]


def __getattr__(name: str) -> ModuleType:
    """Import a topic the first time that it is asked for (PEP 562)."""
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"there are no exercises on {name!r}; there are some on {', '.join(__all__)}")
