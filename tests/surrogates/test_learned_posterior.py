"""Posteriors under a learned prior: against plain formulas, row by row, and along slopes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ombo_gym.design_spaces import BoxDesigns, CategoricalDesigns
from ombo_gym.surrogates.fantasies import FantasyPosterior
from ombo_gym.surrogates.learned_posterior import LearnedPosterior
from ombo_gym.surrogates.learned_prior import LearnedPrior
from ombo_gym.surrogates.learned_scale import ScalePrior, Warp, infer_scales, standardising
from ombo_gym.surrogates.marginals import Believed, Marginals
from tests.surrogates.learned_cases import small_prior

KINDS = ("interp", "deep")
Floats = NDArray[np.float64]


def _data(rows: int = 3, n: int = 5, k: int = 2) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(1)
    return rng.uniform(-1, 1, (rows, n, k)), 3 + 2 * rng.normal(size=(rows, n))


def _plain_covariance(
    prior: LearnedPrior, posterior: LearnedPosterior, a: Floats, b: Floats
) -> Floats:
    """Entry by entry, for the first campaign."""
    at_a, at_b = prior.basis.at(a[None])[0], prior.basis.at(b[None])[0]
    z_a, z_b = prior.embedding.at(a[None])[0], prior.embedding.at(b[None])[0]
    found = np.empty((len(a), len(b)))
    tau, c = posterior.correlation.offset_variance[0], prior.scale.curvature
    for i in range(len(a)):
        for j in range(len(b)):
            s = np.sqrt(5) * np.linalg.norm((z_a[i] - z_b[j]) / prior.residual.unit[0])
            matern = (1 + s + s**2 / 3) * np.exp(-s)
            moved = np.exp(c * min(at_a[i, 0], 0)) * np.exp(c * min(at_b[j, 0], 0))
            found[i, j] = (
                at_a[i, 2:] @ at_b[j, 2:]
                + prior.residual_variance * at_a[i, 1] * at_b[j, 1] * matern
                + tau * moved
            )
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_textbooks_posterior_of_the_covariance_that_is_written_down(
    kind: str, tmp_path: Path
) -> None:
    prior = small_prior(tmp_path, kind)
    features, values = _data()
    asked = np.random.default_rng(2).uniform(-1, 1, (3, 4, 2))
    posterior = LearnedPosterior(prior, features, values)
    at = posterior.at(asked)
    x, y = features[0], asked[0]
    known = _plain_covariance(prior, posterior, x, x) + posterior.noise[0] * np.eye(len(x))
    across = _plain_covariance(prior, posterior, x, y)
    curvature, moved = prior.scale.curvature, posterior.correlation.offset_mean[0]

    def mean(points: Floats) -> Floats:
        own: Floats = prior.basis.at(points[None])[0, :, 0]
        found: Floats = own + moved * np.exp(curvature * np.minimum(own, 0))
        return found

    solved = np.linalg.solve(known, across)
    expected = mean(y) + solved.T @ (posterior.targets[0] - mean(x))
    variance = np.diag(_plain_covariance(prior, posterior, y, y) - across.T @ solved)
    np.testing.assert_allclose(at.mean[0], expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(at.sd[0], np.sqrt(prior.calibration * variance), rtol=1e-7)
    np.testing.assert_allclose(
        np.diagonal(posterior.covariance(asked)[0]), prior.calibration * variance, rtol=1e-7
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [0, 1, 5])
def test_a_campaigns_beliefs_do_not_depend_on_its_neighbours(
    kind: str, n: int, tmp_path: Path
) -> None:
    prior = small_prior(tmp_path, kind)
    features, values = _data(rows=7, n=n)
    asked = np.random.default_rng(2).uniform(-1, 1, (7, 9, 2))
    together = LearnedPosterior(prior, features, values)
    for row in (0, 3, 6):
        part = slice(row, row + 1)
        alone = LearnedPosterior(prior, features[part], values[part])
        assert (alone.at(asked[part]).mean == together.at(asked).mean[part]).all()
        assert (alone.at(asked[part]).sd == together.at(asked).sd[part]).all()
        assert alone.scale == together.scale[row] and alone.shift == together.shift[row]


class _Optimistic:
    """mean + 1.5 sd + 0.3 times the loadings: a score of all that is believed."""

    def value(self, at: Believed) -> Floats:
        value: Floats = at.mean + 1.5 * at.sd + 0.3 * at.loadings.sum(axis=1)
        return value

    def slope(self, at: Marginals) -> Marginals:
        one = np.ones_like(at.mean)
        return Marginals(one, 1.5 * one, np.full_like(at.loadings, 0.3))


@pytest.mark.parametrize("kind", KINDS)
def test_slopes_are_those_of_finite_differences(kind: str, tmp_path: Path) -> None:
    prior = small_prior(tmp_path, kind)
    posterior = LearnedPosterior(prior, *_data())
    fantasies, score = FantasyPosterior(posterior), _Optimistic()
    points = np.random.default_rng(3).uniform(-1, 1, (3, 4, 2))
    marginals = posterior.at(points)
    fantasies.add(np.full((3, 2), 0.2), marginals, noisy=True)
    slope, mean_slope = fantasies.slope(points, score), fantasies.mean_slope(points)
    for axis in range(2):
        step = np.zeros(2)
        step[axis] = 1e-6
        up, down = fantasies.at(points + step), fantasies.at(points - step)
        numeric = (score.value(up) - score.value(down)) / 2e-6
        np.testing.assert_allclose(slope[..., axis], numeric, rtol=1e-4, atol=1e-6)
        numeric = (up.mean - down.mean) / 2e-6
        np.testing.assert_allclose(mean_slope[..., axis], numeric, rtol=1e-4, atol=1e-6)


def test_fantasies_about_candidates_are_those_about_any_design(tmp_path: Path) -> None:
    posterior = LearnedPosterior(small_prior(tmp_path, "interp"), *_data())
    points = np.random.default_rng(3).uniform(-1, 1, (3, 4, 2))
    marginals, fantasies = posterior.at(points), FantasyPosterior(posterior)
    unused = posterior.at(points)
    marginals.fantasize(np.array([1, 1, 1]))
    fantasies.add(points[:, 1], unused, noisy=True)
    np.testing.assert_allclose(marginals.sd, fantasies.at(points).sd, rtol=1e-8)
    np.testing.assert_allclose(marginals.sd, unused.sd, rtol=1e-8)


def test_tables_are_looked_up(tmp_path: Path) -> None:
    space = CategoricalDesigns([3, 2])
    prior = small_prior(tmp_path, "tables", space)
    every = space.features(space.decode(np.arange(6)))
    looked_up = prior.basis.at(every[None])[0]
    backwards = prior.basis.at(every[None, ::-1])[0]
    assert (looked_up == backwards[::-1]).all() and len(np.unique(looked_up[:, 0])) == 6
    with pytest.raises(ValueError, match="expected those of designs of the prior's space"):
        prior.basis.at(every[None] + 0.5)


def test_scale_and_offset_follow_the_data_and_fall_back_on_what_was_learnt() -> None:
    prior = ScalePrior(0.0, 1.0, 5.0, 0.0, 10.0)
    rng = np.random.default_rng(0)
    mean = rng.normal(size=(1, 60))
    values = 20.0 + 3.0 * (mean + 0.1 * rng.normal(size=(1, 60)))
    found = infer_scales(prior, values, np.eye(60)[None] / 0.1, mean)
    assert found.scale[0] == pytest.approx(3.0, rel=0.1)
    assert found.offset[0] == pytest.approx(20.0, abs=0.3)
    nothing = infer_scales(prior, np.empty((1, 0)), np.empty((1, 0, 0)), np.empty((1, 0)))
    assert nothing.scale == 1.0 and nothing.offset == 5.0


@pytest.mark.parametrize("offset", [0.0, 1e7])
def test_where_nothing_is_warped_the_posterior_of_the_offset_is_exact(offset: float) -> None:
    """One value of a family whose mean is 0: a normal prior and a normal measurement."""
    prior = ScalePrior(0.0, 1e-6, offset, 0.0, 2.0)
    value = np.array([[offset + 3.0]])
    found = infer_scales(prior, value, np.ones((1, 1, 1)), np.zeros((1, 1)))
    assert found.offset[0] - offset == pytest.approx(3.0 * 4 / 5, abs=1e-3)


@pytest.mark.parametrize("curvature", [0.0, 0.5, 8.0])
def test_a_warp_keeps_the_order_and_is_undone(curvature: float) -> None:
    warp, t = Warp(curvature), np.linspace(-6.0, 4.0, 41)
    assert (np.diff(warp(t)) > 0).all() and (warp(t)[t > 0] == t[t > 0]).all()
    np.testing.assert_allclose(warp.inverse(warp(t)), t, atol=1e-12)
    numeric = np.log((warp(t + 1e-6) - warp(t - 1e-6)) / 2e-6)
    np.testing.assert_allclose(warp.log_slope(warp(t)), numeric, atol=1e-5)


def test_instances_are_brought_to_mean_0_and_variance_1() -> None:
    values = 50 - np.random.default_rng(0).exponential(3.0, (4, 300))
    warp = Warp(2.0)
    offsets, scales = standardising(values, warp)
    warped = warp((values - offsets[:, None]) / scales[:, None])
    np.testing.assert_allclose(warped.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(warped.std(axis=1), 1, atol=1e-6)


def test_values_come_back_from_the_units_of_beliefs(tmp_path: Path) -> None:
    features, values = _data()
    posterior = LearnedPosterior(small_prior(tmp_path, "interp"), features, values)
    np.testing.assert_allclose(posterior.in_units(posterior.targets), values, rtol=1e-12)


def test_known_noise_is_brought_to_the_campaigns_scale(tmp_path: Path) -> None:
    prior = small_prior(tmp_path, "interp", BoxDesigns(2))
    features, values = _data()
    without, with_noise = (
        LearnedPosterior(prior, features, values, noise_std=noise) for noise in (0.0, 1.0)
    )
    expected = prior.noise + 1.0 / with_noise.scale**2
    np.testing.assert_allclose(with_noise.noise, expected, rtol=0.05)
    assert (without.noise == prior.noise).all()


@pytest.mark.parametrize("kind", ["tables", "interp"])
def test_what_the_loadings_say_most_of_is_looked_at_in_large_spaces(
    kind: str, tmp_path: Path
) -> None:
    space = CategoricalDesigns([4] * 5)
    prior = small_prior(tmp_path, kind, space)
    rng = np.random.default_rng(0)
    designs = space.decode(rng.integers(space.size, size=(2, 6)))
    posterior = LearnedPosterior(prior, space.features(designs), 3 + rng.normal(size=(2, 6)))
    looked_at = posterior.most_promising()  # (2, 3 + 3, 5)
    assert (looked_at[:, :3] == prior.promising).all()
    every = space.features(space.decode(np.arange(space.size)))
    basis = prior.basis.at(every[None])[0]
    observed = prior.basis.at(space.features(designs))
    c, correlation = prior.scale.curvature, posterior.correlation
    for row in range(2):
        weights = posterior.whiten[row].T @ posterior.white[row, :, 0]
        moved = np.exp(c * np.minimum(observed[row, :, 0], 0)) @ weights
        by_offset = correlation.offset_mean[row] + correlation.offset_variance[row] * moved
        mean = basis[:, 0] + by_offset * np.exp(c * np.minimum(basis[:, 0], 0))
        mean += basis[:, 2:] @ (observed[row, :, 2:].T @ weights)
        best = np.sort(np.argsort(-mean)[:3])
        assert (space.encode(looked_at[row, 3:]) == best).all()


def test_in_a_box_the_prior_alone_says_what_is_looked_at(tmp_path: Path) -> None:
    prior = small_prior(tmp_path, "interp")
    posterior = LearnedPosterior(prior, *_data())
    assert (posterior.most_promising() == prior.promising).all()
