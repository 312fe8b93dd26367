"""The flow reactor: against scipy's solver, balances, and what instances are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import differential_evolution, minimize

import ombo_gym
from ombo_gym.problems.chemistry.snar import ENERGIES, HIGH, LOW, MASSES, RATES, SnAr, e_factor
from ombo_gym.randomness import KeyedGenerator, Stream

ROWS = 6


def instances(problem: SnAr, num_campaigns: int = ROWS) -> dict[str, Any]:
    return problem.draw(KeyedGenerator(np.arange(num_campaigns, dtype=np.uint64), Stream.INSTANCE))


def random_designs(num_campaigns: int = ROWS, n: int = 6) -> np.ndarray:
    """Random designs, and among them the corners that are fastest and slowest."""
    designs = np.random.default_rng(0).uniform(-1, 1, (num_campaigns, n, 4)).astype(np.float32)
    designs[:, 0], designs[:, 1] = (1, 1, 1, 1), (1, -1, 1, 1)
    designs[:, 2] = -1
    return designs


def integrated(units: np.ndarray, rates: np.ndarray, energies: np.ndarray) -> np.ndarray:
    """Concentrations at the outlet by scipy, from the rate laws as they are published."""
    minutes, equivalents, molar, celsius = units
    a, b, c, d = rates * np.exp(
        -energies / 8.314e-3 * (1 / (celsius + 273.15) - 1 / (90 + 273.15))
    )  # M^-1 min^-1

    def change(_: float, species: np.ndarray) -> list[float]:
        substrate, pyrrolidine, ortho, para, _bis = species
        return [
            -(a + b) * substrate * pyrrolidine,
            -((a + b) * substrate + c * ortho + d * para) * pyrrolidine,
            (a * substrate - c * ortho) * pyrrolidine,
            (b * substrate - d * para) * pyrrolidine,
            (c * ortho + d * para) * pyrrolidine,
        ]

    feed = [molar, equivalents * molar, 0, 0, 0]
    solution = solve_ivp(change, (0, minutes), feed, "LSODA", rtol=1e-11, atol=1e-14)
    return solution.y[:, -1]


@pytest.mark.parametrize("kinetics", ["published", "perturbed"])
def test_the_outlet_is_what_scipys_solver_gives(kinetics: str) -> None:
    problem = SnAr(kinetics=kinetics)
    drawn, designs = instances(problem), random_designs()
    species = problem.concentrations(drawn, designs)
    for row in range(ROWS):
        for units, got in zip(problem.to_units(designs[row]), species[row], strict=True):
            expected = integrated(units, drawn["rates"][row], drawn["energies"][row])
            np.testing.assert_allclose(got, expected, rtol=1e-7, atol=2e-8)


def test_the_rings_and_the_pyrrolidine_are_all_there_again() -> None:
    problem = SnAr(kinetics="perturbed")
    designs = random_designs(n=50)
    substrate, free, ortho, para, bis = np.moveaxis(
        problem.concentrations(instances(problem), designs), -1, 0
    )
    _, equivalents, molar, _ = np.moveaxis(problem.to_units(designs), -1, 0)
    np.testing.assert_allclose(substrate + ortho + para + bis, molar, rtol=1e-12)
    np.testing.assert_allclose(free + ortho + para + 2 * bis, equivalents * molar, rtol=1e-12)
    assert min(species.min() for species in (substrate, free, ortho, para, bis)) > -1e-12


def test_a_published_operating_point_has_the_space_time_yield_of_the_rate_laws() -> None:
    problem = SnAr()
    middle = np.zeros((1, 1, 4), np.float32)
    species = integrated((LOW + HIGH) / 2, RATES, ENERGIES)  # 1.25 min, 3 eq, 0.3 M, 75 C
    grams = species[2] * MASSES[2]  # g / L = kg / m^3, each 1.25 min
    value = problem.evaluate(instances(problem, 1), middle)
    np.testing.assert_allclose(value, grams / (1.25 / 60), rtol=1e-7)

    waste = 789 + (species * MASSES).sum() - grams
    value = SnAr(objective="e_factor").evaluate(instances(problem, 1), middle)
    np.testing.assert_allclose(value, -waste / grams, rtol=1e-7)


def test_no_product_is_all_the_waste_that_counts() -> None:
    assert e_factor(np.array([0.1, 0.1, 0.0, 0.0, 0.0])) == 1000


@pytest.mark.parametrize("objective", ["sty", "e_factor"])
def test_the_listed_best_values_are_found_again_and_not_surpassed(objective: str) -> None:
    problem = SnAr(objective=objective)
    drawn = instances(problem, 1)
    designs, values = problem.search(drawn)
    np.testing.assert_allclose(values, problem.optimum(drawn), rtol=1e-6)
    np.testing.assert_array_equal(problem.evaluate(drawn, designs[:, None])[:, 0], values)

    def loss(x: np.ndarray) -> float:
        return -problem.evaluate(drawn, x[None, None])[0, 0]

    box = [(-1, 1)] * 4
    near = minimize(loss, np.zeros(4), method="Nelder-Mead", bounds=box)
    far = differential_evolution(
        lambda x: -problem.evaluate(drawn, x.T[None])[0],
        *(box,),
        popsize=20,
        maxiter=80,
        rng=0,
        vectorized=True,
        updating="deferred",
    )
    best = problem.optimum(drawn)[0]
    for other in (near, far):
        assert -other.fun < best + 1e-6 * abs(best)
    np.testing.assert_allclose(-far.fun, best, rtol=1e-4)  # it looks everywhere, and comes there


@pytest.mark.parametrize(("equivalents", "celsius"), [(1, 120), (2, 62), (5, 31)])
def test_the_best_temperature_falls_with_the_equivalents(equivalents: int, celsius: int) -> None:
    grid = np.arange(30, 121)

    def made(temperature: float) -> float:
        return integrated(np.array([0.5, equivalents, 0.5, temperature]), RATES, ENERGIES)[2]

    assert grid[np.argmax([made(temperature) for temperature in grid])] == celsius


def test_the_search_for_the_best_of_a_reaction_does_not_depend_on_the_others() -> None:
    problem = SnAr(kinetics="perturbed")
    drawn = instances(problem, 3)
    optima = problem.optimum(drawn)
    for row in range(3):
        alone = {name: array[row : row + 1] for name, array in drawn.items()}
        assert problem.optimum(alone) == optima[row]


def test_train_and_test_reactions_are_different_ones_within_the_stated_spread() -> None:
    drawn = {
        split: instances(SnAr(kinetics="perturbed", split=split), 300) for split in SnAr.splits
    }
    reactions = {split: set(map(tuple, drawn[split]["rates"])) for split in drawn}
    assert not reactions["train"] & reactions["test"]
    assert len(reactions["test"]) > 100
    factors = drawn["all"]["rates"] / RATES
    assert 0.25 <= factors.min() < 0.3 and 3.5 < factors.max() <= 4
    shares = drawn["all"]["energies"] / ENERGIES
    assert 0.75 <= shares.min() < 0.77 and 1.23 < shares.max() <= 1.25


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"kinetics": "unpublished"}, "kinetics: expected"),
        ({"objective": "yield"}, "objective: expected"),
        ({"split": "test"}, "split: it goes with kinetics='perturbed'"),
    ],
)
def test_what_there_is_not_is_refused(arguments: dict[str, str], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        ombo_gym.make_problem("SnAr", **arguments)
