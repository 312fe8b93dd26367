"""Ordered levels as features, mutants of categories, and a level that stands alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ombo_gym.design_spaces import CategoricalDesigns
from ombo_gym.design_spaces.parameters import Levels
from ombo_gym.randomness import GeneratorBatch

UNEVEN = st.lists(
    st.floats(-1e3, 1e3, allow_subnormal=False), min_size=2, max_size=12, unique=True
).filter(lambda levels: np.diff(np.sort(levels)).min() > 1e-3)


@settings(max_examples=30)
@given(levels=st.one_of(UNEVEN, st.integers(2, 12).map(lambda n: [float(i) for i in range(n)])))
def test_levels_are_as_far_apart_on_average_as_categories_are(levels: list[float]) -> None:
    """Two of n categories differ, at distance 1, with probability (n - 1) / n."""
    ascending, n = sorted(levels), len(levels)
    space = CategoricalDesigns([n], levels=[ascending])
    features = space.features(np.arange(n)[:, None])  # (n, 1)
    distances = (features[:, None] - features) ** 2  # (n, n, 1)
    assert distances.mean() == pytest.approx((n - 1) / n, rel=1e-9)
    steps, given_steps = np.diff(features[:, 0]), np.diff(ascending)
    np.testing.assert_allclose(steps / steps.sum(), given_steps / given_steps.sum(), rtol=1e-6)


def test_all_pairs_of_positions_change_together_equally_often() -> None:
    """One position of a mutant always changes; whether others do does not depend on which."""
    length, count = 4, 40_000
    space = CategoricalDesigns([3] * length)
    parents = np.zeros((1, count, length), np.int64)
    rngs = GeneratorBatch([np.random.default_rng(5)], 1)
    changed = (space.mutate(parents, rngs, mutations=2.0, step=0.0) != 0)[0]  # (count, L)
    assert changed.any(axis=1).all()
    together = changed.T.astype(float) @ changed / count  # (L, L)
    # One of the two is certain and the other changes by chance, or both change beside a third.
    chance = (2 - 1) / (length - 1)
    expected = 2 / length * chance + (1 - 2 / length) * chance**2
    pairs = together[np.triu_indices(length, 1)]
    np.testing.assert_allclose(pairs, expected, atol=5 * np.sqrt(expected / count))


def test_next_to_a_level_of_zero_that_stands_alone_is_no_level() -> None:
    alone = Levels((0.0,))
    assert alone.column(0.0) == alone.column(-0.0) == 0
    with pytest.raises(ValueError, match=r"expected one of .*got 1e-10"):
        alone.column(1e-10)
