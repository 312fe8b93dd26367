"""Flags beside a campaign's file, which says all that they do: those that agree are no mistake."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ombo_agents.campaigns import Campaign

_Agrees = Callable[["Campaign", Any], bool]


def disagreeing(given: Mapping[str, Any], campaign: Campaign) -> list[str]:
    """Names of flags that say something else than a campaign, or what it does not keep.

    Args:
        given: Values of flags by name; of `surrogate` the recipe.
        campaign: As it was kept.
    """
    return [
        name
        for name, value in given.items()
        if name not in _AGREES or not _AGREES[name](campaign, value)
    ]


def _same_goal(goal: str) -> _Agrees:
    return lambda campaign, _: all(each.goal == goal for each in campaign.settings.targets)


def _same_setting(name: str) -> _Agrees:
    return lambda campaign, value: bool(getattr(campaign.settings, name) == value)


def _known_words(name: str) -> _Agrees:
    def agrees(campaign: Campaign, words: Any) -> bool:
        kept = {word.casefold() for word in getattr(campaign.settings, name)}
        return {word.casefold() for word in words} <= kept

    return agrees


def _same_column(name: str) -> _Agrees:
    def agrees(campaign: Campaign, column: Any) -> bool:
        from ombo_agents.campaigns.files.sheets import match

        kept = getattr(campaign.settings, name)
        header = campaign.sheets[0].table.header
        return kept is not None and match(header, kept) == match(header, column) != []

    return agrees


def _same_target(campaign: Campaign, column: Any) -> bool:
    from ombo_agents.campaigns.files.sheets import match

    header = campaign.sheets[0].table.header
    return match(header, column) == list(campaign.data.target_columns)


def _same_origin(campaign: Campaign, origin: Any) -> bool:
    from ombo_agents.campaigns.data.settings import parse_origin

    return bool(parse_origin(origin) == campaign.settings.origin)


def _same_space(campaign: Campaign, space: Any) -> bool:
    from ombo_agents.campaigns import read_space

    asked = read_space(space)
    return (asked.written, asked.tables) == (campaign.space.written, campaign.space.tables)


def _same_surrogate(campaign: Campaign, recipe: Any) -> bool:
    return bool(dict(campaign.settings.surrogate or {}) == recipe)


_AGREES: dict[str, _Agrees] = {
    "maximise": _same_goal("max"),
    "minimise": _same_goal("min"),
    "target": _same_target,
    "space": _same_space,
    "failed": _known_words("failed"),
    "pending": _known_words("pending"),
    "failed_value": _same_setting("failed_value"),
    "origin": _same_origin,
    "round_column": _same_column("round_column"),
    "block": _same_column("block"),
    "cost": _same_column("cost"),
    "surrogate": _same_surrogate,
}
