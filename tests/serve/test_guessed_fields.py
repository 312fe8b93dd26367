"""What a chemist's columns are offered as: what is no parameter, steps, and ratios."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ombo_agents.campaigns.files.made_sheets import made_sheet
from ombo_agents.serve.workspace.drafts import ColumnDraft
from ombo_agents.serve.workspace.guessing import guessed
from ombo_agents.serve.workspace.number_forms import ratios_matter, round_step
from ombo_agents.serve.workspace.remarks import is_date
from tests.serve.visitor import Visitor


def offered(header: str, *cells: str) -> ColumnDraft:
    """What a column is offered as, beside a column of results."""
    rows = [[cell, str(3 * i % 7)] for i, cell in enumerate(cells)]
    return guessed(made_sheet("s", [header, "yield"], rows)).columns[0]


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("Date", ["03.11.2025", "03.11.2025", "04.11.2025", "04.11.2025"]),
        ("run on", ["2025-11-03 00:00:00", "2025-11-03 00:00:00", "2025-11-04", "2025-11-04"]),
        ("when", ["11/3/2025", "11/3/2025", "11/4/25", "11/4/25", "", "?"]),
        ("when", ["3 Nov 2025", "3 Nov 2025", "4-Nov-25", "4-Nov-25"]),
        ("when", ["Nov 3, 2025", "Nov 3, 2025", "Nov 4, 2025", "Nov 4, 2025"]),
        ("when", ["2025-11-03T14:30", "2025-11-03T14:30", "2025-11-03T15:00", "3.11.25 15:00"]),
        ("Operator", ["CK", "AB", "CK", "AB"]),
        ("Analyst (HPLC)", ["CK", "AB", "CK", "AB"]),
        ("Comment", ["cloudy", "clear", "cloudy", "clear"]),
        ("Remarks:", ["1", "2", "1", "2", "1"]),
        ("what", ["a red oil", "white", "tar", "crystals"]),
        ("Exp. No.", ["CK-0412", "CK-0413", "CK-0414"]),
        ("Exp. No.", ["412", "413", "415", "419"]),
    ],
)
def test_what_says_nothing_of_a_design_is_not_used(header: str, cells: list[str]) -> None:
    assert offered(header, *cells).role == "ignored"


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("Solvent", ["DMF", "THF", "DMF", "THF"]),
        ("version", ["1.2.3", "1.2.4", "1.2.3", "1.2.4"]),
        ("position", ["3-4-70", "3-40-60", "3-4-70", "3-40-60", "50-4-70", "50-4-70"]),
        ("updates", ["5", "6", "9", "2.5"]),
        ("No. of equivalents", ["1", "1.5", "2", "1"]),
    ],
)
def test_what_only_looks_so_is_varied(header: str, cells: list[str]) -> None:
    assert offered(header, *cells).role == "parameter"


@pytest.mark.parametrize(
    ("cells", "step", "kind"),
    [
        (["40", "55", "70"], "5", "range"),
        (["40", "55", "70", "40", "55", "70"], "5", "range"),  # others between may be meant
        (["1.1", "1.2", "1.5", "2.0", "1.1", "1.2", "2.0", "1.5"], "0.1", "range"),
        (["100", "40", "50", "60", "90", "80", "70"], "10", "range"),
        (["0,25", "0,5", "1,25"], "0.05", "range"),
        (["-20", "0", "20"], "20", "range"),
        (["300", "800", "500"], "100", "range"),
        (["0.001", "0.0015", "0.003"], "0.0005", "range"),
        (["60 °C", "85 °C", "70 °C"], "5", "range"),
        (["0.123", "3.517", "7.9"], "", "range"),  # of no step that anybody keeps to
        (["60", "80", "60", "80", "60"], "20", "levels"),
    ],
)
def test_multiples_of_a_round_step_are_offered_in_steps(
    cells: list[str], step: str, kind: str
) -> None:
    found = offered("x", *cells)
    assert (found.role, found.kind, found.step) == ("parameter", kind, step)
    assert not found.log


@pytest.mark.parametrize(
    ("header", "cells", "log"),
    [
        ("time (h)", ["1", "2", "4", "8", "16"], True),
        ("time (h)", ["16", "1", "2", "4", "8"] * 2, True),
        ("x", ["1", "4", "2", "16"], True),  # a power is left out
        ("x", ["0.001", "0.01", "0.1"], True),
        ("x", ["1", "2", "5", "10", "20"], True),
        ("x", ["0.5", "1", "2.5", "5", "10"], True),
        ("x", ["3e-6", "7.1e-5", "0.0002", "0.9"], True),
        ("x", ["1", "5", "9", "12", "16"], False),
        ("x", ["0", "1", "2", "4", "8"], False),
        ("x", ["-1", "1", "10", "100"], False),
        ("T (°C)", ["10", "20", "40", "80"], False),
        ("x", ["1", "3", "2"], False),
        ("x", ["1", "10"], False),
    ],
)
def test_powers_and_wide_series_are_offered_by_ratios(
    header: str, cells: list[str], log: bool
) -> None:
    found = offered(header, *cells)
    assert (found.role, found.log) == ("parameter", log)


def test_a_series_that_comes_again_is_one_of_levels() -> None:
    found = offered("time (h)", *["16", "1", "2", "4", "8"] * 2)
    assert (found.kind, found.values) == ("levels", "1\n2\n4\n8\n16")


def test_a_number_that_cannot_be_read_makes_no_categories_of_the_others() -> None:
    found = offered("equiv", *["1.1", "1.2", "1.1", "1.2", "1,234", "1.5", "1.5"])
    assert (found.kind, found.low, found.high) == ("range", "1.1", "1.5")


@settings(max_examples=40)
@given(
    st.sampled_from([1, 2, 5, 10, 20, 50, 0.1, 0.2, 0.5, 0.01]),
    st.lists(st.integers(-40, 40), min_size=2, max_size=6, unique=True),
)
def test_a_step_is_round_and_holds_every_number(step: float, counts: list[int]) -> None:
    numbers = np.array(sorted(count * step for count in counts))
    found = round_step(numbers)
    assert found is not None and found >= step * (1 - 1e-9)  # the coarsest
    assert float(f"{found:e}".partition("e")[0]) in (1, 2, 5)
    np.testing.assert_allclose(numbers / found, np.round(numbers / found), atol=1e-6)


@settings(max_examples=40)
@given(st.floats(1e-6, 1e6), st.floats(1.6, 20), st.integers(4, 8))
def test_every_series_of_powers_is_one(first: float, ratio: float, count: int) -> None:
    numbers = first * ratio ** np.arange(count)
    assert ratios_matter("x", numbers)
    assert not ratios_matter("x", np.linspace(numbers[0], numbers[-1], count + 3))


@settings(max_examples=40)
@given(
    st.dates(date(1990, 1, 1)),
    st.sampled_from(["%d.%m.%Y", "%Y-%m-%d", "%m/%d/%Y", "%d/%m/%y", "%d %b %Y"]),
)
def test_every_day_is_a_date(day: date, form: str) -> None:
    assert is_date(day.strftime(form))


@pytest.mark.parametrize("cell", ["1.5", "12-13", "1.2.3.4", "45.45.2025", "DMF", "3-Nov-X", "7"])
def test_what_is_no_date(cell: str) -> None:
    assert not is_date(cell)


def test_a_chemists_sheet_is_offered_as_it_is_meant(visitor: Visitor) -> None:
    header = "Exp. No.,Date,Operator,Solvent,Temp. (°C),Time (h),ArB(OH)2,yield (%),Comment"
    lines = [
        f"CK-{412 + i},{3 + i // 6:02}.11.2025,{'CK' if i % 3 else 'AB'},"
        f"{'DMF' if i % 2 else 'THF'},"
        f"{40 + 10 * (i * 5 % 7)},{2 ** (i % 5)},{(1.1, 1.2, 1.5, 2.0)[i % 4]},{17.3 + i * 7 % 61},"
        for i in range(18)
    ]
    visitor.post("/sheet", sheet=("s.csv", "\n".join([header, *lines])))
    fields = visitor.fields()
    roles = [fields[f"role-{i}"] for i in range(9)]
    assert roles == ["ignored"] * 3 + ["parameter"] * 4 + ["target", "ignored"]
    assert (fields["kind-4"], fields["low-4"], fields["step-4"]) == ("range", "40", "10")
    assert fields["log-5"] == "on" and "log-4" not in fields
    assert math.isclose(float(fields["step-6"]), 0.1)
