"""The learnt part of the meta-policy: what it changes of the rule that it begins as."""

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

from ombo_agents.learned.meta.context import CONTEXT
from ombo_gym.files import write_atomically

Floats = NDArray[np.float64]

AGENT, FORMAT = "meta", 1
TENSORS, CONFIG = "policy.safetensors", "config.json"
OUTPUTS = ("first_weight", "last_weight", "designed_share")
LARGEST_CHANGE = 3.0  # of an exploration weight
_LARGEST_FILE = 2**21  # bytes


class Changes(NamedTuple):
    """What the rule changes, of R campaigns.

    Attributes:
        first_weight, last_weight: (R,) added to the exploration weight of a plate's first and last
            slot, from -3 to 3.
        designed_share: (R,) added to the share of a plate that is designed without a look at
            values, where the rule begins with such a plate.
    """

    first_weight: Floats
    last_weight: Floats
    designed_share: Floats


@dataclass(frozen=True)
class Rule:
    """A linear function of a campaign's context, bounded.

    Attributes:
        weights: (len(OUTPUTS), len(CONTEXT)); all zeros change nothing.
        config: What it was trained on, JSON-able.

    Raises:
        ValueError: Weights of another shape, or not finite.
    """

    weights: Floats = field(default_factory=lambda: np.zeros((len(OUTPUTS), len(CONTEXT))))
    config: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        weights = np.asarray(self.weights, np.float64)
        if weights.shape != (len(OUTPUTS), len(CONTEXT)) or not np.isfinite(weights).all():
            raise ValueError(
                f"weights: expected finite numbers of shape {(len(OUTPUTS), len(CONTEXT))}, got "
                f"{np.array2string(weights, threshold=6)} of shape {weights.shape}"
            )
        object.__setattr__(self, "weights", weights)

    def changes(self, context: Floats) -> Changes:
        """What it changes of R campaigns, by their context (R, len(CONTEXT))."""
        raw = (context[:, None] * self.weights).sum(axis=2)  # (R, 3), a row by itself
        bounded = LARGEST_CHANGE * np.tanh(raw[:, :2] / LARGEST_CHANGE)
        return Changes(bounded[:, 0], bounded[:, 1], raw[:, 2])


def write_rule(folder: Path, rule: Rule) -> None:
    """Writes a rule, the configuration last, which readers look for first.

    Raises:
        OSError: The disk is full, or the folder cannot be written to.
    """
    config = {
        **rule.config,
        "agent": AGENT,
        "format": FORMAT,
        "context": CONTEXT,
        "outputs": OUTPUTS,
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / TENSORS, safetensors.numpy.save({"weights": rule.weights}))
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
    made_for = (config.get("agent"), config.get("format"), config.get("context"))
    if made_for != (AGENT, FORMAT, list(CONTEXT)) or "weights" not in tensors:
        raise ValueError(
            f"{folder}: expected a meta-policy of format {FORMAT} that reads {list(CONTEXT)}, got "
            f"{made_for}; train it again"
        )
    return Rule(tensors["weights"], config)
