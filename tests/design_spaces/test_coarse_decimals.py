"""Numbers of wide ranges come back as round as their coordinates allow."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ombo_gym.design_spaces.scales import between, position

ENDS = [(0.0, 1e9), (0.0, 1e13), (-4e10, 6e10), (1e5, 1e25)]


@pytest.mark.parametrize("ends", ENDS, ids=str)
@settings(max_examples=25)
@given(coordinate=st.floats(0.0078125, 1.0, width=32, exclude_max=True))
def test_no_rounder_number_stands_at_the_same_coordinate(
    ends: tuple[float, float], coordinate: float
) -> None:
    low, high = (np.array([end]) for end in ends)
    at = np.array([coordinate], np.float32)
    number = float(between(at, low, high, False)[0])
    assert low[0] <= number <= high[0]
    assert position(number, low, high, False).astype(np.float32)[0] == at[0]
    digits = len(Decimal(repr(number)).normalize().as_tuple().digits)
    if digits > 1:
        rounder = np.array([float(f"{number:.{digits - 2}e}")])  # one digit less
        stands = position(rounder, low, high, False).astype(np.float32)[0]
        assert not (stands == at[0] and low[0] <= rounder[0] <= high[0])


def test_a_number_in_the_hundreds_of_millions_ends_in_tens() -> None:
    at = np.float32([0.123, 0.5, 0.777, 0.9999])
    numbers = between(at, np.zeros(4), np.full(4, 1e9), False)
    assert (numbers % 10 == 0).all()
