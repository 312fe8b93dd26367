"""What the page of columns says of a sheet: which column is what, as the texts of its fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ombo_agents.campaigns import Space
from ombo_agents.campaigns.data.settings import Settings, Target
from ombo_agents.campaigns.files.sheets import match
from ombo_agents.campaigns.space.factors import ParameterFactor
from ombo_gym.design_spaces.parameters import (
    Choices,
    Fixed,
    Integers,
    Levels,
    Parameter,
    Range,
)
from ombo_gym.spreadsheets.spreadsheet import Spreadsheet

ROLES = {
    "ignored": "not used",
    "parameter": "varied: a parameter",
    "target": "measured: a target",
    "round": "number of the round",
    "block": "block or plate, whose offset is taken out",
    "cost": "what a well costs",
}
KINDS = {
    "range": "numbers between two ends",
    "integer": "whole numbers",
    "levels": "ordered levels",
    "choices": "categories",
    "fixed": "one fixed value",
    "written": "as the space file says",
}
ORIGINS = {
    "random": "at random",
    "space_filling": "spread evenly over the space",
    "listed": "by somebody",
    "percentile": "the lower part of what was measured",
}


@dataclass(frozen=True)
class ColumnDraft:
    """One column, as the fields of the page hold it.

    Attributes:
        column: In the header; "" of a fixed parameter that has none.
        name: What the space file calls it.
        role: Of `ROLES`.
        kind: Of `KINDS`, where it is a parameter.
        low, high: Ends of its numbers.
        step: Of numbers between two ends; "": none.
        log: Whether ratios matter.
        values: Levels, choices or the fixed value, one a line.
        most: Different values that a plate may have, or "at least" so many; "": any.
        goal: "max" or "min", of a target.
        weight: Of a target among several.
        good_from, good_to: Of a target, between which it becomes better; "": all along.
    """

    column: str
    name: str
    role: str = "ignored"
    kind: str = "range"
    low: str = ""
    high: str = ""
    step: str = ""
    log: bool = False
    values: str = ""
    most: str = ""
    goal: str = "max"
    weight: str = "1"
    good_from: str = ""
    good_to: str = ""

    @property
    def title(self) -> str:
        """What the page calls it."""
        return self.column or self.name


@dataclass(frozen=True)
class Draft:
    """All fields of the page.

    Attributes:
        columns: In the order of the sheet.
        failed, pending: Words, with commas between.
        failed_value: What a failed well is worth; "": as the worst.
        origin: Of `ORIGINS`.
        percentile: Which part of what was measured.
        constraints, exclude: Conditions, one a line.
        written: The space file as data, of which the fields are a part.
    """

    columns: tuple[ColumnDraft, ...]
    failed: str = ""
    pending: str = ""
    failed_value: str = ""
    origin: str = "random"
    percentile: str = "50"
    constraints: str = ""
    exclude: str = ""
    written: Mapping[str, Any] = field(default_factory=dict)

    def of_role(self, role: str) -> list[ColumnDraft]:
        """The columns that are so."""
        return [each for each in self.columns if each.role == role]


def draft_of(sheet: Spreadsheet, space: Space, settings: Settings | None) -> Draft:
    """The fields of a space file and settings that are known.

    Args:
        sheet: Whose columns there are.
        space: What the space file says.
        settings: Targets, words and columns; None: not said yet.
    """
    written = dict(space.written)
    entries = parameters_in(written, space)
    headers = {name: (match(sheet.header, name) or [""])[0] for name in space.columns}
    drafts = {header: ColumnDraft(header, header) for header in sheet.header}
    loose: list[ColumnDraft] = []
    for factor in space.factors:
        for name in factor.columns:
            least = f"at least {space.variety[name]}" if name in space.variety else ""
            most = str(space.plate.get(name, least))
            found = ColumnDraft(headers[name], name, "parameter", "written", most=most)
            if isinstance(factor, ParameterFactor) and _is_plain(entries.get(name)):
                found = filled(found, factor.parameter)
            if found.column:
                drafts[found.column] = found
            else:
                loose.append(found)
    if settings is not None:
        for target in settings.targets:
            for column in match(sheet.header, target.column)[:1]:
                drafts[column] = of_target(drafts[column], target)
        for role, named in _roles(settings).items():
            for column in match(sheet.header, named)[:1] if named else ():
                drafts[column] = replace(drafts[column], role=role)
    columns = (*(drafts[header] for header in sheet.header), *loose)
    draft = Draft(
        columns,
        constraints=_lines(written.get("constraints")),
        exclude=_lines(written.get("exclude")),
        written=written,
    )
    return draft if settings is None else with_settings(draft, settings)


def with_settings(draft: Draft, settings: Settings) -> Draft:
    """The draft with words and origin of the settings."""
    percentile = settings.origin.percentile
    value = settings.failed_value
    return replace(
        draft,
        failed=", ".join(settings.failed),
        pending=", ".join(settings.pending),
        failed_value="" if value is None else in_words(value),
        origin=settings.origin.kind,
        percentile=draft.percentile if percentile is None else in_words(percentile),
    )


def of_target(draft: ColumnDraft, target: Target) -> ColumnDraft:
    """A column that is measured."""
    return replace(
        draft,
        role="target",
        goal=target.goal,
        weight=in_words(target.weight),
        good_from="" if target.low is None else in_words(target.low),
        good_to="" if target.high is None else in_words(target.high),
    )


def parameters_in(written: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """Those keys of a space file that are parameters, wherever they stand."""
    inside = written.get("parameters")
    if isinstance(inside, Mapping):
        return dict(inside)
    names = set(space.columns)
    return {
        key: each
        for key, each in written.items()
        if key in names or (isinstance(each, Mapping) and {"mixture", "candidates"} & set(each))
    }


def in_words(number: float) -> str:
    """A number as people write it."""
    value = float(number)
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _is_plain(written: Any) -> bool:
    """Whether the fields of the page say all of it."""
    if not isinstance(written, Mapping):
        return True
    beside = set(written) & {"descriptors", "smiles", "id", "columns", "log"}
    return not beside and not isinstance(written.get("choices"), str)


def filled(draft: ColumnDraft, parameter: Parameter) -> ColumnDraft:
    """The draft with the fields of a parameter."""
    log = getattr(parameter, "scale", "linear") == "log"
    if isinstance(parameter, Range | Integers):
        step = getattr(parameter, "step", None)
        return replace(
            draft,
            kind="range" if isinstance(parameter, Range) else "integer",
            low=in_words(parameter.low),
            high=in_words(parameter.high),
            step="" if step is None else in_words(step),
            log=log,
        )
    if isinstance(parameter, Levels):
        return replace(
            draft, kind="levels", values="\n".join(map(in_words, parameter.values)), log=log
        )
    if isinstance(parameter, Choices):
        return replace(draft, kind="choices", values="\n".join(map(str, parameter.values)))
    if isinstance(parameter, Fixed):
        value = parameter.value
        text = in_words(value) if isinstance(value, float) else str(value)
        return replace(draft, kind="fixed", values=text)
    return draft


def _roles(settings: Settings) -> dict[str, str | None]:
    return {"round": settings.round_column, "block": settings.block, "cost": settings.cost}


def _lines(rules: Any) -> str:
    if rules is None:
        return ""
    return "\n".join(map(str, rules)) if isinstance(rules, list) else str(rules)
