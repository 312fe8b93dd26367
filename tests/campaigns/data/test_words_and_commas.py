"""Single decimal commas, and words that nobody explained."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ombo_agents.campaigns import Campaign

SPACE = {"T": {"range": [0, 2000]}, "eq": {"range": [0, 10]}}


def read(cells: list[Any], equivalents: Any = "1.5", **options: Any) -> list[float]:
    rows = [{"T": 20 + i, "eq": equivalents, "yield": cell} for i, cell in enumerate(cells)]
    found = Campaign.from_csv(rows, SPACE, target="yield", **options)
    return [float(value) for value in found.rows.targets[:, 0]]


def test_a_decimal_comma_among_points_is_read() -> None:
    assert read(["61.4", "72,9", "49.5"]) == [61.4, 72.9, 49.5]
    assert read(["61.4", "7", "49.5"], equivalents="1,25") == [61.4, 7, 49.5]
    assert read(["61.4", "0,125", "-2,5"]) == [61.4, 0.125, -2.5]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["61.4", "1,250"], r"row 3, column 'yield': .* nothing between thousands: 1\.250 if"),
        (["1.250", "72,9"], r"row 3, column 'yield': .*'72,9' and '1\.250'.*: 72\.9 if '72,9'"),
        (["1,234.5", "72,9"], r"row 2, column 'yield': expected a number, got '1,234.5'"),
        (["1,250", "2,500"], "may be thousands or decimals"),
    ],
)
def test_what_may_be_thousands_is_refused_with_what_to_write(cells: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read(cells, equivalents=1)


@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 99), st.booleans()), min_size=1))
@settings(max_examples=20)
def test_numbers_with_two_decimals_are_read_with_either_mark(
    numbers: list[tuple[int, int, bool]],
) -> None:
    cells = [f"{whole}{',' if comma else '.'}{part:02d}" for whole, part, comma in numbers]
    assert read(cells) == [float(f"{whole}.{part:02d}") for whole, part, _ in numbers]


def test_an_unknown_word_is_told_both_flags() -> None:
    with pytest.raises(ValueError, match=r"n\.d\.") as refused:
        read(["61.4", "n.d."])
    words = str(refused.value)
    assert "(--failed) where the well failed" in words
    assert "(--pending) where it is not measured yet or was lost" in words
