"""Rollout of the one-step policy on the exact posterior: against fractions, and its guarantees."""

from __future__ import annotations

import pickle
from fractions import Fraction
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import ombo_agents
from ombo_agents.planners.dynamic_programming import exact_value, solve_campaign
from ombo_agents.planners.exact_rollout import ExactRollout
from ombo_agents.planners.rollout.policy import Rollout
from ombo_gym.spec import campaign_spec
from scripts.studies.exact.cases import CASES, Case
from tests.planners.brute_cases import Arms, Surfaces
from tests.planners.brute_force import BruteForce, Data, Rounds
from tests.planners.players import env_of, landscapes

F = Fraction
PRIORS = [(F(1), F(1)), (F(1, 2), F(2)), (F(3), F(1))]
MATRIX = [
    [F(0), F(1), F(1, 2), F(2)],
    [F(1, 2), F(1), F(0), F(-1)],
    [F(1), F(0), F(1, 2), F(0)],
    [F(2), F(1, 4), F(1), F(0)],
]
NOISE = [(F(-1, 2), F(1, 4)), (F(0), F(1, 2)), (F(1, 2), F(1, 4))]


def surfaces(q: int, utility: str, *, noisy: bool = False) -> Surfaces:
    weights = [F(1, 8), F(2, 8), F(4, 8), F(1, 8)]
    noise = NOISE if noisy else [(F(0), F(1))]
    return Surfaces(q, utility, matrix=MATRIX, weights=weights, noise=noise)


PLAYED: dict[str, tuple[BruteForce, Rounds]] = {
    "arms, total": (Arms(1, "total", priors=PRIORS[:2]), 4),
    "arms, batches": (Arms(2, "total", priors=PRIORS[:2]), 3),
    "arms, recommendation": (Arms(1, "recommendation", priors=PRIORS), 3),
    "landscapes, best": (surfaces(1, "best"), 3),
    "landscapes, total": (surfaces(1, "total"), 3),
    "landscapes, batches": (surfaces(2, "last_max"), 2),
    "noisy landscapes": (surfaces(1, "last_mean", noisy=True), 3),
    "arms, plates of different sizes": (Arms(0, "total", priors=PRIORS[:2]), (1, 3, 1)),
    "landscapes, plates of different sizes": (surfaces(0, "best"), (1, 2)),
    "landscapes, every round counts": (surfaces(1, "auc"), 3),
}


def improved(
    case: BruteForce, plates: tuple[int, ...], pick: Any, data: Data = (), played: Any = ()
) -> Fraction:
    """Rollout's value in fractions; among batches that it values the same, `pick` takes one."""
    values = {
        batch: case.go_on(data, batch, plates, 1, "best", played)
        for batch in case.batches(data, plates[0])
    }
    if len(plates) == 1:
        return max(values.values())
    best = [batch for batch, value in values.items() if value == max(values.values())]
    return pick(
        sum(
            (
                improved(case, plates[1:], pick, after, (*played, plates[0]))
                for after in case.shown(data, counted)
            ),
            F(0),
        )
        for counted in (case.counted(data, batch, plates[0]) for batch in best)
    )


@pytest.mark.parametrize("name", PLAYED)
def test_its_value_is_that_of_the_decision_tree(name: str) -> None:
    case, rounds = PLAYED[name]
    env = env_of(case, rounds)
    policy = ombo_agents.make("rollout", env)
    assert isinstance(policy, ExactRollout)
    found = exact_value(env, policy)
    low, high = (improved(case, case.sizes(rounds), pick) for pick in (min, max))
    assert float(low) - 1e-12 <= found <= float(high) + 1e-12


SMALL = [
    (case, horizon)
    for case in CASES
    for horizon in case.horizons
    if horizon <= (3 if case.batch_size == 1 else 2)
]


@pytest.mark.parametrize(
    ("case", "horizon"), SMALL, ids=[f"{case.name}-{horizon}" for case, horizon in SMALL]
)
def test_it_is_at_least_the_one_step_policy_and_at_most_the_optimum(
    case: Case, horizon: int
) -> None:
    env = case.make(horizon)
    policy = ombo_agents.make("rollout", env)
    assert isinstance(policy, ExactRollout)
    spec = campaign_spec(env)
    found, optimum = exact_value(env, policy), solve_campaign(spec).value()
    one_step = max(solve_campaign(spec, lookahead=1).value(ties) for ties in ("worst", "best"))
    slack = 1e-10 * max(1.0, abs(optimum))
    assert one_step - slack <= found <= optimum + slack
    if horizon <= 2:
        assert found == pytest.approx(optimum, abs=slack)


def test_it_reads_the_sign_that_the_one_step_policy_walks_past() -> None:
    env = landscapes(2, name="signpost")
    assert exact_value(env, ombo_agents.make("rollout", env)) == pytest.approx(1.0)
    assert exact_value(env, ombo_agents.make("one_step", env)) < 0.5


def test_it_travels() -> None:
    env = landscapes(3, name="tent8")
    policy = ombo_agents.make("rollout", env)
    observation = {key: array[None] for key, array in env.reset(seed=0)[0].items()}
    rngs = np.random.default_rng(0)
    before = policy.act(observation, rngs)
    again = pickle.loads(pickle.dumps(policy))
    np.testing.assert_array_equal(again.act(observation, rngs), before)


def test_where_the_exact_posterior_is_too_large_the_surrogates_takes_its_place() -> None:
    env = gym.make("Ombo/Bandit-v0", arms=20, horizon=10, batch_size=4, utility="total")
    assert isinstance(ombo_agents.make("rollout", env), Rollout)
