"""The table that log expected improvements are read from."""

from __future__ import annotations

import numpy as np

from ombo_gym.controls.log_improvement import log_improvement


def test_it_rises_and_does_not_jump_where_the_table_ends():
    assert (np.diff(log_improvement(np.linspace(-60, 20, 4001))) > 0).all()
    for edge in (-40.0, 10.0):
        found = log_improvement(edge + np.array([-1e-9, 0.0, 1e-9]))
        # Beyond is the leading term of a series, which is within 3 / z^2 parts of it.
        assert np.abs(np.diff(found)).max() < 3 / edge**2
