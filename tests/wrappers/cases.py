"""What the tests of wrappers run through: a problem of every kind of design space."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

import ombo_gym
from ombo_gym.vector_env import CampaignVectorEnv

GRID = {"temperature": {"range": [20, 100], "step": 20}, "solvent": ["DMF", "THF", "water"]}
CHOICES = {"solvent": ["DMF", "THF", "water"], "ligand": ["XPhos", "SPhos"]}
MIXED = {"temperature": (20.0, 100.0), "solvent": ["DMF", "THF", "water"]}

# Name of a kind -> a registered problem, or the space of one's own.
KINDS: dict[str, Any] = {
    "box": "Ombo/GP-v0",
    "sequences": spaces.MultiDiscrete([4] * 5),
    "pool": "Ombo/Landscapes-v0",
    "arms": "Ombo/Bandit-v0",
    "table": "Ombo/Reaction-v0",
    "choices": CHOICES,
    "grid": GRID,
    "mixed": MIXED,
}


def worth(design: Any) -> float:
    """A value that depends on every parameter."""
    if not isinstance(design, dict):
        return float(np.arange(1, 6) @ design)
    return sum(
        float(len(value) if isinstance(value, str) else value / 100) for value in design.values()
    )


def make(kind: str, **settings: Any) -> gym.Env[Any, Any]:
    if isinstance(KINDS[kind], str):
        return gym.make(KINDS[kind], **settings)
    return ombo_gym.make_campaign(worth, KINDS[kind], **settings)


def make_native(kind: str, num_envs: int, mode: str, **settings: Any) -> CampaignVectorEnv:
    settings |= {"num_envs": num_envs, "autoreset_mode": mode}
    if isinstance(KINDS[kind], str):
        envs: Any = gym.make_vec(KINDS[kind], vectorization_mode="vector_entry_point", **settings)
        return envs
    return ombo_gym.make_campaign(worth, KINDS[kind], **settings)
