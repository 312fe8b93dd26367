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
from ombo_agents.serve.workspace.understanding import RULES, SPACE, Problems, sentence

blueprint = Blueprint("sheet", __name__)

Answer = str | tuple[str, int] | AnyResponse


@blueprint.get("/")
def show() -> Answer:
    """Files that may be sent, and what was."""
    return _page({})


@blueprint.post("/sheet")
def send() -> Answer:
    """Takes a sheet, with a space file and the files that it names, where these are sent, too."""
    own = workspace()
    with own.lock:
        problems = Problems()
        try:
            own.take_sheet(uploads.sheet_of(request.files.get("sheet")))
        except (ValueError, OSError) as error:
            problems.add("sheet", sentence(error))
        if own.sheet is not None and not problems.by_place:
            _take_space(problems)
    return _page(problems.by_place) if problems.by_place else to("columns.show")


def _take_space(problems: Problems) -> None:
    own = workspace()
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
        take_example(workspace())
    return to("columns.show")


@blueprint.post("/campaign")
def load() -> Answer:
    """Takes a campaign that was kept."""
    try:
        campaign = uploads.campaign_of(request.files.get("campaign"))
    except (ValueError, OSError) as error:
        return _page({"campaign": [sentence(error)]})
    with workspace().lock:
        workspace().take_campaign(campaign)
    return to("plate.show")


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
