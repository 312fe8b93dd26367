"""What many campaigns draw together is what each would draw from its own generator."""

from __future__ import annotations

import numpy as np
import pytest

from ombo_gym import philox
from ombo_gym.randomness import GeneratorBatch, KeyedGenerator, Stream

KEYS = np.random.default_rng(5).integers(0, 2**64, 300, dtype=np.uint64)
KEYS[:2] = 0, 2**64 - 1
ROUNDS = np.arange(300, dtype=np.uint64) % 7


def generator(row: int, stream: int = Stream.START, call: int = 1) -> np.random.Generator:
    counter = np.array([0, 0, call, ROUNDS[row]], np.uint64)
    key = np.array([KEYS[row], stream], np.uint64)
    return np.random.Generator(np.random.Philox(counter=counter, key=key))


def together(stream: Stream = Stream.START) -> KeyedGenerator:
    return KeyedGenerator(KEYS, stream, ROUNDS)


@pytest.mark.parametrize("count", [1, 4, 5, 63])
def test_words_are_those_of_philox(count: int) -> None:
    found = philox.words(KEYS, int(Stream.NOISE), 3, ROUNDS, count)
    expected = [generator(row, Stream.NOISE, 3).bit_generator.random_raw(count) for row in range(9)]
    np.testing.assert_array_equal(found[:9], expected)
    assert found.shape == (300, count)


@pytest.mark.parametrize("shape", [(), (1, 2), (4, 8), (3, 11), (0, 2)])
def test_uniform_numbers_are_the_generators_own(shape: tuple[int, ...]) -> None:
    expected = [generator(row).random(shape) for row in range(300)]
    np.testing.assert_array_equal(together().random(shape), expected)


@pytest.mark.parametrize("end", [1, 2, 41, 2**31 + 7, 2**32, 2**40])
def test_whole_numbers_are_the_generators_own(end: int) -> None:
    expected = [generator(row).integers(end) for row in range(300)]
    np.testing.assert_array_equal(together().below(end), expected)
    plain = GeneratorBatch([generator(row) for row in range(300)], 300)
    np.testing.assert_array_equal(plain.below(end), expected)


@pytest.mark.parametrize(
    ("low", "high", "count"),
    [
        (20_000, 33_000, 64),
        (3_200, 3_300, 64),
        (2, 3, 2),
        (64, 65, 64),
        (60, 300, 1),
        (9, 10**6, 8),
    ],
)
def test_choices_are_the_generators_own(low: int, high: int, count: int) -> None:
    """Also where some numbers are drawn twice, which a few of 64 among 20,000 are."""
    ends = np.random.default_rng(1).integers(low, high, 300)
    expected = [generator(row).choice(ends[row], count, replace=False) for row in range(300)]
    found = together().distinct_below(ends, count)
    np.testing.assert_array_equal(found, expected)
    few = KeyedGenerator(KEYS[:3], Stream.START, ROUNDS[:3]).distinct_below(ends[:3], count)
    np.testing.assert_array_equal(few, expected[:3])


def test_rows_whose_number_would_be_drawn_again_are_told() -> None:
    end = np.int64(3 * 2**30)  # a quarter of all words are drawn again
    drawn = philox.halves(philox.words(KEYS, int(Stream.START), 1, ROUNDS, 1))[:, 0]
    found, again = philox.below(drawn, end)
    expected = np.array([generator(row).integers(int(end)) for row in range(300)])
    assert 30 < again.sum() < 120
    np.testing.assert_array_equal(found[~again], expected[~again])
    np.testing.assert_array_equal(together().below(int(end)), expected)


def test_calls_are_counted_whichever_way_numbers_are_drawn() -> None:
    rngs = together()
    rngs.random((2,)), rngs.below(5), rngs.distinct_below(np.full(300, 10**4), 3)
    expected = [generator(row, call=4).random() for row in range(300)]
    np.testing.assert_array_equal(rngs.random(()), expected)
    one = KeyedGenerator(KEYS[:1], Stream.START, ROUNDS[:1])
    one.random((2,)), one.below(5), one.distinct_below(np.full(1, 10**4), 3)
    assert one.random(())[0] == expected[0]
