"""Pools of rows of categories: features, neighbours, pieces of wide ones."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

from ombo_gym.design_spaces import CandidateDesigns, CategoryPool, design_space_from_dict
from ombo_gym.design_spaces import category_pool as module
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.surrogates.listed_marginals import listed_designs


def rows(size: int = 60, length: int = 5, categories: int = 4, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(categories, size=(size, length))


def squared(features: np.ndarray) -> np.ndarray:
    found: np.ndarray = ((features[:, None] - features[None]) ** 2).sum(axis=2)
    return found


def test_distances_are_of_hamming_with_two_thirds_in_the_mean() -> None:
    codes = np.concatenate([rows(), np.full((60, 1), 3)], axis=1)  # one position never changes
    pool = CategoryPool(codes)
    found = squared(pool.pool_features)
    hamming = (codes[:, None] != codes[None]).sum(axis=2)
    assert found.mean() == pytest.approx(2 / 3)
    np.testing.assert_allclose(found, hamming * (found.max() / hamming.max()), atol=1e-12)
    assert pool.width == 5 * 4 and pool.feature_groups.tolist() == np.repeat(range(5), 4).tolist()


def test_categories_that_do_not_occur_and_positions_that_do_not_change_have_no_feature() -> None:
    pool = CategoryPool(np.array([[7, 0, 590], [7, 3, 2], [7, 3, 590]]))
    assert pool.width == 4 and pool.categories.dtype == np.int16
    assert (pool.features(np.array([[0], [2]])) > 0).tolist() == [
        [True, False, False, True],
        [False, True, False, True],
    ]
    assert np.array_equal(pool.features(np.array([[[1]]]))[0, 0], pool.pool_features[1])


def test_effects_are_those_of_the_same_features_as_a_plain_pool() -> None:
    pool = CategoryPool(rows(30, 3))
    plain = CandidateDesigns(pool.pool_features, scale="none")
    every = np.arange(30)[:, None]
    np.testing.assert_allclose(pool.effects(every), plain.effects(every), atol=1e-12)


def test_it_comes_back_from_json_and_pickles_without_features() -> None:
    pool = CategoryPool(rows(500, 10, 20))
    before = len(pickle.dumps(pool))
    assert pool.pool_features.shape == (500, 200)
    assert len(pickle.dumps(pool)) == before < 50_000
    again = design_space_from_dict(json.loads(json.dumps(pool.to_dict())))
    assert again == pool and hash(again) == hash(pool) and pool != CategoryPool(rows(500, 10, 19))
    assert pickle.loads(pickle.dumps(pool)) == pool


@pytest.mark.parametrize(
    "given",
    [np.zeros((3,), int), np.zeros((0, 2), int), np.zeros((2, 2)), np.array([[0, -1], [0, 1]])],
)
def test_what_is_no_table_of_categories_is_refused(given: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"categories: expected \(n, L\) whole numbers from 0"):
        CategoryPool(given)


def test_more_categories_than_a_surrogate_can_see_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 65,536 in all positions together"):
        CategoryPool(np.tile(np.arange(30_000)[:, None], (1, 3)))


def test_of_a_wide_pool_pieces_are_looked_at_until_all_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_LISTED_FEATURES", 60_000)  # of 40 features each: 1,500
    pool = CategoryPool(rows(3000, 10))
    seen = [listed for turn in range(2) if (listed := listed_designs(pool, turn)) is not None]
    assert [each.features.shape for each in seen] == [(1500, 40), (1500, 40)]
    codes = np.concatenate([each.codes for each in seen])
    assert np.sort(codes).tolist() == list(range(3000))


def test_neighbours_by_categories_are_those_by_features(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = np.unique(rows(400, 6), axis=0)
    pool = CategoryPool(codes)
    measured = np.arange(0, 200, 7)[None, :, None]
    values = np.random.default_rng(1).normal(size=measured.shape[:2])
    rng = GeneratorBatch([np.random.default_rng(0)], 1)
    arguments = {"leaders": 3, "count": 20, "neighbours": 5}
    by_features = pool.around_peaks(measured, values, rng, **arguments)
    monkeypatch.setattr(module, "_SMALL", 0)
    by_categories = pool.around_peaks(measured, values, rng, **arguments)

    def differing(found: np.ndarray) -> list[int]:
        best = measured[0, values[0].argmax(), 0]
        differing: list[int] = (codes[found[0, :5, 0]] != codes[best]).sum(axis=1).tolist()
        return differing

    assert differing(by_features[0]) == differing(by_categories[0])
    assert by_categories[1].any()


def test_all_features_at_once_are_refused_where_they_do_not_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_MOST_BYTES", 2**15)
    pool = CategoryPool(rows(3000, 10))
    with pytest.raises(ValueError, match=r"3,000 with 40 each .* such as random or ucb"):
        _ = pool.pool_features


def test_designs_are_spread_by_the_positions_in_which_they_differ() -> None:
    pool = CategoryPool(np.array([[0, 0, 0], [0, 0, 1], [0, 1, 0], [3, 3, 3]]))
    rngs = GeneratorBatch([np.random.default_rng(seed) for seed in range(20)], 20)
    found = pool.spread(rngs, 2)[..., 0]
    assert ((found == 3).sum(axis=1) == 1).all(), "the odd one is first or the farthest"
