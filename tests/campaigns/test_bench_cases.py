"""Five cases from a bench, as a user would write them, each with an independent check of the plate.

What is true of a design is known here alone; the campaign sees a spreadsheet and a space file.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ombo_agents.campaigns import Campaign
from tests.campaigns.sheets import workbook, write

MOST_SECONDS = 10.0  # of computing, for a suggestion


@pytest.fixture
def in_time() -> Iterator[None]:
    """Fails where a test computes longer than a user may wait."""
    begun = time.process_time()
    yield
    assert time.process_time() - begun < MOST_SECONDS


pytestmark = pytest.mark.usefixtures("in_time")


def number(text: str) -> float:
    """A cell with a decimal comma or point."""
    return float(text.replace(",", "."))


# --- a reaction screen ----------------------------------------------------------------------------

SOLVENTS = {"DMF": 0.9, "THF": 0.6, "dioxane": 0.75, "diethyl ether": 0.4}
LIGANDS = {"XPhos": 1.0, "SPhos": 0.7, "PPh3": 0.3}
BASES = {"K2CO3": 0.8, "Cs2CO3": 1.0, "NaOtBu": 0.5}

REACTION = """\
# Buchwald coupling, what the robot can do
parameters:
  solvent: [DMF, THF, dioxane, diethyl ether]
  ligand: [XPhos, SPhos, PPh3]
  base: [K2CO3, Cs2CO3, NaOtBu]
  temperature: {range: [25, 140], step: 5, unit: °C}
  time: {range: [0.5, 24], scale: log, unit: h}
  equivalents: [1.0, 1.5, 2.0, 3.0]
constraints:
  - temperature <= 35 if solvent == "diethyl ether"
  - temperature <= 65 if solvent == "THF"
"""


def percent(solvent: str, ligand: str, base: str, t: float, hours: float, eq: float) -> float:
    heat = np.exp(-(((t - 105) / 40) ** 2))
    return float(
        95 * SOLVENTS[solvent] * LIGANDS[ligand] * BASES[base] * heat * (1 - np.exp(-hours / 3))
    )


def boils(solvent: str, t: float) -> bool:
    return t > {"diethyl ether": 35, "THF": 65}.get(solvent, 1000)


def test_a_reaction_screen(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lines = [
        "Experiment;Solvent;Ligand;Base;Temperature (°C);Time (h);equivalents;Yield (%);operator"
    ]
    screened = set()
    while len(lines) < 41:
        s, lig, b = (str(rng.choice(list(names))) for names in (SOLVENTS, LIGANDS, BASES))
        t, hours, eq = (
            5 * int(rng.integers(5, 29)),
            float(rng.choice([1, 4, 16])),
            float(rng.choice([1, 2])),
        )
        if boils(s, t):
            continue
        value = f"{percent(s, lig, b, t, hours, eq):.1f}".replace(".", ",")
        measured = "decomp." if b == "NaOtBu" and t > 110 else value
        screened.add((s, lig, b, t, hours, eq))
        hours_text = f"{hours:g}".replace(".", ",")
        lines.append(f"{len(lines)};{s};{lig};{b};{t};{hours_text};{eq:g};{measured};KL")
    sheet = write(tmp_path, "screen.csv", "\n".join(lines))
    space = write(tmp_path, "space.yaml", REACTION)
    campaign = Campaign.from_csv(
        sheet, space, target="Yield (%)", failed=["decomp."], failed_value=0
    )
    plate = campaign.suggest([24, 24, 8])
    plate.write(tmp_path / "plate.csv", layout=24)
    with open(tmp_path / "plate.csv", encoding="utf-8-sig", newline="") as file:
        wells = list(csv.DictReader(file))
    designs = {
        (
            w["Solvent"],
            w["Ligand"],
            w["Base"],
            number(w["Temperature (°C)"]),
            number(w["Time (h)"]),
            number(w["equivalents"]),
        )
        for w in wells
    }
    assert len(designs) == 24 and not designs & screened
    for solvent, ligand, base, t, hours, eq in designs:
        assert solvent in SOLVENTS and ligand in LIGANDS and base in BASES and eq in (1, 1.5, 2, 3)
        assert 25 <= t <= 140 and t % 5 == 0 and 0.5 <= hours <= 24 and not boils(solvent, t)
    greedy = campaign.suggest([8], policy="greedy")
    best = np.mean([percent(*well.design.values()) for well in greedy.wells])
    known = [percent(*design) for design in screened]
    assert best > np.quantile(known, 0.8)
    assert {well.design["ligand"] for well in greedy.wells} <= {"XPhos", "SPhos"}


# --- a formulation --------------------------------------------------------------------------------


def firmness(parts: Any) -> float:
    a, b, c, d = (part / 100 for part in parts)
    return float(20 * a + 10 * b + 5 * c + 60 * a * b + 90 * b * c - 40 * d - 30 * (c - 0.3) ** 2)


def test_a_formulation_of_four_parts(tmp_path: Path) -> None:
    grid = [
        (a, b, c, 100 - a - b - c)
        for a in range(0, 101, 5)
        for b in range(0, 101, 5)
        for c in range(0, 101, 5)
        if 5 <= 100 - a - b - c <= 60 and a + b <= 70
    ]
    rng = np.random.default_rng(1)
    chosen = [grid[i] for i in rng.choice(len(grid), 14, replace=False)]
    rows = [["batch", "gum %", "starch %", "protein %", "water %", "firmness (N)"]]
    rows += [[i, *parts, round(firmness(parts), 2)] for i, parts in enumerate(chosen)]
    rows.append([99, 20, 20, 20, 20, 3.0])  # does not sum to 100: a control
    sheet = workbook(tmp_path / "batches.xlsx", rows)
    space = {
        "mixture": ["gum %", "starch %", "protein %", "water %"],
        "sum": 100,
        "step": 5,
        "bounds": {"water %": [5, 60]},
        "constraints": ["gum % + starch % <= 70"],
    }
    campaign = Campaign.from_csv(sheet, space, target="firmness (N)")
    assert "1 control" in campaign.check()
    assert f"{len(grid):,} that keep the constraints" in campaign.check()
    wells = [tuple(well.design.values()) for well in campaign.suggest([12, 12]).wells]
    assert len(set(wells)) == 12 and set(wells) <= set(grid) - set(chosen)
    best = max(firmness(tuple(w.design.values())) for w in campaign.suggest([8]).wells)
    assert best > np.quantile([firmness(parts) for parts in grid], 0.98)
    assert best > max(map(firmness, chosen))


# --- peptides -------------------------------------------------------------------------------------

LETTERS = "ACDEFGHIKLMNPQRSTVWY"


def binding(peptide: str) -> float:
    anchors = 2.0 * (peptide[1] in "LMI") + 2.0 * (peptide[-1] in "VLI")
    return (
        anchors + 0.5 * peptide.count("K") - 0.3 * abs(len(peptide) - 9) - 0.7 * peptide.count("P")
    )


def test_a_library_of_peptides_of_7_to_12_letters(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    peptides = {"".join(rng.choice(list(LETTERS), rng.integers(7, 13))) for _ in range(80)}
    lines = ["peptide,pIC50", *(f"{p},{binding(p):.2f}" for p in sorted(peptides))]
    sheet = write(tmp_path, "peptides.csv", "\n".join(lines))
    space = write(tmp_path, "space.yaml", f"peptide: {{alphabet: {LETTERS}, length: [7, 12]}}\n")
    campaign = Campaign.from_csv(sheet, space, target="pIC50")
    proposed = [well.design["peptide"] for well in campaign.suggest([24, 24]).wells]
    assert len(set(proposed)) == 24 and not set(proposed) & peptides
    assert all(7 <= len(p) <= 12 and set(p) <= set(LETTERS) for p in proposed)
    known = [binding(p) for p in peptides]
    assert np.mean([binding(p) for p in proposed]) > np.quantile(known, 0.7)


# --- molecules ------------------------------------------------------------------------------------


def test_5000_molecules_with_raw_descriptors(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    hidden = rng.normal(size=(5000, 4))
    mass, polar, logp = 300 + 60 * hidden[:, 0], 80 + 30 * hidden[:, 1], 2 + hidden[:, 2]
    raw = np.stack(
        [mass, polar, logp, 1e5 * np.exp(hidden[:, 3]), np.full(5000, 7.0), mass / 2], axis=1
    )
    noise = rng.normal(size=(5000, 14)) * 10.0 ** rng.integers(-3, 4, 14)
    table = np.concatenate([raw, noise], axis=1)
    activity = 6 - hidden[:, 0] ** 2 + hidden[:, 2] - 0.5 * (hidden[:, 1] - 1) ** 2
    names = [f"Z{i:05d}" for i in range(5000)]
    with open(tmp_path / "library.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["MW", "id", *(f"d{i}" for i in range(19))])
        writer.writerows(
            [f"{row[0]:.6g}", name, *(f"{x:.6g}" for x in row[1:])]
            for name, row in zip(names, table.tolist(), strict=True)
        )
    tried = rng.choice(5000, 40, replace=False).tolist()
    lines = ["compound\tpIC50", *(f"{names[i]}\t{activity[i]:.2f}" for i in tried)]
    sheet = write(tmp_path, "assay.tsv", "\n".join([*lines, "DMSO\t4.1"]))
    space = write(tmp_path, "space.yaml", "compound: {candidates: library.csv, id: id}\n")
    campaign = Campaign.from_csv(sheet, space, target="pIC50")
    assert "1 control" in campaign.check() and "'DMSO'" in campaign.check()
    proposed = [well.design["compound"] for well in campaign.suggest([24, 24, 24]).wells]
    assert len(set(proposed)) == 24 and set(proposed) <= set(names)
    index = [names.index(name) for name in proposed]
    assert not set(index) & set(tried)
    greedy = campaign.suggest([24], policy="greedy").wells
    worth = activity[[names.index(well.design["compound"]) for well in greedy]]
    assert worth.mean() > activity.mean() + 0.5 * activity.std()


# --- a process ------------------------------------------------------------------------------------

PROCESS = """\
{
    "parameters": {
        "temperature": {"range": [20, 95], "step": 2.5, "unit": "°C"},
        "catalyst": {"range": [0.01, 10], "scale": "log", "unit": "mol%"},
        "passes": {"integer": [1, 12]},
        "stirring": [200, 400, 800, 1600],
        "vessel": "glass"
    },
    "shared": ["temperature"],
    "distinct": {"stirring": 2}
}
"""


def euros(temperature: float, catalyst: float, passes: float, stirring: float) -> float:
    poor = ((temperature - 70) / 30) ** 2 + np.log10(catalyst / 0.5) ** 2 + (passes - 6) ** 2 / 20
    return float(20 + 40 * poor + stirring / 400)


def test_a_process_whose_plates_share_a_temperature(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    lines = ["run,temperature [°C],catalyst (mol%),passes,stirring,cost / €"]
    designs = []
    for i in range(30):
        row = (
            2.5 * int(rng.integers(8, 39)),
            float(f"{10 ** rng.uniform(-2, 1):.3g}"),
            int(rng.integers(1, 13)),
            int(rng.choice([200, 400, 800, 1600])),
        )
        designs.append(row)
        cost = "" if i % 10 == 9 else f"{euros(*row):.2f}"  # three are still running
        lines.append(f"{i},{row[0]:g},{row[1]:g},{row[2]},{row[3]},{cost}")
    sheet = write(tmp_path, "runs.csv", "\n".join(lines))
    space = write(tmp_path, "space.json", PROCESS)
    campaign = Campaign.from_csv(sheet, space, target="cost / €", goal="min")
    assert "27 measured, 3 pending" in campaign.check() and "minimised" in campaign.check()
    for plates in ([24, 24, 8], [24, 8], [8]):
        wells = [tuple(well.design.values())[:4] for well in campaign.suggest(plates).wells]
        assert len(wells) == plates[0] and len(set(wells)) == plates[0]
        assert not set(wells) & set(designs)
        assert len({t for t, *_ in wells}) == 1 and len({s for *_, s in wells}) <= 2
        for t, catalyst, passes, stirring in wells:
            assert 20 <= t <= 95 and t % 2.5 == 0 and 0.01 <= catalyst <= 10
            assert passes in range(1, 13) and stirring in (200, 400, 800, 1600)
    measured = [euros(*row) for i, row in enumerate(designs) if i % 10 != 9]
    assert min(euros(*well) for well in wells) < np.quantile(measured, 0.1)
    assert np.mean([euros(*well) for well in wells]) < np.median(measured)
    assert 50 <= wells[0][0] <= 90
