"""What columns are taken for by their cells alone."""

from __future__ import annotations

import pytest

from ombo_agents.campaigns.files.made_sheets import made_sheet
from ombo_agents.serve.workspace.drafts import ColumnDraft
from ombo_agents.serve.workspace.guessing import guessed, samples


def of(*cells: str, last: bool = False) -> ColumnDraft:
    """What a column of these cells is taken for, beside a column of results."""
    rows = [[cell, str(3 * i % 7)] for i, cell in enumerate(cells)]
    return guessed(made_sheet("s", ["x", "y"], rows)).columns[1 if last else 0]


@pytest.mark.parametrize(
    ("cells", "role", "kind"),
    [
        (["DMF", "THF", "DMF", "THF"], "parameter", "choices"),
        (["60", "80", "60", "80", "60"], "parameter", "levels"),
        (["0.1", "3.5", "7", "9", "2.25"], "parameter", "range"),
        (["60 °C", "85 °C", "71 °C", "66 °C"], "parameter", "range"),
        (["0,5", "1,5", "7,25", "3"], "parameter", "range"),
        (["5", "5", "5", "5"], "ignored", "fixed"),
        (["1", "2", "3", "4", "5"], "ignored", "range"),  # counts rows
        (["", "", "", "good"], "ignored", "fixed"),
        (["", "", "", "7"], "ignored", "range"),
        (["a red oil", "white", "tar", "crystals"], "ignored", "choices"),
        (["water", "water", "water", "water"], "ignored", "fixed"),
        (["12", "13.5", "failed", "18", "11"], "parameter", "range"),
    ],
)
def test_cells_say_what_a_column_is(cells: list[str], role: str, kind: str) -> None:
    found = of(*cells)
    assert (found.role, found.kind) == (role, kind)


def test_a_guess_holds_what_stands_in_the_cells() -> None:
    assert (of("0,5", "1,5", "7,25", "3").low, of("0,5", "1,5", "7,25", "3").high) == (
        "0.5",
        "7.25",
    )
    assert of("80", "60", "80", "60").values == "60\n80"
    assert of("b", "a", "b", "a").values == "b\na"


def test_the_last_column_of_numbers_is_the_target() -> None:
    sheet = made_sheet(
        "s",
        ["T", "yield", "remark"],
        [["20", "5.5", ""], ["30", "7", "good"], ["45", "failed", ""]],
    )
    assert [each.role for each in guessed(sheet).columns] == ["parameter", "target", "ignored"]


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Plate", "ignored"),
        ("well no.", "ignored"),
        ("Platte", "ignored"),
        ("plate T", "parameter"),
    ],
)
def test_places_on_plates_are_no_parameters(name: str, role: str) -> None:
    rows = [[code, str(3 * i % 7)] for i, code in enumerate(("A1", "B1", "A1", "B1"))]
    assert guessed(made_sheet("s", [name, "y"], rows)).columns[0].role == role


@pytest.mark.parametrize("cells", [["5.5", "<1", "≤ 1", "n.d."], ["<1", "7", "<1", ""]])
def test_results_may_be_bounds(cells: list[str]) -> None:
    rows = [[str(10 * i), cell, "again"] for i, cell in enumerate(cells)]
    found = guessed(made_sheet("s", ["T", "yield", "remark"], rows)).columns
    assert [each.role for each in found][1] == "target"


def test_a_sheet_of_texts_has_no_target() -> None:
    sheet = made_sheet("s", ["a", "b"], [["x", "u"], ["x", "v"], ["y", "u"], ["y", "v"]])
    assert "target" not in [each.role for each in guessed(sheet).columns]


def test_samples_are_the_first_different_cells() -> None:
    sheet = made_sheet("s", ["a", "b"], [["x", ""], ["x", ""], ["y", ""], ["", "1"]])
    assert samples(sheet, "a") == "x, y"
    assert samples(made_sheet("s", ["a"], [[str(i)] for i in range(9)]), "a") == "0, 1, 2, 3, …"
