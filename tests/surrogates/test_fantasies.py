"""Beliefs given designs of unknown values, against textbook formulas, and slopes by differences."""

from __future__ import annotations

import numpy as np
import pytest

from ombo_gym.acquisition.base import FantasySurface
from ombo_gym.acquisition.local_climb import local_climb
from ombo_gym.surrogates.fantasies import FantasyPosterior
from ombo_gym.surrogates.marginals import Marginals
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import Surrogate
from tests.surrogates.test_posterior import textbook_posterior

ROWS, LENGTHSCALE, NOISE = 3, 0.7, 0.01


class Bumpy:
    """A score of everything that it may read: mean sd + sd^2 + sum of sin(loadings)."""

    def value(self, at):
        return at.mean * at.sd + at.sd**2 + np.sin(at.loadings).sum(axis=1)

    def slope(self, at):
        return Marginals(at.sd, at.mean + 2 * at.sd, np.cos(at.loadings))


def situation(kernel, picks, noisy, *, outputscale=False, dim=2):
    rng = np.random.default_rng(picks)
    surrogate = Surrogate(kernel, (LENGTHSCALE,), (NOISE,), standardise=outputscale)
    x, y = rng.uniform(-1, 1, (ROWS, 6, dim)), 3 + 2 * rng.normal(size=(ROWS, 6))
    posterior = Posterior(surrogate, x, y)
    pending, points = FantasyPosterior(posterior), rng.uniform(-1, 1, (ROWS, 5, dim))
    marginals, added = posterior.at(points), rng.uniform(-1, 1, (picks, ROWS, dim))
    for features in added:
        pending.add(features, marginals, noisy=noisy)
    return posterior, pending, marginals, x, added, points


@pytest.mark.parametrize("kernel", ["matern52", "rbf"])
@pytest.mark.parametrize("noisy", [True, False])
def test_beliefs_given_picks_are_the_textbook_s(kernel, noisy):
    posterior, pending, marginals, x, added, points = situation(kernel, 2, noisy)
    at = pending.at(points)
    for row in range(ROWS):
        targets = posterior.targets[row]
        mean, _ = textbook_posterior(kernel, x[row], targets, points[row], LENGTHSCALE, NOISE)
        np.testing.assert_allclose(at.mean[row], mean, atol=1e-9)
        # Two more rows of which the values do not matter: the noise of exact ones is nothing.
        inputs = np.vstack([x[row], added[:, row]])
        noise = np.diag([NOISE] * 6 + [NOISE * noisy] * 2)
        _, covariance = textbook_posterior(
            kernel, inputs, np.zeros(8), points[row], LENGTHSCALE, noise @ np.linalg.inv(np.eye(8))
        )
        np.testing.assert_allclose(at.sd[row], np.sqrt(np.diag(covariance)), atol=1e-7)
    np.testing.assert_allclose(at.sd, marginals.sd, atol=1e-12)
    np.testing.assert_allclose(at.loadings, marginals.loadings, atol=1e-12)


def test_loadings_on_exact_picks_and_what_is_left_make_up_the_joint_covariance():
    posterior, pending, _, _, added, points = situation("matern52", 3, False, outputscale=True)
    at = pending.at(points)
    together = np.concatenate([points, np.moveaxis(added, 0, 1)], axis=1)
    covariance = posterior.covariance(together)
    for row in range(ROWS):
        variance = at.sd[row] ** 2 + (at.loadings[row] ** 2).sum(axis=0)
        np.testing.assert_allclose(variance, np.diag(covariance[row])[:5], rtol=1e-9)
        picked = pending.at(np.moveaxis(added, 0, 1)[row : row + 1].repeat(ROWS, axis=0))
        cross = at.loadings[row].T @ picked.loadings[row]
        np.testing.assert_allclose(cross, covariance[row][:5, 5:], atol=1e-8)


@pytest.mark.parametrize("kernel", ["matern52", "rbf"])
@pytest.mark.parametrize("outputscale", [True, False])
def test_designs_given_all_at_once_are_those_given_one_after_the_other(kernel, outputscale):
    posterior, pending, _, _, added, points = situation(kernel, 3, False, outputscale=outputscale)
    before = FantasyPosterior(posterior)
    told, joint = before.given(np.moveaxis(added, 0, 1))
    for one, other in zip(told_of(told, points), told_of(pending, points), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    np.testing.assert_allclose(told.slope(points, Bumpy()), pending.slope(points, Bumpy()), 1e-5)
    after = FantasyPosterior(posterior)
    for slot, (at, features) in enumerate(zip(joint.slots(), added, strict=True)):
        for one, other in zip(told_of(after, features[:, None]), marginals(at), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)
        assert at.loadings.shape == (ROWS, slot, 1)
        after.add(features, posterior.at(points), noisy=False)
    covariance = posterior.covariance(np.moveaxis(added, 0, 1))
    np.testing.assert_allclose(joint.lower @ joint.lower.swapaxes(1, 2), covariance, atol=1e-6)
    assert before.at(points).loadings.shape[1] == 0  # is as it was


def test_the_same_design_may_be_given_twice():
    posterior, _, _, _, added, points = situation("matern52", 1, False)
    twice = np.repeat(np.moveaxis(added, 0, 1), 2, axis=1)
    once = FantasyPosterior(posterior).given(twice[:, :1])[0].at(points)
    again = FantasyPosterior(posterior).given(twice)[0].at(points)
    np.testing.assert_allclose(again.sd, once.sd, atol=1e-4)


def test_copies_believe_the_same_over_and_over():
    _, pending, _, _, _, points = situation("matern52", 2, False, outputscale=True)
    tiled = pending.copies(3)
    for one, other in zip(
        told_of(tiled, np.tile(points, (3, 1, 1))), told_of(pending, points), strict=True
    ):
        np.testing.assert_array_equal(one.reshape(3, *other.shape), np.stack([other] * 3))


def told_of(pending, points):
    return marginals(pending.at(points))


def marginals(at):
    return at.mean, at.sd, at.loadings


@pytest.mark.parametrize("kernel", ["matern52", "rbf"])
@pytest.mark.parametrize("picks", [0, 1, 3])
@pytest.mark.parametrize("outputscale", [True, False])
def test_slopes_are_those_of_finite_differences(kernel, picks, outputscale):
    _, pending, _, _, _, points = situation(kernel, picks, False, outputscale=outputscale, dim=3)
    score, step = Bumpy(), 1e-6
    slope = pending.slope(points, score)
    for k in range(3):
        by = step * np.eye(3)[k]
        up, down = (score.value(pending.at(points + sign * by)) for sign in (1, -1))
        np.testing.assert_allclose(slope[..., k], (up - down) / (2 * step), rtol=1e-5, atol=1e-6)


def test_a_climb_ends_at_a_top_and_never_falls():
    _, pending, _, _, _, points = situation("matern52", 1, False)
    score = Bumpy()
    optimized = local_climb(FantasySurface(pending, score), points, 60, None)
    assert (score.value(pending.at(optimized)) >= score.value(pending.at(points))).all()
    assert (np.abs(optimized) <= 1).all()
    slope = pending.slope(optimized, score)
    inside = np.where((np.abs(optimized) < 1) | (np.sign(slope) != np.sign(optimized)), slope, 0)
    assert np.abs(inside).max() < 1e-2
    rng = np.random.default_rng(0)
    near = np.clip(optimized + 1e-3 * rng.normal(size=optimized.shape), -1, 1)
    assert (score.value(pending.at(optimized)) >= score.value(pending.at(near)) - 1e-6).all()


def test_only_features_that_are_free_move():
    _, pending, _, _, _, points = situation("matern52", 1, False, dim=3)
    score, free = Bumpy(), np.array([True, False, True])
    optimized = local_climb(FantasySurface(pending, score), points, 60, free)
    np.testing.assert_array_equal(optimized[..., 1], points[..., 1])
    assert (optimized[..., 0] != points[..., 0]).any() and (
        optimized[..., 2] != points[..., 2]
    ).any()
    assert (score.value(pending.at(optimized)) >= score.value(pending.at(points))).all()
    everywhere = local_climb(FantasySurface(pending, score), points, 60, np.ones(3, bool))
    np.testing.assert_array_equal(
        everywhere, local_climb(FantasySurface(pending, score), points, 60, None)
    )
