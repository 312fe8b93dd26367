"""The logarithm of expected improvement, against plain Monte Carlo and exact numbers."""

from __future__ import annotations

import mpmath
import numpy as np

from ombo_gym.acquisition.expected_improvement import (
    LogImprovement,
    improvement,
    standard_normals,
)
from ombo_gym.surrogates.fantasies import Marginals
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import JITTER, Surrogate
from tests.surrogates.test_posterior import textbook_posterior


def test_log_h_is_accurate_from_the_far_tail_to_the_other_side():
    z = np.array([-1e4, -999, -1001, -100.0, -30, -5, -1, -0.1, 0, 0.5, 5, 29, 31, 1e3])
    ratio, share, log_h = improvement(z)
    with mpmath.workdps(60):
        for at, of_ratio, of_share, of_log in zip(z.tolist(), ratio, share, log_h, strict=True):
            x = mpmath.mpf(at)
            # Phi by its continued fraction in the tail, where it underflows.
            Phi = mpmath.erfc(-x / mpmath.sqrt(2)) / 2
            exact = mpmath.log(mpmath.npdf(x) + x * Phi)
            np.testing.assert_allclose(of_log, float(exact), rtol=1e-6)
            if abs(at) < 30:
                np.testing.assert_allclose(of_ratio, float(Phi / mpmath.npdf(x)), rtol=1e-9)
                h = mpmath.npdf(x) + x * Phi
                np.testing.assert_allclose(of_share, float(h / mpmath.npdf(x)), rtol=1e-6)


def test_the_score_of_a_slot_is_what_it_adds_to_the_expected_maximum():
    """Against plain Monte Carlo from the joint distribution."""
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-1, 1, (1, 5, 2)), rng.normal(size=(1, 5))
    posterior = Posterior(Surrogate("matern52", (0.5,), (JITTER,), False), x, y)
    points = rng.uniform(-1, 1, (1, 4, 2))
    mean, covariance = textbook_posterior("matern52", x[0], y[0], points[0], 0.5, JITTER)
    f = rng.multivariate_normal(mean, covariance, 400_000)
    score, lower = LogImprovement(y.max(axis=1), standard_normals(4096, 4)), np.zeros((4, 4))
    lower[:] = np.linalg.cholesky(posterior.covariance(points)[0] + 1e-12 * np.eye(4))
    before = np.zeros(len(f))
    for slot in range(4):
        at = Marginals(mean[None, slot, None], np.array([[lower[slot, slot]]]),
                       lower[None, slot, :slot, None])  # fmt: skip
        now = np.maximum(before, f[:, slot] - y.max())
        gain = now - before
        error = 4 * gain.std() / np.sqrt(len(f)) + 2e-4
        assert abs(np.exp(score.value(at)[0, 0]) - gain.mean()) < error
        score.picked(at)
        before = now


def test_slopes_of_the_score_are_those_of_finite_differences():
    rng = np.random.default_rng(1)
    score = LogImprovement(np.array([0.5, 2.0]), standard_normals(16, 3))
    for slot in range(3):
        numbers = [
            rng.normal(size=(2, 5)),
            rng.uniform(0.1, 1, (2, 5)),
            rng.normal(size=(2, slot, 5)),
        ]
        slope = score.slope(Marginals(*numbers))
        for which, expected in enumerate((slope.mean, slope.sd)):
            up, down = ([n + sign * 1e-6 * (i == which) for i, n in enumerate(numbers)]
                        for sign in (1, -1))  # fmt: skip
            found = (score.value(Marginals(*up)) - score.value(Marginals(*down))) / 2e-6
            np.testing.assert_allclose(expected, found, rtol=1e-5, atol=1e-7)
        for j in range(slot):
            by = np.zeros((1, slot, 1))
            by[0, j] = 1e-6
            up = score.value(Marginals(numbers[0], numbers[1], numbers[2] + by))
            down = score.value(Marginals(numbers[0], numbers[1], numbers[2] - by))
            np.testing.assert_allclose(slope.loadings[:, j], (up - down) / 2e-6, rtol=1e-5)
        score.picked(Marginals(*(n[..., :1] for n in numbers)))
