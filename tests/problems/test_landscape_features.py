"""Designs of finitely many landscapes have features that say how far values are apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ombo_gym.problems.synthetic.landscape_families import FAMILIES
from tests.problems.test_landscapes import OWN, problem


@pytest.mark.parametrize(
    "arguments", [{"name": name} for name in FAMILIES] + [OWN], ids=lambda a: a.get("name", "own")
)
def test_squared_distances_of_features_are_expected_squared_differences(
    arguments: dict[str, Any],
) -> None:
    """Relative to their average over pairs of designs."""
    landscapes = problem(**arguments)
    matrix, weights = landscapes.prior.matrix, landscapes.prior.weights
    designs = range(matrix.shape[1])
    expected = np.array(
        [[(weights * (matrix[:, x] - matrix[:, y]) ** 2).sum() for y in designs] for x in designs]
    )
    expected /= np.mean([expected[x, y] for x in designs for y in designs if x != y])
    features = landscapes.design_space.features(np.arange(len(designs))[:, None])
    squared = ((features[:, None] - features) ** 2).sum(axis=-1)
    np.testing.assert_allclose(squared, expected, atol=1e-9)


def test_designs_that_never_differ_have_no_features() -> None:
    for matrix in ([[1.0]], [[1.0, 1.0], [2.0, 2.0]]):
        features = problem(matrix=matrix).design_space.pool_features
        assert features.shape == (len(matrix[0]),) * 2 and not features.any()


@pytest.mark.parametrize(("offset", "scale"), [(0, 1e-9), (1e3, 0.1), (-1e9, 10), (0, 1e30)])
def test_units_and_what_is_added_change_no_distance(offset: float, scale: float) -> None:
    matrix = np.array([[0.0, 1.0, 3.0], [2.0, 0.0, 1.0], [5.0, 5.0, 0.0]])
    plain, other = (
        ((features[:, None] - features) ** 2).sum(axis=-1)
        for features in (
            problem(matrix=values).design_space.pool_features
            for values in (matrix, offset + scale * matrix)
        )
    )
    np.testing.assert_allclose(other, plain, atol=1e-6)
