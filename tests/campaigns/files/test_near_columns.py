"""Which column a message proposes for a name that no column has."""

from __future__ import annotations

import pytest

from ombo_agents.campaigns import Campaign
from ombo_agents.campaigns.files.near_columns import near_column

HEADER = [
    *("Exp. No.", "Date", "Operator", "Solvent", "Ligand", "Base", "Temp. (°C)", "Time (h)"),
    *("ArB(OH)2 (equiv.)", "LCAP yield (%)", "Comment"),
]


@pytest.mark.parametrize(
    ("name", "unit", "column"),
    [
        ("temperature", "", "Temp. (°C)"),
        ("T", "°C", "Temp. (°C)"),
        ("reaction time", "h", "Time (h)"),
        ("solvents", "", "Solvent"),
        ("Yield HPLC (%)", "", "LCAP yield (%)"),
        ("boronic acid", "eq", "ArB(OH)2 (equiv.)"),
        ("Lignad", "", "Ligand"),
        ("temperature", "K", None),  # another unit
        ("pressure", "", None),
        ("catalyst", "", None),
    ],
)
def test_units_beginnings_and_words_are_looked_at(name: str, unit: str, column: str | None) -> None:
    assert near_column(HEADER, name, unit) == column


def test_the_line_of_the_space_file_is_to_be_renamed() -> None:
    rows = [{"Temp. (°C)": 40, "Operator": "CK", "yield": 1}]
    with pytest.raises(ValueError, match=r"did you mean 'Temp. \(°C\)'\? then rename the line"):
        Campaign.from_csv(rows, {"temperature": {"range": [20, 90]}}, target="yield")


def test_a_plates_own_columns_are_never_proposed() -> None:
    rows = [{"T": t, "LCAP yield (%)": t} for t in (20, 30, 40)]
    campaign = Campaign.from_csv(rows, {"T": {"range": [20, 90], "step": 5}}, target="LCAP yield")
    frame = campaign.suggest([2], policy="random").frame
    for renamed, guess in (("Yield HPLC", r"\(is it 'Yield HPLC'\?\)"), ("area", "had it$")):
        told = frame.rename(columns={"LCAP yield (%)": renamed})
        with pytest.raises(ValueError, match=guess) as refused:
            campaign.tell(told)
        assert "predicted" not in str(refused.value) and "role" not in str(refused.value)
