"""Named protocols: which tasks are for training, for validation and for the test, frozen.

A protocol is a file of `ombo_gym/tasks/data`. It lists the problems of each split; each is
played from every start that the file, or the problem, names, and what the file says of horizons,
batch sizes and utilities holds for all. Files do not change: what is to be different is a new
version.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from ombo_gym.arguments import shown

FOLDER = Path(__file__).parent / "data"
SPLITS = ("train", "validation", "test")
_OF_ALL = ("horizon", "batch_size", "utilities", "starts")


def protocol_names() -> list[str]:
    """The protocols there are."""
    return sorted(file.stem for file in FOLDER.glob("*.json"))


@cache
def protocol(name: str) -> dict[str, Any]:
    """What stands in a protocol's file; not to be changed.

    Raises:
        ValueError: There is no such protocol; lists those there are.
    """
    if name not in protocol_names():
        raise ValueError(f"tasks: expected a protocol among {protocol_names()}, got {shown(name)}")
    read: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return read


def named_tasks(name: str) -> list[dict[str, Any]]:
    """The tasks of a protocol's split, as dicts.

    Args:
        name: Protocol and split, such as "ML-families-v0:train".

    Raises:
        ValueError: There is no such protocol, or split; lists those there are.
    """
    title, _, split = name.partition(":")
    contents = protocol(title)
    if split not in contents["splits"]:
        expected = [f"{title}:{each}" for each in contents["splits"]]
        raise ValueError(f"tasks: expected one of {expected}, got {shown(name)}")
    return [task for entry in contents["splits"][split] for task in _tasks(contents, entry)]


def split_name(name: str, split: str) -> str:
    """The name of another split of the same protocol, which it has.

    Raises:
        ValueError: It has none of this name.
    """
    title = name.partition(":")[0]
    splits = list(protocol(title)["splits"])
    if split not in splits:
        raise ValueError(f"split: {title} has {splits}, got {shown(split)}")
    return f"{title}:{split}"


def _tasks(contents: dict[str, Any], entry: dict[str, Any]) -> list[dict[str, Any]]:
    """A problem's tasks: one for each start, which share its weight."""
    settings = {**{name: contents[name] for name in _OF_ALL}, **entry}
    starts, weight = settings.pop("starts"), settings.pop("weight", 1.0)
    return [{**settings, "start": start, "weight": weight / len(starts)} for start in starts]
