"""Where a campaign begins: a sheet, the example, or a campaign that was kept."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, abort, g, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from ombo_agents.serve.views.answers import (
    REFUSED,
    download,
    needed_campaign,
    needed_sheet,
    to,
    workspace,
    workspaces,
)
from ombo_agents.serve.workspace import uploads
from ombo_agents.serve.workspace.example import take_example
from ombo_agents.serve.workspace.replacing import losses
from ombo_agents.serve.workspace.understanding import RULES, SPACE, Problems, sentence
from ombo_agents.serve.workspace.workspaces import Workspace

blueprint = Blueprint("sheet", __name__)

Answer = str | tuple[str, int] | AnyResponse


@blueprint.get("/")
def show() -> Answer:
    """Files that may be sent, and what was."""
    return _page({})


@blueprint.post("/sheet")
def send() -> Answer:
    """Takes a sheet, with a space file and the files that it names, where these are sent, too."""
    own, problems = workspace(), Problems()
    upload = request.files.get("sheet")
    with own.lock:
        other = own.copy()
        try:
            other.book = uploads.book_of(upload)
            other.take_sheet(uploads.sheet_of(upload))
        except (ValueError, OSError) as error:
            problems.add("sheet", sentence(error))
            if other.book is not None:  # of which another sheet may be meant
                own.book = other.book
            return _page(problems.by_place)
        _take_space(other, problems)
        return _offer(other, "columns.show", problems)


@blueprint.post("/sheet/other")
def send_other() -> Answer:
    """Takes another sheet of the workbook that was sent."""
    own, problems = workspace(), Problems()
    with own.lock:
        if own.book is None:
            return to("sheet.show")
        other = own.copy()
        try:
            other.take_sheet(own.book.sheet(request.form.get("name", "")))
        except (ValueError, OSError) as error:
            problems.add("sheet", sentence(error))
            return _page(problems.by_place)
        return _offer(other, "columns.show", problems)


def _take_space(own: Workspace, problems: Problems) -> None:
    for table in request.files.getlist("tables"):
        if table.filename:
            try:
                own.take_table(*uploads.table_of(table))
            except (ValueError, OSError) as error:
                problems.add("tables", sentence(error))
    space = request.files.get("space")
    if problems.by_place or space is None or not space.filename:
        return
    try:
        own.take_text(uploads.text_of(space))
    except (ValueError, OSError) as error:
        problems.add(SPACE, error)
    except Problems as found:
        for place in (SPACE, RULES):
            for words in found.by_place.get(place, []):
                problems.add(SPACE, words)


@blueprint.post("/example")
def example() -> Answer:
    """Takes the example that comes with the package."""
    with workspace().lock:
        other = workspace().copy()
        other.book = None
        take_example(other)
        return _offer(other, "columns.show")


@blueprint.post("/campaign")
def load() -> Answer:
    """Takes a campaign that was kept."""
    try:
        campaign = uploads.campaign_of(request.files.get("campaign"))
    except (ValueError, OSError) as error:
        return _page({"campaign": [sentence(error)]})
    with workspace().lock:
        other = workspace().copy()
        other.book = None
        other.take_campaign(campaign)
        return _offer(other, "plate.show")


def _offer(other: Workspace, endpoint: str, problems: Problems | None = None) -> Answer:
    """Opens what was sent, or asks where something that was entered would be gone."""
    own = workspace()
    wrong = {} if problems is None else problems.by_place
    if wrong and losses(own, other):
        return _page(wrong)  # nothing is replaced by what is not as it should be
    if not own.offer(other, endpoint):
        return to("sheet.ask")
    return _page(wrong) if wrong else to(endpoint)


@blueprint.get("/replace")
def ask() -> Answer:
    """Asks whether what was sent may take the place of what is open."""
    waiting = workspace().waiting
    if waiting is None:
        return to("sheet.show")
    return render_template("replace.html", waiting=waiting)


@blueprint.post("/replace")
def replace() -> Answer:
    """Does what was answered."""
    own = workspace()
    with own.lock:
        waiting, own.waiting = own.waiting, None
        if waiting is None or "replace" not in request.form:
            return to("sheet.show")
        own.become(waiting.workspace)
    return to(waiting.endpoint)


@blueprint.get("/campaign.json")
def save() -> Response:
    """The campaign's file."""
    needed_campaign()
    with workspace().lock:
        content = workspace().saved()
    stem = Path(needed_sheet().path.name).stem or "campaign"
    return download(content, f"{stem}.campaign.json", "application/json")


@blueprint.get("/space.yaml")
def space() -> Response:
    """The space file."""
    if not workspace().text:
        abort(404, "There is no space file yet: say first what the columns are.")
    return download(workspace().text.encode(), "space.yaml", "application/yaml")


@blueprint.post("/anew")
def anew() -> Answer:
    """Forgets everything."""
    workspaces().forget(g.visitor)
    return to("sheet.show")


def _page(problems: dict[str, list[str]]) -> Answer:
    page = render_template("sheet.html", problems=problems)
    return (page, REFUSED) if problems else page
