"""What a chemist trips over: commas in names, spellings of units, blanks, files in the way."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from ombo_agents.campaigns import Campaign
from ombo_agents.campaigns.space.space_file import read_space
from ombo_gym import command
from tests.campaigns.sheets import write

SHEET = "T (°C),solvent,yield (%)\n20,DMF,10\n40,THF,30\n60,THF,50\n80,DMF,20\n"
SPACE = "T: {range: [20, 80], step: 5, unit: °C}\nsolvent: [DMF, THF]\n"
LIBRARY = "name,weight,logP\na,300,-1\nb,350,2\nc,410,3\nd,280,0.5\n"


def refusal(monkeypatch: pytest.MonkeyPatch, *line: str) -> str:
    """What `ombo` says as it refuses a line."""
    monkeypatch.setattr(sys, "argv", ["ombo", *line])
    with pytest.raises(SystemExit) as stopped:
        command.main()
    return str(stopped.value)


def campaign(folder: Path, sheet: str = SHEET, space: str = SPACE, **settings: Any) -> Campaign:
    """A campaign from the text of a sheet and of a space file."""
    target = settings.pop("target", "yield")
    return Campaign.from_csv(
        write(folder, "screen.csv", sheet),
        write(folder, "space.yaml", space),
        target=target,
        **settings,
    )


# --- names with a comma ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "1,4-dioxane",
        "2,2'-bipyridine",
        "1,10-phenanthroline",
        "4,4'-di-tert-butylbipyridine",
        "N,N-dimethylacetamide",
        "1,1,2-trichloroethane",
        "(R,R)-salen",
        "Pd[P(o-tol)3](Cl,Br)",
    ],
)
@pytest.mark.parametrize("form", ["[DMF, {}, THF]", "{{choices: [{}, DMF]}}"])
def test_a_name_that_its_comma_splits_is_refused(tmp_path: Path, name: str, form: str) -> None:
    plain = write(tmp_path, "plain.yaml", f"solvent: {form.format(name)}\nT: [20, 40]\n")
    with pytest.raises(ValueError, match=r"plain\.yaml, line 1: .*quotes") as refused:
        read_space(plain)
    if "[" not in name:  # a square bracket ends the list, which the parser says in other words
        assert f'"{name.split(",")[-2]},{name.split(",")[-1]}"' in str(refused.value)
    quoted = write(tmp_path, "quoted.yaml", f"solvent: {form.format(repr_of(name))}\nT: [20, 40]\n")
    assert name in str(read_space(quoted).factors[0].values["solvent"])


def repr_of(name: str) -> str:
    """The name in double quotes."""
    return f'"{name}"'


def test_lists_that_only_resemble_split_names_are_kept() -> None:
    for listed in (["N", "O", "S"], [1, "none"], ["1", "4-dioxane"], [1, 2, 4], ["a(b)", "c"]):
        assert read_space({"x": listed, "T": [20, 40]}).columns == ("x", "T")


# --- units ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("degC", "°C"),
        ("°C", "C"),
        ("deg C", "°C"),
        ("uM", "µM"),
        ("μL", "uL"),
        ("hours", "h"),
        ("hr", "h"),
        ("minutes", "min"),
        ("equiv.", "eq"),
    ],
)
def test_spellings_of_one_unit_are_one(tmp_path: Path, header: str, unit: str) -> None:
    sheet = SHEET.replace("°C", header)
    space = SPACE.replace("unit: °C", f"unit: '{unit}'")
    assert len(campaign(tmp_path, sheet, space).rows.status) == 4


@pytest.mark.parametrize(
    ("header", "unit"), [("K", "°C"), ("mM", "µM"), ("min", "h"), ("nM", "uM"), ("°F", "C")]
)
def test_other_units_are_refused(tmp_path: Path, header: str, unit: str) -> None:
    space = SPACE.replace("unit: °C", f"unit: '{unit}'")
    with pytest.raises(ValueError, match=r"row 1, column 'T .*convert the numbers"):
        campaign(tmp_path, SHEET.replace("°C", header), space)


# --- constraints that leave nothing ---------------------------------------------------------------


@pytest.mark.parametrize("step", [", step: 5", ""])
def test_check_refuses_a_space_without_designs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    sheet = write(tmp_path, "screen.csv", SHEET)
    space = write(
        tmp_path,
        "space.yaml",
        f"parameters:\n  T: {{range: [20, 80]{step}}}\n  solvent: [DMF, THF]\n"
        "constraints: [T > 100]\n",
    )
    error = refusal(monkeypatch, "check", str(sheet), "--space", str(space), "--target", "yield")
    assert "T > 100" in error
    assert "loosen" in error


def test_a_condition_that_its_comma_splits_says_where_it_stands(tmp_path: Path) -> None:
    listed = 'parameters:\n  T: {range: [20, 80]}\n  solvent: [DMF, "1,4-dioxane"]\nconstraints:'
    condition = 'T <= 40 if solvent == "1,4-dioxane"'
    with pytest.raises(ValueError, match=r"line 4: .* line of its own, behind a dash"):
        read_space(write(tmp_path, "split.yaml", f"{listed} [{condition}]\n"))
    space = read_space(write(tmp_path, "whole.yaml", f"{listed}\n  - {condition}\n"))
    assert [rule.text for rule in space.rules] == [condition]


# --- mixtures and libraries -----------------------------------------------------------------------


def test_an_empty_part_of_a_mixture_says_to_write_zero(tmp_path: Path) -> None:
    sheet = "A,B,C,yield\n50,50,,3\n50,25,25,4\n"
    with pytest.raises(ValueError, match=r"row 2, column 'C'.*write 0"):
        campaign(tmp_path, sheet, "mixture: [A, B, C]\nsum: 100\nstep: 5\n")


def test_log_of_a_column_that_describes_nothing_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "library.csv", LIBRARY)
    space = "candidates: library.csv\nid: name\ncolumns: [logP]\nlog: [weight]\n"
    with pytest.raises(ValueError, match=r"line 4: log: .*'weight'"):
        campaign(tmp_path, "name,yield\na,3\nb,4\n", space)


def test_log_of_a_negative_number_names_the_cell(tmp_path: Path) -> None:
    write(tmp_path, "library.csv", LIBRARY)
    space = "candidates: library.csv\nid: name\nlog: [logP]\n"
    with pytest.raises(ValueError, match=r"library\.csv, row 2, column 'logP'.*above 0.*'-1'"):
        campaign(tmp_path, "name,yield\na,3\nb,4\n", space)


def test_wide_descriptors_are_told_the_key_that_the_space_file_has(tmp_path: Path) -> None:
    rows = "".join(f"m{i},{10.0**-i}\n" for i in range(8))
    write(tmp_path, "library.csv", "name,solubility\n" + rows)
    text = campaign(tmp_path, "name,yield\nm1,3\nm2,4\n", "candidates: library.csv\n").check()
    assert "log: [solubility]" in text


# --- blocks ---------------------------------------------------------------------------------------


def test_a_column_that_blocks_share_is_said(tmp_path: Path) -> None:
    sheet = "plate,T (°C),solvent,yield (%)\n1,20,DMF,10\n1,20,THF,12\n2,40,THF,30\n2,40,DMF,9\n"
    tied = campaign(tmp_path, sheet, block="plate")
    for text in (tied.check(), tied.summary()):
        assert "block: each has one value of T" in text
    mixed = sheet.replace("2,40,DMF", "2,20,DMF")
    assert "each has one value" not in campaign(tmp_path, mixed, block="plate").check()


# --- files that are in the way --------------------------------------------------------------------


def test_names_of_other_kinds_of_files_are_refused(tmp_path: Path) -> None:
    plate = campaign(tmp_path).suggest([2])
    for name in ("plate.xls", "plate.pdf", "plate"):
        with pytest.raises(ValueError, match=r"ends in \.csv or \.xlsx"):
            plate.write(tmp_path / name)
        assert not (tmp_path / name).exists()


def test_a_folder_is_called_one(tmp_path: Path) -> None:
    (tmp_path / "plate.csv").mkdir()
    with pytest.raises(ValueError, match="got a folder"):
        campaign(tmp_path).suggest([2]).write(tmp_path / "plate.csv")


def test_a_campaign_is_not_saved_into_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected a file in a folder that exists"):
        campaign(tmp_path).save(tmp_path / "missing" / "campaign.json")


@pytest.mark.parametrize("filled", [["31", "<5", "failed", ""], ["", "", "", ""]])
def test_a_plate_is_told_once(tmp_path: Path, filled: list[str]) -> None:
    made = campaign(tmp_path, failed=["failed"])
    frame = made.suggest([4]).frame
    frame["yield (%)"] = filled
    made.tell(frame)
    before = made.check()
    with pytest.raises(ValueError, match="4 that are all known"):
        made.tell(frame)
    assert made.check() == before
    frame["yield (%)"] = ["31", "<5", "failed", "12"]  # the last one answers for what ran
    made.tell(frame[3:])
    assert ("pending" in made.summary()) != any(filled)


def test_replicates_that_agree_are_told(tmp_path: Path) -> None:
    made = campaign(tmp_path)
    blanks = [{"T": t, "solvent": "DMF", "yield": 0} for t in (25, 30, 35)]
    made.tell(blanks)
    made.tell(blanks)
    assert "replicates: 3 designs" in made.check()


# --- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("plates", ["0", "24,0", "24,-8"])
def test_plates_without_wells_name_the_flag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plates: str
) -> None:
    sheet, space = write(tmp_path, "screen.csv", SHEET), write(tmp_path, "space.yaml", SPACE)
    words = ["suggest", str(sheet), "--space", str(space), "--target", "yield", "--maximise"]
    error = refusal(monkeypatch, *words, f"--plates={plates}")
    assert "--plates: expected whole numbers of at least 1" in error


def test_a_title_above_the_header_is_passed_over_and_said(tmp_path: Path) -> None:
    assert "the header is in row 2" in campaign(tmp_path, "My screen,,\n" + SHEET).check()


def test_a_sheet_without_results_says_that_there_are_none(tmp_path: Path) -> None:
    sheet = "T (°C),solvent,yield (%)\n20,DMF,\n40,THF,\n"
    assert "the target, maximised: no result yet" in campaign(tmp_path, sheet).check()


def test_a_range_with_a_decimal_comma_is_told_of_points(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="decimals have a point"):
        campaign(tmp_path, space="T: {range: [20,5, 80]}\nsolvent: [DMF, THF]\n")


def test_a_goal_where_a_weight_belongs_says_how_it_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"""\{'yield': \{'goal': 'min'\}\}"""):
        campaign(tmp_path, target={"yield": "min"})
