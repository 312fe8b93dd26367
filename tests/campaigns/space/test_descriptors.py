"""Constraints speak of what describes choices and candidates, not of designs alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ombo_agents.campaigns import Campaign, Space, read_space
from tests.campaigns.sheets import write

LIBRARY = (
    "name,weight (g/mol),logP,class,in,note\n"
    "a,300,-1,amine,1,x\nb,350,2,acid,2,y\nc,410,3,amine,3,z\nd,280,0.5,ester,4,\n"
)


def names_of(space: Space) -> list[str]:
    listed = space.listed()
    assert listed is not None
    return sorted(set(listed[space.columns[0]].tolist()))


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        ("weight <= 350", ["a", "b", "d"]),
        ("weight (g/mol) <= 350", ["a", "b", "d"]),
        ("`weight (g/mol)` <= 350 and logP > 0", ["b", "d"]),
        ("name.logP + 1 > 1.5", ["b", "c"]),
        ('class == "amine"', ["a", "c"]),
        ('class in ["acid", "ester"]', ["b", "d"]),
        ('weight > 400 if class == "amine"', ["b", "c", "d"]),
        ("`in` >= 3", ["c", "d"]),  # a word of conditions, in backquotes
        ('name != "a" and weight < 1.2 * 300', ["b", "d"]),
    ],
)
def test_a_library_is_narrowed_by_any_column_of_its_file(
    tmp_path: Path, rule: str, kept: list[str]
) -> None:
    write(tmp_path, "library.csv", LIBRARY)
    text = f"candidates: library.csv\ncolumns: [logP]\nconstraints:\n  - '{rule}'\n"
    space = read_space(write(tmp_path, "space.yaml", text))
    assert names_of(space) == kept
    others = read_space(write(tmp_path, "not.yaml", text.replace("constraints", "exclude")))
    assert sorted([*names_of(others), *kept]) == list("abcd")


def test_descriptors_that_are_written_beside_choices_can_be_spoken_of() -> None:
    space = read_space(
        {
            "solvent": {"choices": ["DMF", "THF", "water"], "descriptors": {"eps": [37, 7.5, 80]}},
            "T": [20, 60, 100],
            "constraints": ["T <= 20 if eps < 10", "solvent.eps < 50"],
        }
    )
    listed = space.listed()
    assert listed is not None
    pairs = set(zip(listed["solvent"].tolist(), listed["T"].tolist(), strict=True))
    assert pairs == {("DMF", 20), ("DMF", 60), ("DMF", 100), ("THF", 20)}


def test_two_files_with_one_name_are_told_apart(tmp_path: Path) -> None:
    for what in ("ligand", "base"):
        lines = "".join(f"{what}{i},{i},{i}\n" for i in range(4))
        write(tmp_path, f"{what}s.csv", f"id,mass,k\n{lines}")
    text = (
        "ligand: {choices: ligands.csv}\nbase: {choices: bases.csv}\nmass: [1, 2]\n"
        "constraints:\n  - ligand.mass + base.mass <= 1\n  - mass == 2\n"
    )
    listed = read_space(write(tmp_path, "space.yaml", text)).listed()
    assert listed is not None and set(listed["mass"].tolist()) == {2}
    pairs = set(zip(listed["ligand"].tolist(), listed["base"].tolist(), strict=True))
    assert pairs == {("ligand0", "base0"), ("ligand0", "base1"), ("ligand1", "base0")}
    unclear = write(tmp_path, "unclear.yaml", text.replace("mass == 2", "k == 2"))
    with pytest.raises(ValueError, match=r"line 6: .*expected names among .*'ligand\.k'"):
        read_space(unclear)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("wieght <= 350", r"line 4: .*did you mean 'weight"),
        ('logP == "high"', r"line 4: .*a number and a text"),
        ('class == "amines"', r"line 4: .*did you mean 'amine'"),
        ("price <= 3", r"library\.csv, row 3, column 'price'.*fill it in"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_line_or_cell(
    tmp_path: Path, rule: str, words: str
) -> None:
    table = LIBRARY.replace("note\n", "price\n").replace(",x\n", ",1\n").replace(",y\n", ",\n")
    write(tmp_path, "library.csv", table.replace(",z\n", ",2\n").replace("4,\n", "4,5\n"))
    text = f"candidates: library.csv\ncolumns: [logP]\nconstraints:\n  - {rule}\n"
    with pytest.raises(ValueError, match=words):
        read_space(write(tmp_path, "space.yaml", text))


def test_columns_of_a_file_do_not_change_what_numbers_and_words_mean(tmp_path: Path) -> None:
    lines = "".join(f"m{i},1,2,{i},4\n" for i in range(3))
    write(tmp_path, "library.csv", f"name,25,if,T,%\n{lines}")
    text = (
        "ligand: {choices: [m0, m1, m2]}\nkind: {candidates: library.csv, columns: [T]}\n"
        'T: [25, 50]\nconstraints:\n  - T <= 25 if ligand == "m0"\n'
    )
    listed = read_space(write(tmp_path, "space.yaml", text)).listed()
    assert listed is not None
    hot = listed["ligand"][listed["T"] == 50]
    assert set(hot.tolist()) == {"m1", "m2"} and len(listed["T"]) == 15


def test_plates_keep_such_a_constraint_and_a_kept_campaign_does(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    library = "name,weight,logP\n" + "".join(
        f"m{i},{200 + 10 * i},{rng.normal():.3f}\n" for i in range(40)
    )
    write(tmp_path, "library.csv", library)
    text = "candidates: library.csv\ncolumns: [logP]\nconstraints: [weight <= 400]\n"
    space = write(tmp_path, "space.yaml", text)
    rows: list[dict[str, Any]] = [{"name": f"m{i}", "y": float(i % 7)} for i in range(0, 30, 3)]
    campaign = Campaign.from_csv(rows, space, target="y")
    wells = campaign.suggest([6]).wells
    assert all(int(str(well.design["name"])[1:]) <= 20 for well in wells)
    assert "measured, though the constraints exclude it: rows, rows 9, 10, 11" in campaign.check()
    campaign.save(tmp_path / "c.json")
    (tmp_path / "library.csv").unlink()
    assert Campaign.load(tmp_path / "c.json").suggest([6]).wells == wells
