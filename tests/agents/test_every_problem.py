"""Policies play every environment that they suit: the registered ones, all of them."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

import ombo_agents
import ombo_gym
from tests.agents.cheap import OFTEN, SLOW, make
from tests.envs.cases import SMALL_STARTS

pytestmark = pytest.mark.usefixtures("brief_fits")

# Simulators on boxes that take tens of milliseconds a design.
SIMULATED = {f"Ombo/{name}-v0" for name in ("Gait", "Lander", "WindFarm")}
ELSEWHERE = {"one_step", "rolling_2", "bayes_optimal", *SLOW}  # tests/planners, test_offline.py


@pytest.mark.parametrize("env_id", ombo_gym.env_ids())
def test_policies_play_every_problem_that_they_suit(env_id: str) -> None:
    """Those that think long play every third, as all do of slow simulators.

    `test_every_policy.py` has every kind of space.
    """
    starts = SMALL_STARTS | {each: {"kind": "random", "size": 2} for each in SIMULATED}
    start = {"start": starts[env_id]} if env_id in starts else {}
    envs = gym.make_vec(
        env_id, num_envs=2, batch_size=2, horizon=2, autoreset_mode="Disabled", **start
    )
    played = 0
    turn = ombo_gym.env_ids().index(env_id)
    for i, name in enumerate(ombo_agents.names()):
        if name in ELSEWHERE or not ombo_agents.supports(name, envs):
            continue
        if (name not in OFTEN or env_id in SIMULATED) and (turn + i) % 3:
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
    assert played >= (5 if env_id in SIMULATED else 7)
