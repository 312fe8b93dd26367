"""How the encoder sums up the rows of datasets."""

from __future__ import annotations

import numpy as np
import torch

from ombo_agents.learned.encoder import _pooled


def test_rows_are_summed_up_where_they_belong():
    """As a mean that trusts few rows less, with two numbers that say how many they are."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(7, 3))
    places = rng.integers(0, 4, size=(2, 7))
    found = _pooled(torch.as_tensor(rows), [torch.as_tensor(place) for place in places], 5)
    for place in range(5):
        members = [row for each in places for row in np.flatnonzero(each == place)]
        total, count = rows[members].sum(axis=0), len(members)
        expected = [*(total / (1 + count)), np.log1p(count), 1 / (1 + count)]
        np.testing.assert_allclose(found[place], expected, atol=1e-12)
