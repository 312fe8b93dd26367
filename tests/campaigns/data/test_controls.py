"""Rows that are no wells: controls with gaps, many of one kind, and remarks below the table."""

from __future__ import annotations

from typing import Any

import pytest

from ombo_agents.campaigns import Campaign

SPACE = {
    "enzyme": ["KRED-101", "KRED-112"],
    "buffer": ["KPi", "Tris"],
    "pH": {"range": [6, 9], "step": 0.5},
}


def well(enzyme: str, buffer: str, ph: Any, conversion: Any) -> dict[str, Any]:
    return {"well": "A1", "enzyme": enzyme, "buffer": buffer, "pH": ph, "conversion": conversion}


WELLS = [well("KRED-101", "KPi", 7, 20), well("KRED-112", "Tris", 8, 40)]


def test_a_control_of_no_known_choice_may_leave_the_rest_empty() -> None:
    blanks = [well("no enzyme", "KPi", "", 0.2), well("WT", "", 7.5, 31), well("WT", "KPi", "-", 3)]
    campaign = Campaign.from_csv([*WELLS, *blanks], SPACE, target="conversion")
    assert campaign.rows.control_places == ["rows, row 4", "rows, row 5", "rows, row 6"]
    assert campaign.rows.control_targets.tolist() == [[0.2], [31], [3]]
    assert "rows, row 4: 'enzyme' is 'no enzyme', none of" in str(campaign.check())


@pytest.mark.parametrize("enzyme", ["KRED-112", "KRED-11"])
def test_a_gap_beside_a_choice_that_is_known_or_nearly_so_is_a_mistake(enzyme: str) -> None:
    with pytest.raises(ValueError, match="row 4, column 'pH': expected a number, got ''"):
        Campaign.from_csv([*WELLS, well(enzyme, "KPi", "", 5)], SPACE, target="conversion")


def test_controls_of_one_kind_are_one_line() -> None:
    controls = [well("WT", "KPi", 7, y) for y in (30, 31, 32)] + [well("none", "KPi", 7, 0)]
    campaign = Campaign.from_csv([*WELLS, *controls], SPACE, target="conversion")
    campaign.tell([well("KRED-101", "Tris", 6, 9), well("WT", "KPi", 7, 29)])
    lines = str(campaign.check()).splitlines()
    of_one_kind = [line for line in lines if "'WT'" in line]
    assert of_one_kind == [
        "controls, outside the space: rows, rows 4, 5, 6, 3: 'enzyme' is 'WT', none of "
        "['KRED-101', 'KRED-112']"
    ]
    assert "control, outside the space: rows, row 7: 'enzyme' is 'none'" in "\n".join(lines)
    assert lines[0].endswith("5 controls")


def test_a_remark_below_the_table_is_neither_a_row_nor_a_control() -> None:
    remark = {"well": "measured after 24 h"}
    campaign = Campaign.from_csv([*WELLS, remark], SPACE, target="conversion")
    report = str(campaign.check())
    assert report.startswith("rows: 2 rows, 2 measured\n") and "control" not in report
    assert "passed over, neither a design nor a result stands there: rows, row 4" in report
    with pytest.raises(ValueError, match=r"got none \(rows, row 2: no design stands there\)"):
        campaign.tell([{**well("", "", "", ""), "well": "remark"}])
