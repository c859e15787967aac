"""The house rules that a lesson's source and outputs can be read for; each function returns what it found, in words."""

import ast
import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser

from nbformat import NotebookNode

__all__ = ["claims", "code", "figures", "findings", "opening", "prose", "quiz", "widths"]

_LINES = 20
_FEWEST_WORDS = 6
_COLUMNS = 96  # and the measured number: about a hundred fit a notebook
_LOOKS = {
    "figsize",
    "cmap",
    "color",
    "colors",
    "facecolor",
    "edgecolor",
    "markerfacecolor",
    "markeredgecolor",
    "palette",
}
_NOT_HERE = {"rcParams", "get_ipython", "matplotlib", "seaborn", "pip"}
_NUMBER = re.compile(  # or a comment, which says nothing to the reader
    r"(?s:<!--.*?-->)|(?<![\w.,])(?P<value>(?:(?<!\w)[−-])?\d+(?:\.\d+|(?=\s?%)))(?P<percent>\s?%)?(?!\w|\.\d)"
)
_CITE = re.compile(r"[^\d<>]{0,24}<!--\s*(?P<id>.*?)\s*-->", re.DOTALL)
_CLAIM = re.compile(
    r"^✓ (?P<id>\d\d\.\w+) .*between (?P<low>\S+) and (?P<high>[^\s,]+)(?: (?P<unit>[^,]+))?, measured ", re.MULTILINE
)
_NO_PROSE = (
    r"^(```|~~~).*?^\1",  # code
    r"(?s:\$\$.*?\$\$)|\$[^$\n]+\$",  # formulas
    r"<(?:code|pre|a)\b.*?</(?:code|pre|a)>",
    r"``?[^`]+``?",
    r"!?\[[^\]]*\]\([^)]*\)|<?https?://\S+",  # links
    r"<(?!!--)[^>]*>",  # tags, not comments
)


def findings(
    source: NotebookNode, solutions: NotebookNode, lesson: int, others: Iterable[NotebookNode] = ()
) -> list[str]:
    """Return whatever breaks a rule in a source that was read, with its executed solutions.

    `others` are the executed solutions of other lessons, whose claims the prose may name; an id that begins with this
    lesson's number has to be its own.
    """
    own = f"{lesson:02}."
    elsewhere = {name: bounds for other in others for name, bounds in claims(other).items() if not name.startswith(own)}
    found = [
        *opening(source),
        *code(source),
        *prose(source, elsewhere | claims(solutions)),
        *figures(solutions),
        *widths(solutions),
    ]
    return found + (quiz(source) if lesson >= 1 else [])


def opening(source: NotebookNode) -> list[str]:
    """The first code cell is imports, style and generator, and what it imports is used; stubs use Todo."""
    cells = [ast.parse(cell.source) for cell in source.cells if cell.cell_type == "code"]
    if not cells:
        return ["there is no code."]
    used = {node.id for cell in cells for node in ast.walk(cell) if isinstance(node, ast.Name)}
    if any("exercise" in cell.metadata for cell in source.cells):
        used.add("Todo")
    imports = [part for part in cells[0].body if isinstance(part, ast.Import | ast.ImportFrom)]
    names = [alias.asname or alias.name.split(".")[0] for part in imports for alias in part.names]
    idle = [f"the first code cell imports {name}, which no cell uses." for name in names if name not in used]
    others = [part for part in cells[0].body if part not in imports]
    odd = [ast.unparse(part) for part in others if not re.search(r"\b(use_style|generator)\(", ast.unparse(part))]
    return idle + [f"the first code cell is imports, style and generator; it has {line}" for line in odd]


def code(source: NotebookNode) -> list[str]:
    """Cells are short, and say nothing about looks or the notebook's own machinery."""
    found = []
    for number, cell in enumerate(source.cells, 1):
        if cell.cell_type != "code":
            continue
        if (lines := _lines(cell)) > _LINES:
            found.append(f"cell {number} has {lines} lines; at most {_LINES} are read.")
        found += [f"cell {number}: {word} belongs into viz, or nowhere." for word in _looks(ast.parse(cell.source))]
    return found


def claims(solutions: NotebookNode) -> dict[str, tuple[float, float, str]]:
    """Return the bounds (low, high) and the unit of every claim that the solutions printed."""
    found = _CLAIM.finditer(_printed(solutions))
    return {m["id"]: (float(m["low"]), float(m["high"]), m["unit"] or "") for m in found}


def widths(solutions: NotebookNode) -> list[str]:
    """A claim's line fits a notebook's width."""
    found = ((m["id"], len(m[0])) for m in _CLAIM.finditer(_printed(solutions)))
    return [
        f"claim {name} takes {columns} characters before its number, and {_COLUMNS} fit: shorten what it states."
        for name, columns in found
        if columns > _COLUMNS
    ]


def prose(source: NotebookNode, known: dict[str, tuple[float, float, str]]) -> list[str]:
    """Every decimal and every percentage in prose names a claim that holds it, or its source."""
    found = []
    for number, cell in enumerate(source.cells, 1):
        if cell.cell_type != "markdown":
            continue
        text = _prose(cell.source)
        for match in _NUMBER.finditer(text):
            if match["value"] is None:
                continue
            cite = _CITE.match(text, match.end())
            if problem := _unfounded(match, cite["id"] if cite else "", known):
                found.append(f"cell {number}: {match[0]} {problem}")
    return found


def figures(solutions: NotebookNode) -> list[str]:
    """Every picture in an output has words for who cannot see it."""
    found = []
    for number, cell in enumerate(solutions.cells, 1):
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            images = _Images(data.get("text/html", ""))
            bare = any(kind.startswith("image/") for kind in data) and not images.described
            if bare or any(len(alt.split()) < _FEWEST_WORDS for alt in images.described):
                found.append(f"cell {number} shows a picture without an alt text: viz.show(fig, alt=…).")
    return found


def quiz(source: NotebookNode) -> list[str]:
    """A lesson has a quiz of three, each question in a `<details>`."""
    text = "\n\n".join(cell.source for cell in source.cells if cell.cell_type == "markdown")
    part = re.search(r"^(#+) [^\n]*\bQuiz\b(.*?)(?=^\1 |\Z)", text, re.MULTILINE | re.DOTALL)
    count = part[2].count("<details") if part else 0
    return [] if count >= 3 else [f"the quiz has three questions, each in <details>; found {count}."]


def _printed(solutions: NotebookNode) -> str:
    """Return all that the solutions printed."""
    outputs = (output for cell in solutions.cells for output in cell.get("outputs", []))
    return "".join(output.get("text", "") for output in outputs if output.output_type == "stream")


def _lines(cell: NotebookNode) -> int:
    """Return how many lines of code a cell has; an exercise's docstring is text."""
    lines = len(cell.source.splitlines())
    if "exercise" in cell.metadata:
        function = ast.parse(cell.source).body[0]
        assert isinstance(function, ast.FunctionDef)
        lines -= (function.body[0].end_lineno or 0) - function.body[0].lineno + 1
    return lines


def _looks(tree: ast.AST) -> Iterator[str]:
    """Yield the words in a cell that decide how things look, or that speak to the notebook."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in _LOOKS:
            yield node.arg
        elif isinstance(node, ast.Name) and node.id in _NOT_HERE:
            yield node.id
        elif isinstance(node, ast.Attribute) and node.attr in _NOT_HERE:
            yield node.attr
        elif isinstance(node, ast.Import | ast.ImportFrom):
            modules = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
            yield from (module for module in modules if module.split(".")[0] in _NOT_HERE)
        elif isinstance(node, ast.Constant) and re.fullmatch("#[0-9A-Fa-f]{6}", str(node.value)):
            yield str(node.value)


def _prose(markdown: str) -> str:
    """Return the Markdown without code, formulas, links, tags and the section called Reading."""
    text = re.sub(r"^(#+) Reading\b.*?(?=^\1 |\Z)", "", markdown, flags=re.MULTILINE | re.DOTALL)
    for pattern in _NO_PROSE:
        text = re.sub(pattern, " ", text, flags=re.MULTILINE | re.DOTALL if pattern.startswith(("^", "<(?:")) else 0)
    return text


def _unfounded(match: re.Match[str], cite: str, known: dict[str, tuple[float, float, str]]) -> str:
    """Say what a number in prose lacks, or "" where it has a claim that holds it, or a source."""
    if not cite:
        return "needs a claim or a source: <!--id--> or <!--cited: source-->."
    if cite.startswith("cited:"):
        return "" if cite.removeprefix("cited:").strip() else "is cited without a source."
    if cite not in known:
        mine = [name for name in known if name[:3] == cite[:3]]
        return f"names the claim {cite}, which was not printed; there are {', '.join(mine) or 'none'}."
    low, high, unit = known[cite]
    value = float(match["value"].replace("−", "-"))
    value = value / 100 if match["percent"] and unit != "%" else value
    return "" if low <= value <= high else f"is not between {low} and {high}, as the claim {cite} says."


class _Images(HTMLParser):
    """The alt texts of the images in a piece of HTML, "" for one without."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.described: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an image's alt text; a drawing in SVG has none, so it counts as one without."""
        if tag in ("img", "svg"):
            self.described.append(dict(attrs).get("alt") or "")
