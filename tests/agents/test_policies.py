"""What every policy keeps to, on every environment it suits."""

from __future__ import annotations

import numpy as np
import pytest

import ombo_agents
from ombo_agents import Myopic, Policy
from tests.agents import cheap
from tests.agents.cheap import OFTEN, SLOW
from tests.agents.policy_cases import (
    CASES,
    EXACT,
    PLANS_AHEAD,
    ROWS,
    generators,
    make_env,
    one_row,
    situations,
)

pytestmark = pytest.mark.usefixtures("brief_fits")

FEW = ("Ombo/GP-v0", "Ombo/TFBinding-v0", "pool", "GP, noise, no start", "recipes, measured once")
ENVS = {case: make_env(case) for case in CASES}
PLAYERS = [
    (name, case)
    for i, case in enumerate(CASES)
    for j, name in enumerate(ombo_agents.names())
    # Of the other cases, each policy plays every third one.
    if (name not in SLOW if case in FEW else name in OFTEN and (name in EXACT or (i + j) % 3 == 0))
    and ombo_agents.supports(name, ENVS[case])
]
CLAIMED = ("Ombo/GP-v0", "Ombo/Bandit-v0", "Ombo/Landscapes-v0")


def in_turn(players):
    """Parameters of tests: of `FEW`, every policy has every second one, the others are slow."""
    quick = {(name, case) for j, name in enumerate(ombo_agents.names()) for case in FEW[j % 2 :: 2]}
    return [
        each
        if each in quick or each[1] not in FEW or each[0] in EXACT
        else pytest.param(*each, marks=pytest.mark.slow)
        for each in players
    ]


@pytest.mark.parametrize(("name", "case"), in_turn(PLAYERS))
def test_campaigns_that_stand_differently_are_answered_each_by_itself(name, case):
    """Early, late, over and anew beside each other: all that concerns rows and generators."""
    env, observations = situations(case)  # whose arrays are read-only
    policy, order = cheap.make(name, env), np.random.default_rng(0).permutation(ROWS)
    from_single = cheap.make(name, make_env(case))
    assert policy.horizon_aware == (name in PLANS_AHEAD)
    for index, observation in enumerate(observations):
        actions = policy.act(observation, generators())
        assert actions.dtype == env.action_space.dtype
        assert actions.shape == env.action_space.shape
        assert env.action_space.contains(actions)
        assert not any(np.shares_memory(actions, array) for array in observation.values())
        if index % 2:  # rows in another order, and a row alone, in turn
            turned = {key: array[order] for key, array in observation.items()}
            shuffled = from_single.act(turned, [generators()[i] for i in order])
            np.testing.assert_array_equal(shuffled, actions[order])
        else:
            row = (index + 1) % ROWS
            alone = from_single.act(one_row(observation, row), generators()[row : row + 1])
            np.testing.assert_array_equal(alone[0], actions[row])


@pytest.mark.parametrize(("name", "case"), [each for each in PLAYERS if each[1] in CLAIMED])
def test_who_plans_ahead_reads_the_rounds_left_and_nobody_else(name, case):
    """On other kinds of designs `check_policy` sees to those who do not."""
    env, observations = situations(case)
    policy, differ = cheap.make(name, env), False
    for observation in observations:
        last = observation["rounds_left"][:, 0] == 1
        over = observation["rounds_left"][:, 0] == 0
        actions, as_last = (
            each.act(observation, generators()) for each in (policy, Myopic(policy))
        )
        np.testing.assert_array_equal(as_last[last], actions[last])
        differ |= not np.array_equal(as_last[~over], actions[~over])
        if differ and policy.horizon_aware:
            return
    assert case != "Ombo/GP-v0" if policy.horizon_aware else not differ


@pytest.mark.parametrize(
    ("name", "case"), in_turn(each for each in PLAYERS if each[1] in FEW or each[0] in EXACT)
)
def test_one_generator_means_the_generators_that_it_spawns(name, case):
    env, (_, observation, *_) = situations(case)
    policy = cheap.make(name, env)
    spawned = np.random.default_rng(5).spawn(ROWS)
    actions, details = policy.explain(observation, np.random.default_rng(5))
    np.testing.assert_array_equal(policy.act(observation, spawned), actions)
    assert all(len(array) == ROWS for array in details.values())


@pytest.mark.parametrize(
    "name", [name for name in dict.fromkeys(player for player, _ in PLAYERS) if name not in SLOW]
)
def test_a_policy_made_from_a_single_env_plays_it_to_the_end(name):
    """In the first environment that it suits."""
    case = next(case for player, case in PLAYERS if player == name)
    env = make_env(case)
    policy = cheap.make(name, env)
    assert isinstance(policy, Policy)
    observation, _ = env.reset(seed=1)
    rngs, over, rounds = generators(1), False, 0
    while not over:
        batch = {key: array[None] for key, array in observation.items()}
        observation, _, over, _, _ = env.step(policy.act(batch, rngs)[0])
        rounds += 1
    assert rounds == 3


@pytest.mark.parametrize("name", sorted(SLOW))
def test_slow_policies_say_whether_they_read_the_rounds_left(name):
    policy = ombo_agents.make(name, make_env("Ombo/GP-v0"))
    assert policy.horizon_aware == (name in PLANS_AHEAD)


class Spy(Policy):
    horizon_aware = True

    def act(self, observation, rng):
        self.saw, self.rng = observation, rng
        return np.zeros(len(observation["rounds_left"]))


def test_myopic_sets_rounds_left_to_one_and_drops_the_plates_behind_the_next_and_nothing_else():
    _, observations = situations("Ombo/GP-v0")
    spy, rng = Spy(), generators()
    myopic = Myopic(spy)
    assert myopic.horizon_aware is False
    for call in (myopic.act, myopic.explain):
        call(observations[2], rng)
        assert spy.rng is rng
        assert spy.saw.keys() == observations[2].keys()
        for key, array in spy.saw.items():
            expected = np.ones((ROWS, 1)) if key == "rounds_left" else observations[2][key]
            if key == "plates":
                expected = np.where(np.arange(expected.shape[1]) == 0, expected, 0)
            assert array.dtype == observations[2][key].dtype
            np.testing.assert_array_equal(array, expected)
    assert (observations[2]["rounds_left"] != 1).any()
    assert observations[2]["plates"][:, 1:].any()


@pytest.mark.parametrize("name", ["random", "greedy"])
def test_the_observation_of_a_single_campaign_is_refused_with_what_to_do(name):
    env = make_env("Ombo/GP-v0")
    observation, _ = env.reset(seed=0)
    with pytest.raises(ValueError, match=r"leading B.*single.*array\[None\].*action \[0\]"):
        ombo_agents.make(name, env).act(observation, generators(1))
