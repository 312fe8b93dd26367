"""Offline model-based methods: one attempt from a dataset, applied again every round."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

from ombo_agents.policy import Policy
from ombo_gym.game import Game

_CLASSES = {
    "gradient_ascent": "GradientAscent",
    "ensemble_greedy": "EnsembleGreedy",
    "coms": "Coms",
    "cbas": "Cbas",
    "reinforce": "Reinforce",
    "mins": "Mins",
    "bo_qei": "BoQei",
}


def method(module: str) -> Callable[..., Policy]:
    """What builds the method of a module."""
    return partial(build, module)


def build(module: str, game: Game, **settings: Any) -> Policy:
    """Builds a method; torch is imported with it and not before.

    Raises:
        ImportError: torch is not installed; names the extra.
    """
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f'policy {module!r} needs torch: pip install "ombo-gym[agents]"'
        ) from error
    found = importlib.import_module(f"ombo_agents.offline.{module}")
    policy: Policy = getattr(found, _CLASSES[module])(game, **settings)
    return policy
