"""Spaces whose designs are numbered: their codes, draws without replacement, and duplicates."""

from __future__ import annotations

import pickle
from collections import Counter
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from scipy import stats

from ombo_gym import design_spaces
from ombo_gym.design_spaces import BoxDesigns, CandidateDesigns, CategoricalDesigns, finite
from ombo_gym.randomness import GeneratorBatch, KeyedGenerator, Stream


def test_spaces_too_large_to_list_are_drawn_without_replacement_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(finite, "LISTED", 1)
    space = CategoricalDesigns([2, 3, 2])
    rngs = KeyedGenerator(np.arange(300, dtype=np.uint64), Stream.START)
    designs = space.sample_distinct(rngs, 12)
    codes = np.sort(space.encode(designs), axis=1)
    np.testing.assert_array_equal(codes, np.tile(np.arange(12), (300, 1)))
    alone = space.sample_distinct(KeyedGenerator(np.array([7], np.uint64), Stream.START), 12)
    np.testing.assert_array_equal(alone[0], designs[7])
    pairs = space.sample_distinct(KeyedGenerator(np.arange(4000, dtype=np.uint64), Stream.START), 2)
    counts = Counter(map(tuple, space.encode(pairs).tolist()))
    assert len(counts) == 12 * 11
    assert stats.chisquare(list(counts.values())).pvalue > 1e-4


def test_a_long_sequence_has_more_designs_than_an_integer_counts() -> None:
    space = CategoricalDesigns([4] * 40)
    assert space.size == 4**40
    designs = space.sample_distinct(KeyedGenerator(np.arange(2, dtype=np.uint64), Stream.START), 50)
    assert designs.shape == (2, 50, 40) and set(np.unique(designs)) == {0, 1, 2, 3}


def test_codes_count_all_designs_once() -> None:
    space = CategoricalDesigns([2, 3, 4])
    designs = space.decode(np.arange(24))
    assert len(np.unique(designs, axis=0)) == 24 == space.size
    np.testing.assert_array_equal(space.encode(designs), np.arange(24))
    assert designs[1].tolist() == [0, 0, 1] and designs[-1].tolist() == [1, 2, 3]


@pytest.mark.parametrize("dtype", [np.int64, np.float32])
def test_many_designs_are_told_apart_as_few_are(dtype: Any) -> None:
    designs = np.random.default_rng(0).integers(-1, 2, (3, 200, 5)).astype(dtype)
    if dtype is np.float32:
        designs[:, ::2] *= -1  # has 0.0 and -0.0
    expected = [[x in row[:i] for i, x in enumerate(row)] for row in designs.tolist()]
    assert design_spaces.repeated(designs).tolist() == expected
    assert design_spaces.repeated(designs[:, :20]).tolist() == [row[:20] for row in expected]


def test_squared_distances_of_features_are_hamming_distances() -> None:
    space = CategoricalDesigns([2, 3, 4])
    designs = space.decode(np.arange(24))
    features = space.features(designs)
    squared = ((features[:, None] - features[None]) ** 2).sum(axis=-1)
    hamming = (designs[:, None] != designs[None]).sum(axis=-1)
    np.testing.assert_allclose(squared, hamming, atol=1e-12)


@pytest.mark.parametrize(
    "space", [BoxDesigns(3), CategoricalDesigns([2, 3]), CandidateDesigns(np.eye(5))], ids=repr
)
def test_actions_and_designs_are_inverse(space: design_spaces.DesignSpace) -> None:
    batches = space.sample(KeyedGenerator(np.arange(4, dtype=np.uint64), Stream.START), 3)
    actions = space.actions(batches)
    action_space = space.action_space(3)
    for action in actions:
        assert action in action_space
    np.testing.assert_array_equal(space.designs(actions), batches)
    shown = space.observation_space(3)
    assert batches.astype(shown.dtype) in gym.vector.utils.batch_space(shown, 4)
    assert space.features(batches).shape[:2] == (4, 3)


@pytest.mark.parametrize("space", [CategoricalDesigns([3, 4, 2]), CandidateDesigns(np.eye(24))])
def test_a_table_of_all_designs_finds_the_same_as_comparing_every_two(space, monkeypatch):
    rng = np.random.default_rng(0)
    sought = space.decode(rng.integers(24, size=(5, 9)))
    listed = space.decode(rng.integers(24, size=(5, 12)))
    in_use = rng.random((5, 12)) < 0.5
    assert sought.shape[1] * listed.shape[1] > space.size  # so the table is used
    monkeypatch.setattr(finite, "_CHUNK_ENTRIES", 30)  # one row at a time
    for used in (None, in_use):
        expected = design_spaces.among(sought, listed, used)
        np.testing.assert_array_equal(space.among(sought, listed, used), expected)
        assert expected.any() and not expected.all()


def test_a_pool_pickles_without_what_can_be_worked_out_again() -> None:
    pool = CandidateDesigns(np.random.default_rng(0).normal(size=(50, 2)))
    before = len(pickle.dumps(pool))
    rngs = GeneratorBatch(np.random.default_rng(0), 1)
    values = np.arange(3.0)[None]
    pool.around_peaks(np.arange(3)[None, :, None], values, rngs, leaders=2, count=4, neighbours=8)
    assert len(pickle.dumps(pool)) == before
    assert pickle.loads(pickle.dumps(pool)) == pool
