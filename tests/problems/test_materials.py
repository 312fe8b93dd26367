# ruff: noqa: E501
"""Materials, against the rows of their source files."""

from __future__ import annotations

import numpy as np
import pytest

from ombo_gym.design_spaces import CandidateDesigns
from ombo_gym.problems.materials.measured_materials import VARIABLES, CrossedBarrel, Materials
from tests.problems.measured_problems import all_values, measurements, of_table, true_value

SPOTS = {  # the design: its measurements, with the file's sign
    "crossed_barrel": """
12 150 1.9 1.4: 49.25078791 41.89631514 48.98711188
6 50 1.9 1.05: 1.733336745 2.433453355 1.898873585
6 150 2.5 0.7: 20.95858163 20.19911768 17.94230795
8 75 2.4 1.05: 26.61614424 25.70566987 21.54221829
10 25 2.4 1.4: 1.47408317 1.48491208 12.38719482
10 150 1.9 0.7: 29.77538936 26.96239796 25.18258923
12 0 1.5 1.05: 3.382610125 2.57400154 2.8202735
12 25 1.6 0.7: 3.283366465 2.81568514 1.904929865
12 25 2.4 0.7: 50.29350783 32.15487672 50.83130521
12 100 1.7 1.05: 19.5094086 13.35318585 17.53314818
""",
    "agnp": """
32.50117647 16 6.501176471 4.501176471 850: 0.258389577 0.222224224 0.187376582 0.168862505 0.153396216 0.142391744 0.136643033 0.133467496 0.133336956 0.131345358 0.132165801 0.133549108 0.132136636 0.134742204 0.134818703 0.135408774 0.135593829 0.133829174 0.133719537 0.133761965 0.135401377 0.13446152 0.135276541
6.942263279 32.60046189 9.52886836 14.60046189 433: 0.902887559 0.906220462 0.8950226 0.901948503 0.900651291 0.907672326 0.897955511 0.901335585 0.898306602 0.902082993 0.902331957 0.905802614
6.681451613 32.39919355 9 18.60080645 496: 0.901392767 0.91063668 0.908277154 0.902232044 0.907601745 0.908384716 0.906359988 0.907649818 0.909688911 0.90702051 0.908114307 0.906690961
5.869822485 18.59960552 4.228796844 13.10059172 507: 0.90387477 0.899192785 0.901995759 0.902354105 0.899229805 0.904024443
18.99303955 17.68877764 13.02724897 6.716729245 910.86: 0.679883144 0.661006661 0.589034073 0.474971618 0.452434819 0.467687484 0.474395814 0.506028903
8.325874828 26.00580672 4.870222009 7.457049925 916.18: 0.788081816 0.793028498 0.811557332 0.821501931
9.686187299 13.15048184 5.174203113 4.904867803 809.4: 0.71402897 0.715837624 0.710044664 0.70952589 0.70926645 0.714927111 0.706539942 0.708705103 0.686760185 0.716204927 0.698112243
20 21.19490695 18.90303624 4.000435303 918.9: 0.694864769 0.623683413 0.601279885 0.612685313 0.624087786 0.616659963 0.594894795 0.578095445 0.531200241 0.518401173 0.497546608
12.01009123 40.00050966 18.04953876 4.000815453 784.84: 0.609180784 0.592294676 0.597506323 0.570140764
21.64117101 15.84966522 3.159669615 6.790968183 818.44: 0.366986253 0.379521694 0.379749308 0.406437872 0.393741555 0.392324797 0.403468617 0.386208399 0.391446763 0.368551499
""",
    "p3ht": """
46.92 50.3 1.53 0.04 1.23: 838.31
85.08 7.75 3.5 2.24 1.36: 18.25
46.12 48.4 2.73 0.86 1.91: 259.11
67.1 30.15 0.72 0.04 1.95: 36.88
43.49 46.89 4.18 5.1 0.37: 111.8949727
36.88 41.6 2.67 1.85 16.99: 311.2965408 345.3800939
41.9 48.61 3.78 1.87 3.83: 214.93
46.86 43.74 5.08 0.78 3.61: 451.64 457.13
41.63 45.99 8.17 0.04 4.24: 696.39
40 60 0 0 0: 490.06 634.35 688.74 725.7933279 788.8326479 804.11 839.28 852.33 824.47
""",
    "perovskite": """
0.18 0.82 0: 27122
0.5 0.5 0: 239852 416657
0.26 0.74 0: 449878
0.43 0.57 0: 300244
0.7 0.29 0.01: 286563
0.71 0.06 0.23: 438903
0.09 0.85 0.06: 192477
0.3 0.39 0.32: 437082
0.31 0.3 0.39: 794499
0 0 1: 1267615 1274993 1497320 1375402 1413800 1583406 1755056
""",
    "hoip": """
9 1 15: -16.79186132
0 0 2: -4.055718956
1 1 0: -8.541711662
2 2 5: -14.47339112
3 2 11: -8.00962131
9 1 5: -12.5763503
7 1 7: -10.10923137
9 2 11: -12.3918434
1 2 4: -11.90292761
9 1 13: -13.00137053
""",
}
SPOT_VALUES = [
    (dataset, *([float(x) for x in part.split()] for part in line.split(":")))
    for dataset, lines in SPOTS.items()
    for line in lines.strip().splitlines()
]
SIGNS = {"crossed_barrel": 1, "agnp": -1, "p3ht": 1, "perovskite": -1, "hoip": -1}


def problem_of(dataset: str) -> CrossedBarrel | Materials:
    return CrossedBarrel() if dataset == "crossed_barrel" else Materials(dataset=dataset)


def design_of(problem: CrossedBarrel | Materials, variables: list[float]) -> list[int]:
    space = problem.design_space
    listing = space.decode(np.arange(space.size))
    (row,) = np.flatnonzero((problem.to_units(listing) == variables).all(axis=1))
    return listing[row].tolist()


@pytest.mark.parametrize(("dataset", "variables", "measured"), SPOT_VALUES)
def test_true_values_are_means_of_what_the_file_lists_for_the_design(
    dataset: str, variables: list[float], measured: list[float]
) -> None:
    problem = problem_of(dataset)
    design = design_of(problem, variables)
    expected = [SIGNS[dataset] * value for value in measured]
    assert true_value(problem, design) == pytest.approx(np.mean(expected), rel=1e-12)
    assert set(measurements(problem, design, 300)) == set(expected)


@pytest.mark.parametrize(
    ("dataset", "designs", "num_measurements", "most", "lowest", "highest"),
    [
        ("crossed_barrel", 600, 1800, 3, 0.43323537333333334, 46.71140497666667),
        ("agnp", 164, 3295, 48, -0.9070041334166667, -0.14836082),
        ("p3ht", 178, 233, 9, 2.740952014, 838.31),
        ("perovskite", 94, 139, 7, -1452513.142857143, -27122.0),
        ("hoip", 480, 480, 1, -0.371456661, 16.79186132),
    ],
)
def test_each_pool_has_the_files_designs_measurements_and_range(
    dataset: str, designs: int, num_measurements: int, most: int, lowest: float, highest: float
) -> None:
    problem = problem_of(dataset)
    values = all_values(problem)
    assert problem.design_space.size == len(values) == designs
    counts = problem.measurements.counts
    assert (
        (designs, 1) == (num_measurements, most)
        if counts is None
        else (counts.sum(), counts.max()) == (num_measurements, most)
    )
    assert problem.optimum(of_table()) == [values.max()] == pytest.approx([highest], rel=1e-12)
    assert problem.reference == values.min() == pytest.approx(lowest, rel=1e-12)
    assert (
        problem.feasible(of_table(), problem.design_space.decode(np.arange(designs))[None]) is None
    )


@pytest.mark.parametrize(
    ("dataset", "once", "designs"), [("p3ht", 141, 178), ("perovskite", 67, 94), ("agnp", 0, 164)]
)
def test_as_many_designs_were_measured_once_as_stated_and_the_best_are_of_them(
    dataset: str, once: int, designs: int
) -> None:
    problem = problem_of(dataset)
    counts = problem.measurements.counts
    assert counts is not None
    assert (np.count_nonzero(counts == 1), counts.size) == (once, designs)
    best = np.argsort(-all_values(problem))[:3]
    assert (counts[0, best] == 1).all() == (once > 0)


@pytest.mark.parametrize("dataset", ["crossed_barrel", "agnp", "p3ht", "perovskite"])
def test_surrogates_see_every_variable_from_minus_1_to_1(dataset: str) -> None:
    problem = problem_of(dataset)
    space = problem.design_space
    assert isinstance(space, CandidateDesigns) and space.names is not None
    listing = space.decode(np.arange(space.size))
    features, units = space.features(listing), problem.to_units(listing)
    assert features.shape == units.shape == (space.size, len(VARIABLES[dataset]))
    assert (features.min(axis=0) == -1).all() and (features.max(axis=0) == 1).all()
    assert (features.argsort(axis=0, kind="stable") == units.argsort(axis=0, kind="stable")).all()
    assert len(set(space.names)) == space.size


def test_hoip_is_three_categories_of_which_all_combinations_are_there() -> None:
    problem = Materials(dataset="hoip")
    assert problem.design_space.categories.tolist() == [10, 3, 16]
    listing = problem.design_space.decode(np.arange(480))
    assert (problem.to_units(listing) == listing).all()
    assert problem.design_space.text(listing[-1]) == "A9 | B2 | X15"
