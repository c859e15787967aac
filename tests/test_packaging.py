"""Do the files that say what the course needs agree, and does a wheel of it work by itself?"""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

import posecourse

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA_NAMES = {"pytorch": "torch", "matplotlib-base": "matplotlib"}
MODULES = sorted((ROOT / "posecourse").rglob("*.py"))


def declared(*extras: str) -> dict[str, Requirement]:
    """Return what pyproject.toml asks for, by name: the package's own needs and those of the extras."""
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in PROJECT["optional-dependencies"][extra])]
    return {requirement.name: requirement for requirement in map(Requirement, lines)}


def pinned() -> dict[str, Requirement]:
    """Return the lines of requirements.txt by name."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert len({requirement.name for requirement in found}) == len(found), "a name is pinned twice"
    return {requirement.name: requirement for requirement in found}


def test_requirements_pin_what_pyproject_declares() -> None:
    """Is each declared package pinned to one version inside its range, and nothing else?"""
    asked, pins = declared("lab", "dev"), pinned()
    assert set(pins) == set(asked)
    for name, pin in pins.items():
        version = re.fullmatch(r"==([\w.]+)", str(pin.specifier))
        assert version, f"{name} must be pinned with ==; it says {pin.specifier}"
        assert asked[name].specifier.contains(version[1]), f"{pin} is outside of {asked[name]}"


def test_conda_asks_for_the_same() -> None:
    """Does environment.yml name the same packages and ranges, under conda's names, and the same Pythons?"""
    lines = re.findall(r"^  - ([a-z].*[^:\n])$", (ROOT / "environment.yml").read_text(encoding="utf-8"), re.MULTILINE)
    conda = {
        entry.name: entry.specifier for entry in map(Requirement, lines) if entry.name not in ("conda-forge", "pip")
    }
    assert conda.pop("python") == Requirement(f"python{PROJECT['requires-python']}").specifier
    assert {CONDA_NAMES.get(name, name): range_ for name, range_ in conda.items()} == {
        name: requirement.specifier for name, requirement in declared("lab").items()
    }


@pytest.mark.parametrize("file", ["course.py", "posecourse/machine/software.py"])
def test_the_same_pythons_everywhere(file: str) -> None:
    """Do the set-up and the doctor accept exactly the Pythons that the package declares?"""
    found = re.search(r"OLDEST, _?NEWEST = \(3, (\d+)\), \(3, (\d+)\)", (ROOT / file).read_text(encoding="utf-8"))
    assert found
    assert PROJECT["requires-python"] == f">=3.{found[1]},<3.{int(found[2]) + 1}"


def imported(path: Path) -> set[str]:
    """Return the top-level names of all modules that a file imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    from_ = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    ours = {"posecourse", "tools", "tests", "benchmarks"}
    return {name.split(".")[0] for name in plain | from_} - sys.stdlib_module_names - ours


@pytest.mark.parametrize(
    ("folder", "extras"), [("posecourse", ("lab",)), ("tools", ("lab", "dev")), ("tests", ("lab", "dev", "grading"))]
)
def test_every_import_is_declared(folder: str, extras: tuple[str, ...]) -> None:
    """Does each third-party import stand in pyproject.toml, rather than come along with something else by luck?"""
    distributions = metadata.packages_distributions()
    asked = {name.lower().replace("_", "-") for name in declared(*extras)}
    for path in (ROOT / folder).rglob("*.py"):
        for name in imported(path):
            owners = {owner.lower().replace("_", "-") for owner in distributions.get(name, [name])}
            assert owners & asked, f"{path.relative_to(ROOT)} imports {name}, which pyproject.toml does not declare"


def test_all_names_the_rooms() -> None:
    """Does `posecourse.__all__` list exactly the rooms that there are, apart from the commands?"""
    rooms = {
        path.stem
        for path in (ROOT / "posecourse").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert set(posecourse.__all__) == {room for room in rooms if not room.startswith("_")} - {"cli"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_module_says_what_is_public(path: Path) -> None:
    """Has each module an `__all__`?"""
    names = [
        target.id
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    ]
    assert "__all__" in names


def test_importing_is_cheap() -> None:
    """Does `import posecourse` add less than 0.3 s of CPU to importing torch, and leave the heavy libraries alone?"""
    code = (
        "import json, sys, time, torch; start = time.process_time(); import posecourse;"
        "print(json.dumps([time.process_time() - start, sorted(sys.modules)]))"
    )
    seconds = []
    while len(seconds) < 3 and min(seconds, default=1) >= 0.3:  # a busy machine makes CPU seconds longer, never shorter
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        cost, modules = json.loads(ran.stdout)
        seconds.append(cost)
        assert not {"matplotlib", "scipy", "pycocotools", "IPython", "ipywidgets"} & set(modules)
    assert min(seconds) < 0.3


def test_pictures_are_only_loaded_where_they_are_drawn() -> None:
    """Can the mathematics be used without matplotlib, SciPy and COCO's tools being imported?"""
    code = (
        "import sys; from posecourse import coords, decode, heatmaps, samples, seeding, transforms;"
        "print(*sorted({'matplotlib', 'scipy', 'pycocotools', 'IPython'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout as it is, with what is installed."""
    folder = tmp_path_factory.mktemp("wheel")
    call = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    ran = subprocess.run(call, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return next(folder.glob("*.whl"))


@pytest.mark.install
def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """Are the modules, the data and JupyterLab's settings in it, and neither tests nor tools nor notebooks?"""
    names = set(ZipFile(wheel).namelist())
    assert {name.split("/")[0] for name in names} == {"posecourse", f"posecourse-{posecourse.__version__}.dist-info"}
    shipped = {path.relative_to(ROOT).as_posix() for path in MODULES}
    shipped |= {f"posecourse/{p.relative_to(ROOT).as_posix()}" for p in (ROOT / "data").rglob("*") if p.is_file()}
    shipped |= {"posecourse/py.typed", "posecourse/cli/jupyter/labconfig/page_config.json"}
    assert shipped <= names
    assert not {name for name in names if name.endswith((".ipynb", ".pyc"))}


@pytest.mark.install
def test_the_wheel_works_by_itself(wheel: Path, tmp_path: Path) -> None:
    """Installed away from the checkout, does the package import, find its data and answer as a command?"""
    site = tmp_path / "site"
    call = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(site), str(wheel)]
    subprocess.run(call, capture_output=True, text=True, check=True)
    code = (
        "import posecourse; from posecourse import paths; from posecourse.cli import doctor;"
        "print(posecourse.__file__, paths.data_path('README.md'), doctor.data_finding().is_fine, sep='\\n')"
    )
    environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONUTF8": "1"}

    def run(*arguments: str) -> list[str]:
        call = [sys.executable, *arguments]
        ran = subprocess.run(call, capture_output=True, text=True, check=True, cwd=tmp_path, env=environment)
        return ran.stdout.splitlines()

    module, readme, is_fine = run("-c", code)
    assert Path(module).is_relative_to(site)
    assert Path(readme).is_relative_to(site)
    assert is_fine == "True"
    assert run("-m", "posecourse", "--version") == [posecourse.__version__]
