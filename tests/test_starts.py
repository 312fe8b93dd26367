"""What a campaign begins with: which designs, how many, how likely, and in which order."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from ombo_gym.campaign import Campaigns
from ombo_gym.design_spaces import CategoricalDesigns
from ombo_gym.env import CampaignEnv
from ombo_gym.outcomes import ALL
from ombo_gym.problems.core.base import Problem
from ombo_gym.problems.data import load_table
from ombo_gym.problems.own.function import Function
from ombo_gym.reset_options import ResetOptions
from ombo_gym.settings import Settings
from ombo_gym.starts import STARTS, make_start
from ombo_gym.vector_env import CampaignVectorEnv
from tests.envs.cases import COINS, IDS, WIDE, proposals
from tests.pools import Pool, begun

LETTERS = "ACGT"


def code(designs: NDArray[np.int64]) -> NDArray[np.int64]:
    return designs @ 4 ** np.arange(7, -1, -1)


# --- none and random -----------------------------------------------------------------------------


@pytest.mark.parametrize("env_id", IDS)
def test_without_a_start_the_dataset_is_empty(env_id: str) -> None:
    env = gym.make(env_id, start={"kind": "none"}, horizon=2, batch_size=3)
    observation, info = env.reset(seed=0)
    assert observation["observed"].tolist() == [0] * 6
    assert not observation["designs"].any() and not observation["measurements"].any()
    assert info["best_value"] == 0.0
    observation, _, _, _, info = env.step(proposals(env, 1, 0)[0])
    assert observation["observed"].tolist() == [1, 1, 1, 0, 0, 0]
    assert info["best_value"] == info["true_values"].max()


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize("size", [1, 7, 200])
def test_a_random_start_has_size_designs_at_the_front(env_id: str, size: int) -> None:
    start = {"kind": "random", "size": size}
    env = gym.make(env_id, start=start, horizon=1, batch_size=2, **WIDE.get(env_id, {}))
    observation, info = env.reset(seed=0)
    assert observation["observed"].tolist() == [1] * size + [0, 0]
    designs = observation["designs"][:size]
    assert len(np.unique(designs, axis=0)) == size
    true_values = observation["measurements"][:size]
    if env_id in COINS:
        true_values = env.unwrapped.campaigns.instances["probabilities"][0, designs[:, 0]]
    assert info["best_value"] == pytest.approx(true_values.max(), abs=1e-6)


@pytest.mark.parametrize("env_id", sorted(WIDE))
def test_where_there_are_few_designs_a_larger_random_start_is_refused(env_id: str) -> None:
    size = gym.make(env_id).unwrapped.design_space.size
    gym.make(env_id, start={"kind": "random", "size": size}).reset(seed=0)
    with pytest.raises(ValueError, match=rf"start: .*at most {size}.*got {size + 1}"):
        gym.make(env_id, start={"kind": "random", "size": size + 1})


def test_random_starts_are_uniform_in_the_box() -> None:
    designs = CampaignVectorEnv(500, "GP", dim=3, features=1).reset(seed=0)[0]["designs"][:, :4]
    assert designs.dtype == np.float32
    for coordinate in designs.reshape(-1, 3).T:
        assert stats.kstest(coordinate, "uniform", (-1, 2)).pvalue > 1e-4
    correlations = np.corrcoef(designs.reshape(500, 12).T)[np.triu_indices(12, 1)]
    assert np.abs(correlations).max() < 4.5 / np.sqrt(500)


def test_random_starts_on_finite_spaces_are_without_replacement() -> None:
    whole = begun(Pool(range(6)), {"kind": "random", "size": 6}, 300)
    drawn = whole.designs[:, :6, 0]
    np.testing.assert_array_equal(np.sort(drawn, axis=1), np.tile(np.arange(6), (300, 1)))
    places = np.array([[np.mean(drawn[:, place] == i) for i in range(6)] for place in range(6)])
    assert np.abs(places - 1 / 6).max() < 5 * np.sqrt(5 / 36 / 300), "in random order"


def test_each_set_of_designs_is_equally_likely_at_the_start() -> None:
    drawn = begun(Pool(range(5)), {"kind": "random", "size": 2}, 4000).designs[:, :2, 0]
    counts = Counter(map(tuple, drawn.tolist()))
    assert len(counts) == 20
    assert stats.chisquare(list(counts.values())).pvalue > 1e-4


@pytest.mark.parametrize("size", [1, 2, 3])
def test_random_starts_are_of_feasible_designs(size: int) -> None:
    """Three of eight can be measured; each choice of them is equally likely."""
    nan = math.nan
    pool = Pool([nan, 1.0, nan, 2.0, nan, nan, 3.0, nan])
    drawn = begun(pool, {"kind": "random", "size": size}, 1200).designs[:, :size, 0]
    assert set(np.unique(drawn)) == {1, 3, 6}
    counts = Counter(map(tuple, drawn.tolist()))
    assert len(counts) == math.perm(3, size)
    assert stats.chisquare(list(counts.values())).pvalue > 1e-4


@pytest.mark.parametrize("kind", ["random", "space_filling"])
def test_what_one_campaign_starts_with_does_not_depend_on_how_lucky_its_neighbours_are(
    kind: str,
) -> None:
    pool = Pool([math.nan] * 12 + [1.0, 2.0, 3.0] + [math.nan, 4.0] * 8)
    many = begun(pool, {"kind": kind, "size": 3}, 50)
    for key in range(0, 50, 7):
        alone = Campaigns(pool, Settings(start={"kind": kind, "size": 3}), 1)
        alone.reset(ALL, np.array([key], np.uint64), ResetOptions.none(1))
        np.testing.assert_array_equal(alone.designs[0, :3], many.designs[key, :3])


def test_slices_of_a_box_do_not_depend_on_how_many_draws_the_neighbours_need() -> None:
    def half(design: dict[str, float]) -> float:
        return design["x"] if design["x"] + design["y"] < 1 else math.nan

    problem = Function(half, {"x": (0, 1), "y": (0, 1)}, floor=0.0)
    start = {"kind": "percentile", "percentile": 2}
    many = begun(problem, start, 4)
    for key in range(4):
        alone = Campaigns(problem, Settings(horizon=1, batch_size=1, start=start), 1)
        alone.reset(ALL, np.array([key], np.uint64), ResetOptions.none(1))
        np.testing.assert_array_equal(alone.designs[0], many.designs[key])


def test_starts_that_cannot_be_had_are_errors_that_say_how_many_there_are() -> None:
    with pytest.raises(ValueError, match=r"start: .*at most 5.*got 6"):
        make_start({"kind": "random", "size": 6}, Pool(range(5)))
    with pytest.raises(RuntimeError, match="no 2 designs that can be measured among 42"):
        begun(Pool([math.nan, 1.0]), {"kind": "random", "size": 2}, 1)
    with pytest.raises(ValueError, match=r"start: .*none.*percentile.*random.*got .*'best'"):
        make_start({"kind": "best"}, Pool(range(5)))
    assert sorted(STARTS) == ["listed", "none", "percentile", "random", "space_filling"]


# --- percentile on measured landscapes -----------------------------------------------------------


@pytest.fixture(scope="module")
def six6() -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Codes and scores of the rows as Design-Bench lists them: both strands of every 8-mer."""
    table = load_table("tf_binding")
    scores = table["scores"][list(table["factors"]).index("SIX6_REF_R1")] / 100_000
    forward = table["designs"].astype(np.int64)
    digits = forward[:, None] // 4 ** np.arange(7, -1, -1) % 4
    backward = code(3 - digits[:, ::-1])
    scaled = (scores - scores.min()) / (scores.max() - scores.min())
    return np.concatenate([forward, backward]), np.concatenate([scaled, scaled])


def test_the_default_start_of_tfbind8_is_the_visible_slice_of_design_bench(six6: Any) -> None:
    codes, scores = six6
    env = gym.make("Ombo/TFBind8-v0", horizon=1, batch_size=128)
    observation, info = env.reset(seed=0)
    assert observation["observed"].sum() == 32_898
    assert observation["designs"].shape == (32_898 + 128, 8)
    designs = observation["designs"][:32_898]
    assert len(np.unique(designs, axis=0)) == 32_768
    assert info["best_value"] == pytest.approx(0.43929616, abs=1e-8)
    assert observation["measurements"].max() == info["best_value"]
    assert info["optimum"] == 1.0 and info["optimum_exact"] is True
    assert info["regret"] == 1.0 - info["best_value"]
    visible = scores <= np.percentile(scores, 50)
    assert Counter(code(designs).tolist()) == Counter(codes[visible].tolist())
    by_code = dict(zip(codes.tolist(), scores.tolist(), strict=True))
    expected = np.array([by_code[c] for c in code(designs).tolist()])
    np.testing.assert_array_equal(observation["measurements"][:32_898], expected)


def test_the_order_of_a_full_slice_is_random_and_another_in_each_campaign() -> None:
    env = gym.make("Ombo/TFBind8-v0", horizon=1)
    first, second = (code(env.reset(seed=s)[0]["designs"][:32_898]) for s in (0, 1))
    assert (first != second).mean() > 0.99
    assert abs(stats.spearmanr(first, np.arange(32_898)).statistic) < 0.03
    np.testing.assert_array_equal(np.sort(first), np.sort(second))


def test_the_best_designs_of_tfbind8_are_worth_1() -> None:
    env = gym.make("Ombo/TFBind8-v0", horizon=1, batch_size=3)
    env.reset(seed=0)
    action = [LETTERS.index(letter) for letter in "AGGTATCA" + "TGATACCT" + "AAAAAAAA"]
    info = env.step(action)[4]
    assert info["true_values"][:2].tolist() == [1.0, 1.0] and info["true_values"][2] < 1
    assert info["best_value"] == 1.0 and info["regret"] == 0.0


def test_size_draws_visible_rows_without_replacement(six6: Any) -> None:
    codes, scores = six6
    visible = codes[scores <= np.percentile(scores, 50)]
    listed = Counter(visible.tolist())
    start = {"kind": "percentile", "percentile": 50, "size": 64}
    observation, info = CampaignVectorEnv(200, "TFBind8", start=start).reset(seed=0)
    assert (observation["observed"].sum(axis=1) == 64).all()
    assert (info["best_value"] <= 0.43929617).all()
    drawn = code(observation["designs"][:, :64])
    for row in drawn.tolist():
        assert all(count <= listed[c] for c, count in Counter(row).items())
    by_code = dict(zip(codes.tolist(), scores.tolist(), strict=True))
    values = np.array([by_code[c] for c in drawn.ravel().tolist()])
    population = np.array([by_code[c] for c in visible.tolist()])
    assert stats.ks_2samp(values, population).pvalue > 1e-4, "uniform over the visible rows"


@pytest.mark.parametrize("percentile", [0, 1, 12.5, 99.9, 100])
def test_a_percentile_is_inclusive_as_numpy_counts_it(six6: Any, percentile: float) -> None:
    _, scores = six6
    start = {"kind": "percentile", "percentile": percentile}
    observation, info = CampaignEnv("TFBind8", start=start).reset(seed=0)
    count = int(observation["observed"].sum())
    cut = np.percentile(scores, percentile)
    assert count == (scores <= cut).sum()
    assert info["best_value"] == scores[scores <= cut].max()


def test_every_factor_has_its_own_slice() -> None:
    """Without a size, datasets of different lengths are padded to the longest."""
    table = load_table("tf_binding")
    factors = ["CRX_REF_R1", "SIX6_REF_R1", "WT1_REF_R1"]
    indices = [list(table["factors"]).index(factor) for factor in factors]
    slices = []
    for scores in table["scores"][indices]:
        both = np.concatenate([scores, scores])
        slices.append(int((both <= np.percentile(both, 5)).sum()))
    assert len(set(slices)) > 1
    start = {"kind": "percentile", "percentile": 5}
    env = CampaignVectorEnv(40, "TFBinding", factors=factors, start=start, batch_size=2, horizon=1)
    observation, _ = env.reset(seed=0)
    assert observation["observed"].shape == (40, max(slices) + 2)
    drawn = env.campaigns.instances["factor"]
    assert set(drawn) == {0, 1, 2}
    assert observation["observed"].sum(axis=1).tolist() == [slices[i] for i in drawn]
    env.action_space.seed(0)
    actions = env.action_space.sample()
    observation = env.step(actions)[0]
    for row, factor in enumerate(drawn):
        n = slices[factor]
        assert observation["observed"][row].sum() == n + 2
        np.testing.assert_array_equal(observation["designs"][row, n : n + 2].ravel(), actions[row])
        assert not observation["designs"][row, n + 2 :].any()


def test_a_size_that_some_factor_lacks_is_an_error_that_says_how_many_there_are() -> None:
    start = {"kind": "percentile", "percentile": 0, "size": 3}
    with pytest.raises(ValueError, match=r"start: .*at most \d.*got 3"):
        CampaignVectorEnv(60, "TFBinding", start=start).reset(seed=0)


# --- percentile elsewhere ------------------------------------------------------------------------


@pytest.mark.parametrize("percentile", [0, 10, 33.3, 50, 100])
def test_on_continuous_spaces_the_listing_is_1024_uniform_designs(percentile: float) -> None:
    def start_of(share: float, **more: Any) -> tuple[set[tuple[float, ...]], list[float]]:
        start = {"kind": "percentile", "percentile": share, **more}
        observation, _ = CampaignEnv("GP", start=start, noise_std=0.0).reset(seed=6)
        count = int(observation["observed"].sum())
        designs = observation["designs"][:count]
        assert len(observation["observed"]) == count + 20
        return {tuple(x) for x in designs.tolist()}, observation["measurements"][:count].tolist()

    listing, values = start_of(100)
    assert len(listing) == 1024
    for coordinate in np.array(sorted(listing)).T:
        assert stats.kstest(coordinate, "uniform", (-1, 2)).pvalue > 1e-4
    shown, lowest = start_of(percentile)
    cut = np.percentile(values, percentile)
    assert shown <= listing
    assert sorted(lowest) == sorted(value for value in values if value <= cut + 1e-7)
    single, _ = start_of(percentile, size=1)
    assert len(single) == 1 and single <= shown


def test_a_slice_of_a_pool_is_by_the_values_of_each_instance_ties_included() -> None:
    pool = Pool([5.0, 1.0, 3.0, 3.0, 3.0, 9.0])
    many = begun(pool, {"kind": "percentile", "percentile": 40}, 50)
    assert set(many.instances["shift"]) == {0.0, 10.0}
    assert (many.num_observed == 4).all()
    for row in range(50):
        assert sorted(many.designs[row, :4, 0]) == [1, 2, 3, 4]
        shift = many.instances["shift"][row]
        assert many.best_value[row] == 3.0 + shift
        assert sorted(many.measurements[row, :4] - shift) == [1, 3, 3, 3]


def test_a_slice_is_of_what_can_be_measured() -> None:
    pool = Pool([5.0, math.nan, 3.0, 4.0])
    many = begun(pool, {"kind": "percentile", "percentile": 50}, 5)
    assert (many.num_observed == 2).all()
    assert (np.sort(many.designs[:, :2, 0], axis=1) == [2, 3]).all()


def test_slices_of_a_thousand_campaigns_fit_into_memory() -> None:
    import tracemalloc

    env = CampaignVectorEnv(256, "GP", start={"kind": "percentile", "size": 8})
    tracemalloc.start()
    env.reset(seed=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6, "not 256 x 1,024 x 256 waves at once"


def test_a_size_that_some_campaigns_could_not_give_is_refused_when_the_environment_is_made():
    start = {"kind": "percentile", "percentile": 10, "size": 6584}
    with pytest.raises(ValueError, match="size of at most"):
        gym.make("Ombo/TFBinding-v0", start=start)


@pytest.mark.parametrize(
    ("drawn", "came"), [({}, "none"), (np.zeros((1, 2)), "array"), (None, "None")]
)
def test_a_problem_that_draws_nothing_is_told_what_to_draw(drawn, came):
    class Fixed(Problem):
        def __init__(self):
            self.design_space = CategoricalDesigns([4, 4])

        def draw(self, rngs):
            return drawn

        def evaluate(self, instances, designs):
            return designs.sum(axis=-1).astype(float)

    with pytest.raises(ValueError, match=f"at least one array .* in a dict .* got .*{came}"):
        CampaignEnv(Fixed(), start={"kind": "percentile"}).reset(seed=0)


def test_the_native_environment_has_no_other_end_than_the_horizon():
    with pytest.raises(ValueError, match="horizon=2"):
        gym.make_vec("Ombo/GP-v0", num_envs=2, max_episode_steps=2)
