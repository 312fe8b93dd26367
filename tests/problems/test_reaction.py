# ruff: noqa: E501
"""Reaction screens, against the rows of their source files."""

from __future__ import annotations

import numpy as np
import pytest

from ombo_gym.problems.chemistry.reaction import Reaction
from tests.problems.measured_problems import all_values, of_table, true_value

SPOTS = {
    "doyle": r"""
CC(c1cc(cc(c1c1ccccc1P(C(C)(C)C)C(C)(C)C)C(C)C)C(C)C)C c1ccc(cc1)c1conc1 CN1CCCN2C1=NCCC2 Ic1ccccn1 0.9999999
COc1ccc(c(c1c1c(cc(cc1C(C)C)C(C)C)C(C)C)P([C@]12C[C@H]3C[C@@H](C2)C[C@@H](C1)C3)[C@]12C[C@H]3C[C@@H](C2)C[C@@H](C1)C3)OC c1ccc(cc1)c1conc1 CCN=P(N(C)C)(N(C)C)N=P(N(C)C)(N(C)C)N(C)C COc1ccc(cc1)I 0.1672117045
COc1ccc(c(c1c1c(cc(cc1C(C)C)C(C)C)C(C)C)P([C@]12C[C@H]3C[C@@H](C2)C[C@@H](C1)C3)[C@]12C[C@H]3C[C@@H](C2)C[C@@H](C1)C3)OC c1ccc2c(c1)onc2 CN1CCCN2C1=NCCC2 Brc1ccccn1 0.6775052852000001
COc1ccc(c(c1c1c(cc(cc1C(C)C)C(C)C)C(C)C)P([C@]12C[C@H]3C[C@@H](C2)C[C@@H](C1)C3)[C@]12C[C@H]3C[C@@H](C2)C[C@@H](C1)C3)OC CCOC(=O)c1onc(c1)OC CN(C(=NC(C)(C)C)N(C)C)C COc1ccc(cc1)Br 0.2350114845
CC(c1cc(cc(c1c1ccccc1P(C1CCCCC1)C1CCCCC1)C(C)C)C(C)C)C CCOC(=O)c1onc(c1)OC CN(C(=NC(C)(C)C)N(C)C)C CCc1ccc(cc1)Cl 0.01188847918
COc1ccc(c(c1c1c(cc(cc1C(C)C)C(C)C)C(C)C)P(C(C)(C)C)C(C)(C)C)OC COC(=O)c1ccno1 CN1CCCN2C1=NCCC2 FC(c1ccc(cc1)I)(F)F 0.4705511825
COc1ccc(c(c1c1c(cc(cc1C(C)C)C(C)C)C(C)C)P(C(C)(C)C)C(C)(C)C)OC c1ccc2c(c1)onc2 CCN=P(N(C)C)(N(C)C)N=P(N(C)C)(N(C)C)N(C)C CCc1ccc(cc1)I 0.5929246641
CC(c1cc(cc(c1c1ccccc1P(C1CCCCC1)C1CCCCC1)C(C)C)C(C)C)C Cc1noc(c1)c1ccccc1 CCN=P(N(C)C)(N(C)C)N=P(N(C)C)(N(C)C)N(C)C COc1ccc(cc1)I 0.4759873076
COc1ccc(c(c1c1c(cc(cc1C(C)C)C(C)C)C(C)C)P(C(C)(C)C)C(C)(C)C)OC c1ccc2c(c1)onc2 CN(C(=NC(C)(C)C)N(C)C)C Clc1cccnc1 0.2480297238
CC(c1cc(cc(c1c1ccccc1P(C1CCCCC1)C1CCCCC1)C(C)C)C(C)C)C Cc1noc(c1)c1ccccc1 CN1CCCN2C1=NCCC2 Brc1cccnc1 0.2492895829
""",
    "borylation": r"""
ClC1=C(C)C(N)=CC=C1 CN(C)C(C=CC=C1)=C1C2=CC=CC=C2P(C3=CC=CC=C3)C4=CC=CC=C4 CO 1.0
BrC1=CC=CC=C1C2=CC=CC=C2 C1(P(C2CCCCC2)C3=CC=CC=C3)=CC=CC=C1 CO 0.42605
BrC1=CSC=C1 CP(C)C.[H+].[B-](F)(F)(F)F CO 0.0959
BrC1=CC=C2C(OCO2)=C1 C1(P(C2CCCCC2)C3=CC=CC=C3)=CC=CC=C1 CO 0.3754
ClC1=C(C)C=C(F)C=C1 P(C1CCCCC1)(C2CCCCC2)C3CCCCC3.[H+].[B-](F)(F)(F)F CCO 0.08635
CC1=C(Cl)C(C)=CC=C1 CCCCC1(C(C=CC=C2)=C2C3=C1C=CC=C3)P(C4CCCCC4)C5CCCCC5 CCO 0.0513
CC1=NC=CC=C1Br CC1=CC(C)=CC(P(C2=CC(C)=CC(C)=C2)C3=CC(C)=CC(C)=C3)=C1 CCO 0.9060885484000001
O=S(OC1=CC=C(C2=CC=CC=C2)C=C1)(N(C)C)=O COC1=C(P(C2=CC=CC=C2OC)C3=CC=CC=C3OC)C=CC=C1 CCO 0.2332
BrC1=CC=C2C(C=CO2)=C1 CC(C=CC=C1)=C1C2=CC=CC=C2P(C3CCCCC3)C4CCCCC4 CCO 0.439
FC1=C(OC)C=C(Cl)C=C1 COC1=C(P(C2=CC=CC=C2OC)C3=CC=CC=C3OC)C=CC=C1 CCO 0.24559999999999998
""",
    "deoxyfluorination": r"""
OCCCC1=NC(C2=CC=CC=C2)=C(C3=CC=CC=C3)O1 CN(C)/C(N(C)C)=N/C(C)(C)C O=S(C1=CC=C(C(F)(F)F)C=C1)(F)=O 1.06
OCCCCC1=CC=CC=C1 CN(C)/C(N(C)C)=N/C(C)(C)C FC(C(F)(S(=O)(F)=O)F)(F)C(F)(F)C(F)(F)F 0.84
CC(C)(O)CCC1=CC=CC=C1 CN1CCCN2CCCN=C21 ClC1=CC=C(S(=O)(F)=O)C=C1 0.01
OCC1CCCCN1CCCC2=CC=CC=C2 CN1CCCN2CCCN=C21 FC(C(F)(S(=O)(F)=O)F)(F)C(F)(F)C(F)(F)F 0.23
O=C(OC)[C@H]1N(C(OC(C)(C)C)=O)C[C@H](O)C1 CN(C)/C(N(C)C)=N/C(C)(C)C O=S(C1=CC=C([N+]([O-])=O)C=C1)(F)=O 0.55
O=C1C2=C(C=CC=C2)C(N1[C@H]3CC[C@@H](O)CC3)=O N12CCCN=C1CCCCC2 ClC1=CC=C(S(=O)(F)=O)C=C1 0.04
O=C1C2=C(C=CC=C2)C(N1[C@H]3CC[C@@H](O)CC3)=O CC(N=P(N1CCCC1)(N2CCCC2)N3CCCC3)(C)C ClC1=CC=C(S(=O)(F)=O)C=C1 0.02
OCC1=C(N=C(N1CC2=CC=C(C3=C(C4=NN=NN4C(C5=CC=CC=C5)(C6=CC=CC=C6)C7=CC=CC=C7)C=CC=C3)C=C2)CCCC)Cl CN1CCCN2CCCN=C21 FC(C(F)(S(=O)(F)=O)F)(F)C(F)(F)C(F)(F)F 0.39
[H][C@]12CC[C@]3(C)C(C4=CC=CN=C4)=CC[C@@]3([H])[C@@]1(CC=C5C[C@@H](O)CC[C@]25C)[H] CN(C)/C(N(C)C)=N/C(C)(C)C FC(C(F)(S(=O)(F)=O)F)(F)C(F)(F)C(F)(F)F 0.09
OC1CC2=CC=CC=C2C1 N12CCCN=C1CCCCC2 O=S(C1=CC=C([N+]([O-])=O)C=C1)(F)=O 0.44
""",
    "denmark": r"""
O=P1(O)OC2=C(C3=C(C4CCCCC4)C=C(C5CCCCC5)C=C3C6CCCCC6)C=C7C(C=CC=C7)=C2C8=C(O1)[C@@]([C@@]9=C(C%10CCCCC%10)C=C(C%11CCCCC%11)C=C9C%12CCCCC%12)=CC%13=C8C=CC=C%13 O=C(C1=CC=CC=C1)/N=C/C2=CC=C(Cl)C=C2Cl SC1=CC=CC=C1C 3.134624572
O=P1(O)OC2=C(C3=CC(C(C)(C)C)=CC(C(C)(C)C)=C3)C=C4C(C=CC=C4)=C2C5=C(O1)C(C6=CC(C(C)(C)C)=CC(C(C)(C)C)=C6)=CC7=C5C=CC=C7 O=C(C1=CC=CC=C1)/N=C/C2=CC=CC=C2 SC1=CC=C(OC)C=C1 1.074990526
O=P1(O)OC2=C([Si](C3=CC=CC=C3)(C)C4=CC=CC=C4)C=C5C(C=CC=C5)=C2C6=C(O1)C([Si](C7=CC=CC=C7)(C8=CC=CC=C8)C)=CC9=C6C=CC=C9 O=C(C1=CC=CC=C1)/N=C/C2=CC=C(OC)C=C2 SC1=CC=C(OC)C=C1 0.820945045
O=P1(O)OC2=C([Si](C3=CC=C(C(C)(C)C)C=C3)(C4=CC=C(C(C)(C)C)C=C4)C5=CC=C(C(C)(C)C)C=C5)C=C6C(CCCC6)=C2C7=C(O1)C([Si](C8=CC=C(C(C)(C)C)C=C8)(C9=CC=C(C(C)(C)C)C=C9)C%10=CC=C(C(C)(C)C)C=C%10)=CC%11=C7CCCC%11 O=C(C1=CC=CC=C1)/N=C/C2=CC=C(C(F)(F)F)C=C2 SC1=CC=CC=C1C 0.0
O=P1(O)OC2=C(C3=CC(C4=C(C)C=C(C)C=C4C)=CC(C5=C(C)C=C(C)C=C5C)=C3)C=C6C(CCCC6)=C2C7=C(O1)C(C8=CC(C9=C(C)C=C(C)C=C9C)=CC(C%10=C(C)C=C(C)C=C%10C)=C8)=CC%11=C7CCCC%11 O=C(C1=CC=CC=C1)/N=C/C2=CC=CC=C2 SC1CCCCC1 0.559297578
O=P1(O)OC2=C(CC3=C(C=CC=C4)C4=CC5=C3C=CC=C5)C=C6C(C=CC=C6)=C2C7=C(O1)C(CC8=C(C=CC=C9)C9=CC%10=C8C=CC=C%10)=CC%11=C7C=CC=C%11 O=C(C1=CC=CC=C1)/N=C/C2=CC=C(Cl)C=C2Cl SC1=CC=CC=C1C 0.682601444
O=P1(O)OC2=C(CC)C=C3C(CCCC3)=C2C4=C(O1)C(CC)=CC5=C4CCCC5 O=C(C1=CC=CC=C1)/N=C/C2=CC=CC3=C2C=CC=C3 SC1=CC=CC=C1 0.682601444
O=P1(O)OC2=C(C3=CC=C(C4CCCCC4)C=C3)C=C5C(CCCC5)=C2C6=C(O1)C(C7=CC=C(C8CCCCC8)C=C7)=CC9=C6CCCC9 O=C(C1=CC=CC=C1)/N=C/C2=CC=C(C(F)(F)F)C=C2 CCS 0.5302345
O=P1(O)OC2=C([Si](C3=CC=CC=C3)(C)C4=CC=CC=C4)C=C5C(C=CC=C5)=C2C6=C(O1)C([Si](C7=CC=CC=C7)(C8=CC=CC=C8)C)=CC9=C6C=CC=C9 O=C(C1=CC=CC=C1)/N=C/C2=CC=C(C(F)(F)F)C=C2 SC1CCCCC1 0.366586769
O=P1(O)OC2=C(CC3=CC(C(F)(F)F)=CC(C(F)(F)F)=C3)C=C4C(CCCC4)=C2C5=C(O1)C(CC6=CC(C(F)(F)F)=CC(C(F)(F)F)=C6)=CC7=C5CCCC7 O=C(C1=CC=CC=C1)/N=C/C2=CC=C(Cl)C=C2Cl SC1=CC=CC=C1 0.589002233
""",
}
SPOT_VALUES = [
    (dataset, line.split()[:-1], float(line.split()[-1]))
    for dataset, lines in SPOTS.items()
    for line in lines.strip().splitlines()
]

NEVER_RUN = """
CC(c1cc(cc(c1c1ccccc1P(C(C)(C)C)C(C)(C)C)C(C)C)C(C)C)C Cc1ccon1 CN1CCCN2C1=NCCC2 FC(c1ccc(cc1)Br)(F)F
CC(c1cc(cc(c1c1ccccc1P(C(C)(C)C)C(C)(C)C)C(C)C)C(C)C)C Cc1ccon1 CN1CCCN2C1=NCCC2 FC(c1ccc(cc1)I)(F)F
CC(c1cc(cc(c1c1ccccc1P(C(C)(C)C)C(C)(C)C)C(C)C)C(C)C)C c1ccc(cc1)c1conc1 CN(C(=NC(C)(C)C)N(C)C)C CCc1ccc(cc1)Cl
CC(c1cc(cc(c1c1ccccc1P(C(C)(C)C)C(C)(C)C)C(C)C)C(C)C)C c1ccc(cc1)c1nocc1 CN(C(=NC(C)(C)C)N(C)C)C CCc1ccc(cc1)Cl
COc1ccc(c(c1c1c(cc(cc1C(C)C)C(C)C)C(C)C)P(C(C)(C)C)C(C)(C)C)OC c1ccc(cc1)c1nocc1 CN(C(=NC(C)(C)C)N(C)C)C Ic1cccnc1
"""


def design_of(problem: Reaction, smiles: list[str]) -> list[int]:
    labels = problem.design_space.labels
    assert labels is not None
    return [names.index(name) for names, name in zip(labels, smiles, strict=True)]


@pytest.mark.parametrize(("dataset", "smiles", "value"), SPOT_VALUES)
def test_values_are_those_of_the_file(dataset: str, smiles: list[str], value: float) -> None:
    problem = Reaction(dataset=dataset)
    design = design_of(problem, smiles)
    assert true_value(problem, design) == value
    assert problem.design_space.text(np.array(design)) == " | ".join(smiles)


@pytest.mark.parametrize(
    ("dataset", "levels", "num_measured", "lowest", "highest", "median"),
    [
        ("doyle", [4, 22, 3, 15], 3955, 0.0, 0.9999999, 0.287617291),
        ("borylation", [33, 23, 2], 1518, 0.0, 1.0, 0.4678),
        ("deoxyfluorination", [37, 4, 5], 740, 0.0, 1.06, 0.39),
        ("denmark", [43, 5, 5], 1075, -0.419377753, 3.134624572, 1.05075692),
    ],
)
def test_each_screen_has_the_files_rows_range_and_median(
    dataset: str, levels: list[int], num_measured: int, lowest: float, highest: float, median: float
) -> None:
    problem = Reaction(dataset=dataset)
    values = all_values(problem)
    assert problem.design_space.categories.tolist() == levels
    assert len(problem.components) == len(levels)
    assert np.count_nonzero(~np.isnan(values)) == num_measured
    assert np.nanmedian(values) == pytest.approx(median, rel=1e-12)
    assert problem.optimum(of_table()) == [np.nanmax(values)] == [highest]
    assert problem.floor == problem.reference == np.nanmin(values) == lowest


@pytest.mark.parametrize(
    ("dataset", "best"),
    [("doyle", 2), ("borylation", 8), ("deoxyfluorination", 2), ("denmark", 27)],
)
def test_as_many_designs_share_the_maximum_as_stated(dataset: str, best: int) -> None:
    values = all_values(Reaction(dataset=dataset))
    assert np.count_nonzero(values == np.nanmax(values)) == best
    if dataset == "denmark":
        assert len(np.unique(values)) == 87


def test_what_was_never_run_is_infeasible_and_worth_the_floor() -> None:
    problem = Reaction()
    never = [design_of(problem, line.split()) for line in NEVER_RUN.strip().splitlines()]
    designs = problem.design_space.decode(np.arange(3960))
    values, feasible = problem.true_values(of_table(), designs[None])
    assert feasible is not None
    assert sorted(designs[~feasible[0]].tolist()) == sorted(never)
    assert (values[~feasible] == problem.floor).all()
