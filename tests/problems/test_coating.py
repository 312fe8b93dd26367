"""Coatings: against the package tmm, textbook films, and what instances are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tmm
from scipy.optimize import minimize

import ombo_gym
from ombo_gym.problems.data import load_table
from ombo_gym.problems.materials.coating import CENTRES, Coating, index_table, reflectance
from ombo_gym.randomness import KeyedGenerator, Stream


def instances(problem: Coating, num_campaigns: int) -> dict[str, Any]:
    return problem.draw(KeyedGenerator(np.arange(num_campaigns, dtype=np.uint64), Stream.INSTANCE))


def index(material: str, nanometres: float) -> float:
    """Between the wavelengths of the table."""
    return float(
        np.interp(nanometres, load_table("optics")["wavelengths"], index_table((material,))[0])
    )


def by_tmm(problem: Coating, thicknesses: np.ndarray, nanometres: float) -> float:
    """Reflectance of unpolarised light, the stack seen from the air."""
    high, low, glass = (index(material, nanometres) for material in problem.materials)
    films = [(high, low)[i % 2] for i in range(len(thicknesses))]
    stack = [1.0, *reversed(films), glass]
    depths = [np.inf, *reversed(thicknesses.tolist()), np.inf]
    angle = np.radians(problem.angle)
    return float(np.mean([tmm.coh_tmm(p, stack, depths, angle, nanometres)["R"] for p in "sp"]))


@pytest.mark.parametrize(
    "arguments",
    [
        {"layers": 1, "task": "antireflection"},
        {"layers": 8, "task": "mirror", "materials": ["Ta2O5", "MgF2"]},
        {"layers": 5, "task": "edge", "angle": 45},
        {"layers": 12, "task": "bandpass", "angle": 80.5, "materials": ["TiO2", "MgF2"]},
    ],
)
def test_the_spectrum_is_what_tmm_gives(arguments: dict[str, Any]) -> None:
    problem = Coating(**arguments)
    designs = np.random.default_rng(0).uniform(-1, 1, (3, 2, problem.layers)).astype(np.float32)
    wavelengths, reflected = problem.spectra(instances(problem, 3), designs)
    for row in range(3):
        for design in range(2):
            thicknesses = problem.to_units(designs[row, design])
            expected = [by_tmm(problem, thicknesses, w) for w in wavelengths[row]]
            np.testing.assert_allclose(reflected[row, design], expected, rtol=0, atol=1e-12)


def wanted(task: str, offset: float) -> float:
    """What should be reflected so far from the centre, in nm."""
    return {
        "antireflection": 0.0,
        "mirror": 1.0,
        "edge": float(offset < 0),
        "bandpass": float(abs(offset) > 30),
    }[task]


@pytest.mark.parametrize("task", ["antireflection", "mirror", "edge", "bandpass"])
def test_the_value_is_how_near_the_spectrum_comes_to_the_one_wanted(task: str) -> None:
    problem = Coating(task=task, centre=700)
    designs = np.random.default_rng(1).uniform(-1, 1, (1, 2, 8)).astype(np.float32)
    drawn = instances(problem, 1)
    step, last = (5, 70) if task == "mirror" else (10, 145)
    offsets = np.arange(-75 if task == "mirror" else -145, last + 1, step)
    for design, value in zip(designs[0], problem.evaluate(drawn, designs)[0], strict=True):
        thicknesses = problem.to_units(design)
        distances = [
            abs(by_tmm(problem, thicknesses, 700 + offset) - wanted(task, offset))
            for offset in offsets
        ]
        assert value == pytest.approx(1 - np.mean(distances), abs=1e-12)


def test_a_quarter_wave_of_magnesium_fluoride_reflects_what_the_textbook_says() -> None:
    film, glass, wavelength = index("MgF2", 550), index("N-BK7", 550), np.full((1, 1), 550.0)
    indices = np.array([film, film, glass])[:, None, None]

    def reflected(waves: float) -> float:
        return float(reflectance(np.full((1, 1), waves * 550 / film), indices, wavelength, 0)[0, 0])

    assert reflected(1 / 4) == pytest.approx(((glass - film**2) / (glass + film**2)) ** 2)
    assert reflected(1 / 4) == pytest.approx(0.0126, abs=5e-4)  # of bare glass: 4.2%
    assert reflected(1 / 2) == pytest.approx(((glass - 1) / (glass + 1)) ** 2)


def test_the_indices_are_the_published_ones_of_the_sodium_and_helium_lines() -> None:
    published = {"N-BK7": 1.51680, "SiO2": 1.45846, "MgF2": 1.37774}  # at 587.6 nm
    for material, expected in published.items():
        assert index(material, 587.6) == pytest.approx(expected, abs=3e-5)
    assert index("TiO2", 600) > 2.3 and 2.1 < index("Ta2O5", 600) < 2.2


def test_the_best_value_known_is_of_a_design_and_far_above_random_ones() -> None:
    problem = Coating(layers=4, task="mirror", centre=600)
    drawn = instances(problem, 2)
    designs, values = problem.search(drawn)
    np.testing.assert_array_equal(problem.evaluate(drawn, designs[:, None])[:, 0], values)
    np.testing.assert_array_equal(problem.optimum(drawn), values)
    random = np.random.default_rng(2).uniform(-1, 1, (2, 5000, 4)).astype(np.float32)
    assert (problem.evaluate(drawn, random) <= values[:, None]).all()
    # All layers a quarter wave but the last, of low index, which only weakens the mirror.
    quarter = [600 / 4 / index(m, 600) for m in ("TiO2", "SiO2", "TiO2")]
    np.testing.assert_allclose(problem.to_units(designs[0]), [*quarter, 10], atol=6)


@pytest.mark.parametrize(
    ("arguments", "more"),
    [
        ({"layers": 8, "task": "bandpass"}, 1e-6),
        ({"layers": 8, "task": "antireflection"}, 1e-6),
        ({"layers": 12, "task": "edge"}, 1e-3),
    ],
)
def test_scipys_gradient_search_from_random_designs_does_not_surpass_the_best_known(
    arguments: dict[str, Any], more: float
) -> None:
    problem = Coating(**arguments, centre=750)
    drawn, layers = instances(problem, 1), problem.layers
    found, values = problem.search(drawn)
    nearby = np.concatenate([np.zeros((1, layers)), np.eye(layers)]) * 1e-6

    def loss_and_slope(x: np.ndarray) -> tuple[float, np.ndarray]:
        losses = -problem.evaluate(drawn, (x + nearby)[None])[0]
        return losses[0], (losses[1:] - losses[0]) / 1e-6

    def climbed(x: np.ndarray) -> float:
        box = [(-1, 1)] * layers
        return -minimize(loss_and_slope, x, jac=True, method="L-BFGS-B", bounds=box).fun

    assert climbed(found[0].astype(np.float64)) < values[0] + 1e-6
    random = np.random.default_rng(3).uniform(-1, 1, (25, layers))
    others = [climbed(x) for x in random]
    assert values[0] - 0.02 < max(others) < values[0] + more


def test_the_search_of_a_centre_does_not_depend_on_the_others() -> None:
    problem = Coating(layers=5, task="bandpass")
    of_several = problem.search({"centre": np.array([550, 700, 845])})
    alone = problem.search({"centre": np.array([700])})
    for of_all, own in zip(of_several, alone, strict=True):
        assert of_all[1].tobytes() == own[0].tobytes()


def test_train_and_test_centres_are_different_ones() -> None:
    drawn = {s: set(instances(Coating(split=s), 500)["centre"].tolist()) for s in Coating.splits}
    assert drawn["all"] == set(CENTRES.tolist()) == drawn["train"] | drawn["test"]
    assert not drawn["train"] & drawn["test"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"layers": 0}, "layers: expected a whole number from 1"),
        ({"layers": 2.5}, "layers: expected a whole number from 1"),
        ({"task": "lens"}, "task: expected one of"),
        ({"materials": ["SiO2", "TiO2"]}, "materials: expected one of"),
        ({"materials": "TiO2"}, "materials: expected one of"),
        ({"angle": 90}, "angle: expected a number from 0 to 85"),
        ({"centre": 551}, "centre: expected one of 550, 555"),
        ({"centre": 600, "split": "train"}, "split: it goes without a centre"),
    ],
)
def test_what_cannot_be_made_is_refused(arguments: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        ombo_gym.make_problem("Coating", **arguments)
