"""Lines of a space file that are nearly a range: refused with the line as it has to be."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ombo_agents.campaigns import read_space
from tests.campaigns.sheets import write

HEAD = "parameters:\n  solvent: [DMF, THF]\n"


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ("40 - 110 °C", "{range: [40, 110], unit: °C}"),
        ("40-110", "{range: [40, 110]}"),
        ("-20 \N{EN DASH} 40", "{range: [-20, 40]}"),
        ("1,1 - 2,0 equiv.", "{range: [1.1, 2.0], unit: equiv.}"),
        ("from 40 to 110 °C", "{range: [40, 110], unit: °C}"),
        ("40 °C .. 110 °C", "{range: [40, 110], unit: °C}"),
        ("(40, 110)", "{range: [40, 110]}"),
        ("[40-110]", "{range: [40, 110]}"),
        ("110 - 40", "{range: [40, 110]}"),
        ("40, 50, 60", "[40, 50, 60]"),
        ("{range: [40-110], step: 5}", "{range: [40, 110], step: 5}"),
        ("{range: [40-110], step 5}", "{range: [40, 110], step: 5}"),
        ("{range: 40-110, step = 5}", "{range: [40, 110], step: 5}"),
        ("{range: [40; 110]}", "{range: [40, 110]}"),
        ("{range: [40, 110, 5]}", "{range: [40, 110], step: 5}"),
        ("{range: [40 °C, 110 °C], step: 5 °C}", "{range: [40, 110], step: 5, unit: °C}"),
        ("{range: [110, 40]}", "{range: [40, 110]}"),
        ("{min: 40, max: 110}", "{range: [40, 110]}"),
        ("{integer: 1-15}", "{integer: [1, 15]}"),
        ("{range: [40, 110], units: °C}", "{range: [40, 110], unit: °C}"),
        ("{range: 0.1-10, scale: log}", "{range: [0.1, 10], scale: log}"),
    ],
)
def test_the_error_shows_the_right_line_and_it_is_one(
    tmp_path: Path, written: str, line: str
) -> None:
    path = write(tmp_path, "space.yaml", f"{HEAD}  Temp.: {written}\n")
    with pytest.raises(ValueError, match=r"line 3: 'Temp\.'") as refused:
        read_space(path)
    assert f"; write Temp.: {line}" in str(refused.value)
    read_space(write(tmp_path, "right.yaml", f"{HEAD}  Temp.: {line}\n"))


@pytest.mark.parametrize(
    "written",
    ["N2", "10-20 mesh", "2024-11-03", "67-64-1", "1:1", "1,4-dioxane", "LOT7-1", "7-1", "A - B"],
)
def test_texts_that_are_no_range_are_fixed(tmp_path: Path, written: str) -> None:
    space = read_space(write(tmp_path, "space.yaml", f"{HEAD}  lot: {written}\n"))
    assert space.columns == ("solvent", "lot")


def test_three_numbers_with_a_decimal_comma_have_no_step(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="decimals have a point"):
        read_space(write(tmp_path, "space.yaml", f"{HEAD}  eq: {{range: [0,5, 2]}}\n"))


def test_a_text_that_looks_like_a_range_can_be_meant(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'or \{fixed: "40 - 110 °C"\} if') as refused:
        read_space({"solvent": ["DMF", "THF"], "lot": "40 - 110 °C"})
    line = str(refused.value).partition(", or ")[2].partition(" if this")[0]
    read_space({"solvent": ["DMF", "THF"], "lot": yaml.safe_load(line)})
