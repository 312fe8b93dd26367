"""Values that a flag cannot take: `--plates 24 24` and `--target yield HPLC`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any


def stray_values(arguments: Any, flags: Sequence[str]) -> list[str]:
    """What to write in place of flags that take one value and were given several.

    Args:
        arguments: The dataclass of a command's arguments.
        flags: The command line.
    """
    single = {
        "--" + field.name.replace("_", "-")
        for field in fields(arguments)
        if not any(word in str(field.type) for word in ("tuple", "list", "bool", "Positional"))
    }
    positional = any("Positional" in str(field.type) for field in fields(arguments))
    if positional and flags[:1] and flags[0].startswith("--"):  # it may stand behind any value
        return []
    found = []
    for i, flag in enumerate(flags):
        values: list[str] = []
        for value in flags[i + 1 :]:
            if value.startswith("--"):
                break
            values.append(value)
        if flag in single and len(values) > 1:
            numbers = all(value.strip(",").replace(",", "").isdecimal() for value in values)
            together = ",".join(value.strip(",") for value in values)
            found.append(f"{flag} {together}" if numbers else f'{flag} "{" ".join(values)}"')
    return found
