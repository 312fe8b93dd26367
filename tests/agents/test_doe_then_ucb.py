"""Whether the first batch is designed hangs on how the start was chosen, and on nothing else."""

from __future__ import annotations

import numpy as np
import pytest

import ombo_agents
from ombo_gym.vector_env import CampaignVectorEnv

LOWER = {"kind": "percentile", "percentile": 50, "size": 16}
CASES = {  # problem, its arguments, what designs the first batch
    "recipes": ("Reaction", {}, "d_optimal"),
    "pool": ("CrossedBarrel", {}, "d_optimal"),
    "box": ("GP", {"dim": 3, "surrogate": {"kernel": "fit"}}, "sobol"),
}


def generators(rows=3):
    return [np.random.default_rng([5, row]) for row in range(rows)]


def played(case, start, rounds=2):
    """Observations and batches of a campaign in three rows, and their environment."""
    problem, arguments, _ = CASES[case]
    arguments = {"horizon": rounds, "batch_size": 4, "start": start, **arguments}
    env = CampaignVectorEnv(3, problem, autoreset_mode="Disabled", **arguments)
    policy = ombo_agents.make("doe_then_ucb", env)
    observation, _ = env.reset(seed=2)
    found = []
    for _ in range(rounds):
        actions = policy.act(observation, generators())
        found.append((observation, actions))
        observation, *_ = env.step(actions)
    return env, found


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("start", [LOWER, {"kind": "none"}, {"kind": "random", "size": 2}], ids=str)
def test_the_first_batch_is_designed_where_the_start_says_little(case, start):
    env, ((first, designed), (second, bounds)) = played(case, start)
    expected = ombo_agents.make(CASES[case][2], env).act(first, generators())
    np.testing.assert_array_equal(designed, expected)
    np.testing.assert_array_equal(bounds, ombo_agents.make("ucb", env).act(second, generators()))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", ["random", "space_filling"])
def test_after_a_start_that_a_model_can_be_fitted_to_it_is_ucb(case, kind):
    env, rounds = played(case, {"kind": kind, "size": 16})
    ucb = ombo_agents.make("ucb", env)
    for observation, actions in rounds:
        np.testing.assert_array_equal(actions, ucb.act(observation, generators()))


def test_campaigns_in_their_first_round_and_later_ones_are_answered_side_by_side():
    env, ((first, designed), (second, bounds)) = played("pool", LOWER)
    policy = ombo_agents.make("doe_then_ucb", env)
    mixed = {key: np.concatenate([first[key][:1], second[key][1:]]) for key in first}
    actions = policy.act(mixed, generators())
    np.testing.assert_array_equal(actions, np.concatenate([designed[:1], bounds[1:]]))
