"""Where outcomes are said to be."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ombo_agents.campaigns.advice.futures import range_of


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=30))
def test_a_range_covers_both_readings_of_noise(outcomes: list[float]) -> None:
    values = np.array(outcomes)
    rugged = np.arange(len(values)) % 2 == 1
    low, high = range_of(values, rugged)
    for reading in (values[rugged], values[~rugged]):
        assert low <= np.quantile(reading, 0.05) and np.quantile(reading, 0.95) <= high
    assert values.min() <= low <= high <= values.max()


def test_where_noise_is_known_a_range_is_between_the_two_quantiles() -> None:
    values = np.arange(101.0)
    assert np.allclose(range_of(values, np.zeros(101, bool)), (5, 95))
    rugged = values > 50  # 0 to 50, and 51 to 100
    assert np.allclose(range_of(values, rugged), (2.5, 51 + 0.95 * 49))
