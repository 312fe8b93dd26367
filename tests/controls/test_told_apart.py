"""Which numbers of a row came before."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ombo_gym.controls.shortlist import again


@settings(max_examples=60)
@given(st.lists(st.lists(st.integers(0, 3), min_size=5, max_size=5), min_size=1, max_size=4))
def test_the_first_of_each_kind_is_new(rows):
    numbers = np.array(rows, np.uint64)
    expected = [[each in row[:i] for i, each in enumerate(row)] for row in numbers.tolist()]
    np.testing.assert_array_equal(again(numbers), expected)


def test_numbers_that_differ_in_their_last_bit_are_told_apart():
    numbers = np.array([[2**40, 2**40 + 1, 2**40]], np.uint64)
    np.testing.assert_array_equal(again(numbers), [[False, False, True]])


def test_one_number_is_new():
    np.testing.assert_array_equal(again(np.zeros((3, 1), np.uint64)), np.zeros((3, 1), bool))
