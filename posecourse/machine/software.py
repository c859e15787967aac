"""Whether Python and the packages are what the course needs, and whether sliders will answer."""

import importlib
import platform
import re
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from posecourse.machine.findings import Finding

__all__ = ["package_findings", "python_finding", "widget_finding"]

_OLDEST, _NEWEST = (3, 11), (3, 13)
_AGAIN = "Run `python course.py clean`, then `python course.py lab`."

# What each is called where it is installed from, and the module that shows whether its binaries load.
_PACKAGES = {
    "torch": "torch",
    "numpy": "numpy",
    "scipy": "scipy.linalg",
    "matplotlib": "matplotlib.ft2font",
    "pillow": "PIL.Image",
    "safetensors": "safetensors",
    "pycocotools": "pycocotools.mask",
    "jupyterlab": "",
    "ipykernel": "",
    "ipywidgets": "",
}
_MANAGER = Path("share/jupyter/labextensions/@jupyter-widgets/jupyterlab-manager/package.json")


def python_finding() -> Finding:
    """Compare this Python with those that the course is tested on."""
    what = f"{platform.python_version()} on {platform.platform(terse=True)}, {platform.machine()}"
    if not _OLDEST <= sys.version_info[:2] <= _NEWEST:
        return Finding(
            "Python", what, "The course needs Python 3.11, 3.12 or 3.13: install one, and start again with it."
        )
    return Finding("Python", what)


def package_findings() -> Sequence[Finding]:
    """Look at each package that a lesson needs: one line of versions, and one for each that is missing or broken."""
    versions: list[str] = []
    broken: list[Finding] = []
    for name, module in {"posecourse": "", **_PACKAGES}.items():
        try:
            if module:
                importlib.import_module(module)
            versions.append(f"{name} {_version(name)}")
        except metadata.PackageNotFoundError:
            broken.append(Finding(name, "is not installed", _AGAIN))
        except Exception as error:  # a broken binary fails in many ways
            broken.append(Finding(name, f"cannot be imported: {_first_line(error)}", _AGAIN))
    return [Finding("packages", ", ".join(versions)), *broken]


def widget_finding() -> Finding:
    """Say whether JupyterLab has the browser's half of ipywidgets, in the edition that Python's half asks for."""
    try:
        python_side, browser_side = _version("ipywidgets"), _version("jupyterlab_widgets")
        asked = next(entry for entry in metadata.requires("ipywidgets") or () if entry.startswith("jupyterlab"))
    except (metadata.PackageNotFoundError, StopIteration):
        return Finding("widgets", "ipywidgets or jupyterlab_widgets is not installed: sliders will not show", _AGAIN)
    edition = re.search(r"[~=>]=\s*(\d+)", asked)
    if edition and browser_side.split(".")[0] != edition[1]:
        return Finding("widgets", f"ipywidgets {python_side} asks for {asked}; there is {browser_side}", _AGAIN)
    if not any((Path(root) / _MANAGER).is_file() for root in (sys.prefix, sys.base_prefix)):
        return Finding("widgets", "JupyterLab's widget manager is missing: sliders will not show", _AGAIN)
    return Finding("widgets", f"ipywidgets {python_side} with jupyterlab_widgets {browser_side}")


def _version(name: str) -> str:
    return metadata.version(name)


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}".rstrip(": ")
