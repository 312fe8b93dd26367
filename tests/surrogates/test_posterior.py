"""The batched posterior against textbook formulas, solved anew for each campaign."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import multivariate_normal

from ombo_gym.design_spaces import BoxDesigns, CategoricalDesigns
from ombo_gym.env import CampaignEnv
from ombo_gym.problems.biology.tf_binding import TFBinding
from ombo_gym.problems.synthetic.ehrlich import Ehrlich
from ombo_gym.problems.synthetic.gp import GP
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.conditioning import subsample_dataset
from ombo_gym.surrogates.kernels import KERNELS, squared_distances
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import JITTER, Surrogate, make_surrogate

ROWS, CANDIDATES = 3, 9


def spec_of(problem, surrogate, noise_std=0.0):
    space, prior = problem.design_space, problem.prior
    return CampaignSpec(space, noise_std=noise_std, surrogate=surrogate, prior=prior)


def textbook_kernel(name, a, b, lengthscale):
    """Rasmussen and Williams, equations 4.9 and 4.17, from distances that scipy computed."""
    r = cdist(a, b) / lengthscale
    if name == "rbf":
        return np.exp(-(r**2) / 2)
    return (1 + np.sqrt(5) * r + 5 * r**2 / 3) * np.exp(-np.sqrt(5) * r)


def textbook_posterior(kernel, x, y, z, lengthscale, noise, outputscale=1.0):
    """Mean and covariance at z, equations 2.25 and 2.26, with a plain solve."""
    k = outputscale * textbook_kernel(kernel, x, x, lengthscale)
    k += outputscale * noise * np.eye(len(x))
    cross = outputscale * textbook_kernel(kernel, x, z, lengthscale)
    weights = np.linalg.solve(k, np.column_stack([y, cross]))
    mean = cross.T @ weights[:, 0]
    return mean, outputscale * textbook_kernel(kernel, z, z, lengthscale) - cross.T @ weights[:, 1:]


def given_kernel(kernel="matern52", lengthscale=0.3, noise=1e-4):
    return Surrogate(kernel, (lengthscale,), (noise,), standardise=False)


def some_data(seed, n, dim=2, rows=ROWS):
    rng = np.random.default_rng(seed)
    x, z = rng.uniform(-1, 1, (rows, n, dim)), rng.uniform(-1, 1, (rows, CANDIDATES, dim))
    return x, np.sin(3 * x).sum(axis=-1) + 0.1 * rng.standard_normal((rows, n)), z


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 25),
    dim=st.sampled_from([1, 2, 6]),
    kernel=st.sampled_from(sorted(KERNELS)),
    lengthscale=st.floats(0.05, 3),
    noise=st.sampled_from([1e-4, 1e-2, 0.3]),
)
def test_mean_variance_and_covariance_are_the_textbook_s(seed, n, dim, kernel, lengthscale, noise):
    x, y, z = some_data(seed, n, dim)
    posterior = Posterior(given_kernel(kernel, lengthscale, noise), x, y)
    marginals, covariance = posterior.at(z), posterior.covariance(z)
    for row in range(ROWS):
        mean, expected = textbook_posterior(kernel, x[row], y[row], z[row], lengthscale, noise)
        np.testing.assert_allclose(marginals.mean[row], mean, atol=1e-7)
        np.testing.assert_allclose(marginals.sd[row] ** 2, np.diag(expected), atol=1e-8)
        np.testing.assert_allclose(covariance[row], expected, atol=1e-8)


def test_the_posterior_without_data_is_the_prior():
    x, y, z = some_data(0, 0)
    for surrogate in (given_kernel(), Surrogate("matern52", (0.1, 0.3, 1.0), (1e-4, 1e-2), True)):
        posterior = Posterior(surrogate, x, y)
        marginals = posterior.at(z)
        assert (marginals.mean == 0).all() and (marginals.sd == 1).all()
        lengthscale = posterior.lengthscale[0]
        for row in range(ROWS):
            expected = textbook_kernel("matern52", z[row], z[row], lengthscale)
            np.testing.assert_allclose(posterior.covariance(z)[row], expected, atol=1e-12)
        marginals.fantasize(np.zeros(ROWS, int))
        assert np.isfinite(marginals.sd).all() and (marginals.sd[:, 0] < 0.02).all()


def test_measuring_a_design_m_times_is_measuring_its_mean_with_an_mth_of_the_noise():
    x, y, z = some_data(1, 5)
    noise, times = 0.05, 4
    wobble = np.array([0.3, -0.3, 0.1, -0.1])  # around the mean
    again = Posterior(
        given_kernel(noise=noise),
        np.repeat(x, times, axis=1),
        np.repeat(y, times, axis=1) + np.tile(wobble, 5),
    ).at(z)
    once = Posterior(given_kernel(noise=noise / times), x, y).at(z)
    np.testing.assert_allclose(again.mean, once.mean, atol=1e-10)
    np.testing.assert_allclose(again.sd, once.sd, atol=1e-10)


@pytest.mark.parametrize("kernel", sorted(KERNELS))
def test_one_design_measured_fifty_times_without_noise_does_no_harm(kernel):
    x, y, z = some_data(2, 6)
    x = np.concatenate([x, np.repeat(x[:, :1], 50, axis=1)], axis=1)
    y = np.concatenate([y, np.repeat(y[:, :1], 50, axis=1)], axis=1)
    posterior = Posterior(given_kernel(kernel, noise=JITTER), x, y)
    marginals = posterior.at(np.concatenate([x[:, :6], z], axis=1))
    np.testing.assert_allclose(marginals.mean[:, :6], y[:, :6], atol=1e-3)
    assert (marginals.sd[:, :6] < 2e-3).all()
    assert np.isfinite(marginals.mean).all() and (marginals.sd > 0).all()


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(0, 12),
    kernel=st.sampled_from(sorted(KERNELS)),
    noise=st.sampled_from([1e-3, 0.2]),
    standardise=st.booleans(),
    picks=st.lists(st.integers(0, CANDIDATES - 1), min_size=1, max_size=6),
)
def test_fantasizing_is_factorising_anew_with_the_point_added_at_its_mean(
    seed, n, kernel, noise, standardise, picks
):
    x, y, z = some_data(seed, n)
    prior = Surrogate(kernel, (0.5,), (noise,), standardise)
    posterior = Posterior(prior, x, y)
    marginals = posterior.at(z)
    means = marginals.mean.copy()
    offsets = np.arange(ROWS)
    added, targets = x, posterior.targets
    for pick in picks:  # the same design may be picked again
        chosen = (pick + offsets) % CANDIDATES  # another one in every campaign
        marginals.fantasize(chosen)
        added = np.concatenate([added, z[offsets, chosen][:, None]], axis=1)
        targets = np.concatenate([targets, means[offsets, chosen][:, None]], axis=1)
        for row in range(ROWS):
            mean, covariance = textbook_posterior(
                kernel, added[row], targets[row], z[row], 0.5, noise, posterior.outputscale[row]
            )
            np.testing.assert_allclose(marginals.mean[row], mean, atol=1e-8)
            np.testing.assert_allclose(marginals.sd[row] ** 2, np.diag(covariance), atol=1e-8)
    np.testing.assert_array_equal(marginals.mean, means)


def test_a_copy_goes_on_where_beliefs_stand_and_leaves_them_alone():
    x, y, z = some_data(3, 4)
    marginals = Posterior(given_kernel(), x, y).at(z)
    marginals.fantasize(np.array([0, 1, 2]))
    copy, sd = marginals.copy(), marginals.sd
    copy.fantasize(np.array([3, 3, 3]))
    np.testing.assert_array_equal(marginals.sd, sd)
    marginals.fantasize(np.array([3, 3, 3]))
    np.testing.assert_array_equal(copy.sd, marginals.sd)


def likelihood(y, kernel, x, lengthscale, noise):
    """The largest log marginal likelihood over prior variances, by scipy's normal density."""
    k = textbook_kernel(kernel, x, x, lengthscale) + noise * np.eye(len(x))
    outputscale = y @ np.linalg.solve(k, y) / len(y)
    return multivariate_normal.logpdf(y, cov=outputscale * k), outputscale


@pytest.mark.parametrize("n", [3, 10, 30])
def test_kernel_parameters_are_the_likeliest_of_the_grid(n):
    lengthscales, noises = (0.1, 0.4, 1.6), (1e-3, 1e-1)
    rng = np.random.default_rng(n)
    rows = 12
    x = rng.uniform(-1, 1, (rows, n, 2))
    smooth = [
        multivariate_normal.rvs(
            cov=textbook_kernel("rbf", each, each, 0.1 * 4 ** (i % 3)) + 1e-6 * np.eye(n),
            random_state=rng,
        )
        for i, each in enumerate(x)
    ]
    y = 5 + 3 * np.array(smooth) + 0.5 * (np.arange(rows)[:, None] % 2) * rng.normal(size=(rows, n))
    posterior = Posterior(Surrogate("matern52", lengthscales, noises, standardise=True), x, y)
    np.testing.assert_allclose(
        posterior.targets, (y - y.mean(axis=1)[:, None]) / y.std(axis=1)[:, None]
    )
    chosen = set()
    for row in range(rows):
        tried = {
            (scale, noise): likelihood(posterior.targets[row], "matern52", x[row], scale, noise)
            for scale in lengthscales
            for noise in noises
        }
        pair = posterior.lengthscale[row], posterior.noise[row]
        highest = max(found for found, _ in tried.values())
        assert tried[pair][0] == pytest.approx(highest, abs=1e-8), "likelihoods that tie aside"
        assert posterior.outputscale[row] == pytest.approx(tried[pair][1], rel=1e-6)
        chosen.add(pair)
    assert len(chosen) > 1  # otherwise nothing was chosen


def test_fitted_beliefs_are_the_textbook_s_with_the_parameters_chosen():
    x, y, z = some_data(4, 15)
    surrogate = Surrogate("rbf", (0.2, 0.8), (1e-3, 1e-1), standardise=True)
    posterior = Posterior(surrogate, x, 7 + 3 * y)
    marginals, covariance = posterior.at(z), posterior.covariance(z)
    for row in range(ROWS):
        mean, expected = textbook_posterior(
            "rbf",
            x[row],
            posterior.targets[row],
            z[row],
            posterior.lengthscale[row],
            posterior.noise[row],
            posterior.outputscale[row],
        )
        np.testing.assert_allclose(marginals.mean[row], mean, atol=1e-8)
        np.testing.assert_allclose(marginals.sd[row] ** 2, np.diag(expected), atol=1e-8)
        np.testing.assert_allclose(covariance[row], expected, atol=1e-8)
        np.testing.assert_allclose(
            posterior.shift[row] + posterior.scale[row] * posterior.targets[row], 7 + 3 * y[row]
        )


def test_values_that_are_all_equal_give_finite_beliefs():
    x, _, z = some_data(5, 6)
    for n in (1, 2, 6):
        surrogate = Surrogate("matern52", (0.2, 0.8), (1e-4, 1e-2), standardise=True)
        posterior = Posterior(surrogate, x[:, :n], np.full((ROWS, n), -3.25))
        marginals = posterior.at(z)
        np.testing.assert_allclose(marginals.mean, 0, atol=1e-12)
        assert np.isfinite(marginals.sd).all() and (marginals.sd > 0).all()


@settings(max_examples=100)
@given(values=st.lists(st.integers(-5, 5), min_size=1, max_size=30), max_data=st.integers(2, 20))
def test_of_too_many_rows_the_best_half_and_the_most_recent_half_stay(values, max_data):
    kept = subsample_dataset(np.array([values, values[::-1]], float), max_data)
    for row, each in enumerate((values, values[::-1])):
        n = len(each)
        best = sorted(range(n), key=lambda i: (-each[i], i))[: max_data // 2]
        expected = set(range(n)) if n <= max_data else set(best)
        latest = n - 1
        while len(expected) < min(n, max_data):
            expected.add(latest)
            latest -= 1
        assert kept[row].tolist() == sorted(expected)


def test_the_prior_of_the_problem_is_its_kernel_and_the_noise_of_the_measurement():
    prior = make_surrogate(spec_of(GP(kernel="rbf", lengthscale=0.7), {"kernel": "prior"}, 0.2))
    assert prior == Surrogate("rbf", (0.7,), (0.2**2 + JITTER,), False, 512)
    recipe = {"kernel": "rbf", "lengthscale": 0.5, "max_data": 9}
    assert make_surrogate(spec_of(GP(), recipe)) == Surrogate("rbf", (0.5,), (JITTER,), False, 9)
    unknown = make_surrogate(spec_of(GP(), {"kernel": "prior"}, None))
    assert unknown.noise_variances == (JITTER,)
    fitted = make_surrogate(spec_of(TFBinding(), {}, 0.2))
    assert fitted == make_surrogate(spec_of(TFBinding(), {"kernel": "fit"}, 0.2))
    assert fitted.standardise and fitted.kernel == "matern52"
    assert fitted.groups == tuple(position for position in range(8) for _ in range(4))
    grid = make_surrogate(spec_of(TFBinding(), {"kernel": "isotropic"}, 0.2))
    assert grid.standardise and grid.kernel == "rbf" and len(grid.lengthscales) > 1


@pytest.mark.parametrize(
    ("config", "problem", "message"),
    [
        ({"kernel": "cubic"}, GP(), r"'fit', 'isotropic', 'learned', 'matern52', 'rbf'.*'cubic'"),
        ({"kernel": "prior"}, TFBinding(), "known process"),
        ({"kernel": "rbf"}, GP(), "lengthscale"),
        ({"kernel": "fit", "lengthscale": 1.0}, GP(), "lengthscale"),
        ({"kernel": "rbf", "lengthscale": -1.0}, GP(), "positive lengthscale"),
        ({"kernel": "rbf", "lengthscale": float("nan")}, GP(), "positive lengthscale"),
        ({"kernel": "rbf", "lengthscale": "wide"}, GP(), "positive lengthscale"),
        ({"max_data": 1}, GP(), "max_data of at least 2"),
        ({"max_data": True}, GP(), "max_data of at least 2"),
        ({"max_data": 8.0}, GP(), "max_data of at least 2"),
        ({"kernal": "fit"}, GP(), r"\['kernel', .*'path', 'truncation'\].*kernal"),
        ({"truncation": 11}, GP(), "truncation true, false or a number from 0 to 10, got 11"),
        ("prior", GP(), "surrogate: expected a dict of settings .*got 'prior'"),
    ],
)
def test_settings_that_make_no_surrogate_are_refused(config, problem, message):
    with pytest.raises(ValueError, match=message):
        make_surrogate(spec_of(problem, config))
    with pytest.raises(ValueError, match=message):
        CampaignEnv(problem, surrogate=config)


@pytest.mark.parametrize("kernel", sorted(KERNELS))
@pytest.mark.parametrize("noise_variance", [JITTER, 0.1])
@pytest.mark.parametrize(
    ("dim", "lengthscale"), [(1, 0.2), (2, 0.4), (6, 1.2), ("one-hot sequences", 1.5)]
)
def test_gpytorch_gives_the_same_posterior(kernel, noise_variance, dim, lengthscale):
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the import
        import gpytorch
    x, y, z = some_data(6, 20, dim if isinstance(dim, int) else 2)
    if dim == "one-hot sequences":
        space, rng = CategoricalDesigns([4] * 8), np.random.default_rng(0)
        x = space.features(rng.integers(4, size=(ROWS, 20, 8)))
        z = space.features(rng.integers(4, size=(ROWS, CANDIDATES, 8)))
    posterior = Posterior(given_kernel(kernel, lengthscale, noise_variance), x, y)
    marginals, covariance = posterior.at(z), posterior.covariance(z)
    base = (
        gpytorch.kernels.RBFKernel() if kernel == "rbf" else gpytorch.kernels.MaternKernel(nu=2.5)
    )
    base.lengthscale = lengthscale

    class Exact(gpytorch.models.ExactGP):
        def forward(self, inputs):
            mean = torch.zeros(inputs.shape[:-1], dtype=inputs.dtype)
            return gpytorch.distributions.MultivariateNormal(mean, base(inputs))

    for row in range(ROWS):
        level = torch.full((20,), noise_variance, dtype=torch.float64)
        noise = gpytorch.likelihoods.FixedNoiseGaussianLikelihood(noise=level)
        model = Exact(torch.tensor(x[row]), torch.tensor(y[row]), noise).double().eval()
        with (
            torch.no_grad(),
            warnings.catch_warnings(),
            gpytorch.settings.fast_computations(False, False, False),
            gpytorch.settings.min_fixed_noise(double_value=JITTER),
        ):
            warnings.simplefilter("ignore")
            expected = model(torch.tensor(z[row]))
            np.testing.assert_allclose(marginals.mean[row], expected.mean.numpy(), atol=1e-6)
            np.testing.assert_allclose(
                covariance[row], expected.covariance_matrix.numpy(), atol=1e-6
            )


def test_squared_distances_are_scipy_s():
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 5, 3)), rng.normal(size=(2, 4, 3))
    for row in range(2):
        expected = cdist(a[row], b[row], "sqeuclidean")
        np.testing.assert_allclose(squared_distances(a, b)[row], expected, atol=1e-12)
    assert (np.diagonal(squared_distances(a, a), axis1=1, axis2=2) < 1e-12).all()
    assert BoxDesigns(3).features(a.astype(np.float32)).dtype == np.float64


@pytest.mark.parametrize(("kernel", "times"), [("isotropic", 200), ("fit", 20)])
def test_a_row_does_not_depend_on_its_neighbours_where_likelihoods_tie(kernel, times):
    """Designs that all differ in every position have one likelihood on much of the grid."""
    problem = Ehrlich()
    space = problem.design_space
    surrogate = make_surrogate(spec_of(problem, {"kernel": kernel}))
    rng = np.random.default_rng(0)
    for _ in range(times):
        n = int(rng.integers(2, 20))
        features = space.features(rng.integers(32, size=(3, n, 32)))
        values = rng.choice([0.0, 0.1], size=(3, n))
        together = Posterior(surrogate, features, values)
        for row in range(3):
            alone = Posterior(surrogate, features[row : row + 1], values[row : row + 1])
            for name in ("lengthscale", "noise", "outputscale"):
                assert getattr(alone, name)[0] == getattr(together, name)[row]
            mean = alone.at(features[row : row + 1]).mean[0]
            np.testing.assert_array_equal(mean, together.at(features).mean[row])
