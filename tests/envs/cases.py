"""What the tests run through: every registered environment under every control.

A new id is tested by being registered.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import ombo_gym
from ombo_gym.game import CONTROLS

IDS = ombo_gym.env_ids()
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
    env_id: str, rows: int, mode: AutoresetMode, **settings: Any
) -> gym.vector.VectorEnv:
    return gym.make_vec(
        env_id,
        num_envs=rows,
        vectorization_mode="vector_entry_point",
        autoreset_mode=mode.value,
        **settings_of(env_id, **settings),
    )


def make_sync(env_id: str, rows: int, mode: AutoresetMode, **settings: Any) -> SyncVectorEnv:
    return SyncVectorEnv([lambda: make(env_id, **settings)] * rows, autoreset_mode=mode)


def proposals(env: gym.Env, rounds: int, seed: int) -> list[Any]:
    """Random batches of `control="designs"`, without a repeat where repeats are wasted."""
    game: Any = env.unwrapped.game  # type: ignore[attr-defined]
    env.action_space.seed(seed)
    if game.problem.repeats:
        return [env.action_space.sample() for _ in range(rounds)]
    space, q = game.design_space, game.batch_size
    codes = np.random.default_rng(seed).permutation(space.size)[: rounds * q]
    batches = space.decode(codes).reshape(rounds, q, *space.shape)
    return list(space.actions(batches))


def assert_same(a: Any, b: Any, where: str = "") -> None:
    """The same to the bit: types, keys, dtypes, shapes and values, however nested."""
    assert type(a) is type(b), f"{where}: {type(a)} and {type(b)}"
    if isinstance(a, dict):
        assert set(a) == set(b), f"{where}: keys {sorted(a)} and {sorted(b)}"
        for key in a:
            assert_same(a[key], b[key], f"{where}[{key!r}]")
    elif isinstance(a, tuple | list):
        assert len(a) == len(b), f"{where}: lengths {len(a)} and {len(b)}"
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_same(x, y, f"{where}[{i}]")
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype, f"{where}: {a.dtype} and {b.dtype}"
        assert a.shape == b.shape, f"{where}: {a.shape} and {b.shape}"
        if a.dtype == object:
            assert_same(a.tolist(), b.tolist(), where)
        else:
            np.testing.assert_array_equal(a, b, err_msg=where)
    else:
        assert a == b, f"{where}: {a!r} and {b!r}"
