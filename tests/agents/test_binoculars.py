"""Binoculars: the joint optimum against all subsets, its draws, and who goes first."""

from __future__ import annotations

from itertools import combinations

import gymnasium as gym
import numpy as np
import pytest
from scipy import stats

import ombo_agents
import ombo_gym  # noqa: F401
from ombo_agents.planners.binoculars import first_of_planned, joint_draws, maximize_expected_maximum
from ombo_gym.randomness import GeneratorBatch
from tests.agents.test_rollout import joint_of


def expected_maximum(values: np.ndarray, chosen: list[int], floor: float) -> float:
    """(S, M) draws."""
    return float(np.maximum(values[:, chosen].max(axis=1), floor).mean())


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_what_is_planned_is_near_the_best_subset_and_no_exchange_improves_it(count: int) -> None:
    values = joint_draws(
        joint_of(rows=6, size=9, seed=3), GeneratorBatch(np.random.default_rng(0), 6), 64
    )
    floor = np.random.default_rng(1).normal(size=6)
    planned = maximize_expected_maximum(values, floor, np.zeros((6, 9), bool), count, sweeps=20)
    greedy = maximize_expected_maximum(values, floor, np.zeros((6, 9), bool), count, sweeps=0)
    for row in range(6):
        mine = planned[row].tolist()
        assert len(set(mine)) == count
        worth = {
            subset: expected_maximum(values[row], list(subset), floor[row])
            for subset in combinations(range(9), count)
        }
        found, best = worth[tuple(sorted(mine))], max(worth.values())
        assert worth[tuple(sorted(greedy[row].tolist()))] <= found + 1e-12
        # Greedy subsets gain 1 - 1/e of what the best does; exchanges leave none that is better.
        assert found - floor[row] >= (1 - 1 / np.e) * (best - floor[row]) - 1e-12
        for slot, other in np.ndindex(count, 9):
            if other not in mine:
                exchanged = [*mine[:slot], other, *mine[slot + 1 :]]
                assert worth[tuple(sorted(exchanged))] <= found + 1e-12


def test_blocked_designs_are_planned_only_when_nothing_else_is_left() -> None:
    values = np.random.default_rng(0).normal(size=(2, 32, 6))
    blocked = np.zeros((2, 6), bool)
    blocked[0, 2:] = True
    planned = maximize_expected_maximum(values, np.full(2, -9.0), blocked, 3, sweeps=2)
    assert {0, 1} < set(planned[0].tolist()) and len(set(planned[1].tolist())) == 3


def test_draws_have_the_beliefs_moments() -> None:
    joint = joint_of(rows=2, size=5)
    values = joint_draws(joint, GeneratorBatch(np.random.default_rng(0), 2), 100_000)
    np.testing.assert_allclose(values.mean(axis=1), joint.mean, atol=1e-9)  # pairs
    for row in range(2):
        np.testing.assert_allclose(np.cov(values[row].T), joint.covariance[row], atol=0.03)


def test_those_that_improve_mostfirst_of_planned() -> None:
    rng = np.random.default_rng(2)
    values, floor = rng.normal(size=(4, 64, 5)), rng.normal(size=4)
    first = first_of_planned(values, floor, np.zeros((4, 5), bool), 2, None)
    for row in range(4):
        gains = [expected_maximum(values[row], [i], floor[row]) for i in range(5)]
        assert first[row, 0] == np.argmax(gains)
        pairs = {
            i: expected_maximum(values[row], [first[row, 0], i], floor[row])
            for i in set(range(5)) - {first[row, 0]}
        }
        assert first[row, 1] == max(pairs, key=pairs.__getitem__)


def test_sampled_ones_go_first_with_probabilities_in_proportion_to_what_they_add() -> None:
    rows, floor = 20_000, 0.5
    values = np.random.default_rng(3).normal(size=(1, 64, 4))
    lots = np.random.default_rng(4).random((rows, 2))
    repeated, copies = np.repeat(values, rows, axis=0), np.zeros((rows, 4), bool)
    first = first_of_planned(repeated, np.full(rows, floor), copies, 2, lots)
    gains = np.array([expected_maximum(values[0], [i], floor) - floor for i in range(4)])
    counts = np.bincount(first[:, 0], minlength=4)
    assert stats.chisquare(counts, rows * gains / gains.sum()).pvalue > 1e-4
    assert (first[:, 0] != first[:, 1]).all()


@pytest.mark.parametrize("lots", [None, np.random.default_rng(5).random((50, 3))])
def test_copies_of_planned_designs_go_last(lots: np.ndarray | None) -> None:
    """However little the others add: that of a copy is not nothing, as draws have jitter."""
    values = np.random.default_rng(3).normal(size=(50, 64, 4))
    values[..., 2:] -= 9.0
    copies = np.array([[False, True, False, False]]).repeat(50, axis=0)
    first = first_of_planned(values, np.zeros(50), copies, 3, lots)
    assert (np.sort(first, axis=1) == [0, 2, 3]).all()
    copies[:, 2:] = True
    assert (first_of_planned(values, np.zeros(50), copies, 3, lots)[:, 0] == 0).all()


def test_a_wide_plan_proposes_none_of_its_designs_twice() -> None:
    """A long plan takes copies in, as mutants of the same few parents are often alike."""
    envs = gym.make_vec(
        "Ombo/TFBind8-v0",
        num_envs=3,
        batch_size=24,
        horizon=3,
        utility="last_max",
        autoreset_mode="Disabled",
        start={"kind": "percentile", "size": 64},
    )
    observation, _ = envs.reset(seed=1)
    policy = ombo_agents.make("binoculars:num_samples=16", envs)
    for _ in range(3):
        actions = policy.act(observation, [np.random.default_rng(i) for i in range(3)])
        for batch in actions.reshape(3, 24, 8):
            assert len(np.unique(batch, axis=0)) == 24
        observation, *_ = envs.step(actions)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("num_samples=7", "num_samples: expected an even"),
        ("sweeps=-1", "sweeps: expected a whole number of at least 0"),
        ("subset=worst", r"subset: expected one of \['best', 'sample'\]"),
        ("max_iterations=-1", "max_iterations: expected"),
    ],
)
def test_settings_out_of_range_are_refused(settings: str, message: str) -> None:
    env = gym.make("Ombo/GP-v0", horizon=3, batch_size=2)
    with pytest.raises(ValueError, match=message):
        ombo_agents.make(f"binoculars:{settings}", env)
