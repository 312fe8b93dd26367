"""CR6261 and its precursors, against the rows of the source file."""

from __future__ import annotations

import numpy as np
import pytest

from ombo_gym.problems.biology.antibody import SITES, Antibody
from ombo_gym.problems.data import load_table
from tests.problems.measured_problems import all_values, of_table, true_value

SPOTS = """
WT 7.0
T28P;S30R;S75F;L104V 9.728612340845473
T28P;S30R;A58T;N59K;Q62P;K74D;S75F;T76A;S77G;A79V;L104V 9.506654275000498
A58T;N59K;K74D;S75F;S77G;A79V 7.738696548083054
S30R;S75F;A79V;L104V 7.673612458150078
S30R;N59K;Q62P 7.765532942389958
T28P;S75F;A79V;L104V 9.35978273456766
T28P;N59K;K74D;S77G;A79V 9.171531427811146
T28P;N59K;K74D;S75F;T76A;A79V 9.289631848128186
T28P;S30R;Q62P;K74D;T76A;A79V;L104V 9.376020830982194
T28P;S30R;N59K;K74D;S75F;S77G;A79V 9.53476414105045
T28P;S30R;N59K;Q62P;T76A;A79V;L104V 9.464321253619616
"""
MUTATIONS = [
    "T28P",
    "S30R",
    "A58T",
    "N59K",
    "Q62P",
    "K74D",
    "S75F",
    "T76A",
    "S77G",
    "A79V",
    "L104V",
]


@pytest.mark.parametrize("line", SPOTS.split("\n")[1:-1])
def test_values_are_those_of_the_file(line: str) -> None:
    mutant, value = line.split()
    design = [int(mutation in mutant.split(";")) for mutation in MUTATIONS]
    assert true_value(Antibody(), design) == float(value)
    residues = [m[-1] if bit else m[0] for m, bit in zip(MUTATIONS, design, strict=True)]
    assert Antibody().design_space.text(np.array(design)) == "".join(residues)


def test_all_2048_are_there_and_226_do_not_bind() -> None:
    problem = Antibody()
    values = all_values(problem)
    assert len(values) == 2**11 and problem.measurements.complete
    assert np.count_nonzero(values == 7.0) == 226
    assert problem.optimum(of_table()) == [values.max()] == [9.728612340845473]
    assert problem.reference == values.min() == 7.0


def test_sites_and_residues_are_those_of_the_table() -> None:
    table = load_table("antibody")
    assert table["sites"].tolist() == list(SITES) == [int(m[1:-1]) for m in MUTATIONS]
    assert table["residues"].tolist() == [[m[0], m[-1]] for m in MUTATIONS]
    assert np.count_nonzero(table["estimated"]) == 161
    assert not table["estimated"].reshape(-1)[table["values"].argmax()]
