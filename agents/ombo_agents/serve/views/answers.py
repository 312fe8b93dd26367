"""What views share: fields that were sent, and files that are sent back."""

from __future__ import annotations

from io import BytesIO

from flask import Response, abort, current_app, g, redirect, request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from ombo_agents.campaigns import Campaign
from ombo_agents.serve.workspace.calculations import MOST_AT_ONCE, Start, What
from ombo_agents.serve.workspace.workspaces import Workspace, Workspaces
from ombo_gym.spreadsheets.spreadsheet import Spreadsheet

REFUSED = 422  # the form was understood, and something in it was not as it should be


def workspace() -> Workspace:
    """Of the visitor."""
    found: Workspace = g.workspace
    return found


def workspaces() -> Workspaces:
    """Of all visitors."""
    found: Workspaces = current_app.extensions["workspaces"]
    return found


def needed_sheet() -> Spreadsheet:
    """The first sheet; a visitor without one is sent to where one is chosen."""
    found = workspace().sheet
    if found is None:
        abort(redirect(url_for("sheet.show"), 303))
    return found


def needed_campaign() -> Campaign:
    """The campaign; a visitor without one is sent to where columns are said."""
    needed_sheet()
    found = workspace().campaign
    if found is None:
        abort(redirect(url_for("columns.show"), 303))
    return found


def to(endpoint: str) -> AnyResponse:
    """Sends the browser to a page, by GET."""
    return redirect(url_for(endpoint), 303)


def asked(*names: str) -> dict[str, str]:
    """The texts of fields that were sent, which the page shows again."""
    found = {name: request.form.get(name, "").strip() for name in names}
    workspace().asked |= found
    return found


def download(content: bytes, name: str, kind: str) -> Response:
    """A file for the browser to keep."""
    return send_file(BytesIO(content), mimetype=kind, as_attachment=True, download_name=name)


def begin(what: What, campaign: Campaign, arguments: dict[str, object]) -> str:
    """Begins a calculation in place of the visitor's last one; why not, otherwise."""
    own, start = workspace(), current_app.extensions["start"]
    own.drop()
    if workspaces().running() >= MOST_AT_ONCE:
        return (
            f"Calculations that go on already: {MOST_AT_ONCE}, as many as may; wait until one ends."
        )
    begun: Start = start
    own.calculation = begun(what, campaign, arguments)
    own.finished()
    return ""
