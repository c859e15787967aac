"""Every decoder against the Cramér–Rao bound: RMS error in white noise over √(2/π)·n/A, with its standard error.

    OMP_NUM_THREADS=1 python -m benchmarks.decoders     # half a minute

Writes `decoders.md` beside this file, and fails where `gaussian_fit`, given nothing but the map, is further than 5 %
from the bound, or where a fit or a matched filter is more than four standard errors better than any can be.
"""

import math
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from posecourse import decode, heatmaps, machine, seeding

__all__ = ["LEVELS", "SIGMAS", "Cell", "decoders", "main", "measured"]

SIGMAS, LEVELS, MAPS, SIZE = (1.0, 1.5, 2.0, 3.0), (0.02, 0.05, 0.1), 8000, (29, 31)
NEAR = 0.05  # how far from the bound the recommended decoder may stand


@dataclass(frozen=True)
class Cell:
    """One decoder at one width and one noise: its RMS error an axis over the bound, and how well that is known."""

    decoder: str
    sigma: float
    level: float
    ratio: float

    @property
    def standard_error(self) -> float:
        """Of the ratio: an RMS of M Gaussian numbers has a relative one of 1/√(2M), and there are two axes."""
        return self.ratio / math.sqrt(4 * MAPS)


def decoders(sigma: float) -> Mapping[str, Callable[[Tensor], decode.Peaks]]:
    """Return the decoders by name; what a name says is all that they are told of the blob."""
    return {
        "argmax": decode.argmax_2d,
        "quarter offset": decode.quarter_offset,
        "local soft-argmax, T = 0.2, radius 3": partial(decode.local_soft_argmax, temperature=0.2, radius=3),
        "DARK, blur 2": partial(decode.dark, blur_sigma=2.0),
        "DARK, blur σ": partial(decode.dark, blur_sigma=sigma),
        "gaussian_fit": decode.gaussian_fit,
    }


def measured(sigma: float, level: float, seed: int = 0, maps: int = MAPS) -> list[Cell]:
    """Decode blobs of height 1 far from the border, in white noise, at places uniform over nine cells."""
    random = seeding.generator(seed)
    H, W = SIZE
    middle = torch.tensor([(W - 1) / 2, (H - 1) / 2], dtype=torch.float64)
    truth = middle + 3 * torch.rand(maps, 2, generator=random, dtype=torch.float64) - 1.5
    blobs = heatmaps.gaussian_heatmaps(truth, SIZE, sigma)
    noisy = blobs + level * torch.randn(blobs.shape, generator=random, dtype=blobs.dtype)
    bound = math.sqrt(2 / math.pi) * level
    return [
        Cell(name, sigma, level, float((decoder(noisy).points - truth).square().mean().sqrt()) / bound)
        for name, decoder in decoders(sigma).items()
    ]


def is_as_promised(cell: Cell) -> bool:
    """Say whether a cell keeps to theory: nobody beats the bound, and the fit stands on it."""
    if cell.decoder not in ("gaussian_fit", "DARK, blur σ"):
        return True
    beaten = cell.ratio < 1 - 4 * cell.standard_error
    return not beaten and (cell.decoder != "gaussian_fit" or abs(cell.ratio - 1) < NEAR)


def page(cells: list[Cell]) -> str:
    """Return the whole page: a row a decoder and width, a column a noise."""
    lines = [f"| σ | decoder | {' | '.join(f'n = {level}' for level in LEVELS)} |", "|---|---|" + "---|" * len(LEVELS)]
    for sigma in SIGMAS:
        for name in decoders(sigma):
            row = [cell for cell in cells if (cell.decoder, cell.sigma) == (name, sigma)]
            values = " | ".join(f"{cell.ratio:.3f} ± {cell.standard_error:.3f}" for cell in row)
            lines.append(f"| {sigma:g} | {name} | {values} |")
    table = "\n".join(lines)
    return f"""# Decoders against the Cramér–Rao bound

Written by `python -m benchmarks.decoders`. RMS error an axis over √(2/π)·n/A, which no unbiased decoder beats, plus \
and minus one standard error: {MAPS:,} maps of {SIZE[0]} × {SIZE[1]} cells a cell of the table, blobs of height A = 1 \
and width σ at places uniform over nine cells in the middle, white noise n, float64. `gaussian_fit` is told nothing: \
σ, height and background are its own to find. torch {torch.__version__}, {machine.devices.cpu_name()}, \
{platform.system()}.

{table}
"""


def main() -> int:
    """Measure, write, judge."""
    torch.set_num_threads(1)
    cells = []
    for place, (sigma, level) in enumerate((sigma, level) for sigma in SIGMAS for level in LEVELS):
        cells += measured(sigma, level, seed=place)
    Path(__file__).with_suffix(".md").write_text(page(cells), encoding="utf-8")
    print(page(cells))
    broken = [cell for cell in cells if not is_as_promised(cell)]
    for cell in broken:
        print("not as promised:", cell)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
