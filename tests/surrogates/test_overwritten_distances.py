"""Kernels that may overwrite the distances they are given."""

from __future__ import annotations

import numpy as np
import pytest

from ombo_gym.surrogates.correlation import Correlation
from ombo_gym.surrogates.kernels import KERNELS


@pytest.mark.parametrize("name", sorted(KERNELS))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_distances_stay_unless_they_are_given_away(name, dtype):
    squared = np.random.default_rng(0).random((2, 3, 5)).astype(dtype)
    before = squared.copy()
    expected = KERNELS[name](squared)
    np.testing.assert_array_equal(squared, before)
    np.testing.assert_array_equal(KERNELS[name](squared, overwrite=True), expected)
    assert expected.dtype == dtype


def test_a_sum_and_product_is_the_same_when_distances_are_given_away():
    rng = np.random.default_rng(1)
    squared = [rng.random((2, 3, 5)) for _ in range(2)]
    correlation = Correlation(
        "matern52", np.ones((2, 3)), np.array([False, False, True]), rng.random((2, 3))
    )
    expected = correlation.of([each.copy() for each in squared])
    np.testing.assert_array_equal(correlation.of(squared, overwrite=True), expected)
