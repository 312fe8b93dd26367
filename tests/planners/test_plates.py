"""Exact plans on plates of different sizes, against brute force and one campaign at a time."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

import ombo_agents
from ombo_agents.planners.dynamic_programming import TooManyStates, solve_campaign
from ombo_gym.spec import campaign_spec
from tests.planners.brute_cases import (
    ARM_UTILITIES,
    NOISY,
    SURFACE_UTILITIES,
    arms,
    every_other,
    surfaces,
)
from tests.planners.players import (
    BANDIT,
    EXACT_POLICIES,
    bandit,
    dataset,
    env_of,
    every_mixture,
    generators,
    situations,
)
from tests.planners.test_brute_force import assert_planned_like

ARMS_ON_PLATES = [  # priors, known, plates
    ("1,1 1,1", "", (2, 1)),
    ("1,1 1,1", "", (1, 2, 1)),
    ("1,1", "1/2", (1, 3, 1)),
    ("1,2 1,1 2,2", "", (1, 2)),
    ("1/2,1/2 3/4,1/4", "3/5", (3, 1)),
    ("1,1 1,1", "", (1, 1, 2)),
]
SURFACES_ON_PLATES = [  # matrix, weights, noise, plates
    ("1/4 1 0 0, 1/2 0 1 0, 3/4 0 0 1", "3 1 2", "0,1", (1, 2)),
    ("1/4 1 0 0, 1/2 0 1 0, 3/4 0 0 1", "3 1 2", "0,1", (2, 1, 1)),
    ("-1 1 -2 0, 2 -1 -3 1, 0 0 0 1", "1 0 1", "0,1", (1, 2, 1)),
    ("0 2 0, 1 0 1, 0 0 3", "2 1 1", NOISY, (2, 1)),
    ("0 1 -1, 1 0 1/2", "", "-1,1 0,2 1,1", (1, 2)),
    ("1 0 2, 0 1 0", "", "0,1", (1, 3)),  # more slots than designs
    ("1 -1 2, -2 1 1", "", "0,1", (2, 1, 2)),
]


@pytest.mark.parametrize(
    ("utility", "priors", "known", "plates"), every_other(ARM_UTILITIES, ARMS_ON_PLATES)
)
def test_arms_on_plates_of_different_sizes(utility, priors, known, plates):
    assert_planned_like(arms(0, utility, priors, known), plates)


@pytest.mark.parametrize(
    ("utility", "matrix", "weights", "noise", "plates"),
    every_other(SURFACE_UTILITIES, SURFACES_ON_PLATES),
)
def test_surfaces_on_plates_of_different_sizes(utility, matrix, weights, noise, plates):
    assert_planned_like(surfaces(0, utility, matrix, weights, noise), plates)


def test_what_goes_on_the_next_plate_depends_on_those_behind_it():
    # Two of four prizes can be looked at now. With one slot to come the sign has to be read too;
    # with two to come every prize is found without it.
    case = surfaces(0, "best", "1/8 1 0 0 0, 1/4 0 1 0 0, 3/8 0 0 1 0, 1/2 0 0 0 1")
    for plates, reads_it in [((2, 1), {True}), ((2, 2), {True, False})]:
        root = solve_campaign(campaign_spec(env_of(case, plates))).layers[0]
        first = [batch for batch, tied in zip(root.options, root.tied[0], strict=True) if tied]
        assert first == case.first_batches(plates)
        assert {0 in batch for batch in first} == reads_it


@every_mixture
@pytest.mark.parametrize("name", [*EXACT_POLICIES, "one_step:ties=uniform", "rolling_2:ties=worst"])
def test_campaigns_of_all_batch_sizes_are_planned_each_for_its_own(env_id, arguments, name):
    env = gym.make_vec(
        env_id, 8, horizon=[1, 3], batch_size=[1, 3], vectorization_mode="vector_entry_point",
        **arguments,
    )  # fmt: skip
    single = {q: gym.make(env_id, horizon=3, batch_size=q, **arguments) for q in (1, 2, 3)}
    apart = {q: ombo_agents.make(name, alone) for q, alone in single.items()}
    policy, sizes = ombo_agents.make(name, env), set()
    for observation in situations(env, 2):
        actions = policy.act(observation, generators(8))
        assert env.action_space.contains(actions)
        for row in np.flatnonzero(observation["rounds_left"][:, 0] > 0):
            plates = observation["plates"][row].astype(int)
            plates, n = plates[plates > 0], int(observation["observed"][row].sum())
            q = int(plates[0])
            told = dataset(single[q], left=len(plates))
            told["observed"][0, :n] = 1
            for key in ("designs", "measurements"):
                told[key][0, :n] = observation[key][row, :n]
            expected = apart[q].act(told, generators(8)[row : row + 1])
            np.testing.assert_array_equal(actions[row, :q], expected[0])
            sizes.add((q, len(plates)))
    assert len(sizes) > 4


def test_lots_of_campaigns_with_different_batch_sizes_are_told_together():
    env = gym.make_vec(
        BANDIT, 8, arms=2, known=[0.5], horizon=2, batch_size=[1, 3], utility="total",
        vectorization_mode="vector_entry_point",
    )  # fmt: skip
    observation, _ = env.reset(seed=0)
    sizes = observation["plates"][:, 0].astype(int)
    assert len(set(sizes.tolist())) > 1
    for name in ("one_step:ties=uniform", "thompson"):
        policy = ombo_agents.make(name, env)
        actions, probabilities = policy.distribution(observation)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
        for row, q in enumerate(sizes):
            alone = ombo_agents.make(name, bandit(2, int(q), arms=2, known=[0.5]))
            told = dataset(bandit(2, int(q), arms=2, known=[0.5]))
            listed, expected = alone.distribution(told)
            assert as_table(actions[:, :q], probabilities[row]) == pytest.approx(
                as_table(listed, expected[0])
            )


def as_table(actions: np.ndarray, probabilities: np.ndarray) -> dict[tuple[int, ...], float]:
    table: dict[tuple[int, ...], float] = {}
    for action, probability in zip(actions.tolist(), probabilities.tolist(), strict=True):
        if probability > 0:
            key = tuple(sorted(action))
            table[key] = table.get(key, 0.0) + probability
    return table


def test_plates_that_are_too_much_say_so_in_their_own_words():
    env = gym.make(BANDIT, arms=3, plates=[4, 8, 8], utility="total")
    with pytest.raises(TooManyStates, match=r"N = 3 rounds of 4 \+ 8 \+ 8 designs.*N <= 2"):
        solve_campaign(campaign_spec(env), max_states=1000)
