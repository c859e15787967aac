"""Is what the README shows what happens?"""

import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_example_prints_what_its_comment_says(capsys: pytest.CaptureFixture[str]) -> None:
    """Does the package's example run, and print the number beside it?"""
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(example, {})
    assert capsys.readouterr().out.strip() == re.findall(r"# (\d\.\d+ px)", example)[0]


def test_links_lead_somewhere() -> None:
    """Is every file that the README links to there?"""
    targets = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert targets
    assert not [target for target in targets if not (Path(__file__).parents[1] / target).exists()]
