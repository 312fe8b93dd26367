"""The exact policies as they are played."""

from __future__ import annotations

import pickle
from fractions import Fraction
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import ombo_agents
from ombo_agents import Myopic
from ombo_agents.planners.dynamic_programming import exact_value, solve_campaign
from ombo_gym.spec import campaign_spec
from tests.planners.brute_cases import Surfaces
from tests.planners.players import (
    BANDIT,
    EXACT_POLICIES,
    LANDSCAPES,
    OWN,
    bandit,
    close,
    dataset,
    datasets,
    every_mixture,
    generators,
    landscapes,
    play,
    situations,
)

ROWS = 8

# --- in the environment --------------------------------------------------------------------------

PLAYED = [
    (BANDIT, "bayes_optimal", {"arms": 2, "horizon": 4, "batch_size": 2, "utility": "total"}),
    (BANDIT, "bayes_optimal", {"arms": 3, "horizon": 3, "utility": "recommendation"}),
    (
        BANDIT,
        "bayes_optimal:ties=uniform",
        {
            "arms": 2,
            "prior": [[1, 2], [0.5, 0.5]],
            "known": [0.5],
            "horizon": 3,
            "batch_size": 2,
            "utility": "last_mean",
        },
    ),
    (LANDSCAPES, "bayes_optimal", {"name": "tent8", "horizon": 2}),
    (LANDSCAPES, "bayes_optimal", {"name": "clique", "horizon": 3, "utility": "total"}),
    (LANDSCAPES, "bayes_optimal", {**OWN, "horizon": 3, "utility": "recommendation"}),
    (LANDSCAPES, "bayes_optimal", {"name": "tent8", "plates": [2, 1, 3], "utility": "auc"}),
    (BANDIT, "bayes_optimal:ties=uniform", {"arms": 2, "plates": [1, 4, 2], "utility": "total"}),
    (
        LANDSCAPES,
        "one_step:ties=uniform",
        {**OWN, "horizon": 2, "batch_size": 3, "utility": "total"},
    ),
]


@pytest.mark.parametrize("campaigns", [2_500, pytest.param(10_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("env_id", "policy", "arguments"), PLAYED)
def test_thousands_of_campaigns_are_worth_on_average_what_they_must_be(
    env_id, policy, arguments, campaigns
):
    one = {} if "plates" in arguments else {"batch_size": 1}
    arguments = {**one, "utility": "best", **arguments}
    env = gym.make(env_id, **arguments)
    expected = exact_value(env, ombo_agents.make(policy, env))
    mean, error = play(env_id, policy, campaigns, seed=7, **arguments)
    assert 0 < error < 0.02 * (10_000 / campaigns) ** 0.5
    assert abs(mean - expected) < 3 * error


def test_campaigns_that_begin_with_a_dataset_are_planned_from_it():
    # A random start is a first batch that was drawn by lot: by brute force, from all of them.
    matrix = [[0, 1, 2, 0], [1, 0, 0, 3], [2, 2, 1, 0], [0, 0, 1, 1]]
    rows = [[Fraction(value) for value in row] for row in matrix]
    case = Surfaces(1, "total", matrix=rows, weights=[Fraction(1)] * 4)
    expected = {}
    for lookahead in (1, 2):
        total = Fraction(0)
        for x in range(4):
            for y in range(4):
                for data in case.shown((), (x, y)) if x != y else ():
                    started = sum((value for _, value in data), Fraction(0))
                    worth = case.rolling(2, lookahead, "first", data)
                    total += worth - case.likelihood(data) * started
        expected[lookahead] = total / 12
    arguments = {
        "matrix": matrix,
        "horizon": 2,
        "batch_size": 1,
        "utility": "total",
        "start": {"kind": "random", "size": 2},
    }
    for name, lookahead in [("bayes_optimal", 2), ("one_step", 1)]:
        mean, error = play(LANDSCAPES, name, 6000, **arguments)
        assert abs(mean - float(expected[lookahead])) < 3 * error


def test_best_counts_from_the_best_of_the_start():
    # With nothing but zeros at hand a sure 1 and a gamble for 3 are both gains; with a 2 at hand
    # only the gamble is.
    matrix = [[0, 2, 1, 3], [0, 2, 1, 0], [0, 2, 1, 0], [0, 2, 1, 0]]
    settings = {"matrix": matrix, "horizon": 1, "batch_size": 1, "utility": "best"}
    env = gym.make(LANDSCAPES, start={"kind": "random", "size": 1}, **settings)
    policy = ombo_agents.make("bayes_optimal", env)
    env = gym.make_vec(LANDSCAPES, 200, start={"kind": "random", "size": 1}, **settings)
    observation, _ = env.reset(seed=0)
    actions = policy.act(observation, generators(200))
    seen = {
        (data[0][0], int(action[0]))
        for data, action in zip(datasets(observation), actions, strict=True)
        if data[0][0] in (0, 1)
    }
    assert seen == {(0, 1), (1, 3)}


def test_a_gain_on_a_start_below_nothing_counts():
    # From a start of -2 a sure -1 gains 1, and the gamble for 0 or -9 gains 2 in a case of four.
    rows = [[-2, -1, 0], [-2, -1, -9], [-2, -1, -9], [-2, -1, -9]]
    for start, matrix in (([0], rows), ([2], [[*row[::-1]] for row in rows])):
        settings = {"horizon": 1, "batch_size": 1, "utility": "best"}
        settings["start"] = {"kind": "random", "size": 1}
        env = gym.make(LANDSCAPES, matrix=matrix, **settings)
        for name in EXACT_POLICIES:
            policy = ombo_agents.make(name, env)
            action = policy.act(dataset(env, (start[0], -2.0), left=1), generators(1))
            assert action.tolist() == [[1]]


def mixed(env_id: str, arguments: dict[str, Any], rows: int = ROWS) -> Any:
    return gym.make_vec(
        env_id,
        rows,
        horizon=[1, 4],
        batch_size=2,
        start={"kind": "random", "size": 2},
        vectorization_mode="vector_entry_point",
        **arguments,
    )


@every_mixture
@pytest.mark.parametrize("name", [*EXACT_POLICIES, "one_step:ties=uniform", "rolling_2:ties=worst"])
def test_rows_of_all_ages_and_lengths_are_planned_each_for_itself(env_id, arguments, name):
    env = mixed(env_id, arguments)
    together, alone = (ombo_agents.make(name, env) for _ in range(2))
    ages = set()
    for step, observation in enumerate(situations(env, 5)):
        before = {key: array.copy() for key, array in observation.items()}
        actions = together.act(observation, generators(ROWS))
        assert actions.dtype == env.action_space.dtype and env.action_space.contains(actions)
        for row in range(step % 2, ROWS, 2):  # every second one, in turn
            one = {key: array[row : row + 1] for key, array in observation.items()}
            one_action = alone.act(one, generators(ROWS)[row : row + 1])
            np.testing.assert_array_equal(actions[row], one_action[0])
            ages.add((int(one["rounds_left"][0, 0]), int(one["observed"].sum())))
        for key, array in before.items():
            np.testing.assert_array_equal(observation[key], array)
    assert len(ages) > 5 and any(left == 0 for left, _ in ages)


@pytest.mark.parametrize("ties", ["worst", "best"])
def test_a_tie_is_broken_alike_whatever_is_planned_together(ties):
    # By symmetry many batches are equal but for rounding, which depends on the number of rows.
    settings = {"name": "tent8", "horizon": 4, "batch_size": 2, "utility": "best"}
    env = gym.make_vec(LANDSCAPES, 24, start={"kind": "random", "size": 2}, **settings)
    observation, _ = env.reset(seed=0)
    together = ombo_agents.make(f"rolling_2:ties={ties}", env).act(observation, generators(24))
    for row in range(24):
        one = {key: array[row : row + 1] for key, array in observation.items()}
        alone = ombo_agents.make(f"rolling_2:ties={ties}", env).act(one, generators(1))
        np.testing.assert_array_equal(together[row], alone[0])


@every_mixture
def test_what_a_policy_did_before_changes_nothing(env_id, arguments):
    env = mixed(env_id, arguments)
    for name in EXACT_POLICIES:
        used, observations = ombo_agents.make(name, env), situations(env, 5)
        first = [used.act(observation, generators(ROWS)) for observation in observations]
        for observation, actions in zip(observations[::-1], first[::-1], strict=True):
            fresh = ombo_agents.make(name, env)
            np.testing.assert_array_equal(used.act(observation, generators(ROWS)), actions)
            np.testing.assert_array_equal(fresh.act(observation, generators(ROWS)), actions)


@every_mixture
def test_the_order_of_a_dataset_changes_nothing(env_id, arguments):
    env = mixed(env_id, arguments)
    policy = ombo_agents.make("bayes_optimal", env)
    assert policy.exchangeable and policy.deterministic
    for observation in situations(env, 4):
        turned = {key: array.copy() for key, array in observation.items()}
        for row, n in enumerate(observation["observed"].sum(axis=1)):
            for key in ("designs", "measurements"):
                turned[key][row, :n] = observation[key][row, :n][::-1]
        np.testing.assert_array_equal(
            policy.act(observation, generators(ROWS)), policy.act(turned, generators(ROWS))
        )


@every_mixture
def test_batches_are_sorted_and_waste_no_slot(env_id, arguments):
    env = mixed(env_id, arguments)
    policy = ombo_agents.make("bayes_optimal", env)
    observation, _ = env.reset(seed=3)
    for _ in range(3):
        left = observation["rounds_left"][:, 0]
        actions = policy.act(observation, generators(ROWS))
        for data, action in zip(datasets(observation), actions, strict=True):
            unmeasured = env.unwrapped.design_space.size - len(data)
            if env_id == LANDSCAPES:
                assert len(set(action.tolist()) - {x for x, _ in data}) >= min(2, unmeasured) or (
                    not left.all()
                )
            if env_id == BANDIT or unmeasured >= 2:
                assert action.tolist() == sorted(action.tolist())
        observation, *_ = env.step(actions)


@every_mixture
def test_told_that_one_round_is_left_the_optimum_is_the_one_step_policy(env_id, arguments):
    env = mixed(env_id, arguments)
    optimal, short, observations = (
        ombo_agents.make("bayes_optimal", env),
        ombo_agents.make("one_step", env),
        situations(env, 5),
    )
    assert optimal.horizon_aware and not short.horizon_aware
    assert not Myopic(optimal).horizon_aware
    differs = False
    for observation in observations:
        going = observation["rounds_left"][:, 0] > 0
        told = Myopic(optimal).act(observation, generators(ROWS))[going]
        np.testing.assert_array_equal(told, short.act(observation, generators(ROWS))[going])
        np.testing.assert_array_equal(told, Myopic(short).act(observation, generators(ROWS))[going])
        differs |= not np.array_equal(told, optimal.act(observation, generators(ROWS))[going])
    assert differs or "name" not in arguments  # on tent8 it pays to look ahead


def test_told_that_one_round_is_left_the_optimum_is_worth_what_one_step_is():
    for env in (bandit(4, 2, arms=2, known=[0.5]), landscapes(2, name="tent8")):
        for ties in ("first", "uniform"):
            told = Myopic(ombo_agents.make(f"bayes_optimal:ties={ties}", env))
            short = ombo_agents.make(f"one_step:ties={ties}", env)
            assert close(exact_value(env, told), exact_value(env, short))
            assert exact_value(env, told) < solve_campaign(campaign_spec(env)).value() - 1e-3


def test_a_sync_vector_env_is_played_like_the_native_one():
    arguments = {"name": "tent8", "horizon": [1, 4], "batch_size": 2, "utility": "best"}
    native = gym.make_vec(LANDSCAPES, 5, vectorization_mode="vector_entry_point", **arguments)
    sync = SyncVectorEnv(
        [lambda: gym.make(LANDSCAPES, **arguments)] * 5, autoreset_mode=AutoresetMode.NEXT_STEP
    )
    for name in ("bayes_optimal", "one_step:ties=uniform"):
        policies = [ombo_agents.make(name, env) for env in (native, sync)]
        seen = [env.reset(seed=11)[0] for env in (native, sync)]
        for _ in range(6):
            actions = [
                policy.act(each, generators(5)) for policy, each in zip(policies, seen, strict=True)
            ]
            np.testing.assert_array_equal(*actions)
            steps = [env.step(action) for env, action in zip((native, sync), actions, strict=True)]
            seen = [step[0] for step in steps]
            np.testing.assert_allclose(steps[0][1], steps[1][1])


def test_lots_are_drawn_as_they_are_told():
    env = bandit(3, 2, arms=3, known=[0.5])
    policy = ombo_agents.make("one_step:ties=uniform", env)
    single, _ = env.reset(seed=0)
    rows = 20_000
    batch = {key: np.repeat(array[None], rows, axis=0) for key, array in single.items()}
    drawn = np.sort(policy.act(batch, np.random.default_rng(0)), axis=1)
    told = policy.distribution({key: array[None] for key, array in single.items()})
    assert told is not None
    actions, probabilities = told
    # Arms 0 to 2 are alike and tie with arm 3: the proposals aa, ab, ac for any two of them, a3 and
    # 3a, and 33: five that differ, so 1/5 each for the same arm twice, for two of them and for 33.
    expected = {}
    for action, probability in zip(
        np.sort(actions, axis=1).tolist(), probabilities[0], strict=True
    ):
        expected[tuple(action)] = expected.get(tuple(action), 0.0) + probability
    by_hand = {(3, 3): 1 / 5}
    for i in range(3):
        by_hand[i, i] = 1 / 15
        by_hand[i, 3] = 2 / 15
        for j in range(i + 1, 3):
            by_hand[i, j] = 1 / 15
    assert expected.keys() == by_hand.keys()
    for key, probability in by_hand.items():
        assert close(expected[key], probability)
        count = (drawn == key).all(axis=1).sum()
        assert abs(count - rows * probability) < 5 * np.sqrt(rows * probability)


def test_policies_survive_pickling():
    for env in (bandit(3, 2, arms=2), landscapes(3, name="tent8")):
        policy = ombo_agents.make("bayes_optimal", env)
        again = pickle.loads(pickle.dumps(policy))
        assert exact_value(env, again) == exact_value(env, policy)
