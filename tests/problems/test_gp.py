"""Functions of a Gaussian process: their covariance over campaigns, and where they are highest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import optimize, special, stats

import ombo_gym
from ombo_gym.randomness import KeyedGenerator, Stream


def matern52(distance: np.ndarray, lengthscale: float) -> np.ndarray:
    """By its definition with a Bessel function, not by the closed form that the package uses."""
    nu = 2.5
    scaled = np.sqrt(2 * nu) * np.maximum(distance, 1e-9) / lengthscale
    return 2 ** (1 - nu) / special.gamma(nu) * scaled**nu * special.kv(nu, scaled)


def rbf(distance: np.ndarray, lengthscale: float) -> np.ndarray:
    return np.exp(-0.5 * (distance / lengthscale) ** 2)


@pytest.mark.parametrize(
    ("kernel", "closed_form", "dim", "lengthscale"),
    [
        ("matern52", matern52, 2, 0.3),
        ("rbf", rbf, 2, 0.3),
        ("matern52", matern52, 1, 0.7),
        ("rbf", rbf, 4, 1.1),
        ("matern52", matern52, 4, 0.6),
    ],
)
@pytest.mark.parametrize("features", [3, 256])
def test_the_covariance_over_campaigns_is_the_kernel(
    kernel: str, closed_form: Any, dim: int, lengthscale: float, features: int
) -> None:
    """At any number of features: the features are drawn anew for each campaign."""
    instances = 10_000
    problem = ombo_gym.make_problem(
        "GP", dim=dim, kernel=kernel, lengthscale=lengthscale, features=features
    )
    rng = np.random.default_rng(0)
    direction = rng.normal(size=dim)
    along = np.array([0, 0.2, 0.5, 0.9, 1.4, 2.2])[:, None] * lengthscale / 2
    points = -0.7 * np.sign(direction) + along * direction / np.linalg.norm(direction)
    points = np.vstack([points, rng.uniform(-1, 1, (4, dim))]).clip(-1, 1).astype(np.float32)
    keys = rng.integers(0, 2**64, instances, dtype=np.uint64)
    drawn = problem.draw(KeyedGenerator(keys, Stream.INSTANCE))
    values, feasible = problem.true_values(drawn, np.repeat(points[None], instances, axis=0))
    assert feasible is None

    distance = np.linalg.norm(points[:, None] - points[None], axis=-1)
    expected = closed_form(distance, lengthscale)
    products = values[:, :, None] * values[:, None, :]
    error = products.std(axis=0) / np.sqrt(instances)
    assert (np.abs(products.mean(axis=0) - expected) < 5 * error).all()
    assert (np.abs(values.mean(axis=0)) < 5 / np.sqrt(instances)).all()
    assert np.abs(values.var(axis=0) - 1).max() < 5 * np.sqrt(2 / instances)
    assert stats.kstest(values[:, 0], "norm").pvalue > 1e-4, "Gaussian at each design"


def test_the_two_kernels_can_be_told_apart_by_that_test() -> None:
    """One lengthscale apart they differ by .08, five times the error of 10,000 campaigns."""
    one = np.array([1.0])
    assert rbf(one, 1.0) - matern52(one, 1.0) > 5 * np.sqrt(2 / 10_000)


def test_matern_functions_have_the_closed_form_of_the_textbook() -> None:
    r = np.linspace(0.01, 3, 50)
    s = np.sqrt(5) * r / 0.3
    np.testing.assert_allclose(matern52(r, 0.3), (1 + s + s**2 / 3) * np.exp(-s), rtol=1e-8)


def test_values_are_the_sum_of_waves_that_the_instance_describes() -> None:
    problem = ombo_gym.make_problem("GP", dim=3)
    drawn = problem.draw(KeyedGenerator(np.arange(5, dtype=np.uint64), Stream.INSTANCE))
    designs = np.random.default_rng(0).uniform(-1, 1, (5, 6, 3)).astype(np.float32)
    values = problem.true_values(drawn, designs)[0]
    exact = {name: array.astype(np.float64) for name, array in drawn.items()}
    for row in range(5):
        angles = designs[row].astype(np.float64) @ exact["frequencies"][row] + exact["phases"][row]
        np.testing.assert_allclose(
            values[row], np.cos(angles) @ exact["amplitudes"][row], atol=2e-5
        )


@pytest.mark.parametrize(
    ("dim", "kernel"), [(1, "matern52"), (2, "matern52"), (2, "rbf"), (3, "rbf")]
)
def test_the_optimum_is_above_20_000_random_designs_and_a_grid(dim: int, kernel: str) -> None:
    instances = 8
    problem = ombo_gym.make_problem("GP", dim=dim, kernel=kernel)
    drawn = problem.draw(KeyedGenerator(np.arange(instances, dtype=np.uint64), Stream.INSTANCE))
    optimum = problem.optimum(drawn)
    assert optimum.shape == (instances,) and not problem.optimum_exact
    side = np.linspace(-1, 1, {1: 20_001, 2: 101, 3: 21}[dim])
    grid = np.stack(np.meshgrid(*[side] * dim), axis=-1).reshape(-1, dim)
    random = np.random.default_rng(0).uniform(-1, 1, (20_000, dim))
    designs = np.concatenate([random, grid]).astype(np.float32)
    for row in range(instances):
        instance = {name: array[row : row + 1] for name, array in drawn.items()}
        values = problem.true_values(instance, designs[None])[0][0]
        assert optimum[row] >= values.max() - 1e-6
        if row < 3:
            found = climbed(instance, designs[values.argmax()])
            assert found - 1e-3 < optimum[row], "not below what another library climbs to"
            assert optimum[row] < max(found, values.max()) + 0.2, "and a value that f takes"


def climbed(instance: dict[str, np.ndarray], begin: np.ndarray) -> float:
    frequencies, phases, amplitudes = (
        instance[name][0].astype(np.float64) for name in ("frequencies", "phases", "amplitudes")
    )

    def negated(x: np.ndarray) -> float:
        return -float(np.cos(x @ frequencies + phases) @ amplitudes)

    found = optimize.minimize(negated, begin, bounds=[(-1, 1)] * len(begin), method="L-BFGS-B")
    return -float(found.fun)
