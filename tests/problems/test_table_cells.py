"""Cells of design columns: numbers, whatever they are written like, texts, or an error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ombo_gym.problems.own.table import Table
from ombo_gym.spreadsheets.cells import read_cell, unit_of_header


def column(cells: list[str], name: str = "T") -> str:
    """A file with one design column, whose cells are quoted, and values."""
    rows = "".join(f'"{cell}",{row}\n' for row, cell in enumerate(cells, 1))
    return f'"{name}",y\n{rows}'


def read(table: Table) -> list[Any]:
    return [table.row(row)[table.columns[0]] for row in range(table.design_space.size)]


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        pytest.param(["\u221278", "-20", "20"], [-78, -20, 20], id="minus sign"),
        pytest.param(["\u201378", "\ufe6320", "\uff0d5"], [-78, -20, -5], id="dashes"),
        pytest.param(["- 78", "\uff0b20", "+5"], [-78, 20, 5], id="signs apart, plus signs"),
        pytest.param(["80 °C", "90 °C"], [80, 90], id="unit"),
        pytest.param(["80°C", "90\u00a0ºC", "95 \u2103"], [80, 90, 95], id="unit in other signs"),
        pytest.param(["5 mM", "10mM"], [5, 10], id="unit with and without a blank"),
        pytest.param(["5 \u00b5M", "10 \u03bcM"], [5, 10], id="two micro signs"),
        pytest.param(["5 kJ/mol", "6.5 kJ/mol"], [5, 6.5], id="quotient of units"),
        pytest.param(["1 h", "24 h"], [1, 24], id="hours"),
        pytest.param(["1 hour", "2 hours"], [1, 2], id="plural"),
        pytest.param(["3 mg mL-1", "4 mg mL\u22121"], [3, 4], id="power of a unit"),
        pytest.param(["5 %", "10%"], [5, 10], id="per cent"),
        pytest.param(["2.5 mol%", "5 mol %"], [2.5, 5], id="mole per cent"),
        pytest.param(["5 wt. %", "7 wt.-%"], [5, 7], id="per cent by weight"),
        pytest.param(["5% (w/w)", "7 % w/w"], [5, 7], id="per cent of what"),
        pytest.param(["1,5", "2,25", "3"], [1.5, 2.25, 3], id="decimal commas in quotes"),
        pytest.param(["-0,500", "0,250"], [-0.5, 0.25], id="no thousands begin with 0"),
        pytest.param(["\u00a01.5", "2.5\u202f", "\u200b3\ufeff"], [1.5, 2.5, 3], id="blanks"),
        pytest.param(["1e-1", "1E\u22121", "2e+1"], [0.1, 20], id="exponents"),
        pytest.param([".5", "1.", "+2"], [0.5, 1, 2], id="bare points"),
        pytest.param(["\u20155", "\u02d76", "\u27967"], [-5, -6, -7], id="further dashes"),
        pytest.param(["\uff11\uff0e5", "\u0663\u066b\u0665"], [1.5, 3.5], id="other digits"),
        pytest.param(["1\uff0c5", "2\u201a25"], [1.5, 2.25], id="other commas"),
        pytest.param(["5\uff05", "7 \u066a"], [5, 7], id="other signs of per cent"),
    ],
)
def test_numbers_are_read_as_people_write_them(
    cells: list[str], numbers: list[float], write: Any
) -> None:
    table = Table(csv=write(column(cells)))
    assert table.column_kinds == {"T": "numbers"}
    assert read(table) == numbers


def test_the_value_is_read_as_designs_are(write: Any) -> None:
    table = Table(csv=write("T,y\n1,\u22125 %\n2,7 %\n3,\u00a09%\n"))
    instances = {"table": np.zeros(1, np.int64)}
    assert table.evaluate(instances, np.arange(3)[None, :, None]).tolist() == [[-5, 7, 9]]


def test_the_unit_may_stand_in_the_header_alone_or_behind_some_numbers_too(write: Any) -> None:
    assert read(Table(csv=write(column(["80 °C", "90"], "T (°C)")))) == [80, 90]
    assert read(Table(csv=write(column(["80", "90"], "T [°C]")))) == [80, 90]
    assert [unit_of_header(name) for name in ("t / min", "c, mM", "site (left)")] == [
        "min",
        "mM",
        "",
    ]


UNREAD = (
    "1.234,5|1,234.5|1'000|1 000|1\u202f000|~5|<5|>99|≤3|5±1|5 ± 1|ca. 5|$5|1x10^-3|1·10⁻³|10⁻³"
    "|10^-3|½|-1 E5|inf|-Infinity|1e999|n.d.|#DIV/0!|NaN|N/A|NA|5 parsec|1\u066c000|#WERT!|#NV"
).split("|")


@pytest.mark.parametrize("where", ["design", "value"])
@pytest.mark.parametrize("cell", UNREAD)
def test_a_number_that_cannot_be_read_is_refused_in_a_design_as_in_the_value(
    where: str, cell: str, write: Any
) -> None:
    row = f'"{cell}",2\n' if where == "design" else f'2,"{cell}"\n'
    with pytest.raises(ValueError) as error:
        Table(csv=write(f"T,y\n1,1\n{row}3,3\n"))
    message = str(error.value)
    column = "T" if where == "design" else "y"
    assert f"mine.csv, row 3, column '{column}': expected a number, got " in message
    assert "take the row out" in message and "\n" not in message
    assert ('"choices": [' if where == "design" else "failed=[...]") in message


@pytest.mark.parametrize(
    "cells",
    [
        ["1 000", "2 000"],
        ["~5", "~10"],
        ["<1", "<2"],
        ["1x10^-3", "1x10^-2"],
        ["5 ± 1 mM", "6 ± 1 mM"],
        ["10⁻³", "10⁻²"],
        ["5 parsec", "6 parsec"],
        ["1,000", "2,500"],
        ["½", "1½"],
        ["(5)", "(10)"],
        ["5-", "10-"],
        ["5*", "6"],
        ["5 €", "10 €"],
        ["20-25 °C", "30\u201335 °C"],
        ["2 to 5", "5 to 10"],
        ['=""5""', '=""6""'],
        ["≦5", "≧7"],
        ["\uff1c5", "\uff1e7"],
        ["\u301c5", "≅7"],
        ["5?", "7 ??"],
        ["[5]", "{7}"],
        ["circa 5", "less than 7"],
        ["--5", "+-7"],
        ["\u207b5", "\u208b7"],
        ["1/2", "1 1/2"],
        ["2^10", "2**11"],
        ["5²", "7²"],
        ["1·5", "1·7"],
        ["5.0(1)", "7.0(2)"],
        ["1.5D3", "1.7d-3"],
        ["0x10", "0xFF"],
        ["12,34,567", "1,00,000"],
        ["5 or 6", "7 or 8"],
        ["1.#INF", "1.#IND"],
        ["0.5X", "0.7X"],
        ["5 cells/mL", "7 cells/mL"],
        ["5 mPa s", "7 mPa s"],
        ["5 °c", "7 °c"],
    ],
)
def test_no_column_of_such_numbers_turns_into_categories(cells: list[str], write: Any) -> None:
    with pytest.raises(ValueError, match=r"row 2, column 'T': expected a number"):
        Table(csv=write(column(cells)))


@pytest.mark.parametrize(
    ("cells", "row", "expected"),
    [
        (["1", "2", "control"], 4, "a number, got 'control', as most cells"),
        (["DMF", "THF", "5"], 4, "a text, got '5', as most cells"),
        (["DMF", "80 °C", "THF"], 3, "a text, got '80 °C', as most cells"),
        (["1", "DMF"], 2, "a text, got '1'"),
    ],
)
def test_a_column_of_both_kinds_is_refused_with_the_cell_and_what_to_do(
    cells: list[str], row: int, expected: str, write: Any
) -> None:
    with pytest.raises(ValueError) as error:
        Table(csv=write(column(cells)))
    message = str(error.value)
    assert f"mine.csv, row {row}, column 'T': expected {expected}" in message
    assert "categories=['T']" in message and """parameters={'T': {"choices": [...]}}""" in message


@pytest.mark.parametrize(
    "cell", ["", "nan", "NaN", "#N/A", "NA", "null", "\u200b", "n.a.", "#WERT!", "#N/D", "Err:502"]
)
@pytest.mark.parametrize("others", [["1", "3"], ["DMF", "THF"]])
def test_a_design_is_not_missing_something(cell: str, others: list[str], write: Any) -> None:
    path = write(column([others[0], cell, others[1]]))
    for arguments in ({}, {"categories": ["T"]}):
        with pytest.raises(ValueError) as error:
            Table(csv=path, **arguments)
        message = str(error.value)
        assert "mine.csv, row 3, column 'T': expected a" in message
        assert "take the row out" in message and """parameters={'T': {"choices": [""" in message


def test_what_is_said_to_be_a_category_is(write: Any) -> None:
    path = write(column(["1", "2", "control"]))
    table = Table(csv=path, categories=["T"])
    assert table.column_kinds == {"T": "categories"} and read(table) == ["1", "2", "control"]
    path = write(column(["DMF", "", "NA"]))
    assert read(Table(csv=path, parameters={"T": ["DMF", "", "NA"]})) == ["DMF", "", "NA"]


@pytest.mark.parametrize(
    ("cells", "name", "row"),
    [
        (["5 mM", "10 mM", "20 \u00b5M"], "c", 4),
        (["5 mM", "10"], "c", 3),
        (["80", "90 K"], "T (°C)", 3),
        (["80 K", "90 K"], "T (°C)", 2),
        (["5%", "0.1"], "share", 3),
    ],
)
def test_different_units_in_a_column_are_refused(
    cells: list[str], name: str, row: int, write: Any
) -> None:
    with pytest.raises(ValueError) as error:
        Table(csv=write(column(cells, name)))
    place = f"row {row}, column {name!r}: expected a number in one unit"
    assert place in str(error.value) and repr(cells[row - 2]) in str(error.value)


@pytest.mark.parametrize(
    "cells",
    [
        ["3a", "3b", "4a"],
        ["1A", "2A", "1B"],
        ["1,4-dioxane", "2-MeTHF", "1,10-phenanthroline"],
        ["5% Pd/C", "10% Pd/C"],
        ["4 Å MS", "3 Å MS"],
        ["64-17-5", "67-56-1"],
        ["01.02.2026", "02.02.2026"],
        ["1-3", "2-3"],
        ["1:1", "3:1"],
        ["1'-OH", "2'-OH"],
        ["Na", "K"],
        ["none", "NaOH"],
        ["2 M HCl", "1 M KOH"],
        ["2MeTHF", "3MeTHF"],
        ["5 % Pd/C", "10 % Pd/C"],
        ["True", "False"],
    ],
)
def test_names_with_digits_are_categories(cells: list[str], write: Any) -> None:
    table = Table(csv=write(column(cells)))
    assert table.column_kinds == {"T": "categories"} and read(table) == cells


def test_texts_that_look_the_same_are_one_category(write: Any) -> None:
    cells = ["Pd cat", "Pd\u00a0cat", "caf\u00e9", "cafe\u0301 \u200b"]
    assert read(Table(csv=write(column(cells)))) == ["Pd cat", "caf\u00e9"]


def test_names_of_columns_are_read_as_cells_are(write: Any) -> None:
    path = write('"T\u00a0(°C)",c,"cafe\u0301",y\n20,1,2,1\n30,2,2,2\n')
    table = Table(
        csv=path, log=["c "], parameters={"T (°C)": [20, 30]}, categories=["caf\u00e9"], value="y "
    )
    assert table.column_kinds == {
        "T (°C)": "ordered levels",
        "c": "numbers",
        "caf\u00e9": "categories",
    }
    assert "on a logarithmic scale" in table.describe()
    with pytest.raises(ValueError, match="parameters: 'c': expected"):
        Table(csv=path, parameters={"c": None})


def test_numbers_that_differ_by_rounding_are_one_design(write: Any) -> None:
    table = Table(csv=write(column(["0.30000000000000004", "0.3", "0.4", "0.1"])))
    assert read(table) == [0.3, 0.4, 0.1]
    assert table.measurements.values.tolist() == [[1.5, 3, 4]]


def test_whole_numbers_and_small_ones_are_not_taken_for_rounding(write: Any) -> None:
    stamps = [1_700_000_000, 1_700_000_001, 1_700_000_002]
    assert read(Table(csv=write(column(list(map(str, stamps)))))) == stamps
    assert read(Table(csv=write(column(["1e-12", "2e-12", "0"])))) == [1e-12, 2e-12, 0]


def test_a_chain_of_close_numbers_is_not_one_number(write: Any) -> None:
    cells = [repr(0.5 + 4e-10 * step) for step in range(5)]
    assert len(read(Table(csv=write(column(cells))))) == 3


def test_the_table_says_which_columns_are_what(write: Any) -> None:
    text = "T (°C),c,well,base,y\n20,1mM,1,DBU,5\n60,10 mM,2,TEA,6\n80,1000 mM,4,DBU,failed\n"
    table = Table(
        csv=write(text), log=["c"], parameters={"well": [1, 2, 4]}, failed=["failed"], minimise=True
    )
    assert table.column_kinds == {
        "T (°C)": "numbers",
        "c": "numbers",
        "well": "ordered levels",
        "base": "categories",
    }
    assert table.describe().splitlines() == [
        "mine.csv: 3 rows, 3 designs",
        "  T (°C)  numbers from 20 to 80 °C, 3 different",
        "  c       numbers from 1 to 1000 mM, 3 different, on a logarithmic scale",
        "  well    ordered levels: 1, 2, 4",
        "  base    categories: DBU, TEA",
        "  y       the value, minimised: 2 measured from 5 to 6; 1 failed",
    ]


def test_an_error_says_what_the_other_columns_are(write: Any) -> None:
    with pytest.raises(ValueError) as error:
        Table(csv=write("T,base,c,y\n20,DBU,1,5\n60,TEA,x,6\n80,TEA,2,7\n"))
    assert "(other columns: numbers: ['T']; categories: ['base'])" in str(error.value)


@pytest.mark.parametrize(
    ("cell", "kind", "number", "unit"),
    [
        ("\u22121,5e\u22123 mM", "number", "-1,5e-3", "mM"),
        ("1.5", "number", "", ""),
        ("", "missing", "", ""),
        ("-nan", "missing", "", ""),
        ("<1 mM", "unread", "", ""),
        ("DMF", "text", "", ""),
    ],
)
def test_a_cell_is_a_number_unread_missing_or_a_text(
    cell: str, kind: str, number: str, unit: str
) -> None:
    assert read_cell(cell) == (kind, number, unit)
