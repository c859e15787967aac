"""Make what `data/` ships, and its README with the hashes: `python -m tools.data`."""

import hashlib
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from posecourse import coco, people, seeding, viz
from posecourse.samples import Sample

__all__ = ["DATA", "cover", "main", "sample", "table"]

DATA = Path(__file__).resolve().parent.parent / "data"
_MARK = "<!-- files: written by python -m tools.data -->"


def sample() -> Sample:
    """Render the crowds of `data/sample`: two to four people in each of twelve pictures."""
    scenes = people.draw_scenes(12, seeding.generator(2), people=(2, 4), aspect=4 / 3)
    crowds = people.render(scenes, (240, 320))
    return replace(crowds, present=crowds.areas > 0)  # COCO has no place for people of whom nothing shows


def cover() -> bytes:
    """Render the README's picture: six people, the lower three with their keypoints."""
    scenes = people.draw_scenes(6, seeding.generator(10), occluders=0.1, truncation=0.0, margin=(0.02, 0.06))
    fig = viz.people_gallery(people.render(scenes, (256, 256)), rows=2, columns=3, skeletons=(3, 4, 5))
    return viz.png(fig)


def table(folder: Path = DATA) -> str:
    """Return a line for each file of the folder: its size and its SHA-256."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / "README.md")
    rows = [
        f"| `{path.relative_to(folder).as_posix()}` | {path.stat().st_size:,} | "
        f"`{hashlib.sha256(path.read_bytes()).hexdigest()}` |"
        for path in files
    ]
    return "\n".join(["| file | bytes | SHA-256 |", "|---|---|---|", *rows]) + "\n"


def main() -> int:
    """Make every file anew and write the table of hashes."""
    with tempfile.TemporaryDirectory() as made:
        coco.save(sample(), Path(made) / "sample")
        (Path(made) / "people.png").write_bytes(cover())
        for path in Path(made).rglob("*.*"):
            target = DATA / path.relative_to(made)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(path.read_bytes())
    readme = DATA / "README.md"
    text = readme.read_text(encoding="utf-8").split(_MARK)[0]
    readme.write_text(f"{text}{_MARK}\n{table()}", encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
