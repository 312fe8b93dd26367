"""The wind farm, against the figures and the calculator of IEA Wind Task 37."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from py_wake.examples.data.iea37 import iea37_path
from py_wake.examples.data.iea37._iea37 import IEA37AEPCalc, IEA37Site
from py_wake.examples.data.iea37.iea37_aepcalc import calcAEP, getTurbAtrbtYAML, getWindRoseYAML

import ombo_gym  # noqa: F401
from ombo_gym.problems.energy.windfarm import BEST, WindFarm
from ombo_gym.randomness import KeyedGenerator, Stream

Array = npt.NDArray[Any]
KEYS = np.arange(2, dtype=np.uint64)  # of two campaigns
FREE_STREAM = 3.35 * 8.76  # GWh that a turbine makes in a year of rated power


def site(num_campaigns: int = 1) -> dict[str, Array]:
    return {"site": np.zeros(num_campaigns, np.int64)}


def example_layout() -> Array:
    """The study's own, in metres, (16, 2)."""
    return np.array(IEA37Site(16).initial_position, np.float64)


def value(layout: Any, directions: int = 360) -> float:
    design = (np.asarray(layout) / 1300).astype(np.float32).reshape(1, 1, 32)
    return float(WindFarm(directions=directions).evaluate(site(), design)[0, 0])


def by_the_study(layout: Array) -> float:
    """GWh by the calculator that the study's organisers handed out, for its 16 directions."""
    wind, frequency, speed = getWindRoseYAML(iea37_path + "iea37-windrose.yaml")
    cut_in, cut_out, rated, power, diameter = getTurbAtrbtYAML(iea37_path + "iea37-335mw.yaml")
    turbines = np.recarray(16, np.dtype([("x", "<f8"), ("y", "<f8")]))
    turbines.x, turbines.y = layout.T
    # MWh by direction
    energy = calcAEP(turbines, frequency, speed, wind, diameter, cut_in, cut_out, rated, power)
    return float(np.sum(energy)) / 1000


def test_the_example_layout_makes_what_is_published() -> None:
    assert value(example_layout(), 16) == pytest.approx(366.94157, abs=1e-4)
    assert value(example_layout(), 360) == pytest.approx(373.2066, abs=1e-3)
    assert IEA37AEPCalc(16).get_aep().sum() == pytest.approx(366_941.57, abs=0.1)  # MWh


def test_layouts_make_what_the_studys_own_calculator_says() -> None:
    rngs = KeyedGenerator(np.arange(2, dtype=np.uint64), Stream.START)
    problem = WindFarm(directions=16)
    designs = problem.sample(site(2), rngs, 3)
    expected = [[by_the_study(layout) for layout in row] for row in problem.to_units(designs)]
    assert problem.evaluate(site(2), designs) == pytest.approx(np.array(expected), abs=1e-6)


def test_turbines_outside_are_moved_to_the_boundary() -> None:
    layout = example_layout()
    problem = WindFarm()
    layout[0] = 1300 * np.array([0.9, -0.9])
    design = (layout / 1300).astype(np.float32).ravel()
    moved = problem.to_units(design)
    assert moved[0] == pytest.approx([1300 / math.sqrt(2), -1300 / math.sqrt(2)], abs=1e-3)
    assert moved[1:] == pytest.approx(layout[1:], abs=1e-3)
    assert value(layout) == pytest.approx(value(moved), abs=1e-5)  # of float32


def test_spacing_costs_by_the_metre_what_a_turbine_makes_over_two_diameters() -> None:
    layout = example_layout()
    kept = np.hypot(*(layout[:, None] - layout).T)[np.triu_indices(16, 1)].min()
    assert kept > 260
    layout[0] = layout[1] + [110, 70]
    energy = by_the_study(layout)
    short = sum(max(0.0, 260 - math.dist(a, b)) for a, b in combinations(layout, 2))
    assert 125 < short < 135  # the others keep it
    assert value(layout, 16) == pytest.approx(energy - FREE_STREAM * short / 260, abs=0.01)


def test_turbines_in_one_place_lose_at_least_what_one_makes() -> None:
    layout = example_layout()
    before = value(layout)
    layout[0] = layout[1]
    pair = value(layout)
    layout[0, 0] += 0.001
    assert pair == pytest.approx(value(layout), abs=0.5)  # PyWake alone refuses it
    assert pair < before - FREE_STREAM
    layout[:] = 0
    assert value(layout) < -120 * FREE_STREAM + before  # that many pairs


def test_starts_keep_to_the_site_and_the_spacing() -> None:
    problem = WindFarm()
    rngs = KeyedGenerator(np.arange(3, dtype=np.uint64), Stream.START)
    designs = problem.sample(site(3), rngs, 40)
    assert designs.shape == (3, 40, 32) and designs.dtype == np.float32
    layouts = 1300 * designs.astype(np.float64).reshape(120, 16, 2)
    assert np.hypot(layouts[..., 0], layouts[..., 1]).max() <= 1300 + 1e-3
    closest = min(math.dist(a, b) for layout in layouts for a, b in combinations(layout, 2))
    assert 260 <= closest < 262
    assert abs(layouts.mean()) < 30  # to no side of the site
    alone = KeyedGenerator(np.array([1], np.uint64), Stream.START)
    assert (problem.sample(site(), alone, 40) == designs[1]).all()


def test_uniform_designs_lose_as_much_to_spacing_as_stated() -> None:
    designs = np.random.default_rng(0).uniform(-1, 1, (1, 300, 32)).astype(np.float32)
    problem = WindFarm()
    points = problem.to_units(designs[0])
    lost = [
        FREE_STREAM / 260 * sum(max(0.0, 260 - math.dist(a, b)) for a, b in combinations(p, 2))
        for p in points
    ]
    values = problem.evaluate(site(), designs)[0]
    assert np.mean(lost) == pytest.approx(45, abs=3 * np.std(lost) / 300**0.5)
    assert np.mean(values + lost) == pytest.approx(326, abs=2)


@pytest.mark.parametrize(("directions", "energy"), [(360, 390.123), (16, 419.920)])
def test_the_best_known_layout_keeps_both_constraints(directions: int, energy: float) -> None:
    layout = 1300 * np.array(BEST[directions]).reshape(16, 2)
    assert np.hypot(*layout.T).max() < 1300.2  # four decimals of the radius
    assert min(math.dist(a, b) for a, b in combinations(layout, 2)) >= 260
    problem = WindFarm(directions=directions)
    best = problem.best_known(site(2))
    assert best == pytest.approx([energy, energy], abs=1e-3)
    assert value(layout, directions) == pytest.approx(best[0], abs=1e-4)
    if directions == 16:
        assert by_the_study(problem.to_units(np.array(BEST[16]))) == pytest.approx(best[0])
        assert best[0] > 418.924  # of the study's participants, the best


def test_the_order_of_turbines_does_not_matter() -> None:
    problem = WindFarm()
    designs = problem.sample(site(2), KeyedGenerator(KEYS, Stream.START), 2)
    shuffled = designs.reshape(2, 2, 16, 2)[:, :, ::-1].reshape(designs.shape)
    values = problem.evaluate(site(2), designs)
    assert problem.evaluate(site(2), shuffled) == pytest.approx(values, abs=1e-9)


@pytest.mark.slow
def test_workers_measure_the_same() -> None:
    """In processes that import py_wake; `test_simulated.py` has what workers do, quickly."""
    designs = WindFarm().sample(site(2), KeyedGenerator(KEYS, Stream.START), 2)
    alone = WindFarm().evaluate(site(2), designs)
    assert alone.tobytes() == WindFarm(workers=2).evaluate(site(2), designs).tobytes()


@pytest.mark.parametrize("directions", [0, 8, 16.0, "16", True, None])
def test_another_number_of_directions_is_refused(directions: Any) -> None:
    with pytest.raises(ValueError, match=r"directions: expected one of \[16, 360\]"):
        WindFarm(directions=directions)


def test_a_missing_pywake_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"WindFarm needs py_wake.*ombo-gym\[energy\]"):
        WindFarm()
