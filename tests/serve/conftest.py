from __future__ import annotations

import pytest

pytest.importorskip("flask", reason='needs Flask: pip install "ombo-gym[serve]"')

from flask import Flask

from tests.browsers import browser
from tests.serve.visitor import SHEET, SPACE, Visitor, app_of

__all__ = ["browser"]  # a fixture


@pytest.fixture(scope="session")
def page() -> Flask:
    """The page, whose visitors have nothing to do with each other."""
    return app_of()


@pytest.fixture
def visitor(page: Flask) -> Visitor:
    """Somebody who has sent nothing yet."""
    return Visitor(page)


def who_measured(page: Flask) -> Visitor:
    """Somebody who has sent a sheet and its space, and has said what is measured."""
    visitor = Visitor(page)
    answer = visitor.post("/sheet", sheet=("screen.csv", SHEET), space=("s.yaml", SPACE))
    assert answer.status_code == 303, answer.text
    answer = visitor.post("/columns", **{**visitor.fields(), "failed": "n.d."})
    assert answer.status_code == 303, answer.text
    assert visitor.workspace.campaign is not None
    return visitor


@pytest.fixture
def measured(page: Flask) -> Visitor:
    """Somebody whose columns are understood."""
    return who_measured(page)
