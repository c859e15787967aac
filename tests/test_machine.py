"""Does the course see what this computer is, and say what to do where something is wrong?"""

from importlib import metadata

import pytest
import torch

from posecourse import machine
from posecourse.machine import devices, software, threads

REAL_VERSION = metadata.version


@pytest.fixture
def no_choice_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what the person who runs the tests has chosen."""
    for name in ("OMP_NUM_THREADS", "POSECOURSE_DEVICE"):
        monkeypatch.delenv(name, raising=False)


def test_a_named_device_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is the device that POSECOURSE_DEVICE names taken, whatever else there is?"""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("POSECOURSE_DEVICE", "meta")
    assert machine.choose_device() == torch.device("meta")


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
@pytest.mark.usefixtures("no_choice_made")
def test_the_fastest_device_is_chosen(monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, expected: str) -> None:
    """Does a GPU come before the CPU, and NVIDIA's before Apple's?"""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert machine.choose_device() == torch.device(expected)


@pytest.mark.parametrize("named", ["toaster", "cuda:99"])
def test_a_device_that_fails_is_reported_with_its_fix(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    """Is a device that torch cannot use a finding with a way out, rather than a traceback?"""
    monkeypatch.setenv("POSECOURSE_DEVICE", named)
    finding = devices.device_finding()
    assert not finding.is_fine
    assert "POSECOURSE_DEVICE=cpu" in finding.fix


@pytest.mark.usefixtures("no_choice_made")
def test_an_idle_nvidia_card_is_mentioned_but_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is a student told that her card lies idle, and how to use it, without being told that something is wrong?"""
    monkeypatch.setattr(devices, "choose_device", lambda: torch.device("cpu"))
    monkeypatch.setattr(devices.Path, "exists", lambda path: True)
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: False)
    finding = devices.device_finding()
    assert finding.is_fine
    assert "TORCH_INDEX" in finding.what


@pytest.mark.parametrize(("times_faster", "expected"), [(0.1, 1), (1.0, 1), (1.1, 1), (1.6, 4), (4.0, 4)])
@pytest.mark.usefixtures("no_choice_made")
def test_threads_must_be_worth_it(monkeypatch: pytest.MonkeyPatch, times_faster: float, expected: int) -> None:
    """Are four threads taken only where they are clearly faster than one?"""
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    monkeypatch.setattr(threads, "_measure", lambda step, counts, seconds: {1: 100.0, 4: 100 * times_faster})
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    assert machine.choose_threads().count == expected


@pytest.mark.usefixtures("no_choice_made")
def test_measuring_threads_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Are torch's number of threads and its global random state after the benchmark what they were before?"""
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    threads_before, random_before = torch.get_num_threads(), torch.get_rng_state()
    chosen = machine.choose_threads(seconds=0.01)
    assert torch.get_num_threads() == threads_before
    assert torch.equal(torch.get_rng_state(), random_before)
    assert set(chosen.images_per_second) == {1, 2}
    assert min(chosen.images_per_second.values()) > 0


def test_omp_num_threads_has_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is a choice made outside kept, and no second spent on measuring?"""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(threads, "_measure", lambda *given: pytest.fail("measured"))
    chosen = machine.choose_threads()
    assert chosen.count == torch.get_num_threads()
    assert "OMP_NUM_THREADS" in chosen.reason


@pytest.mark.parametrize(("version", "is_fine"), [((3, 10), False), ((3, 11), True), ((3, 13), True), ((3, 14), False)])
def test_python_must_be_a_tested_one(monkeypatch: pytest.MonkeyPatch, version: tuple[int, int], is_fine: bool) -> None:
    """Are a Python that is too old and one that is too new told apart from the ones the course is tested on?"""
    monkeypatch.setattr(software.sys, "version_info", (*version, 0))
    finding = software.python_finding()
    assert finding.is_fine == is_fine
    assert is_fine or "3.12" in finding.fix


def test_a_broken_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Does a package that cannot be imported get a line of its own, with its error and the fix?"""
    real = software.importlib.import_module

    def broken(name: str) -> object:
        if name == "scipy.linalg":
            raise OSError("DLL load failed\nwhile importing")
        return real(name)

    monkeypatch.setattr(software.importlib, "import_module", broken)
    wrong = [finding for finding in software.package_findings() if not finding.is_fine]
    assert [finding.name for finding in wrong] == ["scipy"]
    assert "DLL load failed" in wrong[0].what
    assert "course.py" in wrong[0].fix


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is a package that is not installed told from one that is broken?"""
    monkeypatch.setitem(software._PACKAGES, "posewise", "")
    wrong = [finding for finding in software.package_findings() if not finding.is_fine]
    assert [(finding.name, finding.what) for finding in wrong] == [("posewise", "is not installed")]


@pytest.mark.parametrize(
    ("versions", "manager", "says"),
    [
        ({}, True, ""),
        ({}, False, "manager is missing"),
        ({"jupyterlab_widgets": "1.1.1"}, True, "asks for"),
        ({"jupyterlab_widgets": None}, True, "not installed"),
    ],
)
def test_widgets_need_both_halves(
    monkeypatch: pytest.MonkeyPatch, versions: dict[str, str | None], manager: bool, says: str
) -> None:
    """Is a missing or mismatched browser half of ipywidgets found before a student wonders about dead sliders?"""

    def version(name: str) -> str:
        if versions.get(name, "") is None:
            raise metadata.PackageNotFoundError(name)
        return versions.get(name) or REAL_VERSION(name)

    monkeypatch.setattr(software.metadata, "version", version)
    monkeypatch.setattr(software.Path, "is_file", lambda path: manager)
    finding = software.widget_finding()
    assert finding.is_fine == (says == "")
    assert says in finding.what
    assert finding.is_fine or "course.py" in finding.fix


def test_a_cross_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Does the report put a cross before what is wrong, with the fix, and a tick before what is not?"""
    found = [machine.Finding("disk", "80 GB free"), machine.Finding("cache", "read-only", fix="Name another folder.")]
    monkeypatch.setattr(machine, "findings", lambda: found)
    lines = machine.report().splitlines()
    assert [line[0] for line in lines] == ["✓", "✗", " "]
    assert lines[2].strip() == "What to do: Name another folder."
