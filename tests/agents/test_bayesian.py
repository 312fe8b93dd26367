"""Acquisition functions and trust regions against plain computations and the papers' statements."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import norm

import ombo_agents
from ombo_agents.bayesian.greedy_refined import RefinedGreedy
from ombo_agents.bayesian.turbo import Turbo
from ombo_agents.hyperparameters import settings_of
from ombo_gym.acquisition.local_penalization import PenalizedImprovement, steepest
from ombo_gym.acquisition.max_value_entropy import MaxValueInformation
from ombo_gym.design_spaces import BoxDesigns, CategoricalDesigns, MixedDesigns
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec, Repeats
from ombo_gym.surrogates.fantasies import FantasyPosterior
from ombo_gym.surrogates.marginals import Marginals
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import JITTER, Surrogate
from ombo_gym.vector_env import CampaignVectorEnv
from tests.controls.small_problems import Pool
from tests.surrogates.test_posterior import textbook_posterior

ROWS = 5


def generators(rows=ROWS, seed=0):
    return [np.random.default_rng([seed, i]) for i in range(rows)]


def some_marginals(rng, slots=0):
    shape = (2, 7)
    return [rng.normal(size=shape), rng.uniform(0.1, 1, shape), rng.normal(size=(2, slots, 7))]


def test_the_information_about_a_maximum_is_an_entropy_that_is_lost():
    """Of a normal distribution minus that of the same cut off at the maximum, by quadrature."""
    maxima, rng = np.array([[0.4, 1.5], [2.0, 0.2]]), np.random.default_rng(0)
    mean, sd, nothing = some_marginals(rng)
    found = MaxValueInformation(maxima).value(Marginals(mean, sd, nothing))
    for row in range(2):
        for point in range(7):
            lost = []
            for top in maxima[row]:
                each = norm(mean[row, point], sd[row, point])
                y = np.linspace(min(top, each.mean()) - 9 * each.std(), top, 200_001)
                density = np.exp(each.logpdf(y) - each.logcdf(top))
                entropy = -np.trapezoid(density * np.log(np.maximum(density, 1e-300)), y)
                lost.append(each.entropy() - entropy)
            assert found[row, point] == pytest.approx(np.mean(lost), abs=1e-4)


def test_its_slopes_are_those_of_finite_differences():
    rng = np.random.default_rng(1)
    score, numbers = MaxValueInformation(rng.normal(1, 1, (2, 3))), some_marginals(rng)
    slope = score.slope(Marginals(*numbers))
    for which, expected in enumerate((slope.mean, slope.sd)):
        up, down = (
            Marginals(*(n + sign * 1e-6 * (i == which) for i, n in enumerate(numbers)))
            for sign in (1, -1)
        )
        differences = (score.value(up) - score.value(down)) / 2e-6
        np.testing.assert_allclose(expected, differences, rtol=1e-5, atol=1e-7)


def penalized(seed: int, picks: int):
    """Data, candidates, picks and what is made of them."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-1, 1, (1, 6, 2)), rng.normal(size=(1, 6))
    posterior = Posterior(Surrogate("matern52", (0.5,), (JITTER,), False), x, y)
    points = rng.uniform(-1, 1, (1, 9, 2)).astype(np.float32)
    group = SimpleNamespace(best=y.max(axis=1), posterior=posterior, candidates=points)
    acquisition = PenalizedImprovement(group, BoxDesigns(2))
    taken = rng.uniform(-1, 1, (picks, 1, 2)).astype(np.float32)
    return acquisition, x[0], y[0], points, taken, rng


def test_a_pick_rules_out_what_is_too_close_to_it_to_be_the_best():
    """The probability that a ball of radius (largest - f(pick)) / slope leaves a design out."""
    acquisition, x, y, points, (pick,), rng = penalized(2, 1)
    slope = steepest(acquisition._fantasies, points.astype(float))
    before = acquisition.candidate_scores()
    np.testing.assert_array_equal(acquisition.value(points.astype(float)), before)
    acquisition.take(pick, None)
    fallen = acquisition.candidate_scores() - before
    mean, covariance = textbook_posterior("matern52", x, y, pick.astype(float), 0.5, JITTER)
    f = rng.normal(mean[0], np.sqrt(covariance[0, 0]), 400_000)
    distance = np.linalg.norm(points[0] - pick, axis=1)
    outside = (distance[:, None] > (y.max() - f) / slope).mean(axis=1)
    np.testing.assert_allclose(np.exp(fallen[0]), outside, atol=4e-3)
    after = acquisition.value(points.astype(float))
    np.testing.assert_allclose(after - before, fallen, atol=1e-12)


def test_penalties_slope_as_finite_differences_do():
    acquisition, *_, picks, rng = penalized(3, 2)
    for pick in picks:
        acquisition.take(pick, None)
    points, step = rng.uniform(-1, 1, (1, 12, 2)), 1e-6
    slope = acquisition.slope(points)
    for k, by in enumerate(step * np.eye(2)):
        differences = acquisition.value(points + by) - acquisition.value(points - by)
        np.testing.assert_allclose(slope[..., k], differences / (2 * step), rtol=1e-4, atol=1e-5)


def test_the_steepest_slope_of_the_mean_is_found_among_the_candidates():
    rng = np.random.default_rng(3)
    x, y = rng.uniform(-1, 1, (1, 6, 2)), rng.normal(size=(1, 6))
    posterior = Posterior(Surrogate("matern52", (0.5,), (JITTER,), False), x, y)
    points = rng.uniform(-1, 1, (1, 30, 2))

    def mean(at):
        return textbook_posterior("matern52", x[0], y[0], at, 0.5, JITTER)[0]

    by = 1e-6 * np.eye(2)
    slopes = np.stack([(mean(points[0] + b) - mean(points[0] - b)) / 2e-6 for b in by])
    expected = np.linalg.norm(slopes, axis=0).max()
    np.testing.assert_allclose(steepest(FantasyPosterior(posterior), points), expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["max_value_entropy", "local_penalization"])
@pytest.mark.parametrize("problem", ["GP", "pool"])
def test_slots_keep_apart(name, problem):
    env = CampaignVectorEnv(ROWS, Pool() if problem == "pool" else "GP", batch_size=4)
    observation, _ = env.reset(seed=0)
    actions = ombo_agents.make(name, env).act(observation, generators())
    for batch in env.design_space.designs(actions):
        assert len(np.unique(np.round(batch.astype(float), 3), axis=0)) == 4


def turbo(**settings):
    env = CampaignVectorEnv(1, "GP", batch_size=2, horizon=12, start={"kind": "random", "size": 3})
    return ombo_agents.make("turbo", env, **settings), env


@pytest.mark.parametrize(
    ("batches", "length"),
    [
        ([], 0.8),
        ([1], 0.8),  # a success
        ([1, 2, 3], 1.6),  # three: it doubles
        ([1, 2, 3, 4, 5, 6], 1.6),  # and no further
        ([-1, -1], 0.4),  # failures = 4 designs = 2 batches
        ([-1, 1, -1, 2], 0.8),  # never two in a row
        ([-1, -1, 1, 2, 3], 0.8),
        ([1, 1.0005, 1.0005], 0.4),  # no gain worth the name
        ([-1] * 14, 0.8),  # 0.8 / 2^7 is below the smallest: anew
    ],
)
def test_trust_regions_grow_with_success_and_shrink_with_failure(batches, length):
    policy, _ = turbo()
    values = np.array([[0.0, -0.5, -0.2, *np.repeat(batches, 2)]])
    values[:, 4::2] -= 0.1  # the better design of each batch counts
    edges = tuple(range(3, len(values[0]) + 1, 2))
    assert policy.lengths(values, edges)[0] == pytest.approx(length)


def test_trust_regions_count_designs_measured_in_vain_whatever_the_plates():
    policy, _ = turbo()  # failures = 4 designs
    vain, start = -np.ones(9), np.zeros(1)
    for sizes, length in [((3,), 0.8), ((3, 1), 0.4), ((1, 1, 1), 0.8), ((1, 1, 1, 1), 0.4)]:
        values = np.concatenate([start, vain[: sum(sizes)]])[None]
        edges = tuple(np.cumsum([1, *sizes]).tolist())
        assert policy.lengths(values, edges)[0] == pytest.approx(length)


def test_trust_regions_go_through_plates_of_different_sizes():
    plates = [2, 5, 3]
    env = CampaignVectorEnv(3, "GP", plates=plates, start={"kind": "random", "size": 4})
    policy = ombo_agents.make("turbo", env)
    observation, _ = env.reset(seed=0)
    seen, lengths = [], policy.lengths

    def watched(values, edges):
        seen.append(edges)
        return lengths(values, edges)

    policy.lengths = watched
    for _ in plates:
        actions = policy.act(observation, generators(3))
        assert env.action_space.contains(actions)
        observation, *_ = env.step(actions)
    assert seen == [(4,), (4, 6), (4, 6, 11)]


def test_trust_regions_hold_the_batch():
    policy, env = turbo(length=0.1)
    observation, _ = env.reset(seed=0)
    batch = policy.act(observation, generators(1))[0]
    centre = observation["designs"][0, observation["measurements"][0, :3].argmax()]
    assert (np.abs(batch - centre) <= 0.1 + 1e-6).all()
    assert isinstance(env.design_space, BoxDesigns)


MIXED = MixedDesigns(
    {"T": (0, 1), "P": (-1, 1), "n": {"integer": [1, 9]}, "solvent": ["a", "b", "c"]}
)
MEASURED = MIXED.sample(GeneratorBatch(np.random.default_rng(0), 1), 12)[0]
VALUES = -(MIXED.features(MEASURED) ** 2).sum(axis=1)


def mixed_campaigns(repeats, q):
    spec = CampaignSpec(
        MIXED, batch_sizes=(q, q), repeats=repeats, noise_std=0.1, start_capacity=12
    )
    return spec, spec.observation(MEASURED, VALUES, [q])


def test_in_mixed_spaces_a_trust_region_is_one_of_numbers_and_some_categories_change():
    spec, observation = mixed_campaigns(Repeats.DISTINCT_IN_BATCH, 64)
    policy = ombo_agents.make("turbo", spec, length=0.2, largest=0.2)
    batch = MIXED.designs(policy.act(observation, generators(1)))[0]
    np.testing.assert_array_equal(MIXED.canonical(batch), batch)
    centre, free = MEASURED[VALUES.argmax()], MIXED.free
    apart = np.abs(MIXED.features(batch) - MIXED.features(centre))
    assert (apart[:, free] <= 0.2 + 1e-6).all() and (apart[:, free] > 0).any(axis=1).all()
    others = (apart[:, ~free] > 1e-9).any(axis=1)
    assert 0 < others.mean() < 0.5
    assert len(np.unique(batch[others][:, 3:], axis=0)) > 1  # solvents


def test_in_mixed_spaces_the_largest_mean_is_found_among_all_numbers():
    spec, observation = mixed_campaigns(Repeats.ALLOWED, 2)
    policy = ombo_agents.make("greedy_refined", spec)
    batch = MIXED.designs(policy.act(observation, generators(1)))[0]
    np.testing.assert_array_equal(MIXED.canonical(batch), batch)
    np.testing.assert_array_equal(batch[0], batch[1])
    rngs = GeneratorBatch(generators(1), 1)
    (group,) = policy.groups(observation, rngs)
    found = group.posterior.at(MIXED.features(batch[None])).mean[0, 0]
    assert found >= group.marginals.mean.max()
    around = np.repeat(MIXED.features(batch[:1]), 500, axis=0)
    step = 0.05 * np.random.default_rng(1).normal(size=(500, MIXED.free.sum()))
    around[:, MIXED.free] = np.clip(around[:, MIXED.free] + step, -1, 1)
    assert found >= group.posterior.at(around[None]).mean.max() - 1e-4


@pytest.mark.parametrize("name", ["turbo", "greedy_refined"])
def test_where_nothing_can_move_a_little_it_says_so(name):
    spec = CampaignSpec(CategoricalDesigns([3, 4]))
    assert not ombo_agents.supports(name, spec)
    policy = {"turbo": Turbo, "greedy_refined": RefinedGreedy}[name]
    with pytest.raises(ValueError, match="move a little"):
        policy(spec, **settings_of(name, spec))


def test_without_a_start_the_first_batch_has_nothing_to_beat():
    env = CampaignVectorEnv(1, "GP", batch_size=2, horizon=3, start={"kind": "none"})
    policy = ombo_agents.make("turbo", env)
    assert policy.lengths(np.array([[1.0, 2.0]]), (0, 2))[0] == 0.8
    observation, _ = env.reset(seed=0)
    assert env.action_space.contains(policy.act(observation, generators(1)))


@pytest.mark.parametrize("name", ["max_value_entropy", "local_penalization", "turbo"])
def test_rivals_beat_random_designs_on_a_gaussian_process(name):
    env = CampaignVectorEnv(150, "GP", horizon=3, batch_size=4, autoreset_mode="Disabled")
    totals = {}
    for each in (name, "random"):
        policy, rngs = ombo_agents.make(each, env), generators(150)
        observation, _ = env.reset(seed=10)
        totals[each] = 0.0
        for _ in range(3):
            observation, reward, *_ = env.step(policy.act(observation, rngs))
            totals[each] = totals[each] + reward
    gain = totals[name] - totals["random"]
    assert gain.mean() > 3 * gain.std() / np.sqrt(150)
