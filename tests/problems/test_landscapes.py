"""Finitely many landscapes: their families, what is drawn and shown, and Bayes' rule by hand."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from scipy import stats

import ombo_gym
from ombo_gym.env import CampaignEnv
from ombo_gym.problems.synthetic.landscape_families import FAMILIES
from ombo_gym.randomness import KeyedGenerator, Stream
from ombo_gym.vector_env import CampaignVectorEnv
from tests.envs.cases import assert_same

NAN, INF = float("nan"), float("inf")
BLURRED = {"values": [-0.5, 0.0, 0.5], "probabilities": [0.25, 0.5, 0.25]}
OWN: dict[str, Any] = {
    "matrix": [[0.0, 1.0, 0.5, 2.0], [0.5, 1.0, 0.0, -1.0], [1.0, 0.0, 0.5, 0.0]],
    "weights": [1, 2, 5],
    "noise": BLURRED,
}


def problem(**arguments: Any) -> Any:
    return ombo_gym.make_problem("Landscapes", **arguments)


# --- arguments -----------------------------------------------------------------------------------

TWO = [[0, 1], [1, 0]]
NOISES = [
    {"values": [0], "probabilities": [1], "more": 1},
    {"values": [0, 0], "probabilities": [0.5, 0.5]},
    {"values": [1, 0], "probabilities": [0.5, 0.5]},
    {"values": [], "probabilities": []},
    {"values": [0, 1], "probabilities": [1]},
    {"values": [0, 1], "probabilities": [0, 0]},
    {"values": [0, 1], "probabilities": [-1, 2]},
    {"values": [0, 1], "probabilities": None},
    {"values": [0, INF], "probabilities": [1, 1]},
    {"values": ["0"], "probabilities": [1]},
    {"values": 0, "probabilities": 1},
    {"values": [0]},
    [0.1],
    "normal",
    3,
    {},
]
NO_MATRICES = [[], [[]], [1, 2], [[1, 2], [3]], [[NAN]], [[INF]], "ab", [["1"]], [[None]], 3]
NO_MATRICES += [[[[1]]], [[1j]], {}, [[True]]]
NO_WEIGHTS = [[1], [1, 2, 3], [0, 0], [-1, 2], [NAN, 1], [INF, 1], "ab", 1, ["1", "1"], [[1, 1]]]
NO_PROBABILITIES = [-0.1, 1.1, NAN, "0.5", None, [0.5], True]
NO_COUNTS = [0, -1, 2.0, NAN, "3", None, [3], True]
NO_SCALES = [0, -1, NAN, INF, "1", None, [1], True]
BAD: list[tuple[str, Any, dict[str, Any]]] = [
    *[("name", value, {}) for value in ("sign", 3, ["signpost"], True)],
    *[("matrix", value, {}) for value in NO_MATRICES],
    *[("weights", value, {"matrix": TWO}) for value in NO_WEIGHTS],
    *[("noise", value, more) for value in NOISES for more in ({}, {"matrix": TWO})],
    *[("K", value, {"name": name}) for value in NO_COUNTS for name in ("signpost", None)],
    *[("K", value, {"name": "blurred_signpost"}) for value in NO_COUNTS],
    *[("blur", value, {"name": "blurred_signpost"}) for value in (0, 1, *NO_PROBABILITIES)],
    *[
        (p, value, {"name": "clique"})
        for value in NO_PROBABILITIES
        for p in ("p_clique", "p_single")
    ],
    *[("draws", value, {"name": "gp"}) for value in NO_COUNTS],
    *[("lengthscale", value, {"name": "gp"}) for value in NO_SCALES],
    *[("rounding", value, {"name": "gp"}) for value in NO_SCALES],
    *[("seed", value, {"name": "gp"}) for value in (-1, 1.5, "1", None, [1], True)],
    *[("levels", value, {"name": "dose"}) for value in NO_COUNTS],
    *[("harm", value, {"name": "dose"}) for value in (-1, NAN, INF, "1", None, [1], True)],
    *[
        ("probabilities", value, {"name": "independent"})
        for value in ([], [2], [-1], [NAN], 0.5, "a", ["0.5"], None, [[0.5]], [0.1] * 13, [True])
    ],
]


@pytest.mark.parametrize(("name", "value", "more"), BAD)
def test_a_bad_argument_is_a_value_error_that_names_it(
    name: str, value: Any, more: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=f"^{name}.*: expected .*got"):
        gym.make("Ombo/Landscapes-v0", **{**more, name: value})


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"k": 3}, TypeError, r"argument 'k': signpost takes .*\['K'\].*got \['k'\]"),
        ({"name": "tent8", "K": 3}, TypeError, r"tent8 takes the parameters \[\].*got \['K'\]"),
        ({"name": "gp", "length": 3}, TypeError, r"gp takes .*'lengthscale'.*got \['length'\]"),
        ({"matrix": TWO, "K": 3}, TypeError, "argument 'K': a matrix goes without .*'K': 3"),
        ({"weights": [1]}, ValueError, "weights: .*matrix"),
        ({"matrix": TWO, "name": "tent8"}, ValueError, "matrix: .*got name='tent8'"),
        ({"name": "other"}, ValueError, "name: .*blurred_signpost.*clique.*tent8.*got 'other'"),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        gym.make("Ombo/Landscapes-v0", **arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        OWN,
        {"matrix": TWO, "weights": [0.25, 0.75]},
        {"name": "gp", "draws": 16, "lengthscale": 2.0, "rounding": 0.25, "seed": 3},
        {"K": 3, "noise": BLURRED},
    ],
)
def test_the_spec_survives_json(arguments: dict[str, Any]) -> None:
    env = gym.make("Ombo/Landscapes-v0", utility="recommendation", batch_size=2, **arguments)
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert again.spec == env.spec
    for each in (env, again):
        each.action_space.seed(0)
    for seed in range(3):
        assert_same(again.reset(seed=seed), env.reset(seed=seed))
        for _ in range(5):
            ours, theirs = (each.step(each.action_space.sample()) for each in (env, again))
            assert_same(ours, theirs)


def test_arrays_and_numpy_numbers_are_taken_too() -> None:
    assert_same(
        problem(matrix=np.array(TWO), weights=np.array([1, 3])).prior.likelihood,
        problem(matrix=TWO, weights=[0.25, 0.75]).prior.likelihood,
    )
    given = np.array(TWO, float)
    taken = problem(matrix=given)
    given[:] = 7
    np.testing.assert_array_equal(taken.prior.matrix, TWO)
    assert problem(name="signpost", K=np.int64(3)).prior.matrix.shape == (3, 4)


# --- families ------------------------------------------------------------------------------------


def test_signpost_is_the_default_and_reads_where_the_prize_is() -> None:
    for K in (1, 3, 6, 20):
        sign = problem(K=K)
        expected = [
            [j / 100 if x == 0 else float(x == j) for x in range(K + 1)] for j in range(1, K + 1)
        ]
        assert sign.prior.matrix.tolist() == expected
        np.testing.assert_allclose(sign.prior.weights, 1 / K)
    assert problem().prior.matrix.tolist() == problem(name="signpost", K=6).prior.matrix.tolist()


def test_blurred_signpost_is_misread_by_one_prize_to_either_side() -> None:
    for K in range(1, 30):  # readings are told apart however their sums were rounded
        sign = problem(name="blurred_signpost", K=K, blur=0.3)
        assert sign.prior.matrix.tolist() == problem(K=K).prior.matrix.tolist()
        readings = sign.prior.outcomes[0][np.isfinite(sign.prior.outcomes[0])]
        np.testing.assert_allclose(readings, np.arange(K + 2) / 100, atol=1e-7)
        for j in range(1, K + 1):
            expected = np.zeros(K + 2)
            expected[[j - 1, j, j + 1]] = 0.15, 0.7, 0.15
            np.testing.assert_allclose(sign.prior.likelihood[0, : K + 2, j - 1], expected)
    assert np.allclose(problem(name="blurred_signpost").prior.noise_weights, [0.25, 0.5, 0.25])


def test_tent8_has_a_tent_for_every_centre_and_width() -> None:
    tents = problem(name="tent8")
    expected = {
        tuple(max(0.0, 1 - abs(x - c) / w) for x in range(8)) for c in range(8) for w in (1, 2, 4)
    }
    assert len(expected) == 24
    assert sorted(map(tuple, tents.prior.matrix.tolist())) == sorted(expected)
    np.testing.assert_allclose(tents.prior.weights, 1 / 24)


@pytest.mark.parametrize("p", [{}, {"p_clique": 0.5, "p_single": 0.125}])
def test_clique_is_four_designs_alike_and_four_for_themselves(p: dict[str, float]) -> None:
    clique = problem(name="clique", **p)
    p_clique, p_single = (Fraction(p.get(k, d)) for k, d in (("p_clique", 0.25), ("p_single", 0.3)))
    found = dict(
        zip(map(tuple, clique.prior.matrix.tolist()), clique.prior.weights.tolist(), strict=True)
    )
    assert len(found) == len(clique.prior.matrix) == 32
    for hits in product((0, 1), repeat=5):
        chances = [p_clique if hits[0] else 1 - p_clique]
        chances += [p_single if hit else 1 - p_single for hit in hits[1:]]
        assert found[(*[hits[0]] * 4, *hits[1:])] == pytest.approx(float(np.prod(chances)))
    weights, hits = clique.prior.weights, clique.prior.matrix
    np.testing.assert_allclose(weights @ hits, [float(p_clique)] * 4 + [float(p_single)] * 4)
    covariance = (hits.T * weights) @ hits - np.outer(weights @ hits, weights @ hits)
    expected = np.zeros((8, 8))
    expected[:4, :4] = p_clique * (1 - p_clique)
    expected[range(4, 8), range(4, 8)] = p_single * (1 - p_single)
    np.testing.assert_allclose(covariance, expected, atol=1e-12)


@pytest.mark.parametrize("lengthscale", [1.5, 0.7])
def test_gp_is_drawn_from_the_squared_exponential_kernel_and_rounded(lengthscale: float) -> None:
    count = 4000
    drawn = problem(name="gp", draws=count, lengthscale=lengthscale, rounding=1e-6)
    x = np.arange(8)
    kernel = np.exp(-((x[:, None] - x) ** 2) / (2 * lengthscale**2))
    products = drawn.prior.matrix[:, :, None] * drawn.prior.matrix[:, None]
    error = products.std(axis=0) / np.sqrt(count)
    assert (np.abs(products.mean(axis=0) - kernel) < 5 * error).all()
    assert stats.kstest(drawn.prior.matrix[:, 3], "norm").pvalue > 1e-4
    rounded = problem(name="gp", draws=count, lengthscale=lengthscale)
    np.testing.assert_array_equal(rounded.prior.matrix, np.round(2 * drawn.prior.matrix) / 2)
    np.testing.assert_allclose(rounded.prior.weights, 1 / count)


def test_gp_by_default_is_64_draws_that_never_change_and_others_by_seed() -> None:
    default = problem(name="gp")
    assert default.prior.matrix.shape == (64, 8)
    explicit = problem(name="gp", draws=64, lengthscale=1.5, rounding=0.5, seed=0)
    np.testing.assert_array_equal(default.prior.matrix, explicit.prior.matrix)
    assert not np.signbit(default.prior.matrix[default.prior.matrix == 0]).any()
    assert (problem(name="gp", seed=1).prior.matrix != default.prior.matrix).any()


def test_dose_helps_the_more_up_to_the_largest_tolerated_and_harms_beyond() -> None:
    doses = problem(name="dose", levels=4, harm=2)
    assert doses.prior.matrix.tolist() == [
        [-2.0, -2.0, -2.0, -2.0],
        [0.25, -2.0, -2.0, -2.0],
        [0.25, 0.5, -2.0, -2.0],
        [0.25, 0.5, 0.75, -2.0],
        [0.25, 0.5, 0.75, 1.0],
    ]
    np.testing.assert_allclose(doses.prior.weights, 1 / 5)
    assert problem(name="dose").prior.matrix.shape == (9, 8)
    assert problem(name="dose").prior.matrix.min() == 0


def test_independent_designs_hit_each_for_itself() -> None:
    odds = [0.5, 0.2, 1.0]
    hits = problem(name="independent", probabilities=odds)
    found = dict(
        zip(map(tuple, hits.prior.matrix.tolist()), hits.prior.weights.tolist(), strict=True)
    )
    for hit in product((0, 1), repeat=3):
        chance = np.prod([p if h else 1 - p for h, p in zip(hit, odds, strict=True)])
        assert found[hit] == pytest.approx(chance)
    assert problem(name="independent").prior.matrix.shape == (256, 8)


def test_these_are_all_families_and_each_can_be_played() -> None:
    assert set(FAMILIES) == {
        "signpost", "blurred_signpost", "tent8", "clique", "gp", "dose", "independent",
    }  # fmt: skip
    for name in FAMILIES:
        env = CampaignEnv("Landscapes", name=name, horizon=1, utility="recommendation")
        env.reset(seed=0)
        assert env.step(env.action_space.sample())[2]


# --- what is drawn -------------------------------------------------------------------------------


def test_landscapes_are_drawn_with_their_prior_weights() -> None:
    num_campaigns, weights = 20_000, np.array([3, 0, 1, 0.5, 0])
    landscapes = problem(matrix=np.arange(10).reshape(5, 2), weights=weights)
    keys = np.arange(num_campaigns, dtype=np.uint64)
    drawn = landscapes.draw(KeyedGenerator(keys, Stream.INSTANCE))["landscape"]
    counts = np.bincount(drawn, minlength=5)
    assert counts[1] == counts[4] == 0
    possible = weights > 0
    expected = num_campaigns * weights[possible] / weights.sum()
    assert stats.chisquare(counts[possible], expected).pvalue > 1e-4


def test_the_optimum_is_the_landscapes_best() -> None:
    env = CampaignVectorEnv(50, "Landscapes", **OWN)
    _, info = env.reset(seed=0)
    best = np.array(OWN["matrix"]).max(axis=1)
    np.testing.assert_array_equal(info["optimum"], best[env.campaigns.instances["landscape"]])
    assert info["optimum_exact"].all()


def noises(num_campaigns: int, batch: list[int], **arguments: Any) -> np.ndarray:
    """What one round measures beyond true values, (num_campaigns, q)."""
    env = CampaignVectorEnv(
        num_campaigns, "Landscapes", horizon=2, batch_size=len(batch), **{**OWN, **arguments}
    )
    env.reset(seed=0)
    observation, _, _, _, info = env.step(np.tile(batch, (num_campaigns, 1)))
    return observation["measurements"][:, : len(batch)] - info["true_values"]


def test_without_noise_measurements_are_true_values() -> None:
    assert not noises(200, [0, 1, 3], noise=None).any()
    assert (noises(200, [0, 1, 3], noise={"values": [0.5], "probabilities": [9]}) == 0.5).all()


def test_finite_noise_has_its_distribution_in_every_slot_and_is_independent() -> None:
    num_campaigns, probabilities = 8000, [0.25, 0.5, 0.25]
    noise = noises(num_campaigns, [2, 0, 1])
    for slot in noise.T:
        counts = [(slot == value).sum() for value in BLURRED["values"]]
        assert sum(counts) == num_campaigns
        assert stats.chisquare(counts, num_campaigns * np.array(probabilities)).pvalue > 1e-4
    correlations = np.corrcoef(noise.T)[np.triu_indices(3, 1)]
    assert np.abs(correlations).max() < 4.5 / np.sqrt(num_campaigns)


def test_finite_noise_goes_with_the_round_and_the_slot_and_not_with_what_is_proposed() -> None:
    np.testing.assert_array_equal(noises(500, [2, 0, 1]), noises(500, [1, 3, 2]))
    env = CampaignEnv("Landscapes", horizon=2, batch_size=2, **OWN)
    found = []
    for first, second in (([0, 1], [2, 3]), ([2, 3], [1, 0])):
        env.reset(seed=3)
        results = [env.step(first), env.step(second)]
        true_values = np.concatenate([result[4]["true_values"] for result in results])
        found.append(results[-1][0]["measurements"] - true_values)
    np.testing.assert_array_equal(*found)
    # The slot behind a wasted one is the slot it is.
    env.reset(seed=3)
    env.step([2, 3])
    observation, _, _, _, info = env.step([3, 0])
    assert observation["measurements"][2] - info["true_values"][1] == found[0][3]


# --- waste ---------------------------------------------------------------------------------------


def test_a_slot_that_repeats_is_wasted_and_so_are_those_beyond_the_last_design() -> None:
    env = CampaignEnv("Landscapes", K=4, horizon=4, batch_size=3, utility="total")
    observation, _ = env.reset(seed=0)
    (landscape,) = env.campaigns.instances["landscape"]
    truth = [(landscape + 1) / 100, *(float(j == landscape + 1) for j in range(1, 5))]
    counted = 0.0
    for batch, wasted, num_observed in (
        ([0, 2, 0], [False, False, True], 2),
        ([2, 2, 1], [True, True, False], 3),
        ([3, 4, 0], [False, False, True], 5),  # two were left
        ([1, 3, 4], [True, True, True], 5),  # none was
    ):
        observation, reward, _, _, info = env.step(batch)
        expected = [0 if gone else truth[x] for x, gone in zip(batch, wasted, strict=True)]
        assert info["true_values"].tolist() == expected
        assert reward == pytest.approx(sum(expected))
        assert info["wasted"] == sum(wasted) and observation["observed"].sum() == num_observed
        counted += reward
    assert observation["designs"][:6, 0].tolist() == [0, 2, 1, 3, 4, 0]
    assert info["utility"] == pytest.approx(counted) == pytest.approx(sum(truth))
    assert info["best_value"] == info["optimum"] == 1.0 and info["regret"] == 0.0


def test_what_a_start_shows_cannot_be_measured_again() -> None:
    env = CampaignEnv("Landscapes", K=3, start={"kind": "random", "size": 2}, batch_size=4)
    observation, _ = env.reset(seed=0)
    shown = observation["designs"][:2, 0].tolist()
    info = env.step([0, 1, 2, 3])[4]
    assert info["wasted"] == 2 and not info["true_values"][shown].any()
