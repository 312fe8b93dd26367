"""Binoculars: the joint optimum against all subsets, its draws, and who goes first."""

from __future__ import annotations

from itertools import combinations

import gymnasium as gym
import numpy as np
import pytest
from scipy import stats

import ombo_agents
import ombo_gym  # noqa: F401
from ombo_agents.planners.binoculars import _go_first, joint_draws, largest_maximum
from ombo_gym.randomness import GeneratorRows
from tests.agents.test_rollout import field


def expected_maximum(values: np.ndarray, chosen: list[int], floor: float) -> float:
    """(S, M) draws."""
    return float(np.maximum(values[:, chosen].max(axis=1), floor).mean())


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_what_is_planned_is_near_the_best_subset_and_no_exchange_improves_it(count: int) -> None:
    values = joint_draws(
        field(rows=6, size=9, seed=3), GeneratorRows(np.random.default_rng(0), 6), 64
    )
    floor = np.random.default_rng(1).normal(size=6)
    planned = largest_maximum(values, floor, np.zeros((6, 9), bool), count, sweeps=20)
    greedy = largest_maximum(values, floor, np.zeros((6, 9), bool), count, sweeps=0)
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
    planned = largest_maximum(values, np.full(2, -9.0), blocked, 3, sweeps=2)
    assert {0, 1} < set(planned[0].tolist()) and len(set(planned[1].tolist())) == 3


def test_draws_have_the_beliefs_moments() -> None:
    its = field(rows=2, size=5)
    values = joint_draws(its, GeneratorRows(np.random.default_rng(0), 2), 100_000)
    np.testing.assert_allclose(values.mean(axis=1), its.mean, atol=1e-9)  # pairs
    for row in range(2):
        np.testing.assert_allclose(np.cov(values[row].T), its.covariance[row], atol=0.03)


def test_those_that_improve_most_go_first() -> None:
    rng = np.random.default_rng(2)
    values, floor = rng.normal(size=(4, 64, 5)), rng.normal(size=4)
    first = _go_first(values, floor, 2, None)
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
    first = _go_first(np.repeat(values, rows, axis=0), np.full(rows, floor), 2, lots)
    gains = np.array([expected_maximum(values[0], [i], floor) - floor for i in range(4)])
    counts = np.bincount(first[:, 0], minlength=4)
    assert stats.chisquare(counts, rows * gains / gains.sum()).pvalue > 1e-4
    assert (first[:, 0] != first[:, 1]).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("draws=7", "draws: expected an even"),
        ("sweeps=-1", "sweeps: expected a whole number of at least 0"),
        ("subset=worst", r"subset: expected one of \['best', 'sample'\]"),
        ("moves=-1", "moves: expected"),
    ],
)
def test_settings_out_of_range_are_refused(settings: str, message: str) -> None:
    env = gym.make("Ombo/GP-v0", horizon=3, batch_size=2)
    with pytest.raises(ValueError, match=message):
        ombo_agents.make(f"binoculars:{settings}", env)
