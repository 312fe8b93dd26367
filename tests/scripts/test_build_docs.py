"""The environments' pages: current, complete, and made from docstrings as they are written."""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from PIL import Image

import ombo_agents
from ombo_gym.registration import PROBLEMS
from scripts.build_docs import __main__ as build_docs
from scripts.build_docs.docstring import Docstring, reflow
from scripts.build_docs.page import DocsError, page, written

FOLDER = build_docs.DOCS / build_docs.ENVIRONMENTS
SKELETON = [
    "Description",
    "Action Space",
    "Observation Space",
    "Rewards",
    "Starting State",
    "Episode End",
    "Arguments",
    "Vectorized environment",
    "Score",
    "References",
    "Version History",
]


@pytest.fixture(scope="module")
def pages() -> dict[Path, str]:
    return build_docs.build()


def test_pages_are_current(pages: dict[Path, str]) -> None:
    wrong = build_docs.not_current(pages)
    assert not wrong, f"run `python -m scripts.build_docs`: {wrong}"


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_id_has_a_page_in_the_skeleton_and_a_small_picture(name: str) -> None:
    text = (FOLDER / f"{name}.md").read_text()
    assert text.startswith(f"# Ombo/{name}-v0\n\n![A campaign](images/{name}.png)\n")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    expected = [h for h in SKELETON if h != "References" or h in headings]
    assert headings == expected
    path = FOLDER / "images" / f"{name}.png"
    assert path.stat().st_size < 60 * 1024
    picture = np.asarray(Image.open(path).convert("RGB"))
    assert picture.shape == (480, 960, 3) and picture.std() > 5
    assert f"({name}.md)" in (FOLDER / "README.md").read_text()


def test_the_check_finds_what_is_not_current(
    pages: dict[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = tmp_path / "docs"
    shutil.copytree(build_docs.DOCS, docs)
    (docs / "environments" / "GP.md").write_text("old")
    (docs / "environments" / "Bandit.md").unlink()
    (docs / "environments" / "images" / "Landscapes.png").unlink()
    (docs / "environments" / "Gone.md").write_text("of an id that is no more")
    (docs / "policies.md").write_text("old")
    (docs / "images" / "concepts" / "spec.svg").unlink()
    wrong = ["environments/GP.md", "environments/Bandit.md", "policies.md"]
    wrong += ["images/concepts/spec.svg", "environments/images/Landscapes.png"]
    wrong += ["environments/Gone.md"]
    assert sorted(build_docs.not_current(pages, docs)) == sorted(wrong)
    monkeypatch.setattr(build_docs, "build", lambda: pages)
    with pytest.raises(DocsError, match=r"not current.*GP\.md"):
        build_docs.main(build_docs.Args(check=True), docs)


def test_the_page_of_policies_lists_every_name_once_with_its_settings(
    pages: dict[Path, str],
) -> None:
    text = pages[Path("policies.md")]
    for name in ombo_agents.names():
        assert len(re.findall(rf"^\| \[?`{name}`", text, re.MULTILINE)) == 1, name
    ucb = text.partition("### ucb ")[2].partition("###")[0]
    assert "| `weight` | `2.0` |" in ucb and "| `climb` | `true` |" in ucb
    assert (
        "| `bayes_optimal` |" in text.partition("## Looking ahead")[2].partition("## Settings")[0]
    )
    assert "- `turbo`: Eriksson et al." in text.partition("## References")[2]
    (multistep,) = re.findall(r"^\| \[`botorch_multistep`.*$", text, re.MULTILINE)
    assert multistep.endswith("| box | yes |")


def test_a_missing_extra_stops_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec

    def hidden(name: str, *arguments: Any) -> Any:
        return None if name == "ioh" else find(name, *arguments)

    monkeypatch.setattr(importlib.util, "find_spec", hidden)
    with pytest.raises(DocsError, match=r"BBOB: .*ioh.*pip install"):
        page("BBOB")


class Written:
    """One line.

    A paragraph that
    goes on.

    - a list
    - of two

    Args:
        first: Of several
            lines, with a colon: in it.
        second, third: Two at once.
        **rest: And more.

    Raises:
        ValueError: Always.

    Reference:
        Someone, Somewhere,
        2020.

        Another, 2021.

    Example:
        >>> for x in []:
        ...     x
    """


def test_a_docstring_is_taken_apart() -> None:
    doc = Docstring.of(Written)
    assert doc.summary == "One line."
    assert doc.text == "A paragraph that goes on.\n\n- a list\n- of two"
    assert doc.entries("Args") == {
        "first": "Of several lines, with a colon: in it.",
        "second": "Two at once.",
        "third": "Two at once.",
        "**rest": "And more.",
    }
    assert doc.entries("Raises") == {"ValueError": "Always."}
    assert reflow(doc.sections["References"]) == "Someone, Somewhere, 2020.\n\nAnother, 2021."
    assert doc.sections["Example"] == ">>> for x in []:\n...     x"
    assert doc.entries("Returns") == {}


@pytest.mark.parametrize(
    ("space", "text"),
    [
        (spaces.Box(-1, 1, (4, 2), np.float32), "Box(-1, 1, (4, 2), float32)"),
        (spaces.Box(0, np.array([3, 1]), dtype=np.int64), "Box(0, 1 to 3, (2,), int64)"),
        (spaces.MultiDiscrete([4] * 32), "MultiDiscrete([4] * 32)"),
        (spaces.MultiDiscrete([4, 22, 3] * 4), "MultiDiscrete([4, 22, 3] * 4)"),
        (spaces.MultiDiscrete([4, 5]), "MultiDiscrete([4, 5])"),
        (spaces.Dict({"a": spaces.MultiBinary(3)}), "Dict(a: MultiBinary(3))"),
    ],
)
def test_spaces_are_written_in_a_line(space: Any, text: str) -> None:
    assert written(space) == text
