"""From the fields of the page to a campaign; what is wrong with them is said of each by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from ombo_agents.campaigns import Campaign, Space
from ombo_agents.campaigns.data.campaign_data import Sheet
from ombo_agents.campaigns.data.settings import Settings, Target, parse_origin, parse_words
from ombo_agents.campaigns.files.mistakes import mistakes
from ombo_agents.campaigns.space.encoding import check_feasible
from ombo_agents.campaigns.space.factors import ParameterFactor
from ombo_agents.serve.workspace.drafts import (
    KINDS,
    ORIGINS,
    ROLES,
    ColumnDraft,
    Draft,
    filled,
    parameters_in,
)
from ombo_agents.serve.workspace.numbers import number_in, numbers_in
from ombo_agents.serve.workspace.rules import other_names, with_rules_understood, wrong_rules
from ombo_agents.serve.workspace.uploads import space_of
from ombo_gym.design_spaces.parameters import parse_parameter

SPACE, RULES, SHEET = "space", "rules", "sheet"  # places of the page, beside fields and columns
_WHERE = re.compile(r"^(space|space\.yaml)(, line \d+)?: ")
_FLAGS = re.compile(
    r""" \(--[a-z-]+\)|[:;,]? (?:with )?--sheet (?:"[^"]*"|[\w.-]+)|; leave --sheet out"""
)
_LEAST = re.compile(r"at least (.*)", re.IGNORECASE)
_WORDS = re.compile(r"(?:a word of )?--(failed|pending)\b")
_COLUMN = re.compile(r", column '((?:[^'\\]|\\.)*)'")
_RULE_WORDS = ("constraints:", "exclude:", "shared:", "distinct:", "shared, distinct:")


@dataclass
class Problems(Exception):
    """Sentences by the place of the page that they belong to.

    Attributes:
        by_place: "column 3" is the fourth column of the draft; a name of `Draft` is that field.
    """

    by_place: dict[str, list[str]] = field(default_factory=dict)

    def add(self, place: str, words: object) -> None:
        """One sentence more."""
        text = sentence(words)
        text = text if place == SPACE else _WHERE.sub("", text)
        self.by_place.setdefault(place, []).append(text)

    def check(self) -> None:
        """Ends here if there is one."""
        if self.by_place:
            raise self


def sentence(words: object) -> str:
    """What an error says, without what belongs to commands."""
    plain = str(words).removeprefix("csv: ").removeprefix("tell: ")
    return _WORDS.sub(r"a word for \1 wells", _FLAGS.sub("", plain))


def place_of(index: int) -> str:
    """The place of a column."""
    return f"column {index}"


def written_space(draft: Draft, space: Space | None) -> dict[str, Any]:
    """The space file as data, with what the fields say.

    Args:
        draft: The fields.
        space: What was known before; keys that are no fields stay as they are.

    Raises:
        Problems: A field that is not as it should be.
    """
    problems = Problems()
    before = {} if space is None else parameters_in(draft.written, space)
    rest = {k: v for k, v in draft.written.items() if k != "parameters" and k not in before}
    entries: dict[str, Any] = {}
    listed = {each.name: (i, each) for i, each in enumerate(draft.columns)}
    for name, entry in before.items():  # keeps the order, and what is no column by itself
        if name not in listed:
            entries[name] = entry
        elif listed[name][1].role == "parameter":
            if _unchanged(space, listed[name][1]):
                entries[name] = entry
            else:
                _enter(entries, *listed[name], entry, problems)
    for name, (i, column) in listed.items():
        if column.role == "parameter" and name not in before and column.kind != "written":
            _enter(entries, i, column, None, problems)
    plate = _plate(draft, problems)
    problems.check()
    for key in ("constraints", "exclude", "shared", "distinct", "plate"):
        rest.pop(key, None)
    rules: dict[str, Any] = {key: _rules(getattr(draft, key)) for key in ("constraints", "exclude")}
    shared = [name for name, most in plate.items() if most == 1]
    distinct = {name: most for name, most in plate.items() if most != 1}
    rules |= {"shared": shared, "distinct": distinct}
    return {"parameters": entries, **rest, **{key: each for key, each in rules.items() if each}}


def as_text(written: Mapping[str, Any]) -> str:
    """The space file as people read it."""
    written = {key: each for key, each in written.items() if key != "parameters" or each}
    text: str = yaml.safe_dump(
        written, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100
    )
    return text


def read_text(text: str, tables: Mapping[str, Any]) -> Space:
    """The space that a text describes, of which some design can be made.

    Raises:
        Problems: There is none; what is wrong with rules is said at the rules.
    """
    problems = Problems()
    try:
        space = space_of(text, tables)
        check_feasible(space)
        return space
    except (ValueError, OSError) as error:
        if not _is_of_rules(error):
            problems.add(SPACE, error)
            raise problems from None
        every = wrong_rules(text, lambda written: space_of(as_text(written), tables))
        for words in every or [str(error)]:
            problems.add(RULES, words)
        raise problems from None


def read_fields(
    draft: Draft, written: Mapping[str, Any], tables: Mapping[str, Any]
) -> tuple[str, Space]:
    """The space file that the fields make, and its space.

    Args:
        draft: The fields, whose columns rules may call as the sheet does, or without their unit.
        written: As `written_space` gives it.
        tables: Files that it names.

    Raises:
        Problems: As `read_text`.
    """
    text = as_text(written)
    try:
        space_of(text, tables)
    except (ValueError, OSError) as error:
        if _is_of_rules(error):
            others = other_names((each.name, each.column) for each in draft.of_role("parameter"))
            text = as_text(
                with_rules_understood(written, others, lambda data: space_of(as_text(data), tables))
            )
    return text, read_text(text, tables)


def _is_of_rules(error: Exception) -> bool:
    return _WHERE.sub("", str(error)).startswith(_RULE_WORDS)


def settings_of(draft: Draft, before: Settings | None) -> Settings:
    """How the sheet is read.

    Args:
        draft: The fields.
        before: What was known; what is no field stays as it is.

    Raises:
        Problems: A field that is not as it should be.
    """
    problems = Problems()
    targets = []
    found: dict[str, Any] = {}
    for i, column in enumerate(draft.columns):
        if column.role == "target":
            try:
                targets.append(_target(column))
            except ValueError as error:
                problems.add(place_of(i), error)
    if not targets and not problems.by_place:
        problems.add(SHEET, "expected a column that is measured, got none; say which is the target")
    for role, key in (("round", "round_column"), ("block", "block"), ("cost", "cost")):
        several = draft.of_role(role)
        found[key] = several[0].column if several else None
        for i, column in enumerate(draft.columns):
            if column in several[1:]:
                problems.add(
                    place_of(i), f"expected one column for {ROLES[role]!r}, got two; change one"
                )
    for name in ("failed", "pending"):
        found[name] = parse_words(name, getattr(draft, name))
    try:
        value = draft.failed_value
        found["failed_value"] = number_in(value, "failed wells count as") if value else None
    except ValueError as error:
        problems.add("failed_value", error)
    try:
        origin = draft.origin
        found["origin"] = parse_origin(
            f"{origin}:{draft.percentile}" if origin == "percentile" else origin
        )
    except ValueError as error:
        problems.add("origin", error)
    problems.check()
    try:
        base = before or Settings((targets[0],))
        return replace(base, targets=tuple(targets), **found)
    except ValueError as error:
        problems.add("failed", error)
        raise problems from None


def campaign_of(
    space: Space, settings: Settings, sheets: tuple[Sheet, ...], advice: Any = ()
) -> Campaign:
    """The campaign.

    Raises:
        Problems: Cells that are not what their columns hold: every kind of mistake, each at its
            column where it is one of the first sheet, which is looked through as `ombo check` does.
    """
    first, *later = sheets
    problems = Problems()
    found = mistakes(
        first.table, lambda rows: Campaign(space, settings, (Sheet(rows, first.round),))
    )
    for words in found:
        column = _COLUMN.search(words)
        names = first.table.header
        at = names.index(column[1]) if column and column[1] in names else None
        problems.add(SHEET if at is None else place_of(at), words)
    problems.check()
    try:
        return Campaign(space, settings, (first, *later), advice)
    except ValueError as error:
        problems.add(SHEET, error)
        raise problems from None


def check_choices(draft: Draft) -> None:
    """Refuses what no form of the page sends.

    Raises:
        Problems: A role, a kind or an origin that there is not.
    """
    problems = Problems()
    for i, column in enumerate(draft.columns):
        if (
            column.role not in ROLES
            or column.kind not in KINDS
            or column.goal not in ("max", "min")
        ):
            problems.add(place_of(i), "expected a choice of the list, got another; choose one")
    if draft.origin not in ORIGINS:
        problems.add("origin", "expected a choice of the list, got another; choose one")
    problems.check()


def _enter(
    entries: dict[str, Any], index: int, column: ColumnDraft, before: Any, problems: Problems
) -> None:
    if column.kind == "written":
        if before is not None:
            entries[column.name] = before
        return
    try:
        entry = _parameter(column)
        parse_parameter(entry)
    except (ValueError, TypeError) as error:
        problems.add(place_of(index), error)
        return
    if isinstance(before, Mapping) and "unit" in before:
        entry = {**entry, "unit": before["unit"]}
    entries[column.name] = entry


def _unchanged(space: Space | None, column: ColumnDraft) -> bool:
    """Whether the fields of a parameter are as the space file fills them."""
    for factor in () if space is None else space.factors:
        if isinstance(factor, ParameterFactor) and factor.name == column.name:
            same: bool = filled(column, factor.parameter) == column
            return same
    return False


def _parameter(column: ColumnDraft) -> dict[str, Any]:
    """What the fields say of one parameter, as a space file has it."""
    if column.kind in ("range", "integer"):
        low, high = number_in(column.low, "from"), number_in(column.high, "to")
        found: dict[str, Any] = {column.kind: [low, high]}
        if column.step and column.kind == "range":
            found["step"] = number_in(column.step, "step")
    elif column.kind == "levels":
        found = {"levels": numbers_in(column.values, "levels")}
    elif column.kind == "choices":
        values = [line.strip() for line in column.values.splitlines() if line.strip()]
        if len(values) < 2:
            raise ValueError(f"expected at least two categories, one a line, got {len(values)}")
        return {"choices": values}
    else:
        value = column.values.strip()
        if not value:
            raise ValueError("expected the fixed value, got nothing; write it")
        try:
            return {"fixed": number_in(value, "value")}
        except ValueError:
            return {"fixed": value}
    return found | ({"scale": "log"} if column.log else {})


def _target(column: ColumnDraft) -> Target:
    ends = (column.good_from.strip(), column.good_to.strip())
    low, high = (
        number_in(end, name) if any(ends) else None
        for end, name in zip(ends, ("better from", "to"), strict=True)
    )
    return Target(column.column, column.goal, number_in(column.weight or "1", "weight"), low, high)


def _plate(draft: Draft, problems: Problems) -> dict[str, int | str]:
    """The most different values of a plate, or "at least" so many, by parameter."""
    found: dict[str, int | str] = {}
    for i, column in enumerate(draft.columns):
        if column.role != "parameter" or not column.most.strip():
            continue
        least = _LEAST.fullmatch(column.most.strip())
        try:
            number = number_in(least[1] if least else column.most, "values on a plate")
        except ValueError as error:
            problems.add(place_of(i), error)
            continue
        if not isinstance(number, int) or number < 1:
            problems.add(
                place_of(i),
                f"values on a plate: expected a whole number of at least 1, got {column.most}; "
                "leave it empty where a plate may have any, write at least 4 where it should "
                "have so many",
            )
            continue
        found[column.name] = f"at least {number}" if least else number
    return found


def _rules(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
