"""Upper confidence bounds whose designs climb, against all candidates."""

from __future__ import annotations

import numpy as np
import pytest

import ombo_agents
from ombo_gym.surrogates.surrogate import JITTER
from ombo_gym.vector_env import CampaignVectorEnv
from tests.surrogates.test_posterior import textbook_posterior

ROWS = 6


@pytest.mark.parametrize("name", ["ucb", "explore_then_exploit"])
def test_designs_that_climb_have_a_higher_bound_than_all_candidates(name):
    env = CampaignVectorEnv(ROWS, "GP", batch_size=1, horizon=2)
    observation, _ = env.reset(seed=0)
    rng = [np.random.default_rng(i) for i in range(ROWS)]
    policies = [ombo_agents.make(name, env, climb=climb) for climb in (True, False)]
    actions = [policy.act(observation, rng) for policy in policies]
    weights = [policy.explain(observation, rng)[1]["exploration_weights"] for policy in policies]
    np.testing.assert_allclose(*weights, rtol=1e-6)
    grid = np.random.default_rng(0).uniform(-1, 1, (2000, 2))
    for row in range(ROWS):
        x = observation["designs"][row, :4].astype(float)
        y = observation["measurements"][row, :4]
        points = np.vstack([actions[0][row], actions[1][row], grid])
        mean, covariance = textbook_posterior("matern52", x, y, points, 0.3, JITTER)
        bound = mean + weights[0][row, 0] * np.sqrt(np.diag(covariance).clip(0))
        assert bound[0] >= bound[1:].max() - 1e-6


def test_through_the_exploration_control_nothing_climbs():
    env = CampaignVectorEnv(2, "GP", control="exploration")
    seen, _ = env.reset(seed=0)
    actions = ombo_agents.make("ucb", env).act(seen, np.random.default_rng(0))
    assert env.action_space.contains(actions)
