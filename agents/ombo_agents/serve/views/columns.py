"""What the columns of the sheet are, and what of them may be varied."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, render_template, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from ombo_agents.serve.views.answers import REFUSED, needed_sheet, to, workspace
from ombo_agents.serve.workspace import uploads
from ombo_agents.serve.workspace.drafts import KINDS, ORIGINS, ROLES, Draft
from ombo_agents.serve.workspace.guessing import samples
from ombo_agents.serve.workspace.understanding import (
    RULES,
    SHEET,
    SPACE,
    Problems,
    check_choices,
    place_of,
    sentence,
)

blueprint = Blueprint("columns", __name__)

Answer = str | tuple[str, int] | AnyResponse
_TEXTS = (
    "role",
    "kind",
    "low",
    "high",
    "step",
    "values",
    "most",
    "goal",
    "weight",
    "good_from",
    "good_to",
)
_FIELDS = ("failed", "pending", "failed_value", "origin", "percentile", "constraints", "exclude")


@blueprint.get("/columns")
def show() -> Answer:
    """Each column with what it is taken for."""
    needed_sheet()
    return _page(workspace().draft(), workspace().problems)


@blueprint.post("/columns")
def change() -> Answer:
    """Takes what the fields say, if all of it can be meant."""
    needed_sheet()
    own = workspace()
    with own.lock:
        draft = draft_from(request.form, own.draft())
        try:
            check_choices(draft)
            own.take_draft(draft)
        except Problems as problems:
            return _page(draft, problems.by_place), REFUSED
    return to("plate.show" if "onwards" in request.form else "columns.show")


@blueprint.post("/space")
def change_text() -> Answer:
    """Takes a space file that was written on the page, and files that it names."""
    needed_sheet()
    own = workspace()
    text = request.form.get("text", "")
    with own.lock:
        try:
            for table in request.files.getlist("tables"):
                if table.filename:
                    own.take_table(*uploads.table_of(table))
            own.take_text(text)
        except Problems as problems:
            found = problems.by_place.get(SPACE, []) + problems.by_place.get(RULES, [])
            return _page(own.draft(), {SPACE: found}, text), REFUSED
        except (ValueError, OSError) as error:
            return _page(own.draft(), {SPACE: [sentence(error)]}, text), REFUSED
    return to("columns.show")


def draft_from(form: MultiDict[str, str], before: Draft) -> Draft:
    """The fields as they were sent; those that were not stay as they are.

    Args:
        form: What was sent: `role-0` is the field `role` of the first column.
        before: The fields as they were shown.
    """
    columns = []
    for i, column in enumerate(before.columns):
        texts = {name: form[f"{name}-{i}"].strip() for name in _TEXTS if f"{name}-{i}" in form}
        log = f"log-{i}" in form if texts else column.log
        columns.append(replace(column, **texts, log=log))
    fields: dict[str, Any] = {name: form[name].strip() for name in _FIELDS if name in form}
    return replace(before, columns=tuple(columns), **fields)


def _page(draft: Draft, problems: dict[str, list[str]], text: str | None = None) -> str:
    own, sheet = workspace(), needed_sheet()
    campaign = own.campaign
    return render_template(
        "columns.html",
        draft=draft,
        problems=problems,
        places=_places(draft),
        text=own.text if text is None else text,
        roles=ROLES,
        kinds=KINDS,
        origins=ORIGINS,
        sheet=sheet,
        samples={name: samples(sheet, name) for name in sheet.header},
        understood={} if campaign is None else campaign.understood(),
        notes=[] if campaign is None else campaign.notes(),
        summary="" if campaign is None else campaign.summary().splitlines()[0],
    )


def _places(draft: Draft) -> dict[str, tuple[str, str]]:
    """Of places that are no fields by their names: the id of what is there, and a title."""
    columns = {place_of(i): (f"column-{i}", each.title) for i, each in enumerate(draft.columns)}
    return {**columns, RULES: ("constraints", ""), SPACE: ("text", ""), SHEET: ("sheet-wrong", "")}
