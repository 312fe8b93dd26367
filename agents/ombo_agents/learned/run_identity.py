"""What a training run is about: by this it may be resumed, or not."""

from __future__ import annotations

import importlib.metadata
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_VERSIONS = ("ombo-gym", "torch", "stable-baselines3", "gymnasium", "numpy")
_LONGEST = 60  # letters of a value in a message


def check_same_run(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuses to go on with a run that is about something else.

    Args:
        folder: Of the run.
        before: What the run is about, JSON-able.
        now: What is asked for; what its key "steps" says is not compared.

    Raises:
        ValueError: They differ; names what does, and how.
    """
    flat_before, flat_now = _flat(before), _flat(now)
    differences = [
        f"{name} was {_short(flat_before, name)}, now {_short(flat_now, name)}"
        for name in {**flat_before, **flat_now}
        if name != "settings.steps" and flat_before.get(name) != flat_now.get(name)
    ]
    if differences:
        raise ValueError(
            f"--resume: {folder} goes on as it was begun, but {'; '.join(differences)}. Only more "
            "steps may be asked for; give the run's own arguments, or another --out"
        )


def versions() -> dict[str, str]:
    """Of the packages on which every bit of a run depends."""
    found = {}
    for name in _VERSIONS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:  # run from a clone
            found[name] = "unknown"
    return found


def warn_of_other_versions(folder: Path, before: Any, now: Mapping[str, str]) -> None:
    """Says that a resumed run need not be, to the bit, the one that was not interrupted.

    Args:
        folder: Of the run.
        before: The `versions` that it was begun with, or whatever is kept in their place.
        now: Those of today.
    """
    known = before if isinstance(before, dict) else {}
    changed = [
        f"{name} {known.get(name)}, now {version}"
        for name, version in now.items()
        if known.get(name) != version
    ]
    if changed:
        warnings.warn(
            f"--resume: {folder} was begun with other versions ({'; '.join(changed)}): what "
            "follows need not be, to the bit, what an uninterrupted run would have been",
            stacklevel=3,
        )


def _flat(run: Mapping[str, Any]) -> dict[str, str]:
    """Every setting by name, as JSON."""
    flat: dict[str, str] = {}
    for key, value in run.items():
        if isinstance(value, Mapping):
            flat |= {
                f"{key}.{name}": json.dumps(each, sort_keys=True) for name, each in value.items()
            }
        else:
            flat[key] = json.dumps(value, sort_keys=True)
    return flat


def _short(flat: Mapping[str, str], name: str) -> str:
    text = flat.get(name, "not given")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
