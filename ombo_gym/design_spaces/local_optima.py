"""What is left to climb: measured designs without a better neighbour, and their neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Found = tuple[NDArray[np.int64], NDArray[np.bool_]]

_CHUNK_DISTANCES = 2**20  # between candidates, that are held at once


def around_peaks_of_positions(
    categories: NDArray[np.int64],
    is_level: NDArray[np.bool_],
    designs: NDArray[np.int64],
    values: NDArray[np.float64],
    lots: NDArray[np.float64],
    *,
    count: int,
) -> Found:
    """Unmeasured neighbours of peaks, those of the best peak first, in random order.

    Neighbours differ in one position, by one level where its categories are levels. A peak is a
    measured design of which no measured neighbour is better.

    Args:
        categories: (L,) how many there are at each position.
        is_level: (L,) positions whose categories have an order.
        designs: (R, n, L) measured.
        values: (R, n).
        lots: (R, K, L, largest number of categories) uniform numbers; peaks are looked for among
            the best K rows.
        count: How many neighbours.

    Returns:
        (R, m, L) neighbours, m at most `count`, and which of them are neighbours at all.
    """
    row = np.arange(len(designs))[:, None]  # (R, 1)
    order = np.argsort(-values, axis=1, kind="stable")  # (R, n)
    top = order[:, : lots.shape[1]]  # (R, K)
    best = designs[row, top]  # (R, K, L)
    distance = np.zeros((*top.shape, designs.shape[1]), np.int32)  # (R, K, n)
    for position, level in enumerate(is_level.tolist()):
        difference = np.abs(best[:, :, None, position] - designs[:, None, :, position])
        distance += difference.astype(np.int32) if level else difference != 0
    near = distance == 1  # (R, K, n)
    rank = np.empty_like(order)  # (R, n)
    np.put_along_axis(rank, order, np.arange(order.shape[1])[None], axis=1)
    earlier = rank[:, None] < np.arange(top.shape[1])[:, None]  # (R, K, n) strictly better placed
    better = values[:, None] > values[row, top][:, :, None]  # (R, K, n)
    peak = ~((near & better) | ((distance == 0) & earlier)).any(axis=2)  # (R, K)

    listed = np.arange(lots.shape[-1])
    current = best[..., None]  # (R, K, L, 1)
    reachable = np.where(is_level[:, None], np.abs(listed - current) == 1, listed != current)
    unmeasured = reachable & (listed < categories[:, None]) & peak[..., None, None]
    r, k, j = np.nonzero(near)
    changed = (best[r, k] != designs[r, j]).argmax(axis=1)
    unmeasured[r, k, changed, designs[r, j, changed]] = False  # (R, K, L, categories)

    keys = lots + np.arange(unmeasured.shape[1])[:, None, None]
    keys = np.where(unmeasured, keys, np.inf).reshape(len(unmeasured), -1)
    chosen = np.argsort(keys, axis=1, kind="stable")[:, :count]  # (R, m)
    parts: Any = np.unravel_index(chosen, unmeasured.shape[1:])
    leader, position, category = parts  # (R, m) each
    found = best[row, leader]  # (R, m, L)
    np.put_along_axis(found, position[..., None], category[..., None], axis=2)
    return found, np.isfinite(np.take_along_axis(keys, chosen, axis=1))


def around_peaks_of_pools(
    neighbours_of: Callable[[NDArray[np.intp]], NDArray[np.intp]],
    size: int,
    designs: NDArray[np.int64],
    values: NDArray[np.float64],
    *,
    leaders: int,
    count: int,
) -> Found:
    """As `around_peaks_of_positions`, the nearest neighbours of a peak first.

    Args:
        neighbours_of: Of candidates (R, K) the nearest others (R, K, k).
        size: M, candidates of the pool.
        designs: (R, n, 1) measured.
        values: (R, n).
        leaders: Among how many of the best candidates peaks are looked for.
        count: How many neighbours.

    Returns:
        (R, m, 1) and (R, m).
    """
    row = np.arange(len(designs))[:, None]
    known = np.full((len(designs), size), -np.inf)  # (R, M) best value of each candidate
    np.maximum.at(known, (row, designs[..., 0]), values)
    top = np.argsort(-known, axis=1, kind="stable")[:, :leaders]  # (R, K)
    height = known[row, top][..., None]  # (R, K, 1)
    around = neighbours_of(top)  # (R, K, k)
    nearest = around.shape[2]
    known_around = known[row[..., None], around]  # (R, K, k)
    peak = np.isfinite(height) & ~(known_around > height).any(axis=2, keepdims=True)
    unmeasured = np.isneginf(known_around) & peak
    keys = np.arange(nearest) + nearest * np.arange(top.shape[1])[:, None]
    keys = np.where(unmeasured, keys.astype(float), np.inf).reshape(len(unmeasured), -1)
    chosen = np.argsort(keys, axis=1, kind="stable")[:, :count]
    found = np.take_along_axis(around.reshape(len(around), -1), chosen, axis=1)
    return found[..., None], np.isfinite(np.take_along_axis(keys, chosen, axis=1))


def nearest_others_of(
    features: NDArray[np.float64], some: NDArray[np.intp], count: int
) -> NDArray[np.intp]:
    """As `nearest_others`, of some candidates alone, (R, K) -> (R, K, at most count)."""
    count = min(count, len(features) - 1)
    lengths = (features**2).sum(axis=1)
    each, where = np.unique(some, return_inverse=True)
    found = np.empty((len(each), count), np.intp)
    for number, candidate in enumerate(each.tolist()):
        distances = lengths - 2 * features @ features[candidate]  # (M,)
        distances[candidate] = np.inf
        few = np.argpartition(distances, count - 1)[:count]
        found[number] = few[np.argsort(distances[few], kind="stable")]
    return found[where.reshape(some.shape)]


def nearest_others(features: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Of each candidate the nearest others, nearest first, (M, k) -> (M, at most count)."""
    size = len(features)
    count = min(count, size - 1)
    lengths = (features**2).sum(axis=1)
    found = np.empty((size, count), np.intp)
    chunk = max(1, _CHUNK_DISTANCES // size)
    for first in range(0, size, chunk):
        part: Any = slice(first, min(first + chunk, size))
        distances = lengths - 2 * features[part] @ features.T
        distances[np.arange(len(distances)), np.arange(size)[part]] = np.inf
        few = np.argpartition(distances, count - 1, axis=1)[:, :count] if count else found[part]
        order = np.argsort(np.take_along_axis(distances, few, axis=1), axis=1, kind="stable")
        found[part] = np.take_along_axis(few, order, axis=1)
    return found
