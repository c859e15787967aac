"""A real browser on a real `posecourse lab`: a fresh home, a work folder of its own, a port that is free."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_HERE = ("localhost", "127.0.0.1", "[::1]", "::1")
_SECONDS = 120
_MS = 1000 * _SECONDS


@dataclass
class Lab:
    """A running `posecourse lab`.

    Args:
        address: where it said that it is, token included.
        work: its work folder.
        said: the lines that it has printed so far.
    """

    address: str
    work: Path
    said: list[str]


@pytest.fixture(scope="session")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """`posecourse lab` as a student starts it, on a machine that has never seen it; stopped by Ctrl-C."""
    home = tmp_path_factory.mktemp("home")
    kept = {
        name: value for name, value in os.environ.items() if not re.match("JUPYTER|POSECOURSE_CACHE|IPYTHON|XDG", name)
    }
    environment = {**kept, "HOME": str(home), "USERPROFILE": str(home), "POSECOURSE_WORK": str(home / "work")}
    call = [sys.executable, "-m", "posecourse", "lab", "--", "--no-browser", "--allow-root", f"--port={free_port()}"]
    flags = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if sys.platform == "win32" else {}
    with subprocess.Popen(
        call, cwd=home, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **flags
    ) as process:
        said: list[str] = []
        found = threading.Event()
        reader = threading.Thread(target=listen, args=(process, said, found))
        reader.start()
        try:
            assert found.wait(_SECONDS), "\n".join(said)
            address = next((line.split()[-1] for line in said if line.startswith("The course is at ")), None)
            assert address, "\n".join(said)
            yield Lab(address, home / "work", said)
        finally:
            process.send_signal(signal.CTRL_BREAK_EVENT if sys.platform == "win32" else signal.SIGINT)
            try:
                assert process.wait(_SECONDS) == 0, "\n".join(said)
            finally:
                process.kill()
                reader.join()


def listen(process: subprocess.Popen[str], said: list[str], found: threading.Event) -> None:
    """Keep what the lab prints, and tell when it has said where it is, or has ended."""
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line.rstrip())
        if line.startswith("The course is at "):
            found.set()
    found.set()


def free_port() -> int:
    """Return a port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window; skips the test where there is none. It can look up no name but this machine's."""
    path = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if path is None:
        pytest.skip(f"no browser: none of {', '.join(_BROWSERS)} is on the PATH")
    only_here = "--host-resolver-rules=MAP * ~NOTFOUND, " + ", ".join(f"EXCLUDE {name}" for name in _HERE[:2])
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", only_here]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@dataclass
class Notebook:
    """A notebook in JupyterLab, and what a student does with it.

    Args:
        page: the browser's tab.
        errors: what the browser's console has called an error.
        abroad: addresses outside of this machine that the page has asked for.
    """

    page: Page
    errors: list[str] = field(default_factory=list)
    abroad: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Write down errors and requests from now on."""
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self._note(request.url))
        self.page.on("websocket", lambda socket: self._note(socket.url))

    def _note(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("data", "blob", "about") and parts.hostname not in _HERE:
            self.abroad.append(address)

    def open(self, address: str) -> None:
        """Go to a notebook's address, with no layout left over from before, and wait for its kernel.

        The notebook's own indicator says "idle" before there is a kernel; running a cell then makes JupyterLab ask for
        one. The status bar knows better.
        """
        self.page.goto(f"{address}&reset", timeout=_MS)
        self.page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=_MS)
        self.page.get_by_text(re.compile(r"\| Idle$")).wait_for(timeout=_MS)

    def wait_until_idle(self) -> None:
        """Wait until no cell is waiting to be run and the kernel says that it is idle."""
        self.page.wait_for_function(
            """() => document.querySelector(".jp-Notebook-ExecutionIndicator[data-status='idle']")
            && ![...document.querySelectorAll(".jp-InputPrompt")].some(prompt => prompt.textContent.includes("*"))""",
            timeout=_MS,
        )

    def run_all(self) -> None:
        """Choose Run, Run All Cells."""
        self.page.get_by_role("menubar").get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        started = self.page.locator(".jp-CodeCell .jp-InputPrompt", has_text=re.compile(r"[*\d]")).first
        started.wait_for(state="attached", timeout=_MS)  # not "visible": Run All scrolls to the end
        self.wait_until_idle()
        prompts = self.page.locator(".jp-CodeCell .jp-InputPrompt").all_text_contents()
        assert all(re.search(r"\d", prompt) for prompt in prompts), f"some cells were not run: {prompts}"

    def run_to(self, text: str) -> None:
        """Choose Run, Run All Above Selected Cell, then run the cell that has `text` too."""
        self.cell(text).locator(".cm-content").click()
        self.page.get_by_role("menubar").get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Above Selected Cell", exact=True).click()
        started = self.page.locator(".jp-CodeCell .jp-InputPrompt", has_text=re.compile(r"[*\d]")).first
        started.wait_for(state="attached", timeout=_MS)
        self.wait_until_idle()
        self.run(text)

    def cell(self, text: str) -> Locator:
        """Return the first code cell whose source has `text`."""
        source = self.page.locator(".jp-InputArea-editor", has_text=text)
        cell = self.page.locator(".jp-CodeCell").filter(has=source).first
        cell.scroll_into_view_if_needed()
        return cell

    @property
    def pop_ups(self) -> list[str]:
        """What dialogs and notifications say at the moment."""
        return self.page.locator(".jp-Dialog-content, .Toastify__toast").all_text_contents()

    def write(self, text: str, into: str) -> None:
        """Replace the source of the cell that has the text `into`."""
        self.cell(into).locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+A")
        self.page.keyboard.insert_text(text)

    def run(self, text: str) -> str:
        """Run the cell that has `text` with Shift+Enter; return what it prints."""
        cell = self.cell(text)
        before = cell.locator(".jp-InputPrompt").text_content()
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Shift+Enter")
        self.page.wait_for_function(
            "([cell, before]) => cell.querySelector('.jp-InputPrompt').textContent !== before",
            arg=[cell.element_handle(), before],
            timeout=_MS,
        )  # the number, or a star
        self.wait_until_idle()
        return self.output(text)

    def output(self, text: str) -> str:
        """Return all that stands below the cell that has `text`."""
        return "\n".join(self.cell(text).locator(".jp-OutputArea-output").all_text_contents())

    def press(self, key: str, text: str) -> tuple[str, str]:
        """Press a key on the first slider below a cell; return the picture's address before and after."""
        output = self.cell(text).locator(".jp-Cell-outputArea")
        picture = output.locator("img.widget-image").first
        handle = output.locator(".noUi-handle").first
        handle.wait_for(timeout=_MS)
        before = str(picture.get_attribute("src"))
        handle.focus()
        self.page.keyboard.press(key)
        self.page.wait_for_function(
            "([picture, before]) => picture.src !== before", arg=[picture.element_handle(), before], timeout=_MS
        )
        return before, str(picture.get_attribute("src"))


@pytest.fixture
def notebook(browser: Browser) -> Iterator[Notebook]:
    """A tab, watched."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        notebook = Notebook(context.new_page())
        notebook.watch()
        yield notebook
