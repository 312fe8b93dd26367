"""The notebook on the site runs from its first cell to its last, and shows tables and figures."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from tests.pages import ROOT

pytestmark = pytest.mark.usefixtures("brief_fits")

NOTEBOOK = ROOT / "docs" / "notebooks" / "first_campaign.ipynb"


def shown_by(cells: list[str]) -> list[Any]:
    """What the last expressions of cells are, as a notebook shows them; None: there is none."""
    names: dict[str, Any] = {"__name__": "__main__"}
    found = []
    for text in cells:
        tree = ast.parse(text)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "cell", "exec"), names)
        value = None
        if last is not None:
            assert isinstance(last, ast.Expr)
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
        found.append(value)
    return found


def test_every_cell_runs_and_shows_what_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    monkeypatch.chdir(tmp_path)
    shown = shown_by(["".join(cell["source"]) for cell in code])
    assert (tmp_path / "campaign.json").exists()
    assert sum(value is not None for value in shown) >= 5
    for value, cell in zip(shown, code, strict=True):
        assert (value is not None) == bool(cell["outputs"])
        if value is None:
            continue
        page, stored = value._repr_html_(), "".join(cell["outputs"][0]["data"]["text/html"])
        assert "<table" in page or "<pre>" in page
        assert ("<svg" in page) == ("<svg" in stored)
        assert page.count("<tr") == stored.count("<tr")
    assert sum("<svg" in (value._repr_html_() if value is not None else "") for value in shown) >= 4
