"""Every policy that suits an environment plays it: the registered ones, all of them."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

import ombo_agents
import ombo_gym
from tests.agents.cheap import SLOW, make
from tests.envs.cases import SMALL_STARTS

ELSEWHERE = {"one_step", "rolling_2", "bayes_optimal", *SLOW}  # tests/planners, test_offline.py


@pytest.mark.parametrize("env_id", ombo_gym.env_ids())
def test_every_policy_plays_every_problem_that_it_suits(env_id: str) -> None:
    start = {"start": SMALL_STARTS[env_id]} if env_id in SMALL_STARTS else {}
    envs = gym.make_vec(
        env_id, num_envs=2, batch_size=2, horizon=2, autoreset_mode="Disabled", **start
    )
    played = 0
    for name in ombo_agents.names():
        if name in ELSEWHERE or not ombo_agents.supports(name, envs):
            continue
        policy = make(name, envs)
        observation, _ = envs.reset(seed=3)
        rng = [np.random.default_rng(row) for row in range(2)]
        for _ in range(2):
            actions = policy.act(observation, rng)
            assert actions in envs.action_space, name
            observation, _, terminated, _, infos = envs.step(actions)
        assert terminated.all() and np.isfinite(infos["utility"]).all(), name
        played += 1
    assert played >= 7
