"""What simulated futures of a campaign say: as a page of text, as frames, in notebooks."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from ombo_agents.campaigns.advice.trust import Trust
from ombo_agents.campaigns.pictures.intervals import Bar, as_html, intervals_figure
from ombo_gym.evaluation.statistics import Interval


@dataclass(frozen=True)
class PolicyOutcome:
    """What a policy makes of the plates to come.

    Attributes:
        policy: Its name.
        outcome: Expected final outcome with its 95% interval, in the target's units.
        low, high: Between which the outcome itself is with a probability of 80% at least.
        difference: How much better the chosen policy is than it; paired, 95%.
        planning: How much better it is than when told every round that it is the last; paired, 95%.
    """

    policy: str
    outcome: Interval
    low: float
    high: float
    difference: Interval
    planning: Interval


@dataclass(frozen=True)
class ScenarioOutcome:
    """What the chosen policy makes of other plates.

    Attributes:
        scenario: What is other.
        plates: To come.
        outcome: Expected final outcome with its 95% interval, in the target's units.
        gain: How much better it is than with the plates as planned; paired, 95%.
        chance: Probability that it is better by at least what is worth it; None: not asked.
    """

    scenario: str
    plates: tuple[int, ...]
    outcome: Interval
    gain: Interval
    chance: float | None


@dataclass(frozen=True)
class Advice:
    """What to do with the plates that are left, as far as simulation can tell.

    Attributes:
        plates: To come.
        policy: Which to follow.
        reason: Why.
        trust: Whether the model of the data can be trusted.
        policies: What each makes of the plates, the chosen one first; none where the data are too
            few to simulate anything.
        scenarios: What the chosen one makes of other plates, the plates as planned first.
        measured_name: What outcomes are of.
        goal: "max" or "min".
        utility: What outcomes are the value of.
        worth: What another plate has to bring; None: anything.
        rows: How many rows were known, those that run included.
        running: How many of them run.
        simulations: Campaigns that were drawn.
        seed: Of all that was drawn.
        notes: What is otherwise than in simulation.
    """

    plates: tuple[int, ...]
    policy: str
    reason: str
    trust: Trust
    policies: tuple[PolicyOutcome, ...]
    scenarios: tuple[ScenarioOutcome, ...]
    measured_name: str
    goal: str
    utility: str
    worth: float | None
    rows: int
    simulations: int
    seed: int
    notes: tuple[str, ...] = ()
    running: int = 0

    @property
    def trusted(self) -> bool:
        """Whether the numbers can be trusted."""
        return self.trust.trusted

    @property
    def better_by(self) -> str:
        """Heading of what the first policy is better by; it may not be the one to follow."""
        followed = bool(self.policies) and self.policy == self.policies[0].policy
        return f"{'chosen' if followed else 'the first'} better by"

    @property
    def frame(self) -> Any:
        """Policies as a data frame of pandas."""
        return _frame(PolicyOutcome, self.policies)

    @property
    def scenarios_frame(self) -> Any:
        """Scenarios as a data frame of pandas."""
        return _frame(ScenarioOutcome, self.scenarios)

    @property
    def figure(self) -> Any:
        """Where campaigns end, by policy and by other plates: a figure of matplotlib.

        Raises:
            ValueError: Nothing was simulated.
        """
        if not self.policies:
            raise ValueError("figure: expected advice from simulations, got none, the data are few")
        bars = [
            Bar(
                each.policy, each.low, each.high, each.outcome.estimate, "policies: 80% of outcomes"
            )
            for each in self.policies
        ]
        bars += [
            Bar(
                each.scenario,
                each.outcome.low,
                each.outcome.high,
                each.outcome.estimate,
                "other plates: 95% interval of the mean",
            )
            for each in self.scenarios
        ]
        stopping = next((s.outcome.estimate for s in self.scenarios if not s.plates), None)
        axis = f"final {self.measured_name}"
        return intervals_figure(bars, axis, line=stopping, line_name="stopping now")

    def to_dict(self) -> dict[str, Any]:
        """What the campaign's file keeps of it."""
        return {
            "plates": list(self.plates),
            "policy": self.policy,
            "reason": self.reason,
            "trusted": self.trusted,
            "worth": self.worth,
            "rows": self.rows,
            "simulations": self.simulations,
            "seed": self.seed,
        }

    def __str__(self) -> str:
        plates = ", ".join(map(str, self.plates))
        running = f", {self.running} of them running" if self.running else ""
        known = f"{self.rows} rows known{running}"
        lines = [f"plates to come: {plates}; {known}", f"follow: {self.policy}"]
        lines.append(f"  {self.reason}")
        trusted = "may be trusted" if self.trusted else "NOT to be trusted"
        lines += ["", f"the model of these data: {trusted}", *self.trust.lines()]
        if self.policies:
            goal = "maximised" if self.goal == "max" else "minimised"
            lines += ["", f"final {self.measured_name}, {goal} (utility {self.utility}), expected"]
            lines += [f"over {self.simulations} objectives drawn given the data:", ""]
            lines += [*_aligned(_policy_cells(self.policies, self.better_by)), ""]
            lines += [f"other plates, all played by {self.policies[0].policy}:", ""]
            lines += [*_aligned(_scenario_cells(self.scenarios, self.worth)), ""]
            lines += ["[ ]: 95% intervals of means, of differences on the same drawn objectives;"]
            lines += ["better by: in the direction of the goal"]
        lines += [f"note: {note}" for note in self.notes]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        tables = [f"<p><b>{html.escape(self.policy)}</b>: {html.escape(self.reason)}</p>"]
        tables += [f"<p>{html.escape(line.strip())}</p>" for line in self.trust.lines()]
        if self.policies:
            tables.append(_table(_policy_cells(self.policies, self.better_by)))
            tables.append(_table(_scenario_cells(self.scenarios, self.worth)))
            tables.append(as_html(self.figure, "simulated outcomes"))
        tables += [f"<p>{html.escape(note)}</p>" for note in self.notes]
        return "".join(tables)


def _frame(kind: type, rows: Sequence[Any]) -> Any:
    """A row an object: an interval is three columns, its estimate having the field's name."""
    import pandas as pd

    found = []
    for row in rows:
        cells: dict[str, Any] = {}
        for each in fields(kind):
            value = getattr(row, each.name)
            if isinstance(value, Interval):
                cells |= {
                    each.name: value.estimate,
                    f"{each.name}_low": value.low,
                    f"{each.name}_high": value.high,
                }
            else:
                cells[each.name] = value
        found.append(cells)
    return pd.DataFrame(found)


def _policy_cells(policies: Sequence[PolicyOutcome], better_by: str) -> list[list[str]]:
    head = ["policy", "expected", "80% of outcomes", better_by, "knowing N better by"]
    return [
        head,
        *(
            [
                each.policy,
                _interval(each.outcome),
                f"{_short(each.low)} to {_short(each.high)}",
                "" if each is policies[0] else _interval(each.difference),
                _interval(each.planning),
            ]
            for each in policies
        ),
    ]


def _scenario_cells(scenarios: Sequence[ScenarioOutcome], worth: float | None) -> list[list[str]]:
    asked = "better at all" if worth is None else f"better by {_short(worth)} or more"
    return [
        ["", "plates", "expected", "better by", asked],
        *(
            [
                each.scenario,
                " ".join(map(str, each.plates)) or "none",
                _interval(each.outcome),
                "" if each is scenarios[0] else _interval(each.gain),
                "" if each.chance is None else f"{each.chance:.0%}",
            ]
            for each in scenarios
        ),
    ]


def _interval(interval: Interval) -> str:
    ends = f"[{_short(interval.low)}, {_short(interval.high)}]"
    return f"{_short(interval.estimate)} {ends}"


def _short(number: float) -> str:
    return f"{number + 0.0:.4g}"


def _aligned(cells: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        ("  " + "  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True))).rstrip()
        for row in cells
    ]


def _table(cells: list[list[str]]) -> str:
    head, *rows = (
        "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>"
        for tag, row in zip(["th"] + ["td"] * (len(cells) - 1), cells, strict=True)
    )
    return f"<table>{head}{''.join(rows)}</table>"
