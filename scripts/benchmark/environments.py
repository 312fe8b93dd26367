"""Environments: native against gymnasium's SyncVectorEnv, and what a step is made of."""

from __future__ import annotations

from collections.abc import Sequence
from time import process_time
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from numpy.typing import NDArray

from ombo_gym.campaign import Campaigns
from scripts.benchmark.arguments import ENV, ROUNDS, Args
from scripts.benchmark.rows import Row, Stopwatch


def native_against_sync(args: Args) -> list[Row]:
    """Whole campaigns, the step that resets included, with the same actions in both."""
    rows = args.num_envs
    native, actions = native_env(rows), random_actions(args.seed, rows)
    sync: Any = SyncVectorEnv([lambda: gym.make(ENV, **ROUNDS) for _ in range(rows)])
    returns = {}
    for name, env in (("native", native), ("sync", sync)):
        env.reset(seed=args.seed)
        returns[name] = sum(env.step(each)[1] for each in actions)  # the warm-up
    if not np.array_equal(returns["native"], returns["sync"]):
        raise RuntimeError(
            "the native environment and SyncVectorEnv did not play the same campaigns"
        )
    seconds: dict[str, list[float]] = {"native": [], "sync": []}
    for _ in range(args.repetitions):
        seconds["native"] += [campaign_seconds(native, actions) for _ in range(3)]
        seconds["sync"].append(campaign_seconds(sync, actions))
    native.close()
    sync.close()
    per_step = {name: float(np.median(each)) / len(actions) for name, each in seconds.items()}
    return [
        Row(f"SyncVectorEnv, a step of {rows:,} campaigns", 1e3 * per_step["sync"], "ms"),
        Row(f"native vector env, a step of {rows:,} campaigns", 1e3 * per_step["native"], "ms"),
        Row(
            "native vector env is faster than SyncVectorEnv",
            per_step["sync"] / per_step["native"],
            "times",
            target=10,
            aim=20,
        ),
    ]


def single_step(args: Args) -> list[Row]:
    """Steps of the single environment, with and without what the objective takes."""
    env: Any = gym.make(ENV, **ROUNDS)
    objective = Stopwatch().around(env.unwrapped.problem, "true_values")
    actions = random_actions(args.seed, 1)[:-1, 0]
    whole, beyond = [], []
    for i in range(args.single_campaigns):
        env.reset(seed=args.seed + i)
        objective.lap()
        seconds = campaign_seconds(env, actions)
        whole.append(seconds / len(actions))
        beyond.append((seconds - objective.lap()) / len(actions))
    env.close()
    return [
        Row("single env, a step", 1e6 * float(np.median(whole)), "us"),
        Row(
            "single env, a step beyond its objective",
            1e6 * float(np.median(beyond)),
            "us",
            target=150,
            sense="<=",
        ),
    ]


def native_step_apart(args: Args) -> list[Row]:
    """What a native step spends on the objective, on redraws and on the rest.

    Means over the N + 1 steps of a campaign, of which the last redraws all instances and starts;
    the values of the starts count as objective.
    """
    env, actions = native_env(args.num_envs), random_actions(args.seed, args.num_envs)
    campaigns: Campaigns = env.unwrapped.campaigns
    objective = Stopwatch().around(campaigns.problem, "true_values")
    redraws = Stopwatch().around(campaigns.problem, "draw").around(campaigns._start, "draw")
    env.reset(seed=args.seed)
    campaign_seconds(env, actions)  # the warm-up
    laps = []
    for _ in range(3 * args.repetitions):
        objective.lap(), redraws.lap()
        playing = campaign_seconds(env, actions[:-1])
        resetting = campaign_seconds(env, actions[-1:])
        apart = objective.lap(), redraws.lap()
        laps.append((*apart, playing + resetting - sum(apart)))
    env.close()
    shares = 1e3 * np.median(laps, axis=0) / len(actions)
    return [
        Row("native step: objective", float(shares[0]), "ms"),
        Row("native step: redraws (instances and starts)", float(shares[1]), "ms"),
        Row("native step: the rest", float(shares[2]), "ms", target=8, sense="<="),
    ]


def native_env(rows: int) -> Any:
    """The native vector environment that is measured."""
    return gym.make_vec(
        ENV,
        num_envs=rows,
        vectorization_mode="vector_entry_point",
        autoreset_mode=AutoresetMode.NEXT_STEP.value,
        **ROUNDS,
    )


def random_actions(seed: int, rows: int) -> NDArray[np.float32]:
    """Batches for N rounds and the step that resets, (N + 1, B, q, d)."""
    shape = (ROUNDS["horizon"] + 1, rows, ROUNDS["batch_size"], 2)
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def campaign_seconds(env: Any, actions: Sequence[Any] | NDArray[Any]) -> float:
    """CPU seconds that the steps with these actions take."""
    begun = process_time()
    for each in actions:
        env.step(each)
    return process_time() - begun
