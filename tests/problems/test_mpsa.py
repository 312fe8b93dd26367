"""Splice sites, against the rows of the source file."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ombo_gym.problems.biology.mpsa import MPSA
from tests.problems.measured_problems import all_values, of_table, true_value

SPOTS = """
CGGGUAACC 2.299459546082275
CAGGUAAGU 2.0
UACGCGGCA -1.349251662216607
GGAGCUAUA -0.5257334738902482
GAAGUUAUG -0.37152805692775936
CUAGUCGUU -0.0327095003743783
ACUGUAGCC -0.1451316795606823
CAGGUGGGU 1.9930110648330057
GGAGUCAGG -0.13629440126295883
AAUGCCCAA -0.16231151725245352
UCAGUACGA -0.1693339953078729
"""
NEVER_MEASURED = ["AAAGUAAAC", "AAAGUAACC", "AAAGUAACG", "UUUGCGUUG", "UUUGCUGCG"]


def design_of(site: str) -> list[int]:
    free = ["ACGU".index(letter) for letter in site[:3] + site[5:]]
    return [*free[:3], ["GU", "GC"].index(site[3:5]), *free[3:]]


@pytest.mark.parametrize("line", SPOTS.split("\n")[1:-1])
def test_values_are_those_of_the_file(line: str) -> None:
    site, value = line.split()
    assert true_value(MPSA(), design_of(site)) == float(value)
    assert MPSA().design_space.text(np.array(design_of(site))) == site


def test_30483_of_32768_sites_were_measured() -> None:
    problem = MPSA()
    values = all_values(problem)
    assert len(values) == 4**7 * 2 == 32_768
    assert np.count_nonzero(~np.isnan(values)) == 30_483
    assert problem.optimum(of_table()) == [np.nanmax(values)] == [2.299459546082275]
    assert problem.reference == problem.floor == np.nanmin(values) == -1.349251662216607
    designs = np.array([[design_of(site) for site in NEVER_MEASURED]])
    floored, feasible = problem.true_values(of_table(), designs)
    assert feasible is not None and not feasible.any()
    assert (floored == problem.floor).all()


def test_by_letter_measured_sites_are_as_many_as_in_the_file() -> None:
    measured = MPSA().design_space.decode(np.flatnonzero(~np.isnan(all_values(MPSA()))))
    counts = [np.bincount(column, minlength=4).tolist() for column in measured.T]
    assert counts[0] == [7791, 7537, 7532, 7623]  # A, C, G, U, three before the splice site
    assert counts[3] == [15069, 15414, 0, 0]  # GU, GC
    assert counts[7] == [8187, 7581, 6615, 8100]


def test_gu_and_the_consensus_after_it_splice_better_than_gc() -> None:
    problem = MPSA()
    pairs = [
        [true_value(problem, design_of(f"{''.join(x)}G{y}AAGU")) for y in "UC"]
        for x in itertools.product("ACGU", repeat=3)
    ]
    assert np.nanmean(pairs, axis=0)[0] > np.nanmean(pairs, axis=0)[1] + 0.5
