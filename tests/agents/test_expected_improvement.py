"""Batches by expected improvement and upper confidence bounds, against plain computations."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy.stats.qmc import MultivariateNormalQMC

import ombo_agents
from ombo_gym.acquisition.expected_improvement import (
    LogImprovement,
    improvement,
    standard_normals,
)
from ombo_gym.acquisition.greedy_batch import maximize_score
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.surrogates.fantasies import Marginals
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import JITTER, Surrogate, make_surrogate
from ombo_gym.vector_env import CampaignVectorEnv
from tests.surrogates.test_posterior import textbook_posterior

ROWS = 6


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


@pytest.mark.parametrize("name", ["ucb", "explore_then_exploit"])
def test_designs_that_climb_have_a_higher_bound_than_all_candidates(name):
    env = CampaignVectorEnv(ROWS, "GP", batch_size=1, horizon=2)
    observation, _ = env.reset(seed=0)
    rng = [np.random.default_rng(i) for i in range(ROWS)]
    policies = [ombo_agents.make(name, env, climb=climb) for climb in (True, False)]
    actions = [policy.act(observation, rng) for policy in policies]
    weights = [policy.explain(observation, rng)[1]["exploration_weights"] for policy in policies]
    np.testing.assert_allclose(*weights, rtol=1e-6)
    grid = np.random.default_rng(0).uniform(-1, 1, (2000, 2))
    for row in range(ROWS):
        x = observation["designs"][row, :4].astype(float)
        y = observation["measurements"][row, :4]
        points = np.vstack([actions[0][row], actions[1][row], grid])
        mean, covariance = textbook_posterior("matern52", x, y, points, 0.3, JITTER)
        bound = mean + weights[0][row, 0] * np.sqrt(np.diag(covariance).clip(0))
        assert bound[0] >= bound[1:].max() - 1e-6


def test_through_the_exploration_control_nothing_climbs():
    env = CampaignVectorEnv(2, "GP", control="exploration")
    seen, _ = env.reset(seed=0)
    actions = ombo_agents.make("ucb", env).act(seen, np.random.default_rng(0))
    assert env.action_space.contains(actions)


def test_a_batch_by_expected_improvement_beats_the_best_candidates_alone():
    """Its joint value, by Monte Carlo, against q copies and against the q best on their own."""
    env = CampaignVectorEnv(ROWS, "GP", batch_size=3, horizon=2)
    observation, _ = env.reset(seed=3)
    rng = [np.random.default_rng(i) for i in range(ROWS)]
    climbed = ombo_agents.make("expected_improvement", env).act(observation, rng)
    plain = ombo_agents.make("expected_improvement", env, num_restarts=0).act(observation, rng)
    rngs = np.random.default_rng(0).normal(size=(20_000, 3))
    for row in range(ROWS):
        x = observation["designs"][row, :4].astype(float)
        y = observation["measurements"][row, :4]

        def joint(batch, x=x, y=y):
            mean, covariance = textbook_posterior("matern52", x, y, batch, 0.3, JITTER)
            f = mean + rngs @ np.linalg.cholesky(covariance + 1e-9 * np.eye(3)).T
            return np.maximum(f.max(axis=1) - y.max(), 0).mean()

        best = joint(climbed[row].astype(float))
        assert best >= joint(plain[row].astype(float)) - 2e-3
        scattered = np.random.default_rng(row).uniform(-1, 1, (200, 3, 2))
        assert best > max(map(joint, scattered))


@pytest.mark.parametrize(("dim", "size"), [(2, 8), (6, 24)])
def test_slots_that_climb_given_all_the_others_improve_the_batch(dim, size):
    """Joint expected improvement of 30 batches, by Sobol draws, against slot by slot alone."""
    rows, q = 30, 4
    env = CampaignVectorEnv(
        rows, "GP", dim=dim, batch_size=q, start={"kind": "random", "size": size}
    )
    observation, _ = env.reset(seed=7)
    rngs = [np.random.default_rng(i) for i in range(rows)]
    policy = ombo_agents.make("expected_improvement", env)
    together = policy.act(observation, rngs).astype(float)
    alone = np.zeros_like(together)
    for group in policy.groups(observation, GeneratorBatch(rngs, rows)):
        score = LogImprovement(group.best, standard_normals(256, q))
        alone[group.env_indices] = maximize_score(
            group, policy.space, score, num_restarts=12, max_iterations=12
        )
    normals = MultivariateNormalQMC(np.zeros(q), rng=0).random(2**14)
    worth = np.zeros((rows, 2))
    for row in range(rows):
        x = observation["designs"][row, :size].astype(float)
        y = observation["measurements"][row, :size]
        for which, batch in enumerate((together, alone)):
            lengthscale = make_surrogate(env.campaign_spec).lengthscales[0]
            mean, covariance = textbook_posterior("matern52", x, y, batch[row], lengthscale, JITTER)
            f = mean + normals @ np.linalg.cholesky(covariance + 1e-10 * np.eye(q)).T
            worth[row, which] = np.maximum(f.max(axis=1) - y.max(), 0).mean()
    assert (worth[:, 0] >= worth[:, 1] * (1 - 2e-3)).all()
    assert worth[:, 0].mean() >= worth[:, 1].mean() * 1.005
