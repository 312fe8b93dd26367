"""Which policy to follow, and whether another plate is worth it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template
from werkzeug.wrappers import Response as AnyResponse

from ombo_agents.campaigns.advice.advising import POLICIES
from ombo_agents.serve.views.answers import REFUSED, asked, begin, needed_campaign, to, workspace
from ombo_agents.serve.views.drawing import policy_chart, scenario_chart, short
from ombo_agents.serve.views.plate import read, seed_in
from ombo_agents.serve.workspace.numbers import number_in, plates_in
from ombo_agents.serve.workspace.understanding import Problems

blueprint = Blueprint("advice", __name__)

Answer = str | tuple[str, int] | AnyResponse
_MOST_SIMULATIONS = 5000


@blueprint.get("/advice")
def show() -> Answer:
    """The advice, and what is asked for it."""
    needed_campaign()
    return _page({})


@blueprint.post("/advise")
def advise() -> Answer:
    """Begins to simulate."""
    campaign = needed_campaign()
    fields = asked("plates", "worth", "simulations", "policies", "seed")
    problems = Problems()
    policies = [word for word in fields["policies"].replace(",", " ").split() if word]
    arguments: dict[str, Any] = {
        "plates_left": read(problems, "plates", lambda: plates_in(fields["plates"])),
        "worth": read(problems, "worth", lambda: _worth_in(fields["worth"])),
        "simulations": read(problems, "simulations", lambda: _simulations_in(fields)),
        "seed": read(problems, "seed", lambda: seed_in(fields["seed"])),
        "policies": policies or None,
    }
    with workspace().lock:
        if not problems.by_place and (why := begin("advise", campaign, arguments)):
            problems.add("calculation", why)
    return (_page(problems.by_place), REFUSED) if problems.by_place else to("advice.show")


def _worth_in(text: str) -> int | float | None:
    if not text:
        return None
    value = number_in(text, "worth")
    if value <= 0:
        raise ValueError(f"worth: expected a number above 0, got {text}; leave it empty if any is")
    return value


def _simulations_in(fields: dict[str, str]) -> int | None:
    text = fields["simulations"]
    if not text:
        return None
    value = number_in(text, "simulations")
    if not isinstance(value, int) or not 2 <= value <= _MOST_SIMULATIONS:
        raise ValueError(
            f"simulations: expected a whole number from 2 to {_MOST_SIMULATIONS:,}, got {text}; "
            "leave it empty for as many as suit the data"
        )
    return value


def _page(problems: dict[str, list[str]]) -> str:
    own = workspace()
    advice = own.advice
    return render_template(
        "advice.html",
        problems=problems,
        asked={
            "plates": "24",
            "worth": "",
            "simulations": "",
            "policies": "",
            "seed": "0",
            **own.asked,
        },
        usual=", ".join(POLICIES),
        advice=advice,
        kept=needed_campaign().advice,
        policy_chart=None if advice is None else policy_chart(advice),
        scenario_chart=None if advice is None else scenario_chart(advice),
        short=short,
    )
