"""The return is the utility, and the utility is what its name says, computed here from scratch."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ombo_gym.design_spaces import CandidateDesigns, CategoricalDesigns, Designs
from ombo_gym.env import CampaignEnv
from ombo_gym.problems.base import Instances, Problem
from ombo_gym.randomness import RowDraws
from ombo_gym.utilities import UTILITIES, utility_named
from ombo_gym.vector_env import CampaignVectorEnv
from tests.envs.cases import IDS, assert_same

NAMES = ["best", "last_max", "last_mean", "last_median", "total"]  # of every problem
SMALL: dict[str, list[dict[str, Any]]] = {  # finite problems, and a few of each
    "Bandit": [
        {"arms": 3},
        {"arms": 2, "prior": [[1, 3], [0.5, 0.5]], "known": [0.4, 0.0]},
        {"arms": 0, "known": [0.7]},
    ],
    "Landscapes": [
        {},
        {"name": "tent8"},
        {"name": "dose", "levels": 4},
        {"name": "blurred_signpost"},
        {
            "matrix": [[-1, -2, 0.5], [-1, -3, -0.5], [2, -3, 0.5]],
            "weights": [1, 2, 3],
            "noise": {"values": [-1, 0.25], "probabilities": [0.5, 0.5]},
        },
    ],
}


def worth(
    utility: str,
    base: float,
    batches: Sequence[Sequence[float]],
    wasted: Sequence[Sequence[bool]] | None = None,
) -> float:
    """The table of the public contract, in plain Python; wasted slots come with a value of 0."""
    unwasted = [[False] * len(batch) for batch in batches]
    everything = [
        value
        for batch, waste in zip(batches, wasted or unwasted, strict=True)
        for value, gone in zip(batch, waste, strict=True)
        if not gone
    ]
    last = list(batches[-1])
    return {
        "best": max(base, *everything, -math.inf) - base,
        "last_max": max(last),
        "last_median": statistics.median(last),
        "last_mean": statistics.fmean(last),
        "total": math.fsum(everything),
    }[utility]


def test_these_are_all_utilities() -> None:
    assert sorted(UTILITIES) == sorted([*NAMES, "recommendation"])
    with pytest.raises(ValueError, match=r"utility: .*best.*last_max.*total.*got 'bets'"):
        utility_named("bets")


starts = st.one_of(
    st.just({"kind": "none"}),
    st.builds(lambda size: {"kind": "random", "size": size}, st.integers(1, 9)),
    st.builds(
        lambda percentile, size: {"kind": "percentile", "percentile": percentile, "size": size},
        st.sampled_from([1, 50, 100]),
        st.integers(1, 9),
    ),
)
horizons = st.one_of(st.integers(1, 4), st.sampled_from([[1, 3], [2, 2], [2, 4]]))


@pytest.mark.parametrize("utility", [*NAMES, "recommendation"])
@pytest.mark.parametrize("env_id", IDS)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    start=starts,
    horizon=horizons,
    q=st.integers(1, 5),
    noise_std=st.sampled_from([0.0, 0.5]),
    seed=st.integers(0, 2**31),
    variant=st.integers(0, 4),
)
def test_the_undiscounted_return_is_the_utility(
    env_id: str,
    utility: str,
    start: dict[str, Any],
    horizon: Any,
    q: int,
    noise_std: float,
    seed: int,
    variant: int,
) -> None:
    name = env_id.split("/")[1].split("-")[0]
    common = {"horizon": horizon, "batch_size": q, "start": start}
    if name in SMALL:
        common |= SMALL[name][variant % len(SMALL[name])]
        common["start"] = start = fitting(start, CampaignEnv(name, **{**common, "start": NOTHING}))
    if utility == "recommendation":
        if name not in SMALL:
            with pytest.raises(ValueError, match=r"utility: 'recommendation' needs .*got"):
                CampaignEnv(name, utility=utility, noise_std=noise_std, **common)
            return
        noise_std = 0.0
    env = CampaignEnv(name, utility=utility, noise_std=noise_std, **common)
    observation, info = env.reset(seed=seed, options={"optimum": True})

    size = start.get("size", 0)
    if name in SMALL:
        truth = true_values_of(env)
        shown = [truth[x] for x in observation["designs"][:size, 0]]
        assert info["optimum"] == max(truth)
    else:  # without noise, what is measured at the start of the same campaign are its true values
        bare = CampaignEnv(name, noise_std=0.0, **common).reset(seed=seed)[0]
        assert bare["observed"].sum() == size
        shown = bare["measurements"][:size].tolist()
    assert observation["observed"].sum() == size
    base = max(shown, default=0.0)
    assert info["best_value"] == pytest.approx(base, abs=1e-6)

    rng = np.random.default_rng(seed)
    batches: list[list[float]] = []
    wasted: list[list[bool]] = []
    rewards: list[float] = []
    terminated = False
    env.action_space.seed(seed)
    action = env.action_space.sample()
    measured = set(observation["designs"][:size, 0].tolist())  # where there is an index to name
    while not terminated:
        if rng.random() < 0.7:  # or the same batch again: measured and counted again, or wasted
            action = env.action_space.sample()
        observation, reward, terminated, _, info = env.step(action)
        rewards.append(reward)
        batches.append(info["true_values"].tolist())
        wasted.append([False] * q)
        if name == "Landscapes":
            for slot, design in enumerate(action.tolist()):
                wasted[-1][slot] = design in measured
                measured.add(design)
        if name in SMALL:
            expected = [truth[x] for x in action]
            expected = [0 if w else v for v, w in zip(expected, wasted[-1], strict=True)]
            assert batches[-1] == expected
        so_far = shown + [
            value
            for batch, waste in zip(batches, wasted, strict=True)
            for value, gone in zip(batch, waste, strict=True)
            if not gone
        ]
        assert info["best_value"] == pytest.approx(max(so_far), abs=1e-6)
        assert info["regret"] == pytest.approx(info["optimum"] - max(so_far), abs=1e-6)
        assert (info["wasted"], info["infeasible"]) == (sum(wasted[-1]), 0)
        assert observation["observed"].sum() == size + sum(w.count(False) for w in wasted)
        if utility.startswith("last") and not terminated:
            assert reward == 0.0
        if utility == "best":
            assert reward >= 0.0
        if utility == "total":
            assert reward == pytest.approx(math.fsum(batches[-1]), abs=1e-9)
        if utility == "recommendation":
            assert math.fsum(rewards) == pytest.approx(best_mean(env, observation), abs=1e-9)
    assert len(batches) in range(*np.add(env.horizons, (0, 1)))
    assert math.fsum(rewards) == pytest.approx(info["utility"], abs=1e-9)
    if utility != "recommendation":
        expected = worth(utility, base, batches, wasted)
        assert info["utility"] == pytest.approx(expected, abs=1e-6)


def fitting(start: dict[str, Any], env: CampaignEnv) -> dict[str, Any]:
    """A start of no more designs than every instance of a small problem shows."""
    if "size" not in start:
        return start
    most = env.design_space.size
    if start["kind"] == "percentile":  # the percentile of n values is at least the k-th lowest
        most = int((most - 1) * start["percentile"] / 100) + 1
    return {**start, "size": min(start["size"], most)}


def true_values_of(env: CampaignEnv) -> list[float]:
    """The true value of every design of a bandit or a landscape, looked up in the campaign."""
    (instance,) = (array[0] for array in env.campaigns.instances.values())
    return list(instance if instance.shape else env.problem.matrix[instance])


def best_mean(env: CampaignEnv, observation: dict[str, Any]) -> float:
    """The largest posterior mean of a design, in plain Python."""
    problem, n = env.problem, int(observation["observed"].sum())
    designs = observation["designs"][:n, 0].tolist()
    data = list(zip(designs, observation["measurements"][:n].tolist(), strict=True))
    if problem.repeats:  # a bandit: successes and failures are added to a and b
        means = list(problem.known)
        for arm, (a, b) in enumerate(problem.priors):
            pulls = [value for design, value in data if design == arm]
            means.append((a + sum(pulls)) / (a + b + len(pulls)))
        return max(means)
    noise = list(zip(problem.noise_values, problem.noise_weights, strict=True))
    weights = []
    for landscape, prior in zip(problem.matrix, problem.weights, strict=True):
        likelihood = [
            sum(p for error, p in noise if abs(landscape[x] + error - value) < 1e-6)
            for x, value in data
        ]
        weights.append(prior * math.prod(likelihood))
    total = math.fsum(weights)
    return max(
        sum(weight * value for weight, value in zip(weights, column, strict=True)) / total
        for column in zip(*problem.matrix, strict=True)
    )


def test_the_median_of_an_even_batch_is_the_mean_of_the_middle_two() -> None:
    for q, expected in ((1, 4.0), (2, 4.0), (3, 4.0), (4, 4.5), (5, 5.0)):
        env = CampaignEnv(Table([4.0, 4.0, 5.0, 9.0, 7.0]), batch_size=q, horizon=1, **MEDIAN)
        env.reset(seed=0)
        info = env.step(list(range(q)))[4]
        assert info["utility"] == expected == statistics.median([4.0, 4.0, 5.0, 9.0, 7.0][:q])


MEDIAN: dict[str, Any] = {"utility": "last_median", "start": {"kind": "none"}}


# --- a problem that is a table -------------------------------------------------------------------


class Table(Problem):
    """Candidates with given values; NaN where one cannot be measured. Instances add a constant."""

    floor = -7.0

    def __init__(
        self, values: Sequence[float], *, repeats: bool = True, shifts: Sequence[float] = (0.0,)
    ) -> None:
        self.values = np.array(values, np.float64)
        self.shifts = np.array(shifts, np.float64)
        self.repeats = repeats
        self.design_space = CandidateDesigns(np.arange(len(values))[:, None] / len(values))

    def draw(self, draws: RowDraws) -> Instances:
        return {"shift": draws.draw(lambda rng: rng.choice(self.shifts))}

    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
        values = np.nan_to_num(self.values[designs[..., 0]], nan=1e9)  # not to be seen
        return values + instances["shift"][:, None]

    def feasible(self, instances: Instances, designs: Designs) -> NDArray[np.bool_] | None:
        return None if self.repeats else ~np.isnan(self.values[designs[..., 0]])


class Holes(Table):
    """Measures a design as often as it is proposed, where it can."""

    def feasible(self, instances: Instances, designs: Designs) -> NDArray[np.bool_]:
        return ~np.isnan(self.values[designs[..., 0]])


NOTHING = {"kind": "none"}


def play(problem: Problem, batches: Sequence[Sequence[int]], **arguments: Any) -> list[Any]:
    """The results of reset and of each step."""
    arguments = {"start": NOTHING, **arguments}
    env = CampaignEnv(
        problem, horizon=len(batches), batch_size=len(batches[0]), noise_std=0.0, **arguments
    )
    return [env.reset(seed=0), *(env.step(list(batch)) for batch in batches)]


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


@pytest.mark.parametrize("utility", NAMES)
@pytest.mark.parametrize(("batches", "true_values", "wasted", "measured"), WASTE)
def test_where_nothing_is_measured_twice_a_repeat_is_wasted(
    batches: list[list[int]],
    true_values: list[list[float]],
    wasted: list[int],
    measured: list[int],
    utility: str,
) -> None:
    """A wasted slot is worth 0 and leaves no row; so is what is proposed when all is measured."""
    values = [-5.0, -2.0, 1.0, 3.0, -1.0]
    table = Table(values, repeats=False)
    results = play(table, batches, utility=utility)
    assert [result[4]["true_values"].tolist() for result in results[1:]] == true_values
    assert [result[4]["wasted"] for result in results[1:]] == wasted
    assert all(type(result[4]["wasted"]) is int for result in results[1:])
    last = results[-1]
    assert last[4]["utility"] == pytest.approx(sum(result[1] for result in results[1:]))
    if utility != "best":
        assert last[4]["utility"] == pytest.approx(worth(utility, 0.0, true_values))
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
    table = Table([-5.0, -2.0, 1.0, 3.0], repeats=False)
    results = play(table, [[0, 3, 1]], start={"kind": "percentile", "percentile": 50})
    assert sorted(results[0][0]["designs"][:2, 0]) == [0, 1]
    assert results[1][4]["wasted"] == 2
    assert results[1][4]["true_values"].tolist() == [0.0, 3.0, 0.0]
    assert results[1][0]["designs"][:3, 0].tolist()[2] == 3
    assert results[1][4]["utility"] == 5.0  # 3 - (-2)


def test_a_design_that_stands_for_the_padding_is_not_taken_for_measured() -> None:
    """Rows that are not in use hold zeros, and so does the first candidate."""
    results = play(Table([2.0, 1.0], repeats=False), [[1], [0]], utility="total")
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
    results = play(Table([math.nan, 1.0], repeats=False), [[0, 0], [0, 1]], utility="total")
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
        [math.nan, -2.0, 1.0, 3.0, math.nan, 0.5], repeats=False, shifts=(0.0, 1.0, 2.0)
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
            super().__init__([0.0], repeats=False)
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
