"""Policies on arrays of the shapes of Design-Bench's tasks, and on pools of categories."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from numpy.typing import NDArray

import ombo_agents

SLOW_ON_POOLS = ("ensemble_greedy", "cbas", "bo_qei", "botorch_logei", "cmaes", "reinforce")


@dataclass(frozen=True)
class Task:
    """Of Design-Bench: what its files hold.

    Attributes:
        rows: n.
        columns: d numbers or L categories.
        categories: Of a position; None: x holds numbers.
        percentile: Of the rows, that are visible.
    """

    rows: int
    columns: int
    categories: int | None
    percentile: float


TASKS = {
    "GFP": Task(5_000, 237, 20, 60),
    "UTR": Task(280_000, 50, 4, 50),
    "ChEMBL": Task(1_093, 31, 591, 40),
    "TFBind10": Task(100_000, 10, 4, 50),
    "CIFARNAS": Task(1_771, 64, 5, 50),
    "Superconductor": Task(21_263, 86, None, 80),
    "Hopper": Task(3_200, 5_126, None, 100),
    "Ant": Task(25_009, 60, None, 40),
    "DKitty": Task(25_009, 56, None, 40),
}


def arrays(task: Task, rows: int) -> tuple[NDArray[Any], NDArray[np.float32]]:
    """Designs (rows, columns) as such files hold them, and values (rows, 1) that depend on them."""
    rng = np.random.default_rng(0)
    shape = (rows, task.columns)
    if task.categories is None:
        x: NDArray[Any] = rng.normal(size=shape).astype(np.float32)
        hill = -(x[:, :3] ** 2).sum(axis=1)
    else:
        x = rng.integers(task.categories, size=shape, dtype=np.int32)
        hill = (x[:, :5] == 1).sum(axis=1)
    return x, (hill + 0.1 * rng.normal(size=rows)).astype(np.float32)[:, None]


def play(folder: Path, task: Task, rows: int, policies: tuple[str, ...], shards: int = 1) -> None:
    """One batch of each policy, from files."""
    x, y = arrays(task, rows)
    paths: dict[str, list[str]] = {"x": [], "y": []}
    parts = zip(np.array_split(x, shards), np.array_split(y, shards), strict=True)
    for number, pair in enumerate(parts):
        for name, part in zip("xy", pair, strict=True):
            np.save(folder / f"{name}-{number}.npy", part)
            paths[name].append(str(folder / f"{name}-{number}.npy"))
    start = {"kind": "percentile", "percentile": task.percentile}
    for policy in policies:
        size = {} if policy == "random" else {"size": 24}  # the rest is time only
        arguments: dict[str, Any] = {**paths, "start": {**start, **size}}
        env = gym.make("Ombo/Table-v0", horizon=1, **arguments)
        observation, _ = env.reset(seed=0)
        shown = observation["measurements"][observation["observed"] == 1]
        values = env.unwrapped.problem.measurements.values  # type: ignore[attr-defined]
        low = values <= np.percentile(values, task.percentile)
        assert len(shown) == (low.sum() if policy == "random" else 24)
        if values.size == rows:  # no design was measured twice
            assert shown.max() <= np.percentile(y, task.percentile) + 1e-6
        batch = {name: array[None] for name, array in observation.items()}
        action = ombo_agents.make(policy, env).act(batch, np.random.default_rng(0))
        _, _, terminated, _, info = env.step(action[0])
        assert terminated and np.isfinite(info["true_values"]).all()


@pytest.mark.parametrize("name", TASKS)
def test_arrays_of_the_shape_of_a_task_are_played(name: str, tmp_path: Path) -> None:
    rows = 100 if name == "Hopper" else 400
    play(tmp_path, TASKS[name], rows, ("random", "ucb", "genetic"), shards=3)


@pytest.mark.slow
@pytest.mark.parametrize("name", TASKS)
def test_arrays_of_the_size_of_a_task_are_played(name: str, tmp_path: Path) -> None:
    play(tmp_path, TASKS[name], TASKS[name].rows, ("random", "ucb"), shards=5)


@pytest.mark.slow
def test_all_of_gfp_is_played(tmp_path: Path) -> None:
    play(tmp_path, TASKS["GFP"], 56_086, ("random", "ucb"), shards=12)


def pool_env(whole: bool) -> gym.Env[Any, Any]:
    """Of 1,500 rows, more than are looked at whole."""
    rng = np.random.default_rng(0)
    x = rng.integers(4, size=(1500, 6))
    y = (x == 1).sum(axis=1) + rng.normal(size=1500)
    start = {"kind": "percentile", "percentile": 50, "size": 30}
    given = x if whole else x + rng.normal(size=x.shape)
    return gym.make("Ombo/Table-v0", x=given, y=y, start=start, horizon=1, batch_size=3)


ON_POOLS = [name for name in ombo_agents.names() if ombo_agents.supports(name, pool_env(True))]


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(name, marks=pytest.mark.slow) if name in SLOW_ON_POOLS else name
        for name in ON_POOLS
    ],
)
@pytest.mark.parametrize("whole", [True, False], ids=["categories", "numbers"])
def test_policies_for_pools_play_arrays(policy: str, whole: bool) -> None:
    env = pool_env(whole)
    observation, _ = env.reset(seed=0)
    batch = {name: array[None] for name, array in observation.items()}
    action = ombo_agents.make(policy, env).act(batch, np.random.default_rng(0))[0]
    assert len(set(action.tolist())) == 3 and env.step(action)[4]["wasted"] == 0


def test_policies_that_need_nothing_but_a_pool_are_for_arrays() -> None:
    assert {"random", "genetic", "ucb", "gradient_ascent", "local_search"} <= set(ON_POOLS)
