"""What goes on the next plate."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Blueprint, Response, abort, jsonify, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from ombo_agents.campaigns import Plate
from ombo_agents.campaigns.plates.plate import LAYOUTS
from ombo_agents.registry import names
from ombo_agents.serve.views.answers import (
    REFUSED,
    asked,
    begin,
    download,
    needed_campaign,
    to,
    workspace,
)
from ombo_agents.serve.views.drawing import plate_chart
from ombo_agents.serve.views.plate_maps import plate_map
from ombo_agents.serve.workspace import uploads
from ombo_agents.serve.workspace.numbers import number_in, plates_in
from ombo_agents.serve.workspace.understanding import Problems, sentence

blueprint = Blueprint("plate", __name__)

Answer = str | tuple[str, int] | AnyResponse
_KINDS = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@blueprint.get("/plate")
def show() -> Answer:
    """The plate, and what is asked for one."""
    needed_campaign()
    return _page({})


@blueprint.post("/suggest")
def suggest() -> Answer:
    """Begins to work a plate out."""
    campaign = needed_campaign()
    fields = asked("plates", "policy", "seed", "repeats", "layout")
    problems = Problems()
    arguments: dict[str, Any] = {
        "policy": fields["policy"] or "auto",
        "repeats": "allowed" if fields["repeats"] else "never_again",
    }
    arguments["plates_left"] = read(problems, "plates", lambda: plates_in(fields["plates"]))
    arguments["seed"] = read(problems, "seed", lambda: seed_in(fields["seed"]))
    if arguments["policy"] not in ("auto", *names()):
        problems.add("policy", "expected auto or a name of the list, got another; choose one")
    wells = (arguments["plates_left"] or [0])[0]
    if (layout := _layout()) is not None and wells > layout:
        problems.add(
            "layout",
            f"expected at most {layout} wells on a plate of {layout}, got {wells}; choose a "
            "larger one",
        )
    with workspace().lock:
        if not problems.by_place and (why := begin("suggest", campaign, arguments)):
            problems.add("calculation", why)
    return (_page(problems.by_place), REFUSED) if problems.by_place else to("plate.show")


@blueprint.post("/stop")
def stop() -> Answer:
    """Ends what is being worked out."""
    with workspace().lock:
        calculation = workspace().calculation
        workspace().drop()
    advises = calculation is not None and calculation.what == "advise"
    return to("advice.show" if advises else "plate.show")


@blueprint.get("/progress")
def progress() -> Response:
    """How far what is being worked out is."""
    found = workspace().calculation
    if found is None:
        return jsonify(state="none", done=0, total=0)
    return jsonify(state=found.state, done=found.done, total=found.total)


@blueprint.post("/tell")
def tell() -> Answer:
    """Takes a plate with its results."""
    needed_campaign()
    try:
        table = uploads.sheet_of(request.files.get("results"))
        with workspace().lock:
            workspace().tell(table)
    except (ValueError, OSError) as error:
        return _page({"results": [sentence(error)]}), REFUSED
    return to("columns.show")


@blueprint.get("/plate.<ending>")
def save(ending: str) -> Response:
    """The plate as CSV or as a workbook."""
    if ending not in _KINDS:
        abort(404)
    return download(_written(_needed_plate(), f"plate.{ending}"), f"plate.{ending}", _KINDS[ending])


@blueprint.get("/plate.map.csv")
def save_map() -> Response:
    """The plate as it lies on the bench, as CSV."""
    plate = _needed_plate()
    if _layout() is None:
        abort(404, "There is no map: choose how many wells the plate has.")
    return download(_written(plate, "plate.map.csv"), "plate.map.csv", _KINDS["csv"])


def read(problems: Problems, place: str, reader: Any) -> Any:
    """What a reader gives; None where it refuses, which is said at the place."""
    try:
        return reader()
    except ValueError as error:
        problems.add(place, error)
        return None


def seed_in(text: str) -> int:
    """The seed in a field; 0 where there is none.

    Raises:
        ValueError: It is no whole number from 0 up.
    """
    value = number_in(text or "0", "seed")
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"seed: expected a whole number of at least 0, got {text}; write one")
    return value


def _layout() -> int | None:
    chosen = workspace().asked.get("layout", "")
    return int(chosen) if chosen in map(str, LAYOUTS) else None


def _needed_plate() -> Plate:
    plate = workspace().plate
    if plate is None:
        abort(404, "There is no plate yet: ask for one first.")
    return plate


def _written(plate: Plate, name: str) -> bytes:
    """A file of those that `Plate.write` makes."""
    with TemporaryDirectory(prefix="ombo-") as folder:
        ending = ".xlsx" if name.endswith(".xlsx") else ".csv"
        plate.write(Path(folder) / f"plate{ending}", layout=_fitting_layout(plate))
        return (Path(folder) / name).read_bytes()


def _fitting_layout(plate: Plate) -> int | None:
    """That which was chosen, unless the plate has more wells."""
    layout = _layout()
    return layout if layout is not None and len(plate) <= layout else None


def _page(problems: dict[str, list[str]]) -> str:
    own, campaign = workspace(), needed_campaign()
    plate, found = own.plate, {}
    if plate is not None:
        layout = _fitting_layout(plate)
        rows = plate.rows(layout)
        found = {
            "header": plate.header,
            "rows": rows,
            "map": plate_map(plate, layout),
            "chart": plate_chart(plate, campaign, [str(row[0]) for row in rows]),
            "parameters": len(plate.names),
            "layout": layout,
        }
    return render_template(
        "plate.html",
        problems=problems,
        asked={
            "plates": "24",
            "policy": "auto",
            "seed": "0",
            "repeats": "",
            "layout": "",
            **own.asked,
        },
        policies=["auto", *names()],
        layouts=LAYOUTS,
        plate=plate,
        shown=found,
    )
