"""Environments that every policy is tested on, and campaigns in them that stand differently."""

from __future__ import annotations

import functools

import gymnasium as gym
import numpy as np

from ombo_gym.env import CampaignEnv
from ombo_gym.vector_env import CampaignVectorEnv
from tests.controls.small_problems import BoxOnce, Pool, PoolOnce, Recipes, RecipesOnce
from tests.envs.cases import IDS

ROWS = 5
SMALL = {"start": {"kind": "percentile", "size": 64}}
CASES = {
    **{name: (name, SMALL if "TF" in name else {}) for name in [*IDS, "Ombo/TFBind8-v0"]},
    "GP, 1-D": ("Ombo/GP-v0", {"dim": 1}),
    "GP, noisy": ("Ombo/GP-v0", {"noise_std": 0.1}),
    "GP, 6-D, fit": ("Ombo/GP-v0", {"dim": 6, "surrogate": {"kernel": "fit"}}),
    "GP, noise, no start": ("Ombo/GP-v0", {"noise_std": 0.3, "start": {"kind": "none"}}),
    "TFBind8, no start": ("Ombo/TFBind8-v0", {"start": {"kind": "none"}}),
    "GP, q = 1": ("Ombo/GP-v0", {"batch_size": 1}),
    "GP, q = 5": ("Ombo/GP-v0", {"batch_size": 5}),
    "TFBinding, q = 1": ("Ombo/TFBinding-v0", {**SMALL, "batch_size": 1}),
    "TFBinding, q = 5": ("Ombo/TFBinding-v0", {**SMALL, "batch_size": 5}),
    "pool": (Pool(), {}),
    "pool, no start": (Pool(), {"start": {"kind": "none"}}),
    "recipes, no start": (Recipes(), {"start": {"kind": "none"}, "batch_size": 6}),
    "bandit, noise, a start": (
        "Ombo/Bandit-v0",
        {"known": [0.5], "noise_std": 0.2, "start": {"kind": "random", "size": 2}},
    ),
    "tents, a start": (
        "Ombo/Landscapes-v0",
        {"name": "tent8", "start": {"kind": "random", "size": 2}, "batch_size": 2},
    ),
    "pool, measured once": (PoolOnce(), {"batch_size": 5}),
    "recipes, measured once": (RecipesOnce(), {"batch_size": 5}),
    "box, measured once": (BoxOnce(), {}),
}
PLANS_AHEAD = {
    *("explore_then_exploit", "rollout", "binoculars", "botorch_multistep"),
    *("rolling_2", "bayes_optimal"),
}
EXACT = {"one_step", "rolling_2", "bayes_optimal"}  # where the posterior is known exactly


def make_env(case, rows=None, *, cases=CASES, **arguments):
    """One campaign of a case or, with `rows`, so many."""
    problem, defaults = cases[case]
    arguments = {"horizon": 3, "batch_size": 3, **defaults, **arguments}
    if not isinstance(problem, str):
        if rows is None:
            return CampaignEnv(problem, **arguments)
        return CampaignVectorEnv(rows, problem, **arguments)
    if rows is None:
        return gym.make(problem, **arguments)
    return gym.make_vec(problem, rows, **arguments)


@functools.cache
def situations(case):
    """Observations of campaigns that stand differently: counts differ, some are over, some anew."""
    env = make_env(case, ROWS, horizon=[1, 4], autoreset_mode="NextStep")
    env.action_space.seed(0)
    observation, _ = env.reset(seed=0)
    observations = [observation]
    for _ in range(3):
        observations.append(env.step(env.action_space.sample())[0])
    left = [o["rounds_left"] for o in observations]
    assert any((each == 0).any() and (each > 1).any() for each in left)
    assert any(len(np.unique(o["observed"].sum(axis=1))) > 1 for o in observations)
    for each in observations:
        for array in each.values():
            array.setflags(write=False)
    return env, observations


def generators(rows=ROWS, seed=0):
    return [np.random.default_rng([seed, i]) for i in range(rows)]


def one_row(observation, row):
    return {key: array[row : row + 1] for key, array in observation.items()}
