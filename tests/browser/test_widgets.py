"""Does every lesson's demo answer a key in a real browser?"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools import notebooks

pytestmark = pytest.mark.browser
DEMO = re.compile(r"^widgets\.\w+\(.*", re.MULTILINE)
LESSONS = [path.stem for path in notebooks.sources() if path.name > "01"]  # lesson 00 has a tour of its own
REHEARSAL = Path(__file__).parent.parent / "notebooks" / "rehearsal.py"


@pytest.fixture
def rehearsed(lab: Any) -> Iterator[None]:
    """Let kernels begin with the rehearsal, so that the cells above a demo train and draw for a moment only."""
    startup = lab.work.parent / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    copy = shutil.copy(REHEARSAL, startup)
    yield
    Path(copy).unlink()


@pytest.mark.usefixtures("rehearsed")
@pytest.mark.parametrize("lesson", LESSONS)
def test_a_demo_follows_the_keyboard(lab: Any, notebook: Any, lesson: str) -> None:
    """With the cells above it rehearsed as handed out, does the first slider move the picture, and nothing else?"""
    student = (notebooks.NOTEBOOKS / "source" / f"{lesson}.py").read_text(encoding="utf-8")
    demo = DEMO.search(student)
    assert demo, "a lesson has a demo: widgets.…(…) at the beginning of a line"
    notebook.open(re.sub(r"/tree/[^?]*", f"/tree/{lesson}.ipynb", lab.address))
    notebook.run_to(demo[0])
    before, after = notebook.press("ArrowRight", demo[0])
    assert before != after
    assert notebook.errors == []
    assert notebook.abroad == []
