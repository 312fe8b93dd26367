"""Where settings of an evaluation name code: a module that is imported when they are played."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from ombo_gym.own_code import own_module
from ombo_gym.utilities import Utility

_NAMES_CODE = ("problem", "control", "utility")  # arguments of environments that may
_PLANS_AHEAD = re.compile(r"rolling_[1-9]\d*")  # policies that are known without being listed


def own_utility(utility: Utility) -> str:
    """`module:Class` of a utility that importing this package does not make known, else ""."""
    kind = type(utility)
    ours = kind.__module__ == Utility.__module__
    return "" if ours else f"{kind.__module__}:{kind.__qualname__}"


def make_utility_known(own: str) -> None:
    """Imports the module of `module:Class`, which makes the names of its utilities known.

    Raises:
        ValueError: There is no such module, or it raises an error.
    """
    own_module(f"utility: {own!r}", own.partition(":")[0])


def named_code(entry: Mapping[str, Any], policies: Collection[str]) -> Iterator[str]:
    """What names code in a problem's entry of a grid, with the key that it stands under.

    Args:
        entry: Keys and values of `EvaluationPlan`, of the right kinds or not.
        policies: Names that are known.
    """
    if isinstance(env := entry.get("env"), str) and ":" in env.removeprefix("ombo_gym:"):
        yield f"env: {env}"
    for word in _listed(entry.get("policies")):
        if isinstance(word, str) and _is_own_policy(word, policies):
            yield f"policies: {word}"
    for utility in _listed(entry.get("utilities")):
        if _is_own_utility(utility):
            yield f"utilities: {utility}"
    kwargs = entry.get("env_kwargs")
    arguments: Mapping[str, Any] = kwargs if isinstance(kwargs, Mapping) else {}
    for name in _NAMES_CODE:
        given = arguments.get(name)
        if _is_own_utility(given) if name == "utility" else _has_colon(given):
            yield f"env_kwargs: {name}: {given}"


def refuse_code(entry: Mapping[str, Any], policies: Collection[str]) -> None:
    """Raises a ValueError where a problem's entry of a grid names code."""
    if (found := next(named_code(entry, policies), None)) is not None:
        raise ValueError(
            f"{found} names code of its own, which a file with a grid may not start by itself: "
            "where you trust the file and the module, give --allow-code (in Python: "
            "allow_code=True)"
        )


def _listed(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def _has_colon(given: Any) -> bool:
    """Whether a name reads `module:Class`."""
    return isinstance(given, str) and ":" in given


def _is_own_policy(word: str, policies: Collection[str]) -> bool:
    """Whether a policy's name is none with settings (`ucb:weight=2`) and none of a folder."""
    name, colon, _ = word.partition(":")
    if not colon or name in policies or _PLANS_AHEAD.fullmatch(name):
        return False
    return "*" in word or not (Path(word) / "config.json").is_file()


def _is_own_utility(given: Any) -> bool:
    """Whether a utility is `module:Class`, with arguments or without."""
    name = given.get("name") if isinstance(given, Mapping) else given
    if not isinstance(name, str) or ":" not in name:
        return False
    return isinstance(given, Mapping) or name.split(":")[1].isidentifier()
