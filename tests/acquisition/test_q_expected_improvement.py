"""Batches by their joint expected improvement, against plain Monte Carlo."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats.qmc import MultivariateNormalQMC

import ombo_agents
from ombo_gym.acquisition.expected_improvement import (
    LogImprovement,
    standard_normals,
)
from ombo_gym.acquisition.greedy_batch import maximize_score
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.surrogates.surrogate import JITTER, make_surrogate
from ombo_gym.vector_env import CampaignVectorEnv
from tests.surrogates.test_posterior import textbook_posterior

ROWS = 6


def test_a_batch_by_expected_improvement_beats_the_best_candidates_alone():
    """Its joint value, by Monte Carlo, against q copies and against the q best on their own."""
    env = CampaignVectorEnv(ROWS, "GP", batch_size=3, horizon=2)
    observation, _ = env.reset(seed=3)
    rng = [np.random.default_rng(i) for i in range(ROWS)]
    climbed = ombo_agents.make("expected_improvement", env).act(observation, rng)
    plain = ombo_agents.make("expected_improvement", env, num_restarts=0).act(observation, rng)
    rngs = np.random.default_rng(0).normal(size=(5_000, 3))
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
    """Joint expected improvement of 10 batches, by Sobol draws, against slot by slot alone."""
    rows, q = 10, 4
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
