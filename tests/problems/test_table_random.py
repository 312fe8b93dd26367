"""Random spreadsheets: each is read as it was meant, or refused with row, column and remedy."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from ombo_gym.problems.own.table import Table
from tests.problems.spreadsheet_strategies import Sheet, sheets

FOLDER = {"suppress_health_check": [HealthCheck.function_scoped_fixture]}
REMEDY = re.compile(r"[;:(] .*\b(correct|save|write|name|put|rename|leave|look|give)\b")


def check(sheet: Sheet, folder: Path) -> None:
    """Compares what a table reads with what was written."""
    path = folder / "random.csv"
    path.write_bytes(sheet.content)
    if sheet.fault is not None:
        with pytest.raises(ValueError) as error:
            Table(csv=str(path), **sheet.arguments)
        check_refusal(sheet, str(error.value))
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # wide spans are tested elsewhere
        table = Table(csv=str(path), **sheet.arguments)
    assert table.column_kinds == sheet.kinds
    known = [i for i, value in enumerate(sheet.values) if value is not None]
    pool = list(dict.fromkeys(sheet.designs[i] for i in known))
    assert [tuple(table.row(i).values()) for i in range(table.design_space.size)] == pool
    for index, design in enumerate(pool):
        came = [sheet.values[i] for i in known if sheet.designs[i] == design]
        numbers = [value for value in came if value != "failed"]
        mean = np.mean(numbers) if numbers else np.nan
        np.testing.assert_allclose(table.measurements.values[0, index], mean, rtol=1e-12)


def check_refusal(sheet: Sheet, message: str) -> None:
    assert "random.csv" in message and message.isprintable(), sheet.fault
    assert REMEDY.search(message), message
    if sheet.row is not None:
        assert f"row {sheet.row}" in message, (sheet.fault, sheet.row, message)
    if sheet.column is not None:
        assert f"column {sheet.column!r}" in message, (sheet.fault, sheet.column, message)


@settings(max_examples=40, derandomize=True, **FOLDER)
@given(sheet=sheets(faulty=False))
def test_a_table_is_read_as_it_was_written(sheet: Sheet, tmp_path: Path) -> None:
    check(sheet, tmp_path)


@settings(max_examples=40, derandomize=True, **FOLDER)
@given(sheet=sheets(faulty=True))
def test_a_fault_is_refused_with_its_place_and_what_to_do(sheet: Sheet, tmp_path: Path) -> None:
    check(sheet, tmp_path)


@pytest.mark.slow
@settings(max_examples=1000, **FOLDER)
@given(sheet=sheets())
def test_1000_tables_are_read_as_written_or_refused_with_the_fault(
    sheet: Sheet, tmp_path: Path
) -> None:
    check(sheet, tmp_path)
