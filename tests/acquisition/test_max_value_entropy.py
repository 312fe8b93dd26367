"""The information about the largest value, against plain entropies."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from ombo_gym.acquisition.max_value_entropy import MaxValueInformation
from ombo_gym.surrogates.marginals import Marginals


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
