"""The numbers of many counter-based generators at once, as NumPy draws them one by one.

Setting a generator to another key takes as long as drawing hundreds of numbers. Where each of many
campaigns needs a few, the generators' own arithmetic on arrays is faster; its numbers are the same.

References:
    Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1, 2, 3, SC 2011 (Philox).
    Lemire, Fast random integer generation in an interval, ACM TOMACS 29, 2019.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

_ROUNDS = 10
_MULTIPLIERS = np.array([[0xD2E7470EE14C6C93], [0xCA5A826395121157]], np.uint64)  # (2, 1)
_KEY_STEPS = np.array([[0x9E3779B97F4A7C15], [0xBB67AE8584CAA73B]], np.uint64)
_HALF, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)
_LOW_OF_MULTIPLIERS, _HIGH_OF_MULTIPLIERS = _MULTIPLIERS & _LOW, _MULTIPLIERS >> _HALF


def words(keys: Words, stream: int, call: int, rounds: Words, count: int) -> Words:
    """The first numbers of R Philox4x64 generators, (R, count).

    Generator i has the key (keys[i], stream) and counts from (0, 0, call, rounds[i]).

    Args:
        keys: (R,).
        stream: Second half of every key.
        call: Third word of every counter.
        rounds: (R,) the fourth.
        count: Of 64-bit numbers.
    """
    rows, blocks = len(keys), -(-count // 4)
    shape = (2, rows, blocks)
    even, odd = np.empty(shape, np.uint64), np.empty(shape, np.uint64)  # words 0, 2 and 1, 3
    even[0], even[1] = np.arange(1, blocks + 1, dtype=np.uint64), np.uint64(call)
    odd[0], odd[1] = 0, rounds[:, None]
    key = np.stack([keys, np.full(rows, stream, np.uint64)])  # (2, R)
    for _ in range(_ROUNDS):
        low, high = _products(even.reshape(2, -1))
        even = high.reshape(shape)[::-1] ^ odd
        even ^= key[..., None]
        odd = low.reshape(shape)[::-1]
        key = key + _KEY_STEPS
    found = np.stack([even[0], odd[0], even[1], odd[1]], axis=-1)  # (R, blocks, 4)
    return found.reshape(rows, -1)[:, :count]


def _products(numbers: Words) -> tuple[Words, Words]:
    """Low and high halves of both words times their multipliers, (2, n) each."""
    low, high = numbers & _LOW, numbers >> _HALF
    middle = low * _LOW_OF_MULTIPLIERS
    middle >>= _HALF
    middle += high * _LOW_OF_MULTIPLIERS
    low *= _HIGH_OF_MULTIPLIERS
    low += middle & _LOW
    low >>= _HALF
    middle >>= _HALF
    high *= _HIGH_OF_MULTIPLIERS
    high += middle
    high += low
    return numbers * _MULTIPLIERS, high


def uniform(drawn: Words) -> NDArray[np.float64]:
    """As `Generator.random`, in [0, 1), elementwise."""
    return np.asarray((drawn >> np.uint64(11)) * 2.0**-53, np.float64)


def halves(drawn: Words) -> Words:
    """32-bit numbers, the lower halves first, (R, n) -> (R, 2 n)."""
    return np.stack([drawn & _LOW, drawn >> _HALF], axis=-1).reshape(len(drawn), -1)


def below(
    drawn: Words, ends: NDArray[np.int64] | np.int64
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """As `Generator.integers(end)`, elementwise, and where that would have to draw once more.

    Args:
        drawn: 32-bit numbers, one for each.
        ends: 2 to 2^32 - 1.
    """
    size = ends.astype(np.uint64)
    scaled = drawn * size
    left = scaled & _LOW
    again = left < size
    if again.any():  # hardly ever, and less often yet a number is drawn again
        again &= left < (np.uint64(2**32) - size) % size
    return (scaled >> _HALF).astype(np.int64), again


def without_replacement(
    drawn: Words, sizes: NDArray[np.int64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """As `Generator.choice(size, count, replace=False)`, (R, count), and where it is not, (R,).

    Where a number would be drawn once more, or one that was drawn is replaced, what is returned is
    no choice.

    Args:
        drawn: (R, 2 count - 1) 32-bit numbers.
        sizes: (R,) from `count` + 1 to 2^32 - 1.
        count: At least 1.
    """
    row = np.arange(len(drawn))
    ends = sizes[:, None] - count + 1 + np.arange(count)  # (R, count), of Floyd's algorithm
    picks, again = below(drawn[:, :count], ends)
    ordered = np.sort(picks, axis=1)
    other = again.any(axis=1) | (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    swaps, again = below(drawn[:, count:], np.arange(count, 1, -1)[None])  # (R, count - 1)
    other |= again.any(axis=1)
    places, mixed = np.ascontiguousarray(swaps.T), np.ascontiguousarray(picks.T)  # (count, R)
    for place, swapped in zip(range(count - 1, 0, -1), places, strict=True):
        there = mixed[swapped, row]
        mixed[swapped, row] = mixed[place]
        mixed[place] = there
    return mixed.T, other
