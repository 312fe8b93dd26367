"""How often 95% intervals hold the truth, on made-up campaigns whose truth is known.

1,600 repetitions of 50 campaigns: the share that holds it is known to +-0.55%. Repetitions are
rows (or methods of one utility), so that one resample of the campaigns serves all of them.
"""

from __future__ import annotations

import numpy as np
import pytest

from ombo_gym.evaluation import resampling
from ombo_gym.evaluation.aggregates import probability_of_improvement, shares_above
from ombo_gym.evaluation.leaderboard import over_problems
from ombo_gym.evaluation.normalized_scores import MethodScores, NormalizedScores
from ombo_gym.evaluation.resampling import bootstrap_iqm
from ombo_gym.evaluation.statistics import (
    bootstrap_interval,
    mean_interval,
    paired_difference,
    wins_interval,
)

REPETITIONS, CAMPAIGNS = 1_600, 50
DRAW = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "exponential": lambda rng, shape: rng.exponential(size=shape),
    "lognormal": lambda rng, shape: rng.lognormal(size=shape),
    "many zeros": lambda rng, shape: np.where(
        rng.random(shape) < 0.4, 0.0, rng.exponential(size=shape)
    ),
}
every_kind = pytest.mark.parametrize("kind", DRAW)


@pytest.fixture
def rng():
    return np.random.default_rng(20)


def assert_covers(ends, truth):
    low, high = np.moveaxis(np.asarray(ends), -1, 0)
    assert 0.93 < np.mean((low <= truth) & (truth <= high)) < 0.97


def normalized(values, problems=None):
    """Each row of values, (methods, settings, campaigns), plays every setting."""
    methods, settings, n = values.shape
    problems = np.arange(settings) if problems is None else np.array(problems)
    rows = problems[:, None] * n + np.arange(n)
    one = np.array([0])
    scores = {
        str(m): {s: MethodScores(values[m, s][None], rows[s], one) for s in range(settings)}
        for m in range(methods)
    }
    sizes = np.full(problems.max() + 1, n)
    clusters = [np.arange(n) for n in sizes]
    return NormalizedScores(
        "random", "best", problems, sizes, clusters, dict.fromkeys(scores, 1), scores, list(scores)
    )


@pytest.mark.parametrize(
    ("kind", "campaigns"), [("normal", 50), ("exponential", 50), ("many zeros", 200)]
)
def test_the_interval_of_a_mean(rng, kind, campaigns):
    truth = {"normal": 0.0, "exponential": 1.0, "many zeros": 0.6}[kind]
    samples = DRAW[kind](rng, (REPETITIONS, campaigns))
    assert_covers([mean_interval(row)[1:] for row in samples], truth)


@every_kind
def test_the_interval_of_a_paired_difference(rng, kind):
    luck, a, b = DRAW[kind](rng, (3, REPETITIONS, CAMPAIGNS))
    pairs = zip(luck + a, luck + b + 0.3, strict=True)
    assert_covers([paired_difference(x, y)[1:] for x, y in pairs], -0.3)


@pytest.mark.parametrize(("won", "tied"), [(0.5, 0.0), (0.3, 0.0), (0.1, 0.0), (0.3, 0.5)])
def test_the_interval_of_the_share_of_wins(rng, won, tied):
    luck = rng.random((REPETITIONS, CAMPAIGNS))
    a = np.select([luck < won, luck < won + tied], [1.0, 0.0], -1.0)
    ends = [wins_interval(row, np.zeros(CAMPAIGNS))[1:] for row in a]
    assert_covers(ends, won + tied / 2)


@pytest.mark.parametrize("repetitions", [1_000, pytest.param(5_000, marks=pytest.mark.slow)])
def test_the_bootstrap_interval_of_a_ratio_of_means(rng, repetitions):
    luck, a, b = rng.normal(0, 0.5, (3, repetitions, CAMPAIGNS))
    ends = [
        bootstrap_interval(lambda x, y: x.mean(-1) / y.mean(-1), x, y)[1:]
        for x, y in zip(luck + a + 3, luck + b + 2, strict=True)
    ]
    assert_covers(ends, 1.5)


def iqm_of_population(kind):
    population = np.sort(DRAW[kind](np.random.default_rng(1), 400_000))
    return population[100_000:300_000].mean()


@pytest.mark.parametrize("kind", ["normal", "many zeros"])
def test_the_interval_of_an_interquartile_mean(rng, kind, monkeypatch):
    monkeypatch.setattr(resampling, "RESAMPLES", 500)
    values = DRAW[kind](rng, (REPETITIONS, CAMPAIGNS))
    assert_covers(bootstrap_iqm(values), iqm_of_population(kind))


@pytest.mark.slow
@every_kind
@pytest.mark.parametrize("campaigns", [50, 51, 200])
def test_the_interval_of_an_interquartile_mean_of_other_sizes(rng, kind, campaigns):
    values = DRAW[kind](rng, (REPETITIONS, campaigns))
    assert_covers(bootstrap_iqm(values), iqm_of_population(kind))


def shared_luck(rng, kind, problems):
    """Settings of one problem share most campaigns' luck; later settings are worth more."""
    problems = np.array(problems)
    shape = (REPETITIONS, len(problems), CAMPAIGNS)
    luck = DRAW[kind](rng, (REPETITIONS, problems.max() + 1, CAMPAIGNS))[:, problems]
    worth = np.linspace(0, 1, len(problems))[:, None]
    values = np.where(rng.random(shape) < 0.7, luck, DRAW[kind](rng, shape)) + worth
    population = DRAW[kind](np.random.default_rng(1), (len(problems), 200_000)) + worth
    return values, population.ravel()


def test_the_interval_of_a_score_over_problems(rng):
    """Problems are drawn, and campaigns in them."""
    problems = rng.normal(0.3, 0.2, (REPETITIONS, 12, 1))
    values = problems + rng.normal(0, 0.3, (REPETITIONS, 12, 20))
    labels = np.arange(20)
    ends = [
        over_problems({("E", str(p), 4): (column, labels) for p, column in enumerate(row)})[1:]
        for row in values
    ]
    assert_covers(ends, 0.3)


def test_the_interval_of_a_score_over_batch_sizes_of_one_problem(rng):
    """Which share the luck of their campaigns, and of which one has played less."""
    luck = rng.normal(0.3, 0.2, (REPETITIONS, CAMPAIGNS))
    few, many = luck[:, :20], luck + rng.normal(0.2, 0.1, luck.shape)
    labels = np.arange(CAMPAIGNS)
    ends = [
        over_problems({("E", "{}", 1): (a, labels[:20]), ("E", "{}", 8): (b, labels)})[1:]
        for a, b in zip(few, many, strict=True)
    ]
    assert_covers(ends, 0.4)


@every_kind
def test_the_interval_of_a_performance_profile(rng, kind, monkeypatch):
    monkeypatch.setattr(resampling, "RESAMPLES", 500)
    values, population = shared_luck(rng, kind, [0, 0, 1])
    taus = np.quantile(population, [0.2, 0.5, 0.8])
    ends = [ends for _, ends in shares_above(normalized(values[:1000], [0, 0, 1]), taus).values()]
    assert_covers(ends, [(population > tau).mean() for tau in taus])


@every_kind
@pytest.mark.parametrize("ahead", [0.0, 1.0])
def test_the_interval_of_a_probability_of_improvement(rng, kind, ahead):
    luck, own = DRAW[kind](rng, (2, REPETITIONS, CAMPAIGNS))
    a = np.where(rng.random(luck.shape) < 0.5, luck, own) + ahead
    population = np.sort(DRAW[kind](np.random.default_rng(1), 200_000))
    below = [np.searchsorted(population, population + ahead, side) for side in ("left", "right")]
    truth = np.mean(below) / population.size
    pairs = (normalized(np.stack([x, y])[:, None]) for x, y in zip(a, luck, strict=True))
    ends = [probability_of_improvement(each, "0", "1")[1:] for each in pairs]
    assert_covers(ends, truth)
