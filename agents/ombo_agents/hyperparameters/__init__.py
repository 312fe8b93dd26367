"""Settings of the policies that have any: a file each, by what a design is and by problem.

`NAME.toml` holds a table `[default]`; tables `[box]`, `[categorical]` and `[pool]` override it by
kind of design space, and a table named like a problem (`[TFBind8]`) overrides those.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from ombo_gym.design_spaces import BoxDesigns, CategoricalDesigns, DesignSpace
from ombo_gym.game import Game


def settings_of(name: str, game: Game) -> dict[str, Any]:
    """The settings that a policy has in some campaigns; none where it has no file."""
    tables = _tables(name)
    settings: dict[str, Any] = {}
    for table in ("default", _kind(game.design_space), type(game.problem).__name__):
        settings |= tables.get(table, {})
    return settings


def _kind(space: DesignSpace) -> str:
    if isinstance(space, BoxDesigns):
        return "box"
    return "categorical" if isinstance(space, CategoricalDesigns) else "pool"


@cache
def _tables(name: str) -> dict[str, dict[str, Any]]:
    file = files(__name__) / f"{name}.toml"
    return tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
