"""Which batch a trained network proposes, of those that it may draw slot by slot."""

from __future__ import annotations

import itertools
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ombo_agents.learned.likeliest_batch import likeliest_batch


def chances_of_batches(scores, crowding, available, once):
    """Of all batches as sorted tuples, by going through every order of their slots."""
    chances = defaultdict(float)
    q, num_options = scores.shape
    for slots in itertools.product(range(num_options), repeat=q):
        chance = 1.0
        for slot, option in enumerate(slots):
            counts = np.bincount(slots[:slot], minlength=num_options)
            free = available & (counts == 0) if once else available
            free = free if free.any() else np.ones(num_options, bool)
            weights = np.where(free, np.exp(scores[slot] + counts * crowding), 0.0)
            chance *= weights[option] / weights.sum()
        chances[tuple(sorted(slots))] += chance
    return chances


@given(st.integers(1, 3), st.integers(1, 4), st.booleans(), st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_it_is_the_likeliest_of_all_batches_whatever_their_order(q, num_options, once, seed):
    rng = np.random.default_rng(seed)
    scores, crowding = rng.normal(0, 2, (q, num_options)), rng.normal(0, 1, num_options)
    available = rng.random(num_options) < 0.7
    found = likeliest_batch(scores, crowding, available, once=once)
    chances = chances_of_batches(scores, crowding, available, once)
    assert chances[tuple(found.tolist())] == pytest.approx(max(chances.values()))


def test_an_option_that_one_slot_of_five_is_to_have_is_not_lost():
    """Each slot takes it with a chance of 0.2 or so, so that none would if it were asked alone."""
    scores = np.log([[0.2, 0.8]] * 5)
    crowding = np.array([-9.0, 0.0])  # hardly ever twice
    found = likeliest_batch(scores, crowding, np.ones(2, bool), once=False)
    assert found.tolist() == [0, 1, 1, 1, 1]


def test_of_equally_likely_batches_the_first_is_taken_whatever_rounding_says():
    scores = np.array([[0.0, 1e-15, -1e-15, 0.0]])
    found = likeliest_batch(scores, np.zeros(4), np.array([0, 1, 1, 1], bool), once=False)
    assert found.tolist() == [1]
    found = likeliest_batch(np.zeros((2, 4)), np.zeros(4), np.ones(4, bool), once=False)
    assert found.tolist() == [0, 1]  # which has two orders, as [0, 0] has not


def test_a_batch_holds_an_option_again_only_when_none_is_left():
    scores = np.array([[5.0, 1.0, 0.0]] * 4)
    available = np.array([True, True, False])
    found = likeliest_batch(scores, np.zeros(3), available, once=True)
    assert found.tolist() == [0, 0, 0, 1]
    assert likeliest_batch(scores[:2], np.zeros(3), available, once=True).tolist() == [0, 1]


def test_a_large_pool_is_searched_among_the_likeliest():
    rng = np.random.default_rng(0)
    scores = np.tile(rng.normal(0, 1, 256), (8, 1))
    scores[:, [7, 100]] += 20.0
    crowding = np.full(256, -4.0)
    found = likeliest_batch(scores, crowding, np.ones(256, bool), once=False)
    assert set(found.tolist()) == {7, 100} and 3 <= (found == 7).sum() <= 5
