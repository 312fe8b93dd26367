"""The learnt part of the meta-policy: a table of what it changes of the rule that it begins as."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from ombo_agents.learned.meta.context import KINDS
from ombo_gym.files import write_atomically

Floats = NDArray[np.float64]

AGENT, FORMAT = "meta", 1
TENSORS, CONFIG = "policy.safetensors", "config.json"
CHANGES = (
    "earlier_first",  # added to the exploration weight of a plate's first slot
    "earlier_last",  # of its last slot, both while there are rounds to come
    "final_first",  # the same in the last round
    "final_last",
    "by_quality",  # added to all weights, times how good the model is
    "designed_share",  # added to the share of a first plate that is designed, which is 1
)
SHAPE = (len(KINDS), len(CHANGES))
LARGEST = 3.0  # of a change, in absolute value
_LARGEST_FILE = 2**21  # bytes


class Changed(NamedTuple):
    """What a rule changes, of R campaigns.

    Attributes:
        first_weight, last_weight: (R,) added to the exploration weights of a plate's first and
            last slot.
        designed_share: Added to the share of a first plate that is designed.
    """

    first_weight: Floats
    last_weight: Floats
    designed_share: float


@dataclass(frozen=True)
class Rule:
    """A row for each kind of campaign, a column for each change.

    Attributes:
        table: (len(KINDS), len(CHANGES)), from -3 to 3; all zeros change nothing.
        config: What it was trained on, JSON-able.

    Raises:
        ValueError: A table of another shape, or numbers that are not finite or too large.
    """

    table: Floats = field(default_factory=lambda: np.zeros(SHAPE))
    config: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        table = np.asarray(self.table, np.float64)
        if table.shape != SHAPE or not (np.abs(table) <= LARGEST).all():  # false for NaN
            raise ValueError(
                f"table: expected numbers from -{LARGEST:g} to {LARGEST:g} of shape {SHAPE}, got "
                f"{np.array2string(table, threshold=6)} of shape {table.shape}"
            )
        object.__setattr__(self, "table", table)

    def changed(self, kind: int, is_last: NDArray[np.bool_], quality: Floats) -> Changed:
        """What it changes of R campaigns of one kind.

        Args:
            kind: Which of `KINDS`.
            is_last: (R,) whether this is the last round.
            quality: (R,) of the surrogate, see `ombo_agents.learned.meta.context.quality`.
        """
        row = dict(zip(CHANGES, self.table[kind].tolist(), strict=True))
        more = row["by_quality"] * quality
        return Changed(
            np.where(is_last, row["final_first"], row["earlier_first"]) + more,
            np.where(is_last, row["final_last"], row["earlier_last"]) + more,
            row["designed_share"],
        )

    def plans_ahead(self, kind: int) -> bool:
        """Whether what it changes of a kind of campaign depends on how many rounds are left."""
        earlier, final = self.table[kind, :2], self.table[kind, 2:4]
        return not np.array_equal(earlier, final)

    def moved(self, kind: int, changes: Mapping[str, float]) -> Rule:
        """The same with some entries of a kind's row moved, up to `LARGEST`."""
        table = self.table.copy()
        for name, step in changes.items():
            column = CHANGES.index(name)
            table[kind, column] = np.clip(table[kind, column] + step, -LARGEST, LARGEST)
        return Rule(table, self.config)


def write_rule(folder: Path, rule: Rule) -> None:
    """Writes a rule, the configuration last, which readers look for first.

    Raises:
        OSError: The disk is full, or the folder cannot be written to.
    """
    config = {
        **rule.config,
        "agent": AGENT,
        "format": FORMAT,
        "kinds": KINDS,
        "changes": CHANGES,
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / TENSORS, safetensors.numpy.save({"table": rule.table}))
    write_atomically(folder / CONFIG, json.dumps(config, indent=2) + "\n")


def read_rule(folder: Path) -> Rule:
    """Reads what `write_rule` wrote; nothing of it is executed.

    Raises:
        ValueError: The folder holds none, or one of another version.
    """
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        if (size := (folder / TENSORS).stat().st_size) > _LARGEST_FILE:
            raise ValueError(f"{TENSORS} of {size:,} bytes")
        tensors = safetensors.numpy.load((folder / TENSORS).read_bytes())
    except (OSError, ValueError, RecursionError, SafetensorError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{folder}: expected a readable meta-policy, got {reason}") from error
    found = config if isinstance(config, dict) else {}
    made_for = [found.get(name) for name in ("agent", "format", "kinds", "changes")]
    if made_for != [AGENT, FORMAT, list(KINDS), list(CHANGES)] or "table" not in tensors:
        raise ValueError(
            f"{folder}: expected a meta-policy of format {FORMAT} for the kinds {list(KINDS)}, got "
            f"{made_for}; train it again"
        )
    try:
        return Rule(tensors["table"], found)
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{folder}/{TENSORS}: {reason}; train it again") from None
