"""What is proposed again, or cannot be measured: what it is worth and what it leaves behind."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from numpy.typing import NDArray

from ombo_gym.design_spaces import CategoricalDesigns, Designs
from ombo_gym.env import CampaignEnv
from ombo_gym.problems.core.base import Instances
from ombo_gym.vector_env import CampaignVectorEnv
from tests.envs.cases import assert_same
from tests.pools import NEVER, NOTHING, Holes, Table, play
from tests.test_utilities import NAMES, expected_utility


@pytest.mark.parametrize(
    ("batches", "best"),
    [
        ([[0, 1]], 0.0),  # all negative: nothing is gained
        ([[0, 1], [2, 3]], 3.0),
        ([[3, 3], [0, 0]], 3.0),
        ([[2, 0], [2, 1]], 1.0),
    ],
)
def test_best_without_a_start_is_counted_from_the_reference(
    batches: list[list[int]], best: float
) -> None:
    table = Table([-5.0, -2.0, 1.0, 3.0])
    results = play(table, batches, utility="best")
    assert results[-1][4]["utility"] == best == sum(result[1] for result in results[1:])
    assert results[0][1]["best_value"] == 0.0
    values = [[-5.0, -2.0, 1.0, 3.0][i] for batch in batches for i in batch]
    assert results[-1][4]["best_value"] == max(values), "the best true value, negative or not"


def test_best_with_a_start_is_counted_from_it_whatever_its_sign() -> None:
    table = Table([-5.0, -2.0, 1.0, 3.0])
    for batch, best in (([0], 0.0), ([1], 3.0), ([3], 8.0)):
        start = {"kind": "percentile", "percentile": 0}  # the worst row alone
        results = play(table, [batch], utility="best", start=start)
        assert results[0][1]["best_value"] == -5.0
        assert results[1][4]["utility"] == results[1][1] == best


def test_the_reference_is_the_problems_own() -> None:
    table = Table([-5.0, -2.0, 1.0, 3.0])
    table.reference = -4.0
    results = play(table, [[1]], utility="best")
    assert results[0][1]["best_value"] == -4.0 and results[1][1] == 2.0
    assert play(table, [[0]], utility="best")[1][1] == 0.0


def test_a_repeat_that_is_measured_again_counts_again() -> None:
    results = play(Table([1.0, 2.0]), [[1, 1, 0], [1, 0, 0]], utility="total")
    assert [result[1] for result in results[1:]] == [5.0, 4.0]
    assert [result[4]["wasted"] for result in results[1:]] == [0, 0]
    assert results[-1][0]["observed"].sum() == 6


# (batches, true values of each, wasted of each, designs measured in order)
WASTE = [
    ([[0, 1], [2, 3]], [[-5, -2], [1, 3]], [0, 0], [0, 1, 2, 3]),
    ([[3, 3], [3, 2]], [[3, 0], [0, 1]], [1, 1], [3, 2]),
    ([[0, 0], [0, 0]], [[-5, 0], [0, 0]], [1, 2], [0]),
    (
        [[0, 1, 2], [0, 3, 3], [4, 1, 4]],
        [[-5, -2, 1], [0, 3, 0], [-1, 0, 0]],
        [0, 2, 2],
        [0, 1, 2, 3, 4],
    ),
    (
        [[0, 1, 2], [3, 4, 0], [1, 2, 3]],
        [[-5, -2, 1], [3, -1, 0], [0, 0, 0]],
        [0, 1, 3],
        [0, 1, 2, 3, 4],
    ),
]


@pytest.mark.parametrize("utility", NAMES, ids=str)
@pytest.mark.parametrize(("batches", "true_values", "wasted", "measured"), WASTE)
def test_where_nothing_is_measured_twice_a_repeat_is_wasted(
    batches: list[list[int]],
    true_values: list[list[float]],
    wasted: list[int],
    measured: list[int],
    utility: Any,
) -> None:
    """A wasted slot is worth 0 and leaves no row; so is what is proposed when all is measured."""
    values = [-5.0, -2.0, 1.0, 3.0, -1.0]
    table = Table(values, repeats=NEVER)
    results = play(table, batches, utility=utility)
    assert [result[4]["true_values"].tolist() for result in results[1:]] == true_values
    assert [result[4]["wasted"] for result in results[1:]] == wasted
    assert all(type(result[4]["wasted"]) is int for result in results[1:])
    last = results[-1]
    assert last[4]["utility"] == pytest.approx(sum(result[1] for result in results[1:]))
    if utility not in ("auc", "best"):
        assert last[4]["utility"] == pytest.approx(expected_utility(utility, 0.0, true_values))
    best = max(values[i] for i in measured)
    assert last[4]["best_value"] == best, "a wasted slot is no value of 0"
    if utility == "best":
        assert last[4]["utility"] == max(0.0, best)
    n = len(measured)
    assert last[0]["observed"].tolist() == [1] * n + [0] * (len(last[0]["observed"]) - n)
    assert last[0]["designs"][:n, 0].tolist() == measured
    assert last[0]["measurements"][:n].tolist() == [values[i] for i in measured]
    assert not last[0]["designs"][n:].any() and not last[0]["measurements"][n:].any()


def test_what_the_start_shows_is_not_measured_again() -> None:
    table = Table([-5.0, -2.0, 1.0, 3.0], repeats=NEVER)
    results = play(table, [[0, 3, 1]], start={"kind": "percentile", "percentile": 50})
    assert sorted(results[0][0]["designs"][:2, 0]) == [0, 1]
    assert results[1][4]["wasted"] == 2
    assert results[1][4]["true_values"].tolist() == [0.0, 3.0, 0.0]
    assert results[1][0]["designs"][:3, 0].tolist()[2] == 3
    assert results[1][4]["utility"] == 5.0  # 3 - (-2)


def test_a_design_that_stands_for_the_padding_is_not_taken_for_measured() -> None:
    """Rows that are not in use hold zeros, and so does the first candidate."""
    results = play(Table([2.0, 1.0], repeats=NEVER), [[1], [0]], utility="total")
    assert [result[4]["wasted"] for result in results[1:]] == [0, 0]
    assert results[-1][4]["utility"] == 3.0


def test_designs_that_cannot_be_measured_get_the_floor_without_noise() -> None:
    values = [math.nan, 2.0, math.nan, 4.0]
    env = CampaignEnv(
        Holes(values), horizon=2, batch_size=3, noise_std=1.0, start=NOTHING, utility="total"
    )
    env.reset(seed=0)
    observation, reward, _, _, info = env.step([0, 1, 0])
    assert info["infeasible"] == 2 and type(info["infeasible"]) is int
    assert info["true_values"].tolist() == [-7.0, 2.0, -7.0] and reward == -12.0
    assert observation["measurements"][0] == observation["measurements"][2] == -7.0
    assert 0 < abs(observation["measurements"][1] - 2.0) < 6
    assert observation["observed"].sum() == 3, "it is known that they cannot be measured"
    observation, _, _, _, info = env.step([2, 3, 3])
    assert info["infeasible"] == 1 and info["best_value"] == 4.0
    assert len(set(observation["measurements"].tolist())) == 4
    twin = CampaignEnv(
        Holes([1.0, 2.0, 3.0, 4.0]), horizon=2, batch_size=3, noise_std=1.0, start=NOTHING
    )
    twin.reset(seed=0)
    same = twin.step([0, 1, 0])[0]["measurements"][1]
    assert same == observation["measurements"][1], "the noise of others is what it would be"


def test_a_campaign_of_nothing_but_infeasible_designs_is_worth_nothing() -> None:
    results = play(Holes([math.nan, 1.0]), [[0, 0], [0, 0]], utility="best")
    assert results[-1][4]["utility"] == 0.0
    assert results[-1][4]["best_value"] == -7.0
    assert results[-1][4]["infeasible"] == 2


def test_an_infeasible_design_is_wasted_when_it_is_repeated() -> None:
    results = play(Table([math.nan, 1.0], repeats=NEVER), [[0, 0], [0, 1]], utility="total")
    assert [result[4]["wasted"] for result in results[1:]] == [1, 1]
    assert [result[4]["true_values"].tolist() for result in results[1:]] == [[-7, 0], [0, 1]]
    assert results[-1][0]["observed"].sum() == 2
    assert results[-1][4]["utility"] == -6.0


@pytest.mark.parametrize("mode", list(AutoresetMode)[:2], ids=lambda mode: mode.value)
@pytest.mark.parametrize("control", ["designs", "exploration", "candidates"])
def test_rows_of_such_problems_are_played_like_single_campaigns(
    control: str, mode: AutoresetMode
) -> None:
    """Datasets grow unequally: every row wastes as it does."""
    problem = Table(
        [math.nan, -2.0, 1.0, 3.0, math.nan, 0.5], repeats=NEVER, shifts=(0.0, 1.0, 2.0)
    )
    arguments: dict[str, Any] = {
        "horizon": [1, 4],
        "batch_size": 3,
        "noise_std": 0.5,
        "control": control,
        "start": {"kind": "random", "size": 2},
        "utility": "last_median",
    }
    native = CampaignVectorEnv(5, problem, autoreset_mode=mode, **arguments)
    sync = SyncVectorEnv([lambda: CampaignEnv(problem, **arguments)] * 5, autoreset_mode=mode)
    assert_same(native.reset(seed=0), sync.reset(seed=0))
    native.action_space.seed(0)
    for step in range(10):
        actions = native.action_space.sample()
        assert_same(native.step(actions), sync.step(actions), f"step {step}")


def test_sequences_repeat_only_when_all_their_positions_do() -> None:
    class Sequences(Table):
        def __init__(self) -> None:
            super().__init__([0.0], repeats=NEVER)
            self.design_space = CategoricalDesigns([2, 3])

        def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
            return 10.0 * designs[..., 0] + designs[..., 1]

        def feasible(self, instances: Instances, designs: Designs) -> None:
            return None

    batches = [[(1, 2), (1, 1)], [(0, 1), (1, 1)], [(0, 2), (0, 2)]]
    flat = [[entry for design in batch for entry in design] for batch in batches]
    env = CampaignEnv(Sequences(), horizon=3, batch_size=2, start=NOTHING)
    env.reset(seed=0)
    infos = [env.step(batch)[4] for batch in flat]
    assert [info["wasted"] for info in infos] == [0, 1, 1]
    assert [info["true_values"].tolist() for info in infos] == [[12, 11], [1, 0], [2, 0]]
