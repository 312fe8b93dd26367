"""The guide's code for libraries that may be absent runs where they are."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tests.pages import PAGES, ROOT, read, run

BLOCKS = [
    (str(path.relative_to(ROOT)), module, code)
    for path in PAGES
    for module, code in read(path).optional
]


def missing(module: str) -> str | None:
    """Why a module cannot be imported here; None: it can."""
    try:
        importlib.import_module(module)
    except Exception as error:  # of RLlib, beside another gymnasium, of many kinds
        return f"{module}: {error}"
    return None


def test_the_guide_has_such_code() -> None:
    assert {module.split(".")[0] for _, module, _ in BLOCKS} >= {"sb3_contrib", "torchrl", "ray"}
    for page, module, code in BLOCKS:
        compile(code, f"{page}:{module}", "exec")


@pytest.mark.slow  # imports all of them
@pytest.mark.parametrize("page", sorted({page for page, _, _ in BLOCKS}))
def test_code_runs_where_the_libraries_are(page: str, tmp_path: Path) -> None:
    """In one process, each as a program of its own."""
    found = [(missing(module), code) for where, module, code in BLOCKS if where == page]
    programs = [f"exec({code!r}, {{'__name__': '__main__'}})" for why, code in found if why is None]
    if not programs:
        pytest.skip("; ".join(str(why) for why, _ in found))
    run(["-c", "\n".join(programs)], tmp_path)
