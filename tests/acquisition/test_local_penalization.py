"""Penalties around picks, against the paper's statement by Monte Carlo, and slopes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from ombo_gym.acquisition.local_penalization import PenalizedImprovement, steepest
from ombo_gym.design_spaces import BoxDesigns
from ombo_gym.surrogates.fantasies import FantasyPosterior
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import JITTER, Surrogate
from tests.surrogates.test_posterior import textbook_posterior


def penalized(seed: int, picks: int):
    """Data, candidates, picks and what is made of them."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-1, 1, (1, 6, 2)), rng.normal(size=(1, 6))
    posterior = Posterior(Surrogate("matern52", (0.5,), (JITTER,), False), x, y)
    points = rng.uniform(-1, 1, (1, 9, 2)).astype(np.float32)
    group = SimpleNamespace(best=y.max(axis=1), posterior=posterior, candidates=points, listed=None)
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
