"""Functions that campaigns are made of, and how these are played."""

from __future__ import annotations

from typing import Any

import numpy as np

import ombo_agents


def valley(x: np.ndarray) -> float:
    return -float(((x - [2, 30]) ** 2).sum())


def total(x: Any) -> float:
    return float(np.sum(x))


class Spy:
    """Counts calls and keeps what came."""

    def __init__(self, objective: Any = valley) -> None:
        self.objective = objective
        self.seen: list[Any] = []

    def __call__(self, x: Any) -> Any:
        self.seen.append(x)
        return self.objective(x)


def play(env: Any, policy: str = "random", seed: int = 0) -> dict[str, Any]:
    """A campaign; returns its last info."""
    player = ombo_agents.make(policy, env)
    observation, _ = env.reset(seed=seed)
    over, rng, info = False, np.random.default_rng(0), {}
    while not over:
        batched = {name: array[None] for name, array in observation.items()}
        observation, _, over, _, info = env.step(player.act(batched, rng)[0])
    return info


BOX = [(0, 4), (20, 60)]
