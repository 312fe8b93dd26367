"""What the tests of the machinery run through: environments of every kind, under every control.

What every single environment promises is the conformance suite's: `test_problems.py` runs it on all
that are registered.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from ombo_gym.spec import CONTROLS, Repeats
from ombo_gym.testing import assert_same

__all__ = ["assert_same"]

# One of every kind: boxes, sequences, coins, a pool that is measured once, a grid with holes.
KINDS = ("GP", "TFBinding", "Bandit", "Landscapes", "Reaction")
IDS = [f"Ombo/{name}-v0" for name in KINDS]
CASES = [(env_id, control) for env_id in IDS for control in CONTROLS]

# Where the default start is an offline slice of thousands.
SMALL_STARTS = {"Ombo/TFBind8-v0": {"kind": "percentile", "percentile": 50, "size": 64}}
# Where there are few designs: arguments that make at least 200 of them.
WIDE = {"Ombo/Bandit-v0": {"arms": 200}, "Ombo/Landscapes-v0": {"K": 200}}
# Where a measurement is a success or a failure, and its probability the true value.
COINS = {"Ombo/Bandit-v0"}


def settings_of(env_id: str, **settings: Any) -> dict[str, Any]:
    """Settings with a start that is small for every id."""
    small = {"start": SMALL_STARTS[env_id]} if env_id in SMALL_STARTS else {}
    return {**small, **settings}


def make(env_id: str, **settings: Any) -> gym.Env:
    return gym.make(env_id, **settings_of(env_id, **settings))


def make_native(
    env_id: str, num_envs: int, mode: AutoresetMode, **settings: Any
) -> gym.vector.VectorEnv:
    return gym.make_vec(
        env_id,
        num_envs=num_envs,
        vectorization_mode="vector_entry_point",
        autoreset_mode=mode.value,
        **settings_of(env_id, **settings),
    )


def make_sync(env_id: str, num_envs: int, mode: AutoresetMode, **settings: Any) -> SyncVectorEnv:
    return SyncVectorEnv([lambda: make(env_id, **settings)] * num_envs, autoreset_mode=mode)


def proposals(env: gym.Env, rounds: int, seed: int) -> list[Any]:
    """Random batches of `control="designs"`, without a repeat where repeats are wasted."""
    played: Any = env.unwrapped
    env.action_space.seed(seed)
    if played.problem.repeats is not Repeats.NEVER_AGAIN:
        return [env.action_space.sample() for _ in range(rounds)]
    space, q = played.design_space, played.campaign_spec.batch_size
    codes = np.random.default_rng(seed).permutation(space.size)[: rounds * q]
    batches = space.decode(codes).reshape(rounds, q, *space.shape)
    return list(space.actions(batches))


def play(env: gym.Env, seed: int, campaigns: int = 2) -> list[Any]:
    """Plays seeded campaigns by random actions: what resets and steps returned."""
    env.action_space.seed(seed)
    results: list[Any] = []
    for number in range(campaigns):
        results.append(env.reset(seed=seed if number == 0 else None))
        while len(results[-1]) == 2 or not results[-1][2]:
            results.append(env.step(env.action_space.sample()))
    return results
