"""Names of methods: which policies are runs of one and the same training."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

_OF_ONE_RUN = ("seed", "seconds")  # in the configuration of a trained policy


def methods(policies: Iterable[str]) -> dict[str, str]:
    """Names of methods: runs that differ only in their training seed have one in common.

    Returns:
        The method of each policy: the policy itself, or for several runs the letters that their
        folders begin with and a star, as in `runs/gp-*`.
    """
    policies = list(policies)
    alike: dict[str, list[str]] = {}
    for policy in policies:
        alike.setdefault(_configuration(policy), []).append(policy)
    found = {policy: policy for policy in policies}
    for runs in alike.values():
        if len(runs) > 1:
            name = _common_letters(runs) + "*"
            taken = name in found.values()
            found |= dict.fromkeys(runs, " & ".join(runs) if taken else name)
    return found


def _common_letters(names: Sequence[str]) -> str:
    """What all names begin with."""
    shortest = min(names, key=len)
    different = (i for i, letter in enumerate(shortest) if any(n[i] != letter for n in names))
    return shortest[: next(different, len(shortest))]


def _configuration(policy: str) -> str:
    """What a run was trained for and how; of a policy that is code, its name."""
    file = Path(policy) / "config.json"
    try:
        config: Any = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
    except (OSError, ValueError, RecursionError):  # not one that training left
        return policy
    if not isinstance(config, dict) or "seed" not in config:
        return policy
    return json.dumps({k: v for k, v in config.items() if k not in _OF_ONE_RUN}, sort_keys=True)
