"""Large tables: linear time and memory, or a sentence before anything is allocated."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

import numpy as np
import pytest

from ombo_gym.problems.core.measured import group_replicates
from ombo_gym.problems.own import table as own_table
from ombo_gym.problems.own.table import Table
from ombo_gym.randomness import KeyedGenerator, Stream

ONE = {"table": np.zeros(1, np.int64)}


def test_one_control_of_5000_measurements_takes_no_more_memory_than_it_has_rows(
    write: Any,
) -> None:
    control = "".join(f"0,{row % 7}\n" for row in range(5000))
    path = write("T,y\n" + control + "".join(f"{row},{row}\n" for row in range(1, 3000)))
    tracemalloc.start()
    table = Table(csv=path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**25, "a dense matrix of replicates has 15 million entries, 114 MiB"
    assert table.measurements.counts.sum() == 7999
    assert table.measurements.values[0, 0] == pytest.approx(np.mean(np.arange(5000) % 7))
    assert table.measurements.values[0, 1:].tolist() == list(range(1, 3000))


def test_a_measurement_of_ragged_replicates_is_one_of_the_designs_own() -> None:
    codes = np.array([2, 0, 2, 0, 0, 4, 2, 0, 0, 0, 0, 0, 0])
    values = np.arange(13.0)
    tables = group_replicates(codes, values, size=6)
    assert tables.counts.tolist() == [[8 + 1, 0, 3, 0, 1, 0]]
    for design in (0, 2, 4):
        assert tables.replicates_of(0, design).tolist() == values[codes == design].tolist()


def test_what_failed_has_no_measurement_even_as_the_last_design(write: Any) -> None:
    table = Table(csv=write("T,y\n1,1\n1,2\n2,3\n3,failed\n"), failed=["failed"])
    rngs = KeyedGenerator(np.zeros(1, np.uint64), Stream.NOISE)
    designs = np.array([[[2], [0], [1]]])
    shown = table.measure(ONE, designs, table.evaluate(ONE, designs), rngs)
    assert np.isnan(shown[0, 0]) and shown[0, 1] in (1, 2) and shown[0, 2] == 3


@pytest.mark.parametrize("most", [3, 7, 8, 9, 20, 48, 127])
def test_means_are_to_the_bit_those_of_a_dense_matrix(most: int) -> None:
    rng = np.random.default_rng(most)
    codes = rng.permutation(np.repeat(np.arange(40), rng.integers(1, most + 1, 40)))
    values = rng.normal(size=len(codes))
    tables = group_replicates(codes, values, size=41)
    dense = np.full((41, np.bincount(codes).max()), np.nan)
    for design in range(40):
        own = values[codes == design]
        dense[design, : len(own)] = own
    with np.errstate(invalid="ignore"):
        means = np.nansum(dense, axis=1) / np.bincount(codes, minlength=41)
    assert np.array_equal(tables.values[0], means, equal_nan=True)


def big(rows: int, columns: int = 4) -> str:
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(rows, columns)).round(6)
    header = ",".join([*(f"x{i}" for i in range(columns)), "solvent", "y"])
    lines = [
        ",".join([*map(repr, row), f"S{i % 20}", str(i % 1000)])
        for i, row in enumerate(numbers.tolist())
    ]
    return "\n".join([header, *lines]) + "\n"


def load_time(path: str) -> float:
    started = time.process_time()
    table = Table(csv=path)
    assert table.design_space.pool_features.shape[1] == 24
    return time.process_time() - started


@pytest.mark.slow
def test_300000_rows_load_in_seconds(write: Any) -> None:
    assert load_time(write(big(300_000))) < 30, "about 5 on a quiet machine"


@pytest.mark.slow
def test_time_grows_with_the_rows_and_no_faster(write: Any) -> None:
    small, large = load_time(write(big(1000))), load_time(write(big(8000)))
    assert large < 8 * 4 * small


@pytest.mark.slow
def test_a_column_that_is_read_by_choices_takes_linear_time(write: Any) -> None:
    cells = [f"S{row % 900}" for row in range(5000)]
    path = write("base,x,y\n" + "".join(f"{c},{r},{r}\n" for r, c in enumerate(cells)))
    started = time.process_time()
    choices = {"choices": [f"S{i}" for i in range(900)], "descriptors": {"d": list(range(900))}}
    Table(csv=path, parameters={"base": choices})
    assert time.process_time() - started < 2, "5,000 rows times 900 choices are 4.5 million"


def test_features_beyond_memory_are_refused_before_they_are_made(
    write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_table, "_MOST_BYTES", 2**24)
    rows = "".join(f"A{r % 990},B{r % 991},C{r % 997},{r},{r}\n" for r in range(3000))
    path = write("a,b,c,x,y\n" + rows)
    tracemalloc.start()
    with pytest.raises(ValueError) as error:
        Table(csv=path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**24
    message = str(error.value)
    assert "at most 16 MiB, got 3,000 designs with 2,979 features each (68 MiB)" in message
    assert "['c', 'b', 'a']" in message and "leave columns or rows out" in message
