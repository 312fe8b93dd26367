"""A visitor of the page, without a browser, and calculations that end at once."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from html import unescape
from io import BytesIO
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ombo_agents.campaigns import Campaign
from ombo_agents.serve.app import create_app
from ombo_agents.serve.workspace.calculations import Calculation, What, worked_out
from ombo_agents.serve.workspace.workspaces import Workspace, Workspaces

SHEET = """\
Solvent,T (°C),time (h),yield (%),remark
DMF,60,2,12.5,
DMF,60,2,14,again
THF,80,4,35.1,
THF,100,1,41,
DMF,40,8,n.d.,exploded
THF,120,1,22,
DMF,90,4,,running
"""
SPACE = """\
# as agreed
parameters:
  solvent: [DMF, THF]
  t: {range: [25, 140], step: 5}
  time: {levels: [1, 2, 4, 8], scale: log}
"""


def at_once(what: What, campaign: Campaign, arguments: Mapping[str, Any]) -> Calculation:
    """A calculation that has ended when it begins, of a copy as in a process of its own."""
    found = Calculation(what, campaign, arguments)
    copy = pickle.loads(pickle.dumps(campaign))
    found.receive(*worked_out(what, copy, arguments, lambda *step: None))
    return found


def never_ending(what: What, campaign: Campaign, arguments: Mapping[str, Any]) -> Calculation:
    """A calculation that goes on until it is stopped."""
    found = Calculation(what, campaign, arguments)
    found.receive("progress", (3, 10))
    return found


def app_of(**settings: Any) -> Flask:
    """The page, for tests."""
    return create_app(**{"start": at_once, **settings})


class Visitor:
    """Sends what the forms of the page send.

    Args:
        app: The page.
    """

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client: FlaskClient = app.test_client()
        self.token = self._token()

    def _token(self) -> str:
        return re.findall(r'name="token" value="([^"]+)"', self.get("/").text)[0]

    @property
    def workspace(self) -> Workspace:
        """What the page keeps of this visitor."""
        workspaces: Workspaces = self.app.extensions["workspaces"]
        with self.client.session_transaction() as session:
            return workspaces.get(session["visitor"])

    def get(self, path: str) -> TestResponse:
        """A page or a file."""
        return self.client.get(path)

    def post(self, path: str, **fields: Any) -> TestResponse:
        """A form, as it would be sent; a file is a pair of name and content."""
        sent = {
            name: (BytesIO(each[1].encode() if isinstance(each[1], str) else each[1]), each[0])
            if isinstance(each, tuple)
            else each
            for name, each in fields.items()
        }
        return self.client.post(
            path, data={"token": self.token, **sent}, content_type="multipart/form-data"
        )

    def fields(self, path: str = "/columns") -> dict[str, str]:
        """All fields of a page's first form as a browser would send them, by name."""
        return fields_of(self.get(path).text)


def fields_of(page: str) -> dict[str, str]:
    """The fields of columns on a page."""
    form = page.partition('action="/columns"')[2].partition("</form>")[0]
    found: dict[str, str] = {}
    for name, body in re.findall(
        r'<select id="[^"]*" name="([^"]+)".*?>(.*?)</select>', form, re.S
    ):
        chosen = re.search(r'value="([^"]*)" selected', body) or re.search(r'value="([^"]*)"', body)
        assert chosen is not None
        found[name] = unescape(chosen[1])
    for name, text in re.findall(
        r'<textarea id="[^"]*" name="([^"]+)".*?>(.*?)</textarea>', form, re.S
    ):
        found[name] = unescape(text)
    for tag in re.findall(r"<input [^>]*>", form):
        name = re.search(r' name="([^"]+)"', tag)
        value = re.search(r' value="([^"]*)"', tag)
        if 'type="checkbox"' in tag:
            if " checked" in tag:
                found[name[1]] = "on"  # type: ignore[index]
        elif name and name[1] != "token":
            found[name[1]] = unescape(value[1] if value else "")
    return found


def wrongs(answer: TestResponse) -> dict[str, list[str]]:
    """What a page says is wrong, by the id of the place."""
    lists = re.findall(r'<ul class="wrong" id="([^"]+)-wrong">(.*?)</ul>', answer.text, re.S)
    return {
        place: [unescape(each) for each in re.findall(r"<li>(.*?)</li>", items, re.S)]
        for place, items in lists
    }
