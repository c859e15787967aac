"""Build the notebooks: `python -m tools.notebooks build [NN …]`; compare them with the source: `… check`."""

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from nbclient import NotebookClient
from nbformat import NotebookNode, reads

from tools import budget, editions, rules

__all__ = ["NOTEBOOKS", "build", "disagreements", "environment", "execute", "faults", "main", "sources"]

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
_CELL_SECONDS = 300
_DECIDES_OUTPUT = ("POSECOURSE_WORK", "POSECOURSE_REAL_COCO", "MPLBACKEND")
_TIMINGS = """# Timings

Written by the notebooks' build. CPU seconds of the whole solution on one thread, imports included, on the reference
machine: what was counted, times the calibration's seconds there over its seconds here.

| lesson | minutes to work through | CPU seconds | budget |
|---|---|---|---|
"""


def sources(chosen: Iterable[str] = (), root: Path = NOTEBOOKS) -> list[Path]:
    """Return the sources, in order; those whose name begins with one of `chosen`, if any is given."""
    prefixes = tuple(chosen) or ("",)
    return sorted(path for path in (root / "source").glob("*.py") if path.name.startswith(prefixes))


def build(path: Path) -> budget.Cost:
    """Write both editions of one source, the solutions executed, and its line in the table of timings.

    Raises:
        SourceError: the source does not follow the format.
        RuntimeError: a solution fails or writes to stderr; nothing is written then.
    """
    root, source = path.parent.parent, editions.read(path)
    solutions = editions.edition(source, "solution")
    with budget.measured() as cost:
        execute(solutions)
    if found := faults(solutions):
        raise RuntimeError("\n".join(f"{path.name}, {fault}" for fault in found))
    for folder, notebook in (("student", editions.edition(source, "student")), ("solutions", solutions)):
        (root / folder).mkdir(exist_ok=True)
        (root / folder / f"{path.stem}.ipynb").write_text(editions.text(notebook), encoding="utf-8", newline="\n")
    seconds = _publish(root / "TIMINGS.md", path.stem, source.metadata.posecourse, cost)
    _price(root.parent / "README.md", path.stem, source.metadata.posecourse.minutes, seconds)
    return cost


def execute(notebook: NotebookNode) -> None:
    """Run a notebook in place, in an empty folder and a fresh kernel; errors become outputs, and the rest runs on."""
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook, timeout=_CELL_SECONDS, kernel_name="python3", allow_errors=True, record_timing=False,
            store_widget_state=False, coalesce_streams=True,
            extra_arguments=["--log-level=ERROR"], resources={"metadata": {"path": folder}},
        )  # fmt: skip
        client.comm_open_handlers = {}  # widgets are not shown, and waiting for their messages hangs now and then
        client.execute(env=environment(folder))
    notebook.metadata.language_info = {"name": "python"}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)  # its model is gone


def environment(folder: str) -> dict[str, str]:
    """Return an environment in which a lesson's outputs depend on its source alone; `folder` takes what is written."""
    kept = {name: value for name, value in os.environ.items() if name not in _DECIDES_OUTPUT}
    return {**kept, "IPYTHONDIR": folder, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}


def faults(notebook: NotebookNode) -> list[str]:
    """Say which cells of executed solutions were not run, raised, or wrote to stderr."""
    found = []
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type != "code":
            continue
        if cell.execution_count is None:
            found.append(f"cell {number} was not run.")
        for output in cell.outputs:
            if output.output_type == "error":
                found.append(f"cell {number} raised {output.ename}: {output.evalue}")
            if output.get("name") == "stderr":
                found.append(f"cell {number} wrote to stderr: {output.text}")
    return found


def disagreements(path: Path) -> list[str]:
    """Say in what the two notebooks of a source are not what it would build, and which house rules are broken."""
    root, source = path.parent.parent, editions.read(path)
    files = {kind: root / kind / f"{path.stem}.ipynb" for kind in ("student", "solutions")}
    if missing := [f"{kind}/{file.name} is missing." for kind, file in files.items() if not file.is_file()]:
        return missing
    found = []
    if files["student"].read_bytes() != editions.text(editions.edition(source, "student")).encode():
        found.append(f"student/{path.stem}.ipynb is not what its source builds.")
    stored = reads(files["solutions"].read_text(encoding="utf-8"), as_version=4)
    others = (
        reads(other.read_text(encoding="utf-8"), as_version=4)
        for other in sorted(files["solutions"].parent.glob("*.ipynb"))
        if other != files["solutions"]
    )
    found += [f"solutions/{path.stem}.ipynb: {fault}" for fault in faults(stored)]
    found += [f"{path.name}, {broken}" for broken in rules.findings(source, stored, int(path.stem[:2]), others)]
    for cell in stored.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)
    if editions.text(stored) != editions.text(editions.edition(source, "solution")):
        found.append(f"solutions/{path.stem}.ipynb: cells, ids or metadata are not what its source builds.")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 1 where a lesson cannot be built, or is out of step with its source."""
    parser = argparse.ArgumentParser(prog="python -m tools.notebooks", description=__doc__)
    parser.add_argument("command", choices=["build", "check"])
    parser.add_argument("lesson", nargs="*", help="the beginning of a source's name, such as 00; all if none is given")
    parser.add_argument("--root", type=Path, default=NOTEBOOKS, help="the folder of source/, student/ and solutions/")
    chosen = parser.parse_args(arguments)
    paths = sources(chosen.lesson, chosen.root)
    if not paths:
        parser.error(f"no source in {chosen.root / 'source'} begins with {' or '.join(chosen.lesson) or 'anything'}.")
    try:
        return _build(paths) if chosen.command == "build" else _check(paths)
    except (editions.SourceError, RuntimeError) as error:
        print(error)
        return 1


def _build(paths: Sequence[Path]) -> int:
    for path in paths:
        cost = build(path)
        print(f"{path.stem}: {cost.seconds:.1f} CPU seconds here, {cost.scaled:.1f} on the reference machine.")
    return 0


def _check(paths: Sequence[Path]) -> int:
    found = [line for path in paths for line in disagreements(path)]
    print("\n".join(found) or f"In step with their source, and with the house rules: {len(paths)}.")
    return 1 if found else 0


def _publish(table: Path, stem: str, header: NotebookNode, cost: budget.Cost) -> int:
    """Write one lesson's line into the table of timings; a line that is still true within a quarter stays.

    Returns:
        the CPU seconds that the line says.
    """
    lines = table.read_text(encoding="utf-8").splitlines() if table.is_file() else []
    rows = {match[1]: line for line in lines if (match := re.match(r"\| (\d\d\w*) \|", line))}
    row = f"| {stem} | {header.minutes} | {{}} | {header.budget_cpu_seconds} |"
    known = re.fullmatch(re.escape(row).replace(r"\{\}", r"(\d+)"), rows.get(stem, ""))
    seconds = round(cost.scaled)
    if known and abs(int(known[1]) - seconds) <= max(1, seconds / 4):
        seconds = int(known[1])
    rows[stem] = row.format(seconds)
    body = "".join(f"{rows[name]}\n" for name in sorted(rows))
    table.write_text(_TIMINGS + body, encoding="utf-8", newline="\n")
    return seconds


def _price(readme: Path, stem: str, minutes: int, seconds: int) -> None:
    """Say the same in the README, in the row that links to the lesson's solution."""
    if readme.is_file():
        row = re.compile(rf"({stem}\.ipynb\) \|) \d+ \| \d+ s \|")
        text = row.sub(rf"\1 {minutes} | {seconds} s |", readme.read_text(encoding="utf-8"))
        readme.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(main())
