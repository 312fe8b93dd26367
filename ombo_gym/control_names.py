"""How controls are named in arguments, in specs and in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ombo_gym.arguments import shown

CONTROLS = ("designs", "exploration", "candidates")
CANDIDATES = 64  # M of `control="candidates"` where nothing else is asked for
LARGEST_SIZE = 4096  # of M: a batch is picked from a list, not from a space
_SIZE = "candidates:size="


def control_name(given: Any) -> str:
    """The one way to write a control.

    Args:
        given: One of `CONTROLS`, `module:Class` of one's own, `{"kind": "candidates", "size": 128}`
            or, the same in a text, `"candidates:size=128"`.

    Returns:
        A text; without a size where it is the one that "candidates" has by itself.

    Raises:
        ValueError: It names no control, or a setting that the control lacks or cannot have.
    """
    if isinstance(given, Mapping) and "kind" in given:
        settings = {key: value for key, value in given.items() if key != "kind"}
        name = given["kind"]
    else:
        name, settings = _taken_apart(given)
    known = isinstance(name, str) and (name in CONTROLS or name.count(":") == 1)
    if not known:
        raise ValueError(
            f"control: expected one of {list(CONTROLS)}, or module:Class, or a dict such as "
            f'{{"kind": "candidates", "size": {CANDIDATES}}}, got {shown(given)}'
        )
    takes = ["size"] if name == "candidates" else []
    if unknown := [key for key in settings if key not in takes]:
        raise ValueError(
            f"control: {name!r} takes the settings {takes}, got {shown(unknown)}; leave them out"
        )
    size = settings.get("size", CANDIDATES)
    if name != "candidates" or _checked_size(size) == CANDIDATES:
        return str(name)
    return f"{_SIZE}{_checked_size(size)}"


def control_settings(name: str) -> tuple[str, dict[str, int]]:
    """A control's kind and settings, of what `control_name` gives."""
    if name.startswith(_SIZE):
        return "candidates", {"size": int(name[len(_SIZE) :])}
    return name, {}


def _taken_apart(given: Any) -> tuple[Any, dict[str, Any]]:
    if not isinstance(given, str) or not given.startswith("candidates:"):
        return given, {}
    settings: dict[str, Any] = {}
    for part in given.removeprefix("candidates:").split(";"):
        key, _, value = part.partition("=")
        settings[key] = int(value) if value.isascii() and value.isdigit() else value
    return "candidates", settings


def _checked_size(size: Any) -> int:
    whole = hasattr(size, "__index__") and not isinstance(size, bool)
    if not whole or not 1 <= size <= LARGEST_SIZE:
        raise ValueError(
            f"control: expected a size of the list of candidates from 1 to {LARGEST_SIZE:,}, got "
            f"{shown(size)}"
        )
    return int(size)
