"""Settings of the policies that have any: a file each, by what a design is and by problem.

`NAME.toml` holds a table `[default]`; tables `[box]`, `[categorical]`, `[pool]` and `[mixed]`
override it by kind of design space, and a table named like a problem (`[TFBind8]`) overrides those.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from ombo_gym.spec import CampaignSpec


def settings_of(name: str, spec: CampaignSpec) -> dict[str, Any]:
    """The settings that a policy has in some campaigns; none where it has no file."""
    tables = _tables(name)
    settings: dict[str, Any] = {}
    for table in ("default", spec.design_space.kind, spec.problem):
        settings |= tables.get(table, {})
    return settings


@cache
def _tables(name: str) -> dict[str, dict[str, Any]]:
    file = files(__name__) / f"{name}.toml"
    return tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
