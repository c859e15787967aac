"""The recorded table of decoders: does one of its cells, measured anew, fall where the table says?"""

import math
import re
from pathlib import Path

from benchmarks import decoders

PAGE = (Path(decoders.__file__).with_suffix(".md")).read_text(encoding="utf-8")


def recorded(sigma: float, decoder: str) -> list[float]:
    """Return the ratios of one row, a noise each."""
    (row,) = re.findall(rf"^\| {sigma:g} \| {re.escape(decoder)} \| (.*) \|$", PAGE, re.MULTILINE)
    return [float(cell.split(" ± ")[0]) for cell in row.split(" | ")]


def test_the_table_keeps_its_promise() -> None:
    """At every width and noise, is the recommended decoder within 5 % of the bound, told nothing but the map?"""
    for sigma in decoders.SIGMAS:
        ratios = recorded(sigma, "gaussian_fit")
        assert len(ratios) == len(decoders.LEVELS)
        assert all(abs(ratio - 1) < 0.05 for ratio in ratios)


def test_a_cell_measured_anew_is_the_recorded_one() -> None:
    """With other places and other noise, does every decoder's ratio agree within four standard errors?"""
    place = decoders.LEVELS.index(0.05)
    for cell in decoders.measured(1.5, 0.05, seed=77, maps=2000):
        known = recorded(1.5, cell.decoder)[place]
        assert abs(cell.ratio / known - 1) < 4 * math.sqrt(1 / (4 * 2000) + 1 / (4 * 8000))
